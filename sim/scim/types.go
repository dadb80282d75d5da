package scim

import (
	"encoding/json"
	"fmt"
	"strings"
)

// shape is the JSON type of an attribute.
type shape int

const (
	isText shape = iota
	isBool
	isTexts   // a list of texts
	isObject  // complex, single-valued
	isObjects // complex, multi-valued
	isNumber
	isTextOrNumber
)

func (s shape) String() string {
	return [...]string{"text", "a Boolean", "a list of texts", "an object", "a list of objects", "a number", "text or a number"}[s]
}

// typed is an attribute that the service knows: whoever returns it must return it in this shape, mapped or not.
type typed struct {
	name string
	is   shape
	subs []typed
	key  string // the name in lower case
	// required is for members of a list alone: a resource needs nothing but its id.
	required bool
}

// keyed fills in the keys of a table.
func keyed(table []typed) []typed {
	for i := range table {
		table[i].key = strings.ToLower(table[i].name)
		keyed(table[i].subs)
	}
	return table
}

func plainTexts(names ...string) []typed {
	table := make([]typed, len(names))
	for i, name := range names {
		table[i].name = name
	}
	return table
}

// elements are the sub-attributes of a multi-valued attribute (RFC 7643, 2.4), more ones behind them.
func elements(more ...string) []typed {
	return append(plainTexts(append([]string{"type", "value", "display", "$ref"}, more...)...), typed{name: "primary", is: isBool})
}

// The attributes of RFC 7643, sections 3 and 4, that resources may hold.
var (
	commonTypes = []typed{
		{name: "schemas", is: isTexts},
		{name: "externalId"},
		{name: "displayName"},
		{name: "meta", is: isObject, subs: plainTexts("resourceType", "created", "lastModified", "location", "version")},
	}
	userTypes = keyed(append(append([]typed{}, commonTypes...), append(
		plainTexts("userName", "nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone", "password"),
		typed{name: "active", is: isBool},
		typed{name: "name", is: isObject, subs: plainTexts("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")},
		typed{name: "emails", is: isObjects, subs: elements()},
		typed{name: "phoneNumbers", is: isObjects, subs: elements()},
		typed{name: "ims", is: isObjects, subs: elements()},
		typed{name: "photos", is: isObjects, subs: elements()},
		typed{name: "addresses", is: isObjects, subs: elements("formatted", "streetAddress", "locality", "region", "postalCode", "country")},
		typed{name: "entitlements", is: isObjects, subs: elements()},
		typed{name: "roles", is: isObjects, subs: elements("displayName")},
		typed{name: "groups", is: isObjects, subs: elements()},
		typed{name: "x509Certificates", is: isObjects, subs: elements()},
		typed{name: enterpriseUser, is: isObject, subs: append(
			plainTexts("employeeNumber", "costCenter", "organization", "division", "department"),
			typed{name: "manager", is: isObject, subs: plainTexts("value", "$ref", "displayName")})},
	)...))
	groupTypes = keyed(append(append([]typed{}, commonTypes...),
		typed{name: "members", is: isObjects, subs: elements()}))
	listTypes = []typed{
		{name: "schemas", is: isTexts, required: true}, {name: "totalResults", is: isNumber, required: true},
		{name: "Resources", is: isObjects, required: true}, {name: "startIndex", is: isNumber}, {name: "itemsPerPage", is: isNumber},
	}
	// errorTypes: status is seen both ways.
	errorTypes = keyed([]typed{
		{name: "schemas", is: isTexts}, {name: "status", is: isTextOrNumber}, {name: "scimType"}, {name: "detail"},
	})
)

// checkTypes compares an object, whose names are in lower case, with a table; the first attribute of the table that has
// another type than it says is the error. Null is no value of any type, and names that the table does not have may hold
// anything.
func checkTypes(table []typed, m map[string]any) error {
	for i := range table {
		t := &table[i]
		v, ok := m[t.key]
		if !ok || v == nil {
			continue
		}
		if !t.is.of(v) {
			return &mistyped{t.name, v, t.is}
		}
		if len(t.subs) == 0 {
			continue
		}
		if t.is == isObject {
			if err := checkTypes(t.subs, v.(map[string]any)); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			continue
		}
		for _, e := range v.([]any) {
			if err := checkTypes(t.subs, e.(map[string]any)); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
	}
	return nil
}

// mistyped is the error of an attribute that has another type than it must have.
type mistyped struct {
	name string
	have any
	want shape
}

func (e *mistyped) Error() string {
	return fmt.Sprintf("%s is %s; expected %s", e.name, typeName(e.have), e.want)
}

// of reports whether a value has the shape.
func (s shape) of(v any) bool {
	switch x := v.(type) {
	case string:
		return s == isText || s == isTextOrNumber
	case bool:
		return s == isBool
	case json.Number:
		return s == isNumber || s == isTextOrNumber
	case map[string]any:
		return s == isObject
	case []any:
		if s != isTexts && s != isObjects {
			return false
		}
		for _, e := range x {
			_, text := e.(string)
			_, object := e.(map[string]any)
			if s == isTexts && !text || s == isObjects && !object {
				return false
			}
		}
		return true
	}
	return false
}

func typeName(v any) string {
	switch x := v.(type) {
	case string:
		return "text"
	case bool:
		return "a Boolean"
	case json.Number:
		return "a number"
	case []any:
		if len(x) > 0 {
			return "a list that holds " + typeName(x[0])
		}
		return "a list"
	case nil:
		return "null"
	}
	return "an object"
}
