package sim

import (
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// excessError breaks an initial cycle off because too many of its operations failed.
type excessError struct {
	reason QuarantineReason
	err    JobError
}

func (e *excessError) Error() string { return e.err.Message }

// reasonOf is why a cycle that broke off brings its job into quarantine.
func reasonOf(err error) QuarantineReason {
	var e *excessError
	if errors.As(err, &e) {
		return e.reason
	}
	return QuarantineException
}

// exceeded compares failures with the thresholds of a job. objects and references are the failures that are open, good is how
// many objects the cycle exported (application-provisioning-quarantine-status.md, "Escrow thresholds").
func (l Limits) exceeded(objects, references, good int) (QuarantineReason, string) {
	switch {
	case objects+references > l.TotalEscrows:
		return QuarantineTotal, fmt.Sprintf("%s wait for another try, more than %d.", plural(objects+references, "failure"), l.TotalEscrows)
	case objects > l.BaseEscrows:
		return QuarantineBase, fmt.Sprintf("%s of objects wait for another try, more than %d.", plural(objects, "failure"), l.BaseEscrows)
	case objects > 0 && objects >= l.ProportionMinimum && objects*100 > l.ProportionPercent*(objects+good):
		return QuarantineProportion, fmt.Sprintf("%d of %s failed, more than %d %%.", objects, plural(objects+good, "operation"), l.ProportionPercent)
	}
	return "", ""
}

// failing reports whether too many operations failed so far. j.mu is held.
func (c *cycle) failing() *excessError {
	st := &c.j.state
	reason, text := c.tune.limits.exceeded(st.Escrows, st.RefEscrows, c.at.Good)
	if reason == "" {
		return nil
	}
	return &excessError{reason, JobError{Code: string(reason), TenantActionable: true,
		Message: "Too many operations failed: " + text + " The provisioning logs show why."}}
}

// excess returns which threshold a cycle that ran to its end exceeds. j.mu is held.
func (c *cycle) excess() (QuarantineReason, *JobError) {
	if e := c.failing(); e != nil {
		return e.reason, &e.err
	}
	if c.at.Hold {
		return QuarantineDeletes, &JobError{Code: string(QuarantineDeletes), TenantActionable: true, Message: fmt.Sprintf(
			"%s would be disabled or deleted, more than the threshold of %d. None of it was carried out.", capital(plural(c.at.Ending, "object")), c.held.limit)}
	}
	return "", nil
}

// suspicious reports whether so much failed that the thresholds are looked at behind each page of an initial cycle. failed
// counts what failed of the page's list so far.
func (c *cycle) suspicious(failed int) bool {
	l := c.tune.limits
	least := min(l.TotalEscrows, l.BaseEscrows)
	least = min(least, l.ProportionMinimum)
	return failed > 0 && failed+c.open >= least
}

// overPage looks at the thresholds behind a page of an initial cycle: the cycle breaks off, or, by a switch, drops the
// failures and goes on (resources/synchronization-synchronizationstatus.md, escrowsPruned).
func (c *cycle) overPage() error {
	c.j.mu.Lock()
	e := c.failing()
	c.open = c.j.state.Escrows + c.j.state.RefEscrows
	c.j.mu.Unlock()
	switch {
	case e == nil:
		return nil
	case !c.tune.limits.PruneInitial:
		c.endSending()
		return e
	}
	c.open = 0
	return c.updateStore(func(b *bbolt.Bucket, _ *bbolt.Tx) error {
		st := &c.j.state
		st.Escrows, st.RefEscrows, st.Pruned = 0, 0, true
		st.forgetEndless(true)
		return clearBuckets(b, bucketEscrows, bucketDue)
	})
}

// attemptsKept is how many attempts of a quarantine are remembered.
const attemptsKept = 100

// quarantine imposes a quarantine, or leaves it in force for one more attempt; after 28 days the job is disabled. What the
// audit log and the administrator are told follows. j.mu is held.
func (o *ending) quarantine(reason QuarantineReason, e *JobError) {
	st, now, limits := &o.j.state, o.now, o.tune.limits
	q, imposed := copied(st.Quarantine), st.Quarantine == nil
	if imposed {
		q = &Quarantine{SeriesBegan: now}
	}
	changed := q.Reason != reason
	q.Reason, q.CurrentBegan, q.Error = reason, now, e
	q.SeriesCount++
	q.Attempts = append(q.Attempts[:len(q.Attempts):len(q.Attempts)], QuarantineAttempt{now, o.number, reason, e.Code, e.Text()})
	if n := len(q.Attempts); n > attemptsKept {
		q.Attempts = append(q.Attempts[:1:1], q.Attempts[n-attemptsKept+1:]...)
	}
	q.NextAttempt = limits.Of(reason).nextAttempt(q.SeriesBegan, now)
	if o.client != nil && o.j.client != o.client { // credentials were saved while it ran: they are tried at once
		q.NextAttempt = now
	}
	st.Quarantine, st.Next = q, q.NextAttempt
	if changed {
		o.tell("Quarantine", e.Code+": "+e.Text(), e)
		o.mail(imposed, q)
	}
	if now.Sub(q.SeriesBegan) < limits.QuarantineEnd || st.Schedule != ScheduleActive {
		return
	}
	st.Schedule, st.Next = ScheduleDisabled, time.Time{}
	q.NextAttempt = time.Time{}
	st.Escrows, st.RefEscrows, o.drop = 0, 0, true
	st.forgetEndless(true)
	o.tell("Disable/pause provisioning configuration", fmt.Sprintf("The job was in quarantine for %s. It was disabled, and the failures that waited for another try were dropped.", lengthText(limits.QuarantineEnd)), nil)
	o.mailDisabled(q)
}

// lengthText is a length of time in words, whole days where it can.
func lengthText(d time.Duration) string {
	if d >= 24*time.Hour && d%(24*time.Hour) == 0 {
		return plural(int(d/(24*time.Hour)), "day")
	}
	return durationText(d)
}

func (o *ending) tell(activity, detail string, e *JobError) {
	r := o.s.auditRecord(o.app, activity, detail, e)
	r.InitiatedBy = provisioningService
	o.notes = append(o.notes, &r)
}

// nextAttempt returns the first step behind now, counted from the begin of the quarantine: the job's steps, then one a day,
// and its end (application-provisioning-quarantine-status.md, "Retry duration").
func (l Limits) nextAttempt(first, now time.Time) time.Time {
	next := l.step(first, now)
	if end := first.Add(l.QuarantineEnd); end.After(now) && end.Before(next) {
		return end
	}
	return next
}

func (l Limits) step(first, now time.Time) time.Time {
	const day = 24 * time.Hour
	for _, d := range l.QuarantineAttempts {
		if t := first.Add(d); t.After(now) {
			return t
		}
	}
	last := first.Add(l.QuarantineAttempts[len(l.QuarantineAttempts)-1])
	return last.Add((now.Sub(last)/day + 1) * day)
}
