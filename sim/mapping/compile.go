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

// UsesRoles reports whether a mapping asks for app role assignments: such a job can't synchronize all users and groups
// (customize-application-attributes.md, "Provisioning a role to a SCIM app").
func (s *Set) UsesRoles() bool {
	return s.Users != nil && s.Users.Enabled && s.Users.NeedsRoles || s.Groups != nil && s.Groups.Enabled && s.Groups.NeedsRoles
}

// RoleTarget is the first target attribute whose mapping asks for app role assignments; "" for none.
func (s *Set) RoleTarget() string {
	for _, m := range []*ObjectMapping{s.Users, s.Groups} {
		if m == nil || !m.Enabled {
			continue
		}
		for _, a := range m.Attributes {
			if slices.Contains(a.Inputs(), "appRoleAssignments") {
				return a.Target
			}
		}
	}
	return ""
}

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
	Input, Category        *Filter    // who does not pass is not read at all; nil: everybody passes

	NeedsManager bool // an expression reads the manager's object id; a mapped reference alone does not
	NeedsRoles   bool // an expression reads the app role assignments

	reads      []string        // source attributes, each once
	redacted   map[string]bool // those that logs must not show
	properties map[string]bool // the directory properties behind them
	computes   bool            // at least one expression is not a direct mapping
}

// ReferenceMapping maps manager or members.
type ReferenceMapping struct {
	Target, Source string
	FlowType       string // one of the constants
	CreateOnly     bool   // Only during object creation
}

// Flows reports whether a reference is written at the target: created tells that the object was created just now, present
// that it has one already, which matters to a single one, removal that it is to be taken away.
func (r ReferenceMapping) Flows(created, present, removal bool) bool {
	switch {
	case created:
		return true
	case r.CreateOnly, removal && r.FlowType != Always:
		return false
	case r.FlowType == MultiValueAddOnly, r.FlowType == ValueAddOnly, r.FlowType == AttributeAddOnly:
		if r.Source == "members" {
			return r.FlowType != AttributeAddOnly // what a group has is never read
		}
		return !present && r.FlowType != MultiValueAddOnly
	}
	return true
}

// Reference returns how manager or members is mapped.
func (m *ObjectMapping) Reference(source string) (r ReferenceMapping, mapped bool) {
	if m != nil {
		for _, r := range m.References {
			if r.Source == source {
				return r, true
			}
		}
	}
	return r, false
}

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
	CreateOnly       bool   // Only during object creation
	FlowType         string // one of the constants
	FlowAlways       bool   // sent although it is equal
	None             bool   // mapping type None: fills an empty target with its default
	ReadsSoftDeleted bool
	Warnings         []string // what an editor shows; only CompileAttribute fills it

	direct     *attribute // of a direct mapping
	expr       *expr.Expr
	singleRole bool // the whole expression is SingleAppRoleAssignment
	roles      bool // the target is roles, or a part of it
	allRoles   bool // the target is roles as a whole
	inputs     []string
	redacts    []string // inputs of Redact
}

// Inputs lists the source attributes that the mapping reads, in the service's spelling. The caller must not change it.
func (a *Attribute) Inputs() []string { return a.inputs }

// Direct returns the source attribute of a direct mapping; ok is false for any other.
func (a *Attribute) Direct() (source string, ok bool) {
	if a.direct == nil || a.expr != nil {
		return "", false
	}
	return a.direct.name, true
}

// IsRoles reports whether the target attribute is roles or a part of it.
func (a *Attribute) IsRoles() bool { return a.roles }

// AddsOnly reports whether the mapping gives values to what has none, and takes none away.
func (a *Attribute) AddsOnly() bool {
	return a.FlowType == AttributeAddOnly || a.FlowType == MultiValueAddOnly || a.FlowType == ValueAddOnly
}

// MatchesBy reports whether objects are matched by the attribute of that place.
func (m *ObjectMapping) MatchesBy(index int) bool {
	return slices.ContainsFunc(m.Matching, func(x Matching) bool { return x.Index == index })
}

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

// compiler turns documents into functions and collects what is wrong with them.
type compiler struct {
	schema   *Schema
	problems []*Problem
	warnings []*Problem
}

func (c *compiler) problem(path, field string, err error, format string, args ...any) {
	c.problems = append(c.problems, &Problem{Path: path, Field: field, Message: fmt.Sprintf(format, args...), Err: err})
}

func (c *compiler) warn(path, field, format string, args ...any) {
	c.warnings = append(c.warnings, &Problem{Path: path, Field: field, Message: fmt.Sprintf(format, args...)})
}

// first returns the first problem as an error.
func (c *compiler) first() error {
	if len(c.problems) == 0 {
		return nil
	}
	return c.problems[0]
}

// Compile turns a schema into functions; each expression and pattern is compiled here, once. The error is a *Problem with
// the JSON path of what is wrong first.
func Compile(s *Schema) (*Set, error) {
	c := &compiler{schema: s}
	set := c.compile()
	return set, c.first()
}

func (c *compiler) compile() *Set {
	set := &Set{}
	c.checkDocument()
	users, hasUsers := c.schema.locate("User")
	groups, hasGroups := c.schema.locate("Group")
	if hasGroups && groups.before(users) { // problems stand in the order of the document
		set.Groups = c.objectMapping(groups)
	}
	if hasUsers {
		set.Users = c.objectMapping(users)
	}
	if hasGroups && !groups.before(users) {
		set.Groups = c.objectMapping(groups)
	}
	return set
}

// objectSchema is an object mapping with the definitions of its two ends.
type objectSchema struct {
	kind   string // User or Group
	doc    *ObjectMappingDocument
	source *ObjectDefinition // nil: none is given, the built-in attributes are there in any case
	target *ObjectDefinition
	path   string
}

func (s *Schema) objectSchema(at location) *objectSchema {
	rule := &s.Rules[at.rule]
	doc := &rule.ObjectMappings[at.mapping]
	return &objectSchema{kind: at.kind, doc: doc, path: at.String(),
		source: s.object(rule.SourceDirectoryName, doc.SourceObjectName), target: s.object(rule.TargetDirectoryName, doc.TargetObjectName)}
}

func (c *compiler) objectMapping(at location) *ObjectMapping {
	o := c.schema.objectSchema(at)
	doc, path := o.doc, o.path
	m := &ObjectMapping{Name: doc.Name, Enabled: doc.Enabled, SourceObject: o.kind, TargetObject: doc.TargetObjectName,
		redacted: map[string]bool{}, properties: map[string]bool{}}
	m.Create, m.Update, m.Delete, _ = flowTypes(doc.FlowTypes)
	if o.target == nil {
		c.problem(path+".targetObjectName", "", nil, "The directory %s has no object %q; add its definition under directories, or correct the name.",
			c.schema.Rules[at.rule].TargetDirectoryName, doc.TargetObjectName)
		return m
	}
	for i := range doc.AttributeMappings {
		am := &doc.AttributeMappings[i]
		a := c.attribute(o, am, fmt.Sprintf("%s.attributeMappings[%d]", path, i))
		if a == nil {
			continue
		}
		m.add(a, am.MatchingPriority)
	}
	sort.SliceStable(m.Matching, func(i, k int) bool { return m.Matching[i].Priority < m.Matching[k].Priority })
	if m.Enabled && !slices.ContainsFunc(doc.AttributeMappings, func(am AttributeMapping) bool { return am.MatchingPriority > 0 }) {
		c.problem(path+".attributeMappings", "match", nil, "The mapping %q has no matching attribute; mark one with Match objects using this attribute (matchingPriority 1).", doc.Name)
	}
	if doc.Scope != nil {
		m.Scope = c.filter(o, doc.Scope.Groups, path+".scope.groups")
		m.Input = c.filter(o, doc.Scope.InputFilterGroups, path+".scope.inputFilterGroups")
		m.Category = c.filter(o, doc.Scope.CategoryFilterGroups, path+".scope.categoryFilterGroups")
		for _, f := range []*Filter{m.Scope, m.Input, m.Category} {
			if f != nil {
				for _, g := range f.groups {
					for i := range g {
						m.note(g[i].attribute)
					}
				}
			}
		}
	}
	c.warnRequired(o)
	return m
}

// add puts a compiled attribute where it belongs.
func (m *ObjectMapping) add(a *Attribute, priority int) {
	for _, name := range a.inputs {
		x := namesOf(m.SourceObject).find(name)
		if x == nil {
			x = property(name, strings.ReplaceAll(name, ".", "/"), String)
		}
		m.note(x)
	}
	for _, name := range a.redacts {
		m.redacted[name] = true
	}
	if a.Type == Reference {
		if !a.None {
			m.References = append(m.References, ReferenceMapping{a.Target, a.direct.name, a.FlowType, a.CreateOnly})
		}
		return
	}
	m.NeedsManager = m.NeedsManager || slices.Contains(a.inputs, "manager")
	m.NeedsRoles = m.NeedsRoles || slices.Contains(a.inputs, "appRoleAssignments")
	m.computes = m.computes || a.expr != nil
	m.Attributes = append(m.Attributes, a)
	if priority > 0 {
		m.Matching = append(m.Matching, Matching{len(m.Attributes) - 1, priority})
	}
}

// note records what is read.
func (m *ObjectMapping) note(a *attribute) {
	if slices.Contains(m.reads, a.name) {
		return
	}
	m.reads = append(m.reads, a.name)
	if a.property != "" && a.typ != Reference {
		m.properties[a.property] = true
		if a.property == "userPrincipalName" {
			m.properties["userType"] = true // a guest's flows in another form
		}
	}
}

// CompileAttribute compiles one attribute mapping of the mapping for "User" or "Group". The error is a *Problem.
func CompileAttribute(s *Schema, kind string, am AttributeMapping) (*Attribute, error) {
	at, ok := s.locate(kind)
	if !ok {
		return nil, noMapping(kind)
	}
	c := &compiler{schema: s}
	o := s.objectSchema(at)
	if o.target == nil {
		return nil, &Problem{Path: o.path + ".targetObjectName", Message: fmt.Sprintf("There is no definition of the target object %q.", o.doc.TargetObjectName)}
	}
	a := c.attribute(o, &am, "")
	if a != nil {
		for _, w := range c.warnings {
			a.Warnings = append(a.Warnings, w.Message)
		}
	}
	return a, c.first()
}

func noMapping(kind string) *Problem {
	return &Problem{Path: "$.synchronizationRules", Message: fmt.Sprintf("The schema has no mapping whose source object is %s; import one that has, or restore the default mappings.", kind)}
}
