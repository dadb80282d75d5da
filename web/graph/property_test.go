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
