package portal_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/web/portal"
)

// zipped reads the tables of a downloaded file by name.
func zipped(t *testing.T, body string) map[string][][]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader([]byte(body)), int64(len(body)))
	no(t, err)
	tables := map[string][][]string{}
	for _, f := range z.File {
		r, err := f.Open()
		no(t, err)
		rows, err := csv.NewReader(r).ReadAll()
		no(t, err)
		no(t, r.Close())
		tables[f.Name] = rows
	}
	return tables
}

// raw reads what is no page.
func (s *site) raw(path string) (int, http.Header, string) {
	s.Helper()
	res, err := s.web.Get(s.url + path)
	no(s, err)
	defer res.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(res.Body)
	no(s, err)
	return res.StatusCode, res.Header, b.String()
}

// TestLogDownload compares both downloads with the log, whole and filtered.
//
// Shows: F-195, S-359
func TestLogDownload(t *testing.T) {
	s := newSite(t, 60, "")
	u, err := s.dir.CreateUser(begin, directory.Props{"displayName": `=cmd|"x", y`, "userPrincipalName": "cmd@contoso.example", "mailNickname": "cmd"})
	no(t, err)
	_, err = s.svc.Assign(s.app, u.ID, "")
	no(t, err)
	s.cycle()
	all, err := s.svc.Logs(sim.LogQuery{Limit: 10_000})
	no(t, err)
	steps, modified := 0, 0
	for _, r := range all.Items {
		steps += len(r.Steps)
		modified += len(r.Modified)
	}
	status, head, body := s.raw("/logs/download?format=csv")
	if status != 200 || head.Get("Content-Disposition") != `attachment; filename="ProvisioningLogs.zip"` {
		t.Errorf("%d %v", status, head)
	}
	tables := zipped(t, body)
	for name, want := range map[string]int{"ProvisioningLogs.csv": len(all.Items), "ProvisioningLogs_ProvisioningSteps.csv": steps, "ProvisioningLogs_ModifiedProperties.csv": modified} {
		if got := len(tables[name]) - 1; got != want || want == 0 {
			t.Errorf("%s has %d rows, want %d", name, got, want)
		}
	}
	changes := map[string]bool{}
	found := false
	for _, row := range tables["ProvisioningLogs.csv"][1:] {
		changes[row[4]] = true
		found = found || row[13] == `'=cmd|"x", y` && row[12] == u.ID
	}
	if !found {
		t.Error("the name that looks like a formula is not there, or is not defused")
	}
	for _, name := range []string{"ProvisioningLogs_ProvisioningSteps.csv", "ProvisioningLogs_ModifiedProperties.csv"} {
		for _, row := range tables[name][1:] {
			if !changes[row[0]] {
				t.Fatalf("%s: no record has the change %s", name, row[0])
			}
		}
	}
	_, head, body = s.raw("/logs/download?format=json")
	var list []map[string]any
	no(t, json.Unmarshal([]byte(body), &list))
	if len(list) != len(all.Items) || head.Get("Content-Type") != "application/json" || list[0]["changeId"] != all.Items[0].ChangeID || list[0]["provisioningSteps"] == nil {
		t.Errorf("JSON: %d records, %v: %.300s", len(list), head, body)
	}
	_, _, body = s.raw("/logs/download?format=json&q=cmd@")
	no(t, json.Unmarshal([]byte(body), &list))
	if len(list) != 1 || !strings.Contains(body, `=cmd|\"x\", y`) {
		t.Errorf("filtered: %d records: %.300s", len(list), body)
	}
	_, _, body = s.raw("/logs/download?format=json&q=nobody-at-all")
	if strings.TrimSpace(body) != "[]" {
		t.Errorf("none: %q", body)
	}
	for _, bad := range []string{"/logs/download?from=x", "/logs/download?application=x"} {
		if status, _, _ := s.raw(bad); status < 400 {
			t.Errorf("%s: %d", bad, status)
		}
	}
}

// TestLogFilters uses the filters of the page, alone and with each other.
//
// Shows: F-194
func TestLogFilters(t *testing.T) {
	s := newSite(t, 60, "")
	s.cycle()
	no(t, s.svc.Clock().Advance(t.Context(), 25*time.Hour))
	page, err := s.svc.Logs(sim.LogQuery{Limit: 1})
	no(t, err)
	r := page.Items[0]
	count := func(query string) int {
		t.Helper()
		p := s.get("/logs?" + query)
		if p.status != 200 {
			t.Fatalf("%s: %d %.300s", query, p.status, p.text())
		}
		for _, fault := range p.faults() {
			t.Errorf("%s: %s", query, fault)
		}
		return strings.Count(p.html, "<tr data-key=")
	}
	all := count("")
	for query, want := range map[string]bool{"change=" + r.ChangeID: true, "q=" + r.ChangeID: true, "q=" + r.ID: true, "q=" + r.CycleID: true, "cycle=" + r.CycleID: true, "job=" + r.JobID: true,
		"source=Microsoft+Entra+ID&target=customappsso": true, "source=Workday": false, "range=30d": true, "range=24h": false, "from=2026-01-05T09:00&to=2026-01-05T09:00": true,
		"from=2026-01-05T09:01": false, "to=2026-01-05T08:59": false, "change=nothing": false} {
		if n := count(query); (n > 0) != want || n > all {
			t.Errorf("%s: %d of %d records", query, n, all)
		}
	}
	if n := count("change=" + r.ChangeID); n != 1 {
		t.Errorf("one change: %d records", n)
	}
	cycle := s.get("/logs?cycle=" + r.CycleID)
	counts := map[string]int{}
	list, err := s.svc.Logs(sim.LogQuery{CycleID: r.CycleID, Limit: 1000})
	no(t, err)
	for _, x := range list.Items {
		if x.Status == sim.Success {
			counts[string(x.Action)]++
		}
	}
	s.see(cycle, "One cycle", strconv.Itoa(counts["create"])+"Created", strconv.Itoa(counts["update"])+"Updated")
	s.see(s.get("/logs?from=yesterday"), "The first date can't be read.")
	s.see(s.get("/logs?range=24h"), "Last 24 hours", "No record matches")
	s.see(s.get("/logs?record="+r.ID+"&tab=summary"), r.ChangeID, r.JobID)
}

// TestLogLooksFurtherBack: a search that found too little in a part of the log says how far it came, and goes on from there.
func TestLogLooksFurtherBack(t *testing.T) {
	defer portal.LookAt(4)()
	s := newSite(t, 60, "")
	s.cycle()
	page, err := s.svc.Logs(sim.LogQuery{Limit: 1000})
	no(t, err)
	oldest := page.Items[len(page.Items)-1]
	seen := 0
	for path, pages := "/logs?q="+oldest.ID, 0; path != ""; pages++ {
		p := s.get(path)
		if seen += strings.Count(p.html, "<tr data-key="); seen == 0 {
			s.see(p, "None so far", "4 records were looked at, back to 5 Jan 2026, 09:00 UTC.", "Search further back")
		}
		for _, fault := range p.faults() {
			t.Errorf("%s: %s", path, fault)
		}
		path = ""
		for _, a := range p.root.named("a") {
			if a.attr["rel"] == "next" {
				path = a.attr["href"]
			}
		}
		if pages > len(page.Items)/4 {
			t.Fatal("pages without end")
		}
	}
	if seen != 1 {
		t.Errorf("found %d times", seen)
	}
}
