package sim

import (
	"errors"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
)

type clockWall = time.Time

// commitPartial writes a part of one object's outcome while the rest is still under way.
func (c *cycle) commitPartial(out *outcome) error { return c.store([]*outcome{out}, func() {}) }

// store is one transaction: links, memberships, escrows, records, counters and the place of the job. Nothing that is not
// in it is relied on.
func (c *cycle) store(batch []*outcome, move func()) error {
	c.storing.Lock()
	defer c.storing.Unlock()
	var published []*record
	err := c.updateStore(func(b *bbolt.Bucket, tx *bbolt.Tx) error {
		published = published[:0]
		move()
		for _, out := range batch {
			if err := c.storeOutcome(b, out); err != nil {
				return err
			}
			for i := range out.records {
				if out.records[i].Seq == 0 {
					c.at.Records++
					out.records[i].Change = c.at.Records
				}
				if err := c.s.putRecord(tx, &out.records[i]); err != nil {
					return err
				}
				if c.demand == nil {
					c.tally(&out.records[i])
				}
				published = append(published, &out.records[i])
			}
		}
		return nil
	})
	if errors.Is(err, errStopped) {
		return errors.Join(err, c.logOnly(batch))
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	for _, out := range batch {
		if out.link != nil {
			delete(c.anchors, string(anchorKey(out.link.Kind, out.link.Target)))
		}
	}
	c.mu.Unlock()
	if c.demand != nil { // told when they are whole
		return nil
	}
	c.s.tell(published)
	return nil
}

// logOnly writes the records of objects whose outcome comes too late, since a restart dropped the links meanwhile: what was
// asked of the target is logged all the same.
func (c *cycle) logOnly(batch []*outcome) error {
	var published []*record
	c.j.mu.Lock()
	if c.j.deleted || c.j.state.Stores == c.at.Stores {
		c.j.mu.Unlock()
		return nil
	}
	err := c.s.update(func(tx *bbolt.Tx) error {
		published = published[:0]
		for _, out := range batch {
			for i := range out.records {
				r := &out.records[i]
				if len(r.Requests) == 0 {
					continue
				}
				c.at.Records++
				r.Change = c.at.Records
				if err := c.s.putRecord(tx, r); err != nil {
					return err
				}
				published = append(published, r)
			}
		}
		return nil
	})
	c.j.mu.Unlock()
	if err == nil {
		c.s.tell(published)
	}
	return err
}

func pointers(records []record) []*record {
	list := make([]*record, len(records))
	for i := range records {
		list[i] = &records[i]
	}
	return list
}

// tell counts records that were stored, and shows them to live pages; they don't change any more.
func (s *Service) tell(published []*record) {
	for _, r := range published {
		s.metrics.record(r)
		s.events.Publish("log", func() any { return s.worded(r) })
	}
}

// storeOutcome writes one outcome; the job's lock is held.
func (c *cycle) storeOutcome(b *bbolt.Bucket, out *outcome) error {
	st := &c.j.state
	if out.departed { // reckon must not take it for one that was lost
		if err := b.Bucket(bucketDeparted).Put(key(out.num), nil); err != nil {
			return err
		}
	}
	st.moveEndless(out.endless)
	if out.drop {
		if err := c.dropObject(b, out.num); err != nil {
			return err
		}
	}
	if out.link != nil {
		if err := putLink(b, out.link, out.fresh && !out.drop); err != nil {
			return err
		}
		if out.fresh && !out.drop { // one that is linked anew was counted before
			if out.kind == directory.KindUser {
				st.Users++
			} else {
				st.Groups++
			}
		}
	}
	if out.again != nil {
		if err := putAgain(b, out.num, *out.again); err != nil {
			return err
		}
	}
	var before *Escrow
	watch := out.escrow == EscrowObject && (out.fail != nil && out.fail.pair || len(st.Endless) > 0)
	if watch {
		var err error
		if before, err = getEscrow(b, escrowKey{EscrowObject, out.num, 0}); err != nil {
			return err
		}
	}
	if out.escrow != EscrowMember {
		if err := c.settle(b, escrowKey{out.escrow, out.num, 0}, out.fail, out.waits, out.clear); err != nil {
			return err
		}
	}
	for _, e := range out.edges {
		if err := c.storeEdge(b, e); err != nil {
			return err
		}
	}
	if err := c.storeHeld(b, out); err != nil {
		return err
	}
	if err := c.noteRetry(b, out); err != nil {
		return err
	}
	if watch {
		if err := c.noteConflict(b, out, before); err != nil {
			return err
		}
	}
	if err := c.storeOwing(b, out); err != nil {
		return err
	}
	ex := &c.at.Exec
	if out.exported && out.escrow == EscrowObject {
		c.at.Good++
	}
	if out.imported {
		ex.Imported++
	}
	if out.entitled {
		ex.Entitled++
		ex.EntitledForProvisioning++
	}
	return nil
}

// dropObject forgets a link, the memberships known with it, and what still waited to be done for its references.
func (c *cycle) dropObject(b *bbolt.Bucket, n uint64) error {
	if len(c.j.state.Endless) > 0 {
		l, err := getLink(b, n)
		if err != nil {
			return err
		}
		if l != nil {
			if err := c.j.state.unlinkEndless(b, l); err != nil {
				return err
			}
		}
	}
	if err := dropLink(b, n); err != nil {
		return err
	}
	for _, kind := range []EscrowKind{EscrowManager, EscrowMember} {
		for _, k := range escrowsOf(b, kind, n) {
			if err := c.settle(b, k, nil, false, true); err != nil {
				return err
			}
		}
	}
	return c.storeOwing(b, &outcome{num: n, paid: true})
}

func (c *cycle) storeEdge(b *bbolt.Bucket, e edgeResult) (err error) {
	switch e.known {
	case edgeTold:
		err = putEdge(b, e.edge, c.number)
	case edgeMaybe:
		err = putEdge(b, e.edge, maybeTold)
	case edgeUntold:
		err = dropEdge(b, e.edge)
	}
	if err != nil {
		return err
	}
	return c.settle(b, escrowKey{EscrowMember, e.Group, e.Member}, e.fail, e.waits, e.fail == nil)
}

func (c *cycle) storeOwing(b *bbolt.Bucket, out *outcome) error {
	st := &c.j.state
	switch {
	case out.owes != 0:
		fresh, err := owe(b, out.num, out.owes)
		if fresh {
			st.Owed++
		}
		return err
	case out.paid && st.Owed > 0:
		// A look at references says nothing about an object that has no link to have them with.
		how := owes(b, out.num)
		if how == 0 || how == owesSearch && (out.escrow == EscrowManager || out.escrow == EscrowMember) {
			return nil
		}
		st.Owed--
		return b.Bucket(bucketOwed).Delete(key(out.num))
	}
	return nil
}

// settle records a failure as an escrow, or removes the escrow of what succeeded. waits is for what was not tried.
func (c *cycle) settle(b *bbolt.Bucket, k escrowKey, fail *failure, waits, clear bool) error {
	st := &c.j.state
	open := &st.Escrows
	if k.kind != EscrowObject {
		open = &st.RefEscrows
	}
	switch {
	case fail != nil:
		fresh, err := putEscrow(b, k, c.s.clock.Now(), c.number, fail, !waits, c.tune.limits)
		if err != nil {
			return err
		}
		if fresh {
			*open++
		}
	case clear && *open > 0:
		had, err := dropEscrow(b, k)
		if err != nil {
			return err
		}
		if had {
			*open--
		}
	}
	return nil
}

// tally counts a record.
func (c *cycle) tally(r *record) {
	n := &c.at.Counts
	ex := &c.at.Exec
	switch r.Status {
	case Skipped, Warning:
		n.Skip++
		return
	case Failure:
		n.Fail++
		ex.Escrowed++
		ex.EscrowedRaw++
		ex.Exports++
		return
	}
	ex.Exports++
	ex.Exported++
	switch r.Action {
	case ActionCreate:
		n.Create++
	case ActionDisable:
		n.Disable++
	case ActionDelete:
		n.Delete++
	default:
		n.Update++
	}
}

// claims are locks by name, held while a matching value is on its way.
type claims struct {
	mu   sync.Mutex
	held map[string]*claim
}

type claim struct {
	mu    sync.Mutex
	users int
}

func (c *claims) lock(name string) (unlock func()) {
	c.mu.Lock()
	if c.held == nil {
		c.held = map[string]*claim{}
	}
	l := c.held[name]
	if l == nil {
		l = &claim{}
		c.held[name] = l
	}
	l.users++
	c.mu.Unlock()
	l.mu.Lock()
	return func() {
		l.mu.Unlock()
		c.mu.Lock()
		if l.users--; l.users == 0 {
			delete(c.held, name)
		}
		c.mu.Unlock()
	}
}

func fold(s string) string { return strings.ToLower(s) }
