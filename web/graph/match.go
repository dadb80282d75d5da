package graph

import (
	"slices"
	"strings"
	"time"

	"entrasim/directory"
)

// values gives the properties of one object by their paths.
type values func(path string) any

// check refuses paths that the kind does not have or that can't be filtered, and literals of the wrong type; paths get
// the spelling of the kind's table.
func (f *filter) check(k *kind) error {
	switch f.op {
	case "and", "or", "not":
		for _, a := range f.args {
			if err := a.check(k); err != nil {
				return err
			}
		}
		return nil
	case "any":
		p, err := k.filterable(f.path)
		if err != nil {
			return err
		}
		if p.typ != directory.TypeStrings && p.typ != directory.TypeObjects {
			return badRequest("The Any operator at position %d is only allowed on a collection, and '%s' is none.", f.pos, f.path)
		}
		f.path = p.name
		if len(f.args) == 0 {
			return nil
		}
		return f.args[0].checkElement(f.name, p)
	}
	left := f.args[0]
	for left.op == "lower" {
		left = left.args[0]
	}
	if left.op != "path" {
		return badRequest("Invalid filter clause: a property is expected at position %d.", left.pos)
	}
	if strings.HasSuffix(strings.ToLower(left.path), "/$count") {
		return notImplemented("$filter with " + left.path)
	}
	p, err := k.filterable(left.path)
	if err != nil {
		return err
	}
	left.path = p.name
	if f.op == "contains" && !k.exact {
		return unsupportedQuery("Unsupported or invalid query filter clause specified for property '%s' of resource '%s'.", p.name, k.title)
	}
	for _, a := range f.args[1:] {
		if a.op != "literal" {
			return badRequest("Invalid filter clause: a value is expected at position %d.", a.pos)
		}
		if err := a.suits(p, f.op); err != nil {
			return err
		}
	}
	return nil
}

// elements are the members of what lists of objects hold, by the name of the list.
var elements = map[string][]string{
	"identities": {"signInType", "issuer", "issuerAssignedId"}, "assignedLicenses": {"skuId"},
	"modifiedProperties": {"displayName", "oldValue", "newValue"},
	"targetResources":    {"id", "displayName", "type", "userPrincipalName", "groupType"},
}

// checkElement checks the condition of an any(): comparisons of its variable, where the list holds text, or of members of it.
func (f *filter) checkElement(variable string, list *field) error {
	switch f.op {
	case "and", "or", "not":
		for _, a := range f.args {
			if err := a.checkElement(variable, list); err != nil {
				return err
			}
		}
		return nil
	case "any":
		return badRequest("Invalid filter clause: any() at position %d inside of any() is not supported.", f.pos)
	}
	left := f.args[0]
	for left.op == "lower" {
		left = left.args[0]
	}
	if left.op != "path" || left.path != variable && !strings.HasPrefix(left.path, variable+"/") {
		return badRequest("Invalid filter clause: '%s' or a member of it is expected at position %d.", variable, left.pos)
	}
	member, whole := strings.TrimPrefix(left.path, variable+"/"), left.path == variable
	if whole != (list.typ == directory.TypeStrings) {
		return badRequest("Invalid filter clause: '%s' is no value that can be compared, at position %d.", left.path, left.pos)
	}
	if !whole {
		i := slices.IndexFunc(elements[list.name], func(n string) bool { return strings.EqualFold(n, member) })
		if i < 0 {
			return badRequest("Could not find a property named '%s' in the elements of '%s'.", member, list.name)
		}
		left.path = variable + "/" + elements[list.name][i]
	}
	for _, a := range f.args[1:] {
		if a.op != "literal" {
			return badRequest("Invalid filter clause: a value is expected at position %d.", a.pos)
		}
		if _, text := a.lit.(string); !text && a.lit != nil {
			return badRequest("A binary operator with incompatible types was detected: text is compared at position %d.", a.pos)
		}
	}
	return nil
}

var edm = map[directory.Type]string{directory.TypeString: "Edm.String", directory.TypeBoolean: "Edm.Boolean", directory.TypeTime: "Edm.DateTimeOffset", typeNumber: "Edm.Int32"}

// suits refuses a literal of another type than the property.
func (f *filter) suits(p *field, op string) error {
	have := "Edm.String"
	ok := false
	switch f.lit.(type) {
	case nil:
		return nil
	case string:
		ok = p.typ == directory.TypeString
	case bool:
		have, ok = "Edm.Boolean", p.typ == directory.TypeBoolean
	case float64:
		have, ok = "Edm.Int32", p.typ == typeNumber
	case time.Time:
		have, ok = "Edm.DateTimeOffset", p.typ == directory.TypeTime
	}
	if ok {
		return nil
	}
	if p.typ == directory.TypeStrings || p.typ == directory.TypeObjects {
		return unsupportedQuery("Unsupported or invalid query filter clause specified for property '%s' of resource '%s'.", p.name, p.owner)
	}
	name := map[string]string{"eq": "Equal", "ne": "NotEqual", "gt": "GreaterThan", "ge": "GreaterThanOrEqual", "lt": "LessThan", "le": "LessThanOrEqual", "in": "Equal"}[op]
	return badRequest("A binary operator with incompatible types was detected. Found operand types '%s' and '%s' for operator kind '%s', at property '%s'.", edm[p.typ], have, name, p.name)
}

// matches evaluates a filter that was checked. exact compares text with regard to case.
func (f *filter) matches(get values, exact bool) bool {
	switch f.op {
	case "and":
		for _, a := range f.args {
			if !a.matches(get, exact) {
				return false
			}
		}
		return true
	case "or":
		for _, a := range f.args {
			if a.matches(get, exact) {
				return true
			}
		}
		return false
	case "not":
		return !f.args[0].matches(get, exact)
	case "any":
		return f.anyMatches(get(f.path), exact)
	}
	v := f.args[0].value(get)
	if f.op == "in" {
		for _, a := range f.args[1:] {
			if equalValues(v, a.lit, exact) {
				return true
			}
		}
		return false
	}
	return compareValues(f.op, v, f.args[1].lit, exact)
}

func (f *filter) anyMatches(list any, exact bool) bool {
	var elements []any
	switch x := list.(type) {
	case []string:
		for _, s := range x {
			elements = append(elements, s)
		}
	case []map[string]any:
		for _, m := range x {
			elements = append(elements, m)
		}
	}
	if len(f.args) == 0 {
		return len(elements) > 0
	}
	for _, e := range elements {
		if f.args[0].matches(func(path string) any {
			if path == f.name {
				return e
			}
			m, _ := e.(map[string]any)
			return m[strings.TrimPrefix(path, f.name+"/")]
		}, exact) {
			return true
		}
	}
	return false
}

func (f *filter) value(get values) any {
	if f.op == "lower" {
		if s, ok := f.args[0].value(get).(string); ok {
			return strings.ToLower(s)
		}
		return nil
	}
	return get(f.path)
}

func equalValues(a, b any, exact bool) bool {
	x, isText := a.(string)
	y, alsoText := b.(string)
	switch {
	case isText && alsoText && !exact:
		return strings.EqualFold(x, y)
	case isText && alsoText:
		return x == y
	}
	if t, ok := a.(time.Time); ok {
		u, ok := b.(time.Time)
		return ok && t.Equal(u)
	}
	return a == b
}

func compareValues(op string, v, lit any, exact bool) bool {
	switch op {
	case "eq":
		return equalValues(v, lit, exact)
	case "ne":
		return !equalValues(v, lit, exact)
	case "startswith", "endswith", "contains":
		text, ok := v.(string)
		part, _ := lit.(string)
		if !exact {
			text, part = strings.ToLower(text), strings.ToLower(part)
		}
		return ok && map[string]func(string, string) bool{"startswith": strings.HasPrefix, "endswith": strings.HasSuffix, "contains": strings.Contains}[op](text, part)
	}
	order, ok := compared(v, lit, exact)
	if !ok {
		return false // nothing is greater or less than null
	}
	switch op {
	case "gt":
		return order > 0
	case "ge":
		return order >= 0
	case "lt":
		return order < 0
	}
	return order <= 0
}

func compared(a, b any, exact bool) (order int, ok bool) {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		if !exact {
			x, y = strings.ToLower(x), strings.ToLower(y)
		}
		return strings.Compare(x, y), ok
	case time.Time:
		y, ok := b.(time.Time)
		return x.Compare(y), ok
	case float64:
		y, ok := b.(float64)
		switch {
		case x < y:
			return -1, ok
		case x > y:
			return 1, ok
		}
		return 0, ok
	}
	return 0, false
}
