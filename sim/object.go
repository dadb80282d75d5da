package sim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// outcome is what became of one object in one pass: what is to be stored, and nothing of how.
type outcome struct {
	num      uint64
	kind     directory.Kind
	escrow   EscrowKind // what a failure is kept under
	records  []record
	link     *Link           // to be stored; nil leaves it
	again    *sentAttributes // to be stored beside the link; nil leaves it
	fresh    bool            // the link is new: the object entered scope for the first time
	drop     bool            // forget the link and the memberships exported with it
	departed bool            // it is purged, and what stands at the target stays
	fail     *failure
	clear    bool // the escrow, if any, is settled
	asked    bool // at least one request was answered
	edges    []edgeResult
	waits    bool  // what failed was not tried, but waits for something else
	owes     owing // its references are to be looked at, in this cycle or a later one; 0 leaves what is
	paid     bool  // its references were looked at
	held     bool  // its deletion is held back
	later    bool  // it left scope behind the count of deletions: the next cycle looks at it again
	imported bool
	entitled bool
	exported bool
	endless  []endlessMove // what changes in the job's endless work
}

// edgeResult is what became of a membership: what the target knows of it now, and whether it is to be tried again. One
// without a failure has its escrow, if any, closed.
type edgeResult struct {
	edge
	known edgeKnown
	fail  *failure
	waits bool // not tried: it waits behind a failure, or for the member to get an object at the target
}

type edgeKnown byte

const (
	edgeSame   edgeKnown = iota // as before
	edgeTold                    // the target was told of it
	edgeMaybe                   // it was sent, or taken back, but no answer says that the target followed
	edgeUntold                  // the target was told that it is gone
)

// user brings one user to its wanted state.
func (c *cycle) user(ctx context.Context, w work) *outcome { return c.object(ctx, w) }

// group does the same for a group, members left aside.
func (c *cycle) group(ctx context.Context, w work) *outcome { return c.object(ctx, w) }

// step is one object on its way through the stages.
type step struct {
	*cycle
	w    work
	src  source
	m    *mapping.ObjectMapping
	link *Link
	rec  record

	again sentAttributes // of a linked one
	out   *outcome
	rt    scim.ResourceType
	want  mapping.Object

	search bool // it has no link, and a create of it may have been taken
	posted bool // a create was sent
}

func (c *cycle) object(ctx context.Context, w work) *outcome {
	began := clock.Wall()
	t := &step{cycle: c, w: w, out: &outcome{num: w.num, kind: w.kind, escrow: EscrowObject, imported: true}, rt: resourceType(w.kind)}
	ok, err := t.load()
	switch {
	case err != nil:
		t.out.fail = failureOf(err)
		t.out.imported = false
		return t.out
	case !ok:
		t.out.clear = true
		if t.src.unread {
			t.away()
		} else {
			t.out.paid = true // nobody knows it any more, or its mapping is off
		}
		return t.out
	}
	t.out.entitled = t.src.scope.entitled()
	rested := !t.link.active()
	t.decide(ctx)
	switch {
	case t.out.link.active() && (rested || t.out.fresh) && t.kind == Incremental && len(t.m.References) > 0:
		t.out.owes = owesUntold
	case t.link == nil && t.out.fail != nil && (t.posted && t.out.fail.inDoubt() || t.cutOff()):
		t.out.owes = owesSearch
	case t.search && (t.out.fail == nil || t.out.link != nil):
		t.out.paid = true
	}
	t.staysInDoubt()
	t.finish(clock.Wall().Sub(began).Milliseconds())
	return t.out
}

// load reads the object, its scope and its link. ok is false when there is nothing to look at.
func (t *step) load() (ok bool, err error) {
	t.m = mappingOf(t.set, t.w.kind)
	if t.m == nil {
		return false, nil
	}
	err = t.s.dir.View(func(r *directory.Reader) error {
		b := jobBucket(r.Tx(), t.app)
		if b == nil {
			return errStopped
		}
		var err error
		if t.link, err = getLink(b, t.w.num); err != nil {
			return err
		}
		if t.link != nil {
			if t.again, err = getAgain(b, t.w.num); err != nil {
				return err
			}
		}
		t.search = t.link == nil && owes(b, t.w.num) == owesSearch
		t.src, ok = readSource(r, t.app, t.all, t.set, t.w.num)
		if !ok && t.link != nil {
			t.src, ok = t.link.forgotten(), true
		}
		ok = ok && !t.src.unread
		return nil
	})
	if err != nil || !ok {
		return false, err
	}
	t.rec = record{
		App: t.app, Time: t.s.clock.Now(), Cycle: t.number, Num: t.w.num, Kind: t.w.kind, Name: t.src.DisplayName,
		UPN: t.src.UPN, ID: t.src.ID, Import: t.w.imp, Scope: &t.src.scope, Action: ActionOther, Status: Skipped,
	}
	if t.link != nil {
		t.rec.Target = t.link.Target
	}
	if t.demand != nil && t.src.attrs != nil {
		t.rec.Source = t.src.attrs.Texts(t.m)
	}
	return true, nil
}

// decide picks the branch: gone, out of scope, or wanted.
func (t *step) decide(ctx context.Context) {
	if t.demand != nil && t.settledOnDemand(ctx) {
		return
	}
	hold, later := t.withheld()
	switch {
	case hold:
		t.stage()
	case later:
		t.out.later, t.rec.Action = true, ""
	case t.src.State == directory.Purged:
		t.gone(ctx)
	case !t.src.scope.In():
		t.leave(ctx)
	default:
		t.keep(ctx)
	}
}

// gone carries out a permanent deletion: DELETE for a managed object, nothing for one that had left scope before.
func (t *step) gone(ctx context.Context) {
	t.rec.Import = importDelete
	switch {
	case t.link == nil && !t.found(ctx):
		t.out.clear = t.out.fail == nil // never provisioned, or dealt with: no record either
	case !t.managed(ctx):
		if t.out.fail == nil {
			t.out.drop, t.out.departed, t.out.clear = true, true, true
		}
	case !t.m.Delete:
		t.skip(ActionDelete, SkipBlocked, "S-198")
		t.out.drop, t.out.departed = true, true
	default:
		rules := []string{"S-078", "W-055"}
		if t.w.kind == directory.KindGroup {
			rules = []string{"S-078", "W-060"}
		}
		t.remove(ctx, "It was permanently deleted in the directory.", rules...)
	}
}

// remove sends DELETE; an object that is gone already counts as deleted.
func (t *step) remove(ctx context.Context, reason string, ruleIDs ...string) {
	t.rec.Action, t.rec.Sent, t.rec.Rules = ActionDelete, true, ruleIDs
	if err := t.client.Delete(ctx, t.tag(t.src.ID, reason, ruleIDs...), t.rt, t.link.Target); err != nil {
		t.failed(err)
		t.unsure(unsureDelete)
		return
	}
	t.succeeded()
	t.out.drop, t.out.link = true, nil
}

// leave deals with an object that is out of scope: a linked user is switched off, a linked group deleted, and of others
// nothing is sent.
func (t *step) leave(ctx context.Context) {
	switch {
	case t.link == nil && !t.found(ctx):
		if t.out.fail == nil {
			t.notEntitled()
		}
	case !t.link.Managed() && !t.mayBeActive():
		t.notEntitled()
	case t.tune.skipOutOfScope:
		t.leftAlone()
	case t.w.kind == directory.KindGroup:
		if !t.m.Delete {
			t.skip(ActionDelete, SkipBlocked, append(t.src.leaving(), "S-240")...)
			t.relinkUntold(LinkUnmanaged, "S-240")
			return
		}
		reason := "It was unassigned or left the scoping filter; a SCIM group can't be switched off."
		if t.src.State == directory.SoftDeleted {
			reason = "It was deleted in the directory; a SCIM group can't be switched off."
		}
		t.remove(ctx, reason, append(t.src.leaving(), "W-060")...)
	default:
		t.disable(ctx)
	}
}

// leftAlone records that somebody is out of scope and stays as it is at the target: the application is told so
// (skip-out-of-scope-deletions.md). The link stays in management, so that a permanent deletion is still carried out.
func (t *step) leftAlone() {
	action := ActionDisable
	if t.w.kind == directory.KindGroup {
		action = ActionDelete
	}
	t.skip(action, SkipBlocked, append(t.src.leaving(), "S-206", "S-208")...)
	t.rec.Message = "It is out of scope, and SkipOutOfScopeDeletions is set: nothing is sent, and the target keeps it as it is."
}

// found looks for the target object of one that is out of scope and has no link, when a create of it may have been taken.
func (t *step) found(ctx context.Context) bool {
	if !t.search {
		return false
	}
	found, err := t.seek(ctx, "It may have been created before it left scope: no answer said so.", nil)
	if err != nil {
		t.failed(err)
	}
	return found
}

// seek asks the target for an object by its matching values, and links what it finds when mine says that it is the one; nil
// takes every match.
func (t *step) seek(ctx context.Context, reason string, mine func(mapping.Object, *scim.Resource) bool) (found bool, err error) {
	want, err := desire(t.m, &t.src, t.env(t.src.ID))
	if err != nil || want.Ignore {
		return false, nil // it could not have been created either
	}
	for _, v := range matchingValues(t.m, want) {
		t.rec.Rules = scim.MatchRules(t.rt, v.by())
		have, err := t.client.Match(ctx, t.tag(t.src.ID, reason, t.rec.Rules...), t.rt, v.by(), v.exact)
		if err != nil {
			return false, err
		}
		if len(have) == 1 && (mine == nil || mine(want, have[0])) {
			v.Found = 1
			t.rec.Match = &v
			return t.regain(have[0])
		}
	}
	have, err := t.formerly(ctx, want)
	if err != nil || have == nil {
		return false, err
	}
	return t.regain(have)
}

// regain links an object that this job created, unless it stands for another one.
func (t *step) regain(have *scim.Resource) (bool, error) {
	if owner, err := t.owner(have.ID()); err != nil || owner != 0 {
		return false, err
	}
	t.newLink(have.ID(), true)
	l := *t.link
	t.out.link = &l
	return true, nil
}

// notEntitled records that nothing is sent for an object that is out of scope and has no managed counterpart.
func (t *step) notEntitled() {
	t.out.clear = true
	if t.kind == Initial && t.w.late || t.w.refs {
		t.rec.Action = "" // no record
		return
	}
	action, rules := ActionOther, t.src.outside()
	if t.link != nil {
		rules = append(rules, "S-196")
	}
	if t.src.scope.entitled() && t.src.scope.Filter && t.link == nil {
		action, rules = ActionCreate, append(rules, "S-119") // assigned and merely inactive
	}
	t.skip(action, SkipNotEntitled, rules...)
}

// disable exports the loss of scope as an update of what is mapped from IsSoftDeleted. Without such a mapping nothing is
// sent, unless the target is said to know no soft delete.
func (t *step) disable(ctx context.Context) {
	state := left(&t.src)
	if t.link.State == LinkDisabled && state == LinkDisabled && t.w.refs {
		t.rec.Action = ""
		t.out.clear = true
		return
	}
	t.rec.Action = ActionDisable
	if len(t.m.SoftDeleteTargets()) == 0 {
		if !t.opt.SoftDelete && t.demand != nil { // the link stays as it is, for a cycle
			t.skip(ActionDelete, SkipBlocked, append(t.src.leaving(), "S-197", "S-317")...)
			t.rec.Message = "On demand no user is deleted; the next cycle deletes it at the target, which has no soft delete."
			t.out.clear = false
			return
		}
		if !t.opt.SoftDelete {
			t.remove(ctx, "It "+t.src.departure()+", and the target has no soft delete.", append(t.src.leaving(), "S-197", "W-164")...)
			return
		}
		t.skip(ActionDisable, SkipRedundant, append(t.src.leaving(), "S-193")...)
		t.relinkUntold(state, "S-193")
		return
	}
	if !t.m.Update {
		t.skip(ActionDisable, SkipBlocked, append(t.src.leaving(), "S-241")...)
		t.relinkUntold(state, "S-241")
		return
	}
	want, err := desire(t.m, &t.src, t.env(t.src.ID))
	if err != nil {
		t.failed(err)
		return
	}
	if want.Ignore {
		t.ignored(want)
		return
	}
	t.rec.Rules = append(t.src.leaving(), "W-054")
	have, err := t.client.Get(ctx, t.tag(t.src.ID, "It "+t.src.departure()+": its present state at the target decides what is sent.", t.rec.Rules...), t.rt, t.link.Target)
	if err != nil {
		t.failed(err)
		t.disableMissing(err)
		return
	}
	t.out.asked, t.rec.Read = true, true
	t.look("id", t.link.Target, want, have)
	t.note(have)
	t.want = want
	changes, mods, softDelete := difference(t.m, want, have, t.opt)
	if !softDelete {
		t.skip(ActionDisable, SkipRedundant, append(t.src.leaving(), "S-200")...)
		if !t.link.Managed() { // it never woke
			state = LinkUnmanaged
		}
		t.relink(state)
		return
	}
	again := t.watched(have, changes)
	if err := t.patch(ctx, changes, mods, "It "+t.src.departure()+": the target is told that it is inactive.",
		append(append(t.src.leaving(), "S-192"), scim.PatchRules(t.rt, t.client.Dialect(), t.opt, changes)...)...); err != nil {
		t.disableMissing(err)
		return
	}
	t.noteAgain(again, have)
	t.relink(state)
}

// disableMissing forgets a link whose object is gone from the target, when that means to match anew: there is nothing to
// switch off, and who comes back into scope is looked up and created.
func (t *step) disableMissing(err error) {
	if t.missing(err) && t.opt.RematchMissing {
		t.forget()
		t.skip(ActionDisable, SkipRedundant, "W-175", "S-204")
	}
}

// missing reports whether the linked object is gone from the target.
func (t *step) missing(err error) bool {
	var e *scim.Error
	return errors.As(err, &e) && e.Code == scim.CodeInvalidAnchor
}

// rematch reports whether an object in scope that is gone from the target is matched and created anew: everywhere under
// the switch, else when its link is not managed any more, and when it may have been this job that deleted it. A link that
// was made just now is not given up.
func (t *step) rematch(err error) bool {
	if !t.missing(err) || t.out.fresh {
		return false
	}
	return t.opt.RematchMissing || t.link.State == LinkUnmanaged || t.link.Unsure == unsureDelete || t.w.kind == directory.KindGroup && t.cutOff()
}

// forget gives up the link, with what was recorded of a request to it.
func (t *step) forget() {
	t.link, t.out.link, t.out.fail, t.out.drop = nil, nil, nil, true
	t.again, t.out.again = nil, nil
	t.rec.Target, t.rec.Code, t.rec.Message, t.rec.Detail, t.rec.Status = "", "", "", "", Skipped
	t.rec.Read, t.rec.Sent, t.rec.Modified = false, false, nil
}

// relink stores the link with a new state.
func (t *step) relink(state LinkState) {
	if t.link == nil {
		return
	}
	l := *t.link
	l.State, l.ID, l.Name, l.Away, l.Untold, l.Unsure = state, t.src.ID, t.src.DisplayName, false, "", ""
	t.out.link = &l
}

// relinkUntold does so for an object that left scope without a word to the target; rule says why. Of one that had left scope
// before, the target may know already.
func (t *step) relinkUntold(state LinkState, rule string) {
	told := t.link.State != LinkActive && t.link.Untold == ""
	t.relink(state)
	if !told {
		t.out.link.Untold = rule
	}
}

// unsure notes a write whose outcome is not known.
func (t *step) unsure(what unsure) {
	l := *t.link
	l.Unsure = what
	t.out.link = &l
}

// staysInDoubt keeps a doubt that a crash left, when the target fails to resolve it in time.
func (t *step) staysInDoubt() {
	if t.out.fail == nil || t.link == nil || t.out.link != nil || !t.cutOff() {
		return
	}
	switch {
	case t.w.kind == directory.KindGroup:
		t.unsure(unsureDelete)
	case !t.link.Managed():
		t.unsure(unsureWake)
	}
}

// mayBeActive reports whether a user out of management may be active at the target nevertheless: it came back into scope,
// and the answer to its activation was lost.
func (t *step) mayBeActive() bool {
	return t.w.kind == directory.KindUser && t.m.Update && len(t.m.SoftDeleteTargets()) > 0 && t.src.attrs != nil &&
		(t.link.Unsure == unsureWake || t.cutOff())
}

// managed reports whether a permanent deletion is carried to the target. When it is not known whether the object had come
// back, the target is asked whether it is active; a failure to tell is the object's.
func (t *step) managed(ctx context.Context) bool {
	if t.link.Managed() || !t.mayBeActive() {
		return t.link.Managed()
	}
	want, err := desire(t.m, &t.src, t.env(t.src.ID))
	if err != nil {
		return false // of a tombstone there is little left to map
	}
	have, err := t.client.Get(ctx, t.tag(t.src.ID, "It is gone, and no answer said whether it was activated before.", "W-055"), t.rt, t.link.Target)
	if err != nil {
		if !t.missing(err) {
			t.rec.Action = ActionDelete
			t.failed(err)
		}
		return false
	}
	_, _, active := difference(t.m, want, have, t.opt)
	return active
}

// away notes that a linked object is left out for now; its references rest, and are looked at when it comes back.
func (t *step) away() {
	if t.link != nil && !t.link.Away {
		l := *t.link
		l.Away = true
		t.out.link = &l
	}
}

// keep brings an object in scope to what its mappings say: linked ones by id, others by matching first.
func (t *step) keep(ctx context.Context) {
	t.rec.Action = ActionUpdate
	if t.link == nil {
		t.rec.Action = ActionCreate
	}
	want, err := desire(t.m, &t.src, t.env(t.src.ID))
	if err != nil {
		t.failed(err)
		return
	}
	if want.Ignore {
		t.ignored(want)
		return
	}
	t.want = want
	if t.link == nil {
		t.meet(ctx)
		return
	}
	t.rec.Rules = t.readRules()
	have, err := t.client.Get(ctx, t.tag(t.src.ID, "It is linked: its present state decides what is sent.", t.rec.Rules...), t.rt, t.link.Target)
	if t.rematch(err) {
		t.forget()
		t.meet(ctx)
		return
	}
	if err != nil {
		t.failed(err)
		return
	}
	t.rec.Read = true
	t.look("id", t.link.Target, want, have)
	t.update(ctx, have)
}

// update sends what differs between the wanted object and the one read.
func (t *step) update(ctx context.Context, have *scim.Resource) {
	t.out.asked = true
	t.note(have)
	changes, mods, _ := difference(t.m, t.want, have, t.opt)
	again := t.watched(have, changes)
	switch {
	case len(changes) == 0:
		t.noteAgain(again, have)
		if t.w.refs && !t.out.fresh {
			t.rec.Action = "" // only its references changed; they have records of their own
			t.out.clear = true
			t.relink(LinkActive)
			return
		}
		t.skip(ActionOther, SkipRedundant, t.redundantRules()...)
		t.relink(LinkActive)
	case !t.m.Update:
		t.skip(ActionUpdate, SkipBlocked, "S-240")
		t.relink(LinkActive)
	default:
		err := t.patch(ctx, changes, mods, differText(len(changes)), t.updateRules(changes)...)
		switch {
		case err == nil:
			t.noteAgain(again, have)
			t.relink(LinkActive)
		case t.rematch(err):
			t.forget()
			t.meet(ctx)
		case !t.link.Managed():
			t.unsure(unsureWake)
		}
	}
}

func (t *step) patch(ctx context.Context, changes []scim.Change, mods []modified, reason string, ruleIDs ...string) error {
	t.rec.Sent, t.rec.Modified, t.rec.Rules = true, mods, ruleIDs
	if t.rec.Action != ActionDisable {
		t.rec.Action = ActionUpdate
	}
	body := scim.PatchBody(t.rt, t.client.Dialect(), t.opt, changes)
	if err := t.client.Patch(ctx, t.tag(t.src.ID, reason, ruleIDs...), t.rt, t.link.Target, body); err != nil {
		t.failed(err)
		return err
	}
	t.succeeded()
	return nil
}

// meet makes first contact: it asks for each matching attribute in turn, links what it finds and creates what it does not.
func (t *step) meet(ctx context.Context) {
	t.rec.Action = ActionCreate
	values := matchingValues(t.m, t.want)
	if len(values) == 0 {
		t.skip(ActionOther, SkipImport, "S-278")
		return
	}
	unlock := t.claim(values)
	defer unlock()
	for i := range values {
		v := &values[i]
		t.rec.Match = v
		t.rec.Rules = scim.MatchRules(t.rt, v.by())
		if i > 0 {
			t.rec.Rules = append(t.rec.Rules, "S-276")
		}
		found, err := t.client.Match(ctx, t.tag(t.src.ID, "It is not linked yet: the target is asked for a match by "+v.Attr+".", t.rec.Rules...), t.rt, v.by(), v.exact)
		v.Found, v.Failed = len(found), err != nil
		t.look(v.Attr, v.Value, t.want, found...)
		if err != nil {
			t.failed(matchFailed(&t.rec, err))
			return
		}
		t.out.asked = true
		if len(found) == 1 {
			t.join(ctx, found[0])
			return
		}
	}
	switch have, err := t.formerly(ctx, t.want); {
	case err != nil:
		t.failed(matchFailed(&t.rec, err))
	case have != nil:
		t.join(ctx, have)
	default:
		t.create(ctx)
	}
}

// join links a target object that matched, and updates it.
func (t *step) join(ctx context.Context, have *scim.Resource) {
	if owner, err := t.owner(have.ID()); err != nil || owner != 0 && owner != t.w.num {
		if err == nil {
			err = &failureError{failure{Code: scim.CodeDuplicateSourceEntries, Message: fmt.Sprintf(
				"The target object %s matches, but it stands for another object of the directory already.", have.ID())}}
		}
		t.failed(err)
		return
	}
	t.newLink(have.ID(), false)
	t.rec.Action = ActionUpdate
	t.update(ctx, have)
	if t.out.link == nil && t.rec.Status == Failure {
		// The update failed, the match stands.
		l := *t.link
		t.out.link = &l
	}
}

func (t *step) newLink(target string, created bool) {
	t.link = &Link{Num: t.w.num, Kind: t.w.kind, ID: t.src.ID, Name: t.src.DisplayName, Target: target, State: LinkActive, Created: created, Since: t.rec.Time, Cycle: t.number}
	t.out.fresh = true
	t.rec.Target = target
	t.mu.Lock()
	t.anchors[string(anchorKey(t.w.kind, target))] = t.w.num
	t.mu.Unlock()
}

// owner returns the object that a target object stands for, 0 when for none.
func (t *step) owner(target string) (uint64, error) {
	t.mu.Lock()
	n := t.anchors[string(anchorKey(t.w.kind, target))]
	t.mu.Unlock()
	if n != 0 {
		return n, nil
	}
	err := t.s.dir.View(func(r *directory.Reader) error {
		if b := jobBucket(r.Tx(), t.app); b != nil {
			n = anchorOwner(b, t.w.kind, target)
		}
		return nil
	})
	return n, err
}

// create sends the POST of an object that the target does not have.
func (t *step) create(ctx context.Context) {
	if !t.m.Create {
		t.skip(ActionCreate, SkipBlocked, "S-240")
		return
	}
	attrs, mods, fail := creation(t.want, t.opt)
	if fail != nil {
		t.failed(&failureError{*fail})
		return
	}
	rules := append([]string{"S-063"}, scim.CreateRules(t.rt, t.client.Dialect(), attrs)...)
	t.rec.Sent, t.rec.Modified, t.rec.Rules, t.posted = true, mods, rules, true
	id, err := t.client.Create(ctx, t.tag(t.src.ID, "No match was found: it is created.", rules...), t.rt, attrs)
	if err != nil {
		t.failed(createFailed(&t.rec, err))
		if f := t.out.fail; f.Err != nil && f.Err.Status == http.StatusConflict {
			f.pair = true
		}
		return
	}
	t.newLink(id, true)
	t.note(nil)
	t.succeeded()
	l := *t.link
	t.out.link = &l
	if t.rec.Import == importFull || t.rec.Import == importAdd {
		t.rec.Source = t.src.attrs.Texts(t.m)
	}
}

// note keeps what the target returned of the manager, for the reference pass. A user that was just created has none.
func (t *step) note(have *scim.Resource) {
	if t.w.kind != directory.KindUser || referenceOf(t.m, "manager") == "" {
		return
	}
	r := read{known: true}
	if have != nil && t.rec.Read || have != nil && t.rec.Match != nil && t.rec.Match.Found == 1 {
		r.manager = have.Manager()
	}
	t.mu.Lock()
	t.reads[t.w.num] = r
	t.mu.Unlock()
}

// ignored leaves out an object because an expression said IgnoreObjectFlow.
func (t *step) ignored(want mapping.Object) {
	t.skip(ActionOther, SkipBlocked, "S-245")
	t.rec.Message = "The expression mapped to " + want.IgnoredBy + " says IgnoreObjectFlow: the object is left out."
	t.away()
}

func (t *step) skip(action Action, reason SkipReason, ruleIDs ...string) {
	t.rec.Action, t.rec.Status, t.rec.Skip, t.rec.Rules = action, Skipped, reason, ruleIDs
	t.rec.Modified = nil
	t.out.clear = true
}

func (t *step) succeeded() {
	t.rec.Status = Success
	t.out.asked, t.out.clear, t.out.exported = true, true, true
}

func (t *step) failed(err error) {
	var f *failureError
	if errors.As(err, &f) {
		t.out.fail = &f.failure
	} else {
		t.out.fail = failureOf(err)
	}
	t.out.clear = false
	t.rec.fail(t.out.fail)
	if t.out.fail.Err != nil && !t.out.fail.unhealthy() {
		t.out.asked = true
	}
}

// failureError carries a failure that is no answer of the target through an error value.
type failureError struct{ failure }

func (f *failureError) Error() string { return f.Message }

// finish keeps the record of what was decided. An object that equals the target's, and of which only references changed, has
// none: what was asked of the target is named by the record of its references.
func (t *step) finish(millis int64) {
	silent := t.rec.Action == "" || t.rec.Status == Skipped && t.rec.Skip == ""
	equal := silent && t.src.scope.In() && t.link != nil
	if equal && t.w.refs {
		t.unsaid(t.rec)
		return
	}
	t.noteExchanges(&t.rec)
	t.rec.Millis = millis
	switch asked := len(t.rec.Requests) > 0; {
	case equal && t.out.waits && (asked || t.demand != nil):
		t.rec.waitsFor(t.out.fail)
	case silent && !asked:
		return
	case equal:
		t.rec.equal()
	case silent: // nothing is done for it, but the target was asked
		t.skip(ActionOther, SkipNotEntitled, append(t.rec.Rules, t.src.outside()...)...)
		t.rec.Message = "A create of it may have been taken: the target was asked, and holds nothing of it that this job made."
	}
	t.out.records = append(t.out.records, t.rec)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// claim keeps two source objects with one matching value from being created side by side: the later one waits until the
// earlier one is linked, and then finds it.
func (c *cycle) claim(values []matchInfo) (release func()) {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = v.Attr + "\x00" + fold(v.Value)
	}
	slices.Sort(names) // one order for all, so that nobody waits in a circle
	var held []func()
	for _, name := range slices.Compact(names) {
		held = append(held, c.claims.lock(name))
	}
	return func() {
		for i := len(held) - 1; i >= 0; i-- {
			held[i]()
		}
	}
}

// differText is the reason of an update.
func differText(n int) string {
	if n == 1 {
		return "1 attribute differs from what the target returned."
	}
	return fmt.Sprintf("%d attributes differ from what the target returned.", n)
}
