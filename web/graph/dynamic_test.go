package graph_test

import (
	"strings"
	"testing"
	"time"
)

// TestDynamicMembershipGroups: a group with a membership rule is made and changed as Graph does it; its members follow from
// the rule, are listed like others, are provisioned, and are not changed by hand (api/group-post-groups.md,
// api/group-post-members.md).
//
// Shows: F-006, S-111
func TestDynamicMembershipGroups(t *testing.T) {
	w := newWorld(t, "")
	adele, carl := w.user("adele"), w.user("carl")
	w.want(204, "PATCH", "/v1.0/users/"+adele, `{"department":"Sales"}`)
	body := func(rule string) map[string]any {
		return map[string]any{"displayName": "Sellers", "mailEnabled": false, "mailNickname": "sellers", "securityEnabled": true, "groupTypes": []string{"DynamicMembership"},
			"membershipRule": rule, "membershipRuleProcessingState": "On"}
	}
	if a := w.want(400, "POST", "/v1.0/groups", body(`user.department -eq Sales`)); a.str("error", "code") != "Request_BadRequest" || !strings.Contains(a.str("error", "message"), "Column 21") {
		t.Error(a.text)
	}
	made := w.want(201, "POST", "/v1.0/groups", body(`user.department -eq "Sales"`))
	id := made.str("id")
	if made.str("membershipRule") != `user.department -eq "Sales"` || made.str("membershipRuleProcessingState") != "On" || !strings.Contains(made.text, `"groupTypes":["DynamicMembership"]`) {
		t.Error(made.text)
	}
	holds := func(when, ids string) {
		t.Helper()
		if a := w.want(200, "GET", "/v1.0/groups/"+id+"/members", nil); a.column("id") != ids {
			t.Errorf("%s: %s, want %s", when, a.text, ids)
		}
	}
	holds("at first", adele)
	if a := w.want(200, "GET", "/v1.0/users/"+adele+"/memberOf", nil); a.column("id") != id {
		t.Error(a.text)
	}
	ref := map[string]any{"@odata.id": w.url + "/v1.0/directoryObjects/" + carl}
	if a := w.want(400, "POST", "/v1.0/groups/"+id+"/members/$ref", ref); a.str("error", "code") != "Request_BadRequest" {
		t.Error(a.text)
	}
	w.want(400, "DELETE", "/v1.0/groups/"+id+"/members/"+adele+"/$ref", nil)
	w.want(400, "PATCH", "/v1.0/groups/"+id, map[string]any{"members@odata.bind": []string{w.url + "/v1.0/directoryObjects/" + carl}})
	holds("by hand", adele)

	sp, _, role := w.app("Fabrikam App")
	sync := "/v1.0/servicePrincipals/" + sp + "/synchronization"
	w.want(201, "POST", "/v1.0/servicePrincipals/"+sp+"/appRoleAssignedTo", map[string]any{"principalId": id, "resourceId": sp, "appRoleId": role})
	job := w.want(201, "POST", sync+"/jobs", `{"templateId":"scim"}`).str("id")
	w.want(204, "PUT", sync+"/secrets", map[string]any{"value": []map[string]any{{"key": "BaseAddress", "value": w.url + "/scim"}, {"key": "SecretToken", "value": "entrasim"}}})
	w.want(204, "POST", sync+"/jobs/"+job+"/start", nil)
	logged := func(when, want string) {
		t.Helper()
		if _, err := w.svc.Advance(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range w.want(200, "GET", "/v1.0/auditLogs/provisioning", nil).list() {
			got = append([]string{r["provisioningAction"].(string) + " " + r["sourceIdentity"].(map[string]any)["displayName"].(string)}, got...)
		}
		if text := strings.Join(got, ", "); !strings.HasSuffix(text, want) {
			t.Errorf("%s: %s, want %s", when, text, want)
		}
	}
	logged("the first cycle", "create Adele, create Sellers, update Sellers")
	w.want(204, "PATCH", "/v1.0/users/"+carl, `{"department":"sales"}`)
	w.want(204, "PATCH", "/v1.0/users/"+adele, `{"department":null}`)
	holds("users changed", carl)
	logged("users changed", "disable Adele, create Carl, update Sellers, update Sellers")

	w.want(204, "PATCH", "/v1.0/groups/"+id, `{"membershipRuleProcessingState":"Paused"}`)
	w.want(204, "PATCH", "/v1.0/groups/"+id, `{"membershipRule":"user.accountEnabled -eq true"}`)
	holds("paused", carl)
	w.want(400, "PATCH", "/v1.0/groups/"+id, `{"membershipRuleProcessingState":"Off"}`)
	w.want(204, "PATCH", "/v1.0/groups/"+id, `{"membershipRuleProcessingState":"On"}`)
	holds("processed again", adele+" "+carl)
	w.want(204, "PATCH", "/v1.0/groups/"+id, `{"groupTypes":[],"membershipRule":null,"membershipRuleProcessingState":null}`)
	w.want(204, "DELETE", "/v1.0/groups/"+id+"/members/"+adele+"/$ref", nil)
	holds("by hand now", carl)
}
