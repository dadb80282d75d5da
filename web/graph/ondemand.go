package graph

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/mapping"
)

// OnDemandFormat is the form of the answer to provisionOnDemand.
type OnDemandFormat string

// The two forms that are on record.
const (
	// OnDemandReference is that of the documentation: key holds the result, value one record
	// (api/synchronization-synchronizationjob-provisionondemand.md). It is the default.
	OnDemandReference OnDemandFormat = "reference"
	// OnDemandLive is that of captures: key is a fixed name, value a list of records, one for each subject
	// (cross-tenant-synchronization-configure-graph.md). Several subjects are answered so in any case.
	OnDemandLive OnDemandFormat = "live"
)

// liveKey is the key of the live form.
const liveKey = "Microsoft.Identity.Health.CPP.Common.DataContracts.SyncFabric.StatusInfo"

// subjectOf is who is provisioned (resources/synchronization-synchronizationjobsubject.md).
type subjectOf struct {
	ObjectID       string `json:"objectId"`
	ObjectTypeName string `json:"objectTypeName"`
	Links          *struct {
		Members []struct {
			ObjectID       string `json:"objectId"`
			ObjectTypeName string `json:"objectTypeName"`
		} `json:"members"`
	} `json:"links"`
}

// provisionOnDemand is api/synchronization-synchronizationjob-provisionondemand.md. A request that can be carried out is
// answered with 200 whatever came of it; the body says so.
func (g *Graph) provisionOnDemand(c *call) error {
	j, _, err := g.job(c)
	if err != nil {
		return err
	}
	if err := g.admitOnDemand(); err != nil {
		return err
	}
	var body struct {
		Parameters []struct {
			RuleID   string      `json:"ruleId"`
			Subjects []subjectOf `json:"subjects"`
		} `json:"parameters"`
	}
	if err := c.decode(&body, false); err != nil {
		return err
	}
	schema, err := g.svc.Schema(j.ApplicationID)
	if err != nil {
		return err
	}
	var requests []sim.OnDemandRequest
	groups := 0
	for _, p := range body.Parameters {
		if err := checkRule(schema, p.RuleID); err != nil {
			return err
		}
		for _, s := range p.Subjects {
			r, err := s.request()
			if err != nil {
				return err
			}
			if r.Kind == "Group" {
				groups++
			}
			requests = append(requests, r)
		}
	}
	switch {
	case len(requests) == 0:
		return badRequest("A value is required for property 'parameters': name a rule and at least one subject.")
	case groups > 1, groups == 1 && len(requests) > 1:
		return badRequest("provisionOnDemand takes one group at a time, with at most %d members.", sim.OnDemandMembers)
	}
	results := make([]sim.OnDemandResult, 0, len(requests))
	for _, r := range requests {
		result, err := g.svc.OnDemand(c.r.Context(), j.ApplicationID, r)
		if err != nil {
			return onDemandError(err)
		}
		results = append(results, result)
	}
	return g.answerOnDemand(c, results)
}

func checkRule(s *mapping.Schema, id string) error {
	if id == "" {
		return badRequest("A value is required for property 'ruleId'.")
	}
	for _, r := range s.Rules {
		if strings.EqualFold(r.ID, id) {
			return nil
		}
	}
	return badRequest("The synchronization rule '%s' does not exist in the schema of the job.", id)
}

func (s *subjectOf) request() (r sim.OnDemandRequest, err error) {
	r = sim.OnDemandRequest{ObjectID: s.ObjectID}
	if r.Kind, err = objectType(s.ObjectTypeName, "User", "Group"); err != nil {
		return r, err
	}
	if s.ObjectID == "" {
		return r, badRequest("A value is required for property 'objectId'.")
	}
	if s.Links == nil {
		return r, nil
	}
	for _, m := range s.Links.Members {
		if _, err := objectType(m.ObjectTypeName, "User"); err != nil {
			return r, err
		}
		if m.ObjectID == "" {
			return r, badRequest("A value is required for property 'objectId'.")
		}
		r.Members = append(r.Members, m.ObjectID)
	}
	return r, nil
}

func objectType(name string, known ...string) (string, error) {
	for _, k := range known {
		if strings.EqualFold(k, name) {
			return k, nil
		}
	}
	return "", badRequest("Invalid value specified for property 'objectTypeName': '%s'. %s can be provisioned on demand here.", name, strings.Join(known, " and "))
}

// The documented limit of the route: so many requests in so much time of the clock
// (api/synchronization-synchronizationjob-provisionondemand.md).
const (
	onDemandRequests = 5
	onDemandWindow   = 10 * time.Second
)

// admitOnDemand counts a request against the limit, where that is enforced.
func (g *Graph) admitOnDemand() error {
	if !g.throttleOnDemand {
		return nil
	}
	g.onDemandMu.Lock()
	defer g.onDemandMu.Unlock()
	now := g.svc.Clock().Now()
	g.onDemandAt = slices.DeleteFunc(g.onDemandAt, func(t time.Time) bool { return now.Sub(t) >= onDemandWindow || t.After(now) })
	if len(g.onDemandAt) < onDemandRequests {
		g.onDemandAt = append(g.onDemandAt, now)
		return nil
	}
	wait := int(math.Ceil(g.onDemandAt[0].Add(onDemandWindow).Sub(now).Seconds()))
	return &Error{Status: http.StatusTooManyRequests, Code: "TooManyRequests", Header: http.Header{"Retry-After": {strconv.Itoa(wait)}},
		Message: fmt.Sprintf("provisionOnDemand takes %d requests in %s.", onDemandRequests, onDemandWindow)}
}

// onDemandError is what a request that can't be carried out is answered with.
func onDemandError(err error) error {
	var d *directory.Error
	if errors.As(err, &d) {
		switch d.Code {
		case directory.Invalid:
			return badRequest("%s", strings.TrimSpace(d.Message+" "+d.Hint))
		case directory.NotFound:
			return syncMissing("%s", d.Message)
		case directory.Conflict:
			return &Error{Status: http.StatusConflict, Code: "Conflict", Message: strings.TrimSpace(d.Message + " " + d.Hint)}
		}
	}
	return err
}

// answerOnDemand writes the two members of the answer, which are JSON texts.
func (g *Graph) answerOnDemand(c *call, results []sim.OnDemandResult) error {
	const context = "microsoft.graph.stringKeyStringValuePair"
	key, value := liveKey, any(nil)
	records := make([]object, len(results))
	for i := range results {
		records[i] = onDemandRecord(&results[i])
	}
	value = records
	if g.onDemandFormat != OnDemandLive && len(results) == 1 {
		text, err := encode(onDemandKey(&results[0]))
		if err != nil {
			return err
		}
		key, value = string(text), records[0]
	}
	text, err := encode(value)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, context, pair(key, string(text)))
}

func onDemandKey(r *sim.OnDemandResult) object {
	details := object{}
	switch l := &r.Record; {
	case l.SkipReason != "":
		details = object{{"errorCode", string(l.SkipReason)}, {"errorMessage", l.Reason}}
	case l.ErrorCode != "":
		details = object{{"errorCode", l.ErrorCode}, {"errorMessage", l.Reason}}
	}
	return object{{"result", r.Result}, {"details", details}}
}

// upper writes a word of the log as this answer does, with a capital.
func upper(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// sevenDigits is how the answer writes an instant.
func sevenDigits(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// onDemandRecord is a record as this answer has it, whose names and words differ from the log's.
func onDemandRecord(r *sim.OnDemandResult) object {
	l := &r.Record
	steps := []object{}
	for i, s := range l.Steps {
		details := object{}
		for _, d := range s.Details {
			details = append(details, member{d.Key, d.Value})
		}
		at := r.Began
		if i == len(l.Steps)-1 {
			at = r.Ended
		}
		steps = append(steps, object{{"name", s.Name}, {"type", upper(s.Type)}, {"status", upper(string(s.Status))}, {"description", s.Description},
			{"timestamp", sevenDigits(at)}, {"details", details}})
	}
	label := l.UserPrincipalName
	if label == "" {
		label = l.DisplayName
	}
	targetType := mapping.UserURN
	if l.ObjectKind == "Group" {
		targetType = mapping.GroupURN
	}
	return object{
		{"action", upper(string(l.Action))}, {"changeId", l.ChangeID}, {"startTime", sevenDigits(r.Began)}, {"endTime", sevenDigits(r.Ended)},
		{"modifiedProperties", onDemandModified(r)}, {"provisioningSteps", steps}, {"reportableIdentifier", label}, {"statusInfo", onDemandStatus(l)},
		{"sourceIdentity", object{{"id", l.ObjectID}, {"type", l.ObjectKind}, {"displayName", optional(l.DisplayName)}, {"details", nil}}},
		{"sourceSystem", object{{"id", nil}, {"name", sim.SourceSystem}, {"details", nil}}},
		{"targetIdentity", object{{"id", l.TargetID}, {"type", targetType}, {"displayName", nil}, {"details", nil}}},
		{"targetSystem", object{{"id", nil}, {"name", sim.TargetSystem}, {"details", nil}}},
	}
}

// onDemandModified lists what was changed or attempted. Where both sides were equal the documented answer lists what was
// read from the source instead.
func onDemandModified(r *sim.OnDemandResult) []object {
	list := []object{}
	for _, m := range r.Record.Modified {
		list = append(list, object{{"displayName", m.Name}, {"oldValue", value(m.Old)}, {"newValue", value(m.New)}})
	}
	if r.Record.SkipReason == sim.SkipRedundant && len(list) == 0 {
		for _, s := range r.Record.Steps {
			if s.Type != "import" {
				continue
			}
			for _, d := range s.Details {
				list = append(list, object{{"displayName", d.Key}, {"oldValue", nil}, {"newValue", d.Value}})
			}
		}
	}
	return list
}

func onDemandStatus(l *sim.LogRecord) object {
	status := object{{"status", upper(string(l.Status))}, {"errorCode", nil}, {"reason", nil}, {"additionalDetails", nil}, {"errorCategory", nil}, {"recommendedAction", nil}}
	if l.Status != sim.Failure {
		return status
	}
	return object{status[0], {"errorCode", l.ErrorCode}, {"reason", l.Reason}, {"additionalDetails", optional(l.Detail)},
		{"errorCategory", upper(l.ErrorCategory)}, {"recommendedAction", optional(l.RecommendedAction)}}
}
