package sim

import (
	"context"
	"sync"
	"time"

	"entrasim/directory"
)

// What an initial cycle takes at Microsoft, for each assigned user, assigned group and member of one: estimates that lie a
// factor of eight apart (application-provisioning-when-will-provisioning-finish-specific-user.md). Creating somebody takes
// about twice as long as matching.
const (
	unitAtLeast = 600 * time.Millisecond  // 0.01 minutes
	unitAtMost  = 4800 * time.Millisecond // 0.08 minutes
	createTakes = 2
)

// Estimate is how long an initial cycle of a job takes at Microsoft, by the published formula.
type Estimate struct {
	Units      int           `json:"units"` // assigned users, assigned groups and the members of these
	Least      time.Duration `json:"-"`
	Most       time.Duration `json:"-"`
	EntrasPace bool          `json:"entrasPace"` // the job keeps to it
}

// Estimate counts what the formula counts. It is published for Sync assigned users and groups only: under Sync all known is
// false.
func (s *Service) Estimate(appID string) (e Estimate, known bool, err error) {
	j, err := s.job(appID)
	if err != nil {
		return e, false, err
	}
	j.mu.Lock()
	all := s.settings(j).Scope == SyncAll
	e.EntrasPace = s.tune(j).entrasPace
	j.mu.Unlock()
	if all {
		return e, false, nil
	}
	err = s.dir.View(func(r *directory.Reader) error {
		r.EachAssigned(j.num, func(n uint64, kind directory.Kind, _ string) bool {
			if _, state, _ := r.Standing(n); state != directory.Live {
				return true
			}
			e.Units++
			if kind == directory.KindGroup {
				r.EachMember(n, 0, func(uint64) bool { e.Units++; return true })
			}
			return true
		})
		return nil
	})
	e.Least, e.Most = time.Duration(e.Units)*unitAtLeast, time.Duration(e.Units)*unitAtMost
	return e, true, err
}

// pace spreads the work of a cycle over virtual time as the service does, where the job asks for it: so many requests in a
// second at most (use-scim-to-provision-users-and-groups.md asks targets to sustain 25), and the objects of an initial cycle
// over the time of the estimate. Nil is as fast as the target takes it.
type pace struct {
	c    *cycle
	slot time.Duration // between two requests

	mu   sync.Mutex
	next time.Time // when the next request may leave
	due  time.Time // when the objects so far are done, at the earliest
}

// newPace is nil for a job that waits for nobody but its target.
func (c *cycle) newPace() *pace {
	if !c.tune.entrasPace {
		return nil
	}
	now := c.s.clock.Now()
	return &pace{c: c, slot: time.Second / time.Duration(c.tune.limits.RequestsPerSecond), next: now, due: now}
}

// request waits until the next request may leave.
func (p *pace) request(ctx context.Context) {
	if p == nil {
		return
	}
	p.mu.Lock()
	now := p.c.s.clock.Now()
	if p.next.Before(now) {
		p.next = now
	}
	at := p.next
	p.next = at.Add(p.slot)
	p.mu.Unlock()
	p.until(ctx, at)
}

// object waits until an object of an initial cycle has taken its time. Users and groups are units of the estimate, and so is
// each member that a group was told of.
func (p *pace) object(ctx context.Context, out *outcome) {
	if p == nil || p.c.kind != Initial {
		return
	}
	units := len(out.edges)
	if out.escrow == EscrowObject {
		units = 1
		if out.fresh && out.link != nil && out.link.Created {
			units = createTakes
		}
	}
	p.mu.Lock()
	p.due = p.due.Add(time.Duration(units) * unitAtLeast)
	at := p.due
	p.mu.Unlock()
	p.until(ctx, at)
}

// shortestSleep is the real time below which a wait is left to the next one.
const shortestSleep = time.Millisecond

// until lets virtual time come to an instant. A cycle that is to end waits no more: its objects are looked at again.
func (p *pace) until(ctx context.Context, at time.Time) {
	clock := p.c.s.clock
	d := at.Sub(clock.Now())
	if d <= 0 || !clock.Ordered() && clock.Takes(d) < shortestSleep {
		return
	}
	if clock.Pass(ctx, d) != nil {
		return // ctx says so to whoever asks
	}
}
