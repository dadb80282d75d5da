// Command story tells the story of an application, from nothing to its log, with Microsoft's own client for Go. It takes the
// address of the server, and exits with 1 when something is not as Graph does it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"
	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/authentication"
	"github.com/microsoft/kiota-abstractions-go/store"
	msgraph "github.com/microsoftgraph/msgraph-sdk-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/applicationtemplates"
	"github.com/microsoftgraph/msgraph-sdk-go/auditlogs"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/serviceprincipals"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
)

var ctx = context.Background()

func must[T any](v T, err error) T {
	ok(err)
	return v
}

func ok(err error) {
	if err == nil {
		return
	}
	var e *odataerrors.ODataError
	if errors.As(err, &e) && e.GetErrorEscaped() != nil {
		log.Panicf("status %d, %s: %s", e.ResponseStatusCode, *e.GetErrorEscaped().GetCode(), *e.GetErrorEscaped().GetMessage())
	}
	log.Panic(err)
}

func same[T comparable](got, want T) {
	if got != want {
		log.Panicf("got %v, want %v", got, want)
	}
}

// fails wants an error of Graph.
func fails(err error, status int, code string) {
	var e *odataerrors.ODataError
	if !errors.As(err, &e) || e.GetErrorEscaped() == nil {
		log.Panicf("%v is no error of Graph", err)
	}
	same(e.ResponseStatusCode, status)
	same(*e.GetErrorEscaped().GetCode(), code)
}

func to[T any](v T) *T { return &v }

// bearer puts a token of the token endpoint on every request.
type bearer string

func (b bearer) AuthenticateRequest(_ context.Context, r *abstractions.RequestInformation, _ map[string]any) error {
	r.Headers.Add("Authorization", "Bearer "+string(b))
	return nil
}

var _ authentication.AuthenticationProvider = bearer("")

func token(base string) string {
	res := must(http.PostForm(base+"/contoso.example/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"}, "client_secret": {os.Getenv("STORY_SECRET")},
		"client_id": {"11111111-2222-4333-8444-555555555555"}, "scope": {base + "/.default"}}))
	defer res.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	ok(json.NewDecoder(res.Body).Decode(&answer))
	same(res.StatusCode, 200)
	return answer.AccessToken
}

// whole marks a model that was read as changed throughout: the client sends changes alone, and a schema replaces the former
// one as a whole.
func whole(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			whole(v.Index(i))
		}
		return
	case reflect.Interface:
		whole(v.Elem())
		return
	case reflect.Invalid:
		return
	}
	model, backed := v.Interface().(store.BackedModel)
	if !backed || v.IsNil() {
		return
	}
	values := model.GetBackingStore()
	values.SetInitializationCompleted(true)
	for key, value := range values.Enumerate() {
		whole(reflect.ValueOf(value))
		ok(values.Set(key, nil))
		ok(values.Set(key, value))
	}
}

type story struct {
	base   string
	token  string
	client *msgraph.GraphServiceClient
	to     abstractions.RequestAdapter
}

// advance moves the clock and returns how many cycles ran.
func (s *story) advance(by string) int {
	r := must(http.NewRequest("POST", s.base+"/sim/clock", bytes.NewReader([]byte(`{"advance":"`+by+`"}`))))
	r.Header.Set("Authorization", "Bearer "+s.token)
	res := must(http.DefaultClient.Do(r))
	defer res.Body.Close()
	var answer struct {
		Cycles []struct {
			Counts struct{ Fail int }
		}
	}
	ok(json.NewDecoder(res.Body).Decode(&answer))
	same(res.StatusCode, 200)
	for _, c := range answer.Cycles {
		same(c.Counts.Fail, 0)
	}
	return len(answer.Cycles)
}

func (s *story) newUser(name string) models.Userable {
	u := models.NewUser()
	u.SetAccountEnabled(to(true))
	u.SetDisplayName(&name)
	u.SetMailNickname(to(strings.ToLower(name)))
	u.SetUserPrincipalName(to(strings.ToLower(name) + "@contoso.example"))
	p := models.NewPasswordProfile()
	p.SetPassword(to("not kept 1"))
	p.SetForceChangePasswordNextSignIn(to(true))
	u.SetPasswordProfile(p)
	return u
}

// round reads one round of a delta query of users: the changes by id, and the address of the next.
func (s *story) round(page users.DeltaGetResponseable) (map[string]models.Userable, string) {
	all := map[string]models.Userable{}
	for {
		for _, u := range page.GetValue() {
			all[*u.GetId()] = u
		}
		if link := page.GetOdataDeltaLink(); link != nil {
			return all, *link
		}
		page = must(s.client.Users().Delta().WithUrl(*page.GetOdataNextLink()).GetAsDeltaGetResponse(ctx, nil))
	}
}

func main() {
	log.SetFlags(log.Lshortfile)
	s := &story{base: os.Args[1]}
	s.token = token(s.base)
	adapter := must(msgraph.NewGraphRequestAdapter(bearer(s.token)))
	adapter.SetBaseUrl(s.base + "/v1.0")
	s.to, s.client = adapter, msgraph.NewGraphServiceClient(adapter)

	company := s.pageThrough()
	first := must(s.client.Users().Delta().GetAsDeltaGetResponse(ctx, &users.DeltaRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.DeltaRequestBuilderGetQueryParameters{Select: []string{"displayName", "jobTitle", "manager"}}}))
	all, link := s.round(first)
	same(len(all), company)

	ada, bob, group := s.people()
	s.application(ada, bob, group)
	s.deletedItems(bob)
	s.batch(ada)

	changes, _ := s.round(must(s.client.Users().Delta().WithUrl(link).GetAsDeltaGetResponse(ctx, nil)))
	same(len(changes), 2)
	same(*changes[ada].GetJobTitle(), "Countess")
	if changes[bob].GetAdditionalData()["@removed"] == nil {
		log.Panic("nothing says that Bob is gone")
	}
	fmt.Printf("the story ran over %s\n", s.base)
}

func (s *story) pageThrough() int {
	seen := map[string]bool{}
	first := must(s.client.Users().Get(ctx, &users.UsersRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UsersRequestBuilderGetQueryParameters{Top: to(int32(100)), Select: []string{"id", "displayName"}}}))
	pages := must(core.NewPageIterator[models.Userable](first, s.to, models.CreateUserCollectionResponseFromDiscriminatorValue))
	ok(pages.Iterate(ctx, func(u models.Userable) bool { seen[*u.GetId()] = true; return true }))
	headers := abstractions.NewRequestHeaders()
	headers.Add("ConsistencyLevel", "eventual")
	counted := must(s.client.Users().Get(ctx, &users.UsersRequestBuilderGetRequestConfiguration{Headers: headers,
		QueryParameters: &users.UsersRequestBuilderGetQueryParameters{Top: to(int32(1)), Count: to(true)}}))
	same(*counted.GetOdataCount(), int64(len(seen)))
	same(int(*must(s.client.Users().Count().Get(ctx, &users.CountRequestBuilderGetRequestConfiguration{Headers: headers}))), len(seen))
	if len(seen) < 250 {
		log.Panicf("%d users", len(seen))
	}
	return len(seen)
}

// people makes two users, one the manager of the other, and a group of them.
func (s *story) people() (ada, bob, group string) {
	ada = *must(s.client.Users().Post(ctx, s.newUser("Ada"), nil)).GetId()
	bob = *must(s.client.Users().Post(ctx, s.newUser("Bob"), nil)).GetId()
	_, err := s.client.Users().Post(ctx, s.newUser("Ada"), nil)
	fails(err, 400, "Request_BadRequest")
	ref := models.NewReferenceUpdate()
	ref.SetOdataId(to(s.base + "/v1.0/users/" + ada))
	ok(s.client.Users().ByUserId(bob).Manager().Ref().Put(ctx, ref, nil))
	same(*must(s.client.Users().ByUserId(bob).Manager().Get(ctx, nil)).GetId(), ada)
	with := must(s.client.Users().ByUserId("bob@contoso.example").Get(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Expand: []string{"manager($select=id)"}}}))
	same(*with.GetManager().GetId(), ada)

	g := models.NewGroup()
	g.SetDisplayName(to("Pioneers"))
	g.SetMailEnabled(to(false))
	g.SetMailNickname(to("pioneers"))
	g.SetSecurityEnabled(to(true))
	g.SetAdditionalData(map[string]any{"members@odata.bind": []string{s.base + "/v1.0/directoryObjects/" + ada}})
	group = *must(s.client.Groups().Post(ctx, g, nil)).GetId()
	member := models.NewReferenceCreate()
	member.SetOdataId(to("https://graph.microsoft.com/v1.0/directoryObjects/" + bob))
	ok(s.client.Groups().ByGroupId(group).Members().Ref().Post(ctx, member, nil))
	_, err = s.client.Groups().ByGroupId(group).Members().GraphUser().Get(ctx, nil)
	ok(err)
	members := must(s.client.Groups().ByGroupId(group).Members().Get(ctx, &groups.ItemMembersRequestBuilderGetRequestConfiguration{}))
	same(len(members.GetValue()), 2)
	same(*must(s.client.Users().ByUserId(bob).MemberOf().Get(ctx, nil)).GetValue()[0].GetId(), group)
	return ada, bob, group
}

// application makes one from the template, configures it, and lets it provision.
func (s *story) application(ada, bob, group string) {
	named := applicationtemplates.NewItemInstantiatePostRequestBody()
	named.SetDisplayName(to("Story"))
	made := must(s.client.ApplicationTemplates().ByApplicationTemplateId("8adf8e6e-67b2-4cf2-a259-e3dc5476c621").Instantiate().Post(ctx, named, nil))
	id := *made.GetServicePrincipal().GetId()
	app := must(s.client.ServicePrincipals().ByServicePrincipalId(id).Get(ctx, nil))
	same(*app.GetAppId(), *made.GetApplication().GetAppId())
	sync := s.client.ServicePrincipals().ByServicePrincipalId(id).Synchronization()

	var pairs []models.SynchronizationSecretKeyStringValuePairable
	for key, value := range map[models.SynchronizationSecret]string{models.BASEADDRESS_SYNCHRONIZATIONSECRET: os.Getenv("STORY_TARGET"),
		models.SECRETTOKEN_SYNCHRONIZATIONSECRET: "entrasim"} {
		pair := models.NewSynchronizationSecretKeyStringValuePair()
		pair.SetKey(&key)
		pair.SetValue(&value)
		pairs = append(pairs, pair)
	}
	secrets := serviceprincipals.NewItemSynchronizationSecretsPutRequestBody()
	secrets.SetValue(pairs)
	must(sync.Secrets().PutAsSecretsPutResponse(ctx, secrets, nil))

	asked := models.NewSynchronizationJob()
	asked.SetTemplateId(to("scim"))
	jobID := *must(sync.Jobs().Post(ctx, asked, nil)).GetId()
	job := sync.Jobs().BySynchronizationJobId(jobID)
	test := serviceprincipals.NewItemSynchronizationJobsItemValidateCredentialsPostRequestBody()
	test.SetUseSavedCredentials(to(true))
	ok(job.ValidateCredentials().Post(ctx, test, nil))

	// The schema comes back as it was sent, without the mapping that is taken out.
	schema := must(job.Schema().Get(ctx, nil))
	rule := schema.GetSynchronizationRules()[0]
	people := func(r models.SynchronizationRuleable) models.ObjectMappingable {
		for _, m := range r.GetObjectMappings() {
			if *m.GetSourceObjectName() == "User" {
				if m.GetFlowTypes() == nil || *m.GetFlowTypes() == 0 {
					log.Panic("the flow types can't be read")
				}
				return m
			}
		}
		log.Panic("no mapping of users")
		return nil
	}
	targets := func(m models.ObjectMappingable) string {
		var names []string
		for _, a := range m.GetAttributeMappings() {
			names = append(names, *a.GetTargetAttributeName())
		}
		return strings.Join(names, "\n")
	}
	mapping := people(rule)
	mapping.SetAttributeMappings(slices.DeleteFunc(mapping.GetAttributeMappings(), func(a models.AttributeMappingable) bool {
		return strings.Contains(*a.GetTargetAttributeName(), `"fax"`)
	}))
	want := targets(mapping)
	whole(reflect.ValueOf(schema))
	_, err := job.Schema().Patch(ctx, schema, nil)
	ok(err)
	same(targets(people(must(job.Schema().Get(ctx, nil)).GetSynchronizationRules()[0])), want)

	assignment := models.NewAppRoleAssignment()
	for _, role := range app.GetAppRoles() {
		if *role.GetDisplayName() == "User" {
			assignment.SetAppRoleId(role.GetId())
		}
	}
	assignment.SetPrincipalId(to(uuid.MustParse(group)))
	assignment.SetResourceId(to(uuid.MustParse(id)))
	assigned := must(s.client.ServicePrincipals().ByServicePrincipalId(id).AppRoleAssignedTo().Post(ctx, assignment, nil))
	same(*assigned.GetPrincipalType(), "Group")

	ok(job.Start().Post(ctx, nil))
	if s.advance("41m") == 0 {
		log.Panic("no cycle ran")
	}
	ran := must(job.Get(ctx, nil))
	same(*ran.GetStatus().GetCode(), models.ACTIVE_SYNCHRONIZATIONSTATUSCODE)
	same(*ran.GetStatus().GetLastExecution().GetState(), models.SUCCEEDED_SYNCHRONIZATIONTASKEXECUTIONRESULT)
	same(*ran.GetSchedule().GetState(), models.ACTIVE_SYNCHRONIZATIONSCHEDULESTATE)
	same(ran.GetSchedule().GetInterval().String(), "PT40M")

	subject := models.NewSynchronizationJobSubject()
	subject.SetObjectId(&bob)
	subject.SetObjectTypeName(to("User"))
	parameters := models.NewSynchronizationJobApplicationParameters()
	parameters.SetRuleId(rule.GetId())
	parameters.SetSubjects([]models.SynchronizationJobSubjectable{subject})
	demand := serviceprincipals.NewItemSynchronizationJobsItemProvisionOnDemandPostRequestBody()
	demand.SetParameters([]models.SynchronizationJobApplicationParametersable{parameters})
	if got := must(job.ProvisionOnDemand().Post(ctx, demand, nil)); !strings.Contains(*got.GetValue(), "EntryImport") {
		log.Panicf("provision on demand answers %s", *got.GetValue())
	}

	records := must(s.client.AuditLogs().Provisioning().Get(ctx, &auditlogs.ProvisioningRequestBuilderGetRequestConfiguration{
		QueryParameters: &auditlogs.ProvisioningRequestBuilderGetQueryParameters{Top: to(int32(1)), Filter: to("jobId eq '" + jobID + "' and provisioningAction eq 'create'")}}))
	created := map[string]bool{}
	pages := must(core.NewPageIterator[models.ProvisioningObjectSummaryable](records, s.to, models.CreateProvisioningObjectSummaryCollectionResponseFromDiscriminatorValue))
	ok(pages.Iterate(ctx, func(r models.ProvisioningObjectSummaryable) bool {
		same(*r.GetProvisioningAction(), models.CREATE_PROVISIONINGACTION)
		same(*r.GetProvisioningStatusInfo().GetStatus(), models.SUCCESS_PROVISIONINGRESULT)
		created[*r.GetSourceIdentity().GetId()] = true
		return true
	}))
	for _, id := range []string{ada, bob, group} {
		if !created[id] {
			log.Panicf("the log does not tell that %s was created", id)
		}
	}
	same(len(created), 3)
}

// deletedItems deletes, restores and purges a user.
func (s *story) deletedItems(id string) {
	user := s.client.Users().ByUserId(id)
	ok(user.Delete(ctx, nil))
	_, err := user.Get(ctx, nil)
	fails(err, 404, "Request_ResourceNotFound")
	items := s.client.Directory().DeletedItems()
	same(*must(items.GraphUser().Get(ctx, nil)).GetValue()[0].GetId(), id)
	same(*must(items.ByDirectoryObjectId(id).Restore().Post(ctx, nil)).GetId(), id)
	same(*must(user.Get(ctx, nil)).GetDisplayName(), "Bob")
	ok(user.Delete(ctx, nil))
	ok(items.ByDirectoryObjectId(id).Delete(ctx, nil))
	_, err = items.ByDirectoryObjectId(id).Get(ctx, nil)
	fails(err, 404, "Request_ResourceNotFound")
}

// batch changes a user and reads it in one request, in that order.
func (s *story) batch(id string) {
	change := models.NewUser()
	change.SetJobTitle(to("Countess"))
	patch := must(s.client.Users().ByUserId(id).ToPatchRequestInformation(ctx, change, nil))
	get := must(s.client.Users().ByUserId(id).ToGetRequestInformation(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: []string{"jobTitle"}}}))
	batch := core.NewBatchRequest(s.to)
	first := must(batch.AddBatchRequestStep(*patch))
	second := must(batch.AddBatchRequestStep(*get))
	second.DependsOnItem(first)
	answers := must(batch.Send(ctx, s.to))
	for _, item := range answers.GetResponses() {
		want := int32(200)
		if *item.GetId() == *first.GetId() {
			want = 204
		}
		same(*item.GetStatus(), want)
	}
	user := must(core.GetBatchResponseById[models.Userable](answers, *second.GetId(), models.CreateUserFromDiscriminatorValue))
	same(*user.GetJobTitle(), "Countess")
}
