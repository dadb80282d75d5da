package sim

import (
	"fmt"
	"strings"
	"time"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// OnDemandResult is what a run on demand answers.
type OnDemandResult struct {
	Result string    // Success, Skipped or Failure
	Began  time.Time // by the clock
	Ended  time.Time
	// Record is the provisioning log record of the run. When the target did not answer the probe nothing is logged, and the
	// record, which has no id then, only says so.
	Record LogRecord
	Stages []Stage // the five steps of the portal, in order
}

// StageName names a step of a run on demand.
type StageName string

// The five steps (provision-on-demand.md, "Understand the provisioning steps").
const (
	StageConnection StageName = "connection" // Test connection; shown only when it failed
	StageImport     StageName = "import"     // Import user
	StageScope      StageName = "scope"      // Determine if user is in scope
	StageMatch      StageName = "match"      // Match user between source and target
	StageAction     StageName = "action"     // Perform action
)

// Stage is one of the five steps. One that the run did not come to has no Status.
type Stage struct {
	Name   StageName
	Title  string // as the portal writes it
	Status Outcome
	Text   string // one sentence
	// Groups are the details, under a heading each where there are several: the attributes that were read, the conditions of
	// the scope, every object that matched. The last step has Modified instead.
	Groups   []StageGroup
	Modified []ModifiedProperty // changed, or attempted when the step failed
}

// StageGroup is a part of a stage's details.
type StageGroup struct {
	Title   string
	Details []Detail
}

// The results of a run.
const (
	resultSuccess = "Success"
	resultSkipped = "Skipped"
	resultFailure = "Failure"
)

// demandResult words what a run came to.
func (s *Service) demandResult(c *cycle, what demanded, rec record, refused error) OnDemandResult {
	out := OnDemandResult{Result: resultSkipped, Began: c.began, Ended: s.clock.Now()}
	if refused != nil {
		rec = c.refusedRecord(what, refused)
	}
	out.Record = s.worded(&rec)
	switch rec.Status {
	case Success:
		out.Result = resultSuccess
	case Failure:
		out.Result = resultFailure
	}
	out.Stages = rec.stages(refused != nil)
	if refused != nil {
		out.Record.ID = ""
		out.Record.Steps = []Step{{Name: "TestConnection", Type: "processing", Status: Failure, Description: out.Stages[0].Text,
			Details: []Detail{{"ErrorCode", rec.Code}}}}
	}
	return out
}

// refusedRecord stands for a run whose target did not answer the probe.
func (c *cycle) refusedRecord(what demanded, err error) record {
	e := jobError(err)
	r := record{App: c.app, Time: c.began, Cycle: c.number, Num: what.num, Kind: what.kind, Name: what.name, Action: ActionOther, Status: Failure,
		Code: e.Code, Message: e.Message, Detail: e.Detail, Rules: []string{"W-045"}}
	if err := c.s.dir.View(func(reader *directory.Reader) error {
		if o, ok := reader.Object(what.num); ok {
			r.ID = o.ID
		}
		if u, ok := reader.UserByNum(what.num); ok {
			r.UPN = u.UserPrincipalName
		}
		return nil
	}); err != nil {
		r.Detail = strings.TrimSpace(r.Detail + " " + err.Error())
	}
	return r
}

// stages tells a record as the five steps.
func (r *record) stages(refused bool) []Stage {
	kind := lowerFirst(kindName(r.Kind))
	list := []Stage{
		{Name: StageConnection, Title: "Test connection"},
		{Name: StageImport, Title: "Import " + kind},
		{Name: StageScope, Title: "Determine if " + kind + " is in scope"},
		{Name: StageMatch, Title: "Match " + kind + " between source and target"},
		{Name: StageAction, Title: "Perform action"},
	}
	if refused {
		list[0].Status, list[0].Text = Failure, scim.WithDetail(r.Message, r.Detail)
		return list
	}
	list[0].Status, list[0].Text = Success, "The target answered."
	r.importStage(&list[1], kind)
	if list[1].Status != Success {
		return list
	}
	r.scopeStage(&list[2], kind)
	r.matchStage(&list[3], kind)
	r.actionStage(&list[4])
	return list
}

func (r *record) importStage(st *Stage, kind string) {
	st.Status = Success
	st.Text = fmt.Sprintf("%s was retrieved from %s.", r.label(), SourceSystem)
	group := StageGroup{Details: []Detail{{"objectId", r.ID}}}
	for _, p := range r.Source {
		group.Details = append(group.Details, Detail{p[0], p[1]})
	}
	st.Groups = []StageGroup{group}
	if r.Status == Skipped && r.Skip == SkipImport {
		st.Status, st.Text = Failure, r.skipText()
	}
}

func (r *record) scopeStage(st *Stage, kind string) {
	sc := r.Scope
	st.Status, st.Text = Success, fmt.Sprintf("The %s is in scope for provisioning.", kind)
	if !sc.In() {
		st.Status = Skipped
		st.Text = fmt.Sprintf("The %s is not in scope for provisioning: %s.", kind, strings.ToLower(strings.Join(r.scopeReasons(), ", ")))
	}
	if r.Message != "" && r.Status == Skipped && r.Skip == SkipNotEntitled {
		st.Status, st.Text = Skipped, r.Message
	}
	st.Groups = []StageGroup{{Details: []Detail{
		{"Active in source system", boolText(sc.Active)}, {"Assigned to application", boolText(sc.Assigned)},
		{"Scope sync all", boolText(sc.SyncAll)}, {kindName(r.Kind) + " has required role", boolText(sc.entitled())},
	}}}
	if len(sc.clauses) == 0 {
		return
	}
	filters := StageGroup{Title: "Scoping filters"}
	for _, c := range sc.clauses {
		filters.Details = append(filters.Details, Detail{clauseText(c), boolText(c.Pass)})
	}
	st.Groups = append(st.Groups, filters)
}

// clauseText writes a clause as {title} {attribute} {operator} {value}.
func clauseText(c mapping.ClauseResult) string {
	return strings.TrimSpace(strings.Join([]string{c.Group, c.Attribute, c.Operator, c.Value}, " "))
}

func (r *record) matchStage(st *Stage, kind string) {
	if len(r.Looked) == 0 {
		if r.Status == Failure && !r.Sent { // the mapping failed
			st.Text = "The target was not asked."
		}
		return
	}
	st.Status = Success
	objects := 0
	for _, l := range r.Looked {
		title := fmt.Sprintf("%s is %s", l.Attr, l.Value)
		if l.Attr == "id" {
			title = "Linked by id"
		}
		if len(l.Objects) == 0 {
			st.Groups = append(st.Groups, StageGroup{Title: title})
		}
		for _, o := range l.Objects {
			objects++
			g := StageGroup{Title: title}
			for _, p := range o {
				g.Details = append(g.Details, Detail{p[0], p[1]})
			}
			st.Groups = append(st.Groups, g)
		}
	}
	switch last := r.Looked[len(r.Looked)-1]; {
	case len(last.Objects) > 1, r.Match != nil && r.Match.Failed:
		st.Status, st.Text = Failure, firstLine(scim.WithDetail(r.Message, r.Detail))
	case objects == 0:
		st.Text = fmt.Sprintf("No matching %s was found in %s.", kind, TargetSystem)
	case last.Attr == "id":
		st.Text = fmt.Sprintf("The %s is linked, and was read from %s.", kind, TargetSystem)
	default:
		st.Text = fmt.Sprintf("One %s in %s matches by %s.", kind, TargetSystem, last.Attr)
	}
}

func (r *record) actionStage(st *Stage) {
	if r.Match != nil && r.Match.Failed {
		return
	}
	st.Status, st.Text = r.Status, r.sentence()+"."
	for _, m := range r.Modified {
		st.Modified = append(st.Modified, m.property())
	}
	var steps StageGroup
	for i := range r.Parts {
		for _, s := range r.Parts[i].decisionSteps(kindName(r.Kind), r.label()) {
			steps.Details = append(steps.Details, Detail{s.Name, s.Description})
		}
	}
	if len(r.Parts) == 0 {
		for _, s := range r.decisionSteps(kindName(r.Kind), r.label()) {
			steps.Details = append(steps.Details, Detail{s.Name, s.Description})
		}
	}
	st.Groups = []StageGroup{steps}
	switch r.Status {
	case Skipped:
		st.Text = r.skipText()
	case Failure:
		st.Text = scim.WithDetail(r.reason(), r.Detail)
	case Warning:
		st.Text = r.droppedText()
	}
}

// lookedSteps are the steps of what the target was asked for.
func (r *record) lookedSteps(kind string) (list []Step) {
	for _, l := range r.Looked {
		st := Step{Name: "EntryImport", Type: "matching", Status: Success, Description: fmt.Sprintf("Retrieved  '%s' from %s", l.Value, TargetSystem), Details: []Detail{}}
		switch {
		case len(l.Objects) == 0:
			st.Description = fmt.Sprintf("No %s whose %s is '%s' was found in %s", kind, l.Attr, l.Value, TargetSystem)
			if r.Match != nil && r.Match.Failed && r.Match.Attr == l.Attr {
				continue // there was no answer to tell of
			}
		case len(l.Objects) > 1:
			st.Status = Failure
			st.Description = fmt.Sprintf("Retrieved %d objects whose %s is '%s' from %s", len(l.Objects), l.Attr, l.Value, TargetSystem)
		}
		for i, o := range l.Objects {
			for _, p := range o {
				if i > 0 { // names are told apart
					p[0] = fmt.Sprintf("%s (%d)", p[0], i+1)
				}
				st.Details = append(st.Details, Detail{p[0], p[1]})
			}
		}
		list = append(list, st)
	}
	return list
}
