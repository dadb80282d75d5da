package sim

import (
	"errors"
	"strings"
	"time"

	"entrasim/sim/scim"
)

// end closes a cycle that ran to its end (err nil), broke off (a scim.Error) or was ended by a restart (errStopped). ok is
// false when the job is gone, of which nothing is written.
func (c *cycle) end(err error) (_ CycleResult, ok bool) {
	j := c.j
	j.mu.Lock()
	j.progress = nil
	j.running.Store(nil)
	if j.deleted {
		j.mu.Unlock()
		return CycleResult{}, false
	}
	now := c.s.clock.Now()
	st := &j.state
	ex := c.at.Exec
	ex.Began, ex.Ended, ex.ActivityID = c.began, now, c.id
	stopped := err != nil && c.restarted() // whatever broke off, it was the old state's
	switch {
	case err != nil:
		ex.State, ex.Error = Failed, jobError(err)
		if stopped {
			ex.Error = &JobError{Code: "None", Message: "The cycle was ended by a restart."}
		}
	case ex.Escrowed > 0 || st.Escrows+st.RefEscrows > 0:
		ex.State = EntryLevelErrors
	default:
		ex.State = Succeeded
	}
	st.Last = &ex
	st.Running = nil
	result := CycleResult{Job: j.cfg.ID, Cycle: c.number, Kind: c.at.Kind, Began: c.began, Ended: now, State: ex.State,
		Error: ex.Error, Counts: c.at.Counts, Requests: c.at.Request + c.sentSoFar()}
	st.LastCycle = &result
	st.ToDate.add(c.at.Counts)

	quarantined := false
	switch {
	case stopped: // a restart follows at once
		st.Next = now
	case err != nil:
		st.Failures++
		quarantined = c.quarantine(now, ex.Error)
	default:
		c.succeeded(now, &ex)
	}
	j.dirty = true
	c.s.schedule(j)
	next := st.Next
	j.mu.Unlock()

	if err != nil && !stopped {
		c.s.log.Error("provisioning cycle failed", "application", j.cfg.Name, "job", j.cfg.ID, "cycle", result.Cycle,
			"code", ex.Error.Code, "message", ex.Error.Message, "hint", Cure(ex.Error.Code, ex.Error.Message), "next", next)
		if app, appErr := c.s.Application(j.cfg.AppID); appErr == nil && quarantined {
			if auditErr := c.s.audit(app, "Quarantine", ex.Error.Code+": "+ex.Error.Message, ex.Error); auditErr != nil {
				c.s.log.Error("audit record not written", "error", auditErr)
			}
		}
		if flushErr := c.s.flush(); flushErr != nil {
			c.s.log.Error("job state not written", "job", j.cfg.ID, "error", flushErr)
		}
	} else if n := c.at.Counts; n != (Counts{}) {
		c.s.log.Info("provisioning cycle ended", "application", j.cfg.Name, "cycle", result.Cycle, "kind", result.Kind, "state", result.State,
			"created", n.Create, "updated", n.Update, "disabled", n.Disable, "deleted", n.Delete, "skipped", n.Skip, "failed", n.Fail, "requests", result.Requests)
		if flushErr := c.s.flush(); flushErr != nil {
			c.s.log.Error("job state not written", "job", j.cfg.ID, "error", flushErr)
		}
	}
	c.s.ended(result)
	c.s.jobChanged(j)
	return result, true
}

// succeeded moves the watermark and lifts a quarantine; j.mu is held.
func (c *cycle) succeeded(now time.Time, ex *Execution) {
	st := &c.j.state
	st.Ran, st.Failures = true, 0
	if st.Resets == c.at.Resets {
		st.HasWatermark, st.Watermark = true, c.at.Upto
	}
	if ex.State == Succeeded {
		st.LastOK = ex
		if st.SteadyFirst.IsZero() {
			st.SteadyFirst = now
		}
		st.SteadyLast = now
	}
	if ex.Exported > 0 {
		st.LastExport = ex
	}
	st.Quarantine = nil
	st.Next = now.Add(st.Interval)
	if !st.HasWatermark {
		st.Next = now // mappings changed while it ran: an initial cycle follows
	}
}

// quarantineSteps are the attempts in quarantine, counted from the first failure; afterwards one a day follows
// (application-provisioning-quarantine-status.md, "Retry duration").
var quarantineSteps = []time.Duration{6 * time.Hour, 12 * time.Hour, 24 * time.Hour}

// quarantineEnd is when a job in quarantine is disabled.
const quarantineEnd = 28 * 24 * time.Hour

// quarantine imposes a quarantine for a critical fault, or leaves it in force for one more attempt; it reports whether it
// is new. After 28 days the job is disabled and its escrows dropped. j.mu is held.
func (c *cycle) quarantine(now time.Time, e *JobError) (imposed bool) {
	st := &c.j.state
	q := st.Quarantine
	if q == nil {
		imposed = true
		q = &Quarantine{SeriesBegan: now}
	} else {
		q = copied(q)
	}
	q.Reason, q.CurrentBegan, q.Error = QuarantineException, now, e
	q.SeriesCount++
	q.NextAttempt = nextAttempt(q.SeriesBegan, now)
	if c.client != nil && c.j.client != c.client { // credentials were saved while it ran: they are tried at once
		q.NextAttempt = now
	}
	st.Quarantine, st.Next = q, q.NextAttempt
	if now.Sub(q.SeriesBegan) >= quarantineEnd {
		st.Schedule, st.Next = ScheduleDisabled, time.Time{}
		q.NextAttempt = time.Time{}
	}
	return imposed
}

// nextAttempt returns the first step behind now.
func nextAttempt(first, now time.Time) time.Time {
	for _, d := range quarantineSteps {
		if t := first.Add(d); t.After(now) {
			return t
		}
	}
	days := int(now.Sub(first)/(24*time.Hour)) + 1
	return first.Add(time.Duration(days) * 24 * time.Hour)
}

func jobError(err error) *JobError {
	var e *scim.Error
	if errors.As(err, &e) {
		return &JobError{Code: string(e.Code), Message: e.Message, TenantActionable: true}
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
	case strings.Contains(code, "CredentialValidationUnavailable"):
		return "The target gave no answer: check that it runs, its name and port, and that its certificate is trusted."
	case strings.Contains(message, "401") || strings.Contains(message, "Unauthorized"):
		return "The target refused the token: enter a new Secret token under Connectivity."
	case strings.Contains(message, "404"):
		return "The target has no such address: check the Tenant URL, and that it serves both Users and Groups or that the group mapping is off."
	case strings.Contains(message, "403") || strings.Contains(message, "Forbidden"):
		return "The target, or an edge before it, refuses the request: check the token's rights, and that requests without User-Agent pass."
	case strings.Contains(code, "CredentialValidationFailure"):
		return "The target did not answer the probe with 200 and a SCIM list: the answer above says what came instead."
	}
	return ""
}
