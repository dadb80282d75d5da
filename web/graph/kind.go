package graph

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"entrasim/directory"
)

// typeNumber is the type of numbers, which the directory has none of.
const typeNumber directory.Type = "Int32"

// field is one property of a kind as Graph shows it.
type field struct {
	name     string // in Graph's spelling, members of an object behind a slash
	typ      directory.Type
	owner    string // the resource in messages
	standard bool   // in the set that is answered without $select
	filters  bool
	hidden   bool // part of an object: for filters only
	link     bool // a navigation property: $select passes over it, $expand may show it
	fixed    bool // answered, but nothing here can write it
}

// kind is a type of entities.
type kind struct {
	name   string // behind microsoft.graph.
	title  string // in messages of the directory
	set    string // the entity set, in addresses and contexts
	fields []field
	byName map[string]*field // in lower case
	exact  bool              // filters compare text with regard to case
	// extensions: names that begin with extension_ are properties as well.
	extensions bool
	// lacking are properties that Graph's type has and this subset has not, in lower case.
	lacking map[string]bool
}

// links are fields for navigation properties.
func links(names string) (list []field) {
	for _, name := range strings.Fields(names) {
		list = append(list, field{name: name, typ: typeObject, link: true})
	}
	return list
}

// lacks names properties of Graph's type that are not here.
func (k *kind) lacks(names string) {
	k.lacking = map[string]bool{}
	for _, name := range strings.Fields(strings.ToLower(names)) {
		k.lacking[name] = true
	}
}

func newKind(name, title, set string, fields []field) *kind {
	k := &kind{name: name, title: title, set: set, fields: fields, byName: map[string]*field{}}
	for i := range k.fields {
		k.fields[i].owner = title
		k.byName[strings.ToLower(k.fields[i].name)] = &k.fields[i]
	}
	return k
}

// odataType is the annotation of a directory object.
func (k *kind) odataType() member { return member{"@odata.type", "#microsoft.graph." + k.name} }

// find returns a property by its name in any case.
func (k *kind) find(name string) (*field, bool) {
	p, ok := k.byName[strings.ToLower(name)]
	if !ok && k.extensions && strings.HasPrefix(name, "extension_") {
		return &field{name: name, typ: directory.TypeString, owner: k.title, filters: true}, true
	}
	return p, ok
}

// lack is the answer to a property that only Graph has; nil when it has none of that name either.
func (k *kind) lack(name string) error {
	if first, _, _ := strings.Cut(name, "/"); k.lacking[strings.ToLower(first)] {
		return notImplemented("The property '" + name + "' of a " + k.name)
	}
	return nil
}

// undeclared is the answer to a body that holds a name that is no property of the kind.
func (k *kind) undeclared(name string) error {
	if err := k.lack(name); err != nil {
		return err
	}
	return refused("Property '%s' does not exist as a declared property or extension property.", name)
}

// unwritable is the answer to a body that holds a property which is not written there; nil for others.
func (p *field) unwritable() error {
	switch {
	case p.link:
		return refused("Property '%s' is a navigation property; use /%s.", p.name, p.name)
	case p.fixed:
		return notImplemented("Writing the property '" + p.name + "'")
	}
	return nil
}

// unknownBind is the answer to a reference of a body that the route does not bind.
func unknownBind(name string) error {
	return refused("Property '%s' can't be bound here.", name)
}

func (k *kind) unknown(name string) error {
	if err := k.lack(name); err != nil {
		return err
	}
	return badRequest("Could not find a property named '%s' on type 'microsoft.graph.%s'.", name, k.name)
}

func (k *kind) filterable(name string) (*field, error) {
	p, ok := k.find(name)
	if !ok {
		return nil, k.unknown(name)
	}
	if !p.filters {
		return nil, unsupportedQuery("Unsupported or invalid query filter clause specified for property '%s' of resource '%s'.", p.name, k.title)
	}
	return p, nil
}

// selection reads $select; nil stands for the standard set.
func (k *kind) selection(c *call) ([]string, error) { return k.selected(c.query.list("select")) }

func (k *kind) selected(names []string) ([]string, error) {
	var list []string
	for _, name := range names {
		if name == "*" {
			return nil, nil
		}
		p, ok := k.find(name)
		switch {
		case ok && !p.hidden:
			if !slices.Contains(list, p.name) {
				list = append(list, p.name)
			}
		case slices.Contains(notReturnable, strings.ToLower(name)) && k.name == "user":
			return nil, &Error{Status: 501, Code: "NotImplemented", Message: "The property '" + name + "' can't be returned here."}
		default:
			return nil, k.unknown(name)
		}
	}
	return list, nil
}

// notReturnable are properties of a user that the service keeps elsewhere (api/user-list.md, "Optional query parameters").
var notReturnable = []string{"aboutme", "birthday", "hiredate", "interests", "mysite", "pastprojects", "preferredname", "responsibilities", "schools", "skills", "mailboxsettings"}

// show makes the answer for one object: the standard set, or what was selected.
func (k *kind) show(get values, selected []string) object {
	var o object
	if selected == nil {
		for i := range k.fields {
			if p := &k.fields[i]; p.standard && !p.link {
				o = append(o, member{p.name, plain(get(p.name), p.typ)})
			}
		}
		return o
	}
	for _, name := range selected {
		p, _ := k.find(name)
		if p.link {
			continue
		}
		o = append(o, member{p.name, plain(get(p.name), p.typ)})
	}
	return o
}

// plain turns a value of the directory into one of JSON: collections are never null, times are in seconds.
func plain(v any, typ directory.Type) any {
	switch x := v.(type) {
	case time.Time:
		return seconds(x)
	case nil:
		if typ == directory.TypeStrings || typ == directory.TypeObjects {
			return []any{}
		}
		return nil
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice && r.Len() == 0 {
		return []any{}
	}
	return v
}

// context is the context of a list or, with entity, of one object; selected properties stand in parentheses.
func (k *kind) context(selected []string, entity bool) string {
	text := k.set
	if selected != nil {
		text += "(" + strings.Join(selected, ",") + ")"
	}
	if entity {
		text += "/$entity"
	}
	return text
}

// fieldsFrom makes the table of a kind from the directory's: first the standard set in Graph's order, then the rest by name.
func fieldsFrom[T any](rows []directory.Property[T], standard []string, more ...field) []field {
	all := map[string]field{}
	for _, r := range rows {
		f := field{name: r.Name, typ: r.Type, filters: true, hidden: strings.Contains(r.Name, "/")}
		all[r.Name] = f
	}
	for _, f := range more {
		all[f.name] = f
	}
	var list []field
	for _, name := range standard {
		f, ok := all[name]
		if !ok {
			panic("graph: no property " + name)
		}
		f.standard = true
		list = append(list, f)
		delete(all, name)
	}
	var rest []string
	for name := range all {
		rest = append(rest, name)
	}
	slices.Sort(rest)
	for _, name := range rest {
		list = append(list, all[name])
	}
	return list
}
