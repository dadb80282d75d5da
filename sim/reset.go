package sim

import (
	"context"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/sim/clock"
)

// Fresh is what a file is reset to.
type Fresh struct {
	Mode clock.Mode
	Rate float64 // used in mode rate only
	Now  time.Time
	// Empty empties what else the file holds: the directory, the embedded target. Nothing runs meanwhile, and no job can be
	// made.
	Empty func() error
	// Fill makes what a new file holds, before anything that waits to run may; nil makes nothing.
	Fill func() error
}

// Reset forgets every application, job, record, exchange and audit entry of the file and puts the clock to what f says. It
// stops running cycles behind the objects in flight, and ends every advance and cycle that was asked for before it.
func (s *Service) Reset(ctx context.Context, f Fresh) error {
	s.mu.Lock()
	end := s.endEra
	s.era, s.endEra = context.WithCancelCause(context.Background())
	s.mu.Unlock()
	end(errReset)
	var failed error
	err := s.clock.Exclusive(ctx, func(ctx context.Context, _ time.Time) {
		if failed = s.wipe(ctx, f); failed == nil && f.Fill != nil {
			failed = f.Fill()
		}
	})
	return errors.Join(failed, err)
}

// wipe does the part of a reset that nothing may come between; the clock is held.
func (s *Service) wipe(ctx context.Context, f Fresh) (err error) {
	s.shape.Lock()
	defer s.shape.Unlock()
	s.mu.Lock()
	jobs := s.sortedJobs()
	clear(s.jobs)
	s.mu.Unlock()
	wiped := false
	for _, j := range jobs {
		s.retire(j)
		defer func() {
			if !wiped {
				s.revive(j)
			}
		}()
	}
	for _, j := range jobs {
		if err := j.take(ctx); err != nil {
			return err
		}
		j.release() // a retired job begins no cycle
	}
	if err := s.clock.Reset(ctx, f.Mode, f.Rate, f.Now); err != nil {
		return err
	}
	trimmed := s.trimmed.Swap(0)
	err = s.db.Update(func(tx *bbolt.Tx) error {
		if err := tx.DeleteBucket(bucketSim); err != nil {
			return err
		}
		s.records = 0
		return createBuckets(tx)
	})
	if err != nil {
		s.trimmed.Store(trimmed)
		return err
	}
	wiped = true
	s.mu.Lock()
	clear(s.owners)
	s.mu.Unlock()
	s.keptMu.Lock()
	s.kept = clockRecord{}
	s.keptMu.Unlock()
	s.traffic.reset()
	for _, j := range jobs {
		j.close()
		s.jobChanged(j)
	}
	if f.Empty != nil {
		err = f.Empty()
	}
	s.scheduleUpkeep()
	return err
}
