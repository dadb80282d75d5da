package scenarios

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"entrasim/directory"
	"entrasim/directory/memberrule"
	"entrasim/sim"
	"entrasim/sim/mapping"
	"entrasim/sim/rules"
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
	c.shown()
	if len(s.Steps) == 0 {
		c.at(s.At, "steps is empty: nothing is done", "")
	}
	if strings.TrimSpace(s.Name) == "" {
		c.at(s.At, "name is empty", "")
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

// shown checks the ids of what the scenario shows.
func (c *checker) shown() {
	known := rules.IDs()
	seen := map[string]bool{}
	for _, r := range c.s.Shows {
		switch {
		case !slices.Contains(known, r.ID):
			c.at(r.At, fmt.Sprintf("there is no rule %q", r.ID), nearest(r.ID, known))
		case seen[r.ID]:
			c.at(r.At, r.ID+" stands here twice", "")
		}
		seen[r.ID] = true
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
	c.find(1)
	c.objects(s.Tenant.Users, s.Tenant.Groups)
	c.unique(s.Tenant.Users)
	c.contents(s.Target.Users, s.Target.Groups)
	if s.Target.URL != "" {
		if _, err := scim.ParseTenantURL(s.Target.URL); err != nil {
			c.at(s.Target.At, err.Error(), "")
		}
	} else if s.Target.Token != "" {
		c.at(s.Target.At, "token belongs to a url; the embedded target has its own", "")
	}
	c.faults(s.Target.Faults)
	c.settings(&s.App.Settings)
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
	seen := map[[2]string]bool{}
	for _, g := range list {
		c.present(g.Handle)
		if seen[[2]string{g.Name, g.Role}] {
			c.at(g.At, g.Name+" stands here twice", "")
		}
		seen[[2]string{g.Name, g.Role}] = true
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
		if in, ok := c.places[p.table][p.name]; ok {
			p.at = in
		}
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
			if p.Value.Data == e.Key {
				c.at(p.Value.At, fmt.Sprintf("%s can't be the manager of %s", e.Key, e.Key), "")
			} else if p.Value.Data != nil {
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
	if rule, is := p.Value.Data.(string); is && p.Key == "membershipRule" {
		c.placeholders(rule, p.Value.At)
		if _, err := memberrule.Parse(placeholder.ReplaceAllString(rule, uuid.Nil.String())); err != nil {
			c.at(p.Value.At, "membershipRule can't be evaluated. "+err.Error(), "")
		}
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
		c.reaches(f)
		if err := check.SetFaults([]target.Fault{t}); err != nil {
			c.at(f.At, strings.TrimPrefix(err.Error(), "faults[0]: "), "")
		}
	}
}

// parameters are what a query of the service, or of a scenario, can have.
var parameters = []string{"filter", "excludedAttributes", "attributes", "startIndex", "count", "sortBy", "sortOrder"}

// reaches checks that a fault can meet a request.
func (c *checker) reaches(f Fault) {
	first, _, _ := strings.Cut(strings.TrimPrefix(f.Path, "/"), "/")
	if f.Path != "" && !strings.ContainsAny(first, "*?[\\") && !slices.Contains([]string{"Users", "Groups", "Schemas", "ResourceTypes", "ServiceProviderConfig"}, first) {
		c.at(f.At, fmt.Sprintf("path %q fits no request; paths begin with /Users or /Groups", f.Path), "")
	}
	for _, name := range f.Ignore {
		if !slices.Contains(parameters, name) {
			c.at(f.At, fmt.Sprintf("ignore: no request has a parameter %q", name), nearest(name, parameters))
		}
	}
}

// step checks one step and notes what it changes.
func (c *checker) step(st *Step) {
	if len(st.order) == 0 && st.Expect == nil {
		c.at(st.At, "the step does nothing and expects nothing", "")
	}
	seen := map[string]bool{"": true}
	for _, a := range st.order {
		f := fieldsOf(st).must(a)
		seen["act"] = true
		if kind := f.value.Kind(); kind == reflect.Slice && f.value.Len() < f.least {
			c.at(st.At, a+" names nobody", "")
		}
		seen["cycle"], seen["demand"] = seen["cycle"] || f.runs, seen["demand"] || f.demands
		c.action(st, a)
	}
	seen["run"] = seen["cycle"] || seen["demand"]
	if st.Expect != nil {
		c.expect(st.Expect, seen)
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
	case "settings":
		c.settings(st.Settings)
	case "onDemand":
		c.demand(st.OnDemand)
	case "advance":
		if st.Advance.D > 10*366*24*time.Hour {
			c.at(st.Advance.At, "a step advances by ten years at most", "")
		}
	}
}

// demand checks who is provisioned on demand. Who is among the deleted items can be asked for as well.
func (c *checker) demand(d *Demand) {
	if d.Object.Name == "" {
		c.at(d.At, "object is missing: name a user or a group", "")
		return
	}
	if !c.known(d.Object) {
		return
	}
	switch c.directory[d.Object.Name] {
	case "":
		c.at(d.Object.At, d.Object.Name+" is at the target only, not in the directory", "")
	case purged:
		c.at(d.Object.At, d.Object.Name+" was deleted for good before", "")
	}
	switch {
	case len(d.Members) > 0 && c.s.kinds[d.Object.Name] != group:
		c.at(d.Members[0].At, d.Object.Name+" is no group, and has no members", "")
	case len(d.Members) > sim.OnDemandMembers:
		c.at(d.Members[sim.OnDemandMembers].At, fmt.Sprintf("a run on demand takes %d members at most", sim.OnDemandMembers), "leave the others to a cycle")
	}
	for _, h := range d.Members {
		if c.present(h) && c.s.kinds[h.Name] != user {
			c.at(h.At, h.Name+" is no user", "")
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
