package target

import (
	"net/http"
	"strings"
)

// discovery answers /Schemas, /ResourceTypes and /ServiceProviderConfig (RFC 7644 § 4).
func (q *request) discovery(what, id string) error {
	if q.query.Get("filter") != "" {
		return &scimError{http.StatusForbidden, "", "discovery takes no filter"}
	}
	switch what {
	case "ServiceProviderConfig":
		if id != "" {
			return notFound(what + "/" + id)
		}
		q.json(http.StatusOK, q.serviceProviderConfig())
		return nil
	case "Schemas":
		return q.some(id, []map[string]any{
			q.schema(urnUser, "User", "A person with an account at the service", userAttrs),
			q.schema(urnGroup, "Group", "A group of users and groups", groupAttrs),
			q.schema(urnEnterprise, "EnterpriseUser", "What an employer knows about a user", enterpriseAttrs),
		})
	}
	return q.some(id, []map[string]any{
		q.resourceType("User", "Users", urnUser, map[string]any{"schema": urnEnterprise, "required": false}), q.resourceType("Group", "Groups", urnGroup),
	})
}

func (q *request) serviceProviderConfig() map[string]any {
	yes, no := map[string]any{"supported": true}, map[string]any{"supported": false}
	return map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"}, "documentationUri": "https://www.rfc-editor.org/rfc/rfc7644",
		"patch": yes, "bulk": map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter": map[string]any{"supported": true, "maxResults": maxCount}, "changePassword": no, "sort": yes, "etag": yes,
		"authenticationSchemes": []any{map[string]any{"type": "oauthbearertoken", "name": "OAuth Bearer Token", "primary": true,
			"description": "A bearer token in the Authorization header", "specUri": "https://www.rfc-editor.org/rfc/rfc6750"}},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": q.base + "/ServiceProviderConfig"},
	}
}

func (q *request) resourceType(name, path, urn string, extensions ...any) map[string]any {
	return map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}, "id": name, "name": name, "endpoint": "/" + path,
		"description": name, "schema": urn, "schemaExtensions": append([]any{}, extensions...),
		"meta": map[string]any{"resourceType": "ResourceType", "location": q.base + "/ResourceTypes/" + name}}
}

// schema describes a schema (RFC 7643 § 7).
func (q *request) schema(urn, name, about string, attrs []attr) map[string]any {
	return map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Schema"}, "id": urn, "name": name, "description": about,
		"attributes": describe(attrs), "meta": map[string]any{"resourceType": "Schema", "location": q.base + "/Schemas/" + urn}}
}

func describe(attrs []attr) []map[string]any {
	list := make([]map[string]any, len(attrs))
	for i := range attrs {
		a := &attrs[i]
		mutability, uniqueness, returned := "readWrite", "none", "default"
		switch {
		case a.readOnly:
			mutability = "readOnly"
		case a.writeOnly:
			mutability, returned = "writeOnly", "never"
		}
		if a.unique {
			uniqueness = "server"
		}
		m := map[string]any{"name": a.name, "type": a.typ, "multiValued": a.multi, "description": a.about, "required": a.required,
			"mutability": mutability, "returned": returned}
		if a.typ == "complex" {
			m["subAttributes"] = describe(a.subs)
		} else {
			m["uniqueness"] = uniqueness
			m["caseExact"] = a.caseExact
		}
		if len(a.canonical) > 0 {
			m["canonicalValues"] = a.canonical
		}
		if len(a.refs) > 0 {
			m["referenceTypes"] = a.refs
		}
		list[i] = m
	}
	return list
}

// some answers a list, or the one with the given id; URNs are compared without regard to case.
func (q *request) some(id string, list []map[string]any) error {
	if id == "" {
		q.json(http.StatusOK, map[string]any{"schemas": []string{urnList}, "totalResults": len(list), "startIndex": 1, "itemsPerPage": len(list), "Resources": list})
		return nil
	}
	for _, m := range list {
		if have, _ := m["id"].(string); have == id || isURN(id) && strings.EqualFold(have, id) {
			q.json(http.StatusOK, m)
			return nil
		}
	}
	return notFound(id)
}
