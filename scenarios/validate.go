package scenarios

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
	"entrasim/sim/target"
)

var handleName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// checker follows a scenario through its steps without carrying anything out.
type checker struct {
	*decoder
	s *Scenario
	// directory says where each handle of the directory is; account which handles may have an object at the target.
	directory map[string]string // live, deleted or purged
	account   map[string]bool
	schema    *mapping.Schema
	bound     map[string]Pos // {?x}, where it stands first
	uses      map[string]int
}

const (
	live    = "live"
	deleted = "deleted"
	purged  = "purged"
)

// validate finds what is wrong with a scenario that was read.
func (d *decoder) validate(s *Scenario) {
	s.kinds = map[string]string{}
	c := &checker{decoder: d, s: s, directory: map[string]string{}, account: map[string]bool{}, bound: map[string]Pos{}, uses: map[string]int{}}
	c.beginning()
	if len(s.Steps) == 0 {
		c.at(s.At, "steps is empty: nothing is done", "")
	}
	for i := range s.Steps {
		c.step(&s.Steps[i])
	}
	for name, at := range c.bound {
		if c.uses[name] == 1 {
			c.warn(at, fmt.Sprintf("{?%s} stands only here, so that it matches anything", name), "write {*}, or use it again")
		}
	}
	if !s.expects() {
		c.warn(s.At, "the scenario expects nothing, so that it can't fail", "")
	}
}

func (s *Scenario) expects() bool {
	return slices.ContainsFunc(s.Steps, func(st Step) bool { return st.Expect != nil })
}

// beginning checks what is there before the first step.
func (c *checker) beginning() {
	s := c.s
	if s.Tenant.Domain != "" && !strings.Contains(s.Tenant.Domain, ".") {
		c.at(s.Tenant.At, fmt.Sprintf("domain %q is no domain", s.Tenant.Domain), "")
	}
	if g := s.Tenant.Generate; g != nil && (g.Users < 0 || g.Groups < 0 || g.Users > 100000 || g.Groups > 10000) {
		c.at(g.At, "a generated company has 0 to 100000 users and 0 to 10000 groups", "")
	}
	for _, h := range s.Tenant.Handles {
		kind := user
		if h.Value.Group != "" {
			kind = group
		}
		if (h.Value.User == "") == (h.Value.Group == "") {
			c.at(h.At, h.Key+" is either a user or a group", "")
		}
		if s.Tenant.Generate == nil {
			c.at(h.At, "there is no generated company to find "+h.Key+" in", "put users under tenant.users")
		}
		c.declare(h.Key, h.At, kind, true)
	}
	c.objects(s.Tenant.Users, s.Tenant.Groups)
	c.contents(s.Target.Users, s.Target.Groups)
	if s.Target.URL != "" {
		if _, err := scim.ParseTenantURL(s.Target.URL); err != nil {
			c.at(s.Target.At, err.Error(), "")
		}
	} else if s.Target.Token != "" {
		c.at(s.Target.At, "token belongs to a url; the embedded target has its own", "")
	}
	c.faults(s.Target.Faults)
	c.grants(s.App.Assigned)
	if len(s.App.Assigned) == 0 && s.App.Scope != "all" && !s.assignsLater() {
		c.warn(s.App.At.or(s.At), "nobody is assigned, so that nothing is provisioned", "name somebody under application.assigned, or set scope: all")
	}
	schema, err := schemaOf(s.App)
	if err != nil {
		c.place(err, s.App.At)
		schema = mapping.Default()
	}
	c.schema = schema
}

// grants checks who is assigned, and with which role.
func (c *checker) grants(list []Grant) {
	roles := c.s.App.Roles.keys()
	for _, g := range list {
		c.present(g.Handle)
		if g.Role != "" && !slices.Contains(roles, g.Role) {
			c.at(g.At, fmt.Sprintf("the application has no role %q", g.Role), nearest(g.Role, roles))
		}
	}
}

func (s *Scenario) assignsLater() bool {
	return slices.ContainsFunc(s.Steps, func(st Step) bool { return len(st.Assign) > 0 || st.Scope == "all" })
}

func (p Pos) or(other Pos) Pos {
	if p.Line == 0 {
		return other
	}
	return p
}

// place reports an error where it says, else at the place given.
func (c *checker) place(err error, at Pos) {
	if p, ok := err.(*placed); ok {
		c.at(p.at.or(at), p.message, "")
		return
	}
	c.at(at, err.Error(), "")
}

// declare gives a handle a meaning. One of the tenant and one of the target may be the same; twice in one place may not.
func (c *checker) declare(handle string, at Pos, kind string, inDirectory bool) {
	switch {
	case !handleName.MatchString(handle):
		c.at(at, fmt.Sprintf("%q is no handle: letters, digits, - and _, beginning with a letter", handle), "")
		return
	case handle == "users" || handle == "groups":
		c.at(at, handle+" can't be a handle: expectations count by it", "")
		return
	case c.s.kinds[handle] != "" && c.s.kinds[handle] != kind:
		c.at(at, fmt.Sprintf("%s is a %s already", handle, strings.ToLower(c.s.kinds[handle])), "")
	case inDirectory && c.directory[handle] != "", !inDirectory && c.account[handle] && c.directory[handle] == "":
		c.at(at, handle+" is there already", "")
	}
	c.s.kinds[handle] = kind
	if inDirectory {
		c.directory[handle] = live
	} else {
		c.account[handle] = true
	}
}

// objects checks users and groups that are made in the directory.
func (c *checker) objects(users, groups Objects) {
	for _, e := range users {
		c.declare(e.Key, e.At, user, true)
	}
	for _, e := range groups {
		c.declare(e.Key, e.At, group, true)
	}
	for _, e := range users {
		c.properties(e, user)
	}
	for _, e := range groups {
		c.properties(e, group)
	}
}

// properties checks the properties of one directory object.
func (c *checker) properties(e Entry[Map[Value]], kind string) {
	for _, p := range e.Value {
		switch {
		case kind == user && p.Key == "manager":
			if p.Value.Data != nil {
				c.reference(p.Value, user)
			}
		case kind == group && p.Key == "members":
			c.references(p.Value)
		case kind == user:
			checkProperty(c, p, directory.UserProperties(), "manager")
		default:
			checkProperty(c, p, directory.GroupProperties(), "members")
		}
	}
}

var extension = regexp.MustCompile(`^extension_[0-9a-fA-F]{32}_[A-Za-z0-9_]{1,128}$`)

func checkProperty[T any](c *checker, p Entry[Value], table []directory.Property[T], reference string) {
	if strings.HasPrefix(p.Key, "extension_") {
		if !extension.MatchString(p.Key) {
			c.at(p.At, "a directory extension is named extension_<appId without hyphens>_<name>", "")
		}
		return
	}
	names := []string{reference}
	for _, row := range table {
		outer, _, nested := strings.Cut(row.Name, "/")
		if row.Name == p.Key || nested && outer == p.Key {
			switch {
			case row.ReadOnly:
				c.at(p.At, p.Key+" is set by the directory", "")
			case !nested:
				c.propertyType(p, row.Type)
			}
			return
		}
		names = append(names, outer)
	}
	c.at(p.At, fmt.Sprintf("there is no property %q", p.Key), nearest(p.Key, names))
}

func (c *checker) propertyType(p Entry[Value], t directory.Type) {
	want, ok := "", p.Value.Data == nil
	switch t {
	case directory.TypeString:
		_, is := p.Value.Data.(string)
		want, ok = "a text", ok || is
	case directory.TypeBoolean:
		_, is := p.Value.Data.(bool)
		want, ok = "true or false", ok || is
	case directory.TypeTime:
		text, is := p.Value.Data.(string)
		if is {
			_, err := time.Parse(time.RFC3339Nano, text)
			is = err == nil
		}
		want, ok = "a time such as 2026-01-31T09:00:00Z", ok || is
	case directory.TypeStrings, directory.TypeObjects:
		_, is := p.Value.Data.([]any)
		want, ok = "a list", ok || is
	}
	if !ok {
		hint := ""
		if want == "a text" {
			hint = "put it in quotes"
		}
		c.at(p.Value.At, fmt.Sprintf("%s is %s; expected %s", p.Key, show(p.Value.Data), want), hint)
	}
}

// reference checks a handle that stands as a value.
func (c *checker) reference(v Value, kind string) {
	name, ok := v.Data.(string)
	if !ok {
		c.at(v.At, fmt.Sprintf("here is %s; expected a handle", show(v.Data)), "")
		return
	}
	h := Handle{v.At, name}
	if c.present(h) && kind != "" && c.s.kinds[name] != kind {
		c.at(v.At, fmt.Sprintf("%s is a %s; expected a %s", name, strings.ToLower(c.s.kinds[name]), strings.ToLower(kind)), "")
	}
}

func (c *checker) references(v Value) {
	list, ok := v.Data.([]any)
	if name, one := v.Data.(string); one {
		list, ok = []any{name}, true
	}
	if !ok && v.Data != nil {
		c.at(v.At, fmt.Sprintf("members is %s; expected a list of handles", show(v.Data)), "")
		return
	}
	for i, x := range list {
		at := v.At
		if v.node != nil && i < len(v.node.Content) {
			at = posOf(v.node.Content[i])
		}
		c.reference(Value{At: at, Data: x}, "")
	}
}

// known checks that a handle means something.
func (c *checker) known(h Handle) bool {
	if c.s.kinds[h.Name] != "" {
		return true
	}
	c.at(h.At, fmt.Sprintf("nobody is called %q here", h.Name), nearest(h.Name, sorted(c.s.kinds)))
	return false
}

// present checks that a handle means something that is in the directory now.
func (c *checker) present(h Handle) bool {
	if !c.known(h) {
		return false
	}
	switch c.directory[h.Name] {
	case live:
		return true
	case "":
		c.at(h.At, h.Name+" is at the target only, not in the directory", "")
	default:
		c.at(h.At, h.Name+" was deleted before", "")
	}
	return false
}

// contents checks what the target holds from the beginning or gets behind the service's back.
func (c *checker) contents(users, groups Objects) {
	for _, e := range users {
		c.declare(e.Key, e.At, user, false)
	}
	for _, e := range groups {
		c.declare(e.Key, e.At, group, false)
		if m, ok := e.Value.Get("members"); ok {
			c.accounts(m)
		}
	}
}

// accounts checks handles that must have an object at the target.
func (c *checker) accounts(v Value) {
	for _, name := range handlesIn(v.Data) {
		if c.known(Handle{v.At, name}) && !c.account[name] && c.directory[name] == "" {
			c.at(v.At, name+" has no account at the target", "")
		}
	}
}

func (c *checker) faults(list []Fault) {
	check, err := target.New(target.Options{Now: time.Now})
	if err != nil {
		c.at(c.s.At, err.Error(), "")
		return
	}
	for _, f := range list {
		if f.Object.Name != "" {
			c.known(f.Object)
		}
		t := target.Fault{Method: f.Method, Path: f.Path, Status: f.Status, Headers: f.Headers, Body: f.Body, Delay: target.Delay(f.Delay.D), Drop: f.Drop,
			Ignore: f.Ignore, Duplicate: f.Duplicate, Hide: f.Hide, Lower: f.Lower, Times: f.Times, Probability: f.Probability}
		if f.Rewrite.Set {
			m, ok := f.Rewrite.Data.(map[string]any)
			if !ok {
				c.at(f.Rewrite.At, "rewrite is a table of attributes and their values", "")
			}
			t.Rewrite = m
		}
		if err := check.SetFaults([]target.Fault{t}); err != nil {
			c.at(f.At, strings.TrimPrefix(err.Error(), "faults[0]: "), "")
		}
	}
}

// step checks one step and notes what it changes.
func (c *checker) step(st *Step) {
	if len(st.order) == 0 && st.Expect == nil {
		c.at(st.At, "the step does nothing and expects nothing", "")
	}
	runs, edits := false, false
	for _, a := range st.order {
		f := fieldsOf(st).must(a)
		runs = runs || f.runs
		edits = edits || !f.runs
		c.action(st, a)
	}
	if st.Expect != nil {
		c.expect(st.Expect, runs)
	}
}

func (c *checker) action(st *Step, action string) {
	switch action {
	case "create":
		c.objects(st.Create.Users, st.Create.Groups)
	case "update":
		for _, e := range st.Update {
			if c.present(Handle{e.At, e.Key}) {
				if len(e.Value) == 0 {
					c.at(e.At, "nothing of "+e.Key+" is changed", "")
				}
				if m, ok := e.Value.Get("members"); ok && c.s.kinds[e.Key] == group {
					c.at(m.At, "members change with addMembers and removeMembers", "")
					continue
				}
				c.properties(e, c.s.kinds[e.Key])
			}
		}
	case "delete":
		for _, h := range st.Delete {
			if c.present(h) {
				c.directory[h.Name] = deleted
			}
		}
	case "restore":
		for _, h := range st.Restore {
			if c.known(h) {
				if c.directory[h.Name] != deleted {
					c.at(h.At, h.Name+" is not among the deleted items", "")
				}
				c.directory[h.Name] = live
			}
		}
	case "purge":
		for _, h := range st.Purge {
			if c.known(h) {
				if c.directory[h.Name] == purged || c.directory[h.Name] == "" {
					c.at(h.At, h.Name+" is not in the directory", "")
				}
				c.directory[h.Name] = purged
			}
		}
	case "addMembers", "removeMembers":
		list := st.AddMembers
		if action == "removeMembers" {
			list = st.RemoveMembers
		}
		for _, e := range list {
			if c.present(Handle{e.At, e.Key}) && c.s.kinds[e.Key] != group {
				c.at(e.At, e.Key+" is no group", "")
			}
			for _, h := range e.Value {
				c.present(h)
			}
		}
	case "assign", "unassign":
		c.grants(st.Assign)
		for _, h := range st.Unassign {
			c.present(h)
		}
	case "mappings":
		if err := st.Mappings.apply(c.schema); err != nil {
			c.place(err, st.Mappings.At)
		}
	case "filters":
		if err := applyFilters(c.schema, st.Filters); err != nil {
			c.place(err, st.Filters.At.or(st.At))
		}
	case "target":
		c.targetEdit(st.Target)
	case "faults":
		c.faults(st.Faults)
	case "advance":
		if st.Advance.D > 10*366*24*time.Hour {
			c.at(st.Advance.At, "a step advances by ten years at most", "")
		}
	}
}

func (c *checker) targetEdit(e *TargetEdit) {
	if e.Create == nil && len(e.Update) == 0 && len(e.Delete) == 0 {
		c.at(e.At, "nothing is changed: create, update or delete something", "")
	}
	if e.Create != nil {
		c.contents(e.Create.Users, e.Create.Groups)
	}
	for _, u := range e.Update {
		c.known(Handle{u.At, u.Key})
		if m, ok := u.Value.Get("members"); ok {
			c.accounts(m)
		}
	}
	for _, h := range e.Delete {
		c.known(h)
	}
}

// expect checks what a step expects: that it can be seen there, and that it can fail.
func (c *checker) expect(e *Expect, runs bool) {
	given := 0
	for _, f := range fieldsOf(e).all {
		if f.value.IsNil() {
			continue
		}
		given++
		if f.needsRun && !runs {
			at := e.At
			if place := fieldsOf(f.value.Interface()).place; place.IsValid() {
				at, _ = place.Interface().(Pos)
			}
			c.at(at.or(e.At), fmt.Sprintf("%s can't be seen here: nothing runs in this step", f.name), "add cycle or advance to it")
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
	if y := e.Cycles; y != nil && y.Count == nil && len(y.List) == 0 {
		c.at(y.At, "cycles is empty; write the number 0 for none", "")
	}
	if j := e.Job; j != nil && *j == (JobState{At: j.At}) {
		c.at(j.At, "job is empty, so that it can't fail", "")
	}
	if e.Target != nil {
		c.held(*e.Target, e.At)
	}
	if limit := scim.DefaultOptions().Timeout; e.Slowest != nil && e.Slowest.D >= limit {
		c.at(e.Slowest.At, fmt.Sprintf("slowest can't fail: no request waits longer than %s", limit), "")
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
	if why := impossible(l, r, probes); why != "" {
		if forbids {
			why += ", so that this can't fail"
		}
		c.at(r.At, why, "")
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
			if r == (Record{At: r.At}) {
				c.at(r.At, "the record says nothing, so that any fits", "")
			}
		}
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
