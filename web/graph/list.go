package graph

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"entrasim/directory"
)

// source is where a list comes from.
type source[T any] struct {
	kind   *kind
	list   string // names the list in page tokens
	page   func(q directory.Query, keep func(*T) bool) (directory.Page[T], error)
	value  func(*T) values
	one    func(id string) (T, error)  // by id, a user also by userPrincipalName; nil: none
	total  func() int                  // without a filter; nil: counted
	tally  func(f *filter) (int, bool) // with a filter that there is a counter for; nil: none
	names  []string                    // properties in the index of names
	typed  bool                        // every object carries its type
	expand []string                    // the navigation properties that $expand may name
	// add appends what $expand asks for.
	add func(c *call, item *T, o object) (object, error)
}

const (
	pageStandard = 100
	pageMost     = 999
)

// terms is what a list was asked for.
type terms struct {
	selected []string
	filter   *filter
	search   *search
	count    bool
	query    directory.Query
}

func (t *terms) keeps(get values, exact bool) bool {
	return (t.filter == nil || t.filter.matches(get, exact)) && (t.search == nil || t.search.matches(get))
}

// read takes the options of a list, and enforces what advanced queries need (concepts/aad-advanced-queries.md).
func (k *kind) read(c *call) (t terms, err error) {
	if t.selected, err = k.selection(c); err != nil {
		return t, err
	}
	counted, err := c.query.count()
	if err != nil {
		return t, err
	}
	advanced := c.eventual() && counted
	given, filtered := c.query["filter"]
	text, searched := c.query["search"]
	found, err := k.conditions(c, given, filtered, text, searched)
	if err != nil {
		return t, err
	}
	t.count, t.filter, t.search = counted && c.eventual(), found.filter, found.search
	if text, ok := c.query["orderby"]; ok {
		if err := k.order(text, &t.query); err != nil {
			return t, err
		}
		if (t.filter != nil || t.search != nil) && !advanced {
			return t, unsupportedQuery("Sorting not supported for current query. Send $count=true and the header 'ConsistencyLevel: eventual'.")
		}
	}
	if t.query.Limit, err = c.query.top(pageStandard, pageMost); err != nil {
		return t, err
	}
	return t, nil
}

// conditions reads $filter and $search.
func (k *kind) conditions(c *call, given string, filtered bool, text string, searched bool) (t terms, err error) {
	counted, err := c.query.count()
	if err != nil {
		return t, err
	}
	if filtered {
		if t.filter, err = parseFilter(given); err != nil {
			return t, err
		}
		if err := t.filter.check(k); err != nil {
			return t, err
		}
		if !c.eventual() || !counted {
			if err := k.needsMore(t.filter); err != nil {
				return t, err
			}
		}
	}
	if searched {
		if !c.eventual() {
			return t, unsupportedQuery("Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'")
		}
		t.search, err = parseSearch(text, k)
	}
	return t, err
}

// needsMore refuses what only advanced queries may ask.
func (k *kind) needsMore(f *filter) error {
	return f.walk(func(n *filter) error {
		name := ""
		if len(n.args) > 0 {
			name = n.args[0].path
		}
		switch n.op {
		case "not", "ne", "endswith":
		case "eq":
			if n.args[1].op != "literal" || n.args[1].lit != nil {
				return nil
			}
		case "ge", "le":
			if p, ok := k.find(name); ok && p.typ == directory.TypeTime {
				return nil
			}
		default:
			return nil
		}
		return unsupportedQuery("Unsupported or invalid query filter clause specified for property '%s' of resource '%s'. The operator '%s' needs $count=true and the header 'ConsistencyLevel: eventual'.", name, k.title, n.op)
	})
}

func (k *kind) order(text string, q *directory.Query) error {
	parts := splitList(text, ',')
	if len(parts) != 1 {
		return badRequest("$orderby by one property is supported, not by '%s'.", text)
	}
	name, direction, _ := strings.Cut(parts[0], " ")
	switch strings.ToLower(strings.TrimSpace(direction)) {
	case "", "asc":
	case "desc":
		q.Descending = true
	default:
		return badRequest("Syntax error in $orderby: '%s' is neither asc nor desc.", direction)
	}
	if p, ok := k.find(name); ok {
		switch p.name {
		case "displayName":
			q.ByName = true
			return nil
		case "userPrincipalName":
			q.ByUPN = true
			return nil
		case "createdDateTime":
			return nil // the order of creation is that of the list
		}
		return unsupportedQuery("Sorting by property '%s' is not supported for resource '%s'.", p.name, k.title)
	}
	return k.unknown(name)
}

// respond answers with a page of a list.
func (s source[T]) respond(g *Graph, c *call) error {
	token, err := g.resume(c, s.list)
	if err != nil {
		return err
	}
	t, err := s.kind.read(c)
	if err != nil {
		return err
	}
	if _, err := expansions(c, s.kind, s.expand...); err != nil {
		return err
	}
	t.query.Cursor = token.Cursor
	page, err := s.fetch(t)
	if err != nil {
		return err
	}
	out := object{{"@odata.context", c.context(s.kind.context(t.selected, false))}}
	if t.count && token.Cursor == "" {
		n, err := s.count(t)
		if err != nil {
			return err
		}
		out = append(out, member{"@odata.count", n})
	}
	if page.Next != "" {
		token.Cursor = page.Next
		out = append(out, member{"@odata.nextLink", c.next(token)})
	}
	list := make([]object, len(page.Items))
	for i := range page.Items {
		if list[i], err = s.show(c, &page.Items[i], t.selected); err != nil {
			return err
		}
	}
	return c.json(http.StatusOK, append(out, member{"value", list}))
}

func (s source[T]) show(c *call, item *T, selected []string) (object, error) {
	o := s.kind.show(s.value(item), selected)
	if s.typed {
		o = o.with(s.kind.odataType())
	}
	if s.add == nil {
		return o, nil
	}
	return s.add(c, item, o)
}

// fetch reads a page, by an index when the filter names what there is one for.
func (s source[T]) fetch(t terms) (directory.Page[T], error) {
	keep := func(v *T) bool { return t.keeps(s.value(v), s.kind.exact) }
	if ids, ok := s.named(t.filter); ok {
		return s.few(ids, keep)
	}
	q := t.query
	if q.ByName || !q.ByUPN && !q.Descending {
		q.Prefix, q.Exact = s.indexed(t.filter, q.ByName)
	}
	return s.page(q, keep)
}

// named finds a condition that leaves a few objects by id or user principal name.
func (s source[T]) named(f *filter) (ids []string, ok bool) {
	if s.one == nil {
		return nil, false
	}
	for _, part := range f.conjuncts() {
		if part.op != "eq" && part.op != "in" {
			continue
		}
		if p := part.args[0]; p.op != "path" || p.path != "id" && p.path != "userPrincipalName" {
			continue
		}
		for _, a := range part.args[1:] {
			if text, _ := a.lit.(string); text != "" {
				ids = append(ids, text)
			}
		}
		return ids, true
	}
	return nil, false
}

func (s source[T]) few(ids []string, keep func(*T) bool) (directory.Page[T], error) {
	var page directory.Page[T]
	var seen []string
	for _, id := range ids {
		if slices.ContainsFunc(seen, func(s string) bool { return strings.EqualFold(s, id) }) {
			continue
		}
		seen = append(seen, id)
		v, err := s.one(id)
		if directory.CodeOf(err) == directory.NotFound {
			continue
		}
		if err != nil {
			return page, err
		}
		if keep(&v) {
			page.Items = append(page.Items, v)
		}
	}
	return page, nil
}

// indexed finds a condition that the index of names answers. The index holds several names of an object: what it
// gives is filtered again. byName is for lists in the order of displayName.
func (s source[T]) indexed(f *filter, byName bool) (prefix string, exact bool) {
	for _, part := range f.conjuncts() {
		if part.op != "eq" && part.op != "startswith" || part.args[0].op != "path" || !slices.Contains(s.names, part.args[0].path) {
			continue
		}
		if byName && part.args[0].path != "displayName" { // the order is that of the display name
			continue
		}
		if text, _ := part.args[1].lit.(string); text != "" && !strings.Contains(text, "\x00") {
			return text, part.op == "eq"
		}
	}
	return "", false
}

// count counts what a list holds in all.
func (s source[T]) count(t terms) (int, error) {
	if t.filter == nil && t.search == nil && s.total != nil {
		return s.total(), nil
	}
	if s.tally != nil && t.search == nil {
		if n, ok := s.tally(t.filter); ok {
			return n, nil
		}
	}
	n := 0
	t.query.Cursor, t.query.Limit = "", 1
	_, err := s.fetchCounting(t, &n)
	return n, err
}

// fetchCounting walks the whole list without keeping anything.
func (s source[T]) fetchCounting(t terms, n *int) (directory.Page[T], error) {
	count := func(v *T) bool {
		if t.keeps(s.value(v), s.kind.exact) {
			*n++
		}
		return false
	}
	if ids, ok := s.named(t.filter); ok {
		return s.few(ids, count)
	}
	if t.query.Prefix, t.query.Exact = s.indexed(t.filter, false); t.query.Prefix != "" {
		return s.countNamed(t, n)
	}
	return s.page(directory.Query{Limit: 1}, count)
}

// countNamed counts through the index of names, in which an object stands more than once.
func (s source[T]) countNamed(t terms, n *int) (page directory.Page[T], err error) {
	q := directory.Query{Prefix: t.query.Prefix, Exact: t.query.Exact, Limit: 5000}
	for {
		if page, err = s.page(q, func(v *T) bool { return t.keeps(s.value(v), s.kind.exact) }); err != nil {
			return page, err
		}
		*n += len(page.Items)
		if q.Cursor = page.Next; q.Cursor == "" {
			return page, nil
		}
	}
}

// respondFew answers with a page of a list that stands whole in memory.
func (g *Graph) respondFew(c *call, k *kind, context string, all []object) error {
	token, err := g.resume(c, c.path)
	if err != nil {
		return err
	}
	t, err := k.read(c)
	if err != nil {
		return err
	}
	out, shown := object{{"@odata.context", c.context(context)}}, []object{}
	n, more := uint64(0), false
	for _, o := range all {
		if !t.keeps(o.get, false) {
			continue
		}
		switch n++; {
		case n <= token.Last:
		case len(shown) == t.query.Limit:
			more = true
		default:
			shown = append(shown, k.show(o.get, t.selected))
		}
	}
	if t.count {
		out = append(out, member{"@odata.count", n})
	}
	if more {
		token.Last += uint64(len(shown))
		out = append(out, member{"@odata.nextLink", c.next(token)})
	}
	return c.json(http.StatusOK, append(out, member{"value", shown}))
}

// respondCount answers the path /$count.
func (s source[T]) respondCount(c *call) error {
	if err := needEventual(c); err != nil {
		return err
	}
	c.query["count"] = "true"
	t, err := s.kind.read(c)
	if err != nil {
		return err
	}
	n, err := s.count(t)
	if err != nil {
		return err
	}
	return c.text(http.StatusOK, strconv.Itoa(n))
}

// search is a parsed $search: terms joined by OR of terms joined by AND.
type search struct{ groups [][]searchTerm }

type searchTerm struct{ property, text string }

// searchable are the properties that $search looks into; description and the names by words, others from their beginning.
var searchable = []string{"displayName", "mail", "userPrincipalName", "description", "mailNickname", "givenName", "surname"}

// parseSearch reads "property:text" terms with AND and OR between them.
func parseSearch(text string, k *kind) (*search, error) {
	bad := func() error {
		return badRequest("Syntax error in $search: '%s'. Write \"property:text\" in quotes, with AND or OR between several.", text)
	}
	s := &search{groups: [][]searchTerm{nil}}
	rest := strings.TrimSpace(text)
	for {
		if !strings.HasPrefix(rest, `"`) {
			return nil, bad()
		}
		end := 1
		for end < len(rest) && rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(rest) {
			return nil, bad()
		}
		clause := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(rest[1:end])
		name, value, ok := strings.Cut(clause, ":")
		p, known := k.find(strings.TrimSpace(name))
		if !ok || strings.TrimSpace(value) == "" {
			return nil, bad()
		}
		if !known || !slices.Contains(searchable, p.name) {
			return nil, unsupportedQuery("The property '%s' of resource '%s' can't be searched.", name, k.title)
		}
		last := len(s.groups) - 1
		s.groups[last] = append(s.groups[last], searchTerm{p.name, strings.ToLower(strings.TrimSpace(value))})
		if rest = strings.TrimSpace(rest[end+1:]); rest == "" {
			return s, nil
		}
		word, after, _ := strings.Cut(rest, " ")
		switch strings.ToUpper(word) {
		case "AND":
		case "OR":
			s.groups = append(s.groups, nil)
		default:
			return nil, bad()
		}
		rest = strings.TrimSpace(after)
	}
}

func (s *search) matches(get values) bool {
	return slices.ContainsFunc(s.groups, func(all []searchTerm) bool {
		for _, t := range all {
			text, _ := get(t.property).(string)
			if !tokensBegin(strings.ToLower(text), t.text) {
				return false
			}
		}
		return true
	})
}

// tokensBegin reports whether each word of want begins a word of text.
func tokensBegin(text, want string) bool {
	words := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a' || r > 'z' && r < 0x80 })
	}
	have := words(text)
	wanted := words(want)
	for _, w := range wanted {
		if !slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, w) }) {
			return false
		}
	}
	return len(wanted) > 0
}
