package graph_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// app instantiates an application, and returns the object ids of its service principal and its registration, and the id of
// its first role.
func (w *world) app(name string) (principal, application, role string) {
	w.t.Helper()
	a := w.want(201, "POST", "/v1.0/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate", map[string]any{"displayName": name})
	roles, _ := a.at("servicePrincipal", "appRoles").([]any)
	if len(roles) != 2 || a.at("servicePrincipal", "appRoleAssignmentRequired") != true {
		w.t.Fatal(a.text)
	}
	return a.str("servicePrincipal", "id"), a.str("application", "id"), roles[0].(map[string]any)["id"].(string)
}

func TestApplicationsAndAssignments(t *testing.T) {
	w := newWorld(t, "")
	if a := w.want(200, "GET", "/v1.0/applicationTemplates?$filter=displayName%20eq%20'Custom'", nil); a.column("id") != "8adf8e6e-67b2-4cf2-a259-e3dc5476c621" {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/applicationTemplates?$filter=displayName%20eq%20'Other'", nil); len(a.list()) != 0 {
		t.Error(a.text)
	}
	sp, app, role := w.app("Fabrikam App")
	a := w.want(200, "GET", "/v1.0/servicePrincipals/"+sp, nil)
	appID := a.str("appId")
	for _, path := range []string{"/v1.0/servicePrincipals(appId='" + appID + "')", "/v1.0/servicePrincipals(appId='" + appID + "')?$select=id"} {
		if got := w.want(200, "GET", path, nil); got.str("id") != sp {
			t.Error(got.text)
		}
	}
	if got := w.want(200, "GET", "/v1.0/servicePrincipals?$filter=appId%20eq%20'"+appID+"'", nil); got.column("id") != sp {
		t.Error(got.text)
	}
	if got := w.want(200, "GET", "/v1.0/applications/"+app, nil); got.str("appId") != appID || got.str("signInAudience") != "AzureADMyOrg" {
		t.Error(got.text)
	}
	w.want(404, "GET", "/v1.0/applications/"+sp, nil)
	w.want(204, "PATCH", "/v1.0/servicePrincipals/"+sp, map[string]any{"notes": "x", "appRoleAssignmentRequired": false})
	if got := w.want(200, "GET", "/v1.0/servicePrincipals/"+sp+"?$select=notes,appRoleAssignmentRequired", nil); got.str("notes") != "x" || got.at("appRoleAssignmentRequired") != false {
		t.Error(got.text)
	}
	w.want(400, "PATCH", "/v1.0/servicePrincipals/"+sp, map[string]any{"appRoles": []any{}})

	adele, sales := w.user("adele"), w.group("Sales")
	body := map[string]any{"principalId": adele, "resourceId": sp, "appRoleId": role}
	made := w.want(201, "POST", "/v1.0/servicePrincipals/"+sp+"/appRoleAssignedTo", body)
	if made.str("principalType") != "User" || made.str("principalDisplayName") != "Adele" || len(made.str("id")) != 43 || made.str("@odata.context") != w.url+"/v1.0/$metadata#servicePrincipals('"+sp+"')/appRoleAssignedTo/$entity" {
		t.Error(made.text)
	}
	if a := w.want(400, "POST", "/v1.0/servicePrincipals/"+sp+"/appRoleAssignedTo", body); !strings.HasPrefix(a.str("error", "message"), "Permission being assigned already exists on the object") {
		t.Error(a.text)
	}
	body["appRoleId"] = "11111111-2222-3333-4444-555555555555"
	if a := w.want(400, "POST", "/v1.0/servicePrincipals/"+sp+"/appRoleAssignedTo", body); a.str("error", "message") != "appRoleId: Permission being assigned was not found on application '"+appID+"'." && a.str("error", "message") != "Permission being assigned was not found on application '"+appID+"'." {
		t.Error(a.text)
	}
	second := w.want(201, "POST", "/v1.0/groups/"+sales+"/appRoleAssignments", map[string]any{"principalId": sales, "resourceId": sp, "appRoleId": "00000000-0000-0000-0000-000000000000"})
	if a := w.want(200, "GET", "/v1.0/servicePrincipals/"+sp+"/appRoleAssignedTo", nil); len(a.list()) != 2 {
		t.Error(a.text)
	}
	first := w.want(200, "GET", "/v1.0/servicePrincipals/"+sp+"/appRoleAssignedTo?$top=1", nil)
	rest := w.want(200, "GET", first.str("@odata.nextLink"), nil)
	if got := first.column("principalDisplayName") + " " + rest.column("principalDisplayName"); got != "Adele Sales" {
		t.Error(got)
	}
	if a := w.want(200, "GET", "/v1.0/users/"+adele+"/appRoleAssignments", nil); a.column("resourceDisplayName") != "Fabrikam App" {
		t.Error(a.text)
	}
	w.want(404, "DELETE", "/v1.0/servicePrincipals/"+sp+"/appRoleAssignedTo/"+adele, nil)
	w.want(204, "DELETE", "/v1.0/users/"+adele+"/appRoleAssignments/"+made.str("id"), nil)
	w.want(204, "DELETE", "/v1.0/servicePrincipals/"+sp+"/appRoleAssignedTo/"+second.str("id"), nil)
	w.want(404, "GET", "/v1.0/servicePrincipals/"+sp+"/appRoleAssignedTo/"+second.str("id"), nil)
	w.want(204, "DELETE", "/v1.0/applications/"+app, nil)
	if a := w.want(200, "GET", "/v1.0/directory/deletedItems/graph.servicePrincipal", nil); a.column("id") != sp {
		t.Error(a.text)
	}
}

// Shows: F-020, F-022, F-023, F-025, F-032, F-068, F-098, F-190, F-194, F-212, T1, T17, S-003, S-004, S-011, S-014
// Shows: S-020, S-021, S-128, S-295, S-298, S-358, W-216
func TestProvisioningStory(t *testing.T) {
	w := newWorld(t, "")
	sp, _, role := w.app("Fabrikam App")
	sync := "/v1.0/servicePrincipals/" + sp + "/synchronization"
	if a := w.want(200, "GET", sync+"/templates", nil); a.column("id") != "scim customappsso" || a.list()[0]["schema"] == nil {
		t.Errorf("%.300s", a.text)
	}
	if a := w.want(200, "GET", sync+"/jobs", nil); len(a.list()) != 0 {
		t.Error(a.text)
	}
	w.want(400, "POST", sync+"/jobs", map[string]any{"templateId": "nothing"})
	a := w.want(201, "POST", sync+"/jobs/", map[string]any{"templateId": "scim"})
	job := a.str("id")
	if !strings.HasPrefix(job, "scim."+strings.ReplaceAll(w.dir.Tenant().ID, "-", "")+".") || a.str("schedule", "interval") != "PT40M" ||
		a.str("schedule", "state") != "Disabled" || a.str("status", "code") != "Paused" || a.at("status", "lastExecution") != nil ||
		a.str("status", "steadyStateFirstAchievedTime") != "0001-01-01T00:00:00Z" {
		t.Error(a.text)
	}
	if a := w.want(409, "POST", sync+"/jobs", map[string]any{"templateId": "scim"}); a.str("error", "code") != "Conflict" {
		t.Error(a.text)
	}
	if a := w.want(404, "GET", sync+"/jobs/scim.x.y", nil); a.str("error", "code") != "ResourceNotFound" {
		t.Error(a.text)
	}
	if a := w.want(400, "PUT", sync+"/secrets", `{"value":[{"key":"baseAddress","value":"x"}]}`); a.str("error", "message") != "Requested value 'baseAddress' was not found." {
		t.Error(a.text)
	}
	credentials := []map[string]any{{"key": "BaseAddress", "value": w.url + "/scim"}, {"key": "SecretToken", "value": "entrasim"}, {"key": "SyncAll", "value": "false"}, {"key": "Domain", "value": "d"}}
	w.want(204, "PUT", sync+"/secrets", map[string]any{"value": credentials})
	if a := w.want(200, "GET", sync+"/secrets", nil); a.column("key") != "BaseAddress SecretToken Domain SyncAll" || a.column("value") != w.url+"/scim * d false" {
		t.Error(a.text)
	}
	w.want(204, "PUT", sync+"/secrets", `{"value":[{"key":"SecretToken","value":"*"},{"key":"Domain","value":""}]}`)
	if a := w.want(200, "GET", sync+"/secrets", nil); a.column("key") != "BaseAddress SecretToken SyncAll" {
		t.Error(a.text)
	}
	w.want(204, "POST", sync+"/jobs/"+job+"/validateCredentials", `{"useSavedCredentials":true}`)
	bad := w.want(400, "POST", sync+"/jobs/validateCredentials", map[string]any{"templateId": "scim", "credentials": []map[string]any{credentials[0], {"key": "SecretToken", "value": "wrong"}}})
	if bad.str("error", "code") == "BadRequest" || !strings.Contains(bad.str("error", "message"), "Details:") {
		t.Error(bad.text)
	}

	schema := w.want(200, "GET", sync+"/jobs/"+job+"/schema", nil)
	if schema.str("@odata.context") == "" || schema.str("id") != job {
		t.Errorf("%.300s", schema.text)
	}
	w.want(204, "PUT", sync+"/jobs/"+job+"/schema", schema.text)
	if again := w.want(200, "GET", sync+"/jobs/"+job+"/schema", nil); again.text != schema.text {
		t.Errorf("the schema changed: %.400s", again.text)
	}
	broken := strings.Replace(schema.text, `"targetAttributeName":"displayName"`, `"targetAttributeName":"nowhere"`, 1)
	if a := w.want(400, "PUT", sync+"/jobs/"+job+"/schema", broken); a.str("error", "code") != "BadRequest" || !strings.Contains(a.str("error", "message"), "nowhere") {
		t.Error(a.text)
	}
	w.want(204, "DELETE", sync+"/jobs/"+job+"/schema", nil)
	if a := w.want(200, "GET", sync+"/jobs/"+job+"/schema/microsoft.graph.filterOperators()", nil); len(a.list()) != 14 || !strings.Contains(a.text, `"name":"IS NULL","arity":"Unary"`) {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", sync+"/jobs/"+job+"/schema/functions", nil); !strings.Contains(a.column("name"), "Append") || !strings.Contains(a.text, `"allowMultipleOccurrences":false`) {
		t.Errorf("%.300s", a.text)
	}
	if a := w.want(200, "GET", sync+"/jobs/"+job+"/schema/directories", nil); !strings.Contains(a.column("name"), "customappsso") || len(a.list()) != 2 {
		t.Errorf("%.300s", a.text)
	}
	w.want(404, "GET", sync+"/jobs/"+job+"/schema/directories/none", nil)

	adele := w.user("adele")
	w.want(201, "POST", "/v1.0/servicePrincipals/"+sp+"/appRoleAssignedTo", map[string]any{"principalId": adele, "resourceId": sp, "appRoleId": role})
	w.want(204, "POST", sync+"/jobs/"+job+"/start", nil)
	w.want(204, "POST", sync+"/jobs/"+job+"/microsoft.graph.start", nil)
	if a := w.want(200, "GET", sync+"/jobs/"+job, nil); a.str("status", "code") != "NotRun" || a.str("schedule", "state") != "Active" ||
		a.str("status", "lastExecution", "state") != "Failed" || a.str("status", "lastExecution", "error", "code") != "None" {
		t.Error(a.text)
	}
	if _, err := w.svc.Advance(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if a := w.want(200, "GET", sync+"/jobs/"+job, nil); a.str("status", "code") != "Active" || a.str("status", "lastExecution", "state") != "Succeeded" || a.at("status", "lastSuccessfulExecutionWithExports", "countExports") != 1.0 {
		t.Error(a.text)
	}
	// A second user an hour later, so that records differ in time.
	if _, err := w.svc.Advance(t.Context(), 3*time.Hour); err != nil {
		t.Fatal(err)
	}
	carl := w.user("carl")
	w.want(201, "POST", "/v1.0/users/"+carl+"/appRoleAssignments", map[string]any{"principalId": carl, "resourceId": sp, "appRoleId": role})
	if _, err := w.svc.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	all := w.want(200, "GET", "/v1.0/auditLogs/provisioning", nil)
	if len(all.list()) != 2 || all.list()[0]["id"] == nil {
		t.Fatal(all.text)
	}
	logs := func(filter string, more string) answer {
		t.Helper()
		return w.want(200, "GET", "/v1.0/auditLogs/provisioning?$filter="+url.QueryEscape(filter)+more, nil)
	}
	for filter, want := range map[string]int{
		"sourceIdentity/id eq '" + adele + "'":                              1,
		"provisioningAction eq 'Create' and jobId eq '" + job + "'":         2,
		"provisioningStatusInfo/status eq 'failure'":                        0,
		"activityDateTime gt 2026-01-05T11:00:00Z":                          1,
		"activityDateTime lt 2026-01-05T11:00:00Z":                          1,
		"activityDateTime ge 2026-01-04 and activityDateTime lt 2026-01-07": 2,
		"activityDateTime gt 2026-02-01":                                    0,
		"modifiedProperties/any(p: p/displayName eq 'userName')":            2,
		"modifiedProperties/any(p: p/displayName eq 'members')":             0,
		"sourceIdentity/displayName eq 'adele'":                             0, // text is compared with case
		"contains(tolower(sourceIdentity/displayName), 'adele')":            1,
		"((contains(tolower(servicePrincipal/id), '" + sp + "') or contains(tolower(servicePrincipal/displayName), 'x')) and activityDateTime gt 2026-01-01 and activityDateTime lt 2026-01-31)": 2,
	} {
		if a := logs(filter, ""); len(a.list()) != want {
			t.Errorf("%s: %d records, want %d", filter, len(a.list()), want)
		}
	}
	first := logs("jobId eq '"+job+"'", "&$top=1&$count=true&$orderby=activityDateTime%20desc")
	next := w.want(200, "GET", first.str("@odata.nextLink"), nil)
	if first.at("@odata.count") != 2.0 || next.at("@odata.nextLink") != nil || first.list()[0]["id"] != all.list()[0]["id"] || next.list()[0]["id"] != all.list()[1]["id"] {
		t.Error(first.text, next.text)
	}
	if a := w.want(200, "GET", "/v1.0/auditLogs/provisioning?$skip=1", nil); len(a.list()) != 1 || a.list()[0]["id"] != all.list()[1]["id"] {
		t.Error(a.text)
	}
	w.want(400, "GET", "/v1.0/auditLogs/provisioning?$skip=some", nil)
	if a := logs("jobId eq '"+job+"'", "&$orderby=activityDateTime"); a.list()[0]["id"] != all.list()[1]["id"] {
		t.Error(a.text)
	}
	record := w.want(200, "GET", "/v1.0/auditLogs/provisioning/"+all.list()[1]["id"].(string), nil)
	if record.str("provisioningAction") != "create" || record.str("provisioningStatusInfo", "status") != "success" || record.at("provisioningStatusInfo", "errorInformation") != nil ||
		record.str("servicePrincipal", "displayName") != "Fabrikam App" || record.str("initiatedBy", "initiatorType") != "system" || record.str("targetIdentity", "id") == "" {
		t.Error(record.text)
	}
	w.want(404, "GET", "/v1.0/auditLogs/provisioning/nothing", nil)

	w.want(204, "POST", sync+"/jobs/"+job+"/restart", `{"criteria":{"resetScope":"Watermark, Escrows, QuarantineState"}}`)
	w.want(400, "POST", sync+"/jobs/"+job+"/restart", `{"criteria":{"resetScope":"Everything"}}`)
	w.want(204, "POST", sync+"/jobs/"+job+"/pause", nil)
	if a := w.want(200, "GET", sync+"/jobs/"+job, nil); a.str("status", "code") != "Paused" || a.str("schedule", "state") != "Paused" {
		t.Error(a.text)
	}
	w.want(400, "POST", sync+"/jobs/"+job+"/provisionOnDemand", `{}`)
	w.want(204, "DELETE", sync+"/jobs/"+job, nil)
	w.want(404, "GET", sync+"/jobs/"+job, nil)
}

func TestBatch(t *testing.T) {
	w := newWorld(t, "")
	adele := w.user("adele")
	item := func(id, method, url string, more ...any) map[string]any {
		m := map[string]any{"id": id, "method": method, "url": url}
		for i := 0; i+1 < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	a := w.want(200, "POST", "/v1.0/$batch", map[string]any{"requests": []any{
		item("1", "GET", "/users?$select=id"),
		item("2", "PATCH", "/v1.0/users/"+adele, "headers", map[string]any{"Content-Type": "application/json"}, "body", map[string]any{"jobTitle": "x"}),
		item("3", "GET", "users/nobody@contoso.example"),
		item("4", "GET", "/users", "dependsOn", []string{"3"}),
		item("5", "POST", "/$batch", "headers", map[string]any{"Content-Type": "application/json"}, "body", map[string]any{"requests": []any{}}),
		item("6", "PATCH", "/users/"+adele, "body", map[string]any{"jobTitle": "y"}),
		item("7", "GET", "/users/"+adele+"?$select=jobTitle", "dependsOn", []string{"2"}),
	}})
	var got []string
	for _, x := range a.body["responses"].([]any) {
		m := x.(map[string]any)
		got = append(got, fmt.Sprint(m["id"], " ", m["status"]))
		if _, has := m["body"]; has == (m["id"] == "2") {
			t.Errorf("body of %v", m)
		}
	}
	if want := "1 200|2 204|3 404|4 424|5 400|6 400|7 200"; strings.Join(got, "|") != want {
		t.Errorf("%v, want %s\n%s", got, want, a.text)
	}
	if !strings.Contains(a.text, `"jobTitle":"x"`) {
		t.Error(a.text)
	}
	var many []any
	for range 21 {
		many = append(many, item("x", "GET", "/users"))
	}
	w.want(400, "POST", "/v1.0/$batch", map[string]any{"requests": many})
	w.want(400, "POST", "/v1.0/$batch", map[string]any{"requests": []any{item("a", "GET", "/users"), item("A", "GET", "/users")}})
	w.want(400, "POST", "/v1.0/$batch", map[string]any{"requests": []any{}})
}
