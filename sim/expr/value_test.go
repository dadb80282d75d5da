package expr

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestValues(t *testing.T) {
	at := time.Date(2025, 7, 30, 12, 0, 5, 123456789, time.UTC)
	roles := []Role{{"1", "admin", `Chief "A"`}, {"2", "user", "User"}}
	complexRoles, err := eval(`AppRoleAssignmentsComplex([r])`, Attributes{"r": Roles(roles)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		v          Value
		kind       ValueKind
		text, json string
		list       []string
		null       bool
		empty      bool
	}{
		{"null", Null, KindNull, "", `null`, nil, true, true},
		{"text", String("<a>"), KindString, "<a>", `"<a>"`, []string{"<a>"}, false, false},
		{"empty text", String(""), KindString, "", `""`, []string{""}, false, true},
		{"true", Boolean(true), KindBoolean, "True", `true`, []string{"True"}, false, false},
		{"false", Boolean(false), KindBoolean, "False", `false`, []string{"False"}, false, false},
		{"number", Number(-7), KindNumber, "-7", `-7`, []string{"-7"}, false, false},
		{"large number", Number(1 << 53), KindNumber, "9007199254740992", `9007199254740992`, []string{"9007199254740992"}, false, false},
		{"larger number", Number(1<<53 + 1), KindNumber, "9007199254740993", `"9007199254740993"`, []string{"9007199254740993"}, false, false},
		{"date", Date(at), KindDate, "7/30/2025 12:00:05 PM", `"7/30/2025 12:00:05 PM"`, []string{"7/30/2025 12:00:05 PM"}, false, false},
		{"reference", Reference("id"), KindReference, "id", `"id"`, []string{"id"}, false, false},
		{"list", List([]string{"a", "&"}), KindList, "a", `["a","&"]`, []string{"a", "&"}, false, false},
		{"empty list", List(nil), KindList, "", `[]`, nil, false, true},
		{"roles", Roles(roles), KindRoles, `Chief "A"`, `[{"id":"1","value":"admin","displayName":"Chief \"A\""},{"id":"2","value":"user","displayName":"User"}]`, []string{`Chief "A"`, "User"}, false, false},
		{"no roles", Roles(nil), KindNull, "", `null`, nil, true, true},
		{"complex roles", complexRoles.Value, KindRoles, `{"id":"1","value":"admin","displayName":"Chief \"A\""}`,
			`[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","displayName":"Chief \"A\"","value":"admin"},{"primary":false,"type":"WindowsAzureActiveDirectoryRole","displayName":"User","value":"user"}]`,
			[]string{`{"id":"1","value":"admin","displayName":"Chief \"A\""}`, `{"id":"2","value":"user","displayName":"User"}`}, false, false},
	} {
		data, err := c.v.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if c.v.Kind() != c.kind || c.v.Text() != c.text || string(data) != c.json || c.v.IsNull() != c.null || c.v.IsEmpty() != c.empty {
			t.Errorf("%s: kind %d, text %q, JSON %s, null %v, empty %v", c.name, c.v.Kind(), c.v.Text(), data, c.v.IsNull(), c.v.IsEmpty())
		}
		if diff := cmp.Diff(c.list, c.v.List()); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
	if got := Date(at).Time(); !got.Equal(at.Truncate(100)) {
		t.Errorf("the date is %s, want %s cut to 100 ns", got, at)
	}
	if !Number(1).Time().IsZero() || Number(1).Bool() || !Boolean(true).Bool() {
		t.Error("a number is a date or a Boolean")
	}
	if got, form := complexRoles.Value.Roles(); form != RolesComplex || len(got) != 2 {
		t.Errorf("roles %v in form %d", got, form)
	}
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		in   any
		want string
	}{
		{nil, `null`}, {"a", `"a"`}, {true, `true`}, {3, `3`}, {int64(-3), `-3`}, {uint64(3), `3`}, {3.0, `3`}, {1.5, `"1.5"`}, {1e300, `"1e+300"`},
		{json.Number("12"), `12`}, {json.Number("12345678901234567890"), `"12345678901234567890"`}, {[]string{"a"}, `["a"]`}, {[]any{"a", 1, true}, `["a","1","True"]`},
		{time.Date(2025, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)), `"2025-01-02T02:04:05Z"`}, {[]Role{{"1", "a", "A"}}, `[{"id":"1","value":"a","displayName":"A"}]`},
		{Boolean(true), `true`}, {struct{}{}, `null`},
	} {
		data, err := Of(c.in).MarshalJSON()
		if err != nil || string(data) != c.want {
			t.Errorf("Of(%#v) is %s, %v, want %s", c.in, data, err, c.want)
		}
	}
}

func TestAttributes(t *testing.T) {
	a := Attributes{"Mail": String("1"), "mail": String("2"), "Surname": String("3"), "extension_a_B": String("4"), "x": Null}
	for name, want := range map[string]string{"Mail": "1", "mail": "2", "MAIL": "1", "surname": "3", "extension_a_B": "4", "extension_a_b": "", "EXTENSION_A_B": "", "phone": "", "x": ""} {
		v, known := a.Attribute(name)
		if v.Text() != want || !known || want == "" && !v.IsNull() {
			t.Errorf("[%s] is %q, want %q", name, v.Text(), want)
		}
	}
}

// TestDateBecomesText: a date is no type of an attribute.
func TestDateBecomesText(t *testing.T) {
	r, err := eval(`IIF("1", CDate("2025-01-02"), 1)`, nil)
	if err != nil || r.Value.Kind() != KindString || r.Value.Text() != "1/2/2025 12:00:00 AM" {
		t.Errorf("got %d %q, %v", r.Value.Kind(), r.Value.Text(), err)
	}
	if !strings.HasSuffix(r.Value.Text(), "AM") {
		t.Error("no half of the day")
	}
}
