package sim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

func addMember(group, id string) string {
	return `PATCH /Groups/` + group + ` ` + patchHead + `{"op":"Add","path":"members","value":[{"value":"` + id + `"}]}]}`
}

func removeMember(group, id string) string {
	return `PATCH /Groups/` + group + ` ` + patchHead + `{"op":"Remove","path":"members","value":[{"value":"` + id + `"}]}]}`
}

const readOps = "GET /Groups/{Ops}?excludedAttributes=members"

// once fails the first request whose body holds text.
func once(text string, status int) func(method, path, body string) int {
	done := false
	return func(_, _, body string) int {
		if done || !strings.Contains(body, text) {
			return 0
		}
		done = true
		return status
	}
}

// TestMembersBehindAFailedAdd: a failed Add drops the other changes of its group for this cycle, and none of them is lost.
func TestMembersBehindAFailedAdd(t *testing.T) {
	for _, batch := range []int{100, 1} {
		t.Run(fmt.Sprint("batches of ", batch), func(t *testing.T) {
			w := newWorld(t, mapping.Starter(), "")
			w.svc.wire.MemberBatch = batch
			ann, bob, cid := w.user("ann"), w.user("bob"), w.user("cid")
			ops := w.group("Ops", ann.ID)
			w.assign(ops.ID, ann.ID, bob.ID, cid.ID)
			w.no(w.svc.Start(w.app.ID))
			w.cycle()
			w.answers(once(`"Add"`, 500))
			w.no(w.dir.AddMembers(w.clock.Now(), ops.ID, bob.ID, cid.ID))
			w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, ann.ID))
			patches := 0
			for _, r := range w.cycle() {
				if strings.HasPrefix(r, "PATCH /Groups") {
					patches++
				}
			}
			if patches != 1 || w.escrows() != 3 {
				t.Errorf("%d PATCH requests and %d escrows in the cycle of the failure, want 1 and 3", patches, w.escrows())
			}
			w.cycle()
			if got, want := w.state(), "Ann active=true, Bob active=true, Cid active=true, [Ops: Bob Cid]"; got != want || w.escrows() != 0 {
				t.Errorf("target holds %s, want %s; %d escrows", got, want, w.escrows())
			}
		})
	}
}

// TestOneBadMemberDoesNotStarveTheOthers: what waits behind a failure was not tried, and goes out while the failed one
// waits for its own retry.
func TestOneBadMemberDoesNotStarveTheOthers(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.svc.wire.MemberBatch = 1
	ann, bob := w.user("ann"), w.user("bob")
	ops := w.group("Ops")
	w.assign(ops.ID, ann.ID, bob.ID)
	w.no(w.svc.Start(w.app.ID))
	w.advance(0)
	bad := ""
	for id, name := range w.names() {
		if name == "Ann" {
			bad = id
		}
	}
	w.answers(func(method, _, body string) int {
		if method == "PATCH" && strings.Contains(body, `"members","value":[{"value":"`+bad) {
			return http.StatusBadRequest
		}
		return 0
	})
	w.no(w.dir.AddMembers(w.clock.Now(), ops.ID, ann.ID, bob.ID))
	w.advance(3 * Interval)
	if got, want := w.state(), "Ann active=true, Bob active=true, [Ops: Bob]"; got != want {
		t.Errorf("target holds %s, want %s", got, want)
	}
}

// TestAddWithALostAnswer: the target took the Add, its answer did not say so. The member leaves, and is removed.
func TestAddWithALostAnswer(t *testing.T) {
	for _, c := range []struct {
		name  string
		reset bool
	}{{"the escrow waits", false}, {"a restart dropped the escrow and the change feed's place", true}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, mapping.Starter(), "")
			ann, bob := w.user("ann"), w.user("bob")
			ops := w.group("Ops", ann.ID)
			w.assign(ops.ID, ann.ID, bob.ID)
			w.no(w.svc.Start(w.app.ID))
			w.cycle()
			w.answers(once(`"Add"`, -http.StatusGatewayTimeout))
			w.no(w.dir.AddMembers(w.clock.Now(), ops.ID, bob.ID))
			w.cycle()
			if got := w.state(); !strings.Contains(got, "[Ops: Ann Bob]") {
				t.Fatalf("the target did not take the Add: %s", got)
			}
			w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, bob.ID))
			if c.reset {
				w.no(w.svc.Restart(w.app.ID, DefaultReset()))
			}
			if got := w.cycle(); !strings.Contains(strings.Join(got, "\n"), removeMember("{Ops}", "{Bob}")) {
				t.Errorf("no Remove among %v", got)
			}
			if got := w.state(); !strings.Contains(got, "[Ops: Ann]") || w.escrows() != 0 {
				t.Errorf("target holds %s, %d escrows", got, w.escrows())
			}
			w.want(w.cycle())
		})
	}
}

// TestRemoveWithALostAnswer: the target removed the member, its answer did not say so. The member comes back, and is added.
func TestRemoveWithALostAnswer(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	ops := w.group("Ops", ann.ID)
	w.assign(ops.ID, ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.answers(once(`"Remove"`, -http.StatusGatewayTimeout))
	w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, ann.ID))
	w.cycle()
	w.no(w.dir.AddMembers(w.clock.Now(), ops.ID, ann.ID))
	w.want(w.cycle(), "GET /Users/{Ann}", readOps, addMember("{Ops}", "{Ann}"))
	w.want(w.cycle())
	if w.escrows() != 0 {
		t.Errorf("%d escrows", w.escrows())
	}
}

// TestKilledBehindAnAdd: the service dies when the target has taken an Add and before that is recorded, and the member
// leaves before the cycle goes on. A commit that fails stands for the kill.
func TestKilledBehindAnAdd(t *testing.T) {
	for _, c := range []struct {
		name   string
		reset  bool // provisioning is restarted before it goes on: the change feed's place is lost
		full   bool // the cycle is an initial one
		remove bool // it is a Remove, and the member comes back
	}{
		{name: "incremental"}, {name: "incremental, then restarted", reset: true}, {name: "initial", full: true},
		{name: "initial, then restarted", full: true, reset: true}, {name: "a Remove", remove: true},
		{name: "a Remove, then restarted", remove: true, reset: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, mapping.Starter(), "")
			ann, bob := w.user("ann"), w.user("bob")
			ops := w.group("Ops", ann.ID)
			w.assign(ops.ID, ann.ID, bob.ID)
			w.no(w.svc.Start(w.app.ID))
			if !c.full {
				w.cycle()
			}
			sent, then, finally, change, undo := `"Add"`, "[Ops: Ann Bob]", "[Ops: Ann]", w.dir.AddMembers, w.dir.RemoveMembers
			if c.remove {
				w.no(change(w.clock.Now(), ops.ID, bob.ID))
				w.cycle()
				sent, then, finally, change, undo = `"Remove"`, "[Ops: Ann]", "[Ops: Ann Bob]", undo, change
			}
			w.no(change(w.clock.Now(), ops.ID, bob.ID))
			told := false
			w.svc.opt.FlushTarget = func(*bbolt.Tx) error {
				if told {
					return errors.New("killed")
				}
				return nil
			}
			w.answers(func(_, _, body string) int {
				told = told || strings.Contains(body, sent)
				return 0
			})
			if _, err := w.svc.RunCycles(context.Background()); err == nil {
				t.Fatal("the commit behind the request did not fail")
			}
			if got := w.state(); !strings.Contains(got, then) {
				t.Fatalf("target holds %s", got)
			}
			w.no(undo(w.clock.Now(), ops.ID, bob.ID))
			w.reopen()
			if c.reset {
				w.no(w.svc.Restart(w.app.ID, DefaultReset()))
			}
			for range 3 {
				w.cycle()
			}
			if got := w.state(); !strings.Contains(got, finally) {
				t.Errorf("target holds %s, want %s", got, finally)
			}
		})
	}
}

// TestGroupComesBack: members change while the group is linked, but out of scope. When it is back, what the target was not
// told is added, and who left is removed; who stayed is not sent again.
func TestGroupComesBack(t *testing.T) {
	s := mapping.Starter()
	s.ObjectMapping("Group").FlowTypes = "Add,Update"
	w := newWorld(t, s, "")
	ann, bob, cid := w.user("ann"), w.user("bob"), w.user("cid")
	ops := w.group("Ops", ann.ID, cid.ID)
	w.assign(ops.ID, ann.ID, bob.ID, cid.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.no(w.svc.Unassign(w.app.ID, ops.ID))
	w.cycle()
	w.no(w.dir.AddMembers(w.clock.Now(), ops.ID, bob.ID))
	w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, ann.ID))
	w.want(w.cycle())
	w.assign(ops.ID)
	// It comes back while the target refuses it: nothing is lost either.
	w.answers(func() func(string, string, string) int {
		refused := 0
		return func(method, path, _ string) int {
			if method == "GET" && strings.HasPrefix(path, "/Groups/") && refused < 1 {
				refused++
				return http.StatusServiceUnavailable
			}
			return 0
		}
	}())
	w.cycle()
	w.want(w.cycle(), readOps, addMember("{Ops}", "{Bob}"), removeMember("{Ops}", "{Ann}"))
	w.want(w.cycle())
}

// TestMembersBehindAFailedGroup: a group whose own PATCH fails gets no member PATCH in that cycle; the membership goes out
// with the group's retry. The change that comes on top makes that due.
func TestMembersBehindAFailedGroup(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob := w.user("ann"), w.user("bob")
	ops := w.group("Ops", ann.ID)
	w.assign(ops.ID, ann.ID, bob.ID)
	w.no(w.svc.Start(w.app.ID))
	w.advance(0)
	w.requests()
	refuse := true
	w.answers(func(_, _, body string) int {
		if refuse && strings.Contains(body, "displayName") {
			return http.StatusBadRequest
		}
		return 0
	})
	rename := `PATCH /Groups/{Ops} ` + patchHead + `{"op":"Replace","path":"displayName","value":"Ops2"}]}`
	_, err := w.dir.UpdateGroup(w.clock.Now(), ops.ID, directory.Props{"displayName": "Ops2"})
	w.no(err)
	w.no(w.dir.AddMembers(w.clock.Now(), ops.ID, bob.ID))
	w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, ann.ID))
	only := func(kind string, list []string) (out []string) {
		for _, r := range list {
			if strings.Contains(r, kind) {
				out = append(out, r)
			}
		}
		return out
	}
	w.advance(Interval)
	w.want(only("/Groups", w.requests()), readOps, rename)
	if w.escrows() != 3 {
		t.Errorf("%d escrows, want those of the group and of two memberships", w.escrows())
	}
	w.advance(Interval) // the first retry
	w.want(only("/Groups", w.requests()), readOps, rename)
	w.advance(Interval) // the second is not due yet, and what waits behind it neither
	w.want(w.requests())
	refuse = false
	w.advance(Interval)
	w.want(w.requests(), `GET /Groups/{Ops2}?excludedAttributes=members`, strings.ReplaceAll(rename, "{Ops}", "{Ops2}"),
		addMember("{Ops2}", "{Bob}"), removeMember("{Ops2}", "{Ann}"))
	if w.escrows() != 0 {
		t.Errorf("%d escrows", w.escrows())
	}
}

// TestMembersBehindAFailedGroupInAnInitialCycle: the restart resends every member; a group that fails gets them later.
func TestMembersBehindAFailedGroupInAnInitialCycle(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	ops := w.group("Ops", ann.ID)
	w.assign(ops.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.no(w.svc.Restart(w.app.ID, DefaultReset()))
	failed := false
	w.answers(func(method, path, _ string) int {
		if !failed && method == "GET" && strings.HasPrefix(path, "/Groups/") {
			failed = true
			return http.StatusInternalServerError
		}
		return 0
	})
	w.want(w.cycle(), "GET /Users/{Ann}", readOps)
	w.want(w.cycle(), readOps, addMember("{Ops}", "{Ann}"))
	w.want(w.cycle())
}

// TestPurgedMember: the account is deleted, its memberships go with it, without a request; also when they changed before.
func TestPurgedMember(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob := w.user("ann"), w.user("bob")
	ops := w.group("Ops", ann.ID, bob.ID)
	w.assign(ops.ID, ann.ID, bob.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, ann.ID))
	for _, id := range []string{ann.ID, bob.ID} {
		w.no(w.dir.DeleteUser(w.clock.Now(), id))
		w.no(w.dir.Purge(w.clock.Now(), id))
	}
	for _, r := range w.cycle() {
		if strings.Contains(r, "members\"") {
			t.Errorf("sent %s", r)
		}
	}
	if got := w.state(); got != "[Ops: ]" {
		t.Errorf("target holds %s", got)
	}
	w.advance(31 * 24 * time.Hour)
	w.requests()
	w.no(w.svc.Restart(w.app.ID, DefaultReset()))
	w.want(w.cycle(), readOps)
}
