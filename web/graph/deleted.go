package graph

import (
	"net/http"
	"strings"

	"entrasim/directory"
)

// listDeleted answers the deleted items of the kind that the cast names.
func (g *Graph) listDeleted(c *call) error {
	switch cast := c.params["cast"]; cast {
	case "user":
		s := g.users()
		s.list, s.one, s.total, s.tally, s.names, s.add = "deleted users", nil, nil, nil, nil, nil
		s.page = func(q directory.Query, keep func(*directory.User) bool) (directory.Page[directory.User], error) {
			return g.dir.DeletedUsers(q.Cursor, q.Limit, keep)
		}
		return s.respondDeleted(g, c)
	case "group":
		s := g.groups()
		s.list, s.one, s.total, s.names, s.add = "deleted groups", nil, nil, nil, nil
		s.page = func(q directory.Query, keep func(*directory.Group) bool) (directory.Page[directory.Group], error) {
			return g.dir.DeletedGroups(q.Cursor, q.Limit, keep)
		}
		return s.respondDeleted(g, c)
	case "serviceprincipal":
		s := g.principals()
		s.list, s.one, s.total, s.names, s.add = "deleted service principals", nil, nil, nil, nil
		s.page = func(q directory.Query, keep func(*directory.ServicePrincipal) bool) (directory.Page[directory.ServicePrincipal], error) {
			return g.deletedPrincipals(q, func(sp *directory.ServicePrincipal) bool { return !sp.Bare && keep(sp) })
		}
		return s.respondDeleted(g, c)
	case "application":
		s := g.applications()
		s.list, s.one, s.total, s.names, s.add = "deleted applications", nil, nil, nil, nil
		s.page = g.deletedPrincipals
		return s.respondDeleted(g, c)
	case "administrativeunit", "device":
		if counts(c) {
			return c.text(http.StatusOK, "0")
		}
		return collection(c, "directoryObjects", []object{})
	default:
		return noSegment("microsoft.graph." + cast)
	}
}

func (g *Graph) deletedPrincipals(q directory.Query, keep func(*directory.ServicePrincipal) bool) (directory.Page[directory.ServicePrincipal], error) {
	return g.dir.DeletedServicePrincipals(q.Cursor, q.Limit, keep)
}

// counts reports whether the path ends with $count.
func counts(c *call) bool { return strings.HasSuffix(c.path, "/$count") }

// respondDeleted is respond with the time of deletion in the standard set.
func (s source[T]) respondDeleted(g *Graph, c *call) error {
	switch by := strings.ToLower(strings.Join(strings.Fields(c.query["orderby"]), " ")); by {
	case "":
	case "deleteddatetime desc": // as they are listed anyway
		delete(c.query, "orderby")
	default:
		return unsupportedQuery("Sorting of deleted items by '%s' is not supported; they are listed by deletedDateTime desc.", c.query["orderby"])
	}
	s.expand = nil
	k := *s.kind
	k.fields = withDeleted(k.fields)
	k.set = "directoryObjects"
	s.kind = &k
	if counts(c) {
		return s.respondCount(c)
	}
	return s.respond(g, c)
}

// withDeleted puts deletedDateTime into the standard set.
func withDeleted(fields []field) []field {
	out := append([]field(nil), fields...)
	for i := range out {
		if out[i].name == "deletedDateTime" {
			out[i].standard = true
		}
	}
	return out
}

// deletedObject shows an object in deleted items with its type.
func (g *Graph) deletedObject(id string, selected []string) (object, error) {
	if err := checkGUID(id); err != nil {
		return nil, err
	}
	if app, err := g.dir.DeletedRegistration(id); err == nil {
		k := *applicationKind
		k.fields = withDeleted(k.fields)
		names, err := k.selected(selected)
		if err != nil {
			return nil, err
		}
		return k.show(g.applicationValues(&app), names).with(k.odataType()), nil
	}
	o, err := g.dir.DeletedObject(id)
	if err == nil && o.Bare {
		err = missing(id)
	}
	if err != nil {
		return nil, err
	}
	k := *kindOf(o.Kind)
	k.fields = withDeleted(k.fields)
	names, err := k.selectedOf(selected)
	if err != nil {
		return nil, err
	}
	var get values
	switch o.Kind {
	case directory.KindUser:
		u, err := g.dir.DeletedUser(id)
		if err != nil {
			return nil, err
		}
		get = userValues(&u)
	case directory.KindGroup:
		v, err := g.dir.DeletedGroup(id)
		if err != nil {
			return nil, err
		}
		get = groupValues(&v)
	default:
		sp, err := g.dir.DeletedServicePrincipal(id)
		if err != nil {
			return nil, err
		}
		get = g.principalValues(&sp)
	}
	return k.show(get, names).with(k.odataType()), nil
}

func (g *Graph) getDeleted(c *call) error {
	o, err := g.deletedObject(c.params["id"], c.query.list("select"))
	if err != nil {
		return err
	}
	if cast := c.params["cast"]; cast != "" && !(cast == "application" && o.get("@odata.type") == applicationKind.odataType().value) {
		if d, err := g.dir.DeletedObject(c.params["id"]); err != nil {
			return err
		} else if k, _, ok := castKind(cast); !ok || k != d.Kind {
			return missing(c.params["id"])
		}
	}
	return c.entity(http.StatusOK, "directoryObjects/$entity", o)
}

// noCast answers the list of deleted items without a type.
func (g *Graph) noCast(*call) error {
	return badRequest("The list of deleted items needs a type: /directory/deletedItems/microsoft.graph.user, for example.")
}

func (g *Graph) restore(c *call) error {
	if err := checkGUID(c.params["id"]); err != nil {
		return err
	}
	var body struct {
		AutoReconcileProxyConflict *bool   `json:"autoReconcileProxyConflict"`
		NewUserPrincipalName       *string `json:"newUserPrincipalName"`
	}
	if err := c.decode(&body, true); err != nil {
		return err
	}
	name := ""
	if body.NewUserPrincipalName != nil {
		if name = *body.NewUserPrincipalName; name == "" {
			return refused("Invalid value specified for property 'newUserPrincipalName' of resource 'User'.")
		}
		if err := g.checkDomain(name); err != nil {
			return err
		}
	}
	id, shownID := c.params["id"], c.params["id"]
	if app, err := g.dir.DeletedRegistration(id); err == nil {
		id = app.ID // the registration comes back together with its service principal
	}
	if _, err := g.dir.RestoreAs(g.svc.Clock().Now(), id, name); err != nil {
		return err
	}
	shown, err := g.directoryObject(shownID, nil)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, "directoryObjects/$entity", shown)
}

func (g *Graph) purge(c *call) error {
	if err := checkGUID(c.params["id"]); err != nil {
		return err
	}
	id := c.params["id"]
	if app, err := g.dir.DeletedRegistration(id); err == nil {
		id = app.ID
	}
	if err := g.dir.Purge(g.svc.Clock().Now(), id); err != nil {
		return err
	}
	return c.noContent()
}
