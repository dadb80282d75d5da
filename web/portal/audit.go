package portal

import (
	"github.com/labstack/echo/v4"

	"entrasim/sim"
)

type auditView struct {
	Base
	Rows  []sim.AuditRecord
	Pager Pager
}

func (p *Portal) audit(c echo.Context) error {
	v := auditView{Base: p.page(c, "Audit logs", "audit")}
	v.Crumbs = append(v.Crumbs, Link{Text: "Monitoring"})
	page, err := p.Service.Audit(c.QueryParam("cursor"), pageSize)
	if err != nil {
		return err
	}
	v.Rows, v.Pager = page.Items, pager(c, page.Next)
	return render(c, 200, "audit", v)
}
