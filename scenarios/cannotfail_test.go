package scenarios

import (
	"strings"
	"testing"
)

// TestNamesThatNeverAppear: an expectation that names what can't be seen is refused with the nearest name, as one that
// forbids it could not fail.
func TestNamesThatNeverAppear(t *testing.T) {
	const head = "name: x\ntenant: {users: {ann}}\napplication: {template: guide, assigned: [ann]}\nsteps:\n"
	for step, want := range map[string]string{
		"cycle:\n    expect: {log: {none: [{code: EntryConflct}]}}":                                      `t.yaml:6:34: no record has the code "EntryConflct" (did you mean EntryConflict?)`,
		"cycle:\n    expect: {log: [ann: other skipped Redundant]}":                                      `no record has the code "Redundant"`,
		"onDemand: ann\n    expect: {onDemand: {code: Typo}}":                                            `no record has the code "Typo"`,
		"expect: {endless: []}":                                                                          "endless can't fail here: nothing is done in this step",
		"cycle:\n    expect: {requests: {none: ['GET /Users?filter=usrName eq \"x\"']}}":                 `no resource has an attribute "usrName", so that this can't fail (did you mean userName?)`,
		"cycle:\n    expect: {requests: ['GET /Users?filter=userName eq \"a and b\" and acttive eq x']}": `no resource has an attribute "acttive" (did you mean active?)`,
	} {
		_, err := Parse("t.yaml", []byte(head+"  - "+step+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", step, err, want)
		}
	}
	for _, step := range []string{
		"cycle:\n    expect: {log: {none: [{code: Timeout}, ann: other skipped RedundantExport]}, endless: []}", "expect: {endless: [ann]}",
		"cycle:\n    expect: {requests: {none: ['GET /Users?filter=urn:x:y eq \"x\"']}}", "cycle:\n    expect: {requests: {none: ['GET /Users?filter={*}']}}",
		"cycle:\n    expect: {requests: {none: ['GET /Users?filter=emails[type eq \"work\"].value eq \"a and (usr b\"']}}",
	} {
		if _, err := Parse("t.yaml", []byte(head+"  - "+step+"\n")); err != nil {
			t.Errorf("%s: %v", step, err)
		}
	}
}
