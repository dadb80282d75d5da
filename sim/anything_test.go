package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// anything runs lives in which everything changes that an administrator can reach: beside the edits, faults and kills of
// history also mappings, scoping filters and Target Object Actions, the scope, pauses and restarts with every reset scope,
// held deletions, SkipOutOfScopeDeletions, edits at the target behind the service's back, and all of that in the middle of
// a running cycle.
//
// At its end everything is in order again: no faults, all object actions, deletions allowed, an initial cycle, time for
// every retry and, by chance or where the target lost objects, a Full restart. Then the target must be the projection of
// the directory through scope and mapping. What excuses a difference was seen to happen: accounts are left behind when the
// job was told to, or had forgotten them, when they left scope.
type anything struct {
	*history
	set     shape
	scope   Scope // as chosen; it comes into force with a restart
	ran     bool  // a first cycle has ended
	skip    bool  // SkipOutOfScopeDeletions
	depts   map[*person]string
	fates   map[any]*fate
	lost    map[belonging]bool // memberships at the target that the job has forgotten
	nested  map[[2]*team]bool
	ids     map[string]bool // every id that the target gave
	broken  bool            // the target lost what is linked
	reading uint64          // exchanges up to here are explained
	runs    int
	sent    int

	down      int          // so many requests are refused, the probes included; < 0: until further notice
	meanwhile func() error // what happens in the middle of the next run
	behind    int          // so many requests into it
	trouble   error
}

type belonging struct {
	group  *team
	member *person
}

// fate is what a person or group went through that excuses how the target holds it.
type fate struct {
	torn  bool // matched by a name that had changed while there was no link: made twice, as by Entra
	loose bool // it left scope while the job had no link, or was told to leave the account alone
}

// shape is the part of the schema that changes.
type shape struct {
	External               bool // matching by externalId rather than by name
	Title                  int
	NoManager, NoMembers   bool
	UserFlows, GroupFlows  string
	UserFilter, TeamFilter int
}

var (
	titleFlows = []string{mapping.Always, mapping.ObjectAddOnly, mapping.AttributeAddOnly, mapping.Always, ""}
	anyFlows   = []string{"Add,Update,Delete", "Add,Update,Delete", "Add,Update", "Update,Delete", "Add,Delete", "Update", "None"}
)

func (a *anything) schema() *mapping.Schema {
	s := managers(a.t)
	switch a.set.Title {
	case 4: // not mapped
	case 3:
		remap(a.t, s, "title", `Append([jobTitle], "!")`)
	default:
		remap(a.t, s, "title", "[jobTitle]")
	}
	users, groups := s.ObjectMapping("User"), s.ObjectMapping("Group")
	drop := func(m *mapping.ObjectMappingDocument, name string) {
		m.AttributeMappings = slices.DeleteFunc(m.AttributeMappings, func(x mapping.AttributeMapping) bool { return x.TargetAttributeName == name })
	}
	if a.set.NoManager {
		drop(users, managerAttribute)
	}
	if a.set.NoMembers {
		drop(groups, "members")
	}
	for _, m := range []*mapping.ObjectMappingDocument{users, groups} {
		for i := range m.AttributeMappings {
			x := &m.AttributeMappings[i]
			if x.TargetAttributeName == "title" {
				x.FlowType = titleFlows[a.set.Title]
			}
			if a.set.External {
				x.MatchingPriority = 0
				if x.TargetAttributeName == "externalId" {
					x.MatchingPriority = 1
				}
			}
		}
	}
	users.FlowTypes, groups.FlowTypes = a.set.UserFlows, a.set.GroupFlows
	users.Scope, groups.Scope = nil, nil
	clause := func(attr, op string, values ...string) *mapping.FilterDocument {
		c := mapping.FilterClause{SourceOperandName: attr, OperatorName: op}
		if len(values) > 0 {
			c.TargetOperand = &mapping.FilterValues{Values: values}
		}
		return &mapping.FilterDocument{Groups: []mapping.FilterGroup{{Name: "only", Clauses: []mapping.FilterClause{c}}}}
	}
	switch a.set.UserFilter {
	case 1:
		users.Scope = clause("department", "EQUALS", "Sales")
	case 2:
		users.Scope = clause("department", "IS NOT NULL")
	}
	if a.set.TeamFilter == 1 {
		groups.Scope = clause("displayName", "REGEX MATCH", "[02468]$")
	}
	return s
}

func newAnything(t *testing.T, r *rapid.T, path string) *anything {
	a := &anything{history: newHistory(t, r, path), depts: map[*person]string{}, fates: map[any]*fate{}, lost: map[belonging]bool{}, ids: map[string]bool{}, nested: map[[2]*team]bool{}}
	a.scope = SyncAssigned
	if a.all {
		a.scope = SyncAll
	}
	a.keep = false
	a.set = shape{External: rapid.Bool().Draw(r, "external"), UserFlows: anyFlows[0], GroupFlows: anyFlows[0]}
	a.no(a.svc.SetSchema(a.app.ID, a.schema()))
	inner := a.http.Config.Handler
	a.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if do := a.meanwhile; do != nil {
			if a.behind--; a.behind < 0 {
				a.meanwhile = nil
				a.trouble = do()
			}
		}
		if a.down != 0 {
			a.down--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		inner.ServeHTTP(w, r)
	})
	return a
}

func (a *anything) fate(x any) *fate {
	f := a.fates[x]
	if f == nil {
		f = &fate{}
		a.fates[x] = f
	}
	return f
}

// passes says whether the filter lets a user through.
func (a *anything) passes(p *person) bool {
	switch a.set.UserFilter {
	case 1:
		return a.depts[p] == "Sales"
	case 2:
		return a.depts[p] != ""
	}
	return true
}

func (a *anything) inScope(p *person) bool { return a.history.inScope(p) && a.passes(p) }

func (a *anything) provisioned(g *team) bool {
	even := strings.ContainsAny(g.DisplayName[len(g.DisplayName)-1:], "02468")
	return a.history.provisioned(g) && (a.set.TeamFilter == 0 || even)
}

// resources lists what the target holds of a kind, by the id of the object that it stands for.
func (a *anything) resources(kind string) map[string][]heldResource {
	list, _ := a.target.Store("default").List(kind, 0, 1000)
	held := map[string][]heldResource{}
	for _, x := range list {
		id := fmt.Sprint(x.Doc["externalId"])
		held[id] = append(held[id], heldResource{x.ID, x.Doc})
		a.ids[x.ID] = true
	}
	return held
}

type heldResource struct {
	id  string
	doc map[string]any
}

func linkedTo(l *Link, list []heldResource) bool {
	return l != nil && slices.ContainsFunc(list, func(x heldResource) bool { return x.id == l.Target })
}

// note writes down what excuses a difference in the end; it looks before and after each run, and at what changes within.
func (a *anything) note() {
	users, groups := a.resources("User"), a.resources("Group")
	a.scopeInForce()
	for _, p := range a.users {
		list, in := users[p.ID], a.inScope(p)
		p.was = p.was || in
		p.titles[p.JobTitle], p.titles[p.JobTitle+"!"] = true, true
		a.judge(a.fate(p), a.linkOf(p.Num), list, in, p.state == directory.Purged, a.set.UserFlows, "userName", p.UserPrincipalName)
	}
	for _, g := range a.groups {
		a.judge(a.fate(g), a.linkOf(g.Num), groups[g.ID], a.provisioned(g), g.state == directory.Purged, a.set.GroupFlows, "displayName", g.DisplayName)
		for _, x := range groups[g.ID] {
			holds := a.target.Store("default").Members(x.id)
			for _, p := range a.users {
				a.noteMembership(belonging{g, p}, x, users[p.ID], holds)
			}
		}
	}
}

// scopeInForce follows the rule that the first cycle fixes the scope, however often it is tried, and later a restart.
func (a *anything) scopeInForce() {
	j, err := a.svc.job(a.app.ID)
	a.no(err)
	if chosen := a.scope == SyncAll; !j.state.Ran || !a.ran {
		for _, p := range a.users { // it may have been tried before the switch
			p.was = p.was || a.inScope(p)
		}
		a.all, a.ran = chosen, j.state.Ran
		if j.state.Ran {
			a.all = j.state.Scope == SyncAll // a first cycle that went on keeps what it began with
		}
	}
}

func (a *anything) judge(f *fate, l *Link, list []heldResource, in, purged bool, flows, matching, name string) {
	if len(list) == 0 {
		return
	}
	linked := linkedTo(l, list)
	able := strings.Contains(flows, "Update") && strings.Contains(flows, "Delete")
	switch {
	case in && !linked && !a.set.External && !slices.ContainsFunc(list, func(x heldResource) bool { return x.doc[matching] == name }):
		f.torn = true
	case in && linked && l.State == LinkActive:
		f.loose = false
	case !in && (!linked || !able || a.skip && !purged):
		f.loose = true
	}
}

func (a *anything) noteMembership(k belonging, g heldResource, users []heldResource, holds []string) {
	glink, plink := a.linkOf(k.group.Num), a.linkOf(k.member.Num)
	for _, x := range users {
		if !slices.Contains(holds, x.id) {
			continue
		}
		if glink == nil || plink == nil || glink.Target != g.id || plink.Target != x.id {
			a.lost[k] = true
			return
		}
		a.no(a.dir.View(func(r *directory.Reader) error {
			if _, known := knownIn(jobBucket(r.Tx(), a.job), edge{k.group.Num, k.member.Num}); known {
				delete(a.lost, k)
			}
			return nil
		}))
	}
}

// The runs.

// run carries out one run of the service, with what was planned for its middle, and checks that its log explains it.
func (a *anything) run(killed bool, f func() error) {
	a.runs++
	a.note()
	a.orphans()
	err := f()
	if a.trouble != nil && !killed {
		a.t.Fatalf("in the middle of a run: %v\n%s", a.trouble, a.trail())
	}
	a.expired()
	if a.meanwhile, a.trouble = nil, nil; killed {
		a.svc.opt.FlushTarget = nil
		a.reopen()
		a.rereadAssignments()
		a.reading = a.svc.Traffic(0, 1).Next
	} else {
		a.no(err)
		a.explained()
	}
	a.note()
	a.orphans()
}

// rereadAssignments: a kill in the middle of an assignment leaves open whether it was made.
func (a *anything) rereadAssignments() {
	a.no(a.dir.View(func(r *directory.Reader) error {
		for _, p := range a.users {
			if p.state == directory.Live {
				p.assigned = len(r.Assigned(a.job, p.Num)) > 0
			}
		}
		for _, g := range a.groups {
			if g.state == directory.Live {
				g.assigned = len(r.Assigned(a.job, g.Num)) > 0
			}
		}
		return nil
	}))
}

// expired notes whom the directory purged by itself, 30 days behind their deletion.
func (a *anything) expired() {
	a.no(a.dir.View(func(r *directory.Reader) error {
		for _, p := range a.users {
			if _, state, ok := r.Standing(p.Num); !ok || state == directory.Purged {
				p.state = directory.Purged
			}
		}
		for _, g := range a.groups {
			if _, state, ok := r.Standing(g.Num); !ok || state == directory.Purged {
				g.state = directory.Purged
			}
		}
		return nil
	}))
}

// explained checks that each exchange is the probe's or named by a record of the log, and says why it was sent.
func (a *anything) explained() {
	page := a.svc.Traffic(a.reading, 10000)
	first := a.reading
	a.reading = page.Next
	open := map[uint64]Exchange{}
	for _, x := range page.Exchanges {
		a.sent++
		if x.ID <= first || a.clock.Now().Sub(x.Time) >= retention { // the log has trimmed what is that old
			continue
		}
		if x.Reason == "" || len(x.Rules) == 0 {
			a.t.Fatalf("%s %s has the reason %q, rules %v\n%s", x.Method, x.URL, x.Reason, x.Rules, a.trail())
		}
		if x.Object != "" {
			open[x.ID] = x
		} else if x.Method != http.MethodGet {
			a.t.Fatalf("%s %s stands for no object\n%s", x.Method, x.URL, a.trail())
		}
	}
	for cursor := ""; len(open) > 0; {
		list, err := a.svc.Logs(LogQuery{ApplicationID: a.app.ID, Cursor: cursor, Limit: 50})
		a.no(err)
		for _, l := range list.Items {
			if l.SkipReason == SkipNotEntitled && inScope(l) {
				a.t.Fatalf("%s is in scope, and its record says that it is not: %s\n%s", l.DisplayName, l.Sentence, a.trail())
			}
			for _, id := range l.Exchanges {
				if x, is := open[id]; is && x.Object != l.ObjectID && !strings.Contains(x.URL, "/Groups/") {
					a.t.Fatalf("%s %s is about %s, the record that names it about %s\n%s", x.Method, x.URL, x.Object, l.ObjectID, a.trail())
				}
				delete(open, id)
			}
		}
		if cursor = list.Next; cursor == "" {
			break
		}
	}
	for _, x := range open {
		a.t.Fatalf("no record names %s %s %s: %d (%s)\n%s", x.Method, x.URL, x.RequestBody, x.Status, x.Reason, a.trail())
	}
}

// inScope reports whether the scoping step of a record passed in all four conditions.
func inScope(l LogRecord) bool {
	for _, st := range l.Steps {
		if st.Type == "scoping" {
			return !slices.ContainsFunc(st.Details, func(d Detail) bool { return d.Value == "False" })
		}
	}
	return false
}

func (a *anything) Cycle(*rapid.T) {
	a.say("cycle")
	a.run(false, func() error { _, err := a.svc.RunCycles(context.Background()); return err })
}

func (a *anything) Wait(r *rapid.T) {
	d := time.Duration(rapid.IntRange(1, 12).Draw(r, "cycles")) * Interval
	a.say("wait %v", d)
	a.run(false, func() error { _, err := a.svc.Advance(context.Background(), d); return err })
}

func (a *anything) kill(r *rapid.T) {
	after := rapid.IntRange(0, 5).Draw(r, "commits")
	a.say("killed behind %d commits", after)
	a.svc.opt.FlushTarget = func(*bbolt.Tx) error {
		if after--; after < 0 {
			return errKilled
		}
		return nil
	}
}

var errKilled = errors.New("killed")

func (a *anything) Kill(r *rapid.T) {
	a.kill(r)
	a.run(true, func() error { _, err := a.svc.RunCycles(context.Background()); return err })
}

func (a *anything) DemandUser(r *rapid.T) {
	p := a.person("user", directory.Live, directory.SoftDeleted)
	a.say("on demand %s", p.DisplayName)
	a.demand(r, OnDemandRequest{ObjectID: p.ID})
}

func (a *anything) DemandGroup(r *rapid.T) {
	g := a.team("group", directory.Live, directory.SoftDeleted)
	req := OnDemandRequest{ObjectID: g.ID}
	for _, p := range a.users {
		if p.state != directory.Purged && len(req.Members) < OnDemandMembers && rapid.Bool().Draw(r, "member") {
			req.Members = append(req.Members, p.ID)
		}
	}
	a.say("on demand group %s with %d members", g.DisplayName, len(req.Members))
	a.demand(r, req)
}

func (a *anything) demand(r *rapid.T, req OnDemandRequest) {
	killed := rapid.IntRange(0, 3).Draw(r, "kill") == 3
	if killed {
		a.kill(r)
	}
	a.run(killed, func() error {
		_, err := a.svc.OnDemand(context.Background(), a.app.ID, req)
		if directory.CodeOf(err) == directory.Conflict { // a restart came between
			return nil
		}
		return err
	})
}

// What an administrator does.

func (a *anything) Restart(r *rapid.T) { a.restart(a.anyReset(r)) }

func (a *anything) anyReset(r *rapid.T) ResetScope {
	reset := rapid.SampledFrom([]ResetScope{DefaultReset(), {}, {Escrows: true}, {Watermark: true}, {QuarantineState: true}, {ForceDeletes: true},
		{ConnectorDataStore: true}, {ConnectorDataStore: true, Watermark: true}, FullReset()}).Draw(r, "reset")
	if !a.set.External && rapid.IntRange(0, 4).Draw(r, "by name") > 0 {
		reset.ConnectorDataStore = false // who was renamed meanwhile would be made twice
	}
	return reset
}

func (a *anything) restart(reset ResetScope) {
	a.say("restart %s", reset)
	a.no(a.restarted(reset))
}

func (a *anything) restarted(reset ResetScope) error {
	if err := a.svc.Restart(a.app.ID, reset); err != nil {
		return err
	}
	if reset.Watermark {
		a.all = a.scope == SyncAll
	}
	a.note()
	return nil
}

func (a *anything) Pause(*rapid.T) {
	a.say("pause")
	a.no(a.svc.Pause(a.app.ID))
}

func (a *anything) Start(*rapid.T) {
	a.say("start")
	a.no(a.svc.Start(a.app.ID))
}

func (a *anything) Remap(r *rapid.T) {
	a.reshape(a.anyShape(r))
}

func (a *anything) anyShape(r *rapid.T) shape {
	s := a.set
	switch rapid.IntRange(0, 7).Draw(r, "what") {
	case 0:
		s.External = !s.External
	case 1:
		s.Title = rapid.IntRange(0, len(titleFlows)-1).Draw(r, "title flow")
	case 2:
		s.NoManager = !s.NoManager
	case 3:
		s.NoMembers = !s.NoMembers
	case 4:
		s.UserFlows = rapid.SampledFrom(anyFlows).Draw(r, "user flows")
	case 5:
		s.GroupFlows = rapid.SampledFrom(anyFlows).Draw(r, "group flows")
	case 6:
		s.UserFilter = rapid.IntRange(0, 2).Draw(r, "user filter")
	default:
		s.TeamFilter = 1 - s.TeamFilter
	}
	return s
}

func (a *anything) reshape(s shape) {
	a.say("mappings %+v", s)
	a.no(a.reshaped(s))
}

// reshaped takes the change back in the model when it was not accepted.
func (a *anything) reshaped(s shape) error {
	a.note()
	old := a.set
	a.set = s
	if err := a.svc.SetSchema(a.app.ID, a.schema()); err != nil {
		a.set = old
		return err
	}
	a.note()
	return nil
}

func (a *anything) SwitchScope(*rapid.T) {
	scope := SyncAll
	if a.scope == SyncAll {
		scope = SyncAssigned
	}
	a.say("scope %s", scope)
	a.no(a.svc.UpdateSettings(a.app.ID, SettingsEdit{Scope: &scope}))
	a.scope = scope
}

func (a *anything) PreventDeletes(r *rapid.T) {
	on, limit := rapid.Bool().Draw(r, "prevent"), rapid.IntRange(0, 2).Draw(r, "threshold")
	a.say("prevent deletions %v, threshold %d", on, limit)
	a.no(a.svc.UpdateSettings(a.app.ID, SettingsEdit{PreventDeletes: &on, DeleteThreshold: &limit}))
}

func (a *anything) SkipOutOfScope(*rapid.T) {
	on := !a.skip
	a.say("SkipOutOfScopeDeletions %v", on)
	a.no(a.svc.UpdateSettings(a.app.ID, SettingsEdit{SkipOutOfScope: &on}))
	a.skip = on
	a.note()
}

func (a *anything) SetDepartment(r *rapid.T) {
	p := a.person("user", directory.Live)
	dept := rapid.SampledFrom([]string{"", "Sales", "Ops"}).Draw(r, "department")
	a.say("department of %s: %q", p.DisplayName, dept)
	if dept == "" {
		a.edit(p.ID, "department", nil)
	} else {
		a.edit(p.ID, "department", dept)
	}
	a.depts[p] = dept
}

// Rename and RenameGroup: who stands at the target without a link is found no more by its name.
func (a *anything) Rename(r *rapid.T) {
	if !a.set.External {
		a.history.Rename(r)
		return
	}
	p := a.person("user", directory.Live)
	a.say("rename %s", p.DisplayName)
	a.no(a.renamed(p, a.name("n")))
}

func (a *anything) renamed(p *person, name string) error {
	_, err := a.dir.UpdateUser(a.clock.Now(), p.ID, directory.Props{"displayName": name, "userPrincipalName": name + "@contoso.example"})
	if err == nil {
		p.DisplayName, p.UserPrincipalName = name, name+"@contoso.example"
	}
	return err
}

func (a *anything) PurgeUser(*rapid.T) {
	p := a.person("deleted user", directory.SoftDeleted)
	a.say("purge %s", p.DisplayName)
	a.no(a.purged(p))
}

func (a *anything) purged(p *person) error {
	if err := a.dir.Purge(a.clock.Now(), p.ID); err != nil {
		return err
	}
	p.state = directory.Purged
	if l := a.linkOf(p.Num); l != nil {
		p.gone = l.Managed()
	}
	a.note()
	return nil
}

// Nest puts a group into a group, or takes it out: it is no member at the target, and its own members are not in scope by it.
func (a *anything) Nest(*rapid.T) {
	g, in := a.team("group", directory.Live), a.team("inner group", directory.Live)
	if g == in {
		a.r.Skip("the same")
	}
	k := [2]*team{g, in}
	a.say("%s in %s: %v", in.DisplayName, g.DisplayName, !a.nested[k])
	if a.nested[k] {
		a.no(a.dir.RemoveMembers(a.clock.Now(), g.ID, in.ID))
	} else {
		a.no(a.dir.AddMembers(a.clock.Now(), g.ID, in.ID))
	}
	a.nested[k] = !a.nested[k]
}

// Outage takes the target away, for some requests or until Lift; the job may go into quarantine.
func (a *anything) Outage(r *rapid.T) {
	a.down = rapid.SampledFrom([]int{1, 3, 15, -1}).Draw(r, "requests")
	a.say("the target is down for %d requests", a.down)
}

func (a *anything) Lift(*rapid.T) { a.faults, a.down = nil, 0 }

// Weeks pass.
func (a *anything) Weeks(r *rapid.T) {
	if rapid.IntRange(0, 9).Draw(r, "seldom") > 0 {
		r.Skip("seldom")
	}
	d := time.Duration(rapid.IntRange(1, 5).Draw(r, "weeks")) * 7 * 24 * time.Hour
	a.say("wait %v", d)
	a.run(false, func() error { _, err := a.svc.Advance(context.Background(), d); return err })
}

// What happens at the target behind the service's back.

func (a *anything) TargetLoses(r *rapid.T) {
	kind := rapid.SampledFrom([]string{"User", "User", "Group"}).Draw(r, "kind")
	list, _ := a.target.Store("default").List(kind, 0, 1000)
	if len(list) == 0 {
		r.Skip("empty")
	}
	x := list[rapid.IntRange(0, len(list)-1).Draw(r, "resource")]
	a.say("the target loses %s %v", kind, x.Doc["displayName"])
	a.target.Store("default").Delete(x.ID)
	a.broken = true
}

func (a *anything) TargetEdits(r *rapid.T) {
	kind := rapid.SampledFrom([]string{"User", "Group"}).Draw(r, "kind")
	list, _ := a.target.Store("default").List(kind, 0, 1000)
	if len(list) == 0 {
		r.Skip("empty")
	}
	x := list[rapid.IntRange(0, len(list)-1).Draw(r, "resource")]
	op := `{"op":"replace","path":"displayName","value":"Somebody"}`
	if kind == "Group" && rapid.Bool().Draw(r, "members") {
		op = `{"op":"remove","path":"members"}`
		a.broken = true
	} else if kind == "User" && rapid.Bool().Draw(r, "active") {
		op = `{"op":"replace","path":"active","value":false}`
	}
	a.say("at the target, %s %v: %s", kind, x.Doc["displayName"], op)
	req, err := http.NewRequest(http.MethodPatch, a.http.URL+"/scim/"+kind+"s/"+x.ID, strings.NewReader(patchHead+op+`]}`))
	a.no(err)
	req.Header.Set("Authorization", "Bearer secret-token")
	req.Header.Set("Content-Type", "application/scim+json")
	faults, meanwhile, down := a.faults, a.meanwhile, a.down
	a.faults, a.meanwhile, a.down = nil, nil, 0
	resp, err := http.DefaultClient.Do(req)
	a.faults, a.meanwhile, a.down = faults, meanwhile, down
	a.no(err)
	body, err := io.ReadAll(resp.Body)
	a.no(errors.Join(err, resp.Body.Close()))
	if resp.StatusCode/100 != 2 {
		a.t.Fatalf("%s: %d %s", op, resp.StatusCode, body)
	}
}

// Meanwhile plans something for the middle of the next run.
func (a *anything) Meanwhile(r *rapid.T) {
	p, g := a.person("user", directory.Live), a.team("group", directory.Live)
	now := a.clock.Now
	did := func(err error, f func()) error {
		if err == nil {
			f()
			a.note()
		}
		return err
	}
	plans := map[string]func() error{
		"title": func() error {
			_, err := a.dir.UpdateUser(now(), p.ID, directory.Props{"jobTitle": "Diver"})
			return did(err, func() { p.JobTitle = "Diver" })
		},
		"block": func() error {
			_, err := a.dir.UpdateUser(now(), p.ID, directory.Props{"accountEnabled": p.blocked})
			return did(err, func() { p.blocked = !p.blocked })
		},
		"department": func() error {
			_, err := a.dir.UpdateUser(now(), p.ID, directory.Props{"department": "Sales"})
			return did(err, func() { a.depts[p] = "Sales" })
		},
		"assignment": func() error {
			if p.assigned {
				return did(a.svc.Unassign(a.app.ID, p.ID), func() { p.assigned = false })
			}
			_, err := a.svc.Assign(a.app.ID, p.ID, "")
			return did(err, func() { p.assigned = true })
		},
		"group assignment": func() error {
			if g.assigned {
				return did(a.svc.Unassign(a.app.ID, g.ID), func() { g.assigned = false })
			}
			_, err := a.svc.Assign(a.app.ID, g.ID, "")
			return did(err, func() { g.assigned = true })
		},
		"membership": func() error {
			l := g.members[p]
			if l == nil {
				l = &look{}
				g.members[p] = l
			}
			if l.in {
				return did(a.dir.RemoveMembers(now(), g.ID, p.ID), func() { l.in = false })
			}
			return did(a.dir.AddMembers(now(), g.ID, p.ID), func() { l.in = true })
		},
		"delete":       func() error { return did(a.dir.DeleteUser(now(), p.ID), func() { p.state = directory.SoftDeleted }) },
		"delete group": func() error { return did(a.dir.DeleteGroup(now(), g.ID), func() { g.state = directory.SoftDeleted }) },
		"delete and purge": func() error {
			return errors.Join(did(a.dir.DeleteUser(now(), p.ID), func() { p.state = directory.SoftDeleted }), a.purged(p))
		},
		"rename": func() error {
			if !a.set.External {
				return nil
			}
			return did(a.renamed(p, a.name("m")), func() {})
		},
		"pause": func() error { return a.svc.Pause(a.app.ID) },
	}
	names := []string{"title", "block", "department", "assignment", "group assignment", "membership", "delete", "delete group", "delete and purge", "rename", "pause"}
	reset, set := a.anyReset(r), a.anyShape(r)
	plans["restart"] = func() error { return a.restarted(reset) }
	plans["mappings"] = func() error { return a.reshaped(set) }
	what := rapid.SampledFrom(append(names, "restart", "mappings")).Draw(r, "plan")
	a.behind = rapid.IntRange(0, 12).Draw(r, "behind")
	a.say("meanwhile, behind %d requests: %s of %s, %s (%s, %+v)", a.behind, what, p.DisplayName, g.DisplayName, reset, set)
	do := plans[what]
	a.meanwhile = func() error {
		if p.state != directory.Live || g.state != directory.Live { // it was planned before that
			return nil
		}
		a.say("(now %s)", what)
		return do()
	}
}

// finish puts everything in order and compares.
func (a *anything) finish() {
	a.say("recovery")
	a.faults, a.meanwhile, a.down = nil, nil, 0
	a.set.External, a.set.UserFlows, a.set.GroupFlows, a.set.NoMembers, a.set.NoManager = true, anyFlows[0], anyFlows[0], false, false
	if a.skip {
		a.SkipOutOfScope(nil)
	}
	a.reshape(a.set)
	if a.all == (a.scope == SyncAll) && rapid.Bool().Draw(a.r, "goes on") {
		a.say("start") // the new mappings begin anew by themselves
		a.no(a.svc.Start(a.app.ID))
	} else {
		a.restart(DefaultReset())
	}
	a.settle()
	if a.broken || rapid.Bool().Draw(a.r, "full") {
		a.restart(FullReset())
		a.settle()
	}
	torn := false
	for _, f := range a.fates {
		torn = torn || f.torn
	}
	if !torn { // what stands twice fails again and again
		a.requests()
		a.Cycle(nil)
		if got := a.requests(); len(got) > 0 {
			a.t.Errorf("a cycle without a change sends %v", got)
		}
		j, err := a.svc.job(a.app.ID)
		a.no(err)
		if st := j.state; st.Escrows+st.RefEscrows+st.Owed+st.Held != 0 || st.Sending != 0 || st.Quarantine != nil {
			a.t.Errorf("%d escrows, %d of references, %d owed, %d held, sending %d, quarantine %+v", st.Escrows, st.RefEscrows, st.Owed, st.Held, st.Sending, st.Quarantine)
		}
	}
	a.compareUsers()
	a.compareGroups()
	if a.t.Failed() {
		a.t.Log(a.trail())
		a.r.FailNow()
	}
}

// settle lets the job do what is left, allows what is held, and waits for every retry.
func (a *anything) settle() {
	for range 2 { // the rest of a cycle that was cut short, then one that sees everything
		a.Cycle(nil)
	}
	for range 3 {
		list, err := a.svc.Held(a.app.ID, 1)
		a.no(err)
		if len(list) > 0 {
			a.restart(ResetScope{ForceDeletes: true, QuarantineState: true})
			a.Cycle(nil)
		}
	}
	a.no(a.svc.Start(a.app.ID))
	a.run(false, func() error { _, err := a.svc.Advance(context.Background(), 25*time.Hour); return err })
	for range 2 {
		a.Cycle(nil)
	}
}

func (a *anything) compareUsers() {
	held := a.resources("User")
	a.nothingElse(held, func(id string) bool { return slices.ContainsFunc(a.users, func(p *person) bool { return p.ID == id }) })
	for _, p := range a.users {
		f, list := a.fate(p), held[p.ID]
		if f.torn {
			continue
		}
		if len(list) > 1 {
			a.t.Errorf("%s stands at the target %d times", p.DisplayName, len(list))
			continue
		}
		there := len(list) == 1
		var x heldResource
		if there {
			x = list[0]
		}
		switch {
		case a.inScope(p):
			if !there || x.doc["active"] != true || x.doc["displayName"] != p.DisplayName || x.doc["userName"] != p.UserPrincipalName {
				a.t.Errorf("%s is in scope: the target holds %v (link %+v)", p.DisplayName, x.doc, a.linkOf(p.Num))
				continue
			}
			if l := a.linkOf(p.Num); l == nil || l.State != LinkActive || l.Target != x.id {
				a.t.Errorf("%s is in scope and at the target as %s, its link is %+v", p.DisplayName, x.id, l)
			}
			a.compareTitle(p, x)
			a.compareManager(p, x)
		case !there:
		case !p.was:
			a.t.Errorf("%s was never in scope and is at the target", p.DisplayName)
		case f.loose:
		case p.state == directory.Purged && p.gone:
			a.t.Errorf("%s was purged while it was managed, and is at the target", p.DisplayName)
		case x.doc["active"] == true:
			a.t.Errorf("%s is out of scope and active (link %+v)", p.DisplayName, a.linkOf(p.Num))
		}
	}
}

// nothingElse checks that what the target holds stands for objects of the directory.
func (a *anything) nothingElse(held map[string][]heldResource, known func(id string) bool) {
	for id, list := range held {
		if !known(id) {
			a.t.Errorf("the target holds %v, which stands for nobody", list)
		}
	}
}

func (a *anything) compareTitle(p *person, x heldResource) {
	title, _ := x.doc["title"].(string)
	want := p.JobTitle
	if a.set.Title == 3 && want != "" {
		want += "!"
	}
	exact := titleFlows[a.set.Title] == mapping.Always && want != ""
	if exact && title != want || title != "" && !p.titles[title] {
		a.t.Errorf("%s has the title %q, the target shows %q", p.DisplayName, want, title)
	}
}

func (a *anything) compareManager(p *person, x heldResource) {
	ext, _ := x.doc["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"].(map[string]any)
	manager, _ := ext["manager"].(map[string]any)
	shown, _ := manager["value"].(string)
	switch {
	case p.boss != nil && a.fate(p.boss).torn:
	case a.inScope(p.boss):
		if l := a.linkOf(p.boss.Num); l == nil || shown != l.Target {
			a.t.Errorf("%s shows the manager %q, want %s (link %+v)", p.DisplayName, shown, p.boss.label(), l)
		}
	case shown != "" && !a.ids[shown]: // out of scope or none: what was there may stay
		a.t.Errorf("%s shows the manager %q, which is nobody", p.DisplayName, shown)
	}
}

func (a *anything) compareGroups() {
	held := a.resources("Group")
	a.nothingElse(held, func(id string) bool { return slices.ContainsFunc(a.groups, func(g *team) bool { return g.ID == id }) })
	for _, g := range a.groups {
		f, list := a.fate(g), held[g.ID]
		switch {
		case f.torn:
		case len(list) > 1:
			a.t.Errorf("group %s stands at the target %d times", g.DisplayName, len(list))
		case !a.provisioned(g):
			if len(list) > 0 && !f.loose {
				a.t.Errorf("group %s is out of scope and at the target (link %+v)", g.DisplayName, a.linkOf(g.Num))
			}
		case len(list) == 0 || list[0].doc["displayName"] != g.DisplayName:
			a.t.Errorf("group %s is in scope: the target holds %v (link %+v)", g.DisplayName, list, a.linkOf(g.Num))
		default:
			a.compareMembers(g, a.target.Store("default").Members(list[0].id))
		}
	}
}

func (a *anything) compareMembers(g *team, holds []string) {
	theirs := a.resources("User")
	for _, id := range holds {
		user := false
		for _, list := range theirs {
			user = user || slices.ContainsFunc(list, func(x heldResource) bool { return x.id == id })
		}
		if !user {
			a.t.Errorf("the member %s of %s is no user", id, g.DisplayName)
		}
	}
	for _, p := range a.users {
		link := a.linkOf(p.Num)
		if link == nil || a.fate(p).torn {
			continue
		}
		l := g.members[p]
		in, is := l != nil && l.in, slices.Contains(holds, link.Target)
		switch {
		case in && a.inScope(p) && !is:
			a.t.Errorf("%s is in %s and no member at the target", p.DisplayName, g.DisplayName)
		case !in && is && !a.lost[belonging{g, p}]:
			a.t.Errorf("%s is not in %s and a member at the target", p.DisplayName, g.DisplayName)
		}
	}
}

// TestAnything runs random lives in which everything changes. What it found stands as tests of its own. A long run:
// go test ./sim -run TestAnything -rapid.checks=5000 -rapid.steps=60.
func TestAnything(t *testing.T) {
	defer brief(t, "40")()
	dir, runs, sent, lives, torn := t.TempDir(), 0, 0, 0, 0
	rapid.Check(t, func(r *rapid.T) {
		lives++
		a := newAnything(t, r, filepath.Join(dir, fmt.Sprint(lives)))
		defer a.close()
		for range 3 {
			a.CreateUser(r)
		}
		a.CreateGroup(r)
		r.Repeat(actionsOf(a, func(r *rapid.T) { a.r = r }))
		a.finish()
		runs, sent = runs+a.runs, sent+a.sent
		for _, f := range a.fates {
			if f.torn {
				torn++
				break
			}
		}
	})
	t.Logf("%d lives (%d with something made twice by a changed name), %d runs, %d requests", lives, torn, runs, sent)
}
