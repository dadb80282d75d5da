package directory

import (
	"fmt"

	"go.etcd.io/bbolt"

	"entrasim/directory/memberrule"
)

// Check walks the whole file and returns the first invariant that does not hold: each index entry has its object and the
// other way round, both directions of a membership and of an assignment are there, counters are right, each tombstone is
// still asked for, the feed has no holes.
func (s *Store) Check() error {
	return s.db.View(func(tx *bbolt.Tx) error {
		c := checker{begin(tx), map[string]int{}}
		for _, step := range []func() error{c.objects, c.sizes, c.counters, c.edges, c.rules, c.assignments, c.feed} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
}

// checker counts, object by object, how many entries each index must have; the objects prove that those exist, so equal
// sizes prove that there are no others.
type checker struct {
	*txn
	want map[string]int
}

func (c checker) each(bucket []byte, f func(k, v []byte) error) error {
	return c.in(bucket).ForEach(f)
}

func (c checker) objects() error {
	return c.each(bucketObjects, func(k, framed []byte) error {
		n := num(k)
		o, _, err := c.object(n)
		if err != nil {
			return err
		}
		if Kind(framed[0]) != o.Kind || State(framed[1]) != o.State {
			return fmt.Errorf("object %d: its frame says %c %d, its value %c %d", n, framed[0], framed[1], o.Kind, o.State)
		}
		c.want["ids"]++
		if got := num(c.in(bucketIDs).Get(guidKey(o.ID))); got != n {
			return fmt.Errorf("object %d: its id leads to %d", n, got)
		}
		if live := c.in(liveBucket[o.Kind]).Get(k) != nil; live != (o.State == Live) {
			return fmt.Errorf("object %d: listed %v in state %d", n, live, o.State)
		}
		if gone := c.in(bucketDeleted).Get(deletedKey(o.Kind, o.DeletedDateTime, n)) != nil; gone != (o.State == SoftDeleted) {
			return fmt.Errorf("object %d: in deleted items %v in state %d", n, gone, o.State)
		}
		v, err := c.whole(o)
		if err != nil {
			return err
		}
		if sp, ok := v.(*ServicePrincipal); ok {
			c.want["appids"] += 2
			if num(c.in(bucketAppIDs).Get(guidKey(sp.AppID))) != n || num(c.in(bucketAppIDs).Get(guidKey(sp.ApplicationID))) != n {
				return fmt.Errorf("service principal %d: its appId leads elsewhere", n)
			}
		}
		switch o.State {
		case SoftDeleted:
			c.want["deleted"]++
			c.want["deleted "+o.Kind.String()]++
		case Purged:
			c.want["tombstones"]++
		default:
			return c.live(o, v)
		}
		return nil
	})
}

// rules checks that each rule that is processed is that of a live group, whose users are those who satisfy it.
func (c checker) rules() error {
	c.txn.rules = &ruleCache{}
	return c.eachRule(func(group uint64, r *memberrule.Rule) error {
		g, ok, err := load[Group](c.txn, group)
		if err != nil || !ok || g.State != Live || !g.Dynamic() || g.MembershipRuleState != RuleOn || string(c.in(bucketDynamic).Get(key(group))) != g.MembershipRule {
			return fmt.Errorf("group %d: its membership rule is processed, and should not be: %+v %w", group, g, err)
		}
		return c.each(bucketUsers, func(k, _ []byte) error {
			u, _, err := load[User](c.txn, num(k))
			if err != nil {
				return err
			}
			if in := c.in(bucketMembers).Get(key(group, u.Num)) != nil; in != c.satisfies(r, u) {
				return fmt.Errorf("group %d: membership of user %d is %t, against its rule", group, u.Num, in)
			}
			return nil
		})
	})
}

// live checks what only live objects have.
func (c checker) live(o Object, v any) error {
	switch x := v.(type) {
	case *User:
		c.want["users"]++
		c.want["upn"]++
		if !x.AccountEnabled {
			c.want["disabled"]++
		}
		if x.IsGuest() {
			c.want["guests"]++
		}
		if got := num(c.in(bucketUPN).Get([]byte(fold(x.UserPrincipalName)))); got != o.Num {
			return fmt.Errorf("user %d: its userPrincipalName leads to %d", o.Num, got)
		}
		if x.ManagerNum == 0 {
			break
		}
		c.want["reports"]++
		if c.in(bucketReports).Get(key(x.ManagerNum, o.Num)) == nil || c.in(bucketObjects).Get(key(x.ManagerNum)) == nil {
			return fmt.Errorf("user %d: its manager %d does not know it", o.Num, x.ManagerNum)
		}
	case *Group:
		c.want["groups"]++
		if x.Dynamic() && x.MembershipRuleState == RuleOn {
			c.want["dynamic"]++
		}
	case *ServicePrincipal:
		c.want["principals"]++
		if x.Bare {
			c.want["bare"]++
		}
	}
	seen := map[string]bool{"": true}
	for _, text := range namesOf(v) {
		if seen[fold(text)] {
			continue
		}
		seen[fold(text)] = true
		c.want["names"]++
		if c.in(bucketNames).Get(nameKey(o.Kind, text, o.Num)) == nil {
			return fmt.Errorf("object %d: %q is not indexed", o.Num, text)
		}
	}
	return nil
}

func (c checker) sizes() error {
	for _, bucket := range [][]byte{bucketIDs, bucketAppIDs, bucketUsers, bucketGroups, bucketPrincipals, bucketUPN, bucketNames,
		bucketReports, bucketDynamic, bucketDeleted, bucketTombstones} {
		n := 0
		if err := c.each(bucket, func([]byte, []byte) error { n++; return nil }); err != nil {
			return err
		}
		if n != c.want[string(bucket)] {
			return fmt.Errorf("%s has %d entries, want %d", bucket, n, c.want[string(bucket)])
		}
	}
	return nil
}

func (c checker) counters() error {
	for _, name := range []string{"users", "groups", "disabled", "guests", "principals", "bare", "deleted User", "deleted Group", "deleted ServicePrincipal"} {
		if got := c.countOf(name); got != c.want[name] {
			return fmt.Errorf("counter %q is %d, want %d", name, got, c.want[name])
		}
	}
	return nil
}

func (c checker) edges() error {
	for _, pair := range [][2][]byte{{bucketMembers, bucketMemberOf}, {bucketMemberOf, bucketMembers}} {
		if err := c.each(pair[0], func(k, _ []byte) error {
			a, b := num(k), num(k[8:])
			if c.in(pair[1]).Get(key(b, a)) == nil {
				return fmt.Errorf("membership %d-%d of %s has no counterpart", a, b, pair[0])
			}
			if c.in(bucketObjects).Get(key(a)) == nil {
				return fmt.Errorf("membership %d-%d of %s is of nobody", a, b, pair[0])
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) assignments() error {
	n, back, grants := 0, 0, 0
	if err := c.each(bucketAssignments, func(k, _ []byte) error {
		n++
		a, _, err := c.assignment(k)
		if err != nil {
			return err
		}
		if c.in(bucketAssigned).Get(roleKey(a.PrincipalNum, a.SPNum, a.RoleID)) == nil || string(c.in(bucketGrants).Get([]byte(a.ID))) != string(k) {
			return fmt.Errorf("assignment %s is not indexed", a.ID)
		}
		if c.in(bucketObjects).Get(key(a.SPNum)) == nil || c.in(bucketObjects).Get(key(a.PrincipalNum)) == nil {
			return fmt.Errorf("assignment %s is of nobody", a.ID)
		}
		return nil
	}); err != nil {
		return err
	}
	for bucket, count := range map[string]*int{string(bucketAssigned): &back, string(bucketGrants): &grants} {
		if err := c.each([]byte(bucket), func([]byte, []byte) error { *count++; return nil }); err != nil {
			return err
		}
	}
	if n != back || n != grants {
		return fmt.Errorf("%d assignments, %d the other way round, %d ids", n, back, grants)
	}
	return nil
}

func (c checker) feed() error {
	next := c.floor() + 1
	if err := c.each(bucketFeed, func(k, v []byte) error {
		if num(k) != next {
			return fmt.Errorf("the feed has %d where %d is due", num(k), next)
		}
		next++
		return Decode(v, new(change))
	}); err != nil {
		return err
	}
	if last := c.in(bucketFeed).Sequence(); last+1 != next {
		return fmt.Errorf("the feed ends at %d, its number says %d", next-1, last)
	}
	return c.each(bucketTombstones, func(k, _ []byte) error {
		if o, ok, err := c.object(num(k[8:])); err != nil || !ok || o.State != Purged {
			return fmt.Errorf("tombstone %d is no purged object: %v", num(k[8:]), err)
		}
		return nil
	})
}
