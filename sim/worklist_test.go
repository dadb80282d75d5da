package sim

import (
	"testing"

	"entrasim/sim/mapping"
)

// TestLeavesAGroupThatIsUnassigned: both happen between two cycles, in either order. The user is not among the members that
// the unassignment concerns, and was not a member of an assigned group when it left; it is switched off all the same.
func TestLeavesAGroupThatIsUnassigned(t *testing.T) {
	for _, first := range []string{"leaves", "unassigned"} {
		w := newWorld(t, mapping.Starter(), "")
		ann, bob := w.user("ann"), w.user("bob")
		ops := w.group("Ops", ann.ID, bob.ID)
		w.assign(ops.ID, bob.ID)
		w.no(w.svc.Start(w.app.ID))
		w.cycle()
		if first == "leaves" {
			w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, ann.ID))
		}
		w.no(w.svc.Unassign(w.app.ID, ops.ID))
		if first == "unassigned" {
			w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, ann.ID))
		}
		w.cycle()
		if got, want := w.state(), "Ann active=false, Bob active=true"; got != want {
			t.Errorf("%s first: the target holds %s, want %s", first, got, want)
		}
	}
}
