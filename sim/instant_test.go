package sim

import (
	"context"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/sim/clock"
	"entrasim/sim/mapping"
)

// TestInstantOfAFile: where a clock goes on, by what the file says and how the program ended.
func TestInstantOfAFile(t *testing.T) {
	written := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		r     clockRecord
		mode  clock.Mode
		after time.Duration // since the record was written
		want  time.Duration // since the instant of the record
	}{
		{"real, ended", clockRecord{Rate: 1, Clean: true}, clock.Real, time.Hour, time.Hour},
		{"real, killed", clockRecord{Rate: 1}, clock.Real, time.Hour, time.Hour},
		{"real, ended, then manual", clockRecord{Rate: 1, Clean: true}, clock.Manual, time.Hour, 0},
		{"real, killed, then manual", clockRecord{Rate: 1}, clock.Manual, time.Hour, time.Hour},
		{"manual, ended", clockRecord{Clean: true}, clock.Manual, time.Hour, 0},
		{"manual, killed", clockRecord{}, clock.Manual, time.Hour, 0},
		{"manual, killed, then real", clockRecord{}, clock.Real, time.Hour, time.Hour},
		{"rate, ended", clockRecord{Rate: 3600, Clean: true}, clock.Rate, time.Hour, time.Hour},
		{"rate, killed just now", clockRecord{Rate: 3600}, clock.Rate, time.Second, time.Hour},
		{"rate, killed long ago", clockRecord{Rate: 3600}, clock.Rate, time.Hour, 2*time.Hour + time.Hour - 2*time.Second},
		{"rate, killed, then manual", clockRecord{Rate: 3600}, clock.Manual, time.Hour, 2 * time.Hour},
		{"slow, killed", clockRecord{Rate: 0.5}, clock.Rate, time.Second, time.Second / 2},
		{"the wall went back", clockRecord{Rate: 1}, clock.Real, -time.Hour, 0},
	} {
		c.r.Now, c.r.Wall = start, written
		if got := c.r.at(c.mode, written.Add(c.after)).Sub(start); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// commits is the number of the last transaction that wrote.
func (w *world) commits() (n int) {
	w.t.Helper()
	w.no(w.dir.DB().View(func(tx *bbolt.Tx) error {
		n = tx.ID()
		return nil
	}))
	return n
}

// TestInstantIsKept: the instant is written where a kill would lose it, and nothing is written otherwise.
func TestInstantIsKept(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	keep := func(want int, when string) {
		t.Helper()
		before := w.commits()
		w.no(w.svc.keepTime())
		if got := w.commits() - before; got != want {
			t.Errorf("%s: %d commits, want %d", when, got, want)
		}
	}
	keep(0, "manual, nothing moved")
	w.people(1)
	w.no(w.svc.Start(w.app.ID))
	w.advance(time.Hour)
	before := w.commits()
	w.advance(24 * time.Hour)
	if n := w.commits() - before; n != 1 {
		t.Errorf("an idle day took %d commits, want one before the advance answers", n)
	}
	keep(0, "manual, behind an advance")
	w.no(w.clock.Set(clock.Real, 1))
	keep(1, "manual before, real now")
	keep(0, "real")
	w.no(w.clock.Set(clock.Rate, 100_000))
	keep(1, "rate")
	time.Sleep(20 * time.Millisecond)
	keep(1, "rate, a little later")
	shown := w.clock.Now()
	now, ok, err := Instant(w.dir, clock.Manual)
	if err != nil || !ok || now.Before(shown) {
		t.Errorf("the file leads to %v (%v, %v), the clock showed %v", now, ok, err, shown)
	}
	w.no(w.clock.Set(clock.Manual, 1))
}

// TestTrimByShortRuns: a program that never runs for a whole virtual day keeps log records no longer than 30 days either.
//
// Shows: F-196, S-360
func TestTrimByShortRuns(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.people(1)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	svc := w.svc
	for range 60 {
		_, err := svc.Advance(context.Background(), 13*time.Hour)
		w.no(err)
		w.no(svc.Close())
		now, ok, err := Instant(w.dir, clock.Manual)
		if w.no(err); !ok || !now.Equal(svc.clock.Now()) {
			t.Fatalf("the file leads to %v, the clock showed %v", now, svc.clock.Now())
		}
		svc, err = Open(Options{Directory: w.dir, Clock: clock.New(clock.Manual, 1, now), Seed: 1})
		w.no(err)
		svc.Begin(t.Context())
	}
	page, err := svc.Logs(LogQuery{})
	w.no(err)
	for _, l := range page.Items {
		t.Errorf("%s is %v old", l.Sentence, svc.clock.Now().Sub(l.Time))
	}
	w.no(svc.Close())
}
