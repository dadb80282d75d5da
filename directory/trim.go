package directory

import (
	"fmt"
	"slices"
	"time"
)

// trimBatch is the number of keys that one transaction of Trim removes at most.
const trimBatch = 5000

// Trim drops the part of the feed that every reader has passed and that is older than keep, and the tombstones whose
// last change lies in it, with what they held on to. Its transactions are of bounded size; one that is cut short is
// completed by the next call.
func (s *Store) Trim(now time.Time, passed uint64, keep time.Duration) error {
	for {
		drop, more, err := s.stale(now.Add(-keep), passed)
		if err != nil {
			return err
		}
		if len(drop) > 0 {
			if err := s.update(func(t *txn) ([]Event, error) { return nil, t.trim(drop) }); err != nil {
				return fmt.Errorf("trim the change feed: %w", err)
			}
		}
		if !more {
			break
		}
	}
	for {
		if due, err := s.sweepDue(); err != nil || !due {
			return err
		}
		if err := s.update(func(t *txn) ([]Event, error) { return nil, t.sweep(trimBatch) }); err != nil {
			return fmt.Errorf("trim tombstones: %w", err)
		}
	}
}

// stale lists the oldest entries of the feed that may go; more is true when there are others behind them.
func (s *Store) stale(limit time.Time, passed uint64) (drop []uint64, more bool, err error) {
	err = s.read(func(t *txn) error {
		c := t.in(bucketFeed).Cursor()
		for k, v := c.First(); k != nil && num(k) <= passed; k, v = c.Next() {
			var e change
			if err := Decode(v, &e); err != nil {
				return fmt.Errorf("data file: change %d: %w", num(k), err)
			}
			if e.Time > limit.UnixNano() {
				return nil
			}
			if len(drop) == trimBatch {
				more = true
				return nil
			}
			drop = append(drop, num(k))
		}
		return nil
	})
	return drop, more, err
}

func (t *txn) trim(drop []uint64) error {
	for _, n := range drop {
		if err := t.in(bucketFeed).Delete(key(n)); err != nil {
			return err
		}
	}
	return t.Bucket(bucketMeta).Put(keyFloor, key(drop[len(drop)-1]))
}

func (t *txn) floor() uint64 { return num(t.Bucket(bucketMeta).Get(keyFloor)) }

// sweepDue reports whether there is a tombstone that nobody asks for any more.
func (s *Store) sweepDue() (due bool, err error) {
	err = s.read(func(t *txn) error {
		k, _ := t.in(bucketTombstones).Cursor().First()
		due = k != nil && num(k) <= t.floor()
		return nil
	})
	return due, err
}

// sweep forgets tombstones whose last change was trimmed, and removes about budget keys at most.
func (t *txn) sweep(budget int) error {
	for budget > 0 {
		k, _ := t.in(bucketTombstones).Cursor().First()
		if k == nil || num(k) > t.floor() {
			return nil
		}
		k = slices.Clone(k)
		done, err := t.forget(num(k[8:]), &budget)
		if err != nil || !done {
			return err
		}
		if err := t.in(bucketTombstones).Delete(k); err != nil {
			return err
		}
		budget--
	}
	return nil
}

// forget removes the last traces of a purged object: hidden memberships, reports, assignments, then the tombstone. done is
// false when the budget ran out before.
func (t *txn) forget(n uint64, budget *int) (done bool, err error) {
	for _, pair := range [][2][]byte{
		{bucketMembers, bucketMemberOf}, {bucketMemberOf, bucketMembers}, {bucketReports, nil},
		{bucketAssignments, bucketAssigned}, {bucketAssigned, bucketAssignments},
	} {
		for _, k := range t.withPrefix(pair[0], n, *budget) {
			*budget--
			if err := t.unlink(pair[0], pair[1], k); err != nil {
				return false, err
			}
		}
		if *budget <= 0 {
			return false, nil
		}
	}
	o, ok, err := t.object(n)
	if err != nil || !ok {
		return true, err
	}
	if err := t.forgetIDs(o); err != nil {
		return false, err
	}
	return true, t.in(bucketObjects).Delete(key(n))
}

func (t *txn) forgetIDs(o Object) error {
	if o.Kind == KindServicePrincipal {
		sp, _, err := load[ServicePrincipal](t, o.Num)
		if err != nil {
			return err
		}
		for _, id := range []string{sp.AppID, sp.ApplicationID} {
			if err := t.in(bucketAppIDs).Delete(guidKey(id)); err != nil {
				return err
			}
		}
	}
	return t.in(bucketIDs).Delete(guidKey(o.ID))
}

// unlink removes one key that connects two objects, and its counterpart.
func (t *txn) unlink(bucket, inverse, k []byte) error {
	a, b := num(k), num(k[8:])
	switch {
	case inverse == nil: // a manager's report: the user forgets the manager, who has been hidden for long
		u, ok, err := load[User](t, b)
		if err != nil {
			return err
		}
		if ok && u.ManagerNum == a {
			u.ManagerNum = 0
			if err := t.putObject(u); err != nil {
				return err
			}
		}
	case len(k) > 16:
		sp, principal := a, b
		if string(bucket) == string(bucketAssigned) {
			sp, principal = b, a
		}
		return t.dropAssignment(sp, principal, guidText(k[16:]))
	default:
		if err := t.in(inverse).Delete(key(b, a)); err != nil {
			return err
		}
	}
	return t.in(bucket).Delete(k)
}

// withPrefix lists up to limit keys that begin with n.
func (t *txn) withPrefix(bucket []byte, n uint64, limit int) [][]byte {
	var list [][]byte
	c := t.in(bucket).Cursor()
	for k, _ := c.Seek(key(n)); len(k) >= 16 && num(k) == n && len(list) < limit; k, _ = c.Next() {
		list = append(list, slices.Clone(k))
	}
	return list
}
