package control

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"entrasim/scenarios"
)

// scenarioSchema is the JSON Schema of scenario files, for editors that complete and check them.
func (c *control) scenarioSchema(ctx echo.Context) error {
	ctx.Response().Header().Set("Content-Type", "application/schema+json")
	return ctx.JSON(http.StatusOK, scenarios.Schema())
}
