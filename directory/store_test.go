package directory

import (
	"bytes"
	"go.etcd.io/bbolt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// open makes a store in the test's folder and checks its invariants at the end.
func open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "test.db"), Options{Seed: 1, Now: start, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Check(); err != nil {
			t.Errorf("store: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func user(t testing.TB, s *Store, name string) User {
	t.Helper()
	return must[User](t)(s.CreateUser(start, Props{"displayName": name, "mailNickname": name, "userPrincipalName": name + "@contoso.example"}))
}

// check fails the test on an error.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func group(t testing.TB, s *Store, name string) Group {
	t.Helper()
	return must[Group](t)(s.CreateGroup(start, Props{"displayName": name, "mailNickname": name}))
}

func TestForeignFilesAreRefusedUntouched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	text := strings.Repeat("these are my notes\n", 1000)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); CodeOf(err) != Foreign {
		t.Fatalf("got %v, want foreign", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Fatal("the file was changed")
	}
}

func TestForeignBoltFilesAreRefusedUntouched(t *testing.T) {
	for name, fill := range map[string]func(tx *bbolt.Tx) error{
		"another program": func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte("photos"))
			return err
		},
		"a newer version": func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket(bucketMeta)
			if err != nil {
				return err
			}
			return b.Put(keyHeader, []byte(`{"program":"entrasim","version":99}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "other.db")
			// Without a list of free pages in the file, bbolt would write one on opening.
			db := must[*bbolt.DB](t)(bbolt.Open(path, 0o600, &bbolt.Options{NoFreelistSync: true}))
			check(t, db.Update(fill))
			check(t, db.Close())
			before := must[[]byte](t)(os.ReadFile(path))
			_, err := Open(path, Options{})
			if CodeOf(err) != Foreign || !strings.Contains(err.Error(), path) {
				t.Fatalf("got %v, want foreign with the file's name", err)
			}
			if !bytes.Equal(before, must[[]byte](t)(os.ReadFile(path))) {
				t.Fatal("the file was changed")
			}
		})
	}
}

func TestFileInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "one.db")
	s := must[*Store](t)(Open(path, Options{NoSync: true}))
	defer func() { check(t, s.Close()) }()
	_, err := Open(path, Options{})
	if CodeOf(err) != InUse || !strings.Contains(err.Error(), "in use by another process") {
		t.Fatalf("got %v", err)
	}
}

func TestFileKeepsTenantSeedAndSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "one.db")
	s := must[*Store](t)(Open(path, Options{Seed: 7, Now: start, Tenant: Tenant{DisplayName: "Fabrikam", DefaultDomain: "fabrikam.test"}}))
	if !s.IsNew() {
		t.Error("a new file is not new")
	}
	check(t, s.SetMeta("users", "60"))
	ann := must[User](t)(s.CreateUser(start, Props{"displayName": "Ann", "mailNickname": "ann", "userPrincipalName": "ann@fabrikam.test"}))
	tenant := s.Tenant()
	check(t, s.Close())
	s = must[*Store](t)(Open(path, Options{Seed: 8}))
	defer func() { check(t, s.Close()) }()
	if s.IsNew() || s.Seed() != 7 || s.Tenant() != tenant || s.Meta("users") != "60" || s.Meta("groups") != "" {
		t.Errorf("new %v, seed %d, tenant %+v, users %q", s.IsNew(), s.Seed(), s.Tenant(), s.Meta("users"))
	}
	if got := must[User](t)(s.User(ann.ID)); got.UserPrincipalName != ann.UserPrincipalName || !got.CreatedDateTime.Equal(start) {
		t.Errorf("got %+v", got)
	}
	check(t, s.Reset())
	if c := s.Counts(); c != (Counts{}) || s.LastChange() != 0 || s.Meta("users") != "60" {
		t.Errorf("after a reset: %+v, change %d", c, s.LastChange())
	}
	if again := must[User](t)(s.CreateUser(start, Props{"displayName": "Ann", "mailNickname": "ann", "userPrincipalName": "ann@fabrikam.test"})); again.ID != ann.ID {
		t.Error("the same history gave another id")
	}
}

func TestEventsFollowCommits(t *testing.T) {
	s := open(t)
	var got []string
	s.OnCommit(func(e Event) { got = append(got, e.Op+" "+e.Kind) })
	ann, ops := user(t, s, "ann"), group(t, s, "ops")
	must[User](t)(s.UpdateUser(start, ann.ID, Props{"city": "Lisbon"}))
	must[User](t)(s.UpdateUser(start, ann.ID, Props{"city": "Lisbon"})) // changes nothing
	check(t, s.AddMembers(start, ops.ID, ann.ID))
	if err := s.AddMembers(start, ops.ID, ann.ID); err == nil {
		t.Error("added twice")
	}
	check(t, s.DeleteUser(start, ann.ID))
	must[Object](t)(s.Restore(start, ann.ID))
	check(t, s.DeleteUser(start, ann.ID))
	check(t, s.Purge(start, ann.ID))
	want := "created User,created Group,updated User,members Group,deleted User,restored User,deleted User,purged User"
	if strings.Join(got, ",") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ","), want)
	}
}
