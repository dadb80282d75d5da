package graph_test

import (
	"net/url"
	"strings"
	"testing"
)

// TestRestoreUnderAnotherName: a user whose name was taken meanwhile comes back with newUserPrincipalName
// (api/directory-deleteditems-restore.md).
func TestRestoreUnderAnotherName(t *testing.T) {
	w := newWorld(t, "")
	adele, group := w.user("adele"), w.group("Sales")
	w.want(204, "DELETE", "/v1.0/users/"+adele, nil)
	w.user("adele")
	restore := "/v1.0/directory/deletedItems/" + adele + "/restore"
	if a := w.want(400, "POST", restore, nil); !strings.Contains(a.text, `"target":"userPrincipalName"`) {
		t.Error(a.text)
	}
	last := w.dir.LastChange()
	for body, names := range map[string]string{
		`{"newUserPrincipalName":"adele@contoso.example"}`:               "userPrincipalName",
		`{"newUserPrincipalName":"adele2@fabrikam.test"}`:                "domain",
		`{"newUserPrincipalName":"a b@contoso.example"}`:                 "userPrincipalName",
		`{"newUserPrincipalName":""}`:                                    "newUserPrincipalName",
		`{"newUserPrincipalName":7}`:                                     "newUserPrincipalName",
		`{"autoReconcileProxyConflict":"yes"}`:                           "autoReconcileProxyConflict",
		`{"newUserPrincipalName":"adele2@contoso.example","shoeSize":1}`: "shoeSize",
	} {
		if a := w.want(400, "POST", restore, body); !strings.Contains(a.str("error", "message"), names) {
			t.Errorf("%s: %s", body, a.text)
		}
	}
	if w.dir.LastChange() != last {
		t.Error("half a restoration")
	}
	a := w.want(200, "POST", restore, `{"newUserPrincipalName":"adele2@contoso.example","autoReconcileProxyConflict":true}`)
	if a.str("id") != adele || a.str("userPrincipalName") != "adele2@contoso.example" || a.str("@odata.type") != "#microsoft.graph.user" {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/users/adele2@contoso.example?$select=id,identities", nil); a.str("id") != adele || !strings.Contains(a.text, `"issuerAssignedId":"adele2@contoso.example"`) {
		t.Error(a.text)
	}
	w.want(204, "DELETE", "/v1.0/groups/"+group, nil)
	if a := w.want(400, "POST", "/v1.0/directory/deletedItems/"+group+"/restore", `{"newUserPrincipalName":"x@contoso.example"}`); !strings.Contains(a.text, "newUserPrincipalName") {
		t.Error(a.text)
	}
	w.want(200, "GET", "/v1.0/directory/deletedItems/"+group, nil)
}

func TestCountOfDeletedItems(t *testing.T) {
	w := newWorld(t, "")
	for _, name := range []string{"adele", "bob", "carol"} {
		if id := w.user(name); name != "carol" {
			w.want(204, "DELETE", "/v1.0/users/"+id, nil)
		}
	}
	for path, want := range map[string]string{"microsoft.graph.user/$count": "2", "microsoft.graph.group/$count": "0", "microsoft.graph.device/$count": "0",
		"microsoft.graph.user/$count?$filter=" + url.QueryEscape("displayName eq 'Bob'"): "1"} {
		if a := w.want(200, "GET", "/v1.0/directory/deletedItems/"+path, nil, "ConsistencyLevel", "eventual"); a.text != want {
			t.Errorf("%s: %s", path, a.text)
		}
	}
}

// TestObjectsOfAnyKind: what is addressed as a directory object is read and deleted as what it is.
func TestObjectsOfAnyKind(t *testing.T) {
	w := newWorld(t, "")
	boss := w.user("boss")
	adele := w.user("adele", "manager@odata.bind", "https://graph.microsoft.com/v1.0/users/"+boss)
	group := w.group("Sales")
	sp, _, _ := w.app("Fabrikam App")
	alone := w.want(201, "POST", "/v1.0/applications", `{"displayName":"Alone"}`).str("id")
	for id, kind := range map[string]string{adele: "user", group: "group", sp: "servicePrincipal", alone: "application"} {
		at := "/v1.0/directoryObjects/" + id
		if a := w.want(200, "GET", at+"/microsoft.graph."+kind, nil); a.str("id") != id {
			t.Error(a.text)
		}
		other := map[string]string{"user": "group"}[kind]
		if other == "" {
			other = "user"
		}
		w.want(404, "GET", at+"/microsoft.graph."+other, nil)
		w.want(204, "DELETE", at, nil)
		w.want(404, "GET", at, nil)
		w.want(200, "GET", "/v1.0/directory/deletedItems/"+id, nil)
		w.want(404, "DELETE", at, nil)
	}
	w.want(200, "POST", "/v1.0/directory/deletedItems/"+adele+"/restore", nil)
	if a := w.want(200, "GET", "/v1.0/users/"+adele+"/manager/microsoft.graph.user", nil); a.str("id") != boss {
		t.Error(a.text)
	}
	w.want(404, "GET", "/v1.0/users/"+adele+"/manager/microsoft.graph.orgContact", nil)
}

// TestNamesThatAreNoKeys: a function of Graph, or $count, is not taken for the key of an object.
func TestNamesThatAreNoKeys(t *testing.T) {
	w := newWorld(t, "")
	for path, status := range map[string]int{"POST /directoryObjects/validateProperties": 501, "POST /directory/deletedItems/getUserOwnedObjects": 501,
		"POST /directoryObjects/microsoft.graph.getAvailableExtensionProperties": 501, "GET /auditLogs/provisioning/$count": 400, "GET /applicationTemplates/$count": 400,
		"GET /me/memberOf": 400, "POST /me/getMemberGroups": 400, "DELETE /users/$count": 405} {
		method, at, _ := strings.Cut(path, " ")
		a := w.want(status, method, "/v1.0"+at, nil)
		name := at[strings.LastIndexAny(at, "/.")+1:]
		if message := a.str("error", "message"); status != 405 && !strings.Contains(message, name) && !strings.Contains(message, "delegated") {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	w.user("adele")
	for _, upn := range []string{"$adele@contoso.example", "delta@contoso.example"} {
		w.want(404, "GET", "/v1.0/users('"+url.PathEscape(upn)+"')", nil)
	}
}
