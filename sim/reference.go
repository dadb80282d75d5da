package sim

import (
	"cmp"
	"slices"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/scim"
)

// references lists what the second pass looks at: first users whose manager may have to be written, then groups whose
// members may (how-provisioning-works.md, "Initial cycle": references are resolved once both ends exist). It comes when
// users and groups are through, so that a reference which waited for an object that was linked just now is among them.
func (c *cycle) references(list *worklist) (refs []work, err error) {
	users, groups := map[uint64]bool{}, map[uint64]bool{}
	if list.full {
		if hasReference(mappingOf(c.set, directory.KindUser), "manager") {
			note(users, list.users)
		}
		if hasReference(mappingOf(c.set, directory.KindGroup), "members") {
			note(groups, list.groups)
		}
	}
	err = c.s.dir.View(func(r *directory.Reader) error {
		b := jobBucket(r.Tx(), c.app)
		if b == nil {
			return errStopped
		}
		for _, k := range list.unresolved {
			still, err := c.unresolved(r, b, k)
			if err != nil {
				return err
			}
			if !still {
				list.reference(k)
			}
		}
		cur := b.Bucket(bucketOwed).Cursor()
		for k, _ := cur.First(); k != nil; k, _ = cur.Next() {
			link, err := getLink(b, num(k))
			switch {
			case err != nil:
				return err
			case link == nil && owes(b, num(k)) == owesSearch: // its references come with its link
			case waiting(b, num(k)): // until the object's own failure is over
			case link != nil && link.Kind == directory.KindGroup:
				groups[num(k)] = true
			default:
				users[num(k)] = true
			}
		}
		return nil
	})
	for n := range list.managers {
		users[n] = true
	}
	for n := range list.edges {
		groups[n] = true
	}
	refs = make([]work, 0, len(users)+len(groups))
	for n := range users {
		refs = append(refs, work{num: n, kind: directory.KindUser})
	}
	for n := range groups { // late: behind the users; a place in the list is found again by its rank
		refs = append(refs, work{num: n, kind: directory.KindGroup, late: true})
	}
	slices.SortFunc(refs, func(a, b work) int {
		return cmp.Or(cmp.Compare(b.kind, a.kind), cmp.Compare(a.num, b.num)) // 'U' before 'G'
	})
	return refs, err
}

func note(set map[uint64]bool, list []work) {
	for _, w := range list {
		set[w.num] = true
	}
}

// referent is how an object stands that another one refers to.
type referent int

const (
	outside referent = iota // out of scope, or with no object at the target for another reason: the reference is dropped
	pending                 // in scope, but its create failed: the reference waits with it
	linked
)

// refer looks at a user that a manager or a membership refers to; link is its link, also when it is outside. The state of
// a link tells whether the user is in scope, unless its last try failed, or the cycle is the rest of one that was cut short:
// then users may have come into scope, or left it, behind the part that is done, and the next cycle will see to them.
func (c *cycle) refer(r *directory.Reader, b *bbolt.Bucket, n uint64) (link *Link, state referent, err error) {
	if link, err = getLink(b, n); err != nil {
		return nil, outside, err
	}
	if !c.resumed && c.demand == nil && !waiting(b, n) { // on demand nobody was looked at before
		if link != nil && link.State == LinkActive {
			return link, linked, nil
		}
		return link, outside, nil
	}
	src, ok := readSource(r, c.app, c.all, c.set, n)
	switch {
	case !ok || !src.scope.In():
		return link, outside, nil
	case link == nil:
		return nil, pending, nil
	}
	return link, linked, nil
}

// unresolved reports whether a reference still waits for the object that it refers to.
func (c *cycle) unresolved(r *directory.Reader, b *bbolt.Bucket, k escrowKey) (bool, error) {
	link, err := getLink(b, k.num)
	switch {
	case err != nil || !link.active():
		return false, err
	case waiting(b, k.num):
		return true, nil
	}
	n := k.other
	if k.kind == EscrowManager {
		u, ok := r.UserByNum(k.num)
		if !ok {
			return false, nil
		}
		n = u.ManagerNum
	} else if !r.IsMember(k.num, n) {
		return false, nil
	}
	if _, state, _ := r.Standing(n); state != directory.Live {
		return false, nil
	}
	_, state, err := c.refer(r, b, n)
	return state == pending, err
}

// waitsFor is the failure of a reference whose object is in scope but has none at the target yet.
func waitsFor(message string) *failure {
	return &failure{Code: scim.CodeUnresolvedReference, Message: message}
}
