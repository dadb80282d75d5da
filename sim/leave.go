package sim

import (
	"context"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

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
