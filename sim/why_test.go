package sim

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// TestWhySteps: behind the conditions of scope an explanation goes on to mapping, match, last result and next look, and says
// what keeps an object from being sent.
func TestWhySteps(t *testing.T) {
	w := newWorld(t, mappedSchema(t, mapping.Starter(), "title", `Switch([jobTitle],[jobTitle],"none",IgnoreFlowIfNullOrEmpty(""))`), "")
	why := func(id string) Explanation {
		t.Helper()
		list, err := w.svc.Why(id)
		w.no(err)
		return list[0]
	}
	see := func(id, verdict string, steps ...string) {
		t.Helper()
		x := why(id)
		var all []string
		for _, c := range x.Steps {
			all = append(all, fmt.Sprintf("%s %t: %s", c.Name, c.Pass, c.Text))
			if c.Rule != "" && len(RulesOf([]string{c.Rule})) == 0 {
				t.Errorf("%s: there is no rule %s", c.Name, c.Rule)
			}
		}
		text := strings.Join(all, "\n")
		if !strings.Contains(x.Verdict, verdict) {
			t.Errorf("verdict %q, want %q", x.Verdict, verdict)
		}
		for _, s := range steps {
			if !strings.Contains(text, s) {
				t.Errorf("no %q in\n%s", s, text)
			}
		}
	}
	ann, out := w.user("ann"), w.user("out")
	w.assign(ann.ID)
	see(ann.ID, "provisioned when provisioning is started", "Mapping true", `Match true: The target is asked for userName "ann@`, "Last result true: No cycle has run yet", "Next look false: Provisioning is not started")
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	see(ann.ID, "is provisioned to", "Match true: It stands for the target's", "created on 5 Jan 2026", "Last result true: Ann created", "Next look true: The next cycle is due on 5 Jan 2026, 09:40")
	see(out.ID, "neither assigned", "Match true: It is out of scope", "Last result true: No cycle left a record")

	fail := true
	w.answers(func(method, _, _ string) int {
		if fail && method == "POST" {
			return 409
		}
		return 0
	})
	w.assign(out.ID)
	for range 3 {
		w.cycle()
		w.edit(out.ID, "displayName", "Out "+w.clock.Now().String())
		w.advance(time.Hour)
	}
	see(out.ID, "failed with EntryConflict", "Last result false", "Endless work false: The match query finds nothing", "Next look true: It is tried again with the first cycle from 5 Jan 2026")
	fail = false
}

// TestWhyBlocked: what keeps an object in scope from being created is its verdict.
func TestWhyBlocked(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(t *testing.T, s *mapping.Schema) *mapping.Schema
		props      []any
	}{
		{"an expression leaves it out", "nothing is sent: the expression mapped to title says IgnoreObjectFlow",
			func(t *testing.T, s *mapping.Schema) *mapping.Schema {
				return mappedSchema(t, s, "title", `IIF([jobTitle]="Ghost",IgnoreObjectFlow,[jobTitle])`)
			}, []any{"jobTitle", "Ghost"}},
		{"create is off", "nothing is sent: create is switched off", func(t *testing.T, s *mapping.Schema) *mapping.Schema {
			s.ObjectMapping("User").FlowTypes = "Update,Delete"
			return s
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.change(t, mapping.Starter()), "")
			u := w.user("ann", c.props...)
			w.assign(u.ID)
			list, err := w.svc.Why(u.ID)
			w.no(err)
			if !strings.Contains(list[0].Verdict, c.want) {
				t.Errorf("%q, want %q", list[0].Verdict, c.want)
			}
		})
	}
}

// TestWhyHeld: a deletion that the threshold holds back is a step of its own.
func TestWhyHeld(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	var all []directory.User
	for i := range 3 {
		u := w.user(fmt.Sprintf("user%d", i))
		w.assign(u.ID)
		all = append(all, u)
	}
	on, one := true, 1
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{PreventDeletes: &on, DeleteThreshold: &one}))
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	for _, u := range all {
		w.no(w.dir.DeleteUser(w.clock.Now(), u.ID))
	}
	w.cycle()
	list, err := w.svc.Why(all[0].ID)
	w.no(err)
	text := fmt.Sprint(list[0].Steps)
	if !strings.Contains(text, "Deletion threshold false Its deletion is held until deletes are allowed") || !strings.Contains(text, "The job is in quarantine") {
		t.Error(text)
	}
}

// TestWhyOfAChange: who is linked and has changed since the last cycle is told so, with the time of the cycle that looks at
// it; while a cycle runs, or was cut short, that cycle does so.
func TestWhyOfAChange(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	see := func(when, id, verdict, next string) {
		t.Helper()
		list, err := w.svc.Why(id)
		w.no(err)
		if x := list[0]; x.Verdict != verdict || !strings.Contains(x.Steps[len(x.Steps)-1].Text, next) {
			t.Errorf("%s: %q, want %q; %q, want %q", when, x.Verdict, verdict, x.Steps[len(x.Steps)-1].Text, next)
		}
	}
	ann, bob, cleo := w.user("ann"), w.user("bob"), w.user("cleo")
	team := w.group("Team", ann.ID)
	w.assign(ann.ID, bob.ID, cleo.ID, team.ID)
	w.no(w.svc.Start(w.app.ID))
	see("before the first cycle", ann.ID, "Ann is in scope and is provisioned with the next cycle, due now.", "The initial cycle is due now.")
	w.answers(func(method, path, body string) int {
		if method == "POST" && strings.Contains(body, "Ann") {
			see("in the first cycle", bob.ID, "Bob is in scope and is provisioned with the cycle that runs, or the one behind it.", "The initial cycle runs.")
		}
		return 0
	})
	w.cycle()
	see("no change", ann.ID, "Ann is provisioned to ConfigCat.", "looks at what changed since the last one")
	w.edit(ann.ID, "displayName", "Ann Other")
	w.edit(bob.ID, "jobTitle", "Baker") // no mapping reads it
	w.no(w.dir.AddMembers(w.clock.Now(), team.ID, cleo.ID))
	const next = "The next cycle is due on 5 Jan 2026, 09:40. It looks at it"
	see("changed", ann.ID, "Ann Other is provisioned to ConfigCat. A change of it is carried there with the next cycle, due on 5 Jan 2026, 09:40.", next)
	see("changed in what nobody reads", bob.ID, "Bob is provisioned to ConfigCat.", "It looks at what changed since the last one")
	see("a group's members", team.ID, "Team is provisioned to ConfigCat. A change of it is carried there with the next cycle, due on 5 Jan 2026, 09:40.", next)
	w.no(w.svc.Pause(w.app.ID))
	see("paused", ann.ID, "Ann Other is provisioned to ConfigCat. A change of it is carried there when provisioning is started.", "Provisioning is not started.")
	w.no(w.svc.Start(w.app.ID))
	refuse := true
	w.answers(func(method, path, _ string) int {
		if refuse && method == "PATCH" && strings.HasPrefix(path, "/Users/") {
			see("in the cycle", ann.ID, "Ann Other is provisioned to ConfigCat. A change of it is carried there with the cycle that runs, or the one behind it.", "A cycle runs.")
			refuse = false
			return 500
		}
		return 0
	})
	w.cycle()
	const failed = "The last try for Ann Other failed with InternalServerError; it is tried again with the next cycle, due on 5 Jan 2026, 09:40."
	see("failed", ann.ID, failed, "It is tried again with the first cycle from 5 Jan 2026, 09:40 on; it failed once")
	w.edit(ann.ID, "displayName", "Ann Third")
	see("failed and changed", ann.ID, strings.ReplaceAll(failed, "Other", "Third"), next)
}

// TestWhyAfterACut: what an initial cycle that was cut short has not come to is looked at when it goes on.
func TestWhyAfterACut(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob := w.user("ann"), w.user("bob")
	w.assign(ann.ID, bob.ID)
	w.no(w.svc.Start(w.app.ID))
	ctx, cut := context.WithCancel(t.Context())
	w.answers(func(method, _, body string) int {
		if method == "POST" && strings.Contains(body, "Ann") {
			cut()
		}
		return 0
	})
	if _, err := w.svc.RunCycles(ctx); err == nil {
		t.Fatal("the cycle was not cut short")
	}
	w.reopen()
	list, err := w.svc.Why(bob.ID)
	w.no(err)
	if got, want := list[0].Verdict, "Bob is in scope and is provisioned with the next cycle, due now."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
