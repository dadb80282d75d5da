package target

import (
	"bytes"
	"reflect"
	"strings"
)

// change is a PATCH under way: it works on a copy of the attributes, and notes members to add and remove, so that a failing
// operation leaves nothing behind.
type change struct {
	s       *Store
	r       *resource
	doc     map[string]any
	members map[*resource]bool // what is to become of some: in or out
	order   []*resource        // those to come in, in their order
	without bool               // all others go
}

// patch applies operations to a resource; s is locked. It reports whether something changed.
func (s *Store) patch(r *resource, ops []operation) (changed bool, err error) {
	doc, err := decode(r.doc)
	if err != nil {
		return false, err
	}
	c := &change{s: s, r: r, doc: doc, members: map[*resource]bool{}}
	for i := range ops {
		if err := c.do(&ops[i]); err != nil {
			return false, err
		}
	}
	if err := complete(r.kind, c.doc); err != nil {
		return false, err
	}
	if err := s.unique(r, r.kind, c.doc); err != nil {
		return false, err
	}
	return c.apply(), nil
}

// apply makes the change real and reports whether there was one: what changes nothing leaves the version alone
// (RFC 7644 § 3.5.2.1).
func (c *change) apply() (changed bool) {
	s, r := c.s, c.r
	if doc := encode(r.kind, c.doc); !bytes.Equal(doc, r.doc) {
		s.change(r, doc)
		changed = true
	}
	for m, in := range c.members {
		if !in {
			changed = s.leave(r, m) || changed
		}
	}
	if c.without {
		for m := range r.members {
			if !c.members[m] {
				changed = s.leave(r, m) || changed
			}
		}
	}
	for _, m := range c.order {
		if c.members[m] {
			changed = s.join(r, m) || changed
		}
	}
	if changed {
		s.modified(r)
	}
	return changed
}

func (c *change) do(op *operation) error {
	pl := op.place
	if pl.ext == "" {
		if pl.attr.name == "members" && c.r.kind == groups {
			return c.doMembers(op)
		}
		return c.attribute(c.doc, op)
	}
	urn := storedURN(c.r.kind, c.doc, pl.ext)
	if pl.attr == nil { // remove of the whole
		delete(c.doc, urn)
		return nil
	}
	into, _ := c.doc[urn].(map[string]any)
	if into == nil {
		into = map[string]any{}
	}
	if err := c.attribute(into, op); err != nil {
		return err
	}
	if c.doc[urn] = into; len(into) == 0 {
		delete(c.doc, urn)
	}
	return nil
}

// attribute changes one attribute in an object.
func (c *change) attribute(into map[string]any, op *operation) error {
	a := op.place.attr
	switch {
	case a.writeOnly:
		_, err := c.s.value(a, op.value)
		return err
	case a.typ == "any":
		return c.unknown(into, op)
	case op.filter != nil && a.multi:
		return c.elements(into, op)
	case op.filter != nil:
		return c.filtered(into, op)
	case op.place.sub != nil:
		return c.subAttribute(into, op)
	case op.verb == "remove":
		return c.remove(into, op)
	}
	v, err := c.s.value(a, op.value)
	if err != nil {
		return err
	}
	if op.verb == "add" && a.multi {
		c.add(into, a, v)
		return nil
	}
	if old, ok := into[a.name].(map[string]any); ok && a.typ == "complex" && a.name != "manager" {
		if m, ok := v.(map[string]any); ok { // sub-attributes that are not named stay
			for k, x := range m {
				old[k] = x
			}
			return nil
		}
	}
	put(into, a.name, v)
	return nil
}

// unknown changes an attribute of an extension that no schema describes: what can be told from the value alone is done.
func (c *change) unknown(into map[string]any, op *operation) error {
	name := op.place.attr.name
	for _, have := range sortedKeys(into) {
		if strings.EqualFold(have, name) {
			name = have
		}
	}
	if op.filter != nil {
		if _, ok := into[name].([]any); !ok && into[name] != nil {
			return bad("invalidPath", "%s has one value and takes no filter", op.path)
		}
		typed := *op
		typed.place.attr = &attr{name: name, typ: "complex", multi: true, open: true}
		return c.elements(into, &typed)
	}
	if op.place.sub != nil {
		m, _ := into[name].(map[string]any)
		if m == nil {
			m = map[string]any{}
		}
		if put(m, op.place.sub.name, op.value); op.verb == "remove" {
			delete(m, op.place.sub.name)
		}
		if into[name] = m; len(m) == 0 {
			delete(into, name)
		}
		return nil
	}
	have, isList := into[name].([]any)
	switch more, ok := op.value.([]any); {
	case op.verb == "remove":
		delete(into, name)
	case op.verb == "add" && isList && ok:
		for _, e := range more {
			if !contains(have, e) {
				have = append(have, e)
			}
		}
		into[name] = have
	default:
		put(into, name, op.value)
	}
	return nil
}

// add adds values to those of a multi-valued attribute; those that are there already change nothing.
func (c *change) add(into map[string]any, a *attr, v any) {
	have, _ := into[a.name].([]any)
	added, _ := v.([]any)
	var primary map[string]any
	for _, e := range added {
		if contains(have, e) {
			continue
		}
		have = append(have, e)
		if m, ok := e.(map[string]any); ok && m["primary"] == true {
			primary = m
		}
	}
	if len(have) > 0 {
		onePrimary(have, primary)
		into[a.name] = have
	}
}

func contains(list []any, e any) bool {
	for _, x := range list {
		if reflect.DeepEqual(x, e) {
			return true
		}
	}
	return false
}

// remove unassigns an attribute. A value list names the values that go, as Entra means it.
func (c *change) remove(into map[string]any, op *operation) error {
	a := op.place.attr
	gone, ok := op.value.([]any)
	if !ok && op.value != nil {
		gone = []any{op.value}
	}
	if len(gone) == 0 {
		delete(into, a.name)
		return nil
	}
	c.s.note("valueListRemove", op.path)
	if !a.multi {
		delete(into, a.name)
		return nil
	}
	have, _ := into[a.name].([]any)
	var kept []any
	for _, e := range have {
		if !named(gone, e) {
			kept = append(kept, e)
		}
	}
	if into[a.name] = kept; len(kept) == 0 {
		delete(into, a.name)
	}
	return nil
}

// named reports whether a list of values names e: by value when it has one, else by what it says of it.
func named(list []any, e any) bool {
	m, _ := e.(map[string]any)
	for _, g := range list {
		if t, ok := g.(string); ok {
			g = map[string]any{"value": t}
		}
		want, ok := g.(map[string]any)
		if !ok || len(want) == 0 {
			continue
		}
		if v := find(want, "value"); v != nil {
			want = map[string]any{"value": v}
		}
		all := true
		for k, x := range want {
			a, aok := find(m, k).(string)
			b, bok := x.(string)
			all = all && (aok && bok && fold(a) == fold(b) || reflect.DeepEqual(find(m, k), x))
		}
		if all {
			return true
		}
	}
	return false
}

// subAttribute changes a part of a complex attribute, of a multi-valued one in each value.
func (c *change) subAttribute(into map[string]any, op *operation) error {
	a, sub := op.place.attr, op.place.sub
	var v any
	if op.verb != "remove" {
		var err error
		if v, err = c.s.value(sub, op.value); err != nil {
			return err
		}
	}
	if a.multi {
		list, _ := into[a.name].([]any)
		if len(list) == 0 && op.verb != "remove" {
			list = []any{map[string]any{}} // what does not exist is added (RFC 7644 § 3.5.2.1, 3.5.2.3)
		}
		var kept []any
		for _, e := range list {
			m, _ := e.(map[string]any)
			put(m, sub.name, v)
			if len(m) > 0 {
				kept = append(kept, m)
			}
		}
		onePrimary(kept, nil)
		if into[a.name] = kept; len(kept) == 0 {
			delete(into, a.name)
		}
		return nil
	}
	m, _ := into[a.name].(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	put(m, sub.name, v)
	if into[a.name] = m; len(m) == 0 {
		delete(into, a.name)
	}
	return nil
}

// filtered changes a single-valued complex attribute behind a filter, as Entra removes a manager.
func (c *change) filtered(into map[string]any, op *operation) error {
	a := op.place.attr
	m, _ := into[a.name].(map[string]any)
	hit := m != nil && op.wants(appendValue(nil, m, nil))
	switch {
	case !hit && op.verb == "remove":
		c.s.note("removeNothing", op.path)
		return nil
	case !hit:
		return bad("noTarget", "%s does not match %s", a.name, op.path)
	}
	plain := *op
	plain.filter = nil
	return c.attribute(into, &plain)
}
