package target

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// condition decides whether a resource is wanted. The store is locked for reading.
type condition func(s *Store, r *resource) bool

// query is a filter made ready for one resource type.
type query struct {
	matches condition
	// lookups are comparisons for equality that every hit fulfils: any one of them, answered by an index, narrows the search.
	lookups []lookup
}

// lookup is a comparison of a place with a value for equality.
type lookup struct {
	place place
	value string
}

// compile makes a filter ready. The error is a scimError of type invalidFilter when the filter names attributes that the
// resource type does not have, or compares them with what they can't be.
func (s *Store) compile(k kind, n *node) (q query, err error) {
	switch n.op {
	case "and", "or":
		a, err := s.compile(k, n.left)
		if err != nil {
			return q, err
		}
		b, err := s.compile(k, n.right)
		if err != nil {
			return q, err
		}
		if n.op == "and" {
			return query{func(s *Store, r *resource) bool { return a.matches(s, r) && b.matches(s, r) }, append(a.lookups, b.lookups...)}, nil
		}
		return query{func(s *Store, r *resource) bool { return a.matches(s, r) || b.matches(s, r) }, nil}, nil
	case "not":
		a, err := s.compile(k, n.left)
		return query{func(s *Store, r *resource) bool { return !a.matches(s, r) }, nil}, err
	case "has":
		return s.compileValuePath(k, n)
	}
	return s.compileComparison(k, n)
}

func (s *Store) locate(k kind, p attrPath) (place, error) {
	pl, lenient, ok := resolve(k, p)
	if !ok || pl.attr == nil || pl.attr.writeOnly {
		return pl, bad("invalidFilter", "a %s has no attribute %s", k, p)
	}
	if lenient != "" {
		s.note(lenient, p.String())
	}
	return pl, nil
}

func (s *Store) compileComparison(k kind, n *node) (q query, err error) {
	pl, err := s.locate(k, n.path)
	if err != nil {
		return q, err
	}
	if n.op == "pr" {
		return query{func(s *Store, r *resource) bool { return s.present(r, pl) }, nil}, nil
	}
	if pl.sub == nil && pl.attr.typ == "complex" && pl.attr.sub("value") == nil && n.value != nil {
		return q, bad("invalidFilter", "%s has parts; compare one of them, such as %s.%s", pl.attr.name, pl.attr.name, pl.attr.subs[0].name)
	}
	c, err := s.comparison(pl, n)
	if err != nil {
		return q, err
	}
	q.matches = func(s *Store, r *resource) bool { return s.any(r, pl, c) }
	if t, ok := n.value.(string); ok && n.op == "eq" && pl.end().typ != "boolean" && len(pl.end().canonical) == 0 { // of those few values are shared by many
		q.lookups = []lookup{{pl, t}}
	}
	return q, nil
}

// compileValuePath makes emails[type eq "work" and …] ready: one value must fulfil all of the filter.
func (s *Store) compileValuePath(k kind, n *node) (q query, err error) {
	pl, err := s.locate(k, n.path)
	if err != nil {
		return q, err
	}
	if pl.sub != nil || pl.attr.typ != "complex" && pl.attr.typ != "any" {
		return q, bad("invalidFilter", "%s takes no filter in brackets", n.path)
	}
	if !pl.attr.multi && pl.attr.typ != "any" {
		s.note("filterOnSingle", n.path.String())
	}
	wants, err := s.compileElement(pl.attr, n.left)
	if err != nil {
		return q, err
	}
	q.matches = func(s *Store, r *resource) (found bool) {
		s.values(r, pl, func(v []byte) bool {
			found = v[0] == '{' && wants(v)
			return !found
		})
		return found
	}
	for _, c := range conjuncts(n.left) {
		if t, ok := c.value.(string); ok && c.op == "eq" {
			if sub := subOf(pl.attr, c.path.name); sub != nil && sub.typ != "boolean" && len(sub.canonical) == 0 {
				q.lookups = append(q.lookups, lookup{place{pl.ext, pl.attr, sub}, t})
			}
		}
	}
	return q, nil
}

func conjuncts(n *node) []*node {
	if n.op == "and" {
		return append(conjuncts(n.left), conjuncts(n.right)...)
	}
	return []*node{n}
}

// element decides on one value of a complex attribute.
type element func(value []byte) bool

func (s *Store) compileElement(a *attr, n *node) (element, error) {
	switch n.op {
	case "and", "or":
		x, err := s.compileElement(a, n.left)
		if err != nil {
			return nil, err
		}
		y, err := s.compileElement(a, n.right)
		if err != nil {
			return nil, err
		}
		if n.op == "and" {
			return func(v []byte) bool { return x(v) && y(v) }, nil
		}
		return func(v []byte) bool { return x(v) || y(v) }, nil
	case "not":
		x, err := s.compileElement(a, n.left)
		return func(v []byte) bool { return !x(v) }, err
	}
	sub := subOf(a, n.path.name)
	if n.op == "has" || n.path.urn != "" || n.path.sub != "" || sub == nil {
		return nil, bad("invalidFilter", "%s has no part %s", a.name, n.path)
	}
	if n.op == "pr" {
		return func(v []byte) (found bool) {
			endOf(v, sub, func(v []byte) bool { found = !empty(v); return !found })
			return found
		}, nil
	}
	c, err := s.comparison(place{attr: a, sub: sub}, n)
	if err != nil {
		return nil, err
	}
	return func(v []byte) bool { return c.any(func(f func([]byte) bool) { endOf(v, sub, f) }) }, nil
}

// comparison is an operator with its value.
type comparison struct {
	holds  func(value []byte) bool
	absent bool // what it is when there is no value
}

// any reports whether it holds for one of several values (RFC 7644 § 3.4.2.2).
func (c comparison) any(each func(func(value []byte) bool)) bool {
	found, some := false, false
	each(func(v []byte) bool {
		some = true
		found = c.holds(v)
		return !found
	})
	if !some {
		return c.absent
	}
	return found
}

func (s *Store) any(r *resource, pl place, c comparison) bool {
	return c.any(func(f func([]byte) bool) { s.ends(r, pl, f) })
}

func (s *Store) present(r *resource, pl place) (found bool) {
	check := func(v []byte) bool { found = !empty(v); return !found }
	if pl.sub == nil {
		s.values(r, pl, check)
	} else {
		s.ends(r, pl, check)
	}
	return found
}

func empty(v []byte) bool {
	return len(v) == 0 || string(v) == `""` || string(v) == "{}" || string(v) == "[]"
}

// comparison makes an operator ready for the type of what it compares.
func (s *Store) comparison(pl place, n *node) (c comparison, err error) {
	a := pl.end()
	typ, exact := a.typ, a.caseExact
	if typ == "complex" { // its value
		typ, exact = "string", false
		if v := a.sub("value"); v != nil {
			typ, exact = v.typ, v.caseExact
		}
	}
	wrong := func(why string) (comparison, error) {
		return c, bad("invalidFilter", "%s %s %s: %s", n.path, n.op, jsonText(n.value), why)
	}
	c.absent = n.op == "ne"
	switch want := n.value.(type) {
	case nil:
		if n.op != "eq" && n.op != "ne" {
			return wrong("null can be compared with eq and ne alone")
		}
		return comparison{func([]byte) bool { return n.op == "ne" }, n.op == "eq"}, nil
	case bool:
		if typ != "boolean" && typ != "any" {
			return wrong("it is no Boolean")
		}
		return s.booleanComparison(n, want, wrong)
	case json.Number:
		if typ != "any" {
			return wrong("it is no number; put the value in quotes")
		}
		return numberComparison(n, want, wrong)
	case string:
		switch typ {
		case "boolean":
			if !strings.EqualFold(want, "true") && !strings.EqualFold(want, "false") {
				return wrong("it is a Boolean")
			}
			s.note("stringBoolean", n.path.String()+" "+n.op+" "+jsonText(want))
			return s.booleanComparison(n, strings.EqualFold(want, "true"), wrong)
		case "dateTime":
			if strings.Contains("eq ne gt ge lt le", n.op) {
				return dateComparison(n, want, wrong)
			}
		case "binary":
			if strings.Contains("gt ge lt le", n.op) {
				return wrong("binary values have no order")
			}
		}
		c.holds = textComparison(n.op, want, exact)
	}
	return c, nil
}

func (s *Store) booleanComparison(n *node, want bool, wrong func(string) (comparison, error)) (comparison, error) {
	if n.op != "eq" && n.op != "ne" {
		return wrong("a Boolean can be compared with eq and ne alone")
	}
	text := strconv.FormatBool(want)
	return comparison{func(v []byte) bool { return (string(v) == text) == (n.op == "eq") }, n.op == "ne"}, nil
}

func numberComparison(n *node, want json.Number, wrong func(string) (comparison, error)) (comparison, error) {
	w, err := want.Float64()
	if err != nil || n.op == "co" || n.op == "sw" || n.op == "ew" {
		return wrong("a number can't be compared so")
	}
	return comparison{func(v []byte) bool {
		have, err := strconv.ParseFloat(string(v), 64)
		return err == nil && ordered(n.op, compareFloat(have, w))
	}, n.op == "ne"}, nil
}

func compareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func dateComparison(n *node, want string, wrong func(string) (comparison, error)) (comparison, error) {
	w, err := time.Parse(time.RFC3339Nano, want)
	if err != nil {
		return wrong("it is a time such as 2026-01-05T09:00:00Z")
	}
	return comparison{func(v []byte) bool {
		have, err := time.Parse(time.RFC3339Nano, unquote(v))
		return err == nil && ordered(n.op, have.Compare(w))
	}, n.op == "ne"}, nil
}

func ordered(op string, c int) bool {
	switch op {
	case "eq":
		return c == 0
	case "ne":
		return c != 0
	case "gt":
		return c > 0
	case "ge":
		return c >= 0
	case "lt":
		return c < 0
	}
	return c <= 0
}

// fold makes texts that differ in case alone the same.
func fold(s string) string { return strings.ToLower(s) }

func textComparison(op, want string, exact bool) func([]byte) bool {
	if !exact {
		want = fold(want)
	}
	return func(v []byte) bool {
		if v[0] != '"' { // in an extension that no schema describes
			return op == "ne"
		}
		have := unquote(v)
		if !exact {
			have = fold(have)
		}
		switch op {
		case "co":
			return strings.Contains(have, want)
		case "sw":
			return strings.HasPrefix(have, want)
		case "ew":
			return strings.HasSuffix(have, want)
		}
		return ordered(op, strings.Compare(have, want))
	}
}
