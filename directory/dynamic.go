package directory

import (
	"errors"
	"slices"
	"sync"
	"time"

	"entrasim/directory/memberrule"
)

// The values of membershipRuleProcessingState. Paused leaves the members as they are, and nobody changes them by hand either.
const (
	RuleOn     = "On"
	RulePaused = "Paused"
)

// DynamicMembership is the type of a group, among groupTypes, whose members follow from its rule.
const DynamicMembership = "DynamicMembership"

// Dynamic reports whether the members of the group follow from its rule (users/groups-dynamic-membership.md).
func (g *Group) Dynamic() bool { return slices.Contains(g.GroupTypes, DynamicMembership) }

// processed gives a group with a rule its processing state when none is named; changed are the names of what an edit changed.
func (g *Group) processed(changed []string) []string {
	if !g.Dynamic() || g.MembershipRuleState != "" {
		return changed
	}
	g.MembershipRuleState = RuleOn
	if !slices.Contains(changed, "membershipRuleProcessingState") {
		changed = append(changed, "membershipRuleProcessingState")
	}
	return changed
}

// checkRule refuses a rule that can't be read or evaluated.
func (g *Group) checkRule() error {
	switch {
	case g.MembershipRuleState != "" && g.MembershipRuleState != RuleOn && g.MembershipRuleState != RulePaused:
		return invalid("membershipRuleProcessingState", "membershipRuleProcessingState is On or Paused, not %q.", g.MembershipRuleState)
	case !g.Dynamic():
		return nil
	case g.MembershipRule == "":
		return invalid("membershipRule", "A group with dynamic membership has a membershipRule.")
	case g.IsAssignableToRole != nil && *g.IsAssignableToRole:
		return invalid("isAssignableToRole", "A group that roles are assigned to can't have dynamic membership.")
	}
	var e *memberrule.Error
	if _, err := memberrule.Parse(g.MembershipRule); errors.As(err, &e) {
		return &Error{Code: Invalid, Property: "membershipRule", Message: "The membership rule can't be evaluated. " + e.Error() + "."}
	}
	return nil
}

// ruleCache keeps rules that were read, by their text.
type ruleCache struct {
	mu   sync.Mutex
	read map[string]*memberrule.Rule
}

// ruleCacheSize is how many rules are kept; a tenant has at most 15,000.
const ruleCacheSize = 20_000

func (c *ruleCache) rule(text string) (*memberrule.Rule, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.read[text]; r != nil {
		return r, nil
	}
	r, err := memberrule.Parse(text)
	if err != nil {
		return nil, err
	}
	if c.read == nil || len(c.read) >= ruleCacheSize {
		c.read = map[string]*memberrule.Rule{}
	}
	c.read[text] = r
	return r, nil
}

// satisfies tells whether a live user belongs into a group of that rule. A deleted manager has no reports.
func (t *txn) satisfies(r *memberrule.Rule, u *User) bool {
	boss := r.Manager()
	if boss == "" {
		return r.Match(u)
	}
	if u.ManagerNum == 0 || u.ManagerNum != num(t.in(bucketIDs).Get(guidKey(boss))) {
		return false
	}
	return t.live(u.ManagerNum)
}

func (t *txn) live(n uint64) bool {
	data := t.in(bucketObjects).Get(key(n))
	return len(data) >= frame && State(data[1]) == Live
}

// govern lets the members of a group follow its rule from now on, or no longer: when it was made, restored, or changed in
// what decides about them. A rule that is processed is asked about each live user.
func (t *txn) govern(now time.Time, g *Group) error {
	if !g.Dynamic() || g.MembershipRuleState != RuleOn {
		return t.ungoverned(g.Num)
	}
	b, err := t.dir.CreateBucketIfNotExists(bucketDynamic) // a file of an older program has none
	if err != nil {
		return err
	}
	t.got[string(bucketDynamic)] = b
	if err := b.Put(key(g.Num), []byte(g.MembershipRule)); err != nil {
		return err
	}
	r, err := t.rules.rule(g.MembershipRule)
	if err != nil {
		return err
	}
	return t.regroup(now, g.Num, r)
}

// ungoverned takes a group off the list of those whose rules are processed; its members stay.
func (t *txn) ungoverned(group uint64) error {
	if b := t.in(bucketDynamic); b != nil {
		return b.Delete(key(group))
	}
	return nil
}

// regroup makes the members of a group those who satisfy its rule. Deleted users are looked at when they are restored.
func (t *txn) regroup(now time.Time, group uint64, r *memberrule.Rule) error {
	var join, part []uint64
	members := t.in(bucketMembers).Cursor()
	for k, _ := members.Seek(key(group)); len(k) >= 16 && num(k) == group; k, _ = members.Next() {
		n := num(k[8:])
		stays, err := t.stays(r, n)
		if err != nil {
			return err
		}
		if !stays {
			part = append(part, n)
		}
	}
	ask := func(n uint64) error {
		if t.in(bucketMembers).Get(key(group, n)) != nil {
			return nil
		}
		u, ok, err := load[User](t, n)
		if err == nil && ok && t.satisfies(r, u) {
			join = append(join, n)
		}
		return err
	}
	if err := t.candidates(r, ask); err != nil {
		return err
	}
	for _, n := range join {
		if err := t.join(now, group, n); err != nil {
			return err
		}
	}
	for _, n := range part {
		if err := t.part(now, group, n); err != nil {
			return err
		}
	}
	if len(join)+len(part) == 0 {
		return nil
	}
	return t.regrouped(group)
}

// stays tells whether a member of a group may remain one under a rule.
func (t *txn) stays(r *memberrule.Rule, n uint64) (bool, error) {
	data := t.in(bucketObjects).Get(key(n))
	if len(data) < frame {
		return true, nil
	}
	switch {
	case State(data[1]) != Live:
		return true, nil
	case Kind(data[0]) != KindUser:
		return false, nil
	}
	u, ok, err := load[User](t, n)
	return err == nil && ok && t.satisfies(r, u), err
}

// candidates calls f with the live users who may satisfy a rule: the reports of its manager, or all.
func (t *txn) candidates(r *memberrule.Rule, f func(n uint64) error) error {
	if r.Manager() != "" {
		boss := num(t.in(bucketIDs).Get(guidKey(r.Manager())))
		c := t.in(bucketReports).Cursor()
		for k, _ := c.Seek(key(boss)); boss != 0 && len(k) >= 16 && num(k) == boss; k, _ = c.Next() {
			if err := f(num(k[8:])); err != nil {
				return err
			}
		}
		return nil
	}
	c := t.in(bucketUsers).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if err := f(num(k)); err != nil {
			return err
		}
	}
	return nil
}

// regrouped tells the listener of the store that members of a group changed.
func (t *txn) regrouped(group uint64) error {
	o, _, err := t.object(group)
	t.also = append(t.also, Event{"members", KindGroup.String(), o.ID})
	return err
}

// follow asks each rule that is processed about a user who was made, changed or restored.
func (t *txn) follow(now time.Time, u *User) error {
	return t.eachRule(func(group uint64, r *memberrule.Rule) error {
		in := t.in(bucketMembers).Get(key(group, u.Num)) != nil
		var err error
		switch want := t.satisfies(r, u); {
		case want == in:
			return nil
		case want:
			err = t.join(now, group, u.Num)
		default:
			err = t.part(now, group, u.Num)
		}
		if err != nil {
			return err
		}
		return t.regrouped(group)
	})
}

// followReports looks at the groups of the direct reports of a user who was deleted or restored.
func (t *txn) followReports(now time.Time, boss Object) error {
	return t.eachRule(func(group uint64, r *memberrule.Rule) error {
		if r.Manager() == "" || fold(r.Manager()) != fold(boss.ID) {
			return nil
		}
		return t.regroup(now, group, r)
	})
}

func (t *txn) eachRule(f func(group uint64, r *memberrule.Rule) error) error {
	b := t.in(bucketDynamic)
	if b == nil {
		return nil
	}
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		r, err := t.rules.rule(string(v))
		if err != nil {
			return err
		}
		if err := f(num(k), r); err != nil {
			return err
		}
	}
	return nil
}
