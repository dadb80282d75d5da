package target

import "strings"

// place is where a path leads: an attribute of the resource or of an extension, and a sub-attribute of it.
type place struct {
	ext  string // URN of the extension, "" for the resource's own attributes
	attr *attr  // nil: the whole extension
	sub  *attr
}

func (pl place) String() string {
	s := pl.ext
	if pl.attr != nil {
		if s != "" {
			s += ":"
		}
		s += pl.attr.name
	}
	if pl.sub != nil {
		s += "." + pl.sub.name
	}
	return s
}

// end is the attribute whose values are compared or set.
func (pl place) end() *attr {
	if pl.sub != nil {
		return pl.sub
	}
	return pl.attr
}

// resolve finds what a path of a resource type means; ok is false when no schema has it. lenient names what had to be put up
// with. Attributes of extensions that no schema here describes are all there.
func resolve(k kind, p attrPath) (pl place, lenient string, ok bool) {
	first, more, _ := strings.Cut(p.sub, ".")
	own := p.urn == "" || strings.EqualFold(p.urn, schemaOf(k))
	whole := p.urn + ":" + p.name
	switch {
	case own:
		pl.attr = tableOf(k)[strings.ToLower(p.name)]
		if pl.attr == nil && k == users && p.urn == "" {
			if pl.attr = enterpriseTable[strings.ToLower(p.name)]; pl.attr != nil {
				pl.ext, lenient = urnEnterprise, "bareExtension"
			}
		}
	case strings.EqualFold(whole, schemaOf(k)) && p.sub != "": // …:2.0:User.userName
		pl, _, ok = resolve(k, attrPath{name: first, sub: more})
		return pl, "dottedExtension", ok
	case extensionName(k, whole) && p.sub != "": // …:2.0:User.department, as jobs of before December 2018 write it
		pl, _, ok = resolve(k, attrPath{urn: whole, name: first, sub: more})
		return pl, "dottedExtension", ok
	case extensionName(k, whole):
		pl.ext = canonicalURN(k, whole)
		return pl, "", true
	case k == users && strings.EqualFold(p.urn, urnEnterprise):
		pl.ext, pl.attr = urnEnterprise, enterpriseTable[strings.ToLower(p.name)]
	default:
		pl.ext, pl.attr = p.urn, &attr{name: p.name, typ: "any"}
	}
	if pl.attr == nil || more != "" {
		return pl, "", false
	}
	if p.sub == "" {
		return pl, lenient, true
	}
	pl.sub = subOf(pl.attr, p.sub)
	return pl, lenient, pl.sub != nil
}

// subOf finds a sub-attribute. Values of some attributes may have members that no schema names.
func subOf(a *attr, name string) *attr {
	if sub := a.sub(name); sub != nil {
		return sub
	}
	if a.typ == "any" || a.open {
		return &attr{name: name, typ: "any"}
	}
	return nil
}

// extensionName reports whether a URN names an extension and not an attribute of one: names of extensions end with the
// resource type that they extend.
func extensionName(k kind, urn string) bool {
	last := urn[strings.LastIndexByte(urn, ':')+1:]
	return isURN(urn) && strings.EqualFold(last, k.String()) && !strings.EqualFold(urn, schemaOf(k))
}

// canonicalURN gives the URN of an extension the case that its schema has.
func canonicalURN(k kind, urn string) string {
	if k == users && strings.EqualFold(urn, urnEnterprise) {
		return urnEnterprise
	}
	return urn
}

// values calls f with each value of the attribute in a resource's attributes, elements of lists one by one, until f
// returns false. Complex values come whole; see ends for what stands at the sub-attribute.
func (pl place) values(doc []byte, f func(value []byte) bool) {
	in := doc
	if pl.ext == urnEnterprise {
		in = member(doc, pl.ext)
	} else if pl.ext != "" {
		in = memberFold(doc, pl.ext)
	}
	if pl.attr.typ == "any" {
		eachElement(memberFold(in, pl.attr.name), f)
		return
	}
	eachElement(member(in, pl.attr.name), f)
}

// ends calls f with what a comparison compares: the values at the sub-attribute, and of a complex attribute without one
// those of value.
func (pl place) ends(doc []byte, f func(value []byte) bool) {
	pl.values(doc, func(v []byte) bool { return endOf(v, pl.sub, f) })
}

func endOf(v []byte, sub *attr, f func(value []byte) bool) bool {
	if v[0] != '{' {
		return sub != nil || f(v)
	}
	switch {
	case sub == nil:
		v = member(v, "value")
	case sub.typ == "any":
		v = memberFold(v, sub.name)
	default:
		v = member(v, sub.name)
	}
	return eachElement(v, f)
}
