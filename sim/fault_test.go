package sim

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// TestBrokenTargets plays targets that fail the probe: the job is quarantined with Entra's code, the audit log says so, no
// object is touched, and the file's other job goes on (application-provisioning-quarantine-status.md).
//
// Shows: F-021, S-005, W-045, W-217
func TestBrokenTargets(t *testing.T) {
	list := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"Resources":[]}`
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if status == 0 && strings.Contains(r.URL.Path, "/Groups") {
				w.WriteHeader(404)
				return
			}
			if status != 0 {
				w.WriteHeader(status)
			}
			if _, err := w.Write([]byte(body)); err != nil {
				t.Log(err)
			}
		}
	}
	const failure, unavailable = "SystemForCrossDomainIdentityManagementCredentialValidationFailure", "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable"
	for _, c := range []struct {
		name    string
		handler http.Handler
		tls     bool
		down    bool
		code    string
		text    string
		cure    string
	}{
		{"HTML", answer(200, "<html>sign in</html>"), false, false, failure, "[HTML]", "200 and a SCIM list"},
		{"no Groups", answer(0, list), false, false, failure, "HTTP/404", "no such address"},
		{"server error", answer(503, ""), false, false, failure, "ServiceUnavailable", "200 and a SCIM list"},
		{"wrong token", answer(401, ""), false, false, failure, "Unauthorized", "refused the token"},
		{"forbidden", answer(403, ""), false, false, failure, "Forbidden", "refuses the request"},
		{"down", answer(200, ""), false, true, unavailable, "An error occurred while sending the request.", "gave no answer"},
		{"unknown certificate", answer(200, list), true, false, unavailable, "certificate", "gave no answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, mapping.Starter(), "")
			ann := w.user("ann")
			w.assign(ann.ID)
			w.no(w.svc.Start(w.app.ID))
			server := httptest.NewUnstartedServer(c.handler)
			server.Config.ErrorLog = nil
			if c.tls {
				server.StartTLS()
			} else {
				server.Start()
			}
			defer server.Close()
			if c.down {
				server.Close()
			}
			other, err := w.svc.CreateApplication("Broken")
			w.no(err)
			url, token := server.URL+"/scim", "secret-token"
			_, err = w.svc.CreateJob(other.ID, SettingsEdit{TenantURL: &url, SecretToken: &token})
			w.no(err)
			_, err = w.svc.Assign(other.ID, ann.ID, "")
			w.no(err)
			w.no(w.svc.Start(other.ID))
			cycles := w.advance(time.Minute)
			if len(cycles) != 2 {
				t.Fatalf("%d cycles", len(cycles))
			}
			j, err := w.svc.Job(other.ID)
			w.no(err)
			q := j.Status.Quarantine
			if q == nil || q.Error.Code != c.code || !strings.Contains(q.Error.Text(), c.text) || !strings.Contains(Cure(q.Error.Code, q.Error.Message), c.cure) {
				t.Fatalf("quarantine %+v, error %+v", q, j.Status.LastExecution.Error)
			}
			var tested *scim.Error
			if err := w.svc.TestConnection(t.Context(), other.ID, nil, nil); !errors.As(err, &tested) || !strings.Contains(Cure(tested.Code, tested.Message), c.cure) {
				t.Errorf("test of the connection: %v; want the cure %q", err, c.cure)
			}
			if logs, err := w.svc.Logs(LogQuery{ApplicationID: other.ID}); err != nil || len(logs.Items) != 0 {
				t.Errorf("%d records about objects, %v", len(logs.Items), err)
			}
			audit, err := w.svc.Audit("", 10)
			w.no(err)
			if audit.Items[0].Activity != "Quarantine" || !strings.Contains(audit.Items[0].Detail, c.code) {
				t.Errorf("audit: %+v", audit.Items[0])
			}
			if good, err := w.svc.Job(w.app.ID); err != nil || good.Status.Code != StatusActive || good.LastCycle.Counts.Create != 1 {
				t.Errorf("the other job: %+v %v", good.Status, err)
			}
		})
	}
}

// TestFailedObjectWaitsAndIsTriedAgain: one object that the target refuses fails alone, is retried with the next cycle, and
// its success settles it.
func TestFailedObjectWaitsAndIsTriedAgain(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob := w.user("ann"), w.user("bob")
	w.assign(ann.ID, bob.ID)
	refuse := true
	inner := w.http.Config.Handler
	w.http.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if refuse && r.Method == "POST" && r.ContentLength > 0 && w.svc != nil {
			refuse = false
			rw.WriteHeader(500)
			return
		}
		inner.ServeHTTP(rw, r)
	})
	w.no(w.svc.Start(w.app.ID))
	c := w.advance(time.Minute)
	if len(c) != 1 || c[0].State != EntryLevelErrors || c[0].Counts.Create != 1 || c[0].Counts.Fail != 1 {
		t.Fatalf("first cycle %+v", c)
	}
	c = w.advance(41 * time.Minute)
	if len(c) != 1 || c[0].State != Succeeded || c[0].Counts.Create != 1 {
		t.Fatalf("second cycle %+v", c)
	}
	if j, err := w.svc.Job(w.app.ID); err != nil || j.Escrows != 0 {
		t.Fatalf("%d escrows, %v", j.Escrows, err)
	}
	if got := w.state(); got != "Ann active=true, Bob active=true" {
		t.Errorf("target holds %s", got)
	}
}
