package scenarios

import (
	"bytes"
	_ "embed" // the page
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"entrasim/sim"
)

//go:embed report.html
var reportPage string

// HTML writes results as one page that needs nothing else: each scenario with its narration, its steps on the clock, what
// was sent and answered, and what was expected against what was seen.
func HTML(w io.Writer, results []Result) error {
	page, err := template.New("report").Funcs(template.FuncMap{
		"took": took, "sign": func(d Delta) string { return string(d.Sign) }, "status": status, "pretty": pretty, "span": span,
		"class": func(d Delta) string {
			return map[byte]string{'-': "want", '+': "seen", ' ': "same"}[d.Sign]
		},
		"clock": func(t time.Time) string { return t.Format("2006-01-02 15:04:05") },
		"diagnosed": func(r Result, d Diagnosis) *sim.Exchange {
			if x, ok := r.exchange(d.Exchange); ok {
				return &x
			}
			return nil
		},
		"trouble": func(st StepResult) string {
			text, _ := st.Trouble()
			return text
		},
		"objects": func(st StepResult) (list []*Sent) {
			for _, s := range st.Sent {
				if !s.Probe {
					list = append(list, s)
				}
			}
			return list
		},
		"probes": func(st StepResult) int {
			n := st.Quiet
			for _, s := range st.Sent {
				if s.Probe {
					n++
				}
			}
			return n
		},
		"timeline": timeline, "warnings": func(r Result) []string { return append(texts(r.Scenario.Warnings), r.Warnings...) },
	}).Parse(reportPage)
	if err != nil {
		return err
	}
	data := struct {
		Results []Result
		Tally   Tally
		Version string
	}{Results: results, Version: sim.Version}
	for _, r := range results {
		data.Tally.Add(r)
	}
	var b bytes.Buffer // an error leaves no half page
	if err := page.Execute(&b, data); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// pretty indents a body when it is JSON.
func pretty(body string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(body), "", "  ") == nil {
		return b.String()
	}
	return body
}

// span says how much virtual time a step took.
func span(st StepResult) string { return short(st.Ended.Sub(st.Began)) }

// mark is a step on the timeline of a scenario.
type mark struct {
	Number  int
	X       float64 // 0 to 100
	Verdict Verdict
	Label   string
}

// timeline places the steps by the virtual time at which they ended, apart from each other.
func timeline(r Result) []mark {
	if len(r.Steps) == 0 {
		return nil
	}
	first, last := r.Steps[0].Began, r.Steps[len(r.Steps)-1].Ended
	total := last.Sub(first)
	marks := make([]mark, len(r.Steps))
	gap := 94.0 / float64(max(1, len(r.Steps)))
	for i, st := range r.Steps {
		x := 3 + gap*float64(i)
		if total > 0 {
			x = 3 + gap/2*float64(i) + 47*float64(st.Ended.Sub(first))/float64(total)
		}
		marks[i] = mark{st.Number, x, st.Verdict, fmt.Sprintf("%d. %s, %s", st.Number, strings.TrimSuffix(st.Title, "."), st.Ended.Format("2006-01-02 15:04"))}
	}
	return marks
}
