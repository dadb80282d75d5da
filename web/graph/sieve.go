package graph

import (
	"slices"
	"strings"

	"entrasim/directory"
)

// sieve is what $filter and $search keep of a list whose objects are of several kinds.
type sieve struct {
	filter *filter
	search *search
}

// anyKind has the properties of all kinds that stand in such lists. An object without a property has it as null.
var anyKind = func() *kind {
	var all []field
	for _, k := range []*kind{userKind, groupKind, principalKind} {
		for _, f := range k.fields {
			if !slices.ContainsFunc(all, func(x field) bool { return x.name == f.name }) {
				all = append(all, f)
			}
		}
	}
	k := newKind("directoryObject", "DirectoryObject", "directoryObjects", all)
	k.extensions = true
	return k
}()

// sieve reads the options of a list, nil when it is to show everything.
func (c *call) sieve() (*sieve, error) {
	k := anyKind
	if of, empty, ok := castKind(c.params["cast"]); ok && !empty {
		k = kindOf(of)
	}
	given, filtered := c.query["filter"]
	text, searched := c.query["search"]
	if !filtered && !searched {
		return nil, nil
	}
	t, err := k.conditions(c, given, filtered, text, searched)
	return &sieve{t.filter, t.search}, err
}

// passes reports whether an object is kept; one that was deleted meanwhile is not.
func (g *Graph) passes(s *sieve, o directory.Object) (bool, error) {
	if s == nil {
		return true, nil
	}
	get, err := g.valuesOf(o)
	if isMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return (&terms{filter: s.filter, search: s.search}).keeps(get, false), nil
}

// kept are the objects that a sieve lets through.
func (g *Graph) kept(s *sieve, list []directory.Object) ([]directory.Object, error) {
	if s == nil {
		return list, nil
	}
	var out []directory.Object
	for _, o := range list {
		ok, err := g.passes(s, o)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, o)
		}
	}
	return out, nil
}

// ids are those that a filter names, so that nobody walks all members of a group to find one.
func (s *sieve) ids() (list []string, ok bool) {
	if s == nil {
		return nil, false
	}
	for _, part := range s.filter.conjuncts() {
		if part.op != "eq" && part.op != "in" || part.args[0].op != "path" || part.args[0].path != "id" {
			continue
		}
		for _, a := range part.args[1:] {
			if id, _ := a.lit.(string); id != "" && !slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, id) }) {
				list = append(list, id)
			}
		}
		return list, true
	}
	return nil, false
}

// valuesOf gives the properties of a live object.
func (g *Graph) valuesOf(o directory.Object) (values, error) {
	switch o.Kind {
	case directory.KindGroup:
		v, err := g.dir.Group(o.ID)
		return groupValues(&v), err
	case directory.KindServicePrincipal:
		v, err := g.dir.ServicePrincipal(o.ID)
		return g.principalValues(&v), err
	}
	v, err := g.dir.User(o.ID)
	return userValues(&v), err
}
