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

	"entrasim/sim"
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
				var j sim.Job
				if err := json.Unmarshal([]byte(value), &j); err != nil || j.ApplicationID != app || j.ID == "" {
					t.Fatalf("a job: %v: %.300s", err, value)
				}
				deleted = j.Deleted
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
