package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
)

// samples are a JSON value of each shape, and what else the shape takes.
var samples = map[shape]string{
	isText: `"x"`, isBool: `true`, isTexts: `["x"]`, isObject: `{}`, isObjects: `[{}]`, isNumber: `1`,
}

// TestEveryKnownAttributeIsTyped goes through the tables: the right type is taken, null too, any other rejects the whole
// resource and is named. It then looks at literal answers, since a table proves nothing about itself.
//
// Shows: W-076
func TestEveryKnownAttributeIsTyped(t *testing.T) {
	check := func(rt ResourceType, name string, is shape, wrap string) {
		parse := func(value string) error {
			_, err := ParseResource(rt, []byte(`{"id":"1",`+fmt.Sprintf(wrap, value)+`}`))
			return err
		}
		for shape, value := range samples {
			err := parse(value)
			switch {
			case shape == is && err != nil:
				t.Errorf("%s %s = %s is refused: %v", rt, name, value, err)
			case shape != is && err == nil:
				t.Errorf("%s %s = %s is taken; it has to be %s", rt, name, value, is)
			case shape != is && !strings.Contains(err.Error(), name+" is "):
				t.Errorf("%s %s = %s: the error does not name it: %v", rt, name, value, err)
			}
		}
		if err := parse("null"); err != nil {
			t.Errorf("%s %s = null is refused: %v", rt, name, err)
		}
	}
	var all func(rt ResourceType, table []typed, wrap string)
	all = func(rt ResourceType, table []typed, wrap string) {
		for _, a := range table {
			check(rt, a.name, a.is, fmt.Sprintf(wrap, `"`+a.name+`":%s`))
			inner := `{%s}`
			if a.is == isObjects {
				inner = `[{"x":1},{%s}]`
			}
			all(rt, a.subs, fmt.Sprintf(wrap, `"`+a.name+`":`+inner))
		}
	}
	all(User, userTypes, "%s")
	all(Group, groupTypes, "%s")
}

func TestMistypedAnswers(t *testing.T) {
	const enterprise = `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":`
	for _, c := range []struct {
		rt         ResourceType
		body, want string // "" is taken
	}{
		{User, `{"emails":[{"type":"work","value":5}]}`, "emails: value is a number; expected text"},
		{User, `{` + enterprise + `{"department":7}}`, "enterprise:2.0:User: department is a number; expected text"},
		{User, `{` + enterprise + `{"manager":"2"}}`, "manager is text; expected an object"},
		{User, `{` + enterprise + `{"manager":{"value":7}}}`, "manager: value is a number; expected text"},
		{User, `{` + enterprise + `{"manager":{"value":"7","displayName":null},"badge":[1]}}`, ""},
		{User, `{"addresses":[{"type":"work","formatted":true}]}`, "addresses: formatted is a Boolean; expected text"},
		{User, `{"addresses":{"type":"work"}}`, "addresses is an object; expected a list of objects"},
		{User, `{"phoneNumbers":[{"type":5,"value":"x"}]}`, "phoneNumbers: type is a number; expected text"},
		{User, `{"phoneNumbers":["+1 206 555 0100"]}`, "phoneNumbers is a list that holds text; expected a list of objects"},
		{User, `{"schemas":"x"}`, "schemas is text; expected a list of texts"},
		{User, `{"meta":{"location":5}}`, "meta: location is a number; expected text"},
		{User, `{"meta":{"version":"W/\"1\"","anything":{}}}`, ""},
		{User, `{"emails":[{"primary":"true"}]}`, "emails: primary is text; expected a Boolean"},
		{User, `{"roles":[{"primary":true,"value":"Admin","display":"Admin","type":null}]}`, ""},
		{User, `{"userName":5}`, "userName is a number; expected text"},
		{User, `{"name":"Ann"}`, "name is text; expected an object"},
		{User, `{"name":{"givenName":["Ann"]}}`, "givenName is a list that holds text; expected text"},
		{User, `{"active":"True"}`, "active is text; expected a Boolean"},
		{User, `{"ACTIVE":"True"}`, "active is text; expected a Boolean"},
		{User, `{"groups":[{"value":"1","$ref":1}]}`, "groups: $ref is a number; expected text"},
		{User, `{"badge":7,"urn:example:User":{"level":"9"},"members":"not a user's"}`, ""},
		{Group, `{"members":[{"value":1}]}`, "members: value is a number; expected text"},
		{Group, `{"members":["1"]}`, "members is a list that holds text; expected a list of objects"},
		{Group, `{"displayName":false}`, "displayName is a Boolean; expected text"},
		{Group, `{"active":"not a group's","title":1}`, ""},
	} {
		_, err := ParseResource(c.rt, []byte(`{"id":"1",`+c.body[1:]))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.body, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.body, err, c.want)
		}
	}
	for _, body := range []string{`{"id":1}`, `{"id":""}`, `{"id":null}`, `{}`, `[]`, `null`, ``, `"1"`} {
		if _, err := ParseResource(User, []byte(body)); err == nil {
			t.Errorf("%q has no id and is taken", body)
		}
	}
}

// TestListEnvelope: schemas, totalResults and Resources have to be there, the last with a capital R also in a list without
// a hit; the rest of the envelope may be missing.
//
// Shows: W-079
func TestListEnvelope(t *testing.T) {
	const urn = `"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"]`
	for _, c := range []struct {
		body string
		n    int
		want string
	}{
		{`{` + urn + `,"totalResults":0,"Resources":[],"startIndex":1,"itemsPerPage":20}`, 0, ""},
		{`{` + urn + `,"totalResults":1,"Resources":[{"id":"1"}]}`, 1, ""},
		{`{"Resources":[],"totalResults":0,` + urn + `}`, 0, ""},
		{`{` + urn + `,"totalResults":0,"Resources":[],"startIndex":null}`, 0, ""},
		{`{` + urn + `,"totalResults":0}`, 0, "has no Resources"},
		{`{` + urn + `,"totalResults":0,"resources":[]}`, 0, "has no Resources"},
		{`{` + urn + `,"totalResults":0,"Resources":null}`, 0, "has no Resources"},
		{`{` + urn + `,"totalResults":1}`, 0, "has no Resources"},
		{`{` + urn + `,"totalResults":1,"resources":[{"id":"1"}]}`, 0, "has no Resources"},
		{`{` + urn + `,"Resources":[]}`, 0, "has no totalResults"},
		{`{` + urn + `,"totalResults":"0","Resources":[]}`, 0, "totalResults is text; expected a number"},
		{`{"totalResults":0,"Resources":[]}`, 0, "has no schemas"},
		{`{"schemas":"x","totalResults":0,"Resources":[]}`, 0, "schemas is text"},
		{`{` + urn + `,"totalResults":1,"Resources":{"id":"1"}}`, 0, "Resources is an object; expected a list of objects"},
		{`{` + urn + `,"totalResults":1,"Resources":["1"]}`, 0, "Resources is a list that holds text"},
		{`{` + urn + `,"totalResults":0,"Resources":[],"startIndex":"1"}`, 0, "startIndex is text"},
		{`[]`, 0, "no JSON object"},
		{`<html>`, 0, "invalid character"},
		{``, 0, "the answer is empty"},
		{" \n", 0, "the answer is empty"},
	} {
		hits := 0
		err := parseList([]byte(c.body), func(*fastjson.Value) error { hits++; return nil })
		switch {
		case c.want == "" && (err != nil || hits != c.n):
			t.Errorf("%s: %d hits, %v", c.body, hits, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.body, err, c.want)
		}
	}
}

// TestErrorBodies: an error's members are typed as well. What only its body says is not understood when one is not as RFC
// 7644 has it; what its status says stands.
func TestErrorBodies(t *testing.T) {
	patch := func(c *Client) error { return c.Patch(t.Context(), Tag{}, User, "1", []byte("{}")) }
	read := func(c *Client) error { _, err := c.Get(t.Context(), Tag{}, User, "1"); return err }
	const urn = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],`
	for _, c := range []struct {
		call         func(*Client) error
		status       int
		body         string
		code, detail string
	}{
		{patch, 409, urn + `"status":"409","scimType":"uniqueness","detail":"taken"}`, CodeEntryConflict, ""},
		{patch, 409, urn + `"status":409,"detail":"taken"}`, CodeEntryConflict, ""},
		{patch, 409, urn + `"detail":{"userName":["taken"]}}`, CodeServiceIncompatible, "the error's detail is an object; expected text"},
		{patch, 422, urn + `"scimType":7}`, CodeServiceIncompatible, "the error's scimType is a number; expected text"},
		{patch, 422, urn + `"status":true}`, CodeServiceIncompatible, "the error's status is a Boolean; expected text or a number"},
		{patch, 400, `{"detail":{"op":["no choice"]}}`, CodeServiceIncompatible, "the error's detail is an object"},
		{patch, 409, `<html>conflict</html>`, CodeEntryConflict, ""},
		{patch, 409, `["taken"]`, CodeEntryConflict, ""},
		{patch, 409, ``, CodeEntryConflict, ""},
		{patch, 401, `{"detail":{}}`, CodeUnauthorized, ""},
		{patch, 403, `{"detail":{}}`, CodeInsufficientRights, ""},
		{patch, 404, `{"detail":{}}`, CodeInvalidAnchor, ""},
		{patch, 429, `{"detail":{}}`, CodeTooManyRequests, ""},
		{patch, 503, `{"detail":{}}`, CodeInternalServerError, ""},
		{read, 404, `{"detail":{}}`, CodeInvalidAnchor, ""},
		{read, 500, `{"detail":[]}`, CodeServerError, ""},
		{read, 418, `{"detail":[]}`, CodeServiceIncompatible, "the error's detail is a list"},
	} {
		err := c.call(answering(t, c.status, c.body))
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Detail, c.detail) || c.detail == "" && e.Detail != "" {
			t.Errorf("%d %s: %v, want %s %q", c.status, c.body, err, c.code, c.detail)
		}
	}
}

// TestUnknownMembersAreKeptApart: what the tables do not name is no reason to refuse, however deep.
//
// Shows: W-075
func TestUnknownMembersAreKeptApart(t *testing.T) {
	body := map[string]any{"id": "1", "x": map[string]any{"emails": 5}, "urn:x": []any{nil, 1, "a"}, "emails": []any{map[string]any{"extra": []any{1}}}}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseResource(User, data); err != nil {
		t.Error(err)
	}
}

// TestCodesAreAll: the list of codes has each constant.
func TestCodesAreAll(t *testing.T) {
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	constants := regexp.MustCompile(`(?m)^\tCode\w+ += (?:connector|")`).FindAll(source, -1)
	if len(constants) != len(Codes) || len(Codes) < 20 {
		t.Errorf("%d constants, and %d codes in the list", len(constants), len(Codes))
	}
}
