package target

import "testing"

// TestWithinBrackets: comparisons behind a filtered attribute mean the same as in its brackets, where the parser takes them.
func TestWithinBrackets(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`userName eq "a"`, `userName eq "a"`},
		{`emails[type eq "work"].value eq "ann@contoso.example"`, `emails[type eq "work" and value eq "ann@contoso.example"]`},
		{`emails[type eq "work"]`, `emails[type eq "work"]`},
		{`emails[type eq " or \\"].value sw "x\"]."`, `emails[type eq " or \\" and value sw "x\"]."]`},
		{`emails[type eq "work"].value pr or roles[primary eq true].value eq 7`, `emails[type eq "work" and value pr] or roles[primary eq true and value eq 7]`},
		{`displayName eq "a[b].c eq 1"`, `displayName eq "a[b].c eq 1"`},
	} {
		got := withinBrackets(c.in)
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
		}
		if _, err := parseFilter(c.in); err != nil {
			t.Errorf("%s: %v", c.in, err)
		}
	}
	for _, in := range []string{`emails[type eq "work"].value`, `]].value eq "x"`, `emails[type eq "a" or type eq "b"].value eq "x"`, `emails[(type eq "a")].value eq "x"`, `[`, `a[`, `a["`} {
		if got := withinBrackets(in); got != in {
			t.Errorf("%s became %s", in, got)
		}
	}
}
