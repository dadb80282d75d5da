package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// ruled makes a group whose members follow from a rule.
func ruledGroup(t testing.TB, s *Store, name, rule string) Group {
	t.Helper()
	return must[Group](t)(s.CreateGroup(start, Props{"displayName": name, "mailNickname": name, "groupTypes": []string{"DynamicMembership"}, "membershipRule": rule}))
}

// members are the display names of a group's members.
func members(t testing.TB, s *Store, group string) string {
	t.Helper()
	var names []string
	for _, m := range must[Page[Object]](t)(s.Members(group, "", 0)).Items {
		names = append(names, m.DisplayName)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestDynamicMembership follows a group whose members follow from a rule: users who are made, changed, deleted and restored,
// a rule that changes, pauses and goes, and the group's own deletion. Each change of a membership stands in the feed.
func TestDynamicMembership(t *testing.T) {
	s := open(t)
	user(t, s, "zoe")
	must[User](t)(s.UpdateUser(start, "zoe@contoso.example", Props{"department": "Sales"}))
	sales := ruledGroup(t, s, "sales", `user.department -eq "sales"`)
	if sales.MembershipRuleState != RuleOn {
		t.Errorf("processing state %q", sales.MembershipRuleState)
	}
	shows := func(when, want string) {
		t.Helper()
		if got := members(t, s, sales.ID); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	shows("whoever was there", "zoe")
	must[User](t)(s.CreateUser(start, Props{"displayName": "ann", "mailNickname": "ann", "userPrincipalName": "ann@contoso.example", "department": "SALES"}))
	shows("a new user", "ann zoe")
	mark := s.LastChange()
	must[User](t)(s.UpdateUser(start, "ann@contoso.example", Props{"jobTitle": "Pilot"}))
	if c := must[Changes](t)(s.Changes(mark, 0)); len(c.Edges) != 0 || len(c.Objects) != 1 {
		t.Errorf("a change that no rule is about: %+v", c)
	}
	must[User](t)(s.UpdateUser(start, "ann@contoso.example", Props{"department": "HR"}))
	shows("she left", "zoe")
	if c := must[Changes](t)(s.Changes(mark, 0)); len(c.Edges) != 1 || c.Edges[0].Group != sales.Num || c.Edges[0].Present {
		t.Errorf("the feed of a member that left: %+v", c.Edges)
	}
	must[User](t)(s.UpdateUser(start, "ann@contoso.example", Props{"department": "Sales"}))
	zoe := must[User](t)(s.User("zoe@contoso.example"))
	check(t, s.DeleteUser(start, zoe.ID))
	shows("a deleted user is hidden", "ann")
	must[Group](t)(s.UpdateGroup(start, sales.ID, Props{"membershipRule": `user.department -eq "HR"`}))
	shows("another rule", "")
	must[Object](t)(s.Restore(start, zoe.ID))
	shows("whom the new rule is not about comes back", "")
	must[Group](t)(s.UpdateGroup(start, sales.ID, Props{"membershipRule": `user.department -eq "Sales"`}))
	shows("the former rule", "ann zoe")

	for _, refused := range []error{s.AddMembers(start, sales.ID, user(t, s, "bob").ID), s.RemoveMembers(start, sales.ID, zoe.ID)} {
		if CodeOf(refused) != Invalid || !strings.Contains(refused.Error(), "follow from its membership rule") {
			t.Errorf("by hand: %v", refused)
		}
	}
	must[Group](t)(s.UpdateGroup(start, sales.ID, Props{"membershipRuleProcessingState": "Paused"}))
	must[User](t)(s.UpdateUser(start, "ann@contoso.example", Props{"department": "HR"}))
	must[User](t)(s.UpdateUser(start, "bob@contoso.example", Props{"department": "Sales"}))
	shows("paused", "ann zoe")
	if err := s.AddMembers(start, sales.ID, "bob@contoso.example"); CodeOf(err) != Invalid {
		t.Errorf("by hand while it is paused: %v", err)
	}
	must[Group](t)(s.UpdateGroup(start, sales.ID, Props{"membershipRuleProcessingState": "On"}))
	shows("processed again", "bob zoe")

	check(t, s.DeleteGroup(start, sales.ID))
	must[User](t)(s.UpdateUser(start, "ann@contoso.example", Props{"department": "Sales"}))
	must[Object](t)(s.Restore(start, sales.ID))
	shows("restored", "ann bob zoe")
	must[Group](t)(s.UpdateGroup(start, sales.ID, Props{"groupTypes": []string{}}))
	must[User](t)(s.UpdateUser(start, "ann@contoso.example", Props{"department": "HR"}))
	shows("by hand again", "ann bob zoe")
	check(t, s.RemoveMembers(start, sales.ID, zoe.ID))
	inner := group(t, s, "inner")
	check(t, s.AddMembers(start, sales.ID, inner.ID))
	must[Group](t)(s.UpdateGroup(start, sales.ID, Props{"groupTypes": []string{"DynamicMembership"}}))
	shows("a group that was a member goes", "bob zoe")
}

// TestDirectReports: the reports of a manager, while there is that manager.
func TestDirectReports(t *testing.T) {
	s := open(t)
	boss, ann, bob := user(t, s, "boss"), user(t, s, "ann"), user(t, s, "bob")
	check(t, s.SetManager(start, ann.ID, boss.ID))
	g := ruledGroup(t, s, "reports", `Direct Reports for "`+strings.ToUpper(boss.ID)+`"`)
	shows := func(when, want string) {
		t.Helper()
		if got := members(t, s, g.ID); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	shows("at first", "ann")
	check(t, s.SetManager(start, bob.ID, boss.ID))
	shows("one more", "ann bob")
	check(t, s.SetManager(start, ann.ID, bob.ID))
	shows("reports of reports are none", "bob")
	check(t, s.DeleteUser(start, boss.ID))
	shows("without the manager", "")
	must[Object](t)(s.Restore(start, boss.ID))
	shows("with the manager again", "bob")
	check(t, s.DeleteUser(start, boss.ID))
	check(t, s.Purge(start, boss.ID))
	shows("the manager is gone for good", "")
}

// TestRulesAreChecked: what can't be evaluated is refused with its place, and changes nothing.
func TestRulesAreChecked(t *testing.T) {
	s := open(t)
	plain := group(t, s, "plain")
	for _, c := range []struct {
		p    Props
		want string
	}{
		{Props{"groupTypes": []string{"DynamicMembership"}, "membershipRule": `user.departmnt -eq "x"`}, "membershipRule: The membership rule can't be evaluated. Column 1: users have no property"},
		{Props{"groupTypes": []string{"DynamicMembership"}, "membershipRule": `user.city -eq "x`}, "Column 15: a text begins here and does not end"},
		{Props{"groupTypes": []string{"DynamicMembership"}, "membershipRule": `user.city -eq null`, "membershipRuleProcessingState": "Off"}, "On or Paused"},
		{Props{"groupTypes": []string{"DynamicMembership"}, "membershipRule": `user.city -eq null`, "isAssignableToRole": true}, "roles"},
	} {
		if _, err := s.UpdateGroup(start, plain.ID, c.p); CodeOf(err) != Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.p, err, c.want)
		}
		p := Props{"displayName": "new", "mailNickname": "new"}
		for k, v := range c.p {
			p[k] = v
		}
		if _, err := s.CreateGroup(start, p); CodeOf(err) != Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("create %v: %v, want %q", c.p, err, c.want)
		}
	}
	if _, err := s.CreateGroup(start, Props{"displayName": "new", "mailNickname": "new", "groupTypes": []string{"DynamicMembership"}, "membershipRule": "user.city -eq null"}, user(t, s, "ann").ID); CodeOf(err) != Invalid {
		t.Errorf("members beside a rule: %v", err)
	}
	if g := must[Group](t)(s.Group(plain.ID)); g.Dynamic() || g.MembershipRule != "" {
		t.Errorf("%+v", g)
	}
}

// TestEventsOfRules: whoever listens is told of each group whose members changed.
func TestEventsOfRules(t *testing.T) {
	s := open(t)
	ann := user(t, s, "ann")
	g := ruledGroup(t, s, "oslo", `user.city -eq "Oslo"`)
	var seen []string
	s.OnCommit(func(e Event) { seen = append(seen, e.Op+" "+e.ID) })
	must[User](t)(s.UpdateUser(start, ann.ID, Props{"city": "Oslo"}))
	must[User](t)(s.UpdateUser(start, ann.ID, Props{"jobTitle": "Pilot"}))
	must[Group](t)(s.UpdateGroup(start, g.ID, Props{"membershipRule": `user.city -ne "Oslo"`}))
	want := []string{"updated " + ann.ID, "members " + g.ID, "updated " + ann.ID, "updated " + g.ID, "members " + g.ID}
	if !slices.Equal(seen, want) {
		t.Errorf("%v, want %v", seen, want)
	}
}

// TestRulesHold: whatever happens to users and groups, the members of each group with a rule are those who satisfy it; the
// check of the store compares them one by one.
func TestRulesHold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := open(t)
		var users, groups []string
		cities := []string{"", "Oslo", "Lima"}
		pick := func(list []string, what string) string { return rapid.SampledFrom(list).Draw(rt, what) }
		rule := func() string {
			rules := []string{`user.city -eq "Oslo"`, `user.city -ne "Oslo" -and user.accountEnabled -eq true`, `user.objectId -ne null`, `user.city -eq null`}
			for _, id := range users {
				rules = append(rules, `Direct Reports for "`+id+`"`)
			}
			return pick(rules, "rule")
		}
		for i := range rapid.IntRange(5, 40).Draw(rt, "steps") {
			name := fmt.Sprintf("n%d", i)
			switch step := rapid.IntRange(0, 9).Draw(rt, "step"); {
			case step < 2 || len(users) == 0:
				u := must[User](t)(s.CreateUser(start, Props{"displayName": name, "mailNickname": name, "userPrincipalName": name + "@contoso.example", "city": pick(cities, "city")}))
				users = append(users, u.ID)
			case step == 2 || len(groups) == 0:
				groups = append(groups, ruledGroup(t, s, name, rule()).ID)
			case step == 3:
				edit := rapid.SampledFrom([]Props{{"membershipRule": rule()}, {"membershipRuleProcessingState": "Paused"}, {"membershipRuleProcessingState": "On"}}).Draw(rt, "edit")
				_, err := s.UpdateGroup(start, pick(groups, "group"), edit)
				mayMiss(rt, err)
			case step == 4:
				mayMiss(rt, s.DeleteUser(start, pick(users, "user")))
			case step == 5:
				_, err := s.Restore(start, pick(users, "user"))
				mayMiss(rt, err)
			case step == 6:
				id := pick(groups, "group")
				if err := s.DeleteGroup(start, id); err != nil {
					must[Object](t)(s.Restore(start, id))
				}
			case step == 7:
				if a, b := pick(users, "user"), pick(users, "manager"); a != b {
					mayMiss(rt, s.SetManager(start, a, b))
				}
			default:
				_, err := s.UpdateUser(start, pick(users, "user"), Props{"city": pick(cities, "city"), "accountEnabled": rapid.Bool().Draw(rt, "enabled")})
				mayMiss(rt, err)
			}
			if err := s.Check(); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// mayMiss lets an error pass that an object is not there.
func mayMiss(t *rapid.T, err error) {
	if err != nil && CodeOf(err) != NotFound {
		t.Fatal(err)
	}
}
