package portal_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/target"
	"entrasim/web"
)

var begin = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// site is a whole program on a manual clock, used as a browser without script does: one reader, with cookies.
type site struct {
	testing.TB
	url string
	svc *sim.Service
	dir *directory.Store
	app string // the starter's application, "" without a company
	web *http.Client
}

// newSite starts a program with a company of that many users, none for an empty tenant.
func newSite(t testing.TB, users int, token string) *site {
	t.Helper()
	dir, err := directory.Open(filepath.Join(t.TempDir(), "test.db"), directory.Options{Seed: 1, Now: begin, NoSync: true})
	no(t, err)
	c := clock.New(clock.Manual, 1, begin)
	tg, err := target.New(target.Options{Token: sim.EmbeddedToken, Now: c.Now, Seed: 1, DB: dir.DB()})
	no(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	no(t, err)
	s := &site{TB: t, url: "http://" + l.Addr().String(), dir: dir}
	log := slog.New(slog.DiscardHandler)
	s.svc, err = sim.Open(sim.Options{Directory: dir, Clock: c, Seed: 1, FlushTarget: tg.Flush, SelfURL: func() string { return s.url }, Log: log})
	no(t, err)
	dir.OnCommit(s.svc.DirectoryChanged)
	if users > 0 {
		no(t, dir.Generate(t.Context(), begin, directory.Company{Users: users, Groups: 8, Seed: 1}, nil))
		no(t, s.svc.Starter(t.Context()))
		apps, err := s.svc.Applications()
		no(t, err)
		s.app = apps[0].ID
	}
	server, err := web.New(web.Deps{Service: s.svc, Target: tg, APIToken: token, DataFile: "test.db", Log: log, Reset: func(context.Context) error { return nil }})
	no(t, err)
	jar, err := cookiejar.New(nil)
	no(t, err)
	s.web = &http.Client{Jar: jar}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	go func() { s.svc.Run(ctx); done <- struct{}{} }()
	go func() {
		if err := server.Serve(ctx, l); err != nil {
			t.Error(err)
		}
		done <- struct{}{}
	}()
	t.Cleanup(func() {
		s.web.CloseIdleConnections()
		cancel()
		<-done
		<-done
		no(t, dir.Close())
	})
	return s
}

func no(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// get reads a page; post sends a form and reads the page that it leads to.
func (s *site) get(path string) *page { s.Helper(); return s.do(http.MethodGet, path, nil) }

func (s *site) post(path string, pairs ...string) *page {
	s.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return s.do(http.MethodPost, path, form)
}

func (s *site) do(method, path string, form url.Values) *page {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	no(s, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := s.web.Do(req)
	no(s, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	no(s, err)
	return &page{status: res.StatusCode, path: res.Request.URL.RequestURI(), html: string(body), root: parse(s, method+" "+path, body)}
}

// see says what a page must show.
func (s *site) see(p *page, texts ...string) {
	s.Helper()
	for _, text := range texts {
		if !strings.Contains(p.text(), text) {
			s.Errorf("%s does not show %q. It shows: %.600s", p.path, text, p.text())
		}
	}
}

// cycle starts provisioning, if it is not, and runs one cycle.
func (s *site) cycle() {
	s.Helper()
	no(s, s.svc.Start(s.app))
	_, err := s.svc.RunCycles(s.Context())
	no(s, err)
}
