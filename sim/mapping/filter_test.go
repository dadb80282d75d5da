package mapping_test

import (
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

func clauseOf(attribute, operator string, values ...string) mapping.FilterClause {
	c := mapping.FilterClause{SourceOperandName: attribute, OperatorName: operator}
	if len(values) > 0 {
		c.TargetOperand = &mapping.FilterValues{Values: values}
	}
	return c
}

func scoped(kind string, groups ...mapping.FilterGroup) *mapping.Schema {
	s := mapping.Default()
	s.ObjectMapping(kind).Scope = &mapping.FilterDocument{Groups: groups}
	return s
}

// TestOperators: define-conditional-rules-for-provisioning-user-accounts.md. Ann has the department Sales, the employee id
// 7, no city, is enabled, and dirSyncEnabled is not known of her.
//
// Shows: F-063, S-126, S-129, S-130
func TestOperators(t *testing.T) {
	for _, c := range []struct {
		attribute, op, value string
		want                 bool
	}{
		{"department", "EQUALS", "Sales", true}, {"department", "EQUALS", "sales", false}, {"accountEnabled", "EQUALS", "True", true}, {"accountEnabled", "EQUALS", "true", false},
		{"department", "NOT EQUALS", "Sales", false}, {"department", "NOT EQUALS", "sales", true}, {"department", "NOT EQUALS", "Support", true},
		{"accountEnabled", "IS TRUE", "", true}, {"accountEnabled", "IS FALSE", "", false}, {"extensionAttribute1", "IS TRUE", "", false}, {"IsSoftDeleted", "IS FALSE", "", true},
		{"city", "IS NULL", "", true}, {"department", "IS NULL", "", false}, {"city", "IS NOT NULL", "", false}, {"department", "IS NOT NULL", "", true},
		{"department", "REGEX MATCH", "ale", true}, {"department", "REGEX MATCH", "^ale", false}, {"department", "REGEX MATCH", "ALE", false}, {"department", "REGEX MATCH", "(?i)ALE", true},
		{"department", "REGEX MATCH", "^(?=S)(?<rest>.*)s$", true}, {"employeeId", "REGEX MATCH", `([1-9][0-9])`, false},
		{"department", "NOT REGEX MATCH", "^X", true}, {"department", "NOT REGEX MATCH", "ale", false},
		{"employeeId", "Greater_Than", "6", true}, {"employeeId", "Greater_Than", "7", false}, {"employeeId", "Greater_Than", "six", false}, {"department", "Greater_Than", "1", false},
		{"employeeId", "Greater_Than_OR_EQUALS", "7", true}, {"employeeId", "Greater_Than_OR_EQUALS", "8", false}, {"employeeId", "Greater_Than", " -1 ", true},
		{"department", "Includes", "ale", true}, {"department", "Includes", "Ale", false},
		{"department", "ENDS_WITH", "les", true}, {"department", "ENDS_WITH", "Les", false},
		{"department", "&", "Sales and Support", true}, {"department", "&", "sales", false}, {"department", "!&", "Support", true}, {"department", "!&", "Sales,Support", false},
		// Without a value only IS NULL is true.
		{"city", "EQUALS", "x", false}, {"city", "NOT EQUALS", "x", false}, {"city", "NOT REGEX MATCH", "x", false}, {"city", "!&", "x", false}, {"city", "Greater_Than", "0", false},
		{"dirSyncEnabled", "IS FALSE", "", false}, {"dirSyncEnabled", "IS TRUE", "", false}, {"city", "REGEX MATCH", ".*", false}, {"city", "Includes", "x", false}, {"city", "ENDS_WITH", "x", false},
		// Other spellings of operators and attributes.
		{"DEPARTMENT", "equals", "Sales", true}, {"department", "ends with", "les", true}, {"employeeId", "GREATER THAN or_equals", "7", true}, {"department", "is not null", "", true},
		// What a filter sees is the source, also of a guest's name.
		{"userPrincipalName", "ENDS_WITH", "@contoso.example", true}, {"telephoneNumber", "IS NULL", "", true},
	} {
		values := []string{c.value}
		if c.value == "" {
			values = nil
		}
		m := compile(t, scoped("User", mapping.FilterGroup{Name: "F", Clauses: []mapping.FilterClause{clauseOf(c.attribute, c.op, values...)}})).Users
		src := mapping.UserSource(ann(), mapping.Computed{})
		pass, results := m.Scope.Eval(src)
		if pass != c.want || m.Scope.Passes(src) != c.want || (results.Reason() == "") != c.want {
			t.Errorf("%s %s %q: %v, %s", c.attribute, c.op, c.value, pass, results.JSON())
		}
	}
	if n := len(mapping.Operators()); n != 14 {
		t.Errorf("%d operators", n)
	}
}

// TestGroupsOfClauses: AND within a filter, OR between filters; what is told of those who fail.
//
// Shows: S-121
func TestGroupsOfClauses(t *testing.T) {
	sales := mapping.FilterGroup{Name: "Sales", Clauses: []mapping.FilterClause{clauseOf("department", "EQUALS", "Sales"), clauseOf("city", "EQUALS", "Rome")}}
	staff := mapping.FilterGroup{Name: `Staff "A"`, Clauses: []mapping.FilterClause{clauseOf("accountEnabled", "IS TRUE"), clauseOf("employeeId", "Greater_Than", "5")}}
	m := compile(t, scoped("User", sales, staff, mapping.FilterGroup{Name: "empty"})).Users
	for _, c := range []struct {
		name, json, reason string
		change             func(u *directory.User)
		pass               bool
	}{
		{"one of two", `{"Sales.department EQUALS 'Sales'":true,"Sales.city EQUALS 'Rome'":false,"Staff \"A\".accountEnabled IS TRUE":true,"Staff \"A\".employeeId Greater_Than '5'":true}`, "",
			func(*directory.User) {}, true},
		{"none", `{"Sales.department EQUALS 'Sales'":true,"Sales.city EQUALS 'Rome'":false,"Staff \"A\".accountEnabled IS TRUE":false,"Staff \"A\".employeeId Greater_Than '5'":false}`,
			`filter Sales failed on city; filter Staff "A" failed on accountEnabled and employeeId`,
			func(u *directory.User) { u.AccountEnabled, u.EmployeeID = false, "" }, false},
		{"both", `{"Sales.department EQUALS 'Sales'":true,"Sales.city EQUALS 'Rome'":true,"Staff \"A\".accountEnabled IS TRUE":true,"Staff \"A\".employeeId Greater_Than '5'":true}`, "",
			func(u *directory.User) { u.City = "Rome" }, true},
	} {
		u := ann()
		c.change(u)
		pass, results := m.Scope.Eval(mapping.UserSource(u, mapping.Computed{}))
		if pass != c.pass || results.JSON() != c.json || results.Reason() != c.reason {
			t.Errorf("%s: %v\n%s\n%s", c.name, pass, results.JSON(), results.Reason())
		}
	}
	// The clause as data.
	_, results := m.Scope.Eval(mapping.UserSource(ann(), mapping.Computed{}))
	if r := results[1]; r.Group != "Sales" || r.Attribute != "city" || r.Operator != "EQUALS" || r.Value != "Rome" || r.Pass {
		t.Errorf("%+v", r)
	}
	// A clause that stands twice is told once; no filter is an empty object.
	twice := compile(t, scoped("User", mapping.FilterGroup{Clauses: []mapping.FilterClause{clauseOf("city", "IS NULL"), clauseOf("city", "IS NULL")}})).Users
	if _, r := twice.Scope.Eval(mapping.UserSource(ann(), mapping.Computed{})); r.JSON() != `{".city IS NULL":true}` || r.Reason() != "" {
		t.Errorf("%s %q", r.JSON(), r.Reason())
	}
	if json := (mapping.ClauseResults{}).JSON(); json != "{}" {
		t.Error(json)
	}
	if compile(t, scoped("User", mapping.FilterGroup{Name: "empty"})).Users.Scope != nil {
		t.Error("a filter without clauses is one")
	}
}

// TestGroupFilter: filters of groups have the attributes of groups.
func TestGroupFilter(t *testing.T) {
	m := compile(t, scoped("Group", mapping.FilterGroup{Name: "F", Clauses: []mapping.FilterClause{clauseOf("displayName", "REGEX MATCH", "^app-"), clauseOf("securityEnabled", "IS TRUE")}})).Groups
	g := &directory.Group{SecurityEnabled: true}
	for name, want := range map[string]bool{"app-sales": true, "sales": false} {
		g.DisplayName = name
		if pass, r := m.Scope.Eval(mapping.GroupSource(g, mapping.Computed{})); pass != want {
			t.Errorf("%s: %s", name, r.JSON())
		}
	}
	if err := scoped("Group", mapping.FilterGroup{Clauses: []mapping.FilterClause{clauseOf("department", "IS NULL")}}).Validate(); err == nil {
		t.Error("a group has a department")
	}
}

// TestExperimentalFilters: input and category filters are compiled and checked as well (resources/synchronization-filter.md).
func TestExperimentalFilters(t *testing.T) {
	s := mapping.Default()
	group := []mapping.FilterGroup{{Clauses: []mapping.FilterClause{clauseOf("department", "EQUALS", "Sales")}}}
	user(s).Scope = &mapping.FilterDocument{InputFilterGroups: group, CategoryFilterGroups: group}
	m := compile(t, s).Users
	if m.Scope != nil || m.Input == nil || m.Category == nil || !m.Input.Passes(mapping.UserSource(ann(), mapping.Computed{})) || !m.Reads("department") {
		t.Errorf("%+v", m)
	}
	user(s).Scope.InputFilterGroups = []mapping.FilterGroup{{Clauses: []mapping.FilterClause{clauseOf("nope", "IS NULL")}}}
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "$.synchronizationRules[0].objectMappings[1].scope.inputFilterGroups[0].clauses[0].sourceOperandName") {
		t.Error(err)
	}
}

// TestRefusedClauses: what a filter can't be, with the reason and the place.
//
// Shows: F-065, S-131
func TestRefusedClauses(t *testing.T) {
	const at = "$.synchronizationRules[0].objectMappings[1].scope.groups[0].clauses[0]"
	for _, c := range []struct {
		attribute, op string
		values        []string
		path, message string
	}{
		{"members", "EQUALS", []string{"x"}, ".sourceOperandName", "members of a group are not supported"},
		{"proxyAddresses", "EQUALS", []string{"x"}, ".sourceOperandName", "multi-valued attributes are not supported. Choose a single-valued one."},
		{"otherMails", "IS NULL", nil, ".sourceOperandName", "multi-valued"},
		{"appRoleAssignments", "IS NULL", nil, ".sourceOperandName", "app role assignments are not supported"},
		{"userType", "EQUALS", []string{"Guest"}, ".sourceOperandName", "does not offer it as a source attribute. Filter by a directory extension"},
		{"manager", "IS NOT NULL", nil, ".sourceOperandName", "reference attributes are not supported"},
		{"employeeHireDate", "IS NOT NULL", nil, ".sourceOperandName", "dates are not supported"},
		{"createdDateTime", "Greater_Than", []string{"1"}, ".sourceOperandName", "dates are not supported"},
		{"departmnt", "IS NULL", nil, ".sourceOperandName", "no source attribute [departmnt]; did you mean [department]?"},
		{"", "IS NULL", nil, ".sourceOperandName", "names no attribute; choose one"},
		{"city", "IsMemberOf", []string{"x"}, ".operatorName", "IsMemberOf is not supported in scoping filters; assign the group"},
		{"city", "LIKE", []string{"x"}, ".operatorName", `"LIKE" is no operator; expected one of &, !&, ENDS_WITH, EQUALS,`},
		{"city", "EQUALS", nil, ".targetOperand.values", "needs a value to compare with; to find attributes without one use IS NULL"},
		{"city", "EQUALS", []string{""}, ".targetOperand.values", "needs a value"},
		{"city", "EQUALS", []string{"a", "b"}, ".targetOperand.values", "takes one value, not 2; write a clause for each"},
		{"city", "IS NULL", []string{"x"}, ".targetOperand", "IS NULL takes no value; leave targetOperand null"},
		{"city", "REGEX MATCH", []string{"(a"}, ".targetOperand.values[0]", "is no regular expression of .NET"},
	} {
		s := scoped("User", mapping.FilterGroup{Name: "F", Clauses: []mapping.FilterClause{clauseOf(c.attribute, c.op, c.values...)}})
		err := s.Validate()
		if err == nil || !strings.HasPrefix(err.Error(), at+c.path+": ") || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s %s %q: %v, want %s: …%s", c.attribute, c.op, c.values, err, c.path, c.message)
		}
	}
	// A multi-valued directory extension of the schema's own list, and a unary operator with the empty list that exports have.
	s := scoped("User", mapping.FilterGroup{Clauses: []mapping.FilterClause{clauseOf("extension_0123456789abcdef0123456789abcdef_skills", "IS NULL")}})
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	list := &s.Directories[0].Objects[0].Attributes
	*list = append(*list, mapping.AttributeDefinition{Name: "extension_0123456789abcdef0123456789abcdef_skills", Multivalued: true})
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "multi-valued") {
		t.Error(err)
	}
	empty := clauseOf("city", "IS NULL")
	empty.TargetOperand = &mapping.FilterValues{Values: []string{}}
	if err := scoped("User", mapping.FilterGroup{Clauses: []mapping.FilterClause{empty}}).Validate(); err != nil {
		t.Error(err)
	}
}

// TestFilterWarnings: what is allowed and seldom meant.
func TestFilterWarnings(t *testing.T) {
	for _, c := range []struct {
		clause mapping.FilterClause
		want   string
	}{
		{clauseOf("department", "REGEX MATCH", "Sales"), "matches anywhere in the value"},
		{clauseOf("department", "REGEX MATCH", "^Sales$"), ""},
		{clauseOf("employeeId", "Greater_Than", "many"), `"many" is no whole number: the clause is false for everybody`},
		{clauseOf("department", "IS TRUE"), "department is of type String: IS TRUE is false for everybody"},
	} {
		got := scoped("User", mapping.FilterGroup{Clauses: []mapping.FilterClause{c.clause}}).Warnings()
		if c.want == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || !strings.Contains(got[0].Message, c.want) {
			t.Errorf("%+v: %v", c.clause, got)
		}
	}
}

// TestCatastrophicPattern ends in time and says so; the clause is false in both of its forms.
func TestCatastrophicPattern(t *testing.T) {
	for _, op := range []string{"REGEX MATCH", "NOT REGEX MATCH"} {
		m := compile(t, scoped("User", mapping.FilterGroup{Name: "F", Clauses: []mapping.FilterClause{clauseOf("jobTitle", op, `^(a+)+$`)}})).Users
		u := ann()
		u.JobTitle = strings.Repeat("a", 60) + "!"
		began := time.Now()
		pass, r := m.Scope.Eval(mapping.UserSource(u, mapping.Computed{}))
		if took := time.Since(began); pass || r[0].Err == nil || took > 3*time.Second || !strings.Contains(r.Reason(), "filter F failed on jobTitle (the pattern took longer than 100ms") {
			t.Errorf("%s: %v %v in %s: %s", op, pass, r[0].Err, took, r.Reason())
		}
	}
}

// FuzzFilter: any clause is refused with a problem or evaluated, in bounded time and memory; without a value only IS NULL
// passes, and the results are JSON with one member for the clause.
func FuzzFilter(f *testing.F) {
	for _, op := range mapping.Operators() {
		f.Add("department", op, "Sales", "Sales")
	}
	f.Add("userType", "EQUALS", "Guest", "")
	f.Add("members", "IsMemberOf", "x", "")
	f.Add("jobTitle", "REGEX MATCH", `^(a+)+$`, strings.Repeat("a", 40)+"!")
	f.Add("jobTitle", "NOT REGEX MATCH", `((){100000}){100000}`, "a")
	f.Add("jobTitle", "REGEX MATCH", `(?<=(?<n>\p{Lu}))\k<n>|[\d-[5]]`, "AA5")
	f.Add("extension_x", "Includes", "\x00\xff", "\xff")
	f.Fuzz(func(t *testing.T, attribute, op, value, have string) {
		value, have = value[:min(len(value), 2000)], have[:min(len(have), 2000)] // longer ones the directory does not hold
		began := time.Now()
		defer func() {
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		}()
		clause := clauseOf(attribute, op)
		if value != "" {
			clause = clauseOf(attribute, op, value)
		}
		s := scoped("User", mapping.FilterGroup{Name: "F", Clauses: []mapping.FilterClause{clause}})
		set, err := mapping.Compile(s)
		if err != nil {
			if !strings.Contains(err.Error(), "scope.groups[0].clauses[0]") {
				t.Fatalf("no place in %v", err)
			}
			return
		}
		u := &directory.User{UserPrincipalName: have, JobTitle: have, Department: have, Extensions: map[string]any{attribute: have}}
		pass, results := set.Users.Scope.Eval(mapping.UserSource(u, mapping.Computed{}))
		if len(results) != 1 || results[0].Pass != pass || !strings.HasPrefix(results.JSON(), `{"F.`) {
			t.Fatalf("%v %s", pass, results.JSON())
		}
		if (results.Reason() == "") != pass {
			t.Fatalf("%v, and the reason is %q", pass, results.Reason())
		}
		nobody := mapping.UserSource(&directory.User{}, mapping.Computed{})
		if v, _ := nobody.Attribute(attribute); v.IsEmpty() && set.Users.Scope.Passes(nobody) && results[0].Operator != "IS NULL" {
			t.Fatalf("%s %s %q passes without a value", attribute, op, value)
		}
	})
}
