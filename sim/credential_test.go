package sim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// TestConnectionWords: the codes and messages of a job and of Test Connection, in each of the three cases that both know.
//
// Shows: F-024, W-217
func TestConnectionWords(t *testing.T) {
	const frame = "You appear to have entered invalid credentials. Please confirm you are using the correct information for an administrative account. Error code: SystemForCrossDomainIdentityManagementCredentialValidationUnavailable Details: "
	wrong, none, url := "wrong-token-123", "", "http://127.0.0.1:1/scim"
	for _, c := range []struct {
		name          string
		url, token    *string
		code, message string // of the job
		detail        string
		testCode      string
		test          string // how the test's message begins
		cure          string
	}{
		{"no tenant URL", &none, nil, "SystemForCrossDomainIdentityManagementInvalidCredentials", "Please provide a valid tenant URL for your application.", "the Tenant URL is empty",
			"SystemForCrossDomainIdentityManagementInvalidCredentials", "Please provide a valid tenant URL for your application.", "Enter the Tenant URL"},
		{"wrong token", nil, &wrong, "SystemForCrossDomainIdentityManagementCredentialValidationFailure", "Received response from Web resource. Resource: {base}/scim/Users?… Operation: GET Response Status Code: Unauthorized ", "",
			"CredentialValidationUnavailable", frame + "Received response from Web resource. Resource: {base}/scim/Users?… Operation: GET Response Status Code: Unauthorized ", "refused the token"},
		{"no answer", &url, nil, "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable", "An error occurred while sending the request.", "connection refused",
			"CredentialValidationUnavailable", frame + "An error occurred while sending the request. (", "gave no answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, mapping.Starter(), "")
			base := func(s string) string { return strings.ReplaceAll(s, w.http.URL, "{base}") }
			err := w.svc.TestConnection(t.Context(), w.app.ID, c.url, c.token)
			var e *scim.Error
			if !errors.As(err, &e) || e.Code != c.testCode || !strings.HasPrefix(base(e.Message), c.test) || !strings.Contains(Cure(e.Code, e.Message), c.cure) {
				t.Errorf("Test Connection: %v; cure %q", err, Cure(e.Code, e.Message))
			}
			w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{TenantURL: c.url, SecretToken: c.token}))
			w.no(w.svc.Start(w.app.ID))
			w.advance(0)
			j := w.job()
			for _, got := range []*JobError{j.Status.LastExecution.Error, j.Status.Quarantine.Error} {
				if got.Code != c.code || !strings.HasPrefix(base(got.Message), c.message) || !strings.Contains(got.Detail, c.detail) || !got.TenantActionable || !strings.Contains(Cure(got.Code, got.Message), c.cure) {
					t.Errorf("job: %+v; cure %q", got, Cure(got.Code, got.Message))
				}
				if c.detail != "" && got.Message != c.message {
					t.Errorf("the message %q says more than %q", got.Message, c.message)
				}
			}
		})
	}
}

// TestTokensStayInTheirBucket: a target that echoes the token shows it in no answer of the service: traffic, errors of the
// job, audit, log records.
func TestTokensStayInTheirBucket(t *testing.T) {
	for _, token := range []string{"k3y-9f8e7d", "x", "Contoso Test Tenant"} {
		t.Run(token, func(t *testing.T) {
			w := newWorld(t, mapping.Starter(), "")
			w.assign(w.user("ann").ID)
			w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &token}))
			status := 200
			w.http.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				body := list()
				if status != 200 || r.Method == "POST" {
					body = fmt.Sprintf(`{"detail":"bad header %s"}`, r.Header.Get("Authorization"))
				}
				code := status
				if r.Method == "POST" {
					code = 400
				}
				w.reply(rw, code, body)
			})
			w.no(w.svc.Start(w.app.ID))
			w.cycle()
			status = 401
			w.cycle()
			page, err := w.svc.Logs(LogQuery{})
			w.no(err)
			audit, err := w.svc.Audit("", 100)
			w.no(err)
			all := fmt.Sprintf("%+v %+v %+v %+v", w.svc.Traffic(0, 1000), page, audit, *w.job().Status.Quarantine.Error)
			if !strings.Contains(all, "bad header Bearer ***") {
				t.Errorf("the echo is not shown masked: %s", all)
			}
			if strings.Contains(all, "Bearer "+token) {
				t.Errorf("the token shows: %s", all)
			}
		})
	}
}

// TestEmbeddedTokenIsPublic: the documented token is hidden as a credential and nowhere else; an application of that name
// keeps its messages.
func TestEmbeddedTokenIsPublic(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	token := EmbeddedToken
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &token}))
	ann := w.user("entrasim")
	w.assign(ann.ID)
	w.http.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			w.reply(rw, 400, fmt.Sprintf(`{"detail":"entrasim is no name; %s"}`, r.Header.Get("Authorization")))
			return
		}
		w.reply(rw, 200, list())
	})
	w.no(w.svc.Start(w.app.ID))
	got := w.cycle()
	if len(got) != 2 || got[0] != "GET /Users?filter=userName+eq+%22entrasim%40contoso.example%22" || !strings.Contains(got[1], `"userName":"entrasim@contoso.example"`) {
		t.Errorf("requests %q", got)
	}
	l := w.record(ann.ID)
	if !strings.Contains(l.Reason, `{"detail":"entrasim is no name; Bearer ***"}`) {
		t.Errorf("reason %s", l.Reason)
	}
}
