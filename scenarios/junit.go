package scenarios

import (
	"fmt"
	"io"
	"path"
	"strings"

	"entrasim/sim/junit"
)

// JUnit writes results as JUnit's XML: a suite for each scenario, a case for each step.
func JUnit(w io.Writer, results []Result) error {
	var all []junit.Suite
	for _, r := range results {
		s := junit.Suite{Name: r.Scenario.ID, Took: r.Took}
		class := strings.ReplaceAll(path.Join("scenarios", r.Scenario.ID), "/", ".")
		if len(r.Steps) == 0 {
			c := junit.Case{Class: class, Name: r.Scenario.Name, File: r.Scenario.Path, Line: r.Scenario.At.Line, Time: junit.Seconds(r.Took)}
			if r.Verdict == Skipped {
				c.Skipped = &junit.Fault{Message: r.Reason}
			} else {
				c.Error = &junit.Fault{Message: r.Reason, Text: r.Reason}
			}
			s.Cases = append(s.Cases, c)
		}
		for _, st := range r.Steps {
			c := junit.Case{Class: class, Name: fmt.Sprintf("%d. %s", st.Number, st.Title), File: r.Scenario.Path, Line: st.Step.At.Line, Time: junit.Seconds(st.Took)}
			var b strings.Builder
			st.print(&b, r, Style{})
			switch {
			case st.Verdict == Broken:
				c.Error = &junit.Fault{Message: st.Reason, Text: b.String()}
			case st.Verdict == Failed:
				message, _ := st.Trouble()
				if message == "" {
					message = st.Failures()[0].Message
				}
				c.Failure = &junit.Fault{Message: message, Text: b.String()}
			}
			s.Cases = append(s.Cases, c)
		}
		if n := len(s.Cases); len(r.Diagnoses)+len(r.Left)+len(r.Endless) > 0 && n > 0 {
			var b strings.Builder
			for _, d := range r.Diagnoses {
				fmt.Fprintf(&b, "%s %s. Entra needs: %s\n", d.ID, d.Mistake, d.Requirement)
			}
			for _, e := range r.Endless {
				fmt.Fprintf(&b, "endless: %s %s %s\n", e.Object, e.Text, e.Cure)
			}
			for _, l := range r.Left {
				fmt.Fprintf(&b, "left behind: %s\n", l)
			}
			s.Cases[n-1].Out = b.String()
		}
		all = append(all, s)
	}
	return junit.Write(w, "entrasim", all)
}
