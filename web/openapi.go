package web

import (
	"maps"
	"net/http"

	"github.com/labstack/echo/v4"

	"entrasim/web/control"
	"entrasim/web/graph"
	"entrasim/web/openapi"
)

// operations are the rows of the tables that the routers are made from, the control API first.
func operations() []openapi.Operation { return append(control.Operations(), graph.Operations()...) }

// openAPI serves the document of everything that scripts may ask.
func (s *Server) openAPI(c echo.Context) error {
	schemas := graph.Schemas()
	maps.Copy(schemas, control.Schemas())
	return c.JSON(http.StatusOK, openapi.Document("1.0", operations(), schemas))
}
