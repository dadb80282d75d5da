package expr

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// hostile are expressions and inputs that would take too long, too deep or too much; each has to be an error of this kind,
// soon.
var hostile = []struct {
	name, src string
	attrs     Attributes
	kind      ErrorKind
	message   string
}{
	{"too long", strings.Repeat("x", 10_001), nil, ErrTooLong, "the expression has 10001 characters; at most 10000 are allowed"},
	{"nested", strings.Repeat("Not(", 501) + "[a]" + strings.Repeat(")", 501), nil, ErrSyntax, "calls nest deeper than 500"},
	{"never closed", strings.Repeat("Not(", 2000), nil, ErrSyntax, "calls nest deeper than 500"},
	{"brackets", "Not(" + strings.Repeat("[", 9000), nil, ErrSyntax, "the bracket [ is not closed; expected ]"},
	{"many empty slots", "Join(" + strings.Repeat(",", 9000) + ")", nil, ErrMissingArgument, "separator is left empty; an empty text is written \"\""},
	// Each Replace writes ten times as much.
	{"growth by Replace", nest(9, func(s string) string { return `Replace(` + s + `, "a", , , "aaaaaaaaaa", , )` }), Attributes{"x": String("a")}, ErrTooLong, "the text would be longer than 1 MiB"},
	{"growth by a pattern", nest(9, func(s string) string { return `Replace(` + s + `, , "a", , "$&$&$&$&$&$&$&$&$&$&", , )` }), Attributes{"x": String("aaaaaaaaaa")}, ErrTooLong, "the text has 100000 bytes; a regular expression searches at most 65536"},
	{"growth by the whole input", `Replace([x], , ".", , "$_", , )`, Attributes{"x": String(strings.Repeat("a", 60_000))}, ErrTooLong, "the text would be longer than 1 MiB"},
	{"growth by a group's value", `Replace([x], , "(?<g>a)", "g", [x], , )`, Attributes{"x": String(strings.Repeat("a", 60_000))}, ErrTooLong, "the text would be longer than 1 MiB"},
	{"growth by a template", `Replace([x], "a", , , , , [x])`, Attributes{"x": String(strings.Repeat("a", 60_000))}, ErrTooLong, "the text would be longer than 1 MiB"},
	{"growth by Join", nest(5, func(s string) string {
		return `Join("-", ` + strings.TrimSuffix(strings.Repeat(s+", ", 10), ", ") + `)`
	}), Attributes{"x": String(strings.Repeat("a", 4000))}, ErrTooLong, ""},
	{"growth by hexadecimal", nest(22, func(s string) string { return `ConvertToUTF8Hex(` + s + `)` }), Attributes{"x": String("a")}, ErrTooLong, "the text would be longer than 1 MiB"},
	{"growth by Base64", nest(22, func(s string) string { return `ConvertToBase64(` + s + `)` }), Attributes{"x": String("a")}, ErrTooLong, "the text would be longer than 1 MiB"},
	{"growth of a list", nest(9, func(s string) string { return `Replace(` + s + `, "a", , , "aaaaaaaaaa", , )` }), Attributes{"x": List([]string{"a", "a", "a", "a", "a", "a", "a", "a", "a", "a"})}, ErrTooLong, ""},
	{"much work", `Join("", ` + strings.TrimSuffix(strings.Repeat(`Count(Split([x], "q")), `, 400), ", ") + `)`, Attributes{"x": String(strings.Repeat("a", 1_000_000))}, ErrTooLong, "the expression reads and writes more than 32 MiB of text for this object; shorten its inputs"},
	{"long random text", `RandomString(9223372036854775807, 1, 1, 1, 1)`, nil, ErrRange, "length is 9223372036854775807; expected 0 to 256"},
	{"many minima", `RandomString(256, 9223372036854775807, 9223372036854775807, 1, 1)`, nil, ErrRange, "minNumbers is 9223372036854775807; expected 0 to 256"},
	{"long format", `FormatDateTime(Now(), , "d", [x])`, Attributes{"x": String(strings.Repeat("yyyy", 1000))}, ErrDate, ""},
	{"many years", `DateAdd("yyyy", 9223372036854775807, Now())`, nil, ErrRange, "value is 9223372036854775807; the date would lie outside of the years 1 to 9999"},
	{"catastrophic pattern", `Replace([x], , "^(a+)+$", , "", , )`, Attributes{"x": String(strings.Repeat("a", 40) + "b")}, ErrRegex, "the regular expression took longer than 1s; make it less ambiguous: a repetition inside of a repetition is the usual cause"},
	{"catastrophic pattern, long text", `Replace([x], , "(x+x+)+y", , "", , )`, Attributes{"x": String(strings.Repeat("x", 65_000))}, ErrRegex, ""},
	{"repetitions of nothing", `Replace([x], , "((){1000000}){1000000}", , "", , )`, Attributes{"x": String("a")}, ErrRegex, "the regular expression is not valid in .NET: the counts in braces multiply to more than 1000000 repetitions"},
	{"repetitions of nothing, hidden", `Replace([x], , "(?x)(#)` + "\n" + `(){1000000}){1000000}", , "", , )`, Attributes{"x": String("a")}, ErrRegex, ""},
	{"long computed pattern", `Replace("a", , [x], , "", , )`, Attributes{"x": String(strings.Repeat("(a|b)", 3000))}, ErrRegex, "the regular expression is longer than 10000 characters"},
}

// nest wraps [x] n times.
func nest(n int, wrap func(string) string) string {
	s := "[x]"
	for range n {
		s = wrap(s)
	}
	return s
}

// Shows: F-096, S-250
func TestHostile(t *testing.T) {
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			_, err := eval(c.src, c.attrs)
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			var bad *Error
			if !errors.As(err, &bad) {
				t.Fatalf("no error: %v", err)
			}
			if bad.Kind != c.kind || c.message != "" && bad.Message != c.message {
				t.Errorf("got %s: %s\nwant %s: %s", bad.Kind, bad.Message, c.kind, c.message)
			}
			if took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
			if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 256 {
				t.Errorf("it allocated %d MiB", mib)
			}
		})
	}
}

// TestManySlowPatterns holds that patterns which are each just quick enough end together.
func TestManySlowPatterns(t *testing.T) {
	slow := `Replace([x], , "^(a+)+$", , "", , )`
	src := "Join(\"\", " + strings.TrimSuffix(strings.Repeat(slow+", ", 200), ", ") + ")"
	began := time.Now()
	_, err := eval(src, Attributes{"x": String(strings.Repeat("a", 22) + "b")})
	var bad *Error
	if !errors.As(err, &bad) || bad.Kind != ErrRegex {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestLargeInputs are inputs that people do have.
func TestLargeInputs(t *testing.T) {
	for _, src := range []string{
		nest(400, func(s string) string { return `Trim(` + s + `)` }),
		nest(450, func(s string) string { return `IIF([x] = "b", "c", ` + s + `)` }),
		`Count(Split([x], "a"))`,
	} {
		if _, err := eval(src, Attributes{"x": String(strings.Repeat("ab", 5000))}); err != nil {
			t.Errorf("%.60s…: %v", src, err)
		}
	}
	list := make([]string, 10_000)
	for i := range list {
		list[i] = "SMTP:somebody@contoso.test"
	}
	r, err := eval(`RemoveDuplicates(ToLower([p]))`, Attributes{"p": List(list)})
	if err != nil || len(r.Value.List()) != 1 {
		t.Errorf("10,000 values: %v, %v", r.Value.List(), err)
	}
}
