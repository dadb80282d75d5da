package scenarios

import (
	"encoding/json"
	"strings"
	"testing"

	"entrasim/sim"
)

func testMatcher() *matcher {
	return &matcher{bound: map[string]string{}, resolve: func(name string) (string, bool) {
		v, ok := map[string]string{"ann": "{ann}", "same": "{ann}", "ann.department": "Sales"}[name]
		return v, ok
	}}
}

func TestTextPatterns(t *testing.T) {
	m := testMatcher()
	for _, c := range []struct {
		pattern, seen string
		want          bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"/Users/{ann}", "/Users/{ann}", true}, {"/Users/{same}", "/Users/{ann}", true},
		{"/Users/{nobody}", "/Users/17", false}, {"in {ann.department}", "in Sales", true}, {"{*}@contoso.example", "x@contoso.example", true},
		{"{*}@contoso.example", "x@fabrikam.test", false}, {"{*}", "", true}, {"a.c", "abc", false}, {`{"id":"{*}"}`, `{"id":"7"}`, true},
		{"{?x}-{?x}", "1-2", false}, {"{?x}-{?x}", "1-1", true}, {"{?x}", "2", false}, {"{?x}", "1", true}, {"{not a name}", "{not a name}", true},
	} {
		if got := m.try(func() bool { return m.text(c.pattern, c.seen) }); got != c.want {
			t.Errorf("%q against %q: %v", c.pattern, c.seen, got)
		}
	}
}

func TestSubset(t *testing.T) {
	for _, c := range []struct {
		pattern, seen, subset, whole string
	}{
		{`{"a":1}`, `{"a":1,"b":2}`, "", "b: expected nothing, seen 2"},
		{`{"a":{"b":"x"}}`, `{"a":{"b":"y"}}`, `a.b: expected "x", seen "y"`, `a.b: expected "x", seen "y"`},
		{`{"a":[1,2]}`, `{"a":[1]}`, "a: expected [1,2], seen [1]", "a: expected [1,2], seen [1]"},
		{`{"a":[]}`, `{"a":[1]}`, "a: expected [], seen [1]", "a: expected [], seen [1]"},
		{`{"a":[{"b":1}]}`, `{"a":[{"b":1,"c":2}]}`, "", "a[0].c: expected nothing, seen 2"},
		{`{"a":"absent"}`, `{"b":1}`, "", "b: expected nothing, seen 1"},
		{`{"a":"absent"}`, `{"a":1}`, `a: expected "absent", seen 1`, `a: expected "absent", seen 1`},
		{`{"v":"False"}`, `{"v":false}`, `v: expected "False", seen false`, `v: expected "False", seen false`},
		{`{"v":false}`, `{"v":"False"}`, `v: expected false, seen "False"`, `v: expected false, seen "False"`},
		{`{"v":null}`, `{"v":null}`, "", ""},
		{`{"v":"{*}"}`, `{"v":{"x":1}}`, "", ""},
		{`{"m":"{ann}"}`, `{"m":"{ann}"}`, "", ""},
		{`{"m":"{ann}"}`, `{}`, `m: expected "{ann}", seen nothing`, `m: expected "{ann}", seen nothing`},
		{`{"urn:x:y":{"a":1}}`, `{"urn:x:y":{"a":2}}`, `"urn:x:y".a: expected 1, seen 2`, `"urn:x:y".a: expected 1, seen 2`},
	} {
		var pattern, seen any
		for text, v := range map[string]*any{c.pattern: &pattern, c.seen: &seen} {
			if err := json.Unmarshal([]byte(text), v); err != nil {
				t.Fatal(err)
			}
		}
		if c.pattern == c.seen {
			pattern = seen
		}
		for whole, want := range map[bool]string{false: c.subset, true: c.whole} {
			got := ""
			if list := testMatcher().subset(pattern, seen, whole, "", 1); len(list) > 0 {
				got = list[0].String()
			}
			if got != want {
				t.Errorf("%s against %s, whole %v: %q, want %q", c.pattern, c.seen, whole, got, want)
			}
		}
	}
}

func TestRequestLines(t *testing.T) {
	n := newNames("http://target.test/scim", map[string]string{"ann": user})
	n.account("ann", "11111111-2222-3333-4444-555555555555")
	seen := n.sent(sim.Exchange{Method: "GET", Status: 200, URL: "http://target.test/scim/Groups?excludedAttributes=members&filter=displayName+eq+%22R%26D%3d1%22"})
	byID := n.sent(sim.Exchange{Method: "PATCH", Status: 400, URL: "http://target.test/scim/Users/11111111-2222-3333-4444-555555555555", RequestBody: `{"a":1}`})
	for _, c := range []struct {
		line string
		s    *Sent
		want string
	}{
		{`GET /Groups?excludedAttributes=members&filter=displayName eq "R&D=1"`, seen, ""},
		{`GET /Groups?*`, seen, ""}, {`GET`, seen, ""}, {`*`, seen, ""}, {`* /Groups?*`, seen, ""}, {`* /{*}?*`, seen, ""},
		{`GET /Groups`, seen, "query: expected none"}, {`GET /Users?*`, seen, "path: expected /Users"}, {`POST /Groups?*`, seen, "method: expected POST"},
		{`GET /Groups?filter=displayName eq "R&D=1"`, seen, "query: expected filter="},
		{`PATCH /Users/{ann}`, byID, "answer: expected success, seen 400"}, {`PATCH /Users/{*}`, byID, "answer: expected success"},
	} {
		if got := testMatcher().request(Request{Line: c.line}, c.s); (c.want == "") != (got == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", c.line, got, c.want)
		}
	}
	if got := byID.Line(); got != "PATCH /Users/{ann}" {
		t.Error(got)
	}
}

// TestShortIDs: a target that counts gives a user and a group one number; each is shown as what it is.
func TestShortIDs(t *testing.T) {
	n := newNames("http://t/scim", map[string]string{"ann": user, "ops": group})
	n.account("ann", "1")
	n.account("ops", "1")
	for url, want := range map[string]string{"/Users/1": "/Users/{ann}", "/Groups/1": "/Groups/{ops}", "/Users/11": "/Users/11"} {
		if got := n.sent(sim.Exchange{Method: "GET", URL: "http://t/scim" + url}).Path; got != want {
			t.Errorf("%s is shown as %s, want %s", url, got, want)
		}
	}
	s := n.sent(sim.Exchange{Method: "PATCH", URL: "http://t/scim/Groups/1", RequestBody: `{"n":"1","members":[{"value":"1"}]}`})
	if got := show(s.Body); got != `{"members":[{"value":"{ann}"}],"n":"1"}` {
		t.Error(got)
	}
	n.account("ann", "2")
	if got := n.sent(sim.Exchange{Method: "GET", URL: "http://t/scim/Users/1"}).Path; got != "/Users/{ann.old}" {
		t.Error(got)
	}
}
