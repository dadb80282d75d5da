package target

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// cast fills a store with a handful of people and groups.
func cast(t testing.TB, s *Server) map[string]string {
	ids := map[string]string{}
	add := func(kind, name, members string) {
		key := "userName"
		if kind == "Groups" {
			key = "displayName"
		}
		ids[name] = create(t, s, kind, fmt.Sprintf(`%q:%q,%s`, key, name, strings.NewReplacer("{ann}", ids["ann"], "{bob}", ids["bob"], "{Ops}", ids["Ops"]).Replace(members)))
	}
	add("Users", "ann", `"externalId":"A-1","displayName":"Ann Ace","active":true,"title":"Pilot","name":{"givenName":"Ann","familyName":"Ace"},
		"emails":[{"type":"work","value":"ann@contoso.example","primary":true},{"type":"home","value":"ann@home.example"}],
		"profileUrl":"https://contoso.example/Ann","`+ent+`":{"department":"Flight","employeeNumber":"7"}`)
	add("Users", "bob", `"externalId":"a-1","displayName":"Bob","active":false,"emails":[{"type":"home","value":"bob@contoso.example"}],
		"`+ent+`":{"department":"Ground","manager":{"value":"{ann}"}}`)
	add("Users", "Çelik", `"displayName":"Çelik \"The\" \\Öz","active":true,"emails":[{"type":"work","value":"celik@contoso.example"}],
		"roles":[{"value":"Admin","primary":true,"displayName":"Administrator"}],"urn:contoso:tags:User":{"level":5,"colour":"Red","beta":true}`)
	add("Users", "dee", `"userType":"Guest"`)
	add("Groups", "Ops", `"externalId":"G-1","members":[{"value":"{ann}"},{"value":"{bob}"}]`)
	add("Groups", "All", `"members":[{"value":"{Ops}"}]`)
	add("Groups", "Empty", `"externalId":"g-1"`)
	s.Store("default").notes = notes{}
	return ids
}

func TestFilters(t *testing.T) {
	for _, indexed := range []int{0, 1 << 30} { // with an index wherever a query asks for one, and without
		t.Run(fmt.Sprint("worthIndexing=", indexed), func(t *testing.T) {
			withWorthIndexing(t, indexed)
			s := newServer(t, nil)
			ids := cast(t, s)
			for _, c := range []struct{ path, filter, want string }{
				// operators
				{"/Users", `userName eq "ANN"`, "ann"}, {"/Users", `USERNAME Eq "ann"`, "ann"}, {"/Users", `userName ne "ann"`, "bob Çelik dee"},
				{"/Users", `displayName co "n a"`, "ann"}, {"/Users", `userName sw "B"`, "bob"}, {"/Users", `userName ew "E"`, "dee"},
				{"/Users", `userName gt "ann"`, "bob Çelik dee"}, {"/Users", `userName ge "BOB"`, "bob Çelik dee"}, {"/Users", `userName lt "bob"`, "ann"},
				{"/Users", `userName le "bob"`, "ann bob"}, {"/Users", `title pr`, "ann"}, {"/Users", `title eq "nobody"`, ""},
				{"/Users", `title ne "Pilot"`, "bob Çelik dee"}, {"/Users", `title eq null`, "bob Çelik dee"}, {"/Users", `title ne null`, "ann"},
				// logic
				{"/Users", `active eq true and title pr`, "ann"}, {"/Users", `title pr or userType pr`, "ann dee"}, {"/Users", `not (title pr)`, "bob Çelik dee"},
				{"/Users", `not(title pr) AND NOT (active eq true)`, "bob dee"}, {"/Users", `userName eq "ann" or userName eq "bob" and active eq true`, "ann"},
				{"/Users", `(userName eq "ann" or userName eq "bob") and active eq false`, "bob"}, {"/Users", `((userName eq "dee"))`, "dee"},
				{"/Users", `userName eq "ann" and userName eq "bob"`, ""}, {"/Users", ` userName  eq  "ann" `, "ann"},
				// case and text
				{"/Users", `externalId eq "A-1"`, "ann"}, {"/Users", `externalId eq "a-1"`, "bob"}, {"/Users", `externalId sw "A"`, "ann"},
				{"/Users", `userName eq "çELIK"`, "Çelik"}, {"/Users", `displayName eq "\u00c7elik \"the\" \\öz"`, "Çelik"}, {"/Users", `displayName co "\"T"`, "Çelik"},
				{"/Users", `profileUrl eq "https://contoso.example/Ann"`, "ann"}, {"/Users", `profileUrl eq "https://contoso.example/ann"`, ""},
				// Booleans
				{"/Users", `active eq true`, "ann Çelik"}, {"/Users", `active eq False`, "bob"}, {"/Users", `active ne true`, "bob dee"}, {"/Users", `active eq "True"`, "ann Çelik"},
				{"/Users", `active pr`, "ann bob Çelik"},
				// sub-attributes and several values
				{"/Users", `name.familyName eq "ace"`, "ann"}, {"/Users", `name pr`, "ann"}, {"/Users", `emails.type eq "work"`, "ann Çelik"},
				{"/Users", `emails.value ew "home.example"`, "ann"}, {"/Users", `emails co "home"`, "ann"}, {"/Users", `emails eq "bob@contoso.example"`, "bob"},
				{"/Users", `emails.primary eq true`, "ann"}, {"/Users", `emails pr`, "ann bob Çelik"}, {"/Users", `emails ne "ann@home.example"`, "ann bob Çelik dee"},
				{"/Users", `roles.displayName eq "administrator"`, "Çelik"}, {"/Users", `roles.value eq "admin"`, "Çelik"},
				// value paths
				{"/Users", `emails[type eq "work"]`, "ann Çelik"}, {"/Users", `emails[type eq "work" and value co "@contoso"]`, "ann Çelik"},
				{"/Users", `emails[type eq "home" and value co "@contoso"]`, "bob"}, {"/Users", `emails[not (type eq "work")]`, "ann bob"},
				{"/Users", `emails[type eq "work"].value eq "ANN@contoso.example"`, "ann"}, {"/Users", `emails[type eq "home"].value eq "ann@contoso.example"`, ""},
				{"/Users", `emails[type eq "home"].primary pr`, ""}, {"/Users", `emails[type eq "work" or type eq "home"] and active eq false`, "bob"},
				{"/Users", `roles[primary eq "True"].value eq "Admin"`, "Çelik"}, {"/Users", `roles[primary eq true]`, "Çelik"}, {"/Users", `emails[primary ne true]`, "ann bob Çelik"},
				{"/Users", `emails[type eq " or \\"].value sw "x\"]."`, ""}, {"/Users", `displayName eq "a[b].c eq 1"`, ""}, {"/Users", `emails[type eq "work"].value pr or roles[primary eq true].value eq "7"`, "ann Çelik"},
				{"/Users", `emails[type eq "home" or type eq "work"].value ew "home.example"`, "ann"}, {"/Users", `emails[(type eq "work")].value sw "ann"`, "ann"},
				// URNs
				{"/Users", `urn:ietf:params:scim:schemas:core:2.0:User:userName eq "bob"`, "bob"}, {"/Users", `URN:ietf:params:scim:schemas:core:2.0:user:name.givenName eq "ann"`, "ann"},
				{"/Users", ent + `:department eq "flight"`, "ann"}, {"/Users", ent + `:manager.value eq "` + ids["ann"] + `"`, "bob"}, {"/Users", ent + `:manager eq "` + ids["ann"] + `"`, "bob"},
				{"/Users", `department eq "Ground"`, "bob"}, {"/Users", `id eq "` + ids["bob"] + `" and manager eq "` + ids["ann"] + `"`, "bob"},
				{"/Users", ent + `.department eq "Flight"`, "ann"}, {"/Users", ent + `:manager[value eq "` + ids["ann"] + `"]`, "bob"}, {"/Users", ent + `:manager pr`, "bob"},
				{"/Users", `urn:contoso:tags:User:colour eq "RED"`, "Çelik"}, {"/Users", `urn:contoso:tags:User:level gt 4`, "Çelik"}, {"/Users", `urn:contoso:tags:User:level eq 5.0`, "Çelik"},
				{"/Users", `urn:contoso:tags:User:beta eq true`, "Çelik"}, {"/Users", `urn:contoso:tags:User:level lt 5`, ""}, {"/Users", `urn:contoso:tags:User:none pr`, ""},
				// what every resource has
				{"/Users", `id eq "` + ids["ann"] + `"`, "ann"}, {"/Users", `id eq "` + strings.ToUpper(ids["ann"]) + `"`, ""}, {"/Users", `id eq "` + ids["Ops"] + `"`, ""},
				{"/Users", `id pr and userName eq "dee"`, "dee"}, {"/Users", `meta.lastModified ge "2026-01-05T10:00:00+01:00"`, "ann bob Çelik dee"},
				{"/Users", `meta.created gt "2026-01-05T09:00:00Z"`, ""}, {"/Users", `meta.location pr and userName eq "dee"`, "dee"}, {"/Users", `meta.resourceType eq "User" and userName eq "dee"`, "dee"},
				{"/Users", `schemas eq "` + strings.ToLower(ent) + `"`, "ann bob"}, {"/Users", `groups.value eq "` + ids["Ops"] + `"`, "ann bob"}, {"/Users", `groups.display co "op"`, "ann bob"},
				// groups
				{"/Groups", `displayName eq "OPS"`, "Ops"}, {"/Groups", `members.value eq "` + ids["ann"] + `"`, "Ops"}, {"/Groups", `members eq "` + ids["Ops"] + `"`, "All"},
				{"/Groups", `members[value eq "` + ids["bob"] + `"]`, "Ops"}, {"/Groups", `members[type eq "Group"]`, "All"}, {"/Groups", `members pr`, "Ops All"},
				{"/Groups", `not (members pr)`, "Empty"}, {"/Groups", `externalId eq "g-1"`, "Empty"}, {"/Groups", `id eq "` + ids["All"] + `" and members.value eq "` + ids["Ops"] + `"`, "All"},
				{"/Groups", `members.value eq "nobody"`, ""},
			} {
				got, a := searchFor(t, s, c.path, "filter", c.filter)
				if strings.Join(got, " ") != c.want || a.json["totalResults"] != float64(len(got)) {
					t.Errorf("%s: got %v of %v, want %s", c.filter, got, a.json["totalResults"], c.want)
				}
			}
		})
	}
}

func TestFiltersThatAreRefused(t *testing.T) {
	s := newServer(t, nil)
	cast(t, s)
	for _, c := range []struct{ filter, text string }{
		{`userName`, "character 9: expected a blank and an operator behind userName"}, {`userName eq`, "character 12: expected a blank and a value behind eq"},
		{`userName is "x"`, "character 10: expected eq, ne, co, sw, ew, gt, ge, lt, le or pr"}, {`userName eq x`, "character 13: expected a value in quotes"},
		{`userName eq "x`, "character 13: the value does not end"}, {`userName eq "a\q"`, "is no JSON string"}, {`userName eq "x" foo`, "character 17: expected and, or, or the end"},
		{`(userName eq "x"`, "character 17: expected )"}, {`emails[type eq "x"`, "character 19: expected ]"}, {`not userName pr`, "expected ( behind not"},
		{`userName eq "x" and`, "expected"}, {`and userName pr`, "expected"}, {`"x" eq userName`, "expected an attribute"}, {`a.b. eq "x"`, "expected an attribute"},
		{`nothing eq "x"`, "a User has no attribute nothing"}, {`name.nothing eq "x"`, "a User has no attribute name.nothing"}, {`userName.value eq "x"`, "has no attribute userName.value"},
		{`members.value eq "x"`, "a User has no attribute members.value"}, {ent + `:nothing pr`, "has no attribute"}, {`password eq "x"`, "has no attribute password"},
		{`active gt true`, "Boolean can be compared with eq and ne alone"}, {`active co "tr"`, "it is a Boolean"}, {`active eq "yes"`, "it is a Boolean"}, {`active eq 1`, "it is no number"},
		{`userName eq true`, "it is no Boolean"}, {`userName eq 5`, "it is no number"}, {`userName gt null`, "null can be compared with eq and ne alone"},
		{`meta.created gt "yesterday"`, "it is a time such as"}, {`x509Certificates.value gt "x"`, "binary values have no order"}, {`name eq "x"`, "has parts"},
		{`userName[value eq "x"]`, "takes no filter in brackets"}, {`emails[nothing eq "x"]`, "emails has no part nothing"}, {`emails[value[type eq "x"]]`, "has no part"},
		{`emails.value[type eq "x"]`, "takes no filter in brackets"}, {`emails[type eq "work"].nothing.more eq "x"`, "expected a sub-attribute"},
		{strings.Repeat("(", 60) + `userName pr` + strings.Repeat(")", 60), "nests deeper than 50"}, {`userName eq "` + strings.Repeat("x", 20_000) + `"`, "longer than 16384 bytes"},
	} {
		a := send(t, s, "GET", "/Users?filter="+urlQuery(c.filter), "")
		detail, _ := a.json["detail"].(string)
		if a.status != 400 || a.json["scimType"] != "invalidFilter" || !strings.Contains(detail, c.text) {
			t.Errorf("%.80s: %d %.300s, want %q", c.filter, a.status, a.text, c.text)
		}
	}
	wantNoted(t, s)
}

// TestFilterLeniencies names what filters make the target put up with.
func TestFilterLeniencies(t *testing.T) {
	for filter, want := range map[string]string{
		`userName eq "ann"`: "", `emails[type eq "work"].value eq "x"`: "", `urn:contoso:tags:User:level gt 4`: "",
		`active eq "True"`: "stringBoolean", `department eq "x"`: "bareExtension", ent + `.department eq "x"`: "dottedExtension", ent + `:manager[value eq "x"]`: "filterOnSingle",
	} {
		s := newServer(t, nil)
		searchFor(t, s, "/Users", "filter", filter)
		if got := strings.Join(noted(s), " "); got != want {
			t.Errorf("%s: leniencies %q, want %q", filter, got, want)
		}
	}
}

// TestIndexFollowsChanges looks for values before and after they change, with an index and among many that share a value.
func TestIndexFollowsChanges(t *testing.T) {
	withWorthIndexing(t, 0)
	s := newServer(t, nil)
	ids := cast(t, s)
	find := func(filter, want string) {
		t.Helper()
		if got, _ := searchFor(t, s, "/Users", "filter", filter); strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", filter, got, want)
		}
	}
	find(`emails.value eq "ann@home.example"`, "ann")
	must(t, s, 200, "PATCH", "/Users/"+ids["ann"], patchBody(`{"op":"replace","path":"emails[type eq \"home\"].value","value":"new@home.example"}`))
	find(`emails.value eq "ann@home.example"`, "")
	find(`emails.value eq "NEW@home.example"`, "ann")
	must(t, s, 200, "PATCH", "/Users/"+ids["bob"], patchBody(`{"op":"add","path":"emails","value":[{"type":"other","value":"new@home.example"}]}`))
	find(`emails.value eq "new@home.example"`, "ann bob")
	must(t, s, 204, "DELETE", "/Users/"+ids["ann"], "")
	find(`emails.value eq "new@home.example"`, "bob")
	find(`userType eq "crowd"`, "")
	for i := range maxShared + 3 {
		create(t, s, "Users", fmt.Sprintf(`"userName":"u%d","userType":"crowd"`, i))
	}
	if _, a := searchFor(t, s, "/Users", "filter", `userType eq "crowd"`); a.json["totalResults"] != float64(maxShared+3) {
		t.Errorf("crowd: %v", a.json["totalResults"])
	}
	st := s.Store("default")
	if !st.indexes[users]["userType"].wide || len(st.indexes[users]) > maxIndexes {
		t.Error("an index of one value was kept up")
	}
	for i := range maxIndexes + 5 {
		find(fmt.Sprintf(`urn:contoso:x:User:a%d eq "x"`, i), "")
	}
	if n := len(st.indexes[users]); n > maxIndexes {
		t.Errorf("%d indexes", n)
	}
	find(`userName eq "u7"`, "u7")
}

func TestSorting(t *testing.T) {
	s := newServer(t, nil)
	cast(t, s)
	for _, c := range []struct{ path, by, order, want string }{
		{"/Users", "userName", "", "ann bob dee Çelik"}, {"/Users", "userName", "descending", "Çelik dee bob ann"}, {"/Users", "USERNAME", "Ascending", "ann bob dee Çelik"},
		{"/Users", "title", "", "ann bob Çelik dee"}, {"/Users", "title", "descending", "bob Çelik dee ann"}, // absent: last, and first when descending
		{"/Users", "name.familyName", "", "ann bob Çelik dee"}, {"/Users", "externalId", "", "ann bob Çelik dee"}, {"/Users", "emails.value", "", "ann bob Çelik dee"},
		{"/Users", "emails", "descending", "dee Çelik bob ann"}, {"/Users", "active", "", "bob ann Çelik dee"}, {"/Users", "meta.created", "", "ann bob Çelik dee"},
		{"/Users", ent + ":department", "descending", "Çelik dee bob ann"}, {"/Users", "urn:contoso:tags:User:level", "", "Çelik ann bob dee"},
		{"/Groups", "displayName", "", "All Empty Ops"}, {"/Groups", "id", "descending", ""}, {"", "displayName", "", "All ann bob Empty Ops Çelik dee"},
	} {
		got, _ := searchFor(t, s, c.path, "sortBy", c.by, "sortOrder", c.order)
		if c.want != "" && strings.Join(got, " ") != c.want {
			t.Errorf("%s by %s %s: %v, want %s", c.path, c.by, c.order, got, c.want)
		}
		if c.want == "" && len(got) != 3 {
			t.Errorf("%s by %s: %v", c.path, c.by, got)
		}
	}
	for _, c := range []struct{ query, scimType string }{
		{"sortBy=nothing", "invalidPath"}, {"sortBy=emails%5Btype+eq+%22work%22%5D.value", "invalidPath"}, {"sortBy=a+b", "invalidPath"}, {"sortBy=password", "invalidPath"},
		{"sortBy=userName&sortOrder=sideways", "invalidValue"},
	} {
		if a := send(t, s, "GET", "/Users?"+c.query, ""); a.status != 400 || a.json["scimType"] != c.scimType {
			t.Errorf("%s: %d %s", c.query, a.status, a.text)
		}
	}
	// The primary value counts, not the first.
	create(t, s, "Users", `"userName":"zoe","emails":[{"value":"zz"},{"value":"aa","primary":true}]`)
	if got, _ := searchFor(t, s, "/Users", "sortBy", "emails", "count", "1"); !slices.Equal(got, []string{"zoe"}) {
		t.Errorf("by the primary e-mail: %v", got)
	}
}
