package target

import (
	"fmt"
	"strings"
	"testing"

	library "github.com/scim2/filter-parser/v2"
)

// FuzzFilter: no filter breaks the parser, what it reads it reads again from its own text, and on what the library for the
// standard's grammar reads too the two agree. They are known to differ: the library reads no escapes in values.
func FuzzFilter(f *testing.F) {
	for _, text := range []string{
		`userName eq "bjensen"`, `name.familyName co "O'Malley"`, `urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`, `title pr`, `meta.lastModified gt "2011-05-13T04:42:34Z"`,
		`title pr and userType eq "Employee"`, `title pr or userType eq "Intern"`, `schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`,
		`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`, `userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`,
		`userType eq "Employee" and (emails.type eq "work")`, `userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`,
		`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`, `emails[type eq "work"].value eq "a"`, `a eq null`, `a eq -1.5E3`, `a eq true`,
		`members.$ref ew "/x"`, `a eq "\u00e9\\\""`, `NOT (a PR) AND b Eq "c"`, `(((a pr)))`, `a eq "é漢"`, `a eq "`, `[`, ``, `a pr and`, "a eq \"\xa2\"",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseFilter(text)
		if err != nil {
			if e, ok := err.(*scimError); !ok || e.status != 400 || e.scimType != "invalidFilter" || !strings.Contains(e.detail, "at character ") && !strings.Contains(e.detail, "longer than") && !strings.Contains(e.detail, "no UTF-8") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, err := parseFilter(n.String())
		if err != nil || again.String() != n.String() {
			t.Fatalf("%q is read as %s, and that as %v %v", text, n, again, err)
		}
		if strings.Contains(text, `\`) {
			return
		}
		other, err := readWithLibrary(text)
		if err == nil && !strings.EqualFold(fromLibrary(other).String(), n.String()) { // it folds the exponents of numbers
			t.Fatalf("%q: the library reads %s, this package %s", text, fromLibrary(other), n)
		}
	})
}

func readWithLibrary(text string) (e library.Expression, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the library broke: %v", r)
		}
	}()
	return library.ParseFilterNumber([]byte(text))
}

func fromLibrary(e library.Expression) *node {
	at := func(p library.AttributePath) attrPath {
		return attrPath{p.URI(), p.AttributeName, p.SubAttributeName()}
	}
	switch x := e.(type) {
	case *library.LogicalExpression:
		return &node{op: string(x.Operator), left: fromLibrary(x.Left), right: fromLibrary(x.Right)}
	case *library.NotExpression:
		return &node{op: "not", left: fromLibrary(x.Expression)}
	case *library.ValuePath:
		return &node{op: "has", path: at(x.AttributePath), left: fromLibrary(x.ValueFilter)}
	case *library.AttributeExpression:
		return &node{op: strings.ToLower(string(x.Operator)), path: at(x.AttributePath), value: x.CompareValue}
	}
	panic(fmt.Sprintf("%T", e))
}

// FuzzSearch: whatever is asked, a search answers 200 or a SCIM error, and the same with an index as without.
func FuzzSearch(f *testing.F) {
	f.Add(`userName eq "ann"`, "userName", "name.givenName")
	f.Add(`emails[type eq "work"].value co "@"`, "emails", "emails.value,"+ent)
	f.Add(`urn:contoso:tags:User:level ge 5`, "urn:contoso:tags:User:level", ent+":manager.value")
	f.Add(`members.value pr or not (meta.created lt "2026-01-05T09:00:00Z")`, "meta.created", "members.display,id")
	f.Add(`id eq "x" and manager eq "y"`, "", "")
	f.Fuzz(func(t *testing.T, filter, sortBy, attributes string) {
		var texts [2]string
		for i, n := range []int{0, 1 << 30} {
			withWorthIndexing(t, n)
			s := newServer(t, nil)
			cast(t, s)
			for _, path := range []string{"/Users", "/Groups", "/"} {
				for _, param := range []string{"attributes", "excludedAttributes"} {
					a := send(t, s, "GET", path+"?filter="+urlQuery(filter)+"&sortBy="+urlQuery(sortBy)+"&"+param+"="+urlQuery(attributes), "")
					if a.status != 200 && a.status != 400 {
						t.Fatalf("%d %s", a.status, a.text)
					}
					texts[i] += a.text
				}
			}
		}
		if texts[0] != texts[1] {
			t.Fatalf("with indexes\n%s\nwithout\n%s", texts[0], texts[1])
		}
	})
}

// FuzzPatch: whatever comes, a PATCH succeeds or is refused with 400 or 409 and leaves everything as it was; the resource
// stays readable, and what is stored is what its own reader makes of it.
func FuzzPatch(f *testing.F) {
	for _, op := range []string{
		`{"op":"Add","path":"emails[type eq \"work\"].value","value":"a"}`, `{"op":"replace","value":{"name.givenName":"a","urn:x:y:User":{"z":1}}}`, `{"op":"remove","path":"members[value eq \"1\"]"}`,
		`{"op":"Replace","path":"active","value":"False"}`, `{"op":"Remove","path":"members","value":[{"value":"1"}]}`, `{"op":"add","path":"` + ent + `:manager","value":"1"}`,
		`{"op":"remove","path":"` + ent + `:manager[value eq \"1\"]"}`, `{"op":"add","path":"roles[primary eq \"True\"].value","value":[{"value":"a"},{"value":"b"}]}`,
		`{"op":"add","path":"urn:x:y:User:list[a eq 1].b","value":{"c":[null]}}`, `{"op":"replace","path":"addresses","value":[{"primary":true},{"primary":true,"x":{}}]}`,
		`{"op":"replace","path":"` + ent + `","value":{"department":"x","manager":{"value":null}}}`, `{"op":"add","path":"displayName","value":"\u0000\u2028<&>"}`, `{"op":"remove","path":"emails.type"}`,
	} {
		f.Add(op)
	}
	f.Fuzz(func(t *testing.T, op string) {
		s := newServer(t, nil)
		ids := cast(t, s)
		for _, path := range []string{"/Users/" + ids["ann"], "/Groups/" + ids["Ops"]} {
			before := must(t, s, 200, "GET", path, "")
			a := send(t, s, "PATCH", path, patchBody(op))
			after := must(t, s, 200, "GET", path, "")
			switch {
			case a.status == 200 && a.text != after.text:
				t.Fatalf("%s answers %s, and GET %s", op, a.text, after.text)
			case a.status >= 400 && a.text != "" && after.text != before.text:
				t.Fatalf("%s was refused with %s and changed %s to %s", op, a.text, before.text, after.text)
			case a.status != 200 && a.status != 204 && a.status != 400 && a.status != 409:
				t.Fatalf("%s: %d %s", op, a.status, a.text)
			}
			for k, v := range after.json { // nothing is empty that should be absent
				if l, ok := v.([]any); v == nil || v == "" && k == "userName" || ok && len(l) == 0 && k != "members" && k != "Resources" {
					t.Fatalf("%s left %s", op, after.text)
				}
			}
			id := path[strings.LastIndexByte(path, '/')+1:]
			doc, err := decode([]byte(stored(t, s, id)))
			k := users
			if strings.HasPrefix(path, "/Groups") {
				k = groups
			}
			if err != nil || string(encode(k, doc)) != stored(t, s, id) {
				t.Fatalf("%s: stored is %s: %v", op, stored(t, s, id), err)
			}
		}
	})
}

// FuzzPost: whatever comes, it is created and reads back as it was answered, or refused with 400 or 409.
func FuzzPost(f *testing.F) {
	f.Add(typical(1))
	f.Add(`{` + userSchema + `,"userName":"a","urn:x:User":{"a":{"b":[1,2.50,null,"\""]}},"emails":[{"primary":true},{"primary":true}]}`)
	f.Add(`{` + userSchema + `,"USERNAME":"a","Name":{"GIVENNAME":"x"},"roles":["a"],"password":"p"}`)
	f.Fuzz(func(t *testing.T, body string) {
		s := newServer(t, nil)
		for _, path := range []string{"/Users", "/Groups"} {
			a := send(t, s, "POST", path, body, "Content-Type", "application/scim+json")
			if a.status != 201 {
				if a.status != 400 && a.status != 409 {
					t.Fatalf("%d %s", a.status, a.text)
				}
				continue
			}
			if got := must(t, s, 200, "GET", path+"/"+a.json["id"].(string), ""); got.text != a.text {
				t.Fatalf("answered %s, reads %s", a.text, got.text)
			}
			if got := must(t, s, 200, "GET", path, ""); !strings.Contains(got.text, a.text) {
				t.Fatalf("answered %s, lists %s", a.text, got.text)
			}
		}
	})
}
