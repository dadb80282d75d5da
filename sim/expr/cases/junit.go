package cases

import (
	"io"
	"strings"

	"entrasim/sim/junit"
)

// Suite is what came of the cases of one file.
type Suite struct {
	File     string
	Cases    []Case
	Outcomes []Outcome // one for each case
}

// Failed is how many cases differ.
func (s Suite) Failed() int {
	n := 0
	for _, o := range s.Outcomes {
		if !o.Passed {
			n++
		}
	}
	return n
}

// WriteJUnit writes outcomes as JUnit XML, one suite for each file. There is no time to measure.
func WriteJUnit(w io.Writer, suites []Suite) error {
	var list []junit.Suite
	for _, s := range suites {
		suite := junit.Suite{Name: s.File}
		for i, c := range s.Cases {
			j := junit.Case{Name: c.ID, Class: strings.TrimSuffix(s.File, ".json"), File: s.File, Line: c.Line, Time: "0"}
			if o := s.Outcomes[i]; !o.Passed {
				j.Failure = &junit.Fault{
					Message: "expected " + o.Expected + ", seen " + o.Seen,
					Text:    "expression: " + c.Expression + "\nexpected:   " + o.Expected + "\nseen:       " + o.Seen + "\n",
				}
			}
			suite.Cases = append(suite.Cases, j)
		}
		list = append(list, suite)
	}
	return junit.Write(w, "entrasim expr", list)
}
