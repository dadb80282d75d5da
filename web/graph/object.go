package graph

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"entrasim/directory"
)

// reference reads an @odata.id or an entry of @odata.bind: any host, with or without version and tenant; users,
// groups, servicePrincipals or directoryObjects, the id as a segment or in parentheses (api/group-post-members.md).
func reference(v any) (id string, err error) {
	bad := refused("Not a valid reference update.")
	text, ok := v.(string)
	if !ok {
		return "", bad
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", bad
	}
	path, err := splitPath(strings.TrimPrefix(u.EscapedPath(), "/"))
	if err != nil || len(path) < 2 {
		return "", bad
	}
	set := path[len(path)-2]
	switch strings.ToLower(set.text) {
	case "users", "groups", "serviceprincipals", "directoryobjects":
	default:
		return "", bad
	}
	id = path[len(path)-1].text
	if id == "" || !isGUID(id) && !(strings.EqualFold(set.text, "users") && strings.Contains(id, "@")) {
		return "", bad
	}
	return id, nil
}

// reference reads the body {"@odata.id": "..."}.
func (c *call) reference() (string, error) {
	body, err := c.object(false)
	if err != nil {
		return "", err
	}
	v, ok := body.take("@odata.id")
	if !ok {
		return "", refused("Not a valid reference update. The body holds no '@odata.id'.")
	}
	for name := range body {
		if !strings.Contains(name, "@odata.") {
			return "", refused("Property '%s' does not exist as a declared property or extension property.", name)
		}
	}
	return reference(v)
}

// references reads a list of @odata.bind.
func references(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, refused("Not a valid reference update.")
	}
	var ids []string
	for _, x := range list {
		id, err := reference(x)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// checkGUID refuses keys that are no GUIDs, as the directory does before it looks.
func checkGUID(id string) error {
	if !isGUID(id) {
		return refused("Invalid object identifier '%s'.", id)
	}
	return nil
}

// kindOf is the table of a kind of objects.
func kindOf(k directory.Kind) *kind {
	switch k {
	case directory.KindGroup:
		return groupKind
	case directory.KindServicePrincipal:
		return principalKind
	}
	return userKind
}

// directoryObject shows a live object of any kind with its type.
func (g *Graph) directoryObject(id string, selected []string) (object, error) {
	o, err := g.dir.Object(id)
	if directory.CodeOf(err) == directory.NotFound {
		app, err := g.registration(id)
		if err != nil {
			return nil, err
		}
		names, err := applicationKind.selectedOf(selected)
		if err != nil {
			return nil, err
		}
		return applicationKind.show(g.applicationValues(&app), names).with(applicationKind.odataType()), nil
	}
	if err != nil {
		return nil, err
	}
	k := kindOf(o.Kind)
	names, err := k.selectedOf(selected)
	if err != nil {
		return nil, err
	}
	get, err := g.valuesOf(o)
	if err != nil {
		return nil, err
	}
	return k.show(get, names).with(k.odataType()), nil
}

// directoryKinds are the kinds of objects that stand in lists of several.
var directoryKinds = []*kind{userKind, groupKind, principalKind, applicationKind}

// checkSelected refuses properties that no kind of objects has.
func checkSelected(names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(directoryKinds, func(o *kind) bool { _, ok := o.find(name); return ok }) {
			return badRequest("Could not find a property named '%s' on type 'microsoft.graph.directoryObject'.", name)
		}
	}
	return nil
}

// selectedOf is the selection of one kind in a list of several: properties that another kind has are left out.
func (k *kind) selectedOf(names []string) ([]string, error) {
	if err := checkSelected(names); err != nil {
		return nil, err
	}
	var list []string
	for _, name := range names {
		if _, ok := k.find(name); ok {
			list = append(list, name)
		}
	}
	if len(names) > 0 && len(list) == 0 {
		return []string{}, nil
	}
	return k.selected(list)
}

// castKind is the kind that a cast names; known is false for types that this directory has no objects of.
func castKind(cast string) (k directory.Kind, empty, ok bool) {
	switch strings.ToLower(cast) {
	case "user":
		return directory.KindUser, false, true
	case "group":
		return directory.KindGroup, false, true
	case "serviceprincipal":
		return directory.KindServicePrincipal, false, true
	case "application", "administrativeunit", "device", "directoryrole", "orgcontact":
		return 0, true, true
	}
	return 0, false, false
}

// ofKind are the objects of one kind; none of them when there can't be any.
func ofKind(list []directory.Object, k directory.Kind, empty bool) []directory.Object {
	return slices.DeleteFunc(slices.Clone(list), func(o directory.Object) bool { return empty || o.Kind != k })
}

// countObjects answers the path /$count of a list of objects.
func (g *Graph) countObjects(c *call, list []directory.Object) error {
	if cast := c.params["cast"]; cast != "" {
		k, empty, ok := castKind(cast)
		if !ok {
			return noSegment("microsoft.graph." + cast)
		}
		list = ofKind(list, k, empty)
	}
	c.query["count"] = "true" // as advanced as a query can be
	wanted, err := c.sieve()
	if err != nil {
		return err
	}
	if list, err = g.kept(wanted, list); err != nil {
		return err
	}
	return c.text(http.StatusOK, itoa(len(list)))
}

// respondObjects answers with objects of several kinds, or with those of one.
func (g *Graph) respondObjects(c *call, list []directory.Object, cast string) error {
	if err := checkSelected(c.query.list("select")); err != nil {
		return err
	}
	context := "directoryObjects"
	if cast != "" {
		k, empty, ok := castKind(cast)
		if !ok {
			return noSegment("microsoft.graph." + cast)
		}
		list = ofKind(list, k, empty)
		if !empty {
			context = kindOf(k).set
		}
	}
	top, err := c.query.top(pageStandard, pageMost)
	if err != nil {
		return err
	}
	token, err := g.resume(c, c.path)
	if err != nil {
		return err
	}
	wanted, err := c.sieve()
	if err != nil {
		return err
	}
	if list, err = g.kept(wanted, list); err != nil {
		return err
	}
	begin := slices.IndexFunc(list, func(o directory.Object) bool { return o.Num > token.Last })
	if begin < 0 {
		begin = len(list)
	}
	end := min(len(list), begin+top)
	out := object{{"@odata.context", c.context(context)}}
	if counted, err := c.query.count(); err != nil {
		return err
	} else if counted && c.eventual() {
		out = append(out, member{"@odata.count", len(list)})
	}
	if end < len(list) {
		token.Last = list[end-1].Num
		out = append(out, member{"@odata.nextLink", c.next(token)})
	}
	shown := []object{}
	for _, item := range list[begin:end] {
		o, err := g.directoryObject(item.ID, c.query.list("select"))
		if isMissing(err) { // deleted meanwhile
			continue
		}
		if err != nil {
			return err
		}
		shown = append(shown, o)
	}
	return c.json(http.StatusOK, append(out, member{"value", shown}))
}

// isOf refuses an object of another kind than the cast of the path names.
func (c *call) isOf(k directory.Kind) error {
	cast := c.params["cast"]
	if cast == "" {
		return nil
	}
	wanted, empty, ok := castKind(cast)
	switch {
	case !ok:
		return noSegment("microsoft.graph." + cast)
	case empty || wanted != k:
		return missing(c.params["id"])
	}
	return nil
}

// deleteDirectoryObject is api/directoryobject-delete.md, for every kind of objects.
func (g *Graph) deleteDirectoryObject(c *call) error {
	id := c.params["id"]
	if err := checkGUID(id); err != nil {
		return err
	}
	o, err := g.dir.Object(id)
	switch {
	case directory.CodeOf(err) == directory.NotFound:
		return g.deleteApplication(c)
	case err != nil:
		return err
	case o.Kind == directory.KindUser:
		return g.deleteUser(c)
	case o.Kind == directory.KindGroup:
		return g.deleteGroup(c)
	}
	return g.deletePrincipal(c)
}

func (g *Graph) getDirectoryObject(c *call) error {
	if err := checkGUID(c.params["id"]); err != nil {
		return err
	}
	if c.params["cast"] != "" && c.params["cast"] != "application" {
		live, err := g.dir.Object(c.params["id"])
		if err == nil {
			err = c.isOf(live.Kind)
		}
		if err != nil {
			return err
		}
	}
	o, err := g.directoryObject(c.params["id"], c.query.list("select"))
	if err != nil {
		return err
	}
	if c.params["cast"] == "application" && o.get("@odata.type") != applicationKind.odataType().value {
		return missing(c.params["id"])
	}
	return c.entity(http.StatusOK, "directoryObjects/$entity", o)
}

// getByIDs is api/directoryobject-getbyids.md.
func (g *Graph) getByIDs(c *call) error {
	var body struct {
		IDs   []string `json:"ids"`
		Types []string `json:"types"`
	}
	if err := c.decode(&body, false); err != nil {
		return err
	}
	if err := checkSelected(c.query.list("select")); err != nil {
		return err
	}
	if len(body.IDs) == 0 || len(body.IDs) > 1000 {
		return refused("Invalid value specified for property 'ids': it holds 1 to 1000 ids, not %d.", len(body.IDs))
	}
	list := []object{}
	for _, id := range body.IDs {
		if err := checkGUID(id); err != nil {
			return err
		}
		name := applicationKind.name
		if o, err := g.dir.Object(id); err == nil {
			name = kindOf(o.Kind).name
		} else if directory.CodeOf(err) != directory.NotFound {
			return err
		}
		if len(body.Types) > 0 && !slices.ContainsFunc(body.Types, func(t string) bool { return strings.EqualFold(t, name) || strings.EqualFold(t, "directoryObject") }) {
			continue
		}
		shown, err := g.directoryObject(id, c.query.list("select"))
		if isMissing(err) { // there is no such object
			continue
		}
		if err != nil {
			return err
		}
		list = append(list, shown)
	}
	return collection(c, "directoryObjects", list)
}

func byNum(list []directory.Object) []directory.Object {
	slices.SortFunc(list, func(a, b directory.Object) int {
		switch {
		case a.Num < b.Num:
			return -1
		case a.Num > b.Num:
			return 1
		}
		return 0
	})
	return list
}

func itoa(n int) string { return strconv.Itoa(n) }
