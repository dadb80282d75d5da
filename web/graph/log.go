package graph

import (
	"net/http"
	"strings"
	"time"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/mapping"
)

// sourceSystemID and targetSystemID name the two systems of a record; the values are constants of this program.
const (
	sourceSystemID = "e156568c-b65b-40a1-82ca-8afd5500c140"
	targetSystemID = "ed85458d-2a0d-4119-ba5f-bd264973c1af"
)

// logKind is what provisioning log records can be filtered by (api/provisioningobjectsummary-list.md).
var logKind = func() *kind {
	pairs := []any{"id", text, "jobId", text, "cycleId", text, "changeId", text, "tenantId", text, "activityDateTime", moment,
		"durationInMilliseconds", typeNumber, "provisioningAction", text, "provisioningStatusInfo/status", text, "modifiedProperties", objectList}
	for _, name := range []string{"sourceIdentity", "targetIdentity"} {
		pairs = append(pairs, name+"/id", text, name+"/displayName", text, name+"/identityType", text)
	}
	for _, name := range []string{"sourceSystem", "targetSystem", "servicePrincipal"} {
		pairs = append(pairs, name+"/id", text, name+"/displayName", text)
	}
	pairs = append(pairs, "initiatedBy/id", text, "initiatedBy/displayName", text, "initiatedBy/initiatorType", text)
	k := newKind("provisioningObjectSummary", "ProvisioningObjectSummary", "auditLogs/provisioning", standardFields(pairs...))
	k.exact = true
	for i := range k.fields {
		if k.fields[i].name == "modifiedProperties" {
			k.fields[i].filters = true
		}
	}
	return k
}()

// enums are paths whose values are compared without regard to case.
var enums = map[string]bool{"provisioningAction": true, "provisioningStatusInfo/status": true, "initiatedBy/initiatorType": true}

// logValues gives what filters ask of a record.
func (g *Graph) logValues(r *sim.LogRecord) values {
	o := g.logObject(r)
	return func(path string) any {
		switch path {
		case "activityDateTime":
			return r.Time.UTC()
		case "durationInMilliseconds":
			return float64(r.DurationMs)
		case "modifiedProperties":
			list := make([]map[string]any, len(r.Modified))
			for i, m := range r.Modified {
				list[i] = map[string]any{"displayName": m.Name, "oldValue": value(m.Old), "newValue": value(m.New)}
			}
			return list
		}
		var v any = o
		for _, name := range strings.Split(path, "/") {
			inner, ok := v.(object)
			if !ok {
				return nil
			}
			v = inner.get(name)
		}
		return v
	}
}

func value(p *string) any {
	if p == nil {
		return nil
	}
	return *p
}

// LogObject is a provisioning log record as Graph shows it; encoding/json writes it.
func (g *Graph) LogObject(r *sim.LogRecord) any { return g.logObject(r) }

// logObject shows a provisioning log record (resources/provisioningobjectsummary.md; shapes as recorded from the service).
func (g *Graph) logObject(r *sim.LogRecord) object {
	targetType := mapping.UserURN
	if r.ObjectKind == "Group" {
		targetType = mapping.GroupURN
	}
	sourceDetails := object{{"id", r.ObjectID}, {"odatatype", r.ObjectKind}, {"DisplayName", r.DisplayName}}
	if r.UserPrincipalName != "" {
		sourceDetails = append(sourceDetails, member{"UserPrincipalName", r.UserPrincipalName})
	}
	steps := []object{}
	for _, s := range r.Steps {
		details := object{}
		for _, d := range s.Details {
			details = append(details, member{d.Key, d.Value})
		}
		steps = append(steps, object{{"name", s.Name}, {"provisioningStepType", s.Type}, {"status", string(s.Status)}, {"description", s.Description}, {"details", details}})
	}
	modified := []object{}
	for _, m := range r.Modified {
		modified = append(modified, object{{"displayName", m.Name}, {"oldValue", value(m.Old)}, {"newValue", value(m.New)}})
	}
	return object{
		{"id", r.ID}, {"activityDateTime", seconds(r.Time)}, {"tenantId", g.dir.Tenant().ID}, {"jobId", r.JobID}, {"cycleId", r.CycleID},
		{"changeId", r.ChangeID}, {"provisioningAction", string(r.Action)}, {"durationInMilliseconds", r.DurationMs},
		{"provisioningStatusInfo", object{{"status", string(r.Status)}, {"errorInformation", errorInformation(r)}}},
		{"provisioningSteps", steps}, {"modifiedProperties", modified},
		{"servicePrincipal", object{{"id", r.ApplicationID}, {"displayName", r.ApplicationName}}},
		{"sourceSystem", object{{"id", sourceSystemID}, {"displayName", sim.SourceSystem}, {"details", object{}}}},
		{"targetSystem", object{{"id", targetSystemID}, {"displayName", sim.TargetSystem}, {"details", object{
			{"ApplicationId", sim.TemplateNonGallery}, {"ServicePrincipalId", r.ApplicationID}, {"ServicePrincipalDisplayName", r.ApplicationName}}}}},
		{"initiatedBy", initiator(r)},
		{"sourceIdentity", object{{"id", r.ObjectID}, {"displayName", r.DisplayName}, {"identityType", r.ObjectKind}, {"details", sourceDetails}}},
		{"targetIdentity", object{{"id", r.TargetID}, {"displayName", ""}, {"identityType", targetType}, {"details", object{}}}},
	}
}

// administratorID is the user who presses the buttons of this program; a constant of it.
const administratorID = "9c1b5a53-4f0e-4d4a-9d0b-5a8f1f6f2c11"

// initiator is who made a record: the service in its cycles, a user on demand (resources/initiator.md).
func initiator(r *sim.LogRecord) object {
	if r.OnDemand {
		return object{{"id", administratorID}, {"displayName", r.InitiatedBy}, {"initiatorType", "user"}}
	}
	return object{{"id", ""}, {"displayName", r.InitiatedBy}, {"initiatorType", "system"}}
}

func errorInformation(r *sim.LogRecord) any {
	if r.Status != sim.Failure {
		return nil
	}
	return object{{"errorCode", r.ErrorCode}, {"reason", r.Reason}, {"additionalDetails", optional(r.Detail)}, {"errorCategory", r.ErrorCategory},
		{"recommendedAction", optional(r.RecommendedAction)}}
}

// logMost is the largest page of the log.
const logMost = 1000

func (g *Graph) listLogs(c *call) error {
	token, err := g.resume(c, "auditLogs/provisioning")
	if err != nil {
		return err
	}
	scan := sim.LogScan{Cursor: token.Cursor}
	if scan.Limit, err = c.query.top(pageStandard, logMost); err != nil {
		return err
	}
	if scan.Ascending, err = logOrder(c.query["orderby"]); err != nil {
		return err
	}
	var f *filter
	if given, ok := c.query["filter"]; ok {
		if f, err = parseFilter(given); err != nil {
			return err
		}
		if err := f.check(logKind); err != nil {
			return err
		}
		f.foldEnums()
		scan.From, scan.To = f.times()
	}
	keep := func(r *sim.LogRecord) bool { return f == nil || f.matches(g.logValues(r), true) }
	skip, err := c.query.skip()
	if err != nil {
		return err
	}
	if token.Cursor != "" {
		skip = 0 // the first page did
	}
	page, err := g.svc.ScanLogs(scan, func(r *sim.LogRecord) bool {
		if !keep(r) {
			return false
		}
		if skip > 0 {
			skip--
			return false
		}
		return true
	})
	if err != nil {
		return err
	}
	out := object{{"@odata.context", c.context("auditLogs/provisioning")}}
	if counted, err := c.query.count(); err != nil {
		return err
	} else if counted {
		n := 0
		all := scan
		all.Cursor = ""
		if _, err := g.svc.ScanLogs(all, func(r *sim.LogRecord) bool {
			if keep(r) {
				n++
			}
			return false
		}); err != nil {
			return err
		}
		out = append(out, member{"@odata.count", n})
	}
	if page.Next != "" {
		token.Cursor = page.Next
		out = append(out, member{"@odata.nextLink", c.next(token)})
	}
	list := make([]object, len(page.Items))
	for i := range page.Items {
		list[i] = g.logObject(&page.Items[i])
	}
	return c.json(http.StatusOK, append(out, member{"value", list}))
}

func logOrder(text string) (ascending bool, err error) {
	switch strings.ToLower(strings.Join(strings.Fields(text), " ")) {
	case "", "activitydatetime desc":
		return false, nil
	case "activitydatetime", "activitydatetime asc":
		return true, nil
	}
	return false, badRequest("Sorting by '%s' is not supported; activityDateTime is.", text)
}

// foldEnums makes the comparison of enum values independent of case: the log holds them in lower camel case.
func (f *filter) foldEnums() {
	for _, a := range f.args {
		a.foldEnums()
	}
	if len(f.args) < 2 {
		return
	}
	left := f.args[0]
	for left.op == "lower" {
		left = left.args[0]
	}
	if !enums[left.path] {
		return
	}
	if f.args[0].op != "lower" {
		f.args[0] = &filter{op: "lower", args: []*filter{left}, pos: left.pos}
	}
	for _, a := range f.args[1:] {
		if s, ok := a.lit.(string); ok {
			a.lit = strings.ToLower(s)
		}
	}
}

// times are the bounds that a filter sets to activityDateTime, as far as all of it must hold.
func (f *filter) times() (from, to time.Time) {
	for _, part := range f.conjuncts() {
		if len(part.args) != 2 || part.args[0].path != "activityDateTime" {
			continue
		}
		at, ok := part.args[1].lit.(time.Time)
		if !ok {
			continue
		}
		switch part.op {
		case "eq":
			from, to = at, at
		case "gt", "ge":
			if at.After(from) {
				from = at
			}
		case "lt", "le":
			if to.IsZero() || at.Before(to) {
				to = at
			}
		}
	}
	return from, to
}

func (g *Graph) getLog(c *call) error {
	r, err := g.svc.LogRecord(c.params["record"])
	if directory.CodeOf(err) == directory.NotFound {
		return missing(c.params["record"])
	}
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, "auditLogs/provisioning/$entity", g.logObject(&r))
}
