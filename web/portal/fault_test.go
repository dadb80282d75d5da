package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestFaultsPage adds faults by form, sees them at work and counted, and takes one away while the other keeps its hits.
func TestFaultsPage(t *testing.T) {
	s := newSite(t, 20, "")
	s.see(s.get("/faults"), "The target does nothing wrong", "Begin with")
	ask := func(path string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+path, nil)
		no(t, err)
		req.Header.Set("Authorization", "Bearer entrasim")
		res, err := http.DefaultClient.Do(req)
		no(t, err)
		no(t, res.Body.Close())
		return res
	}
	busy := s.get("/faults?preset=busy")
	if busy.value("status") != "429" || busy.value("times") != "3" {
		t.Errorf("the preset fills in %q, %q", busy.value("status"), busy.value("times"))
	}
	s.see(s.post("/faults", "method", "GET", "path", "/Users", "status", "429", "headers", "Retry-After: 7\r\nX-Why: test", "times", "1", "probability", "100%"),
		"Added: Answers 429; sends Retry-After: 7; sends X-Why: test, for GET /Users.", "1 time, 100% of them")
	s.see(s.post("/faults", "rewrite", "displayName = Somebody\nactive = false", "hide", "title, emails"), "Leaves out title, emails; gives active, displayName another value", "Every request", "For ever")
	if res := ask("/scim/Users"); res.StatusCode != 429 || res.Header.Get("Retry-After") != "7" || res.Header.Get("X-Why") != "test" {
		t.Errorf("the fault answers %d %v", res.StatusCode, res.Header)
	}
	if res := ask("/scim/Users"); res.StatusCode != 200 {
		t.Errorf("behind its times it answers %d", res.StatusCode)
	}
	s.see(s.get("/faults"), "1, spent", "Faults2")
	s.see(s.post("/faults/remove", "id", "2"), "Removed.", "1, spent", "Faults1")
	s.see(s.post("/faults/remove", "id", "2"), "This fault is gone already.")
	_, list := s.get("/sim/faults"), s.get("/faults")
	for _, fault := range list.faults() {
		t.Error(fault)
	}

	for _, x := range []struct{ field, value, says string }{{"status", "7", "expected 200 to 599"}, {"status", "x", "no whole number"}, {"delay", "long", "expected a duration"},
		{"path", "[", "is no glob"}, {"headers", "no colon", "between a name and a value"}, {"rewrite", "title", "between a name and a value"}, {"probability", "many", "is no share"}, {"probability", "2", "expected 0 to 1"},
		{"store", "No Store", "no name of a store"}, {"times", "-1", "expected 0 or more"}, {"method", "TRACE", "expected GET"}} {
		pairs := []string{x.field, x.value}
		if x.field != "status" {
			pairs = append(pairs, "status", "500")
		}
		p := s.post("/faults", pairs...)
		if p.status != http.StatusUnprocessableEntity || !strings.Contains(p.text(), x.says) {
			t.Errorf("%s %q: %d %.300s", x.field, x.value, p.status, p.text())
		}
		if n := p.root.id("f-" + x.field); n == nil || n.attr["aria-invalid"] != "true" {
			t.Errorf("%s %q: the field is not marked", x.field, x.value)
		}
	}
	s.see(s.post("/faults"), "It does nothing")
	s.see(s.post("/faults", "drop", "answer", "body", "x"), "A dropped connection has no status")
	back, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).PostForm(s.url+"/faults", url.Values{"status": {"500"}})
	no(t, err)
	no(t, back.Body.Close())
	if to := back.Header.Get("Location"); to != "/faults#fault-list" { // browsers keep the form's #add when an answer has none
		t.Errorf("adding leads to %s", to)
	}
	s.see(s.post("/faults/clear"), "The target does nothing wrong any more.", "The target does nothing wrong")
	s.get("/faults?preset=nothing")
}
