package target

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"
)

var now = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func newServer(t testing.TB, db *bbolt.DB) *Server {
	t.Helper()
	s, err := New(Options{Token: "t", Now: func() time.Time { return now }, Seed: 1, DB: db})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// call sends one request and returns status and body.
func call(t testing.TB, s *Server, method, path, body string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(method, "http://scim.test/scim"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer t")
	r.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	w := httptest.NewRecorder()
	s.Handler("default").ServeHTTP(w, r)
	var m map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, w.Body)
		}
	}
	return w.Code, m
}

func newUser(t testing.TB, s *Server, name string) string {
	t.Helper()
	status, m := call(t, s, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`","displayName":"`+name+`"}`)
	if status != 201 {
		t.Fatalf("create %s: %d %v", name, status, m)
	}
	return m["id"].(string)
}

func patchBody(ops string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + ops + `]}`
}

// TestPatches sends what Entra sends, in both dialects, and reads back.
func TestPatches(t *testing.T) {
	for _, c := range []struct{ name, ops, want, lenient string }{
		{"disable with text", `{"op":"Replace","path":"active","value":"False"}`, `"active":false`, "stringBoolean"},
		{"disable", `{"op":"replace","path":"active","value":false}`, `"active":false`, ""},
		{"mail on nothing", `{"op":"Add","path":"emails[type eq \"work\"].value","value":"a@contoso.example"}`, `"emails":[{"type":"work","value":"a@contoso.example"}]`, "createFromFilter"},
		{"two parts of one address", `{"op":"Add","path":"addresses[type eq \"work\"].formatted","value":"1"},{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"2"}`, `"addresses":[{"formatted":"1","locality":"2","type":"work"}]`, ""},
		{"dotted keys", `{"op":"replace","value":{"displayName":"B","name.givenName":"G","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"D"}}`, `"givenName":"G"`, "dottedKeys"},
		{"enterprise", `{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"D"}`, `"department":"D"`, ""},
		{"manager as text", `{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"271"}`, `"manager":{"value":"271"}`, "managerAsString"},
		{"manager off by filter", `{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"271"},{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager[value eq \"271\"]"}`, `"userName":"ann"`, "managerFilterRemove"},
		{"primary as text", `{"op":"Add","path":"roles[primary eq \"True\"].value","value":"Admin"}`, `"roles":[{"primary":true,"value":"Admin"}]`, ""},
		{"custom extension", `{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:tag","value":"x"}`, `"tag":"x"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, nil)
			id := newUser(t, s, "ann")
			if status, m := call(t, s, "PATCH", "/Users/"+id, patchBody(c.ops)); status != 200 {
				t.Fatalf("%d %v", status, m)
			}
			r, _ := s.Store("default").Get(id)
			if !strings.Contains(string(r.JSON), c.want) {
				t.Errorf("got %s, want %s", r.JSON, c.want)
			}
			found := c.lenient == ""
			for _, l := range s.Store("default").Leniencies() {
				found = found || l.Kind == c.lenient
			}
			if !found {
				t.Errorf("the leniency %s was not noted", c.lenient)
			}
		})
	}
}

func TestMembers(t *testing.T) {
	s := newServer(t, nil)
	a, b := newUser(t, s, "a"), newUser(t, s, "b")
	_, m := call(t, s, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"G","members":[]}`)
	g := m["id"].(string)
	steps := []struct{ ops, want string }{
		{fmt.Sprintf(`{"op":"Add","path":"members","value":[{"value":"%s"},{"value":"%s"}]}`, a, b), a + b},
		{fmt.Sprintf(`{"op":"Add","path":"members","value":[{"value":"%s"}]}`, a), a + b},
		{fmt.Sprintf(`{"op":"Remove","path":"members","value":[{"value":"%s"}]}`, a), b},
		{fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, a), b},
		{`{"op":"Replace","path":"displayName","value":"H"}`, b},
		{fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, b), ""},
	}
	for _, st := range steps {
		if status, m := call(t, s, "PATCH", "/Groups/"+g, patchBody(st.ops)); status != 204 {
			t.Fatalf("%s: %d %v", st.ops, status, m)
		}
		if got := strings.Join(s.Store("default").Members(g), ""); got != st.want {
			t.Errorf("%s: members %s, want %s", st.ops, got, st.want)
		}
	}
	if status, m := call(t, s, "PATCH", "/Groups/"+g, patchBody(`{"op":"add","path":"members","value":[{"value":"nobody"}]}`)); status != 400 || m["scimType"] != "invalidValue" {
		t.Errorf("unknown member: %d %v", status, m)
	}
	if _, m := call(t, s, "GET", "/Groups/"+g+"?excludedAttributes=members", ""); m["members"] != nil {
		t.Errorf("members came though excluded: %v", m)
	}
}

// TestProtocol is the standard apart from PATCH (RFC 7644).
func TestProtocol(t *testing.T) {
	s := newServer(t, nil)
	id := newUser(t, s, "Ann")
	for _, n := range []string{"bob", "cid"} {
		newUser(t, s, n)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/Users?filter=userName+eq+%22ANN%22", "", 200, `"totalResults":1`},
		{"GET", "/Users?filter=userName+eq+%22nobody%22", "", 200, `"totalResults":0`},
		{"GET", "/Users?filter=userName+sw+%22b%22+or+displayName+co+%22id%22", "", 200, `"totalResults":2`},
		{"GET", "/Users?filter=not+(userName+eq+%22bob%22)", "", 200, `"totalResults":2`},
		{"GET", "/Users?filter=bad+%22", "", 400, "invalidFilter"},
		{"GET", "/Users?sortBy=userName&sortOrder=descending&count=1", "", 200, `"userName":"cid"`},
		{"GET", "/Users?startIndex=3&count=5", "", 200, `"itemsPerPage":1`},
		{"GET", "/Users?count=0", "", 200, `"totalResults":3`},
		{"GET", "/Users?attributes=userName&filter=userName+eq+%22bob%22", "", 200, `"userName":"bob"`},
		{"GET", "/Users/none", "", 404, "urn:ietf:params:scim:api:messages:2.0:Error"},
		{"POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann"}`, 409, "uniqueness"},
		{"POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}`, 400, "userName is required"},
		{"POST", "/Users", `not json`, 400, "invalidSyntax"},
		{"PUT", "/Users/" + id, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ann","title":"Pilot"}`, 200, "Pilot"},
		{"PATCH", "/Users/" + id, patchBody(`{"op":"replace","path":"title","value":"Captain"},{"op":"replace","path":"nonsense","value":1}`), 400, "invalidPath"},
		{"GET", "/Users/" + id, "", 200, "Pilot"}, // the failed PATCH changed nothing
		{"GET", "/Schemas", "", 200, "enterprise"}, {"GET", "/ResourceTypes", "", 200, "Group"}, {"GET", "/ServiceProviderConfig", "", 200, "patch"},
		{"POST", "/Bulk", "{}", 501, "not offered"},
		{"DELETE", "/Users/" + id, "", 204, ""}, {"DELETE", "/Users/" + id, "", 404, "Error"},
	} {
		status, m := call(t, s, c.method, c.path, c.body)
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if status != c.status || !strings.Contains(string(data), c.want) {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, status, data, c.status, c.want)
		}
	}
	r := httptest.NewRequest("GET", "http://scim.test/scim/Users", nil)
	w := httptest.NewRecorder()
	s.Handler("default").ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("without a token: %d", w.Code)
	}
}

// TestFileHoldsWhatMemoryHeld: random changes, a flush, and a server that reads the file again.
func TestFileHoldsWhatMemoryHeld(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		path := filepath.Join(t.TempDir(), fmt.Sprint(time.Now().UnixNano()))
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		s := newServer(t, db)
		var users []string
		_, m := call(t, s, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"G"}`)
		g := m["id"].(string)
		for i := range rapid.IntRange(3, 25).Draw(r, "steps") {
			op := rapid.SampledFrom([]string{"create", "delete", "join", "leave", "rename", "flush"}).Draw(r, "op")
			if len(users) == 0 {
				op = "create"
			}
			pick := func() string { return users[rapid.IntRange(0, len(users)-1).Draw(r, "user")] }
			switch op {
			case "create":
				users = append(users, newUser(t, s, fmt.Sprintf("u%d", i)))
			case "delete":
				call(t, s, "DELETE", "/Users/"+pick(), "")
			case "join":
				call(t, s, "PATCH", "/Groups/"+g, patchBody(`{"op":"add","path":"members","value":[{"value":"`+pick()+`"}]}`))
			case "leave":
				call(t, s, "PATCH", "/Groups/"+g, patchBody(`{"op":"remove","path":"members[value eq \"`+pick()+`\"]"}`))
			case "rename":
				call(t, s, "PATCH", "/Users/"+pick(), patchBody(`{"op":"replace","path":"displayName","value":"`+fmt.Sprint(i)+`"}`))
			case "flush":
				if err := s.FlushNow(); err != nil {
					r.Fatal(err)
				}
			}
		}
		if err := s.FlushNow(); err != nil {
			r.Fatal(err)
		}
		again := newServer(t, db)
		if got, want := picture(again), picture(s); got != want {
			r.Fatalf("the file holds\n%s\nmemory held\n%s", got, want)
		}
		if err := db.Close(); err != nil {
			r.Fatal(err)
		}
	})
}

func picture(s *Server) string {
	st := s.Store("default")
	var b strings.Builder
	for _, kind := range []string{"User", "Group"} {
		list, _ := st.List(kind, 0, 1000)
		for _, r := range list {
			fmt.Fprintf(&b, "%s %v\n", r.JSON, st.Members(r.ID))
		}
	}
	return b.String()
}

func FuzzPatch(f *testing.F) {
	f.Add(`{"op":"Add","path":"emails[type eq \"work\"].value","value":"a"}`)
	f.Add(`{"op":"replace","value":{"name.givenName":"a","urn:x:y":{"z":1}}}`)
	f.Add(`{"op":"remove","path":"members[value eq \"1\"]"}`)
	f.Fuzz(func(t *testing.T, ops string) {
		s := newServer(t, nil)
		id := newUser(t, s, "ann")
		status, _ := call(t, s, "PATCH", "/Users/"+id, patchBody(ops))
		if status == 500 {
			t.Fatalf("internal error on %s", ops)
		}
		if status, m := call(t, s, "GET", "/Users/"+id, ""); status != 200 || m["userName"] == nil {
			t.Fatalf("after %s: %d %v", ops, status, m)
		}
	})
}
