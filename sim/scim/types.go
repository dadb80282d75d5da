package scim

import (
	"fmt"
	"strings"

	"github.com/valyala/fastjson"
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
	// required is for members of a list alone: a resource needs nothing but its id.
	required bool
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
	userTypes = append(append([]typed{}, commonTypes...), append(
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
	)...)
	groupTypes = append(append([]typed{}, commonTypes...),
		typed{name: "members", is: isObjects, subs: elements()})
	listTypes = []typed{
		{name: "schemas", is: isTexts, required: true}, {name: "totalResults", is: isNumber, required: true},
		{name: "Resources", is: isObjects, required: true}, {name: "startIndex", is: isNumber}, {name: "itemsPerPage", is: isNumber},
	}
	// errorTypes: status is seen both ways.
	errorTypes = []typed{
		{name: "schemas", is: isTexts}, {name: "status", is: isTextOrNumber}, {name: "scimType"}, {name: "detail"},
	}
)

// checkTypes compares an object with a table: the first attribute that has another type than the table says is the error.
// Names are found without regard to case. Null is no value of any type, and names that the table does not have may hold
// anything.
func checkTypes(table []typed, o *fastjson.Object) (err error) {
	o.Visit(func(name []byte, v *fastjson.Value) {
		if err != nil || isNull(v) {
			return
		}
		for i := range table {
			if t := &table[i]; len(t.name) == len(name) && strings.EqualFold(t.name, string(name)) {
				err = t.check(v)
				return
			}
		}
	})
	return err
}

func (t *typed) check(v *fastjson.Value) error {
	if !t.is.of(v) {
		return &mistyped{t.name, typeName(v), t.is.String()}
	}
	if len(t.subs) == 0 {
		return nil
	}
	elements := []*fastjson.Value{v}
	if t.is != isObject {
		elements = v.GetArray()
	}
	for _, e := range elements {
		if err := checkTypes(t.subs, e.GetObject()); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

// mistyped is the error of an attribute that has another type than it must have.
type mistyped struct{ name, have, want string }

func (e *mistyped) Error() string { return e.name + " is " + e.have + "; expected " + e.want }

func isNull(v *fastjson.Value) bool { return v == nil || v.Type() == fastjson.TypeNull }

// of reports whether a value has the shape.
func (s shape) of(v *fastjson.Value) bool {
	switch v.Type() {
	case fastjson.TypeString:
		return s == isText || s == isTextOrNumber
	case fastjson.TypeTrue, fastjson.TypeFalse:
		return s == isBool
	case fastjson.TypeNumber:
		return s == isNumber || s == isTextOrNumber
	case fastjson.TypeObject:
		return s == isObject
	case fastjson.TypeArray:
		if s != isTexts && s != isObjects {
			return false
		}
		for _, e := range v.GetArray() {
			if s == isTexts && e.Type() != fastjson.TypeString || s == isObjects && e.Type() != fastjson.TypeObject {
				return false
			}
		}
		return true
	}
	return false
}

func typeName(v *fastjson.Value) string {
	switch v.Type() {
	case fastjson.TypeString:
		return "text"
	case fastjson.TypeTrue, fastjson.TypeFalse:
		return "a Boolean"
	case fastjson.TypeNumber:
		return "a number"
	case fastjson.TypeArray:
		if list := v.GetArray(); len(list) > 0 {
			return "a list that holds " + typeName(list[0])
		}
		return "a list"
	case fastjson.TypeNull:
		return "null"
	}
	return "an object"
}
