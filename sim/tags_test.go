package sim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"entrasim/sim/mapping"
	"entrasim/sim/rules"
)

// tags lists what the requests about objects since the last call name: "METHOD Kind: rules".
func (w *world) tags() []string {
	w.t.Helper()
	page := w.svc.Traffic(w.seen, 10_000)
	w.seen = page.Next
	var out []string
	for _, x := range page.Exchanges {
		for _, id := range x.Rules {
			if _, ok := rules.Get(id); !ok {
				w.t.Errorf("%s %s carries %s, which is not in the table", x.Method, x.URL, id)
			}
		}
		if x.Object == "" {
			continue
		}
		kind := "user"
		if strings.Contains(x.URL, "/Groups") {
			kind = "group"
		}
		out = append(out, fmt.Sprintf("%s %s: %s", x.Method, kind, strings.Join(x.Rules, " ")))
	}
	return out
}

// TestTagsOfALife: each request of an account's life names the rules that made it, in both dialects.
func TestTagsOfALife(t *testing.T) {
	for _, c := range []struct{ flag, disable, rename, manager, cleared, add, remove, several string }{
		{"", "W-102 W-110", "W-102 W-115", "W-061 W-130 W-131 W-132", "W-138", "W-140", "W-143", "W-101 W-102 W-115"},
		{"?aadOptscim062020", "W-102 W-111", "W-102 W-119", "W-061 W-130 W-131", "W-137", "W-142", "W-144", "W-101 W-102 W-117"},
	} {
		t.Run("dialect"+c.flag, func(t *testing.T) {
			w := newWorld(t, managers(t), c.flag)
			boss := w.user("boss")
			ann := w.user("ann", "manager", boss.ID)
			ops := w.group("Ops", ann.ID, boss.ID)
			w.assign(boss.ID, ann.ID, ops.ID)
			w.no(w.svc.Start(w.app.ID))
			cycle := func() []string {
				_, err := w.svc.RunCycles(t.Context())
				w.no(err)
				return w.tags()
			}
			w.want(cycle(),
				"GET user: W-051 W-070", "POST user: S-063 W-051 W-080 W-081 W-085",
				"GET user: W-051 W-070", "POST user: S-063 W-051 W-080 W-081 W-085",
				"GET group: W-057 W-030 W-070", "POST group: S-063 W-057 W-094",
				"PATCH user: S-285 "+c.manager, "PATCH group: S-292 S-293 "+c.add+" W-145")
			w.edit(ann.ID, "displayName", "Ann Ace")
			w.want(cycle(), "GET user: W-053", "PATCH user: W-053 "+c.rename)
			w.edit(ann.ID, "displayName", "Ann", "userPrincipalName", "ann2@contoso.example", "manager", nil)
			w.want(cycle(), "GET user: W-053", "PATCH user: W-053 "+c.several, "PATCH user: S-285 "+c.cleared)
			w.edit(ann.ID, "accountEnabled", false)
			w.want(cycle(), "GET user: S-077 W-054", "PATCH user: S-077 S-192 "+c.disable)
			w.edit(ann.ID, "accountEnabled", true)
			w.want(cycle(), "GET user: W-056", "PATCH user: W-056 "+c.disable)
			w.no(w.svc.Unassign(w.app.ID, ann.ID))
			w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, ann.ID))
			w.want(cycle(), "GET user: S-076 W-054", "PATCH user: S-076 S-192 "+c.disable, "GET group: W-058 W-030", "PATCH group: S-292 S-293 "+c.remove)
			_, err := w.dir.UpdateGroup(w.clock.Now(), ops.ID, map[string]any{"displayName": "Ops Two"})
			w.no(err)
			w.want(cycle(), "GET group: W-058 W-030", "PATCH group: W-058 "+c.rename+" W-152")
			w.no(w.dir.DeleteGroup(w.clock.Now(), ops.ID))
			w.no(w.dir.DeleteUser(w.clock.Now(), boss.ID))
			w.no(w.dir.Purge(w.clock.Now(), boss.ID))
			w.want(cycle(), "DELETE user: S-078 W-055", "DELETE group: S-211 W-060")
		})
	}
}

// TestTagsOfSilence: what was not sent names why: the conditions that failed, and not those that did not.
func TestTagsOfSilence(t *testing.T) {
	department := func(s *mapping.Schema) *mapping.Schema {
		s.ObjectMapping("User").Scope = &mapping.FilterDocument{Groups: []mapping.FilterGroup{{Name: "Sales", Clauses: []mapping.FilterClause{
			{SourceOperandName: "department", OperatorName: "EQUALS", TargetOperand: &mapping.FilterValues{Values: []string{"Sales"}}}}}}}
		return s
	}
	off := func(s *mapping.Schema, flow string) *mapping.Schema {
		s.ObjectMapping("User").FlowTypes = flow
		s.ObjectMapping("Group").FlowTypes = flow
		return s
	}
	for _, c := range []struct {
		name   string
		schema *mapping.Schema
		setUp  func(w *world) (object string)
		want   string
	}{
		{"unassigned", mapping.Starter(), func(w *world) string {
			u := w.user("ann")
			w.cycle()
			w.edit(u.ID, "displayName", "Ann Two")
			return u.ID
		}, "S-106"},
		{"unassigned and blocked", mapping.Starter(), func(w *world) string {
			u := w.user("ann")
			w.cycle()
			w.edit(u.ID, "accountEnabled", false, "displayName", "Ann Two")
			return u.ID
		}, "S-106 S-118"},
		{"assigned and blocked", mapping.Starter(), func(w *world) string {
			u := w.user("ann", "accountEnabled", false)
			w.assign(u.ID)
			return u.ID
		}, "S-118 S-119"},
		{"filtered out", department(mapping.Starter()), func(w *world) string {
			u := w.user("ann")
			w.assign(u.ID)
			return u.ID
		}, "S-120"},
		{"equal on both sides", mapping.Starter(), func(w *world) string {
			u := w.user("ann")
			w.assign(u.ID)
			w.cycle()
			w.no(w.svc.Restart(w.app.ID, DefaultReset()))
			return u.ID
		}, "S-074"},
		{"matched and equal", mapping.Starter(), func(w *world) string {
			u := w.user("ann")
			w.assign(u.ID)
			w.cycle()
			w.no(w.svc.Restart(w.app.ID, FullReset()))
			return u.ID
		}, "S-064 W-052 S-074"},
		{"out of management", mapping.Starter(), func(w *world) string {
			u := w.user("ann")
			w.assign(u.ID)
			w.cycle()
			w.no(w.svc.Unassign(w.app.ID, u.ID))
			w.cycle()
			w.edit(u.ID, "displayName", "Ann Two")
			return u.ID
		}, "S-106 S-196"},
		{"create is off", off(mapping.Starter(), "Update,Delete"), func(w *world) string {
			u := w.user("ann")
			w.assign(u.ID)
			return u.ID
		}, "S-240"},
		{"update is off", off(mapping.Starter(), "Add,Delete"), func(w *world) string {
			u := w.user("ann")
			w.assign(u.ID)
			w.cycle()
			w.no(w.svc.Unassign(w.app.ID, u.ID))
			return u.ID
		}, "S-076 S-241"},
		{"delete is off, a group", off(mapping.Starter(), "Add,Update"), func(w *world) string {
			g := w.group("Ops")
			w.assign(g.ID)
			w.cycle()
			w.no(w.svc.Unassign(w.app.ID, g.ID))
			return g.ID
		}, "S-076 S-210 S-240"},
		{"no matching value", mapped(t, "userName", "[mail]"), func(w *world) string {
			u := w.user("ann")
			w.assign(u.ID)
			return u.ID
		}, "S-278"},
		{"a member out of scope", mapping.Starter(), func(w *world) string {
			u := w.user("ann", "accountEnabled", false)
			g := w.group("Ops", u.ID)
			w.assign(g.ID)
			return g.ID
		}, "S-287 S-288"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.schema, "")
			w.no(w.svc.Start(w.app.ID))
			id := c.setUp(w)
			w.cycle()
			if l := w.record(id); strings.Join(l.Rules, " ") != c.want || l.Status == Success {
				t.Errorf("%s %s: %s, want %s", l.Status, l.SkipReason, strings.Join(l.Rules, " "), c.want)
			}
			why, err := w.svc.Why(id)
			w.no(err)
			for _, x := range append([][]string{why[0].Rules}, why[0].Last.Rules) {
				for _, r := range x {
					if _, ok := rules.Get(r); !ok {
						t.Errorf("why names %s, which is not in the table", r)
					}
				}
			}
		})
	}
}

// TestTagsOfFailures: a failed record names what was tried and what the answer means.
func TestTagsOfFailures(t *testing.T) {
	for _, c := range []struct {
		name   string
		method string
		status int
		body   string
		want   string
	}{
		{"match refused", "GET", 400, "", "W-051 W-070 W-172"},
		{"two hits", "GET", 200, list(`{"id":"1","userName":"ann@contoso.example"}`, `{"id":"2","userName":"ann@contoso.example"}`), "W-051 W-070 W-170 S-065"},
		{"create refused", "POST", 409, "", "S-063 W-051 W-080 W-081 W-085 W-179"},
		{"busy", "POST", 429, "", "S-063 W-051 W-080 W-081 W-085 W-188"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, mapping.Starter(), "")
			ann := w.user("ann")
			w.assign(ann.ID)
			w.before(func(rw http.ResponseWriter, r *http.Request, _ string) bool {
				asked := r.Method == "POST" || strings.Contains(r.URL.RawQuery, "ann")
				return r.Method == c.method && asked && w.reply(rw, c.status, c.body)
			})
			w.no(w.svc.Start(w.app.ID))
			w.cycle()
			if l := w.record(ann.ID); strings.Join(l.Rules, " ") != c.want {
				t.Errorf("%s: %s, want %s", l.ErrorCode, strings.Join(l.Rules, " "), c.want)
			}
		})
	}
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.answers(func(method, _, _ string) int {
		if method == "GET" {
			return 404
		}
		return 0
	})
	w.edit(ann.ID, "displayName", "Ann Two")
	if _, err := w.svc.RunCycles(t.Context()); err != nil {
		t.Fatal(err)
	}
	if j := w.job(); j.Status.Quarantine == nil { // the probes fail as well
		t.Errorf("job %+v", j.Status)
	}
	page := w.svc.Traffic(0, 1000).Exchanges
	if last := page[len(page)-1]; strings.Join(last.Rules, " ") != "W-043" || last.Object != "" {
		t.Errorf("probe %+v", last)
	}
}
