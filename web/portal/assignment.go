package portal

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
)

type assignmentsView struct {
	Base
	All            bool // the scope is Sync all users and groups
	Rows           []assignmentRow
	Pager          Pager
	Question, Text string // before an assignment is removed
}

type assignmentRow struct {
	Who
	ID string
	At time.Time
}

func (p *Portal) assignments(c echo.Context) error {
	b, app, j, err := p.appPage(c, "users", "Users and groups")
	if err != nil {
		return err
	}
	v := assignmentsView{Base: b, Question: unassignQuestion, Text: unassignText, All: j != nil && j.ScopeInForce == sim.SyncAll}
	found, err := p.dir.Assignments(app.ID, c.QueryParam("cursor"), pageSize)
	if err != nil {
		return err
	}
	for _, a := range found.Items {
		r := assignmentRow{ID: a.ID, At: a.CreatedDateTime, Who: Who{Name: a.PrincipalDisplayName, Kind: a.PrincipalKind.String(), URL: "/users/" + a.PrincipalID}}
		if a.PrincipalKind == directory.KindGroup {
			r.URL, r.Sub = "/groups/"+a.PrincipalID, p.memberCount(a.PrincipalID)
		}
		v.Rows = append(v.Rows, r)
	}
	v.Pager = pager(c, found.Next)
	return render(c, 200, "assignments", v)
}

const (
	unassignQuestion = "Remove the assignment?"
	unassignText     = "The next cycle switches off whoever leaves scope by it, and deletes a group. Who is assigned by another way stays."
)

func (p *Portal) unassign(c echo.Context) error {
	to := "/applications/" + c.Param("id") + "/users"
	ok, err := p.sure(c, unassignQuestion, unassignText, "Remove", to)
	if !ok {
		return err
	}
	if err := p.Service.Unassign(c.Param("id"), c.FormValue("id")); err != nil {
		return complain(c, to, err)
	}
	return say(c, to, "Assignment removed. The next cycle switches off who left scope by it.")
}

type assignView struct {
	Base
	Q     string
	Lists []assignList
	None  bool // nobody is offered beside those that are chosen
}

type assignList struct {
	Title string
	Rows  []assignRow
	More  bool // there are more than are shown
}

type assignRow struct {
	Who
	ID       string
	Assigned bool
	Chosen   bool // ticked before the search
}

// assignChoices is how many users and groups are offered at a time; a search narrows them down.
const assignChoices = 30

func (p *Portal) assignPage(c echo.Context) error {
	b, app, _, err := p.appPage(c, "users", "Add Assignment")
	if err != nil {
		return err
	}
	b.Crumbs = append(b.Crumbs, Link{"Users and groups", "/applications/" + app.ID + "/users"})
	v := assignView{Base: b, Q: strings.TrimSpace(c.QueryParam("q"))}
	q := directory.Query{Prefix: v.Q, ByName: v.Q == "", Limit: assignChoices}
	groups, err := p.groupsNamed(q)
	if err != nil {
		return err
	}
	users, err := p.usersNamed(q)
	if err != nil {
		return err
	}
	chosen := p.chosen(c.QueryParams()["id"])
	known := map[string]bool{}
	for _, row := range chosen {
		known[row.ID] = true
	}
	lists := []assignList{{Title: "Groups", More: groups.Next != ""}, {Title: "Users", More: users.Next != ""}}
	for _, g := range groups.Items {
		if !known[g.ID] {
			lists[0].Rows = append(lists[0].Rows, p.groupRow(g))
		}
	}
	for _, u := range users.Items {
		if !known[u.ID] {
			lists[1].Rows = append(lists[1].Rows, assignRow{Who: whoOfUser(u), ID: u.ID})
		}
	}
	v.None = len(lists[0].Rows)+len(lists[1].Rows) == 0
	if len(chosen) > 0 {
		lists = append([]assignList{{Title: "Selected", Rows: chosen}}, lists...)
	}
	for _, l := range lists {
		if err := p.markAssigned(app, l.Rows); err != nil {
			return err
		}
		if len(l.Rows) > 0 {
			v.Lists = append(v.Lists, l)
		}
	}
	return render(c, 200, "assign", v)
}

// chosen are the users and groups that were ticked before a search, which must not lose them.
func (p *Portal) chosen(ids []string) (rows []assignRow) {
	for _, id := range ids {
		var row assignRow
		if u, err := p.dir.User(id); err == nil {
			row = assignRow{Who: whoOfUser(u), ID: u.ID}
		} else if g, err := p.dir.Group(id); err == nil {
			row = p.groupRow(g)
		} else {
			continue // deleted meanwhile
		}
		row.Chosen = true
		if !slices.ContainsFunc(rows, func(r assignRow) bool { return r.ID == row.ID }) {
			rows = append(rows, row)
		}
	}
	return rows
}

func (p *Portal) groupRow(g directory.Group) assignRow {
	w := whoOf(g.Object)
	w.Sub = p.memberCount(g.ID)
	return assignRow{Who: w, ID: g.ID}
}

func (p *Portal) markAssigned(app sim.Application, rows []assignRow) error {
	return p.dir.View(func(r *directory.Reader) error {
		for i := range rows {
			if n, ok := r.Num(rows[i].ID); ok {
				rows[i].Assigned = r.AnyAssigned(app.Num, n)
			}
		}
		return nil
	})
}

func (p *Portal) assign(c echo.Context) error {
	to := "/applications/" + c.Param("id") + "/users"
	posted, err := c.FormParams()
	if err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "The form can't be read.")
	}
	if len(posted["id"]) == 0 {
		return complain(c, to+"/add?q="+url.QueryEscape(c.FormValue("q")), said("Nobody was chosen."))
	}
	n := 0
	for _, id := range posted["id"] {
		_, err := p.Service.Assign(c.Param("id"), id, "")
		if directory.CodeOf(err) == directory.Conflict {
			continue // assigned already
		}
		if err != nil {
			return complain(c, to, err)
		}
		n++
	}
	return say(c, to, plural(n, "assignment")+" added.")
}
