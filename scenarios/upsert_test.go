package scenarios

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// upserting answers the POST of a name that is taken with the account that has it, as if it had made it. It finds nobody in
// a query; hidden says that it lists nobody either, and answer changes the body of that answer.
func upserting(t *testing.T, status int, hidden bool, answer func(body string) string) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		ask := func(r *http.Request, method, address, body string) *httptest.ResponseRecorder {
			inner := httptest.NewRequest(method, address, strings.NewReader(body))
			inner.Header = r.Header.Clone()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, inner)
			return w
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			list := r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "s")
			got := ask(r, r.Method, r.URL.String(), string(sent))
			body, code := got.Body.String(), got.Code
			switch {
			case list && (hidden || r.URL.Query().Has("filter")):
				body = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"Resources":[]}`
			case r.Method == http.MethodPost && code == http.StatusConflict:
				name := regexp.MustCompile(`"userName":"([^"]*)"`).FindStringSubmatch(string(sent))[1]
				found := ask(r, http.MethodGet, "/Users?filter="+url.QueryEscape(`userName eq "`+name+`"`), "").Body.String()
				_, found, _ = strings.Cut(found, `"Resources":[`)
				body, code = answer(found[:strings.LastIndex(found, "]")]), status
			}
			w.Header().Set("Content-Type", "application/scim+json")
			w.WriteHeader(code)
			if _, err := io.WriteString(w, body); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestUpsertingTarget: an account that was there before the run, and that a target answers a POST with, is not the run's
// own: it stays, and the report says so.
func TestUpsertingTarget(t *testing.T) {
	same := func(body string) string { return body }
	old := func(body string) string {
		return regexp.MustCompile(`"created":"[^"]*"`).ReplaceAllString(body, `"created":"2020-01-31T09:00:00Z"`)
	}
	bare := func(body string) string { return regexp.MustCompile(`,"meta":\{[^}]*\}`).ReplaceAllString(body, "") }
	for name, c := range map[string]struct {
		status int
		hidden bool
		answer func(string) string
		why    string
	}{
		"listed before":       {201, false, same, "it was there before"},
		"made before the run": {201, true, old, "meta.created"},
		"answered 200":        {200, true, bare, "answered 200"},
	} {
		t.Run(name, func(t *testing.T) {
			st, to := full(t, upserting(t, c.status, c.hidden, c.answer))
			before := picture(st)
			s := parsed(t, "name: x\ntenant: {users: {ann, bob}}\napplication: {template: guide, scope: all}\nsteps:\n  - cycle:\n    expect: {counts: {create: 2}}\n")
			r := Run(t.Context(), s, to, Options{})
			if r.Verdict != Passed || len(r.Left) != 1 || !strings.Contains(r.Left[0], "(ann, ann@contoso.example): ") || !strings.Contains(r.Left[0], c.why) {
				t.Errorf("%s %s, left behind: %q\n%s", r.Verdict, r.Reason, r.Left, failures(r))
			}
			if after := picture(st); after != before {
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
		})
	}
}

// TestUpsertedContents: the same for what a scenario puts into the target itself.
func TestUpsertedContents(t *testing.T) {
	st, to := full(t, upserting(t, 201, false, func(body string) string { return body }))
	before := picture(st)
	s := parsed(t, "name: x\ntenant: {users: {bob}}\napplication: {template: guide, scope: all}\ntarget: {users: {ann: {}}}\nsteps:\n  - cycle:\n    expect: {counts: {create: 1}}\n")
	r := Run(t.Context(), s, to, Options{})
	if r.Verdict != Passed || len(r.Left) != 1 || !strings.Contains(r.Left[0], "(ann, ann@contoso.example): ") {
		t.Errorf("%s %s, left behind: %q\n%s", r.Verdict, r.Reason, r.Left, failures(r))
	}
	if after := picture(st); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

// TestUpsertUnanswered: the same where the answer to the POST was lost, although the account has the run's externalId now.
func TestUpsertUnanswered(t *testing.T) {
	hide := upserting(t, 201, false, func(body string) string { return body })
	st, to := full(t, func(h http.Handler) http.Handler {
		blind, posted := hide(h), false
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				sent, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				list := httptest.NewRequest(http.MethodGet, "/Users", nil)
				list.Header = r.Header.Clone()
				found := httptest.NewRecorder()
				h.ServeHTTP(found, list)
				id := regexp.MustCompile(`"id":"([^"]*)"`).FindStringSubmatch(found.Body.String())[1]
				put := httptest.NewRequest(http.MethodPut, "/Users/"+id, strings.NewReader(string(sent)))
				put.Header = r.Header.Clone()
				h.ServeHTTP(httptest.NewRecorder(), put)
				posted = true
				panic(http.ErrAbortHandler)
			}
			if posted {
				h.ServeHTTP(w, r)
				return
			}
			blind.ServeHTTP(w, r)
		})
	})
	s := parsed(t, "name: x\ntenant: {users: {ann}}\napplication: {template: guide, scope: all}\nsteps:\n  - cycle:\n    expect: {counts: {fail: 1}}\n")
	r := Run(t.Context(), s, to, Options{})
	if len(r.Left) != 1 || !strings.Contains(r.Left[0], "it was there before") {
		t.Errorf("%s %s, left behind: %q\n%s", r.Verdict, r.Reason, r.Left, failures(r))
	}
	if users, _ := st.Counts(); users != 1 {
		t.Errorf("%d users, want 1", users)
	}
}
