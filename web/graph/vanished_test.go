package graph_test

import (
	"sync"
	"testing"
)

// TestMemberVanishesWhileListed deletes and restores the members of a group while the group is listed: a list is made of
// several looks at the directory, and who goes between two of them is left out; it never fails the list.
func TestMemberVanishesWhileListed(t *testing.T) {
	w := newWorld(t, "")
	group, boss := w.group("Sales"), w.user("boss")
	var members []string
	for _, name := range []string{"adele", "megan", "alex", "diego", "lee", "pradeep"} {
		id := w.user(name)
		w.want(204, "POST", "/v1.0/groups/"+group+"/members/$ref", map[string]any{"@odata.id": w.url + "/v1.0/users/" + id})
		w.want(204, "PUT", "/v1.0/users/"+id+"/manager/$ref", map[string]any{"@odata.id": w.url + "/v1.0/users/" + boss})
		members = append(members, id)
	}
	end := make(chan struct{})
	var wg sync.WaitGroup
	for _, id := range append(members, boss) {
		wg.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				w.do("DELETE", "/v1.0/users/"+id, nil)
				w.do("POST", "/v1.0/directory/deletedItems/"+id+"/restore", nil)
			}
		})
	}
	for range 60 {
		for _, path := range []string{"/v1.0/groups/" + group + "/members", "/v1.0/groups/" + group + "?$expand=members", "/v1.0/users?$expand=manager"} {
			if a := w.do("GET", path, nil); a.status != 200 {
				t.Errorf("%s: %d %s", path, a.status, a.text)
			}
		}
	}
	close(end)
	wg.Wait()
}
