package target

import (
	"hash/maphash"
	"sort"
)

// index finds the resources of one type that may have a value at a place. It keeps hashes, so that what it finds has to be
// compared still; that keeps a million users small.
type index struct {
	place place
	one   map[uint64]*resource   // the first with a hash
	more  map[uint64][]*resource // the others
	wide  bool                   // too many resources share a value: given up
}

// Limits of indexes that queries bring about.
const (
	maxIndexes = 16   // of a resource type
	maxShared  = 1000 // resources with the same value; beyond, a walk is as good
)

// worthIndexing is how many resources are walked without an index. Tests set it.
var worthIndexing = 200

var hashSeed = maphash.MakeSeed()

func newIndex(pl place) *index {
	return &index{place: pl, one: map[uint64]*resource{}, more: map[uint64][]*resource{}}
}

func hashOf(value string) uint64 { return maphash.String(hashSeed, fold(value)) }

// each calls f with the hash of each value, each once.
func (x *index) each(doc []byte, f func(h uint64)) {
	var seen []uint64
	x.place.ends(doc, func(v []byte) bool {
		if v[0] != '"' {
			return true
		}
		h := hashOf(unquote(v))
		for _, s := range seen {
			if s == h {
				return true
			}
		}
		seen = append(seen, h)
		f(h)
		return true
	})
}

func (x *index) add(r *resource) {
	if x.wide {
		return
	}
	x.each(r.doc, func(h uint64) {
		if x.one[h] == nil {
			x.one[h] = r
			return
		}
		x.more[h] = append(x.more[h], r)
		x.wide = x.wide || len(x.more[h]) > maxShared
	})
	if x.wide {
		x.one, x.more = nil, nil
	}
}

func (x *index) remove(r *resource) {
	if x.wide {
		return
	}
	x.each(r.doc, func(h uint64) {
		list := x.more[h]
		if x.one[h] == r {
			if len(list) == 0 {
				delete(x.one, h)
				return
			}
			x.one[h], list[0] = list[0], r
		}
		for i, o := range list {
			if o == r {
				list = append(list[:i], list[i+1:]...)
				break
			}
		}
		if x.more[h] = list; len(list) == 0 {
			delete(x.more, h)
		}
	})
}

// get returns candidates in creation order.
func (x *index) get(value string) []*resource {
	h := hashOf(value)
	r := x.one[h]
	if r == nil {
		return nil
	}
	list := append([]*resource{r}, x.more[h]...)
	sort.Slice(list, func(i, k int) bool { return list[i].num < list[k].num })
	return list
}

// candidates returns the resources that may fulfil one of the lookups, in creation order; ok is false when none of them has
// an index. missing then is one that an index would help. s is locked for reading.
func (s *Store) candidates(k kind, lookups []lookup) (list []*resource, missing *lookup, ok bool) {
	for i := range lookups {
		l := &lookups[i]
		switch name := l.place.attr.name; {
		case name == "id":
			if r := s.get(k, l.value); r != nil {
				return []*resource{r}, nil, true
			}
			return nil, nil, true
		case name == "members" && k == groups && (l.place.sub == nil || l.place.sub.name == "value"):
			if m := s.lookup(fold(l.value)); m != nil {
				return m.groups, nil, true
			}
			return nil, nil, true
		case l.place.attr.readOnly || name == "schemas" || name == "members":
			continue
		}
		if x := s.indexes[k][l.place.String()]; x != nil && !x.wide {
			return x.get(l.value), nil, true
		} else if x == nil && missing == nil {
			missing = l
		}
	}
	return nil, missing, false
}

// addIndex makes an index that a query asked for, when it is worth it; s is locked.
func (s *Store) addIndex(k kind, pl place) {
	if s.live[k] < worthIndexing || len(s.indexes[k]) >= maxIndexes || s.indexes[k][pl.String()] != nil {
		return
	}
	x := newIndex(pl)
	for _, r := range s.list[k] {
		if r != nil && !x.wide {
			x.add(r)
		}
	}
	s.indexes[k][pl.String()] = x
}
