package directory

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/google/uuid"
)

// Page is a part of a list. Next is an opaque cursor, empty behind the last part.
type Page[T any] struct {
	Items []T
	Next  string
}

// Query selects live objects. With a Prefix the order is by what matched; otherwise it is that of creation.
type Query struct {
	Prefix     string // of displayName, mail or userPrincipalName, without regard to case
	Cursor     string
	Limit      int  // 0: 100
	Descending bool // newest first; without Prefix only
	// Filters that walk: they pass over objects in between.
	AccountEnabled *bool
	UserType       string
	Department     string
}

func makeCursor(k []byte) string { return base64.RawURLEncoding.EncodeToString(k) }

func parseCursor(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	k, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(k) == 0 {
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
	return list(s, q, KindServicePrincipal, func(*ServicePrincipal) bool { return true })
}

// list seeks to where the cursor points and reads on from there; what lies before is not walked.
func list[T any](s *Store, q Query, kind Kind, keep func(*T) bool) (Page[T], error) {
	var page Page[T]
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	after, err := parseCursor(q.Cursor)
	if err != nil {
		return page, err
	}
	err = s.read(func(t *txn) error {
		bucket, prefix := liveBucket[kind], []byte(nil)
		if q.Prefix != "" {
			bucket, prefix = bucketNames, namePrefix(kind, q.Prefix)
		}
		c := t.in(bucket).Cursor()
		step := c.Next
		var k []byte
		switch {
		case q.Descending && prefix == nil:
			step = c.Prev
			if after == nil {
				k, _ = c.Last()
			} else if k, _ = c.Seek(after); k == nil {
				k, _ = c.Last()
			} else {
				k, _ = c.Prev()
			}
		case after != nil:
			if k, _ = c.Seek(after); bytes.Equal(k, after) {
				k, _ = c.Next()
			}
		default:
			k, _ = c.Seek(prefix)
		}
		seen := map[uint64]bool{} // an object can match by several of its names
		for ; k != nil && bytes.HasPrefix(k, prefix); k, _ = step() {
			n := binary.BigEndian.Uint64(k[len(k)-8:])
			if seen[n] {
				continue
			}
			v, ok, err := load[T](t, n)
			if err != nil {
				return err
			}
			if !ok || !keep(v) {
				continue
			}
			if prefix != nil {
				// Another page may have shown it under a name that sorts before.
				if first := firstName(v, kind, prefix, n); first != nil && bytes.Compare(first, k) < 0 {
					continue
				}
				seen[n] = true
			}
			if len(page.Items) == limit {
				return nil
			}
			page.Items = append(page.Items, *v)
			page.Next = makeCursor(k)
		}
		page.Next = ""
		return nil
	})
	return page, err
}

// firstName is the first key under which an object matches a prefix.
func firstName(v any, kind Kind, prefix []byte, n uint64) []byte {
	var names []string
	switch x := v.(type) {
	case *User:
		names = x.names()
	case *Group:
		names = x.names()
	case *ServicePrincipal:
		names = x.names()
	}
	var keys [][]byte
	for _, name := range names {
		if k := nameKey(kind, name, n); name != "" && bytes.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return slices.MinFunc(keys, bytes.Compare)
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
	var page Page[Object]
	if limit <= 0 {
		limit = 100
	}
	after, err := parseCursor(cursor)
	if err != nil {
		return page, err
	}
	err = s.read(func(t *txn) error {
		var o Object
		if kind == 0 {
			o, err = t.find(id)
		} else {
			o, err = t.find(id, kind)
		}
		if err != nil {
			return err
		}
		c := t.in(bucket).Cursor()
		k, _ := c.Seek(key(o.Num))
		if after != nil {
			if k, _ = c.Seek(after); bytes.Equal(k, after) {
				k, _ = c.Next()
			}
		}
		for ; k != nil && num(k) == o.Num; k, _ = c.Next() {
			other, ok, err := t.object(num(k[8:]))
			if err != nil {
				return err
			}
			if !ok || other.State != Live {
				continue
			}
			if len(page.Items) == limit {
				return nil
			}
			page.Items = append(page.Items, other)
			page.Next = makeCursor(k)
		}
		page.Next = ""
		return nil
	})
	return page, err
}

// MemberCount counts the memberships of a group, hidden ones of deleted members included; beyond limit it stops there.
func (s *Store) MemberCount(group string, limit int) (n int, err error) {
	err = s.read(func(t *txn) error {
		o, err := t.find(group, KindGroup)
		if err != nil {
			return err
		}
		c := t.in(bucketMembers).Cursor()
		for k, _ := c.Seek(key(o.Num)); k != nil && num(k) == o.Num && n < limit; k, _ = c.Next() {
			n++
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
			DeletedUsers: t.countOf("deleted User"), DeletedGroups: t.countOf("deleted Group"), ServicePrincipals: t.countOf("principals")}
		return nil
	}); err != nil {
		return Counts{}
	}
	return c
}
