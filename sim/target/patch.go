package target

import "strings"

// operation is one operation of a PATCH with its path read (RFC 7644 § 3.5.2).
type operation struct {
	verb   string // add, replace, remove
	path   string // as it came, "" when there is none
	place  place
	filter *node
	wants  element // filter made ready for the attribute
	value  any
}

// operations reads the body of a PATCH for a resource type. It reads nothing of the store.
func (s *Store) operations(k kind, body map[string]any) ([]operation, error) {
	schemas, _ := find(body, "schemas").([]any)
	urn := ""
	if len(schemas) == 1 {
		urn, _ = schemas[0].(string)
	}
	if !strings.EqualFold(urn, urnPatch) {
		return nil, bad("invalidSyntax", "schemas must be [%q]", urnPatch)
	}
	list, ok := find(body, "Operations").([]any)
	if !ok || len(list) == 0 {
		return nil, bad("invalidSyntax", "Operations is required: a list of operations")
	}
	var ops []operation
	for _, o := range list {
		m, ok := o.(map[string]any)
		if !ok {
			return nil, bad("invalidSyntax", "an operation is an object, not %s", jsonText(o))
		}
		read, err := s.operation(k, m)
		if err != nil {
			return nil, err
		}
		ops = append(ops, read...)
	}
	return ops, nil
}

// operation reads one operation; one without path gives as many as its value has members.
func (s *Store) operation(k kind, m map[string]any) ([]operation, error) {
	word, _ := find(m, "op").(string)
	op := operation{verb: strings.ToLower(word), value: find(m, "value")}
	if op.verb != "add" && op.verb != "replace" && op.verb != "remove" {
		return nil, bad("invalidSyntax", "op is %q; expected add, replace or remove", word)
	}
	if word != op.verb {
		s.note("opCase", word)
	}
	switch p := find(m, "path").(type) {
	case nil:
	case string:
		op.path = p
	default:
		return nil, bad("invalidPath", "path is text, not %s", jsonText(p))
	}
	if op.path != "" {
		if op.verb != "remove" && op.value == nil && !has(m, "value") {
			return nil, bad("invalidValue", "%s of %s has no value", op.verb, op.path)
		}
		return s.lead(k, op)
	}
	if op.verb == "remove" {
		return nil, bad("noTarget", "a remove needs a path")
	}
	values, ok := op.value.(map[string]any)
	if !ok {
		return nil, bad("invalidValue", "an operation without path needs an object as value, not %s", jsonText(op.value))
	}
	return s.pathless(k, op, values)
}

// pathless takes each member of a value as an operation; dotted, filtered and URN names are paths.
func (s *Store) pathless(k kind, op operation, values map[string]any) (ops []operation, err error) {
	lead := func(path string, value any) {
		if err == nil {
			op.path, op.value = path, value
			var more []operation
			more, err = s.lead(k, op)
			ops = append(ops, more...)
		}
	}
	for _, name := range sortedKeys(values) {
		v := values[name]
		inner, nested := v.(map[string]any)
		switch a := tableOf(k)[strings.ToLower(name)]; {
		case a != nil && (a.readOnly || a.name == "schemas"): // a whole resource may be sent so; what can't change is ignored
		case a != nil || isURN(name) && nested && extensionName(k, name):
			lead(name, v)
		case isURN(name) && nested: // an extension whose name does not tell so, or the resource's own schema
			for _, sub := range sortedKeys(inner) {
				lead(name+":"+sub, inner[sub])
			}
		case isURN(name) || strings.ContainsAny(name, ".["):
			s.note("dottedKeys", name)
			lead(name, v)
		case k == users && enterpriseTable[strings.ToLower(name)] != nil:
			lead(name, v)
		default:
			s.note("unknownAttribute", name)
		}
	}
	return ops, err
}

// lead finds where the path of an operation leads.
func (s *Store) lead(k kind, op operation) ([]operation, error) {
	p, filter, sub, err := parsePath(op.path)
	if err != nil {
		return nil, err
	}
	var lenient string
	var ok bool
	op.filter = filter
	if op.place, lenient, ok = resolve(k, p); !ok {
		return nil, bad("invalidPath", "a %s has no attribute %s", k, op.path)
	}
	if lenient != "" {
		s.note(lenient, op.path)
	}
	a := op.place.attr
	if filter != nil && (a == nil || op.place.sub != nil) {
		return nil, bad("invalidPath", "a filter stands behind an attribute with parts, not so in %s", op.path)
	}
	if sub != "" {
		if op.place.sub = subOf(a, sub); op.place.sub == nil {
			return nil, bad("invalidPath", "%s has no sub-attribute %s", a.name, sub)
		}
	}
	switch {
	case a == nil:
		return s.extension(k, op)
	case a.readOnly || op.place.sub != nil && op.place.sub.readOnly:
		return nil, bad("mutability", "%s is read-only", op.path)
	case a.name == "schemas": // follows from the attributes
		if op.verb == "remove" {
			return nil, bad("mutability", "schemas follows from the attributes and can't be removed")
		}
		return nil, nil
	case a.required && op.verb == "remove":
		return nil, bad("mutability", "%s is required and can't be removed", a.name)
	case filter == nil:
		s.unwrap(&op)
		return []operation{op}, nil
	case a.typ != "complex" && a.typ != "any":
		return nil, bad("invalidPath", "%s takes no filter", a.name)
	}
	if !a.multi && a.typ == "complex" {
		s.note("filterOnSingle", op.path)
	}
	if op.wants, err = s.compileElement(a, filter); err != nil {
		err.(*scimError).scimType = "invalidPath"
		return nil, err
	}
	return []operation{op}, nil
}

// unwrap takes a single value out of the list in which Entra's dialect of 2018 sends it. Of an attribute that no schema
// describes the empty reference tells that it is one.
func (s *Store) unwrap(op *operation) {
	a := op.place.attr
	if op.place.sub != nil {
		a = op.place.sub
	}
	list, _ := op.value.([]any)
	if len(list) != 1 || op.verb == "remove" || a.multi || a.typ == "complex" {
		return
	}
	if m, ok := list[0].(map[string]any); ok && has(m, "value") && (a.typ != "any" || has(m, "$ref")) {
		s.note("valueListSub", op.path)
		op.value = find(m, "value")
	}
}

// extension takes an operation on a whole extension as one on each of its attributes.
func (s *Store) extension(k kind, op operation) ([]operation, error) {
	if op.verb == "remove" {
		return []operation{op}, nil
	}
	values, ok := op.value.(map[string]any)
	if !ok {
		return nil, bad("invalidValue", "%s is an object, not %s", op.path, jsonText(op.value))
	}
	var ops []operation
	for _, name := range sortedKeys(values) {
		if k == users && op.place.ext == urnEnterprise && enterpriseTable[strings.ToLower(name)] == nil {
			s.note("unknownAttribute", op.path+":"+name)
			continue
		}
		inner := operation{verb: op.verb, path: op.place.ext + ":" + name, value: values[name]}
		more, err := s.lead(k, inner)
		if err != nil {
			return nil, err
		}
		ops = append(ops, more...)
	}
	return ops, nil
}
