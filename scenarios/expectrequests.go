package scenarios

import (
	"fmt"
	"slices"
	"strconv"
)

// requests compares what was sent. total counts what was not kept as well.
func (p *Player) requests(what string, e *Requests, sent []*Sent, total int) []Check {
	var checks []Check
	if e.Count != nil {
		c := Check{At: e.At, What: what, Verdict: Passed}
		if total != *e.Count {
			c.differs(strconv.Itoa(*e.Count)+" "+what, strconv.Itoa(total))
			for _, s := range sent {
				c.Diff = append(c.Diff, Delta{'+', s.Line()})
			}
		}
		checks = append(checks, c)
	}
	if e.exact {
		checks = append(checks, p.exactly(what, e, sent))
	}
	if len(e.Contains) > 0 {
		checks = append(checks, p.contains(what, e, sent))
	}
	for _, pattern := range e.None {
		c := Check{At: pattern.At, What: what, Verdict: Passed}
		if pattern.Status == "" {
			pattern.Status = "any"
		}
		for _, s := range sent {
			if p.match.request(pattern, s) == "" {
				c.differs("none like "+pattern.Line, s.Line())
				c.Sent = s
				break
			}
		}
		if c.Verdict == Passed {
			if name := p.unknownIn(pattern.Line); name != "" {
				p.warn(pattern.At, fmt.Sprintf("%s has no account at the target here, so that %q can't be seen", name, pattern.Line))
			}
		}
		checks = append(checks, c)
	}
	return checks
}

// unknownIn names a handle of a pattern that stands for nothing yet.
func (p *Player) unknownIn(text string) string {
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if name := m[1]; name != "*" && name[0] != '?' {
			if _, ok := p.resolve(name); !ok {
				return name
			}
		}
	}
	return ""
}

func (p *Player) warn(at Pos, message string) {
	text := fmt.Sprintf("%s:%d:%d: %s", p.scenario.Path, at.Line, at.Column, message)
	if !slices.Contains(p.result.Warnings, text) {
		p.result.Warnings = append(p.result.Warnings, text)
	}
}

// exactly aligns an exact list with what was sent: as many pairs as possible stay in order, the rest is a difference.
func (p *Player) exactly(what string, e *Requests, sent []*Sent) Check {
	c := Check{At: e.At, What: what, Verdict: Passed}
	fits := func(i, k int) bool { return p.match.request(e.Exact[i], sent[k]) == "" }
	if len(e.Exact) == len(sent) {
		all := true
		for i := range sent {
			all = all && fits(i, i)
		}
		if all {
			return c
		}
	}
	pairs := align(len(e.Exact), len(sent), fits)
	c.Verdict = Failed
	i, k := 0, 0
	for _, pair := range append(pairs, [2]int{len(e.Exact), len(sent)}) {
		for i < pair[0] || k < pair[1] {
			switch {
			case i < pair[0] && k < pair[1]:
				why := p.match.differences(e.Exact[i], sent[k], maxPlaces+1)
				c.note(e.Exact[i].At, why[0], sent[k])
				if e.Exact[i].lineFits(p.match, sent[k]) {
					c.Diff = append(c.Diff, Delta{' ', sent[k].Line()})
					c.places(why)
				} else {
					c.Diff = append(c.Diff, Delta{'-', e.Exact[i].brief(p.match)}, Delta{'+', sent[k].Line()})
				}
				i, k = i+1, k+1
			case i < pair[0]:
				c.note(e.Exact[i].At, "expected "+e.Exact[i].brief(p.match)+", not seen", nil)
				c.Diff = append(c.Diff, Delta{'-', e.Exact[i].brief(p.match)})
				i++
			default:
				c.note(c.At, "seen "+sent[k].Line()+", not expected", sent[k])
				c.Diff = append(c.Diff, Delta{'+', sent[k].Line()})
				k++
			}
		}
		if i < len(e.Exact) && k < len(sent) {
			c.Diff = append(c.Diff, Delta{' ', sent[k].Line()})
			i, k = i+1, k+1
		}
	}
	c.fix = func() []edit { return fixRequests(e, sent, pairs, p.match) }
	return c
}

// maxPlaces is how many differences of one request, or of one object at the target, are shown.
const maxPlaces = 20

// places shows each difference of a request whose line fits.
func (c *Check) places(why []string) {
	for i, text := range why {
		if i == maxPlaces {
			text = "… and more"
		}
		c.Diff = append(c.Diff, Delta{'-', "  " + text})
	}
}

// note keeps the first difference as the check's message and place.
func (c *Check) note(at Pos, message string, s *Sent) {
	if c.Message == "" {
		c.Message, c.Sent = message, s
		if at.Line > 0 {
			c.At = at
		}
	}
}

// brief is a pattern's line with what its handles stand for.
func (r Request) brief(m *matcher) string { return m.fill(r.Line) }

// lineFits reports whether method, path and query fit, whatever the rest says.
func (r Request) lineFits(m *matcher, s *Sent) bool {
	return m.request(Request{Line: r.Line, Status: "any"}, s) == ""
}

// align finds the longest series of pairs that fit, in order (the longest common subsequence).
func align(n, m int, fits func(i, k int) bool) [][2]int {
	longest := make([][]int, n+1)
	for i := range longest {
		longest[i] = make([]int, m+1)
	}
	fit := make([][]bool, n)
	for i := n - 1; i >= 0; i-- {
		fit[i] = make([]bool, m)
		for k := m - 1; k >= 0; k-- {
			if fit[i][k] = fits(i, k); fit[i][k] {
				longest[i][k] = longest[i+1][k+1] + 1
			} else {
				longest[i][k] = max(longest[i+1][k], longest[i][k+1])
			}
		}
	}
	var pairs [][2]int
	for i, k := 0, 0; i < n && k < m; {
		switch {
		case fit[i][k]:
			pairs = append(pairs, [2]int{i, k})
			i, k = i+1, k+1
		case longest[i+1][k] >= longest[i][k+1]:
			i++
		default:
			k++
		}
	}
	return pairs
}

// contains looks for patterns in order, others between them.
func (p *Player) contains(what string, e *Requests, sent []*Sent) Check {
	c := Check{At: e.At, What: what, Verdict: Passed}
	k := 0
	for _, pattern := range e.Contains {
		from := k
		for k < len(sent) && p.match.request(pattern, sent[k]) != "" {
			k++
		}
		if k < len(sent) {
			k++
			continue
		}
		c.Verdict = Failed
		message := "expected " + pattern.brief(p.match) + ", not seen"
		var near *Sent
		var why []string
		for _, s := range sent[min(from, len(sent)):] {
			if pattern.lineFits(p.match, s) {
				why = p.match.differences(pattern, s, maxPlaces+1)
				message, near = why[0], s
				break
			}
		}
		c.note(pattern.At, message, near)
		c.Diff = append(c.Diff, Delta{'-', pattern.brief(p.match)})
		c.places(why)
		k = from
	}
	if c.Verdict == Failed {
		for _, s := range sent {
			c.Diff = append(c.Diff, Delta{'+', s.Line()})
		}
	}
	return c
}
