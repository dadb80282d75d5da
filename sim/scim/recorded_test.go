package scim

import (
	"strings"
	"testing"
)

// TestRecordings holds requests of the service as other people's servers received and printed them, with names of our own:
// the page that prints each one stands beside it. What is compared is what was printed, byte for byte.
//
// Shows: W-089, W-115, W-118, W-143
func TestRecordings(t *testing.T) {
	const (
		enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
		custom     = "urn:ietf:params:scim:schemas:extension:contoso:2.0:User"
		userHead   = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + enterprise + `"],`
	)
	opt := DefaultOptions()
	ep := Endpoint{Base: "https://host.example/scim"}
	refNull := opt
	refNull.MemberRefNull = true
	patch := func(rt ResourceType, d Dialect, changes ...Change) string {
		return string(PatchBody(rt, d, opt, changes))
	}
	add := func(path, value string) Change { return Change{Add, attribute(path, value)} }
	replace := func(path, value string) Change { return Change{Replace, attribute(path, value)} }
	truth := func(op Op, value string) Change {
		return Change{op, Attribute{Path: "active", Type: Boolean, Value: value}}
	}
	members := func(opt Options, add, remove []string) string {
		return string(MemberPatches(Legacy, opt, add, remove)[0])
	}
	match := func(rt ResourceType, path, value string) string {
		_, target, _ := strings.Cut(MatchURL(ep, opt, rt, attribute(path, value)), "/scim")
		return target
	}
	manager, _ := ManagerPatch(ep, opt, Add, "271", "")
	for _, c := range []struct{ source, got, want string }{
		{"https://github.com/Azure/AzureAD-BYOA-Provisioning-Samples/issues/22 (2019)",
			patch(User, Legacy, replace("displayName", "Ann Ace")), patchHead + `{"op":"Replace","path":"displayName","value":"Ann Ace"}]}`},
		{"https://github.com/Azure/AzureAD-BYOA-Provisioning-Samples/issues/24 (2019)",
			members(refNull, []string{"636823803314257913"}, nil), patchHead + `{"op":"Add","path":"members","value":[{"$ref":null,"value":"636823803314257913"}]}]}`},
		{"https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/167 (2021)",
			members(opt, nil, []string{"2392066"}), patchHead + `{"op":"Remove","path":"members","value":[{"value":"2392066"}]}]}`},
		{"https://github.com/thomaspoignant/scim-patch/issues/959 (2025)",
			members(opt, nil, []string{"user-joe"}), patchHead + `{"op":"Remove","path":"members","value":[{"value":"user-joe"}]}]}`},
		{"https://learn.microsoft.com/en-us/answers/a/637791 (2021)",
			string(CreateBody(Group, Legacy, opt, []Attribute{attribute("displayName", "Org Admin"), attribute("externalId", "0899060")})),
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"externalId":"0899060","displayName":"Org Admin","members":[],"meta":{"resourceType":"Group"}}`},
		{"https://github.com/limosa-io/laravel-scim-server/issues/34 (2022)",
			patch(User, Legacy, replace(`emails[type eq "work"].value`, "ann@contoso.example"), replace(`addresses[type eq "work"].formatted`, "18/2111"), add(enterprise+":department", "Retail")),
			patchHead + `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"ann@contoso.example"},{"op":"Replace","path":"addresses[type eq \"work\"].formatted","value":"18/2111"},{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Retail"}]}`},
		{"https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/516 (2023)",
			patch(User, Legacy, Change{Add, Attribute{Path: "roles", Value: Roles{List: []Role{{"827f", "Docs-Admin", "Docs Admin"}, {"8ae0", "Admin", "Admin"}}}}}),
			patchHead + `{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"827f\",\"value\":\"Docs-Admin\",\"displayName\":\"Docs Admin\"}"},{"value":"{\"id\":\"8ae0\",\"value\":\"Admin\",\"displayName\":\"Admin\"}"}]}]}`},
		{"https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/686 (2023)",
			string(manager), patchHead + `{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"271"}]}`},
		{"https://github.com/pond/scimitar/issues/123 (2024)",
			patch(User, Compliant, add("displayName", "Foo Bar"), add("title", "Bar Foo"), add("name.givenName", "Foo"), add("name.familyName", "Bar"), add("name.formatted", "Foo Bar")),
			patchHead + `{"op":"add","value":{"displayName":"Foo Bar","title":"Bar Foo","name.givenName":"Foo","name.familyName":"Bar","name.formatted":"Foo Bar"}}]}`},
		{"https://learn.microsoft.com/en-us/answers/questions/1684621 (2024), POST",
			string(CreateBody(User, Legacy, opt, []Attribute{attribute("userName", "joe@contoso.example"), {Path: "active", Type: Boolean, Value: "True"}, attribute("title", "scim tester"), attribute(`emails[type eq "work"].value`, "joe@joe.example"),
				attribute("name.givenName", "joe"), attribute("name.familyName", "Test"), attribute(custom+":employeeNumber", "99887766"), attribute(custom+":worksiteId", "180")})),
			userHead + `"userName":"joe@contoso.example","active":true,"emails":[{"primary":true,"type":"work","value":"joe@joe.example"}],"meta":{"resourceType":"User"},"name":{"familyName":"Test","givenName":"joe"},"title":"scim tester","` + custom + `":{"employeeNumber":"99887766","worksiteId":"180"}}`},
		{"https://learn.microsoft.com/en-us/answers/questions/1684621 (2024), PATCH",
			patch(User, Legacy, replace("title", "tester"), add(`emails[type eq "work"].value`, "joe@joe.example")),
			patchHead + `{"op":"Replace","path":"title","value":"tester"},{"op":"Add","path":"emails[type eq \"work\"].value","value":"joe@joe.example"}]}`},
		{"https://github.com/ssoready/ssoready/issues/155 (2024)",
			patch(User, Legacy, truth(Replace, "False")), patchHead + `{"op":"Replace","path":"active","value":"False"}]}`},
		{"https://github.com/rancher/rancher/issues/54025 (2026)",
			patch(User, Legacy, truth(Add, "False")), patchHead + `{"op":"Add","path":"active","value":"False"}]}`},
		{"https://github.com/rancher/rancher/pull/55776 (2026)",
			patch(Group, Legacy, add("externalId", "8aa1a0c0")), patchHead + `{"op":"Add","path":"externalId","value":"8aa1a0c0"}]}`},
		{"https://github.com/Metatavu/keycloak-scim-server/issues/35 (2025)",
			patch(User, Legacy, add(`emails[type eq "work"].value`, "ann@contoso.example")), patchHead + `{"op":"Add","path":"emails[type eq \"work\"].value","value":"ann@contoso.example"}]}`},
		{"https://github.com/MicrosoftDocs/azure-docs/issues/94189 (2022)",
			match(User, "userName", "7d420df3-9995-4831-a406-ecf8166f5f6a"), "/Users?filter=userName+eq+%227d420df3-9995-4831-a406-ecf8166f5f6a%22"},
		{"https://github.com/audriga/scim-server-php/issues/1 (2022)",
			match(Group, "displayName", "EDU All personal"), "/Groups?excludedAttributes=members&filter=displayName+eq+%22EDU+All+personal%22"},
		// Elements of an extension's list have no primary of their own: this target would have refused it.
		{"https://github.com/pranems/SCIMServer/blob/d6e9a497315739b62ea11d2194a919944c376c31/docs/evidence/scim-fresh-20260925/incident.json (2026), POST",
			string(CreateBody(User, Compliant, opt, []Attribute{attribute("userName", "ann"), attribute(custom+":primaryOrganization.location", "x"), attribute(custom+`:additionalOrganizations[type eq "school"].symbol`, "x"),
				attribute(custom+`:additionalOrganizations[type eq "work"].symbol`, "x"), attribute(custom+`:contacts[primary eq true].value`, "x")})),
			userHead + `"userName":"ann","meta":{"resourceType":"User"},"` + custom + `":{"additionalOrganizations":[{"type":"school","symbol":"x"},{"type":"work","symbol":"x"}],"contacts":[{"primary":true,"value":"x"}],"primaryOrganization":{"location":"x"}}}`},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.source, c.got, c.want)
		}
	}
}
