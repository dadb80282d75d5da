package sim

import (
	"context"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/clock"
)

// clockRecord is the instant that the file has reached. Every commit of the service writes it.
type clockRecord struct {
	Now     time.Time `json:"now"`
	Wall    time.Time `json:"wall"`    // when it was written
	Rate    float64   `json:"rate"`    // virtual seconds per real second at that time; 0 under the manual clock
	Clean   bool      `json:"clean"`   // the last one of a program that ended by itself
	Trimmed time.Time `json:"trimmed"` // when upkeep ran last; zero before the first time
	// Exchange is the number of the last recorded exchange: those that the file's log records name are not above it.
	Exchange uint64 `json:"exchange"`
}

// keepEvery is how often, in real time, the instant is looked at that no commit has written, so that a killed program
// loses no more of it.
const keepEvery = time.Second

// at returns the instant at which a clock of the given mode goes on at wall. Time goes on with the wall while the program
// is off, except under the manual clock. How long a killed program ran on is not known: a clock that kept pace with the
// wall then stands where it would, a faster one ran until the next record at most, with some delay. It never goes back.
func (r clockRecord) at(mode clock.Mode, wall time.Time) time.Time {
	off, ran := max(0, wall.Sub(r.Wall)), time.Duration(0)
	switch {
	case r.Clean || r.Rate == 0:
	case r.Rate == 1:
		ran = off
	default:
		ran = min(off, 2*keepEvery)
	}
	now := r.Now.Add(time.Duration(float64(ran) * r.Rate))
	if mode == clock.Manual {
		return now
	}
	return now.Add(off - ran)
}

// Instant returns where a clock of the given mode goes on in a file. ok is false in a new one.
func Instant(store *directory.Store, mode clock.Mode) (now time.Time, ok bool, err error) {
	var r clockRecord
	err = store.DB().View(func(tx *bbolt.Tx) (err error) {
		if b := tx.Bucket(bucketSim); b != nil {
			ok, err = getValue(b, keyClock, &r)
		}
		return err
	})
	if !ok || err != nil {
		return time.Time{}, false, err
	}
	return r.at(mode, clock.Wall()), true, nil
}

// update commits f, what the embedded target still holds in memory, and the instant reached.
func (s *Service) update(f func(tx *bbolt.Tx) error) error { return s.commit(false, f) }

func (s *Service) commit(clean bool, f func(tx *bbolt.Tx) error) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		if s.opt.FlushTarget != nil {
			if err := s.opt.FlushTarget(tx); err != nil {
				return fmt.Errorf("embedded target: %w", err)
			}
		}
		_, rate := s.clock.Setting()
		r := clockRecord{Now: s.clock.Now(), Wall: clock.Wall().UTC(), Rate: rate, Clean: clean, Exchange: s.traffic.last()}
		if n := s.trimmed.Load(); n != 0 {
			r.Trimmed = time.Unix(0, n).UTC()
		}
		if err := putValue(tx.Bucket(bucketSim), keyClock, r); err != nil {
			return err
		}
		tx.OnCommit(func() {
			s.keptMu.Lock()
			s.kept = r
			s.keptMu.Unlock()
		})
		return f(tx)
	})
}

// keepTimeUntil writes the instant about once a second where it would be lost, until ctx ends.
func (s *Service) keepTimeUntil(ctx context.Context) {
	t := time.NewTicker(keepEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := s.keepTime(); err != nil {
				s.log.Error("the clock's instant is not saved", "error", err)
			}
		}
	}
}

// keepTime writes the instant unless the file leads to it already: that of a clock which keeps pace with the wall, or which
// stands still, is written once.
func (s *Service) keepTime() error {
	mode, rate := s.clock.Setting()
	s.keptMu.Lock()
	r := s.kept
	s.keptMu.Unlock()
	now, wall := s.clock.Now(), clock.Wall()
	missing := now.Sub(r.at(mode, wall)).Abs()
	if missing < keepEvery && (rate == 0 || rate == 1) && (r.Rate == rate || r.Clean) {
		return nil
	}
	return s.update(func(*bbolt.Tx) error { return nil })
}
