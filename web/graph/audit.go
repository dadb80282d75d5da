package graph

import (
	"net/http"
	"strings"

	"entrasim/sim"
)

// auditKind is what entries of the audit log can be filtered by (resources/directoryaudit.md).
var auditKind = func() *kind {
	k := newKind("directoryAudit", "DirectoryAudit", "auditLogs/directoryAudits", standardFields("id", text, "category", text, "correlationId", text,
		"result", text, "resultReason", text, "activityDisplayName", text, "activityDateTime", moment, "loggedByService", text, "operationType", text,
		"initiatedBy", typeObject, "targetResources", objectList, "additionalDetails", objectList))
	for i := range k.fields {
		if k.fields[i].name == "targetResources" {
			k.fields[i].filters = true
		}
	}
	return k
}()

// operation is the kind of an activity by the first word of its name.
func operation(activity string) string {
	switch word, _, _ := strings.Cut(activity, " "); word {
	case "Add":
		return "Add"
	case "Delete", "Remove":
		return "Delete"
	}
	return "Update"
}

// auditValues gives the properties of an entry. What changes applications belongs to the core directory, the rest to
// provisioning (reference-audit-activities.md).
func (g *Graph) auditValues(r *sim.AuditRecord) values {
	return func(name string) any {
		provisioning := strings.Contains(r.Activity, "provisioning") || strings.Contains(r.Activity, "attribute mappings") || strings.Contains(r.Activity, "uarantine")
		switch name {
		case "id", "correlationId":
			return r.ID
		case "category":
			if provisioning {
				return "ProvisioningManagement"
			}
			return "ApplicationManagement"
		case "result":
			return r.Result
		case "resultReason":
			if r.Error != nil {
				return r.Error.Text()
			}
			return r.Detail
		case "activityDisplayName":
			return r.Activity
		case "activityDateTime":
			return r.Time
		case "loggedByService":
			if provisioning {
				return "Account Provisioning"
			}
			return "Core Directory"
		case "operationType":
			return operation(r.Activity)
		case "initiatedBy":
			return object{{"user", nil}, {"app", object{{"appId", nil}, {"displayName", r.InitiatedBy}, {"servicePrincipalId", nil}, {"servicePrincipalName", nil}}}}
		case "targetResources":
			return []map[string]any{{"id": r.ApplicationID, "displayName": r.ApplicationName, "type": "ServicePrincipal", "userPrincipalName": nil,
				"groupType": nil, "modifiedProperties": []any{}}}
		}
		return nil
	}
}

// listAudits is api/directoryaudit-list.md, the newest entries first.
func (g *Graph) listAudits(c *call) error {
	const list = "auditLogs/directoryAudits"
	token, err := g.resume(c, list)
	if err != nil {
		return err
	}
	top, err := c.query.top(pageStandard, logMost)
	if err != nil {
		return err
	}
	if ascending, err := logOrder(c.query["orderby"]); err != nil {
		return err
	} else if ascending {
		return badRequest("Sorting by '%s' is not supported; entries are listed by activityDateTime desc.", c.query["orderby"])
	}
	selected, err := auditKind.selection(c)
	if err != nil {
		return err
	}
	var f *filter
	if given, ok := c.query["filter"]; ok {
		if f, err = parseFilter(given); err != nil {
			return err
		}
		if err := f.check(auditKind); err != nil {
			return err
		}
	}
	shown := []object{}
	more := false
	for cursor := token.Cursor; !more; {
		page, err := g.svc.Audit(cursor, pageMost)
		if err != nil {
			return err
		}
		for i := range page.Items {
			get := g.auditValues(&page.Items[i])
			if f != nil && !f.matches(get, false) {
				continue
			}
			if len(shown) == top {
				more = true
				break
			}
			shown = append(shown, auditKind.show(get, selected))
			token.Cursor = page.Items[i].ID // the next page begins behind it
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	out := object{{"@odata.context", c.context(list)}}
	if more {
		out = append(out, member{"@odata.nextLink", c.next(token)})
	}
	return c.json(http.StatusOK, append(out, member{"value", shown}))
}

func (g *Graph) getAudit(c *call) error {
	for cursor := ""; ; {
		page, err := g.svc.Audit(cursor, pageMost)
		if err != nil {
			return err
		}
		for i := range page.Items {
			if page.Items[i].ID == c.params["record"] {
				return c.entity(http.StatusOK, "auditLogs/directoryAudits/$entity", auditKind.show(g.auditValues(&page.Items[i]), nil))
			}
		}
		if cursor = page.Next; cursor == "" {
			return missing(c.params["record"])
		}
	}
}
