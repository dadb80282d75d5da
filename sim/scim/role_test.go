package scim

import (
	"encoding/json"
	"testing"
)

// TestRoleBodies holds the literal bodies of customize-application-attributes.md, "Provisioning a role to a SCIM app": what
// a POST and a PATCH carry differs, by function, dialect and switch. The complex PATCH of the compliant dialect is one that
// was recorded (https://learn.microsoft.com/en-us/answers/questions/671361).
//
// Shows: S-269, W-091, W-092, W-125, W-126, W-127
func TestRoleBodies(t *testing.T) {
	const patch = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`
	const post = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"a","meta":{"resourceType":"User"},"roles":`
	admin, user := Role{"06b07648", "admin", "Admin"}, Role{"06b07649", "us\"er", "User"}
	whole := func(form RoleForm, list ...Role) Attribute {
		return Attribute{Path: "roles", Multi: true, Value: Roles{form, list}}
	}
	single := Attribute{Path: `roles[primary eq "True"].value`, Value: "Admin", Role: &admin}
	plain, text, asJSON := DefaultOptions(), DefaultOptions(), DefaultOptions()
	text.RolePrimaryString, asJSON.SingleRoleForm = true, "json"
	create := func(opt Options, a Attribute) string {
		return string(CreateBody(User, Legacy, opt, []Attribute{attribute("userName", "a"), a}))
	}
	update := func(d Dialect, opt Options, op Op, more ...Attribute) string {
		var changes []Change
		for _, a := range more {
			changes = append(changes, Change{op, a})
		}
		return string(PatchBody(User, d, opt, changes))
	}
	for _, c := range []struct{ name, got, want string }{
		{"single, POST", create(plain, single), post + `[{"primary":true,"type":"WindowsAzureActiveDirectoryRole","value":"Admin"}]}`},
		{"single, POST, primary as text", create(text, single), post + `[{"primary":"True","type":"WindowsAzureActiveDirectoryRole","value":"Admin"}]}`},
		{"single, POST, type mapped", string(CreateBody(User, Legacy, plain, []Attribute{attribute("userName", "a"), single, attribute(`roles[primary eq "True"].type`, "T"), attribute(`roles[primary eq "True"].display`, "D")})),
			post + `[{"primary":true,"type":"T","display":"D","value":"Admin"}]}`},
		{"none, POST", create(plain, Attribute{Path: "roles", Value: Roles{}}), post + `[]}`},
		{"complex, POST", create(plain, whole(RolesComplex, admin, user)),
			post + `[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","displayName":"Admin","value":"admin"},{"primary":false,"type":"WindowsAzureActiveDirectoryRole","displayName":"User","value":"us\"er"}]}`},
		{"complex, POST, primary as text", create(text, whole(RolesComplex, admin)), post + `[{"primary":"False","type":"WindowsAzureActiveDirectoryRole","displayName":"Admin","value":"admin"}]}`},
		{"assertive, POST", create(plain, whole(RolesAssertive, admin)), post + `[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"Admin","value":"admin"}]}`},
		{"single, legacy", update(Legacy, plain, Replace, single), patch + `{"op":"Replace","path":"roles[primary eq \"True\"].value","value":"Admin"}]}`},
		{"single, compliant", update(Compliant, plain, Add, single), patch + `{"op":"add","path":"roles[primary eq \"True\"].value","value":"Admin"}]}`},
		{"single as JSON, legacy", update(Legacy, asJSON, Replace, single), patch + `{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"06b07648\",\"value\":\"admin\",\"displayName\":\"Admin\"}"}]}]}`},
		{"single as JSON, compliant", update(Compliant, asJSON, Replace, single), patch + `{"op":"add","path":"roles","value":[{"primary":true,"type":"WindowsAzureActiveDirectoryRole","value":"Admin"}]}]}`},
		{"a constant as JSON stays a path", update(Legacy, asJSON, Replace, attribute(`roles[primary eq "True"].value`, "Admin")), patch + `{"op":"Replace","path":"roles[primary eq \"True\"].value","value":"Admin"}]}`},
		{"complex, legacy", update(Legacy, plain, Replace, whole(RolesComplex, admin, user)),
			patch + `{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"06b07648\",\"value\":\"admin\",\"displayName\":\"Admin\"}"},{"value":"{\"id\":\"06b07649\",\"value\":\"us\\\"er\",\"displayName\":\"User\"}"}]}]}`},
		{"complex, compliant, beside others", update(Compliant, plain, Add, attribute("displayName", "A"), whole(RolesComplex, admin), attribute("title", "T")),
			patch + `{"op":"add","path":"roles","value":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"Admin","value":"admin"}]},{"op":"add","value":{"displayName":"A","title":"T"}}]}`},
		{"assertive, legacy", update(Legacy, plain, Add, whole(RolesAssertive, admin)), patch + `{"op":"replace","path":"roles","value":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"Admin","value":"admin"}]}]}`},
		{"assertive, compliant", update(Compliant, plain, Add, whole(RolesAssertive, admin)), patch + `{"op":"replace","path":"roles","value":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"Admin","value":"admin"}]}]}`},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, c.got, c.want)
		}
		if !json.Valid([]byte(c.got)) {
			t.Errorf("%s is no JSON", c.name)
		}
	}
}

// TestRolesDiffer: what a target holds, in any of the forms in which it may have got it, against what it should hold.
func TestRolesDiffer(t *testing.T) {
	admin, user := Role{"1", "admin", "Admin"}, Role{"2", "user", "User"}
	const both = `[{"value":"admin","display":"Admin"},{"value":"user"}]`
	const asText = `[{"value":"{\"id\":\"1\",\"value\":\"admin\",\"displayName\":\"Admin\"}"}]`
	for _, c := range []struct {
		name, held, have string
		want             Roles
		present, equal   bool
		missing          int
	}{
		{"nothing there", `[]`, "", Roles{RolesComplex, []Role{admin}}, false, false, 1},
		{"one missing", `[{"value":"Admin"}]`, "Admin", Roles{RolesComplex, []Role{admin, user}}, true, false, 1},
		{"all there", both, "Admin, user", Roles{RolesComplex, []Role{admin, user}}, true, true, 0},
		{"more there, complex", both, "Admin, user", Roles{RolesComplex, []Role{user}}, true, true, 0},
		{"more there, assertive", both, "Admin, user", Roles{RolesAssertive, []Role{user}}, true, false, 0},
		{"all there, assertive", both, "Admin, user", Roles{RolesAssertive, []Role{user, admin}}, true, true, 0},
		{"kept as JSON text", asText, "Admin", Roles{RolesComplex, []Role{admin}}, true, true, 0},
		{"known by id", `[{"value":"{\"id\":\"1\"}"}]`, "", Roles{RolesComplex, []Role{admin}}, true, true, 0},
		{"known by name", `[{"displayName":"Admin"}]`, "Admin", Roles{RolesComplex, []Role{admin}}, true, true, 0},
		{"elements of nothing", `[{},{"primary":true}]`, "", Roles{RolesComplex, []Role{admin}}, false, false, 1},
	} {
		r, err := ParseResource(User, []byte(`{"id":"x","roles":`+c.held+`}`))
		if err != nil {
			t.Fatal(err)
		}
		a := Attribute{Path: "roles", Value: c.want}
		have, present, equal := Differs(r, a, false)
		part, ok := Missing(r, a, false)
		if have != c.have || present != c.present || equal != c.equal || ok != (c.missing > 0) || len(part.Value.(Roles).List) != c.missing {
			t.Errorf("%s: %q %v %v, missing %+v", c.name, have, present, equal, part.Value)
		}
	}
	r, err := ParseResource(User, []byte(`{"id":"x","roles":`+asText+`,"emails":[{"type":"other","value":"A"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, equal := Differs(r, Attribute{Path: `roles[primary eq "True"].value`, Value: "Admin", Role: &admin}, false); !equal {
		t.Error("a role that was sent as JSON text is sent again")
	}
	list := Attribute{Path: `emails[type eq "other"].value`, Value: []string{"a", "b"}}
	if part, ok := Missing(r, list, false); !ok || len(part.Value.([]string)) != 1 || part.Text() != "b" {
		t.Errorf("%+v", part)
	}
	if part, ok := Missing(r, list, true); !ok || part.Text() != "a, b" {
		t.Errorf("%+v", part)
	}
	if _, ok := Missing(r, attribute("displayName", "x"), false); !ok {
		t.Error("a single value that differs is not missing")
	}
}
