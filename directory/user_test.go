package directory

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestUserPrincipalNameIsUniqueWithoutCase(t *testing.T) {
	s := open(t)
	ann := user(t, s, "ann")
	_, err := s.CreateUser(start, Props{"displayName": "Other", "mailNickname": "o", "userPrincipalName": "ANN@contoso.example"})
	if CodeOf(err) != Conflict {
		t.Fatalf("second ann: %v, want conflict", err)
	}
	// Deleted accounts free their name; a restore then fails and changes nothing.
	if err := s.DeleteUser(start, ann.ID); err != nil {
		t.Fatal(err)
	}
	second := user(t, s, "ann")
	if _, err := s.Restore(start, ann.ID); CodeOf(err) != Conflict {
		t.Fatalf("restore: %v, want conflict", err)
	}
	if err := s.DeleteUser(start, second.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Restore(start, ann.ID); err != nil {
		t.Fatal(err)
	}
	if got := must[User](t)(s.User("Ann@Contoso.example")); got.ID != ann.ID {
		t.Fatalf("got %s, want %s", got.ID, ann.ID)
	}
}

func TestErrorsNameThePropertyAndTheCure(t *testing.T) {
	s := open(t)
	ann := user(t, s, "ann")
	for _, c := range []struct {
		edit Props
		want string
	}{
		{Props{"displayNme": "x"}, "Did you mean 'displayName'?"},
		{Props{"accountEnabled": "yes"}, "accountEnabled"},
		{Props{"displayName": nil}, "A value is required for property 'displayName'"},
		{Props{"employeeId": strings.Repeat("7", 17)}, "at most 16"},
		{Props{"userPrincipalName": "no domain"}, "Write name@domain"},
		{Props{"manager": ann.ID}, "their own manager"},
		{Props{"businessPhones": []any{"1", "2"}}, "at most one"},
		{Props{"id": "x"}, "read-only"},
		{Props{"employeeHireDate": "tomorrow"}, "2026-01-31T09:00:00Z"},
	} {
		if _, err := s.UpdateUser(start, ann.ID, c.edit); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.edit, err, c.want)
		}
	}
	if n := s.LastChange(); n != 1 {
		t.Errorf("refused edits left %d changes", n-1)
	}
}

func TestUserPropertiesRoundTrip(t *testing.T) {
	s := open(t)
	values := Props{
		"businessPhones": []any{"+1 425 555 0100"}, "otherMails": []any{"a@fabrikam.test", "", "b@fabrikam.test"}, "employeeHireDate": "2024-02-29T12:00:00+02:00",
		"employeeOrgData": map[string]any{"costCenter": "1001"}, "onPremisesExtensionAttributes": map[string]any{"extensionAttribute15": "fifteen"},
		"showInAddressList": false, "extension_0123456789abcdef0123456789abcdef_grade": 7, "state": "WA", "usageLocation": "US",
		"assignedLicenses": []any{map[string]any{"skuId": "a", "disabledPlans": []any{}}},
	}
	ann := user(t, s, "ann")
	must[User](t)(s.UpdateUser(start, ann.ID, values))
	mark := s.LastChange()
	must[User](t)(s.UpdateUser(start, ann.ID, values))
	if s.LastChange() != mark {
		t.Error("the same values again are a change")
	}
	u := must[User](t)(s.User(ann.ID))
	for name, want := range map[string]any{
		"businessPhones": []string{"+1 425 555 0100"}, "otherMails": []string{"a@fabrikam.test", "b@fabrikam.test"},
		"employeeHireDate": time.Date(2024, 2, 29, 10, 0, 0, 0, time.UTC), "employeeOrgData/costCenter": "1001", "employeeOrgData/division": nil,
		"onPremisesExtensionAttributes/extensionAttribute15": "fifteen", "showInAddressList": false, "isResourceAccount": nil,
		"extension_0123456789abcdef0123456789abcdef_grade": 7.0, "state": "WA", "accountEnabled": true, "userType": "Member", "city": nil,
		"createdDateTime": start, "deletedDateTime": nil, "id": ann.ID,
	} {
		if got, known := u.Get(name); !known || !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %#v (%v), want %#v", name, got, known, want)
		}
	}
	if _, known := u.Get("shoeSize"); known {
		t.Error("shoeSize is known")
	}
	clear := Props{}
	for name := range values {
		clear[name] = nil
	}
	must[User](t)(s.UpdateUser(start, ann.ID, clear))
	u = must[User](t)(s.User(ann.ID))
	for _, p := range UserProperties() {
		got, _ := u.Get(p.Name)
		before, _ := ann.Get(p.Name)
		if !reflect.DeepEqual(got, before) {
			t.Errorf("%s = %v after clearing, was %v", p.Name, got, before)
		}
	}
	if len(u.Extensions) != 0 {
		t.Errorf("extensions %v stay", u.Extensions)
	}
}

// TestEveryPropertyCanBeSetAndRead is the contract of the table: what can be written comes back, in the file's own words.
func TestEveryPropertyCanBeSetAndRead(t *testing.T) {
	s := open(t)
	ann := user(t, s, "ann")
	special := map[string]any{"userPrincipalName": "new@contoso.example", "userType": "Guest", "usageLocation": "DE", "mail": "a@contoso.example"}
	for _, p := range UserProperties() {
		v := special[p.Name]
		if v == nil {
			v = map[Type]any{TypeString: "x", TypeBoolean: true, TypeStrings: []string{"x"}, TypeTime: start.Add(time.Hour),
				TypeObjects: []map[string]any{{"a": "b"}}}[p.Type]
		}
		u, err := s.UpdateUser(start, ann.ID, Props{p.Name: v})
		if p.ReadOnly {
			if CodeOf(err) != Invalid {
				t.Errorf("%s: %v, want invalid", p.Name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		if got, _ := u.Get(p.Name); !reflect.DeepEqual(got, v) {
			t.Errorf("%s = %#v, want %#v", p.Name, got, v)
		}
		if p.Max > 0 && special[p.Name] == nil {
			if _, err := s.UpdateUser(start, ann.ID, Props{p.Name: strings.Repeat("ä", p.Max+1)}); CodeOf(err) != Invalid {
				t.Errorf("%s: %d characters: %v", p.Name, p.Max+1, err)
			}
		}
	}
}

func TestPrimaryAddressFollowsMail(t *testing.T) {
	s := open(t)
	ann := user(t, s, "ann")
	for _, c := range []struct{ mail, want string }{
		{"ann@contoso.example", "SMTP:ann@contoso.example"},
		{"ann.lee@contoso.example", "SMTP:ann.lee@contoso.example smtp:ann@contoso.example"},
		{"ann@contoso.example", "SMTP:ann@contoso.example smtp:ann.lee@contoso.example"},
		{"", "smtp:ann@contoso.example smtp:ann.lee@contoso.example"},
	} {
		u := must[User](t)(s.UpdateUser(start, ann.ID, Props{"mail": c.mail}))
		if got := strings.Join(u.ProxyAddresses, " "); got != c.want {
			t.Errorf("mail %q: %s, want %s", c.mail, got, c.want)
		}
	}
	u := must[User](t)(s.UpdateUser(start, ann.ID, Props{"mail": "x@contoso.example", "proxyAddresses": []string{"SMTP:y@contoso.example"}}))
	if len(u.ProxyAddresses) != 1 {
		t.Errorf("given addresses were changed: %v", u.ProxyAddresses)
	}
}

func TestManagers(t *testing.T) {
	s := open(t)
	boss, ann := user(t, s, "boss"), user(t, s, "ann")
	check(t, s.SetManager(start, ann.UserPrincipalName, boss.ID))
	has := func(want bool) {
		t.Helper()
		m, ok, err := s.Manager(ann.ID)
		check(t, err)
		if ok != want || want && m.ID != boss.ID {
			t.Errorf("manager %v %v, want %v", m.DisplayName, ok, want)
		}
		if reports := must[[]Object](t)(s.DirectReports(boss.ID)); want != (len(reports) == 1) {
			t.Errorf("reports %v", reports)
		}
	}
	has(true)
	check(t, s.DeleteUser(start, boss.ID))
	if _, ok, err := s.Manager(ann.ID); ok || err != nil {
		t.Error("a deleted manager is shown")
	}
	must[Object](t)(s.Restore(start, boss.ID))
	has(true)
	if err := s.SetManager(start, ann.ID, "nobody@contoso.example"); CodeOf(err) != NotFound {
		t.Errorf("unknown manager: %v", err)
	}
	check(t, s.SetManager(start, ann.ID, ""))
	has(false)
	// A manager who is purged for good leaves no trace in those who reported to them.
	check(t, s.SetManager(start, ann.ID, boss.ID))
	check(t, s.DeleteUser(start, boss.ID))
	check(t, s.Purge(start, boss.ID))
	check(t, s.Trim(start.Add(40*24*time.Hour), s.LastChange(), RecycleTime))
	if u := must[User](t)(s.User(ann.ID)); u.ManagerNum != 0 {
		t.Error("the manager is remembered")
	}
}

func TestSecurityIdentifier(t *testing.T) {
	// The bytes of a SID are those of the GUID as Windows writes it.
	o := Object{ID: "73d664e4-0886-4a73-b745-c694da45ddb4"}
	if got, want := o.SecurityIdentifier(), "S-1-12-1-1943430372-1249052806-2496021943-3034400218"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
