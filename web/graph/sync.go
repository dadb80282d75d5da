package graph

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/mapping"
)

// syncRoutes are the routes of the synchronization service and of its log.
func syncRoutes() []route {
	const s = "/servicePrincipals/{id}/synchronization"
	var r []route
	for _, t := range []string{s + "/templates", "/applications/{id}/synchronization/templates"} {
		r = append(r,
			route{method: "GET", path: t, handle: (*Graph).listSyncTemplates, options: "select filter top count skiptoken", doc: "List synchronization templates"},
			route{method: "GET", path: t + "/$count", handle: (*Graph).countSyncTemplates, doc: "Count synchronization templates"},
			route{method: "GET", path: t + "/{template}", handle: (*Graph).getSyncTemplate, options: "select", doc: "Get a synchronization template"},
			route{method: "GET", path: t + "/{template}/schema", handle: (*Graph).templateSchema, doc: "Get a template's schema"},
			route{method: "GET", path: t + "/{template}/schema/filterOperators", handle: (*Graph).listOperators, doc: "Operators of scoping filters"},
			route{method: "GET", path: t + "/{template}/schema/functions", handle: (*Graph).listFunctions, doc: "Functions of expressions"},
			route{method: "POST", path: t + "/{template}/schema/parseExpression", handle: (*Graph).parseExpression, doc: "Parse an expression and try it"},
		)
	}
	return append(r, []route{
		{method: "GET", path: s + "/jobs", handle: (*Graph).listJobs, options: "select filter top count skiptoken", doc: "List provisioning jobs"},
		{method: "POST", path: s + "/jobs", handle: (*Graph).createJob, doc: "Create a provisioning job"},
		{method: "POST", path: s + "/jobs/validateCredentials", handle: (*Graph).validateCredentials, doc: "Test the connection without a job"},
		{method: "GET", path: s + "/jobs/$count", handle: (*Graph).countJobs, doc: "Count provisioning jobs"},
		{method: "GET", path: s + "/jobs/{job}", handle: (*Graph).getJob, options: "select", doc: "Get a provisioning job"},
		{method: "PATCH", path: s + "/jobs/{job}", handle: (*Graph).patchJob, doc: "Change settings or the schedule of a provisioning job"},
		{method: "DELETE", path: s + "/jobs/{job}", handle: (*Graph).deleteJob, doc: "Delete a provisioning job"},
		{method: "POST", path: s + "/jobs/{job}/start", handle: (*Graph).startJob, doc: "Start provisioning"},
		{method: "POST", path: s + "/jobs/{job}/pause", handle: (*Graph).pauseJob, doc: "Pause provisioning"},
		{method: "POST", path: s + "/jobs/{job}/restart", handle: (*Graph).restartJob, doc: "Restart provisioning"},
		{method: "POST", path: s + "/jobs/{job}/validateCredentials", handle: (*Graph).validateCredentials, doc: "Test the connection"},
		{method: "GET", path: s + "/jobs/{job}/schema", handle: (*Graph).getSchema, doc: "Get a job's schema"},
		{method: "PUT", path: s + "/jobs/{job}/schema", handle: (*Graph).putSchema, doc: "Replace a job's schema"},
		{method: "PATCH", path: s + "/jobs/{job}/schema", handle: (*Graph).putSchema, doc: "Replace a job's schema"},
		{method: "DELETE", path: s + "/jobs/{job}/schema", handle: (*Graph).resetSchema, doc: "Put the template's schema back"},
		{method: "GET", path: s + "/secrets", handle: (*Graph).getSecrets, doc: "List credentials, masked"},
		{method: "PUT", path: s + "/secrets", handle: (*Graph).putSecrets, doc: "Save credentials"},
		{method: "GET", path: "/auditLogs/provisioning", handle: (*Graph).listLogs, options: "filter orderby top skip skiptoken count", doc: "List provisioning log records"},
		{method: "GET", path: "/auditLogs/provisioning/{record}", handle: (*Graph).getLog, doc: "Get a provisioning log record"},
		{method: "GET", path: "/auditLogs/directoryAudits", handle: (*Graph).listAudits, options: "select filter orderby top skiptoken", doc: "List audit log entries of applications and their provisioning"},
		{method: "GET", path: "/auditLogs/directoryAudits/{record}", handle: (*Graph).getAudit, doc: "Get an audit log entry"},
		{method: "POST", path: "/$batch", handle: (*Graph).batch, doc: "Several requests in one"},
		{method: "POST", path: s + "/jobs/{job}/provisionOnDemand", handle: (*Graph).provisionOnDemand, doc: "Provision on demand"},
		{method: "GET", path: s + "/jobs/{job}/objectConnections", handle: (*Graph).listConnections, doc: "Object connections are read one by one"},
		{method: "GET", path: s + "/jobs/{job}/objectConnections/{object}", handle: (*Graph).getConnection, doc: "Get an object connection"},
		{method: "DELETE", path: s + "/jobs/{job}/objectConnections/{object}", handle: (*Graph).deleteConnection, doc: "Delete an object connection"},
		{method: anyMethod, path: s + "/jobs/{job}/bulkUpload", doc: "Inbound provisioning"},
		{method: anyMethod, path: s + "/acquireAccessToken", doc: "OAuth of gallery applications"},
		{method: "GET", path: s + "/jobs/{job}/schema/directories", handle: (*Graph).listDirectories, doc: "Directories of a schema"},
		{method: "GET", path: s + "/jobs/{job}/schema/directories/{directory}", handle: (*Graph).listDirectories, doc: "A directory of a schema"},
		{method: "GET", path: s + "/jobs/{job}/schema/filterOperators", handle: (*Graph).listOperators, doc: "Operators of scoping filters"},
		{method: "GET", path: s + "/jobs/{job}/schema/functions", handle: (*Graph).listFunctions, doc: "Functions of expressions"},
		{method: "POST", path: s + "/jobs/{job}/schema/parseExpression", handle: (*Graph).parseExpression, doc: "Parse an expression and try it"},
		{method: anyMethod, path: s + "/jobs/{job}/schema/directories/{directory}/discover", doc: "Discover the schema of a target"},
		{method: anyMethod, path: s + "/connectivityParameters", doc: "Parameters of connections"},
	}...)
}

func pair(key string, value any) object { return object{{"key", key}, {"value", value}} }

// templateIDs are the two templates of a non-gallery application, the present one first.
var templateIDs = []string{sim.TemplateSCIM, sim.TemplateCustomAppSSO}

func syncTemplate(id string) object {
	return object{{"id", id}, {"applicationId", sim.TemplateNonGallery}, {"default", id == sim.TemplateSCIM}, {"description", nil}, {"discoverable", false},
		{"factoryTag", "customappsso"}, {"metadata", []object{
			pair("galleryApplicationIdentifier", sim.TemplateNonGallery), pair("galleryApplicationKey", "customappsso"),
			pair("isSynchronizationInPreview", "false"),
			pair("configurationFields", `[{"name":"baseaddress"},{"name":"secrettoken","secret":true}]`)}}}
}

// of finds the service principal of the path, also below /applications.
func (g *Graph) of(c *call) (directory.ServicePrincipal, string, error) {
	if strings.HasPrefix(strings.ToLower(c.path), "/applications") {
		sp, err := g.application(c)
		return sp, "applications('" + sp.ApplicationID + "')/synchronization", err
	}
	sp, err := g.principal(c)
	return sp, "servicePrincipals('" + sp.ID + "')/synchronization", err
}

// syncTemplateKind is for $select and $filter of templates.
var syncTemplateKind = newKind("synchronizationTemplate", "SynchronizationTemplate", "templates", standardFields("id", text, "applicationId", text,
	"default", boolean, "description", text, "discoverable", boolean, "factoryTag", text, "metadata", objectList, "schema", typeObject))

func (g *Graph) listSyncTemplates(c *call) error {
	_, context, err := g.of(c)
	if err != nil {
		return err
	}
	var list []object
	for _, id := range templateIDs {
		list = append(list, append(syncTemplate(id), member{"schema", templateDocument(id)}))
	}
	return g.respondFew(c, syncTemplateKind, context+"/templates", list)
}

func (g *Graph) countSyncTemplates(c *call) error {
	if _, _, err := g.of(c); err != nil {
		return err
	}
	return c.text(http.StatusOK, itoa(len(templateIDs)))
}

// templateDocument is the schema of a template; its id has zeros in place of the tenant.
func templateDocument(id string) *mapping.Schema {
	s := mapping.Default()
	s.ID = id + ".00000000000000000000000000000000"
	return s
}

func (g *Graph) syncTemplateID(c *call) (string, string, error) {
	_, context, err := g.of(c)
	if err != nil {
		return "", "", err
	}
	for _, id := range templateIDs {
		if strings.EqualFold(id, c.params["template"]) {
			return id, context + "/templates", nil
		}
	}
	return "", "", syncMissing("The synchronization template '%s' does not exist.", c.params["template"])
}

func (g *Graph) getSyncTemplate(c *call) error {
	id, context, err := g.syncTemplateID(c)
	if err != nil {
		return err
	}
	selected, err := syncTemplateKind.selection(c)
	if err != nil {
		return err
	}
	o := syncTemplate(id)
	if selected != nil {
		o = syncTemplateKind.show(append(o, member{"schema", templateDocument(id)}).get, selected)
	}
	return c.entity(http.StatusOK, context+"/$entity", o)
}

func (g *Graph) templateSchema(c *call) error {
	id, context, err := g.syncTemplateID(c)
	if err != nil {
		return err
	}
	return c.schema(context+"('"+id+"')/schema/$entity", templateDocument(id))
}

// schema answers with a schema document: the context stands in front of its own members.
func (c *call) schema(context string, s *mapping.Schema) error {
	document, err := encode(s)
	if err != nil {
		return err
	}
	front, err := encode(object{{"@odata.context", c.context(context)}})
	if err != nil {
		return err
	}
	if len(document) > 2 {
		front = append(append(front[:len(front)-1], ','), document[1:]...)
	}
	c.w.Header().Set("Content-Type", contentType)
	c.w.WriteHeader(http.StatusOK)
	_, err = c.w.Write(front)
	return err
}

// job finds the job of the path.
func (g *Graph) job(c *call) (sim.Job, string, error) {
	sp, context, err := g.of(c)
	if err != nil {
		return sim.Job{}, "", err
	}
	j, err := g.svc.Job(sp.ID)
	if directory.CodeOf(err) == directory.NotFound || err == nil && !strings.EqualFold(j.ID, c.params["job"]) {
		err = syncMissing("The synchronization job '%s' does not exist.", c.params["job"])
	}
	return j, context + "/jobs", err
}

func (g *Graph) listJobs(c *call) error {
	sp, context, err := g.of(c)
	if err != nil {
		return err
	}
	var list []object
	switch j, err := g.svc.Job(sp.ID); {
	case err == nil:
		list = append(list, jobObject(j))
	case directory.CodeOf(err) != directory.NotFound:
		return err
	}
	return g.respondFew(c, jobKind, context+"/jobs", list)
}

// jobKind is for $select and $filter of jobs.
var jobKind = newKind("synchronizationJob", "SynchronizationJob", "jobs", append(standardFields("id", text, "templateId", text, "schedule", typeObject,
	"status", typeObject, "synchronizationJobSettings", objectList), links("schema bulkUpload")...))

func (g *Graph) countJobs(c *call) error {
	sp, _, err := g.of(c)
	if err != nil {
		return err
	}
	n := "1"
	if _, err := g.svc.Job(sp.ID); directory.CodeOf(err) == directory.NotFound {
		n = "0"
	} else if err != nil {
		return err
	}
	return c.text(http.StatusOK, n)
}

func (g *Graph) getJob(c *call) error {
	j, context, err := g.job(c)
	if err != nil {
		return err
	}
	selected, err := jobKind.selection(c)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, context+"/$entity", jobKind.show(jobObject(j).get, selected))
}

func (g *Graph) createJob(c *call) error {
	sp, context, err := g.of(c)
	if err != nil {
		return err
	}
	var body struct {
		TemplateID string `json:"templateId"`
		ID         any    `json:"id"`
		Schedule   any    `json:"schedule"`
		Status     any    `json:"status"`
		Settings   any    `json:"synchronizationJobSettings"`
	}
	if err := c.decode(&body, false); err != nil {
		return err
	}
	for _, p := range []struct {
		name  string
		value any
		hint  string
	}{{"id", body.ID, ""}, {"status", body.Status, ""}, {"schedule", body.Schedule, " A new job is disabled; start it."},
		{"synchronizationJobSettings", body.Settings, " PATCH the job to change them."}} {
		if list, empty := p.value.([]any); p.value != nil && !(empty && len(list) == 0) {
			return refused("Property '%s' of a new synchronization job cannot be set.%s", p.name, p.hint)
		}
	}
	if body.TemplateID == "" {
		return badRequest("A value is required for property 'templateId'.")
	}
	i := slices.IndexFunc(templateIDs, func(id string) bool { return strings.EqualFold(id, body.TemplateID) })
	if i < 0 {
		return badRequest("Invalid value specified for property 'templateId': the synchronization template '%s' does not exist.", body.TemplateID)
	}
	j, err := g.svc.CreateJobOf(sp.ID, templateIDs[i], sim.SettingsEdit{})
	if directory.CodeOf(err) == directory.Conflict {
		return &Error{Status: http.StatusConflict, Code: "Conflict", Message: err.Error()}
	}
	if err != nil {
		return err
	}
	return c.created("/servicePrincipals/"+sp.ID+"/synchronization/jobs/"+j.ID, context+"/jobs/$entity", jobObject(j))
}

func (g *Graph) deleteJob(c *call) error { return g.onJob(c, g.svc.DeleteJob) }
func (g *Graph) startJob(c *call) error  { return g.onJob(c, g.svc.Start) }
func (g *Graph) pauseJob(c *call) error  { return g.onJob(c, g.svc.Pause) }

func (g *Graph) onJob(c *call, do func(appID string) error) error {
	j, _, err := g.job(c)
	if err != nil {
		return err
	}
	if err := do(j.ApplicationID); err != nil {
		return err
	}
	return c.noContent()
}

// restartJob is api/synchronization-synchronizationjob-restart.md. Without a scope quarantine, watermark and escrows go.
func (g *Graph) restartJob(c *call) error {
	var body struct {
		Criteria *struct {
			ResetScope *string `json:"resetScope"`
		} `json:"criteria"`
	}
	if err := c.decode(&body, true); err != nil {
		return err
	}
	scope := sim.DefaultReset()
	if body.Criteria != nil && body.Criteria.ResetScope != nil && strings.TrimSpace(*body.Criteria.ResetScope) != "" {
		scope = sim.ResetScope{}
		for _, name := range strings.Split(*body.Criteria.ResetScope, ",") {
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "none":
			case "connectordatastore":
				scope.ConnectorDataStore = true
			case "escrows":
				scope.Escrows = true
			case "watermark":
				scope.Watermark = true
			case "quarantinestate":
				scope.QuarantineState = true
			case "full":
				scope = sim.ResetScope{ConnectorDataStore: true, Escrows: true, Watermark: true, QuarantineState: true, ForceDeletes: scope.ForceDeletes}
			case "forcedeletes":
				scope.ForceDeletes = true
			default:
				return badRequest("Invalid value specified for property 'resetScope': '%s'.", strings.TrimSpace(name))
			}
		}
	}
	if scope == (sim.ResetScope{}) {
		return g.onJob(c, g.svc.Start)
	}
	return g.onJob(c, func(appID string) error { return g.svc.Restart(appID, scope) })
}

func (g *Graph) getSchema(c *call) error {
	j, context, err := g.job(c)
	if err != nil {
		return err
	}
	s, err := g.svc.Schema(j.ApplicationID)
	if err != nil {
		return err
	}
	s.ID = j.ID
	return c.schema(context+"('"+j.ID+"')/schema/$entity", s)
}

func (g *Graph) putSchema(c *call) error {
	j, _, err := g.job(c)
	if err != nil {
		return err
	}
	data, err := c.payload()
	if err != nil {
		return err
	}
	if data, err = withoutAnnotations(data); err != nil {
		return err
	}
	s, err := mapping.Parse(data)
	if err != nil {
		return err
	}
	if err := g.svc.SetSchema(j.ApplicationID, s); err != nil {
		return err
	}
	return c.noContent()
}

// withoutAnnotations takes @odata members off an object and leaves the rest as it stands: a schema keeps members that
// nobody knows, and answers write their own context.
func withoutAnnotations(data []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return data, nil // the reader of schemas says what is wrong
	}
	out := []byte{'{'}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, badRequest("%s", unreadable)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, badRequest("%s", unreadable)
		}
		text, _ := name.(string)
		if strings.HasPrefix(text, "@odata.") {
			continue
		}
		key, err := encode(text)
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, key...), ':'), v...)
	}
	return append(out, '}'), nil
}

func (g *Graph) resetSchema(c *call) error { return g.onJob(c, g.svc.RestoreDefaultMappings) }

// credential is an entry of a list of credentials (resources/synchronization-synchronizationsecretkeystringvaluepair.md).
type credential struct {
	Key   string  `json:"key"`
	Value *string `json:"value"`
}

// validateCredentials is api/synchronization-synchronizationjob-validatecredentials.md: the real probe of the target.
func (g *Graph) validateCredentials(c *call) error {
	var body struct {
		UseSavedCredentials   *bool        `json:"useSavedCredentials"`
		Credentials           []credential `json:"credentials"`
		ApplicationIdentifier any          `json:"applicationIdentifier"`
		TemplateID            any          `json:"templateId"`
	}
	sp, _, err := g.of(c)
	if err != nil {
		return err
	}
	if c.params["job"] != "" {
		if _, _, err := g.job(c); err != nil {
			return err
		}
	}
	if err := c.decode(&body, false); err != nil {
		return err
	}
	var url, token *string
	if body.UseSavedCredentials == nil || !*body.UseSavedCredentials {
		none := ""
		url, token = &none, &none
		for _, x := range body.Credentials {
			if err := checkCredentialKey(x.Key); err != nil {
				return err
			}
			switch x.Key {
			case "BaseAddress":
				url = x.Value
			case "SecretToken":
				token = x.Value
			}
		}
		if token != nil && *token == "*" {
			token = nil // as it is shown: the saved one
		}
	}
	if err := g.svc.TestConnection(c.r.Context(), sp.ID, url, token); err != nil {
		return err
	}
	return c.noContent()
}

// credentialKeys are the keys that Graph knows (resources/synchronization-synchronizationsecretkeystringvaluepair.md), in the order
// in which they are listed: that of the documents' requests, for Terraform compares what it reads with what it wrote.
var credentialKeys = strings.Fields(`BaseAddress SecretToken None UserName Password AppKey ClientIdentifier ClientSecret SingleSignOnType Sandbox Url Domain
ConsumerKey ConsumerSecret TokenKey TokenExpiration Oauth2AccessToken Oauth2AccessTokenCreationTime Oauth2RefreshToken SyncAll InstanceName Oauth2ClientId
Oauth2ClientSecret CompanyId UpdateKeyOnSoftDelete SynchronizationSchedule SystemOfRecord SandboxName EnforceDomain SyncNotificationSettings
SkipOutOfScopeDeletions Oauth2AuthorizationCode Oauth2RedirectUri ApplicationTemplateIdentifier Oauth2TokenExchangeUri Oauth2AuthorizationUri
AuthenticationType Server PerformInboundEntitlementGrants HardDeletesEnabled SyncAgentCompatibilityKey SyncAgentADContainer ValidateDomain TestReferences
ConnectionString`)

func checkCredentialKey(key string) error {
	for _, k := range credentialKeys {
		if k == key {
			return nil
		}
	}
	return badRequest("Requested value '%s' was not found.", key)
}

// secretKinds are credentials that nobody gets to see again.
func secretKind(key string) bool {
	switch key {
	case "Password", "SecretToken", "AppKey", "ClientSecret", "ConsumerSecret", "TokenKey", "Oauth2AccessToken", "Oauth2RefreshToken",
		"Oauth2ClientSecret", "Oauth2AuthorizationCode", "ConnectionString":
		return true
	}
	return false
}

func (g *Graph) getSecrets(c *call) error {
	sp, context, err := g.of(c)
	if err != nil {
		return err
	}
	secrets, err := g.svc.Secrets(sp.ID)
	if err != nil {
		return err
	}
	list := []object{}
	for _, key := range credentialKeys {
		v, ok := secrets[key]
		if !ok {
			continue
		}
		if secretKind(key) {
			v = "*"
		}
		list = append(list, pair(key, v))
	}
	return collection(c, context+"/secrets", list)
}

// putSecrets is api/synchronization-serviceprincipal-put-synchronization.md: given keys are written, others stay, an empty
// value removes a key, and * leaves what is stored. A switch of the job has the others go. Before there is a job they wait for it.
func (g *Graph) putSecrets(c *call) error {
	sp, _, err := g.of(c)
	if err != nil {
		return err
	}
	var body struct {
		Value []credential `json:"value"`
	}
	if err := c.decode(&body, false); err != nil {
		return err
	}
	if body.Value == nil {
		return badRequest("A value is required for property 'value'.")
	}
	edit, none := map[string]*string{}, ""
	for _, x := range body.Value {
		if err := checkCredentialKey(x.Key); err != nil {
			return err
		}
		if _, twice := edit[x.Key]; twice {
			return badRequest("The key '%s' is given twice.", x.Key)
		}
		switch {
		case x.Value == nil:
			edit[x.Key] = &none
		case *x.Value == "*" && secretKind(x.Key):
			edit[x.Key] = nil
		default:
			edit[x.Key] = x.Value
		}
	}
	if err := g.svc.PutSecrets(sp.ID, edit); err != nil {
		return err
	}
	return c.noContent()
}
