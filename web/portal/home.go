package portal

import (
	"fmt"
	"math"
	"net/url"
	"os"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/mapping"
)

type homeView struct {
	Base
	Heading, Lead string
	Station       *station
	Others        []appRow // further applications, the waiting ones first
	More          int      // applications that are not shown
	Target        targetStation
	Steps         []guideStep
	Done          int
	Addresses     []Link
	DataFile      string
	DataSize      string
}

// station is the application in the middle of the road from directory to target.
type station struct {
	appRow
	Users, Groups, What, Sends string
	Next                       string // the one next step: start, configure, cure, run, change or watch
}

type targetStation struct {
	URL, Users, About, Where string
}

type guideStep struct {
	Title, Text string
	Done, Next  bool // Next: the first that is not done
	Links       []Link
}

// shownApps is how many applications Home lists beside the first.
const shownApps = 4

func (p *Portal) home(c echo.Context) error {
	v := homeView{Base: p.page(c, "Home", "home"), DataFile: p.DataFile, DataSize: fileSize(p.DataFile),
		Heading: "An empty tenant", Lead: "There is no application yet. Create one, point it at a SCIM endpoint, and watch what Entra would send."}
	self := c.Scheme() + "://" + c.Request().Host
	v.Addresses = []Link{{"SCIM target", self + "/scim"}, {"Secret token", sim.EmbeddedToken}, {"Control API", self + "/sim"}}
	rows, err := p.appRows()
	if err != nil {
		return err
	}
	rows = waitingFirst(rows)
	v.Target = p.targetStation(c, nil)
	if len(rows) == 0 {
		v.Steps = guide(appRow{}, nil, nil, 0, 0, clock.Real)
		v.countSteps()
		return render(c, 200, "home", v)
	}
	if len(rows) > 1+shownApps {
		v.More, rows = len(rows)-1-shownApps, rows[:1+shownApps]
	}
	v.Others = rows[1:]
	if err := p.describeFirst(c, &v, rows[0]); err != nil {
		return err
	}
	v.countSteps()
	return render(c, 200, "home", v)
}

func (v *homeView) countSteps() {
	next := true
	for i := range v.Steps {
		if v.Steps[i].Done {
			v.Done++
			continue
		}
		v.Steps[i].Next, next = next, false
	}
}

// waitingFirst puts the first application that waits for its administrator in front.
func waitingFirst(rows []appRow) []appRow {
	for i, r := range rows {
		if r.Job == nil || !r.Job.Started() && r.Job.LastCycle == nil || r.Job.Status.Quarantine != nil {
			return append(append([]appRow{r}, rows[:i]...), rows[i+1:]...)
		}
	}
	return rows
}

// describeFirst fills in where the first application stands, and what to do next.
func (p *Portal) describeFirst(c echo.Context, v *homeView, row appRow) error {
	s := &station{appRow: row, What: "in scope"}
	v.Station = s
	assigned, err := p.dir.Assignments(row.ID, "", 50)
	if err != nil {
		return err
	}
	names := make([]string, len(assigned.Items))
	for i, a := range assigned.Items {
		names[i] = a.PrincipalDisplayName
	}
	users, groups, edges, all, err := p.inScope(row)
	if err != nil {
		return err
	}
	s.Users, s.Groups = number(users), number(groups)
	if !all {
		s.Users = "over " + s.Users
	}
	mode, _ := p.Service.Clock().Setting()
	v.Steps = guide(row, row.Job, names, users+groups, users+groups+edges, mode)
	v.Target = p.targetStation(c, row.Job)
	if row.Job == nil {
		s.Next, s.Sends = "configure", "No provisioning configuration yet."
		v.Heading, v.Lead = row.Name+" is not configured yet.", "Say where it provisions to: New configuration asks for the Tenant URL and the Secret token."
		return nil
	}
	schema, err := p.Service.Schema(row.ID)
	if err != nil {
		return err
	}
	s.Sends = sends(schema)
	return p.headline(v, *row.Job, s.Users)
}

// headline says where the first application stands, and what to do next.
func (p *Portal) headline(v *homeView, j sim.Job, inScope string) error {
	s, name := v.Station, v.Station.Name
	if j.LastCycle != nil {
		s.Users, s.Groups, s.What = number(j.Status.Users), number(j.Status.Groups), "provisioned to date"
	}
	due, _, err := p.Service.Due(s.ID)
	if err != nil {
		return err
	}
	switch {
	case j.Status.Quarantine != nil:
		s.Next, v.Heading, v.Lead = "cure", name+" is in quarantine.", sim.Cure(j.Status.Quarantine.Error.Code, j.Status.Quarantine.Error.Message)
	case j.Progress != nil:
		s.Next, v.Heading, v.Lead = "watch", title(j.Progress.Kind)+" cycle running.", progressText(*j.Progress)+" so far."
	case !j.Started() && j.LastCycle == nil:
		s.Next, v.Heading = "start", "Ready. Nothing has been sent yet."
		v.Lead = fmt.Sprintf("%s has %s users. %s of them are in scope of %s. Start provisioning and watch every SCIM request reach the target.",
			v.Tenant.DisplayName, number(v.Counts.Users), inScope, name)
	case !j.Started():
		s.Next, v.Heading, v.Lead = "start", "Provisioning is stopped.", "Nothing is sent until it is started again. It then goes on where it stopped."
	case j.LastCycle == nil:
		s.Next, v.Heading, v.Lead = "run", "Started. The initial cycle is due.", "Run next cycle carries it out now."
	case j.Escrows > 0:
		s.Next, v.Heading, v.Lead = "failed", plural(j.Escrows, "operation")+" waiting for another try.", "The provisioning logs say what the target answered, and what to do."
	case due > 0:
		s.Next, v.Heading, v.Lead = "run", plural(due, "object")+" changed since the last cycle.",
			"The next cycle sends exactly that to the target. Run it now, and see each request on Wire."
	default:
		s.Next, v.Heading, v.Lead = "change", "Everything is in step.", "Change a user, then run the next cycle: exactly that change reaches the target."
	}
	return nil
}

func (p *Portal) targetStation(c echo.Context, j *sim.Job) targetStation {
	t := targetStation{URL: "/target", Where: "Embedded SCIM server, answering", About: "no request since the start"}
	store, foreign := "default", false
	if j != nil {
		t.URL += "?application=" + j.ApplicationID
		if store = p.storeOf(c, j.Settings.TenantURL); store == "" {
			foreign = true
		}
	}
	if last := p.Service.RecentTraffic(1); len(last) > 0 {
		t.About = plural(int(last[0].ID), "request") + " so far"
	}
	if foreign {
		t.Where = "Another program, not asked yet"
		if u, err := url.Parse(j.Settings.TenantURL); err == nil {
			t.Where = u.Host + ", another program"
		}
		return t
	}
	if n := len(p.Target.Faults()); n > 0 {
		t.Where = "Embedded SCIM server, with " + plural(n, "fault") + " in force"
	}
	t.Users = "0"
	if st := p.Target.Store(store); st != nil {
		users, groups := st.Counts()
		t.Users, t.About = number(users), plural(groups, "group")+", "+t.About
	}
	return t
}

// scopeLimit is where counting who is in scope stops, so that Home stays fast in a large tenant.
const scopeLimit = 5000

// inScope counts who an application provisions, and the memberships of its groups. all is false when it stopped counting.
func (p *Portal) inScope(row appRow) (users, groups, edges int, all bool, err error) {
	if row.Job != nil && row.Job.ScopeInForce == sim.SyncAll {
		n := p.dir.Counts()
		return n.Users, n.Groups, 0, true, nil
	}
	all = true
	seen := map[uint64]bool{}
	err = p.dir.View(func(r *directory.Reader) error {
		app, _ := r.Num(row.ID)
		r.EachAssigned(app, func(n uint64, kind directory.Kind, _ string) bool {
			if kind == directory.KindUser {
				seen[n] = true
				return true
			}
			groups++
			r.EachMember(n, 0, func(m uint64) bool {
				edges++
				if o, ok := r.Object(m); ok && o.Kind == directory.KindUser {
					seen[m] = true
				}
				all = edges < scopeLimit
				return all
			})
			return all
		})
		return nil
	})
	return len(seen), groups, edges, all, err
}

// guide is the set-up guide with what is done ticked off. size counts users, groups and memberships in scope.
func guide(row appRow, j *sim.Job, assigned []string, objects, size int, mode clock.Mode) []guideStep {
	steps := []guideStep{
		{Title: "Create the enterprise application", Text: "New application, Create your own application, non-gallery.", Links: []Link{{"New application", "/applications/new"}}},
		{Title: "Configure provisioning", Text: "Tenant URL and Secret token, then the attribute mapping."},
		{Title: "Assign users and groups", Text: "Groups bring their immediate members with them."},
		{Title: "Start provisioning", Text: "The initial cycle sends everybody in scope; an incremental one follows every 40 minutes."},
	}
	if row.ID == "" {
		return steps
	}
	at := "/applications/" + row.ID
	steps[0].Done, steps[0].Text, steps[0].Links = true, row.Name+", non-gallery.", []Link{{"Properties", at}}
	steps[1].Links = []Link{{"New configuration", at + "/provisioning/connectivity"}}
	steps[2].Links = []Link{{"Users and groups", at + "/users"}}
	if len(assigned) > 0 {
		steps[2].Done, steps[2].Text = true, enumerate(assigned, 6)+"."
	}
	if j == nil {
		return steps
	}
	steps[1].Done, steps[1].Text = true, "Provisions to "+j.Settings.TenantURL
	steps[1].Links = []Link{{"Connectivity", at + "/provisioning/connectivity"}, {"Attribute mapping", at + "/provisioning/mapping"}}
	steps[3].Links = []Link{{"Overview", at + "/provisioning"}}
	if steps[3].Done = j.LastCycle != nil; steps[3].Done {
		steps[3].Text = "The initial cycle ran; an incremental one follows every 40 minutes."
	} else if objects > 0 {
		steps[3].Text = fmt.Sprintf("The initial cycle looks at %s. Entra's own estimate is %s; here it takes moments.", plural(objects, "object"), estimate(size))
		if mode == clock.Manual {
			steps[3].Text += " The clock is manual: Run next cycle carries it out."
		}
	}
	return steps
}

// estimate words how long Entra takes for an initial cycle: 0.01 to 0.08 minutes for each assigned user, group and member
// (application-provisioning-when-will-provisioning-finish-specific-user.md).
func estimate(size int) string {
	low, high := int(math.Round(0.01*float64(size))), int(math.Ceil(0.08*float64(size)))
	if low == 0 {
		return "up to " + plural(high, "minute")
	}
	return fmt.Sprintf("%s to %s", number(low), plural(high, "minute"))
}

// enumerate joins words, the first few of them.
func enumerate(words []string, most int) string {
	if len(words) > most {
		words = append(words[:most:most], fmt.Sprintf("%d more", len(words)-most))
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

func fileSize(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	switch n := float64(info.Size()); {
	case n < 1e6:
		return fmt.Sprintf("%.0f kB", n/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", n/1e6)
	default:
		return fmt.Sprintf("%.1f GB", n/1e9)
	}
}

// sends names the attributes that the mappings carry.
func sends(schema *mapping.Schema) string {
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
		what := enumerate(names, len(names))
		if len(names) > 6 {
			what = plural(len(names), "attribute")
		}
		parts = append(parts, what+" for "+strings.ToLower(kind)+"s")
	}
	return "Sends " + strings.Join(parts, "; ") + "."
}
