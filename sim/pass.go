package sim

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"entrasim/sim/scim"
)

// commitEvery is how long, in real time, results wait at most for the commit that keeps them.
const commitEvery = 200 * time.Millisecond

// commitSize is how many results are committed at once at most.
const commitSize = 5 * pageSize

// phaseOrder lets a cycle that was cut short skip the phases it has done.
var phaseOrder = map[Phase]int{PhaseProbe: 0, PhaseUsers: 1, PhaseGroups: 2, PhaseReferences: 3}

// result is the outcome of the object at a position of the work list.
type result struct {
	index int
	out   *outcome
}

// pass works through a list with several objects in flight. Results are committed while later objects are still at work,
// each within commitEvery of its end, together with the place reached: also those behind an object that takes long. request
// is the context of the requests. An initial cycle in which much fails looks at the thresholds behind each page.
func (c *cycle) pass(request context.Context, phase Phase, list []work, do func(context.Context, work) *outcome) error {
	for first := true; ; first = false {
		more, err := c.stretch(request, phase, list, do, first)
		if err != nil || c.kind != Initial {
			return err
		}
		if c.suspicious(int(c.failed.Load())) {
			if err := c.overPage(); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// stretch works through a list to its end, or to the end of a page behind which the thresholds are to be looked at: more
// says that it goes on then.
func (c *cycle) stretch(request context.Context, phase Phase, list []work, do func(context.Context, work) *outcome, first bool) (more bool, failed error) {
	whole := len(list)
	switch at := phaseOrder[c.at.Phase] - phaseOrder[phase]; {
	case at > 0:
		c.progress(func(p *Progress) { p.add(phase, whole) })
		return false, nil
	case at == 0:
		list = c.at.rest(list)
	default:
		c.at.Phase, c.at.Done, c.at.Ahead = phase, rank{}, nil
	}
	if first {
		c.progress(func(p *Progress) {
			p.Phase = phase
			p.add(phase, whole-len(list))
		})
	}
	if len(list) == 0 {
		return false, nil
	}
	c.s.jobChanged(c.j)

	reached := &reach{list: list, was: c.at}
	var stopped, page atomic.Bool
	results, full := c.work(request, list, do, &stopped, &page, whole-len(list))
	defer func() { // also when the commit of results panics: nobody may be left behind
		stopped.Store(true)
		var rest []*outcome
		for r := range results {
			rest = append(rest, r.out)
		}
		if len(rest) > 0 {
			failed = errors.Join(failed, c.logOnly(rest))
		}
	}()
	var pending []result
	commit := func() error {
		if len(pending) == 0 {
			return nil
		}
		slices.SortFunc(pending, func(a, b result) int { return a.index - b.index })
		batch := make([]*outcome, len(pending))
		for i, r := range pending {
			reached.add(r.index)
			batch[i] = r.out
		}
		pending = pending[:0]
		done, ahead := reached.place()
		if err := c.store(batch, func() { c.at.Phase, c.at.Done, c.at.Ahead = phase, done, ahead }); err != nil {
			return err
		}
		c.progress(func(p *Progress) { p.add(phase, len(batch)) })
		c.s.jobChanged(c.j)
		return nil
	}
	tick := time.NewTicker(commitEvery)
	defer tick.Stop()
	for open := true; open; {
		select { // results are not waited for one by one: to wake up for each costs more than to take it
		case _, open = <-full:
		case <-tick.C:
		}
		for n := len(results); n > 0; n-- {
			pending = append(pending, <-results)
		}
		if err := commit(); err != nil {
			return false, err
		}
	}
	if err := c.broken(); err != nil {
		return false, err
	}
	switch {
	case reached.upto == len(list):
		return false, nil
	case page.Load() && request.Err() == nil && !c.stopping():
		return true, nil
	}
	return false, errStopped
}

// work lets workers loose on a list. Both channels are closed when they have stopped: at the end of the list, when stopped is
// set, or when the cycle is to end; full also tells when there are enough results for a commit. They set page when they stop
// behind a page to have the thresholds looked at. done is how many objects of the phase stand before the list.
func (c *cycle) work(request context.Context, list []work, do func(context.Context, work) *outcome, stopped, page *atomic.Bool, done int) (<-chan result, <-chan struct{}) {
	results, full := make(chan result, 2*commitSize), make(chan struct{}, 1)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(c.workers(), len(list)) {
		wg.Go(func() {
			for !stopped.Load() && !c.stopping() && c.broken() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(list) {
					return
				}
				var out *outcome
				if err := c.s.contained("working on an object", func() error {
					out = do(request, list[i])
					return nil
				}); err != nil {
					c.breakOff(err)
					return
				}
				if request.Err() != nil {
					stopped.Store(true) // the answer may be lost: the object is looked at again
					return
				}
				if out.cutShort() {
					return // the cycle ends: the object is looked at again
				}
				c.health(request, out)
				c.pace.object(c.life, out)
				results <- result{i, out}
				if len(results) >= commitSize {
					select {
					case full <- struct{}{}:
					default: // it was told already
					}
				}
				if out.fail != nil {
					c.failed.Add(1)
				}
				if c.kind == Initial && (done+i+1)%pageSize == 0 && c.suspicious(int(c.failed.Load())) {
					page.Store(true)
					stopped.Store(true)
				}
			}
		})
	}
	go func() {
		wg.Wait()
		close(results)
		close(full)
	}()
	return results, full
}

// workers is how many objects may be in flight: one wherever requests must leave in one total order.
func (c *cycle) workers() int {
	if c.s.clock.Ordered() {
		return 1
	}
	return c.s.opt.Concurrency
}

// breakOff ends the cycle for a reason that is not an object's own; the first one counts.
func (c *cycle) breakOff(err error) {
	c.mu.Lock()
	if c.fatal == nil {
		c.fatal = err
	}
	c.mu.Unlock()
}

func (c *cycle) broken() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fatal
}

// health counts operations in a row that the target did not answer or refused for the token; at ten, or what the job says,
// the probes are repeated, and when they fail the cycle breaks off. The number is a choice of ours.
func (c *cycle) health(ctx context.Context, out *outcome) {
	if !out.fail.unhealthy() {
		if out.asked {
			c.unhealthy.Store(0)
		}
		return
	}
	n := c.tune.limits.UnhealthyInARow
	if c.unhealthy.Add(1) != int32(n) {
		return
	}
	var e *scim.Error
	if err := c.probe(ctx, capital(plural(n, "operation"))+" in a row failed without an answer, or for the token: the probe is repeated.", "S-150"); errors.As(err, &e) && ctx.Err() == nil && !e.Cut {
		c.breakOff(e)
		return
	}
	c.unhealthy.Store(0)
}

// add counts objects of a phase as done.
func (p *Progress) add(phase Phase, n int) {
	switch phase {
	case PhaseUsers:
		p.UsersDone += n
	case PhaseGroups:
		p.GroupsDone += n
	case PhaseReferences:
		p.ReferencesDone += n
	}
}

// rank is where an object stands in a work list, whatever else is in it: late ones stand behind the others.
type rank struct {
	Late bool   `json:"late,omitempty"`
	Num  uint64 `json:"num"`
}

func (w work) rank() rank { return rank{w.late, w.num} }

func (r rank) compare(other rank) int {
	switch {
	case r.Late != other.Late && r.Late, r.Late == other.Late && r.Num > other.Num:
		return 1
	case r == other:
		return 0
	}
	return -1
}

// span is a stretch of a work list, both ends included.
type span struct {
	From rank `json:"from"`
	To   rank `json:"to"`
}

// rest drops the part of a list that was done before the cycle was cut short.
func (p *place) rest(list []work) []work {
	return slices.DeleteFunc(slices.Clone(list), func(w work) bool {
		r := w.rank()
		return r.compare(p.Done) <= 0 || slices.ContainsFunc(p.Ahead, func(s span) bool { return r.compare(s.From) >= 0 && r.compare(s.To) <= 0 })
	})
}

// reach is how far a pass has come. A few slow objects leave gaps, as many as there are workers at most, so that what is
// done behind them is a few stretches.
type reach struct {
	list  []work
	was   place    // when the pass began, or went on
	upto  int      // so many of the list are done from its begin
	ahead [][2]int // stretches behind a gap: first and behind the last, in order
}

// add notes the object at index i.
func (r *reach) add(i int) {
	n, _ := slices.BinarySearchFunc(r.ahead, i, func(s [2]int, i int) int { return s[1] - i })
	switch { // s[1] is the first end at or behind i
	case n < len(r.ahead) && r.ahead[n][1] == i:
		r.ahead[n][1]++
		if n+1 < len(r.ahead) && r.ahead[n+1][0] == i+1 {
			r.ahead[n][1] = r.ahead[n+1][1]
			r.ahead = slices.Delete(r.ahead, n+1, n+2)
		}
	case n < len(r.ahead) && r.ahead[n][0] == i+1:
		r.ahead[n][0]--
	default:
		r.ahead = slices.Insert(r.ahead, n, [2]int{i, i + 1})
	}
	if r.ahead[0][0] == r.upto {
		r.upto = r.ahead[0][1]
		r.ahead = slices.Delete(r.ahead, 0, 1)
	}
}

// place is what the job keeps of it. Stretches that were ahead when the pass went on are no longer in the list, and stay so
// until the place has passed them.
func (r *reach) place() (done rank, ahead []span) {
	done = r.was.Done
	if r.upto > 0 {
		done = r.list[r.upto-1].rank()
	}
	for _, s := range r.was.Ahead {
		if s.To.compare(done) > 0 {
			ahead = append(ahead, s)
		}
	}
	for _, s := range r.ahead {
		ahead = append(ahead, span{r.list[s[0]].rank(), r.list[s[1]-1].rank()})
	}
	return done, ahead
}
