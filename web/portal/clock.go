package portal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/web/control"
)

// ClockView is the clock of the top bar.
type ClockView struct {
	Now    time.Time
	Millis int64
	Rate   float64
	Line   string // mode and what is due next
	Button string // what the main button does
	Off    string // why it can't be pressed, "" when it can
}

func (p *Portal) clockView() ClockView {
	st := p.Service.ClockState()
	v := ClockView{Now: st.Now, Millis: st.Now.UnixMilli(), Rate: st.Rate, Button: "Run next cycle", Off: "Provisioning is not started"}
	next, running, quarantined := time.Time{}, false, false
	for _, j := range p.Service.Jobs() {
		if j.Started() {
			v.Off = ""
		}
		running = running || j.Progress != nil
		if !j.NextCycle.IsZero() && (next.IsZero() || j.NextCycle.Before(next)) {
			next, quarantined = j.NextCycle, j.Status.Quarantine != nil
		}
	}
	what := "next cycle"
	if quarantined {
		v.Button, what = "Next attempt", "next attempt"
	}
	due := "no cycle scheduled"
	switch {
	case running:
		due, v.Off = "a cycle is running", "A cycle is running: it ends by itself"
	case !next.IsZero() && !next.After(st.Now):
		due = what + " due now"
	case !next.IsZero():
		due = what + " " + clockTime(next, st.Now)
	}
	v.Line = map[clock.Mode]string{clock.Real: "Real time", clock.Manual: "Manual", clock.Rate: fmt.Sprintf("%g× faster", st.Rate)}[st.Mode] + " · " + due
	return v
}

func clockTime(t, now time.Time) string {
	t = t.UTC()
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04")
	case t.Sub(now) < 6*24*time.Hour:
		return t.Format("Mon 15:04")
	}
	return t.Format("2 Jan, 15:04")
}

type clockPage struct {
	Base
	Set, Advance, Until []Field
	Faulty              []Field
	Wall                time.Time
}

const (
	maxRate     = 1e7 // what the clock takes
	defaultRate = "60"
)

func (p *Portal) clock(c echo.Context) error {
	mode, rate := p.Service.Clock().Setting()
	values := map[string]string{"mode": string(mode), "rate": defaultRate}
	if mode == clock.Rate {
		values["rate"] = strconv.FormatFloat(rate, 'g', -1, 64)
	}
	return p.showClock(c, values, nil)
}

func (p *Portal) showClock(c echo.Context, values, faults map[string]string) error {
	v := clockPage{Base: p.page(c, "Clock settings", "clock"), Wall: clock.Wall().UTC()}
	v.Set = []Field{{Name: "mode", Label: "Mode", Value: values["mode"], Error: faults["mode"],
		Options: []Option{{string(clock.Real), "Real time"}, {string(clock.Rate), "Faster"}, {string(clock.Manual), "Manual: only when told"}}},
		{Name: "rate", Label: "Times faster", Value: values["rate"], Error: faults["rate"], Hint: "For the mode Faster: 60 makes a minute of every second."}}
	v.Advance = []Field{{Name: "advance", Label: "By", Value: values["advance"], Error: faults["advance"], Placeholder: "40m, 24h or P30D"}}
	if values["until"] == "" {
		values["until"] = v.Clock.Now.Add(24 * time.Hour).UTC().Format(time.RFC3339)
	}
	v.Until = []Field{{Name: "until", Label: "To", Value: values["until"], Error: faults["until"], Hint: "UTC. The clock never goes back."}}
	for _, fields := range [][]Field{v.Set, v.Advance, v.Until} {
		v.Faulty = append(v.Faulty, faulty(fields)...)
	}
	return form(c, "clock", faults, v)
}

// badField is an error about what was typed into one field.
type badField struct{ name, text string }

func (e *badField) Error() string { return e.text }

// moveClock carries out what the clock bar and the settings ask for. The settings show what was typed again.
func (p *Portal) moveClock(c echo.Context) error {
	to := back(c, "/")
	m, err := p.move(c.Request().Context(), c.FormValue)
	if err == nil {
		leave(c, m)
		return c.Redirect(303, to)
	}
	var bad *badField
	ok := errors.As(err, &bad)
	switch {
	case c.Request().Context().Err() != nil:
		return nil // the reader stopped the advance and waits for no answer
	case ok && to == "/clock":
		mode, _ := p.Service.Clock().Setting()
		values := map[string]string{"mode": string(mode), "rate": defaultRate, "advance": c.FormValue("advance"), "until": c.FormValue("until")}
		if c.FormValue("do") == "set" {
			values["mode"], values["rate"] = c.FormValue("mode"), c.FormValue("rate")
		}
		return p.showClock(c, values, map[string]string{bad.name: bad.text})
	case ok:
		err = said(bad.text)
	}
	return complain(c, to, err)
}

func (p *Portal) move(ctx context.Context, form func(string) string) (Message, error) {
	switch do := form("do"); do {
	case "cycle":
		cycles, err := p.Service.RunCycles(ctx)
		if err == nil && len(cycles) == 0 {
			err = said("No cycle ran: provisioning is not started.")
		}
		return Message{Text: p.ran(cycles), Ran: true}, err
	case "set":
		return Message{Text: "Clock changed."}, p.setClock(clock.Mode(form("mode")), strings.TrimSpace(form("rate")))
	case "until":
		return p.advanceTo(ctx, strings.TrimSpace(form("until")))
	case "advance":
		return p.advance(ctx, strings.TrimSpace(form("advance")))
	default:
		return p.advance(ctx, do)
	}
}

// setClock changes the mode. What no number compares with (NaN) must not become a rate: time would stop making sense.
func (p *Portal) setClock(mode clock.Mode, text string) error {
	rate := 1.0
	if mode == clock.Rate {
		var err error
		if rate, err = strconv.ParseFloat(text, 64); err != nil || math.IsNaN(rate) || rate <= 0 || rate > maxRate {
			return &badField{"rate", fmt.Sprintf("“%s” is no rate. Give a number above 0, at most 10,000,000.", text)}
		}
	}
	if err := p.Service.Clock().Set(mode, rate); err != nil {
		return &badField{"mode", "Choose one of the modes."}
	}
	return nil
}

func (p *Portal) advance(ctx context.Context, text string) (Message, error) {
	d, err := control.ParseDuration(text)
	if err != nil || d <= 0 {
		return Message{}, &badField{"advance", fmt.Sprintf("“%s” is no time to move on by. Write it like 40m, 24h or P30D.", text)}
	}
	cycles, err := p.Service.Advance(ctx, d)
	var late clock.ErrLate
	if errors.As(err, &late) {
		return Message{}, &badField{"advance", "The clock ends at " + when(clock.Latest, "2 Jan 2006") + "."}
	}
	return p.moveMessage(cycles), err
}

func (p *Portal) advanceTo(ctx context.Context, text string) (Message, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return Message{}, &badField{"until", fmt.Sprintf("“%s” is no time. Write it like 2026-02-01T00:00:00Z.", text)}
	}
	cycles, err := p.Service.AdvanceTo(ctx, t)
	var past clock.ErrPast
	if errors.As(err, &past) {
		return Message{}, &badField{"until", "It lies before " + when(past.Now, "2 Jan 2006, 15:04:05") + " UTC, the clock's now. The clock never goes back."}
	}
	var late clock.ErrLate
	if errors.As(err, &late) {
		return Message{}, &badField{"until", "The clock ends at " + when(clock.Latest, "2 Jan 2006") + "."}
	}
	return p.moveMessage(cycles), err
}

func (p *Portal) moveMessage(cycles []sim.CycleResult) Message {
	return Message{Text: p.ran(cycles), Ran: len(cycles) > 0}
}

// ran words what cycles did, and which of their applications are in quarantine now.
func (p *Portal) ran(cycles []sim.CycleResult) string {
	text, looked := ran(cycles), map[string]bool{}
	for _, r := range cycles {
		looked[r.Job] = true
	}
	var in []string
	for _, j := range p.Service.Jobs() {
		if looked[j.ID] && j.Status.Quarantine != nil {
			in = append(in, j.ApplicationName)
		}
	}
	switch len(in) {
	case 0:
		return text
	case 1:
		return text + " " + shown(in[0]) + " is in quarantine."
	}
	return text + " " + plural(len(in), "application") + " are in quarantine."
}

// ran words what cycles did.
func ran(cycles []sim.CycleResult) string {
	if len(cycles) == 0 {
		return "The clock moved on. No cycle was due."
	}
	var n sim.Counts
	requests, failed := 0, 0
	for _, r := range cycles {
		n.Create += r.Counts.Create
		n.Update += r.Counts.Update
		n.Disable += r.Counts.Disable
		n.Delete += r.Counts.Delete
		n.Skip += r.Counts.Skip
		n.Fail += r.Counts.Fail
		requests += r.Requests
		if r.State == sim.Failed {
			failed++
		}
	}
	text := plural(len(cycles), "cycle") + " ended"
	if len(cycles) == 1 {
		text = title(cycles[0].Kind) + " cycle ended"
	}
	var parts []string
	for _, x := range []struct {
		n    int
		word string
	}{{n.Create, "created"}, {n.Update, "updated"}, {n.Disable, "disabled"}, {n.Delete, "deleted"}, {n.Skip, "skipped"}, {n.Fail, "failed"}} {
		if x.n > 0 {
			parts = append(parts, number(x.n)+" "+x.word)
		}
	}
	switch {
	case failed > 0 && len(cycles) == 1:
		parts = append([]string{"it broke off"}, parts...)
	case failed > 0:
		parts = append([]string{fmt.Sprintf("%d broke off", failed)}, parts...)
	case len(parts) == 0:
		parts = []string{"nothing to do"}
	}
	return text + ": " + strings.Join(append(parts, plural(requests, "request")), ", ") + "."
}
