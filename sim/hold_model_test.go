package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/target"
)

// TestHoldingAtRandom plays random lives under accidental deletion prevention: assignments, blocks, deletions, groups, faults,
// restarts of the job and of the program, changes of the threshold, allowed deletions. No cycle carries out more deletions than
// the threshold and what was allowed; and when the prevention is off in the end, the target is what the directory says.
func TestHoldingAtRandom(t *testing.T) {
	for seed := range 40 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { newHoldings(t, uint64(seed)).play(40) })
	}
}

type holdings struct {
	*world
	rand   *rand.Rand
	users  []string
	groups []string
	gone   map[string]bool // deleted for good
	limit  int             // -1: nothing is prevented
}

func newHoldings(t *testing.T, seed uint64) *holdings {
	h := &holdings{world: newWorld(t, mapping.Starter(), ""), rand: rand.New(rand.NewPCG(seed, 1)), gone: map[string]bool{}}
	for i := range 6 {
		h.users = append(h.users, h.user(fmt.Sprintf("user%d", i)).ID)
	}
	for i := range 3 {
		h.groups = append(h.groups, h.group(fmt.Sprintf("group%d", i), h.users[i], h.users[i+1], h.users[i+2]).ID)
	}
	for _, id := range append(h.users[3:], h.groups...) {
		h.assign(id)
	}
	h.prevent(1)
	h.no(h.svc.Start(h.app.ID))
	return h
}

func (h *holdings) prevent(limit int) {
	on := limit >= 0
	h.limit = limit
	edit := SettingsEdit{PreventDeletes: &on}
	if on {
		edit.DeleteThreshold = &limit
	}
	h.no(h.svc.UpdateSettings(h.app.ID, edit))
}

func (h *holdings) play(steps int) {
	for range steps {
		h.edit()
		if h.rand.IntN(2) == 0 {
			h.run()
		}
	}
	h.no(h.target.SetFaults(nil))
	h.prevent(-1)
	if h.rand.IntN(2) == 0 {
		h.no(h.svc.Restart(h.app.ID, DefaultReset()))
	}
	h.run()
	h.advance(48 * time.Hour) // behind every retry
	if j := h.job(); j.Held != 0 || j.Escrows != 0 || j.Status.Code != StatusActive {
		h.t.Errorf("in the end %d are held, %d wait, %s", j.Held, j.Escrows, j.Status.Code)
	}
	h.compare()
}

// edit does one thing.
func (h *holdings) edit() {
	now := h.clock.Now()
	some := func(list []string) string { return list[h.rand.IntN(len(list))] }
	u, g := some(h.users), some(h.groups)
	user, userErr := h.dir.User(u)
	_, groupErr := h.dir.Group(g)
	switch n := h.rand.IntN(16); {
	case n == 0 && userErr == nil:
		h.world.edit(u, "accountEnabled", !user.AccountEnabled)
	case n == 1 && userErr == nil:
		h.no(h.dir.DeleteUser(now, u))
	case n == 2 && userErr != nil && !h.gone[u]:
		if h.rand.IntN(3) > 0 {
			_, err := h.dir.Restore(now, u)
			h.no(err)
			return
		}
		h.gone[u] = true
		h.no(h.dir.Purge(now, u))
	case n == 3 && groupErr == nil:
		h.no(h.dir.DeleteGroup(now, g))
	case n == 4 && groupErr != nil:
		_, err := h.dir.Restore(now, g)
		h.no(err)
	case n < 7 && userErr == nil:
		h.toggle(u)
	case n < 9 && groupErr == nil:
		h.toggle(g)
	case n == 9 && userErr == nil:
		h.world.edit(u, "displayName", fmt.Sprintf("Name %d", h.rand.IntN(1000)))
	case n == 10:
		h.no(h.target.SetFaults([]target.Fault{{Method: []string{"PATCH", "DELETE", "POST"}[h.rand.IntN(3)], Status: 500}}))
	case n < 13:
		h.no(h.target.SetFaults(nil))
	case n == 13:
		h.prevent(h.rand.IntN(4) - 1)
	case n == 14:
		h.no(h.svc.Restart(h.app.ID, DefaultReset()))
	case n == 15:
		allowed := h.job().Held
		h.no(h.svc.Restart(h.app.ID, ResetScope{ForceDeletes: true}))
		h.checked(allowed, h.advance(time.Second))
	}
}

func (h *holdings) toggle(principal string) {
	page, err := h.dir.Assignments(h.app.ID, "", 100)
	h.no(err)
	for _, a := range page.Items {
		if a.PrincipalID == principal {
			h.no(h.svc.Unassign(h.app.ID, a.ID))
			return
		}
	}
	h.assign(principal)
}

func (h *holdings) run() {
	h.advance(time.Minute)
	list, err := h.svc.RunCycles(h.t.Context())
	h.no(err)
	h.checked(0, list)
}

// checked compares what cycles carried out with what they may.
func (h *holdings) checked(allowed int, list []CycleResult) {
	j := h.job()
	for _, c := range list {
		if n := c.Counts.Disable + c.Counts.Delete; h.limit >= 0 && n > h.limit+allowed {
			h.t.Errorf("cycle %d carried out %d deletions, the threshold is %d, %d were allowed", c.Cycle, n, h.limit, allowed)
		}
	}
	if q := j.Status.Quarantine; q != nil && q.Reason == QuarantineDeletes && j.Held <= h.limit {
		h.t.Errorf("%d are held, the threshold is %d", j.Held, h.limit)
	}
	held, err := h.svc.Held(h.app.ID, 100)
	h.no(err)
	if len(held) != j.Held {
		h.t.Errorf("%d are held, %d counted", len(held), j.Held)
	}
}

// compare holds the target against the directory: who is in scope is active, everybody else is not or is gone, and groups are
// there when they are in scope.
func (h *holdings) compare() {
	names := map[string]string{}
	st := h.target.Store("default")
	for _, kind := range []string{"User", "Group"} {
		list, _ := st.List(kind, 0, 1000)
		for _, r := range list {
			name, state := fmt.Sprint(r.Doc["userName"]), fmt.Sprint(r.Doc["active"])
			if kind == "Group" {
				name, state = fmt.Sprint(r.Doc["displayName"]), "there"
			}
			if names[name] != "" {
				h.t.Errorf("%s stands there twice", name)
			}
			names[name] = state
		}
	}
	j, err := h.svc.job(h.app.ID)
	h.no(err)
	set, all := h.svc.present(j)
	h.no(h.dir.View(func(r *directory.Reader) error {
		for _, id := range append(h.users, h.groups...) {
			n, ok := r.Num(id)
			if !ok {
				continue
			}
			src, ok := readSource(r, j.num, all, set, n)
			name := strings.ToLower(src.UPN)
			if src.Kind == directory.KindGroup {
				name = src.DisplayName
			}
			switch state := names[name]; {
			case ok && src.scope.In() && state != "true" && state != "there":
				h.t.Errorf("%s is in scope, and %q at the target", name, state)
			case !src.scope.In() && (state == "true" || state == "there"):
				h.t.Errorf("%s is out of scope, and %q at the target", name, state)
			}
		}
		return nil
	}))
}
