package control

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
)

func (c *control) har(ctx echo.Context) error {
	ctx.Response().Header().Set("Content-Disposition", `attachment; filename="traffic.har"`)
	return ctx.JSON(http.StatusOK, sim.NewHAR(c.Service.Traffic(0, 10_000).Exchanges))
}
