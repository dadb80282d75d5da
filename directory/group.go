package directory

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file $GOFILE -o group_gen.go -io=false -tests=false
//msgp:tag json
//msgp:timezone utc

import (
	"slices"
	"strings"
	"time"
)

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
	CreationOptions              []string       `json:"creationOptions,omitempty"`
	ResourceBehaviorOptions      []string       `json:"resourceBehaviorOptions,omitempty"`
	ResourceProvisioningOptions  []string       `json:"resourceProvisioningOptions,omitempty"`
	Expires                      *time.Time     `json:"expirationDateTime,omitempty"`
	Renewed                      *time.Time     `json:"renewedDateTime,omitempty"`
	OnPremisesSyncEnabled        *bool          `json:"onPremisesSyncEnabled,omitempty"`
	OnPremisesSecurityIdentifier string         `json:"onPremisesSecurityIdentifier,omitempty"`
	OnPremisesSamAccountName     string         `json:"onPremisesSamAccountName,omitempty"`
	OnPremisesDomainName         string         `json:"onPremisesDomainName,omitempty"`
	OnPremisesNetBiosName        string         `json:"onPremisesNetBiosName,omitempty"`
	OnPremisesLastSync           *time.Time     `json:"onPremisesLastSyncDateTime,omitempty"`
	Extensions                   map[string]any `json:"extensions,omitempty"`
	Owners                       []uint64       `json:"owners,omitempty"` // numbers, some perhaps of the deleted
}

var groupTable = byName(groupRows())

// GroupProperties is the table of a group's properties.
func GroupProperties() []Property[Group] { return groupRows() }

func groupRows() []Property[Group] {
	text := func(name string, max int, f func(*Group) *string) Property[Group] {
		return Property[Group]{Name: name, Type: TypeString, Max: max, field: func(g *Group) any { return f(g) }}
	}
	list := func(name string, f func(*Group) *[]string) Property[Group] {
		return Property[Group]{Name: name, Type: TypeStrings, field: func(g *Group) any { return f(g) }}
	}
	date := func(name string, f func(*Group) **time.Time) Property[Group] {
		return Property[Group]{Name: name, Type: TypeTime, field: func(g *Group) any { return f(g) }}
	}
	synced := func(p Property[Group]) Property[Group] { p.Synced = true; return p }
	required := func(p Property[Group]) Property[Group] { p.Required = true; return p }
	return []Property[Group]{
		required(text("displayName", 256, func(g *Group) *string { return &g.DisplayName })),
		text("description", 1024, func(g *Group) *string { return &g.Description }),
		text("mail", 256, func(g *Group) *string { return &g.Mail }),
		required(text("mailNickname", 64, func(g *Group) *string { return &g.MailNickname })),
		{Name: "mailEnabled", Type: TypeBoolean, field: func(g *Group) any { return &g.MailEnabled }},
		{Name: "securityEnabled", Type: TypeBoolean, field: func(g *Group) any { return &g.SecurityEnabled }},
		list("groupTypes", func(g *Group) *[]string { return &g.GroupTypes }),
		text("visibility", 64, func(g *Group) *string { return &g.Visibility }),
		text("classification", 64, func(g *Group) *string { return &g.Classification }),
		text("membershipRule", 3072, func(g *Group) *string { return &g.MembershipRule }),
		text("membershipRuleProcessingState", 64, func(g *Group) *string { return &g.MembershipRuleState }),
		text("preferredLanguage", 64, func(g *Group) *string { return &g.PreferredLanguage }),
		text("preferredDataLocation", 64, func(g *Group) *string { return &g.PreferredDataLocation }),
		text("theme", 64, func(g *Group) *string { return &g.Theme }),
		text("uniqueName", 128, func(g *Group) *string { return &g.UniqueName }),
		{Name: "isAssignableToRole", Type: TypeBoolean, field: func(g *Group) any { return &g.IsAssignableToRole }},
		synced(list("proxyAddresses", func(g *Group) *[]string { return &g.ProxyAddresses })),
		synced(list("creationOptions", func(g *Group) *[]string { return &g.CreationOptions })),
		list("resourceBehaviorOptions", func(g *Group) *[]string { return &g.ResourceBehaviorOptions }),
		list("resourceProvisioningOptions", func(g *Group) *[]string { return &g.ResourceProvisioningOptions }),
		synced(date("expirationDateTime", func(g *Group) **time.Time { return &g.Expires })),
		synced(date("renewedDateTime", func(g *Group) **time.Time { return &g.Renewed })),
		synced(Property[Group]{Name: "onPremisesSyncEnabled", Type: TypeBoolean, field: func(g *Group) any { return &g.OnPremisesSyncEnabled }}),
		synced(date("onPremisesLastSyncDateTime", func(g *Group) **time.Time { return &g.OnPremisesLastSync })),
		synced(text("onPremisesSecurityIdentifier", 256, func(g *Group) *string { return &g.OnPremisesSecurityIdentifier })),
		synced(text("onPremisesSamAccountName", 256, func(g *Group) *string { return &g.OnPremisesSamAccountName })),
		synced(text("onPremisesDomainName", 256, func(g *Group) *string { return &g.OnPremisesDomainName })),
		synced(text("onPremisesNetBiosName", 256, func(g *Group) *string { return &g.OnPremisesNetBiosName })),
		{Name: "securityIdentifier", Type: TypeString, ReadOnly: true, computed: func(g *Group) any { return g.SecurityIdentifier() }},
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

// check refuses what the directory does not hold (resources/group.md, api/group-post-groups.md).
func (g *Group) check() error {
	for _, t := range g.GroupTypes {
		if t != "Unified" && t != DynamicMembership {
			return invalid("groupTypes", "groupTypes holds Unified and DynamicMembership, not %q.", t)
		}
	}
	switch g.Visibility {
	case "", "Private", "Public", "HiddenMembership":
	default:
		return invalid("visibility", "visibility is Private, Public or HiddenMembership, not %q.", g.Visibility)
	}
	switch {
	case !g.MailEnabled && !g.SecurityEnabled:
		return invalid("securityEnabled", "A group is security-enabled, mail-enabled or both.")
	case g.MailEnabled && !slices.Contains(g.GroupTypes, "Unified") && !g.synced():
		return invalid("mailEnabled", "Only groups of type Unified can be mail-enabled here.")
	}
	if err := g.checkRule(); err != nil {
		return err
	}
	return checkNickname(KindGroup, g.MailNickname)
}

func (g *Group) synced() bool { return g.OnPremisesSyncEnabled != nil && *g.OnPremisesSyncEnabled }

// keptDeleted reports whether deletion moves the group to deleted items: Microsoft 365 groups and cloud security groups
// do, others are gone at once (api/group-delete.md).
func (g *Group) keptDeleted() bool {
	return slices.Contains(g.GroupTypes, "Unified") || !g.MailEnabled && !g.synced()
}

// CreateGroup makes a group with its first members, all or nothing. Required are displayName and mailNickname;
// securityEnabled is true unless given.
func (s *Store) CreateGroup(now time.Time, p Props, members ...string) (Group, error) {
	return s.CreateOwnedGroup(now, p, nil, members)
}

// CreateOwnedGroup is CreateGroup with owners: users or service principals.
func (s *Store) CreateOwnedGroup(now time.Time, p Props, owners, members []string) (Group, error) {
	g := Group{SecurityEnabled: true}
	err := s.write("created", func(t *txn) (Object, error) {
		changed, err := apply(KindGroup, groupTable, &g, p, &g.Extensions, true)
		if err != nil {
			return Object{}, err
		}
		changed = g.processed(changed)
		if err := g.check(); err != nil {
			return Object{}, err
		}
		for _, id := range owners {
			if g.Owners, err = t.withOwner(g.Owners, id); err != nil {
				return Object{}, err
			}
		}
		if err := t.create(s, now, KindGroup, &g.Object, &g); err != nil {
			return Object{}, err
		}
		if _, err = t.log(now, change{Op: opCreate, Kind: KindGroup, Num: g.Num, Changed: changed}); err != nil {
			return g.Object, err
		}
		if len(members) > 0 {
			return g.Object, t.addMembers(now, g, members)
		}
		return g.Object, t.govern(now, &g)
	})
	return g, err
}

// UpdateGroup changes properties of a live group and adds members, all or nothing.
func (s *Store) UpdateGroup(now time.Time, id string, edit Props, members ...string) (Group, error) {
	var out Group
	err := s.write("updated", func(t *txn) (Object, error) {
		o, err := t.find(id, KindGroup)
		if err != nil {
			return o, err
		}
		g, _, err := load[Group](t, o.Num)
		if err != nil {
			return o, err
		}
		before := *g
		if g.Extensions != nil {
			g.Extensions = cloneMap(g.Extensions)
		}
		changed, err := apply(KindGroup, groupTable, g, edit, &g.Extensions, false)
		if err != nil {
			return o, err
		}
		changed = g.processed(changed)
		if err := g.check(); err != nil {
			return o, err
		}
		out = *g
		if len(members) > 0 {
			if err := t.addMembers(now, *g, members); err != nil {
				return o, err
			}
		}
		if len(changed) == 0 {
			if len(members) == 0 {
				return g.Object, errUnchanged
			}
			return g.Object, nil
		}
		if err := t.leave(before.Object, &before); err != nil {
			return o, err
		}
		if err := t.enter(g.Object, g); err != nil {
			return o, err
		}
		if err := t.putObject(g); err != nil {
			return o, err
		}
		if _, err = t.log(now, change{Op: opUpdate, Kind: KindGroup, Num: g.Num, Changed: changed}); err != nil {
			return g.Object, err
		}
		if before.Dynamic() == g.Dynamic() && before.MembershipRule == g.MembershipRule && before.MembershipRuleState == g.MembershipRuleState {
			return g.Object, nil
		}
		return g.Object, t.govern(now, g)
	})
	return out, err
}
