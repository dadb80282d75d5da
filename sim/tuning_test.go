package sim

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// TestSwitches: each takes another value than its default and gives it back, on something of its own, and refuses nonsense.
func TestSwitches(t *testing.T) {
	fresh := func() *tuning { return &tuning{wire: scim.DefaultOptions(), limits: DefaultLimits()} }
	other := map[string]string{"number": "77", "text": "4.0", "duration": "11h", "durations": "1h 2h"}
	for _, w := range Switches() {
		value := other[w.Kind]
		for _, c := range w.Choices {
			if c != w.Default {
				value = c
			}
		}
		if value == "" || value == w.Default {
			t.Fatalf("%s: no other value than %q", w.Name, w.Default)
		}
		if err := CheckSwitch(w.Name, value); err != nil {
			t.Errorf("%s = %s: %v", w.Name, value, err)
		}
		set := fresh()
		if err := w.set(set, value); err != nil || w.get(set) != value {
			t.Errorf("%s: %q becomes %q, %v", w.Name, value, w.get(set), err)
		}
		for _, x := range Switches() {
			if x.Name != w.Name && x.get(set) != x.Default {
				t.Errorf("%s changes %s as well", w.Name, x.Name)
			}
		}
		if w.Text == "" || w.Name == "" {
			t.Errorf("%q says nothing", w.Name)
		}
		if w.Kind != "text" {
			if err := CheckSwitch(w.Name, "nonsense"); directory.CodeOf(err) != directory.Invalid {
				t.Errorf("%s = nonsense: %v", w.Name, err)
			}
		}
	}
	for name, value := range map[string]string{"noSuch": "1", "memberBatch": "0", "escrowsPercent": "101", "quarantineAttempts": "2h 1h", "quarantineEnd": "-1h", "adscimVersion": "a\nb", "retryFirst": "1ms"} {
		if err := CheckSwitch(name, value); directory.CodeOf(err) != directory.Invalid {
			t.Errorf("%s = %q: %v", name, value, err)
		}
	}
}

// TestSwitchesOfAJob: they belong to one application, outlive the program, and the default takes one away again.
func TestSwitchesOfAJob(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	second, err := w.svc.CreateApplication("Second")
	w.no(err)
	_, err = w.svc.CreateJob(second.ID, SettingsEdit{Switches: map[string]string{"opChoice": "alwaysAdd"}})
	w.no(err)
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{Switches: map[string]string{"memberBatch": "5", "quarantineEnd": "48h", "postNulls": "true"}}))
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{Switches: map[string]string{"postNulls": "", "unhealthyInARow": "10"}}))
	w.no(w.svc.NameSettings(w.app.ID, map[string]string{"QuarantineTooManyDeletesThreshold": "3", "nullFlow": "remove", "Other": "x"}))
	again, err := Open(Options{Directory: w.dir, Clock: w.clock, Seed: 1})
	w.no(err)
	for _, svc := range []*Service{w.svc, again} {
		j, err := svc.Job(w.app.ID)
		w.no(err)
		if want := map[string]string{"memberBatch": "5", "quarantineEnd": "2d", "nullFlow": "remove"}; !maps.Equal(j.Settings.Switches, want) {
			t.Errorf("%v, want %v", j.Settings.Switches, want)
		}
		if j.Settings.DeleteThreshold != 3 || j.Named["Other"] != "x" || j.Named["nullFlow"] != "remove" || j.Settings.Limits().QuarantineEnd != 48*time.Hour {
			t.Errorf("%+v %v", j.Settings, j.Named)
		}
		if j, err = svc.Job(second.ID); err != nil || j.Settings.Switches["opChoice"] != "alwaysAdd" || len(j.Settings.Switches) != 1 {
			t.Errorf("%+v, %v", j.Settings, err)
		}
	}
	if err := w.svc.UpdateSettings(w.app.ID, SettingsEdit{Switches: map[string]string{"memberBatch": "9", "opChoice": "never"}}); directory.CodeOf(err) != directory.Invalid {
		t.Errorf("a bad switch: %v", err)
	}
	if got := w.job().Settings.Switches["memberBatch"]; got != "5" {
		t.Errorf("a refused edit changed memberBatch to %s", got)
	}
	if err := w.svc.NameSettings(w.app.ID, map[string]string{"QuarantineTooManyDeletesThreshold": "many"}); directory.CodeOf(err) != directory.Invalid {
		t.Errorf("a bad threshold: %v", err)
	}
}

// TestRetryDelay: the first retry is the next cycle's, then the wait doubles up to the longest.
func TestRetryDelay(t *testing.T) {
	l := DefaultLimits()
	for retries, want := range []time.Duration{0, 80 * time.Minute, 160 * time.Minute, 320 * time.Minute, 640 * time.Minute, 1280 * time.Minute, 24 * time.Hour, 24 * time.Hour} {
		if got := l.retryDelay(retries); got != want {
			t.Errorf("after %d retries %s, want %s", retries, got, want)
		}
	}
	if got := l.retryDelay(1 << 30); got != 24*time.Hour {
		t.Errorf("after very many %s", got)
	}
}

// TestForwardTenantQuery: by the switch of its application, the tenant URL's own query is sent along; that of another
// application is not.
func TestForwardTenantQuery(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "?tenant=7")
	w.assign(w.user("ann").ID)
	second, err := w.svc.CreateApplication("Second")
	w.no(err)
	url, token := w.http.URL+"/scim?tenant=8", "secret-token"
	_, err = w.svc.CreateJob(second.ID, SettingsEdit{TenantURL: &url, SecretToken: &token})
	w.no(err)
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{Switches: map[string]string{"forwardTenantQuery": "true"}}))
	w.no(w.svc.Start(w.app.ID))
	w.no(w.svc.Start(second.ID))
	w.advance(0)
	first, err := w.svc.Job(w.app.ID)
	w.no(err)
	sent := map[bool]int{}
	for _, x := range w.svc.Traffic(0, 1000).Exchanges {
		mine := x.Job == first.ID
		sent[mine]++
		if strings.Contains(x.URL, "tenant=7") != mine || strings.Contains(x.URL, "tenant=8") {
			t.Errorf("%s %s", x.Method, x.URL)
		}
	}
	if sent[true] < 4 || sent[false] < 2 {
		t.Errorf("%v requests", sent)
	}
}

// TestAuditOfSettings: the audit log names what an administrator changed, and no secret.
func TestAuditOfSettings(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	token, on, limit := "another-token", true, 3
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &token, PreventDeletes: &on, DeleteThreshold: &limit, Switches: map[string]string{"memberBatch": "5", "opChoice": "diff"}}))
	w.no(w.svc.Restart(w.app.ID, DefaultReset()))
	w.no(w.svc.Restart(w.app.ID, FullReset()))
	w.no(w.svc.Restart(w.app.ID, ResetScope{ForceDeletes: true}))
	page, err := w.svc.Audit("", 4)
	w.no(err)
	var got []string
	for _, r := range page.Items {
		got = append(got, r.Detail)
	}
	want := []string{"resetScope: ForceDeletes", "resetScope: Full", "resetScope: Escrows, Watermark, QuarantineState",
		"Secret token, Prevent accidental deletions: true, Threshold: 3, memberBatch: 5"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if s := (ResetScope{}).String(); s != "None" {
		t.Error(s)
	}
}
