package expr

import "strings"

// elsewhere are functions of other engines that people try, and what does their work here
// (reference-connect-sync-functions-reference.md lists them for Connect Sync).
var elsewhere = map[string]string{
	"and": "nest an IIF in the true branch", "or": "nest an IIF in the false branch", "if": "IIF", "iff": "IIF", "ucase": "ToUpper", "lcase": "ToLower",
	"upper": "ToUpper", "lower": "ToLower", "ltrim": "Trim", "rtrim": "Trim", "contains": "InStr, which is 0 when nothing is found", "concat": "Join or Append",
	"concatenate": "Join or Append", "substring": "Mid", "substr": "Mid", "right": "Replace with a regular expression such as (.*?)(?<id>.{0,8})$",
	"isempty": "IsNullOrEmpty", "isnotnull": "IsPresent", "isblank": "IsNullOrEmpty", "cnum": "nothing: text that is a number counts as one", "cint": "nothing: text that is a number counts as one",
	"cguid": "Guid", "newguid": "Guid", "today": "Now", "utcnow": "Now", "removespaces": "StripSpaces", "capitalize": "PCase", "propercase": "PCase",
	"titlecase": "PCase", "randomnum": "RandomString", "case": "Switch", "choose": "Switch", "firstnonnull": "Coalesce", "ignore": "IgnoreFlowIfNullOrEmpty",
	"formatdate": "FormatDateTime", "length": "Len", "dncomponent": "", "stringfromsid": "", "select": "", "with": "", "where": "",
}

// functionCure suggests what to write in place of an unknown function.
func functionCure(name string) string {
	if cure, ok := elsewhere[strings.ToLower(name)]; ok {
		switch {
		case cure == "":
			return "; it belongs to other Microsoft engines"
		case strings.HasPrefix(cure, "nest"), strings.HasPrefix(cure, "nothing"):
			return "; what does its work: " + cure
		}
		return "; what does its work is " + cure
	}
	names := make([]string, len(table))
	for i, f := range table {
		names[i] = f.Name
	}
	if best := Nearest(name, names); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

// Nearest finds the name that is meant by a misspelt one, without regard to case; "" when none is close.
func Nearest(name string, names []string) string {
	lower := strings.ToLower(name)
	best, least := "", max(len([]rune(name))/3, 1)+1
	for _, n := range names {
		if d := Distance(lower, strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	return best
}

// maxName is the longest name that is compared with others.
const maxName = 200

// Distance is how many characters have to be added, removed, replaced or swapped with their neighbour to make one text from
// the other.
func Distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > maxName || len(y) > maxName { // nobody meant that, and measuring takes the product of the lengths
		return max(len(x), len(y))
	}
	before, prev, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range row {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(y)]
}
