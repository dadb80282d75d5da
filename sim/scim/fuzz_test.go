package scim

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
)

// FuzzResource: no answer breaks the reader, and what was read can be compared.
func FuzzResource(f *testing.F) {
	f.Add([]byte(`{"id":"1","emails":[{"type":"work","value":"a"}],"active":true}`), `emails[type eq "work"].value`, false)
	f.Add([]byte(`{"id":"1","name":{"givenName":"x"},"roles":[{"value":"{\"id\":\"1\"}"}]}`), "name.givenName", false)
	f.Add([]byte(`{"id":"1","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"2"}}}`), managerPath, false)
	f.Add([]byte(`{"id":"1","displayName":"Ops","members":[{"value":"2"}]}`), "members", true)
	f.Add([]byte(`{"ID":"1","schemas":[1]}`), "schemas", true)
	f.Add([]byte(`{"id":1e999,"a":[[[[{}]]]]}`), "a", false)
	f.Fuzz(func(t *testing.T, body []byte, path string, group bool) {
		rt := User
		if group {
			rt = Group
		}
		r, err := ParseResource(rt, body)
		if err != nil {
			return
		}
		if r.ID() == "" {
			t.Error("taken without an id")
		}
		if !json.Valid(body) {
			t.Errorf("taken, and no JSON: %q", body)
		}
		for _, a := range []Attribute{{Path: path, Value: "x"}, {Path: path, Value: []string{"x", "y"}}, {Path: path, Type: Boolean, Value: "True"}, {Path: "roles", Value: Roles{List: []Role{{ID: "1", Value: "x"}}}}} {
			have, present, equal := Differs(r, a, false)
			if have != "" && !present {
				t.Errorf("%q is absent and %q", path, have)
			}
			if _, missing := Missing(r, a, false); equal && missing {
				t.Errorf("%q is equal and missing", path)
			}
			if r.holds(a, true) && !r.holds(a, false) {
				t.Errorf("%q is held with the case and not without", path)
			}
		}
		r.Manager()
	})
}

// FuzzList: a list is read or refused, and its hits are objects.
func FuzzList(f *testing.F) {
	f.Add([]byte(listOf()))
	f.Add([]byte(listOf(`{"id":"1"}`, `{"id":2}`)))
	f.Add([]byte(`{"schemas":[],"totalResults":0,"resources":[]}`))
	f.Add([]byte(`{"schemas":["x"],"totalResults":-1.5e3,"Resources":[null]}`))
	f.Add([]byte("\xef\xbb\xbf{}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		err := parseList(body, func(item *fastjson.Value) error {
			if item.Type() != fastjson.TypeObject {
				t.Errorf("a hit is %v", item.Type())
			}
			r, err := newResource(User, item)
			if err == nil && r.ID() == "" {
				t.Error("a hit without an id")
			}
			return err
		})
		if err != nil && err.Error() == "" {
			t.Error("an error that says nothing")
		}
	})
}

// FuzzError: no error body breaks the reader, and every one gives a code and a message without control characters of ours.
func FuzzError(f *testing.F) {
	f.Add(409, []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409","scimType":"uniqueness","detail":"taken"}`))
	f.Add(400, []byte(`{"detail":{"op":["no choice"]}}`))
	f.Add(500, []byte("<!DOCTYPE html>\x00\xff"))
	f.Add(-1, []byte(strings.Repeat("é", 5000)))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a := &answer{status: status, body: body, shown: body, mask: newMasker("t", false)}
		for op := opProbe; op <= opDelete; op++ {
			e := classify(op, CustomAppSSO, "GET", "https://host.example/Users?x", a)
			if e.Code == "" || e.Message == "" {
				t.Errorf("%d %q: %+v", status, body, e)
			}
			if len(e.Message) > bodyInMessage*4+2000 {
				t.Errorf("a message of %d bytes", len(e.Message))
			}
		}
	})
}

// FuzzTenantURL: what is taken is an address that requests can be built on, and taking it again changes nothing.
func FuzzTenantURL(f *testing.F) {
	for _, seed := range []string{"https://host.example/scim?aadOptscim062020", "http://[::1]:8080/", "https://münchen.example/scim//", "https://host.example/?a=b&AzureAdScimPatch2017=1&c",
		"https://host.example:/scim", "HTTPS://HOST.example/a%2fb", "https://host.example?x#", "https://u@h", "https://\x7f", "ftp://x", "", "https:///scim", "https://host.example/scim?%zz", "http://0\xbc0", "http://0%8000000000000000", "http://0/? 0000000", "http://" + strings.Repeat("n", 300) + "ʼ0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		ep, err := ParseTenantURL(raw)
		if err != nil {
			return
		}
		if strings.HasSuffix(ep.Base, "/") || strings.ContainsAny(ep.Base, "?# \r\n\t") {
			t.Errorf("%q: base %q", raw, ep.Base)
		}
		again, err := ParseTenantURL(ep.Base)
		if err != nil || again.Base != ep.Base {
			t.Errorf("%q: base %q becomes %q, %v", raw, ep.Base, again.Base, err)
		}
		opt := DefaultOptions()
		opt.ForwardTenantQuery = true
		for _, built := range []string{MatchURL(ep, opt, Group, attribute("displayName", raw)), ObjectURL(ep, opt, User, raw, true), ReferenceURL(ep, opt, User, raw, "manager", raw)} {
			if strings.ContainsAny(built, " \r\n\t") {
				t.Errorf("%q: %q", raw, built)
			}
			if _, err := url.Parse(built); err != nil {
				t.Errorf("%q: %v", raw, err)
			}
		}
	})
}

// FuzzPath: a target attribute's text is taken apart without harm, and every body that has it is JSON.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"userName", "name.givenName", `emails[type eq "work"].value`, managerPath, "urn:ietf:params:scim:schemas:core:2.0:User:title", `roles[primary eq "True"].value`,
		"a[", "[]", "a[b].c[d].e", "urn:", "urn:x", ".", "a..b", `a[type eq "x y"]`, `a[type eq ""].b`, `urn:x:y[type eq "a:b"].c`, "a[type  eq\t1]", `a["]`, "é\x00\xff"} {
		f.Add(seed, "x")
	}
	opt := DefaultOptions()
	f.Fuzz(func(t *testing.T, path, value string) {
		splitPath(path)
		a := Attribute{Path: path, Value: value}
		for _, d := range []Dialect{Legacy, Compliant, CustomAppSSO} {
			for _, rt := range []ResourceType{User, Group} {
				for _, body := range [][]byte{CreateBody(rt, d, opt, []Attribute{a, {Path: "title"}}), PatchBody(rt, d, opt, []Change{{Add, a}, {Replace, a}, {Remove, a}}), CreateFragment(rt, d, opt, a)} {
					if len(body) > 0 && body[0] != '{' { // a fragment is a member of a body
						body = append(append([]byte{'{'}, body...), '}')
					}
					if !json.Valid(body) {
						t.Errorf("%s, path %q: %s", d, path, body)
					}
				}
			}
		}
	})
}
