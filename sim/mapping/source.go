package mapping

import (
	"strconv"
	"strings"
	"time"

	"entrasim/directory"
	"entrasim/sim/expr"
)

// attribute is one source attribute: the service's name, mostly of the retired Azure AD Graph, and the directory property
// that it shows.
type attribute struct {
	name     string
	property string // Graph name of the property, whose changes are the attribute's; "" when it is computed
	typ      Type
	multi    bool
	required bool
	value    func(*Source) expr.Value
}

func text(s string) expr.Value {
	if s == "" {
		return expr.Null
	}
	return expr.String(s)
}

func flag(b *bool) expr.Value {
	if b == nil {
		return expr.Null
	}
	return expr.Boolean(*b)
}

func list(values []string) expr.Value {
	if len(values) == 0 {
		return expr.Null
	}
	return expr.List(values)
}

func instant(t *time.Time) expr.Value {
	if t == nil || t.IsZero() {
		return expr.Null
	}
	return expr.Of(*t)
}

// userText is a text attribute of users.
func userText(name, property string, get func(*directory.User) string) attribute {
	return attribute{name: name, property: property, typ: String, value: func(s *Source) expr.Value { return text(get(s.user)) }}
}

func (a attribute) asRequired() attribute { a.required = true; return a }

// userSource are the source attributes of users (resources/synchronization-objectdefinition.md, its sample;
// customize-application-attributes.md), in the order of the alphabet.
var userSource = func() []attribute {
	type user = directory.User
	softDeleted := attribute{name: "IsSoftDeleted", typ: Boolean, required: true, value: func(s *Source) expr.Value { return expr.Boolean(s.SoftDeleted) }}
	roles := attribute{name: "appRoleAssignments", typ: String, multi: true, value: func(s *Source) expr.Value { return expr.Roles(s.Roles) }}
	all := []attribute{
		{name: "accountEnabled", property: "accountEnabled", typ: Boolean, required: true, value: func(s *Source) expr.Value { return expr.Boolean(s.user.AccountEnabled) }},
		nothing("alternativeSecurityIds", Binary, true), roles, nothing("assistant", String, false),
		userText("city", "city", func(u *user) string { return u.City }),
		userText("companyName", "companyName", func(u *user) string { return u.CompanyName }),
		userText("country", "country", func(u *user) string { return u.Country }),
		{name: "createdDateTime", property: "createdDateTime", typ: DateTime, value: func(s *Source) expr.Value { return instant(&s.user.CreatedDateTime) }},
		userText("creationType", "creationType", func(u *user) string { return u.CreationType }),
		userText("department", "department", func(u *user) string { return u.Department }),
		{name: "dirSyncEnabled", property: "onPremisesSyncEnabled", typ: Boolean, value: func(s *Source) expr.Value { return flag(s.user.OnPremisesSyncEnabled) }},
		userText("displayName", "displayName", func(u *user) string { return u.DisplayName }).asRequired(),
		{name: "employeeHireDate", property: "employeeHireDate", typ: DateTime, value: func(s *Source) expr.Value { return instant(s.user.EmployeeHireDate) }},
		userText("employeeId", "employeeId", func(u *user) string { return u.EmployeeID }),
		{name: "employeeLeaveDateTime", property: "employeeLeaveDateTime", typ: DateTime, value: func(s *Source) expr.Value { return instant(s.user.EmployeeLeaveDateTime) }},
		userText("employeeOrgData.costCenter", "employeeOrgData/costCenter", func(u *user) string { return u.CostCenter }),
		userText("employeeOrgData.division", "employeeOrgData/division", func(u *user) string { return u.Division }),
		userText("employeeType", "employeeType", func(u *user) string { return u.EmployeeType }),
	}
	for i := range 15 {
		n := "extensionAttribute" + strconv.Itoa(i+1)
		all = append(all, userText(n, "onPremisesExtensionAttributes/"+n, func(u *user) string { return u.ExtensionAttributes[i] }))
	}
	return append(all,
		userText("facsimileTelephoneNumber", "faxNumber", func(u *user) string { return u.FaxNumber }),
		userText("givenName", "givenName", func(u *user) string { return u.GivenName }),
		softDeleted,
		userText("jobTitle", "jobTitle", func(u *user) string { return u.JobTitle }),
		userText("mail", "mail", func(u *user) string { return u.Mail }),
		userText("mailNickname", "mailNickname", func(u *user) string { return u.MailNickname }),
		attribute{name: "manager", property: "manager", typ: Reference, value: func(s *Source) expr.Value { return reference(s.Manager) }},
		userText("mobile", "mobilePhone", func(u *user) string { return u.MobilePhone }),
		userText("objectId", "id", func(u *user) string { return u.ID }).asRequired(),
		userText("onPremisesDistinguishedName", "onPremisesDistinguishedName", func(u *user) string { return u.OnPremisesDistinguishedName }),
		userText("onPremisesDomainName", "onPremisesDomainName", func(u *user) string { return u.OnPremisesDomainName }),
		userText("onPremisesImmutableId", "onPremisesImmutableId", func(u *user) string { return u.OnPremisesImmutableID }),
		userText("onPremisesSecurityIdentifier", "onPremisesSecurityIdentifier", func(u *user) string { return u.OnPremisesSecurityIdentifier }),
		userText("onPremisesUserPrincipalName", "onPremisesUserPrincipalName", func(u *user) string { return u.OnPremisesUserPrincipalName }),
		userText("originalUserPrincipalName", "userPrincipalName", func(u *user) string { return u.UserPrincipalName }),
		attribute{name: "otherMails", property: "otherMails", typ: String, multi: true, value: func(s *Source) expr.Value { return list(s.user.OtherMails) }},
		userText("physicalDeliveryOfficeName", "officeLocation", func(u *user) string { return u.OfficeLocation }),
		userText("postalCode", "postalCode", func(u *user) string { return u.PostalCode }),
		userText("preferredLanguage", "preferredLanguage", func(u *user) string { return u.PreferredLanguage }).asRequired(),
		attribute{name: "proxyAddresses", property: "proxyAddresses", typ: String, multi: true, value: func(s *Source) expr.Value { return list(s.user.ProxyAddresses) }},
		attribute{name: "showInAddressList", property: "showInAddressList", typ: Boolean, value: func(s *Source) expr.Value { return flag(s.user.ShowInAddressList) }},
		userText("sipProxyAddress", "imAddresses", func(u *user) string {
			if len(u.ImAddresses) == 0 {
				return ""
			}
			return u.ImAddresses[0]
		}),
		userText("state", "state", func(u *user) string { return u.StateOrProvince }),
		userText("streetAddress", "streetAddress", func(u *user) string { return u.StreetAddress }),
		userText("surname", "surname", func(u *user) string { return u.Surname }).asRequired(),
		userText("telephoneNumber", "businessPhones", func(u *user) string {
			if len(u.BusinessPhones) == 0 {
				return ""
			}
			return u.BusinessPhones[0]
		}),
		userText("usageLocation", "usageLocation", func(u *user) string { return u.UsageLocation }),
		userText("userPrincipalName", "userPrincipalName", func(u *user) string {
			if u.IsGuest() {
				return guestAddress(u.UserPrincipalName)
			}
			return u.UserPrincipalName
		}).asRequired(),
	)
}()

func groupText(name, property string, get func(*directory.Group) string) attribute {
	return attribute{name: name, property: property, typ: String, value: func(s *Source) expr.Value { return text(get(s.group)) }}
}

func groupFlag(name, property string, get func(*directory.Group) bool) attribute {
	return attribute{name: name, property: property, typ: Boolean, value: func(s *Source) expr.Value { return expr.Boolean(get(s.group)) }}
}

// groupSource are those of groups.
var groupSource = func() []attribute {
	type group = directory.Group
	return []attribute{
		{name: "appRoleAssignments", typ: String, multi: true, value: func(s *Source) expr.Value { return expr.Roles(s.Roles) }},
		groupText("description", "description", func(g *group) string { return g.Description }),
		{name: "dirSyncEnabled", property: "onPremisesSyncEnabled", typ: Boolean, value: func(s *Source) expr.Value { return flag(s.group.OnPremisesSyncEnabled) }},
		groupText("displayName", "displayName", func(g *group) string { return g.DisplayName }),
		{name: "IsSoftDeleted", typ: Boolean, value: func(s *Source) expr.Value { return expr.Boolean(s.SoftDeleted) }},
		groupText("mail", "mail", func(g *group) string { return g.Mail }),
		groupFlag("mailEnabled", "mailEnabled", func(g *group) bool { return g.MailEnabled }),
		groupText("mailNickname", "mailNickname", func(g *group) string { return g.MailNickname }),
		{name: "members", property: "members", typ: Reference, multi: true, value: absent},
		groupText("objectId", "id", func(g *group) string { return g.ID }).asRequired(),
		groupText("onPremisesSecurityIdentifier", "onPremisesSecurityIdentifier", func(g *group) string { return g.OnPremisesSecurityIdentifier }),
		{name: "owners", typ: Reference, multi: true, value: absent},
		{name: "proxyAddresses", property: "proxyAddresses", typ: String, multi: true, value: func(s *Source) expr.Value { return list(s.group.ProxyAddresses) }},
		groupFlag("securityEnabled", "securityEnabled", func(g *group) bool { return g.SecurityEnabled }),
	}
}()

func absent(*Source) expr.Value { return expr.Null }

// nothing is an attribute that the service offers and this directory never fills.
func nothing(name string, t Type, multi bool) attribute {
	return attribute{name: name, typ: t, multi: multi, value: absent}
}

func reference(id string) expr.Value {
	if id == "" {
		return expr.Null
	}
	return expr.Reference(id)
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

const extensionPrefix = "extension_"

// names finds an attribute by its name.
type names struct {
	list          []attribute
	exact, folded map[string]*attribute
}

func indexed(list []attribute) *names {
	n := &names{list, make(map[string]*attribute, len(list)), make(map[string]*attribute, len(list))}
	for i := range list {
		n.exact[list[i].name] = &list[i]
		n.folded[strings.ToLower(list[i].name)] = &list[i]
	}
	return n
}

var userNames, groupNames = indexed(userSource), indexed(groupSource)

// find finds a built-in attribute: exact spelling first, then without regard to case; nil when there is none. Directory
// extensions match exactly and are found whether or not the directory knows them (customize-application-attributes.md).
func (n *names) find(name string) *attribute {
	if a, ok := n.exact[name]; ok {
		return a
	}
	if strings.HasPrefix(name, extensionPrefix) {
		return property(name, name, String)
	}
	if strings.EqualFold(name, "immutableId") { // its name before Microsoft Graph
		return n.exact["onPremisesImmutableId"]
	}
	return n.folded[strings.ToLower(name)]
}

// property is an attribute that shows a directory property of any name; what the directory does not know is null.
func property(name, graph string, t Type) *attribute {
	return &attribute{name: name, property: graph, typ: t, value: func(s *Source) expr.Value {
		raw, _ := s.get(graph)
		v := expr.Of(raw)
		if v.IsList() && strings.HasPrefix(name, extensionPrefix) {
			return expr.Null // multi-valued extensions are not provisioned (known-issues.md)
		}
		return v
	}}
}

func namesOf(kind string) *names {
	if strings.EqualFold(kind, "Group") {
		return groupNames
	}
	return userNames
}

// SourceAttributes lists the built-in source attributes of "User" or "Group", for pickers.
func SourceAttributes(kind string) []string {
	all := namesOf(kind).list
	out := make([]string, len(all))
	for i, a := range all {
		out[i] = a.name
	}
	return out
}

func sourceDefinitions(all []attribute) []AttributeDefinition {
	out := make([]AttributeDefinition, len(all))
	for i, a := range all {
		d := definition(a.name, a.typ)
		d.Multivalued, d.Required, d.Anchor = a.multi, a.required, a.name == "objectId"
		switch a.name {
		case "manager":
			d.ReferencedObjects = []ReferencedObject{{Name: "User", Property: "objectId"}}
		case "members":
			d.ReferencedObjects = []ReferencedObject{{Name: "User", Property: "objectId"}, {Name: "Group", Property: "objectId"}}
		}
		out[i] = d
	}
	return out
}

// Computed are the source attributes that are no properties of the object.
type Computed struct {
	SoftDeleted bool        // IsSoftDeleted: left scope, or deleted
	Manager     string      // object id of a user's manager; "" for none
	Roles       []expr.Role // app roles of the application, the oldest assignment first
}

// Source is a directory object as expressions and filters see it. It is not changed while it is read.
type Source struct {
	Computed
	names *names
	user  *directory.User
	group *directory.Group
}

// UserSource shows a user, which the caller must not change meanwhile.
func UserSource(u *directory.User, c Computed) *Source {
	return &Source{Computed: c, names: userNames, user: u}
}

// GroupSource shows a group.
func GroupSource(g *directory.Group, c Computed) *Source {
	return &Source{Computed: c, names: groupNames, group: g}
}

func (s *Source) get(property string) (any, bool) {
	if s.user != nil {
		return s.user.Get(property)
	}
	return s.group.Get(property)
}

// Attribute returns a source attribute; known is false when there is none of that name. Besides the built-in ones these
// are the directory's properties under their Graph names, which an attribute list may hold.
func (s *Source) Attribute(name string) (v expr.Value, known bool) {
	if a := s.names.find(name); a != nil {
		return a.value(s), true
	}
	raw, known := s.get(strings.ReplaceAll(name, ".", "/"))
	return expr.Of(raw), known
}

// Texts lists the source attributes that a mapping reads, with their values as text, for the import step of a log record.
func (s *Source) Texts(m *ObjectMapping) [][2]string {
	out := make([][2]string, 0, len(m.reads))
	for _, name := range m.reads {
		v, ok := s.Attribute(name)
		switch {
		case !ok || v.IsNull() || name == "objectId":
		case m.redacted[name]:
			out = append(out, [2]string{name, expr.RedactedText})
		case v.IsList():
			out = append(out, [2]string{name, strings.Join(v.List(), ", ")})
		default:
			out = append(out, [2]string{name, v.Text()})
		}
	}
	return out
}
