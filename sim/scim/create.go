package scim

import (
	"slices"
	"sort"
	"strings"
)

// element is one value of a multi-valued attribute, gathered from the mappings that share a filter.
type element struct {
	key  string // text of the filter
	by   string
	is   string
	subs []Attribute // Path is the sub-attribute
}

// member is one member of a body.
type member struct {
	name     string
	plain    *Attribute
	subs     []Attribute
	elements []*element
}

// objectBuilder gathers attributes into members.
type objectBuilder struct{ members []member }

func (o *objectBuilder) find(name string) int {
	return slices.IndexFunc(o.members, func(m member) bool { return m.name == name })
}

// at returns the member of that name; it is good until the next call.
func (o *objectBuilder) at(name string) *member {
	i := o.find(name)
	if i < 0 {
		i = len(o.members)
		o.members = append(o.members, member{name: name})
	}
	return &o.members[i]
}

func (o *objectBuilder) add(p path, a Attribute) {
	m := o.at(p.name)
	switch {
	case p.filter:
		key := p.by + " " + p.equals
		i := slices.IndexFunc(m.elements, func(e *element) bool { return e.key == key })
		if i < 0 {
			i = len(m.elements)
			m.elements = append(m.elements, &element{key: key, by: p.by, is: p.equals})
		}
		a.Path = p.sub
		m.elements[i].subs = append(m.elements[i].subs, a)
	case p.sub != "":
		a.Path = p.sub
		m.subs = append(m.subs, a)
	default:
		m.plain = &a
	}
}

// nameOrder is the order of the sub-attributes of name; others follow by name.
var nameOrder = map[string]int{"formatted": 1, "familyName": 2, "givenName": 3, "honorificPrefix": 4, "honorificSuffix": 5}

// CreateBody is the body of a POST: schemas first, then externalId and the naming attribute, then the rest by name, then
// extensions by URN.
func CreateBody(rt ResourceType, d Dialect, opt Options, attrs []Attribute) []byte {
	core := objectBuilder{make([]member, 0, len(attrs)+2)}
	extensions := map[string]*objectBuilder{}
	for _, a := range attrs {
		p := parsePath(a.Path)
		into := &core
		if p.urn != "" {
			if into = extensions[p.urn]; into == nil {
				into = &objectBuilder{}
				extensions[p.urn] = into
			}
		}
		into.add(p, a)
	}
	b := make([]byte, 0, 1024)
	b = append(b, `{"schemas":[`...)
	if rt == Group {
		b = appendString(b, coreGroup)
		if d == CustomAppSSO {
			b = appendString(append(b, ','), adscimGroup)
		}
	} else {
		b = appendString(append(appendString(b, coreUser), ','), enterpriseUser)
	}
	b = append(b, ']')
	first := []string{"externalId", "userName"}
	if rt == Group {
		first = []string{"externalId", "displayName", "members"}
		if d != CustomAppSSO {
			core.at("members")
		}
	}
	core.at("meta")
	for _, name := range first {
		if i := core.find(name); i >= 0 {
			b = appendMember(b, rt, opt, &core.members[i])
			core.members = slices.Delete(core.members, i, i+1)
		}
	}
	b = appendMembers(b, rt, opt, core.members)
	urns := make([]string, 0, len(extensions))
	for urn := range extensions {
		urns = append(urns, urn)
	}
	sort.Strings(urns)
	for _, urn := range urns {
		b = append(appendString(append(b, ','), urn), ':')
		from := len(b)
		b = appendMembers(b, rt, opt, extensions[urn].members)
		b[from] = '{' // was the comma of the first member
		b = append(b, '}')
	}
	return append(b, '}')
}

func appendMembers(b []byte, rt ResourceType, opt Options, members []member) []byte {
	slices.SortFunc(members, func(x, y member) int { return strings.Compare(x.name, y.name) })
	for i := range members {
		b = appendMember(b, rt, opt, &members[i])
	}
	return b
}

// appendMember writes a comma, the name and the value.
func appendMember(b []byte, rt ResourceType, opt Options, m *member) []byte {
	b = append(appendString(append(b, ','), m.name), ':')
	switch {
	case m.name == "meta" && m.plain == nil:
		return append(appendString(append(b, `{"resourceType":`...), rt.String()), '}')
	case len(m.elements) > 0:
		b = append(b, '[')
		for i, e := range m.elements {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendElement(b, opt, m.name, e)
		}
		return append(b, ']')
	case len(m.subs) > 0:
		subs := slices.Clone(m.subs)
		sort.SliceStable(subs, func(i, k int) bool {
			x, y := nameOrder[subs[i].Path], nameOrder[subs[k].Path]
			if x != y && x > 0 && y > 0 {
				return x < y
			}
			if (x > 0) != (y > 0) {
				return x > 0
			}
			return subs[i].Path < subs[k].Path
		})
		b = append(b, '{')
		for i, s := range subs {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(append(appendString(b, s.Path), ':'), s, true)
		}
		return append(b, '}')
	case m.plain != nil:
		if roles, ok := m.plain.Value.(Roles); ok {
			return appendRoles(b, opt, roles)
		}
		return appendValue(b, *m.plain, true)
	}
	return append(b, '[', ']') // members of a new group
}

// appendElement writes one value of a multi-valued attribute: primary, type, value, then the rest by name.
func appendElement(b []byte, opt Options, name string, e *element) []byte {
	if len(e.subs) == 1 {
		if list, ok := e.subs[0].Value.([]string); ok {
			for i, s := range list {
				if i > 0 {
					b = append(b, ',')
				}
				one := *e
				one.subs = []Attribute{{Path: e.subs[0].Path, Type: e.subs[0].Type, Value: s}}
				b = appendElement(b, opt, name, &one)
			}
			return b
		}
	}
	b = append(b, '{')
	mapped := func(sub string) bool {
		return slices.ContainsFunc(e.subs, func(a Attribute) bool { return a.Path == sub })
	}
	comma := false
	put := func(k string) {
		if comma {
			b = append(b, ',')
		}
		comma = true
		b = append(appendString(b, k), ':')
	}
	switch {
	case strings.EqualFold(e.by, "primary"):
		put("primary")
		if v, ok := parseBool(e.is); ok && !opt.RolePrimaryString {
			b = appendText(b, Boolean, map[bool]string{true: "true", false: "false"}[v], true)
		} else {
			b = appendString(b, e.is)
		}
	case !mapped("primary"):
		put("primary")
		primary := e.by == "type" && e.is == "work" && (name == "emails" || name == "phoneNumbers")
		b = appendText(b, Boolean, map[bool]string{true: "true", false: "false"}[primary], true)
	}
	if e.by != "" && !strings.EqualFold(e.by, "primary") {
		put(e.by)
		b = appendString(b, e.is)
	}
	if slices.ContainsFunc(e.subs, func(a Attribute) bool { return a.Role != nil }) && !mapped("type") && !strings.EqualFold(e.by, "type") {
		put("type")
		b = appendString(b, roleType)
	}
	subs := slices.Clone(e.subs)
	rank := func(s string) string {
		switch s {
		case "primary":
			return "\x00"
		case "type":
			return "\x01"
		case "value":
			return "\x02"
		}
		return s
	}
	sort.SliceStable(subs, func(i, k int) bool { return rank(subs[i].Path) < rank(subs[k].Path) })
	for _, s := range subs {
		put(s.Path)
		if s.Path == "primary" {
			s.Type = Boolean
		}
		b = appendValue(b, s, true)
	}
	return append(b, '}')
}

// CreateFragment is what one attribute becomes in a POST, for display.
func CreateFragment(rt ResourceType, d Dialect, opt Options, a Attribute) []byte {
	p := parsePath(a.Path)
	var o objectBuilder
	o.add(p, a)
	b := appendMember(nil, rt, opt, o.at(p.name))[1:]
	if p.urn != "" {
		b = append(append(append(appendString(nil, p.urn), ":{"...), b...), '}')
	}
	return b
}
