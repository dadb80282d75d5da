package portal

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"entrasim/scenarios"
)

// TestTemplates reads every template: the program does so with the first page only.
func TestTemplates(t *testing.T) {
	if n := len(parseTemplates()); n < 25 {
		t.Errorf("%d templates", n)
	}
}

// openFolders counts the data files of scenarios that are open.
func openFolders(t *testing.T, in string) int {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(in, "entrasim-*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestPlaysAreBounded opens more scenarios than are kept, leaves them alone, and ends with some open.
func TestPlaysAreBounded(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	if os.TempDir() != folder {
		t.Fatalf("temporary files go to %s", os.TempDir())
	}
	p := newPlays()
	s, err := scenarios.Parse("x.yaml", []byte("name: x\ntenant: {users: {ann: }}\nsteps: [{cycle: }, {cycle: }]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range playsKept + 5 {
		got, err := p.at(fmt.Sprint(i), s, 1)
		if err != nil || len(got.Moments) != 2 || got.Moments[1].Verdict != scenarios.Passed {
			t.Fatalf("%v: %+v", err, got)
		}
	}
	p.wg.Wait()
	if n := openFolders(t, folder); n != playsKept || len(p.list) != playsKept {
		t.Errorf("%d folders, %d plays; %d are kept", n, len(p.list), playsKept)
	}
	// One that was closed plays anew; at its end its world goes and what was seen stays.
	got, err := p.at("0", s, 2)
	if err != nil || len(got.Moments) != 3 {
		t.Fatalf("%v: %d moments", err, len(got.Moments))
	}
	p.wg.Wait()
	if n := openFolders(t, folder); n != playsKept-1 {
		t.Errorf("%d folders behind an end", n)
	}
	p.close()
	if n := openFolders(t, folder); n != 0 || len(p.list) != 0 {
		t.Errorf("%d folders, %d plays when all is closed", n, len(p.list))
	}
	if _, err := p.at("0", s, 1); err == nil {
		t.Error("a scenario opens when the program ends")
	}

	p = newPlays()
	p.idle = 20 * time.Millisecond
	if _, err := p.at("idle", s, 1); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); openFolders(t, folder) > 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if n := openFolders(t, folder); n != 0 {
		t.Errorf("%d folders are left of what nobody looks at", n)
	}
	p.close()
}
