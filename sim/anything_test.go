package sim

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
