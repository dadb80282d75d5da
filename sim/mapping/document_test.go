package mapping_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"entrasim/sim/mapping"
)

// published are schemas as Microsoft and vendors print them, cut down to what is told apart here. Each has another order
// of members, other members left out, and other spellings of flags.
var published = []struct{ file, source string }{
	// A gallery application whose target is no SCIM: two rules, one of them inbound, nameless and disabled mappings.
	{"salesforce.json", "microsoft-graph-docs: the synchronization schema sample; resources/synchronization-objectmapping.md"},
	// What the portal's schema editor shows once the guide's custom attributes were added.
	{"catonetworks.json", "knowledge.catonetworks.com/routing-traffic-through-a-web-proxy, step 1"},
	// A template's schema from before 2024, with its OData context.
	{"aws.json", "entra-docs: application-provisioning-configuration-api.md, step 3"},
}

func fixture(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parse(t testing.TB, data []byte) *mapping.Schema {
	t.Helper()
	s, err := mapping.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compacted(t testing.TB, data []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPublishedSchemas: each is valid and comes back as it was, member for member.
func TestPublishedSchemas(t *testing.T) {
	for _, c := range published {
		t.Run(c.file, func(t *testing.T) {
			data := fixture(t, c.file)
			s := parse(t, data)
			if err := s.Validate(); err != nil {
				t.Errorf("%s: %v", c.source, err)
			}
			if got, want := string(s.JSON()), compacted(t, data); got != want {
				t.Errorf("exported otherwise than imported:\n%s\n%s", firstDifference(got, want), c.source)
			}
			if again := parse(t, s.Download()); !bytes.Equal(again.JSON(), s.JSON()) {
				t.Error("the download form does not come back")
			}
			if clone := s.Clone(); !bytes.Equal(clone.JSON(), s.JSON()) {
				t.Error("a clone differs")
			}
		})
	}
}

func firstDifference(a, b string) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	from := max(0, i-60)
	return fmt.Sprintf("got  …%s\nwant …%s", a[from:min(len(a), i+60)], b[from:min(len(b), i+60)])
}

// TestUnknownMembers: what nobody knows stays where it was, at every level, with its numbers and escapes.
func TestUnknownMembers(t *testing.T) {
	text := string(mapping.Default().JSON())
	for _, c := range []struct{ before, added string }{
		{`{"id":"scim"`, `"@odata.context":"x","future":{"a":[1,2.50,1e3],"b":"\u0041<&>"},`},
		{`{"containerFilter":`, `"z":1,"a":null,`},
		{`{"enabled":true,"flowTypes"`, `"mappingGroup":"\/",`},
		{`{"defaultValue":null,"exportMissingReferences"`, `"mappingType":"Direct",`},
		{`{"expression":"[userPrincipalName]"`, `"functionParameters":[],`},
		{`{"key":"source"`, `"x":{},`},
		{`{"id":"66e4a8cc`, `"metadata":[],`},
		{`{"name":"User","supportedApis"`, `"y":[[]],`},
		{`{"anchor":false,"caseExact":false,"defaultValue":null,"flowNullValues":false,"multivalued":false,"mutability":"ReadWrite","name":"city"`, `"maximumLength":128,`},
		{`{"referencedObjectName":"Group"`, `"kind":"x",`},
		{`{"key":"Disposition"`, `"@odata.type":"#x",`},
	} {
		if strings.Count(text, c.before) == 0 {
			t.Fatalf("the default schema has no %s", c.before)
		}
		text = strings.Replace(text, c.before, "{"+c.added+c.before[1:], 1)
	}
	text = strings.Replace(text, `"version":"v1.2"`, `"vers\u0069on":"v1\u002e2","\u00fc":1`, 1)
	if got := string(parse(t, []byte(text)).JSON()); got != text {
		t.Error(firstDifference(got, text))
	}
	s := parse(t, []byte(text))
	if s.Version = "v2"; !strings.Contains(string(s.JSON()), `"vers\u0069on":"v2"`) {
		t.Error("a changed text is written as it was")
	}
}

// TestOtherHands: the same document as other tools write it.
func TestOtherHands(t *testing.T) {
	plain := mapping.Default().Download()
	units := utf16.Encode([]rune(string(plain)))
	little := []byte{0xff, 0xfe}
	for _, u := range units {
		little = binary.LittleEndian.AppendUint16(little, u)
	}
	want := string(mapping.Default().JSON())
	for name, data := range map[string][]byte{
		"download": plain, "byte order mark": append([]byte{0xef, 0xbb, 0xbf}, plain...), "UTF-16 of a Windows shell": little,
	} {
		if got := string(parse(t, data).JSON()); got != want {
			t.Errorf("%s: %s", name, firstDifference(got, want))
		}
	}
	// ConvertTo-Json of the Graph PowerShell module writes names with a capital, and its own members.
	pascal := []byte(`{"Id":"scim","SynchronizationRules":[{"Name":"R","SourceDirectoryName":"Microsoft Entra ID","TargetDirectoryName":"T","ObjectMappings":[{"SourceObjectName":"User","TargetObjectName":"U",
		"AttributeMappings":[{"MatchingPriority":1,"TargetAttributeName":"userName","Source":{"Expression":"[mail]","Name":"mail","Type":"Attribute","AdditionalProperties":{}}}],"AdditionalProperties":{}}]}],
		"Directories":[{"Name":"T","Objects":[{"Name":"U","Attributes":[{"Name":"userName","Type":"String"}]}]}]}`)
	s := parse(t, pascal)
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	if got := string(s.JSON()); got != compacted(t, pascal) {
		t.Error(firstDifference(got, compacted(t, pascal)))
	}
	if m := s.ObjectMapping("User"); !m.Enabled || m.FlowTypes != "Add,Update,Delete" || m.AttributeMappings[0].FlowType != mapping.Always {
		t.Errorf("absent members have the wrong defaults: %+v", m)
	}
}

// TestAddedAfterwards: a member that gets a value after the document was read is written behind those that were there.
func TestAddedAfterwards(t *testing.T) {
	s := parse(t, fixture(t, "aws.json"))
	m := s.ObjectMapping("User")
	m.AttributeMappings[0].Source = nil
	m.Scope = &mapping.FilterDocument{Groups: []mapping.FilterGroup{{Name: "Sales"}}}
	s.Directories[0].Version = "2"
	out := string(s.JSON())
	for _, want := range []string{
		`"targetAttributeName":"userName","source":null}`, `"scope":{"categoryFilterGroups":[],"groups":[{"clauses":[],"name":"Sales"}],"inputFilterGroups":[]},"sourceObjectName"`,
		`"name":"Azure Active Directory","objects":[],"version":"2"}`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in %s", want, out)
		}
	}
}

// TestDocumentErrors: each names its place and what to do.
func TestDocumentErrors(t *testing.T) {
	rule := func(inner string) string { return `{"synchronizationRules":[{` + inner + `}]}` }
	om := func(inner string) string { return rule(`"objectMappings":[{` + inner + `}]`) }
	for _, c := range []struct{ in, path, message string }{
		{``, "$", "it is empty. Paste or choose"},
		{`[]`, "$", "The value is a list; expected an object."},
		{"{\n \"id\": 1,\n}", "$", "at line 3, column 1. Take away the comma before it."},
		{`{"id":"a"} x`, "$", "at line 1, column 12"},
		{`{"id":7}`, "$.id", "The value is the number 7; expected text in quotes."},
		{`{"id":"a","ID":"b"}`, "$.ID", "stands twice in its object, before as id"},
		{`{"synchronizationRules":{}}`, "$.synchronizationRules", "is an object; expected a list"},
		{`{"synchronizationRules":[null]}`, "$.synchronizationRules[0]", "is null; expected an object"},
		{rule(`"priority":"1"`), "$.synchronizationRules[0].priority", "is text; expected a whole number, without quotes"},
		{rule(`"priority":1.5`), "$.synchronizationRules[0].priority", "1.5 is no whole number"},
		{om(`"enabled":"true"`), "$.synchronizationRules[0].objectMappings[0].enabled", "is text; expected true or false, without quotes"},
		{om(`"attributeMappings":[{"source":"[mail]"}]`), "$.synchronizationRules[0].objectMappings[0].attributeMappings[0].source", "is text; expected an object"},
		{om(`"attributeMappings":[{"source":{"parameters":[{"value":{"name":true}}]}}]`), "$.synchronizationRules[0].objectMappings[0].attributeMappings[0].source.parameters[0].value.name", "is true; expected text"},
		{om(`"scope":{"groups":[{"clauses":[{"targetOperand":{"values":[1]}}]}]}`), "$.synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[0].targetOperand.values[0]", "the number 1; expected text"},
		{`{"directories":[{"objects":[{"attributes":[{"anchor":1}]}]}]}`, "$.directories[0].objects[0].attributes[0].anchor", "expected true or false"},
		{om(`"attributeMappings":[{"source":` + strings.Repeat(`{"parameters":[{"value":`, 1100) + `{}` + strings.Repeat(`}]}`, 1100) + `}]`), "", "nested more than 1000 levels"},
	} {
		_, err := mapping.Parse([]byte(c.in))
		var p *mapping.Problem
		if !errors.As(err, &p) {
			t.Errorf("%.60s: %v is no problem", c.in, err)
			continue
		}
		if c.path != "" && p.Path != c.path || !strings.Contains(p.Message, c.message) {
			t.Errorf("%.60s:\n got %s: %s\nwant %s: …%s", c.in, p.Path, p.Message, c.path, c.message)
		}
	}
}

// TestRoundTripProperty: any document with any unknown members, members in any order and any of them missing, comes back
// as it was, and once more.
//
// Shows: F-098, S-295
func TestRoundTripProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := drawObject(t, "schema", 0)
		s, err := mapping.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		once := string(s.JSON())
		again, err := mapping.Parse([]byte(once))
		if err != nil {
			t.Fatalf("the export can't be imported: %v", err)
		}
		if twice := string(again.JSON()); twice != once {
			t.Fatalf("not stable:\n%s", firstDifference(twice, once))
		}
		if once != text {
			t.Fatalf("not as it was:\n%s", firstDifference(once, text))
		}
	})
}

// shapes are the members of each part of a document: the kind of value, "*" before a list of parts.
var shapes = map[string]map[string]string{
	"schema":    {"id": "s", "version": "s", "synchronizationRules": "*rule", "directories": "*directory"},
	"rule":      {"containerFilter": "any", "editable": "b", "id": "s", "name": "s", "priority": "i", "sourceDirectoryName": "s", "targetDirectoryName": "s", "metadata": "*kv", "objectMappings": "*om"},
	"kv":        {"key": "s", "value": "s"},
	"om":        {"enabled": "b", "flowTypes": "s", "name": "s", "scope": "filter", "sourceObjectName": "s", "targetObjectName": "s", "attributeMappings": "*am", "metadata": "*kv"},
	"am":        {"defaultValue": "s", "exportMissingReferences": "b", "flowBehavior": "s", "flowType": "s", "matchingPriority": "i", "targetAttributeName": "s", "source": "origin"},
	"filter":    {"categoryFilterGroups": "*group", "groups": "*group", "inputFilterGroups": "*group"},
	"group":     {"clauses": "*clause", "name": "s"},
	"clause":    {"operatorName": "s", "sourceOperandName": "s", "targetOperand": "operand"},
	"operand":   {"values": "*s"},
	"directory": {"id": "s", "name": "s", "readOnly": "b", "version": "s", "discoverabilities": "s", "discoveryDateTime": "s", "objects": "*object"},
	"object":    {"name": "s", "supportedApis": "*s", "metadata": "*kv", "attributes": "*attribute"},
	"attribute": {"anchor": "b", "caseExact": "b", "defaultValue": "s", "multivalued": "b", "mutability": "s", "name": "s", "required": "b", "type": "s", "apiExpressions": "*any", "referencedObjects": "*reference"},
	"reference": {"referencedObjectName": "s", "referencedProperty": "s"},
}

// origins are sources whose trees agree with their expressions, in several orders and with Microsoft's own keys.
var origins = []string{
	`null`, `{"expression":"[mail]","name":"mail","type":"Attribute","parameters":[]}`, `{"type":"Attribute","name":"mail","expression":"[mail]"}`,
	`{"parameters":[],"expression":"\"x \\\" y\"","name":"x \" y","type":"Constant"}`,
	`{"expression":"IIF(IsPresent([a]), BitAnd([b], 2)=\"0\", \"False\")","name":"IIF","type":"Function","parameters":[{"key":"one","value":{"expression":"IsPresent([a])","name":"IsPresent","type":"Function","parameters":[{"key":"source","value":{"expression":"[a]","name":"a","type":"Attribute","parameters":[]}}]}},{"key":"two","value":{"expression":"BitAnd([b], 2)=\"0\"","name":"Equals","type":"Function","parameters":[]}},{"key":"three","value":{"expression":"\"False\"","name":"False","type":"Constant","parameters":[]}}]}`,
	`{"expression":"no expression (","name":"kept","type":"Function","parameters":[]}`,
}

func drawObject(t *rapid.T, kind string, depth int) string {
	var members []string
	for name, value := range shapes[kind] {
		members = append(members, name+" "+value)
	}
	members = rapid.Permutation(sortedStrings(members)).Draw(t, kind)
	members = members[:rapid.IntRange(0, len(members)).Draw(t, "members")]
	var parts []string
	for _, m := range members {
		name, value, _ := strings.Cut(m, " ")
		if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
			parts = append(parts, fmt.Sprintf(`"x%d":%s`, len(parts), drawValue(t, "any", depth)))
		}
		parts = append(parts, fmt.Sprintf(`"%s":%s`, name, drawValue(t, value, depth)))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func drawValue(t *rapid.T, kind string, depth int) string {
	switch kind {
	case "s":
		text, err := json.Marshal(rapid.StringMatching(`[a-zA-Z0-9 \[\]."äß😀<>&]{0,8}`).Draw(t, "text"))
		if err != nil {
			t.Fatal(err)
		}
		return rapid.SampledFrom([]string{string(text), string(text), "null", `"\u00fc\/"`}).Draw(t, "text or null")
	case "b":
		return rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "flag")
	case "i":
		return rapid.SampledFrom([]string{"0", "1", "2147483647", "-3", "null"}).Draw(t, "number")
	case "any":
		return rapid.SampledFrom([]string{"null", "{}", `[1.50,"\/",{"b":1,"a":2}]`, `"\u00e4"`, "-0.0"}).Draw(t, "any")
	case "origin":
		return rapid.SampledFrom(origins).Draw(t, "origin")
	}
	if inner, ok := strings.CutPrefix(kind, "*"); ok {
		n := rapid.IntRange(-1, 2).Draw(t, "length")
		if n < 0 {
			return "null"
		}
		items := make([]string, n)
		for i := range items {
			items[i] = drawValue(t, inner, depth+1)
			if items[i] == "null" && inner != "any" {
				items[i] = map[bool]string{true: `""`, false: "{}"}[inner == "s"]
			}
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	if rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		return map[bool]string{true: "null", false: "{}"}[kind == "filter" || kind == "operand"]
	}
	return drawObject(t, kind, depth+1)
}
