package portal_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"entrasim/scenarios"
)

// TestScenarioLibrary plays each scenario of the library to its end on its page.
func TestScenarioLibrary(t *testing.T) {
	s := newSite(t, 0, "")
	list := s.get("/scenarios")
	for _, name := range scenarios.Names() {
		one, err := scenarios.Builtin(name)
		no(t, err)
		s.see(list, strings.Join(strings.Fields(one.Name), " "), one.Source)
		p := s.get("/scenarios/" + name + "?step=end")
		s.see(p, fmt.Sprintf("Step %d of %dPassed", len(one.Steps), len(one.Steps)), "The target")
		if strings.Contains(p.text(), "Not seen") {
			t.Errorf("%s: something that is expected is told as not seen", name)
		}
		for _, fault := range p.faults() {
			t.Errorf("%s: %s", name, fault)
		}
	}
	s.see(s.get("/scenarios?q=joiner+mover"), "A joiner, a mover, a leaver", "1 scenario")
	s.see(s.get("/scenarios?q=nothing-says-this"), "No scenario says that")
	for _, path := range []string{"/scenarios/stories/nowhere", "/scenarios/own/nowhere", "/scenarios/stories/set-up-guide?step=99", "/scenarios/stories/set-up-guide?step=x"} {
		if got := s.get(path); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

// TestScenarioStepByStep follows a story, and sees that the reader's own tenant is left alone.
func TestScenarioStepByStep(t *testing.T) {
	s := newSite(t, 20, "")
	s.cycle()
	before, clock, events := s.svc.RecentTraffic(1)[0].ID, s.svc.Clock().Now(), s.svc.Events().Last()
	const story = "/scenarios/stories/joiner-mover-leaver"
	p := s.get(story)
	s.see(p, "Nadia starts in Sales", "Before the first step", "The target 0 users, 0 groups", `how-provisioning-works.md, "Deprovisioning"`)
	for step, texts := range [][]string{1: {"1. Cycle", "2 users, 2 groups", "All seen"}, 2: {"2. Nadia joins Sales, under Viola.", "create: users:", "POST/Users", "ms201", "nadia-noorNew", "title: Account Executive"},
		3: {"She moves to Engineering", "nadia-noorChanged", `"Sales Engineer"`}, 4: {"She leaves", "PATCH/Users/{nadia-noor}", "Nadia Noor"}, 5: {"DELETE/Users/{nadia-noor}", "31 days passed", "nadia-noorGone", "This was the last step"}} {
		if step == 0 {
			continue
		}
		next := ""
		for _, a := range p.root.named("a") {
			if a.attr["rel"] == "next" {
				next = a.attr["href"]
			}
		}
		p = s.get(next)
		for _, text := range texts {
			if text == "This was the last step" {
				if !strings.Contains(p.html, text) {
					t.Errorf("step %d does not end", step)
				}
				continue
			}
			s.see(p, text)
		}
		if n := strings.Count(p.html, `class="dot ok"`); n != step {
			t.Errorf("step %d: %d steps passed", step, n)
		}
	}
	// A later step that was seen is not told on the page of an earlier one; an address alone leads to each.
	p = s.get(story)
	if s.see(p, "Before the first step", "5 steps"); strings.Contains(p.html, `class="dot ok"`) {
		t.Error("the first page tells how the steps end")
	}
	s.see(newSite(t, 0, "").get(story+"?step=4"), "Step 4 of 5", "She leaves")
	if after := s.svc.RecentTraffic(1)[0].ID; after != before || !s.svc.Clock().Now().Equal(clock) || s.svc.Events().Last() != events {
		t.Errorf("the reader's own tenant was touched: %d exchanges, clock %s, events %d, were %d, %s, %d", after, s.svc.Clock().Now(), s.svc.Events().Last(), before, clock, events)
	}
}

// TestScenarioReaders lets many look at the steps of a few scenarios at once: each sees the same.
func TestScenarioReaders(t *testing.T) {
	s := newSite(t, 0, "")
	var mu sync.Mutex
	seen := map[string]string{}
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			path := fmt.Sprintf("/scenarios/%s?step=%d", []string{"stories/joiner-mover-leaver", "stories/set-up-guide", "groups/batches"}[i%3], 1+i%2)
			res, err := http.Get(s.url + path)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != 200 {
				t.Errorf("%s: %d %v", path, res.StatusCode, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if was, ok := seen[path]; ok && was != string(body) {
				t.Errorf("%s differs from one reader to the next", path)
			}
			seen[path] = string(body)
		})
	}
	wg.Wait()
}

const ownScenario = `name: Ann is made
target: {url: "%s", token: $HOME}
tenant: {users: {ann: {department: Sales}}}
application: {assigned: [ann]}
steps:
  - say: She is made at once.
    cycle:
    expect:
      counts: {create: 2}
      target: {ann: {displayName: Bob}}
  - advance: 40m
`

// TestOwnScenario pastes and uploads files: mistakes are told with their places, and what is expected in vain with what was
// seen. A target on a network that a file names is sent nothing.
func TestOwnScenario(t *testing.T) {
	s := newSite(t, 0, "")
	s.see(s.get("/scenarios/own"), "Your own scenario", "A person is created and switched off")
	s.see(s.get("/scenarios/own?from=stories/set-up-guide"), "The set-up guide as a whole")
	p := s.post("/scenarios/own", "source", "name: x\r\nsteps:\r\n  - advanse: 40m\r\n")
	if p.status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", p.status)
	}
	s.see(p, "1 mistake", "Line 3, column 5", "did you mean advance?", "- advanse: 40m ^")
	if len(p.root.id("source").words()) == 0 {
		t.Error("what was typed is lost")
	}

	var hits atomic.Int32
	foreign := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer foreign.Close()
	own := fmt.Sprintf(ownScenario, foreign.URL)
	p = s.post("/scenarios/own", "source", own)
	if !strings.HasPrefix(p.path, "/scenarios/own/") || p.status != 200 {
		t.Fatalf("%s: %d %.300s", p.path, p.status, p.text())
	}
	s.see(p, "Ann is made", "Here it plays against an embedded one of its own")
	failed := s.get(p.path + "?step=end")
	s.see(failed, "Step 2 of 2Failed")
	failed = s.get(p.path + "?step=1")
	s.see(failed, "2 of 2 not seen", "- {create: 2}", "+ {create: 1}", "(line 9)", "She is made at once.")
	if hits.Load() != 0 {
		t.Errorf("the target on the network got %d requests", hits.Load())
	}
	s.see(s.get("/scenarios"), "Your own", "Ann is made")

	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	no(t, w.WriteField("source", "not this"))
	part, err := w.CreateFormFile("file", "mine.yaml")
	no(t, err)
	_, err = io.WriteString(part, "name: From a file\nsteps: [{cycle: }]\n")
	no(t, err)
	no(t, w.Close())
	res, err := s.web.Post(s.url+"/scenarios/own", w.FormDataContentType(), &body)
	no(t, err)
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	no(t, err)
	if !strings.Contains(string(page), "From a file") || res.StatusCode != 200 {
		t.Errorf("the uploaded file: %d %.200s", res.StatusCode, page)
	}
	file := s.get(p.path + "/file")
	if file.html != own {
		t.Errorf("the file is given back as %q", file.html)
	}
	s.see(s.post(p.path+"/remove"), "Removed.", "From a file")
	if got := s.get(p.path); got.status != http.StatusNotFound {
		t.Errorf("a removed scenario is there: %d", got.status)
	}
	if got := s.post("/scenarios/own", "source", strings.Repeat("# long\n", 1<<19)); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of 3.5 MiB: %d", got.status)
	}
	if got := s.post("/scenarios/own", "source", strings.Repeat("# long\n", 1<<18)); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a file of 1.8 MiB: %d", got.status)
	} else {
		s.see(got, "a scenario has at most 1048576")
	}
}
