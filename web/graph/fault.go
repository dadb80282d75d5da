package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// Fault makes Graph refuse requests that it would otherwise answer, so that clients can show how they cope with being
// throttled and with a service that is down (concepts/throttling.md, concepts/errors.md). Nothing is carried out.
type Fault struct {
	ID     string `json:"id"`               // given when it is absent
	Method string `json:"method,omitempty"` // absent: any
	Path   string `json:"path,omitempty"`   // a glob behind version and tenant such as /users/*; a star stands for anything but a slash
	Status int    `json:"status"`           // 400 to 599
	// RetryAfter are the seconds of the header Retry-After; absent it is 10 with status 429, and no header with others.
	RetryAfter *int   `json:"retryAfter,omitempty"`
	Code       string `json:"code,omitempty"` // absent: the code that goes with the status
	Message    string `json:"message,omitempty"`
	Times      *int   `json:"times"` // how often; null is for ever
	Hits       int    `json:"hits"`  // how often so far
}

// faults is the list in force.
type faults struct {
	mu   sync.Mutex
	list []*Fault
}

// faultCodes are the codes of errors by their statuses.
var faultCodes = map[int]string{400: codeBadRequest, 401: "InvalidAuthenticationToken", 403: "Authorization_RequestDenied", 404: codeNotFound,
	409: codeSameKey, 423: "ResourceLocked", 429: "TooManyRequests", 500: "InternalServerError", 501: "NotImplemented", 502: "BadGateway",
	503: "ServiceUnavailable", 504: "GatewayTimeout", 509: "BandwidthLimitExceeded"}

const (
	faultsMost = 1000
	retryAfter = 10 // seconds
)

func (f *Fault) check() error {
	f.Method = strings.ToUpper(f.Method)
	_, globErr := path.Match(f.Path, "")
	switch {
	case f.Status < 400 || f.Status > 599:
		return fmt.Errorf("status is %d; expected 400 to 599", f.Status)
	case f.Method != "" && !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, f.Method):
		return fmt.Errorf("method is %q; expected GET, POST, PUT, PATCH or DELETE", f.Method)
	case globErr != nil, f.Path != "" && !strings.HasPrefix(f.Path, "/"):
		return fmt.Errorf("path %q is no glob that begins with a slash", f.Path)
	case f.RetryAfter != nil && *f.RetryAfter < 0:
		return fmt.Errorf("retryAfter is %d; expected seconds, 0 or more", *f.RetryAfter)
	case f.Times != nil && *f.Times < 0:
		return fmt.Errorf("times is %d; expected 0 or more, or null for ever", *f.Times)
	}
	return nil
}

// ClearFaults takes every fault away.
func (g *Graph) ClearFaults() {
	g.faults.mu.Lock()
	g.faults.list = nil
	g.faults.mu.Unlock()
}

// fault is the refusal that a call meets, nil when there is none.
func (g *Graph) fault(c *call) error {
	g.faults.mu.Lock()
	defer g.faults.mu.Unlock()
	for _, f := range g.faults.list {
		if f.Method != "" && f.Method != c.r.Method || f.Times != nil && f.Hits >= *f.Times {
			continue
		}
		if ok, _ := path.Match(strings.ToLower(f.Path), strings.ToLower(c.path)); f.Path != "" && !ok { // the glob was checked when it was set
			continue
		}
		f.Hits++
		e := &Error{Status: f.Status, Code: f.Code, Message: f.Message, Header: http.Header{}}
		if e.Code == "" {
			if e.Code = faultCodes[f.Status]; e.Code == "" {
				e.Code = "UnknownError"
			}
		}
		if e.Message == "" {
			e.Message = "A fault that was set on purpose: " + e.Code + "."
		}
		switch {
		case f.RetryAfter != nil:
			e.Header.Set("Retry-After", strconv.Itoa(*f.RetryAfter))
		case f.Status == http.StatusTooManyRequests:
			e.Header.Set("Retry-After", strconv.Itoa(retryAfter))
		}
		return e
	}
	return nil
}

// faultList is the body of /sim/graph/faults in both directions.
type faultList struct {
	Faults []Fault `json:"faults"`
}

// faultRoutes is the table of the control of faults, which is no part of Graph.
var faultRoutes = []plainRoute{
	{"GET", "/sim/graph/faults", (*Graph).listFaults, "Faults that the Graph API answers with"},
	{"PUT", "/sim/graph/faults", (*Graph).putFaults, "Replace these faults"},
	{"DELETE", "/sim/graph/faults", (*Graph).deleteFaults, "Take these faults away"},
}

func (g *Graph) deleteFaults(c echo.Context) error {
	g.ClearFaults()
	return c.NoContent(http.StatusNoContent)
}

func (g *Graph) listFaults(c echo.Context) error {
	g.faults.mu.Lock()
	list := []Fault{}
	for _, f := range g.faults.list {
		list = append(list, *f)
	}
	g.faults.mu.Unlock()
	return c.JSON(http.StatusOK, faultList{list})
}

// putFaults replaces the list. One that can't be changes nothing.
func (g *Graph) putFaults(c echo.Context) error {
	var body faultList
	d := json.NewDecoder(io.LimitReader(c.Request().Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "The body is no list of faults: "+strings.TrimPrefix(err.Error(), "json: ")+".")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || body.Faults == nil || len(body.Faults) > faultsMost {
		return echo.NewHTTPError(http.StatusBadRequest, `Send {"faults":[…]} with at most `+strconv.Itoa(faultsMost)+` of them; an empty list takes them all away.`)
	}
	var list []*Fault
	seen := map[string]bool{}
	for i, f := range body.Faults {
		if err := f.check(); err != nil {
			return echo.NewHTTPError(http.StatusBadRequest, fmt.Sprintf("faults[%d]: %v.", i, err))
		}
		if f.ID == "" {
			f.ID = strconv.Itoa(i + 1)
		}
		if seen[f.ID] {
			return echo.NewHTTPError(http.StatusBadRequest, fmt.Sprintf("faults[%d]: the id %q is used twice.", i, f.ID))
		}
		seen[f.ID], f.Hits = true, 0
		list = append(list, &f)
	}
	g.faults.mu.Lock()
	g.faults.list = list
	g.faults.mu.Unlock()
	return g.listFaults(c)
}
