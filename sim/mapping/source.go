package mapping

import (
	"strings"

	"entrasim/directory"
	"entrasim/sim/expr"
)

// attribute is one source attribute: the service's name, mostly of the retired Azure AD Graph, and the directory property
// that it shows.
type attribute struct {
	name     string
	property string // of the directory; "" when it is computed
	typ      Type
	multi    bool
}

// userSource are the source attributes of users (resources/synchronization-objectdefinition.md, its sample;
// customize-application-attributes.md).
var userSource = func() []attribute {
	list := []attribute{
		{"objectId", "id", String, false}, {"IsSoftDeleted", "", Boolean, false}, {"accountEnabled", "accountEnabled", Boolean, false},
		{"appRoleAssignments", "", String, true}, {"city", "city", String, false}, {"companyName", "companyName", String, false},
		{"country", "country", String, false}, {"creationType", "creationType", String, false}, {"department", "department", String, false},
		{"dirSyncEnabled", "onPremisesSyncEnabled", Boolean, false}, {"displayName", "displayName", String, false},
		{"employeeHireDate", "employeeHireDate", DateTime, false}, {"employeeId", "employeeId", String, false},
		{"employeeLeaveDateTime", "employeeLeaveDateTime", DateTime, false}, {"employeeOrgData.costCenter", "employeeOrgData/costCenter", String, false},
		{"employeeOrgData.division", "employeeOrgData/division", String, false}, {"employeeType", "employeeType", String, false},
		{"facsimileTelephoneNumber", "faxNumber", String, false}, {"givenName", "givenName", String, false}, {"jobTitle", "jobTitle", String, false},
		{"mail", "mail", String, false}, {"mailNickname", "mailNickname", String, false}, {"manager", "manager", Reference, false},
		{"mobile", "mobilePhone", String, false}, {"onPremisesDistinguishedName", "onPremisesDistinguishedName", String, false},
		{"onPremisesDomainName", "onPremisesDomainName", String, false}, {"onPremisesImmutableId", "onPremisesImmutableId", String, false},
		{"onPremisesSecurityIdentifier", "onPremisesSecurityIdentifier", String, false},
		{"onPremisesUserPrincipalName", "onPremisesUserPrincipalName", String, false},
		{"originalUserPrincipalName", "userPrincipalName", String, false}, {"otherMails", "otherMails", String, true},
		{"physicalDeliveryOfficeName", "officeLocation", String, false}, {"postalCode", "postalCode", String, false},
		{"preferredLanguage", "preferredLanguage", String, false}, {"proxyAddresses", "proxyAddresses", String, true},
		{"showInAddressList", "showInAddressList", Boolean, false}, {"state", "state", String, false}, {"streetAddress", "streetAddress", String, false},
		{"surname", "surname", String, false}, {"telephoneNumber", "businessPhones", String, false}, {"usageLocation", "usageLocation", String, false},
		{"userPrincipalName", "userPrincipalName", String, false},
	}
	for i := range 15 {
		n := "extensionAttribute" + itoa(i+1)
		list = append(list, attribute{n, "onPremisesExtensionAttributes/" + n, String, false})
	}
	return list
}()

var groupSource = []attribute{
	{"objectId", "id", String, false}, {"IsSoftDeleted", "", Boolean, false}, {"appRoleAssignments", "", String, true},
	{"description", "description", String, false}, {"dirSyncEnabled", "onPremisesSyncEnabled", Boolean, false},
	{"displayName", "displayName", String, false}, {"mail", "mail", String, false}, {"mailEnabled", "mailEnabled", Boolean, false},
	{"mailNickname", "mailNickname", String, false}, {"members", "members", Reference, true},
	{"onPremisesSecurityIdentifier", "onPremisesSecurityIdentifier", String, false}, {"proxyAddresses", "proxyAddresses", String, true},
	{"securityEnabled", "securityEnabled", Boolean, false},
}

func itoa(n int) string {
	if n >= 10 {
		return string(rune('0'+n/10)) + string(rune('0'+n%10))
	}
	return string(rune('0' + n))
}

var userByName, groupByName = index(userSource), index(groupSource)

// names finds an attribute: exact spelling first, then without regard to case.
type names struct{ exact, folded map[string]attribute }

func index(list []attribute) names {
	n := names{map[string]attribute{}, map[string]attribute{}}
	for _, a := range list {
		n.exact[a.name] = a
		n.folded[strings.ToLower(a.name)] = a
	}
	return n
}

func (n names) find(name string) (attribute, bool) {
	if a, ok := n.exact[name]; ok {
		return a, true
	}
	if strings.HasPrefix(name, "extension_") {
		return attribute{name, name, String, false}, true // directory extensions match exactly only
	}
	a, ok := n.folded[strings.ToLower(name)]
	return a, ok
}

func sourceNames(kind string) names {
	if kind == "Group" {
		return groupByName
	}
	return userByName
}

// SourceAttributes lists the source attributes of "User" or "Group", for pickers.
func SourceAttributes(kind string) []string {
	list := userSource
	if kind == "Group" {
		list = groupSource
	}
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = a.name
	}
	return out
}

func sourceDefinitions(list []attribute) []AttributeDefinition {
	required := map[string]bool{"IsSoftDeleted": true, "accountEnabled": true, "displayName": true, "preferredLanguage": true, "surname": true, "userPrincipalName": true}
	out := make([]AttributeDefinition, len(list))
	for i, a := range list {
		d := definition(a.name, a.typ)
		d.Multivalued, d.Required, d.Anchor = a.multi, required[a.name], a.name == "objectId"
		switch a.name {
		case "manager":
			d.ReferencedObjects = []ReferencedObject{{"User", "objectId"}}
		case "members":
			d.ReferencedObjects = []ReferencedObject{{"User", "objectId"}, {"Group", "objectId"}}
		}
		out[i] = d
	}
	return out
}

// Source is a directory object as expressions see it.
type Source struct {
	names       names
	get         func(property string) (any, bool)
	guest       bool
	softDeleted bool
	manager     string
}

// UserSource shows a user; softDeleted is the computed IsSoftDeleted, manager the object id of the manager.
func UserSource(u *directory.User, softDeleted bool, manager string) *Source {
	return &Source{names: userByName, get: u.Get, guest: u.IsGuest(), softDeleted: softDeleted, manager: manager}
}

// GroupSource shows a group.
func GroupSource(g *directory.Group, softDeleted bool) *Source {
	return &Source{names: groupByName, get: g.Get, softDeleted: softDeleted}
}

// Attribute returns a source attribute; known is false when there is none of that name.
func (s *Source) Attribute(name string) (v expr.Value, known bool) {
	a, ok := s.names.find(name)
	if !ok {
		return expr.Null, false
	}
	switch a.name {
	case "IsSoftDeleted":
		return expr.Boolean(s.softDeleted), true
	case "manager":
		return orNull(s.manager), true
	case "appRoleAssignments", "members":
		return expr.Null, true
	}
	raw, ok := s.get(a.property)
	if !ok {
		return expr.Null, strings.HasPrefix(name, "extension_")
	}
	v = expr.Of(raw)
	switch {
	case a.name == "userPrincipalName" && s.guest:
		v = expr.String(guestAddress(v.Text()))
	case v.IsList() && !a.multi: // one business phone
		v = orNull(v.Text())
	}
	return v, true
}

func orNull(s string) expr.Value {
	if s == "" {
		return expr.Null
	}
	return expr.String(s)
}

// guestAddress is what a guest's userPrincipalName flows as: the part before #EXT#, whose last underscore stands for the @
// (how-provisioning-works.md, note on B2B users).
func guestAddress(upn string) string {
	local, _, ok := strings.Cut(upn, "#EXT#")
	if !ok {
		return upn
	}
	if i := strings.LastIndexByte(local, '_'); i >= 0 {
		return local[:i] + "@" + local[i+1:]
	}
	return local
}

// Texts lists the source attributes that a mapping reads, with their values as text, for the import step of a log record.
func (s *Source) Texts(m *ObjectMapping) [][2]string {
	var out [][2]string
	for _, name := range m.reads {
		if v, ok := s.Attribute(name); ok && !v.IsNull() && name != "objectId" {
			out = append(out, [2]string{name, strings.Join(v.List(), ", ")})
		}
	}
	return out
}
