package sim

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"entrasim/sim/clock"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// busy lets the target answer POST with 429 as long as tell says so; n counts the POST requests from 1.
func (w *world) busy(tell func(rw http.ResponseWriter, n int) bool) {
	var posts atomic.Int64
	w.before(func(rw http.ResponseWriter, r *http.Request, _ string) bool {
		if r.Method != http.MethodPost || !tell(rw, int(posts.Add(1))) {
			return false
		}
		rw.WriteHeader(http.StatusTooManyRequests)
		return true
	})
}

func after(seconds any) func(rw http.ResponseWriter) {
	return func(rw http.ResponseWriter) { rw.Header().Set("Retry-After", fmt.Sprint(seconds)) }
}

// TestRetryAfter: what becomes of a request that is answered 429, by what the target says and how the job is set.
//
// Shows: F-214, W-204
func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		name    string
		own     bool // the target lives on the clock
		tell    func(rw http.ResponseWriter)
		times   int // how often it is busy
		ignore  bool
		tries   int
		moved   time.Duration // of virtual time
		created bool
	}{
		{"waits by the clock", true, after(30), 2, false, 3, time.Minute, true},
		{"a day is waited by the clock", true, after(86400), 1, false, 2, 24 * time.Hour, true},
		{"more than a day is not", true, after(86401), 1, false, 1, 0, false},
		{"an instant of the target's", true, func(rw http.ResponseWriter) {
			rw.Header().Set("Date", "Mon, 05 Jan 2026 09:00:00 GMT")
			rw.Header().Set("Retry-After", "Mon, 05 Jan 2026 09:10:00 GMT")
		}, 1, false, 2, 10 * time.Minute, true},
		{"at once", true, after(0), 1, false, 2, 0, true},
		{"given up after three repeats", true, after(30), 99, false, 4, 90 * time.Second, false},
		{"a foreign target waits in real time", false, after(1), 1, false, 2, time.Second, true},
		{"not longer than five minutes", false, after(301), 1, false, 1, 0, false},
		{"not honoured", true, after(30), 1, true, 1, 0, false},
		{"no time is named", true, func(http.ResponseWriter) {}, 1, false, 1, 0, false},
		{"none that can be read", true, after("soon"), 1, false, 1, 0, false},
		{"none that can be", true, after(-5), 1, false, 1, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, mapping.Starter(), "")
			w.svc.opt.OnClock = func(string) bool { return c.own }
			w.svc.wire.HonourRetryAfter = !c.ignore
			w.people(1)
			w.busy(func(rw http.ResponseWriter, n int) bool {
				c.tell(rw)
				return n <= c.times
			})
			w.no(w.svc.Start(w.app.ID))
			began := time.Now()
			list := w.advance(0)
			took := time.Since(began)
			if want := c.moved; !c.own && took < want || c.own && took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
			if moved := w.clock.Now().Sub(start); moved != c.moved {
				t.Errorf("the clock moved by %v, want %v", moved, c.moved)
			}
			tries := 0
			for _, x := range w.svc.Traffic(0, 100).Exchanges {
				if x.Method != http.MethodPost {
					continue
				}
				tries++
				if again := strings.Contains(strings.Join(x.Rules, " "), "W-204") && strings.Contains(x.Reason, "sent again"); again != (tries > 1) {
					t.Errorf("try %d: %s %v", tries, x.Reason, x.Rules)
				}
				if busy := x.Status == http.StatusTooManyRequests; busy != (tries <= c.times) {
					t.Errorf("try %d: status %d", tries, x.Status)
				}
			}
			if tries != c.tries || list[0].Requests != 3+c.tries {
				t.Errorf("%d tries, want %d; %d requests in all", tries, c.tries, list[0].Requests)
			}
			if created := list[0].Counts.Create == 1 && w.job().Escrows == 0; created != c.created {
				t.Errorf("created: %v, %+v, %v", created, list[0].Counts, w.logs())
			}
			if c.created {
				return
			}
			page, err := w.svc.Logs(LogQuery{ApplicationID: w.app.ID})
			w.no(err)
			if l := page.Items[0]; len(page.Items) != 1 || l.ErrorCode != scim.CodeTooManyRequests || !strings.Contains(l.Reason, fmt.Sprintf("retried %d times", c.tries-1)) {
				t.Errorf("record: %s %s", l.ErrorCode, l.Reason)
			}
			// The object waits for the next cycle, whatever it is.
			w.busy(func(http.ResponseWriter, int) bool { return false })
			if list := w.advance(Interval); len(list) != 1 || c.times == 1 && list[0].Counts.Create != 1 {
				t.Errorf("the next cycle: %+v", list)
			}
		})
	}
}

// TestBusyTargetIsLeftAlone: while one request waits, the job's other workers send nothing.
func TestBusyTargetIsLeftAlone(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.no(w.clock.Set(clock.Real, 1))
	w.people(60)
	var mu sync.Mutex
	var refused time.Time
	var late int
	w.before(func(rw http.ResponseWriter, r *http.Request, _ string) bool {
		mu.Lock()
		defer mu.Unlock()
		if since := time.Since(refused); !refused.IsZero() && since > 200*time.Millisecond && since < 900*time.Millisecond {
			late++
		}
		if r.Method == http.MethodPost && refused.IsZero() {
			refused = time.Now()
			rw.Header().Set("Retry-After", "1")
			rw.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		return false
	})
	w.no(w.svc.Start(w.app.ID))
	cycles, err := w.svc.RunCycles(context.Background())
	w.no(err)
	if len(cycles) != 1 || cycles[0].Counts.Create != 60 || cycles[0].State != Succeeded || late != 0 {
		t.Errorf("cycles %+v; %d requests during the wait", cycles, late)
	}
	w.no(w.clock.Set(clock.Manual, 1))
}

// TestWaitEndsWithItsCycle: nothing that stops a cycle waits for what a target asked for, and the objects in flight have not
// failed: a cycle that goes on looks at them again.
func TestWaitEndsWithItsCycle(t *testing.T) {
	for _, mode := range []clock.Mode{clock.Manual, clock.Real} {
		for _, c := range []struct {
			name string
			stop func(w *world, cancel func())
		}{
			{"the client goes away", func(_ *world, cancel func()) { cancel() }},
			{"restart", func(w *world, _ func()) { w.no(w.svc.Restart(w.app.ID, DefaultReset())) }},
			{"the job is deleted", func(w *world, _ func()) { w.no(w.svc.DeleteJob(w.app.ID)) }},
			{"the program ends", func(w *world, _ func()) { w.no(w.svc.Close()) }},
		} {
			t.Run(fmt.Sprint(c.name, " ", mode), func(t *testing.T) {
				w := newWorld(t, mapping.Starter(), "")
				w.no(w.clock.Set(mode, 1))
				w.people(20)
				busy := make(chan struct{}, 100)
				var open atomic.Bool
				w.busy(func(rw http.ResponseWriter, n int) bool {
					if n <= 5 || open.Load() {
						return false
					}
					rw.Header().Set("Retry-After", "250")
					busy <- struct{}{}
					return true
				})
				w.no(w.svc.Start(w.app.ID))
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				done := make(chan struct{})
				go func() {
					defer close(done)
					if _, err := w.svc.RunCycles(ctx); err != nil && ctx.Err() == nil && c.name != "the program ends" {
						t.Error(err)
					}
				}()
				<-busy
				time.Sleep(20 * time.Millisecond) // for the answer to arrive
				began := time.Now()
				c.stop(w, cancel)
				<-done
				if took := time.Since(began); took > 1500*time.Millisecond {
					t.Errorf("it took %v", took)
				}
				open.Store(true)
				page, err := w.svc.Logs(LogQuery{Limit: 1000})
				w.no(err)
				for _, l := range page.Items {
					if l.Status != Success {
						t.Errorf("%s %s %s", l.DisplayName, l.Status, l.ErrorCode)
					}
				}
				if c.name == "the client goes away" || c.name == "restart" {
					if list := w.advance(time.Second); len(list) != 1 || list[0].State != Succeeded {
						t.Errorf("it goes on: %+v", list)
					}
					if users, _ := w.target.Store("default").Counts(); users != 20 || w.job().Escrows != 0 {
						t.Errorf("%d users at the target, %d escrows", users, w.job().Escrows)
					}
				}
				w.no(w.clock.Set(clock.Manual, 1))
			})
		}
	}
}

// TestPauseDuringWait: a paused job's cycle comes to its end, and waits for nobody any more.
//
// Shows: F-027, T6, S-023
func TestPauseDuringWait(t *testing.T) {
	for _, mode := range []clock.Mode{clock.Manual, clock.Real} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t, mapping.Starter(), "")
			w.no(w.clock.Set(mode, 1))
			w.people(20)
			busy := make(chan struct{}, 100)
			w.busy(func(rw http.ResponseWriter, n int) bool {
				if n <= 5 || n > 15 {
					return false
				}
				rw.Header().Set("Retry-After", "250")
				busy <- struct{}{}
				return true
			})
			w.no(w.svc.Start(w.app.ID))
			done := make(chan []CycleResult)
			go func() {
				list, err := w.svc.RunCycles(context.Background())
				if err != nil {
					t.Error(err)
				}
				done <- list
			}()
			<-busy
			time.Sleep(20 * time.Millisecond) // for the answer to arrive
			began := time.Now()
			w.no(w.svc.Pause(w.app.ID))
			list := <-done
			if took := time.Since(began); took > 1500*time.Millisecond {
				t.Errorf("it took %v", took)
			}
			if len(list) != 1 || list[0].State != EntryLevelErrors || list[0].Counts.Create != 10 || list[0].Counts.Fail != 10 {
				t.Errorf("cycles %+v", list)
			}
			if j := w.job(); j.Status.Code != StatusPaused || j.Escrows != 10 {
				t.Errorf("%s, %d escrows", j.Status.Code, j.Escrows)
			}
			w.no(w.clock.Set(clock.Manual, 1))
		})
	}
}
