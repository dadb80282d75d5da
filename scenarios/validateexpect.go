package scenarios

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// unseen says why an expectation has nothing to look at, and what to do about it.
var unseen = map[string][2]string{
	"run": {"nothing runs", "add cycle, advance or onDemand to it"}, "cycle": {"no cycle runs", "add cycle or advance to it"},
	"demand": {"nothing is provisioned on demand", "add onDemand to it"}, "act": {"nothing is done", "put it on the step that does something"},
}

// expect checks what a step expects: that it can be seen there, and that it can fail.
func (c *checker) expect(e *Expect, seen map[string]bool) {
	given := 0
	for _, f := range fieldsOf(e).all {
		if f.value.IsNil() {
			continue
		}
		given++
		if !seen[f.needs] {
			at := e.At
			if place := fieldsOf(f.value.Interface()).place; place.IsValid() {
				at, _ = place.Interface().(Pos)
			}
			why := unseen[f.needs]
			c.at(at.or(e.At), fmt.Sprintf("%s can't be seen here: %s in this step", f.name, why[0]), why[1])
		}
	}
	if given == 0 {
		c.at(e.At, "expect is empty, so that it can't fail", "")
	}
	for _, r := range []*Requests{e.Requests, e.Probes} {
		if r != nil {
			c.requests(r, r == e.Probes)
		}
	}
	if e.Log != nil {
		c.records(e.Log)
	}
	if a := e.OnDemand; a != nil {
		c.answer(a)
	}
	if n := e.Endless; n != nil && len(n.List) == 0 && !seen["act"] {
		c.at(n.At.or(e.At), "endless can't fail here: nothing is done in this step", unseen["act"][1])
	}
	if y := e.Cycles; y != nil && y.Count == nil && len(y.List) == 0 {
		c.at(y.At, "cycles is empty; write the number 0 for none", "")
	}
	if j := e.Job; j != nil && *j == (JobState{At: j.At}) {
		c.at(j.At, "job is empty, so that it can't fail", "")
	}
	if e.Why != nil && len(e.Why) == 0 {
		c.at(e.At, "why is empty, so that it can't fail", "")
	}
	for _, x := range e.Why {
		c.known(Handle{x.At, x.Key})
		if strings.TrimSpace(x.Value) == "" {
			c.at(x.At, "the text is empty, so that it can't fail", "")
		}
	}
	if e.Target != nil {
		c.held(*e.Target, e.At)
	}
	if limit := scim.DefaultOptions().Timeout; e.Slowest != nil && e.Slowest.D >= limit {
		c.at(e.Slowest.At, fmt.Sprintf("slowest can't fail: no request waits longer than %s", limit), "")
	}
}

// answer checks what is expected of a run on demand.
func (c *checker) answer(a *Answer) {
	if reflect.DeepEqual(*a, Answer{At: a.At}) {
		c.at(a.At, "onDemand is empty, so that it can't fail", "")
	}
	c.code(a.Code, c.under(a.At, "code"))
	for _, name := range sorted(a.Shows) {
		if !slices.Contains(stageNames, name) {
			c.at(a.At, fmt.Sprintf("there is no step %q", name), nearest(name, stageNames))
		}
		c.placeholders(a.Shows[name], a.At)
	}
	for _, m := range a.Modified {
		for _, side := range []*string{m.Value.Old, m.Value.New} {
			if side != nil {
				c.placeholders(*side, m.At)
			}
		}
		if m.Value.Old == nil && m.Value.New == nil {
			c.at(m.At, m.Key+" says nothing: give old or new", "")
		}
	}
}

func (c *checker) requests(e *Requests, probes bool) {
	if !e.exact && len(e.Contains)+len(e.None) == 0 && e.Count == nil {
		c.at(e.At, "nothing is expected here, so that it can't fail", "write [] for no request at all")
	}
	for _, part := range []struct {
		list    []Request
		forbids bool
	}{{e.Exact, false}, {e.Contains, false}, {e.None, true}} {
		for i := range part.list {
			c.request(&part.list[i], part.forbids, probes)
		}
	}
	for _, no := range e.None {
		for _, yes := range append(slices.Clone(e.Exact), e.Contains...) {
			if no.Line == yes.Line && !no.Body.Set && no.Status == "" && no.URL == "" && !no.Exactly.Set {
				c.at(no.At, fmt.Sprintf("%s is expected and forbidden", no.Line), "")
			}
		}
	}
}

// request checks a pattern. forbids says that it must not be seen, so that one which never can be is a mistake as well.
func (c *checker) request(r *Request, forbids, probes bool) {
	l, err := parseLine(r.Line)
	if err != nil {
		c.at(r.At, err.Error(), "")
		return
	}
	c.placeholders(r.Line, r.At)
	c.placeholdersIn(r.Body.Data, r.Body.At)
	c.placeholdersIn(r.Exactly.Data, r.Exactly.At)
	c.placeholders(r.URL, r.At)
	for _, v := range r.Headers {
		c.placeholders(v, r.At)
	}
	why, hint := impossible(l, r, probes), ""
	if why == "" {
		why, hint = c.neverSent(l, r, forbids)
	}
	if why != "" {
		if forbids {
			why += ", so that this can't fail"
		}
		c.at(r.At, why, hint)
	}
	if n, err := strconv.Atoi(r.Status); r.Status != "" && r.Status != "any" && r.Status != "none" && (err != nil || n < 100 || n > 599) {
		c.at(r.At, fmt.Sprintf("status is %q; expected a number from 100 to 599, none or any", r.Status), "")
	}
	if r.URL != "" && !strings.HasPrefix(r.URL, "/") {
		c.at(r.At, "url begins with a slash: it is what stands behind the base URL", "")
	}
	if text, ok := r.Body.Data.(string); ok {
		c.at(r.Body.At, fmt.Sprintf("body is the text %s; expected a table of members", show(text)), "exactly takes a body as text")
	}
}

// impossible says why a request can never be seen, "" when it can.
func impossible(l line, r *Request, probes bool) string {
	segments := strings.Split(strings.Trim(l.path, "/"), "/")
	collection := len(segments) == 1
	body := r.Body.Set || r.Exactly.Set
	open := strings.Contains(l.path, "{*}") || strings.Contains(l.path, "{?")
	switch {
	case l.method == "PUT":
		return "Entra never sends PUT"
	case probes && l.method != "GET" && l.method != "*":
		return "a probe is a GET"
	case probes && !collection:
		return "a probe names no object"
	case (l.method == "GET" || l.method == "DELETE") && body:
		return l.method + " has no body"
	case l.path != "" && !open && segments[0] != "Users" && segments[0] != "Groups" && segments[0] != "Schemas":
		return fmt.Sprintf("the service asks for /Users and /Groups, never for %s", l.path)
	case l.path == "" || open:
		return ""
	case l.method == "POST" && !collection:
		return "a POST names no object"
	case (l.method == "PATCH" || l.method == "DELETE") && collection:
		return l.method + " names an object: " + l.path + "/{handle}"
	case l.method != "GET" && l.method != "*" && len(l.query) > 0:
		return l.method + " has no query"
	}
	return ""
}

var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// neverSent says why the service can't send a request, as far as names tell; "" when it can. What is forbidden is looked at
// more closely: a name that is mistyped there is never seen, and nobody would notice.
func (c *checker) neverSent(l line, r *Request, forbids bool) (why, hint string) {
	if strings.ContainsAny(placeholder.ReplaceAllString(l.path, ""), "{}") {
		return "a brace in the path stands alone", "handles are written {ann}"
	}
	for _, name := range sorted(r.Headers) {
		if !headerName.MatchString(name) {
			return fmt.Sprintf("%q can't be a header", name), ""
		}
	}
	kind := map[string]string{"Users": user, "Groups": group}
	for i, segments := 1, strings.Split(l.path, "/"); i+1 < len(segments); i++ {
		handle := strings.Trim(segments[i+1], "{}")
		if want, have := kind[segments[i]], c.s.kinds[handle]; want != "" && have != "" && want != have && segments[i+1] != handle {
			return fmt.Sprintf("%s is a %s and never under /%s", handle, strings.ToLower(have), segments[i]), ""
		}
	}
	names := c.attributes() // and manager, which is asked for before it is written
	for _, q := range l.query {
		if q.name == "filter" {
			for _, name := range filterNames(q.value) {
				if name != "manager" && !slices.Contains(names, name) {
					return fmt.Sprintf("no resource has an attribute %q", name), nearest(name, names)
				}
			}
		}
	}
	if !forbids {
		return "", ""
	}
	set := c.s.App.Settings.ForwardTenantQuery
	for _, q := range l.query {
		if !slices.Contains(parameters, q.name) && (set == nil || !*set) {
			return fmt.Sprintf("no request has a parameter %q", q.name), nearest(q.name, parameters)
		}
	}
	body, _ := r.Body.Data.(map[string]any)
	switch l.method {
	case "PATCH":
		names = []string{"schemas", "Operations"}
	case "*":
		names = append(names, "Operations")
	}
	for _, name := range sorted(body) {
		if !slices.Contains(names, name) && !strings.HasPrefix(name, "urn:") {
			return "no request has " + name, nearest(name, names)
		}
	}
	return "", ""
}

var (
	quoted     = regexp.MustCompile(`"(?:[^"\\\\]|\\\\.)*"`)
	bracketed  = regexp.MustCompile(`\[[^\]]*\]`)
	filterName = regexp.MustCompile(`(?:^|\b(?:and|or|not)\b)[\s(]*([A-Za-z][A-Za-z0-9_-]*)`)
)

// filterNames are the attributes that a filter asks for, at their outermost level; those of other schemas are left out.
func filterNames(filter string) (names []string) {
	filter = bracketed.ReplaceAllString(quoted.ReplaceAllString(filter, `""`), "")
	for _, m := range filterName.FindAllStringSubmatch(filter, -1) {
		if m[1] != "urn" && m[1] != "not" {
			names = append(names, m[1])
		}
	}
	return names
}

// attributes are the names that a resource can have at its outermost level: those of the target's attribute list, and what
// every resource has.
func (c *checker) attributes() []string {
	names := []string{"schemas", "id", "externalId", "meta", "members", "groups", "displayName"}
	for _, kind := range []string{user, group} {
		for _, a := range c.schema.AttributeList(kind, mapping.TargetSide) {
			if i := strings.IndexAny(a.Name, ".[:"); i < 0 {
				names = append(names, a.Name)
			} else {
				names = append(names, a.Name[:i])
			}
		}
	}
	return names
}

// placeholders checks the handles in a text.
func (c *checker) placeholders(text string, at Pos) {
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		name := m[1]
		if name == "*" {
			continue
		}
		if bind, ok := strings.CutPrefix(name, "?"); ok {
			if c.uses[bind]++; c.uses[bind] == 1 {
				c.bound[bind] = at
			}
			continue
		}
		handle, property, has := strings.Cut(name, ".")
		if !c.known(Handle{at, handle}) || !has {
			continue
		}
		if property == "objectId" || property == "id" || property == "old" {
			continue
		}
		var names []string
		if c.s.kinds[handle] == user {
			for _, p := range directory.UserProperties() {
				names = append(names, p.Name)
			}
		} else {
			for _, p := range directory.GroupProperties() {
				names = append(names, p.Name)
			}
		}
		if !slices.Contains(names, property) {
			c.at(at, fmt.Sprintf("%s has no property %q", handle, property), nearest(property, append(names, "objectId")))
		}
	}
}

func (c *checker) placeholdersIn(v any, at Pos) {
	switch x := v.(type) {
	case string:
		c.placeholders(x, at)
	case []any:
		for _, e := range x {
			c.placeholdersIn(e, at)
		}
	case map[string]any:
		for _, k := range sorted(x) {
			c.placeholdersIn(x[k], at)
		}
	}
}

func (c *checker) records(e *Records) {
	if !e.exact && len(e.Contains)+len(e.None) == 0 && e.Count == nil {
		c.at(e.At, "nothing is expected here, so that it can't fail", "write [] for no record at all")
	}
	for _, list := range [][]Record{e.Exact, e.Contains, e.None} {
		for _, r := range list {
			if r.Object.Name != "" {
				c.known(r.Object)
			}
			c.code(r.Code, c.under(r.At, "code"))
			if r == (Record{At: r.At}) {
				c.at(r.At, "the record says nothing, so that any fits", "")
			}
		}
	}
}

// recordCodes are the codes that a log record can have: of errors, or for what was skipped.
func recordCodes() []string {
	known := slices.Clone(scim.Codes)
	for _, r := range []sim.SkipReason{sim.SkipRedundant, sim.SkipNotEntitled, sim.SkipImport, sim.SkipBlocked, sim.SkipHeld} {
		known = append(known, string(r))
	}
	return known
}

// code checks an error code or skip reason.
func (c *checker) code(code string, at Pos) {
	known := recordCodes()
	if code != "" && !slices.Contains(known, code) {
		c.at(at, fmt.Sprintf("no record has the code %q", code), nearest(code, known))
	}
}

func (c *checker) held(e Held, at Pos) {
	if len(e) == 0 {
		c.at(at, "target is empty, so that it can't fail", "")
	}
	for _, x := range e {
		if x.Key == "users" || x.Key == "groups" {
			if n, ok := x.Value.Data.(float64); !ok || n < 0 || n != float64(int(n)) {
				c.at(x.Value.At, fmt.Sprintf("%s is %s; expected how many there are", x.Key, show(x.Value.Data)), "")
			}
			continue
		}
		if !c.known(Handle{x.At, x.Key}) {
			continue
		}
		switch v := x.Value.Data.(type) {
		case string:
			if v != "absent" {
				c.at(x.Value.At, fmt.Sprintf("here is %q; expected absent, or a table of attributes", v), nearest(v, []string{"absent"}))
			}
		case map[string]any:
			c.placeholdersIn(v, x.Value.At)
			for _, name := range sorted(v) {
				if known := c.attributes(); v[name] == "absent" && !slices.Contains(known, name) && !strings.HasPrefix(name, "urn:") {
					c.at(x.Value.At, name+" is no attribute, so that this can't fail", nearest(name, known))
				}
			}
			if m, ok := v["members"]; ok {
				for _, h := range handlesIn(m) {
					c.known(Handle{x.Value.At, h})
				}
			}
		default:
			c.at(x.Value.At, fmt.Sprintf("here is %s; expected absent, or a table of attributes", show(v)), "")
		}
	}
}
