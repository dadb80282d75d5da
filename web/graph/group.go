package graph

import (
	"net/http"
	"slices"
	"strings"

	"entrasim/directory"
)

// groupKind is the table of a group's properties (resources/group.md).
var groupKind = func() *kind {
	k := newKind("group", "Group", "groups", fieldsFrom(directory.GroupProperties(), []string{"id", "deletedDateTime", "classification", "createdDateTime",
		"creationOptions", "description", "displayName", "expirationDateTime", "groupTypes", "isAssignableToRole", "mail", "mailEnabled", "mailNickname",
		"membershipRule", "membershipRuleProcessingState", "onPremisesDomainName", "onPremisesLastSyncDateTime", "onPremisesNetBiosName",
		"onPremisesSamAccountName", "onPremisesSecurityIdentifier", "onPremisesSyncEnabled", "preferredDataLocation", "preferredLanguage", "proxyAddresses",
		"renewedDateTime", "resourceBehaviorOptions", "resourceProvisioningOptions", "securityEnabled", "securityIdentifier", "theme", "uniqueName",
		"visibility", "onPremisesProvisioningErrors", "serviceProvisioningErrors"},
		append(append(links("members transitiveMembers memberOf transitiveMemberOf owners appRoleAssignments createdOnBehalfOf"), unifiedFields()...),
			field{name: "onPremisesProvisioningErrors", typ: directory.TypeObjects}, field{name: "serviceProvisioningErrors", typ: directory.TypeObjects})...))
	k.extensions = true
	k.lacks(`accessType assignedLabels assignedLicenses cloudLicensing hasMembersWithLicenseErrors infoCatalogs isArchived isFavorite
		isManagementRestricted isSubscribedByMail licenseProcessingState membershipRuleProcessingStatus organizationId unseenCount writebackConfiguration`)
	return k
}()

// unified are properties that only Microsoft 365 groups have, and that an application can't write (known-issues, "Groups").
var unified = strings.Fields("allowExternalSenders autoSubscribeNewMembers hideFromAddressLists hideFromOutlookClients")

func unifiedFields() (list []field) {
	for _, name := range unified {
		list = append(list, field{name: name, typ: boolean, fixed: true})
	}
	return list
}

func groupValues(g *directory.Group) values {
	return func(name string) any {
		if slices.Contains(unified, name) {
			if slices.Contains(g.GroupTypes, "Unified") {
				return false
			}
			return nil
		}
		v, _ := g.Get(name)
		if name == "renewedDateTime" && v == nil {
			return g.CreatedDateTime
		}
		return v
	}
}

func (g *Graph) groups() source[directory.Group] {
	return source[directory.Group]{kind: groupKind, list: "groups", page: g.dir.FilterGroups, value: groupValues, one: g.dir.Group,
		total: func() int { return g.dir.Counts().Groups }, names: []string{"displayName", "mail"}, add: g.addToGroup, expand: []string{"members", "memberOf", "owners"}}
}

// expandMost is how many objects $expand shows of a group (query-parameters.md, "expand").
const expandMost = 20

func (g *Graph) addToGroup(c *call, group *directory.Group, o object) (object, error) {
	list, err := expansions(c, groupKind, "members", "memberOf", "owners")
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		page, err := g.dir.Members(group.ID, "", expandMost)
		if e.name == "memberOf" {
			page.Items, err = g.dir.MemberOf(group.ID)
		}
		if e.name == "owners" {
			page.Items, err = g.dir.Owners(directory.Holder{ID: group.ID})
		}
		if err != nil && directory.CodeOf(err) != directory.NotFound {
			return nil, err
		}
		shown, err := g.expanded(page.Items, e)
		if err != nil {
			return nil, err
		}
		o = append(o, member{e.name, shown})
	}
	return o, nil
}

func (g *Graph) listGroups(c *call) error  { return g.groups().respond(g, c) }
func (g *Graph) countGroups(c *call) error { return g.groups().respondCount(c) }

// group finds the group of the path.
func (g *Graph) group(c *call) (directory.Group, error) {
	if err := checkGUID(c.params["id"]); err != nil {
		return directory.Group{}, err
	}
	return g.dir.Group(c.params["id"])
}

func (g *Graph) getGroup(c *call) error {
	selected, err := groupKind.selection(c)
	if err != nil {
		return err
	}
	group, err := g.group(c)
	if err != nil {
		return err
	}
	o, err := g.groups().show(c, &group, selected)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, groupKind.context(selected, true), o)
}

func (g *Graph) getGroupProperty(c *call) error { return g.groupProperty(c, false) }
func (g *Graph) getGroupValue(c *call) error    { return g.groupProperty(c, true) }

func (g *Graph) groupProperty(c *call, raw bool) error {
	p, ok := groupKind.find(c.params["property"])
	if !ok || p.hidden || p.link {
		return noProperty(c.params["property"])
	}
	group, err := g.group(c)
	if err != nil {
		return err
	}
	return c.property("groups('"+group.ID+"')/"+p.name, plain(groupValues(&group)(p.name), p.typ), raw)
}

// bindMost is how many references one request may bind (api/group-post-members.md, api/group-post-groups.md).
const bindMost = 20

// groupEdit reads a body about a group, with the members that it binds.
func (g *Graph) groupEdit(c *call) (props directory.Props, members, owners []string, err error) {
	body, err := c.object(false)
	if err != nil {
		return nil, nil, nil, err
	}
	for name, into := range map[string]*[]string{"members": &members, "owners": &owners} {
		if list, bound := body.take(name + "@odata.bind"); bound {
			if *into, err = references(list); err != nil {
				return nil, nil, nil, err
			}
		}
		if _, given := body.take(name); given {
			return nil, nil, nil, refused("Property '%s' is a navigation property; bind it with '%s@odata.bind' or use /%s/$ref.", name, name, name)
		}
	}
	if n := len(members) + len(owners); n > bindMost {
		return nil, nil, nil, refused("The request holds %d references; at most %d can be bound in one request.", n, bindMost)
	}
	if props, err = edit(groupKind, directory.GroupProperties(), body); err == nil {
		err = g.checkExtensions(groupKind, props)
	}
	return props, members, owners, err
}

func (g *Graph) createGroup(c *call) error {
	props, members, owners, err := g.groupEdit(c)
	if err != nil {
		return err
	}
	if err := require(groupKind, props, "displayName", "mailEnabled", "mailNickname", "securityEnabled"); err != nil {
		return err
	}
	if props["mailEnabled"] == true && props["mail"] == nil {
		if nick, ok := props["mailNickname"].(string); ok {
			props["mail"] = nick + "@" + g.dir.Tenant().DefaultDomain
		}
	}
	group, err := g.dir.CreateOwnedGroup(g.svc.Clock().Now(), props, owners, members)
	if err != nil {
		return err
	}
	return c.created("/groups/"+group.ID, "groups/$entity", groupKind.show(groupValues(&group), nil))
}

func (g *Graph) updateGroup(c *call) error {
	if err := checkGUID(c.params["id"]); err != nil {
		return err
	}
	props, members, owners, err := g.groupEdit(c)
	if err != nil {
		return err
	}
	if len(owners) > 0 {
		return refused("Property 'owners@odata.bind' is for new groups; use /owners/$ref.")
	}
	if err := g.checkImmutable(c.params["id"], props); err != nil {
		return err
	}
	group, err := g.dir.UpdateGroup(g.svc.Clock().Now(), c.params["id"], props, members...)
	if err != nil {
		return err
	}
	if c.wantsRepresentation() {
		return c.entity(http.StatusOK, "groups/$entity", groupKind.show(groupValues(&group), nil))
	}
	return c.noContent()
}

// checkImmutable refuses what a group is made with and keeps (resources/group.md, isAssignableToRole and groupTypes).
func (g *Graph) checkImmutable(id string, props directory.Props) error {
	role, roleGiven := props["isAssignableToRole"]
	types, typesGiven := props["groupTypes"].([]any)
	if !roleGiven && !typesGiven {
		return nil
	}
	group, err := g.dir.Group(id)
	if err != nil {
		return err
	}
	before := group.IsAssignableToRole != nil && *group.IsAssignableToRole
	if after, ok := role.(bool); ok && after != before {
		return refused("Property 'isAssignableToRole' of a group can only be set when it is created.")
	}
	if typesGiven && slices.Contains(types, any("Unified")) != slices.Contains(group.GroupTypes, "Unified") {
		return refused("Property 'groupTypes' of a group can't be changed between security group and Microsoft 365 group.")
	}
	return nil
}

func (g *Graph) deleteGroup(c *call) error {
	if err := checkGUID(c.params["id"]); err != nil {
		return err
	}
	if err := g.dir.DeleteGroup(g.svc.Clock().Now(), c.params["id"]); err != nil {
		return err
	}
	return c.noContent()
}

// castOf reads the cast of a path as a test of kinds.
func castOf(c *call) (wanted func(directory.Kind) bool, context string, err error) {
	cast := c.params["cast"]
	if cast == "" {
		return func(directory.Kind) bool { return true }, "directoryObjects", nil
	}
	k, empty, ok := castKind(cast)
	switch {
	case !ok:
		return nil, "", noSegment("microsoft.graph." + cast)
	case empty:
		return func(directory.Kind) bool { return false }, "directoryObjects", nil
	}
	return func(x directory.Kind) bool { return x == k }, kindOf(k).set, nil
}

func (g *Graph) addMember(c *call) error {
	if err := checkGUID(c.params["id"]); err != nil {
		return err
	}
	id, err := c.reference()
	if err != nil {
		return err
	}
	if err := g.dir.AddMembers(g.svc.Clock().Now(), c.params["id"], id); err != nil {
		return err
	}
	return c.noContent()
}

func (g *Graph) getMemberRef(c *call) error {
	if err := checkGUID(c.params["id"]); err != nil {
		return err
	}
	o, is, err := g.dir.IsMember(c.params["id"], c.params["member"])
	if err != nil {
		return err
	}
	if !is {
		return missing(c.params["member"])
	}
	return c.entity(http.StatusOK, "directoryObjects/$entity", object{kindOf(o.Kind).odataType(), {"id", o.ID}, {"url", c.base + "/directoryObjects/" + o.ID}})
}

func (g *Graph) removeMember(c *call) error {
	group, id := c.params["id"], c.params["member"]
	if err := checkGUID(group); err != nil {
		return err
	}
	if _, is, err := g.dir.IsMember(group, id); err != nil {
		return err
	} else if !is {
		return missing(id)
	}
	if err := g.dir.RemoveMembers(g.svc.Clock().Now(), group, id); err != nil {
		return err
	}
	return c.noContent()
}

// removeMemberByURL is the form with the reference in the query: /members/$ref?@id=…
func (g *Graph) removeMemberByURL(c *call) error {
	if err := checkGUID(c.params["id"]); err != nil {
		return err
	}
	id, err := reference(strings.TrimSpace(c.query["@id"]))
	if err != nil {
		return err
	}
	if err := g.dir.RemoveMembers(g.svc.Clock().Now(), c.params["id"], id); err != nil {
		return err
	}
	return c.noContent()
}
