package directory

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// thing is an object as the model knows it.
type thing struct {
	Num     uint64
	ID      string
	Kind    Kind
	State   State
	Deleted time.Time
	UPN     string
	Title   string // jobTitle or description
	Manager uint64
	Synced  bool   // a group that is purged at once
	Purged  uint64 // change number
}

// event is one change as the model expects it in the feed.
type event struct {
	Seq     uint64
	At      time.Time
	Op      string
	Num     uint64
	Other   uint64
	Changed []string
}

// machine runs random histories on a store and on a model of plain maps.
type machine struct {
	s        *Store
	now      time.Time
	made     int
	things   map[uint64]*thing
	edges    map[[2]uint64]bool
	assigned map[[2]uint64]map[string]bool
	events   []event
	floor    uint64
}

func (m *machine) note(op string, num, other uint64, changed ...string) {
	m.events = append(m.events, event{uint64(len(m.events)) + 1, m.now, op, num, other, changed})
}

// pick draws an object; ok is false when there is none.
func (m *machine) pick(r *rapid.T, label string, keep func(*thing) bool) *thing {
	var list []*thing
	for _, n := range slices.Sorted(maps.Keys(m.things)) {
		if keep(m.things[n]) {
			list = append(list, m.things[n])
		}
	}
	if len(list) == 0 {
		r.Skip("no " + label)
	}
	return list[rapid.IntRange(0, len(list)-1).Draw(r, label)]
}

func ofKind(kinds ...Kind) func(*thing) bool {
	return func(t *thing) bool { return slices.Contains(kinds, t.Kind) }
}

// expect compares an error with what the model says.
func expect(r *rapid.T, what string, err error, want Code) bool {
	if CodeOf(err) != want || want == "" && err != nil {
		r.Fatalf("%s: %v, want code %q", what, err, want)
	}
	return err == nil
}

func (m *machine) liveUPN(upn string) bool {
	for _, t := range m.things {
		if t.Kind == KindUser && t.State == Live && t.UPN == upn {
			return true
		}
	}
	return false
}

func (m *machine) upn(r *rapid.T) string {
	return fmt.Sprintf("u%d@contoso.example", rapid.IntRange(0, 9).Draw(r, "name"))
}

func (m *machine) CreateUser(r *rapid.T) {
	upn := m.upn(r)
	want := Code("")
	if m.liveUPN(upn) {
		want = Conflict
	}
	u, err := m.s.CreateUser(m.now, Props{"displayName": "U", "mailNickname": "u", "userPrincipalName": upn})
	if expect(r, "create user", err, want) {
		m.things[u.Num] = &thing{Num: u.Num, ID: u.ID, Kind: KindUser, UPN: upn}
		m.note(opCreate, u.Num, 0, "displayName", "mailNickname", "userPrincipalName")
	}
}

func (m *machine) CreateGroup(r *rapid.T) {
	synced := rapid.Bool().Draw(r, "synced")
	m.made++
	p := Props{"displayName": fmt.Sprint("G", m.made), "mailNickname": "g"}
	changed := []string{"displayName", "mailNickname"}
	if synced {
		p["onPremisesSyncEnabled"] = true
		changed = append(changed, "onPremisesSyncEnabled")
	}
	g, err := m.s.CreateGroup(m.now, p)
	if expect(r, "create group", err, "") {
		m.things[g.Num] = &thing{Num: g.Num, ID: g.ID, Kind: KindGroup, Synced: synced}
		m.note(opCreate, g.Num, 0, changed...)
	}
}

func (m *machine) CreateServicePrincipal(r *rapid.T) {
	sp, err := m.s.CreateServicePrincipal(m.now, "App", "", []AppRole{{ID: reader, Enabled: true}, {ID: writer, Enabled: true}})
	if expect(r, "create service principal", err, "") {
		m.things[sp.Num] = &thing{Num: sp.Num, ID: sp.ID, Kind: KindServicePrincipal}
		m.note(opCreate, sp.Num, 0)
	}
}

func (m *machine) Rename(r *rapid.T) {
	t, upn := m.pick(r, "user", ofKind(KindUser)), m.upn(r)
	title := rapid.SampledFrom([]string{"", "Pilot", "Captain"}).Draw(r, "title")
	want := Code("")
	switch {
	case t.State != Live:
		want = NotFound
	case t.UPN != upn && m.liveUPN(upn):
		want = Conflict
	}
	_, err := m.s.UpdateUser(m.now, t.ID, Props{"userPrincipalName": upn, "jobTitle": title})
	if !expect(r, "update user", err, want) {
		return
	}
	var changed []string
	if t.Title != title {
		changed = append(changed, "jobTitle")
	}
	if t.UPN != upn {
		changed = append(changed, "userPrincipalName")
	}
	if t.Title, t.UPN = title, upn; changed != nil {
		m.note(opUpdate, t.Num, 0, changed...)
	}
}

func (m *machine) Describe(r *rapid.T) {
	t := m.pick(r, "group", ofKind(KindGroup))
	text := rapid.SampledFrom([]string{"", "a", "b"}).Draw(r, "text")
	want := Code("")
	if t.State != Live {
		want = NotFound
	}
	_, err := m.s.UpdateGroup(m.now, t.ID, Props{"description": text})
	if expect(r, "update group", err, want) && t.Title != text {
		t.Title = text
		m.note(opUpdate, t.Num, 0, "description")
	}
}

func (m *machine) SetManager(r *rapid.T) {
	t, boss := m.pick(r, "user", ofKind(KindUser)), m.pick(r, "manager", ofKind(KindUser))
	want := Code("")
	switch {
	case t.State != Live, boss.State != Live:
		want = NotFound
	case t == boss:
		want = Invalid
	}
	if expect(r, "set manager", m.s.SetManager(m.now, t.ID, boss.ID), want) && t.Manager != boss.Num {
		m.note(opUpdate, t.Num, t.Manager, "manager")
		t.Manager = boss.Num
	}
}

func (m *machine) Delete(r *rapid.T) {
	t := m.pick(r, "object", func(*thing) bool { return true })
	remove := map[Kind]func(time.Time, string) error{KindUser: m.s.DeleteUser, KindGroup: m.s.DeleteGroup, KindServicePrincipal: m.s.DeleteServicePrincipal}
	want := Code("")
	if t.State != Live {
		want = NotFound
	}
	if !expect(r, "delete", remove[t.Kind](m.now, t.ID), want) {
		return
	}
	if t.Kind == KindGroup && t.Synced {
		m.note(opDelete, t.Num, 0)
		m.purged(t)
		return
	}
	t.State, t.Deleted = SoftDeleted, m.now
	m.note(opDelete, t.Num, 0)
}

func (m *machine) purged(t *thing) {
	t.State = Purged
	for _, n := range slices.Sorted(maps.Keys(m.things)) {
		if u := m.things[n]; u.Kind == KindUser && u.State == Live && u.Manager == t.Num {
			m.note(opUpdate, n, t.Num, "manager")
		}
	}
	m.note(opPurge, t.Num, 0)
	t.Purged = uint64(len(m.events))
}

func (m *machine) Restore(r *rapid.T) {
	t := m.pick(r, "object", func(*thing) bool { return true })
	want := Code("")
	switch {
	case t.State != SoftDeleted:
		want = NotFound
	case t.Kind == KindUser && m.liveUPN(t.UPN):
		want = Conflict
	}
	_, err := m.s.Restore(m.now, t.ID)
	if !expect(r, "restore", err, want) {
		return
	}
	t.State = Live
	var changed []string
	if boss := m.things[t.Manager]; t.Manager != 0 && (boss == nil || boss.State == Purged) {
		t.Manager, changed = 0, []string{"manager"}
	}
	m.note(opRestore, t.Num, 0, changed...)
}

func (m *machine) Purge(r *rapid.T) {
	t := m.pick(r, "object", func(*thing) bool { return true })
	want := Code("")
	if t.State != SoftDeleted {
		want = NotFound
	}
	if expect(r, "purge", m.s.Purge(m.now, t.ID), want) {
		m.purged(t)
	}
}

func (m *machine) Join(r *rapid.T) {
	g, u := m.pick(r, "group", ofKind(KindGroup)), m.pick(r, "member", ofKind(KindUser, KindGroup))
	e := [2]uint64{g.Num, u.Num}
	want := Code("")
	switch {
	case g.State != Live, u.State != Live:
		want = NotFound
	case g == u:
		want = Invalid
	case m.edges[e]:
		want = Conflict
	}
	if expect(r, "add member", m.s.AddMembers(m.now, g.ID, u.ID), want) {
		m.edges[e] = true
		m.note(opJoin, g.Num, u.Num)
	}
}

func (m *machine) Leave(r *rapid.T) {
	g, u := m.pick(r, "group", ofKind(KindGroup)), m.pick(r, "member", ofKind(KindUser, KindGroup))
	e := [2]uint64{g.Num, u.Num}
	want := Code("")
	switch {
	case g.State != Live, u.State != Live:
		want = NotFound
	case !m.edges[e]:
		want = Invalid
	}
	if expect(r, "remove member", m.s.RemoveMembers(m.now, g.ID, u.ID), want) {
		delete(m.edges, e)
		m.note(opLeave, g.Num, u.Num)
	}
}

func (m *machine) Assign(r *rapid.T) {
	sp, p := m.pick(r, "application", ofKind(KindServicePrincipal)), m.pick(r, "principal", ofKind(KindUser, KindGroup))
	role := rapid.SampledFrom([]string{reader, writer, DefaultAccess}).Draw(r, "role")
	e := [2]uint64{sp.Num, p.Num}
	want := Code("")
	switch {
	case sp.State != Live, p.State != Live:
		want = NotFound
	case m.assigned[e][role]:
		want = Conflict
	}
	_, err := m.s.Assign(m.now, sp.ID, p.ID, role)
	if expect(r, "assign", err, want) {
		if m.assigned[e] == nil {
			m.assigned[e] = map[string]bool{}
		}
		m.assigned[e][role] = true
		m.note(opAssign, sp.Num, p.Num)
	}
}

func (m *machine) Unassign(r *rapid.T) {
	sp, p := m.pick(r, "application", ofKind(KindServicePrincipal)), m.pick(r, "principal", ofKind(KindUser, KindGroup))
	e := [2]uint64{sp.Num, p.Num}
	want := Code("")
	if sp.State != Live || p.State != Live || len(m.assigned[e]) == 0 {
		want = NotFound
	}
	if expect(r, "unassign", m.s.Unassign(m.now, sp.ID, p.ID), want) {
		delete(m.assigned, e)
		m.note(opUnassign, sp.Num, p.Num)
	}
}

func (m *machine) Wait(r *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 20).Draw(r, "days")) * 24 * time.Hour)
	var due []*thing
	for _, n := range slices.Sorted(maps.Keys(m.things)) {
		if t := m.things[n]; t.State == SoftDeleted && !t.Deleted.Add(RecycleTime).After(m.now) {
			due = append(due, t)
		}
	}
	slices.SortStableFunc(due, func(a, b *thing) int { return a.Deleted.Compare(b.Deleted) })
	n, err := m.s.PurgeExpired(m.now)
	if expect(r, "purge expired", err, ""); n != len(due) {
		r.Fatalf("%d expired, want %d", n, len(due))
	}
	for _, t := range due {
		m.purged(t)
	}
}

func (m *machine) Trim(r *rapid.T) {
	passed := rapid.Uint64Range(0, uint64(len(m.events))).Draw(r, "passed")
	expect(r, "trim", m.s.Trim(m.now, passed, RecycleTime), "")
	for _, e := range m.events[m.floor:] {
		if e.Seq > passed || e.At.After(m.now.Add(-RecycleTime)) {
			break
		}
		m.floor = e.Seq
	}
	for n, t := range m.things {
		if t.State != Purged || t.Purged > m.floor {
			continue
		}
		delete(m.things, n)
		maps.DeleteFunc(m.edges, func(e [2]uint64, _ bool) bool { return e[0] == n || e[1] == n })
		maps.DeleteFunc(m.assigned, func(e [2]uint64, _ map[string]bool) bool { return e[0] == n || e[1] == n })
		for _, u := range m.things {
			if u.Manager == n && u.State == Live {
				u.Manager = 0
			}
		}
	}
}

// diff folds the model's history behind a watermark into what the feed must say.
func (m *machine) diff(after uint64) Changes {
	out := Changes{Last: uint64(len(m.events))}
	objects, edges, assignments := map[uint64]*ObjectChange{}, map[[2]uint64]bool{}, map[[2]uint64]bool{}
	kinds := map[uint64]Kind{}
	for _, e := range m.events {
		pair := [2]uint64{e.Num, e.Other}
		switch {
		case e.Seq <= after:
		case e.Op == opJoin || e.Op == opLeave:
			edges[pair] = e.Op == opJoin
		case e.Op == opAssign || e.Op == opUnassign:
			assignments[pair] = e.Op == opAssign
		default:
			o := objects[e.Num]
			if o == nil {
				o = &ObjectChange{Num: e.Num, First: e.At}
				objects[e.Num] = o
			}
			o.Last = e.At
			o.Created = o.Created || e.Op == opCreate
			o.Purged = o.Purged || e.Op == opPurge
			if e.Op == opDelete || e.Op == opRestore {
				o.SoftDeleted, o.Restored = e.Op == opDelete, e.Op == opRestore
			}
			if e.Other != 0 && !slices.Contains(o.Properties, "manager") {
				o.FormerManager = e.Other
			}
			for _, name := range e.Changed {
				if !slices.Contains(o.Properties, name) {
					o.Properties = append(o.Properties, name)
				}
			}
			slices.Sort(o.Properties)
		}
	}
	for n, t := range m.things {
		kinds[n] = t.Kind
	}
	for _, n := range slices.Sorted(maps.Keys(objects)) {
		objects[n].Kind = kinds[n]
		out.Objects = append(out.Objects, *objects[n])
	}
	less := func(a, b [2]uint64) int { return slices.Compare(a[:], b[:]) }
	for _, p := range slices.SortedFunc(maps.Keys(edges), less) {
		out.Edges = append(out.Edges, EdgeChange{p[0], p[1], edges[p]})
	}
	for _, p := range slices.SortedFunc(maps.Keys(assignments), less) {
		out.Assignments = append(out.Assignments, AssignmentChange{p[0], p[1], kinds[p[1]], assignments[p]})
	}
	return out
}

// Check is run after each step.
func (m *machine) Check(r *rapid.T) {
	if err := m.s.Check(); err != nil {
		r.Fatalf("store: %v", err)
	}
	m.checkLists(r)
	m.checkFeed(r)
}

func (m *machine) checkFeed(r *rapid.T) {
	if got := m.s.LastChange(); got != uint64(len(m.events)) {
		r.Fatalf("change %d, want %d", got, len(m.events))
	}
	after := rapid.Uint64Range(0, uint64(len(m.events))).Draw(r, "watermark")
	got, err := m.s.Changes(after, m.s.LastChange())
	if after < m.floor {
		expect(r, "changes behind the floor", err, Expired)
		return
	}
	expect(r, "changes", err, "")
	if d := cmp.Diff(m.diff(after), got); d != "" {
		r.Fatalf("feed behind %d (-want +got):\n%s", after, d)
	}
}

func (m *machine) checkLists(r *rapid.T) {
	var want Counts
	var users []uint64
	for _, n := range slices.Sorted(maps.Keys(m.things)) {
		switch t := m.things[n]; {
		case t.Kind == KindUser && t.State == Live:
			want.Users++
			users = append(users, n)
		case t.Kind == KindUser && t.State == SoftDeleted:
			want.DeletedUsers++
		case t.Kind == KindGroup && t.State == Live:
			want.Groups++
		case t.Kind == KindGroup && t.State == SoftDeleted:
			want.DeletedGroups++
		case t.Kind == KindServicePrincipal && t.State == Live:
			want.ServicePrincipals++
		}
	}
	if got := m.s.Counts(); got != want {
		r.Fatalf("counts %+v, want %+v", got, want)
	}
	page, err := m.s.Users(Query{Limit: 999})
	expect(r, "users", err, "")
	var got []uint64
	for _, u := range page.Items {
		got = append(got, u.Num)
		if t := m.things[u.Num]; u.UserPrincipalName != t.UPN || u.JobTitle != t.Title || u.ManagerNum != t.Manager {
			r.Fatalf("user %+v, the model has %+v", u, t)
		}
	}
	if !slices.Equal(got, users) {
		r.Fatalf("users %v, want %v", got, users)
	}
	m.checkRelations(r)
}

// checkRelations compares the hidden view, which keeps the relations of deleted objects.
func (m *machine) checkRelations(r *rapid.T) {
	err := m.s.View(func(v *Reader) error {
		edges, assigned := map[[2]uint64]bool{}, map[[2]uint64]map[string]bool{}
		for n, t := range m.things {
			o, ok := v.Object(n)
			if !ok || o.State != t.State || o.ID != t.ID {
				r.Fatalf("object %+v, the model has %+v", o, t)
			}
			v.EachMember(n, 0, func(u uint64) bool { edges[[2]uint64{n, u}] = v.IsMember(n, u); return true })
			v.EachAssigned(n, func(p uint64, _ Kind, role string) bool {
				e := [2]uint64{n, p}
				if assigned[e] == nil {
					assigned[e] = map[string]bool{}
				}
				assigned[e][role] = true
				return true
			})
		}
		if d := cmp.Diff(m.edges, edges); d != "" {
			r.Fatalf("memberships (-want +got):\n%s", d)
		}
		if d := cmp.Diff(m.assigned, assigned); d != "" {
			r.Fatalf("assignments (-want +got):\n%s", d)
		}
		return nil
	})
	expect(r, "view", err, "")
}

// TestModel runs random histories: the store, and what its feed says after any watermark, equal the model.
//
// Shows: F-009
func TestModel(t *testing.T) {
	dir, runs := t.TempDir(), 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		s, err := Open(filepath.Join(dir, strconv.Itoa(runs)), Options{Seed: 1, Now: start, NoSync: true})
		if err != nil {
			r.Fatal(err)
		}
		defer func() { check(t, s.Close()) }()
		m := &machine{s: s, now: start, things: map[uint64]*thing{}, edges: map[[2]uint64]bool{}, assigned: map[[2]uint64]map[string]bool{}}
		r.Repeat(rapid.StateMachineActions(m))
	})
}
