// Command story tells the story of an application, from nothing to its log, with the layer that stands under the present
// azuread provider of Terraform. It takes the address of the server, finds the login service by the metadata that the
// provider's metadata_host asks for, and exits with 1 when something is not as Graph does it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/hashicorp/go-azure-sdk/sdk/auth"
	"github.com/hashicorp/go-azure-sdk/sdk/client"
	"github.com/hashicorp/go-azure-sdk/sdk/client/msgraph"
	"github.com/hashicorp/go-azure-sdk/sdk/environments"
	"github.com/hashicorp/go-azure-sdk/sdk/odata"
)

func must[T any](v T, err error) T {
	ok(err)
	return v
}

func ok(err error) {
	if err != nil {
		log.Panic(err)
	}
}

func same(got, want any) {
	if !reflect.DeepEqual(got, want) {
		log.Panicf("got %v, want %v", got, want)
	}
}

type document = map[string]any

type story struct {
	base   string
	ctx    context.Context
	client *msgraph.Client
	auth   auth.Authorizer
}

// query are the options of a request.
type query odata.Query

func (q query) ToHeaders() *client.Headers   { return nil }
func (q query) ToOData() *odata.Query        { o := odata.Query(q); return &o }
func (q query) ToQuery() *client.QueryParams { return nil }

// send sends a request and wants a status; paged answers are read to their end.
func (s *story) send(status int, method, path string, body any, q query, paged bool) document {
	r := must(s.client.NewRequest(s.ctx, client.RequestOptions{ContentType: "application/json; charset=utf-8", ExpectedStatusCodes: []int{status}, HttpMethod: method,
		OptionsObject: q, Path: path}))
	if body != nil {
		ok(r.Marshal(body))
	}
	run := r.Execute
	if paged {
		run = r.ExecutePaged
	}
	answer, err := run(s.ctx)
	if err != nil {
		log.Panicf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	var v document
	if answer.ContentLength != 0 && status != http.StatusNoContent {
		ok(answer.Unmarshal(&v))
	}
	return v
}

func (s *story) get(path string) document { return s.send(200, "GET", path, nil, query{}, false) }
func (s *story) all(path string, q query) []any {
	return s.send(200, "GET", path, nil, q, true)["value"].([]any)
}
func (s *story) post(status int, path string, body any) document {
	return s.send(status, "POST", path, body, query{}, false)
}

// fails wants an error of Graph.
func (s *story) fails(status int, method, path string, body any, text string) {
	r := must(s.client.NewRequest(s.ctx, client.RequestOptions{ContentType: "application/json", ExpectedStatusCodes: []int{200}, HttpMethod: method, OptionsObject: query{}, Path: path}))
	if body != nil {
		ok(r.Marshal(body))
	}
	answer, err := r.Execute(s.ctx)
	if err == nil || answer == nil || answer.OData == nil || answer.OData.Error == nil {
		log.Panicf("%s %s: %v is no error of Graph", method, path, err)
	}
	same(answer.StatusCode, status)
	if !strings.Contains(answer.OData.Error.String(), text) {
		log.Panicf("%s %s: %s does not say %s", method, path, answer.OData.Error, text)
	}
}

// plain sends a request that is not of Graph.
func (s *story) plain(method, path, body string) document {
	r := must(http.NewRequestWithContext(s.ctx, method, s.base+path, bytes.NewReader([]byte(body))))
	must(s.auth.Token(s.ctx, r)).SetAuthHeader(r)
	res := must(http.DefaultClient.Do(r))
	defer res.Body.Close()
	same(res.StatusCode, 200)
	var v document
	ok(json.NewDecoder(res.Body).Decode(&v))
	return v
}

func newUser(name string) document {
	return document{"accountEnabled": true, "displayName": name, "mailNickname": strings.ToLower(name), "userPrincipalName": strings.ToLower(name) + "@contoso.example",
		"passwordProfile": document{"password": "not kept 1", "forceChangePasswordNextSignIn": true}}
}

func main() {
	log.SetFlags(log.Lshortfile)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	s := &story{base: os.Args[1], ctx: ctx}

	cloud := must(environments.FromEndpoint(ctx, s.base))
	s.auth = must(auth.NewClientSecretAuthorizer(ctx, auth.ClientSecretAuthorizerOptions{Environment: *cloud, Api: cloud.MicrosoftGraph, TenantId: "contoso.example",
		ClientId: "11111111-2222-4333-8444-555555555555", ClientSecret: os.Getenv("STORY_SECRET")}))
	s.client = must(msgraph.NewClient(cloud.MicrosoftGraph, "story", msgraph.VersionOnePointZero))
	s.client.SetAuthorizer(s.auth)

	company := s.all("/users", query{Top: 100, Select: []string{"id"}})
	if len(company) < 250 {
		log.Panicf("%d users", len(company))
	}
	link := s.deltaLink()

	ada := s.post(201, "/users", newUser("Ada"))["id"].(string)
	bob := s.post(201, "/users", newUser("Bob"))["id"].(string)
	s.fails(400, "POST", "/users", newUser("Ada"), "userPrincipalName already exists")
	s.send(204, "PUT", "/users/"+bob+"/manager/$ref", document{"@odata.id": s.base + "/v1.0/users/" + ada}, query{}, false)
	same(s.get("/users/" + bob + "/manager")["id"], ada)
	group := s.post(201, "/groups", document{"displayName": "Pioneers", "mailEnabled": false, "mailNickname": "pioneers", "securityEnabled": true,
		"members@odata.bind": []string{s.base + "/v1.0/directoryObjects/" + ada}})["id"].(string)
	s.post(204, "/groups/"+group+"/members/$ref", document{"@odata.id": s.base + "/v1.0/directoryObjects/" + bob})
	same(len(s.all("/groups/"+group+"/members", query{})), 2)
	same(s.all("/users/"+bob+"/memberOf", query{})[0].(document)["id"], group)

	s.provision(ada, bob, group)

	s.send(204, "DELETE", "/users/"+bob, nil, query{}, false)
	s.fails(404, "GET", "/users/"+bob, nil, "does not exist or one of its queried reference-property objects are not present")
	same(s.all("/directory/deletedItems/microsoft.graph.user", query{})[0].(document)["id"], bob)
	same(s.post(200, "/directory/deletedItems/"+bob+"/restore", nil)["id"], bob)
	s.send(204, "DELETE", "/users/"+bob, nil, query{}, false)
	s.send(204, "DELETE", "/directory/deletedItems/"+bob, nil, query{}, false)
	s.fails(404, "GET", "/directory/deletedItems/"+bob, nil, bob)

	answers := s.post(200, "/$batch", document{"requests": []document{
		{"id": "1", "method": "PATCH", "url": "/users/" + ada, "headers": document{"Content-Type": "application/json"}, "body": document{"jobTitle": "Countess"}},
		{"id": "2", "method": "GET", "url": "/users/" + ada + "?$select=jobTitle", "dependsOn": []string{"1"}}}})["responses"].([]any)
	same(answers[0].(document)["status"], 204.0)
	same(answers[1].(document)["body"].(document)["jobTitle"], "Countess")

	changes := map[any]document{}
	for _, c := range s.all("/users/delta", query{DeltaToken: link}) {
		changes[c.(document)["id"]] = c.(document)
	}
	same(len(changes), 2)
	same(changes[ada]["jobTitle"], "Countess")
	same(changes[bob]["@removed"], document{"reason": "deleted"})
	fmt.Printf("the story ran over %s\n", s.base)
}

// deltaLink begins a delta query at the present state and returns its token.
func (s *story) deltaLink() string {
	first := s.send(200, "GET", "/users/delta", nil, query{DeltaToken: "latest", Select: []string{"displayName", "jobTitle"}}, false)
	link := must(url.Parse(first["@odata.deltaLink"].(string)))
	return link.Query().Get("$deltatoken")
}

// provision makes an application from the template, configures it, and lets it provision.
func (s *story) provision(ada, bob, group string) {
	made := s.post(201, "/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate", document{"displayName": "Story"})
	id := made["servicePrincipal"].(document)["id"].(string)
	app := s.get("/servicePrincipals/" + id)
	sync := "/servicePrincipals/" + id + "/synchronization"
	s.send(204, "PUT", sync+"/secrets", document{"value": []document{{"key": "BaseAddress", "value": os.Getenv("STORY_TARGET")}, {"key": "SecretToken", "value": "entrasim"}}}, query{}, false)
	jobID := s.post(201, sync+"/jobs", document{"templateId": "scim"})["id"].(string)
	job := sync + "/jobs/" + jobID
	s.post(204, job+"/validateCredentials", document{"useSavedCredentials": true})
	schema := s.get(job + "/schema")
	s.send(204, "PUT", job+"/schema", schema, query{}, false)
	same(s.get(job + "/schema")["synchronizationRules"], schema["synchronizationRules"])
	for _, r := range app["appRoles"].([]any) {
		if r := r.(document); r["displayName"] == "User" {
			a := s.post(201, "/servicePrincipals/"+id+"/appRoleAssignedTo", document{"principalId": group, "resourceId": id, "appRoleId": r["id"]})
			same(a["principalType"], "Group")
		}
	}
	s.post(204, job+"/start", nil)
	cycles := s.plain("POST", "/sim/clock", `{"advance":"41m"}`)["cycles"].([]any)
	same(cycles[0].(document)["counts"].(document)["fail"], 0.0)
	ran := s.get(job)
	same(ran["status"].(document)["lastExecution"].(document)["state"], "Succeeded")
	same(ran["schedule"].(document)["state"], "Active")

	rule := schema["synchronizationRules"].([]any)[0].(document)["id"]
	demand := s.post(200, job+"/provisionOnDemand", document{"parameters": []document{{"ruleId": rule, "subjects": []document{{"objectId": bob, "objectTypeName": "User"}}}}})
	if !strings.Contains(demand["value"].(string), "EntryImport") {
		log.Panicf("provision on demand answers %v", demand)
	}
	created := map[any]bool{}
	for _, r := range s.all("/auditLogs/provisioning", query{Filter: "jobId eq '" + jobID + "' and provisioningAction eq 'create'", Top: 1}) {
		created[r.(document)["sourceIdentity"].(document)["id"]] = true
	}
	same(created, map[any]bool{ada: true, bob: true, group: true})
}
