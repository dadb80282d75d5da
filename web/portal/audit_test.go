package portal_test

import (
	"strings"
	"testing"

	"entrasim/web/portal"
)

// TestAuditFilters narrows the audit log down, and pages through it.
func TestAuditFilters(t *testing.T) {
	s := newSite(t, 20, "")
	no(t, s.svc.Start(s.app))
	for range 60 {
		no(t, s.svc.Pause(s.app))
		no(t, s.svc.Start(s.app))
	}
	count := func(query string) (n int, p *page) {
		t.Helper()
		p = s.get("/audit?" + query)
		for _, fault := range p.faults() {
			t.Errorf("%s: %s", query, fault)
		}
		return strings.Count(p.html, "<tr data-key="), p
	}
	total, seen := 0, map[string]bool{}
	for path := "/audit"; path != ""; {
		p := s.get(path)
		for _, tr := range p.root.named("tr") {
			if id := tr.attr["data-key"]; id != "" {
				if seen[id] {
					t.Fatalf("record %s stands on two pages", id)
				}
				seen[id] = true
				total++
			}
		}
		path = ""
		for _, a := range p.root.named("a") {
			if a.attr["rel"] == "next" {
				path = a.attr["href"]
			}
		}
	}
	if total < 122 {
		t.Errorf("%d records in all", total)
	}
	for query, want := range map[string]int{"activity=Add+provisioning+configuration": 1, "q=add+provisioning": 1, "activity=Quarantine": 0, "status=failure": 0, "application=" + s.app + "&q=add+provisioning": 1,
		"application=nothing": 0, "to=2026-01-05T08:59": 0, "range=24h&q=add+provisioning": 1} {
		if n, p := count(query); n != want {
			t.Errorf("%s: %d records, want %d: %.300s", query, n, want, p.text())
		}
	}
	defer portal.LookAt(100)()
	_, p := count("q=add+provisioning")
	s.see(p, "No record matches", "Search further back")
}
