package graph

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"entrasim/directory"
)

// deltaRound is what the token of a delta query knows beside the options of its first request (concepts/delta-query-overview.md).
type deltaRound struct {
	First   bool   `json:"f,omitempty"` // the round that shows everything
	From    uint64 `json:"a,omitempty"` // changes up to this one are known; of the first round: when it began
	Upto    uint64 `json:"u,omitempty"` // where a later round ends
	Group   uint64 `json:"g,omitempty"` // the first round stopped inside of this group,
	Member  uint64 `json:"e,omitempty"` // behind this member
	Time    int64  `json:"t,omitempty"` // when the token was given, in virtual seconds since 1970
	Minimal bool   `json:"m,omitempty"` // only changed properties
}

const (
	deltaPage    = 100  // objects of a page in the first round
	deltaLinks   = 1000 // members of a page in the first round
	deltaFilter  = 50   // ids in a $filter
	deltaLeast   = 200  // changes that a page of a later round looks at, at least
	deltaMost    = 6400 // and at most
	deltaLife    = 30 * 24 * time.Hour
	linksMembers = "members"
	linksManager = "manager"
)

// tracked is a collection whose changes can be followed.
type tracked struct {
	kind  *kind
	of    directory.Kind
	links string // the navigation property that comes as an annotation, "" for none
	whole bool   // it comes without being selected
	// find is the number of an object in any state, load a live object.
	find func(r *directory.Reader, id string) (uint64, bool)
	load func(r *directory.Reader, n uint64) (values, bool)
}

func (g *Graph) deltaUsers(c *call) error {
	return g.delta(c, tracked{kind: userKind, of: directory.KindUser, links: linksManager, find: (*directory.Reader).Num,
		load: func(r *directory.Reader, n uint64) (values, bool) {
			u, ok := r.UserByNum(n)
			return userValues(u), ok
		}})
}

func (g *Graph) deltaGroups(c *call) error {
	return g.delta(c, tracked{kind: groupKind, of: directory.KindGroup, links: linksMembers, whole: true, find: (*directory.Reader).Num,
		load: func(r *directory.Reader, n uint64) (values, bool) {
			v, ok := r.GroupByNum(n)
			return groupValues(v), ok
		}})
}

func (g *Graph) deltaPrincipals(c *call) error {
	return g.delta(c, tracked{kind: principalKind, of: directory.KindServicePrincipal, find: (*directory.Reader).Num,
		load: func(r *directory.Reader, n uint64) (values, bool) {
			sp, ok := r.ServicePrincipalByNum(n)
			return g.principalValues(sp), ok && !sp.Bare
		}})
}

func (g *Graph) deltaApplications(c *call) error {
	return g.delta(c, tracked{kind: applicationKind, of: directory.KindServicePrincipal, find: (*directory.Reader).RegistrationNum,
		load: func(r *directory.Reader, n uint64) (values, bool) {
			sp, ok := r.ServicePrincipalByNum(n)
			return g.applicationValues(sp), ok
		}})
}

// delta answers api/user-delta.md, api/group-delta.md and their like: first everything that lives, page by page, then what
// changed since the token.
func (g *Graph) delta(c *call, t tracked) error {
	token, latest, err := g.deltaToken(c, t)
	if err != nil {
		return err
	}
	want, err := t.wanted(c)
	if err != nil {
		return err
	}
	var entries []deltaEntry
	more := false
	err = g.dir.View(func(r *directory.Reader) error {
		nums, filtered := want.nums(r, t)
		switch {
		case latest:
			token.From = r.LastChange()
		case token.First:
			if token.From == 0 && token.Last == 0 {
				token.From = r.LastChange()
			}
			entries, more = want.everything(r, t, &token, nums, filtered)
		default:
			if token.Upto == 0 {
				token.Upto = r.LastChange()
			}
			entries, more, err = want.changes(r, t, &token, nums, filtered)
			return err
		}
		return nil
	})
	if directory.CodeOf(err) == directory.Expired {
		return resync(c, "resyncRequired")
	}
	if err != nil {
		return err
	}
	list := make([]object, len(entries))
	for i, e := range entries {
		list[i] = e.show(t)
	}
	if token.Minimal {
		c.w.Header().Set("Preference-Applied", "return=minimal")
	}
	token.Time = g.svc.Clock().Now().Unix()
	name, option := "@odata.nextLink", "$skiptoken"
	if !more {
		name, option = "@odata.deltaLink", "$deltatoken"
		if !token.First {
			token.From = token.Upto
		}
		token.Last, token.deltaRound = 0, deltaRound{From: token.From, Time: token.Time}
	}
	return c.json(http.StatusOK, object{{"@odata.context", c.context(t.kind.context(want.selected, false))},
		{name, c.base + c.address() + "?" + option + "=" + token.String()}, {"value", list}})
}

// deltaToken reads what a request goes on from; latest is true for one that wants nothing but the next token.
func (g *Graph) deltaToken(c *call, t tracked) (token pageToken, latest bool, err error) {
	store, err := g.store()
	if err != nil {
		return token, false, err
	}
	text, later := c.query["deltatoken"]
	page, within := c.query["skiptoken"]
	if later && within {
		return token, false, badRequest("The query options '$deltatoken' and '$skiptoken' can't be given together.")
	}
	token = pageToken{List: t.kind.set + " delta", Store: store, Options: map[string]string{}}
	latest = strings.EqualFold(text, "latest")
	if !later && !within || latest {
		token.First = true
		for _, name := range []string{"select", "filter"} {
			if v, ok := c.query[name]; ok {
				token.Options[name] = v
			}
		}
		return token, latest, nil
	}
	given, ok := parseToken(text + page)
	if !ok || given.List != token.List || later && given.First {
		return token, false, badRequest("Badly formed token.")
	}
	for _, name := range []string{"select", "filter"} {
		if v, again := c.query[name]; again && v != given.Options[name] {
			return token, false, badRequest("The query option '$%s' belongs to the first request of a delta query; the token has it from there.", name)
		}
		delete(c.query, name)
		if v, ok := given.Options[name]; ok {
			c.query[name] = v
		}
	}
	switch age := g.svc.Clock().Now().Sub(time.Unix(given.Time, 0)); {
	case given.Store != store || age < -time.Second:
		return token, false, resync(c, "syncStateNotFound")
	case age > deltaLife:
		return token, false, resync(c, "resyncRequired")
	}
	if later {
		given.Minimal = strings.Contains(strings.ToLower(c.r.Header.Get("Prefer")), "return=minimal")
	}
	return given, false, nil
}

// resync tells a client to begin again, and where (concepts/errors.md, 410).
func resync(c *call, code string) error {
	address := c.base + c.address()
	sep := "?"
	for _, name := range []string{"select", "filter"} {
		if v, ok := c.query[name]; ok {
			address += sep + "$" + name + "=" + url.QueryEscape(v)
			sep = "&"
		}
	}
	return &Error{Status: http.StatusGone, Code: code, Header: http.Header{"Location": {address}},
		Message: "The delta token is too old, or not of this directory. Begin again with a request without it, and replace what was read before."}
}

// wanted is what a delta query was asked for.
type wanted struct {
	selected []string // as it was written; nil: the standard set
	names    []string // properties to show and to follow
	links    bool
	ids      []string // of $filter; nil: all
}

func (t tracked) wanted(c *call) (w wanted, err error) {
	if w.selected, err = t.kind.selection(c); err != nil {
		return w, err
	}
	if w.selected == nil {
		w.links = t.whole
		for _, f := range t.kind.fields {
			if f.standard {
				w.names = append(w.names, f.name)
			}
		}
	}
	for _, name := range w.selected {
		if name == t.links {
			w.links = true
			continue
		}
		w.names = append(w.names, name)
	}
	text, ok := c.query["filter"]
	if !ok {
		return w, nil
	}
	f, err := parseFilter(text)
	if err != nil {
		return w, err
	}
	parts := []*filter{f}
	if f.op == "or" {
		parts = f.args
	}
	for _, p := range parts {
		id := ""
		if p.op == "eq" && p.args[0].op == "path" && strings.EqualFold(p.args[0].path, "id") {
			id, _ = p.args[1].lit.(string)
		}
		if id == "" {
			return w, unsupportedQuery("A delta query takes only $filter=id eq '...' or id eq '...'; found '%s'.", text)
		}
		w.ids = append(w.ids, id)
	}
	if len(w.ids) > deltaFilter {
		return w, unsupportedQuery("$filter of a delta query names at most %d ids, not %d.", deltaFilter, len(w.ids))
	}
	return w, nil
}

// nums are the numbers of the objects that $filter names, in order.
func (w wanted) nums(r *directory.Reader, t tracked) (nums []uint64, filtered bool) {
	for _, id := range w.ids {
		if n, ok := t.find(r, id); ok && !slices.Contains(nums, n) {
			nums = append(nums, n)
		}
	}
	slices.Sort(nums)
	return nums, w.ids != nil
}

// deltaEntry is one object of a page.
type deltaEntry struct {
	id     string
	reason string // why it is gone; "" when it lives
	get    values
	names  []string
	links  []object
}

func (e deltaEntry) show(t tracked) object {
	if e.reason != "" {
		return object{{"id", e.id}, {"@removed", object{{"reason", e.reason}}}}
	}
	o := object{}
	if len(e.names) > 0 {
		o = t.kind.show(e.get, e.names)
	}
	if !slices.Contains(e.names, "id") {
		o = append(o, member{"id", e.id})
	}
	if len(e.links) > 0 {
		o = append(o, member{t.links + "@delta", e.links})
	}
	return o
}

// link is an entry of an annotation; gone marks what was removed.
func link(o directory.Object, gone bool) object {
	l := object{kindOf(o.Kind).odataType(), {"id", o.ID}}
	if gone {
		l = append(l, member{"@removed", object{{"reason", "deleted"}}})
	}
	return l
}

// everything makes a page of the first round. The members of a large group are spread over several pages, the group stands
// on each.
func (w wanted) everything(r *directory.Reader, t tracked, token *pageToken, nums []uint64, filtered bool) (list []deltaEntry, more bool) {
	if !filtered {
		if nums = r.LiveNums(t.of, token.Last, deltaPage+1); len(nums) > deltaPage {
			nums, more = nums[:deltaPage], true
		}
	}
	budget := deltaLinks
	for _, n := range nums {
		if n <= token.Last {
			continue
		}
		if budget <= 0 {
			return list, true
		}
		o, ok := r.Object(n)
		get, loaded := t.load(r, n)
		if !ok || !loaded || o.State != directory.Live {
			continue
		}
		e := deltaEntry{id: idOf(t, o, get), get: get, names: w.names}
		if w.links {
			after := uint64(0)
			if token.Group == n {
				after = token.Member
			}
			whole := true
			e.links, whole = w.current(r, t, n, after, &budget, token)
			if !whole {
				token.Group = n
				return append(list, e), true
			}
		}
		token.Last = n
		list = append(list, e)
	}
	return list, more
}

// current lists what an object is linked to now, behind a number, until the budget is used up; nil: no budget.
func (w wanted) current(r *directory.Reader, t tracked, n, after uint64, budget *int, token *pageToken) (links []object, whole bool) {
	if t.links == linksManager {
		if u, ok := r.UserByNum(n); ok && u.ManagerNum != 0 {
			if boss, ok := r.Object(u.ManagerNum); ok && boss.State == directory.Live {
				links = append(links, link(boss, false))
			}
		}
		return links, true
	}
	whole = true
	r.EachMember(n, after, func(m uint64) bool {
		if budget != nil && *budget <= 0 {
			whole = false
			return false
		}
		if o, ok := r.Object(m); ok && o.State == directory.Live {
			links = append(links, link(o, false))
			if budget != nil {
				*budget--
				token.Member = m
			}
		}
		return true
	})
	return links, whole
}

// idOf is the id under which an object is shown: a registration has another than its service principal.
func idOf(t tracked, o directory.Object, get values) string {
	if t.kind == applicationKind {
		id, _ := get("id").(string)
		return id
	}
	return o.ID
}

// changes makes a page of a later round: what happened in a stretch of the change feed, shown as it is now. An object that
// changes again stands on another page too.
func (w wanted) changes(r *directory.Reader, t tracked, token *pageToken, nums []uint64, filtered bool) (list []deltaEntry, more bool, err error) {
	var ch directory.Changes
	var end uint64
	for size := uint64(deltaLeast); ; size *= 2 {
		end = min(token.From+size, token.Upto)
		if end == token.From { // nothing happened
			if _, err := r.Changes(token.From, end); err != nil {
				return nil, false, err
			}
			return nil, false, nil
		}
		if ch, err = r.Changes(token.From, end); err != nil {
			return nil, false, err
		}
		if end == token.Upto || size >= deltaMost || w.weight(ch, t) >= deltaPage {
			break
		}
	}
	objects := map[uint64]directory.ObjectChange{}
	edges := map[uint64][]directory.EdgeChange{}
	touched := []uint64{}
	for _, o := range ch.Objects {
		if o.Kind == t.of {
			objects[o.Num] = o
			touched = append(touched, o.Num)
		}
	}
	if w.links && t.links == linksMembers {
		for _, e := range ch.Edges {
			edges[e.Group] = append(edges[e.Group], e)
			touched = append(touched, e.Group)
		}
	}
	slices.Sort(touched)
	for _, n := range slices.Compact(touched) {
		if filtered && !slices.Contains(nums, n) {
			continue
		}
		if e, ok := w.changed(r, t, n, objects[n], edges[n], token.Minimal); ok {
			list = append(list, e)
		}
	}
	token.From = end
	return list, end < token.Upto, nil
}

// weight is about how much of a stretch a page will show.
func (w wanted) weight(ch directory.Changes, t tracked) (n int) {
	for _, o := range ch.Objects {
		if o.Kind == t.of {
			n++
		}
	}
	if w.links && t.links == linksMembers {
		n += len(ch.Edges)
	}
	return n
}

// changed shows what became of one object; ok is false when nothing that is followed changed.
func (w wanted) changed(r *directory.Reader, t tracked, n uint64, o directory.ObjectChange, edges []directory.EdgeChange, minimal bool) (e deltaEntry, ok bool) {
	base, known := r.Object(n)
	get, loaded := t.load(r, n)
	if !known || !loaded {
		return e, false
	}
	e = deltaEntry{id: idOf(t, base, get), get: get, names: w.names}
	switch base.State {
	case directory.SoftDeleted:
		e.reason = "changed"
		return e, true
	case directory.Purged:
		e.reason = "deleted"
		return e, true
	}
	entire := o.Created || o.Restored
	hit := w.followed(o.Properties)
	managed := w.links && t.links == linksManager && slices.Contains(o.Properties, linksManager)
	switch {
	case o.Restored && w.links:
		e.links, _ = w.current(r, t, n, 0, nil, nil)
	case managed:
		if old, ok := r.Object(o.FormerManager); ok && o.FormerManager != 0 {
			e.links = append(e.links, link(old, true))
		}
		now, _ := w.current(r, t, n, 0, nil, nil)
		e.links = append(e.links, now...)
	case o.Created && w.links && t.links == linksManager:
		e.links, _ = w.current(r, t, n, 0, nil, nil)
	}
	if !o.Restored {
		for _, x := range edges {
			if m, ok := r.Object(x.Member); ok {
				// Who was deleted keeps its memberships for a restoration, but is no member now.
				e.links = append(e.links, link(m, m.State != directory.Live || !r.IsMember(x.Group, x.Member)))
			}
		}
	}
	if !entire && minimal {
		e.names = hit
	}
	return e, entire || len(hit) > 0 || managed || len(edges) > 0
}

// followed are the properties of w that changed.
func (w wanted) followed(changed []string) (list []string) {
	for _, name := range w.names {
		if slices.ContainsFunc(changed, func(p string) bool {
			object, _, _ := strings.Cut(p, "/")
			return object == name || p == "userPrincipalName" && name == "identities"
		}) {
			list = append(list, name)
		}
	}
	return list
}
