package mapping_test

import (
	"strings"
	"testing"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// pairs lists the mappings of a kind, one a line: target, source, precedence.
func pairs(s *mapping.Schema, kind string) string {
	var lines []string
	for _, am := range s.ObjectMapping(kind).AttributeMappings {
		line := am.TargetAttributeName + " <- " + am.Source.Expression
		if am.MatchingPriority > 0 {
			line += " 1"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// TestDefault: the mappings of a new non-gallery application as vendors print them unedited, in the portal's order.
//
// Shows: S-191
func TestDefault(t *testing.T) {
	s := mapping.Default()
	if got, want := pairs(s, "User"), `userName <- [userPrincipalName] 1
active <- Switch([IsSoftDeleted], , "False", "True", "True", "False")
displayName <- [displayName]
title <- [jobTitle]
emails[type eq "work"].value <- [mail]
preferredLanguage <- [preferredLanguage]
name.givenName <- [givenName]
name.familyName <- [surname]
name.formatted <- Join(" ", [givenName], [surname])
addresses[type eq "work"].formatted <- [physicalDeliveryOfficeName]
addresses[type eq "work"].streetAddress <- [streetAddress]
addresses[type eq "work"].locality <- [city]
addresses[type eq "work"].region <- [state]
addresses[type eq "work"].postalCode <- [postalCode]
addresses[type eq "work"].country <- [country]
phoneNumbers[type eq "work"].value <- [telephoneNumber]
phoneNumbers[type eq "mobile"].value <- [mobile]
phoneNumbers[type eq "fax"].value <- [facsimileTelephoneNumber]
externalId <- [mailNickname]
urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber <- [employeeId]
urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department <- [department]
urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager <- [manager]`; got != want {
		t.Errorf("users:\n%s", got)
	}
	if got, want := pairs(s, "Group"), "displayName <- [displayName] 1\nexternalId <- [objectId]\nmembers <- [members]"; got != want {
		t.Errorf("groups:\n%s", got)
	}
	if s.Rules[0].ObjectMappings[0].SourceObjectName != "Group" || s.Rules[0].ID != "03f7d90d-bf71-41b1-bda6-aaf0ddbee5d8" {
		t.Error("the rule is another")
	}
	for _, kind := range []string{"User", "Group"} {
		for _, am := range s.ObjectMapping(kind).AttributeMappings {
			if am.FlowType != mapping.Always || am.FlowBehavior != mapping.FlowWhenChanged || am.DefaultValue != nil || am.ExportMissingReferences {
				t.Errorf("%s: %+v", am.TargetAttributeName, am)
			}
		}
	}
	if got, want := pairs(mapping.Starter(), "User"), `userName <- [userPrincipalName] 1
active <- Switch([IsSoftDeleted], , "False", "True", "True", "False")
displayName <- [displayName]
externalId <- [objectId]`; got != want {
		t.Errorf("starter:\n%s", got)
	}
	// The tree that Graph shows of the Switch has one key for its keys and values.
	if text := string(s.JSON()); !strings.Contains(text, `"name":"Switch","type":"Function","parameters":[{"key":"source","value":{"expression":"[IsSoftDeleted]","name":"IsSoftDeleted","type":"Attribute","parameters":[]}},{"key":"switchValue","value":{"expression":"\"False\"","name":"False","type":"Constant","parameters":[]}},{"key":"switchValue"`) {
		t.Error("the tree of active is another")
	}
}

// TestDefaultLists: what the two attribute lists offer.
func TestDefaultLists(t *testing.T) {
	s := mapping.Default()
	kinds := map[string]string{}
	for _, d := range s.AttributeList("User", mapping.TargetSide) {
		kinds[d.Name] = string(d.Type)
		switch {
		case d.Anchor != (d.Name == "id"), d.Anchor && (d.Mutability != mapping.ReadOnly || !d.Required), d.CaseExact != (d.Name == "externalId"):
			t.Errorf("%+v", d)
		}
	}
	for _, name := range []string{"name.honorificPrefix", "nickName", "userType", "locale", "timezone", `emails[type eq "home"].value`, `addresses[type eq "other"].country`, `addresses[type eq "home"].formatted`,
		`phoneNumbers[type eq "pager"].value`, `roles[primary eq "True"].display`, `roles[primary eq "True"].type`, `roles[primary eq "True"].value`, mapping.UserURN + ":costCenter", mapping.UserURN + ":division"} {
		if kinds[name] != "String" {
			t.Errorf("%s is %q", name, kinds[name])
		}
	}
	if kinds["active"] != "Boolean" || kinds[mapping.UserURN+":manager"] != "Reference" {
		t.Error(kinds)
	}
	source := map[string]mapping.AttributeDefinition{}
	for _, d := range s.AttributeList("User", mapping.SourceSide) {
		source[d.Name] = d
	}
	for _, name := range []string{"IsSoftDeleted", "accountEnabled", "displayName", "preferredLanguage", "surname", "userPrincipalName", "objectId"} {
		if !source[name].Required {
			t.Errorf("%s is not required", name)
		}
	}
	if !source["objectId"].Anchor || source["manager"].Type != mapping.Reference || !source["proxyAddresses"].Multivalued || source["employeeHireDate"].Type != mapping.DateTime || source["userType"].Name != "" {
		t.Error("source attributes have other types")
	}
}

// TestMapDefault: the default mappings of a guest who left scope.
func TestMapDefault(t *testing.T) {
	m := compile(t, mapping.Default()).Users
	u := &directory.User{AccountEnabled: true, UserPrincipalName: "ann_fabrikam.test#EXT#@contoso.example", UserType: directory.Guest, GivenName: "Ann", BusinessPhones: []string{"1"}}
	o, err := m.Map(mapping.UserSource(u, mapping.Computed{SoftDeleted: true}), newEnv())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range o.Values {
		if d.Present {
			got[d.Attr.Target] = d.Value.Text()
		}
	}
	want := map[string]string{"userName": "ann@fabrikam.test", "active": "False", "name.givenName": "Ann", "name.formatted": "Ann", `phoneNumbers[type eq "work"].value`: "1"}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %q, want %q", k, got[k], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("a null flowed: %v", got)
	}
	if len(m.References) != 1 || m.References[0] != (mapping.ReferenceMapping{Target: mapping.UserURN + ":manager", Source: "manager", FlowType: mapping.Always}) {
		t.Error(m.References)
	}
}
