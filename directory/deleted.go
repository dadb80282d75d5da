package directory

import (
	"fmt"
	"strings"
	"time"
)

// RecycleTime is how long deleted objects can be restored (how-provisioning-works.md; api/directory-deleteditems-list.md).
const RecycleTime = 30 * 24 * time.Hour

// DeleteUser moves a user to deleted items. Memberships, manager and assignments stay, hidden, for a restore; the user
// principal name can be taken by somebody else.
func (s *Store) DeleteUser(now time.Time, id string) error { return s.remove(now, id, KindUser) }

// DeleteGroup moves a group to deleted items, or purges it at once when it is of a kind that is not kept.
func (s *Store) DeleteGroup(now time.Time, id string) error { return s.remove(now, id, KindGroup) }

// DeleteServicePrincipal purges a service principal with its assignments.
func (s *Store) DeleteServicePrincipal(now time.Time, id string) error {
	return s.remove(now, id, KindServicePrincipal)
}

func (s *Store) remove(now time.Time, id string, kind Kind) error {
	return s.write("deleted", func(t *txn) (Object, error) {
		o, err := t.find(id, kind)
		if err != nil {
			return o, err
		}
		v, err := t.whole(o)
		if err != nil {
			return o, err
		}
		if err := t.leave(o, v); err != nil {
			return o, err
		}
		g, isGroup := v.(*Group)
		if kind == KindServicePrincipal || isGroup && !g.keptDeleted() {
			return o, t.purge(now, o, v)
		}
		base := objectOf(v)
		base.State, base.DeletedDateTime = SoftDeleted, now.UTC().Truncate(time.Second)
		if err := t.in(bucketDeleted).Put(deletedKey(base.DeletedDateTime, o.Num), nil); err != nil {
			return o, err
		}
		if err := t.add("deleted "+kind.String(), 1); err != nil {
			return o, err
		}
		if err := t.put(bucketObjects, key(o.Num), v); err != nil {
			return o, err
		}
		_, err = t.log(now, change{Op: opDelete, Kind: kind, Num: o.Num})
		return o, err
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

// purge leaves a tombstone. Its cost does not depend on the number of memberships: they go with the tombstone.
func (t *txn) purge(now time.Time, o Object, v any) error {
	base := objectOf(v)
	base.State = Purged
	if base.DeletedDateTime.IsZero() {
		base.DeletedDateTime = now.UTC().Truncate(time.Second)
	}
	if err := t.put(bucketObjects, key(o.Num), v); err != nil {
		return err
	}
	n, err := t.log(now, change{Op: opPurge, Kind: o.Kind, Num: o.Num})
	if err != nil {
		return err
	}
	return t.in(bucketTombstones).Put(key(n, o.Num), nil)
}

// deletedObject finds a soft-deleted object.
func (t *txn) deletedObject(id string) (Object, any, error) {
	n := num(t.in(bucketIDs).Get(guidKey(id)))
	o, ok, err := t.object(n)
	if err != nil {
		return o, nil, err
	}
	if !ok || o.State != SoftDeleted {
		return o, nil, notFound(id)
	}
	v, err := t.whole(o)
	return o, v, err
}

func (t *txn) leaveDeleted(o Object) error {
	if err := t.add("deleted "+o.Kind.String(), -1); err != nil {
		return err
	}
	return t.in(bucketDeleted).Delete(deletedKey(o.DeletedDateTime, o.Num))
}

// Restore brings an object back from deleted items with its memberships, manager and assignments. It is Conflict when its
// user principal name was taken meanwhile.
func (s *Store) Restore(now time.Time, id string) (Object, error) {
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
		if u, ok := v.(*User); ok && u.ManagerNum != 0 {
			if m, ok, err := t.object(u.ManagerNum); err != nil || !ok || m.State == Purged {
				u.ManagerNum = 0
			}
		}
		if err := t.enter(*base, v); err != nil {
			return o, err
		}
		if err := t.put(bucketObjects, key(o.Num), v); err != nil {
			return o, err
		}
		out = *base
		_, err = t.log(now, change{Op: opRestore, Kind: o.Kind, Num: o.Num})
		return o, err
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

// PurgeExpired purges what has lain in deleted items for 30 days, in transactions of at most 1,000 objects, and returns
// how many there were.
func (s *Store) PurgeExpired(now time.Time) (int, error) {
	total := 0
	for {
		n := 0
		err := s.update(func(t *txn) ([]Event, error) {
			var due []uint64
			limit := uint64(max(0, now.Add(-RecycleTime).Unix()))
			c := t.in(bucketDeleted).Cursor()
			for k, _ := c.First(); k != nil && num(k) <= limit && len(due) < 1000; k, _ = c.Next() {
				due = append(due, num(k[8:]))
			}
			var events []Event
			for _, x := range due {
				o, _, err := t.object(x)
				if err != nil {
					return nil, err
				}
				v, err := t.whole(o)
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
			n = len(due)
			return events, nil
		})
		total += n
		if err != nil || n < 1000 {
			return total, err
		}
	}
}

// NextExpiry returns when the next deleted object expires.
func (s *Store) NextExpiry() (next time.Time, ok bool) {
	if err := s.read(func(t *txn) error {
		if k, _ := t.in(bucketDeleted).Cursor().First(); k != nil {
			// One second up: keys hold whole seconds, and nothing may expire early.
			next, ok = time.Unix(int64(num(k)), 0).UTC().Add(RecycleTime), true
		}
		return nil
	}); err != nil {
		return time.Time{}, false
	}
	return next, ok
}

// Deleted lists deleted items of a kind, the newest first.
func (s *Store) Deleted(kind Kind, cursor string, limit int) (Page[Object], error) {
	var page Page[Object]
	if limit <= 0 {
		limit = 100
	}
	after, err := parseCursor(cursor)
	if err != nil {
		return page, err
	}
	err = s.read(func(t *txn) error {
		c := t.in(bucketDeleted).Cursor()
		k, _ := c.Last()
		if after != nil {
			if k, _ = c.Seek(after); k == nil {
				k, _ = c.Last()
			} else {
				k, _ = c.Prev()
			}
		}
		for ; k != nil; k, _ = c.Prev() {
			o, ok, err := t.object(num(k[8:]))
			if err != nil {
				return err
			}
			if !ok || o.Kind != kind {
				continue
			}
			if len(page.Items) == limit {
				return nil
			}
			page.Items = append(page.Items, o)
			page.Next = makeCursor(k)
		}
		page.Next = ""
		return nil
	})
	return page, err
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
		out.UserPrincipalName = fmt.Sprintf("%s%s", strings.ReplaceAll(u.ID, "-", ""), u.UserPrincipalName)
		return nil
	})
	return out, err
}
