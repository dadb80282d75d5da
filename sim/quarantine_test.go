package sim

import (
	"fmt"
	"testing"
	"time"

	"entrasim/sim/clock"
	"entrasim/sim/mapping"
	"entrasim/sim/target"
)

// TestExceeded plays the worked cases of application-provisioning-quarantine-status.md, and both sides of each threshold.
//
// Shows: F-153, S-163, S-164, S-165, S-166
func TestExceeded(t *testing.T) {
	for _, c := range []struct {
		objects, references, good int
		want                      QuarantineReason
	}{
		{45_000, 0, 1_000_000, QuarantineBase},
		{30_000, 0, 5_000, QuarantineProportion},
		{20_000, 0, 100_000, ""},
		{40_000, 21_000, 1_000_000, QuarantineTotal},
		{4_000, 0, 0, ""},
		{4_999, 0, 0, ""}, {5_000, 0, 0, QuarantineProportion},
		{40_000, 0, 60_000, ""}, {40_000, 0, 59_999, QuarantineProportion}, {40_001, 0, 1_000_000, QuarantineBase},
		{5_000, 55_000, 100_000, ""}, {5_000, 55_001, 100_000, QuarantineTotal},
		{0, 60_000, 0, ""}, {0, 60_001, 0, QuarantineTotal},
		{0, 0, 0, ""},
	} {
		if got, _ := DefaultLimits().exceeded(c.objects, c.references, c.good); got != c.want {
			t.Errorf("%d objects, %d references, %d good: %q, want %q", c.objects, c.references, c.good, got, c.want)
		}
	}
	none := DefaultLimits()
	none.ProportionMinimum = 0
	if got, _ := none.exceeded(0, 0, 0); got != "" {
		t.Errorf("no failure at all: %q", got)
	}
}

// TestThresholdBehindAPage: an initial cycle in which everything fails ends behind the page that exceeds the threshold: the
// same one each time under the manual clock, and not much later with several objects in flight.
func TestThresholdBehindAPage(t *testing.T) {
	for _, mode := range []clock.Mode{clock.Manual, clock.Real} {
		w := newWorld(t, mapping.Starter(), "")
		w.no(w.clock.Set(mode, 1))
		for i := range 450 {
			w.assign(w.user(fmt.Sprintf("user%03d", i)).ID)
		}
		w.no(w.target.SetFaults([]target.Fault{{Method: "POST", Status: 500}}))
		w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{Switches: map[string]string{"escrowsMinimum": "150"}}))
		w.no(w.svc.Start(w.app.ID))
		if _, err := w.svc.RunCycles(t.Context()); err != nil {
			t.Fatal(err)
		}
		j := w.job()
		fail := j.LastCycle.Counts.Fail
		if mode == clock.Manual && fail != 200 || fail < 200 || fail > 300 {
			t.Errorf("%s: %d operations failed before the cycle ended", mode, fail)
		}
		if q := j.Status.Quarantine; q == nil || q.Reason != QuarantineProportion || len(q.Attempts) != 1 || j.Escrows != fail {
			t.Errorf("%s: %+v, %d waiting", mode, q, j.Escrows)
		}
		w.no(w.target.SetFaults(nil))
		w.no(w.svc.Start(w.app.ID))
		if _, err := w.svc.RunCycles(t.Context()); err != nil {
			t.Fatal(err)
		}
		if j = w.job(); j.LastCycle.Counts.Create != 450 || j.Status.Code != StatusActive || j.Escrows != 0 {
			t.Errorf("%s: afterwards %+v, %s", mode, j.LastCycle.Counts, j.Status.Code)
		}
	}
}

// TestAttemptsAreKept: the first imposition and the newest attempts are, however often the job is tried.
//
// Shows: S-171
func TestAttemptsAreKept(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.assign(w.user("ann").ID)
	wrong := "wrong"
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &wrong}))
	w.no(w.svc.Start(w.app.ID))
	for range attemptsKept + 20 {
		w.advance(time.Second)
		w.cycle()
	}
	q := w.job().Status.Quarantine
	n := len(q.Attempts)
	if n != attemptsKept || q.SeriesCount <= attemptsKept || !q.Attempts[0].Time.Equal(q.SeriesBegan) || !q.Attempts[n-1].Time.Equal(q.CurrentBegan) {
		t.Errorf("%d of %d attempts, from %v to %v", n, q.SeriesCount, q.Attempts[0].Time, q.Attempts[n-1].Time)
	}
	for i := 1; i < n; i++ {
		if q.Attempts[i].Cycle <= q.Attempts[i-1].Cycle {
			t.Fatalf("attempt %d is of cycle %d, the one before of %d", i, q.Attempts[i].Cycle, q.Attempts[i-1].Cycle)
		}
	}
}

// TestNextAttempt: the steps are counted from the begin, days follow the last one, and the end is an attempt.
//
// Shows: F-154, S-170
func TestNextAttempt(t *testing.T) {
	const h = time.Hour
	l := DefaultLimits()
	short := Limits{QuarantineAttempts: []time.Duration{h, 3 * h}, QuarantineEnd: 40 * h}
	for _, c := range []struct {
		limits    Limits
		now, next time.Duration
	}{
		{l, 0, 6 * h}, {l, 6*h - 1, 6 * h}, {l, 6 * h, 12 * h}, {l, 20 * h, 24 * h}, {l, 24 * h, 48 * h}, {l, 50 * h, 72 * h}, {l, 27 * 24 * h, 28 * 24 * h},
		{short, 0, h}, {short, h, 3 * h}, {short, 3 * h, 27 * h}, {short, 27 * h, 40 * h}, {short, 40 * h, 51 * h},
	} {
		if got := c.limits.nextAttempt(start, start.Add(c.now)).Sub(start); got != c.next {
			t.Errorf("after %s: %s, want %s", c.now, got, c.next)
		}
	}
}
