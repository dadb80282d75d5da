package scenarios

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"entrasim/sim"
	"entrasim/sim/junit"
)

const hostile = `name: "<script>alert(1)</script> & ]]> ::error::"
narration: "<img src=x onerror=alert(2)>"
tenant:
  users:
    ann: {displayName: "</pre><script>alert(3)</script>"}
application: {template: guide, assigned: [ann]}
steps:
  - say: "50% of \"it\",\nwith: <b>signs</b>"
    cycle:
    expect:
      requests:
        - GET /Users?filter=userName eq "ann@contoso.example"
        - POST /Users: {displayName: Ann}
      counts: {create: 1}
  - purge: ann
    cycle:
    expect: {requests: ['DELETE /Users/{ann}']}
`

// results plays a scenario that fails, one that passes, one that is skipped and one that is broken.
func results(t *testing.T) []Result {
	t.Helper()
	failing, err := Parse("files/<a>.yaml", []byte(hostile))
	if err != nil {
		t.Fatal(err)
	}
	failing.ID = "files/a"
	passing, err := Builtin("deprovisioning/blocked")
	if err != nil {
		t.Fatal(err)
	}
	faulty, err := Builtin("faults/forbidden")
	if err != nil {
		t.Fatal(err)
	}
	broken, err := Parse("b.yaml", []byte("name: Broken\ntenant: {users: {ann}}\napplication: {assigned: [ann], started: false}\nsteps: [{cycle: , expect: {counts: {}}}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	broken.ID = "b"
	list := []Result{
		Run(t.Context(), failing, Target{}, Options{}), Run(t.Context(), passing, Target{}, Options{}),
		Run(t.Context(), faulty, Handler(nil404{}, "/scim", ""), Options{}), Run(t.Context(), broken, Target{}, Options{}),
	}
	for i, want := range []Verdict{Failed, Passed, Skipped, Broken} {
		if list[i].Verdict != want {
			t.Fatalf("result %d is %s (%s), want %s", i, list[i].Verdict, list[i].Reason, want)
		}
	}
	return list
}

func TestPrint(t *testing.T) {
	var b bytes.Buffer
	var tally Tally
	for _, r := range results(t) {
		tally.Add(r)
		if err := Print(&b, r, Style{}); err != nil {
			t.Fatal(err)
		}
	}
	text := b.String()
	for _, want := range []string{
		"✗ files/a  <script>", "files/<a>.yaml:13:11: requests: body.displayName: expected \"Ann\", seen \"</pre><script>alert(3)</script>\"",
		"exchange 4: POST http://target.test/scim/Users", "✓ deprovisioning/blocked", "– faults/forbidden", "skipped: it needs faults", "b.yaml:4:9: cycle: no cycle ran: provisioning is not started",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "\x1b") || tally.String() != "1 passed, 2 failed, 1 skipped" {
		t.Errorf("colours without a terminal, or tally %s", tally)
	}
	b.Reset()
	if err := Print(&b, results(t)[0], Style{Colour: true, Verbose: true}); err != nil || !strings.Contains(b.String(), "\x1b[31m✗\x1b[0m") || !strings.Contains(b.String(), "POST /Users  201") {
		t.Errorf("%v %s", err, b.String())
	}
}

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := JUnit(&b, results(t)); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suites   []struct {
			Cases []junit.Case `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	if got.Tests != 7 || got.Failures != 1 || got.Errors != 1 || got.Skipped != 1 || len(got.Suites) != 4 {
		t.Errorf("%d tests, %d failures, %d errors, %d skipped", got.Tests, got.Failures, got.Errors, got.Skipped)
	}
	c := got.Suites[0].Cases[0]
	if c.File != "files/<a>.yaml" || c.Line != 8 || c.Failure == nil || !strings.Contains(c.Failure.Text, "expected \"Ann\"") || !strings.HasPrefix(c.Name, `1. 50% of "it", with: <b>`) {
		t.Errorf("case %+v", c)
	}
	// Only what XML may hold stands in it.
	d := xml.NewDecoder(&b)
	d.Strict = true
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestJSONReport(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, results(t)); err != nil {
		t.Fatal(err)
	}
	var got jsonReport
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Passed != 1 || got.Failed != 2 || got.Skipped != 1 || len(got.Scenarios) != 4 {
		t.Errorf("%+v", got)
	}
	check := got.Scenarios[0].Steps[0].Checks[0]
	if check.Verdict != Failed || check.Line != 13 || check.Exchange != 4 || len(check.Diff) == 0 || len(got.Scenarios[0].Steps[0].Exchanges) != 4 {
		t.Errorf("check %+v of %d exchanges", check, len(got.Scenarios[0].Steps[0].Exchanges))
	}
}

func TestHTML(t *testing.T) {
	var b bytes.Buffer
	if err := HTML(&b, results(t)); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"1 passed, 2 failed, 1 skipped", "&lt;script&gt;alert(1)", "body.displayName", "POST /Users", "Source: how-provisioning-works.md", `class="pill failed"`, "&#34;externalId&#34;"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, bad := range []string{"<script", "<img", ` src="`, `href="http`, "@import", "url("} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

func TestAnnotate(t *testing.T) {
	var b bytes.Buffer
	for _, r := range results(t) {
		if err := Annotate(&b, r); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "::error file=files/<a>.yaml,line=13,col=11,title=files/a::step 1 (50%25 of") || !strings.HasPrefix(lines[1], "::error file=b.yaml,line=4,col=9,") {
		t.Errorf("%s", b.String())
	}
}

// TestHAR: every exchange is in the archive, in order, and the token is in none of them.
func TestHAR(t *testing.T) {
	r := results(t)[1]
	data, err := json.Marshal(sim.NewHAR(r.Exchanges()))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Log struct {
			Version string
			Entries []struct {
				Request  struct{ Method, URL string }
				Response struct{ Status int }
			}
		}
	}
	if err := json.Unmarshal(data, &got); err != nil || got.Log.Version != "1.2" || len(got.Log.Entries) != len(r.Exchanges()) {
		t.Errorf("%v, %d entries of %d", err, len(got.Log.Entries), len(r.Exchanges()))
	}
	if bytes.Contains(data, []byte("Bearer "+sim.EmbeddedToken)) {
		t.Error("the token is in the archive")
	}
}

// TestCycleFails: that a target refuses the token is told, with its answer, in each report of a step that fails by it.
func TestCycleFails(t *testing.T) {
	s := parsed(t, "name: x\ntenant: {users: {ann}}\napplication: {template: guide, scope: all, token: wrong}\nsteps:\n  - cycle:\n    expect: {counts: {create: 1}}\n")
	r := Run(t.Context(), s, Target{}, Options{})
	for name, report := range map[string]func(io.Writer) error{
		"text":        func(w io.Writer) error { return Print(w, r, Style{}) },
		"junit":       func(w io.Writer) error { return JUnit(w, []Result{r}) },
		"json":        func(w io.Writer) error { return JSON(w, []Result{r}) },
		"html":        func(w io.Writer) error { return HTML(w, []Result{r}) },
		"annotations": func(w io.Writer) error { return Annotate(w, r) },
	} {
		var b bytes.Buffer
		if err := report(&b); err != nil {
			t.Fatal(err)
		}
		if text := b.String(); !strings.Contains(text, "the cycle failed: SystemForCrossDomainIdentityManagementCredentialValidationFailure; GET") && name != "json" || !strings.Contains(text, "CredentialValidationFailure") || !strings.Contains(text, "401") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

// TestFailuresAreExplained: a step that fails says why its objects failed, in words that are not in the code, and a cycle that
// failed without a refusal why; what a target answers reaches a terminal as text.
func TestFailuresAreExplained(t *testing.T) {
	const head = "name: x\ntenant: {users: {ann}}\napplication: {template: guide, scope: all}\ntarget:\n  faults: ["
	const tail = "]\nsteps:\n  - cycle:\n    expect: {log: [ann: create success]}\n"
	for _, c := range []struct{ fault, want string }{
		{`{method: POST, path: /Users, status: 201, body: '{"id":"1","active":"True"}'}`, "      Ann failed: active is text; expected a Boolean\n"},
		{`{method: POST, path: /Users, status: 400, body: "no\e[31m"}`, "      Ann failed: StatusCode: BadRequest Message: Processing"},
		{`{method: GET, path: /Users, status: 200, body: '{"schemas":["x"],"totalResults":"0","Resources":[]}'}`, "CredentialValidationFailure: totalResults is text; expected a number\n"},
		{`{method: GET, path: /Users, status: 200, headers: {Content-Encoding: gzip}, body: "\x1f\x8b\e[31m"}`, "CredentialValidationFailure: the answer is encoded as gzip, which no Accept-Encoding asked for\n"},
	} {
		r := Run(t.Context(), parsed(t, head+c.fault+tail), Target{}, Options{})
		var b bytes.Buffer
		if err := Print(&b, r, Style{}); err != nil {
			t.Fatal(err)
		}
		if text := b.String(); !strings.Contains(text, c.want) || strings.ContainsAny(text, "\x1f\x1b") {
			t.Errorf("%s: %q is missing, or a control character is there, in\n%q", c.fault, c.want, text)
		}
	}
}
