package target

import (
	"strings"
	"testing"
)

func TestDiscovery(t *testing.T) {
	s := newServer(t, nil)
	c := must(t, s, 200, "GET", "/ServiceProviderConfig", "")
	for feature, want := range map[string]bool{"patch": true, "bulk": false, "filter": true, "changePassword": false, "sort": true, "etag": true} {
		if m, _ := c.json[feature].(map[string]any); m["supported"] != want {
			t.Errorf("%s: %v, want %v", feature, c.json[feature], want)
		}
	}
	schemes, _ := c.json["authenticationSchemes"].([]any)
	if len(schemes) != 1 || schemes[0].(map[string]any)["type"] != "oauthbearertoken" {
		t.Errorf("authenticationSchemes: %v", schemes)
	}
	for path, ids := range map[string][]string{
		"/ResourceTypes": {"User", "Group"},
		"/Schemas":       {urnUser, urnGroup, urnEnterprise},
	} {
		a := must(t, s, 200, "GET", path, "")
		list, _ := a.json["Resources"].([]any)
		if a.json["totalResults"] != float64(len(ids)) || len(list) != len(ids) {
			t.Fatalf("%s: %s", path, a.text)
		}
		for i, id := range ids {
			one := must(t, s, 200, "GET", path+"/"+id, "")
			if one.json["id"] != id || list[i].(map[string]any)["id"] != id {
				t.Errorf("%s/%s: %s", path, id, one.text)
			}
			meta, _ := one.json["meta"].(map[string]any)
			if meta["location"] != "http://scim.test/scim"+path+"/"+id {
				t.Errorf("%s/%s: location %v", path, id, meta["location"])
			}
		}
	}
	must(t, s, 200, "GET", "/Schemas/"+strings.ToLower(urnEnterprise), "")
	must(t, s, 404, "GET", "/Schemas/urn:none", "")
	must(t, s, 404, "GET", "/ResourceTypes/user", "")
	must(t, s, 404, "GET", "/ServiceProviderConfig/x", "")
	must(t, s, 403, "GET", "/Schemas?filter=id+pr", "") // RFC 7644 § 4
	if a := send(t, s, "POST", "/Schemas", "{}"); a.status != 405 || a.header.Get("Allow") != "GET" {
		t.Errorf("POST /Schemas: %d, Allow %q", a.status, a.header.Get("Allow"))
	}
	wantNoted(t, s)
}

// TestSchemasDescribeWhatIsTaken walks the schemas of /Schemas: each attribute has all characteristics, and one that can be
// written is taken by POST and comes back as it was sent.
func TestSchemasDescribeWhatIsTaken(t *testing.T) {
	s := newServer(t, nil)
	list, _ := must(t, s, 200, "GET", "/Schemas", "").json["Resources"].([]any)
	for _, sc := range list {
		m := sc.(map[string]any)
		id, _ := m["id"].(string)
		attrs, _ := m["attributes"].([]any)
		for _, a := range attrs {
			checkDescription(t, id, a.(map[string]any))
			takesAttribute(t, s, id, a.(map[string]any))
		}
	}
}

func checkDescription(t *testing.T, at string, a map[string]any) {
	t.Helper()
	name, _ := a["name"].(string)
	at += ":" + name
	if name == "" || a["description"] == "" || a["description"] == name {
		t.Errorf("%s: name or description is missing", at)
	}
	for _, k := range []string{"type", "multiValued", "required", "mutability", "returned"} {
		if a[k] == nil {
			t.Errorf("%s has no %s", at, k)
		}
	}
	if subs, ok := a["subAttributes"].([]any); ok != (a["type"] == "complex") {
		t.Errorf("%s: sub-attributes %v of a %v", at, ok, a["type"])
	} else {
		for _, sub := range subs {
			checkDescription(t, at, sub.(map[string]any))
		}
	}
	if a["type"] != "complex" && (a["caseExact"] == nil || a["uniqueness"] == nil) {
		t.Errorf("%s has no caseExact or uniqueness", at)
	}
	if a["type"] == "reference" && a["referenceTypes"] == nil {
		t.Errorf("%s has no referenceTypes", at)
	}
	if name == "password" && (a["returned"] != "never" || a["mutability"] != "writeOnly") {
		t.Errorf("password: %v", a)
	}
}

// takesAttribute creates a user or group with one attribute and reads it back.
func takesAttribute(t *testing.T, s *Server, schema string, a map[string]any) {
	t.Helper()
	name := a["name"].(string)
	if a["mutability"] != "readWrite" || name == "members" || name == "userName" {
		return
	}
	var value func(a map[string]any) any
	value = func(a map[string]any) any {
		var v any = "text"
		switch a["type"] {
		case "boolean":
			v = true
		case "complex":
			m := map[string]any{}
			for _, sub := range a["subAttributes"].([]any) {
				if sm := sub.(map[string]any); sm["mutability"] == "readWrite" {
					m[sm["name"].(string)] = value(sm)
				}
			}
			v = m
		}
		if a["multiValued"] == true {
			v = []any{v}
		}
		return v
	}
	sent := value(a)
	doc := map[string]any{"schemas": []any{schema}, name: sent}
	path := "/Groups"
	if schema != urnGroup {
		path = "/Users"
		doc = map[string]any{"schemas": []any{urnUser}, "userName": schema + name, name: sent}
	} else if name != "displayName" {
		doc["displayName"] = "g"
	}
	if schema == urnEnterprise {
		delete(doc, name)
		doc["schemas"], doc[schema] = []any{urnUser, schema}, map[string]any{name: sent}
	}
	before := len(noted(s))
	got := must(t, s, 201, "POST", path, string(appendJSON(nil, doc))).json
	if schema == urnEnterprise {
		got, _ = got[schema].(map[string]any)
	}
	sameJSON(t, string(appendJSON(nil, got[name])), string(appendJSON(nil, sent)))
	if len(noted(s)) != before {
		t.Errorf("%s:%s: leniencies %v", schema, name, noted(s))
	}
}
