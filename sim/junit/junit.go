// Package junit writes results of tests as the XML that CI servers read.
package junit

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"
)

// Suite is what one file or scenario was tested for.
type Suite struct {
	Name  string
	Took  time.Duration
	Cases []Case
}

// Case is one test of a suite. It passed when it has no failure, error or reason to be skipped.
type Case struct {
	Class   string `xml:"classname,attr"`
	Name    string `xml:"name,attr"`
	File    string `xml:"file,attr"`
	Line    int    `xml:"line,attr"`
	Time    string `xml:"time,attr"` // see Seconds
	Failure *Fault `xml:"failure,omitempty"`
	Error   *Fault `xml:"error,omitempty"`
	Skipped *Fault `xml:"skipped,omitempty"`
	Out     string `xml:"system-out,omitempty"`
}

// Fault says why a case did not pass.
type Fault struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type counts struct {
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Time     string `xml:"time,attr"`
}

type suite struct {
	Name string `xml:"name,attr"`
	counts
	Cases []Case `xml:"testcase"`
}

// Seconds is a duration as JUnit writes it.
func Seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// Write writes suites under a name. What XML can't hold becomes U+FFFD.
func Write(w io.Writer, name string, suites []Suite) error {
	doc := struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		counts
		Suites []suite `xml:"testsuite"`
	}{Name: name}
	took := time.Duration(0)
	for _, s := range suites {
		took += s.Took
		out := suite{Name: s.Name, counts: counts{Tests: len(s.Cases), Time: Seconds(s.Took)}, Cases: s.Cases}
		for _, c := range s.Cases {
			switch {
			case c.Failure != nil:
				out.Failures++
			case c.Error != nil:
				out.Errors++
			case c.Skipped != nil:
				out.Skipped++
			}
		}
		doc.Tests, doc.Failures, doc.Errors, doc.Skipped = doc.Tests+out.Tests, doc.Failures+out.Failures, doc.Errors+out.Errors, doc.Skipped+out.Skipped
		doc.Suites = append(doc.Suites, out)
	}
	doc.Time = Seconds(took)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
