package web_test

import (
	"encoding/json"
	"strings"
	"testing"

	"entrasim/sim/clock"
)

// TestFaults: what is put is in force, is counted, and goes with a DELETE and with a reset of the target.
func TestFaults(t *testing.T) {
	url := serveWith(t, "", clock.Manual)
	ask := func() (int, string) {
		return get(t, url+"/scim/Users", "Authorization", "Bearer entrasim")
	}
	status, body := send(t, "PUT", url+"/sim/faults", `{"faults":[{"method":"GET","path":"/Users","status":429,"headers":{"Retry-After":"7"},"times":1},{"delay":"PT2M"}]}`)
	if status != 200 || !strings.Contains(body, `"delay":"2m0s"`) {
		t.Fatalf("PUT: %d %s", status, body)
	}
	if status, body := ask(); status != 429 {
		t.Errorf("the first request: %d %s", status, body)
	}
	if status, body := ask(); status != 200 {
		t.Errorf("the second request: %d %s", status, body)
	}
	var list struct {
		Faults []struct {
			ID    string
			Times *int
			Hits  int
		}
	}
	_, body = get(t, url+"/sim/faults")
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Faults) != 2 || list.Faults[0].Hits != 1 || list.Faults[1].Hits != 1 || list.Faults[1].Times != nil {
		t.Errorf("GET: %s %v", body, err)
	}
	for _, bad := range []string{`{}`, `{"faults":[{"status":7}]}`, `{"faults":[{"code":500}]}`, `{"faults":[{"status":500,"times":"many"}]}`} {
		if status, body := send(t, "PUT", url+"/sim/faults", bad); status != 400 {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
	if status, _ := send(t, "DELETE", url+"/sim/faults", ""); status != 204 {
		t.Errorf("DELETE: %d", status)
	}
	if _, body := get(t, url+"/sim/faults"); strings.TrimSpace(body) != `{"faults":[]}` {
		t.Errorf("after DELETE: %s", body)
	}
}

// TestScenarioSchema: editors find the schema of scenario files.
func TestScenarioSchema(t *testing.T) {
	url := serveWith(t, "", clock.Manual)
	status, body := get(t, url+"/sim/scenario.schema.json")
	var schema struct {
		Schema string         `json:"$schema"`
		Defs   map[string]any `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(body), &schema); err != nil || status != 200 || !strings.Contains(schema.Schema, "2020-12") || schema.Defs["Step"] == nil {
		t.Errorf("%d %v %.200s", status, err, body)
	}
}
