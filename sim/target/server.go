package target

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"go.etcd.io/bbolt"
)

// Options of a server.
type Options struct {
	Token string           // bearer token; "" asks for none
	Now   func() time.Time // of Date headers and meta
	Seed  int64            // of ids
	DB    *bbolt.DB        // where the stores are kept; nil keeps them in memory only
	// Wait lets time pass for a fault that answers slowly; nil waits in real time.
	Wait func(ctx context.Context, d time.Duration) error
}

// Server holds any number of stores. It is safe for concurrent use.
type Server struct {
	opt    Options
	faults faults

	mu     sync.RWMutex
	stores map[string]*Store
}

// New makes a server and reads its stores from the file.
func New(opt Options) (*Server, error) {
	s := &Server{opt: opt, stores: map[string]*Store{}}
	if opt.DB != nil {
		if err := s.load(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Server) now() time.Time { return s.opt.Now().UTC().Truncate(time.Second) }

func (s *Server) all() []*Store {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]*Store, 0, len(s.stores))
	for _, st := range s.stores {
		list = append(list, st)
	}
	sort.Slice(list, func(i, k int) bool { return list[i].name < list[k].name })
	return list
}

// Stores names the stores that were used since the last Reset of the server.
func (s *Server) Stores() []string {
	var names []string
	for _, st := range s.all() {
		if st.used.Load() {
			names = append(names, st.name)
		}
	}
	return names
}

// Store returns a store, made when it is new; nil when the name is none: 1 to 64 lower-case letters, digits and hyphens.
func (s *Server) Store(name string) *Store {
	if !validName(name) {
		return nil
	}
	s.mu.RLock()
	st := s.stores[name]
	s.mu.RUnlock()
	if st == nil {
		s.mu.Lock()
		if st = s.stores[name]; st == nil {
			st = newStore(s, name)
			s.stores[name] = st
		}
		s.mu.Unlock()
	}
	if !st.used.Load() {
		st.used.Store(true)
	}
	return st
}

// Reset empties every store, so that none was used, and takes the faults away.
func (s *Server) Reset() {
	s.faults.mu.Lock()
	s.faults.list = nil
	s.faults.mu.Unlock()
	for _, st := range s.all() {
		st.Reset()
		st.used.Store(false)
	}
}

// maxBody is how long a request may be.
const maxBody = 4 << 20

// ServeSCIM answers one request to a store. base is the URL that the store is reached at, path what follows it.
func (s *Server) ServeSCIM(w http.ResponseWriter, r *http.Request, store, base, path string) {
	met := s.hits(store, path, r)
	w.Header().Set("Date", s.opt.Now().UTC().Format(http.TimeFormat))
	if len(met) == 0 {
		s.carryOut(w, r, store, base, path)
		return
	}
	s.faulty(w, r, met, func(w http.ResponseWriter, r *http.Request) { s.carryOut(w, r, store, base, path) })
}

func (s *Server) carryOut(w http.ResponseWriter, r *http.Request, store, base, path string) {
	q := &request{server: s, w: w, r: r, base: base}
	if err := q.serve(store, path); err != nil {
		q.fail(err)
	}
}

// Handler serves one store at the root of its mount.
func (s *Server) Handler(store string) http.Handler { return s.mounted(store, s.ServeSCIM) }

// Plain is Handler without faults, for whoever wants to see or change what the store holds.
func (s *Server) Plain(store string) http.Handler { return s.mounted(store, s.carryOut) }

func (s *Server) mounted(store string, serve func(w http.ResponseWriter, r *http.Request, store, base, path string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		path := r.URL.EscapedPath()
		mount := ""
		if rest, ok := strings.CutPrefix(path, "/scim"); ok {
			mount, path = "/scim", rest
		}
		serve(w, r, store, scheme+"://"+r.Host+mount, path)
	})
}

// request is one request under way.
type request struct {
	server *Server
	store  *Store
	w      http.ResponseWriter
	r      *http.Request
	base   string
	query  url.Values
}

func (q *request) fail(err error) {
	var e *scimError
	if !errors.As(err, &e) {
		e = &scimError{http.StatusInternalServerError, "", "internal error"}
	}
	m := map[string]any{"schemas": []string{urnError}, "status": strconv.Itoa(e.status), "detail": e.detail}
	if e.scimType != "" {
		m["scimType"] = e.scimType
	}
	if e.status == http.StatusUnauthorized {
		q.w.Header().Set("WWW-Authenticate", `Bearer realm="SCIM"`)
	}
	q.json(e.status, m)
}

func (q *request) json(status int, v any) { q.raw(status, appendJSON(nil, v)) }

func (q *request) raw(status int, data []byte) {
	q.w.Header().Set("Content-Type", "application/scim+json; charset=utf-8")
	q.w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	q.w.WriteHeader(status)
	if q.r.Method != http.MethodHead {
		_, _ = q.w.Write(data) // the client went away: nobody is left to tell
	}
}

func (q *request) authorized() bool {
	token := q.server.opt.Token
	if token == "" {
		return true
	}
	scheme, got, _ := strings.Cut(q.r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(strings.TrimSpace(got)), []byte(token)) == 1
}

func (q *request) serve(store, path string) error {
	if !validName(store) {
		return &scimError{http.StatusNotFound, "", "there is no such store"}
	}
	if !q.authorized() { // before a store is made
		return &scimError{http.StatusUnauthorized, "", "the bearer token is missing or wrong"}
	}
	q.store = q.server.Store(store)
	var err error
	if q.query, err = url.ParseQuery(q.r.URL.RawQuery); err != nil {
		return bad("invalidSyntax", "the query can't be read: %v", err)
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i := range parts {
		if parts[i], err = url.PathUnescape(parts[i]); err != nil {
			return bad("invalidSyntax", "the path can't be read: %v", err)
		}
	}
	id := ""
	if len(parts) == 2 {
		id = parts[1]
	}
	if len(parts) > 2 {
		return notFound(path)
	}
	switch parts[0] {
	case "Users":
		return q.resource(users, id)
	case "Groups":
		return q.resource(groups, id)
	case "", ".search":
		return q.everywhere(parts[0], id)
	case "Schemas", "ResourceTypes", "ServiceProviderConfig":
		return q.only(func() error { return q.discovery(parts[0], id) }, http.MethodGet)
	case "Me", "Bulk":
		return &scimError{http.StatusNotImplemented, "", "/" + parts[0] + " is not offered"}
	}
	return notFound(path)
}

func notFound(what string) error {
	return &scimError{http.StatusNotFound, "", "there is no " + what}
}

// only carries out f for a method that is offered; HEAD counts as GET.
func (q *request) only(f func() error, methods ...string) error {
	method := q.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if slices.Contains(methods, method) {
		return f()
	}
	q.w.Header().Set("Allow", strings.Join(methods, ", "))
	return &scimError{http.StatusMethodNotAllowed, "", q.r.Method + " is not allowed here; " + strings.Join(methods, ", ") + " is"}
}

// everywhere searches users and groups alike, at the base URL or by POST to .search.
func (q *request) everywhere(at, id string) error {
	switch {
	case id != "":
		return notFound(at + "/" + id)
	case at == ".search":
		return q.only(func() error { return q.findBody(users, groups) }, http.MethodPost)
	}
	return q.only(func() error { return q.findQuery(users, groups) }, http.MethodGet)
}

func (q *request) findQuery(kinds ...kind) error {
	s, err := q.fromQuery(kinds...)
	if err != nil {
		return err
	}
	return q.find(s)
}

func (q *request) findBody(kinds ...kind) error {
	s, err := q.fromBody(kinds...)
	if err != nil {
		return err
	}
	return q.find(s)
}

func (q *request) resource(k kind, id string) error {
	switch id {
	case "":
		return q.only(func() error {
			if q.r.Method == http.MethodPost {
				return q.create(k)
			}
			return q.findQuery(k)
		}, http.MethodGet, http.MethodPost)
	case ".search":
		return q.only(func() error { return q.findBody(k) }, http.MethodPost)
	}
	return q.only(func() error {
		switch q.r.Method {
		case http.MethodPut:
			return q.replace(k, id)
		case http.MethodPatch:
			return q.patch(k, id)
		case http.MethodDelete:
			return q.remove(k, id)
		}
		return q.read(k, id)
	}, http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete)
}

// body reads a JSON object.
func (q *request) body() (map[string]any, error) {
	data, err := io.ReadAll(io.LimitReader(q.r.Body, maxBody+1))
	if err != nil {
		return nil, bad("invalidSyntax", "the body broke off")
	}
	if len(data) > maxBody {
		return nil, &scimError{http.StatusRequestEntityTooLarge, "", fmt.Sprintf("the body is longer than %d MiB", maxBody>>20)}
	}
	given := q.r.Header.Get("Content-Type")
	switch media, params, err := mime.ParseMediaType(given); {
	case given != "" && (err != nil || media != "application/scim+json" && media != "application/json"):
		return nil, &scimError{http.StatusUnsupportedMediaType, "", fmt.Sprintf("the Content-Type is %q; send application/scim+json", given)}
	case params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8"):
		return nil, &scimError{http.StatusUnsupportedMediaType, "", fmt.Sprintf("the charset is %q; JSON is UTF-8", params["charset"])}
	case media != "application/scim+json":
		q.store.note("contentType", given)
	}
	if !utf8.Valid(data) {
		return nil, bad("invalidSyntax", "the body is no UTF-8")
	}
	m, err := decode(data)
	if err != nil || m == nil {
		return nil, bad("invalidSyntax", "the body is no JSON object")
	}
	return m, nil
}

func (q *request) create(k kind) error {
	p := q.projectionOfURL()
	body, err := q.body()
	if err != nil {
		return err
	}
	st := q.store
	doc, ids, err := st.document(k, body)
	if err != nil {
		return err
	}
	encoded := encode(k, doc)
	st.mu.Lock()
	r, err := st.create(k, doc, encoded, ids)
	if err != nil {
		st.mu.Unlock()
		return err
	}
	q.w.Header().Set("Location", r.location(q.base))
	b := q.shape(r, p)
	st.mu.Unlock()
	q.raw(http.StatusCreated, b)
	return nil
}

// create makes a resource; s is locked.
func (s *Store) create(k kind, doc map[string]any, encoded []byte, memberIDs []string) (*resource, error) {
	if err := s.unique(nil, k, doc); err != nil {
		return nil, err
	}
	members, err := s.known(memberIDs)
	if err != nil {
		return nil, err
	}
	now := s.server.now().Unix()
	r := &resource{kind: k, id: s.newID(k, doc), doc: slices.Clip(encoded), created: now, modified: now, version: 1}
	s.insert(r)
	for _, m := range members {
		s.join(r, m)
	}
	return r, nil
}

// pick finds a resource and checks the conditions of the request (RFC 7644 § 3.14); the store is locked.
func (q *request) pick(k kind, id string) (*resource, error) {
	r := q.store.get(k, id)
	if r == nil {
		return nil, notFound(k.String() + " " + id)
	}
	if m := q.r.Header.Get("If-Match"); m != "" && !tagged(m, r.etag()) {
		return nil, &scimError{http.StatusPreconditionFailed, "", "the version is " + r.etag()}
	}
	reads := q.r.Method == http.MethodGet || q.r.Method == http.MethodHead
	if m := q.r.Header.Get("If-None-Match"); m != "" && !reads && tagged(m, r.etag()) {
		return nil, &scimError{http.StatusPreconditionFailed, "", "the version is " + r.etag()}
	}
	return r, nil
}

// tagged reports whether a list of entity tags holds one, compared weakly; a star holds every one.
func tagged(list, tag string) bool {
	for _, t := range strings.Split(list, ",") {
		if t = strings.TrimSpace(t); t == "*" || strings.TrimPrefix(t, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

func (q *request) read(k kind, id string) error {
	p := q.projectionOfURL()
	st := q.store
	st.mu.RLock()
	r, err := q.pick(k, id)
	if err != nil {
		st.mu.RUnlock()
		return err
	}
	if m := q.r.Header.Get("If-None-Match"); m != "" && tagged(m, r.etag()) {
		q.w.Header().Set("ETag", r.etag())
		st.mu.RUnlock()
		q.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	b := q.shape(r, p)
	st.mu.RUnlock()
	q.raw(http.StatusOK, b)
	return nil
}

func (q *request) replace(k kind, id string) error {
	p := q.projectionOfURL()
	body, err := q.body()
	if err != nil {
		return err
	}
	st := q.store
	doc, ids, err := st.document(k, body)
	if err != nil {
		return err
	}
	return q.write(k, id, http.StatusOK, p, func(r *resource) error {
		if err := st.unique(r, k, doc); err != nil {
			return err
		}
		members, err := st.known(ids)
		if err != nil {
			return err
		}
		c := &change{s: st, r: r, doc: doc, members: map[*resource]bool{}, order: members, without: true}
		for _, m := range members {
			c.members[m] = true
		}
		c.apply()
		return nil
	})
}

func (q *request) patch(k kind, id string) error {
	p := q.projectionOfURL()
	body, err := q.body()
	if err != nil {
		return err
	}
	ops, err := q.store.operations(k, body)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if k == groups && p.only == nil { // a body with all members helps nobody; who names attributes gets them
		status = http.StatusNoContent
	}
	return q.write(k, id, status, p, func(r *resource) error {
		_, err := q.store.patch(r, ops)
		return err
	})
}

// write changes a resource and answers with it, or with nothing when status is 204.
func (q *request) write(k kind, id string, status int, p *projection, f func(r *resource) error) error {
	st := q.store
	st.mu.Lock()
	r, err := q.pick(k, id)
	if err == nil {
		err = f(r)
	}
	if err != nil {
		st.mu.Unlock()
		return err
	}
	if status == http.StatusNoContent {
		q.w.Header().Set("ETag", r.etag())
		st.mu.Unlock()
		q.w.WriteHeader(status)
		return nil
	}
	b := q.shape(r, p)
	st.mu.Unlock()
	q.raw(status, b)
	return nil
}

func (q *request) remove(k kind, id string) error {
	st := q.store
	st.mu.Lock()
	defer st.mu.Unlock()
	r, err := q.pick(k, id)
	if err != nil {
		return err
	}
	st.remove(r)
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// shape is the answer with one resource; its version goes into the headers. The store is locked.
func (q *request) shape(r *resource, p *projection) []byte {
	q.w.Header().Set("ETag", r.etag())
	return q.store.render(make([]byte, 0, len(r.doc)+600), r, q.base, p)
}

func (q *request) projectionOfURL() *projection {
	return q.projection(strings.Split(q.query.Get("attributes"), ","), strings.Split(q.query.Get("excludedAttributes"), ","))
}

// projection reads what attributes and excludedAttributes ask for.
func (q *request) projection(only, without []string) *projection {
	p := &projection{parseNames(only), parseNames(without), true}
	if p.only != nil && p.without != nil {
		q.store.note("bothProjections", strings.Join(only, ",")+" without "+strings.Join(without, ","))
	}
	return p
}
