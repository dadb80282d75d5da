package graph_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRegistrationWithoutTemplate(t *testing.T) {
	w := newWorld(t, "")
	adele := w.user("adele")
	role := map[string]any{"id": "2b7f0a1c-1111-4222-8333-444455556666", "displayName": "Reader", "description": "Reads", "value": "reader", "isEnabled": true, "allowedMemberTypes": []string{"User"}}
	made := w.want(201, "POST", "/v1.0/applications", map[string]any{"displayName": "Fabrikam", "identifierUris": []string{"api://fabrikam"},
		"web":      map[string]any{"redirectUris": []string{"https://app.fabrikam.example/signin"}, "implicitGrantSettings": map[string]any{"enableIdTokenIssuance": false}},
		"appRoles": []any{role}, "owners@odata.bind": []string{"https://graph.microsoft.com/v1.0/users/" + adele}})
	app, appID := made.str("id"), made.str("appId")
	if made.header.Get("Location") != w.url+"/v1.0/applications/"+app || fmt.Sprint(made.at("identifierUris")) != "[api://fabrikam]" || made.str("signInAudience") != "AzureADMyOrg" ||
		made.at("web", "implicitGrantSettings", "enableIdTokenIssuance") != false || made.at("web", "implicitGrantSettings", "enableAccessTokenIssuance") != false ||
		made.at("web", "homePageUrl") != nil || fmt.Sprint(made.at("api", "knownClientApplications")) != "[]" || made.at("applicationTemplateId") != nil {
		t.Error(made.text)
	}
	if a := w.want(200, "GET", "/v1.0/applications(appId='"+appID+"')/owners", nil); a.column("id") != adele {
		t.Error(a.text)
	}
	// There is no service principal yet, wherever one looks.
	if a := w.want(200, "GET", "/v1.0/servicePrincipals", nil); len(a.list()) != 0 {
		t.Error(a.text)
	}
	w.want(404, "GET", "/v1.0/servicePrincipals(appId='"+appID+"')", nil)
	if a := w.want(200, "GET", "/v1.0/servicePrincipals/$count", nil, "ConsistencyLevel", "eventual"); a.text != "0" {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/applications?$filter="+url.QueryEscape("identifierUris/any(u:u eq 'api://fabrikam')"), nil); a.column("id") != app {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/directoryObjects/"+app, nil); a.str("@odata.type") != "#microsoft.graph.application" {
		t.Error(a.text)
	}
	if a := w.want(200, "POST", "/v1.0/directoryObjects/getByIds", map[string]any{"ids": []string{app, adele, "11111111-2222-4333-8444-555555555555"}, "types": []string{"application"}}); a.column("id") != app {
		t.Error(a.text)
	}
	w.want(204, "PATCH", "/v1.0/applications/"+app, map[string]any{"displayName": "Fabrikam 2", "web": map[string]any{"homePageUrl": "https://fabrikam.example"}, "spa": map[string]any{"redirectUris": []string{"https://spa.fabrikam.example"}}})
	if a := w.want(200, "GET", "/v1.0/applications/"+app, nil); a.str("displayName") != "Fabrikam 2" || a.str("web", "homePageUrl") != "https://fabrikam.example" ||
		fmt.Sprint(a.at("web", "redirectUris")) != "[https://app.fabrikam.example/signin]" || fmt.Sprint(a.at("spa", "redirectUris")) != "[https://spa.fabrikam.example]" {
		t.Error(a.text)
	}
	if a := w.want(400, "PATCH", "/v1.0/applications/"+app, map[string]any{"appRoles": []any{}}); a.str("error", "code") != "CannotDeleteOrUpdateEnabledEntitlement" {
		t.Error(a.text)
	}
	role["isEnabled"] = false
	w.want(204, "PATCH", "/v1.0/applications/"+app, map[string]any{"appRoles": []any{role}})
	w.want(204, "PATCH", "/v1.0/applications/"+app, map[string]any{"appRoles": []any{}})
	w.want(204, "PUT", "/v1.0/applications/"+app+"/logo", "no picture", "Content-Type", "image/png")

	// The service principal.
	if a := w.want(400, "POST", "/v1.0/servicePrincipals", `{"appId":"11111111-2222-4333-8444-555555555555"}`); a.str("error", "code") != "NoBackingApplicationObject" || !strings.Contains(a.text, "appId") {
		t.Error(a.text)
	}
	sp := w.want(201, "POST", "/v1.0/servicePrincipals", map[string]any{"appId": appID, "tags": []string{"HideApp"}, "alternativeNames": []string{"other"}})
	if sp.str("appId") != appID || sp.at("appRoleAssignmentRequired") != false || fmt.Sprint(sp.at("replyUrls"), sp.at("tags"), sp.at("alternativeNames")) != "[https://app.fabrikam.example/signin] [HideApp] [other]" {
		t.Error(sp.text)
	}
	if a := w.want(409, "POST", "/v1.0/servicePrincipals", map[string]any{"appId": appID}); a.str("error", "code") != "Request_MultipleObjectsWithSameKeyValue" || !strings.Contains(a.text, "appId") {
		t.Error(a.text)
	}
	at := "/v1.0/servicePrincipals/" + sp.str("id")
	w.want(204, "PATCH", at, map[string]any{"logoutUrl": "https://fabrikam.example/out", "alternativeNames": nil, "replyUrls": []string{"https://other.fabrikam.example"}})
	if a := w.want(200, "GET", at+"?$select=logoutUrl,alternativeNames,replyUrls", nil); a.str("logoutUrl") != "https://fabrikam.example/out" || fmt.Sprint(a.at("alternativeNames"), a.at("replyUrls")) != "[] [https://other.fabrikam.example]" {
		t.Error(a.text)
	}
	w.want(201, "POST", at+"/synchronization/jobs", `{"templateId":"scim"}`)

	// Deleted together, restored together, by either id.
	w.want(204, "DELETE", "/v1.0/applications/"+app, nil)
	if a := w.want(200, "GET", "/v1.0/directory/deletedItems/"+app+"/microsoft.graph.application", nil); a.str("@odata.type") != "#microsoft.graph.application" || a.str("deletedDateTime") == "" {
		t.Error(a.text)
	}
	if a := w.want(200, "POST", "/v1.0/directory/deletedItems/"+app+"/restore", nil); a.str("id") != app {
		t.Error(a.text)
	}
	w.want(200, "GET", at, nil)

	// A registration alone is deleted alone.
	alone := w.want(201, "POST", "/beta/applications", `{"displayName":"Alone"}`).str("id")
	w.want(204, "DELETE", "/v1.0/applications/"+alone, nil)
	if a := w.want(200, "GET", "/v1.0/directory/deletedItems/microsoft.graph.servicePrincipal", nil); len(a.list()) != 0 {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/directory/deletedItems/microsoft.graph.application", nil); a.column("id") != alone {
		t.Error(a.text)
	}
	w.want(204, "DELETE", "/v1.0/directory/deletedItems/"+alone, nil)
	w.want(404, "GET", "/v1.0/directory/deletedItems/"+alone, nil)
	w.want(404, "GET", "/v1.0/applications/"+alone, nil)
}

// TestApplicationBodies: what an application can't hold is named, and nothing of such a request is written.
func TestApplicationBodies(t *testing.T) {
	w := newWorld(t, "")
	app := w.want(201, "POST", "/v1.0/applications", `{"displayName":"Fabrikam"}`)
	at := "/v1.0/applications/" + app.str("id")
	before := w.want(200, "GET", at, nil).text
	for body, names := range map[string]string{
		`{"notes":"x","colour":"red"}`:                                   "colour",
		`{"notes":"x","displayName":7}`:                                  "displayName",
		`{"notes":"x","displayName":null}`:                               "displayName",
		`{"notes":"x","web":{"redirectUri":"x"}}`:                        "web/redirectUri",
		`{"notes":"x","web":{"redirectUris":"x"}}`:                       "web/redirectUris",
		`{"notes":"x","web":{"implicitGrantSettings":{"a":true}}}`:       "web/implicitGrantSettings/a",
		`{"notes":"x","identifierUris":"x"}`:                             "identifierUris",
		`{"notes":"x","isFallbackPublicClient":"yes"}`:                   "isFallbackPublicClient",
		`{"notes":"x","signInAudience":"Everybody"}`:                     "signInAudience",
		`{"notes":"x","appId":"11111111-2222-4333-8444-555555555555"}`:   "appId",
		`{"notes":"x","passwordCredentials":[{"secretText":"x"}]}`:       "passwordCredentials",
		`{"notes":"x","appRoles":[{"id":"x"}]}`:                          "appRoles/id",
		`{"notes":"x","appRoles":[{"displayName":"x","colour":"red"}]}`:  "appRoles/colour",
		`{"notes":"x","owners@odata.bind":["https://x.example/users/"]}`: "reference",
	} {
		if a := w.want(400, "PATCH", at, body); !strings.Contains(a.str("error", "message"), names) {
			t.Errorf("%s: %s", body, a.text)
		}
	}
	w.want(501, "PATCH", at, `{"notes":"x","keyCredentials":[{"type":"AsymmetricX509Cert"}]}`)
	if a := w.want(200, "GET", at, nil); a.text != before {
		t.Errorf("half written: %s", a.text)
	}
	for body, names := range map[string]string{`{}`: "displayName", `{"displayName":""}`: "displayName", `{"displayName":true}`: "displayName"} {
		if a := w.want(400, "POST", "/v1.0/applications", body); !strings.Contains(a.str("error", "message"), names) {
			t.Errorf("%s: %s", body, a.text)
		}
	}
	for body, names := range map[string]string{`{}`: "appId", `{"appId":"x"}`: "appId", `{"appId":"` + app.str("appId") + `","appRoles":[]}`: "appRoles",
		`{"appId":"` + app.str("appId") + `","accountEnabled":"yes"}`: "accountEnabled"} {
		if a := w.want(400, "POST", "/v1.0/servicePrincipals", body); !strings.Contains(a.str("error", "message"), names) {
			t.Errorf("%s: %s", body, a.text)
		}
	}
	if a := w.want(200, "GET", "/v1.0/servicePrincipals", nil); len(a.list()) != 0 {
		t.Errorf("half written: %s", a.text)
	}
}

func TestOwners(t *testing.T) {
	w := newWorld(t, "")
	adele, carl := w.user("adele"), w.user("carl")
	sp, app, _ := w.app("Fabrikam App")
	sales := w.want(201, "POST", "/v1.0/groups", map[string]any{"displayName": "Sales", "mailEnabled": false, "mailNickname": "sales", "securityEnabled": true,
		"owners@odata.bind": []string{w.url + "/v1.0/users/" + adele}, "members@odata.bind": []string{w.url + "/v1.0/users/" + carl}}).str("id")
	ref := func(id string) map[string]any {
		return map[string]any{"@odata.id": "https://graph.microsoft.com/v1.0/directoryObjects/" + id}
	}
	for _, at := range []string{"/v1.0/groups/" + sales, "/v1.0/applications/" + app, "/v1.0/servicePrincipals/" + sp} {
		if !strings.Contains(at, "groups") {
			w.want(204, "POST", at+"/owners/$ref", ref(adele))
		}
		if a := w.want(400, "POST", at+"/owners/$ref", ref(adele)); !strings.Contains(a.text, "already exist for the following modified properties: 'owners'") {
			t.Error(a.text)
		}
		w.want(204, "POST", at+"/owners/$ref", ref(carl))
		w.want(204, "POST", at+"/owners/$ref", ref(sp))
		w.want(404, "POST", at+"/owners/$ref", ref("11111111-2222-4333-8444-555555555555"))
		w.want(404, "POST", at+"/owners/$ref", ref(sales)) // no group owns anything
		if a := w.want(200, "GET", at+"/owners?$select=id", nil); a.column("id") != adele+" "+carl+" "+sp || a.list()[0]["@odata.type"] != "#microsoft.graph.user" {
			t.Error(a.text)
		}
		if a := w.want(200, "GET", at+"/owners/microsoft.graph.servicePrincipal", nil); a.column("id") != sp {
			t.Error(a.text)
		}
		if a := w.want(200, "GET", at+"/owners/$count", nil, "ConsistencyLevel", "eventual"); a.text != "3" {
			t.Error(a.text)
		}
		if a := w.want(200, "GET", at+"/owners/$ref", nil); !strings.HasSuffix(a.list()[1]["@odata.id"].(string), carl) {
			t.Error(a.text)
		}
		w.want(200, "GET", at+"/owners/"+carl+"/$ref", nil)
		w.want(204, "DELETE", at+"/owners/"+carl+"/$ref", nil)
		w.want(404, "GET", at+"/owners/"+carl+"/$ref", nil)
		w.want(404, "DELETE", at+"/owners/"+carl+"/$ref", nil)
		w.want(204, "DELETE", at+"/owners/$ref?@id="+w.url+"/v1.0/directoryObjects/"+sp, nil)
	}
	if a := w.want(200, "GET", "/v1.0/groups/"+sales+"?$select=id&$expand=owners($select=id)", nil); !strings.Contains(a.text, `"owners":[{"@odata.type":"#microsoft.graph.user","id":"`+adele+`"}]`) {
		t.Error(a.text)
	}
	if a := w.want(400, "DELETE", "/v1.0/groups/"+sales+"/owners/"+adele+"/$ref", nil); !strings.Contains(a.text, "at least one owner") {
		t.Error(a.text)
	}
	w.want(204, "DELETE", "/v1.0/applications/"+app+"/owners/"+adele+"/$ref", nil)
	// A deleted owner is hidden, and comes back.
	w.want(204, "DELETE", "/v1.0/users/"+adele, nil)
	if a := w.want(200, "GET", "/v1.0/groups/"+sales+"/owners", nil); len(a.list()) != 0 {
		t.Error(a.text)
	}
	w.want(200, "POST", "/v1.0/directory/deletedItems/"+adele+"/restore", nil)
	if a := w.want(200, "GET", "/v1.0/groups/"+sales+"/owners", nil); a.column("id") != adele {
		t.Error(a.text)
	}
}

// TestClientsOfTheTenant: with a token, only it and the passwords of applications are good as client secrets.
func TestClientsOfTheTenant(t *testing.T) {
	w := newWorld(t, "the-token")
	auth := []string{"Authorization", "Bearer the-token"}
	app := w.want(201, "POST", "/v1.0/applications", `{"displayName":"Fabrikam"}`, auth...)
	at := "/v1.0/applications/" + app.str("id")
	made := w.want(200, "POST", at+"/addPassword", `{"passwordCredential":{"displayName":"ci","endDateTime":"2026-02-05T09:00:00Z"}}`, auth...)
	secret := made.str("secretText")
	if len(secret) < 32 || made.str("hint") != secret[:3] || made.str("displayName") != "ci" || made.str("endDateTime") != "2026-02-05T09:00:00Z" || made.str("startDateTime") != "2026-01-05T09:00:00Z" {
		t.Error(made.text)
	}
	shown := w.want(200, "GET", at, nil, auth...)
	if strings.Contains(shown.text, secret) || !strings.Contains(shown.text, `"keyId":"`+made.str("keyId")+`","secretText":null`) {
		t.Error(shown.text)
	}
	token := func(id, secret string) answer {
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {w.url + "/.default"}, "client_id": {id}, "client_secret": {secret}}
		return w.do("POST", "/"+w.dir.Tenant().ID+"/oauth2/v2.0/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	}
	good := token(app.str("appId"), secret)
	if good.status != 200 {
		t.Fatal(good.text)
	}
	w.want(200, "GET", "/v1.0/users", nil, "Authorization", "Bearer "+good.str("access_token"))
	if a := token("any client", "the-token"); a.status != 200 {
		t.Error(a.text)
	}
	for _, c := range []struct {
		id, secret string
		status     int
		code       string
	}{
		{app.str("appId"), "wrong", 401, "AADSTS7000215"},
		{app.str("id"), secret, 400, "AADSTS700016"},
		{"11111111-2222-4333-8444-555555555555", secret, 400, "AADSTS700016"},
	} {
		if a := token(c.id, c.secret); a.status != c.status || !strings.HasPrefix(a.str("error_description"), c.code) || strings.Contains(a.text, c.secret) && c.secret == secret {
			t.Errorf("%v: %d %s", c, a.status, a.text)
		}
	}
	// It expires, and it goes.
	if _, err := w.svc.Advance(t.Context(), 40*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if a := token(app.str("appId"), secret); a.status != 401 {
		t.Error(a.text)
	}
	second := w.want(200, "POST", at+"/addPassword", nil, auth...)
	if a := token(app.str("appId"), second.str("secretText")); a.status != 200 {
		t.Error(a.text)
	}
	w.want(204, "POST", at+"/removePassword", map[string]any{"keyId": second.str("keyId")}, auth...)
	if a := token(app.str("appId"), second.str("secretText")); a.status != 401 {
		t.Error(a.text)
	}
	for body, names := range map[string]string{`{"keyId":"` + second.str("keyId") + `"}`: "keyId", `{}`: "keyId", `{"key":"x"}`: "key"} {
		if a := w.want(400, "POST", at+"/removePassword", body, auth...); !strings.Contains(a.str("error", "message"), names) {
			t.Errorf("%s: %s", body, a.text)
		}
	}
	for body, names := range map[string]string{`{"passwordCredential":{"endDateTime":"soon"}}`: "endDateTime", `{"passwordCredential":{"endDateTime":"2020-01-01T00:00:00Z"}}`: "endDateTime",
		`{"passwordCredential":{"displayName":7}}`: "displayName"} {
		if a := w.want(400, "POST", at+"/addPassword", body, auth...); !strings.Contains(a.str("error", "message"), names) {
			t.Errorf("%s: %s", body, a.text)
		}
	}
	w.want(401, "POST", at+"/addPassword", nil)
}

// TestAssignedServicePrincipal: a service principal can have a role that applications may have; provisioning passes it over.
//
// Shows: F-183
func TestAssignedServicePrincipal(t *testing.T) {
	w := newWorld(t, "")
	sp, app, userRole := w.app("Fabrikam App")
	client, _, _ := w.app("Client")
	roles := w.want(200, "GET", "/v1.0/applications/"+app, nil).at("appRoles").([]any)
	const robot = "2b7f0a1c-1111-4222-8333-444455556666"
	roles = append(roles, map[string]any{"id": robot, "displayName": "Robot", "description": "Robots", "isEnabled": true, "allowedMemberTypes": []string{"Application"}})
	w.want(204, "PATCH", "/v1.0/applications/"+app, map[string]any{"appRoles": roles})
	adele := w.user("adele")
	at := "/v1.0/servicePrincipals/" + sp + "/appRoleAssignedTo"
	for _, x := range []struct{ principal, role string }{{client, userRole}, {adele, robot}} {
		if a := w.want(400, "POST", at, map[string]any{"principalId": x.principal, "resourceId": sp, "appRoleId": x.role}); !strings.Contains(a.text, "Permission being assigned was not found on application") {
			t.Error(a.text)
		}
	}
	mine := "/v1.0/servicePrincipals/" + client + "/appRoleAssignments"
	made := w.want(201, "POST", mine, map[string]any{"principalId": client, "resourceId": sp, "appRoleId": robot})
	if made.str("principalType") != "ServicePrincipal" || made.str("principalDisplayName") != "Client" {
		t.Error(made.text)
	}
	w.want(201, "POST", at, map[string]any{"principalId": adele, "resourceId": sp, "appRoleId": userRole})
	if a := w.want(200, "GET", at, nil); a.column("principalType") != "ServicePrincipal User" {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", mine, nil); a.column("resourceDisplayName") != "Fabrikam App" {
		t.Error(a.text)
	}
	w.want(404, "GET", "/v1.0/users/"+client+"/appRoleAssignments", nil)
	service := "/v1.0/servicePrincipals/" + sp + "/synchronization"
	job := service + "/jobs/" + w.want(201, "POST", service+"/jobs", `{"templateId":"scim"}`).str("id")
	w.want(204, "PUT", service+"/secrets", map[string]any{"value": []map[string]any{{"key": "BaseAddress", "value": w.url + "/scim"}, {"key": "SecretToken", "value": "entrasim"}}})
	w.want(204, "POST", job+"/start", nil)
	for range 2 {
		if _, err := w.svc.Advance(t.Context(), 40*time.Minute); err != nil {
			t.Fatal(err)
		}
		if a := w.want(200, "GET", job, nil); a.str("status", "lastExecution", "state") != "Succeeded" || fmt.Sprint(a.at("status", "synchronizedEntryCountByType")) != "[map[key:User to urn:ietf:params:scim:schemas:extension:enterprise:2.0:User value:1]]" {
			t.Error(a.text)
		}
		w.do("DELETE", mine+"/"+made.str("id"), nil) // an incremental cycle sees it go
	}
	if a := w.want(200, "GET", "/v1.0/auditLogs/provisioning", nil); len(a.list()) != 1 {
		t.Error(a.text)
	}
}

// TestWritersOfAnApplication: members of one object that are written at once all stay, as do secrets, owners and members.
func TestWritersOfAnApplication(t *testing.T) {
	w := newWorld(t, "")
	_, app, _ := w.app("Fabrikam App")
	sales := w.group("Sales")
	at := "/v1.0/applications/" + app
	var ids []string
	for i := range 8 {
		ids = append(ids, w.user(fmt.Sprintf("user%d", i)))
	}
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() {
			body := []string{`{"web":{"redirectUris":["https://a.example"]}}`, `{"web":{"logoutUrl":"https://b.example"}}`,
				`{"web":{"homePageUrl":"https://c.example"}}`, `{"web":{"implicitGrantSettings":{"enableAccessTokenIssuance":true}}}`}[i%4]
			ref := map[string]any{"@odata.id": "https://graph.microsoft.com/v1.0/users/" + id}
			for _, r := range []struct {
				method, path string
				body         any
			}{{"PATCH", at, body}, {"POST", at + "/addPassword", nil}, {"POST", at + "/owners/$ref", ref}, {"POST", "/v1.0/groups/" + sales + "/members/$ref", ref},
				{"POST", "/v1.0/groups/" + sales + "/owners/$ref", ref}, {"PATCH", "/v1.0/groups/" + sales, `{"description":"x"}`}} {
				if a := w.do(r.method, r.path, r.body); a.status >= 300 {
					t.Errorf("%s %s: %d %s", r.method, r.path, a.status, a.text)
				}
			}
		})
	}
	all.Wait()
	a := w.want(200, "GET", at, nil)
	if fmt.Sprint(a.at("web")) != "map[homePageUrl:https://c.example implicitGrantSettings:map[enableAccessTokenIssuance:true enableIdTokenIssuance:true] logoutUrl:https://b.example redirectUris:[https://a.example]]" ||
		len(a.at("passwordCredentials").([]any)) != len(ids) {
		t.Error(a.text)
	}
	for _, list := range []string{at + "/owners", "/v1.0/groups/" + sales + "/owners", "/v1.0/groups/" + sales + "/members"} {
		if a := w.want(200, "GET", list, nil); len(a.list()) != len(ids) {
			t.Errorf("%s: %s", list, a.text)
		}
	}
}
