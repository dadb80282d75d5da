package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// Check is one condition of an explanation.
type Check struct {
	Name string `json:"name"`
	Pass bool   `json:"pass"`
	Text string `json:"text"`
	Rule string `json:"rule,omitempty"`
}

// Explanation says, for one application, why an object is or is not at the target.
type Explanation struct {
	ApplicationID   string     `json:"applicationId"`
	ApplicationName string     `json:"applicationName"`
	Verdict         string     `json:"verdict"` // one sentence
	InScope         bool       `json:"inScope"`
	Checks          []Check    `json:"checks"` // the four conditions of scope
	Steps           []Check    `json:"steps"`  // what comes behind them: mapping, match, last result, next look
	Link            *LinkView  `json:"link"`
	Escrow          *Escrow    `json:"escrow"`
	Last            *LogRecord `json:"lastRecord"`
	Next            *time.Time `json:"nextCycle"`
	Rules           []string   `json:"rules"`
	Held            bool       `json:"held,omitempty"` // accidental deletion prevention holds its deletion back
}

// LinkView is a link as it is shown.
type LinkView struct {
	TargetID string    `json:"targetId"`
	State    LinkState `json:"state"`
	Created  bool      `json:"created"`
	Since    time.Time `json:"since"`
}

// Why explains an object, given by its id or UPN, for each application that has a provisioning job.
func (s *Service) Why(objectID string) ([]Explanation, error) {
	n, ok := s.num(objectID)
	if !ok {
		return nil, notFound("there is no object %q in the directory", objectID)
	}
	s.mu.Lock()
	jobs := s.sortedJobs()
	s.mu.Unlock()
	list := make([]Explanation, 0, len(jobs))
	for _, j := range jobs {
		x, err := s.explain(j, n, objectID)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, nil
}

func (s *Service) explain(j *job, n uint64, objectID string) (x Explanation, err error) {
	v := s.view(j)
	x = Explanation{ApplicationID: v.ApplicationID, ApplicationName: v.ApplicationName}
	j.mu.Lock()
	set, all, tune := j.set, v.ScopeInForce == SyncAll, s.tune(j)
	j.mu.Unlock()
	var src source
	var paths []string
	var link *Link
	var again sentAttributes
	var refs *Check
	due, err := s.due(j, set, all)
	if err != nil {
		return x, err
	}
	whole := due == nil || j.readsAll()
	err = s.dir.View(func(r *directory.Reader) (err error) {
		b := jobBucket(r.Tx(), j.num)
		if b == nil {
			return nil
		}
		if link, err = getLink(b, n); err != nil {
			return err
		}
		if again, err = getAgain(b, n); err != nil {
			return err
		}
		x.Held = b.Bucket(bucketHeld).Get(key(n)) != nil
		src, _ = readSource(r, j.num, all, set, n)
		paths = assignmentPaths(r, j.num, n)
		if refs, err = whyReferences(r, b, mappingOf(set, src.Kind), &src, link); err != nil {
			return err
		}
		x.Escrow, err = getEscrow(b, escrowKey{EscrowObject, n, 0})
		return err
	})
	if err != nil {
		return x, err
	}
	if link != nil {
		x.Link = &LinkView{link.Target, link.State, link.Created, link.Since}
	}
	x.InScope = src.scope.In()
	x.Checks = checks(&src, paths, all)
	if logs, err := s.Logs(LogQuery{ObjectID: objectID, ApplicationID: x.ApplicationID, Limit: 1}); err == nil && len(logs.Items) > 0 {
		x.Last = &logs.Items[0]
	}
	if !v.NextCycle.IsZero() {
		x.Next = &v.NextCycle
	}
	more := whyMore{src: &src, m: mappingOf(set, src.Kind), link: link, again: again, job: v, now: s.clock.Now(), refs: refs, looked: whole || due[n], due: due[n]}
	more.look(s, tune)
	x.Steps = s.steps(&x, more)
	x.Verdict, x.Rules = verdict(&src, &x, &more)
	return x, nil
}

// assignmentPaths tells how an object is assigned: directly, and through which groups.
func assignmentPaths(r *directory.Reader, app, n uint64) []string {
	var paths []string
	if len(r.Assigned(app, n)) > 0 {
		paths = append(paths, "directly")
	}
	r.EachGroupOf(n, func(group uint64) bool {
		if g, ok := r.GroupByNum(group); ok && g.State == directory.Live && g.SecurityEnabled && len(r.Assigned(app, group)) > 0 {
			paths = append(paths, "through the group "+g.DisplayName)
		}
		return true
	})
	return paths
}

func checks(src *source, paths []string, all bool) []Check {
	active := Check{Name: "Active in the source system", Pass: src.scope.Active, Text: "The account is enabled.", Rule: "S-118"}
	if src.Kind == directory.KindGroup {
		active.Rule = "S-211"
	}
	switch {
	case src.State != directory.Live:
		active.Text = "It is deleted in the directory."
	case !src.scope.Active:
		active.Text = "The account is blocked: accountEnabled is false."
	case src.Kind == directory.KindGroup:
		active.Text = "The group exists."
	}
	assigned := Check{Name: "Assigned to the application", Pass: src.scope.entitled(), Rule: "S-106"}
	switch {
	case len(paths) > 0 && src.scope.Assigned:
		assigned.Text = "Assigned " + join(paths) + "."
	case all:
		assigned.Text, assigned.Rule = "Not asked for: the scope is Sync all users and groups.", "S-101"
	case src.scope.Insecure:
		assigned.Text, assigned.Rule = "Assigned only through a group that is not security-enabled.", "S-108"
	default:
		assigned.Text = "Neither assigned directly nor an immediate member of an assigned group."
	}
	role := Check{Name: kindName(src.Kind) + " has the required role", Pass: src.scope.entitled(), Text: "Any assignment will do, default access included.", Rule: "S-113"}
	if !role.Pass {
		role.Text = "There is no role without an assignment."
	}
	filter := Check{Name: "Scoping filter evaluation passed", Pass: src.scope.Filter, Text: "No scoping filter is set.", Rule: "S-120"}
	switch {
	case src.unread:
		filter.Pass, filter.Text, filter.Rule = false, "The mapping's input filter drops it right after reading: nothing is sent, whatever its state.", "S-124"
	case src.scope.Why != "":
		filter.Text = capital(src.scope.Why) + "."
	case src.scope.Filters != "" && src.scope.Filters != "{}":
		filter.Text = src.scope.Filters
	}
	return []Check{active, assigned, role, filter}
}

func join(list []string) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0]
	}
	text := ""
	for i, s := range list[:len(list)-1] {
		if i > 0 {
			text += ", "
		}
		text += s
	}
	return text + " and " + list[len(list)-1]
}

// verdict says it in one sentence.
func verdict(src *source, x *Explanation, w *whyMore) (string, []string) {
	who, j, when := src.DisplayName, w.job, w.when()
	switch {
	case w.m == nil:
		return fmt.Sprintf("%s is not provisioned to %s: the %s mapping is off.", who, x.ApplicationName, kindName(src.Kind)), []string{"S-110"}
	case src.unread:
		return fmt.Sprintf("Nothing is sent for %s: the mapping's input filter drops it right after reading.", who), []string{"S-124"}
	case x.Escrow != nil:
		if j.Started() && j.Status.Quarantine == nil && x.Next != nil && !w.due && j.Progress == nil && x.Escrow.Due.After(*x.Next) {
			when = "with the first cycle from " + dayTime(x.Escrow.Due) + " on"
		}
		return fmt.Sprintf("The last try for %s failed with %s; it is tried again %s.", who, x.Escrow.Code, when), []string{"S-140", "S-144"}
	case x.Held && !x.InScope:
		return fmt.Sprintf("%s is out of scope and stays as it is at the target: its deletion is held by the deletion threshold until deletes are allowed.", who), []string{"S-223", "S-225", "S-230"}
	case x.InScope && x.Link != nil && x.blocked() != nil:
		c := x.blocked()
		return fmt.Sprintf("%s is linked, and no change of it is sent: %s", who, lowerFirst(c.Text)), []string{c.Rule}
	case x.InScope && x.Link != nil && x.Link.State == LinkActive:
		text, rules := ended(who+" is provisioned to "+x.ApplicationName), []string{map[bool]string{true: "S-063", false: "S-064"}[x.Link.Created]}
		if w.due {
			return text + " A change of it is carried there " + when + ".", append(rules, "S-071")
		}
		return text, rules
	case x.InScope && x.Link != nil && !w.looked:
		return fmt.Sprintf("%s is back in scope, and the target was not told; %s.", who, notLooked), []string{"S-071"}
	case x.InScope && x.Link != nil:
		return fmt.Sprintf("%s is back in scope and is activated %s.", who, when), []string{"W-056"}
	case x.InScope && x.blocked() != nil:
		c := x.blocked()
		return fmt.Sprintf("%s is in scope, and nothing is sent: %s", who, lowerFirst(c.Text)), []string{c.Rule}
	case x.InScope && !w.looked:
		return fmt.Sprintf("%s is in scope and has no object at the target; %s.", who, notLooked), []string{"S-071", "S-304"}
	case x.InScope:
		return fmt.Sprintf("%s is in scope and is provisioned %s.", who, when), []string{"S-063"}
	case x.Link != nil && x.Link.State != LinkUnmanaged && j.Settings.SkipOutOfScopeDeletions && src.State != directory.Purged:
		return fmt.Sprintf("%s is out of scope and stays as it is at the target: SkipOutOfScopeDeletions is set.", who), []string{"S-206", "S-208"}
	case x.Link != nil && x.Link.State == LinkActive && w.want.Ignore:
		return fmt.Sprintf("%s is out of scope, and the target was not told: the expression mapped to %s says IgnoreObjectFlow. It stays there as it is.", who, w.want.IgnoredBy), []string{"S-245"}
	case x.Link != nil && x.Link.State == LinkActive && !w.looked:
		return fmt.Sprintf("%s %s, and the target was not told; %s.", who, src.departure(), notLooked), []string{"S-071"}
	case x.Link != nil && x.Link.State == LinkActive:
		return fmt.Sprintf("%s %s: the target is told %s.", who, src.departure(), when), src.leaving()
	case x.Link != nil && w.link.Untold != "":
		return fmt.Sprintf("%s is out of scope, and the target was not told: %s. It stays there as it is.", who, untold[w.link.Untold]), []string{w.link.Untold}
	case x.Link != nil && x.Link.State == LinkUnmanaged:
		return fmt.Sprintf("%s is out of scope; the target was told so, and its object stays inactive there.", who), append(src.outside(), "S-196")
	case x.Link != nil:
		return fmt.Sprintf("%s is out of scope; the target was told so, and its object stays inactive there.", who), append(src.leaving(), "S-200")
	}
	for _, c := range x.Checks {
		if !c.Pass {
			return fmt.Sprintf("%s is not provisioned to %s: %s", who, x.ApplicationName, lowerFirst(c.Text)), []string{c.Rule}
		}
	}
	return ended(who + " is not provisioned to " + x.ApplicationName), nil
}

// ended ends a sentence, whose last word may be a name such as Contoso Inc.
func ended(text string) string { return strings.TrimSuffix(text, ".") + "." }

// when says when the object is looked at next, given that a cycle does so.
func (w *whyMore) when() string {
	switch {
	case w.job.Progress != nil:
		return "with the cycle that runs, or the one behind it"
	case !w.job.Started():
		return "when provisioning is started"
	case w.job.Status.Quarantine != nil:
		return "when the job leaves quarantine"
	}
	return "with the next cycle, due " + w.nextCycle()
}

// nextCycle says when the next cycle is due.
func (w *whyMore) nextCycle() string {
	if !w.job.NextCycle.After(w.now) {
		return "now"
	}
	return "on " + dayTime(w.job.NextCycle)
}

// notLooked is when an object comes to be looked at that no cycle has a reason to look at.
const notLooked = "it is looked at when it changes, on demand, or with a restart"

// untold is why the target was not told that an object left scope.
var untold = map[string]string{
	"S-193": "no attribute mapping reads IsSoftDeleted",
	"S-240": "Delete is switched off under Target Object Actions",
	"S-241": "Update is switched off under Target Object Actions",
}

func dayTime(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04") }

// blocked is the step behind scope that keeps an object from being provisioned, nil when none does.
func (x *Explanation) blocked() *Check {
	for i, c := range x.Steps {
		if !c.Pass && (c.Name == stepMapping || c.Name == stepMatch) {
			return &x.Steps[i]
		}
	}
	return nil
}

func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-0x20) + s[1:]
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]|0x20) + s[1:]
}

// Wanted is one target attribute of an object as its mapping wants it.
type Wanted struct {
	Target  string   `json:"target"`
	Text    string   `json:"text"`
	Present bool     `json:"present"`
	List    []string `json:"list,omitempty"`
	value   scim.Attribute
}

// Preview is what the target should hold of an object.
type Preview struct {
	ObjectID   string    `json:"objectId"`
	Kind       string    `json:"kind"`
	Name       string    `json:"displayName"`
	InScope    bool      `json:"inScope"`
	Link       *LinkView `json:"link"`
	Attributes []Wanted  `json:"attributes"`
	Manager    string    `json:"manager,omitempty"` // target id of the manager, when it resolves
	Members    []string  `json:"members,omitempty"` // target ids of members that resolve
	Create     string    `json:"create,omitempty"`  // the body that a create would send
	Error      string    `json:"error,omitempty"`   // why the mapping failed
}

// Preview maps an object for an application without sending anything.
func (s *Service) Preview(appID, objectID string) (Preview, error) {
	j, err := s.job(appID)
	if err != nil {
		return Preview{}, err
	}
	n, ok := s.num(objectID)
	if !ok {
		return Preview{}, notFound("there is no object %q in the directory", objectID)
	}
	j.mu.Lock()
	set, all, dialect := j.set, s.inForce(j) == SyncAll, dialectOf(j.cfg.TemplateID, s.presentURL(j.secrets[secretBaseAddress]))
	wire := s.tune(j).wire
	j.mu.Unlock()
	var src source
	p := Preview{ObjectID: objectID}
	err = s.dir.View(func(r *directory.Reader) error {
		b := jobBucket(r.Tx(), j.num)
		if b == nil {
			return notFound("the job is gone")
		}
		link, err := getLink(b, n)
		if err != nil {
			return err
		}
		if link != nil {
			p.Link = &LinkView{link.Target, link.State, link.Created, link.Since}
		}
		src, _ = readSource(r, j.num, all, set, n)
		if src.manager != 0 {
			if l, err := getLink(b, src.manager); err == nil && l != nil && l.State == LinkActive {
				p.Manager = l.Target
			}
		}
		if src.Kind == directory.KindGroup {
			r.EachMember(n, 0, func(m uint64) bool {
				if l, err := getLink(b, m); err == nil && l != nil && l.Kind == directory.KindUser {
					p.Members = append(p.Members, l.Target)
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	p.Kind, p.Name, p.InScope = kindName(src.Kind), src.DisplayName, src.scope.In()
	m := mappingOf(set, src.Kind)
	if m == nil || src.attrs == nil {
		return p, nil
	}
	want, err := desire(m, &src, s.previewEnv())
	if err != nil {
		p.Error = err.Error()
		return p, nil
	}
	for _, d := range want.Values {
		w := Wanted{Target: d.Attr.Target, Present: d.Present, value: scim.Attribute{Path: d.Attr.Target, Value: ""}}
		if d.Present {
			w.value = valueOf(d)
			w.Text = w.value.Text()
			w.List, _ = w.value.Value.([]string)
		}
		p.Attributes = append(p.Attributes, w)
	}
	if attrs, _, fail := creation(want, wire); fail == nil {
		p.Create = string(scim.CreateBody(resourceType(src.Kind), dialect, wire, attrs))
	}
	return p, nil
}

// ExpressionPreview is the live result of an expression for one object.
type ExpressionPreview struct {
	Inputs []Detail `json:"inputs"` // attributes that it reads, with their values
	Result string   `json:"result"`
	Null   bool     `json:"null"`
	Create string   `json:"create"` // the member of a POST body, as JSON text; "" when nothing is sent
	Update string   `json:"update"` // the operation of a PATCH; likewise
	Rules  []string `json:"rules"`  // that shape the operation, in the dialect of the job
	Error  string   `json:"error,omitempty"`
	// Warnings are what is better not relied on in the expression, or in its result for this object.
	Warnings []string `json:"warnings,omitempty"`
}

// PreviewMapping evaluates an attribute mapping's source for one object and shows what it becomes on the wire. A mapping
// that does not parse or evaluate is told in Error.
func (s *Service) PreviewMapping(appID, objectID string, attribute mapping.AttributeMapping) (ExpressionPreview, error) {
	var out ExpressionPreview
	j, err := s.job(appID)
	if err != nil {
		return out, err
	}
	n, ok := s.num(objectID)
	if !ok {
		return out, notFound("there is no object %q in the directory", objectID)
	}
	j.mu.Lock()
	set, all, schema, url := j.set, s.inForce(j) == SyncAll, j.schema, s.presentURL(j.secrets[secretBaseAddress])
	wire := s.tune(j).wire
	j.mu.Unlock()
	var src source
	if err := s.dir.View(func(r *directory.Reader) error {
		src, _ = readSource(r, j.num, all, set, n)
		return nil
	}); err != nil {
		return out, err
	}
	if src.attrs == nil {
		return out, notFound("there is no user or group %q", objectID)
	}
	compiled, err := mapping.CompileAttribute(schema, kindName(src.Kind), attribute)
	if err != nil {
		out.Error = err.Error()
		return out, nil
	}
	for _, name := range compiled.Inputs() {
		v, _ := src.attrs.Attribute(name)
		out.Inputs = append(out.Inputs, Detail{name, v.Text()})
	}
	d, err := compiled.Desire(src.attrs, s.previewEnv())
	if err != nil {
		out.Error = err.Error()
		return out, nil
	}
	out.Warnings = compiled.Warnings
	for _, w := range d.Warnings {
		if !slices.Contains(out.Warnings, w) {
			out.Warnings = append(out.Warnings, w)
		}
	}
	if !d.Present {
		out.Null = true
		return out, nil
	}
	dialect := dialectOf(j.cfg.TemplateID, url)
	a := valueOf(d)
	if out.Result = a.Text(); out.Result == "" { // empty text counts as no value
		return out, nil
	}
	rt := resourceType(src.Kind)
	out.Create = string(scim.CreateFragment(rt, dialect, wire, a))
	change := scim.Change{Op: scim.Replace, Attribute: a}
	out.Update = string(scim.OperationJSON(rt, dialect, wire, change))
	for _, rule := range scim.PatchRules(rt, dialect, wire, []scim.Change{change}) {
		if rule != "W-102" { // which operation it is depends on what the target returns
			out.Rules = append(out.Rules, rule)
		}
	}
	return out, nil
}

// FilterPreview is what the scoping filters of a schema say about one object.
type FilterPreview struct {
	Pass    bool
	Clauses mapping.ClauseResults
	Values  map[string]string // of the attributes that the clauses read; absent ones have no value
}

// PreviewFilter evaluates the scoping filters of a schema that need not be the job's for one object. The error is a
// *mapping.Problem when the schema can't be.
func (s *Service) PreviewFilter(appID, objectID string, schema *mapping.Schema) (FilterPreview, error) {
	out := FilterPreview{Pass: true, Values: map[string]string{}}
	j, err := s.job(appID)
	if err != nil {
		return out, err
	}
	n, ok := s.num(objectID)
	if !ok {
		return out, notFound("there is no object %q in the directory", objectID)
	}
	set, err := mapping.Compile(schema)
	if err != nil {
		return out, err
	}
	j.mu.Lock()
	all := s.inForce(j) == SyncAll
	j.mu.Unlock()
	var src source
	if err := s.dir.View(func(r *directory.Reader) error {
		src, _ = readSource(r, j.num, all, set, n)
		return nil
	}); err != nil {
		return out, err
	}
	if src.attrs == nil {
		return out, notFound("there is no user or group %q", objectID)
	}
	m := set.Users
	if src.Kind == directory.KindGroup {
		m = set.Groups
	}
	if m == nil || m.Scope == nil {
		return out, nil
	}
	out.Pass, out.Clauses = m.Scope.Eval(src.attrs)
	for _, c := range out.Clauses {
		if v, ok := src.attrs.Attribute(c.Attribute); ok && !v.IsEmpty() {
			out.Values[c.Attribute] = v.Text()
		}
	}
	return out, nil
}
