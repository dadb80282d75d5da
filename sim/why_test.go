package sim

import (
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
