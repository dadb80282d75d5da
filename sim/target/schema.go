package target

import "strings"

// Schema URNs (RFC 7643 § 8.7, RFC 7644 § 8.2).
const (
	urnUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	urnGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	urnEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	urnList       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	urnError      = "urn:ietf:params:scim:api:messages:2.0:Error"
	urnPatch      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// attr defines an attribute (RFC 7643 § 7).
type attr struct {
	name      string
	typ       string // string, boolean, complex, reference, binary, dateTime
	multi     bool
	required  bool
	caseExact bool
	readOnly  bool
	unique    bool
	subs      []attr
}

func str(names ...string) []attr {
	list := make([]attr, len(names))
	for i, n := range names {
		list[i] = attr{name: n, typ: "string"}
	}
	return list
}

// plural is the usual shape of a multi-valued attribute.
func plural(name string, more ...attr) attr {
	return attr{name: name, typ: "complex", multi: true, subs: append(append(str("value", "display", "type"), attr{name: "primary", typ: "boolean"}), more...)}
}

var userAttrs = append([]attr{
	{name: "userName", typ: "string", required: true, unique: true},
	{name: "externalId", typ: "string", caseExact: true},
	{name: "name", typ: "complex", subs: str("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")},
	{name: "active", typ: "boolean"},
	{name: "password", typ: "string"},
	{name: "profileUrl", typ: "reference"},
	plural("emails"), plural("phoneNumbers"), plural("ims"), plural("photos"), plural("entitlements"), plural("roles"), plural("x509Certificates"),
	{name: "addresses", typ: "complex", multi: true, subs: append(str("formatted", "streetAddress", "locality", "region", "postalCode", "country", "type"),
		attr{name: "primary", typ: "boolean"})},
	{name: "groups", typ: "complex", multi: true, readOnly: true, subs: str("value", "$ref", "display", "type")},
}, str("displayName", "nickName", "title", "userType", "preferredLanguage", "locale", "timezone")...)

var groupAttrs = []attr{
	{name: "displayName", typ: "string", required: true},
	{name: "externalId", typ: "string", caseExact: true},
	{name: "members", typ: "complex", multi: true, subs: str("value", "$ref", "display", "type")},
}

var enterpriseAttrs = append(str("employeeNumber", "costCenter", "organization", "division", "department"),
	attr{name: "manager", typ: "complex", subs: append(str("value", "$ref"), attr{name: "displayName", typ: "string", readOnly: true})})

// table finds definitions by lower-case name.
type table map[string]*attr

func index(list []attr) table {
	t := table{}
	for i := range list {
		t[strings.ToLower(list[i].name)] = &list[i]
	}
	return t
}

func (a *attr) sub(name string) *attr {
	for i := range a.subs {
		if strings.EqualFold(a.subs[i].name, name) {
			return &a.subs[i]
		}
	}
	return nil
}

var (
	userTable       = index(userAttrs)
	groupTable      = index(groupAttrs)
	enterpriseTable = index(enterpriseAttrs)
)

// schemaJSON describes a schema for /Schemas.
func schemaJSON(urn, name, description string, attrs []attr, base string) map[string]any {
	return map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Schema"}, "id": urn, "name": name, "description": description,
		"attributes": attrsJSON(attrs), "meta": map[string]any{"resourceType": "Schema", "location": base + "/Schemas/" + urn}}
}

func attrsJSON(attrs []attr) []map[string]any {
	list := make([]map[string]any, len(attrs))
	for i, a := range attrs {
		mutability, uniqueness, returned := "readWrite", "none", "default"
		if a.readOnly {
			mutability = "readOnly"
		}
		if a.unique {
			uniqueness = "server"
		}
		if a.name == "password" {
			mutability, returned = "writeOnly", "never"
		}
		m := map[string]any{"name": a.name, "type": a.typ, "multiValued": a.multi, "description": a.name, "required": a.required, "caseExact": a.caseExact,
			"mutability": mutability, "returned": returned, "uniqueness": uniqueness}
		if len(a.subs) > 0 {
			m["subAttributes"] = attrsJSON(a.subs)
		}
		list[i] = m
	}
	return list
}
