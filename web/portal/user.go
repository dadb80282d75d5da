package portal

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
)

// pageSize is how many rows a list of the directory shows.
const pageSize = 50

type usersView struct {
	Base
	Q       string
	Drops   []Drop
	Only    *Choice // a filter that came with the address, with the address that clears it
	Rows    []userRow
	AppName string
	Pager   Pager
}

type userRow struct {
	Who
	ID, UPN, Department, DepartmentURL, Type string
	Enabled                                  bool
	State                                    Status
}

func (p *Portal) users(c echo.Context) error {
	v := usersView{Base: p.page(c, "Users", "users"), Q: strings.TrimSpace(c.QueryParam("q"))}
	v.Crumbs = append(v.Crumbs, Link{Text: v.Tenant.DisplayName})
	v.Drops = []Drop{drop(c, "User type", "type", directory.Member, directory.Member, directory.Guest, directory.Guest), drop(c, "Account", "account", "enabled", "Enabled", "disabled", "Disabled")}
	q := directory.Query{Prefix: v.Q, ByName: v.Q == "", Cursor: c.QueryParam("cursor"), Limit: pageSize, UserType: c.QueryParam("type"), Department: c.QueryParam("department")}
	if account := c.QueryParam("account"); account != "" {
		enabled := account == "enabled"
		q.AccountEnabled = &enabled
	}
	if q.Department != "" {
		v.Only = &Choice{Text: "Department: " + q.Department, URL: address(c, "department", "", "cursor", "")}
	}
	found, err := p.usersNamed(q)
	if err != nil {
		return err
	}
	standings, name, err := p.standings(c, found.Items)
	if err != nil {
		return err
	}
	v.AppName, v.Pager = name, pager(c, found.Next)
	for _, u := range found.Items {
		v.Rows = append(v.Rows, userRow{Who: whoOf(u.Object), ID: u.ID, UPN: u.UserPrincipalName, Department: u.Department, DepartmentURL: address(c, "department", u.Department, "cursor", ""),
			Type: u.UserType, Enabled: u.AccountEnabled, State: standings[u.ID]})
	}
	return render(c, 200, "users", v)
}

// standings tells, in words, where users stand with the application that a list is about: the first one that is started, or
// else the first one with a job, unless the address names another.
func (p *Portal) standings(c echo.Context, users []directory.User) (map[string]Status, string, error) {
	words := map[string]Status{}
	var job *sim.Job
	name := c.QueryParam("application")
	for _, j := range p.Service.Jobs() {
		if job == nil || j.ApplicationID == name || name == "" && !job.Started() && j.Started() {
			job = &j
		}
	}
	if job == nil {
		return words, "Provisioning", nil
	}
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	all, err := p.Service.Standings(job.ApplicationID, ids)
	for id, s := range all {
		words[id] = standing(s, *job)
	}
	return words, "In " + job.ApplicationName, err
}

// standing words where an object stands: what waits comes first, then what is.
func standing(s sim.Standing, j sim.Job) Status {
	due := "Due"
	if !j.NextCycle.IsZero() {
		due = "Due " + j.NextCycle.UTC().Format("15:04")
	}
	switch {
	case s.Escrow != nil:
		return Status{"Failed", "pill bad", "cross", s.Escrow.Code + ": " + s.Escrow.Message}
	case s.Link == "" && s.InScope && !j.Started():
		return Status{"In scope", "plain", "pause", "Provisioning is not started."}
	case s.Link == "" && s.InScope, s.Due:
		return Status{due, "pill virtual", "clock", "The next cycle carries it to the target."}
	case s.Link == sim.LinkActive:
		return Status{"In sync", "plain ok", "check", ""}
	case s.Link == sim.LinkDisabled:
		return Status{"Disabled", "plain", "off", "It is switched off at the target."}
	case s.Link == sim.LinkUnmanaged:
		return Status{"Left scope", "plain", "skip", "It left scope; the target was told, and it is managed no longer."}
	case s.Entitled:
		return Status{"Not active", "plain", "skip", "It is assigned, but an account that is blocked is not created."}
	}
	return Status{Text: "Not assigned", Class: "dim"}
}

// usersAction disables or deletes the users that were chosen in the list.
func (p *Portal) usersAction(c echo.Context) error {
	posted, err := c.FormParams()
	if err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "The form can't be read.")
	}
	ids, to, now := posted["id"], back(c, "/users"), p.Service.Clock().Now()
	if len(ids) == 0 {
		return complain(c, to, said("No user was chosen."))
	}
	switch c.FormValue("do") {
	case "disable":
		for _, id := range ids {
			if _, err := p.dir.UpdateUser(now, id, directory.Props{"accountEnabled": false}); err != nil {
				return complain(c, to, err)
			}
		}
		return say(c, to, plural(len(ids), "account")+" disabled. The next cycle tells each target that holds an account.")
	case "delete":
		ok, err := p.sure(c, "Delete "+plural(len(ids), "user")+"?", "They move to Deleted users for 30 days. The next cycle switches off those that are provisioned.", "Delete", to)
		if !ok {
			return err
		}
		for _, id := range ids {
			if err := p.dir.DeleteUser(now, id); err != nil {
				return complain(c, to, err)
			}
		}
		return say(c, to, plural(len(ids), "user")+" deleted. They can be restored for 30 days.")
	}
	return echo.ErrNotFound
}

type userView struct {
	Base
	ID, Name, UPN, Type string
	Created             time.Time
	DeletedAt, Until    time.Time
	Enabled, Deleted    bool
	Sections            []section
	Faulty              []Field
	Why                 []whyView
	Groups              []Who
	History             []sim.LogRecord
}

func (p *Portal) user(c echo.Context) error {
	u, deleted, err := p.anyUser(c.Param("id"))
	if err != nil {
		return err
	}
	return p.showUser(c, u, deleted, p.userValues(u), nil)
}

// anyUser reads a user, deleted ones included.
func (p *Portal) anyUser(id string) (u directory.User, deleted bool, err error) {
	u, err = p.dir.User(id)
	if directory.CodeOf(err) == directory.NotFound {
		u, err = p.dir.DeletedUser(id)
		return u, true, err
	}
	return u, false, err
}

// historyLimit is how many records the page of an object shows.
const historyLimit = 6

func (p *Portal) showUser(c echo.Context, u directory.User, deleted bool, values, faults map[string]string) error {
	v := userView{Base: p.page(c, u.DisplayName, "users", Link{"Users", "/users"}), ID: u.ID, Name: u.DisplayName, UPN: u.UserPrincipalName, Type: u.UserType,
		Created: u.CreatedDateTime, Enabled: u.AccountEnabled, Deleted: deleted, Sections: userSections(values, faults)}
	v.Here = "/users/" + u.ID
	for _, s := range v.Sections {
		v.Faulty = append(v.Faulty, faulty(s.Fields)...)
	}
	var err error
	if v.Why, err = p.why(u.Object, deleted); err != nil {
		return err
	}
	if deleted {
		v.DeletedAt, v.Until = u.DeletedDateTime, u.DeletedDateTime.Add(directory.RecycleTime)
	} else {
		groups, err := p.dir.MemberOf(u.ID)
		if err != nil {
			return err
		}
		for _, g := range groups {
			w := whoOf(g)
			w.Sub = p.memberCount(g.ID)
			v.Groups = append(v.Groups, w)
		}
	}
	logs, err := p.Service.Logs(sim.LogQuery{ObjectID: u.ID, Limit: historyLimit})
	if err != nil {
		return err
	}
	v.History = logs.Items
	return form(c, "user", faults, v)
}

func (p *Portal) saveUser(c echo.Context) error {
	if err := c.Request().ParseForm(); err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "The form can't be read.")
	}
	u, err := p.dir.User(c.Param("id"))
	if err != nil {
		return err
	}
	props, values := userProps(c)
	values["id"] = u.ID
	if err := p.settleManager(props); err != nil {
		return p.showUser(c, u, false, values, fieldErrors(err, "manager"))
	}
	if _, err := p.dir.UpdateUser(p.Service.Clock().Now(), u.ID, props); err != nil {
		faults := fieldErrors(err, "displayName")
		if faults == nil {
			return err
		}
		return p.showUser(c, u, false, values, faults)
	}
	return say(c, "/users/"+u.ID, "Saved. The next cycle carries what its mappings read.")
}

func (p *Portal) userAction(c echo.Context) error {
	id, now := c.Param("id"), p.Service.Clock().Now()
	here := "/users/" + id
	u, err := p.dir.User(id)
	if err != nil {
		return err
	}
	switch c.Param("action") {
	case "disable":
		if _, err = p.dir.UpdateUser(now, id, directory.Props{"accountEnabled": false}); err == nil {
			return say(c, here, "Account disabled. The next cycle tells each target that holds it.")
		}
	case "enable":
		if _, err = p.dir.UpdateUser(now, id, directory.Props{"accountEnabled": true}); err == nil {
			return say(c, here, "Account enabled. The next cycle carries it to each application that it is in scope of.")
		}
	case "delete":
		ok, questionErr := p.sure(c, "Delete "+u.DisplayName+"?", deleteUserText, "Delete", here)
		if !ok {
			return questionErr
		}
		if err = p.dir.DeleteUser(now, id); err == nil {
			return say(c, here, u.DisplayName+" deleted. The account can be restored for 30 days.")
		}
	case "join":
		return p.joinGroup(c, u, here)
	default:
		return echo.ErrNotFound
	}
	return complain(c, here, err)
}

const deleteUserText = "The account moves to Deleted users for 30 days. The next cycle switches it off where it is provisioned; the permanent deletion follows when the 30 days end."

// joinGroup adds a user to the group that was named.
func (p *Portal) joinGroup(c echo.Context, u directory.User, here string) error {
	g, err := p.find(directory.KindGroup, c.FormValue("group"))
	if err == nil {
		err = p.addMember(g, u.Object)
	}
	if err != nil {
		return complain(c, here, err)
	}
	return say(c, here, "Member of "+g.DisplayName+" now.")
}
