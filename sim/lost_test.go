package sim

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// TestLostCreate: the program is killed when the target has created an object and the link is not in the file yet, and the
// object leaves scope before the cycle goes on. It must not stay active at the target for ever: what was killed ends as what
// was not.
func TestLostCreate(t *testing.T) {
	for _, c := range []struct {
		name string
		kind CycleKind
		edit func(w *world, dir *directory.Store, svc *Service, bob, team string) error
		want string
	}{
		{"soft-deleted", Initial, func(w *world, dir *directory.Store, _ *Service, bob, _ string) error {
			return dir.DeleteUser(w.clock.Now(), bob)
		}, "Ann active=true, Bob active=false, [Team: Ann]"},
		{"soft-deleted", Incremental, func(w *world, dir *directory.Store, _ *Service, bob, _ string) error {
			return dir.DeleteUser(w.clock.Now(), bob)
		}, "Ann active=true, Bob active=false, [Team: Ann]"},
		{"purged", Initial, func(w *world, dir *directory.Store, _ *Service, bob, _ string) error {
			return errors.Join(dir.DeleteUser(w.clock.Now(), bob), dir.Purge(w.clock.Now(), bob))
		}, "Ann active=true, [Team: Ann]"},
		{"purged", Incremental, func(w *world, dir *directory.Store, _ *Service, bob, _ string) error {
			return errors.Join(dir.DeleteUser(w.clock.Now(), bob), dir.Purge(w.clock.Now(), bob))
		}, "Ann active=true, [Team: Ann]"},
		{"blocked", Initial, func(w *world, dir *directory.Store, _ *Service, bob, _ string) error {
			_, err := dir.UpdateUser(w.clock.Now(), bob, directory.Props{"accountEnabled": false})
			return err
		}, "Ann active=true, Bob active=false, [Team: Ann]"},
		{"taken out of the assigned group", Initial, func(w *world, dir *directory.Store, _ *Service, bob, team string) error {
			return dir.RemoveMembers(w.clock.Now(), team, bob)
		}, "Ann active=true, Bob active=false, [Team: Ann]"},
		{"group unassigned", Incremental, func(w *world, _ *directory.Store, svc *Service, _, team string) error {
			return svc.Unassign(w.app.ID, team)
		}, "Ann active=false, Bob active=false"},
		{"renamed", Initial, func(w *world, dir *directory.Store, _ *Service, bob, _ string) error {
			_, err := dir.UpdateUser(w.clock.Now(), bob, directory.Props{"userPrincipalName": "robert@contoso.example"})
			return err
		}, "Ann active=true, Bob active=true, [Team: Ann Bob]"},
		{"renamed", Incremental, func(w *world, dir *directory.Store, _ *Service, bob, _ string) error {
			_, err := dir.UpdateUser(w.clock.Now(), bob, directory.Props{"userPrincipalName": "robert@contoso.example"})
			return err
		}, "Ann active=true, Bob active=true, [Team: Ann Bob]"},
		{"renamed and purged", Initial, func(w *world, dir *directory.Store, _ *Service, bob, _ string) error {
			_, err := dir.UpdateUser(w.clock.Now(), bob, directory.Props{"userPrincipalName": "robert@contoso.example"})
			return errors.Join(err, dir.DeleteUser(w.clock.Now(), bob), dir.Purge(w.clock.Now(), bob))
		}, "Ann active=true, [Team: Ann]"},
		{"still in scope", Initial, func(*world, *directory.Store, *Service, string, string) error { return nil }, "Ann active=true, Bob active=true, [Team: Ann Bob]"},
	} {
		forSchemas(t, string(c.kind)+" "+c.name, func(t *testing.T, schema *mapping.Schema) {
			w := newWorld(t, schema, "")
			ann, bob := w.user("ann"), w.user("bob")
			team := w.group("Team", ann.ID, bob.ID)
			if c.kind == Incremental {
				w.no(w.svc.Start(w.app.ID))
				w.cycle()
			}
			w.assign(team.ID)
			copied := filepath.Join(t.TempDir(), "killed.db")
			killed := false
			w.before(func(rw http.ResponseWriter, r *http.Request, body string) bool {
				if killed { // by then the program is no more
					rw.WriteHeader(http.StatusServiceUnavailable)
					return true
				}
				if r.Method != http.MethodPost || !strings.Contains(body, "bob@") {
					return false
				}
				w.target.Plain("default").ServeHTTP(rw, r)
				w.no(w.dir.DB().View(func(tx *bbolt.Tx) error { return tx.CopyFile(copied, 0o600) })) // what the kill leaves
				killed = true
				return true
			})
			if c.kind == Initial {
				w.no(w.svc.Start(w.app.ID))
			}
			_, err := w.svc.RunCycles(context.Background())
			w.no(err)
			killed = false
			w.http.Config.Handler = w.target.Handler("default")
			if got := w.state(); !strings.Contains(got, "Bob active=true") {
				t.Fatalf("at the kill the target holds %s", got)
			}
			dir, err := directory.Open(copied, directory.Options{})
			w.no(err)
			svc, err := Open(Options{Directory: dir, Clock: w.clock, Seed: 1})
			w.no(err)
			w.no(c.edit(w, dir, svc, bob.ID, team.ID))
			for range 3 {
				cycles, err := svc.RunCycles(context.Background())
				w.no(err)
				if len(cycles) != 1 || cycles[0].State != Succeeded {
					t.Fatalf("%+v", cycles)
				}
			}
			if got := w.state(); got != c.want {
				t.Errorf("the target holds %s, want %s", got, c.want)
			}
			sent := svc.Traffic(0, 1000).Next
			_, err = svc.RunCycles(context.Background())
			w.no(err)
			if page := svc.Traffic(sent, 1000); len(page.Exchanges) != 2 { // the probes
				t.Errorf("with nothing left to do it sends %d requests", len(page.Exchanges))
			}
			w.no(svc.Close())
			w.no(dir.Close())
		})
	}
}

// forSchemas runs a test with externalId from objectId, and from mailNickname as the default mappings have it.
func forSchemas(t *testing.T, name string, f func(*testing.T, *mapping.Schema)) {
	t.Run(name, func(t *testing.T) { f(t, mapping.Starter()) })
	t.Run(name+", default mappings", func(t *testing.T) { f(t, mapping.Default()) })
}

// TestLostIsNotTheirs: behind a cut cycle, an account at the target that bears the name of somebody who left scope, but is
// not this job's, stays as it is.
func TestLostIsNotTheirs(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	bob, carl := w.user("bob"), w.user("carl")
	w.assign(bob.ID)
	theirs := httptest.NewRequest(http.MethodPost, "/scim/Users", strings.NewReader(
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"carl@contoso.example","externalId":"payroll-7","displayName":"Carl","active":true}`))
	theirs.Header.Set("Authorization", "Bearer secret-token")
	w.target.Plain("default").ServeHTTP(httptest.NewRecorder(), theirs)
	copied := filepath.Join(t.TempDir(), "killed.db")
	w.before(func(rw http.ResponseWriter, r *http.Request, body string) bool {
		if r.Method == http.MethodPost {
			w.no(w.dir.DB().View(func(tx *bbolt.Tx) error { return tx.CopyFile(copied, 0o600) }))
		}
		return false
	})
	w.no(w.svc.Start(w.app.ID))
	_, err := w.svc.RunCycles(context.Background())
	w.no(err)
	dir, err := directory.Open(copied, directory.Options{})
	w.no(err)
	svc, err := Open(Options{Directory: dir, Clock: w.clock, Seed: 1})
	w.no(err)
	w.no(dir.DeleteUser(w.clock.Now(), carl.ID))
	w.no(dir.Purge(w.clock.Now(), carl.ID))
	for range 2 {
		_, err := svc.RunCycles(context.Background())
		w.no(err)
	}
	if got := w.state(); got != "Bob active=true, Carl active=true" {
		t.Errorf("the target holds %s", got)
	}
	asked := false
	for _, x := range svc.Traffic(0, 1000).Exchanges {
		asked = asked || strings.Contains(x.URL, "carl%40") || strings.Contains(x.URL, "carl@")
	}
	if !asked {
		t.Error("the target was not asked for Carl: the test shows nothing")
	}
	w.no(svc.Close())
	w.no(dir.Close())
}

// TestLookIsLogged: what is asked for behind a cycle that was cut short has a record, found or not, and when the target does
// not answer.
func TestLookIsLogged(t *testing.T) {
	for status, want := range map[int]string{0: "other skipped Carl NotEffectivelyEntitled", http.StatusInternalServerError: "other failure Carl"} {
		w := newWorld(t, mapping.Starter(), "")
		bob, carl := w.user("bob"), w.user("carl")
		w.assign(bob.ID)
		w.no(w.svc.Start(w.app.ID))
		commits := 0
		w.svc.opt.FlushTarget = func(*bbolt.Tx) error {
			if commits++; commits > 1 { // the first one says that the cycle began
				return errKilled
			}
			return nil
		}
		if _, err := w.svc.RunCycles(context.Background()); err == nil {
			t.Fatal("it was not cut short")
		}
		w.reopen()
		w.edit(carl.ID, "accountEnabled", false)
		w.answers(func(_, path, _ string) int {
			if strings.Contains(path, "carl") {
				return status
			}
			return 0
		})
		w.cycle()
		asked := 0
		w.allNamed()
		for _, x := range w.svc.Traffic(0, 1000).Exchanges {
			if x.Object == carl.ID {
				asked++
			}
		}
		if got := strings.Join(w.logs(), "\n"); asked == 0 || !strings.Contains(got, want) {
			t.Errorf("asked %d times, the log says\n%s", asked, got)
		}
	}
}

// TestPurgedBeforeTheCut: somebody left management and was purged, which leaves the account at the target. A run on demand
// that is cut short later can't have created it, though a group that it was in changes behind that.
func TestPurgedBeforeTheCut(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob, cid := w.user("ann"), w.user("bob"), w.user("cid")
	team := w.group("Team")
	w.assign(ann.ID, bob.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.no(w.svc.Unassign(w.app.ID, bob.ID))
	w.cycle()
	w.no(w.dir.AddMembers(w.clock.Now(), team.ID, bob.ID, ann.ID))
	w.assign(team.ID)
	w.no(w.dir.DeleteUser(w.clock.Now(), bob.ID))
	w.no(w.dir.Purge(w.clock.Now(), bob.ID))
	w.cycle()
	w.assign(cid.ID)
	commits := 0
	w.svc.opt.FlushTarget = func(*bbolt.Tx) error {
		if commits++; commits > 1 {
			return errKilled
		}
		return nil
	}
	if _, err := w.svc.OnDemand(context.Background(), w.app.ID, OnDemandRequest{ObjectID: cid.ID}); err == nil {
		t.Fatal("it was not cut short")
	}
	w.reopen()
	w.no(w.dir.DeleteGroup(w.clock.Now(), team.ID))
	w.cycle()
	w.cycle()
	if got, want := w.state(), "Ann active=true, Bob active=false, Cid active=true"; got != want {
		t.Errorf("the target holds %s, want %s", got, want)
	}
}
