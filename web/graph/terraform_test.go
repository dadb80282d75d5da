package graph_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// TestCallerOwnsWhatItCreates: Terraform's azuread provider reads the caller's object id from its token and makes it the owner of
// each group, application and service principal, whose creation it tries again and again while the owner does not exist.
func TestCallerOwnsWhatItCreates(t *testing.T) {
	w := newWorld(t, "")
	client := "5d1f3c57-0000-4000-8000-0123456789AB"
	oid := func(id string) string {
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {"any"}, "scope": {w.url + "/.default"}}
		token := w.do("POST", "/contoso.example/oauth2/v2.0/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded").str("access_token")
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token+"..", ".")[1])
		must(t, err)
		var claims struct{ OID, Sub, AppID string }
		must(t, json.Unmarshal(payload, &claims))
		if claims.Sub != claims.OID || claims.AppID != id {
			t.Errorf("%+v", claims)
		}
		return claims.OID
	}
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids { // a provider asks for several tokens at once
		wg.Go(func() { ids[i] = oid(client) })
	}
	wg.Wait()
	me := ids[0]
	for _, id := range ids {
		if id != me {
			t.Fatalf("one client, several objects: %q", ids)
		}
	}
	if a := w.want(200, "GET", "/v1.0/directoryObjects/"+me, nil); a.str("@odata.type") != "#microsoft.graph.servicePrincipal" || a.str("appId") != strings.ToLower(client) {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/servicePrincipals?$filter="+url.QueryEscape("appId eq '"+client+"'"), nil); a.column("id") != me {
		t.Error(a.text)
	}
	bind := []string{w.url + "/v1.0/directoryObjects/" + me}
	group := w.want(201, "POST", "/beta/groups", map[string]any{"displayName": "Sales", "mailEnabled": false, "mailNickname": "sales", "securityEnabled": true, "owners@odata.bind": bind}).str("id")
	app := w.want(201, "POST", "/v1.0/applications", map[string]any{"displayName": "Fabrikam", "owners@odata.bind": bind})
	principal := w.want(201, "POST", "/v1.0/servicePrincipals", map[string]any{"appId": app.str("appId"), "owners@odata.bind": bind}).str("id")
	for _, at := range []string{"/v1.0/groups/" + group, "/v1.0/applications/" + app.str("id"), "/v1.0/servicePrincipals/" + principal} {
		if a := w.want(200, "GET", at+"/owners", nil); a.column("id") != me {
			t.Errorf("%s: %s", at, a.text)
		}
	}
	// Terraform takes itself away again where the configuration names other owners.
	w.want(204, "DELETE", "/v1.0/servicePrincipals/"+principal+"/owners/"+me+"/$ref", nil)

	// What is no GUID is no application, and one in deleted items stays there.
	if id := oid("some script"); id != "some script" {
		t.Error(id)
	}
	w.want(204, "DELETE", "/v1.0/servicePrincipals/"+me, nil)
	if id := oid(client); id != client {
		t.Error(id)
	}
	w.want(404, "GET", "/v1.0/directoryObjects/"+me, nil)
}

// TestOwnersOfNewServicePrincipals: they are bound with the object or not at all.
func TestOwnersOfNewServicePrincipals(t *testing.T) {
	w := newWorld(t, "")
	appID := w.want(201, "POST", "/v1.0/applications", `{"displayName":"Fabrikam"}`).str("appId")
	last := w.dir.LastChange()
	body := func(id string) map[string]any {
		return map[string]any{"appId": appID, "owners@odata.bind": []string{"https://graph.microsoft.com/v1.0/users/" + id}}
	}
	w.want(404, "POST", "/v1.0/servicePrincipals", body(nobody))
	w.want(400, "POST", "/v1.0/servicePrincipals", body("x"))
	if w.dir.LastChange() != last {
		t.Error("half a service principal")
	}
	adele := w.user("adele")
	sp := w.want(201, "POST", "/v1.0/servicePrincipals", body(adele)).str("id")
	if a := w.want(200, "GET", "/v1.0/servicePrincipals/"+sp+"/owners", nil); a.column("id") != adele {
		t.Error(a.text)
	}
}

// TestPasswordsOfNewApplications: a new application may ask for client secrets, which are told once (api/application-post-applications.md).
func TestPasswordsOfNewApplications(t *testing.T) {
	w := newWorld(t, "token")
	auth := []string{"Authorization", "Bearer token"}
	a := w.want(201, "POST", "/v1.0/applications", `{"displayName":"Fabrikam","passwordCredentials":[{"displayName":"one","endDateTime":"2027-01-01T00:00:00Z"},{"displayName":"two"}]}`, auth...)
	made, _ := a.at("passwordCredentials").([]any)
	if len(made) != 2 {
		t.Fatal(a.text)
	}
	one, _ := made[0].(map[string]any)
	secret, _ := one["secretText"].(string)
	if len(secret) < 30 || one["displayName"] != "one" || one["endDateTime"] != "2027-01-01T00:00:00Z" || one["hint"] != secret[:3] {
		t.Error(a.text)
	}
	if b := w.want(200, "GET", "/v1.0/applications/"+a.str("id"), nil, auth...); strings.Contains(b.text, secret) || strings.Count(b.text, `"secretText":null`) != 2 {
		t.Error(b.text)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.str("appId")}, "client_secret": {secret}, "scope": {w.url + "/.default"}}
	w.want(200, "POST", "/contoso.example/oauth2/v2.0/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	last := w.dir.LastChange()
	for body, name := range map[string]string{
		`{"displayName":"x","passwordCredentials":[{"secretText":"mine"}]}`:                  "secretText",
		`{"displayName":"x","passwordCredentials":[{"shoeSize":7}]}`:                         "shoeSize",
		`{"displayName":"x","passwordCredentials":"x"}`:                                      "passwordCredentials",
		`{"displayName":"x","passwordCredentials":[{"endDateTime":"never"}]}`:                "endDateTime",
		`{"displayName":"x","passwordCredentials":[{"endDateTime":"2001-01-01T00:00:00Z"}]}`: "endDateTime",
	} {
		if a := w.want(400, "POST", "/v1.0/applications", body, auth...); !strings.Contains(a.str("error", "message"), name) {
			t.Errorf("%s: %s", body, a.text)
		}
	}
	if w.dir.LastChange() != last {
		t.Error("half an application")
	}
}
