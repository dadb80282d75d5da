package sim

import (
	"slices"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// TestStandings follows a few people through what a list shows of them.
func TestStandings(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob, off, out := w.user("ann"), w.user("bob"), w.user("off", "accountEnabled", false), w.user("out")
	team := w.group("Team", ann.ID, bob.ID, off.ID)
	w.assign(team.ID)
	standing := func(id string) Standing {
		t.Helper()
		all, err := w.svc.Standings(w.app.ID, []string{id, "no such object"})
		w.no(err)
		if len(all) != 1 {
			t.Fatalf("%d standings", len(all))
		}
		return all[id]
	}
	missing := func() (names []string) {
		t.Helper()
		list, whole, err := w.svc.Missing(w.app.ID, 100, 1000)
		w.no(err)
		if !whole {
			t.Error("not all were looked at")
		}
		for _, a := range list {
			names = append(names, a.Name)
		}
		slices.Sort(names)
		return names
	}
	if s := standing(ann.ID); !s.InScope || s.Link != "" || s.Due {
		t.Errorf("before the first cycle: %+v", s)
	}
	if got := missing(); !slices.Equal(got, []string{"Ann", "Bob", "Team"}) {
		t.Errorf("missing before the first cycle: %v", got)
	}
	if _, known, err := w.svc.Due(w.app.ID); known || err != nil {
		t.Errorf("due before the first cycle: %v, %v", known, err)
	}
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	if got := missing(); len(got) != 0 {
		t.Errorf("missing after the first cycle: %v", got)
	}
	w.edit(ann.ID, "displayName", "Ann Other")
	w.edit(bob.ID, "jobTitle", "Baker") // no mapping reads it
	w.edit(out.ID, "displayName", "Out There")
	if n, known, err := w.svc.Due(w.app.ID); n != 1 || !known || err != nil {
		t.Errorf("due: %d, %v, %v; want 1", n, known, err)
	}
	for _, c := range []struct {
		name string
		id   string
		want Standing
	}{
		{"changed", ann.ID, Standing{Link: LinkActive, InScope: true, Entitled: true, Due: true}},
		{"changed in what nobody reads", bob.ID, Standing{Link: LinkActive, InScope: true, Entitled: true}},
		{"blocked from the beginning", off.ID, Standing{Entitled: true}},
		{"not assigned", out.ID, Standing{}},
	} {
		if got := standing(c.id); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	w.advance(40 * time.Minute)
	if n, known, err := w.svc.Due(w.app.ID); n != 0 || !known || err != nil {
		t.Errorf("due after the cycle: %d, %v, %v", n, known, err)
	}
	w.no(w.dir.DeleteUser(w.clock.Now(), bob.ID))
	w.advance(40 * time.Minute)
	if got := standing(bob.ID); got.Link != LinkDisabled || got.InScope {
		t.Errorf("deleted: %+v", got)
	}
	if _, err := w.svc.Standings("nobody", nil); directory.CodeOf(err) != directory.NotFound {
		t.Errorf("an application that is not there: %v", err)
	}
}

// TestMissingStops: it looks at no more than it was asked to.
func TestMissingStops(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	for _, name := range []string{"ann", "bob", "cleo"} {
		w.assign(w.user(name).ID)
	}
	for _, c := range []struct{ limit, scan, want int }{{2, 100, 2}, {100, 1, 1}, {100, 2, 2}} {
		list, whole, err := w.svc.Missing(w.app.ID, c.limit, c.scan)
		w.no(err)
		if len(list) != c.want || whole {
			t.Errorf("limit %d, scan %d: %d, whole %v", c.limit, c.scan, len(list), whole)
		}
	}
}

// TestCompareTarget puts a target's object beside the wish.
func TestCompareTarget(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	st := w.target.Store("default")
	list, _ := st.List("User", 0, 10)
	compare := func() Comparison {
		t.Helper()
		c, err := w.svc.CompareTarget(w.app.ID, "User", list[0].ID, list[0].JSON, nil)
		w.no(err)
		return c
	}
	c := compare()
	if !c.Linked || c.ObjectID != ann.ID || len(c.Attributes) != 4 || len(c.Differences()) != 0 {
		t.Errorf("after the cycle: %+v", c)
	}
	w.edit(ann.ID, "displayName", "Ann Other")
	c = compare()
	if d := c.Differences(); len(d) != 1 || d[0] != (Compared{"displayName", "Ann Other", "Ann", false}) {
		t.Errorf("after a change: %+v", d)
	}
	if want := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"` + ann.ID +
		`","userName":"ann@contoso.example","active":true,"displayName":"Ann Other","meta":{"resourceType":"User"}}`; c.Wish != want {
		t.Errorf("the wish is\n%s, want\n%s", c.Wish, want)
	}
}
