package portal

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/scim"
)

type overviewView struct {
	Base
	State, StateClass, StateIcon string
	CanStart, Running            bool
	Quarantine                   *quarantineView
	Percent                      int
	Headline, ProgressText       string
	Phases                       []phaseView
	Users, Groups                int
	Began, Ended, NextCycle      time.Time
	ActivityID, JobID            string
	StatsLabel                   string
	Stats                        []statView
	Recent                       []sim.LogRecord
}

type quarantineView struct {
	What, Text, Cure, Reason, Code string
	Since, Next                    time.Time
	Count                          int
}

type phaseView struct{ Name, Text, Class, Icon string }

func (p *Portal) overview(c echo.Context) error {
	b, app, j, err := p.appPage(c, "overview", "Provisioning")
	if err != nil {
		return err
	}
	v := overviewView{Base: b, State: "Not configured", StateIcon: "pause"}
	if j == nil {
		return render(c, 200, "overview", v)
	}
	v.State, v.StateClass, v.StateIcon = jobState(*j)
	v.CanStart, v.JobID, v.Users, v.Groups, v.NextCycle = !j.Started(), j.ID, j.Status.Users, j.Status.Groups, j.NextCycle
	if q := j.Status.Quarantine; q != nil {
		v.Quarantine = &quarantineView{What: "the target did not pass the probe", Text: q.Error.Message, Cure: sim.Cure(q.Error.Code, q.Error.Message),
			Reason: string(q.Reason), Code: q.Error.Code, Since: q.SeriesBegan, Next: q.NextAttempt, Count: q.SeriesCount}
	}
	v.describe(app, *j)
	logs, err := p.Service.Logs(sim.LogQuery{ApplicationID: app.ID, Limit: 12})
	if err != nil {
		return err
	}
	v.Recent = logs.Items
	return render(c, 200, "overview", v)
}

// describe fills in the cycle that runs, or the last one.
func (v *overviewView) describe(app sim.Application, j sim.Job) {
	counts, requests := sim.Counts{}, 0
	v.StatsLabel, v.Headline, v.ProgressText = "No cycle has run yet", "No cycle yet", "Start provisioning runs the initial cycle"
	if e := j.Status.LastExecution; e != nil {
		v.ActivityID = e.ActivityID
	}
	switch {
	case j.Progress != nil:
		pr := j.Progress
		v.Running, v.Percent, v.StatsLabel = true, pr.Percent(), "This cycle so far"
		v.ProgressText = fmt.Sprintf("%s of %s users, %s of %s groups", number(pr.UsersDone), number(pr.UsersTotal), number(pr.GroupsDone), number(pr.GroupsTotal))
		counts, requests, v.Began, v.ActivityID = pr.Counts, pr.Requests, pr.Began, pr.CycleID
		v.Phases = phases(*pr)
	case j.LastCycle != nil:
		r := j.LastCycle
		v.Headline = title(r.Kind) + " cycle " + map[sim.ExecutionState]string{sim.Succeeded: "succeeded", sim.EntryLevelErrors: "ended with failures", sim.Failed: "broke off"}[r.State]
		v.ProgressText = fmt.Sprintf("cycle %d, %s", r.Cycle, plural(r.Requests, "request"))
		v.StatsLabel, counts, requests, v.Began, v.Ended = "The last cycle", r.Counts, r.Requests, r.Began, r.Ended
		class, icon := "done", "check"
		for i, name := range []string{"Test connection", "Users", "Groups", "References"} {
			text := ""
			if r.State == sim.Failed && i == 0 {
				class, icon, text = "", "cross", "failed"
			} else if r.State == sim.Failed {
				icon, text = "more", "not reached"
			}
			v.Phases = append(v.Phases, phaseView{name, text, class, icon})
		}
	}
	logs := "/logs?application=" + app.ID
	for _, s := range []struct {
		n                 int
		word, icon, class string
		link              string
	}{{counts.Create, "Created", "plus", "", "&action=create"}, {counts.Update, "Updated", "edit", "", "&action=update"}, {counts.Disable, "Disabled", "off", "", "&action=disable"},
		{counts.Delete, "Deleted", "trash", "", "&action=delete"}, {counts.Skip, "Skipped", "skip", "", "&status=skipped"}, {counts.Fail, "Failed", "cross", "bad", "&status=failure"}} {
		v.Stats = append(v.Stats, statView{s.n, s.word, s.icon, s.class, logs + s.link})
	}
	v.Stats = append(v.Stats, statView{requests, "Requests", "wire", "", "/wire"})
}

func phases(p sim.Progress) []phaseView {
	order := []sim.Phase{sim.PhaseProbe, sim.PhaseUsers, sim.PhaseGroups, sim.PhaseReferences}
	texts := map[sim.Phase]string{sim.PhaseUsers: fmt.Sprintf("%s of %s", number(p.UsersDone), number(p.UsersTotal)),
		sim.PhaseGroups: fmt.Sprintf("%s of %s", number(p.GroupsDone), number(p.GroupsTotal)), sim.PhaseReferences: fmt.Sprintf("%s of %s", number(p.ReferencesDone), number(p.ReferencesTotal))}
	names := map[sim.Phase]string{sim.PhaseProbe: "Test connection", sim.PhaseUsers: "Users", sim.PhaseGroups: "Groups", sim.PhaseReferences: "References"}
	var list []phaseView
	class, icon := "done", "check"
	for _, ph := range order {
		if ph == p.Phase {
			list = append(list, phaseView{names[ph], texts[ph], "now", "ring"})
			class, icon = "", "more"
			continue
		}
		list = append(list, phaseView{names[ph], texts[ph], class, icon})
	}
	return list
}

func (p *Portal) jobAction(c echo.Context) error {
	id := c.Param("id")
	to := "/applications/" + id + "/provisioning"
	var err error
	message := ""
	switch c.Param("action") {
	case "start":
		err, message = p.Service.Start(id), "Provisioning started"
		if st := p.Service.ClockState(); st.Mode == "manual" {
			message = "Provisioning started. The clock is manual: Run next cycle carries it out."
		}
	case "stop":
		err, message = p.Service.Pause(id), "Provisioning stopped. A cycle that runs ends normally."
	case "restart":
		err, message = p.Service.Restart(id, sim.DefaultReset()), "Provisioning restarted: an initial cycle follows"
	default:
		return echo.ErrNotFound
	}
	if err != nil {
		return complain(c, to, err)
	}
	return say(c, to, message)
}

type connectivityView struct {
	Base
	Fields                        []Field
	Errors                        map[string]string
	TestOK                        bool
	TestError, TestCode, TestCure string
	All                           bool
	Email                         string
}

func (p *Portal) connectivity(c echo.Context) error {
	b, _, j, err := p.appPage(c, "connectivity", "Connectivity")
	if err != nil {
		return err
	}
	v := connectivityView{Base: b}
	url := ""
	if j != nil {
		url, v.All, v.Email = j.Settings.TenantURL, j.Settings.Scope == sim.SyncAll, j.Settings.NotificationEmail
	}
	v.fields(url, "", j != nil && j.Settings.HasToken)
	return render(c, 200, "connectivity", v)
}

func (v *connectivityView) fields(url, token string, saved bool) {
	hint := ""
	if saved {
		hint = "A token is saved. Leave this empty to keep it."
	}
	v.Fields = []Field{
		{Name: "tenantUrl", Label: "Tenant URL", Value: url, Type: "url", Placeholder: "https://scim.example/scim", Error: v.Errors["tenantUrl"], Full: true},
		{Name: "secretToken", Label: "Secret token", Value: token, Type: "password", Hint: hint, Error: v.Errors["secretToken"], Full: true},
	}
}

// saveConnectivity tests or saves. What was typed stays, whatever comes of it.
func (p *Portal) saveConnectivity(c echo.Context) error {
	b, app, j, err := p.appPage(c, "connectivity", "Connectivity")
	if err != nil {
		return err
	}
	url, token := strings.TrimSpace(c.FormValue("tenantUrl")), strings.TrimSpace(c.FormValue("secretToken"))
	v := connectivityView{Base: b, All: c.FormValue("scope") == "all", Email: c.FormValue("email")}
	saved := j != nil && j.Settings.HasToken
	if c.FormValue("do") == "embedded" {
		if url, token, err = p.Service.EmbeddedTenantURL(app.ID); err != nil {
			return err
		}
		v.fields(url, token, saved)
		return render(c, 200, "connectivity", v)
	}
	given := &token
	if token == "" && saved {
		given = nil
	}
	err = p.Service.TestConnection(c.Request().Context(), app.ID, &url, given)
	var e *scim.Error
	switch {
	case errors.As(err, &e):
		v.TestCode, v.TestError, v.TestCure = e.Code, e.Message, sim.Cure(e.Code, e.Message)
	case err != nil:
		return err
	}
	if c.FormValue("do") == "test" || v.TestError != "" {
		v.TestOK = v.TestError == ""
		v.fields(url, token, saved)
		status := 200
		if v.TestError != "" {
			status = 422
		}
		return render(c, status, "connectivity", v)
	}
	edit := sim.SettingsEdit{TenantURL: &url, SecretToken: given}
	if j != nil {
		scope := sim.SyncAssigned
		if v.All {
			scope = sim.SyncAll
		}
		enabled := v.Email != ""
		edit.Scope, edit.NotificationEmail, edit.NotificationEnabled = &scope, &v.Email, &enabled
		err = p.Service.UpdateSettings(app.ID, edit)
	} else {
		_, err = p.Service.CreateJob(app.ID, edit)
	}
	if directory.CodeOf(err) == directory.Invalid {
		v.Errors = fieldErrors(err, "tenantUrl")
		v.fields(url, token, saved)
		return render(c, 422, "connectivity", v)
	}
	if err != nil {
		return err
	}
	return say(c, "/applications/"+app.ID+"/provisioning", "Configuration saved")
}
