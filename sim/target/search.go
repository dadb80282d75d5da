package target

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Page sizes.
const (
	defaultCount = 100
	maxCount     = 1000
)

// search is a query of resources, as a URL or the body of a .search has it (RFC 7644 § 3.4.2, 3.4.3).
type search struct {
	kinds        []kind
	filter       string
	sortBy       string
	descending   bool
	start, count int
	attributes   []string
	excluded     []string
}

// fromQuery reads the parameters of a URL.
func (q *request) fromQuery(kinds ...kind) (search, error) {
	v := q.query
	s := search{kinds: kinds, filter: v.Get("filter"), sortBy: v.Get("sortBy"), start: 1, count: defaultCount,
		attributes: strings.Split(v.Get("attributes"), ","), excluded: strings.Split(v.Get("excludedAttributes"), ",")}
	for _, p := range []struct {
		name string
		into *int
	}{{"startIndex", &s.start}, {"count", &s.count}} {
		text := v.Get(p.name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return s, bad("invalidValue", "%s is %q; expected a whole number", p.name, text)
		}
		*p.into = n
	}
	return s, s.order(v.Get("sortOrder"))
}

// fromBody reads the body of a .search.
func (q *request) fromBody(kinds ...kind) (search, error) {
	s := search{kinds: kinds, start: 1, count: defaultCount}
	body, err := q.body()
	if err != nil {
		return s, err
	}
	list, _ := find(body, "schemas").([]any)
	if !slices.ContainsFunc(list, func(v any) bool { t, _ := v.(string); return strings.EqualFold(t, urnSearch) }) {
		return s, bad("invalidSyntax", "schemas lacks %s", urnSearch)
	}
	order := ""
	for _, name := range sortedKeys(body) {
		ok := true
		v := body[name]
		switch strings.ToLower(name) {
		case "filter":
			s.filter, ok = v.(string)
		case "sortby":
			s.sortBy, ok = v.(string)
		case "sortorder":
			order, ok = v.(string)
		case "startindex":
			s.start, ok = wholeNumber(v)
		case "count":
			s.count, ok = wholeNumber(v)
		case "attributes":
			s.attributes, ok = texts(v)
		case "excludedattributes":
			s.excluded, ok = texts(v)
		}
		if !ok {
			return s, bad("invalidValue", "%s can't be %s", name, jsonText(v))
		}
	}
	return s, s.order(order)
}

func wholeNumber(v any) (int, bool) {
	n, _ := v.(json.Number)
	i, err := strconv.Atoi(n.String())
	return i, err == nil
}

func texts(v any) (list []string, ok bool) {
	l, ok := v.([]any)
	for _, e := range l {
		t, isText := e.(string)
		list, ok = append(list, t), ok && isText
	}
	return list, ok
}

// order checks the order and brings the page into its bounds: values below count as the least one.
func (s *search) order(text string) error {
	s.start, s.count = max(1, s.start), min(max(0, s.count), maxCount)
	switch strings.ToLower(text) {
	case "", "ascending":
	case "descending":
		s.descending = true
	default:
		return bad("invalidValue", "sortOrder is %q; expected ascending or descending", text)
	}
	return nil
}

// find answers a search.
func (q *request) find(s search) error {
	p := q.projection(s.attributes, s.excluded)
	queries, err := q.store.queries(s)
	if err != nil {
		return err
	}
	q.store.prepare(queries)
	st := q.store
	st.mu.RLock()
	page, total, err := st.page(s, queries)
	if err != nil {
		st.mu.RUnlock()
		return err
	}
	b := append(make([]byte, 0, 200+len(page)*800), `{"schemas":["`+urnList+`"],"totalResults":`+strconv.Itoa(total)+`,"startIndex":`+strconv.Itoa(s.start)+
		`,"itemsPerPage":`+strconv.Itoa(len(page))+`,"Resources":[`...)
	for i, r := range page {
		if i > 0 {
			b = append(b, ',')
		}
		b = st.render(b, r, q.base, p)
	}
	st.mu.RUnlock() // a client that reads slowly holds nobody up
	q.raw(http.StatusOK, append(b, "]}"...))
	return nil
}

// typed is a filter made ready for one resource type; nil matches stands for everything.
type typed struct {
	kind kind
	query
}

// queries makes the filter ready for each resource type. Of several types one may lack an attribute that another has: none
// of its resources matches then.
func (s *Store) queries(sr search) ([]typed, error) {
	if strings.TrimSpace(sr.filter) == "" {
		var list []typed
		for _, k := range sr.kinds {
			list = append(list, typed{kind: k})
		}
		return list, nil
	}
	n, err := parseFilter(sr.filter)
	if err != nil {
		return nil, err
	}
	var list []typed
	var failed error
	for _, k := range sr.kinds {
		q, err := s.compile(k, n)
		if err != nil {
			failed = err
			continue
		}
		list = append(list, typed{k, q})
	}
	if len(list) == 0 {
		return nil, failed
	}
	return list, nil
}

// prepare makes indexes that the queries would be slow without. One may turn out to be of no use; the next comparison is
// tried then.
func (s *Store) prepare(queries []typed) {
	for _, q := range queries {
		for range q.lookups {
			s.mu.RLock()
			_, missing, ok := s.candidates(q.kind, q.lookups)
			worth := !ok && missing != nil && s.live[q.kind] >= worthIndexing && len(s.indexes[q.kind]) < maxIndexes
			s.mu.RUnlock()
			if !worth {
				break
			}
			s.mu.Lock()
			s.addIndex(q.kind, missing.place)
			s.mu.Unlock()
		}
	}
}

// page selects, sorts and cuts; s is locked for reading.
func (s *Store) page(sr search, queries []typed) (page []*resource, total int, err error) {
	if len(queries) == 1 && queries[0].matches == nil && sr.sortBy == "" {
		page, total = s.whole(queries[0].kind, sr)
		return page, total, nil
	}
	var hits []*resource
	for _, q := range queries {
		hits = s.hits(hits, q)
	}
	if sr.sortBy != "" {
		if hits, err = s.sort(hits, sr); err != nil {
			return nil, 0, err
		}
	}
	total = len(hits)
	from := min(sr.start-1, total)
	return hits[from:min(total, from+sr.count)], total, nil
}

func (s *Store) hits(into []*resource, q typed) []*resource {
	if list, _, ok := s.candidates(q.kind, q.lookups); ok && q.matches != nil {
		from := len(into)
		for _, r := range list {
			if q.matches(s, r) {
				into = append(into, r)
			}
		}
		found := into[from:]
		sort.Slice(found, func(i, k int) bool { return found[i].num < found[k].num })
		return into
	}
	for _, r := range s.list[q.kind] {
		if r != nil && (q.matches == nil || q.matches(s, r)) {
			into = append(into, r)
		}
	}
	return into
}

// whole cuts a page from all resources of a type. Gaps that deletions left are counted over, as they are few.
func (s *Store) whole(k kind, sr search) (page []*resource, total int) {
	l, total := s.list[k], s.live[k]
	i := 0
	if len(l) == total {
		i = min(sr.start-1, len(l))
	} else {
		for skipped := 0; i < len(l) && skipped < sr.start-1; i++ {
			if l[i] != nil {
				skipped++
			}
		}
	}
	for ; i < len(l) && len(page) < sr.count; i++ {
		if l[i] != nil {
			page = append(page, l[i])
		}
	}
	return page, total
}

// sortKey is what a resource is sorted by; absent sorts behind everything, and first when descending (RFC 7644 § 3.4.2.3).
type sortKey struct {
	r      *resource
	absent bool
	text   string
	at     time.Time
}

func (s *Store) sort(hits []*resource, sr search) ([]*resource, error) {
	p, filter, _, err := parsePath(sr.sortBy)
	if err != nil || filter != nil {
		return nil, bad("invalidPath", "resources can't be sorted by %s", sr.sortBy)
	}
	places := map[kind]place{}
	for _, k := range sr.kinds {
		if pl, lenient, ok := resolve(k, p); ok && pl.attr != nil && !pl.attr.writeOnly {
			if places[k] = pl; lenient != "" {
				s.note(lenient, sr.sortBy)
			}
		}
	}
	if len(places) == 0 {
		return nil, bad("invalidPath", "there is no attribute %s to sort by", sr.sortBy)
	}
	keys := make([]sortKey, len(hits))
	for i, r := range hits {
		keys[i] = s.sortKey(r, places[r.kind])
	}
	slices.SortStableFunc(keys, func(a, b sortKey) int {
		c := 0
		switch {
		case a.absent != b.absent:
			c = 1
			if b.absent {
				c = -1
			}
		case !a.at.IsZero() || !b.at.IsZero():
			c = a.at.Compare(b.at)
		default:
			c = cmp.Compare(a.text, b.text)
		}
		if sr.descending {
			return -c
		}
		return c
	})
	sorted := make([]*resource, len(hits))
	for i := range keys {
		sorted[i] = keys[i].r
	}
	return sorted, nil
}

// sortKey takes the only value, the primary one of several, or else the first.
func (s *Store) sortKey(r *resource, pl place) sortKey {
	key := sortKey{r: r, absent: true}
	if pl.attr == nil {
		return key
	}
	s.values(r, pl, func(v []byte) bool {
		primary := v[0] == '{' && string(member(v, "primary")) == "true"
		if !key.absent && !primary {
			return true
		}
		endOf(v, pl.sub, func(v []byte) bool {
			key.absent = empty(v)
			if v[0] != '"' {
				key.text = string(v)
				return false
			}
			key.text = unquote(v)
			switch a := pl.end(); {
			case a.typ == "dateTime":
				key.at, _ = time.Parse(time.RFC3339Nano, key.text) // this package wrote it
			case !a.caseExact:
				key.text = fold(key.text)
			}
			return false
		})
		return !primary
	})
	return key
}
