package web

import (
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"entrasim/web/control"
	"entrasim/web/graph"
)

// TestControlIsDocumented: no route under /sim is registered beside the tables that the OpenAPI document is made from.
func TestControlIsDocumented(t *testing.T) {
	e := echo.New()
	control.Register(e, control.Deps{})
	new(graph.Graph).Register(e)
	known := map[string]bool{}
	for _, op := range operations() {
		known[op.Method+" "+op.Path] = true
	}
	for _, r := range e.Routes() {
		if strings.HasPrefix(r.Path, "/sim") && !known[r.Method+" "+r.Path] {
			t.Errorf("%s %s stands in no table", r.Method, r.Path)
		}
	}
	if len(known) < 100 {
		t.Errorf("only %d operations", len(known))
	}
}
