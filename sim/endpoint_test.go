package sim

import (
	"net/http"
	"strings"
	"testing"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// TestCustomAppSSOLife holds the literal requests of a job of the old template, from its creation to the deletion of what it
// made.
func TestCustomAppSSOLife(t *testing.T) {
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	w := newWorld(t, mapping.Default(), "")
	w.no(w.svc.DeleteJob(w.app.ID))
	token := "secret-token"
	for _, c := range []struct{ url, template string }{{w.http.URL + "/v2", TemplateCustomAppSSO}, {w.http.URL + "/scimmer", TemplateCustomAppSSO}, {w.http.URL + "/scim", "salesforce"}} {
		if _, err := w.svc.CreateJobOf(w.app.ID, c.template, SettingsEdit{TenantURL: &c.url, SecretToken: &token}); directory.CodeOf(err) != directory.Invalid {
			t.Errorf("%s at %s: %v", c.template, c.url, err)
		}
	}
	url := w.http.URL + "/scim?aadOptscim062020" // flags are for jobs of the other template
	j, err := w.svc.CreateJobOf(w.app.ID, TemplateCustomAppSSO, SettingsEdit{TenantURL: &url, SecretToken: &token})
	w.no(err)
	if !strings.HasPrefix(j.ID, "customappsso.") || j.TemplateID != TemplateCustomAppSSO {
		t.Errorf("job %s of %s", j.ID, j.TemplateID)
	}
	w.no(w.svc.TestConnection(t.Context(), w.app.ID, nil, nil))
	boss := w.user("boss")
	ann := w.user("ann", "department", "Flight", "manager", boss.ID)
	ops := w.group("Ops", ann.ID)
	w.assign(boss.ID, ann.ID, ops.ID)
	w.no(w.svc.Start(w.app.ID))
	post := func(nick, name, more string) string {
		return `POST /Users {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + enterprise + `"],"externalId":"` + nick + `","userName":"` + nick + `@contoso.example","active":true,"displayName":"` + name + `","meta":{"resourceType":"User"}` + more + `}`
	}
	ref := func(name string) string {
		return `[{"$ref":"` + w.http.URL + `/scim/Users/{` + name + `}","value":"{` + name + `}"}]`
	}
	w.want(w.cycle(),
		`GET /Users?filter=userName+eq+%22boss%40contoso.example%22`, post("boss", "Boss", ""),
		`GET /Users?filter=userName+eq+%22ann%40contoso.example%22`, post("ann", "Ann", `,"`+enterprise+`":{"department":"Flight"}`),
		`GET /Groups?excludedAttributes=members&filter=displayName+eq+%22Ops%22`,
		`POST /Groups {"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],"externalId":"`+ops.ID+`","displayName":"Ops","meta":{"resourceType":"Group"}}`,
		`PATCH /Users/{Ann} `+patchHead+`{"op":"Add","path":"manager","value":`+ref("Boss")+`}]}`,
		`PATCH /Groups/{Ops} `+patchHead+`{"op":"Add","path":"members","value":[{"$ref":null,"value":"{Ann}"}]}]}`)
	w.edit(ann.ID, "department", "Ground", "displayName", "Ann Ace")
	w.want(w.cycle(), `GET /Users/{Ann Ace}`,
		`PATCH /Users/{Ann Ace} `+patchHead+`{"op":"Replace","path":"displayName","value":[{"$ref":null,"value":"Ann Ace"}]},{"op":"Replace","path":"`+enterprise+`.department","value":[{"$ref":null,"value":"Ground"}]}]}`)
	w.edit(ann.ID, "manager", nil)
	w.want(w.cycle(), `GET /Users/{Ann Ace}`, `PATCH /Users/{Ann Ace} `+patchHead+`{"op":"Remove","path":"manager","value":[{"value":"{Boss}"}]}]}`)
	w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, ann.ID))
	w.want(w.cycle(), `GET /Users/{Ann Ace}`, `GET /Groups/{Ops}?excludedAttributes=members`, `PATCH /Groups/{Ops} `+patchHead+`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"{Ann Ace}"}]}]}`)
	w.edit(ann.ID, "accountEnabled", false)
	w.want(w.cycle(), `GET /Users/{Ann Ace}`, `PATCH /Users/{Ann Ace} `+patchHead+`{"op":"Replace","path":"active","value":"False"}]}`)
	// A refused create has the old message, with the name in front.
	bob := w.user("bob")
	w.assign(bob.ID)
	w.before(func(rw http.ResponseWriter, r *http.Request, _ string) bool {
		return r.Method == "POST" && w.reply(rw, 400, "no")
	})
	w.cycle()
	const old = "Failed to create User 'bob@contoso.example' in customappsso; Error: The SCIM endpoint is not fully compatible with the Azure Active Directory SCIM client. "
	if l := w.record(bob.ID); l.ErrorCode != "SystemForCrossDomainIdentityManagementBadRequest" || !strings.HasPrefix(l.Reason, old) ||
		!strings.HasSuffix(l.Reason, " Web Response: no. This operation was retried 0 times. It will be retried again after this date: 2026-01-05T09:40:00.0000000Z UTC") {
		t.Errorf("%s\n%s", l.ErrorCode, l.Reason)
	}
	if p, err := w.svc.Preview(w.app.ID, ops.ID); err != nil || !strings.Contains(p.Create, "ADSCIM/2.0/Group") {
		t.Errorf("preview %s, %v", p.Create, err)
	}
}
