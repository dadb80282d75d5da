package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"entrasim/sim"
)

// stageNames are the five steps of a run on demand as files name them.
var stageNames = []string{string(sim.StageConnection), string(sim.StageImport), string(sim.StageScope), string(sim.StageMatch), string(sim.StageAction)}

// answered compares what a run on demand answered, one check for each member that is given.
func (p *Player) answered(e *Answer, seen *sim.OnDemandResult) []Check {
	var checks []Check
	add := func(what, want, got string) {
		if want == "" {
			return
		}
		c := Check{At: e.At, What: "onDemand " + what, Verdict: Passed}
		if want != got {
			c.differs(want, got)
			c.fix = func() []edit { return []edit{replaceUnder(e.At, what, got)} }
			if what == "result" {
				c.fix = nil // as a word alone it has no name to be found by
			}
		}
		checks = append(checks, c)
	}
	l := &seen.Record
	code := l.ErrorCode
	if l.SkipReason != "" {
		code = string(l.SkipReason)
	}
	add("result", e.Result, seen.Result)
	add("code", e.Code, code)
	add("done", e.Action, string(l.Action))
	shown := map[string]string{}
	for _, st := range seen.Stages {
		status := string(st.Status)
		if status == "" {
			status = "none"
		}
		want := map[sim.StageName]string{sim.StageConnection: e.Connection, sim.StageImport: e.Import, sim.StageScope: e.Scope, sim.StageMatch: e.Match,
			sim.StageAction: e.Perform}[st.Name]
		add(string(st.Name), want, status)
		shown[string(st.Name)] = p.names.text(stageText(st))
	}
	for _, name := range sorted(e.Shows) {
		want := p.match.fill(e.Shows[name])
		c := Check{At: e.At, What: "onDemand " + name, Verdict: Passed}
		if !strings.Contains(shown[name], want) {
			c.differs(fmt.Sprintf("a step with %q", want), shown[name])
		}
		checks = append(checks, c)
	}
	if len(e.Modified) > 0 {
		checks = append(checks, p.modified(e, seen.Stages[len(seen.Stages)-1].Modified))
	}
	return checks
}

// stageText is a step as one text.
func stageText(st sim.Stage) string {
	parts := []string{st.Text}
	for _, g := range st.Groups {
		if g.Title != "" {
			parts = append(parts, g.Title)
		}
		for _, d := range g.Details {
			parts = append(parts, d.Key+": "+d.Value)
		}
	}
	return strings.Join(parts, "\n")
}

// modified compares the attributes that a run changed. A side that the file does not name is not looked at.
func (p *Player) modified(e *Answer, seen []sim.ModifiedProperty) Check {
	c := Check{At: e.At, What: "onDemand modified", Verdict: Passed}
	var want, got []string
	fits := func(pattern *string, value *string) bool {
		switch {
		case pattern == nil:
			return true
		case value == nil:
			return *pattern == "absent"
		}
		return p.match.fill(*pattern) == p.names.text(*value)
	}
	rest := slices.Clone(seen)
	for _, m := range e.Modified {
		i := slices.IndexFunc(rest, func(x sim.ModifiedProperty) bool {
			return x.Name == m.Key && fits(m.Value.Old, x.Old) && fits(m.Value.New, x.New)
		})
		if i < 0 {
			want = append(want, m.Key+changeText(m.Value.Old, m.Value.New))
			continue
		}
		rest = slices.Delete(rest, i, i+1)
	}
	for _, x := range rest {
		old, new := p.shownSide(x.Old), p.shownSide(x.New)
		got = append(got, x.Name+changeText(&old, &new))
	}
	if len(want)+len(got) > 0 {
		c.differs(listed(want), listed(got))
	}
	return c
}

func (p *Player) shownSide(s *string) string {
	if s == nil {
		return "absent"
	}
	return p.names.text(*s)
}

func changeText(old, new *string) string {
	side := func(s *string) string {
		if s == nil {
			return "anything"
		}
		return *s
	}
	return fmt.Sprintf(" from %s to %s", side(old), side(new))
}
