package target

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// In the file:
//
//	target
//	  <store>
//	    r<id>                 -> a resource without members: its type (u or g), then as varints of encoding/binary its
//	                             creation number, the seconds since 1970 at which it was made and last changed, and its
//	                             version, then its attributes as JSON
//	    m<group id><member id> -> order of the member, decimal
//	    d<id>                 -> "": an id that was deleted and is not given again
var bucketTarget = []byte("target")

const idLength = 36

// load reads every store of the file.
func (s *Server) load() error {
	return s.opt.DB.View(func(tx *bbolt.Tx) error {
		root := tx.Bucket(bucketTarget)
		if root == nil {
			return nil
		}
		return root.ForEachBucket(func(name []byte) error {
			st := newStore(s, string(name))
			if err := st.load(root.Bucket(name)); err != nil {
				return fmt.Errorf("data file: target %s: %w", name, err)
			}
			st.used.Store(true)
			s.stores[st.name] = st
			return nil
		})
	})
}

func (s *Store) load(b *bbolt.Bucket) error {
	var list []*resource
	type edge struct {
		group, member uuid.UUID
		order         uint64
	}
	var edges []edge
	err := b.ForEach(func(k, v []byte) error {
		switch k[0] {
		case 'r':
			r, err := unpack(k, v)
			if err != nil {
				return err
			}
			list = append(list, r)
		case 'm':
			e := edge{}
			var errs [3]error
			e.group, errs[0] = uuid.ParseBytes(k[1 : 1+idLength])
			e.member, errs[1] = uuid.ParseBytes(k[1+idLength:])
			e.order, errs[2] = strconv.ParseUint(string(v), 10, 64)
			if err := errors.Join(errs[:]...); err != nil {
				return err
			}
			edges = append(edges, e)
		case 'd':
			id, err := uuid.ParseBytes(k[1:])
			if err != nil {
				return err
			}
			s.dead[id] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	sort.Slice(list, func(i, k int) bool { return list[i].num < list[k].num })
	for _, r := range list {
		s.last = max(s.last, r.num)
		s.place(r)
	}
	for _, e := range edges {
		g, m := s.byID[e.group], s.byID[e.member]
		if g == nil || m == nil {
			return fmt.Errorf("%s is a member of %s, and one of them is not there", e.member, e.group)
		}
		if g.members == nil {
			g.members = map[*resource]uint64{}
		}
		g.next = max(g.next, e.order)
		g.members[m] = e.order
		m.groups = append(m.groups, g)
	}
	return nil
}

func unpack(k, v []byte) (*resource, error) {
	id, err := uuid.ParseBytes(k[1:])
	if err != nil {
		return nil, err
	}
	r := &resource{id: id}
	if v[0] == groups.letter() {
		r.kind = groups
	}
	var fields [4]int64
	rest := v[1:]
	for i := range fields {
		n := 0
		if fields[i], n = binary.Varint(rest); n <= 0 {
			return nil, fmt.Errorf("resource %s can't be read", id)
		}
		rest = rest[n:]
	}
	r.num, r.created, r.modified, r.version = uint64(fields[0]), fields[1], fields[2], int(fields[3])
	if !json.Valid(rest) {
		return nil, fmt.Errorf("resource %s has attributes that are no JSON", id)
	}
	r.doc = bytes.Clone(rest)
	return r, nil
}

func (r *resource) pack() []byte {
	b := append(make([]byte, 0, len(r.doc)+32), r.kind.letter())
	for _, n := range []int64{int64(r.num), r.created, r.modified, int64(r.version)} {
		b = binary.AppendVarint(b, n)
	}
	return append(b, r.doc...)
}

// Dirty reports whether something is not in the file yet.
func (s *Server) Dirty() bool {
	for _, st := range s.all() {
		st.mu.RLock()
		n := len(st.dirty) > 0 || st.wiped > 0
		st.mu.RUnlock()
		if n {
			return true
		}
	}
	return false
}

// FlushNow writes what is not in the file yet in a transaction of its own.
func (s *Server) FlushNow() error {
	if s.opt.DB == nil || !s.Dirty() {
		return nil
	}
	return s.opt.DB.Update(s.Flush)
}

// Flush writes what is not in the file yet into tx. Requests go on meanwhile; what they change comes with the next flush.
// Marks are cleared only when tx commits.
func (s *Server) Flush(tx *bbolt.Tx) error {
	if s.opt.DB == nil {
		return nil
	}
	for _, st := range s.all() {
		if err := st.flush(tx); err != nil {
			return err
		}
	}
	return nil
}

// batch is what a flush writes: keys with the generations of their changes, their values (nil for what is gone), and
// whether the store was reset before.
type batch struct {
	marks  map[string]uint64
	values map[string][]byte
	wiped  uint64
}

func (s *Store) flush(tx *bbolt.Tx) error {
	p := s.pending()
	if len(p.marks) == 0 && p.wiped == 0 {
		return nil
	}
	root, err := tx.CreateBucketIfNotExists(bucketTarget)
	if err != nil {
		return err
	}
	if p.wiped > 0 {
		if err := root.DeleteBucket([]byte(s.name)); err != nil && !errors.Is(err, berrors.ErrBucketNotFound) {
			return err
		}
	}
	if len(p.marks) > 0 { // a store that was emptied leaves nothing in the file
		if err := p.write(root, s.name); err != nil {
			return err
		}
	}
	tx.OnCommit(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for k, gen := range p.marks {
			if s.dirty[k] == gen {
				delete(s.dirty, k)
			}
		}
		if s.wiped == p.wiped {
			s.wiped = 0
		}
	})
	return nil
}

func (p *batch) write(root *bbolt.Bucket, store string) error {
	b, err := root.CreateBucketIfNotExists([]byte(store))
	if err != nil {
		return err
	}
	keys := make([]string, 0, len(p.marks))
	for k := range p.marks {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		if v := p.values[k]; v != nil {
			err = b.Put([]byte(k), v)
		} else {
			err = b.Delete([]byte(k))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pending copies what changed.
func (s *Store) pending() batch {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := batch{make(map[string]uint64, len(s.dirty)), make(map[string][]byte, len(s.dirty)), s.wiped}
	for k, gen := range s.dirty {
		p.marks[k] = gen
		switch k[0] {
		case 'r':
			if r := s.lookup(k[1:]); r != nil {
				p.values[k] = r.pack()
			}
		case 'm':
			if g, m := s.lookup(k[1:1+idLength]), s.lookup(k[1+idLength:]); g != nil && m != nil {
				if n, ok := g.members[m]; ok {
					p.values[k] = strconv.AppendUint(nil, n, 10)
				}
			}
		case 'd':
			p.values[k] = []byte{}
		}
	}
	return p
}

// validName reports whether a store may be called so: 1 to 64 lower-case letters, digits and hyphens.
func validName(name string) bool {
	return len(name) > 0 && len(name) <= 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
