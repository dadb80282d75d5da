package graph

import (
	"net/http"
	"strings"

	"entrasim/directory"
	"entrasim/sim"
)

const (
	text       = directory.TypeString
	boolean    = directory.TypeBoolean
	moment     = directory.TypeTime
	textList   = directory.TypeStrings
	objectList = directory.TypeObjects
)

// principalKind is the table of an enterprise application's properties (resources/serviceprincipal.md).
var principalKind = func() *kind {
	k := newKind("servicePrincipal", "ServicePrincipal", "servicePrincipals", append(append(standardFields(principalFields...),
		field{name: "samlMetadataUrl", typ: text, fixed: true}), // of the beta
		links(`owners appRoleAssignedTo appRoleAssignments memberOf transitiveMemberOf ownedObjects createdObjects oauth2PermissionGrants
			claimsMappingPolicies synchronization`)...))
	k.lacks(`applicationVisibility createdByAppId customSecurityAttributes errorUrl isAuthorizationServiceEnabled isDisabled
		passwordSingleSignOnSettings publishedPermissionScopes publisherName`)
	return k
}()

var principalFields = []any{
	"id", text, "deletedDateTime", moment, "accountEnabled", boolean, "addIns", objectList, "alternativeNames", textList, "appDescription", text,
	"appDisplayName", text, "appId", text, "applicationTemplateId", text, "appOwnerOrganizationId", text, "appRoleAssignmentRequired", boolean,
	"appRoles", objectList, "createdDateTime", moment, "description", text, "disabledByMicrosoftStatus", text, "displayName", text, "homepage", text,
	"info", typeObject, "keyCredentials", objectList, "loginUrl", text, "logoutUrl", text, "notes", text, "notificationEmailAddresses", textList,
	"oauth2PermissionScopes", objectList, "passwordCredentials", objectList, "preferredSingleSignOnMode", text, "preferredTokenSigningKeyThumbprint", text,
	"replyUrls", textList, "resourceSpecificApplicationPermissions", objectList, "samlSingleSignOnSettings", typeObject, "servicePrincipalNames", textList,
	"servicePrincipalType", text, "signInAudience", text, "tags", textList, "tokenEncryptionKeyId", text, "verifiedPublisher", typeObject}

// applicationKind is the table of a registration's properties (resources/application.md).
var applicationKind = func() *kind {
	k := newKind("application", "Application", "applications", append(append(standardFields(applicationFields...),
		field{name: "oauth2RequirePostResponse", typ: boolean}), // of the beta
		links("owners extensionProperties createdOnBehalfOf federatedIdentityCredentials synchronization")...))
	k.lacks(`authenticationBehaviors certification createdByAppId defaultRedirectUri isDisabled nativeAuthenticationApisEnabled
		requestSignatureVerification servicePrincipalLockConfiguration uniqueName`)
	return k
}()

var applicationFields = []any{
	"id", text, "deletedDateTime", moment, "appId", text, "applicationTemplateId", text, "createdDateTime", moment, "displayName", text,
	"description", text, "disabledByMicrosoftStatus", text, "groupMembershipClaims", text, "identifierUris", textList, "isDeviceOnlyAuthSupported", boolean,
	"isFallbackPublicClient", boolean, "notes", text, "optionalClaims", typeObject, "publisherDomain", text, "samlMetadataUrl", text,
	"serviceManagementReference", text, "signInAudience", text, "tags", textList, "tokenEncryptionKeyId", text, "addIns", objectList, "api", typeObject,
	"appRoles", objectList, "info", typeObject, "keyCredentials", objectList, "parentalControlSettings", typeObject, "passwordCredentials", objectList,
	"publicClient", typeObject, "requiredResourceAccess", objectList, "spa", typeObject, "verifiedPublisher", typeObject, "web", typeObject}

// standardFields makes fields of names and types, all of them in the standard set.
func standardFields(pairs ...any) []field {
	var list []field
	for i := 0; i < len(pairs); i += 2 {
		f := field{name: pairs[i].(string), typ: pairs[i+1].(directory.Type), standard: true}
		f.filters = f.typ != typeObject && f.typ != objectList
		list = append(list, f)
	}
	return list
}

func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func appRoleObjects(sp *directory.ServicePrincipal) []object {
	list := []object{}
	for _, r := range sp.AppRoles {
		list = append(list, object{{"allowedMemberTypes", r.AllowedMemberTypes}, {"description", r.Description}, {"displayName", r.DisplayName},
			{"id", r.ID}, {"isEnabled", r.Enabled}, {"origin", "Application"}, {"value", optional(r.Value)}})
	}
	return list
}

var (
	emptyInfo = object{{"logoUrl", nil}, {"marketingUrl", nil}, {"privacyStatementUrl", nil}, {"supportUrl", nil}, {"termsOfServiceUrl", nil}}
	nobody    = object{{"displayName", nil}, {"verifiedPublisherId", nil}, {"addedDateTime", nil}}
)

// principalValues gives the properties of an enterprise application.
func (g *Graph) principalValues(sp *directory.ServicePrincipal) values {
	return func(name string) any {
		switch name {
		case "id":
			return sp.ID
		case "deletedDateTime":
			if sp.DeletedDateTime.IsZero() {
				return nil
			}
			return sp.DeletedDateTime
		case "accountEnabled":
			return sp.AccountEnabled
		case "appDisplayName", "displayName":
			return sp.DisplayName
		case "appId":
			return sp.AppID
		case "applicationTemplateId":
			return optional(sp.TemplateID)
		case "appOwnerOrganizationId":
			return g.dir.Tenant().ID
		case "appRoleAssignmentRequired":
			return sp.AppRoleAssignmentRequired
		case "appRoles":
			return appRoleObjects(sp)
		case "createdDateTime":
			return sp.CreatedDateTime
		case "description":
			return optional(sp.Description)
		case "homepage":
			return optional(sp.Homepage)
		case "info":
			return emptyInfo
		case "loginUrl":
			return optional(sp.LoginURL)
		case "notes":
			return optional(sp.Notes)
		case "notificationEmailAddresses":
			return sp.NotificationEmailAddresses
		case "preferredSingleSignOnMode":
			return optional(sp.PreferredSSOMode)
		case "servicePrincipalNames":
			return []string{sp.AppID}
		case "servicePrincipalType":
			return "Application"
		case "passwordCredentials":
			return passwordObjects(sp, true)
		case "replyUrls":
			if _, written := sp.More[name]; !written {
				web, _ := sp.Registration["web"].(map[string]any)
				return writtenValue(principalKind, name, web["redirectUris"])
			}
		case "signInAudience":
			return audience(sp)
		case "tags":
			return sp.Tags
		case "verifiedPublisher":
			return nobody
		}
		if v, written := sp.More[name]; written {
			return writtenValue(principalKind, name, v)
		}
		return nil
	}
}

func audience(sp *directory.ServicePrincipal) any {
	if v, written := sp.Registration["signInAudience"]; written {
		return v
	}
	return "AzureADMyOrg"
}

// applicationValues gives the properties of the registration behind an enterprise application.
func (g *Graph) applicationValues(sp *directory.ServicePrincipal) values {
	shared := g.principalValues(sp)
	return func(name string) any {
		switch name {
		case "id":
			return sp.ApplicationID
		case "deletedDateTime", "appId", "applicationTemplateId", "createdDateTime", "displayName", "notes", "signInAudience", "tags", "appRoles",
			"verifiedPublisher":
			return shared(name)
		case "publisherDomain":
			return g.dir.Tenant().DefaultDomain
		case "passwordCredentials":
			return passwordObjects(sp, false)
		case "oauth2RequirePostResponse":
			if _, written := sp.Registration[name]; !written {
				return false
			}
		case "optionalClaims":
			if _, written := sp.Registration[name]; !written {
				return nil
			}
		case "web":
			shape := overlaid(shapes[name], map[string]any{"homePageUrl": optional(sp.Homepage)})
			written, _ := sp.Registration[name].(map[string]any)
			return overlaid(shape, written)
		}
		if p, ok := applicationKind.find(name); ok && (p.typ == typeObject || sp.Registration[name] != nil) {
			return writtenValue(applicationKind, name, sp.Registration[name])
		}
		return nil
	}
}

func (g *Graph) principals() source[directory.ServicePrincipal] {
	return source[directory.ServicePrincipal]{kind: principalKind, list: "servicePrincipals", page: g.dir.FilterServicePrincipals, value: g.principalValues,
		one: g.dir.ServicePrincipal, total: func() int { return g.dir.Counts().ServicePrincipals }, names: []string{"displayName"}, add: g.addToPrincipal, expand: []string{"appRoleAssignedTo", "owners"}}
}

func (g *Graph) applications() source[directory.ServicePrincipal] {
	s := g.principals()
	s.kind, s.list, s.value, s.one, s.add, s.expand = applicationKind, "applications", g.applicationValues, g.registration, g.addToRegistration, []string{"owners"}
	s.page, s.total = g.dir.FilterRegistrations, nil
	return s
}

func (g *Graph) addToPrincipal(c *call, sp *directory.ServicePrincipal, o object) (object, error) {
	list, err := expansions(c, principalKind, "appRoleAssignedTo", "owners")
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if e.name == "owners" {
			if o, err = g.addOwners(o, directory.Holder{ID: sp.ID}, e); err != nil {
				return nil, err
			}
			continue
		}
		page, err := g.dir.FilterAssignments(sp.ID, "", expandMost, func(*directory.Assignment) bool { return true })
		if err != nil {
			return nil, err
		}
		shown := []object{}
		for _, a := range page.Items {
			shown = append(shown, assignment(a))
		}
		o = append(o, member{e.name, shown})
	}
	return o, nil
}

func (g *Graph) addToRegistration(c *call, sp *directory.ServicePrincipal, o object) (object, error) {
	list, err := expansions(c, applicationKind, "owners")
	if err != nil || len(list) == 0 {
		return o, err
	}
	return g.addOwners(o, directory.Holder{ID: sp.ApplicationID, Registration: true}, list[0])
}

func (g *Graph) addOwners(o object, h directory.Holder, e expansion) (object, error) {
	list, err := g.dir.Owners(h)
	if err != nil && !isMissing(err) { // deleted meanwhile
		return nil, err
	}
	shown, err := g.expanded(list, e)
	return append(o, member{e.name, shown}), err
}

// registration finds an application by its object id, or by appId=.
func (g *Graph) registration(id string) (directory.ServicePrincipal, error) {
	app, byAppID := strings.CutPrefix(id, "appId=")
	sp, err := g.dir.Registration(app)
	switch {
	case directory.CodeOf(err) == directory.NotFound,
		err == nil && byAppID && !strings.EqualFold(sp.AppID, app), err == nil && !byAppID && !strings.EqualFold(sp.ApplicationID, app):
		err = missing(app)
	}
	return sp, err
}

func (g *Graph) byAppID(id string) (directory.ServicePrincipal, error) {
	sp, err := g.dir.ServicePrincipalByAppID(id)
	if err == nil && !strings.EqualFold(sp.AppID, id) {
		err = missing(id)
	}
	return sp, err
}

// principal finds the service principal of the path.
func (g *Graph) principal(c *call) (directory.ServicePrincipal, error) {
	id := c.params["id"]
	if app, ok := strings.CutPrefix(id, "appId="); ok {
		return g.byAppID(app)
	}
	if err := checkGUID(id); err != nil {
		return directory.ServicePrincipal{}, err
	}
	return g.dir.ServicePrincipal(id)
}

func (g *Graph) listPrincipals(c *call) error    { return g.principals().respond(g, c) }
func (g *Graph) countPrincipals(c *call) error   { return g.principals().respondCount(c) }
func (g *Graph) listApplications(c *call) error  { return g.applications().respond(g, c) }
func (g *Graph) countApplications(c *call) error { return g.applications().respondCount(c) }

func (g *Graph) getPrincipal(c *call) error {
	selected, err := principalKind.selection(c)
	if err != nil {
		return err
	}
	sp, err := g.principal(c)
	if err != nil {
		return err
	}
	o, err := g.principals().show(c, &sp, selected)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, principalKind.context(selected, true), o)
}

func (g *Graph) getApplication(c *call) error {
	selected, err := applicationKind.selection(c)
	if err != nil {
		return err
	}
	sp, err := g.application(c)
	if err != nil {
		return err
	}
	o, err := g.applications().show(c, &sp, selected)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, applicationKind.context(selected, true), o)
}

// getApplicationProperty answers one property of an application or a service principal.
func (g *Graph) getApplicationProperty(c *call) error {
	k, find, value := principalKind, g.principal, g.principalValues
	if strings.HasPrefix(strings.ToLower(c.path), "/applications") {
		k, find, value = applicationKind, g.application, g.applicationValues
	}
	p, ok := k.find(c.params["property"])
	if !ok || p.link {
		return noProperty(c.params["property"])
	}
	sp, err := find(c)
	if err != nil {
		return err
	}
	get := value(&sp)
	id, _ := get("id").(string)
	return c.property(k.set+"('"+id+"')/"+p.name, plain(get(p.name), p.typ), false)
}

func (g *Graph) application(c *call) (directory.ServicePrincipal, error) {
	if id := c.params["id"]; !strings.HasPrefix(id, "appId=") {
		if err := checkGUID(id); err != nil {
			return directory.ServicePrincipal{}, err
		}
	}
	return g.registration(c.params["id"])
}

func (g *Graph) deletePrincipal(c *call) error {
	sp, err := g.principal(c)
	if err != nil {
		return err
	}
	return g.dropApplication(c, sp)
}

func (g *Graph) deleteApplication(c *call) error {
	sp, err := g.application(c)
	if err != nil {
		return err
	}
	return g.dropApplication(c, sp)
}

func (g *Graph) dropApplication(c *call, sp directory.ServicePrincipal) error {
	var err error
	if sp.Bare {
		err = g.dir.DeleteRegistration(g.svc.Clock().Now(), sp.ApplicationID)
	} else {
		err = g.svc.DeleteApplication(sp.ID)
	}
	if err != nil {
		return err
	}
	return c.noContent()
}

// template is the one application template: the non-gallery one (api/applicationtemplate-instantiate.md).
func template() object {
	return object{{"id", sim.TemplateNonGallery}, {"displayName", "Custom"}, {"homePageUrl", nil},
		{"supportedSingleSignOnModes", []string{"password", "saml", "notSupported"}}, {"supportedProvisioningTypes", []string{"sync"}},
		{"logoUrl", nil}, {"categories", []any{}}, {"publisher", nil}, {"description", nil}}
}

var templateKind = newKind("applicationTemplate", "ApplicationTemplate", "applicationTemplates", standardFields("id", text, "displayName", text, "homePageUrl", text,
	"supportedSingleSignOnModes", textList, "supportedProvisioningTypes", textList, "logoUrl", text, "categories", textList, "publisher", text, "description", text))

func (g *Graph) listTemplates(c *call) error {
	return g.respondFew(c, templateKind, templateKind.set, []object{template()})
}

// get gives a member of an object.
func (o object) get(name string) any {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

func (g *Graph) getTemplate(c *call) error {
	if !strings.EqualFold(c.params["id"], sim.TemplateNonGallery) {
		return missing(c.params["id"])
	}
	selected, err := templateKind.selection(c)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, templateKind.context(selected, true), templateKind.show(template().get, selected))
}

func (g *Graph) instantiate(c *call) error {
	if !strings.EqualFold(c.params["id"], sim.TemplateNonGallery) {
		return missing(c.params["id"])
	}
	body, err := c.object(false)
	if err != nil {
		return err
	}
	v, _ := body.take("displayName")
	name, _ := v.(string)
	if strings.TrimSpace(name) == "" {
		return refused("A value is required for property 'displayName' of resource 'ApplicationServicePrincipal'.")
	}
	app, err := g.svc.CreateApplication(name)
	if err != nil {
		return err
	}
	sp, err := g.dir.ServicePrincipal(app.ID)
	if err != nil {
		return err
	}
	return c.entity(http.StatusCreated, "microsoft.graph.applicationServicePrincipal", object{
		{"application", applicationKind.show(g.applicationValues(&sp), nil)}, {"servicePrincipal", principalKind.show(g.principalValues(&sp), nil)}})
}
