package directory

import (
	"testing"
)

const reader, writer = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"

func application(t testing.TB, s *Store, name string) ServicePrincipal {
	t.Helper()
	return must[ServicePrincipal](t)(s.CreateServicePrincipal(start, name, "", []AppRole{
		{ID: reader, DisplayName: "Reader", Enabled: true}, {ID: writer, DisplayName: "Writer", Enabled: true},
		{ID: "77777777-2222-4333-8444-555555555555", DisplayName: "Retired"}}))
}

func TestAssignments(t *testing.T) {
	s := open(t)
	ann, ops := user(t, s, "ann"), group(t, s, "ops")
	app, other := application(t, s, "ConfigCat"), application(t, s, "Other")
	first := must[Assignment](t)(s.Assign(start, app.ID, ann.ID, reader))
	must[Assignment](t)(s.Assign(start, app.ID, ann.ID, writer))
	must[Assignment](t)(s.Assign(start, app.ID, ops.ID, ""))
	must[Assignment](t)(s.Assign(start, other.ID, ann.ID, ""))
	if len(first.ID) != 43 || first.SPID != app.ID || first.PrincipalID != ann.ID || first.RoleID != reader {
		t.Errorf("assignment %+v", first)
	}
	for _, c := range []struct {
		name, app, principal, role string
		want                       Code
	}{
		{"twice", app.ID, ann.ID, reader, Conflict},
		{"unknown role", app.ID, ann.ID, "00000000-2222-4333-8444-555555555555", Invalid},
		{"disabled role", app.ID, ann.ID, "77777777-2222-4333-8444-555555555555", Invalid},
		{"unknown principal", app.ID, "nobody", "", NotFound},
		{"unknown application", ann.ID, ann.ID, "", NotFound},
	} {
		if _, err := s.Assign(start, c.app, c.principal, c.role); CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	count := func(want, wantOfAnn int) {
		t.Helper()
		page := must[Page[Assignment]](t)(s.Assignments(app.ID, "", 0))
		of := must[Page[Assignment]](t)(s.FilterAssignmentsOf(ann.ID, "", 0, func(*Assignment) bool { return true }))
		if len(page.Items) != want || len(of.Items) != wantOfAnn {
			t.Errorf("%d assignments, %d of ann; want %d, %d", len(page.Items), len(of.Items), want, wantOfAnn)
		}
	}
	count(3, 3)
	if got := must[Assignment](t)(s.Assignment(app.ID, first.ID)); got != first {
		t.Errorf("got %+v, want %+v", got, first)
	}
	if _, err := s.Assignment(other.ID, first.ID); CodeOf(err) != NotFound {
		t.Errorf("of another application: %v", err)
	}

	mark := s.LastChange()
	check(t, s.Unassign(start, app.ID, first.ID)) // the other role stays
	c := must[Changes](t)(s.Changes(mark, s.LastChange()))
	if want := (AssignmentChange{app.Num, ann.Num, KindUser, true}); len(c.Assignments) != 1 || c.Assignments[0] != want {
		t.Errorf("changes %+v, want %+v", c.Assignments, want)
	}
	count(2, 2)
	if err := s.Unassign(start, app.ID, first.ID); CodeOf(err) != NotFound {
		t.Errorf("unassigned twice: %v", err)
	}
	check(t, s.DeleteUser(start, ann.ID))
	if page := must[Page[Assignment]](t)(s.Assignments(app.ID, "", 0)); len(page.Items) != 1 {
		t.Errorf("a deleted user is listed: %+v", page.Items)
	}
	check(t, s.View(func(r *Reader) error {
		if roles := r.Assigned(app.Num, ann.Num); len(roles) != 1 || roles[0] != writer || !r.AnyAssigned(app.Num, ann.Num) {
			t.Errorf("hidden roles %v", roles)
		}
		return nil
	}))
	must[Object](t)(s.Restore(start, ann.ID))
	check(t, s.Unassign(start, app.ID, ann.ID))
	count(1, 1)
	check(t, s.DeleteServicePrincipal(start, app.ID))
	if _, err := s.Assignments(app.ID, "", 0); CodeOf(err) != NotFound {
		t.Errorf("assignments of a deleted application: %v", err)
	}
	check(t, s.Purge(start, app.ID))
	check(t, s.Trim(start.Add(2*RecycleTime), s.LastChange(), RecycleTime))
	if page := must[Page[Assignment]](t)(s.FilterAssignmentsOf(ops.ID, "", 0, func(*Assignment) bool { return true })); len(page.Items) != 0 {
		t.Errorf("assignments to a forgotten application: %+v", page.Items)
	}
}

func TestServicePrincipals(t *testing.T) {
	s := open(t)
	app := application(t, s, "ConfigCat")
	for _, id := range []string{app.AppID, app.ApplicationID} {
		if got := must[ServicePrincipal](t)(s.ServicePrincipalByAppID(id)); got.ID != app.ID {
			t.Errorf("%s leads to %s", id, got.ID)
		}
	}
	got := must[ServicePrincipal](t)(s.UpdateServicePrincipal(start, app.ID, Props{"displayName": "Cat", "notes": "n", "notificationEmailAddresses": []any{"ops@contoso.example"}}))
	if got.DisplayName != "Cat" || got.Notes != "n" || len(got.NotificationEmailAddresses) != 1 {
		t.Errorf("got %+v", got)
	}
	if err := s.SetAppRoles(start, app.ID, []AppRole{{ID: reader}, {ID: reader}}); CodeOf(err) != Invalid {
		t.Errorf("the same role twice: %v", err)
	}
	check(t, s.SetAppRoles(start, app.ID, []AppRole{{ID: reader, Enabled: true}}))
	if page := must[Page[ServicePrincipal]](t)(s.ServicePrincipals(Query{Prefix: "CAT"})); len(page.Items) != 1 || len(page.Items[0].AppRoles) != 1 {
		t.Errorf("found %+v", page.Items)
	}
	check(t, s.DeleteServicePrincipal(start, app.ID))
	if _, err := s.ServicePrincipalByAppID(app.AppID); CodeOf(err) != NotFound {
		t.Errorf("deleted, by appId: %v", err)
	}
	if page := must[Page[Object]](t)(s.Deleted(KindServicePrincipal, "", 0)); len(page.Items) != 1 {
		t.Errorf("deleted items %+v", page.Items)
	}
	must[Object](t)(s.Restore(start, app.ID))
	must[ServicePrincipal](t)(s.ServicePrincipal(app.ID))
}
