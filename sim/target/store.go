// Package target is the embedded SCIM 2.0 server (RFC 7643, RFC 7644): users and groups in named stores, kept in memory
// and, when it is given a file, in bbolt. It takes what Entra sends as the best real servers do, refuses what is plainly
// wrong, and notes every leniency that it had to use.
//
// store.go holds the data, persist.go writes it, document.go checks and normalises what comes in, patch.go and filter.go
// are the two small languages of SCIM, server.go is HTTP. The package imports no other room. Start reading at Server.
package target

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// kind is a resource type: 'u' or 'g'.
type kind byte

const (
	users  kind = 'u'
	groups kind = 'g'
)

func (k kind) String() string {
	if k == groups {
		return "Group"
	}
	return "User"
}

func (k kind) path() string {
	if k == groups {
		return "Groups"
	}
	return "Users"
}

// resource is one user or group. doc holds its attributes by canonical name, without id, meta, groups and members.
type resource struct {
	kind     kind
	id       string
	num      uint64 // creation number in its store
	doc      map[string]any
	created  time.Time
	modified time.Time
	version  int

	members  map[string]uint64 // of a group: id of the member -> order
	next     uint64
	memberOf map[string]bool // of a user or group: ids of groups
	cached   []byte          // JSON of the document without members and groups; nil: not made yet
}

// Store is one set of users and groups. It is safe for concurrent use.
type Store struct {
	server *Server
	name   string

	mu       sync.RWMutex
	byID     map[string]*resource
	list     map[kind][]*resource // in creation order; nil where one was deleted
	live     map[kind]int
	names    map[kind]map[string]map[*resource]bool // attribute and folded value -> resources
	userName map[string]*resource
	seen     map[string]int // how often an id was asked for
	last     uint64
	lenient  map[string]*Leniency

	dirty map[string]uint64 // persistence keys that changed -> generation
	gen   uint64
}

// Leniency is something that the store accepted though the standard asks for more.
type Leniency struct {
	Kind    string    `json:"kind"`
	Text    string    `json:"text"`
	Example string    `json:"example"`
	Count   int       `json:"count"`
	Last    time.Time `json:"last"`
}

func newStore(s *Server, name string) *Store {
	st := &Store{server: s, name: name}
	st.clear()
	return st
}

func (s *Store) clear() {
	s.byID = map[string]*resource{}
	s.list = map[kind][]*resource{}
	s.live = map[kind]int{}
	s.names = map[kind]map[string]map[*resource]bool{users: {}, groups: {}}
	s.userName = map[string]*resource{}
	s.seen = map[string]int{}
	s.lenient = map[string]*Leniency{}
	s.last = 0
	s.dirty = map[string]uint64{}
}

var leniencies = map[string]string{
	"opCase":              "an operation of a PATCH was capitalised; RFC 7644 § 3.5.2 has add, replace, remove",
	"stringBoolean":       "a Boolean came as text",
	"valueListRemove":     "members were removed by a list of values, which RFC 7644 would read as removing them all",
	"dottedKeys":          "a PATCH without path had dotted or URN keys",
	"createFromFilter":    "a PATCH with a filter had no element to change, and one was made from the filter",
	"managerAsString":     "manager came as bare text",
	"managerFilterRemove": "a value filter was used on the single-valued manager",
	"unknownAttribute":    "an attribute that no schema has was left out",
	"unlistedSchema":      "an extension came that is not listed in schemas",
	"contentType":         "a body came without application/scim+json",
}

// note counts a leniency; the store is locked.
func (s *Store) note(kind, example string) {
	l := s.lenient[kind]
	if l == nil {
		l = &Leniency{Kind: kind, Text: leniencies[kind]}
		s.lenient[kind] = l
	}
	l.Count++
	l.Example, l.Last = example, s.server.now()
}

// Leniencies lists what the store put up with, by kind.
func (s *Store) Leniencies() []Leniency {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]Leniency, 0, len(s.lenient))
	for _, l := range s.lenient {
		list = append(list, *l)
	}
	sort.Slice(list, func(i, k int) bool { return list[i].Kind < list[k].Kind })
	return list
}

// Name is the store's name.
func (s *Store) Name() string { return s.name }

// Counts returns how many users and groups there are.
func (s *Store) Counts() (userCount, groupCount int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.live[users], s.live[groups]
}

// newID derives an id from the store, the type, what names the resource, and how often that was seen; s.mu is held.
func (s *Store) newID(k kind, doc map[string]any) string {
	owner, _ := doc["externalId"].(string)
	if owner == "" {
		if owner, _ = doc["userName"].(string); k == groups {
			owner, _ = doc["displayName"].(string)
		}
	}
	key := string(k) + "\x00" + owner
	for {
		n := s.seen[key]
		s.seen[key] = n + 1
		s.touch("s" + key)
		h := sha256.New()
		var seed [8]byte
		binary.BigEndian.PutUint64(seed[:], uint64(s.server.opt.Seed))
		h.Write(seed[:])
		fmt.Fprintf(h, "%s\x00%s\x00%d", s.name, key, n)
		var id uuid.UUID
		copy(id[:], h.Sum(nil))
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
		if s.byID[id.String()] == nil {
			return id.String()
		}
	}
}

// touch marks a persistence key as changed; s.mu is held.
func (s *Store) touch(key string) {
	if s.server.opt.DB != nil {
		s.gen++
		s.dirty[key] = s.gen
	}
}

// changed marks a resource as changed.
func (s *Store) changed(r *resource) {
	r.cached = nil
	s.touch("r" + r.id)
}

// indexed are the attributes that a query for equality finds without a walk.
func indexed(r *resource) []string {
	var keys []string
	add := func(name string, v any) {
		if t, ok := v.(string); ok && t != "" {
			keys = append(keys, name+"\x00"+strings.ToLower(t))
		}
	}
	add("username", r.doc["userName"])
	add("externalid", r.doc["externalId"])
	add("displayname", r.doc["displayName"])
	for _, e := range asList(r.doc["emails"]) {
		add("emails.value", e["value"])
	}
	return keys
}

func asList(v any) []map[string]any {
	var out []map[string]any
	if l, ok := v.([]any); ok {
		for _, e := range l {
			if m, ok := e.(map[string]any); ok {
				out = append(out, m)
			}
		}
	}
	return out
}

func (s *Store) index(r *resource, add bool) {
	by := s.names[r.kind]
	for _, k := range indexed(r) {
		if add {
			if by[k] == nil {
				by[k] = map[*resource]bool{}
			}
			by[k][r] = true
			continue
		}
		delete(by[k], r)
		if len(by[k]) == 0 {
			delete(by, k)
		}
	}
	if name, ok := r.doc["userName"].(string); ok && r.kind == users {
		if add {
			s.userName[strings.ToLower(name)] = r
		} else if s.userName[strings.ToLower(name)] == r {
			delete(s.userName, strings.ToLower(name))
		}
	}
}

// insert puts a new resource into the lists; s.mu is held.
func (s *Store) insert(r *resource) {
	s.last++
	r.num = s.last
	s.place(r)
}

func (s *Store) place(r *resource) {
	s.byID[r.id] = r
	s.list[r.kind] = append(s.list[r.kind], r)
	s.live[r.kind]++
	s.index(r, true)
}

// remove takes a resource out, and out of every group.
func (s *Store) remove(r *resource) {
	s.index(r, false)
	delete(s.byID, r.id)
	l := s.list[r.kind]
	i := sort.Search(len(l), func(i int) bool { return numAt(l, i) >= r.num })
	for ; i < len(l); i++ {
		if l[i] == r {
			l[i] = nil
			break
		}
	}
	s.live[r.kind]--
	if len(l) > 64 && s.live[r.kind] < len(l)/2 {
		kept := l[:0]
		for _, x := range l {
			if x != nil {
				kept = append(kept, x)
			}
		}
		s.list[r.kind] = kept
	}
	for id := range r.memberOf {
		if g := s.byID[id]; g != nil {
			s.leave(g, r.id)
		}
	}
	for id := range r.members {
		if m := s.byID[id]; m != nil {
			delete(m.memberOf, r.id)
		}
		s.touch("m" + r.id + id)
	}
	s.touch("r" + r.id)
}

// numAt is the creation number at a place, for a search in a list with gaps.
func numAt(l []*resource, i int) uint64 {
	for ; i < len(l); i++ {
		if l[i] != nil {
			return l[i].num
		}
	}
	return ^uint64(0)
}

func (s *Store) join(g *resource, id string) bool {
	if _, ok := g.members[id]; ok {
		return false
	}
	if g.members == nil {
		g.members = map[string]uint64{}
	}
	g.next++
	g.members[id] = g.next
	if m := s.byID[id]; m != nil {
		if m.memberOf == nil {
			m.memberOf = map[string]bool{}
		}
		m.memberOf[g.id] = true
	}
	s.touch("m" + g.id + id)
	return true
}

func (s *Store) leave(g *resource, id string) bool {
	if _, ok := g.members[id]; !ok {
		return false
	}
	delete(g.members, id)
	if m := s.byID[id]; m != nil {
		delete(m.memberOf, g.id)
	}
	s.touch("m" + g.id + id)
	return true
}

// memberIDs lists a group's members in the order in which they came.
func (r *resource) memberIDs() []string {
	ids := make([]string, 0, len(r.members))
	for id := range r.members {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, k int) bool { return r.members[ids[i]] < r.members[ids[k]] })
	return ids
}

// etag is the version of a resource as a weak entity tag.
func (r *resource) etag() string { return `W/"` + strconv.Itoa(r.version) + `"` }

// core is the JSON of a resource without members and groups.
func (s *Store) core(r *resource, base string) []byte {
	if r.cached == nil {
		m := make(map[string]any, len(r.doc)+3)
		for k, v := range r.doc {
			m[k] = v
		}
		m["id"] = r.id
		m["schemas"] = schemasOf(r)
		m["meta"] = map[string]any{"resourceType": r.kind.String(), "created": r.created.UTC().Format(time.RFC3339), "lastModified": r.modified.UTC().Format(time.RFC3339),
			"location": locationMark + "/" + r.kind.path() + "/" + r.id, "version": r.etag()}
		data, err := json.Marshal(m)
		if err != nil {
			panic(fmt.Sprintf("target: resource %s: %v", r.id, err)) // only values that came from JSON are in it
		}
		r.cached = data
	}
	return bytes.Replace(r.cached, []byte(`"location":"`+locationMark), []byte(`"location":"`+base), 1)
}

// locationMark stands for the base URL, which each request may name differently.
const locationMark = "entrasim-base:"

func schemasOf(r *resource) []string {
	if r.kind == groups {
		return append([]string{urnGroup}, extensionsOf(r)...)
	}
	list := []string{urnUser}
	return append(list, extensionsOf(r)...)
}

func extensionsOf(r *resource) []string {
	var list []string
	for k := range r.doc {
		if strings.HasPrefix(k, "urn:") {
			list = append(list, k)
		}
	}
	sort.Strings(list)
	return list
}

// Resource is a resource for display: its attributes, members left out.
type Resource struct {
	ID       string
	Kind     string // User or Group
	JSON     []byte // without members
	Doc      map[string]any
	Members  int
	Modified time.Time
}

func (s *Store) shown(r *resource, base string) Resource {
	return Resource{ID: r.id, Kind: r.kind.String(), JSON: s.core(r, base), Doc: copyDoc(r.doc), Members: len(r.members), Modified: r.modified}
}

func copyDoc(v map[string]any) map[string]any {
	c := make(map[string]any, len(v))
	for k, x := range v {
		c[k] = copyValue(x)
	}
	return c
}

func copyValue(v any) any {
	switch x := v.(type) {
	case map[string]any:
		return copyDoc(x)
	case []any:
		c := make([]any, len(x))
		for i := range x {
			c[i] = copyValue(x[i])
		}
		return c
	}
	return v
}

// List returns up to limit users ("User") or groups ("Group") behind a position, and the next position, -1 at the end.
func (s *Store) List(of string, position, limit int) (list []Resource, next int) {
	k := users
	if of == "Group" {
		k = groups
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.list[k]
	for i := max(0, position); i < len(l); i++ {
		if l[i] == nil {
			continue
		}
		if len(list) == limit {
			return list, i
		}
		list = append(list, s.shown(l[i], ""))
	}
	return list, -1
}

// Get returns a resource by id.
func (s *Store) Get(id string) (Resource, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.byID[id]
	if r == nil {
		return Resource{}, false
	}
	return s.shown(r, ""), true
}

// Members lists the ids of a group's members.
func (s *Store) Members(id string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.byID[id]; r != nil {
		return r.memberIDs()
	}
	return nil
}

// Delete removes a resource behind the back of whoever provisions it, and reports whether it was there.
func (s *Store) Delete(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.byID[id]
	if r != nil {
		s.remove(r)
	}
	return r != nil
}

// Reset empties the store.
func (s *Store) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	dirty := s.dirty
	for id, r := range s.byID {
		dirty["r"+id] = 0
		for m := range r.members {
			dirty["m"+id+m] = 0
		}
	}
	for k := range s.seen {
		dirty["s"+k] = 0
	}
	s.clear()
	for k := range dirty {
		s.touch(k)
	}
}
