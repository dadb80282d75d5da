package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// OnDemandMembers is how many members of a group a run on demand takes at most (provision-on-demand.md, "Known
// limitations").
const OnDemandMembers = 5

// OnDemandRequest names what is provisioned on demand: one user, or one group with members of it. All ids are those of the
// directory.
type OnDemandRequest struct {
	ObjectID string
	Kind     string   // User or Group; "" takes what the object is
	Members  []string // users of a group, at most OnDemandMembers; without any the group alone is written
}

// demand is what a run on demand adds to a cycle: it is one of a single object.
type demand struct {
	uncertain bool  // requests of an earlier run may have been cut off, and no cycle has looked into it yet
	older     bool  // the flag in the tenant URL is passed over
	refused   error // what the probe before the target was asked about the object ended with
}

// demanded is what a request names, as numbers.
type demanded struct {
	work
	name    string
	members []uint64
}

// OnDemand provisions one user or one group now, whatever the state of the job and its schedule, by the same stages as a
// cycle: it really writes, makes links, and settles or keeps failures, but does not move the watermark
// (provision-on-demand.md). It waits for a cycle of the job that runs, and for advances. What became of the object is the
// result's to say; so is a target that does not answer the probe.
//
// The error is directory.NotFound for an application without a job and for objects that the directory does not have or has
// purged, directory.Invalid for a request that can't be meant, directory.Conflict when a restart or a reset comes between,
// or that of ctx.
func (s *Service) OnDemand(ctx context.Context, appID string, req OnDemandRequest) (result OnDemandResult, err error) {
	j, err := s.job(appID)
	if err != nil {
		return result, err
	}
	what, err := s.demanded(j, req)
	if err != nil {
		return result, err
	}
	var failed error
	err = s.exclusive(ctx, func(ctx context.Context) {
		if failed = j.take(ctx); failed != nil {
			return
		}
		defer j.release()
		failed = s.contained("provisioning on demand", func() (err error) {
			result, err = s.onDemand(ctx, j, what)
			return err
		})
		if flushed := s.flush(); failed == nil {
			failed = flushed
		}
	})
	if err == nil {
		err = failed
	}
	return result, err
}

// demanded finds what a request names.
func (s *Service) demanded(j *job, req OnDemandRequest) (d demanded, err error) {
	if len(req.Members) > OnDemandMembers {
		return d, invalid("members", fmt.Sprintf("%d members are asked for; provision on demand takes %d at a time.", len(req.Members), OnDemandMembers),
			"Choose fewer, or let the next cycle add them.")
	}
	set, _ := s.present(j)
	err = s.dir.View(func(r *directory.Reader) error {
		find := func(id string, kinds ...directory.Kind) (n uint64, kind directory.Kind, name string, err error) {
			n, ok := r.Num(id)
			if ok {
				var state directory.State
				if kind, state, ok = r.Standing(n); ok && state != directory.Purged && slices.Contains(kinds, kind) {
					o, _ := r.Object(n)
					return n, kind, o.DisplayName, nil
				}
			}
			return 0, 0, "", notFound("there is no %s %q in the directory", lowerFirst(kindName(kinds[0])), id)
		}
		kinds := []directory.Kind{directory.KindUser, directory.KindGroup}
		switch req.Kind {
		case "":
		case "User":
			kinds = kinds[:1]
		case "Group":
			kinds = kinds[1:]
		default:
			return invalid("objectTypeName", fmt.Sprintf("There is no object type %q to provision on demand.", req.Kind), "Choose User or Group.")
		}
		if d.num, d.kind, d.name, err = find(req.ObjectID, kinds...); err != nil {
			return err
		}
		if mappingOf(set, d.kind) == nil {
			return invalid("objectTypeName", fmt.Sprintf("The mapping of %ss is switched off, so that none is provisioned.", lowerFirst(kindName(d.kind))),
				"Switch it on under Attribute mapping.")
		}
		if len(req.Members) > 0 && d.kind != directory.KindGroup {
			return invalid("members", d.name+" is a user; only groups have members.", "Leave links out.")
		}
		for _, id := range req.Members {
			n, _, _, err := find(id, directory.KindUser)
			if err != nil {
				return err
			}
			if !slices.Contains(d.members, n) {
				d.members = append(d.members, n)
			}
		}
		return nil
	})
	return d, err
}

// onDemand is the run of a job whose turn it is.
func (s *Service) onDemand(ctx context.Context, j *job, what demanded) (OnDemandResult, error) {
	c, err := s.beginDemand(ctx, j)
	if err != nil {
		return OnDemandResult{}, err
	}
	defer c.halt(nil)
	defer c.hurry()
	defer func() {
		j.mu.Lock()
		j.running.Store(nil)
		s.schedule(j)
		j.mu.Unlock()
		s.jobChanged(j)
	}()
	rec, refused, err := c.demandRun(what)
	switch {
	case err == nil:
		return s.demandResult(c, what, rec, refused), nil
	case !errors.Is(err, errStopped):
		return OnDemandResult{}, err
	case ctx.Err() != nil:
		return OnDemandResult{}, context.Cause(ctx)
	case c.restarted():
		return OnDemandResult{}, &directory.Error{Code: directory.Conflict, Message: "Provisioning was restarted meanwhile.", Hint: "Ask again."}
	}
	return OnDemandResult{}, &directory.Error{Code: directory.Conflict, Message: "The run was stopped: the job is gone, or the program ends."}
}

// beginDemand makes the run. While it lasts no cycle is due, as while another cycle runs.
func (s *Service) beginDemand(ctx context.Context, j *job) (*cycle, error) {
	closing, run := s.closing(), s.runContext()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.deleted || closing {
		return nil, &directory.Error{Code: directory.Conflict, Message: "The job is gone, or the program ends."}
	}
	j.state.Demands++
	j.dirty = true
	c := s.newCycle(j)
	c.demand = &demand{uncertain: j.state.Sending != 0}
	c.all = s.inForce(j) == SyncAll
	c.number, c.kind, c.began = -j.state.Demands, Incremental, s.clock.Now()
	c.id = guid(s.opt.Seed, "on demand", j.cfg.ID, j.state.Demands)
	c.at = place{Number: c.number, Kind: c.kind, Began: c.began, Resets: j.state.Resets, Stores: j.state.Stores}
	c.live(ctx, run)
	j.running.Store(c)
	s.schedule(j)
	return c, nil
}

// demandClient makes the client of a run on demand. The flag for the compliant dialect has no effect on it, unless a switch
// says so (application-provisioning-config-problem-scim-compatibility.md, "Flags to alter the SCIM behavior").
func (c *cycle) demandClient() (*scim.Client, error) {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	url := c.s.presentURL(c.j.secrets[secretBaseAddress])
	ep, err := endpointOf(c.j.cfg.TemplateID, url)
	if err != nil {
		return nil, scim.InvalidTenantURL(err)
	}
	if ep.Dialect == scim.Compliant && !c.opt.OnDemandHonoursFlag {
		ep.Dialect, c.demand.older = scim.Legacy, true
	}
	return c.s.clientOf(ep, url, c.j.secrets[secretToken], c.opt, c.j)
}

// demandRun carries the run out: connection, object, references. refused is what the probe ended with; nothing is kept then.
func (c *cycle) demandRun(what demanded) (rec record, refused error, err error) {
	client, err := c.demandClient()
	if err != nil {
		return rec, err, nil
	}
	defer client.Close()
	c.client = client
	request, cancel := c.requestContext()
	defer cancel()
	if err := c.demandProbe(request, what.kind, "import"); err != nil {
		if c.stopping() {
			return rec, nil, errStopped
		}
		return rec, err, nil
	}
	if err := c.beginSending([]work{what.work}); err != nil {
		return rec, nil, err
	}
	rec, err = c.demandObject(request, what)
	if err != nil {
		return rec, nil, err // what may have been sent stays marked: the next cycle looks into it
	}
	if !c.demand.uncertain {
		c.endSending()
	}
	return rec, c.demand.refused, nil
}

// demandObject brings the object, and behind it its references, to their wanted state, and keeps one record of it all.
func (c *cycle) demandObject(request context.Context, what demanded) (rec record, err error) {
	out := c.object(request, what.work)
	switch {
	case request.Err() != nil || out.cutShort():
		return rec, errStopped
	case c.demand.refused != nil:
		return rec, nil
	case out.fail != nil && len(out.records) == 0: // the store failed, not the target
		return rec, errors.New(out.fail.Message)
	case len(out.records) == 0:
		out.records = append(out.records, c.unreadRecord(what))
	}
	first := &out.records[0]
	first.Rules = append(slices.Clip(first.Rules), "S-310", "S-314")
	if c.demand.older && first.Sent {
		first.Rules = append(first.Rules, "W-004")
	}
	if err := c.commitPartial(out); err != nil {
		return rec, err
	}
	if rec = out.records[0]; out.fail == nil && rec.Scope.In() && !c.stopping() {
		if refs := c.demandReferences(request, what); refs != nil {
			if request.Err() != nil || refs.cutShort() {
				c.s.tell(pointers(out.records))
				return rec, errStopped
			}
			rec = rec.with(refs.records)
			refs.records = []record{rec}
			if err := c.commitPartial(refs); err != nil {
				c.s.tell(pointers(out.records))
				return rec, err
			}
			rec = refs.records[0]
		}
	}
	c.s.tell([]*record{&rec})
	return rec, nil
}

// demandReferences writes a user's manager, or the chosen members of a group; nil when neither is asked for.
func (c *cycle) demandReferences(request context.Context, what demanded) *outcome {
	w := what.work
	m := mappingOf(c.set, w.kind)
	switch {
	case w.kind == directory.KindUser && hasReference(m, "manager"):
		return c.manager(request, w, worklist{full: true})
	case w.kind == directory.KindGroup && hasReference(m, "members") && len(what.members) > 0:
		var list worklist
		for _, n := range what.members {
			list.edge(w.num, n)
		}
		return c.members(request, w, list)
	}
	return nil
}

// unreadRecord is the record of an object that the mapping's input filter drops right after reading. A cycle keeps none.
func (c *cycle) unreadRecord(what demanded) record {
	r := record{App: c.app, Time: c.s.clock.Now(), Cycle: c.number, Num: what.num, Kind: what.kind, Name: what.name,
		Action: ActionOther, Status: Skipped, Skip: SkipNotEntitled, Scope: &scopeResult{}, Rules: []string{"S-124"},
		Message: "The mapping's input filter drops it right after reading: nothing is sent, whatever its state."}
	if err := c.s.dir.View(func(reader *directory.Reader) error {
		if src, ok := readSource(reader, c.app, c.all, c.set, what.num); ok {
			r.ID, r.Name, r.UPN, r.Scope = src.ID, src.DisplayName, src.UPN, &src.scope
		}
		return nil
	}); err != nil {
		r.Detail = err.Error()
	}
	return r
}

// demandProbe asks for an object of the kind that can't exist. A run sends two of them: before the object is read, and
// before the target is asked about it.
func (c *cycle) demandProbe(ctx context.Context, kind directory.Kind, before string) error {
	m := mappingOf(c.set, kind)
	if m == nil || len(m.Matching) == 0 {
		return nil
	}
	reason := "A run on demand begins by asking for an object that can't exist."
	if before == "export" {
		reason = "Before the target is asked about the object, it is asked once more for one that can't exist."
	}
	return c.client.Probe(ctx, c.tag("", reason, "W-043", "W-044"), resourceType(kind), m.Attributes[m.Matching[0].Index].Target,
		guid(c.s.opt.Seed, "probe", c.j.cfg.ID, "on demand", -c.number, before))
}

// settledOnDemand deals with what a run on demand does not do, and asks whether the target is there before the first request
// about the object. done is true when nothing else is to be sent.
func (t *step) settledOnDemand(ctx context.Context) (done bool) {
	switch {
	case !t.src.scope.Active: // blocked or deleted: not found, says the portal; a cycle sees to it
		rules := append(t.src.outside(), "S-317")
		action := ActionOther
		if t.link == nil && t.src.scope.entitled() && t.src.scope.Filter {
			action, rules = ActionCreate, append(rules, "S-119")
		}
		t.skip(action, SkipNotEntitled, rules...)
		t.out.clear, t.search = false, false // what waits for a cycle waits on
		return true
	case !t.src.scope.In() && (t.link == nil || !t.link.Managed() && !t.mayBeActive()) && !t.search:
		return false
	}
	if err := t.demandProbe(ctx, t.w.kind, "export"); err != nil {
		t.demand.refused = err
		t.rec.Action, t.search = "", false
		return true
	}
	return false
}

// look notes what the target was asked for, and the mapped attributes of what it returned, for whoever looks on.
func (t *step) look(attr, value string, want mapping.Object, found ...*scim.Resource) {
	if t.demand == nil {
		return
	}
	l := looked{Attr: attr, Value: value}
	for _, have := range found {
		object := [][2]string{{"id", have.ID()}}
		for i, a := range t.m.Attributes {
			text, present, _ := scim.Differs(have, scim.Attribute{Path: a.Target, Type: wireType[a.Type], Value: ""}, false)
			switch {
			case !present:
			case i < len(want.Values) && want.Values[i].Redacted:
				object = append(object, [2]string{a.Target, *redacted()})
			default:
				object = append(object, [2]string{a.Target, text})
			}
		}
		l.Objects = append(l.Objects, object)
	}
	t.rec.Looked = append(t.rec.Looked, l)
}

// with adds what became of an object's references to its record: there is one record of a run.
func (r record) with(references []record) record {
	if len(references) == 0 {
		return r
	}
	own := r
	own.Requests, own.Warnings, own.Looked, own.Source = nil, nil, nil, nil
	if r.Status != Skipped {
		r.Parts = append(r.Parts, own)
	}
	for _, p := range references {
		r.Modified = append(slices.Clip(r.Modified), p.Modified...)
		r.Requests = append(slices.Clip(r.Requests), p.Requests...)
		for _, rule := range p.Rules {
			if !slices.Contains(r.Rules, rule) {
				r.Rules = append(slices.Clip(r.Rules), rule)
			}
		}
		r.Warnings = append(slices.Clip(r.Warnings), p.Warnings...)
		r.Dropped = append(slices.Clip(r.Dropped), p.Dropped...)
		r.Millis += p.Millis
		r.Sent = r.Sent || p.Sent
		if outweighs(p.Status, r.Status) {
			r.Status, r.Code, r.Message, r.Detail, r.Skip = p.Status, p.Code, p.Message, p.Detail, ""
			if r.Action == ActionOther {
				r.Action = p.Action
			}
		}
		if p.Status == Skipped && r.Status == Skipped && p.Message != "" { // why the references are passed over says more than that the object is equal
			r.Message = p.Message
		}
		p.Requests, p.Warnings = nil, nil
		r.Parts = append(r.Parts, p)
	}
	return r
}

// outweighs orders outcomes for the record of a run: a failure is the whole run's, a success hides what was skipped or
// left out beside it.
func outweighs(a, b Outcome) bool {
	weight := map[Outcome]int{Skipped: 0, Warning: 1, Success: 2, Failure: 3}
	return weight[a] > weight[b]
}
