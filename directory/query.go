package directory

import (
	"bytes"
	"encoding/base64"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
)

// Page is a part of a list. Next is an opaque cursor, empty behind the last part.
type Page[T any] struct {
	Items []T
	Next  string
}

// Query selects live objects, in the order of their creation unless it says otherwise.
type Query struct {
	Prefix     string // of displayName, mail or userPrincipalName, without regard to case; the order is by what matched
	Exact      bool   // Prefix is the whole of one of them
	ByName     bool   // in the order of displayName; Prefix then is of displayName alone
	ByUPN      bool   // of users: in the order of userPrincipalName; without Prefix
	Descending bool
	Cursor     string // Next of the page before
	Limit      int    // 0: 100
	// Filters that walk: they pass over objects in between.
	AccountEnabled *bool
	UserType       string
	Department     string
}

func makeCursor(k []byte) string { return base64.RawURLEncoding.EncodeToString(k) }

// parseCursor decodes a cursor of a list whose keys begin with prefix.
func parseCursor(text string, prefix []byte) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	k, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(k) == 0 || len(k) > bbolt.MaxKeySize || !bytes.HasPrefix(k, prefix) {
		return nil, &Error{Code: Invalid, Property: "cursor", Message: "The page token is none of this list.", Hint: "Start again without it."}
	}
	return k, nil
}

func guidText(k []byte) string {
	u, err := uuid.FromBytes(k)
	if err != nil {
		return ""
	}
	return u.String()
}

// Users lists live users.
func (s *Store) Users(q Query) (Page[User], error) {
	return list(s, q, KindUser, func(u *User) bool {
		return (q.AccountEnabled == nil || u.AccountEnabled == *q.AccountEnabled) && (q.UserType == "" || u.UserType == q.UserType) &&
			(q.Department == "" || u.Department == q.Department)
	})
}

// Groups lists live groups.
func (s *Store) Groups(q Query) (Page[Group], error) {
	return list(s, q, KindGroup, func(*Group) bool { return true })
}

// ServicePrincipals lists the enterprise applications.
func (s *Store) ServicePrincipals(q Query) (Page[ServicePrincipal], error) {
	return s.FilterServicePrincipals(q, func(*ServicePrincipal) bool { return true })
}

// list seeks to where the cursor points and reads on from there; what lies before is not walked.
func list[T any](s *Store, q Query, kind Kind, keep func(*T) bool) (Page[T], error) {
	r := span{bucket: liveBucket[kind], descending: q.Descending}
	switch {
	case q.Prefix != "":
		r.bucket, r.prefix = bucketNames, namePrefix(kind, q.Prefix)
		if q.Exact {
			r.prefix = append(r.prefix, 0)
		}
	case q.ByName:
		r.bucket, r.prefix = bucketNames, []byte{byte(kind)}
	case q.ByUPN && kind == KindUser:
		r.bucket = bucketUPN
	}
	return walk(s, r, q.Cursor, q.Limit, func(t *txn, k []byte) (v T, ok bool, err error) {
		var n uint64
		if q.ByUPN && kind == KindUser && q.Prefix == "" && !q.ByName {
			n = num(t.in(bucketUPN).Get(k))
		} else {
			n = num(k[len(k)-8:])
		}
		p, ok, err := load[T](t, n)
		if err != nil || !ok || !keep(p) {
			return v, false, err
		}
		if r.prefix != nil {
			texts := namesOf(p)
			if q.ByName {
				texts = texts[:1]
			}
			ok = bytes.Equal(k, bestKey(kind, texts, n, r))
		}
		return *p, ok, nil
	})
}

// span is a range of keys, read up or down.
type span struct {
	bucket, prefix []byte
	descending     bool
}

// first is the cursor's first key: behind the key after, if there is one.
func (r span) first(c *bbolt.Cursor, after []byte) (k []byte) {
	switch {
	case r.descending:
		limit := after
		if limit == nil {
			limit = successor(r.prefix)
		}
		if limit != nil {
			if k, _ = c.Seek(limit); k != nil {
				k, _ = c.Prev()
				return k
			}
		}
		k, _ = c.Last()
	case after != nil:
		if k, _ = c.Seek(after); bytes.Equal(k, after) {
			k, _ = c.Next()
		}
	default:
		k, _ = c.Seek(r.prefix)
	}
	return k
}

// successor is the least key behind all that begin with prefix, nil when there is none.
func successor(prefix []byte) []byte {
	next := bytes.Clone(prefix)
	for i := len(next) - 1; i >= 0; i-- {
		if next[i]++; next[i] != 0 {
			return next[:i+1]
		}
	}
	return nil
}

// walk makes a page of the keys of a span that get turns into items.
func walk[T any](s *Store, r span, cursor string, limit int, get func(t *txn, k []byte) (T, bool, error)) (Page[T], error) {
	var page Page[T]
	if limit <= 0 {
		limit = 100
	}
	after, err := parseCursor(cursor, r.prefix)
	if err != nil {
		return page, err
	}
	err = s.read(func(t *txn) error {
		c := t.in(r.bucket).Cursor()
		step := c.Next
		if r.descending {
			step = c.Prev
		}
		var last []byte
		for k := r.first(c, after); k != nil && bytes.HasPrefix(k, r.prefix); k, _ = step() {
			item, ok, err := get(t, k)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if len(page.Items) == limit {
				page.Next = makeCursor(last)
				return nil
			}
			page.Items = append(page.Items, item)
			last = k
		}
		return nil
	})
	return page, err
}

func namesOf(v any) []string {
	switch x := v.(type) {
	case *User:
		return x.names()
	case *Group:
		return x.names()
	case *ServicePrincipal:
		return x.names()
	}
	return nil
}

// bestKey is the key under which an object appears in a search: of those that match, the first in reading order. So an
// object that matches by several of its names appears once, on whatever page that is.
func bestKey(kind Kind, texts []string, n uint64, r span) (best []byte) {
	for _, text := range texts {
		k := nameKey(kind, text, n)
		if text == "" || !bytes.HasPrefix(k, r.prefix) {
			continue
		}
		if best == nil || (bytes.Compare(k, best) < 0) != r.descending {
			best = k
		}
	}
	return best
}

func get[T any](s *Store, id string, kind Kind) (T, error) {
	var out T
	err := s.read(func(t *txn) error {
		o, err := t.find(id, kind)
		if err != nil {
			return err
		}
		v, _, err := load[T](t, o.Num)
		if err == nil {
			out = *v
		}
		return err
	})
	return out, err
}

// User returns a live user by id or userPrincipalName.
func (s *Store) User(id string) (User, error) { return get[User](s, id, KindUser) }

// Group returns a live group by id.
func (s *Store) Group(id string) (Group, error) { return get[Group](s, id, KindGroup) }

// Object returns what all kinds have in common, of a live object.
func (s *Store) Object(id string) (o Object, err error) {
	err = s.read(func(t *txn) error {
		o, err = t.find(id)
		return err
	})
	return o, err
}

// Manager returns a user's manager; ok is false when there is none.
func (s *Store) Manager(user string) (manager Object, ok bool, err error) {
	err = s.read(func(t *txn) error {
		o, err := t.find(user, KindUser)
		if err != nil {
			return err
		}
		u, _, err := load[User](t, o.Num)
		if err != nil || u.ManagerNum == 0 {
			return err
		}
		manager, ok, err = t.object(u.ManagerNum)
		ok = ok && manager.State == Live
		return err
	})
	return manager, ok, err
}

// Members lists the live members of a group.
func (s *Store) Members(group, cursor string, limit int) (Page[Object], error) {
	return s.related(group, KindGroup, bucketMembers, cursor, limit)
}

// MemberOf lists the live groups that a user or group is an immediate member of.
func (s *Store) MemberOf(id string) ([]Object, error) {
	p, err := s.related(id, 0, bucketMemberOf, "", 1<<20)
	return p.Items, err
}

// DirectReports lists the live users whose manager a user is.
func (s *Store) DirectReports(id string) ([]Object, error) {
	p, err := s.related(id, KindUser, bucketReports, "", 1<<20)
	return p.Items, err
}

func (s *Store) related(id string, kind Kind, bucket []byte, cursor string, limit int) (Page[Object], error) {
	return relatedPage(s, id, kind, bucket, cursor, limit, func(t *txn, k []byte) (Object, bool, error) {
		o, ok, err := t.object(num(k[8:]))
		return o, ok && o.State == Live, err
	})
}

// relatedPage lists what is connected with a live object; kind 0 is any.
func relatedPage[T any](s *Store, id string, kind Kind, bucket []byte, cursor string, limit int, get func(t *txn, k []byte) (T, bool, error)) (Page[T], error) {
	var o Object
	if err := s.read(func(t *txn) (err error) {
		if kind == 0 {
			o, err = t.find(id)
		} else {
			o, err = t.find(id, kind)
		}
		return err
	}); err != nil {
		return Page[T]{}, err
	}
	return walk(s, span{bucket: bucket, prefix: key(o.Num)}, cursor, limit, get)
}

// MemberCount counts the live members of a group without reading them; at limit it stops.
func (s *Store) MemberCount(group string, limit int) (n int, err error) {
	err = s.read(func(t *txn) error {
		o, err := t.find(group, KindGroup)
		if err != nil {
			return err
		}
		c := t.in(bucketMembers).Cursor()
		for k, _ := c.Seek(key(o.Num)); k != nil && num(k) == o.Num && n < limit; k, _ = c.Next() {
			if t.in(bucketUsers).Get(k[8:]) != nil || t.in(bucketGroups).Get(k[8:]) != nil {
				n++
			}
		}
		return nil
	})
	return n, err
}

// Counts are the sizes of the directory.
type Counts struct {
	Users, Groups, DisabledUsers, Guests, DeletedUsers, DeletedGroups, ServicePrincipals int
}

// Counts returns the sizes without walking anything.
func (s *Store) Counts() (c Counts) {
	if err := s.read(func(t *txn) error {
		c = Counts{Users: t.countOf("users"), Groups: t.countOf("groups"), DisabledUsers: t.countOf("disabled"), Guests: t.countOf("guests"),
			DeletedUsers: t.countOf("deleted User"), DeletedGroups: t.countOf("deleted Group"), ServicePrincipals: t.countOf("principals") - t.countOf("bare")}
		return nil
	}); err != nil {
		return Counts{}
	}
	return c
}
