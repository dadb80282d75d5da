package scenarios

import (
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"strings"
)

// The parts of JUnit's XML that CI servers read.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string      `xml:"classname,attr"`
		Name    string      `xml:"name,attr"`
		File    string      `xml:"file,attr"`
		Line    int         `xml:"line,attr"`
		Time    string      `xml:"time,attr"`
		Failure *junitFault `xml:"failure,omitempty"`
		Error   *junitFault `xml:"error,omitempty"`
		Skipped *junitFault `xml:"skipped,omitempty"`
		Out     string      `xml:"system-out,omitempty"`
	}
	junitFault struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes results as JUnit's XML: a suite for each scenario, a case for each step.
func JUnit(w io.Writer, results []Result) error {
	all := junitSuites{Name: "entrasim"}
	total := 0.0
	for _, r := range results {
		s := junitSuite{Name: clean(r.Scenario.ID), Time: seconds(ms(r.Took))}
		total += ms(r.Took)
		class := strings.ReplaceAll(path.Join("scenarios", clean(r.Scenario.ID)), "/", ".")
		if len(r.Steps) == 0 {
			c := junitCase{Class: class, Name: clean(r.Scenario.Name), File: r.Scenario.Path, Line: r.Scenario.At.Line, Time: s.Time}
			if r.Verdict == Skipped {
				c.Skipped = &junitFault{Message: clean(r.Reason)}
			} else {
				c.Error = &junitFault{Message: clean(r.Reason), Text: clean(r.Reason)}
			}
			s.Cases = append(s.Cases, c)
		}
		for _, st := range r.Steps {
			c := junitCase{Class: class, Name: clean(fmt.Sprintf("%d. %s", st.Number, st.Title)), File: r.Scenario.Path, Line: st.Step.At.Line, Time: seconds(ms(st.Took))}
			var b strings.Builder
			st.print(&b, r, Style{})
			switch {
			case st.Verdict == Broken:
				c.Error = &junitFault{clean(st.Reason), clean(b.String())}
			case st.Verdict == Failed:
				message, _ := st.Trouble()
				if message == "" {
					message = st.Failures()[0].Message
				}
				c.Failure = &junitFault{clean(message), clean(b.String())}
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
			s.Cases[n-1].Out = clean(b.String())
		}
		for _, c := range s.Cases {
			s.Tests++
			switch {
			case c.Failure != nil:
				s.Failures++
			case c.Error != nil:
				s.Errors++
			case c.Skipped != nil:
				s.Skipped++
			}
		}
		all.Tests, all.Failures, all.Errors, all.Skipped = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors, all.Skipped+s.Skipped
		all.Suites = append(all.Suites, s)
	}
	all.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(ms float64) string { return fmt.Sprintf("%.3f", ms/1000) }

// clean takes out what XML can't hold.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
