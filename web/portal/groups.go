package portal

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
)

type groupsView struct {
	Base
	Q           string
	Rows        []groupRow
	First, Next string
}

type groupRow struct{ ID, Name, Members, Type, Description string }

// countLimit is where counting a group's members stops.
const countLimit = 10_000

func (p *Portal) memberCount(id string) string {
	n, err := p.dir.MemberCount(id, countLimit)
	switch {
	case err != nil:
		return "–"
	case n >= countLimit:
		return "over " + number(countLimit)
	}
	return number(n)
}

func groupType(g directory.Group) string {
	switch {
	case slices.Contains(g.GroupTypes, "Unified"):
		return "Microsoft 365"
	case g.SecurityEnabled:
		return "Security"
	}
	return "Distribution"
}

func (p *Portal) groups(c echo.Context) error {
	v := groupsView{Base: p.base(c, "Groups", "groups"), Q: c.QueryParam("q")}
	page, err := p.dir.Groups(directory.Query{Prefix: strings.TrimSpace(v.Q), ByName: v.Q == "", Cursor: c.QueryParam("cursor"), Limit: 50})
	if err != nil {
		return err
	}
	for _, g := range page.Items {
		v.Rows = append(v.Rows, groupRow{g.ID, g.DisplayName, p.memberCount(g.ID), groupType(g), g.Description})
	}
	v.First, v.Next = pageLinks(c, page.Next)
	return render(c, 200, "groups", v)
}

type groupView struct {
	Base
	ID, Name, Type string
	Created        time.Time
	Fields         []Field
	Errors         map[string]string
	Members        []directory.Object
	MemberCount    string
	People         []directory.User
	Why            []sim.Explanation
	First, Next    string
}

func groupFields(values, errs map[string]string) []Field {
	return []Field{
		{Name: "displayName", Label: "Name", Value: values["displayName"], Error: errs["displayName"]},
		{Name: "description", Label: "Description", Value: values["description"], Error: errs["description"], Optional: true},
	}
}

func (p *Portal) group(c echo.Context) error {
	g, err := p.dir.Group(c.Param("id"))
	if directory.CodeOf(err) == directory.NotFound {
		if _, deletedErr := p.dir.DeletedGroup(c.Param("id")); deletedErr == nil {
			return c.Redirect(303, "/deleted") // where it can be restored
		}
	}
	if err != nil {
		return err
	}
	return p.showGroup(c, g, map[string]string{"displayName": g.DisplayName, "description": g.Description}, nil)
}

func (p *Portal) showGroup(c echo.Context, g directory.Group, values, errs map[string]string) error {
	v := groupView{Base: p.base(c, g.DisplayName, "groups", Link{"Groups", "/groups"}), ID: g.ID, Name: g.DisplayName, Type: groupType(g), Created: g.CreatedDateTime,
		Fields: groupFields(values, errs), Errors: errs, MemberCount: p.memberCount(g.ID)}
	members, err := p.dir.Members(g.ID, c.QueryParam("cursor"), 50)
	if err != nil {
		return err
	}
	v.Members = members.Items
	v.First, v.Next = pageLinks(c, members.Next)
	people, err := p.dir.Users(directory.Query{Limit: 200, ByName: true})
	if err != nil {
		return err
	}
	v.People = people.Items
	if v.Why, err = p.Service.Why(g.ID); err != nil {
		return err
	}
	status := 200
	if len(errs) > 0 {
		status = 422
	}
	return render(c, status, "group", v)
}

func (p *Portal) saveGroup(c echo.Context) error {
	g, err := p.dir.Group(c.Param("id"))
	if err != nil {
		return err
	}
	values := map[string]string{"displayName": strings.TrimSpace(c.FormValue("displayName")), "description": strings.TrimSpace(c.FormValue("description"))}
	if _, err := p.dir.UpdateGroup(p.Service.Clock().Now(), g.ID, directory.Props{"displayName": values["displayName"], "description": values["description"]}); err != nil {
		if errs := fieldErrors(err, "displayName"); errs != nil {
			return p.showGroup(c, g, values, errs)
		}
		return err
	}
	return say(c, "/groups/"+g.ID, "Saved. The next cycle carries the change.")
}

func (p *Portal) groupAction(c echo.Context) error {
	id, now, member := c.Param("id"), p.Service.Clock().Now(), strings.TrimSpace(c.FormValue("member"))
	to := "/groups/" + id
	var err error
	message := ""
	switch c.Param("action") {
	case "add":
		err, message = p.dir.AddMembers(now, id, member), "Member added"
		if directory.CodeOf(err) == directory.Conflict {
			err = &directory.Error{Code: directory.Conflict, Message: member + " is a member already."}
		}
	case "remove":
		err, message = p.dir.RemoveMembers(now, id, member), "Member removed"
	case "delete":
		err, message, to = p.dir.DeleteGroup(now, id), "Group deleted. It can be restored for 30 days.", "/groups"
	default:
		return echo.ErrNotFound
	}
	if err != nil {
		return complain(c, "/groups/"+id, err)
	}
	return say(c, to, message)
}

func (p *Portal) newGroup(c echo.Context) error { return p.groupNewView(c, nil, nil) }

func (p *Portal) groupNewView(c echo.Context, values, errs map[string]string) error {
	status := 200
	if len(errs) > 0 {
		status = 422
	}
	return render(c, status, "groupnew", newView{Base: p.base(c, "New group", "groups", Link{"Groups", "/groups"}), Fields: groupFields(values, errs), Errors: errs})
}

func (p *Portal) createGroup(c echo.Context) error {
	values := map[string]string{"displayName": strings.TrimSpace(c.FormValue("displayName")), "description": strings.TrimSpace(c.FormValue("description"))}
	nick := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(values["displayName"]))
	if nick == "" {
		nick = "group-" + strconv.Itoa(p.dir.Counts().Groups+1)
	}
	if r := []rune(nick); len(r) > 64 {
		nick = string(r[:64])
	}
	g, err := p.dir.CreateGroup(p.Service.Clock().Now(), directory.Props{"displayName": values["displayName"], "description": values["description"], "mailNickname": nick})
	if err != nil {
		if errs := fieldErrors(err, "displayName"); errs != nil {
			return p.groupNewView(c, values, errs)
		}
		return err
	}
	return say(c, "/groups/"+g.ID, g.DisplayName+" created")
}

type deletedView struct {
	Base
	Lists []deletedList
}

type deletedList struct {
	Kind, Title string
	Items       []deletedItem
}

type deletedItem struct {
	ID, Name, URL string
	At, Until     time.Time
}

func (p *Portal) deleted(c echo.Context) error {
	v := deletedView{Base: p.base(c, "Deleted users", "deleted")}
	for _, kind := range []directory.Kind{directory.KindUser, directory.KindGroup} {
		page, err := p.dir.Deleted(kind, "", 200)
		if err != nil {
			return err
		}
		l := deletedList{Kind: kind.String(), Title: "Deleted " + strings.ToLower(kind.String()) + "s"}
		for _, o := range page.Items {
			item := deletedItem{ID: o.ID, Name: o.DisplayName, At: o.DeletedDateTime, Until: o.DeletedDateTime.Add(directory.RecycleTime)}
			if kind == directory.KindUser {
				item.URL = "/users/" + o.ID
			}
			l.Items = append(l.Items, item)
		}
		v.Lists = append(v.Lists, l)
	}
	return render(c, 200, "deleted", v)
}

func (p *Portal) deletedAction(c echo.Context) error {
	id, now := c.Param("id"), p.Service.Clock().Now()
	switch c.Param("action") {
	case "restore":
		o, err := p.dir.Restore(now, id)
		if err != nil {
			return complain(c, "/deleted", err)
		}
		return say(c, objectURL(o), o.DisplayName+" restored. The next cycle activates it.")
	case "purge":
		if err := p.dir.Purge(now, id); err != nil {
			return complain(c, "/deleted", err)
		}
		return say(c, "/deleted", "Deleted permanently. The next cycle carries it to the target.")
	}
	return echo.ErrNotFound
}
