package sim

import (
	"context"
	"fmt"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/sim/scim"
)

// managerLook is what is to be known of a user before its manager is written.
type managerLook struct {
	src    source
	link   *Link
	again  sentAttributes
	held   bool   // the user itself failed
	full   bool   // whatever changed: the cycle is an initial one, or the user came back
	boss   uint64 // 0: there is none, or none any more
	bossID string
	target string // the manager's id at the target
	state  referent
}

// lookAtManager reads a user, its link and how its manager stands. A manager that was purged is none any more; one that
// lies among the deleted items is out of scope.
func (c *cycle) lookAtManager(n uint64) (l managerLook, err error) {
	err = c.s.dir.View(func(r *directory.Reader) (err error) {
		b := jobBucket(r.Tx(), c.app)
		if b == nil {
			return errStopped
		}
		if l.link, err = getLink(b, n); err != nil || l.link == nil {
			return err
		}
		if c.kind != Initial || !l.link.createdIn(c.number) { // what an initial cycle made has no past
			if l.again, err = getAgain(b, n); err != nil {
				return err
			}
			l.held, l.full = waiting(b, n), owes(b, n) != 0
		}
		l.src, _ = readSource(r, c.app, c.all, c.set, n)
		if l.src.manager == 0 {
			return nil
		}
		_, state, ok := r.Standing(l.src.manager)
		if !ok || state == directory.Purged {
			return nil
		}
		l.boss = l.src.manager
		if state == directory.Live {
			var link *Link
			if link, l.state, err = c.refer(r, b, l.boss); err != nil {
				return err
			}
			if l.state == linked {
				l.target = link.Target
			}
		}
		if l.state != linked { // it will be named
			o, _ := r.Object(l.boss)
			l.bossID = o.ID
		}
		return nil
	})
	return l, err
}

// manager writes a user's manager: the target id of the manager, when that is in scope and linked.
func (c *cycle) manager(ctx context.Context, w work, list worklist) *outcome {
	began := clock.Wall()
	m := mappingOf(c.set, directory.KindUser)
	out := &outcome{num: w.num, kind: w.kind, escrow: EscrowManager, paid: true}
	ref, mapped := m.Reference("manager")
	look, err := c.lookAtManager(w.num)
	switch {
	case err != nil:
		out.fail = failureOf(err)
		return out
	case !mapped || !look.link.active() || !m.Update || look.src.user == nil || look.src.unread, !ref.Flows(look.link.createdIn(c.number), false, false):
		out.clear = true
		return out
	case look.held: // its failure drops what comes behind for this cycle
		out.owes = owesUntold
		return out
	}
	t := &step{cycle: c, w: w, src: look.src, m: m, link: look.link, again: look.again, rt: scim.User, out: out}
	t.rec = record{App: c.app, Time: c.s.clock.Now(), Cycle: c.number, Num: w.num, Kind: w.kind, Name: t.src.DisplayName,
		UPN: t.src.UPN, ID: t.src.ID, Import: importUpdate, Scope: &t.src.scope, Target: t.link.Target, Ref: ref.Target}
	defer func() { t.finish(clock.Wall().Sub(began).Milliseconds()) }()
	switch {
	case look.boss != 0 && look.state == pending:
		out.fail, out.waits = waitsFor(fmt.Sprintf("We were unable to assign %s as the manager of %s. The manager has no object at the target yet.", look.bossID, t.src.DisplayName)), true
	case look.boss != 0 && look.state == outside: // until the reference changes, or an initial cycle
		out.clear = true
		t.rec.Action, t.rec.Status, t.rec.Code = ActionUpdate, Warning, scim.CodeUnresolvedReference
		t.rec.Dropped, t.rec.Rules = []string{look.bossID}, []string{"S-286", "S-288"}
	case look.boss == 0 && !t.removable(list, look.full || list.full):
		out.clear = true
	default:
		t.writeManager(ctx, &look)
	}
	return out
}

// removable reports whether a user without a manager may have one at the target that is to go: one that was exported, one
// that the change feed says was removed, and when the user is looked at in full one that was read at a target object that
// had been linked before. What a first match finds stays: a null value is no reason to take something away.
func (t *step) removable(list worklist, full bool) bool {
	if t.link.Manager != 0 || list.managers[t.w.num] {
		return true
	}
	if !full || t.link.Cycle == t.number {
		return false
	}
	if t.resumed { // what was read before the cut is forgotten, and is read again
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reads[t.w.num].known
}

// writeManager makes the target's manager the wanted one; what the target holds decides what is sent.
func (t *step) writeManager(ctx context.Context, look *managerLook) {
	have, err := t.managerRead(ctx)
	if err != nil {
		t.rec.Action = ActionUpdate
		t.failed(err)
		return
	}
	if have == look.target {
		t.out.clear = true
		if t.managerHeld() || t.link.Manager != look.boss {
			t.relinkManager(look.boss)
		}
		return
	}
	if ref, _ := t.m.Reference("manager"); !ref.Flows(t.link.createdIn(t.number), have != "", look.target == "") {
		t.out.clear = true // its flow type leaves the target's as it is
		return
	}
	op, reason := t.opt.Op(have != ""), "The manager is linked and the target returned another."
	switch {
	case look.target == "":
		op, reason = scim.Remove, "The manager was removed in the directory."
	case have == "":
		reason = "The manager is linked and the target returned none."
	}
	rules := append([]string{"S-285"}, scim.ManagerRules(t.client.Dialect(), t.opt, op)...)
	done, err := t.managerStands(ctx, op, look.target, have)
	if err != nil {
		t.rec.Action = ActionUpdate
		t.failed(err)
		return
	}
	if done {
		t.out.clear = true
		t.relinkManager(look.boss)
		return
	}
	body, send := scim.ManagerPatch(t.client.Endpoint(), t.opt, op, look.target, have)
	if !send {
		t.out.clear = true
		t.relinkManager(look.boss)
		return
	}
	t.rec.Action, t.rec.Sent, t.rec.Rules = ActionUpdate, true, rules
	t.rec.Modified = []modified{reference(t.rec.Ref, have, look.target)}
	if err := t.client.Patch(ctx, t.tag(t.src.ID, reason, rules...), scim.User, t.link.Target, body); err != nil {
		t.failed(err)
		if look.boss != 0 { // the target may have taken it
			t.relinkManager(look.boss)
		}
		return
	}
	t.succeeded()
	t.managerAgain(have, look.target)
	t.relinkManager(look.boss)
}

func (t *step) relinkManager(manager uint64) {
	l := *t.link
	l.Manager = manager
	t.out.link = &l
}

// managerRead returns the manager that the target holds: as read in this cycle's user pass, else read now.
func (t *step) managerRead(ctx context.Context) (string, error) {
	t.mu.Lock()
	r, ok := t.reads[t.w.num]
	delete(t.reads, t.w.num)
	t.mu.Unlock()
	if ok {
		return r.manager, nil
	}
	have, err := t.client.Get(ctx, t.tag(t.src.ID, "Its manager changed: its present state decides what is sent.", "W-053", "W-061"), scim.User, t.link.Target)
	if err != nil {
		return "", err
	}
	return have.Manager(), nil
}

func reference(name, old, new string) modified {
	m := modified{Name: name}
	if old != "" {
		m.Old = &old
	}
	if new != "" {
		m.New = &new
	}
	return m
}
