package target

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// kind is a resource type: 'u' or 'g' in the file.
type kind byte

const (
	users kind = iota
	groups
)

func (k kind) String() string {
	if k == groups {
		return "Group"
	}
	return "User"
}

func (k kind) path() string {
	if k == groups {
		return "Groups"
	}
	return "Users"
}

// letter stands for the resource type in the file and in the derivation of ids.
func (k kind) letter() byte { return "ug"[k] }

// resource is one user or group. What changes in it is guarded by its store.
type resource struct {
	kind     kind
	id       uuid.UUID
	num      uint64 // creation number in its store
	doc      []byte // attributes as json.go writes them, without id, schemas, meta, groups and members
	created  int64  // seconds since 1970
	modified int64
	version  int

	members map[*resource]uint64 // of a group: its members with the order in which they came
	next    uint64
	groups  []*resource // that it is a member of
}

// etag is the version of a resource as a weak entity tag.
func (r *resource) etag() string { return `W/"` + strconv.Itoa(r.version) + `"` }

// memberList lists a group's members in the order in which they came.
func (r *resource) memberList() []*resource {
	list := make([]*resource, 0, len(r.members))
	for m := range r.members {
		list = append(list, m)
	}
	sort.Slice(list, func(i, k int) bool { return r.members[list[i]] < r.members[list[k]] })
	return list
}

// groupList lists the groups of a member by their age.
func (r *resource) groupList() []*resource {
	list := append([]*resource(nil), r.groups...)
	sort.Slice(list, func(i, k int) bool { return list[i].num < list[k].num })
	return list
}

func (r *resource) name() string {
	if v := member(r.doc, "displayName"); v != nil {
		return unquote(v)
	}
	return ""
}

func appendTime(b []byte, seconds int64) []byte {
	return append(time.Unix(seconds, 0).UTC().AppendFormat(append(b, '"'), "2006-01-02T15:04:05Z"), '"')
}

func (r *resource) appendSchemas(b []byte) []byte {
	b = appendString(append(b, '['), schemaOf(r.kind))
	eachMember(r.doc, func(name, _ []byte) bool {
		if isURN(string(name[1 : len(name)-1])) {
			b = append(append(b, ','), name...)
		}
		return true
	})
	return append(b, ']')
}

func (r *resource) appendMeta(b []byte, base string) []byte {
	b = append(append(append(b, `{"resourceType":"`...), r.kind.String()...), `","created":`...)
	b = append(appendTime(b, r.created), `,"lastModified":`...)
	b = appendTime(b, r.modified)
	b = appendString(append(b, `,"location":`...), r.location(base))
	return append(appendString(append(b, `,"version":`...), r.etag()), '}')
}

func (r *resource) location(base string) string {
	return base + "/" + r.kind.path() + "/" + r.id.String()
}

// appendEdge writes a member of a group, or the group of a member.
func (r *resource) appendEdge(b []byte, o *resource, base string) []byte {
	b = append(append(append(b, `{"value":"`...), o.id.String()...), `","$ref":`...)
	b = appendString(b, o.location(base))
	if name := o.name(); name != "" {
		b = appendString(append(b, `,"display":`...), name)
	}
	kind := "direct"
	if r.kind == groups {
		kind = o.kind.String()
	}
	return append(append(append(b, `,"type":"`...), kind...), `"}`...)
}

func (r *resource) appendEdges(b []byte, list []*resource, base string) []byte {
	b = append(b, '[')
	for i, o := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = r.appendEdge(b, o, base)
	}
	return append(b, ']')
}

// edgeName is the attribute that lists a resource's edges.
func (r *resource) edgeName() string {
	if r.kind == groups {
		return "members"
	}
	return "groups"
}

func (r *resource) edges() []*resource {
	if r.kind == groups {
		return r.memberList()
	}
	return r.groupList()
}

// values calls f with the values at a place of a resource, those that are not among its stored attributes too, until f
// returns false.
func (s *Store) values(r *resource, pl place, f func(value []byte) bool) {
	if pl.ext != "" {
		pl.values(r.doc, f)
		return
	}
	switch pl.attr.name {
	case "id":
		f(appendString(nil, r.id.String()))
	case "schemas":
		eachElement(r.appendSchemas(nil), f)
	case "meta":
		f(r.appendMeta(nil, ""))
	case "members", "groups":
		for _, o := range r.edges() {
			if !f(r.appendEdge(nil, o, "")) {
				return
			}
		}
	default:
		pl.values(r.doc, f)
	}
}

func (s *Store) ends(r *resource, pl place, f func(value []byte) bool) {
	s.values(r, pl, func(v []byte) bool { return endOf(v, pl.sub, f) })
}

// projection is what attributes and excludedAttributes ask for (RFC 7644 § 3.9). The zero value asks for everything.
type projection struct {
	only, without *wanted
	edges         bool // members of a group, groups of a user
}

// wanted are attributes by folded name: with a nil value all of it, else the sub-attributes, or of an extension the attributes.
type wanted struct {
	all  bool
	subs map[string]*wanted
}

func (w *wanted) get(name string) *wanted {
	if w == nil {
		return nil
	}
	return w.subs[fold(name)]
}

func (w *wanted) set(names ...string) {
	for _, n := range names {
		if w.subs == nil {
			w.subs = map[string]*wanted{}
		}
		next := w.subs[fold(n)]
		if next == nil {
			next = &wanted{}
			w.subs[fold(n)] = next
		}
		w = next
	}
	w.all = true
}

// parseNames reads a list of attributes; nil when it is empty.
func parseNames(list []string) *wanted {
	var w *wanted
	for _, name := range list {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if w == nil {
			w = &wanted{}
		}
		for _, core := range []string{urnUser, urnGroup} {
			if len(name) > len(core) && strings.EqualFold(name[:len(core)], core) && (name[len(core)] == ':' || name[len(core)] == '.') {
				name = name[len(core)+1:]
			}
		}
		if !isURN(name) {
			w.set(strings.Split(name, ".")...)
			continue
		}
		w.set(name) // the whole extension
		if i := strings.LastIndexByte(name, ':'); i > 0 {
			w.set(append([]string{name[:i]}, strings.Split(name[i+1:], ".")...)...)
		}
	}
	return w
}

// plain reports whether all attributes are wanted, apart perhaps from the edges.
func (p *projection) plain(edge string) bool {
	return p.only == nil && (p.without == nil || len(p.without.subs) == 1 && p.without.get(edge) != nil && p.without.get(edge).all)
}

// append writes one attribute of a resource as it is wanted.
func (p *projection) append(b []byte, name string, value []byte) []byte {
	if p.only != nil {
		w := p.only.get(name)
		if w == nil {
			return b
		}
		value = w.keep(value)
	}
	if w := p.without.get(name); w != nil {
		value = w.drop(value)
	}
	if value == nil {
		return b
	}
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(append(appendString(b, name), ':'), value...)
}

// keep leaves the wanted parts of a value, nil when there are none.
func (w *wanted) keep(value []byte) []byte {
	if w.all {
		return value
	}
	return parts(value, func(name string, v []byte) []byte {
		if sub := w.get(name); sub != nil {
			return sub.keep(v)
		}
		return nil
	})
}

// drop leaves the parts of a value that are not named, nil when there are none.
func (w *wanted) drop(value []byte) []byte {
	if w.all {
		return nil
	}
	return parts(value, func(name string, v []byte) []byte {
		if sub := w.get(name); sub != nil {
			return sub.drop(v)
		}
		return v
	})
}

// parts rebuilds a complex value, or a list of them, from what f makes of each member.
func parts(value []byte, f func(name string, v []byte) []byte) []byte {
	switch value[0] {
	case '[':
		b := []byte{'['}
		eachElement(value, func(e []byte) bool {
			if e = parts(e, f); e != nil {
				if len(b) > 1 {
					b = append(b, ',')
				}
				b = append(b, e...)
			}
			return true
		})
		if len(b) > 1 {
			return append(b, ']')
		}
	case '{':
		b := []byte{'{'}
		eachMember(value, func(name, v []byte) bool {
			if v = f(unquote(name), v); v != nil {
				if len(b) > 1 {
					b = append(b, ',')
				}
				b = append(append(append(b, name...), ':'), v...)
			}
			return true
		})
		if len(b) > 1 {
			return append(b, '}')
		}
	}
	return nil
}

// render writes a resource as a request wants it. What is always returned comes whatever was asked (RFC 7643 § 7: id).
func (s *Store) render(b []byte, r *resource, base string, p *projection) []byte {
	b = append(r.appendSchemas(append(b, `{"schemas":`...)), `,"id":"`...)
	b = append(append(b, r.id.String()...), '"')
	edge := r.edgeName()
	if p.plain(edge) {
		if len(r.doc) > 2 {
			b = append(append(b, ','), r.doc[1:len(r.doc)-1]...)
		}
		if p.without == nil && p.edges && (r.kind == groups || len(r.groups) > 0) {
			b = r.appendEdges(append(append(append(b, `,"`...), edge...), `":`...), r.edges(), base)
		}
		return append(r.appendMeta(append(b, `,"meta":`...), base), '}')
	}
	eachMember(r.doc, func(name, value []byte) bool {
		b = p.append(b, unquote(name), value)
		return true
	})
	if w := p.without.get(edge); (p.only == nil || p.only.get(edge) != nil) && (w == nil || !w.all) && (r.kind == groups || len(r.groups) > 0) {
		b = p.append(b, edge, r.appendEdges(nil, r.edges(), base))
	}
	b = p.append(b, "meta", r.appendMeta(nil, base))
	return append(b, '}')
}
