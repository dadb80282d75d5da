package target

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// In the file:
//
//	target
//	  <store>
//	    r<id>                 -> saved: a resource without members
//	    m<group id><member id> -> order of the member, decimal
//	    s<kind>\0<name>       -> how often an id was derived from that name, decimal
var bucketTarget = []byte("target")

const idLength = 36

type saved struct {
	Kind     string         `json:"k"`
	Num      uint64         `json:"n"`
	Created  time.Time      `json:"c"`
	Modified time.Time      `json:"m"`
	Version  int            `json:"v"`
	Doc      map[string]any `json:"d"`
}

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
			s.stores[st.name] = st
			return nil
		})
	})
}

func (s *Store) load(b *bbolt.Bucket) error {
	var list []*resource
	type edge struct {
		group, member string
		order         uint64
	}
	var edges []edge
	err := b.ForEach(func(k, v []byte) error {
		switch k[0] {
		case 'r':
			var r saved
			if err := json.Unmarshal(v, &r); err != nil {
				return err
			}
			list = append(list, &resource{kind: kind(r.Kind[0]), id: string(k[1:]), num: r.Num, doc: r.Doc, created: r.Created, modified: r.Modified, version: r.Version})
		case 'm':
			n, err := strconv.ParseUint(string(v), 10, 64)
			if err != nil {
				return err
			}
			edges = append(edges, edge{string(k[1 : 1+idLength]), string(k[1+idLength:]), n})
		case 's':
			n, err := strconv.Atoi(string(v))
			if err != nil {
				return err
			}
			s.seen[string(k[1:])] = n
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
		g := s.byID[e.group]
		if g == nil {
			continue
		}
		g.next = max(g.next, e.order)
		if g.members == nil {
			g.members = map[string]uint64{}
		}
		g.members[e.member] = e.order
		if m := s.byID[e.member]; m != nil {
			if m.memberOf == nil {
				m.memberOf = map[string]bool{}
			}
			m.memberOf[e.group] = true
		}
	}
	return nil
}

// Dirty reports whether something is not in the file yet.
func (s *Server) Dirty() bool {
	for _, st := range s.all() {
		st.mu.RLock()
		n := len(st.dirty)
		st.mu.RUnlock()
		if n > 0 {
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

func (s *Store) flush(tx *bbolt.Tx) error {
	values, marks, err := s.pending()
	if err != nil || len(marks) == 0 {
		return err
	}
	root, err := tx.CreateBucketIfNotExists(bucketTarget)
	if err != nil {
		return err
	}
	b, err := root.CreateBucketIfNotExists([]byte(s.name))
	if err != nil {
		return err
	}
	keys := make([]string, 0, len(marks))
	for k := range marks {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		if v := values[k]; v != nil {
			err = b.Put([]byte(k), v)
		} else {
			err = b.Delete([]byte(k))
		}
		if err != nil {
			return err
		}
	}
	tx.OnCommit(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for k, gen := range marks {
			if s.dirty[k] == gen {
				delete(s.dirty, k)
			}
		}
	})
	return nil
}

// pending copies what changed: keys with their generations, and their values, nil for what is gone.
func (s *Store) pending() (values map[string][]byte, marks map[string]uint64, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	values, marks = make(map[string][]byte, len(s.dirty)), make(map[string]uint64, len(s.dirty))
	for k, gen := range s.dirty {
		marks[k] = gen
		switch k[0] {
		case 'r':
			r := s.byID[k[1:]]
			if r == nil {
				continue
			}
			data, err := json.Marshal(saved{string(r.kind), r.num, r.created, r.modified, r.version, r.doc})
			if err != nil {
				return nil, nil, err
			}
			values[k] = data
		case 'm':
			if g := s.byID[k[1:1+idLength]]; g != nil {
				if n, ok := g.members[k[1+idLength:]]; ok {
					values[k] = strconv.AppendUint(nil, n, 10)
				}
			}
		case 's':
			if n, ok := s.seen[k[1:]]; ok {
				values[k] = strconv.AppendInt(nil, int64(n), 10)
			}
		}
	}
	return values, marks, nil
}

// validName reports whether a store may be called so: 1 to 64 lower-case letters, digits and hyphens.
func validName(name string) bool {
	return len(name) > 0 && len(name) <= 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
