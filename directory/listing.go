package directory

import (
	"fmt"
	"strings"
)

// FilterUsers lists the live users of a query that keep wants; the cursor counts only what was kept. keep must not call
// the store.
func (s *Store) FilterUsers(q Query, keep func(*User) bool) (Page[User], error) {
	return list(s, q, KindUser, keep)
}

// FilterGroups is FilterUsers for groups.
func (s *Store) FilterGroups(q Query, keep func(*Group) bool) (Page[Group], error) {
	return list(s, q, KindGroup, keep)
}

// FilterServicePrincipals is FilterUsers for enterprise applications.
func (s *Store) FilterServicePrincipals(q Query, keep func(*ServicePrincipal) bool) (Page[ServicePrincipal], error) {
	return list(s, q, KindServicePrincipal, func(sp *ServicePrincipal) bool { return !sp.Bare && keep(sp) })
}

// DeletedUsers lists the users in deleted items that keep wants, the newest first. User principal names are shown as
// DeletedUser does.
func (s *Store) DeletedUsers(cursor string, limit int, keep func(*User) bool) (Page[User], error) {
	return deletedPage(s, KindUser, cursor, limit, func(u *User) bool {
		u.UserPrincipalName = hiddenName(u)
		return keep(u)
	})
}

// DeletedGroups is DeletedUsers for groups.
func (s *Store) DeletedGroups(cursor string, limit int, keep func(*Group) bool) (Page[Group], error) {
	return deletedPage(s, KindGroup, cursor, limit, keep)
}

// DeletedServicePrincipals is DeletedUsers for enterprise applications, and for registrations that have none: keep looks at
// Bare.
func (s *Store) DeletedServicePrincipals(cursor string, limit int, keep func(*ServicePrincipal) bool) (Page[ServicePrincipal], error) {
	return deletedPage(s, KindServicePrincipal, cursor, limit, keep)
}

func deletedPage[T any](s *Store, kind Kind, cursor string, limit int, keep func(*T) bool) (Page[T], error) {
	return walk(s, span{bucket: bucketDeleted, prefix: []byte{byte(kind)}, descending: true}, cursor, limit, func(t *txn, k []byte) (v T, ok bool, err error) {
		p, ok, err := load[T](t, num(k[9:]))
		if err != nil || !ok || !keep(p) {
			return v, false, err
		}
		return *p, true, nil
	})
}

// hiddenName is the userPrincipalName of a deleted user: the id without hyphens stands in front.
func hiddenName(u *User) string {
	return fmt.Sprintf("%s%s", strings.ReplaceAll(u.ID, "-", ""), u.UserPrincipalName)
}

// DeletedServicePrincipal returns a soft-deleted service principal.
func (s *Store) DeletedServicePrincipal(id string) (ServicePrincipal, error) {
	var out ServicePrincipal
	err := s.read(func(t *txn) error {
		_, v, err := t.deletedObject(id)
		if err != nil {
			return err
		}
		sp, ok := v.(*ServicePrincipal)
		if !ok {
			return notFound(id)
		}
		out = *sp
		return nil
	})
	return out, err
}

// DeletedObject returns what all kinds have in common, of an object in deleted items.
func (s *Store) DeletedObject(id string) (o Object, err error) {
	err = s.read(func(t *txn) error {
		o, _, err = t.deletedObject(id)
		return err
	})
	return o, err
}

// IsMember reports whether a live object is an immediate member of a live group.
func (s *Store) IsMember(group, member string) (o Object, is bool, err error) {
	err = s.read(func(t *txn) error {
		g, err := t.find(group, KindGroup)
		if err != nil {
			return err
		}
		if o, err = t.find(member); err != nil {
			if CodeOf(err) == NotFound {
				return nil
			}
			return err
		}
		is = t.in(bucketMembers).Get(key(g.Num, o.Num)) != nil
		return nil
	})
	return o, is, err
}

// FilterMembers lists the live members of a group whose kind is wanted.
func (s *Store) FilterMembers(group, cursor string, limit int, wanted func(Kind) bool) (Page[Object], error) {
	return s.filterRelated(group, KindGroup, bucketMembers, cursor, limit, wanted)
}

// FilterMemberOf lists what an object is an immediate member of.
func (s *Store) FilterMemberOf(id, cursor string, limit int, wanted func(Kind) bool) (Page[Object], error) {
	return s.filterRelated(id, 0, bucketMemberOf, cursor, limit, wanted)
}

// FilterReports lists the live users whose manager a user is.
func (s *Store) FilterReports(user, cursor string, limit int, wanted func(Kind) bool) (Page[Object], error) {
	return s.filterRelated(user, KindUser, bucketReports, cursor, limit, wanted)
}

func (s *Store) filterRelated(id string, kind Kind, bucket []byte, cursor string, limit int, wanted func(Kind) bool) (Page[Object], error) {
	return relatedPage(s, id, kind, bucket, cursor, limit, func(t *txn, k []byte) (Object, bool, error) {
		data := t.in(bucketObjects).Get(k[8:16])
		if len(data) < frame || State(data[1]) != Live || !wanted(Kind(data[0])) {
			return Object{}, false, nil
		}
		return t.object(num(k[8:]))
	})
}
