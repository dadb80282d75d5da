package scenarios

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"entrasim/sim/target"
)

// life is a scenario in which a target can get most things wrong; each step expects what a right target does.
const life = `name: A life
tenant:
  users:
    kim: {manager: lee, mail: kim@contoso.example}
    lee:
  groups:
    ops: {members: [kim, lee]}
    r-d: {displayName: "R&D", members: [kim]}
    two-words: {members: [lee]}
application: {scope: all}
steps:
  - cycle:
    expect: {counts: {create: 5, update: 4}, target: {ops: {members: [kim, lee]}}}
  - update: {kim: {displayName: Kimberly, city: Berlin, country: Germany}, ops: {displayName: Operations}}
    cycle:
    expect: {counts: {update: 2}, target: {kim: {displayName: Kimberly}, ops: {members: [kim, lee]}}}
  - removeMembers: {ops: [kim]}
    cycle:
    expect: {target: {ops: {members: [lee]}}}
  - update: {kim: {accountEnabled: false, manager: null}}
    cycle:
    expect: {target: {kim: {active: false}}}
  - restart:
    cycle:
    expect: {counts: {update: 2, skip: 5}}
  - update: {kim: {accountEnabled: true}}
    cycle:
    expect: {target: {kim: {active: true}}}
`

// TestDiagnoses: a target that does one thing wrong is told which.
func TestDiagnoses(t *testing.T) {
	text := func(s string) *string { return &s }
	for _, c := range []struct {
		id     string
		faults []target.Fault
	}{
		{"", nil},
		{"W-D01", []target.Fault{{Method: "GET", Path: "/Users", Status: 404}}},
		{"W-D02", []target.Fault{{Path: "/Groups", Status: 404}}},
		{"W-D03", []target.Fault{{Ignore: []string{"filter"}}}},
		{"W-D04", []target.Fault{{Method: "GET", Path: "/*", Status: 400}}},
		{"W-D05", []target.Fault{{Method: "GET", Path: "/Groups", Object: "Two Words", Status: 400}}},
		{"W-D43", []target.Fault{{Method: "GET", Path: "/Groups", Object: "R&D", Status: 500}}},
		{"W-D11", []target.Fault{{Method: "PATCH", Path: "/Users/*", Status: 400, Body: text(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","detail":"active is a boolean"}`)}}},
		{"W-D21", []target.Fault{{Method: "PATCH", Path: "/Users/*", Status: 400, Times: new(int)}, {Method: "PATCH", Path: "/Users/*", Status: 422}}},
		{"W-D22", []target.Fault{{Method: "GET", Path: "/Users/*", Rewrite: map[string]any{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager": "17"}}}},
		{"W-D25", []target.Fault{{Hide: []string{"displayName"}}}},
		{"W-D26", []target.Fault{{Method: "GET", Path: "/Users/*", Rewrite: map[string]any{"displayName": "KIM"}}}},
		{"W-D28", []target.Fault{{Ignore: []string{"excludedAttributes"}}}},
		{"W-D30", []target.Fault{{Method: "PATCH", Path: "/Groups/*", Status: 409}}},
		{"W-D31", []target.Fault{{Method: "POST", Hide: []string{"id"}}}},
		{"W-D32", []target.Fault{{Method: "POST", Status: 415}}},
		{"W-D33", []target.Fault{{Headers: map[string]string{"Content-Type": "application/json"}}}},
		{"W-D34", []target.Fault{{Status: 403, Body: text("<html>blocked</html>")}}},
		{"W-D35", []target.Fault{{Method: "PATCH", Status: 405}}},
		{"W-D36", []target.Fault{{Method: "POST", Path: "/Users", Status: 400, Body: text(`{"status":"400","detail":"unknown schema urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}`)}}},
		{"W-D38", []target.Fault{{Method: "POST", Path: "/Users", Status: 400, Body: text(`{"status":"400","detail":"unknown attribute primary"}`)}}},
		{"W-D39", []target.Fault{{Method: "PATCH", Status: 500, Body: text("Internal Server Error")}}},
		{"W-D40", []target.Fault{{Method: "POST", Path: "/Users", Status: 400, Body: text(`{"status":"400","detail":"the user already exists"}`)}}},
		{"W-D41", []target.Fault{{Method: "PATCH", Path: "/Users/*", Status: 204}}},
		{"W-D42", []target.Fault{{Method: "POST", Status: 429}}},
		{"W-D44", []target.Fault{{Method: "GET", Path: "/Users", Body: text(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"resources":[]}`)}}},
	} {
		t.Run(c.id, func(t *testing.T) {
			t.Parallel()
			server, err := target.New(target.Options{Token: "secret", Now: time.Now, Seed: 5})
			if err != nil {
				t.Fatal(err)
			}
			if err := server.SetFaults(c.faults); err != nil {
				t.Fatal(err)
			}
			r := Run(t.Context(), parse(t, life), Handler(server.Handler("default"), "/scim", "secret"), Options{})
			var ids []string
			for _, d := range r.Diagnoses {
				ids = append(ids, d.ID)
				if x, ok := r.exchange(d.Exchange); !ok || x.Method == "" || d.Step == 0 || d.Mistake == "" || d.Requirement == "" {
					t.Errorf("%+v shows nothing", d)
				}
			}
			if c.id == "" {
				if r.Verdict != Passed || len(ids) > 0 {
					t.Errorf("a right target: %s %v\n%s", r.Verdict, ids, failures(r))
				}
				return
			}
			if !slices.Contains(ids, c.id) {
				t.Errorf("told %v\n%s", ids, failures(r))
			}
			if len(ids) > 5 {
				t.Errorf("too much is told: %v", ids)
			}
		})
	}
}

// TestDiagnosesOfOperations: mistakes that depend on what a PATCH says.
func TestDiagnosesOfOperations(t *testing.T) {
	answer := func(w http.ResponseWriter, status int) {
		w.Header().Set("Content-Type", "application/scim+json")
		w.WriteHeader(status)
		if _, err := fmt.Fprintf(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"%d"}`, status); err != nil {
			t.Error(err)
		}
	}
	removal := `"op":"Remove","path":"members"`
	for _, c := range []struct {
		id  string
		bad func(w http.ResponseWriter, r *http.Request, body string, h http.Handler) bool
	}{
		{"W-D14", func(w http.ResponseWriter, r *http.Request, body string, _ http.Handler) bool {
			if strings.Contains(body, removal) {
				answer(w, 400)
				return true
			}
			return false
		}},
		{"W-D13", func(w http.ResponseWriter, r *http.Request, body string, h http.Handler) bool {
			if strings.Contains(body, removal) {
				again := r.Clone(r.Context())
				again.Body = io.NopCloser(strings.NewReader(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"members"}]}`))
				h.ServeHTTP(w, again)
				return true
			}
			return false
		}},
		{"W-D20", func(w http.ResponseWriter, r *http.Request, body string, h http.Handler) bool {
			if strings.Contains(body, `"path":"displayName","value":"Operations"`) {
				again := r.Clone(r.Context())
				again.Body = io.NopCloser(strings.NewReader(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"displayName","value":"Operations"},{"op":"remove","path":"members"}]}`))
				h.ServeHTTP(w, again)
				return true
			}
			return false
		}},
		{"W-D12", func(w http.ResponseWriter, r *http.Request, body string, _ http.Handler) bool {
			if strings.Contains(body, `"op":"Add","path":"active"`) {
				answer(w, 400)
				return true
			}
			return false
		}},
		{"W-D16", func(w http.ResponseWriter, r *http.Request, body string, _ http.Handler) bool {
			if strings.Contains(body, `addresses[type eq`) {
				w.WriteHeader(400)
				if _, err := w.Write([]byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"noTarget"}`)); err != nil {
					t.Error(err)
				}
				return true
			}
			return false
		}},
		{"W-D23", func(w http.ResponseWriter, r *http.Request, body string, _ http.Handler) bool {
			if strings.Contains(body, `"op":"Remove","path":"urn:`) {
				answer(w, 400)
				return true
			}
			return false
		}},
		{"W-D27", func(w http.ResponseWriter, r *http.Request, body string, h http.Handler) bool {
			if r.Method != http.MethodGet || strings.Contains(r.URL.RawQuery, "filter") {
				return false
			}
			held := httptest.NewRecorder()
			h.ServeHTTP(held, r)
			if !strings.Contains(held.Body.String(), `"active":false`) {
				return false
			}
			answer(w, 404)
			return true
		}},
	} {
		t.Run(c.id, func(t *testing.T) {
			server, err := target.New(target.Options{Token: "secret", Now: time.Now, Seed: 5})
			if err != nil {
				t.Fatal(err)
			}
			if c.id == "W-D12" {
				if err := server.SetFaults([]target.Fault{{Method: "GET", Hide: []string{"active"}}}); err != nil {
					t.Fatal(err)
				}
			}
			h := server.Handler("default")
			wrapped := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				r.Body = io.NopCloser(strings.NewReader(string(body)))
				if !c.bad(w, r, string(body), h) {
					h.ServeHTTP(w, r)
				}
			})
			r := Run(t.Context(), parse(t, life), Handler(wrapped, "/scim", "secret"), Options{})
			if !slices.ContainsFunc(r.Diagnoses, func(d Diagnosis) bool { return d.ID == c.id }) {
				t.Errorf("told %+v\n%s", r.Diagnoses, failures(r))
			}
		})
	}
}

// TestMistakesAreTold: each row of the table says what the target does and what Entra needs, under an id of its own.
func TestMistakesAreTold(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range mistakes {
		if seen[m.id] || !strings.HasPrefix(m.id, "W-D") || m.text == "" || m.need == "" || strings.HasSuffix(m.text, ".") {
			t.Errorf("row %s: %q, %q", m.id, m.text, m.need)
		}
		seen[m.id] = true
	}
	if len(seen) < 38 {
		t.Errorf("%d mistakes are known", len(seen))
	}
}
