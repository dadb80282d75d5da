package target

import "strings"

// Schema URNs (RFC 7643 § 8.7, RFC 7644 § 8.2).
const (
	urnUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	urnGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	urnEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	urnList       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	urnSearch     = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	urnError      = "urn:ietf:params:scim:api:messages:2.0:Error"
	urnPatch      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// attr defines an attribute (RFC 7643 § 7).
type attr struct {
	name      string
	typ       string // string, boolean, complex, reference, binary, dateTime; any: of an extension that no schema here describes
	about     string
	multi     bool
	required  bool
	caseExact bool
	readOnly  bool
	writeOnly bool // never returned
	unique    bool
	open      bool // its values may have members that the schema does not name, and keep them: roles carry what Entra knows of them
	common    bool // part of every resource and of no schema (RFC 7643 § 3.1)
	canonical []string
	refs      []string // resource types that a reference may name
	subs      []attr
}

func str(name, about string) attr { return attr{name: name, typ: "string", about: about} }

func ref(name, about string, to ...string) attr {
	return attr{name: name, typ: "reference", about: about, caseExact: true, refs: to}
}

// plural is the usual shape of a multi-valued attribute (RFC 7643 § 2.4).
func plural(name, about string, value attr, kinds ...string) attr {
	value.name, value.about = "value", "The value itself"
	return attr{name: name, typ: "complex", about: about, multi: true, subs: []attr{
		value, str("display", "How the value is shown"), {name: "type", typ: "string", about: "What the value is for", canonical: kinds},
		{name: "primary", typ: "boolean", about: "Whether it is the preferred value; true once at most"},
	}}
}

var text = attr{typ: "string"}

func open(a attr) attr {
	a.open = true
	return a
}

// commonAttrs are those of every resource.
var commonAttrs = []attr{
	{name: "id", typ: "string", caseExact: true, readOnly: true, common: true},
	{name: "externalId", typ: "string", caseExact: true, common: true},
	{name: "schemas", typ: "reference", multi: true, common: true},
	{name: "meta", typ: "complex", readOnly: true, common: true, subs: []attr{
		{name: "resourceType", typ: "string", caseExact: true, readOnly: true}, {name: "created", typ: "dateTime", readOnly: true},
		{name: "lastModified", typ: "dateTime", readOnly: true}, {name: "location", typ: "reference", caseExact: true, readOnly: true},
		{name: "version", typ: "string", caseExact: true, readOnly: true}}},
}

// The order of the tables is the order of attributes in what the target answers.
var userAttrs = []attr{
	{name: "userName", typ: "string", about: "Name that identifies the user at the service", required: true, unique: true},
	{name: "name", typ: "complex", about: "The parts of the user's real name", subs: []attr{
		str("formatted", "The whole name as it is displayed"), str("familyName", "Family name"), str("givenName", "Given name"),
		str("middleName", "Middle names"), str("honorificPrefix", "Title before the name"), str("honorificSuffix", "Suffix behind the name")}},
	str("displayName", "Name for display"), str("nickName", "Casual name"), ref("profileUrl", "Address of a page about the user", "external"),
	str("title", "Job title"), str("userType", "Relation of the user to the organisation"), str("preferredLanguage", "Preferred languages, as Accept-Language has them"),
	str("locale", "Default locale, such as en-US"), str("timezone", "Time zone in the form of the IANA database"),
	{name: "active", typ: "boolean", about: "Whether the user may use the service"},
	{name: "password", typ: "string", about: "Password in clear; it is taken and thrown away", caseExact: true, writeOnly: true},
	plural("emails", "E-mail addresses", text, "work", "home", "other"),
	plural("phoneNumbers", "Telephone numbers", text, "work", "home", "mobile", "fax", "pager", "other"),
	plural("ims", "Addresses of instant messengers", text, "aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
	plural("photos", "Addresses of pictures", attr{typ: "reference", caseExact: true, refs: []string{"external"}}, "photo", "thumbnail"),
	{name: "addresses", typ: "complex", about: "Postal addresses", multi: true, subs: []attr{
		str("formatted", "The whole address as it is displayed"), str("streetAddress", "Street and house number"), str("locality", "City"), str("region", "State or region"),
		str("postalCode", "Postal code"), str("country", "Country"), {name: "type", typ: "string", about: "What the address is for", canonical: []string{"work", "home", "other"}},
		{name: "primary", typ: "boolean", about: "Whether it is the preferred address; true once at most"}}},
	{name: "groups", typ: "complex", about: "Groups that the user is a member of", multi: true, readOnly: true, subs: []attr{
		{name: "value", typ: "string", about: "Id of the group", readOnly: true}, {name: "$ref", typ: "reference", about: "URL of the group", caseExact: true, readOnly: true, refs: []string{"User", "Group"}},
		{name: "display", typ: "string", about: "Display name of the group", readOnly: true}, {name: "type", typ: "string", about: "Kind of membership", readOnly: true, canonical: []string{"direct", "indirect"}}}},
	open(plural("entitlements", "Things that the user is entitled to", text)), open(plural("roles", "Roles of the user", text)),
	plural("x509Certificates", "Certificates of the user", attr{typ: "binary", caseExact: true}),
}

var groupAttrs = []attr{
	{name: "displayName", typ: "string", about: "Name of the group", required: true},
	{name: "members", typ: "complex", about: "Members of the group", multi: true, subs: []attr{
		str("value", "Id of the member"), ref("$ref", "URL of the member", "User", "Group"),
		{name: "display", typ: "string", about: "Display name of the member", readOnly: true}, {name: "type", typ: "string", about: "Whether the member is a user or a group", canonical: []string{"User", "Group"}}}},
}

var enterpriseAttrs = []attr{
	str("employeeNumber", "Number of the employee"), str("costCenter", "Cost centre"), str("organization", "Organisation"), str("division", "Division"), str("department", "Department"),
	{name: "manager", typ: "complex", about: "The user's manager", subs: []attr{
		str("value", "Id of the manager"), ref("$ref", "URL of the manager", "User"), {name: "displayName", typ: "string", about: "Display name of the manager", readOnly: true}}},
}

// table finds definitions by lower-case name.
type table map[string]*attr

func byName(lists ...[]attr) table {
	t := table{}
	for _, list := range lists {
		for i := range list {
			t[strings.ToLower(list[i].name)] = &list[i]
		}
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
	userTable       = byName(commonAttrs, userAttrs)
	groupTable      = byName(commonAttrs, groupAttrs)
	enterpriseTable = byName(enterpriseAttrs)
)

func tableOf(k kind) table {
	if k == groups {
		return groupTable
	}
	return userTable
}

func schemaOf(k kind) string {
	if k == groups {
		return urnGroup
	}
	return urnUser
}
