package control

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"entrasim/sim/target"
)

// faultList is the body of /sim/faults in both directions.
type faultList struct {
	Faults []target.Fault `json:"faults"`
}

// faults lists what the embedded target does wrong on purpose, and how often it did.
func (c *control) faults(ctx echo.Context) error {
	return ctx.JSON(http.StatusOK, faultList{c.Target.Faults()})
}

// setFaults replaces the list. One that can't be changes nothing.
func (c *control) setFaults(ctx echo.Context) error {
	var body faultList
	if err := decode(ctx, &body, `{"faults":[{"path":"/Users","status":503,"times":2}]}`); err != nil {
		return err
	}
	if body.Faults == nil {
		return echo.NewHTTPError(http.StatusBadRequest, `Send {"faults":[…]}; an empty list takes them all away.`)
	}
	if err := c.Target.SetFaults(body.Faults); err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, err.Error()+".")
	}
	return ctx.JSON(http.StatusOK, faultList{c.Target.Faults()})
}

// clearFaults takes every fault away.
func (c *control) clearFaults(ctx echo.Context) error {
	if err := c.Target.SetFaults(nil); err != nil {
		return err
	}
	return ctx.NoContent(http.StatusNoContent)
}
