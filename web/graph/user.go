package graph

import (
	"net/http"
	"slices"
	"strings"

	"entrasim/directory"
)

// userKind is the table of a user's properties (resources/user.md).
var userKind = func() *kind {
	object := func(name string) field { return field{name: name, typ: typeObject} }
	k := newKind("user", "User", "users", fieldsFrom(directory.UserProperties(),
		[]string{"businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname", "userPrincipalName", "id"},
		append(links("manager directReports memberOf transitiveMemberOf ownedObjects ownedDevices registeredDevices createdObjects appRoleAssignments oauth2PermissionGrants licenseDetails"),
			object("employeeOrgData"), object("onPremisesExtensionAttributes"), object("passwordProfile"))...))
	k.extensions = true
	k.lacks(`aboutMe assignedPlans authorizationInfo birthday cloudRealtimeCommunicationInfo customSecurityAttributes deviceEnrollmentLimit
		externalUserStateChangeDateTime hireDate infoCatalogs interests isLicenseReconciliationNeeded isManagementRestricted licenseAssignmentStates
		mailboxSettings mySite onPremisesProvisioningErrors pastProjects preferredName print provisionedPlans responsibilities schools
		serviceProvisioningErrors settings signInActivity skills usageRights`)
	return k
}()

// typeObject is the type of a property that is an object.
const typeObject directory.Type = "Object"

func userValues(u *directory.User) values {
	return func(name string) any {
		switch name {
		case "passwordProfile":
			return nil // never shown
		case "employeeOrgData":
			cost, _ := u.Get("employeeOrgData/costCenter")
			division, _ := u.Get("employeeOrgData/division")
			if cost == nil && division == nil {
				return nil
			}
			return object{{"costCenter", cost}, {"division", division}}
		case "onPremisesExtensionAttributes":
			var o object
			for i := range u.ExtensionAttributes {
				n := extensionAttribute(i)
				v, _ := u.Get("onPremisesExtensionAttributes/" + n)
				o = append(o, member{n, v})
			}
			return o
		case "identities":
			_, issuer, _ := strings.Cut(u.UserPrincipalName, "@")
			return append(slices.Clone(u.Identities), map[string]any{"signInType": "userPrincipalName", "issuer": issuer, "issuerAssignedId": u.UserPrincipalName})
		}
		v, _ := u.Get(name)
		return v
	}
}

func extensionAttribute(i int) string {
	return "extensionAttribute" + [...]string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"}[i]
}

func (g *Graph) users() source[directory.User] {
	return source[directory.User]{kind: userKind, list: "users", page: g.dir.FilterUsers, value: userValues, one: g.dir.User,
		total: func() int { return g.dir.Counts().Users }, names: []string{"displayName", "mail", "userPrincipalName"}, add: g.addToUser, expand: userLinks, tally: g.tallyUsers}
}

// tallyUsers counts users by what the directory counts anyway: who is enabled, who is a guest.
func (g *Graph) tallyUsers(f *filter) (int, bool) {
	if f == nil || f.op != "eq" || f.args[0].op != "path" {
		return 0, false
	}
	n := g.dir.Counts()
	switch lit := f.args[1].lit.(type) {
	case bool:
		if f.args[0].path == "accountEnabled" {
			if lit {
				return n.Users - n.DisabledUsers, true
			}
			return n.DisabledUsers, true
		}
	case string:
		switch {
		case f.args[0].path != "userType":
		case strings.EqualFold(lit, directory.Guest):
			return n.Guests, true
		case strings.EqualFold(lit, directory.Member):
			return n.Users - n.Guests, true
		}
	}
	return 0, false
}

// expansion is one navigation property of $expand with its own $select.
type expansion struct {
	name     string
	selected []string
}

// expansions reads $expand; allowed are the names of navigation properties.
func expansions(c *call, k *kind, allowed ...string) ([]expansion, error) {
	var list []expansion
	for _, part := range c.query.list("expand") {
		name, inside, nested := strings.Cut(part, "(")
		e := expansion{name: name}
		i := slices.IndexFunc(allowed, func(a string) bool { return strings.EqualFold(a, name) })
		if p, ok := k.find(name); i < 0 && ok && p.link {
			return nil, notImplemented("$expand of '" + p.name + "'")
		}
		if i < 0 {
			return nil, badRequest("$expand of '%s' is not supported here.", name)
		}
		e.name = allowed[i]
		if nested {
			for _, option := range splitList(strings.TrimSuffix(inside, ")"), ';') {
				key, value, _ := strings.Cut(option, "=")
				switch strings.ToLower(strings.TrimPrefix(key, "$")) {
				case "select":
					e.selected = splitList(value, ',')
				default:
					return nil, notImplemented("$expand with " + key)
				}
			}
		}
		list = append(list, e)
	}
	return list, nil
}

// userLinks are what $expand shows of a user: of memberOf and directReports the first expandMost.
var userLinks = []string{"manager", "memberOf", "directReports"}

func (g *Graph) addToUser(c *call, u *directory.User, o object) (object, error) {
	list, err := expansions(c, userKind, userLinks...)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		var page directory.Page[directory.Object]
		anything := func(directory.Kind) bool { return true }
		switch e.name {
		case "manager":
			boss, ok, err := g.dir.Manager(u.ID)
			if err != nil && !isMissing(err) {
				return nil, err
			}
			if ok {
				page.Items = []directory.Object{boss}
			}
		case "memberOf":
			page, err = g.dir.FilterMemberOf(u.ID, "", expandMost, anything)
		case "directReports":
			page, err = g.dir.FilterReports(u.ID, "", expandMost, anything)
		}
		if err != nil && !isMissing(err) { // the user was deleted meanwhile
			return nil, err
		}
		shown, err := g.expanded(page.Items, e)
		switch {
		case err != nil:
			return nil, err
		case e.name != "manager":
			o = append(o, member{e.name, shown})
		case len(shown) > 0:
			o = append(o, member{e.name, shown[0]})
		}
	}
	return o, nil
}

// expanded shows objects below another.
func (g *Graph) expanded(list []directory.Object, e expansion) ([]object, error) {
	shown := []object{}
	for _, m := range list[:min(len(list), expandMost)] {
		x, err := g.directoryObject(m.ID, e.selected)
		if isMissing(err) { // deleted meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		shown = append(shown, x)
	}
	return shown, nil
}

func (g *Graph) listUsers(c *call) error  { return g.users().respond(g, c) }
func (g *Graph) countUsers(c *call) error { return g.users().respondCount(c) }

func (g *Graph) getUser(c *call) error {
	selected, err := userKind.selection(c)
	if err != nil {
		return err
	}
	u, err := g.dir.User(userKey(c.params["id"]))
	if err != nil {
		return err
	}
	o, err := g.users().show(c, &u, selected)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, userKind.context(selected, true), o)
}

// userKey takes the name off an alternate key.
func userKey(key string) string {
	if rest, ok := strings.CutPrefix(key, "userPrincipalName="); ok {
		return rest
	}
	return key
}

// getUserProperty answers one property: /users/{id}/displayName.
func (g *Graph) getUserProperty(c *call) error { return g.userProperty(c, false) }
func (g *Graph) getUserValue(c *call) error    { return g.userProperty(c, true) }

func (g *Graph) userProperty(c *call, raw bool) error {
	p, ok := userKind.find(c.params["property"])
	if !ok || p.hidden || p.link {
		return noProperty(c.params["property"])
	}
	u, err := g.dir.User(userKey(c.params["id"]))
	if err != nil {
		return err
	}
	return c.property("users('"+u.ID+"')/"+p.name, plain(userValues(&u)(p.name), p.typ), raw)
}

// edit turns a body into an edit of the directory: names in the table's spelling, what the service keeps to itself refused.
func edit[T any](k *kind, rows []directory.Property[T], body fields) (directory.Props, error) {
	synced := map[string]bool{}
	for _, r := range rows {
		synced[r.Name] = r.Synced || r.ReadOnly
	}
	props := directory.Props{}
	for name, v := range body {
		if strings.HasSuffix(name, "@odata.bind") {
			return nil, unknownBind(name)
		}
		if strings.Contains(name, "@odata.") {
			continue
		}
		p, ok := k.find(name)
		if !ok {
			return nil, k.undeclared(name)
		}
		if err := p.unwritable(); err != nil {
			return nil, err
		}
		if synced[p.name] || p.name == "identities" && v == nil {
			return nil, refused("Property '%s' is read-only and cannot be set.", p.name)
		}
		if _, twice := props[p.name]; twice {
			return nil, badRequest("%s The property '%s' is given twice.", unreadable, p.name)
		}
		props[p.name] = v
	}
	return props, nil
}

func require(k *kind, props directory.Props, names ...string) error {
	for _, name := range names {
		if v, ok := props[name]; !ok || v == nil || v == "" {
			return refused("A value is required for property '%s' of resource '%s'.", name, k.title)
		}
	}
	return nil
}

// userEdit reads a body about a user.
func (g *Graph) userEdit(c *call, creating bool) (directory.Props, error) {
	body, err := c.object(false)
	if err != nil {
		return nil, err
	}
	boss, bound := body.take("manager@odata.bind")
	props, err := edit(userKind, directory.UserProperties(), body)
	if err != nil {
		return nil, err
	}
	if err := g.checkExtensions(userKind, props); err != nil {
		return nil, err
	}
	if creating {
		if err := require(userKind, props, "accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"); err != nil {
			return nil, err
		}
	}
	if profile, given := props["passwordProfile"]; given {
		delete(props, "passwordProfile")
		if err := checkPassword(profile, creating); err != nil {
			return nil, err
		}
		props["lastPasswordChangeDateTime"] = g.svc.Clock().Now()
	}
	if upn, ok := props["userPrincipalName"].(string); ok {
		if err := g.checkDomain(upn); err != nil {
			return nil, err
		}
	}
	if bound {
		id, err := reference(boss)
		if err != nil {
			return nil, err
		}
		props["manager"] = id
	}
	return props, nil
}

// checkDomain refuses user principal names outside of the tenant's domain.
func (g *Graph) checkDomain(upn string) error {
	if _, domain, _ := strings.Cut(upn, "@"); domain != "" && !strings.EqualFold(domain, g.dir.Tenant().DefaultDomain) {
		return refused("The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.")
	}
	return nil
}

// checkPassword looks at a passwordProfile, which is never kept (resources/passwordprofile.md).
func checkPassword(v any, creating bool) error {
	m, ok := v.(map[string]any)
	if !ok {
		return refused("Invalid value specified for property 'passwordProfile' of resource 'User'.")
	}
	password := false
	for name, x := range m {
		switch strings.ToLower(name) {
		case "password":
			text, _ := x.(string)
			if text == "" {
				return refused("Invalid value specified for property 'password' of resource 'User'.")
			}
			password = true
		case "forcechangepasswordnextsignin", "forcechangepasswordnextsigninwithmfa":
			if _, ok := x.(bool); !ok && x != nil {
				return refused("Invalid value specified for property '%s' of resource 'User'.", name)
			}
		default:
			if !strings.Contains(name, "@odata.") {
				return refused("Property '%s' does not exist as a declared property or extension property.", name)
			}
		}
	}
	if creating && !password {
		return refused("A value is required for property 'passwordProfile/password' of resource 'User'.")
	}
	return nil
}

func (g *Graph) createUser(c *call) error {
	props, err := g.userEdit(c, true)
	if err != nil {
		return err
	}
	u, err := g.dir.CreateUser(g.svc.Clock().Now(), props)
	if err != nil {
		return err
	}
	return c.created("/users/"+u.ID, "users/$entity", userKind.show(userValues(&u), nil))
}

// created answers 201 with the new object and its address.
func (c *call) created(location, context string, o object) error {
	c.w.Header().Set("Location", c.base+location)
	return c.entity(http.StatusCreated, context, o)
}

// property answers one property, raw as plain text.
func (c *call) property(context string, v any, raw bool) error {
	if !raw {
		return c.json(http.StatusOK, object{{"@odata.context", c.context(context)}, {"value", v}})
	}
	switch x := v.(type) {
	case nil:
		return c.noContent()
	case string:
		return c.text(http.StatusOK, x)
	}
	data, err := encode(v)
	if err != nil {
		return err
	}
	return c.text(http.StatusOK, strings.Trim(string(data), `"`))
}

func (g *Graph) updateUser(c *call) error {
	props, err := g.userEdit(c, false)
	if err != nil {
		return err
	}
	u, err := g.dir.UpdateUser(g.svc.Clock().Now(), userKey(c.params["id"]), props)
	if err != nil {
		return err
	}
	if c.wantsRepresentation() {
		return c.entity(http.StatusOK, "users/$entity", userKind.show(userValues(&u), nil))
	}
	return c.noContent()
}

// wantsRepresentation reports whether a PATCH is to be answered with the object.
func (c *call) wantsRepresentation() bool {
	if !strings.Contains(strings.ToLower(c.r.Header.Get("Prefer")), "return=representation") {
		return false
	}
	c.w.Header().Set("Preference-Applied", "return=representation")
	return true
}

func (g *Graph) deleteUser(c *call) error {
	if err := g.dir.DeleteUser(g.svc.Clock().Now(), userKey(c.params["id"])); err != nil {
		return err
	}
	return c.noContent()
}

// manager finds a user's manager; without one it is a 404 that names the property.
func (g *Graph) manager(c *call) (directory.Object, error) {
	boss, ok, err := g.dir.Manager(userKey(c.params["id"]))
	if err == nil && !ok {
		err = missing("manager")
	}
	return boss, err
}

func (g *Graph) getManager(c *call) error {
	boss, err := g.manager(c)
	if err != nil {
		return err
	}
	if err := c.isOf(boss.Kind); err != nil {
		return err
	}
	o, err := g.directoryObject(boss.ID, c.query.list("select"))
	if isMissing(err) { // deleted meanwhile
		return missing("manager")
	}
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, "directoryObjects/$entity", o)
}

func (g *Graph) getManagerRef(c *call) error {
	boss, err := g.manager(c)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, "$ref", object{{"@odata.id", c.base + "/users/" + boss.ID}})
}

func (g *Graph) putManager(c *call) error {
	id, err := c.reference()
	if err != nil {
		return err
	}
	if _, err := g.dir.User(id); err != nil {
		return err
	}
	if err := g.dir.SetManager(g.svc.Clock().Now(), userKey(c.params["id"]), id); err != nil {
		return err
	}
	return c.noContent()
}

func (g *Graph) deleteManager(c *call) error {
	if _, err := g.manager(c); err != nil {
		return err
	}
	if err := g.dir.SetManager(g.svc.Clock().Now(), userKey(c.params["id"]), ""); err != nil {
		return err
	}
	return c.noContent()
}

// notHere answers /me, which needs a signed-in user, and tokens are of applications.
func (g *Graph) notHere(*call) error { return errDelegated }

var errDelegated = badRequest("/me request is only valid with delegated authentication flow.")
