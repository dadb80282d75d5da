package scim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Tag labels a request with what it is for; it goes unchanged into the recorded exchange.
type Tag struct {
	Job     string
	CycleID string
	Cycle   int
	Object  string // id of the directory object, "" for a probe
	Reason  string // one sentence
	Rules   []string
}

// Exchange is one request with its answer. The token is masked.
type Exchange struct {
	Time time.Time // virtual
	Tag
	Method, URL     string
	RequestHeaders  [][2]string // in the order of the wire
	RequestBody     []byte
	Status          int // 0: no answer
	ResponseHeaders [][2]string
	ResponseBody    []byte
	Duration        time.Duration // real
	Err             string
}

// Client sends requests to one endpoint. It is safe for concurrent use.
type Client struct {
	ep       Endpoint
	opt      Options
	token    string
	now      func() time.Time
	record   func(*Exchange)
	wire     *transport
	unusable error       // why there is no wire
	origin   int         // length of scheme and host in each URL
	headers  [][2]string // of every request
	shown    [][2]string // the same, the token masked
}

// answer is what came back.
type answer struct {
	status     int
	headers    [][2]string
	body       []byte
	retryAfter time.Duration
}

// NewClient makes a client. now is the virtual time of recorded exchanges; record may be nil and must not wait.
func NewClient(ep Endpoint, token string, opt Options, now func() time.Time, record func(*Exchange)) *Client {
	c := &Client{ep: ep, opt: opt, token: token, now: now, record: record}
	c.wire, c.unusable = newTransport(ep.Base, opt)
	if c.unusable != nil {
		return c
	}
	c.origin = len(ep.Base)
	if scheme, rest, ok := strings.Cut(ep.Base, "://"); ok {
		host, _, _ := strings.Cut(rest, "/")
		c.origin = len(scheme) + len("://") + len(host)
	}
	add := func(name, value, shown string) {
		c.headers = append(c.headers, [2]string{name, value})
		c.shown = append(c.shown, [2]string{name, shown})
	}
	add("Host", c.wire.host, c.wire.host)
	if token != "" {
		add("Authorization", "Bearer "+token, "Bearer "+mask)
	}
	add("Accept", "application/scim+json", "application/scim+json")
	if v := opt.ADSCIMVersion; v != "" {
		add("ADSCIMVersion", v, v)
	}
	// Appending to either always copies.
	c.headers, c.shown = slices.Clip(c.headers), slices.Clip(c.shown)
	if !validHeader(token) || !validHeader(opt.ADSCIMVersion) {
		c.wire, c.unusable = nil, errors.New("the Secret token holds a line break or another control character")
	}
	return c
}

// Dialect is how the client writes changes.
func (c *Client) Dialect() Dialect { return c.ep.Dialect }

// Close drops idle connections.
func (c *Client) Close() {
	if c.wire != nil {
		c.wire.close()
	}
}

// ContentType of every body.
const ContentType = "application/scim+json; charset=utf-8"

const mask = "***"

// do sends one request and reads its whole answer. The error says why no answer came.
func (c *Client) do(ctx context.Context, tag Tag, op operation, method, url string, body []byte) (*answer, *Error) {
	x := &Exchange{Time: c.now(), Tag: tag, Method: method, URL: url, RequestBody: body}
	began := time.Now()
	a, err := c.exchange(ctx, x, method, url, body)
	x.Duration = time.Since(began)
	if err == nil && c.opt.StandsStill != nil && c.opt.StandsStill() && c.now().Sub(x.Time) > c.opt.Timeout {
		err = fmt.Errorf("no answer within %s: %w", c.opt.Timeout, context.DeadlineExceeded)
	}
	var fail *Error
	if err != nil {
		fail = noAnswer(op, err)
		x.Err = c.hide(err.Error())
		fail.Message = c.hide(fail.Message)
	} else {
		x.Status, x.ResponseHeaders, x.ResponseBody = a.status, a.headers, a.body
	}
	if c.record != nil {
		c.record(x)
	}
	return a, fail
}

// exchange sends a request with the headers of the service, in their order, and notes them in x.
func (c *Client) exchange(ctx context.Context, x *Exchange, method, url string, body []byte) (*answer, error) {
	if c.opt.Guard != nil {
		if err := c.opt.Guard(method, url); err != nil {
			return nil, err
		}
	}
	if c.wire == nil {
		return nil, c.unusable
	}
	sent := c.headers
	x.RequestHeaders = c.shown
	if body != nil {
		more := [][2]string{{"Content-Type", ContentType}, {"Content-Length", strconv.Itoa(len(body))}}
		sent, x.RequestHeaders = append(sent, more...), append(c.shown, more...)
	}
	res, data, err := c.wire.do(ctx, method, url[c.origin:], sent, body)
	if err != nil {
		return nil, err
	}
	a := &answer{status: res.StatusCode, body: c.hideBytes(data), headers: make([][2]string, 0, len(res.Header)), retryAfter: retryAfter(res.Header.Get("Retry-After"), c.now())}
	for name, values := range res.Header {
		for _, v := range values {
			a.headers = append(a.headers, [2]string{name, c.hide(v)})
		}
	}
	slices.SortStableFunc(a.headers, func(x, y [2]string) int { return strings.Compare(x[0], y[0]) })
	return a, nil
}

// hide masks the token wherever a target echoes it.
func (c *Client) hide(s string) string {
	if len(c.token) < 4 || !strings.Contains(s, c.token) {
		return s
	}
	return strings.ReplaceAll(s, c.token, mask)
}

func (c *Client) hideBytes(b []byte) []byte {
	// A short token, such as a word, is no secret worth breaking answers for: it would cut into names and values.
	if len(c.token) < 12 || !bytes.Contains(b, []byte(c.token)) {
		return b
	}
	return bytes.ReplaceAll(b, []byte(c.token), []byte(mask))
}

func retryAfter(text string, now time.Time) time.Duration {
	if text == "" {
		return 0
	}
	if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && n >= 0 {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(text); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// noAnswer classifies what kept an answer from coming: no name, no connection, no trust, no HTTP, no time.
func noAnswer(op operation, err error) *Error {
	e := &Error{Code: CodeWebException, Message: "An error occurred while sending the request. " + reason(err), NoAnswer: true, cause: err}
	var timeout interface{ Timeout() bool }
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		e.Code = CodeTimeout
	}
	if op == opProbe {
		e.Code = CodeCredentialUnavailable
	}
	return e
}

// reason is the error's text as a sentence.
func reason(err error) string { return strings.TrimSuffix(err.Error(), ".") + "." }

// object reads one resource from an answer.
func (c *Client) object(op operation, method, url string, rt ResourceType, a *answer) (*Resource, *Error) {
	if err := c.contentType(op, method, url, a); err != nil {
		return nil, err
	}
	v, err := parseBody(a.body)
	if err != nil {
		return nil, unreadable(op, method, url, a, err)
	}
	if m, ok := v.(map[string]any); ok && op == opRead {
		if resources, ok := m["Resources"].([]any); ok {
			return nil, &Error{Code: CodeMultipleEntries, Status: a.status, Message: fmt.Sprintf("One resource was asked for, %d came. %s", len(resources), excerpt(a.body))}
		}
	}
	r, err := newResource(v)
	if err != nil {
		return nil, unreadable(op, method, url, a, err)
	}
	if op == opRead && rt == Group && len(list(r.members["members"])) > 0 {
		return nil, &Error{Code: CodeMultipleEntries, Status: a.status, Message: "Members were returned although excludedAttributes=members asked for none. " + excerpt(a.body)}
	}
	return r, nil
}

func (c *Client) contentType(op operation, method, url string, a *answer) *Error {
	if !c.opt.StrictContentType {
		return nil
	}
	for _, h := range a.headers {
		if h[0] == "Content-Type" && strings.HasPrefix(strings.ToLower(h[1]), "application/scim+json") {
			return nil
		}
	}
	return unreadable(op, method, url, a, errors.New("the answer is not application/scim+json"))
}

// Probe asks for an object that can't exist and wants 200 with a list. The error is an *Error.
func (c *Client) Probe(ctx context.Context, tag Tag, rt ResourceType, path, guid string) error {
	url := MatchURL(c.ep, c.opt, rt, path, guid)
	a, fail := c.do(ctx, tag, opProbe, http.MethodGet, url, nil)
	if fail != nil {
		return fail
	}
	if a.status != http.StatusOK {
		return classify(opProbe, c.ep.Dialect, http.MethodGet, url, a)
	}
	if err := c.contentType(opProbe, http.MethodGet, url, a); err != nil {
		return err
	}
	if _, err := parseList(a.body); err != nil {
		return unreadable(opProbe, http.MethodGet, url, a, err)
	}
	return nil
}

// Match asks for the objects whose attribute has a value. A single hit must have it, and with the same case when the
// attribute is caseExact. The error is an *Error.
func (c *Client) Match(ctx context.Context, tag Tag, rt ResourceType, path, value string, caseExact bool) ([]*Resource, error) {
	url := MatchURL(c.ep, c.opt, rt, path, value)
	a, fail := c.do(ctx, tag, opMatch, http.MethodGet, url, nil)
	if fail != nil {
		return nil, fail
	}
	if a.status != http.StatusOK {
		return nil, classify(opMatch, c.ep.Dialect, http.MethodGet, url, a)
	}
	if err := c.contentType(opMatch, http.MethodGet, url, a); err != nil {
		return nil, err
	}
	items, err := parseList(a.body)
	if err != nil {
		return nil, unreadable(opMatch, http.MethodGet, url, a, err)
	}
	found := make([]*Resource, len(items))
	for i, item := range items {
		r, err := newResource(item)
		if err != nil {
			return nil, unreadable(opMatch, http.MethodGet, url, a, err)
		}
		found[i] = r
	}
	if len(found) == 1 {
		// A hit must have what was asked for; a target that ignores filters gives itself away here.
		if have := found[0].values(path); len(have) > 0 && !slices.ContainsFunc(have, func(h string) bool { return sameText(caseExact)(h, value) }) {
			return nil, unreadable(opMatch, http.MethodGet, url, a, fmt.Errorf("the object returned has %s %q, not %q", path, have[0], value))
		}
		if rt == Group && len(list(found[0].members["members"])) > 0 {
			return nil, &Error{Code: CodeMultipleEntries, Status: a.status, Message: "Members were returned although excludedAttributes=members asked for none. " + excerpt(a.body)}
		}
	}
	return found, nil
}

// Get reads a linked object. The error is an *Error; a missing object has CodeInvalidAnchor.
func (c *Client) Get(ctx context.Context, tag Tag, rt ResourceType, id string) (*Resource, error) {
	url := ObjectURL(c.ep, c.opt, rt, id, true)
	a, fail := c.do(ctx, tag, opRead, http.MethodGet, url, nil)
	if fail != nil {
		return nil, fail
	}
	if a.status != http.StatusOK {
		return nil, classify(opRead, c.ep.Dialect, http.MethodGet, url, a)
	}
	r, e := c.object(opRead, http.MethodGet, url, rt, a)
	if e != nil {
		return nil, e
	}
	return r, nil
}

// Create posts a new object and returns its id and what the target answered. The error is an *Error.
func (c *Client) Create(ctx context.Context, tag Tag, rt ResourceType, attrs []Attribute) (string, *Resource, error) {
	url := ObjectURL(c.ep, c.opt, rt, "", false)
	a, fail := c.do(ctx, tag, opCreate, http.MethodPost, url, CreateBody(rt, c.ep.Dialect, c.opt, attrs))
	if fail != nil {
		return "", nil, fail
	}
	if a.status != http.StatusCreated && a.status != http.StatusOK {
		return "", nil, classify(opCreate, c.ep.Dialect, http.MethodPost, url, a)
	}
	r, e := c.object(opCreate, http.MethodPost, url, rt, a)
	if e != nil {
		return "", nil, e
	}
	return r.ID(), r, nil
}

// Patch sends changes of one object. The body of the answer is not trusted over the next read. The error is an *Error.
func (c *Client) Patch(ctx context.Context, tag Tag, rt ResourceType, id string, body []byte) error {
	url := ObjectURL(c.ep, c.opt, rt, id, false)
	a, fail := c.do(ctx, tag, opPatch, http.MethodPatch, url, body)
	if fail != nil {
		return fail
	}
	switch a.status {
	case http.StatusOK, http.StatusNoContent, http.StatusAccepted:
	default:
		return classify(opPatch, c.ep.Dialect, http.MethodPatch, url, a)
	}
	if rt == User && a.status == http.StatusOK && len(bytes.TrimSpace(a.body)) > 0 {
		if _, e := c.object(opPatch, http.MethodPatch, url, rt, a); e != nil {
			return e
		}
	}
	return nil
}

// Delete deletes an object; one that is gone already counts as deleted. The error is an *Error.
func (c *Client) Delete(ctx context.Context, tag Tag, rt ResourceType, id string) error {
	url := ObjectURL(c.ep, c.opt, rt, id, false)
	a, fail := c.do(ctx, tag, opDelete, http.MethodDelete, url, nil)
	if fail != nil {
		return fail
	}
	switch a.status {
	case http.StatusOK, http.StatusNoContent, http.StatusAccepted, http.StatusNotFound:
		return nil
	}
	return classify(opDelete, c.ep.Dialect, http.MethodDelete, url, a)
}
