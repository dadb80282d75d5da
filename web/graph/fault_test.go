package graph_test

import (
	"strings"
	"testing"
)

// TestFaults: a fault refuses with Graph's code and carries nothing out, as often as it was told to.
func TestFaults(t *testing.T) {
	w := newWorld(t, "")
	adele := w.user("adele")
	list := func() answer { return w.want(200, "GET", "/sim/graph/faults", nil) }
	w.want(200, "PUT", "/sim/graph/faults", `{"faults":[{"method":"patch","path":"/users/*","status":429,"times":2},{"path":"/groups","status":503,"retryAfter":3,"message":"Back soon."}]}`)
	a := w.want(429, "PATCH", "/v1.0/"+w.dir.Tenant().ID+"/Users/"+adele, `{"jobTitle":"x"}`)
	if a.str("error", "code") != "TooManyRequests" || a.header.Get("Retry-After") != "10" || a.str("error", "message") == "" {
		t.Error(a.text, a.header)
	}
	// The items of a batch meet faults as well.
	a = w.want(200, "POST", "/v1.0/$batch", `{"requests":[{"id":"1","method":"PATCH","url":"/users/`+adele+`","headers":{"Content-Type":"application/json"},"body":{"jobTitle":"y"}}]}`)
	if !strings.Contains(a.text, `"status":429,"headers":{"Retry-After":"10"`) {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/users/"+adele+"?$select=jobTitle", nil); a.at("jobTitle") != nil {
		t.Errorf("carried out: %s", a.text)
	}
	w.want(204, "PATCH", "/v1.0/users/"+adele, `{"jobTitle":"z"}`)
	if a := w.want(503, "GET", "/beta/groups?$top=1", nil); a.str("error", "code") != "ServiceUnavailable" || a.header.Get("Retry-After") != "3" || a.str("error", "message") != "Back soon." {
		t.Error(a.text)
	}
	if a := list(); !strings.Contains(a.text, `"times":2,"hits":2`) || !strings.Contains(a.text, `"times":null,"hits":1`) {
		t.Error(a.text)
	}
	for body, names := range map[string]string{`{}`: "faults", `{"faults":[{"status":200}]}`: "status", `{"faults":[{"status":429,"path":"users"}]}`: "path",
		`{"faults":[{"status":429,"path":"/[","method":"GET"}]}`: "path", `{"faults":[{"status":429,"method":"TRACE"}]}`: "method",
		`{"faults":[{"status":429,"retryAfter":-1}]}`: "retryAfter", `{"faults":[{"status":429,"times":-1}]}`: "times", `{"faults":[{"colour":1}]}`: "colour",
		`{"faults":[{"id":"a","status":500},{"id":"a","status":500}]}`: "twice", `{"faults":[]} x`: "faults"} {
		if a := w.want(400, "PUT", "/sim/graph/faults", body); !strings.Contains(a.text, names) {
			t.Errorf("%s: %s", body, a.text)
		}
	}
	w.want(503, "GET", "/v1.0/groups", nil)
	w.want(204, "POST", "/sim/reset", nil)
	if a := list(); a.text != "{\"faults\":[]}\n" {
		t.Error(a.text)
	}
	w.want(200, "PUT", "/sim/graph/faults", `{"faults":[{"status":418}]}`)
	if a := w.want(418, "GET", "/v1.0/groups", nil); a.str("error", "code") != "UnknownError" {
		t.Error(a.text)
	}
	w.want(204, "DELETE", "/sim/graph/faults", nil)
	w.want(200, "GET", "/v1.0/groups", nil)
	// Faults are behind the token.
	locked := newWorld(t, "the-token")
	locked.want(401, "PUT", "/sim/graph/faults", `{"faults":[{"status":500}]}`)
}
