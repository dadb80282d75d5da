package sim

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/sim/mapping"
	"entrasim/sim/target"
)

const month = 30 * 24 * time.Hour

// idleWorld is a company with everybody in scope, provisioned, in a file that is synced.
func idleWorld(t testing.TB, people, groups int) *world {
	t.Helper()
	w := &world{t: t, clock: clock.New(clock.Manual, 1, start)}
	var err error
	w.dir, err = directory.Open(filepath.Join(t.TempDir(), "idle.db"), directory.Options{Seed: 1, Now: start})
	w.no(err)
	w.no(w.dir.Generate(context.Background(), start, directory.Company{Users: people, Groups: groups, Seed: 1}, nil))
	w.target, err = target.New(target.Options{Token: "t", Now: w.clock.Now, Seed: 1})
	w.no(err)
	w.http = httptest.NewServer(w.target.Handler("default"))
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
func TestIdleMonth(t *testing.T) {
	w := idleWorld(t, 2000, 40)
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
	if best > 2*time.Second {
		t.Errorf("an idle month takes %v, more than two seconds", best)
	}
	t.Logf("an idle month took %v", best)
}

// BenchmarkIdleMonth advances over a month of idle cycles of companies of several sizes.
func BenchmarkIdleMonth(b *testing.B) {
	for _, people := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprint(people), func(b *testing.B) {
			w := idleWorld(b, people, people/50)
			for b.Loop() {
				w.advance(month)
			}
		})
	}
}
