package graph_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
)

const nobody = "11111111-2222-4333-8444-555555555555"

// TestRefusedBodies: whatever route takes a body, one that can't be read, that is too long, that packs a bomb, or that holds
// something nobody knows is refused with Graph's code and by name, and leaves no trace in the directory.
func TestRefusedBodies(t *testing.T) {
	w := newWorld(t, "")
	adele, sales := w.user("adele"), w.group("Sales")
	sp, app, _ := w.app("Fabrikam App")
	sync := "/servicePrincipals/" + sp + "/synchronization"
	job := sync + "/jobs/" + w.want(201, "POST", "/v1.0"+sync+"/jobs", `{"templateId":"scim"}`).str("id")
	type route struct {
		method, path string
		lenient      bool // what it does not know it passes over (instantiate), or names as part of a document (schema)
	}
	routes := []route{
		{"POST", "/users", false}, {"PATCH", "/users/" + adele, false}, {"PUT", "/users/" + adele + "/manager/$ref", false},
		{"POST", "/users/" + adele + "/appRoleAssignments", false}, {"POST", "/users/" + adele + "/getMemberGroups", false},
		{"POST", "/groups", false}, {"PATCH", "/groups/" + sales, false}, {"POST", "/groups/" + sales + "/members/$ref", false},
		{"POST", "/groups/" + sales + "/owners/$ref", false}, {"POST", "/groups/" + sales + "/appRoleAssignments", false},
		{"POST", "/directoryObjects/getByIds", false}, {"POST", "/applications", false}, {"PATCH", "/applications/" + app, false},
		{"POST", "/applications/" + app + "/addPassword", false}, {"POST", "/applications/" + app + "/removePassword", false},
		{"POST", "/applications/" + app + "/owners/$ref", false}, {"POST", "/servicePrincipals", false}, {"PATCH", "/servicePrincipals/" + sp, false},
		{"POST", "/servicePrincipals/" + sp + "/appRoleAssignedTo", false}, {"POST", "/servicePrincipals/" + sp + "/owners/$ref", false},
		{"POST", sync + "/jobs", false}, {"PATCH", job, false}, {"POST", job + "/restart", false}, {"POST", job + "/validateCredentials", false},
		{"PUT", sync + "/secrets", false}, {"POST", job + "/schema/parseExpression", false}, {"POST", job + "/provisionOnDemand", false},
		{"PUT", job + "/schema", true}, {"POST", "/$batch", true},
		{"POST", "/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate", true},
	}
	last := w.dir.LastChange()
	before := w.want(200, "GET", "/v1.0"+job, nil).text
	bomb := packed(t, bytes.Repeat([]byte(" "), 32<<20))
	long := `{"displayName":"` + strings.Repeat("x", 4<<20) + `"}`
	for _, r := range routes {
		at := r.method + " " + r.path
		refuse := func(what string, a answer, status int, code, names string) {
			t.Helper()
			if a.status != status || a.str("error", "code") != code || !strings.Contains(a.str("error", "message"), names) || a.str("error", "innerError", "request-id") == "" {
				t.Errorf("%s, %s: %d %.300s", at, what, a.status, a.text)
			}
		}
		refuse("broken", w.do(r.method, "/v1.0"+r.path, `{"displayName":`), 400, "BadRequest", "Unable to read JSON request payload")
		refuse("deep", w.do(r.method, "/v1.0"+r.path, strings.Repeat(`{"a":`, 500)+"1"+strings.Repeat("}", 500)), 400, "BadRequest", "nested")
		refuse("no UTF-8", w.do(r.method, "/v1.0"+r.path, []byte("{\"displayName\":\"\xff\"}")), 400, "BadRequest", "UTF-8")
		refuse("long", w.do(r.method, "/v1.0"+r.path, long), 413, "RequestEntityTooLarge", "4 MiB")
		refuse("a bomb", w.do(r.method, "/v1.0"+r.path, bomb, "Content-Encoding", "gzip"), 413, "RequestEntityTooLarge", "4 MiB")
		refuse("no JSON", w.do(r.method, "/v1.0"+r.path, `a=b`, "Content-Type", "application/x-www-form-urlencoded"), 415, "UnsupportedMediaType", "application/x-www-form-urlencoded")
		if r.lenient {
			continue
		}
		refuse("a list", w.do(r.method, "/v1.0"+r.path, `[]`), 400, "BadRequest", "object")
		body := `{"shoeSize":7,"@odata.type":"#microsoft.graph.thing"}`
		if strings.HasSuffix(r.path, "$ref") {
			body = `{"shoeSize":7,"@odata.id":"https://graph.microsoft.com/v1.0/users/` + adele + `"}`
		}
		refuse("unknown", w.do(r.method, "/v1.0"+r.path, body), 400, "Request_BadRequest", "Property 'shoeSize' does not exist")
		if strings.HasSuffix(r.path, "$ref") {
			for _, bad := range []string{`"nowhere"`, `7`, `"https://graph.microsoft.com/v1.0/users/"`, `"https://graph.microsoft.com/v1.0/cars/` + adele + `"`} {
				refuse("reference "+bad, w.do(r.method, "/v1.0"+r.path, `{"@odata.id":`+bad+`}`), 400, "Request_BadRequest", "Not a valid reference update.")
			}
			refuse("nobody", w.do(r.method, "/v1.0"+r.path, `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/`+nobody+`"}`), 404, "Request_ResourceNotFound",
				"Resource '"+nobody+"' does not exist or one of its queried reference-property objects are not present.")
		}
	}
	if w.dir.LastChange() != last || w.want(200, "GET", "/v1.0"+job, nil).text != before {
		t.Error("a refused body left a trace")
	}
}

// TestRefusedValues: values that the directory does not hold, named, and nothing of their requests is written.
func TestRefusedValues(t *testing.T) {
	w := newWorld(t, "")
	adele, sales := w.user("adele", "jobTitle", "Engineer"), w.group("Sales")
	w.user("carl")
	last := w.dir.LastChange()
	user := func(name, value string) string { return `{"jobTitle":"Half","` + name + `":` + value + `}` }
	for _, c := range []struct{ path, body, code, names string }{
		{"/users/" + adele, user("userPrincipalName", `"carl@contoso.example"`), "Request_BadRequest", "Another object with the same value for property userPrincipalName already exists."},
		{"/users/" + adele, user("userPrincipalName", `"no one"`), "Request_BadRequest", "Invalid value specified for property 'userPrincipalName' of resource 'User'."},
		{"/users/" + adele, user("userPrincipalName", `null`), "Request_BadRequest", "userPrincipalName"},
		{"/users/" + adele, user("accountEnabled", `"true"`), "Request_BadRequest", "Invalid value specified for property 'accountEnabled'"},
		{"/users/" + adele, user("department", `7`), "Request_BadRequest", "Invalid value specified for property 'department'"},
		{"/users/" + adele, user("department", `["Sales"]`), "Request_BadRequest", "Invalid value specified for property 'department'"},
		{"/users/" + adele, user("businessPhones", `"1"`), "Request_BadRequest", "Invalid value specified for property 'businessPhones'"},
		{"/users/" + adele, user("businessPhones", `["1","2"]`), "Request_BadRequest", "businessPhones"},
		{"/users/" + adele, user("employeeHireDate", `"tomorrow"`), "Request_BadRequest", "Invalid value specified for property 'employeeHireDate'"},
		{"/users/" + adele, user("employeeOrgData", `"x"`), "Request_BadRequest", "employeeOrgData"},
		{"/users/" + adele, user("employeeOrgData", `{"floor":"x"}`), "Request_BadRequest", "floor"},
		{"/users/" + adele, user("onPremisesExtensionAttributes", `{"extensionAttribute16":"x"}`), "Request_BadRequest", "extensionAttribute16"},
		{"/users/" + adele, user("employeeId", `"12345678901234567"`), "Request_BadRequest", "employeeId"},
		{"/users/" + adele, user("id", `"`+nobody+`"`), "Request_BadRequest", "id"},
		{"/users/" + adele, user("createdDateTime", `"2026-01-01T00:00:00Z"`), "Request_BadRequest", "createdDateTime"},
		{"/users/" + adele, user("passwordProfile", `{"password":""}`), "Request_BadRequest", "password"},
		{"/users/" + adele, user("manager@odata.bind", `"https://graph.microsoft.com/v1.0/users/`+nobody+`"`), "Request_ResourceNotFound", nobody},
		{"/users/" + adele, user("manager@odata.bind", `"https://graph.microsoft.com/v1.0/users/`+adele+`"`), "Request_BadRequest", "manager"},
		{"/groups/" + sales, `{"description":"Half","members@odata.bind":["https://graph.microsoft.com/v1.0/users/` + adele + `","https://graph.microsoft.com/v1.0/users/` + nobody + `"]}`, "Request_ResourceNotFound", nobody},
		{"/groups/" + sales, `{"description":"Half","securityEnabled":false}`, "Request_BadRequest", "security-enabled"},
		{"/groups/" + sales, `{"description":"Half","groupTypes":["Other"]}`, "Request_BadRequest", "groupTypes"},
		{"/groups/" + sales, `{"description":"Half","visibility":"Sometimes"}`, "Request_BadRequest", "visibility"},
		{"/groups/" + sales, `{"description":"Half","mailNickname":"a b"}`, "Request_BadRequest", "mailNickname"},
		{"/groups/" + sales, `{"description":"Half","members":[]}`, "Request_BadRequest", "members"},
	} {
		a := w.do("PATCH", "/v1.0"+c.path, c.body)
		if a.status != map[string]int{"Request_BadRequest": 400, "Request_ResourceNotFound": 404}[c.code] || a.str("error", "code") != c.code || !strings.Contains(a.str("error", "message"), c.names) {
			t.Errorf("%s: %d %s", c.body, a.status, a.text)
		}
	}
	if w.dir.LastChange() != last {
		t.Error("a refused value left a trace")
	}
}

// TestRefusedQueries: options that a list can't follow are named, never passed over.
func TestRefusedQueries(t *testing.T) {
	w := newWorld(t, "")
	adele, sales := w.user("adele"), w.group("Sales")
	sp, _, _ := w.app("Fabrikam App")
	lists := []string{"/users", "/groups", "/servicePrincipals", "/applications", "/directory/deletedItems/microsoft.graph.user", "/auditLogs/provisioning",
		"/groups/" + sales + "/members", "/groups/" + sales + "/transitiveMembers", "/groups/" + sales + "/owners", "/users/" + adele + "/memberOf",
		"/users/" + adele + "/transitiveMemberOf", "/users/" + adele + "/directReports", "/users/" + adele + "/appRoleAssignments",
		"/servicePrincipals/" + sp + "/appRoleAssignedTo", "/users/delta", "/groups/delta", "/applicationTemplates",
		"/servicePrincipals/" + sp + "/synchronization/templates"}
	for _, at := range lists {
		for query, names := range map[string]string{
			"$filter=shoeSize+eq+7":   "shoeSize $filter",
			"$filter=(id+eq":          "position $filter",
			"$select=shoeSize":        "shoeSize $select",
			"$orderby=shoeSize":       "shoeSize $orderby",
			"$expand=shoes":           "shoes $expand",
			"$search=\"shoes:red\"":   "shoes $search",
			"$top=0":                  "size $top",
			"$top=many":               "$top",
			"$count=perhaps":          "$count",
			"$apply=groupby((a))":     "$apply",
			"$compute=a":              "$compute",
			"$format=atom":            "atom",
			"$filter=id&$filter=id":   "$filter",
			"$skiptoken=nonsense":     "token",
			"$skiptoken=eyJsIjoieCJ9": "token",
		} {
			name, value, _ := strings.Cut(query, "=")
			if strings.Contains(value, "&") {
				value = "id&$filter=id"
			} else if !strings.Contains(value, "+") {
				value = url.QueryEscape(value)
			}
			a := w.do("GET", "/v1.0"+at+"?"+name+"="+value, nil, "ConsistencyLevel", "eventual")
			named := false
			for _, n := range strings.Fields(names) {
				named = named || strings.Contains(a.str("error", "message"), n)
			}
			if a.status != 400 || !named {
				t.Errorf("GET %s?%s: %d %.300s", at, query, a.status, a.text)
			}
		}
		if a := w.do("GET", "/v1.0"+at+"?$skip=1", nil); at != "/auditLogs/provisioning" && (a.status != 400 || a.str("error", "message") != "'$skip' is not supported by the service.") {
			t.Errorf("%s: %s", at, a.text)
		}
	}
	if a := w.want(400, "GET", "/v1.0/users?$skiptoken=nonsense", nil); a.str("error", "code") != "Directory_ExpiredPageToken" {
		t.Error(a.text)
	}
	// What Graph has and this subset has not.
	for path, status := range map[string]int{"/users/" + adele + "/messages": 501, "/teams": 501, "/users/" + adele + "/photo": 501, "/cars": 400, "/users/" + adele + "/shoeSize": 400,
		"/auditLogs/signIns": 501, "/$metadata": 501, "/servicePrincipals/" + sp + "/claimsMappingPolicies": 501, "/groups/" + sales + "/sites": 501,
		"/servicePrincipals/" + sp + "/synchronization/jobs/x/bulkUpload": 501, "/me": 400, "/users?$filter=members/$count+eq+1": 501, "/users?$select=skills": 501,
		"/users?$expand=manager($levels=max)": 501} {
		a := w.do("GET", "/v1.0"+path, nil, "ConsistencyLevel", "eventual")
		last := strings.Split(path, "/")[len(strings.Split(path, "/"))-1]
		want := map[int]string{501: "NotImplemented", 400: "BadRequest"}[status]
		if a.status != status || a.str("error", "code") != want || path != "/me" && !strings.Contains(path, "?") && !strings.Contains(a.str("error", "message"), last) {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	if a := w.want(405, "PUT", "/v1.0/users", `{}`); a.str("error", "code") != "Request_BadRequest" || a.str("error", "message") != "Specified HTTP method is not allowed for the request target." {
		t.Error(a.text)
	}
}
