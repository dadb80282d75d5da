package directory

import (
	"context"
	"errors"
	"fmt"
	"github.com/brianvoe/gofakeit/v6"
	"go.etcd.io/bbolt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

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

// TestStarterGroupsOfEveryCompany looks at the shape alone, so that it can look at every size.
func TestStarterGroupsOfEveryCompany(t *testing.T) {
	for seed := int64(1); seed <= 50; seed++ {
		for size := 20; size <= 500; size += 1 + int(seed)%3 {
			p := shape(Company{Users: size, Groups: 8, Seed: seed})
			f := gofakeit.New(seed)
			times := map[int]int{}
			for _, g := range []int{0, 1, p.departmentGroups} {
				for _, u := range p.members(g, f) {
					times[u]++
				}
			}
			var disabled, guests, twice int
			for u, n := range times {
				if p.disabled[u] {
					disabled++
				}
				if p.guests[u] {
					guests++
				}
				if n > 1 {
					twice++
				}
			}
			if disabled != 1 || guests != 1 || twice != 1 || 2*len(times) > size {
				t.Fatalf("%d users, seed %d: disabled %d, guests %d, in two groups %d, %d people", size, seed, disabled, guests, twice, len(times))
			}
			if len(p.disabled) != size/20 || len(p.guests) != size/20 {
				t.Fatalf("%d users: %d disabled, %d guests", size, len(p.disabled), len(p.guests))
			}
		}
	}
}

// dump reads the whole file as text.
func dump(t testing.TB, s *Store) string {
	t.Helper()
	var b strings.Builder
	check(t, s.db.View(func(tx *bbolt.Tx) error {
		for _, name := range allBuckets {
			if err := begin(tx).in(name).ForEach(func(k, v []byte) error {
				_, err := fmt.Fprintf(&b, "%s %x %s\n", name, k, v)
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	return b.String()
}

func TestSameSeedSameCompany(t *testing.T) {
	made := func(seed int64) string {
		s := open(t)
		check(t, s.Generate(context.Background(), start, Company{Users: 300, Groups: 12, Seed: seed}, nil))
		return dump(t, s)
	}
	one := made(1)
	if made(1) != one {
		t.Error("the same seed gave another company")
	}
	if made(2) == one {
		t.Error("another seed gave the same company")
	}
}

func TestGeneratedCompanyIsSound(t *testing.T) {
	for _, c := range []Company{{0, 0, 1}, {1, 0, 1}, {1, 1, 2}, {3, 8, 1}, {19, 2, 4}, {60, 8, 1}, {700, 300, 5}} {
		t.Run(fmt.Sprintf("%d users %d groups", c.Users, c.Groups), func(t *testing.T) {
			s := open(t)
			var done, total int
			check(t, s.Generate(context.Background(), start, c, func(d, n int) { done, total = d, n }))
			if done != total || total != c.Users+c.Groups {
				t.Errorf("progress ended at %d of %d", done, total)
			}
			if n := s.LastChange(); n != 0 {
				t.Errorf("the company is %d changes", n)
			}
			roots, members := 0, map[uint64]int{}
			check(t, s.View(func(r *Reader) error {
				check(t, r.EachUser(0, c.Users+1, func(u User) error {
					if err := u.check(); err != nil {
						t.Errorf("%s: %v", u.UserPrincipalName, err)
					}
					if u.ManagerNum == 0 {
						roots++
					} else if u.ManagerNum >= u.Num {
						t.Errorf("%d is managed by %d: no tree", u.Num, u.ManagerNum)
					}
					if u.Department == "" || u.JobTitle == "" || u.OfficeLocation == "" || len(u.BusinessPhones) != 1 {
						t.Errorf("incomplete: %+v", u)
					}
					if u.IsGuest() != strings.Contains(u.UserPrincipalName, "#EXT#@") {
						t.Errorf("guest? %s", u.UserPrincipalName)
					}
					return nil
				}))
				names := map[string]bool{}
				return r.EachGroup(0, c.Groups+1, func(g Group) error {
					if err := g.check(); err != nil || names[g.DisplayName] || !g.SecurityEnabled {
						t.Errorf("group %s: %v", g.DisplayName, err)
					}
					names[g.DisplayName] = true
					r.EachMember(g.Num, 0, func(m uint64) bool {
						if u, _ := r.UserByNum(m); u.Department == g.DisplayName {
							members[m]++
						}
						return true
					})
					return nil
				})
			}))
			if c.Users > 0 && roots != 1 {
				t.Errorf("%d people at the top", roots)
			}
			for m, n := range members {
				if n != 1 {
					t.Errorf("%d is in %d groups of its department", m, n)
				}
			}
		})
	}
}

func TestGenerateWantsAnEmptyDirectory(t *testing.T) {
	s := open(t)
	ann := user(t, s, "ann")
	if err := s.Generate(context.Background(), start, Company{Users: 5}, nil); CodeOf(err) != Conflict {
		t.Errorf("got %v, want conflict", err)
	}
	must[User](t)(s.User(ann.ID))
	if err := s.Generate(context.Background(), start, Company{Users: -1}, nil); CodeOf(err) != Invalid {
		t.Errorf("got %v, want invalid", err)
	}
}

func TestGenerationCutShortLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "half.db")
	s := must[*Store](t)(Open(path, Options{Seed: 1, NoSync: true}))
	ctx, cancel := context.WithCancel(context.Background())
	err := s.Generate(ctx, start, Company{Users: 2 * bulkObjects, Groups: 8, Seed: 1}, func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) || s.Counts() != (Counts{}) {
		t.Fatalf("%v, %+v", err, s.Counts())
	}
	check(t, s.Check())
	check(t, s.Generate(context.Background(), start, Company{Users: 20, Groups: 8, Seed: 1}, nil))
	// As a crash leaves it: the mark is there, whatever else is.
	check(t, s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyGenerating, []byte("yes")) }))
	check(t, s.Close())
	s = must[*Store](t)(Open(path, Options{NoSync: true}))
	defer func() { check(t, s.Close()) }()
	if !s.IsNew() || s.Counts() != (Counts{}) || s.Seed() != 1 {
		t.Errorf("new %v, %+v", s.IsNew(), s.Counts())
	}
	check(t, s.Generate(context.Background(), start, Company{Users: 20, Groups: 8, Seed: 1}, nil))
	check(t, s.Check())
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
