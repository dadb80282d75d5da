package target

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strings"
)

// scimError is an error answer (RFC 7644 § 3.12).
type scimError struct {
	status   int
	scimType string
	detail   string
}

func (e *scimError) Error() string { return e.detail }

func bad(scimType, format string, args ...any) error {
	return &scimError{http.StatusBadRequest, scimType, fmt.Sprintf(format, args...)}
}

func tableOf(k kind) table {
	if k == groups {
		return groupTable
	}
	return userTable
}

// document checks a whole resource as it came in a POST or PUT and returns it by canonical names. Members come apart.
func (s *Store) document(k kind, body map[string]any) (doc map[string]any, members []string, err error) {
	doc = map[string]any{}
	listed := map[string]bool{}
	schemas, ok := find(body, "schemas").([]any)
	if !ok || len(schemas) == 0 {
		return nil, nil, bad("invalidSyntax", "schemas is required: a list with %q", schemaOf(k))
	}
	for _, u := range schemas {
		t, ok := u.(string)
		if !ok {
			return nil, nil, bad("invalidSyntax", "schemas is a list of URNs")
		}
		listed[strings.ToLower(t)] = true
	}
	if !listed[strings.ToLower(schemaOf(k))] {
		return nil, nil, bad("invalidValue", "schemas lacks %q", schemaOf(k))
	}
	for _, name := range sortedKeys(body) {
		v := body[name]
		low := strings.ToLower(name)
		switch {
		case low == "schemas" || low == "id" || low == "meta" || v == nil:
		case low == "members" && k == groups:
			if members, err = s.memberValues(v); err != nil {
				return nil, nil, err
			}
		case strings.HasPrefix(low, "urn:"):
			ext, ok := v.(map[string]any)
			if !ok {
				return nil, nil, bad("invalidValue", "%s is an object", name)
			}
			if !listed[low] {
				s.note("unlistedSchema", name)
			}
			if err := s.setExtension(doc, name, ext); err != nil {
				return nil, nil, err
			}
		default:
			a := tableOf(k)[low]
			if a == nil {
				s.note("unknownAttribute", name)
				continue
			}
			if a.readOnly {
				continue
			}
			x, err := s.value(a, v)
			if err != nil {
				return nil, nil, err
			}
			put(doc, a.name, x)
		}
	}
	return doc, members, s.complete(k, doc)
}

// complete checks required attributes.
func (s *Store) complete(k kind, doc map[string]any) error {
	name := "userName"
	if k == groups {
		name = "displayName"
	}
	if t, ok := doc[name].(string); !ok || t == "" {
		return bad("invalidValue", "%s is required", name)
	}
	return nil
}

func schemaOf(k kind) string {
	if k == groups {
		return urnGroup
	}
	return urnUser
}

// find returns a member by name without regard to case.
func find(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	for _, k := range sortedKeys(m) {
		if strings.EqualFold(k, name) {
			return m[k]
		}
	}
	return nil
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func put(doc map[string]any, name string, v any) {
	if v == nil {
		delete(doc, name)
		return
	}
	doc[name] = v
}

// setExtension stores the attributes of an extension; those of unknown ones are kept as they come.
func (s *Store) setExtension(doc map[string]any, urn string, ext map[string]any) error {
	known := strings.EqualFold(urn, urnEnterprise)
	if known {
		urn = urnEnterprise
	}
	into, _ := doc[urn].(map[string]any)
	if into == nil {
		into = map[string]any{}
	}
	for _, name := range sortedKeys(ext) {
		if !known {
			put(into, name, ext[name])
			continue
		}
		a := enterpriseTable[strings.ToLower(name)]
		if a == nil {
			s.note("unknownAttribute", urn+":"+name)
			continue
		}
		v, err := s.value(a, ext[name])
		if err != nil {
			return err
		}
		put(into, a.name, v)
	}
	if len(into) == 0 {
		delete(doc, urn)
		return nil
	}
	doc[urn] = into
	return nil
}

// value checks one attribute's value; nil and empty lists unassign.
func (s *Store) value(a *attr, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	if a.multi {
		list, ok := v.([]any)
		if !ok {
			if m, isObject := v.(map[string]any); isObject {
				list = []any{m}
			} else {
				return nil, bad("invalidValue", "%s is a list", a.name)
			}
		}
		out := make([]any, 0, len(list))
		for _, e := range list {
			if t, ok := e.(string); ok { // a bare value
				e = map[string]any{"value": t}
			}
			x, err := s.single(a, e)
			if err != nil {
				return nil, err
			}
			if x != nil {
				out = append(out, x)
			}
		}
		if len(out) == 0 {
			return nil, nil
		}
		return onePrimary(out), nil
	}
	return s.single(a, v)
}

// onePrimary keeps the last primary value and takes the mark from earlier ones (RFC 7643 § 2.4).
func onePrimary(list []any) []any {
	found := false
	for i := len(list) - 1; i >= 0; i-- {
		m, ok := list[i].(map[string]any)
		if !ok || m["primary"] != true {
			continue
		}
		if found {
			m["primary"] = false
		}
		found = true
	}
	return list
}

func (s *Store) single(a *attr, v any) (any, error) {
	switch a.typ {
	case "boolean":
		switch x := v.(type) {
		case bool:
			return x, nil
		case string:
			if strings.EqualFold(x, "true") || strings.EqualFold(x, "false") {
				s.note("stringBoolean", a.name+" = "+x)
				return strings.EqualFold(x, "true"), nil
			}
		}
		return nil, bad("invalidValue", "%s is a Boolean, not %s", a.name, jsonText(v))
	case "complex":
		m, ok := v.(map[string]any)
		if !ok {
			if t, isText := v.(string); isText && a.name == "manager" {
				s.note("managerAsString", t)
				if t == "" {
					return nil, nil
				}
				return map[string]any{"value": t}, nil
			}
			if l, isList := v.([]any); isList && a.name == "manager" && len(l) == 1 {
				return s.single(a, l[0])
			}
			return nil, bad("invalidValue", "%s is an object, not %s", a.name, jsonText(v))
		}
		out := map[string]any{}
		for _, name := range sortedKeys(m) {
			sub := a.sub(name)
			if sub == nil {
				if a.multi { // service providers may define more; keep what roles and others carry
					put(out, name, m[name])
					continue
				}
				s.note("unknownAttribute", a.name+"."+name)
				continue
			}
			x, err := s.value(sub, m[name])
			if err != nil {
				return nil, err
			}
			put(out, sub.name, x)
		}
		if len(out) == 0 {
			return nil, nil
		}
		return out, nil
	}
	t, ok := v.(string)
	if !ok {
		return nil, bad("invalidValue", "%s is text, not %s", a.name, jsonText(v))
	}
	return t, nil
}

func jsonText(v any) string {
	data, err := json.Marshal(v)
	if err != nil || len(data) > 80 {
		return fmt.Sprintf("a %T", v)
	}
	return string(data)
}

// memberValues reads a list of members: objects with value, or bare ids.
func (s *Store) memberValues(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		if m, isObject := v.(map[string]any); isObject {
			list = []any{m}
		} else {
			return nil, bad("invalidValue", "members is a list")
		}
	}
	ids := make([]string, 0, len(list))
	for _, e := range list {
		var id string
		switch x := e.(type) {
		case map[string]any:
			id, _ = find(x, "value").(string)
		case string:
			id = x
		}
		if id == "" {
			return nil, bad("invalidValue", "a member has no value: %s", jsonText(e))
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// known refuses members that the store does not hold.
func (s *Store) known(ids []string) error {
	for _, id := range ids {
		if s.byID[id] == nil {
			return bad("invalidValue", "there is no user or group %q to be a member", id)
		}
	}
	return nil
}
