package target

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func urlQuery(s string) string { return url.QueryEscape(s) }

func TestPaging(t *testing.T) {
	s := newServer(t, nil)
	var ids []string
	for i := range 12 {
		ids = append(ids, newUser(t, s, fmt.Sprintf("u%02d", i)))
	}
	for _, gone := range []int{1, 5, 6} {
		must(t, s, 204, "DELETE", "/Users/"+ids[gone], "")
	}
	for _, c := range []struct {
		query, names string
		start        int
	}{
		{"", "u00 u02 u03 u04 u07 u08 u09 u10 u11", 1}, {"startIndex=1&count=2", "u00 u02", 1}, {"startIndex=4&count=3", "u04 u07 u08", 4}, {"startIndex=9&count=5", "u11", 9},
		{"startIndex=10", "", 10}, {"startIndex=1000000&count=5", "", 1_000_000}, {"startIndex=0&count=1", "u00", 1}, {"startIndex=-7&count=1", "u00", 1},
		{"count=0", "", 1}, {"count=-1", "", 1}, {"count=99999999", "u00 u02 u03 u04 u07 u08 u09 u10 u11", 1},
	} {
		for _, more := range []string{"", "&filter=userName+sw+%22u%22", "&sortBy=userName", "&filter=displayName+pr&sortBy=displayName"} {
			a := must(t, s, 200, "GET", "/Users?"+c.query+more, "")
			got := namesOf(a)
			if strings.Join(got, " ") != c.names || a.json["totalResults"] != 9.0 || a.json["startIndex"] != float64(c.start) || a.json["itemsPerPage"] != float64(len(got)) {
				t.Errorf("%s: %s", c.query+more, a.text)
			}
			if list, _ := a.json["schemas"].([]any); len(list) != 1 || list[0] != urnList || a.json["Resources"] == nil {
				t.Errorf("%s: %s", c.query, a.text)
			}
		}
	}
	for _, q := range []string{"startIndex=x", "count=many", "count=1.5"} {
		if a := send(t, s, "GET", "/Users?"+q, ""); a.status != 400 || a.json["scimType"] != "invalidValue" {
			t.Errorf("%s: %d %s", q, a.status, a.text)
		}
	}
	for i := range maxCount {
		newUser(t, s, fmt.Sprintf("m%04d", i))
	}
	if a := must(t, s, 200, "GET", "/Users?count=5000", ""); a.json["itemsPerPage"] != float64(maxCount) {
		t.Errorf("a page of %v", a.json["itemsPerPage"])
	}
	if a := must(t, s, 200, "GET", "/Users", ""); a.json["itemsPerPage"] != float64(defaultCount) {
		t.Errorf("a page of %v by default", a.json["itemsPerPage"])
	}
}

// TestProjection is RFC 7644 § 3.9: id comes always, a password never.
func TestProjection(t *testing.T) {
	s := newServer(t, nil)
	ids := cast(t, s)
	must(t, s, 200, "PATCH", "/Users/"+ids["ann"], patchBody(`{"op":"add","path":"password","value":"secret"}`))
	const core, both = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + ent + `"],"id":"{id}"`, `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + ent + `"],"id":"{id}"`
	for _, c := range []struct{ query, want string }{
		{"attributes=userName", `{` + core + `,"userName":"ann"}`},
		{"attributes=USERNAME,%20title", `{` + core + `,"userName":"ann","title":"Pilot"}`},
		{"attributes=urn:ietf:params:scim:schemas:core:2.0:User:title", `{` + core + `,"title":"Pilot"}`},
		{"attributes=name.givenName", `{` + core + `,"name":{"givenName":"Ann"}}`},
		{"attributes=emails.value", `{` + core + `,"emails":[{"value":"ann@contoso.example"},{"value":"ann@home.example"}]}`},
		{"attributes=emails.primary", `{` + core + `,"emails":[{"primary":true}]}`},
		{"attributes=" + ent, `{` + both + `,"` + ent + `":{"department":"Flight","employeeNumber":"7"}}`},
		{"attributes=" + ent + ":department", `{` + both + `,"` + ent + `":{"department":"Flight"}}`},
		{"attributes=groups", `{` + core + `,"groups":[{"value":"{Ops}","$ref":"http://scim.test/scim/Groups/{Ops}","display":"Ops","type":"direct"}]}`},
		{"attributes=groups.display", `{` + core + `,"groups":[{"display":"Ops"}]}`},
		{"attributes=meta.resourceType", `{` + core + `,"meta":{"resourceType":"User"}}`},
		{"attributes=id", `{` + core + `}`}, {"attributes=password", `{` + core + `}`}, {"attributes=nothing", `{` + core + `}`},
		{"excludedAttributes=id,schemas,name,emails,meta,groups,profileUrl,active,externalId," + ent, `{` + core + `,"userName":"ann","displayName":"Ann Ace","title":"Pilot"}`},
		{"excludedAttributes=displayName,name.familyName,emails.type,emails.primary,meta,groups,profileUrl,active,externalId," + ent + ":department",
			`{` + core + `,"userName":"ann","title":"Pilot","name":{"givenName":"Ann"},"emails":[{"value":"ann@contoso.example"},{"value":"ann@home.example"}],"` + ent + `":{"employeeNumber":"7"}}`},
		{"attributes=userName,title&excludedAttributes=title", `{` + core + `,"userName":"ann"}`},
	} {
		want := strings.NewReplacer("{id}", ids["ann"], "{Ops}", ids["Ops"]).Replace(c.want)
		t.Run(c.query, func(t *testing.T) {
			sameJSON(t, must(t, s, 200, "GET", "/Users/"+ids["ann"]+"?"+c.query, "").text, want)
			a := must(t, s, 200, "GET", "/Users?filter=userName+eq+%22ann%22&"+c.query, "")
			list, _ := a.json["Resources"].([]any)
			if len(list) != 1 {
				t.Fatal(a.text)
			}
			sameJSON(t, string(appendJSON(nil, list[0])), want)
		})
	}
	whole := must(t, s, 200, "GET", "/Users/"+ids["ann"], "")
	if strings.Contains(whole.text, "secret") || strings.Contains(whole.text, "password") {
		t.Errorf("the password came back: %s", whole.text)
	}
	g := must(t, s, 200, "GET", "/Groups/"+ids["Ops"]+"?excludedAttributes=members", "")
	if g.json["members"] != nil || g.json["displayName"] != "Ops" {
		t.Errorf("members excluded: %s", g.text)
	}
	if g = must(t, s, 200, "GET", "/Groups/"+ids["Empty"], ""); g.json["members"] == nil {
		t.Errorf("an empty group has an empty list: %s", g.text)
	}
	sameJSON(t, must(t, s, 200, "GET", "/Groups/"+ids["All"]+"?attributes=members", "").text, `{`+groupSchema+`,"id":"`+ids["All"]+
		`","members":[{"value":"`+ids["Ops"]+`","$ref":"http://scim.test/scim/Groups/`+ids["Ops"]+`","display":"Ops","type":"Group"}]}`)
	wantNoted(t, s, "bothProjections")
	// Writes answer as they are asked to.
	a := must(t, s, 201, "POST", "/Users?attributes=userName", `{`+userSchema+`,"userName":"eve","title":"x"}`)
	if a.json["title"] != nil || a.json["userName"] != "eve" {
		t.Errorf("POST: %s", a.text)
	}
	if a = must(t, s, 200, "PATCH", "/Groups/"+ids["Ops"]+"?attributes=displayName", patchBody(`{"op":"replace","path":"displayName","value":"Ops 2"}`)); a.json["displayName"] != "Ops 2" || a.json["members"] != nil {
		t.Errorf("PATCH of a group with attributes: %s", a.text)
	}
}

// TestSearchBody is RFC 7644 § 3.4.3.
func TestSearchBody(t *testing.T) {
	s := newServer(t, nil)
	cast(t, s)
	body := func(more string) string {
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]` + more + `}`
	}
	for _, c := range []struct{ path, more, want string }{
		{"/Users/.search", `,"filter":"active eq true","sortBy":"userName","sortOrder":"descending"`, "Çelik ann"},
		{"/Users/.search", `,"startIndex":2,"count":2`, "bob Çelik"}, {"/Groups/.search", `,"filter":"displayName eq \"ops\""`, "Ops"},
		{"/.search", `,"filter":"displayName co \"o\"","attributes":["displayName","userName"]`, "bob Ops"}, {"/.search", `,"filter":"members pr"`, "Ops All"}, {"/.search", `,"count":0`, ""},
	} {
		a := must(t, s, 200, "POST", c.path, body(c.more))
		if got := strings.Join(namesOf(a), " "); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.path, c.more, got, c.want)
		}
	}
	a := must(t, s, 200, "POST", "/.search", body(`,"filter":"displayName eq \"Ann Ace\"","attributes":["displayName"],"excludedAttributes":["name"]`))
	if m := a.json["Resources"].([]any)[0].(map[string]any); m["displayName"] != "Ann Ace" || m["userName"] != nil || m["id"] == nil {
		t.Errorf("attributes: %v", m)
	}
	if got, _ := searchFor(t, s, "", "filter", `externalId sw "G"`); strings.Join(got, " ") != "Ops" {
		t.Errorf("at the base: %v", got)
	}
	for _, c := range []struct {
		path, body, scimType string
		status               int
	}{
		{"/Users/.search", `{}`, "invalidSyntax", 400}, {"/Users/.search", body(`,"filter":5`), "invalidValue", 400}, {"/Users/.search", body(`,"count":"5"`), "invalidValue", 400},
		{"/Users/.search", body(`,"attributes":"x"`), "invalidValue", 400}, {"/.search", body(`,"filter":"nothing pr"`), "invalidFilter", 400}, {"/.search/x", body(``), "", 404},
	} {
		a := send(t, s, "POST", c.path, c.body)
		if got, _ := a.json["scimType"].(string); a.status != c.status || got != c.scimType {
			t.Errorf("%s %s: %d %s", c.path, c.body, a.status, a.text)
		}
	}
	must(t, s, 405, "GET", "/.search", "")
	must(t, s, 405, "GET", "/Users/.search", "")
	must(t, s, 405, "POST", "/", "{}")
}
