package graph

import (
	"math"
	"net/http"
	"slices"
	"strings"

	"entrasim/directory"
)

// relation lists what an object is connected with, a page at a time.
type relation func(id, cursor string, limit int, wanted func(directory.Kind) bool) (directory.Page[directory.Object], error)

// listMembers answers a page of members, of one kind when the path has a cast; listMemberRefs their addresses.
func (g *Graph) listMembers(c *call) error    { return g.related(c, g.members(c), false) }
func (g *Graph) listMemberRefs(c *call) error { return g.related(c, g.dir.FilterMembers, true) }

// members lists the members of a group; when $filter names some by their ids, those alone are looked at.
func (g *Graph) members(c *call) relation {
	return func(id, cursor string, limit int, wanted func(directory.Kind) bool) (page directory.Page[directory.Object], err error) {
		s, err := c.sieve()
		if err != nil {
			return page, err
		}
		ids, named := s.ids()
		if !named {
			return g.dir.FilterMembers(id, cursor, limit, wanted)
		}
		if _, err := g.dir.Group(id); err != nil {
			return page, err
		}
		for _, x := range ids {
			o, is, err := g.dir.IsMember(id, x)
			if err != nil {
				return page, err
			}
			if is && strings.EqualFold(o.ID, x) && wanted(o.Kind) {
				page.Items = append(page.Items, o)
			}
		}
		return page, nil
	}
}

// memberOf lists the groups that an object is an immediate member of, listReports the users whose manager a user is.
func (g *Graph) memberOf(c *call) error    { return g.related(c, g.dir.FilterMemberOf, false) }
func (g *Graph) listReports(c *call) error { return g.related(c, g.dir.FilterReports, false) }

// relatedID is the id of the object that the path begins with.
func (g *Graph) relatedID(c *call) (string, error) {
	id := userKey(c.params["id"])
	switch path := strings.ToLower(c.path); {
	case strings.HasPrefix(path, "/groups"):
		return id, checkGUID(id)
	case strings.HasPrefix(path, "/serviceprincipals"):
		sp, err := g.principal(c)
		return sp.ID, err
	}
	return id, nil
}

func (g *Graph) related(c *call, list relation, refs bool) error {
	id, err := g.relatedID(c)
	if err != nil {
		return err
	}
	token, err := g.resume(c, c.path)
	if err != nil {
		return err
	}
	top, err := c.query.top(pageStandard, pageMost)
	if err != nil {
		return err
	}
	wanted, context, err := castOf(c)
	if err != nil {
		return err
	}
	if refs {
		context = "Collection($ref)"
	}
	keep, err := c.sieve()
	if err != nil {
		return err
	}
	begin := token.Cursor == ""
	page, err := g.sifted(id, token.Cursor, top, list, wanted, keep)
	if err != nil {
		return err
	}
	if token.Cursor = page.Next; page.Next == "" {
		token = pageToken{}
	}
	return g.respondPage(c, context, token, page.Items, refs, func() (int, error) {
		if !begin {
			return -1, nil
		}
		return g.countOf(id, list, wanted, keep)
	})
}

// sifted is a page of a relation with what a sieve keeps of it. It reads as many at a time as there is room for, so that the
// cursor stands behind the last one shown.
func (g *Graph) sifted(id, cursor string, top int, list relation, wanted func(directory.Kind) bool, keep *sieve) (out directory.Page[directory.Object], err error) {
	for {
		page, err := list(id, cursor, top-len(out.Items), wanted)
		if err != nil {
			return out, err
		}
		kept, err := g.kept(keep, page.Items)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, kept...)
		if cursor = page.Next; cursor == "" || len(out.Items) >= top {
			out.Next = cursor
			return out, nil
		}
	}
}

// respondPage answers with a page of objects of several kinds; a token without a list is none. count is asked when the
// request wants it; less than nothing is not shown.
func (g *Graph) respondPage(c *call, context string, token pageToken, items []directory.Object, refs bool, count func() (int, error)) error {
	if err := checkSelected(c.query.list("select")); err != nil {
		return err
	}
	out := object{{"@odata.context", c.context(context)}}
	if counted, err := c.query.count(); err != nil {
		return err
	} else if counted && c.eventual() {
		n, err := count()
		if err != nil {
			return err
		}
		if n >= 0 {
			out = append(out, member{"@odata.count", n})
		}
	}
	if token.List != "" {
		out = append(out, member{"@odata.nextLink", c.next(token)})
	}
	shown := []object{}
	for _, m := range items {
		if refs {
			shown = append(shown, object{{"@odata.id", c.base + "/directoryObjects/" + m.ID}})
			continue
		}
		o, err := g.directoryObject(m.ID, c.query.list("select"))
		if isMissing(err) { // deleted meanwhile
			continue
		}
		if err != nil {
			return err
		}
		shown = append(shown, o)
	}
	return c.json(http.StatusOK, append(out, member{"value", shown}))
}

// countOf counts what an object is connected with, without reading it more than a stretch at a time.
func (g *Graph) countOf(id string, list relation, wanted func(directory.Kind) bool, keep *sieve) (n int, err error) {
	for cursor := ""; ; {
		page, err := list(id, cursor, 5000, wanted)
		if err != nil {
			return 0, err
		}
		kept, err := g.kept(keep, page.Items)
		if err != nil {
			return 0, err
		}
		n += len(kept)
		if cursor = page.Next; cursor == "" {
			return n, nil
		}
	}
}

func (g *Graph) countMembers(c *call) error  { return g.countRelated(c, g.members(c)) }
func (g *Graph) countMemberOf(c *call) error { return g.countRelated(c, g.dir.FilterMemberOf) }
func (g *Graph) countReports(c *call) error  { return g.countRelated(c, g.dir.FilterReports) }

// needEventual refuses the path /$count without the header that it needs (concepts/aad-advanced-queries.md).
func needEventual(c *call) error {
	if c.eventual() {
		return nil
	}
	return unsupportedQuery("$count is not currently supported without the header 'ConsistencyLevel: eventual'.")
}

func (g *Graph) countRelated(c *call, list relation) error {
	if err := needEventual(c); err != nil {
		return err
	}
	id, err := g.relatedID(c)
	if err != nil {
		return err
	}
	wanted, _, err := castOf(c)
	if err != nil {
		return err
	}
	c.query["count"] = "true" // as advanced as a query can be
	keep, err := c.sieve()
	if err != nil {
		return err
	}
	n, err := g.countOf(id, list, wanted, keep)
	if err != nil {
		return err
	}
	return c.text(http.StatusOK, itoa(n))
}

// above lists the numbers of the groups that an object is in, nested ones included, in order.
func above(r *directory.Reader, start uint64) []uint64 {
	seen := map[uint64]bool{start: true}
	var list []uint64
	for todo := []uint64{start}; len(todo) > 0; {
		n := todo[0]
		todo = todo[1:]
		r.EachGroupOf(n, func(group uint64) bool {
			if _, state, ok := r.Standing(group); ok && state == directory.Live && !seen[group] {
				seen[group] = true
				list = append(list, group)
				todo = append(todo, group)
			}
			return true
		})
	}
	slices.Sort(list)
	return list
}

// below lists the numbers of a group and of the groups in it. It looks at the kind of each member and reads none.
func below(r *directory.Reader, start uint64) []uint64 {
	list := []uint64{start}
	for i := 0; i < len(list); i++ {
		r.EachMember(list[i], 0, func(m uint64) bool {
			if kind, state, ok := r.Standing(m); ok && kind == directory.KindGroup && state == directory.Live && !slices.Contains(list, m) {
				list = append(list, m)
			}
			return true
		})
	}
	return list
}

// groupObjects reads the groups that an object is in, nested ones included.
func (g *Graph) groupObjects(start directory.Object) (list []directory.Object, err error) {
	err = g.dir.View(func(r *directory.Reader) error {
		for _, n := range above(r, start.Num) {
			if o, ok := r.Object(n); ok {
				list = append(list, o)
			}
		}
		return nil
	})
	return list, err
}

// transitiveMemberOf follows memberships upwards.
func (g *Graph) transitiveMemberOf(c *call) error {
	id, err := g.relatedID(c)
	if err != nil {
		return err
	}
	start, err := g.dir.Object(id)
	if err != nil {
		return err
	}
	list, err := g.groupObjects(start)
	if err != nil {
		return err
	}
	return g.respondObjects(c, list, c.params["cast"])
}

func (g *Graph) countTransitiveMemberOf(c *call) error {
	if err := needEventual(c); err != nil {
		return err
	}
	id, err := g.relatedID(c)
	if err != nil {
		return err
	}
	start, err := g.dir.Object(id)
	if err != nil {
		return err
	}
	list, err := g.groupObjects(start)
	if err != nil {
		return err
	}
	return g.countObjects(c, list)
}

// groupsMost bounds the groups that a page token names.
const groupsMost = 200

// transitiveMembers follows memberships downwards. The first page finds the groups, which takes a look at every member;
// later ones know them from the token and read only what they show.
func (g *Graph) transitiveMembers(c *call) error {
	start, err := g.group(c)
	if err != nil {
		return err
	}
	token, err := g.resume(c, c.path)
	if err != nil {
		return err
	}
	top, err := c.query.top(pageStandard, pageMost)
	if err != nil {
		return err
	}
	wanted, context, err := castOf(c)
	if err != nil {
		return err
	}
	if keep, err := c.sieve(); err != nil {
		return err
	} else if keep != nil {
		list, err := g.allBelow(start.Num, wanted)
		if err != nil {
			return err
		}
		return g.respondObjects(c, list, c.params["cast"])
	}
	var page []directory.Object
	total := -1
	err = g.dir.View(func(r *directory.Reader) error {
		groups := token.Groups
		if groups == nil {
			groups = below(r, start.Num)
		}
		if token.Last == 0 && c.eventual() && c.query["count"] != "" {
			total = len(within(r, groups, start.Num, 0, math.MaxInt, wanted))
		}
		nums := within(r, groups, start.Num, token.Last, top+1, wanted)
		if len(nums) <= top {
			token = pageToken{}
		} else {
			nums = nums[:top]
			token.Last = nums[top-1]
			if token.Groups = groups; len(groups) > groupsMost {
				token.Groups = nil
			}
		}
		for _, n := range nums {
			if o, ok := r.Object(n); ok {
				page = append(page, o)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return g.respondPage(c, context, token, page, false, func() (int, error) { return total, nil })
}

// allBelow reads the direct and nested members of a group.
func (g *Graph) allBelow(start uint64, wanted func(directory.Kind) bool) (list []directory.Object, err error) {
	err = g.dir.View(func(r *directory.Reader) error {
		for _, n := range within(r, below(r, start), start, 0, math.MaxInt, wanted) {
			if o, ok := r.Object(n); ok {
				list = append(list, o)
			}
		}
		return nil
	})
	return list, err
}

// within lists the first members of some groups behind a number, in order and each once, at least as many as the limit when
// there are so many; start is none of them.
func within(r *directory.Reader, groups []uint64, start, after uint64, limit int, wanted func(directory.Kind) bool) []uint64 {
	var nums []uint64
	for _, group := range groups {
		n := 0
		r.EachMember(group, after, func(m uint64) bool {
			if kind, state, ok := r.Standing(m); ok && state == directory.Live && wanted(kind) && m != start {
				nums = append(nums, m)
				n++
			}
			return n < limit
		})
	}
	slices.Sort(nums)
	return slices.Compact(nums)
}

func (g *Graph) countTransitive(c *call) error {
	if err := needEventual(c); err != nil {
		return err
	}
	start, err := g.group(c)
	if err != nil {
		return err
	}
	wanted, _, err := castOf(c)
	if err != nil {
		return err
	}
	if c.query["filter"] != "" || c.query["search"] != "" {
		list, err := g.allBelow(start.Num, wanted)
		if err != nil {
			return err
		}
		return g.countObjects(c, list)
	}
	n := 0
	if err := g.dir.View(func(r *directory.Reader) error {
		n = len(within(r, below(r, start.Num), start.Num, 0, math.MaxInt, wanted))
		return nil
	}); err != nil {
		return err
	}
	return c.text(http.StatusOK, itoa(n))
}

// memberGroups answers getMemberGroups and getMemberObjects (api/directoryobject-getmembergroups.md).
func (g *Graph) memberGroups(c *call) error {
	var body struct {
		SecurityEnabledOnly *bool `json:"securityEnabledOnly"`
	}
	if err := c.decode(&body, false); err != nil {
		return err
	}
	return g.respondGroups(c, func(o directory.Object) (bool, error) {
		if body.SecurityEnabledOnly == nil || !*body.SecurityEnabledOnly {
			return true, nil
		}
		group, err := g.dir.Group(o.ID)
		if isMissing(err) { // deleted meanwhile
			return false, nil
		}
		return group.SecurityEnabled, err
	})
}

// checkMost is how many ids one check takes (api/directoryobject-checkmembergroups.md).
const checkMost = 20

// checkMembership answers checkMemberGroups and checkMemberObjects.
func (g *Graph) checkMembership(c *call) error {
	var body struct {
		GroupIDs []string `json:"groupIds"`
		IDs      []string `json:"ids"`
	}
	if err := c.decode(&body, false); err != nil {
		return err
	}
	name, ids := "groupIds", body.GroupIDs
	if strings.HasSuffix(strings.ToLower(c.path), "objects") || strings.HasSuffix(strings.ToLower(c.path), "objects()") {
		name, ids = "ids", body.IDs
	}
	if len(ids) == 0 || len(ids) > checkMost {
		return refused("Invalid value specified for property '%s': it holds 1 to %d ids, not %d.", name, checkMost, len(ids))
	}
	return g.respondGroups(c, func(o directory.Object) (bool, error) {
		return slices.ContainsFunc(ids, func(id string) bool { return strings.EqualFold(id, o.ID) }), nil
	})
}

// respondGroups answers with the ids of the groups that an object is in, as far as they are wanted.
func (g *Graph) respondGroups(c *call, wanted func(directory.Object) (bool, error)) error {
	id, err := g.relatedID(c)
	if err != nil {
		return err
	}
	start, err := g.dir.Object(id)
	if err != nil {
		return err
	}
	list, err := g.groupObjects(start)
	if err != nil {
		return err
	}
	ids := []string{}
	for _, o := range list {
		ok, err := wanted(o)
		if err != nil {
			return err
		}
		if ok {
			ids = append(ids, o.ID)
		}
	}
	return collection(c, "Collection(Edm.String)", ids)
}
