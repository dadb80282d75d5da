package portal

import (
	"fmt"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
	"entrasim/sim/clock"
)

type overviewView struct {
	Base
	State                   Status
	Job                     *sim.Job
	CanStart, Running       bool
	NoStart, NoStop         string // why a button is off
	DueNow                  bool   // the next cycle waits for the manual clock
	Quarantine              *quarantineView
	Headline, ProgressText  string
	Percent                 int
	Phases                  []phaseView
	Began, Ended, NextCycle time.Time
	ActivityID              string
	StatsLabel, Spoken      string
	Stats                   []Stat
	Recent                  []sim.LogRecord
	ScopeWaits              bool   // another scope was chosen, and takes effect with a restart
	Waiting, Held           string // what waits for the next cycle, and for the end of a quarantine
	Chart                   *chart
	Estimate                string // how long an initial cycle takes at Microsoft
}

// Stat is a number over its word, with the list that it counts.
type Stat struct {
	N                       int
	Word, Icon, Class, Href string
}

type phaseView struct{ Name, Text, Class, Icon string }

// recentLimit is how many records the overview shows.
const recentLimit = 9

func (p *Portal) overview(c echo.Context) error {
	b, app, j, err := p.appPage(c, "overview", "Provisioning")
	if err != nil {
		return err
	}
	v := overviewView{Base: b, Job: j, State: Status{"Not configured", "pill", "pause", ""}}
	if j == nil {
		return render(c, 200, "overview", v)
	}
	v.State, v.CanStart, v.NextCycle = jobState(*j), !j.Started(), j.NextCycle
	if v.CanStart {
		v.NoStop = "Provisioning is not started"
	} else {
		v.NoStart = "Provisioning is started already"
	}
	mode, _ := p.Service.Clock().Setting()
	v.DueNow = mode == clock.Manual && j.Started() && j.Progress == nil && j.Status.Quarantine == nil && !j.NextCycle.After(v.Clock.Now)
	v.ScopeWaits = j.LastCycle != nil && j.ScopeInForce != j.Settings.Scope
	v.describe(app, *j)
	if n, known, err := p.Service.Due(app.ID); err != nil {
		return err
	} else if known {
		if v.Waiting = plural(n, "object"); n > 0 && j.Status.Quarantine != nil {
			v.Held = v.Waiting + " waiting for the cycle that succeeds."
		}
	}
	if j.Status.Quarantine != nil {
		if v.Quarantine, err = p.quarantine(*j, v.Clock.Now); err != nil {
			return err
		}
	}
	if e, known, err := p.Service.Estimate(app.ID); err != nil {
		return err
	} else if known && (j.LastCycle == nil || j.Progress != nil && j.Progress.Kind == sim.Initial) {
		v.Estimate = estimateText(e)
	}
	logs, err := p.Service.Logs(sim.LogQuery{ApplicationID: app.ID, Limit: recentLimit})
	if err != nil {
		return err
	}
	v.Recent, v.Chart = logs.Items, p.chart(j.ID)
	return render(c, 200, "overview", v)
}

// estimateText is Microsoft's estimate, in minutes as it is published, and whether the job keeps to it.
func estimateText(e sim.Estimate) string {
	if e.Units == 0 {
		return "nobody is assigned"
	}
	text := fmt.Sprintf("%s to %s", rough(e.Least), rough(e.Most))
	if e.EntrasPace {
		return text + ", and the cycle keeps to the least of it"
	}
	return text + "; this job goes as fast as its target"
}

// rough is a length of time in the unit that suits it.
func rough(d time.Duration) string {
	switch {
	case d < time.Minute:
		return plural(int(d.Round(time.Second)/time.Second), "second")
	case d < 2*time.Hour:
		return plural(int(d.Round(time.Minute)/time.Minute), "minute")
	}
	return plural(int(d.Round(time.Hour)/time.Hour), "hour")
}

// describe fills in the cycle that runs, or else the last one.
func (v *overviewView) describe(app sim.Application, j sim.Job) {
	counts, requests := sim.Counts{}, 0
	v.StatsLabel, v.Headline, v.ProgressText = "No cycle has run yet", "No cycle yet", "Start provisioning runs the initial cycle"
	if !v.CanStart {
		v.ProgressText = "the initial cycle is due"
	}
	if e := j.Status.LastExecution; e != nil {
		v.ActivityID = e.ActivityID
	}
	switch {
	case j.Progress != nil:
		pr := j.Progress
		v.Running, v.Percent, v.StatsLabel, v.ProgressText = true, pr.Percent(), "This cycle so far", progressText(*pr)
		counts, requests, v.Began, v.ActivityID, v.Phases = pr.Counts, pr.Requests, pr.Began, pr.CycleID, phases(*pr)
		v.Spoken = fmt.Sprintf("%s cycle at %d percent, %s created, %s failed", title(pr.Kind), v.Percent, number(counts.Create), number(counts.Fail))
	case j.LastCycle != nil:
		r := j.LastCycle
		v.Headline = title(r.Kind) + " cycle " + map[sim.ExecutionState]string{sim.Succeeded: "succeeded", sim.EntryLevelErrors: "ended with failures", sim.Failed: "broke off"}[r.State]
		v.ProgressText = fmt.Sprintf("cycle %s, %s", number(r.Cycle), plural(r.Requests, "request"))
		v.StatsLabel, counts, requests, v.Began, v.Ended = "The last cycle", r.Counts, r.Requests, r.Began, r.Ended
		v.Phases = endedPhases(*r)
		v.Spoken = v.Headline
	}
	logs := "/logs?application=" + app.ID
	v.Stats = []Stat{{counts.Create, "Created", "plus", "", logs + "&action=create"}, {counts.Update, "Updated", "edit", "", logs + "&action=update"},
		{counts.Disable, "Disabled", "off", "", logs + "&action=disable"}, {counts.Delete, "Deleted", "trash", "", logs + "&action=delete"},
		{counts.Skip, "Skipped", "skip", "", logs + "&status=skipped"}, {counts.Fail, "Failed", "cross", "bad", logs + "&status=failure"},
		{requests, "Requests", "wire", "", "/wire?application=" + app.ID}}
}

func progressText(p sim.Progress) string {
	return fmt.Sprintf("%s of %s, %s of %s", number(p.UsersDone), plural(p.UsersTotal, "user"), number(p.GroupsDone), plural(p.GroupsTotal, "group"))
}

var phaseNames = []struct {
	phase sim.Phase
	name  string
}{{sim.PhaseProbe, "Test connection"}, {sim.PhaseUsers, "Users"}, {sim.PhaseGroups, "Groups"}, {sim.PhaseReferences, "References"}}

// phases shows how far a running cycle has come.
func phases(p sim.Progress) (list []phaseView) {
	texts := map[sim.Phase]string{sim.PhaseProbe: "asked first", sim.PhaseUsers: fmt.Sprintf("%s of %s", number(p.UsersDone), number(p.UsersTotal)),
		sim.PhaseGroups: fmt.Sprintf("%s of %s", number(p.GroupsDone), number(p.GroupsTotal)), sim.PhaseReferences: fmt.Sprintf("%s of %s", number(p.ReferencesDone), number(p.ReferencesTotal))}
	class, icon := "done", "check"
	for _, ph := range phaseNames {
		if ph.phase == p.Phase {
			list = append(list, phaseView{ph.name, texts[ph.phase], "now", "ring"})
			class, icon = "", "more"
			continue
		}
		list = append(list, phaseView{ph.name, texts[ph.phase], class, icon})
	}
	return list
}

// endedPhases shows the phases of a cycle that ended. One that broke off is told by its error: a probe that failed was
// followed by nothing.
func endedPhases(r sim.CycleResult) (list []phaseView) {
	for i, ph := range phaseNames {
		v := phaseView{ph.name, "done", "done", "check"}
		switch {
		case r.State == sim.Failed && r.Counts == sim.Counts{} && i == 0:
			v = phaseView{ph.name, "failed", "failed", "cross"}
		case r.State == sim.Failed && r.Counts == sim.Counts{}:
			v = phaseView{ph.name, "not reached", "", "more"}
		case r.State == sim.Failed && i > 0:
			v = phaseView{ph.name, "broke off", "", "more"}
		}
		list = append(list, v)
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
		err, message = p.Service.Start(id), "Provisioning started."
		if mode, _ := p.Service.Clock().Setting(); mode == clock.Manual {
			message += " The clock is manual: Run next cycle carries it out."
		}
	case "stop":
		err, message = p.Service.Pause(id), "Provisioning stopped. A cycle that runs ends normally."
	case "restart":
		ok, questionErr := p.sure(c, "Restart provisioning?", restartText, "Restart provisioning", to)
		if !ok {
			return questionErr
		}
		err, message = p.Service.Restart(id, sim.DefaultReset()), "Provisioning restarted: an initial cycle follows."
	case "allow":
		ok, questionErr := p.sure(c, "Allow deletes?", allowText, "Yes", to)
		if !ok {
			return questionErr
		}
		err, message = p.Service.Restart(id, sim.ResetScope{ForceDeletes: true}), "Deletes allowed: what is held is carried out with the cycle that is due now."
	default:
		return echo.ErrNotFound
	}
	if err != nil {
		return complain(c, to, err)
	}
	return say(c, to, message)
}

const allowText = "What is held is disabled or deleted at the target. Who leaves scope later counts anew."

const restartText = "The next cycle is an initial one and looks at every object again. A quarantine and waiting retries are dropped; what is linked stays linked."
