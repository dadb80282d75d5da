package target

import (
	"reflect"
	"slices"
	"strings"

	filter "github.com/scim2/filter-parser/v2"
)

// change is a PATCH under way: it works on a copy of the document, and notes members to add and remove, so that a failing
// operation leaves nothing behind.
type change struct {
	s       *Store
	r       *resource
	doc     map[string]any
	add     []string
	drop    map[string]bool
	dropAll bool
}

// patch applies the operations of a PATCH body to a resource; s.mu is held (RFC 7644 § 3.5.2).
func (s *Store) patch(r *resource, body map[string]any) error {
	schemas, _ := find(body, "schemas").([]any)
	if len(schemas) != 1 || schemas[0] != urnPatch {
		return bad("invalidSyntax", "schemas must be [%q]", urnPatch)
	}
	ops, ok := find(body, "Operations").([]any)
	if !ok || len(ops) == 0 {
		return bad("invalidSyntax", "Operations is required: a list of operations")
	}
	c := &change{s: s, r: r, doc: copyDoc(r.doc), drop: map[string]bool{}}
	for _, o := range ops {
		op, ok := o.(map[string]any)
		if !ok {
			return bad("invalidSyntax", "an operation is an object")
		}
		if err := c.operation(op); err != nil {
			return err
		}
	}
	if err := s.complete(r.kind, c.doc); err != nil {
		return err
	}
	if err := s.unique(r, c.doc); err != nil {
		return err
	}
	c.apply()
	return nil
}

// apply makes the change real.
func (c *change) apply() {
	s, r := c.s, c.r
	s.index(r, false)
	r.doc = c.doc
	s.index(r, true)
	if c.dropAll {
		for _, id := range r.memberIDs() {
			s.leave(r, id)
		}
	}
	for id := range c.drop {
		s.leave(r, id)
	}
	for _, id := range c.add {
		s.join(r, id)
	}
	s.modified(r)
}

func (s *Store) modified(r *resource) {
	r.modified = s.server.now()
	r.version++
	s.changed(r)
}

func (c *change) operation(op map[string]any) error {
	word, _ := find(op, "op").(string)
	verb := strings.ToLower(word)
	if verb != "add" && verb != "replace" && verb != "remove" {
		return bad("invalidSyntax", "op is %q; expected add, replace or remove", word)
	}
	if word != verb {
		c.s.note("opCase", word)
	}
	value := find(op, "value")
	path, _ := find(op, "path").(string)
	if path == "" {
		if verb == "remove" {
			return bad("noTarget", "a remove needs a path")
		}
		m, ok := value.(map[string]any)
		if !ok {
			return bad("invalidValue", "an operation without path needs an object as value")
		}
		return c.pathless(verb, m)
	}
	if verb != "remove" && value == nil {
		if _, given := op["value"]; !given {
			return bad("invalidValue", "%s of %s has no value", verb, path)
		}
	}
	return c.at(verb, path, value)
}

// pathless sets each member of an object; dotted and URN names are taken as paths.
func (c *change) pathless(verb string, m map[string]any) error {
	for _, name := range sortedKeys(m) {
		low := strings.ToLower(name)
		switch {
		case low == "schemas" || low == "id" || low == "meta":
		case strings.HasPrefix(low, "urn:") && isObject(m[name]):
			for _, sub := range sortedKeys(m[name].(map[string]any)) {
				if err := c.at(verb, name+":"+sub, m[name].(map[string]any)[sub]); err != nil {
					return err
				}
			}
		case strings.HasPrefix(low, "urn:") || strings.Contains(name, "."):
			c.s.note("dottedKeys", name)
			if err := c.at(verb, name, m[name]); err != nil {
				return err
			}
		default:
			if tableOf(c.r.kind)[low] == nil {
				c.s.note("unknownAttribute", name)
				continue
			}
			if err := c.at(verb, name, m[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

func isObject(v any) bool { _, ok := v.(map[string]any); return ok }

// target is a path taken apart.
type place struct {
	urn  string
	name string
	sub  string
	cond filter.Expression
}

func parsePath(text string) (p place, err error) {
	if len(text) > maxFilter || strings.Count(text, "(") > maxDepth {
		return p, bad("invalidPath", "the path is too long or nests too deep")
	}
	defer func() {
		if r := recover(); r != nil {
			err = bad("invalidPath", "the path %q can't be read", text)
		}
	}()
	x, err := filter.ParsePath([]byte(text))
	if err != nil {
		return p, bad("invalidPath", "the path %q can't be read: %v", text, err)
	}
	p.urn, p.name, p.cond = x.AttributePath.URI(), x.AttributePath.AttributeName, x.ValueExpression
	p.sub = x.AttributePath.SubAttributeName()
	if x.SubAttribute != nil {
		p.sub = *x.SubAttribute
	}
	if strings.EqualFold(p.urn, urnUser) || strings.EqualFold(p.urn, urnGroup) {
		p.urn = ""
	}
	return p, nil
}

func (c *change) at(verb, path string, value any) error {
	p, err := parsePath(path)
	if err != nil {
		return err
	}
	if p.urn == "" && strings.EqualFold(p.name, "members") && c.r.kind == groups {
		return c.members(verb, p, value)
	}
	into, t := c.doc, tableOf(c.r.kind)
	a := t[strings.ToLower(p.name)]
	if p.urn != "" {
		return c.extension(verb, p, path, value)
	}
	if a == nil {
		return bad("invalidPath", "there is no attribute %q", path)
	}
	if a.readOnly {
		return bad("mutability", "%s is read-only", a.name)
	}
	return c.attribute(into, a, verb, p, path, value)
}

// extension works on an attribute of an extension schema.
func (c *change) extension(verb string, p place, path string, value any) error {
	urn := p.urn
	known := strings.EqualFold(urn, urnEnterprise)
	if known {
		urn = urnEnterprise
	} else {
		for _, k := range sortedKeys(c.doc) {
			if strings.EqualFold(k, urn) {
				urn = k
			}
		}
	}
	into, _ := c.doc[urn].(map[string]any)
	if into == nil {
		into = map[string]any{}
	}
	a := &attr{name: p.name, typ: "any"}
	if known {
		if a = enterpriseTable[strings.ToLower(p.name)]; a == nil {
			return bad("invalidPath", "there is no attribute %q", path)
		}
	}
	if a.typ == "any" {
		put(into, p.name, value)
		if verb == "remove" {
			delete(into, p.name)
		}
	} else if err := c.attribute(into, a, verb, p, path, value); err != nil {
		return err
	}
	if c.doc[urn] = into; len(into) == 0 {
		delete(c.doc, urn)
	}
	return nil
}

// attribute changes one attribute in an object.
func (c *change) attribute(into map[string]any, a *attr, verb string, p place, path string, value any) error {
	switch {
	case p.cond != nil && a.multi:
		return c.elements(into, a, verb, p, path, value)
	case p.cond != nil && a.name == "manager" && verb == "remove":
		c.s.note("managerFilterRemove", path)
		if m, ok := into[a.name].(map[string]any); ok && evalElement(p.cond, m) {
			delete(into, a.name)
		}
		return nil
	case p.cond != nil:
		return bad("invalidPath", "%s is single-valued and takes no filter", a.name)
	case p.sub != "" && a.typ == "complex":
		return c.subAttribute(into, a, verb, p, value)
	case verb == "remove":
		if a.required {
			return bad("mutability", "%s is required and can't be removed", a.name)
		}
		if list, ok := value.([]any); ok && len(list) > 0 && a.multi {
			c.s.note("valueListRemove", path)
			return c.removeValues(into, a, list)
		}
		if list, ok := value.([]any); ok && len(list) > 0 {
			c.s.note("valueListRemove", path)
		}
		delete(into, a.name)
		return nil
	}
	v, err := c.s.value(a, value)
	if err != nil {
		return err
	}
	if verb == "add" && a.multi {
		have, _ := into[a.name].([]any)
		added, _ := v.([]any)
		for _, e := range added {
			if !containsElement(have, e) {
				have = append(have, e)
			}
		}
		if len(have) > 0 {
			into[a.name] = onePrimary(have)
		}
		return nil
	}
	if old, ok := into[a.name].(map[string]any); ok && a.typ == "complex" && a.name != "manager" {
		if m, isMap := v.(map[string]any); isMap { // sub-attributes that are not named stay
			for k, x := range m {
				old[k] = x
			}
			return nil
		}
	}
	put(into, a.name, v)
	return nil
}

func containsElement(list []any, e any) bool {
	return slices.ContainsFunc(list, func(x any) bool { return reflect.DeepEqual(x, e) })
}

func (c *change) removeValues(into map[string]any, a *attr, gone []any) error {
	have, _ := into[a.name].([]any)
	var kept []any
	for _, e := range have {
		m, _ := e.(map[string]any)
		drop := false
		for _, g := range gone {
			gm, ok := g.(map[string]any)
			drop = drop || ok && strings.EqualFold(asText(find(gm, "value")), asText(find(m, "value")))
		}
		if !drop {
			kept = append(kept, e)
		}
	}
	if into[a.name] = kept; len(kept) == 0 {
		delete(into, a.name)
	}
	return nil
}

func asText(v any) string {
	t, _ := v.(string)
	return t
}

func (c *change) subAttribute(into map[string]any, a *attr, verb string, p place, value any) error {
	sub := a.sub(p.sub)
	if sub == nil {
		return bad("invalidPath", "%s has no sub-attribute %q", a.name, p.sub)
	}
	if sub.readOnly {
		return bad("mutability", "%s.%s is read-only", a.name, sub.name)
	}
	var v any
	if verb != "remove" {
		var err error
		if v, err = c.s.value(sub, value); err != nil {
			return err
		}
	}
	if a.multi {
		list, _ := into[a.name].([]any)
		for _, e := range list {
			if m, ok := e.(map[string]any); ok {
				put(m, sub.name, v)
			}
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

// elements changes the values of a multi-valued attribute that a filter picks; when none does, one is made from a filter
// of equality, as Entra expects.
func (c *change) elements(into map[string]any, a *attr, verb string, p place, path string, value any) error {
	list, _ := into[a.name].([]any)
	var kept []any
	hit := false
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok || !evalElement(p.cond, m) {
			kept = append(kept, e)
			continue
		}
		hit = true
		if verb == "remove" && p.sub == "" {
			continue
		}
		if err := c.setElement(a, m, verb, p, value); err != nil {
			return err
		}
		kept = append(kept, m)
	}
	if !hit && verb != "remove" {
		m, ok := fromFilter(p.cond)
		if !ok {
			return bad("noTarget", "no value of %s matches %q", a.name, path)
		}
		if primary, isText := m["primary"].(string); isText {
			m["primary"] = strings.EqualFold(primary, "true")
		}
		c.s.note("createFromFilter", path)
		if err := c.setElement(a, m, verb, p, value); err != nil {
			return err
		}
		kept = append(kept, m)
	}
	if into[a.name] = onePrimary(kept); len(kept) == 0 {
		delete(into, a.name)
	}
	return nil
}

func (c *change) setElement(a *attr, m map[string]any, verb string, p place, value any) error {
	if p.sub == "" {
		o, ok := value.(map[string]any)
		if !ok {
			o = map[string]any{"value": value}
			if a.sub("value") == nil {
				return bad("invalidValue", "a value of %s is an object", a.name)
			}
		}
		v, err := c.s.single(a, o)
		if err != nil {
			return err
		}
		if set, ok := v.(map[string]any); ok {
			for k, x := range set {
				m[k] = x
			}
		}
		return nil
	}
	sub := a.sub(p.sub)
	if sub == nil {
		return bad("invalidPath", "%s has no sub-attribute %q", a.name, p.sub)
	}
	if verb == "remove" {
		delete(m, sub.name)
		return nil
	}
	if l, ok := value.([]any); ok && len(l) == 1 { // [{"value": x}]
		if o, isMap := l[0].(map[string]any); isMap {
			value = find(o, "value")
		}
	}
	v, err := c.s.value(sub, value)
	if err != nil {
		return err
	}
	put(m, sub.name, v)
	return nil
}

// fromFilter makes an element from comparisons for equality joined by and.
func fromFilter(e filter.Expression) (map[string]any, bool) {
	switch x := e.(type) {
	case *filter.AttributeExpression:
		if !strings.EqualFold(string(x.Operator), "eq") {
			return nil, false
		}
		return map[string]any{x.AttributePath.AttributeName: x.CompareValue}, true
	case *filter.LogicalExpression:
		a, ok := fromFilter(x.Left)
		b, also := fromFilter(x.Right)
		if x.Operator != filter.AND || !ok || !also {
			return nil, false
		}
		for k, v := range b {
			a[k] = v
		}
		return a, true
	}
	return nil, false
}

// members adds, replaces or removes members. Adding one that is there and removing one that is not both succeed.
func (c *change) members(verb string, p place, value any) error {
	if verb == "remove" {
		switch {
		case p.cond != nil:
			for id := range c.r.members {
				if evalElement(p.cond, map[string]any{"value": id}) {
					c.drop[id] = true
				}
			}
		case value != nil:
			ids, err := c.s.memberValues(value)
			if err != nil {
				return err
			}
			if len(ids) > 0 {
				c.s.note("valueListRemove", "members")
				for _, id := range ids {
					c.drop[id] = true
				}
				return nil
			}
			c.dropAll = true
		default:
			c.dropAll = true
		}
		return nil
	}
	if p.cond != nil || p.sub != "" {
		return bad("mutability", "members can be added and removed, not changed")
	}
	ids, err := c.s.memberValues(value)
	if err != nil {
		return err
	}
	if err := c.s.known(ids); err != nil {
		return err
	}
	if verb == "replace" {
		c.dropAll, c.add = true, nil
	}
	for _, id := range ids {
		delete(c.drop, id)
	}
	c.add = append(c.add, ids...)
	return nil
}

// unique refuses a userName that another user has.
func (s *Store) unique(r *resource, doc map[string]any) error {
	if r.kind != users {
		return nil
	}
	name, _ := doc["userName"].(string)
	if other := s.userName[strings.ToLower(name)]; other != nil && other != r {
		return &scimError{409, "uniqueness", "userName " + name + " is taken by " + other.id}
	}
	return nil
}
