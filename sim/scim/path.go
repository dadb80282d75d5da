package scim

import (
	"strings"
	"sync"
	"sync/atomic"
)

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

// known holds the paths that were taken apart before: a job's mappings name the same few again and again. It stops growing
// at a size that no schema reaches.
var (
	known      sync.Map
	knownCount atomic.Int32
)

const knownMost = 4096

func parsePath(text string) *path {
	if p, ok := known.Load(text); ok {
		return p.(*path)
	}
	p := splitPath(text)
	if knownCount.Add(1) <= knownMost {
		known.Store(text, p)
	}
	return p
}

// splitPath takes a target attribute apart. It understands what attribute lists hold: plain names, sub-attributes, one
// equality filter, and URNs in front.
func splitPath(text string) *path {
	p := &path{}
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
