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
	Q     string
	Rows  []groupRow
	Pager Pager
}

type groupRow struct {
	Who
	Members, Type, Description string
}

// countLimit is where counting a group's members stops.
const countLimit = 10_000

// memberCount words how many members a group has.
func (p *Portal) memberCount(id string) string {
	n, err := p.dir.MemberCount(id, countLimit)
	switch {
	case err != nil:
		return "–"
	case n >= countLimit:
		return "over " + plural(countLimit, "member")
	}
	return plural(n, "member")
}

func groupType(g directory.Group) string {
	kind := groupKind(g)
	if g.Dynamic() {
		kind += ", dynamic membership"
	}
	return kind
}

func groupKind(g directory.Group) string {
	switch {
	case slices.Contains(g.GroupTypes, "Unified"):
		return "Microsoft 365"
	case g.SecurityEnabled:
		return "Security"
	}
	return "Distribution"
}

func (p *Portal) groups(c echo.Context) error {
	v := groupsView{Base: p.page(c, "Groups", "groups"), Q: strings.TrimSpace(c.QueryParam("q"))}
	v.Crumbs = append(v.Crumbs, Link{Text: v.Tenant.DisplayName})
	found, err := p.groupsNamed(directory.Query{Prefix: v.Q, ByName: v.Q == "", Cursor: c.QueryParam("cursor"), Limit: pageSize})
	if err != nil {
		return err
	}
	for _, g := range found.Items {
		v.Rows = append(v.Rows, groupRow{whoOf(g.Object), p.memberCount(g.ID), groupType(g), g.Description})
	}
	v.Pager = pager(c, found.Next)
	return render(c, 200, "groups", v)
}

type groupView struct {
	Base
	ID, Name, Type string
	Created        time.Time
	Fields, Faulty []Field
	Members        []memberRow
	MemberCount    string
	Dynamic        string // how the members of a group with a rule come about, "" for one whose members are chosen by hand
	Groups         []Who
	Why            []whyView
	History        []sim.LogRecord
	Pager          Pager
}

type memberRow struct {
	Who
	ID string
}

func groupFields(values, faults map[string]string) []Field {
	return []Field{
		{Name: "displayName", Label: "Group name", Value: values["displayName"], Error: faults["displayName"]},
		{Name: "description", Label: "Group description", Value: values["description"], Error: faults["description"], Optional: true},
		{Name: "membership", Label: "Membership type", Value: values["membership"], Options: []Option{{"assigned", "Assigned"}, {"dynamic", "Dynamic user"}}},
		{Name: "membershipRuleProcessingState", Label: "Rule processing", Value: values["membershipRuleProcessingState"], Error: faults["membershipRuleProcessingState"],
			Options: []Option{{directory.RuleOn, "On"}, {directory.RulePaused, "Paused"}}, Hint: "Of a dynamic group. Paused leaves the members as they are."},
		{Name: "membershipRule", Label: "Dynamic membership rule", Value: values["membershipRule"], Error: faults["membershipRule"], Optional: true, Full: true, Rows: 3,
			Placeholder: `user.department -eq "Sales"`, Hint: "Of a dynamic group: its members are the users who satisfy it, and follow each change of a user."},
	}
}

// valuesOf are the fields of a group as it is.
func valuesOf(g directory.Group) map[string]string {
	values := map[string]string{"displayName": g.DisplayName, "description": g.Description, "membership": "assigned", "membershipRule": g.MembershipRule,
		"membershipRuleProcessingState": g.MembershipRuleState}
	if g.Dynamic() {
		values["membership"] = "dynamic"
	}
	return values
}

func (p *Portal) group(c echo.Context) error {
	g, err := p.dir.Group(c.Param("id"))
	if directory.CodeOf(err) == directory.NotFound {
		if _, deletedErr := p.dir.DeletedGroup(c.Param("id")); deletedErr == nil {
			return c.Redirect(303, "/deleted?kind=group") // where it can be restored
		}
	}
	if err != nil {
		return err
	}
	return p.showGroup(c, g, valuesOf(g), nil)
}

func (p *Portal) showGroup(c echo.Context, g directory.Group, values, faults map[string]string) error {
	v := groupView{Base: p.page(c, g.DisplayName, "groups", Link{"Groups", "/groups"}), ID: g.ID, Name: g.DisplayName, Type: groupType(g), Created: g.CreatedDateTime,
		Fields: groupFields(values, faults), MemberCount: p.memberCount(g.ID)}
	v.Faulty, v.Here = faulty(v.Fields), "/groups/"+g.ID
	switch {
	case g.Dynamic() && g.MembershipRuleState == directory.RulePaused:
		v.Dynamic = "The members follow from the rule, which is paused: nobody joins or leaves."
	case g.Dynamic():
		v.Dynamic = "The members follow from the rule: whoever satisfies it joins by itself."
	}
	v.Fields = append(v.Fields, Field{Name: "id", Label: "Object ID", Value: g.ID, ReadOnly: true, Full: true})
	members, err := p.dir.Members(g.ID, c.QueryParam("cursor"), pageSize)
	if err != nil {
		return err
	}
	for _, m := range members.Items {
		v.Members = append(v.Members, memberRow{whoOf(m), m.ID})
	}
	v.Pager = pager(c, members.Next)
	groups, err := p.dir.MemberOf(g.ID)
	if err != nil {
		return err
	}
	for _, o := range groups {
		v.Groups = append(v.Groups, whoOf(o))
	}
	if v.Why, err = p.why(g.Object, false); err != nil {
		return err
	}
	logs, err := p.Service.Logs(sim.LogQuery{ObjectID: g.ID, Limit: historyLimit})
	if err != nil {
		return err
	}
	v.History = logs.Items
	return form(c, "group", faults, v)
}

func groupValues(c echo.Context) map[string]string {
	values := map[string]string{}
	for _, name := range []string{"displayName", "description", "membership", "membershipRule", "membershipRuleProcessingState"} {
		values[name] = strings.TrimSpace(c.FormValue(name))
	}
	return values
}

// groupEdit is what was entered, as an edit of a group of those types. A form without a membership type leaves it as it is.
func groupEdit(values map[string]string, types []string) directory.Props {
	edit := directory.Props{"displayName": values["displayName"], "description": values["description"]}
	types = slices.DeleteFunc(slices.Clone(types), func(t string) bool { return t == directory.DynamicMembership })
	switch values["membership"] {
	case "dynamic":
		edit["groupTypes"] = append(types, directory.DynamicMembership)
		edit["membershipRule"], edit["membershipRuleProcessingState"] = values["membershipRule"], values["membershipRuleProcessingState"]
	case "assigned":
		edit["groupTypes"], edit["membershipRule"], edit["membershipRuleProcessingState"] = types, nil, nil
	}
	return edit
}

func (p *Portal) saveGroup(c echo.Context) error {
	g, err := p.dir.Group(c.Param("id"))
	if err != nil {
		return err
	}
	values := groupValues(c)
	if _, err := p.dir.UpdateGroup(p.Service.Clock().Now(), g.ID, groupEdit(values, g.GroupTypes)); err != nil {
		if faults := fieldErrors(err, "displayName"); faults != nil {
			return p.showGroup(c, g, values, faults)
		}
		return err
	}
	return say(c, "/groups/"+g.ID, "Saved. The next cycle carries what its mappings read.")
}

func (p *Portal) groupAction(c echo.Context) error {
	g, err := p.dir.Group(c.Param("id"))
	if err != nil {
		return err
	}
	here, now := "/groups/"+g.ID, p.Service.Clock().Now()
	switch c.Param("action") {
	case "add":
		return p.addNamed(c, g, here)
	case "remove":
		m, err := p.dir.Object(c.FormValue("member"))
		if err == nil {
			err = p.dir.RemoveMembers(now, g.ID, m.ID)
		}
		if err != nil {
			return complain(c, here, err)
		}
		return say(c, here, m.DisplayName+" is no member any more.")
	case "delete":
		ok, err := p.sure(c, "Delete "+g.DisplayName+"?", deleteGroupText, "Delete", here)
		if !ok {
			return err
		}
		if err := p.dir.DeleteGroup(now, g.ID); err != nil {
			return complain(c, here, err)
		}
		return say(c, "/groups", g.DisplayName+" deleted. It can be restored for 30 days.")
	}
	return echo.ErrNotFound
}

const deleteGroupText = "Its members leave scope where the group alone had assigned them. Where it is provisioned, the next cycle deletes it at the target: a SCIM group can't be switched off."

// addNamed adds the user, or else the group, that was named.
func (p *Portal) addNamed(c echo.Context, g directory.Group, here string) error {
	m, err := p.find(directory.KindUser, c.FormValue("member"))
	if directory.CodeOf(err) == directory.NotFound {
		if group, groupErr := p.find(directory.KindGroup, c.FormValue("member")); groupErr == nil {
			m, err = group, nil
		}
	}
	if err == nil {
		err = p.addMember(g.Object, m)
	}
	if err != nil {
		return complain(c, here, err)
	}
	text := m.DisplayName + " added."
	if m.Kind == directory.KindGroup {
		text += " Members of nested groups are not provisioned."
	}
	return say(c, here, text)
}

func (p *Portal) addMember(g, m directory.Object) error {
	err := p.dir.AddMembers(p.Service.Clock().Now(), g.ID, m.ID)
	if directory.CodeOf(err) == directory.Conflict {
		return said(m.DisplayName + " is a member of " + g.DisplayName + " already.")
	}
	return err
}

type newGroupView struct {
	Base
	Fields, Faulty []Field
}

func (p *Portal) newGroup(c echo.Context) error { return p.showNewGroup(c, nil, nil) }

func (p *Portal) showNewGroup(c echo.Context, values, faults map[string]string) error {
	v := newGroupView{Base: p.page(c, "New group", "groups", Link{"Groups", "/groups"}), Fields: groupFields(values, faults)}
	v.Faulty = faulty(v.Fields)
	return form(c, "groupnew", faults, v)
}

func (p *Portal) createGroup(c echo.Context) error {
	values := groupValues(c)
	edit := groupEdit(values, nil)
	edit["mailNickname"] = p.nickname(values["displayName"])
	g, err := p.dir.CreateGroup(p.Service.Clock().Now(), edit)
	if err != nil {
		if faults := fieldErrors(err, "displayName"); faults != nil {
			return p.showNewGroup(c, values, faults)
		}
		return err
	}
	return say(c, "/groups/"+g.ID, g.DisplayName+" created.")
}

// nickname makes the mail nickname that a group needs of its name.
func (p *Portal) nickname(name string) string {
	nick := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name)), "-")
	if nick == "" {
		nick = "group-" + strconv.Itoa(p.dir.Counts().Groups+1)
	}
	return nick[:min(len(nick), 64)]
}
