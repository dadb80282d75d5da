package target

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sosodev/duration"
)

// Fault is something that the target does wrong on purpose. Store, Method, Path and Object say to which requests; absent
// ones match every request. The rest says what happens. Faults whose requests overlap add up; of several that give an
// answer of their own the first one does.
type Fault struct {
	ID string `json:"id"` // given when it is absent
	// Store is the name of a store, Method an HTTP method, Path a glob behind the base URL such as /Users/*, in which a
	// star stands for anything but a slash.
	Store  string `json:"store,omitempty"`
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	// Object is the id, externalId, userName or displayName of the resource that the request is about: by its id in the
	// path, by what its body says, or by the value that its filter asks for.
	Object string   `json:"object,omitempty"`
	Others []string `json:"-"` // further names of the object

	// Status answers with a status instead of carrying the request out. Body then is the answer's, a SCIM error when it is
	// absent; without Status the request is carried out and Body replaces what it would have answered. Headers are added.
	Status  int               `json:"status,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    *string           `json:"body,omitempty"`
	// Delay is how long, on the program's clock, the request waits first: 5s or PT5S.
	Delay Delay `json:"delay,omitempty"`
	// Drop breaks the connection: connect before the request is carried out, answer behind it.
	Drop string `json:"drop,omitempty"`
	// Ignore names query parameters that the target overlooks, such as filter or excludedAttributes.
	Ignore []string `json:"ignore,omitempty"`
	// Duplicate lists each result of a query twice.
	Duplicate bool `json:"duplicate,omitempty"`
	// Hide names attributes that answers leave out, Lower those that they give in lower case, Rewrite those that they give
	// another value: active, name.givenName, urn:…:User:department.
	Hide    []string       `json:"hide,omitempty"`
	Lower   []string       `json:"lower,omitempty"`
	Rewrite map[string]any `json:"rewrite,omitempty"`

	Times       *int     `json:"times"`                 // how often; null is for ever
	Probability *float64 `json:"probability,omitempty"` // of each matching request, 1 when absent
	Hits        int      `json:"hits"`                  // how often so far; set by the target

	matched int // requests that it could have hit, for Probability
}

// Where a dropped connection breaks.
const (
	DropConnect = "connect"
	DropAnswer  = "answer"
)

// Delay is a duration that reads 5s and PT5S.
type Delay time.Duration

// UnmarshalJSON reads a duration; negative ones are refused.
func (d *Delay) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("delay is %s; expected text such as \"5s\"", data)
	}
	v, err := ParseDelay(text)
	*d = v
	return err
}

// MarshalJSON writes the duration as Go does.
func (d Delay) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// ParseDelay reads a duration as Go or ISO 8601 writes it.
func ParseDelay(text string) (Delay, error) {
	v, err := time.ParseDuration(text)
	if err != nil {
		iso, isoErr := duration.Parse(strings.ToUpper(text))
		if isoErr != nil {
			return 0, fmt.Errorf("delay is %q; expected a duration such as 5s or PT5S", text)
		}
		v = iso.ToTimeDuration()
	}
	if v < 0 {
		return 0, fmt.Errorf("delay is %q; a target can't answer before it was asked", text)
	}
	return Delay(v), nil
}

// faults is the list in force.
type faults struct {
	mu   sync.Mutex
	list []*Fault
}

// SetFaults replaces the faults. The error names the first one that can't be; the old ones then stay.
func (s *Server) SetFaults(list []Fault) error {
	next := make([]*Fault, len(list))
	ids := map[string]bool{}
	for i := range list {
		ids[list[i].ID] = true
	}
	n := 0
	for i := range list {
		f := list[i]
		if err := f.check(); err != nil {
			return fmt.Errorf("faults[%d]: %w", i, err)
		}
		for f.ID == "" {
			if n++; !ids[strconv.Itoa(n)] {
				f.ID = strconv.Itoa(n)
			}
		}
		if slices.ContainsFunc(next[:i], func(o *Fault) bool { return o.ID == f.ID }) {
			return fmt.Errorf("faults[%d]: the id %q is used twice", i, f.ID)
		}
		f.Hits, f.matched = 0, 0
		next[i] = &f
	}
	s.faults.mu.Lock()
	s.faults.list = next
	s.faults.mu.Unlock()
	return nil
}

// AddFault puts a fault behind the others, which keep their hits, and returns it with its id. The error says what is wrong
// with it.
func (s *Server) AddFault(f Fault) (Fault, error) {
	if err := f.check(); err != nil {
		return f, err
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	taken := func(id string) bool {
		return slices.ContainsFunc(s.faults.list, func(o *Fault) bool { return o.ID == id })
	}
	if f.ID != "" && taken(f.ID) {
		return f, fmt.Errorf("the id %q is used already", f.ID)
	}
	for n := 1; f.ID == ""; n++ {
		if id := strconv.Itoa(n); !taken(id) {
			f.ID = id
		}
	}
	f.Hits, f.matched = 0, 0
	s.faults.list = append(slices.Clone(s.faults.list), &f)
	return f, nil
}

// RemoveFault takes one fault away and reports whether it was there. The others keep their hits.
func (s *Server) RemoveFault(id string) bool {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	n := len(s.faults.list)
	s.faults.list = slices.DeleteFunc(slices.Clone(s.faults.list), func(o *Fault) bool { return o.ID == id })
	return len(s.faults.list) < n
}

// Faults returns the faults in force with their hits so far.
func (s *Server) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	list := make([]Fault, len(s.faults.list))
	for i, f := range s.faults.list {
		list[i] = *f
	}
	return list
}

func (f *Fault) check() error {
	f.Method = strings.ToUpper(f.Method)
	if f.Path != "" && !strings.HasPrefix(f.Path, "/") {
		f.Path = "/" + f.Path
	}
	_, globErr := path.Match(f.Path, "")
	switch {
	case globErr != nil:
		return fmt.Errorf("path %q is no glob", f.Path)
	case f.Method != "" && !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}, f.Method):
		return fmt.Errorf("method is %q; expected GET, POST, PUT, PATCH, DELETE or HEAD", f.Method)
	case f.Store != "" && !validName(f.Store):
		return fmt.Errorf("store %q is no name of a store: 1 to 64 lower-case letters, digits and hyphens", f.Store)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status is %d; expected 200 to 599", f.Status)
	case f.Drop != "" && f.Drop != DropConnect && f.Drop != DropAnswer:
		return fmt.Errorf("drop is %q; expected connect or answer", f.Drop)
	case f.Delay < 0:
		return errors.New("delay is negative")
	case f.Times != nil && *f.Times < 0:
		return fmt.Errorf("times is %d; expected 0 or more, or null for ever", *f.Times)
	case f.Probability != nil && !(*f.Probability >= 0 && *f.Probability <= 1):
		return fmt.Errorf("probability is %v; expected 0 to 1", *f.Probability)
	case f.Drop != "" && (f.Status != 0 || f.Body != nil || len(f.Headers) > 0):
		return errors.New("a dropped connection has no status, headers or body")
	case f.Status == 0 && len(f.Headers) == 0 && f.Body == nil && f.Delay == 0 && f.Drop == "" && len(f.Ignore)+len(f.Hide)+len(f.Lower)+len(f.Rewrite) == 0 && !f.Duplicate:
		return errors.New("it does nothing: give it a status, headers, a body, a delay, drop, ignore, duplicate, hide, lower or rewrite")
	}
	for name, value := range f.Headers {
		if name == "" || strings.ContainsAny(name, " \t\r\n:") || strings.ContainsAny(value, "\r\n") {
			return fmt.Errorf("headers: %q can't be a header", name)
		}
	}
	return nil
}

// hits takes the faults that a request meets and counts them. Behind one that answers by itself no other is met.
func (s *Server) hits(store, at string, r *http.Request) []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if len(s.faults.list) == 0 {
		return nil
	}
	var names map[string]bool
	var met []Fault
	for _, f := range s.faults.list {
		if f.Store != "" && f.Store != store || f.Method != "" && f.Method != r.Method || f.Times != nil && f.Hits >= *f.Times {
			continue
		}
		if ok, _ := path.Match(f.Path, "/"+strings.Trim(at, "/")); f.Path != "" && !ok { // the glob was checked when it was set
			continue
		}
		if f.Object != "" || len(f.Others) > 0 {
			if names == nil {
				names = s.about(store, at, r)
			}
			if !names[strings.ToLower(f.Object)] && !slices.ContainsFunc(f.Others, func(o string) bool { return names[strings.ToLower(o)] }) {
				continue
			}
		}
		f.matched++
		if f.Probability != nil && chance(s.opt.Seed, f.ID, f.matched) >= *f.Probability {
			continue
		}
		f.Hits++
		met = append(met, *f)
		if f.Status != 0 || f.Drop != "" {
			break
		}
	}
	return met
}

// chance is a number from 0 to below 1, the same for the same arguments.
func chance(seed int64, id string, n int) float64 {
	h := sha256.Sum256(fmt.Appendf(nil, "fault %d %s %d", seed, id, n))
	return float64(binary.BigEndian.Uint64(h[:])>>11) / (1 << 53)
}

var quoted = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)

// about lists, folded, what the request may call its resource. The body stays readable.
func (s *Server) about(store, at string, r *http.Request) map[string]bool {
	names := map[string]bool{}
	add := func(v any) {
		if t, ok := v.(string); ok && t != "" {
			names[strings.ToLower(t)] = true
		}
	}
	fields := func(doc map[string]any) {
		for _, k := range []string{"externalId", "userName", "displayName"} {
			add(doc[k])
		}
	}
	if _, id, ok := strings.Cut(strings.Trim(at, "/"), "/"); ok {
		if plain, err := url.PathUnescape(id); err == nil {
			id = plain
		}
		add(id)
		if st := s.Store(store); st != nil {
			if res, ok := st.Get(id); ok {
				fields(res.Doc)
			}
		}
	}
	for _, m := range quoted.FindAllStringSubmatch(r.URL.Query().Get("filter"), -1) {
		add(m[1])
	}
	if r.Body != nil && r.Method == http.MethodPost {
		data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(data), r.Body))
		var doc map[string]any
		if err == nil && json.Unmarshal(data, &doc) == nil {
			fields(doc)
		}
	}
	return names
}

// faulty answers a request that met faults. carryOut is the target as it should be.
func (s *Server) faulty(w http.ResponseWriter, r *http.Request, met []Fault, carryOut func(http.ResponseWriter, *http.Request)) {
	last := met[len(met)-1]
	for _, f := range met {
		if f.Delay > 0 && s.wait(r.Context(), time.Duration(f.Delay)) != nil {
			return // who asked has gone
		}
	}
	w.Header().Set("Date", s.opt.Now().UTC().Format(http.TimeFormat))
	if last.Drop == DropConnect {
		// Unread, the request would be in the way of the break: the other side may still be writing it.
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxBody)) // it is not carried out, whole or not
		drop(w)
		return
	}
	if last.Status != 0 {
		answer(w, met, last.Status, nil)
		return
	}
	drops := slices.ContainsFunc(met, func(f Fault) bool { return f.Drop != "" })
	held := &heldAnswer{header: http.Header{}, status: http.StatusOK}
	carryOut(held, overlooking(r, met))
	if drops {
		drop(w)
		return
	}
	for k, v := range held.header {
		w.Header()[k] = v
	}
	answer(w, met, held.status, distort(held.body.Bytes(), met))
}

func (s *Server) wait(ctx context.Context, d time.Duration) error {
	if s.opt.Wait != nil {
		return s.opt.Wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answer writes an answer with what the faults say about it. A nil body stands for a SCIM error.
func answer(w http.ResponseWriter, met []Fault, status int, body []byte) {
	if body == nil {
		body = fmt.Appendf(nil, `{"schemas":["%s"],"status":"%d","detail":"a fault was asked for"}`, urnError, status)
		w.Header().Set("Content-Type", "application/scim+json; charset=utf-8")
		if status == http.StatusNoContent || status == http.StatusNotModified {
			body = nil
		}
	}
	for _, f := range met {
		if f.Body != nil {
			body = []byte(*f.Body)
			if strings.HasPrefix(strings.TrimSpace(strings.ToLower(*f.Body)), "<") {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
			}
		}
	}
	for _, f := range met {
		for k, v := range f.Headers {
			w.Header().Set(k, v)
		}
	}
	if status == http.StatusNoContent || status == http.StatusNotModified {
		body = nil
		w.Header().Del("Content-Length")
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client went away: nobody is left to tell
}

// drop breaks the connection behind the first byte of an answer: without it a client may take the connection for one that
// was closed while it was idle, and send the request again by itself.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the server's own way to break off
	}
	defer conn.Close()
	_, _ = conn.Write([]byte("H")) // the client went away: nobody is left to break with
}

// overlooking takes the query parameters out of a request that the faults make the target overlook.
func overlooking(r *http.Request, met []Fault) *http.Request {
	var names []string
	for _, f := range met {
		names = append(names, f.Ignore...)
	}
	if len(names) == 0 {
		return r
	}
	u := *r.URL
	var kept []string
	for _, part := range strings.Split(u.RawQuery, "&") {
		name, _, _ := strings.Cut(part, "=")
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			kept = append(kept, part)
		}
	}
	u.RawQuery = strings.Join(kept, "&")
	again := *r
	again.URL = &u
	return &again
}

// heldAnswer is an answer that is not sent yet.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header         { return h.header }
func (h *heldAnswer) WriteHeader(status int)      { h.status = status }
func (h *heldAnswer) Write(p []byte) (int, error) { return h.body.Write(p) }

// distort changes the resources of an answer as the faults say. What is no resource stays as it is.
func distort(body []byte, met []Fault) []byte {
	wanted := slices.ContainsFunc(met, func(f Fault) bool { return f.Duplicate || len(f.Hide)+len(f.Lower)+len(f.Rewrite) > 0 })
	var doc map[string]any
	if !wanted || json.Unmarshal(body, &doc) != nil {
		return append([]byte{}, body...)
	}
	list, isList := doc["Resources"].([]any)
	resources := list
	if !isList && doc["id"] != nil {
		resources = []any{doc}
	}
	for _, f := range met {
		for _, r := range resources {
			if m, ok := r.(map[string]any); ok {
				f.distort(m)
			}
		}
		if f.Duplicate && isList {
			list = append(slices.Clone(list), list...)
			doc["Resources"], doc["totalResults"], doc["itemsPerPage"] = list, len(list), len(list)
		}
	}
	out, err := json.Marshal(doc)
	if err != nil {
		return body // only what came from JSON, and literals that did, are in it
	}
	return out
}

func (f *Fault) distort(resource map[string]any) {
	for _, name := range f.Hide {
		at(resource, name, func(in map[string]any, key string) { delete(in, key) })
	}
	for _, name := range f.Lower {
		at(resource, name, func(in map[string]any, key string) { in[key] = lower(in[key]) })
	}
	names := make([]string, 0, len(f.Rewrite))
	for name := range f.Rewrite {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		at(resource, name, func(in map[string]any, key string) { in[key] = copyValue(f.Rewrite[name]) })
	}
}

func lower(v any) any {
	switch x := v.(type) {
	case string:
		return strings.ToLower(x)
	case []any:
		for i := range x {
			x[i] = lower(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = lower(x[k])
		}
	}
	return v
}

// at finds an attribute by its path: a name, name.sub, or an extension's URN, a colon and a name. Lists are gone through.
func at(resource map[string]any, name string, do func(in map[string]any, key string)) {
	outer, inner := name, ""
	if strings.HasPrefix(strings.ToLower(name), "urn:") {
		if i := strings.LastIndexByte(name, ':'); hasKey(resource, name[:i]) != "" {
			outer, inner = name[:i], name[i+1:]
		}
	} else {
		outer, inner, _ = strings.Cut(name, ".")
	}
	key := hasKey(resource, outer)
	switch {
	case inner == "":
		if key == "" {
			key = outer
		}
		do(resource, key)
	case key != "":
		parts, ok := resource[key].([]any)
		if !ok {
			parts = []any{resource[key]}
		}
		for _, p := range parts {
			if m, ok := p.(map[string]any); ok {
				k := hasKey(m, inner)
				if k == "" {
					k = inner
				}
				do(m, k)
			}
		}
	}
}

func hasKey(m map[string]any, name string) string {
	for k := range m {
		if strings.EqualFold(k, name) {
			return k
		}
	}
	return ""
}
