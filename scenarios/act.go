package scenarios

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/target"
)

// setUp makes tenant, target contents and application, in the order of the file.
func (p *Player) setUp(ctx context.Context) error {
	s, w := p.scenario, p.world
	if s.Tenant.Generate != nil {
		if err := p.generate(ctx, w.dir); err != nil {
			return err
		}
		for _, h := range s.Tenant.Handles {
			if err := p.find(h); err != nil {
				return err
			}
		}
		if err := p.markGenerated(); err != nil {
			return err
		}
	}
	if err := p.createAll(s.Tenant.Users, s.Tenant.Groups); err != nil {
		return err
	}
	if err := p.fillTarget(ctx, s.Target.Users, s.Target.Groups); err != nil {
		return err
	}
	if err := p.setFaults(s.Target.Faults); err != nil {
		return err
	}
	return p.application()
}

// generate makes the generated company; a mark of the run does not make it another one.
func (p *Player) generate(ctx context.Context, dir *directory.Store) error {
	return dir.Generate(ctx, Begin, p.scenario.company(p.opt.Seed), nil)
}

// company is what is generated when a run has this seed.
func (s *Scenario) company(seed int64) directory.Company {
	c := s.Tenant.Generate
	if c == nil {
		return directory.Company{}
	}
	if c.Seed != 0 {
		seed = c.Seed
	}
	if seed == 0 {
		seed = 1
	}
	return directory.Company{Users: c.Users, Groups: c.Groups, Seed: seed}
}

// generated lists who and which groups that company has.
func (s *Scenario) generated(seed int64) ([]directory.User, []directory.Group) {
	return s.company(seed).People(s.domain())
}

// application makes the application with its job and starts provisioning.
func (p *Player) application() error {
	s, w := p.scenario, p.world
	name := s.App.Name
	if name == "" {
		name = "Application"
	}
	var err error
	if w.app, err = w.svc.CreateApplication(name); err != nil {
		return err
	}
	url, token, scope := w.tenantURL(s.App), p.secret(s.App.Token), sim.SyncAssigned
	if s.App.Scope == "all" {
		scope = sim.SyncAll
	}
	template := sim.TemplateSCIM
	if s.App.Dialect == "customappsso" {
		template = sim.TemplateCustomAppSSO
	}
	edit, err := s.App.Settings.edit()
	if err != nil {
		return &placed{at: s.App.Settings.At, message: err.Error()}
	}
	edit.TenantURL, edit.SecretToken, edit.Scope = &url, &token, &scope
	if _, err = w.svc.CreateJobOf(w.app.ID, template, edit); err != nil {
		return err
	}
	schema, err := schemaOf(s.App)
	if err != nil {
		return err
	}
	if err := w.svc.SetSchema(w.app.ID, schema); err != nil {
		return err
	}
	if err := p.defineRoles(s.App.Roles); err != nil {
		return err
	}
	if err := p.assign(s.App.Assigned); err != nil {
		return err
	}
	if s.App.Started != nil && !*s.App.Started {
		return nil
	}
	return w.svc.Start(w.app.ID)
}

// secret is the token that an administrator enters.
func (p *Player) secret(which string) string {
	if which == "wrong" {
		return "a-token-that-the-target-refuses"
	}
	return p.world.token
}

// find binds a handle to a generated object.
func (p *Player) find(h Entry[FoundByName]) error {
	q := directory.Query{Limit: 999}
	for h.Value.User != "" {
		page, err := p.world.dir.Users(q)
		if err != nil {
			return err
		}
		for _, u := range page.Items {
			if u.UserPrincipalName == h.Value.User || u.DisplayName == h.Value.User {
				p.names.object(h.Key, u.ID)
				return nil
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return &placed{at: h.At, message: fmt.Sprintf("the generated company has no user %q", h.Value.User)}
		}
	}
	for {
		page, err := p.world.dir.Groups(q)
		if err != nil {
			return err
		}
		for _, g := range page.Items {
			if g.DisplayName == h.Value.Group {
				p.names.object(h.Key, g.ID)
				return nil
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return &placed{at: h.At, message: fmt.Sprintf("the generated company has no group %q", h.Value.Group)}
		}
	}
}

// createAll makes users and groups; managers and members follow when everybody is there.
func (p *Player) createAll(users, groups Objects) error {
	w, now := p.world, p.world.clock.Now()
	for _, e := range users {
		all := userDefaults(e.Key, w.dir.Tenant().DefaultDomain)
		setProps(all, e.Value, "manager")
		u, err := w.dir.CreateUser(now, p.marked(all, false))
		if err != nil {
			return &placed{at: e.At, message: fmt.Sprintf("create %s: %v", e.Key, err)}
		}
		p.names.object(e.Key, u.ID)
	}
	for _, e := range groups {
		all := groupDefaults(e.Key)
		setProps(all, e.Value, "members")
		p.ruled(all)
		g, err := w.dir.CreateGroup(now, p.marked(all, true))
		if err != nil {
			return &placed{at: e.At, message: fmt.Sprintf("create %s: %v", e.Key, err)}
		}
		p.names.object(e.Key, g.ID)
	}
	for _, e := range users {
		if boss, ok := e.Value.Get("manager"); ok && boss.Data != nil {
			if err := w.dir.SetManager(now, p.names.objects[e.Key], p.names.objects[fmt.Sprint(boss.Data)]); err != nil {
				return &placed{at: boss.At, message: fmt.Sprintf("manager of %s: %v", e.Key, err)}
			}
		}
	}
	for _, e := range groups {
		members, ok := e.Value.Get("members")
		if !ok {
			continue
		}
		list := handlesIn(members.Data)
		if len(list) == 0 {
			continue
		}
		ids := make([]string, len(list))
		for i, h := range list {
			ids[i] = p.names.objects[h]
		}
		if err := w.dir.AddMembers(now, p.names.objects[e.Key], ids...); err != nil {
			return &placed{at: members.At, message: fmt.Sprintf("members of %s: %v", e.Key, err)}
		}
	}
	return nil
}

// ruled puts ids into the membership rule of a group, {ann.objectId}: a file doesn't know them.
func (p *Player) ruled(props directory.Props) {
	rule, ok := props["membershipRule"].(string)
	if !ok {
		return
	}
	props["membershipRule"] = placeholder.ReplaceAllStringFunc(rule, func(name string) string {
		handle, property, _ := strings.Cut(name[1:len(name)-1], ".")
		if id := p.names.objects[handle]; id != "" && property == "objectId" {
			return id
		}
		return name
	})
}

// handlesIn lists the handles of a value: one alone or a list.
func handlesIn(v any) []string {
	switch x := v.(type) {
	case string:
		return []string{x}
	case []any:
		var list []string
		for _, e := range x {
			if h, ok := e.(string); ok {
				list = append(list, h)
			}
		}
		return list
	}
	return nil
}

// setProps puts the properties of a file into props, without the reference named.
func setProps(props directory.Props, m Map[Value], reference string) {
	for _, e := range m {
		if e.Key != reference {
			props[e.Key] = e.Value.Data
		}
	}
}

// fillTarget makes what the target holds before, or beside, provisioning.
func (p *Player) fillTarget(ctx context.Context, users, groups Objects) error {
	make := func(e Entry[Map[Value]], path, urn, naming, name string) error {
		doc := map[string]any{"schemas": []string{urn}, naming: name}
		for _, a := range e.Value {
			doc[a.Key] = a.Value.Data
			if strings.HasPrefix(a.Key, "urn:") {
				doc["schemas"] = append(doc["schemas"].([]string), a.Key)
			}
		}
		if members, ok := doc["members"]; ok {
			list, err := p.accountList(handlesIn(members))
			if err != nil {
				return &placed{at: e.At, message: err.Error()}
			}
			doc["members"] = list
		}
		doc = p.marked(doc, path == "/Groups")
		status, answer, err := p.world.call(ctx, http.MethodPost, path, nil, doc)
		if err != nil {
			return err
		}
		id, _ := answer["id"].(string)
		if status != http.StatusCreated && status != http.StatusOK || id == "" {
			return &placed{at: e.At, message: fmt.Sprintf("the target does not take %s: POST %s answered %d %s", e.Key, path, status, show(answer))}
		}
		p.posted(path+"/"+id, status, doc, answer)
		p.names.account(e.Key, id)
		return nil
	}
	for _, e := range users {
		if err := make(e, "/Users", "urn:ietf:params:scim:schemas:core:2.0:User", "userName", p.userName(e.Key)); err != nil {
			return err
		}
	}
	for _, e := range groups {
		if err := make(e, "/Groups", "urn:ietf:params:scim:schemas:core:2.0:Group", "displayName", displayName(e.Key)); err != nil {
			return err
		}
	}
	return nil
}

// userName is what an account is called unless the file says it.
func (p *Player) userName(handle string) string {
	name, _ := userDefaults(handle, p.world.dir.Tenant().DefaultDomain)["userPrincipalName"].(string)
	return name
}

// accountList is a list of members at the target.
func (p *Player) accountList(handles []string) ([]any, error) {
	list := []any{}
	for _, h := range handles {
		id := p.names.accounts[h]
		if id == "" {
			return nil, fmt.Errorf("%s has no account at the target yet", h)
		}
		list = append(list, map[string]any{"value": id})
	}
	return list, nil
}

// setFaults replaces what the embedded target does wrong.
func (p *Player) setFaults(list []Fault) error {
	if p.world.target == nil {
		return nil // scenarios with faults are not played elsewhere
	}
	out := make([]target.Fault, len(list))
	for i, f := range list {
		t := target.Fault{Method: f.Method, Path: f.Path, Status: f.Status, Headers: f.Headers, Body: f.Body, Delay: target.Delay(f.Delay.D),
			Drop: f.Drop, Ignore: f.Ignore, Duplicate: f.Duplicate, Hide: f.Hide, Lower: f.Lower, Times: f.Times, Probability: f.Probability}
		if m, ok := f.Rewrite.Data.(map[string]any); ok {
			t.Rewrite = m
		}
		if f.Object.Name != "" {
			t.Others = p.calledAs(f.Object.Name)
		}
		out[i] = t
	}
	return p.world.target.SetFaults(out)
}

// calledAs lists what a target may call an object.
func (p *Player) calledAs(handle string) []string {
	list := []string{p.names.objects[handle], p.names.accounts[handle]}
	if id := p.names.objects[handle]; id != "" {
		if u, err := p.world.dir.User(id); err == nil {
			list = append(list, u.UserPrincipalName, u.MailNickname)
		} else if g, err := p.world.dir.Group(id); err == nil {
			list = append(list, g.DisplayName)
		}
	}
	var names []string
	for _, n := range list {
		if n != "" {
			names = append(names, n)
		}
	}
	return names
}

// each does something with each of several objects, by their ids in the directory.
func (p *Player) each(list []Handle, do func(id string) error) error {
	return p.eachHandle(list, func(_, id string) error { return do(id) })
}

func (p *Player) eachHandle(list []Handle, do func(handle, id string) error) error {
	for _, h := range list {
		if err := do(h.Name, p.names.objects[h.Name]); err != nil {
			return &placed{at: h.At, message: fmt.Sprintf("%s: %v", h.Name, err)}
		}
	}
	return nil
}

// defineRoles gives the application roles beside those of its template.
func (p *Player) defineRoles(list Map[string]) error {
	if len(list) == 0 {
		return nil
	}
	w := p.world
	sp, err := w.dir.ServicePrincipal(w.app.ID)
	if err != nil {
		return err
	}
	for _, e := range list {
		sp.AppRoles = append(sp.AppRoles, directory.AppRole{ID: roleID(e.Key), Value: e.Key, DisplayName: e.Value, Description: e.Value, Enabled: true,
			AllowedMemberTypes: []string{"User"}})
	}
	return w.dir.SetAppRoles(w.clock.Now(), w.app.ID, sp.AppRoles)
}

// roleID derives the id of a role from its value.
func roleID(value string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://contoso.example/roles/"+value)).String()
}

func (p *Player) assign(list []Grant) error {
	for _, g := range list {
		role := ""
		if g.Role != "" {
			role = roleID(g.Role)
		}
		if _, err := p.world.svc.Assign(p.world.app.ID, p.names.objects[g.Name], role); err != nil {
			return &placed{at: g.At, message: fmt.Sprintf("%s: %v", g.Name, err)}
		}
	}
	return nil
}

// act carries out one action of a step.
func (p *Player) act(ctx context.Context, st *Step, action string) error {
	w, now := p.world, p.world.clock.Now()
	app := w.app.ID
	switch action {
	case "create":
		return p.createAll(st.Create.Users, st.Create.Groups)
	case "update":
		return p.update(st.Update)
	case "delete":
		return p.eachHandle(st.Delete, func(handle, id string) error {
			if p.scenario.kinds[handle] == user {
				return w.dir.DeleteUser(now, id)
			}
			return w.dir.DeleteGroup(now, id)
		})
	case "restore":
		return p.each(st.Restore, func(id string) error {
			_, err := w.dir.Restore(now, id)
			return err
		})
	case "purge":
		return p.eachHandle(st.Purge, p.purge)
	case "addMembers", "removeMembers":
		list, change := st.AddMembers, w.dir.AddMembers
		if action == "removeMembers" {
			list, change = st.RemoveMembers, w.dir.RemoveMembers
		}
		for _, e := range list {
			group := p.names.objects[e.Key]
			if err := p.each(e.Value, func(id string) error { return change(now, group, id) }); err != nil {
				return err
			}
		}
		return nil
	case "assign":
		return p.assign(st.Assign)
	case "unassign":
		return p.each(st.Unassign, func(id string) error { return w.svc.Unassign(app, id) })
	case "mappings", "filters":
		return p.schema(st, action)
	case "scope":
		scope := sim.SyncAssigned
		if st.Scope == "all" {
			scope = sim.SyncAll
		}
		return w.svc.UpdateSettings(app, sim.SettingsEdit{Scope: &scope})
	case "token":
		token := p.secret(st.Token)
		return w.svc.UpdateSettings(app, sim.SettingsEdit{SecretToken: &token})
	case "settings":
		edit, err := st.Settings.edit()
		if err != nil {
			return &placed{at: st.Settings.At, message: err.Error()}
		}
		return w.svc.UpdateSettings(app, edit)
	case "target":
		return p.editTarget(ctx, st.Target)
	case "faults":
		return p.setFaults(st.Faults)
	case "start":
		return w.svc.Start(app)
	case "pause":
		return w.svc.Pause(app)
	case "restart":
		return w.svc.Restart(app, resets[st.Restart])
	case "cycle":
		cycles, err := w.svc.RunCycles(ctx)
		p.cycles = append(p.cycles, cycles...)
		if err == nil && len(cycles) == 0 {
			err = errors.New("no cycle ran: provisioning is not started")
		}
		return err
	case "onDemand":
		req := sim.OnDemandRequest{ObjectID: p.names.objects[st.OnDemand.Object.Name]}
		for _, h := range st.OnDemand.Members {
			req.Members = append(req.Members, p.names.objects[h.Name])
		}
		answer, err := w.svc.OnDemand(ctx, app, req)
		if err != nil {
			return &placed{at: st.OnDemand.At, message: fmt.Sprintf("%s: %v", st.OnDemand.Object.Name, err)}
		}
		p.answer = &answer
		return nil
	case "advance":
		cycles, err := w.svc.Advance(ctx, st.Advance.D)
		p.cycles = append(p.cycles, cycles...)
		return err
	}
	return fmt.Errorf("there is no action %q", action)
}

// resets are the scopes of a restart.
var resets = map[string]sim.ResetScope{
	"default": sim.DefaultReset(), "full": sim.FullReset(), "escrows": {Escrows: true}, "watermark": {Watermark: true},
	"quarantine": {QuarantineState: true}, "links": {ConnectorDataStore: true, Watermark: true},
	"store": {ConnectorDataStore: true}, "forceDeletes": {ForceDeletes: true},
}

// purge deletes for good, from deleted items or at once.
func (p *Player) purge(handle, id string) error {
	w, now := p.world, p.world.clock.Now()
	err := w.dir.Purge(now, id)
	if directory.CodeOf(err) != directory.NotFound {
		return err
	}
	if p.scenario.kinds[handle] == user {
		err = w.dir.DeleteUser(now, id)
	} else {
		err = w.dir.DeleteGroup(now, id)
	}
	if err != nil {
		return err
	}
	if err := w.dir.Purge(now, id); directory.CodeOf(err) != directory.NotFound { // some groups are gone at once
		return err
	}
	return nil
}

// update changes properties in the directory.
func (p *Player) update(list Objects) error {
	w, now := p.world, p.world.clock.Now()
	for _, e := range list {
		id := p.names.objects[e.Key]
		var err error
		props := directory.Props{}
		setProps(props, e.Value, "")
		p.ruled(props)
		if boss, ok := e.Value.Get("manager"); ok && boss.Data != nil {
			props["manager"] = p.names.objects[fmt.Sprint(boss.Data)]
		}
		if p.scenario.kinds[e.Key] == user {
			_, err = w.dir.UpdateUser(now, id, p.marked(props, false))
		} else {
			_, err = w.dir.UpdateGroup(now, id, p.marked(props, true))
		}
		if err != nil {
			return &placed{at: e.At, message: fmt.Sprintf("update %s: %v", e.Key, err)}
		}
	}
	return nil
}

// schema changes mappings or filters of the job.
func (p *Player) schema(st *Step, action string) error {
	schema, err := p.world.svc.Schema(p.world.app.ID)
	if err != nil {
		return err
	}
	if action == "filters" {
		err = applyFilters(schema, st.Filters)
	} else {
		err = st.Mappings.apply(schema)
	}
	if err != nil {
		return err
	}
	return p.world.svc.SetSchema(p.world.app.ID, schema)
}

// editTarget changes what the target holds behind the service's back, with requests of the scenario's own.
func (p *Player) editTarget(ctx context.Context, e *TargetEdit) error {
	if e.Create != nil {
		if err := p.fillTarget(ctx, e.Create.Users, e.Create.Groups); err != nil {
			return err
		}
	}
	for _, u := range e.Update {
		path, err := p.resource(u.Key)
		if err != nil {
			return &placed{at: u.At, message: err.Error()}
		}
		if err := p.ours(http.MethodPatch, path); err != nil {
			return &placed{at: u.At, message: err.Error()}
		}
		var ops []any
		for _, a := range u.Value {
			value := a.Value.Data
			if a.Key == "members" {
				if value, err = p.accountList(handlesIn(value)); err != nil {
					return &placed{at: u.At, message: err.Error()}
				}
			}
			if text, ok := value.(string); ok {
				value = p.marked(directory.Props{a.Key: text}, strings.HasPrefix(path, "/Groups"))[a.Key]
			}
			ops = append(ops, map[string]any{"op": "replace", "path": a.Key, "value": value})
		}
		body := map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops}
		status, answer, err := p.world.call(ctx, http.MethodPatch, path, nil, body)
		if err != nil {
			return err
		}
		if status >= 300 {
			return &placed{at: u.At, message: fmt.Sprintf("the target does not change %s: PATCH %s answered %d %s", u.Key, path, status, show(answer))}
		}
	}
	for _, h := range e.Delete {
		path, err := p.resource(h.Name)
		if err != nil {
			return &placed{at: h.At, message: err.Error()}
		}
		if err := p.ours(http.MethodDelete, path); err != nil {
			return &placed{at: h.At, message: err.Error()}
		}
		if status, answer, err := p.world.call(ctx, http.MethodDelete, path, nil, nil); err != nil {
			return err
		} else if status >= 300 {
			return &placed{at: h.At, message: fmt.Sprintf("the target does not delete %s: %d %s", h.Name, status, show(answer))}
		}
	}
	return nil
}

// ours keeps the scenario's own hand off what a foreign target had before.
func (p *Player) ours(method, path string) error {
	if p.target.Own() {
		return nil
	}
	return p.guard(method, p.world.base+path)
}

// resource is the path of a handle's account or group at the target.
func (p *Player) resource(handle string) (string, error) {
	id := p.names.accounts[handle]
	if id == "" {
		return "", fmt.Errorf("%s has no account at the target", handle)
	}
	return "/" + p.scenario.kinds[handle] + "s/" + url.PathEscape(id), nil
}
