package portal

import (
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/web/openapi"
)

type apiView struct {
	Base
	Q      string
	Count  int
	Groups []apiGroup
}

type apiGroup struct {
	Name       string
	Operations []openapi.Operation
}

// api shows what scripts may ask of the program, from the tables that its routers are made from.
func (p *Portal) api(c echo.Context) error {
	v := apiView{Base: p.page(c, "API", "api"), Q: strings.TrimSpace(c.QueryParam("q"))}
	v.Crumbs = append(v.Crumbs, Link{Text: "Simulator"})
	at := map[string]int{}
	for _, op := range p.API {
		if !strings.Contains(strings.ToLower(op.Method+" "+op.Path+" "+op.Doc), strings.ToLower(v.Q)) {
			continue
		}
		i, ok := at[op.Tag]
		if !ok {
			i = len(v.Groups)
			at[op.Tag] = i
			v.Groups = append(v.Groups, apiGroup{Name: op.Tag})
		}
		v.Groups[i].Operations = append(v.Groups[i].Operations, op)
		v.Count++
	}
	return render(c, 200, "api", v)
}
