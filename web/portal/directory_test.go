package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"entrasim/directory"
)

// sound checks the rules that hold for every page.
func (s *site) sound(pages ...*page) {
	s.Helper()
	for _, p := range pages {
		for _, fault := range p.faults() {
			s.Errorf("%s: %s", p.path, fault)
		}
	}
}

// refused checks that a form came back with what was typed and names the field with its error.
func (s *site) refused(p *page, field, text string) {
	s.Helper()
	e := p.root.id("e-" + field)
	if p.status != http.StatusUnprocessableEntity || e == nil || !strings.Contains(e.words(), text) {
		s.Errorf("%s: status %d, error at %s: %v; want %q. The page: %.500s", p.path, p.status, field, e, text, p.text())
		return
	}
	if p.root.id("f-" + field).attr["aria-invalid"] != "true" || !strings.Contains(p.text(), "Not saved. 1 field needs a change:") {
		s.Errorf("%s: the field %s is not marked, or the summary is missing", p.path, field)
	}
	s.sound(p)
}

// questioned checks that an action asked first, and answers yes.
func (s *site) questioned(path, heading string, pairs ...string) *page {
	s.Helper()
	p := s.post(path, pairs...)
	s.see(p, heading)
	s.sound(p)
	form := p.root.id("main").named("form")
	if len(form) != 1 || form[0].attr["action"] != path {
		s.Fatalf("%s asks nothing: %.300s", path, p.text())
	}
	for _, pair := range form[0].named("input") {
		pairs = append(pairs, pair.attr["name"], pair.attr["value"])
	}
	return s.post(path, append(pairs, "sure", "yes")...)
}

func TestUserLife(t *testing.T) {
	s := newSite(t, 20, "")
	s.cycle()
	s.refused(s.post("/users/new", "displayName", "", "userPrincipalName", "new@contoso.example"), "displayName", "displayName")
	taken := s.anyUser("")
	p := s.post("/users/new", "displayName", "New Person", "userPrincipalName", taken.UserPrincipalName, "department", "Sales")
	s.refused(p, "userPrincipalName", "already")
	if p.value("department") != "Sales" || p.value("displayName") != "New Person" {
		t.Errorf("what was typed is gone: %q, %q", p.value("department"), p.value("displayName"))
	}
	s.refused(s.post("/users/new", "displayName", "New Person", "userPrincipalName", "new@contoso.example", "manager", "Nobody Here"), "manager", "There is no user “Nobody Here”.")
	p = s.post("/users/new", "displayName", "New Person", "userPrincipalName", "new.person@contoso.example", "manager", taken.DisplayName, "accountEnabled", "on")
	s.see(p, "New Person created.", "Account enabled", "Why not in ConfigCat?", "Not a member of any group.", "No cycle has handled it.")
	s.sound(p)
	path := p.path
	if p.value("mailNickname") != "new.person" || p.value("manager") != taken.UserPrincipalName {
		t.Errorf("nickname %q, manager %q", p.value("mailNickname"), p.value("manager"))
	}
	s.refused(s.post(path, "displayName", "New Person", "mail", strings.Repeat("x", 300)), "mail", "at most 256")
	s.see(s.post(path, "displayName", "Newer Person"), "Saved.", "Newer Person")
	s.see(s.post(path+"/join", "group", "no such group"), "There is no group “no such group”.")
	s.see(s.post(path+"/join", "group", "Engineering"), "Member of Engineering now.", "Newer Person is in scope and is provisioned with the next cycle")
	s.see(s.post(path+"/join", "group", "Engineering"), "Newer Person is a member of Engineering already.")
	s.see(s.post(path+"/disable"), "Account disabled")
	s.see(s.post(path+"/enable"), "Account enabled")
	s.cycle()
	s.see(s.get(path), "Newer Person is provisioned to ConfigCat.", "Create ConfigCat")
	s.see(s.post(path, "displayName", "Newest Person"), "Newest Person is provisioned to ConfigCat. A change of it is carried there with the next cycle, due on 5 Jan 2026, 09:40.")
	s.see(s.post(path, "displayName", "Newer Person"), "Saved.")
	p = s.questioned(path+"/delete", "Delete Newer Person?")
	s.see(p, "Newer Person deleted. The account can be restored for 30 days.", "It can be restored until 4 Feb 2026")
	s.sound(p)
	s.see(s.get("/deleted"), "Newer Person")
	id := strings.TrimPrefix(path, "/users/")
	s.see(s.post("/deleted/"+id+"/restore"), "Newer Person restored.", "Save")
	s.questioned(path+"/delete", "Delete Newer Person?")
	p = s.questioned("/deleted/"+id+"/purge", "Delete Newer Person permanently?")
	s.see(p, "Newer Person deleted permanently.", "No deleted users")
	if p := s.get(path); p.status != http.StatusNotFound {
		t.Errorf("a purged user's page: %d", p.status)
	} else {
		s.see(p, "There is nothing here")
		s.sound(p)
	}
}

// anyUser returns the first user whose name begins so.
func (s *site) anyUser(prefix string) directory.User {
	s.Helper()
	found, err := s.dir.Users(directory.Query{Prefix: prefix, ByName: prefix == "", Limit: 1})
	no(s, err)
	if len(found.Items) == 0 {
		s.Fatalf("no user %q", prefix)
	}
	return found.Items[0]
}

func TestGroupLife(t *testing.T) {
	s := newSite(t, 20, "")
	s.refused(s.post("/groups/new", "displayName", ""), "displayName", "displayName")
	p := s.post("/groups/new", "displayName", "Zoo keepers", "description", "They keep it")
	s.see(p, "Zoo keepers created.", "No members yet.", "0 members", "Why not in ConfigCat?")
	s.sound(p)
	path := p.path
	ann := s.anyUser("")
	for _, c := range []struct{ member, want string }{
		{"", "Name a user."}, {"nobody", "There is no user “nobody”."}, {ann.DisplayName, ann.DisplayName + " added."},
		{ann.UserPrincipalName, ann.DisplayName + " is a member of Zoo keepers already."}, {"Sales", "Sales added. Members of nested groups are not provisioned."},
	} {
		s.see(s.post(path+"/add", "member", c.member), c.want)
	}
	s.see(s.get(path), "2 members")
	s.see(s.post(path+"/remove", "member", ann.ID), ann.DisplayName+" is no member any more.", "1 member")
	s.refused(s.post(path, "displayName", strings.Repeat("x", 300)), "displayName", "at most 256")
	s.see(s.post(path, "displayName", "Zoo"), "Saved.")
	s.see(s.questioned(path+"/delete", "Delete Zoo?"), "Zoo deleted.")
	s.see(s.get("/deleted?kind=group"), "Zoo", "Restore")
	s.see(s.get(path), "Deleted groups") // where it can be restored
	// Two of one name can't be told apart by it.
	now := s.svc.Clock().Now()
	for _, nick := range []string{"twin1", "twin2"} {
		_, err := s.dir.CreateUser(now, directory.Props{"displayName": "Twin", "userPrincipalName": nick + "@contoso.example", "mailNickname": nick})
		no(t, err)
	}
	other := s.post("/groups/new", "displayName", "Other")
	s.see(s.post(other.path+"/add", "member", "Twin"), "Several are called “Twin”. Give the object ID.")
}

// TestDynamicGroups: a group of dynamic membership is made and edited with its rule, whose mistakes stand at the field; its
// members are shown, and not chosen by hand.
func TestDynamicGroups(t *testing.T) {
	s := newSite(t, 20, "")
	ann := s.anyUser("")
	rule := func(text string, more ...string) []string {
		return append([]string{"displayName", "By rule", "membership", "dynamic", "membershipRule", text}, more...)
	}
	s.refused(s.post("/groups/new", rule(`user.departmnt -eq "x"`)...), "membershipRule", `Column 1: users have no property "departmnt"`)
	s.refused(s.post("/groups/new", rule("")...), "membershipRule", "has a membershipRule")
	p := s.post("/groups/new", rule(`user.userPrincipalName -eq "`+ann.UserPrincipalName+`"`)...)
	s.see(p, "By rule created.", "Security, dynamic membership", "1 member", ann.DisplayName, "The members follow from the rule: whoever satisfies it joins by itself.")
	s.sound(p)
	if text := p.text(); strings.Contains(text, "Add member") || strings.Contains(p.html, "/remove\"") {
		t.Errorf("members can be chosen by hand: %s", text)
	}
	if f := p.root.id("f-membershipRule"); f == nil || !strings.Contains(f.words(), ann.UserPrincipalName) {
		t.Errorf("the rule is not shown: %s", p.text())
	}
	path := p.path
	s.see(s.post(path+"/add", "member", ann.UserPrincipalName), "The members of By rule follow from its membership rule.")
	s.refused(s.post(path, rule(`user.city -eq`)...), "membershipRule", "Column 14: a value is expected")
	s.see(s.post(path, rule("user.city -eq \"Nowhere\"\r\n-or user.city -eq \"Elsewhere\"", "membershipRuleProcessingState", "On")...), "Saved.", "0 members")
	s.see(s.post(path, rule("user.objectId -ne null", "membershipRuleProcessingState", "Paused")...), "Saved.", "0 members", "which is paused")
	s.see(s.post(path, rule("user.objectId -ne null", "membershipRuleProcessingState", "On")...), "Saved.", "20 members")
	p = s.post(path, "displayName", "By hand", "membership", "assigned", "membershipRule", "user.objectId -ne null")
	s.see(p, "Saved.", "Add member", "20 members")
	if strings.Contains(p.text(), "dynamic membership") {
		t.Errorf("still dynamic: %s", p.text())
	}
	s.see(s.post(path+"/remove", "member", ann.ID), ann.DisplayName+" is no member any more.", "19 members")
}

func TestBulkOperations(t *testing.T) {
	s := newSite(t, 20, "")
	found, err := s.dir.Users(directory.Query{ByName: true, Limit: 3})
	no(t, err)
	s.see(s.post("/users", "do", "disable", "back", "/users"), "No user was chosen.")
	send := func(form url.Values) *page { return s.do(http.MethodPost, "/users", form) }
	both := []string{found.Items[0].ID, found.Items[1].ID}
	s.see(send(url.Values{"do": {"disable"}, "id": both, "back": {"/users?type=Member"}}), "2 accounts disabled.")
	s.see(send(url.Values{"do": {"delete"}, "id": both}), "Delete 2 users?")
	if s.dir.Counts().DeletedUsers != 0 {
		t.Fatal("deleted without an answer")
	}
	s.see(send(url.Values{"do": {"delete"}, "id": both, "sure": {"yes"}}), "2 users deleted.")
	if n := s.dir.Counts().DeletedUsers; n != 2 {
		t.Errorf("%d deleted users", n)
	}
	if p := send(url.Values{"do": {"else"}, "id": both}); p.status != http.StatusNotFound {
		t.Errorf("an unknown action: %d", p.status)
	}
}

// TestListsPageByCursor walks through all users, and every filter's link keeps the others.
func TestListsPageByCursor(t *testing.T) {
	s := newSite(t, 130, "")
	seen := map[string]bool{}
	pages := 0
	for at := "/users"; at != ""; pages++ {
		p := s.get(at)
		at = ""
		for _, a := range p.root.id("users-table").named("a") {
			switch {
			case a.attr["rel"] == "next":
				at = a.attr["href"]
			case a.attr["class"] == "name":
				if seen[a.attr["href"]] {
					t.Errorf("%s twice", a.attr["href"])
				}
				seen[a.attr["href"]] = true
			}
		}
	}
	if len(seen) != 130 || pages != 3 {
		t.Errorf("%d users on %d pages", len(seen), pages)
	}
	p := s.get("/users?type=Guest&account=enabled")
	s.see(p, "User type: Guest", "Account: Enabled")
	for _, a := range p.root.id("main").named("a") {
		if strings.Contains(a.attr["href"], "account=disabled") && !strings.Contains(a.attr["href"], "type=Guest") {
			t.Errorf("%s loses a filter", a.attr["href"])
		}
	}
	s.see(s.get("/users?q=zzzz"), "No user named “zzzz”", "130 users searched")
	s.see(s.get("/users?type=Guest&department=Nowhere"), "No user passes the filters")
	if p := s.get("/users?cursor=none"); p.status != http.StatusBadRequest {
		t.Errorf("a wrong cursor: %d", p.status)
	}
}

// TestNewUserWithoutAName: who forgets what stands before @ is told so at that field, not at one that was left empty.
func TestNewUserWithoutAName(t *testing.T) {
	s := newSite(t, 0, "")
	for _, upn := range []string{"@contoso.example", strings.Repeat("x", 65) + "@contoso.example"} {
		s.refused(s.post("/users/new", "displayName", "Nameless", "userPrincipalName", upn), "userPrincipalName", "Enter a name before @")
	}
}

// TestPeopleAreFoundByTheirLastName: wherever people are looked for, each word of a name counts, and nobody is listed twice.
func TestPeopleAreFoundByTheirLastName(t *testing.T) {
	s := newSite(t, 60, "")
	u := s.anyUser("")
	app := "/applications/" + s.app
	s.post("/groups/new", "displayName", "Team "+u.Surname)
	for _, path := range []string{"/users?q=", "/search?q=", app + "/users/add?q=", app + "/provisioning/on-demand?q="} {
		for _, q := range []string{u.Surname, strings.ToUpper(u.Surname[:3]), u.DisplayName} {
			p := s.get(path + url.QueryEscape(q))
			listed := 0
			for _, e := range append(p.root.named("a"), p.root.named("strong")...) {
				if e.attr["title"] == u.DisplayName {
					listed++
				}
			}
			if listed != 1 {
				t.Errorf("%s%s lists %s %d times", path, q, u.DisplayName, listed)
			}
		}
	}
	for _, path := range []string{"/groups?q=", "/search?q=", app + "/users/add?q="} {
		s.see(s.get(path+url.QueryEscape(u.Surname)), "Team "+u.Surname)
	}
	s.see(s.get("/suggest?q="+url.QueryEscape(u.Surname)), u.UserPrincipalName)
	s.see(s.get("/users?account=disabled&q="+url.QueryEscape(u.Surname)), "No user named")
	s.see(s.get("/users?q="+url.QueryEscape(u.Surname[1:])), "each word of a name")
}
