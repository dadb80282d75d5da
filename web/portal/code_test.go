package portal

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPretty(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty object", `{}`, "{}"},
		{"one line stays on it, but the outermost", `{"a":{"b":1,"c":[true,null]}}`, "{\n  \"a\": {\"b\": 1, \"c\": [true, null]}\n}"},
		{"a long one is broken", `{"a":["` + strings.Repeat("x", 40) + `","` + strings.Repeat("y", 40) + `"]}`,
			"{\n  \"a\": [\n    \"" + strings.Repeat("x", 40) + "\",\n    \"" + strings.Repeat("y", 40) + "\"\n  ]\n}"},
		{"text stays byte for byte", `{"a\u0041":"\u003cb\u003e \" , : {"}`, "{\n  \"a\\u0041\": \"\\u003cb\\u003e \\\" , : {\"\n}"},
		{"numbers too", `[1.50,-0,1e2]`, "[\n  1.50,\n  -0,\n  1e2\n]"},
		{"a bare value", ` "x" `, `"x"`},
		{"nested empties", `{"a":[],"b":{}}`, "{\n  \"a\": [],\n  \"b\": {}\n}"},
	} {
		if got := strings.Join(pretty(c.in), "\n"); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
	for _, in := range []string{"", "<html>", `{"a":`, `{"a":1} x`, `"` + strings.Repeat("x", codeLimit) + `"`} {
		if pretty(in) != nil {
			t.Errorf("%.20q is laid out", in)
		}
	}
}

var tags = regexp.MustCompile(`</?(span|ins|del|mark)[^>]*>`)

// TestPrettyKeepsTheDocument: whatever the document, laying it out and colouring it changes nothing but blanks, and lets no
// markup through.
func TestPrettyKeepsTheDocument(t *testing.T) {
	value := rapid.Custom(func(t *rapid.T) any { return anyValue(t, 3) })
	rapid.Check(t, func(t *rapid.T) {
		data, err := json.Marshal(value.Draw(t, "value"))
		if err != nil {
			t.Fatal(err)
		}
		var again strings.Builder
		lines := pretty(string(data))
		for _, line := range lines {
			again.WriteString(line)
		}
		var want, got any
		if json.Unmarshal(data, &want) != nil || json.Unmarshal([]byte(again.String()), &got) != nil {
			t.Fatalf("%s became %s", data, again.String())
		}
		text := html.UnescapeString(tags.ReplaceAllString(string(codeHTML(string(data))), ""))
		if text != strings.Join(lines, "\n") {
			t.Fatalf("coloured: %q, laid out: %q", text, lines)
		}
	})
}

func anyValue(t *rapid.T, depth int) any {
	kinds := 4
	if depth > 0 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.Int32().Draw(t, "number")
	case 3:
		return rapid.StringOf(rapid.SampledFrom([]rune(`<>&"'\{}[]:, aЖ😀`+"\n"))).Draw(t, "text")
	case 4:
		list := []any{}
		for range rapid.IntRange(0, 4).Draw(t, "length") {
			list = append(list, anyValue(t, depth-1))
		}
		return list
	}
	object := map[string]any{}
	for range rapid.IntRange(0, 4).Draw(t, "size") {
		object[rapid.StringOf(rapid.SampledFrom([]rune(`ab<"{`))).Draw(t, "key")] = anyValue(t, depth-1)
	}
	return object
}

func TestMarkAndDiff(t *testing.T) {
	const before, after = `{"id":"1","active":true,"name":"Ann"}`, `{"id":"1","active":false,"name":"Ann","note":"<b>"}`
	if got := tags.ReplaceAllStringFunc(string(markHTML(before, map[string]bool{"active": true})), keepBlocks); got != "{\n  &#34;id&#34;: &#34;1&#34;,<mark>  &#34;active&#34;: true,</mark>  &#34;name&#34;: &#34;Ann&#34;\n}" {
		t.Errorf("marked: %q", got)
	}
	out, ok := diffHTML(before, after)
	if got := tags.ReplaceAllStringFunc(string(out), keepBlocks); !ok || got != "{\n  &#34;id&#34;: &#34;1&#34;,<del>  &#34;active&#34;: true,</del><del>  &#34;name&#34;: &#34;Ann&#34;</del>"+
		"<ins>  &#34;active&#34;: false,</ins><ins>  &#34;name&#34;: &#34;Ann&#34;,</ins><ins>  &#34;note&#34;: &#34;&lt;b&gt;&#34;</ins>}" {
		t.Errorf("compared: %q", got)
	}
	if _, ok := diffHTML("<html>", after); ok {
		t.Error("HTML is compared")
	}
	big := `[` + strings.Repeat("1,", diffLimit) + `1]`
	if _, ok := diffHTML(big, big); ok {
		t.Error("a document that is too long is compared")
	}
}

// keepBlocks leaves out the tags that only colour.
func keepBlocks(tag string) string {
	if strings.Contains(tag, "span") {
		return ""
	}
	return tag
}
