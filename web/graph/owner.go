package graph

import (
	"net/http"
	"slices"
	"strings"

	"entrasim/directory"
)

// ownerRoutes are those of the owners of groups, applications and service principals.
func ownerRoutes() (r []route) {
	for _, set := range []string{"/groups/{id}", "/applications/{id}", "/servicePrincipals/{id}"} {
		r = append(r,
			route{method: "GET", path: set + "/owners", handle: (*Graph).listOwners, options: pageOptions, doc: "List owners"},
			route{method: "GET", path: set + "/owners/{cast}", handle: (*Graph).listOwners, options: pageOptions, doc: "List owners of one type"},
			route{method: "GET", path: set + "/owners/$count", handle: (*Graph).countOwners, options: "filter search", doc: "Count owners"},
			route{method: "GET", path: set + "/owners/$ref", handle: (*Graph).listOwnerRefs, doc: "List the addresses of owners"},
			route{method: "POST", path: set + "/owners/$ref", handle: (*Graph).addOwner, doc: "Add an owner"},
			route{method: "DELETE", path: set + "/owners/$ref", handle: (*Graph).removeOwner, doc: "Remove the owner that @id names"},
			route{method: "GET", path: set + "/owners/{owner}/$ref", handle: (*Graph).getOwnerRef, doc: "Get the address of an owner"},
			route{method: "DELETE", path: set + "/owners/{owner}/$ref", handle: (*Graph).removeOwner, doc: "Remove an owner"},
		)
	}
	return r
}

func (g *Graph) owners(c *call) ([]directory.Object, error) {
	h, err := g.holder(c)
	if err != nil {
		return nil, err
	}
	list, err := g.dir.Owners(h)
	return byNum(list), err
}

func (g *Graph) listOwners(c *call) error {
	list, err := g.owners(c)
	if err != nil {
		return err
	}
	return g.respondObjects(c, list, c.params["cast"])
}

func (g *Graph) countOwners(c *call) error {
	if err := needEventual(c); err != nil {
		return err
	}
	list, err := g.owners(c)
	if err != nil {
		return err
	}
	return g.countObjects(c, list)
}

func (g *Graph) listOwnerRefs(c *call) error {
	list, err := g.owners(c)
	if err != nil {
		return err
	}
	refs := []object{}
	for _, o := range list {
		refs = append(refs, object{{"@odata.id", c.base + "/directoryObjects/" + o.ID}})
	}
	return collection(c, "Collection($ref)", refs)
}

func (g *Graph) getOwnerRef(c *call) error {
	list, err := g.owners(c)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(o directory.Object) bool { return strings.EqualFold(o.ID, c.params["owner"]) })
	if i < 0 {
		return missing(c.params["owner"])
	}
	o := list[i]
	return c.entity(http.StatusOK, "directoryObjects/$entity", object{kindOf(o.Kind).odataType(), {"id", o.ID}, {"url", c.base + "/directoryObjects/" + o.ID}})
}

// addOwner is api/group-post-owners.md, api/application-post-owners.md and api/serviceprincipal-post-owners.md.
func (g *Graph) addOwner(c *call) error {
	h, err := g.holder(c)
	if err != nil {
		return err
	}
	id, err := c.reference()
	if err != nil {
		return err
	}
	if err := g.dir.AddOwner(g.svc.Clock().Now(), h, id); err != nil {
		return err
	}
	return c.noContent()
}

// removeOwner takes the owner of the path, or that of ?@id=…, away; one that is none is 404 in the path.
func (g *Graph) removeOwner(c *call) error {
	h, err := g.holder(c)
	if err != nil {
		return err
	}
	id := c.params["owner"]
	if id == "" {
		if id, err = reference(strings.TrimSpace(c.query["@id"])); err != nil {
			return err
		}
	} else {
		list, err := g.dir.Owners(h)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(o directory.Object) bool { return strings.EqualFold(o.ID, id) }) {
			return missing(id)
		}
	}
	if err := g.dir.RemoveOwner(g.svc.Clock().Now(), h, id); err != nil {
		return err
	}
	return c.noContent()
}
