package portal

import (
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
)

type deletedView struct {
	Base
	Kind  string // user or group
	Tabs  []Choice
	Rows  []deletedRow
	Pager Pager
}

type deletedRow struct {
	Who
	ID        string
	At, Until time.Time
}

func (p *Portal) deleted(c echo.Context) error {
	v := deletedView{Base: p.page(c, "Deleted users", "deleted"), Kind: "user"}
	v.Crumbs = append(v.Crumbs, Link{Text: v.Tenant.DisplayName})
	kind := directory.KindUser
	if c.QueryParam("kind") == "group" {
		kind, v.Kind, v.Title = directory.KindGroup, "group", "Deleted groups"
	}
	v.Tabs = []Choice{{"Users", "/deleted", v.Kind == "user", number(v.Counts.DeletedUsers)}, {"Groups", "/deleted?kind=group", v.Kind == "group", number(v.Counts.DeletedGroups)}}
	found, err := p.dir.Deleted(kind, c.QueryParam("cursor"), pageSize)
	if err != nil {
		return err
	}
	for _, o := range found.Items {
		r := deletedRow{Who: whoOf(o), ID: o.ID, At: o.DeletedDateTime, Until: o.DeletedDateTime.Add(directory.RecycleTime)}
		if kind == directory.KindGroup {
			r.URL = ""
		}
		v.Rows = append(v.Rows, r)
	}
	v.Pager = pager(c, found.Next)
	return render(c, 200, "deleted", v)
}

func (p *Portal) deletedAction(c echo.Context) error {
	id, to := c.Param("id"), back(c, "/deleted")
	switch c.Param("action") {
	case "restore":
		o, err := p.dir.Restore(p.Service.Clock().Now(), id)
		if err != nil {
			return complain(c, to, err)
		}
		return say(c, objectURL(o), o.DisplayName+" restored. The next cycle activates it where it is in scope.")
	case "purge":
		name, err := p.deletedName(id)
		if err != nil {
			return err
		}
		ok, err := p.sure(c, "Delete "+name+" permanently?", purgeText, "Delete permanently", to)
		if !ok {
			return err
		}
		if err := p.dir.Purge(p.Service.Clock().Now(), id); err != nil {
			return complain(c, to, err)
		}
		return say(c, "/deleted", name+" deleted permanently. The next cycle sends a DELETE for what it manages.")
	}
	return echo.ErrNotFound
}

const purgeText = "It can't be restored. The next cycle sends a DELETE to each target that holds it and that still manages it."

func (p *Portal) deletedName(id string) (string, error) {
	u, err := p.dir.DeletedUser(id)
	if directory.CodeOf(err) == directory.NotFound {
		g, err := p.dir.DeletedGroup(id)
		return g.DisplayName, err
	}
	return u.DisplayName, err
}
