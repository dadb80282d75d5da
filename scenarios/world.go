package scenarios

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/scim"
	"entrasim/sim/target"
)

// Begin is where the clock of every scenario stands first.
var Begin = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// embeddedURL is the Tenant URL of the embedded target, whatever machine a scenario runs on.
const embeddedURL = "http://target.test/scim"

// Target is the endpoint that a scenario runs against. The zero value is the embedded target.
type Target struct {
	// URL is the Tenant URL of an endpoint on the network.
	URL string
	// Handler is an endpoint in this process, served as http://target.test; Path is its base path, /scim when empty.
	Handler http.Handler
	Path    string
	// Token is the bearer token.
	Token string
}

// Own reports whether it is the embedded target, which lives on the scenario's clock and can do wrong on purpose.
func (t Target) Own() bool { return t.URL == "" && t.Handler == nil }

// world is a tenant with its service, clock and target, all in this process.
type world struct {
	dir    *directory.Store
	clock  *clock.Clock
	svc    *sim.Service
	target *target.Server // nil: not the embedded one
	app    sim.Application
	base   string // URL of the target
	tenant string // what an administrator enters: the same, with the query that was given
	token  string
	client *http.Client // for what the scenario does and looks at by itself
	folder string
	server *http.Server
	done   sync.WaitGroup
	sent   func(*scim.Exchange)
}

const embeddedStore = "default"

// newWorld puts everything together. guard may keep a request from leaving for a target that is not the embedded one.
func newWorld(ctx context.Context, s *Scenario, t Target, seed int64, sent func(*scim.Exchange), guard func(method, url string) error) (w *world, err error) {
	w = &world{clock: clock.New(clock.Manual, 1, Begin), sent: sent, base: embeddedURL, token: t.Token}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.folder, err = os.MkdirTemp("", "entrasim-"); err != nil {
		return w, err
	}
	w.dir, err = directory.Open(filepath.Join(w.folder, "run.db"), directoryOptions(s, seed))
	if err != nil {
		return w, err
	}
	wire := scim.DefaultOptions()
	var handler http.Handler
	switch {
	case t.URL != "":
		ep, err := scim.ParseTenantURL(t.URL)
		if err != nil {
			return w, err
		}
		w.base, w.tenant = ep.Base, t.URL
		wire.Guard = guard
	case t.Handler != nil:
		path := t.Path
		if path == "" {
			path = "/scim"
		}
		w.base = "http://target.test" + strings.TrimRight("/"+strings.Trim(path, "/"), "/")
		handler, wire.Guard = t.Handler, guard
	default:
		w.token = sim.EmbeddedToken
		if w.target, err = target.New(target.Options{Token: w.token, Now: w.clock.Now, Wait: w.clock.Pass, Seed: seed}); err != nil {
			return w, err
		}
		handler = w.target.Handler(embeddedStore)
	}
	w.client = http.DefaultClient
	if handler != nil {
		wire.Dial = w.serve(handler)
		w.client = &http.Client{Transport: &http.Transport{DialContext: wire.Dial}}
	}
	w.svc, err = sim.Open(sim.Options{Directory: w.dir, Clock: w.clock, Seed: seed, Wire: &wire, Log: slog.New(slog.DiscardHandler), OnExchange: w.sent,
		OnClock: func(string) bool { return w.target != nil }})
	if err != nil {
		return w, err
	}
	w.dir.OnCommit(w.svc.DirectoryChanged)
	w.svc.Begin(ctx)
	return w, nil
}

func directoryOptions(s *Scenario, seed int64) directory.Options {
	return directory.Options{Tenant: directory.Tenant{DefaultDomain: s.Tenant.Domain}, Seed: seed, Now: Begin, NoSync: true}
}

// serve answers connections within this process and returns how to make one: no port is opened, and no address of this
// machine gets into what is recorded.
func (w *world) serve(h http.Handler) func(ctx context.Context, network, addr string) (net.Conn, error) {
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	w.server = &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	w.done.Go(func() {
		if err := w.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("scenarios: the target within the process ended: %v", err)) // pipes fail in no other way
		}
	})
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case l.conns <- theirs:
			return ours, nil
		case <-l.closed:
			return nil, net.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// pipes is a listener whose connections are pipes.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "target.test", Net: "pipe"} }

func (w *world) close() error {
	var errs []error
	if w.svc != nil {
		for _, j := range w.svc.Jobs() {
			errs = append(errs, w.svc.DeleteJob(j.ApplicationID)) // drops its connections
		}
		errs = append(errs, w.svc.Close())
	}
	if w.client != nil && w.client != http.DefaultClient {
		w.client.CloseIdleConnections()
	}
	if w.server != nil {
		errs = append(errs, w.server.Close())
		w.done.Wait()
	}
	if w.dir != nil {
		errs = append(errs, w.dir.Close())
	}
	if w.folder != "" {
		errs = append(errs, os.RemoveAll(w.folder))
	}
	return errors.Join(errs...)
}

// tenantURL is what the application's form holds.
func (w *world) tenantURL(app App) string {
	url := w.tenant
	if url == "" {
		url = w.base
	}
	if ep, err := scim.ParseTenantURL(url); app.Dialect != "compliant" || err == nil && ep.Dialect == scim.Compliant {
		return url
	}
	if strings.Contains(url, "?") {
		return url + "&aadOptscim062020"
	}
	return url + "?aadOptscim062020"
}

// call sends a request of the scenario's own to the target and returns the answer. Faults do not hold for it: with the
// embedded target it goes past them.
func (w *world) call(ctx context.Context, method, path string, query url.Values, body any) (status int, doc map[string]any, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := w.request(ctx, method, path, query, body)
	if err != nil {
		return 0, nil, err
	}
	status, _, data, err := w.answer(req)
	if err != nil {
		return 0, nil, err
	}
	if len(bytes.TrimSpace(data)) > 0 {
		if err := json.Unmarshal(data, &doc); err != nil && status < 300 {
			return status, nil, fmt.Errorf("%s %s: the answer is no JSON object: %w", method, path, err)
		}
	}
	return status, doc, nil
}

// request makes a request of the scenario's own.
func (w *world) request(ctx context.Context, method, path string, query url.Values, body any) (*http.Request, error) {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(data)
	}
	u := w.base + path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, reader)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/scim+json")
	if w.token != "" {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	}
	return req, nil
}

// answer carries a request out.
func (w *world) answer(req *http.Request) (int, http.Header, []byte, error) {
	if w.target != nil {
		held := &heldAnswer{header: http.Header{}, status: http.StatusOK}
		w.target.Plain(embeddedStore).ServeHTTP(held, req)
		return held.status, held.header, held.body.Bytes(), nil
	}
	res, err := w.client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	return res.StatusCode, res.Header, bytes.TrimPrefix(data, []byte("\ufeff")), err
}

// heldAnswer is an answer within this process.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *heldAnswer) Header() http.Header         { return r.header }
func (r *heldAnswer) WriteHeader(status int)      { r.status = status }
func (r *heldAnswer) Write(p []byte) (int, error) { return r.body.Write(p) }
