package mapping

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"entrasim/sim/expr"
)

// Set is a compiled schema: the object mappings for users and groups; nil where the schema has none.
type Set struct{ Users, Groups *ObjectMapping }

// ObjectMapping maps one kind of object. It is safe for concurrent use.
type ObjectMapping struct {
	Name                   string
	Enabled                bool
	Create, Update, Delete bool // Target Object Actions
	SourceObject           string
	TargetObject           string
	Attributes             []*Attribute // in mapping order, references left out
	References             []ReferenceMapping
	Matching               []Matching // in the order of precedence
	Scope                  *Filter    // nil: everything passes

	// NeedsManager: an expression reads the manager's object id. A mapped reference alone does not.
	NeedsManager bool

	reads      []string        // source attributes, each once
	properties map[string]bool // the directory properties behind them
}

// ReferenceMapping maps manager or members.
type ReferenceMapping struct{ Target, Source string }

// Matching is a matching attribute.
type Matching struct {
	Index    int // into Attributes
	Priority int
}

// Attribute maps one target attribute.
type Attribute struct {
	Target           string
	Type             Type
	Multi            bool
	CaseExact        bool
	Required         bool
	Default          string
	HasDefault       bool
	CreateOnly       bool // Only during creation
	FlowType         string
	None             bool // mapping type None: fills an empty target with its default
	ReadsSoftDeleted bool

	direct string // name of the source attribute of a direct mapping
	expr   *expr.Expr
}

// AddOnlyWhenEmpty reports whether the value flows only into a target attribute without one.
func (a *Attribute) AddOnlyWhenEmpty() bool { return a.FlowType == "AttributeAddOnly" }

// Inputs lists the source attributes that the mapping reads.
func (a *Attribute) Inputs() []string {
	if a.direct != "" {
		return []string{a.direct}
	}
	if a.expr == nil {
		return nil
	}
	return a.expr.Attributes()
}

// Desired is the value that a target attribute should have.
type Desired struct {
	Attr        *Attribute
	Value       expr.Value
	Present     bool // false: null, nothing is sent
	FromDefault bool // the default value, because the source was null
}

// Object is what the target should hold: one value for each attribute mapping, in their order.
type Object struct {
	Values []Desired
	// Ignore: an expression said IgnoreObjectFlow.
	Ignore bool
}

// Failure is an attribute mapping that could not be evaluated for an object.
type Failure struct {
	Target string
	Err    error
}

func (f *Failure) Error() string {
	return fmt.Sprintf("The attribute mapping of %s failed: %v.", f.Target, f.Err)
}

func (f *Failure) Unwrap() error { return f.Err }

// Map computes the desired object. The error is a *Failure.
func (m *ObjectMapping) Map(src *Source, env *expr.Env) (Object, error) {
	o := Object{Values: make([]Desired, len(m.Attributes))}
	env.Attribute = src.Attribute
	for i, a := range m.Attributes {
		d, ignore, err := a.desire(src, env)
		if err != nil {
			return o, err
		}
		o.Ignore = o.Ignore || ignore
		o.Values[i] = d
	}
	return o, nil
}

// Desire evaluates one attribute mapping.
func (a *Attribute) Desire(src *Source, env *expr.Env) (Desired, error) {
	env.Attribute = src.Attribute
	d, _, err := a.desire(src, env)
	return d, err
}

func (a *Attribute) desire(src *Source, env *expr.Env) (d Desired, ignoreObject bool, err error) {
	d.Attr = a
	var v expr.Value
	switch {
	case a.direct != "":
		v, _ = src.Attribute(a.direct)
	case a.expr != nil:
		r, err := a.expr.Eval(env)
		if err != nil {
			return d, false, &Failure{a.Target, err}
		}
		if r.IgnoreFlow || r.IgnoreObject {
			return d, r.IgnoreObject, nil
		}
		v = r.Value
	}
	if v.IsNull() || v.IsList() && v.IsEmpty() {
		if a.HasDefault {
			d.Value, d.Present, d.FromDefault = expr.String(a.Default), true, true
		}
		return d, false, nil
	}
	if v.IsList() && !a.Multi && !isFiltered(a.Target) {
		v = expr.String(v.Text())
	}
	if a.Type == Boolean {
		if t := v.Text(); !strings.EqualFold(t, "true") && !strings.EqualFold(t, "false") {
			return d, false, &Failure{a.Target, fmt.Errorf("%q is no Boolean; expected True or False", t)}
		}
	}
	d.Value, d.Present = v, true
	return d, false, nil
}

func isFiltered(target string) bool { return strings.Contains(target, "[") }

// Reads reports whether the mapping, its filter or its matching read a directory property, given by its Graph name.
func (m *ObjectMapping) Reads(property string) bool { return m.properties[property] }

// SoftDeleteTargets lists the attributes whose source reads IsSoftDeleted: what tells a target that an object left scope.
func (m *ObjectMapping) SoftDeleteTargets() []string {
	var list []string
	for _, a := range m.Attributes {
		if a.ReadsSoftDeleted {
			list = append(list, a.Target)
		}
	}
	return list
}

// Compile turns a schema into functions. The error is a *Problem with the JSON path of what is wrong.
func Compile(s *Schema) (*Set, error) {
	set := &Set{}
	rules := slices.Clone(s.Rules)
	sort.SliceStable(rules, func(i, k int) bool { return rules[i].Priority < rules[k].Priority })
	for ri := range rules {
		for mi := range rules[ri].ObjectMappings {
			doc := &rules[ri].ObjectMappings[mi]
			path := fmt.Sprintf("$.synchronizationRules[%d].objectMappings[%d]", ri, mi)
			m, err := compileObject(s, doc, path)
			if err != nil {
				return nil, err
			}
			switch {
			case strings.EqualFold(doc.SourceObjectName, "User") && set.Users == nil:
				set.Users = m
			case strings.EqualFold(doc.SourceObjectName, "Group") && set.Groups == nil:
				set.Groups = m
			}
		}
	}
	return set, nil
}

func compileObject(s *Schema, doc *ObjectMappingDocument, path string) (*ObjectMapping, error) {
	m := &ObjectMapping{Name: doc.Name, Enabled: doc.Enabled, SourceObject: doc.SourceObjectName, TargetObject: doc.TargetObjectName, properties: map[string]bool{}}
	for _, f := range strings.Split(doc.FlowTypes, ",") {
		switch strings.ToLower(strings.TrimSpace(f)) {
		case "add":
			m.Create = true
		case "update":
			m.Update = true
		case "delete":
			m.Delete = true
		case "", "none":
		default:
			return nil, &Problem{Path: path + ".flowTypes", Message: fmt.Sprintf("%q is no flow type; expected Add, Update, Delete.", f)}
		}
	}
	seen := map[string]bool{}
	for i, am := range doc.AttributeMappings {
		at := fmt.Sprintf("%s.attributeMappings[%d]", path, i)
		if seen[am.TargetAttributeName] {
			return nil, &Problem{Path: at, Field: "target", Message: fmt.Sprintf("The target attribute %s is mapped twice; delete one of the mappings.", am.TargetAttributeName)}
		}
		seen[am.TargetAttributeName] = true
		a, err := compileAttribute(s, doc, am, at)
		if err != nil {
			return nil, err
		}
		m.note(a)
		if a.Type == Reference {
			src := a.direct
			if src == "" {
				return nil, &Problem{Path: at, Field: "expression", Message: fmt.Sprintf("The reference attribute %s takes a direct mapping of manager or members.", a.Target)}
			}
			m.References = append(m.References, ReferenceMapping{a.Target, src})
			continue
		}
		m.NeedsManager = m.NeedsManager || slices.Contains(a.Inputs(), "manager")
		m.Attributes = append(m.Attributes, a)
		if am.MatchingPriority > 0 {
			m.Matching = append(m.Matching, Matching{len(m.Attributes) - 1, am.MatchingPriority})
		}
	}
	sort.SliceStable(m.Matching, func(i, k int) bool { return m.Matching[i].Priority < m.Matching[k].Priority })
	if m.Enabled && len(m.Matching) == 0 {
		return nil, &Problem{Path: path, Field: "match", Message: fmt.Sprintf("The mapping %q has no matching attribute; mark one with Match objects using this attribute.", doc.Name)}
	}
	if doc.Scope != nil && len(doc.Scope.Groups) > 0 {
		f, err := compileFilter(doc.Scope, doc.SourceObjectName, path+".scope")
		if err != nil {
			return nil, err
		}
		m.Scope = f
		for _, name := range f.attributes() {
			m.noteName(name)
		}
	}
	return m, nil
}

func (m *ObjectMapping) note(a *Attribute) {
	for _, name := range a.Inputs() {
		m.noteName(name)
	}
}

func (m *ObjectMapping) noteName(name string) {
	if slices.Contains(m.reads, name) {
		return
	}
	m.reads = append(m.reads, name)
	if a, ok := sourceNames(m.SourceObject).find(name); ok && a.property != "" && a.typ != Reference {
		m.properties[a.property] = true
		if a.property == "userPrincipalName" {
			m.properties["userType"] = true // a guest's flows in another form
		}
	}
}

// CompileAttribute compiles one attribute mapping of the mapping for "User" or "Group". The error is a *Problem.
func CompileAttribute(s *Schema, kind string, am AttributeMapping) (*Attribute, error) {
	doc := s.ObjectMapping(kind)
	if doc == nil {
		return nil, &Problem{Message: "The schema has no mapping for " + kind + "."}
	}
	return compileAttribute(s, doc, am, "")
}

func compileAttribute(s *Schema, doc *ObjectMappingDocument, am AttributeMapping, path string) (*Attribute, error) {
	fail := func(field, format string, args ...any) error {
		return &Problem{Path: path, Field: field, Message: fmt.Sprintf(format, args...)}
	}
	def := s.targetDefinition(doc.TargetObjectName, am.TargetAttributeName)
	switch {
	case am.TargetAttributeName == "":
		return nil, fail("target", "Choose the target attribute.")
	case def == nil:
		return nil, fail("target", "The target has no attribute %s; add it to the attribute list first.", am.TargetAttributeName)
	case def.Anchor:
		return nil, fail("target", "%s is the target's primary key and can't be mapped.", def.Name)
	}
	a := &Attribute{Target: def.Name, Type: def.Type, Multi: def.Multivalued, CaseExact: def.CaseExact, Required: def.Required,
		CreateOnly: am.FlowType == ObjectAddOnly, FlowType: am.FlowType}
	switch am.FlowType {
	case Always, ObjectAddOnly, "MultiValueAddOnly", "ValueAddOnly", "AttributeAddOnly", "":
	default:
		return nil, fail("flowType", "%q is no flow type; expected Always or ObjectAddOnly.", am.FlowType)
	}
	if am.DefaultValue != nil && *am.DefaultValue != "" {
		a.Default, a.HasDefault = *am.DefaultValue, true
	}
	if am.MatchingPriority < 0 {
		return nil, fail("match", "The matching precedence is %d; expected 0 or more.", am.MatchingPriority)
	}
	if am.Source == nil {
		a.None = true
		return a, nil
	}
	if strings.EqualFold(am.Source.Type, "Constant") {
		text := am.Source.Name
		if text == "" {
			text = strings.Trim(am.Source.Expression, `"`)
		}
		return a, a.constant(text)
	}
	e, err := expr.Parse(am.Source.Expression)
	if err != nil {
		return nil, fail("expression", "%v.", err)
	}
	known := sourceNames(doc.SourceObjectName)
	for _, name := range e.Attributes() {
		if _, ok := known.find(name); !ok {
			return nil, fail("expression", "There is no source attribute [%s]%s.", name, nearestName(name, SourceAttributes(doc.SourceObjectName)))
		}
		if name == "IsSoftDeleted" {
			a.ReadsSoftDeleted = true
		}
	}
	if e.Root.Kind == expr.NodeAttribute {
		src, _ := known.find(e.Root.Name)
		a.direct = src.name
		if (src.typ == Reference) != (a.Type == Reference) {
			return nil, fail("expression", "%s is %s, the target attribute %s is %s; they can't be mapped to each other.", src.name, kindOf(src.typ), a.Target, kindOf(a.Type))
		}
		return a, nil
	}
	a.expr = e
	return a, nil
}

func kindOf(t Type) string {
	if t == Reference {
		return "a reference"
	}
	return "no reference"
}

func (a *Attribute) constant(text string) error {
	e, err := expr.Parse(`CStr(` + expr.Quote(text) + `)`)
	a.expr = e
	return err
}

// nearestName suggests the closest of some names.
func nearestName(name string, list []string) string {
	best, least := "", 4
	for _, n := range list {
		if d := expr.Distance(strings.ToLower(name), strings.ToLower(n)); d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean [" + best + "]?"
}
