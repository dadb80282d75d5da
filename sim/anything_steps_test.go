package sim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"entrasim/directory"
)

// What an administrator, the directory and the target do in a life: rapid chooses among the exported methods.

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
