package scenarios

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// ann is the beginning of the files below; a step follows.
const ann = `name: Test
tenant: {users: {ann}, groups: {ops: {members: [ann]}}}
application: {template: guide, assigned: [ann]}
steps:
`

// TestMistakes: each is found before anything runs, at its place, with the right name when one is near.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"no YAML", "name: [", "t:2:1: this is no YAML"},
		{"a colon in a text", "name: a: b", "t:1:8: this is no YAML: mapping values are not allowed in this context; put a text with \": \" in quotes"},
		{"nothing", "", "t:1:1: the file is empty"},
		{"no table", "- a\n", "t:1:1: here is a list; expected a table with name,"},
		{"no name", "steps: [cycle]\n", "t:1:1: name is missing"},
		{"no steps", "name: x\nsteps: []\n", "steps is empty"},
		{"an unknown key", "name: x\nsetps: [cycle]\n", `t:2:1: there is no "setps" here; expected one of name, source, shows, narration, tenant, application, target, steps (did you mean steps?)`},
		{"a key twice", "name: x\nname: y\nsteps: [cycle]\n", "t:2:1: name stands twice in one table, first in line 1"},
		{"an unknown rule", "name: x\nshows: [S-74]\nsteps: [cycle]\n", `t:2:9: there is no rule "S-74" (did you mean S-074?)`},
		{"a rule twice", "name: x\nshows: [T7, T7]\nsteps: [cycle]\n", "t:2:13: T7 stands here twice"},
		{"a wrong type", "name: x\ntenant: {generate: {users: many}}\nsteps: [cycle]\n", `t:2:28: here is "many"; expected a whole number`},
		{"a list for a table", "name: x\ntenant: {users: [ann]}\nsteps: [cycle]\n", "t:2:17: here is a list; expected a table"},
		{"an unknown action", ann + "  - cycel\n", `t:5:5: there is no action "cycel"; alone can stand cycle, start, pause, restart (did you mean cycle?)`},
		{"an action that needs arguments", ann + "  - delete\n", "t:5:5: delete needs arguments"},
		{"arguments where none belong", ann + "  - cycle: now\n", "t:5:12: nothing belongs here"},
		{"an unknown handle", ann + "  - delete: anne\n", `t:5:13: nobody is called "anne" here (did you mean ann?)`},
		{"an unknown handle in a list", ann + "  - addMembers: {ops: [ann, bob]}\n", `t:5:29: nobody is called "bob" here`},
		{"an unknown handle in a request", ann + "  - cycle:\n    expect: {requests: ['GET /Users/{anna}']}\n", `t:6:25: nobody is called "anna" here (did you mean ann?)`},
		{"an unknown handle in a body", ann + "  - cycle:\n    expect: {requests: {contains: ['POST /Users': {externalId: '{bob.objectId}'}]}}\n", `nobody is called "bob" here`},
		{"an unknown property of a handle", ann + "  - cycle:\n    expect: {requests: ['GET /Users?filter=userName eq \"{ann.userPrincipleName}\"']}\n", `ann has no property "userPrincipleName" (did you mean userPrincipalName?)`},
		{"an unknown handle at the target", ann + "  - cycle:\n    expect: {target: {bob: absent}}\n", `t:6:23: nobody is called "bob" here`},
		{"an unknown handle in the log", ann + "  - cycle:\n    expect: {log: [bob: create success]}\n", `t:6:20: nobody is called "bob" here`},
		{"an unknown property", "name: x\ntenant: {users: {ann: {departement: Sales}}}\nsteps: [cycle]\n", `t:2:24: there is no property "departement" (did you mean department?)`},
		{"a property of the wrong type", "name: x\ntenant: {users: {ann: {employeeId: 7}}}\nsteps: [cycle]\n", "t:2:36: employeeId is 7; expected a text (put it in quotes)"},
		{"a property that only the directory sets", "name: x\ntenant: {users: {ann: {createdDateTime: 2026-01-01T00:00:00Z}}}\nsteps: [cycle]\n", "t:2:24: createdDateTime is set by the directory"},
		{"a manager who is no user", "name: x\ntenant: {users: {ann: {manager: ops}}, groups: {ops}}\nsteps: [cycle]\n", "t:2:33: ops is a group; expected a user"},
		{"deleted twice", ann + "  - delete: ann\n  - delete: ann\n", "t:6:13: ann was deleted before"},
		{"restored though it is there", ann + "  - restore: ann\n", "t:5:14: ann is not among the deleted items"},
		{"a handle twice", ann + "  - create: {users: {ann}}\n", "t:5:22: ann is there already"},
		{"a reserved handle", "name: x\ntenant: {users: {users}}\nsteps: [cycle]\n", "users can't be a handle"},
		{"a handle with a blank", "name: x\ntenant: {users: {Ann Ace}}\nsteps: [cycle]\n", `"Ann Ace" is no handle`},
		{"an unknown enum", "name: x\napplication: {scope: al}\nsteps: [cycle]\n", `t:2:22: here is "al"; expected one of assigned, all (did you mean all?)`},
		{"an expression that is none", ann + "  - mappings: {users: {title: 'Jion(\" \", [jobTitle])'}}\n", "t:5:24:"},
		{"a source attribute that is none", ann + "  - mappings: {users: {title: '[jobTitel]'}}\n", "jobTitle"},
		{"a filter without operator", ann + "  - filters: {users: {Sales: [department = Sales]}}\n", "t:5:31: the clause"},
		{"a filter of an unknown attribute", ann + "  - filters: {users: {Sales: [departmnt EQUALS Sales]}}\n", "departmnt"},
		{"a duration that is none", ann + "  - advance: forty minutes\n", `t:5:14: "forty minutes" is no duration; write 40m, 1h30m, 31d or PT40M`},
		{"time does not go back", ann + "  - advance: -5m\n", "t:5:14:"},
		{"an expectation that the step can't produce", ann + "  - delete: ann\n    expect: {requests: []}\n", "t:6:24: requests can't be seen here: nothing runs in this step (add cycle, advance or onDemand to it)"},
		{"counts without a cycle", ann + "  - pause:\n    expect: {counts: {}}\n", "t:6:22: counts can't be seen here"},
		{"a fault that does nothing", ann + "  - faults: [{method: GET}]\n", "t:5:14: it does nothing"},
		{"a fault with an odd status", ann + "  - faults: [{status: 42}]\n", "t:5:23: status is 42; expected 200 to 599"},
		{"a method that is none", ann + "  - cycle:\n    expect: {requests: ['FETCH /Users']}\n", `t:6:25: a request begins with a method, not "FETCH"`},
		{"a path without slash", ann + "  - cycle:\n    expect: {requests: ['GET Users']}\n", "a path begins with a slash"},
		{"a record that is none", ann + "  - cycle:\n    expect: {log: [ann: created]}\n", `here is "created"; expected one of create, update`},
		{"a cycle that is none", ann + "  - cycle:\n    expect: {cycles: [first Succeeded]}\n", "expected one of initial, incremental"},
		{"a status that is none", ann + "  - cycle:\n    expect: {requests: [{request: GET /Users, status: fine}]}\n", `status is "fine"; expected a number from 100 to 599, none or any`},
		{"a membership rule that can't be read, at its line", "name: x\ntenant:\n  groups:\n    ops:\n      membershipRule: user.departmnt -eq \"x\"\nsteps: [cycle]\n", `t:5:23: membershipRule can't be evaluated. Column 1: users have no property "departmnt"`},
		{"a membership rule of nobody", "name: x\ntenant:\n  groups:\n    ops:\n      membershipRule: Direct Reports for \"{boss.objectId}\"\nsteps: [cycle]\n", "t:5:23:"},
		{"tags", "name: !!str x\nsteps: [cycle]\n", "t:1:7: tags (!name) have no place in a scenario"},
		{"a merge key", "base: &b {name: x}\n<<: *b\nsteps: [cycle]\n", "t:1:7: anchors (&name) have no place in a scenario"},
		{"bytes that are no text", "name: \xff\nsteps: [cycle]\n", "t:1:7: here are bytes that are no UTF-8"},
		{"bytes that are no text, further down", "name: x\nsteps:\n  - say: caf\xe9\n", "t:3:13: here are bytes that are no UTF-8"},
		{"an empty name", "name: ''\nsteps: [cycle]\n", "t:1:1: name is empty"},
		{"several documents", "---\nname: x\nsteps: [cycle]\n---\nname: y\n", "t:4:1: a second document begins here; a file holds one scenario"},
		{"several documents behind a text that holds dashes", "name: |\n  a\n  --- b\nsteps: [cycle]\n--- {}\n", "t:5:1: a second document begins here"},
		{"a setting, at its line", ann + "  - settings:\n      memberRefNull: true\n      memberBatch: 0\n", `t:7:20: memberBatch: "0" is no whole number from 1 to 10000`},
		{"a threshold, at its line", ann + "  - settings:\n      memberRefNull: true\n      preventDeletions: few\n", `t:7:25: preventDeletions is "few"`},
		{"a clause, at its line", ann + "  - filters:\n      users:\n        Sales:\n          - department EQUALS Sales\n          - departmnt EQUALS Sales\n", "t:9:13: There is no source attribute [departmnt]"},
		{"an expression in a table, at its line", ann + "  - mappings:\n      users:\n        title:\n          apply: always\n          expression: '[jobTitel]'\n", "t:9:23: There is no source attribute [jobTitel]"},
		{"a negative count", ann + "  - cycle:\n    expect: {counts: {create: -1}}\n", "t:6:31: create is -1; expected 0 or more"},
		{"a negative number of requests", ann + "  - cycle:\n    expect: {requests: -1}\n", "t:6:24: count is -1; expected 0 or more"},
		{"a negative number at the job", ann + "  - cycle:\n    expect: {job: {waiting: -1}}\n", "t:6:29: waiting is -1; expected 0 or more"},
		{"mails of a step that does nothing", ann + "  - say: hi\n    expect: {mails: []}\n", "mails can't be seen here: nothing is done in this step"},
		{"audit records of a step that does nothing", ann + "  - say: hi\n    expect: {audit: []}\n", "audit can't be seen here: nothing is done in this step"},
		{"nobody to update", ann + "  - update: {}\n", "t:5:5: update names nobody"},
		{"nobody to delete", ann + "  - say: x\n    delete: []\n", "t:5:5: delete names nobody"},
		{"assigned twice", ann + "  - assign: [ops, ops]\n", "t:5:19: ops stands here twice"},
		{"a fault for a path that is never asked for", ann + "  - faults: [{path: /User, status: 500}]\n", `t:5:14: path "/User" fits no request; paths begin with /Users or /Groups`},
		{"a fault that ignores what is never sent", ann + "  - faults: [{ignore: [filtr]}]\n", `t:5:14: ignore: no request has a parameter "filtr" (did you mean filter?)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("t", []byte(c.file))
			var ps Problems
			if !errors.As(err, &ps) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			for _, p := range ps {
				if p.Pos.Line < 1 || p.Pos.Column < 1 || p.File != "t" {
					t.Errorf("no place: %+v", p)
				}
			}
		})
	}
}

// TestWhatCanNotFail: an expectation that nothing could make fail is refused, or warned about.
func TestWhatCanNotFail(t *testing.T) {
	for _, c := range []struct{ name, step, want string }{
		{"an empty expectation", "  - cycle:\n    expect: {}\n", "expect is empty, so that it can't fail"},
		{"requests of nothing", "  - cycle:\n    expect: {requests: {}}\n", "nothing is expected here, so that it can't fail"},
		{"an empty none", "  - cycle:\n    expect: {requests: {none: []}}\n", "can't fail"},
		{"an empty contains", "  - cycle:\n    expect: {log: {contains: []}}\n", "can't fail"},
		{"an empty job", "  - cycle:\n    expect: {job: {}}\n", "job is empty, so that it can't fail"},
		{"an empty target", "  - cycle:\n    expect: {target: {}}\n", "target is empty, so that it can't fail"},
		{"a method that is never sent", "  - cycle:\n    expect: {requests: {none: [PUT]}}\n", "Entra never sends PUT, so that this can't fail"},
		{"a body that no request of this kind has", "  - cycle:\n    expect: {requests: {none: [{request: 'DELETE /Users/{ann}', body: {a: b}}]}}\n", "DELETE has no body, so that this can't fail"},
		{"a path that is never asked for", "  - cycle:\n    expect: {requests: {none: [GET /ServiceProviderConfig]}}\n", "never for /ServiceProviderConfig, so that this can't fail"},
		{"a creation that names an object", "  - cycle:\n    expect: {requests: {none: ['POST /Users/{ann}']}}\n", "a POST names no object, so that this can't fail"},
		{"a patch that names none", "  - cycle:\n    expect: {requests: {none: [PATCH /Users]}}\n", "so that this can't fail"},
		{"a probe that is no reading", "  - cycle:\n    expect: {probes: {none: [POST /Users]}}\n", "a probe is a GET, so that this can't fail"},
		{"expected and forbidden", "  - cycle:\n    expect: {requests: {contains: [POST /Users], none: [POST /Users]}}\n", "is expected and forbidden"},
		{"an answer slower than any", "  - cycle:\n    expect: {slowest: 2m}\n", "slowest can't fail: no request waits longer than 1m40s"},
		{"a record like any", "  - cycle:\n    expect: {log: {contains: [{}]}}\n", "the record says nothing, so that any fits"},
		{"why of nobody", "  - cycle:\n    expect: {why: {}}\n", "why is empty, so that it can't fail"},
		{"why of no text", "  - cycle:\n    expect: {why: {ann: ''}}\n", "t:6:20: the text is empty, so that it can't fail"},
		{"an attribute that no creation has", "  - cycle:\n    expect: {requests: {none: [POST /Users: {usrName: x}]}}\n", "no request has usrName, so that this can't fail (did you mean userName?)"},
		{"a member that no change has", "  - cycle:\n    expect: {requests: {none: ['PATCH /Users/{*}': {Operation: x}]}}\n", "no request has Operation, so that this can't fail (did you mean Operations?)"},
		{"an attribute that no account has", "  - cycle:\n    expect: {target: {ann: {activ: absent}}}\n", "activ is no attribute, so that this can't fail (did you mean active?)"},
		{"a parameter that no query has", "  - cycle:\n    expect: {requests: {none: [GET /Users?filtr=x]}}\n", `no request has a parameter "filtr", so that this can't fail (did you mean filter?)`},
		{"a brace that is not closed", "  - cycle:\n    expect: {requests: {none: ['DELETE /Users/{ann']}}\n", "t:6:32: a brace in the path stands alone"},
		{"a header that can't be one", "  - cycle:\n    expect: {requests: {none: [{request: GET /Users, headers: {'Bad Header': x}}]}}\n", `"Bad Header" can't be a header`},
		{"a user among the groups", "  - cycle:\n    expect: {requests: {none: ['DELETE /Groups/{ann}']}}\n", "ann is a user and never under /Groups, so that this can't fail"},
		{"nothing ran", "  - assign: ann\n    expect: {requests: {none: [DELETE]}}\n", "nothing runs in this step"},
	} {
		if _, err := Parse("t", []byte(ann+c.step)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	for _, c := range []struct{ name, step, want string }{
		{"nothing is expected", "  - cycle\n", "the scenario expects nothing, so that it can't fail"},
		{"a binding that stands alone", "  - cycle:\n    expect: {requests: {contains: ['GET /Users?filter=userName eq \"{?who}\"']}}\n", "{?who} stands only here, so that it matches anything"},
	} {
		s, err := Parse("t", []byte(ann+c.step))
		if err != nil || !strings.Contains(s.Warnings.Error(), c.want) {
			t.Errorf("%s: %v %v, want %q", c.name, err, s.Warnings, c.want)
		}
	}
	s, err := Parse("t", []byte("name: x\ntenant: {users: {ann}}\nsteps: [{cycle: , expect: {counts: {}}}]\n"))
	if err != nil || !strings.Contains(s.Warnings.Error(), "nobody is assigned, so that nothing is provisioned") {
		t.Errorf("nobody assigned: %v %v", err, s.Warnings)
	}
	// What only the run can tell is told by the run.
	s, err = Parse("t", []byte("name: x\ntenant: {users: {ann, bob}}\napplication: {assigned: [ann]}\nsteps: [{cycle: , expect: {requests: {none: ['PATCH /Users/{bob}']}}}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if r := Run(t.Context(), s, Target{}, Options{}); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], `bob has no account at the target here`) {
		t.Errorf("warnings %v", r.Warnings)
	}
}

func TestSnippet(t *testing.T) {
	_, err := Parse("t", []byte(ann+"  - delete: anne\n"))
	var ps Problems
	if !errors.As(err, &ps) || ps[0].Snippet() != "  - delete: anne\n            ^" {
		t.Errorf("snippet %q of %v", ps[0].Snippet(), err)
	}
}

// TestHostileFiles: each is refused with a place, in bounded time and memory.
func TestHostileFiles(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for _, c := range []struct{ name, file, want string }{
		{"an alias bomb", bomb, "anchors (&name) have no place"},
		{"a value that holds itself", "name: x\nsteps: &a [*a]\n", "anchors (&name) have no place"},
		{"a table that holds itself", "name: x\ntenant: &a {users: *a}\nsteps: [cycle]\n", "anchors (&name) have no place"},
		{"an alias to nothing", "name: *x\nsteps: [cycle]\n", "t:1:7:"},
		{"10 MiB", "name: x\nsteps: [" + strings.Repeat("cycle, ", 10<<20/7) + "]\n", " bytes; a scenario has at most 1048576"},
		{"deep lists", "name: " + strings.Repeat("[", 20000) + strings.Repeat("]", 20000), "t:1:"},
		{"deep tables", "name: x\nsteps:\n  - cycle:\n    expect: {requests: {contains: ['POST /Users': " + strings.Repeat("{a: ", 5000) + "1" + strings.Repeat("}", 5000) + "]}}\n", "t:"},
		{"many mistakes", "name: x\nsteps:\n" + strings.Repeat("  - cylce\n", 50000), `there is no action "cylce"`},
		{"a long line", "name: " + strings.Repeat("a: ", 100000), "t:1:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := time.Now()
			_, err := Parse("t", []byte(c.file))
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %.300v, want %q", err, c.want)
			}
			var ps Problems
			if errors.As(err, &ps) && len(ps) > 2*maxProblems {
				t.Errorf("%d problems", len(ps))
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 400<<20 {
				t.Errorf("%d MiB were allocated", used>>20)
			}
			if took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			t.Logf("%v, %d MiB", took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20)
		})
	}
	// A file that is too long is not read to its end.
	big := filepath.Join(t.TempDir(), "big.yaml")
	if err := os.WriteFile(big, []byte(strings.Repeat("# scenario\n", 10<<20/11)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(big); err == nil || !strings.Contains(err.Error(), "a scenario has at most 1048576") {
		t.Errorf("big file: %v", err)
	}
}

// FuzzParse: whatever a file holds, it is a scenario or a list of problems with places, and a scenario that was read once
// reads the same again.
func FuzzParse(f *testing.F) {
	for _, name := range Names() {
		s, err := Builtin(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(s.source)
	}
	f.Add([]byte(ann + "  - cycle:\n    expect: {requests: [{request: GET /Users/{ann}, status: 404}], log: 3, cycles: [initial Failed X]}\n"))
	f.Add([]byte("a: &a [*a]\n<<: *a\n"))
	f.Add([]byte("name: !!binary x\n? [a]\n: b\n---\nname: y\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		s, err := Parse("f", source)
		var ps Problems
		switch {
		case err == nil:
			if s.Name == "" && len(s.Steps) == 0 {
				t.Fatal("a scenario without anything")
			}
			if again, err := Parse("f", source); err != nil || len(again.Steps) != len(s.Steps) {
				t.Fatalf("read again: %v", err)
			}
			for i := range s.Steps {
				if s.Steps[i].title() == "" {
					t.Fatal("a step without title")
				}
			}
		case !errors.As(err, &ps) || len(ps) == 0:
			t.Fatalf("an error without problems: %v", err)
		default:
			for _, p := range ps {
				if p.Pos.Line < 1 || p.Pos.Column < 1 || p.Message == "" {
					t.Fatalf("a problem without place or text: %+v", p)
				}
				p.Snippet()
			}
		}
	})
}
