package scenarios

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"entrasim/sim"
)

// Tally counts scenarios by verdict.
type Tally struct{ Passed, Failed, Skipped int }

// Add counts one more result. Broken ones count as failed.
func (t *Tally) Add(r Result) {
	switch r.Verdict {
	case Passed:
		t.Passed++
	case Skipped:
		t.Skipped++
	default:
		t.Failed++
	}
}

// String is the last line of a report.
func (t Tally) String() string {
	text := fmt.Sprintf("%d passed, %d failed", t.Passed, t.Failed)
	if t.Skipped > 0 {
		text += fmt.Sprintf(", %d skipped", t.Skipped)
	}
	return text
}

// Style is how a report for people is written.
type Style struct {
	Colour  bool
	Verbose bool // every step with its requests, also those of scenarios that passed
}

const (
	red    = "31"
	green  = "32"
	yellow = "33"
	grey   = "90"
	bold   = "1"
)

func (s Style) paint(code, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Print writes a result for people: one line for a scenario, and below it what went wrong, where in the file, and the
// exchange that shows it.
func Print(w io.Writer, r Result, style Style) error {
	var b strings.Builder
	mark, colour := "✓", green
	switch r.Verdict {
	case Failed, Broken:
		mark, colour = "✗", red
	case Skipped:
		mark, colour = "–", yellow
	}
	fmt.Fprintf(&b, "%s %s  %s %s\n", style.paint(colour, mark), style.paint(bold, r.Scenario.ID), r.Scenario.Name, style.paint(grey, "("+took(r.Took)+")"))
	if r.Verdict == Skipped {
		fmt.Fprintf(&b, "    skipped: %s\n", r.Reason)
	}
	if r.Verdict == Broken && len(r.Steps) == 0 {
		fmt.Fprintf(&b, "    %s\n", r.Reason)
	}
	for _, st := range r.Steps {
		st.print(&b, r, style)
	}
	for _, d := range r.Diagnoses {
		fmt.Fprintf(&b, "    %s %s (step %d)\n", style.paint(red, d.ID), d.Mistake, d.Step)
		fmt.Fprintf(&b, "           Entra needs: %s\n", d.Requirement)
		if x, ok := r.exchange(d.Exchange); ok {
			printExchange(&b, x, "           ", style)
		}
	}
	for _, e := range r.Endless {
		fmt.Fprintf(&b, "    %s %s %s (%s)\n", style.paint(yellow, "endless:"), e.Object, e.Text, strings.Join(e.Rules, ", "))
		if style.Verbose {
			fmt.Fprintf(&b, "           %s\n", e.Cure)
		}
	}
	if r.Mark != "" {
		why := "the target has objects of these names already: "
		if r.Asked {
			why = ""
		}
		fmt.Fprintf(&b, "    %s\n", style.paint(grey, why+"names of this run begin with "+r.Mark))
	}
	for _, text := range append(texts(r.Scenario.Warnings), r.Warnings...) {
		fmt.Fprintf(&b, "    %s %s\n", style.paint(yellow, "warning:"), text)
	}
	if len(r.Left) > 0 {
		fmt.Fprintf(&b, "    %s\n", style.paint(yellow, "left behind at the target:"))
		for _, l := range r.Left {
			fmt.Fprintf(&b, "      %s\n", l)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func texts(ps Problems) []string {
	list := make([]string, len(ps))
	for i, p := range ps {
		p.Warning = false // the word stands before it
		list[i] = p.String()
	}
	return list
}

func took(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

func (r *Result) exchange(id uint64) (sim.Exchange, bool) {
	for _, st := range r.Steps {
		for _, s := range st.Sent {
			if s.Exchange.ID == id && id != 0 {
				return s.Exchange, true
			}
		}
	}
	return sim.Exchange{}, false
}

func (st StepResult) print(b *strings.Builder, r Result, style Style) {
	if !style.Verbose && st.Verdict == Passed {
		return
	}
	fmt.Fprintf(b, "    step %d: %s\n", st.Number, st.Title)
	if style.Verbose {
		for _, s := range st.Sent {
			if !s.Probe {
				fmt.Fprintf(b, "      %s\n", style.paint(grey, fmt.Sprintf("%s  %s", s.Line(), status(s.Exchange))))
			}
		}
	}
	if st.Verdict == Broken {
		fmt.Fprintf(b, "      %s:%d:%d: %s\n", r.Scenario.Path, st.Step.At.Line, st.Step.At.Column, style.paint(red, st.Reason))
	}
	if text, x := st.Trouble(); text != "" && st.Verdict != Passed {
		fmt.Fprintf(b, "      %s\n", style.paint(red, text))
		if x.Method != "" {
			printExchange(b, x, "        ", style)
		}
	}
	for _, c := range st.Failures() {
		fmt.Fprintf(b, "      %s:%d:%d: %s: %s\n", r.Scenario.Path, c.At.Line, c.At.Column, c.What, style.paint(red, c.Message))
		for _, d := range c.Diff {
			line := fmt.Sprintf("%c %s", d.Sign, d.Text)
			switch d.Sign {
			case '-':
				line = style.paint(red, line)
			case '+':
				line = style.paint(green, line)
			}
			fmt.Fprintf(b, "        %s\n", line)
		}
		if c.Sent != nil {
			printExchange(b, c.Sent.Exchange, "        ", style)
		}
	}
	if st.Verdict != Passed {
		st.printExplained(b, style)
	}
}

// printExplained says why objects of a step that failed did; the reports for programs hold all of them.
func (st StepResult) printExplained(b *strings.Builder, style Style) {
	const most = 5
	list := st.Explained()
	for i, line := range list {
		if i == most && !style.Verbose {
			fmt.Fprintf(b, "      and %d more\n", len(list)-most)
			return
		}
		fmt.Fprintf(b, "      %s\n", style.paint(red, line))
	}
}

// status is an answer in a word or two.
func status(x sim.Exchange) string {
	if x.Status == 0 {
		return "no answer: " + x.Error
	}
	return fmt.Sprint(x.Status)
}

// printExchange writes a request with its answer, bodies in one line each.
func printExchange(b *strings.Builder, x sim.Exchange, indent string, style Style) {
	fmt.Fprintf(b, "%s%s\n", indent, style.paint(grey, fmt.Sprintf("exchange %d: %s %s", x.ID, x.Method, x.URL)))
	if x.RequestBody != "" {
		fmt.Fprintf(b, "%s%s\n", indent, style.paint(grey, "  sent: "+clip(x.RequestBody)))
	}
	fmt.Fprintf(b, "%s%s\n", indent, style.paint(grey, "  answer: "+strings.TrimSpace(status(x)+" "+clip(x.ResponseBody))))
}

// clip is a text that a target may have written, in one line for a terminal: bytes that are no text, and signs that would
// drive the terminal, are shown as such.
func clip(body string) string {
	body = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, strings.Join(strings.Fields(body), " "))
	if r := []rune(body); len(r) > 600 {
		return string(r[:600]) + "…"
	}
	return body
}

// PrintProblems writes the mistakes of files for people, each with its line and a caret.
func PrintProblems(w io.Writer, ps Problems, style Style) error {
	var b strings.Builder
	for _, p := range ps {
		fmt.Fprintf(&b, "%s\n", p)
		if s := p.Snippet(); s != "" {
			fmt.Fprintf(&b, "    %s\n", style.paint(grey, strings.ReplaceAll(s, "\n", "\n    ")))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// AnnotateProblems writes the mistakes of files as GitHub Actions shows them.
func AnnotateProblems(w io.Writer, ps Problems) error {
	var b strings.Builder
	for _, p := range ps {
		kind, message := "error", p.Message
		if p.Warning {
			kind = "warning"
		}
		if p.Hint != "" {
			message += " (" + p.Hint + ")"
		}
		annotation(&b, kind, p.File, p.Pos, "scenario file", message)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// annotation is one line that GitHub Actions reads.
func annotation(b *strings.Builder, kind, path string, at Pos, title, message string) {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	fmt.Fprintf(b, "::%s file=%s,line=%d,col=%d,title=%s::%s\n", kind, property.Replace(path), max(1, at.Line), max(1, at.Column), property.Replace(title), data.Replace(message))
}

// Annotate writes what GitHub Actions shows beside the lines of the files.
func Annotate(w io.Writer, r Result) error {
	var b strings.Builder
	note := func(kind string, at Pos, title, message string) {
		annotation(&b, kind, r.Scenario.Path, at, title, message)
	}
	title := r.Scenario.ID
	if r.Verdict == Broken && len(r.Steps) == 0 {
		note("error", r.Scenario.At, title, r.Reason)
	}
	for _, st := range r.Steps {
		if st.Verdict == Broken {
			note("error", st.Step.At, title, fmt.Sprintf("step %d: %s", st.Number, st.Reason))
		}
		if text, _ := st.Trouble(); text != "" && st.Verdict != Passed {
			note("error", st.Step.At, title, fmt.Sprintf("step %d (%s): %s", st.Number, st.Title, text))
		}
		for _, c := range st.Failures() {
			text := fmt.Sprintf("step %d (%s): %s: %s", st.Number, st.Title, c.What, c.Message)
			for _, d := range c.Diff {
				text += fmt.Sprintf("\n%c %s", d.Sign, d.Text)
			}
			note("error", c.At, title, text)
		}
	}
	for _, d := range r.Diagnoses {
		note("error", r.Scenario.At, title+" "+d.ID, d.Mistake+". Entra needs: "+d.Requirement)
	}
	for _, e := range r.Endless {
		note("notice", r.Scenario.At, title, "endless work: "+e.Object+" "+e.Text+" "+e.Cure)
	}
	for _, p := range r.Scenario.Warnings {
		note("warning", p.Pos, title, p.Message)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// The JSON report.
type (
	jsonReport struct {
		Passed    int          `json:"passed"`
		Failed    int          `json:"failed"`
		Skipped   int          `json:"skipped"`
		Scenarios []jsonResult `json:"scenarios"`
	}
	jsonResult struct {
		ID        string        `json:"id"`
		Name      string        `json:"name"`
		Source    string        `json:"source"`
		Path      string        `json:"path"`
		Verdict   Verdict       `json:"verdict"`
		Reason    string        `json:"reason,omitempty"`
		Target    string        `json:"target,omitempty"`
		Seed      int64         `json:"seed"`
		Mark      string        `json:"mark,omitempty"`
		Steps     []jsonStep    `json:"steps"`
		Diagnoses []Diagnosis   `json:"diagnoses"`
		Endless   []sim.Endless `json:"endless"`
		Warnings  []string      `json:"warnings"`
		Left      []string      `json:"leftBehind"`
		Ms        float64       `json:"durationMs"`
	}
	jsonStep struct {
		Number    int               `json:"step"`
		Title     string            `json:"title"`
		Line      int               `json:"line"`
		Verdict   Verdict           `json:"verdict"`
		Reason    string            `json:"reason,omitempty"`
		Began     time.Time         `json:"began"`
		Ended     time.Time         `json:"ended"`
		Cycles    []sim.CycleResult `json:"cycles"`
		Checks    []jsonCheck       `json:"checks"`
		Exchanges []sim.Exchange    `json:"exchanges"`
		Ms        float64           `json:"durationMs"`
	}
	jsonCheck struct {
		What     string   `json:"what"`
		Line     int      `json:"line"`
		Column   int      `json:"column"`
		Verdict  Verdict  `json:"verdict"`
		Message  string   `json:"message,omitempty"`
		Diff     []string `json:"diff,omitempty"`
		Exchange uint64   `json:"exchange,omitempty"`
	}
)

// JSON writes results for programs.
func JSON(w io.Writer, results []Result) error {
	out := jsonReport{Scenarios: []jsonResult{}}
	var t Tally
	for _, r := range results {
		t.Add(r)
		j := jsonResult{ID: r.Scenario.ID, Name: r.Scenario.Name, Source: r.Scenario.Source, Path: r.Scenario.Path, Verdict: r.Verdict, Reason: r.Reason,
			Target: r.Target, Seed: r.Seed, Mark: r.Mark, Steps: []jsonStep{}, Diagnoses: append([]Diagnosis{}, r.Diagnoses...),
			Endless:  append([]sim.Endless{}, r.Endless...),
			Warnings: append(texts(r.Scenario.Warnings), r.Warnings...), Left: append([]string{}, r.Left...), Ms: ms(r.Took)}
		for _, st := range r.Steps {
			s := jsonStep{Number: st.Number, Title: st.Title, Line: st.Step.At.Line, Verdict: st.Verdict, Reason: st.Reason, Began: st.Began, Ended: st.Ended,
				Cycles: append([]sim.CycleResult{}, st.Cycles...), Checks: []jsonCheck{}, Exchanges: []sim.Exchange{}, Ms: ms(st.Took)}
			for _, c := range st.Checks {
				k := jsonCheck{What: c.What, Line: c.At.Line, Column: c.At.Column, Verdict: c.Verdict, Message: c.Message}
				for _, d := range c.Diff {
					k.Diff = append(k.Diff, fmt.Sprintf("%c %s", d.Sign, d.Text))
				}
				if c.Sent != nil {
					k.Exchange = c.Sent.Exchange.ID
				}
				s.Checks = append(s.Checks, k)
			}
			for _, x := range st.Sent {
				s.Exchanges = append(s.Exchanges, x.Exchange)
			}
			j.Steps = append(j.Steps, s)
		}
		out.Scenarios = append(out.Scenarios, j)
	}
	out.Passed, out.Failed, out.Skipped = t.Passed, t.Failed, t.Skipped
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
