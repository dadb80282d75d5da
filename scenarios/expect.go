package scenarios

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"entrasim/sim"
)

// compare checks every expectation of a step. The error is one of looking, not of what was seen.
func (p *Player) compare(ctx context.Context, e *Expect, r *StepResult) ([]Check, error) {
	var checks []Check
	if e.Requests != nil {
		var sent []*Sent
		for _, s := range r.Sent {
			if !s.Probe {
				sent = append(sent, s)
			}
		}
		checks = append(checks, p.requests("requests", e.Requests, sent, len(sent))...)
	}
	if e.Probes != nil {
		var sent []*Sent
		for _, s := range r.Sent {
			if s.Probe {
				sent = append(sent, s)
			}
		}
		checks = append(checks, p.requests("probes", e.Probes, sent, len(sent)+r.Quiet)...)
	}
	if e.Log != nil {
		checks = append(checks, p.logs(e.Log, r.Records)...)
	}
	if e.OnDemand != nil && r.OnDemand != nil {
		checks = append(checks, p.answered(e.OnDemand, r.OnDemand)...)
	}
	if e.Cycles != nil {
		checks = append(checks, p.cyclesSeen(e.Cycles, r.Cycles))
	}
	if e.Counts != nil {
		checks = append(checks, countsSeen(e.Counts, r.Cycles))
	}
	if e.Job != nil {
		checks = append(checks, p.job(e.Job, r)...)
	}
	if e.Target != nil {
		list, err := p.held(ctx, *e.Target)
		if err != nil {
			return checks, err
		}
		checks = append(checks, list...)
	}
	if e.Mails != nil {
		seen, err := p.mails()
		if err != nil {
			return checks, err
		}
		checks = append(checks, p.texts("mails", e.Mails, seen))
	}
	if e.Audit != nil {
		seen, err := p.audited()
		if err != nil {
			return checks, err
		}
		checks = append(checks, p.texts("audit", e.Audit, seen))
	}
	if e.Endless != nil {
		checks = append(checks, p.texts("endless", e.Endless, endlessTexts(r.Job.Endless)))
	}
	if len(e.Why) > 0 {
		list, err := p.why(e.Why)
		if err != nil {
			return checks, err
		}
		checks = append(checks, list...)
	}
	if e.Passes != nil {
		c := Check{At: e.Passes.At, What: "passes", Verdict: Passed}
		if d := r.Ended.Sub(r.Began); d != e.Passes.D {
			c.differs(short(e.Passes.D), short(d))
			c.fix = func() []edit { return []edit{replace(e.Passes.node, short(d))} }
		}
		checks = append(checks, c)
	}
	if e.Slowest != nil {
		checks = append(checks, slowest(e.Slowest, r.Sent))
	}
	for i := range checks {
		checks[i].short()
	}
	return checks, nil
}

// endlessTexts words endless work as expectations name it.
func endlessTexts(list []sim.Endless) []string {
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = fmt.Sprintf("%s %s %s: %s", e.Object, e.Attribute, e.Kind, e.Text)
	}
	return texts
}

// maxDiff is how many lines a difference shows.
const maxDiff = 40

// short cuts a long difference in its middle.
func (c *Check) short() {
	if n := len(c.Diff); n > maxDiff {
		cut := Delta{' ', fmt.Sprintf("… %d lines more …", n-maxDiff)}
		c.Diff = append(append(slices.Clone(c.Diff[:maxDiff/2]), cut), c.Diff[n-maxDiff/2:]...)
	}
}

// differs fails a check with one value against another.
func (c *Check) differs(want, seen string) {
	c.Verdict = Failed
	c.Message = fmt.Sprintf("expected %s, seen %s", want, seen)
	c.Diff = []Delta{{'-', want}, {'+', seen}}
}

func slowest(most *Duration, sent []*Sent) Check {
	c := Check{At: most.At, What: "slowest", Verdict: Passed}
	for _, s := range sent {
		if took := time.Duration(s.Exchange.DurationMs * float64(time.Millisecond)); took > most.D && (c.Sent == nil || s.Exchange.DurationMs > c.Sent.Exchange.DurationMs) {
			c.differs("at most "+most.D.String(), took.String())
			c.Sent = s
		}
	}
	return c
}

func (p *Player) cyclesSeen(e *Cycles, seen []sim.CycleResult) Check {
	c := Check{At: e.At, What: "cycles", Verdict: Passed}
	if e.Count != nil {
		if len(seen) != *e.Count {
			c.differs(strconv.Itoa(*e.Count)+" cycles", strconv.Itoa(len(seen)))
		}
		return c
	}
	ok := len(e.List) == len(seen)
	for i := 0; ok && i < len(seen); i++ {
		ok = e.List[i].fits(seen[i])
	}
	if ok {
		return c
	}
	want := make([]string, len(e.List))
	for i, x := range e.List {
		want[i] = strings.TrimSpace(x.Kind + " " + x.State + " " + x.Error)
	}
	got := make([]string, len(seen))
	for i, x := range seen {
		got[i] = cycleText(x)
	}
	c.differs(listed(want), listed(got))
	if len(got) <= 10 {
		c.fix = func() []edit { return []edit{replaceAt(e.At, "["+strings.Join(got, ", ")+"]")} }
	}
	return c
}

func (x Cycle) fits(r sim.CycleResult) bool {
	code := "none"
	if r.Error != nil {
		code = r.Error.Code
	}
	return (x.Kind == "" || x.Kind == string(r.Kind)) && (x.State == "" || x.State == string(r.State)) && (x.Error == "" || x.Error == code)
}

func cycleText(r sim.CycleResult) string {
	text := string(r.Kind) + " " + string(r.State)
	if r.Error != nil && r.Error.Code != "" {
		text += " " + r.Error.Code
	}
	return text
}

func listed(list []string) string {
	switch n := len(list); {
	case n == 0:
		return "none"
	case n > 6:
		return strings.Join(list[:5], ", ") + fmt.Sprintf(" and %d more", n-5)
	}
	return strings.Join(list, ", ")
}

func countsSeen(e *Counts, seen []sim.CycleResult) Check {
	c := Check{At: e.At, What: "counts", Verdict: Passed}
	var sum Counts
	for _, r := range seen {
		sum.Create += r.Counts.Create
		sum.Update += r.Counts.Update
		sum.Disable += r.Counts.Disable
		sum.Delete += r.Counts.Delete
		sum.Skip += r.Counts.Skip
		sum.Fail += r.Counts.Fail
	}
	sum.At = e.At
	if sum != *e {
		c.differs(e.text(), sum.text())
		c.fix = func() []edit { return []edit{replaceAt(e.At, sum.text())} }
	}
	return c
}

// text writes counts as files do.
func (n Counts) text() string {
	var parts []string
	for _, c := range []struct {
		name string
		n    int
	}{{"create", n.Create}, {"update", n.Update}, {"disable", n.Disable}, {"delete", n.Delete}, {"skip", n.Skip}, {"fail", n.Fail}} {
		if c.n != 0 {
			parts = append(parts, fmt.Sprintf("%s: %d", c.name, c.n))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// job compares the job's state, one check for each member that is given.
func (p *Player) job(e *JobState, r *StepResult) []Check {
	j := r.Job
	var checks []Check
	add := func(what, want, seen string) {
		if want == "" {
			return
		}
		c := Check{At: e.At, What: "job " + what, Verdict: Passed}
		if want != seen {
			c.differs(want, seen)
			c.fix = func() []edit { return []edit{replaceUnder(e.At, what, seen)} }
		}
		checks = append(checks, c)
	}
	reason, code, attempts := "none", "none", 0
	if q := j.Status.Quarantine; q != nil {
		reason, attempts = string(q.Reason), q.SeriesCount
	}
	if last := j.Status.LastExecution; last != nil && last.Error != nil {
		code = last.Error.Code
	}
	add("status", e.Status, string(j.Status.Code))
	add("schedule", e.Schedule, string(j.ScheduleState))
	add("reason", e.Reason, reason)
	add("error", e.Error, code)
	if e.NextCycle != nil {
		next := "never"
		if !j.NextCycle.IsZero() {
			next = short(j.NextCycle.Sub(r.Ended))
		}
		add("nextCycle", short(e.NextCycle.D), next)
	}
	if e.Waiting != nil {
		add("waiting", strconv.Itoa(*e.Waiting), strconv.Itoa(j.Escrows))
	}
	for _, n := range []struct {
		what string
		want *int
		seen int
	}{{"attempts", e.Attempts, attempts}, {"held", e.Held, j.Held}, {"failures", e.Failures, j.Status.CountSuccessiveCompleteFailures},
		{"users", e.Users, j.Status.Users}, {"groups", e.Groups, j.Status.Groups}} {
		if n.want != nil {
			add(n.what, strconv.Itoa(*n.want), strconv.Itoa(n.seen))
		}
	}
	if e.Pruned != nil {
		add("pruned", strconv.FormatBool(*e.Pruned), strconv.FormatBool(j.Status.EscrowsPruned))
	}
	return checks
}
