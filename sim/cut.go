package sim

import (
	"go.etcd.io/bbolt"

	"entrasim/directory"
)

// What the target is told is recorded when it has answered. A crash in between must not make it unknown: a member that was
// added, and leaves the group before the cycle goes on, would stay at the target for ever. So a cycle that has work begins
// with a commit that marks the end of the change feed, and whoever finds the mark looks up what has changed since of that
// which may have been sent.

// beginSending sets the mark, unless it stands already or there is nothing to do.
func (c *cycle) beginSending(lists ...[]work) error {
	c.j.mu.Lock()
	marked := c.j.state.Sending != 0
	c.j.mu.Unlock()
	work := 0
	for _, list := range lists {
		work += len(list)
	}
	if marked || work == 0 {
		return nil
	}
	end := c.s.dir.LastChange()
	return c.mark(end, func(*bbolt.Bucket) error { return nil })
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
	changes, err := c.s.dir.Changes(from, 0)
	if directory.CodeOf(err) == directory.Expired {
		c.s.log.Warn("the change feed no longer reaches back to where a cycle was cut short; members that left a group then may have stayed at the target",
			"job", c.j.cfg.ID)
	} else if err != nil {
		return err
	}
	return c.mark(0, func(b *bbolt.Bucket) error {
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
