package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
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

// serveWith starts a whole program with the starter company and returns its address.
func serveWith(t testing.TB, token string, mode clock.Mode) string {
	t.Helper()
	no := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	dir, err := directory.Open(filepath.Join(t.TempDir(), "test.db"), directory.Options{Seed: 1, Now: begin, NoSync: true})
	no(err)
	c := clock.New(mode, 1, begin)
	tg, err := target.New(target.Options{Token: sim.EmbeddedToken, Now: c.Now, Wait: c.Pass, Seed: 1, DB: dir.DB()})
	no(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	no(err)
	url := "http://" + l.Addr().String()
	log := slog.New(slog.DiscardHandler)
	svc, err := sim.Open(sim.Options{Directory: dir, Clock: c, Seed: 1, FlushTarget: tg.Flush, SelfURL: func() string { return url }, Log: log})
	no(err)
	dir.OnCommit(svc.DirectoryChanged)
	no(dir.Generate(t.Context(), begin, directory.Company{Users: 60, Groups: 8, Seed: 1}, nil))
	no(svc.Starter(t.Context()))
	s, err := web.New(web.Deps{Service: svc, Target: tg, APIToken: token, DataFile: "test.db", Log: log, Reset: func(context.Context) error { return nil }})
	no(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	go func() { svc.Run(ctx); done <- struct{}{} }()
	go func() {
		if err := s.Serve(ctx, l); err != nil {
			t.Error(err)
		}
		done <- struct{}{}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		<-done
		no(dir.Close())
	})
	return url
}

func get(t testing.TB, url string, header ...string) (int, string) {
	t.Helper()
	return send(t, http.MethodGet, url, "", header...)
}

func send(t testing.TB, method, url, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

// TestEveryPageRenders asks for each page before and after a first cycle.
func TestEveryPageRenders(t *testing.T) {
	url := serveWith(t, "", clock.Manual)
	_, apps := get(t, url+"/applications")
	i := strings.Index(apps, "/applications/9")
	for k := 0; i < 0 && k < 16; k++ {
		i = strings.Index(apps, "/applications/"+string("0123456789abcdef"[k]))
	}
	app := apps[i : i+len("/applications/")+36]
	paths := []string{"/", "/users", "/users?q=a", "/users?show=guest", "/users/new", "/groups", "/groups/new", "/deleted", "/applications", "/applications/new", "/applications/new?create=1",
		app, app + "/users", app + "/users/add", app + "/provisioning", app + "/provisioning/connectivity", app + "/provisioning/mapping", app + "/provisioning/mapping?kind=Group",
		app + "/provisioning/mapping?edit=active", app + "/provisioning/mapping?edit=new", "/logs", "/audit", "/wire", "/target", "/rules", "/clock", "/search?q=a"}
	check := func() {
		t.Helper()
		for _, p := range paths {
			if status, body := get(t, url+p); status != 200 || !strings.Contains(body, "</html>") {
				t.Errorf("%s: status %d\n%.300s", p, status, body)
			}
		}
	}
	check()
	if status, _ := send(t, "POST", url+app+"/provisioning/start", "", "Origin", url); status != 303 {
		t.Fatalf("start: %d", status)
	}
	status, body := send(t, "POST", url+"/sim/clock", `{"advance":"1m"}`)
	if status != 200 || !strings.Contains(body, `"create":22,"update":3,"disable":0,"delete":0,"skip":1,"fail":0`) {
		t.Fatalf("advance: %d %s", status, body)
	}
	check()
	if _, body := get(t, url+"/wire"); !strings.Contains(body, "POST") {
		t.Error("Wire shows no request")
	}
}

func TestGuards(t *testing.T) {
	url := serveWith(t, "", clock.Manual)
	for _, c := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		want                     string
	}{
		{"another host", "GET", "/sim/clock", "", []string{"Host", "evil.example"}, 403, "not this program's"},
		{"another origin", "POST", "/sim/cycle", "", []string{"Origin", "http://evil.example"}, 403, "may not change"},
		{"back in time", "POST", "/sim/clock", `{"until":"2020-01-01T00:00:00Z"}`, nil, 400, "never goes back"},
		{"unknown member", "POST", "/sim/clock", `{"advnce":"1m"}`, nil, 400, "advnce"},
		{"two changes", "POST", "/sim/clock", `{"advance":"1m","rate":2}`, nil, 400, "Send one of"},
		{"bad duration", "POST", "/sim/clock", `{"advance":"soon"}`, nil, 400, "40m"},
		{"no such job", "POST", "/sim/cycle", `{"job":"x"}`, nil, 404, "no provisioning job"},
		{"no object", "GET", "/sim/why", "", nil, 400, "object=ID"},
		{"ISO duration", "POST", "/sim/clock", `{"advance":"PT40M"}`, nil, 200, "2026-01-05T09:40:00Z"},
		{"no page", "GET", "/nowhere", "", nil, 404, "There is nothing here"},
		{"SCIM without token", "GET", "/scim/Users", "", nil, 401, "urn:ietf:params:scim:api:messages:2.0:Error"},
	} {
		if status, body := send(t, c.method, url+c.path, c.body, c.header...); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s, want %d %q", c.name, status, body, c.status, c.want)
		}
	}
}

func TestAPIToken(t *testing.T) {
	url := serveWith(t, "a-very-secret-token", clock.Manual)
	if status, _ := get(t, url+"/sim/clock"); status != 401 {
		t.Errorf("without token: %d", status)
	}
	if status, _ := get(t, url+"/sim/clock", "Authorization", "Bearer a-very-secret-token"); status != 200 {
		t.Errorf("with token: %d", status)
	}
	if status, _ := get(t, url+"/"); status != 303 {
		t.Errorf("portal without token: %d, want a redirect to sign in", status)
	}
	// Browsers drop tabs and read backslashes as slashes: none of these may lead to another host.
	for _, to := range []string{"//evil.example", "/%5Cevil.example", "/%09/evil.example", "https://evil.example"} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", url+"/sign-in?to="+to, strings.NewReader("token=a-very-secret-token"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if got := res.Header.Get("Location"); res.StatusCode != 303 || got != "/" {
			t.Errorf("sign in with to=%s: %d to %q, want 303 to /", to, res.StatusCode, got)
		}
	}
	for _, path := range []string{"/sign-in", "/targets/none/nowhere"} { // pages that need no token tell nothing of the tenant
		if _, body := get(t, url+path); strings.Contains(body, "Contoso") || !strings.Contains(body, "</html>") {
			t.Errorf("%s without token: %.300s", path, body)
		}
	}
	if _, body := get(t, url+"/sign-in"); strings.Contains(body, "a-very-secret-token") {
		t.Error("the token is on a page")
	}
}

// TestReadmeCounts compares the first cycle of a new file with the row that the README prints.
func TestReadmeCounts(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	url := serveWith(t, "", clock.Manual)
	_, apps := get(t, url+"/applications")
	_, rest, ok := strings.Cut(apps, `<a class="name" href="`)
	if !ok {
		t.Fatal("no application on the page")
	}
	start, _, _ := strings.Cut(rest, `"`)
	send(t, "POST", url+start+"/start", "")
	_, body := send(t, "POST", url+"/sim/cycle", "")
	var answer struct{ Cycles []sim.CycleResult }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Cycles) != 1 {
		t.Fatalf("%s: %v", body, err)
	}
	n, requests := answer.Cycles[0].Counts, answer.Cycles[0].Requests
	row := fmt.Sprintf("| %d | %d | %d | %d | %d | %d | %d |", n.Create, n.Update, n.Disable, n.Delete, n.Skip, n.Fail, requests)
	if !strings.Contains(string(readme), row) {
		t.Errorf("the first cycle gives %s; the README says otherwise", row)
	}
}
