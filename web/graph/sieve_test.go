package graph_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestFilteredMembers: lists of members take $filter and $search, whatever kinds they hold (api/group-list-members.md). The
// azuread provider of Terraform looks for one member by its id.
func TestFilteredMembers(t *testing.T) {
	w := newWorld(t, "")
	adele, bob, carol := w.user("adele", "department", "Sales"), w.user("bob", "department", "Sales"), w.user("carol", "department", "Legal")
	inner, other := w.group("Inner"), w.user("other")
	var refs []string
	for _, id := range []string{adele, bob, carol, inner} {
		refs = append(refs, "https://graph.microsoft.com/v1.0/directoryObjects/"+id)
	}
	group := w.want(201, "POST", "/v1.0/groups", map[string]any{"displayName": "Outer", "mailEnabled": false, "mailNickname": "outer", "securityEnabled": true, "members@odata.bind": refs}).str("id")
	w.want(204, "PATCH", "/v1.0/groups/"+inner, map[string]any{"members@odata.bind": []string{"https://graph.microsoft.com/v1.0/users/" + other}})
	at := "/v1.0/groups/" + group
	query := func(filter string) string { return "$filter=" + url.QueryEscape(filter) }
	for path, want := range map[string][]string{
		at + "/members?" + query("id eq '"+bob+"'"):                                                {bob},
		at + "/members?" + query("id eq '"+other+"'"):                                              {},
		at + "/members?" + query("id in ('"+carol+"','"+inner+"')"):                                {carol, inner},
		at + "/members?" + query("startswith(displayName,'in')"):                                   {inner},
		at + "/members?" + query("department eq 'Sales'"):                                          {adele, bob},
		at + "/members/microsoft.graph.user?" + query("department eq 'Sales' and id ne 'x'"):       {adele, bob},
		at + "/members?" + query("securityEnabled eq true"):                                        {inner},
		at + "/members?$search=" + url.QueryEscape(`"displayName:bo"`):                             {bob},
		at + "/transitiveMembers?" + query("startswith(userPrincipalName,'o')"):                    {other},
		at + "/transitiveMembers/microsoft.graph.user?" + query("startswith(displayName,'a')"):     {adele},
		"/v1.0/users/" + other + "/transitiveMemberOf?" + query("startswith(displayName,'out')"):   {group},
		"/v1.0/users/" + adele + "/memberOf/microsoft.graph.group?" + query("mailNickname eq 'x'"): {},
	} {
		a := w.want(200, "GET", path+"&$select=id&$count=true", nil, "ConsistencyLevel", "eventual")
		if a.column("id") != strings.Join(want, " ") || fmt.Sprint(a.at("@odata.count")) != fmt.Sprint(len(want)) {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	// A page at a time, the filter in the link; the last page may turn out to be empty.
	var seen []string
	pages := 0
	for next := at + "/members?$select=id&$top=1&" + query("department eq 'Sales'"); next != ""; pages++ {
		a := w.want(200, "GET", next, nil)
		seen = append(seen, strings.Fields(a.column("id"))...)
		next = a.str("@odata.nextLink")
	}
	if strings.Join(seen, " ") != adele+" "+bob || pages > 3 {
		t.Errorf("%d pages: %q", pages, seen)
	}
	// Counts.
	for path, want := range map[string]string{
		at + "/members/$count?" + query("department eq 'Sales'"):                                          "2",
		at + "/transitiveMembers/microsoft.graph.user/$count?" + query("department ne 'Sales'"):           "2",
		"/v1.0/users/" + other + "/memberOf/microsoft.graph.group/$count":                                 "1",
		"/v1.0/users/" + other + "/transitiveMemberOf/microsoft.graph.group/$count":                       "2",
		"/v1.0/users/" + other + "/transitiveMemberOf/microsoft.graph.directoryRole/$count":               "0",
		"/v1.0/users/" + other + "/transitiveMemberOf/$count?" + query("startswith(displayName,'Inner')"): "1",
	} {
		if a := w.want(200, "GET", path, nil, "ConsistencyLevel", "eventual"); a.text != want {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	// What Graph refuses.
	for path, names := range map[string]string{
		at + "/members?" + query("department ne 'Sales'"):                            "'ne' needs",
		at + "/members?$search=" + url.QueryEscape(`"displayName:bo"`):               "ConsistencyLevel",
		at + "/members?" + query("shoeSize eq 'x'"):                                  "shoeSize",
		at + "/members/microsoft.graph.user?" + query("securityEnabled eq true"):     "securityEnabled",
		at + "/members?" + query("displayName eq"):                                   "position",
		"/v1.0/users/" + adele + "/memberOf?" + query("memberOf/any(m:m/id eq 'x')"): "memberOf",
	} {
		if a := w.want(400, "GET", path, nil); !strings.Contains(a.str("error", "message"), names) {
			t.Errorf("%s: %s", path, a.text)
		}
	}
}

// TestMembershipOfServicePrincipals: the routes are there, and say that there is none.
func TestMembershipOfServicePrincipals(t *testing.T) {
	w := newWorld(t, "")
	sp, _, _ := w.app("Fabrikam App")
	appID := w.want(200, "GET", "/v1.0/servicePrincipals/"+sp, nil).str("appId")
	for _, at := range []string{"/v1.0/servicePrincipals/" + sp, "/v1.0/servicePrincipals(appId='" + appID + "')"} {
		for _, path := range []string{"/memberOf", "/memberOf/microsoft.graph.group", "/transitiveMemberOf"} {
			if a := w.want(200, "GET", at+path, nil); a.body["value"] == nil || len(a.list()) != 0 {
				t.Error(a.text)
			}
		}
		if a := w.want(200, "POST", at+"/getMemberGroups", `{"securityEnabledOnly":false}`); a.body["value"] == nil {
			t.Error(a.text)
		}
	}
	w.want(404, "GET", "/v1.0/servicePrincipals/"+nobody+"/memberOf", nil)
}
