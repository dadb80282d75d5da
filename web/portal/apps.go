package portal

import (
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
)

type appsView struct {
	Base
	Rows []appRow
}

type appRow struct {
	ID, Name, State, Class, Icon, URL string
	Created                           time.Time
}

func (p *Portal) apps(c echo.Context) error {
	v := appsView{Base: p.base(c, "Enterprise applications", "apps")}
	apps, err := p.Service.Applications()
	if err != nil {
		return err
	}
	for _, a := range apps {
		r := appRow{ID: a.ID, Name: a.DisplayName, State: "Not configured", Icon: "pause", Created: a.Created}
		if j, err := p.Service.Job(a.ID); err == nil {
			r.State, r.Class, r.Icon = jobState(j)
			r.URL = j.Settings.TenantURL
		}
		v.Rows = append(v.Rows, r)
	}
	return render(c, 200, "apps", v)
}

type appNewView struct {
	Base
	Create bool
	Fields []Field
	Errors map[string]string
}

func (p *Portal) newApp(c echo.Context) error {
	return p.appNewView(c, c.QueryParam("create") != "", "", nil)
}

func (p *Portal) appNewView(c echo.Context, create bool, name string, errs map[string]string) error {
	title := "New application"
	if create {
		title = "Create your own application"
	}
	status := 200
	if len(errs) > 0 {
		status = 422
	}
	return render(c, status, "appnew", appNewView{Base: p.base(c, title, "apps", Link{"Enterprise applications", "/applications"}), Create: create, Errors: errs,
		Fields: []Field{{Name: "displayName", Label: "What's the name of your app?", Value: name, Error: errs["displayName"], Placeholder: "Input name"}}})
}

func (p *Portal) createApp(c echo.Context) error {
	name := strings.TrimSpace(c.FormValue("displayName"))
	app, err := p.Service.CreateApplication(name)
	if err != nil {
		if errs := fieldErrors(err, "displayName"); errs != nil {
			return p.appNewView(c, true, name, errs)
		}
		return err
	}
	return say(c, "/applications/"+app.ID+"/provisioning", app.DisplayName+" created")
}

// appPage is base with the second menu of an application.
func (p *Portal) appPage(c echo.Context, here, title string) (Base, sim.Application, *sim.Job, error) {
	app, err := p.Service.Application(c.Param("id"))
	if err != nil {
		return Base{}, app, nil, err
	}
	b := p.base(c, app.DisplayName+" | "+title, "apps", Link{"Enterprise applications", "/applications"}, Link{app.DisplayName, "/applications/" + app.ID + "/provisioning"})
	b.App = &AppMenu{ID: app.ID, Name: app.DisplayName, Here: here}
	j, err := p.Service.Job(app.ID)
	switch {
	case directory.CodeOf(err) == directory.NotFound:
		return b, app, nil, nil
	case err != nil:
		return b, app, nil, err
	}
	b.App.HasJob = true
	return b, app, &j, nil
}

type appView struct {
	Base
	Fields []Field
	Errors map[string]string
}

func (p *Portal) app(c echo.Context) error { return p.showApp(c, "", nil) }

func (p *Portal) showApp(c echo.Context, name string, errs map[string]string) error {
	b, app, _, err := p.appPage(c, "properties", "Properties")
	if err != nil {
		return err
	}
	if errs == nil {
		name = app.DisplayName
	}
	return render(c, 200, "app", appView{b, []Field{
		{Name: "displayName", Label: "Name", Value: name, Error: errs["displayName"]},
		{Name: "appId", Label: "Application ID", Value: app.AppID, ReadOnly: true}, {Name: "objectId", Label: "Object ID", Value: app.ID, ReadOnly: true},
	}, errs})
}

func (p *Portal) saveApp(c echo.Context) error {
	name := c.FormValue("displayName")
	if err := p.Service.RenameApplication(c.Param("id"), name); err != nil {
		if errs := fieldErrors(err, "displayName"); errs != nil && directory.CodeOf(err) == directory.Invalid {
			return p.showApp(c, name, errs)
		}
		return err
	}
	return say(c, "/applications/"+c.Param("id"), "Saved")
}

func (p *Portal) deleteApp(c echo.Context) error {
	if err := p.Service.DeleteApplication(c.Param("id")); err != nil {
		return err
	}
	return say(c, "/applications", "Application deleted")
}

type assignmentsView struct {
	Base
	All         bool
	Rows        []assignedRow
	First, Next string
}

type assignedRow struct {
	ID, Name, Kind, URL, Sub string
	At                       time.Time
}

func (p *Portal) assignments(c echo.Context) error {
	b, app, j, err := p.appPage(c, "users", "Users and groups")
	if err != nil {
		return err
	}
	v := assignmentsView{Base: b, All: j != nil && j.Settings.Scope == sim.SyncAll}
	page, err := p.dir.Assignments(app.ID, c.QueryParam("cursor"), 100)
	if err != nil {
		return err
	}
	for _, a := range page.Items {
		url := "/users/" + a.PrincipalID
		if a.PrincipalKind == directory.KindGroup {
			url = "/groups/" + a.PrincipalID
		}
		v.Rows = append(v.Rows, assignedRow{ID: a.ID, Name: a.PrincipalDisplayName, Kind: a.PrincipalKind.String(), URL: url, At: a.CreatedDateTime})
	}
	v.First, v.Next = pageLinks(c, page.Next)
	return render(c, 200, "assignments", v)
}

func (p *Portal) unassign(c echo.Context) error {
	to := "/applications/" + c.Param("id") + "/users"
	if err := p.Service.Unassign(c.Param("id"), c.FormValue("id")); err != nil {
		return complain(c, to, err)
	}
	return say(c, to, "Assignment removed. The next cycle tells the target.")
}

type assignView struct {
	Base
	Q     string
	Lists []assignList
}

type assignList struct {
	Title string
	Rows  []assignedRow
}

func (p *Portal) assignPage(c echo.Context) error {
	b, _, _, err := p.appPage(c, "users", "Add Assignment")
	if err != nil {
		return err
	}
	v := assignView{Base: b, Q: strings.TrimSpace(c.QueryParam("q"))}
	q := directory.Query{Prefix: v.Q, ByName: v.Q == "", Limit: 50}
	groups, err := p.dir.Groups(q)
	if err != nil {
		return err
	}
	users, err := p.dir.Users(q)
	if err != nil {
		return err
	}
	lists := []assignList{{Title: "Groups"}, {Title: "Users"}}
	for _, g := range groups.Items {
		lists[0].Rows = append(lists[0].Rows, assignedRow{ID: g.ID, Name: g.DisplayName, Kind: "Group", Sub: p.memberCount(g.ID) + " members"})
	}
	for _, u := range users.Items {
		lists[1].Rows = append(lists[1].Rows, assignedRow{ID: u.ID, Name: u.DisplayName, Kind: "User", Sub: u.UserPrincipalName})
	}
	v.Lists = lists
	return render(c, 200, "assign", v)
}

func (p *Portal) assign(c echo.Context) error {
	to := "/applications/" + c.Param("id") + "/users"
	form, err := c.FormParams()
	if err != nil {
		return echo.NewHTTPError(400, "The form can't be read.")
	}
	n := 0
	for _, id := range form["id"] {
		_, err := p.Service.Assign(c.Param("id"), id, "")
		if directory.CodeOf(err) == directory.Conflict {
			continue // assigned already
		}
		if err != nil {
			return complain(c, to, err)
		}
		n++
	}
	if len(form["id"]) == 0 {
		return complain(c, to+"/add", &directory.Error{Code: directory.Invalid, Message: "Nobody was chosen."})
	}
	return say(c, to, plural(n, "assignment")+" added")
}
