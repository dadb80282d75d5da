package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"entrasim/directory"
	"entrasim/sim/target"
)

type person struct {
	directory.User
	state    directory.State
	blocked  bool
	assigned bool
	boss     *person
	titles   map[string]bool // every job title that was ever set

	was     bool   // in scope when a cycle ran
	seen    bool   // the target held it
	managed bool   // a purge is carried out
	target  string // its id there
	tried   bool   // it was in scope when a cycle ran, since that is known
	active  bool   // its link is active
	gone    bool   // the target must not hold it any more
	open    bool   // or perhaps not: it may have come back under management before it was purged
	orphan  bool   // a kill cut off the answer to its POST: it is linked when it is matched, if it is in scope then
	manager *look
	shown   string // what the target shows as its manager, when that is not open
}

type team struct {
	directory.Group
	state    directory.State
	assigned bool
	link     string // its id at the target
	orphan   bool
	members  map[*person]*look
}

// look is a reference that a cycle looks at, or will.
type look struct {
	in      bool // membership only: it is in the directory
	pending bool // still to be looked at
	fuzzy   bool // a kill leaves open when it was
	must    bool // membership: the target was told
	may     bool // membership: it may have been
	scope   map[bool]bool
	bosses  map[*person]bool // manager: those in scope since it is pending; nil among them for none
}

func (l *look) begin() {
	if !l.pending {
		*l = look{in: l.in, must: l.must, may: l.may, pending: true, scope: map[bool]bool{}, bosses: map[*person]bool{}}
	}
}

func (l *look) note(boss *person) {
	if l.pending {
		l.bosses[boss] = true
	}
}

func (h *history) linkOf(n uint64) (l *Link) {
	h.no(h.dir.View(func(r *directory.Reader) (err error) {
		l, err = getLink(jobBucket(r.Tx(), h.job), n)
		return err
	}))
	return l
}

// waits reports whether something about an object, its manager or a membership is still to be tried again.
func (h *history) waits(k ...escrowKey) (waits bool) {
	h.no(h.dir.View(func(r *directory.Reader) error {
		b := jobBucket(r.Tx(), h.job)
		for _, k := range k {
			e, err := getEscrow(b, k)
			if err != nil {
				return err
			}
			waits = waits || e != nil || owes(b, k.num) != 0
		}
		return nil
	}))
	return waits
}

// before notes what the cycle that comes will look at.
func (h *history) before() {
	if h.killed { // its rest comes first, and does not look again at what is done
		defer h.blur()
	}
	for _, p := range h.users {
		in := h.inScope(p)
		p.was, p.tried = p.was || in, p.tried || in
		if in && (!p.active || h.full) {
			p.manager.begin()
		}
		if p.boss == nil || p.boss.state == directory.Purged {
			p.manager.note(nil)
		} else if h.inScope(p.boss) {
			p.manager.note(p.boss)
		}
	}
	for _, g := range h.groups {
		if l := h.linkOf(g.Num); h.full || l != nil && l.State != LinkActive && h.provisioned(g) {
			g.lookAgain()
		}
		g.note(h)
	}
}

// blur notes that what is pending may have been looked at before the latest edits.
func (h *history) blur() {
	for _, p := range h.users {
		p.manager.fuzzy = true
		if h.standsActive(p.boss) {
			p.manager.note(p.boss)
		}
	}
	for _, g := range h.groups {
		for p, l := range g.members {
			l.fuzzy = true
			if l.pending && h.standsActive(p) {
				l.scope[true] = true
			}
		}
	}
}

func (g *team) lookAgain() {
	for _, l := range g.members {
		if l.in {
			l.begin()
		}
	}
}

func (g *team) note(h *history) {
	for p, l := range g.members {
		if l.pending {
			l.scope[h.inScope(p)] = true
		}
	}
}

// after notes what the cycle settled. part: it was cut short, or the rest of one that was, so that it did not look at
// everything as it stands now.
func (h *history) after(part bool) {
	h.t.Helper()
	h.orphans()
	if part {
		defer h.blur()
	}
	for _, p := range h.users {
		if link := h.linkOf(p.Num); link != nil {
			p.seen, p.target = true, link.Target
		}
	}
	for _, p := range h.users {
		h.settleUser(p, h.linkOf(p.Num), part)
	}
	for _, g := range h.groups {
		h.settleGroup(g, h.linkOf(g.Num), part)
	}
}

// standsActive reports whether a user's link says that it is in scope, which may lag behind the directory in the rest of a
// cycle that was cut short.
func (h *history) standsActive(p *person) bool {
	if p == nil {
		return false
	}
	l := h.linkOf(p.Num)
	return l != nil && l.State == LinkActive
}

func (h *history) settleUser(p *person, link *Link, part bool) {
	if p.state == directory.Purged {
		return
	}
	if part {
		if link != nil {
			p.managed, p.active = link.Managed(), link.State == LinkActive
		}
		return
	}
	if h.waitsObject(p.Num) {
		return
	}
	in := h.inScope(p)
	switch {
	case in && (link == nil || link.State != LinkActive):
		h.t.Fatalf("%s is in scope, its link is %+v\n%s", p.DisplayName, link, h.trail())
	case in:
		p.active, p.managed = true, true
	case link != nil:
		p.active = false
		switch {
		case !h.entitled(p):
			p.managed = false
		case p.tried: // it may have come back and gone again
			p.managed = link.Managed()
		}
		if link.State == LinkActive || link.Managed() != p.managed {
			h.t.Fatalf("%s is out of scope (entitled %v, managed %v), its link is %s\n%s", p.DisplayName, h.entitled(p), p.managed, link.State, h.trail())
		}
	}
	p.tried = p.orphan // it may still be found
	if !in || !p.manager.pending || h.waits(escrowKey{EscrowManager, p.Num, 0}) {
		return
	}
	l := p.manager
	l.pending = false
	shown := h.managerAtTarget(link.Target)
	boss := p.boss
	if boss != nil && boss.state == directory.Purged {
		boss = nil
	}
	want := ""
	if h.inScope(boss) {
		if bossLink := h.linkOf(boss.Num); bossLink != nil {
			want = bossLink.Target
		}
	}
	switch {
	case shown == want && (boss == nil || want != ""):
	case (boss != nil && want == "" || l.fuzzy) && h.possible(l, p, shown): // out of scope: dropped, what is there stays
	default:
		h.t.Fatalf("%s shows the manager %q, want %q (%s)\n%s", p.DisplayName, shown, want, boss.label(), h.trail())
	}
	p.shown = shown
}

func (h *history) waitsObject(n uint64) (waits bool) {
	h.no(h.dir.View(func(r *directory.Reader) error {
		waits = waiting(jobBucket(r.Tx(), h.job), n)
		return nil
	}))
	return waits
}

// possible reports whether a manager may be shown though it is not the wanted one: it was shown before, or was in scope at
// some try.
func (h *history) possible(l *look, p *person, shown string) bool {
	if shown == p.shown || shown == "" && l.bosses[nil] {
		return true
	}
	for boss := range l.bosses {
		if boss != nil && boss.target == shown {
			return true
		}
	}
	return false
}

func (h *history) settleGroup(g *team, link *Link, part bool) {
	if link == nil {
		g.link = ""
		for _, l := range g.members {
			*l = look{in: l.in}
		}
		return
	}
	if link.Target != g.link { // linked just now: every member is looked at
		g.link = link.Target
		for _, l := range g.members {
			*l = look{in: l.in}
		}
		g.lookAgain()
		g.note(h)
	}
	if part {
		for _, l := range g.members {
			if !l.in && l.must { // its removal may have been sent
				l.must, l.may = false, true
			}
		}
		return
	}
	if link.State != LinkActive || !h.provisioned(g) || h.waits(escrowKey{EscrowObject, g.Num, 0}) {
		return
	}
	for p, l := range g.members {
		switch {
		case p.state == directory.Purged:
			delete(g.members, p)
		case h.waits(escrowKey{EscrowMember, g.Num, p.Num}):
			if !l.in {
				l.must, l.may = false, true
			}
		case !l.in:
			*l = look{}
		case l.pending:
			l.pending = false
			in := h.inScope(p)
			switch {
			case l.must:
			case l.fuzzy && l.scope[true] && l.scope[false]:
				l.may = true
			case in:
				l.must = true
			default:
				l.may = l.may || l.scope[true]
			}
		}
	}
}

func (h *history) managerAtTarget(id string) string {
	doc, ok := h.target.Store("default").Get(id)
	if !ok {
		h.t.Fatalf("the target does not hold %s\n%s", id, h.trail())
	}
	ext, _ := doc.Doc["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"].(map[string]any)
	manager, _ := ext["manager"].(map[string]any)
	value, _ := manager["value"].(string)
	return value
}

func (h *history) trail() string { return strings.Join(h.log, "\n") }

// Check is asked for by rapid.
func (h *history) Check(*rapid.T) {}

// finish compares the target with the model when nothing waits any more.
func (h *history) finish() {
	h.faults = nil
	h.say("recovery")
	for range 2 { // the rest of a cycle that was cut short, then one that sees everything
		h.Cycle(nil)
	}
	h.before()
	_, err := h.svc.Advance(context.Background(), 25*time.Hour)
	h.no(err)
	h.after(false)
	for range 2 {
		h.Cycle(nil)
	}
	h.requests()
	h.Cycle(nil)
	if got := h.requests(); len(got) > 0 {
		h.t.Errorf("a cycle without a change sends %v", got)
	}
	j, err := h.svc.job(h.app.ID)
	h.no(err)
	if st := j.state; st.Escrows+st.RefEscrows+st.Owed != 0 || st.Sending != 0 {
		h.t.Errorf("%d escrows, %d of references, %d owed, sending %d", st.Escrows, st.RefEscrows, st.Owed, st.Sending)
	}
	h.checkUsers()
	h.checkGroups()
	if h.t.Failed() {
		h.t.Log(h.trail())
		h.r.FailNow()
	}
}

func (h *history) checkUsers() {
	st := h.target.Store("default")
	byID := map[string]target.Resource{}
	list, _ := st.List("User", 0, 1000)
	for _, x := range list {
		id := fmt.Sprint(x.Doc["externalId"])
		if _, twice := byID[id]; twice {
			h.t.Errorf("%v stands at the target twice", x.Doc["displayName"])
		}
		byID[id] = x
	}
	for _, p := range h.users {
		x, there := byID[p.ID]
		switch {
		case p.orphan && p.state == directory.Purged: // nothing is known any more by which to look for it
		case p.state == directory.Purged:
			if p.open && (!there || x.Doc["active"] != true) {
				break
			}
			if there == (p.gone || !p.seen) {
				h.t.Errorf("%s was purged (to be deleted %v): at the target %v", p.DisplayName, p.gone, there)
			}
		case h.inScope(p):
			title, _ := x.Doc["title"].(string)
			if !there || x.Doc["active"] != true || x.Doc["displayName"] != p.DisplayName || x.Doc["userName"] != p.UserPrincipalName {
				h.t.Errorf("%s is in scope: the target holds %v", p.DisplayName, x.Doc)
			} else if p.JobTitle != "" && title != p.JobTitle || p.JobTitle == "" && title != "" && !p.titles[title] {
				h.t.Errorf("%s has the title %q, the target shows %q", p.DisplayName, p.JobTitle, title)
			} else if shown := h.managerAtTarget(x.ID); shown != p.shown {
				if _, known := st.Get(p.shown); known || shown != "" {
					h.t.Errorf("%s shows the manager %q, showed %q when it was looked at last", p.DisplayName, shown, p.shown)
				}
			}
		case there != p.seen && !p.orphan || there && !p.was:
			h.t.Errorf("%s is out of scope: at the target %v, linked before %v, ever in scope %v", p.DisplayName, there, p.seen, p.was)
		case there && x.Doc["active"] == true:
			h.t.Errorf("%s is out of scope and active", p.DisplayName)
		}
	}
}

func (h *history) checkGroups() {
	st := h.target.Store("default")
	byID := map[string]target.Resource{}
	list, _ := st.List("Group", 0, 1000)
	for _, x := range list {
		id := fmt.Sprint(x.Doc["externalId"])
		if _, twice := byID[id]; twice {
			h.t.Errorf("group %v stands at the target twice", x.Doc["displayName"])
		}
		byID[id] = x
	}
	for _, g := range h.groups {
		x, there := byID[g.ID]
		if !h.provisioned(g) {
			if there && !h.keep && !g.orphan {
				h.t.Errorf("group %s is out of scope and at the target", g.DisplayName)
			}
			continue
		}
		if !there || x.Doc["displayName"] != g.DisplayName {
			h.t.Errorf("group %s is in scope: the target holds %v", g.DisplayName, x.Doc)
			continue
		}
		holds := st.Members(x.ID)
		for _, p := range h.users {
			link := h.linkOf(p.Num)
			if link == nil {
				continue
			}
			l := g.members[p]
			if l == nil {
				l = &look{}
			}
			switch is := slices.Contains(holds, link.Target); {
			case is && !l.in:
				h.t.Errorf("%s left %s and is a member at the target", p.DisplayName, g.DisplayName)
			case !is && l.must, is && !l.must && !l.may:
				h.t.Errorf("%s is in %s: member at the target %v, told %v, perhaps %v", p.DisplayName, g.DisplayName, is, l.must, l.may)
			}
		}
	}
}
