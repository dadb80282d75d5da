package mapping_test

import (
	"errors"
	"strings"
	"testing"

	"entrasim/directory"
	"entrasim/sim/expr"
	"entrasim/sim/mapping"
)

// TestSourceAttributes: what a user and a group show, by the service's names.
func TestSourceAttributes(t *testing.T) {
	yes := true
	u := ann()
	u.UserPrincipalName, u.UserType = "ann_fabrikam.test#EXT#@contoso.example", directory.Guest
	u.ExtensionAttributes[9] = "x10"
	u.Extensions = map[string]any{"extension_0123456789abcdef0123456789abcdef_tier": "gold", "extension_0123456789abcdef0123456789abcdef_tags": []any{"a", "b"}}
	u.BusinessPhones, u.ImAddresses, u.OnPremisesSyncEnabled, u.CostCenter, u.OnPremisesImmutableID = []string{"1", "2"}, []string{"ann@sip.example"}, &yes, "77", "im=="
	src := mapping.UserSource(u, mapping.Computed{SoftDeleted: true, Manager: "m-1", Roles: []expr.Role{{ID: "r", Value: "admin", DisplayName: "Admin"}}})
	for name, want := range map[string]string{
		"userPrincipalName": "ann@fabrikam.test", "originalUserPrincipalName": u.UserPrincipalName, "extensionAttribute10": "x10", "telephoneNumber": "1",
		"sipProxyAddress": "ann@sip.example", "dirSyncEnabled": "True", "IsSoftDeleted": "True", "manager": "m-1", "appRoleAssignments": "Admin", "employeeOrgData.costCenter": "77",
		"DISPLAYNAME": "Ann Ace", "ObjectId": u.ID, "immutableId": "im==", "proxyAddresses": "smtp:ann@contoso.example", "mobile": "", "assistant": "",
		"extension_0123456789abcdef0123456789abcdef_tier": "gold", "extension_0123456789abcdef0123456789abcdef_Tier": "", "extension_0123456789abcdef0123456789abcdef_tags": "",
		"onPremisesSamAccountName": "", "imAddresses": "ann@sip.example",
	} {
		if v, known := src.Attribute(name); !known || v.Text() != want {
			t.Errorf("%s is %q (%v), want %q", name, v.Text(), known, want)
		}
	}
	if _, known := src.Attribute("nope"); known {
		t.Error("an attribute that nobody knows is known")
	}
	g := &directory.Group{MailEnabled: true, Mail: "g@contoso.example"}
	g.DisplayName = "G"
	group := mapping.GroupSource(g, mapping.Computed{})
	for name, want := range map[string]string{"displayName": "G", "mailEnabled": "True", "securityEnabled": "False", "mail": "g@contoso.example", "members": "", "IsSoftDeleted": "False", "dirSyncEnabled": ""} {
		if v, known := group.Attribute(name); !known || v.Text() != want {
			t.Errorf("group: %s is %q, want %q", name, v.Text(), want)
		}
	}
}

// TestDesired: what each kind of mapping gives (customize-application-attributes.md, "Understanding attribute-mapping
// types").
func TestDesired(t *testing.T) {
	fallback := "n/a"
	for _, c := range []struct {
		name, source    string // "" for None
		value           string // "" for null
		fallback        *string
		want            string
		present, lacked bool
		ignored         bool
	}{
		{name: "direct", source: "[department]", want: "Sales", present: true},
		{name: "direct null", source: "[city]"},
		{name: "direct null with a default", source: "[city]", fallback: &fallback, want: "n/a", present: true, lacked: true},
		{name: "a default that is not needed", source: "[department]", fallback: &fallback, want: "Sales", present: true},
		{name: "expression", source: `Join("-", [department], [employeeId])`, want: "Sales-7", present: true},
		{name: "expression null", source: `ToUpper([city])`, fallback: &fallback, want: "n/a", present: true, lacked: true},
		{name: "an empty text is a value", source: `Left([department], 0)`, fallback: &fallback, want: "", present: true},
		{name: "constant", source: `"fixed"`, want: "fixed", present: true},
		{name: "None", source: "", fallback: &fallback, want: "n/a", present: true, lacked: true},
		{name: "None without default", source: ""},
		{name: "flow ignored", source: `IgnoreFlowIfNullOrEmpty([city])`, fallback: &fallback, ignored: true},
		{name: "flow ignored by a branch", source: `IIF([employeeId]="7", IgnoreAttributeFlow, "x")`, fallback: &fallback, ignored: true},
		{name: "several into one", source: `[proxyAddresses]`, want: "smtp:ann@contoso.example", present: true},
		{name: "a list of nothing", source: `Split([city], ",")`},
		{name: "an empty list", source: `Split(",", ",")`, fallback: &fallback, want: "n/a", present: true, lacked: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mapping.Default()
			am := mapping.AttributeMapping{TargetAttributeName: "nickName", DefaultValue: c.fallback}
			if c.source != "" {
				am.Source = origin(t, c.source)
			}
			put(t, s, am)
			d := desired(t, s, "nickName", mapping.Computed{})
			if d.Present != c.present || d.Value.Text() != c.want || d.FromDefault != c.lacked || d.Ignored != c.ignored {
				t.Errorf("%+v", d)
			}
		})
	}
}

// TestShapes: a result fits the target attribute, or the object fails.
func TestShapes(t *testing.T) {
	s := mapping.Default()
	define(t, s, mapping.AttributeDefinition{Name: "level", Type: mapping.Integer})
	define(t, s, mapping.AttributeDefinition{Name: "aliases", Multivalued: true})
	define(t, s, mapping.AttributeDefinition{Name: "vip", Type: mapping.Boolean})
	define(t, s, mapping.AttributeDefinition{Name: "roles", Multivalued: true})
	roles := mapping.Computed{Roles: []expr.Role{{ID: "1", Value: "admin", DisplayName: "Admin"}, {ID: "2", Value: "user", DisplayName: "User"}}}
	const admin, both = `{"id":"1","value":"admin","displayName":"Admin"}`, `{"id":"1","value":"admin","displayName":"Admin"} {"id":"2","value":"user","displayName":"User"}`
	for _, c := range []struct{ target, source, want string }{
		{"level", "[employeeId]", "7"}, {"level", `Count([proxyAddresses])`, "2"}, {"level", "[department]", `mapping of level failed: "Sales" is no whole number.`},
		{"level", "12", ""}, {"vip", "[accountEnabled]", "True"}, {"vip", `IIF([department]="Sales", "true", "false")`, "true"}, {"vip", "[department]", `mapping of vip failed: "Sales" is no Boolean; expected True or False.`},
		{"vip", `"TRUE"`, "TRUE"}, {"aliases", "[proxyAddresses]", "smtp:ann@contoso.example smtp:a@contoso.example"}, {"aliases", "[department]", "Sales"},
		{`emails[type eq "other"].value`, "[proxyAddresses]", "smtp:ann@contoso.example smtp:a@contoso.example"},
		{"roles", "AppRoleAssignmentsComplex([appRoleAssignments])", both}, {"aliases", "AppRoleAssignmentsComplex([appRoleAssignments])", both},
		{`roles[primary eq "True"].value`, "SingleAppRoleAssignment([appRoleAssignments])", "Admin"}, {"nickName", "AppRoleAssignmentsComplex([appRoleAssignments])", admin}, {"nickName", "AppRoleAssignments([appRoleAssignments])", "Admin,User"},
		{"nickName", `Error("no way")`, "mapping of nickName failed: custom at position 1 in Error: no way"},
		{"nickName", `Item([proxyAddresses], 3)`, "mapping of nickName failed: range at position"},
		{"nickName", `[createdDateTime]`, ""},
	} {
		one := s.Clone()
		o, err := mapping.OriginOf(c.source)
		if err != nil {
			continue // "12" is no mapping
		}
		put(t, one, mapping.AttributeMapping{TargetAttributeName: c.target, Source: o})
		object, err := compile(t, one).Users.Map(mapping.UserSource(ann(), roles), newEnv())
		if err != nil {
			var f *mapping.Failure
			if !errors.As(err, &f) || f.Target != c.target || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s <- %s: %v, want …%s", c.target, c.source, err, c.want)
			}
			continue
		}
		for _, d := range object.Values {
			if got := strings.Join(d.Value.List(), " "); d.Attr.Target == c.target && got != c.want {
				t.Errorf("%s <- %s is %q, want %q", c.target, c.source, got, c.want)
			}
		}
	}
}

// TestRolesKeepTheirParts only in the attribute roles; one role is known as a whole; several, where one is asked for, are
// warned of.
func TestRolesKeepTheirParts(t *testing.T) {
	s := mapping.Default()
	define(t, s, mapping.AttributeDefinition{Name: "roles", Multivalued: true})
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "roles", Source: origin(t, "AssertiveAppRoleAssignmentsComplex([appRoleAssignments])")})
	put(t, s, mapping.AttributeMapping{TargetAttributeName: `roles[primary eq "True"].value`, Source: origin(t, "SingleAppRoleAssignment([appRoleAssignments])")})
	two := mapping.Computed{Roles: []expr.Role{{ID: "1", Value: "admin", DisplayName: "Admin"}, {ID: "2", Value: "user", DisplayName: "User"}}}
	if list, form := desired(t, s, "roles", two).Value.Roles(); len(list) != 2 || form != expr.RolesAssertive {
		t.Errorf("%v %v", list, form)
	}
	d := desired(t, s, `roles[primary eq "True"].value`, two)
	if d.Role == nil || d.Role.ID != "1" || !d.Attr.IsRoles() {
		t.Errorf("%+v", d)
	}
	if d := desired(t, s, `roles[primary eq "True"].value`, mapping.Computed{}); d.Present || d.Role != nil {
		t.Errorf("nobody's role is %+v", d)
	}
	set := compile(t, s)
	if !set.UsesRoles() || set.RoleTarget() != "roles" || !set.Users.NeedsRoles || set.Groups.NeedsRoles || compile(t, mapping.Default()).UsesRoles() {
		t.Error("who uses roles is not told")
	}
	if len(d.Warnings) != 1 || len(desired(t, s, "roles", two).Warnings) != 0 {
		t.Errorf("warnings: %v", d.Warnings)
	}
}

// TestIgnoreObject and what is redacted in logs.
func TestIgnoreObject(t *testing.T) {
	s := mapping.Default()
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "nickName", Source: origin(t, `IIF([department]="Sales", IgnoreObjectFlow, "x")`)})
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "title", Source: origin(t, `Redact([employeeId])`)})
	m := compile(t, s).Users
	src := mapping.UserSource(ann(), mapping.Computed{})
	o, err := m.Map(src, newEnv())
	if err != nil || !o.Ignore || o.IgnoredBy != "nickName" {
		t.Errorf("%+v %v", o, err)
	}
	for _, d := range o.Values {
		if d.Redacted != (d.Attr.Target == "title") {
			t.Errorf("%s: %v", d.Attr.Target, d.Redacted)
		}
	}
	for _, pair := range src.Texts(m) {
		if pair[1] == "7" {
			t.Errorf("the log shows %v", pair)
		}
	}
}

// TestReads: which of the directory's properties a mapping looks at, so that other changes cost nothing.
func TestReads(t *testing.T) {
	s := mapping.Starter()
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "nickName", Source: origin(t, `Coalesce([extensionAttribute3], [extension_0123456789abcdef0123456789abcdef_tier], [manager])`)})
	if err := s.PutFilter("User", "", mapping.FilterGroup{Name: "F", Clauses: []mapping.FilterClause{clauseOf("state", "IS NOT NULL")}}); err != nil {
		t.Fatal(err)
	}
	m := compile(t, s).Users
	for property, want := range map[string]bool{
		"userPrincipalName": true, "userType": true, "displayName": true, "onPremisesExtensionAttributes/extensionAttribute3": true, "extension_0123456789abcdef0123456789abcdef_tier": true,
		"state": true, "city": false, "mail": false,
	} {
		if m.Reads(property) != want {
			t.Errorf("Reads(%s) is %v", property, !want)
		}
	}
	if !m.NeedsManager || compile(t, mapping.Default()).Users.NeedsManager {
		t.Error("who needs the manager's id is not told")
	}
	if got := m.SoftDeleteTargets(); len(got) != 1 || got[0] != "active" {
		t.Error(got)
	}
}

// TestMatchingOrder: by precedence, whatever the order of the mappings, with any pair and with expressions.
func TestMatchingOrder(t *testing.T) {
	s := mapping.Default()
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "nickName", MatchingPriority: 2, Source: origin(t, `ToLower([mailNickname])`)})
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "externalId", MatchingPriority: 1, Source: origin(t, `[objectId]`)})
	m := compile(t, s).Users
	var got []string
	for _, x := range m.Matching {
		got = append(got, m.Attributes[x.Index].Target)
	}
	// externalId took the first place; userName and nickName moved behind it.
	if strings.Join(got, " ") != "externalId userName nickName" || !m.Attributes[m.Matching[0].Index].CaseExact || m.Attributes[m.Matching[1].Index].CaseExact {
		t.Error(got)
	}
}
