package dotnet

import (
	"strings"
	"testing"
)

func TestPattern(t *testing.T) {
	for in, want := range map[string]string{
		``: ``, `a|b`: `a|b`, `\p{IsBasicLatin}+`: `[\u0000-\u007F]+`, `\P{IsGreek}`: `[^\u0370-\u03FF]`, `[a\p{IsCyrillic}-[б]]`: `[a\u0400-\u04FF-[б]]`,
		`[^\P{IsBasicLatin}]`: `[^\u0080-\uFFFF]`, `[\P{IsGreek}]`: `[\u0000-\u036F\u0400-\uFFFF]`, `[\P{IsSpecials}]`: `[\u0000-\uFFEF]`, `\p{Lu}\\p{IsGreek}`: `\p{Lu}\\p{IsGreek}`,
		`\p{IsGreek`: `\p{IsGreek`, `[]\p{IsArrows}]`: `[]\u2190-\u21FF]`, `[^]a]{2}`: `[^]a]{2}`, `(?#\p{IsGreek})x`: `(?#\p{IsGreek})x`, `(?#never closed`: `(?#never closed`,
		`a{2,}b{,3}c{x}`: `a{2,}b{,3}c{x}`, `\`: `\`, `[a`: `[a`, `(a))b`: `(a))b`, `((a`: `((a`, `(?:[0-9]{3}-){8}[0-9]{12}`: `(?:[0-9]{3}-){8}[0-9]{12}`,
	} {
		if got, err := Pattern(in); err != nil || got != want {
			t.Errorf("%s becomes %s, %v, want %s", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		`\p{IsKlingon}`: "there is no block of characters IsKlingon", `[\p{IsKlingon}]`: "there is no block of characters IsKlingon",
		`(a{1000}){1001}`: "more than 1000000 repetitions", `a{1000001}`: "more than 1000000", `(((){100}){1000}){1000}`: "more than 1000000", `(?i-s)(?x)a{1000}b{1000}`: "more than 1000000",
		`(x)){1000000}`: "more than 1000000", strings.Repeat(`(){500000}`, 3): "more than 1000000", `a{99999999999999999999}`: "more than 1000000",
	} {
		if _, err := Pattern(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
}

func TestBlocks(t *testing.T) {
	for name, b := range blocks {
		if !strings.HasPrefix(name, "Is") || b[0] > b[1] || b[0]%16 != 0 || b[1]%16 != 15 {
			t.Errorf("%s is %04X-%04X", name, b[0], b[1])
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{`(?<a>[^\p{IsGreek}]+){2,3}`, `[]a-[b]]`, `(?#x)(?x:#)` + "\n", `\P{IsArabic}{7}|(`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Pattern(s)
		if err == nil && !strings.Contains(s, "{Is") && got != s {
			t.Fatalf("%q becomes %q", s, got)
		}
	})
}
