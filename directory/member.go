package directory

import (
	"slices"
	"time"
)

// AddMembers adds users or groups to a group, all or none. A member that is in it already is Conflict; a group with a
// membership rule, and a group as a member of a Microsoft 365 group, are Invalid (api/group-post-members.md).
func (s *Store) AddMembers(now time.Time, group string, members ...string) error {
	return s.write("members", func(t *txn) (Object, error) {
		g, err := t.handPicked(group)
		if err != nil {
			return g.Object, err
		}
		if err := t.addMembers(now, g, members); err != nil {
			return g.Object, err
		}
		if len(members) == 0 {
			return g.Object, errUnchanged
		}
		return g.Object, nil
	})
}

// addMembers adds members to a group in the transaction of the caller.
func (t *txn) addMembers(now time.Time, g Group, members []string) error {
	if g.Dynamic() {
		return ruled(g)
	}
	for _, id := range members {
		m, err := t.find(id)
		if err != nil {
			return err
		}
		switch {
		case m.Kind == KindServicePrincipal:
			return invalid("members", "A service principal can't be a member of a group here; users and groups can.")
		case m.Num == g.Num:
			return invalid("members", "A group can't be a member of itself.")
		case m.Kind == KindGroup && slices.Contains(g.GroupTypes, "Unified"):
			return invalid("members", "A Microsoft 365 group can't have groups as members.")
		case t.in(bucketMembers).Get(key(g.Num, m.Num)) != nil:
			return &Error{Code: Conflict, Property: "members",
				Message: "One or more added object references already exist for the following modified properties: 'members'."}
		}
		if err := t.join(now, g.Num, m.Num); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) join(now time.Time, group, member uint64) error {
	if err := t.in(bucketMembers).Put(key(group, member), []byte{}); err != nil {
		return err
	}
	if err := t.in(bucketMemberOf).Put(key(member, group), []byte{}); err != nil {
		return err
	}
	_, err := t.log(now, change{Op: opJoin, Kind: KindGroup, Num: group, Other: member})
	return err
}

// RemoveMembers takes members out of a group, all or none. One that is not in it is Invalid.
func (s *Store) RemoveMembers(now time.Time, group string, members ...string) error {
	return s.write("members", func(t *txn) (Object, error) {
		g, err := t.handPicked(group)
		if err != nil {
			return g.Object, err
		}
		for _, id := range members {
			m, err := t.find(id, KindUser, KindGroup)
			if err != nil {
				return g.Object, err
			}
			if t.in(bucketMembers).Get(key(g.Num, m.Num)) == nil {
				return g.Object, invalid("members", "One or more removed object references do not exist for the following modified properties: 'members'.")
			}
			if err := t.part(now, g.Num, m.Num); err != nil {
				return g.Object, err
			}
		}
		if len(members) == 0 {
			return g.Object, errUnchanged
		}
		return g.Object, nil
	})
}

func (t *txn) part(now time.Time, group, member uint64) error {
	if err := t.in(bucketMembers).Delete(key(group, member)); err != nil {
		return err
	}
	if err := t.in(bucketMemberOf).Delete(key(member, group)); err != nil {
		return err
	}
	_, err := t.log(now, change{Op: opLeave, Kind: KindGroup, Num: group, Other: member})
	return err
}

// handPicked finds a live group whose members are managed by hand, not by a rule.
func (t *txn) handPicked(id string) (Group, error) {
	o, err := t.find(id, KindGroup)
	if err != nil {
		return Group{}, err
	}
	g, _, err := load[Group](t, o.Num)
	if err != nil {
		return Group{}, err
	}
	if g.Dynamic() {
		return *g, ruled(*g)
	}
	return *g, nil
}

func ruled(g Group) error {
	return &Error{Code: Invalid, Property: "members", Message: "The members of " + g.DisplayName + " follow from its membership rule.",
		Hint: "Take DynamicMembership out of groupTypes first."}
}
