package sim

import (
	"context"
	"strings"
	"testing"

	"entrasim/sim/mapping"
)

// TestOwnListener: a tenant URL on the program's own listener means the listener's present address, however it is spelled;
// others are stored as they are.
func TestOwnListener(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	address := ""
	w.svc.opt.SelfURL = func() string { return address }
	for _, c := range []struct{ self, entered, moved, want string }{
		{"http://127.0.0.1:8480", "http://127.0.0.1:8480/scim", "http://127.0.0.1:9999", "http://127.0.0.1:9999/scim"},
		{"http://127.0.0.1:8480", " http://localhost:8480/scim ", "http://127.0.0.1:9999", "http://127.0.0.1:9999/scim"},
		{"http://127.0.0.1:8480", "HTTP://LocalHost:8480/targets/a/scim?aadOptscim062020", "http://127.0.0.1:9999", "http://127.0.0.1:9999/targets/a/scim?aadOptscim062020"},
		{"http://127.0.0.1:8480", "http://[::1]:8480/scim", "http://127.0.0.1:9999", "http://127.0.0.1:9999/scim"},
		{"http://[::1]:8480", "http://127.0.0.1:8480/scim", "http://[::1]:9999", "http://[::1]:9999/scim"},
		{"http://127.0.0.1:80", "http://localhost/scim", "http://127.0.0.1:9999", "http://127.0.0.1:9999/scim"},
		{"http://sim.example:8480", "http://SIM.example:8480/scim", "http://sim.example:9999", "http://sim.example:9999/scim"},
		{"http://127.0.0.1:8480", "http://localhost:8480?x=1", "http://127.0.0.1:9999", "http://127.0.0.1:9999?x=1"},
		{"http://127.0.0.1:8480", "http://localhost:8481/scim", "http://127.0.0.1:9999", "http://localhost:8481/scim"},
		{"http://127.0.0.1:8480", "https://localhost:8480/scim", "http://127.0.0.1:9999", "https://localhost:8480/scim"},
		{"http://127.0.0.1:8480", "http://127.0.0.2:8480/scim", "http://127.0.0.1:9999", "http://127.0.0.2:8480/scim"},
		{"http://127.0.0.1:8480", "http://127.0.0.1.example:8480/scim", "http://127.0.0.1:9999", "http://127.0.0.1.example:8480/scim"},
		{"http://sim.example:8480", "http://localhost:8480/scim", "http://sim.example:9999", "http://localhost:8480/scim"},
	} {
		address = c.self
		w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{TenantURL: &c.entered}))
		if got := w.job().Settings.TenantURL; !strings.EqualFold(got, strings.TrimSpace(c.entered)) && !strings.HasPrefix(got, c.self) {
			t.Errorf("%s on %s shows %s", c.entered, c.self, got)
		}
		address = c.moved
		if got := w.job().Settings.TenantURL; got != c.want {
			t.Errorf("%s on %s: behind the move %s, want %s", c.entered, c.self, got, c.want)
		}
	}
	// Test connection asks where the listener is.
	address = w.http.URL
	url := strings.Replace(strings.Replace(w.http.URL, "127.0.0.1", "[::1]", 1), "http", "HTTP", 1) + "/scim"
	w.no(w.svc.TestConnection(context.Background(), w.app.ID, &url, nil))
}

// TestJobIsACopy: what the service hands out stays as it was.
func TestJobIsACopy(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	bad := "wrong-token-000"
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &bad}))
	w.no(w.svc.Start(w.app.ID))
	w.advance(0)
	j := w.job()
	attempt := j.Status.Quarantine.NextAttempt
	bad = "wrong-token-111"
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &bad}))
	if got := j.Status.Quarantine.NextAttempt; !got.Equal(attempt) {
		t.Errorf("the copy's next attempt went from %v to %v", attempt, got)
	}
	// And the other way round: nothing that a caller does reaches the job.
	j = w.job()
	j.Status.Quarantine.SeriesCount, j.Status.Quarantine.Error.Code = 99, "x"
	j.Status.LastExecution.Error.Code = "x"
	j.LastCycle.Cycle, j.LastCycle.Error.Code = 99, "x"
	if k := w.job(); k.Status.Quarantine.SeriesCount != 1 || k.Status.Quarantine.Error.Code == "x" || k.Status.LastExecution.Error.Code == "x" ||
		k.LastCycle.Cycle != 1 || k.LastCycle.Error.Code == "x" {
		t.Errorf("a caller reached the job: %+v, %+v", k.Status, k.LastCycle)
	}
}
