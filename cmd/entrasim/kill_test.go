package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"entrasim/sim"
	"entrasim/sim/clock"
)

// The long form of the tests below: go test ./cmd/entrasim -run Killed -long -timeout 1h
// A run names its seed; -killseed plays it again.
var (
	long     = flag.Bool("long", false, "kill a company of 20,000 users, and many more times")
	killSeed = flag.Uint64("killseed", 0, "seed of the instants and edits; 0 takes one from the clock")
)

func chance(t *testing.T) *rand.Rand {
	seed := *killSeed
	if seed == 0 {
		seed = uint64(clock.Wall().UnixNano())
	}
	t.Logf("play again with go test ./cmd/entrasim -run '^%s$' -long=%v -killseed %d", t.Name(), *long, seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// live is a running serve of a test, with what the tests do in the portal.
type live struct {
	t    testing.TB
	path string
	*program
}

func serveFile(t testing.TB, path string, args ...string) *live {
	t.Helper()
	p, err := launch(filepath.Dir(path), os.Environ(), append([]string{"serve", "--addr", "127.0.0.1:0", "--data", path}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if errs := p.errs.String(); strings.Contains(errs, "DATA RACE") || strings.Contains(errs, "panic") {
			t.Errorf("a program that was killed or stopped said\n%s", errs)
		}
		if p.cmd.ProcessState == nil {
			if err := p.end(os.Kill); err == nil {
				t.Log("a program ended by itself at the end of the test")
			}
		}
	})
	return &live{t, path, p}
}

// elsewhere serves a company with an application whose target is another process.
func elsewhere(t testing.TB, people, groups int) (l *live, path, app, target string) {
	t.Helper()
	folder := t.TempDir()
	tg, err := launch(folder, os.Environ(), "target", "--addr", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tg.stop(); err != nil {
			t.Error(err)
		}
	})
	path = filepath.Join(folder, "tenant.db")
	l = serveFile(t, path, "--users", fmt.Sprint(people), "--groups", fmt.Sprint(groups))
	return l, path, l.application("Elsewhere", tg.url), tg.url
}

// form posts one of the portal's forms; a crash in between is no error.
func (l *live) form(path string, values ...string) int {
	v := url.Values{"sure": {"yes"}} // the portal asks before it does harm
	for i := 0; i+1 < len(values); i += 2 {
		v.Add(values[i], values[i+1])
	}
	status, _, err := request(context.Background(), "POST", l.url+path, v.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	if err != nil {
		return 0
	}
	return status
}

func (l *live) must(path string, values ...string) {
	l.t.Helper()
	if status := l.form(path, values...); status != 303 {
		l.t.Fatalf("POST %s: status %d", path, status)
	}
}

// application makes an application in the portal, everybody in scope; url "" takes the embedded target.
func (l *live) application(name, tenantURL string) (id string) {
	l.t.Helper()
	l.must("/applications/new", "displayName", name)
	id = l.applicationID(name)
	if tenantURL == "" {
		status, body, err := request(l.t.Context(), "POST", l.url+"/applications/"+id+"/provisioning/connectivity", "do=embedded", "Content-Type", "application/x-www-form-urlencoded")
		m := regexp.MustCompile(`value="(http[^"]*/targets/[^"]*)"`).FindStringSubmatch(body)
		if err != nil || status != 200 || m == nil {
			l.t.Fatalf("use the embedded target: %d %v", status, err)
		}
		tenantURL = m[1]
	}
	for range 2 { // the scope can be chosen once there is a job
		l.must("/applications/"+id+"/provisioning/connectivity", "do", "save", "tenantUrl", tenantURL, "secretToken", sim.EmbeddedToken, "scope", "all")
	}
	return id
}

func (l *live) applicationID(name string) string {
	l.t.Helper()
	_, body, err := request(l.t.Context(), "GET", l.url+"/applications", "")
	m := regexp.MustCompile(`href="/applications/([0-9a-f-]+)/provisioning"[^>]*>` + name + `<`).FindStringSubmatch(body)
	if err != nil || m == nil {
		l.t.Fatalf("application %s: %v", name, err)
	}
	return m[1]
}

func (l *live) start(app string) {
	l.t.Helper()
	l.must("/applications/" + app + "/provisioning/start")
}

// sent is how many requests this process has sent to targets.
func (l *live) sent() (n int) {
	_, metrics, err := request(context.Background(), "GET", l.url+"/metrics", "")
	if err != nil {
		return 0
	}
	for _, m := range regexp.MustCompile(`(?m)^entrasim_scim_requests_total\S* (\d+)$`).FindAllStringSubmatch(metrics, -1) {
		k, err := strconv.Atoi(m[1])
		if err != nil {
			l.t.Fatalf("metrics: %s", m[0])
		}
		n += k
	}
	return n
}

type cycleAnswer struct{ Cycles []sim.CycleResult }

// cycle runs the next cycle of each job and waits for it.
func (l *live) cycle() cycleAnswer {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 5*time.Minute)
	defer cancel()
	status, body, err := request(ctx, "POST", l.url+"/sim/cycle", "")
	var a cycleAnswer
	if err == nil {
		err = json.Unmarshal([]byte(body), &a)
	}
	if err != nil || status != 200 {
		l.t.Fatalf("cycle: %d %s %v\n%s", status, body, err, &l.errs)
	}
	return a
}

// TestKilledInInitialCycle kills serve at random instants of an initial cycle whose target is another process. The cycle
// goes on each time, and the target ends with everybody once, managers and members included.
//
// Shows: F-042
func TestKilledInInitialCycle(t *testing.T) {
	people, groups, kills := 2000, 20, 4
	if *long {
		people, groups, kills = 20_000, 200, 12
	}
	r := chance(t)
	l, path, app, target := elsewhere(t, people, groups)
	l.start(app)
	total := 3*people + 3*groups // a match, a create and a manager each
	hits := 0
	for i := range kills {
		until := r.IntN(2 * total / (kills + 1))
		for limit := time.Now().Add(time.Minute); l.sent() < until && time.Now().Before(limit); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(r.IntN(3000)) * time.Microsecond)
		if err := l.end(os.Kill); err == nil {
			t.Fatal("the program had ended by itself")
		}
		if readTenantState(t, path, app) {
			hits++
		}
		t.Logf("kill %d after %d requests", i+1, until)
		l = serveFile(t, path)
	}
	if hits < 2 {
		t.Fatalf("only %d of %d kills hit the cycle", hits, kills)
	}
	a := l.cycle() // waits for the one that goes on, then runs the next; or carries on with it, when it did not begin yet
	if len(a.Cycles) == 1 && a.Cycles[0].Cycle == 1 {
		a = l.cycle()
	}
	if len(a.Cycles) != 1 || a.Cycles[0].Cycle != 2 || a.Cycles[0].Kind != sim.Incremental || a.Cycles[0].State != sim.Succeeded || a.Cycles[0].Counts != (sim.Counts{}) {
		t.Errorf("the cycle after the one that was cut: %+v", a.Cycles)
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	ten := readTenant(t, path)
	ten.agree(t, "Elsewhere", ten.apps["Elsewhere"], readTarget(t, target), true)
}

// readTenantState reports whether an application's job was cut in the middle of a cycle.
func readTenantState(t testing.TB, path, app string) bool {
	t.Helper()
	for _, a := range readTenant(t, path).apps {
		if a.id == app {
			return a.running
		}
	}
	return false
}

// TestKilledWithEmbeddedTarget stops and kills serve with its embedded target at random instants of initial and incremental
// cycles, with edits in the portal in between. After each end no link may name an object that the target has forgotten;
// in the end target, links and directory agree.
func TestKilledWithEmbeddedTarget(t *testing.T) {
	people, groups, lives := 400, 16, 8
	if *long {
		people, groups, lives = 2000, 40, 80
	}
	r := chance(t)
	path := filepath.Join(t.TempDir(), "kill.db")
	l := serveFile(t, path, "--users", fmt.Sprint(people), "--groups", fmt.Sprint(groups))
	l.start(l.applicationID("ConfigCat"))
	l.start(l.application("Everybody", ""))
	e := &clicks{r: rand.New(rand.NewPCG(r.Uint64(), 2)), tried: map[string]int{}, kinds: map[string]int{}}
	for i := range lives {
		var wg sync.WaitGroup
		if i > 0 {
			n := 2 + r.IntN(20)
			wg.Go(func() { e.click(l, n) })
			wg.Go(func() { // a cycle beside the edits; it may be cut
				if _, _, err := request(context.Background(), "POST", l.url+"/sim/cycle", ""); err != nil {
					return
				}
			})
		}
		time.Sleep(time.Duration(r.IntN(700)) * time.Millisecond)
		how := os.Signal(syscall.SIGTERM)
		if r.IntN(3) > 0 {
			how = os.Kill
		}
		err := l.end(how)
		if how == syscall.SIGTERM && err != nil {
			t.Fatalf("stop: %v\n%s", err, &l.errs)
		}
		wg.Wait()
		e.tenant = readTenant(t, path)
		for name, app := range e.tenant.apps {
			app.checkLinks(t, fmt.Sprintf("after end %d (%v), %s", i+1, how, name), e.tenant.stored[app.storeOf()], true)
		}
		if t.Failed() {
			return
		}
		l = serveFile(t, path)
	}
	l.cycle()
	if a := l.cycle(); len(a.Cycles) != 2 {
		t.Errorf("%d cycles", len(a.Cycles))
	}
	for _, c := range l.cycle().Cycles {
		if c.State != sim.Succeeded || c.Counts != (sim.Counts{}) || c.Requests != 2 {
			t.Errorf("with nothing left to do, a cycle did %+v", c)
		}
	}
	// What was told, target and links agree now. Some things Entra does not tell until a restart: a member or manager that
	// came into scope after the change that names it.
	for name, app := range l.halt(e) {
		app.checkLinks(t, name, e.tenant.stored[app.storeOf()], false)
		app.checkMembers(t, name, e.tenant.stored[app.storeOf()])
	}
	l = serveFile(t, path)
	for _, app := range e.tenant.apps {
		l.must("/applications/"+app.id+"/provisioning/restart", "sure", "yes")
	}
	l.cycle()
	held := map[string]*contents{}
	for name, app := range e.tenant.apps {
		u, err := url.Parse(app.url)
		if err != nil {
			t.Fatal(err)
		}
		held[name] = readTarget(t, l.url+u.Path)
	}
	for name, app := range l.halt(e) {
		e.tenant.agree(t, name, app, held[name], name == "Everybody")
		app.checkLinks(t, name, e.tenant.stored[app.storeOf()], false)
		app.checkMembers(t, name, e.tenant.stored[app.storeOf()])
	}
	t.Logf("%d edits: %v", e.done, e.kinds)
	for kind, n := range e.tried {
		if n >= 5 && e.kinds[kind] == 0 {
			t.Errorf("none of %d edits of the kind %q was made: the portal's form is another one", n, kind)
		}
	}
}

// halt stops the program and reads its file.
func (l *live) halt(e *clicks) map[string]*application {
	l.t.Helper()
	if err := l.stop(); err != nil {
		l.t.Error(err)
	}
	e.tenant = readTenant(l.t, l.path)
	return e.tenant.apps
}

// clicks makes random edits in the portal.
type clicks struct {
	r      *rand.Rand
	tenant *tenant
	done   int
	next   []int          // kinds of edits to come, so that all have their turn
	tried  map[string]int // edits that were answered
	kinds  map[string]int // edits that were made
}

func (e *clicks) click(l *live, n int) {
	var users, groups []string
	for id := range e.tenant.users {
		users = append(users, id)
	}
	for id := range e.tenant.groups {
		groups = append(groups, id)
	}
	sort.Strings(users)
	sort.Strings(groups)
	pick := func(list []string) string {
		if len(list) == 0 {
			return "none"
		}
		return list[e.r.IntN(len(list))]
	}
	app := e.tenant.apps["ConfigCat"]
	for range n {
		e.done++
		u, g, tag := pick(users), pick(groups), fmt.Sprint(e.done)
		edits := []struct {
			name, path string
			form       []string
		}{
			{"title", "/users/" + u, []string{"jobTitle", "Title " + tag}},
			{"department", "/users/" + u, []string{"department", "Department " + tag, "displayName", "Person " + tag}},
			{"upn", "/users/" + u, []string{"userPrincipalName", "renamed" + tag + "@contoso.example"}},
			{"manager", "/users/" + u, []string{"manager", pick(users)}},
			{"disable", "/users/" + u + "/disable", nil},
			{"enable", "/users/" + u + "/enable", nil},
			{"delete", "/users/" + u + "/delete", nil},
			{"restore", "/deleted/" + pick(e.tenant.deleted) + "/restore", nil},
			{"purge", "/deleted/" + pick(e.tenant.deleted) + "/purge", nil},
			{"new user", "/users/new", []string{"displayName", "New " + tag, "userPrincipalName", "new" + tag + "@contoso.example", "accountEnabled", "on"}},
			{"join", "/groups/" + g + "/add", []string{"member", u}},
			{"leave", "/groups/" + g + "/remove", []string{"member", e.member(g)}},
			{"new group", "/groups/new", []string{"displayName", "Group " + tag}},
			{"group name", "/groups/" + g, []string{"displayName", "Renamed " + tag}},
			{"group delete", "/groups/" + g + "/delete", nil},
			{"assign", "/applications/" + app.id + "/users/add", []string{"id", []string{u, g}[e.r.IntN(2)]}},
			{"unassign", "/applications/" + app.id + "/users/remove", []string{"id", pick(app.assignments)}},
		}
		if len(e.next) == 0 {
			e.next = e.r.Perm(len(edits))
		}
		edit := edits[e.next[0]]
		e.next = e.next[1:]
		if strings.Contains(edit.path+strings.Join(edit.form, " "), "none") {
			continue // there is nothing that it could be made on
		}
		status := l.form(edit.path, edit.form...)
		if status > 0 {
			e.tried[edit.name]++
		}
		switch {
		case status == 303:
			e.kinds[edit.name]++
		case status >= 500:
			l.t.Errorf("%s: status %d", edit.name, status)
		}
	}
}

func (e *clicks) member(group string) string {
	var list []string
	if g := e.tenant.groups[group]; g != nil {
		for id := range g.members {
			list = append(list, id)
		}
	}
	sort.Strings(list)
	if len(list) == 0 {
		return "none"
	}
	return list[e.r.IntN(len(list))]
}

// TestKilledWhileMade kills serve while it makes its company, and while a reset makes it anew. However often, the next start
// that is left alone ends with the whole company once, its application, and nothing at the target.
func TestKilledWhileMade(t *testing.T) {
	people, kills := 1200, 4
	if *long {
		people, kills = 20_000, 25
	}
	r := chance(t)
	path := filepath.Join(t.TempDir(), "made.db")
	args := []string{"serve", "--addr", "127.0.0.1:0", "--data", path, "--users", fmt.Sprint(people), "--groups", "30", "--clock", "manual"}
	check := func() {
		t.Helper()
		l := serveFile(t, path, args[5:]...) // the flags again: the kills may have come before the file had them
		if err := l.stop(); err != nil {
			t.Fatal(err)
		}
		ten := readTenant(t, path)
		app := ten.apps["ConfigCat"]
		if len(ten.users) != people || len(ten.groups) != 30 || len(ten.deleted) != 0 || len(ten.apps) != 1 || app == nil || len(app.assigned) != 3 || len(app.links) != 0 {
			t.Fatalf("%d users, %d groups, %d deleted, applications %+v", len(ten.users), len(ten.groups), len(ten.deleted), ten.apps)
		}
		for name, c := range ten.stored {
			if len(c.users)+len(c.groups) > 0 {
				t.Fatalf("store %s holds %d users and %d groups", name, len(c.users), len(c.groups))
			}
		}
	}
	for range kills {
		cmd := exec.Command("entrasim", args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(r.IntN(people/8)) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the program had ended by itself")
		}
	}
	check()
	for range kills {
		l := serveFile(t, path, "--clock", "manual")
		l.start(l.applicationID("ConfigCat"))
		l.form("/users/new", "displayName", "New", "userPrincipalName", "new@contoso.example", "accountEnabled", "on")
		l.cycle()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, _, err := request(context.Background(), "POST", l.url+"/sim/reset", ""); err != nil {
				return // cut, as it should be
			}
		})
		time.Sleep(time.Duration(r.IntN(people/8)) * time.Millisecond)
		if err := l.end(os.Kill); err == nil {
			t.Fatal("the program had ended by itself")
		}
		wg.Wait()
		ten := readTenant(t, path)
		if n := len(ten.users); n == people+1 {
			continue // the reset had not begun
		}
		check()
	}
}
