package portal

import (
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
	"entrasim/sim/target"
)

type logsView struct {
	Base
	Q, App0, Action, Status, Link, Close, RecordID, Tab string
	Apps                                                []Link
	ActionNames, StatusNames                            []string
	Rows                                                []sim.LogRecord
	First, Next                                         string
	Record                                              *sim.LogRecord
	Tabs                                                []chip
}

func (p *Portal) logs(c echo.Context) error {
	v := logsView{Base: p.base(c, "Provisioning logs", "logs"), Q: c.QueryParam("q"), App0: c.QueryParam("application"), Action: c.QueryParam("action"), Status: c.QueryParam("status"),
		ActionNames: []string{"create", "update", "disable", "delete", "other"}, StatusNames: []string{"success", "failure", "skipped", "warning"}, RecordID: c.QueryParam("record"), Tab: c.QueryParam("tab")}
	apps, err := p.Service.Applications()
	if err != nil {
		return err
	}
	for _, a := range apps {
		v.Apps = append(v.Apps, Link{a.DisplayName, a.ID})
	}
	page, err := p.Service.Logs(sim.LogQuery{ApplicationID: v.App0, Search: v.Q, Action: sim.Action(v.Action), Status: sim.Outcome(v.Status), Cursor: c.QueryParam("cursor"), Limit: 50})
	if err != nil {
		return err
	}
	v.Rows = page.Items
	v.Close, v.Link = without(c, "record", "tab")
	v.First, v.Next = pageLinks(c, page.Next)
	if v.RecordID != "" {
		r, err := p.Service.LogRecord(v.RecordID)
		if err != nil {
			return err
		}
		v.Record = &r
		if v.Tab == "" {
			v.Tab = "steps"
		}
		for _, t := range []struct{ key, text string }{{"steps", "Steps"}, {"troubleshooting", "Troubleshooting & Recommendations"}, {"modified", "Modified Properties"}, {"summary", "Summary"}} {
			v.Tabs = append(v.Tabs, chip{t.text, v.Link + "record=" + v.RecordID + "&tab=" + t.key, v.Tab == t.key})
		}
	}
	return render(c, 200, "logs", v)
}

// without gives the present address without some parameters, and the same ready for another one.
func without(c echo.Context, names ...string) (plain, more string) {
	q := url.Values{}
	for k, v := range c.QueryParams() {
		q[k] = v
	}
	for _, n := range names {
		q.Del(n)
	}
	path := c.Request().URL.Path
	if len(q) == 0 {
		return path, path + "?"
	}
	return path + "?" + q.Encode(), path + "?" + q.Encode() + "&"
}

type auditView struct {
	Base
	Rows        []sim.AuditRecord
	First, Next string
}

func (p *Portal) audit(c echo.Context) error {
	v := auditView{Base: p.base(c, "Audit logs", "audit")}
	page, err := p.Service.Audit(c.QueryParam("cursor"), 50)
	if err != nil {
		return err
	}
	v.Rows = page.Items
	v.First, v.Next = pageLinks(c, page.Next)
	return render(c, 200, "audit", v)
}

type wireView struct {
	Base
	Rows                []sim.Exchange
	Object, Link, Close string
	One                 *sim.Exchange
	OneID               uint64
}

func (p *Portal) wire(c echo.Context) error {
	v := wireView{Base: p.base(c, "Wire", "wire"), Object: c.QueryParam("object")}
	v.Close, v.Link = without(c, "x")
	if v.Object == "" {
		v.Rows = p.Service.RecentTraffic(100)
	} else {
		for _, x := range p.Service.RecentTraffic(10_000) {
			if x.Object == v.Object && len(v.Rows) < 100 {
				v.Rows = append(v.Rows, x)
			}
		}
	}
	if text := c.QueryParam("x"); text != "" {
		id, err := strconv.ParseUint(text, 10, 64)
		x, ok := p.Service.Exchange(id)
		if err != nil || !ok {
			return echo.NewHTTPError(404, "This exchange is no longer in memory. The newest 10,000 are kept.")
		}
		v.One, v.OneID = &x, id
	}
	return render(c, 200, "wire", v)
}

type targetView struct {
	Base
	Lead        string
	Choices     []chip
	Foreign     bool
	Stats       []statView
	Rows        []targetRow
	Leniencies  []target.Leniency
	First, Next string
}

type targetRow struct {
	ID, Name, Kind, URL, JSON, State, Class, Icon string
	Diffs                                         []diffRow
	rank                                          int
}

type diffRow struct{ Name, Want, Have string }

// target shows the contents of a store beside what the directory says it should hold.
func (p *Portal) target(c echo.Context) error {
	v := targetView{Base: p.base(c, "Target", "target"), Lead: "What the embedded target holds, beside what the directory wishes."}
	apps, err := p.Service.Applications()
	if err != nil {
		return err
	}
	var app *sim.Application
	for i, a := range apps {
		on := c.QueryParam("application") == a.ID || c.QueryParam("application") == "" && i == 0
		if on {
			app = &apps[i]
		}
		v.Choices = append(v.Choices, chip{a.DisplayName, "/target?application=" + a.ID, on})
	}
	store := "default"
	if app != nil {
		j, err := p.Service.Job(app.ID)
		if err == nil {
			if store = p.storeOf(c, j.Settings.TenantURL); store == "" {
				v.Foreign = true
				return render(c, 200, "target", v)
			}
		}
	}
	if err := p.compare(c, &v, app, p.Target.Store(store)); err != nil {
		return err
	}
	return render(c, 200, "target", v)
}

// storeOf names the store behind a tenant URL, "" when it is not one of ours.
func (p *Portal) storeOf(c echo.Context, tenantURL string) string {
	u, err := url.Parse(tenantURL)
	if err != nil {
		return ""
	}
	own, err := url.Parse(p.Service.OwnURL())
	if err != nil || own.Host != u.Host && u.Host != c.Request().Host {
		return ""
	}
	switch parts := strings.Split(strings.Trim(u.Path, "/"), "/"); {
	case len(parts) == 1 && parts[0] == "scim":
		return "default"
	case len(parts) == 3 && parts[0] == "targets" && parts[2] == "scim":
		return parts[1]
	}
	return ""
}

// compareLimit is how many objects of each kind are compared on one page.
const compareLimit = 200

func (p *Portal) compare(c echo.Context, v *targetView, app *sim.Application, store *target.Store) error {
	if store == nil {
		return nil
	}
	position, err := strconv.Atoi("0" + c.QueryParam("cursor"))
	if err != nil {
		return echo.NewHTTPError(400, "cursor is no number.")
	}
	same, differ, extra := 0, 0, 0
	next := -1
	for _, kind := range []string{"User", "Group"} {
		list, more := store.List(kind, position, compareLimit)
		next = max(next, more)
		for _, r := range list {
			row := p.compareOne(app, store, r)
			switch row.rank {
			case 0:
				differ++
			case 1:
				extra++
			default:
				same++
			}
			v.Rows = append(v.Rows, row)
		}
	}
	if next >= 0 {
		v.Next = fmt.Sprintf("/target?application=%s&cursor=%d", c.QueryParam("application"), next)
	}
	if position > 0 {
		v.First = "/target?application=" + c.QueryParam("application")
	}
	sort.SliceStable(v.Rows, func(i, k int) bool { return v.Rows[i].rank < v.Rows[k].rank })
	users, groups := store.Counts()
	here := v.Back
	v.Stats = []statView{{users, "Users", "user", "", here}, {groups, "Groups", "users", "", here}, {same, "Same", "equal", "", here}, {differ, "Different", "differ", "bad", here}, {extra, "Only in target", "plus", "", here}}
	v.Leniencies = store.Leniencies()
	return nil
}

func (p *Portal) compareOne(app *sim.Application, store *target.Store, r target.Resource) targetRow {
	row := targetRow{ID: r.ID, Kind: r.Kind, Name: fmt.Sprint(r.Doc["displayName"]), JSON: string(r.JSON), State: "Only in target", Class: "pill", Icon: "plus", rank: 1}
	if r.Doc["displayName"] == nil {
		row.Name = fmt.Sprint(r.Doc["userName"])
	}
	if app == nil {
		return row
	}
	diff, err := p.Service.CompareTarget(app.ID, r.Kind, r.ID, r.JSON, store.Members(r.ID))
	if err != nil || !diff.Linked {
		return row
	}
	row.URL = "/" + strings.ToLower(r.Kind) + "s/" + diff.ObjectID
	row.State, row.Class, row.Icon, row.rank = "Same", "plain ok", "check", 2
	for _, d := range diff.Differences() {
		row.Diffs = append(row.Diffs, diffRow{d.Name, d.Want, d.Have})
	}
	if len(row.Diffs) > 0 {
		row.State, row.Class, row.Icon, row.rank = "Different", "pill warn", "differ", 0
	}
	if diff.State == sim.LinkUnmanaged && len(row.Diffs) == 0 {
		row.State, row.Class, row.Icon = "Left scope", "pill", "off"
	}
	return row
}
