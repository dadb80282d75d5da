package portal_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"entrasim/sim"
)

// changed is a site after a first cycle and one that renamed somebody.
func changed(t *testing.T) (s *site, id string) {
	t.Helper()
	s = newSite(t, 60, "")
	s.cycle()
	id = s.member("Engineering")
	s.post("/users/"+id, "displayName", "Renamed Person")
	s.post("/clock", "do", "40m")
	return s, id
}

func TestWire(t *testing.T) {
	s, id := changed(t)
	rows := func(path string) (list []*node) {
		for _, n := range s.get(path).root.named("li") {
			if n.attr["data-key"] != "" && n.inside("ol") {
				list = append(list, n)
			}
		}
		return list
	}
	all := len(s.svc.Traffic(0, 10_000).Exchanges)
	shown, seen := 0, map[string]bool{}
	for at := "/wire"; at != ""; {
		p := s.get(at)
		s.sound(p)
		at = ""
		for _, n := range p.root.id("wire-list").all(func(n *node) bool { return n.attr["data-key"] != "" || n.attr["rel"] == "next" }) {
			if n.attr["rel"] == "next" {
				at = n.attr["href"]
				continue
			}
			if seen[n.attr["data-key"]] {
				t.Errorf("exchange %s twice", n.attr["data-key"])
			}
			seen[n.attr["data-key"]] = true
			shown++
		}
	}
	if shown != all {
		t.Errorf("%d of %d exchanges are listed", shown, all)
	}
	for path, want := range map[string]int{"/wire?kind=writes": 26, "/wire?kind=failed": 0, "/wire?object=" + id: 4, "/wire?q=Renamed": 4, "/wire?q=W-102": 1, "/wire?q=204": 3, "/wire?q=renamed+nobody": 0,
		"/wire?application=" + s.app: 50, "/wire?application=none": 0} {
		if got := len(rows(path)); got != want {
			t.Errorf("%s lists %d, want %d", path, got, want)
		}
	}
	patch := s.lastWrite("PATCH")
	p := s.get("/wire?x=" + strconv.FormatUint(patch.ID, 10))
	s.see(p, "Renamed Person", "Why this was sent", "1 attribute differs from what the target returned.", "no User-Agent", "What the write changed, beside the read before it.", "Log record")
	s.sound(p)
	panel := p.root.named("aside")[0]
	var removed, added []string
	for _, n := range panel.named("del") {
		removed = append(removed, n.words())
	}
	for _, n := range panel.named("ins") {
		added = append(added, n.words())
	}
	if before, after := strings.Join(removed, "\n"), strings.Join(added, "\n"); !strings.Contains(after, `"displayName": "Renamed Person"`) || !strings.Contains(before, `"displayName": "`) || strings.Contains(before, "Renamed") {
		t.Errorf("taken out %q, put in %q", removed, added)
	}
	command := ""
	for _, b := range panel.named("button") {
		if b.words() == "Copy as curl" {
			command = b.attr["data-copy"]
		}
	}
	if !strings.HasPrefix(command, "curl -sS -X PATCH '"+s.url+"/scim/Users/") || !strings.Contains(command, `"Authorization: Bearer $TOKEN"`) || !strings.Contains(command, `--data-raw '`+patch.RequestBody+`'`) {
		t.Errorf("the command: %s", command)
	}
	if strings.Contains(p.html, "Bearer "+sim.EmbeddedToken) {
		t.Error("the token is on the page")
	}
	if p := s.get("/wire?x=" + strconv.FormatUint(patch.ID, 10) + "&diff=off"); len(p.root.named("ins")) != 0 {
		t.Error("the answer as it is shows a comparison")
	}
	for _, x := range []string{"0", "999999", "none"} {
		if p := s.get("/wire?x=" + x); p.status != http.StatusNotFound {
			t.Errorf("exchange %s: %d", x, p.status)
		}
	}
}

func (s *site) lastWrite(method string) sim.Exchange {
	s.Helper()
	for _, x := range s.svc.RecentTraffic(100) {
		if x.Method == method {
			return x
		}
	}
	s.Fatalf("no %s was sent", method)
	return sim.Exchange{}
}

// Shows: F-191, F-192
func TestProvisioningLogs(t *testing.T) {
	s, id := changed(t)
	p := s.get("/logs?object=" + id)
	s.see(p, "Renamed Person", "displayName", "One object", "Date Identity Action Source system Target system Status", "Update Microsoft Entra ID customappsso Success")
	if n := strings.Count(p.root.id("main").named("form")[0].words(), "StagedDelete"); n != 1 {
		t.Errorf("the filter of actions offers StagedDelete %d times", n)
	}
	logs, err := s.svc.Logs(sim.LogQuery{ObjectID: id, Limit: 1})
	no(t, err)
	record := "/logs?record=" + logs.Items[0].ID
	for tab, want := range map[string][]string{
		"":                {"1. Import user", "2. Match user", "3. Determine if user is in scope", "Perform action", "PATCH", "Open in directory", "The whole cycle"},
		"troubleshooting": {"Nothing to mend"},
		"modified":        {"Property Old value New value displayName", "Renamed Person"},
		"summary":         {"Source ID " + id, "customappsso", "Change ID"},
	} {
		p := s.get(record + "&tab=" + tab)
		s.see(p, want...)
		s.sound(p)
	}
	skipped := s.get("/logs?status=skipped")
	s.see(skipped, "NotEffectivelyEntitled", "Status: Skipped")
	for _, a := range skipped.root.id("log-table").named("a") {
		if a.attr["class"] == "name" {
			s.see(s.get(a.attr["href"]+"&tab=troubleshooting"), "Skip reason NotEffectivelyEntitled", "The user is not effectively entitled for provisioning.", "The rules behind it")
			break
		}
	}
	s.see(s.get("/logs?q=zzzz"), "No record matches")
	defer func() {
		s.post("/clock", "do", "advance", "advance", "P31D")
		s.see(s.get("/logs"), "No record of the last 30 days", "older ones are gone")
	}()
	if p := s.get("/logs?record=00000000-0000-0000-0000-000000000000"); p.status != http.StatusNotFound {
		t.Errorf("a record that is not there: %d", p.status)
	}
	s.see(s.get("/audit"), "Enable/start provisioning configuration")
}

// TestTargetPage puts the target's contents beside the wish: equal, different, missing, and more than was asked for.
func TestTargetPage(t *testing.T) {
	s := newSite(t, 60, "")
	at := "/target?application=" + s.app
	p := s.get(at)
	s.see(p, "22Missing in target", "in scope, not provisioned yet", "Wish, as a create would send it")
	s.sound(p)
	s.cycle()
	s.see(s.get(at), "22As wished", "0Different", "0Missing in target")
	id := s.member("Engineering")
	s.post("/users/"+id, "displayName", "Renamed Person")
	s.scim(http.MethodPost, "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"root@configcat.example","locale":"es-ES"}`)
	p = s.get(at)
	s.see(p, "21As wished", "1Different", "1Only in target", "1Due in the next cycle", "1 difference", "at 09:40, sends what differs", "root@configcat.example")
	s.sound(p)
	for _, row := range p.root.named("tr") {
		if strings.Contains(row.attr["class"], "differs") && !strings.HasPrefix(row.words(), "displayName Renamed Person") {
			t.Errorf("the differing row: %s", row.words())
		}
	}
	if n := len(p.root.id("target-one").named("mark")); n != 4 { // wish and state, in the table and in the JSON
		t.Errorf("%d marks", n)
	}
	only := ""
	for _, a := range p.root.id("target-list").named("a") {
		if strings.Contains(a.words(), "root@configcat.example") {
			only = a.attr["href"]
		}
	}
	s.see(s.get(only), "ConfigCat never managed it.")
	s.see(s.get(at+"&show=all&q=Renamed"), "Nothing named “Renamed”")
	s.see(s.get(at+"&show=all&q=root"), "root@configcat.example")
	s.post("/clock", "do", "40m")
	s.see(s.get(at), "22As wished", "0Different")
	tenant := "http://127.0.0.1:1/scim"
	no(t, s.svc.UpdateSettings(s.app, sim.SettingsEdit{TenantURL: &tenant}))
	s.see(s.get(at), "This target is another program's")
}

// scim sends a request to the embedded target as somebody else would.
func (s *site) scim(method, path, body string) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.url+"/scim"+path, strings.NewReader(body))
	no(s, err)
	req.Header.Set("Authorization", "Bearer "+sim.EmbeddedToken)
	req.Header.Set("Content-Type", "application/scim+json")
	res, err := s.web.Do(req)
	no(s, err)
	no(s, res.Body.Close())
	if res.StatusCode >= 300 {
		s.Fatalf("%s %s: %d", method, path, res.StatusCode)
	}
}

// TestStage steps through a whole cycle, from the first exchange to the last.
func TestStage(t *testing.T) {
	s := newSite(t, 60, "")
	s.see(s.get("/stage"), "Nothing was sent to ConfigCat yet", "Start provisioning")
	s.cycle()
	p := s.get("/stage")
	s.see(p, "ConfigCat, cycle 1", "Step 49 of 49", "Run next cycle")
	s.sound(p)
	next := ""
	for _, a := range p.root.named("a") {
		if strings.HasSuffix(a.words(), "Beginning") {
			next = a.attr["href"]
		}
	}
	steps := 0
	for ; next != ""; steps++ {
		p = s.get(next)
		if steps == 0 {
			s.see(p, "Ask if the target answers.", "Step 1 of 49")
		}
		next = ""
		for _, a := range p.root.named("a") {
			if a.attr["rel"] == "next" {
				next = a.attr["href"]
			}
		}
	}
	if steps != 49 {
		t.Errorf("%d steps", steps)
	}
	s.see(newSite(t, 0, "").get("/stage"), "There is no application yet.")
}

// TestReasonOfADeparture: Wire says of who is told inactive whether the account was blocked, deleted, or left scope.
func TestReasonOfADeparture(t *testing.T) {
	s, id := changed(t)
	for _, c := range []struct {
		how, want string
		pairs     []string
	}{{"disable", "It was blocked (account disabled): the target is told that it is inactive.", nil}, {"delete", "It was deleted: the target is told that it is inactive.", []string{"sure", "yes"}}} {
		s.see(s.post("/users/"+id+"/"+c.how, c.pairs...), strings.Split(c.want[3:], ":")[0]+": the target is told with the next cycle")
		s.post("/clock", "do", "40m")
		s.see(s.get("/wire?x="+strconv.FormatUint(s.lastWrite("PATCH").ID, 10)), c.want)
		id = s.member("Engineering")
	}
}

func TestRules(t *testing.T) {
	s := newSite(t, 60, "")
	s.cycle()
	p := s.get("/rules/W-051")
	s.see(p, "A new user is matched", "documented", "use-scim-to-provision-users-and-groups.md", "POST", "created in customappsso")
	s.sound(p)
	s.see(s.get("/rules/w-051"), "A new user is matched")
	s.see(s.get("/rules?q=inferred"), "S-144")
	s.see(s.get("/rules?q=zzzz"), "No rule says that")
	if p := s.get("/rules/X-1"); p.status != http.StatusNotFound {
		t.Errorf("a rule that is none: %d", p.status)
	}
	// Every chip on every page leads to a rule: the crawl follows them all.
}

// TestStreamOfAPage: what a page is told of a whole cycle is one small message, and one that comes back goes on from there.
func TestStreamOfAPage(t *testing.T) {
	s := newSite(t, 60, "")
	no(t, s.svc.Start(s.app))
	after := s.svc.Events().Last()
	s.cycle()
	last := s.svc.Events().Last()
	lines := s.listen("/live?after="+strconv.FormatUint(after, 10), "")
	var m struct {
		Topics []string
		Said   string
		Bad    bool
	}
	id := nextMoved(t, lines, &m)
	if id != last || m.Bad || m.Said != "Initial cycle ended: 22 created, 3 updated, 1 skipped, 49 requests." {
		t.Errorf("message %d (the newest event is %d): %+v", id, last, m)
	}
	for _, topic := range []string{"cycle", "exchange", "job", "log"} {
		if !strings.Contains(strings.Join(m.Topics, " "), topic) {
			t.Errorf("%v lacks %s", m.Topics, topic)
		}
	}
	s.post("/users/"+s.member("Engineering"), "displayName", "Renamed")
	m.Said = ""
	if id := nextMoved(t, s.listen("/live?after=1", strconv.FormatUint(last, 10)), &m); id != last+1 || len(m.Topics) != 1 || m.Topics[0] != "directory" || m.Said != "" {
		t.Errorf("after coming back: %d, %+v", id, m)
	}
}

// listen opens a stream of events.
func (s *site) listen(path, lastID string) <-chan string {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.url+path, nil)
	no(s, err)
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	res, err := s.web.Do(req)
	no(s, err)
	s.Cleanup(func() { no(s, res.Body.Close()) })
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(res.Body); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	return lines
}

// nextMoved reads the next message, and returns its number.
func nextMoved(t *testing.T, lines <-chan string, into any) (id uint64) {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatal("the stream ended")
			}
			if text, ok := strings.CutPrefix(line, "id: "); ok {
				n, err := strconv.ParseUint(text, 10, 64)
				no(t, err)
				id = n
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				no(t, json.Unmarshal([]byte(data), into))
				return id
			}
		case <-timeout:
			t.Fatal("no message came")
		}
	}
}
