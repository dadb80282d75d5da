package sim

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// returns lets f change what the target answers to a read of one object.
func (w *world) returns(f func(body string) string) {
	inner := w.http.Config.Handler
	w.http.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		inner.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/scim/Users/") {
			body = []byte(f(string(body)))
		}
		for name, v := range rec.Header() {
			if name != "Content-Length" {
				rw.Header()[name] = v
			}
		}
		rw.WriteHeader(rec.Code)
		if _, err := io.Copy(rw, bytes.NewReader(body)); err != nil {
			w.t.Error(err)
		}
	})
}

func (w *world) endless() string {
	w.t.Helper()
	j, err := w.svc.Job(w.app.ID)
	w.no(err)
	var list []string
	for _, e := range j.Endless {
		list = append(list, fmt.Sprintf("%s %s %s %d/%d", e.Object, e.Attribute, e.Kind, e.Objects, e.Times))
	}
	return strings.Join(list, ", ")
}

// started is a job that provisioned ann, with the guide's mappings.
func started(t *testing.T) (w *world, ann directory.User) {
	t.Helper()
	w = newWorld(t, mapping.Starter(), "")
	ann = w.user("ann")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	return w, ann
}

// TestEndlessUnderEdits: a target that writes values in capitals is found although somebody edits the value before each
// cycle, and what it holds as it was sent is never blamed.
func TestEndlessUnderEdits(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(string) string
		want string
	}{
		{"rewrites", func(s string) string { return strings.ReplaceAll(s, `"displayName":"`, `"displayName":"Mr `) }, "User displayName rewritten 1/3"},
		{"drops", func(s string) string { return strings.ReplaceAll(s, `"displayName"`, `"somethingElse"`) }, "User displayName renamed 1/3"},
		{"keeps", func(s string) string { return s }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, ann := started(t)
			w.returns(c.f)
			for i := range 3 {
				if got := w.endless(); got != "" {
					t.Fatalf("after %d updates: %s", i, got)
				}
				w.edit(ann.ID, "displayName", fmt.Sprintf("Ann number %d", i))
				w.cycle()
			}
			if got := w.endless(); c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestEndlessSurvives: what was counted is in the file, and goes with the links.
func TestEndlessSurvives(t *testing.T) {
	w, ann := started(t)
	w.returns(func(s string) string { return strings.ReplaceAll(s, `"active":true`, `"active":false`) })
	edit := func(n int) {
		w.edit(ann.ID, "displayName", fmt.Sprintf("Ann number %d", n))
		w.cycle()
	}
	edit(1)
	edit(2)
	w.reopen()
	edit(3)
	if got := w.endless(); got != "User active rewritten 1/3" {
		t.Fatalf("%q", got)
	}
	w.reopen()
	edit(4)
	if got := w.endless(); got != "User active rewritten 1/4" {
		t.Fatalf("%q", got)
	}
	page, err := w.svc.Logs(LogQuery{ObjectID: ann.ID, Limit: 1})
	w.no(err)
	r := page.Items[0]
	if len(r.Endless) != 1 || r.Endless[0].Times != 4 || !strings.Contains(r.Sentence, "does not keep active: 4 updates in a row") || !strings.Contains(strings.Join(r.Rules, " "), "W-195") {
		t.Errorf("%+v", r)
	}
	w.no(w.svc.Restart(w.app.ID, FullReset()))
	if got := w.endless(); got != "" {
		t.Errorf("behind a full restart: %q", got)
	}
	w.returns(func(s string) string { return s })
	w.cycle()
	w.returns(func(s string) string { return strings.ReplaceAll(s, `"active":true`, `"active":false`) })
	edit(5)
	if got := w.endless(); got != "" {
		t.Errorf("a full restart forgets what was sent before: %q", got)
	}
}

// TestEndlessEndsWithObject: who is gone is no longer counted.
func TestEndlessEndsWithObject(t *testing.T) {
	w, ann := started(t)
	bob := w.user("bob")
	w.assign(bob.ID)
	w.cycle()
	w.returns(func(s string) string { return strings.ReplaceAll(s, `"active":true`, `"active":false`) })
	for i := range 3 {
		for _, u := range []directory.User{ann, bob} {
			w.edit(u.ID, "displayName", fmt.Sprintf("%s %d", u.UserPrincipalName, i))
		}
		w.cycle()
	}
	if got := w.endless(); got != "User active rewritten 2/3" {
		t.Fatalf("%q", got)
	}
	w.no(w.dir.DeleteUser(w.clock.Now(), bob.ID))
	w.no(w.dir.Purge(w.clock.Now(), bob.ID))
	w.cycle()
	if got := w.endless(); got != "User active rewritten 1/3" {
		t.Errorf("%q", got)
	}
}

// TestEndlessManager: a manager that no read returns is written again and again.
func TestEndlessManager(t *testing.T) {
	w := newWorld(t, managers(t), "")
	boss := w.user("boss")
	ann := w.user("ann")
	w.no(w.dir.SetManager(w.clock.Now(), ann.ID, boss.ID))
	w.assign(boss.ID, ann.ID)
	w.returns(func(s string) string { return strings.ReplaceAll(s, `"manager"`, `"chief"`) })
	w.no(w.svc.Start(w.app.ID))
	for i := range 3 {
		if got := w.endless(); got != "" {
			t.Fatalf("cycle %d: %q", i, got)
		}
		w.cycle()
		w.no(w.svc.Restart(w.app.ID, DefaultReset()))
	}
	if got := w.endless(); !strings.Contains(got, ":manager dropped 1/3") {
		t.Errorf("%q", got)
	}
	w.advance(40 * time.Minute)
}

// TestEndlessConflict: another failure between two conflicts begins the count anew.
func TestEndlessConflict(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	status := 409
	w.answers(func(method, _, _ string) int {
		if method == http.MethodPost {
			return status
		}
		return 0
	})
	for i, x := range []int{409, 409, 400, 409, 409, 409} {
		if got := w.endless(); got != "" {
			t.Fatalf("before try %d: %q", i, got)
		}
		status = x
		w.edit(ann.ID, "displayName", fmt.Sprintf("Ann number %d", i))
		w.cycle()
	}
	if got := w.endless(); got != "User POST conflict 1/3" {
		t.Errorf("%q", got)
	}
}
