package portal

import (
	"strings"
	"testing"
	"time"

	"entrasim/sim"
)

// Shows: F-033, S-043
func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		number(0): "0", number(999): "999", number(1284): "1,284", number(-1284567): "-1,284,567", plural(1, "member"): "1 member", plural(0, "member"): "0 members",
		milliseconds(0.004): "0.00 ms", milliseconds(0.04): "0.04 ms", milliseconds(0.4): "0.4 ms", milliseconds(3.2): "3 ms", milliseconds(12345): "12,345 ms",
		in(0): "Now", in(20 * time.Second): "In less than a minute", in(11*time.Hour + 15*time.Minute): "In 11 h 15 min", in(6 * time.Hour): "In 6 h", in(72 * time.Hour): "In 3 days",
		initials("Anika de la Fontaine"): "AF", initials("  "): "?", initials("<b>"): "?", initials("жанна"): "Ж",
		enumerate(nil, 3): "", enumerate([]string{"a"}, 3): "a", enumerate([]string{"a", "b", "c"}, 3): "a, b and c", enumerate([]string{"a", "b", "c", "d"}, 2): "a, b and 2 more",
		estimate(45): "up to 4 minutes", estimate(477): "5 to 39 minutes",
		scimPath("https://h.example/scim/Users?filter=a"): "/Users?filter=a", scimPath("https://h.example/x"): "https://h.example/x",
		topMember("name.givenName"): "name", topMember(`emails[type eq "work"].value`): "emails",
		topMember("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"): "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
		quote("it's"): `'it'\''s'`, shown("\u200b\u202e "): "(no visible name)", shown(" a"): " a",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := told(`<i> left: <i>`, `<i>`); got != `<bdi class="told">&lt;i&gt;</bdi> left: &lt;i&gt;` {
		t.Errorf("told: %s", got)
	}
}

func TestStanding(t *testing.T) {
	at := time.Date(2026, 1, 5, 9, 40, 0, 0, time.UTC)
	started := sim.Job{ScheduleState: sim.ScheduleActive, NextCycle: at}
	for _, c := range []struct {
		in   sim.Standing
		job  sim.Job
		want string
	}{
		{sim.Standing{}, started, "Not assigned"},
		{sim.Standing{Entitled: true}, started, "Not active"},
		{sim.Standing{InScope: true, Entitled: true}, sim.Job{}, "In scope"},
		{sim.Standing{InScope: true, Entitled: true}, started, "Due 09:40"},
		{sim.Standing{Link: sim.LinkActive, InScope: true}, started, "In sync"},
		{sim.Standing{Link: sim.LinkActive, InScope: true, Due: true}, started, "Due 09:40"},
		{sim.Standing{Link: sim.LinkDisabled}, started, "Disabled"},
		{sim.Standing{Link: sim.LinkUnmanaged}, started, "Left scope"},
		{sim.Standing{Link: sim.LinkActive, Escrow: &sim.Escrow{Code: "EntryConflict"}}, started, "Failed"},
	} {
		if got := standing(c.in, c.job); got.Text != c.want {
			t.Errorf("%+v: %q, want %q", c.in, got.Text, c.want)
		}
	}
}

// TestAttempts follows a quarantine through its four weeks: what was tried, what is next, and how it ends.
func TestAttempts(t *testing.T) {
	first := time.Date(2026, 1, 5, 9, 40, 0, 0, time.UTC)
	const h = time.Hour
	for _, c := range []struct {
		name  string
		tried []time.Duration
		next  time.Duration
		past  int
		list  string
	}{
		{"imposed", []time.Duration{0}, 6 * h, 1, "first failure; after 6 hours; after 12 hours; after 24 hours; ; after 28 days"},
		{"a forced cycle between", []time.Duration{0, 2 * h}, 6 * h, 2, "first failure; after 2 hours; after 6 hours; after 12 hours; after 24 hours; ; after 28 days"},
		{"after twelve hours", []time.Duration{0, 6 * h, 12 * h}, 24 * h, 3, "first failure; after 6 hours; after 12 hours; after 24 hours; ; after 28 days"},
		{"after ten days", []time.Duration{0, 6 * h, 12 * h, 24 * h, 216 * h, 240 * h}, 264 * h, 4, "first failure; after 24 hours; after 9 days; after 10 days; after 11 days; ; after 28 days"},
		{"given up", []time.Duration{0, 6 * h, 672 * h}, -1, 3, "first failure; after 6 hours; after 28 days; after 28 days"},
	} {
		q := sim.Quarantine{SeriesBegan: first, NextAttempt: first.Add(c.next)}
		for _, d := range c.tried {
			q.CurrentBegan = first.Add(d)
			q.Attempts = append(q.Attempts, sim.QuarantineAttempt{Time: q.CurrentBegan, Reason: sim.QuarantineException})
		}
		upcoming := 1
		if c.next < 0 {
			q.NextAttempt, upcoming = time.Time{}, 0
		}
		past, next := 0, 0
		var after []string
		for _, a := range attempts(q, sim.DefaultLimits(), q.CurrentBegan, 401) {
			if a.Past && a.Answered && a.Status == 401 {
				past++
			}
			if a.Next {
				next++
			}
			after = append(after, a.After)
		}
		if got := strings.Join(after, "; "); past != c.past || next != upcoming || got != c.list {
			t.Errorf("%s: %d past, %d next, %q; want %d, %d, %q", c.name, past, next, got, c.past, upcoming, c.list)
		}
	}
}

func TestQuarantineHeading(t *testing.T) {
	for message, want := range map[string]string{
		"Response Status Code: Unauthorized Response": "the target refuses the secret token", "Response Status Code: Forbidden ": "the target refuses the request",
		"An HTTP/404 Not Found response": "the target has no such address", "id 401-404-403": "the target's answer is not what SCIM asks for",
	} {
		if got := quarantineHeading("SystemForCrossDomainIdentityManagementCredentialValidationFailure", message); got != want {
			t.Errorf("%s: %s", message, got)
		}
	}
}

// TestAttemptsSayWhen: an attempt that was made lies a moment behind its step, and is called like one to come.
func TestAttemptsSayWhen(t *testing.T) {
	began := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	q := sim.Quarantine{SeriesBegan: began, NextAttempt: began.Add(14 * time.Hour)}
	for _, d := range []time.Duration{0, 6*time.Hour + 3*time.Millisecond, 7*time.Hour + 30*time.Minute} {
		q.Attempts = append(q.Attempts, sim.QuarantineAttempt{Time: began.Add(d)})
	}
	for i, want := range []string{"first failure", "after 6 hours", "after 7 h 30 min", "after 14 hours"} {
		if got := attempts(q, sim.Limits{QuarantineEnd: 28 * 24 * time.Hour}, began, 0)[i].After; got != want {
			t.Errorf("%d: %q, want %q", i, got, want)
		}
	}
}

// TestDeeds: what each kind of request is called on the stage.
func TestDeeds(t *testing.T) {
	patch := func(operations string) string { return `{"Operations":[` + operations + `]}` }
	for _, c := range []struct{ method, url, body, object, want, change string }{
		{"GET", "/Users?filter=a", "", "", "Ask if the target answers", ""},
		{"GET", "/Users?filter=a", "", "1", "Look for Ann", ""},
		{"GET", "/Users/1", "", "1", "Read Ann", ""},
		{"POST", "/Users", "{}", "1", "Create Ann", ""},
		{"DELETE", "/Users/1", "", "1", "Delete Ann", ""},
		{"PATCH", "/Users/1", patch(`{"op":"Replace","path":"active","value":"False"}`), "1", "Set Ann to inactive", `active → "False"`},
		{"PATCH", "/Users/1", patch(`{"op":"replace","value":{"active":true}}`), "1", "Set Ann to active", `active → {"active":true}`},
		{"PATCH", "/Users/1", patch(`{"op":"Replace","path":"displayName","value":"Ann B"}`), "1", "Change displayName of Ann", "displayName → Ann B"},
		{"PATCH", "/Users/1", patch(`{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"x"}`), "1", "Change department of Ann", "department → x"},
		{"PATCH", "/Users/1", patch(`{"op":"Add","path":"a","value":"x"},{"op":"Add","path":"b","value":"x"}`), "1", "Change 2 attributes of Ann", ""},
		{"PATCH", "/Groups/1", patch(`{"op":"Add","path":"members","value":[{"value":"1"},{"value":"2"}]}`), "1", "Add 2 members to Ann", ""},
		{"PATCH", "/Groups/1", patch(`{"op":"Remove","path":"members","value":[{"value":"1"}]}`), "1", "Take 1 member out of Ann", ""},
		{"PATCH", "/Groups/1", patch(`{"op":"remove","path":"members[value eq \"1\"]"}`), "1", "Take 1 member out of Ann", ""},
		{"PATCH", "/Users/1", "no JSON", "1", "Change Ann", ""},
	} {
		d := deedOf(exchangeView{Name: "Ann", Exchange: sim.Exchange{Method: c.method, URL: c.url, RequestBody: c.body, Object: c.object, Status: 200}})
		if got := strings.NewReplacer("\u2068", "", "\u2069", "").Replace(d.text()); got != c.want || d.change != c.change {
			t.Errorf("%s %s: %q, %q; want %q, %q", c.method, c.body, got, d.change, c.want, c.change)
		}
	}
	for _, c := range []struct {
		rules []string
		want  string
	}{{[]string{"S-076", "S-210", "W-060"}, "Left scope"}, {[]string{"S-211", "W-060"}, "Gone"}} {
		if d := deedOf(exchangeView{Name: "Crew", Exchange: sim.Exchange{Method: "DELETE", URL: "/Groups/1", Object: "1", Rules: c.rules}}); d.cause != c.want {
			t.Errorf("a DELETE for %v: %s, want %s", c.rules, d.cause, c.want)
		}
	}
	hostile := deedOf(exchangeView{Name: `<script>`, Exchange: sim.Exchange{Method: "POST", URL: "/Users", Object: "1"}})
	if got := string(hostile.html()); strings.Contains(got, "<script>") || !strings.Contains(got, "&lt;script&gt;") {
		t.Errorf("a hostile name: %s", got)
	}
}
