package scim

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestMessages holds the frames that readers of logs know, to the letter (recorded provisioning logs; jobs and connection
// tests in public questions). What this program knows beyond a frame stands in the detail.
//
// Shows: W-210, W-211, W-212, W-213, W-215
func TestMessages(t *testing.T) {
	probe := func(c *Client) error { return c.Probe(t.Context(), Tag{}, User, "userName", "x") }
	match := func(c *Client) error {
		_, err := c.Match(t.Context(), Tag{}, User, attribute("userName", "ann"), false)
		return err
	}
	groups := func(c *Client) error {
		_, err := c.Match(t.Context(), Tag{}, Group, attribute("displayName", "ops"), false)
		return err
	}
	get := func(c *Client) error { _, err := c.Get(t.Context(), Tag{}, Group, "1"); return err }
	create := func(c *Client) error {
		_, err := c.Create(t.Context(), Tag{}, User, []Attribute{attribute("userName", "ann")})
		return err
	}
	patch := func(c *Client) error { return c.Patch(t.Context(), Tag{}, User, "1", []byte("{}")) }
	const (
		refused = "Message: Processing of the HTTP request resulted in an exception. Please see the HTTP response returned by the 'Response' property of this exception for details. Web Response: "
		unread  = "We are not able to deserialize the resource received from your SCIM endpoint because your SCIM endpoint is not fully compatible with the Azure Active Directory SCIM client. Here is the resource we received from your SCIM endpoint: "
		headers = "Content-Length: # Content-Type: application/scim+json Date: #"
	)
	for _, c := range []struct {
		name                  string
		call                  func(*Client) error
		dialect               Dialect
		status                int
		body                  string
		code, message, detail string
	}{
		{"write refused", patch, Legacy, 400, `{"detail":"no"}`, CodeServiceIncompatible, "StatusCode: BadRequest " + refused + `{"detail":"no"}.`, ""},
		{"signs that drive a terminal", patch, Legacy, 400, "\x1b[31mno\x00\tmore\n\u009b", CodeServiceIncompatible, "StatusCode: BadRequest " + refused + "\ufffd[31mno\ufffd\tmore\n\ufffd.", ""},
		{"conflict", create, Legacy, 409, "taken", CodeEntryConflict, "StatusCode: Conflict " + refused + "taken.", ""},
		{"a status without a name", create, Legacy, 499, "", CodeServiceIncompatible, "StatusCode: 499 " + refused + ".", ""},
		{"too long", create, Legacy, 414, "", CodeServiceIncompatible, "StatusCode: RequestUriTooLong " + refused + ".", ""},
		{"create refused in an old job", create, CustomAppSSO, 400, "no", CodeBadRequest,
			"The SCIM endpoint is not fully compatible with the Azure Active Directory SCIM client. Please refer to the Azure Active Directory SCIM provisioning documentation and adapt the SCIM endpoint to be able to process provisioning requests from Azure Active Directory. StatusCode: BadRequest " + refused + "no.", ""},
		{"another refusal in an old job", create, CustomAppSSO, 410, "", CodeBadRequest,
			"The SCIM endpoint is not fully compatible with the Azure Active Directory SCIM client. Please refer to the Azure Active Directory SCIM provisioning documentation and adapt the SCIM endpoint to be able to process provisioning requests from Azure Active Directory. StatusCode: Gone " + refused + ".", ""},
		{"conflict in an old job", create, CustomAppSSO, 409, "", CodeEntryConflict, "StatusCode: Conflict " + refused + ".", ""},
		{"media type in an old job", create, CustomAppSSO, 415, "", CodeServiceIncompatible, "StatusCode: UnsupportedMediaType " + refused + ".", ""},
		{"update refused in an old job", patch, CustomAppSSO, 400, "", CodeServiceIncompatible, "StatusCode: BadRequest " + refused + ".", ""},
		{"hit unreadable", match, Legacy, 200, listOf(`{"id":1}`), CodeServiceIncompatible, unread + listOf(`{"id":1}`), "id is a number; expected text"},
		{"hit without id", match, Legacy, 200, listOf(`{"id":null}`), CodeServiceIncompatible, unread + listOf(`{"id":null}`), "the resource has no id"},
		{"object unreadable", get, Legacy, 200, `{"id":"1","displayName":5}`, CodeServiceIncompatible, unread + `{"id":"1","displayName":5}`, "displayName is a number; expected text"},
		{"create unreadable", create, Legacy, 201, ``, CodeServiceIncompatible, unread, "the answer is empty; expected the new resource with its id"},
		{"create without content", create, Legacy, 204, ``, CodeServiceIncompatible, unread, "the answer is empty; expected the new resource with its id"},
		{"create accepted", create, Legacy, 202, `{"id":"1"}`, CodeServiceIncompatible, "StatusCode: Accepted " + refused + `{"id":"1"}.`, "expected status 201, or 200, with the new resource and its id"},
		{"read failed", match, Legacy, 500, "oops", CodeServerError, "Received response from Web resource. Resource: {base}/Users?… Operation: GET Response Status Code: InternalServerError Response Headers: " + headers + " Response Content: oops", ""},
		{"read failed with a page", get, Legacy, 503, "<!DOCTYPE html><p>x", CodeServerError, "Received response from Web resource. Resource: {base}/Groups/1?… Operation: GET Response Status Code: ServiceUnavailable Response Headers: " + headers + " Response Content: [HTML]", ""},
		{"several groups, the filter is ignored", groups, Legacy, 200, listOf(`{"id":"1","displayName":"ops"}`, `{"id":"2","displayName":"ops-test"}`), CodeMultipleEntries,
			"Multiple entries were found to match this value, when no more than one was expected", "displayName \"ops\" was asked for and 2 groups came, among them such as have another value: the filter is ignored"},
		{"probe refused", probe, Legacy, 401, "who?", CodeCredentialFailure, "Received response from Web resource. Resource: {base}/Users?… Operation: GET Response Status Code: Unauthorized Response Headers: " + headers + " Response Content: who?", ""},
		{"probe answered by a page", probe, Legacy, 200, "<html>", CodeCredentialFailure, "Received response from Web resource. Resource: {base}/Users?… Operation: GET Response Status Code: OK Response Headers: " + headers + " Response Content: [HTML]", "invalid character '<' looking for beginning of value"},
		{"probe not found", probe, Legacy, 404, "", CodeCredentialFailure, "An HTTP/404 Not Found response was returned rather than the expected HTTP/200 OK response. To address this issue, ensure that the tenant URL is correct. The tenant URL is usually in a format like: https://<>/scim. If this does not resolve the issue, contact the application developer to ensure their SCIM endpoint conforms with the protocol https://tools.ietf.org/html/rfc7644#section-3.4.2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := answering(t, c.status, c.body, "Date", "#")
			client.ep.Dialect = c.dialect
			err := c.call(client)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%v", err)
			}
			got := strings.ReplaceAll(e.Message, client.ep.Base, "{base}")
			if i := strings.Index(got, "Content-Length: "); i >= 0 {
				n := strings.IndexByte(got[i+16:], ' ')
				got = got[:i+16] + "#" + got[i+16+n:]
			}
			if e.Code != c.code || got != c.message || e.Detail != c.detail {
				t.Errorf("%s\n got %s | %s\nwant %s | %s", e.Code, got, e.Detail, c.message, c.detail)
			}
		})
	}
}

// TestCredentialErrors is the table of the codes that a job and a connection test show: the messages are exact, what
// happened stands behind them.
//
// Shows: W-217
func TestCredentialErrors(t *testing.T) {
	// No tenant URL.
	_, cause := ParseTenantURL("")
	url := InvalidTenantURL(cause)
	if url.Code != "SystemForCrossDomainIdentityManagementInvalidCredentials" || url.Message != "Please provide a valid tenant URL for your application." || !strings.Contains(url.Detail, "is empty") {
		t.Errorf("no tenant URL: %+v", url)
	}
	if test := TestConnectionError(url); *test != *url {
		t.Errorf("no tenant URL, Test Connection: %+v", test)
	}
	// No answer.
	silent := NewClient(Endpoint{Base: "http://127.0.0.1:1"}, "t", DefaultOptions(), time.Now, nil)
	var e *Error
	if err := silent.Probe(t.Context(), Tag{}, User, "userName", "x"); !errors.As(err, &e) || e.Code != "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable" ||
		e.Message != "An error occurred while sending the request." || !strings.Contains(e.Detail, "127.0.0.1:1") {
		t.Errorf("no answer: %+v", e)
	}
	const frame = "You appear to have entered invalid credentials. Please confirm you are using the correct information for an administrative account. Error code: SystemForCrossDomainIdentityManagementCredentialValidationUnavailable Details: "
	if test := TestConnectionError(e); test.Code != "CredentialValidationUnavailable" || test.Message != frame+e.Text() || test.Detail != "" || !test.NoAnswer {
		t.Errorf("no answer, Test Connection: %+v", test)
	}
	// An answer that will not do: the same code and the same frame in the test, another code in a job.
	if err := answering(t, 401, "who?").Probe(t.Context(), Tag{}, User, "userName", "x"); !errors.As(err, &e) || e.Code != "SystemForCrossDomainIdentityManagementCredentialValidationFailure" {
		t.Errorf("401: %+v", e)
	}
	if test := TestConnectionError(e); test.Code != "CredentialValidationUnavailable" || !strings.HasPrefix(test.Message, frame+"Received response from Web resource.") || !strings.Contains(test.Message, "Unauthorized") {
		t.Errorf("401, Test Connection: %+v", test)
	}
}

// TestContentTypeIsNoted: application/json is taken with a warning, or refused under the switch.
func TestContentTypeIsNoted(t *testing.T) {
	for _, c := range []struct {
		kind    string
		warning bool
	}{
		{"application/scim+json", false}, {"application/scim+json; charset=utf-8", false}, {"Application/SCIM+JSON;charset=UTF-8", false},
		{"application/json", true}, {"application/json; charset=utf-8", true}, {"text/plain", true}, {"application/scim+jsonx", true},
	} {
		client := answering(t, 200, `{"id":"1"}`, "Content-Type", c.kind)
		var x *Exchange
		client.record = func(e *Exchange) { x = e }
		if _, err := client.Get(t.Context(), Tag{}, User, "1"); err != nil {
			t.Errorf("%s: %v", c.kind, err)
		}
		if (len(x.Warnings) == 1 && x.Warnings[0] == "W-193") != c.warning {
			t.Errorf("%s: warnings %v", c.kind, x.Warnings)
		}
		client.opt.StrictContentType = true
		if _, err := client.Get(t.Context(), Tag{}, User, "1"); (err != nil) != c.warning {
			t.Errorf("%s, strictly: %v", c.kind, err)
		}
	}
	empty := answering(t, 204, "", "Content-Type", "")
	var x *Exchange
	empty.record = func(e *Exchange) { x = e }
	if err := empty.Patch(t.Context(), Tag{}, User, "1", []byte("{}")); err != nil || x.Warnings != nil {
		t.Errorf("an empty answer: %v, warnings %v", err, x.Warnings)
	}
}

// TestAnswersThatSayMoreInHeaders: an answer that was compressed without being asked for, and a redirect, are told apart
// from others that can't be used.
//
// Shows: W-019
func TestAnswersThatSayMoreInHeaders(t *testing.T) {
	probe := func(c *Client) error { return c.Probe(t.Context(), Tag{}, User, "userName", "x") }
	get := func(c *Client) error { _, err := c.Get(t.Context(), Tag{}, User, "1"); return err }
	create := func(c *Client) error { _, err := c.Create(t.Context(), Tag{}, User, nil); return err }
	for _, c := range []struct {
		call           func(*Client) error
		status         int
		name, value    string
		shown, detail  string
		code, notShown string
	}{
		{probe, 200, "Content-Encoding", "gzip", "Response Content: [gzip]", "the answer is encoded as gzip, which no Accept-Encoding asked for", CodeCredentialFailure, "\x1f"},
		{get, 200, "Content-Encoding", "br", "your SCIM endpoint: [br]", "the answer is encoded as br, which no Accept-Encoding asked for", CodeServiceIncompatible, "\x1f"},
		{create, 400, "Content-Encoding", "gzip", "Web Response: [gzip].", "the answer is encoded as gzip, which no Accept-Encoding asked for", CodeServiceIncompatible, "\x1f"},
		{create, 302, "Location", "https://login.example/?x=1", "StatusCode: Found", "redirects are not followed; this one leads to https://login.example/?…", CodeServiceIncompatible, "https"},
		{get, 500, "X-Note", "\u009b31m", "X-Note: \ufffd31m", "", CodeServerError, "\u009b"},
		{probe, 301, "Location", "https://host.example/scim/Users/", "Response Status Code: MovedPermanently", "redirects are not followed; this one leads to https://host.example/scim/Users/", CodeCredentialFailure, "nothing"},
	} {
		err := c.call(answering(t, c.status, "\x1f\x8b\x08", c.name, c.value))
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Message, c.shown) || e.Detail != c.detail || strings.Contains(e.Message, c.notShown) {
			t.Errorf("%d %s %s: %+v", c.status, c.name, c.value, e)
		}
	}
}

// TestByteOrderMark: some targets begin their texts with one.
func TestByteOrderMark(t *testing.T) {
	client := answering(t, 200, "\ufeff"+listOf(`{"id":"1","userName":"ann"}`))
	var x *Exchange
	client.record = func(e *Exchange) { x = e }
	if found, err := client.Match(t.Context(), Tag{}, User, attribute("userName", "ann"), false); err != nil || len(found) != 1 || x.ResponseBody[0] != '{' {
		t.Errorf("%d found, %v; recorded %q", len(found), err, x.ResponseBody)
	}
}
