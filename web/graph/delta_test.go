package graph_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
)

// round follows a delta query to its end and returns what it showed, and the address of the next round.
func (w *world) round(address string, header ...string) (list []map[string]any, next string) {
	w.t.Helper()
	for range 100 {
		a := w.want(200, "GET", address, nil, header...)
		list = append(list, a.list()...)
		if next = a.str("@odata.deltaLink"); next != "" {
			return list, next
		}
		if address = a.str("@odata.nextLink"); address == "" {
			w.t.Fatalf("neither a next page nor a delta link: %s", a.text)
		}
	}
	w.t.Fatal("a round without an end")
	return nil, ""
}

func pick(list []map[string]any, id string) map[string]any {
	for _, x := range list {
		if x["id"] == id {
			return x
		}
	}
	return nil
}

func TestDeltaOfUsers(t *testing.T) {
	w := newWorld(t, "")
	adele, carl := w.user("adele", "jobTitle", "Engineer"), w.user("carl")
	list, next := w.round("/v1.0/users/delta?$select=displayName,jobTitle,manager")
	if len(list) != 2 || fmt.Sprint(pick(list, adele)) != "map[displayName:Adele id:"+adele+" jobTitle:Engineer]" {
		t.Error(list)
	}
	if list, again := w.round(next); len(list) != 0 {
		t.Error(list)
	} else {
		next = again
	}
	// A property that is not selected is not followed; what was not there is shown as it is now.
	w.want(204, "PATCH", "/v1.0/users/"+carl, map[string]any{"department": "Sales"})
	w.want(204, "PATCH", "/v1.0/users/"+adele, map[string]any{"jobTitle": "Lead"})
	w.want(204, "PUT", "/v1.0/users/"+adele+"/manager/$ref", map[string]any{"@odata.id": "https://graph.microsoft.com/v1.0/users/" + carl})
	dora := w.user("dora")
	list, second := w.round(next)
	if len(list) != 2 || pick(list, carl) != nil || pick(list, dora)["displayName"] != "Dora" ||
		fmt.Sprint(pick(list, adele)) != "map[displayName:Adele id:"+adele+" jobTitle:Lead manager@delta:[map[@odata.type:#microsoft.graph.user id:"+carl+"]]]" {
		t.Error(list)
	}
	// The same round again, only with what changed.
	a := w.want(200, "GET", next, nil, "Prefer", "return=minimal")
	if a.header.Get("Preference-Applied") != "return=minimal" || pick(a.list(), adele)["displayName"] != nil || pick(a.list(), adele)["jobTitle"] != "Lead" || pick(a.list(), dora)["displayName"] != "Dora" {
		t.Error(a.text)
	}
	// Gone, and gone for good; a new manager in place of an old one.
	w.want(204, "PUT", "/v1.0/users/"+adele+"/manager/$ref", map[string]any{"@odata.id": "https://graph.microsoft.com/v1.0/users/" + dora})
	w.want(204, "DELETE", "/v1.0/users/"+carl, nil)
	list, third := w.round(second)
	if fmt.Sprint(pick(list, carl)) != "map[@removed:map[reason:changed] id:"+carl+"]" ||
		fmt.Sprint(pick(list, adele)["manager@delta"]) != "[map[@odata.type:#microsoft.graph.user @removed:map[reason:deleted] id:"+carl+"] map[@odata.type:#microsoft.graph.user id:"+dora+"]]" {
		t.Error(list)
	}
	w.want(200, "POST", "/v1.0/directory/deletedItems/"+carl+"/restore", nil)
	list, fourth := w.round(third, "Prefer", "return=minimal")
	if len(list) != 1 || pick(list, carl)["displayName"] != "Carl" {
		t.Error(list)
	}
	w.want(204, "DELETE", "/v1.0/users/"+carl, nil)
	w.want(204, "DELETE", "/v1.0/directory/deletedItems/"+carl, nil)
	if list, _ = w.round(fourth); fmt.Sprint(list) != "[map[@removed:map[reason:deleted] id:"+carl+"]]" {
		t.Error(list)
	}
	// Whose manager is gone for good has none any more. While the manager lies among the deleted items, nothing is said.
	_, fifth := w.round("/v1.0/users/delta?$select=displayName,manager")
	w.want(204, "DELETE", "/v1.0/users/"+dora, nil)
	if list, fifth = w.round(fifth); len(list) != 1 || pick(list, adele) != nil {
		t.Error(list)
	}
	w.want(204, "DELETE", "/v1.0/directory/deletedItems/"+dora, nil)
	w.want(404, "GET", "/v1.0/users/"+adele+"/manager", nil)
	if list, _ = w.round(fifth); len(list) != 2 ||
		fmt.Sprint(pick(list, adele)["manager@delta"]) != "[map[@odata.type:#microsoft.graph.user @removed:map[reason:deleted] id:"+dora+"]]" {
		t.Error(list)
	}
	w.want(204, "PUT", "/v1.0/users/"+adele+"/manager/$ref", map[string]any{"@odata.id": "https://graph.microsoft.com/v1.0/users/" + w.user("emil")})
	// Without $select the standard set is followed, and the manager is not.
	_, next = w.round("/beta/users/microsoft.graph.delta()")
	w.want(204, "PATCH", "/v1.0/users/"+adele, map[string]any{"department": "Sales"})
	w.want(204, "DELETE", "/v1.0/users/"+adele+"/manager/$ref", nil)
	if list, next = w.round(next); len(list) != 0 || !strings.HasPrefix(next, w.url+"/beta/users/microsoft.graph.delta()?$deltatoken=") {
		t.Error(list, next)
	}
}

func TestDeltaOptions(t *testing.T) {
	w := newWorld(t, "")
	adele, carl := w.user("adele"), w.user("carl")
	// From now on.
	a := w.want(200, "GET", "/v1.0/users/delta?$deltaToken=latest&$select=displayName", nil)
	next := a.str("@odata.deltaLink")
	if len(a.list()) != 0 || next == "" {
		t.Fatal(a.text)
	}
	w.want(204, "PATCH", "/v1.0/users/"+adele, map[string]any{"displayName": "A. Vance"})
	if list, _ := w.round(next); len(list) != 1 || fmt.Sprint(list[0]) != "map[displayName:A. Vance id:"+adele+"]" {
		t.Error(list)
	}
	// Some objects only.
	filter := url.QueryEscape("id eq '" + carl + "' or id eq '" + adele + "' or id eq '11111111-2222-4333-8444-555555555555'")
	list, next := w.round("/v1.0/users/delta?$filter=" + filter)
	if len(list) != 2 {
		t.Error(list)
	}
	w.user("dora")
	w.want(204, "DELETE", "/v1.0/users/"+carl, nil)
	if list, _ = w.round(next); fmt.Sprint(list) != "[map[@removed:map[reason:changed] id:"+carl+"]]" {
		t.Error(list)
	}
	var many []string
	for i := range 51 {
		many = append(many, fmt.Sprintf("id eq '11111111-2222-4333-8444-5555555555%02d'", i))
	}
	for query, names := range map[string]string{
		"$top=5":                         "$top",
		"$orderby=displayName":           "$orderby",
		"$expand=manager":                "$expand",
		"$count=true":                    "$count",
		"$select=shoeSize":               "shoeSize",
		"$filter=displayName+eq+'Adele'": "displayName",
		"$filter=id+eq":                  "position",
		"$filter=" + url.QueryEscape(strings.Join(many, " or ")): "50",
		"$deltatoken=nonsense":                   "token",
		"$skiptoken=nonsense":                    "token",
		"$deltatoken=latest&$skiptoken=nonsense": "$skiptoken",
	} {
		if a := w.want(400, "GET", "/v1.0/users/delta?"+query, nil); !strings.Contains(a.str("error", "message"), names) {
			t.Errorf("%s: %s", query, a.text)
		}
	}
	if a := w.want(400, "GET", next+"&$select=mail", nil); !strings.Contains(a.text, "$select") {
		t.Error(a.text)
	}
	w.want(400, "GET", strings.Replace(next, "/users/", "/groups/", 1), nil)
}

// TestDeltaTokenAge: a token is good for 30 days, and for its own directory only.
func TestDeltaTokenAge(t *testing.T) {
	w := newWorld(t, "")
	w.user("adele")
	_, next := w.round("/v1.0/users/delta?$select=displayName")
	if _, err := w.svc.Advance(t.Context(), 30*24*time.Hour-time.Minute); err != nil {
		t.Fatal(err)
	}
	carl := w.user("carl")
	list, fresh := w.round(next)
	if len(list) != 1 || list[0]["id"] != carl {
		t.Error(list)
	}
	if _, err := w.svc.Advance(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	a := w.want(410, "GET", next, nil)
	if a.str("error", "code") != "resyncRequired" || a.header.Get("Location") != w.url+"/v1.0/users/delta?$select=displayName" {
		t.Error(a.text, a.header)
	}
	if list, _ := w.round(a.header.Get("Location")); len(list) != 2 {
		t.Error(list)
	}
	must(t, w.dir.Reset())
	for _, name := range []string{"adele", "carl", "dora"} { // as many changes as before
		w.user(name)
	}
	if a := w.want(410, "GET", fresh, nil); a.str("error", "code") != "syncStateNotFound" || a.header.Get("Location") == "" {
		t.Error(a.text)
	}
}

func TestDeltaOfGroups(t *testing.T) {
	w := newWorld(t, "")
	adele, carl := w.user("adele"), w.user("carl")
	sales := w.group("Sales")
	add := func(group, id string) {
		t.Helper()
		w.want(204, "POST", "/v1.0/groups/"+group+"/members/$ref", map[string]any{"@odata.id": "https://graph.microsoft.com/v1.0/directoryObjects/" + id})
	}
	add(sales, adele)
	list, next := w.round("/v1.0/groups/delta")
	if len(list) != 1 || list[0]["mailNickname"] != "sales" || fmt.Sprint(list[0]["members@delta"]) != "[map[@odata.type:#microsoft.graph.user id:"+adele+"]]" {
		t.Error(list)
	}
	add(sales, carl)
	w.want(204, "DELETE", "/v1.0/groups/"+sales+"/members/"+adele+"/$ref", nil)
	list, names := w.round(next)
	if len(list) != 1 || fmt.Sprint(list[0]["members@delta"]) != "[map[@odata.type:#microsoft.graph.user @removed:map[reason:deleted] id:"+adele+"] map[@odata.type:#microsoft.graph.user id:"+carl+"]]" {
		t.Error(list)
	}
	if list, _ := w.round(next, "Prefer", "return=minimal"); list[0]["displayName"] != nil || list[0]["members@delta"] == nil {
		t.Error(list)
	}
	// Names alone.
	_, next = w.round("/v1.0/groups/delta?$select=displayName")
	add(sales, adele)
	if list, _ := w.round(next); len(list) != 0 {
		t.Error(list)
	}
	// Deleted and restored: the members come again.
	_, next = w.round(names)
	w.want(204, "DELETE", "/v1.0/groups/"+sales, nil)
	list, next = w.round(next)
	if fmt.Sprint(list) != "[map[@removed:map[reason:changed] id:"+sales+"]]" {
		t.Error(list)
	}
	w.want(200, "POST", "/v1.0/directory/deletedItems/"+sales+"/restore", nil)
	if list, _ := w.round(next); len(list) != 1 || len(list[0]["members@delta"].([]any)) != 2 {
		t.Error(list)
	}
	// Applications have theirs.
	sp, app, _ := w.app("Fabrikam App")
	if list, _ := w.round("/v1.0/servicePrincipals/delta?$select=displayName"); fmt.Sprint(list) != "[map[displayName:Fabrikam App id:"+sp+"]]" {
		t.Error(list)
	}
	list, next = w.round("/v1.0/applications/delta?$select=displayName")
	if fmt.Sprint(list) != "[map[displayName:Fabrikam App id:"+app+"]]" {
		t.Error(list)
	}
	w.want(204, "DELETE", "/v1.0/applications/"+app, nil)
	if list, _ := w.round(next); fmt.Sprint(list) != "[map[@removed:map[reason:changed] id:"+app+"]]" {
		t.Error(list)
	}
}

// TestDeltaPages: many users, a group whose members don't fit on a page, and more changes than one page looks at: in every
// round each object and each membership comes, and the pages stay small.
func TestDeltaPages(t *testing.T) {
	w := newWorld(t, "")
	now := w.svc.Clock().Now()
	var ids []string
	for i := range 1250 {
		name := fmt.Sprintf("user%04d", i)
		u, err := w.dir.CreateUser(now, directory.Props{"displayName": name, "mailNickname": name, "userPrincipalName": name + "@contoso.example"})
		must(t, err)
		ids = append(ids, u.ID)
	}
	small, big := w.group("Small"), w.group("Big")
	must(t, w.dir.AddMembers(now, small, ids[:3]...))
	must(t, w.dir.AddMembers(now, big, ids...))
	pages := func(address string) (users, members map[string]bool, n int, next string) {
		t.Helper()
		users, members = map[string]bool{}, map[string]bool{}
		for next == "" {
			a := w.want(200, "GET", address, nil)
			n++
			links := 0
			for _, x := range a.list() {
				users[x["id"].(string)] = true
				list, _ := x["members@delta"].([]any)
				for _, m := range list {
					members[x["id"].(string)+" "+m.(map[string]any)["id"].(string)] = true
				}
				links += len(list)
			}
			if len(a.list()) > 400 || links > 1000 {
				t.Errorf("a page of %d objects and %d members", len(a.list()), links)
			}
			address, next = a.str("@odata.nextLink"), a.str("@odata.deltaLink")
		}
		return users, members, n, next
	}
	users, _, n, next := pages("/v1.0/users/delta?$select=displayName,department")
	if len(users) != 1250 || n != 13 {
		t.Errorf("%d users on %d pages", len(users), n)
	}
	groups, members, n, nextGroups := pages("/v1.0/groups/delta?$select=members")
	if len(groups) != 2 || len(members) != 1253 || n != 2 {
		t.Errorf("%d groups with %d members on %d pages", len(groups), len(members), n)
	}
	for _, id := range ids {
		_, err := w.dir.UpdateUser(now, id, directory.Props{"department": "Sales"})
		must(t, err)
	}
	must(t, w.dir.RemoveMembers(now, big, ids[:700]...))
	if users, _, n, _ = pages(next); len(users) != 1250 || n < 6 {
		t.Errorf("%d users on %d pages", len(users), n)
	}
	if groups, members, _, _ = pages(nextGroups); len(groups) != 1 || len(members) != 700 {
		t.Errorf("%d groups with %d members", len(groups), len(members))
	}
}
