package sim

import (
	"context"
	"errors"
	"fmt"

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

// differText is the reason of an update.
func differText(n int) string {
	if n == 1 {
		return "1 attribute differs from what the target returned."
	}
	return fmt.Sprintf("%d attributes differ from what the target returned.", n)
}
