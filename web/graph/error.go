package graph

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// The codes of errors (concepts/errors.md).
const (
	codeBadRequest       = "BadRequest"
	codeDirectoryRequest = "Request_BadRequest"
	codeUnsupportedQuery = "Request_UnsupportedQuery"
	codeExpiredPage      = "Directory_ExpiredPageToken"
	codeNotFound         = "Request_ResourceNotFound"
	codeSyncNotFound     = "ResourceNotFound"
	codeSameKey          = "Request_MultipleObjectsWithSameKeyValue"
)

// Error is an answer in Graph's envelope (concepts/errors.md).
type Error struct {
	Status  int
	Code    string
	Message string
	Details []ErrorDetail
	Header  http.Header // more headers of the answer
}

// ErrorDetail is one entry of an error's details.
type ErrorDetail struct {
	Code    string `json:"code"`
	Target  string `json:"target"`
	Message string `json:"message"`
}

// Error is code and message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func badRequest(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: codeBadRequest, Message: fmt.Sprintf(format, args...)}
}

// refused is a 400 of the directory service.
func refused(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: codeDirectoryRequest, Message: fmt.Sprintf(format, args...)}
}

func unsupportedQuery(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: codeUnsupportedQuery, Message: fmt.Sprintf(format, args...)}
}

func missing(id string) *Error {
	return &Error{Status: http.StatusNotFound, Code: codeNotFound,
		Message: fmt.Sprintf("Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)}
}

// isMissing reports whether an error says that there is no such object, in the directory's words or in Graph's. An object of a
// list that vanishes between two transactions is left out of it.
func isMissing(err error) bool {
	var e *Error
	return directory.CodeOf(err) == directory.NotFound || errors.As(err, &e) && e.Status == http.StatusNotFound
}

// syncMissing is the 404 of the synchronization service.
func syncMissing(format string, args ...any) *Error {
	return &Error{Status: http.StatusNotFound, Code: codeSyncNotFound, Message: fmt.Sprintf(format, args...)}
}

func notImplemented(what string) *Error {
	return &Error{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: what + " is part of Microsoft Graph, but not of this subset."}
}

func noSegment(segment string) *Error {
	return badRequest("Resource not found for the segment '%s'.", segment)
}

func expiredPage() *Error {
	return &Error{Status: http.StatusBadRequest, Code: codeExpiredPage,
		Message: "The specified page token value has expired and can no longer be included in your request."}
}

// described turns any error into one of Graph's; ok is false for what is the program's own fault.
func described(err error) (e *Error, ok bool) {
	if errors.As(err, &e) {
		return e, true
	}
	var s *scim.Error
	if errors.As(err, &s) {
		return &Error{Status: http.StatusBadRequest, Code: s.Code, Message: s.Text()}, true
	}
	var p *mapping.Problem
	if errors.As(err, &p) {
		return badRequest("%s", p.Error()), true
	}
	var d *directory.Error
	if !errors.As(err, &d) {
		return &Error{Status: http.StatusInternalServerError, Code: "InternalServerError", Message: "Something went wrong inside the program; its log says what."}, false
	}
	return fromDirectory(d)
}

func fromDirectory(d *directory.Error) (*Error, bool) {
	text := strings.TrimSpace(d.Message + " " + d.Hint)
	if d.Property != "" && !strings.Contains(text, d.Property) {
		text = d.Property + ": " + text
	}
	switch d.Code {
	case directory.Invalid:
		if d.Property == "cursor" {
			return expiredPage(), true
		}
		return refused("%s", text), true
	case directory.NotFound:
		e := missing("")
		e.Message = text
		return e, true
	case directory.Conflict:
		e := refused("%s", text)
		if d.Property == "userPrincipalName" {
			e.Message = d.Message
			e.Details = []ErrorDetail{{"ObjectConflict", d.Property, d.Message}}
		}
		return e, true
	case directory.Expired:
		return &Error{Status: http.StatusGone, Code: "resyncRequired", Message: "Resync required. Replace any local items with the server's version (including deletes). " + text}, true
	}
	return &Error{Status: http.StatusInternalServerError, Code: "InternalServerError", Message: text}, false
}

type envelope struct {
	Error envelopeError `json:"error"`
}

type envelopeError struct {
	Code    string        `json:"code"`
	Message string        `json:"message"`
	Details []ErrorDetail `json:"details,omitempty"`
	Inner   innerError    `json:"innerError"`
}

type innerError struct {
	Date            string `json:"date"`
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
}

// fail answers with an error.
func (g *Graph) fail(c *call, err error) {
	e, known := described(err)
	if gone := c.r.Context().Err(); gone != nil && errors.Is(err, gone) {
		g.log.Debug("the client did not wait for the answer", "method", c.r.Method, "path", c.r.URL.Path, "request-id", c.requestID)
	} else if !known {
		g.log.Error("a Graph request failed", "method", c.r.Method, "path", c.r.URL.Path, "request-id", c.requestID, "error", err)
	}
	for name, values := range e.Header {
		c.w.Header()[name] = values
	}
	now := g.svc.Clock().Now().UTC().Format("2006-01-02T15:04:05")
	if sent := c.json(e.Status, envelope{envelopeError{e.Code, e.Message, e.Details, innerError{now, c.requestID, c.clientRequestID}}}); sent != nil {
		g.log.Debug("answer not sent", "error", sent)
	}
}
