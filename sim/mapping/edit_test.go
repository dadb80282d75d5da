package mapping_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"entrasim/sim/mapping"
)

const extension = "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:"

// edit runs an edit on a schema and checks its error: field and message, "" for none. A refused edit changes nothing, one
// that is taken leaves a valid schema.
func edit(t *testing.T, s *mapping.Schema, f func(s *mapping.Schema) error, field, message string) {
	t.Helper()
	before := string(s.JSON())
	err := f(s)
	if message == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		} else if err := s.Validate(); err != nil {
			t.Errorf("left an invalid schema: %v", err)
		}
		return
	}
	var p *mapping.Problem
	switch {
	case !errors.As(err, &p) || p.Field != field || !strings.Contains(p.Message, message):
		t.Errorf("got %+v, want %s: …%s", p, field, message)
	case string(s.JSON()) != before:
		t.Error("a refused edit changed the schema")
	}
}

func TestPutAndRemove(t *testing.T) {
	for _, c := range []struct {
		name, replaces string
		am             mapping.AttributeMapping
		field, message string
	}{
		{"new", "", mapping.AttributeMapping{TargetAttributeName: "nickName", Source: mapping.AttributeOrigin("givenName")}, "", ""},
		{"another target for the same row", "title", mapping.AttributeMapping{TargetAttributeName: "nickName", Source: mapping.AttributeOrigin("givenName")}, "", ""},
		{"twice", "", mapping.AttributeMapping{TargetAttributeName: "title", Source: mapping.AttributeOrigin("givenName")}, "target", "mapped already; edit that mapping"},
		{"onto another", "title", mapping.AttributeMapping{TargetAttributeName: "displayName", Source: mapping.AttributeOrigin("givenName")}, "target", "mapped already"},
		{"one that is gone", "nickName", mapping.AttributeMapping{TargetAttributeName: "nickName", Source: mapping.AttributeOrigin("givenName")}, "target", "not mapped any more"},
		{"unknown target", "", mapping.AttributeMapping{TargetAttributeName: "nick", Source: mapping.AttributeOrigin("givenName")}, "target", "no attribute nick"},
		{"the id", "", mapping.AttributeMapping{TargetAttributeName: "id", Source: mapping.AttributeOrigin("objectId")}, "target", "primary key"},
		{"unknown source", "", mapping.AttributeMapping{TargetAttributeName: "nickName", Source: mapping.AttributeOrigin("givenNam")}, "source", "did you mean [givenName]"},
		{"unknown source in a call", "", mapping.AttributeMapping{TargetAttributeName: "nickName", Source: &mapping.Origin{Expression: "ToLower([givenNam])"}}, "expression", "did you mean [givenName]"},
		{"reference into text", "", mapping.AttributeMapping{TargetAttributeName: "nickName", Source: mapping.AttributeOrigin("manager")}, "source", "reference"},
		{"no matching left", "userName", mapping.AttributeMapping{TargetAttributeName: "userName", Source: mapping.AttributeOrigin("mail")}, "match", "no matching attribute"},
		{"matching moved", "displayName", mapping.AttributeMapping{TargetAttributeName: "displayName", Source: mapping.AttributeOrigin("displayName"), MatchingPriority: 1}, "", ""},
		{"unique values", "", mapping.AttributeMapping{TargetAttributeName: "nickName", Source: &mapping.Origin{Expression: `SelectUniqueValue("a", "b")`}}, "expression", "not supported in SCIM applications"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mapping.Default()
			edit(t, s, func(s *mapping.Schema) error { return s.Put("User", c.replaces, c.am) }, c.field, c.message)
			if c.message != "" {
				return
			}
			list := user(s).AttributeMappings
			at := len(list) - 1
			if c.replaces != "" { // in its place
				for at = 0; list[at].TargetAttributeName != c.am.TargetAttributeName; at++ {
				}
				if was := mapping.Default(); user(was).AttributeMappings[at].TargetAttributeName != c.replaces {
					t.Errorf("it stands at %d now", at)
				}
			}
			if got := list[at]; got.FlowType != mapping.Always || got.FlowBehavior != mapping.FlowWhenChanged {
				t.Errorf("%+v", got)
			}
			if c.name == "matching moved" && user(s).AttributeMappings[0].MatchingPriority != 2 {
				t.Error("the former first stays first")
			}
		})
	}
	s := mapping.Default()
	edit(t, s, func(s *mapping.Schema) error { return s.Remove("User", "userName") }, "match", "no matching attribute")
	edit(t, s, func(s *mapping.Schema) error { return s.Remove("User", "nickName") }, "target", "is not mapped")
	edit(t, s, func(s *mapping.Schema) error { return s.Remove("User", "title") }, "", "")
	edit(t, s, func(s *mapping.Schema) error {
		return s.Put("User", "externalId", mapping.AttributeMapping{TargetAttributeName: "externalId", Source: mapping.AttributeOrigin("objectId"), MatchingPriority: 1})
	}, "", "")
	edit(t, s, func(s *mapping.Schema) error {
		return s.Put("User", "userName", mapping.AttributeMapping{TargetAttributeName: "userName", Source: mapping.AttributeOrigin("userPrincipalName")})
	}, "", "")
	edit(t, s, func(s *mapping.Schema) error { return s.Remove("User", "userName") }, "target", "The target requires userName")
	s.Rules[0].ObjectMappings = s.Rules[0].ObjectMappings[1:]
	edit(t, s, func(s *mapping.Schema) error { return s.Remove("Group", "members") }, "", "no mapping whose source object is Group")
}

// TestUnknownMembersOfARow stay when its mapping is edited.
func TestUnknownMembersOfARow(t *testing.T) {
	s := parse(t, []byte(strings.Replace(string(mapping.Default().JSON()), `"targetAttributeName":"title"`, `"mappingType":"Direct","targetAttributeName":"title"`, 1)))
	edit(t, s, func(s *mapping.Schema) error {
		return s.Put("User", "title", mapping.AttributeMapping{TargetAttributeName: "title", Source: mapping.AttributeOrigin("department")})
	}, "", "")
	if out := string(s.JSON()); !strings.Contains(out, `"mappingType":"Direct","targetAttributeName":"title","source":{"expression":"[department]"`) {
		t.Error("lost the member that nobody knows")
	}
}

func TestActionsAndEnabled(t *testing.T) {
	s := mapping.Default()
	edit(t, s, func(s *mapping.Schema) error { return s.SetActions("User", true, true, false) }, "", "")
	if m := compile(t, s).Users; !m.Create || !m.Update || m.Delete || user(s).FlowTypes != "Add,Update" {
		t.Errorf("%+v", m)
	}
	edit(t, s, func(s *mapping.Schema) error { return s.SetActions("User", false, false, false) }, "", "")
	if m := compile(t, s).Users; m.Create || user(s).FlowTypes != "None" {
		t.Errorf("%+v", m)
	}
	edit(t, s, func(s *mapping.Schema) error { return s.SetEnabled("Group", false) }, "", "")
	edit(t, s, func(s *mapping.Schema) error { return s.SetEnabled("User", true) }, "", "")
	edit(t, s, func(s *mapping.Schema) error { return s.SetEnabled("User", false) }, "enabled", "can't be switched off")
	if compile(t, s).Groups.Enabled {
		t.Error("groups are on")
	}
}

func TestRestoreDefaults(t *testing.T) {
	s := mapping.Starter()
	define(t, s, mapping.AttributeDefinition{Name: extension + "tier"})
	put(t, s, mapping.AttributeMapping{TargetAttributeName: extension + "tier", Source: mapping.AttributeOrigin("city")})
	edit(t, s, func(s *mapping.Schema) error {
		return s.PutFilter("User", "", mapping.FilterGroup{Name: "F", Clauses: []mapping.FilterClause{clauseOf("city", "IS NULL")}})
	}, "", "")
	edit(t, s, func(s *mapping.Schema) error { return s.RemoveAttribute("User", mapping.TargetSide, "nickName") }, "", "")
	edit(t, s, func(s *mapping.Schema) error { return s.RemoveAttribute("User", mapping.TargetSide, "title") }, "", "")
	edit(t, s, func(s *mapping.Schema) error { return s.RestoreDefaults("User") }, "", "")
	model := mapping.Default()
	if len(user(s).AttributeMappings) != 22 || user(s).Scope != nil || user(s).AttributeMappings[18].Source.Name != "mailNickname" {
		t.Error("not the default mappings")
	}
	if got := len(s.AttributeList("User", mapping.TargetSide)); got != len(model.AttributeList("User", mapping.TargetSide))+1 {
		t.Errorf("%d attributes", got)
	}
	if len(s.ObjectMapping("Group").AttributeMappings) != 3 {
		t.Error("groups were touched")
	}
}

func TestFilterEditing(t *testing.T) {
	s := mapping.Default()
	group := func(name string, clauses ...mapping.FilterClause) mapping.FilterGroup {
		return mapping.FilterGroup{Name: name, Clauses: clauses}
	}
	sales := clauseOf("department", "EQUALS", "Sales")
	edit(t, s, func(s *mapping.Schema) error { return s.PutFilter("User", "", group(" Sales ", sales)) }, "", "")
	edit(t, s, func(s *mapping.Schema) error {
		return s.PutFilter("User", "", group("Rome", clauseOf("city", "EQUALS", "Rome")))
	}, "", "")
	edit(t, s, func(s *mapping.Schema) error { return s.PutFilter("User", "", group("Sales", sales)) }, "title", `There is a scoping filter "Sales" already`)
	edit(t, s, func(s *mapping.Schema) error { return s.PutFilter("User", "Rome", group("Sales", sales)) }, "title", "already")
	edit(t, s, func(s *mapping.Schema) error { return s.PutFilter("User", "", group("", sales)) }, "title", "needs a title")
	edit(t, s, func(s *mapping.Schema) error { return s.PutFilter("User", "", group("x")) }, "clauses", "no clause; add one")
	edit(t, s, func(s *mapping.Schema) error { return s.PutFilter("User", "Paris", group("x", sales)) }, "title", `no scoping filter "Paris" any more`)
	edit(t, s, func(s *mapping.Schema) error {
		return s.PutFilter("User", "", group("x", clauseOf("manager", "IS NULL")))
	}, "attribute", "manager can't be used")
	edit(t, s, func(s *mapping.Schema) error { return s.PutFilter("User", "", group("x", clauseOf("city", "~", "a"))) }, "operator", "is no operator")
	edit(t, s, func(s *mapping.Schema) error { return s.PutFilter("User", "", group("x", clauseOf("city", "EQUALS"))) }, "value", "needs a value")
	edit(t, s, func(s *mapping.Schema) error {
		return s.PutFilter("User", "Sales", group("Sellers", sales, clauseOf("city", "IS NOT NULL")))
	}, "", "")
	if f := s.Filters("User"); len(f) != 2 || f[0].Name != "Sellers" || len(f[0].Clauses) != 2 || f[1].Name != "Rome" || s.Filters("Group") != nil {
		t.Errorf("%+v", f)
	}
	edit(t, s, func(s *mapping.Schema) error { return s.RemoveFilter("User", "Paris") }, "title", "no scoping filter")
	edit(t, s, func(s *mapping.Schema) error { return s.RemoveFilter("User", "Sellers") }, "", "")
	edit(t, s, func(s *mapping.Schema) error { return s.RemoveFilter("User", "Rome") }, "", "")
	if user(s).Scope != nil {
		t.Error("an empty filter stays")
	}
	edit(t, s, func(s *mapping.Schema) error {
		return s.SetScope("User", &mapping.FilterDocument{Groups: []mapping.FilterGroup{group("", clauseOf("members", "IS NULL"))}})
	}, "attribute", "members of a group")
	edit(t, s, func(s *mapping.Schema) error { return s.SetScope("User", nil) }, "", "")
}

// TestAttributeList: customize-application-attributes.md, "Editing the list of supported attributes".
//
// Shows: F-092, S-260
func TestAttributeList(t *testing.T) {
	type def = mapping.AttributeDefinition
	manager := []mapping.ReferencedObject{{Name: mapping.UserURN}}
	for _, c := range []struct {
		name, replaces string
		side           mapping.Side
		d              def
		field, message string
	}{
		{"plain", "", mapping.TargetSide, def{Name: " profileUrl "}, "", ""},
		{"sub-attribute", "", mapping.TargetSide, def{Name: "name.middleName", Type: "string"}, "", ""},
		{"typed element", "", mapping.TargetSide, def{Name: `ims[type eq "xmpp"].value`}, "", ""},
		{"many", "", mapping.TargetSide, def{Name: "roles", Multivalued: true}, "", ""},
		{"custom extension", "", mapping.TargetSide, def{Name: extension + "badge", Type: mapping.Integer, CaseExact: true, Required: true}, "", ""},
		{"extension of two parts", "", mapping.TargetSide, def{Name: "urn:ietf:params:scim:schemas:extension:contoso:profile:2.0:User:badge"}, "", ""},
		{"core under its URN", "", mapping.TargetSide, def{Name: "urn:ietf:params:scim:schemas:core:2.0:User:role"}, "", ""},
		{"enterprise", "", mapping.TargetSide, def{Name: mapping.UserURN + ":assistant", Type: mapping.Reference, ReferencedObjects: manager}, "", ""},
		{"edited", "nickName", mapping.TargetSide, def{Name: "nickName", CaseExact: true, Required: true}, "", ""},
		{"renamed", "nickName", mapping.TargetSide, def{Name: "alias"}, "", ""},
		{"another type for a mapped one", "displayName", mapping.TargetSide, def{Name: "displayName", Type: mapping.Integer}, "", ""},
		{"no name", "", mapping.TargetSide, def{}, "name", "needs a name"},
		{"no path", "", mapping.TargetSide, def{Name: "e mail"}, "name", "no path of a SCIM attribute"},
		{"a filter that is no comparison", "", mapping.TargetSide, def{Name: `emails[type eq "a" or type eq "b"].value`}, "name", "one comparison with eq"},
		{"a filter with another operator", "", mapping.TargetSide, def{Name: `emails[type ne "a"].value`}, "name", "one comparison with eq"},
		{"twice", "", mapping.TargetSide, def{Name: "Title"}, "name", "has an attribute title already"},
		{"onto another", "nickName", mapping.TargetSide, def{Name: "title"}, "name", "already"},
		{"one that is gone", "nope", mapping.TargetSide, def{Name: "x"}, "name", "no attribute nope any more"},
		{"type", "", mapping.TargetSide, def{Name: "x", Type: "Text"}, "type", "choose String, Boolean"},
		{"mutability", "", mapping.TargetSide, def{Name: "x", Mutability: "never"}, "mutability", "choose ReadWrite"},
		{"a second primary key", "", mapping.TargetSide, def{Name: "x", Anchor: true}, "anchor", "one primary key, and id is it already"},
		{"another primary key", "nickName", mapping.TargetSide, def{Name: "nickName", Anchor: true}, "anchor", "can't be changed; it is id"},
		{"renaming the primary key", "id", mapping.TargetSide, def{Name: "key", Anchor: true, Mutability: mapping.ReadOnly}, "anchor", "can't be changed"},
		{"renaming a mapped one", "title", mapping.TargetSide, def{Name: "jobTitle"}, "name", "title is used by a mapping"},
		{"a mapped one that becomes read-only", "title", mapping.TargetSide, def{Name: "title", Mutability: mapping.ReadOnly}, "target", "title is read-only"},
		{"a mapped text that becomes a reference", "title", mapping.TargetSide, def{Name: "title", Type: mapping.Reference, ReferencedObjects: manager}, "source", "can't be mapped to each other"},
		{"extension of another form", "", mapping.TargetSide, def{Name: "urn:contoso:User:x"}, "name", "urn:ietf:params:scim:schemas:extension:<Name>:2.0:User:<Attribute>"},
		{"complex extension", "", mapping.TargetSide, def{Name: extension + "name.first"}, "name", "without sub-attributes or filters"},
		{"filtered extension", "", mapping.TargetSide, def{Name: extension + `list[type eq "a"].value`}, "name", "without sub-attributes or filters"},
		{"reference in an extension", "", mapping.TargetSide, def{Name: extension + "boss", Type: mapping.Reference, ReferencedObjects: manager}, "type", "can't be a reference"},
		{"many in an extension", "", mapping.TargetSide, def{Name: extension + "tags", Multivalued: true}, "multivalued", "can't be multi-valued"},
		{"reference to nothing", "", mapping.TargetSide, def{Name: "boss", Type: mapping.Reference}, "references", "needs a referenced object; choose one of " + mapping.UserURN},
		{"reference to nobody", "", mapping.TargetSide, def{Name: "boss", Type: mapping.Reference, ReferencedObjects: []mapping.ReferencedObject{{Name: "Person"}}}, "references", `no object "Person"`},
		{"text with a reference", "", mapping.TargetSide, def{Name: "boss", ReferencedObjects: manager}, "references", "Only an attribute of type Reference"},
		{"directory extension", "", mapping.SourceSide, def{Name: "extension_0123456789abcdef0123456789abcdef_tier"}, "", ""},
		{"the same with another case", "", mapping.SourceSide, def{Name: "extension_0123456789abcdef0123456789abcdef_Tier"}, "", ""},
		{"a property under its Graph name", "", mapping.SourceSide, def{Name: "ageGroup"}, "", ""},
		{"a malformed extension", "", mapping.SourceSide, def{Name: "extension_tier"}, "name", "extension_<appId>_<name>, the appId without dashes"},
		{"a multi-valued extension", "", mapping.SourceSide, def{Name: "extension_0123456789abcdef0123456789abcdef_tags", Multivalued: true}, "multivalued", "Multi-valued directory extensions"},
		{"no source name", "", mapping.SourceSide, def{Name: "a b"}, "name", "no name of a source attribute"},
		{"source reference", "", mapping.SourceSide, def{Name: "sponsor", Type: mapping.Reference}, "type", "can't be a reference"},
		{"a built-in one again", "", mapping.SourceSide, def{Name: "City"}, "name", "already"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mapping.Default()
			edit(t, s, func(s *mapping.Schema) error { return s.PutAttribute("User", c.side, c.replaces, c.d) }, c.field, c.message)
			if c.message != "" {
				return
			}
			for _, d := range s.AttributeList("User", c.side) {
				if d.Name == strings.TrimSpace(c.d.Name) {
					if d.Type == "" || d.Type == "string" || d.Mutability == "" {
						t.Errorf("left out: %+v", d)
					}
					return
				}
			}
			t.Error("it is not in the list")
		})
	}
	s := mapping.Default()
	remove := func(side mapping.Side, name string) func(*mapping.Schema) error {
		return func(s *mapping.Schema) error { return s.RemoveAttribute("User", side, name) }
	}
	edit(t, s, remove(mapping.TargetSide, "nickName"), "", "")
	edit(t, s, remove(mapping.TargetSide, "nickName"), "name", "no attribute nickName")
	edit(t, s, remove(mapping.TargetSide, "id"), "name", "primary key")
	edit(t, s, remove(mapping.TargetSide, "title"), "name", "used by a mapping")
	edit(t, s, remove(mapping.SourceSide, "companyName"), "name", "of the directory itself")
	edit(t, s, remove(mapping.SourceSide, "city"), "name", "used by a mapping or a scoping filter")
	const tier = "extension_0123456789abcdef0123456789abcdef_tier"
	edit(t, s, func(s *mapping.Schema) error { return s.PutAttribute("User", mapping.SourceSide, "", def{Name: tier}) }, "", "")
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "locale", Source: mapping.AttributeOrigin(tier)})
	edit(t, s, remove(mapping.SourceSide, tier), "name", "used by a mapping")
	edit(t, s, func(s *mapping.Schema) error { return s.Remove("User", "locale") }, "", "")
	edit(t, s, remove(mapping.SourceSide, tier), "", "")
}

// TestListedAttributesFlow: what the source's list names is a property of the directory, whatever the built-in table has.
//
// Shows: F-005, S-264
func TestListedAttributesFlow(t *testing.T) {
	s := mapping.Default()
	edit(t, s, func(s *mapping.Schema) error {
		return s.PutAttribute("User", mapping.SourceSide, "", mapping.AttributeDefinition{Name: "ageGroup"})
	}, "", "")
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "nickName", Source: origin(t, `ToUpper([ageGroup])`)})
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "locale", Source: mapping.AttributeOrigin("ageGroup")})
	u := ann()
	u.AgeGroup = "adult"
	m := compile(t, s).Users
	o, err := m.Map(mapping.UserSource(u, mapping.Computed{}), newEnv())
	if err != nil || o.Values[len(o.Values)-2].Value.Text() != "ADULT" || o.Values[len(o.Values)-1].Value.Text() != "adult" || !m.Reads("ageGroup") {
		t.Errorf("%v %v", o.Values[len(o.Values)-2:], err)
	}
	if names := s.SourceAttributes("User"); names[len(names)-1] != "ageGroup" {
		t.Error("the picker does not offer it")
	}
}

// TestEditsProperty: any series of edits leaves a valid schema that comes back byte for byte; a refused one leaves it as it
// was.
func TestEditsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := mapping.Default()
		if rapid.Bool().Draw(t, "read") {
			s = s.Clone()
		}
		targets := []string{"userName", "nickName", "title", "externalId", "active", "emails[type eq \"home\"].value", "locale", "id", "nope", extension + "tier"}
		sources := []string{"[mail]", "[objectId]", `Join("", [givenName], [surname])`, `"x"`, "[nope]", "[manager]", `Not([IsSoftDeleted])`}
		names := rapid.SampledFrom(targets)
		for range rapid.IntRange(1, 6).Draw(t, "edits") {
			before := string(s.JSON())
			var err error
			switch rapid.IntRange(0, 6).Draw(t, "edit") {
			case 0, 1:
				o, parseErr := mapping.OriginOf(rapid.SampledFrom(sources).Draw(t, "source"))
				if parseErr != nil {
					t.Fatal(parseErr)
				}
				replaces := rapid.SampledFrom([]string{"", names.Draw(t, "replaced")}).Draw(t, "replaces")
				err = s.Put("User", replaces, mapping.AttributeMapping{TargetAttributeName: names.Draw(t, "target"), Source: o, MatchingPriority: rapid.IntRange(0, 3).Draw(t, "precedence")})
			case 2:
				err = s.Remove("User", names.Draw(t, "removed"))
			case 3:
				err = s.PutAttribute("User", mapping.TargetSide, "", mapping.AttributeDefinition{Name: names.Draw(t, "attribute"), Multivalued: rapid.Bool().Draw(t, "many")})
			case 4:
				err = s.RemoveAttribute("User", mapping.TargetSide, names.Draw(t, "attribute"))
			case 5:
				err = s.PutFilter("User", "", mapping.FilterGroup{Name: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "title"), Clauses: []mapping.FilterClause{clauseOf(rapid.SampledFrom([]string{"city", "manager"}).Draw(t, "clause"), "IS NULL")}})
			case 6:
				err = s.RestoreDefaults("User")
			}
			after := string(s.JSON())
			if err != nil && after != before {
				t.Fatalf("%v, and yet it changed:\n%s", err, firstDifference(after, before))
			}
			if err := s.Validate(); err != nil {
				t.Fatalf("left an invalid schema: %v", err)
			}
			seen := map[int]bool{}
			for _, am := range s.ObjectMapping("User").AttributeMappings {
				if p := am.MatchingPriority; p > 0 {
					if seen[p] {
						t.Fatalf("two mappings have the precedence %d", p)
					}
					seen[p] = true
				}
			}
			again, err := mapping.Parse([]byte(after))
			if err != nil || string(again.JSON()) != after {
				t.Fatalf("it does not come back: %v", err)
			}
		}
	})
}
