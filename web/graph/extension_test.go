package graph_test

import (
	"net/url"
	"strings"
	"testing"
)

// TestDirectoryExtensions: defined by an application, written to users and groups, selected, filtered, and refused elsewhere.
//
// Shows: F-005
func TestDirectoryExtensions(t *testing.T) {
	w := newWorld(t, "")
	adele, sales := w.user("adele"), w.group("Sales")
	app := w.want(201, "POST", "/v1.0/applications", `{"displayName":"Fabrikam"}`)
	at := "/v1.0/applications/" + app.str("id") + "/extensionProperties"
	prefix := "extension_" + strings.ReplaceAll(app.str("appId"), "-", "") + "_"
	made := w.want(201, "POST", at, `{"name":"badge","dataType":"String","targetObjects":["User"]}`)
	if made.str("name") != prefix+"badge" || made.str("appDisplayName") != "Fabrikam" || made.at("isMultiValued") != false {
		t.Error(made.text)
	}
	for name, dataType := range map[string]string{"level": "Integer", "remote": "Boolean", "since": "DateTime"} {
		w.want(201, "POST", at, map[string]any{"name": name, "dataType": dataType, "targetObjects": []string{"User", "Group"}})
	}
	w.want(201, "POST", at, `{"name":"skills","dataType":"String","targetObjects":["User"],"isMultiValued":true}`)
	if a := w.want(200, "GET", at, nil); len(a.list()) != 5 {
		t.Error(a.text)
	}
	w.want(204, "PATCH", "/v1.0/users/"+adele, map[string]any{prefix + "badge": "B7", prefix + "level": 3, prefix + "remote": true, prefix + "since": "2026-01-01T00:00:00Z", prefix + "skills": []string{"go", "scim"}})
	a := w.want(200, "GET", "/v1.0/users/"+adele+"?$select=id,"+prefix+"badge,"+prefix+"level,"+prefix+"skills", nil)
	if a.str(prefix+"badge") != "B7" || a.at(prefix+"level") != 3.0 || len(a.at(prefix+"skills").([]any)) != 2 {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/users/"+adele, nil); strings.Contains(a.text, prefix) {
		t.Errorf("shown without being selected: %s", a.text)
	}
	if a := w.want(200, "GET", "/v1.0/users?$filter="+url.QueryEscape(prefix+"badge eq 'b7'"), nil); a.column("id") != adele {
		t.Error(a.text)
	}
	w.want(204, "PATCH", "/v1.0/groups/"+sales, map[string]any{prefix + "level": 1})
	last := w.dir.LastChange()
	for _, c := range []struct{ path, name, value string }{
		{"/users/" + adele, prefix + "badge", `7`}, {"/users/" + adele, prefix + "badge", `["a"]`}, {"/users/" + adele, prefix + "level", `"three"`}, {"/users/" + adele, prefix + "level", `3.5`},
		{"/users/" + adele, prefix + "remote", `"yes"`}, {"/users/" + adele, prefix + "since", `"soon"`}, {"/users/" + adele, prefix + "skills", `[7]`},
		{"/users/" + adele, prefix + "colour", `"red"`}, {"/groups/" + sales, prefix + "badge", `"B7"`}, {"/users/" + adele, "extension_x", `"y"`},
		{"/users/" + adele, "extension_00000000000000000000000000000000_badge", `"y"`},
	} {
		if a := w.want(400, "PATCH", "/v1.0"+c.path, `{"displayName":"Half","`+c.name+`":`+c.value+`}`); !strings.Contains(a.str("error", "message"), c.name) {
			t.Errorf("%v: %s", c, a.text)
		}
	}
	if w.dir.LastChange() != last {
		t.Error("half written")
	}
	for body, names := range map[string]string{`{}`: "name", `{"name":"x"}`: "dataType", `{"name":"x","dataType":"String"}`: "targetObjects", `{"name":"a b","dataType":"String","targetObjects":["User"]}`: "name",
		`{"name":"x","dataType":"Text","targetObjects":["User"]}`: "dataType", `{"name":"x","dataType":"String","targetObjects":["Car"]}`: "targetObjects",
		`{"name":"badge","dataType":"String","targetObjects":["User"]}`: "badge", `{"name":7}`: "name", `{"colour":"red"}`: "colour"} {
		if a := w.want(400, "POST", at, body); !strings.Contains(a.str("error", "message"), names) {
			t.Errorf("%s: %s", body, a.text)
		}
	}
	w.want(204, "DELETE", at+"/"+made.str("id"), nil)
	w.want(404, "GET", at+"/"+made.str("id"), nil)
	w.want(400, "PATCH", "/v1.0/users/"+adele, map[string]any{prefix + "badge": "B8"})

	// Single properties.
	if a := w.want(200, "GET", "/v1.0/applications/"+app.str("id")+"/displayName", nil); a.str("value") != "Fabrikam" {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/groups/"+sales+"/displayName/$value", nil); a.text != "Sales" {
		t.Error(a.text)
	}
	sp := w.want(201, "POST", "/v1.0/servicePrincipals", map[string]any{"appId": app.str("appId")}).str("id")
	if a := w.want(200, "GET", "/v1.0/servicePrincipals/"+sp+"/appRoles", nil); len(a.list()) != 0 {
		t.Error(a.text)
	}
	w.want(400, "GET", "/v1.0/servicePrincipals/"+sp+"/colour", nil)
	w.want(501, "GET", "/v1.0/servicePrincipals/"+sp+"/endpoints", nil)
}
