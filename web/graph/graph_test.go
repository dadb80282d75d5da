package graph_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/target"
	"entrasim/web"
	"entrasim/web/graph"
)

// world is a whole server over an empty tenant, with the manual clock.
type world struct {
	t   testing.TB
	url string
	svc *sim.Service
	dir *directory.Store
	// client sends requests; its certificates are those of the test server.
	client *http.Client
}

func newWorld(t testing.TB, token string, change ...func(*web.Deps)) *world {
	t.Helper()
	begin := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	dir, err := directory.Open(filepath.Join(t.TempDir(), "test.db"), directory.Options{Seed: 1, Now: begin, NoSync: true})
	must(t, err)
	c := clock.New(clock.Manual, 1, begin)
	tg, err := target.New(target.Options{Token: sim.EmbeddedToken, Now: c.Now, Wait: c.Pass, Seed: 1, DB: dir.DB()})
	must(t, err)
	w := &world{t: t, dir: dir}
	log := slog.New(slog.DiscardHandler)
	w.svc, err = sim.Open(sim.Options{Directory: dir, Clock: c, Seed: 1, FlushTarget: tg.Flush, SelfURL: func() string { return w.url }, Log: log})
	must(t, err)
	dir.OnCommit(w.svc.DirectoryChanged)
	deps := web.Deps{Service: w.svc, Target: tg, APIToken: token, DataFile: "test.db", Log: log, Reset: func(context.Context) error { return nil }}
	for _, f := range change {
		f(&deps)
	}
	s, err := web.New(deps)
	must(t, err)
	server := httptest.NewServer(s.Handler())
	w.url, w.client = server.URL, server.Client()
	w.svc.Begin(t.Context())
	t.Cleanup(func() {
		server.Close()
		must(t, w.svc.Close())
		must(t, dir.Check())
		must(t, dir.Close())
	})
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// do sends a request to a path of the API; body is text as it is, or a value that becomes JSON.
func (w *world) do(method, path string, body any, header ...string) answer {
	w.t.Helper()
	var data []byte
	switch x := body.(type) {
	case nil:
	case string:
		data = []byte(x)
	case []byte:
		data = x
	default:
		var err error
		data, err = json.Marshal(x)
		must(w.t, err)
	}
	if !strings.HasPrefix(path, "http") {
		path = w.url + path
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, path, bytes.NewReader(data))
	must(w.t, err)
	if data != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := w.client.Do(r)
	must(w.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(w.t, err)
	a := answer{status: resp.StatusCode, header: resp.Header, text: string(text)}
	documented(w.t, method, r.URL.Path, a)
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		must(w.t, json.Unmarshal(text, &a.body))
	}
	return a
}

var operations = graph.Operations()

// documented checks that a good answer has the status of the document, and a body when it says so: every request of every
// test is looked at whose path is written as the document writes it.
func documented(t testing.TB, method, path string, a answer) {
	t.Helper()
	if a.status >= 300 {
		return
	}
	best, literal := -1, -1
	steps := strings.Split(path, "/")
	for i, op := range operations {
		pattern := strings.Split(op.Path, "/")
		if op.Method != method || len(pattern) != len(steps) {
			continue
		}
		same := 0
		for k, step := range pattern {
			front, _, parameter := strings.Cut(step, "{")
			switch {
			case !parameter && step == steps[k]:
				same += 2
			case parameter && front != "" && strings.HasPrefix(steps[k], front):
				same++
			case !parameter || front != "":
				same = -1000
			}
		}
		if same > literal {
			best, literal = i, same
		}
	}
	if best < 0 {
		return // written in another way that means the same
	}
	if op := operations[best]; op.Shown != nil && a.header.Get("Preference-Applied") != "" {
		return
	} else if op.Status != a.status || (op.Answer != nil) != (a.text != "") {
		t.Errorf("%s %s answers %d with %d bytes; %s %s is documented with %d (openapi.go)", method, path, a.status, len(a.text), op.Method, op.Path, op.Status)
	}
}

// want is do with an expected status.
func (w *world) want(status int, method, path string, body any, header ...string) answer {
	w.t.Helper()
	a := w.do(method, path, body, header...)
	if a.status != status {
		w.t.Fatalf("%s %s: %d, want %d\n%s", method, path, a.status, status, a.text)
	}
	return a
}

func (a answer) str(path ...string) string {
	s, _ := a.at(path...).(string)
	return s
}

func (a answer) at(path ...string) any {
	var v any = a.body
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func (a answer) list() []map[string]any {
	var list []map[string]any
	items, _ := a.body["value"].([]any)
	for _, x := range items {
		list = append(list, x.(map[string]any))
	}
	return list
}

func (a answer) column(name string) string {
	var texts []string
	for _, x := range a.list() {
		texts = append(texts, fmt.Sprint(x[name]))
	}
	return strings.Join(texts, " ")
}

func userBody(name string) map[string]any {
	return map[string]any{"accountEnabled": true, "displayName": strings.ToUpper(name[:1]) + name[1:], "mailNickname": name,
		"userPrincipalName": name + "@contoso.example", "passwordProfile": map[string]any{"password": "not kept"}}
}

func (w *world) user(name string, more ...any) string {
	w.t.Helper()
	body := userBody(name)
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	return w.want(201, "POST", "/v1.0/users", body).str("id")
}

func (w *world) group(name string) string {
	w.t.Helper()
	return w.want(201, "POST", "/v1.0/groups", map[string]any{"displayName": name, "mailEnabled": false, "mailNickname": strings.ToLower(name), "securityEnabled": true}).str("id")
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	w := newWorld(t, "")
	id := "0b4f7a9c-7e1f-4f0e-9d0a-3b6a1a1a1a1a"
	for _, path := range []string{"/v1.0/users", "/v1.0/users/nobody@contoso.example", "/beta/nothing"} {
		a := w.do("GET", path, nil, "client-request-id", id)
		if got := a.header.Get("Content-Type"); got != "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8" {
			t.Errorf("%s: Content-Type %q", path, got)
		}
		if a.header.Get("OData-Version") != "4.0" || a.header.Get("Cache-Control") != "no-cache" || a.header.Get("request-id") == "" ||
			a.header.Get("client-request-id") != id || !json.Valid([]byte(a.header.Get("x-ms-ags-diagnostic"))) {
			t.Errorf("%s: headers %v", path, a.header)
		}
		if a.status >= 400 && (a.str("error", "innerError", "request-id") != a.header.Get("request-id") || a.str("error", "innerError", "date") != "2026-01-05T09:00:00") {
			t.Errorf("%s: %s", path, a.text)
		}
	}
}

func TestPathsThatMeanTheSame(t *testing.T) {
	w := newWorld(t, "")
	id := w.user("adele")
	tenant := w.dir.Tenant().ID
	for _, path := range []string{
		"/v1.0/users/" + id, "/beta/users/" + id, "/v1.0/Users/" + id, "/v1.0/users/" + id + "/", "/v1.0/users('" + id + "')", "/v1.0/users(" + id + ")",
		"/v1.0/users/adele@contoso.example", "/v1.0/users/ADELE%40contoso.example", "/v1.0/" + tenant + "/users/" + id, "/beta/contoso.example/users/" + id,
		"/v1.0/myorganization/users/" + id, "/v1.0/http://127.0.0.1:1/v1.0/users/" + id, "/v1.0/http:/127.0.0.1:1/v1.0/users/" + id,
		"/v1.0/https://graph.microsoft.com/beta/users/" + id, "/v1.0/directoryObjects/" + id, "/v1.0/users(userPrincipalName='adele@contoso.example')",
	} {
		if a := w.want(200, "GET", path, nil); a.str("id") != id {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	for path, message := range map[string]string{
		"/v1.0/xyz":                        "Resource not found for the segment 'xyz'.",
		"/v1.0/users/" + id + "/xyz":       "Resource not found for the segment 'xyz'.",
		"/v1.0/groups//members":            "Resource not found for the segment ''.",
		"/v1.0/users?$wrong=1":             "The query specified in the URI is not valid. The query parameter '$wrong' is not supported.",
		"/v1.0/users?$top=1&%24top=2":      "Query option '$top' was specified more than once, but it must be specified at most once.",
		"/v1.0/users?$select=wrong":        "Could not find a property named 'wrong' on type 'microsoft.graph.user'.",
		"/v1.0/directory/deletedItems":     "The list of deleted items needs a type: /directory/deletedItems/microsoft.graph.user, for example.",
		"/v1.0/organization?$expand=users": "The query option '$expand' is not supported for this resource.",
	} {
		if a := w.want(400, "GET", path, nil); a.str("error", "code") != "BadRequest" || a.str("error", "message") != message {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	for _, path := range []string{"/v1.0/users/" + id + "/messages", "/v1.0/sites", "/v1.0/users/" + id + "/changePassword", "/v1.0/$metadata", "/v1.0/auditLogs/signIns"} {
		if a := w.want(501, "GET", path, nil); a.str("error", "code") != "NotImplemented" || !strings.Contains(a.str("error", "message"), path[len(path)-5:]) {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	if a := w.want(405, "PUT", "/v1.0/users", nil); a.str("error", "message") != "Specified HTTP method is not allowed for the request target." {
		t.Error(a.text)
	}
	if a := w.want(400, "GET", "/v1.0/users?$skip=1", nil); a.str("error", "code") != "Request_BadRequest" || a.str("error", "message") != "'$skip' is not supported by the service." {
		t.Error(a.text)
	}
}

func packed(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	must(t, err)
	must(t, z.Close())
	return b.Bytes()
}

func TestBodies(t *testing.T) {
	w := newWorld(t, "")
	body, err := json.Marshal(userBody("adele"))
	must(t, err)
	w.want(201, "POST", "/v1.0/users", packed(t, body), "Content-Encoding", "gzip")
	w.want(201, "POST", "/v1.0/users", "\ufeff"+strings.ReplaceAll(string(body), "adele", "bom"))
	w.want(201, "POST", "/v1.0/users", strings.NewReplacer("adele", "pascal", "displayName", "DisplayName", "accountEnabled", "AccountEnabled").Replace(string(body)))
	users := w.dir.Counts().Users
	for _, c := range []struct {
		name, body, code, message string
		status                    int
		header                    []string
	}{
		{"broken", `{"displayName":`, "BadRequest", "Unable to read JSON request payload.", 400, nil},
		{"empty", ``, "BadRequest", "Unable to read JSON request payload.", 400, nil},
		{"trailing", `{} {}`, "BadRequest", "Something follows", 400, nil},
		{"twice", `{"displayName":"a","displayName":"b"}`, "BadRequest", "'displayName' stands twice", 400, nil},
		{"list", `[]`, "BadRequest", "An object is expected", 400, nil},
		{"deep", `{"displayName":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, "BadRequest", "nested", 400, nil},
		{"unknown", strings.Replace(string(body), "displayName", "shoeSize", 1), "Request_BadRequest", "Property 'shoeSize' does not exist as a declared property or extension property.", 400, nil},
		{"missing", `{"displayName":"A"}`, "Request_BadRequest", "A value is required for property 'accountEnabled' of resource 'User'.", 400, nil},
		{"type", strings.Replace(string(body), `"accountEnabled":true`, `"accountEnabled":"yes"`, 1), "Request_BadRequest", "Invalid value specified for property 'accountEnabled'", 400, nil},
		{"read-only", strings.Replace(string(body), "{", `{"proxyAddresses":[],`, 1), "Request_BadRequest", "Property 'proxyAddresses' is read-only", 400, nil},
		{"domain", strings.Replace(string(body), "contoso.example", "fabrikam.example", 1), "Request_BadRequest", "The domain portion of the userPrincipalName property is invalid.", 400, nil},
		{"conflict", string(body), "Request_BadRequest", "Another object with the same value for property userPrincipalName already exists.", 400, nil},
		{"large", `{"displayName":"` + strings.Repeat("x", 5<<20) + `"}`, "RequestEntityTooLarge", "4 MiB", 413, nil},
		{"bomb", string(packed(t, bytes.Repeat([]byte(" "), 64<<20))), "RequestEntityTooLarge", "4 MiB", 413, []string{"Content-Encoding", "gzip"}},
		{"no gzip", string(body), "BadRequest", "gzip", 400, []string{"Content-Encoding", "gzip"}},
		{"coding", string(body), "UnsupportedMediaType", "br", 415, []string{"Content-Encoding", "br"}},
		{"media", string(body), "UnsupportedMediaType", "text/plain", 415, []string{"Content-Type", "text/plain"}},
	} {
		a := w.do("POST", "/v1.0/users", c.body, c.header...)
		if a.status != c.status || a.str("error", "code") != c.code || !strings.Contains(a.str("error", "message"), c.message) {
			t.Errorf("%s: %d %.300s", c.name, a.status, a.text)
		}
		if c.name == "conflict" && !strings.Contains(a.text, `"details":[{"code":"ObjectConflict","target":"userPrincipalName"`) {
			t.Errorf("details: %s", a.text)
		}
	}
	if n := w.dir.Counts().Users; n != users {
		t.Errorf("%d users after refused bodies, %d before", n, users)
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t, "secret-of-the-api")
	a := w.want(401, "GET", "/v1.0/users", nil)
	if a.str("error", "code") != "InvalidAuthenticationToken" || a.str("error", "message") != "Access token is empty." || !strings.Contains(a.header.Get("WWW-Authenticate"), graphID) {
		t.Errorf("%s %v", a.text, a.header)
	}
	w.want(401, "GET", "/v1.0/users", nil, "Authorization", "Bearer wrong")
	w.want(200, "GET", "/v1.0/users", nil, "Authorization", "Bearer secret-of-the-api")
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"11111111-2222-3333-4444-555555555555"}, "client_secret": {"secret-of-the-api"}, "scope": {w.url + "/.default"}}
	token := w.want(200, "POST", "/contoso.example/oauth2/v2.0/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	jwt := token.str("access_token")
	if token.at("expires_in") != 3599.0 || strings.Count(jwt, ".") != 2 {
		t.Fatal(token.text)
	}
	for _, path := range []string{"/v1.0/users", "/beta/groups", "/sim/clock"} {
		w.want(200, "GET", path, nil, "Authorization", "Bearer "+jwt)
		w.want(401, "GET", path, nil, "Authorization", "Bearer "+jwt[:len(jwt)-4]+"AAAA")
	}
	// A token that nobody signed opens nothing.
	parts := strings.Split(jwt, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
	w.want(401, "GET", "/v1.0/users", nil, "Authorization", "Bearer "+none)
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	must(t, err)
	for _, claim := range []string{`"aud":"` + w.url + `"`, `"appid":"11111111-2222-3333-4444-555555555555"`, `"idtyp":"app"`, `"ver":"1.0"`, `"tid":"` + w.dir.Tenant().ID + `"`} {
		if !strings.Contains(string(payload), claim) {
			t.Errorf("claims %s, want %s", payload, claim)
		}
	}
	if _, err := w.svc.Advance(t.Context(), 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	if a := w.want(401, "GET", "/v1.0/users", nil, "Authorization", "Bearer "+jwt); a.str("error", "message") != "Lifetime validation failed, the token is expired." {
		t.Error(a.text)
	}
	for drop, want := range map[string]string{"grant_type": "AADSTS900144", "client_id": "AADSTS900144", "scope": "AADSTS900144", "client_secret": "AADSTS7000216"} {
		f := url.Values{}
		for k, v := range form {
			if k != drop {
				f[k] = v
			}
		}
		a := w.do("POST", "/common/oauth2/v2.0/token", f.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		if a.status < 400 || !strings.HasPrefix(a.str("error_description"), want) {
			t.Errorf("without %s: %d %s", drop, a.status, a.text)
		}
	}
	d := w.want(200, "GET", "/contoso.example/v2.0/.well-known/openid-configuration", nil)
	keys := w.want(200, "GET", d.str("jwks_uri"), nil)
	if list, _ := keys.body["keys"].([]any); len(list) != 2 {
		t.Error(keys.text)
	}
	if a := w.want(200, "GET", "/common/discovery/instance?api-version=1.1&authorization_endpoint="+url.QueryEscape(w.url+"/common/oauth2/v2.0/authorize"), nil); a.str("tenant_discovery_endpoint") != w.url+"/common/v2.0/.well-known/openid-configuration" {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", "/metadata/endpoints?api-version=2022-09-01", nil); a.str("authentication", "loginEndpoint") != w.url {
		t.Error(a.text)
	}
	former := w.want(200, "POST", "/contoso.example/oauth2/token", "grant_type=client_credentials&client_id=a&client_secret=secret-of-the-api&resource=https://graph.example", "Content-Type", "application/x-www-form-urlencoded")
	if former.str("expires_in") != "3599" || former.str("resource") != "https://graph.example" {
		t.Error(former.text)
	}
	// Where nobody is asked for a token, any client gets one.
	open := newWorld(t, "")
	form.Set("client_secret", "any")
	open.want(200, "POST", "/contoso.example/oauth2/v2.0/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

const graphID = "00000003-0000-0000-c000-000000000000"
