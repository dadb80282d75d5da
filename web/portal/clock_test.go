package portal_test

import (
	"testing"
	"time"

	"entrasim/sim/clock"
)

func TestClockSettings(t *testing.T) {
	s := newSite(t, 20, "")
	for _, c := range []struct {
		name       string
		form       []string
		status     int
		field, see string
	}{
		{"no number", []string{"do", "set", "mode", "rate", "rate", "abc"}, 422, "rate", "“abc” is no rate"},
		{"no number at all", []string{"do", "set", "mode", "rate", "rate", "NaN"}, 422, "rate", "“NaN” is no rate"},
		{"endless", []string{"do", "set", "mode", "rate", "rate", "+Inf"}, 422, "rate", "is no rate"},
		{"backwards", []string{"do", "set", "mode", "rate", "rate", "-1"}, 422, "rate", "is no rate"},
		{"too fast", []string{"do", "set", "mode", "rate", "rate", "10000001"}, 422, "rate", "at most 10,000,000"},
		{"no such mode", []string{"do", "set", "mode", "sideways", "rate", "1"}, 422, "mode", "Choose one of the modes"},
		{"no duration", []string{"do", "advance", "advance", "soon"}, 422, "advance", "“soon” is no time"},
		{"nothing typed", []string{"do", "advance", "advance", ""}, 422, "advance", "“” is no time"},
		{"into the past", []string{"do", "advance", "advance", "-1h"}, 422, "advance", "“-1h” is no time"},
		{"not started", []string{"do", "cycle"}, 200, "", "No cycle ran: provisioning is not started."},
		{"a day", []string{"do", "advance", "advance", " P1D "}, 200, "", "Tue 6 Jan 2026, 09:00:00 UTC"},
		{"the bar", []string{"do", "40m"}, 200, "", "Tue 6 Jan 2026, 09:40:00 UTC"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := s.post("/clock", append(c.form, "back", "/clock")...)
			if p.status != c.status {
				t.Errorf("status %d, want %d", p.status, c.status)
			}
			s.see(p, c.see)
			for _, fault := range p.faults() {
				t.Error(fault)
			}
			if c.field == "" {
				return
			}
			if p.root.id("e-"+c.field) == nil || p.root.id("f-" + c.field).attr["aria-invalid"] != "true" {
				t.Errorf("the field %s is not marked", c.field)
			}
			for i := 0; i+1 < len(c.form); i += 2 {
				if got := p.value(c.form[i]); c.form[i] == c.field && c.field != "mode" && got != c.form[i+1] {
					t.Errorf("%s shows %q, typed was %q", c.field, got, c.form[i+1])
				}
			}
		})
	}
	if got, want := s.svc.Clock().Now(), begin.Add(24*time.Hour+40*time.Minute); !got.Equal(want) {
		t.Errorf("the clock stands at %v, want %v", got, want)
	}
	if mode, _ := s.svc.Clock().Setting(); mode != clock.Manual {
		t.Errorf("mode %s after refused changes", mode)
	}
	if p := s.post("/clock", "do", "set", "mode", "rate", "rate", "90", "back", "/clock"); p.value("rate") != "90" || p.value("mode") != "rate" {
		t.Errorf("mode %q, rate %q; want rate, 90", p.value("mode"), p.value("rate"))
	}
}

// TestBackStaysHere: a posted form can't send the reader to another site.
func TestBackStaysHere(t *testing.T) {
	s := newSite(t, 5, "")
	for _, to := range []string{"https://evil.example/", "//evil.example/", `/\evil.example/`, "javascript:alert(1)", "/\t/evil.example/", "/\n/evil.example"} {
		if p := s.post("/clock", "do", "1m", "back", to); p.path != "/" {
			t.Errorf("back=%q led to %s", to, p.path)
		}
	}
	if p := s.post("/clock", "do", "1m", "back", "/users?show=guest"); p.path != "/users?show=guest" {
		t.Errorf("led to %s", p.path)
	}
}
