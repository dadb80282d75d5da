package directory

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// TestPurgeOfAManagerChangesTheReports has the feed name each live report of a user who is deleted for good, in the purge
// itself and at the end of the thirty days.
func TestPurgeOfAManagerChangesTheReports(t *testing.T) {
	for name, purge := range map[string]func(s *Store, id string){
		"at once": func(s *Store, id string) { check(t, s.Purge(start.Add(time.Hour), id)) },
		"expiry":  func(s *Store, _ string) { must[int](t)(s.PurgeExpired(start.Add(RecycleTime + time.Hour))) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			boss, other := user(t, s, "boss"), user(t, s, "other")
			var reports []User
			for i := range 5 {
				u := user(t, s, fmt.Sprint("report", i))
				check(t, s.SetManager(start, u.ID, boss.ID))
				reports = append(reports, u)
			}
			check(t, s.SetManager(start, reports[3].ID, other.ID)) // has found another one
			check(t, s.DeleteUser(start, boss.ID))
			mark := s.LastChange()
			check(t, s.DeleteUser(start.Add(time.Minute), reports[4].ID)) // hears of it when it is restored
			purge(s, boss.ID)

			named := map[uint64]uint64{}
			for _, o := range must[Changes](t)(s.Changes(mark, 0)).Objects {
				if slices.Contains(o.Properties, "manager") {
					named[o.Num] = o.FormerManager
				}
			}
			want := map[uint64]uint64{reports[0].Num: boss.Num, reports[1].Num: boss.Num, reports[2].Num: boss.Num}
			if fmt.Sprint(named) != fmt.Sprint(want) {
				t.Errorf("the feed names the manager of %v, want %v", named, want)
			}
			if _, ok, err := s.Manager(reports[0].ID); ok || err != nil {
				t.Errorf("a manager is left: %v, %v", ok, err)
			}
			check(t, s.Check())
		})
	}
}

// TestPurgeOfManyManagersInSteps ends the thirty days of managers who have more reports together than one transaction takes:
// it is several, and every report is named once.
func TestPurgeOfManyManagersInSteps(t *testing.T) {
	const bosses, reports = 3, 4000
	s := open(t)
	var nums []uint64
	for i := range bosses {
		boss := user(t, s, fmt.Sprint("boss", i))
		nums = append(nums, boss.Num)
		check(t, s.DeleteUser(start, boss.ID))
	}
	// The index alone: a purge reads nothing else of a report.
	each := func(f func(b *bbolt.Bucket, k []byte) error) {
		check(t, s.db.Update(func(tx *bbolt.Tx) error {
			for _, boss := range nums {
				for i := range uint64(reports) {
					if err := f(tx.Bucket(bucketDirectory).Bucket(bucketReports), key(boss, 1000+boss*reports+i)); err != nil {
						return err
					}
				}
			}
			return nil
		}))
	}
	each(func(b *bbolt.Bucket, k []byte) error { return b.Put(k, nil) })
	defer each((*bbolt.Bucket).Delete)
	mark := s.LastChange()
	var commits []int
	s.OnCommit(func(Event) { commits = append(commits, int(s.LastChange()-mark)) })
	if n := must[int](t)(s.PurgeExpired(start.Add(RecycleTime))); n != bosses {
		t.Errorf("%d were purged, want %d", n, bosses)
	}
	if want := []int{2 * (reports + 1), 2 * (reports + 1), 3 * (reports + 1)}; !slices.Equal(commits, want) {
		t.Errorf("the feed's ends behind the events: %v, want %v", commits, want)
	}
	if n := len(must[Changes](t)(s.Changes(mark, 0)).Objects); n != bosses*(reports+1) {
		t.Errorf("%d objects changed, want %d", n, bosses*(reports+1))
	}
}
