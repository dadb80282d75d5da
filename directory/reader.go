package directory

import (
	"slices"
	"strings"

	"go.etcd.io/bbolt"
)

// Reader is one consistent view of the directory for the provisioning service, by creation numbers. It sees deleted
// objects and tombstones too; what it returns may be kept.
type Reader struct {
	t   *txn
	err error
}

// View runs f on a consistent view. Nothing slow belongs in f.
func (s *Store) View(f func(r *Reader) error) error {
	return s.read(func(t *txn) error {
		r := &Reader{t: t}
		if err := f(r); err != nil {
			return err
		}
		return r.err
	})
}

// Tx is the transaction, for buckets of other rooms.
func (r *Reader) Tx() *bbolt.Tx { return r.t.Tx }

func (r *Reader) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Object returns what all kinds have in common, in any state.
func (r *Reader) Object(n uint64) (Object, bool) {
	o, ok, err := r.t.object(n)
	r.keep(err)
	return o, ok && err == nil
}

// Standing returns the kind and the state of an object, at a fraction of the cost of Object.
func (r *Reader) Standing(n uint64) (kind Kind, state State, ok bool) {
	data := r.t.in(bucketObjects).Get(key(n))
	if len(data) < frame {
		return 0, 0, false
	}
	return Kind(data[0]), State(data[1]), true
}

// UserByNum returns a user in any state.
func (r *Reader) UserByNum(n uint64) (*User, bool) {
	if kind, _, _ := r.Standing(n); kind != KindUser {
		return nil, false
	}
	u, ok, err := load[User](r.t, n)
	r.keep(err)
	return u, ok && err == nil
}

// GroupByNum returns a group in any state.
func (r *Reader) GroupByNum(n uint64) (*Group, bool) {
	if kind, _, _ := r.Standing(n); kind != KindGroup {
		return nil, false
	}
	g, ok, err := load[Group](r.t, n)
	r.keep(err)
	return g, ok && err == nil
}

// Num finds an object in any state by its id, a live user also by userPrincipalName.
func (r *Reader) Num(id string) (uint64, bool) {
	n := num(r.t.in(bucketIDs).Get(guidKey(id)))
	if n == 0 {
		n = num(r.t.in(bucketUPN).Get([]byte(fold(id))))
	}
	return n, n != 0
}

// UserNums lists live users behind a number, in creation order.
func (r *Reader) UserNums(after uint64, limit int) []uint64 { return r.nums(bucketUsers, after, limit) }

// GroupNums lists live groups behind a number, in creation order.
func (r *Reader) GroupNums(after uint64, limit int) []uint64 {
	return r.nums(bucketGroups, after, limit)
}

// LiveNums lists live objects of a kind behind a number, in creation order.
func (r *Reader) LiveNums(kind Kind, after uint64, limit int) []uint64 {
	return r.nums(liveBucket[kind], after, limit)
}

// LastChange is the number of the newest change in this view, 0 before the first.
func (r *Reader) LastChange() uint64 { return r.t.in(bucketFeed).Sequence() }

// Changes is Store.Changes in this view.
func (r *Reader) Changes(after, upto uint64) (Changes, error) { return r.t.changes(after, upto) }

// RegistrationNum finds a service principal in any state by the object id of its registration.
func (r *Reader) RegistrationNum(id string) (uint64, bool) {
	n := num(r.t.in(bucketAppIDs).Get(guidKey(id)))
	sp, ok := r.ServicePrincipalByNum(n)
	return n, ok && strings.EqualFold(sp.ApplicationID, id)
}

func (r *Reader) nums(bucket []byte, after uint64, limit int) []uint64 {
	var list []uint64
	c := r.t.in(bucket).Cursor()
	for k, _ := c.Seek(key(after + 1)); k != nil && len(list) < limit; k, _ = c.Next() {
		list = append(list, num(k))
	}
	return list
}

// EachUser calls f with up to limit live users whose numbers are greater than after, in creation order.
func (r *Reader) EachUser(after uint64, limit int, f func(User) error) error {
	for _, n := range r.UserNums(after, limit) {
		if u, ok := r.UserByNum(n); ok {
			if err := f(*u); err != nil {
				return err
			}
		}
	}
	return nil
}

// EachGroup calls f with up to limit live groups whose numbers are greater than after, in creation order.
func (r *Reader) EachGroup(after uint64, limit int, f func(Group) error) error {
	for _, n := range r.GroupNums(after, limit) {
		if g, ok := r.GroupByNum(n); ok {
			if err := f(*g); err != nil {
				return err
			}
		}
	}
	return nil
}

// EachMember calls f with the members of a group behind a number, until f returns false. Memberships of deleted groups
// and of deleted members are among them: the caller looks at their state.
func (r *Reader) EachMember(group, after uint64, f func(member uint64) bool) {
	r.each(bucketMembers, group, after, f)
}

// EachGroupOf calls f with the groups that an object is an immediate member of, deleted ones included.
func (r *Reader) EachGroupOf(member uint64, f func(group uint64) bool) {
	r.each(bucketMemberOf, member, 0, f)
}

func (r *Reader) each(bucket []byte, first, after uint64, f func(uint64) bool) {
	c := r.t.in(bucket).Cursor()
	for k, _ := c.Seek(key(first, after+1)); len(k) >= 16 && num(k) == first; k, _ = c.Next() {
		if !f(num(k[8:])) {
			return
		}
	}
}

// IsMember reports whether there is a membership, hidden or not.
func (r *Reader) IsMember(group, member uint64) bool {
	return r.t.in(bucketMembers).Get(key(group, member)) != nil
}

// EachAssigned calls f with each assignment of a user or group to an application, until f returns false.
func (r *Reader) EachAssigned(sp uint64, f func(principal uint64, kind Kind, role string) bool) {
	c := r.t.in(bucketAssignments).Cursor()
	for k, _ := c.Seek(key(sp)); len(k) >= 16 && num(k) == sp; k, _ = c.Next() {
		principal := num(k[8:])
		kind, _, ok := r.Standing(principal)
		if ok && kind != KindServicePrincipal && !f(principal, kind, guidText(k[16:])) {
			return
		}
	}
}

// HasAssignments reports whether anybody is, or was, assigned to a service principal.
func (r *Reader) HasAssignments(sp uint64) bool {
	k, _ := r.t.in(bucketAssignments).Cursor().Seek(key(sp))
	return len(k) >= 16 && num(k) == sp
}

// Assigned lists the roles that a principal has of an application; none means that it is not assigned directly.
func (r *Reader) Assigned(sp, principal uint64) []string { return r.t.roles(sp, principal) }

// Grants lists the assignments of a principal to an application, the oldest first.
func (r *Reader) Grants(sp, principal uint64) []Assignment {
	var list []Assignment
	for _, role := range r.t.roles(sp, principal) {
		a, ok, err := r.t.assignment(roleKey(sp, principal, role))
		r.keep(err)
		if ok && err == nil {
			list = append(list, a)
		}
	}
	slices.SortStableFunc(list, func(a, b Assignment) int { return a.CreatedDateTime.Compare(b.CreatedDateTime) })
	return list
}

// ServicePrincipalByNum returns a service principal in any state.
func (r *Reader) ServicePrincipalByNum(n uint64) (*ServicePrincipal, bool) {
	if kind, _, _ := r.Standing(n); kind != KindServicePrincipal {
		return nil, false
	}
	sp, ok, err := load[ServicePrincipal](r.t, n)
	r.keep(err)
	return sp, ok && err == nil
}

// AnyAssigned reports whether a principal is assigned to an application directly.
func (r *Reader) AnyAssigned(sp, principal uint64) bool {
	prefix := key(sp, principal)
	k, _ := r.t.in(bucketAssignments).Cursor().Seek(prefix)
	return len(k) >= 16 && num(k) == sp && num(k[8:]) == principal
}
