package scim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
func newResource(v any) (*Resource, error) {
	named, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the resource is no JSON object")
	}
	m := make(map[string]any, len(named))
	for k, e := range named {
		m[strings.ToLower(k)] = e
	}
	r := &Resource{members: m}
	id, ok := m["id"].(string)
	if !ok || id == "" {
		return nil, fmt.Errorf("the resource has no id, or one that is no text")
	}
	r.id = id
	for _, name := range []string{"username", "displayname", "externalid", "nickname", "title", "usertype", "preferredlanguage", "locale", "timezone", "profileurl"} {
		if err := want(m, name, "text", isText); err != nil {
			return nil, err
		}
	}
	if err := want(m, "active", "a Boolean", isBool); err != nil {
		return nil, err
	}
	for _, name := range []string{"name", "meta"} {
		if err := want(m, name, "an object", isObject); err != nil {
			return nil, err
		}
	}
	if n, ok := m["name"].(map[string]any); ok {
		for k := range n {
			if err := want(n, k, "text", isText); err != nil {
				return nil, fmt.Errorf("name: %w", err)
			}
		}
	}
	for _, name := range []string{"emails", "phonenumbers", "ims", "photos", "addresses", "roles", "entitlements", "groups", "members", "x509certificates"} {
		if err := want(m, name, "a list of objects", isObjects); err != nil {
			return nil, err
		}
		for _, e := range list(m[name]) {
			if err := want(e.(map[string]any), "primary", "a Boolean", isBool); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	ext, ok := m[strings.ToLower(enterpriseUser)]
	if ok && ext != nil {
		e, ok := ext.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s is no object", enterpriseUser)
		}
		if err := want(e, "manager", "an object with value", isObject); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func want(m map[string]any, name, what string, is func(any) bool) error {
	if v, ok := m[name]; ok && v != nil && !is(v) {
		return fmt.Errorf("%s is %s; expected %s", name, typeName(v), what)
	}
	return nil
}

func isText(v any) bool   { _, ok := v.(string); return ok }
func isBool(v any) bool   { _, ok := v.(bool); return ok }
func isObject(v any) bool { _, ok := v.(map[string]any); return ok }
func isObjects(v any) bool {
	l, ok := v.([]any)
	return ok && !slices.ContainsFunc(l, func(e any) bool { return !isObject(e) })
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func typeName(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case bool:
		return "a Boolean"
	case json.Number, float64:
		return "a number"
	case []any:
		return "a list"
	}
	return "an object"
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

// parseBody reads JSON. Numbers are kept as they are written; within the outermost object, which may be a ListResponse,
// names are in lower case.
func parseBody(body []byte) (any, error) {
	p := parsers.Get()
	defer parsers.Put(p)
	v, err := p.ParseBytes(body)
	if err != nil {
		// encoding/json says better what is wrong.
		var discard any
		if clearer := json.Unmarshal(body, &discard); clearer != nil {
			err = clearer
		}
		return nil, err
	}
	if o, err := v.Object(); err == nil {
		m := make(map[string]any, o.Len())
		o.Visit(func(k []byte, e *fastjson.Value) { m[string(k)] = plain(e) })
		return m, nil
	}
	return plain(v), nil
}

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

// parseList reads a ListResponse: Resources with a capital R, totalResults and schemas are required.
func parseList(body []byte) ([]any, error) {
	v, err := parseBody(body)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the answer is no JSON object")
	}
	if _, ok := m["schemas"].([]any); !ok {
		return nil, fmt.Errorf("the ListResponse has no schemas")
	}
	total, ok := m["totalResults"].(json.Number)
	if !ok {
		return nil, fmt.Errorf("the ListResponse has no totalResults")
	}
	resources, ok := m["Resources"].([]any)
	if !ok && (total.String() != "0" || m["Resources"] != nil) {
		return nil, fmt.Errorf("the ListResponse has no Resources")
	}
	return resources, nil
}

// ParseResource reads one resource as strictly as an answer is read.
func ParseResource(body []byte) (*Resource, error) {
	v, err := parseBody(body)
	if err != nil {
		return nil, err
	}
	return newResource(v)
}
