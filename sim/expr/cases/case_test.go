package cases

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"entrasim/sim/expr"
)

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		members        string // beside the id
		passed         bool
		expected, seen string
	}{
		{`"expression": "ToLower([a])", "inputs": {"a": "X"}, "expected": "x"`, true, `"x"`, `"x"`},
		{`"expression": "ToLower([a])", "inputs": {"a": "<X>"}, "expected": "x"`, false, `"x"`, `"<x>"`},
		{`"expression": "[a]", "inputs": {"a": 7}, "expected": "7"`, false, `"7"`, `7`},
		{`"expression": "[a]", "inputs": {"a": 7}, "expected": 7.0`, false, `"7.0"`, `7`},
		{`"expression": "[a]", "inputs": {"a": 9007199254740993}, "expected": 9007199254740993`, true, `"9007199254740993"`, `"9007199254740993"`},
		{`"expression": "[a]", "inputs": {"a": null}, "expected": null`, true, `null`, `null`},
		{`"expression": "[a]", "expected": null`, true, `null`, `null`},
		{`"expression": "[a]", "inputs": {"a": ["x", 1]}, "expected": ["x", "1"]`, true, `["x","1"]`, `["x","1"]`},
		{`"expression": "[a]", "inputs": {"a": ["x", "y"]}, "expected": ["y", "x"]`, false, `["y","x"]`, `["x","y"]`},
		{`"expression": "[a]", "inputs": {"a": []}, "expected": []`, true, `[]`, `[]`},
		{`"expression": "AppRoleAssignmentsComplex([a])", "inputs": {"a": [{"id": "1", "value": "v", "displayName": "n"}]}, "expected": [{"value": "v", "displayName": "n", "type": "WindowsAzureActiveDirectoryRole", "primary": false}]`, true,
			`[{"displayName":"n","primary":false,"type":"WindowsAzureActiveDirectoryRole","value":"v"}]`, `[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","displayName":"n","value":"v"}]`},
		{`"expression": "Append([a])", "expected": {"error": "argumentCount"}`, true, `{"error":"argumentCount"}`, `{"error":"argumentCount"} argumentCount at position 1 in Append: 1 argument is given; expected 2: Append(source, suffix)`},
		{`"expression": "Append([a])", "expected": {"error": "type"}`, false, `{"error":"type"}`, `{"error":"argumentCount"} argumentCount at position 1 in Append: 1 argument is given; expected 2: Append(source, suffix)`},
		{`"expression": "[a]", "expected": {"error": "type"}`, false, `{"error":"type"}`, `null`},
		{`"expression": "Trim(", "expected": "x"`, false, `"x"`, `{"error":"syntax"} syntax at position 6 in Trim: expected a function, an attribute in brackets, a constant in double quotes or a number, found the end`},
		{`"expression": "IgnoreFlowIfNullOrEmpty([a])", "expected": {"ignoreFlow": true}`, true, `{"ignoreFlow":true}`, `{"ignoreFlow":true}`},
		{`"expression": "IgnoreFlowIfNullOrEmpty([a])", "expected": {"ignoreObject": true}`, false, `{"ignoreObject":true}`, `{"ignoreFlow":true}`},
		{`"expression": "IgnoreFlowIfNullOrEmpty([a])", "expected": null`, false, `null`, `{"ignoreFlow":true}`},
		{`"expression": "IIF(1, IgnoreObjectFlow, 2)", "expected": {"ignoreObject": true}`, true, `{"ignoreObject":true}`, `{"ignoreObject":true}`},
		{`"expression": "Guid()", "expected": {"matches": "^[0-9a-f-]{36}$"}`, true, `{"matches":"^[0-9a-f-]{36}$"}`, ``},
		{`"expression": "Guid()", "expected": {"matches": "^(?!.*-)"}`, false, `{"matches":"^(?!.*-)"}`, ``},
		{`"expression": "Now()", "now": "2025-01-02T03:04:05+01:00", "expected": "1/2/2025 2:04:05 AM"`, true, `"1/2/2025 2:04:05 AM"`, `"1/2/2025 2:04:05 AM"`},
		{`"expression": "Now()", "expected": "1/5/2026 9:00:00 AM"`, true, `"1/5/2026 9:00:00 AM"`, `"1/5/2026 9:00:00 AM"`},
		{`"expression": "DefaultDomain()", "expected": "contoso.example"`, true, `"contoso.example"`, `"contoso.example"`},
		{`"expression": "DefaultDomain()", "defaultDomain": "fabrikam.test", "expected": "fabrikam.test"`, true, `"fabrikam.test"`, `"fabrikam.test"`},
		{`"expression": "SelectUniqueValue(\"a\", \"b\")", "taken": ["A"], "expected": "b"`, true, `"b"`, `"b"`},
		{`"expression": "[a]", "owner": "somebody", "function": "Trim", "source": "a page", "note": "why", "expected": null`, true, `null`, `null`},
	} {
		list, err := Read("cases.json", []byte(`[{"id": "one", `+c.members+`}]`))
		if err != nil {
			t.Errorf("%s: %v", c.members, err)
			continue
		}
		o := Play(list[0], Defaults{Now: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), DefaultDomain: "contoso.example"})
		if o.Passed != c.passed || o.Expected != c.expected || c.seen != "" && o.Seen != c.seen {
			t.Errorf("%s:\npassed %v, expected %s, seen %s", c.members, o.Passed, o.Expected, o.Seen)
		}
	}
}

func TestBadFiles(t *testing.T) {
	for _, c := range []struct{ name, data, want, cure string }{
		{"nothing", ``, `f.json:1:1: the JSON ends too early`, "close what is open"},
		{"an object", `{"id": "a"}`, `f.json:1:1: the file begins with something else than [`, "JSON array of objects"},
		{"a text", `x`, `f.json:1:1: this is no JSON: invalid character 'x' looking for beginning of value`, "mend the JSON here"},
		{"no case", "[]\n", `f.json: the file has no case`, "JSON array of objects"},
		{"cut", "[{\"id\":", `f.json:1:8: the JSON ends too early`, "close what is open"},
		{"comma at the end", "[\n {\"id\": \"a\", \"expression\": \"[a]\", \"expected\": null},\n]", `f.json:3:1: this is no JSON: invalid character ']' looking for beginning of value`, "mend"},
		{"more behind", `[{"id": "a", "expression": "[a]", "expected": null}] x`, `f.json:1:54: something stands behind the closing ]`, "delete it"},
		{"not an object", "[\n  \"x\"]", `f.json:2:3: case 1: it is no object`, "JSON array of objects"},
		{"no id", `[{"expression": "[a]", "expected": null}]`, `f.json:1:2: case 1: it has no id`, `add "id"`},
		{"no expression", "[{\"id\": \"a\", \"expression\": \"[a]\", \"expected\": null},\n {\"id\": \"b\", \"expected\": null}]", `f.json:2:2: b: it has no expression`, `add "expression"`},
		{"no expected", `[{"id": "a", "expression": "[a]"}]`, `f.json:1:2: a: it has no expected`, "add it"},
		{"misspelt", `[{"id": "a", "expression": "[a]", "expeted": 1}]`, `f.json:1:2: case 1: it has a member "expeted"`, `write "expected"`},
		{"wrong type", `[{"id": "a", "expression": 7, "expected": 1}]`, `f.json:1:2: case 1: expression is a JSON number`, "expression is a text"},
		{"inputs of a wrong type", `[{"id": "a", "expression": "[a]", "inputs": [], "expected": 1}]`, `f.json:1:2: case 1: inputs is a JSON array`, "inputs is an object"},
		{"taken of a wrong type", `[{"id": "a", "expression": "[a]", "taken": "x", "expected": 1}]`, `f.json:1:2: case 1: taken is a JSON string`, "taken is a list"},
		{"an input that is an object", `[{"id": "a", "expression": "[a]", "inputs": {"a": {}}, "expected": 1}]`, `f.json:1:2: a: the input a is an object`, "an attribute is a text"},
		{"a list of lists", `[{"id": "a", "expression": "[a]", "inputs": {"a": [[]]}, "expected": 1}]`, `f.json:1:2: a: the input a is a list of lists`, "an attribute is a text"},
		{"null in a list", `[{"id": "a", "expression": "[a]", "inputs": {"a": [null]}, "expected": 1}]`, `f.json:1:2: a: the input a has null in its list`, "an attribute is a text"},
		{"a mixed list", `[{"id": "a", "expression": "[a]", "inputs": {"a": [{}, 1]}, "expected": 1}]`, `f.json:1:2: a: the input a mixes objects with other values`, "an attribute is a text"},
		{"no role", `[{"id": "a", "expression": "[a]", "inputs": {"a": [{"name": "x"}]}, "expected": 1}]`, `f.json:1:2: a: the input a has an object that is no role assignment`, "an attribute is a text"},
		{"no time", `[{"id": "a", "expression": "[a]", "now": "today", "expected": 1}]`, `f.json:1:2: a: now is "today"`, "2025-07-30T12:00:00Z"},
		{"no kind", `[{"id": "a", "expression": "[a]", "expected": {"error": "oops"}}]`, `f.json:1:2: a: expected names the error kind "oops"`, "the kinds are syntax, unknownFunction"},
		{"no pattern", `[{"id": "a", "expression": "[a]", "expected": {"matches": "("}}]`, `f.json:1:2: a: expected has a pattern that does not compile`, "mend the pattern"},
		{"ignored not", `[{"id": "a", "expression": "[a]", "expected": {"ignoreFlow": false}}]`, `f.json:1:2: a: expected has a member ignoreFlow that means nothing`, "expected is a text"},
		{"two members", `[{"id": "a", "expression": "[a]", "expected": {"ignoreFlow": true, "error": "type"}}]`, `f.json:1:2: a: expected is an object with 2 members`, "expected is a text"},
		{"not UTF-8", "[\"\xff\"]", `f.json: the file is not UTF-8`, "save it as UTF-8"},
	} {
		_, err := Read("f.json", []byte(c.data))
		var bad *FileError
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !strings.HasPrefix(bad.Error(), c.want) || !strings.Contains(bad.Cure, c.cure) {
			t.Errorf("%s:\n%s\ncure: %s", c.name, bad, bad.Cure)
		}
	}
	if _, err := Read("f.json", make([]byte, MaxFile+1)); err == nil || !strings.Contains(err.Error(), "bytes; at most") {
		t.Errorf("a large file: %v", err)
	}
}

func TestReadInputs(t *testing.T) {
	got, err := ReadInputs("in.json", []byte(`{"a": "x", "n": 7, "b": true, "l": ["x", "y"], "z": null, "r": [{"id": "1", "value": "v", "displayName": "d"}], "f": 1.5}`))
	if err != nil {
		t.Fatal(err)
	}
	seen, err := json.Marshal(map[string]expr.Value(got))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"a":"x","b":true,"f":"1.5","l":["x","y"],"n":7,"r":[{"id":"1","value":"v","displayName":"d"}],"z":null}`; string(seen) != want {
		t.Errorf("got %s", seen)
	}
	for data, want := range map[string]string{
		``: `in.json:1:1: the JSON ends too early`, `[]`: `in.json:1:1: the input is no object`, "{\n \"a\": {}}": `in.json:2:2: the attribute a is an object`,
		`{"a" 1}`: `in.json:1:6: this is no JSON: expected colon after object key`, `{"a": 1`: `in.json:1:8: the JSON ends too early`, `{} {}`: `in.json:1:4: something stands behind the closing }`,
		"\"\xff\"": `in.json: the input is not UTF-8`,
	} {
		if _, err := ReadInputs("in.json", []byte(data)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", data, err, want)
		}
	}
	var bad *FileError
	if _, err := ReadInputs("in.json", []byte(`{"a": 1`)); !errors.As(err, &bad) || !strings.Contains(bad.Cure, "source attributes") || strings.Contains(bad.Cure, "cases") {
		t.Errorf("the cure of a cut input speaks of something else: %v", bad)
	}
	if _, err := ReadInputs("in.json", make([]byte, MaxFile+1)); err == nil || !strings.Contains(err.Error(), "bytes; at most") {
		t.Errorf("a large input: %v", err)
	}
}

func TestJUnit(t *testing.T) {
	list, err := Read("dir/my.json", []byte("[{\"id\": \"good\", \"expression\": \"[a]\", \"expected\": null},\n{\"id\": \"b<a>d\", \"expression\": \"Trim(\\\"\\u0001\\\")\", \"expected\": \"x\"}]"))
	if err != nil {
		t.Fatal(err)
	}
	s := Suite{File: "dir/my.json", Cases: list}
	for _, c := range list {
		s.Outcomes = append(s.Outcomes, Play(c, Defaults{}))
	}
	var b strings.Builder
	if err := WriteJUnit(&b, []Suite{s}); err != nil {
		t.Fatal(err)
	}
	want := `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="entrasim expr" tests="2" failures="1" errors="0" skipped="0" time="0.000">
  <testsuite name="dir/my.json" tests="2" failures="1" errors="0" skipped="0" time="0.000">
    <testcase classname="dir/my" name="good" file="dir/my.json" line="1" time="0"></testcase>
    <testcase classname="dir/my" name="b&lt;a&gt;d" file="dir/my.json" line="2" time="0">
      <failure message="expected &#34;x&#34;, seen &#34;\u0001&#34;">expression: Trim(&#34;` + "\uFFFD" + `&#34;)&#xA;expected:   &#34;x&#34;&#xA;seen:       &#34;\u0001&#34;&#xA;</failure>
    </testcase>
  </testsuite>
</testsuites>
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	var back struct {
		Tests int `xml:"tests,attr"`
	}
	if err := xml.Unmarshal([]byte(b.String()), &back); err != nil || back.Tests != 2 {
		t.Errorf("read back: %+v, %v", back, err)
	}
}
