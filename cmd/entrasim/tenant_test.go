package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"sort"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/target"
)

// tenant is what a data file says, read while no program has it open: the directory, the applications and their links.
type tenant struct {
	users   map[string]*person
	groups  map[string]*team
	apps    map[string]*application // by display name
	deleted []string                // users and groups that can be restored
	// stored is the embedded target's contents by store, as the file holds them.
	stored map[string]*contents
}

type person struct {
	directory.User
	manager string // id of a live user
}

type team struct {
	directory.Group
	members map[string]bool // ids of live users
}

type application struct {
	id, url     string
	all         bool
	assigned    map[string]bool
	assignments []string                   // ids
	links       map[string]string          // object id -> target id
	linked      map[string]string          // target id -> object id
	told        map[string]map[string]bool // memberships that the target was told: group id -> member id
	maybe       map[string]map[string]bool // those of which no answer says whether the target knows them
	escrows     int
	running     bool // a cycle was cut short
}

// contents is what a target holds.
type contents struct {
	users  map[string]map[string]any
	groups map[string]map[string]any
	// deleted are the ids that the embedded target was told to delete, as its file keeps them.
	deleted map[string]bool
}

// readTenant reads a data file.
func readTenant(t testing.TB, path string) *tenant {
	t.Helper()
	no := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir, err := directory.Open(path, directory.Options{})
	no(err)
	defer func() { no(dir.Close()) }()
	no(dir.Check())
	ten := &tenant{users: map[string]*person{}, groups: map[string]*team{}, apps: map[string]*application{}, stored: map[string]*contents{}}
	q := directory.Query{Limit: 999}
	for {
		page, err := dir.Users(q)
		no(err)
		for _, u := range page.Items {
			p := &person{User: u}
			if m, ok, err := dir.Manager(u.ID); err == nil && ok {
				p.manager = m.ID
			} else {
				no(err)
			}
			ten.users[u.ID] = p
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	for {
		page, err := dir.Groups(q)
		no(err)
		for _, g := range page.Items {
			m := &team{Group: g, members: map[string]bool{}}
			for cursor := ""; ; {
				list, err := dir.Members(g.ID, cursor, 999)
				no(err)
				for _, o := range list.Items {
					m.members[o.ID] = true
				}
				if cursor = list.Next; cursor == "" {
					break
				}
			}
			ten.groups[g.ID] = m
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	for _, kind := range []directory.Kind{directory.KindUser, directory.KindGroup} {
		page, err := dir.Deleted(kind, "", 10_000)
		no(err)
		for _, o := range page.Items {
			ten.deleted = append(ten.deleted, o.ID)
		}
	}
	sort.Strings(ten.deleted)
	ten.readApplications(t, dir)
	tg, err := target.New(target.Options{Now: clock.Wall, DB: dir.DB()})
	no(err)
	for _, name := range tg.Stores() {
		ten.stored[name] = storeContents(t, tg.Store(name))
		no(dir.DB().View(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("target")).Bucket([]byte(name)).ForEach(func(k, _ []byte) error {
				if k[0] == 'd' {
					ten.stored[name].deleted[string(k[1:])] = true
				}
				return nil
			})
		}))
	}
	return ten
}

func (ten *tenant) readApplications(t testing.TB, dir *directory.Store) {
	t.Helper()
	svc, err := sim.Open(sim.Options{Directory: dir, Clock: clock.New(clock.Real, 1, clock.Wall()), SelfURL: func() string { return "http://self.test" }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	apps, err := svc.Applications()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range apps {
		app := &application{id: a.ID, assigned: map[string]bool{}, links: map[string]string{}, linked: map[string]string{},
			told: map[string]map[string]bool{}, maybe: map[string]map[string]bool{}}
		ten.apps[a.DisplayName] = app
		j, err := svc.Job(a.ID)
		if directory.CodeOf(err) == directory.NotFound {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		app.url, app.all, app.escrows = j.Settings.TenantURL, j.Settings.Scope == sim.SyncAll, j.Escrows
		page, err := dir.Assignments(a.ID, "", 10_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, as := range page.Items {
			app.assigned[as.PrincipalID] = true
			app.assignments = append(app.assignments, as.ID)
		}
		if err := dir.View(func(r *directory.Reader) error {
			n, _ := r.Num(a.ID)
			b := r.Tx().Bucket([]byte("sim")).Bucket([]byte("jobs")).Bucket(binary.BigEndian.AppendUint64(nil, n))
			var state struct {
				Running *struct{} `json:"running"`
			}
			if err := directory.Decode(b.Get([]byte("state")), &state); err != nil {
				return err
			}
			app.running = state.Running != nil
			if err := b.Bucket([]byte("edges")).ForEach(func(k, v []byte) error {
				g, _ := r.Object(binary.BigEndian.Uint64(k))
				m, _ := r.Object(binary.BigEndian.Uint64(k[8:]))
				known := app.told
				if binary.BigEndian.Uint64(v) == 0 {
					known = app.maybe
				}
				if known[g.ID] == nil {
					known[g.ID] = map[string]bool{}
				}
				known[g.ID][m.ID] = true
				return nil
			}); err != nil {
				return err
			}
			return b.Bucket([]byte("links")).ForEach(func(k, v []byte) error {
				var l sim.Link
				if err := directory.Decode(v, &l); err != nil {
					return err
				}
				o, ok := r.Object(binary.BigEndian.Uint64(k))
				if !ok {
					return fmt.Errorf("link of object %x, which the directory does not know", k)
				}
				if other, twice := app.linked[l.Target]; twice {
					return fmt.Errorf("%s and %s are both linked to %s", o.ID, other, l.Target)
				}
				app.links[o.ID], app.linked[l.Target] = l.Target, o.ID
				return nil
			})
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func storeContents(t testing.TB, st *target.Store) *contents {
	t.Helper()
	c := &contents{users: map[string]map[string]any{}, groups: map[string]map[string]any{}, deleted: map[string]bool{}}
	for kind, into := range map[string]map[string]map[string]any{"User": c.users, "Group": c.groups} {
		for position := 0; position >= 0; {
			var list []target.Resource
			list, position = st.List(kind, position, 500)
			for _, r := range list {
				var doc map[string]any
				if err := json.Unmarshal(r.JSON, &doc); err != nil {
					t.Fatal(err)
				}
				members := []any{}
				for _, id := range st.Members(r.ID) {
					members = append(members, map[string]any{"value": id})
				}
				doc["members"] = members
				into[r.ID] = doc
			}
		}
	}
	return c
}

// readTarget reads a target over SCIM, page by page.
func readTarget(t testing.TB, base string) *contents {
	t.Helper()
	c := &contents{users: map[string]map[string]any{}, groups: map[string]map[string]any{}, deleted: map[string]bool{}}
	for kind, into := range map[string]map[string]map[string]any{"Users": c.users, "Groups": c.groups} {
		for start := 1; ; {
			status, body, err := request(t.Context(), "GET", fmt.Sprintf("%s/%s?startIndex=%d&count=500", base, kind, start), "", "Authorization", "Bearer "+sim.EmbeddedToken)
			if err != nil || status != 200 {
				t.Fatalf("reading %s: %d %s %v", base, status, body, err)
			}
			var page struct {
				TotalResults int
				Resources    []map[string]any
			}
			if err := json.Unmarshal([]byte(body), &page); err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Resources {
				id, _ := r["id"].(string)
				if into[id] != nil {
					t.Fatalf("%s stands at the target twice", id)
				}
				into[id] = r
			}
			if start += len(page.Resources); len(page.Resources) == 0 || start > page.TotalResults {
				break
			}
		}
	}
	return c
}

// inScope reports whether a live user is in an application's scope: assigned by itself or through a group, and enabled.
func (ten *tenant) inScope(app *application, u *person) bool {
	if u == nil || !u.AccountEnabled {
		return false
	}
	if app.all || app.assigned[u.ID] {
		return true
	}
	for id, g := range ten.groups {
		if app.assigned[id] && g.members[u.ID] {
			return true
		}
	}
	return false
}

// checkLinks wants every link to name an object that the target holds: no stop and no crash may leave one that it forgot. In
// the middle of a cycle one may be deleted at the target whose answer is in no commit yet.
func (app *application) checkLinks(t testing.TB, name string, held *contents, midway bool) {
	t.Helper()
	if held == nil {
		held = &contents{}
	}
	for object, id := range app.links {
		if held.users[id] == nil && held.groups[id] == nil && !(midway && app.running && held.deleted[id]) {
			t.Errorf("%s: %s is linked to %s, which its target does not hold", name, object, id)
		}
	}
}

// checkMembers wants the memberships that an application told its target to be those that the target has. One in doubt may
// be there or not; it is settled when its member comes back into scope or leaves the group.
func (app *application) checkMembers(t testing.TB, name string, held *contents) {
	t.Helper()
	var c complaints
	defer c.report(t, name)
	for object, id := range app.links {
		g := held.groups[id]
		if g == nil {
			continue
		}
		have := memberIDs(&c, g)
		for m := range app.told[object] {
			if !have[app.links[m]] {
				c.add("group %v: %s was told as a member and is none", g["displayName"], m)
			}
			delete(have, app.links[m])
		}
		for m := range app.maybe[object] {
			delete(have, app.links[m])
		}
		for m := range have {
			c.add("group %v: %s (%q) is a member and was never told", g["displayName"], m, app.linked[m])
		}
	}
}

func memberIDs(c *complaints, group map[string]any) map[string]bool {
	ids := map[string]bool{}
	list, _ := group["members"].([]any)
	for _, m := range list {
		id := text(m.(map[string]any), "value")
		if ids[id] {
			c.add("group %v: member %s stands twice", group["displayName"], id)
		}
		ids[id] = true
	}
	return ids
}

// complaints gathers what is wrong and shows the first few.
type complaints struct {
	list []string
}

func (c *complaints) add(format string, args ...any) {
	c.list = append(c.list, fmt.Sprintf(format, args...))
}

func (c *complaints) report(t testing.TB, name string) {
	t.Helper()
	sort.Strings(c.list)
	for i, text := range c.list {
		if i == 20 {
			t.Errorf("%s: and %d more", name, len(c.list)-i)
			return
		}
		t.Errorf("%s: %s", name, text)
	}
}

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

func text(m map[string]any, path ...string) string {
	for _, name := range path[:len(path)-1] {
		m, _ = m[name].(map[string]any)
	}
	s, _ := m[path[len(path)-1]].(string)
	return s
}

// agree compares a target with what the directory says that it should hold: everybody in scope once and as wanted,
// everybody else inactive or gone, groups with the members in scope and no other. rich says that the application has the
// default mappings and not the four of the set-up guide.
func (ten *tenant) agree(t testing.TB, name string, app *application, held *contents, rich bool) {
	t.Helper()
	var c complaints
	defer c.report(t, name)
	if app.escrows > 0 {
		c.add("%d operations wait for a retry", app.escrows)
	}
	for id, u := range ten.users {
		in := ten.inScope(app, u)
		have := held.users[app.links[id]]
		switch {
		case in && have == nil:
			c.add("user %s is missing (link %q)", u.UserPrincipalName, app.links[id])
		case in:
			ten.agreeUser(&c, app, u, have, rich)
		case have != nil && have["active"] != false && app.links[id] != "":
			c.add("user %s is out of scope and not disabled: %v", u.UserPrincipalName, have["active"])
		}
	}
	names := map[string]string{}
	for id, have := range held.users {
		if other := names[strings.ToLower(text(have, "userName"))]; other != "" {
			c.add("user %v stands at the target twice: %s and %s", have["userName"], id, other)
		}
		names[strings.ToLower(text(have, "userName"))] = id
		if app.linked[id] == "" && have["active"] != false {
			c.add("user %v is at the target, active, and linked to nobody", have["userName"])
		}
		if ten.users[app.linked[id]] == nil && have["active"] != false {
			c.add("user %v is at the target, active, and not in the directory", have["userName"])
		}
	}
	for id, g := range ten.groups {
		in := app.all || app.assigned[id]
		have := held.groups[app.links[id]]
		switch {
		case in && have == nil:
			c.add("group %s is missing (link %q)", g.DisplayName, app.links[id])
		case in:
			ten.agreeGroup(&c, app, g, have, rich)
		}
	}
	for id, have := range held.groups {
		o := app.linked[id]
		if g := ten.groups[o]; g == nil || !app.all && !app.assigned[o] {
			c.add("group %v is at the target and should be gone (link %q)", have["displayName"], o)
		}
	}
}

// plainAddress is how a guest's userPrincipalName is provisioned: the address of their own.
func plainAddress(upn string) string {
	own, _, guest := strings.Cut(upn, "#EXT#")
	if i := strings.LastIndexByte(own, '_'); guest && i >= 0 {
		return own[:i] + "@" + own[i+1:]
	}
	return upn
}

func (ten *tenant) agreeUser(c *complaints, app *application, u *person, have map[string]any, rich bool) {
	want := map[string]string{"userName": plainAddress(u.UserPrincipalName), "displayName": u.DisplayName}
	got := map[string]string{"userName": text(have, "userName"), "displayName": text(have, "displayName")}
	if !rich {
		want["externalId"], got["externalId"] = u.ID, text(have, "externalId")
	} else {
		want["externalId"], got["externalId"] = u.MailNickname, text(have, "externalId")
		want["title"], got["title"] = u.JobTitle, text(have, "title")
		want["department"], got["department"] = u.Department, text(have, enterprise, "department")
		// A manager that is out of scope is not told, and one that left it or was deleted stays.
		manager := text(have, enterprise, "manager", "value")
		if old := ten.users[app.linked[manager]]; ten.inScope(app, ten.users[u.manager]) || u.manager == "" && old != nil {
			want["manager"], got["manager"] = app.links[u.manager], manager
		}
	}
	for k := range want {
		if want[k] != got[k] {
			c.add("user %s: %s is %q, want %q", u.UserPrincipalName, k, got[k], want[k])
		}
	}
	if have["active"] != true {
		c.add("user %s: active is %v", u.UserPrincipalName, have["active"])
	}
}

func (ten *tenant) agreeGroup(c *complaints, app *application, g *team, have map[string]any, _ bool) {
	if text(have, "displayName") != g.DisplayName || text(have, "externalId") != g.ID {
		c.add("group %s: it is %v, %v at the target", g.DisplayName, have["displayName"], have["externalId"])
	}
	members := memberIDs(c, have)
	for id := range members {
		if o := app.linked[id]; ten.users[o] != nil && !g.members[o] { // who is deleted or left scope stays a member
			c.add("group %s: %s (%q) is no member in the directory", g.DisplayName, id, o)
		}
	}
	for id := range g.members {
		if u := ten.users[id]; u != nil && ten.inScope(app, u) && !members[app.links[id]] {
			c.add("group %s: %s is missing among the members", g.DisplayName, u.UserPrincipalName)
		}
	}
}

// storeOf is the embedded target's store that a Tenant URL of the program itself names.
func (app *application) storeOf() string {
	u, err := url.Parse(app.url)
	if err != nil {
		return ""
	}
	if rest, ok := strings.CutPrefix(u.Path, "/targets/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	return "default"
}
