package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"entrasim/directory"
	"entrasim/sim"
)

// TestScopeFilters builds scoping filters by the form's buttons, tests somebody against what is not saved yet, saves, and
// sees the next cycle keep to them.
func TestScopeFilters(t *testing.T) {
	s := newSite(t, 60, "")
	add := func(nick, department, city string) directory.User {
		p := directory.Props{"displayName": nick, "userPrincipalName": nick + "@contoso.example", "mailNickname": nick}
		for k, v := range map[string]string{"department": department, "city": city} {
			if v != "" {
				p[k] = v
			}
		}
		u, err := s.dir.CreateUser(begin, p)
		no(t, err)
		_, err = s.svc.Assign(s.app, u.ID, "")
		no(t, err)
		return u
	}
	ann, bob := add("ann", "Sales", "Oslo"), add("bob", "Sales", "")
	at := "/applications/" + s.app + "/provisioning/mapping/scope"
	s.see(s.get("/applications/"+s.app+"/provisioning/mapping"), "All records")
	p := s.get(at + "?kind=User")
	s.see(p, "All records are in scope", "passes: there is no filter")
	p = s.post(at, "do", "add", "kind", "User")
	s.see(p, "Scoping filter 1", "Not saved")
	form := func(more ...string) []string {
		return append([]string{"kind", "User", "title-0", "Sales in Oslo", "attribute-0-0", "department", "operator-0-0", "EQUALS", "value-0-0", "Sales",
			"attribute-0-1", "city", "operator-0-1", "EQUALS", "value-0-1", "Oslo"}, more...)
	}
	p = s.post(at, form("do", "clause-0")...)
	if p.root.id("f-attribute-0-2") == nil || p.value("value-0-1") != "Oslo" {
		t.Error("a clause more loses what was typed, or is not there")
	}
	p = s.post(at, form("do", "remove-0-0")...)
	if p.value("attribute-0-0") != "city" || p.root.id("f-attribute-0-1") != nil {
		t.Error("the first clause is not the one that went")
	}
	s.see(s.post(at, form("do", "drop-0")...), "All records are in scope")
	for _, fault := range p.faults() {
		t.Error(fault)
	}
	for name, says := range map[string]string{"ann@contoso.example": "passes", "bob@contoso.example": "does not pass", "nobody": "Name a user"} {
		s.see(s.post(at+"/test", form("object", name)...), says)
	}
	s.see(s.post(at+"/test", form("object", "bob@contoso.example")...), "city EQUALS OsloFalseit has no value", "department EQUALS SalesTrueits value is Sales")
	if schema, err := s.svc.Schema(s.app); err != nil || len(schema.Filters("User")) != 0 {
		t.Errorf("a test or a draft was saved: %v", err)
	}
	s.see(s.post(at, form("do", "save")...), "Scope saved.", "Scoping filter 1")
	s.see(s.get("/applications/"+s.app+"/provisioning/mapping"), "2 clauses")
	s.cycle()
	for u, want := range map[string]string{ann.ID: "create", bob.ID: "other"} {
		s.see(s.get("/logs?object="+u), map[string]string{"create": "Create", "other": "NotEffectivelyEntitled"}[want])
	}

	// Mistakes stand at their clause, and what was typed stays.
	for _, x := range []struct{ name, value, says string }{{"title-0", "", "Give the scoping filter a title"}, {"attribute-0-1", "nothing", "nothing"}, {"attribute-0-1", "manager", "reference attributes are not supported"},
		{"value-0-1", "", "needs a value"}, {"attribute-0-1", "", "names no attribute"}} {
		pairs := form("do", "save")
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == x.name {
				pairs[i+1] = x.value
			}
		}
		p := s.post(at, pairs...)
		if p.status != http.StatusUnprocessableEntity || !strings.Contains(p.text(), x.says) {
			t.Errorf("%s %q: %d %.400s", x.name, x.value, p.status, p.text())
		}
		if got := p.value(x.name); got != x.value {
			t.Errorf("%s: what was typed became %q", x.name, got)
		}
		for _, fault := range p.faults() {
			t.Errorf("%s: %s", x.name, fault)
		}
	}
	s.see(s.post(at, form("do", "save", "title-1", "Sales in Oslo", "attribute-1-0", "jobTitle", "operator-1-0", "IS NULL")...), "has this title already")
	s.see(s.post(at, form("do", "save", "title-1", "Second")...), "has no clause")
	s.see(s.post(at, form("do", "save", "title-1", "Anybody untitled", "attribute-1-0", "jobTitle", "operator-1-0", "IS NULL", "value-1-0", "left over")...), "Scope saved.", "Scoping filter 2")
	schema, err := s.svc.Schema(s.app)
	no(t, err)
	if f := schema.Filters("User"); len(f) != 2 || f[1].Clauses[0].TargetOperand != nil {
		t.Errorf("%+v", f)
	}
	s.see(s.post(at, "kind", "User", "do", "save"), "All records are in scope")
	if schema, err := s.svc.Schema(s.app); err != nil || len(schema.Filters("User")) != 0 {
		t.Errorf("filters stay: %v", err)
	}
	s.see(s.post(at+"?kind=Group", "kind", "Group", "title-0", "G", "attribute-0-0", "displayName", "operator-0-0", "REGEX MATCH", "value-0-0", "(", "do", "save"), "Filter", "1 field")
}

// TestPreviewNamesTheDialect: the rules beside what a mapping becomes on the wire are those of the job's own dialect.
func TestPreviewNamesTheDialect(t *testing.T) {
	s := newSite(t, 20, "")
	at := "/applications/" + s.app + "/provisioning/mapping/preview"
	users, err := s.dir.Users(directory.Query{Limit: 1})
	no(t, err)
	ask := func() *page {
		return s.post(at, "kind", "User", "type", "Expression", "target", "active", "expression", `Switch([IsSoftDeleted], , "False", "True", "True", "False")`, "object", users.Items[0].UserPrincipalName)
	}
	s.see(ask(), "W-110", `"op":"Replace"`)
	compliant := s.url + "/scim?aadOptscim062020"
	no(t, s.svc.UpdateSettings(s.app, sim.SettingsEdit{TenantURL: &compliant}))
	p := ask()
	if s.see(p, "W-111"); strings.Contains(p.text(), "W-110") || strings.Contains(p.text(), "W-115") {
		t.Errorf("the compliant dialect is told as the older one: %.500s", p.text())
	}
}

// TestMappingDraft: changes wait for Save; scoping filters that are saved meanwhile join them, a schema that was changed
// elsewhere refuses them, and what is changed back is no change.
func TestMappingDraft(t *testing.T) {
	s := newSite(t, 20, "")
	at := "/applications/" + s.app + "/provisioning/mapping"
	title := func(constant string) *page {
		return s.post(at, "kind", "User", "do", "put", "type", "Constant", "constant", constant, "target", "title", "apply", "Always", "match", "no")
	}
	inForce := func() (has bool) {
		schema, err := s.svc.Schema(s.app)
		no(t, err)
		for _, m := range schema.ObjectMapping("User").AttributeMappings {
			has = has || m.TargetAttributeName == "title"
		}
		return has
	}
	s.see(title("Boss"), "Mapping changed. It takes effect with Save.", "Not saved", "title")
	if inForce() {
		t.Error("a draft is in force")
	}
	s.see(s.post(at, "kind", "User", "delete", "title"), "1 mapping deleted.")
	if p := s.get(at); strings.Contains(p.text(), "Not saved") {
		t.Error("what was changed back is told as a change")
	}
	title("Boss")
	s.see(s.post(at+"/scope", "kind", "User", "title-0", "Enabled", "attribute-0-0", "accountEnabled", "operator-0-0", "IS TRUE", "do", "save"), "Scope saved.")
	s.see(s.post(at, "kind", "User", "do", "save"), "Mappings saved.", "1 clause")
	if !inForce() {
		t.Error("what was saved is not in force")
	}
	title2 := s.post(at, "kind", "User", "delete", "title")
	s.see(title2, "Not saved")
	no(t, s.svc.RestoreDefaultMappings(s.app))
	s.see(s.post(at, "kind", "User", "do", "save"), "changed elsewhere meanwhile")
	s.see(s.post(at, "kind", "User", "do", "discard"), "What was not saved is discarded.")
	if p := s.get(at); strings.Contains(p.text(), "Not saved") {
		t.Error("a draft that was discarded is shown")
	}
}
