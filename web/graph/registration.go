package graph

import (
	"net/http"
	"slices"
	"strings"

	"entrasim/directory"
)

// shapes are the properties of an application that are objects, with what they hold unless it was written
// (resources/application.md).
var shapes = map[string]object{
	"api": {{"acceptMappedClaims", nil}, {"knownClientApplications", []any{}}, {"requestedAccessTokenVersion", nil},
		{"oauth2PermissionScopes", []any{}}, {"preAuthorizedApplications", []any{}}},
	"info":                     emptyInfo,
	"optionalClaims":           {{"accessToken", []any{}}, {"idToken", []any{}}, {"saml2Token", []any{}}},
	"parentalControlSettings":  {{"countriesBlockedForMinors", []any{}}, {"legalAgeGroupRule", "Allow"}},
	"publicClient":             {{"redirectUris", []any{}}},
	"spa":                      {{"redirectUris", []any{}}},
	"samlSingleSignOnSettings": {{"relayState", nil}},
	"web": {{"homePageUrl", nil}, {"logoutUrl", nil}, {"redirectUris", []any{}},
		{"implicitGrantSettings", object{{"enableAccessTokenIssuance", false}, {"enableIdTokenIssuance", true}}}},
}

// Properties that are kept beside those that a registration and its service principal share.
var (
	registrationOwn = strings.Fields(`description groupMembershipClaims identifierUris isDeviceOnlyAuthSupported isFallbackPublicClient
		oauth2RequirePostResponse optionalClaims
		serviceManagementReference signInAudience tokenEncryptionKeyId samlMetadataUrl addIns api info parentalControlSettings publicClient
		requiredResourceAccess spa web`)
	registrationShared = []string{"displayName", "notes", "tags"}
	principalOwn       = strings.Fields(`alternativeNames logoutUrl replyUrls samlSingleSignOnSettings preferredTokenSigningKeyThumbprint tokenEncryptionKeyId`)
	principalShared    = strings.Fields(`accountEnabled appRoleAssignmentRequired displayName description homepage loginUrl preferredSingleSignOnMode notes
		notificationEmailAddresses tags`)
)

// overlaid is an object with what was written in place of what it holds otherwise.
func overlaid(shape object, written map[string]any) object {
	out := slices.Clone(shape)
	for i, m := range out {
		v, ok := written[m.name]
		if !ok {
			continue
		}
		inner, isObject := m.value.(object)
		if given, alsoObject := v.(map[string]any); isObject && alsoObject {
			v = overlaid(inner, given)
		}
		out[i].value = v
	}
	return out
}

// writtenValue is a property of those that were written, as lists and filters want it.
func writtenValue(k *kind, name string, v any) any {
	if shape, ok := shapes[name]; ok {
		given, _ := v.(map[string]any)
		return overlaid(shape, given)
	}
	list, ok := v.([]any)
	if p, known := k.find(name); !ok || !known || p.typ != textList {
		return v
	}
	texts := make([]string, 0, len(list))
	for _, x := range list {
		s, _ := x.(string)
		texts = append(texts, s)
	}
	return texts
}

func wrongValue(k *kind, path string) error {
	return refused("Invalid value specified for property '%s' of resource '%s'.", path, k.title)
}

// checkShape refuses members that an object does not have and values of another type, and returns the value in the table's
// spelling.
func checkShape(k *kind, path string, shape object, v any) (any, error) {
	given, ok := v.(map[string]any)
	if !ok {
		return nil, wrongValue(k, path)
	}
	out := map[string]any{}
	for name, x := range given {
		if strings.Contains(name, "@odata.") {
			continue
		}
		i := slices.IndexFunc(shape, func(m member) bool { return strings.EqualFold(m.name, name) })
		if i < 0 {
			return nil, refused("Property '%s/%s' does not exist as a declared property or extension property.", path, name)
		}
		m, at := shape[i], path+"/"+shape[i].name
		fits := true
		switch d := m.value.(type) {
		case object:
			if x != nil {
				var err error
				if x, err = checkShape(k, at, d, x); err != nil {
					return nil, err
				}
			}
		case []any:
			_, fits = x.([]any)
			fits = fits || x == nil
			if x == nil {
				x = []any{}
			}
		case bool:
			_, fits = x.(bool)
		case string:
			_, fits = x.(string)
			fits = fits || x == nil
		default:
			_, isObject := x.(map[string]any)
			_, isList := x.([]any)
			fits = !isObject && !isList
		}
		if !fits {
			return nil, wrongValue(k, at)
		}
		out[m.name] = x
	}
	return out, nil
}

// checkOwn checks a property that is kept as it is written.
func checkOwn(k *kind, p *field, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	fits := true
	switch p.typ {
	case typeObject:
		return checkShape(k, p.name, shapes[p.name], v)
	case boolean:
		_, fits = v.(bool)
	case text:
		s, isText := v.(string)
		fits = isText && len(s) <= 4096
	default:
		list, isList := v.([]any)
		fits = isList
		for _, x := range list {
			_, isText := x.(string)
			_, isObject := x.(map[string]any)
			fits = fits && (p.typ == textList && isText || p.typ == objectList && isObject)
		}
	}
	if !fits {
		return nil, wrongValue(k, p.name)
	}
	if p.name == "signInAudience" && !slices.Contains([]string{"AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"}, v.(string)) {
		return nil, wrongValue(k, p.name)
	}
	return v, nil
}

// sorted splits a body into what the directory knows and what is kept as it is written. extra takes other properties; it
// reports whether it knows one.
func sorted(k *kind, body fields, shared, own []string, extra func(name string, v any) (bool, error)) (directory.Props, map[string]any, error) {
	props, more := directory.Props{}, map[string]any{}
	for name, v := range body {
		if strings.HasSuffix(name, "@odata.bind") {
			return nil, nil, unknownBind(name)
		}
		if strings.Contains(name, "@odata.") {
			continue
		}
		p, ok := k.find(name)
		if !ok {
			return nil, nil, k.undeclared(name)
		}
		if err := p.unwritable(); err != nil {
			return nil, nil, err
		}
		known, err := extra(p.name, v)
		switch {
		case err != nil:
			return nil, nil, err
		case known:
		case slices.Contains(shared, p.name):
			props[p.name] = v
		case slices.Contains(own, p.name):
			if more[p.name], err = checkOwn(k, p, v); err != nil {
				return nil, nil, err
			}
		default:
			return nil, nil, refused("Property '%s' is read-only here and cannot be set.", p.name)
		}
	}
	return props, more, nil
}

// registrationEdit reads a body about an application; before is what it is now.
func registrationEdit(body fields, before *directory.ServicePrincipal) (e directory.RegistrationEdit, err error) {
	if e.Owners, err = boundOwners(body); err != nil {
		return e, err
	}
	e.Props, e.More, err = sorted(applicationKind, body, registrationShared, registrationOwn, func(name string, v any) (bool, error) {
		switch name {
		case "appRoles":
			var err error
			e.Roles, err = roles(v, before.AppRoles)
			e.SetRoles = true
			return true, err
		case "keyCredentials":
			if list, ok := v.([]any); !ok || len(list) > 0 {
				return true, notImplemented("keyCredentials of an application")
			}
			return true, nil
		case "passwordCredentials":
			if list, ok := v.([]any); !ok || len(list) > 0 {
				return true, refused("Property 'passwordCredentials' can't be written; use addPassword and removePassword.")
			}
			return true, nil
		}
		return false, nil
	})
	return e, err
}

// boundOwners takes the owners that a body binds.
func boundOwners(body fields) ([]string, error) {
	list, bound := body.take("owners@odata.bind")
	if !bound {
		return nil, nil
	}
	ids, err := references(list)
	if len(ids) > bindMost {
		return nil, refused("The request holds %d references; at most %d can be bound in one request.", len(ids), bindMost)
	}
	return ids, err
}

// roles reads the app roles of an application (resources/approle.md). A role that is enabled can't be left out.
func roles(v any, before []directory.AppRole) ([]directory.AppRole, error) {
	list, ok := v.([]any)
	if !ok && v != nil {
		return nil, wrongValue(applicationKind, "appRoles")
	}
	var out []directory.AppRole
	for _, x := range list {
		m, ok := x.(map[string]any)
		if !ok {
			return nil, wrongValue(applicationKind, "appRoles")
		}
		r := directory.AppRole{Enabled: true}
		for name, v := range m {
			fits := true
			switch strings.ToLower(name) {
			case "id":
				r.ID, fits = v.(string)
				fits = fits && isGUID(r.ID)
				r.ID = strings.ToLower(r.ID)
			case "displayname":
				r.DisplayName, fits = v.(string)
			case "description":
				r.Description, fits = v.(string)
				fits = fits || v == nil
			case "value":
				r.Value, fits = v.(string)
				fits = fits || v == nil
			case "isenabled":
				r.Enabled, fits = v.(bool)
			case "allowedmembertypes":
				types, _ := v.([]any)
				fits = len(types) > 0
				for _, t := range types {
					s, _ := t.(string)
					fits = fits && (s == "User" || s == "Application")
					r.AllowedMemberTypes = append(r.AllowedMemberTypes, s)
				}
			case "origin":
			default:
				if !strings.Contains(name, "@odata.") {
					return nil, refused("Property 'appRoles/%s' does not exist as a declared property or extension property.", name)
				}
			}
			if !fits {
				return nil, wrongValue(applicationKind, "appRoles/"+name)
			}
		}
		for name, missing := range map[string]bool{"id": r.ID == "", "displayName": r.DisplayName == "", "allowedMemberTypes": r.AllowedMemberTypes == nil} {
			if missing {
				return nil, refused("A value is required for property 'appRoles/%s' of resource 'Application'.", name)
			}
		}
		out = append(out, r)
	}
	for _, old := range before {
		if old.Enabled && !slices.ContainsFunc(out, func(r directory.AppRole) bool { return strings.EqualFold(r.ID, old.ID) }) {
			return nil, &Error{Status: http.StatusBadRequest, Code: "CannotDeleteOrUpdateEnabledEntitlement",
				Message: "Permission (scope or role) cannot be deleted or updated unless disabled first: property 'appRoles', '" + old.DisplayName + "'."}
		}
	}
	return out, nil
}

// createApplication is api/application-post-applications.md: a registration without a service principal.
func (g *Graph) createApplication(c *call) error {
	body, err := c.object(false)
	if err != nil {
		return err
	}
	now := g.svc.Clock().Now()
	passwords, _ := body.take("passwordCredentials")
	edit, err := registrationEdit(body, &directory.ServicePrincipal{})
	if err != nil {
		return err
	}
	var secrets map[string]string
	if edit.Passwords, secrets, err = newPasswords(now, passwords); err != nil {
		return err
	}
	name, _ := edit.Props["displayName"].(string)
	if err := require(applicationKind, edit.Props, "displayName"); err != nil {
		return err
	}
	if _, text := edit.Props["displayName"].(string); !text {
		return wrongValue(applicationKind, "displayName")
	}
	sp, err := g.dir.CreateRegistration(now, name, edit)
	if err != nil {
		return err
	}
	shown := applicationKind.show(g.applicationValues(&sp), nil)
	if len(secrets) > 0 { // they are told this once
		made := []object{}
		for _, p := range sp.Passwords {
			made = append(made, passwordObject(p, secrets[p.KeyID]))
		}
		shown = slices.DeleteFunc(shown, func(m member) bool { return m.name == "passwordCredentials" })
		shown = append(shown, member{"passwordCredentials", made})
	}
	return c.created("/applications/"+sp.ApplicationID, "applications/$entity", shown)
}

// updateApplication changes a registration, and its service principal in what they share.
func (g *Graph) updateApplication(c *call) error {
	sp, err := g.application(c)
	if err != nil {
		return err
	}
	body, err := c.object(false)
	if err != nil {
		return err
	}
	edit, err := registrationEdit(body, &sp)
	if err != nil {
		return err
	}
	if _, err := g.dir.UpdateRegistration(g.svc.Clock().Now(), sp.ApplicationID, edit); err != nil {
		return err
	}
	return c.noContent()
}

// principalEdit reads a body about a service principal.
func principalEdit(body fields) (directory.Props, map[string]any, error) {
	return sorted(principalKind, body, principalShared, principalOwn, func(name string, _ any) (bool, error) {
		if name == "appRoles" {
			return true, refused("Property 'appRoles' of a service principal is changed on its application.")
		}
		return false, nil
	})
}

// createPrincipal is api/serviceprincipal-post-serviceprincipals.md.
func (g *Graph) createPrincipal(c *call) error {
	body, err := c.object(false)
	if err != nil {
		return err
	}
	v, _ := body.take("appId")
	id, _ := v.(string)
	owners, err := boundOwners(body)
	if err != nil {
		return err
	}
	props, more, err := principalEdit(body)
	if err != nil {
		return err
	}
	if v != nil && !isGUID(id) {
		return wrongValue(principalKind, "appId")
	}
	if id == "" {
		return refused("A value is required for property 'appId' of resource 'ServicePrincipal'.")
	}
	if app, err := g.dir.Registration(id); directory.CodeOf(err) == directory.NotFound || err == nil && !strings.EqualFold(app.AppID, id) {
		return &Error{Status: http.StatusBadRequest, Code: "NoBackingApplicationObject",
			Message: "The appId '" + id + "' of the service principal does not reference a valid application object."}
	} else if err != nil {
		return err
	}
	sp, err := g.dir.AddServicePrincipal(g.svc.Clock().Now(), id, props, more, owners...)
	if directory.CodeOf(err) == directory.Conflict {
		return &Error{Status: http.StatusConflict, Code: codeSameKey,
			Message: "A conflicting object with one or more of the specified property values is present in the directory: property 'appId'."}
	}
	if err != nil {
		return err
	}
	return c.created("/servicePrincipals/"+sp.ID, "servicePrincipals/$entity", principalKind.show(g.principalValues(&sp), nil))
}

func (g *Graph) updatePrincipal(c *call) error {
	sp, err := g.principal(c)
	if err != nil {
		return err
	}
	body, err := c.object(false)
	if err != nil {
		return err
	}
	props, more, err := principalEdit(body)
	if err != nil {
		return err
	}
	if _, err := g.dir.UpdatePrincipal(g.svc.Clock().Now(), sp.ID, props, more); err != nil {
		return err
	}
	return c.noContent()
}

// ignoreLogo takes the picture of an application, which nothing shows here.
func (g *Graph) ignoreLogo(c *call) error {
	if _, err := g.application(c); err != nil {
		return err
	}
	if _, err := c.raw(); err != nil {
		return err
	}
	return c.noContent()
}
