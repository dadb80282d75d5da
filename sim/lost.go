package sim

import (
	"context"
	"strings"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// reckon looks for objects that stand at the target without a link. When a cycle is cut short, by a kill or by the program's
// end, the target may have created an object whose answer is in no commit. Mostly the cycle that goes on meets the object in
// its list and finds it by matching. One that has left scope meanwhile, nothing would be sent for: it would stay active at
// the target for ever. So behind the passes of a cycle that went on, what changed since its beginning, is out of scope and
// has no link is asked for once; what is found, and is this job's by its values, is linked and dealt with like everything
// that leaves scope. Of an object that was purged its names are left to ask by.
func (c *cycle) reckon(request context.Context) error {
	c.j.mu.Lock()
	from := c.j.state.Lost
	c.j.mu.Unlock()
	if from == 0 {
		return nil
	}
	list, err := c.changedSince(from)
	if err != nil {
		return err
	}
	all := true
	for _, w := range list {
		if c.stopping() {
			return errStopped
		}
		out, err := c.lost(request, w)
		if request.Err() != nil {
			return errStopped
		}
		if err != nil { // the target was not asked, or did not say: the next cycle asks again
			all = false
		}
		if out != nil {
			if err := c.commitPartial(out); err != nil {
				return err
			}
		}
	}
	if !all {
		return nil
	}
	c.j.mu.Lock()
	c.j.state.Lost, c.j.dirty = 0, true
	c.j.mu.Unlock()
	return nil
}

// changedSince lists the users and groups whose scope may have changed behind a point of the feed.
func (c *cycle) changedSince(from uint64) (list []work, err error) {
	changes, err := c.s.dir.Changes(from, c.s.dir.LastChange())
	if directory.CodeOf(err) == directory.Expired {
		return nil, nil // the job begins anew and reads everything
	}
	if err != nil {
		return nil, err
	}
	err = c.s.dir.View(func(r *directory.Reader) error {
		b := jobBucket(r.Tx(), c.app)
		if b == nil {
			return errStopped
		}
		own := map[uint64]bool{} // changed themselves, rather than by an assignment or a group
		for _, o := range changes.Objects {
			own[o.Num] = true
		}
		changed := readIncremental(r, b, c, changes, nil)
		for _, w := range append(changed.users, changed.groups...) {
			link, err := getLink(b, w.num)
			if err != nil {
				return err
			}
			if link != nil || b.Bucket(bucketDeparted).Get(key(w.num)) != nil {
				continue
			}
			src, ok := readSource(r, c.app, c.all, c.set, w.num)
			if src.State == directory.Purged && !own[w.num] {
				continue // it was purged before: what was cut short could not create it
			}
			if ok && !src.unread && !src.scope.In() {
				list = append(list, work{num: w.num, kind: w.kind, imp: importUpdate})
			}
		}
		return nil
	})
	return list, err
}

// lost asks the target for an object that has no link and is out of scope, and deals with it when it is there. out is nil
// when there was nothing to ask for, and holds no more than a record when it was not found.
func (c *cycle) lost(ctx context.Context, w work) (out *outcome, err error) {
	t := &step{cycle: c, w: w, out: &outcome{num: w.num, kind: w.kind, escrow: EscrowObject}, rt: resourceType(w.kind)}
	if ok, err := t.load(); err != nil || !ok || t.link != nil || t.src.scope.In() {
		return nil, err
	}
	found, err := t.seek(ctx, "A cycle was cut short: it may have been created before it left scope.", t.made)
	switch {
	case err != nil:
		t.rec.fail(failureOf(err)) // no escrow: the whole look is done again
	case found:
		t.decide(ctx)
		t.out.paid = true
	}
	t.finish(0)
	return t.out, err
}

// made reports whether an object at the target is the one that this job would have created of the source object: nobody
// says that a create was sent, and an account of somebody else may answer to the same name. An identifier that is mapped
// from the directory's own tells; without one every mapped value must be there, and of a purged object too few are left.
func (t *step) made(want mapping.Object, have *scim.Resource) bool {
	rest := 0
	for _, d := range want.Values {
		if !d.Present || d.Attr.ReadsSoftDeleted {
			continue
		}
		a := valueOf(d)
		_, present, equal := scim.Differs(have, a, d.Attr.CaseExact)
		if strings.EqualFold(a.Path, "externalId") {
			return present && equal
		}
		if !equal {
			rest++
		}
	}
	return rest == 0 && t.src.State != directory.Purged
}
