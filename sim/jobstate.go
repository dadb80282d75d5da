package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// jobConfig is what stays the same as long as a job lives.
type jobConfig struct {
	ID         string    `json:"id"`
	TemplateID string    `json:"templateId"`
	AppID      string    `json:"appId"` // object id of the service principal
	Name       string    `json:"name"`  // of the application, for log records
	Created    time.Time `json:"created"`
}

// jobState is what a job remembers from one cycle to the next.
type jobState struct {
	Schedule     ScheduleState `json:"schedule"`
	Scope        Scope         `json:"scope"` // in force: as the setting was when the job ran first, or at the last restart; "" before
	Interval     time.Duration `json:"interval"`
	Ran          bool          `json:"ran"` // a first cycle has ended
	Watermark    uint64        `json:"watermark"`
	HasWatermark bool          `json:"hasWatermark"` // false: the next cycle is an initial one
	Cycle        int           `json:"cycle"`        // number of the last cycle begun
	Running      *place        `json:"running"`      // a cycle that was cut short or is under way
	Next         time.Time     `json:"next"`         // when the next cycle is due; zero when none is
	Resets       uint64        `json:"resets"`       // counts what took the watermark away
	Stores       uint64        `json:"stores"`       // counts what took the links away
	Failures     int           `json:"failures"`     // whole runs that failed, one after another
	Quarantine   *Quarantine   `json:"quarantine"`
	Last         *Execution    `json:"last"`
	LastOK       *Execution    `json:"lastOk"`
	LastExport   *Execution    `json:"lastExport"`
	SteadyFirst  time.Time     `json:"steadyFirst"`
	SteadyLast   time.Time     `json:"steadyLast"`
	Users        int           `json:"users"` // objects that ever entered scope
	Groups       int           `json:"groups"`
	Escrows      int           `json:"escrows"`    // open, objects
	RefEscrows   int           `json:"refEscrows"` // open, references
	Owed         int           `json:"owed"`       // objects whose references are still to be looked at
	Held         int           `json:"held"`       // objects whose deletion is held back
	Forced       uint64        `json:"forced"`     // counts how often held deletions were allowed
	Pruned       bool          `json:"pruned"`     // failures were dropped in the last initial cycle
	Lost         uint64        `json:"lost"`       // what changed since may stand at the target without a link: see reckon; 0: nothing
	Sending      uint64        `json:"sending"`    // end of the change feed when a cycle began to send; 0: none is under way
	Cut          int           `json:"cut"`        // the last cycle that found that requests had been cut off before it
	Demands      int           `json:"demands"`    // runs on demand begun
	ToDate       Counts        `json:"toDate"`
	LastCycle    *CycleResult  `json:"lastCycle"`
	// Endless is the work that comes back in cycle after cycle, by endlessKey. The map is replaced, never changed.
	Endless map[string]endless `json:"endless,omitempty"`
	// Named are settings by name that nothing acts on. The map is replaced, never changed.
	Named map[string]string `json:"named,omitempty"`
}

// place is where a running cycle stands. Everything before it is committed; a cycle that was cut short goes on here.
type place struct {
	Number  int       `json:"number"`
	Kind    CycleKind `json:"kind"`
	Began   time.Time `json:"began"`
	Upto    uint64    `json:"upto"`   // the change that becomes the watermark
	Resets  uint64    `json:"resets"` // of the job when the cycle began
	Stores  uint64    `json:"stores"` // likewise
	Phase   Phase     `json:"phase"`
	Done    rank      `json:"done"`            // every object of the phase up to here is done
	Ahead   []span    `json:"ahead,omitempty"` // and these, while one before them is still in flight
	Counts  Counts    `json:"counts"`
	Records int       `json:"records"`
	Exec    Execution `json:"exec"`
	Request int       `json:"requests"`
	Hold    bool      `json:"hold,omitempty"`   // deletions are held back
	Ending  int       `json:"ending,omitempty"` // so many objects would be switched off or deleted
	Forced  uint64    `json:"forced,omitempty"` // of the job when the cycle began
	Good    int       `json:"good,omitempty"`   // objects that were exported, references left aside
}

// job is a provisioning job at work. Its state is guarded by mu, a running cycle by turn.
type job struct {
	num  uint64 // of the application
	cfg  jobConfig
	turn chan struct{} // holds a token while a cycle runs

	mu        sync.Mutex
	deleted   bool // nothing of the job is run or written any more
	secrets   map[string]string
	options   map[string]string // switches that differ from their defaults, and settings of the job that are no credentials
	schema    *mapping.Schema
	set       *mapping.Set
	state     jobState
	dirty     bool
	discovery *Discovery // the newest report, not kept in the file
	// progress is of the cycle that runs.
	progress *Progress
	client   *scim.Client
	// clientURL is the address that client was made for: the own listener's may change.
	clientURL string

	running atomic.Pointer[cycle] // set and cleared under mu; exchanges are noted with it
}

func (j *job) timer() string { return "cycle " + j.cfg.ID }

// take waits for the running cycle to end and keeps others from beginning.
func (j *job) take(ctx context.Context) error {
	select {
	case j.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (j *job) release() { <-j.turn }

// halt asks a running cycle to stop behind the objects in flight; cause says why. j.mu is held, or nothing can begin.
func (j *job) halt(cause error) {
	if c := j.running.Load(); c != nil {
		c.halt(cause)
	}
}

// hurry lets a running cycle come to its end without waiting for a busy target. j.mu is held.
func (j *job) hurry() {
	if c := j.running.Load(); c != nil {
		c.hurry()
	}
}

// retire keeps a job from running and writing any more; the cycle that runs stops. It is the first step of its deletion.
func (s *Service) retire(j *job) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.deleted = true
	s.clock.Cancel(j.timer())
	j.halt(errDeleted)
}

// revive takes a retirement back, when the deletion could not be written.
func (s *Service) revive(j *job) {
	s.mu.Lock()
	s.jobs[j.num] = j
	s.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.deleted = false
	s.schedule(j)
}

func (j *job) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.dropClient()
}

// dropClient makes the next cycle make a new client; j.mu is held.
func (j *job) dropClient() {
	if j.client != nil {
		j.client.Close()
		j.client = nil
	}
}

func (j *job) started() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state.Schedule == ScheduleActive
}

func (j *job) watermark() (uint64, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if p := j.state.Running; p != nil && !j.state.HasWatermark {
		return p.Upto, true
	}
	return j.state.Watermark, j.state.HasWatermark
}

// readsAll reports whether the cycle that runs or comes next is an initial one, which reads everything in scope.
func (j *job) readsAll() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !j.state.HasWatermark
}

// save writes the state when it changed since the last commit; j.mu is held.
func (j *job) save(tx *bbolt.Tx) error {
	if !j.dirty || j.deleted {
		return nil
	}
	if err := putValue(jobBucket(tx, j.num), keyState, j.state); err != nil {
		return err
	}
	tx.OnCommit(func() { j.dirty = false })
	return nil
}

func newJob(n uint64) *job {
	return &job{num: n, turn: make(chan struct{}, 1), secrets: map[string]string{}, options: map[string]string{}}
}

func (s *Service) readJob(b *bbolt.Bucket, n uint64) (*job, error) {
	j := newJob(n)
	for _, part := range []struct {
		key  []byte
		into any
	}{{keyConfig, &j.cfg}, {keySecrets, &j.secrets}, {keyOptions, &j.options}, {keyState, &j.state}} {
		if _, err := getValue(b, part.key, part.into); err != nil {
			return nil, err
		}
	}
	schema, err := mapping.Parse(b.Get(keySchema))
	if err != nil {
		return nil, fmt.Errorf("data file: schema of job %s: %w", j.cfg.ID, err)
	}
	j.schema = schema
	if j.set, err = mapping.Compile(schema); err != nil {
		return nil, fmt.Errorf("data file: schema of job %s: %w", j.cfg.ID, err)
	}
	return j, nil
}

// schedule sets or clears the timer of the job's next cycle; j.mu is held. While a cycle runs there is none: its end sets it.
func (s *Service) schedule(j *job) {
	if j.deleted || j.running.Load() != nil || j.state.Schedule != ScheduleActive || j.state.Next.IsZero() {
		s.clock.Cancel(j.timer())
		return
	}
	s.clock.At(j.timer(), j.state.Next, func(ctx context.Context, _ time.Time) { s.runCycle(ctx, j, false) })
}

func (s *Service) job(appID string) (*job, error) {
	app, err := s.Application(appID)
	if err != nil {
		return nil, err
	}
	if j := s.jobOf(app.Num); j != nil {
		return j, nil
	}
	return nil, noJob(app)
}

// jobOf returns the job of the application with the given number, nil when it has none.
func (s *Service) jobOf(app uint64) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.jobs[app]
}

func noJob(app Application) error {
	return notFound("%s has no provisioning job; New configuration creates one", app.DisplayName)
}

// view copies a job for callers.
func (s *Service) view(j *job) Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	st := j.state
	v := Job{
		Deleted: j.deleted, ID: j.cfg.ID, TemplateID: j.cfg.TemplateID, ApplicationID: j.cfg.AppID, ApplicationName: j.cfg.Name,
		ScheduleState: st.Schedule, Interval: st.Interval, Settings: s.settings(j), ScopeInForce: s.inForce(j), NextCycle: st.Next,
		ToDate: st.ToDate, Named: j.named(), Escrows: st.Escrows + st.RefEscrows, Held: st.Held, LastCycle: copied(st.LastCycle),
		Endless: st.endlessOf(),
		Status: Status{
			Code: code(&st), CountSuccessiveCompleteFailures: st.Failures, EscrowsPruned: st.Pruned, LastExecution: st.Last.copied(),
			LastSuccessfulExecution: st.LastOK.copied(), LastSuccessfulExecutionWithExport: st.LastExport.copied(),
			Quarantine: copied(st.Quarantine), SteadyStateFirst: st.SteadyFirst, SteadyStateLast: st.SteadyLast,
			Users: st.Users, Groups: st.Groups,
		},
	}
	if st.unstarted() && s.tune(j).olderShape {
		v.Longest = true
		if j.secrets[secretBaseAddress] == "" && j.secrets[secretToken] == "" {
			v.Status.Code = StatusNotConfigured
		}
	}
	if v.LastCycle != nil {
		v.LastCycle.Error = copied(v.LastCycle.Error)
	}
	if q := v.Status.Quarantine; q != nil {
		q.Error, q.Attempts = copied(q.Error), slices.Clone(q.Attempts)
	}
	if st.Schedule != ScheduleActive {
		v.NextCycle = time.Time{}
	}
	v.Progress = copied(j.progress)
	return v
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

func (e *Execution) copied() *Execution {
	c := copied(e)
	if c != nil {
		c.Error = copied(c.Error)
	}
	return c
}

// inForce is the scope that cycles go by: a switch of the setting takes effect with a restart (known-issues.md). j.mu is held.
func (s *Service) inForce(j *job) Scope {
	if j.state.Scope != "" {
		return j.state.Scope
	}
	return s.settings(j).Scope
}

// code derives the status code: paused wins, then quarantine, then whether a first cycle has ended
// (resources/synchronization-synchronizationstatus.md).
func code(st *jobState) StatusCode {
	switch {
	case st.Schedule != ScheduleActive && st.Quarantine == nil:
		return StatusPaused
	case st.Schedule == SchedulePaused:
		return StatusPaused
	case st.Quarantine != nil:
		return StatusQuarantine
	case !st.Ran:
		return StatusNotRun
	}
	return StatusActive
}

// unstarted reports whether nobody has started the job yet; one that a quarantine or failures disabled has run.
func (st *jobState) unstarted() bool {
	return st.Schedule == ScheduleDisabled && st.Cycle == 0
}

// Job returns the provisioning job of an application; the error is directory.NotFound when it has none.
func (s *Service) Job(appID string) (Job, error) {
	j, err := s.job(appID)
	if err != nil {
		return Job{}, err
	}
	return s.view(j), nil
}

// Jobs returns every job, in the order in which the applications were made.
func (s *Service) Jobs() []Job {
	s.mu.Lock()
	jobs := s.sortedJobs()
	s.mu.Unlock()
	list := make([]Job, len(jobs))
	for i, j := range jobs {
		list[i] = s.view(j)
	}
	return list
}

func (s *Service) jobChanged(j *job) {
	s.events.Publish("job", func() any { return s.view(j) })
}

func encodeSchema(schema *mapping.Schema) []byte { return schema.JSON() }

func clone[T any](v T) T {
	var c T
	data, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		panic(fmt.Sprintf("copy of %T: %v", v, err))
	}
	return c
}
