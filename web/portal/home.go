package portal

import (
	"fmt"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/rules"
)

type homeView struct {
	Base
	Heading, Lead             string
	Station                   *station
	Others                    []Link
	TargetUsers, TargetGroups int
	Requests                  int
	Steps                     []guideStep
	Done                      int
	Addresses                 []Link
	DataFile                  string
}

type station struct {
	ID, Name, State, Class, Icon, What, Sends, URL, Action string
	Users, Groups                                          int
	CanStart                                               bool
}

type guideStep struct {
	Title, Text string
	Done        bool
	Links       []Link
}

func (p *Portal) home(c echo.Context) error {
	v := homeView{Base: p.base(c, "Home", "home"), DataFile: p.DataFile}
	apps, err := p.Service.Applications()
	if err != nil {
		return err
	}
	st := p.Target.Store("default")
	v.TargetUsers, v.TargetGroups = st.Counts()
	v.Requests = int(p.Service.Traffic(0, 1).Missed) + len(p.Service.Traffic(0, 10000).Exchanges)
	self := c.Scheme() + "://" + c.Request().Host
	v.Addresses = []Link{{"SCIM target", self + "/scim"}, {"Secret token", sim.EmbeddedToken}, {"Control API", self + "/sim"}}
	v.Heading, v.Lead = "An empty tenant", "There is no application yet. Create one, point it at a SCIM endpoint, and watch what Entra would send."
	var first *sim.Application
	for i := range apps { // the waiting one first
		j, err := p.Service.Job(apps[i].ID)
		if first == nil || err == nil && !j.Started() && j.LastCycle == nil {
			first = &apps[i]
		}
	}
	if first == nil {
		v.Steps, v.Done = p.guide(sim.Application{}, nil, 0)
		return render(c, 200, "home", v)
	}
	for _, a := range apps {
		if a.ID != first.ID {
			v.Others = append(v.Others, Link{a.DisplayName, "/applications/" + a.ID + "/provisioning"})
		}
	}
	job, err := p.Service.Job(first.ID)
	assigned, assignErr := p.dir.Assignments(first.ID, "", 50)
	if assignErr != nil {
		return assignErr
	}
	if err != nil {
		v.Heading, v.Lead = first.DisplayName+" is not configured yet.", "Say where it provisions to: New configuration asks for the Tenant URL and the Secret token."
		v.Station = &station{ID: first.ID, Name: first.DisplayName, State: "Not configured", Icon: "pause", What: "provisioned", Sends: "No provisioning configuration yet.",
			URL: "/applications/" + first.ID + "/provisioning/connectivity", Action: "New configuration"}
		v.Steps, v.Done = p.guide(*first, nil, len(assigned.Items))
		return render(c, 200, "home", v)
	}
	v.fill(p, *first, job)
	v.Steps, v.Done = p.guide(*first, &job, len(assigned.Items))
	return render(c, 200, "home", v)
}

// fill describes where the first application stands.
func (v *homeView) fill(p *Portal, app sim.Application, j sim.Job) {
	s := &station{ID: app.ID, Name: app.DisplayName, URL: "/applications/" + app.ID + "/provisioning", Sends: p.sends(app.ID),
		Users: j.Status.Users, Groups: j.Status.Groups, What: "provisioned", Action: "Open the overview"}
	s.State, s.Class, s.Icon = jobState(j)
	switch {
	case j.Status.Quarantine != nil:
		v.Heading, v.Lead = app.DisplayName+" is in quarantine.", sim.Cure(j.Status.Quarantine.Error.Code, j.Status.Quarantine.Error.Message)
	case j.Progress != nil:
		v.Heading, v.Lead = "The first cycle is under way.", fmt.Sprintf("%d of %d users, %d of %d groups so far.", j.Progress.UsersDone, j.Progress.UsersTotal, j.Progress.GroupsDone, j.Progress.GroupsTotal)
		if j.Progress.Kind == sim.Incremental {
			v.Heading = "A cycle is running."
		}
	case j.LastCycle == nil:
		n, g := p.inScope(app.ID)
		s.CanStart, s.Users, s.Groups, s.What = !j.Started(), n, g, "in scope"
		v.Heading = "Ready. Nothing has been sent yet."
		v.Lead = fmt.Sprintf("%s has %s users. %d of them are assigned to %s. Start provisioning and watch every SCIM request reach the target.", v.Tenant.DisplayName, number(v.Counts.Users), n, app.DisplayName)
		if j.Started() {
			v.Heading, v.Lead = "Started. The first cycle is due.", "Run next cycle, in the bar above, carries it out."
		}
	default:
		v.Heading = "Everything is in step."
		v.Lead = "Change a user, then run the next cycle: exactly that change reaches the target."
		if j.Escrows > 0 {
			v.Heading, v.Lead = fmt.Sprintf("%s waiting for another try.", plural(j.Escrows, "operation")), "The provisioning logs say what the target answered."
		}
	}
	v.Station = s
}

// sends names the attributes that the mappings carry.
func (p *Portal) sends(appID string) string {
	schema, err := p.Service.Schema(appID)
	if err != nil {
		return ""
	}
	var parts []string
	for _, kind := range []string{"User", "Group"} {
		m := schema.ObjectMapping(kind)
		if m == nil || !m.Enabled {
			continue
		}
		var names []string
		for _, a := range m.AttributeMappings {
			names = append(names, a.TargetAttributeName)
		}
		if len(names) > 6 {
			parts = append(parts, fmt.Sprintf("%d attributes for %ss", len(names), strings.ToLower(kind)))
			continue
		}
		parts = append(parts, strings.Join(names, ", ")+" for "+strings.ToLower(kind)+"s")
	}
	return "Sends " + strings.Join(parts, "; ") + "."
}

// inScope counts who is assigned, up to a thousand.
func (p *Portal) inScope(appID string) (users, groups int) {
	seen := map[string]bool{}
	page, err := p.dir.Assignments(appID, "", 200)
	if err != nil {
		return 0, 0
	}
	for _, a := range page.Items {
		if a.PrincipalKind == directory.KindUser {
			seen[a.PrincipalID] = true
			continue
		}
		groups++
		members, err := p.dir.Members(a.PrincipalID, "", 999)
		if err != nil {
			continue
		}
		for _, m := range members.Items {
			if m.Kind == directory.KindUser {
				seen[m.ID] = true
			}
		}
	}
	return len(seen), groups
}

// guide is the set-up guide with what is done ticked off.
func (p *Portal) guide(app sim.Application, j *sim.Job, assigned int) (steps []guideStep, done int) {
	url := "/applications/" + app.ID
	steps = []guideStep{
		{Title: "Create the enterprise application", Text: "New application, Create your own application, non-gallery.", Links: []Link{{"New application", "/applications/new"}}},
		{Title: "Configure provisioning", Text: "Tenant URL and secret token, then the attribute mapping.", Links: []Link{{"Connectivity", url + "/provisioning/connectivity"}}},
		{Title: "Assign users and groups", Text: "Groups bring their immediate members with them.", Links: []Link{{"Users and groups", url + "/users"}}},
		{Title: "Start provisioning", Text: "The initial cycle sends everybody in scope; an incremental one follows every 40 minutes.", Links: []Link{{"Overview", url + "/provisioning"}}},
	}
	if app.ID == "" {
		steps[1].Links, steps[2].Links, steps[3].Links = nil, nil, nil
		return steps, 0
	}
	steps[0].Done, steps[0].Text = true, app.DisplayName+", non-gallery."
	if j != nil {
		steps[1].Done = true
		steps[1].Text = "Provisions to " + j.Settings.TenantURL
		steps[1].Links = append(steps[1].Links, Link{"Attribute mapping", url + "/provisioning/mapping"})
		steps[3].Done = j.LastCycle != nil || j.Started()
	}
	if assigned > 0 {
		steps[2].Done, steps[2].Text = true, plural(assigned, "assignment")+"."
	}
	for _, s := range steps {
		if s.Done {
			done++
		}
	}
	return steps, done
}

// jobState words where a job stands.
func jobState(j sim.Job) (text, class, icon string) {
	switch {
	case j.Progress != nil && j.Progress.Kind == sim.Initial:
		return "Initial cycle running", "run", "ring"
	case j.Progress != nil:
		return "Incremental cycle running", "run", "ring"
	case j.Status.Quarantine != nil:
		return "Quarantined", "bad", "warn"
	case j.ScheduleState == sim.SchedulePaused:
		return "Stopped", "", "pause"
	case !j.Started():
		return "Not started", "", "pause"
	case j.LastCycle == nil:
		return "Initial cycle due", "run", "ring"
	case j.Escrows > 0:
		return "Running, with failures", "warn", "warn"
	}
	return "Healthy", "ok", "check"
}

type searchView struct {
	Base
	Q     string
	Lists []searchList
	None  bool
}

type searchList struct {
	Title string
	Links []Link
}

func (p *Portal) search(c echo.Context) error {
	q := strings.TrimSpace(c.QueryParam("q"))
	v := searchView{Base: p.base(c, "Search", ""), Q: q, None: true}
	if o, err := p.dir.Object(q); err == nil {
		return c.Redirect(303, objectURL(o))
	}
	if q == "" {
		return c.Redirect(303, "/users")
	}
	users, err := p.dir.Users(directory.Query{Prefix: q, Limit: 20})
	if err != nil {
		return err
	}
	groups, err := p.dir.Groups(directory.Query{Prefix: q, Limit: 20})
	if err != nil {
		return err
	}
	apps, err := p.dir.ServicePrincipals(directory.Query{Prefix: q, Limit: 20})
	if err != nil {
		return err
	}
	lists := []searchList{{Title: "Users"}, {Title: "Groups"}, {Title: "Enterprise applications"}}
	for _, u := range users.Items {
		lists[0].Links = append(lists[0].Links, Link{u.DisplayName + " · " + u.UserPrincipalName, "/users/" + u.ID})
	}
	for _, g := range groups.Items {
		lists[1].Links = append(lists[1].Links, Link{g.DisplayName, "/groups/" + g.ID})
	}
	for _, a := range apps.Items {
		lists[2].Links = append(lists[2].Links, Link{a.DisplayName, "/applications/" + a.ID + "/provisioning"})
	}
	v.Lists, v.None = lists, len(users.Items)+len(groups.Items)+len(apps.Items) == 0
	return render(c, 200, "search", v)
}

func objectURL(o directory.Object) string {
	switch o.Kind {
	case directory.KindUser:
		return "/users/" + o.ID
	case directory.KindGroup:
		return "/groups/" + o.ID
	}
	return "/applications/" + o.ID
}

type rulesView struct {
	Base
	Rules []rules.Rule
}

func (p *Portal) rules(c echo.Context) error {
	return render(c, 200, "rules", rulesView{p.base(c, "Rules", "rules"), rules.All()})
}
