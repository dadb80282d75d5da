package portal

import (
	"fmt"
	"strconv"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/web/control"
)

type clockPage struct {
	Base
	Mode     string
	RateText string
}

func (p *Portal) clock(c echo.Context) error {
	mode, rate := p.Service.Clock().Setting()
	v := clockPage{p.base(c, "Clock settings", ""), string(mode), "60"}
	if mode == clock.Rate {
		v.RateText = strconv.FormatFloat(rate, 'g', -1, 64)
	}
	return render(c, 200, "clock", v)
}

// moveClock carries out what the clock bar and the settings ask for.
func (p *Portal) moveClock(c echo.Context) error {
	to := back(c, "/")
	var cycles []sim.CycleResult
	switch do := c.FormValue("do"); do {
	case "cycle":
		var err error
		if cycles, err = p.Service.RunCycles(c.Request().Context()); err != nil {
			return complain(c, to, err)
		}
		if len(cycles) == 0 {
			return complain(c, to, said("No cycle ran: provisioning is not started."))
		}
	case "set":
		rate, err := strconv.ParseFloat(c.FormValue("rate"), 64)
		if mode := clock.Mode(c.FormValue("mode")); mode != clock.Rate {
			err = p.Service.Clock().Set(mode, 1)
		} else if err == nil {
			err = p.Service.Clock().Set(mode, rate)
		}
		if err != nil {
			return complain(c, to, said("The clock was not changed: "+err.Error()+"."))
		}
		return say(c, to, "Clock changed")
	default:
		if do == "advance" {
			do = c.FormValue("advance")
		}
		d, err := control.ParseDuration(do)
		if err == nil {
			cycles, err = p.Service.Advance(c.Request().Context(), d)
		}
		if err != nil {
			return complain(c, to, err)
		}
	}
	return say(c, to, ran(cycles))
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
