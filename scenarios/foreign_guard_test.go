package scenarios

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"entrasim/sim/target"
)

// full is a server on the network that holds accounts and groups already. wrap may change how it answers.
func full(t *testing.T, wrap func(http.Handler) http.Handler) (*target.Store, Target) {
	t.Helper()
	s, err := target.New(target.Options{Token: "secret", Now: time.Now, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	h := s.Handler("default")
	for path, body := range map[string]string{
		"/Users":  `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann@contoso.example","displayName":"Another Ann","active":true}`,
		"/Groups": `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Developers"}`,
	} {
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer secret")
		r.Header.Set("Content-Type", "application/scim+json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusCreated {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if wrap != nil {
		h = wrap(h)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return s.Store("default"), Target{URL: server.URL + "/scim", Token: "secret"}
}

func picture(st *target.Store) string {
	var b strings.Builder
	for _, kind := range []string{"User", "Group"} {
		list, _ := st.List(kind, 0, 1000)
		for _, r := range list {
			fmt.Fprintf(&b, "%s %v\n", r.JSON, st.Members(r.ID))
		}
	}
	return b.String()
}

func story(t *testing.T) *Scenario {
	t.Helper()
	s, err := Builtin("stories/set-up-guide")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFullTarget: a run against a target that has objects of the same names uses names of its own, passes, and leaves
// everything as it was.
func TestFullTarget(t *testing.T) {
	st, to := full(t, nil)
	before := picture(st)
	r := Run(t.Context(), story(t), to, Options{})
	if r.Verdict != Passed || r.Mark == "" || len(r.Left) > 0 {
		t.Errorf("%s %s mark %q left %v\n%s", r.Verdict, r.Reason, r.Mark, r.Left, failures(r))
	}
	if after := picture(st); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	// What was sent did bear the mark; what is shown does not.
	marked := 0
	for _, x := range r.Exchanges() {
		if strings.Contains(x.URL+x.RequestBody, r.Mark) {
			marked++
		}
	}
	if marked < 5 {
		t.Errorf("%d exchanges bear the mark %s", marked, r.Mark)
	}
	// Another run has other names and ids, so that one that broke off does not stand in its way.
	if again := Run(t.Context(), story(t), to, Options{Keep: true}); again.Verdict != Passed || again.Mark == r.Mark {
		t.Errorf("%s %s, marks %s and %s", again.Verdict, again.Reason, r.Mark, again.Mark)
	}
	if users, groups := st.Counts(); users != 4 || groups != 2 {
		t.Errorf("--keep left %d users and %d groups, want 4 and 2", users, groups)
	}
	if r := Run(t.Context(), story(t), to, Options{Mark: "mine."}); r.Verdict != Passed || r.Mark != "mine." {
		t.Errorf("with a mark of one's own: %s %s %s", r.Verdict, r.Reason, r.Mark)
	}
}

// TestGuard: without a mark an object that is not the run's own is matched, and nothing is sent that would change it.
func TestGuard(t *testing.T) {
	st, to := full(t, nil)
	before := picture(st)
	r := Run(t.Context(), story(t), to, Options{Mark: "none"})
	if r.Verdict != Broken || !strings.Contains(r.Reason, "was kept back: the target has that object already") {
		t.Errorf("%s %s", r.Verdict, r.Reason)
	}
	if after := picture(st); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

// TestLeftBehind: what can't be deleted is named.
func TestLeftBehind(t *testing.T) {
	_, to := full(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	r := Run(t.Context(), story(t), to, Options{})
	if r.Verdict != Passed || len(r.Left) != 4 || !strings.HasPrefix(r.Left[0], "/Groups/") || !strings.Contains(r.Left[0], "DELETE answered 403") {
		t.Errorf("%s, left behind: %q", r.Verdict, r.Left)
	}
	var b bytes.Buffer
	if err := Print(&b, r, Style{}); err != nil || !strings.Contains(b.String(), "left behind at the target:") {
		t.Errorf("%v %s", err, b.String())
	}
}

// TestLostCreation: an account whose creation was never answered is found by its name and deleted as well.
func TestLostCreation(t *testing.T) {
	var once sync.Once
	st, to := full(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			lost := false
			if r.Method == http.MethodPost && bytes.Contains(body, []byte("bob@")) {
				once.Do(func() { lost = true })
			}
			if !lost {
				h.ServeHTTP(w, r)
				return
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		})
	})
	before := picture(st)
	s, err := Parse("t", []byte("name: x\ntenant: {users: {bob}}\napplication: {template: guide, assigned: [bob]}\nsteps:\n  - cycle:\n    expect: {log: [bob: create failure WebExceptionProtocolError]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if r := Run(t.Context(), s, to, Options{}); r.Verdict != Passed || len(r.Left) > 0 {
		t.Errorf("%s %s %v\n%s", r.Verdict, r.Reason, r.Left, failures(r))
	}
	if after := picture(st); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

// TestNeedsFaults: a scenario that needs faults is not played against another target.
func TestNeedsFaults(t *testing.T) {
	_, to := full(t, nil)
	s, err := Builtin("faults/server-error")
	if err != nil {
		t.Fatal(err)
	}
	if r := Run(t.Context(), s, to, Options{}); r.Verdict != Skipped || !strings.Contains(r.Reason, "faults") {
		t.Errorf("%s %s", r.Verdict, r.Reason)
	}
}

// TestTargetAway: an endpoint that does not answer is a broken run with its address, and not a wait.
func TestTargetAway(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	url := server.URL
	server.Close()
	r := Run(t.Context(), story(t), Target{URL: url + "/scim", Token: "secret"}, Options{})
	if r.Verdict != Broken || !strings.Contains(r.Reason, "does not answer") || !strings.Contains(r.Reason, url) {
		t.Errorf("%s %s", r.Verdict, r.Reason)
	}
}
