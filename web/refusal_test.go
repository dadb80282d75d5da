package web_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/target"
	"entrasim/web"
)

// TestRefusalsNameTheCure: what the control API refuses names the place and what to send instead, in its own words.
func TestRefusalsNameTheCure(t *testing.T) {
	url := serveWith(t, "", clock.Manual)
	_, jobs := get(t, url+"/v1.0/servicePrincipals?$select=id,displayName")
	app := regexp.MustCompile(`"id":"([0-9a-f-]{36})","displayName":"ConfigCat"`).FindStringSubmatch(jobs)[1]
	_, list := get(t, url+"/v1.0/servicePrincipals/"+app+"/synchronization/jobs")
	job := regexp.MustCompile(`"id":"([^"]+)","templateId"`).FindStringSubmatch(list)[1]
	check := func(method, path, body string, status int, want string) {
		t.Helper()
		got, text := send(t, method, url+path, body)
		if got != status || !strings.Contains(text, want) || strings.Contains(text, "Go ") || strings.Contains(text, "unmarshal") {
			t.Errorf("%s %s: %d %s; want %d with %q", path, body, got, text, status, want)
		}
	}
	check("POST", "/sim/clock", `[]`, 400, `The body is of the JSON type array; expected an object. Send for example {\"advance\":\"40m\"}.`)
	check("POST", "/sim/clock", `{"advance":40}`, 400, `advance in the body is of the JSON type number; expected a text in quotes. Send for example`)
	check("POST", "/sim/clock", `{"rate":"5"}`, 400, `rate in the body is of the JSON type string; expected a number.`)
	check("POST", "/sim/clock", `{"advance":`, 400, "ends too early")
	check("POST", "/sim/clock", `advance`, 400, "is no JSON; character 1")
	check("POST", "/sim/clock", `{"forward":"40m"}`, 400, `member \"forward\" that is not known here; known are advance, until, mode, rate.`)
	check("POST", "/sim/clock", `{"mode":"manual","rate":5}`, 400, `rate goes with the mode rate`)
	check("POST", "/sim/clock", `{"mode":"real","rate":1}`, 400, `rate goes with the mode rate`)
	check("POST", "/sim/clock", `{"mode":"fast","rate":1}`, 400, `want real, rate or manual`)
	check("POST", "/sim/clock", `{"mode":"rate"}`, 400, `needs a rate`)
	check("PUT", "/sim/faults", `{"faults":[{"status":"503"}]}`, 400, "status in the body is of the JSON type string; expected a whole number.")
	check("PUT", "/sim/faults", `{"faults":[{"state":503}]}`, 400, `member \"state\" that is not known here; known are faults, `)
	check("POST", "/sim/cycle", `{"job":"`+job+`"}`, 409, "was never started. Press Start provisioning, or POST to its /start in Graph.")
	check("POST", "/v1.0/servicePrincipals/"+app+"/synchronization/jobs/"+job+"/start", "", 204, "")
	check("POST", "/v1.0/servicePrincipals/"+app+"/synchronization/jobs/"+job+"/pause", "", 204, "")
	check("POST", "/sim/cycle", `{"job":"`+job+`"}`, 409, "is paused. Press Start provisioning")
	check("POST", "/sim/cycle", `{"job":"nobody"}`, 404, `There is no provisioning job \"nobody\"`)
}

// stuck is a program whose one job provisions to a target that does not answer before free is closed.
type stuck struct {
	svc     *sim.Service
	handler http.Handler
	log     *lines
	asked   <-chan struct{} // closed with the first request of the cycle
	free    func()
}

type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newStuck(t *testing.T) *stuck {
	t.Helper()
	no := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	asked, free := make(chan struct{}), make(chan struct{})
	var once, release sync.Once
	w := &stuck{asked: asked, free: func() { release.Do(func() { close(free) }) }, log: &lines{}}
	far := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(asked) })
		select {
		case <-free:
		case <-r.Context().Done():
		}
		rw.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(func() { w.free(); far.Close() })
	begin := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	dir, err := directory.Open(filepath.Join(t.TempDir(), "test.db"), directory.Options{Seed: 1, Now: begin, NoSync: true})
	no(err)
	c := clock.New(clock.Manual, 1, begin)
	tg, err := target.New(target.Options{Token: sim.EmbeddedToken, Now: c.Now, Wait: c.Pass, Seed: 1, DB: dir.DB()})
	no(err)
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.svc, err = sim.Open(sim.Options{Directory: dir, Clock: c, Seed: 1, FlushTarget: tg.Flush, SelfURL: func() string { return "http://127.0.0.1:1" }, Log: slog.New(slog.DiscardHandler)})
	no(err)
	t.Cleanup(func() { no(w.svc.Close()); no(dir.Close()) })
	app, err := w.svc.CreateApplication("Stuck")
	no(err)
	address, token := far.URL+"/scim", "secret"
	_, err = w.svc.CreateJob(app.ID, sim.SettingsEdit{TenantURL: &address, SecretToken: &token})
	no(err)
	no(w.svc.Start(app.ID))
	s, err := web.New(web.Deps{Service: w.svc, Target: tg, DataFile: "test.db", Log: log, Reset: func(context.Context) error { return nil }})
	no(err)
	w.handler = s.Handler()
	return w
}

func (w *stuck) post(ctx context.Context, path, body string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(body))
	req.Host = "127.0.0.1"
	w.handler.ServeHTTP(rec, req)
	return rec
}

// TestProgramEndsBeforeTheCycle: who waits for a cycle or an advance when the program ends is told so.
func TestProgramEndsBeforeTheCycle(t *testing.T) {
	for path, body := range map[string]string{"/sim/cycle": "", "/sim/clock": `{"advance":"1h"}`} {
		w := newStuck(t)
		done := make(chan *httptest.ResponseRecorder, 1)
		go func() { done <- w.post(t.Context(), path, body) }()
		<-w.asked
		if err := w.svc.Close(); err != nil {
			t.Fatal(err)
		}
		if a := <-done; a.Code != 503 || !strings.Contains(a.Body.String(), "The program is ending; the cycle goes on with the next start.") {
			t.Errorf("%s: %d %s", path, a.Code, a.Body)
		}
		if text := w.log.String(); strings.Contains(text, "ERROR") {
			t.Errorf("%s: %s", path, text)
		}
	}
}

// TestClientHangsUp: a client that does not wait for an advance is no failure of the program.
func TestClientHangsUp(t *testing.T) {
	for path, body := range map[string]string{"/sim/cycle": "", "/sim/clock": `{"advance":"1h"}`} {
		w := newStuck(t)
		ctx, hangUp := context.WithCancel(t.Context())
		done := make(chan *httptest.ResponseRecorder, 1)
		go func() { done <- w.post(ctx, path, body) }()
		<-w.asked
		hangUp()
		a := <-done
		if text := w.log.String(); a.Code == 500 || strings.Contains(text, "ERROR") || !strings.Contains(text, "the client did not wait for the answer") {
			t.Errorf("%s: %d, %s", path, a.Code, text)
		}
	}
}
