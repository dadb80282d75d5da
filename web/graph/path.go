package graph

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"entrasim/directory"
)

// segment is one step of a path. A key that stood in parentheses is a segment of its own; alt names the property of an
// alternate key, such as appId.
type segment struct {
	text string
	key  bool
	alt  string
}

var (
	identifier = regexp.MustCompile(`^[A-Za-z$][A-Za-z0-9_.$]*$`)
	altKey     = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9]*)=(.*)$`)
	// embedded finds an absolute URL that a client put behind the version (the npm client does so with next links on
	// plain HTTP): everything before that URL's own path is dropped.
	embedded = regexp.MustCompile(`(?i)^/(?:v1\.0|beta)/.*?https?:/+[^/]+(/(?:v1\.0|beta)(?:/.*)?)$`)
)

// casts begin the qualified names of types, functions and actions.
var casts = []string{"microsoft.graph.", "graph."}

// unqualified takes the namespace off a name; ok is false when there is none.
func unqualified(name string) (rest string, ok bool) {
	for _, prefix := range casts {
		if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			return name[len(prefix):], true
		}
	}
	return name, false
}

// route takes version and tenant off the path of the call and splits the rest.
func (c *call) route(tenant directory.Tenant) ([]segment, error) {
	path := c.r.URL.EscapedPath()
	for range 4 { // an embedded URL may hold another
		m := embedded.FindStringSubmatch(decodeColons(path))
		if m == nil {
			break
		}
		path = m[1]
	}
	version, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	c.version = strings.ToLower(version)
	c.base = c.origin + "/" + c.version
	list, err := splitPath(rest)
	if err != nil {
		return nil, err
	}
	c.path = "/" + strings.TrimSuffix(rest, "/")
	if len(list) > 0 && isTenant(list[0].text, tenant) {
		list = list[1:]
		_, rest, _ = strings.Cut(rest, "/")
		c.path = "/" + strings.TrimSuffix(rest, "/")
	}
	if len(list) == 0 {
		return nil, notImplemented("The service document")
	}
	return list, nil
}

func decodeColons(path string) string {
	return strings.NewReplacer("%3A", ":", "%3a", ":").Replace(path)
}

// isTenant reports whether a segment names the tenant, as hamilton and older clients put it behind the version.
func isTenant(text string, tenant directory.Tenant) bool {
	return strings.EqualFold(text, tenant.ID) || strings.EqualFold(text, tenant.DefaultDomain) || strings.EqualFold(text, "myorganization")
}

// splitPath splits an escaped path. Keys in parentheses become segments, empty parentheses go, one trailing slash too.
func splitPath(path string) ([]segment, error) {
	path = strings.TrimSuffix(path, "/")
	if path == "" {
		return nil, nil
	}
	var list []segment
	for _, raw := range strings.Split(path, "/") {
		text, err := url.PathUnescape(raw)
		if err != nil || text == "" {
			return nil, noSegment(raw)
		}
		name, inside, parens := strings.Cut(text, "(")
		if !parens || !strings.HasSuffix(inside, ")") || !identifier.MatchString(name) {
			list = append(list, segment{text: text})
			continue
		}
		list = append(list, segment{text: name})
		inside = strings.TrimSuffix(inside, ")")
		if inside == "" {
			continue
		}
		k := segment{key: true}
		if m := altKey.FindStringSubmatch(inside); m != nil {
			k.alt, inside = m[1], m[2]
		}
		if n := len(inside); n >= 2 && inside[0] == '\'' && inside[n-1] == '\'' {
			inside = strings.ReplaceAll(inside[1:n-1], "''", "'")
		}
		if k.text = inside; inside == "" {
			return nil, noSegment(text)
		}
		list = append(list, k)
	}
	return list, nil
}

// router finds the route of a path; routes are ordered so that the first that fits is the most specific.
type router struct {
	byLength map[int][]*route
	known    map[string]bool // first segments of every route, in lower case
}

func newRouter(table []route) *router {
	r := &router{byLength: map[int][]*route{}, known: map[string]bool{}}
	for i := range table {
		t := &table[i]
		t.steps = strings.Split(strings.TrimPrefix(t.path, "/"), "/")
		r.byLength[len(t.steps)] = append(r.byLength[len(t.steps)], t)
		r.known[strings.ToLower(t.steps[0])] = true
	}
	for _, list := range r.byLength {
		slices.SortStableFunc(list, func(a, b *route) int { return strings.Compare(a.rank(), b.rank()) })
	}
	return r
}

// rank sorts fixed steps before casts, casts before keys, step by step.
func (t *route) rank() string {
	b := make([]byte, len(t.steps))
	for i, s := range t.steps {
		switch {
		case s == "{cast}":
			b[i] = 'b'
		case strings.HasPrefix(s, "{"):
			b[i] = 'c'
		default:
			b[i] = 'a'
		}
	}
	return string(b)
}

// fits matches a route's steps and collects its parameters.
func (t *route) fits(path []segment) (map[string]string, bool) {
	params := map[string]string{}
	for i, step := range t.steps {
		s := path[i]
		name, isParam := strings.CutPrefix(step, "{")
		name = strings.TrimSuffix(name, "}")
		plain, qualified := unqualified(s.text)
		switch {
		case step == "{cast}":
			if !qualified {
				return nil, false
			}
			params[name] = strings.ToLower(plain)
		case isParam && strings.HasPrefix(s.text, "$") && !s.key: // $count and $ref are no keys
			return nil, false
		case isParam:
			params[name] = s.text
			if s.alt != "" {
				params[name] = s.alt + "=" + s.text
				if !strings.EqualFold(s.alt, "appId") && !strings.EqualFold(s.alt, "userPrincipalName") {
					return nil, false
				}
			}
		case s.key || !strings.EqualFold(plain, step):
			return nil, false
		}
	}
	return params, true
}

// find returns the route for a method and a path.
func (r *router) find(method string, path []segment) (*route, map[string]string, error) {
	var other, hidden *route
	for _, t := range r.byLength[len(path)] {
		params, ok := t.fits(path)
		if !ok {
			continue
		}
		switch {
		case hidden != nil: // it is more specific than what follows
		case t.method == method:
			return t, params, nil
		case t.method == anyMethod:
			hidden = t
		case other == nil && (!t.property || method != "GET"):
			other = t
		}
	}
	switch {
	case hidden != nil:
		return hidden, nil, nil
	case other != nil:
		for i, step := range other.steps { // a name of Graph that was taken for a key
			if plain, _ := unqualified(path[i].text); strings.HasPrefix(step, "{") && !path[i].key && elsewhere[strings.ToLower(plain)] {
				return nil, nil, notImplemented(strings.Join(texts(path[:i+1]), "/"))
			}
		}
		return nil, nil, &Error{Status: 405, Code: codeDirectoryRequest, Message: "Specified HTTP method is not allowed for the request target."}
	}
	return nil, nil, r.unknown(path)
}

// unknown is the answer to a path that no route fits: 501 when Graph has it, else the segment where it stops making sense.
func (r *router) unknown(path []segment) error {
	var names []string
	for _, s := range path {
		names = append(names, strings.ToLower(s.text))
	}
	if names[0] == "me" {
		return errDelegated
	}
	if !r.known[names[0]] {
		if elsewhere[names[0]] {
			return notImplemented("/" + path[0].text)
		}
		return noSegment(path[0].text)
	}
	for i, name := range names[1:] {
		name, _ = unqualified(name)
		if elsewhere[name] && !path[i+1].key {
			return notImplemented(strings.Join(texts(path[:i+2]), "/"))
		}
	}
	// The first segment that no route of that beginning goes on with.
	for n := 1; n <= len(path); n++ {
		if !r.prefixed(path[:n]) {
			return noSegment(path[n-1].text)
		}
	}
	return noSegment(path[len(path)-1].text)
}

func (r *router) prefixed(path []segment) bool {
	for n, list := range r.byLength {
		if n < len(path) {
			continue
		}
		for _, t := range list {
			short := route{steps: t.steps[:len(path)]}
			if _, ok := short.fits(path); ok {
				return true
			}
		}
	}
	return false
}

func texts(path []segment) []string {
	var list []string
	for _, s := range path {
		list = append(list, s.text)
	}
	return list
}

// noProperty is the answer to a last segment that is no property: 501 when Graph has it, else it means nothing.
func noProperty(name string) error {
	if plain, _ := unqualified(name); elsewhere[strings.ToLower(plain)] {
		return notImplemented("/" + name)
	}
	return noSegment(name)
}
