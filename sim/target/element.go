package target

// elements changes the values of a multi-valued attribute that a filter picks; when none does, one is made from a filter
// of equality, as Entra expects.
func (c *change) elements(into map[string]any, op *operation) error {
	a := op.place.attr
	list, _ := into[a.name].([]any)
	if values, ok := op.value.([]any); ok && op.verb != "remove" && len(values) != 1 && op.place.sub != nil {
		return c.spread(into, op, values)
	}
	var kept []any
	var set map[string]any
	hit := false
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok || !op.wants(appendValue(nil, m, nil)) {
			kept = append(kept, e)
			continue
		}
		hit = true
		if op.verb == "remove" && op.place.sub == nil {
			continue
		}
		changed, err := c.setElement(op, m)
		if err != nil {
			return err
		}
		if len(changed) > 0 {
			kept, set = append(kept, changed), changed
		}
	}
	if !hit && op.verb == "remove" {
		c.s.note("removeNothing", op.path)
	}
	if !hit && op.verb != "remove" {
		m, err := c.fromFilter(op)
		if err != nil {
			return err
		}
		if set, err = c.setElement(op, m); err != nil {
			return err
		}
		kept = append(kept, set)
	}
	onePrimary(kept, set)
	if into[a.name] = kept; len(kept) == 0 {
		delete(into, a.name)
	}
	return nil
}

// spread carries out emails[type eq "other"].value = [{"value": …}, …]: one value of the attribute for each of the list. With
// replace they take the place of those that the filter picks.
func (c *change) spread(into map[string]any, op *operation, values []any) error {
	a := op.place.attr
	c.s.note("valueListSub", op.path)
	have, _ := into[a.name].([]any)
	var kept []any
	for _, e := range have {
		if m, ok := e.(map[string]any); op.verb == "add" || !ok || !op.wants(appendValue(nil, m, nil)) {
			kept = append(kept, e)
		}
	}
	for _, v := range values {
		m, ok := fromFilter(op.filter)
		if !ok {
			return bad("noTarget", "no value of %s can be made from %s", a.name, op.path)
		}
		one := *op
		one.value = []any{v}
		set, err := c.setElement(&one, m)
		if err != nil {
			return err
		}
		if !contains(kept, set) {
			kept = append(kept, set)
		}
	}
	onePrimary(kept, nil)
	if into[a.name] = kept; len(kept) == 0 {
		delete(into, a.name)
	}
	return nil
}

// setElement changes one value of a multi-valued attribute and returns it.
func (c *change) setElement(op *operation, m map[string]any) (map[string]any, error) {
	a, sub := op.place.attr, op.place.sub
	if sub == nil {
		value := op.value
		if l, ok := value.([]any); ok && len(l) == 1 {
			c.s.note("valueListSub", op.path)
			value = l[0]
		}
		v, err := c.s.element(a, value)
		if err != nil {
			return nil, err
		}
		set, _ := v.(map[string]any)
		if _, whole := value.(map[string]any); whole && op.verb == "replace" {
			return set, nil // RFC 7644 § 3.5.2.3
		}
		for k, x := range set {
			m[k] = x
		}
		return m, nil
	}
	if op.verb == "remove" {
		delete(m, sub.name)
		return m, nil
	}
	value := op.value
	if l, ok := value.([]any); ok && len(l) == 1 && !sub.multi { // [{"value": x}]
		c.s.note("valueListSub", op.path)
		value = l[0]
		if o, ok := value.(map[string]any); ok {
			value = find(o, "value")
		}
	}
	v, err := c.s.value(sub, value)
	if err != nil {
		return nil, err
	}
	put(m, sub.name, v)
	return m, nil
}

// fromFilter makes the value that an operation found none of.
func (c *change) fromFilter(op *operation) (map[string]any, error) {
	a := op.place.attr
	m, ok := fromFilter(op.filter)
	if !ok {
		return nil, bad("noTarget", "no value of %s matches %s", a.name, op.path)
	}
	c.s.note("createFromFilter", op.path)
	v, err := c.s.complex(a, m)
	if err != nil {
		return nil, err
	}
	made, _ := v.(map[string]any)
	if made == nil {
		made = map[string]any{}
	}
	return made, nil
}

// fromFilter makes a value from comparisons for equality joined by and.
func fromFilter(n *node) (map[string]any, bool) {
	m := map[string]any{}
	for _, c := range conjuncts(n) {
		if c.op != "eq" || c.value == nil {
			return nil, false
		}
		m[c.path.name] = c.value
	}
	return m, true
}
