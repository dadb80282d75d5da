package graph_test

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestDirectoryAudits: what was done with an application and its provisioning, in pages, filtered, one by one.
//
// Shows: F-199
func TestDirectoryAudits(t *testing.T) {
	w := newWorld(t, "")
	sp, _, role := w.app("Fabrikam App")
	if _, err := w.svc.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	sync := "/v1.0/servicePrincipals/" + sp + "/synchronization"
	job := w.want(201, "POST", sync+"/jobs", `{"templateId":"scim"}`).str("id")
	adele := w.user("adele")
	w.want(201, "POST", "/v1.0/users/"+adele+"/appRoleAssignments", map[string]any{"principalId": adele, "resourceId": sp, "appRoleId": role})
	w.want(204, "POST", sync+"/jobs/"+job+"/start", nil)
	const at = "/v1.0/auditLogs/directoryAudits"
	all := w.want(200, "GET", at, nil)
	if all.column("operationType") != "Update Add Add Add" || all.column("category") != "ProvisioningManagement ApplicationManagement ProvisioningManagement ApplicationManagement" ||
		all.list()[2]["activityDisplayName"] != "Add provisioning configuration" || !strings.Contains(all.text, `"displayName":"Fabrikam App"`) {
		t.Error(all.text)
	}
	if ids, n := w.pages(at + "?$top=3"); len(ids) != 4 || n != 2 || ids[3] != all.list()[3]["id"] {
		t.Error(ids, n)
	}
	for filter, want := range map[string]int{"category eq 'ProvisioningManagement'": 2, "activityDateTime ge 2026-01-05T10:00:00Z": 3, "activityDateTime lt 2026-01-05T10:00:00Z": 1,
		"startswith(activityDisplayName,'Add ')": 3, "targetResources/any(t:t/id eq '" + sp + "')": 4, "result eq 'failure'": 0} {
		if a := w.want(200, "GET", at+"?$filter="+url.QueryEscape(filter), nil); len(a.list()) != want {
			t.Errorf("%s: %s", filter, a.text)
		}
	}
	one := all.list()[0]["id"].(string)
	if a := w.want(200, "GET", at+"/"+one, nil); a.str("id") != one || a.at("initiatedBy", "app") == nil {
		t.Error(a.text)
	}
	w.want(404, "GET", at+"/none", nil)
	for query, names := range map[string]string{"$filter=colour+eq+'red'": "colour", "$orderby=category": "category", "$orderby=activityDateTime": "activityDateTime", "$select=colour": "colour", "$skiptoken=x": "token"} {
		if a := w.want(400, "GET", at+"?"+query, nil); !strings.Contains(a.str("error", "message"), names) {
			t.Errorf("%s: %s", query, a.text)
		}
	}
}

func TestMembershipChecks(t *testing.T) {
	w := newWorld(t, "")
	now := w.svc.Clock().Now()
	adele := w.user("adele")
	outer, inner, other := w.group("Outer"), w.group("Inner"), w.group("Other")
	must(t, w.dir.AddMembers(now, outer, inner))
	must(t, w.dir.AddMembers(now, inner, adele))
	for _, at := range []string{"/v1.0/users/" + adele, "/v1.0/directoryObjects/" + adele, "/v1.0/users/adele@contoso.example"} {
		for path, body := range map[string]map[string]any{"/checkMemberGroups": {"groupIds": []string{outer, other}}, "/checkMemberObjects": {"ids": []string{outer, other}}} {
			a := w.want(200, "POST", at+path, body)
			if ids, _ := a.at("value").([]any); len(ids) != 1 || ids[0] != outer {
				t.Errorf("%s: %s", path, a.text)
			}
		}
		if a := w.want(200, "POST", at+"/microsoft.graph.getMemberGroups", map[string]any{"securityEnabledOnly": true}); len(a.at("value").([]any)) != 2 {
			t.Error(a.text)
		}
	}
	if a := w.want(400, "POST", "/v1.0/users/"+adele+"/checkMemberGroups", map[string]any{"groupIds": []string{}}); !strings.Contains(a.text, "groupIds") {
		t.Error(a.text)
	}
}
