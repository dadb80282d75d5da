package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"entrasim/sim/expr/dotnet"
)

func appendSuffix(c call) (Value, *Error) { return String(c.text(0) + c.text(1)), nil }

func prependPrefix(c call) (Value, *Error) { return String(c.text(0) + c.text(1)), nil }

// join passes over null and empty sources, without a separator for them.
func join(c call) (Value, *Error) {
	separator := c.text(0)
	size, n := 0, 0
	count := func(s string) {
		if s != "" {
			size += len(s) + len(separator)
			n++
		}
	}
	only := ""
	for _, v := range c.args[1:] {
		if v.kind == KindString {
			count(v.text)
			if v.text != "" {
				only = v.text
			}
			continue
		}
		for _, s := range v.List() {
			count(s)
			if s != "" {
				only = s
			}
		}
	}
	if n <= 1 {
		return String(only), nil
	}
	if bad := c.fits(size - len(separator)); bad != nil {
		return Null, bad
	}
	var b strings.Builder
	b.Grow(size)
	add := func(s string) {
		if s == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteString(separator)
		}
		b.WriteString(s)
	}
	for _, v := range c.args[1:] {
		if v.kind == KindString {
			add(v.text)
			continue
		}
		for _, s := range v.List() {
			add(s)
		}
	}
	return String(b.String()), nil
}

// left of null is "".
func left(c call) (Value, *Error) {
	n, bad := c.integer(1)
	if bad != nil {
		return Null, bad
	}
	s := c.text(0)
	if n < 0 || n >= int64(len(s)) {
		return String(s), nil
	}
	return String(units(s, 0, n)), nil
}

// length counts as .NET does, in UTF-16 units, so that Left and Mid can be given what it says.
func length(c call) (Value, *Error) { return Number(countUnits(c.text(0))), nil }

// mid of null is "".
func mid(c call) (Value, *Error) {
	start, bad := c.integer(1)
	if bad != nil {
		return Null, bad
	}
	length, bad := c.integer(2)
	if bad != nil {
		return Null, bad
	}
	if start < 1 {
		return Null, c.failAt(1, ErrRange, "start is %d; expected at least 1", start)
	}
	if length < 0 {
		return Null, c.failAt(2, ErrRange, "length is %d; expected at least 0", length)
	}
	return String(units(c.text(0), start-1, length)), nil
}

// units cuts text as .NET counts it, in UTF-16 units, n of them from the one with index from. Half a surrogate pair at
// either end is left out.
func units(s string, from, n int64) string {
	if from >= int64(len(s)) {
		return ""
	}
	if ascii(s) {
		return s[from:min(int64(len(s)), from+min(n, int64(len(s))))]
	}
	at, begin, end := int64(0), len(s), len(s)
	for i, r := range s {
		if at >= from && begin == len(s) {
			begin = i
		}
		width := unitsOf(r)
		if at+width > from && at+width-from > n {
			end = i
			break
		}
		at += width
	}
	return s[min(begin, end):end]
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func unitsOf(r rune) int64 {
	if r > 0xffff {
		return 2
	}
	return 1
}

// countUnits is the length of text in UTF-16 units.
func countUnits(s string) int64 {
	n := int64(0)
	for _, r := range s {
		n += unitsOf(r)
	}
	return n
}

func inStr(c call) (Value, *Error) {
	start := int64(1)
	if c.text(2) != "" { // a published expression gives "" for both options
		n, bad := c.integer(2)
		if bad != nil {
			return Null, bad
		}
		start = n
	}
	if start < 1 {
		return Null, c.failAt(2, ErrRange, "start is %d; expected at least 1", start)
	}
	in, what := c.text(0), c.text(1)
	switch mode := c.text(3); {
	case mode == "", strings.EqualFold(mode, binaryCompare):
	case strings.EqualFold(mode, textCompare):
		in, what = dotnet.ToUpper(in, dotnet.Invariant), dotnet.ToUpper(what, dotnet.Invariant)
	default:
		return Null, c.failAt(3, ErrRange, "compareType is %s; expected %s or %s", describe(c.args[3]), textCompare, binaryCompare)
	}
	if c.args[0].IsNull() || c.args[1].IsNull() {
		return Number(0), nil
	}
	rest := units(in, start-1, int64(len(in)))
	i := strings.Index(rest, what)
	if i < 0 || rest == "" {
		return Number(0), nil
	}
	return Number(countUnits(in[:len(in)-len(rest)+i]) + 1), nil
}

func stripSpaces(c call) (Value, *Error) {
	return String(strings.ReplaceAll(c.text(0), " ", "")), nil
}

func trim(c call) (Value, *Error) {
	return String(strings.TrimFunc(c.text(0), unicode.IsSpace)), nil
}

func split(c call) (Value, *Error) {
	if c.args[0].IsEmpty() {
		return Null, nil
	}
	delimiter := c.text(1)
	if delimiter == "" {
		return Null, c.failAt(1, ErrRange, "the delimiter is empty; expected a text such as \",\"")
	}
	var list []string
	for s := range strings.SplitSeq(c.text(0), delimiter) {
		if s = strings.TrimFunc(s, unicode.IsSpace); s != "" {
			list = append(list, s)
		}
	}
	return List(list), nil
}

// word counts a run of separators once. Of null, and outside of the words, it is "".
func word(c call) (Value, *Error) {
	n, bad := c.integer(1)
	if bad != nil {
		return Null, bad
	}
	delimiters := c.text(2)
	at := int64(0)
	for s := range strings.FieldsFuncSeq(c.text(0), func(r rune) bool { return strings.ContainsRune(delimiters, r) }) {
		if at++; at == n {
			return String(s), nil
		}
	}
	return String(""), nil
}

func item(c call) (Value, *Error) {
	n, bad := c.integer(1)
	if bad != nil {
		return Null, bad
	}
	list := c.args[0].List()
	if n < 1 || n > int64(len(list)) {
		return Null, c.failAt(1, ErrRange, "the index is %d; there %s", n, howMany(len(list)))
	}
	return String(list[n-1]), nil
}

func howMany(n int) string {
	switch n {
	case 0:
		return "is no value"
	case 1:
		return "is 1 value"
	}
	return "are " + Number(int64(n)).Text() + " values, counted from 1"
}

func count(c call) (Value, *Error) { return Number(int64(len(c.args[0].List()))), nil }

func removeDuplicates(c call) (Value, *Error) {
	list := c.args[0].List()
	out := make([]string, 0, len(list))
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return List(out), nil
}

func toLower(c call) (Value, *Error) { return c.changeCase(dotnet.ToLower) }

func toUpper(c call) (Value, *Error) { return c.changeCase(dotnet.ToUpper) }

func (c call) changeCase(change func(string, dotnet.Culture) string) (Value, *Error) {
	culture, ok := dotnet.CultureOf(c.text(1))
	if !ok {
		return Null, c.failAt(1, ErrRange, "%s is no culture; expected one such as en-US or tr-TR", describe(c.args[1]))
	}
	return String(change(c.text(0), culture)), nil
}

func properCase(c call) (Value, *Error) {
	if c.has(1) {
		return String(dotnet.CapitalizeWords(c.text(0), c.text(1))), nil
	}
	return String(dotnet.ToTitleCase(c.text(0))), nil
}

func normalizeDiacritics(c call) (Value, *Error) {
	return String(withoutMarks(c.text(0))), nil
}
