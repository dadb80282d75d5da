package scenarios

import (
	"fmt"
	"slices"
	"time"

	"entrasim/sim"
)

// Verdict is how a scenario, a step or a check ended.
type Verdict string

// The verdicts.
const (
	Passed  Verdict = "passed"
	Failed  Verdict = "failed"  // something else was seen than expected
	Broken  Verdict = "broken"  // it could not be carried out
	Skipped Verdict = "skipped" // it can't be played against this target
)

// Result is what became of a scenario.
type Result struct {
	Scenario  *Scenario
	Verdict   Verdict
	Reason    string // why it is broken or skipped
	Target    string // URL of the target
	Seed      int64
	Mark      string // what stands before names at a target that is not the embedded one; "" when nothing does
	Asked     bool   // the mark was asked for; else the target had objects of these names already
	Steps     []StepResult
	Diagnoses []Diagnosis
	Endless   []sim.Endless // work that came back in cycle after cycle, as the job knew it at the end
	Warnings  []string
	Left      []string // what the run made at the target and could not delete, and what it changed there and did not make
	Took      time.Duration
}

// Exchanges are all requests of the scenario with their answers, in order.
func (r *Result) Exchanges() []sim.Exchange {
	var list []sim.Exchange
	for _, st := range r.Steps {
		for _, s := range st.Sent {
			list = append(list, s.Exchange)
		}
	}
	return list
}

// StepResult is what was seen of a step.
type StepResult struct {
	Step    *Step
	Number  int // from 1
	Title   string
	Verdict Verdict
	Reason  string // why it could not be carried out
	Began   time.Time
	Ended   time.Time // virtual
	Took    time.Duration
	Sent    []*Sent // with the probes
	Quiet   int     // probes that were sent and not kept, as there are many
	Records []sim.LogRecord
	Cycles  []sim.CycleResult
	// OnDemand is what the run on demand of the step answered; nil when there was none.
	OnDemand *sim.OnDemandResult
	Job      sim.Job
	Checks   []Check
}

// Failures are the checks that failed.
func (r StepResult) Failures() []Check {
	var list []Check
	for _, c := range r.Checks {
		if c.Verdict != Passed {
			list = append(list, c)
		}
	}
	return list
}

// Trouble says that a cycle of the step failed as a whole, and shows the last answer that was an error: when a target refuses
// the token, that is why nothing was sent. text is empty when none failed, x when each request was answered well.
func (r StepResult) Trouble() (text string, x sim.Exchange) {
	detail := ""
	for _, y := range r.Cycles {
		if y.State == sim.Failed && y.Error != nil {
			text, detail = "the cycle failed: "+y.Error.Code, y.Error.Detail
		}
	}
	if text == "" {
		return "", x
	}
	for _, s := range r.Sent {
		if s.Exchange.Status == 0 || s.Exchange.Status >= 400 {
			x = s.Exchange
		}
	}
	switch {
	case x.Method != "":
		text += fmt.Sprintf("; %s %s: %s", x.Method, x.URL, status(x))
	case detail != "":
		text += ": " + clip(detail)
	}
	return text, x
}

// Explained are why objects failed, one line for each of them: what a code does not say.
func (r StepResult) Explained() []string {
	var list []string
	for _, l := range r.Records {
		if l.Status != sim.Failure {
			continue
		}
		why := l.Detail
		if why == "" {
			why = l.Reason
		}
		if line := l.DisplayName + " failed: " + clip(why); why != "" && !slices.Contains(list, line) {
			list = append(list, line)
		}
	}
	return list
}

// Check is one expectation compared with what was seen.
type Check struct {
	At      Pos
	What    string // requests, log, target ann …
	Verdict Verdict
	Message string  // what differs, in one line
	Diff    []Delta // expected against seen
	Sent    *Sent   // the request that shows it

	fix func() []edit // what the file would have to say
}

// Delta is one line of a comparison.
type Delta struct {
	Sign byte // '-' expected and not seen, '+' seen and not expected, ' ' both
	Text string
}
