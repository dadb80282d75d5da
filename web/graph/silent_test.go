package graph_test

import (
	"net/url"
	"strings"
	"testing"
)

// TestSelectOfTheTenant: small collections heed $select as the large ones do, and refuse what they don't know.
func TestSelectOfTheTenant(t *testing.T) {
	w := newWorld(t, "")
	tenant := w.dir.Tenant().ID
	for path, want := range map[string]string{
		"/organization?$select=id,displayName":                                              "#organization(id,displayName)",
		"/organization/" + tenant + "?$select=id,displayName":                               "#organization(id,displayName)/$entity",
		"/domains?$select=id,isDefault":                                                     "#domains(id,isDefault)",
		"/domains/contoso.example?$select=id,isDefault":                                     "#domains(id,isDefault)/$entity",
		"/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621?$select=id,displayName": "#applicationTemplates(id,displayName)/$entity",
	} {
		a := w.want(200, "GET", "/v1.0"+path, nil)
		object := a.body
		if list := a.list(); list != nil {
			object = list[0]
		}
		delete(object, "@odata.context")
		if len(object) != 2 || object["id"] == nil || !strings.Contains(a.text, want+`"`) {
			t.Errorf("%s: %s", path, a.text)
		}
		at, _, _ := strings.Cut(path, "?")
		if a := w.want(400, "GET", "/v1.0"+at+"?$select=shoeSize", nil); !strings.Contains(a.str("error", "message"), "'shoeSize'") {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	w.want(400, "GET", "/v1.0/subscribedSkus?$select=shoeSize", nil)
	w.want(200, "GET", "/v1.0/subscribedSkus?$select=skuId,skuPartNumber", nil)
	if a := w.want(501, "GET", "/v1.0/organization?$select=privacyProfile", nil); !strings.Contains(a.text, "privacyProfile") {
		t.Error(a.text)
	}
	adele := w.user("adele")
	if a := w.want(200, "POST", "/v1.0/directoryObjects/getByIds?$select=id,displayName", map[string]any{"ids": []string{adele}}); len(a.list()) != 1 || len(a.list()[0]) != 3 || a.column("displayName") != "Adele" {
		t.Error(a.text)
	}
	w.want(400, "POST", "/v1.0/directoryObjects/getByIds?$select=shoeSize", map[string]any{"ids": []string{adele}})
}

// TestElementsOfLists: any() over a list of objects knows their members.
func TestElementsOfLists(t *testing.T) {
	w := newWorld(t, "")
	adele := w.user("adele", "identities", []any{map[string]any{"signInType": "emailAddress", "issuer": "contoso.example", "issuerAssignedId": "a@fabrikam.test"}})
	for filter, want := range map[string]string{
		"identities/any(c:c/issuerAssignedId eq 'a@fabrikam.test' and c/issuer eq 'contoso.example')": adele,
		"identities/any(c:c/ISSUER eq 'nowhere')":                                                     "",
		"identities/any(c:c/shoeSize eq 'x')":                                                         "'shoeSize'",
		"identities/any(c:c eq 'x')":                                                                  "'c'",
		"otherMails/any(x:x/id eq 'x')":                                                               "'x/id'",
		"otherMails/any(x:x eq 5)":                                                                    "position",
		"otherMails/any(x:startswith(x,'a'))":                                                         "",
		"assignedLicenses/any(x:x/skuId eq " + nobody + ")":                                           "",
	} {
		a := w.do("GET", "/v1.0/users?$select=id&$filter="+url.QueryEscape(filter), nil)
		if strings.ContainsAny(want, "'") || want == "position" {
			if a.status != 400 || !strings.Contains(a.str("error", "message"), want) {
				t.Errorf("%s: %s", filter, a.text)
			}
		} else if a.status != 200 || a.column("id") != want {
			t.Errorf("%s: %s", filter, a.text)
		}
	}
	for _, at := range []string{"/auditLogs/provisioning?$filter=modifiedProperties/any(p:p/shoeSize+eq+'x')", "/auditLogs/directoryAudits?$filter=targetResources/any(t:t/shoeSize+eq+'x')"} {
		if a := w.want(400, "GET", "/v1.0"+at, nil); !strings.Contains(a.text, "shoeSize") {
			t.Error(a.text)
		}
	}
}

// TestShortLists: lists that never fill a page are paged, counted and filtered all the same.
func TestShortLists(t *testing.T) {
	w := newWorld(t, "")
	sp, _, _ := w.app("Fabrikam App")
	sync := "/v1.0/servicePrincipals/" + sp + "/synchronization"
	var ids []string
	for next := sync + "/templates?$top=1&$select=id&$count=true"; next != ""; {
		a := w.want(200, "GET", next, nil, "ConsistencyLevel", "eventual")
		if a.at("@odata.count") != 2.0 || len(a.list()) != 1 {
			t.Fatal(a.text)
		}
		ids = append(ids, a.column("id"))
		next = a.str("@odata.nextLink")
	}
	if strings.Join(ids, " ") != "scim customappsso" {
		t.Error(ids)
	}
	if a := w.want(200, "GET", "/v1.0/applicationTemplates?$count=true", nil, "ConsistencyLevel", "eventual"); a.at("@odata.count") != 1.0 || a.str("@odata.nextLink") != "" {
		t.Error(a.text)
	}
	job := w.want(201, "POST", sync+"/jobs", `{"templateId":"scim"}`).str("id")
	for query, want := range map[string]string{"$filter=templateId+eq+'scim'": job, "$filter=templateId+eq+'customappsso'": "", "$top=1": job, "$select=id": job} {
		if a := w.want(200, "GET", sync+"/jobs?"+query, nil); a.column("id") != want {
			t.Errorf("%s: %s", query, a.text)
		}
	}
	if a := w.want(200, "GET", sync+"/jobs/"+job+"?$select=id,schedule", nil); len(a.body) != 3 || a.str("schedule", "state") != "Disabled" {
		t.Error(a.text)
	}
	w.want(400, "GET", sync+"/jobs?$select=shoeSize", nil)
}

// TestNewJobsAreNotConfigured: what a new job would not do is refused, not passed over.
func TestNewJobsAreNotConfigured(t *testing.T) {
	w := newWorld(t, "")
	sp, _, _ := w.app("Fabrikam App")
	sync := "/v1.0/servicePrincipals/" + sp + "/synchronization"
	for body, name := range map[string]string{
		`{"templateId":"scim","schedule":{"state":"Active"}}`:                           "schedule",
		`{"templateId":"scim","status":{"code":"Active"}}`:                              "status",
		`{"templateId":"scim","id":"x"}`:                                                "id",
		`{"templateId":"scim","synchronizationJobSettings":[{"name":"a","value":"b"}]}`: "synchronizationJobSettings",
	} {
		if a := w.want(400, "POST", sync+"/jobs", body); !strings.Contains(a.str("error", "message"), "'"+name+"'") {
			t.Errorf("%s: %s", body, a.text)
		}
	}
	if a := w.want(200, "GET", sync+"/jobs", nil); len(a.list()) != 0 {
		t.Error(a.text)
	}
	w.want(201, "POST", sync+"/jobs", `{"templateId":"scim","schedule":null,"synchronizationJobSettings":[]}`)
	if a := w.want(400, "PUT", sync+"/secrets", `{"value":[{"key":"SecretToken","value":"a"},{"key":"SecretToken","value":"b"}]}`); !strings.Contains(a.text, "twice") {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", sync+"/secrets", nil); len(a.list()) != 0 {
		t.Error(a.text)
	}
}
