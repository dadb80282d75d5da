package sim

import (
	"context"
	"time"

	"entrasim/directory"
)

const (
	timerExpiry = "~expiry" // names sort behind those of jobs, so that cycles run first at the same instant
	timerTrim   = "~trim"
)

// scheduleUpkeep sets the timers that are of no job.
func (s *Service) scheduleUpkeep() {
	s.scheduleExpiry()
	// By the file, not by this run of the program: days that never come to a full one count as well.
	due := s.clock.Now()
	if n := s.trimmed.Load(); n != 0 {
		due = time.Unix(0, n).Add(trimEvery)
	}
	s.clock.At(timerTrim, due, s.trim)
}

// trimEvery is how much virtual time lies between two trims.
const trimEvery = 24 * time.Hour

// scheduleExpiry sets the timer for the next deleted object whose 30 days end.
func (s *Service) scheduleExpiry() {
	if next, ok := s.dir.NextExpiry(); ok {
		s.clock.At(timerExpiry, next, s.expire)
		return
	}
	s.clock.Cancel(timerExpiry)
}

// expire deletes for good what was deleted 30 days ago.
func (s *Service) expire(_ context.Context, now time.Time) {
	err := s.contained("deleting what has expired", func() error {
		_, err := s.dir.PurgeExpired(now)
		return err
	})
	if err != nil {
		s.log.Error("expired deleted objects stay", "error", err)
		s.clock.At(timerExpiry, now.Add(time.Hour), s.expire) // at once it would fail again, for ever
		return
	}
	s.scheduleExpiry()
}

// DirectoryChanged tells the service of a committed change of the directory; give it to the directory as its OnCommit.
func (s *Service) DirectoryChanged(e directory.Event) {
	s.events.Publish("directory", func() any { return e })
	if due, ok := s.dir.NextExpiry(); ok {
		if at, set := s.clock.Due(timerExpiry); !set || !at.Equal(due) {
			s.scheduleExpiry()
		}
	} else {
		s.clock.Cancel(timerExpiry)
	}
}

// trim drops, once a virtual day, what nobody needs any more: log and audit records and mails past their 30 days, and the part of the change
// feed that every job has read and that is older than the 30 days of a delta token.
func (s *Service) trim(_ context.Context, now time.Time) {
	s.clock.At(timerTrim, now.Add(trimEvery), s.trim)
	s.mu.Lock()
	jobs := s.sortedJobs()
	s.mu.Unlock()
	passed := s.dir.LastChange()
	for _, j := range jobs {
		if w, ok := j.watermark(); ok {
			passed = min(passed, w)
		}
	}
	if err := s.contained("trimming the change feed", func() error { return s.dir.Trim(now, passed, retention) }); err != nil {
		s.log.Error("change feed not trimmed", "error", err)
	}
	if err := s.contained("trimming the log", func() error { return s.trimLog(now) }); err != nil {
		s.log.Error("provisioning log not trimmed", "error", err)
	}
	if err := s.contained("trimming the audit log", func() error { return s.trimNumbered(now) }); err != nil {
		s.log.Error("audit log not trimmed", "error", err)
	}
	s.trimmed.Store(now.UnixNano())
}
