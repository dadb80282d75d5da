package scenarios

import (
	"os"
	"strings"
	"testing"
)

// TestReadme: the scenario that the README shows is one, and passes.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```yaml\n")
	file, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("the README shows no scenario")
	}
	s, err := Parse("README.md", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if r := Run(t.Context(), s, Target{}, Options{}); r.Verdict != Passed {
		t.Errorf("%s %s\n%s", r.Verdict, r.Reason, failures(r))
	}
}
