//go:build foreign

package scenarios

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var updateForeign = flag.Bool("update", false, "write the verdicts that were seen")

// TestForeignServers plays two stories against servers of other makers. What each step sees there, and which requirement of
// Entra the server breaks where it fails, is pinned in a file beside the server.
func TestForeignServers(t *testing.T) {
	for _, server := range []struct {
		name    string
		prepare []string
		run     []string
	}{
		{"elimity", []string{"go", "build", "-o", "server.bin", "."}, []string{"./server.bin"}},
		{"scimmy", []string{"npm", "ci", "--no-audit", "--no-fund"}, []string{"node", "server.js"}},
	} {
		t.Run(server.name, func(t *testing.T) {
			folder := filepath.Join("..", ".ci", "foreign", server.name)
			prepare := exec.CommandContext(t.Context(), server.prepare[0], server.prepare[1:]...)
			prepare.Dir = folder
			if out, err := prepare.CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", server.prepare, err, out)
			}
			url := launch(t, folder, server.run)
			var b strings.Builder
			for _, name := range []string{"stories/set-up-guide", "stories/joiner-mover-leaver"} {
				s, err := Builtin(name)
				if err != nil {
					t.Fatal(err)
				}
				r := Run(t.Context(), s, Target{URL: url, Token: "foreign-secret"}, Options{})
				fmt.Fprintf(&b, "%s: %s\n", name, r.Verdict)
				for _, st := range r.Steps {
					fmt.Fprintf(&b, "  step %d: %s\n", st.Number, st.Verdict)
					if st.Verdict == Broken {
						t.Errorf("%s: step %d is broken: %s", name, st.Number, st.Reason)
					}
				}
				for _, d := range r.Diagnoses {
					fmt.Fprintf(&b, "  %s in step %d: %s\n", d.ID, d.Step, d.Mistake)
					if x, ok := r.exchange(d.Exchange); !ok || x.URL == "" {
						t.Errorf("%s shows no exchange", d.ID)
					}
				}
				if len(r.Left) > 0 {
					t.Errorf("%s left behind %v", name, r.Left)
				}
				if r.Verdict == Failed && len(r.Diagnoses) == 0 {
					t.Errorf("%s fails and nothing says why:\n%s", name, failures(r))
				}
			}
			pinned := filepath.Join(folder, "verdicts.txt")
			if *updateForeign {
				if err := os.WriteFile(pinned, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(pinned)
			if err != nil {
				t.Fatal(err)
			}
			if b.String() != string(want) {
				t.Errorf("seen:\n%s\npinned in %s:\n%s", b.String(), pinned, want)
			}
		})
	}
}

// launch starts a server and returns the address that it prints.
func launch(t *testing.T, folder string, command []string) string {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Stderr = folder, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Error("the server ended by itself")
		}
	})
	line := make(chan string, 1)
	go func() {
		text, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			text = err.Error()
		}
		line <- strings.TrimSpace(text)
	}()
	select {
	case url := <-line:
		if !strings.HasPrefix(url, "http://") {
			t.Fatalf("the server says %q instead of its address", url)
		}
		return url
	case <-time.After(30 * time.Second):
		t.Fatal("the server does not tell its address")
		return ""
	}
}
