package scim

import (
	"errors"
	"strings"
	"testing"
)

// TestRulesOfRequests: a request names the rules of what really stands in it, in each dialect.
func TestRulesOfRequests(t *testing.T) {
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	off := Change{Replace, Attribute{Path: "active", Type: Boolean, Value: "False"}}
	on := Change{Add, Attribute{Path: "active", Type: Boolean, Value: "True"}}
	name, nick := Change{Replace, attribute("displayName", "Ann")}, Change{Replace, attribute("nickName", "Babs")}
	title, city := Change{Add, attribute("title", "Pilot")}, Change{Add, attribute(`addresses[type eq "work"].locality`, "Oslo")}
	def := DefaultOptions()
	always := DefaultOptions()
	always.OpChoice = "alwaysReplace"
	patch := func(rt ResourceType, d Dialect, opt Options, changes ...Change) []string {
		return PatchRules(rt, d, opt, changes)
	}
	for _, c := range []struct {
		name string
		got  []string
		want string
	}{
		{"disable, legacy", patch(User, Legacy, def, off), "W-102 W-110"},
		{"disable, compliant", patch(User, Compliant, def, off), "W-102 W-111"},
		{"disable, customappsso", patch(User, CustomAppSSO, def, off), "W-007 W-102 W-110"},
		{"enable by Add, compliant", patch(User, Compliant, def, on), "W-102 W-111 W-113"},
		{"enable by Add, legacy", patch(User, Legacy, def, on), "W-102 W-110 W-113"},
		{"disable, alwaysReplace", patch(User, Legacy, always, off), "W-110"},
		{"one, legacy", patch(User, Legacy, def, name), "W-102 W-115"},
		{"one, compliant", patch(User, Compliant, def, name), "W-102 W-119"},
		{"two, legacy", patch(User, Legacy, def, name, nick), "W-101 W-102 W-115"},
		{"two, compliant", patch(User, Compliant, def, name, nick), "W-101 W-102 W-117"},
		{"one of each op, compliant", patch(User, Compliant, def, name, title), "W-101 W-102 W-119"},
		{"two added, compliant", patch(User, Compliant, def, title, on), "W-101 W-102 W-111 W-113 W-118"},
		{"active beside another op, compliant", patch(User, Compliant, def, off, title), "W-101 W-102 W-111 W-119"},
		{"filtered, compliant", patch(User, Compliant, def, city), "W-102 W-106"},
		{"filtered, legacy", patch(User, Legacy, def, city), "W-102 W-106 W-115"},
		{"extension", patch(User, Legacy, def, Change{Add, attribute(enterprise+":department", "Flight")}), "W-102 W-115 W-122"},
		{"number, legacy", patch(User, Legacy, def, Change{Add, Attribute{Path: "urn:x:User:badge", Type: Integer, Value: "7"}}), "W-102 W-115 W-116 W-122"},
		{"number, compliant", patch(User, Compliant, def, Change{Add, Attribute{Path: "urn:x:User:badge", Type: Integer, Value: "7"}}), "W-102 W-119 W-120 W-122"},
		{"several values", patch(User, Legacy, def, Change{Add, Attribute{Path: `emails[type eq "other"].value`, Value: []string{"a", "b"}}}), "W-102 W-106 W-115 W-123"},
		{"externalId", patch(User, Legacy, def, Change{Replace, attribute("externalId", "7")}), "W-102 W-115 W-124"},
		{"removed, compliant", patch(User, Compliant, def, Change{Remove, Attribute{Path: "title"}}), "W-102 W-103"},
		{"emptied, legacy", patch(User, Legacy, def, Change{Replace, attribute("title", "")}), "W-102 W-103 W-115"},
		{"group renamed, compliant", patch(Group, Compliant, def, name), "W-102 W-119 W-152"},
		{"complex roles", patch(User, Legacy, def, Change{Add, Attribute{Path: "roles", Value: Roles{List: []Role{{ID: "1"}}}}}), "W-102 W-126"},
		{"assertive roles", patch(User, Compliant, def, Change{Replace, Attribute{Path: "roles", Value: Roles{Form: RolesAssertive}}}), "W-102 W-127"},
		{"single role", patch(User, Legacy, def, Change{Add, Attribute{Path: `roles[primary eq "True"].value`, Value: "Admin", Role: &Role{ID: "1"}}}), "W-102 W-106 W-115 W-125"},

		{"match", MatchRules(User, attribute("userName", "ann")), "W-051 W-070"},
		{"match by a Boolean", MatchRules(User, Attribute{Path: "active", Type: Boolean, Value: "True"}), "W-051 W-070 W-024"},
		{"match of a group", MatchRules(Group, attribute("displayName", "Ops")), "W-057 W-030 W-070"},
		{"user", CreateRules(User, Legacy, []Attribute{attribute("userName", "ann")}), "W-051 W-080 W-081"},
		{"user with everything", CreateRules(User, Compliant, []Attribute{{Path: "active", Type: Boolean, Value: "True"}, attribute("name.givenName", "Ann"), attribute(`emails[type eq "work"].value`, "a"),
			attribute(enterprise+":department", "x"), attribute("urn:x:User:badge", "7"), {Path: "title"}, {Path: "roles", Value: Roles{}}}), "W-051 W-080 W-081 W-085 W-090 W-088 W-083 W-082 W-086 W-087"},
		{"user with a role", CreateRules(User, Legacy, []Attribute{attribute(`roles[primary eq "True"].value`, "Admin")}), "W-051 W-080 W-081 W-091"},
		{"user with roles", CreateRules(User, Legacy, []Attribute{{Path: "roles", Value: Roles{List: []Role{{ID: "1"}}}}}), "W-051 W-080 W-081 W-092"},
		{"group", CreateRules(Group, Legacy, nil), "W-057 W-094"},
		{"group, customappsso", CreateRules(Group, CustomAppSSO, nil), "W-057 W-095"},

		{"manager added, legacy", ManagerRules(Legacy, def, Add), "W-061 W-130 W-131 W-132"},
		{"manager replaced, compliant", ManagerRules(Compliant, def, Replace), "W-061 W-130 W-131 W-135"},
		{"manager, customappsso", ManagerRules(CustomAppSSO, def, Add), "W-061 W-133"},
		{"manager cleared, legacy", ManagerRules(Legacy, def, Remove), "W-138"},
		{"manager cleared, compliant", ManagerRules(Compliant, def, Remove), "W-137"},
		{"member added, legacy", MemberRules(Legacy, def, Add, 1), "W-140"},
		{"members added, compliant", MemberRules(Compliant, def, Add, 2), "W-142 W-145"},
		{"members added, customappsso", MemberRules(CustomAppSSO, def, Add, 2), "W-140 W-141 W-145"},
		{"member removed, legacy", MemberRules(Legacy, def, Remove, 1), "W-143"},
		{"members removed, compliant", MemberRules(Compliant, def, Remove, 2), "W-144 W-145"},
		{"member removed, customappsso", MemberRules(CustomAppSSO, def, Remove, 1), "W-143 W-141"},
	} {
		if got := strings.Join(c.got, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestRulesOfAnswers: what went wrong names the rule of it.
func TestRulesOfAnswers(t *testing.T) {
	probe := func(c *Client) error { return c.Probe(t.Context(), Tag{}, User, "userName", "x") }
	match := func(c *Client) error {
		_, err := c.Match(t.Context(), Tag{}, User, attribute("userName", "x"), false)
		return err
	}
	get := func(c *Client) error { _, err := c.Get(t.Context(), Tag{}, Group, "1"); return err }
	create := func(c *Client) error { _, err := c.Create(t.Context(), Tag{}, User, nil); return err }
	patch := func(c *Client) error { return c.Patch(t.Context(), Tag{}, User, "1", []byte("{}")) }
	del := func(c *Client) error { return c.Delete(t.Context(), Tag{}, User, "1") }
	for _, c := range []struct {
		name   string
		call   func(*Client) error
		status int
		body   string
		want   string
	}{
		{"probe refused", probe, 401, "", "W-045"}, {"probe unreadable", probe, 200, "x", "W-045"},
		{"match 404", match, 404, "", "W-171"}, {"match 400", match, 400, "", "W-172"}, {"match 500", match, 500, "", "W-173"}, {"match page", match, 200, "<html>", "W-192"},
		{"match envelope", match, 200, "{}", "W-079"}, {"match stray", match, 200, listOf(`{"id":"1"}`), "W-073"}, {"match mistyped", match, 200, listOf(`{"id":"1","active":"x"}`), "W-076"},
		{"match twice", match, 200, listOf(`{"id":"1","userName":"x"}`, `{"id":"2","userName":"x"}`), "W-170"},
		{"get 404", get, 404, "", "W-175"}, {"get list", get, 200, listOf(), "W-176"}, {"get members", get, 200, `{"id":"1","members":[{"value":"2"}]}`, "W-176"}, {"get 503", get, 503, "", "W-189"},
		{"create 409", create, 409, "", "W-179"}, {"create 400", create, 400, "", "W-197"}, {"create without id", create, 201, "{}", "W-178"}, {"create redirected", create, 302, "", "W-019"},
		{"create 409 with an object", create, 409, `{"detail":{}}`, "W-076"},
		{"patch 400", patch, 400, "", "W-182"}, {"patch 404", patch, 404, "", "W-183"}, {"patch 409", patch, 409, "", "W-184"}, {"patch unreadable", patch, 200, "x", "W-181"},
		{"patch 401", patch, 401, "", "W-185"}, {"patch 403", patch, 403, "", "W-186"}, {"patch 405", patch, 405, "", "W-186"}, {"patch 413", patch, 413, "", "W-187"}, {"patch 429", patch, 429, "", "W-188"},
		{"patch 500", patch, 500, "", "W-189"}, {"patch 501", patch, 501, "", "W-190"}, {"delete 400", del, 400, "", "W-196"},
	} {
		err := c.call(answering(t, c.status, c.body))
		var e *Error
		if !errors.As(err, &e) || e.Rule != c.want {
			t.Errorf("%s: %v has the rule %q, want %s", c.name, err, e.Rule, c.want)
		}
	}
}
