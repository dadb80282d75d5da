package graph

import (
	"net/http"
	"strings"

	"entrasim/directory"
	"entrasim/web/openapi"
)

// kinds are the types whose tables are shown as components, by the collection that holds them.
var kinds = map[string]*kind{"users": userKind, "groups": groupKind, "applications": applicationKind, "servicePrincipals": principalKind,
	"applicationTemplates": templateKind, "appRoleAssignedTo": assignmentKind, "appRoleAssignments": assignmentKind, "templates": syncTemplateKind,
	"organization": organizationKind, "domains": domainKind}

// mixed are collections of objects of several types.
var mixed = map[string]bool{"members": true, "owners": true, "ownedObjects": true, "memberOf": true, "transitiveMembers": true, "transitiveMemberOf": true,
	"directReports": true, "deletedItems": true, "directoryObjects": true}

// actions are routes with POST that don't create: the status and the answer of each.
var actions = map[string]struct {
	status int
	answer openapi.Object
}{
	"restore":             {200, openapi.Ref("directoryObject")},
	"getByIds":            {200, openapi.Ref("collection")},
	"checkMemberGroups":   {200, texts200},
	"checkMemberObjects":  {200, texts200},
	"getMemberGroups":     {200, texts200},
	"getMemberObjects":    {200, texts200},
	"start":               {204, nil},
	"pause":               {204, nil},
	"restart":             {204, nil},
	"validateCredentials": {204, nil},
	"removePassword":      {204, nil},
	"$ref":                {204, nil},
	"parseExpression":     {200, openapi.Ref("object")},
	"provisionOnDemand":   {200, openapi.Ref("object")},
	"addPassword":         {200, openapi.Ref("object")},
	"discover":            {200, openapi.Ref("object")},
	"$batch":              {200, openapi.Object{"type": "object", "properties": openapi.Object{"responses": openapi.List(openapi.Ref("object"))}, "required": []string{"responses"}}},
}

var texts200 = openapi.Object{"type": "object", "properties": openapi.Object{"value": openapi.List(openapi.Object{"type": "string"})}, "required": []string{"value"}}

// optionDocs say what the query options are, for the document.
var optionDocs = map[string]string{"select": "Properties to answer with", "filter": "Condition", "orderby": "Property to sort by, with asc or desc",
	"search": "Words to search for; needs the header ConsistencyLevel: eventual", "count": "true adds @odata.count; needs the header ConsistencyLevel: eventual",
	"top": "Size of a page", "skip": "How many to pass over", "expand": "Relations to answer with", "skiptoken": "Where the next page begins, from @odata.nextLink",
	"deltatoken": "Where the next round begins, from @odata.deltaLink, or latest"}

// Operations are the rows of the table that have a handler, those of the login service and of the faults.
func Operations() []openapi.Operation {
	var list []openapi.Operation
	for _, r := range routes() {
		if r.handle != nil {
			list = append(list, r.operation())
		}
	}
	for _, l := range logins {
		op := openapi.Operation{Tag: "login", Method: l.method, Path: strings.ReplaceAll(l.path, ":tenant", "{tenant}"), Doc: l.doc, Status: http.StatusOK,
			Answer: openapi.Ref("object"), Error: "loginError"}
		if l.method == http.MethodPost {
			op.Media, op.Body = "application/x-www-form-urlencoded", openapi.Ref("object")
		}
		list = append(list, op)
	}
	faults := openapi.SchemaOf(faultList{})
	for _, r := range faultRoutes {
		op := openapi.Operation{Tag: "sim", Method: r.method, Path: r.path, Doc: r.doc, Status: http.StatusOK, Answer: faults, Error: "simError"}
		switch r.method {
		case http.MethodPut:
			op.Body = faults
		case http.MethodDelete:
			op.Status, op.Answer = http.StatusNoContent, nil
		}
		list = append(list, op)
	}
	return list
}

// operation is a row as the document tells it.
func (r route) operation() openapi.Operation {
	steps := strings.Split(strings.TrimPrefix(r.path, "/"), "/")
	op := openapi.Operation{Tag: steps[0], Method: r.method, Path: "/v1.0" + strings.ReplaceAll(r.path, "{cast}", "microsoft.graph.{type}"), Doc: r.doc, Error: "error"}
	for _, name := range strings.Fields(r.options) {
		op.Query = append(op.Query, openapi.Param{Name: "$" + name, Doc: optionDocs[name], Integer: name == "top" || name == "skip"})
	}
	last, before := steps[len(steps)-1], ""
	if len(steps) > 1 {
		before = steps[len(steps)-2]
	}
	switch r.method {
	case http.MethodGet:
		op.Status = http.StatusOK
		op.Answer, op.Type = r.answer(steps, last, before)
	case http.MethodPost:
		op.Body = openapi.Ref("object")
		if a, ok := actions[last]; ok {
			op.Status, op.Answer = a.status, a.answer
			break
		}
		op.Status, op.Answer = http.StatusCreated, entity(last)
		op.Body = entity(last)
	default:
		op.Status = http.StatusNoContent
		if r.method != http.MethodDelete {
			op.Body = openapi.Ref("object")
		}
	}
	if r.shown {
		op.Shown = entity(before)
	}
	return op
}

// entity is the schema of one object of a collection.
func entity(collection string) openapi.Object {
	switch k := kinds[collection]; {
	case k != nil:
		return openapi.Ref(k.name)
	case mixed[collection]:
		return openapi.Ref("directoryObject")
	}
	return openapi.Ref("object")
}

func listOf(item openapi.Object) openapi.Object {
	return openapi.Object{"type": "object", "required": []string{"value"}, "properties": openapi.Object{"@odata.context": openapi.Object{"type": "string"},
		"@odata.count": openapi.Object{"type": "integer"}, "@odata.nextLink": openapi.Object{"type": "string"}, "@odata.deltaLink": openapi.Object{"type": "string"}, "value": openapi.List(item)}}
}

// answer is what a GET answers with, by the last steps of its path.
func (r route) answer(steps []string, last, before string) (schema openapi.Object, media string) {
	switch {
	case last == "$count" || last == "$value":
		return openapi.Object{"type": "string"}, "text/plain"
	case last == "$ref" && (mixed[before]):
		return openapi.Ref("collection"), ""
	case last == "delta":
		return listOf(entity(before)), ""
	case last == "{cast}" && mixed[before]:
		return listOf(entity(before)), ""
	case last == "{cast}": // one object, seen as a type
		return openapi.Ref("directoryObject"), ""
	case r.property:
		return openapi.Ref("object"), ""
	case strings.HasPrefix(last, "{"):
		return entity(before), ""
	case kinds[last] != nil || mixed[last]:
		return listOf(entity(last)), ""
	case len(steps) == 1 && last != "me", last == "jobs", last == "provisioning", last == "directories", last == "functions", last == "filterOperators":
		return openapi.Ref("collection"), ""
	}
	return openapi.Ref("object"), ""
}

// Schemas are the components: every type whose properties a table lists, and what the others are.
func Schemas() openapi.Object {
	any := openapi.Object{"type": "object"}
	list := openapi.Object{"object": any, "directoryObject": openapi.Object{"type": "object", "properties": openapi.Object{"id": openapi.Object{"type": "string"}}},
		"collection": listOf(any),
		"error": openapi.Object{"type": "object", "required": []string{"error"}, "properties": openapi.Object{"error": openapi.Object{"type": "object", "required": []string{"code", "message", "innerError"},
			"properties": openapi.Object{"code": openapi.Object{"type": "string"}, "message": openapi.Object{"type": "string"}, "details": openapi.List(any), "innerError": any}}}},
		"loginError": openapi.Object{"type": "object", "required": []string{"error", "error_description", "error_codes"}, "properties": openapi.Object{
			"error": openapi.Object{"type": "string"}, "error_description": openapi.Object{"type": "string"}, "error_codes": openapi.List(openapi.Object{"type": "integer"})}},
	}
	for _, k := range kinds {
		list[k.name] = k.schema()
	}
	return list
}

// schema is the component of a type, from the table that its answers are made from.
func (k *kind) schema() openapi.Object {
	properties := openapi.Object{}
	for _, f := range k.fields {
		if !f.hidden && !f.link {
			properties[f.name] = schemaOfType(f.typ)
		}
	}
	return openapi.Object{"type": "object", "properties": properties}
}

func schemaOfType(t directory.Type) openapi.Object {
	switch t {
	case directory.TypeString:
		return openapi.Object{"type": "string", "nullable": true}
	case directory.TypeBoolean:
		return openapi.Object{"type": "boolean", "nullable": true}
	case directory.TypeTime:
		return openapi.Object{"type": "string", "format": "date-time", "nullable": true}
	case typeNumber:
		return openapi.Object{"type": "integer", "nullable": true}
	case directory.TypeStrings:
		return openapi.List(openapi.Object{"type": "string"})
	case directory.TypeObjects:
		return openapi.List(openapi.Object{"type": "object"})
	}
	return openapi.Object{"type": "object", "nullable": true}
}
