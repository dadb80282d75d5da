package sim

import (
	"context"
	"slices"
	"time"

	"pgregory.net/rapid"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

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
