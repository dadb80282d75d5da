// Package target is the embedded SCIM 2.0 server (RFC 7643, RFC 7644): users and groups in named stores, kept in memory
// and, when it is given a file, in bbolt. It takes what Entra sends as the best real servers do, refuses what is plainly
// wrong, and notes every leniency that it had to use.
//
// store.go holds the data, persist.go writes it, schema.go says which attributes there are, parse.go and place.go read
// paths and filters, filter.go, index.go and search.go find, document.go takes whole resources, patch.go reads a PATCH and change.go carries it
// out, resource.go writes answers, server.go is HTTP, faults.go what goes wrong on purpose. The package imports
// no other room. Start reading at Server.
package target

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Store is one set of users and groups. It is safe for concurrent use.
type Store struct {
	server *Server
	name   string
	notes  notes
	used   atomic.Bool // since the server began or was reset

	mu      sync.RWMutex
	byID    map[uuid.UUID]*resource
	list    [2][]*resource // by kind, in creation order; nil where one was deleted
	live    [2]int
	indexes [2]map[string]*index // by place; that of userName is always there
	dead    map[uuid.UUID]bool   // ids of resources that were deleted, which are never given again
	last    uint64

	dirty map[string]uint64 // persistence keys that changed -> generation
	gen   uint64
	wiped uint64 // the generation of a reset that is not in the file yet, 0: none
}

func newStore(s *Server, name string) *Store {
	st := &Store{server: s, name: name}
	st.clear()
	return st
}

func (s *Store) clear() {
	s.byID = map[uuid.UUID]*resource{}
	s.list = [2][]*resource{}
	s.live = [2]int{}
	s.indexes = [2]map[string]*index{{userNamePlace.String(): newIndex(userNamePlace)}, {}}
	s.dead = map[uuid.UUID]bool{}
	s.last = 0
	s.dirty = map[string]uint64{}
}

var userNamePlace = place{attr: userTable["username"]}

// Name is the store's name.
func (s *Store) Name() string { return s.name }

// Counts returns how many users and groups there are.
func (s *Store) Counts() (userCount, groupCount int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.live[users], s.live[groups]
}

// lookup finds a resource by its id; s is locked.
func (s *Store) lookup(id string) *resource {
	key, ok := parseID(id)
	if !ok {
		return nil
	}
	return s.byID[key]
}

// get is lookup for one resource type.
func (s *Store) get(k kind, id string) *resource {
	if r := s.lookup(id); r != nil && r.kind == k {
		return r
	}
	return nil
}

// parseID reads an id as this package writes it: ids are compared with regard to case.
func parseID(id string) (key uuid.UUID, ok bool) {
	if len(id) != idLength {
		return key, false
	}
	for i := range len(id) {
		if id[i] >= 'A' && id[i] <= 'Z' {
			return key, false
		}
	}
	key, err := uuid.Parse(id)
	return key, err == nil
}

// newID derives an id from the seed, the store, the type, what names the resource, and how many were named so before; s is
// locked. An id that was ever given is not given again, so that the first free one tells how many there were.
func (s *Store) newID(k kind, doc map[string]any) uuid.UUID {
	owner, _ := doc["externalId"].(string)
	if owner == "" {
		if owner, _ = doc["userName"].(string); k == groups {
			owner, _ = doc["displayName"].(string)
		}
	}
	seed := binary.BigEndian.AppendUint64(nil, uint64(s.server.opt.Seed))
	for n := 0; ; n++ {
		sum := sha256.Sum256(fmt.Appendf(seed, "%s\x00%c\x00%s\x00%d", s.name, k.letter(), owner, n))
		id := uuid.UUID(sum[:16])
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
		if s.byID[id] == nil && !s.dead[id] {
			return id
		}
	}
}

// touch marks a persistence key as changed; s is locked.
func (s *Store) touch(key string) {
	if s.server.opt.DB != nil {
		s.gen++
		s.dirty[key] = s.gen
	}
}

func resourceKey(id uuid.UUID) string { return "r" + id.String() }

func memberKey(group, member uuid.UUID) string { return "m" + group.String() + member.String() }

func (s *Store) index(r *resource, add bool) {
	for _, x := range s.indexes[r.kind] {
		if add {
			x.add(r)
		} else {
			x.remove(r)
		}
	}
}

// insert puts a new resource into the store; s is locked.
func (s *Store) insert(r *resource) {
	s.last++
	r.num = s.last
	s.place(r)
	s.touch(resourceKey(r.id))
}

func (s *Store) place(r *resource) {
	s.byID[r.id] = r
	s.list[r.kind] = append(s.list[r.kind], r)
	s.live[r.kind]++
	s.index(r, true)
}

// change gives a resource other attributes; s is locked.
func (s *Store) change(r *resource, doc []byte) {
	s.index(r, false)
	r.doc = doc
	s.index(r, true)
}

// modified gives a changed resource its new version; s is locked.
func (s *Store) modified(r *resource) {
	r.modified = s.server.now().Unix()
	r.version++
	s.touch(resourceKey(r.id))
}

// remove takes a resource out, and out of every group; s is locked.
func (s *Store) remove(r *resource) {
	s.index(r, false)
	delete(s.byID, r.id)
	s.dead[r.id] = true
	s.unlist(r)
	for _, g := range slices.Clone(r.groups) {
		s.leave(g, r)
		s.modified(g)
	}
	for m := range r.members {
		s.leave(r, m)
	}
	s.touch(resourceKey(r.id))
	s.touch("d" + r.id.String())
}

func (s *Store) unlist(r *resource) {
	l := s.list[r.kind]
	for i := sort.Search(len(l), func(i int) bool { return numAt(l, i) >= r.num }); i < len(l); i++ {
		if l[i] == r {
			l[i] = nil
			break
		}
	}
	s.live[r.kind]--
	if len(l) > 64 && s.live[r.kind] < len(l)/2 {
		s.list[r.kind] = slices.DeleteFunc(l, func(r *resource) bool { return r == nil })
	}
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

// join makes m a member of g; it reports whether it was none. s is locked.
func (s *Store) join(g, m *resource) bool {
	if _, ok := g.members[m]; ok {
		return false
	}
	if g.members == nil {
		g.members = map[*resource]uint64{}
	}
	g.next++
	g.members[m] = g.next
	m.groups = append(m.groups, g)
	s.touch(memberKey(g.id, m.id))
	return true
}

// leave takes m out of g; it reports whether it was a member. s is locked.
func (s *Store) leave(g, m *resource) bool {
	if _, ok := g.members[m]; !ok {
		return false
	}
	delete(g.members, m)
	if i := slices.Index(m.groups, g); i >= 0 {
		m.groups = slices.Delete(m.groups, i, i+1)
	}
	s.touch(memberKey(g.id, m.id))
	return true
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

func (s *Store) shown(r *resource) Resource {
	doc, err := decode(r.doc)
	if err != nil {
		panic(fmt.Sprintf("target: resource %s: %v", r.id, err)) // encode wrote it
	}
	return Resource{ID: r.id.String(), Kind: r.kind.String(), JSON: s.render(nil, r, "", &projection{}), Doc: doc, Members: len(r.members), Modified: time.Unix(r.modified, 0).UTC()}
}

func copyValue(v any) any {
	switch x := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(x))
		for k, e := range x {
			c[k] = copyValue(e)
		}
		return c
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
	s.mu.RLock()
	defer s.mu.RUnlock()
	l := s.list[k]
	for i := max(0, position); i < len(l); i++ {
		if l[i] == nil {
			continue
		}
		if len(list) == limit {
			return list, i
		}
		list = append(list, s.shown(l[i]))
	}
	return list, -1
}

// Get returns a resource by id.
func (s *Store) Get(id string) (Resource, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.lookup(id)
	if r == nil {
		return Resource{}, false
	}
	return s.shown(r), true
}

// Members lists the ids of a group's members in the order in which they came.
func (s *Store) Members(id string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.lookup(id)
	if r == nil {
		return nil
	}
	ids := make([]string, 0, len(r.members))
	for _, m := range r.memberList() {
		ids = append(ids, m.id.String())
	}
	return ids
}

// Delete removes a resource behind the back of whoever provisions it, and reports whether it was there.
func (s *Store) Delete(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.lookup(id)
	if r != nil {
		s.remove(r)
	}
	return r != nil
}

// Reset empties the store, its list of leniencies too, and lets ids begin anew.
func (s *Store) Reset() {
	s.notes.mu.Lock()
	s.notes.kept = nil
	s.notes.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	if s.server.opt.DB != nil {
		s.gen++
		s.wiped = s.gen
	}
}
