package sim

import (
	"fmt"
	"strings"

	"entrasim/directory"
	"entrasim/sim/rules"
	"entrasim/sim/scim"
)

// SourceSystem and TargetSystem are the names that log records carry.
const (
	SourceSystem = "Microsoft Entra ID"
	TargetSystem = "customappsso"
)

// worded turns a stored decision into a log record in words. The descriptions follow recorded log entries, which readers
// of logs parse.
func (s *Service) worded(r *record) LogRecord {
	id, name := s.appOf(r)
	l := LogRecord{
		ID: s.ids.id(r.Seq), Time: r.Time, ApplicationID: id, ApplicationName: name, JobID: s.jobID(r), CycleID: s.cycleID(r),
		ChangeID: s.changeID(r), Cycle: max(0, r.Cycle), OnDemand: r.onDemand(), InitiatedBy: provisioningService, Action: r.Action, Status: r.Status,
		ObjectID: r.ID, ObjectKind: kindName(r.Kind), DisplayName: r.Name, UserPrincipalName: r.UPN, TargetID: r.Target,
		DurationMs: r.Millis, ErrorCode: r.Code, Reason: r.reason(), Detail: r.Detail, SkipReason: r.Skip, Rules: r.Rules, Exchanges: r.Requests,
		NextRetry: r.Retry, Attempts: r.Tries, Modified: []ModifiedProperty{}, Steps: r.steps(),
	}
	if l.OnDemand {
		l.InitiatedBy = administrator
	}
	for _, rule := range RulesOf(r.Warnings) {
		l.Warnings = append(l.Warnings, rule.Text)
	}
	for _, n := range r.Endless {
		l.Endless = append(l.Endless, n.words())
	}
	for _, m := range r.Modified {
		l.Modified = append(l.Modified, m.property())
	}
	if l.Rules == nil {
		l.Rules = []string{}
	}
	if l.Exchanges == nil {
		l.Exchanges = []uint64{}
	}
	switch r.Status {
	case Failure:
		l.ErrorCategory = "nonServiceFailure"
		if r.Code == "InternalError" {
			l.ErrorCategory = "failure"
		}
		l.RecommendedAction = advice[r.Code]
	case Skipped:
		l.Reason = r.skipText()
	case Warning:
		l.ErrorCode = r.Code
		l.Reason = r.droppedText()
	}
	l.Sentence = r.sentence() + r.endlessText()
	return l
}

// reason is the message of a failure; that of a failed write ends with its next try.
func (r *record) reason() string { return r.Message + retryText(r) }

// endlessText ends the sentence of a record that is a part of endless work.
func (r *record) endlessText() string {
	names := make([]string, 0, len(r.Endless))
	for _, n := range r.Endless {
		if n.Kind == EndlessConflict {
			return fmt.Sprintf(" (no match and a conflict, %d times in a row)", n.Times)
		}
		names = append(names, shortName(n.Attr))
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf(" (the target does not keep %s: %d updates in a row)", join(names), r.Endless[0].Times)
}

func kindName(k directory.Kind) string {
	if k == directory.KindGroup {
		return "Group"
	}
	return "User"
}

// label is what descriptions call an object: the UPN of a user, the display name of a group.
func (r *record) label() string {
	if r.UPN != "" {
		return r.UPN
	}
	return r.Name
}

func (r *record) sentence() string {
	for i := range r.Parts { // what went wrong, else the first that was done
		if p := &r.Parts[i]; p.Status == r.Status {
			return p.sentence()
		}
	}
	who := r.Name
	if who == "" {
		who = r.label()
	}
	done := map[Action]string{ActionCreate: "created", ActionUpdate: "updated", ActionDisable: "disabled", ActionDelete: "deleted"}[r.Action]
	switch {
	case r.Status == Failure && done != "":
		return fmt.Sprintf("%s not %s in %s: %s", who, done, TargetSystem, firstLine(scim.WithDetail(r.Message, r.Detail)))
	case r.Status == Failure:
		return fmt.Sprintf("%s failed: %s", who, firstLine(scim.WithDetail(r.Message, r.Detail)))
	case r.Status == Skipped:
		return fmt.Sprintf("%s skipped: %s", who, r.skipShort())
	case r.Status == Warning && r.Message != "" && r.Kind == directory.KindUser:
		return fmt.Sprintf("%s: manager has no object at the target yet, not sent", who)
	case r.Status == Warning && r.Message != "":
		return fmt.Sprintf("%s: members have no object at the target yet, not sent", who)
	case r.Status == Warning && r.Kind == directory.KindUser:
		return fmt.Sprintf("%s: manager out of scope, not sent", who)
	case r.Status == Warning:
		return fmt.Sprintf("%s: %s out of scope, not sent", who, plural(len(r.Dropped), "member"))
	case r.Ref == "members":
		added, removed := 0, 0
		for _, m := range r.Modified {
			if m.New != nil {
				added++
			} else {
				removed++
			}
		}
		if added > 0 {
			return fmt.Sprintf("%s: %s added in %s", who, plural(added, "member"), TargetSystem)
		}
		return fmt.Sprintf("%s: %s removed in %s", who, plural(removed, "member"), TargetSystem)
	case r.Ref != "":
		return fmt.Sprintf("%s: manager updated in %s", who, TargetSystem)
	case r.Action == ActionUpdate && len(r.Modified) > 0:
		names := make([]string, len(r.Modified))
		for i, m := range r.Modified {
			names[i] = shortName(m.Name)
		}
		return fmt.Sprintf("%s updated in %s: %s", who, TargetSystem, strings.Join(names, ", "))
	}
	return fmt.Sprintf("%s %s in %s", who, done, TargetSystem)
}

// shortName leaves out the schema in front of an extension attribute.
func shortName(path string) string {
	if strings.HasPrefix(path, "urn:") {
		return path[strings.LastIndexByte(path, ':')+1:]
	}
	return path
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if r := []rune(s); len(r) > 160 {
		s = string(r[:160]) + "…"
	}
	return s
}

func (r *record) skipShort() string {
	switch r.Skip {
	case SkipRedundant:
		if r.Message != "" {
			return strings.TrimSuffix(r.Message, ".")
		}
		if r.Action == ActionDisable && !r.Read {
			return "no mapping carries the loss of scope"
		}
		if r.Action == ActionDisable {
			return "inactive at the target already"
		}
		return "equal on both sides"
	case SkipImport:
		return "no matching attribute has a value"
	case SkipHeld:
		return "its deletion is held by the deletion threshold"
	case SkipBlocked:
		if r.Message != "" {
			return lowerFirst(r.Message)
		}
		return "the mapping does not allow " + string(r.Action)
	}
	return strings.ToLower(strings.Join(r.scopeReasons(), ", "))
}

// scopeReasons names the conditions that an object fails.
func (r *record) scopeReasons() []string {
	var list []string
	if sc := r.Scope; sc != nil {
		if !sc.entitled() {
			if sc.Insecure {
				list = append(list, "Assigned only through a group that is not security-enabled")
			} else {
				list = append(list, "Not assigned")
			}
		}
		if !sc.Active {
			list = append(list, "Not active in the directory")
		}
		if !sc.Filter {
			list = append(list, "Scoping filter not passed")
		}
	}
	return list
}

// skipText is the reason of a skipped record in full: each failing condition numbered, with advice.
func (r *record) skipText() string {
	kind := kindName(r.Kind)
	if r.Message != "" {
		return r.Message
	}
	switch r.Skip {
	case SkipRedundant:
		if r.Action == ActionDisable && !r.Read {
			return "No attribute mapping uses IsSoftDeleted, so that nothing tells the target that the " + strings.ToLower(kind) + " left scope."
		}
		return fmt.Sprintf("The state of the %s in both the source and target systems already match.", strings.ToLower(kind))
	case SkipImport:
		return fmt.Sprintf("The %s has no value for any matching attribute. Fill it in the directory, or match by another attribute.", strings.ToLower(kind))
	case SkipBlocked:
		return fmt.Sprintf("The target object action %s is switched off in the attribute mapping.", title(string(r.Action)))
	}
	advice := map[string]string{
		"Not assigned": "It is not assigned to the application: assign it, or a group that it is an immediate member of, or choose Sync all users and groups.",
		"Assigned only through a group that is not security-enabled": "The assigned group is not security-enabled: enable it, or assign the object directly.",
		"Not active in the directory":                                "It is blocked or deleted in the directory: an account must be enabled before it is created.",
		"Scoping filter not passed":                                  "It does not pass the scoping filter: review the filter or the attribute.",
	}
	if sc := r.Scope; sc != nil && sc.Why != "" {
		advice["Scoping filter not passed"] = "It does not pass the scoping filter (" + sc.Why + "): review the filter or the attribute."
	}
	var b strings.Builder
	fmt.Fprintf(&b, "The %s is not effectively entitled for provisioning.", strings.ToLower(kind))
	for i, reason := range r.scopeReasons() {
		fmt.Fprintf(&b, " %d. %s", i+1, advice[reason])
	}
	return b.String()
}

// droppedText names references that are out of scope. Readers of logs take the ids from before "as the members of" and the
// group from between that and the full stop (application-provisioning-log-analytics.md, "Custom queries").
func (r *record) droppedText() string {
	if r.Message != "" {
		return r.Message
	}
	as := "members"
	if r.Kind == directory.KindUser {
		as = "manager"
	}
	return fmt.Sprintf("We were unable to assign %s as the %s of %s. Not in scope of provisioning.", strings.Join(r.Dropped, ", "), as, r.Name)
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// steps words the steps in the order of recorded entries: import, matching, scoping, decision, export.
func (r *record) steps() []Step {
	kind, label := kindName(r.Kind), r.label()
	list := []Step{r.importStep(kind, label)}
	if r.onDemand() {
		list = append(list, r.lookedSteps(kind)...)
	} else if r.Match != nil && !r.Match.Failed {
		st := Step{Name: "EntryImport", Type: "matching", Status: Success, Description: fmt.Sprintf("Retrieved  '%s' from %s", r.Match.Value, TargetSystem),
			Details: []Detail{{"MatchingAttribute", r.Match.Attr}, {"ObjectsFound", fmt.Sprint(r.Match.Found)}}}
		if r.Match.Found == 0 {
			st.Description = fmt.Sprintf("No %s whose %s is '%s' was found in %s", kind, r.Match.Attr, r.Match.Value, TargetSystem)
		}
		list = append(list, st)
	} else if r.Match == nil && r.Read {
		list = append(list, Step{Name: "EntryImport", Type: "matching", Status: Success, Description: fmt.Sprintf("Retrieved  '%s' from %s", r.Target, TargetSystem),
			Details: []Detail{{"id", r.Target}}})
	}
	if r.Scope != nil && r.Import != importDelete {
		list = append(list, r.scopeStep(kind))
	}
	for i := range r.Parts {
		list = append(list, r.Parts[i].decisionSteps(kind, label)...)
	}
	if len(r.Parts) > 0 {
		return list
	}
	return append(list, r.decisionSteps(kind, label)...)
}

func (r *record) importStep(kind, label string) Step {
	st := Step{Name: "EntryImport" + string(r.Import), Type: "import", Status: Success, Details: []Detail{{"objectId", r.ID}}}
	change := string(r.Import)
	if r.Import == importFull {
		change = "Add"
	}
	st.Description = fmt.Sprintf("Received %s '%s' change of type (%s) from %s", kind, label, change, SourceSystem)
	if r.onDemand() {
		st.Description = fmt.Sprintf("Retrieved %s '%s' from %s", kind, label, SourceSystem)
	}
	for _, p := range r.Source {
		st.Details = append(st.Details, Detail{p[0], p[1]})
	}
	return st
}

func (r *record) scopeStep(kind string) Step {
	sc := r.Scope
	filters := sc.Filters
	if filters == "" {
		filters = "{}"
	}
	return Step{Name: "EntrySynchronizationScoping", Type: "scoping", Status: Success,
		Description: fmt.Sprintf("Determine if %s in scope by evaluating against each scoping filter", kind),
		Details: []Detail{
			{"Active in the source system", boolText(sc.Active)}, {"Assigned to the application", boolText(sc.Assigned)},
			{kind + " has the required role", boolText(sc.entitled())}, {"Scoping filter evaluation passed", boolText(sc.Filter)},
			{"ScopeEvaluationResult", filters},
		}}
}

func boolText(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// decisionSteps are the decision and its export.
func (r *record) decisionSteps(kind, label string) []Step {
	report := Detail{"ReportableIdentifier", label}
	if r.Status == Skipped {
		return []Step{{Name: "EntrySynchronizationSkip", Type: "export", Status: Skipped, Description: r.skipText(),
			Details: []Detail{{"SkipReason", string(r.Skip)}, report}}}
	}
	if r.Status == Warning {
		return []Step{r.droppedStep()}
	}
	if r.Status == Failure && !r.Sent {
		st := Step{Name: "EntrySynchronizationError", Type: "matching", Status: Failure, Description: r.reason(), Details: r.detailed([]Detail{{"ErrorCode", r.Code}, report})}
		if m := r.Match; m != nil && m.Failed {
			st.Details = append(st.Details, Detail{"MatchingAttribute", m.Attr}, Detail{"MatchingValue", m.Value})
			if m.Found > 0 {
				st.Details = append(st.Details, Detail{"ObjectsFound", fmt.Sprint(m.Found)})
			}
		}
		return []Step{st}
	}
	verb := map[Action]string{ActionCreate: "Add", ActionUpdate: "Update", ActionDisable: "Update", ActionDelete: "Delete"}[r.Action]
	decided := map[Action]string{
		ActionCreate:  "%s '%s' will be created in " + TargetSystem + " (%[1]s is active and assigned in " + SourceSystem + ", but no matching %[1]s was found in " + TargetSystem + ")",
		ActionUpdate:  "%s '%s' will be updated in " + TargetSystem + " (%[1]s is active and assigned in " + SourceSystem + ", and its attributes differ)",
		ActionDisable: "%s '%s' will be disabled in " + TargetSystem + " (%[1]s is no longer in scope in " + SourceSystem + ")",
		ActionDelete:  "%s '%s' will be deleted in " + TargetSystem + " (%[1]s is gone from " + SourceSystem + " or left scope)",
	}[r.Action]
	list := []Step{{Name: "EntrySynchronization" + verb, Type: "matching", Status: Success, Description: fmt.Sprintf(decided, kind, label), Details: []Detail{}}}
	if r.Ref != "" {
		list[0] = Step{Name: "EntrySynchronizationUpdate", Type: "referenceResolution", Status: Success,
			Description: fmt.Sprintf("The reference attribute %s of %s '%s' will be updated in %s", r.Ref, kind, label, TargetSystem), Details: []Detail{}}
	}
	export := "EntryExport" + verb
	if r.Action == ActionDisable {
		export = "EntryExportUpdateSoftDelete"
	}
	done := map[Action]string{ActionCreate: "created", ActionUpdate: "updated", ActionDisable: "updated", ActionDelete: "deleted"}[r.Action]
	st := Step{Name: export, Type: "export", Status: r.Status, Description: fmt.Sprintf("%s '%s' was %s in %s", kind, label, done, TargetSystem), Details: []Detail{report}}
	if r.Status == Failure {
		st.Description = fmt.Sprintf("Failed to %s %s '%s' in %s", strings.TrimSuffix(done, "d"), kind, label, TargetSystem)
		st.Details = r.detailed(append(st.Details, Detail{"ErrorCode", r.Code}, Detail{"Message", r.reason()}))
	}
	list = append(list, st)
	if len(r.Dropped) > 0 {
		list = append(list, r.droppedStep())
	}
	return list
}

// detailed adds what is known beyond the message.
func (r *record) detailed(list []Detail) []Detail {
	if r.Detail != "" {
		list = append(list, Detail{"Detail", r.Detail})
	}
	return list
}

func (r *record) droppedStep() Step {
	return Step{Name: "EntryExportUpdate", Type: "referenceResolution", Status: Warning, Description: r.droppedText(),
		Details: []Detail{{"ErrorCode", "UnableToResolveReferenceAttributeValue"}, {"ReportableIdentifier", r.label()}}}
}

// advice is what to do about an error code (howto-analyze-provisioning-logs.md, "Error codes").
var advice = map[string]string{
	"EntryConflict":                          "Another object at the target uses the value already. Change the value, or match by an attribute that finds that object.",
	"TooManyRequests":                        "The target asks for fewer requests. The change is tried again by itself.",
	"InternalServerError":                    "The target failed. The change is tried again by itself; if it stays, ask the target's makers.",
	"Unauthorized":                           "The target refused the token for this request. Check its rights, or enter a new Secret token.",
	"InsufficientRights":                     "The token may not do this. Give it the right at the target.",
	"MethodNotAllowed":                       "The target does not offer this operation. Entra needs GET, POST, PATCH and DELETE.",
	"UnprocessableEntity":                    "The target understood the request but refuses a value; its answer says which.",
	"WebExceptionProtocolError":              "No usable answer came: check the connection, the certificate and the target's log. It is tried again by itself.",
	"Timeout":                                "The target took too long. It is tried again by itself.",
	"InvalidAnchor":                          "The linked object is gone from the target. Bring it back, or restart provisioning with a full reset so that it is matched anew.",
	"NotImplemented":                         "The target does not implement this operation.",
	"MandatoryFieldsMissing":                 "Fill the attribute in the directory, or give its mapping a default value.",
	"DuplicateTargetEntries":                 "Make the matching value unique at the target, or match by another attribute. A target that ignores filters shows this too.",
	"DuplicateSourceEntries":                 "Two objects of the directory match one at the target: make the matching value unique in the directory.",
	"UnableToResolveReferenceAttributeValue": "The referenced object has no counterpart at the target yet; it is looked at again when that is provisioned.",
	"SystemForCrossDomainIdentityManagementServiceIncompatible":       "The target's answer is not what SCIM asks for; the message shows it. See RFC 7644.",
	"SystemForCrossDomainIdentityManagementServerError":               "The target failed while it was read. It is tried again by itself.",
	"SystemForCrossDomainIdentityManagementMultipleEntriesInResponse": "One object was asked for and several came, or members came although they were excluded.",
}

// RulesOf returns the rules of a record or an exchange that the table knows.
func RulesOf(ids []string) []rules.Rule {
	var list []rules.Rule
	for _, id := range ids {
		if r, ok := rules.Get(id); ok {
			list = append(list, r)
		}
	}
	return list
}
