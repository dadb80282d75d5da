package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestSecretsBeforeTheJob: what is put before there is a job is shown, is removed, is tested, and is the job's once there is one.
func TestSecretsBeforeTheJob(t *testing.T) {
	w := newWorld(t, "")
	sp, app, _ := w.app("Fabrikam App")
	sync := "/v1.0/servicePrincipals/" + sp + "/synchronization"
	w.want(204, "PUT", sync+"/secrets", map[string]any{"value": []map[string]any{{"key": "BaseAddress", "value": w.url + "/scim"},
		{"key": "SecretToken", "value": "entrasim"}, {"key": "Domain", "value": "d"}, {"key": "SyncAll", "value": "True"}}})
	if a := w.want(200, "GET", sync+"/secrets", nil); a.column("key") != "BaseAddress SecretToken Domain SyncAll" || strings.Contains(a.text, `"value":"entrasim"`) {
		t.Error(a.text)
	}
	w.want(204, "PUT", sync+"/secrets", `{"value":[{"key":"Domain","value":""}]}`)
	w.want(400, "PUT", sync+"/secrets", `{"value":[{"key":"SyncAll","value":"perhaps"}]}`)
	w.want(400, "PUT", sync+"/secrets", `{"value":[{"key":"BaseAddress","value":"nowhere"}]}`)
	w.want(204, "POST", sync+"/jobs/validateCredentials", `{"useSavedCredentials":true}`)
	job := w.want(201, "POST", sync+"/jobs", `{"templateId":"scim"}`).str("id")
	if a := w.want(200, "GET", sync+"/secrets", nil); a.column("key") != "BaseAddress SecretToken SyncAll" {
		t.Error(a.text)
	}
	w.user("adele")
	w.want(204, "POST", sync+"/jobs/"+job+"/start", nil)
	if _, err := w.svc.Advance(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if a := w.want(200, "GET", sync+"/jobs/"+job, nil); a.at("status", "lastExecution", "countExports") != 1.0 {
		t.Error(a.text)
	}
	// Secrets go with the job, and with the application.
	w.want(204, "DELETE", sync+"/jobs/"+job, nil)
	if a := w.want(200, "GET", sync+"/secrets", nil); len(a.list()) != 0 {
		t.Error(a.text)
	}
	w.want(204, "PUT", sync+"/secrets", `{"value":[{"key":"Domain","value":"d"}]}`)
	w.want(204, "DELETE", "/v1.0/applications/"+app, nil)
	w.want(404, "GET", sync+"/secrets", nil)
	w.want(200, "POST", "/v1.0/directory/deletedItems/"+sp+"/restore", nil)
	if a := w.want(200, "GET", sync+"/secrets", nil); len(a.list()) != 0 {
		t.Error(a.text)
	}
}

// TestShapeOfANewJob: by a switch of its application, a job that was never started shows itself as the older documents do.
//
// Shows: F-032, S-020
func TestShapeOfANewJob(t *testing.T) {
	w := newWorld(t, "")
	sp, _, _ := w.app("Fabrikam App")
	sync := "/v1.0/servicePrincipals/" + sp + "/synchronization"
	job := sync + "/jobs/" + w.want(201, "POST", sync+"/jobs", `{"templateId":"scim"}`).str("id")
	shows := func(when, code, schedule, interval string) {
		t.Helper()
		a := w.want(200, "GET", job, nil)
		if a.str("status", "code") != code || a.str("schedule", "state") != schedule || a.str("schedule", "interval") != interval {
			t.Errorf("%s: %s", when, a.text)
		}
	}
	const longest = "P10675199DT2H48M5.4775807S"
	shows("by default", "Paused", "Disabled", "PT40M")
	w.want(400, "PATCH", job, `{"synchronizationJobSettings":[{"name":"newJobShape","value":"2015"}]}`)
	w.want(204, "PATCH", job, `{"synchronizationJobSettings":[{"name":"newJobShape","value":"2019"}]}`)
	shows("without credentials", "NotConfigured", "Disabled", longest)
	w.want(204, "PATCH", job, `{"schedule":{"interval":"`+longest+`","state":"Disabled"}}`)
	w.want(400, "PATCH", job, `{"schedule":{"interval":"PT40M"}}`)
	w.want(204, "PUT", sync+"/secrets", map[string]any{"value": []map[string]any{{"key": "BaseAddress", "value": w.url + "/scim"}, {"key": "SecretToken", "value": "entrasim"}}})
	shows("with credentials", "Paused", "Disabled", longest)
	w.want(204, "POST", job+"/start", nil)
	shows("started", "NotRun", "Active", "PT40M")
	w.want(204, "POST", job+"/pause", nil)
	shows("paused before the first cycle", "Paused", "Paused", "PT40M")
	w.want(204, "PATCH", job, `{"synchronizationJobSettings":[{"name":"newJobShape","value":"2021"}]}`)
	w.want(204, "DELETE", job, nil)
	w.want(201, "POST", sync+"/jobs", `{"templateId":"scim"}`)
	shows("made again", "Paused", "Disabled", "PT40M")
}

// TestSecretsReplaced: by a switch of its application, a PUT of credentials takes away what it does not name; a * names what
// is stored. By default what is not named stays.
//
// Shows: S-011
func TestSecretsReplaced(t *testing.T) {
	w := newWorld(t, "")
	sp, _, _ := w.app("Fabrikam App")
	sync := "/v1.0/servicePrincipals/" + sp + "/synchronization"
	job := sync + "/jobs/" + w.want(201, "POST", sync+"/jobs", `{"templateId":"scim"}`).str("id")
	all := map[string]any{"value": []map[string]any{{"key": "BaseAddress", "value": w.url + "/scim"}, {"key": "SecretToken", "value": "entrasim"}, {"key": "Domain", "value": "d"}, {"key": "SyncAll", "value": "True"}}}
	holds := func(when, keys string) {
		t.Helper()
		if a := w.want(200, "GET", sync+"/secrets", nil); a.column("key") != keys {
			t.Errorf("%s: %s", when, a.text)
		}
	}
	w.want(204, "PUT", sync+"/secrets", all)
	w.want(204, "PUT", sync+"/secrets", `{"value":[{"key":"Domain","value":"e"}]}`)
	holds("merged", "BaseAddress SecretToken Domain SyncAll")
	w.want(204, "PATCH", job, `{"synchronizationJobSettings":[{"name":"secretsPut","value":"replace"}]}`)
	w.want(204, "PUT", sync+"/secrets", `{"value":[{"key":"BaseAddress","value":"`+w.url+`/scim"},{"key":"SecretToken","value":"*"},{"key":"SyncAll","value":"True"}]}`)
	holds("replaced", "BaseAddress SecretToken SyncAll")
	w.want(204, "POST", job+"/validateCredentials", `{"useSavedCredentials":true}`)
	w.want(400, "PUT", sync+"/secrets", `{"value":[{"key":"SkipOutOfScopeDeletions","value":"perhaps"}]}`)
	holds("refused", "BaseAddress SecretToken SyncAll")
	w.want(204, "PUT", sync+"/secrets", `{"value":[{"key":"SecretToken","value":"entrasim"}]}`)
	holds("the token alone", "SecretToken")
	w.want(204, "PUT", sync+"/secrets", `{"value":[]}`)
	holds("nothing", "")
	w.want(204, "PATCH", job, `{"synchronizationJobSettings":[{"name":"secretsPut","value":"merge"}]}`)
	w.want(204, "PUT", sync+"/secrets", all)
	w.want(204, "PUT", sync+"/secrets", `{"value":[]}`)
	holds("merged again", "BaseAddress SecretToken Domain SyncAll")
}

// Shows: F-034, S-003
func TestJobOfTheOlderTemplate(t *testing.T) {
	w := newWorld(t, "")
	sp, app, _ := w.app("Fabrikam App")
	sync := "/v1.0/servicePrincipals/" + sp + "/synchronization"
	a := w.want(201, "POST", sync+"/jobs", `{"templateId":"customappsso"}`)
	if job := a.str("id"); a.str("templateId") != "customappsso" || !strings.HasPrefix(job, "customappsso.") || !strings.HasSuffix(a.header.Get("Location"), "/synchronization/jobs/"+job) {
		t.Error(a.text)
	}
	if a := w.want(200, "GET", sync+"/jobs/$count", nil); a.text != "1" || a.header.Get("Content-Type") != "text/plain" {
		t.Error(a.text)
	}
	for _, at := range []string{sync, "/v1.0/applications/" + app + "/synchronization"} {
		if a := w.want(200, "GET", at+"/templates/$count", nil); a.text != "2" {
			t.Error(a.text)
		}
		if a := w.want(200, "GET", at+"/templates?$select=id,factoryTag&$filter=default%20eq%20true", nil); a.column("id") != "scim" || strings.Contains(a.text, "schema") {
			t.Error(a.text)
		}
		if a := w.want(200, "GET", at+"/templates/customappsso/schema/filterOperators", nil); len(a.list()) != 14 {
			t.Error(a.text)
		}
		if a := w.want(200, "GET", at+"/templates/scim/schema/functions()", nil); !strings.Contains(a.column("name"), "Switch") {
			t.Error(a.text)
		}
		if a := w.want(200, "GET", at+"/templates/scim/schema", nil); a.str("id") != "scim.00000000000000000000000000000000" {
			t.Errorf("%.300s", a.text)
		}
		w.want(404, "GET", at+"/templates/none/schema/functions", nil)
	}
}

func TestPatchOfAJob(t *testing.T) {
	w := newWorld(t, "")
	sp, _, _ := w.app("Fabrikam App")
	sync := "/v1.0/servicePrincipals/" + sp + "/synchronization"
	job := sync + "/jobs/" + w.want(201, "POST", sync+"/jobs", `{"templateId":"scim"}`).str("id")
	w.want(204, "PATCH", job, `{"synchronizationJobSettings":[{"name":"PatchBodyFormat","value":"x"},{"name":"LookaheadQueryEnabled","value":"True"}],"schedule":{"interval":"PT40M","state":"Active"}}`)
	a := w.want(200, "GET", job, nil)
	if a.str("schedule", "state") != "Active" || fmt.Sprint(a.at("synchronizationJobSettings")) !=
		"[map[name:AzureIngestionAttributeOptimization value:False] map[name:LookaheadQueryEnabled value:True] map[name:PatchBodyFormat value:x]]" {
		t.Error(a.text)
	}
	for body, names := range map[string]string{
		`{"schedule":{"interval":"PT10M"}}`:                                                     "interval",
		`{"schedule":{"state":"Sometimes","interval":"PT40M"}}`:                                 "state",
		`{"schedule":{"expiration":"2027-01-01T00:00:00Z"}}`:                                    "expiration",
		`{"synchronizationJobSettings":[{"name":"a","value":"b"},{"name":"x"}]}`:                "synchronizationJobSettings",
		`{"templateId":"customappsso","synchronizationJobSettings":[{"name":"a","value":"b"}]}`: "templateId",
		`{"colour":"red"}`: "colour",
		`{"schedule":7}`:   "schedule",
	} {
		if a := w.want(400, "PATCH", job, body); !strings.Contains(a.str("error", "message"), names) {
			t.Errorf("%s: %s", body, a.text)
		}
	}
	if again := w.want(200, "GET", job, nil); again.text != a.text {
		t.Errorf("half written: %s", again.text)
	}
	w.want(204, "PATCH", job, `{"schedule":{"state":"Paused"}}`)
	if a := w.want(200, "GET", job, nil); a.str("status", "code") != "Paused" {
		t.Error(a.text)
	}
}

// TestParseExpression: the sample of api/synchronization-synchronizationschema-parseexpression.md, what evaluates to lists and
// to nothing, and what is wrong with an expression or with the request.
func TestParseExpression(t *testing.T) {
	w := newWorld(t, "")
	sp, _, _ := w.app("Fabrikam App")
	sync := "/v1.0/servicePrincipals/" + sp + "/synchronization"
	at := sync + "/jobs/" + w.want(201, "POST", sync+"/jobs", `{"templateId":"scim"}`).str("id") + "/schema/parseExpression"
	try := func(expression string, properties ...map[string]any) answer {
		t.Helper()
		return w.want(200, "POST", at, map[string]any{"expression": expression, "targetAttributeDefinition": nil,
			"testInputObject": map[string]any{"definition": nil, "properties": properties}})
	}
	a := try(`Replace([preferredLanguage], "-", , , "_", , )`, map[string]any{"key": "preferredLanguage", "value": "EN-US"},
		map[string]any{"key": "appRoleAssignments", "value@odata.type": "#Collection(String)", "value": []string{"User"}})
	const tree = `"parsedExpression":{"expression":"Replace([preferredLanguage], \"-\", , , \"_\", , )","name":"Replace","type":"Function","parameters":[` +
		`{"key":"source","value":{"expression":"[preferredLanguage]","name":"preferredLanguage","type":"Attribute","parameters":[]}},` +
		`{"key":"Find","value":{"expression":"\"-\"","name":"-","type":"Constant","parameters":[]}},` +
		`{"key":"Replacement","value":{"expression":"\"_\"","name":"_","type":"Constant","parameters":[]}}]}`
	if !strings.Contains(a.text, tree) || a.at("error") != nil || a.at("parsingSucceeded") != true || a.at("evaluationSucceeded") != true || fmt.Sprint(a.at("evaluationResult")) != "[EN_US]" {
		t.Error(a.text)
	}
	if a := try(`Split("a;b", ";")`); fmt.Sprint(a.at("evaluationResult")) != "[a b]" {
		t.Error(a.text)
	}
	if a := try(`[nickname]`); a.at("evaluationSucceeded") != true || fmt.Sprint(a.at("evaluationResult")) != "[]" {
		t.Error(a.text)
	}
	if a := try(`Left("abc", "many")`); a.at("parsingSucceeded") != true || a.at("evaluationSucceeded") != false || a.at("parsedExpression") == nil || a.str("error", "message") == "" {
		t.Error(a.text)
	}
	for _, bad := range []string{`Replace([x]`, `Sums("1")`, ``} {
		if a := try(bad); a.at("parsingSucceeded") != false || a.at("parsedExpression") != nil || a.at("evaluationSucceeded") != false || a.str("error", "code") == "" || a.str("error", "message") == "" {
			t.Errorf("%q: %s", bad, a.text)
		}
	}
	a = w.want(200, "POST", sync+"/templates/scim/schema/microsoft.graph.parseExpression", `{"expression":"[mail]"}`)
	if a.at("parsingSucceeded") != true || a.at("evaluationSucceeded") != false || fmt.Sprint(a.at("evaluationResult")) != "[]" || a.at("error") != nil {
		t.Error(a.text)
	}
	for body, names := range map[string]string{
		`{}`:                                 "expression",
		`{"expression":7}`:                   "expression",
		`{"expression":"[a]","what":"ever"}`: "what",
		`{"expression":"[a]","testInputObject":{"properties":[{"key":"roles","value":{"a":1}}]}}`: "roles",
	} {
		if a := w.want(400, "POST", at, body); !strings.Contains(a.str("error", "message"), names) {
			t.Errorf("%s: %s", body, a.text)
		}
	}
}
