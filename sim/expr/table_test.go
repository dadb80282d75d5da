package expr

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// published is a case of testdata as these tests need it; the room cases plays them.
type published struct {
	ID         string          `json:"id"`
	Expression string          `json:"expression"`
	Expected   json.RawMessage `json:"expected"`
}

// casesOf reads every file of cases in testdata.
func casesOf(t testing.TB) []published {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of cases: %v", err)
	}
	var all []published
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var list []published
		if err := json.Unmarshal(data, &list); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, list...)
	}
	return all
}

// TestTable holds what help, Graph's list and the evaluator rely on in every row.
func TestTable(t *testing.T) {
	if !slices.IsSortedFunc(table, func(a, b Function) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) }) {
		t.Error("the table is not in the order of the alphabet")
	}
	for _, f := range Functions() {
		if (f.call == nil) == (f.build == nil) {
			t.Errorf("%s has to have either call or build", f.Name)
		}
		if !strings.HasSuffix(f.Doc, ".") || !unicode.IsUpper(rune(f.Doc[0])) {
			t.Errorf("%s: the description is no sentence: %q", f.Name, f.Doc)
		}
		if !strings.HasSuffix(f.Page, ".md") {
			t.Errorf("%s: no page but %q", f.Name, f.Page)
		}
		if f.source > len(f.Params) || f.each && f.source == 0 || f.nulls && f.source == 0 {
			t.Errorf("%s: its source is parameter %d of %d", f.Name, f.source, len(f.Params))
		}
		for i, p := range f.Params {
			if p.Repeat && i != len(f.Params)-1 {
				t.Errorf("%s: %s repeats and is not the last", f.Name, p.Name)
			}
			if p.Optional != (p.Default != "") {
				t.Errorf("%s: %s is optional: %v, without it: %q", f.Name, p.Name, p.Optional, p.Default)
			}
			if p.Name == "" || p.TreeKey() == "" || p.Kind.String() == "" || p.Kind.GraphType() == "" {
				t.Errorf("%s: parameter %d lacks something: %+v", f.Name, i, p)
			}
			for _, k := range p.Keywords {
				if !slices.Contains(keywords, k) {
					t.Errorf("%s: %s is no keyword", f.Name, k)
				}
			}
		}
		if g, ok := Lookup(strings.ToUpper(f.Name)); !ok || g.Name != f.Name {
			t.Errorf("%s is not found by its name", f.Name)
		}
	}
	if _, ok := Lookup("Right"); ok {
		t.Error("Right is found")
	}
	for name, want := range map[string]string{
		"Replace": "Replace(source, oldValue?, regexPattern?, regexGroupName?, replacementValue?, replacementAttributeName?, template?)",
		"Switch":  "Switch(source, defaultValue?, key, value…)", "Now": "Now()", "SelectUniqueValue": "SelectUniqueValue(rule…)",
	} {
		if f, _ := Lookup(name); f.Signature() != want {
			t.Errorf("the signature of %s is %s, want %s", name, f.Signature(), want)
		}
	}
	if got := strings.Join(ParameterNames("replace"), " "); got != "source Find RegularExpression RegularExpressionGroupName Replacement ReplacementPropertyName Template" {
		t.Errorf("the keys of Replace are %s", got)
	}
	if ParameterNames("Right") != nil {
		t.Error("Right has keys")
	}
}

// TestEveryFunctionHasCases holds that each function is shown with a result, with null and with an error.
func TestEveryFunctionHasCases(t *testing.T) {
	shown := map[string]int{}
	for _, c := range casesOf(t) {
		e, err := Parse(c.Expression)
		if err != nil {
			continue
		}
		for _, f := range table {
			if e.Uses(f.Name) && !strings.Contains(string(c.Expected), `"error"`) {
				shown[f.Name]++
			}
		}
	}
	for _, f := range table {
		if shown[f.Name] < 2 && f.Name != "Error" && f.Name != "Guid" {
			t.Errorf("%s has %d cases with a result", f.Name, shown[f.Name])
		}
	}
}

func TestErrorKinds(t *testing.T) {
	seen := map[ErrorKind]bool{}
	for _, k := range ErrorKinds() {
		if seen[k] || k == "" {
			t.Errorf("the kind %q", k)
		}
		seen[k] = true
	}
	for _, k := range strings.Fields("syntax unknownFunction argumentCount missingArgument placement type range regex date custom notUnique tooLong unknownAttribute") {
		if !seen[ErrorKind(k)] {
			t.Errorf("there is no kind %s", k)
		}
	}
}
