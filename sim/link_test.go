package sim

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"entrasim/sim/mapping"
)

// TestForgottenByTheDirectory: the directory forgets a purged object after a month. A job that stood still meanwhile and
// begins anew knows the object by its link alone, and carries the deletion out.
func TestForgottenByTheDirectory(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob, ops := w.user("ann"), w.user("bob"), w.group("Ops")
	w.assign(ann.ID, bob.ID, ops.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.no(w.svc.Unassign(w.app.ID, bob.ID))
	w.cycle() // dealt with: his deletion sends nothing
	names := w.names()
	w.no(w.svc.Pause(w.app.ID))
	w.no(w.svc.SetSchema(w.app.ID, mapping.Starter())) // the watermark goes
	for _, id := range []string{ann.ID, bob.ID} {
		w.no(w.dir.DeleteUser(w.clock.Now(), id))
		w.no(w.dir.Purge(w.clock.Now(), id))
	}
	w.no(w.dir.DeleteGroup(w.clock.Now(), ops.ID))
	w.no(w.dir.Purge(w.clock.Now(), ops.ID))
	w.advance(40 * 24 * time.Hour)
	if _, ok := w.svc.num(ann.ID); ok {
		t.Fatal("the directory still knows the user: the test shows nothing")
	}
	w.no(w.svc.Start(w.app.ID))
	var got []string
	for _, r := range w.cycle() {
		for id, name := range names {
			r = strings.ReplaceAll(r, id, "{"+name+"}")
		}
		got = append(got, r)
	}
	w.want(got, "DELETE /Users/{Ann}", "DELETE /Groups/{Ops}")
	if got, want := w.state(), "Bob active=false"; got != want {
		t.Errorf("target holds %s, want %s", got, want)
	}
	if got := w.logs(); got[len(got)-2] != "delete success Ann" || got[len(got)-1] != "delete success Ops" {
		t.Errorf("log ends with %v", got[len(got)-2:])
	}
	w.want(w.cycle())
}

// TestDeleteRefusedForLong: the target fails a DELETE for longer than the directory keeps the tombstone. The escrow stays
// due and is settled when the target recovers.
func TestDeleteRefusedForLong(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	w.assign(ann.ID, w.user("bob").ID)
	w.no(w.svc.Start(w.app.ID))
	w.advance(0)
	refuse := true
	w.answers(func(method, _, _ string) int {
		if refuse && method == "DELETE" {
			return http.StatusInternalServerError
		}
		return 0
	})
	w.no(w.dir.DeleteUser(w.clock.Now(), ann.ID))
	w.no(w.dir.Purge(w.clock.Now(), ann.ID))
	w.advance(35 * 24 * time.Hour)
	if w.escrows() != 1 {
		t.Fatalf("%d escrows while the target refuses, want 1", w.escrows())
	}
	refuse = false
	w.requests()
	w.advance(2 * 24 * time.Hour)
	if got := w.requests(); len(got) != 1 || !strings.HasPrefix(got[0], "DELETE /Users/") {
		t.Errorf("after recovery: %v", got)
	}
	if w.escrows() != 0 || w.state() != "Bob active=true" {
		t.Errorf("%d escrows, target holds %s", w.escrows(), w.state())
	}
}

// TestEscrowOfNobody: an object whose create failed is purged and forgotten, a mapping is switched off: what can't be
// carried out any more does not stay open.
func TestEscrowOfNobody(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, ops := w.user("ann"), w.group("Ops")
	w.assign(ann.ID, ops.ID)
	w.answers(func(method, _, _ string) int {
		if method == "POST" {
			return http.StatusInternalServerError
		}
		return 0
	})
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	if w.escrows() != 2 {
		t.Fatalf("%d escrows, want 2", w.escrows())
	}
	w.no(w.svc.Pause(w.app.ID))
	w.no(w.dir.DeleteUser(w.clock.Now(), ann.ID))
	w.no(w.dir.Purge(w.clock.Now(), ann.ID))
	schema := mapping.Starter()
	schema.ObjectMapping("Group").Enabled = false
	w.no(w.svc.SetSchema(w.app.ID, schema))
	w.advance(40 * 24 * time.Hour)
	w.no(w.svc.Start(w.app.ID))
	w.advance(2 * Interval)
	if w.escrows() != 0 {
		t.Errorf("%d escrows stay open", w.escrows())
	}
}
