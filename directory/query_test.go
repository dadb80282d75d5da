package directory

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
)

func TestPagingVisitsEverythingOnce(t *testing.T) {
	s := open(t)
	if err := s.Generate(context.Background(), start, Company{Users: 230, Groups: 8, Seed: 3}, nil); err != nil {
		t.Fatal(err)
	}
	for _, q := range []Query{{Limit: 7}, {Limit: 7, Descending: true}, {Limit: 3, Prefix: "a"}} {
		seen := map[string]bool{}
		for {
			p := must[Page[User]](t)(s.Users(q))
			for _, u := range p.Items {
				if seen[u.ID] {
					t.Fatalf("%+v: %s twice", q, u.DisplayName)
				}
				seen[u.ID] = true
			}
			if q.Cursor = p.Next; q.Cursor == "" {
				break
			}
		}
		if q.Prefix == "" && len(seen) != 230 || q.Prefix != "" && len(seen) == 0 {
			t.Errorf("%+v: %d users", q, len(seen))
		}
	}
}

// pages walks a list to its end.
func pages(t testing.TB, s *Store, q Query) (names []string) {
	t.Helper()
	for {
		p := must[Page[User]](t)(s.Users(q))
		for _, u := range p.Items {
			names = append(names, u.DisplayName)
		}
		if q.Cursor = p.Next; q.Cursor == "" {
			return names
		}
		if len(p.Items) != q.Limit {
			t.Fatalf("a page of %d in the middle, want %d", len(p.Items), q.Limit)
		}
	}
}

func TestSearch(t *testing.T) {
	s := open(t)
	for _, c := range []struct{ name, nick, mail string }{
		{"Zoë Ann", "zoe", "ann.zoe@contoso.example"}, {"ann", "x1", ""}, {"Anna Bell", "anna", "anna@contoso.example"}, {"Bob", "ann", ""},
		{"Carl", "carl", "carl@contoso.example"}, {"ANNA BELL", "anna2", "other@contoso.example"},
	} {
		must[User](t)(s.CreateUser(start, Props{"displayName": c.name, "mailNickname": c.nick, "userPrincipalName": c.nick + "@contoso.example", "mail": c.mail}))
	}
	group(t, s, "annabelle")
	reversed := func(list []string) []string { slices.Reverse(list); return list }
	for _, c := range []struct {
		name string
		q    Query
		want []string
	}{
		{"prefix of any name, each once, by what matched", Query{Prefix: "Ann"}, []string{"ann", "Zoë Ann", "Bob", "Anna Bell", "ANNA BELL"}},
		{"whole name", Query{Prefix: "ANNA bell", Exact: true}, []string{"Anna Bell", "ANNA BELL"}},
		{"whole address", Query{Prefix: "Carl@contoso.example", Exact: true}, []string{"Carl"}},
		{"nobody", Query{Prefix: "annb"}, nil},
		{"by name", Query{ByName: true}, []string{"ann", "Anna Bell", "ANNA BELL", "Bob", "Carl", "Zoë Ann"}},
		{"by creation", Query{}, []string{"Zoë Ann", "ann", "Anna Bell", "Bob", "Carl", "ANNA BELL"}},
	} {
		for _, limit := range []int{1, 2, 100} {
			c.q.Limit = limit
			if got := pages(t, s, c.q); !slices.Equal(got, c.want) {
				t.Errorf("%s, pages of %d: %q, want %q", c.name, limit, got, c.want)
			}
		}
	}
	for _, q := range []Query{{ByName: true, Limit: 2}, {Limit: 4}, {Prefix: "anna", Limit: 1}} {
		up := pages(t, s, q)
		q.Descending = true
		if down := pages(t, s, q); !q.ByName && q.Prefix != "" {
			sort.Strings(up)
			sort.Strings(down)
			if !slices.Equal(up, down) {
				t.Errorf("%+v: %q up, %q down", q, up, down)
			}
		} else if !slices.Equal(reversed(down), up) {
			t.Errorf("%+v: down is not the other way round: %q, %q", q, up, down)
		}
	}
}

func TestFilters(t *testing.T) {
	s := open(t)
	check(t, s.Generate(context.Background(), start, Company{Users: 200, Groups: 8, Seed: 1}, nil))
	no := false
	if got := pages(t, s, Query{AccountEnabled: &no, Limit: 3}); len(got) != s.Counts().DisabledUsers {
		t.Errorf("%d disabled, want %d", len(got), s.Counts().DisabledUsers)
	}
	if got := pages(t, s, Query{UserType: Guest, Limit: 3}); len(got) != s.Counts().Guests {
		t.Errorf("%d guests, want %d", len(got), s.Counts().Guests)
	}
	if got := pages(t, s, Query{Department: "Sales", UserType: Guest, Limit: 3}); len(got) >= s.Counts().Guests {
		t.Errorf("%d guests in Sales", len(got))
	}
}

// TestPagingGoesOnAfterItsLastItem edits the list between two pages: what was there all the time appears exactly once.
func TestPagingGoesOnAfterItsLastItem(t *testing.T) {
	s := open(t)
	var ids []string
	for i := range 20 {
		ids = append(ids, user(t, s, fmt.Sprintf("u%02d", i)).ID)
	}
	q, seen := Query{ByName: true, Limit: 4}, map[string]int{}
	for page := 0; ; page++ {
		p := must[Page[User]](t)(s.Users(q))
		for _, u := range p.Items {
			seen[u.ID]++
		}
		if q.Cursor = p.Next; q.Cursor == "" {
			break
		}
		check(t, s.DeleteUser(start, p.Items[len(p.Items)-1].ID)) // the one that the cursor stands on
		user(t, s, fmt.Sprintf("a%02d", page))
	}
	for _, id := range ids {
		if seen[id] != 1 {
			t.Errorf("%s seen %d times", id, seen[id])
		}
	}
}

// FuzzCursor: a page token comes from outside; whatever it holds, the answer is a page or an error with a code.
func FuzzCursor(f *testing.F) {
	s := open(f)
	check(f, s.Generate(context.Background(), start, Company{Users: 20, Groups: 8, Seed: 1}, nil))
	groups := must[Page[Group]](f)(s.Groups(Query{}))
	for _, seed := range [][]byte{nil, {0}, key(1), key(1, 2), []byte("u"), nameKey(KindUser, "a", 3), bytes.Repeat([]byte{255}, 40)} {
		f.Add(base64.RawURLEncoding.EncodeToString(seed), "a", true)
	}
	f.Add("%%%", "", false)
	f.Fuzz(func(t *testing.T, cursor, prefix string, down bool) {
		for _, call := range []func() (int, error){
			func() (int, error) {
				p, err := s.Users(Query{Cursor: cursor, Prefix: prefix, Descending: down})
				return len(p.Items), err
			},
			func() (int, error) {
				p, err := s.Users(Query{Cursor: cursor, ByName: true, Descending: down})
				return len(p.Items), err
			},
			func() (int, error) { p, err := s.Members(groups.Items[0].ID, cursor, 5); return len(p.Items), err },
			func() (int, error) { p, err := s.Deleted(KindUser, cursor, 5); return len(p.Items), err },
		} {
			if n, err := call(); n > 100 || err != nil && CodeOf(err) != Invalid {
				t.Errorf("%d items, %v", n, err)
			}
		}
	})
}

// FuzzEdit: property names and values come from outside too. What is accepted is found again and survives the file.
func FuzzEdit(f *testing.F) {
	s := open(f)
	for _, p := range UserProperties() {
		f.Add(p.Name, "x")
	}
	f.Add("userPrincipalName", "ann@contoso.example")
	f.Add("extension_0123456789abcdef0123456789abcdef_a", "1")
	f.Add("displayName", "a\x00b")
	ann := user(f, s, "ann")
	f.Fuzz(func(t *testing.T, name, value string) {
		u, err := s.UpdateUser(start, ann.ID, Props{name: value})
		if err != nil {
			if CodeOf(err) == "" {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		if name == "manager" || strings.Contains(name, "Date") || value == "" {
			return
		}
		got, _ := u.Get(name)
		again := must[User](t)(s.User(ann.ID))
		stored, _ := again.Get(name)
		if fmt.Sprint(got) != fmt.Sprint(stored) {
			t.Errorf("%s = %v, stored %v", name, got, stored)
		}
		if p := must[Page[User]](t)(s.Users(Query{Prefix: u.DisplayName, Exact: true})); len(p.Items) != 1 {
			t.Errorf("not found by the name %q", u.DisplayName)
		}
	})
}
