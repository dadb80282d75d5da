package sim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// fillLog stores n records of two applications, one every ten seconds.
func (w *world) fillLog(n int, apps ...uint64) {
	w.t.Helper()
	for i := 0; i < n; {
		w.no(w.svc.update(func(tx *bbolt.Tx) error {
			for end := min(n, i+5000); i < end; i++ {
				r := record{App: apps[i%len(apps)], Time: start.Add(time.Duration(i) * 10 * time.Second), Cycle: 1 + i/100, Change: i % 100, Num: uint64(1000 + i%7), Kind: directory.KindUser,
					Name: fmt.Sprintf("Person %d", i), UPN: fmt.Sprintf("person.%d@contoso.example", i), ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Target: fmt.Sprintf("T-%d", i),
					Action: []Action{ActionCreate, ActionUpdate, ActionDisable}[i%3], Status: []Outcome{Success, Failure}[i%2]}
				if err := w.svc.putRecord(tx, &r); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// TestFindLogs compares pages of many queries with all records that match, read one after another.
//
// Shows: F-194, S-357
func TestFindLogs(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	other, err := w.svc.CreateApplication("Other")
	w.no(err)
	w.fillLog(2600, w.app.Num, other.Num)
	var all []LogRecord
	for q := (LogQuery{Limit: 977}); ; {
		page, err := w.svc.Logs(q)
		w.no(err)
		all = append(all, page.Items...)
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if len(all) != 2600 || all[0].DisplayName != "Person 2599" {
		t.Fatalf("%d records, the newest about %s", len(all), all[0].DisplayName)
	}
	some := all[1234]
	for _, c := range []struct {
		name string
		q    LogQuery
		ok   func(LogRecord) bool
	}{
		{"application", LogQuery{ApplicationID: other.ID}, func(r LogRecord) bool {
			return r.ApplicationID == other.ID || r.DisplayName[len(r.DisplayName)-1]%2 == 1
		}},
		{"times", LogQuery{From: some.Time.Add(-time.Hour), To: some.Time}, func(r LogRecord) bool { return !r.Time.After(some.Time) && !r.Time.Before(some.Time.Add(-time.Hour)) }},
		{"times of an application", LogQuery{ApplicationID: w.app.ID, From: some.Time, Status: Failure}, func(r LogRecord) bool { return false }},
		{"change", LogQuery{ChangeID: some.ChangeID}, func(r LogRecord) bool { return r.ChangeID == some.ChangeID }},
		{"cycle", LogQuery{CycleID: some.CycleID, JobID: some.JobID}, func(r LogRecord) bool { return r.CycleID == some.CycleID && r.JobID == some.JobID }},
		{"a change searched for", LogQuery{Search: some.ChangeID}, func(r LogRecord) bool { return r.ChangeID == some.ChangeID }},
		{"a record searched for", LogQuery{Search: some.ID}, func(r LogRecord) bool { return r.ID == some.ID }},
		{"an id at the target", LogQuery{Search: "t-123"}, func(r LogRecord) bool { return len(r.TargetID) >= 5 && r.TargetID[:5] == "T-123" }},
		{"systems", LogQuery{Source: SourceSystem, Target: TargetSystem, Action: ActionDisable}, func(r LogRecord) bool { return r.Action == ActionDisable }},
		{"another system", LogQuery{Source: "Workday"}, func(LogRecord) bool { return false }},
	} {
		var want, got []string
		for _, r := range all {
			if c.ok(r) {
				want = append(want, r.ID)
			}
		}
		for _, most := range []int{0, 300} {
			got = nil
			c.q.Limit, c.q.Most, c.q.Cursor = 50, most, ""
			for pages := 0; ; pages++ {
				page, err := w.svc.FindLogs(c.q)
				w.no(err)
				for _, r := range page.Items {
					got = append(got, r.ID)
				}
				if most > 0 && page.Looked > most {
					t.Errorf("%s: %d records were looked at", c.name, page.Looked)
				}
				if c.q.Cursor = page.Next; c.q.Cursor == "" {
					break
				}
				if pages > 2600 {
					t.Fatalf("%s: pages without end", c.name)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, at most %d: %d records, want %d", c.name, most, len(got), len(want))
			}
		}
	}
	counts, err := w.svc.CountLogs(LogQuery{From: some.Time, Most: 2000})
	if want := 0; err != nil || counts.More || counts.N[LogKind{ActionUpdate, Failure}] == 0 {
		t.Errorf("%+v %v", counts, err)
	} else {
		for _, r := range all {
			if !r.Time.Before(some.Time) && r.Action == ActionUpdate && r.Status == Failure {
				want++
			}
		}
		if got := counts.N[LogKind{ActionUpdate, Failure}]; got != want {
			t.Errorf("%d failed updates are counted, want %d", got, want)
		}
	}
	if counts, err := w.svc.CountLogs(LogQuery{Most: 100}); err != nil || !counts.More || counts.Looked != 100 {
		t.Errorf("%+v %v", counts, err)
	}
	end, err := w.svc.LogEnd()
	w.no(err)
	w.fillLog(3, w.app.Num)
	if page, err := w.svc.Logs(LogQuery{Cursor: end, Limit: 1}); err != nil || page.Items[0].ID != all[0].ID {
		t.Errorf("behind the end of before: %v %v", page.Items, err)
	}
}

// TestRecordsOfAnObject finds an object's records page by page in several parts of the log, from the first number of a part to
// its last one, also when the oldest of them have been dropped.
func TestRecordsOfAnObject(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	id := w.user("grace").ID
	n, ok := w.svc.num(id)
	if !ok {
		t.Fatal("the user has no number")
	}
	has := func(seq int) bool { return seq%logPart <= 2 || seq%logPart == logPart-1 || seq%97 == 0 }
	total := 3*logPart + 5
	w.no(w.svc.update(func(tx *bbolt.Tx) error {
		for seq := 1; seq <= total; seq++ {
			r := record{App: w.app.Num, Time: start, Num: n + 1, Name: fmt.Sprint(seq)}
			if has(seq) {
				r.Num = n
			}
			if err := w.svc.putRecord(tx, &r); err != nil {
				return err
			}
		}
		for seq := uint64(1); seq <= 100; seq++ {
			if err := w.svc.dropRecord(tx.Bucket(bucketSim).Bucket(bucketLog), seq); err != nil {
				return err
			}
		}
		return nil
	}))
	var want, got []string
	for seq := total; seq > 100; seq-- {
		if has(seq) {
			want = append(want, fmt.Sprint(seq))
		}
	}
	for q := (LogQuery{ObjectID: id, Limit: 7}); ; {
		page, err := w.svc.Logs(q)
		w.no(err)
		for _, r := range page.Items {
			got = append(got, r.DisplayName)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d records, want %d:\n%v\n%v", len(got), len(want), got, want)
	}
}

// TestRecordsKeepTheirJob: a record names its job when that is deleted, when the application has another one, and when the
// application is gone; also in a file that an earlier version wrote.
func TestRecordsKeepTheirJob(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.assign(w.user("ann").ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	newest := func() LogRecord {
		t.Helper()
		page, err := w.svc.Logs(LogQuery{Limit: 1})
		w.no(err)
		return page.Items[0]
	}
	reload := func() {
		t.Helper()
		w.svc.mu.Lock()
		clear(w.svc.owners)
		w.svc.mu.Unlock()
		w.no(w.svc.db.Update(createBuckets))
		w.no(w.svc.db.View(w.svc.loadOwners))
	}
	first := newest()
	if first.JobID == "" || first.CycleID == "" {
		t.Fatalf("%+v", first)
	}
	w.no(w.svc.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketSim).Bucket(bucketLog).DeleteBucket(bucketOwners) }))
	reload() // as a file of before owners were noted
	w.no(w.svc.DeleteJob(w.app.ID))
	for _, when := range []string{"deleted", "after a restart"} {
		if now := newest(); now.JobID != first.JobID || now.CycleID != first.CycleID || now.ApplicationName != "ConfigCat" {
			t.Errorf("%s: job %q, cycle %s of %q; were %q, %s", when, now.JobID, now.CycleID, now.ApplicationName, first.JobID, first.CycleID)
		}
		reload()
	}
	url, token := w.http.URL+"/scim", "secret-token"
	second, err := w.svc.CreateJobOf(w.app.ID, TemplateCustomAppSSO, SettingsEdit{TenantURL: &url, SecretToken: &token})
	w.no(err)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	for range 2 {
		if now := newest(); now.JobID != second.ID {
			t.Errorf("the second job's record names %q, want %q", now.JobID, second.ID)
		}
		if old, err := w.svc.LogRecord(first.ID); err != nil || old.JobID != first.JobID {
			t.Errorf("the first job's record names %q, want %q (%v)", old.JobID, first.JobID, err)
		}
		reload()
	}
	if page, err := w.svc.Logs(LogQuery{JobID: first.JobID}); err != nil || len(page.Items) == 0 || page.Items[0].ID != first.ID {
		t.Errorf("by the first job: %v %v", page.Items, err)
	}
	w.no(w.svc.DeleteApplication(w.app.ID))
	if now := newest(); now.JobID != second.ID || now.ApplicationID != w.app.ID || now.ApplicationName != "ConfigCat" {
		t.Errorf("without the application: %q of %q %q", now.JobID, now.ApplicationID, now.ApplicationName)
	}
}

// BenchmarkFindLogs looks for what is not there, as the portal does: a bounded part of a long log at a time.
func BenchmarkFindLogs(b *testing.B) {
	w := newWorld(b, mapping.Starter(), "")
	w.fillLog(300_000, w.app.Num)
	for b.Loop() {
		if page, err := w.svc.FindLogs(LogQuery{Search: "nobody of this name", Limit: 50, Most: 100_000}); err != nil || page.Looked != 100_000 || page.Next == "" {
			b.Fatal(page.Looked, err)
		}
	}
}

// TestRestartLogsWhatWasSent: a restart that drops the links stops a cycle behind the objects in flight. What was sent for
// them counts no more, and stands in the log.
func TestRestartLogsWhatWasSent(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob := w.user("ann"), w.user("bob")
	w.assign(ann.ID, bob.ID)
	w.no(w.svc.Start(w.app.ID))
	done := false
	w.answers(func(method, _, _ string) int {
		if method == http.MethodPost && !done {
			done = true
			if err := w.svc.Restart(w.app.ID, FullReset()); err != nil {
				t.Error(err)
			}
		}
		return 0
	})
	w.cycle()
	w.cycle()
	if got, want := strings.Join(w.logs(), "\n"), "create success Ann\nother skipped Ann RedundantExport\ncreate success Bob"; got != want {
		t.Errorf("the log says\n%s\nwant\n%s", got, want)
	}
	w.allNamed()
}

// allNamed checks that each exchange but the probes is named by a record of the log.
func (w *world) allNamed() {
	w.t.Helper()
	named := map[uint64]bool{}
	page, err := w.svc.Logs(LogQuery{ApplicationID: w.app.ID, Limit: 1000})
	w.no(err)
	for _, l := range page.Items {
		for _, id := range l.Exchanges {
			named[id] = true
		}
	}
	for _, x := range w.svc.Traffic(0, 1000).Exchanges {
		if x.Object != "" && !named[x.ID] {
			w.t.Errorf("no record names %s %s", x.Method, x.URL)
		}
	}
}
