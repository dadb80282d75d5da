package graph

import "strings"

// anyMethod marks routes that are known to Graph and not here.
const anyMethod = "*"

// route is one row of the table.
type route struct {
	method   string
	path     string // {name} is a key, {cast} the qualified name of a type
	handle   func(g *Graph, c *call) error
	options  string // the query options that it takes
	doc      string
	shown    bool // Prefer: return=representation is heeded
	property bool // the last step is the name of a property: it fits any name
	steps    []string
}

// Options that lists take.
const (
	listOptions   = "select filter orderby search count top expand skiptoken"
	objectOptions = "select expand"
	pageOptions   = "select filter search count top skiptoken"
	countOptions  = "filter search"
	deltaOptions  = "select filter skiptoken deltatoken"
)

// routes is the table of everything that is answered, and of what Graph has and this subset has not.
func routes() []route {
	r := []route{
		{method: "GET", path: "/users", handle: (*Graph).listUsers, options: listOptions, doc: "List users"},
		{method: "POST", path: "/users", handle: (*Graph).createUser, doc: "Create a user"},
		{method: "GET", path: "/users/$count", handle: (*Graph).countUsers, options: "filter search", doc: "Count users"},
		{method: "GET", path: "/users/delta", handle: (*Graph).deltaUsers, options: deltaOptions, doc: "Track changes of users"},
		{method: "GET", path: "/users/{id}", handle: (*Graph).getUser, options: objectOptions, doc: "Get a user by id or userPrincipalName"},
		{method: "PATCH", path: "/users/{id}", handle: (*Graph).updateUser, doc: "Update a user", shown: true},
		{method: "DELETE", path: "/users/{id}", handle: (*Graph).deleteUser, doc: "Delete a user"},
		{method: "GET", path: "/users/{id}/manager", handle: (*Graph).getManager, options: "select", doc: "Get a user's manager"},
		{method: "GET", path: "/users/{id}/manager/{cast}", handle: (*Graph).getManager, options: "select", doc: "Get a user's manager as a user"},
		{method: "GET", path: "/users/{id}/manager/$ref", handle: (*Graph).getManagerRef, doc: "Get the address of a user's manager"},
		{method: "PUT", path: "/users/{id}/manager/$ref", handle: (*Graph).putManager, doc: "Assign a manager"},
		{method: "DELETE", path: "/users/{id}/manager/$ref", handle: (*Graph).deleteManager, doc: "Remove a manager"},
		{method: "GET", path: "/users/{id}/directReports", handle: (*Graph).listReports, options: pageOptions, doc: "List direct reports"},
		{method: "GET", path: "/users/{id}/directReports/{cast}", handle: (*Graph).listReports, options: pageOptions, doc: "List direct reports of one type"},
		{method: "GET", path: "/users/{id}/directReports/$count", handle: (*Graph).countReports, options: countOptions, doc: "Count direct reports"},
		{method: "GET", path: "/users/{id}/{property}", handle: (*Graph).getUserProperty, doc: "Get one property of a user", property: true},
		{method: "GET", path: "/users/{id}/{property}/$value", handle: (*Graph).getUserValue, doc: "Get one property of a user as text", property: true},

		{method: "GET", path: "/groups", handle: (*Graph).listGroups, options: listOptions, doc: "List groups"},
		{method: "POST", path: "/groups", handle: (*Graph).createGroup, doc: "Create a group"},
		{method: "GET", path: "/groups/$count", handle: (*Graph).countGroups, options: "filter search", doc: "Count groups"},
		{method: "GET", path: "/groups/delta", handle: (*Graph).deltaGroups, options: deltaOptions, doc: "Track changes of groups and their members"},
		{method: "GET", path: "/groups/{id}", handle: (*Graph).getGroup, options: objectOptions, doc: "Get a group"},
		{method: "PATCH", path: "/groups/{id}", handle: (*Graph).updateGroup, doc: "Update a group, or add up to 20 members", shown: true},
		{method: "DELETE", path: "/groups/{id}", handle: (*Graph).deleteGroup, doc: "Delete a group"},
		{method: "GET", path: "/groups/{id}/members", handle: (*Graph).listMembers, options: pageOptions, doc: "List members"},
		{method: "GET", path: "/groups/{id}/members/{cast}", handle: (*Graph).listMembers, options: pageOptions, doc: "List members of one type"},
		{method: "GET", path: "/groups/{id}/members/$count", handle: (*Graph).countMembers, options: countOptions, doc: "Count members"},
		{method: "GET", path: "/groups/{id}/members/{cast}/$count", handle: (*Graph).countMembers, options: countOptions, doc: "Count members of one type"},
		{method: "GET", path: "/groups/{id}/members/$ref", handle: (*Graph).listMemberRefs, options: "count top skiptoken", doc: "List the addresses of members"},
		{method: "POST", path: "/groups/{id}/members/$ref", handle: (*Graph).addMember, doc: "Add a member"},
		{method: "DELETE", path: "/groups/{id}/members/$ref", handle: (*Graph).removeMemberByURL, doc: "Remove the member that @id names"},
		{method: "GET", path: "/groups/{id}/members/{member}/$ref", handle: (*Graph).getMemberRef, doc: "Get the address of a member"},
		{method: "DELETE", path: "/groups/{id}/members/{member}/$ref", handle: (*Graph).removeMember, doc: "Remove a member"},
		{method: "GET", path: "/groups/{id}/transitiveMembers", handle: (*Graph).transitiveMembers, options: pageOptions, doc: "List direct and nested members"},
		{method: "GET", path: "/groups/{id}/transitiveMembers/$count", handle: (*Graph).countTransitive, options: countOptions, doc: "Count direct and nested members"},
		{method: "GET", path: "/groups/{id}/transitiveMembers/{cast}/$count", handle: (*Graph).countTransitive, options: countOptions, doc: "Count direct and nested members of one type"},
		{method: "GET", path: "/groups/{id}/transitiveMembers/{cast}", handle: (*Graph).transitiveMembers, options: pageOptions, doc: "List direct and nested members of one type"},
		{method: "GET", path: "/groups/{id}/{property}", handle: (*Graph).getGroupProperty, doc: "Get one property of a group", property: true},
		{method: "GET", path: "/groups/{id}/{property}/$value", handle: (*Graph).getGroupValue, doc: "Get one property of a group as text", property: true},

		{method: "GET", path: "/directory/deletedItems", handle: (*Graph).noCast, options: listOptions, doc: "Needs a type"},
		{method: "GET", path: "/directory/deletedItems/{cast}", handle: (*Graph).listDeleted, options: listOptions, doc: "List deleted items of one type"},
		{method: "GET", path: "/directory/deletedItems/{cast}/$count", handle: (*Graph).listDeleted, options: countOptions, doc: "Count deleted items of one type"},
		{method: "GET", path: "/directory/deletedItems/{id}", handle: (*Graph).getDeleted, options: "select", doc: "Get a deleted item"},
		{method: "GET", path: "/directory/deletedItems/{id}/{cast}", handle: (*Graph).getDeleted, options: "select", doc: "Get a deleted item of one type"},
		{method: "POST", path: "/directory/deletedItems/{id}/restore", handle: (*Graph).restore, doc: "Restore a deleted item"},
		{method: "DELETE", path: "/directory/deletedItems/{id}", handle: (*Graph).purge, doc: "Delete a deleted item for good"},

		{method: "POST", path: "/directoryObjects/getByIds", handle: (*Graph).getByIDs, options: "select", doc: "Get objects by their ids"},
		{method: "GET", path: "/directoryObjects/{id}", handle: (*Graph).getDirectoryObject, options: "select", doc: "Get an object of any type"},
		{method: "GET", path: "/directoryObjects/{id}/{cast}", handle: (*Graph).getDirectoryObject, options: "select", doc: "Get an object of one type"},
		{method: "DELETE", path: "/directoryObjects/{id}", handle: (*Graph).deleteDirectoryObject, doc: "Delete an object of any type"},
		{method: "GET", path: "/organization", handle: (*Graph).organization, options: "select", doc: "Get the tenant"},
		{method: "GET", path: "/organization/{id}", handle: (*Graph).organization, options: "select", doc: "Get the tenant by its id"},
		{method: "GET", path: "/domains", handle: (*Graph).domains, options: "select", doc: "List domains"},
		{method: "GET", path: "/domains/{id}", handle: (*Graph).domains, options: "select", doc: "Get a domain"},
		{method: "GET", path: "/subscribedSkus", handle: (*Graph).subscribedSkus, options: "select", doc: "List subscriptions: none"},
		{method: "GET", path: "/me", handle: (*Graph).notHere, options: objectOptions, doc: "Needs a signed-in user: always 400"},

		{method: "GET", path: "/applicationTemplates", handle: (*Graph).listTemplates, options: "select filter top count skiptoken", doc: "List application templates"},
		{method: "GET", path: "/applicationTemplates/{id}", handle: (*Graph).getTemplate, options: "select", doc: "Get an application template"},
		{method: "POST", path: "/applicationTemplates/{id}/instantiate", handle: (*Graph).instantiate, doc: "Create an enterprise application from a template"},
		{method: "GET", path: "/applications", handle: (*Graph).listApplications, options: listOptions, doc: "List applications"},
		{method: "GET", path: "/applications/$count", handle: (*Graph).countApplications, options: "filter search", doc: "Count applications"},
		{method: "GET", path: "/applications/delta", handle: (*Graph).deltaApplications, options: deltaOptions, doc: "Track changes of applications"},
		{method: "GET", path: "/applications/{id}", handle: (*Graph).getApplication, options: objectOptions, doc: "Get an application"},
		{method: "POST", path: "/applications", handle: (*Graph).createApplication, doc: "Register an application"},
		{method: "GET", path: "/applications/{id}/extensionProperties", handle: (*Graph).listExtensions, doc: "List directory extensions"},
		{method: "POST", path: "/applications/{id}/extensionProperties", handle: (*Graph).createExtension, doc: "Define a directory extension"},
		{method: "GET", path: "/applications/{id}/extensionProperties/{extension}", handle: (*Graph).getExtension, doc: "Get a directory extension"},
		{method: "DELETE", path: "/applications/{id}/extensionProperties/{extension}", handle: (*Graph).deleteExtension, doc: "Remove a directory extension"},
		{method: "PUT", path: "/applications/{id}/logo", handle: (*Graph).ignoreLogo, doc: "Take the logo of an application, which is shown nowhere"},
		{method: "PATCH", path: "/applications/{id}", handle: (*Graph).updateApplication, doc: "Update an application"},
		{method: "DELETE", path: "/applications/{id}", handle: (*Graph).deleteApplication, doc: "Delete an application with its service principal"},
		{method: "GET", path: "/servicePrincipals", handle: (*Graph).listPrincipals, options: listOptions, doc: "List enterprise applications"},
		{method: "GET", path: "/servicePrincipals/$count", handle: (*Graph).countPrincipals, options: "filter search", doc: "Count enterprise applications"},
		{method: "GET", path: "/servicePrincipals/delta", handle: (*Graph).deltaPrincipals, options: deltaOptions, doc: "Track changes of enterprise applications"},
		{method: "GET", path: "/servicePrincipals/{id}", handle: (*Graph).getPrincipal, options: objectOptions, doc: "Get an enterprise application"},
		{method: "POST", path: "/servicePrincipals", handle: (*Graph).createPrincipal, doc: "Create the service principal of an application"},
		{method: "PATCH", path: "/servicePrincipals/{id}", handle: (*Graph).updatePrincipal, doc: "Update an enterprise application"},
		{method: "DELETE", path: "/servicePrincipals/{id}", handle: (*Graph).deletePrincipal, doc: "Delete an enterprise application with its job"},
		{method: "GET", path: "/servicePrincipals/{id}/appRoleAssignedTo", handle: (*Graph).listAssigned, options: "select filter count top skiptoken", doc: "List assignments to an application"},
		{method: "GET", path: "/servicePrincipals/{id}/appRoleAssignedTo/$count", handle: (*Graph).countAssigned, options: "filter", doc: "Count assignments to an application"},
		{method: "POST", path: "/servicePrincipals/{id}/appRoleAssignedTo", handle: (*Graph).createAssigned, doc: "Assign a user or group"},
		{method: "GET", path: "/servicePrincipals/{id}/appRoleAssignedTo/{assignment}", handle: (*Graph).getAssigned, doc: "Get an assignment"},
		{method: "DELETE", path: "/servicePrincipals/{id}/appRoleAssignedTo/{assignment}", handle: (*Graph).deleteAssigned, doc: "Remove an assignment"},
	}
	for _, set := range []string{"/users/{id}", "/groups/{id}", "/servicePrincipals/{id}"} {
		r = append(r,
			route{method: "GET", path: set + "/memberOf", handle: (*Graph).memberOf, options: pageOptions, doc: "List the groups that the object is a member of"},
			route{method: "GET", path: set + "/memberOf/{cast}", handle: (*Graph).memberOf, options: pageOptions, doc: "The same of one type"},
			route{method: "GET", path: set + "/memberOf/$count", handle: (*Graph).countMemberOf, options: countOptions, doc: "Count the groups that the object is a member of"},
			route{method: "GET", path: set + "/memberOf/{cast}/$count", handle: (*Graph).countMemberOf, options: countOptions, doc: "Count the same of one type"},
			route{method: "GET", path: set + "/transitiveMemberOf/{cast}/$count", handle: (*Graph).countTransitiveMemberOf, options: countOptions, doc: "Count the same of one type with groups of groups"},
			route{method: "GET", path: set + "/transitiveMemberOf/$count", handle: (*Graph).countTransitiveMemberOf, options: countOptions, doc: "Count the same with groups of groups"},
			route{method: "GET", path: set + "/transitiveMemberOf", handle: (*Graph).transitiveMemberOf, options: pageOptions, doc: "The same with groups of groups"},
			route{method: "GET", path: set + "/transitiveMemberOf/{cast}", handle: (*Graph).transitiveMemberOf, options: pageOptions, doc: "The same of one type"},
		)
	}
	for _, set := range []string{"/users/{id}", "/groups/{id}", "/servicePrincipals/{id}"} {
		r = append(r,
			route{method: "GET", path: set + "/appRoleAssignments", handle: (*Graph).listAssignments, options: "select filter count top skiptoken", doc: "List the object's assignments to applications"},
			route{method: "GET", path: set + "/appRoleAssignments/$count", handle: (*Graph).countAssignments, options: "filter", doc: "Count the object's assignments"},
			route{method: "POST", path: set + "/appRoleAssignments", handle: (*Graph).createAssignment, doc: "Assign the object to an application"},
			route{method: "GET", path: set + "/appRoleAssignments/{assignment}", handle: (*Graph).getAssignment, doc: "Get an assignment"},
			route{method: "DELETE", path: set + "/appRoleAssignments/{assignment}", handle: (*Graph).deleteAssignment, doc: "Remove an assignment"},
		)
	}
	for _, set := range []string{"/users/{id}", "/groups/{id}", "/servicePrincipals/{id}", "/directoryObjects/{id}"} {
		r = append(r,
			route{method: "POST", path: set + "/checkMemberGroups", handle: (*Graph).checkMembership, doc: "Which of some groups the object is in, nested ones included"},
			route{method: "POST", path: set + "/checkMemberObjects", handle: (*Graph).checkMembership, doc: "The same"},
			route{method: "POST", path: set + "/getMemberGroups", handle: (*Graph).memberGroups, doc: "The groups that the object is in, nested ones included"},
			route{method: "POST", path: set + "/getMemberObjects", handle: (*Graph).memberGroups, doc: "The same"},
		)
	}
	for _, set := range []string{"/applications/{id}", "/servicePrincipals/{id}"} {
		r = append(r,
			route{method: "GET", path: set + "/{property}", handle: (*Graph).getApplicationProperty, doc: "Get one property", property: true},
			route{method: "POST", path: set + "/addPassword", handle: (*Graph).addPassword, doc: "Add a client secret"},
			route{method: "POST", path: set + "/removePassword", handle: (*Graph).removePassword, doc: "Remove a client secret"},
		)
	}
	r = append(r, ownerRoutes()...)
	r = append(r, syncRoutes()...)
	for _, line := range strings.Fields(unsupported) {
		r = append(r, route{method: anyMethod, path: line, doc: "Part of Microsoft Graph, not of this subset"})
	}
	return r
}

// unsupported are routes of Graph that stand below others of the table.
const unsupported = `
/$metadata /users/{id}/changePassword /users/{id}/revokeSignInSessions /users/{id}/assignLicense /users/{id}/photo
/applications/{id}/addKey /applications/{id}/removeKey /servicePrincipals/{id}/removeKey
/servicePrincipals/{id}/addTokenSigningCertificate /servicePrincipals/{id}/addKey
/servicePrincipals/{id}/claimsMappingPolicies /servicePrincipals/{id}/createPasswordSingleSignOnCredentials
/auditLogs/signIns
/servicePrincipals/{id}/synchronization /servicePrincipals/{id}/synchronization/secrets/$count
/applications/{id}/synchronization /applications/{id}/synchronization/jobs /applications/{id}/synchronization/secrets
/users/{id}/memberOf/{object} /users/{id}/transitiveMemberOf/{object} /users/{id}/directReports/{object}
/groups/{id}/memberOf/{object} /groups/{id}/transitiveMemberOf/{object} /groups/{id}/transitiveMembers/{object}
`

// elsewhere are names of Graph that no route of this subset has, in lower case: first segments and navigation properties.
var elsewhere = func() map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(`
	admin agreements appCatalogs auditLogs authenticationMethodsPolicy chats communications connections contacts contracts dataPolicyOperations
	deviceAppManagement deviceManagement devices directoryRoles directoryRoleTemplates drives education employeeExperience external
	groupLifecyclePolicies groupSettings groupSettingTemplates identity identityGovernance identityProtection identityProviders informationProtection
	invitations oauth2PermissionGrants permissionGrants places planner policies print privacy reports roleManagement schemaExtensions search security
	sites solutions storage subscriptions teams teamsTemplates teamwork tenantRelationships users groups administrativeUnits
	messages mailFolders mailboxSettings events calendar calendars calendarView contactFolders drive onenote todo activities authentication
	licenseDetails ownedDevices ownedObjects registeredDevices createdObjects oauth2PermissionGrants scopedRoleMemberOf settings photo photos
	conversations threads team lifecyclePolicies acceptedSenders rejectedSenders extensions sendMail findMeetingTimes getMailTips presence
	people insights joinedTeams onlineMeetings outlook inferenceClassification transitiveReports sponsors invitedBy
	federatedIdentityCredentials tokenIssuancePolicies tokenLifetimePolicies homeRealmDiscoveryPolicies endpoints delegatedPermissionClassifications
	appManagementPolicies permissionGrantPreApprovalPolicies remoteDesktopSecurityConfiguration renew validateProperties subscribeByMail
	getUserOwnedObjects getAvailableExtensionProperties reprocessLicenseAssignment retryServiceProvisioning exportPersonalData convertExternalToInternalMemberUser`) {
		m[strings.ToLower(name)] = true
	}
	return m
}()
