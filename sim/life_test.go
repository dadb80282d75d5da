package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/sim/mapping"
)

// before puts f in front of the target; true means that it answered.
func (w *world) before(f func(rw http.ResponseWriter, r *http.Request, body string) bool) {
	inner := w.http.Config.Handler
	w.http.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !f(rw, r, string(body)) {
			inner.ServeHTTP(rw, r)
		}
	})
}

// people makes n assigned users.
func (w *world) people(n int) (ids []string) {
	w.t.Helper()
	for i := range n {
		ids = append(ids, w.user(fmt.Sprintf("u%03d", i)).ID)
	}
	w.assign(ids...)
	return ids
}

// slowly lets each POST take some time; the channel tells of the first. counted is how many requests have come.
func (w *world) slowly(each time.Duration) (begun <-chan struct{}, counted func() int) {
	first := make(chan struct{})
	var mu sync.Mutex
	n, posts := 0, 0
	w.before(func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		mu.Lock()
		n++
		if r.Method == http.MethodPost {
			if posts++; posts == 1 {
				close(first)
			}
		}
		mu.Unlock()
		if r.Method == http.MethodPost {
			time.Sleep(each)
		}
		return false
	})
	return first, func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

// running lets the clock run in a mode until the test ends.
func (w *world) running(mode clock.Mode, rate float64) {
	w.t.Helper()
	w.no(w.clock.Set(mode, rate))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		w.clock.Run(ctx)
		close(done)
	}()
	w.t.Cleanup(func() {
		cancel()
		<-done
		w.no(w.clock.Set(clock.Manual, 1))
	})
}

// within waits for something to become true.
func (w *world) within(d time.Duration, what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(d); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("not within %v: %s", d, what)
		}
	}
}

func (w *world) job() Job {
	w.t.Helper()
	j, err := w.svc.Job(w.app.ID)
	w.no(err)
	return j
}

// ended lists the cycles that the service told of.
func (w *world) ended() (list []CycleResult) {
	w.t.Helper()
	events, missed := w.svc.Events().Since(0)
	if missed > 0 {
		w.t.Fatalf("%d events are gone", missed)
	}
	for _, e := range events {
		if e.Topic == "cycle" {
			list = append(list, e.Data().(CycleResult))
		}
	}
	return list
}

// TestDeletedInMidCycle deletes a job, its application, or everything while a cycle runs: the cycle stops behind the
// objects in flight, nothing of it is written or sent afterwards, and the program lives.
//
// Shows: F-029, T17
func TestDeletedInMidCycle(t *testing.T) {
	for _, mode := range []clock.Mode{clock.Manual, clock.Real} {
		for _, c := range []struct {
			name   string
			delete func(w *world) error
		}{
			{"job", func(w *world) error { return w.svc.DeleteJob(w.app.ID) }},
			{"application", func(w *world) error { return w.svc.DeleteApplication(w.app.ID) }},
			{"reset", func(w *world) error {
				return w.svc.Reset(context.Background(), Fresh{Mode: mode, Now: start, Empty: w.dir.Reset})
			}},
		} {
			t.Run(fmt.Sprint(c.name, " ", mode), func(t *testing.T) {
				w := newWorld(t, mapping.Starter(), "")
				w.people(60)
				begun, requests := w.slowly(10 * time.Millisecond)
				var advanced error
				done := make(chan struct{})
				w.no(w.svc.Start(w.app.ID))
				if mode == clock.Manual {
					go func() {
						_, advanced = w.svc.Advance(context.Background(), 3*time.Hour)
						close(done)
					}()
				} else {
					w.running(clock.Real, 1)
					close(done)
				}
				<-begun
				w.no(c.delete(w))
				n := requests()
				<-done
				if n >= 100 {
					t.Fatalf("%d requests: the deletion came too late to show anything", n)
				}
				time.Sleep(50 * time.Millisecond)
				w.advance(3 * time.Hour)
				if more := requests() - n; more > 0 {
					t.Errorf("%d requests after the deletion", more)
				}
				if _, err := w.svc.Job(w.app.ID); directory.CodeOf(err) != directory.NotFound {
					t.Errorf("the job: %v", err)
				}
				if c.name != "reset" {
					if advanced != nil {
						t.Errorf("the advance: %v", advanced)
					}
					return
				}
				if mode == clock.Manual && !errors.Is(advanced, errReset) {
					t.Errorf("the advance: %v", advanced)
				}
				// The same numbers again: nothing of the dead job may turn up in the new one.
				if page := w.svc.Traffic(0, 10); len(page.Exchanges) != 0 {
					t.Errorf("%d exchanges after a reset", len(page.Exchanges))
				}
				w.again()
				if j := w.job(); j.Escrows != 0 || j.Status.Users != 0 || j.LastCycle != nil || len(w.logs()) != 0 {
					t.Errorf("the new job: %+v, log %v", j, w.logs())
				}
			})
		}
	}
}

// again makes the application with its job anew.
func (w *world) again() {
	w.t.Helper()
	var err error
	w.app, err = w.svc.CreateApplication("ConfigCat")
	w.no(err)
	url, token := w.http.URL+"/scim", "secret-token"
	_, err = w.svc.CreateJob(w.app.ID, SettingsEdit{TenantURL: &url, SecretToken: &token})
	w.no(err)
	w.no(w.svc.SetSchema(w.app.ID, mapping.Starter()))
}

// TestDeletedJobIsNotEdited: an edit that found the job before it was deleted is refused.
func TestDeletedJobIsNotEdited(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	j := w.svc.jobOf(w.app.Num)
	w.no(w.svc.DeleteJob(w.app.ID))
	w.svc.mu.Lock()
	w.svc.jobs[w.app.Num] = j // as the edit sees it that looked just before
	w.svc.mu.Unlock()
	if err := w.svc.Start(w.app.ID); directory.CodeOf(err) != directory.NotFound {
		t.Errorf("start of a deleted job: %v", err)
	}
	if cycles, err := w.svc.RunCycles(context.Background()); err != nil || len(cycles) != 0 {
		t.Errorf("cycles %v, %v", cycles, err)
	}
}

// TestDeletionThatCannotBeWritten leaves the job as it was.
func TestDeletionThatCannotBeWritten(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.people(1)
	w.no(w.svc.Start(w.app.ID))
	full := errors.New("no space left")
	w.svc.opt.FlushTarget = func(*bbolt.Tx) error { return full }
	if err := w.svc.DeleteJob(w.app.ID); !errors.Is(err, full) {
		t.Fatalf("deleted: %v", err)
	}
	w.svc.opt.FlushTarget = nil
	if c := w.advance(time.Minute); len(c) != 1 || c[0].State != Succeeded {
		t.Errorf("afterwards: %+v", c)
	}
}

// TestResetEndsAdvances: what was asked for before a reset ends, also what waits for its turn, and the clock is what the
// program's flags say.
func TestResetEndsAdvances(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.people(1)
	w.no(w.svc.Start(w.app.ID))
	w.advance(0)
	w.no(w.clock.Set(clock.Rate, 60))
	begun := make(chan struct{}, 100)
	w.before(func(http.ResponseWriter, *http.Request, string) bool {
		begun <- struct{}{}
		time.Sleep(5 * time.Millisecond)
		return false
	})
	var errs [3]error
	var wg sync.WaitGroup
	wg.Go(func() { _, errs[0] = w.svc.Advance(context.Background(), 200*24*time.Hour) })
	<-begun
	wg.Go(func() { _, errs[1] = w.svc.Advance(context.Background(), time.Hour) })
	wg.Go(func() { _, errs[2] = w.svc.RunCycles(context.Background()) })
	time.Sleep(20 * time.Millisecond) // for them to wait
	filled := false
	w.no(w.svc.Reset(context.Background(), Fresh{Mode: clock.Manual, Now: start, Empty: w.dir.Reset, Fill: func() error {
		filled = true
		_, err := w.svc.CreateApplication("Fresh")
		return err
	}}))
	now := w.clock.Now()
	wg.Wait()
	for i, err := range errs {
		if !errors.Is(err, errReset) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if mode, _ := w.clock.Setting(); mode != clock.Manual || !now.Equal(start) || !w.clock.Now().Equal(start) {
		t.Errorf("the clock is %v and shows %v, later %v", mode, now, w.clock.Now())
	}
	if apps, err := w.svc.Applications(); err != nil || !filled || len(apps) != 1 {
		t.Errorf("applications %v, %v", apps, err)
	}
	w.advance(48 * time.Hour)
	if name, due, ok := w.clock.Next(); !ok || name != timerTrim || !due.After(w.clock.Now()) {
		t.Errorf("next timer %s at %v", name, due)
	}
}

// TestCutShortGoesOn: a cycle whose client went away, in an advance or in /sim/cycle, goes on with the next advance under
// the manual clock, and at once where the clock runs by itself. It is one cycle, and nobody is created twice.
//
// Shows: F-042
func TestCutShortGoesOn(t *testing.T) {
	for _, mode := range []clock.Mode{clock.Manual, clock.Real} {
		for _, by := range []string{"advance", "cycle"} {
			t.Run(fmt.Sprint(by, " ", mode), func(t *testing.T) {
				w := newWorld(t, mapping.Starter(), "")
				w.people(40)
				w.no(w.svc.Start(w.app.ID))
				w.no(w.clock.Set(mode, 1)) // nothing fires timers before the cut
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				posts := map[string]int{}
				var mu sync.Mutex
				w.before(func(_ http.ResponseWriter, r *http.Request, body string) bool {
					mu.Lock()
					defer mu.Unlock()
					if r.Method == http.MethodPost {
						if posts[body]++; len(posts) == 5 {
							cancel()
						}
					}
					return false
				})
				var err error
				var cycles []CycleResult
				if by == "cycle" {
					cycles, err = w.svc.RunCycles(ctx)
				} else {
					cycles, err = w.svc.Advance(ctx, time.Minute)
				}
				if !errors.Is(err, context.Canceled) || len(cycles) != 0 {
					t.Fatalf("cut: %+v, %v", cycles, err)
				}
				if mode == clock.Manual {
					cycles = w.advance(time.Minute)
				} else {
					w.running(clock.Real, 1)
					w.within(5*time.Second, "the cycle ends", func() bool { return len(w.ended()) > 0 })
					cycles = w.ended()
				}
				mu.Lock()
				defer mu.Unlock()
				if len(cycles) != 1 {
					t.Fatalf("cycles %+v", cycles)
				}
				if c := cycles[0]; c.Cycle != 1 || c.Kind != Initial || c.State != Succeeded || c.Counts.Create != 40 || len(posts) != 40 {
					t.Errorf("cycles %+v, %d people posted", cycles, len(posts))
				}
				for body, n := range posts {
					if n != 1 {
						t.Errorf("posted %d times: %s", n, body)
					}
				}
				if j := w.job(); j.NextCycle.Sub(cycles[0].Ended) != Interval || j.Progress != nil {
					t.Errorf("next cycle %v, progress %v", j.NextCycle, j.Progress)
				}
			})
		}
	}
}

// TestWaitingTimerIsNotLost: the timer of a job that waits for its turn is set again when the wait ends.
func TestWaitingTimerIsNotLost(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.people(1)
	w.no(w.svc.Start(w.app.ID))
	j := w.svc.jobOf(w.app.Num)
	w.no(j.take(context.Background()))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := w.svc.Advance(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	j.release()
	if c := w.advance(time.Minute); len(c) != 1 || c[0].State != Succeeded {
		t.Errorf("cycles %+v", c)
	}
}

// TestAdvancesOneAfterAnother: a second advance waits for the first, and each answer holds the cycles that ran inside it.
func TestAdvancesOneAfterAnother(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.people(1)
	begun := make(chan struct{}, 1000)
	w.before(func(http.ResponseWriter, *http.Request, string) bool {
		begun <- struct{}{}
		time.Sleep(10 * time.Millisecond)
		return false
	})
	w.no(w.svc.Start(w.app.ID))
	var got [3][]CycleResult
	var wg sync.WaitGroup
	run := func(i int, d time.Duration) {
		wg.Go(func() {
			var err error
			if d == 0 {
				got[i], err = w.svc.RunCycles(context.Background())
			} else {
				got[i], err = w.svc.Advance(context.Background(), d)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	run(0, 40*time.Minute)
	<-begun
	run(1, 80*time.Minute)
	time.Sleep(10 * time.Millisecond)
	run(2, 0)
	wg.Wait()
	numbers := func(list []CycleResult) (n []int) {
		for _, c := range list {
			n = append(n, c.Cycle)
		}
		return n
	}
	if a := numbers(got[0]); fmt.Sprint(a) != "[1 2]" {
		t.Errorf("the first advance ran cycles %v", a)
	}
	// The third had its turn before or after the second.
	if b, c := fmt.Sprint(numbers(got[1])), fmt.Sprint(numbers(got[2])); !(b == "[3 4]" && c == "[5]" || b == "[4 5]" && c == "[3]") {
		t.Errorf("the second advance ran cycles %s, /sim/cycle %s", b, c)
	}
	if want := start.Add(2 * time.Hour); !w.clock.Now().Equal(want) {
		t.Errorf("the clock shows %v, want %v", w.clock.Now(), want)
	}
}

// TestRestartInMidCycle: exactly one initial cycle follows, and the next one an interval after its end.
//
// Shows: S-033
func TestRestartInMidCycle(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.people(40)
	begun, _ := w.slowly(10 * time.Millisecond)
	w.running(clock.Real, 1)
	w.no(w.svc.Start(w.app.ID))
	<-begun
	w.no(w.svc.Restart(w.app.ID, DefaultReset()))
	w.within(10*time.Second, "two cycles end", func() bool { return len(w.ended()) >= 2 })
	time.Sleep(100 * time.Millisecond)
	list := w.ended()
	if len(list) != 2 || list[0].State != Failed || list[0].Error.Message != "The cycle was ended by a restart." {
		t.Fatalf("cycles %+v", list)
	}
	if c := list[1]; c.Kind != Initial || c.State != Succeeded || c.Cycle != 2 {
		t.Errorf("the cycle that follows: %+v", c)
	}
	if j := w.job(); j.NextCycle.Sub(list[1].Ended) != Interval || j.Status.Code != StatusActive {
		t.Errorf("next cycle at %v after %v, %s", j.NextCycle, list[1].Ended, j.Status.Code)
	}
	if users, _ := w.target.Store("default").Counts(); users != 40 {
		t.Errorf("%d users at the target", users)
	}
}
