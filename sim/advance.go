package sim

import (
	"context"
	"fmt"
	"strings"
	"time"

	"entrasim/directory"
)

// errReset ends what was asked for before a reset.
var errReset = &directory.Error{Code: directory.Conflict, Message: "Everything was reset meanwhile.", Hint: "Ask again: the clock stands at its beginning and no job is started."}

// ErrEnding ends what waits for a cycle or an advance when the program ends. Its code is directory.Ending.
var ErrEnding error = &directory.Error{Code: directory.Ending, Message: "The program is ending; the cycle goes on with the next start."}

// Advance moves the clock by d and returns the cycles that ended meanwhile, in the order in which they ended. Advances and
// RunCycles run one after another; a later one waits. The error is ctx's when that ends: the cycle in progress then stops
// behind the objects in flight and goes on with the next advance, or at once where the clock runs by itself. It is
// directory.Conflict when a Reset comes between, and ErrEnding when Close does.
func (s *Service) Advance(ctx context.Context, d time.Duration) ([]CycleResult, error) {
	return s.advance(ctx, func(ctx context.Context) error { return s.clock.Advance(ctx, d) })
}

// AdvanceTo moves the clock to an instant; see Advance. The error is a clock.ErrPast when it lies before now, a
// clock.ErrLate when it is behind the clock's end.
func (s *Service) AdvanceTo(ctx context.Context, until time.Time) ([]CycleResult, error) {
	return s.advance(ctx, func(ctx context.Context) error { return s.clock.AdvanceTo(ctx, until) })
}

func (s *Service) advance(ctx context.Context, move func(context.Context) error) (cycles []CycleResult, err error) {
	var moved error
	err = s.exclusive(ctx, func(ctx context.Context) {
		done := s.collectCycles()
		moved = move(ctx)
		cycles = done()
		if flushed := s.flush(); moved == nil {
			moved = flushed
		}
	})
	if err == nil {
		err = moved
	}
	return cycles, err
}

// exclusive runs f when the advances and cycles that were asked for before are through. The context that f gets ends with
// ctx, with a reset and with the service.
func (s *Service) exclusive(ctx context.Context, f func(ctx context.Context)) error {
	s.mu.Lock()
	era := s.era
	s.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(era, func() { cancel(context.Cause(era)) })()
	err := s.clock.Exclusive(ctx, func(ctx context.Context, _ time.Time) { f(ctx) })
	if err != nil {
		return context.Cause(ctx)
	}
	return nil
}

// collectCycles notes the cycles that end until the function returned is called; only one advance runs at a time.
func (s *Service) collectCycles() func() []CycleResult {
	list := []CycleResult{}
	s.mu.Lock()
	s.collect = &list
	s.mu.Unlock()
	return func() []CycleResult {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.collect = nil
		return list
	}
}

func (s *Service) ended(r CycleResult) {
	s.mu.Lock()
	if s.collect != nil {
		*s.collect = append(*s.collect, r)
	}
	s.mu.Unlock()
	s.metrics.cycle(r)
	s.events.Publish("cycle", func() any { return r })
}

// RunCycles runs the next cycle of each started job, or of the jobs named, now and one after another, and returns when
// they have ended. A job in quarantine counts it as an attempt. A named job that does not exist is directory.NotFound,
// one that is not started directory.Conflict. For ctx and a Reset see Advance.
func (s *Service) RunCycles(ctx context.Context, jobIDs ...string) ([]CycleResult, error) {
	if _, err := s.startedJobs(jobIDs); err != nil { // what can't be is not waited for
		return nil, err
	}
	var results []CycleResult
	var failed error
	err := s.exclusive(ctx, func(ctx context.Context) {
		var jobs []*job
		if jobs, failed = s.startedJobs(jobIDs); failed != nil {
			return
		}
		results = make([]CycleResult, 0, len(jobs))
		for _, j := range jobs {
			if r, ok := s.runCycle(ctx, j, true); ok {
				results = append(results, r)
			}
		}
		failed = s.flush()
	})
	if err == nil {
		err = failed
	}
	return results, err
}

// startedJobs returns the jobs with the given ids, or every started one when none is given.
func (s *Service) startedJobs(ids []string) (jobs []*job, err error) {
	s.mu.Lock()
	all := s.sortedJobs()
	s.mu.Unlock()
	if len(ids) == 0 {
		for _, j := range all {
			if j.started() {
				jobs = append(jobs, j)
			}
		}
		return jobs, nil
	}
	for _, id := range ids {
		j := findJob(all, id)
		if j == nil {
			return nil, notFound("There is no provisioning job %q; Graph lists those of an application at /servicePrincipals/{id}/synchronization/jobs.", id)
		}
		if !j.started() {
			return nil, j.idle()
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// idle is the error of a cycle that is asked of a job which is paused or was never started.
func (j *job) idle() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := &directory.Error{Code: directory.Conflict, Message: fmt.Sprintf("The provisioning job %s was never started.", j.cfg.ID),
		Hint: "Press Start provisioning, or POST to its /start in Graph."}
	if j.state.Schedule == SchedulePaused {
		e.Message = fmt.Sprintf("The provisioning job %s is paused.", j.cfg.ID)
	}
	return e
}

func findJob(jobs []*job, id string) *job {
	for _, j := range jobs {
		if strings.EqualFold(j.cfg.ID, id) {
			return j
		}
	}
	return nil
}
