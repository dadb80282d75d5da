//go:build clients

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestGraphClients lets clients of Graph that others wrote play one story, from the first user to the purged one, against
// this program in a process of its own: over http and over https, with a token that the API token as client secret gives. Each story is a
// program beside this module, which fails by itself when something is not as its client expects.
//
// Shows: F-212
func TestGraphClients(t *testing.T) {
	for _, client := range []struct {
		name    string
		prepare []string
		run     []string
	}{
		{"npm", []string{"npm", "ci", "--no-audit", "--no-fund"}, []string{"node", "story.js"}},
		{"hamilton", []string{"go", "build", "-o", "story.bin", "."}, []string{"./story.bin"}},
		{"azuresdk", []string{"go", "build", "-o", "story.bin", "."}, []string{"./story.bin"}},
		{"msgraph", []string{"go", "build", "-o", "story.bin", "."}, []string{"./story.bin"}}, // minutes, the first time
	} {
		t.Run(client.name, func(t *testing.T) {
			folder, err := filepath.Abs(filepath.Join("..", "..", ".ci", "graph", client.name))
			if err != nil {
				t.Fatal(err)
			}
			prepare := exec.CommandContext(t.Context(), client.prepare[0], client.prepare[1:]...)
			prepare.Dir = folder
			if out, err := prepare.CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", client.prepare, err, out)
			}
			for _, scheme := range []string{"http", "https"} {
				t.Run(scheme, func(t *testing.T) { playStory(t, scheme, folder, client.run) })
			}
		})
	}
}

var (
	secureAddress = regexp.MustCompile(`https://\S+`)
	authorityFile = regexp.MustCompile(`clients have to trust (.*)\)`)
)

// playStory runs a story against a new tenant.
func playStory(t *testing.T, scheme, folder string, story []string) {
	p, err := launch(t.TempDir(), os.Environ(), "serve", "--addr", "127.0.0.1:0", "--tls-addr", "127.0.0.1:0", "--clock", "manual", "--users", "250", "--groups", "4", "--api-token", "open-sesame")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	}()
	url := p.url
	if scheme == "https" {
		url = secureAddress.FindString(p.out.String())
	}
	ca := filepath.Join(p.cmd.Dir, authorityFile.FindStringSubmatch(p.out.String())[1])
	began := time.Now()
	cmd := exec.CommandContext(t.Context(), story[0], append(story[1:], url)...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "STORY_TARGET="+p.url+"/targets/story/scim", "STORY_SECRET=open-sesame", "NODE_EXTRA_CA_CERTS="+ca, "SSL_CERT_FILE="+ca)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s\nthe program says:\n%s", story, err, out, &p.errs)
	}
	if !strings.Contains(string(out), "the story ran over "+url) {
		t.Errorf("the story did not come to its end:\n%s", out)
	}
	t.Logf("%s in %v", strings.TrimSpace(string(out)), time.Since(began))
}
