package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"entrasim/sim/mapping"
)

// record returns the newest record about an object.
func (w *world) record(id string) LogRecord {
	w.t.Helper()
	page, err := w.svc.Logs(LogQuery{ObjectID: id, Limit: 1})
	w.no(err)
	if len(page.Items) == 0 {
		w.t.Fatalf("no record of %s", id)
	}
	return page.Items[0]
}

// reply answers with a SCIM body.
func (w *world) reply(rw http.ResponseWriter, status int, body string) bool {
	rw.Header().Set("Content-Type", "application/scim+json")
	rw.WriteHeader(status)
	if _, err := rw.Write([]byte(body)); err != nil {
		w.t.Log(err)
	}
	return true
}

func stepNames(l LogRecord) string {
	var names []string
	for _, s := range l.Steps {
		names = append(names, s.Name+" "+string(s.Status))
	}
	return strings.Join(names, ", ")
}

func list(resources ...string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":%d,"Resources":[%s]}`, len(resources), strings.Join(resources, ","))
}

// TestFailedMatch: what the log says of a match that failed, whatever it failed on. No step tells of an object that was
// read, nothing is written, and the next cycle tries again.
//
// Shows: W-214
func TestFailedMatch(t *testing.T) {
	const unread = "Failed to match an entry in the source and target systems User 'ann@contoso.example'; Error: We are not able to deserialize the resource received from your SCIM endpoint because your SCIM endpoint is not fully compatible with the Azure Active Directory SCIM client. Here is the resource we received from your SCIM endpoint: "
	const other = "SystemForCrossDomainIdentityManagement"
	for _, c := range []struct {
		name         string
		group        bool
		status       int
		body         string
		code, reason string // reason is how it begins
		detail       string
		found        string
	}{
		{"a page", false, 200, "<html>sign in</html>", other + "ServiceIncompatible", unread + "<html>sign in</html>", "invalid character '<' looking for beginning of value", ""},
		{"a hit without the attribute", false, 200, list(`{"id":"7","active":true}`), other + "ServiceIncompatible", unread + list(`{"id":"7","active":true}`), `the object returned has no userName; "ann@contoso.example" was asked for`, ""},
		{"a hit with another value", false, 200, list(`{"id":"7","userName":"bob"}`), other + "ServiceIncompatible", unread, `the object returned has the userName "bob"; "ann@contoso.example" was asked for`, ""},
		{"a server error", false, 500, "oops", other + "ServerError", "Received response from Web resource. Resource: {base}/scim/Users?… Operation: GET Response Status Code: InternalServerError Response Headers: ", "", ""},
		{"no list", false, 404, "", other + "ServiceIncompatible", "Received response from Web resource.", "", ""},
		{"two users", false, 200, list(`{"id":"7","userName":"ann@contoso.example"}`, `{"id":"8","userName":"ANN@contoso.example"}`), "DuplicateTargetEntries", "The target returned 2 objects whose userName is", "", "2"},
		{"two groups", true, 200, list(`{"id":"7","displayName":"Ops"}`, `{"id":"8","displayName":"ops"}`), "DuplicateTargetEntries", "The target returned 2 objects whose displayName is", "", "2"},
		{"groups, the filter is ignored", true, 200, list(`{"id":"7","displayName":"A"}`, `{"id":"8","displayName":"B"}`), other + "MultipleEntriesInResponse", "Multiple entries were found to match this value, when no more than one was expected", `displayName "Ops" was asked for and 2 groups came, among them such as have another value: the filter is ignored`, "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, mapping.Starter(), "")
			id, path := w.user("ann").ID, "/scim/Users"
			if c.group {
				id, path = w.group("Ops").ID, "/scim/Groups"
			}
			w.assign(id)
			broken := true
			w.before(func(rw http.ResponseWriter, r *http.Request, _ string) bool {
				asked := strings.Contains(r.URL.RawQuery, "ann") || strings.Contains(r.URL.RawQuery, "Ops")
				return broken && r.URL.Path == path && asked && w.reply(rw, c.status, c.body)
			})
			w.no(w.svc.Start(w.app.ID))
			if got := w.cycle(); len(got) != 1 || !strings.HasPrefix(got[0], "GET ") {
				t.Errorf("requests: %v", got)
			}
			l := w.record(id)
			if got, want := stepNames(l), "EntryImport success, EntrySynchronizationScoping success, EntrySynchronizationError failure"; got != want {
				t.Errorf("steps: %s, want %s", got, want)
			}
			step := l.Steps[len(l.Steps)-1]
			if step.Type != "matching" || step.Description != l.Reason {
				t.Errorf("step %+v", step)
			}
			for _, d := range step.Details {
				if d.Key == "ObjectsFound" && d.Value != c.found || d.Key == "Detail" && d.Value != c.detail {
					t.Errorf("detail %+v", d)
				}
			}
			if l.ErrorCode != c.code || l.Status != Failure || !strings.HasPrefix(strings.ReplaceAll(l.Reason, w.http.URL, "{base}"), c.reason) || l.Detail != c.detail {
				t.Errorf("%s %s\n%s\n%s", l.Status, l.ErrorCode, l.Reason, l.Detail)
			}
			if strings.Contains(l.Reason, "It will be retried") {
				t.Errorf("a read says when it is retried: %s", l.Reason)
			}
			if l.NextRetry == nil || !l.NextRetry.Equal(start.Add(40*time.Minute)) || l.Attempts != 1 {
				t.Errorf("next retry %v after %d attempts", l.NextRetry, l.Attempts)
			}
			broken = false
			if w.cycle(); w.record(id).Status != Success || w.escrows() != 0 {
				t.Errorf("the next cycle: %+v", w.record(id))
			}
		})
	}
}

// TestFailedWrite: the message of a refused write ends with the number of repeats and the next try, which is when the
// backoff says it is; the record counts the attempts.
//
// Shows: S-144, W-210
func TestFailedWrite(t *testing.T) {
	const frame = `StatusCode: BadRequest Message: Processing of the HTTP request resulted in an exception. Please see the HTTP response returned by the 'Response' property of this exception for details. Web Response: {"detail":"no"}. This operation was retried 0 times. It will be retried again after this date: `
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	ops := w.group("Ops", ann.ID)
	w.assign(ann.ID, ops.ID)
	member := false
	w.before(func(rw http.ResponseWriter, r *http.Request, body string) bool {
		return r.Method == "POST" && strings.Contains(body, "ann@") && !member && w.reply(rw, 400, `{"detail":"no"}`) ||
			r.Method == "PATCH" && strings.Contains(body, "members") && w.reply(rw, 400, `{"detail":"no"}`)
	})
	w.no(w.svc.Start(w.app.ID))
	for i, want := range []struct {
		after    time.Duration // of the cycle
		due      string
		attempts int
	}{
		{0, "2026-01-05T09:40:00.0000000Z", 1},                  // the next cycle
		{40 * time.Minute, "2026-01-05T11:00:00.0000000Z", 2},   // 80 minutes behind the first retry
		{120 * time.Minute, "2026-01-05T13:40:00.0000000Z", 3},  // 160 minutes behind the second
		{280 * time.Minute, "2026-01-05T19:00:00.0000000Z", 4},  // 320 minutes
		{600 * time.Minute, "2026-01-06T05:40:00.0000000Z", 5},  // 640 minutes
		{1240 * time.Minute, "2026-01-07T03:00:00.0000000Z", 6}, // 1,280 minutes
		{2520 * time.Minute, "2026-01-08T03:00:00.0000000Z", 7}, // a day
	} {
		w.advance(start.Add(want.after).Sub(w.clock.Now()))
		l := w.record(ann.ID)
		if l.Reason != frame+want.due+" UTC" || l.Attempts != want.attempts || l.NextRetry.UTC().Format(retryFormat) != want.due {
			t.Fatalf("try %d at %v: attempt %d, %v\n%s\nwant %s", i+1, w.clock.Now(), l.Attempts, l.NextRetry, l.Reason, want.due)
		}
		if got := stepNames(l); !strings.HasSuffix(got, "EntrySynchronizationAdd success, EntryExportAdd failure") {
			t.Errorf("steps %s", got)
		}
		if last := l.Steps[len(l.Steps)-1]; last.Details[len(last.Details)-1] != (Detail{"Message", l.Reason}) {
			t.Errorf("the export step says %+v", last.Details)
		}
	}
	// A membership says the same.
	member = true
	w.edit(ann.ID, "displayName", "Ann Ace")
	w.cycle()
	if l := w.record(ops.ID); l.Status != Failure || !strings.HasPrefix(l.Reason, frame) || l.NextRetry == nil || l.Attempts != 1 {
		t.Errorf("member: %+v", l)
	}
}

// TestNoAnswerIsTold: the message is the documented one, what happened stands beside it, and both are in the record.
func TestNoAnswerIsTold(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	w.assign(ann.ID)
	w.before(func(rw http.ResponseWriter, r *http.Request, _ string) bool {
		if r.Method == "POST" {
			panic(http.ErrAbortHandler)
		}
		return false
	})
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	l := w.record(ann.ID)
	if l.ErrorCode != "WebExceptionProtocolError" || l.Detail != "the connection was closed before an answer came." ||
		l.Reason != "An error occurred while sending the request. This operation was retried 0 times. It will be retried again after this date: 2026-01-05T09:40:00.0000000Z UTC" {
		t.Errorf("%s\n%s\n%s", l.ErrorCode, l.Reason, l.Detail)
	}
	if !strings.Contains(l.Sentence, "(the connection was closed before an answer came)") {
		t.Errorf("sentence %s", l.Sentence)
	}
}

// TestScopeResultIsJSON: whatever a scoping filter is called, the log's result of it is JSON that says so.
//
// Shows: S-133
func TestScopeResultIsJSON(t *testing.T) {
	for _, title := range []string{"Sales", `a "b" \c`, "tab\tline\nbell\a", "\x7f\u0085\u2028\U000e0001🙂", "<&>"} {
		s := mapping.Starter()
		s.ObjectMapping("User").Scope = &mapping.FilterDocument{Groups: []mapping.FilterGroup{{Name: title, Clauses: []mapping.FilterClause{
			{SourceOperandName: "department", OperatorName: "EQUALS", TargetOperand: &mapping.FilterValues{Values: []string{title}}}}}}}
		w := newWorld(t, s, "")
		ann := w.user("ann")
		w.assign(ann.ID)
		w.no(w.svc.Start(w.app.ID))
		w.cycle()
		for _, step := range w.record(ann.ID).Steps {
			for _, d := range step.Details {
				if d.Key != "ScopeEvaluationResult" {
					continue
				}
				var got map[string]bool
				if err := json.Unmarshal([]byte(d.Value), &got); err != nil || len(got) != 1 {
					t.Fatalf("%q: %s: %v", title, d.Value, err)
				}
				want := fmt.Sprintf("%s.department EQUALS '%s'", title, title)
				if pass, ok := got[want]; !ok || pass {
					t.Errorf("%q: %s", title, d.Value)
				}
			}
		}
	}
}
