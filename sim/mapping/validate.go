package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// location is where the mapping of a kind of object stands.
type location struct {
	kind          string // User or Group
	rule, mapping int
}

// String is the JSON path.
func (l location) String() string {
	return fmt.Sprintf("$.synchronizationRules[%d].objectMappings[%d]", l.rule, l.mapping)
}

func (l location) before(other location) bool {
	return other.kind == "" || l.rule < other.rule || l.rule == other.rule && l.mapping < other.mapping
}

// locate finds the mapping that provisions users or groups: of the rules that read from Microsoft Entra ID the one with
// the lowest priority, in it the first mapping that is enabled, else the first. Gallery applications have further rules,
// some in the other direction, which this service does not carry out.
func (s *Schema) locate(kind string) (location, bool) {
	order := make([]int, 0, len(s.Rules))
	for r := range s.Rules {
		if isEntra(s.Rules[r].SourceDirectoryName) {
			order = append(order, r)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return s.Rules[a].Priority - s.Rules[b].Priority })
	kind = canonicalKind(kind)
	for _, enabled := range []bool{true, false} {
		for _, r := range order {
			for m := range s.Rules[r].ObjectMappings {
				if doc := &s.Rules[r].ObjectMappings[m]; strings.EqualFold(doc.SourceObjectName, kind) && doc.Enabled == enabled {
					return location{kind, r, m}, true
				}
			}
		}
	}
	return location{}, false
}

func canonicalKind(kind string) string {
	if strings.EqualFold(kind, "Group") {
		return "Group"
	}
	return "User"
}

// isEntra reports whether a directory is the source: jobs from before 2024 have its former name.
func isEntra(name string) bool {
	return name == "" || strings.EqualFold(name, SourceDirectory) || strings.EqualFold(name, formerSourceDirectory)
}

// directory finds a definition by name; the source has two.
func (s *Schema) directory(name string) *DirectoryDefinition {
	for i := range s.Directories {
		if d := &s.Directories[i]; d.Name == name || d.Name != "" && isEntra(d.Name) && isEntra(name) {
			return d
		}
	}
	return nil
}

func (s *Schema) object(directory, name string) *ObjectDefinition {
	d := s.directory(directory)
	if d == nil {
		return nil
	}
	for i := range d.Objects {
		if d.Objects[i].Name == name {
			return &d.Objects[i]
		}
	}
	return nil
}

// attribute finds a definition by its name; nil when there is none, or no object.
func (o *ObjectDefinition) attribute(name string) *AttributeDefinition {
	if o == nil {
		return nil
	}
	for i := range o.Attributes {
		if o.Attributes[i].Name == name {
			return &o.Attributes[i]
		}
	}
	return nil
}

// folded is attribute without regard to case.
func (o *ObjectDefinition) folded(name string) *AttributeDefinition {
	if o == nil {
		return nil
	}
	for i := range o.Attributes {
		if strings.EqualFold(o.Attributes[i].Name, name) {
			return &o.Attributes[i]
		}
	}
	return nil
}

// Validate reports the first thing that is wrong with a schema, as a *Problem: what a job could not work with.
func (s *Schema) Validate() error {
	if p := s.Problems(); len(p) > 0 {
		return p[0]
	}
	return nil
}

// Problems lists everything that is wrong with a schema, each with its JSON path and what to do.
func (s *Schema) Problems() []*Problem {
	c := &compiler{schema: s}
	set := c.compile()
	if set.Users == nil && len(c.problems) == 0 {
		c.problems = append(c.problems, noMapping("User"))
	}
	return c.problems
}

// Warnings lists what is allowed and seldom meant, such as a pattern that is not anchored.
func (s *Schema) Warnings() []*Problem {
	c := &compiler{schema: s}
	c.compile()
	return c.warnings
}

// checkDocument checks what does not depend on directories' contents: names, enumerations, what stands twice.
func (c *compiler) checkDocument() {
	s := c.schema
	if len(s.Rules) == 0 {
		c.problem("$.synchronizationRules", "", nil, "The schema has no synchronization rule; a schema replaces the former one as a whole, so supply all of its parts.")
		return
	}
	if !slices.ContainsFunc(s.Rules, func(r Rule) bool { return isEntra(r.SourceDirectoryName) }) {
		c.problem("$.synchronizationRules[0].sourceDirectoryName", "", nil, "No rule reads from the directory %q; write that name, or its former one, %q.", SourceDirectory, formerSourceDirectory)
	}
	for r := range s.Rules {
		c.checkRule(&s.Rules[r], fmt.Sprintf("$.synchronizationRules[%d]", r))
	}
	names := map[string]int{}
	for d := range s.Directories {
		dir := &s.Directories[d]
		path := fmt.Sprintf("$.directories[%d]", d)
		if first, twice := names[dir.Name]; twice {
			c.problem(path+".name", "", nil, "There is a directory %q already, at $.directories[%d]; put its objects there.", dir.Name, first)
		}
		names[dir.Name] = d
		for o := range dir.Objects {
			c.checkObject(&dir.Objects[o], fmt.Sprintf("%s.objects[%d]", path, o))
		}
	}
}

func (c *compiler) checkRule(rule *Rule, path string) {
	if rule.TargetDirectoryName == "" {
		c.problem(path+".targetDirectoryName", "", nil, "The rule names no target directory; write the name of one under directories, such as %q.", TargetDirectory)
	} else if c.schema.directory(rule.TargetDirectoryName) == nil {
		c.problem(path+".targetDirectoryName", "", nil, "There is no directory %q; add its definition under directories, or correct the name.", rule.TargetDirectoryName)
	}
	for m := range rule.ObjectMappings {
		doc := &rule.ObjectMappings[m]
		at := fmt.Sprintf("%s.objectMappings[%d]", path, m)
		if _, _, _, err := flowTypes(doc.FlowTypes); err != nil {
			c.problem(at+".flowTypes", "flowTypes", nil, "%v", err)
		}
		targets := map[string]int{}
		for i, am := range doc.AttributeMappings {
			if first, twice := targets[am.TargetAttributeName]; twice {
				c.problem(fmt.Sprintf("%s.attributeMappings[%d].targetAttributeName", at, i), "target", nil,
					"The target attribute %s is mapped twice, before at attributeMappings[%d]; delete one of the mappings.", am.TargetAttributeName, first)
			}
			targets[am.TargetAttributeName] = i
		}
	}
}

func (c *compiler) checkObject(o *ObjectDefinition, path string) {
	seen, anchor := map[string]int{}, -1
	for i := range o.Attributes {
		d := &o.Attributes[i]
		at := fmt.Sprintf("%s.attributes[%d]", path, i)
		if d.Name == "" {
			c.problem(at+".name", "name", nil, "The attribute has no name; enter one.")
		}
		if first, twice := seen[d.Name]; twice {
			c.problem(at+".name", "name", nil, "The object has an attribute %s already, at attributes[%d]; delete one of the two.", d.Name, first)
		}
		seen[d.Name] = i
		if _, ok := canonical(string(d.Type), string(String), string(Boolean), string(Integer), string(Reference), string(Binary), string(DateTime)); !ok {
			c.problem(at+".type", "type", nil, "%q is no type of an attribute; expected String, Boolean, Integer, Reference, Binary or DateTime.", d.Type)
		}
		if _, ok := canonical(string(d.Mutability), string(ReadWrite), string(ReadOnly), string(Immutable), string(WriteOnly)); !ok {
			c.problem(at+".mutability", "mutability", nil, "%q is no mutability; expected ReadWrite, ReadOnly, Immutable or WriteOnly.", d.Mutability)
		}
		if d.Anchor {
			if anchor >= 0 {
				c.problem(at+".anchor", "anchor", nil, "An object has one primary key, and attributes[%d] is it already; set anchor to false.", anchor)
			}
			anchor = i
		}
	}
}

// flowTypes reads the flags of an object mapping's actions.
func flowTypes(text string) (create, update, remove bool, err error) {
	for _, f := range strings.Split(text, ",") {
		switch strings.ToLower(strings.TrimSpace(f)) {
		case "add":
			create = true
		case "update":
			update = true
		case "delete":
			remove = true
		case "", "none":
		default:
			return create, update, remove, fmt.Errorf("%q is no flow type; expected Add, Update and Delete with commas between them, or None", strings.TrimSpace(f))
		}
	}
	return create, update, remove, nil
}

// warnRequired tells of required target attributes that nothing is mapped to: creations will fail.
func (c *compiler) warnRequired(o *objectSchema) {
	for _, d := range o.target.Attributes {
		if d.Required && !d.Anchor && !slices.ContainsFunc(o.doc.AttributeMappings, func(am AttributeMapping) bool { return am.TargetAttributeName == d.Name }) {
			c.warn(o.path+".attributeMappings", "target", "%s is required and nothing is mapped to it; objects can't be created without.", d.Name)
		}
	}
}
