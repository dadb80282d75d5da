package sim

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"entrasim/sim/mapping"
)

// TestDeleteInDoubt: the target deleted a group and the service does not know, since the answer was lost or it was killed
// before it could write that down. The group comes back before the next try, and is made anew instead of missed for ever.
func TestDeleteInDoubt(t *testing.T) {
	for _, killed := range []bool{false, true} {
		name := "lost answer"
		if killed {
			name = "killed"
		}
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, mapping.Starter(), "")
			ann := w.user("ann")
			ops := w.group("Ops", ann.ID)
			w.assign(ops.ID, ann.ID)
			w.no(w.svc.Start(w.app.ID))
			w.cycle()
			w.no(w.svc.Unassign(w.app.ID, ops.ID))
			sent := false
			w.answers(func(method, _, _ string) int {
				if method != "DELETE" {
					return 0
				}
				sent = true
				if killed {
					return 0
				}
				return -http.StatusGatewayTimeout
			})
			if killed {
				w.svc.opt.FlushTarget = func(*bbolt.Tx) error {
					if sent {
						return errors.New("killed")
					}
					return nil
				}
			}
			if _, err := w.svc.RunCycles(context.Background()); (err != nil) != killed {
				t.Fatal(err)
			}
			if got := w.state(); strings.Contains(got, "Ops") {
				t.Fatalf("target holds %s", got)
			}
			if killed {
				w.reopen()
			}
			w.assign(ops.ID)
			w.cycle()
			w.cycle()
			if got, want := w.state(), "Ann active=true, [Ops: Ann]"; got != want || w.escrows() != 0 {
				t.Errorf("target holds %s, want %s; %d escrows", got, want, w.escrows())
			}
		})
	}
}

// TestGroupMissing: what somebody else deleted at the target stays missing: the link is broken, and says so.
func TestGroupMissing(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ops := w.group("Ops")
	w.assign(ops.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	for id := range w.names() {
		w.target.Store("default").Delete(id)
	}
	w.no(w.svc.Restart(w.app.ID, DefaultReset()))
	w.cycle()
	if got := w.logs(); got[len(got)-1] != "update failure Ops InvalidAnchor" {
		t.Errorf("log: %v", got)
	}
}
