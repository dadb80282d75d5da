package sim

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/sim/scim"
)

// membership is one member of a group, and what is to be done about it.
type membership struct {
	num      uint64
	target   string // id at the target
	id       string // in the directory; only of those that are named
	told     bool   // the target was told of it
	hidden   bool   // a linked member whom the target is not told of while it is out of scope
	stranger string // UPN of a user who was chosen on demand and is no member, nor was the target told that it is
	do       memberStep
}

type memberStep int

const (
	memberStays   memberStep = iota // nothing to send; a retry of it is settled
	memberAdded                     //
	memberRemoved                   //
	memberWaits                     // in scope, but without an object at the target: the membership waits with it
	memberDropped                   // out of scope: dropped with a warning
)

// memberLook is what is to be known of a group before its members are written.
type memberLook struct {
	src     source
	link    *Link
	held    *Escrow // the failure of the group itself; nil for none
	owed    owing
	members []membership
}

// lookAtMembers reads a group, its link, and the members to look at.
func (c *cycle) lookAtMembers(n uint64, list worklist) (l memberLook, err error) {
	cut := c.cutOff()
	err = c.s.dir.View(func(r *directory.Reader) (err error) {
		b := jobBucket(r.Tx(), c.app)
		if b == nil {
			return errStopped
		}
		if l.link, err = getLink(b, n); err != nil || l.link == nil {
			return err
		}
		if l.held, err = getEscrow(b, escrowKey{EscrowObject, n, 0}); err != nil {
			return err
		}
		l.owed = owes(b, n)
		l.src, _ = readSource(r, c.app, c.all, c.set, n)
		all, again := list.full || l.owed != 0, list.full || l.owed == owesAll
		if c.demand != nil { // those that were chosen, whether or not the target was told before
			all, again = false, true
		}
		if l.link.active() {
			l.members, err = c.memberships(r, b, n, all, again, cut, list.edges[n])
		}
		return err
	})
	return l, err
}

// memberships decides about the members to look at: the given ones, or all of the group and all that the target knows.
// Memberships are never read from the target. With again, members are added whether or not the target was told before. With
// cut, what changed may have been told, or taken back, by a request that nobody remembers: it is sent whatever was recorded.
func (c *cycle) memberships(r *directory.Reader, b *bbolt.Bucket, group uint64, all, again, cut bool, some map[uint64]bool) ([]membership, error) {
	nums := make([]uint64, 0, len(some))
	for n := range some {
		nums = append(nums, n)
	}
	if all {
		r.EachMember(group, 0, func(n uint64) bool { nums = append(nums, n); return true })
		nums = append(nums, knownMembers(b, group)...)
	}
	slices.Sort(nums)
	nums = slices.Compact(nums)
	list := make([]membership, 0, len(nums))
	for _, n := range nums {
		x := membership{num: n}
		kind, state, ok := r.Standing(n)
		if !ok || state == directory.Purged || kind != directory.KindUser {
			// A purged user's memberships are forgotten with it, without a request; a group inside a group is not
			// provisioned as a member.
			list = append(list, x)
			continue
		}
		cycle, known := knownIn(b, edge{group, n})
		x.told = known && cycle != maybeTold
		link, stands, err := c.refer(r, b, n)
		if err != nil {
			return nil, err
		}
		if link != nil {
			x.target = link.Target
		}
		x.hidden = r.IsMember(group, n) && link != nil && !x.told && (state != directory.Live || stands != linked)
		switch {
		case !r.IsMember(group, n):
			switch {
			case (known || cut) && link != nil:
				x.do = memberRemoved
			case !known && c.demand != nil:
				u, _ := r.UserByNum(n)
				x.stranger = u.UserPrincipalName
			}
		case state != directory.Live: // hidden among the deleted items
		case stands == linked:
			if !x.told || again && cycle != c.number || cut && some[n] {
				x.do = memberAdded
			}
		case x.told: // blocked or unassigned: no Remove, what the target was told stays recorded
		case stands == pending:
			x.do = memberWaits
		default:
			x.do = memberDropped
		}
		if x.do == memberWaits || x.do == memberDropped { // it will be named
			o, _ := r.Object(n)
			x.id = o.ID
		}
		list = append(list, x)
	}
	return list, nil
}

// members writes the additions and removals of one group: what the change feed names, in an initial cycle every member,
// and every member that the target was not told when the group was linked or became active again.
func (c *cycle) members(ctx context.Context, w work, list worklist) *outcome {
	began := clock.Wall()
	m := mappingOf(c.set, directory.KindGroup)
	out := &outcome{num: w.num, kind: w.kind, escrow: EscrowMember}
	look, err := c.lookAtMembers(w.num, list)
	ref, mapped := m.Reference("members")
	settle := func(fail *failure) {
		for n := range list.edges[w.num] {
			out.edges = append(out.edges, edgeResult{edge: edge{w.num, n}, fail: fail, waits: fail != nil})
		}
		slices.SortFunc(out.edges, func(a, b edgeResult) int { return int(a.Member) - int(b.Member) })
	}
	switch {
	case err != nil:
		out.owes = owesUntold
		if list.full {
			out.owes = owesAll
		}
		out.fail = failureOf(err)
	case !mapped || !look.link.active() || !m.Update || look.src.group == nil || look.src.unread:
		out.paid = true
		settle(nil)
	case look.held != nil && list.full: // the group's failure drops what comes behind for this cycle
		out.owes = owesAll
	case look.held != nil && look.owed != 0 && c.demand == nil:
	case look.held != nil:
		settle(&failure{Code: look.held.Code, Message: look.held.Message})
	default:
		out.paid = c.demand == nil // others may be owed still
		t := &memberWriter{cycle: c, w: w, src: look.src, link: look.link, out: out, attribute: ref.Target, began: began, kept: began}
		created := look.link.createdIn(c.number)
		for i := range look.members { // its flow type may leave what the target has as it is
			if x := &look.members[i]; !ref.Flows(created, false, x.do == memberRemoved) {
				x.do = memberStays
			}
		}
		t.write(ctx, look.members)
	}
	if r, ok := c.left(look.src.ID); ok {
		out.records = append(out.records, r)
	}
	return out
}

// memberWriter sends the membership changes of one group in batches, adds first.
type memberWriter struct {
	*cycle
	w         work
	src       source
	link      *Link
	out       *outcome
	attribute string
	strangers []string // chosen on demand, and no members
	dropped   []string // members out of scope that no record has named yet
	waiting   []string // members that wait for an object at the target; named where no other record tells what was asked
	began     clockWall
	kept      clockWall // when a part was committed last
}

func (t *memberWriter) write(ctx context.Context, members []membership) {
	var add, remove []membership
	cut := t.cutOff()
	for _, x := range members {
		res := edgeResult{edge: edge{t.w.num, x.num}}
		if cut && x.hidden { // it may have been told before the cut, and must then be taken back when the member leaves
			res.known = edgeMaybe
		}
		switch x.do {
		case memberAdded:
			add = append(add, x)
			continue
		case memberRemoved:
			remove = append(remove, x)
			continue
		case memberWaits:
			res.waits = true
			t.waiting = append(t.waiting, x.id)
			res.fail = waitsFor(fmt.Sprintf("We were unable to assign %s as the members of %s. The user has no object at the target yet.", x.id, t.src.DisplayName))
		case memberDropped:
			t.dropped = append(t.dropped, x.id)
		case memberStays:
			if x.stranger != "" {
				t.strangers = append(t.strangers, x.stranger)
			}
		}
		t.out.edges = append(t.out.edges, res)
	}
	sort.Strings(t.dropped)
	if f := t.batches(ctx, add, true); f != nil {
		t.wait(remove, f)
	} else {
		t.batches(ctx, remove, false)
	}
	if len(t.strangers) > 0 {
		r := t.record()
		r.Action, r.Status, r.Skip, r.Rules = ActionOther, Skipped, SkipRedundant, []string{"S-310"}
		are, them := "is no member", "it"
		if len(t.strangers) > 1 {
			are, them = "are no members", "them"
		}
		r.Message = fmt.Sprintf("%s %s of %s in the directory, and the target was not told otherwise: nothing was sent about %s.",
			join(t.strangers), are, t.src.DisplayName, them)
		t.out.records = append(t.out.records, r)
	}
	if len(t.dropped) > 0 {
		r := t.record()
		r.Status, r.Code, r.Rules = Warning, scim.CodeUnresolvedReference, []string{"S-287", "S-288"}
		r.Dropped = t.dropped
		t.noteExchanges(&r)
		t.out.records = append(t.out.records, r)
	}
	if len(t.waiting) > 0 && (t.demand != nil || t.isLeft(t.src.ID)) {
		sort.Strings(t.waiting)
		r := t.record()
		r.Status, r.Code, r.Rules, r.Dropped = Warning, scim.CodeUnresolvedReference, []string{"S-286"}, t.waiting
		r.Message = fmt.Sprintf("We were unable to assign %s as the members of %s. They have no object at the target yet; the next cycle adds them when they have.",
			strings.Join(t.waiting, ", "), t.src.DisplayName)
		t.noteExchanges(&r)
		t.out.records = append(t.out.records, r)
	}
}

// batches sends one kind of change. After a failure the rest waits for the next cycle.
func (t *memberWriter) batches(ctx context.Context, list []membership, adds bool) *failure {
	size := max(1, t.opt.MemberBatch)
	for len(list) > 0 {
		n := min(size, len(list))
		part := list[:n]
		list = list[n:]
		part, f := t.unset(ctx, part, adds)
		if f == nil && len(part) > 0 {
			f = t.batch(ctx, part, adds)
		}
		if f != nil {
			t.wait(list, f)
			return f
		}
		// A large group is committed as it goes, so that a cut does not send it all again.
		if len(list) > 0 && clock.Wall().Sub(t.kept) > commitEvery {
			t.kept = clock.Wall()
			if err := t.keepEdges(); err != nil {
				t.s.log.Error("memberships not recorded", "group", t.src.ID, "error", err)
			}
		}
	}
	return nil
}

// wait keeps what was not sent behind a failure.
func (t *memberWriter) wait(list []membership, f *failure) {
	for _, x := range list {
		t.out.edges = append(t.out.edges, edgeResult{edge: edge{t.w.num, x.num}, fail: f, waits: true})
	}
}

// batch is one PATCH. The first record that ends well names the members that were dropped because they are out of scope.
func (t *memberWriter) batch(ctx context.Context, part []membership, adds bool) *failure {
	ids := make([]string, len(part))
	mods := make([]modified, len(part))
	for i, x := range part {
		ids[i] = x.target
		mods[i] = reference(t.attribute, x.target, "")
		if adds {
			mods[i] = reference(t.attribute, "", x.target)
		}
	}
	op, remove, reason := scim.Add, []string(nil), plural(len(part), "member")+" of the group that the target is to know."
	if !adds {
		op, ids, remove, reason = scim.Remove, nil, ids, plural(len(part), "member")+" left the group."
	}
	body := scim.MemberPatches(t.client.Dialect(), t.opt, ids, remove)[0]
	rules := append([]string{"S-292", "S-293"}, scim.MemberRules(t.client.Dialect(), t.opt, op, len(part))...)
	if t.demand != nil {
		rules = append(rules, "W-062")
	}
	r := t.record()
	r.Modified, r.Rules, r.Sent = mods, rules, true
	err := t.client.Patch(ctx, t.tag(t.src.ID, reason, rules...), scim.Group, t.link.Target, body)
	t.noteExchanges(&r)
	r.Millis = clock.Wall().Sub(t.began).Milliseconds()
	t.began = clock.Wall()
	res := edgeResult{known: edgeUntold}
	if adds {
		res.known = edgeTold
	}
	r.Status, r.Dropped = Success, t.dropped
	if err != nil {
		f := failureOf(err)
		t.out.fail = f
		t.out.asked = t.out.asked || !f.unhealthy()
		r.fail(f)
		r.Dropped = nil
		res = edgeResult{known: edgeMaybe, fail: f} // the answer does not say that the target did nothing
	} else {
		if len(t.dropped) > 0 {
			r.Rules = append(slices.Clip(rules), "S-287", "S-288")
		}
		t.out.asked, t.out.exported, t.dropped = true, true, nil
	}
	t.out.records = append(t.out.records, r)
	for _, x := range part {
		res := res
		res.edge = edge{t.w.num, x.num}
		if res.known == edgeMaybe && adds && x.told {
			res.known = edgeSame
		}
		t.out.edges = append(t.out.edges, res)
	}
	return res.fail
}

// keepEdges commits the batches that the target has answered so far.
func (t *memberWriter) keepEdges() error {
	out := t.out
	records, edges := out.records, out.edges
	out.records, out.edges = nil, nil
	return t.commitPartial(&outcome{num: out.num, kind: out.kind, escrow: out.escrow, records: records, edges: edges})
}

func (t *memberWriter) record() record {
	return record{App: t.app, Time: t.s.clock.Now(), Cycle: t.number, Num: t.w.num, Kind: t.w.kind, Name: t.src.DisplayName,
		ID: t.src.ID, Import: importUpdate, Scope: &t.src.scope, Target: t.link.Target, Action: ActionUpdate, Ref: t.attribute}
}
