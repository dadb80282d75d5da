package directory

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestExpiryAfterThirtyDays(t *testing.T) {
	s := open(t)
	ann := user(t, s, "ann")
	if err := s.DeleteUser(start, ann.ID); err != nil {
		t.Fatal(err)
	}
	next, ok := s.NextExpiry()
	if !ok || !next.Equal(start.Add(RecycleTime)) {
		t.Fatalf("next expiry %v %v", next, ok)
	}
	if n := must[int](t)(s.PurgeExpired(next.Add(-time.Second))); n != 0 {
		t.Fatalf("%d purged too early", n)
	}
	if n := must[int](t)(s.PurgeExpired(next)); n != 1 {
		t.Fatalf("%d purged, want 1", n)
	}
	if _, err := s.Restore(next, ann.ID); CodeOf(err) != NotFound {
		t.Fatalf("restore of a purged user: %v", err)
	}
}

func TestDeletedItems(t *testing.T) {
	s := open(t)
	ann, bob, ops := user(t, s, "ann"), user(t, s, "bob"), group(t, s, "ops")
	team := must[Group](t)(s.CreateGroup(start, Props{"displayName": "List", "mailNickname": "list", "mailEnabled": true, "onPremisesSyncEnabled": true}))
	check(t, s.DeleteUser(start, ann.UserPrincipalName))
	check(t, s.DeleteUser(start.Add(time.Hour), bob.ID))
	check(t, s.DeleteGroup(start, ops.ID))
	check(t, s.DeleteGroup(start, team.ID)) // mail-enabled and synced: gone at once
	page := must[Page[Object]](t)(s.Deleted(KindUser, "", 1))
	if len(page.Items) != 1 || page.Items[0].ID != bob.ID || page.Next == "" {
		t.Fatalf("newest first: %+v", page)
	}
	page = must[Page[Object]](t)(s.Deleted(KindUser, page.Next, 1))
	if len(page.Items) != 1 || page.Items[0].ID != ann.ID || page.Next != "" || !page.Items[0].DeletedDateTime.Equal(start) {
		t.Fatalf("then the older: %+v", page)
	}
	if page = must[Page[Object]](t)(s.Deleted(KindGroup, "", 0)); len(page.Items) != 1 || page.Items[0].ID != ops.ID {
		t.Fatalf("groups: %+v", page)
	}
	if u := must[User](t)(s.DeletedUser(ann.ID)); u.UserPrincipalName != strings.ReplaceAll(ann.ID, "-", "")+ann.UserPrincipalName {
		t.Errorf("shown as %s", u.UserPrincipalName)
	}
	if g := must[Group](t)(s.DeletedGroup(ops.ID)); g.DisplayName != "ops" {
		t.Errorf("shown as %s", g.DisplayName)
	}
	for _, id := range []string{ops.ID, team.ID, "nobody"} {
		if _, err := s.DeletedUser(id); CodeOf(err) != NotFound {
			t.Errorf("deleted user %s: %v", id, err)
		}
	}
	if c := s.Counts(); c.DeletedUsers != 2 || c.DeletedGroups != 1 || c.Users != 0 || c.Groups != 0 {
		t.Errorf("counts %+v", c)
	}
	if u := must[Object](t)(s.Restore(start, ann.ID)); u.State != Live || !u.DeletedDateTime.IsZero() {
		t.Errorf("restored %+v", u)
	}
	if _, err := s.Restore(start, ann.ID); CodeOf(err) != NotFound {
		t.Errorf("restored twice: %v", err)
	}
}

func TestExpiryIsInOrderAcrossKinds(t *testing.T) {
	s := open(t)
	var want []string
	for i := range 6 {
		at := start.Add(time.Duration(i) * time.Hour)
		if i%2 == 0 {
			u := user(t, s, "u"+strconv.Itoa(i))
			check(t, s.DeleteUser(at, u.ID))
			want = append(want, u.ID)
		} else {
			g := group(t, s, "g"+strconv.Itoa(i))
			check(t, s.DeleteGroup(at, g.ID))
			want = append(want, g.ID)
		}
	}
	var got []string
	s.OnCommit(func(e Event) { got = append(got, e.ID) })
	if n := must[int](t)(s.PurgeExpired(start.Add(RecycleTime + 4*time.Hour))); n != 5 {
		t.Errorf("%d purged, want 5", n)
	}
	if !slices.Equal(got, want[:5]) {
		t.Errorf("purged %v, want %v", got, want[:5])
	}
	if next, ok := s.NextExpiry(); !ok || !next.Equal(start.Add(RecycleTime+5*time.Hour)) {
		t.Errorf("next %v %v", next, ok)
	}
}

func TestTombstoneKeepsNothingButTheName(t *testing.T) {
	s := open(t)
	ann := user(t, s, "ann")
	must[User](t)(s.UpdateUser(start, ann.ID, Props{"mobilePhone": "+1 425 555 0100", "mail": "ann@contoso.example"}))
	check(t, s.DeleteUser(start, ann.ID))
	check(t, s.Purge(start, ann.ID))
	check(t, s.View(func(r *Reader) error {
		n, ok := r.Num(ann.ID)
		u, found := r.UserByNum(n)
		if !ok || !found || u.State != Purged || u.DisplayName != "ann" || u.UserPrincipalName != ann.UserPrincipalName {
			t.Errorf("tombstone %+v", u)
		}
		if u.MobilePhone != "" || u.Mail != "" || u.ProxyAddresses != nil {
			t.Errorf("the tombstone knows too much: %+v", u)
		}
		return nil
	}))
}
