package directory

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// open makes a store in the test's folder and checks its invariants at the end.
func open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "test.db"), Options{Seed: 1, Now: start, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Check(); err != nil {
			t.Errorf("store: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func user(t testing.TB, s *Store, name string) User {
	t.Helper()
	return must[User](t)(s.CreateUser(start, Props{"displayName": name, "mailNickname": name, "userPrincipalName": name + "@contoso.example"}))
}

func group(t testing.TB, s *Store, name string) Group {
	t.Helper()
	return must[Group](t)(s.CreateGroup(start, Props{"displayName": name, "mailNickname": name}))
}

func TestUserPrincipalNameIsUniqueWithoutCase(t *testing.T) {
	s := open(t)
	ann := user(t, s, "ann")
	_, err := s.CreateUser(start, Props{"displayName": "Other", "mailNickname": "o", "userPrincipalName": "ANN@contoso.example"})
	if CodeOf(err) != Conflict {
		t.Fatalf("second ann: %v, want conflict", err)
	}
	// Deleted accounts free their name; a restore then fails and changes nothing.
	if err := s.DeleteUser(start, ann.ID); err != nil {
		t.Fatal(err)
	}
	second := user(t, s, "ann")
	if _, err := s.Restore(start, ann.ID); CodeOf(err) != Conflict {
		t.Fatalf("restore: %v, want conflict", err)
	}
	if err := s.DeleteUser(start, second.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Restore(start, ann.ID); err != nil {
		t.Fatal(err)
	}
	if got := must[User](t)(s.User("Ann@Contoso.example")); got.ID != ann.ID {
		t.Fatalf("got %s, want %s", got.ID, ann.ID)
	}
}

func TestErrorsNameThePropertyAndTheCure(t *testing.T) {
	s := open(t)
	ann := user(t, s, "ann")
	for _, c := range []struct {
		edit Props
		want string
	}{
		{Props{"displayNme": "x"}, "Did you mean 'displayName'?"},
		{Props{"accountEnabled": "yes"}, "accountEnabled"},
		{Props{"displayName": nil}, "A value is required for property 'displayName'"},
		{Props{"employeeId": strings.Repeat("7", 17)}, "at most 16"},
		{Props{"userPrincipalName": "no domain"}, "Write name@domain"},
		{Props{"manager": ann.ID}, "their own manager"},
		{Props{"businessPhones": []any{"1", "2"}}, "at most one"},
		{Props{"id": "x"}, "read-only"},
		{Props{"employeeHireDate": "tomorrow"}, "2026-01-31T09:00:00Z"},
	} {
		if _, err := s.UpdateUser(start, ann.ID, c.edit); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.edit, err, c.want)
		}
	}
	if n := s.LastChange(); n != 1 {
		t.Errorf("refused edits left %d changes", n-1)
	}
}

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

func TestForeignFilesAreRefusedUntouched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	text := strings.Repeat("these are my notes\n", 1000)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); CodeOf(err) != Foreign {
		t.Fatalf("got %v, want foreign", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Fatal("the file was changed")
	}
}

func TestGeneratedCompanyShowsTheStarter(t *testing.T) {
	for _, size := range []int{20, 33, 60, 150, 500} {
		for seed := int64(1); seed <= 10; seed++ {
			t.Run(fmt.Sprintf("%d users seed %d", size, seed), func(t *testing.T) {
				s := open(t)
				if err := s.Generate(context.Background(), start, Company{Users: size, Groups: 8, Seed: seed}, nil); err != nil {
					t.Fatal(err)
				}
				c := s.Counts()
				few := size / 20
				if c.Users != size || c.Groups != 8 || c.DisabledUsers != few || c.Guests != few {
					t.Errorf("counts %+v", c)
				}
				groups := must[Page[Group]](t)(s.Groups(Query{})).Items
				times, disabled, guests := map[string]int{}, 0, 0
				for _, i := range []int{0, 1, 5} {
					for _, m := range must[Page[Object]](t)(s.Members(groups[i].ID, "", 999)).Items {
						u := must[User](t)(s.User(m.ID))
						if times[m.ID]++; times[m.ID] > 1 {
							continue
						}
						if !u.AccountEnabled {
							disabled++
						}
						if u.IsGuest() {
							guests++
						}
					}
				}
				twice := 0
				for _, n := range times {
					if n > 1 {
						twice++
					}
				}
				if disabled != 1 || guests != 1 || twice != 1 || len(times)*2 > size {
					t.Errorf("disabled %d, guests %d, in two groups %d, %d of %d people", disabled, guests, twice, len(times), size)
				}
			})
		}
	}
}

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

// TestModel compares random histories with a plain model: the lists, and what the feed says after any watermark.
func TestModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s, err := Open(filepath.Join(t.TempDir(), strconv.Itoa(int(time.Now().UnixNano()))), Options{Seed: 1, NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Check(); err != nil {
				r.Fatalf("store: %v", err)
			}
			if err := s.Close(); err != nil {
				r.Fatal(err)
			}
		}()
		type obj struct {
			id    string
			num   uint64
			state State
		}
		var users, groups []*obj
		edges := map[[2]uint64]bool{}
		mark, atMark := uint64(0), map[[2]uint64]bool{}
		touched := map[uint64]bool{}
		pick := func(list []*obj, label string) *obj { return list[rapid.IntRange(0, len(list)-1).Draw(r, label)] }
		for i := range 2 {
			u := must[User](t)(s.CreateUser(start, Props{"displayName": "U", "mailNickname": "u", "userPrincipalName": fmt.Sprintf("first%d@contoso.example", i)}))
			g := must[Group](t)(s.CreateGroup(start, Props{"displayName": "G", "mailNickname": "g"}))
			users, groups = append(users, &obj{u.ID, u.Num, Live}), append(groups, &obj{g.ID, g.Num, Live})
		}
		mark = s.LastChange()
		for i := range rapid.IntRange(5, 40).Draw(r, "steps") {
			u, g := pick(users, "user"), pick(groups, "group")
			switch rapid.SampledFrom([]string{"create", "update", "delete", "restore", "purge", "join", "leave", "mark"}).Draw(r, "op") {
			case "create":
				x, err := s.CreateUser(start, Props{"displayName": "N", "mailNickname": "n", "userPrincipalName": fmt.Sprintf("n%d@contoso.example", i)})
				if err != nil {
					r.Fatal(err)
				}
				users = append(users, &obj{x.ID, x.Num, Live})
				touched[x.Num] = true
			case "update":
				_, err := s.UpdateUser(start, u.id, Props{"jobTitle": fmt.Sprint(i)})
				if (err == nil) != (u.state == Live) {
					r.Fatalf("update in state %d: %v", u.state, err)
				}
				touched[u.num] = touched[u.num] || err == nil
			case "delete":
				if err := s.DeleteUser(start, u.id); (err == nil) != (u.state == Live) {
					r.Fatalf("delete in state %d: %v", u.state, err)
				}
				if u.state == Live {
					u.state, touched[u.num] = SoftDeleted, true
				}
			case "restore":
				if _, err := s.Restore(start, u.id); (err == nil) != (u.state == SoftDeleted) {
					r.Fatalf("restore in state %d: %v", u.state, err)
				}
				if u.state == SoftDeleted {
					u.state, touched[u.num] = Live, true
				}
			case "purge":
				if err := s.Purge(start, u.id); (err == nil) != (u.state == SoftDeleted) {
					r.Fatalf("purge in state %d: %v", u.state, err)
				}
				if u.state == SoftDeleted {
					u.state, touched[u.num] = Purged, true
				}
			case "join":
				e := [2]uint64{g.num, u.num}
				if err := s.AddMembers(start, g.id, u.id); (err == nil) != (u.state == Live && !edges[e]) {
					r.Fatalf("join: %v", err)
				} else if err == nil {
					edges[e] = true
				}
			case "leave":
				e := [2]uint64{g.num, u.num}
				if err := s.RemoveMembers(start, g.id, u.id); (err == nil) != (u.state == Live && edges[e]) {
					r.Fatalf("leave: %v", err)
				} else if err == nil {
					edges[e] = false
				}
			case "mark":
				mark, touched, atMark = s.LastChange(), map[uint64]bool{}, map[[2]uint64]bool{}
				for e, in := range edges {
					atMark[e] = in
				}
			}
		}
		c, err := s.Changes(mark, 0)
		if err != nil {
			r.Fatal(err)
		}
		for _, o := range c.Objects {
			if !touched[o.Num] {
				r.Fatalf("object %d did not change", o.Num)
			}
			delete(touched, o.Num)
		}
		for n, yes := range touched {
			if yes {
				r.Fatalf("the change of %d is missing", n)
			}
		}
		for _, e := range c.Edges {
			if edges[[2]uint64{e.Group, e.Member}] != e.Present {
				r.Fatalf("edge %+v, the model says otherwise", e)
			}
			delete(atMark, [2]uint64{e.Group, e.Member})
		}
		for e, in := range atMark {
			if edges[e] != in {
				r.Fatalf("the change of edge %v is missing", e)
			}
		}
	})
}

// BenchmarkGenerate measures a large company: `go test -run x -bench Generate1M -benchtime 1x ./directory`.
func BenchmarkGenerate1M(b *testing.B) {
	for b.Loop() {
		s, err := Open(filepath.Join(b.TempDir(), "big.db"), Options{Seed: 1})
		if err != nil {
			b.Fatal(err)
		}
		peak := 0
		err = s.Generate(context.Background(), start, Company{Users: 1_000_000, Groups: 10_000, Seed: 1}, func(int, int) { peak = max(peak, anonymous(b)) })
		if err != nil {
			b.Fatal(err)
		}
		peak = max(peak, anonymous(b))
		b.ReportMetric(float64(peak)/1024, "MiB-anonymous")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// anonymous is the anonymous memory of this process in KiB.
func anonymous(b *testing.B) int {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	return 0
}
