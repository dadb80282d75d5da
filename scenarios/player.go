package scenarios

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/scim"
)

// Options of a run. The zero value is what a file asks for.
type Options struct {
	Seed int64 // of ids and of a generated company; 0 means 1
	Keep bool  // leave at a target of the network what the run made
	// Mark is what to put before names at a target that is not the embedded one; "auto", or empty, does so when the target has
	// objects of these names already, and "none" never.
	Mark string

	hurry time.Duration // how long one answer may take while an interrupted run cleans up; 0 means five seconds
}

// Player plays a scenario step by step. It is not safe for concurrent use.
type Player struct {
	scenario *Scenario
	target   Target
	opt      Options
	seed     int64
	world    *world
	names    *names
	match    *matcher
	made     map[string]bool // paths at the target that this run made
	before   before
	others   map[string]string // paths that a POST was answered with and this run did not make -> why
	called   map[string]string // paths at a foreign target -> the name that was posted
	taken    map[string]bool   // names that this run uses at the target: "Users userName x"
	exchange []sim.Exchange    // since the step began
	quiet    int
	count    uint64
	cycles   []sim.CycleResult
	answer   *sim.OnDemandResult // of the run on demand of the step
	lastLog  string
	told     told
	next     int
	result   Result
	withheld string // a request that the guard kept back
}

const (
	user  = "User"
	group = "Group"
)

// probesKept is how many probes of one step are kept; a long advance sends thousands that are all alike.
const probesKept = 100

// Open makes the scenario's tenant, application and target, and stops before the first step. Close it in any case. The
// error is a *SkipError when the scenario can't be played against this target.
func Open(ctx context.Context, s *Scenario, t Target, opt Options) (*Player, error) {
	if t.Own() && s.Target.URL != "" {
		t.URL, t.Token = s.Target.URL, s.Target.Token
		if name, ok := strings.CutPrefix(t.Token, "$"); ok {
			if t.Token, ok = os.LookupEnv(name); !ok {
				return nil, &placed{at: s.Target.At, message: name + " is not set in the environment, where target.token says that the token is"}
			}
		}
	}
	p := &Player{scenario: s, target: t, opt: opt, seed: opt.Seed, made: map[string]bool{}, others: map[string]string{}, called: map[string]string{}, taken: map[string]bool{}}
	if p.seed == 0 {
		p.seed = 1
	}
	p.match = &matcher{bound: map[string]string{}, resolve: p.resolve}
	p.result = Result{Scenario: s, Verdict: Passed, Seed: p.seed, Target: embeddedURL}
	if reason := s.needsOwnTarget(); reason != "" && !t.Own() {
		return nil, &SkipError{reason}
	}
	mark := ""
	if !t.Own() {
		var err error
		if mark, err = p.chooseMark(ctx); err != nil {
			return nil, err
		}
	}
	w, err := newWorld(ctx, s, t, p.seed, p.record, p.guard)
	if err != nil {
		return nil, err
	}
	p.world, p.names = w, newNames(w.base, s.kinds)
	p.names.mark, p.result.Mark, p.result.Target = mark, mark, w.base
	p.result.Asked = mark != "" && mark == opt.Mark
	if !t.Own() {
		p.lookAround(ctx)
	}
	if err := p.setUp(ctx); err != nil {
		r, cleanErr := p.Close(ctx)
		return nil, &notBegun{errors.Join(err, cleanErr), r}
	}
	p.exchange = nil
	return p, nil
}

// SkipError says why a scenario can't be played against a target.
type SkipError struct{ Reason string }

func (e *SkipError) Error() string { return e.Reason }

// notBegun is why a scenario could not begin, with what is known of the run.
type notBegun struct {
	err    error
	result Result
}

func (e *notBegun) Unwrap() error { return e.err }

func (e *notBegun) Error() string {
	text := e.err.Error()
	if len(e.result.Left) > 0 {
		text += "; left behind at the target: " + strings.Join(e.result.Left, ", ")
	}
	return text
}

// needsOwnTarget says which part of a scenario only the embedded target can play, "" when none is.
func (s *Scenario) needsOwnTarget() string {
	if len(s.Target.Faults) > 0 {
		return "it needs faults that only the embedded target plays"
	}
	for _, st := range s.Steps {
		for _, a := range st.order {
			if a == "faults" && len(st.Faults) > 0 {
				return "it needs faults that only the embedded target plays"
			}
		}
	}
	return ""
}

// record keeps an exchange. It is called by the service, one request after another.
func (p *Player) record(e *scim.Exchange) {
	p.count++
	probe := e.Object == ""
	if probe {
		if p.quiet++; p.quiet > probesKept {
			return
		}
	}
	x := sim.Exchange{ID: p.count, Time: e.Time, Job: e.Job, Cycle: e.Cycle, Object: e.Object, Method: e.Method, URL: e.URL,
		RequestHeaders: headers(e.RequestHeaders), RequestBody: string(e.RequestBody), Status: e.Status, ResponseHeaders: headers(e.ResponseHeaders),
		ResponseBody: string(e.ResponseBody), DurationMs: float64(e.Duration.Microseconds()) / 1000, Reason: e.Reason, Rules: e.Rules, Error: e.Err}
	if x.Rules == nil {
		x.Rules = []string{}
	}
	p.exchange = append(p.exchange, x)
	if e.Method == http.MethodPost && e.Status < 300 && p.world != nil {
		path, _, _ := strings.Cut(strings.TrimPrefix(e.URL, p.world.base), "?")
		if id := accountIn(x); id != "" {
			var sent, doc map[string]any
			if json.Unmarshal(e.RequestBody, &sent) != nil || json.Unmarshal(e.ResponseBody, &doc) != nil {
				sent = nil // what is posted has a name without it
			}
			p.posted(path+"/"+id, e.Status, sent, doc)
		}
	}
	if p.world != nil {
		p.shown(x)
	}
}

func headers(list [][2]string) []sim.Header {
	out := make([]sim.Header, len(list))
	for i, h := range list {
		out[i] = sim.Header{Name: h[0], Value: h[1]}
	}
	return out
}

// guard keeps requests back that would change something at a foreign target which this run did not make.
func (p *Player) guard(method, address string) error {
	if method == http.MethodGet || method == http.MethodPost || p.world == nil {
		return nil
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(address, p.world.base), "?")
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	if p.made[path] {
		return nil
	}
	p.withheld = method + " " + path
	return fmt.Errorf("%s %s was not sent: this run did not make that object", method, path)
}

// resolve gives a placeholder's name its value as what was seen shows it.
func (p *Player) resolve(name string) (string, bool) {
	handle, property, has := strings.Cut(name, ".")
	if !has {
		return p.names.placeholder(handle)
	}
	id := p.names.objects[handle]
	switch property {
	case "objectId", "id":
		text, ok := p.names.shown[id]
		return text, ok
	case "old":
		return "", false
	}
	var v any
	var ok bool
	if u, err := p.world.dir.User(id); err == nil {
		v, ok = u.Get(property)
	} else if g, err := p.world.dir.Group(id); err == nil {
		v, ok = g.Get(property)
	}
	if !ok || v == nil {
		return "", false
	}
	return p.names.text(fmt.Sprint(v)), true
}

// Scenario is what is played.
func (p *Player) Scenario() *Scenario { return p.scenario }

// Result is what was seen so far.
func (p *Player) Result() Result { return p.result }

// Next carries out the next step and compares. more is false when there was none. A step that can't be carried out is
// Broken; those behind it are not played.
func (p *Player) Next(ctx context.Context) (r StepResult, more bool) {
	if p.next >= len(p.scenario.Steps) || p.result.Verdict == Broken {
		return r, false
	}
	st := &p.scenario.Steps[p.next]
	p.next++
	r = StepResult{Step: st, Number: p.next, Title: st.title(), Verdict: Passed, Began: p.world.clock.Now()}
	p.exchange, p.quiet, p.cycles, p.answer = nil, 0, nil, nil
	began := clock.Wall()
	var err error
	if p.told, err = p.newest(); err == nil {
		err = p.carryOut(ctx, st)
	}
	r.Took, r.Ended = clock.Wall().Sub(began), p.world.clock.Now()
	for _, x := range p.exchange {
		r.Sent = append(r.Sent, p.names.sent(x))
	}
	r.Quiet, r.Cycles, r.OnDemand = max(0, p.quiet-probesKept), p.cycles, p.answer
	if err == nil {
		r.Records, err = p.records()
	}
	if err == nil {
		r.Job, err = p.world.svc.Job(p.world.app.ID)
	}
	if err == nil && st.Expect != nil {
		r.Checks, err = p.compare(ctx, st.Expect, &r)
	}
	if p.withheld != "" {
		err = errors.Join(err, fmt.Errorf("%s was kept back: the target has that object already, and this run does not touch what it did not make", p.withheld))
		p.withheld = ""
	}
	switch {
	case err != nil:
		r.Verdict, r.Reason = Broken, err.Error()
		p.result.Verdict, p.result.Reason = Broken, fmt.Sprintf("step %d: %v", r.Number, err)
	case len(r.Failures()) > 0:
		r.Verdict = Failed
		p.result.Verdict = Failed
	}
	p.result.Steps = append(p.result.Steps, r)
	return r, true
}

func (p *Player) carryOut(ctx context.Context, st *Step) error {
	for _, action := range st.order {
		if err := p.act(ctx, st, action); err != nil {
			return fmt.Errorf("%s: %w", action, err)
		}
	}
	return nil
}

// records are the log records that came since the last step, oldest first.
func (p *Player) records() ([]sim.LogRecord, error) {
	var list []sim.LogRecord
	q := sim.LogQuery{ApplicationID: p.world.app.ID, Limit: 1000}
	for {
		page, err := p.world.svc.Logs(q)
		if err != nil {
			return nil, err
		}
		for _, l := range page.Items {
			if l.ID == p.lastLog {
				page.Next = ""
				break
			}
			list = append(list, l)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	for i, k := 0, len(list)-1; i < k; i, k = i+1, k-1 {
		list[i], list[k] = list[k], list[i]
	}
	if len(list) > 0 {
		p.lastLog = list[len(list)-1].ID
	}
	return list, nil
}

// Close ends the scenario, cleans up at a target that is not the embedded one, and returns everything that was seen.
func (p *Player) Close(ctx context.Context) (Result, error) {
	if p.world == nil {
		return p.result, nil
	}
	if !p.target.Own() && !p.opt.Keep {
		p.result.Left = p.cleanUp(ctx)
	}
	for _, path := range sorted(p.others) {
		p.result.Left = append(p.result.Left, p.spoken(path)+": left alone, as this run did not make it: "+p.others[path])
	}
	if n := len(p.result.Steps); n > 0 {
		p.result.Endless = p.result.Steps[n-1].Job.Endless
	}
	p.result.Diagnoses = diagnose(&p.result, p.target.Own())
	err := p.world.close()
	p.world = nil
	return p.result, err
}

// Run plays a scenario to its end.
func Run(ctx context.Context, s *Scenario, t Target, opt Options) Result {
	began := clock.Wall()
	p, err := Open(ctx, s, t, opt)
	if err != nil {
		r := Result{Scenario: s, Verdict: Broken, Reason: err.Error(), Seed: opt.Seed, Took: clock.Wall().Sub(began)}
		var not *notBegun
		if errors.As(err, &not) { // what it left behind is told on its own
			r.Reason, r.Left, r.Target = not.err.Error(), not.result.Left, not.result.Target
			r.Mark, r.Asked = not.result.Mark, not.result.Asked
		}
		var skip *SkipError
		if errors.As(err, &skip) {
			r.Verdict = Skipped
		}
		var at *placed
		if errors.As(err, &at) {
			r.Reason = fmt.Sprintf("%s:%d:%d: %s", s.Path, at.at.Line, at.at.Column, at.message)
		}
		return r
	}
	for more := true; more && ctx.Err() == nil; {
		_, more = p.Next(ctx)
	}
	r, err := p.Close(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		r.Verdict, r.Reason = Broken, err.Error()
	}
	r.Took = clock.Wall().Sub(began)
	return r
}

// title is what a step is called in reports: its narration, or its actions.
func (st *Step) title() string {
	if st.Say != "" {
		return strings.Join(strings.Fields(st.Say), " ")
	}
	return st.Actions()
}

// Actions says what a step does, briefly.
func (st *Step) Actions() string {
	names := func(list []Handle) string {
		parts := make([]string, len(list))
		for i, h := range list {
			parts[i] = h.Name
		}
		return strings.Join(parts, ", ")
	}
	var parts []string
	for _, a := range st.order {
		switch a {
		case "create":
			parts = append(parts, "create "+strings.Join(append(st.Create.Users.keys(), st.Create.Groups.keys()...), ", "))
		case "update":
			parts = append(parts, "update "+strings.Join(st.Update.keys(), ", "))
		case "delete":
			parts = append(parts, "delete "+names(st.Delete))
		case "restore":
			parts = append(parts, "restore "+names(st.Restore))
		case "purge":
			parts = append(parts, "purge "+names(st.Purge))
		case "assign":
			var list []Handle
			for _, g := range st.Assign {
				list = append(list, g.Handle)
			}
			parts = append(parts, "assign "+names(list))
		case "unassign":
			parts = append(parts, "unassign "+names(st.Unassign))
		case "addMembers":
			parts = append(parts, "add members to "+strings.Join(st.AddMembers.keys(), ", "))
		case "removeMembers":
			parts = append(parts, "remove members of "+strings.Join(st.RemoveMembers.keys(), ", "))
		case "target":
			parts = append(parts, "change the target")
		case "mappings", "filters":
			parts = append(parts, "change "+a)
		case "faults":
			parts = append(parts, map[bool]string{true: "faults on", false: "faults off"}[len(st.Faults) > 0])
		case "settings":
			parts = append(parts, "change settings")
		case "scope":
			parts = append(parts, "scope "+st.Scope)
		case "token":
			parts = append(parts, st.Token+" token")
		case "restart":
			parts = append(parts, strings.TrimSuffix("restart "+st.Restart, " default"))
		case "onDemand":
			parts = append(parts, "provision "+st.OnDemand.Object.Name+" on demand")
		case "advance":
			parts = append(parts, "advance "+short(st.Advance.D))
		default:
			parts = append(parts, a)
		}
	}
	if len(parts) == 0 {
		return "look"
	}
	return strings.Join(parts, "; ")
}

func (m Map[T]) keys() []string {
	list := make([]string, len(m))
	for i, e := range m {
		list[i] = e.Key
	}
	return list
}
