package directory

import (
	"fmt"

	"go.etcd.io/bbolt"
)

// Check walks the whole file and returns the first invariant that does not hold: each index entry has its object and the
// other way round, both directions of a membership are there, counters are right, the feed has no holes.
func (s *Store) Check() error {
	return s.db.View(func(tx *bbolt.Tx) error {
		t := begin(tx)
		counts := map[string]int{}
		err := t.in(bucketObjects).ForEach(func(k, _ []byte) error {
			n := num(k)
			o, _, err := t.object(n)
			if err != nil {
				return err
			}
			if got := num(t.in(bucketIDs).Get(guidKey(o.ID))); got != n {
				return fmt.Errorf("object %d: its id leads to %d", n, got)
			}
			if live := t.in(liveBucket[o.Kind]).Get(k) != nil; live != (o.State == Live) {
				return fmt.Errorf("object %d: listed %v in state %d", n, live, o.State)
			}
			if gone := t.in(bucketDeleted).Get(deletedKey(o.Kind, o.DeletedDateTime, n)) != nil; gone != (o.State == SoftDeleted) {
				return fmt.Errorf("object %d: in deleted items %v in state %d", n, gone, o.State)
			}
			v, err := t.whole(o)
			if err != nil {
				return err
			}
			return t.checkObject(o, v, counts)
		})
		if err != nil {
			return err
		}
		for _, name := range []string{"users", "groups", "disabled", "guests", "principals", "deleted User", "deleted Group"} {
			if got := t.countOf(name); got != counts[name] {
				return fmt.Errorf("counter %q is %d, want %d", name, got, counts[name])
			}
		}
		for _, pair := range [][2][]byte{{bucketMembers, bucketMemberOf}, {bucketMemberOf, bucketMembers}} {
			if err := t.in(pair[0]).ForEach(func(k, _ []byte) error {
				if t.in(pair[1]).Get(key(num(k[8:]), num(k))) == nil {
					return fmt.Errorf("membership %x of %s has no counterpart", k, pair[0])
				}
				return nil
			}); err != nil {
				return err
			}
		}
		names := 0
		if err := t.in(bucketNames).ForEach(func([]byte, []byte) error { names++; return nil }); err != nil {
			return err
		}
		if names != counts["names"] {
			return fmt.Errorf("%d names are indexed, want %d", names, counts["names"])
		}
		next := t.floor() + 1
		if err := t.in(bucketFeed).ForEach(func(k, _ []byte) error {
			if num(k) != next {
				return fmt.Errorf("the feed has %d where %d is due", num(k), next)
			}
			next++
			return nil
		}); err != nil {
			return err
		}
		if last := t.in(bucketFeed).Sequence(); last+1 != next {
			return fmt.Errorf("the feed ends at %d, its number says %d", next-1, last)
		}
		return nil
	})
}

func (t *txn) checkObject(o Object, v any, counts map[string]int) error {
	if o.State == SoftDeleted {
		counts["deleted "+o.Kind.String()]++
	}
	if o.State != Live {
		return nil
	}
	var texts []string
	switch x := v.(type) {
	case *User:
		texts = x.names()
		counts["users"]++
		if !x.AccountEnabled {
			counts["disabled"]++
		}
		if x.IsGuest() {
			counts["guests"]++
		}
		if got := num(t.in(bucketUPN).Get([]byte(fold(x.UserPrincipalName)))); got != o.Num {
			return fmt.Errorf("user %d: its userPrincipalName leads to %d", o.Num, got)
		}
		if x.ManagerNum != 0 && t.in(bucketReports).Get(key(x.ManagerNum, o.Num)) == nil {
			return fmt.Errorf("user %d: its manager does not know it", o.Num)
		}
	case *Group:
		texts = x.names()
		counts["groups"]++
	case *ServicePrincipal:
		texts = x.names()
		counts["principals"]++
	}
	seen := map[string]bool{}
	for _, text := range texts {
		if text == "" || seen[fold(text)] {
			continue
		}
		seen[fold(text)] = true
		counts["names"]++
		if t.in(bucketNames).Get(nameKey(o.Kind, text, o.Num)) == nil {
			return fmt.Errorf("object %d: %q is not indexed", o.Num, text)
		}
	}
	return nil
}
