package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"entrasim/sim/clock"
)

// TestOpenAPI loads the document as tools do, then asks the program everything that it lists, on a tenant that has been
// provisioned, and checks each answer against it: every GET has to answer well, in the documented shape; the other methods
// too, with a body that fits nobody, have to answer with the documented error or with what they do when all is well.
func TestOpenAPI(t *testing.T) {
	url := serveWith(t, "", clock.Manual)
	_, text := get(t, url+"/openapi.json")
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	tell := sample(t, url)
	asked := 0
	for _, path := range doc.Paths.InMatchingOrder() {
		for method, op := range doc.Paths.Value(path).Operations() {
			if path == "/sim/events" || path == "/sim/reset" { // one never ends; the other is tested with the program
				continue
			}
			address, ok := tell(path)
			if !ok {
				t.Errorf("%s: nothing is known to fill in", path)
				continue
			}
			for _, p := range op.Parameters {
				if p.Value.In == "query" && p.Value.Required {
					user, _ := tell("{users}")
					address += "?" + p.Value.Name + "=" + user
				}
			}
			if method != http.MethodGet {
				if method == http.MethodDelete && !strings.HasPrefix(path, "/sim/") {
					continue // the stories of the clients delete
				}
				body := `{"no such property": 1}`
				if strings.Contains(path, "oauth2") {
					body = "grant_type=none"
				}
				check(t, op, method, path, url+address, body, false)
				asked++
				continue
			}
			check(t, op, method, path, url+address, "", true)
			asked++
		}
	}
	if asked < 100 {
		t.Errorf("only %d operations were asked", asked)
	}
	for _, o := range []string{"/beta/users", "/no/such/path"} {
		if doc.Paths.Find(o) != nil {
			t.Errorf("%s is documented", o)
		}
	}
}

func routeTo(op *openapi3.Operation, method, path string) *routers.Route {
	return &routers.Route{Path: path, Method: method, Operation: op}
}

// valueOf is what stands at a place of a JSON text, nil when nothing does.
func valueOf(t *testing.T, text string, at ...any) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, step := range at {
		switch x := v.(type) {
		case map[string]any:
			name, _ := step.(string)
			v = x[name]
		case []any:
			i, ok := step.(int)
			if !ok || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// never are the addresses that have no good answer here: without a signed-in user, without a type, of an application that
// is assigned to another, of object connections as a list.
var never = map[string]bool{"/v1.0/me": true, "/v1.0/directory/deletedItems": true, "/v1.0/servicePrincipals/{id}/appRoleAssignments/{assignment}": true,
	"/v1.0/servicePrincipals/{id}/synchronization/jobs/{job}/objectConnections": true}

// check sends a request, and validates its answer against the document.
func check(t *testing.T, op *openapi3.Operation, method, path, address, body string, good bool) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("ConsistencyLevel", "eventual")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if strings.Contains(path, "oauth2") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if good && !never[path] && res.StatusCode != http.StatusOK {
		t.Errorf("%s %s: %d %.300s", method, address, res.StatusCode, data)
		return
	}
	response := op.Responses.Status(res.StatusCode)
	if response == nil {
		response = op.Responses.Default()
		if res.StatusCode < 400 {
			t.Errorf("%s %s answers %d, which is not documented: %.200s", method, path, res.StatusCode, data)
			return
		}
	}
	if res.StatusCode == http.StatusNoContent {
		if len(response.Value.Content) > 0 || len(data) > 0 {
			t.Errorf("%s %s answers nothing, or not nothing", method, path)
		}
		return
	}
	media, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	content := response.Value.Content.Get(media)
	if content == nil {
		t.Errorf("%s %s answers %d with %s, which is not documented: %.200s", method, path, res.StatusCode, media, data)
		return
	}
	if media == "application/json" {
		input := &openapi3filter.ResponseValidationInput{RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r}, Status: res.StatusCode,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(data))}
		input.RequestValidationInput.Route = routeTo(op, method, path)
		if err := openapi3filter.ValidateResponse(t.Context(), input); err != nil {
			t.Errorf("%s %s: %v\n%.500s", method, path, err, data)
		}
	}
}

var sampled = []string{"users", "groups", "servicePrincipals", "applications", "applicationTemplates"}

// sample provisions the tenant once, deletes a user, and returns what fills the parameters of a path with its ids.
func sample(t *testing.T, url string) func(path string) (string, bool) {
	t.Helper()
	first := func(path, member string) string {
		t.Helper()
		_, text := get(t, url+path)
		v, ok := valueOf(t, text, "value", 0, member).(string)
		if !ok {
			t.Fatalf("%s: %s", path, text)
		}
		return v
	}
	ids := map[string]string{}
	for _, set := range sampled {
		ids[set] = first("/v1.0/"+set, "id")
	}
	sp := "/v1.0/servicePrincipals/" + ids["servicePrincipals"]
	ids["job"] = first(sp+"/synchronization/jobs", "id")
	if status, text := send(t, "POST", url+sp+"/synchronization/jobs/"+ids["job"]+"/start", ""); status != 204 {
		t.Fatal(text)
	}
	if status, text := send(t, "POST", url+"/sim/clock", `{"advance":"41m"}`); status != 200 {
		t.Fatal(text)
	}
	ids["record"] = first("/v1.0/auditLogs/provisioning", "id")
	ids["assignment"] = first(sp+"/appRoleAssignedTo", "id")
	group := first(sp+"/appRoleAssignedTo", "principalId")
	ids["object"] = group // it is linked
	ids["groups"], ids["member"] = group, first("/v1.0/groups/"+group+"/members", "id")
	ids["directory"] = first(sp+"/synchronization/jobs/"+ids["job"]+"/schema/directories", "id")
	_, text := get(t, url+"/v1.0/users?$filter=accountEnabled+eq+false")
	gone, _ := valueOf(t, text, "value", 0, "id").(string)
	if status, text := send(t, "DELETE", url+"/v1.0/users/"+gone, ""); status != 204 {
		t.Fatal(text)
	}
	_, text = get(t, url+"/v1.0/users?$expand=manager&$top=50")
	for i := range 50 {
		if valueOf(t, text, "value", i, "manager") != nil && valueOf(t, text, "value", i, "id") != nil {
			ids["users"], _ = valueOf(t, text, "value", i, "id").(string)
			break
		}
	}
	body := fmt.Sprintf(`{"principalId":%q,"resourceId":%q,"appRoleId":%q}`, ids["users"], ids["servicePrincipals"], first(sp+"/appRoleAssignedTo", "appRoleId"))
	if status, text := send(t, "POST", url+sp+"/appRoleAssignedTo", body, "Content-Type", "application/json"); status != 201 {
		t.Fatal(text)
	}
	status, text := send(t, "POST", url+"/v1.0/applications/"+ids["applications"]+"/extensionProperties", `{"name":"badge","dataType":"String","targetObjects":["User"]}`, "Content-Type", "application/json")
	if status != 201 {
		t.Fatal(text)
	}
	ids["extension"], _ = valueOf(t, text, "id").(string)
	ids["owner"] = ids["users"]
	for _, set := range []string{"groups", "servicePrincipals", "applications"} {
		owner := fmt.Sprintf(`{"@odata.id":"%s/v1.0/users/%s"}`, url, ids["owner"])
		if status, text := send(t, "POST", url+"/v1.0/"+set+"/"+ids[set]+"/owners/$ref", owner, "Content-Type", "application/json"); status != 204 {
			t.Fatal(text)
		}
	}
	return func(path string) (string, bool) {
		if path == "{users}" {
			return ids["users"], true
		}
		steps := strings.Split(path, "/")
		for i, step := range steps {
			name := strings.Trim(step, "{}")
			if name == step && !strings.Contains(step, "{") {
				continue
			}
			before := steps[i-1]
			value := ids[name]
			switch {
			case name == "tenant":
				value = "common"
			case name == "property":
				value = "displayName"
			case name == "template":
				value = "scim"
			case strings.HasPrefix(step, "microsoft.graph."):
				value = "microsoft.graph.user"
				if strings.HasSuffix(steps[i-1], "emberOf") {
					value = "microsoft.graph.group"
				}
			case before == "deletedItems":
				value = gone
			case before == "directoryObjects":
				value = ids["users"]
			case before == "organization":
				value = first("/v1.0/organization", "id")
			case before == "domains":
				value = "contoso.example"
			case before == "directoryAudits":
				value = first("/v1.0/auditLogs/directoryAudits", "id")
			case before == "appRoleAssignments" && steps[2] == "servicePrincipals":
				value = ids["assignment"] // no application is assigned to another: not found
			case before == "appRoleAssignments":
				value = first("/v1.0/"+steps[2]+"/"+ids[steps[2]]+"/appRoleAssignments", "id")
			case value == "":
				value = ids[before]
			}
			if value == "" {
				return path, false
			}
			steps[i] = value
		}
		return strings.Join(steps, "/"), true
	}
}
