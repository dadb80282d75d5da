package sim

import (
	"strings"
	"testing"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// mapped is the starter's schema with one more user mapping, or with another source for one.
func mapped(t testing.TB, target, expression string) *mapping.Schema {
	t.Helper()
	return remap(t, mapping.Starter(), target, expression)
}

func remap(t testing.TB, s *mapping.Schema, target, expression string) *mapping.Schema {
	t.Helper()
	source, err := mapping.OriginOf(expression)
	if err != nil {
		t.Fatal(err)
	}
	m := s.ObjectMapping("User")
	for i := range m.AttributeMappings {
		if m.AttributeMappings[i].TargetAttributeName == target {
			m.AttributeMappings[i].Source = source
			return s
		}
	}
	m.AttributeMappings = append(m.AttributeMappings, mapping.AttributeMapping{TargetAttributeName: target, Source: source, FlowType: mapping.Always})
	return s
}

// TestFailingExpression: an expression that fails is logged as what it kept back, and a disable that carries no attribute
// does not need the expressions.
func TestFailingExpression(t *testing.T) {
	w := newWorld(t, mapped(t, "title", `IIF([department] = "bad", Error("no title"), "x")`), "")
	ann, bob, cid := w.user("ann"), w.user("bob"), w.user("cid", "department", "bad")
	w.assign(ann.ID, bob.ID, cid.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.edit(ann.ID, "department", "bad")
	w.edit(bob.ID, "department", "bad")
	w.no(w.svc.Unassign(w.app.ID, bob.ID))
	w.cycle()
	got := strings.Join(w.logs(), "; ")
	want := "create success Ann; create success Bob; create failure Cid AttributeMappingFailed; " +
		"update failure Ann AttributeMappingFailed; disable failure Bob AttributeMappingFailed; create failure Cid AttributeMappingFailed"
	if got != want {
		t.Errorf("log: %s\nwant %s", got, want)
	}
}

func TestFailingExpressionDoesNotStopADisableThatSendsNothing(t *testing.T) {
	s := mapped(t, "title", `IIF([department] = "bad", Error("no title"), "x")`)
	m := s.ObjectMapping("User")
	m.FlowTypes = "Add,Delete"
	w := newWorld(t, s, "")
	ann := w.user("ann")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.edit(ann.ID, "department", "bad", "accountEnabled", false)
	w.want(w.cycle())
	if got := w.logs(); got[len(got)-1] != "disable skipped Ann EntrySynchronizationSkipped" {
		t.Errorf("log: %v", got)
	}
}

// TestManagerInAnExpression: an expression reads the manager, which no reference mapping carries.
func TestManagerInAnExpression(t *testing.T) {
	w := newWorld(t, mapped(t, "title", `CStr([manager])`), "")
	b1, b2 := w.user("b1"), w.user("b2")
	ann := w.user("ann", "manager", b1.ID)
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.edit(ann.ID, "manager", b2.ID)
	w.want(w.cycle(), `GET /Users/{Ann}`, `PATCH /Users/{Ann} `+patchHead+`{"op":"Replace","path":"title","value":"`+b2.ID+`"}]}`)
}

// TestRematch: under the switch an object that is gone when it is read, or when it is written, is matched and created
// anew; one that leaves scope just loses its link.
func TestRematch(t *testing.T) {
	opt := scim.DefaultOptions()
	opt.RematchMissing = true
	w := newWorld(t, mapping.Starter(), "")
	w.svc.wire = opt
	ann, bob := w.user("ann"), w.user("bob")
	ops := w.group("Ops", ann.ID, bob.ID)
	w.assign(ops.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	st := w.target.Store("default")
	idOf := func(name string) string {
		for id, n := range w.names() {
			if n == name {
				return id
			}
		}
		return ""
	}
	remove := func(id string) {
		t.Helper()
		if !st.Delete(id) {
			t.Fatalf("the target has no %s", id)
		}
	}
	gone := idOf("Ann")
	w.answers(func(method, path, _ string) int { // it goes between the read and the write
		if method == "PATCH" && path == "/Users/"+gone {
			remove(gone)
		}
		return 0
	})
	w.edit(ann.ID, "displayName", "Anna")
	got := w.cycle()
	if len(got) != 4 || !strings.HasPrefix(got[1], "PATCH /Users/"+gone) || !strings.HasPrefix(got[2], "GET /Users?filter=") || !strings.HasPrefix(got[3], "POST /Users ") {
		t.Fatalf("a PATCH answered 404: %v", got)
	}
	if users, _ := st.Counts(); users != 2 || w.escrows() != 0 {
		t.Errorf("%d users, %d escrows", users, w.escrows())
	}
	// The link leads to the new object.
	w.edit(ann.ID, "displayName", "Anne")
	if got := w.cycle(); len(got) != 2 || got[0] != "GET /Users/{Anne}" {
		t.Errorf("the next change: %v", got)
	}
	// Leaving scope: there is nothing to switch off.
	gone = idOf("Bob")
	remove(gone)
	w.edit(bob.ID, "accountEnabled", false)
	w.want(w.cycle(), "GET /Users/"+gone)
	if got := w.logs(); got[len(got)-1] != "disable skipped Bob RedundantExport" || w.escrows() != 0 {
		t.Errorf("log ends with %s, %d escrows", got[len(got)-1], w.escrows())
	}
	w.edit(bob.ID, "accountEnabled", true)
	if got := w.cycle(); len(got) != 2 || !strings.HasPrefix(got[1], "POST /Users ") {
		t.Errorf("back in scope: %v", got)
	}
	if j, err := w.svc.Job(w.app.ID); err != nil || j.Status.Users != 3 { // Bob's link was given up before
		t.Errorf("%d users ever linked, %v", j.Status.Users, err)
	}
}

// TestGroupPurge: what a deleted group's purge sends and costs is nothing; a group that is not kept among the deleted items
// takes its members' entitlement with it at once.
func TestGroupPurge(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob := w.user("ann"), w.user("bob")
	ops := w.group("Ops", ann.ID, bob.ID)
	w.assign(ops.ID, ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.no(w.dir.DeleteGroup(w.clock.Now(), ops.ID))
	if got := w.cycle(); len(got) != 4 { // Ann is read, Bob read and switched off, the group deleted
		t.Fatalf("group deleted: %v", got)
	}
	before := w.logs()
	w.no(w.dir.Purge(w.clock.Now(), ops.ID))
	w.want(w.cycle())
	if got := w.logs(); len(got) != len(before) {
		t.Errorf("the purge is logged as %v", got[len(before):])
	}

	synced, err := w.dir.CreateGroup(w.clock.Now(), directory.Props{"displayName": "Synced", "mailNickname": "synced", "onPremisesSyncEnabled": true})
	w.no(err)
	w.no(w.dir.AddMembers(w.clock.Now(), synced.ID, bob.ID))
	w.assign(synced.ID)
	w.cycle()
	if got, want := w.state(), "Ann active=true, Bob active=true, [Synced: Bob]"; got != want {
		t.Fatalf("target holds %s, want %s", got, want)
	}
	w.no(w.dir.DeleteGroup(w.clock.Now(), synced.ID))
	w.cycle()
	if got, want := w.state(), "Ann active=true, Bob active=false"; got != want {
		t.Errorf("target holds %s, want %s", got, want)
	}
}

// TestLeftOutForNow: an object that an expression leaves out with IgnoreObjectFlow, or that an input filter drops when it is
// read, is neither changed nor switched off, and its references rest until it is back.
func TestLeftOutForNow(t *testing.T) {
	ignoring := remap(t, managers(t), "title", `IIF([department] = "away", IgnoreObjectFlow, "x")`)
	filtered := managers(t)
	filtered.ObjectMapping("User").Scope = &mapping.FilterDocument{InputFilterGroups: []mapping.FilterGroup{{Name: "present", Clauses: []mapping.FilterClause{
		{SourceOperandName: "department", OperatorName: "EQUALS", TargetOperand: &mapping.FilterValues{Values: []string{"here"}}}}}}}
	for name, schema := range map[string]*mapping.Schema{"expression": ignoring, "input filter": filtered} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, schema, "")
			b1, b2 := w.user("b1", "department", "here"), w.user("b2", "department", "here")
			ann, cid := w.user("ann", "department", "here", "manager", b1.ID), w.user("cid", "department", "away")
			w.assign(ann.ID, b1.ID, b2.ID, cid.ID)
			w.no(w.svc.Start(w.app.ID))
			for _, r := range w.cycle() {
				if strings.Contains(r, "cid@") {
					t.Errorf("sent %s", r)
				}
			}
			w.edit(ann.ID, "department", "away", "displayName", "Anne")
			w.want(w.cycle())
			w.edit(ann.ID, "manager", b2.ID)
			w.want(w.cycle())
			w.edit(ann.ID, "accountEnabled", false)
			w.want(w.cycle())
			if name == "expression" {
				page, err := w.svc.Logs(LogQuery{ObjectID: ann.ID, Limit: 1})
				w.no(err)
				if l := page.Items[0]; l.Status != Skipped || !strings.Contains(l.Reason, "title says IgnoreObjectFlow") {
					t.Errorf("record %s %s: %s", l.Action, l.Status, l.Reason)
				}
			}
			w.edit(ann.ID, "accountEnabled", true)
			w.want(w.cycle())
			w.edit(ann.ID, "department", "here")
			w.want(w.cycle(), "GET /Users/{Anne}", `PATCH /Users/{Anne} `+patchHead+`{"op":"Replace","path":"displayName","value":"Anne"}]}`,
				setManager("Replace", "{Anne}", "{B2}"))
			if w.escrows() != 0 {
				t.Errorf("%d escrows", w.escrows())
			}
		})
	}
}
