package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"entrasim/sim/clock"
)

// TestEvents: the stream has the six topics and nothing else, each event with one object as the matching GET has it, also
// when a job goes.
func TestEvents(t *testing.T) {
	url := serveWith(t, "", clock.Manual)
	_, page := get(t, url+"/applications")
	app := regexp.MustCompile(`/applications/([0-9a-f-]{36})`).FindStringSubmatch(page)[1]
	for _, step := range [][2]string{
		{"/applications/" + app + "/provisioning/start", ""},
		{"/sim/clock", `{"advance":"41m"}`},
		{"/applications/" + app + "/delete?sure=yes", ""},
	} {
		if status, body := send(t, http.MethodPost, url+step[0], step[1]); status != 200 && status != 303 || strings.Contains(step[0], "delete") && status != 303 {
			t.Fatalf("%s: %d %s", step[0], status, body)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/sim/events?after=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	counts := map[string]int{}
	var topic string
	deleted := false
	wanted := []string{"cycle", "log", "exchange", "job", "clock"}
	seen := func() bool {
		return deleted && !slices.ContainsFunc(wanted, func(topic string) bool { return counts[topic] == 0 })
	}
	for lines := bufio.NewScanner(res.Body); !seen() && lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "event":
			topic = value
			counts[topic]++
		case "data":
			var object map[string]any
			if err := json.Unmarshal([]byte(value), &object); err != nil {
				t.Fatalf("%s: %v: %.200s", topic, err, value)
			}
			if topic == "job" {
				if context, _ := object["@odata.context"].(string); !strings.Contains(context, app) || object["id"] == "" {
					t.Fatalf("a job: %.300s", value)
				}
				deleted = object["deleted"] == true
			}
		}
	}
	if !seen() {
		t.Errorf("events %v, a job marked deleted: %v", counts, deleted)
	}
	for _, topic := range append(wanted, "directory") {
		delete(counts, topic)
	}
	if len(counts) > 0 {
		t.Errorf("other topics: %v", counts)
	}
}

// TestEventsAreWhatGetAnswers: the data of each topic is the object of the matching GET, to the member.
func TestEventsAreWhatGetAnswers(t *testing.T) {
	url := serveWith(t, "", clock.Manual)
	object := func(text string) (o map[string]any) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			t.Fatalf("%v: %.300s", err, text)
		}
		return o
	}
	ask := func(path string) map[string]any {
		t.Helper()
		status, text := get(t, url+path)
		if status != 200 {
			t.Fatalf("%s: %d %s", path, status, text)
		}
		return object(text)
	}
	do := func(method, path, body string) map[string]any {
		t.Helper()
		status, text := send(t, method, url+path, body, "Content-Type", "application/json")
		if status >= 300 {
			t.Fatalf("%s %s: %d %s", method, path, status, text)
		}
		if text == "" {
			return nil
		}
		return object(text)
	}
	first := func(path string) string {
		t.Helper()
		return ask(path)["value"].([]any)[0].(map[string]any)["id"].(string)
	}
	events := listen(t, url+"/sim/events")
	// next is the newest event of a topic: one that follows on it, of the clock, tells that there are no more.
	next := func(topic string) map[string]any {
		t.Helper()
		do("POST", "/sim/clock", `{"mode":"manual"}`)
		var last map[string]any
		for e := range events {
			if e[0] == topic {
				last = object(e[1])
			}
			if e[0] == "clock" && last != nil {
				return last
			}
		}
		t.Fatalf("no event %s", topic)
		return nil
	}
	equal := func(what string, got, want map[string]any, extra ...string) {
		t.Helper()
		for _, name := range extra {
			if _, there := got[name]; !there {
				t.Errorf("%s lacks %s", what, name)
			}
			delete(got, name)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-GET +event):\n%s", what, d)
		}
	}
	user := func(name string) string {
		return do("POST", "/v1.0/users", `{"accountEnabled":true,"displayName":"`+name+`","mailNickname":"`+name+`","userPrincipalName":"`+name+
			`@contoso.example","passwordProfile":{"password":"Example-1"}}`)["id"].(string)
	}

	id := user("adele")
	e := next("directory")
	if e["op"] != "created" || e["kind"] != "User" {
		t.Error(e)
	}
	equal("a user", e, ask("/v1.0/users/"+id), "op", "kind")
	group := first("/v1.0/groups")
	do("POST", "/v1.0/groups/"+group+"/members/$ref", `{"@odata.id":"`+url+"/v1.0/users/"+id+`"}`)
	equal("a group", next("directory"), ask("/v1.0/groups/"+group), "op", "kind")
	do("DELETE", "/v1.0/users/"+id, "")
	equal("a deleted user", next("directory"), ask("/v1.0/directory/deletedItems/"+id), "op", "kind")
	do("DELETE", "/v1.0/directory/deletedItems/"+id, "")
	equal("a purged user", next("directory"), map[string]any{"id": id, "op": "purged", "kind": "User"})

	app := first("/v1.0/servicePrincipals")
	jobs := "/v1.0/servicePrincipals/" + app + "/synchronization/jobs"
	job := first(jobs)
	do("POST", jobs+"/"+job+"/start", "")
	equal("a job", next("job"), ask(jobs+"/"+job))
	do("POST", "/sim/cycle", "")
	e = next("log")
	equal("a log record", e, ask("/v1.0/auditLogs/provisioning/"+e["id"].(string)))
	do("POST", "/sim/cycle", "")
	list := ask("/sim/traffic?limit=10000")["exchanges"].([]any)
	equal("an exchange", next("exchange"), list[len(list)-1].(map[string]any))
	equal("the clock", next("clock"), ask("/sim/clock"))
}

// listen reads the events of a stream, topic and data, until the test ends.
func listen(t *testing.T, url string) <-chan [2]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	events := make(chan [2]string, 10_000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(events)
		topic := ""
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			switch name, value, _ := strings.Cut(lines.Text(), ": "); name {
			case "event":
				topic = value
			case "data":
				events <- [2]string{topic, value}
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
	})
	return events
}
