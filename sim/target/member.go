package target

import "strings"

// doMembers adds, replaces or removes members. Adding one that is there and removing one that is not both succeed.
func (c *change) doMembers(op *operation) error {
	if op.verb == "remove" {
		return c.removeMembers(op)
	}
	if op.filter != nil || op.place.sub != nil {
		return bad("mutability", "members can be added and removed, not changed")
	}
	var ids []string
	if op.value != nil {
		var err error
		if ids, err = c.s.memberValues(op.value); err != nil {
			return err
		}
	}
	list, err := c.s.known(ids)
	if err != nil {
		return err
	}
	if op.verb == "replace" {
		c.without, c.members, c.order = true, map[*resource]bool{}, nil
	}
	for _, m := range list {
		c.members[m] = true
	}
	c.order = append(c.order, list...)
	return nil
}

func (c *change) removeMembers(op *operation) error {
	if op.place.sub != nil {
		return bad("mutability", "members can be added and removed, not changed")
	}
	if op.filter != nil {
		hit := false
		for _, m := range c.meant(op.filter) {
			if c.has(m) && op.wants(c.r.appendEdge(nil, m, "")) {
				c.members[m], hit = false, true
			}
		}
		if !hit {
			c.s.note("removeNothing", op.path)
		}
		return nil
	}
	var ids []string
	if op.value != nil {
		var err error
		if ids, err = c.s.memberValues(op.value); err != nil {
			return err
		}
	}
	if len(ids) == 0 {
		c.without, c.members, c.order = true, map[*resource]bool{}, nil
		return nil
	}
	c.s.note("valueListRemove", op.path)
	for _, id := range ids {
		if m := c.s.lookup(id); m != nil {
			c.members[m] = false
		}
	}
	return nil
}

// has reports whether the group has a member after the operations so far.
func (c *change) has(m *resource) bool {
	if in, named := c.members[m]; named {
		return in
	}
	_, in := c.r.members[m]
	return in && !c.without
}

// meant lists the resources among which a filter finds its members: one when it asks for an id, so that a large group is
// not walked for each member that leaves.
func (c *change) meant(filter *node) []*resource {
	for _, n := range conjuncts(filter) {
		if id, ok := n.value.(string); ok && n.op == "eq" && strings.EqualFold(n.path.name, "value") {
			if m := c.s.lookup(fold(id)); m != nil {
				return []*resource{m}
			}
			return nil
		}
	}
	list := append([]*resource(nil), c.order...)
	for m := range c.r.members {
		list = append(list, m)
	}
	return list
}

func has(m map[string]any, name string) bool {
	for k := range m {
		if strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}
