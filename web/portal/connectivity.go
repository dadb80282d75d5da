package portal

import (
	"errors"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/scim"
)

type connectivityView struct {
	Base
	Fields, Settings, Faulty      []Field
	TestOK                        bool
	TestError, TestCode, TestCure string
}

// connection is what the form of an application's credentials holds.
type connection struct {
	url, token, scope string
	saved             bool // a token is stored
}

func (p *Portal) connectivity(c echo.Context) error {
	b, _, j, err := p.appPage(c, "connectivity", "Connectivity")
	if err != nil {
		return err
	}
	var now connection
	if j != nil {
		now = connection{url: j.Settings.TenantURL, scope: string(j.Settings.Scope), saved: j.Settings.HasToken}
	}
	return showConnectivity(c, connectivityView{Base: b}, now, nil)
}

func showConnectivity(c echo.Context, v connectivityView, typed connection, faults map[string]string) error {
	hint := "Sent as Authorization: Bearer. It is stored in the data file and shown nowhere."
	if typed.saved {
		hint = "A token is saved. Leave this empty to keep it."
	}
	v.Fields = []Field{
		{Name: "tenantUrl", Label: "Tenant URL", Value: typed.url, Type: "url", Placeholder: "https://scim.example/scim", Error: faults["tenantUrl"], Full: true},
		{Name: "secretToken", Label: "Secret token", Value: typed.token, Type: "password", Hint: hint, Error: faults["secretToken"], Full: true},
	}
	if v.App.HasJob {
		v.Settings = []Field{
			{Name: "scope", Label: "Scope", Value: typed.scope, Hint: "A change takes effect with Restart provisioning.", Options: []Option{{string(sim.SyncAssigned), "Sync only assigned users and groups"}, {string(sim.SyncAll), "Sync all users and groups"}}},
		}
	}
	v.Faulty = append(faulty(v.Fields), faulty(v.Settings)...)
	if v.TestError != "" {
		return render(c, 422, "connectivity", v)
	}
	return form(c, "connectivity", faults, v)
}

// saveConnectivity tests or saves. What was typed stays, whatever comes of it.
func (p *Portal) saveConnectivity(c echo.Context) error {
	b, app, j, err := p.appPage(c, "connectivity", "Connectivity")
	if err != nil {
		return err
	}
	v := connectivityView{Base: b}
	typed := connection{url: strings.TrimSpace(c.FormValue("tenantUrl")), token: strings.TrimSpace(c.FormValue("secretToken")), scope: c.FormValue("scope"),
		saved: j != nil && j.Settings.HasToken}
	if c.FormValue("do") == "embedded" {
		if typed.url, typed.token, err = p.Service.EmbeddedTenantURL(app.ID); err != nil {
			return err
		}
		return showConnectivity(c, v, typed, nil)
	}
	if typed.url == "" {
		return showConnectivity(c, v, typed, map[string]string{"tenantUrl": "Enter the address of the SCIM endpoint, such as https://scim.example/scim, or use the embedded target."})
	}
	if err := p.test(c, &v, app.ID, typed); err != nil {
		return err
	}
	if c.FormValue("do") == "test" || v.TestError != "" {
		return showConnectivity(c, v, typed, nil)
	}
	err = p.saveConnection(app.ID, j, typed)
	if faults := fieldErrors(err, "tenantUrl"); faults != nil && directory.CodeOf(err) == directory.Invalid {
		return showConnectivity(c, v, typed, faults)
	}
	if err != nil {
		return err
	}
	message := "Configuration saved."
	if j == nil {
		message = "Configuration created. Next: Attribute mapping, then Users and groups."
	}
	return say(c, "/applications/"+app.ID+"/provisioning", message)
}

// given is the token to use: nil keeps the saved one.
func (t connection) given() *string {
	if t.token == "" && t.saved {
		return nil
	}
	return &t.token
}

// test sends the probes. That they fail is told in the view.
func (p *Portal) test(c echo.Context, v *connectivityView, appID string, typed connection) error {
	err := p.Service.TestConnection(c.Request().Context(), appID, &typed.url, typed.given())
	var e *scim.Error
	switch {
	case errors.As(err, &e):
		v.TestCode, v.TestError, v.TestCure = e.Code, e.Text(), sim.Cure(e.Code, e.Message)
	case err != nil:
		return err
	default:
		v.TestOK = true
	}
	return nil
}

func (p *Portal) saveConnection(appID string, j *sim.Job, typed connection) error {
	edit := sim.SettingsEdit{TenantURL: &typed.url, SecretToken: typed.given()}
	if j == nil {
		_, err := p.Service.CreateJob(appID, edit)
		return err
	}
	scope := sim.SyncAssigned
	if typed.scope == string(sim.SyncAll) {
		scope = sim.SyncAll
	}
	edit.Scope = &scope
	return p.Service.UpdateSettings(appID, edit)
}
