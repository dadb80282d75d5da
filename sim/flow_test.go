package sim

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// mappedSchema changes the mapping of users: each pair is a target attribute and its source, which is an expression, an
// attribute in brackets or a quoted constant; "" is None.
func mappedSchema(t testing.TB, s *mapping.Schema, pairs ...string) *mapping.Schema {
	t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		putMapping(t, s, mapping.AttributeMapping{TargetAttributeName: pairs[i]}, pairs[i+1])
	}
	return s
}

func putMapping(t testing.TB, s *mapping.Schema, am mapping.AttributeMapping, source string) {
	t.Helper()
	if source != "" {
		o, err := mapping.OriginOf(source)
		if err != nil {
			t.Fatal(err)
		}
		am.Source = o
	}
	replaces := ""
	for _, x := range s.ObjectMapping("User").AttributeMappings {
		if x.TargetAttributeName == am.TargetAttributeName {
			replaces = x.TargetAttributeName
		}
	}
	if err := s.Put("User", replaces, am); err != nil {
		t.Fatal(err)
	}
}

func listed(t testing.TB, s *mapping.Schema, d mapping.AttributeDefinition) *mapping.Schema {
	t.Helper()
	if err := s.PutAttribute("User", mapping.TargetSide, "", d); err != nil {
		t.Fatal(err)
	}
	return s
}

// bodies leaves of requests those with a body, from behind what all of them begin with.
func bodies(list []string) []string {
	var out []string
	for _, r := range list {
		if i := strings.Index(r, `"Operations":[`); i >= 0 {
			out = append(out, "PATCH "+strings.TrimSuffix(r[i+len(`"Operations":[`):], "]}"))
		} else if i := strings.Index(r, `"userName"`); i >= 0 && strings.HasPrefix(r, "POST") {
			out = append(out, "POST "+r[i:])
		}
	}
	return out
}

const (
	adminRole = "aaaaaaaa-0000-4000-8000-000000000001"
	userRole  = "aaaaaaaa-0000-4000-8000-000000000002"
)

// roles gives the application two roles.
func (w *world) roles() {
	w.t.Helper()
	w.no(w.dir.SetAppRoles(w.clock.Now(), w.app.ID, []directory.AppRole{
		{ID: adminRole, DisplayName: "Admin", Value: "admin", Enabled: true, AllowedMemberTypes: []string{"User"}},
		{ID: userRole, DisplayName: "Reader", Enabled: true, AllowedMemberTypes: []string{"User"}},
	}))
}

func (w *world) give(principal, role string) {
	w.t.Helper()
	_, err := w.svc.Assign(w.app.ID, principal, role)
	w.no(err)
}

// TestRoleForms: app roles from the directory's assignments, direct and through a group, in the three forms and both
// dialects (customize-application-attributes.md, "Provisioning a role to a SCIM app").
//
// Shows: F-091, S-268, W-126, W-127
func TestRoleForms(t *testing.T) {
	const kind = `"type":"WindowsAzureActiveDirectoryRole"`
	for _, c := range []struct {
		name, flag, target, function string
		create, none, added, removed string
	}{
		{"single, legacy", "", `roles[primary eq "True"].value`, "SingleAppRoleAssignment",
			`"roles":[{"primary":true,` + kind + `,"value":"Reader"}]`, `"roles":[]`, ``, `{"op":"Replace","path":"roles[primary eq \"True\"].value","value":"Admin"}`},
		{"complex, legacy", "", "roles", "AppRoleAssignmentsComplex",
			`"roles":[{"primary":false,` + kind + `,"displayName":"Reader","value":"Reader"}]`, `"roles":[]`,
			`{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"` + userRole + `\",\"value\":\"Reader\",\"displayName\":\"Reader\"}"},{"value":"{\"id\":\"` + adminRole + `\",\"value\":\"admin\",\"displayName\":\"Admin\"}"}]}`, ``},
		{"complex, compliant", "?aadOptscim062020", "roles", "AppRoleAssignmentsComplex",
			`"roles":[{"primary":false,` + kind + `,"displayName":"Reader","value":"Reader"}]`, `"roles":[]`,
			`{"op":"add","path":"roles","value":[{"primary":false,` + kind + `,"display":"Reader","value":"Reader"},{"primary":false,` + kind + `,"display":"Admin","value":"admin"}]}`, ``},
		{"assertive, legacy", "", "roles", "AssertiveAppRoleAssignmentsComplex",
			`"roles":[{"primary":false,` + kind + `,"display":"Reader","value":"Reader"}]`, `"roles":[]`,
			`{"op":"replace","path":"roles","value":[{"primary":false,` + kind + `,"display":"Reader","value":"Reader"},{"primary":false,` + kind + `,"display":"Admin","value":"admin"}]}`,
			`{"op":"replace","path":"roles","value":[{"primary":false,` + kind + `,"display":"Admin","value":"admin"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mapping.Starter()
			if c.target == "roles" {
				listed(t, s, mapping.AttributeDefinition{Name: "roles", Multivalued: true})
			}
			w := newWorld(t, mappedSchema(t, s, c.target, c.function+"([appRoleAssignments])"), c.flag)
			w.roles()
			ann, bob := w.user("ann"), w.user("bob")
			ops := w.group("Ops", ann.ID)
			w.give(ops.ID, userRole)
			w.give(bob.ID, directory.DefaultAccess)
			w.no(w.svc.Start(w.app.ID))
			got := bodies(w.cycle())
			if len(got) < 2 || !strings.Contains(got[0], c.create) || !strings.Contains(got[1], c.none) {
				t.Fatalf("created with\n%s\nwant %s and %s", strings.Join(got, "\n"), c.create, c.none)
			}
			step := func(name, want string) {
				t.Helper()
				if want != "" {
					want = "PATCH " + want
				}
				if got := strings.Join(bodies(w.cycle()), "\n"); got != want {
					t.Errorf("%s: sent %s\nwant %s", name, got, want)
				}
			}
			w.advance(time.Minute)
			w.give(ann.ID, adminRole)
			step("a second role", c.added)
			// A later cycle that reads her again sends nothing.
			w.edit(ann.ID, "displayName", "ANN")
			step("no change", "")
			w.no(w.svc.Unassign(w.app.ID, ops.ID))
			got = bodies(w.cycle())
			if len(got) > 0 {
				got = got[:1]
			}
			if got := strings.Join(got, ""); got != strings.TrimSuffix("PATCH "+c.removed, "PATCH ") {
				t.Errorf("the first role is gone: sent %s\nwant %s", got, c.removed)
			}
		})
	}
}

// TestWhoseRoles: roles come from direct assignments and from live security groups, the oldest first, each once; a
// single-valued attribute takes the first, in its complex form too.
func TestWhoseRoles(t *testing.T) {
	s := listed(t, mapping.Starter(), mapping.AttributeDefinition{Name: "roles"})
	w := newWorld(t, mappedSchema(t, s, "roles", "AppRoleAssignmentsComplex([appRoleAssignments])", "nickName", "AppRoleAssignments([appRoleAssignments])"), "")
	w.roles()
	ann := w.user("ann")
	mail, err := w.dir.CreateGroup(w.clock.Now(), directory.Props{"displayName": "List", "mailNickname": "list", "securityEnabled": false, "mailEnabled": true, "groupTypes": []string{"Unified"}})
	w.no(err)
	w.no(w.dir.AddMembers(w.clock.Now(), mail.ID, ann.ID))
	ops := w.group("Ops", ann.ID)
	w.give(mail.ID, adminRole)
	w.advance(time.Minute)
	w.give(ops.ID, userRole)
	w.advance(time.Minute)
	w.give(ann.ID, userRole)
	w.no(w.svc.Start(w.app.ID))
	if got := strings.Join(bodies(w.cycle()), ""); !strings.Contains(got, `"nickName":"Reader","roles":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","displayName":"Reader","value":"Reader"}]}`) {
		t.Errorf("created with %s", got)
	}
	w.give(ann.ID, adminRole)
	w.want(bodies(w.cycle()), `PATCH {"op":"Replace","path":"nickName","value":"Reader,Admin"}`)
}

// TestSyncAllRefusesRoles: the two don't go together, whichever comes first.
//
// Shows: S-102
func TestSyncAllRefusesRoles(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	all, assigned := SyncAll, SyncAssigned
	withRoles := mappedSchema(t, mapping.Starter(), `roles[primary eq "True"].value`, "SingleAppRoleAssignment([appRoleAssignments])")
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{Scope: &all}))
	err := w.svc.SetSchema(w.app.ID, withRoles)
	if directory.CodeOf(err) != directory.Invalid || !strings.Contains(err.Error(), `App roles, which roles[primary eq "True"].value is mapped from, do not go with Sync all`) {
		t.Errorf("the schema: %v", err)
	}
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{Scope: &assigned}))
	w.no(w.svc.SetSchema(w.app.ID, withRoles))
	err = w.svc.UpdateSettings(w.app.ID, SettingsEdit{Scope: &all})
	if directory.CodeOf(err) != directory.Invalid || !strings.Contains(err.Error(), "Delete that mapping first") {
		t.Errorf("the scope: %v", err)
	}
	j, err := w.svc.Job(w.app.ID)
	w.no(err)
	if j.Settings.Scope != SyncAssigned {
		t.Error("a refused edit changed the scope")
	}
}

// TestFlowTypes: what an update does with a value, by flow type (resources/synchronization-attributemapping.md). The
// attribute is set on creation in any case; then the target's value and the directory's differ, by more, by less, by
// another.
//
// Shows: F-083, S-249
func TestFlowTypes(t *testing.T) {
	const one, many = `{"op":"Replace","path":"nickName","value":"second"}`, "entitlements"
	list := func(op string, values ...string) string {
		var b strings.Builder
		for i, v := range values {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"value":"%s"}`, v)
		}
		return `{"op":"` + op + `","path":"entitlements","value":[` + b.String() + `]}`
	}
	for _, c := range []struct {
		flow                                string
		changed, emptied, more, less, other string // what is sent
	}{
		{mapping.Always, one, `{"op":"Add","path":"nickName","value":"third"}`, list("Replace", "a", "b", "c"), list("Replace", "a"), list("Replace", "x")},
		{mapping.ObjectAddOnly, "", "", "", "", ""},
		{mapping.AttributeAddOnly, "", `{"op":"Add","path":"nickName","value":"third"}`, "", "", ""},
		{mapping.ValueAddOnly, "", `{"op":"Add","path":"nickName","value":"third"}`, list("Add", "c"), "", list("Add", "x")},
		{mapping.MultiValueAddOnly, "", "", list("Add", "c"), "", list("Add", "x")},
	} {
		t.Run(c.flow, func(t *testing.T) {
			s := listed(t, mapping.Starter(), mapping.AttributeDefinition{Name: many, Multivalued: true})
			putMapping(t, s, mapping.AttributeMapping{TargetAttributeName: "nickName", FlowType: c.flow}, "[jobTitle]")
			putMapping(t, s, mapping.AttributeMapping{TargetAttributeName: many, FlowType: c.flow}, `Split([department], ",")`)
			w := newWorld(t, s, "")
			ann := w.user("ann", "jobTitle", "first", "department", "a,b")
			w.assign(ann.ID)
			w.no(w.svc.Start(w.app.ID))
			if got := strings.Join(bodies(w.cycle()), ""); !strings.Contains(got, `"nickName":"first"`) || !strings.Contains(got, `"entitlements":[{"value":"a"},{"value":"b"}]`) {
				t.Fatalf("created with %s", got)
			}
			step := func(name, want string) {
				t.Helper()
				got := strings.Join(bodies(w.cycle()), "")
				if strings.TrimPrefix(got, "PATCH ") != want {
					t.Errorf("%s: sent %s\nwant %s", name, got, want)
				}
			}
			w.edit(ann.ID, "jobTitle", "second")
			step("another value", c.changed)
			w.edit(ann.ID, "department", "a,b,c")
			step("one more", c.more)
			w.edit(ann.ID, "department", "a")
			step("fewer", c.less)
			w.edit(ann.ID, "department", "x")
			step("others", c.other)
			w.forget("nickName")
			w.edit(ann.ID, "jobTitle", "third")
			step("nothing at the target", c.emptied)
		})
	}
}

// forget takes an attribute away from the only user at the target.
func (w *world) forget(name string) {
	w.t.Helper()
	list, _ := w.target.Store("default").List("User", 0, 1)
	if len(list) != 1 {
		w.t.Fatal("no user at the target")
	}
	w.send("PATCH", "/Users/"+list[0].ID, patchHead+`{"op":"remove","path":"`+name+`"}]}`)
}

// send asks the embedded target directly, past the service.
func (w *world) send(method, path, body string) {
	w.t.Helper()
	req := httptest.NewRequest(method, "/scim"+path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer secret-token")
	req.Header.Set("Content-Type", "application/scim+json")
	rec := httptest.NewRecorder()
	w.target.Handler("default").ServeHTTP(rec, req)
	if rec.Code >= 300 {
		w.t.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
}

// TestFlowAlways: with every export of the object, also when both sides are equal.
//
// Shows: F-083
func TestFlowAlways(t *testing.T) {
	s := mapping.Starter()
	putMapping(t, s, mapping.AttributeMapping{TargetAttributeName: "nickName", FlowBehavior: mapping.FlowAlways}, "[jobTitle]")
	w := newWorld(t, s, "")
	ann := w.user("ann", "jobTitle", "first")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.want(bodies(w.cycle()))
	w.edit(ann.ID, "displayName", "Ann Ace")
	w.want(bodies(w.cycle()), `PATCH {"op":"Replace","path":"displayName","value":"Ann Ace"},{"op":"Replace","path":"nickName","value":"first"}`)
}

// TestDefaultsAndNone: a default value only goes out on creation; the type None fills an empty attribute on updates too, and
// leaves a value alone (customize-application-attributes.md, clear-attribute-values.md).
//
// Shows: F-080, S-245, S-246
func TestDefaultsAndNone(t *testing.T) {
	s := mapping.Starter()
	city, zone := "Nowhere", "UTC"
	putMapping(t, s, mapping.AttributeMapping{TargetAttributeName: "nickName", DefaultValue: &city}, "[city]")
	putMapping(t, s, mapping.AttributeMapping{TargetAttributeName: "timezone", DefaultValue: &zone}, "")
	putMapping(t, s, mapping.AttributeMapping{TargetAttributeName: "locale", DefaultValue: &zone}, "IgnoreFlowIfNullOrEmpty([usageLocation])")
	w := newWorld(t, s, "")
	ann := w.user("ann", "city", "Rome")
	bob := w.user("bob")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	if got := strings.Join(bodies(w.cycle()), ""); !strings.Contains(got, `"nickName":"Rome","timezone":"UTC"}`) || strings.Contains(got, "locale") {
		t.Errorf("created with %s", got)
	}
	w.edit(ann.ID, "city", nil)
	w.want(bodies(w.cycle()))
	w.forget("timezone")
	w.edit(ann.ID, "displayName", "Ann Ace")
	w.want(bodies(w.cycle()), `PATCH {"op":"Replace","path":"displayName","value":"Ann Ace"},{"op":"Add","path":"timezone","value":"UTC"}`)
	w.assign(bob.ID)
	if got := strings.Join(bodies(w.cycle()), ""); !strings.Contains(got, `"nickName":"Nowhere","timezone":"UTC"}`) {
		t.Errorf("created with %s", got)
	}
}

// TestRequired: a required attribute without value, or with an empty one, fails the creation; the default saves it
// (resources/synchronization-attributedefinition.md).
//
// Shows: S-253
func TestRequired(t *testing.T) {
	s := listed(t, mapping.Starter(), mapping.AttributeDefinition{Name: "badge", Required: true})
	w := newWorld(t, mappedSchema(t, s, "badge", "[city]"), "")
	ann := w.user("ann")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.want(bodies(w.cycle()))
	if got := strings.Join(w.logs(), "; "); got != "create failure Ann MandatoryFieldsMissing" {
		t.Error(got)
	}
	empty := s.Clone()
	putMapping(t, empty, mapping.AttributeMapping{TargetAttributeName: "badge"}, `Left([displayName], 0)`)
	w.no(w.svc.SetSchema(w.app.ID, empty))
	w.want(bodies(w.cycle()))
	fallback := "none"
	putMapping(t, s, mapping.AttributeMapping{TargetAttributeName: "badge", DefaultValue: &fallback}, "[city]")
	w.no(w.svc.SetSchema(w.app.ID, s))
	if got := strings.Join(bodies(w.cycle()), ""); !strings.Contains(got, `"badge":"none"`) {
		t.Error(got)
	}
}

// TestExpressionErrorInTheRecord: the object fails with the expression's error in its record, the others go on, and the object is
// tried again.
func TestExpressionErrorInTheRecord(t *testing.T) {
	w := newWorld(t, mappedSchema(t, mapping.Starter(), "nickName", `FormatDateTime([jobTitle], , "yyyy", "yy")`), "")
	ann, bob := w.user("ann", "jobTitle", "soon"), w.user("bob", "jobTitle", "2026")
	w.assign(ann.ID, bob.ID)
	w.no(w.svc.Start(w.app.ID))
	if got := bodies(w.cycle()); len(got) != 1 || !strings.Contains(got[0], `"nickName":"26"`) {
		t.Errorf("%s", got)
	}
	page, err := w.svc.Logs(LogQuery{ApplicationID: w.app.ID, ObjectID: ann.ID, Limit: 1})
	w.no(err)
	if l := page.Items[0]; l.Status != Failure || !strings.Contains(l.Reason, "The attribute mapping of nickName failed: date at position") || !strings.Contains(l.Reason, "FormatDateTime") {
		t.Errorf("%+v", l)
	}
	why, err := w.svc.Why(ann.ID)
	w.no(err)
	if why[0].Escrow == nil {
		t.Error("it is not tried again")
	}
	w.edit(ann.ID, "jobTitle", "2027")
	if got := bodies(w.cycle()); len(got) != 1 || !strings.Contains(got[0], `"nickName":"27"`) {
		t.Errorf("%s", got)
	}
}

// TestIgnoredObject: an expression leaves an object out, with its reason in the log; one that is provisioned stays as it is.
func TestIgnoredObject(t *testing.T) {
	w := newWorld(t, mappedSchema(t, mapping.Starter(), "nickName", `IIF([department]="Secret", IgnoreObjectFlow, [department])`), "")
	ann, bob := w.user("ann", "department", "Secret"), w.user("bob", "department", "Sales")
	w.assign(ann.ID, bob.ID)
	w.no(w.svc.Start(w.app.ID))
	if got := bodies(w.cycle()); len(got) != 1 || !strings.Contains(got[0], `"userName":"bob@`) {
		t.Errorf("%s", got)
	}
	page, err := w.svc.Logs(LogQuery{ApplicationID: w.app.ID, ObjectID: ann.ID, Limit: 1})
	w.no(err)
	if l := page.Items[0]; l.Status != Skipped || l.Reason != "The expression mapped to nickName says IgnoreObjectFlow: the object is left out." {
		t.Errorf("%+v", l)
	}
	w.edit(bob.ID, "department", "Secret", "displayName", "Bob B")
	w.want(bodies(w.cycle()))
	w.edit(ann.ID, "department", "Sales")
	if got := bodies(w.cycle()); len(got) != 1 || !strings.Contains(got[0], `"userName":"ann@`) {
		t.Errorf("%s", got)
	}
}

// TestRedacted: the target gets the value, the log does not show it.
func TestRedacted(t *testing.T) {
	w := newWorld(t, mappedSchema(t, mapping.Starter(), "nickName", `Redact([employeeId])`), "")
	ann := w.user("ann", "employeeId", "S3CRET")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	if got := strings.Join(bodies(w.cycle()), ""); !strings.Contains(got, `"nickName":"S3CRET"`) {
		t.Error(got)
	}
	w.edit(ann.ID, "employeeId", "S3CRET2")
	w.want(bodies(w.cycle()), `PATCH {"op":"Replace","path":"nickName","value":"S3CRET2"}`)
	page, err := w.svc.Logs(LogQuery{ApplicationID: w.app.ID, Limit: 10})
	w.no(err)
	if text := fmt.Sprintf("%+v", page.Items); strings.Contains(text, "S3CRET") || !strings.Contains(text, "[Redact]") {
		t.Error(text)
	}
	m := page.Items[0].Modified[0]
	if *m.Old != "[Redact]" || *m.New != "[Redact]" {
		t.Errorf("%s %s", *m.Old, *m.New)
	}
}

// TestFilterReasons: which filter failed on which attribute stands in the log and in the explanation; the recorded text of
// the evaluation in the scoping step.
//
// Shows: F-069, S-133, S-350
func TestFilterReasons(t *testing.T) {
	s := mapping.Starter()
	clause := func(attribute, operator string, values ...string) mapping.FilterClause {
		return mapping.FilterClause{SourceOperandName: attribute, OperatorName: operator, TargetOperand: &mapping.FilterValues{Values: values}}
	}
	if err := s.PutFilter("User", "", mapping.FilterGroup{Name: "Sales", Clauses: []mapping.FilterClause{clause("department", "EQUALS", "Sales"), clause("accountEnabled", "IS TRUE")}}); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, s, "")
	ann, bob := w.user("ann", "department", "Sales"), w.user("bob", "department", "Support")
	w.assign(ann.ID, bob.ID)
	w.no(w.svc.Start(w.app.ID))
	if got := bodies(w.cycle()); len(got) != 1 || !strings.Contains(got[0], `"userName":"ann@`) {
		t.Errorf("%s", got)
	}
	page, err := w.svc.Logs(LogQuery{ApplicationID: w.app.ID, ObjectID: bob.ID, Limit: 1})
	w.no(err)
	l := page.Items[0]
	if l.SkipReason != SkipNotEntitled || !strings.Contains(l.Reason, "1. It does not pass the scoping filter (filter Sales failed on department): review") {
		t.Errorf("%s %s", l.SkipReason, l.Reason)
	}
	result := ""
	for _, step := range l.Steps {
		for _, d := range step.Details {
			if d.Key == "ScopeEvaluationResult" {
				result = d.Value
			}
		}
	}
	if result != `{"Sales.department EQUALS 'Sales'":false,"Sales.accountEnabled IS TRUE":true}` {
		t.Error(result)
	}
	why, err := w.svc.Why(bob.ID)
	w.no(err)
	if x := why[0]; x.InScope || !strings.Contains(x.Verdict, "filter Sales failed on department.") {
		t.Errorf("%+v", x)
	}
	// Who leaves the filter is switched off, who comes back is switched on.
	w.edit(ann.ID, "department", "Support")
	w.want(bodies(w.cycle()), `PATCH {"op":"Replace","path":"active","value":"False"}`)
	w.edit(ann.ID, "department", "Sales")
	w.want(bodies(w.cycle()), `PATCH {"op":"Replace","path":"active","value":"True"}`)
}

// TestInputFilter: who does not pass it is not read on, and not deprovisioned (resources/synchronization-filter.md).
//
// Shows: F-067, S-124
func TestInputFilter(t *testing.T) {
	s := mapping.Starter()
	clause := mapping.FilterClause{SourceOperandName: "employeeType", OperatorName: "NOT EQUALS", TargetOperand: &mapping.FilterValues{Values: []string{"Robot"}}}
	if err := s.SetScope("User", &mapping.FilterDocument{InputFilterGroups: []mapping.FilterGroup{{Clauses: []mapping.FilterClause{clause}}}}); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, s, "")
	ann, bob := w.user("ann", "employeeType", "Employee"), w.user("bob", "employeeType", "Robot")
	w.assign(ann.ID, bob.ID)
	w.no(w.svc.Start(w.app.ID))
	if got := bodies(w.cycle()); len(got) != 1 {
		t.Errorf("%s", got)
	}
	w.edit(ann.ID, "employeeType", "Robot", "displayName", "R2")
	w.want(w.cycle())
	if got := strings.Join(w.logs(), "; "); got != "create success Ann" {
		t.Error(got)
	}
	why, err := w.svc.Why(ann.ID)
	w.no(err)
	if !strings.Contains(why[0].Verdict, "input filter drops it") {
		t.Error(why[0].Verdict)
	}
}

// TestMatchingPrecedence: each matching attribute in turn until one finds somebody, by the mapped value; empty ones are
// passed over, defaults are none (customize-application-attributes.md, "Matching users in the source and target systems").
//
// Shows: S-276, S-277
func TestMatchingPrecedence(t *testing.T) {
	s := mapping.Starter()
	fallback := "nobody"
	putMapping(t, s, mapping.AttributeMapping{TargetAttributeName: mapping.UserURN + ":employeeNumber", MatchingPriority: 1, DefaultValue: &fallback}, "[employeeId]")
	putMapping(t, s, mapping.AttributeMapping{TargetAttributeName: `emails[type eq "work"].value`, MatchingPriority: 2}, `ToLower(Append([mailNickname], "@CONTOSO.example"))`)
	putMapping(t, s, mapping.AttributeMapping{TargetAttributeName: "userName", MatchingPriority: 3}, `[userPrincipalName]`)
	w := newWorld(t, s, "")
	w.send("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"b","displayName":"By mail","active":true,"emails":[{"type":"work","value":"bob@contoso.example"}]}`)
	ann, bob := w.user("ann", "employeeId", "7"), w.user("bob")
	w.assign(ann.ID, bob.ID)
	w.no(w.svc.Start(w.app.ID))
	got := w.cycle()
	var gets []string
	for _, r := range got {
		if strings.HasPrefix(r, "GET /Users?") {
			gets = append(gets, r)
		}
	}
	w.want(gets,
		`GET /Users?filter=urn%3aietf%3aparams%3ascim%3aschemas%3aextension%3aenterprise%3a2.0%3aUser%3aemployeeNumber+eq+%227%22`,
		`GET /Users?filter=emails%5btype+eq+%22work%22%5d.value+eq+%22ann%40contoso.example%22`,
		`GET /Users?filter=userName+eq+%22ann%40contoso.example%22`,
		`GET /Users?filter=emails%5btype+eq+%22work%22%5d.value+eq+%22bob%40contoso.example%22`)
	if got := strings.Join(w.logs(), "; "); got != "create success Ann; update success Bob" {
		t.Error(got)
	}
}

// TestMatchingCase: a hit that differs in case is the same, except where the attribute is caseExact; then it is no answer
// to what was asked.
//
// Shows: W-072
func TestMatchingCase(t *testing.T) {
	for _, c := range []struct {
		exact bool
		log   string
	}{{false, "update success Ann"}, {true, "create failure Ann SystemForCrossDomainIdentityManagementServiceIncompatible"}} {
		s := mapping.Starter()
		if err := s.PutAttribute("User", mapping.TargetSide, "userName", mapping.AttributeDefinition{Name: "userName", Required: true, CaseExact: c.exact}); err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, s, "")
		w.send("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ANN@contoso.example","active":true}`)
		ann := w.user("ann")
		w.assign(ann.ID)
		w.no(w.svc.Start(w.app.ID))
		got := w.cycle()
		if log := strings.Join(w.logs(), "; "); log != c.log {
			t.Errorf("%v: %s\n%s", c.exact, log, strings.Join(got, "\n"))
		}
		if !c.exact && strings.Contains(strings.Join(got, ""), `"path":"userName"`) {
			t.Error("a change of case only was sent")
		}
	}
}

// TestCaseExactUpdates: whether a change in case only is one (resources/synchronization-attributedefinition.md, caseExact).
//
// Shows: F-095, S-256
func TestCaseExactUpdates(t *testing.T) {
	s := mapping.Starter()
	if err := s.PutAttribute("User", mapping.TargetSide, "nickName", mapping.AttributeDefinition{Name: "nickName", CaseExact: true}); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, mappedSchema(t, s, "nickName", "[jobTitle]", "title", "[jobTitle]"), "")
	ann := w.user("ann", "jobTitle", "pilot")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.edit(ann.ID, "jobTitle", "Pilot")
	w.want(bodies(w.cycle()), `PATCH {"op":"Replace","path":"nickName","value":"Pilot"}`)
}

// TestTargetForms: every form of a target attribute on the wire, in a POST and in a PATCH.
//
// Shows: W-089, W-116
func TestTargetForms(t *testing.T) {
	const custom = "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:"
	s := mapping.Default()
	listed(t, s, mapping.AttributeDefinition{Name: custom + "level", Type: mapping.Integer})
	listed(t, s, mapping.AttributeDefinition{Name: custom + "vip", Type: mapping.Boolean})
	mappedSchema(t, s, custom+"level", "[employeeId]", custom+"vip", `IIF([department]="Board", "true", "false")`, `emails[type eq "other"].value`, "[otherMails]",
		"externalId", "[objectId]", mapping.UserURN+":costCenter", "[employeeOrgData.costCenter]")
	w := newWorld(t, s, "")
	ann := w.user("ann", "mail", "ann@contoso.example", "givenName", "Ann", "surname", "Ace", "officeLocation", "18/2111", "city", "Rome", "mobilePhone", "+1 5", "employeeId", "7",
		"department", "Board", "otherMails", []any{"a@home.example", "b@home.example"}, "employeeOrgData", map[string]any{"costCenter": "77"})
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.want(bodies(w.cycle()), `POST "userName":"ann@contoso.example","active":true,"addresses":[{"primary":false,"type":"work","formatted":"18/2111","locality":"Rome"}],"displayName":"Ann",`+
		`"emails":[{"primary":true,"type":"work","value":"ann@contoso.example"},{"primary":false,"type":"other","value":"a@home.example"},{"primary":false,"type":"other","value":"b@home.example"}],`+
		`"meta":{"resourceType":"User"},"name":{"formatted":"Ann Ace","familyName":"Ace","givenName":"Ann"},"phoneNumbers":[{"primary":false,"type":"mobile","value":"+1 5"}],`+
		`"urn:ietf:params:scim:schemas:extension:Contoso:2.0:User":{"level":7,"vip":true},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"77","department":"Board","employeeNumber":"7"}}`)
	w.edit(ann.ID, "mobilePhone", "+1 6", "employeeId", "8", "department", "Sales", "city", "Paris")
	w.want(bodies(w.cycle()), `PATCH {"op":"Replace","path":"addresses[type eq \"work\"].locality","value":"Paris"},{"op":"Replace","path":"phoneNumbers[type eq \"mobile\"].value","value":"+1 6"},`+
		`{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber","value":"8"},{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Sales"},`+
		`{"op":"Replace","path":"`+custom+`level","value":"8"},{"op":"Replace","path":"`+custom+`vip","value":"false"}`)
}

// TestReferenceFlowTypes: managers and members heed the flow type as well: what applies only during creation is written
// with the object and never again, what only adds takes nothing away.
func TestReferenceFlowTypes(t *testing.T) {
	const manager = mapping.UserURN + ":manager"
	set := func(op, name string) string {
		return `{"op":"` + op + `","path":"` + manager + `","value":"{` + name + `}"}`
	}
	member := func(op, name string) string {
		return `{"op":"` + op + `","path":"members","value":[{"value":"{` + name + `}"}]}`
	}
	for _, c := range []struct {
		flow                                  string
		changed, cleared, more, less, emptied string
	}{
		{mapping.Always, set("Replace", "Cid"), `{"op":"Remove","path":"` + manager + `","value":[{"value":"{Cid}"}]}`, member("Add", "Cid"), member("Remove", "Ann"), set("Add", "Bob")},
		{mapping.ObjectAddOnly, "", "", "", "", ""},
		{mapping.AttributeAddOnly, "", "", "", "", set("Add", "Bob")},
		{mapping.ValueAddOnly, "", "", member("Add", "Cid"), "", set("Add", "Bob")},
		{mapping.MultiValueAddOnly, "", "", member("Add", "Cid"), "", ""},
	} {
		t.Run(c.flow, func(t *testing.T) {
			s := mapping.Starter()
			putMapping(t, s, mapping.AttributeMapping{TargetAttributeName: manager, FlowType: c.flow}, "[manager]")
			if err := s.Put("Group", "members", mapping.AttributeMapping{TargetAttributeName: "members", FlowType: c.flow, Source: mapping.AttributeOrigin("members")}); err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, s, "")
			ann, bob, cid := w.user("ann"), w.user("bob"), w.user("cid")
			ops := w.group("Ops", ann.ID, bob.ID)
			w.no(w.dir.SetManager(w.clock.Now(), ann.ID, bob.ID))
			w.assign(ops.ID, ann.ID, bob.ID, cid.ID)
			w.no(w.svc.Start(w.app.ID))
			if got := strings.Join(bodies(w.cycle()), ""); !strings.Contains(got, set("Add", "Bob")) || !strings.Contains(got, `"path":"members","value":[{"value":"{Ann}"},{"value":"{Bob}"}]`) {
				t.Fatalf("created with %s", got)
			}
			step := func(name, want string) {
				t.Helper()
				if got := strings.TrimPrefix(strings.Join(bodies(w.cycle()), ""), "PATCH "); got != want {
					t.Errorf("%s: sent %s\nwant %s", name, got, want)
				}
			}
			w.no(w.dir.SetManager(w.clock.Now(), ann.ID, cid.ID))
			step("another manager", c.changed)
			w.no(w.dir.SetManager(w.clock.Now(), ann.ID, ""))
			step("no manager", c.cleared)
			w.no(w.dir.AddMembers(w.clock.Now(), ops.ID, cid.ID))
			step("one more", c.more)
			w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, ann.ID))
			step("one less", c.less)
			for id, name := range w.names() {
				if name == "Ann" && c.flow != mapping.Always {
					w.send("PATCH", "/Users/"+id, patchHead+`{"op":"remove","path":"`+manager+`"}]}`)
				}
			}
			w.no(w.dir.SetManager(w.clock.Now(), ann.ID, bob.ID))
			step("none at the target", c.emptied)
		})
	}
}

// TestPreviewWarns of what an editor should know, of the expression and of its result.
func TestPreviewWarns(t *testing.T) {
	w := newWorld(t, mappedSchema(t, mapping.Starter(), `roles[primary eq "True"].value`, "SingleAppRoleAssignment([appRoleAssignments])"), "")
	w.roles()
	ann := w.user("ann")
	w.give(ann.ID, adminRole)
	w.give(ann.ID, userRole)
	preview := func(target, source string) ExpressionPreview {
		t.Helper()
		o, err := mapping.OriginOf(source)
		w.no(err)
		p, err := w.svc.PreviewMapping(w.app.ID, ann.ID, mapping.AttributeMapping{TargetAttributeName: target, Source: o})
		w.no(err)
		return p
	}
	p := preview(`roles[primary eq "True"].value`, "SingleAppRoleAssignment([appRoleAssignments])")
	if len(p.Warnings) != 1 || p.Result != "Admin" || p.Create != `"roles":[{"primary":true,"type":"WindowsAzureActiveDirectoryRole","value":"Admin"}]` ||
		p.Update != `{"op":"Replace","path":"roles[primary eq \"True\"].value","value":"Admin"}` {
		t.Errorf("%+v", p)
	}
	if p := preview("title", `IIF([city]="", "a", "b")`); len(p.Warnings) != 1 || p.Result != "b" {
		t.Errorf("%+v", p)
	}
	if p := preview("title", `Join(" ", [city], [state])`); p.Result != "" || p.Null || p.Create != "" || p.Update != "" { // neither a POST nor a PATCH carries empty text
		t.Errorf("%+v", p)
	}
	if p := preview("title", `IIF([citi]="", "a", "b")`); !strings.Contains(p.Error, "did you mean [city]?") {
		t.Errorf("%+v", p)
	}
}

// TestSchemaSurvives: a schema that was put is kept with its unknown members, also in the data file.
//
// Shows: F-098, S-295
func TestSchemaSurvives(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	text := strings.Replace(string(mapping.Default().JSON()), `"version":"v1.2"`, `"@odata.context":"x","version":"v1.2","future":[1.0]`, 1)
	s, err := mapping.Parse([]byte(text))
	w.no(err)
	w.no(w.svc.SetSchema(w.app.ID, s))
	got, err := w.svc.Schema(w.app.ID)
	w.no(err)
	if string(got.JSON()) != text {
		t.Error("it came back otherwise")
	}
	again, err := Open(Options{Directory: w.dir, Clock: w.clock, Seed: 1})
	w.no(err)
	kept, err := again.Schema(w.app.ID)
	w.no(err)
	if string(kept.JSON()) != text {
		t.Error("the file keeps another")
	}
	w.no(again.Close())
	if _, err := w.svc.RunCycles(context.Background()); err != nil {
		t.Error(err)
	}
}
