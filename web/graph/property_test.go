package graph_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestLinksInSelect: Graph passes over navigation properties in $select. An answer of null would say that there is no manager.
func TestLinksInSelect(t *testing.T) {
	w := newWorld(t, "")
	boss := w.user("boss")
	adele := w.user("adele", "manager@odata.bind", "https://graph.microsoft.com/v1.0/users/"+boss)
	group := w.want(201, "POST", "/v1.0/groups", map[string]any{"displayName": "Sales", "mailEnabled": false, "mailNickname": "sales", "securityEnabled": true,
		"members@odata.bind": []string{"https://graph.microsoft.com/v1.0/users/" + adele}}).str("id")
	sp, app, _ := w.app("Fabrikam App")
	for path, id := range map[string]string{
		"/v1.0/users/" + adele + "?$select=id,manager,memberOf":                  adele,
		"/v1.0/groups/" + group + "?$select=id,members,owners":                   group,
		"/v1.0/servicePrincipals/" + sp + "?$select=id,owners,appRoleAssignedTo": sp,
		"/v1.0/applications/" + app + "?$select=id,owners":                       app,
	} {
		a := w.want(200, "GET", path, nil)
		if delete(a.body, "@odata.context"); len(a.body) != 1 || a.str("id") != id {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	if a := w.want(200, "GET", "/v1.0/users/"+adele+"?$select=id,manager&$expand=manager($select=id)", nil); a.str("manager", "id") != boss {
		t.Error(a.text)
	}
	if a := w.want(501, "GET", "/v1.0/users/"+adele+"/ownedObjects", nil); a.str("error", "code") != "NotImplemented" {
		t.Error(a.text)
	}
}

// TestPropertiesOfElsewhere: what Graph's types have and this subset has not is named as such, wherever it stands.
func TestPropertiesOfElsewhere(t *testing.T) {
	w := newWorld(t, "")
	adele, group := w.user("adele"), w.group("Sales")
	sp, app, _ := w.app("Fabrikam App")
	for _, r := range []struct{ method, path, body, names string }{
		{"GET", "/users?$select=signInActivity", "", "signInActivity"},
		{"GET", "/users?$filter=signInActivity/lastSignInDateTime+le+2026-01-01", "", "signInActivity/lastSignInDateTime"},
		{"PATCH", "/users/" + adele, `{"department":"x","aboutMe":"x"}`, "aboutMe"},
		{"PATCH", "/groups/" + group, `{"description":"x","hideFromOutlookClients":true}`, "hideFromOutlookClients"},
		{"POST", "/groups", `{"displayName":"x","mailEnabled":false,"mailNickname":"x","securityEnabled":true,"writebackConfiguration":{"isEnabled":true}}`, "writebackConfiguration"},
		{"PATCH", "/servicePrincipals/" + sp, `{"notes":"x","customSecurityAttributes":{}}`, "customSecurityAttributes"},
		{"PATCH", "/applications/" + app, `{"notes":"x","servicePrincipalLockConfiguration":{}}`, "servicePrincipalLockConfiguration"},
	} {
		last := w.dir.LastChange()
		var body any
		if r.body != "" {
			body = r.body
		}
		if a := w.want(501, r.method, "/v1.0"+r.path, body); a.str("error", "code") != "NotImplemented" || !strings.Contains(a.str("error", "message"), "'"+r.names+"'") {
			t.Errorf("%s: %s", r.path, a.text)
		}
		if w.dir.LastChange() != last {
			t.Errorf("%s %s wrote something", r.method, r.path)
		}
	}
}

// TestUnboundReferences: a reference that a route does not bind is refused by name, not passed over.
func TestUnboundReferences(t *testing.T) {
	w := newWorld(t, "")
	adele, group := w.user("adele"), w.group("Sales")
	sp, app, _ := w.app("Fabrikam App")
	for path, name := range map[string]string{"/users/" + adele: "directReports", "/groups/" + group: "acceptedSenders", "/servicePrincipals/" + sp: "owners", "/applications/" + app: "extensionProperties"} {
		last := w.dir.LastChange()
		a := w.want(400, "PATCH", "/v1.0"+path, fmt.Sprintf(`{"displayName":"x","%s@odata.bind":["https://graph.microsoft.com/v1.0/users/%s"]}`, name, adele))
		if !strings.Contains(a.str("error", "message"), name+"@odata.bind") || w.dir.LastChange() != last {
			t.Errorf("%s: %s", path, a.text)
		}
	}
}

// TestPropertiesOnSelect are those that the azuread provider of Terraform asks for one by one.
func TestPropertiesOnSelect(t *testing.T) {
	w := newWorld(t, "")
	sp, app, _ := w.app("Fabrikam App")
	if a := w.want(200, "GET", "/beta/servicePrincipals/"+sp+"?$select=samlMetadataUrl", nil); a.at("samlMetadataUrl") != nil || !strings.Contains(a.text, `"samlMetadataUrl":null`) {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/beta/applications/"+app+"?$select=oauth2RequirePostResponse", nil); a.at("oauth2RequirePostResponse") != false {
		t.Error(a.text)
	}
	w.want(204, "PATCH", "/beta/applications/"+app, `{"oauth2RequirePostResponse":true}`)
	if a := w.want(200, "GET", "/beta/applications/"+app+"?$select=oauth2RequirePostResponse", nil); a.at("oauth2RequirePostResponse") != true {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/applications/"+app, nil); strings.Contains(a.text, "oauth2RequirePostResponse") {
		t.Error(a.text)
	}
	unified := w.want(201, "POST", "/v1.0/groups", `{"displayName":"All","mailEnabled":true,"mailNickname":"all","securityEnabled":false,"groupTypes":["Unified"]}`).str("id")
	for id, want := range map[string]any{unified: false, w.group("Sales"): nil} {
		a := w.want(200, "GET", "/beta/groups/"+id+"?$select=allowExternalSenders,autoSubscribeNewMembers,hideFromAddressLists,hideFromOutlookClients", nil)
		if a.at("allowExternalSenders") != want || a.at("hideFromOutlookClients") != want || len(a.body) != 5 {
			t.Error(a.text)
		}
	}
}

// TestWrongTypes: the message names the property, what is expected and what came, in the words of JSON.
func TestWrongTypes(t *testing.T) {
	w := newWorld(t, "")
	adele := w.user("adele")
	for body, message := range map[string]string{
		`{"department":5}`:          "Invalid value specified for property 'department': expected text or null, not 5.",
		`{"accountEnabled":null}`:   "Invalid value specified for property 'accountEnabled': expected true or false, not null.",
		`{"businessPhones":[5]}`:    "Invalid value specified for property 'businessPhones': expected a list of text, not [5].",
		`{"employeeHireDate":"no"}`: "Invalid value specified for property 'employeeHireDate': expected a time such as 2026-01-31T09:00:00Z, not \"no\".",
	} {
		if a := w.want(400, "PATCH", "/v1.0/users/"+adele, body); a.str("error", "message") != message || a.str("error", "code") != "Request_BadRequest" {
			t.Errorf("%s: %s", body, a.text)
		}
	}
}

// TestExpandedLinks: what $expand shows, and that it names what it does not.
func TestExpandedLinks(t *testing.T) {
	w := newWorld(t, "")
	boss := w.user("boss")
	adele := w.user("adele", "manager@odata.bind", "https://graph.microsoft.com/v1.0/users/"+boss)
	bind := []string{"https://graph.microsoft.com/v1.0/users/" + adele}
	group := w.want(201, "POST", "/v1.0/groups", map[string]any{"displayName": "Sales", "mailEnabled": false, "mailNickname": "sales", "securityEnabled": true, "members@odata.bind": bind}).str("id")
	app := w.want(201, "POST", "/v1.0/applications", map[string]any{"displayName": "Fabrikam", "owners@odata.bind": bind})
	sp := w.want(201, "POST", "/v1.0/servicePrincipals", map[string]any{"appId": app.str("appId"), "owners@odata.bind": bind}).str("id")
	for path, want := range map[string]string{
		"/users/" + adele + "?$select=id&$expand=memberOf($select=id),manager($select=id)": `"memberOf":[{"@odata.type":"#microsoft.graph.group","id":"` + group + `"}],"manager":{"@odata.type":"#microsoft.graph.user","id":"` + boss + `"}`,
		"/users/" + boss + "?$select=id&$expand=directReports($select=id),manager":         `"directReports":[{"@odata.type":"#microsoft.graph.user","id":"` + adele + `"}]}`,
		"/users?$select=id&$expand=memberOf($select=id)":                                   `"memberOf":[{"@odata.type":"#microsoft.graph.group","id":"` + group + `"}]`,
		"/applications/" + app.str("id") + "?$select=id&$expand=owners($select=id)":        `"owners":[{"@odata.type":"#microsoft.graph.user","id":"` + adele + `"}]`,
		"/applications?$select=id&$expand=owners($select=id)":                              `"owners":[{"@odata.type":"#microsoft.graph.user","id":"` + adele + `"}]`,
		"/servicePrincipals/" + sp + "?$select=id&$expand=owners($select=id)":              `"owners":[{"@odata.type":"#microsoft.graph.user","id":"` + adele + `"}]`,
	} {
		if a := w.want(200, "GET", "/v1.0"+path, nil); !strings.Contains(a.text, want) {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	for path, status := range map[string]int{"/users/" + adele + "?$expand=ownedObjects": 501, "/groups?$expand=transitiveMembers": 501,
		"/servicePrincipals?$expand=memberOf": 501, "/users/" + adele + "?$expand=shoes": 400, "/users/" + adele + "?$expand=department": 400} {
		name := path[strings.LastIndex(path, "=")+1:]
		if a := w.want(status, "GET", "/v1.0"+path, nil); !strings.Contains(a.str("error", "message"), "'"+name+"'") {
			t.Errorf("%s: %s", path, a.text)
		}
	}
}

// TestServicePrincipalsAreNoMembers: Graph takes them; here the answer says what is not possible, not that they don't exist.
func TestServicePrincipalsAreNoMembers(t *testing.T) {
	w := newWorld(t, "")
	group := w.group("Sales")
	sp, _, _ := w.app("Fabrikam App")
	a := w.want(400, "POST", "/v1.0/groups/"+group+"/members/$ref", `{"@odata.id":"https://graph.microsoft.com/v1.0/servicePrincipals/`+sp+`"}`)
	if a.str("error", "code") != "Request_BadRequest" || !strings.Contains(a.str("error", "message"), "members: A service principal") {
		t.Error(a.text)
	}
}

// TestSpellingOfTheVersion: scripts write the version in several ways.
func TestSpellingOfTheVersion(t *testing.T) {
	w := newWorld(t, "secret")
	adele := w.want(201, "POST", "/V1.0/Users", userBody("adele"), "Authorization", "Bearer secret")
	if adele.header.Get("Location") != w.url+"/v1.0/users/"+adele.str("id") {
		t.Error(adele.header)
	}
	for _, version := range []string{"/V1.0", "/Beta", "/BETA", "/beta"} {
		w.want(200, "GET", version+"/users/"+adele.str("id"), nil, "Authorization", "Bearer secret")
		if a := w.want(401, "GET", version+"/users", nil); a.str("error", "code") != "InvalidAuthenticationToken" {
			t.Error(a.text)
		}
	}
}

// TestWhatGroupsKeep: what a group was made with can't be changed; writing it again is no change.
func TestWhatGroupsKeep(t *testing.T) {
	w := newWorld(t, "")
	at := "/v1.0/groups/" + w.group("Sales")
	for body, name := range map[string]string{`{"description":"x","isAssignableToRole":true}`: "isAssignableToRole", `{"description":"x","groupTypes":["Unified"]}`: "groupTypes"} {
		last := w.dir.LastChange()
		if a := w.want(400, "PATCH", at, body); !strings.Contains(a.str("error", "message"), "'"+name+"'") || w.dir.LastChange() != last {
			t.Errorf("%s: %s", body, a.text)
		}
	}
	w.want(204, "PATCH", at, `{"isAssignableToRole":false,"groupTypes":[]}`)
	w.want(204, "PATCH", at, `{"groupTypes":["DynamicMembership"],"membershipRule":"user.department -eq \"Sales\"","membershipRuleProcessingState":"On"}`)
	w.want(204, "PATCH", at, `{"groupTypes":[]}`)
}

// TestRoutesOfElsewhere: a single object of a relation, and synchronization as an object, are Graph's and not here.
func TestRoutesOfElsewhere(t *testing.T) {
	w := newWorld(t, "")
	adele, group := w.user("adele"), w.group("Sales")
	sp, app, _ := w.app("Fabrikam App")
	for _, path := range []string{"/users/" + adele + "/memberOf/" + group, "/users/" + adele + "/directReports/" + adele, "/groups/" + group + "/transitiveMembers/" + adele,
		"/servicePrincipals/" + sp + "/synchronization", "/applications/" + app + "/synchronization/jobs"} {
		if a := w.want(501, "GET", "/v1.0"+path, nil); a.str("error", "code") != "NotImplemented" {
			t.Errorf("%s: %s", path, a.text)
		}
	}
}
