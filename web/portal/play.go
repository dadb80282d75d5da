package portal

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"entrasim/scenarios"
	"entrasim/sim/clock"
)

const (
	// playsKept is how many scenarios are kept with what was seen of them; the one that nobody has looked at for longest goes.
	playsKept = 12
	// playIdle is the wall time after which a scenario that nobody looks at is closed, with its tenant and its target. What is
	// shown later is played anew, with the same requests, byte for byte.
	playIdle = 10 * time.Minute
	// stepLimit is the wall time that one step may take; then it can't be carried out.
	stepLimit = time.Minute
)

// plays are the scenarios that are open in browsers. Each has a tenant, an application, a target and a clock of its own, and
// touches nothing of the user's. As a scenario plays the same way each time, everybody who looks at one sees the same play,
// and an address that names a step can be opened at any time. It is safe for concurrent use.
type plays struct {
	ctx    context.Context // of all players: a step does not end with the request that asked for it
	cancel context.CancelFunc
	idle   time.Duration
	mu     sync.Mutex
	list   map[string]*play
	own    []ownScenario // newest first
	ended  bool
	wg     sync.WaitGroup // of those that are being closed
}

// play is one scenario as far as it was played.
type play struct {
	scenario *scenarios.Scenario
	used     time.Time // guarded by plays.mu, as is timer
	timer    *time.Timer

	mu      sync.Mutex // of one step at a time
	player  *scenarios.Player
	gone    bool
	moments []moment // the first is before the first step
	played  scenarios.Result
}

// moment is what stood at the target behind a step. The first has no step.
type moment struct {
	scenarios.StepResult
	Held []held
}

// held is one resource of the target.
type held struct{ Handle, Kind, ID, Name, JSON string }

// progress is a play as a page shows it. What it holds is not changed any more.
type progress struct {
	Scenario *scenarios.Scenario
	Moments  []moment
	Result   scenarios.Result // empty until the last step was played
}

func newPlays() *plays {
	p := &plays{idle: playIdle, list: map[string]*play{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// at plays a scenario until the step of that number, counted from 1; 0 stops before the first.
func (p *plays) at(key string, s *scenarios.Scenario, step int) (progress, error) {
	for {
		one, err := p.get(key, s)
		if err != nil {
			return progress{}, err
		}
		if got, ok, err := one.at(p.ctx, step); ok || err != nil {
			return got, err
		} // it was closed meanwhile
	}
}

func (p *plays) get(key string, s *scenarios.Scenario) (*play, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil, context.Canceled
	}
	one := p.list[key]
	if one == nil {
		one = &play{scenario: s}
		p.list[key] = one
		one.timer = time.AfterFunc(p.idle, func() { p.drop(key, one) })
	}
	one.used = clock.Wall()
	one.timer.Reset(p.idle)
	if len(p.list) > playsKept {
		oldest := key
		for k, x := range p.list {
			if k != key && (oldest == key || x.used.Before(p.list[oldest].used)) {
				oldest = k
			}
		}
		p.remove(oldest)
	}
	return one, nil
}

// drop forgets a play, unless another has taken its place or somebody looked at it just now.
func (p *plays) drop(key string, one *play) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.list[key] == one && clock.Wall().Sub(one.used) >= p.idle {
		p.remove(key)
	}
}

// remove needs mu. Closing waits for a step that runs, so that it is left to another goroutine.
func (p *plays) remove(key string) {
	one := p.list[key]
	delete(p.list, key)
	one.timer.Stop()
	p.wg.Go(one.close)
}

// forget drops the play of a scenario that nobody needs any more.
func (p *plays) forget(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.list[key] != nil {
		p.remove(key)
	}
}

// close ends every play. It returns when their data files are gone.
func (p *plays) close() {
	p.mu.Lock()
	p.ended = true
	p.cancel()
	for key := range p.list {
		p.remove(key)
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// at plays on as far as a step; ok is false when the play was closed.
func (one *play) at(ctx context.Context, step int) (got progress, ok bool, err error) {
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.gone {
		return got, false, nil
	}
	if one.moments == nil {
		if err := one.open(ctx); err != nil {
			return got, true, err
		}
	}
	for len(one.moments) <= step && one.player != nil {
		if err := one.next(ctx); err != nil {
			return got, true, err
		}
	}
	return progress{Scenario: one.scenario, Moments: slices.Clip(one.moments), Result: one.played}, true, nil
}

func (one *play) open(ctx context.Context) error {
	// The embedded target plays the part of any that a file names: a page that is looked at sends nothing to a network, and
	// reads no token from the environment.
	plain := *one.scenario
	plain.Target.URL, plain.Target.Token = "", ""
	player, err := scenarios.Open(ctx, &plain, scenarios.Target{}, scenarios.Options{})
	if err != nil {
		return err
	}
	one.player = player
	return one.look(ctx, scenarios.StepResult{})
}

// next plays one step. With the last one the scenario's own world goes; what was seen stays.
func (one *play) next(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	r, more := one.player.Next(limited)
	if more {
		if err := one.look(ctx, r); err != nil {
			return err
		}
	}
	if len(one.moments) <= len(one.scenario.Steps) && r.Verdict != scenarios.Broken && more {
		return nil
	}
	return one.end()
}

func (one *play) end() (err error) {
	one.played, err = one.player.Close(context.Background())
	one.player = nil
	return err
}

// look notes what the target holds. Texts that did not change are held once for all steps.
func (one *play) look(ctx context.Context, r scenarios.StepResult) error {
	list, err := one.player.Holds(ctx)
	if err != nil {
		return errors.Join(err, one.end())
	}
	before := map[string]string{}
	if n := len(one.moments); n > 0 {
		for _, h := range one.moments[n-1].Held {
			before[h.Kind+h.ID] = h.JSON
		}
	}
	m := moment{StepResult: r, Held: make([]held, len(list))}
	for i, x := range list {
		h := held{x.Handle, x.Kind, x.ID, x.Name, x.JSON()}
		if was := before[h.Kind+h.ID]; was == h.JSON {
			h.JSON = was
		}
		m.Held[i] = h
	}
	one.moments = append(one.moments, m)
	return nil
}

// close waits for a step that runs.
func (one *play) close() {
	one.mu.Lock()
	defer one.mu.Unlock()
	one.gone = true
	if one.player != nil {
		if err := one.end(); err != nil {
			one.played.Reason = err.Error() // nobody sees it any more
		}
	}
}
