package directory

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file $GOFILE -o user_gen.go -io=false -tests=false -unexported
//msgp:tag json
//msgp:timezone utc

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// User is a user account; "" and nil stand for null. Field names follow resources/user.md.
type User struct {
	Object
	AccountEnabled               bool                `json:"accountEnabled"`
	UserPrincipalName            string              `json:"userPrincipalName"`
	MailNickname                 string              `json:"mailNickname,omitempty"`
	GivenName                    string              `json:"givenName,omitempty"`
	Surname                      string              `json:"surname,omitempty"`
	Mail                         string              `json:"mail,omitempty"`
	JobTitle                     string              `json:"jobTitle,omitempty"`
	Department                   string              `json:"department,omitempty"`
	CompanyName                  string              `json:"companyName,omitempty"`
	EmployeeID                   string              `json:"employeeId,omitempty"`
	EmployeeType                 string              `json:"employeeType,omitempty"`
	OfficeLocation               string              `json:"officeLocation,omitempty"`
	StreetAddress                string              `json:"streetAddress,omitempty"`
	City                         string              `json:"city,omitempty"`
	StateOrProvince              string              `json:"stateOrProvince,omitempty"` // Graph: state
	PostalCode                   string              `json:"postalCode,omitempty"`
	Country                      string              `json:"country,omitempty"`
	UsageLocation                string              `json:"usageLocation,omitempty"`
	PreferredLanguage            string              `json:"preferredLanguage,omitempty"`
	PreferredDataLocation        string              `json:"preferredDataLocation,omitempty"`
	MobilePhone                  string              `json:"mobilePhone,omitempty"`
	FaxNumber                    string              `json:"faxNumber,omitempty"`
	BusinessPhones               []string            `json:"businessPhones,omitempty"`
	OtherMails                   []string            `json:"otherMails,omitempty"`
	ProxyAddresses               []string            `json:"proxyAddresses,omitempty"`
	ImAddresses                  []string            `json:"imAddresses,omitempty"`
	UserType                     string              `json:"userType,omitempty"`
	CreationType                 string              `json:"creationType,omitempty"`
	ExternalUserState            string              `json:"externalUserState,omitempty"`
	AgeGroup                     string              `json:"ageGroup,omitempty"`
	LegalAgeGroup                string              `json:"legalAgeGroupClassification,omitempty"`
	ConsentProvidedForMinor      string              `json:"consentProvidedForMinor,omitempty"`
	PasswordPolicies             string              `json:"passwordPolicies,omitempty"`
	IsResourceAccount            *bool               `json:"isResourceAccount,omitempty"`
	ShowInAddressList            *bool               `json:"showInAddressList,omitempty"`
	EmployeeHireDate             *time.Time          `json:"employeeHireDate,omitempty"`
	EmployeeLeaveDateTime        *time.Time          `json:"employeeLeaveDateTime,omitempty"`
	CostCenter                   string              `json:"costCenter,omitempty"` // employeeOrgData
	Division                     string              `json:"division,omitempty"`
	OnPremisesSyncEnabled        *bool               `json:"onPremisesSyncEnabled,omitempty"`
	OnPremisesDistinguishedName  string              `json:"onPremisesDistinguishedName,omitempty"`
	OnPremisesDomainName         string              `json:"onPremisesDomainName,omitempty"`
	OnPremisesSamAccountName     string              `json:"onPremisesSamAccountName,omitempty"`
	OnPremisesSecurityIdentifier string              `json:"onPremisesSecurityIdentifier,omitempty"`
	OnPremisesUserPrincipalName  string              `json:"onPremisesUserPrincipalName,omitempty"`
	OnPremisesImmutableID        string              `json:"onPremisesImmutableId,omitempty"`
	OnPremisesLastSync           *time.Time          `json:"onPremisesLastSyncDateTime,omitempty"`
	LastPasswordChange           *time.Time          `json:"lastPasswordChangeDateTime,omitempty"`
	SignInSessionsValidFrom      *time.Time          `json:"signInSessionsValidFromDateTime,omitempty"`
	AssignedLicenses             []map[string]any    `json:"assignedLicenses,omitempty"`
	Identities                   []map[string]any    `json:"identities,omitempty"`
	ExtensionAttributes          ExtensionAttributes `json:"extensionAttributes,omitzero"`
	ManagerNum                   uint64              `json:"managerNum,omitempty"` // 0: none
	Extensions                   map[string]any      `json:"extensions,omitempty"`
}

// ExtensionAttributes are extensionAttribute1 to 15 of onPremisesExtensionAttributes.
type ExtensionAttributes [15]string

// IsZero reports whether none has a value.
func (a ExtensionAttributes) IsZero() bool { return a == ExtensionAttributes{} }

// The values of userType.
const (
	Member = "Member"
	Guest  = "Guest"
)

var userTable = byName(userRows())

// UserProperties is the table of a user's properties.
func UserProperties() []Property[User] { return userRows() }

func userRows() []Property[User] {
	text := func(name string, max int, f func(*User) *string) Property[User] {
		return Property[User]{Name: name, Type: TypeString, Max: max, field: func(u *User) any { return f(u) }}
	}
	required := func(p Property[User]) Property[User] { p.Required = true; return p }
	readOnly := func(p Property[User]) Property[User] { p.ReadOnly = true; return p }
	synced := func(p Property[User]) Property[User] { p.Synced = true; return p }
	date := func(name string, f func(*User) **time.Time) Property[User] {
		return Property[User]{Name: name, Type: TypeTime, field: func(u *User) any { return f(u) }}
	}
	flag := func(name string, f func(*User) **bool) Property[User] {
		return Property[User]{Name: name, Type: TypeBoolean, field: func(u *User) any { return f(u) }}
	}
	objects := func(name string, f func(*User) *[]map[string]any) Property[User] {
		return Property[User]{Name: name, Type: TypeObjects, field: func(u *User) any { return f(u) }}
	}
	list := func(name string, f func(*User) *[]string) Property[User] {
		return Property[User]{Name: name, Type: TypeStrings, field: func(u *User) any { return f(u) }}
	}
	rows := []Property[User]{
		required(text("displayName", 256, func(u *User) *string { return &u.DisplayName })),
		{Name: "accountEnabled", Type: TypeBoolean, field: func(u *User) any { return &u.AccountEnabled }},
		required(text("userPrincipalName", 1024, func(u *User) *string { return &u.UserPrincipalName })),
		required(text("mailNickname", 64, func(u *User) *string { return &u.MailNickname })),
		text("givenName", 64, func(u *User) *string { return &u.GivenName }),
		text("surname", 64, func(u *User) *string { return &u.Surname }),
		text("mail", 256, func(u *User) *string { return &u.Mail }),
		text("jobTitle", 128, func(u *User) *string { return &u.JobTitle }),
		text("department", 64, func(u *User) *string { return &u.Department }),
		text("companyName", 64, func(u *User) *string { return &u.CompanyName }),
		text("employeeId", 16, func(u *User) *string { return &u.EmployeeID }),
		text("employeeType", 64, func(u *User) *string { return &u.EmployeeType }),
		text("officeLocation", 128, func(u *User) *string { return &u.OfficeLocation }),
		text("streetAddress", 1024, func(u *User) *string { return &u.StreetAddress }),
		text("city", 128, func(u *User) *string { return &u.City }),
		text("state", 128, func(u *User) *string { return &u.StateOrProvince }),
		text("postalCode", 40, func(u *User) *string { return &u.PostalCode }),
		text("country", 128, func(u *User) *string { return &u.Country }),
		text("usageLocation", 2, func(u *User) *string { return &u.UsageLocation }),
		text("preferredLanguage", 64, func(u *User) *string { return &u.PreferredLanguage }),
		text("preferredDataLocation", 64, func(u *User) *string { return &u.PreferredDataLocation }),
		text("mobilePhone", 64, func(u *User) *string { return &u.MobilePhone }),
		text("faxNumber", 64, func(u *User) *string { return &u.FaxNumber }),
		list("businessPhones", func(u *User) *[]string { return &u.BusinessPhones }),
		list("otherMails", func(u *User) *[]string { return &u.OtherMails }),
		synced(list("proxyAddresses", func(u *User) *[]string { return &u.ProxyAddresses })),
		synced(list("imAddresses", func(u *User) *[]string { return &u.ImAddresses })),
		text("userType", 64, func(u *User) *string { return &u.UserType }),
		synced(text("creationType", 64, func(u *User) *string { return &u.CreationType })),
		synced(text("externalUserState", 64, func(u *User) *string { return &u.ExternalUserState })),
		text("ageGroup", 64, func(u *User) *string { return &u.AgeGroup }),
		text("legalAgeGroupClassification", 64, func(u *User) *string { return &u.LegalAgeGroup }),
		text("consentProvidedForMinor", 64, func(u *User) *string { return &u.ConsentProvidedForMinor }),
		text("passwordPolicies", 256, func(u *User) *string { return &u.PasswordPolicies }),
		flag("isResourceAccount", func(u *User) **bool { return &u.IsResourceAccount }),
		flag("showInAddressList", func(u *User) **bool { return &u.ShowInAddressList }),
		date("employeeHireDate", func(u *User) **time.Time { return &u.EmployeeHireDate }),
		date("employeeLeaveDateTime", func(u *User) **time.Time { return &u.EmployeeLeaveDateTime }),
		text("employeeOrgData/costCenter", 64, func(u *User) *string { return &u.CostCenter }),
		text("employeeOrgData/division", 64, func(u *User) *string { return &u.Division }),
		objects("assignedLicenses", func(u *User) *[]map[string]any { return &u.AssignedLicenses }),
		objects("identities", func(u *User) *[]map[string]any { return &u.Identities }),
		synced(flag("onPremisesSyncEnabled", func(u *User) **bool { return &u.OnPremisesSyncEnabled })),
		synced(date("onPremisesLastSyncDateTime", func(u *User) **time.Time { return &u.OnPremisesLastSync })),
		synced(text("onPremisesDistinguishedName", 1024, func(u *User) *string { return &u.OnPremisesDistinguishedName })),
		synced(text("onPremisesDomainName", 256, func(u *User) *string { return &u.OnPremisesDomainName })),
		synced(text("onPremisesSamAccountName", 256, func(u *User) *string { return &u.OnPremisesSamAccountName })),
		synced(text("onPremisesSecurityIdentifier", 256, func(u *User) *string { return &u.OnPremisesSecurityIdentifier })),
		synced(text("onPremisesUserPrincipalName", 1024, func(u *User) *string { return &u.OnPremisesUserPrincipalName })),
		text("onPremisesImmutableId", 256, func(u *User) *string { return &u.OnPremisesImmutableID }),
		synced(date("lastPasswordChangeDateTime", func(u *User) **time.Time { return &u.LastPasswordChange })),
		synced(date("signInSessionsValidFromDateTime", func(u *User) **time.Time { return &u.SignInSessionsValidFrom })),
		{Name: "securityIdentifier", Type: TypeString, ReadOnly: true, computed: func(u *User) any { return u.SecurityIdentifier() }},
		readOnly(text("id", 0, func(u *User) *string { return &u.ID })),
		{Name: "createdDateTime", Type: TypeTime, ReadOnly: true, field: func(u *User) any { return &u.CreatedDateTime }},
		{Name: "deletedDateTime", Type: TypeTime, ReadOnly: true, field: func(u *User) any { return &u.DeletedDateTime }},
	}
	for i := range 15 {
		rows = append(rows, text("onPremisesExtensionAttributes/extensionAttribute"+strconv.Itoa(i+1), 1024, func(u *User) *string { return &u.ExtensionAttributes[i] }))
	}
	return rows
}

// Get returns a property by its Graph name, nil when it is not set. Members of an object are named with a slash, such as
// onPremisesExtensionAttributes/extensionAttribute1.
func (u *User) Get(name string) (value any, known bool) {
	if strings.HasPrefix(name, extensionPrefix) {
		v, ok := u.Extensions[name]
		return v, ok
	}
	p, ok := userTable[name]
	if !ok {
		return nil, false
	}
	return p.get(u), true
}

var upnPattern = regexp.MustCompile(`^[A-Za-z0-9'._#^~!-]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

// check refuses what the directory does not hold (resources/user.md, userPrincipalName and limits).
func (u *User) check() error {
	if !upnPattern.MatchString(u.UserPrincipalName) {
		return &Error{Code: Invalid, Property: "userPrincipalName",
			Message: "Invalid value specified for property 'userPrincipalName' of resource 'User'.",
			Hint:    "Write name@domain; the name may hold letters, digits and ' . - _ ! # ^ ~"}
	}
	if name, domain, _ := strings.Cut(u.UserPrincipalName, "@"); len(name) > 64 || len(domain) > 48 {
		return invalid("userPrincipalName", "Invalid value specified for property 'userPrincipalName' of resource 'User': at most 64 characters before the @ and 48 behind it.")
	}
	if u.Mail != "" && !strings.Contains(u.Mail, "@") {
		return invalid("mail", "Invalid value specified for property 'mail' of resource 'User': %q is no address.", u.Mail)
	}
	if err := checkNickname(KindUser, u.MailNickname); err != nil {
		return err
	}
	if len(u.BusinessPhones) > 1 {
		return invalid("businessPhones", "A user has at most one business phone, not %d.", len(u.BusinessPhones))
	}
	switch u.UserType {
	case Member, Guest:
	default:
		return invalid("userType", "userType is Member or Guest, not %q.", u.UserType)
	}
	if u.UsageLocation != "" && len(u.UsageLocation) != 2 {
		return invalid("usageLocation", "usageLocation is a country code of two letters, not %q.", u.UsageLocation)
	}
	return nil
}

// IsGuest reports whether the account belongs to somebody of another tenant.
func (u *User) IsGuest() bool { return u.UserType == Guest }

// CreateUser makes a user. Required are displayName, mailNickname and userPrincipalName; accountEnabled is true and
// userType Member unless given. The property manager takes an id or userPrincipalName.
func (s *Store) CreateUser(now time.Time, p Props) (User, error) {
	u := User{AccountEnabled: true, UserType: Member}
	err := s.write("created", func(t *txn) (Object, error) {
		changed, err := t.editUser(&u, p, true)
		if err != nil {
			return Object{}, err
		}
		if err := t.create(s, now, KindUser, &u.Object, &u); err != nil {
			return Object{}, err
		}
		if _, err = t.log(now, change{Op: opCreate, Kind: KindUser, Num: u.Num, Changed: changed}); err != nil {
			return u.Object, err
		}
		return u.Object, t.follow(now, &u)
	})
	return u, err
}

// editUser applies an edit to u and returns the names of what changed.
func (t *txn) editUser(u *User, p Props, creating bool) ([]string, error) {
	rest := make(Props, len(p))
	managerChanged := false
	for _, name := range sortedKeys(p) {
		v := p[name]
		switch name {
		case "manager":
			boss := uint64(0)
			if id, ok := v.(string); ok && id != "" {
				o, err := t.find(id, KindUser)
				if err != nil {
					return nil, &Error{Code: NotFound, Property: "manager", Message: fmt.Sprintf("There is no user %q.", id), Hint: "Give the id or user principal name of a user."}
				}
				boss = o.Num
			} else if v != nil && v != "" {
				return nil, invalid("manager", "manager is the id or user principal name of a user, not %v.", v)
			}
			if boss != 0 && boss == u.Num {
				return nil, invalid("manager", "A user can't be their own manager.")
			}
			managerChanged = boss != u.ManagerNum
			u.ManagerNum = boss
		case "employeeOrgData", "onPremisesExtensionAttributes":
			members, ok := v.(map[string]any)
			if !ok && v != nil {
				return nil, invalid(name, "%s is an object.", name)
			}
			if v == nil {
				members = clearAll(name)
			}
			for k, x := range members {
				rest[name+"/"+k] = x
			}
		default:
			rest[name] = v
		}
	}
	changed, err := apply(KindUser, userTable, u, rest, &u.Extensions, creating)
	if err != nil {
		return nil, err
	}
	if managerChanged {
		changed = append(changed, "manager")
	}
	if _, given := p["proxyAddresses"]; !given && slices.Contains(changed, "mail") {
		u.ProxyAddresses = primaryAddress(u.ProxyAddresses, u.Mail)
		changed = append(changed, "proxyAddresses")
	}
	return changed, u.check()
}

// clearAll is an edit that clears each member of an object.
func clearAll(object string) map[string]any {
	members := map[string]any{}
	for name := range userTable {
		if member, ok := strings.CutPrefix(name, object+"/"); ok {
			members[member] = nil
		}
	}
	return members
}

// UpdateUser changes properties of a live user, given by id or userPrincipalName. An edit that changes nothing leaves no
// trace in the change feed.
func (s *Store) UpdateUser(now time.Time, id string, edit Props) (User, error) {
	var out User
	err := s.write("updated", func(t *txn) (Object, error) {
		o, err := t.find(id, KindUser)
		if err != nil {
			return o, err
		}
		u, _, err := load[User](t, o.Num)
		if err != nil {
			return o, err
		}
		before := *u
		if u.Extensions != nil {
			u.Extensions = cloneMap(u.Extensions)
		}
		changed, err := t.editUser(u, edit, false)
		if err != nil {
			return o, err
		}
		out = *u
		if len(changed) == 0 {
			return u.Object, errUnchanged
		}
		if err := t.leave(before.Object, &before); err != nil {
			return o, err
		}
		if err := t.enter(u.Object, u); err != nil {
			return o, err
		}
		if err := t.putObject(u); err != nil {
			return o, err
		}
		c := change{Op: opUpdate, Kind: KindUser, Num: u.Num, Changed: changed}
		if u.ManagerNum != before.ManagerNum {
			c.Other = before.ManagerNum
		}
		if _, err = t.log(now, c); err != nil {
			return u.Object, err
		}
		return u.Object, t.follow(now, u)
	})
	return out, err
}

// SetManager gives a user a manager; an empty one takes it away.
func (s *Store) SetManager(now time.Time, user, manager string) error {
	_, err := s.UpdateUser(now, user, Props{"manager": manager})
	return err
}
