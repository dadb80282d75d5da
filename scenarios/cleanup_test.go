package scenarios

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func parsed(t *testing.T, source string) *Scenario {
	t.Helper()
	s, err := Parse("t.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEditsOfOthers: a step that edits the target does not touch an account that was there before, although the run matched it.
func TestEditsOfOthers(t *testing.T) {
	for name, edit := range map[string]string{"update": "{update: {ann: {title: Boss}}}", "delete": "{delete: [ann]}"} {
		t.Run(name, func(t *testing.T) {
			st, to := full(t, nil)
			before := picture(st)
			s := parsed(t, "name: x\ntenant: {users: {ann: {displayName: Another Ann}}}\napplication: {scope: all, template: guide, mappings: {users: {externalId: none}}}\nsteps:\n  - cycle:\n    expect: {log: [ann: other skipped]}\n  - target: "+edit+"\n")
			r := Run(t.Context(), s, to, Options{Mark: "none"})
			if r.Verdict != Broken || len(r.Steps) != 2 || !strings.Contains(r.Reason, "this run does not touch what it did not make") {
				t.Errorf("%s %s\n%s", r.Verdict, r.Reason, failures(r))
			}
			if after := picture(st); after != before {
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
		})
	}
}

const threeUsers = "name: x\ntenant: {users: {bob, cleo, dora}}\napplication: {template: guide, scope: all}\nsteps:\n  - cycle:\n    expect: {counts: {create: 3}}\n"

// TestHangingTarget: a run that is interrupted, or ends, while its target hangs gives up soon and names all that it leaves.
func TestHangingTarget(t *testing.T) {
	release := make(chan struct{})
	_, to := full(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				<-release
			}
			h.ServeHTTP(w, r)
		})
	})
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Open(ctx, parsed(t, threeUsers), to, Options{hurry: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if st, _ := p.Next(ctx); st.Verdict != Passed {
		t.Fatalf("%+v", st)
	}
	cancel()
	r, err := p.Close(ctx)
	if err != nil || len(r.Left) != 3 {
		t.Errorf("%v, left behind: %q", err, r.Left)
	}
	if !strings.Contains(strings.Join(r.Left, "\n"), "not tried: the target gives no answers") {
		t.Errorf("left behind: %q", r.Left)
	}
}

// TestBusyTarget: a target that asks for patience while the run cleans up gets it.
func TestBusyTarget(t *testing.T) {
	var deletes atomic.Int32
	st, to := full(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete && deletes.Add(1)%2 == 1 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	before := picture(st)
	if r := Run(t.Context(), parsed(t, threeUsers), to, Options{}); r.Verdict != Passed || len(r.Left) > 0 {
		t.Errorf("%s %s, left behind: %q", r.Verdict, r.Reason, r.Left)
	}
	if after := picture(st); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

// TestDoubtfulCreation: an account of which nobody can tell whether the run made it is named, and stays.
func TestDoubtfulCreation(t *testing.T) {
	st, to := full(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte(`"externalId"`), []byte(`"nickName"`))))
			r.ContentLength = -1
			if r.Method != http.MethodPost {
				h.ServeHTTP(w, r)
				return
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		})
	})
	r := Run(t.Context(), parsed(t, "name: x\ntenant: {users: {bob}}\napplication: {template: guide, scope: all}\nsteps:\n  - cycle:\n    expect: {counts: {fail: 1}}\n"), to, Options{})
	if len(r.Left) != 1 || !strings.Contains(r.Left[0], "bob@contoso.example") || !strings.Contains(r.Left[0], "whether this run made it can't be told") {
		t.Errorf("%s %s, left behind: %q", r.Verdict, r.Reason, r.Left)
	}
	if users, _ := st.Counts(); users != 2 {
		t.Errorf("%d users, want 2", users)
	}
}

// TestBeginningFails: what could not be deleted is told also when the run could not begin.
func TestBeginningFails(t *testing.T) {
	_, to := full(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete || r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/Groups") {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	s := parsed(t, "name: x\ntenant: {users: {bob}}\napplication: {template: guide, scope: all}\ntarget: {users: {bob: {}}, groups: {team: {}}}\nsteps:\n  - cycle:\n    expect: {counts: {}}\n")
	r := Run(t.Context(), s, to, Options{})
	if r.Verdict != Broken || !strings.Contains(r.Reason, "the target does not take team") || len(r.Left) != 1 || !strings.Contains(r.Left[0], "DELETE answered 403") {
		t.Errorf("%s %s, left behind: %q", r.Verdict, r.Reason, r.Left)
	}
}

// TestTokenNotSet: a token that is to come from the environment and is not there is told before anything is sent.
func TestTokenNotSet(t *testing.T) {
	s := parsed(t, "name: x\ntenant: {users: {bob}}\napplication: {template: guide, scope: all}\ntarget: {url: 'http://127.0.0.1:9/scim', token: $ENTRASIM_TEST_NO_SUCH}\nsteps:\n  - cycle:\n    expect: {counts: {}}\n")
	if r := Run(t.Context(), s, Target{}, Options{}); r.Verdict != Broken || !strings.Contains(r.Reason, "t.yaml:4:9: ENTRASIM_TEST_NO_SUCH is not set") {
		t.Errorf("%s %s", r.Verdict, r.Reason)
	}
}

// TestFullTargetGenerated: names of a generated company are looked up as well, and get the mark.
func TestFullTargetGenerated(t *testing.T) {
	st, to := full(t, nil)
	s := parsed(t, "name: x\ntenant:\n  generate: {users: 6, groups: 2}\napplication: {template: guide, scope: all}\nsteps:\n  - cycle:\n    expect: {target: {users: 6, groups: 2}}\n")
	first := Run(t.Context(), s, to, Options{Keep: true})
	if first.Verdict != Passed || first.Mark != "" {
		t.Fatalf("%s %s %q\n%s", first.Verdict, first.Reason, first.Mark, failures(first))
	}
	before := picture(st)
	again := Run(t.Context(), s, to, Options{})
	if again.Verdict != Passed || again.Mark == "" || len(again.Left) > 0 {
		t.Errorf("%s %s, mark %q, left %q\n%s", again.Verdict, again.Reason, again.Mark, again.Left, failures(again))
	}
	if after := picture(st); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}
