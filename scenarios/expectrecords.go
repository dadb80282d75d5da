package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"entrasim/sim"
)

// logs compares log records.
func (p *Player) logs(e *Records, seen []sim.LogRecord) []Check {
	var checks []Check
	fits := func(r Record, l sim.LogRecord) bool { return p.recordDiffers(r, l) == "" }
	if e.Count != nil {
		c := Check{At: e.At, What: "log", Verdict: Passed}
		if len(seen) != *e.Count {
			c.differs(fmt.Sprintf("%d records", *e.Count), strconv.Itoa(len(seen)))
		}
		checks = append(checks, c)
	}
	if e.exact {
		pairs := align(len(e.Exact), len(seen), func(i, k int) bool { return fits(e.Exact[i], seen[k]) })
		c := Check{At: e.At, What: "log", Verdict: Passed}
		if len(pairs) != len(e.Exact) || len(pairs) != len(seen) {
			c.Verdict = Failed
			i, k := 0, 0
			for _, pair := range append(pairs, [2]int{len(e.Exact), len(seen)}) {
				for ; i < pair[0]; i++ {
					c.note(e.Exact[i].At, "expected "+e.Exact[i].text()+", not seen", nil)
					c.Diff = append(c.Diff, Delta{'-', e.Exact[i].text()})
				}
				for ; k < pair[1]; k++ {
					c.note(c.At, "seen "+p.recordText(seen[k])+", not expected", nil)
					c.Diff = append(c.Diff, Delta{'+', p.recordText(seen[k])})
				}
				if i < len(e.Exact) && k < len(seen) {
					c.Diff = append(c.Diff, Delta{' ', p.recordText(seen[k])})
					i, k = i+1, k+1
				}
			}
			c.fix = func() []edit { return fixRecords(e, seen, pairs, p) }
		}
		checks = append(checks, c)
	}
	if len(e.Contains) > 0 {
		c := Check{At: e.At, What: "log", Verdict: Passed}
		k := 0
		for _, pattern := range e.Contains {
			from := k
			for k < len(seen) && !fits(pattern, seen[k]) {
				k++
			}
			if k < len(seen) {
				k++
				continue
			}
			c.Verdict, k = Failed, from
			message := "expected " + pattern.text() + ", not seen"
			for _, l := range seen {
				if p.names.handles[l.ObjectID] == pattern.Object.Name && pattern.Object.Name != "" {
					message = p.recordDiffers(pattern, l)
				}
			}
			c.note(pattern.At, message, nil)
			c.Diff = append(c.Diff, Delta{'-', pattern.text()})
		}
		if c.Verdict == Failed {
			for _, l := range seen {
				c.Diff = append(c.Diff, Delta{'+', p.recordText(l)})
			}
		}
		checks = append(checks, c)
	}
	for _, pattern := range e.None {
		c := Check{At: pattern.At, What: "log", Verdict: Passed}
		for _, l := range seen {
			if fits(pattern, l) {
				c.differs("none like "+pattern.text(), p.recordText(l))
				break
			}
		}
		checks = append(checks, c)
	}
	return checks
}

// recordDiffers says what a record lacks of a pattern; "" when nothing.
func (p *Player) recordDiffers(r Record, l sim.LogRecord) string {
	code := l.ErrorCode
	if l.Status == sim.Skipped {
		code = string(l.SkipReason)
	}
	for _, c := range []struct{ what, want, seen string }{
		{"object", r.Object.Name, p.names.handles[l.ObjectID]}, {"action", r.Action, string(l.Action)}, {"status", r.Status, string(l.Status)}, {"code", r.Code, code},
	} {
		if c.want != "" && c.want != c.seen {
			return fmt.Sprintf("%s of %s: expected %s, seen %s", c.what, p.recordText(l), c.want, c.seen)
		}
	}
	if r.Reason != "" && !strings.Contains(p.names.text(l.Reason), p.match.fill(r.Reason)) {
		return fmt.Sprintf("reason of %s: expected one with %q, seen %q", p.recordText(l), r.Reason, p.names.text(l.Reason))
	}
	if r.Steps != "" && !slices.ContainsFunc(l.Steps, func(st sim.Step) bool { return strings.Contains(p.names.text(stepText(st)), p.match.fill(r.Steps)) }) {
		return fmt.Sprintf("steps of %s: expected one with %q", p.recordText(l), r.Steps)
	}
	return ""
}

// stepText is a step of a record as one text.
func stepText(st sim.Step) string {
	parts := []string{st.Name, string(st.Status), st.Description}
	for _, d := range st.Details {
		parts = append(parts, d.Key+": "+d.Value)
	}
	return strings.Join(parts, "; ")
}

func (r Record) text() string {
	parts := []string{r.Action, r.Status, r.Code}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	text := strings.Join(parts, " ")
	if r.Object.Name != "" {
		text = r.Object.Name + ": " + text
	}
	if r.Reason != "" {
		text += " (" + r.Reason + ")"
	}
	return text
}

// recordText is a record as files write it.
func (p *Player) recordText(l sim.LogRecord) string {
	name := p.names.handles[l.ObjectID]
	if name == "" {
		name = l.DisplayName
	}
	code := l.ErrorCode
	if l.Status == sim.Skipped {
		code = string(l.SkipReason)
	}
	return strings.TrimSpace(fmt.Sprintf("%s: %s %s %s", name, l.Action, l.Status, code))
}
