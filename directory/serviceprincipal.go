package directory

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file $GOFILE -o serviceprincipal_gen.go -io=false -tests=false
//msgp:tag json
//msgp:timezone utc

import (
	"time"
)

// ServicePrincipal is an enterprise application of the tenant (resources/serviceprincipal.md).
type ServicePrincipal struct {
	Object
	AppID                      string              `json:"appId"`
	ApplicationID              string              `json:"applicationId"` // object id of the application registration
	TemplateID                 string              `json:"applicationTemplateId,omitempty"`
	AccountEnabled             bool                `json:"accountEnabled"`
	AppRoleAssignmentRequired  bool                `json:"appRoleAssignmentRequired"`
	Description                string              `json:"description,omitempty"`
	Homepage                   string              `json:"homepage,omitempty"`
	LoginURL                   string              `json:"loginUrl,omitempty"`
	PreferredSSOMode           string              `json:"preferredSingleSignOnMode,omitempty"`
	Notes                      string              `json:"notes,omitempty"`
	NotificationEmailAddresses []string            `json:"notificationEmailAddresses,omitempty"`
	Tags                       []string            `json:"tags,omitempty"`
	AppRoles                   []AppRole           `json:"appRoles,omitempty"`
	Passwords                  []Password          `json:"passwords,omitempty"`
	Owners                     []uint64            `json:"owners,omitempty"` // numbers, some perhaps of the deleted
	RegistrationOwners         []uint64            `json:"registrationOwners,omitempty"`
	Extensions                 []ExtensionProperty `json:"extensions,omitempty"`
	// More and Registration hold other properties of the service principal and of its registration, by their Graph names.
	More         map[string]any `json:"more,omitempty"`
	Registration map[string]any `json:"registration,omitempty"`
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
	{Name: "description", Type: TypeString, Max: 1024, field: func(s *ServicePrincipal) any { return &s.Description }},
	{Name: "homepage", Type: TypeString, Max: 1024, field: func(s *ServicePrincipal) any { return &s.Homepage }},
	{Name: "loginUrl", Type: TypeString, Max: 1024, field: func(s *ServicePrincipal) any { return &s.LoginURL }},
	{Name: "preferredSingleSignOnMode", Type: TypeString, Max: 64, field: func(s *ServicePrincipal) any { return &s.PreferredSSOMode }},
	{Name: "notes", Type: TypeString, Max: 1024, field: func(s *ServicePrincipal) any { return &s.Notes }},
	{Name: "notificationEmailAddresses", Type: TypeStrings, field: func(s *ServicePrincipal) any { return &s.NotificationEmailAddresses }},
	{Name: "tags", Type: TypeStrings, field: func(s *ServicePrincipal) any { return &s.Tags }},
})

// CreateServicePrincipal makes an enterprise application with its registration's ids.
func (s *Store) CreateServicePrincipal(now time.Time, displayName, templateID string, roles []AppRole) (ServicePrincipal, error) {
	sp := ServicePrincipal{TemplateID: templateID, AccountEnabled: true, AppRoleAssignmentRequired: true, AppRoles: roles,
		Tags: []string{"WindowsAzureActiveDirectoryCustomSingleSignOnApplication", "WindowsAzureActiveDirectoryIntegratedApp"}}
	err := s.write("created", func(t *txn) (Object, error) {
		if _, err := apply(KindServicePrincipal, principalTable, &sp, Props{"displayName": displayName}, new(map[string]any), true); err != nil {
			return Object{}, err
		}
		if err := checkRoles(roles); err != nil {
			return Object{}, err
		}
		err := t.createPrincipal(s, now, &sp)
		return sp.Object, err
	})
	return sp, err
}

// createPrincipal gives a new service principal its ids, and its registration's. An appId that it has it keeps.
func (t *txn) createPrincipal(s *Store, now time.Time, sp *ServicePrincipal) error {
	n, err := t.next()
	if err != nil {
		return err
	}
	if sp.AppID == "" {
		sp.AppID = derive(s.seed, "appId", n)
	}
	sp.ApplicationID = derive(s.seed, "application", n)
	if err := t.create(s, now, KindServicePrincipal, &sp.Object, sp); err != nil {
		return err
	}
	for _, id := range []string{sp.AppID, sp.ApplicationID} {
		if err := t.in(bucketAppIDs).Put(guidKey(id), key(sp.Num)); err != nil {
			return err
		}
	}
	_, err = t.log(now, change{Op: opCreate, Kind: KindServicePrincipal, Num: sp.Num})
	return err
}

// ServicePrincipal returns a service principal by its object id.
func (s *Store) ServicePrincipal(id string) (ServicePrincipal, error) {
	return get[ServicePrincipal](s, id, KindServicePrincipal)
}

// ServicePrincipalByAppID returns a service principal by its appId, or by the object id of its application.
func (s *Store) ServicePrincipalByAppID(id string) (ServicePrincipal, error) {
	sp, err := s.Registration(id)
	if err == nil && sp.Bare {
		return ServicePrincipal{}, notFound(id)
	}
	return sp, err
}

// SetAppRoles replaces the roles that an application defines. Assignments of a role that goes stay (they then name a role
// nobody knows), as the directory refuses only new ones.
func (s *Store) SetAppRoles(now time.Time, id string, roles []AppRole) error {
	return s.write("updated", func(t *txn) (Object, error) {
		o, err := t.find(id, KindServicePrincipal)
		if err != nil {
			return o, err
		}
		sp, _, err := load[ServicePrincipal](t, o.Num)
		if err != nil {
			return o, err
		}
		if err := checkRoles(roles); err != nil {
			return o, err
		}
		sp.AppRoles = roles
		if err := t.putObject(sp); err != nil {
			return o, err
		}
		_, err = t.log(now, change{Op: opUpdate, Kind: KindServicePrincipal, Num: o.Num, Changed: []string{"appRoles"}})
		return o, err
	})
}

func checkRoles(roles []AppRole) error {
	seen := map[string]bool{DefaultAccess: true}
	for _, r := range roles {
		if guidKey(r.ID) == nil || seen[fold(r.ID)] {
			return invalid("appRoles", "Each role needs a GUID of its own as id, not %q.", r.ID)
		}
		seen[fold(r.ID)] = true
	}
	return nil
}

// UpdateServicePrincipal changes properties of a service principal.
func (s *Store) UpdateServicePrincipal(now time.Time, id string, edit Props) (ServicePrincipal, error) {
	return s.UpdatePrincipal(now, id, edit, nil)
}

// UpdatePrincipal does the same, with further properties by their Graph names that whoever writes them has checked; nil
// removes one.
func (s *Store) UpdatePrincipal(now time.Time, id string, edit Props, more map[string]any) (ServicePrincipal, error) {
	return s.changePrincipal(now, principal(id), func(_ *txn, sp *ServicePrincipal) ([]string, error) {
		changed, err := apply(KindServicePrincipal, principalTable, sp, edit, new(map[string]any), false)
		if err != nil {
			return nil, err
		}
		names := []string(nil)
		sp.More, names = merged(sp.More, more)
		return append(changed, names...), nil
	})
}
