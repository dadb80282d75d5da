package mapping

import "encoding/json"

// Names of the two directories and of their objects. The target is called customappsso whatever the job's template.
const (
	SourceDirectory = "Microsoft Entra ID"
	TargetDirectory = "customappsso"
	UserURN         = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	GroupURN        = "urn:ietf:params:scim:schemas:core:2.0:Group"
)

// formerSourceDirectory is the source's name in jobs from before 2024.
const formerSourceDirectory = "Azure Active Directory"

const coreUserPrefix = "urn:ietf:params:scim:schemas:core:2.0:User:"

// SwitchActive is the usual source of active: switched off for whoever left scope.
const SwitchActive = `Switch([IsSoftDeleted], , "False", "True", "True", "False")`

const ruleID = "03f7d90d-bf71-41b1-bda6-aaf0ddbee5d8"

// row is one line of a mapping table: target, source, matching precedence.
type row struct {
	target, source string
	match          int
}

// The mappings of a new non-gallery application, in the portal's order, as vendors print them unedited
// (use-scim-to-provision-users-and-groups.md has the reference tables).
var defaultUserRows = []row{
	{"userName", "[userPrincipalName]", 1},
	{"active", SwitchActive, 0},
	{"displayName", "[displayName]", 0},
	{"title", "[jobTitle]", 0},
	{`emails[type eq "work"].value`, "[mail]", 0},
	{"preferredLanguage", "[preferredLanguage]", 0},
	{"name.givenName", "[givenName]", 0},
	{"name.familyName", "[surname]", 0},
	{"name.formatted", `Join(" ", [givenName], [surname])`, 0},
	{`addresses[type eq "work"].formatted`, "[physicalDeliveryOfficeName]", 0},
	{`addresses[type eq "work"].streetAddress`, "[streetAddress]", 0},
	{`addresses[type eq "work"].locality`, "[city]", 0},
	{`addresses[type eq "work"].region`, "[state]", 0},
	{`addresses[type eq "work"].postalCode`, "[postalCode]", 0},
	{`addresses[type eq "work"].country`, "[country]", 0},
	{`phoneNumbers[type eq "work"].value`, "[telephoneNumber]", 0},
	{`phoneNumbers[type eq "mobile"].value`, "[mobile]", 0},
	{`phoneNumbers[type eq "fax"].value`, "[facsimileTelephoneNumber]", 0},
	{"externalId", "[mailNickname]", 0},
	{UserURN + ":employeeNumber", "[employeeId]", 0},
	{UserURN + ":department", "[department]", 0},
	{UserURN + ":manager", "[manager]", 0},
}

var groupRows = []row{{"displayName", "[displayName]", 1}, {"externalId", "[objectId]", 0}, {"members", "[members]", 0}}

// starterUserRows are what is left when the default mappings are cut down to the four of the set-up guide.
var starterUserRows = []row{
	{"userName", "[userPrincipalName]", 1}, {"active", SwitchActive, 0}, {"displayName", "[displayName]", 0}, {"externalId", "[objectId]", 0},
}

// Default is the schema of a new non-gallery application.
func Default() *Schema { return template(defaultUserRows) }

// Starter is the schema of the starter application: the set-up guide's mappings.
func Starter() *Schema { return template(starterUserRows) }

func template(users []row) *Schema {
	null := json.RawMessage("null")
	return &Schema{
		ID: "scim", Version: "v1.2",
		Rules: []Rule{{
			ContainerFilter: null, GroupFilter: null, Editable: true, ID: ruleID, Name: "USERGROUP_OUTBOUND_USERGROUP", Priority: 1,
			SourceDirectoryName: SourceDirectory, TargetDirectoryName: TargetDirectory,
			Metadata: metadata("supportsProvisionOnDemand", "true"),
			ObjectMappings: []ObjectMappingDocument{
				objectMapping("Provision Microsoft Entra ID Groups", "Group", GroupURN, "displayName", groupRows),
				objectMapping("Provision Microsoft Entra ID Users", "User", UserURN, "userName", users),
			},
		}},
		Directories: []DirectoryDefinition{
			{ID: "66e4a8cc-1b7b-435e-95f8-f06cea133828", Name: SourceDirectory, Version: "1",
				Discoverabilities: "AttributeNames,AttributeDataTypes,AttributeReadOnly,ReferenceAttributes",
				Objects: []ObjectDefinition{
					{Name: "User", SupportedAPIs: []string{}, Attributes: sourceDefinitions(userSource), Metadata: metadata(
						"PropertyNameAccountEnabled", "accountEnabled", "PropertyNameSoftDeleted", "IsSoftDeleted",
						"IsSoftDeletionSupported", "true", "IsSynchronizeAllSupported", "true")},
					{Name: "Group", SupportedAPIs: []string{}, Attributes: sourceDefinitions(groupSource), Metadata: metadata(
						"PropertyNameSoftDeleted", "IsSoftDeleted", "IsSoftDeletionSupported", "true", "IsSynchronizeAllSupported", "true")},
				}},
			{ID: "09760868-cafb-47ac-9031-0a3262300427", Name: TargetDirectory, Version: "1", Discoverabilities: "None",
				Objects: []ObjectDefinition{
					{Name: UserURN, SupportedAPIs: []string{}, Metadata: metadata("PropertyNameAccountEnabled", "active"), Attributes: targetUser()},
					{Name: GroupURN, SupportedAPIs: []string{}, Metadata: []Metadata{}, Attributes: targetGroup()},
				}},
		},
	}
}

func objectMapping(name, source, target, joining string, rows []row) ObjectMappingDocument {
	m := ObjectMappingDocument{Enabled: true, FlowTypes: "Add,Update,Delete", Name: name, SourceObjectName: source, TargetObjectName: target,
		Metadata: metadata("IsCustomerDefined", "false", "DisableMonitoringForChanges", "false", "Disposition", `"Normal"`,
			"ExcludeFromReporting", "false", "EscrowBehavior", `"Default"`, "Unsynchronized", "false", "OriginalJoiningProperty", joining)}
	for _, r := range rows {
		origin, err := OriginOf(r.source)
		if err != nil {
			panic(err) // the tables above are ours
		}
		m.AttributeMappings = append(m.AttributeMappings, AttributeMapping{FlowBehavior: FlowWhenChanged, FlowType: Always,
			MatchingPriority: r.match, TargetAttributeName: r.target, Source: origin})
	}
	return m
}

// metadata makes entries of keys and values in turn.
func metadata(pairs ...string) []Metadata {
	list := make([]Metadata, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, Metadata{Key: pairs[i], Value: pairs[i+1]})
	}
	return list
}

func definition(name string, t Type) AttributeDefinition {
	return AttributeDefinition{Name: name, Type: t, Mutability: ReadWrite, APIExpressions: []json.RawMessage{}, Metadata: []Metadata{}, ReferencedObjects: []ReferencedObject{}}
}

// targetUser is the attribute list of the target's users: what is mapped by default and what else is offered.
func targetUser() []AttributeDefinition {
	id := definition("id", String)
	id.Anchor, id.Required, id.Mutability = true, true, ReadOnly
	list := []AttributeDefinition{id}
	add := func(t Type, names ...string) {
		for _, n := range names {
			list = append(list, definition(n, t))
		}
	}
	add(String, "userName", "externalId")
	add(Boolean, "active")
	add(String, "displayName", "title", "preferredLanguage", "name.givenName", "name.familyName", "name.formatted", "name.honorificPrefix",
		"name.honorificSuffix", "nickName", "userType", "locale", "timezone", `emails[type eq "work"].value`, `emails[type eq "home"].value`,
		`emails[type eq "other"].value`)
	for _, kind := range []string{"work", "other", "home"} {
		for _, sub := range []string{"formatted", "streetAddress", "locality", "region", "postalCode", "country"} {
			add(String, `addresses[type eq "`+kind+`"].`+sub)
		}
	}
	for _, kind := range []string{"work", "mobile", "fax", "home", "other", "pager"} {
		add(String, `phoneNumbers[type eq "`+kind+`"].value`)
	}
	for _, sub := range []string{"display", "type", "value"} {
		add(String, `roles[primary eq "True"].`+sub)
	}
	for _, name := range []string{"employeeNumber", "costCenter", "organization", "division", "department"} {
		add(String, UserURN+":"+name)
	}
	manager := definition(UserURN+":manager", Reference)
	manager.ReferencedObjects = []ReferencedObject{{Name: UserURN, Property: "id"}}
	for i := range list {
		switch list[i].Name {
		case "userName":
			list[i].Required = true
		case "externalId":
			list[i].CaseExact = true
		}
	}
	return append(list, manager)
}

func targetGroup() []AttributeDefinition {
	id, name, external, members := definition("id", String), definition("displayName", String), definition("externalId", String), definition("members", Reference)
	id.Anchor, id.Required, id.Mutability = true, true, ReadOnly
	name.Required, external.CaseExact, members.Multivalued = true, true, true
	members.ReferencedObjects = []ReferencedObject{{Name: UserURN, Property: "id"}, {Name: GroupURN, Property: "id"}}
	return []AttributeDefinition{id, name, external, members}
}
