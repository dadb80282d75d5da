package sim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
	"entrasim/sim/target"
)

func (w *world) demand(id string, members ...string) OnDemandResult {
	w.t.Helper()
	r, err := w.svc.OnDemand(context.Background(), w.app.ID, OnDemandRequest{ObjectID: id, Members: members})
	w.no(err)
	return r
}

// told is the five steps of a result, as name and outcome.
func told(r OnDemandResult) string {
	var list []string
	for _, st := range r.Stages {
		list = append(list, fmt.Sprintf("%s=%s", st.Name, st.Status))
	}
	return r.Result + " " + strings.Join(list, " ")
}

func stage(r OnDemandResult, name StageName) string {
	for _, st := range r.Stages {
		if st.Name == name {
			return fmt.Sprint(st.Text, st.Groups, texts(st.Modified))
		}
	}
	return ""
}

func texts(list []ModifiedProperty) (out []string) {
	side := func(p *string) string {
		if p == nil {
			return "-"
		}
		return *p
	}
	for _, m := range list {
		out = append(out, m.Name+":"+side(m.Old)+">"+side(m.New))
	}
	return out
}

func TestOnDemandBeforeTheJobIsStarted(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	adele := w.user("adele")
	w.assign(adele.ID)
	r := w.demand(adele.ID)
	if got := told(r); got != "Success connection=success import=success scope=success match=success action=success" {
		t.Error(got)
	}
	page := w.svc.Traffic(0, 100)
	var probes []string
	for _, x := range page.Exchanges {
		if x.Object == "" {
			probes = append(probes, x.URL)
		}
	}
	if len(probes) != 2 || probes[0] == probes[1] || !strings.Contains(probes[0], "/Users?filter=userName+eq+") {
		t.Errorf("probes %v", probes)
	}
	if got := w.requests(); len(got) != 2 || !strings.HasPrefix(got[0], "GET /Users?filter=userName") || !strings.HasPrefix(got[1], "POST /Users ") {
		t.Errorf("requests %v", got)
	}
	for name, want := range map[StageName]string{
		StageImport: "{userPrincipalName adele@contoso.example}", StageScope: "{Assigned to application True} {Scope sync all False}",
		StageMatch: "No matching user was found", StageAction: "userName:->adele@contoso.example",
	} {
		if got := stage(r, name); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	l := r.Record
	if l.InitiatedBy != "Administrator" || !l.OnDemand || l.Cycle != 0 || l.Action != ActionCreate || l.TargetID == "" {
		t.Errorf("%+v", l)
	}
	kept, err := w.svc.LogRecord(l.ID)
	w.no(err)
	if d := cmp.Diff(kept, l); d != "" {
		t.Errorf("the log holds something else than the answer:\n%s", d)
	}
	job, err := w.svc.Job(w.app.ID)
	w.no(err)
	if job.Status.Code != StatusPaused || job.Status.LastExecution != nil || job.Status.Users != 1 || !job.NextCycle.IsZero() {
		t.Errorf("%+v", job)
	}
	// The first cycle is an initial one all the same, and knows the link.
	w.no(w.svc.Start(w.app.ID))
	cycles := w.advance(time.Minute)
	if len(cycles) != 1 || cycles[0].Kind != Initial || cycles[0].Cycle != 1 || cycles[0].Counts != (Counts{Skip: 1}) {
		t.Errorf("%+v", cycles)
	}
}

func TestOnDemandDoesNotMoveTheWatermark(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	adele, ben := w.user("adele"), w.user("ben")
	w.assign(adele.ID, ben.ID)
	w.no(w.svc.Start(w.app.ID))
	w.advance(time.Minute)
	before, err := w.svc.Job(w.app.ID)
	w.no(err)
	w.requests()
	w.edit(adele.ID, "displayName", "Adele V")
	w.edit(ben.ID, "displayName", "Ben B")
	r := w.demand(adele.ID)
	if got := texts(r.Record.Modified); fmt.Sprint(got) != "[displayName:Adele>Adele V]" {
		t.Error(got)
	}
	if got := stage(r, StageMatch); !strings.Contains(got, "is linked") || !strings.Contains(got, "{displayName Adele}") {
		t.Error(got)
	}
	if got := w.requests(); len(got) != 2 || !strings.HasPrefix(got[0], "GET /Users/{") || !strings.HasPrefix(got[1], "PATCH /Users/{") {
		t.Errorf("%v", got)
	}
	after, err := w.svc.Job(w.app.ID)
	w.no(err)
	if after.NextCycle != before.NextCycle || after.ToDate != before.ToDate || fmt.Sprint(after.LastCycle) != fmt.Sprint(before.LastCycle) {
		t.Errorf("%+v\n%+v", before, after)
	}
	// The next cycle looks at both changes.
	if got := w.cycle(); len(got) != 3 || !strings.Contains(got[2], "Ben B") {
		t.Errorf("%v", got)
	}
	if again := w.demand(adele.ID); again.Result != "Skipped" || again.Record.SkipReason != SkipRedundant {
		t.Errorf("%+v", again.Record)
	}
}

// Shows: S-312
func TestOnDemandLimits(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	var ids []string
	for i := range 6 {
		ids = append(ids, w.user(fmt.Sprintf("u%d", i)).ID)
	}
	ops := w.group("Ops", ids...)
	w.assign(ops.ID)
	ask := func(r OnDemandRequest) error {
		_, err := w.svc.OnDemand(context.Background(), w.app.ID, r)
		return err
	}
	for _, c := range []struct {
		req  OnDemandRequest
		code directory.Code
	}{
		{OnDemandRequest{ObjectID: ops.ID, Members: ids}, directory.Invalid},
		{OnDemandRequest{ObjectID: ids[0], Members: ids[1:2]}, directory.Invalid},
		{OnDemandRequest{ObjectID: ids[0], Kind: "Role"}, directory.Invalid},
		{OnDemandRequest{ObjectID: ids[0], Kind: "Group"}, directory.NotFound},
		{OnDemandRequest{ObjectID: "nobody"}, directory.NotFound},
		{OnDemandRequest{ObjectID: ops.ID, Members: []string{"nobody"}}, directory.NotFound},
		{OnDemandRequest{ObjectID: ops.ID, Members: []string{ops.ID}}, directory.NotFound},
	} {
		if err := ask(c.req); directory.CodeOf(err) != c.code {
			t.Errorf("%+v: %v", c.req, err)
		}
	}
	w.no(w.dir.DeleteUser(w.clock.Now(), ids[5]))
	w.no(w.dir.Purge(w.clock.Now(), ids[5]))
	if err := ask(OnDemandRequest{ObjectID: ids[5]}); directory.CodeOf(err) != directory.NotFound {
		t.Error(err)
	}
	if got := w.svc.Traffic(0, 10); len(got.Exchanges) != 0 {
		t.Errorf("%d requests", len(got.Exchanges))
	}
}

func TestOnDemandGroupWithMembers(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	adele, ben, cleo, dora := w.user("adele"), w.user("ben"), w.user("cleo"), w.user("dora")
	ops := w.group("Ops", adele.ID, ben.ID, cleo.ID)
	w.assign(ops.ID, dora.ID)
	w.demand(adele.ID)
	w.demand(ben.ID)
	w.requests()
	r := w.demand(ops.ID, adele.ID, cleo.ID)
	if got := told(r); got != "Success connection=success import=success scope=success match=success action=success" {
		t.Error(got)
	}
	got := w.requests()
	if len(got) != 3 || !strings.HasPrefix(got[1], "POST /Groups ") || !strings.HasPrefix(got[2], "PATCH /Groups/{Ops} ") || strings.Count(got[2], "value\":\"{") != 1 {
		t.Errorf("%v", got)
	}
	if got := w.state(); !strings.Contains(got, "[Ops: Adele]") {
		t.Error(got)
	}
	if got := stage(r, StageAction); !strings.Contains(got, "We were unable to assign "+cleo.ID+" as the members of Ops. They have no object") || !strings.Contains(got, "EntryExportAdd") {
		t.Error(got)
	}
	if logs := w.logs(); len(logs) != 3 {
		t.Errorf("%v", logs)
	}
	// The others follow with the cycle, as members of a group that was linked just now.
	w.no(w.svc.Start(w.app.ID))
	w.advance(time.Minute)
	if got := w.state(); !strings.Contains(got, "[Ops: Adele Ben Cleo]") {
		t.Error(got)
	}
	w.requests()
	// A member that left can be taken out by a run.
	w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, ben.ID))
	w.demand(ops.ID, ben.ID)
	if got := w.state(); !strings.Contains(got, "[Ops: Adele Cleo]") {
		t.Error(got)
	}
}

func TestOnDemandManager(t *testing.T) {
	w := newWorld(t, mapping.Default(), "")
	boss := w.user("boss")
	adele := w.user("adele")
	w.no(w.dir.SetManager(w.clock.Now(), adele.ID, boss.ID))
	w.assign(adele.ID, boss.ID)
	w.demand(boss.ID)
	w.requests()
	r := w.demand(adele.ID)
	got := w.requests()
	if len(got) != 3 || !strings.HasPrefix(got[2], "PATCH /Users/{Adele} ") || !strings.Contains(got[2], "{Boss}") {
		t.Errorf("%v", got)
	}
	if len(r.Record.Exchanges) != 3 || r.Record.Action != ActionCreate || len(w.logs()) != 2 {
		t.Errorf("%+v", r.Record)
	}
	w.no(w.svc.Start(w.app.ID))
	for _, line := range func() []string { w.advance(time.Minute); return w.requests() }() {
		if !strings.HasPrefix(line, "GET ") {
			t.Error(line)
		}
	}
}

func TestOnDemandOutOfScope(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	adele, ben, cleo := w.user("adele"), w.user("ben"), w.user("cleo")
	w.assign(adele.ID, ben.ID)
	w.no(w.svc.Start(w.app.ID))
	w.advance(time.Minute)
	w.requests()
	skipped := func(r OnDemandResult) {
		t.Helper()
		if r.Result != "Skipped" || r.Record.SkipReason != SkipNotEntitled || !strings.Contains(told(r), "scope=skipped match= action=skipped") {
			t.Errorf("%s %+v", told(r), r.Record)
		}
		if got := w.requests(); len(got) != 0 {
			t.Errorf("%v", got)
		}
	}
	skipped(w.demand(cleo.ID))
	w.edit(ben.ID, "accountEnabled", false)
	skipped(w.demand(ben.ID))
	for _, rule := range []string{"S-118", "S-317"} {
		if got := w.demand(ben.ID).Record.Rules; !strings.Contains(fmt.Sprint(got), rule) {
			t.Errorf("%v", got)
		}
	}
	w.no(w.svc.Unassign(w.app.ID, adele.ID))
	r := w.demand(adele.ID)
	if got := w.requests(); r.Result != "Success" || r.Record.Action != ActionDisable || len(got) != 2 || !strings.HasPrefix(got[1], "PATCH ") {
		t.Errorf("%v %+v", got, r.Record)
	}
	// What a run leaves alone a cycle does.
	w.cycle()
	if got := w.state(); got != "Adele active=false, Ben active=false" {
		t.Error(got)
	}
	w.no(w.dir.DeleteUser(w.clock.Now(), ben.ID))
	skipped(w.demand(ben.ID))
}

func TestOnDemandNeverDeletesAUser(t *testing.T) {
	schema := mapping.Starter()
	for _, name := range []string{"active"} {
		if err := schema.Remove("User", name); err != nil {
			t.Fatal(err)
		}
	}
	w := newWorld(t, schema, "")
	w.svc.wire.SoftDelete = false
	adele := w.user("adele")
	w.assign(adele.ID)
	w.demand(adele.ID)
	w.no(w.svc.Unassign(w.app.ID, adele.ID))
	w.requests()
	if r := w.demand(adele.ID); r.Result != "Skipped" || len(w.requests()) != 0 {
		t.Errorf("%+v", r.Record)
	}
}

func TestOnDemandFlag(t *testing.T) {
	for _, honours := range []bool{false, true} {
		w := newWorld(t, mapping.Starter(), "?aadOptscim062020")
		w.svc.wire.OnDemandHonoursFlag = honours
		adele := w.user("adele")
		w.assign(adele.ID)
		w.demand(adele.ID)
		w.no(w.svc.Unassign(w.app.ID, adele.ID))
		w.requests()
		r := w.demand(adele.ID)
		want := `{"op":"Replace","path":"active","value":"False"}`
		if honours {
			want = `{"op":"replace","path":"active","value":false}`
		}
		if got := w.requests(); len(got) != 2 || !strings.Contains(got[1], want) {
			t.Errorf("honours %t: %v", honours, got)
		}
		if got := strings.Contains(fmt.Sprint(r.Record.Rules), "W-004"); got == honours {
			t.Errorf("honours %t: rules %v", honours, r.Record.Rules)
		}
		w.no(w.svc.Start(w.app.ID))
		w.assign(adele.ID)
		w.advance(time.Minute)
		if got := w.requests(); !strings.Contains(got[len(got)-1], `"value":true`) {
			t.Errorf("the cycle: %v", got)
		}
	}
}

func TestOnDemandFailures(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	adele := w.user("adele")
	w.assign(adele.ID)
	wrong, right := "wrong", "secret-token"
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &wrong}))
	r := w.demand(adele.ID)
	if told(r) != "Failure connection=failure import= scope= match= action=" || !strings.Contains(r.Stages[0].Text, "Unauthorized") || r.Record.ID != "" {
		t.Errorf("%s %+v", told(r), r)
	}
	if got := w.logs(); len(got) != 0 {
		t.Errorf("%v", got)
	}
	if job, err := w.svc.Job(w.app.ID); err != nil || job.Status.Quarantine != nil {
		t.Errorf("%+v %v", job, err)
	}
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &right}))

	w.no(w.target.SetFaults([]target.Fault{{Method: "POST", Status: 409, Times: new(int(1))}}))
	r = w.demand(adele.ID)
	if told(r) != "Failure connection=success import=success scope=success match=success action=failure" || !strings.Contains(stage(r, StageAction), "userName:->adele@contoso.example") {
		t.Errorf("%s %s", told(r), stage(r, StageAction))
	}
	if job, err := w.svc.Job(w.app.ID); err != nil || job.Escrows != 1 {
		t.Errorf("%+v %v", job, err)
	}
	// Another run does not wait for the retry, and settles it.
	if r = w.demand(adele.ID); r.Result != "Success" {
		t.Errorf("%+v", r)
	}
	if job, err := w.svc.Job(w.app.ID); err != nil || job.Escrows != 0 {
		t.Errorf("%+v %v", job, err)
	}
	for range 2 {
		status, _, err := w.call("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ben@contoso.example"}`)
		if w.no(err); status != http.StatusCreated && status != http.StatusConflict {
			t.Fatal(status)
		}
	}
	w.no(w.target.SetFaults([]target.Fault{{Method: "GET", Path: "/Users", Duplicate: true}}))
	ben := w.user("ben")
	w.assign(ben.ID)
	r = w.demand(ben.ID)
	if told(r) != "Failure connection=success import=success scope=success match=failure action=" || r.Record.ErrorCode != scim.CodeDuplicateTargetEntries {
		t.Errorf("%s %+v", told(r), r.Record)
	}
	if m := r.Stages[3]; len(m.Groups) != 2 || len(m.Groups[1].Details) == 0 {
		t.Errorf("%+v", m)
	}
}

// call asks the target directly.
func (w *world) call(method, path, body string) (int, string, error) {
	req, err := http.NewRequest(method, w.http.URL+"/scim"+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer secret-token")
	req.Header.Set("Content-Type", "application/scim+json")
	res, err := w.http.Client().Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	return res.StatusCode, "", nil
}

// TestOnDemandKilled: the target created a user, and the program was killed before it could write that down. The user leaves
// scope before the next cycle, which finds it all the same.
func TestOnDemandKilled(t *testing.T) {
	for _, started := range []bool{true, false} {
		w := newWorld(t, mapping.Starter(), "")
		adele := w.user("adele")
		if started {
			w.no(w.svc.Start(w.app.ID))
			w.cycle()
		}
		w.assign(adele.ID)
		sent := false
		w.answers(func(method, _, _ string) int {
			sent = sent || method == "POST"
			return 0
		})
		w.svc.opt.FlushTarget = func(*bbolt.Tx) error {
			if sent {
				return errors.New("killed")
			}
			return nil
		}
		if _, err := w.svc.OnDemand(context.Background(), w.app.ID, OnDemandRequest{ObjectID: adele.ID}); err == nil {
			t.Fatal("the run says that all is well")
		}
		w.reopen()
		w.no(w.svc.Unassign(w.app.ID, adele.ID))
		if !started {
			w.no(w.svc.Start(w.app.ID))
		}
		w.advance(Interval)
		if got := w.state(); got != "Adele active=false" {
			t.Errorf("started %t: %s", started, got)
		}
	}
}

// TestOnDemandGivenUp: whoever asked goes away while the target is at work; the next run finds what was made meanwhile.
func TestOnDemandGivenUp(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	adele := w.user("adele")
	w.assign(adele.ID)
	ctx, cancel := context.WithCancel(context.Background())
	w.answers(func(method, _, _ string) int {
		if method == "POST" {
			cancel()
			time.Sleep(2 * grace)
		}
		return 0
	})
	if _, err := w.svc.OnDemand(ctx, w.app.ID, OnDemandRequest{ObjectID: adele.ID}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	w.answers(func(string, string, string) int { return 0 })
	time.Sleep(2 * grace)
	if r := w.demand(adele.ID); r.Result != "Skipped" || r.Record.SkipReason != SkipRedundant {
		t.Errorf("%+v", r.Record)
	}
	if got := w.state(); got != "Adele active=true" {
		t.Error(got)
	}
}
