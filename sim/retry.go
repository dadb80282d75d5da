package sim

import (
	"fmt"

	"go.etcd.io/bbolt"
)

// noteRetry notes with the failed records of an outcome when they are tried again, and how often they were. The escrow is
// written already. The first retry comes with the next cycle, however it is started: what is named is when the schedule
// starts it.
func (c *cycle) noteRetry(b *bbolt.Bucket, out *outcome) error {
	var k escrowKey
	switch {
	case out.fail == nil || out.waits:
		return nil
	case out.escrow != EscrowMember:
		k = escrowKey{out.escrow, out.num, 0}
	default: // those of one failed request are due together
		for _, e := range out.edges {
			if e.fail != nil && !e.waits {
				k = escrowKey{EscrowMember, e.Group, e.Member}
				break
			}
		}
	}
	e, err := getEscrow(b, k)
	if err != nil || e == nil {
		return err
	}
	due := e.Due
	if now := c.s.clock.Now(); !due.After(now) {
		due = now.Add(c.j.state.Interval)
	}
	for i := range out.records {
		if r := &out.records[i]; r.Status == Failure {
			r.Retry, r.Tries = &due, e.Attempts
		}
	}
	return nil
}

// retryFormat is how messages write an instant, with .NET's seven digits of a second.
const retryFormat = "2006-01-02T15:04:05.0000000Z"

// retryText ends the message of a failed write.
func retryText(r *record) string {
	if !r.Sent || r.Retry == nil {
		return ""
	}
	return fmt.Sprintf(" This operation was retried %d times. It will be retried again after this date: %s UTC", r.Repeats, r.Retry.UTC().Format(retryFormat))
}
