package sim

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"entrasim/sim/mapping"
)

// TestScopeSwitch: a switch between assigned and all takes effect with the next restart, not with the next cycle and not
// with a changed mapping (known-issues.md).
//
// Shows: T19
func TestScopeSwitch(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	scope := func(s Scope) { w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{Scope: &s})) }
	scope(SyncAll)
	bad, good := "wrong-token-000", "secret-token"
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &bad}))
	w.no(w.svc.Start(w.app.ID))
	w.advance(0)
	// A first cycle that got nowhere fixes nothing.
	scope(SyncAssigned)
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &good}))
	w.want(w.cycle())
	scope(SyncAll)
	w.no(w.svc.Restart(w.app.ID, DefaultReset()))
	if got := w.cycle(); len(got) != 2 || !strings.HasPrefix(got[1], "POST /Users") {
		t.Fatalf("all: %v", got)
	}
	// The other way: nobody is assigned.
	scope(SyncAssigned)
	if j := w.job(); j.Settings.Scope != SyncAssigned || j.ScopeInForce != SyncAll {
		t.Errorf("setting %s, in force %s", j.Settings.Scope, j.ScopeInForce)
	}
	w.edit(ann.ID, "displayName", "Ann Ace")
	w.want(w.cycle(), `GET /Users/{Ann Ace}`, `PATCH /Users/{Ann Ace} `+patchHead+`{"op":"Replace","path":"displayName","value":"Ann Ace"}]}`)
	w.no(w.svc.SetSchema(w.app.ID, mapping.Starter()))
	w.want(w.cycle(), `GET /Users/{Ann Ace}`)
	if all, err := w.svc.Standings(w.app.ID, []string{ann.ID}); err != nil || !all[ann.ID].InScope {
		t.Errorf("standing %+v, %v", all, err)
	}
	w.no(w.svc.Restart(w.app.ID, DefaultReset()))
	w.want(w.cycle(), `GET /Users/{Ann Ace}`, `PATCH /Users/{Ann Ace} `+patchHead+`{"op":"Replace","path":"active","value":"False"}]}`)
}

// TestQuarantineEnds: after 28 days of failed attempts the job is disabled and forgets its failures
// (application-provisioning-quarantine-status.md); started again it goes on from its watermark.
//
// Shows: T15
func TestQuarantineEnds(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob := w.user("ann"), w.user("bob")
	w.assign(ann.ID, bob.ID)
	down, refuse := false, true
	w.before(func(rw http.ResponseWriter, r *http.Request, body string) bool {
		if down || refuse && r.Method == http.MethodPost && strings.Contains(body, "ann@") {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	})
	w.no(w.svc.Start(w.app.ID))
	w.advance(0)
	if j := w.job(); j.Escrows != 1 {
		t.Fatalf("%d escrows", j.Escrows)
	}
	down = true
	if c := w.advance(40 * time.Minute); len(c) != 1 || c[0].State != Failed {
		t.Fatalf("cycles %+v", c)
	}
	cycles := w.advance(28*24*time.Hour - time.Second)
	if j := w.job(); j.Status.Code != StatusQuarantine || j.ScheduleState != ScheduleActive || j.Escrows != 1 {
		t.Errorf("a second before: %s %s, %d escrows", j.Status.Code, j.ScheduleState, j.Escrows)
	}
	cycles = append(cycles, w.advance(time.Second)...)
	if len(cycles) != 30 { // +6 h, +12 h, +24 h, then one a day to the 28th
		t.Errorf("%d attempts", len(cycles))
	}
	check := func(when string, j Job) {
		t.Helper()
		if j.Status.Code != StatusQuarantine || j.ScheduleState != ScheduleDisabled || j.Escrows != 0 || !j.NextCycle.IsZero() || !j.Status.Quarantine.NextAttempt.IsZero() || j.Status.Quarantine.SeriesCount != 31 {
			t.Errorf("%s: %s %s, %d escrows, next %v, quarantine %+v", when, j.Status.Code, j.ScheduleState, j.Escrows, j.NextCycle, j.Status.Quarantine)
		}
	}
	check("after 28 days", w.job())
	audit, err := w.svc.Audit("", 1)
	w.no(err)
	if a := audit.Items[0]; a.Activity != "Disable/pause provisioning configuration" || !strings.Contains(a.Detail, "28 days") || a.InitiatedBy != provisioningService {
		t.Errorf("audit %+v", a)
	}
	if c := w.advance(60 * 24 * time.Hour); len(c) != 0 {
		t.Errorf("%d cycles of a disabled job", len(c))
	}
	// It stands so in the file.
	svc, err := Open(Options{Directory: w.dir, Clock: w.clock, Seed: 1})
	w.no(err)
	j, err := svc.Job(w.app.ID)
	w.no(err)
	check("in the file", j)
	down, refuse = false, false
	w.requests()
	w.no(w.svc.Start(w.app.ID))
	w.want(w.cycle()) // Ann waits for a change of hers
	if j := w.job(); j.Status.Code != StatusActive || j.LastCycle.Kind != Incremental {
		t.Errorf("started again: %s, %+v", j.Status.Code, j.LastCycle)
	}
}
