package sim

import (
	"errors"
	"strings"

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
// attribute without a value is a failure (resources/synchronization-attributedefinition.md, "required").
func creation(want mapping.Object) ([]scim.Attribute, []modified, *failure) {
	attrs := make([]scim.Attribute, 0, len(want.Values))
	mods := make([]modified, 0, len(want.Values))
	for _, d := range want.Values {
		if !d.Present {
			if d.Attr.Required {
				return nil, nil, &failure{Code: scim.CodeMandatoryFieldsMissing,
					Message: "The target attribute " + d.Attr.Target + " is required, and its mapping yields no value."}
			}
			continue
		}
		a := valueOf(d)
		if *textOf(a) == "" { // a POST carries neither nulls nor empty text
			continue
		}
		attrs = append(attrs, a)
		mods = append(mods, modified{Name: a.Path, New: textOf(a)})
	}
	return attrs, mods, nil
}

// difference compares what the target returned with what it should hold. Values that are null are left alone, as are
// those that apply only during creation (customize-application-attributes.md). The operation follows from the read: Add
// where the target returned no value, Replace where it returned another one.
func difference(want mapping.Object, have *scim.Resource, opt scim.Options) (changes []scim.Change, mods []modified, softDelete bool) {
	for _, d := range want.Values {
		if !d.Present || !flows(d, have) {
			continue
		}
		a := valueOf(d)
		old, present, equal := scim.Differs(have, a, d.Attr.CaseExact)
		if equal {
			continue
		}
		c := scim.Change{Op: opt.Op(present), Attribute: a}
		changes = append(changes, c)
		m := modified{Name: a.Path, New: textOf(a)}
		if present {
			m.Old = &old
		}
		mods = append(mods, m)
		softDelete = softDelete || d.Attr.ReadsSoftDeleted
	}
	return changes, mods, softDelete
}

// flows reports whether a value applies to an object that the target holds already.
func flows(d mapping.Desired, have *scim.Resource) bool {
	switch {
	case d.Attr.CreateOnly:
		return false
	case d.FromDefault && !d.Attr.None:
		return false
	case d.Attr.None:
		_, present, _ := scim.Differs(have, valueOf(d), true)
		return !present
	case d.Attr.AddOnlyWhenEmpty():
		_, present, _ := scim.Differs(have, valueOf(d), true)
		return !present
	}
	return true
}

func textOf(a scim.Attribute) *string {
	var text string
	switch v := a.Value.(type) {
	case string:
		text = v
	case []string:
		text = strings.Join(v, ", ")
	}
	return &text
}

// failure is why an object could not be brought to its wanted state.
type failure struct {
	Code    string
	Message string
	// Target is set when the target itself refused: the job's health depends on it.
	Err *scim.Error
}

func failureOf(err error) *failure {
	var e *scim.Error
	if errors.As(err, &e) {
		return &failure{Code: string(e.Code), Message: e.Message, Err: e}
	}
	var f *mapping.Failure
	if errors.As(err, &f) {
		return &failure{Code: scim.CodeAttributeMapping, Message: f.Error()}
	}
	return &failure{Code: scim.CodeInternalError, Message: err.Error()}
}

// unhealthy reports that the target gave no answer or refused the credentials: ten of these in a row end a cycle.
func (f *failure) unhealthy() bool {
	return f != nil && f.Err != nil && (f.Err.NoAnswer || f.Err.Status == 401)
}

// matchingValues are the values to match by, in precedence order; empty ones are passed over.
func matchingValues(m *mapping.ObjectMapping, want mapping.Object) []matchInfo {
	var list []matchInfo
	for _, x := range m.Matching {
		d := want.Values[x.Index]
		if !d.Present {
			continue
		}
		if text := d.Value.Text(); text != "" {
			list = append(list, matchInfo{Attr: d.Attr.Target, Value: text})
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
