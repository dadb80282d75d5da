package scenarios

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
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
				why := p.match.request(e.Exact[i], sent[k])
				c.note(e.Exact[i].At, why, sent[k])
				c.Diff = append(c.Diff, Delta{'-', e.Exact[i].brief(p.match)}, Delta{'+', sent[k].Line()})
				if e.Exact[i].lineFits(p.match, sent[k]) {
					c.Diff[len(c.Diff)-2].Text = "  " + why
					c.Diff[len(c.Diff)-2], c.Diff[len(c.Diff)-1] = Delta{' ', sent[k].Line()}, Delta{'-', "  " + why}
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
		for _, s := range sent[min(from, len(sent)):] {
			if pattern.lineFits(p.match, s) {
				message, near = p.match.request(pattern, s), s
				break
			}
		}
		c.note(pattern.At, message, near)
		c.Diff = append(c.Diff, Delta{'-', pattern.brief(p.match)})
		k = from
	}
	if c.Verdict == Failed {
		for _, s := range sent {
			c.Diff = append(c.Diff, Delta{'+', s.Line()})
		}
	}
	return c
}

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
	if e.Attempts != nil {
		add("attempts", strconv.Itoa(*e.Attempts), strconv.Itoa(attempts))
	}
	return checks
}

// held compares what the target holds.
func (p *Player) held(ctx context.Context, e Held) ([]Check, error) {
	var checks []Check
	for _, x := range e {
		c := Check{At: x.Value.At, What: "target " + x.Key, Verdict: Passed}
		var err error
		switch {
		case x.Key == "users" || x.Key == "groups":
			err = p.heldCount(ctx, x, &c)
		default:
			err = p.heldObject(ctx, x, &c)
		}
		if err != nil {
			return checks, fmt.Errorf("target %s: %w", x.Key, err)
		}
		checks = append(checks, c)
	}
	return checks, nil
}

// heldCount compares how many there are: all of the embedded target, what this run made elsewhere.
func (p *Player) heldCount(ctx context.Context, x Entry[Value], c *Check) error {
	want, _ := x.Value.Data.(float64)
	have := 0
	if p.world.target != nil {
		users, groups := p.world.target.Store(embeddedStore).Counts()
		have = map[string]int{"users": users, "groups": groups}[x.Key]
	} else {
		prefix := "/" + capital(x.Key) + "/"
		for _, path := range sorted(p.made) {
			if !strings.HasPrefix(path, prefix) {
				continue
			}
			status, _, err := p.world.call(ctx, http.MethodGet, escapePath(path), nil, nil)
			if err != nil {
				return err
			}
			if status == http.StatusOK {
				have++
			}
		}
	}
	if have != int(want) {
		c.differs(fmt.Sprintf("%d %s", int(want), x.Key), strconv.Itoa(have))
		c.fix = func() []edit { return []edit{replace(x.Value.node, strconv.Itoa(have))} }
	}
	return nil
}

func escapePath(path string) string {
	i := strings.LastIndexByte(path, '/')
	return path[:i+1] + url.PathEscape(path[i+1:])
}

// heldObject compares one account or group.
func (p *Player) heldObject(ctx context.Context, x Entry[Value], c *Check) error {
	doc, err := p.lookUp(ctx, x.Key)
	if err != nil {
		return err
	}
	if x.Value.Data == "absent" {
		if doc != nil {
			c.differs(x.Key+" to be absent", show(p.names.value(doc, "")))
		}
		return nil
	}
	if doc == nil {
		c.differs(x.Key+" to be there", "nothing")
		c.fix = func() []edit { return []edit{replace(x.Value.node, "absent")} }
		return nil
	}
	seen, _ := p.names.value(doc, "").(map[string]any)
	want, _ := x.Value.Data.(map[string]any)
	rest := map[string]any{}
	for k, v := range want {
		if k != "members" {
			rest[k] = v
		}
	}
	if d := p.match.subset(rest, seen, false, ""); d != nil {
		c.Verdict, c.Message = Failed, d.String()
		c.Diff = []Delta{{'-', d.path + ": " + d.want}, {'+', d.path + ": " + d.seen}}
		c.fix = func() []edit { return fixValues(x.Value.node, seen) }
	}
	if members, ok := want["members"]; ok {
		p.heldMembers(handlesIn(members), seen, x, c)
	}
	return nil
}

// heldMembers compares the members of a group, in whatever order.
func (p *Player) heldMembers(want []string, seen map[string]any, x Entry[Value], c *Check) {
	var have, expected []string
	list, _ := seen["members"].([]any)
	for _, m := range list {
		if o, ok := m.(map[string]any); ok {
			text, _ := o["value"].(string)
			have = append(have, strings.Trim(text, "{}"))
		}
	}
	for _, h := range want {
		text, _ := p.resolve(h)
		if text == "" {
			text = h
		}
		expected = append(expected, strings.Trim(text, "{}"))
	}
	slices.Sort(have)
	slices.Sort(expected)
	if !slices.Equal(have, expected) {
		c.differs("members "+listed(expected), listed(have))
		for _, e := range x.Value.node.Content {
			if e.Value == "members" {
				c.At = posOf(e)
			}
		}
		c.fix = func() []edit { return fixMember(x.Value.node, have) }
	}
}

// lookUp reads an account or group: by its id, else by its name; nil when there is none.
func (p *Player) lookUp(ctx context.Context, handle string) (map[string]any, error) {
	path := "/" + p.scenario.kinds[handle] + "s"
	if id := p.names.accounts[handle]; id != "" {
		status, doc, err := p.world.call(ctx, http.MethodGet, path+"/"+url.PathEscape(id), nil, nil)
		switch {
		case err != nil:
			return nil, err
		case status == http.StatusOK:
			return doc, nil
		case status == http.StatusNotFound || status == http.StatusGone:
			return nil, nil
		}
		return nil, fmt.Errorf("GET %s/%s answered %d %s", path, id, status, show(doc))
	}
	attribute, value := "userName", ""
	if u, err := p.world.dir.User(p.names.objects[handle]); err == nil {
		value = u.UserPrincipalName
	} else if g, err := p.world.dir.Group(p.names.objects[handle]); err == nil {
		attribute, value = "displayName", g.DisplayName
	}
	if value == "" {
		return nil, nil
	}
	return p.byName(ctx, path, attribute, value)
}

// byName finds the first resource with a name; nil when there is none.
func (p *Player) byName(ctx context.Context, path, attribute, value string) (map[string]any, error) {
	status, doc, err := p.world.call(ctx, http.MethodGet, path, url.Values{"filter": {attribute + ` eq "` + value + `"`}}, nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, nil // a target that does not answer queries holds nothing that can be named
	}
	list, _ := doc["Resources"].([]any)
	for _, r := range list {
		if m, ok := r.(map[string]any); ok {
			if have, _ := m[attribute].(string); strings.EqualFold(have, value) {
				return m, nil
			}
		}
	}
	return nil, nil
}
