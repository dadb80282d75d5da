package scenarios

import (
	"fmt"
	"strings"
	"testing"
)

const demandFile = `name: x
tenant: {users: {ann, bob}, groups: {ops: {members: [ann]}}}
application: {template: guide, assigned: [ann, ops], started: false}
steps:
  - onDemand: ann
    expect: {onDemand: %s}
`

// TestDemandExpectations: what is expected of a run on demand holds, and each part of it can fail.
func TestDemandExpectations(t *testing.T) {
	const right = `{result: Success, done: create, connection: success, import: success, scope: success, match: success, action: success, ` +
		`shows: {import: "userPrincipalName: ann@contoso.example"}, modified: {userName: {old: absent, new: ann@contoso.example}, active: "True", displayName: Ann, externalId: "{ann.objectId}"}}`
	play := func(expect string) Result {
		t.Helper()
		s, err := Parse("x.yaml", fmt.Appendf(nil, demandFile, expect))
		if err != nil {
			t.Fatal(err)
		}
		return Run(t.Context(), s, Target{}, Options{})
	}
	if r := play(right); r.Verdict != Passed {
		t.Fatalf("%s\n%s", r.Reason, failures(r))
	}
	for _, change := range [][2]string{
		{"result: Success", "result: Skipped"}, {"done: create", "done: update"}, {"connection: success", "connection: failure"}, {"import: success", "import: none"},
		{"scope: success", "scope: skipped"}, {"match: success", "match: none"}, {"action: success", "action: failure"},
		{"userPrincipalName: ann@", "userPrincipalName: bob@"}, {"old: absent", "old: Ann"}, {"new: ann@contoso.example", "new: absent"},
		{`active: "True", `, ""}, {"displayName: Ann", "displayName: Ann, title: Pilot"}, {"done: create", "done: create, code: RedundantExport"},
	} {
		wrong := strings.Replace(right, change[0], change[1], 1)
		if wrong == right {
			t.Fatalf("%q is not there", change[0])
		}
		if r := play(wrong); r.Verdict != Failed || len(r.Steps[0].Failures()) != 1 {
			t.Errorf("%s for %s: %s %s\n%s", change[1], change[0], r.Verdict, r.Reason, failures(r))
		}
	}
}

// TestDemandMistakes: a mistake is found before anything runs, where it is.
func TestDemandMistakes(t *testing.T) {
	for _, c := range []struct{ step, want string }{
		{"  - onDemand: anne", `6:15: nobody is called "anne" here`},
		{"  - onDemand:", "object is missing"},
		{"  - onDemand: {object: ann, members: [bob]}", "ann is no group"},
		{"  - onDemand: {object: ops, members: [ops]}", "ops is no user"},
		{"  - onDemand: {object: ops, members: [ann, bob, c, d, e, f]}", "5 members at most"},
		{"  - purge: bob\n  - onDemand: bob", "bob was deleted for good before"},
		{"  - cycle:\n    expect: {onDemand: Success}", "onDemand can't be seen here: nothing is provisioned on demand in this step"},
		{"  - onDemand: ann\n    expect: {cycles: 0}", "cycles can't be seen here: no cycle runs in this step"},
		{"  - onDemand: ann\n    expect: {counts: {create: 1}}", "counts can't be seen here"},
		{"  - onDemand: ann\n    expect: {onDemand: }", "onDemand is empty"},
		{"  - onDemand: ann\n    expect: {onDemand: success}", "did you mean Success?"},
		{"  - onDemand: ann\n    expect: {onDemand: {shows: {scpoe: x}}}", "did you mean scope?"},
		{"  - onDemand: ann\n    expect: {onDemand: {modified: {title: }}}", "title says nothing"},
	} {
		file := "name: x\ntenant:\n  users: {ann, bob, c, d, e, f}\n  groups: {ops: {members: [ann]}}\nsteps:\n" + c.step + "\n"
		_, err := Parse("x.yaml", []byte(file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n%v\nwant %s", c.step, err, c.want)
		}
	}
}

// TestDemandUpdate: what a run answered is written into the file.
func TestDemandUpdate(t *testing.T) {
	s, err := Parse("x.yaml", fmt.Appendf(nil, demandFile, "{result: Success, done: update, match: none}"))
	if err != nil {
		t.Fatal(err)
	}
	got, left, err := Update(Run(t.Context(), s, Target{}, Options{}))
	if want := fmt.Sprintf(demandFile, "{result: Success, done: create, match: success}"); err != nil || len(left) > 0 || string(got) != want {
		t.Errorf("%v %v\n%s", err, left, got)
	}
}
