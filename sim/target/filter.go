package target

import (
	"fmt"
	"regexp"
	"strings"

	filter "github.com/scim2/filter-parser/v2"
)

// maxFilter bounds what the parser is given.
const maxFilter = 4 << 10

// maxDepth bounds how deep parentheses may nest.
const maxDepth = 50

// parseFilter reads a filter expression (RFC 7644 § 3.4.2.2).
func parseFilter(text string) (e filter.Expression, err error) {
	if len(text) > maxFilter || strings.Count(text, "(")+strings.Count(text, "[") > maxDepth {
		return nil, bad("invalidFilter", "the filter is too long or nests too deep")
	}
	defer func() {
		if r := recover(); r != nil {
			err = bad("invalidFilter", "the filter %q can't be read", text)
		}
	}()
	e, err = filter.ParseFilter([]byte(withinBrackets(text)))
	if err != nil {
		return nil, bad("invalidFilter", "the filter %q can't be read: %v", text, err)
	}
	return e, nil
}

// behindBrackets is a comparison of a sub-attribute of chosen elements, such as .value eq "x" behind emails[type eq "work"].
var behindBrackets = regexp.MustCompile(`^\.([A-Za-z$][A-Za-z0-9_$-]*)\s+(?i:(?:eq|ne|co|sw|ew|gt|ge|lt|le)\s+(?:"(?:[^"\\]|\\.)*"|[A-Za-z0-9.+-]+)|pr\b)`)

var oneComparison = regexp.MustCompile(`^\[\s*[A-Za-z$][A-Za-z0-9_$-]*\s+(?i:(?:eq|ne|co|sw|ew)\s+(?:"(?:[^"\\]|\\.)*"|[A-Za-z0-9.+-]+)|pr)\s*$`)

// withinBrackets moves such comparisons into the brackets, where they mean the same and the parser knows them:
// emails[type eq "work" and value eq "x"]. Provisioning asks so when it matches by a filtered attribute
// (use-scim-to-provision-users-and-groups.md).
func withinBrackets(text string) string {
	var b strings.Builder
	quoted, open := false, -1
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\' && i+1 < len(text):
			b.WriteByte(c)
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			open = b.Len()
		case c == ']' && open >= 0:
			m := behindBrackets.FindString(text[i+1:])
			if m == "" || !oneComparison.MatchString(b.String()[open:]) {
				break // the parser takes two comparisons in brackets, and no more
			}
			b.WriteString(" and " + m[1:] + "]")
			i, open = i+len(m), -1
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// equality takes a filter of the form attribute eq "value" apart, which is what provisioning sends, without the parser.
func equality(text string) (name, value string, ok bool) {
	name, rest, ok := strings.Cut(text, " ")
	if !ok || strings.ContainsAny(name, "()[]") {
		return "", "", false
	}
	op, value, ok := strings.Cut(strings.TrimLeft(rest, " "), " ")
	value = strings.TrimSpace(value)
	if !ok || !strings.EqualFold(op, "eq") || len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return "", "", false
	}
	value = value[1 : len(value)-1]
	if strings.ContainsAny(value, `"\`) {
		return "", "", false
	}
	return strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(name, urnUser+":"), urnGroup+":")), value, true
}

// matches evaluates a filter on a resource; s is locked.
func (s *Store) matches(r *resource, e filter.Expression) bool {
	return eval(e, func(urn, name, sub string) []any { return s.attribute(r, urn, name, sub) })
}

// attribute returns the values at an attribute path.
func (s *Store) attribute(r *resource, urn, name, sub string) []any {
	doc := r.doc
	switch strings.ToLower(urn) {
	case "", strings.ToLower(urnUser), strings.ToLower(urnGroup):
	default:
		doc, _ = find(r.doc, urn).(map[string]any)
	}
	if urn == "" {
		switch strings.ToLower(name) {
		case "id":
			return []any{r.id}
		case "meta":
			switch strings.ToLower(sub) {
			case "resourcetype":
				return []any{r.kind.String()}
			case "created":
				return []any{r.created.UTC().Format("2006-01-02T15:04:05Z")}
			case "lastmodified":
				return []any{r.modified.UTC().Format("2006-01-02T15:04:05Z")}
			}
			return nil
		case "members":
			var out []any
			for _, id := range r.memberIDs() {
				out = append(out, id)
			}
			return out
		case "groups":
			var out []any
			for id := range r.memberOf {
				out = append(out, id)
			}
			return out
		}
	}
	return valuesAt(find(doc, name), sub)
}

func valuesAt(v any, sub string) []any {
	switch x := v.(type) {
	case nil:
		return nil
	case []any:
		var out []any
		for _, e := range x {
			out = append(out, valuesAt(e, sub)...)
		}
		return out
	case map[string]any:
		if sub == "" {
			sub = "value"
		}
		if w := find(x, sub); w != nil {
			return []any{w}
		}
		return nil
	}
	if sub != "" {
		return nil
	}
	return []any{v}
}

func eval(e filter.Expression, get func(urn, name, sub string) []any) bool {
	switch x := e.(type) {
	case *filter.LogicalExpression:
		if x.Operator == filter.AND {
			return eval(x.Left, get) && eval(x.Right, get)
		}
		return eval(x.Left, get) || eval(x.Right, get)
	case *filter.NotExpression:
		return !eval(x.Expression, get)
	case *filter.ValuePath:
		return false // resolved by the caller, which has the elements
	case *filter.AttributeExpression:
		p := x.AttributePath
		for _, v := range get(p.URI(), p.AttributeName, p.SubAttributeName()) {
			if compare(string(x.Operator), v, x.CompareValue) {
				return true
			}
		}
		return strings.EqualFold(string(x.Operator), "ne") && len(get(p.URI(), p.AttributeName, p.SubAttributeName())) == 0 && x.CompareValue != nil
	}
	return false
}

// evalElement evaluates a filter in brackets on one value of a multi-valued attribute.
func evalElement(e filter.Expression, element map[string]any) bool {
	return eval(e, func(_, name, _ string) []any { return valuesAt(find(element, name), "") })
}

// resolve evaluates a filter that may hold value paths such as emails[type eq "work"].
func (s *Store) resolve(r *resource, e filter.Expression) bool {
	switch x := e.(type) {
	case *filter.LogicalExpression:
		if x.Operator == filter.AND {
			return s.resolve(r, x.Left) && s.resolve(r, x.Right)
		}
		return s.resolve(r, x.Left) || s.resolve(r, x.Right)
	case *filter.NotExpression:
		return !s.resolve(r, x.Expression)
	case *filter.ValuePath:
		if strings.EqualFold(x.AttributePath.AttributeName, "members") {
			for id := range r.members {
				if evalElement(x.ValueFilter, map[string]any{"value": id}) {
					return true
				}
			}
			return false
		}
		doc := r.doc
		if uri := x.AttributePath.URI(); uri != "" && !strings.EqualFold(uri, urnUser) {
			doc, _ = find(r.doc, uri).(map[string]any)
		}
		for _, m := range asList(find(doc, x.AttributePath.AttributeName)) {
			if evalElement(x.ValueFilter, m) {
				return true
			}
		}
		return false
	}
	return s.matches(r, e)
}

// compare applies an operator; text without case, Booleans also as text.
func compare(op string, have, want any) bool {
	op = strings.ToLower(op)
	if op == "pr" {
		return have != nil && have != ""
	}
	a, b := fmt.Sprint(have), fmt.Sprint(want)
	a, b = strings.ToLower(a), strings.ToLower(b)
	switch op {
	case "eq":
		return a == b
	case "ne":
		return a != b
	case "co":
		return strings.Contains(a, b)
	case "sw":
		return strings.HasPrefix(a, b)
	case "ew":
		return strings.HasSuffix(a, b)
	}
	switch want.(type) {
	case bool:
		return false
	}
	switch op {
	case "gt":
		return a > b
	case "ge":
		return a >= b
	case "lt":
		return a < b
	case "le":
		return a <= b
	}
	return false
}
