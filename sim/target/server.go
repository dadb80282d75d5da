package target

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

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

// Stores names the stores that were used.
func (s *Server) Stores() []string {
	var names []string
	for _, st := range s.all() {
		names = append(names, st.name)
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
	if st != nil {
		return st
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if st = s.stores[name]; st == nil {
		st = newStore(s, name)
		s.stores[name] = st
	}
	return st
}

// Reset empties every store and takes the faults away.
func (s *Server) Reset() {
	s.faults.mu.Lock()
	s.faults.list = nil
	s.faults.mu.Unlock()
	for _, st := range s.all() {
		st.Reset()
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
	q := &request{server: s, w: w, r: r, base: base, store: s.Store(store)}
	if err := q.serve(path); err != nil {
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

func (q *request) json(status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"schemas":["`+urnError+`"],"status":"500"}`)
	}
	q.raw(status, data)
}

func (q *request) raw(status int, data []byte) {
	q.w.Header().Set("Content-Type", "application/scim+json; charset=utf-8")
	q.w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	q.w.WriteHeader(status)
	_, _ = q.w.Write(data) // the client went away: nobody is left to tell
}

func (q *request) authorized() bool {
	token := q.server.opt.Token
	if token == "" {
		return true
	}
	scheme, got, _ := strings.Cut(q.r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(strings.TrimSpace(got)), []byte(token)) == 1
}

func (q *request) serve(path string) error {
	if q.store == nil {
		return &scimError{http.StatusNotFound, "", "there is no such store"}
	}
	if !q.authorized() {
		return &scimError{http.StatusUnauthorized, "", "the bearer token is missing or wrong"}
	}
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
	case "Schemas", "ResourceTypes", "ServiceProviderConfig":
		if q.r.Method != http.MethodGet {
			return methodNotAllowed(q)
		}
		return q.discovery(parts[0], id)
	case "Me", "Bulk", ".search":
		return &scimError{http.StatusNotImplemented, "", "/" + parts[0] + " is not offered"}
	}
	return notFound(path)
}

func notFound(what string) error {
	return &scimError{http.StatusNotFound, "", "there is no " + what}
}

func methodNotAllowed(q *request) error {
	return &scimError{http.StatusMethodNotAllowed, "", q.r.Method + " is not allowed here"}
}

func (q *request) resource(k kind, id string) error {
	if id == ".search" {
		return &scimError{http.StatusNotImplemented, "", "/.search is not offered"}
	}
	switch {
	case id == "" && q.r.Method == http.MethodGet:
		return q.list(k)
	case id == "" && q.r.Method == http.MethodPost:
		return q.create(k)
	case id == "":
		return methodNotAllowed(q)
	}
	switch q.r.Method {
	case http.MethodGet:
		return q.read(k, id)
	case http.MethodPut:
		return q.replace(k, id)
	case http.MethodPatch:
		return q.patch(k, id)
	case http.MethodDelete:
		return q.remove(k, id)
	}
	return methodNotAllowed(q)
}

// body reads a JSON object; st is not locked.
func (q *request) body() (map[string]any, error) {
	data, err := io.ReadAll(io.LimitReader(q.r.Body, maxBody+1))
	if err != nil {
		return nil, bad("invalidSyntax", "the body broke off")
	}
	if len(data) > maxBody {
		return nil, &scimError{http.StatusRequestEntityTooLarge, "tooMany", "the body is longer than 4 MiB"}
	}
	media, _, err := mime.ParseMediaType(q.r.Header.Get("Content-Type"))
	if media != "application/scim+json" {
		if media != "application/json" && q.r.Header.Get("Content-Type") != "" || err != nil && q.r.Header.Get("Content-Type") != "" {
			return nil, &scimError{http.StatusUnsupportedMediaType, "", "send application/scim+json"}
		}
		q.store.mu.Lock()
		q.store.note("contentType", q.r.Header.Get("Content-Type"))
		q.store.mu.Unlock()
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil || m == nil {
		return nil, bad("invalidSyntax", "the body is no JSON object")
	}
	return m, nil
}

func (q *request) create(k kind) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	st := q.store
	st.mu.Lock()
	defer st.mu.Unlock()
	doc, members, err := st.document(k, body)
	if err != nil {
		return err
	}
	r := &resource{kind: k, doc: doc, created: q.server.now(), version: 1}
	r.modified = r.created
	if err := st.unique(r, doc); err != nil {
		return err
	}
	if err := st.known(members); err != nil {
		return err
	}
	r.id = st.newID(k, doc)
	st.insert(r)
	for _, m := range members {
		st.join(r, m)
	}
	st.changed(r)
	q.w.Header().Set("Location", q.base+"/"+k.path()+"/"+r.id)
	q.answer(http.StatusCreated, r)
	return nil
}

// get finds a resource and checks the conditions of the request; st.mu is held.
func (q *request) get(k kind, id string) (*resource, error) {
	r := q.store.byID[id]
	if r == nil || r.kind != k {
		return nil, notFound(k.String() + " " + id)
	}
	if m := q.r.Header.Get("If-Match"); m != "" && m != "*" && !strings.Contains(m, r.etag()) {
		return nil, &scimError{http.StatusPreconditionFailed, "", "the version is " + r.etag()}
	}
	return r, nil
}

func (q *request) read(k kind, id string) error {
	st := q.store
	st.mu.Lock()
	defer st.mu.Unlock()
	r, err := q.get(k, id)
	if err != nil {
		return err
	}
	if m := q.r.Header.Get("If-None-Match"); m == "*" || strings.Contains(m, r.etag()) {
		q.w.Header().Set("ETag", r.etag())
		q.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	q.answer(http.StatusOK, r)
	return nil
}

func (q *request) replace(k kind, id string) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	st := q.store
	st.mu.Lock()
	defer st.mu.Unlock()
	r, err := q.get(k, id)
	if err != nil {
		return err
	}
	doc, members, err := st.document(k, body)
	if err != nil {
		return err
	}
	if err := st.unique(r, doc); err != nil {
		return err
	}
	if err := st.known(members); err != nil {
		return err
	}
	c := &change{s: st, r: r, doc: doc, add: members, dropAll: k == groups, drop: map[string]bool{}}
	c.apply()
	q.answer(http.StatusOK, r)
	return nil
}

func (q *request) patch(k kind, id string) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	st := q.store
	st.mu.Lock()
	defer st.mu.Unlock()
	r, err := q.get(k, id)
	if err != nil {
		return err
	}
	if err := st.patch(r, body); err != nil {
		return err
	}
	if k == groups { // a body with all members helps nobody
		q.w.Header().Set("ETag", r.etag())
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	q.answer(http.StatusOK, r)
	return nil
}

func (q *request) remove(k kind, id string) error {
	st := q.store
	st.mu.Lock()
	defer st.mu.Unlock()
	r, err := q.get(k, id)
	if err != nil {
		return err
	}
	st.remove(r)
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// answer writes one resource as attributes and excludedAttributes ask for it.
func (q *request) answer(status int, r *resource) {
	q.w.Header().Set("ETag", r.etag())
	q.raw(status, q.render(r))
}

// render is the JSON of a resource. Members are left alone when they are not wanted.
func (q *request) render(r *resource) []byte {
	only, without := names(q.query.Get("attributes")), names(q.query.Get("excludedAttributes"))
	core := q.store.core(r, q.base)
	list := "members"
	if r.kind == users {
		list = "groups"
	}
	plain := len(only) == 0 && (len(without) == 0 || len(without) == 1 && without[list])
	wanted := !without[list] && (len(only) == 0 || only[list])
	if plain && (!wanted || len(r.members)+len(r.memberOf) == 0 && r.kind == users) {
		return core
	}
	if plain {
		extra, err := json.Marshal(q.edges(r))
		if err != nil {
			return core
		}
		out := append(make([]byte, 0, len(core)+len(extra)+12), core[:len(core)-1]...)
		return append(append(append(out, `,"`+list+`":`...), extra...), '}')
	}
	var m map[string]any
	if err := json.Unmarshal(core, &m); err != nil {
		return core
	}
	if wanted {
		m[list] = q.edges(r)
	}
	for _, k := range sortedKeys(m) {
		low := strings.ToLower(k)
		if low == "id" || low == "schemas" {
			continue
		}
		m[k] = project(m[k], low, only, without)
		if m[k] == nil {
			delete(m, k)
		}
	}
	data, err := json.Marshal(m)
	if err != nil {
		return core
	}
	return data
}

// names reads a comma-separated list of attribute names, folded, core URNs left out.
func names(list string) map[string]bool {
	out := map[string]bool{}
	for _, n := range strings.Split(list, ",") {
		if n = strings.TrimSpace(n); n != "" {
			out[strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(n, urnUser+":"), urnGroup+":"))] = true
		}
	}
	return out
}

// project applies attributes and excludedAttributes to one attribute; sub-attributes are named with a dot, those of
// extensions with a colon.
func project(v any, low string, only, without map[string]bool) any {
	sep := "."
	if strings.HasPrefix(low, "urn:") {
		sep = ":"
	}
	if without[low] {
		return nil
	}
	subs := func(set map[string]bool) bool {
		for n := range set {
			if strings.HasPrefix(n, low+sep) {
				return true
			}
		}
		return false
	}
	if len(only) > 0 && !only[low] {
		if !subs(only) {
			return nil
		}
		return pick(v, func(k string) bool { return only[low+sep+strings.ToLower(k)] })
	}
	if subs(without) {
		return pick(v, func(k string) bool { return !without[low+sep+strings.ToLower(k)] })
	}
	return v
}

func pick(v any, keep func(string) bool) any {
	switch x := v.(type) {
	case []any:
		for i := range x {
			x[i] = pick(x[i], keep)
		}
		return x
	case map[string]any:
		for k := range x {
			if !keep(k) {
				delete(x, k)
			}
		}
		if len(x) == 0 {
			return nil
		}
		return x
	}
	return v
}

// edges lists the members of a group, or the groups of a user.
func (q *request) edges(r *resource) []map[string]any {
	list := []map[string]any{}
	if r.kind == groups {
		for _, id := range r.memberIDs() {
			kind := users
			if m := q.store.byID[id]; m != nil {
				kind = m.kind
			}
			list = append(list, map[string]any{"value": id, "$ref": q.base + "/" + kind.path() + "/" + id, "type": kind.String()})
		}
		return list
	}
	ids := make([]string, 0, len(r.memberOf))
	for id := range r.memberOf {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		e := map[string]any{"value": id, "$ref": q.base + "/Groups/" + id, "type": "direct"}
		if g := q.store.byID[id]; g != nil {
			e["display"] = g.doc["displayName"]
		}
		list = append(list, e)
	}
	return list
}
