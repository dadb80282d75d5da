package portal

import (
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
)

// demandRun is a run on demand as the portal keeps it, to be looked at again. The provisioning log keeps what lasts.
type demandRun struct {
	sim.OnDemandResult
	ID, AppID, ObjectID string
	Members             []string
}

// demandRuns are the last runs that were asked for in the portal, oldest first.
type demandRuns struct {
	mu   sync.Mutex
	list []demandRun
}

const demandRunsKept = 50

func (d *demandRuns) add(r demandRun) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, r)
	if n := len(d.list); n > demandRunsKept {
		d.list = append([]demandRun(nil), d.list[n-demandRunsKept:]...)
	}
}

func (d *demandRuns) find(app, id string) (demandRun, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.list {
		if r.AppID == app && r.ID == id {
			return r, true
		}
	}
	return demandRun{}, false
}

type demandView struct {
	Base
	Q      string
	Busy   string // a cycle that runs, and that a run waits for
	Lists  []demandList
	Chosen *demandChoice
	Run    *demandRunView
}

type demandList struct {
	Title string
	Rows  []demandRow
	More  bool
}

type demandRow struct {
	Who
	ID string
}

// demandChoice is who was chosen, with the members to choose from.
type demandChoice struct {
	demandRow
	Group   bool
	Find    string // what the members are searched by
	Members []demandRow
	More    bool
	Most    int // members that a run takes
}

// demandRunView is a run with its steps, one of them open.
type demandRunView struct {
	demandRun
	Name, Kind string
	ObjectURL  string
	LogURL     string // "" when nothing was logged
	Sentence   string
	Steps      []demandStep
	Open       *demandStep
	Close      string
	Tabs       []Choice
}

type demandStep struct {
	sim.Stage
	Class, Icon, URL, Tried string
	Action                  bool
}

func demandPath(app string) string { return "/applications/" + app + "/provisioning/on-demand" }

// onDemand is the page Provision on demand: who is to be provisioned, or what became of it (provision-on-demand.md).
func (p *Portal) onDemand(c echo.Context) error {
	b, app, j, err := p.appPage(c, "ondemand", "Provision on demand")
	if err != nil {
		return err
	}
	v := demandView{Base: b, Q: strings.TrimSpace(c.QueryParam("q"))}
	switch id := c.QueryParam("run"); {
	case j == nil:
	case id != "":
		run, ok := p.demands.find(app.ID, id)
		if !ok {
			return complain(c, demandPath(app.ID), said("What this run showed is no longer kept; the provisioning log has its record."))
		}
		v.Run = showRun(c, run)
	default:
		if j.Progress != nil {
			v.Busy = "A cycle runs. What you provision now waits for its end."
		}
		if object := c.QueryParam("object"); object != "" {
			if v.Chosen, err = p.demandChosen(c, object); err != nil {
				return complain(c, demandPath(app.ID), err)
			}
		} else if v.Lists, err = p.demandLists(v.Q); err != nil {
			return err
		}
	}
	return render(c, 200, "ondemand", v)
}

// demandLists finds users and groups by a name. Users who are blocked or deleted can't be provisioned on
// demand, and are not found.
func (p *Portal) demandLists(text string) (lists []demandList, err error) {
	q := directory.Query{Prefix: text, ByName: text == "", Limit: assignChoices}
	users, err := p.usersNamed(q)
	if err != nil {
		return nil, err
	}
	groups, err := p.groupsNamed(q)
	if err != nil {
		return nil, err
	}
	people := demandList{Title: "Users", More: users.Next != ""}
	for _, u := range users.Items {
		if u.AccountEnabled {
			people.Rows = append(people.Rows, demandRow{whoOfUser(u), u.ID})
		}
	}
	teams := demandList{Title: "Groups", More: groups.Next != ""}
	for _, g := range groups.Items {
		w := whoOf(g.Object)
		w.Sub = p.memberCount(g.ID)
		teams.Rows = append(teams.Rows, demandRow{w, g.ID})
	}
	for _, l := range []demandList{people, teams} {
		if len(l.Rows) > 0 {
			lists = append(lists, l)
		}
	}
	return lists, nil
}

// membersScanned is how many members of a group are looked through for those that are offered.
const membersScanned = 2000

func (p *Portal) demandChosen(c echo.Context, id string) (*demandChoice, error) {
	o, err := p.dir.Object(id)
	if err != nil || o.State != directory.Live {
		return nil, said("There is nobody of this id in the directory any more.")
	}
	v := &demandChoice{demandRow: demandRow{whoOf(o), o.ID}, Group: o.Kind == directory.KindGroup, Most: sim.OnDemandMembers, Find: strings.TrimSpace(c.QueryParam("m"))}
	if !v.Group {
		u, err := p.dir.User(o.ID)
		if err != nil {
			return nil, err
		}
		v.Who = whoOfUser(u)
		return v, nil
	}
	v.Sub = p.memberCount(o.ID)
	begins := func(s string) bool { return strings.HasPrefix(strings.ToLower(s), strings.ToLower(v.Find)) }
	for cursor, seen := "", 0; ; {
		page, err := p.dir.Members(o.ID, cursor, 200)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Items {
			if m.Kind != directory.KindUser {
				continue
			}
			u, err := p.dir.User(m.ID)
			if err != nil || !u.AccountEnabled || v.Find != "" && !begins(u.DisplayName) && !begins(u.UserPrincipalName) && !begins(u.Surname) {
				continue
			}
			if len(v.Members) == assignChoices {
				v.More = true
				return v, nil
			}
			v.Members = append(v.Members, demandRow{whoOfUser(u), u.ID})
		}
		seen += len(page.Items)
		if cursor = page.Next; cursor == "" {
			return v, nil
		}
		if seen >= membersScanned {
			v.More = true
			return v, nil
		}
	}
}

// provisionOnDemand carries a run out and leads to its result.
func (p *Portal) provisionOnDemand(c echo.Context) error {
	app := c.Param("id")
	posted, err := c.FormParams()
	if err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "The form can't be read.")
	}
	run := demandRun{AppID: app, ObjectID: posted.Get("object"), Members: posted["member"]}
	to := demandPath(app)
	if run.ObjectID == "" {
		return complain(c, to, said("Nobody was chosen."))
	}
	run.OnDemandResult, err = p.Service.OnDemand(c.Request().Context(), app, sim.OnDemandRequest{ObjectID: run.ObjectID, Members: run.Members})
	switch {
	case directory.CodeOf(err) == directory.Invalid && len(run.Members) > 0:
		return complain(c, to+"?object="+url.QueryEscape(run.ObjectID), err)
	case err != nil:
		return complain(c, to, err)
	}
	run.ID = run.Record.ChangeID
	p.demands.add(run)
	return c.Redirect(http.StatusSeeOther, to+"?run="+url.QueryEscape(run.ID))
}

// demandTabs are the steps in a word each.
var demandTabs = map[sim.StageName]string{sim.StageConnection: "Test connection", sim.StageImport: "Import", sim.StageScope: "Scope", sim.StageMatch: "Match", sim.StageAction: "Action"}

// showRun shows a run. The test of the connection is a step only when it failed.
func showRun(c echo.Context, run demandRun) *demandRunView {
	l := &run.Record
	v := &demandRunView{demandRun: run, Name: l.DisplayName, Kind: l.ObjectKind, ObjectURL: "/users/" + run.ObjectID, Sentence: l.Sentence, Close: address(c, "step", "")}
	if l.ObjectKind == "Group" {
		v.ObjectURL = "/groups/" + run.ObjectID
	}
	if l.ID != "" {
		v.LogURL = "/logs?record=" + l.ID
	}
	for _, st := range run.Stages {
		if st.Name == sim.StageConnection && st.Status == sim.Success {
			continue
		}
		s := demandStep{Stage: st, Icon: "more", Action: st.Name == sim.StageAction}
		switch st.Status {
		case sim.Success:
			s.Class, s.Icon = "ok", "check"
		case sim.Failure:
			s.Class, s.Icon = "bad", "cross"
			s.Tried = "Attempted; nothing was written."
		case sim.Warning:
			s.Class, s.Icon = "warn", "warn"
		case sim.Skipped:
			s.Icon = "skip"
		}
		if st.Status != "" {
			s.URL = address(c, "step", string(st.Name))
			v.Tabs = append(v.Tabs, Choice{Text: demandTabs[st.Name], URL: s.URL, On: string(st.Name) == c.QueryParam("step")})
		}
		v.Steps = append(v.Steps, s)
	}
	for i := range v.Steps {
		if s := &v.Steps[i]; s.URL != "" && string(s.Name) == c.QueryParam("step") {
			v.Open = s
		}
	}
	return v
}
