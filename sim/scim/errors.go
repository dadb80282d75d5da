package scim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
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

// Codes are all of them.
var Codes = []string{CodeServiceIncompatible, CodeServerError, CodeBadRequest, CodeInvalidCredentials, CodeCredentialFailure, CodeCredentialUnavailable,
	CodeTestConnection, CodeMultipleEntries, CodeEntryConflict, CodeDuplicateTargetEntries, CodeDuplicateSourceEntries, CodeInvalidAnchor,
	CodeTooManyRequests, CodeInternalServerError, CodeUnauthorized, CodeInsufficientRights, CodeMethodNotAllowed, CodeUnprocessableEntity,
	CodeNotImplemented, CodeWebException, CodeTimeout, CodeMandatoryFieldsMissing, CodeUnresolvedReference, CodeInternalError, CodeAttributeMapping}

// Error is an answer that is no success, or none at all.
type Error struct {
	Code string
	// Message stands in the frames that readers of logs know, Detail is what this program knows beyond them: the cause of
	// a lost connection, the member of an answer that could not be read. It is never inside a frame.
	Message string
	Detail  string
	Status  int    // 0 when no answer came
	Rule    string // of the project's table: what the service makes of such an answer
	// NoAnswer: the target was not reached, or said nothing in time.
	NoAnswer bool
	// Unreadable: an answer came with success and is not what SCIM asks for.
	Unreadable bool
	RetryAfter time.Duration // of a 429, 0 when it named none
	// Repeats is how often the request was sent again before it was given up. Cut says that it was given up early: what it
	// was sent for ended during the wait that the target asked for.
	Repeats int
	Cut     bool
	cause   error
}

func (e *Error) Error() string { return e.Code + ": " + e.Text() }

// Text is the message with the detail behind it.
func (e *Error) Text() string { return WithDetail(e.Message, e.Detail) }

// WithDetail puts a detail behind a message, outside of its frame.
func WithDetail(message, detail string) string {
	if detail == "" {
		return message
	}
	return message + " (" + strings.TrimSuffix(detail, ".") + ")"
}

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

// statusName is .NET's name of a status, as it stands in messages; a status without a name is its number.
func statusName(status int) string {
	switch status {
	case http.StatusRequestURITooLong:
		return "RequestUriTooLong"
	case http.StatusHTTPVersionNotSupported:
		return "HttpVersionNotSupported"
	case http.StatusTeapot:
		return "418"
	}
	name := strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(status))
	if name == "" {
		return strconv.Itoa(status)
	}
	return name
}

// bodyInMessage is how much of an answer goes into a message.
const bodyInMessage = 4 << 10

func excerpt(body []byte) string {
	if len(body) > bodyInMessage {
		return printable(strings.ToValidUTF8(string(body[:bodyInMessage]), "") + "…")
	}
	return printable(string(body))
}

// printable is a text of the target's without what would drive the terminal of whoever reads it.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}

// excerpt is the answer's body as messages show it: one that can't be read as text is told by its kind.
func (a *answer) excerpt() string {
	if a.encoding != "" {
		return "[" + printable(a.mask.text(a.encoding)) + "]"
	}
	return excerpt(a.shown)
}

// beside is what an answer's headers say about why it is of no use.
func (a *answer) beside() string {
	if a.status >= 300 && a.status < 400 {
		for _, h := range a.headers {
			if h[0] == "Location" {
				return "redirects are not followed; this one leads to " + printable(shortURL(h[1]))
			}
		}
	}
	if a.encoding != "" {
		return "the answer is encoded as " + printable(a.mask.text(a.encoding)) + ", which no Accept-Encoding asked for"
	}
	return ""
}

// classify turns an answer with an unwanted status into an error.
func classify(op operation, d Dialect, method, url string, a *answer) *Error {
	e := &Error{Status: a.status, Code: code(op, d, a.status), Rule: refusalRule(op, a.status), Detail: a.beside(), RetryAfter: a.retryAfter, Repeats: a.repeats, Cut: a.cut}
	switch {
	case op == opProbe:
		e.Code = CodeCredentialFailure
		e.Message = readMessage(method, url, a)
		if a.status == http.StatusNotFound {
			e.Message = notFoundMessage
		}
		return e
	case op == opMatch || op == opRead:
		e.Message = readMessage(method, url, a)
	default:
		e.Message = fmt.Sprintf("StatusCode: %s Message: Processing of the HTTP request resulted in an exception. Please see the HTTP response returned by the 'Response' property of this exception for details. Web Response: %s.",
			statusName(a.status), a.excerpt())
		if e.Code == CodeBadRequest {
			e.Message = oldCreateMessage + e.Message
		}
	}
	if byBody(a.status) {
		if err := parseError(a.body); err != nil {
			e.Code, e.Rule, e.Detail = CodeServiceIncompatible, "W-076", a.mask.text("the error's "+err.Error())
		}
	}
	return e
}

// byBody reports whether the meaning of a refusal is in its body. Its types are then checked as those of any answer are,
// and a wrong one, such as a detail that is an object, makes it one that can't be understood. What a status says by itself
// (who is asking, whether the object is there, how busy the target is) it says whatever the body holds.
func byBody(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusTooManyRequests:
		return false
	}
	return status >= 400 && status < 500
}

const notFoundMessage = "An HTTP/404 Not Found response was returned rather than the expected HTTP/200 OK response. To address this issue, ensure that the tenant URL is correct. The tenant URL is usually in a format like: https://<>/scim. If this does not resolve the issue, contact the application developer to ensure their SCIM endpoint conforms with the protocol https://tools.ietf.org/html/rfc7644#section-3.4.2"

// multipleMessage is what a log said of a query that a target answered with more groups than asked for
// (https://github.com/FusionAuth/fusionauth-issues/issues/3111).
const multipleMessage = "Multiple entries were found to match this value, when no more than one was expected"

// oldCreateMessage began the message of a failed create in jobs of the template customappsso.
const oldCreateMessage = "The SCIM endpoint is not fully compatible with the Azure Active Directory SCIM client. Please refer to the Azure Active Directory SCIM provisioning documentation and adapt the SCIM endpoint to be able to process provisioning requests from Azure Active Directory. "

func readMessage(method, url string, a *answer) string {
	var headers strings.Builder
	for _, h := range a.headers {
		if headers.Len() > 0 {
			headers.WriteString(" ")
		}
		headers.WriteString(h[0] + ": " + printable(h[1]))
	}
	body := a.excerpt()
	if looksLikeHTML(a) {
		body = "[HTML]"
	}
	return fmt.Sprintf("Received response from Web resource. Resource: %s Operation: %s Response Status Code: %s Response Headers: %s Response Content: %s",
		shortURL(a.mask.text(url)), method, statusName(a.status), headers.String(), body)
}

// shortURL leaves out the query, where the values of people stand.
func shortURL(url string) string {
	if i := strings.IndexByte(url, '?'); i >= 0 {
		return url[:i] + "?…"
	}
	return url
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
	case http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		return CodeServiceIncompatible
	case http.StatusNotFound:
		if op == opRead || op == opPatch {
			return CodeInvalidAnchor
		}
	case http.StatusConflict:
		if op == opCreate || op == opPatch {
			return CodeEntryConflict
		}
	}
	switch {
	case status >= 500 && (op == opMatch || op == opRead):
		return CodeServerError
	case status >= 500:
		return CodeInternalServerError
	case status >= 400 && d == CustomAppSSO && op == opCreate:
		return CodeBadRequest
	}
	return CodeServiceIncompatible
}

// unreadable is the error of an answer that came with success and can't be read.
func unreadable(op operation, method, url string, a *answer, cause error) *Error {
	e := &Error{Code: CodeServiceIncompatible, Status: a.status, Rule: unreadRule(op, a, cause), Unreadable: true, cause: cause}
	e.Message = "We are not able to deserialize the resource received from your SCIM endpoint because your SCIM endpoint is not fully compatible with the Azure Active Directory SCIM client. Here is the resource we received from your SCIM endpoint: " + a.excerpt()
	if op == opProbe {
		e.Code = CodeCredentialFailure
		e.Message = readMessage(method, url, a)
	}
	if e.Detail = a.beside(); e.Detail == "" {
		e.Detail = a.mask.text(cause.Error())
	}
	return e
}

// InvalidTenantURL is the error of a job without a usable tenant URL.
func InvalidTenantURL(cause error) *Error {
	return &Error{Code: CodeInvalidCredentials, Message: "Please provide a valid tenant URL for your application.", Detail: cause.Error(), cause: cause}
}

// TestConnectionError gives a probe's error the code and words of Test Connection: the same for a target that answered
// badly and one that did not answer. What happened stands behind Details.
func TestConnectionError(e *Error) *Error {
	if e.Code == CodeInvalidCredentials {
		return e
	}
	t := *e
	t.Code, t.Detail = CodeTestConnection, ""
	t.Message = "You appear to have entered invalid credentials. Please confirm you are using the correct information for an administrative account. Error code: " +
		CodeCredentialUnavailable + " Details: " + e.Text()
	return &t
}
