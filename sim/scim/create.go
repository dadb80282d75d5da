package scim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// part is a mapped value on its way into a POST, with its path taken apart. attr is nil for what is in every body.
type part struct {
	*path
	sub     string // as in the path, save for an element's value
	attr    *Attribute
	element int // parts of one filter share it: the place of the first among them
	place   int // rank among the members of its URN
}

// partOf takes an attribute's path apart. An element without a sub-attribute behind it is its value.
func partOf(a *Attribute) part {
	p := part{path: parsePath(a.Path), attr: a}
	p.sub = p.path.sub
	if p.filter && p.sub == "" {
		p.sub = "value"
	}
	return p
}

// rank is the place of a member that does not stand where its name would put it.
func (p *part) rank(rt ResourceType) int {
	first := userFirst
	if rt == Group {
		first = groupFirst
	}
	if i := slices.Index(first, p.name); i >= 0 && p.urn == "" {
		return i
	}
	return len(first)
}

var (
	userFirst    = []string{"externalId", "userName"}
	groupFirst   = []string{"externalId", "displayName", "members"}
	nameOrder    = []string{"formatted", "familyName", "givenName", "honorificPrefix", "honorificSuffix"}
	elementOrder = []string{"primary", "type"}
)

// subRank is the place of a sub-attribute among the others of its element or object; equal ones go by name.
func (p *part) subRank() int {
	order := nameOrder
	if p.filter {
		order = elementOrder
	}
	if i := slices.Index(order, p.sub); i >= 0 {
		return i
	}
	return len(order)
}

// member reports whether two parts belong to one member of the body.
func (p *part) member(q *part) bool { return p.urn == q.urn && p.name == q.name }

// sortParts brings the parts of a body into the order of the wire: externalId and the naming attribute, then the rest by
// name, then extensions by URN; within a member its elements in mapping order, and their sub-attributes.
func sortParts(rt ResourceType, parts []part) {
	for i := range parts {
		if !parts[i].filter {
			continue // a member holds either elements or none
		}
		for k := range parts[:i+1] {
			if q := &parts[k]; q.filter && q.member(&parts[i]) && q.by == parts[i].by && q.equals == parts[i].equals {
				parts[i].element = k
				break
			}
		}
	}
	for i := range parts {
		parts[i].place = parts[i].rank(rt)
	}
	slices.SortStableFunc(parts, func(x, y part) int {
		switch { // what is costly is asked last
		case x.urn != y.urn:
			return strings.Compare(x.urn, y.urn)
		case x.place != y.place:
			return x.place - y.place
		case x.name != y.name:
			return strings.Compare(x.name, y.name)
		case x.element != y.element:
			return x.element - y.element
		}
		return cmp.Or(x.subRank()-y.subRank(), strings.Compare(x.sub, y.sub))
	})
}

// CreateBody is the body of a POST: schemas first, then the members in the order of sortParts.
func CreateBody(rt ResourceType, d Dialect, opt Options, attrs []Attribute) []byte {
	parts := make([]part, 0, len(attrs)+2)
	for i := range attrs {
		parts = append(parts, partOf(&attrs[i]))
	}
	always := func(name string) {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.urn == "" && p.name == name }) {
			parts = append(parts, part{path: parsePath(name)})
		}
	}
	if rt == Group && d != CustomAppSSO {
		always("members")
	}
	always("meta")
	sortParts(rt, parts)

	b := append(make([]byte, 0, 1024), `{"schemas":[`...)
	if rt == Group {
		b = appendString(b, coreGroup)
		if d == CustomAppSSO {
			b = appendString(append(b, ','), adscimGroup)
		}
	} else {
		b = appendString(append(appendString(b, coreUser), ','), enterpriseUser)
	}
	b = append(b, ']')
	urn := ""
	for len(parts) > 0 {
		n := 1
		for n < len(parts) && parts[n].member(&parts[0]) {
			n++
		}
		begins := parts[0].urn != urn
		if begins {
			if urn != "" {
				b = append(b, '}')
			}
			urn = parts[0].urn
			b = append(appendString(append(b, ','), urn), ":{"...)
		} else {
			b = append(b, ',')
		}
		b = appendMember(b, rt, opt, parts[:n])
		parts = parts[n:]
	}
	if urn != "" {
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendMember writes the name and the value of one member. Values with a filter make it a list, other sub-attributes an
// object; one that has no value at all is null.
func appendMember(b []byte, rt ResourceType, opt Options, parts []part) []byte {
	name := parts[0].name
	b = append(appendString(b, name), ':')
	if allNull(parts) {
		return append(b, "null"...)
	}
	if slices.ContainsFunc(parts, func(p part) bool { return p.filter }) {
		b = append(b, '[')
		first := true
		for len(parts) > 0 {
			n := 1
			for n < len(parts) && parts[n].element == parts[0].element {
				n++
			}
			if parts[0].filter && !allNull(parts[:n]) {
				if !first {
					b = append(b, ',')
				}
				first = false
				b = appendElement(b, opt, parts[:n])
			}
			parts = parts[n:]
		}
		return append(b, ']')
	}
	if slices.ContainsFunc(parts, func(p part) bool { return p.sub != "" }) {
		from := len(b)
		for _, p := range parts {
			if p.sub != "" {
				b = appendValue(append(appendString(append(b, ','), p.sub), ':'), *p.attr, true)
			}
		}
		b[from] = '{' // was the comma of the first
		return append(b, '}')
	}
	a := parts[len(parts)-1].attr
	switch {
	case a == nil && name == "meta":
		return append(appendString(append(b, `{"resourceType":`...), rt.String()), '}')
	case a == nil: // members of a new group
		return append(b, '[', ']')
	}
	if roles, ok := a.Value.(Roles); ok {
		return appendRoles(b, opt, roles.List, roles.createKey())
	}
	return appendValue(b, *a, true)
}

// allNull reports whether every part is null.
func allNull(parts []part) bool {
	return !slices.ContainsFunc(parts, func(p part) bool { return p.attr == nil || p.attr.Value != nil })
}

// appendElement writes one value of a multi-valued attribute: primary, type, then the rest by name, as the page on mappings
// prints roles (customize-application-attributes.md, "Provisioning a role to a SCIM app"). What the filter says is not said
// twice. A list makes an element of each of its values. Elements of an extension have primary only when it is mapped or
// filtered by: a target that knows no such sub-attribute and refuses what it does not know took them (recorded in 2026:
// https://github.com/pranems/SCIMServer, docs/evidence/scim-fresh-20260925/incident.json).
func appendElement(b []byte, opt Options, subs []part) []byte {
	if list, ok := subs[0].attr.Value.([]string); ok && len(subs) == 1 {
		for i, s := range list {
			if i > 0 {
				b = append(b, ',')
			}
			one := subs[0]
			one.attr = &Attribute{Path: one.attr.Path, Type: one.attr.Type, Value: s}
			b = appendElement(b, opt, []part{one})
		}
		return b
	}
	e := &subs[0]
	from := len(b)
	put := func(k string) { b = append(appendString(append(b, ','), k), ':') }
	mapped := func(sub string) int {
		return slices.IndexFunc(subs, func(p part) bool { return p.sub == sub })
	}
	byPrimary := strings.EqualFold(e.by, "primary")
	switch i := mapped("primary"); {
	case byPrimary:
		put("primary")
		if v, ok := parseBool(e.equals); ok && !opt.RolePrimaryString {
			b = strconv.AppendBool(b, v)
		} else {
			b = appendString(b, e.equals)
		}
	case i >= 0:
		put("primary")
		a := *subs[i].attr
		a.Type = Boolean
		b = appendValue(b, a, true)
	case e.urn == "":
		put("primary")
		b = strconv.AppendBool(b, e.by == "type" && e.equals == "work" && (e.name == "emails" || e.name == "phoneNumbers"))
	}
	if e.by != "" && !byPrimary {
		put(e.by)
		b = appendString(b, e.equals)
	}
	if slices.ContainsFunc(subs, func(p part) bool { return p.attr.Role != nil }) && mapped("type") < 0 && !strings.EqualFold(e.by, "type") {
		put("type")
		b = appendString(b, roleType)
	}
	for _, p := range subs {
		if p.sub != "primary" && p.sub != e.by {
			put(p.sub)
			b = appendValue(b, *p.attr, true)
		}
	}
	b[from] = '{' // was the comma of the first
	return append(b, '}')
}

// CreateFragment is what one attribute becomes in a POST, for display.
func CreateFragment(rt ResourceType, d Dialect, opt Options, a Attribute) []byte {
	p := partOf(&a)
	b := appendMember(nil, rt, opt, []part{p})
	if p.urn != "" {
		b = append(append(append(appendString(nil, p.urn), ":{"...), b...), '}')
	}
	return b
}
