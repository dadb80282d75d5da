package mapping_test

import (
	"encoding/json"
	"strings"
	"testing"

	"entrasim/sim/expr"
	"entrasim/sim/mapping"
)

// around puts the source of a mapping into the smallest document.
func around(source string) []byte {
	return []byte(`{"synchronizationRules":[{"objectMappings":[{"attributeMappings":[{"targetAttributeName":"t","source":` + source + `}]}]}]}`)
}

func sourceOf(t *testing.T, source string) (*mapping.Origin, string) {
	t.Helper()
	s := parse(t, around(source))
	o := s.Rules[0].ObjectMappings[0].AttributeMappings[0].Source
	if o == nil {
		return nil, "null"
	}
	text := string(o.JSON())
	return o, text
}

// TestOriginCompletion: the expression counts, what is missing is derived, and what says the same is left alone
// (api/synchronization-synchronizationschema-update.md, synchronization-configure-with-custom-target-attributes.md).
func TestOriginCompletion(t *testing.T) {
	direct := `{"expression":"[mail]","name":"mail","type":"Attribute","parameters":[]}`
	join := `{"expression":"Join(\" \", [givenName], [surname])","name":"Join","type":"Function","parameters":[{"key":"separator","value":{"expression":"\" \"","name":" ","type":"Constant","parameters":[]}},{"key":"source","value":{"expression":"[givenName]","name":"givenName","type":"Attribute","parameters":[]}},{"key":"source","value":{"expression":"[surname]","name":"surname","type":"Attribute","parameters":[]}}]}`
	replace := `{"expression":"Replace([preferredLanguage], \"-\", , , \"_\")","name":"Replace","type":"Function","parameters":[{"key":"source","value":{"expression":"[preferredLanguage]","name":"preferredLanguage","type":"Attribute","parameters":[]}},{"key":"Find","value":{"expression":"\"-\"","name":"-","type":"Constant","parameters":[]}},{"key":"Replacement","value":{"expression":"\"_\"","name":"_","type":"Constant","parameters":[]}}]}`
	for _, c := range []struct{ name, in, want string }{
		{"complete", direct, direct},
		{"a tree of Microsoft's, with its keys", join, join},
		{"None", `null`, `null`},
		{"only the expression", `{"expression":"[mail]"}`, `{"expression":"[mail]","name":"mail","type":"Attribute"}`},
		{"only the name, as Graph's guide has it", `{"name":"extensionAttribute10","type":"Attribute"}`, `{"name":"extensionAttribute10","type":"Attribute","expression":"[extensionAttribute10]"}`},
		{"name without type", `{"name":"mail"}`, `{"name":"mail","expression":"[mail]","type":"Attribute"}`},
		{"a constant by its name", `{"name":"a \"b\"","type":"Constant"}`, `{"name":"a \"b\"","type":"Constant","expression":"\"a \\\"b\\\"\""}`},
		{"expression of a function", `{"expression":"Join(\" \", [givenName], [surname])"}`, strings.Replace(join, `"x"`, ``, 1)},
		{"the tree says otherwise", `{"expression":"[mail]","name":"surname","type":"Function","parameters":[{"key":"source","value":{}}]}`, direct},
		{"the tree is of a former expression", strings.Replace(join, `"Join(\" \", [givenName], [surname])"`, `"Join(\" \", [givenName], [city])"`, 1),
			strings.NewReplacer("surname", "city").Replace(join)},
		{"a function without expression", strings.Replace(replace, `"expression":"Replace([preferredLanguage], \"-\", , , \"_\")",`, ``, 1),
			strings.Replace(strings.Replace(replace, `"expression":"Replace([preferredLanguage], \"-\", , , \"_\")",`, ``, 1), `"}}]}`, ``, 1)},
		{"a function whose type is missing", `{"name":"Trim","parameters":[{"key":"source","value":{"name":"mail","type":"Attribute"}}]}`, ``},
		{"what does not parse", `{"expression":"Join(","name":"Join","type":"Function","parameters":[]}`, `{"expression":"Join(","name":"Join","type":"Function","parameters":[]}`},
		{"an unquoted constant", `{"expression":"plain text","type":"Constant"}`, `{"expression":"plain text","type":"Constant","name":"plain text"}`},
		{"blanks and case do not matter", `{"expression":"join( \" \",[givenName] , [surname] )","name":"join","type":"function","parameters":[{"key":"a","value":{"expression":"\" \"","name":" ","type":"Constant","parameters":[]}},{"key":"b","value":{"expression":"[givenName]","name":"givenName","type":"Attribute","parameters":[]}},{"key":"c","value":{"expression":"[surname]","name":"surname","type":"Attribute","parameters":[]}}]}`,
			`{"expression":"join( \" \",[givenName] , [surname] )","name":"join","type":"function","parameters":[{"key":"a","value":{"expression":"\" \"","name":" ","type":"Constant","parameters":[]}},{"key":"b","value":{"expression":"[givenName]","name":"givenName","type":"Attribute","parameters":[]}},{"key":"c","value":{"expression":"[surname]","name":"surname","type":"Attribute","parameters":[]}}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, got := sourceOf(t, c.in)
			switch c.name {
			case "a function without expression":
				// Empty slots are none of a tree's parameters; its keys tell where they were.
				if o.Expression != `Replace([preferredLanguage], "-", , , "_")` {
					t.Errorf("built %s", o.Expression)
				}
			case "a function whose type is missing":
				if o.Expression != "Trim([mail])" || o.Type != expr.TypeFunction || len(o.Parameters) != 1 || o.Parameters[0].Value.Name != "mail" {
					t.Errorf("%s", got)
				}
			default:
				if got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
			}
			if _, again := sourceOf(t, got); again != got {
				t.Errorf("a second import changes it to %s", again)
			}
		})
	}
}

// TestOriginOf: what the portal makes of a typed text.
func TestOriginOf(t *testing.T) {
	for _, c := range []struct{ in, expression, name, kind string }{
		{" [mail] ", "[mail]", "mail", expr.TypeAttribute},
		{`"a\"b"`, `"a\"b"`, `a"b`, expr.TypeConstant},
		{`Switch([IsSoftDeleted],,"False","True","True","False")`, `Switch([IsSoftDeleted],,"False","True","True","False")`, "Switch", expr.TypeFunction},
		{`[urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:x]`, `[urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:x]`, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:x", expr.TypeAttribute},
	} {
		o, err := mapping.OriginOf(c.in)
		if err != nil || o.Expression != c.expression || o.Name != c.name || o.Type != c.kind {
			t.Errorf("%s: %+v %v", c.in, o, err)
		}
	}
	if _, err := mapping.OriginOf(`Jion("", [mail])`); err == nil || !strings.Contains(err.Error(), "did you mean Join?") {
		t.Errorf("an unknown function: %v", err)
	}
	text, err := json.Marshal(mapping.ConstantOrigin(`x"y`))
	if want := `{"expression":"\"x\\\"y\"","name":"x\"y","type":"Constant","parameters":[]}`; err != nil || string(text) != want {
		t.Errorf("%s %v", text, err)
	}
}
