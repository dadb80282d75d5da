package sim

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/sim/target"
)

// history runs random lives of a tenant through a job: edits, cycles, faults of the target, kills and restarts. Beside it
// runs a model of what the target must hold, from the directory through scope and the documented rules, which depend on
// what happened while somebody was out of scope:
//
//   - what left scope is inactive, groups are deleted; a purge deletes whoever is managed (S-190, S-196, S-210)
//   - a value that became empty stays at the target (S-247)
//   - a manager or member who is out of scope when the reference is looked at is dropped, and added by no later change than
//     one of the reference, the referring object's own return, or an initial cycle (S-286, S-287, S-288)
//   - what the target was told stays while a member is blocked or unassigned, and comes back with it (S-199, S-293)
//
// Where a fault or a kill leaves open at which of several moments a reference was looked at, and its object was in scope at
// some of them only, the model leaves it open too.
type history struct {
	*world
	r      *rapid.T
	job    uint64
	all    bool // Sync all users and groups
	keep   bool // deleted groups stay at the target: the Delete action is off
	users  []*person
	groups []*team
	made   int
	faults []*flaw
	killed bool // the next cycle is the rest of one that was cut short
	full   bool // the next cycle is an initial one
	log    []string
}

// flaw answers for the target, the given number of times.
type flaw struct {
	method, path, body string
	status, times      int
}

func (f flaw) String() string {
	return fmt.Sprintf("%d for %d %s %s…%s", f.status, f.times, f.method, f.path, f.body)
}

// shrinking lets helpers that take a testing.TB fail a rapid test.
type shrinking struct {
	testing.TB
	r *rapid.T
}

func (s shrinking) Helper()                   { s.r.Helper() }
func (s shrinking) Log(args ...any)           { s.r.Log(args...) }
func (s shrinking) Fatal(args ...any)         { s.r.Fatal(args...) }
func (s shrinking) Error(args ...any)         { s.r.Error(args...) }
func (s shrinking) Fatalf(f string, a ...any) { s.r.Fatalf(f, a...) }
func (s shrinking) Errorf(f string, a ...any) { s.r.Errorf(f, a...) }
func (s shrinking) Failed() bool              { return s.r.Failed() }

func newHistory(t *testing.T, r *rapid.T, path string) *history {
	h := &history{r: r, world: &world{t: shrinking{t, r}, clock: clock.New(clock.Manual, 1, start)}}
	var err error
	h.dir, err = directory.Open(path, directory.Options{Seed: 1, Now: start, NoSync: true})
	h.no(err)
	h.target, err = target.New(target.Options{Token: "secret-token", Now: h.clock.Now, Seed: 1})
	h.no(err)
	h.http = httptest.NewServer(h.target.Handler("default"))
	h.svc, err = Open(Options{Directory: h.dir, Clock: h.clock, Seed: 1})
	h.no(err)
	h.reopen()
	h.app, err = h.svc.CreateApplication("Any")
	h.no(err)
	h.all, h.keep = rapid.IntRange(0, 4).Draw(r, "sync all") == 4, rapid.IntRange(0, 3).Draw(r, "keep groups") == 3
	url, token, scope := h.http.URL+"/scim", "secret-token", SyncAssigned
	if h.all {
		scope = SyncAll
	}
	_, err = h.svc.CreateJob(h.app.ID, SettingsEdit{TenantURL: &url, SecretToken: &token, Scope: &scope})
	h.no(err)
	schema := remap(t, managers(t), "title", "[jobTitle]")
	if h.keep {
		schema.ObjectMapping("Group").FlowTypes = "Add,Update"
	}
	h.no(h.svc.SetSchema(h.app.ID, schema))
	h.svc.wire.MemberBatch = rapid.SampledFrom([]int{100, 1, 2}).Draw(r, "batch")
	h.no(h.svc.Start(h.app.ID))
	j, err := h.svc.job(h.app.ID)
	h.no(err)
	h.job, h.full = j.num, true
	h.answers(h.answer)
	return h
}

func (h *history) close() {
	h.http.Close()
	h.no(h.dir.Check())
	h.no(h.svc.Close())
	h.no(h.dir.Close())
}

func (h *history) say(format string, args ...any) {
	h.log = append(h.log, fmt.Sprintf(format, args...))
}

func (h *history) answer(method, path, body string) int {
	for _, f := range h.faults {
		if f.times > 0 && f.method == method && strings.HasPrefix(path, f.path) && strings.Contains(body, f.body) {
			f.times--
			return f.status
		}
	}
	return 0
}

// inScope says whether the job provisions a user, by what the directory says now.
func (h *history) inScope(p *person) bool {
	return p != nil && p.state == directory.Live && !p.blocked && h.entitled(p)
}

func (h *history) entitled(p *person) bool {
	if h.all || p.assigned {
		return true
	}
	for _, g := range h.groups {
		if l := g.members[p]; l != nil && l.in && g.state == directory.Live && g.assigned {
			return true
		}
	}
	return false
}

func (h *history) provisioned(g *team) bool {
	return g.state == directory.Live && (h.all || g.assigned)
}

func (h *history) person(label string, states ...directory.State) *person {
	return pick(h.r, label, h.users, func(p *person) bool { return slices.Contains(states, p.state) })
}

func (h *history) team(label string, states ...directory.State) *team {
	return pick(h.r, label, h.groups, func(g *team) bool { return slices.Contains(states, g.state) })
}

func pick[T any](r *rapid.T, label string, all []T, keep func(T) bool) T {
	var list []T
	for _, x := range all {
		if keep(x) {
			list = append(list, x)
		}
	}
	if len(list) == 0 {
		r.Skip("no " + label)
	}
	return list[rapid.IntRange(0, len(list)-1).Draw(r, label)]
}

func (h *history) name(prefix string) string {
	h.made++
	return fmt.Sprint(prefix, h.made)
}

// The edits.

func (h *history) CreateUser(r *rapid.T) {
	if len(h.users) >= 7 {
		r.Skip("enough")
	}
	p := &person{User: h.user(h.name("u")), titles: map[string]bool{}, manager: &look{}}
	h.users = append(h.users, p)
	h.say("create user %s", p.DisplayName)
	if rapid.Bool().Draw(r, "assigned") {
		h.assign(p.ID)
		p.assigned = true
	}
}

// Rename leaves out who stands at the target without a link: it would be matched no more, and made twice.
func (h *history) Rename(*rapid.T) {
	p := pick(h.r, "user", h.users, func(p *person) bool { return p.state == directory.Live && !p.orphan })
	name := h.name("n")
	h.say("rename %s", p.DisplayName)
	h.edit(p.ID, "displayName", name, "userPrincipalName", name+"@contoso.example")
	p.DisplayName, p.UserPrincipalName = name, name+"@contoso.example"
}

func (h *history) SetTitle(r *rapid.T) {
	p := h.person("user", directory.Live)
	p.JobTitle = rapid.SampledFrom([]string{"", "Pilot", "Cook"}).Draw(r, "title")
	p.titles[p.JobTitle] = true
	if p.JobTitle == "" {
		h.edit(p.ID, "jobTitle", nil)
	} else {
		h.edit(p.ID, "jobTitle", p.JobTitle)
	}
}

func (h *history) Block(r *rapid.T) {
	p := h.person("user", directory.Live)
	p.blocked = !p.blocked
	h.say("blocked %v: %s", p.blocked, p.DisplayName)
	h.edit(p.ID, "accountEnabled", !p.blocked)
}

func (h *history) SetManager(r *rapid.T) {
	p := h.person("user", directory.Live)
	boss := h.person("manager", directory.Live)
	if boss == p {
		boss = nil
	}
	if boss == p.boss {
		r.Skip("no change")
	}
	if boss == nil {
		h.edit(p.ID, "manager", nil)
	} else {
		h.edit(p.ID, "manager", boss.ID)
	}
	p.boss = boss
	p.manager.begin()
	h.say("manager of %s: %s", p.DisplayName, boss.label())
}

func (p *person) label() string {
	if p == nil {
		return "nobody"
	}
	return p.DisplayName
}

func (h *history) DeleteUser(*rapid.T) {
	p := h.person("user", directory.Live)
	h.say("delete %s", p.DisplayName)
	h.no(h.dir.DeleteUser(h.clock.Now(), p.ID))
	p.state = directory.SoftDeleted
}

func (h *history) RestoreUser(*rapid.T) {
	p := h.person("deleted user", directory.SoftDeleted)
	h.say("restore %s", p.DisplayName)
	_, err := h.dir.Restore(h.clock.Now(), p.ID)
	h.no(err)
	p.state = directory.Live
	if p.boss != nil && p.boss.state == directory.Purged {
		p.boss = nil
		p.manager.begin()
	}
}

func (h *history) PurgeUser(*rapid.T) {
	p := h.person("deleted user", directory.SoftDeleted)
	h.say("purge %s", p.DisplayName)
	h.no(h.dir.Purge(h.clock.Now(), p.ID))
	p.state = directory.Purged
	for _, q := range h.users {
		if q.boss == p && q.state == directory.Live { // the others hear of it when they are restored
			q.manager.begin()
		}
	}
	if l := h.linkOf(p.Num); l != nil {
		p.gone, p.open = l.Managed(), !l.Managed() && p.tried
	}
}

func (h *history) Assign(*rapid.T) {
	p := pick(h.r, "user", h.users, func(p *person) bool { return p.state == directory.Live && !p.assigned })
	h.say("assign %s", p.DisplayName)
	h.assign(p.ID)
	p.assigned = true
}

func (h *history) Unassign(*rapid.T) {
	p := pick(h.r, "user", h.users, func(p *person) bool { return p.state == directory.Live && p.assigned })
	h.say("unassign %s", p.DisplayName)
	h.no(h.svc.Unassign(h.app.ID, p.ID))
	p.assigned = false
}

func (h *history) CreateGroup(r *rapid.T) {
	if len(h.groups) >= 4 {
		r.Skip("enough")
	}
	g := &team{Group: h.group(h.name("g")), members: map[*person]*look{}}
	h.groups = append(h.groups, g)
	h.say("create group %s", g.DisplayName)
	if rapid.Bool().Draw(r, "assigned") {
		h.assign(g.ID)
		g.assigned = true
	}
}

func (h *history) RenameGroup(*rapid.T) {
	g := pick(h.r, "group", h.groups, func(g *team) bool { return g.state == directory.Live && !g.orphan })
	name := h.name("r")
	h.say("rename group %s", g.DisplayName)
	_, err := h.dir.UpdateGroup(h.clock.Now(), g.ID, directory.Props{"displayName": name})
	h.no(err)
	g.DisplayName = name
}

func (h *history) DeleteGroup(*rapid.T) {
	g := h.team("group", directory.Live)
	h.say("delete group %s", g.DisplayName)
	h.no(h.dir.DeleteGroup(h.clock.Now(), g.ID))
	g.state = directory.SoftDeleted
}

func (h *history) RestoreGroup(*rapid.T) {
	g := h.team("deleted group", directory.SoftDeleted)
	h.say("restore group %s", g.DisplayName)
	_, err := h.dir.Restore(h.clock.Now(), g.ID)
	h.no(err)
	g.state = directory.Live
}

func (h *history) PurgeGroup(*rapid.T) {
	g := h.team("deleted group", directory.SoftDeleted)
	h.say("purge group %s", g.DisplayName)
	h.no(h.dir.Purge(h.clock.Now(), g.ID))
	g.state = directory.Purged
}

func (h *history) AssignGroup(*rapid.T) {
	g := pick(h.r, "group", h.groups, func(g *team) bool { return g.state == directory.Live && !g.assigned })
	h.say("assign group %s", g.DisplayName)
	h.assign(g.ID)
	g.assigned = true
}

func (h *history) UnassignGroup(*rapid.T) {
	g := pick(h.r, "group", h.groups, func(g *team) bool { return g.state == directory.Live && g.assigned })
	h.say("unassign group %s", g.DisplayName)
	h.no(h.svc.Unassign(h.app.ID, g.ID))
	g.assigned = false
}

func (h *history) Join(r *rapid.T) {
	g, p := h.team("group", directory.Live), h.person("user", directory.Live)
	l := g.members[p]
	if l == nil {
		l = &look{}
		g.members[p] = l
	}
	if l.in {
		r.Skip("is a member")
	}
	h.say("%s joins %s", p.DisplayName, g.DisplayName)
	h.no(h.dir.AddMembers(h.clock.Now(), g.ID, p.ID))
	l.in = true
	l.begin()
}

func (h *history) Leave(r *rapid.T) {
	g, p := h.team("group", directory.Live), h.person("user", directory.Live)
	l := g.members[p]
	if l == nil || !l.in {
		r.Skip("no member")
	}
	h.say("%s leaves %s", p.DisplayName, g.DisplayName)
	h.no(h.dir.RemoveMembers(h.clock.Now(), g.ID, p.ID))
	l.in = false
}

// Fault makes the target fail for a while, or lose its answers.
func (h *history) Fault(r *rapid.T) {
	f := &flaw{method: rapid.SampledFrom([]string{"PATCH", "POST", "DELETE", "GET"}).Draw(r, "method"), times: rapid.IntRange(1, 4).Draw(r, "times")}
	paths := []string{"/Users", "/Groups"}
	if f.method == "GET" { // the probes stay out: a failed one ends the cycle
		paths = []string{"/Users/", "/Groups/", "/Users?filter=userName+eq+%22u", "/Groups?excludedAttributes=members&filter=displayName+eq+%22g"}
	}
	f.path = rapid.SampledFrom(paths).Draw(r, "path")
	status := []int{http.StatusBadRequest, http.StatusInternalServerError}
	if f.method != "GET" {
		status = append(status, -http.StatusGatewayTimeout)
	}
	if f.method == "PATCH" {
		f.body = rapid.SampledFrom([]string{"", `"members"`, "manager", "displayName", "active"}).Draw(r, "body")
	}
	f.status = rapid.SampledFrom(status).Draw(r, "status")
	h.faults = append(h.faults, f)
	h.say("fault %v", f)
}

func (h *history) Lift(*rapid.T) { h.faults = nil }

// The cycles.

// Cycle runs the next cycle without letting time pass.
func (h *history) Cycle(*rapid.T) {
	h.say("cycle")
	h.before()
	_, err := h.svc.RunCycles(context.Background())
	h.no(err)
	h.after(h.killed)
	h.killed, h.full = false, h.full && h.killed
}

// Wait lets some time pass, with the cycles that fall due.
func (h *history) Wait(r *rapid.T) {
	d := time.Duration(rapid.IntRange(1, 5).Draw(r, "cycles")) * Interval
	h.say("wait %v", d)
	h.before()
	list, err := h.svc.Advance(context.Background(), d)
	h.no(err)
	h.after(len(list) == 0 || h.killed && len(list) == 1)
	if len(list) > 0 {
		h.killed, h.full = false, false
	}
}

// Kill cuts a cycle short at one of its commits, as SIGKILL does, and starts the service again.
func (h *history) Kill(r *rapid.T) {
	after := rapid.IntRange(0, 5).Draw(r, "commits")
	h.say("kill behind %d commits", after)
	h.before()
	h.svc.opt.FlushTarget = func(*bbolt.Tx) error {
		if after--; after < 0 {
			return errors.New("killed")
		}
		return nil
	}
	_, err := h.svc.RunCycles(context.Background())
	h.svc.opt.FlushTarget = nil
	if err == nil {
		h.after(h.killed) // it was done before
		h.killed, h.full = false, h.full && h.killed
	} else {
		h.killed = true
		h.after(true)
	}
	h.reopen()
}

// DemandUser provisions a user on demand; it may be killed at one of its commits.
func (h *history) DemandUser(r *rapid.T) {
	p := h.person("user", directory.Live, directory.SoftDeleted)
	h.say("on demand %s", p.DisplayName)
	if h.inScope(p) {
		p.manager.begin() // it is looked at, whatever changed
	}
	h.demanded(r, OnDemandRequest{ObjectID: p.ID})
}

// DemandGroup does so for a group, with some of its members and some who are none.
func (h *history) DemandGroup(r *rapid.T) {
	g := h.team("group", directory.Live, directory.SoftDeleted)
	req := OnDemandRequest{ObjectID: g.ID}
	told := func() {}
	for _, p := range h.users {
		if p.state == directory.Purged || len(req.Members) == OnDemandMembers || !rapid.Bool().Draw(r, "member") {
			continue
		}
		req.Members = append(req.Members, p.ID)
		if l := g.members[p]; l != nil && l.in && h.inScope(p) && h.provisioned(g) {
			before := told
			told = func() { before(); l.may = true } // unless it fails, or waits for an object at the target
		}
	}
	h.say("on demand group %s with %d members", g.DisplayName, len(req.Members))
	told()
	h.demanded(r, req)
	told()
}

func (h *history) demanded(r *rapid.T, req OnDemandRequest) {
	h.before()
	kill := rapid.IntRange(0, 3).Draw(r, "kill") == 3
	if kill {
		after := rapid.IntRange(0, 3).Draw(r, "commits")
		h.say("killed behind %d commits", after)
		h.svc.opt.FlushTarget = func(*bbolt.Tx) error {
			if after--; after < 0 {
				return errors.New("killed")
			}
			return nil
		}
	}
	_, err := h.svc.OnDemand(context.Background(), h.app.ID, req)
	h.svc.opt.FlushTarget = nil
	if !kill {
		h.no(err)
	}
	h.after(true)
	if kill {
		h.reopen()
	}
}

func (h *history) unlinked(n uint64, held string) bool {
	l := h.linkOf(n)
	return held != "" && (l == nil || l.Target != held)
}

// orphans finds what the target created without being linked.
func (h *history) orphans() {
	st := h.target.Store("default")
	held := map[string]string{}
	for _, kind := range []string{"User", "Group"} {
		list, _ := st.List(kind, 0, 1000)
		for _, x := range list {
			held[fmt.Sprint(x.Doc["externalId"])] = x.ID
		}
	}
	for _, p := range h.users {
		p.orphan = h.unlinked(p.Num, held[p.ID])
	}
	for _, g := range h.groups {
		g.orphan = h.unlinked(g.Num, held[g.ID])
	}
}

func (h *history) Restart(*rapid.T) {
	h.say("restart provisioning")
	h.no(h.svc.Restart(h.app.ID, DefaultReset()))
	h.full, h.killed = true, false
}

// brief makes rapid take a few seconds, unless its flags ask for more; what it returns puts that back.
func brief(t *testing.T, count string) func() {
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() != checks.DefValue {
		return func() {}
	}
	if err := checks.Value.Set(count); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := checks.Value.Set(checks.DefValue); err != nil {
			t.Error(err)
		}
	}
}

// actionsOf are the actions of a state machine; tell is told the values that each draws from.
func actionsOf(machine rapid.StateMachine, tell func(*rapid.T)) map[string]func(*rapid.T) {
	actions := rapid.StateMachineActions(machine)
	for _, name := range slices.Collect(maps.Keys(actions)) {
		do := actions[name]
		actions[name] = func(r *rapid.T) { tell(r); do(r) }
	}
	return actions
}

// TestHistories runs random histories against the model. What it found stands as tests of its own, in cut_test.go and
// worklist_test.go among others. A long run: go test ./sim -run TestHistories -rapid.checks=5000 -rapid.steps=60.
func TestHistories(t *testing.T) {
	defer brief(t, "50")()
	dir, runs := t.TempDir(), 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		h := newHistory(t, r, filepath.Join(dir, fmt.Sprint(runs)))
		defer h.close()
		for range 3 {
			h.CreateUser(r)
		}
		h.CreateGroup(r)
		r.Repeat(actionsOf(h, func(r *rapid.T) { h.r = r }))
		h.finish()
	})
}
