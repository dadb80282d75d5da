package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// TestReach: in whatever order objects end and wherever the pass is cut, what the place keeps is what was done.
func TestReach(t *testing.T) {
	const n, workers = 60, 8
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var list []work
		for i := range uint64(n) {
			list = append(list, work{num: 2*(i%40) + 1, late: i >= 40})
		}
		at, done := place{}, map[rank]int{}
		for range 4 {
			left := at.rest(list)
			for _, w := range left {
				if done[w.rank()] != 0 {
					t.Fatalf("seed %d: %+v is to be done again", seed, w)
				}
			}
			if len(left)+len(done) != n {
				t.Fatalf("seed %d: %d left, %d done", seed, len(left), len(done))
			}
			r := &reach{list: left, was: at}
			var flying []int
			next := 0
			for range rnd.IntN(n) {
				for len(flying) < workers && next < len(left) {
					flying = append(flying, next)
					next++
				}
				if len(flying) == 0 {
					break
				}
				k := rnd.IntN(len(flying))
				if rnd.IntN(3) > 0 {
					k = len(flying) - 1 // the first ones are slow
				}
				r.add(flying[k])
				done[left[flying[k]].rank()]++
				flying = slices.Delete(flying, k, k+1)
				at.Done, at.Ahead = r.place()
				if got := len(at.Ahead) - len(r.was.Ahead); got > workers {
					t.Fatalf("seed %d: %d stretches for %d workers", seed, got, workers)
				}
			}
		}
	}
}

// TestSlowObjectHoldsNothingBack: what ends behind an object that takes long is committed and counted all the same, and a
// program that is killed then does nothing of it again.
//
// Shows: S-090
func TestSlowObjectHoldsNothingBack(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.no(w.clock.Set(clock.Real, 1))
	const people = 300
	w.people(people)
	release := make(chan struct{})
	w.before(func(_ http.ResponseWriter, r *http.Request, body string) bool {
		if r.Method == http.MethodPost && strings.Contains(body, "u007@") {
			<-release
		}
		return false
	})
	w.no(w.svc.Start(w.app.ID))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := w.svc.RunCycles(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	w.within(10*time.Second, "all but one are in the log", func() bool { return len(w.logs()) == people-1 })
	w.within(10*time.Second, "progress counts them", func() bool {
		p := w.job().Progress
		return p != nil && p.UsersDone == people-1 && p.Counts.Create == people-1
	})
	// A second program opens the file as a kill would leave it.
	svc, err := Open(Options{Directory: w.dir, Clock: clock.New(clock.Real, 1, w.clock.Now()), Seed: 1})
	w.no(err)
	at := *svc.jobOf(w.app.Num).state.Running
	if len(at.Ahead) != 1 || at.Counts.Create != people-1 {
		t.Errorf("the file's place is %+v", at)
	}
	close(release)
	<-done
	if c := w.ended(); len(c) != 1 || c[0].Counts.Create != people || c[0].State != Succeeded {
		t.Fatalf("cycle %+v", c)
	}
	// What the second program would have gone on with.
	var list worklist
	w.no(w.dir.View(func(r *directory.Reader) error {
		list = readInitial(r, jobBucket(r.Tx(), w.app.Num), w.app.Num, false)
		return nil
	}))
	if left := at.rest(list.users); len(left) != 1 || len(list.users) != people {
		t.Errorf("%d objects of %d are left", len(left), len(list.users))
	}
	w.no(w.clock.Set(clock.Manual, 1))
}

// TestFaultOfOurOwn: a panic, wherever it happens, ends the cycle and not the program. It is told everywhere, and the job
// goes on with its next cycle, without a quarantine.
func TestFaultOfOurOwn(t *testing.T) {
	for _, mode := range []clock.Mode{clock.Manual, clock.Real} {
		for _, where := range []string{"probe", "object", "commit"} {
			t.Run(fmt.Sprint(where, " ", mode), func(t *testing.T) {
				w := newWorld(t, mapping.Starter(), "")
				var log strings.Builder
				w.svc.log = slog.New(slog.NewTextHandler(&log, nil))
				w.people(30)
				w.no(w.clock.Set(mode, 1))
				bad := true
				switch where {
				case "probe":
					w.svc.opt.OnExchange = func(*scim.Exchange) {
						if bad {
							panic("boom")
						}
					}
				case "object":
					w.svc.opt.OnExchange = func(e *scim.Exchange) {
						if bad && strings.Contains(e.URL, "u020") {
							panic("boom")
						}
					}
				case "commit":
					w.svc.opt.FlushTarget = func(*bbolt.Tx) error {
						if bad && len(w.svc.jobOf(w.app.Num).turn) == 1 && w.svc.jobOf(w.app.Num).running.Load() != nil {
							panic("boom")
						}
						return nil
					}
				}
				w.no(w.svc.Start(w.app.ID))
				cycles, err := w.svc.RunCycles(context.Background())
				w.no(err)
				if len(cycles) != 1 || cycles[0].State != Failed || cycles[0].Error.Code != scim.CodeInternalError || !strings.Contains(cycles[0].Error.Message, "boom") {
					t.Fatalf("cycles %+v", cycles)
				}
				j := w.job()
				if j.Status.Code != StatusNotRun || j.Status.Quarantine != nil || !j.NextCycle.Equal(cycles[0].Ended.Add(Interval)) {
					t.Errorf("the job: %+v, next %v", j.Status, j.NextCycle)
				}
				if text := log.String(); !strings.Contains(text, "boom") || !strings.Contains(text, "pass.go") && !strings.Contains(text, "cycle.go") {
					t.Errorf("log: %s", text)
				}
				var metrics strings.Builder
				w.no(w.svc.WriteMetrics(&metrics))
				if !strings.Contains(metrics.String(), "entrasim_internal_errors_total 1\n") || !strings.Contains(metrics.String(), `entrasim_cycles_total{state="Failed"} 1`) {
					t.Errorf("metrics: %s", &metrics)
				}
				audit, err := w.svc.Audit("", 1)
				w.no(err)
				if a := audit.Items[0]; a.Result != "failure" || a.InitiatedBy != provisioningService || !strings.Contains(a.Detail, "boom") {
					t.Errorf("audit %+v", a)
				}
				bad = false
				if c := w.advance(Interval + time.Second); len(c) != 1 || c[0].State != Succeeded {
					t.Errorf("the next cycle: %+v", c)
				}
				if users, _ := w.target.Store("default").Counts(); users != 30 {
					t.Errorf("%d users at the target", users)
				}
			})
		}
	}
}

// TestFaultInUpkeep: a panic of a timer that is no job's.
func TestFaultInUpkeep(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	w.no(w.dir.DeleteUser(w.clock.Now(), ann.ID))
	w.dir.OnCommit(func(directory.Event) { panic("boom") })
	w.advance(31 * 24 * time.Hour)
	w.dir.OnCommit(w.svc.DirectoryChanged)
	w.advance(2 * time.Hour)
	if _, _, ok := w.clock.Next(); !ok {
		t.Error("no timer is left")
	}
}

// TestFullRestartInMidCycle: links that a restart drops do not come back with the objects that were in flight.
func TestFullRestartInMidCycle(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ids := w.people(20)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	for _, id := range ids {
		w.edit(id, "displayName", "Renamed "+id[:8])
	}
	restarted := false
	w.before(func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		if r.Method == http.MethodPatch && !restarted {
			restarted = true
			w.no(w.svc.Restart(w.app.ID, FullReset()))
		}
		return false
	})
	cycles, err := w.svc.RunCycles(context.Background())
	w.no(err)
	if !restarted || len(cycles) != 1 || cycles[0].State != Failed || cycles[0].Error.Code != "None" {
		t.Fatalf("cycles %+v", cycles)
	}
	if j := w.job(); j.Status.Users != 0 {
		t.Errorf("%d users are linked", j.Status.Users)
	}
	w.requests()
	got := w.cycle()
	matched := 0
	for _, line := range got {
		if strings.HasPrefix(line, "GET /Users?filter=") {
			matched++
		}
	}
	if matched != 20 {
		t.Errorf("%d objects were matched anew, want 20:\n%s", matched, strings.Join(got, "\n"))
	}
}

// TestFailedCommit: results that can't be written end the cycle, change nothing, and the job goes on.
func TestFailedCommit(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.people(3)
	w.no(w.svc.Start(w.app.ID))
	full := errors.New("no space left on device")
	bad := true
	w.svc.opt.FlushTarget = func(*bbolt.Tx) error {
		if users, _ := w.target.Store("default").Counts(); bad && users > 0 {
			return full
		}
		return nil
	}
	cycles, err := w.svc.RunCycles(context.Background())
	if !errors.Is(err, full) || len(cycles) != 1 || cycles[0].State != Failed || cycles[0].Error.Code != scim.CodeInternalError || cycles[0].Counts != (Counts{}) {
		t.Fatalf("cycles %+v, %v", cycles, err)
	}
	bad = false
	if j := w.job(); j.Status.Users != 0 || j.Status.Quarantine != nil {
		t.Errorf("the job: %+v", j.Status)
	}
	if c := w.advance(Interval); len(c) != 1 || c[0].State != Succeeded || c[0].Counts.Update+c[0].Counts.Skip != 3 {
		t.Errorf("the next cycle: %+v", c)
	}
}
