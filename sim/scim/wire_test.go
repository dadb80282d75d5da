package scim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func attribute(path, value string) Attribute { return Attribute{Path: path, Value: value} }

// TestBodies holds the literal bodies of recorded and documented requests
// (application-provisioning-config-problem-scim-compatibility.md, use-scim-to-provision-users-and-groups.md).
//
// Shows: W-087, W-120, W-123
func TestBodies(t *testing.T) {
	const head = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`
	const manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"
	opt := DefaultOptions()
	set := func(d Dialect, op Op, id, old string) string {
		body, send := ManagerPatch(Endpoint{Base: "https://host.example/scim", Dialect: d}, opt, op, id, old)
		if !send {
			return "nothing"
		}
		return string(body)
	}
	active := Change{Replace, Attribute{Path: "active", Type: Boolean, Value: "False"}}
	name := Change{Replace, attribute("displayName", "Ann A")}
	given := Change{Replace, attribute("name.givenName", "Ann")}
	mail := Change{Replace, attribute(`emails[type eq "work"].value`, "ann@contoso.example")}
	nick := Change{Add, attribute("nickName", "Babs")}
	for _, c := range []struct{ name, got, want string }{
		{"disable, legacy", string(PatchBody(User, Legacy, opt, []Change{active})), head + `{"op":"Replace","path":"active","value":"False"}]}`},
		{"disable, compliant", string(PatchBody(User, Compliant, opt, []Change{active})), head + `{"op":"replace","path":"active","value":false}]}`},
		{"several, legacy", string(PatchBody(User, Legacy, opt, []Change{name, mail, given})), head + `{"op":"Replace","path":"displayName","value":"Ann A"},{"op":"Replace","path":"emails[type eq \"work\"].value","value":"ann@contoso.example"},{"op":"Replace","path":"name.givenName","value":"Ann"}]}`},
		{"several, compliant", string(PatchBody(User, Compliant, opt, []Change{name, mail, given, nick})), head + `{"op":"replace","path":"emails[type eq \"work\"].value","value":"ann@contoso.example"},{"op":"replace","value":{"displayName":"Ann A","name.givenName":"Ann"}},{"op":"add","path":"nickName","value":"Babs"}]}`},
		{"manager set, legacy", set(Legacy, Add, "271", ""), head + `{"op":"Add","path":"` + manager + `","value":"271"}]}`},
		{"manager set, compliant", set(Compliant, Replace, "271", "9"), head + `{"op":"replace","path":"` + manager + `","value":"271"}]}`},
		{"manager set, customappsso", set(CustomAppSSO, Add, "271", ""), head + `{"op":"Add","path":"manager","value":[{"$ref":"https://host.example/scim/Users/271","value":"271"}]}]}`},
		{"manager cleared, legacy", set(Legacy, Remove, "", "271"), head + `{"op":"Remove","path":"` + manager + `","value":[{"value":"271"}]}]}`},
		{"manager cleared, compliant", set(Compliant, Remove, "", "271"), head + `{"op":"remove","path":"` + manager + `[value eq \"271\"]"}]}`},
		{"manager cleared, none returned", set(Legacy, Remove, "", ""), "nothing"},
		{"member added, legacy", string(MemberPatches(Legacy, opt, []string{"a", "b"}, nil)[0]), head + `{"op":"Add","path":"members","value":[{"value":"a"},{"value":"b"}]}]}`},
		{"member added, compliant", string(MemberPatches(Compliant, opt, []string{"a"}, nil)[0]), head + `{"op":"add","path":"members","value":[{"value":"a"}]}]}`},
		{"member removed, legacy", string(MemberPatches(Legacy, opt, nil, []string{"a"})[0]), head + `{"op":"Remove","path":"members","value":[{"value":"a"}]}]}`},
		{"members removed, compliant", string(MemberPatches(Compliant, opt, nil, []string{"a", "b"})[0]), head + `{"op":"remove","path":"members[value eq \"a\"]"},{"op":"remove","path":"members[value eq \"b\"]"}]}`},
		{"group renamed, compliant", string(PatchBody(Group, Compliant, opt, []Change{name})), head + `{"op":"replace","path":"displayName","value":"Ann A"}]}`},
		{"number, compliant", string(PatchBody(User, Compliant, opt, []Change{{Add, Attribute{Path: "urn:x:User:badge", Type: Integer, Value: "7"}}})), head + `{"op":"add","path":"urn:x:User:badge","value":7}]}`},
		{"several values", string(PatchBody(User, Legacy, opt, []Change{{Add, Attribute{Path: `emails[type eq "other"].value`, Value: []string{"a", "b"}}}})), head + `{"op":"Add","path":"emails[type eq \"other\"].value","value":[{"value":"a"},{"value":"b"}]}]}`},
		{"group created", string(CreateBody(Group, Legacy, opt, []Attribute{attribute("displayName", "Ops"), attribute("externalId", "1")})), `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"externalId":"1","displayName":"Ops","members":[],"meta":{"resourceType":"Group"}}`},
		{"roles", string(CreateBody(User, Legacy, opt, []Attribute{attribute("userName", "a"), attribute(`roles[primary eq "True"].value`, "Admin")})), `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"a","meta":{"resourceType":"User"},"roles":[{"primary":true,"value":"Admin"}]}`},
		{"primary mapped", string(CreateBody(User, Legacy, opt, []Attribute{attribute("userName", "a"), mail.Attribute, {Path: `emails[type eq "work"].primary`, Type: Boolean, Value: "False"}, attribute(`emails[type eq "work"].display`, "Ann")})), `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"a","emails":[{"primary":false,"type":"work","display":"Ann","value":"ann@contoso.example"}],"meta":{"resourceType":"User"}}`},
		{"filter without a sub-attribute", string(CreateBody(User, Legacy, opt, []Attribute{attribute("userName", "a"), attribute(`ims[type eq "x"]`, "ann")})), `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"a","ims":[{"primary":false,"type":"x","value":"ann"}],"meta":{"resourceType":"User"}}`},
		{"custom extension", string(CreateBody(User, Legacy, opt, []Attribute{attribute("userName", "é\"\n"), attribute("urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:tag", "x")})), `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"é\"\n","meta":{"resourceType":"User"},"urn:ietf:params:scim:schemas:extension:Contoso:2.0:User":{"tag":"x"}}`},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, c.got, c.want)
		}
		if c.got != "nothing" && !json.Valid([]byte(c.got)) {
			t.Errorf("%s is no JSON: %s", c.name, c.got)
		}
	}
}

// Shows: F-213, W-006, W-020, W-021, W-023, W-027, W-029
func TestURLs(t *testing.T) {
	opt := DefaultOptions()
	for _, c := range []struct{ tenant, path, value, want string }{
		{"https://host.example/scim/", "userName", "ann@contoso.example", "https://host.example/scim/Users?filter=userName+eq+%22ann%40contoso.example%22"},
		{"https://host.example/v2?aadOptscim062020", `emails[type eq "work"].value`, "Ann Ace", "https://host.example/v2/Users?filter=emails%5btype+eq+%22work%22%5d.value+eq+%22Ann+Ace%22"},
		{"https://host.example", "externalId", "a+b&c/é", "https://host.example/Users?filter=externalId+eq+%22a%2bb%26c%2f%c3%a9%22"},
	} {
		ep, err := ParseTenantURL(c.tenant)
		if err != nil {
			t.Fatal(err)
		}
		if got := MatchURL(ep, opt, User, attribute(c.path, c.value)); got != c.want {
			t.Errorf("got %s\nwant %s", got, c.want)
		}
	}
	ep := Endpoint{Base: "https://host.example/scim"}
	if got, want := MatchURL(ep, opt, Group, attribute("displayName", "Ops")), "https://host.example/scim/Groups?excludedAttributes=members&filter=displayName+eq+%22Ops%22"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := ObjectURL(ep, opt, User, "cn%3Dabc", true), "https://host.example/scim/Users/cn%253Dabc"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for tenant, want := range map[string]Dialect{"https://host.example/scim": Legacy, "https://host.example/scim?AzureAdScimPatch2017": Legacy,
		"https://host.example/scim?aadOptscim062020": Compliant, "https://host.example/scim/?AADOPTSCIM062020=1": Compliant, "https://host.example/scim?AzureAdScimPatch062020": Compliant} {
		if ep, err := ParseTenantURL(tenant); err != nil || ep.Dialect != want || ep.Query != "" {
			t.Errorf("%s: %v, %v; want %v", tenant, ep.Dialect, err, want)
		}
	}
	var err error
	ep, err = ParseTenantURL("https://host.example/scim?aadOptscim062020&tenant=7")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := MatchURL(ep, opt, User, attribute("userName", "ann")), "https://host.example/scim/Users?filter=userName+eq+%22ann%22"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	opt.ForwardTenantQuery = true
	if got, want := MatchURL(ep, opt, User, attribute("userName", "ann")), "https://host.example/scim/Users?filter=userName+eq+%22ann%22&tenant=7"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// What can't be is refused with what to do instead, in words that are not the parser's.
	for bad, want := range map[string]string{
		"":                                "the Tenant URL is empty; enter",
		"ftp://x":                         "does not begin with https:// or http://; put one",
		"host.example/scim":               "does not begin with https:// or http://; put one",
		"host.example:8443/scim":          "does not begin with https:// or http://; put one",
		"127.0.0.1:8443/scim":             "does not begin with https:// or http://; put one",
		"https://":                        "names no host; enter",
		"https://:443/scim":               "names no host; enter",
		"https://host.example:99999/scim": "the port 99999 of the Tenant URL",
		"https://host.example:0/scim":     "ports go from 1 to 65535",
		"https://host.example:http/scim":  "what follows the host's colon is no port; enter",
		"https://host name.example/scim":  "is no URL: invalid character",
		"https://u:p@host.example":        "enter the token as Secret token",
		"https://host.example/#x":         "has a fragment (#…), which is never sent; leave it out",
		"https://host_..example/scim":     "is no name of a host; enter",
	} {
		_, err := ParseTenantURL(bad)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "parse ") {
			t.Errorf("%q: %v, want %q", bad, err, want)
		}
	}
}

// TestHeaders looks at the raw request: these headers and no other, no User-Agent among them.
//
// Shows: W-015, W-017
func TestHeaders(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"id":"1"}`)
	}))
	defer server.Close()
	c := NewClient(Endpoint{Base: server.URL}, "secret-token-value", DefaultOptions(), time.Now, nil)
	if _, err := c.Create(context.Background(), Tag{}, User, []Attribute{attribute("userName", "a")}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Authorization": "Bearer secret-token-value", "Accept": "application/scim+json", "Adscimversion": "5.0", "Content-Type": "application/scim+json; charset=utf-8"}
	for k, v := range want {
		if got.Get(k) != v {
			t.Errorf("%s: %q, want %q", k, got.Get(k), v)
		}
		got.Del(k)
	}
	got.Del("Content-Length")
	if len(got) > 0 {
		t.Errorf("more headers: %v", got)
	}
}

// TestAnswers is the table of what each answer means.
//
// Shows: W-019, W-077, W-096, W-177, W-180, W-196
func TestAnswers(t *testing.T) {
	ctx := context.Background()
	probe := func(c *Client) error { return c.Probe(ctx, Tag{}, User, "userName", "x") }
	match := func(c *Client) error {
		_, err := c.Match(ctx, Tag{}, User, attribute("userName", "x"), false)
		return err
	}
	get := func(c *Client) error { _, err := c.Get(ctx, Tag{}, User, "1"); return err }
	group := func(c *Client) error { _, err := c.Get(ctx, Tag{}, Group, "1"); return err }
	create := func(c *Client) error { _, err := c.Create(ctx, Tag{}, User, nil); return err }
	patch := func(c *Client) error { return c.Patch(ctx, Tag{}, User, "1", []byte("{}")) }
	del := func(c *Client) error { return c.Delete(ctx, Tag{}, User, "1") }
	list := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1,"Resources":[%]}`
	for _, c := range []struct {
		name   string
		call   func(*Client) error
		status int
		body   string
		want   string
	}{
		{"probe 401", probe, 401, "", CodeCredentialFailure}, {"probe HTML", probe, 200, "<html>", CodeCredentialFailure}, {"probe 404", probe, 404, "", CodeCredentialFailure},
		{"match 404", match, 404, "", CodeServiceIncompatible}, {"match 400", match, 400, "", CodeServiceIncompatible}, {"match 503", match, 503, "", CodeServerError},
		{"match other", match, 200, strings.Replace(list, "%", `{"id":"1","userName":"y"}`, 1), CodeServiceIncompatible}, {"match hit", match, 200, strings.Replace(list, "%", `{"id":"1","userName":"X"}`, 1), ""},
		{"match id a number", match, 200, strings.Replace(list, "%", `{"id":1,"userName":"x"}`, 1), CodeServiceIncompatible},
		{"read 404", get, 404, "", CodeInvalidAnchor}, {"read list", get, 200, strings.Replace(list, "%", "", 1), CodeMultipleEntries},
		{"read manager as text", get, 200, `{"id":"1","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":"2"}}`, CodeServiceIncompatible},
		{"read active as text", get, 200, `{"id":"1","active":"True"}`, CodeServiceIncompatible}, {"read members", group, 200, `{"id":"1","members":[{"value":"2"}]}`, CodeMultipleEntries},
		{"create 201", create, 201, `{"id":"1"}`, ""}, {"create 200", create, 200, `{"id":"1"}`, ""}, {"create without id", create, 201, `{}`, CodeServiceIncompatible}, {"create 409", create, 409, "", CodeEntryConflict},
		{"create 400", create, 400, "", CodeServiceIncompatible}, {"create 500", create, 500, "", CodeInternalServerError}, {"create 302", create, 302, "", CodeServiceIncompatible},
		{"patch 204", patch, 204, "", ""}, {"patch 404", patch, 404, "", CodeInvalidAnchor}, {"patch 409", patch, 409, "", CodeEntryConflict}, {"patch 429", patch, 429, "", CodeTooManyRequests},
		{"patch 403", patch, 403, "", CodeInsufficientRights}, {"patch 405", patch, 405, "", CodeMethodNotAllowed}, {"patch 422", patch, 422, "", CodeUnprocessableEntity}, {"patch 501", patch, 501, "", CodeNotImplemented},
		{"delete 404", del, 404, "", ""}, {"delete 202", del, 202, "", ""}, {"delete 401", del, 401, "", CodeUnauthorized},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/scim+json")
			w.WriteHeader(c.status)
			if c.status != 204 {
				io.WriteString(w, c.body)
			}
		}))
		err := c.call(NewClient(Endpoint{Base: server.URL}, "t", DefaultOptions(), time.Now, nil))
		server.Close()
		var e *Error
		errors.As(err, &e)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (e == nil || e.Code != c.want):
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	var e *Error
	if err := patch(NewClient(Endpoint{Base: server.URL}, "t", DefaultOptions(), time.Now, nil)); !errors.As(err, &e) || e.Code != CodeWebException || !e.NoAnswer {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestTokenIsMasked(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		w.WriteHeader(500)
		io.WriteString(w, "you sent "+r.Header.Get("Authorization"))
	}))
	defer server.Close()
	var x *Exchange
	c := NewClient(Endpoint{Base: server.URL}, "a-secret-token-of-length", DefaultOptions(), time.Now, func(e *Exchange) { x = e })
	err := c.Patch(context.Background(), Tag{}, User, "1", []byte("{}"))
	data, jsonErr := json.Marshal(x)
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	if strings.Contains(err.Error()+string(data)+string(x.ResponseBody), "a-secret-token-of-length") {
		t.Errorf("the token shows: %v %s", err, data)
	}
}
