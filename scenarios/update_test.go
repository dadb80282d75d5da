package scenarios

import (
	"regexp"
	"strings"
	"testing"
)

const outdated = `# A comment at the top.
name: Outdated
tenant:
  users: {ann, bob}   # two people
  groups: {ops: {members: [ann]}}
application: {template: guide, scope: all}

steps:
  - cycle:
    expect:
      requests:
        # Ann comes first.
        - GET /Users?filter=userName eq "anne@contoso.example" # a wrong name
        - POST /Users: {userName: ann@contoso.example, active: false}
        - GET /Users?filter=userName eq "bob@contoso.example"
        - POST /Users

        # Groups follow.
        - GET /Groups?excludedAttributes=members&filter=displayName eq "Ops"
        - DELETE /Groups/{ops}
        - PATCH /Groups/{ops}: {Operations: [{op: Add, path: members, value: [{value: "{bob}"}]}]}
      counts: {create: 2}   # too few
      cycles: [initial Failed]
      log: [ann: create failure, bob: create success]
      target:
        ann: {active: false}   # she is not
        ops: {members: [bob]}
        users: 7
      job: {status: Paused, nextCycle: 1h}
  # Between the steps.
  - update: {bob: {accountEnabled: false}}
    cycle:
    expect:
      requests: []
      passes: 5s
`

const updated = `# A comment at the top.
name: Outdated
tenant:
  users: {ann, bob}   # two people
  groups: {ops: {members: [ann]}}
application: {template: guide, scope: all}

steps:
  - cycle:
    expect:
      requests:
        # Ann comes first.
        - GET /Users?filter=userName eq "ann@contoso.example" # a wrong name
        - POST /Users: {userName: ann@contoso.example, active: true}
        - GET /Users?filter=userName eq "bob@contoso.example"
        - POST /Users

        # Groups follow.
        - GET /Groups?excludedAttributes=members&filter=displayName eq "Ops"
        - POST /Groups: {displayName: Ops, externalId: "{ops.objectId}", members: []}
        - PATCH /Groups/{ops}: {Operations: [{op: Add, path: members, value: [{value: "{ann}"}]}]}
      counts: {create: 3, update: 1}   # too few
      cycles: [initial Succeeded]
      log:
        - ann: create success
        - bob: create success
        - ops: create success
        - ops: update success
      target:
        ann: {active: true}   # she is not
        ops: {members: [ann]}
        users: 2
      job: {status: Active, nextCycle: 40m}
  # Between the steps.
  - update: {bob: {accountEnabled: false}}
    cycle:
    expect:
      requests:
        - GET /Users/{bob}
        - PATCH /Users/{bob}: {Operations: [{op: Replace, path: active, value: "False"}]}
      passes: 0s
`

// TestUpdate: what was seen stands in the file, comments and layout of the rest as they were, and so do the ends of lines.
func TestUpdate(t *testing.T) {
	checkUpdate(t, outdated, updated)
	checkUpdate(t, strings.ReplaceAll(outdated, "\n", "\r\n"), strings.ReplaceAll(updated, "\n", "\r\n"))
	checkUpdate(t, inBody, seenInBody)
}

const inBody = `name: In bodies
tenant: {users: {ann}, groups: {ops: {members: [ann]}}}
application: {template: guide, scope: all}
steps:
  - cycle:
    expect:
      requests:
        - GET
        # The names come first.
        - POST /Users:
            userName: 'anne@contoso.example'   # her name

            displayName: "Anne"
            externalId: "{ann.objectId}" # stays
            active:   true
        - GET
        - {request: POST /Groups, exactly: {schemas: ["{*}"], externalId: "{ops.objectId}", members: [], meta: {resourceType: Group}, displayName:  Opsi}}
        - request: PATCH /Groups/{ops}
          body:
            Operations:
              - {path: members, op: Replace, value: [{value: "{ann}"}]}   # by value
      log:
        # Ann first.
        - ann: create failure   # the only one
        - ops: create success
        - ops: update failure
      target: {ann: {displayName: "Anne", externalId: "{ann.objectId}"}}
`

const seenInBody = `name: In bodies
tenant: {users: {ann}, groups: {ops: {members: [ann]}}}
application: {template: guide, scope: all}
steps:
  - cycle:
    expect:
      requests:
        - GET
        # The names come first.
        - POST /Users:
            userName: 'ann@contoso.example'   # her name

            displayName: "Ann"
            externalId: "{ann.objectId}" # stays
            active:   true
        - GET
        - {request: POST /Groups, exactly: {schemas: ["{*}"], externalId: "{ops.objectId}", members: [], meta: {resourceType: Group}, displayName:  Ops}}
        - request: PATCH /Groups/{ops}
          body:
            Operations:
              - {path: members, op: Add, value: [{value: "{ann}"}]}   # by value
      log:
        # Ann first.
        - ann: create success   # the only one
        - ops: create success
        - ops: update success
      target: {ann: {displayName: "Ann", externalId: "{ann.objectId}"}}
`

func checkUpdate(t *testing.T, outdated, updated string) {
	t.Helper()
	s, err := Parse("t", []byte(outdated))
	if err != nil {
		t.Fatal(err)
	}
	r := Run(t.Context(), s, Target{}, Options{})
	got, unwritten, err := Update(r)
	if err != nil || len(unwritten) > 0 {
		t.Fatalf("%v, unwritten %+v\n%s", err, unwritten, failures(r))
	}
	if string(got) != updated {
		t.Errorf("got\n%s\nwant\n%s", got, updated)
	}
	again, err := Parse("t", got)
	if err != nil {
		t.Fatal(err)
	}
	if r := Run(t.Context(), again, Target{}, Options{}); r.Verdict != Passed {
		t.Errorf("the updated file fails:\n%s", failures(r))
	}
}

// TestUpdateTellsWhatItCanNot: what must not be seen can't be written, and is told.
func TestUpdateTellsWhatItCanNot(t *testing.T) {
	s, err := Parse("t", []byte("name: x\ntenant: {users: {ann}}\napplication: {template: guide, assigned: [ann]}\nsteps:\n  - cycle:\n    expect: {requests: {none: [POST /Users]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, unwritten, err := Update(Run(t.Context(), s, Target{}, Options{}))
	if err != nil || len(unwritten) != 1 || string(got) != string(s.source) {
		t.Errorf("%v, unwritten %+v\n%s", err, unwritten, got)
	}
}

// spoil changes an expectation in the text of a file; each is something that Update can put right.
var spoil = []struct{ from, to string }{
	{`value: "False"`, `value: "Falsch"`}, {`op: Replace, path`, `op: Change, path`}, {`op: Add, path: members`, `op: Grow, path: members`},
	{`counts: \{create: (\d)`, `counts: {create: 4$1`}, {`users: (\d)`, `users: 4$1`}, {`active: true`, `active: false`}, {`members: \[ann\]`, `members: []`},
	{`(\w+): create success`, `$1: create failure`}, {`- POST /Users: .*`, `- DELETE /Users/{*}`}, {`(?m)^ +- PATCH /Users/.*\n`, ``}, {`nextCycle: \w+`, `nextCycle: 3h`},
	{`status: Active`, `status: Paused`}, {`incremental Succeeded`, `incremental Failed`}, {`displayName: Ann Ace\}`, `displayName: Ann Bee}`},
}

// TestUpdateRepairs spoils expectations of every built-in scenario, two kinds of them in each, and has them written anew: the file passes again,
// and no line changed but those that were spoilt or belong to them.
func TestUpdateRepairs(t *testing.T) {
	repaired := 0
	for i, name := range Names() {
		tries := 0
		s, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		head, tail, _ := strings.Cut(string(s.source), "\nsteps:\n")
		for k := range spoil {
			c := spoil[(i+k)%len(spoil)]
			spoilt := regexp.MustCompile(c.from).ReplaceAllString(tail, c.to)
			if spoilt == tail || tries == 2 {
				continue
			}
			tries++
			before := head + "\nsteps:\n" + spoilt
			s, err := Parse("t", []byte(before))
			if err != nil {
				continue // spoilt so far that it is no scenario
			}
			r := Run(t.Context(), s, Target{}, Options{})
			if r.Verdict != Failed {
				continue // the words stood somewhere else than in an expectation
			}
			after, unwritten, err := Update(r)
			if err != nil {
				t.Errorf("%s, %s: %v", name, c.from, err)
				continue
			}
			if len(unwritten) > 0 {
				continue // contains and none say what they say
			}
			again, err := Parse("t", after)
			if err != nil {
				t.Fatalf("%s, %s: %v\n%s", name, c.from, err, after)
			}
			if r := Run(t.Context(), again, Target{}, Options{}); r.Verdict != Passed {
				t.Errorf("%s, %s: not repaired\n%s\n%s", name, c.from, failures(r), after)
			}
			if !strings.HasPrefix(string(after), head) {
				t.Errorf("%s, %s: the head changed", name, c.from)
			}
			repaired++
		}
	}
	t.Logf("%d spoilt files repaired", repaired)
	if repaired < 80 {
		t.Errorf("only %d spoilt files were repaired", repaired)
	}
}
