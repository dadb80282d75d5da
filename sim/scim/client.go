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
	"sync/atomic"
	"time"

	"github.com/valyala/fastjson"
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
	Warnings        []string // rules that the answer breaks and that the service lets pass
}

// Client sends requests to one endpoint. It is safe for concurrent use.
type Client struct {
	ep       Endpoint
	opt      Options
	now      func() time.Time
	record   func(*Exchange)
	wire     *transport
	unusable error // why there is no wire
	origin   int   // length of scheme and host in each URL
	bearer   func() (string, error)
	cred     atomic.Pointer[credentials]
	busy     gate // closed while the target asks to wait
}

// credentials are what a token makes of the headers of every request.
type credentials struct {
	token   string
	mask    *masker
	headers [][2]string
	shown   [][2]string // the same, the token masked
}

// answer is what came back. The body is what was received; shown is the same for eyes, the token masked, as are the
// headers.
type answer struct {
	status     int
	headers    [][2]string
	scim       bool   // its type is application/scim+json
	encoding   string // how its body is encoded, "" when it is as it is
	body       []byte
	shown      []byte
	mask       *masker
	retryAfter time.Duration
	asksToWait bool // retryAfter was given
	repeats    int  // how often the request was sent again
	cut        bool // the wait for another try was cut short
}

// NewClient makes a client. now is the virtual time of recorded exchanges; record may be nil and must not wait. Without a
// token the one of opt.Bearer is sent, when there is one.
func NewClient(ep Endpoint, token string, opt Options, now func() time.Time, record func(*Exchange)) *Client {
	c := &Client{ep: ep, opt: opt, now: now, record: record}
	c.wire, c.unusable = newTransport(ep.Base, opt)
	if c.unusable == nil {
		c.origin = len(ep.Base)
		if scheme, rest, ok := strings.Cut(ep.Base, "://"); ok {
			host, _, _ := strings.Cut(rest, "/")
			c.origin = len(scheme) + len("://") + len(host)
		}
	}
	if token == "" {
		c.bearer = opt.Bearer
	}
	c.cred.Store(c.credentialsOf(token))
	if c.unusable == nil && (!validHeader(token) || !validHeader(opt.ADSCIMVersion) || !validHeader(opt.Accept)) {
		c.wire, c.unusable = nil, errors.New("the Secret token holds a line break or another control character")
	}
	return c
}

// credentialsOf puts the headers of every request together, in their order.
func (c *Client) credentialsOf(token string) *credentials {
	k := &credentials{token: token, mask: newMasker(token, token != "" && token == c.opt.PublicToken)}
	add := func(name, value, shown string) {
		k.headers = append(k.headers, [2]string{name, value})
		k.shown = append(k.shown, [2]string{name, shown})
	}
	if c.wire != nil {
		add("Host", c.wire.host, c.wire.host)
	}
	if token != "" {
		add("Authorization", "Bearer "+token, "Bearer "+mask)
	}
	if v := c.opt.Accept; v != "" {
		add("Accept", v, v)
	}
	if v := c.opt.ADSCIMVersion; v != "" {
		add("ADSCIMVersion", v, v)
	}
	// Appending to either always copies.
	k.headers, k.shown = slices.Clip(k.headers), slices.Clip(k.shown)
	return k
}

// credentials are those of the present moment: a token that the service issues to itself is another one every while.
func (c *Client) credentials() (*credentials, error) {
	k := c.cred.Load()
	if c.bearer == nil {
		return k, nil
	}
	token, err := c.bearer()
	if err != nil || token == k.token {
		return k, err
	}
	k = c.credentialsOf(token)
	c.cred.Store(k)
	return k, nil
}

// Endpoint is where the client's requests go.
func (c *Client) Endpoint() Endpoint { return c.ep }

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

// send sends one request and reads its whole answer. The error says why no answer came.
func (c *Client) send(ctx context.Context, tag Tag, op operation, method, url string, body []byte) (*answer, *Error) {
	x := &Exchange{Time: c.now(), Tag: tag, Method: method}
	if c.bearer != nil {
		x.Rules = append(slices.Clip(x.Rules), "W-032")
	}
	began := time.Now()
	k, err := c.credentials()
	x.URL, x.RequestBody = k.mask.text(url), k.mask.bytes(body)
	var a *answer
	if err == nil {
		a, err = c.exchange(ctx, x, k, method, url, body)
	}
	x.Duration = time.Since(began)
	if err == nil && c.opt.StandsStill != nil && c.opt.StandsStill() && c.now().Sub(x.Time) > c.opt.Timeout {
		err = fmt.Errorf("no answer within %s: %w", c.opt.Timeout, context.DeadlineExceeded)
	}
	var fail *Error
	if err != nil {
		fail = noAnswer(op, k.mask, err)
		x.Err = k.mask.text(err.Error())
	} else {
		x.Status, x.ResponseHeaders, x.ResponseBody = a.status, a.headers, a.shown
		if !a.scim && len(a.body) > 0 && a.status < 300 {
			x.Warnings = contentTypeWarning
		}
	}
	if c.record != nil {
		c.record(x)
	}
	return a, fail
}

// contentTypeWarning names the rule of answers that are JSON under another name than SCIM's.
var contentTypeWarning = []string{"W-193"}

// exchange sends a request with the headers of the service, in their order, and notes them in x.
func (c *Client) exchange(ctx context.Context, x *Exchange, k *credentials, method, url string, body []byte) (*answer, error) {
	if c.opt.Guard != nil {
		if err := c.opt.Guard(method, url); err != nil {
			return nil, err
		}
	}
	if c.wire == nil {
		return nil, c.unusable
	}
	sent := k.headers
	x.RequestHeaders = k.shown
	if body != nil {
		more := [][2]string{{"Content-Type", ContentType}, {"Content-Length", strconv.Itoa(len(body))}}
		sent, x.RequestHeaders = append(sent, more...), append(k.shown, more...)
	}
	res, data, err := c.wire.do(ctx, method, url[c.origin:], sent, body)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // a reader of text takes the byte order mark off
	a := &answer{status: res.StatusCode, body: data, shown: k.mask.bytes(data), mask: k.mask, scim: isSCIM(res.Header.Get("Content-Type")),
		headers: make([][2]string, 0, len(res.Header))}
	a.retryAfter, a.asksToWait = retryAfter(res.Header)
	if e := res.Header.Get("Content-Encoding"); !strings.EqualFold(e, "identity") {
		a.encoding = e
	}
	for name, values := range res.Header {
		for _, v := range values {
			a.headers = append(a.headers, [2]string{name, k.mask.text(v)})
		}
	}
	slices.SortStableFunc(a.headers, func(x, y [2]string) int { return strings.Compare(x[0], y[0]) })
	return a, nil
}

// isSCIM reports whether a media type, with or without parameters, is SCIM's.
func isSCIM(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/scim+json")
}

// noAnswer classifies what kept an answer from coming: no name, no connection, no trust, no HTTP, no time.
func noAnswer(op operation, m *masker, err error) *Error {
	e := &Error{Code: CodeWebException, Message: "An error occurred while sending the request.", Detail: m.text(reason(err)), Rule: "W-191", NoAnswer: true, cause: err}
	var timeout interface{ Timeout() bool }
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		e.Code = CodeTimeout
	}
	if op == opProbe {
		e.Code, e.Rule = CodeCredentialUnavailable, "W-045"
	}
	return e
}

// reason is the error's text as a sentence.
func reason(err error) string { return strings.TrimSuffix(err.Error(), ".") + "." }

// object reads the resource that a read was answered with.
func (c *Client) object(method, url string, rt ResourceType, a *answer) (*Resource, *Error) {
	if err := c.contentType(opRead, method, url, a); err != nil {
		return nil, err
	}
	var r *Resource
	several := -1
	if err := parseBody(a.body, func(v *fastjson.Value) (err error) {
		if list := v.Get("Resources"); list != nil && list.Type() == fastjson.TypeArray {
			several = len(list.GetArray())
			return nil
		}
		r, err = newResource(rt, v)
		return err
	}); err != nil {
		return nil, unreadable(opRead, method, url, a, err)
	}
	if several >= 0 {
		return nil, &Error{Code: CodeMultipleEntries, Status: a.status, Rule: "W-176", Message: fmt.Sprintf("One resource was asked for, %d came. %s", several, a.excerpt())}
	}
	if r.showsMembers(rt) {
		return nil, membersReturned(a)
	}
	return r, nil
}

// showsMembers reports whether a group was returned with the members that it was asked without.
func (r *Resource) showsMembers(rt ResourceType) bool {
	return rt == Group && len(list(r.members["members"])) > 0
}

func membersReturned(a *answer) *Error {
	return &Error{Code: CodeMultipleEntries, Status: a.status, Rule: "W-176", Message: "Members were returned although excludedAttributes=members asked for none. " + a.excerpt()}
}

func (c *Client) contentType(op operation, method, url string, a *answer) *Error {
	if !c.opt.StrictContentType || a.scim {
		return nil
	}
	e := unreadable(op, method, url, a, errors.New("the answer is not application/scim+json"))
	e.Rule = "W-193"
	return e
}

// Probe asks for an object that can't exist and wants 200 with a list. The error is an *Error.
func (c *Client) Probe(ctx context.Context, tag Tag, rt ResourceType, path, guid string) error {
	if _, fail := c.list(ctx, tag, opProbe, MatchURL(c.ep, c.opt, rt, Attribute{Path: path, Value: guid}), ignoreHit); fail != nil {
		return fail
	}
	return nil
}

// Match asks for the objects that have a value at an attribute's path. A hit must have it: the target's own filter is not
// relied on. caseExact is whether the same letters in another case are another value. Several hits are an error, and are
// returned with it. The error is an *Error.
func (c *Client) Match(ctx context.Context, tag Tag, rt ResourceType, by Attribute, caseExact bool) ([]*Resource, error) {
	url := MatchURL(c.ep, c.opt, rt, by)
	var found []*Resource
	a, fail := c.list(ctx, tag, opMatch, url, func(v *fastjson.Value) error {
		r, err := newResource(rt, v)
		found = append(found, r)
		return err
	})
	if fail != nil {
		return nil, fail
	}
	stray := slices.IndexFunc(found, func(r *Resource) bool { return !r.holds(by, caseExact) })
	switch {
	case len(found) > 1 && rt == Group && stray >= 0:
		return found, &Error{Code: CodeMultipleEntries, Status: a.status, Rule: "W-070", Message: multipleMessage, Detail: a.mask.text(fmt.Sprintf(
			"%s %q was asked for and %d groups came, among them such as have another value: the filter is ignored", by.Path, by.text(), len(found)))}
	case len(found) > 1:
		return found, &Error{Code: CodeDuplicateTargetEntries, Status: a.status, Rule: "W-170", Message: a.mask.text(fmt.Sprintf(
			"The target returned %d objects whose %s is %q. Matching needs exactly one.", len(found), by.Path, by.text()))}
	case stray == 0:
		cause := fmt.Errorf("the object returned has no %s; %q was asked for", by.Path, by.text())
		if have := found[0].values(by.Path); len(have) > 0 {
			cause = fmt.Errorf("the object returned has the %s %q; %q was asked for", by.Path, have[0], by.text())
		}
		e := unreadable(opMatch, http.MethodGet, url, a, cause)
		e.Rule = "W-073"
		return nil, e
	case len(found) == 1 && found[0].showsMembers(rt):
		return nil, membersReturned(a)
	}
	return found, nil
}

// list sends a query and reads its ListResponse, hit by hit.
func (c *Client) list(ctx context.Context, tag Tag, op operation, url string, hit func(*fastjson.Value) error) (*answer, *Error) {
	a, fail := c.do(ctx, tag, op, http.MethodGet, url, nil)
	if fail != nil {
		return nil, fail
	}
	if a.status != http.StatusOK {
		return nil, classify(op, c.ep.Dialect, http.MethodGet, url, a)
	}
	if err := c.contentType(op, http.MethodGet, url, a); err != nil {
		return nil, err
	}
	if err := parseList(a.body, hit); err != nil {
		return nil, unreadable(op, http.MethodGet, url, a, err)
	}
	return a, nil
}

func ignoreHit(*fastjson.Value) error { return nil }

// Holds asks whether an object has a reference already. The error is an *Error.
func (c *Client) Holds(ctx context.Context, tag Tag, rt ResourceType, id, attribute, value string) (bool, error) {
	held := false
	_, fail := c.list(ctx, tag, opMatch, ReferenceURL(c.ep, c.opt, rt, id, attribute, value), func(*fastjson.Value) error {
		held = true
		return nil
	})
	if fail != nil {
		return false, fail
	}
	return held, nil
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
	r, e := c.object(http.MethodGet, url, rt, a)
	if e != nil {
		return nil, e
	}
	return r, nil
}

// Create posts a new object and returns its id at the target. The error is an *Error.
func (c *Client) Create(ctx context.Context, tag Tag, rt ResourceType, attrs []Attribute) (id string, err error) {
	url := ObjectURL(c.ep, c.opt, rt, "", false)
	a, fail := c.do(ctx, tag, opCreate, http.MethodPost, url, CreateBody(rt, c.ep.Dialect, c.opt, attrs))
	if fail != nil {
		return "", fail
	}
	switch {
	case a.status == http.StatusNoContent, (a.status == http.StatusCreated || a.status == http.StatusOK) && len(bytes.TrimSpace(a.body)) == 0:
		return "", unreadable(opCreate, http.MethodPost, url, a, errors.New("the answer is empty; expected the new resource with its id"))
	case a.status == http.StatusCreated, a.status == http.StatusOK:
	default:
		fail = classify(opCreate, c.ep.Dialect, http.MethodPost, url, a)
		if a.status < 300 {
			fail.Rule, fail.Detail = "W-178", "expected status 201, or 200, with the new resource and its id"
		}
		return "", fail
	}
	id, fail = c.written(opCreate, http.MethodPost, url, rt, a)
	if fail != nil {
		return "", fail
	}
	return id, nil
}

// written checks the resource that answers a write; only its id counts.
func (c *Client) written(op operation, method, url string, rt ResourceType, a *answer) (id string, fail *Error) {
	if err := c.contentType(op, method, url, a); err != nil {
		return "", err
	}
	if err := parseBody(a.body, func(v *fastjson.Value) (err error) {
		id, err = checkResource(rt, v)
		return err
	}); err != nil {
		return "", unreadable(op, method, url, a, err)
	}
	return id, nil
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
		if _, e := c.written(opPatch, http.MethodPatch, url, rt, a); e != nil {
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
