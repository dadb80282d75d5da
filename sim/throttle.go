package sim

import (
	"context"
	"slices"
	"strings"
	"time"

	"entrasim/sim/scim"
)

// longestJump is how far a target on this clock may move it by a wait that takes no real time.
const longestJump = 24 * time.Hour

// waitOut passes the time that a busy target asks a job for. A target on this clock waits by it; that of any other takes
// real time, and virtual time moves by as much. What stops the job's cycle ends the wait; so does a pause of the job, whose
// cycle then goes on as if the target had named no time.
func (s *Service) waitOut(ctx context.Context, j *job, own bool, d time.Duration) error {
	c := j.running.Load()
	if c == nil {
		return s.waitBy(ctx, own, d)
	}
	err := s.waitBy(c.patience, own, d)
	if c.patience.Err() != nil && c.life.Err() == nil {
		return scim.ErrTooLong
	}
	return err
}

func (s *Service) waitBy(ctx context.Context, own bool, d time.Duration) error {
	takes := d
	if own {
		takes = s.clock.Takes(d)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case takes > s.opt.MaxRetryAfter || own && d > longestJump:
		return scim.ErrTooLong
	case own:
		return s.clock.Pass(ctx, d)
	}
	return s.clock.Wait(ctx, d)
}

// onClock reports whether the target at a tenant URL lives on this clock.
func (s *Service) onClock(url string) bool {
	return strings.HasPrefix(s.storedURL(url), selfScheme) || s.opt.OnClock != nil && s.opt.OnClock(url)
}

// cutShort reports that an operation was given up because its cycle stops while it waited, with nothing written before: it
// counts for nothing.
func (o *outcome) cutShort() bool {
	return o.fail != nil && o.fail.Err != nil && o.fail.Err.Cut && !slices.ContainsFunc(o.records, func(r record) bool { return r.Status == Success })
}
