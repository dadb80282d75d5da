package sim

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/sim/mapping"
	"entrasim/sim/target"
)

// The child of the kill test: a service over a data file that provisions until it is killed, or until everything is done.
func TestMain(m *testing.M) {
	if path := os.Getenv("ENTRASIM_KILL_FILE"); path != "" {
		if err := killChild(path, os.Getenv("ENTRASIM_KILL_URL")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func killChild(path, url string) error {
	dir, err := directory.Open(path, directory.Options{})
	if err != nil {
		return err
	}
	s, err := Open(Options{Directory: dir, Clock: clock.New(clock.Real, 1, time.Now()), Seed: 1})
	if err != nil {
		return err
	}
	cycles, err := s.RunCycles(context.Background())
	if err != nil {
		return err
	}
	for _, c := range cycles {
		if c.State != Succeeded {
			return fmt.Errorf("cycle %+v", c)
		}
		fmt.Println("created", c.Counts.Create)
	}
	return s.Close()
}

// TestKilledAnywhere kills the service in the middle of an initial cycle, again and again, and lets it go on. The target,
// which lives in this process, must end with everybody once, every membership, and nothing else.
//
// Shows: F-042
func TestKilledAnywhere(t *testing.T) {
	const people, groups = 3000, 24
	tg, err := target.New(target.Options{Token: "t", Now: time.Now, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan string, 64) // what the target was asked, before it answers
	inner := tg.Handler("default")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Method + " " + r.URL.Path
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "kill.db")
	dir, err := directory.Open(path, directory.Options{Seed: 1, Now: start})
	if err != nil {
		t.Fatal(err)
	}
	prepare(t, dir, server.URL+"/scim", people, groups)
	want := dir.Counts()
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	// run lets the service work until it is done, or until the target has been asked n times for something that begins so.
	run := func(begins string, n int) {
		t.Helper()
		var out bytes.Buffer
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "ENTRASIM_KILL_FILE="+path, "ENTRASIM_KILL_URL="+server.URL)
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		killed := false
		for {
			select {
			case asked := <-seen:
				if n > 0 && strings.HasPrefix(asked, begins) {
					if n--; n == 0 {
						killed = true
						if err := cmd.Process.Kill(); err != nil {
							t.Fatal(err)
						}
					}
				}
			case err := <-done:
				switch {
				case n > 0:
					t.Fatalf("the service was done before it was killed: %v\n%s", err, &out)
				case err != nil && !killed:
					t.Fatalf("child: %v\n%s", err, &out)
				}
				return
			}
		}
	}
	for _, n := range []int{1, 200, 700, 1300} {
		run("POST /scim/Users", n)
	}
	run("POST /scim/Groups", 3)
	for range 3 {
		run("PATCH /scim/Groups", 5)
	}
	run("", 0)
	st := tg.Store("default")
	users, inTarget := st.Counts()
	if users != want.Users-want.DisabledUsers || inTarget != want.Groups {
		t.Errorf("the target holds %d users and %d groups, want %d and %d", users, inTarget, want.Users-want.DisabledUsers, want.Groups)
	}
	checkTarget(t, path, st)
}

// prepare makes a company with everybody in scope and the job started.
func prepare(t *testing.T, dir *directory.Store, url string, people, groups int) {
	t.Helper()
	no := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	no(dir.Generate(context.Background(), start, directory.Company{Users: people, Groups: groups, Seed: 1}, nil))
	s, err := Open(Options{Directory: dir, Clock: clock.New(clock.Real, 1, time.Now()), Seed: 1})
	no(err)
	app, err := s.CreateApplication("Killed")
	no(err)
	all, token := SyncAll, "t"
	_, err = s.CreateJob(app.ID, SettingsEdit{TenantURL: &url, SecretToken: &token, Scope: &all})
	no(err)
	no(s.SetSchema(app.ID, mapping.Starter()))
	no(s.Start(app.ID))
	no(s.Close())
}

// checkTarget compares links, memberships and directory with a target, object by object.
func checkTarget(t *testing.T, path string, st *target.Store) {
	t.Helper()
	dir, err := directory.Open(path, directory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	s, err := Open(Options{Directory: dir, Clock: clock.New(clock.Real, 1, time.Now()), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	apps, err := s.Applications()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, kind := range []string{"User", "Group"} {
		for position := 0; position >= 0; {
			var list []target.Resource
			list, position = st.List(kind, position, 500)
			for _, r := range list {
				c, err := s.CompareTarget(apps[0].ID, kind, r.ID, r.JSON, st.Members(r.ID))
				if err != nil {
					t.Fatal(err)
				}
				if d := c.Differences(); !c.Linked || len(d) > 0 {
					t.Errorf("%s %v: linked %v, differences %v", kind, r.Doc["displayName"], c.Linked, d)
				}
				if seen[c.ObjectID] {
					t.Errorf("%s stands at the target twice", c.ObjectID)
				}
				seen[c.ObjectID] = true
			}
		}
	}
	if err := dir.Check(); err != nil {
		t.Error(err)
	}
}
