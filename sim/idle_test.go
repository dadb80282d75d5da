package sim

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/sim/mapping"
	"entrasim/sim/target"
)

const month = 30 * 24 * time.Hour

// instantTarget keeps nothing: its memory would be the greater part of what is measured.
func instantTarget() http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json")
		switch {
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"id":"%d"}`, n.Add(1))
		case r.Method != http.MethodGet:
			w.WriteHeader(http.StatusNoContent)
		case r.URL.RawQuery != "":
			fmt.Fprint(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"Resources":[]}`)
		default:
			fmt.Fprintf(w, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"%s"}`, path.Base(r.URL.Path))
		}
	})
}

// idleWorld is a company with everybody in scope, provisioned, in a file that is synced. A nil handler is the embedded target.
func idleWorld(t testing.TB, people, groups int, handler http.Handler) *world {
	t.Helper()
	w := &world{t: t, clock: clock.New(clock.Manual, 1, start)}
	var err error
	w.dir, err = directory.Open(filepath.Join(t.TempDir(), "idle.db"), directory.Options{Seed: 1, Now: start})
	w.no(err)
	w.no(w.dir.Generate(context.Background(), start, directory.Company{Users: people, Groups: groups, Seed: 1}, nil))
	if handler == nil {
		w.target, err = target.New(target.Options{Token: "t", Now: w.clock.Now, Seed: 1})
		w.no(err)
		handler = w.target.Handler("default")
	}
	w.http = httptest.NewServer(handler)
	w.svc, err = Open(Options{Directory: w.dir, Clock: w.clock, Seed: 1})
	w.no(err)
	w.dir.OnCommit(w.svc.DirectoryChanged)
	w.svc.Begin(context.Background())
	t.Cleanup(func() {
		w.http.Close()
		w.no(w.svc.Close())
		w.no(w.dir.Close())
	})
	w.app, err = w.svc.CreateApplication("Idle")
	w.no(err)
	url, token, all := w.http.URL+"/scim", "t", SyncAll
	_, err = w.svc.CreateJob(w.app.ID, SettingsEdit{TenantURL: &url, SecretToken: &token, Scope: &all})
	w.no(err)
	w.no(w.svc.SetSchema(w.app.ID, mapping.Starter()))
	w.no(w.svc.Start(w.app.ID))
	w.no(w.clock.Set(clock.Real, 1)) // several objects at once
	_, err = w.svc.RunCycles(context.Background())
	w.no(err)
	w.no(w.clock.Set(clock.Manual, 1))
	return w
}

// TestIdleMonth: a month of idle cycles within the speed that the program promises, with probes alone, one commit before the
// advance answers, and reads whose number is the cycles' and not the company's.
//
// Shows: F-030
func TestIdleMonth(t *testing.T) {
	w := idleWorld(t, 2000, 40, nil)
	best := time.Hour
	for i := range 3 { // the fastest of three: the machine may be busy with something else
		commits, reads := w.commits(), w.dir.DB().Stats().TxN
		began := time.Now()
		cycles := w.advance(month)
		best = min(best, time.Since(began))
		if len(cycles) < 1079 || len(cycles) > 1081 {
			t.Errorf("%d cycles in a month", len(cycles))
		}
		for _, c := range cycles {
			if c.Requests != 2 || c.Counts != (Counts{}) || c.Kind != Incremental {
				t.Fatalf("idle cycle %+v", c)
			}
		}
		if n := w.commits() - commits; i == 2 && n != 1 { // before that, feed and log are trimmed of the beginning
			t.Errorf("%d commits in a month", n)
		}
		if n := w.dir.DB().Stats().TxN - reads; n > 4*len(cycles) {
			t.Errorf("%d read transactions in %d cycles", n, len(cycles))
		}
	}
	if limit := 2 * time.Second * slowdown; best > limit {
		t.Errorf("an idle month takes %v, more than %v", best, limit)
	}
	t.Logf("an idle month took %v", best)
}

// BenchmarkIdleMonth advances over a month of idle cycles of companies of several sizes.
func BenchmarkIdleMonth(b *testing.B) {
	for _, people := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprint(people), func(b *testing.B) {
			w := idleWorld(b, people, people/50, nil)
			for b.Loop() {
				w.advance(month)
			}
		})
	}
}

// BenchmarkHundredChanges runs incremental cycles with 100 changes on a company of 1,000 and on one of 1,000,000 users, in
// turn, and fails when the large one costs more than 1.3 times the small one: cost follows change, not size. Making the
// large company takes some minutes:
//
//	go test ./sim -run '^$' -bench HundredChanges -benchtime 1x -timeout 1h
func BenchmarkHundredChanges(b *testing.B) {
	sizes := []int{1000, 1_000_000}
	var worlds []*world
	for _, people := range sizes {
		worlds = append(worlds, idleWorld(b, people, people/100, instantTarget()))
	}
	for b.Loop() {
		took := make([][]time.Duration, len(worlds))
		for round := range 31 {
			for i, w := range worlds {
				w.changeHundred(round)
				began := time.Now()
				cycles, err := w.svc.RunCycles(context.Background())
				took[i] = append(took[i], time.Since(began))
				w.no(err)
				if n := cycles[0].Counts; len(cycles) != 1 || n.Update < 90 || n.Update+n.Skip != 100 { // one in twenty is disabled, and looked at in vain
					b.Fatalf("%+v", cycles)
				}
			}
		}
		var median [2]time.Duration
		for i := range took {
			slices.Sort(took[i])
			median[i] = took[i][len(took[i])/2]
			b.ReportMetric(float64(median[i].Microseconds())/1000, fmt.Sprintf("ms/%d-users", sizes[i]))
		}
		ratio := float64(median[1]) / float64(median[0])
		b.ReportMetric(ratio, "ratio")
		if ratio > 1.3 {
			b.Errorf("100 changes cost %.2f times as much on %d users as on %d: %v and %v", ratio, sizes[1], sizes[0], median[1], median[0])
		}
	}
}

// changeHundred gives 100 users, spread over the whole company, another display name.
func (w *world) changeHundred(round int) {
	w.t.Helper()
	var ids []string
	w.no(w.dir.View(func(r *directory.Reader) error {
		users := w.dir.Counts().Users
		for i := range 100 {
			nums := r.UserNums(uint64(i*users/100+round%(users/100)), 1)
			o, ok := r.Object(nums[0])
			if !ok {
				return fmt.Errorf("there is no user %d", nums[0])
			}
			ids = append(ids, o.ID)
		}
		return nil
	}))
	for i, id := range ids {
		w.edit(id, "displayName", fmt.Sprintf("Changed %d %d", round, i))
	}
}
