// Package clock is the one clock of the program: real, scaled or manual time, and the queue of what falls due on it.
//
// Everything that happens at an instant (a cycle, a retry, the expiry of a deleted item) is a named timer. In the
// real and rate modes the timers fire as wall time passes; an advance, in any mode, fires what falls due in one total
// order (due time, then name) and leaves the clock at the instant asked for. Work takes no virtual time while an
// advance runs or the clock is manual. The package knows nothing of jobs or directories. Start reading at Clock.
package clock

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Mode says how virtual time passes.
type Mode string

// The modes of a clock.
const (
	Real   Mode = "real"   // as wall time does
	Rate   Mode = "rate"   // wall time multiplied
	Manual Mode = "manual" // only by an advance
)

// Work is what a timer runs. now is the virtual instant at which it fell due.
type Work func(ctx context.Context, now time.Time)

type timer struct {
	name string
	due  time.Time
	work Work
}

// Clock is safe for concurrent use. Make one with New.
type Clock struct {
	mu     sync.Mutex
	mode   Mode
	rate   float64
	base   time.Time // the virtual instant at wall
	wall   time.Time
	shown  time.Time // the latest instant shown since wall, in mode Real
	frozen bool      // an advance is running: now is base
	timers map[string]timer
	wake   chan struct{} // holds a token when the runner must look again

	turn    chan struct{} // held by the advance (or exclusive section) that runs
	running int           // timers fired by the runner whose work has not ended
	idle    chan struct{} // closed when running falls to 0; nil when nobody waits
	onMove  func()
}

// New returns a clock that shows start now. A rate is used in mode Rate only and must be positive.
func New(mode Mode, rate float64, start time.Time) *Clock {
	return &Clock{
		mode: mode, rate: rateOf(mode, rate), base: start.UTC(), wall: time.Now(),
		timers: map[string]timer{}, wake: make(chan struct{}, 1), turn: make(chan struct{}, 1),
	}
}

// OnMove sets a function that is called, outside any lock, after the clock was set, moved or changed in mode.
func (c *Clock) OnMove(f func()) {
	c.mu.Lock()
	c.onMove = f
	c.mu.Unlock()
}

func (c *Clock) moved() {
	c.mu.Lock()
	f := c.onMove
	c.mu.Unlock()
	if f != nil {
		f()
	}
}

func (c *Clock) now() time.Time {
	if c.mode == Manual || c.frozen {
		return c.base
	}
	since := time.Since(c.wall)
	if c.mode == Real {
		// By the wall, which goes on while the machine sleeps; where it is set back, by the machine's own count of time.
		since = max(since, time.Now().Round(0).Sub(c.wall.Round(0)), c.shown.Sub(c.base))
		c.shown = c.base.Add(since)
	}
	seconds := since.Seconds() * c.rate
	if seconds >= Latest.Sub(c.base).Seconds() {
		return Latest
	}
	return c.base.Add(time.Duration(seconds * float64(time.Second)))
}

// Latest is where the clock stops: instants are kept as nanoseconds since 1970, which end in the year 2262.
var Latest = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// pass lets d go by; c.mu is held.
func (c *Clock) pass(d time.Duration) {
	if d = max(0, d); d > Latest.Sub(c.base) {
		c.base = Latest
		return
	}
	c.base = c.base.Add(d)
}

// Now is the virtual instant, UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

// Setting returns the mode and the rate: 1 in mode Real, 0 in mode Manual.
func (c *Clock) Setting() (Mode, float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.mode {
	case Manual:
		return Manual, 0
	case Real:
		return Real, 1
	}
	return Rate, c.rate
}

// Set changes mode and rate; the instant stays. A rate that is not positive is an error.
func (c *Clock) Set(mode Mode, rate float64) error {
	switch mode {
	case Real, Manual:
		rate = 1
	case Rate:
		if !(rate > 0 && rate <= 1e7) { // said so that it refuses NaN as well
			return fmt.Errorf("rate %v: want a number above 0, at most 10000000", rate)
		}
	default:
		return fmt.Errorf("clock mode %q: want real, rate or manual", mode)
	}
	c.mu.Lock()
	c.base, c.wall = c.now(), time.Now()
	c.mode, c.rate = mode, rate
	c.mu.Unlock()
	c.kick()
	c.moved()
	return nil
}

// Reset makes the clock what New makes of the same values: every timer goes, work that the runner fired is waited for, and
// the instant may lie before the present one. Call it inside Exclusive. When ctx ends first, the timers are gone and the
// rest stays.
func (c *Clock) Reset(ctx context.Context, mode Mode, rate float64, start time.Time) error {
	for {
		c.mu.Lock()
		clear(c.timers)
		c.mu.Unlock()
		if err := c.quiet(ctx); err != nil {
			return err
		}
		c.mu.Lock()
		if c.running == 0 { // work that ended may have set a timer
			clear(c.timers)
			c.mode, c.rate = mode, rateOf(mode, rate)
			c.base, c.wall, c.shown = start.UTC(), time.Now(), time.Time{}
			c.mu.Unlock()
			c.kick()
			c.moved()
			return nil
		}
		c.mu.Unlock()
	}
}

func rateOf(mode Mode, rate float64) float64 {
	if mode != Rate || rate <= 0 {
		return 1
	}
	return rate
}

// At sets the timer called name; an earlier one of that name is replaced. A due time that has passed is due at once.
func (c *Clock) At(name string, due time.Time, work Work) {
	c.mu.Lock()
	c.timers[name] = timer{name, due.UTC(), work}
	c.mu.Unlock()
	c.kick()
}

// Cancel removes the timer called name, if there is one.
func (c *Clock) Cancel(name string) {
	c.mu.Lock()
	delete(c.timers, name)
	c.mu.Unlock()
	c.kick()
}

// Due returns when the timer called name falls due.
func (c *Clock) Due(name string) (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.timers[name]
	return t.due, ok
}

// Next returns the timer that falls due first.
func (c *Clock) Next() (name string, due time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.first()
	return t.name, t.due, ok
}

// first finds the earliest timer, ties by name. There are as many timers as jobs and a few, so a walk is enough.
func (c *Clock) first() (best timer, ok bool) {
	for _, t := range c.timers {
		if !ok || t.due.Before(best.due) || t.due.Equal(best.due) && t.name < best.name {
			best, ok = t, true
		}
	}
	return best, ok
}

// take removes and returns the earliest timer due at or before limit.
func (c *Clock) take(limit time.Time) (timer, bool) {
	t, ok := c.first()
	if !ok || t.due.After(limit) {
		return timer{}, false
	}
	delete(c.timers, t.name)
	return t, true
}

func (c *Clock) kick() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run fires timers as wall time passes, each in a goroutine of its own, until ctx ends; it then waits for their work.
// Under the manual clock, and while an advance runs, it fires nothing.
func (c *Clock) Run(ctx context.Context) {
	alarm := time.NewTimer(longestSleep)
	defer alarm.Stop()
	for {
		alarm.Reset(c.fire(ctx))
		select {
		case <-ctx.Done():
			c.quiet(context.Background())
			return
		case <-c.wake:
		case <-alarm.C:
		}
	}
}

// longestSleep bounds how late a timer is noticed whose time came while the machine slept.
const longestSleep = time.Minute

// fire starts everything that is due and returns how long, in wall time, nothing else will be.
func (c *Clock) fire(ctx context.Context) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ctx.Err() == nil && c.mode != Manual && !c.frozen {
		t, ok := c.take(c.now())
		if !ok {
			break
		}
		c.running++
		go func() {
			defer c.done()
			t.work(ctx, t.due)
		}()
	}
	t, ok := c.first()
	if !ok || c.mode == Manual || c.frozen {
		return longestSleep
	}
	return min(longestSleep, max(0, time.Duration(float64(t.due.Sub(c.now()))/c.rate)+time.Microsecond))
}

func (c *Clock) done() {
	c.mu.Lock()
	c.running--
	if c.running == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
	c.mu.Unlock()
	c.kick()
}

// quiet waits until nothing that the runner fired is at work.
func (c *Clock) quiet(ctx context.Context) error {
	for {
		c.mu.Lock()
		if c.running == 0 {
			c.mu.Unlock()
			return nil
		}
		if c.idle == nil {
			c.idle = make(chan struct{})
		}
		idle := c.idle
		c.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Exclusive runs work with the present instant when everything is through that came to Exclusive before: one advance, or
// one round of cycles, after another. The error is ctx's when that ends, before its turn or in the work.
func (c *Clock) Exclusive(ctx context.Context, work Work) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.turn }()
	if err := ctx.Err(); err != nil {
		return err
	}
	work(ctx, c.Now())
	return ctx.Err()
}

// ErrPast is the error of an advance to an instant before now: the clock never goes back.
type ErrPast struct{ Until, Now time.Time }

func (e ErrPast) Error() string {
	return fmt.Sprintf("%s lies before the clock's now, %s: the clock never goes back",
		e.Until.UTC().Format(time.RFC3339Nano), e.Now.UTC().Format(time.RFC3339Nano))
}

// ErrLate is the error of an advance beyond Latest.
type ErrLate struct{ Until time.Time }

func (e ErrLate) Error() string {
	return fmt.Sprintf("%s is too late: the clock ends at %s", e.Until.UTC().Format(time.RFC3339), Latest.Format(time.RFC3339))
}

// Advance moves the clock by d; see AdvanceTo. Call it inside Exclusive.
func (c *Clock) Advance(ctx context.Context, d time.Duration) error {
	return c.advance(ctx, func(now time.Time) time.Time { return now.Add(d) })
}

// AdvanceTo runs everything that falls due until the given instant, one piece of work after another, each seeing its
// own due time as now, and leaves the clock there, in its own mode. It waits for work that runs already. When ctx ends it
// stops behind the piece in progress and returns ctx's error. The error is ErrPast when until lies before now, ErrLate when
// behind Latest. Call it inside Exclusive.
func (c *Clock) AdvanceTo(ctx context.Context, until time.Time) error {
	return c.advance(ctx, func(time.Time) time.Time { return until })
}

func (c *Clock) advance(ctx context.Context, target func(now time.Time) time.Time) error {
	if err := c.quiet(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	c.base, c.wall = c.now(), time.Now()
	until := target(c.base)
	if until.Before(c.base) {
		defer c.mu.Unlock()
		return ErrPast{until, c.base}
	}
	if until.After(Latest) {
		c.mu.Unlock()
		return ErrLate{until}
	}
	c.frozen = true
	c.mu.Unlock()
	defer c.moved()
	defer c.kick()
	defer func() {
		c.mu.Lock()
		c.frozen, c.wall = false, time.Now()
		c.mu.Unlock()
	}()
	// The runner may have fired something between quiet and the freeze.
	if err := c.quiet(ctx); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.mu.Lock()
		t, ok := c.take(until)
		if !ok {
			if until.After(c.base) {
				c.base = until
			}
			c.mu.Unlock()
			return nil
		}
		if t.due.After(c.base) {
			c.base = t.due
		}
		now := c.base
		c.mu.Unlock()
		t.work(ctx, now)
	}
}

// Wait passes d in real time, as a target outside the program asks for, and moves virtual time by as much where it does
// not move by itself.
func (c *Clock) Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	c.mu.Lock()
	if c.mode == Manual || c.frozen {
		c.pass(d)
	}
	c.mu.Unlock()
	return nil
}

// Pass lets d of virtual time go by: at once under the manual clock and while an advance runs, as nothing else happens
// meanwhile, otherwise by waiting for the wall time that it takes.
func (c *Clock) Pass(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	if c.mode == Manual || c.frozen {
		c.pass(d)
		c.mu.Unlock()
		return ctx.Err()
	}
	wall := c.takes(d)
	c.mu.Unlock()
	t := time.NewTimer(wall)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Takes is the wall time in which d of virtual time goes by: none where Pass does not wait.
func (c *Clock) Takes(d time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.takes(d)
}

func (c *Clock) takes(d time.Duration) time.Duration {
	if c.mode == Manual || c.frozen {
		return 0
	}
	return time.Duration(float64(d) / c.rate)
}

// Wall is the wall clock, for what is shown as real time. Nothing is decided by it.
func Wall() time.Time { return time.Now() }

// Ordered reports whether work runs in one total order: under the manual clock, and while an advance runs.
func (c *Clock) Ordered() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mode == Manual || c.frozen
}
