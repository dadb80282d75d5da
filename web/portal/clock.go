package portal

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/web/control"
)

type clockPage struct {
	Base
	Mode, Rate, By Field
	Errors         map[string]string
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

func (p *Portal) showClock(c echo.Context, values, errs map[string]string) error {
	v := clockPage{Base: p.base(c, "Clock settings", ""), Errors: errs,
		Mode: Field{Name: "mode", Label: "Mode", Value: values["mode"], Error: errs["mode"],
			Options: []Option{{string(clock.Real), "Real time"}, {string(clock.Rate), "Faster"}, {string(clock.Manual), "Manual: only when told"}}},
		Rate: Field{Name: "rate", Label: "Times faster", Value: values["rate"], Error: errs["rate"], Hint: "For the mode Faster: 60 makes a minute of every second."},
		By:   Field{Name: "advance", Label: "By", Value: values["advance"], Error: errs["advance"], Placeholder: "40m, 24h or P30D"}}
	status := http.StatusOK
	if len(errs) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return render(c, status, "clock", v)
}

// badField is an error about what was typed into one field.
type badField struct{ name, text string }

func (e *badField) Error() string { return e.text }

// moveClock carries out what the clock bar and the settings ask for. The settings show what was typed again.
func (p *Portal) moveClock(c echo.Context) error {
	to := back(c, "/")
	message, err := p.move(c.Request().Context(), c.FormValue)
	if err == nil {
		return say(c, to, message)
	}
	if bad, ok := err.(*badField); ok && to == "/clock" {
		mode, _ := p.Service.Clock().Setting()
		values := map[string]string{"mode": string(mode), "rate": defaultRate, "advance": c.FormValue("advance")}
		if c.FormValue("do") == "set" {
			values["mode"], values["rate"] = c.FormValue("mode"), c.FormValue("rate")
		}
		return p.showClock(c, values, map[string]string{bad.name: bad.text})
	}
	return complain(c, to, err)
}

func (p *Portal) move(ctx context.Context, form func(string) string) (string, error) {
	switch do := form("do"); do {
	case "cycle":
		cycles, err := p.Service.RunCycles(ctx)
		if err == nil && len(cycles) == 0 {
			err = said("No cycle ran: provisioning is not started.")
		}
		return ran(cycles), err
	case "set":
		return p.setClock(clock.Mode(form("mode")), strings.TrimSpace(form("rate")))
	case "advance":
		return p.advance(ctx, strings.TrimSpace(form("advance")))
	default:
		return p.advance(ctx, do)
	}
}

// setClock changes the mode. What no number compares with (NaN) must not become a rate: time would stop making sense.
func (p *Portal) setClock(mode clock.Mode, text string) (string, error) {
	rate := 1.0
	if mode == clock.Rate {
		var err error
		if rate, err = strconv.ParseFloat(text, 64); err != nil || math.IsNaN(rate) || rate <= 0 || rate > maxRate {
			return "", &badField{"rate", fmt.Sprintf("“%s” is no rate. Give a number above 0, at most 10,000,000.", text)}
		}
	}
	if err := p.Service.Clock().Set(mode, rate); err != nil {
		return "", &badField{"mode", "Choose one of the modes."}
	}
	return "Clock changed", nil
}

func (p *Portal) advance(ctx context.Context, text string) (string, error) {
	d, err := control.ParseDuration(text)
	if err != nil || d <= 0 {
		return "", &badField{"advance", fmt.Sprintf("“%s” is no time to move on by. Write it like 40m, 24h or P30D.", text)}
	}
	cycles, err := p.Service.Advance(ctx, d)
	return ran(cycles), err
}

// ran words what cycles did.
func ran(cycles []sim.CycleResult) string {
	var n sim.Counts
	requests, failed := 0, 0
	for _, r := range cycles {
		n.Create += r.Counts.Create
		n.Update += r.Counts.Update
		n.Disable += r.Counts.Disable
		n.Delete += r.Counts.Delete
		n.Fail += r.Counts.Fail
		requests += r.Requests
		if r.State == sim.Failed {
			failed++
		}
	}
	text := plural(len(cycles), "cycle") + " ran"
	if failed > 0 {
		text += fmt.Sprintf(", %d broke off", failed)
	}
	for _, x := range []struct {
		n    int
		word string
	}{{n.Create, "created"}, {n.Update, "updated"}, {n.Disable, "disabled"}, {n.Delete, "deleted"}, {n.Fail, "failed"}} {
		if x.n > 0 {
			text += fmt.Sprintf(", %s %s", number(x.n), x.word)
		}
	}
	return text + ", " + plural(requests, "request")
}
