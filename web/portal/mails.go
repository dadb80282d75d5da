package portal

import (
	"github.com/labstack/echo/v4"

	"entrasim/sim"
)

type mailsView struct {
	Base
	Rows  []sim.Mail
	Pager Pager
}

// mails lists the notifications that would have been sent.
func (p *Portal) mails(c echo.Context) error {
	v := mailsView{Base: p.page(c, "Notification mails", "mails")}
	v.Crumbs = append(v.Crumbs, Link{Text: "Monitoring"})
	page, err := p.Service.Mails(c.QueryParam("cursor"), pageSize)
	if err != nil {
		return err
	}
	v.Rows, v.Pager = page.Items, pager(c, page.Next)
	return render(c, 200, "mails", v)
}
