package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// Resource is an answer's resource. Member names are found without regard to case.
type Resource struct {
	id      string
	members map[string]any // by lower-case name
}

// ID is the id at the target.
func (r *Resource) ID() string { return r.id }

// newResource checks the types of what it knows, as strictly as the service does: a wrong type anywhere rejects the whole
// answer, also in an attribute that is not mapped.
func newResource(rt ResourceType, v *fastjson.Value) (*Resource, error) {
	id, err := checkResource(rt, v)
	if err != nil {
		return nil, err
	}
	return &Resource{id: id, members: plain(v).(map[string]any)}, nil
}

// checkResource does the same without keeping more than the id.
func checkResource(rt ResourceType, v *fastjson.Value) (id string, err error) {
	o, err := v.Object()
	if err != nil {
		return "", errors.New("the resource is no JSON object")
	}
	var mistypedID error
	o.Visit(func(name []byte, e *fastjson.Value) {
		switch {
		case !strings.EqualFold(string(name), "id") || isNull(e):
		case e.Type() == fastjson.TypeString:
			id = string(e.GetStringBytes())
		default:
			mistypedID = &mistyped{"id", typeName(e), isText.String()}
		}
	})
	if mistypedID != nil {
		return "", mistypedID
	}
	if id == "" {
		return "", errors.New("the resource has no id")
	}
	table := userTypes
	if rt == Group {
		table = groupTypes
	}
	return id, checkTypes(table, o)
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// values returns what the resource holds at a target attribute's path, as text; absent, null, empty lists and empty text
// count as no value.
func (r *Resource) values(target string) []string {
	p := parsePath(target)
	m := r.members
	if p.urn != "" {
		m, _ = m[strings.ToLower(p.urn)].(map[string]any)
	}
	v := m[strings.ToLower(p.name)]
	if p.filter {
		var out []string
		for _, e := range list(v) {
			o, ok := e.(map[string]any)
			if !ok || !strings.EqualFold(text(o[strings.ToLower(p.by)]), p.equals) {
				continue
			}
			sub := p.sub
			if sub == "" {
				sub = "value"
			}
			if t := text(o[strings.ToLower(sub)]); t != "" {
				out = append(out, t)
			}
		}
		return out
	}
	if p.sub != "" {
		o, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = o[strings.ToLower(p.sub)]
	}
	return texts(v)
}

func texts(v any) []string {
	if l, ok := v.([]any); ok {
		var out []string
		for _, e := range l {
			out = append(out, texts(e)...)
		}
		return out
	}
	if o, ok := v.(map[string]any); ok {
		v = o["value"]
	}
	if t := text(v); t != "" {
		return []string{t}
	}
	return nil
}

func text(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case json.Number:
		return x.String()
	}
	return ""
}

// Manager is the id of the manager that the resource returned, "" when it has none.
func (r *Resource) Manager() string {
	if r == nil {
		return ""
	}
	v := r.values(managerPath)
	if len(v) == 0 {
		return ""
	}
	return v[0]
}

// Differs compares a wanted value with what the resource holds. have is that as text; present is false when it holds no
// value; Booleans compare by meaning, text without case unless caseExact, several values as sets, roles by their form.
func Differs(r *Resource, a Attribute, caseExact bool) (have string, present, equal bool) {
	same := sameText(caseExact)
	if roles, ok := a.Value.(Roles); ok {
		return rolesDiffer(r, roles, same)
	}
	values := r.values(a.Path)
	present = len(values) > 0
	have = strings.Join(values, ", ")
	if a.Type == Boolean && present {
		if b, ok := parseBool(values[0]); ok {
			have = map[bool]string{true: "True", false: "False"}[b]
			want, ok := parseBool(a.text())
			return have, true, ok && want == b
		}
	}
	if wanted, ok := a.Value.([]string); ok {
		contains := func(list []string, s string) bool {
			return slices.ContainsFunc(list, func(x string) bool { return same(x, s) })
		}
		for _, w := range wanted {
			if !contains(values, w) {
				return have, present, false
			}
		}
		for _, v := range values {
			if !contains(wanted, v) {
				return have, present, false
			}
		}
		return have, present, true
	}
	if a.Role != nil && slices.ContainsFunc(r.roles(), func(h heldRole) bool { return h.id != "" && h.is(*a.Role, same) }) {
		return a.text(), true, true // the target keeps the text that the older dialects add, singleRoleForm=json
	}
	if !present {
		return "", false, a.text() == ""
	}
	return have, true, slices.ContainsFunc(values[:1], func(v string) bool { return same(v, a.text()) })
}

var parsers fastjson.ParserPool

// parseBody reads JSON and hands it to read, which must not keep it.
func parseBody(body []byte, read func(v *fastjson.Value) error) error {
	if !utf8.Valid(body) { // JSON is UTF-8 (RFC 8259, 8.1); as the service's reader does, other bytes are replaced
		body = bytes.ToValidUTF8(body, []byte("\ufffd"))
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return errors.New("the answer is empty")
	}
	p := parsers.Get()
	defer parsers.Put(p)
	v, err := p.ParseBytes(body)
	if err == nil {
		err = fastjson.ValidateBytes(body) // the parser takes control characters within texts, and numbers of any shape
	}
	if err != nil {
		// encoding/json says better what is wrong.
		var discard any
		if clearer := json.Unmarshal(body, &discard); clearer != nil {
			err = clearer
		}
		return err
	}
	return read(v)
}

// plain is a JSON value whose members have lower-case names and whose numbers are as they were written.
func plain(v *fastjson.Value) any {
	switch v.Type() {
	case fastjson.TypeObject:
		o := v.GetObject()
		m := make(map[string]any, o.Len())
		o.Visit(func(k []byte, e *fastjson.Value) { m[strings.ToLower(string(k))] = plain(e) })
		return m
	case fastjson.TypeArray:
		list := v.GetArray()
		out := make([]any, len(list))
		for i, e := range list {
			out[i] = plain(e)
		}
		return out
	case fastjson.TypeString:
		return string(v.GetStringBytes())
	case fastjson.TypeNumber:
		return json.Number(v.MarshalTo(nil))
	case fastjson.TypeTrue:
		return true
	case fastjson.TypeFalse:
		return false
	}
	return nil
}

// parseList reads a ListResponse and hands each hit on. Resources with a capital R, totalResults and schemas are required,
// startIndex and itemsPerPage are not (use-scim-to-provision-users-and-groups.md prints all five, recorded answers without
// the last two are taken). RFC 7644, 3.4.2, lets a target leave Resources out when nothing was found, but null there is
// known to fail the test of a connection (https://github.com/sourcegraph/sourcegraph-public-snapshot/pull/60805), and no
// answer without it is known to have been taken: it is refused, so that a target that passes is right for either reading,
// and one that writes resources is told so before it has users.
func parseList(body []byte, hit func(v *fastjson.Value) error) error {
	return parseBody(body, func(v *fastjson.Value) error {
		o, err := v.Object()
		if err != nil {
			return errors.New("the answer is no JSON object")
		}
		for _, t := range listTypes { // names of the list are taken as they are written
			v := o.Get(t.name)
			switch {
			case t.required && isNull(v):
				return fmt.Errorf("the ListResponse has no %s", t.name)
			case !isNull(v) && !t.is.of(v):
				return &mistyped{t.name, typeName(v), t.is.String()}
			}
		}
		for _, item := range o.Get("Resources").GetArray() {
			if err := hit(item); err != nil {
				return err
			}
		}
		return nil
	})
}

// ParseResource reads one resource as strictly as an answer is read.
func ParseResource(rt ResourceType, body []byte) (r *Resource, err error) {
	err = parseBody(body, func(v *fastjson.Value) error {
		r, err = newResource(rt, v)
		return err
	})
	return r, err
}

// parseError checks the body of an error (RFC 7644, 3.12). A body that is no JSON object is nobody's concern here: pages of
// edges are such.
func parseError(body []byte) (wrong error) {
	if err := parseBody(body, func(v *fastjson.Value) error {
		if o, err := v.Object(); err == nil {
			wrong = checkTypes(errorTypes, o)
		}
		return nil
	}); err != nil {
		return nil
	}
	return wrong
}

// holds reports whether the resource has the value at the attribute's path. Booleans compare by meaning.
func (r *Resource) holds(a Attribute, caseExact bool) bool {
	same := sameText(caseExact)
	if _, ok := parseBool(a.text()); ok && a.Type == Boolean {
		same = strings.EqualFold
	}
	return slices.ContainsFunc(r.values(a.Path), func(have string) bool { return same(have, a.text()) })
}
