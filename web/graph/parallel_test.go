package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// TestClientsInParallel lets 50 clients write the same user and the same group at once. Each writes a property that is its
// own, so that a lost update shows: every property and every member must be there at the end. Where all want the same, one
// wins and the others are told in Graph's words.
func TestClientsInParallel(t *testing.T) {
	const clients = 50
	w := newWorld(t, "")
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = clients
	t.Cleanup(transport.CloseIdleConnections)
	w.client = &http.Client{Transport: transport}
	adele, group := w.user("adele"), w.group("Sales")
	members := make([]string, clients)
	for i := range members {
		members[i] = w.user(fmt.Sprintf("member%02d", i))
	}
	everybody := func(work func(i int)) {
		t.Helper()
		var wg sync.WaitGroup
		begin := make(chan struct{})
		for i := range clients {
			wg.Go(func() { <-begin; work(i) })
		}
		close(begin)
		wg.Wait()
	}
	expect := func(a answer, what string, statuses ...int) {
		t.Helper()
		if !slices.Contains(statuses, a.status) || a.status >= 400 && a.str("error", "code") == "" {
			t.Errorf("%s: %d %s", what, a.status, a.text)
		}
	}
	// Fifteen attributes of one user, each written by several clients with one value: none undoes another.
	own := func(i int) (string, string) {
		return fmt.Sprintf("extensionAttribute%d", i%15+1), fmt.Sprint("value ", i%15)
	}
	everybody(func(i int) {
		name, value := own(i)
		expect(w.do("PATCH", "/v1.0/users/"+adele, map[string]any{"onPremisesExtensionAttributes": map[string]any{name: value}}), "attribute", 204)
		expect(w.do("POST", "/v1.0/groups/"+group+"/members/$ref", map[string]any{"@odata.id": w.url + "/v1.0/users/" + members[i]}), "member", 204)
	})
	got := w.want(200, "GET", "/v1.0/users/"+adele+"?$select=onPremisesExtensionAttributes", nil)
	for i := range 15 {
		name, value := own(i)
		if have := got.str("onPremisesExtensionAttributes", name); have != value {
			t.Errorf("%s is %q, want %q: an update is lost", name, have, value)
		}
	}
	if n := len(w.want(200, "GET", "/v1.0/groups/"+group+"/members", nil).list()); n != clients {
		t.Errorf("the group has %d members, want %d", n, clients)
	}

	// One name for all, one membership for all, one deletion for all: exactly one client gets it.
	var mu sync.Mutex
	won := map[string]int{}
	win := func(what string, a answer, good int, bad ...int) {
		t.Helper()
		expect(a, what, append(bad, good)...)
		mu.Lock()
		defer mu.Unlock()
		if a.status == good {
			won[what]++
		}
	}
	everybody(func(i int) {
		win("create", w.do("POST", "/v1.0/users", userBody("twin")), 201, 400)
		win("join", w.do("POST", "/v1.0/groups/"+group+"/members/$ref", map[string]any{"@odata.id": w.url + "/v1.0/users/" + adele}), 204, 400)
		win("rename", w.do("PATCH", "/v1.0/users/"+members[i], map[string]any{"userPrincipalName": "wanted@contoso.example"}), 204, 400)
		win("delete", w.do("DELETE", "/v1.0/groups/"+group+"/members/"+members[0]+"/$ref", nil), 204, 404, 400)
	})
	for what, n := range map[string]int{"create": 1, "join": 1, "rename": 1, "delete": 1} {
		if won[what] != n {
			t.Errorf("%s: %d clients succeeded, want %d", what, won[what], n)
		}
	}

	// Everything at once on one user and one group: nothing but Graph's answers, and a program that still stands.
	everybody(func(i int) {
		for k := range 4 {
			switch (i + k) % 8 {
			case 0:
				expect(w.do("DELETE", "/v1.0/users/"+adele, nil), "delete", 204, 404)
			case 1:
				expect(w.do("POST", "/v1.0/directory/deletedItems/"+adele+"/restore", nil), "restore", 200, 404)
			case 2:
				expect(w.do("PATCH", "/v1.0/users/"+adele, map[string]any{"jobTitle": fmt.Sprint("title ", i)}), "title", 204, 404)
			case 3:
				expect(w.do("PUT", "/v1.0/users/"+members[i]+"/manager/$ref", map[string]any{"@odata.id": w.url + "/v1.0/users/" + adele}), "manager", 204, 400, 404)
			case 4:
				expect(w.do("PATCH", "/v1.0/groups/"+group, map[string]any{"description": fmt.Sprint("text ", i)}), "description", 204)
			case 5:
				expect(w.do("DELETE", "/v1.0/groups/"+group+"/members/"+members[i]+"/$ref", nil), "leave", 204, 404, 400)
			case 6:
				expect(w.do("POST", "/v1.0/groups/"+group+"/members/$ref", map[string]any{"@odata.id": w.url + "/v1.0/users/" + members[i]}), "join", 204, 400)
			case 7:
				expect(w.do("GET", "/v1.0/groups/"+group+"/members?$select=id,displayName", nil), "list", 200)
			}
		}
	})
	w.want(200, "GET", "/v1.0/groups/"+group, nil)
}
