package sim

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/sim/scim"
)

// references lists what the second pass looks at: first users whose manager may have to be written, then groups whose
// members may (how-provisioning-works.md, "Initial cycle": references are resolved once both ends exist).
func (c *cycle) references(list worklist) []work {
	var refs []work
	if hasReference(mappingOf(c.set, directory.KindUser), "manager") {
		for _, w := range list.users {
			if list.full || list.managers[w.num] || c.linkedNow(w.num) {
				refs = append(refs, w)
			}
		}
	}
	if hasReference(mappingOf(c.set, directory.KindGroup), "members") {
		for _, w := range list.groups {
			if list.full || list.edges[w.num] != nil || c.linkedNow(w.num) {
				refs = append(refs, w)
			}
		}
	}
	for i := range refs { // one order: users, then groups; a place in the list is found again by its rank
		refs[i].late = refs[i].kind == directory.KindGroup
	}
	return refs
}

// linkedNow reports whether this cycle linked the object, also before it was cut short.
func (c *cycle) linkedNow(n uint64) (now bool) {
	err := c.s.dir.View(func(r *directory.Reader) error {
		if b := jobBucket(r.Tx(), c.app); b != nil {
			l, err := getLink(b, n)
			now = err == nil && l != nil && l.Cycle == c.number
		}
		return nil
	})
	return now && err == nil
}

// manager writes a user's manager: the target id of the manager, when that is in scope and linked.
func (c *cycle) manager(ctx context.Context, w work, list worklist) *outcome {
	began := clock.Wall()
	m := mappingOf(c.set, directory.KindUser)
	out := &outcome{num: w.num, kind: w.kind, escrow: EscrowManager}
	var src source
	var link, boss *Link
	var bossFailed bool
	err := c.s.dir.View(func(r *directory.Reader) (err error) {
		b := jobBucket(r.Tx(), c.app)
		if b == nil {
			return errStopped
		}
		if link, err = getLink(b, w.num); err != nil || link == nil {
			return err
		}
		src, _ = readSource(r, c.app, c.all, c.set, w.num)
		if src.manager == 0 {
			return nil
		}
		if _, state, ok := r.Standing(src.manager); !ok || state != directory.Live {
			return nil
		}
		if boss, err = getLink(b, src.manager); err != nil {
			return err
		}
		e, err := getEscrow(b, escrowKey{EscrowObject, src.manager, 0})
		bossFailed = e != nil
		return err
	})
	switch {
	case err != nil:
		out.fail = failureOf(err)
		return out
	case link == nil || link.State != LinkActive || !m.Update:
		out.clear = true
		return out
	}
	target := referenceOf(m, "manager")
	t := &step{cycle: c, w: w, src: src, m: m, link: link, rt: scim.User, out: out}
	t.rec = record{App: c.app, Time: c.s.clock.Now(), Cycle: c.number, Num: w.num, Kind: w.kind, Name: src.DisplayName,
		UPN: src.UPN, ID: src.ID, Import: importUpdate, Scope: &t.src.scope, Target: link.Target, Action: ActionUpdate, Ref: target}
	defer func() { t.finish(clock.Wall().Sub(began).Milliseconds()) }()

	wanted := ""
	if boss != nil && boss.State == LinkActive {
		wanted = boss.Target
	}
	if src.manager != 0 && wanted == "" {
		if boss == nil && bossFailed {
			t.rec.Action = "" // it is in scope but could not be created: the reference waits with it
			out.fail = &failure{Code: scim.CodeUnresolvedReference, Message: fmt.Sprintf("The manager of %s has no object at the target yet.", src.ID)}
			return out
		}
		t.rec.Action = "" // out of scope: the user stays without manager, until the reference changes or an initial cycle
		out.clear = true
		return out
	}
	if src.manager == 0 && link.Manager == 0 && !list.managers[w.num] {
		t.rec.Action, out.clear = "", true
		return out
	}
	have, err := t.managerRead(ctx)
	if err != nil {
		t.failed(err)
		return out
	}
	if have == wanted {
		t.rec.Action, out.clear = "", true
		if link.Manager != src.manager {
			t.relinkManager(src.manager)
		}
		return out
	}
	op, reason := c.opt.Op(have != ""), "The manager is linked and the target returned another."
	switch {
	case wanted == "":
		op, reason = scim.Remove, "The manager was removed in the directory."
	case have == "":
		reason = "The manager is linked and the target returned none."
	}
	rules := []string{"W-061", "W-130", "W-131"}
	if op == scim.Remove {
		rules = []string{"W-138"}
		if c.client.Dialect() == scim.Compliant {
			rules = []string{"W-137"}
		}
	}
	body, send := scim.ManagerPatch(c.client.Dialect(), c.opt, op, wanted, have)
	if !send {
		t.rec.Action, out.clear = "", true
		t.relinkManager(src.manager)
		return out
	}
	t.rec.Modified, t.rec.Rules, t.rec.Sent = []modified{reference(target, have, wanted)}, rules, true
	if err := c.client.Patch(ctx, c.tag(src.ID, reason, rules...), scim.User, link.Target, body); err != nil {
		t.failed(err)
		return out
	}
	t.succeeded()
	t.relinkManager(src.manager)
	return out
}

func (t *step) relinkManager(manager uint64) {
	l := *t.link
	l.Manager, l.Changed = manager, t.rec.Time
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

// membership is one member on its way to the target.
type membership struct {
	num    uint64
	target string
	id     string
	fail   bool // in scope, but its create failed: the membership waits with it
	out    bool // out of scope: dropped with a warning
	old    bool // told to the target in this very cycle, before it was cut short
	told   bool // recorded as told to the target
	wanted bool
}

// members writes the additions and removals of one group. Memberships are never read from the target: in an initial cycle
// every member that resolves is added, whether or not it was before, otherwise what the change feed names.
func (c *cycle) members(ctx context.Context, w work, list worklist) *outcome {
	began := clock.Wall()
	m := mappingOf(c.set, directory.KindGroup)
	out := &outcome{num: w.num, kind: w.kind, escrow: EscrowMember}
	var src source
	var link *Link
	var look []membership
	full := list.full
	err := c.s.dir.View(func(r *directory.Reader) (err error) {
		b := jobBucket(r.Tx(), c.app)
		if b == nil {
			return errStopped
		}
		if link, err = getLink(b, w.num); err != nil || link == nil {
			return err
		}
		full = full || link.Cycle == c.number
		src, _ = readSource(r, c.app, c.all, c.set, w.num)
		look, err = c.memberships(r, b, w.num, full, list.edges[w.num])
		return err
	})
	switch {
	case err != nil:
		out.fail = failureOf(err)
		return out
	case link == nil || link.State != LinkActive || !m.Update:
		for _, x := range look {
			out.edges = append(out.edges, edgeResult{edge: edge{w.num, x.num}, settled: true})
		}
		for n := range list.edges[w.num] {
			out.edges = append(out.edges, edgeResult{edge: edge{w.num, n}, settled: true})
		}
		return out
	}
	t := &memberStep{cycle: c, w: w, src: src, link: link, out: out, target: referenceOf(m, "members"), began: began, kept: began}
	t.send(ctx, look, full)
	return out
}

// memberships resolves the members to look at: all of them and all exported ones when full, else the given ones.
func (c *cycle) memberships(r *directory.Reader, b *bbolt.Bucket, group uint64, full bool, some map[uint64]bool) ([]membership, error) {
	nums := map[uint64]bool{}
	if full {
		r.EachMember(group, 0, func(m uint64) bool { nums[m] = true; return true })
		for _, m := range exportedMembers(b, group) {
			nums[m] = true
		}
	}
	for m := range some {
		nums[m] = true
	}
	sorted := make([]uint64, 0, len(nums))
	for m := range nums {
		sorted = append(sorted, m)
	}
	slices.Sort(sorted)
	list := make([]membership, 0, len(sorted))
	for _, n := range sorted {
		x := membership{num: n}
		kind, state, ok := r.Standing(n)
		if ok && kind != directory.KindUser {
			continue // a group inside a group is not provisioned as a member
		}
		live := ok && state == directory.Live
		in := ok && r.IsMember(group, n)
		cycle, told := exportedIn(b, edge{group, n})
		x.told, x.old = told, told && cycle == c.number
		link, err := getLink(b, n)
		if err != nil {
			return nil, err
		}
		if link != nil {
			x.target = link.Target
		}
		switch {
		case in && live && link != nil && link.State == LinkActive:
			x.wanted = true
		case in:
			// Blocked, deleted or unassigned: no Remove; what the target was told stays recorded.
			e, err := getEscrow(b, escrowKey{EscrowObject, n, 0})
			if err != nil {
				return nil, err
			}
			x.fail = link == nil && e != nil && live
			x.out = !x.fail && live && !told
			if x.fail || x.out { // it will be named
				o, _ := r.Object(n)
				x.id = o.ID
			}
			x.wanted, x.told = told, told
			if told {
				x.old = true
			}
		}
		list = append(list, x)
	}
	return list, nil
}

// memberStep sends the membership changes of one group in batches, adds first.
type memberStep struct {
	*cycle
	w      work
	src    source
	link   *Link
	out    *outcome
	target string
	began  clockWall
	kept   clockWall // when a part was committed last
}

func (t *memberStep) send(ctx context.Context, look []membership, full bool) {
	var add, remove []membership
	var dropped []string
	for _, x := range look {
		e := edge{t.w.num, x.num}
		switch {
		case x.fail:
			t.out.edges = append(t.out.edges, edgeResult{edge: e, fail: &failure{Code: scim.CodeUnresolvedReference,
				Message: fmt.Sprintf("We were unable to assign %s as the members of %s: the user has no object at the target yet.", x.id, t.src.DisplayName)}})
		case x.out:
			dropped = append(dropped, x.id)
			t.out.edges = append(t.out.edges, edgeResult{edge: e, settled: true})
		case x.wanted && !x.old && (full || !x.told):
			add = append(add, x)
		case !x.wanted && x.told && x.target != "":
			remove = append(remove, x)
		default:
			t.out.edges = append(t.out.edges, edgeResult{edge: e, present: x.wanted && x.told, settled: true})
		}
	}
	sort.Strings(dropped)
	batch := max(1, t.opt.MemberBatch)
	sent := t.batches(ctx, add, batch, true, &dropped) && t.batches(ctx, remove, batch, false, &dropped)
	if sent && len(dropped) > 0 {
		r := t.record()
		r.Status, r.Dropped = Warning, dropped
		r.Code = scim.CodeUnresolvedReference
		r.Rules = []string{"S-288"}
		t.out.records = append(t.out.records, r)
	}
}

// batches sends one kind of change; after a failure the rest waits for the next cycle. The first record names the members
// that were dropped because they are out of scope.
func (t *memberStep) batches(ctx context.Context, list []membership, size int, adds bool, dropped *[]string) bool {
	for len(list) > 0 {
		n := min(size, len(list))
		part := list[:n]
		list = list[n:]
		ids := make([]string, n)
		mods := make([]modified, n)
		for i, x := range part {
			ids[i] = x.target
			mods[i] = reference(t.target, x.target, "")
			if adds {
				mods[i] = reference(t.target, "", x.target)
			}
		}
		rules, reason := []string{"W-143", "W-145"}, plural(n, "member")+" left the group."
		var body []byte
		if adds {
			rules, reason = []string{"W-140", "W-145"}, plural(n, "member")+" of the group that the target is to know."
			body = scim.MemberPatches(t.client.Dialect(), t.opt, ids, nil)[0]
		} else {
			if t.client.Dialect() == scim.Compliant {
				rules[0] = "W-144"
			}
			body = scim.MemberPatches(t.client.Dialect(), t.opt, nil, ids)[0]
		}
		r := t.record()
		r.Modified, r.Rules, r.Sent = mods, rules, true
		err := t.client.Patch(ctx, t.tag(t.src.ID, reason, rules...), scim.Group, t.link.Target, body)
		r.Requests = t.takeRequests(t.src.ID)
		r.Millis = clock.Wall().Sub(t.began).Milliseconds()
		t.began = clock.Wall()
		if err != nil {
			f := failureOf(err)
			t.out.fail = f
			t.out.asked = t.out.asked || !f.unhealthy()
			r.Status, r.Code, r.Message = Failure, f.Code, f.Message
			t.out.records = append(t.out.records, r)
			for _, x := range append(part, list...) {
				t.out.edges = append(t.out.edges, edgeResult{edge: edge{t.w.num, x.num}, fail: f})
			}
			return false
		}
		t.out.asked, t.out.exported = true, true
		r.Status, r.Dropped = Success, *dropped
		*dropped = nil
		t.out.records = append(t.out.records, r)
		for _, x := range part {
			t.out.edges = append(t.out.edges, edgeResult{edge: edge{t.w.num, x.num}, present: adds})
		}
		// A large group is committed as it goes, so that a cut does not send it all again.
		if len(list) > 0 && clock.Wall().Sub(t.kept) > commitEvery {
			t.kept = clock.Wall()
			if err := t.keepEdges(); err != nil {
				t.s.log.Error("memberships not recorded", "group", t.src.ID, "error", err)
			}
		}
	}
	return true
}

// keepEdges commits the batches that the target has answered so far.
func (t *memberStep) keepEdges() error {
	out := t.out
	records, edges := out.records, out.edges
	out.records, out.edges = nil, nil
	return t.commitPartial(&outcome{num: out.num, kind: out.kind, escrow: out.escrow, records: records, edges: edges})
}

func (t *memberStep) record() record {
	return record{App: t.app, Time: t.s.clock.Now(), Cycle: t.number, Num: t.w.num, Kind: t.w.kind, Name: t.src.DisplayName,
		ID: t.src.ID, Import: importUpdate, Scope: &t.src.scope, Target: t.link.Target, Action: ActionUpdate, Ref: t.target}
}
