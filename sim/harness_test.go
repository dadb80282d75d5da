package sim

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
	"entrasim/sim/target"
)

var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// world is a directory, a service and a target under a manual clock.
type world struct {
	t      testing.TB
	dir    *directory.Store
	clock  *clock.Clock
	svc    *Service
	target *target.Server
	http   *httptest.Server
	app    Application
	seen   uint64
}

// newWorld makes an empty tenant with one application; flag goes behind the tenant URL.
func newWorld(t testing.TB, schema *mapping.Schema, flag string) *world {
	t.Helper()
	w := &world{t: t, clock: clock.New(clock.Manual, 1, start)}
	var err error
	w.dir, err = directory.Open(filepath.Join(t.TempDir(), "test.db"), directory.Options{Seed: 1, Now: start, NoSync: true})
	w.no(err)
	w.target, err = target.New(target.Options{Token: "secret-token", Now: w.clock.Now, Seed: 1})
	w.no(err)
	w.http = httptest.NewServer(w.target.Handler("default"))
	w.svc, err = Open(Options{Directory: w.dir, Clock: w.clock, Seed: 1})
	w.no(err)
	w.dir.OnCommit(w.svc.DirectoryChanged)
	w.svc.Begin(t.Context())
	t.Cleanup(func() {
		w.http.Close()
		w.no(w.dir.Check())
		w.no(w.svc.Close())
		w.no(w.dir.Close())
	})
	w.app, err = w.svc.CreateApplication("ConfigCat")
	w.no(err)
	url, token := w.http.URL+"/scim"+flag, "secret-token"
	_, err = w.svc.CreateJob(w.app.ID, SettingsEdit{TenantURL: &url, SecretToken: &token})
	w.no(err)
	w.no(w.svc.SetSchema(w.app.ID, schema))
	return w
}

func (w *world) no(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) user(name string, more ...any) directory.User {
	w.t.Helper()
	p := directory.Props{"displayName": strings.ToUpper(name[:1]) + name[1:], "mailNickname": name, "userPrincipalName": name + "@contoso.example"}
	for i := 0; i+1 < len(more); i += 2 {
		p[more[i].(string)] = more[i+1]
	}
	u, err := w.dir.CreateUser(w.clock.Now(), p)
	w.no(err)
	return u
}

func (w *world) group(name string, members ...string) directory.Group {
	w.t.Helper()
	g, err := w.dir.CreateGroup(w.clock.Now(), directory.Props{"displayName": name, "mailNickname": name})
	w.no(err)
	if len(members) > 0 {
		w.no(w.dir.AddMembers(w.clock.Now(), g.ID, members...))
	}
	return g
}

func (w *world) edit(id string, more ...any) {
	w.t.Helper()
	p := directory.Props{}
	for i := 0; i+1 < len(more); i += 2 {
		p[more[i].(string)] = more[i+1]
	}
	_, err := w.dir.UpdateUser(w.clock.Now(), id, p)
	w.no(err)
}

func (w *world) assign(ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		_, err := w.svc.Assign(w.app.ID, id, "")
		w.no(err)
	}
}

// advance moves the clock and returns the cycles.
func (w *world) advance(d time.Duration) []CycleResult {
	w.t.Helper()
	list, err := w.svc.Advance(context.Background(), d)
	w.no(err)
	return list
}

// cycle runs the next cycle and returns the requests about objects, as "METHOD /path body". Ids of the target become
// {names} of the objects that they stand for.
func (w *world) cycle() []string {
	w.t.Helper()
	_, err := w.svc.RunCycles(context.Background())
	w.no(err)
	return w.requests()
}

func (w *world) requests() []string {
	w.t.Helper()
	page := w.svc.Traffic(w.seen, 10000)
	w.seen = page.Next
	var out []string
	for _, x := range page.Exchanges {
		if x.Object == "" {
			continue
		}
		out = append(out, strings.TrimSpace(x.Method+" "+strings.TrimPrefix(x.URL, w.http.URL+"/scim")+" "+x.RequestBody))
	}
	names := w.names()
	for i := range out {
		for id, name := range names {
			out[i] = strings.ReplaceAll(out[i], id, "{"+name+"}")
		}
	}
	return out
}

// names gives each target id and directory id the name of its object.
func (w *world) names() map[string]string {
	names := map[string]string{}
	st := w.target.Store("default")
	for _, kind := range []string{"User", "Group"} {
		list, _ := st.List(kind, 0, 10000)
		for _, r := range list {
			names[r.ID] = fmt.Sprint(r.Doc["displayName"])
		}
	}
	return names
}

func (w *world) want(got []string, want ...string) {
	w.t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		w.t.Fatalf("requests:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (w *world) logs() []string {
	w.t.Helper()
	page, err := w.svc.Logs(LogQuery{ApplicationID: w.app.ID, Limit: 1000})
	w.no(err)
	var out []string
	for i := len(page.Items) - 1; i >= 0; i-- {
		l := page.Items[i]
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s%s", l.Action, l.Status, l.DisplayName, l.ErrorCode, l.SkipReason)))
	}
	return out
}

// state describes what the target holds: users with active, groups with members, sorted.
func (w *world) state() string {
	st := w.target.Store("default")
	names := w.names()
	var out []string
	list, _ := st.List("User", 0, 10000)
	for _, r := range list {
		out = append(out, fmt.Sprintf("%v active=%v", r.Doc["displayName"], r.Doc["active"]))
	}
	list, _ = st.List("Group", 0, 10000)
	for _, r := range list {
		var m []string
		for _, id := range st.Members(r.ID) {
			m = append(m, names[id])
		}
		sort.Strings(m)
		out = append(out, fmt.Sprintf("[%v: %s]", r.Doc["displayName"], strings.Join(m, " ")))
	}
	sort.Strings(out)
	return strings.Join(out, ", ")
}

const patchHead = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`

var _ = scim.Legacy
