package directory

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// sample makes a file with a company in it and returns its bytes, as far as they are in use: as it was closed, or as a crash
// would leave it.
func sample(t *testing.T, path string, closed bool) []byte {
	t.Helper()
	var used int64
	s := must[*Store](t)(Open(path, Options{Seed: 1, Now: start, NoSync: true}))
	check(t, s.Generate(t.Context(), start, Company{Users: 60, Groups: 8, Seed: 1}, nil))
	for i := range 20 { // pages that were freed
		user(t, s, fmt.Sprint("later", i))
	}
	check(t, s.db.View(func(tx *bbolt.Tx) error {
		used = tx.Size()
		return nil
	}))
	if closed {
		check(t, s.Close())
		return must[[]byte](t)(os.ReadFile(path))[:used]
	}
	data := must[[]byte](t)(os.ReadFile(path))[:used]
	check(t, s.Close())
	return data
}

// TestDamagedFiles opens and reads files in which something was overwritten or cut off: whatever comes of it is an error that
// names the file, or the damage lies where nobody looks; it is never a panic, and a file that can't be opened stays as it is.
func TestDamagedFiles(t *testing.T) {
	t.Run("closed", func(t *testing.T) { damageFiles(t, true) })
	t.Run("behind a crash", func(t *testing.T) { damageFiles(t, false) })
}

func damageFiles(t *testing.T, closed bool) {
	dir := t.TempDir()
	good := sample(t, filepath.Join(dir, "good.db"), closed)
	r := rand.New(rand.NewPCG(1, 2))
	page := os.Getpagesize()
	met := map[Code]int{}
	use := func(name string, data []byte) error {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, data, 0o600))
		s, err := Open(path, Options{Seed: 1, Now: start, NoSync: true})
		if err != nil {
			if now := must[[]byte](t)(os.ReadFile(path)); CodeOf(err) == Foreign && string(now) != string(data) {
				t.Errorf("%s: %v, and the file was changed", name, err)
			}
			return err
		}
		_, err = s.Users(Query{Limit: 999})
		errs := []error{err}
		_, err = s.Changes(0, 0)
		return errors.Join(append(errs, err, s.Check(), s.db.Close())...)
	}
	if err := use("copy.db", good); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		bad := append([]byte(nil), good...)
		switch n := 2 + r.IntN(len(bad)/page-2); i % 4 {
		case 0: // a page of something else
			for k := range page {
				bad[n*page+k] = byte(r.Uint32())
			}
		case 1: // a page that was never written
			clear(bad[n*page : (n+1)*page])
		case 2: // the end is missing
			bad = bad[:n*page]
		case 3: // the head of a page
			for k := range 32 {
				bad[n*page+k] = byte(r.Uint32())
			}
		}
		name := fmt.Sprintf("bad%d.db", i)
		err := use(name, bad)
		if code := CodeOf(err); err != nil {
			met[code]++
			if code == Damaged && !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "goroutine") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if met[Damaged] < 15 {
		t.Errorf("errors met, by code: %v", met)
	}
}

// TestPanicsOfOthersGoOn: what is not of the file is no damage.
func TestPanicsOfOthersGoOn(t *testing.T) {
	s := open(t)
	for name, run := range map[string]func(func(*bbolt.Tx) error) error{"view": s.db.View, "update": s.db.Update} {
		func() {
			defer func() {
				if v := recover(); v != "boom" {
					t.Errorf("%s: %v", name, v)
				}
			}()
			check(t, run(func(*bbolt.Tx) error { panic("boom") }))
		}()
	}
	user(t, s, "after")
}
