package sim

import (
	"errors"
	"fmt"

	"entrasim/directory"
	"entrasim/sim/expr"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// desire maps a source object to what the target should hold.
func desire(m *mapping.ObjectMapping, src *source, env *expr.Env) (mapping.Object, error) {
	return m.Map(src.attrs, env)
}

// valueOf turns a mapped value into one of the wire.
func valueOf(d mapping.Desired) scim.Attribute {
	a := scim.Attribute{Path: d.Attr.Target, Type: wireType[d.Attr.Type], Multi: d.Attr.Multi}
	if roles, form := d.Value.Roles(); len(roles) > 0 {
		if !d.Attr.Multi {
			roles = roles[:1] // a single-valued attribute takes the first
		}
		value := scim.Roles{Form: scim.RolesComplex}
		if form == expr.RolesAssertive {
			value.Form = scim.RolesAssertive
		}
		for _, r := range roles {
			value.List = append(value.List, scim.Role(r))
		}
		a.Value = value
		return a
	}
	if d.Role != nil {
		role := scim.Role(*d.Role)
		a.Role = &role
	}
	switch {
	case d.Value.IsList():
		a.Value = d.Value.List()
	default:
		a.Value = d.Value.Text()
	}
	return a
}

var wireType = map[mapping.Type]scim.Type{
	mapping.String: scim.String, mapping.Boolean: scim.Boolean, mapping.Integer: scim.Integer,
	mapping.DateTime: scim.DateTime, mapping.Reference: scim.Reference, mapping.Binary: scim.String,
}

// creation lists what a POST carries: every mapped value, defaults included, in mapping order. A required target
// attribute without a value is a failure (resources/synchronization-attributedefinition.md, "required"). Where roles are
// mapped and nobody has one, the POST carries an empty list of them. What has no value is left out, or null under postNulls.
func creation(want mapping.Object, opt scim.Options) ([]scim.Attribute, []modified, *failure) {
	attrs := make([]scim.Attribute, 0, len(want.Values))
	mods := make([]modified, 0, len(want.Values))
	rolesMapped, roles := false, false
	for _, d := range want.Values {
		a := scim.Attribute{}
		if d.Present {
			a = valueOf(d)
		}
		rolesMapped = rolesMapped || d.Attr.IsRoles() && !d.Ignored
		if !d.Present || a.Text() == "" { // a POST carries no empty text, and no null unless it is asked for
			if d.Attr.Required {
				return nil, nil, &failure{Code: scim.CodeMandatoryFieldsMissing,
					Message: "The target attribute " + d.Attr.Target + " is required, and its mapping yields no value."}
			}
			if opt.PostNulls && !d.Ignored && !d.Attr.IsRoles() {
				attrs = append(attrs, scim.Attribute{Path: d.Attr.Target, Type: wireType[d.Attr.Type]})
			}
			continue
		}
		roles = roles || d.Attr.IsRoles()
		attrs = append(attrs, a)
		mods = append(mods, modified{Name: a.Path, New: shown(d, a)})
	}
	if rolesMapped && !roles {
		attrs = append(attrs, scim.Attribute{Path: "roles", Value: scim.Roles{}})
	}
	return attrs, mods, nil
}

// difference compares what the target returned with what it should hold. Values that are null or empty are left alone, unless
// nullFlow says otherwise, as are those that apply only during creation (customize-application-attributes.md). The operation
// follows from the read: Add where the target returned no value, Replace where it returned another one.
func difference(m *mapping.ObjectMapping, want mapping.Object, have *scim.Resource, opt scim.Options) (changes []scim.Change, mods []modified, softDelete bool) {
	for i, d := range want.Values {
		a := scim.Attribute{Path: d.Attr.Target, Type: wireType[d.Attr.Type]}
		if d.Present {
			a = valueOf(d)
		}
		if a.Text() == "" {
			if c, old, ok := cleared(d, a, have, opt); ok && !m.MatchesBy(i) {
				changes = append(changes, c)
				mods = append(mods, modified{Name: a.Path, Old: old})
			}
			continue
		}
		old, present, equal := scim.Differs(have, a, d.Attr.CaseExact)
		op := opt.Op(present)
		a, op, ok := flows(d, a, op, have, present, equal)
		if !ok {
			continue
		}
		changes = append(changes, scim.Change{Op: op, Attribute: a})
		m := modified{Name: a.Path, New: shown(d, a)}
		if present {
			m.Old = &old
			if d.Redacted {
				m.Old = redacted()
			}
		}
		mods = append(mods, m)
		softDelete = softDelete || d.Attr.ReadsSoftDeleted
	}
	return changes, mods, softDelete
}

// cleared is what an attribute without a value sends, and what the target held. The service sends nothing
// (known-issues.md); Microsoft's own tests of gallery targets send what the switch nullFlow asks for. It takes away what a
// target returned, of attributes that updates may change at all; an empty text stands for texts alone.
func cleared(d mapping.Desired, a scim.Attribute, have *scim.Resource, opt scim.Options) (c scim.Change, old *string, ok bool) {
	if opt.NullFlow != "remove" && opt.NullFlow != "emptyString" || d.Ignored || d.Attr.CreateOnly || d.Attr.None || d.Attr.Required || d.Attr.IsRoles() || d.Attr.AddsOnly() {
		return c, nil, false
	}
	text, present, _ := scim.Differs(have, scim.Attribute{Path: a.Path, Type: a.Type, Value: ""}, false)
	if !present {
		return c, nil, false
	}
	old = &text
	if d.Redacted {
		old = redacted()
	}
	if opt.NullFlow == "remove" {
		return scim.Change{Op: scim.Remove, Attribute: scim.Attribute{Path: a.Path, Type: a.Type}}, old, true
	}
	return scim.Change{Op: scim.Replace, Attribute: scim.Attribute{Path: a.Path, Value: ""}}, old, a.Type == scim.String
}

// flows decides whether a value goes to an object that the target holds already, and what of it
// (resources/synchronization-attributemapping.md, flowType and flowBehavior). present and equal are what was found there.
func flows(d mapping.Desired, a scim.Attribute, op scim.Op, have *scim.Resource, present, equal bool) (scim.Attribute, scim.Op, bool) {
	several := d.Attr.Multi || a.Value != nil && d.Value.IsList()
	switch {
	case d.Attr.CreateOnly:
		return a, op, false
	case d.Attr.None:
		return a, op, !present // fills an empty attribute, on updates too
	case d.FromDefault:
		return a, op, false // only on creation
	case d.Attr.FlowType == mapping.AttributeAddOnly:
		return a, op, !present
	case d.Attr.FlowType == mapping.MultiValueAddOnly && !several:
		return a, op, false
	case d.Attr.FlowType == mapping.ValueAddOnly && !several:
		return a, op, !present // another value would take the place of the present one
	case d.Attr.FlowType == mapping.MultiValueAddOnly, d.Attr.FlowType == mapping.ValueAddOnly:
		part, missing := scim.Missing(have, a, d.Attr.CaseExact)
		return part, scim.Add, missing
	case d.Attr.FlowAlways:
		return a, op, true
	case equal:
		return a, op, false
	}
	if roles, ok := a.Value.(scim.Roles); ok && roles.Form == scim.RolesComplex {
		// All of them, also those that the target returned: https://learn.microsoft.com/en-us/answers/questions/671361.
		return a, scim.Add, true
	}
	return a, op, true
}

// shown is a value as the log shows it.
func shown(d mapping.Desired, a scim.Attribute) *string {
	if d.Redacted {
		return redacted()
	}
	return textOf(a)
}

func redacted() *string {
	s := expr.RedactedText
	return &s
}

func textOf(a scim.Attribute) *string {
	text := a.Text()
	return &text
}

// failure is why an object could not be brought to its wanted state.
type failure struct {
	Code    string
	Message string
	Detail  string // what is known beyond the message's frame
	// Target is set when the target itself refused: the job's health depends on it.
	Err *scim.Error
	// pair: no match was found, and the POST was refused as a conflict.
	pair bool
}

func failureOf(err error) *failure {
	var e *scim.Error
	if errors.As(err, &e) {
		return &failure{Code: e.Code, Message: e.Message, Detail: e.Detail, Err: e}
	}
	var f *mapping.Failure
	if errors.As(err, &f) {
		return &failure{Code: scim.CodeAttributeMapping, Message: f.Error()}
	}
	return &failure{Code: scim.CodeInternalError, Message: err.Error()}
}

// matchFailed puts the object's name in front of the message of an answer that could not be read, as recorded log entries
// have it.
func matchFailed(r *record, err error) error {
	var e *scim.Error
	if !errors.As(err, &e) || !e.Unreadable {
		return err
	}
	named := *e
	named.Message = fmt.Sprintf("Failed to match an entry in the source and target systems %s '%s'; Error: %s", kindName(r.Kind), r.label(), e.Message)
	return &named
}

// createFailed does the same for a create that was refused in a job of the template customappsso.
func createFailed(r *record, err error) error {
	var e *scim.Error
	if !errors.As(err, &e) || e.Code != scim.CodeBadRequest {
		return err
	}
	named := *e
	named.Message = fmt.Sprintf("Failed to create %s '%s' in %s; Error: %s", kindName(r.Kind), r.label(), TargetSystem, e.Message)
	return &named
}

// inDoubt reports that the target may have done what it was asked: no answer came, or one that does not say.
func (f *failure) inDoubt() bool {
	return f.Err != nil && (f.Err.NoAnswer || f.Err.Status >= 500 || f.Err.Status >= 200 && f.Err.Status < 300)
}

// unhealthy reports that the target gave no answer or refused the credentials: ten of these in a row end a cycle.
func (f *failure) unhealthy() bool {
	return f != nil && f.Err != nil && (f.Err.NoAnswer || f.Err.Status == 401)
}

// matchingValues are the values to match by, in precedence order; empty ones are passed over, and so are defaults, which
// many objects share.
func matchingValues(m *mapping.ObjectMapping, want mapping.Object) []matchInfo {
	var list []matchInfo
	for _, x := range m.Matching {
		d := want.Values[x.Index]
		if !d.Present || d.FromDefault {
			continue
		}
		if text := d.Value.Text(); text != "" {
			list = append(list, matchInfo{Attr: d.Attr.Target, Value: text, kind: wireType[d.Attr.Type], exact: d.Attr.CaseExact})
		}
	}
	return list
}

// left tells how an object that is out of scope leaves it: blocked and soft-deleted objects stay managed, so that a
// purge is still carried out; unassigned and filtered ones do not (how-provisioning-works.md, known limitations).
func left(src *source) LinkState {
	if !src.scope.entitled() || !src.scope.Filter {
		return LinkUnmanaged
	}
	return LinkDisabled
}

func resourceType(kind directory.Kind) scim.ResourceType {
	if kind == directory.KindGroup {
		return scim.Group
	}
	return scim.User
}
