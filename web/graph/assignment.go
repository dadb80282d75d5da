package graph

import (
	"net/http"
	"strings"

	"entrasim/directory"
)

// assignment shows an appRoleAssignment (resources/approleassignment.md).
func (g *Graph) assignment(a directory.Assignment) object {
	name := ""
	if sp, err := g.dir.ServicePrincipal(a.SPID); err == nil {
		name = sp.DisplayName
	}
	return object{{"id", a.ID}, {"deletedDateTime", nil}, {"appRoleId", a.RoleID}, {"createdDateTime", fine(a.CreatedDateTime)},
		{"principalDisplayName", a.PrincipalDisplayName}, {"principalId", a.PrincipalID}, {"principalType", a.PrincipalKind.String()},
		{"resourceDisplayName", name}, {"resourceId", a.SPID}}
}

// assignmentKind is for $select and $filter of assignments.
var assignmentKind = newKind("appRoleAssignment", "AppRoleAssignment", "appRoleAssignments", standardFields("id", text, "deletedDateTime", moment,
	"appRoleId", text, "createdDateTime", text, "principalDisplayName", text, "principalId", text, "principalType", text, "resourceDisplayName", text,
	"resourceId", text))

// end is the side of assignments that a path addresses: an application, or a principal.
type end struct {
	id      string // of the object
	context string
	page    func(id, cursor string, limit int) (directory.Page[directory.Assignment], error)
}

func (g *Graph) applicationEnd(c *call) (end, error) {
	sp, err := g.principal(c)
	return end{sp.ID, "servicePrincipals('" + sp.ID + "')/appRoleAssignedTo", g.dir.Assignments}, err
}

func (g *Graph) principalEnd(c *call) (end, error) {
	o, err := g.dir.Object(userKey(c.params["id"]))
	if err == nil && !strings.EqualFold(kindOf(o.Kind).set, strings.SplitN(strings.TrimPrefix(c.path, "/"), "/", 2)[0]) && !strings.Contains(c.path, "(") {
		err = missing(c.params["id"])
	}
	return end{o.ID, kindOf(o.Kind).set + "('" + o.ID + "')/appRoleAssignments", g.dir.AssignmentsOf}, err
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

func (g *Graph) assignments(c *call, e end) error {
	token, err := g.resume(c, e.context)
	if err != nil {
		return err
	}
	t, err := assignmentKind.read(c)
	if err != nil {
		return err
	}
	var list []object
	total, cursor := 0, token.Cursor
	more := false
	for { // filtered here: one by one, so that the cursor is that of the last shown
		page, err := e.page(e.id, cursor, 1)
		if err != nil {
			return err
		}
		for _, a := range page.Items {
			o := g.assignment(a)
			if !t.keeps(o.get, false) {
				continue
			}
			if len(list) == t.query.Limit {
				more = true
				break
			}
			total++
			list = append(list, assignmentKind.show(o.get, t.selected))
			token.Cursor = page.Next
		}
		if cursor = page.Next; cursor == "" || more {
			break
		}
	}
	out := object{{"@odata.context", c.context(e.context)}}
	if t.count && !more {
		out = append(out, member{"@odata.count", total})
	}
	if more {
		out = append(out, member{"@odata.nextLink", c.next(token)})
	}
	if list == nil {
		list = []object{}
	}
	return c.json(http.StatusOK, append(out, member{"value", list}))
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
	return c.created("/"+path+"/"+a.ID, e.context+"/$entity", g.assignment(a))
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
	return c.entity(http.StatusOK, e.context+"/$entity", g.assignment(a))
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
	for cursor := ""; ; {
		page, err := e.page(e.id, cursor, 999)
		if err != nil {
			return directory.Assignment{}, "", err
		}
		for _, a := range page.Items {
			if a.ID == c.params["assignment"] {
				return a, e.context, nil
			}
		}
		if cursor = page.Next; cursor == "" {
			return directory.Assignment{}, "", missing(c.params["assignment"])
		}
	}
}

func (g *Graph) getAssignment(c *call) error {
	a, context, err := g.ofPrincipal(c)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, context+"/$entity", g.assignment(a))
}

func (g *Graph) deleteAssignment(c *call) error {
	a, _, err := g.ofPrincipal(c)
	if err != nil {
		return err
	}
	return g.unassign(c, a.SPID, a.ID)
}
