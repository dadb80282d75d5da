package sim

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// TemplateNonGallery is the application template that *Create your own application* instantiates
// (api/applicationtemplate-instantiate.md).
const TemplateNonGallery = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"

// TemplateSCIM is the template of a non-gallery application's provisioning job
// (application-provisioning-config-problem-scim-compatibility.md).
const TemplateSCIM = "scim"

// Application is an enterprise application: a service principal with its registration.
type Application struct {
	ID          string    `json:"id"` // object id of the service principal
	AppID       string    `json:"appId"`
	ObjectID    string    `json:"objectId"` // of the application registration
	DisplayName string    `json:"displayName"`
	TemplateID  string    `json:"templateId"`
	Num         uint64    `json:"-"`
	Created     time.Time `json:"createdDateTime"`
}

func applicationOf(sp directory.ServicePrincipal) Application {
	return Application{ID: sp.ID, AppID: sp.AppID, ObjectID: sp.ApplicationID, DisplayName: sp.DisplayName,
		TemplateID: sp.TemplateID, Num: sp.Num, Created: sp.CreatedDateTime}
}

// Applications lists the enterprise applications in the order in which they were made.
func (s *Service) Applications() ([]Application, error) {
	var list []Application
	q := directory.Query{Limit: 999}
	for {
		page, err := s.dir.ServicePrincipals(q)
		if err != nil {
			return nil, err
		}
		for _, sp := range page.Items {
			list = append(list, applicationOf(sp))
		}
		if page.Next == "" {
			return list, nil
		}
		q.Cursor = page.Next
	}
}

// Application returns the application with the given id of its service principal.
func (s *Service) Application(id string) (Application, error) {
	sp, err := s.dir.ServicePrincipal(id)
	if err != nil {
		return Application{}, err
	}
	return applicationOf(sp), nil
}

// CreateApplication makes a non-gallery application without a provisioning job.
func (s *Service) CreateApplication(displayName string) (Application, error) {
	displayName = strings.TrimSpace(displayName)
	if displayName == "" {
		return Application{}, invalid("displayName", "The application needs a name.", "Enter what it is called.")
	}
	sp, err := s.dir.CreateServicePrincipal(s.clock.Now(), displayName, TemplateNonGallery, nonGalleryRoles(s.opt.Seed))
	if err != nil {
		return Application{}, err
	}
	app := applicationOf(sp)
	return app, s.audit(app, "Add application", "")
}

// nonGalleryRoles are the two app roles of a new non-gallery application; ids as commonly seen, clients read them.
func nonGalleryRoles(int64) []directory.AppRole {
	return []directory.AppRole{
		{ID: "18d14569-c3bd-439b-9a66-3a2aee01d14f", DisplayName: "User", Description: "User", Enabled: true, AllowedMemberTypes: []string{"User"}},
		{ID: "b9632174-c057-4f7e-951b-be3adc52bfe6", DisplayName: "msiam_access", Description: "msiam_access", Enabled: true, AllowedMemberTypes: []string{"User"}},
	}
}

// DefaultRole is the app role that Add assignment gives when none is chosen.
const DefaultRole = "18d14569-c3bd-439b-9a66-3a2aee01d14f"

// RenameApplication changes the display name.
func (s *Service) RenameApplication(id, name string) error {
	name = strings.TrimSpace(name)
	if name == "" {
		return invalid("displayName", "The application needs a name.", "Enter what it is called.")
	}
	_, err := s.dir.UpdateServicePrincipal(s.clock.Now(), id, directory.Props{"displayName": name})
	return err
}

// DeleteApplication deletes an application and destroys its job with everything the job remembers; the log stays.
func (s *Service) DeleteApplication(id string) error {
	s.shape.Lock()
	defer s.shape.Unlock()
	app, err := s.Application(id)
	if err != nil {
		return err
	}
	if err := s.destroy(app); err != nil && directory.CodeOf(err) != directory.NotFound {
		return err
	}
	if err := s.dir.DeleteServicePrincipal(s.clock.Now(), id); err != nil {
		return err
	}
	if err := s.update(func(tx *bbolt.Tx) error { return dropWaiting(tx, app.Num) }); err != nil {
		return err
	}
	return s.audit(app, "Delete application", "")
}

// Assign gives a user or a group a role of the application; an empty role is the application's User role.
func (s *Service) Assign(appID, principal, role string) (directory.Assignment, error) {
	app, err := s.Application(appID)
	if err != nil {
		return directory.Assignment{}, err
	}
	if role == "" {
		role = DefaultRole
	}
	a, err := s.dir.Assign(s.clock.Now(), app.ID, principal, role)
	if err != nil {
		return a, err
	}
	return a, s.audit(app, "Add app role assignment grant to user or group", a.PrincipalDisplayName)
}

// Unassign removes an assignment, given by its own id or the principal's.
func (s *Service) Unassign(appID, principal string) error {
	app, err := s.Application(appID)
	if err != nil {
		return err
	}
	if err := s.dir.Unassign(s.clock.Now(), app.ID, principal); err != nil {
		return err
	}
	return s.audit(app, "Remove app role assignment", principal)
}

// EmbeddedToken is the bearer token of the embedded target.
const EmbeddedToken = "entrasim"

// selfScheme stands, in a stored tenant URL, for this program's own listener, whatever its address is at the time.
const selfScheme = "self:"

// EmbeddedTenantURL returns the tenant URL and the token of a store of the embedded target that is the application's own.
func (s *Service) EmbeddedTenantURL(appID string) (url, token string, err error) {
	app, err := s.Application(appID)
	if err != nil {
		return "", "", err
	}
	return s.selfURL() + "/targets/" + slug(app.DisplayName, app.Num) + "/scim", EmbeddedToken, nil
}

// slug makes a store's name of an application's: lower-case letters, digits and hyphens, unique by the number.
func slug(name string, n uint64) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 40 {
			break
		}
	}
	return strings.Trim(fmt.Sprintf("%s-%d", strings.Trim(b.String(), "-"), n), "-")
}

func (s *Service) selfURL() string {
	if s.opt.SelfURL == nil {
		return ""
	}
	return strings.TrimSuffix(s.opt.SelfURL(), "/")
}

// storedURL turns a tenant URL on the own listener, however its host is spelled, into its address-free form.
func (s *Service) storedURL(text string) string {
	self, err := url.Parse(s.selfURL())
	if err != nil || self.Host == "" {
		return text
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Scheme != self.Scheme || portOf(u) != portOf(self) || !sameHost(u.Hostname(), self.Hostname()) {
		return text
	}
	_, rest, _ := strings.Cut(text, "//")
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		return selfScheme + rest[i:]
	}
	return selfScheme
}

// sameHost reports whether two names lead to one listener of this machine. The listener's own is that of the address that
// it was told, which other loopback names reach as well.
func sameHost(a, self string) bool {
	return strings.EqualFold(a, self) || loopback(a) && loopback(self)
}

func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.Equal(net.IPv6loopback) || ip.Equal(net.IPv4(127, 0, 0, 1)) || ip.IsUnspecified()
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}

func portOf(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// presentURL is the inverse of storedURL.
func (s *Service) presentURL(stored string) string {
	if rest, ok := strings.CutPrefix(stored, selfScheme); ok {
		return s.selfURL() + rest
	}
	return stored
}

// Starter creates the ConfigCat application of a new file: the seed guide's mappings, credentials of the embedded
// target's store default, and the assignment of two department groups and one project group. Provisioning is not started.
func (s *Service) Starter(context.Context) error {
	app, err := s.CreateApplication("ConfigCat")
	if err != nil {
		return err
	}
	url, token := selfScheme+"/scim", EmbeddedToken
	if _, err := s.CreateJob(app.ID, SettingsEdit{TenantURL: &url, SecretToken: &token}); err != nil {
		return err
	}
	if err := s.setSchema(app.ID, mapping.Starter(), false); err != nil {
		return err
	}
	groups, err := s.dir.Groups(directory.Query{Limit: 999})
	if err != nil {
		return err
	}
	for _, g := range starterGroups(groups.Items) {
		if _, err := s.dir.Assign(s.clock.Now(), app.ID, g.ID, DefaultRole); err != nil {
			return err
		}
	}
	return nil
}

// starterGroups picks the first two groups by department and the first by project; project groups stand behind.
func starterGroups(groups []directory.Group) []directory.Group {
	var picked []directory.Group
	departments, projects := 0, 0
	for _, g := range groups {
		project := strings.HasPrefix(g.DisplayName, "Project ")
		switch {
		case !project && departments < 2:
			departments++
			picked = append(picked, g)
		case project && projects < 1:
			projects++
			picked = append(picked, g)
		}
	}
	return picked
}
