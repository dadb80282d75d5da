package sim

import (
	"fmt"
	"testing"
	"time"

	"entrasim/sim/clock"
	"entrasim/sim/mapping"
)

// TestPaceOnScaledClock: on a clock that runs by itself an initial cycle at Entra's pace shows its progress for as long as
// the estimate says, and a stop of the program does not wait for it.
// Shows: S-055
func TestPaceOnScaledClock(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	for i := range 150 {
		w.assign(w.user(fmt.Sprintf("user%03d", i)).ID)
	}
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{Switches: map[string]string{"pace": "entra"}}))
	w.running(clock.Rate, 300) // 180 s of virtual time are 0.6 s
	began := time.Now()
	w.no(w.svc.Start(w.app.ID))
	met := map[int]bool{}
	w.within(20*time.Second, "the cycle ends", func() bool {
		j := w.job()
		if p := j.Progress; p != nil && p.UsersTotal > 0 {
			met[p.Percent()] = true
		}
		return j.LastCycle != nil
	})
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	r := w.job().LastCycle
	if d := r.Ended.Sub(r.Began); d < 178*time.Second || r.Counts.Create != 150 {
		t.Errorf("%v of virtual time, %+v", d, r.Counts)
	}
	if len(met) < 2 {
		t.Errorf("progress shown: %v", met)
	}
}

// TestPaceEnds: a cycle at Entra's pace stops with the program, and goes on behind it.
func TestPaceEnds(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	for i := range 20 {
		w.assign(w.user(fmt.Sprintf("user%03d", i)).ID)
	}
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{Switches: map[string]string{"pace": "entra"}}))
	w.running(clock.Real, 1) // 24 s
	w.no(w.svc.Start(w.app.ID))
	w.within(10*time.Second, "the cycle begins", func() bool { p := w.job().Progress; return p != nil && p.Requests > 2 })
	began := time.Now()
	w.no(w.svc.Close())
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the end took %v", took)
	}
}

// TestEstimate: the published formula counts assigned users and groups and the members of these.
// Shows: S-043
func TestEstimate(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	g := w.group("Pilots", w.user("ann").ID, w.user("bob").ID)
	w.assign(w.user("cyd").ID, g.ID)
	e, known, err := w.svc.Estimate(w.app.ID)
	if err != nil || !known || e.Units != 4 || e.Least != 2400*time.Millisecond || e.Most != 19200*time.Millisecond {
		t.Errorf("%+v %v %v", e, known, err)
	}
	all := SyncAll
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{Scope: &all}))
	if _, known, err := w.svc.Estimate(w.app.ID); known || err != nil {
		t.Errorf("Sync all: %v %v", known, err)
	}
}
