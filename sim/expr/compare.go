package expr

import "strings"

// compileCompare compares two operands. With a null side, or an attribute that is empty, the result is False whatever the
// operator: the limitation that functions-for-customizing-application-data.md describes under IIF. Whole numbers compare as
// numbers; with a date on either side both are dates; everything else is text, compared with case.
func compileCompare(n *Node) (code, *Error) {
	left, bad := compile(n.Args[0], nil)
	if bad != nil {
		return nil, bad
	}
	right, bad := compile(n.Args[1], nil)
	if bad != nil {
		return nil, bad
	}
	leftAttribute, rightAttribute := n.Args[0].Kind == NodeAttribute, n.Args[1].Kind == NodeAttribute
	op := n.Name
	return func(env *Env) (Value, *Error) {
		a, bad := left(env)
		if bad != nil || a.stops() {
			return a, bad
		}
		b, bad := right(env)
		if bad != nil || b.stops() {
			return b, bad
		}
		if a.IsNull() || b.IsNull() || leftAttribute && a.IsEmpty() || rightAttribute && b.IsEmpty() {
			return Boolean(false), nil
		}
		if a.kind == KindString && b.kind == KindString && a.text == b.text { // the usual case, spared the conversions
			return Boolean(op == "=" || op == "<=" || op == ">="), nil
		}
		c := call{env: env, node: n}
		if bad := c.spend(a.size() + b.size()); bad != nil {
			return Null, bad
		}
		order, bad := c.order(a, b)
		return Boolean(holds(op, order)), bad
	}, nil
}

// order is below, at or above 0.
func (c call) order(a, b Value) (int, *Error) {
	if a.kind == KindDate || b.kind == KindDate {
		x, bad := c.date(0, a)
		if bad != nil {
			return 0, bad
		}
		y, bad := c.date(1, b)
		return sign(int64(x - y)), bad
	}
	if x, ok := a.integer(); ok {
		if y, ok := b.integer(); ok {
			if x < y {
				return -1, nil
			}
			if x > y {
				return 1, nil
			}
			return 0, nil
		}
	}
	return strings.Compare(a.Text(), b.Text()), nil
}

func sign(n int64) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func holds(op string, order int) bool {
	switch op {
	case "=":
		return order == 0
	case "<>":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}
