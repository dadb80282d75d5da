package sim

import (
	"slices"
	"sort"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// work is one object that a cycle looks at, and why.
type work struct {
	num  uint64
	kind directory.Kind
	imp  importKind
	// refs: nothing of the object itself changed, only its manager or members; an object that equals the target's then
	// gets no record of its own.
	refs bool
	// late: an initial cycle's reading did not meet the object, but it is linked.
	late  bool
	retry bool
}

// worklist is what a cycle will do. Objects stand in the order in which they were made, which is the order of the
// source's pages; late ones stand behind the others.
type worklist struct {
	users, groups []work
	managers      map[uint64]bool            // users whose manager is to be looked at
	edges         map[uint64]map[uint64]bool // memberships to be looked at, by group
	unresolved    []escrowKey                // references that wait for an object which they refer to
	full          bool                       // initial: every manager and every member
	deltas        int                        // changes read from the feed
	refDeltas     int
}

func sortWork(list []work) []work {
	sort.Slice(list, func(i, k int) bool {
		if list[i].late != list[k].late {
			return list[k].late
		}
		return list[i].num < list[k].num
	})
	return list
}

// readInitial lists every object that an initial cycle reads: with Sync all the whole tenant, otherwise the assigned
// principals and the direct members of assigned groups; behind them what is linked and was not met.
func readInitial(r *directory.Reader, b *bbolt.Bucket, app uint64, all bool) worklist {
	users, groups := map[uint64]bool{}, map[uint64]bool{}
	var list worklist
	add := func(met map[uint64]bool, into *[]work, kind directory.Kind, n uint64, late bool) {
		if !met[n] {
			met[n] = true
			*into = append(*into, work{num: n, kind: kind, late: late})
		}
	}
	if all {
		for after, page := uint64(0), r.UserNums(0, 1000); len(page) > 0; page = r.UserNums(after, 1000) {
			for _, n := range page {
				add(users, &list.users, directory.KindUser, n, false)
			}
			after = page[len(page)-1]
		}
		for after, page := uint64(0), r.GroupNums(0, 1000); len(page) > 0; page = r.GroupNums(after, 1000) {
			for _, n := range page {
				add(groups, &list.groups, directory.KindGroup, n, false)
			}
			after = page[len(page)-1]
		}
	} else {
		r.EachAssigned(app, func(n uint64, kind directory.Kind, _ string) bool {
			if _, state, _ := r.Standing(n); state != directory.Live {
				return true
			}
			if kind == directory.KindUser {
				add(users, &list.users, kind, n, false)
				return true
			}
			add(groups, &list.groups, kind, n, false)
			eachUserMember(r, n, func(m uint64) { add(users, &list.users, directory.KindUser, m, false) })
			return true
		})
	}
	late := func(n uint64) {
		switch {
		case users[n] || groups[n]:
		case kindOf(r, b, n) == directory.KindGroup:
			add(groups, &list.groups, directory.KindGroup, n, true)
		default:
			add(users, &list.users, directory.KindUser, n, true)
		}
	}
	for _, bucket := range [][]byte{bucketLinks, bucketOwed} { // linked, or perhaps created
		c := b.Bucket(bucket).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			late(num(k))
		}
	}
	sortWork(list.users)
	sortWork(list.groups)
	list.full = true
	return list
}

// eachUserMember calls f with each live user that is an immediate member of a group.
func eachUserMember(r *directory.Reader, group uint64, f func(uint64)) {
	r.EachMember(group, 0, func(m uint64) bool {
		if kind, state, _ := r.Standing(m); kind == directory.KindUser && state == directory.Live {
			f(m)
		}
		return true
	})
}

// readIncremental lists what changed for a job between two points of the feed, and the escrows that are due. A change of
// which the job reads nothing is left out; the cost follows the number of changes.
func readIncremental(r *directory.Reader, b *bbolt.Bucket, j *cycle, changes directory.Changes, due []escrowKey) worklist {
	list := worklist{managers: map[uint64]bool{}, edges: map[uint64]map[uint64]bool{}}
	users, groups := map[uint64]work{}, map[uint64]work{}
	touch := func(w work) {
		met := users
		if w.kind == directory.KindGroup {
			met = groups
		}
		if old, ok := met[w.num]; ok {
			w.refs = w.refs && old.refs
			w.retry = w.retry || old.retry
			if old.imp != importUpdate {
				w.imp = old.imp
			}
		}
		met[w.num] = w
	}
	members := func(group uint64) {
		if !j.all {
			r.EachMember(group, 0, func(m uint64) bool {
				if kind, _, _ := r.Standing(m); kind == directory.KindUser {
					touch(work{num: m, kind: directory.KindUser, imp: importUpdate})
				}
				return true
			})
		}
	}
	for _, c := range changes.Objects {
		list.deltas++
		w := work{num: c.Num, kind: c.Kind, imp: importUpdate}
		switch {
		case c.Purged || c.SoftDeleted:
			w.imp = importDelete
		case c.Created || c.Restored:
			w.imp = importAdd
		}
		appears := c.Created || c.SoftDeleted || c.Restored || c.Purged
		m := mappingOf(j.set, c.Kind)
		switch c.Kind {
		case directory.KindUser:
			manager := slices.Contains(c.Properties, "manager")
			w.refs = !appears && !reads(m, c.Properties, "accountEnabled") && !(manager && m != nil && m.NeedsManager)
			if manager = manager && hasReference(m, "manager"); manager {
				list.managers[c.Num] = true
				list.refDeltas++
			}
			if !w.refs || manager {
				touch(w)
			}
		case directory.KindGroup:
			secured := slices.Contains(c.Properties, "securityEnabled")
			if appears || secured || reads(m, c.Properties, "") {
				touch(w)
				if j.tune != nil && j.tune.lateMembers && !appears && hasReference(m, "members") {
					lateMembers(r, b, &list, c.Num)
				}
			}
			// The purge of a group that was deleted before takes nothing from its members: they lost it then.
			lost := appears && !c.Created && (!c.Purged || c.SoftDeleted)
			if (lost || secured) && len(r.Assigned(j.app, c.Num)) > 0 {
				members(c.Num)
			}
		}
	}
	// Who left a group that was assigned until now is among its members no more.
	assigned := map[uint64]bool{}
	for _, a := range changes.Assignments {
		if a.SP == j.app {
			assigned[a.Principal] = true
		}
	}
	for _, e := range changes.Edges {
		list.refDeltas++
		if !j.all && (assigned[e.Group] || len(r.Assigned(j.app, e.Group)) > 0) {
			if kind, _, _ := r.Standing(e.Member); kind == directory.KindUser {
				touch(work{num: e.Member, kind: directory.KindUser, imp: importUpdate})
			}
		}
		if hasReference(mappingOf(j.set, directory.KindGroup), "members") {
			list.edge(e.Group, e.Member)
			touch(work{num: e.Group, kind: directory.KindGroup, imp: importUpdate, refs: true})
		}
	}
	for _, a := range changes.Assignments {
		if a.SP != j.app {
			continue
		}
		list.deltas++
		touch(work{num: a.Principal, kind: a.Kind, imp: importUpdate})
		if a.Kind == directory.KindGroup {
			members(a.Principal)
		}
	}
	retryReferences(b, &list, users, groups, due, func(n uint64, w work) {
		if w.kind == 0 {
			w.kind = kindOf(r, b, n)
		}
		w.num, w.imp, w.retry = n, importUpdate, true
		touch(w)
	})
	for _, w := range users {
		if w.retry || mappingOf(j.set, w.kind) != nil { // an escrow must not stay open because its mapping was switched off
			list.users = append(list.users, w)
		}
	}
	for _, w := range groups {
		if w.retry || mappingOf(j.set, w.kind) != nil {
			list.groups = append(list.groups, w)
		}
	}
	sortWork(list.users)
	sortWork(list.groups)
	return list
}

// retryReferences adds what is due to the list. A change of an object makes what waits of its references due as well. What
// waits behind a failure of the object itself waits on while that is not due, and what waits for another object is looked
// at when the objects are through.
func retryReferences(b *bbolt.Bucket, list *worklist, users, groups map[uint64]work, due []escrowKey, touch func(uint64, work)) {
	if k, _ := b.Bucket(bucketEscrows).Cursor().First(); k == nil {
		return
	}
	var references []escrowKey
	for _, k := range due {
		if k.kind == EscrowObject {
			touch(k.num, work{})
		} else {
			references = append(references, k)
		}
	}
	for n := range users {
		references = append(references, escrowsOf(b, EscrowManager, n)...)
	}
	for n := range groups {
		references = append(references, escrowsOf(b, EscrowMember, n)...)
	}
	seen := map[escrowKey]bool{}
	for _, k := range references {
		if seen[k] {
			continue
		}
		seen[k] = true
		e, err := getEscrow(b, k)
		if err != nil || e == nil {
			continue
		}
		if e.Code == scim.CodeUnresolvedReference {
			list.unresolved = append(list.unresolved, k)
			continue
		}
		met := users
		if k.kind == EscrowMember {
			met = groups
		}
		if _, now := met[k.num]; !now && waiting(b, k.num) {
			continue
		}
		list.reference(k)
		kind := directory.KindUser
		if k.kind == EscrowMember {
			kind = directory.KindGroup
		}
		touch(k.num, work{kind: kind, refs: true})
	}
}

// waiting reports whether a failure of an object is still to be tried again.
func waiting(b *bbolt.Bucket, n uint64) bool {
	return b.Bucket(bucketEscrows).Get(escrowKey{EscrowObject, n, 0}.bytes()) != nil
}

// lateMembers adds the members of a group that the target was not told of: by a switch, any change of the group repairs what
// was dropped while a member was out of scope.
func lateMembers(r *directory.Reader, b *bbolt.Bucket, list *worklist, group uint64) {
	r.EachMember(group, 0, func(m uint64) bool {
		if _, known := knownIn(b, edge{group, m}); !known {
			list.edge(group, m)
		}
		return true
	})
}

// edge adds a membership.
func (l *worklist) edge(group, member uint64) {
	if l.edges == nil {
		l.edges = map[uint64]map[uint64]bool{}
	}
	if l.edges[group] == nil {
		l.edges[group] = map[uint64]bool{}
	}
	l.edges[group][member] = true
}

// reference adds what a reference's escrow is about.
func (l *worklist) reference(k escrowKey) {
	if k.kind == EscrowMember {
		l.edge(k.num, k.other)
		return
	}
	if l.managers == nil {
		l.managers = map[uint64]bool{}
	}
	l.managers[k.num] = true
}

// kindOf tells the kind of an object that is due, also of one that the directory has forgotten. One of which nothing is
// known any more is a user: there is nothing to do but to close its escrow.
func kindOf(r *directory.Reader, b *bbolt.Bucket, n uint64) directory.Kind {
	if kind, _, ok := r.Standing(n); ok {
		return kind
	}
	if l, err := getLink(b, n); err == nil && l != nil {
		return l.Kind
	}
	return directory.KindUser
}

// reads reports whether a job reads one of the changed properties: always is read in any case.
func reads(m *mapping.ObjectMapping, properties []string, always string) bool {
	for _, p := range properties {
		if p == always || m != nil && m.Reads(p) {
			return true
		}
	}
	return false
}

func hasReference(m *mapping.ObjectMapping, sourceName string) bool {
	return referenceOf(m, sourceName) != ""
}

// referenceOf returns the target attribute that a reference (manager or members) is mapped to, "" when it is not.
func referenceOf(m *mapping.ObjectMapping, sourceName string) string {
	r, _ := m.Reference(sourceName)
	return r.Target
}
