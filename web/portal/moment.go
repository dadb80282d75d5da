package portal

import (
	"html/template"
	"slices"
	"strings"
	"time"

	"entrasim/scenarios"
	"entrasim/sim"
)

// momentView is a step as the page of a scenario shows it: what was done, sent, expected and seen, and what the target holds
// behind it.
type momentView struct {
	Number         int // 0 is before the first step
	Title, Actions string
	Verdict        scenarios.Verdict
	Reason         string // why it could not be carried out
	Began, Ended   time.Time
	Took           string // virtual time
	Done, Expect   string // what the file says
	Checks         []checkView
	Failures       int
	Sent           []sentView
	Probes         []sentView
	Quiet          int // probes that are not kept
	Records        []sim.LogRecord
	Held           []heldView
	Users, Groups  int
	Changes        int
	Hidden         int // of Held that are not listed
}

// checkView is one expectation with its verdict. Several about the same thing that hold are one.
type checkView struct {
	What    string
	Times   int
	Line    int
	Verdict scenarios.Verdict
	Message string
	Diff    template.HTML
}

// sentView is a request, with handles in place of ids.
type sentView struct {
	*scenarios.Sent
	ID   int
	URL  string
	Open bool
}

// heldView is a resource of the target: what became of it in the step, and its JSON.
type heldView struct {
	held
	ElementID string
	Change    string // new, changed, gone; "" for none
	Body      template.HTML
}

// openWrites is how many writes of a step are shown with their bodies at once.
const openWrites = 2

// heldShown is how many resources are listed; those that the step changed come first.
const heldShown = 60

func momentOf(got progress, step int) *momentView {
	m := got.Moments[step]
	v := &momentView{Number: step}
	var before []held
	if step > 0 {
		before = got.Moments[step-1].Held
		v.step(got.Scenario, m)
	}
	v.holds(before, m.Held, step > 0)
	return v
}

func (v *momentView) step(s *scenarios.Scenario, m moment) {
	v.Title, v.Actions = strings.Join(strings.Fields(m.Step.Say), " "), m.Step.Actions()
	if v.Title == "" {
		v.Title, v.Actions = title(v.Actions), ""
	}
	v.Verdict, v.Reason, v.Began, v.Ended, v.Records = m.Verdict, m.Reason, m.Began, m.Ended, m.Records
	if d := m.Ended.Sub(m.Began); d > 0 {
		v.Took = strings.ToLower(strings.TrimPrefix(in(d), "In "))
	}
	v.Done, v.Expect = stepText(s, m.Step)
	for _, c := range m.Checks {
		if n := len(v.Checks); n > 0 && c.Verdict == scenarios.Passed && v.Checks[n-1].Verdict == c.Verdict && v.Checks[n-1].What == c.What {
			v.Checks[n-1].Times++
			continue
		}
		v.Checks = append(v.Checks, checkView{c.What, 1, c.At.Line, c.Verdict, c.Message, deltas(c.Diff)})
		if c.Verdict != scenarios.Passed {
			v.Failures++
		}
	}
	writes := 0
	for _, x := range m.Sent {
		if x.Method != "GET" {
			writes++
		}
	}
	for i, x := range m.Sent {
		view := sentView{Sent: x, ID: i + 1, URL: strings.TrimPrefix(x.Line(), x.Method+" "), Open: x.Method != "GET" && writes <= openWrites}
		if x.Probe {
			v.Probes = append(v.Probes, view)
		} else {
			v.Sent = append(v.Sent, view)
		}
	}
	v.Quiet = m.Quiet
}

// deltas shows what was expected and not seen, and the reverse.
func deltas(list []scenarios.Delta) template.HTML {
	var b strings.Builder
	for i, d := range list {
		tag := map[byte]string{'-': "del", '+': "ins"}[d.Sign]
		if tag == "" {
			if i > 0 && list[i-1].Sign == ' ' {
				b.WriteByte('\n')
			}
			b.WriteString(template.HTMLEscapeString(d.Text))
			continue
		}
		b.WriteString("<" + tag + ">" + template.HTMLEscapeString(string(d.Sign)+" "+d.Text) + "</" + tag + ">")
	}
	return template.HTML(b.String())
}

// holds compares what the target holds with what it held before the step.
func (v *momentView) holds(before, now []held, marked bool) {
	old := map[string]held{}
	for _, h := range before {
		old[h.Kind+h.ID] = h
	}
	var changed, same []heldView
	for _, h := range now {
		if h.Kind == "Group" {
			v.Groups++
		} else {
			v.Users++
		}
		was, there := old[h.Kind+h.ID]
		delete(old, h.Kind+h.ID)
		x := heldView{held: h}
		switch {
		case marked && !there:
			x.Change = "new"
		case marked && was.JSON != h.JSON:
			x.Change = "changed"
		}
		if x.Change == "" {
			same = append(same, x)
			continue
		}
		if diff, ok := diffHTML(was.JSON, h.JSON); ok && there {
			x.Body = diff
		}
		changed = append(changed, x)
	}
	for _, h := range before {
		if _, gone := old[h.Kind+h.ID]; gone {
			changed = append(changed, heldView{held: h, Change: "gone"})
		}
	}
	v.Changes = len(changed)
	v.Held = slices.Concat(changed, same)
	if len(v.Held) > heldShown {
		v.Hidden = len(v.Held) - heldShown
		v.Held = v.Held[:heldShown]
	}
	for i := range v.Held {
		v.Held[i].ElementID = "held-" + title(v.Held[i].Kind) + "-" + v.Held[i].ID
		if v.Held[i].Body == "" {
			v.Held[i].Body = codeHTML(v.Held[i].JSON)
		}
	}
}

// sourceLine is a line of a scenario's file.
type sourceLine struct {
	Number int
	Text   string
	On     bool // of the step that is shown
}

// sourceOf is the file with the lines of a step marked.
func sourceOf(s *scenarios.Scenario, step int) []sourceLine {
	lines := textLines(s)
	from, to := 0, 0
	if step > 0 {
		from, to = stepLines(s, &s.Steps[step-1], len(lines))
	}
	list := make([]sourceLine, len(lines))
	for i, l := range lines {
		list[i] = sourceLine{i + 1, l, i+1 >= from && i+1 <= to}
	}
	return list
}

func textLines(s *scenarios.Scenario) []string {
	return strings.Split(strings.TrimRight(string(s.Text()), "\n"), "\n")
}

// stepLines are the first and the last line of a step, from 1, without what is empty at its end.
func stepLines(s *scenarios.Scenario, st *scenarios.Step, last int) (from, to int) {
	from, to = st.At.Line, last
	for i := range s.Steps {
		if line := s.Steps[i].At.Line; line > from {
			to = min(to, line-1)
		}
	}
	lines := textLines(s)
	for to > from && (strings.TrimSpace(lines[to-1]) == "" || strings.HasPrefix(strings.TrimSpace(lines[to-1]), "#")) {
		to--
	}
	return from, to
}

// stepText is what a file says of a step: what is done, and what is expected, each with its keys at the margin. What is
// said to whoever watches is left out. A step that is written on one line is all in done.
func stepText(s *scenarios.Scenario, st *scenarios.Step) (done, expect string) {
	lines := textLines(s)
	from, to := stepLines(s, st, len(lines))
	margin := st.At.Column - 1
	key := ""
	var did, want []string
	for i := from - 1; i < to; i++ {
		runes := []rune(lines[i])
		text := ""
		if len(runes) > margin {
			text = string(runes[margin:])
		}
		if text != "" && text[0] != ' ' && text[0] != '#' {
			key, _, _ = strings.Cut(text, ":")
		}
		switch key {
		case "say":
		case "expect":
			want = append(want, text)
		default:
			did = append(did, text)
		}
	}
	return strings.TrimSpace(strings.Join(did, "\n")), expectation(want)
}

// expectation takes the key away that stands above what is expected.
func expectation(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	if rest := strings.TrimSpace(strings.TrimPrefix(lines[0], "expect:")); rest != "" {
		lines[0] = rest
		return strings.Join(lines, "\n")
	}
	lines = lines[1:]
	margin := -1
	for _, l := range lines {
		if trimmed := strings.TrimLeft(l, " "); trimmed != "" && (margin < 0 || len(l)-len(trimmed) < margin) {
			margin = len(l) - len(trimmed)
		}
	}
	for i, l := range lines {
		lines[i] = l[min(len(l), max(0, margin)):]
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n ")
}
