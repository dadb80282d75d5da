package sim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// TestDiscovery: accounts are sorted by whether somebody matches and is assigned, across pages, without a write anywhere.
// Shows: S-370, S-373, F-210
func TestDiscovery(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob := w.user("ann"), w.user("bob")
	through := w.user("cyd")
	w.assign(ann.ID, w.group("Pilots", through.ID).ID)
	post := func(name string) {
		w.send("POST", "/Users", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"active":true}`, name))
	}
	for i := range 230 {
		post(fmt.Sprintf("local%d@elsewhere.example", i))
	}
	post(strings.ToUpper(ann.UserPrincipalName))
	post(bob.UserPrincipalName)
	post(through.UserPrincipalName)
	writes, reads := 0, 0
	w.answers(func(method, path, _ string) int {
		if method != http.MethodGet {
			writes++
		} else if strings.Contains(path, "startIndex=") {
			reads++
		}
		return 0
	})
	before := w.dir.LastChange()
	d, err := w.svc.Discover(t.Context(), w.app.ID)
	w.no(err)
	if d.Counts[LocalAccount] != 230 || d.Counts[UnassignedUser] != 1 || d.Counts[AssignedUser] != 2 || len(d.Accounts) != 233 || d.Incomplete {
		t.Errorf("%v, %d accounts", d.Counts, len(d.Accounts))
	}
	if writes != 0 || reads < 3 || w.dir.LastChange() != before {
		t.Errorf("%d writes, %d pages", writes, reads)
	}
	for _, a := range d.Accounts {
		if a.UserID == bob.ID && (a.Category != UnassignedUser || a.Linked) || a.UserID == ann.ID && a.Category != AssignedUser {
			t.Errorf("%+v", a)
		}
	}
	if last, err := w.svc.LastDiscovery(w.app.ID); err != nil || last != d {
		t.Errorf("%v %v", last, err)
	}
	if j := w.job(); j.LastCycle != nil || j.Status.Users != 0 {
		t.Errorf("the job was touched: %+v", j)
	}
}

// TestDiscoveryNeedsDirect: by an expression nobody can be looked up, and a target that fails is told as by a test of the
// connection.
// Shows: S-371
func TestDiscoveryNeedsDirect(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	computed := mapping.Starter()
	putMapping(t, computed, mapping.AttributeMapping{TargetAttributeName: "userName", MatchingPriority: 1}, "ToLower([userPrincipalName])")
	w.no(w.svc.SetSchema(w.app.ID, computed))
	if _, err := w.svc.Discover(t.Context(), w.app.ID); directory.CodeOf(err) != directory.Conflict || !strings.Contains(err.Error(), "userName, is not mapped directly") {
		t.Errorf("%v", err)
	}
	w.no(w.svc.SetSchema(w.app.ID, mapping.Starter()))
	w.answers(func(string, string, string) int { return 401 })
	if _, err := w.svc.Discover(t.Context(), w.app.ID); err == nil || !strings.Contains(err.Error(), "invalid credentials") {
		t.Errorf("%v", err)
	}
}

// TestDiscoveryEnds: a target that does not page, and says that there is more, is read once.
func TestDiscoveryEnds(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	reads := 0
	w.before(func(rw http.ResponseWriter, r *http.Request, _ string) bool {
		if !strings.Contains(r.URL.RawQuery, "startIndex=") {
			return false
		}
		reads++
		return w.reply(rw, 200, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1000,"Resources":[{"schemas":[],"id":"1","userName":"x"}]}`)
	})
	d, err := w.svc.Discover(t.Context(), w.app.ID)
	w.no(err)
	if reads != 2 || d.Counts[LocalAccount] != 1 {
		t.Errorf("%d reads, %v", reads, d.Counts)
	}
}
