package dotnet

import "testing"

func TestCultureOf(t *testing.T) {
	for name, want := range map[string]Culture{"": Invariant, "en-US": Other, "tr": Turkic, "tr-TR": Turkic, "az-Latn-AZ": Turkic, "de": Other, "zh-Hans-CN": Other, "sr-Cyrl-RS": Other} {
		if got, ok := CultureOf(name); got != want || !ok {
			t.Errorf("%q is %d, %v, want %d", name, got, ok, want)
		}
	}
	for _, name := range []string{"xx-Nowhere", "english", "tr-TR-", "1", "🇹🇷"} {
		if got, ok := CultureOf(name); ok {
			t.Errorf("%q is a culture: %d", name, got)
		}
	}
}

func TestCase(t *testing.T) {
	for _, c := range []struct {
		in           string
		culture      Culture
		lower, upper string
	}{
		{"Info İı", Invariant, "info İı", "INFO İı"}, {"Info İı", Other, "info iı", "INFO İI"}, {"Info İı", Turkic, "ınfo iı", "INFO İI"},
		{"straße ŉ", Invariant, "straße ŉ", "STRAßE ŉ"}, {"ΣΑΣ", Other, "σασ", "ΣΑΣ"}, {"", Turkic, "", ""},
	} {
		if got := ToLower(c.in, c.culture); got != c.lower {
			t.Errorf("%q in lower case is %q, want %q", c.in, got, c.lower)
		}
		if got := ToUpper(c.in, c.culture); got != c.upper {
			t.Errorf("%q in upper case is %q, want %q", c.in, got, c.upper)
		}
	}
}

func TestToTitleCase(t *testing.T) {
	for in, want := range map[string]string{
		"PABLO GONSALVES (SECOND)": "Pablo Gonsalves (Second)", "anna-maria o_neil": "Anna-Maria O_Neil", "john's": "John's", "o'neil": "O'neil", "'quoted'": "'Quoted'",
		"2nd 3RD": "2Nd 3Rd", "a1b c": "A1b C", "x.y,z;w": "X.Y,Z;W", "a+b€c": "A+B€C", "o’neil": "O’Neil", "tab\tnew\nline": "Tab\tNew\nLine", "a\u00adb": "A\u00adB",
		"ǆ": "ǅ", "éCOLE": "École", "a\xffb": "A\xffb", "": "", "日本": "日本",
	} {
		if got := ToTitleCase(in); got != want {
			t.Errorf("%q in title case is %q, want %q", in, got, want)
		}
	}
	for _, c := range []struct{ in, separators, want string }{
		{"PINTO-DE'SILVA", " '-", "Pinto-De'Silva"}, {"ANNA-MARIA SMITH", " ", "Anna-maria Smith"}, {"a b", "", "A b"}, {"aXbXc", "X", "AxBxC"}, {"2nd", " ", "2Nd"},
	} {
		if got := CapitalizeWords(c.in, c.separators); got != c.want {
			t.Errorf("%q with %q is %q, want %q", c.in, c.separators, got, c.want)
		}
	}
}
