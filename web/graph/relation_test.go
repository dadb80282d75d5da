package graph_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"entrasim/directory"
)

// pages follows the next links of a list and returns the ids, in order, and the number of pages.
func (w *world) pages(address string, header ...string) (ids []string, n int) {
	w.t.Helper()
	for address != "" {
		a := w.want(200, "GET", address, nil, header...)
		for _, x := range a.list() {
			ids = append(ids, x["id"].(string))
		}
		n++
		address = a.str("@odata.nextLink")
	}
	return ids, n
}

// TestNestedMembers: each nested member comes once, whichever groups it is in, over the pages.
func TestNestedMembers(t *testing.T) {
	w := newWorld(t, "")
	now := w.svc.Clock().Now()
	var ids []string
	for i := range 30 {
		name := fmt.Sprintf("user%02d", i)
		ids = append(ids, w.user(name))
	}
	top, left, right, empty := w.group("Top"), w.group("Left"), w.group("Right"), w.group("Empty")
	must(t, w.dir.AddMembers(now, top, left, right, ids[0]))
	must(t, w.dir.AddMembers(now, left, ids[:20]...))
	must(t, w.dir.AddMembers(now, right, append([]string{top, empty}, ids[10:]...)...)) // a circle
	must(t, w.dir.DeleteUser(now, ids[5]))
	want := slices.Concat(ids[:5], ids[6:], []string{left, right, empty})
	at := "/v1.0/groups/" + top + "/transitiveMembers"
	for _, top := range []string{"1", "7", "100"} {
		got, n := w.pages(at + "?$top=" + top)
		if !slices.Equal(got, want) || top == "7" && n != 5 {
			t.Errorf("$top=%s: %d pages with %v, want %v", top, n, got, want)
		}
	}
	if got, _ := w.pages(at + "/microsoft.graph.group?$top=2"); !slices.Equal(got, []string{left, right, empty}) {
		t.Error(got)
	}
	eventual := []string{"ConsistencyLevel", "eventual"}
	for path, count := range map[string]string{
		"/transitiveMembers/$count": "32", "/transitiveMembers/microsoft.graph.user/$count": "29", "/members/$count": "3",
		"/members/microsoft.graph.group/$count": "2", "/memberOf/$count": "1", "/transitiveMemberOf/$count": "1",
	} {
		if a := w.want(200, "GET", "/v1.0/groups/"+top+path, nil, eventual...); a.text != count {
			t.Errorf("%s: %s, want %s", path, a.text, count)
		}
		w.want(400, "GET", "/v1.0/groups/"+top+path, nil)
	}
	if a := w.want(200, "GET", at+"?$top=2&$count=true", nil, eventual...); a.at("@odata.count") != 32.0 || len(a.list()) != 2 {
		t.Error(a.text)
	}
	if got, n := w.pages("/v1.0/users/" + ids[15] + "/memberOf?$top=1"); n != 2 || !slices.Equal(got, []string{left, right}) {
		t.Error(got, n)
	}
	if got, _ := w.pages("/v1.0/users/" + ids[2] + "/transitiveMemberOf"); !slices.Equal(got, []string{top, left, right}) {
		t.Error(got)
	}
	// Reports, in pages.
	for _, id := range ids[1:4] {
		must(t, w.dir.SetManager(now, id, ids[0]))
	}
	if got, n := w.pages("/v1.0/users/user00@contoso.example/directReports?$top=2"); n != 2 || !slices.Equal(got, ids[1:4]) {
		t.Error(got, n)
	}
	if a := w.want(200, "GET", "/v1.0/users/"+ids[0]+"/directReports/$count", nil, eventual...); a.text != "3" {
		t.Error(a.text)
	}
	if got, _ := w.pages("/v1.0/users/" + ids[0] + "/directReports/graph.user"); len(got) != 3 {
		t.Error(got)
	}
	w.want(404, "GET", "/v1.0/users/nobody@contoso.example/directReports", nil)
	w.want(400, "GET", "/v1.0/groups/nothing/memberOf", nil)
}

// TestAssignmentPages: filters, counts and pages of assignments from both sides.
func TestAssignmentPages(t *testing.T) {
	w := newWorld(t, "")
	sp, _, role := w.app("Fabrikam App")
	other, _, _ := w.app("Other")
	now := w.svc.Clock().Now()
	var ids []string
	for i := range 12 {
		id := w.user(fmt.Sprintf("user%02d", i))
		ids = append(ids, id)
		_, err := w.dir.Assign(now, sp, id, role)
		must(t, err)
	}
	_, err := w.dir.Assign(now, other, ids[3], directory.DefaultAccess)
	must(t, err)
	at := "/v1.0/servicePrincipals/" + sp + "/appRoleAssignedTo"
	if got, n := w.pages(at + "?$top=5"); len(got) != 12 || n != 3 {
		t.Error(len(got), n)
	}
	eventual := []string{"ConsistencyLevel", "eventual"}
	if a := w.want(200, "GET", at+"?$top=5&$count=true", nil, eventual...); a.at("@odata.count") != 12.0 || len(a.list()) != 5 {
		t.Error(a.text)
	}
	for filter, want := range map[string]int{
		"principalId eq " + ids[3]:                                     1,
		"principalId eq '" + ids[3] + "'":                              1,
		"principalId eq '" + ids[3] + "' and principalType eq 'Group'": 0,
		"principalId eq '" + other + "'":                               0,
		"principalId eq '11111111-2222-4333-8444-555555555555'":        0,
		"principalDisplayName eq 'user05'":                             1,
		"startswith(principalDisplayName,'USER1')":                     2,
	} {
		a := w.want(200, "GET", at+"?$filter="+url.QueryEscape(filter), nil)
		if len(a.list()) != want || want == 1 && a.list()[0]["resourceDisplayName"] != "Fabrikam App" {
			t.Errorf("%s: %s", filter, a.text)
		}
		if a := w.want(200, "GET", at+"/$count?$filter="+url.QueryEscape(filter), nil, eventual...); a.text != fmt.Sprint(want) {
			t.Errorf("%s: %s", filter, a.text)
		}
	}
	mine := "/v1.0/users/" + ids[3] + "/appRoleAssignments"
	if a := w.want(200, "GET", mine+"?$filter="+url.QueryEscape("resourceId eq "+other), nil); a.column("resourceDisplayName") != "Other" {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", mine+"/$count", nil, eventual...); a.text != "2" {
		t.Error(a.text)
	}
	if a := w.want(400, "GET", at+"?$filter=colour+eq+'red'", nil); !strings.Contains(a.str("error", "message"), "colour") {
		t.Error(a.text)
	}
}

// TestCountsOfUsers: what is counted by a counter is what walking finds.
func TestCountsOfUsers(t *testing.T) {
	w := newWorld(t, "")
	for i, name := range []string{"adele", "carl", "dora", "emil"} {
		w.user(name, "accountEnabled", i != 1, "userType", []string{"Member", "Guest"}[i/3])
	}
	for filter, want := range map[string]string{"accountEnabled eq true": "3", "accountEnabled eq false": "1", "userType eq 'guest'": "1", "userType eq 'Member'": "3",
		"userType eq 'Other'": "0", "accountEnabled eq true and userType eq 'Member'": "2", "accountEnabled ne true": "1", "startswith(displayName,'a')": "1"} {
		if a := w.want(200, "GET", "/v1.0/users/$count?$filter="+url.QueryEscape(filter), nil, "ConsistencyLevel", "eventual"); a.text != want {
			t.Errorf("%s: %s, want %s", filter, a.text, want)
		}
	}
}

// TestOrderedNames: a condition on the display name and its order go together, over pages, up and down, whatever the other names
// of the objects are.
func TestOrderedNames(t *testing.T) {
	w := newWorld(t, "")
	for i, name := range []string{"mia", "Max", "anna", "Mara", "Zoe", "MILA"} {
		nick := fmt.Sprintf("m%d", 9-i) // every user has another name that begins like the one looked for
		w.want(201, "POST", "/v1.0/users", map[string]any{"accountEnabled": true, "displayName": name, "mailNickname": nick, "mail": "ma" + nick + "@contoso.example",
			"userPrincipalName": nick + "@contoso.example", "passwordProfile": map[string]any{"password": "not kept"}})
	}
	names := func(query string) string {
		var all []string
		for address := "/v1.0/users?$count=true&$top=2&$select=displayName&" + query; address != ""; {
			a := w.want(200, "GET", address, nil, "ConsistencyLevel", "eventual")
			if c := a.column("displayName"); c != "" {
				all = append(all, c)
			}
			address = a.str("@odata.nextLink")
		}
		return strings.Join(all, " ")
	}
	for query, want := range map[string]string{
		"$orderby=displayName":                                                                    "anna Mara Max mia MILA Zoe",
		"$orderby=displayName+desc":                                                               "Zoe MILA mia Max Mara anna",
		"$orderby=displayName&$filter=startswith(displayName,'m')":                                "Mara Max mia MILA",
		"$orderby=displayName+desc&$filter=startswith(displayName,'m')":                           "MILA mia Max Mara",
		"$orderby=displayName&$filter=displayName+eq+'max'":                                       "Max",
		"$orderby=displayName&$filter=startswith(mail,'mam')+and+startswith(displayName,'mi')":    "mia MILA",
		"$orderby=displayName&$filter=startswith(mail,'mam')":                                     "anna Mara Max mia MILA Zoe",
		"$orderby=userPrincipalName&$filter=startswith(displayName,'m')":                          "MILA Mara Max mia",
		"$orderby=createdDateTime+desc&$filter=startswith(displayName,'m')":                       "MILA Mara Max mia",
		"$filter=startswith(displayName,'m')+and+accountEnabled+eq+true&$orderby=displayName+asc": "Mara Max mia MILA",
	} {
		if got := names(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}
