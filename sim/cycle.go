package sim

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/sim/expr"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// cycle is one run of a job.
type cycle struct {
	s      *Service
	j      *job
	app    uint64
	set    *mapping.Set
	client *scim.Client
	opt    scim.Options
	tune   *tuning
	pace   *pace
	held   held
	all    bool
	began  time.Time
	began0 time.Time // wall time, for the record of durations only

	number  int
	id      string // a GUID
	kind    CycleKind
	resumed bool // it is the rest of a cycle that was cut short
	demand  *demand

	// at is where the cycle stands; once objects are in flight it is guarded by the job's lock.
	at       place
	storing  sync.Mutex // one commit after another
	mu       sync.Mutex
	anchors  map[string]uint64 // links made by this cycle that are not committed yet
	names    names
	reads    map[uint64]read // managers as the target returned them in this cycle
	claims   claims
	requests map[string][]uint64 // recorded exchanges of the objects in flight
	warned   map[string][]string // rules that their answers broke
	quiet    map[string]record   // of objects that were read, and of which the record of their references is to tell
	sent     int

	open      int          // failures that were open when the thresholds were last looked at
	failed    atomic.Int32 // operations of this run that failed
	unhealthy atomic.Int32
	fatal     error // what breaks the cycle off, beside the results of its objects

	// life ends when the cycle is to stop behind the objects in flight; its cause says why. halt ends it.
	life context.Context
	halt context.CancelCauseFunc
	// patience ends with the cycle's life, or earlier: then it runs on, and waits for no busy target any more.
	patience context.Context
	hurry    context.CancelFunc
}

// Why a cycle stops before its end. With any other cause it is kept and goes on later.
var (
	errRestarted = errors.New("restarted")
	errDeleted   = errors.New("deleted")
	errClosed    = errors.New("closed")
)

// read is what the target returned for a user in this cycle.
type read struct {
	manager string
	known   bool // the user was read, or created, in this cycle
}

// runCycle runs the next cycle of a job, or the rest of one that was cut short. One that a timer begins is not forced: when
// another has run while it waited for its turn it is due no more. ok is false when there was nothing to run, or when it was
// interrupted and will go on later.
func (s *Service) runCycle(ctx context.Context, j *job, forced bool) (result CycleResult, ok bool) {
	if err := j.take(ctx); err != nil {
		j.mu.Lock()
		s.schedule(j) // the timer is spent, the cycle still due
		j.mu.Unlock()
		return result, false
	}
	defer j.release()
	if err := s.contained("running a cycle", func() error {
		result, ok = s.cycleOf(ctx, j, forced)
		return nil
	}); err != nil {
		s.putOff(j)
		return CycleResult{}, false
	}
	return result, ok
}

// cycleOf is the cycle of a job whose turn it is.
func (s *Service) cycleOf(ctx context.Context, j *job, forced bool) (result CycleResult, ok bool) {
	c := s.begin(ctx, j, forced)
	if c == nil {
		return result, false
	}
	defer c.halt(nil)
	defer c.hurry()
	s.jobChanged(j)
	err := s.contained("running a cycle", c.run)
	if left := c.tellLeft(); left != nil && !errors.Is(left, errStopped) {
		err = errors.Join(err, left)
	}
	if errors.Is(err, errStopped) && !c.restarted() {
		c.interrupted()
		return result, false
	}
	return c.end(err)
}

// putOff gives up a cycle that could not even be ended: the next one is due an interval later, from the last commit.
func (s *Service) putOff(j *job) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.progress = nil
	j.running.Store(nil)
	if j.state.Schedule == ScheduleActive {
		j.state.Next = s.clock.Now().Add(j.state.Interval)
	}
	j.dirty = true
	s.schedule(j)
}

// closing reports whether the program is going down.
func (s *Service) closing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runCtx.Err() != nil || s.closed
}

// begin makes the next cycle, or takes up the one that was cut short; nil when none is to run.
func (s *Service) begin(ctx context.Context, j *job, forced bool) *cycle {
	closing, run := s.closing(), s.runContext()
	j.mu.Lock()
	defer j.mu.Unlock()
	now := s.clock.Now()
	if j.deleted || closing || j.state.Schedule != ScheduleActive {
		return nil
	}
	if !forced && (j.state.Next.IsZero() || j.state.Next.After(now)) {
		s.schedule(j)
		return nil
	}
	c := s.newCycle(j)
	if p := j.state.Running; p != nil && j.state.Lost == 0 {
		j.state.Lost = p.Upto
	}
	if j.state.Sending != 0 && j.state.Lost == 0 { // a run on demand was cut short
		j.state.Lost = j.state.Sending
	}
	if p := j.state.Running; p != nil && p.Resets == j.state.Resets && p.Stores == j.state.Stores {
		c.at, c.resumed = *p, true
	} else {
		c.at = place{Number: j.state.Cycle + 1, Kind: Incremental, Began: now, Upto: s.dir.LastChange(), Resets: j.state.Resets, Stores: j.state.Stores, Forced: j.state.Forced, Phase: PhaseProbe}
		if !j.state.HasWatermark {
			c.at.Kind = Initial
			j.state.Pruned = false
		}
		j.state.Cycle = c.at.Number
		if !j.state.Ran { // the first cycle reads everything anew, however often it is tried
			j.state.Scope = s.settings(j).Scope
		}
	}
	c.all = s.inForce(j) == SyncAll // a first cycle fixes the scope
	c.began, c.number, c.kind = c.at.Began, c.at.Number, c.at.Kind
	c.id = guid(s.opt.Seed, "cycle", j.cfg.ID, c.number)
	if c.at.Exec.ActivityID == "" {
		c.at.Exec.ActivityID = c.id
	}
	c.live(ctx, run)
	c.pace = c.newPace()
	c.open = j.state.Escrows + j.state.RefEscrows
	j.progress = &Progress{Cycle: c.number, CycleID: c.id, Kind: c.at.Kind, Phase: PhaseProbe, Began: c.began, Counts: c.at.Counts, Requests: c.at.Request}
	running := c.at
	j.state.Running = &running
	j.dirty = true
	j.running.Store(c)
	s.schedule(j)
	return c
}

// newCycle makes a cycle by the job's present mappings; j.mu is held.
func (s *Service) newCycle(j *job) *cycle {
	tune := s.tune(j)
	return &cycle{
		s: s, j: j, app: j.num, set: j.set, opt: tune.wire, tune: tune, began0: clock.Wall(),
		anchors: map[string]uint64{}, reads: map[uint64]read{}, requests: map[string][]uint64{}, warned: map[string][]string{},
		quiet: map[string]record{},
	}
}

// live begins the cycle's life, which ends with ctx, with the program's run, and when halt is called.
func (c *cycle) live(ctx, run context.Context) {
	c.life, c.halt = context.WithCancelCause(ctx)
	c.patience, c.hurry = context.WithCancel(c.life)
	unhook := context.AfterFunc(run, func() { c.halt(run.Err()) })
	context.AfterFunc(c.life, func() { unhook() })
}

// requestContext is the context of the cycle's requests. Those in flight end by themselves when the cycle is to stop. They
// get a second where nobody may wait longer: at the program's end, for a client that went away, and of a job that is gone.
// An answer that comes later is lost, and the object matched anew.
func (c *cycle) requestContext() (context.Context, context.CancelFunc) {
	request, cancel := context.WithCancel(context.WithoutCancel(c.life))
	unhook := context.AfterFunc(c.life, func() {
		if !c.restarted() {
			time.AfterFunc(grace, cancel)
		}
	})
	return request, func() { unhook(); cancel() }
}

// run sends the probes and does the work; errStopped means that it was stopped.
func (c *cycle) run() error {
	if err := c.connect(); err != nil {
		return err
	}
	request, cancel := c.requestContext()
	defer cancel()

	probe := func() error {
		err := c.probe(request, "Each cycle begins by asking for an object that can't exist.", "W-043")
		if err != nil && c.stopping() {
			return errStopped
		}
		return err
	}
	late := c.probesLate()
	if !late {
		if err := probe(); err != nil {
			return err
		}
	}
	if err := c.recallSent(); err != nil {
		return err
	}
	c.recallNames()
	list, err := c.read()
	if err != nil {
		return err
	}
	if err := c.judge(&list); err != nil {
		return err
	}
	if late {
		if c.nothing(&list) {
			return nil
		}
		if err := probe(); err != nil {
			return err
		}
	}
	c.progress(func(p *Progress) {
		p.UsersTotal, p.GroupsTotal = len(list.users), len(list.groups)
	})
	// That it began is in the file before the target may be told of anything: see recallSent and reckon.
	if err := c.beginSending(list.users, list.groups); err != nil {
		return err
	}
	if err := c.pass(request, PhaseUsers, list.users, c.user); err != nil {
		return err
	}
	if err := c.pass(request, PhaseGroups, list.groups, c.group); err != nil {
		return err
	}
	refs, err := c.references(&list)
	if err != nil {
		return err
	}
	if err := c.beginSending(refs); err != nil {
		return err
	}
	c.progress(func(p *Progress) { p.ReferencesTotal = len(refs) })
	if err := c.pass(request, PhaseReferences, refs, func(ctx context.Context, w work) *outcome {
		if w.kind == directory.KindUser {
			return c.manager(ctx, w, list)
		}
		return c.members(ctx, w, list)
	}); err != nil {
		return err
	}
	c.endSending()
	return c.reckon(request)
}

// grace is how long requests in flight may take when a cycle must stop soon.
const grace = time.Second

func (s *Service) runContext() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runCtx
}

func (c *cycle) stopping() bool { return c.life.Err() != nil }

// restarted reports whether a restart stops the cycle.
func (c *cycle) restarted() bool { return errors.Is(context.Cause(c.life), errRestarted) }

// connect makes the job's client, or takes the one of the last cycle.
func (c *cycle) connect() error {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	url := c.s.presentURL(c.j.secrets[secretBaseAddress])
	if c.j.client == nil || c.j.clientURL != url {
		c.j.dropClient()
		client, err := c.s.newClient(c.j.cfg.TemplateID, url, c.j.secrets[secretToken], c.opt, c.j)
		if err != nil {
			return err
		}
		c.j.client, c.j.clientURL = client, url
	}
	c.client = c.j.client
	return nil
}

// newClient makes a client that records its exchanges; j is nil for a connection test.
func (s *Service) newClient(template, url, token string, wire scim.Options, j *job) (*scim.Client, error) {
	ep, err := endpointOf(template, url)
	if err != nil {
		return nil, scim.InvalidTenantURL(err)
	}
	return s.clientOf(ep, url, token, wire, j)
}

// clientOf makes a client for an endpoint that was read from a URL.
func (s *Service) clientOf(ep scim.Endpoint, url, token string, wire scim.Options, j *job) (*scim.Client, error) {
	wire.Bearer = s.issuer.bearer // of a job without a Secret token
	if j == nil {
		wire.HonourRetryAfter = false // somebody looks on
	} else {
		own := s.onClock(url)
		wire.Pace = func(ctx context.Context) {
			if c := j.running.Load(); c != nil {
				c.pace.request(ctx)
			}
		}
		wire.Wait = func(ctx context.Context, d time.Duration) error { return s.waitOut(ctx, j, own, d) }
	}
	return scim.NewClient(ep, token, wire, s.clock.Now, func(e *scim.Exchange) {
		if s.opt.OnExchange != nil {
			s.opt.OnExchange(e)
		}
		id, era := s.traffic.add(e)
		s.metrics.request(e)
		// The event holds no exchange: what the limits of the traffic let go is to be gone.
		s.events.Publish("exchange", func() any {
			if e := s.traffic.of(id, era); e != nil {
				return exchangeOf(id, e)
			}
			return exchangeOf(id, &scim.Exchange{Err: "no longer kept"})
		})
		if j != nil {
			j.recorded(id, e)
		}
	}), nil
}

// recorded notes an exchange with the cycle and the object that it belongs to.
func (j *job) recorded(id uint64, e *scim.Exchange) {
	c := j.running.Load()
	if c == nil {
		return
	}
	c.mu.Lock()
	c.sent++
	if e.Object != "" {
		c.requests[e.Object] = append(c.requests[e.Object], id)
		for _, rule := range e.Warnings {
			if !slices.Contains(c.warned[e.Object], rule) {
				c.warned[e.Object] = append(c.warned[e.Object], rule)
			}
		}
	}
	c.mu.Unlock()
}

// noteExchanges moves the exchanges of an object into its record.
func (c *cycle) noteExchanges(r *record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Requests, r.Warnings = c.requests[r.ID], c.warned[r.ID]
	delete(c.requests, r.ID)
	delete(c.warned, r.ID)
	delete(c.quiet, r.ID)
}

// unsaid leaves the exchanges of an object to the record of its references.
func (c *cycle) unsaid(r record) {
	c.mu.Lock()
	c.quiet[r.ID] = r
	c.mu.Unlock()
}

// isLeft reports whether exchanges of an object wait for a record.
func (c *cycle) isLeft(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.quiet[id]
	return ok
}

// left is the record of an object whose exchanges no other record named.
func (c *cycle) left(id string) (r record, ok bool) {
	c.mu.Lock()
	r, ok = c.quiet[id]
	c.mu.Unlock()
	if ok {
		c.noteExchanges(&r)
		r.equal()
	}
	return r, ok
}

// tellLeft keeps the records of objects whose references a cycle did not come to.
func (c *cycle) tellLeft() error {
	c.mu.Lock()
	ids := slices.Sorted(maps.Keys(c.quiet))
	c.mu.Unlock()
	var batch []*outcome
	for _, id := range ids {
		r, _ := c.left(id)
		batch = append(batch, &outcome{num: r.Num, kind: r.Kind, escrow: EscrowMember, records: []record{r}})
	}
	if len(batch) == 0 {
		return nil
	}
	return c.store(batch, func() {})
}

// probe asks for objects that can't exist, one for each object type that the job provisions. Every cycle begins so.
func (c *cycle) probe(ctx context.Context, reason, rule string) error {
	tag := c.tag("", reason, rule)
	return probe(ctx, c.client, c.set, tag, func(kind string) string {
		return guid(c.s.opt.Seed, "probe", c.j.cfg.ID, c.number, kind)
	})
}

func probe(ctx context.Context, client *scim.Client, set *mapping.Set, tag scim.Tag, value func(kind string) string) error {
	for _, m := range []*mapping.ObjectMapping{set.Users, set.Groups} {
		if m == nil || !m.Enabled || len(m.Matching) == 0 {
			continue
		}
		rt := scim.User
		if m == set.Groups {
			rt = scim.Group
			tag.Rules = append(tag.Rules[:len(tag.Rules):len(tag.Rules)], "W-041")
		}
		path := m.Attributes[m.Matching[0].Index].Target
		if err := client.Probe(ctx, tag, rt, path, value(rt.Path())); err != nil {
			return err
		}
	}
	return nil
}

// read puts the work list together in one read transaction.
func (c *cycle) read() (list worklist, err error) {
	if c.at.Kind == Incremental {
		c.j.mu.Lock()
		from := c.j.state.Watermark
		c.j.mu.Unlock()
		if c.idle(from) {
			return list, nil
		}
		changes, err := c.s.dir.Changes(from, c.at.Upto)
		if directory.CodeOf(err) == directory.Expired {
			c.s.log.Warn("the change feed no longer reaches back to the job's watermark; all objects are read", "job", c.j.cfg.ID)
			c.at.Kind, c.kind = Initial, Initial
		} else if err != nil {
			return list, err
		} else {
			err = c.s.dir.View(func(r *directory.Reader) error {
				b := jobBucket(r.Tx(), c.app)
				list = readIncremental(r, b, c, changes, dueEscrows(b, c.began))
				return nil
			})
			c.count(func(e *Execution) {
				e.ImportedDeltas, e.ImportedReferenceDeltas = list.deltas, list.refDeltas
			})
			return list, err
		}
	}
	err = c.s.dir.View(func(r *directory.Reader) error {
		list = readInitial(r, jobBucket(r.Tx(), c.app), c.app, c.all)
		if mappingOf(c.set, directory.KindUser) == nil {
			list.users = nil
		}
		if mappingOf(c.set, directory.KindGroup) == nil {
			list.groups = nil
		}
		return nil
	})
	return list, err
}

// probesLate reports whether the probes wait until it is known that there is something to do: by a switch, and never in
// quarantine, which a cycle without a probe could not lift.
func (c *cycle) probesLate() bool {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	return !c.opt.ProbeIdleCycles && c.at.Kind == Incremental && c.j.state.Quarantine == nil
}

// nothing reports whether a cycle has no object to look at.
func (c *cycle) nothing(list *worklist) bool {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	return !list.full && len(list.users)+len(list.groups)+len(list.managers)+len(list.edges)+len(list.unresolved) == 0 && c.j.state.Owed == 0 && c.j.state.Lost == 0
}

// idle reports, without reading the file, that nothing changed and nothing waits.
func (c *cycle) idle(from uint64) bool {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	return from == c.at.Upto && c.j.state.Escrows+c.j.state.RefEscrows+c.j.state.Owed+c.j.state.Held == 0
}

func (c *cycle) count(f func(*Execution)) {
	c.j.mu.Lock()
	f(&c.at.Exec)
	c.j.mu.Unlock()
}

func (c *cycle) progress(f func(*Progress)) {
	c.j.mu.Lock()
	if c.j.progress != nil {
		f(c.j.progress)
		c.j.progress.Counts = c.at.Counts
		c.j.progress.Requests = c.at.Request + c.sentSoFar()
	}
	c.j.mu.Unlock()
}

func (c *cycle) sentSoFar() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

// tag labels a request with what it is for.
func (c *cycle) tag(object, reason string, ruleIDs ...string) scim.Tag {
	return scim.Tag{Job: c.j.cfg.ID, CycleID: c.id, Cycle: max(0, c.number), Object: object, Reason: reason, Rules: ruleIDs}
}

// env is what expressions may ask for beside attributes.
func (c *cycle) env(object string) *expr.Env {
	return &expr.Env{
		Now: c.s.clock.Now(), DefaultDomain: c.s.dir.Tenant().DefaultDomain,
		Rand: func(purpose string) io.Reader { return chance(c.s.opt.Seed, purpose, c.j.cfg.ID, object) },
	}
}

// interrupted keeps the cycle, which goes on at once where the clock runs by itself; everything up to its place is committed.
func (c *cycle) interrupted() {
	j := c.j
	j.mu.Lock()
	if !j.deleted {
		c.keepPlace()
		if j.state.Schedule == ScheduleActive {
			j.state.Next = c.s.clock.Now()
		}
		j.dirty = true
	}
	j.progress = nil
	j.running.Store(nil)
	c.s.schedule(j)
	j.mu.Unlock()
	c.s.jobChanged(j)
}

func (c *cycle) keepPlace() {
	p := c.at
	p.Request += c.sentSoFar()
	c.j.state.Running = &p
}

// updateStore commits the results of a pass with the job's place; when that fails, place and state are what they were. A
// job's lock is always taken before bbolt's.
func (c *cycle) updateStore(f func(b *bbolt.Bucket, tx *bbolt.Tx) error) error {
	j := c.j
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.deleted || j.state.Stores != c.at.Stores { // links that were dropped while it ran must not come back
		return errStopped
	}
	at, state := c.at, j.state
	err := c.s.update(func(tx *bbolt.Tx) error {
		if err := f(jobBucket(tx, c.app), tx); err != nil {
			return err
		}
		if c.demand == nil {
			c.keepPlace()
		}
		j.dirty = true
		return j.save(tx)
	})
	if err != nil {
		c.at, j.state = at, state
	}
	return err
}
