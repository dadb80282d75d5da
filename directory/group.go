package directory

import (
	"slices"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Group is a group; field names follow resources/group.md.
type Group struct {
	Object
	Description                  string         `json:"description,omitempty"`
	Mail                         string         `json:"mail,omitempty"`
	MailNickname                 string         `json:"mailNickname,omitempty"`
	MailEnabled                  bool           `json:"mailEnabled,omitempty"`
	SecurityEnabled              bool           `json:"securityEnabled,omitempty"`
	GroupTypes                   []string       `json:"groupTypes,omitempty"`
	Visibility                   string         `json:"visibility,omitempty"`
	Classification               string         `json:"classification,omitempty"`
	MembershipRule               string         `json:"membershipRule,omitempty"`
	MembershipRuleState          string         `json:"membershipRuleProcessingState,omitempty"`
	PreferredLanguage            string         `json:"preferredLanguage,omitempty"`
	PreferredDataLocation        string         `json:"preferredDataLocation,omitempty"`
	Theme                        string         `json:"theme,omitempty"`
	UniqueName                   string         `json:"uniqueName,omitempty"`
	IsAssignableToRole           *bool          `json:"isAssignableToRole,omitempty"`
	ProxyAddresses               []string       `json:"proxyAddresses,omitempty"`
	OnPremisesSyncEnabled        *bool          `json:"onPremisesSyncEnabled,omitempty"`
	OnPremisesSecurityIdentifier string         `json:"onPremisesSecurityIdentifier,omitempty"`
	OnPremisesSamAccountName     string         `json:"onPremisesSamAccountName,omitempty"`
	OnPremisesDomainName         string         `json:"onPremisesDomainName,omitempty"`
	Extensions                   map[string]any `json:"extensions,omitempty"`
}

var groupTable = byName(groupRows())

// GroupProperties is the table of a group's properties.
func GroupProperties() []Property[Group] { return groupRows() }

func groupRows() []Property[Group] {
	text := func(name string, max int, f func(*Group) *string) Property[Group] {
		return Property[Group]{Name: name, Type: TypeString, Max: max, field: func(g *Group) any { return f(g) }}
	}
	required := func(p Property[Group]) Property[Group] { p.Required = true; return p }
	return []Property[Group]{
		required(text("displayName", 256, func(g *Group) *string { return &g.DisplayName })),
		text("description", 1024, func(g *Group) *string { return &g.Description }),
		text("mail", 256, func(g *Group) *string { return &g.Mail }),
		required(text("mailNickname", 64, func(g *Group) *string { return &g.MailNickname })),
		{Name: "mailEnabled", Type: TypeBoolean, field: func(g *Group) any { return &g.MailEnabled }},
		{Name: "securityEnabled", Type: TypeBoolean, field: func(g *Group) any { return &g.SecurityEnabled }},
		{Name: "groupTypes", Type: TypeStrings, field: func(g *Group) any { return &g.GroupTypes }},
		text("visibility", 64, func(g *Group) *string { return &g.Visibility }),
		text("classification", 64, func(g *Group) *string { return &g.Classification }),
		text("membershipRule", 3072, func(g *Group) *string { return &g.MembershipRule }),
		text("membershipRuleProcessingState", 64, func(g *Group) *string { return &g.MembershipRuleState }),
		text("preferredLanguage", 64, func(g *Group) *string { return &g.PreferredLanguage }),
		text("preferredDataLocation", 64, func(g *Group) *string { return &g.PreferredDataLocation }),
		text("theme", 64, func(g *Group) *string { return &g.Theme }),
		text("uniqueName", 128, func(g *Group) *string { return &g.UniqueName }),
		{Name: "isAssignableToRole", Type: TypeBoolean, field: func(g *Group) any { return &g.IsAssignableToRole }},
		{Name: "proxyAddresses", Type: TypeStrings, field: func(g *Group) any { return &g.ProxyAddresses }},
		{Name: "onPremisesSyncEnabled", Type: TypeBoolean, field: func(g *Group) any { return &g.OnPremisesSyncEnabled }},
		text("onPremisesSecurityIdentifier", 256, func(g *Group) *string { return &g.OnPremisesSecurityIdentifier }),
		text("onPremisesSamAccountName", 256, func(g *Group) *string { return &g.OnPremisesSamAccountName }),
		text("onPremisesDomainName", 256, func(g *Group) *string { return &g.OnPremisesDomainName }),
		{Name: "id", Type: TypeString, ReadOnly: true, field: func(g *Group) any { return &g.ID }},
		{Name: "createdDateTime", Type: TypeTime, ReadOnly: true, field: func(g *Group) any { return &g.CreatedDateTime }},
		{Name: "deletedDateTime", Type: TypeTime, ReadOnly: true, field: func(g *Group) any { return &g.DeletedDateTime }},
	}
}

// Get returns a property by its Graph name, nil when it is not set.
func (g *Group) Get(name string) (value any, known bool) {
	if strings.HasPrefix(name, extensionPrefix) {
		v, ok := g.Extensions[name]
		return v, ok
	}
	p, ok := groupTable[name]
	if !ok {
		return nil, false
	}
	return p.get(g), true
}

func (g *Group) check() error {
	unified := slices.Contains(g.GroupTypes, "Unified")
	switch {
	case !g.MailEnabled && !g.SecurityEnabled:
		return invalid("securityEnabled", "A group is security-enabled, mail-enabled or both.")
	case g.MailEnabled && !unified && !g.synced():
		return invalid("mailEnabled", "Only groups of type Unified can be mail-enabled here.")
	}
	return nil
}

func (g *Group) synced() bool { return g.OnPremisesSyncEnabled != nil && *g.OnPremisesSyncEnabled }

// keptDeleted reports whether deletion moves the group to deleted items: Microsoft 365 groups and cloud security groups
// do, others are gone at once (api/group-delete.md).
func (g *Group) keptDeleted() bool {
	return slices.Contains(g.GroupTypes, "Unified") || !g.MailEnabled && !g.synced()
}

// ServicePrincipal is an enterprise application of the tenant (resources/serviceprincipal.md).
type ServicePrincipal struct {
	Object
	AppID                      string    `json:"appId"`
	ApplicationID              string    `json:"applicationId"` // object id of the application registration
	TemplateID                 string    `json:"applicationTemplateId,omitempty"`
	AccountEnabled             bool      `json:"accountEnabled"`
	AppRoleAssignmentRequired  bool      `json:"appRoleAssignmentRequired"`
	Notes                      string    `json:"notes,omitempty"`
	NotificationEmailAddresses []string  `json:"notificationEmailAddresses,omitempty"`
	Tags                       []string  `json:"tags,omitempty"`
	AppRoles                   []AppRole `json:"appRoles,omitempty"`
}

// AppRole is a role that an application defines.
type AppRole struct {
	ID                 string   `json:"id"`
	DisplayName        string   `json:"displayName"`
	Description        string   `json:"description"`
	Value              string   `json:"value"`
	Enabled            bool     `json:"isEnabled"`
	AllowedMemberTypes []string `json:"allowedMemberTypes"`
}

var principalTable = byName([]Property[ServicePrincipal]{
	{Name: "displayName", Type: TypeString, Max: 256, Required: true, field: func(s *ServicePrincipal) any { return &s.DisplayName }},
	{Name: "accountEnabled", Type: TypeBoolean, field: func(s *ServicePrincipal) any { return &s.AccountEnabled }},
	{Name: "appRoleAssignmentRequired", Type: TypeBoolean, field: func(s *ServicePrincipal) any { return &s.AppRoleAssignmentRequired }},
	{Name: "notes", Type: TypeString, Max: 1024, field: func(s *ServicePrincipal) any { return &s.Notes }},
	{Name: "notificationEmailAddresses", Type: TypeStrings, field: func(s *ServicePrincipal) any { return &s.NotificationEmailAddresses }},
	{Name: "tags", Type: TypeStrings, field: func(s *ServicePrincipal) any { return &s.Tags }},
})
