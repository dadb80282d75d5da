// Command story tells the story of an application, from nothing to its log, with the client that stands under older releases
// of the azuread provider of Terraform: beta, and the tenant in every path. Provisioning on demand is not part of it: Graph
// answers 200 there, which this client takes for an error. It takes the address of the server.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/manicminer/hamilton/auth"
	"github.com/manicminer/hamilton/environments"
	"github.com/manicminer/hamilton/msgraph"
	"github.com/manicminer/hamilton/odata"
)

const tenant = "contoso.example"

var ctx = context.Background()

func ok(err error) {
	if err != nil {
		log.Panic(err)
	}
}

// done is the value of a call with a status.
func done[T any](v T, status int, err error) T {
	if err != nil {
		log.Panicf("status %d: %v", status, err)
	}
	return v
}

func same[T comparable](got, want T) {
	if got != want {
		log.Panicf("got %v, want %v", got, want)
	}
}

func to[T any](v T) *T { return &v }

type story struct {
	base   string
	client msgraph.Client
}

// set points a client at the server.
func (s *story) set(c *msgraph.Client) {
	c.Endpoint, c.Authorizer, c.DisableRetries = s.client.Endpoint, s.client.Authorizer, true
}

// read reads an answer and what it holds.
func read(resp *http.Response, status int, _ *odata.OData, err error) (v map[string]any) {
	done(resp, status, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	ok(err)
	if len(data) > 0 {
		ok(json.Unmarshal(data, &v))
	}
	return v
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	ok(err)
	return data
}

func (s *story) get(path string) map[string]any {
	return read(s.client.Get(ctx, msgraph.GetHttpRequestInput{ValidStatusCodes: []int{200}, Uri: msgraph.Uri{Entity: path, HasTenantId: true}}))
}

func (s *story) post(status int, path string, body any) map[string]any {
	return read(s.client.Post(ctx, msgraph.PostHttpRequestInput{Body: encode(body), ValidStatusCodes: []int{status}, Uri: msgraph.Uri{Entity: path, HasTenantId: true}}))
}

func (s *story) put(path string, body any) {
	read(s.client.Put(ctx, msgraph.PutHttpRequestInput{Body: encode(body), ValidStatusCodes: []int{204}, Uri: msgraph.Uri{Entity: path, HasTenantId: true}}))
}

// advance moves the clock.
func (s *story) advance(by string) {
	token, err := s.client.Authorizer.Token()
	ok(err)
	r, err := http.NewRequest("POST", s.base+"/sim/clock", strings.NewReader(`{"advance":"`+by+`"}`))
	ok(err)
	token.SetAuthHeader(r)
	res, err := http.DefaultClient.Do(r)
	ok(err)
	same(res.StatusCode, 200)
	ok(res.Body.Close())
}

func newUser(name string) msgraph.User {
	return msgraph.User{AccountEnabled: to(true), DisplayName: &name, MailNickname: to(strings.ToLower(name)), UserPrincipalName: to(strings.ToLower(name) + "@" + tenant),
		PasswordProfile: &msgraph.UserPasswordProfile{Password: to("not kept 1"), ForceChangePasswordNextSignIn: to(true)}}
}

func main() {
	log.SetFlags(log.Lshortfile)
	s := &story{base: os.Args[1], client: msgraph.NewClient(msgraph.VersionBeta, tenant)}
	s.client.Endpoint, s.client.DisableRetries = environments.ApiEndpoint(s.base), true
	s.client.Authorizer = (&auth.ClientCredentialsConfig{TenantID: tenant, ClientID: "11111111-2222-4333-8444-555555555555", ClientSecret: os.Getenv("STORY_SECRET"),
		TokenURL: s.base + "/" + tenant + "/oauth2/v2.0/token", TokenVersion: auth.TokenVersion2, Scopes: []string{s.base + "/.default"}}).TokenSource(ctx, auth.ClientCredentialsSecretType)

	people := msgraph.NewUsersClient(tenant)
	s.set(&people.BaseClient)
	company := *done(people.List(ctx, odata.Query{})) // the client follows the pages by itself
	if len(company) < 250 {
		log.Panicf("%d users", len(company))
	}
	first := s.get("/users/delta")
	same(len(first["value"].([]any)), len(company))
	link := first["@odata.deltaLink"].(string)

	ada := *done(people.Create(ctx, newUser("Ada"))).ID
	bob := *done(people.Create(ctx, newUser("Bob"))).ID
	_, status, err := people.Create(ctx, newUser("Ada"))
	same(status, 400)
	if err == nil || !strings.Contains(err.Error(), "userPrincipalName already exists") {
		log.Panic(err)
	}
	boss := msgraph.User{DirectoryObject: msgraph.DirectoryObject{ODataId: to(odata.Id(s.base + "/v1.0/users/" + ada))}}
	_, err = people.AssignManager(ctx, bob, boss)
	ok(err)
	same(*done(people.GetManager(ctx, bob)).ID, ada)

	teams := msgraph.NewGroupsClient(tenant)
	s.set(&teams.BaseClient)
	member := func(id string) msgraph.DirectoryObject {
		return msgraph.DirectoryObject{ODataId: to(odata.Id(s.base + "/v1.0/" + tenant + "/directoryObjects/" + id))}
	}
	group := done(teams.Create(ctx, msgraph.Group{DisplayName: to("Pioneers"), MailEnabled: to(false), MailNickname: to("pioneers"), SecurityEnabled: to(true),
		Members: &msgraph.Members{member(ada)}}))
	group.Members = &msgraph.Members{member(bob)}
	_, err = teams.AddMembers(ctx, group)
	ok(err)
	same(len(*done(teams.ListMembers(ctx, *group.ID))), 2)
	same(*(*done(people.ListGroupMemberships(ctx, bob, odata.Query{})))[0].ID, *group.ID)

	s.provision(ada, bob, *group.ID)

	_, err = people.Delete(ctx, bob)
	ok(err)
	_, status, _ = people.Get(ctx, bob, odata.Query{})
	same(status, 404)
	same(*(*done(people.ListDeleted(ctx, odata.Query{})))[0].ID, bob)
	same(*done(people.RestoreDeleted(ctx, bob)).ID, bob)
	_, err = people.Delete(ctx, bob)
	ok(err)
	_, err = people.DeletePermanently(ctx, bob)
	ok(err)
	_, status, _ = people.GetDeleted(ctx, bob, odata.Query{})
	same(status, 404)

	batch := s.post(200, "/$batch", map[string]any{"requests": []map[string]any{
		{"id": "1", "method": "PATCH", "url": "/users/" + ada, "headers": map[string]string{"Content-Type": "application/json"}, "body": map[string]string{"jobTitle": "Countess"}},
		{"id": "2", "method": "GET", "url": "/users/" + ada + "?$select=jobTitle", "dependsOn": []string{"1"}}}})
	answers := batch["responses"].([]any)
	same(answers[0].(map[string]any)["status"], any(204.0))
	same(answers[1].(map[string]any)["body"].(map[string]any)["jobTitle"], any("Countess"))

	_, rest, _ := strings.Cut(link, "/beta")
	path, query, _ := strings.Cut(rest, "?")
	_, token, _ := strings.Cut(query, "token=")
	changes := read(s.client.Get(ctx, msgraph.GetHttpRequestInput{ValidStatusCodes: []int{200},
		Uri: msgraph.Uri{Entity: strings.TrimPrefix(path, "/"+tenant), Params: map[string][]string{"$deltatoken": {token}}, HasTenantId: true}}))
	var gone bool
	for _, c := range changes["value"].([]any) {
		c := c.(map[string]any)
		gone = gone || c["id"] == bob && c["@removed"] != nil
	}
	same(gone, true)
	fmt.Printf("the story ran over %s\n", s.base)
}

// provision makes an application from the template, configures it, and lets it provision.
func (s *story) provision(ada, bob, group string) {
	templates := msgraph.NewApplicationTemplatesClient(tenant)
	s.set(&templates.BaseClient)
	made := done(templates.Instantiate(ctx, msgraph.ApplicationTemplate{ID: to("8adf8e6e-67b2-4cf2-a259-e3dc5476c621"), DisplayName: to("Story")}))
	id := *made.ServicePrincipal.ID
	principals := msgraph.NewServicePrincipalsClient(tenant)
	s.set(&principals.BaseClient)
	app := done(principals.Get(ctx, id, odata.Query{}))
	same(*app.AppId, *made.Application.AppId)

	sync := "/servicePrincipals/" + id + "/synchronization"
	s.put(sync+"/secrets", map[string]any{"value": []map[string]string{{"key": "BaseAddress", "value": os.Getenv("STORY_TARGET")}, {"key": "SecretToken", "value": "entrasim"}}})
	jobID := s.post(201, sync+"/jobs", map[string]string{"templateId": "scim"})["id"].(string)
	job := sync + "/jobs/" + jobID
	s.post(204, job+"/validateCredentials", map[string]any{"useSavedCredentials": true})
	schema := s.get(job + "/schema")
	s.put(job+"/schema", schema)
	same(string(encode(s.get(job + "/schema")["synchronizationRules"])), string(encode(schema["synchronizationRules"])))

	assigned := msgraph.NewAppRoleAssignedToClient(tenant)
	s.set(&assigned.BaseClient)
	var role *string
	for _, r := range *app.AppRoles {
		if *r.DisplayName == "User" {
			role = r.ID
		}
	}
	a := done(assigned.Assign(ctx, msgraph.AppRoleAssignment{AppRoleId: role, PrincipalId: &group, ResourceId: &id}))
	same(*a.PrincipalType, "Group")

	s.post(204, job+"/start", nil)
	s.advance("41m")
	execution := s.get(job)["status"].(map[string]any)["lastExecution"].(map[string]any)
	same(execution["state"], any("Succeeded"))
	logs := read(s.client.Get(ctx, msgraph.GetHttpRequestInput{ValidStatusCodes: []int{200}, OData: odata.Query{Filter: "jobId eq '" + jobID + "' and provisioningAction eq 'create'", Top: 1},
		Uri: msgraph.Uri{Entity: "/auditLogs/provisioning", HasTenantId: true}}))
	created := map[any]bool{}
	for _, record := range logs["value"].([]any) {
		created[record.(map[string]any)["sourceIdentity"].(map[string]any)["id"]] = true
	}
	same(created[ada] && created[bob] && created[group] && len(created) == 3, true)
}
