package mapping_test

import (
	"errors"
	"strings"
	"testing"

	"entrasim/directory"
	"entrasim/sim/expr"
	"entrasim/sim/mapping"
)

const (
	userAt  = "$.synchronizationRules[0].objectMappings[1]"
	groupAt = "$.synchronizationRules[0].objectMappings[0]"
)

// TestValidation: what a schema can't be, where, and what to do.
//
// Shows: S-116, S-251, S-252, W-097
func TestValidation(t *testing.T) {
	users := func(s *mapping.Schema) *mapping.ObjectMappingDocument { return s.ObjectMapping("User") }
	source := func(s *mapping.Schema, expression string) {
		users(s).AttributeMappings[2].Source = &mapping.Origin{Expression: expression}
	}
	target := func(s *mapping.Schema, name string) { users(s).AttributeMappings[2].TargetAttributeName = name }
	for _, c := range []struct {
		name          string
		change        func(s *mapping.Schema)
		path, message string
	}{
		{"no rule", func(s *mapping.Schema) { s.Rules = nil }, "$.synchronizationRules", "supply all of its parts"},
		{"no users", func(s *mapping.Schema) { s.Rules[0].ObjectMappings = s.Rules[0].ObjectMappings[:1] }, "$.synchronizationRules", "no mapping whose source object is User"},
		{"another source", func(s *mapping.Schema) { s.Rules[0].SourceDirectoryName = "Active Directory" }, "$.synchronizationRules[0].sourceDirectoryName", `write that name, or its former one, "Azure Active Directory"`},
		{"no target directory", func(s *mapping.Schema) { s.Rules[0].TargetDirectoryName = "elsewhere" }, "$.synchronizationRules[0].targetDirectoryName", `no directory "elsewhere"; add its definition`},
		{"no target object", func(s *mapping.Schema) { users(s).TargetObjectName = "Person" }, userAt + ".targetObjectName", `The directory customappsso has no object "Person"`},
		{"flow types", func(s *mapping.Schema) { users(s).FlowTypes = "Add, Change" }, userAt + ".flowTypes", `"Change" is no flow type; expected Add, Update and Delete`},
		{"no matching attribute", func(s *mapping.Schema) { users(s).AttributeMappings[0].MatchingPriority = 0 }, userAt + ".attributeMappings", "no matching attribute; mark one"},
		{"negative precedence", func(s *mapping.Schema) { users(s).AttributeMappings[2].MatchingPriority = -1 }, userAt + ".attributeMappings[2].matchingPriority", "expected 0 for none"},
		{"matching by a reference", func(s *mapping.Schema) { users(s).AttributeMappings[21].MatchingPriority = 2 }, userAt + ".attributeMappings[21].matchingPriority", "is a reference"},
		{"matching by nothing", func(s *mapping.Schema) {
			users(s).AttributeMappings[2].MatchingPriority, users(s).AttributeMappings[2].Source = 2, nil
		}, userAt + ".attributeMappings[2].matchingPriority", "there is no value to match by"},
		{"twice", func(s *mapping.Schema) { target(s, "title") }, userAt + ".attributeMappings[3].targetAttributeName", "The target attribute title is mapped twice, before at attributeMappings[2]; delete one"},
		{"unknown target", func(s *mapping.Schema) { target(s, "nickname") }, userAt + ".attributeMappings[2].targetAttributeName", "no attribute nickname; did you mean nickName? Add it to the attribute list first."},
		{"no target", func(s *mapping.Schema) { target(s, "") }, userAt + ".attributeMappings[2].targetAttributeName", "Choose the target attribute."},
		{"the anchor", func(s *mapping.Schema) { target(s, "id") }, userAt + ".attributeMappings[2].targetAttributeName", "id is the target's primary key and can't be mapped"},
		{"a password", func(s *mapping.Schema) { target(s, "password") }, userAt + ".attributeMappings[2].targetAttributeName", "Passwords can't be provisioned"},
		{"a photo", func(s *mapping.Schema) { target(s, `photos[type eq "photo"].value`) }, userAt + ".attributeMappings[2].targetAttributeName", "Photos can't be provisioned"},
		{"flow type", func(s *mapping.Schema) { users(s).AttributeMappings[2].FlowType = "Add" }, userAt + ".attributeMappings[2].flowType", `"Add" is no flow type; expected Always, ObjectAddOnly,`},
		{"flow behavior", func(s *mapping.Schema) { users(s).AttributeMappings[2].FlowBehavior = "Never" }, userAt + ".attributeMappings[2].flowBehavior", "expected FlowWhenChanged or FlowAlways"},
		{"default of a Boolean", func(s *mapping.Schema) { yes := "yes"; users(s).AttributeMappings[1].DefaultValue = &yes }, userAt + ".attributeMappings[1].defaultValue", `does not fit active: "yes" is no Boolean`},
		{"constant of a Boolean", func(s *mapping.Schema) { users(s).AttributeMappings[1].Source = mapping.ConstantOrigin("on") }, userAt + ".attributeMappings[1].source.expression", `does not fit active: "on" is no Boolean`},
		{"no expression", func(s *mapping.Schema) { source(s, " ") }, userAt + ".attributeMappings[2].source.expression", "neither expression nor name"},
		{"source type", func(s *mapping.Schema) { users(s).AttributeMappings[2].Source.Type = "Direct" }, userAt + ".attributeMappings[2].source.type", "expected Attribute, Constant or Function"},
		{"syntax", func(s *mapping.Schema) { source(s, `Join(" ", [givenName]`) }, userAt + ".attributeMappings[2].source.expression", "Syntax at position"},
		{"unknown function", func(s *mapping.Schema) { source(s, `Jion(" ", [givenName])`) }, userAt + ".attributeMappings[2].source.expression", "did you mean Join?"},
		{"argument count", func(s *mapping.Schema) { source(s, `Left([givenName])`) }, userAt + ".attributeMappings[2].source.expression", "ArgumentCount"},
		{"bad pattern", func(s *mapping.Schema) { source(s, `Replace([mail], , "(", , "x", , )`) }, userAt + ".attributeMappings[2].source.expression", "Regex"},
		{"too long", func(s *mapping.Schema) { source(s, `Append([mail], "`+strings.Repeat("x", 10_000)+`")`) }, userAt + ".attributeMappings[2].source.expression", "at most 10000"},
		{"unknown source", func(s *mapping.Schema) { source(s, `[givenNam]`) }, userAt + ".attributeMappings[2].source.expression", "no source attribute [givenNam]; did you mean [givenName]?"},
		{"unknown source in a call", func(s *mapping.Schema) { source(s, `ToUpper([surnam])`) }, userAt + ".attributeMappings[2].source.expression", "did you mean [surname]?"},
		{"userType", func(s *mapping.Schema) { source(s, `IIF([userType]="Guest", "x", "y")`) }, userAt + ".attributeMappings[2].source.expression", "userType can't be used as a source attribute"},
		{"samAccountName", func(s *mapping.Schema) { source(s, `[samAccountName]`) }, userAt + ".attributeMappings[2].source.expression", "Copy the value into a directory extension"},
		{"onPremisesSamAccountName", func(s *mapping.Schema) { source(s, `[onPremisesSamAccountName]`) }, userAt + ".attributeMappings[2].source.expression", "or add the attribute to the attribute list of the source"},
		{"the password", func(s *mapping.Schema) { source(s, `[passwordProfile.password]`) }, userAt + ".attributeMappings[2].source.expression", "passwords never leave the directory"},
		{"roles directly", func(s *mapping.Schema) { source(s, `[appRoleAssignments]`) }, userAt + ".attributeMappings[2].source.expression", "can't be mapped directly; use the expression SingleAppRoleAssignment"},
		{"unique values", func(s *mapping.Schema) { source(s, `SelectUniqueValue([mail], Append([mail], "1"))`) }, userAt + ".attributeMappings[2].source.expression", "SelectUniqueValue is not supported in SCIM applications"},
		{"a reference into text", func(s *mapping.Schema) { source(s, `[manager]`) }, userAt + ".attributeMappings[2].source.expression", "manager is a reference, the target attribute displayName is no reference"},
		{"an expression into a reference", func(s *mapping.Schema) {
			users(s).AttributeMappings[21].Source = &mapping.Origin{Expression: `ToLower([manager])`}
		}, userAt + ".attributeMappings[21].source.expression", "takes a direct mapping of manager or members"},
		{"owners", func(s *mapping.Schema) {
			s.ObjectMapping("Group").AttributeMappings[2].Source = mapping.AttributeOrigin("owners")
		}, groupAt + ".attributeMappings[2].source.expression", "The reference owners is not provisioned"},
		{"two anchors", func(s *mapping.Schema) { s.Directories[1].Objects[0].Attributes[3].Anchor = true }, "$.directories[1].objects[0].attributes[3].anchor", "one primary key, and attributes[0] is it already"},
		{"type of an attribute", func(s *mapping.Schema) { s.Directories[1].Objects[0].Attributes[3].Type = "Text" }, "$.directories[1].objects[0].attributes[3].type", "expected String, Boolean, Integer"},
		{"mutability", func(s *mapping.Schema) { s.Directories[1].Objects[0].Attributes[3].Mutability = "None" }, "$.directories[1].objects[0].attributes[3].mutability", "expected ReadWrite, ReadOnly"},
		{"an attribute twice", func(s *mapping.Schema) { s.Directories[1].Objects[0].Attributes[3].Name = "userName" }, "$.directories[1].objects[0].attributes[3].name", "an attribute userName already, at attributes[1]"},
		{"an attribute without name", func(s *mapping.Schema) { s.Directories[1].Objects[0].Attributes[3].Name = "" }, "$.directories[1].objects[0].attributes[3].name", "has no name"},
		{"a directory twice", func(s *mapping.Schema) { s.Directories[0].Name = s.Directories[1].Name }, "$.directories[1].name", "already, at $.directories[0]"},
		{"a read-only target", func(s *mapping.Schema) { s.Directories[1].Objects[0].Attributes[4].Mutability = mapping.ReadOnly }, userAt + ".attributeMappings[2].targetAttributeName", "displayName is read-only in the attribute list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mapping.Default()
			c.change(s)
			err := s.Validate()
			var p *mapping.Problem
			if !errors.As(err, &p) {
				t.Fatalf("%v is no problem", err)
			}
			found := false
			for _, p := range s.Problems() {
				found = found || p.Path == c.path && strings.Contains(p.Message, c.message)
			}
			if !found {
				t.Errorf("got %v\nwant %s: …%s", s.Problems(), c.path, c.message)
			}
			if directory.CodeOf(err) != directory.Invalid {
				t.Errorf("outer rooms see the code %q", directory.CodeOf(err))
			}
			// What Compile refuses is what Validate tells.
			if _, err := mapping.Compile(s); err == nil && c.name != "no users" {
				t.Error("it compiles nevertheless")
			}
		})
	}
	if err := mapping.Default().Validate(); err != nil {
		t.Error(err)
	}
}

// TestEveryProblem: all are told at once, in the order of the document, those of expressions with their place.
func TestEveryProblem(t *testing.T) {
	s := mapping.Default()
	s.ObjectMapping("Group").AttributeMappings[0].Source = &mapping.Origin{Expression: "[displayNam]"}
	user(s).AttributeMappings[2].Source = &mapping.Origin{Expression: `Join(" ", [givenName], [surnam])`}
	user(s).AttributeMappings[3].TargetAttributeName = "titel"
	var paths []string
	for _, p := range s.Problems() {
		paths = append(paths, strings.TrimPrefix(p.Path, "$.synchronizationRules[0].objectMappings"))
	}
	if got := strings.Join(paths, " "); got != "[0].attributeMappings[0].source.expression [1].attributeMappings[2].source.expression [1].attributeMappings[3].targetAttributeName" {
		t.Error(got)
	}
	var e *expr.Error
	if !errors.As(s.Problems()[1], &e) || e.Kind != expr.ErrUnknownName || e.Position != 24 {
		t.Errorf("%+v", e)
	}
}

// TestMinimalSchema: the shortest document that works, as somebody writes it by hand, with other spellings.
func TestMinimalSchema(t *testing.T) {
	s := parse(t, []byte(`{"synchronizationRules":[{"targetDirectoryName":"t","objectMappings":[{"sourceObjectName":"user","targetObjectName":"U",
		"attributeMappings":[{"targetAttributeName":"userName","matchingPriority":1,"flowType":"always","source":{"name":"mail"}},{"targetAttributeName":"on","source":{"expression":"\"true\""}},{"targetAttributeName":"tier","source":{"expression":"[assistantLevel]"}}]}]}],
		"directories":[{"name":"Azure Active Directory","objects":[{"name":"user","attributes":[{"name":"assistantLevel"}]}]},{"name":"t","objects":[{"name":"U","attributes":[{"name":"userName"},{"name":"on","type":"boolean"},{"name":"tier","type":"string"}]}]}]}`))
	set := compile(t, s)
	if set.Groups != nil || !set.Users.Create || !set.Users.Delete {
		t.Errorf("%+v", set.Users)
	}
	u := ann()
	u.Mail = "ann@contoso.example"
	o, err := set.Users.Map(mapping.UserSource(u, mapping.Computed{}), newEnv())
	if err != nil || o.Values[0].Value.Text() != "ann@contoso.example" || o.Values[1].Attr.Type != mapping.Boolean || o.Values[2].Present {
		t.Errorf("%+v %v", o, err)
	}
}

// TestForeignRules: rules in the other direction, nameless and disabled mappings are kept and not carried out.
func TestForeignRules(t *testing.T) {
	s := parse(t, fixture(t, "salesforce.json"))
	set := compile(t, s)
	if set.Groups != nil || len(set.Users.Attributes) != 14 || len(set.Users.Matching) != 1 || !set.UsesRoles() {
		t.Fatalf("%+v", set.Users)
	}
	u := ann()
	u.Mail, u.PreferredLanguage = "ann@contoso.example", "en-GB"
	o, err := set.Users.Map(mapping.UserSource(u, mapping.Computed{}), newEnv())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range o.Values {
		got[d.Attr.Target] = d.Value.Text()
	}
	// As the sample's mappings say; the profile is the default, since nobody gave Ann a role.
	for target, want := range map[string]string{"IsActive": "True", "Alias": "ann@cont", "EmailEncodingKey": "ISO-8859-1", "LocaleSidKey": "en_GB", "ProfileName": "Chatter Free User",
		"Username": "ann@contoso.example", "LastName": "Ace", "UserPermissionsOfflineUser": "False"} {
		if got[target] != want {
			t.Errorf("%s is %q, want %q", target, got[target], want)
		}
	}
	// The guide's own next step (synchronization-configure-with-custom-target-attributes.md): extensionAttribute10 to officeCode.
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "officeCode", Source: mapping.AttributeOrigin("extensionAttribute10")})
	if err := s.Remove("User", "officeCode"); err != nil {
		t.Error(err)
	}
	// A read-only rule is not edited.
	s.Rules[0].Editable = false
	if err := s.Remove("User", "FirstName"); err == nil || !strings.Contains(err.Error(), "$.synchronizationRules[0].editable: The rule USER_OUTBOUND_USER is not editable") {
		t.Error(err)
	}
}

// TestWhichMapping: of several for users the first that is enabled, in the rule with the lowest priority.
//
// Shows: F-045, S-085
func TestWhichMapping(t *testing.T) {
	s := mapping.Default()
	off, other := *user(s), *user(s)
	off.Enabled, off.Name, other.Name = false, "off", "other"
	s.Rules[0].ObjectMappings = append([]mapping.ObjectMappingDocument{off}, append(s.Rules[0].ObjectMappings, other)...)
	late := s.Rules[0]
	late.Priority, late.ID = 2, "late"
	late.ObjectMappings = []mapping.ObjectMappingDocument{other}
	s.Rules = append([]mapping.Rule{late}, s.Rules...)
	if got := compile(t, s).Users.Name; got != "Provision Microsoft Entra ID Users" {
		t.Error(got)
	}
	s.Rules = s.Rules[1:]
	s.Rules[0].ObjectMappings = s.Rules[0].ObjectMappings[:2] // none is enabled: the disabled one, so that it can be edited
	if m := compile(t, s).Users; m.Name != "off" || m.Enabled {
		t.Errorf("%+v", m)
	}
}

// TestVendorGuide: knowledge.catonetworks.com adds attributes to both lists of the document; then even the SAM account name
// flows, which is not offered otherwise.
func TestVendorGuide(t *testing.T) {
	set := compile(t, parse(t, fixture(t, "catonetworks.json")))
	u := ann()
	u.OnPremisesSamAccountName, u.OnPremisesDomainName, u.EmployeeType = "ANN", "corp.contoso.example", "Employee"
	src := mapping.UserSource(u, mapping.Computed{})
	o, err := set.Users.Map(src, newEnv())
	if err != nil {
		t.Fatal(err)
	}
	const urn = "urn:ietf:params:scim:schemas:extension:catonetworks:2.0:User:"
	got := map[string]string{}
	for _, d := range o.Values {
		got[d.Attr.Target] = d.Value.Text()
	}
	if got[urn+"sAMAccountName"] != "ANN" || got[urn+"onPremisesDomainName"] != "corp.contoso.example" || got[urn+"onPremisesSecurityIdentifier"] != "" {
		t.Error(got)
	}
	if pass, r := set.Users.Scope.Eval(src); !pass || r.JSON() != `{"Staff.employeeType EQUALS 'Employee'":true,"Staff.accountEnabled IS TRUE":true}` {
		t.Error(r.JSON())
	}
	if set.Groups == nil || set.Groups.Enabled {
		t.Error("the disabled mapping of groups is lost")
	}
}

// TestWarnings of mappings.
func TestWarnings(t *testing.T) {
	s := mapping.Default()
	if w := s.Warnings(); len(w) != 0 {
		t.Fatalf("the default schema warns: %v", w)
	}
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "nickName", Source: origin(t, `Switch([manager], "x", "a", "b")`)})
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "title", Source: origin(t, `AppRoleAssignmentsComplex([appRoleAssignments])`)})
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "active", Source: origin(t, `Switch([IsSoftDeleted], , "false", "true", "true", "false")`)})
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "displayName", Source: origin(t, `Trim([DisplayName])`)})
	define(t, s, mapping.AttributeDefinition{Name: "region", Required: true})
	var texts []string
	for _, w := range s.Warnings() {
		texts = append(texts, w.Path+": "+w.Message)
	}
	all := strings.Join(texts, "\n")
	for _, want := range []string{"reference attribute", "JSON is sent. Add the multi-valued attribute roles", "region is required and nothing is mapped to it",
		`The key "false" is never met: a Boolean is compared as True or False, with case.`,
		"The attribute [DisplayName] is spelt [displayName]; Entra ID has refused other spellings with SchemaInvalid."} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
}

// FuzzParse: any document is refused with a problem that has a place, or comes back stable; validation and mapping end.
func FuzzParse(f *testing.F) {
	for _, c := range published {
		f.Add(fixture(f, c.file))
	}
	f.Add(mapping.Starter().JSON())
	for _, o := range origins {
		f.Add(around(o))
	}
	f.Add([]byte(`{"a":`))
	f.Add([]byte("\xff\xfe{\x00}\x00"))
	f.Add([]byte(`{"":1,"id":"\ud800","directories":[{"objects":[{"attributes":[{"name":"x"},{"name":"x"}]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := mapping.Parse(data)
		if err != nil {
			var p *mapping.Problem
			if !errors.As(err, &p) || !strings.HasPrefix(p.Path, "$") || p.Message == "" {
				t.Fatalf("%v has no place", err)
			}
			return
		}
		once := s.JSON()
		again, err := mapping.Parse(once)
		if err != nil {
			t.Fatalf("the export can't be imported: %v", err)
		}
		if twice := again.JSON(); string(twice) != string(once) {
			t.Fatalf("not stable:\n%s", firstDifference(string(twice), string(once)))
		}
		if (s.Validate() == nil) != (again.Validate() == nil) {
			t.Fatal("the export is valid otherwise than the document")
		}
		set, err := mapping.Compile(s)
		if err != nil || set.Users == nil {
			return
		}
		src := mapping.UserSource(ann(), mapping.Computed{})
		if _, err := set.Users.Map(src, newEnv()); err != nil {
			var failure *mapping.Failure
			if !errors.As(err, &failure) || failure.Target == "" {
				t.Fatalf("%v names no attribute", err)
			}
		}
		if set.Users.Scope != nil {
			set.Users.Scope.Eval(src)
		}
	})
}
