package scenarios

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var write = flag.Bool("write", false, "write format.md and rules.md anew")

// TestReference: format.md is what the types say. go test ./scenarios -run TestReference -write writes it.
func TestReference(t *testing.T) {
	if *write {
		if err := os.WriteFile("format.md", []byte(Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("format.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != Reference() {
		t.Error("format.md is not what the types say; go test ./scenarios -run TestReference -write")
	}
}

// TestEveryFieldIsExplained: a name that a file can give has a text.
func TestEveryFieldIsExplained(t *testing.T) {
	for _, line := range strings.Split(Reference(), "\n") {
		if strings.HasPrefix(line, "| `") && (strings.HasSuffix(line, "|  |") || strings.Contains(line, "|  |")) {
			t.Errorf("no text or kind: %s", line)
		}
	}
}

// checkSchema says where a value breaks a schema; "" when it fits. It knows what Schema uses.
func checkSchema(root, schema map[string]any, v any, at string) string {
	if ref, ok := schema["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/$defs/")
		def, ok := root["$defs"].(map[string]any)[name].(map[string]any)
		if !ok {
			return at + ": there is no definition " + name
		}
		if why := checkSchema(root, def, v, at); why != "" {
			return why
		}
	}
	if list, ok := schema["anyOf"].([]any); ok {
		var whys []string
		for _, s := range list {
			why := checkSchema(root, s.(map[string]any), v, at)
			if why == "" {
				whys = nil
				break
			}
			whys = append(whys, why)
		}
		if whys != nil {
			return "(" + strings.Join(whys, " or ") + ")"
		}
	}
	if words, ok := schema["enum"].([]any); ok && !slices.Contains(words, v) {
		return fmt.Sprintf("%s: %v is none of %v", at, v, words)
	}
	if c, ok := schema["const"]; ok && c != v {
		return fmt.Sprintf("%s: %v is not %v", at, v, c)
	}
	if p, ok := schema["pattern"].(string); ok {
		if text, is := v.(string); is && !regexp.MustCompile(p).MatchString(text) {
			return fmt.Sprintf("%s: %q does not match %s", at, text, p)
		}
	}
	if types, ok := schema["type"]; ok {
		list, several := types.([]any)
		if !several {
			list = []any{types}
		}
		if !slices.ContainsFunc(list, func(name any) bool { return isType(name.(string), v) }) {
			return fmt.Sprintf("%s: %v is no %v", at, v, types)
		}
	}
	return checkParts(root, schema, v, at)
}

// beyond says which limit of a schema a value is beyond.
func beyond(schema map[string]any, v any) string {
	var n float64
	names := [2]string{"minimum", "maximum"}
	switch x := v.(type) {
	case float64:
		n = x
	case []any:
		n, names = float64(len(x)), [2]string{"minItems", "maxItems"}
	case map[string]any:
		n, names = float64(len(x)), [2]string{"minProperties", "maxProperties"}
	default:
		return ""
	}
	if low, ok := schema[names[0]].(float64); ok && n < low {
		return names[0]
	}
	if high, ok := schema[names[1]].(float64); ok && n > high {
		return names[1]
	}
	return ""
}

func checkParts(root, schema map[string]any, v any, at string) string {
	if limit := beyond(schema, v); limit != "" {
		return at + ": " + limit
	}
	switch x := v.(type) {
	case []any:
		if items, ok := schema["items"].(map[string]any); ok {
			for i, e := range x {
				if why := checkSchema(root, items, e, fmt.Sprintf("%s[%d]", at, i)); why != "" {
					return why
				}
			}
		}
	case map[string]any:
		for _, name := range asTexts(schema["required"]) {
			if _, ok := x[name]; !ok {
				return at + ": " + name + " is missing"
			}
		}
		properties, _ := schema["properties"].(map[string]any)
		for k, e := range x {
			if p, ok := properties[k].(map[string]any); ok {
				if why := checkSchema(root, p, e, at+"."+k); why != "" {
					return why
				}
			} else if more, ok := schema["additionalProperties"].(map[string]any); ok {
				if why := checkSchema(root, more, e, at+"."+k); why != "" {
					return why
				}
			} else if schema["additionalProperties"] == false {
				return at + "." + k + ": unknown"
			}
		}
	}
	return ""
}

func asTexts(v any) (list []string) {
	items, _ := v.([]any)
	for _, x := range items {
		list = append(list, x.(string))
	}
	return list
}

func isType(name string, v any) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && v == float64(int(v))
	case string:
		return name == "string"
	case []any:
		return name == "array"
	}
	return name == "object"
}

// TestSchema: every built-in file fits the schema, and mistakes do not.
func TestSchema(t *testing.T) {
	var schema map[string]any
	data, err := json.Marshal(Schema())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	fits := func(source []byte) string {
		d := &decoder{source: source}
		root, ok := d.load()
		if !ok {
			t.Fatal(d.problems)
		}
		return checkSchema(schema, schema, d.any(root), "$")
	}
	for _, name := range Names() {
		s, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		if why := fits(s.source); why != "" {
			t.Errorf("%s: %s", name, why)
		}
	}
	if why := fits([]byte(Template)); why != "" {
		t.Errorf("the template: %s", why)
	}
	for _, bad := range []string{
		"steps: [cycle]\n", "name: x\nsetps: []\nsteps: [cycle]\n", "name: x\nsteps: [cycel]\n", "name: x\nsteps: [{expect: {request: []}}]\n",
		"name: x\nsteps: []\n", "name: ' '\nsteps: [cycle]\n", "name: x\ntenant: {generate: {users: 100001}}\nsteps: [cycle]\n",
		"name: x\ntenant: {generate: {groups: -1}}\nsteps: [cycle]\n", "name: x\ntarget: {faults: [{status: 100}]}\nsteps: [cycle]\n",
		"name: x\ntarget: {faults: [{status: 500, probability: 2}]}\nsteps: [cycle]\n", "name: x\ntarget: {faults: [{status: 500, times: -1}]}\nsteps: [cycle]\n",
		"name: x\nsteps: [{}]\n", "name: x\nsteps: [{delete: []}]\n", "name: x\nsteps: [{update: {}}]\n", "name: x\nsteps: [{assign: []}]\n", "name: x\nsteps: [{cycle: , expect: {}}]\n",
		"name: x\nsteps: [{cycle: , expect: {job: {}}}]\n", "name: x\nsteps: [{cycle: , expect: {requests: {}}}]\n", "name: x\nsteps: [{cycle: , expect: {requests: -1}}]\n",
		"name: x\nsteps: [{cycle: , expect: {cycles: []}}]\n", "name: x\nsteps: [{cycle: , expect: {counts: {create: -1}}}]\n", "name: x\nsteps: [{cycle: , expect: {why: {}}}]\n",
		"name: x\nsteps: [{cycle: , expect: {log: {none: [{code: Typo}]}}}]\n", "name: x\nsteps: [{cycle: , expect: {target: {}}}]\n",
		"name: x\napplication: {scope: some}\nsteps: [cycle]\n", "name: x\nsteps: [{advance: soon}]\n", "name: x\nsteps: [{cycle: , expect: {job: {waiting: many}}}]\n",
	} {
		if fits([]byte(bad)) == "" {
			t.Errorf("the schema allows\n%s", bad)
		}
		if _, err := Parse("t", []byte(bad)); err == nil {
			t.Errorf("the parser allows\n%s", bad)
		}
	}
}
