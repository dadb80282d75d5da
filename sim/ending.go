package sim

import (
	"errors"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/sim/scim"
)

// end closes a cycle that ran to its end (err nil), broke off (a scim.Error, or a fault of this program) or was ended by a
// restart. ok is false when the job is gone, of which nothing is written.
func (c *cycle) end(err error) (_ CycleResult, ok bool) {
	j, s := c.j, c.s
	app, appErr := s.Application(j.cfg.AppID)
	if appErr != nil { // the directory lost it; the job's own words do
		app = Application{ID: j.cfg.AppID, DisplayName: j.cfg.Name}
	}
	result, notes, next, kept := c.close(err, app)
	if result.Cycle == 0 {
		return result, false
	}
	n := result.Counts
	switch e := result.Error; {
	case e != nil && e.Code != "None":
		s.log.Error("provisioning cycle failed", "application", j.cfg.Name, "job", j.cfg.ID, "cycle", result.Cycle,
			"code", e.Code, "message", e.Text(), "hint", Cure(e.Code, e.Message), "next", next)
	case n != (Counts{}):
		s.log.Info("provisioning cycle ended", "application", j.cfg.Name, "cycle", result.Cycle, "kind", result.Kind, "state", result.State,
			"created", n.Create, "updated", n.Update, "disabled", n.Disable, "deleted", n.Delete, "skipped", n.Skip, "failed", n.Fail, "requests", result.Requests)
	}
	if kept != nil {
		s.log.Error("job state not written", "job", j.cfg.ID, "error", kept)
	}
	s.ended(result)
	s.jobChanged(j)
	if kept == nil {
		s.audited(notes...)
	}
	return result, true
}

// close ends the cycle for its job and commits what it leaves; a result without a number says that the job is gone. next is
// when the next cycle is due, kept the error of the commit.
func (c *cycle) close(err error, app Application) (result CycleResult, notes []*AuditRecord, next time.Time, kept error) {
	j := c.j
	j.mu.Lock()
	defer j.mu.Unlock()
	j.progress = nil
	j.running.Store(nil)
	if j.deleted {
		return CycleResult{}, nil, next, nil
	}
	result, o := c.conclude(err, app)
	notes = o.notes
	c.s.schedule(j)
	if len(notes) > 0 || o.drop || j.state.Quarantine != nil || result.Counts != (Counts{}) || result.Error != nil && result.Error.Code != "None" {
		kept = o.keep()
	}
	return result, notes, j.state.Next, kept
}

// ending is what the end of a cycle leaves beside the job's state.
type ending struct {
	*cycle
	app   Application
	now   time.Time
	notes []*AuditRecord
	mails []*Mail
	drop  bool // escrows are dropped
}

// conclude changes the job's state by how the cycle ended, and returns what else is to be kept. j.mu is held.
func (c *cycle) conclude(err error, app Application) (result CycleResult, o *ending) {
	j, st, now := c.j, &c.j.state, c.s.clock.Now()
	ex := c.at.Exec
	ex.Began, ex.Ended, ex.ActivityID = c.began, now, c.id
	stopped := err != nil && c.restarted() // whatever broke off, it was the old state's
	switch {
	case stopped:
		ex.State, ex.Error = Failed, &JobError{Code: "None", Message: "The cycle was ended by a restart."}
	case err != nil:
		ex.State, ex.Error = Failed, jobError(err)
	case ex.Escrowed > 0 || st.Escrows+st.RefEscrows > 0:
		// What waits for a later retry is escrowed as well, though the run did not try it: the count goes with the state.
		ex.State, ex.Escrowed = EntryLevelErrors, max(ex.Escrowed, st.Escrows+st.RefEscrows)
		ex.EscrowedRaw = ex.Escrowed
	default:
		ex.State = Succeeded
	}
	st.Last = &ex
	st.Running = nil
	var excess *excessError
	if err != nil && !errors.As(err, &excess) && c.at.Phase != PhaseProbe && st.Lost == 0 {
		st.Lost = c.at.Upto // answers may be in no commit
	}
	result = CycleResult{Job: j.cfg.ID, Cycle: c.number, Kind: c.at.Kind, Began: c.began, Ended: now, State: ex.State,
		Error: copied(ex.Error), Counts: c.at.Counts, Requests: c.at.Request + c.sentSoFar()}
	st.LastCycle = copied(&result)
	st.LastCycle.Error = copied(ex.Error)
	st.ToDate.add(c.at.Counts)
	j.dirty = true
	o = &ending{cycle: c, app: app, now: now}
	switch {
	case stopped: // a restart follows at once
		st.Next = now
	case err == nil:
		c.succeeded(now, &ex)
		reason, e := c.excess()
		if reason == "" {
			st.Quarantine = nil
			break
		}
		next := st.Next
		o.quarantine(reason, e)
		if next.Equal(now) && st.Schedule == ScheduleActive {
			st.Next, st.Quarantine.NextAttempt = now, now
		}
	case isInternal(err) && st.Quarantine == nil:
		// A fault of ours says nothing about the target: the next cycle tries again (howto-analyze-provisioning-logs.md).
		st.Failures++
		st.Next = now.Add(st.Interval)
		o.tell("Provisioning cycle", ex.Error.Code+": "+ex.Error.Text(), ex.Error)
	default:
		st.Failures++
		o.quarantine(reasonOf(err), ex.Error)
	}
	if st.Pruned && err == nil && st.Schedule == ScheduleActive && c.at.Kind == Initial {
		st.Schedule, st.Next = SchedulePaused, time.Time{}
		o.tell("Disable/pause provisioning configuration", "Too many failures in the initial cycle: they were dropped, and the job waits for an administrator.", nil)
	}
	return result, o
}

// keep commits the state in which a cycle left its job, with what goes with it; j.mu is held.
func (o *ending) keep() error {
	return o.s.update(func(tx *bbolt.Tx) error {
		if o.drop {
			if err := clearBuckets(jobBucket(tx, o.cycle.app), bucketEscrows, bucketDue); err != nil {
				return err
			}
		}
		for _, r := range o.notes {
			if err := putAudit(tx, r); err != nil {
				return err
			}
		}
		for _, m := range o.mails {
			if err := putMail(tx, m); err != nil {
				return err
			}
		}
		return o.j.save(tx)
	})
}

// succeeded moves the watermark; what the cycle found in excess of a threshold is the caller's. j.mu is held.
func (c *cycle) succeeded(now time.Time, ex *Execution) {
	st := &c.j.state
	st.Ran, st.Failures = true, 0
	if st.Resets == c.at.Resets {
		st.HasWatermark, st.Watermark = true, c.at.Upto
	}
	if ex.State == Succeeded {
		st.LastOK = ex
		if st.Held == 0 {
			if st.SteadyFirst.IsZero() {
				st.SteadyFirst = now
			}
			st.SteadyLast = now
		}
	}
	if ex.Exported > 0 {
		st.LastExport = ex
	}
	st.Next = now.Add(st.Interval)
	if !st.HasWatermark || st.Forced != c.at.Forced {
		st.Next = now // mappings changed while it ran, or held deletions were allowed: a cycle follows
	}
}

// isInternal reports that a cycle broke off for a reason that is not the target's.
func isInternal(err error) bool {
	var e *scim.Error
	var x *excessError
	return !errors.As(err, &e) && !errors.As(err, &x)
}

func jobError(err error) *JobError {
	var x *excessError
	if errors.As(err, &x) {
		return copied(&x.err)
	}
	var e *scim.Error
	if errors.As(err, &e) {
		return &JobError{Code: e.Code, Message: e.Message, TenantActionable: true, Detail: e.Detail}
	}
	return &JobError{Code: scim.CodeInternalError, Message: err.Error()}
}

func (n *Counts) add(m Counts) {
	n.Create += m.Create
	n.Update += m.Update
	n.Disable += m.Disable
	n.Delete += m.Delete
	n.Skip += m.Skip
	n.Fail += m.Fail
}

// Cure says what an administrator can do about a job's error, in one sentence.
func Cure(code, message string) string {
	switch {
	case strings.HasSuffix(code, "InvalidCredentials"):
		return "Enter the Tenant URL under Connectivity."
	case strings.Contains(message, "Status Code: Unauthorized"):
		return "The target refused the token: enter a new Secret token under Connectivity."
	case strings.Contains(message, "HTTP/404"):
		return "The target has no such address: check the Tenant URL, and that it serves both Users and Groups or that the group mapping is off."
	case strings.Contains(message, "Status Code: Forbidden"):
		return "The target, or an edge before it, refuses the request: check the token's rights, and that requests without User-Agent pass."
	case strings.Contains(message, "An error occurred while sending the request."):
		return "The target gave no answer: check that it runs, its name and port, and that its certificate is trusted."
	case strings.Contains(code, "CredentialValidation"):
		return "The target did not answer the probe with 200 and a SCIM list: the answer above says what came instead."
	}
	return ""
}
