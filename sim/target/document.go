package target

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
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

var errTrailing = errors.New("something follows the JSON object")

// document checks a whole resource as it came in a POST or PUT and returns it by canonical names. Members come apart, nil when
// the body has none. It reads nothing of the store.
func (s *Store) document(k kind, body map[string]any) (doc map[string]any, members []string, err error) {
	doc = map[string]any{}
	listed, err := s.listed(k, body)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range sortedKeys(body) {
		v := body[name]
		low := strings.ToLower(name)
		switch a := tableOf(k)[low]; {
		case v == nil || low == "schemas":
		case low == "members" && k == groups:
			if members, err = s.memberValues(v); err != nil {
				return nil, nil, err
			}
		case isURN(name):
			ext, ok := v.(map[string]any)
			if !ok {
				return nil, nil, bad("invalidValue", "%s is an object", name)
			}
			if !listed[low] {
				s.note("unlistedSchema", name)
			}
			if err := s.setExtension(k, doc, name, ext); err != nil {
				return nil, nil, err
			}
		case a == nil:
			s.note("unknownAttribute", name)
		case !a.readOnly:
			x, err := s.value(a, v)
			if err != nil {
				return nil, nil, err
			}
			if !a.writeOnly { // a password is thrown away
				put(doc, a.name, x)
			}
		}
	}
	return doc, members, complete(k, doc)
}

// listed reads schemas: the URNs of a body, folded.
func (s *Store) listed(k kind, body map[string]any) (map[string]bool, error) {
	list, ok := find(body, "schemas").([]any)
	if !ok || len(list) == 0 {
		return nil, bad("invalidSyntax", "schemas is required: a list with %s", schemaOf(k))
	}
	listed := map[string]bool{}
	for _, u := range list {
		urn, ok := u.(string)
		if !ok {
			return nil, bad("invalidSyntax", "schemas is a list of URNs, not %s", jsonText(list))
		}
		low := strings.ToLower(urn)
		known := low == strings.ToLower(schemaOf(k)) || k == users && low == strings.ToLower(urnEnterprise)
		if !known && find(body, urn) == nil {
			s.note("unknownSchema", urn)
		}
		listed[low] = true
	}
	if !listed[strings.ToLower(schemaOf(k))] {
		return nil, bad("invalidValue", "schemas lacks %s", schemaOf(k))
	}
	return listed, nil
}

// complete checks required attributes.
func complete(k kind, doc map[string]any) error {
	for _, a := range tableOf(k) {
		if !a.required {
			continue
		}
		if t, ok := doc[a.name].(string); !ok || t == "" {
			return bad("invalidValue", "%s is required", a.name)
		}
	}
	return nil
}

// setExtension stores the attributes of an extension; those of unknown ones are kept as they come.
func (s *Store) setExtension(k kind, doc map[string]any, urn string, ext map[string]any) error {
	urn = storedURN(k, doc, urn)
	into, _ := doc[urn].(map[string]any)
	if into == nil {
		into = map[string]any{}
	}
	known := k == users && urn == urnEnterprise
	for _, name := range sortedKeys(ext) {
		if !known {
			if !attrName(name) {
				return bad("invalidSyntax", "%s is no name of an attribute", jsonText(name))
			}
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
	if doc[urn] = into; len(into) == 0 {
		delete(doc, urn)
	}
	return nil
}

// storedURN is the URN of an extension as its schema has it, or as the document already does.
func storedURN(k kind, doc map[string]any, urn string) string {
	if c := canonicalURN(k, urn); c != urn {
		return c
	}
	for _, have := range sortedKeys(doc) {
		if strings.EqualFold(have, urn) {
			return have
		}
	}
	return urn
}

// value checks one attribute's value; nil and empty lists unassign.
func (s *Store) value(a *attr, v any) (any, error) {
	if v == nil || a.typ == "any" {
		return v, nil
	}
	if !a.multi {
		return s.single(a, v)
	}
	list, ok := v.([]any)
	if !ok {
		s.note("valueNotList", a.name)
		list = []any{v}
	}
	out := make([]any, 0, len(list))
	for _, e := range list {
		x, err := s.element(a, e)
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
	onePrimary(out, nil)
	return out, nil
}

// element checks one value of a multi-valued attribute.
func (s *Store) element(a *attr, e any) (any, error) {
	if t, ok := e.(string); ok && a.typ == "complex" && a.sub("value") != nil {
		s.note("bareValue", a.name+" = "+t)
		e = map[string]any{"value": t}
	}
	return s.single(a, e)
}

// onePrimary leaves one primary value: the one that was just set, or else the last (RFC 7643 § 2.4).
func onePrimary(list []any, set map[string]any) {
	found := set != nil && set["primary"] == true
	for i := len(list) - 1; i >= 0; i-- {
		m, ok := list[i].(map[string]any)
		if !ok || m["primary"] != true {
			continue
		}
		if found && (set == nil || !same(m, set)) {
			m["primary"] = false
		}
		found = true
	}
}

// same reports whether two objects are one and the same.
func same(a, b map[string]any) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

func (s *Store) single(a *attr, v any) (any, error) {
	switch a.typ {
	case "any":
		return v, nil
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
		return s.complex(a, v)
	}
	t, ok := v.(string)
	if !ok {
		return nil, bad("invalidValue", "%s is text, not %s", a.name, jsonText(v))
	}
	return t, nil
}

func (s *Store) complex(a *attr, v any) (any, error) {
	if a.name == "manager" {
		if l, ok := v.([]any); ok && len(l) == 1 {
			s.note("managerAsList", jsonText(v))
			v = l[0]
		}
		if t, ok := v.(string); ok {
			s.note("managerAsString", t)
			if t == "" {
				return nil, nil
			}
			v = map[string]any{"value": t}
		}
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, bad("invalidValue", "%s is an object, not %s", a.name, jsonText(v))
	}
	out := map[string]any{}
	for _, name := range sortedKeys(m) {
		sub := a.sub(name)
		switch {
		case sub == nil && !a.open:
			s.note("unknownAttribute", a.name+"."+name)
			continue
		case sub == nil:
			if m[name] != nil && len(a.subs) > 0 {
				s.note("unknownSubAttribute", a.name+"."+name)
			}
			put(out, name, m[name])
			continue
		case sub.readOnly:
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

// memberValues reads a list of members: objects with value, or bare ids.
func (s *Store) memberValues(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		s.note("valueNotList", "members")
		list = []any{v}
	}
	ids := make([]string, 0, len(list))
	for _, e := range list {
		var id string
		switch x := e.(type) {
		case map[string]any:
			id, _ = find(x, "value").(string)
		case string:
			s.note("bareValue", "members = "+x)
			id = x
		}
		if id == "" {
			return nil, bad("invalidValue", "a member has no value: %s", jsonText(e))
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// known finds the resources that are to be members; s is locked.
func (s *Store) known(ids []string) ([]*resource, error) {
	list := make([]*resource, len(ids))
	for i, id := range ids {
		if list[i] = s.lookup(id); list[i] == nil {
			return nil, bad("invalidValue", "there is no user or group %s to be a member", jsonText(id))
		}
	}
	return list, nil
}

// unique refuses a userName that another user has; s is locked.
func (s *Store) unique(r *resource, k kind, doc map[string]any) error {
	name, _ := doc["userName"].(string)
	if k != users {
		return nil
	}
	for _, other := range s.indexes[users][userNamePlace.String()].get(name) {
		if other != r && fold(unquote(member(other.doc, "userName"))) == fold(name) {
			return &scimError{http.StatusConflict, "uniqueness", "userName " + name + " is taken by " + other.id.String()}
		}
	}
	return nil
}
