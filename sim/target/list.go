package target

import (
	"net/http"
	"sort"
	"strconv"
	"strings"
)

// Page sizes.
const (
	defaultCount = 100
	maxCount     = 1000
)

// list answers a query (RFC 7644 § 3.4.2).
func (q *request) list(k kind) error {
	start, count, err := q.paging()
	if err != nil {
		return err
	}
	st := q.store
	st.mu.Lock()
	defer st.mu.Unlock()
	page, total, err := q.find(k, q.query.Get("filter"), start, count)
	if err != nil {
		return err
	}
	b := []byte(`{"schemas":["` + urnList + `"],"totalResults":` + strconv.Itoa(total) + `,"startIndex":` + strconv.Itoa(start) +
		`,"itemsPerPage":` + strconv.Itoa(len(page)) + `,"Resources":[`)
	for i, r := range page {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, q.render(r)...)
	}
	q.raw(http.StatusOK, append(b, "]}"...))
	return nil
}

func (q *request) paging() (start, count int, err error) {
	start, count = 1, defaultCount
	for _, p := range []struct {
		name string
		into *int
		min  int
	}{{"startIndex", &start, 1}, {"count", &count, 0}} {
		text := q.query.Get(p.name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, 0, bad("invalidValue", "%s is %q; expected a whole number", p.name, text)
		}
		*p.into = max(p.min, n) // values below count as the least one
	}
	return start, min(count, maxCount), nil
}

// find selects, sorts and cuts; st.mu is held.
func (q *request) find(k kind, filter string, start, count int) ([]*resource, int, error) {
	st := q.store
	var hits []*resource
	sortBy := q.query.Get("sortBy")
	switch name, value, ok := equality(filter); {
	case filter == "":
		if sortBy == "" {
			return q.page(k, start, count)
		}
		for _, r := range st.list[k] {
			if r != nil {
				hits = append(hits, r)
			}
		}
	case ok && name == "id":
		if r := st.byID[value]; r != nil && r.kind == k {
			hits = append(hits, r)
		}
	case ok && (name == "username" || name == "externalid" || name == "displayname" || name == "emails.value" || name == "emails"):
		if name == "emails" {
			name = "emails.value"
		}
		for r := range st.names[k][name+"\x00"+strings.ToLower(value)] {
			if name != "externalid" || r.doc["externalId"] == value { // externalId is case-exact
				hits = append(hits, r)
			}
		}
		sort.Slice(hits, func(i, j int) bool { return hits[i].num < hits[j].num })
	default:
		e, err := parseFilter(filter)
		if err != nil {
			return nil, 0, err
		}
		for _, r := range st.list[k] {
			if r != nil && st.resolve(r, e) {
				hits = append(hits, r)
			}
		}
	}
	if sortBy != "" {
		if err := q.sort(hits, sortBy); err != nil {
			return nil, 0, err
		}
	}
	total := len(hits)
	from := min(start-1, total)
	return hits[from:min(total, from+count)], total, nil
}

// page cuts a page from the whole list. Gaps that deletions left are counted over, as they are few.
func (q *request) page(k kind, start, count int) ([]*resource, int, error) {
	l, total := q.store.list[k], q.store.live[k]
	var page []*resource
	i := 0
	if len(l) == total {
		i = min(start-1, len(l))
	} else {
		for skipped := 0; i < len(l) && skipped < start-1; i++ {
			if l[i] != nil {
				skipped++
			}
		}
	}
	for ; i < len(l) && len(page) < count; i++ {
		if l[i] != nil {
			page = append(page, l[i])
		}
	}
	return page, total, nil
}

func (q *request) sort(hits []*resource, by string) error {
	p, err := parsePath(by)
	if err != nil {
		return err
	}
	key := func(r *resource) string {
		if v := q.store.attribute(r, p.urn, p.name, p.sub); len(v) > 0 {
			return strings.ToLower(jsonText(v[0]))
		}
		return "\uffff"
	}
	descending := strings.EqualFold(q.query.Get("sortOrder"), "descending")
	sort.SliceStable(hits, func(i, j int) bool {
		if descending {
			return key(hits[i]) > key(hits[j])
		}
		return key(hits[i]) < key(hits[j])
	})
	return nil
}

// discovery answers /Schemas, /ResourceTypes and /ServiceProviderConfig (RFC 7644 § 4).
func (q *request) discovery(what, id string) error {
	if q.query.Get("filter") != "" {
		return &scimError{http.StatusForbidden, "", "discovery takes no filter"}
	}
	switch what {
	case "ServiceProviderConfig":
		yes, no := map[string]any{"supported": true}, map[string]any{"supported": false}
		q.json(http.StatusOK, map[string]any{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
			"patch":   yes, "bulk": map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
			"filter": map[string]any{"supported": true, "maxResults": maxCount}, "changePassword": no, "sort": yes, "etag": yes,
			"authenticationSchemes": []any{map[string]any{"type": "oauthbearertoken", "name": "OAuth Bearer Token", "description": "A bearer token in the Authorization header"}},
			"meta":                  map[string]any{"resourceType": "ServiceProviderConfig", "location": q.base + "/ServiceProviderConfig"},
		})
		return nil
	case "Schemas":
		return q.some(id, []map[string]any{
			schemaJSON(urnUser, "User", "User account", userAttrs, q.base),
			schemaJSON(urnGroup, "Group", "Group", groupAttrs, q.base),
			schemaJSON(urnEnterprise, "EnterpriseUser", "Enterprise user", enterpriseAttrs, q.base),
		})
	}
	rt := func(name, path, urn string, ext ...any) map[string]any {
		return map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}, "id": name, "name": name, "endpoint": "/" + path,
			"description": name, "schema": urn, "schemaExtensions": append([]any{}, ext...),
			"meta": map[string]any{"resourceType": "ResourceType", "location": q.base + "/ResourceTypes/" + name}}
	}
	return q.some(id, []map[string]any{
		rt("User", "Users", urnUser, map[string]any{"schema": urnEnterprise, "required": false}), rt("Group", "Groups", urnGroup),
	})
}

// some answers a list, or the one with the given id.
func (q *request) some(id string, list []map[string]any) error {
	if id == "" {
		q.json(http.StatusOK, map[string]any{"schemas": []string{urnList}, "totalResults": len(list), "startIndex": 1, "itemsPerPage": len(list), "Resources": list})
		return nil
	}
	for _, m := range list {
		if m["id"] == id {
			q.json(http.StatusOK, m)
			return nil
		}
	}
	return notFound(id)
}
