package scenarios

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// parse reads a scenario that must be one.
func parse(t testing.TB, source string) *Scenario {
	t.Helper()
	s, err := Parse("t", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStepByStep: a player shows each step with what the target holds behind it, and says when there is none left.
func TestStepByStep(t *testing.T) {
	s, err := Builtin("deprovisioning/soft-delete-and-purge")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Open(t.Context(), s, Target{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var held []int
	for {
		st, more := p.Next(t.Context())
		if !more {
			break
		}
		if st.Verdict != Passed || st.Title == "" || len(p.Result().Steps) != st.Number {
			t.Errorf("step %d: %s %q", st.Number, st.Verdict, st.Title)
		}
		list, err := p.Holds(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, len(list))
		for _, r := range list {
			if r.Handle != "adele" || r.Kind != user || !strings.Contains(r.JSON(), `"id": "{adele}"`) {
				t.Errorf("held %+v", r)
			}
		}
	}
	if len(held) != 4 || held[0] != 1 || held[3] != 0 {
		t.Errorf("held %v", held)
	}
	for range 2 { // closing twice is no harm
		if r, err := p.Close(t.Context()); err != nil || r.Verdict != Passed {
			t.Errorf("%s %v", r.Verdict, err)
		}
	}
	if list, err := p.Holds(t.Context()); err != nil || list != nil {
		t.Errorf("behind the end: %v %v", list, err)
	}
}

// TestDurations: virtual time that passes, and real time of answers.
func TestDurations(t *testing.T) {
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(30 * time.Millisecond)
		w.Header().Set("Content-Type", "application/scim+json")
		if _, err := w.Write([]byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"Resources":[]}`)); err != nil {
			t.Error(err)
		}
	})
	for limit, want := range map[string]Verdict{"5ms": Failed, "90s": Passed} {
		s := parse(t, "name: x\napplication: {scope: all}\nsteps:\n  - cycle:\n    expect: {slowest: "+limit+", passes: 0s}\n")
		r := Run(t.Context(), s, Handler(slow, "/scim/v2", "x"), Options{})
		if r.Verdict != want {
			t.Errorf("slowest %s: %s, want %s\n%s", limit, r.Verdict, want, failures(r))
		}
		if x := r.Exchanges()[0]; !strings.HasPrefix(x.URL, "http://target.test/scim/v2/Users?") {
			t.Errorf("asked at %s", x.URL)
		}
	}
	s := parse(t, "name: x\napplication: {scope: all}\nsteps:\n  - advance: 40m\n    expect: {passes: 41m}\n")
	if r := Run(t.Context(), s, Target{}, Options{}); r.Verdict != Failed || !strings.Contains(failures(r), "expected 41m, seen 40m") {
		t.Errorf("%s\n%s", r.Verdict, failures(r))
	}
	for text, want := range map[string]time.Duration{"40m": 40 * time.Minute, "31d": 31 * 24 * time.Hour, "1d12h": 36 * time.Hour, "PT40M": 40 * time.Minute, "P30D": 720 * time.Hour, "1h30m": 90 * time.Minute} {
		got, err := parseDuration(text)
		if err != nil || got != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
		if again, err := parseDuration(short(got)); err != nil || again != got {
			t.Errorf("%s is written %s", text, short(got))
		}
	}
}

// TestBrokenStep: a step that can't be carried out ends the scenario, with its reason.
func TestBrokenStep(t *testing.T) {
	s := parse(t, "name: x\ntenant: {users: {ann, bob}}\napplication: {template: guide, assigned: [ann]}\nsteps:\n  - target: {update: {bob: {title: Pilot}}}\n  - cycle:\n    expect: {counts: {}}\n")
	r := Run(t.Context(), s, Target{}, Options{})
	if r.Verdict != Broken || len(r.Steps) != 1 || !strings.Contains(r.Reason, "step 1: target: bob has no account at the target") {
		t.Errorf("%s %s, %d steps", r.Verdict, r.Reason, len(r.Steps))
	}
	s = parse(t, "name: x\ntenant: {users: {ann: {userPrincipalName: no address}}}\napplication: {assigned: [ann]}\nsteps:\n  - cycle:\n    expect: {counts: {}}\n")
	if r := Run(t.Context(), s, Target{}, Options{}); r.Verdict != Broken || !strings.HasPrefix(r.Reason, "t:2:18: create ann: ") {
		t.Errorf("%s %s", r.Verdict, r.Reason)
	}
}

// TestStopped: a run that is told to stop ends soon, cleaned up.
func TestStopped(t *testing.T) {
	st, to := full(t, nil)
	before := picture(st)
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Open(ctx, story(t), to, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, more := p.Next(ctx); !more {
		t.Fatal("no step")
	}
	cancel()
	if r, _ := p.Next(ctx); r.Verdict != Broken {
		t.Errorf("a step behind the stop: %s", r.Verdict)
	}
	if r, err := p.Close(ctx); err != nil || len(r.Left) > 0 {
		t.Errorf("%v left %v", err, r.Left)
	}
	if after := picture(st); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

// TestTenantURL: flags of a given URL stay, and a file's dialect adds its own.
func TestTenantURL(t *testing.T) {
	for _, c := range []struct{ tenant, dialect, want string }{
		{"https://scim.example/scim", "", "https://scim.example/scim"},
		{"https://scim.example/scim", "compliant", "https://scim.example/scim?aadOptscim062020"},
		{"https://scim.example/scim?a=b", "compliant", "https://scim.example/scim?a=b&aadOptscim062020"},
		{"https://scim.example/scim?aadOptscim062020", "compliant", "https://scim.example/scim?aadOptscim062020"},
		{"https://scim.example/scim?aadOptscim062020", "", "https://scim.example/scim?aadOptscim062020"},
	} {
		if got := (&world{tenant: c.tenant}).tenantURL(App{Dialect: c.dialect}); got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.tenant, c.dialect, got, c.want)
		}
	}
}

// TestLoad: the type that errors of files have can be found in what Load returns.
func TestLoad(t *testing.T) {
	if _, err := Load("parse_test.go"); err == nil {
		t.Error("a Go file is a scenario")
	}
	var ps Problems
	if _, err := Load("format.md"); !errors.As(err, &ps) {
		t.Errorf("%v", err)
	}
	if _, err := Load("nowhere"); err == nil || errors.As(err, &ps) {
		t.Errorf("%v", err)
	}
	list, err := Load(".", "stories")
	if err != nil || len(list) < len(Names()) {
		t.Errorf("%d scenarios, %v", len(list), err)
	}
}
