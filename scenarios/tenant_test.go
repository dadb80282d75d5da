package scenarios

import (
	"strings"
	"testing"
)

// TestTenantMistakes: what the directory would refuse when the scenario begins is told before anything runs, at its place.
func TestTenantMistakes(t *testing.T) {
	const rest = "\napplication: {template: guide, scope: all}\nsteps:\n  - cycle:\n    expect: {counts: {}}\n"
	for tenant, want := range map[string]string{
		"{users: {ann, bob: {userPrincipalName: Ann@contoso.example}}}":         "t.yaml:2:48: ann and bob have one userPrincipalName, Ann@contoso.example",
		"{domain: fabrikam.test, users: {ann-b: {}, ann_b: {}}}":                "t.yaml:2:52: ann-b and ann_b have one userPrincipalName, ann.b@fabrikam.test",
		"{users: {ann: {manager: ann}}}":                                        "t.yaml:2:33: ann can't be the manager of ann",
		"{generate: {users: 6, seed: 4}, handles: {x: {user: Nobody}}}":         `t.yaml:2:61: the generated company has no user "Nobody"`,
		"{generate: {users: 6, groups: 2}, handles: {g: {group: Engineerign}}}": `t.yaml:2:64: the generated company has no group "Engineerign" (did you mean Engineering?)`,
	} {
		_, err := Parse("t.yaml", []byte("name: x\ntenant: "+tenant+rest))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", tenant, err, want)
		}
	}
	s := parsed(t, "name: x\ntenant: {generate: {users: 6, groups: 2}, handles: {g: {group: Engineering}}}"+rest)
	if ps := s.Lacks(7); len(ps) > 0 {
		t.Error(ps)
	}
	first := parsed(t, "name: x\ntenant: {generate: {users: 60}}"+rest)
	users, _ := first.generated(1)
	s = parsed(t, "name: x\ntenant: {generate: {users: 60}, handles: {x: {user: "+users[7].UserPrincipalName+"}}}"+rest)
	if ps := s.Lacks(7); len(ps) != 1 || ps[0].Pos != (Pos{2, 46}) {
		t.Errorf("another seed makes another company: %v", ps)
	}
	if r := Run(t.Context(), s, Target{}, Options{}); r.Verdict == Broken {
		t.Error(r.Reason)
	}
}
