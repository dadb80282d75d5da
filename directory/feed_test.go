package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFeedMergesAndIgnoresEditsThatChangeNothing(t *testing.T) {
	s := open(t)
	ann, ops := user(t, s, "ann"), group(t, s, "ops")
	mark := s.LastChange()
	for _, title := range []string{"Pilot", "Captain"} {
		must[User](t)(s.UpdateUser(start, ann.ID, Props{"jobTitle": title}))
	}
	must[User](t)(s.UpdateUser(start, ann.ID, Props{"jobTitle": "Captain", "mobilePhone": "1"}))
	must[User](t)(s.UpdateUser(start, ann.ID, Props{"jobTitle": "Captain"}))
	if err := s.AddMembers(start, ops.ID, ann.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveMembers(start, ops.ID, ann.ID); err != nil {
		t.Fatal(err)
	}
	c := must[Changes](t)(s.Changes(mark, 0))
	if len(c.Objects) != 1 || !slices.Equal(c.Objects[0].Properties, []string{"jobTitle", "mobilePhone"}) {
		t.Errorf("objects: %+v", c.Objects)
	}
	if want := []EdgeChange{{ops.Num, ann.Num, false}}; !slices.Equal(c.Edges, want) {
		t.Errorf("edges: %+v, want %+v", c.Edges, want)
	}
	if c = must[Changes](t)(s.Changes(c.Last, 0)); len(c.Objects)+len(c.Edges) != 0 {
		t.Errorf("nothing changed, got %+v", c)
	}
}

func TestPurgedGroupKeepsItsMembersForReadersUntilTrimmed(t *testing.T) {
	s := open(t)
	ann, ops := user(t, s, "ann"), group(t, s, "ops")
	if err := s.AddMembers(start, ops.ID, ann.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteGroup(start, ops.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(start, ops.ID); err != nil {
		t.Fatal(err)
	}
	members := func() (n int) {
		if err := s.View(func(r *Reader) error {
			r.EachMember(ops.Num, 0, func(uint64) bool { n++; return true })
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if members() != 1 {
		t.Fatal("the tombstone lost its members")
	}
	if err := s.Trim(start.Add(31*24*time.Hour), s.LastChange(), RecycleTime); err != nil {
		t.Fatal(err)
	}
	if members() != 0 {
		t.Fatal("the tombstone outlived its last reader")
	}
	if _, err := s.Changes(0, 0); CodeOf(err) != Expired {
		t.Fatalf("reading what was trimmed: %v, want expired", err)
	}
}

func TestFeedSaysWhatBecameOfAnObject(t *testing.T) {
	s := open(t)
	for _, c := range []struct {
		name string
		do   func(id string)
		want ObjectChange
	}{
		{"created", func(string) {}, ObjectChange{Created: true}},
		{"deleted", func(id string) { check(t, s.DeleteUser(start, id)) }, ObjectChange{Created: true, SoftDeleted: true}},
		{"restored", func(id string) { check(t, s.DeleteUser(start, id)); must[Object](t)(s.Restore(start, id)) }, ObjectChange{Created: true, Restored: true}},
		{"purged", func(id string) { check(t, s.DeleteUser(start, id)); check(t, s.Purge(start, id)) }, ObjectChange{Created: true, SoftDeleted: true, Purged: true}},
	} {
		mark := s.LastChange()
		u := user(t, s, c.name)
		c.do(u.ID)
		got := must[Changes](t)(s.Changes(mark, s.LastChange())).Objects
		if len(got) != 1 || got[0].Num != u.Num || got[0].Created != c.want.Created || got[0].SoftDeleted != c.want.SoftDeleted ||
			got[0].Restored != c.want.Restored || got[0].Purged != c.want.Purged {
			t.Errorf("%s: %+v", c.name, got)
		}
		if !slices.Contains(got[0].Properties, "userPrincipalName") {
			t.Errorf("%s: properties %v", c.name, got[0].Properties)
		}
	}
}

func TestFeedKnowsItsEnds(t *testing.T) {
	s := open(t)
	user(t, s, "ann")
	last := s.LastChange()
	if _, err := s.Changes(last+1, last+1); CodeOf(err) != Expired {
		t.Errorf("behind the end: %v, want expired", err)
	}
	if c := must[Changes](t)(s.Changes(last, last)); c.Last != last || len(c.Objects) != 0 {
		t.Errorf("at the end: %+v", c)
	}
	user(t, s, "bob")
	if c := must[Changes](t)(s.Changes(0, last)); c.Last != last || len(c.Objects) != 1 {
		t.Errorf("up to a point: %+v", c)
	}
}

// crowd makes a group with n members.
func crowd(t testing.TB, s *Store, name string, n int) Group {
	t.Helper()
	g := group(t, s, name)
	ids := make([]string, n)
	for i := range ids {
		ids[i] = user(t, s, fmt.Sprintf("%s%d", name, i)).ID
	}
	check(t, s.AddMembers(start, g.ID, ids...))
	return g
}

// TestCostFollowsTheChange compares the work for a small and a large group: pages written by mutations, and memory asked for
// by reading the feed, which grows with each entry it looks at.
func TestCostFollowsTheChange(t *testing.T) {
	s := open(t)
	small, large := crowd(t, s, "small", 3), crowd(t, s, "large", 1000)
	bob := user(t, s, "bob")
	writes := func(f func()) int64 {
		before := s.db.Stats().TxStats
		f()
		after := s.db.Stats().TxStats
		diff := after.Sub(&before)
		return diff.GetPageCount()
	}
	cost := func(g Group) (written int64, read float64) {
		mark := s.LastChange()
		written = writes(func() {
			check(t, s.AddMembers(start, g.ID, bob.ID))
			check(t, s.RemoveMembers(start, g.ID, bob.ID))
			must[Group](t)(s.UpdateGroup(start, g.ID, Props{"description": "d"}))
			check(t, s.DeleteGroup(start, g.ID))
			check(t, s.Purge(start, g.ID))
		})
		last := s.LastChange()
		return written, testing.AllocsPerRun(20, func() {
			if c := must[Changes](t)(s.Changes(mark, last)); len(c.Objects) != 1 || len(c.Edges) != 1 {
				t.Errorf("changes %+v", c)
			}
		})
	}
	w1, r1 := cost(small)
	w2, r2 := cost(large)
	if w2 > w1+w1/4+8 || r2 > r1+5 {
		t.Errorf("3 members: %d pages, %.0f allocations; 1000 members: %d pages, %.0f allocations", w1, r1, w2, r2)
	}
}

// TestTrimForgetsLargeGroupsInSteps trims a purged group with more members than one transaction takes.
func TestTrimForgetsLargeGroupsInSteps(t *testing.T) {
	s := open(t)
	check(t, s.Generate(t.Context(), start, Company{Users: 2*trimBatch + 10, Seed: 1}, nil))
	var everybody []string
	check(t, s.View(func(r *Reader) error {
		return r.EachUser(0, 3*trimBatch, func(u User) error { everybody = append(everybody, u.ID); return nil })
	}))
	g := group(t, s, "large")
	check(t, s.AddMembers(start, g.ID, everybody...))
	check(t, s.DeleteGroup(start, g.ID))
	check(t, s.Purge(start, g.ID))
	// Nothing goes while a reader has not passed it, nor before its time.
	check(t, s.Trim(start.Add(40*24*time.Hour), 0, RecycleTime))
	check(t, s.Trim(start.Add(10*24*time.Hour), s.LastChange(), RecycleTime))
	if _, err := s.Changes(0, s.LastChange()); err != nil {
		t.Fatalf("trimmed too early: %v", err)
	}
	check(t, s.Trim(start.Add(40*24*time.Hour), s.LastChange(), RecycleTime))
	check(t, s.View(func(r *Reader) error {
		if _, ok := r.Object(g.Num); ok {
			t.Error("the tombstone stays")
		}
		if _, ok := r.Num(g.ID); ok {
			t.Error("its id stays")
		}
		return nil
	}))
	if user(t, s, "new").Num <= g.Num {
		t.Error("a number was used again")
	}
}

func TestReaderSeesLiveObjectsInOrder(t *testing.T) {
	s := open(t)
	var want []string
	for i := range 7 {
		u := user(t, s, fmt.Sprintf("u%d", i))
		if i == 3 {
			check(t, s.DeleteUser(start, u.ID))
		} else {
			want = append(want, u.DisplayName)
		}
		group(t, s, fmt.Sprintf("g%d", i))
	}
	check(t, s.View(func(r *Reader) error {
		var users, groups []string
		for after := uint64(0); ; {
			n := len(users)
			if err := r.EachUser(after, 2, func(u User) error { users, after = append(users, u.DisplayName), u.Num; return nil }); err != nil || len(users) == n {
				check(t, err)
				break
			}
		}
		check(t, r.EachGroup(0, 100, func(g Group) error { groups = append(groups, g.DisplayName); return nil }))
		if !slices.Equal(users, want) || strings.Join(groups, "") != "g0g1g2g3g4g5g6" {
			t.Errorf("users %v, groups %v", users, groups)
		}
		return nil
	}))
}
