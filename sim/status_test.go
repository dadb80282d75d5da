package sim

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// TestStatusOfAJob follows what a job says of its executions: counters, the last ones that succeeded, and when nothing was
// left to do (resources/synchronization-synchronizationstatus.md, resources/synchronization-synchronizationtaskexecution.md).
//
// Shows: F-180, F-181, F-182, T4, T5, S-330, S-331
func TestStatusOfAJob(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob := w.user("ann"), w.user("bob")
	w.user("cleo")
	w.assign(ann.ID, bob.ID)
	broken := true
	w.before(func(rw http.ResponseWriter, r *http.Request, body string) bool {
		return broken && r.Method == http.MethodPost && strings.Contains(body, "bob@") && w.reply(rw, 400, `{}`)
	})
	w.no(w.svc.Start(w.app.ID))
	w.advance(time.Second)
	st := w.job().Status
	if x := st.LastExecution; x.State != EntryLevelErrors || x.Error != nil || x.Entitled != 2 || x.EntitledForProvisioning != 2 || x.Imported != 2 ||
		x.Exports != 2 || x.Exported != 1 || x.Escrowed != 1 || x.ActivityID == "" || !x.Began.Equal(start) {
		t.Errorf("first: %+v", x)
	}
	if st.LastSuccessfulExecution != nil || !st.SteadyStateFirst.IsZero() || !st.SteadyStateLast.IsZero() {
		t.Errorf("nothing has succeeded yet: %+v", st)
	}
	broken = false
	w.advance(40 * time.Minute)
	st = w.job().Status
	mended := st.LastExecution
	if mended.State != Succeeded || mended.Error != nil || mended.Exported != 1 || mended.Escrowed != 0 || st.Quarantine != nil || st.Code != StatusActive {
		t.Errorf("mended: %+v", mended)
	}
	if st.LastSuccessfulExecution.ActivityID != mended.ActivityID || st.LastSuccessfulExecutionWithExport.ActivityID != mended.ActivityID {
		t.Errorf("the last success: %+v", st)
	}
	if !st.SteadyStateFirst.Equal(mended.Ended) || !st.SteadyStateLast.Equal(mended.Ended) {
		t.Errorf("steady since %v, %v, want %v", st.SteadyStateFirst, st.SteadyStateLast, mended.Ended)
	}
	w.advance(40 * time.Minute)
	st = w.job().Status
	idle := st.LastExecution
	if idle.ActivityID == mended.ActivityID || idle.Exports != 0 || st.LastSuccessfulExecution.ActivityID != idle.ActivityID ||
		st.LastSuccessfulExecutionWithExport.ActivityID != mended.ActivityID {
		t.Errorf("idle: %+v", st)
	}
	if !st.SteadyStateFirst.Equal(mended.Ended) || !st.SteadyStateLast.Equal(idle.Ended) {
		t.Errorf("steady since %v, last at %v", st.SteadyStateFirst, st.SteadyStateLast)
	}
}

// TestWaitingFailuresCount: a run that ends with failures waiting for a later retry has entry-level errors, and counts them
// as escrowed, though it tried none of them: the state and the count never disagree, behind a restart either.
//
// Shows: F-181, S-330
func TestWaitingFailuresCount(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob, cleo := w.user("ann"), w.user("bob"), w.user("cleo")
	w.assign(ann.ID, bob.ID, cleo.ID)
	broken := true
	w.before(func(rw http.ResponseWriter, r *http.Request, body string) bool {
		return broken && r.Method == http.MethodPost && !strings.Contains(body, "ann@") && w.reply(rw, 400, `{}`)
	})
	shows := func(when string, state ExecutionState, escrowed, failed int) {
		t.Helper()
		j := w.job()
		if x := j.Status.LastExecution; x.State != state || x.Escrowed != escrowed || x.EscrowedRaw != escrowed || j.LastCycle.Counts.Fail != failed || j.Escrows != escrowed {
			t.Errorf("%s: %+v, %d failed, %d wait", when, x, j.LastCycle.Counts.Fail, j.Escrows)
		}
	}
	w.no(w.svc.Start(w.app.ID))
	w.advance(time.Second)
	shows("the first cycle", EntryLevelErrors, 2, 2)
	w.advance(40 * time.Minute)
	shows("the first retry", EntryLevelErrors, 2, 2)
	w.advance(40 * time.Minute)
	shows("they wait", EntryLevelErrors, 2, 0)
	w.edit(bob.ID, "displayName", "Bob Best")
	w.cycle()
	shows("one is tried", EntryLevelErrors, 2, 1)
	w.no(w.svc.Restart(w.app.ID, ResetScope{QuarantineState: true}))
	w.advance(time.Second)
	shows("behind a restart", EntryLevelErrors, 2, 0)
	broken = false
	w.no(w.svc.Restart(w.app.ID, DefaultReset()))
	w.advance(time.Second)
	shows("mended", Succeeded, 0, 0)
}

// TestFailureIsTold: a record of a failure has its code, its category and what to do, and no id where nothing was made
// (resources/provisioningerrorinfo.md).
//
// Shows: S-341, S-344
func TestFailureIsTold(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	w.assign(ann.ID)
	w.before(func(rw http.ResponseWriter, r *http.Request, _ string) bool {
		return r.Method == http.MethodPost && w.reply(rw, 409, `{}`)
	})
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	l := w.record(ann.ID)
	if l.Status != Failure || l.ErrorCode != "EntryConflict" || l.ErrorCategory != "nonServiceFailure" || l.RecommendedAction == "" || l.Reason == "" || l.TargetID != "" {
		t.Errorf("%+v", l)
	}
}

// TestDefaultAccess: an assignment without a role entitles like any other
// (application-provisioning-config-problem-no-users-provisioned.md).
//
// Shows: F-013, S-113
func TestDefaultAccess(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	_, err := w.svc.Assign(w.app.ID, ann.ID, directory.DefaultAccess)
	w.no(err)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	if l := w.record(ann.ID); l.Action != ActionCreate || l.Status != Success {
		t.Errorf("%+v", l)
	}
}

// TestDefaultMappingsComeBack with the next cycle, which is an initial one and looks at everybody
// (customize-application-attributes.md, "Restoring the default attributes and attribute-mappings").
//
// Shows: F-099, T18, S-296
func TestDefaultMappingsComeBack(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann", "jobTitle", "Pilot")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.no(w.svc.RestoreDefaultMappings(w.app.ID))
	have, err := w.svc.Schema(w.app.ID)
	w.no(err)
	if string(have.JSON()) != string(mapping.Default().JSON()) {
		t.Error("other mappings than the template's came back")
	}
	cycles := w.advance(40 * time.Minute)
	if len(cycles) != 1 || cycles[0].Kind != Initial || cycles[0].Counts.Update != 1 {
		t.Errorf("%+v", cycles)
	}
	if cycles = w.advance(40 * time.Minute); len(cycles) != 1 || cycles[0].Kind != Incremental {
		t.Errorf("behind it: %+v", cycles)
	}
}

// TestPercentCountsPages of a hundred objects, and not people
// (application-provisioning-when-will-provisioning-finish-specific-user.md).
//
// Shows: F-046, S-091
func TestPercentCountsPages(t *testing.T) {
	for _, c := range []struct {
		p    Progress
		want int
	}{
		{Progress{}, 0},
		{Progress{UsersTotal: 150, UsersDone: 100}, 50},
		{Progress{UsersTotal: 100, UsersDone: 100, GroupsTotal: 1}, 50},
		{Progress{UsersTotal: 100, UsersDone: 100, GroupsTotal: 1, GroupsDone: 1, ReferencesTotal: 201, ReferencesDone: 101}, 80},
	} {
		if got := c.p.Percent(); got != c.want {
			t.Errorf("%+v: %d %%, want %d", c.p, got, c.want)
		}
	}
}
