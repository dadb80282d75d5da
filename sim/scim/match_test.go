package scim

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// answering is a client of a target that gives one and the same answer to everything.
func answering(t *testing.T, status int, body string, headers ...string) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		if status != http.StatusNoContent {
			if _, err := io.WriteString(w, body); err != nil {
				t.Log(err)
			}
		}
	}))
	t.Cleanup(server.Close)
	return NewClient(Endpoint{Base: server.URL}, "t", DefaultOptions(), time.Now, nil)
}

func listOf(resources ...string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":%d,"Resources":[%s]}`, len(resources), strings.Join(resources, ","))
}

// TestHitsAreCheckedAgain: the target's own filter is not relied on. A hit without the attribute, or with another value, is
// no match; the case of letters counts when the attribute is caseExact.
//
// Shows: W-073
func TestHitsAreCheckedAgain(t *testing.T) {
	name := Attribute{Path: "userName", Value: "ann@contoso.example"}
	mail := Attribute{Path: `emails[type eq "work"].value`, Value: "ann@contoso.example"}
	active := Attribute{Path: "active", Type: Boolean, Value: "True"}
	for _, c := range []struct {
		name   string
		rt     ResourceType
		by     Attribute
		exact  bool
		answer string
		code   string
		detail string
	}{
		{"none", User, name, false, listOf(), "", ""},
		{"the value", User, name, false, listOf(`{"id":"1","userName":"ann@contoso.example"}`), "", ""},
		{"another case", User, name, false, listOf(`{"id":"1","userName":"Ann@Contoso.example"}`), "", ""},
		{"another case, exact", User, name, true, listOf(`{"id":"1","userName":"Ann@Contoso.example"}`), CodeServiceIncompatible, `has the userName "Ann@Contoso.example"; "ann@contoso.example" was asked for`},
		{"another value", User, name, false, listOf(`{"id":"1","userName":"bob@contoso.example"}`), CodeServiceIncompatible, `has the userName "bob@contoso.example"`},
		{"without it", User, name, false, listOf(`{"id":"1","active":true}`), CodeServiceIncompatible, "the object returned has no userName"},
		{"null", User, name, false, listOf(`{"id":"1","userName":null}`), CodeServiceIncompatible, "the object returned has no userName"},
		{"empty", User, name, false, listOf(`{"id":"1","userName":""}`), CodeServiceIncompatible, "the object returned has no userName"},
		{"by mail", User, mail, false, listOf(`{"id":"1","emails":[{"type":"home","value":"x@contoso.example"},{"type":"work","value":"ann@contoso.example"}]}`), "", ""},
		{"by another mail", User, mail, false, listOf(`{"id":"1","emails":[{"type":"home","value":"ann@contoso.example"}]}`), CodeServiceIncompatible, "has no emails"},
		{"a Boolean", User, active, true, listOf(`{"id":"1","active":true}`), "", ""},
		{"the other Boolean", User, active, false, listOf(`{"id":"1","active":false}`), CodeServiceIncompatible, `has the active "false"`},
		{"several users", User, name, false, listOf(`{"id":"1","userName":"ann@contoso.example"}`, `{"id":"2","userName":"ANN@contoso.example"}`), CodeDuplicateTargetEntries, ""},
		{"several users, filter ignored", User, name, false, listOf(`{"id":"1","userName":"a"}`, `{"id":"2","userName":"b"}`), CodeDuplicateTargetEntries, ""},
		{"several groups", Group, Attribute{Path: "displayName", Value: "Ops"}, false, listOf(`{"id":"1","displayName":"Ops"}`, `{"id":"2","displayName":"ops"}`), CodeDuplicateTargetEntries, ""},
		{"several groups, filter ignored", Group, Attribute{Path: "displayName", Value: "Ops"}, false, listOf(`{"id":"1","displayName":"A"}`, `{"id":"2","displayName":"Ops"}`), CodeMultipleEntries, ""},
		{"a group with members", Group, Attribute{Path: "displayName", Value: "Ops"}, false, listOf(`{"id":"1","displayName":"Ops","members":[{"value":"2"}]}`), CodeMultipleEntries, ""},
		{"one of several mistyped", User, name, false, listOf(`{"id":"1","userName":"ann@contoso.example"}`, `{"id":2}`), CodeServiceIncompatible, "id is a number; expected text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, err := answering(t, 200, c.answer).Match(t.Context(), Tag{}, c.rt, c.by, c.exact)
			var e *Error
			switch errors.As(err, &e); {
			case c.code == "" && (err != nil || strings.Count(c.answer, `"id"`) != len(found)):
				t.Errorf("%d hits, %v", len(found), err)
			case c.code != "" && (e == nil || e.Code != c.code || !strings.Contains(e.Detail, c.detail)):
				t.Errorf("%v; want %s %q", err, c.code, c.detail)
			}
		})
	}
}

// TestFilterValues: texts are quoted, Booleans and numbers are not (use-scim-to-provision-users-and-groups.md, "Retrieving
// Resources").
//
// Shows: W-024, W-026
func TestFilterValues(t *testing.T) {
	ep := Endpoint{Base: "https://host.example/scim"}
	escaped := DefaultOptions()
	escaped.EscapeFilterValues = true
	for _, c := range []struct {
		opt  Options
		a    Attribute
		want string
	}{
		{DefaultOptions(), Attribute{Path: "active", Type: Boolean, Value: "True"}, "active+eq+true"},
		{DefaultOptions(), Attribute{Path: "active", Type: Boolean, Value: "FALSE"}, "active+eq+false"},
		{DefaultOptions(), Attribute{Path: "active", Type: Boolean, Value: "perhaps"}, "active+eq+%22perhaps%22"},
		{DefaultOptions(), Attribute{Path: "urn:x:User:badge", Type: Integer, Value: "0042"}, "urn%3ax%3aUser%3abadge+eq+42"},
		{DefaultOptions(), Attribute{Path: "urn:x:User:badge", Type: Integer, Value: "-7"}, "urn%3ax%3aUser%3abadge+eq+-7"},
		{DefaultOptions(), Attribute{Path: "urn:x:User:badge", Type: Integer, Value: "A7"}, "urn%3ax%3aUser%3abadge+eq+%22A7%22"},
		{DefaultOptions(), Attribute{Path: "employeeNumber", Value: "42"}, "employeeNumber+eq+%2242%22"},
		{DefaultOptions(), Attribute{Path: "displayName", Value: `a"b\c`}, "displayName+eq+%22a%22b%5cc%22"},
		{escaped, Attribute{Path: "displayName", Value: `a"b\c`}, "displayName+eq+%22a%5c%22b%5c%5cc%22"},
	} {
		if got, want := MatchURL(ep, c.opt, User, c.a), ep.Base+"/Users?filter="+c.want; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if got, want := ReferenceURL(ep, DefaultOptions(), User, "7", "manager", "9"), ep.Base+"/Users?attributes=id&filter=id+eq+%227%22+and+manager+eq+%229%22"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := ReferenceURL(ep, DefaultOptions(), Group, "7", "members", "9"), ep.Base+"/Groups?attributes=id&filter=id+eq+%227%22+and+members+eq+%229%22"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
