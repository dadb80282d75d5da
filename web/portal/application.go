package portal

import (
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
)

// appRow is an enterprise application in a list; Job is nil while provisioning is not configured.
type appRow struct {
	ID, Name, URL string
	State         Status
	Created       time.Time
	Job           *sim.Job
}

func (r appRow) started() bool { return r.Job != nil && r.Job.Started() }

// appRows lists the applications in the order in which they were made.
func (p *Portal) appRows() ([]appRow, error) {
	apps, err := p.Service.Applications()
	if err != nil {
		return nil, err
	}
	jobs := map[string]*sim.Job{}
	for _, j := range p.Service.Jobs() {
		jobs[j.ApplicationID] = &j
	}
	rows := make([]appRow, len(apps))
	for i, a := range apps {
		rows[i] = appRow{ID: a.ID, Name: a.DisplayName, Created: a.Created, State: Status{"Not configured", "pill", "pause", ""}, Job: jobs[a.ID]}
		if j := rows[i].Job; j != nil {
			rows[i].State, rows[i].URL = jobState(*j), j.Settings.TenantURL
		}
	}
	return rows, nil
}

// jobState words where a job stands.
func jobState(j sim.Job) Status {
	switch {
	case j.Progress != nil && j.Progress.Kind == sim.Initial:
		return Status{"Initial cycle running", "pill run", "ring", ""}
	case j.Progress != nil:
		return Status{"Incremental cycle running", "pill run", "ring", ""}
	case j.Status.Quarantine != nil:
		return Status{"Quarantined", "pill bad", "warn", ""}
	case j.ScheduleState == sim.SchedulePaused:
		return Status{"Stopped", "pill", "pause", ""}
	case !j.Started():
		return Status{"Not started", "pill", "pause", ""}
	case j.LastCycle == nil:
		return Status{"Initial cycle due", "pill virtual", "clock", ""}
	case j.Escrows > 0:
		return Status{"Running, with failures", "pill warn", "warn", ""}
	}
	return Status{"Healthy", "pill ok", "check", ""}
}

type applicationsView struct {
	Base
	Q    string
	Rows []appRow
}

func (p *Portal) applications(c echo.Context) error {
	v := applicationsView{Base: p.page(c, "Enterprise applications", "apps"), Q: strings.TrimSpace(c.QueryParam("q"))}
	v.Crumbs = append(v.Crumbs, Link{Text: "Applications"})
	rows, err := p.appRows()
	if err != nil {
		return err
	}
	for _, r := range rows {
		if strings.Contains(strings.ToLower(r.Name), strings.ToLower(v.Q)) {
			v.Rows = append(v.Rows, r)
		}
	}
	return render(c, 200, "applications", v)
}

type newApplicationView struct {
	Base
	Create         bool // the second step, that asks for the name
	Fields, Faulty []Field
}

func (p *Portal) newApplication(c echo.Context) error {
	return p.showNewApplication(c, c.QueryParam("create") != "", "", nil)
}

func (p *Portal) showNewApplication(c echo.Context, create bool, name string, faults map[string]string) error {
	heading := "Browse Microsoft Entra Gallery"
	if create {
		heading = "Create your own application"
	}
	v := newApplicationView{Base: p.page(c, heading, "apps", Link{"Enterprise applications", "/applications"}), Create: create,
		Fields: []Field{{Name: "displayName", Label: "What's the name of your app?", Value: name, Error: faults["displayName"], Placeholder: "Input name"}}}
	v.Faulty = faulty(v.Fields)
	return form(c, "applicationnew", faults, v)
}

func (p *Portal) createApplication(c echo.Context) error {
	name := strings.TrimSpace(c.FormValue("displayName"))
	app, err := p.Service.CreateApplication(name)
	if err != nil {
		if faults := fieldErrors(err, "displayName"); faults != nil {
			return p.showNewApplication(c, true, name, faults)
		}
		return err
	}
	return say(c, "/applications/"+app.ID+"/provisioning", app.DisplayName+" created.")
}

// appPage is the base of an application's page, with the second menu. The job is nil while provisioning is not configured.
func (p *Portal) appPage(c echo.Context, here, title string) (Base, sim.Application, *sim.Job, error) {
	app, err := p.Service.Application(c.Param("id"))
	if err != nil {
		return Base{}, app, nil, err
	}
	b := p.page(c, app.DisplayName+" | "+title, "apps", Link{"Enterprise applications", "/applications"}, Link{app.DisplayName, "/applications/" + app.ID + "/provisioning"})
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

type applicationView struct {
	Base
	Created        time.Time
	Fields, Faulty []Field
}

func (p *Portal) application(c echo.Context) error { return p.showApplication(c, "", nil) }

func (p *Portal) showApplication(c echo.Context, name string, faults map[string]string) error {
	b, app, _, err := p.appPage(c, "properties", "Properties")
	if err != nil {
		return err
	}
	if faults == nil {
		name = app.DisplayName
	}
	v := applicationView{Base: b, Created: app.Created, Fields: []Field{{Name: "displayName", Label: "Name", Value: name, Error: faults["displayName"], Full: true},
		{Name: "appId", Label: "Application ID", Value: app.AppID, ReadOnly: true}, {Name: "objectId", Label: "Object ID", Value: app.ID, ReadOnly: true}}}
	v.Faulty = faulty(v.Fields)
	return form(c, "application", faults, v)
}

func (p *Portal) saveApplication(c echo.Context) error {
	name := c.FormValue("displayName")
	if err := p.Service.RenameApplication(c.Param("id"), name); err != nil {
		if faults := fieldErrors(err, "displayName"); faults != nil && directory.CodeOf(err) == directory.Invalid {
			return p.showApplication(c, name, faults)
		}
		return err
	}
	return say(c, "/applications/"+c.Param("id"), "Saved.")
}

func (p *Portal) deleteApplication(c echo.Context) error {
	app, err := p.Service.Application(c.Param("id"))
	if err != nil {
		return err
	}
	ok, err := p.sure(c, "Delete "+app.DisplayName+"?", "Provisioning stops and forgets what it linked. Nothing is deleted at the target; the provisioning log stays.", "Delete application", "/applications/"+app.ID)
	if !ok {
		return err
	}
	if err := p.Service.DeleteApplication(app.ID); err != nil {
		return complain(c, "/applications/"+app.ID, err)
	}
	return say(c, "/applications", app.DisplayName+" deleted.")
}
