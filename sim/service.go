// Package sim is the provisioning service: enterprise applications, their provisioning jobs and the cycles that carry
// the directory's changes to a SCIM target, as Microsoft Entra does.
//
// A change travels through plain stages: scope.go decides whether an object is in scope, the mapping room computes what
// the target should hold, plan.go compares that with what the target holds, the scim room writes the requests, link.go,
// escrow.go and record.go keep what follows. cycle.go drives the stages over a work list; job.go and status.go are what
// a job shows of itself. Only the stores of this room talk to bbolt and only the scim room talks HTTP; the package knows
// nothing of web pages. buckets.go draws what is kept in the data file. Start reading at Service.
package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/sim/scim"
)

// Interval is how long a job waits between two incremental cycles, from the end of one to the begin of the next
// (use-scim-to-provision-users-and-groups.md names forty minutes).
const Interval = 40 * time.Minute

// Options of a service. Directory and Clock are required.
type Options struct {
	Directory *directory.Store
	Clock     *clock.Clock
	Seed      int64
	// Concurrency is how many objects are in flight with a real or scaled clock; 0 means 8. Under the manual clock, and
	// while an advance runs, it is one.
	Concurrency int
	// FlushTarget writes what the embedded target holds only in memory. It is called first in each of the service's
	// commits, so that no link outlives the target object that it rests on.
	FlushTarget func(tx *bbolt.Tx) error
	// SelfURL is the address of this program's own listener, such as http://127.0.0.1:8480; nil when there is none.
	SelfURL func() string
	Log     *slog.Logger // nil: no log
	// Wire are the open points of the wire; the zero value stands for scim.DefaultOptions.
	Wire *scim.Options
	// OnExchange is told of every request with its answer, before the exchange is recorded; it must not wait.
	OnExchange func(*scim.Exchange)
	// OnClock reports whether a target, by its tenant URL, lives on Clock, beside those on the own listener.
	OnClock func(url string) bool
	// MaxRetryAfter is how much real time a wait that a target asks for (Retry-After) may take; 0 means five minutes. A
	// longer one is not begun: the operation has failed and is tried again with a later cycle.
	MaxRetryAfter time.Duration
	// LogCount is how many provisioning log records are kept at most; 0 means 1,000,000.
	LogCount int
}

// Service is the provisioning service of one tenant. It is safe for concurrent use.
type Service struct {
	opt     Options
	dir     *directory.Store
	db      *directory.File
	clock   *clock.Clock
	log     *slog.Logger
	wire    scim.Options
	events  Events
	traffic *traffic
	metrics *counters
	ids     recordIDs
	issuer  *issuer

	// shape is held while a job is made or destroyed; it is taken before any other lock.
	shape sync.Mutex

	mu      sync.Mutex
	jobs    map[uint64]*job    // by the number of the application
	owners  map[uint64][]owner // jobs that ever wrote records, by the number of the application, oldest first
	collect *[]CycleResult     // where cycles that end are noted while an advance runs; nil otherwise
	runCtx  context.Context    // ends when Run does
	era     context.Context    // ends with a reset and with the service: what was asked for before it ends, too, for the same cause
	endEra  context.CancelCauseFunc
	closed  bool

	keptMu sync.Mutex
	kept   clockRecord // as it stands in the file
	// trimmed is when upkeep ran last, in nanoseconds since 1970; it is written with the next commit.
	trimmed atomic.Int64

	records int // provisioning log records in the file; guarded by the file's write lock
}

// Open reads the jobs of a tenant's file; in an empty one it makes the buckets and nothing else.
func Open(opt Options) (*Service, error) {
	if opt.Concurrency <= 0 {
		opt.Concurrency = 8
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.MaxRetryAfter <= 0 {
		opt.MaxRetryAfter = 5 * time.Minute
	}
	if opt.LogCount <= 0 {
		opt.LogCount = 1_000_000
	}
	s := &Service{
		opt: opt, dir: opt.Directory, db: opt.Directory.File(), clock: opt.Clock, log: opt.Log,
		wire: scim.DefaultOptions(), traffic: newTraffic(), jobs: map[uint64]*job{}, owners: map[uint64][]owner{}, runCtx: context.Background(),
	}
	s.era, s.endEra = context.WithCancelCause(context.Background())
	s.metrics = newCounters(s)
	s.issuer = &issuer{seed: opt.Seed, tenant: func() string { return s.dir.Tenant().ID }, clock: opt.Clock}
	var err error
	if s.ids, err = newRecordIDs(opt.Seed); err != nil {
		return nil, err
	}
	if opt.Wire != nil {
		s.wire = *opt.Wire
	}
	s.wire.PublicToken = EmbeddedToken
	if s.wire.StandsStill == nil {
		s.wire.StandsStill = opt.Clock.Ordered
	}
	if err := s.db.Update(createBuckets); err != nil {
		return nil, fmt.Errorf("provisioning store: %w", err)
	}
	if err := s.loadJobs(); err != nil {
		return nil, err
	}
	s.clock.OnMove(func() { s.events.Publish("clock", func() any { return s.ClockState() }) })
	return s, nil
}

func (s *Service) loadJobs() error {
	return s.db.View(func(tx *bbolt.Tx) error {
		if _, err := getValue(tx.Bucket(bucketSim), keyClock, &s.kept); err != nil {
			return err
		}
		s.traffic.goOn(s.kept.Exchange)
		if !s.kept.Trimmed.IsZero() {
			s.trimmed.Store(s.kept.Trimmed.UnixNano())
		}
		s.records = tx.Bucket(bucketSim).Bucket(bucketLog).Bucket(bucketRecords).Stats().KeyN
		if err := s.loadOwners(tx); err != nil {
			return err
		}
		b := tx.Bucket(bucketSim).Bucket(bucketJobs)
		return b.ForEachBucket(func(k []byte) error {
			j, err := s.readJob(b.Bucket(k), num(k))
			if err != nil {
				return err
			}
			s.jobs[j.num] = j
			return nil
		})
	})
}

// Clock is the one clock of the program.
func (s *Service) Clock() *clock.Clock { return s.clock }

// Directory is the tenant's directory.
func (s *Service) Directory() *directory.Store { return s.dir }

// Events is the log of what happens, for live pages.
func (s *Service) Events() *Events { return &s.events }

// ClockState is the clock as `/sim/clock` answers it. Rate is virtual seconds per real second, 0 when manual.
type ClockState struct {
	Now  time.Time  `json:"now"`
	Mode clock.Mode `json:"mode"`
	Rate float64    `json:"rate"`
}

// ClockState returns the clock's present setting.
func (s *Service) ClockState() ClockState {
	mode, rate := s.clock.Setting()
	return ClockState{s.clock.Now(), mode, rate}
}

// Run carries out what falls due until ctx ends. It then lets running cycles stop at the next object, which is at most
// the time of one request, and writes what is left to write.
func (s *Service) Run(ctx context.Context) {
	s.Begin(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { s.keepTimeUntil(ctx) })
	s.clock.Run(ctx)
	wg.Wait()
	if err := s.Close(); err != nil {
		s.log.Error("provisioning store not written", "error", err)
	}
}

// Begin sets the timers of everything that is due from now on. Cycles that were missed while the program was off are
// not made up: one runs at once.
func (s *Service) Begin(ctx context.Context) {
	s.mu.Lock()
	s.runCtx = ctx
	jobs := s.sortedJobs()
	s.mu.Unlock()
	for _, j := range jobs {
		j.mu.Lock()
		s.schedule(j)
		j.mu.Unlock()
	}
	s.scheduleUpkeep()
}

// Close lets running cycles stop behind the objects in flight, which takes a second at most, and writes the state that idle
// cycles left in memory. The service can't be used afterwards.
func (s *Service) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	jobs := s.sortedJobs()
	end := s.endEra
	s.mu.Unlock()
	end(ErrEnding)
	for _, j := range jobs {
		j.mu.Lock()
		j.halt(errClosed)
		j.mu.Unlock()
	}
	for _, j := range jobs {
		if err := j.take(context.Background()); err != nil {
			return err
		}
		j.release() // no cycle begins any more
	}
	return s.flushAs(true)
}

// flush commits, in one transaction, the state of every job that changed without a commit and the instant reached.
func (s *Service) flush() error { return s.flushAs(false) }

// flushAs does so; clean tells the file that nothing follows.
func (s *Service) flushAs(clean bool) error {
	s.mu.Lock()
	jobs := s.sortedJobs()
	s.mu.Unlock()
	for _, j := range jobs { // always before bbolt's lock
		j.mu.Lock()
		defer j.mu.Unlock()
	}
	return s.commit(clean, func(tx *bbolt.Tx) error {
		for _, j := range jobs {
			if err := j.save(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// sortedJobs returns the jobs by the number of their application; s.mu is held.
func (s *Service) sortedJobs() []*job {
	list := make([]*job, 0, len(s.jobs))
	for _, j := range s.jobs {
		list = append(list, j)
	}
	sort.Slice(list, func(i, k int) bool { return list[i].num < list[k].num })
	return list
}

func notFound(format string, args ...any) error {
	return &directory.Error{Code: directory.NotFound, Message: fmt.Sprintf(format, args...)}
}

func invalid(property, message, hint string) error {
	return &directory.Error{Code: directory.Invalid, Property: property, Message: message, Hint: hint}
}

// errStopped is the end of a cycle before its time; the cycle's life says why.
var errStopped = errors.New("stopped")
