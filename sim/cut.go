package sim

import (
	"context"
	"errors"
	"strings"
	"sync"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// What the target is told is recorded when it has answered. A crash in between must not make it unknown: a member that was
// added, and leaves the group before the cycle goes on, would stay at the target for ever. So a cycle that has work begins
// with a commit that marks the end of the change feed, and whoever finds the mark looks up what has changed since of that
// which may have been sent.

// beginSending sets the mark, unless it stands already or there is nothing to do.
func (c *cycle) beginSending(lists ...[]work) error {
	c.j.mu.Lock()
	marked, whole := c.j.state.Sending != 0, !c.resumed && c.j.state.Lost == 0
	c.j.mu.Unlock()
	work := 0
	for _, list := range lists {
		work += len(list)
	}
	if marked || work == 0 {
		return nil
	}
	end := c.s.dir.LastChange()
	return c.mark(end, func(b *bbolt.Bucket) error {
		if k, _ := b.Bucket(bucketDeparted).Cursor().First(); k == nil || !whole {
			return nil
		}
		return clearBuckets(b, bucketDeparted)
	})
}

// endSending removes the mark when the cycle is through and its results are kept. It is written with the next commit; until
// then a crash costs a few members that the target is told twice.
func (c *cycle) endSending() {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	if c.j.state.Sending != 0 {
		c.j.state.Sending, c.j.dirty = 0, true
	}
}

// recallSent puts in doubt what may have been sent when a cycle was cut short: members that have left a group since may
// have been added before, and those that have come back removed.
func (c *cycle) recallSent() error {
	c.j.mu.Lock()
	from := c.j.state.Sending
	c.j.mu.Unlock()
	if from == 0 {
		return nil
	}
	end := c.s.dir.LastChange()
	changes, err := c.s.dir.Changes(from, end)
	if directory.CodeOf(err) == directory.Expired {
		c.s.log.Warn("the change feed no longer reaches back to where a cycle was cut short; members that left a group then may have stayed at the target",
			"job", c.j.cfg.ID)
	} else if err != nil {
		return err
	}
	// The mark moves on and is never without a place: this cycle may be cut short as well.
	return c.mark(end, func(b *bbolt.Bucket) error {
		c.j.state.Cut = c.number
		for _, x := range changes.Edges {
			e := edge{x.Group, x.Member}
			if _, known := knownIn(b, e); known != x.Present || b.Bucket(bucketLinks).Get(key(x.Group)) == nil || b.Bucket(bucketLinks).Get(key(x.Member)) == nil {
				continue
			}
			if err := putEdge(b, e, maybeTold); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *cycle) mark(end uint64, f func(b *bbolt.Bucket) error) error {
	c.j.mu.Lock()
	before, cut := c.j.state.Sending, c.j.state.Cut
	c.j.mu.Unlock()
	err := c.updateStore(func(b *bbolt.Bucket, _ *bbolt.Tx) error {
		c.j.state.Sending = end
		return f(b)
	})
	if err != nil {
		c.j.mu.Lock()
		c.j.state.Sending, c.j.state.Cut = before, cut
		c.j.mu.Unlock()
	}
	return err
}

// cutOff reports whether requests about an object may have been cut off unanswered: in the cycle that goes on behind a
// crash, and in the next, which sees what changed meanwhile.
func (c *cycle) cutOff() bool {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	if c.demand != nil { // no cycle has looked into it yet, or the one behind the crash was the last
		return c.demand.uncertain || c.j.state.Cut > 0 && c.j.state.Cycle <= c.j.state.Cut
	}
	return c.j.state.Cut > 0 && c.number <= c.j.state.Cut+1
}

// names are the objects whose properties changed while a create of theirs may have been under way that nobody remembers: by
// their new names they would not be found, and be created twice.
type names struct {
	mu      sync.Mutex
	from    uint64 // where the cycle that was cut short began; 0 when none was
	upto    uint64 // the feed is read so far
	changed map[uint64]bool
}

// recallNames begins the list where a cycle was cut short.
func (c *cycle) recallNames() {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	c.names.from, c.names.upto = c.j.state.Lost, c.j.state.Lost
}

// renamed reports whether an object is among them. People go on changing things while the cycle goes on.
func (c *cycle) renamed(n uint64) (bool, error) {
	l := &c.names
	if l.from == 0 {
		return false, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if end := c.s.dir.LastChange(); end > l.upto {
		changes, err := c.s.dir.Changes(l.upto, end)
		if directory.CodeOf(err) == directory.Expired {
			c.s.log.Warn("the change feed no longer reaches back to where a cycle was cut short; what was renamed since may be created twice", "job", c.j.cfg.ID)
		} else if err != nil {
			return false, err
		}
		if l.changed == nil {
			l.changed = map[uint64]bool{}
		}
		for _, o := range changes.Objects {
			if len(o.Properties) > 0 {
				l.changed[o.Num] = true
			}
		}
		l.upto = end
	}
	return l.changed[n], nil
}

// formerly asks the target for an object that it may know by an earlier name, by its externalId when that is mapped. A
// target that can't answer that does not know it.
func (t *step) formerly(ctx context.Context, want mapping.Object) (*scim.Resource, error) {
	if renamed, err := t.renamed(t.w.num); err != nil || !renamed {
		return nil, err
	}
	for _, d := range want.Values {
		if !d.Present || !strings.EqualFold(d.Attr.Target, "externalId") || d.Attr.ReadsSoftDeleted {
			continue
		}
		rules := scim.MatchRules(t.rt, valueOf(d))
		found, err := t.client.Match(ctx, t.tag(t.src.ID, "A cycle was cut short, and it was changed since: it may stand there under an earlier name.", rules...), t.rt, valueOf(d), d.Attr.CaseExact)
		var e *scim.Error
		switch {
		case errors.As(err, &e) && e.NoAnswer:
			return nil, err
		case len(found) == 1 && err == nil:
			return found[0], nil
		}
	}
	return nil, nil
}
