package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestEveryDifference: a failure shows each place where a body differs, in requests and of what the target holds.
func TestEveryDifference(t *testing.T) {
	head := "name: x\ntenant: {users: {ann}}\napplication: {template: guide, assigned: [ann]}\nsteps:\n  - cycle:\n    expect: "
	body := `{userName: nobody, active: false, name: {givenName: Bea}, emails: absent}`
	diffs := func(expect string) []string {
		var list []string
		for _, c := range Run(t.Context(), parsed(t, head+expect+"\n"), Target{}, Options{}).Steps[0].Failures() {
			for _, d := range c.Diff {
				list = append(list, string(d.Sign)+" "+d.Text)
			}
		}
		return list
	}
	requests := []string{`body.userName: expected "nobody", seen "ann@contoso.example"`, "body.active: expected false, seen true", `body.name: expected {"givenName":"Bea"}, seen nothing`}
	for expect, wants := range map[string][]string{
		"{requests: {contains: [POST /Users: " + body + "]}}": requests,
		`{requests: ["GET ", POST /Users: ` + body + "]}":     requests,
		"{target: {ann: " + body + "}}":                       {`- userName: "nobody"`, `+ userName: "ann@contoso.example"`, "- active: false", "+ active: true", `- name: {"givenName":"Bea"}`, "+ name: nothing"},
	} {
		got := strings.Join(diffs(expect), "\n")
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %s is not among\n%s", expect, want, got)
			}
		}
	}
	team := "name: x\ntenant: {users: {ann}, groups: {ops: {members: [ann]}}}\napplication: {template: guide, assigned: [ops]}\nsteps:\n  - cycle:\n    expect: {target: {ops: {displayName: Opsi, members: []}}}\n"
	r := Run(t.Context(), parsed(t, team), Target{}, Options{})
	if text := failures(r); !strings.Contains(text, `displayName: "Opsi"`) || !strings.Contains(text, "members none") {
		t.Errorf("a group's name and members differ\n%s", text)
	}
	if got, _, err := Update(r); err != nil || !strings.Contains(string(got), "{displayName: Ops, members: [ann]}") {
		t.Errorf("%v\n%s", err, got)
	}
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprintf("a%d: 1", i))
	}
	got := diffs(`{requests: {contains: [POST /Users: {` + strings.Join(many, ", ") + `}]}}`)
	shown := slices.DeleteFunc(slices.Clone(got), func(d string) bool { return !strings.Contains(d, "expected 1, seen nothing") })
	if len(shown) != 20 || !slices.ContainsFunc(got, func(d string) bool { return strings.Contains(d, "and more") }) {
		t.Errorf("%d differences\n%s", len(shown), strings.Join(got, "\n"))
	}
}
