package cases

import (
	"encoding/xml"
	"io"
	"strings"
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

type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"` // nothing to measure
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes outcomes as JUnit XML, one suite for each file.
func WriteJUnit(w io.Writer, suites []Suite) error {
	doc := junitSuites{Name: "entrasim expr"}
	for _, s := range suites {
		suite := junitSuite{Name: s.File, Tests: len(s.Cases), Failures: s.Failed(), Time: "0"}
		for i, c := range s.Cases {
			j := junitCase{Name: c.ID, Class: strings.TrimSuffix(s.File, ".json"), File: s.File, Line: c.Line, Time: "0"}
			if o := s.Outcomes[i]; !o.Passed {
				j.Failure = &junitFailure{
					Message: "expected " + o.Expected + ", seen " + o.Seen,
					Text:    "expression: " + c.Expression + "\nexpected:   " + o.Expected + "\nseen:       " + o.Seen + "\n",
				}
			}
			suite.Cases = append(suite.Cases, j)
		}
		doc.Tests, doc.Failures, doc.Suites = doc.Tests+suite.Tests, doc.Failures+suite.Failures, append(doc.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
