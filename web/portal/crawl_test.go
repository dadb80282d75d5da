package portal_test

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"entrasim/directory"
)

var id = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9]+`)

// crawl follows every link from Home, a few of each kind, and checks every page that it meets.
func (s *site) crawl() (visited []*page) {
	s.Helper()
	kinds, seen := map[string]int{}, map[string]bool{}
	for todo := []string{"/"}; len(todo) > 0; todo = todo[1:] {
		p := s.get(todo[0])
		visited = append(visited, p)
		if p.status != 200 {
			s.Errorf("%s: status %d: %.200s", todo[0], p.status, p.text())
			continue
		}
		for _, fault := range p.faults() {
			s.Errorf("%s: %s", todo[0], fault)
		}
		for _, a := range p.root.named("a") {
			u, err := url.Parse(a.attr["href"])
			if err != nil || u.Host != "" || u.Scheme != "" {
				s.Errorf("%s: a link leads to %q (%v)", todo[0], a.attr["href"], err)
				continue
			}
			to := u.RequestURI()
			// A file is no page; filters are followed one at a time, not in each combination.
			if u.Path == "" || seen[to] || strings.HasPrefix(u.Path, "/sim/") || u.Path == "/openapi.json" || strings.HasSuffix(u.Path, "/file") || u.Path == "/logs/download" || len(u.Query()) > 2 {
				continue
			}
			seen[to] = true
			kind := id.ReplaceAllString(u.Path, "*")
			if strings.HasPrefix(u.Path, "/scenarios/") && strings.Count(u.Path, "/") > 2 {
				kind = "/scenarios/*/*" + strings.Repeat("/*", strings.Count(u.Path, "/")-3)
			}
			q := u.Query()
			for _, k := range slices.Sorted(func(yield func(string) bool) {
				for k := range q {
					if !yield(k) {
						return
					}
				}
			}) {
				kind += "&" + k
				if slices.Contains([]string{"tab", "show", "kind"}, k) {
					kind += "=" + q.Get(k)
				}
			}
			if kinds[kind]++; kinds[kind] <= 3 {
				todo = append(todo, to)
			}
		}
	}
	return visited
}

// TestEveryLinkLeadsSomewhere crawls the portal in the states of a tenant's life.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	t.Run("empty", func(t *testing.T) { newSite(t, 0, "").crawl() })
	s := newSite(t, 130, "")
	if n := len(s.crawl()); n < 40 {
		t.Fatalf("only %d pages were found", n)
	}
	s.cycle()
	s.crawl()
	// People and groups that are gone, in both ways; the logs still name them.
	members, err := s.dir.Assignments(s.app, "", 10)
	no(t, err)
	var users []string
	for _, a := range members.Items {
		if a.PrincipalKind == directory.KindGroup {
			list, err := s.dir.Members(a.PrincipalID, "", 10)
			no(t, err)
			for _, m := range list.Items {
				users = append(users, m.ID)
			}
		}
	}
	now := s.svc.Clock().Now()
	no(t, s.dir.DeleteUser(now, users[0]))
	no(t, s.dir.DeleteUser(now, users[1]))
	no(t, s.dir.Purge(now, users[1]))
	group, err := s.dir.CreateGroup(now, directory.Props{"displayName": "Short lived", "mailNickname": "short", "securityEnabled": true})
	no(t, err)
	_, err = s.svc.Assign(s.app, group.ID, "")
	no(t, err)
	s.cycle()
	no(t, s.dir.DeleteGroup(now, group.ID))
	s.cycle()
	s.crawl()
	for _, path := range []string{"/groups/" + group.ID, "/users/" + users[0], "/logs?q=Short"} {
		p := s.get(path)
		if p.status != 200 {
			t.Errorf("%s: %d", path, p.status)
		}
		for _, a := range p.root.named("a") {
			if to := a.attr["href"]; strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "/logs/download") {
				if got := s.get(to); got.status != 200 {
					t.Errorf("%s leads to %s: %d", path, to, got.status)
				}
			}
		}
	}
}

// TestHostileNames fills the tenant with names that would like to be something else.
func TestHostileNames(t *testing.T) {
	s := newSite(t, 20, "")
	names := []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onfocus='alert(1)`, `{{.Base}}`, "\u202eevoli", "\u200b",
		`javascript:alert(1)`, strings.Repeat("Ж", 256), `</title><h1>x</h1>`, "a\u2028b", `%s%d&amp;lt;`}
	now := begin
	for i, name := range names {
		letter := string(rune('a' + i))
		u, err := s.dir.CreateUser(now, directory.Props{"displayName": name, "userPrincipalName": letter + "@contoso.example", "mailNickname": letter, "department": cut(name, 64), "jobTitle": cut(name, 100), "city": cut(name, 100)})
		no(t, err)
		g, err := s.dir.CreateGroup(now, directory.Props{"displayName": name, "mailNickname": letter, "description": name})
		no(t, err)
		no(t, s.dir.AddMembers(now, g.ID, u.ID))
		if _, err := s.svc.Assign(s.app, g.ID, ""); err != nil {
			t.Fatal(err)
		}
		if i < 3 {
			if _, err := s.svc.CreateApplication(cut(name, 100)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.cycle()
	pages := s.crawl()
	for _, name := range names[:3] {
		pages = append(pages, s.get("/users?q="+url.QueryEscape(name)), s.get("/search?q="+url.QueryEscape(name)), s.get("/logs?q="+url.QueryEscape(name)))
	}
	for _, name := range names {
		list, err := s.dir.Users(directory.Query{Prefix: name, Limit: 1})
		no(t, err)
		if len(list.Items) > 0 {
			pages = append(pages, s.get("/users/"+list.Items[0].ID))
		}
	}
	for _, p := range pages {
		if p.status != 200 {
			t.Errorf("%s: %d", p.path, p.status)
		}
		for _, bad := range []string{names[0], names[1], names[2], names[8], "ZgotmplZ"} {
			if strings.Contains(p.html, bad) {
				t.Errorf("%s carries %q as it is", p.path, bad)
			}
		}
		for _, fault := range p.faults() {
			t.Errorf("%s: %s", p.path, fault)
		}
	}
	if users := s.get("/users"); !strings.Contains(users.html, html.EscapeString(names[0])) && !strings.Contains(users.html, "&lt;script&gt;") {
		t.Error("Users does not show the hostile name at all")
	}
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
