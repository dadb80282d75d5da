package portal_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim"
)

// newApplication makes an application without a job, and returns the address of its pages.
func (s *site) newApplication(name string) string {
	s.Helper()
	p := s.post("/applications/new", "displayName", name)
	s.see(p, name+" created.", "Provisioning is not configured")
	return strings.TrimSuffix(p.path, "/provisioning")
}

// TestAppOfAList: lists and the target's page are about the first application that is started, so that who demonstrates a
// second one beside an idle one sees its numbers.
func TestAppOfAList(t *testing.T) {
	s := newSite(t, 20, "")
	app := s.newApplication("Second")
	tenant := s.post(app+"/provisioning/connectivity", "do", "embedded").value("tenantUrl")
	s.post(app+"/provisioning/connectivity", "do", "save", "tenantUrl", tenant, "secretToken", sim.EmbeddedToken)
	s.see(s.get("/users"), "In ConfigCat")
	s.see(s.get("/target"), "Application: ConfigCat")
	s.post(app + "/provisioning/start")
	s.see(s.get("/users"), "In Second")
	s.see(s.get("/target"), "Application: Second")
	s.see(s.get("/target?application="+s.app), "Application: ConfigCat")
}

// Shows: F-024, S-015
func TestConnectivity(t *testing.T) {
	s := newSite(t, 10, "")
	s.refused(s.post("/applications/new", "displayName", "  "), "displayName", "needs a name")
	app := s.newApplication("Mine")
	for _, n := range s.get(app).root.named("nav") {
		if n.attr["class"] == "menu" && n.words() != "Manage Properties Users and groups Provisioning Monitor Provisioning logs Audit logs Target" {
			t.Errorf("the menu of a new application: %s", n.words())
		}
	}
	s.see(s.get(app+"/provisioning"), "New configuration")
	s.see(s.get(app+"/provisioning/on-demand"), "Mine | Provision on demand")
	at := app + "/provisioning/connectivity"
	s.see(s.get(at), "New provisioning configuration")
	s.refused(s.post(at, "do", "test"), "tenantUrl", "Enter the address of the SCIM endpoint")
	p := s.post(at, "do", "test", "tenantUrl", s.url+"/scim", "secretToken", "wrong")
	s.see(p, "The test failed", "The target refused the token")
	s.sound(p)
	if p.status != http.StatusUnprocessableEntity || p.value("tenantUrl") != s.url+"/scim" || p.value("secretToken") != "wrong" {
		t.Errorf("status %d, %q, %q", p.status, p.value("tenantUrl"), p.value("secretToken"))
	}
	s.see(s.post(at, "do", "save", "tenantUrl", s.url+"/scim", "secretToken", "wrong"), "The test failed") // nothing is saved that does not work
	p = s.post(at, "do", "embedded")
	if !strings.Contains(p.value("tenantUrl"), "/targets/mine-") || p.value("secretToken") != sim.EmbeddedToken {
		t.Errorf("the embedded target: %q, %q", p.value("tenantUrl"), p.value("secretToken"))
	}
	tenant := p.value("tenantUrl")
	s.see(s.post(at, "do", "test", "tenantUrl", tenant, "secretToken", sim.EmbeddedToken), "The connection works")
	s.see(s.post(at, "do", "save", "tenantUrl", tenant, "secretToken", sim.EmbeddedToken), "Configuration created.", "Start provisioning")
	p = s.get(at)
	s.see(p, "A token is saved. Leave this empty to keep it.")
	if strings.Contains(p.html, `value="`+sim.EmbeddedToken+`"`) {
		t.Error("the saved token is on the page")
	}
	s.see(s.post(at, "do", "save", "tenantUrl", tenant, "scope", "all"), "Configuration saved.")
	if p := s.get(at); p.value("scope") != "all" {
		t.Errorf("scope %q", p.value("scope"))
	}
	s.see(s.post(app, "displayName", "Renamed"), "Saved.", "Renamed | Properties")
	s.see(s.questioned(app+"/delete", "Delete Renamed?"), "Renamed deleted.")
	if p := s.get(app); p.status != http.StatusNotFound {
		t.Errorf("a deleted application's page: %d", p.status)
	}
}

// mappings lists the target attributes that a mapping page shows.
func (s *site) mappings(p *page) (names []string) {
	for _, a := range p.root.id("rows").named("a") {
		names = append(names, a.words())
	}
	return names
}

// Shows: F-097, F-099
func TestAttributeMapping(t *testing.T) {
	s := newSite(t, 10, "")
	app := s.newApplication("Mine")
	at := app + "/provisioning/mapping"
	s.see(s.get(at), "Configure provisioning first.")
	s.post(app+"/provisioning/connectivity", "do", "save", "tenantUrl", s.url+"/targets/mine/scim", "secretToken", sim.EmbeddedToken)
	p := s.get(at)
	s.see(p, "Provision Microsoft Entra ID Users", "Target Object Actions", "Source Object Scope", "All records")
	all := s.mappings(p)
	var gone []string
	for _, name := range all {
		if !slices.Contains([]string{"userName", "active", "displayName", "externalId"}, name) {
			gone = append(gone, name)
		}
	}
	p = s.do(http.MethodPost, at, url.Values{"kind": {"User"}, "do": {"delete"}, "target": gone})
	s.see(p, fmt.Sprintf("%d mappings deleted. It takes effect with Save.", len(gone)))
	if got := s.mappings(p); !slices.Equal(got, []string{"userName", "active", "displayName", "externalId"}) {
		t.Errorf("left: %v", got)
	}
	s.see(s.post(at, "kind", "User", "do", "delete"), "No mapping was chosen.")
	s.see(s.post(at, "kind", "User", "delete", "userName"), "Not saved", "has no matching attribute")
	put := func(pairs ...string) *page {
		return s.post(at, append([]string{"kind", "User", "do", "put", "apply", "Always", "match", "no"}, pairs...)...)
	}
	for _, c := range []struct {
		name, field, want string
		form              []string
	}{
		{"no source", "source", "Choose the source attribute.", []string{"type", "Direct", "target", "title"}},
		{"mapped already", "target", "mapped already", []string{"type", "Direct", "source", "jobTitle", "target", "displayName"}},
		{"no expression", "expression", "Write an expression", []string{"type", "Expression", "target", "title"}},
		{"a broken expression", "expression", "", []string{"type", "Expression", "expression", `Join(" ", [givenName]`, "target", "title"}},
		{"precedence", "precedence", "Give a whole number from 1.", []string{"type", "Direct", "source", "jobTitle", "target", "title", "match", "yes", "precedence", "first"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := put(c.form...)
			e := p.root.id("e-" + c.field)
			if p.status != http.StatusUnprocessableEntity || e == nil || !strings.Contains(e.words(), c.want) {
				t.Fatalf("status %d, error %v: %.400s", p.status, e, p.text())
			}
			s.sound(p)
			for i := 0; i+1 < len(c.form); i += 2 {
				if c.form[i] == "type" && p.value("type") != c.form[i+1] || c.form[i] == "target" && p.root.id("f-target") == nil {
					t.Errorf("what was chosen is gone: %s", c.form[i])
				}
			}
		})
	}
	p = put("type", "Expression", "expression", `Join(" ", [givenName], [surname])`, "target", "title", "apply", "ObjectAddOnly")
	s.see(p, "Mapping changed.", "only during creation")
	p = s.get(at + "?kind=User&edit=title")
	s.see(p, "Edit Attribute", "[givenName]", "On the wire", `"title":"`)
	s.sound(p)
	part := s.post(at+"/preview", "kind", "User", "type", "Expression", "expression", `ToUpper([surname])`, "target", "title", "object", s.anyUser("").UserPrincipalName)
	s.see(part, strings.ToUpper(s.anyUser("").Surname))
	s.see(s.post(at+"/preview", "kind", "User", "type", "Expression", "expression", `ToUpper([surname])`, "target", "title", "object", "nobody"), "Name a user to see the result.")
	part = s.post(at+"/preview", "kind", "User", "type", "Expression", "expression", `Switch([IsSoftDeleted], , "false", "True", "true", "False")`, "target", "active", "object", s.anyUser("").UserPrincipalName)
	s.see(part, "no value: nothing is sent", `The key "false" is never met`)
	part = s.post(at+"/preview", "kind", "User", "type", "Expression", "expression", `Join(" ", [extensionAttribute14], [extensionAttribute15])`, "target", "title", "object", s.anyUser("").UserPrincipalName)
	s.see(part, "empty text: nothing is sent")
	if strings.Contains(part.text(), "On the wire") {
		t.Errorf("empty text is shown on the wire: %s", part.text())
	}
	s.see(s.post(at+"?kind=User", "kind", "User", "do", "show", "replaces", "title", "type", "Constant", "constant", "Boss", "target", "title", "object", s.anyUser("").UserPrincipalName), `"Boss"`, "Edit Attribute")
	s.see(s.do(http.MethodPost, at, url.Values{"kind": {"Group"}, "do": {"actions"}, "action": {"Create", "Update"}}), "Mapping changed.", "Not saved")
	if schema, err := s.svc.Schema(strings.TrimPrefix(app, "/applications/")); err != nil || !schema.ObjectMapping("Group").Enabled || len(schema.ObjectMapping("User").AttributeMappings) != len(all) {
		t.Errorf("a draft is in force: %v", err)
	}
	s.see(s.post(at, "kind", "User", "do", "save"), "Mappings saved. The next cycle is an initial one.")
	s.see(s.post(at, "kind", "User", "do", "save"), "Nothing was changed.")
	if schema, err := s.svc.Schema(strings.TrimPrefix(app, "/applications/")); err != nil || schema.ObjectMapping("Group").Enabled || schema.ObjectMapping("Group").FlowTypes != "Add,Update" {
		t.Errorf("the group mapping: %+v, %v", schema.ObjectMapping("Group"), err)
	}
	p = s.questioned(at, "Restore default mappings?", "kind", "User", "do", "restore")
	s.see(p, "Default mappings restored.")
	if got := s.mappings(p); !slices.Equal(got, all) {
		t.Errorf("restored: %v, want %v", got, all)
	}
}

func TestAssignments(t *testing.T) {
	s := newSite(t, 20, "")
	app := "/applications/" + s.app
	s.see(s.get(app+"/users"), "Engineering", "Product")
	s.see(s.post(app+"/users/add"), "Nobody was chosen.")
	p := s.get(app + "/users/add?q=" + url.QueryEscape(s.anyUser("").DisplayName))
	s.see(p, s.anyUser("").UserPrincipalName)
	s.sound(p)
	s.see(s.get(app+"/users/add?q=zzzz"), "Nobody named “zzzz”")
	s.see(s.post(app+"/users/add", "id", s.anyUser("").ID), "1 assignment added.", s.anyUser("").DisplayName)
	s.see(s.post(app+"/users/add", "id", s.anyUser("").ID), "0 assignments added.")
	found, err := s.dir.Assignments(s.app, "", 10)
	no(t, err)
	s.see(s.questioned(app+"/users/remove", "Remove the assignment?", "id", found.Items[0].ID), "Assignment removed.")
	if now, err := s.dir.Assignments(s.app, "", 10); err != nil || len(now.Items) != len(found.Items)-1 {
		t.Errorf("%d assignments, %v", len(now.Items), err)
	}
}

// TestAssignmentsKeepWhatIsTicked: a search for somebody else leaves those ticked that were, also where it finds nobody.
func TestAssignmentsKeepWhatIsTicked(t *testing.T) {
	s := newSite(t, 20, "")
	at := "/applications/" + s.app + "/users/add"
	u := s.anyUser("")
	for _, q := range []string{"e", "zzzz", u.DisplayName} {
		p := s.get(at + "?q=" + url.QueryEscape(q) + "&id=" + u.ID + "&id=" + u.ID + "&id=00000000-0000-4000-8000-000000000000")
		s.sound(p)
		ticked := 0
		for _, box := range p.root.named("input") {
			if _, on := box.attr["checked"]; on && box.attr["value"] == u.ID {
				ticked++
			}
		}
		if ticked != 1 {
			t.Errorf("%q: %s is ticked %d times", q, u.DisplayName, ticked)
		}
		s.see(p, "Selected", u.DisplayName)
	}
	s.see(s.get(at+"?q=zzzz&id="+u.ID), "Nobody named “zzzz”")
}

// TestHomeSaysTheNextStep follows Home through a tenant's life: one heading, one filled button.
func TestHomeSaysTheNextStep(t *testing.T) {
	empty := newSite(t, 0, "")
	p := empty.get("/")
	empty.see(p, "An empty tenant", "0 of 4 done", "New application")
	s := newSite(t, 60, "")
	step := func(heading, button string) {
		t.Helper()
		p := s.get("/")
		s.see(p, heading)
		s.sound(p)
		var filled []string
		for _, b := range p.root.id("main").named("a", "button") {
			if class := b.attr["class"]; strings.Contains(class, "big") {
				filled = append(filled, b.words())
			}
		}
		if len(filled) != 1 || filled[0] != button {
			t.Errorf("%s: the next step is %v, want %s", heading, filled, button)
		}
	}
	step("Ready. Nothing has been sent yet.", "Start provisioning")
	s.see(s.get("/"), "Contoso has 60 users. 20 of them are in scope of ConfigCat.", "20 users 3 groups in scope", "0 users 0 groups, no request since the start", "3 of 4 done for you", "Engineering, Product and Project Aurora.", "up to 4 minutes")
	s.post("/applications/" + s.app + "/provisioning/start")
	step("Started. The initial cycle is due.", "Run next cycle")
	s.see(s.post("/clock", "do", "cycle"), "Initial cycle ended: 22 created, 3 updated, 1 skipped, 49 requests.", "Stage")
	step("Everything is in step.", "Change a user")
	s.see(s.get("/"), "19 users 3 groups provisioned to date", "19 users 3 groups, 49 requests so far", "4 of 4 done", "Show the steps")
	engineer := s.member("Engineering")
	s.post("/users/"+engineer, "displayName", "Somebody Else")
	step("1 object changed since the last cycle.", "Run next cycle")
	s.fault(`{"faults":[{"method":"PATCH","status":500}]}`)
	s.post("/clock", "do", "40m")
	step("1 operation waiting for another try.", "See the failures")
	s.fault(`{"faults":[{"status":401}]}`)
	s.post("/clock", "do", "40m")
	step("ConfigCat is in quarantine.", "See what lifts it")
	s.fault(`{"faults":[]}`)
	s.post("/applications/" + s.app + "/provisioning/stop")
	s.post("/applications/"+s.app+"/provisioning/restart", "sure", "yes")
	s.newApplication("Another")
	step("Another is not configured yet.", "New configuration")
	s.see(s.get("/"), "ConfigCat")
}

// fault sets the faults of the embedded target.
func (s *site) fault(body string) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPut, s.url+"/sim/faults", strings.NewReader(body))
	no(s, err)
	res, err := s.web.Do(req)
	no(s, err)
	no(s, res.Body.Close())
	if res.StatusCode != http.StatusOK {
		s.Fatalf("faults: %d", res.StatusCode)
	}
}

// member returns a user that a group brings into scope and that is active.
func (s *site) member(group string) string {
	s.Helper()
	groups, err := s.dir.Groups(directory.Query{Prefix: group, Exact: true, Limit: 1})
	no(s, err)
	members, err := s.dir.Members(groups.Items[0].ID, "", 100)
	no(s, err)
	for _, m := range members.Items {
		if u, err := s.dir.User(m.ID); err == nil && u.AccountEnabled {
			return u.ID
		}
	}
	s.Fatalf("%s has no active member", group)
	return ""
}

// TestOverviewInQuarantine shows what happened, the cure, the attempts, and the answer itself.
func TestOverviewInQuarantine(t *testing.T) {
	s := newSite(t, 20, "")
	s.cycle()
	at := "/applications/" + s.app + "/provisioning"
	s.post("/users/"+s.member("Engineering"), "displayName", "Somebody Else")
	s.fault(`{"faults":[{"status":401,"body":"{\"detail\":\"The bearer token has expired.\"}"}]}`)
	s.post("/clock", "do", "7h")
	p := s.get(at)
	s.see(p, "Quarantined: the target refuses the secret token", "GET /Users was answered 401, first at 09:40 on 5 Jan and in 1 attempt since.", "No user or group was touched.", "1 object waiting for the cycle that succeeds.",
		"enter a new Secret token", "EncounteredQuarantineException", "after 12 hours", "Jump there", "The bearer token has expired.", "Next attempt")
	s.sound(p)
	p = s.post("/clock", "do", "until", "until", "2026-01-05T21:40:00Z", "back", at)
	s.see(p, "Incremental cycle ended: it broke off", "in 2 attempts since")
	s.fault(`{"faults":[]}`)
	s.see(s.post("/clock", "do", "cycle", "back", at), "Healthy", "1 updated")
	// The button goes as far as the attempt, also when that is due within a second.
	s.post("/clock", "do", "advance", "advance", "1700ms")
	s.fault(`{"faults":[{"status":401}]}`)
	s.see(s.post("/clock", "do", "cycle", "back", at), "it broke off", "ConfigCat is in quarantine.")
	until := ""
	for _, field := range s.get(at).root.named("input") {
		if field.attr["name"] == "until" {
			until = field.attr["value"]
		}
	}
	s.see(s.get("/"), "Embedded SCIM server, with 1 fault in force")
	s.see(s.post("/clock", "do", "until", "until", until, "back", at), "it broke off", "in 1 attempt since")
	s.see(s.get(at), "after 6 hours")
	s.fault(`{"faults":[]}`)
	s.post("/clock", "do", "cycle")
	// A target that is gone.
	gone := httptest.NewServer(http.NotFoundHandler())
	tenant := gone.URL + "/scim"
	gone.Close()
	no(t, s.svc.UpdateSettings(s.app, sim.SettingsEdit{TenantURL: &tenant}))
	s.post("/clock", "do", "cycle")
	s.see(s.get(at), "Quarantined: the target does not answer", "GET /Users got no answer", "no answer")
}

// TestPagesAreFast: Home takes less than 50 ms for the default company, in the best of a few tries.
func TestPagesAreFast(t *testing.T) {
	s := newSite(t, 60, "")
	s.cycle()
	for _, path := range []string{"/", "/users", "/applications/" + s.app + "/provisioning", "/logs", "/wire", "/target", "/stage"} {
		best := time.Hour
		for range 8 {
			begin := time.Now()
			s.get(path)
			best = min(best, time.Since(begin))
		}
		if best > 50*time.Millisecond*slowdown {
			t.Errorf("%s takes %v", path, best)
		}
	}
}
