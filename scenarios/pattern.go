package scenarios

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// placeholder is {handle}, {handle.property}, {*} or {?name}. Other braces are text.
var placeholder = regexp.MustCompile(`\{(\*|\?[A-Za-z][A-Za-z0-9_]*|[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_/]+)?)\}`)

// matcher compares what was expected with what was seen, both with handles in place of ids.
type matcher struct {
	resolve func(name string) (string, bool) // {ann} and {ann.department} as what was seen says it
	bound   map[string]string                // of {?x}
}

// mismatch is a place where a value differs.
type mismatch struct {
	path       string
	want, seen string
}

func (m mismatch) String() string {
	if m.path == "" {
		return fmt.Sprintf("expected %s, seen %s", m.want, m.seen)
	}
	return fmt.Sprintf("%s: expected %s, seen %s", m.path, m.want, m.seen)
}

// fill puts what handles stand for in a text; {*} and {?x} that is not bound stay.
func (m *matcher) fill(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := p[1 : len(p)-1]
		if name == "*" {
			return p
		}
		if bind, ok := strings.CutPrefix(name, "?"); ok {
			if v, ok := m.bound[bind]; ok {
				return v
			}
			return p
		}
		if v, ok := m.resolve(name); ok {
			return v
		}
		return p
	})
}

// text compares a text with placeholders.
func (m *matcher) text(pattern, seen string) bool {
	if pattern == seen {
		return true
	}
	filled := m.fill(pattern)
	if filled == seen {
		return true
	}
	var expr strings.Builder
	var binds []string
	open := false
	rest := filled
	for {
		at := placeholder.FindStringSubmatchIndex(rest)
		if at == nil {
			break
		}
		name := rest[at[2]:at[3]]
		expr.WriteString(regexp.QuoteMeta(rest[:at[0]]))
		switch {
		case name == "*":
			expr.WriteString(`(?s:.*)`)
			open = true
		case name[0] == '?':
			expr.WriteString(`((?s:.+?))`)
			binds = append(binds, name[1:])
			open = true
		default:
			expr.WriteString(regexp.QuoteMeta(rest[at[0]:at[1]]))
		}
		rest = rest[at[1]:]
	}
	if !open {
		return false
	}
	expr.WriteString(regexp.QuoteMeta(rest))
	groups := regexp.MustCompile(`\A(?:` + expr.String() + `)\z`).FindStringSubmatch(seen)
	if groups == nil {
		return false
	}
	next := map[string]string{}
	for i, name := range binds {
		if old, ok := next[name]; ok && old != groups[i+1] {
			return false
		}
		next[name] = groups[i+1]
	}
	for k, v := range next {
		m.bound[k] = v
	}
	return true
}

// try runs a comparison and takes its bindings back when it fails.
func (m *matcher) try(compare func() bool) bool {
	before := make(map[string]string, len(m.bound))
	for k, v := range m.bound {
		before[k] = v
	}
	if compare() {
		return true
	}
	m.bound = before
	return false
}

// subset lists where seen lacks something of pattern, at most so many places: members of objects must be there, others may
// be; lists are compared whole. whole allows no further members either.
func (m *matcher) subset(pattern, seen any, whole bool, path string, most int) []mismatch {
	differs := func() []mismatch { return []mismatch{{path, show(pattern), show(seen)}} }
	switch want := pattern.(type) {
	case map[string]any:
		have, ok := seen.(map[string]any)
		if !ok {
			return differs()
		}
		var list []mismatch
		for _, k := range sorted(want) {
			v, there := have[k]
			at := join(path, k)
			switch {
			case len(list) >= most:
				return list
			case want[k] == "absent" && !there:
			case !there:
				list = append(list, mismatch{at, show(want[k]), "nothing"})
			default:
				list = append(list, m.subset(want[k], v, whole, at, most-len(list))...)
			}
		}
		for _, k := range sorted(have) {
			if _, there := want[k]; whole && !there && len(list) < most {
				list = append(list, mismatch{join(path, k), "nothing", show(have[k])})
			}
		}
		return list
	case []any:
		have, ok := seen.([]any)
		if !ok || len(have) != len(want) {
			return differs()
		}
		var list []mismatch
		for i := range want {
			if len(list) < most {
				list = append(list, m.subset(want[i], have[i], whole, fmt.Sprintf("%s[%d]", path, i), most-len(list))...)
			}
		}
		return list
	case string:
		have, ok := seen.(string)
		if want == "{*}" || ok && m.text(want, have) {
			return nil
		}
		return []mismatch{{path, show(m.fill(want)), show(seen)}}
	}
	if !reflect.DeepEqual(pattern, seen) {
		return differs()
	}
	return nil
}

func join(path, name string) string {
	if strings.ContainsAny(name, ".:[] ") {
		name = strconv.Quote(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// show writes a value for a message, as JSON.
func show(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if r := []rune(text); len(r) > 400 {
		text = string(r[:400]) + "…"
	}
	return text
}

// param is one parameter of a query.
type param struct{ name, value string }

// line is a request line taken apart.
type line struct {
	method   string // "" or * is any
	path     string // "" is any
	query    []param
	anyQuery bool
}

// parseLine reads METHOD, METHOD /path and METHOD /path?name=value&name=value; ?* stands for any query.
func parseLine(text string) (line, error) {
	method, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	l := line{method: method}
	if method != "*" && !slices.Contains(methods, method) {
		return l, fmt.Errorf("a request begins with a method, not %q: %s or * for any", method, strings.Join(methods, ", "))
	}
	if rest = strings.TrimSpace(rest); rest == "" {
		l.anyQuery = true
		return l, nil
	}
	if !strings.HasPrefix(rest, "/") {
		return l, fmt.Errorf("a path begins with a slash, not %q: it is what stands behind the base URL", rest)
	}
	path, query, has := strings.Cut(rest, "?")
	l.path = path
	if has && query == "*" {
		l.anyQuery = true
		return l, nil
	}
	if has {
		l.query = splitQuery(query)
	}
	return l, nil
}

var divider = regexp.MustCompile(`&((?:attributes|excludedAttributes|filter|startIndex|count|sortBy|sortOrder)=)`)

// splitQuery takes a query of a file apart, in which values stand as they are meant. An & divides only where one of SCIM's
// parameters follows.
func splitQuery(query string) []param {
	var list []param
	for _, part := range strings.Split(divider.ReplaceAllString(query, "\x00$1"), "\x00") {
		name, value, _ := strings.Cut(part, "=")
		list = append(list, param{name, value})
	}
	return list
}

// request compares a pattern with a request that was seen and says what differs first; "" is a match.
func (m *matcher) request(p Request, s *Sent) string {
	if list := m.differences(p, s, 1); len(list) > 0 {
		return list[0]
	}
	return ""
}

// differences says what differs, in so many places at most; none is a match.
func (m *matcher) differences(p Request, s *Sent, most int) (list []string) {
	l, err := parseLine(p.Line)
	if err != nil {
		return []string{err.Error()}
	}
	m.try(func() bool { list = m.differs(p, l, s, most); return len(list) == 0 })
	return list
}

// lineDiffers compares method, path and query.
func (m *matcher) lineDiffers(l line, s *Sent) string {
	if l.method != "*" && l.method != s.Method {
		return "method: expected " + l.method + ", seen " + s.Method
	}
	if l.path != "" && !m.text(l.path, s.Path) {
		return "path: expected " + m.fill(l.path) + ", seen " + s.Path
	}
	if l.anyQuery {
		return ""
	}
	if len(l.query) != len(s.query) {
		return fmt.Sprintf("query: expected %s, seen %s", queryText(l.query), queryText(s.query))
	}
	for i, q := range l.query {
		if q.name != s.query[i].name || !m.text(q.value, s.query[i].value) {
			return fmt.Sprintf("query: expected %s, seen %s", m.fill(queryText(l.query)), queryText(s.query))
		}
	}
	return ""
}

// differs compares line, URL, body, headers and answer; the rest of a request on another line is not looked at.
func (m *matcher) differs(p Request, l line, s *Sent, most int) (list []string) {
	if why := m.lineDiffers(l, s); why != "" {
		return []string{why}
	}
	add := func(why string) {
		if why != "" && len(list) < most {
			list = append(list, why)
		}
	}
	if p.URL != "" && !m.text(p.URL, s.URL) {
		add("url: expected " + m.fill(p.URL) + ", seen " + s.URL)
	}
	for _, b := range []struct {
		v     Value
		whole bool
	}{{p.Body, false}, {p.Exactly, true}} {
		switch text, literal := b.v.Data.(string); {
		case !b.v.Set || len(list) >= most:
		case literal && b.whole:
			if text = strings.TrimRight(text, "\n"); !m.text(text, s.BodyText) {
				add("body: expected " + m.fill(text) + "\n      seen " + s.BodyText)
			}
		default:
			for _, d := range m.subset(b.v.Data, s.Body, b.whole, "body", most-len(list)) {
				add(d.String())
			}
		}
	}
	for _, name := range sorted(p.Headers) {
		value, there := header(s.Exchange.RequestHeaders, name)
		if want := p.Headers[name]; want == "absent" && there || want != "absent" && (!there || !m.text(want, value)) {
			if !there {
				value = "nothing"
			}
			add(fmt.Sprintf("header %s: expected %s, seen %s", name, want, value))
		}
	}
	add(p.statusDiffers(s))
	return list
}

// statusDiffers compares the answer; without a status in the pattern it must be no error.
func (r Request) statusDiffers(s *Sent) string {
	seen := strconv.Itoa(s.Exchange.Status)
	if s.Exchange.Status == 0 {
		seen = "none"
	}
	switch {
	case r.Status == "any" || r.Status == seen:
		return ""
	case r.Status != "":
		return fmt.Sprintf("status: expected %s, seen %s", r.Status, seen)
	case s.Exchange.Status == 0:
		return "answer: expected success, seen none (" + s.Exchange.Error + ")"
	case s.Exchange.Status >= 400:
		return "answer: expected success, seen " + seen
	}
	return ""
}

func queryText(list []param) string {
	if len(list) == 0 {
		return "none"
	}
	parts := make([]string, len(list))
	for i, q := range list {
		parts[i] = q.name + "=" + q.value
	}
	return strings.Join(parts, "&")
}
