package directory

import (
	"strings"
	"testing"
)

func TestGroupRules(t *testing.T) {
	s := open(t)
	for _, c := range []struct {
		name string
		p    Props
		want string
	}{
		{"security", Props{}, ""},
		{"Microsoft 365", Props{"groupTypes": []string{"Unified"}, "mailEnabled": true, "securityEnabled": false, "visibility": "Private"}, ""},
		{"dynamic", Props{"groupTypes": []string{"DynamicMembership"}, "membershipRule": "user.city -eq \"Lisbon\""}, ""},
		{"synced list", Props{"mailEnabled": true, "onPremisesSyncEnabled": true}, ""},
		{"neither", Props{"securityEnabled": false}, "security-enabled, mail-enabled or both"},
		{"mail without Unified", Props{"mailEnabled": true}, "Unified"},
		{"dynamic without a rule", Props{"groupTypes": []string{"DynamicMembership"}}, "membershipRule"},
		{"unknown type", Props{"groupTypes": []string{"Secret"}}, "Secret"},
		{"unknown visibility", Props{"visibility": "Hidden"}, "visibility"},
		{"space in the nickname", Props{"mailNickname": "all staff"}, "mailNickname"},
		{"no name", Props{"displayName": ""}, "A value is required for property 'displayName' of resource 'Group'."},
		{"unknown property", Props{"colour": "red"}, "Property 'colour' does not exist"},
	} {
		p := Props{"displayName": c.name, "mailNickname": "nick"}
		for k, v := range c.p {
			p[k] = v
		}
		_, err := s.CreateGroup(start, p)
		if c.want == "" && err != nil || c.want != "" && (CodeOf(err) != Invalid || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestMembershipRules(t *testing.T) {
	s := open(t)
	ann, bob, ops, inner := user(t, s, "ann"), user(t, s, "bob"), group(t, s, "ops"), group(t, s, "inner")
	team := must[Group](t)(s.CreateGroup(start, Props{"displayName": "Team", "mailNickname": "team", "groupTypes": []string{"Unified"}, "mailEnabled": true}))
	byRule := must[Group](t)(s.CreateGroup(start, Props{"displayName": "Rule", "mailNickname": "rule", "groupTypes": []string{"DynamicMembership"}, "membershipRule": "user.city -eq \"Lisbon\""}))
	check(t, s.AddMembers(start, ops.ID, ann.UserPrincipalName, inner.ID))
	for _, c := range []struct {
		name, group string
		members     []string
		want        Code
	}{
		{"already in", ops.ID, []string{bob.ID, ann.ID}, Conflict},
		{"twice in one call", ops.ID, []string{bob.ID, bob.ID}, Conflict},
		{"itself", ops.ID, []string{bob.ID, ops.ID}, Invalid},
		{"unknown", ops.ID, []string{bob.ID, "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0"}, NotFound},
		{"unknown group", ann.ID, []string{bob.ID}, NotFound},
		{"group in a Microsoft 365 group", team.ID, []string{bob.ID, ops.ID}, Invalid},
		{"by rule", byRule.ID, []string{bob.ID}, Invalid},
	} {
		if err := s.AddMembers(start, c.group, c.members...); CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if groups := must[[]Object](t)(s.MemberOf(bob.ID)); len(groups) != 0 {
		t.Errorf("a refused call added somebody: %v", groups)
	}
	if err := s.RemoveMembers(start, ops.ID, ann.ID, bob.ID); CodeOf(err) != Invalid {
		t.Errorf("removing a non-member: %v", err)
	}
	if n := must[int](t)(s.MemberCount(ops.ID, 100)); n != 2 {
		t.Errorf("%d members, want 2", n)
	}
	check(t, s.DeleteUser(start, ann.ID))
	if n := must[int](t)(s.MemberCount(ops.ID, 100)); n != 1 {
		t.Errorf("%d members while one is deleted, want 1", n)
	}
	if page := must[Page[Object]](t)(s.Members(ops.ID, "", 0)); len(page.Items) != 1 || page.Items[0].Kind != KindGroup {
		t.Errorf("members %+v", page.Items)
	}
	must[Object](t)(s.Restore(start, ann.ID))
	check(t, s.RemoveMembers(start, ops.ID, ann.ID, inner.ID))
}
