package mapping

import (
	"fmt"

	"entrasim/sim/expr"
)

// Desired is the value that a target attribute should have.
type Desired struct {
	Attr        *Attribute
	Value       expr.Value
	Present     bool // false: null, nothing is sent
	FromDefault bool // the default value, because the source was null
	Ignored     bool // the expression dropped the attribute from this object's flow
	Redacted    bool // logs show [Redact] in place of the value
	// Warnings are what is better not relied on, such as several roles where one is asked for.
	Warnings []string
	// Role is the app role that SingleAppRoleAssignment chose: some targets are told all of it.
	Role *expr.Role
}

// Object is what the target should hold: one value for each attribute mapping, in their order.
type Object struct {
	Values []Desired
	// Ignore: an expression said IgnoreObjectFlow. IgnoredBy is the target attribute of its mapping.
	Ignore    bool
	IgnoredBy string
}

// Failure is an attribute mapping that could not be evaluated for an object. Err is an *expr.Error, or says how the value
// does not fit the target attribute.
type Failure struct {
	Target string
	Err    error
}

// Error names the target attribute and the reason.
func (f *Failure) Error() string {
	return fmt.Sprintf("The attribute mapping of %s failed: %v.", f.Target, f.Err)
}

// Unwrap returns the reason.
func (f *Failure) Unwrap() error { return f.Err }

// Map computes the desired object. The error is a *Failure. It uses env.Attribute; env serves one object at a time.
func (m *ObjectMapping) Map(src *Source, env *expr.Env) (Object, error) {
	o := Object{Values: make([]Desired, len(m.Attributes))}
	if m.computes {
		src.lend(env)
	}
	for i, a := range m.Attributes {
		if err := a.desire(&o.Values[i], &o, src, env); err != nil {
			return o, err
		}
	}
	return o, nil
}

// lend lets an evaluation ask for the source's attributes. Names were checked when the mapping was compiled: one that the
// directory does not know stands in the schema's attribute list and is null.
func (s *Source) lend(env *expr.Env) {
	env.Attribute = func(name string) (expr.Value, bool) {
		v, _ := s.Attribute(name)
		return v, true
	}
}

// Desire evaluates one attribute mapping. The error is a *Failure.
func (a *Attribute) Desire(src *Source, env *expr.Env) (Desired, error) {
	var d Desired
	src.lend(env)
	err := a.desire(&d, &Object{}, src, env)
	return d, err
}

func (a *Attribute) desire(d *Desired, o *Object, src *Source, env *expr.Env) error {
	d.Attr = a
	var v expr.Value
	switch {
	case a.direct != nil:
		v = a.direct.value(src)
	case a.expr != nil:
		r, err := a.expr.Eval(env)
		if err != nil {
			return &Failure{a.Target, err}
		}
		for _, w := range r.Warnings {
			d.Warnings = append(d.Warnings, w.Message)
		}
		if r.IgnoreFlow || r.IgnoreObject {
			d.Ignored = true
			if r.IgnoreObject && !o.Ignore {
				o.Ignore, o.IgnoredBy = true, a.Target
			}
			return nil
		}
		v = r.Value
		d.Redacted = v.Redacted()
		if a.singleRole && len(src.Roles) > 0 {
			d.Role = &src.Roles[0]
		}
	}
	if v.IsNull() || v.IsList() && v.IsEmpty() {
		if a.HasDefault {
			d.Value, d.Present, d.FromDefault, d.Role = expr.String(a.Default), true, true, nil
		}
		return nil
	}
	v = a.shaped(v)
	if a.Type != String {
		if err := a.fits(v.Text()); err != nil {
			return &Failure{a.Target, err}
		}
	}
	d.Value, d.Present = v, true
	return nil
}

// shaped makes a value fit the target attribute: a single-valued one takes the first of several, except that one with a
// filter may hold several elements. Roles keep their parts only in the attribute roles itself.
func (a *Attribute) shaped(v expr.Value) expr.Value {
	if !v.IsList() {
		return v
	}
	filtered := isFiltered(a.Target)
	if roles, form := v.Roles(); len(roles) > 0 {
		if a.allRoles && form != expr.RolesPlain {
			return v
		}
		if a.Multi {
			return expr.List(v.List())
		}
		return expr.String(v.Text())
	}
	if !a.Multi && !filtered {
		return expr.String(v.Text())
	}
	return v
}

func isFiltered(target string) bool {
	for i := range len(target) {
		if target[i] == '[' {
			return true
		}
	}
	return false
}
