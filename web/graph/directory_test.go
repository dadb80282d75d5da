package graph_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUserStory(t *testing.T) {
	w := newWorld(t, "")
	created := w.want(201, "POST", "/v1.0/users", userBody("adele"))
	id := created.str("id")
	if created.header.Get("Location") != w.url+"/v1.0/users/"+id {
		t.Error(created.header)
	}
	want := `{"@odata.context":"` + w.url + `/v1.0/$metadata#users/$entity","businessPhones":[],"displayName":"Adele","givenName":null,"jobTitle":null,"mail":null,"mobilePhone":null,"officeLocation":null,"preferredLanguage":null,"surname":null,"userPrincipalName":"adele@contoso.example","id":"` + id + `"}`
	if got := w.want(200, "GET", "/v1.0/users/"+id, nil); got.text != want {
		t.Error(cmp.Diff(want, got.text))
	}
	w.want(204, "PATCH", "/v1.0/users/adele@contoso.example", map[string]any{"jobTitle": "Engineer", "employeeOrgData": map[string]any{"costCenter": "7"},
		"onPremisesExtensionAttributes": map[string]any{"extensionAttribute3": "x"}, "@odata.type": "#microsoft.graph.user"})
	a := w.want(200, "GET", "/v1.0/users/"+id+"?$select=jobTitle,employeeOrgData,onPremisesExtensionAttributes,passwordProfile,createdDateTime,identities", nil)
	if a.str("jobTitle") != "Engineer" || a.str("employeeOrgData", "costCenter") != "7" || a.str("onPremisesExtensionAttributes", "extensionAttribute3") != "x" ||
		a.at("passwordProfile") != nil || a.str("createdDateTime") != "2026-01-05T09:00:00Z" || !strings.Contains(a.text, `"issuerAssignedId":"adele@contoso.example"`) || a.at("id") != nil {
		t.Error(a.text)
	}
	if a := w.want(200, "PATCH", "/v1.0/users/"+id, map[string]any{"jobTitle": nil}, "Prefer", "return=representation"); a.at("jobTitle") != nil || a.str("id") != id {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/users/"+id+"/displayName/$value", nil); a.text != "Adele" {
		t.Error(a.text)
	}
	if a := w.want(404, "GET", "/v1.0/users/nobody@contoso.example", nil); a.str("error", "message") != "Resource 'nobody@contoso.example' does not exist or one of its queried reference-property objects are not present." {
		t.Error(a.text)
	}

	boss := w.user("boss")
	if a := w.want(404, "GET", "/v1.0/users/"+id+"/manager", nil); a.str("error", "code") != "Request_ResourceNotFound" {
		t.Error(a.text)
	}
	w.want(204, "PUT", "/v1.0/users/"+id+"/manager/$ref", map[string]any{"@odata.id": "https://graph.microsoft.com/v1.0/users/" + boss})
	if a := w.want(200, "GET", "/v1.0/users/"+id+"/manager/$ref", nil); a.str("@odata.id") != w.url+"/v1.0/users/"+boss {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/users/"+id+"/manager", nil); a.str("@odata.type") != "#microsoft.graph.user" || a.str("id") != boss {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/users?$expand=manager($select=id,displayName)&$select=id", nil); !strings.Contains(a.text, `"manager":{"@odata.type":"#microsoft.graph.user","id":"`+boss+`","displayName":"Boss"}`) {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/users/"+boss+"/directReports", nil); a.column("id") != id {
		t.Error(a.text)
	}
	for _, ref := range []any{"nonsense", 7, "https://graph.microsoft.com/v1.0/users/not-an-id", "https://graph.microsoft.com/v1.0/teams/" + boss} {
		if a := w.want(400, "PUT", "/v1.0/users/"+id+"/manager/$ref", map[string]any{"@odata.id": ref}); a.str("error", "message") != "Not a valid reference update." {
			t.Error(a.text)
		}
	}
	w.want(204, "DELETE", "/v1.0/users/"+id+"/manager/$ref", nil)
	w.want(404, "DELETE", "/v1.0/users/"+id+"/manager/$ref", nil)

	w.want(204, "DELETE", "/v1.0/users/"+id, nil)
	w.want(404, "GET", "/v1.0/users/"+id, nil)
	if a := w.want(200, "GET", "/v1.0/directory/deletedItems/microsoft.graph.user", nil); a.column("id") != id || a.column("deletedDateTime") != "2026-01-05T09:00:00Z" || a.column("userPrincipalName") != strings.ReplaceAll(id, "-", "")+"adele@contoso.example" {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/directory/deletedItems/"+id, nil); a.str("@odata.type") != "#microsoft.graph.user" {
		t.Error(a.text)
	}
	other := w.user("adele")
	if a := w.want(400, "POST", "/v1.0/directory/deletedItems/"+id+"/restore", nil); a.str("error", "code") != "Request_BadRequest" {
		t.Error(a.text)
	}
	w.want(204, "DELETE", "/v1.0/users/"+other, nil)
	if a := w.want(200, "POST", "/v1.0/directory/deleteditems/"+id+"/restore", `{"autoReconcileProxyConflict":true}`); a.str("userPrincipalName") != "adele@contoso.example" || a.str("@odata.context") != w.url+"/v1.0/$metadata#directoryObjects/$entity" {
		t.Error(a.text)
	}
	w.want(204, "DELETE", "/v1.0/directory/deletedItems/"+other, nil)
	w.want(404, "GET", "/v1.0/directory/deletedItems/"+other, nil)
}

func TestGroupStory(t *testing.T) {
	w := newWorld(t, "")
	var users []string
	for i := range 4 {
		users = append(users, w.user(fmt.Sprintf("user%d", i)))
	}
	ref := func(id string) string { return "https://graph.microsoft.com/v1.0/directoryObjects/" + id }
	created := w.want(201, "POST", "/v1.0/groups", map[string]any{"displayName": "Sales", "mailEnabled": false, "mailNickname": "sales", "securityEnabled": true,
		"members@odata.bind": []string{ref(users[0]), "http://x/beta/tenant/users/user1@contoso.example"}})
	id := created.str("id")
	if created.at("groupTypes") == nil || created.at("securityIdentifier") == nil || len(created.body) != 34+1 {
		t.Errorf("%d members: %s", len(created.body), created.text)
	}
	// A reference that leads nowhere: nothing is made.
	w.want(404, "POST", "/v1.0/groups", map[string]any{"displayName": "Half", "mailEnabled": false, "mailNickname": "half", "securityEnabled": true,
		"members@odata.bind": []string{ref(users[0]), ref("00000000-1111-2222-3333-444444444444")}})
	w.want(404, "PATCH", "/v1.0/groups/"+id, map[string]any{"description": "half", "members@odata.bind": []string{ref(users[2]), ref("00000000-1111-2222-3333-444444444444")}})
	if a := w.want(200, "GET", "/v1.0/groups", nil); a.column("displayName") != "Sales" || a.column("description") != "<nil>" {
		t.Error(a.text)
	}
	w.want(204, "POST", "/v1.0/groups/"+id+"/members/$ref", map[string]any{"@odata.id": ref(users[2])})
	if a := w.want(400, "POST", "/v1.0/groups/"+id+"/members/$ref", map[string]any{"@odata.id": ref(users[2])}); a.str("error", "message") != "One or more added object references already exist for the following modified properties: 'members'." {
		t.Error(a.text)
	}
	w.want(204, "PATCH", "/v1.0/groups/"+id, map[string]any{"members@odata.bind": []string{ref(users[3])}})
	inner := w.group("Inner")
	w.want(204, "POST", "/v1.0/groups/"+id+"/members/$ref", map[string]any{"@odata.id": ref(inner)})
	w.want(400, "POST", "/v1.0/groups/"+id+"/members/$ref", map[string]any{"@odata.id": ref(id)})
	members := strings.Join(append(users, inner), " ")
	if a := w.want(200, "GET", "/v1.0/groups/"+id+"/members?$select=id", nil); a.column("id") != members || a.column("@odata.type") != strings.Repeat("#microsoft.graph.user ", 4)+"#microsoft.graph.group" {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/groups/"+id+"/members/microsoft.graph.group", nil); a.column("id") != inner {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/groups/"+id+"/members/graph.user/$count", nil, "ConsistencyLevel", "eventual"); a.text != "4" || a.header.Get("Content-Type") != "text/plain" {
		t.Error(a.text)
	}
	var seen []string
	for next := "/v1.0/groups/" + id + "/members?$top=2"; next != ""; {
		a := w.want(200, "GET", next, nil)
		seen = append(seen, a.column("id"))
		next = a.str("@odata.nextLink")
	}
	if strings.Join(seen, " ") != members || len(seen) != 3 {
		t.Error(seen)
	}
	if a := w.want(200, "GET", "/v1.0/groups/"+id+"/members/"+users[1]+"/$ref", nil); a.str("url") != w.url+"/v1.0/directoryObjects/"+users[1] {
		t.Error(a.text)
	}
	w.want(204, "DELETE", "/v1.0/groups/"+id+"/members/"+users[1]+"/$ref", nil)
	w.want(404, "DELETE", "/v1.0/groups/"+id+"/members/"+users[1]+"/$ref", nil)
	w.want(204, "DELETE", "/v1.0/groups/"+id+"/members/$ref?@id="+url.QueryEscape(ref(users[2])), nil)
	if a := w.want(400, "DELETE", "/v1.0/groups/"+id+"/members/$ref?@id="+url.QueryEscape(ref(users[2])), nil); !strings.Contains(a.str("error", "message"), "removed object references do not exist") {
		t.Error(a.text)
	}
	w.want(204, "POST", "/v1.0/groups/"+inner+"/members/$ref", map[string]any{"@odata.id": ref(users[1])})
	if a := w.want(200, "GET", "/v1.0/groups/"+id+"/transitiveMembers/microsoft.graph.user", nil); a.column("id") != users[0]+" "+users[1]+" "+users[3] {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/v1.0/users/"+users[1]+"/transitiveMemberOf", nil); a.column("displayName") != "Sales Inner" {
		t.Error(a.text)
	}
	if a := w.want(200, "POST", "/v1.0/users/"+users[1]+"/checkMemberGroups", map[string]any{"groupIds": []string{id}}); !strings.Contains(a.text, id) {
		t.Error(a.text)
	}
	if a := w.want(400, "GET", "/v1.0/groups/abc", nil); a.str("error", "message") != "Invalid object identifier 'abc'." {
		t.Error(a.text)
	}
	if a := w.want(400, "PATCH", "/v1.0/groups/"+id, map[string]any{"members@odata.bind": strings.Split(strings.Repeat(ref(users[0])+" ", 21), " ")[:21]}); !strings.Contains(a.text, "at most 20") {
		t.Error(a.text)
	}
	w.want(204, "DELETE", "/v1.0/groups/"+id, nil)
	if a := w.want(200, "GET", "/v1.0/directory/deletedItems/microsoft.graph.group?$select=displayName", nil); a.column("displayName") != "Sales" {
		t.Error(a.text)
	}
	w.want(200, "POST", "/v1.0/directory/deletedItems/"+id+"/restore", nil)
	if a := w.want(200, "GET", "/v1.0/groups/"+id+"/members/$ref", nil); len(a.list()) != 3 {
		t.Error(a.text)
	}
}

func TestQueries(t *testing.T) {
	w := newWorld(t, "")
	for i, name := range []string{"adele", "alex", "bianca", "carl", "diego"} {
		w.user(name, "department", []string{"Sales", "IT"}[i%2], "accountEnabled", i != 3, "otherMails", []string{name + "@fabrikam.example"}, "employeeHireDate", fmt.Sprintf("2026-01-0%dT00:00:00Z", i+1))
	}
	const eventual = "ConsistencyLevel"
	for _, c := range []struct {
		query, want string
		advanced    bool
	}{
		{"$filter=startswith(displayName,'a')", "Adele Alex", false},
		{"$filter=displayName eq 'ALEX'", "Alex", false},
		{"$filter=userPrincipalName eq 'carl@contoso.example'", "Carl", false},
		{"$filter=userPrincipalName in ('carl@contoso.example','adele@contoso.example','nobody@contoso.example')", "Carl Adele", false},
		{"$filter=accountEnabled eq false", "Carl", false},
		{"$filter=department eq 'sales' and startswith(userPrincipalName,'d')", "Diego", false},
		{"$filter=displayName eq 'Adele' or (displayName eq 'Carl' and department eq 'IT')", "Adele Carl", false},
		{"$filter=department in ('IT', 'Legal')", "Alex Carl", false},
		{"$filter=otherMails/any(x:x eq 'bianca@fabrikam.example')", "Bianca", false},
		{"$filter=otherMails/any(x:startswith(x,'a'))", "Adele Alex", false},
		{"$filter=employeeHireDate+ge+2026-01-04", "Carl Diego", false},
		{"$filter=employeeHireDate ge 2026-01-04T00:00:00Z", "Carl Diego", false},
		{"$filter=displayName eq 'O''Brien'", "", false},
		{"%24filter=startswith(displayName%2C%27b%27)&%24TOP=1", "Bianca", false},
		{"$orderby=displayName desc", "Diego Carl Bianca Alex Adele", false},
		{"$orderby=userPrincipalName&$top=2", "Adele Alex", false},
		{"$filter=department ne 'IT'", "Adele Bianca Diego", true},
		{"$filter=not(startswith(displayName,'a'))", "Bianca Carl Diego", true},
		{"$filter=endswith(userPrincipalName,'x@contoso.example')", "Alex", true},
		{"$filter=mail eq null and department eq 'IT'", "Alex Carl", true},
		{"$filter=department eq 'Sales'&$orderby=displayName desc", "Diego Bianca Adele", true},
		{`$search="displayName:al" OR "userPrincipalName:diego"`, "Alex Diego", true},
	} {
		path := "/v1.0/users?" + strings.ReplaceAll(c.query, " ", "%20")
		if c.advanced {
			if a := w.want(400, "GET", path, nil); a.str("error", "code") != "Request_UnsupportedQuery" {
				t.Errorf("%s: %s", c.query, a.text)
			}
			path += "&$count=true"
		}
		a := w.want(200, "GET", path, nil, eventual, "eventual")
		if got := a.column("displayName"); got != c.want {
			t.Errorf("%s: %s, want %s", c.query, got, c.want)
		}
		if c.advanced && a.at("@odata.count") != float64(len(strings.Fields(c.want))) {
			t.Errorf("%s: count %v", c.query, a.at("@odata.count"))
		}
	}
	for query, want := range map[string]string{
		"$filter=displayName eq":                  "BadRequest Invalid filter clause: Syntax error at position 14",
		"$filter=displayName eq 'open":            "BadRequest Invalid filter clause: Syntax error at position 15",
		"$filter=shoeSize eq 1":                   "BadRequest Could not find a property named 'shoeSize'",
		"$filter=accountEnabled eq 'true'":        "BadRequest A binary operator with incompatible types",
		"$filter=passwordProfile eq null":         "Request_UnsupportedQuery Unsupported or invalid query filter clause specified for property 'passwordProfile' of resource 'User'.",
		"$filter=contains(displayName,'a')":       "Request_UnsupportedQuery",
		"$filter=length(displayName) eq 1":        "BadRequest Invalid filter clause: the function 'length'",
		"$filter=" + strings.Repeat("(", 1000):    "BadRequest Invalid filter clause: it is nested",
		"$filter=" + strings.Repeat("not ", 1000): "BadRequest Invalid filter clause: it is nested",
		"$skiptoken=abc":                          "Directory_ExpiredPageToken The specified page token value has expired",
		"$top=0":                                  "BadRequest Invalid page size specified: '0'.",
		"$top=1000":                               "BadRequest Invalid page size specified: '1000'.",
		"$orderby=shoeSize":                       "BadRequest Could not find a property named 'shoeSize'",
		"$orderby=department":                     "Request_UnsupportedQuery Sorting by property 'department'",
		"$select=aboutMe":                         "NotImplemented",
	} {
		a := w.do("GET", "/v1.0/users?"+strings.ReplaceAll(query, " ", "%20"), nil)
		if got := a.str("error", "code") + " " + a.str("error", "message"); a.status < 400 || !strings.HasPrefix(got, want) {
			t.Errorf("%.60s: %d %.200s", query, a.status, got)
		}
	}
	var seen []string
	for next := "/v1.0/users?$top=2&$select=displayName&$filter=" + url.QueryEscape("accountEnabled eq true"); next != ""; {
		a := w.want(200, "GET", next, nil)
		seen = append(seen, a.column("displayName"))
		if next = a.str("@odata.nextLink"); next != "" {
			// The token alone carries the other options too.
			u, err := url.Parse(next)
			must(t, err)
			bare := w.want(200, "GET", "/v1.0/users?$skiptoken="+u.Query().Get("$skiptoken"), nil)
			if bare.text != w.want(200, "GET", next, nil).text {
				t.Error(bare.text)
			}
			// As the npm client sends it on plain HTTP.
			w.want(200, "GET", "/v1.0/"+next, nil)
		}
	}
	if strings.Join(seen, "|") != "Adele Alex|Bianca Diego" {
		t.Error(seen)
	}
	if a := w.want(200, "GET", "/v1.0/users/$count", nil, eventual, "eventual"); a.text != "5" {
		t.Error(a.text)
	}
	w.want(400, "GET", "/v1.0/users/$count", nil)
}
