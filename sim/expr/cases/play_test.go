package cases

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// played are the files of cases, and how many each has at least: a file that lost its cases would pass otherwise.
var played = map[string]int{"published.json": 348, "guides.json": 107, "rules.json": 250}

func TestPlay(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(played) {
		t.Errorf("%d files of cases; %d are listed", len(files), len(played))
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		list, err := Read(filepath.Base(name), data)
		if err != nil {
			t.Fatal(err)
		}
		if least := played[filepath.Base(name)]; len(list) < least {
			t.Errorf("%s has %d cases, want at least %d", name, len(list), least)
		}
		seen := map[string]bool{}
		for _, c := range list {
			if seen[c.ID] {
				t.Errorf("%s:%d: the id %s occurs twice", name, c.Line, c.ID)
			}
			seen[c.ID] = true
			if c.Source == "" && c.Note == "" {
				t.Errorf("%s:%d: %s has neither source nor note", name, c.Line, c.ID)
			}
			o := Play(c, Defaults{Now: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), DefaultDomain: "contoso.example"})
			if !o.Passed {
				t.Errorf("%s:%d: %s\n%s\nexpected %s\nseen     %s", name, c.Line, c.ID, c.Expression, o.Expected, o.Seen)
			}
		}
	}
}
