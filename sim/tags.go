package sim

import (
	"slices"

	"entrasim/directory"
	"entrasim/sim/scim"
)

// The rules that made a decision, as they stand in requests and records. Those of how a request is written are the scim
// room's to name; here is why it is sent, or why nothing is.

// outside names the conditions that an object which is not provisioned fails.
func (src *source) outside() []string {
	var list []string
	switch {
	case src.scope.entitled():
	case src.scope.Insecure:
		list = append(list, "S-108")
	default:
		list = append(list, "S-106")
	}
	switch {
	case src.scope.Active:
	case src.Kind == directory.KindGroup:
		list = append(list, "S-211")
	default:
		list = append(list, "S-118")
	}
	if !src.scope.Filter {
		list = append(list, "S-120")
	}
	return list
}

// leaving names why an object that was provisioned is no longer.
func (src *source) leaving() []string {
	var list []string
	if !src.scope.entitled() {
		list = append(list, "S-076")
	}
	if !src.scope.Filter {
		list = append(list, "S-123")
	}
	switch {
	case src.scope.Active:
	case src.Kind == directory.KindGroup:
		list = append(list, "S-211")
	default:
		list = append(list, "S-077")
	}
	if src.Kind == directory.KindGroup && src.scope.Active {
		list = append(list, "S-210")
	}
	return list
}

// departure says how an object came to be out of scope.
func (src *source) departure() string {
	switch {
	case src.State != directory.Live:
		return "was deleted"
	case src.scope.entitled() && src.scope.Filter && !src.scope.Active && src.Kind == directory.KindUser:
		return "was blocked (account disabled)"
	}
	return "left scope"
}

// readRules are those of the read of a linked object in scope.
func (t *step) readRules() []string {
	var list []string
	switch {
	case t.w.kind == directory.KindGroup:
		list = []string{"W-058", "W-030"}
	case t.link.State == LinkActive:
		list = []string{"W-053"}
	}
	if t.link.State != LinkActive {
		list = append(list, "W-056")
	}
	return list
}

// updateRules are those of an update, which follows a first match or a read.
func (t *step) updateRules(changes []scim.Change) []string {
	list := slices.DeleteFunc(t.readRules(), func(id string) bool { return id == "W-030" }) // of the read alone
	if t.out.fresh {
		list = t.matchedRules()
	}
	for _, id := range scim.PatchRules(t.rt, t.client.Dialect(), t.opt, changes) {
		if !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// matchedRules are those of an object that was found by matching just now.
func (t *step) matchedRules() []string {
	if t.w.kind == directory.KindGroup {
		return []string{"S-064"}
	}
	return []string{"S-064", "W-052"}
}

// redundantRules are those of an object that equals what is wanted.
func (t *step) redundantRules() []string {
	if t.out.fresh {
		return append(t.matchedRules(), "S-074")
	}
	return []string{"S-074"}
}

// failureRules name what follows from a failure that is no answer of the target, or that means more than its answer says.
var failureRules = map[string]string{
	scim.CodeMandatoryFieldsMissing: "S-253", scim.CodeDuplicateSourceEntries: "S-280",
	scim.CodeDuplicateTargetEntries: "S-065", scim.CodeInvalidAnchor: "S-201",
}

// rules of a failure: of the answer, and of what the service makes of it.
func (f *failure) rules() []string {
	var list []string
	if f.Err != nil && f.Err.Rule != "" {
		list = append(list, f.Err.Rule)
	}
	if id := failureRules[f.Code]; id != "" {
		list = append(list, id)
	}
	return list
}
