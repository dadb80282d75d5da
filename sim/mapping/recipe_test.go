package mapping_test

import (
	"strings"
	"testing"

	"entrasim/sim/expr"
	"entrasim/sim/mapping"
)

// TestVendorRecipes: what guides tell people to do to the default mappings works as they say: the rows that remain, in
// whatever order, and what they give for Ann, who has the app role Admin.
func TestVendorRecipes(t *testing.T) {
	const skill = "extension_d7a076d91c104133b712ad6caf3819c9_SkillSet"
	for _, c := range []struct {
		name, source string
		roles        bool     // the attribute roles is added to the list, multi-valued
		rows         []string // target <- source, "1" in front of the matching one
		want         map[string]string
	}{
		{"ConfigCat", "configcat.com/docs/advanced/team-management/scim/identity-providers/entra-id", false, []string{
			"1userName <- [userPrincipalName]", "externalId <- [objectId]", "displayName <- [displayName]", `active <- Switch([IsSoftDeleted], , "False", "True", "True", "False")`},
			map[string]string{"userName": "ann@contoso.example", "externalId": ann().ID, "active": "True"}},
		{"Datadog", "docs.datadoghq.com/account_management/scim/entra", true, []string{
			"1userName <- [userPrincipalName]", "active <- Not([IsSoftDeleted])", "title <- [jobTitle]", `emails[type eq "work"].value <- [mail]`, "name.formatted <- [displayName]",
			"roles <- AppRoleAssignmentsComplex([appRoleAssignments])"},
			map[string]string{"active": "True", "name.formatted": "Ann Ace", "roles": `{"id":"1","value":"admin","displayName":"Admin"}`}},
		{"Ricoh", "na.accounts.ricoh.com/help/en/operation_guide_admin/int/a0040.htm", false, []string{
			"1externalId <- [objectId]", "userName <- [originalUserPrincipalName]", `emails[type eq "work"].value <- [mail]`, `active <- Switch([IsSoftDeleted], , "False", "True", "True", "False")`},
			map[string]string{"externalId": ann().ID, "userName": "ann@contoso.example"}},
		{"Sumo Logic", "sumologic-documentation: docs/manage/security/scim/provision-with-microsoft-entra-id.md", true, []string{
			"1userName <- [userPrincipalName]", `active <- Switch([IsSoftDeleted], , "False", "True", "True", "False")`, `emails[type eq "work"].value <- [mail]`, "name.givenName <- [givenName]",
			"name.familyName <- [surname]", "roles <- AppRoleAssignmentsComplex([appRoleAssignments])"},
			map[string]string{"name.givenName": "Ann", "name.familyName": "Ace"}},
		{"a set-up script", "a published PowerShell script that PUTs the schema for advisors and rooms", false, []string{
			`active <- Switch([IsSoftDeleted], , "False", "True", "True", "False")`, "1userName <- [userPrincipalName]", "displayName <- [displayName]", "name.givenName <- [givenName]",
			"name.familyName <- [surname]", `addresses[type eq "work"].formatted <- [physicalDeliveryOfficeName]`, "externalId <- [objectId]"},
			map[string]string{`addresses[type eq "work"].formatted`: "18/2111"}},
		{"a directory extension", "customize-application-attributes.md; a blog's walk with the extension SkillSet", false, []string{
			"1userName <- [userPrincipalName]", "nickName <- [" + skill + "]"},
			map[string]string{"nickName": "Welding"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mapping.Default()
			if c.roles {
				define(t, s, mapping.AttributeDefinition{Name: "roles", Type: mapping.String, Multivalued: true})
			}
			keep := map[string]bool{}
			for _, row := range c.rows {
				row, first := strings.CutPrefix(row, "1")
				target, source, _ := strings.Cut(row, " <- ")
				keep[target] = true
				am := mapping.AttributeMapping{TargetAttributeName: target, Source: origin(t, source)}
				if first {
					am.MatchingPriority = 1
				}
				put(t, s, am)
			}
			for _, am := range user(s).AttributeMappings { // userName may have been pushed to the second place
				if keep[am.TargetAttributeName] && am.MatchingPriority > 1 {
					am.MatchingPriority = 0
					put(t, s, am)
				}
			}
			for _, am := range append([]mapping.AttributeMapping(nil), user(s).AttributeMappings...) {
				if !keep[am.TargetAttributeName] {
					if err := s.Remove("User", am.TargetAttributeName); err != nil {
						t.Fatalf("%s: %v", c.source, err)
					}
				}
			}
			if n := len(user(s).AttributeMappings); n != len(c.rows) {
				t.Fatalf("%d rows remain", n)
			}
			u := ann()
			u.OfficeLocation, u.Extensions = "18/2111", map[string]any{skill: "Welding"}
			o, err := compile(t, s).Users.Map(mapping.UserSource(u, mapping.Computed{Roles: []expr.Role{{ID: "1", Value: "admin", DisplayName: "Admin"}}}), newEnv())
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range o.Values {
				if want, ok := c.want[d.Attr.Target]; ok && d.Value.Text() != want {
					t.Errorf("%s is %q, want %q", d.Attr.Target, d.Value.Text(), want)
				}
			}
		})
	}
}
