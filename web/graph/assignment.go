package graph

import (
	"net/http"
	"strings"

	"entrasim/directory"
)

// assignment shows an appRoleAssignment (resources/approleassignment.md).
func assignment(a directory.Assignment) object {
	return object{{"id", a.ID}, {"deletedDateTime", nil}, {"appRoleId", a.RoleID}, {"createdDateTime", fine(a.CreatedDateTime)},
		{"principalDisplayName", a.PrincipalDisplayName}, {"principalId", a.PrincipalID}, {"principalType", a.PrincipalKind.String()},
		{"resourceDisplayName", a.ResourceDisplayName}, {"resourceId", a.SPID}}
}

// assignmentKind is for $select and $filter of assignments.
var assignmentKind = newKind("appRoleAssignment", "AppRoleAssignment", "appRoleAssignments", standardFields("id", text, "deletedDateTime", moment,
	"appRoleId", text, "createdDateTime", text, "principalDisplayName", text, "principalId", text, "principalType", text, "resourceDisplayName", text,
	"resourceId", text))

// end is the side of assignments that a path addresses: an application, or a principal.
type end struct {
	id      string // of the object
	context string
	other   string // the property that names the other side
	page    grants
	mirror  grants // from the other side
}

// grants lists assignments from one of their sides.
type grants func(id, cursor string, limit int, keep func(*directory.Assignment) bool) (directory.Page[directory.Assignment], error)

func (g *Graph) applicationEnd(c *call) (end, error) {
	sp, err := g.principal(c)
	return end{sp.ID, "servicePrincipals('" + sp.ID + "')/appRoleAssignedTo", "principalId", g.dir.FilterAssignments, g.dir.FilterAssignmentsOf}, err
}

func (g *Graph) principalEnd(c *call) (end, error) {
	var o directory.Object
	var err error
	switch path := strings.ToLower(c.path); {
	case strings.HasPrefix(path, "/serviceprincipals"):
		var sp directory.ServicePrincipal
		sp, err = g.principal(c)
		o = sp.Object
	case strings.HasPrefix(path, "/groups"):
		var group directory.Group
		group, err = g.group(c)
		o = group.Object
	default:
		var u directory.User
		u, err = g.dir.User(userKey(c.params["id"]))
		o = u.Object
	}
	return end{o.ID, kindOf(o.Kind).set + "('" + o.ID + "')/appRoleAssignments", "resourceId", g.dir.FilterAssignmentsOf, g.dir.FilterAssignments}, err
}

func (g *Graph) listAssigned(c *call) error {
	e, err := g.applicationEnd(c)
	if err != nil {
		return err
	}
	return g.assignments(c, e)
}

func (g *Graph) listAssignments(c *call) error {
	e, err := g.principalEnd(c)
	if err != nil {
		return err
	}
	return g.assignments(c, e)
}

func (g *Graph) countAssigned(c *call) error {
	e, err := g.applicationEnd(c)
	if err != nil {
		return err
	}
	return e.count(c)
}

func (g *Graph) countAssignments(c *call) error {
	e, err := g.principalEnd(c)
	if err != nil {
		return err
	}
	return e.count(c)
}

// count answers the path /$count.
func (e end) count(c *call) error {
	if err := needEventual(c); err != nil {
		return err
	}
	c.query["count"] = "true"
	t, err := assignmentKind.read(c)
	if err != nil {
		return err
	}
	n, err := e.total(t)
	if err != nil {
		return err
	}
	return c.text(http.StatusOK, itoa(n))
}

func (e end) total(t terms) (n int, err error) {
	list, keep := e.chosen(t)
	_, err = list(e.id, "", 1, func(a *directory.Assignment) bool {
		if keep(a) {
			n++
		}
		return false
	})
	return n, err
}

func (g *Graph) assignments(c *call, e end) error {
	token, err := g.resume(c, e.context)
	if err != nil {
		return err
	}
	t, err := assignmentKind.read(c)
	if err != nil {
		return err
	}
	list, keep := e.chosen(t)
	page, err := list(e.id, token.Cursor, t.query.Limit, keep)
	if err != nil {
		return err
	}
	out := object{{"@odata.context", c.context(e.context)}}
	if t.count && token.Cursor == "" {
		n, err := e.total(t)
		if err != nil {
			return err
		}
		out = append(out, member{"@odata.count", n})
	}
	if page.Next != "" {
		token.Cursor = page.Next
		out = append(out, member{"@odata.nextLink", c.next(token)})
	}
	shown := []object{}
	for _, a := range page.Items {
		shown = append(shown, assignmentKind.show(assignment(a).get, t.selected))
	}
	return c.json(http.StatusOK, append(out, member{"value", shown}))
}

// chosen is how assignments are listed: from the other side when the filter names what is there, so that nobody walks all
// assignments of an application to find those of one user.
func (e end) chosen(t terms) (grants, func(*directory.Assignment) bool) {
	keep := func(a *directory.Assignment) bool { return t.keeps(assignment(*a).get, false) }
	for _, part := range t.filter.conjuncts() {
		if part.op != "eq" || part.args[0].op != "path" || part.args[0].path != e.other {
			continue
		}
		id, ok := part.args[1].lit.(string)
		if !ok {
			continue
		}
		return func(_, cursor string, limit int, keep func(*directory.Assignment) bool) (directory.Page[directory.Assignment], error) {
			page, err := e.mirror(id, cursor, limit, func(a *directory.Assignment) bool {
				return (a.SPID == e.id || a.PrincipalID == e.id) && keep(a)
			})
			if directory.CodeOf(err) == directory.NotFound {
				return directory.Page[directory.Assignment]{}, nil
			}
			return page, err
		}, keep
	}
	return e.page, keep
}

// createAssignment is api/serviceprincipal-post-approleassignedto.md and its mirror at users and groups.
func (g *Graph) createAssigned(c *call) error {
	e, err := g.applicationEnd(c)
	if err != nil {
		return err
	}
	return g.assign(c, e, true)
}

func (g *Graph) createAssignment(c *call) error {
	e, err := g.principalEnd(c)
	if err != nil {
		return err
	}
	return g.assign(c, e, false)
}

func (g *Graph) assign(c *call, e end, application bool) error {
	var body struct {
		PrincipalID   string `json:"principalId"`
		ResourceID    string `json:"resourceId"`
		AppRoleID     string `json:"appRoleId"`
		ID            any    `json:"id"`
		PrincipalType any    `json:"principalType"`
	}
	if err := c.decode(&body, false); err != nil {
		return err
	}
	for _, p := range []struct{ name, value string }{{"principalId", body.PrincipalID}, {"resourceId", body.ResourceID}, {"appRoleId", body.AppRoleID}} {
		if p.value == "" {
			return refused("A value is required for property '%s' of resource 'AppRoleAssignment'.", p.name)
		}
		if !isGUID(p.value) {
			return refused("Invalid value specified for property '%s' of resource 'AppRoleAssignment'.", p.name)
		}
	}
	if application && !strings.EqualFold(body.ResourceID, e.id) {
		return refused("Invalid value specified for property 'resourceId' of resource 'AppRoleAssignment': it is not the service principal of the address.")
	}
	if !application && !strings.EqualFold(body.PrincipalID, e.id) {
		return refused("Invalid value specified for property 'principalId' of resource 'AppRoleAssignment': it is not the object of the address.")
	}
	a, err := g.svc.Assign(body.ResourceID, body.PrincipalID, body.AppRoleID)
	if err != nil {
		return err
	}
	path := strings.Replace(e.context, "('"+e.id+"')", "/"+e.id, 1)
	return c.created("/"+path+"/"+a.ID, e.context+"/$entity", assignment(a))
}

func (g *Graph) getAssigned(c *call) error {
	e, err := g.applicationEnd(c)
	if err != nil {
		return err
	}
	a, err := g.dir.Assignment(e.id, c.params["assignment"])
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, e.context+"/$entity", assignment(a))
}

func (g *Graph) deleteAssigned(c *call) error {
	e, err := g.applicationEnd(c)
	if err != nil {
		return err
	}
	return g.unassign(c, e.id, c.params["assignment"])
}

func (g *Graph) unassign(c *call, sp, id string) error {
	if isGUID(id) { // the service would take a principal's id for all of its assignments
		return missing(id)
	}
	if err := g.svc.Unassign(sp, id); err != nil {
		return err
	}
	return c.noContent()
}

// ofPrincipal finds an assignment of a user or group by its id.
func (g *Graph) ofPrincipal(c *call) (directory.Assignment, string, error) {
	e, err := g.principalEnd(c)
	if err != nil {
		return directory.Assignment{}, "", err
	}
	a, err := g.dir.AssignmentOf(e.id, c.params["assignment"])
	return a, e.context, err
}

func (g *Graph) getAssignment(c *call) error {
	a, context, err := g.ofPrincipal(c)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, context+"/$entity", assignment(a))
}

func (g *Graph) deleteAssignment(c *call) error {
	a, _, err := g.ofPrincipal(c)
	if err != nil {
		return err
	}
	return g.unassign(c, a.SPID, a.ID)
}
