package target

import (
	"fmt"
	"strings"
	"testing"
)

const fullUser = `"userName":"ann","displayName":"Ann","title":"Pilot","active":true,"name":{"givenName":"Ann","familyName":"Ace"},
	"emails":[{"type":"work","value":"w@contoso.example","primary":true},{"type":"home","value":"h@home.example"}],
	"` + ent + `":{"department":"Flight","manager":{"value":"m-1"}},"urn:contoso:tags:User":{"colour":"Red","list":[1,2]}`

// TestPatch sends operations to a bare user ("userName":"ann") or to a full one, and says what is stored afterwards and what
// the target had to put up with. want and lack are what changes in the user: members that are set, members that are gone.
func TestPatch(t *testing.T) {
	for _, c := range []struct {
		name, ops string
		full      bool
		want      string
		lenient   string
	}{
		// What RFC 7644 § 3.5.2 has.
		{"add a text", `{"op":"add","path":"title","value":"x"}`, false, `"title":"x"`, ""},
		{"replace a text", `{"op":"replace","path":"title","value":"x"}`, true, `"title":"x"`, ""},
		{"replace what is not there", `{"op":"replace","path":"title","value":"x"}`, false, `"title":"x"`, ""},
		{"remove a text", `{"op":"remove","path":"title"}`, true, `"title":null`, ""},
		{"remove what is not there", `{"op":"remove","path":"title"}`, false, ``, ""},
		{"null unassigns", `{"op":"replace","path":"title","value":null}`, true, `"title":null`, ""},
		{"in any case", `{"op":"replace","path":"TITLE","value":"x"}`, true, `"title":"x"`, ""},
		{"a part", `{"op":"replace","path":"name.givenName","value":"Anna"}`, true, `"name":{"givenName":"Anna","familyName":"Ace"}`, ""},
		{"a part of nothing", `{"op":"add","path":"name.givenName","value":"Anna"}`, false, `"name":{"givenName":"Anna"}`, ""},
		{"remove a part", `{"op":"remove","path":"name.givenName"}`, true, `"name":{"familyName":"Ace"}`, ""},
		{"remove both parts", `{"op":"remove","path":"name.givenName"},{"op":"remove","path":"name.familyName"}`, true, `"name":null`, ""},
		{"replace parts, the others stay", `{"op":"replace","path":"name","value":{"givenName":"Anna"}}`, true, `"name":{"givenName":"Anna","familyName":"Ace"}`, ""},
		{"remove a complex", `{"op":"remove","path":"name"}`, true, `"name":null`, ""},
		{"Boolean", `{"op":"replace","path":"active","value":false}`, true, `"active":false`, ""},
		{"without path", `{"op":"replace","value":{"title":"x","name":{"givenName":"Anna"},"active":false}}`, true, `"title":"x","name":{"givenName":"Anna","familyName":"Ace"},"active":false`, ""},
		{"without path, add", `{"op":"add","value":{"emails":[{"type":"other","value":"o@x.example"}]}}`, false, `"emails":[{"type":"other","value":"o@x.example"}]`, ""},
		{"without path, what can't change is ignored", `{"op":"replace","value":{"id":"x","meta":{},"schemas":[],"groups":[],"title":"x"}}`, false, `"title":"x"`, ""},
		{"add a value", `{"op":"add","path":"emails","value":[{"type":"other","value":"o@x.example"}]}`, true,
			`"emails":[{"type":"work","value":"w@contoso.example","primary":true},{"type":"home","value":"h@home.example"},{"type":"other","value":"o@x.example"}]`, ""},
		{"add a value that is there", `{"op":"add","path":"emails","value":[{"value":"h@home.example","type":"home"}]}`, true, ``, ""},
		{"replace all values", `{"op":"replace","path":"emails","value":[{"type":"other","value":"o@x.example"}]}`, true, `"emails":[{"type":"other","value":"o@x.example"}]`, ""},
		{"replace by none", `{"op":"replace","path":"emails","value":[]}`, true, `"emails":null`, ""},
		{"remove all values", `{"op":"remove","path":"emails"}`, true, `"emails":null`, ""},
		{"remove by filter", `{"op":"remove","path":"emails[type eq \"work\"]"}`, true, `"emails":[{"type":"home","value":"h@home.example"}]`, ""},
		{"remove by a longer filter", `{"op":"remove","path":"emails[type eq \"home\" or value co \"@contoso\"]"}`, true, `"emails":null`, ""},
		{"remove a part by filter", `{"op":"remove","path":"emails[type eq \"work\"].primary"}`, true, `"emails":[{"type":"work","value":"w@contoso.example"},{"type":"home","value":"h@home.example"}]`, ""},
		{"remove a part of all values", `{"op":"remove","path":"emails.type"}`, true, `"emails":[{"value":"w@contoso.example","primary":true},{"value":"h@home.example"}]`, ""},
		{"set a part of all values", `{"op":"replace","path":"emails.type","value":"other"}`, true, `"emails":[{"type":"other","value":"w@contoso.example","primary":true},{"type":"other","value":"h@home.example"}]`, ""},
		{"set a part of no value", `{"op":"add","path":"ims.value","value":"x"}`, false, `"ims":[{"value":"x"}]`, ""},
		{"a list of one as a value", `{"op":"replace","path":"emails[type eq \"home\"]","value":[{"type":"other","value":"o"}]}`, true, `"emails":[{"type":"work","value":"w@contoso.example","primary":true},{"type":"other","value":"o"}]`, "valueListSub"},
		{"set a part by filter", `{"op":"replace","path":"emails[type eq \"home\"].value","value":"n@home.example"}`, true, `"emails":[{"type":"work","value":"w@contoso.example","primary":true},{"type":"home","value":"n@home.example"}]`, ""},
		{"in any case by filter", `{"op":"replace","path":"Emails[TYPE eq \"HOME\"].Value","value":"n@home.example"}`, true, `"emails":[{"type":"work","value":"w@contoso.example","primary":true},{"type":"home","value":"n@home.example"}]`, ""},
		{"replace a value by filter", `{"op":"replace","path":"emails[type eq \"home\"]","value":{"type":"other","value":"o@x.example"}}`, true, `"emails":[{"type":"work","value":"w@contoso.example","primary":true},{"type":"other","value":"o@x.example"}]`, ""},
		{"add to a value by filter", `{"op":"add","path":"emails[type eq \"home\"]","value":{"display":"Home"}}`, true, `"emails":[{"type":"work","value":"w@contoso.example","primary":true},{"type":"home","value":"h@home.example","display":"Home"}]`, ""},
		{"a new primary takes the mark", `{"op":"add","path":"emails","value":[{"type":"other","value":"o","primary":true}]}`, true,
			`"emails":[{"type":"work","value":"w@contoso.example","primary":false},{"type":"home","value":"h@home.example"},{"type":"other","value":"o","primary":true}]`, ""},
		{"an earlier value takes the mark", `{"op":"replace","path":"emails[type eq \"home\"].primary","value":true},{"op":"replace","path":"emails[type eq \"work\"].primary","value":true}`, true,
			`"emails":[{"type":"work","value":"w@contoso.example","primary":true},{"type":"home","value":"h@home.example","primary":false}]`, ""},
		{"one after another", `{"op":"remove","path":"title"},{"op":"add","path":"title","value":"a"},{"op":"replace","path":"title","value":"b"}`, true, `"title":"b"`, ""},
		{"enterprise", `{"op":"replace","path":"` + ent + `:department","value":"Ground"}`, true, `"` + ent + `":{"department":"Ground","manager":{"value":"m-1"}}`, ""},
		{"enterprise on nothing", `{"op":"add","path":"` + ent + `:department","value":"Ground"}`, false, `"` + ent + `":{"department":"Ground"}`, ""},
		{"enterprise in any case", `{"op":"add","path":"` + strings.ToLower(ent) + `:Department","value":"Ground"}`, false, `"` + ent + `":{"department":"Ground"}`, ""},
		{"the whole extension", `{"op":"replace","path":"` + ent + `","value":{"department":"Ground","employeeNumber":"7"}}`, true, `"` + ent + `":{"department":"Ground","employeeNumber":"7","manager":{"value":"m-1"}}`, ""},
		{"remove the whole extension", `{"op":"remove","path":"` + ent + `"}`, true, `"` + ent + `":null`, ""},
		{"remove the last of an extension", `{"op":"remove","path":"` + ent + `:department"},{"op":"remove","path":"` + ent + `:manager"}`, true, `"` + ent + `":null`, ""},
		{"an extension without path", `{"op":"add","value":{"` + ent + `":{"department":"Ground"}}}`, false, `"` + ent + `":{"department":"Ground"}`, ""},
		{"core URN", `{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq \"home\"].value","value":"n"}`, true, `"emails":[{"type":"work","value":"w@contoso.example","primary":true},{"type":"home","value":"n"}]`, ""},
		{"core URN as an object", `{"op":"replace","value":{"urn:ietf:params:scim:schemas:core:2.0:User":{"title":"x"}}}`, true, `"title":"x"`, ""},
		{"manager", `{"op":"replace","path":"` + ent + `:manager","value":{"value":"m-2"}}`, true, `"` + ent + `":{"department":"Flight","manager":{"value":"m-2"}}`, ""},
		{"manager's value", `{"op":"add","path":"` + ent + `:manager.value","value":"m-2"}`, true, `"` + ent + `":{"department":"Flight","manager":{"value":"m-2"}}`, ""},
		{"manager gone", `{"op":"remove","path":"` + ent + `:manager"}`, true, `"` + ent + `":{"department":"Flight"}`, ""},
		{"an extension that nobody describes", `{"op":"add","path":"urn:contoso:tags:User:size","value":{"w":1,"h":[2]}}`, true, `"urn:contoso:tags:User":{"colour":"Red","list":[1,2],"size":{"w":1,"h":[2]}}`, ""},
		{"add to its list", `{"op":"add","path":"urn:contoso:tags:User:list","value":[2,3]}`, true, `"urn:contoso:tags:User":{"colour":"Red","list":[1,2,3]}`, ""},
		{"remove of it", `{"op":"remove","path":"urn:contoso:tags:User:Colour"}`, true, `"urn:contoso:tags:User":{"list":[1,2]}`, ""},
		{"a part of it", `{"op":"add","path":"urn:contoso:tags:User:size.w","value":3}`, false, `"urn:contoso:tags:User":{"size":{"w":3}}`, ""},
		{"all of it", `{"op":"remove","path":"urn:contoso:tags:User"}`, true, `"urn:contoso:tags:User":null`, ""},
		{"all of it in another case", `{"op":"add","value":{"URN:contoso:TAGS:User":{"colour":"Blue"}}}`, true, `"urn:contoso:tags:User":{"colour":"Blue","list":[1,2]}`, ""},
		{"a password is thrown away", `{"op":"replace","path":"password","value":"secret"}`, true, ``, ""},
		{"schemas follows", `{"op":"add","path":"schemas","value":["urn:x"]}`, true, ``, ""},

		// What Entra sends, in three dialects, and what servers for it take.
		{"disable", `{"op":"Replace","path":"active","value":"False"}`, true, `"active":false`, "opCase stringBoolean"},
		{"e-mail on nothing", `{"op":"Add","path":"emails[type eq \"work\"].value","value":"a@contoso.example"}`, false, `"emails":[{"type":"work","value":"a@contoso.example"}]`, "createFromFilter opCase"},
		{"replace on nothing", `{"op":"replace","path":"emails[type eq \"other\"].value","value":"a"}`, true,
			`"emails":[{"type":"work","value":"w@contoso.example","primary":true},{"type":"home","value":"h@home.example"},{"type":"other","value":"a"}]`, "createFromFilter"},
		{"two parts of one address", `{"op":"Add","path":"addresses[type eq \"work\"].formatted","value":"1"},{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"2"}`, false,
			`"addresses":[{"type":"work","formatted":"1","locality":"2"}]`, "createFromFilter opCase"},
		{"a whole value on nothing", `{"op":"add","path":"emails[type eq \"work\" and primary eq true]","value":{"value":"a"}}`, false, `"emails":[{"type":"work","primary":true,"value":"a"}]`, "createFromFilter"},
		{"primary as text", `{"op":"Add","path":"roles[primary eq \"True\"].value","value":"Admin"}`, false, `"roles":[{"primary":true,"value":"Admin"}]`, "createFromFilter opCase stringBoolean"},
		{"dotted keys", `{"op":"replace","value":{"displayName":"B","name.givenName":"G","` + ent + `:department":"D","emails[type eq \"home\"].value":"n"}}`, true,
			`"displayName":"B","name":{"givenName":"G","familyName":"Ace"},"` + ent + `":{"department":"D","manager":{"value":"m-1"}},"emails":[{"type":"work","value":"w@contoso.example","primary":true},{"type":"home","value":"n"}]`, "dottedKeys"},
		{"manager as text", `{"op":"Add","path":"` + ent + `:manager","value":"271"}`, false, `"` + ent + `":{"manager":{"value":"271"}}`, "managerAsString opCase"},
		{"manager as empty text", `{"op":"replace","path":"` + ent + `:manager","value":""}`, true, `"` + ent + `":{"department":"Flight"}`, "managerAsString"},
		{"manager as a list, bare", `{"op":"Add","path":"manager","value":[{"$ref":"http://x.test/Users/271","value":"271"}]}`, false, `"` + ent + `":{"manager":{"value":"271","$ref":"http://x.test/Users/271"}}`, "bareExtension managerAsList opCase"},
		{"manager off by filter", `{"op":"remove","path":"` + ent + `:manager[value eq \"M-1\"]"}`, true, `"` + ent + `":{"department":"Flight"}`, "filterOnSingle"},
		{"manager off by filter, bare", `{"op":"remove","path":"manager[value eq \"m-1\"]"}`, true, `"` + ent + `":{"department":"Flight"}`, "bareExtension filterOnSingle"},
		{"another manager off by filter", `{"op":"remove","path":"` + ent + `:manager[value eq \"m-2\"]"}`, true, ``, "filterOnSingle removeNothing"},
		{"manager off by a value list", `{"op":"Remove","path":"` + ent + `:manager","value":[{"value":"m-1"}]}`, true, `"` + ent + `":{"department":"Flight"}`, "opCase valueListRemove"},
		{"a text in a list, as in 2018", `{"op":"Replace","path":"title","value":[{"$ref":null,"value":"x"}]}`, true, `"title":"x"`, "opCase valueListSub"},
		{"a part in a list", `{"op":"Replace","path":"name.givenName","value":[{"$ref":null,"value":"Anna"}]}`, true, `"name":{"givenName":"Anna","familyName":"Ace"}`, "opCase valueListSub"},
		{"a Boolean in a list", `{"op":"Replace","path":"active","value":[{"$ref":null,"value":"False"}]}`, true, `"active":false`, "opCase stringBoolean valueListSub"},
		{"of an extension that nobody describes", `{"op":"Add","path":"urn:contoso:tags:2.0:User.colour","value":[{"$ref":null,"value":"Blue"}]}`, false, `"urn:contoso:tags:2.0:User":{"colour":"Blue"}`, "dottedExtension opCase valueListSub"},
		{"a list that nobody describes stays one", `{"op":"add","path":"urn:contoso:tags:User:list","value":[{"value":3}]}`, true, `"urn:contoso:tags:User":{"colour":"Red","list":[1,2,{"value":3}]}`, ""},
		{"an extension with a dot", `{"op":"Add","path":"` + ent + `.department","value":"Ground"}`, false, `"` + ent + `":{"department":"Ground"}`, "dottedExtension opCase"},
		{"a custom extension with a dot", `{"op":"Add","path":"urn:contoso:tags:2.0:User.colour","value":"Blue"}`, false, `"urn:contoso:tags:2.0:User":{"colour":"Blue"}`, "dottedExtension opCase"},
		{"several values for one filter", `{"op":"Add","path":"emails[type eq \"other\"].value","value":[{"value":"a"},{"value":"b"}]}`, false, `"emails":[{"type":"other","value":"a"},{"type":"other","value":"b"}]`, "opCase valueListSub"},
		{"several values instead of one", `{"op":"Replace","path":"emails[type eq \"home\"].value","value":[{"value":"a"},{"value":"b"}]}`, true,
			`"emails":[{"type":"work","value":"w@contoso.example","primary":true},{"type":"home","value":"a"},{"type":"home","value":"b"}]`, "opCase valueListSub"},
		{"a list of one for one filter", `{"op":"Add","path":"emails[type eq \"other\"].value","value":[{"value":"a"}]}`, false, `"emails":[{"type":"other","value":"a"}]`, "createFromFilter opCase valueListSub"},
		{"complex roles as text", `{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"1\",\"value\":\"Admin\"}"}]}`, false, `"roles":[{"value":"{\"id\":\"1\",\"value\":\"Admin\"}"}]`, "opCase"},
		{"assertive roles", `{"op":"replace","path":"roles","value":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"Admin","value":"1"}]}`, false,
			`"roles":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"Admin","value":"1"}]`, ""},
		{"roles with a member of their own", `{"op":"add","path":"roles","value":[{"displayName":"Admin","value":"1"}]}`, false, `"roles":[{"displayName":"Admin","value":"1"}]`, "unknownSubAttribute"},
		{"values off by a list", `{"op":"Remove","path":"emails","value":[{"value":"H@home.example"}]}`, true, `"emails":[{"type":"work","value":"w@contoso.example","primary":true}]`, "opCase valueListRemove"},
		{"values off by another part", `{"op":"remove","path":"emails","value":[{"type":"home"},{"type":"none"}]}`, true, `"emails":[{"type":"work","value":"w@contoso.example","primary":true}]`, "valueListRemove"},
		{"remove by a filter that matches none", `{"op":"remove","path":"emails[type eq \"other\"]"}`, true, ``, "removeNothing"},
		{"unknown names without path", `{"op":"replace","value":{"nonsense":1,"title":"x"}}`, true, `"title":"x"`, "unknownAttribute"},
		{"unknown parts", `{"op":"replace","path":"name","value":{"nonsense":1,"givenName":"x"}}`, true, `"name":{"givenName":"x","familyName":"Ace"}`, "unknownAttribute"},
		{"one value without a list", `{"op":"add","path":"emails","value":{"type":"other","value":"a"}}`, false, `"emails":[{"type":"other","value":"a"}]`, "valueNotList"},
		{"a bare value", `{"op":"add","path":"emails","value":["a"]}`, false, `"emails":[{"value":"a"}]`, "bareValue"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, nil)
			members := `"userName":"ann"`
			if c.full {
				members = fullUser
			}
			id := create(t, s, "Users", members)
			must(t, s, 200, "GET", "/Users/"+id, "")
			s.Store("default").notes = notes{}
			want, err := decode([]byte("{" + members + "}"))
			if err != nil {
				t.Fatal(err)
			}
			changes, err := decode([]byte("{" + c.want + "}"))
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range changes {
				put(want, k, v)
			}
			a := must(t, s, 200, "PATCH", "/Users/"+id, patchBody(c.ops))
			sameJSON(t, stored(t, s, id), string(appendJSON(nil, want)))
			version := 2
			if c.want == "" {
				version = 1 // nothing changed
			}
			if tag := fmt.Sprintf(`W/"%d"`, version); a.header.Get("ETag") != tag || a.json["meta"].(map[string]any)["version"] != tag {
				t.Errorf("version %s, want %s", a.header.Get("ETag"), tag)
			}
			wantNoted(t, s, strings.Fields(c.lenient)...)
		})
	}
}

// TestPatchRefusals: each names its scimType, and nothing of the PATCH happens.
func TestPatchRefusals(t *testing.T) {
	s := newServer(t, nil)
	ids := cast(t, s)
	for _, c := range []struct{ path, ops, scimType, text string }{
		{"ann", `{"op":"remove"}`, "noTarget", "a remove needs a path"}, {"ann", `{"op":"move","path":"title"}`, "invalidSyntax", `op is "move"`}, {"ann", `{"path":"title","value":"x"}`, "invalidSyntax", `op is ""`},
		{"ann", `{"op":"add","path":"title"}`, "invalidValue", "add of title has no value"}, {"ann", `{"op":"replace","path":"title"}`, "invalidValue", "replace of title has no value"},
		{"ann", `{"op":"add","path":5,"value":"x"}`, "invalidPath", "path is text"}, {"ann", `{"op":"add","value":"x"}`, "invalidValue", "needs an object"}, {"ann", `"x"`, "invalidSyntax", "an operation is an object"},
		{"ann", `{"op":"add","path":"nothing","value":"x"}`, "invalidPath", "a User has no attribute nothing"}, {"ann", `{"op":"add","path":"name.nothing","value":"x"}`, "invalidPath", "no attribute name.nothing"},
		{"ann", `{"op":"add","path":"members","value":[]}`, "invalidPath", "a User has no attribute members"}, {"ann", `{"op":"add","path":"` + ent + `:nothing","value":"x"}`, "invalidPath", "no attribute"},
		{"ann", `{"op":"add","path":"emails[","value":"x"}`, "invalidPath", "can't be read at character"}, {"ann", `{"op":"add","path":"emails[type eq \"x\"].","value":"x"}`, "invalidPath", "expected a sub-attribute"},
		{"ann", `{"op":"add","path":"emails[type eq \"x\"].value.x","value":"x"}`, "invalidPath", "expected a sub-attribute"}, {"ann", `{"op":"add","path":"emails.value[type eq \"x\"]","value":"x"}`, "invalidPath", "no"},
		{"ann", `{"op":"add","path":"emails[nothing eq 1]","value":"x"}`, "invalidPath", "emails has no part nothing"}, {"ann", `{"op":"add","path":"emails[primary gt true]","value":"x"}`, "invalidPath", "Boolean"},
		{"ann", `{"op":"replace","path":"title[value eq \"x\"]","value":"x"}`, "invalidPath", "title takes no filter"}, {"ann", `{"op":"add","path":"` + ent + `[x pr]","value":{}}`, "invalidPath", ""},
		{"ann", `{"op":"replace","path":"id","value":"x"}`, "mutability", "id is read-only"}, {"ann", `{"op":"replace","path":"meta.created","value":"x"}`, "mutability", "read-only"},
		{"ann", `{"op":"add","path":"groups","value":[{"value":"x"}]}`, "mutability", "groups is read-only"}, {"ann", `{"op":"replace","path":"` + ent + `:manager.displayName","value":"x"}`, "mutability", "read-only"},
		{"ann", `{"op":"remove","path":"userName"}`, "mutability", "userName is required"}, {"ann", `{"op":"remove","path":"schemas"}`, "mutability", "schemas"},
		{"ann", `{"op":"replace","path":"userName","value":""}`, "invalidValue", "userName is required"}, {"ann", `{"op":"replace","path":"userName","value":null}`, "invalidValue", "userName is required"},
		{"ann", `{"op":"replace","path":"active","value":"maybe"}`, "invalidValue", "active is a Boolean"}, {"ann", `{"op":"replace","path":"active","value":1}`, "invalidValue", "active is a Boolean"},
		{"ann", `{"op":"replace","path":"title","value":{"value":"x"}}`, "invalidValue", "title is text"}, {"ann", `{"op":"replace","path":"title","value":5}`, "invalidValue", "title is text"},
		{"ann", `{"op":"replace","path":"name","value":"Ann"}`, "invalidValue", "name is an object"}, {"ann", `{"op":"replace","path":"emails","value":[5]}`, "invalidValue", "emails is an object"},
		{"ann", `{"op":"replace","path":"emails[type eq \"work\"].value","value":{"x":1}}`, "invalidValue", "value is text"}, {"ann", `{"op":"add","path":"` + ent + `","value":"x"}`, "invalidValue", "is an object"},
		{"ann", `{"op":"add","path":"urn:contoso:x:User:a b","value":"x"}`, "invalidPath", ""}, {"ann", `{"op":"add","value":{"urn:contoso:x:User":{"a b":1}}}`, "invalidPath", ""},
		{"ann", `{"op":"replace","path":"emails[type co \"nothing\"].value","value":"x"}`, "noTarget", "no value of emails matches"}, {"ann", `{"op":"replace","path":"ims[type eq \"a\" or type eq \"b\"].value","value":"x"}`, "noTarget", "no value of ims"},
		{"ann", `{"op":"replace","path":"` + ent + `:manager[value eq \"x\"]","value":{"value":"y"}}`, "noTarget", "does not match"},
		{"Ops", `{"op":"remove","path":"displayName"}`, "mutability", "displayName is required"}, {"Ops", `{"op":"add","path":"members","value":[{"value":"nobody"}]}`, "invalidValue", `no user or group "nobody"`},
		{"Ops", `{"op":"add","path":"members","value":[{"display":"x"}]}`, "invalidValue", "a member has no value"}, {"Ops", `{"op":"replace","path":"members[value eq \"x\"].display","value":"y"}`, "mutability", "members"},
		{"Ops", `{"op":"remove","path":"members[value eq \"x\"].display"}`, "mutability", ""}, {"Ops", `{"op":"add","path":"userName","value":"x"}`, "invalidPath", "a Group has no attribute userName"},
	} {
		path := "/Users/" + ids[c.path]
		first := `{"op":"replace","path":"title","value":"changed"},`
		if c.path == "Ops" {
			path, first = "/Groups/"+ids[c.path], `{"op":"replace","path":"displayName","value":"changed"},`
		}
		before := stored(t, s, ids[c.path])
		a := send(t, s, "PATCH", path, patchBody(first+c.ops))
		detail, _ := a.json["detail"].(string)
		if a.status != 400 || a.json["scimType"] != c.scimType || !strings.Contains(detail, c.text) {
			t.Errorf("%s: %d %s, want %s %q", c.ops, a.status, a.text, c.scimType, c.text)
		}
		if after := stored(t, s, ids[c.path]); after != before {
			t.Errorf("%s left something behind: %s", c.ops, after)
		}
	}
	for _, body := range []string{`{}`, `{"Operations":[{"op":"add","path":"title","value":"x"}]}`, `{"schemas":["urn:x"],"Operations":[{"op":"add","path":"title","value":"x"}]}`, patchBody(""),
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}`, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":{}}`} {
		if a := send(t, s, "PATCH", "/Users/"+ids["ann"], body); a.status != 400 || a.json["scimType"] != "invalidSyntax" {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	if a := send(t, s, "PATCH", "/Users/"+ids["ann"], patchBody(`{"op":"replace","path":"userName","value":"BOB"}`)); a.status != 409 || a.json["scimType"] != "uniqueness" {
		t.Errorf("a taken userName: %d %s", a.status, a.text)
	}
	must(t, s, 200, "PATCH", "/Users/"+ids["ann"], patchBody(`{"op":"replace","path":"userName","value":"ANN"}`)) // its own, in another case
	// Names of members and the order of those of an operation do not matter.
	must(t, s, 200, "PATCH", "/Users/"+ids["ann"], `{"operations":[{"VALUE":"x","Path":"title","OP":"add"}],"SCHEMAS":["urn:ietf:params:scim:api:messages:2.0:patchop"]}`)
}

// TestMembers plays membership as Entra writes it, in each dialect, and as others do.
func TestMembers(t *testing.T) {
	s := newServer(t, nil)
	id := map[string]string{}
	for _, n := range []string{"a", "b", "c"} {
		id[n] = newUser(t, s, n)
	}
	id["g"] = create(t, s, "Groups", `"displayName":"G","members":[]`)
	id["h"] = create(t, s, "Groups", `"displayName":"H"`)
	fill := strings.NewReplacer("{a}", id["a"], "{b}", id["b"], "{c}", id["c"], "{h}", id["h"], "{g}", id["g"])
	for i, st := range []struct{ ops, want, lenient string }{
		{`{"op":"Add","path":"members","value":[{"value":"{a}"},{"value":"{b}"}]}`, "a b", "opCase"},
		{`{"op":"Add","path":"members","value":[{"$ref":null,"value":"{a}"}]}`, "a b", "opCase"}, // again, as after a restart
		{`{"op":"add","path":"members","value":[{"value":"{h}"}]}`, "a b h", ""},
		{`{"op":"Remove","path":"members","value":[{"value":"{a}"}]}`, "b h", "opCase valueListRemove"},
		{`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"{a}"}]}`, "b h", "opCase valueListRemove"},
		{`{"op":"remove","path":"members[value eq \"{h}\"]"}`, "b", ""},
		{`{"op":"remove","path":"members[value eq \"{h}\"]"}`, "b", "removeNothing"},
		{`{"op":"remove","path":"members[value eq \"nobody\"]"}`, "b", "removeNothing"},
		{`{"op":"Replace","path":"displayName","value":"H"}`, "b", "opCase"}, // a rename leaves the members alone
		{`{"op":"replace","path":"members","value":[{"value":"{c}"},{"value":"{b}"},{"value":"{c}"}]}`, "b c", ""},
		{`{"op":"add","value":{"members":[{"value":"{a}"}],"displayName":"I"}}`, "b c a", ""},
		{`{"op":"add","path":"members","value":[{"value":"{h}"}]},{"op":"remove","path":"members[value eq \"{h}\"]"},{"op":"remove","path":"members[value eq \"{b}\"]"}`, "c a", ""},
		{`{"op":"remove","path":"members"},{"op":"add","path":"members","value":[{"value":"{b}"},{"value":"{c}"}]}`, "c b", ""},
		{`{"op":"remove","path":"members[type eq \"Group\" or value eq \"{b}\"]"}`, "c", ""},
		{`{"op":"add","path":"members","value":"{a}"}`, "c a", "bareValue valueNotList"},
		{`{"op":"remove","path":"members[value eq \"{a}\"]"},{"op":"add","path":"members","value":[{"value":"{a}"}]}`, "c a", ""},
		{`{"op":"remove","path":"members","value":[]}`, "", ""}, {`{"op":"remove","path":"members"}`, "", ""},
		{`{"op":"add","path":"members","value":[{"value":"{g}"}]}`, "g", ""}, // a group in itself: the standard has no word against it
		{`{"op":"replace","path":"members","value":[]}`, "", ""},
	} {
		s.Store("default").notes = notes{}
		must(t, s, 204, "PATCH", "/Groups/"+id["g"], patchBody(fill.Replace(st.ops)))
		var names []string
		for _, m := range s.Store("default").Members(id["g"]) {
			for n, have := range id {
				if have == m {
					names = append(names, n)
				}
			}
		}
		if got := strings.Join(names, " "); got != st.want {
			t.Errorf("%d %s: members %q, want %q", i, st.ops, got, st.want)
		}
		wantNoted(t, s, strings.Fields(st.lenient)...)
	}
}

// TestMembershipsEnd: a deleted resource is no member any more, and its groups have a new version.
func TestMembershipsEnd(t *testing.T) {
	s := newServer(t, nil)
	ids := cast(t, s)
	before := must(t, s, 200, "GET", "/Groups/"+ids["Ops"], "").header.Get("ETag")
	must(t, s, 204, "DELETE", "/Users/"+ids["ann"], "")
	g := must(t, s, 200, "GET", "/Groups/"+ids["Ops"], "")
	if list, _ := g.json["members"].([]any); len(list) != 1 || g.header.Get("ETag") == before {
		t.Errorf("after a member was deleted: %s, %s", g.text, g.header.Get("ETag"))
	}
	must(t, s, 204, "DELETE", "/Groups/"+ids["Ops"], "")
	if u := must(t, s, 200, "GET", "/Users/"+ids["bob"], ""); u.json["groups"] != nil {
		t.Errorf("after the group was deleted: %s", u.text)
	}
	if all := must(t, s, 200, "GET", "/Groups/"+ids["All"], ""); len(all.json["members"].([]any)) != 0 {
		t.Errorf("the group of the group: %s", all.text)
	}
}
