package graph_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"entrasim/web"
)

// demandWorld is a tenant with one application whose job was never started; it returns the address of the action and of the
// application.
func demandWorld(t *testing.T, change ...func(*web.Deps)) (w *world, action, sync, sp, role string) {
	w = newWorld(t, "", change...)
	sp, _, role = w.app("Fabrikam App")
	sync = "/v1.0/servicePrincipals/" + sp + "/synchronization"
	job := w.want(201, "POST", sync+"/jobs", map[string]any{"templateId": "scim"}).str("id")
	w.want(204, "PUT", sync+"/secrets", map[string]any{"value": []map[string]any{{"key": "BaseAddress", "value": w.url + "/scim"}, {"key": "SecretToken", "value": "entrasim"}}})
	return w, sync + "/jobs/" + job + "/provisionOnDemand", sync, sp, role
}

func (w *world) assigned(sp, role, id string) {
	w.t.Helper()
	w.want(201, "POST", "/v1.0/servicePrincipals/"+sp+"/appRoleAssignedTo", map[string]any{"principalId": id, "resourceId": sp, "appRoleId": role})
}

const outboundRule = "03f7d90d-bf71-41b1-bda6-aaf0ddbee5d8"

func subjects(list ...map[string]any) map[string]any {
	return map[string]any{"parameters": []any{map[string]any{"ruleId": outboundRule, "subjects": list}}}
}

func subject(id, kind string) map[string]any {
	return map[string]any{"objectId": id, "objectTypeName": kind}
}

// inner reads a member of the answer that is a JSON text.
func (a answer) inner(t *testing.T, name string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.str(name)), into); err != nil {
		t.Fatalf("%s is no JSON text: %v\n%s", name, err, a.text)
	}
}

type demandKey struct {
	Result  string
	Details map[string]string
}

type demandValue struct {
	Action, ChangeID, StartTime, EndTime, ReportableIdentifier string
	ModifiedProperties                                         []struct {
		DisplayName        string
		OldValue, NewValue *string
	}
	ProvisioningSteps []struct {
		Name, Type, Status, Description, Timestamp string
		Details                                    map[string]string
	}
	StatusInfo     map[string]*string
	SourceIdentity struct{ ID, Type string }
	TargetIdentity struct{ ID, Type string }
	SourceSystem   struct{ Name string }
	TargetSystem   struct{ Name string }
}

func (v demandValue) steps() string {
	var list []string
	for _, s := range v.ProvisioningSteps {
		list = append(list, s.Name+" "+s.Type+" "+s.Status)
	}
	return strings.Join(list, ", ")
}

// Shows: F-175, F-191, S-298, S-319, S-320, S-340, S-342
func TestProvisionOnDemand(t *testing.T) {
	w, action, sync, sp, role := demandWorld(t)
	adele := w.user("adele")
	w.assigned(sp, role, adele)
	a := w.want(200, "POST", action, subjects(subject(adele, "User")))
	var key demandKey
	var value demandValue
	a.inner(t, "key", &key)
	a.inner(t, "value", &value)
	if a.str("@odata.context") != w.url+"/v1.0/$metadata#microsoft.graph.stringKeyStringValuePair" || len(a.body) != 3 {
		t.Error(a.text)
	}
	if key.Result != "Success" || len(key.Details) != 0 || !strings.Contains(a.str("key"), `"details":{}`) {
		t.Error(a.str("key"))
	}
	if got := value.steps(); got != "EntryImport Import Success, EntryImport Matching Success, EntrySynchronizationScoping Scoping Success, EntrySynchronizationAdd Matching Success, EntryExportAdd Export Success" {
		t.Error(got)
	}
	if value.Action != "Create" || value.ReportableIdentifier != "adele@contoso.example" || value.SourceIdentity.ID != adele || value.SourceIdentity.Type != "User" ||
		value.TargetIdentity.ID == "" || value.TargetSystem.Name != "customappsso" || value.SourceSystem.Name != "Microsoft Entra ID" || value.StartTime != "2026-01-05T09:00:00.0000000Z" ||
		*value.StatusInfo["status"] != "Success" || value.StatusInfo["errorCode"] != nil {
		t.Errorf("%+v", value)
	}
	if len(value.ModifiedProperties) == 0 || value.ModifiedProperties[0].OldValue != nil || value.ProvisioningSteps[0].Details["userPrincipalName"] != "adele@contoso.example" {
		t.Errorf("%+v", value.ModifiedProperties)
	}
	// One record in the log, made by a user; the schedule still stands.
	log := w.want(200, "GET", "/v1.0/auditLogs/provisioning?$filter=initiatedBy/initiatorType%20eq%20'user'", nil)
	if len(log.list()) != 1 || log.list()[0]["changeId"] != value.ChangeID || log.list()[0]["initiatedBy"].(map[string]any)["displayName"] != "Administrator" {
		t.Error(log.text)
	}
	if job := w.want(200, "GET", sync+"/jobs", nil).list()[0]; job["schedule"].(map[string]any)["state"] != "Disabled" {
		t.Error(job)
	}

	// The documented answer of a user that is equal already, with names in any case, on beta.
	body := fmt.Sprintf(`{"Parameters":[{"RuleId":%q,"Subjects":[{"ObjectId":%q,"ObjectTypeName":"user"}]}]}`, outboundRule, adele)
	a = w.want(200, "POST", strings.Replace(action, "/v1.0/", "/beta/", 1), body)
	if want := `{"result":"Skipped","details":{"errorCode":"RedundantExport","errorMessage":"The state of the user in both the source and target systems already match."}}`; a.str("key") != want {
		t.Error(a.str("key"))
	}
	value = demandValue{}
	a.inner(t, "value", &value)
	if got := value.steps(); got != "EntryImport Import Success, EntryImport Matching Success, EntrySynchronizationScoping Scoping Success, EntrySynchronizationSkip Export Skipped" || value.Action != "Other" {
		t.Errorf("%s %s", value.Action, got)
	}
	if got := value.ProvisioningSteps[1].Details; got["userName"] != "adele@contoso.example" || got["active"] != "True" || got["id"] == "" {
		t.Errorf("%v", got)
	}
}

func TestProvisionOnDemandGroup(t *testing.T) {
	w, action, _, sp, role := demandWorld(t)
	sales := w.group("Sales")
	w.assigned(sp, role, sales)
	var members []map[string]any
	for i := range 6 {
		id := w.user(fmt.Sprintf("u%d", i))
		w.want(204, "POST", "/v1.0/groups/"+sales+"/members/$ref", map[string]any{"@odata.id": w.url + "/v1.0/directoryObjects/" + id})
		members = append(members, subject(id, "User"))
	}
	first := w.want(200, "POST", action, subjects(members[0], members[1]))
	var list []demandValue
	first.inner(t, "value", &list)
	if first.str("key") != "Microsoft.Identity.Health.CPP.Common.DataContracts.SyncFabric.StatusInfo" || len(list) != 2 || list[1].Action != "Create" {
		t.Error(first.text)
	}
	group := subject(sales, "Group")
	group["links"] = map[string]any{"members": members[:5]}
	a := w.want(200, "POST", action, subjects(group))
	var value demandValue
	a.inner(t, "value", &value)
	if !strings.Contains(value.steps(), "EntryExportAdd Export Success, EntrySynchronizationUpdate ReferenceResolution Success, EntryExportUpdate Export Success, EntryExportUpdate ReferenceResolution Warning") {
		t.Error(value.steps())
	}
	told := 0
	for _, m := range value.ModifiedProperties {
		if m.DisplayName == "members" {
			told++
		}
	}
	if told != 2 {
		t.Errorf("%d members: %+v", told, value.ModifiedProperties)
	}
	group["links"] = map[string]any{"members": members}
	if a := w.want(400, "POST", action, subjects(group)); !strings.Contains(a.str("error", "message"), "takes 5 at a time") {
		t.Error(a.text)
	}
	delete(group, "links")
	w.want(400, "POST", action, subjects(group, members[0]))
	w.want(400, "POST", action, subjects(group, group))
}

// Shows: S-311
func TestProvisionOnDemandErrors(t *testing.T) {
	w, action, sync, sp, role := demandWorld(t)
	adele, ben := w.user("adele"), w.user("ben")
	w.assigned(sp, role, adele)
	for _, c := range []struct {
		status int
		body   any
		text   string
	}{
		{400, `{"parameters":[]}`, "parameters"},
		{400, `{"parameters":[{"ruleId":"` + outboundRule + `","subjects":[]}]}`, "subject"},
		{400, `{"parameters":[{"subjects":[{"objectId":"` + adele + `","objectTypeName":"User"}]}]}`, "ruleId"},
		{400, `{"parameters":[{"ruleId":"other","subjects":[{"objectId":"` + adele + `","objectTypeName":"User"}]}]}`, "'other'"},
		{400, subjects(subject(adele, "Role")), "'Role'"},
		{400, subjects(subject("", "User")), "objectId"},
		{400, subjects(map[string]any{"objectId": adele, "objectTypeName": "User", "links": map[string]any{"members": []any{subject(ben, "User")}}}), "members"},
		{404, subjects(subject("11111111-2222-3333-4444-555555555555", "User")), "11111111-2222-3333-4444-555555555555"},
		{404, subjects(subject(adele, "Group")), adele},
	} {
		a := w.want(c.status, "POST", action, c.body)
		code := map[int]string{400: "BadRequest", 404: "ResourceNotFound"}[c.status]
		if a.str("error", "code") != code || !strings.Contains(a.str("error", "message"), c.text) {
			t.Errorf("%v\n%s", c.body, a.text)
		}
	}
	w.want(404, "POST", sync+"/jobs/scim.x.y/provisionOnDemand", subjects(subject(adele, "User")))

	// What the request can't help is told in the body.
	check := func(id, result, code string) demandValue {
		t.Helper()
		a := w.want(200, "POST", action, subjects(subject(id, "User")))
		var key demandKey
		var value demandValue
		a.inner(t, "key", &key)
		a.inner(t, "value", &value)
		if key.Result != result || key.Details["errorCode"] != code || key.Details["errorMessage"] == "" {
			t.Error(a.text)
		}
		return value
	}
	if v := check(ben, "Skipped", "NotEffectivelyEntitled"); *v.StatusInfo["status"] != "Skipped" || v.Action != "Other" {
		t.Errorf("%+v", v)
	}
	w.want(204, "PUT", sync+"/secrets", `{"value":[{"key":"SecretToken","value":"wrong"}]}`)
	v := check(adele, "Failure", "SystemForCrossDomainIdentityManagementCredentialValidationFailure")
	if v.steps() != "TestConnection Processing Failure" || *v.StatusInfo["status"] != "Failure" || *v.StatusInfo["errorCategory"] != "NonServiceFailure" {
		t.Errorf("%+v", v)
	}
}

// Shows: F-173, S-312
func TestProvisionOnDemandRateAndForm(t *testing.T) {
	w, action, _, sp, role := demandWorld(t, func(d *web.Deps) { d.ThrottleOnDemand, d.OnDemandFormat = true, "live" })
	adele := w.user("adele")
	w.assigned(sp, role, adele)
	for range 5 {
		if a := w.want(200, "POST", action, subjects(subject(adele, "User"))); !strings.HasPrefix(a.str("value"), "[{") {
			t.Error(a.text)
		}
	}
	if a := w.want(429, "POST", action, subjects(subject(adele, "User"))); a.str("error", "code") != "TooManyRequests" || a.header.Get("Retry-After") != "10" {
		t.Error(a.text, a.header)
	}
	w.want(200, "POST", "/sim/clock", `{"advance":"10s"}`)
	w.want(200, "POST", action, subjects(subject(adele, "User")))
}
