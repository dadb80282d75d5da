package directory

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// RecycleTime is how long deleted objects can be restored (how-provisioning-works.md; api/directory-deleteditems-list.md).
const RecycleTime = 30 * 24 * time.Hour

// DeleteUser moves a user to deleted items. Memberships, manager and assignments stay, hidden, for a restore; the user
// principal name can be taken by somebody else.
func (s *Store) DeleteUser(now time.Time, id string) error { return s.remove(now, id, KindUser) }

// DeleteGroup moves a group to deleted items, or purges it at once when it is of a kind that is not kept.
func (s *Store) DeleteGroup(now time.Time, id string) error { return s.remove(now, id, KindGroup) }

// DeleteServicePrincipal moves a service principal to deleted items; its assignments stay, hidden, for a restore
// (api/serviceprincipal-delete.md).
func (s *Store) DeleteServicePrincipal(now time.Time, id string) error {
	return s.remove(now, id, KindServicePrincipal)
}

func (s *Store) remove(now time.Time, id string, kind Kind) error {
	return s.removeFound(now, func(t *txn) (Object, error) { return t.find(id, kind) })
}

func (s *Store) removeFound(now time.Time, find func(t *txn) (Object, error)) error {
	return s.write("deleted", func(t *txn) (Object, error) {
		o, err := find(t)
		if err != nil {
			return o, err
		}
		kind := o.Kind
		v, err := t.whole(o)
		if err != nil {
			return o, err
		}
		if err := t.leave(o, v); err != nil {
			return o, err
		}
		g, isGroup := v.(*Group)
		if isGroup {
			if err := t.ungoverned(o.Num); err != nil {
				return o, err
			}
		}
		if isGroup && !g.keptDeleted() {
			// Both at once: a reader of the feed sees that the group was there until now.
			if _, err := t.log(now, change{Op: opDelete, Kind: kind, Num: o.Num}); err != nil {
				return o, err
			}
			return o, t.purge(now, o, v)
		}
		base := objectOf(v)
		base.State, base.DeletedDateTime = SoftDeleted, now.UTC().Truncate(time.Second)
		if err := t.in(bucketDeleted).Put(deletedKey(kind, base.DeletedDateTime, o.Num), nil); err != nil {
			return o, err
		}
		if err := t.add("deleted "+kind.String(), 1); err != nil {
			return o, err
		}
		if err := t.putObject(v); err != nil {
			return o, err
		}
		if _, err = t.log(now, change{Op: opDelete, Kind: kind, Num: o.Num}); err != nil || kind != KindUser {
			return o, err
		}
		return o, t.followReports(now, o)
	})
}

// whole reads an object in its own type.
func (t *txn) whole(o Object) (any, error) {
	switch o.Kind {
	case KindUser:
		v, _, err := load[User](t, o.Num)
		return v, err
	case KindGroup:
		v, _, err := load[Group](t, o.Num)
		return v, err
	}
	v, _, err := load[ServicePrincipal](t, o.Num)
	return v, err
}

func objectOf(v any) *Object {
	switch x := v.(type) {
	case *User:
		return &x.Object
	case *Group:
		return &x.Object
	}
	return &v.(*ServicePrincipal).Object
}

// purge leaves a tombstone: what an object is and was called, and nothing else about it. The cost does not depend on the
// number of memberships: they go with the tombstone. Of a manager it is one entry in the feed for each report.
func (t *txn) purge(now time.Time, o Object, v any) error {
	base := *objectOf(v)
	base.State = Purged
	if base.DeletedDateTime.IsZero() {
		base.DeletedDateTime = now.UTC().Truncate(time.Second)
	}
	switch x := v.(type) {
	case *User:
		v = &User{Object: base, UserPrincipalName: x.UserPrincipalName, MailNickname: x.MailNickname, UserType: x.UserType}
	case *Group:
		v = &Group{Object: base, MailEnabled: x.MailEnabled, SecurityEnabled: x.SecurityEnabled, GroupTypes: x.GroupTypes}
	case *ServicePrincipal:
		v = &ServicePrincipal{Object: base, AppID: x.AppID, ApplicationID: x.ApplicationID}
	}
	if err := t.putObject(v); err != nil {
		return err
	}
	if err := t.orphan(now, o.Num); err != nil {
		return err
	}
	n, err := t.log(now, change{Op: opPurge, Kind: o.Kind, Num: o.Num})
	if err != nil {
		return err
	}
	return t.in(bucketTombstones).Put(key(n, o.Num), nil)
}

// orphan tells readers of the feed that the live reports of a manager have none any more. It writes an entry each and reads
// none of them: their own value goes on naming the tombstone, which counts as nobody, until that is trimmed.
func (t *txn) orphan(now time.Time, boss uint64) error {
	c := t.in(bucketReports).Cursor()
	for k, _ := c.Seek(key(boss)); len(k) >= 16 && num(k) == boss; k, _ = c.Next() {
		if _, err := t.log(now, change{Op: opUpdate, Kind: KindUser, Num: num(k[8:]), Other: boss, Changed: managerOnly}); err != nil {
			return err
		}
	}
	return nil
}

var managerOnly = []string{"manager"}

// deletedObject finds a soft-deleted object.
func (t *txn) deletedObject(id string) (Object, any, error) {
	o, v, err := t.deletedNum(num(t.in(bucketIDs).Get(guidKey(id))))
	if err == nil && v == nil {
		err = notFound(id)
	}
	return o, v, err
}

// deletedNum reads a soft-deleted object; v is nil when n is no such thing.
func (t *txn) deletedNum(n uint64) (o Object, v any, err error) {
	o, ok, err := t.object(n)
	if err != nil || !ok || o.State != SoftDeleted {
		return o, nil, err
	}
	v, err = t.whole(o)
	return o, v, err
}

func (t *txn) leaveDeleted(o Object) error {
	if err := t.add("deleted "+o.Kind.String(), -1); err != nil {
		return err
	}
	return t.in(bucketDeleted).Delete(deletedKey(o.Kind, o.DeletedDateTime, o.Num))
}

// Restore brings an object back from deleted items with its memberships, manager and assignments. It is Conflict when its
// user principal name was taken meanwhile.
func (s *Store) Restore(now time.Time, id string) (Object, error) { return s.RestoreAs(now, id, "") }

// RestoreAs is Restore under another user principal name; "" keeps the former one. Only users have one.
func (s *Store) RestoreAs(now time.Time, id, userPrincipalName string) (Object, error) {
	var out Object
	err := s.write("restored", func(t *txn) (Object, error) {
		o, v, err := t.deletedObject(id)
		if err != nil {
			return o, err
		}
		if err := t.leaveDeleted(o); err != nil {
			return o, err
		}
		base := objectOf(v)
		base.State, base.DeletedDateTime = Live, time.Time{}
		var changed []string
		if u, ok := v.(*User); ok && u.ManagerNum != 0 {
			m, ok, err := t.object(u.ManagerNum)
			if err != nil {
				return o, err
			}
			if !ok || m.State == Purged {
				u.ManagerNum, changed = 0, []string{"manager"}
			}
		}
		if userPrincipalName != "" {
			u, ok := v.(*User)
			if !ok {
				return o, invalid("newUserPrincipalName", "Only a user is restored with a newUserPrincipalName.")
			}
			names, err := t.editUser(u, Props{"userPrincipalName": userPrincipalName}, false)
			if err != nil {
				return o, err
			}
			changed = append(changed, names...)
		}
		if err := t.enter(*base, v); err != nil {
			return o, err
		}
		if err := t.putObject(v); err != nil {
			return o, err
		}
		out = *base
		if _, err = t.log(now, change{Op: opRestore, Kind: o.Kind, Num: o.Num, Changed: changed}); err != nil {
			return o, err
		}
		switch x := v.(type) {
		case *Group:
			return o, t.govern(now, x)
		case *User:
			if err := t.follow(now, x); err != nil {
				return o, err
			}
			return o, t.followReports(now, o)
		}
		return o, nil
	})
	return out, err
}

// Purge deletes an object in deleted items for good.
func (s *Store) Purge(now time.Time, id string) error {
	return s.write("purged", func(t *txn) (Object, error) {
		o, v, err := t.deletedObject(id)
		if err != nil {
			return o, err
		}
		if err := t.leaveDeleted(o); err != nil {
			return o, err
		}
		return o, t.purge(now, o, v)
	})
}

// What one transaction of PurgeExpired does at most: objects purged, and entries of the feed that begin one more.
const (
	purgeBatch   = 1000
	purgeEntries = 5000
)

// PurgeExpired purges what has lain in deleted items for 30 days, oldest first, in transactions of bounded size (the reports
// of one manager stay together), and returns how many objects there were.
func (s *Store) PurgeExpired(now time.Time) (int, error) {
	for total := 0; ; {
		n := 0
		err := s.update(func(t *txn) (events []Event, err error) {
			begun := t.in(bucketFeed).Sequence()
			for _, x := range t.expired(now, purgeBatch) {
				if t.in(bucketFeed).Sequence()-begun >= purgeEntries {
					break
				}
				o, v, err := t.deletedNum(x.num)
				if err != nil {
					return nil, err
				}
				if err := t.leaveDeleted(o); err != nil {
					return nil, err
				}
				if err := t.purge(now, o, v); err != nil {
					return nil, err
				}
				events = append(events, Event{"purged", o.Kind.String(), o.ID})
			}
			if n = len(events); n == 0 {
				return nil, errUnchanged
			}
			return events, nil
		})
		if errors.Is(err, errUnchanged) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		total += n
	}
}

type deletion struct {
	at  uint64 // unix seconds
	num uint64
}

// expired lists up to limit objects whose time is over, oldest first.
func (t *txn) expired(now time.Time, limit int) (due []deletion) {
	last := uint64(max(0, now.Add(-RecycleTime).Unix()))
	for _, kind := range []Kind{KindUser, KindGroup, KindServicePrincipal} {
		c, n := t.in(bucketDeleted).Cursor(), 0
		for k, _ := c.Seek([]byte{byte(kind)}); k != nil && k[0] == byte(kind) && num(k[1:]) <= last && n < limit; k, _ = c.Next() {
			due = append(due, deletion{num(k[1:]), num(k[9:])})
			n++
		}
	}
	slices.SortFunc(due, func(a, b deletion) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.num, b.num)) })
	return due[:min(len(due), limit)]
}

// NextExpiry returns when the next deleted object expires.
func (s *Store) NextExpiry() (next time.Time, ok bool) {
	if err := s.read(func(t *txn) error {
		for _, kind := range []Kind{KindUser, KindGroup, KindServicePrincipal} {
			k, _ := t.in(bucketDeleted).Cursor().Seek([]byte{byte(kind)})
			if k == nil || k[0] != byte(kind) {
				continue
			}
			if at := time.Unix(int64(num(k[1:])), 0).UTC().Add(RecycleTime); !ok || at.Before(next) {
				next, ok = at, true
			}
		}
		return nil
	}); err != nil {
		return time.Time{}, false
	}
	return next, ok
}

// Deleted lists deleted items of a kind, the newest first.
func (s *Store) Deleted(kind Kind, cursor string, limit int) (Page[Object], error) {
	return walk(s, span{bucket: bucketDeleted, prefix: []byte{byte(kind)}, descending: true}, cursor, limit, func(t *txn, k []byte) (Object, bool, error) {
		return t.object(num(k[9:]))
	})
}

// DeletedUser returns a soft-deleted user. Its userPrincipalName is shown with the id, without hyphens, in front.
func (s *Store) DeletedUser(id string) (User, error) {
	var out User
	err := s.read(func(t *txn) error {
		_, v, err := t.deletedObject(id)
		if err != nil {
			return err
		}
		u, ok := v.(*User)
		if !ok {
			return notFound(id)
		}
		out = *u
		out.UserPrincipalName = hiddenName(u)
		return nil
	})
	return out, err
}

// DeletedGroup returns a soft-deleted group.
func (s *Store) DeletedGroup(id string) (Group, error) {
	var out Group
	err := s.read(func(t *txn) error {
		_, v, err := t.deletedObject(id)
		if err != nil {
			return err
		}
		g, ok := v.(*Group)
		if !ok {
			return notFound(id)
		}
		out = *g
		return nil
	})
	return out, err
}
