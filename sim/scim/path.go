package scim

import "strings"

// Schema URNs.
const (
	coreUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	coreGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseUser = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	adscimGroup    = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
	patchOp        = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// path is a target attribute's text taken apart: [urn:]name[filter][.sub].
type path struct {
	urn    string // extension, "" for the core schema
	name   string
	filter bool
	by     string // attribute of the filter, such as type
	equals string // its value, without quotes
	sub    string
}

// parsePath takes a target attribute apart. It understands what attribute lists hold: plain names, sub-attributes, one
// equality filter, and URNs in front.
func parsePath(text string) path {
	var p path
	head, rest := text, ""
	if i := strings.IndexByte(text, '['); i >= 0 {
		head = text[:i]
		if k := strings.LastIndexByte(text, ']'); k > i {
			p.filter = true
			filter := text[i+1 : k]
			rest = strings.TrimPrefix(text[k+1:], ".")
			fields := strings.Fields(filter)
			if len(fields) >= 3 {
				p.by = fields[0]
				p.equals = strings.Trim(strings.TrimSpace(filter[strings.Index(filter, fields[1])+len(fields[1]):]), `"`)
			}
		}
	}
	if strings.HasPrefix(strings.ToLower(head), "urn:") {
		if i := strings.LastIndexByte(head, ':'); i >= 0 {
			p.urn, head = head[:i], head[i+1:]
		}
		if strings.EqualFold(p.urn, coreUser) || strings.EqualFold(p.urn, coreGroup) {
			p.urn = ""
		}
	}
	if p.filter {
		p.name, p.sub = head, rest
		return p
	}
	p.name, p.sub, _ = strings.Cut(head, ".")
	return p
}
