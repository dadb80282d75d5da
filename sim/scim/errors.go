package scim

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The error codes that the service logs (howto-analyze-provisioning-logs.md, "Error codes"; those of credentials as seen in
// jobs and guides).
const (
	connector                  = "SystemForCrossDomainIdentityManagement"
	CodeServiceIncompatible    = connector + "ServiceIncompatible"
	CodeServerError            = connector + "ServerError"
	CodeBadRequest             = connector + "BadRequest"
	CodeInvalidCredentials     = connector + "InvalidCredentials"
	CodeCredentialFailure      = connector + "CredentialValidationFailure"
	CodeCredentialUnavailable  = connector + "CredentialValidationUnavailable"
	CodeTestConnection         = "CredentialValidationUnavailable"
	CodeMultipleEntries        = connector + "MultipleEntriesInResponse"
	CodeEntryConflict          = "EntryConflict"
	CodeDuplicateTargetEntries = "DuplicateTargetEntries"
	CodeDuplicateSourceEntries = "DuplicateSourceEntries"
	CodeInvalidAnchor          = "InvalidAnchor"
	CodeTooManyRequests        = "TooManyRequests"
	CodeInternalServerError    = "InternalServerError"
	CodeUnauthorized           = "Unauthorized"
	CodeInsufficientRights     = "InsufficientRights"
	CodeMethodNotAllowed       = "MethodNotAllowed"
	CodeUnprocessableEntity    = "UnprocessableEntity"
	CodeNotImplemented         = "NotImplemented"
	CodeWebException           = "WebExceptionProtocolError"
	CodeTimeout                = "Timeout"
	CodeMandatoryFieldsMissing = "MandatoryFieldsMissing"
	CodeUnresolvedReference    = "UnableToResolveReferenceAttributeValue"
	CodeInternalError          = "InternalError"
	CodeAttributeMapping       = "AttributeMappingFailed" // of this program: an expression that fails for an object
)

// Error is an answer that is no success, or none at all.
type Error struct {
	Code       string
	Message    string // in the frames that readers of logs know
	Status     int    // 0 when no answer came
	NoAnswer   bool
	RetryAfter time.Duration // of a 429, 0 when it named none
	cause      error
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func (e *Error) Unwrap() error { return e.cause }

// operation is what a request is for; answers mean different things to each.
type operation int

const (
	opProbe operation = iota
	opMatch
	opRead
	opCreate
	opPatch
	opDelete
)

// statusName is .NET's name of a status, as it stands in messages.
func statusName(status int) string {
	return strings.NewReplacer(" ", "", "-", "", "'", "").Replace(http.StatusText(status))
}

// bodyInMessage is how much of an answer goes into a message.
const bodyInMessage = 4 << 10

func excerpt(body []byte) string {
	if len(body) > bodyInMessage {
		return strings.ToValidUTF8(string(body[:bodyInMessage]), "") + "…"
	}
	return strings.ToValidUTF8(string(body), "\ufffd")
}

// classify turns an answer with an unwanted status into an error.
func classify(op operation, d Dialect, method, url string, a *answer) *Error {
	e := &Error{Status: a.status, Code: code(op, d, a.status), RetryAfter: a.retryAfter}
	switch {
	case op == opProbe:
		e.Code = CodeCredentialFailure
		e.Message = readMessage(method, url, a)
		if a.status == http.StatusNotFound {
			e.Message = notFoundMessage
		}
	case op == opMatch || op == opRead:
		e.Message = readMessage(method, url, a)
	default:
		e.Message = fmt.Sprintf("StatusCode: %s Message: Processing of the HTTP request resulted in an exception. Please see the HTTP response returned by the 'Response' property of this exception for details. Web Response: %s.",
			statusName(a.status), excerpt(a.body))
	}
	return e
}

const notFoundMessage = "An HTTP/404 Not Found response was returned rather than the expected HTTP/200 OK response. To address this issue, ensure that the tenant URL is correct. The tenant URL is usually in a format like: https://<>/scim. If this does not resolve the issue, contact the application developer to ensure their SCIM endpoint conforms with the protocol https://tools.ietf.org/html/rfc7644#section-3.4.2"

func readMessage(method, url string, a *answer) string {
	var headers strings.Builder
	for _, h := range a.headers {
		if headers.Len() > 0 {
			headers.WriteString(" ")
		}
		headers.WriteString(h[0] + ": " + h[1])
	}
	body := excerpt(a.body)
	if looksLikeHTML(a) {
		body = "[HTML]"
	}
	return fmt.Sprintf("Received response from Web resource. Resource: %s Operation: %s Response Status Code: %s Response Headers: %s Response Content: %s",
		url, method, statusName(a.status), headers.String(), body)
}

func looksLikeHTML(a *answer) bool {
	text := strings.ToLower(strings.TrimSpace(string(a.body[:min(len(a.body), 200)])))
	return strings.HasPrefix(text, "<!doctype html") || strings.HasPrefix(text, "<html")
}

// code chooses the error code of an answer's status.
func code(op operation, d Dialect, status int) string {
	switch status {
	case http.StatusUnauthorized:
		return CodeUnauthorized
	case http.StatusForbidden:
		return CodeInsufficientRights
	case http.StatusMethodNotAllowed:
		return CodeMethodNotAllowed
	case http.StatusUnprocessableEntity:
		return CodeUnprocessableEntity
	case http.StatusTooManyRequests:
		return CodeTooManyRequests
	case http.StatusNotImplemented:
		return CodeNotImplemented
	case http.StatusNotFound:
		if op == opRead || op == opPatch {
			return CodeInvalidAnchor
		}
	case http.StatusConflict:
		if op == opCreate || op == opPatch {
			return CodeEntryConflict
		}
	case http.StatusBadRequest:
		if d == CustomAppSSO && op == opCreate {
			return CodeBadRequest
		}
	}
	if status >= 500 {
		if op == opMatch || op == opRead {
			return CodeServerError
		}
		return CodeInternalServerError
	}
	return CodeServiceIncompatible
}

// unreadable is the error of an answer that came with success and can't be read.
func unreadable(op operation, method, url string, a *answer, cause error) *Error {
	e := &Error{Code: CodeServiceIncompatible, Status: a.status, cause: cause}
	e.Message = "We are not able to deserialize the resource received from your SCIM endpoint because your SCIM endpoint is not fully compatible with the Azure Active Directory SCIM client. Here is the resource we received from your SCIM endpoint: " + excerpt(a.body)
	if cause != nil {
		e.Message += " (" + cause.Error() + ")"
	}
	if op == opProbe {
		e.Code = CodeCredentialFailure
		e.Message = readMessage(method, url, a)
		if cause != nil {
			e.Message += " (" + cause.Error() + ")"
		}
	}
	return e
}

// InvalidTenantURL is the error of a job without a usable tenant URL.
func InvalidTenantURL(cause error) *Error {
	return &Error{Code: CodeInvalidCredentials, Message: "Please provide a valid tenant URL for your application. (" + cause.Error() + ")", cause: cause}
}

// TestConnectionError gives a probe's error the code and words of Test Connection.
func TestConnectionError(e *Error) *Error {
	if e.Code == CodeInvalidCredentials {
		return e
	}
	t := *e
	t.Code = CodeTestConnection
	t.Message = "You appear to have entered invalid credentials. Please confirm you are using the correct information for an administrative account. Error code: " +
		e.Code + " Details: " + e.Message
	return &t
}
