package target

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestCreateReadReplaceDelete is the life of a resource (RFC 7644 § 3.3 to 3.6).
func TestCreateReadReplaceDelete(t *testing.T) {
	s := newServer(t, nil)
	a := must(t, s, 201, "POST", "/Users", `{`+userSchema+`,"externalId":"x-1","USERNAME":"Ann","id":"mine","meta":{"created":"1999-01-01T00:00:00Z","resourceType":"User"},"groups":[{"value":"g"}],
		"title":null,"emails":[],"name":{},"active":true,"password":"secret","emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`)
	id, _ := a.json["id"].(string)
	const location = "http://scim.test/scim/Users/"
	if a.header.Get("Location") != location+id || a.header.Get("ETag") != `W/"1"` || id == "mine" {
		t.Errorf("headers %v of %s", a.header, id)
	}
	want := `{` + userSchema + `,"id":"` + id + `","externalId":"x-1","userName":"Ann","active":true,"emails":[{"value":"a","primary":false},{"value":"b","primary":true}],` +
		`"meta":{"resourceType":"User","created":"2026-01-05T09:00:00Z","lastModified":"2026-01-05T09:00:00Z","location":"` + location + id + `","version":"W/\"1\""}}`
	if a.text != want {
		t.Errorf("got  %s\nwant %s", a.text, want)
	}
	if got := must(t, s, 200, "GET", "/Users/"+id, "").text; got != want {
		t.Errorf("GET: %s", got)
	}
	wantNoted(t, s)
	for _, body := range []string{`"userName":"ANN"`, `"userName":"ann","externalId":"other"`} {
		if a := send(t, s, "POST", "/Users", `{`+userSchema+`,`+body+`}`); a.status != 409 || a.json["scimType"] != "uniqueness" {
			t.Errorf("%s again: %d %s", body, a.status, a.text)
		}
	}
	for range 2 { // a group's name and anybody's externalId may stand twice
		create(t, s, "Groups", `"displayName":"Same","externalId":"x-1"`)
	}
	p := must(t, s, 200, "PUT", "/Users/"+id, `{`+userSchema+`,"userName":"Anna","title":"Pilot"}`)
	if p.json["active"] != nil || p.json["externalId"] != nil || p.json["title"] != "Pilot" || p.json["id"] != id || p.header.Get("ETag") != `W/"2"` {
		t.Errorf("PUT: %s %v", p.text, p.header)
	}
	if p = must(t, s, 200, "PUT", "/Users/"+id, `{"title":"Pilot",`+userSchema+`,"userName":"Anna"}`); p.header.Get("ETag") != `W/"2"` {
		t.Errorf("the same PUT again: %s", p.header.Get("ETag"))
	}
	must(t, s, 404, "PUT", "/Users/none", `{`+userSchema+`,"userName":"x"}`)
	other := newUser(t, s, "bob")
	must(t, s, 409, "PUT", "/Users/"+other, `{`+userSchema+`,"userName":"anna"}`)
	g := create(t, s, "Groups", `"displayName":"G","members":[{"value":"`+id+`"},{"value":"`+other+`"}]`)
	must(t, s, 200, "PUT", "/Groups/"+g, `{`+groupSchema+`,"displayName":"G","members":[{"value":"`+other+`"}]}`)
	if m := s.Store("default").Members(g); len(m) != 1 || m[0] != other {
		t.Errorf("members after a PUT: %v", m)
	}
	must(t, s, 404, "GET", "/Groups/"+id, "")
	must(t, s, 404, "GET", "/Users/"+strings.ToUpper(id), "")
	if d := must(t, s, 204, "DELETE", "/Users/"+id, ""); d.text != "" {
		t.Errorf("DELETE: %s", d.text)
	}
	for _, m := range []string{"DELETE", "GET"} {
		must(t, s, 404, m, "/Users/"+id, "")
	}
	must(t, s, 404, "PATCH", "/Users/"+id, patchBody(`{"op":"add","path":"title","value":"x"}`))
	newUser(t, s, "anna") // the name is free again
}

// TestWhatPostRefuses and what it takes all the same.
func TestWhatPostRefuses(t *testing.T) {
	s := newServer(t, nil)
	for _, c := range []struct{ path, body, scimType, text string }{
		{"/Users", `not json`, "invalidSyntax", "no JSON object"}, {"/Users", `[]`, "invalidSyntax", "no JSON object"}, {"/Users", `null`, "invalidSyntax", "no JSON object"}, {"/Users", ` `, "invalidSyntax", "no JSON object"},
		{"/Users", `{` + userSchema + `,"userName":"a"} x`, "invalidSyntax", "no JSON object"}, {"/Users", "{" + userSchema + ",\"userName\":\"a\xff\"}", "invalidSyntax", "no UTF-8"},
		{"/Users", `{"userName":"a"}`, "invalidSyntax", "schemas is required"}, {"/Users", `{"schemas":[],"userName":"a"}`, "invalidSyntax", "schemas is required"}, {"/Users", `{"schemas":[1],"userName":"a"}`, "invalidSyntax", "list of URNs"},
		{"/Users", `{` + groupSchema + `,"userName":"a"}`, "invalidValue", "schemas lacks"}, {"/Users", `{` + userSchema + `}`, "invalidValue", "userName is required"}, {"/Users", `{` + userSchema + `,"userName":""}`, "invalidValue", "userName is required"},
		{"/Users", `{` + userSchema + `,"userName":5}`, "invalidValue", "userName is text, not 5"}, {"/Users", `{` + userSchema + `,"userName":"a","active":"yes"}`, "invalidValue", `active is a Boolean, not "yes"`},
		{"/Users", `{` + userSchema + `,"userName":"a","name":"Ann"}`, "invalidValue", "name is an object"}, {"/Users", `{` + userSchema + `,"userName":"a","emails":[[]]}`, "invalidValue", "emails is an object"},
		{"/Users", `{` + userSchema + `,"userName":"a","` + ent + `":"x"}`, "invalidValue", "is an object"}, {"/Users", `{` + userSchema + `,"userName":"a","urn:x:User":{"a b":1}}`, "invalidSyntax", "no name of an attribute"},
		{"/Groups", `{` + groupSchema + `}`, "invalidValue", "displayName is required"}, {"/Groups", `{` + groupSchema + `,"displayName":"G","members":[{"value":"x"}]}`, "invalidValue", `no user or group "x"`},
		{"/Groups", `{` + groupSchema + `,"displayName":"G","members":[{}]}`, "invalidValue", "a member has no value"},
	} {
		a := send(t, s, "POST", c.path, c.body)
		detail, _ := a.json["detail"].(string)
		if a.status != 400 || a.json["scimType"] != c.scimType || !strings.Contains(detail, c.text) {
			t.Errorf("%s: %d %s, want %s %q", c.body, a.status, a.text, c.scimType, c.text)
		}
	}
	if u, g := s.Store("default").Counts(); u+g != 0 {
		t.Errorf("%d users and %d groups were made all the same", u, g)
	}
	for _, c := range []struct{ body, lenient string }{
		{`"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + ent + `"],"userName":"1","meta":{"resourceType":"User"}`, ""}, // as Entra does, with nothing of the extension
		{userSchema + `,"userName":"2","active":"True"`, "stringBoolean"}, {userSchema + `,"userName":"3","` + ent + `":{"department":"x"}`, "unlistedSchema"},
		{`"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:x:User"],"userName":"4"`, "unknownSchema"}, {userSchema + `,"userName":"5","nonsense":1,"name":{"x":1}`, "unknownAttribute"},
		{userSchema + `,"userName":"6","` + ent + `":{"manager":"7","x":1}`, "managerAsString unknownAttribute unlistedSchema"}, {userSchema + `,"userName":"8","emails":"a@x.example"`, "bareValue valueNotList"},
		{userSchema + `,"userName":"9","addresses":[{"type":"work","x":1}],"roles":[{"value":"1","displayName":"x"}]`, "unknownAttribute unknownSubAttribute"},
	} {
		s := newServer(t, nil)
		must(t, s, 201, "POST", "/Users", "{"+c.body+"}")
		wantNoted(t, s, strings.Fields(c.lenient)...)
	}
	s = newServer(t, nil)
	must(t, s, 201, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],"displayName":"G"}`)
	wantNoted(t, s, "unknownSchema") // jobs of before December 2018
}

func TestVersions(t *testing.T) {
	s := newServer(t, nil)
	id := newUser(t, s, "ann")
	path := "/Users/" + id
	n := 0
	for _, c := range []struct {
		method, header, tag string
		status              int
	}{
		{"GET", "If-None-Match", `W/"1"`, 304}, {"GET", "If-None-Match", `"1"`, 304}, {"GET", "If-None-Match", `"0", W/"1"`, 304}, {"GET", "If-None-Match", "*", 304}, {"HEAD", "If-None-Match", `W/"1"`, 304},
		{"GET", "If-None-Match", `W/"11"`, 200}, {"GET", "If-None-Match", `W/"2"`, 200}, {"GET", "If-Match", `W/"1"`, 200}, {"GET", "If-Match", `W/"2"`, 412},
		{"PATCH", "If-Match", `W/"2"`, 412}, {"PUT", "If-Match", `W/"11"`, 412}, {"DELETE", "If-Match", `"x"`, 412}, {"PATCH", "If-None-Match", "*", 412}, {"DELETE", "If-None-Match", `W/"1"`, 412},
		{"PATCH", "If-Match", `W/"1"`, 200}, {"PATCH", "If-Match", `"9", W/"2"`, 200}, {"PUT", "If-Match", "*", 200}, {"DELETE", "If-Match", `W/"4"`, 204},
	} {
		n++
		body := ""
		switch c.method {
		case "PATCH":
			body = patchBody(fmt.Sprintf(`{"op":"replace","path":"title","value":"%d"}`, n))
		case "PUT":
			body = `{` + userSchema + `,"userName":"put"}`
		}
		if a := send(t, s, c.method, path, body, c.header, c.tag); a.status != c.status {
			t.Errorf("%s %s %s: %d %s, want %d", c.method, c.header, c.tag, a.status, a.text, c.status)
		} else if c.status == 304 && (a.text != "" || a.header.Get("ETag") != `W/"1"`) {
			t.Errorf("304 with %q, %s", a.text, a.header.Get("ETag"))
		}
	}
}

func TestTokensAndTypes(t *testing.T) {
	s := newServer(t, nil)
	for _, h := range []string{"", "Bearer", "Bearer x", "Basic dDp0", "Bearer t t", "t"} {
		a := send(t, s, "GET", "/Users", "", "Authorization", h)
		if a.status != 401 || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("Authorization %q: %d %v", h, a.status, a.header)
		}
	}
	must(t, s, 200, "GET", "/Users", "", "Authorization", "bearer t")
	if n := len(s.Stores()); n != 1 {
		t.Fatalf("%d stores", n)
	}
	w := httptest.NewRecorder()
	s.ServeSCIM(w, httptest.NewRequest("GET", "/", nil), "guess", "http://scim.test", "/Users")
	if w.Code != 401 || len(s.Stores()) != 1 {
		t.Errorf("without a token: %d, stores %v", w.Code, s.Stores())
	}
	w = httptest.NewRecorder()
	s.ServeSCIM(w, httptest.NewRequest("GET", "/", nil), "No Store", "http://scim.test", "/Users")
	if w.Code != 404 {
		t.Errorf("no name of a store: %d", w.Code)
	}
	for i, c := range []struct {
		media, lenient string
		status         int
	}{
		{"application/scim+json", "", 201}, {"application/SCIM+json; charset=UTF-8", "", 201}, {"application/json", "contentType", 201}, {"", "contentType", 201},
		{"text/plain", "", 415}, {"application/xml", "", 415}, {"application/scim+json; charset=latin1", "", 415}, {"nonsense/", "", 415}, {"application/x-www-form-urlencoded", "", 415},
	} {
		s := newServer(t, nil)
		if a := send(t, s, "POST", "/Users", fmt.Sprintf(`{%s,"userName":"u%d"}`, userSchema, i), "Content-Type", c.media); a.status != c.status {
			t.Errorf("%q: %d %s", c.media, a.status, a.text)
		}
		wantNoted(t, s, strings.Fields(c.lenient)...)
	}
	must(t, s, 413, "POST", "/Users", `{`+userSchema+`,"userName":"`+strings.Repeat("x", maxBody)+`"}`)
	for path, allow := range map[string]string{"/Users": "GET, POST", "/Users/x": "GET, PUT, PATCH, DELETE", "/Schemas": "GET", "/Users/.search": "POST", "/.search": "POST"} {
		if a := send(t, s, "OPTIONS", path, ""); a.status != 405 || a.header.Get("Allow") != allow {
			t.Errorf("OPTIONS %s: %d, Allow %q", path, a.status, a.header.Get("Allow"))
		}
	}
	for path, status := range map[string]int{"/Me": 501, "/Bulk": 501, "/Nothing": 404, "/users": 404, "/Users/a/b": 404, "/Users/%zz": 404} {
		if strings.Contains(path, "%") {
			continue
		}
		must(t, s, status, "GET", path, "")
	}
	must(t, s, 501, "POST", "/Bulk", `{}`)
	must(t, s, 200, "GET", "/Users/", "")
	must(t, s, 400, "GET", "/Users?filter=%zz", "")
	if a := send(t, s, "HEAD", "/Users", ""); a.status != 200 || a.text != "" {
		t.Errorf("HEAD: %d %q", a.status, a.text)
	}
}

// TestIDs: they follow from the store, the type, what names the resource and how often that was seen, and from nothing else.
func TestIDs(t *testing.T) {
	s := newServer(t, nil)
	one := create(t, s, "Users", `"userName":"ann","externalId":"x"`)
	for i := range 5 {
		newUser(t, s, fmt.Sprint(i))
	}
	must(t, s, 204, "DELETE", "/Users/"+one, "")
	two := create(t, s, "Users", `"userName":"bea","externalId":"x"`)
	three := create(t, s, "Users", `"userName":"cid","externalId":"x"`)
	group := create(t, s, "Groups", `"displayName":"G","externalId":"x"`)
	if one == two || two == three || three == group || one == group {
		t.Errorf("ids are not apart: %s %s %s %s", one, two, three, group)
	}
	again := newServer(t, nil)
	for i, want := range []string{one, two, three} { // with other names and nobody in between
		if got := create(t, again, "Users", fmt.Sprintf(`"userName":"u%d","externalId":"x"`, i)); got != want {
			t.Errorf("user %d: %s, want %s", i, got, want)
		}
	}
	if got := create(t, again, "Groups", `"displayName":"H","externalId":"x"`); got != group {
		t.Errorf("group: %s, want %s", got, group)
	}
	// Without externalId it is userName and displayName. The ids are part of what a seed promises.
	if got := newUser(t, again, "dee"); got != "3cc4d7ab-d70c-4750-9697-5f0b44a10221" {
		t.Errorf("dee is %s", got)
	}
	again.Reset()
	if got := create(t, again, "Users", `"userName":"u","externalId":"x"`); got != one {
		t.Errorf("after a reset: %s, want %s", got, one)
	}
	other, err := New(Options{Now: func() time.Time { return now }, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	if got := create(t, other, "Users", `"userName":"u","externalId":"x"`); got == one {
		t.Error("another seed gives the same id")
	}
}

// TestSlowReaderHoldsNobodyUp: a client that does not read its answer must not keep others from writing.
func TestSlowReaderHoldsNobodyUp(t *testing.T) {
	s := newServer(t, nil)
	for i := range 1000 {
		create(t, s, "Users", fmt.Sprintf(`"userName":"u%d","title":"%s"`, i, strings.Repeat("x", 20_000)))
	}
	server := httptest.NewServer(s.Handler("default"))
	defer server.Close()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := fmt.Fprint(c, "GET /scim/Users?count=1000 HTTP/1.1\r\nHost: scim.test\r\nAuthorization: Bearer t\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReaderSize(c, 64), nil) // the head alone; 20 MB wait
	if err != nil || res.StatusCode != 200 {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { newUser(t, s, "new"); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("a client that does not read keeps others waiting")
	}
}
