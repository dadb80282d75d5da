package scim

import (
	"encoding/json"
	"testing"
)

const patchHead = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`

// TestCustomAppSSO holds the literal requests of a job from before December 2018, or of its template
// (application-provisioning-config-problem-scim-compatibility.md; use-scim-to-provision-users-and-groups.md, "Create
// Group" and "Example 5", which still print that form). Every text stands in a list beside an empty reference, as requests
// of 2018 have it: https://github.com/wso2/product-is/issues/21738, https://stackoverflow.com/questions/48438665.
func TestCustomAppSSO(t *testing.T) {
	const d = CustomAppSSO
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	opt := DefaultOptions()
	ep := Endpoint{Base: "https://host.example/scim", Dialect: d}
	manager := func(op Op, id, old string) string {
		body, send := ManagerPatch(ep, opt, op, id, old)
		if !send {
			return "nothing"
		}
		return string(body)
	}
	patch := func(changes ...Change) string { return string(PatchBody(User, d, opt, changes)) }
	members := func(add, remove []string) string {
		var all string
		for _, b := range MemberPatches(d, opt, add, remove) {
			all += string(b)
		}
		return all
	}
	for _, c := range []struct{ name, got, want string }{
		{"user created", string(CreateBody(User, d, opt, []Attribute{attribute("userName", "ann"), {Path: "active", Type: Boolean, Value: "True"}, attribute(enterprise+":department", "Flight")})),
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + enterprise + `"],"userName":"ann","active":true,"meta":{"resourceType":"User"},"` + enterprise + `":{"department":"Flight"}}`},
		{"group created", string(CreateBody(Group, d, opt, []Attribute{attribute("displayName", "Ops"), attribute("externalId", "1")})),
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],"externalId":"1","displayName":"Ops","meta":{"resourceType":"Group"}}`},
		{"disabled", patch(Change{Replace, Attribute{Path: "active", Type: Boolean, Value: "False"}}), patchHead + `{"op":"Replace","path":"active","value":"False"}]}`},
		{"several", patch(Change{Replace, attribute("displayName", "Ann A")}, Change{Add, attribute("nickName", "Babs")}), patchHead + `{"op":"Replace","path":"displayName","value":[{"$ref":null,"value":"Ann A"}]},{"op":"Add","path":"nickName","value":[{"$ref":null,"value":"Babs"}]}]}`},
		{"several values", patch(Change{Add, Attribute{Path: `emails[type eq "other"].value`, Value: []string{"a", "b"}}}), patchHead + `{"op":"Add","path":"emails[type eq \"other\"].value","value":[{"$ref":null,"value":"a"},{"$ref":null,"value":"b"}]}]}`},
		{"number", patch(Change{Add, Attribute{Path: enterprise + ":employeeNumber", Type: Integer, Value: "7"}}), patchHead + `{"op":"Add","path":"` + enterprise + `.employeeNumber","value":[{"$ref":null,"value":"7"}]}]}`},
		{"extension", patch(Change{Add, attribute(enterprise+":department", "Flight")}), patchHead + `{"op":"Add","path":"` + enterprise + `.department","value":[{"$ref":null,"value":"Flight"}]}]}`},
		{"filter in an extension", patch(Change{Add, attribute(`urn:contoso:2.0:User:badges[type eq "a:b"].value`, "7")}), patchHead + `{"op":"Add","path":"urn:contoso:2.0:User.badges[type eq \"a:b\"].value","value":[{"$ref":null,"value":"7"}]}]}`},
		{"core name in full", patch(Change{Add, attribute("urn:ietf:params:scim:schemas:core:2.0:User:title", "Pilot")}), patchHead + `{"op":"Add","path":"urn:ietf:params:scim:schemas:core:2.0:User:title","value":[{"$ref":null,"value":"Pilot"}]}]}`},
		{"manager set", manager(Add, "9/8", ""), patchHead + `{"op":"Add","path":"manager","value":[{"$ref":"https://host.example/scim/Users/9%2F8","value":"9/8"}]}]}`},
		{"manager replaced", manager(Replace, "9", "7"), patchHead + `{"op":"Replace","path":"manager","value":[{"$ref":"https://host.example/scim/Users/9","value":"9"}]}]}`},
		{"manager cleared", manager(Remove, "", "9"), patchHead + `{"op":"Remove","path":"manager","value":[{"value":"9"}]}]}`},
		{"manager cleared, none returned", manager(Remove, "", ""), "nothing"},
		{"members", members([]string{"a", "b"}, []string{"c"}), patchHead + `{"op":"Add","path":"members","value":[{"$ref":null,"value":"a"},{"$ref":null,"value":"b"}]}]}` +
			patchHead + `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"c"}]}]}`},
		{"group renamed", string(PatchBody(Group, d, opt, []Change{{Replace, attribute("displayName", "Ops 2")}})), patchHead + `{"op":"Replace","path":"displayName","value":[{"$ref":null,"value":"Ops 2"}]}]}`},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, c.got, c.want)
		}
	}
}

// TestManagerForms: the switch changes the value's form and not its path.
func TestManagerForms(t *testing.T) {
	const path = `"path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":`
	for _, c := range []struct{ form, removal, set, cleared string }{
		{"string", "remove", `{"op":"Add",` + path + `"9"}`, `{"op":"Remove",` + path + `[{"value":"7"}]}`},
		{"object", "emptyString", `{"op":"Add",` + path + `{"value":"9"}}`, `{"op":"Replace",` + path + `""}`},
		{"array", "none", `{"op":"Add",` + path + `[{"$ref":"https://host.example/Users/9","value":"9"}]}`, ""},
	} {
		opt := DefaultOptions()
		opt.ManagerForm, opt.ManagerRemoval = c.form, c.removal
		ep := Endpoint{Base: "https://host.example"}
		if body, _ := ManagerPatch(ep, opt, Add, "9", ""); string(body) != patchHead+c.set+"]}" {
			t.Errorf("%s: %s", c.form, body)
		}
		body, send := ManagerPatch(ep, opt, Remove, "", "7")
		if send != (c.cleared != "") || send && string(body) != patchHead+c.cleared+"]}" {
			t.Errorf("%s: %v %s", c.removal, send, body)
		}
	}
}

// TestNulls: with postNulls an attribute without a value is written as null, at the level that has none; nullFlow takes a
// value away, by a Remove or by an empty text.
func TestNulls(t *testing.T) {
	null := func(path string) Attribute { return Attribute{Path: path} }
	opt := DefaultOptions()
	const head = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ann",`
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	for _, c := range []struct {
		attrs []Attribute
		want  string
	}{
		{[]Attribute{null("title")}, `"meta":{"resourceType":"User"},"title":null}`},
		{[]Attribute{null("active")}, `"active":null,"meta":{"resourceType":"User"}}`},
		{[]Attribute{null(`addresses[type eq "work"].formatted`), null(`addresses[type eq "work"].locality`)}, `"addresses":null,"meta":{"resourceType":"User"}}`},
		{[]Attribute{null(`addresses[type eq "work"].formatted`), attribute(`addresses[type eq "work"].locality`, "Oslo")}, `"addresses":[{"primary":false,"type":"work","formatted":null,"locality":"Oslo"}],"meta":{"resourceType":"User"}}`},
		{[]Attribute{attribute(`phoneNumbers[type eq "work"].value`, "1"), null(`phoneNumbers[type eq "mobile"].value`)}, `"meta":{"resourceType":"User"},"phoneNumbers":[{"primary":true,"type":"work","value":"1"}]}`},
		{[]Attribute{null("name.familyName"), null("name.givenName")}, `"meta":{"resourceType":"User"},"name":null}`},
		{[]Attribute{null("name.familyName"), attribute("name.givenName", "Ann")}, `"meta":{"resourceType":"User"},"name":{"familyName":null,"givenName":"Ann"}}`},
		{[]Attribute{null(enterprise + ":department")}, `"meta":{"resourceType":"User"},"` + enterprise + `":{"department":null}}`},
	} {
		got := string(CreateBody(User, Legacy, opt, append([]Attribute{attribute("userName", "ann")}, c.attrs...)))
		if got != head+c.want || !json.Valid([]byte(got)) {
			t.Errorf(" got %s\nwant %s", got, head+c.want)
		}
	}
	gone := []Change{{Remove, null("title")}, {Replace, attribute("displayName", "Ann")}, {Remove, null(`emails[type eq "work"].value`)}, {Replace, attribute("nickName", "")}, {Remove, null("locale")}}
	if got, want := string(PatchBody(User, Legacy, opt, gone)), patchHead+`{"op":"Remove","path":"title"},{"op":"Replace","path":"displayName","value":"Ann"},{"op":"Remove","path":"emails[type eq \"work\"].value"},{"op":"Replace","path":"nickName","value":""},{"op":"Remove","path":"locale"}]}`; got != want {
		t.Errorf("legacy:\n got %s\nwant %s", got, want)
	}
	if got, want := string(PatchBody(User, Compliant, opt, gone)), patchHead+`{"op":"remove","path":"emails[type eq \"work\"].value"},{"op":"remove","path":"title"},{"op":"remove","path":"locale"},{"op":"replace","value":{"displayName":"Ann","nickName":""}}]}`; got != want {
		t.Errorf("compliant:\n got %s\nwant %s", got, want)
	}
}
