package mapping_test

import (
	"slices"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/expr"
	"entrasim/sim/mapping"
)

func sortedStrings(list []string) []string {
	slices.Sort(list)
	return list
}

func newEnv() *expr.Env {
	return &expr.Env{Now: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), DefaultDomain: "contoso.example"}
}

func compile(t testing.TB, s *mapping.Schema) *mapping.Set {
	t.Helper()
	set, err := mapping.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// origin is the source that an expression gives.
func origin(t testing.TB, expression string) *mapping.Origin {
	t.Helper()
	o, err := mapping.OriginOf(expression)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// put adds or replaces a mapping for users.
func put(t testing.TB, s *mapping.Schema, am mapping.AttributeMapping) {
	t.Helper()
	replaces := ""
	for _, x := range s.ObjectMapping("User").AttributeMappings {
		if x.TargetAttributeName == am.TargetAttributeName {
			replaces = am.TargetAttributeName
		}
	}
	if err := s.Put("User", replaces, am); err != nil {
		t.Fatal(err)
	}
}

// define adds an attribute to the target's list for users.
func define(t testing.TB, s *mapping.Schema, d mapping.AttributeDefinition) {
	t.Helper()
	if err := s.PutAttribute("User", mapping.TargetSide, "", d); err != nil {
		t.Fatal(err)
	}
}

func ann() *directory.User {
	u := &directory.User{AccountEnabled: true, UserPrincipalName: "ann@contoso.example", MailNickname: "ann", UserType: directory.Member, GivenName: "Ann", Surname: "Ace",
		Department: "Sales", EmployeeID: "7", ProxyAddresses: []string{"smtp:ann@contoso.example", "smtp:a@contoso.example"}}
	u.DisplayName, u.ID = "Ann Ace", "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159"
	return u
}

// desired maps Ann and returns the value of one target attribute.
func desired(t testing.TB, s *mapping.Schema, target string, c mapping.Computed) mapping.Desired {
	t.Helper()
	o, err := compile(t, s).Users.Map(mapping.UserSource(ann(), c), newEnv())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range o.Values {
		if d.Attr.Target == target {
			return d
		}
	}
	t.Fatalf("%s is not mapped", target)
	return mapping.Desired{}
}

// user is the mapping of users, which the tests change in place.
func user(s *mapping.Schema) *mapping.ObjectMappingDocument { return s.ObjectMapping("User") }
