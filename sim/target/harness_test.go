package target

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
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

// reply is an answer of the server.
type reply struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

// send carries out one request; headers come in pairs, and an empty value takes one of the usual ones away.
func send(t testing.TB, s *Server, method, path, body string, header ...string) reply {
	t.Helper()
	r := httptest.NewRequest(method, "http://scim.test/scim"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer t")
	if body != "" {
		r.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i+1] == "" {
			r.Header.Del(header[i])
		}
	}
	w := httptest.NewRecorder()
	s.Handler("default").ServeHTTP(w, r)
	a := reply{w.Code, w.Header(), w.Body.String(), nil}
	if w.Body.Len() == 0 {
		return a
	}
	if err := json.Unmarshal(w.Body.Bytes(), &a.json); err != nil {
		t.Fatalf("%s %s: %v: %s", method, path, err, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/scim+json; charset=utf-8" {
		t.Errorf("%s %s: Content-Type %q", method, path, got)
	}
	if got := w.Header().Get("Content-Length"); got != fmt.Sprint(w.Body.Len()) {
		t.Errorf("%s %s: Content-Length %s of %d bytes", method, path, got, w.Body.Len())
	}
	if a.status >= 400 {
		if list, _ := a.json["schemas"].([]any); len(list) != 1 || list[0] != urnError || a.json["status"] != fmt.Sprint(a.status) || a.json["detail"] == "" {
			t.Errorf("%s %s: an error that is none of SCIM's: %s", method, path, a.text)
		}
	}
	return a
}

// must is send for requests that have to succeed.
func must(t testing.TB, s *Server, status int, method, path, body string, header ...string) reply {
	t.Helper()
	a := send(t, s, method, path, body, header...)
	if a.status != status {
		t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, a.status, a.text, status)
	}
	return a
}

const (
	userSchema  = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`
	groupSchema = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]`
	ent         = `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`
)

// make creates a resource with more attributes as JSON members and returns its id.
func create(t testing.TB, s *Server, kind, members string) string {
	t.Helper()
	schema := userSchema
	if kind == "Groups" {
		schema = groupSchema
	}
	id, _ := must(t, s, 201, "POST", "/"+kind, "{"+schema+","+members+"}").json["id"].(string)
	return id
}

func newUser(t testing.TB, s *Server, name string) string {
	t.Helper()
	return create(t, s, "Users", fmt.Sprintf(`"userName":%q,"displayName":%[1]q`, name))
}

func patchBody(ops string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + ops + `]}`
}

// stored is what the store holds of a resource: attributes as JSON, without id, schemas and meta.
func stored(t testing.TB, s *Server, id string) string {
	t.Helper()
	st := s.Store("default")
	st.mu.RLock()
	defer st.mu.RUnlock()
	r := st.lookup(id)
	if r != nil {
		return string(r.doc)
	}
	t.Fatalf("there is no %s", id)
	return ""
}

// noted lists the kinds of leniencies used so far.
func noted(s *Server) []string {
	var list []string
	for _, l := range s.Store("default").Leniencies() {
		list = append(list, l.Kind)
	}
	return list
}

func wantNoted(t testing.TB, s *Server, want ...string) {
	t.Helper()
	sort.Strings(want)
	if got := noted(s); !slices.Equal(got, want) {
		t.Errorf("leniencies %v, want %v", got, want)
	}
}

func sameJSON(t testing.TB, got, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatalf("%v: %s", err, want)
	}
	if err := json.Unmarshal([]byte(got), &a); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if d := cmp.Diff(b, a); d != "" {
		t.Errorf("got %s\nwant %s\n%s", got, want, d)
	}
}

// search returns the userName or displayName of each hit, in order.
func searchFor(t testing.TB, s *Server, path string, query ...string) ([]string, reply) {
	t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		v.Set(query[i], query[i+1])
	}
	a := must(t, s, 200, "GET", path+"?"+v.Encode(), "")
	return namesOf(a), a
}

func namesOf(a reply) []string {
	names := []string{}
	list, _ := a.json["Resources"].([]any)
	for _, r := range list {
		m, _ := r.(map[string]any)
		name, _ := m["userName"].(string)
		if name == "" {
			name, _ = m["displayName"].(string)
		}
		names = append(names, name)
	}
	return names
}

// withWorthIndexing lets queries bring about indexes in small stores too.
func withWorthIndexing(t testing.TB, n int) {
	old := worthIndexing
	worthIndexing = n
	t.Cleanup(func() { worthIndexing = old })
}
