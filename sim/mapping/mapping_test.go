package mapping

import (
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/expr"
)

func env() *expr.Env { return &expr.Env{Now: time.Unix(0, 0), DefaultDomain: "contoso.example"} }

func compile(t *testing.T, s *Schema) *Set {
	t.Helper()
	set, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestTemplates(t *testing.T) {
	d := compile(t, Default())
	if len(d.Users.Attributes) != 21 || len(d.Users.References) != 1 || len(d.Groups.Attributes) != 2 || len(d.Groups.References) != 1 {
		t.Errorf("default: %d + %d, %d + %d", len(d.Users.Attributes), len(d.Users.References), len(d.Groups.Attributes), len(d.Groups.References))
	}
	var names []string
	for _, a := range compile(t, Starter()).Users.Attributes {
		names = append(names, a.Target)
	}
	if got := strings.Join(names, " "); got != "userName active displayName externalId" {
		t.Errorf("starter: %s", got)
	}
	if Default().Rules[0].ObjectMappings[0].SourceObjectName != "Group" {
		t.Error("the groups' mapping does not stand first")
	}
}

// TestRoundTrip: an export read again is the same bytes, and members that nobody knows survive.
func TestRoundTrip(t *testing.T) {
	data := string(Default().JSON())
	odd := strings.Replace(data, `"version":"v1.2"`, `"version":"v1.2","@odata.context":"x","future":{"a":[1,2]}`, 1)
	s, err := Parse([]byte(odd))
	if err != nil {
		t.Fatal(err)
	}
	out := s.JSON()
	again, err := Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	if string(again.JSON()) != string(out) || !strings.Contains(string(out), `"future":{"a":[1,2]}`) || !strings.Contains(string(out), `"@odata.context":"x"`) {
		t.Error("the round trip lost something")
	}
	if plain, err := Parse([]byte(data)); err != nil || string(plain.JSON()) != data {
		t.Errorf("export is not stable: %v", err)
	}
}

func TestMap(t *testing.T) {
	m := compile(t, Default()).Users
	u := directory.User{AccountEnabled: true, UserPrincipalName: "ann_fabrikam.test#EXT#@contoso.example", UserType: directory.Guest, GivenName: "Ann", BusinessPhones: []string{"1"}}
	u.DisplayName = "Ann"
	o, err := m.Map(UserSource(&u, Computed{SoftDeleted: true, Manager: "boss"}), env())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range o.Values {
		if d.Present {
			got[d.Attr.Target] = d.Value.Text()
		}
	}
	for k, v := range map[string]string{"userName": "ann@fabrikam.test", "active": "False", "name.formatted": "Ann", `phoneNumbers[type eq "work"].value`: "1"} {
		if got[k] != v {
			t.Errorf("%s is %q, want %q", k, got[k], v)
		}
	}
	if _, ok := got["title"]; ok {
		t.Error("a null flowed")
	}
	if !m.Reads("mobilePhone") || !m.Reads("businessPhones") || m.Reads("usageLocation") {
		t.Error("Reads is wrong")
	}
}

func TestPutAndRemove(t *testing.T) {
	origin := func(e string) *Origin {
		o, err := OriginOf(e)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	for _, c := range []struct {
		name, replaces string
		am             AttributeMapping
		want           string
	}{
		{"new", "", AttributeMapping{TargetAttributeName: "nickName", Source: origin("[givenName]")}, ""},
		{"twice", "", AttributeMapping{TargetAttributeName: "title", Source: origin("[givenName]")}, "mapped already"},
		{"unknown target", "", AttributeMapping{TargetAttributeName: "nick", Source: origin("[givenName]")}, "no attribute nick"},
		{"the id", "", AttributeMapping{TargetAttributeName: "id", Source: origin("[objectId]")}, "primary key"},
		{"unknown source", "", AttributeMapping{TargetAttributeName: "nickName", Source: origin("[givenNam]")}, "did you mean [givenName]"},
		{"reference into text", "", AttributeMapping{TargetAttributeName: "nickName", Source: origin("[manager]")}, "reference"},
		{"no matching left", "userName", AttributeMapping{TargetAttributeName: "userName", Source: origin("[mail]")}, "no matching attribute"},
		{"matching moved", "displayName", AttributeMapping{TargetAttributeName: "displayName", Source: origin("[displayName]"), MatchingPriority: 1}, ""},
	} {
		s := Default()
		before := string(s.JSON())
		err := s.Put("User", c.replaces, c.am)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		case c.want != "" && string(s.JSON()) != before:
			t.Errorf("%s: a refused edit changed the schema", c.name)
		}
	}
	s := Default()
	if err := s.Remove("User", "userName"); err == nil {
		t.Error("the only matching attribute was removed")
	}
	if err := s.Remove("User", "title"); err != nil {
		t.Error(err)
	}
}

// TestFilter: define-conditional-rules-for-provisioning-user-accounts.md.
func TestFilter(t *testing.T) {
	for _, c := range []struct {
		attribute, op, value string
		want                 bool
	}{
		{"department", "EQUALS", "Sales", true}, {"department", "EQUALS", "sales", false}, {"department", "NOT EQUALS", "Sales", false}, {"city", "NOT EQUALS", "Rome", false},
		{"city", "IS NULL", "", true}, {"department", "IS NOT NULL", "", true}, {"accountEnabled", "IS TRUE", "", true}, {"accountEnabled", "IS FALSE", "", false},
		{"department", "REGEX MATCH", "^S", true}, {"department", "NOT REGEX MATCH", "^X", true}, {"city", "NOT REGEX MATCH", "x", false}, {"department", "Includes", "ale", true},
		{"department", "ENDS_WITH", "es", true}, {"employeeId", "Greater_Than", "6", true}, {"employeeId", "Greater_Than_OR_EQUALS", "7", true}, {"department", "Greater_Than", "1", false},
		{"department", "&", "Sales and Support", true}, {"department", "!&", "Support", true},
	} {
		s := Default()
		s.ObjectMapping("User").Scope = &FilterDocument{Groups: []FilterGroup{{Name: "F", Clauses: []FilterClause{{OperatorName: c.op, SourceOperandName: c.attribute, TargetOperand: &FilterValues{Values: []string{c.value}}}}}}}
		u := directory.User{AccountEnabled: true, UserType: directory.Member, Department: "Sales", EmployeeID: "7"}
		pass, results := compile(t, s).Users.Scope.Eval(UserSource(&u, Computed{}))
		if pass != c.want {
			t.Errorf("%s %s %q: %v %s", c.attribute, c.op, c.value, pass, results.JSON())
		}
	}
	s := Default()
	s.ObjectMapping("User").Scope = &FilterDocument{Groups: []FilterGroup{{Clauses: []FilterClause{{OperatorName: "EQUALS", SourceOperandName: "manager"}}}}}
	if _, err := Compile(s); err == nil || !strings.Contains(err.Error(), "scope.groups[0].clauses[0]") {
		t.Errorf("a filter on manager: %v", err)
	}
}
