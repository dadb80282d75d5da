package scenarios

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"entrasim/sim/mapping"
)

// placed is an error with its place in the file.
type placed struct {
	at      Pos
	message string
	table   Pos    // that holds what is wrong, when more than at is known
	name    string // of it there
}

func (p *placed) Error() string { return p.message }

// schemaOf is the synchronization schema that an application begins with.
func schemaOf(a App) (*mapping.Schema, error) {
	schema := mapping.Default()
	if a.Template == "guide" {
		schema = mapping.Starter()
	}
	if err := a.Mappings.apply(schema); err != nil {
		return nil, err
	}
	return schema, applyFilters(schema, a.Filters)
}

// apply changes a schema; the error is a *placed.
func (m Mappings) apply(schema *mapping.Schema) error {
	for _, part := range []struct {
		kind string
		list Map[Mapping]
	}{{"User", m.Users}, {"Group", m.Groups}} {
		for _, e := range part.list {
			if err := e.Value.apply(schema, part.kind, e.Key); err != nil {
				return &placed{at: e.At, message: strings.TrimSuffix(err.Error(), "."), table: e.Value.At, name: "expression"}
			}
		}
	}
	for _, part := range []struct {
		kind string
		list []string
	}{{"User", m.On.Users}, {"Group", m.On.Groups}} {
		if part.list == nil {
			continue
		}
		has := func(word string) bool { return slices.Contains(part.list, word) }
		if err := schema.SetActions(part.kind, has("create"), has("update"), has("delete")); err != nil {
			return &placed{at: m.On.At, message: strings.TrimSuffix(err.Error(), ".")}
		}
	}
	if slices.Contains(m.Off, "groups") {
		if err := schema.SetEnabled("Group", false); err != nil {
			return &placed{at: m.At, message: strings.TrimSuffix(err.Error(), ".")}
		}
	}
	if err := schema.Validate(); err != nil {
		return &placed{at: m.At, message: strings.TrimSuffix(err.Error(), ".")}
	}
	return nil
}

// apply adds, replaces or removes one attribute mapping.
func (m Mapping) apply(schema *mapping.Schema, kind, target string) error {
	if m.Expression == "none" {
		return schema.Remove(kind, target)
	}
	am := mapping.AttributeMapping{TargetAttributeName: target, DefaultValue: m.Default, FlowType: mapping.Always}
	switch m.Apply {
	case "creation":
		am.FlowType = mapping.ObjectAddOnly
	case "whenEmpty":
		am.FlowType = mapping.AttributeAddOnly
	}
	if err := listAttribute(schema, kind, target); err != nil {
		return err
	}
	switch {
	case m.Constant != nil:
		am.Source = mapping.ConstantOrigin(*m.Constant)
	case m.Expression != "":
		o, err := mapping.OriginOf(m.Expression)
		if err != nil {
			return err
		}
		am.Source = o
	}
	replaces := ""
	for _, x := range schema.ObjectMapping(kind).AttributeMappings {
		if x.TargetAttributeName == target {
			replaces = target
			if m.Expression == "" && m.Constant == nil && m.Default == nil {
				am.Source = x.Source // only how it is applied or matched changes
			}
			am.MatchingPriority = x.MatchingPriority
		}
	}
	if m.Match != nil {
		am.MatchingPriority = *m.Match
	}
	return schema.Put(kind, replaces, am)
}

// listAttribute puts a custom extension attribute, or roles as a whole and with several values, into the target's attribute
// list, as an administrator does before mapping it (customize-application-attributes.md, "Editing the list of supported
// attributes").
func listAttribute(schema *mapping.Schema, kind, target string) error {
	if !strings.HasPrefix(target, "urn:") && target != "roles" {
		return nil
	}
	for _, d := range schema.AttributeList(kind, mapping.TargetSide) {
		if strings.EqualFold(d.Name, target) {
			return nil
		}
	}
	return schema.PutAttribute(kind, mapping.TargetSide, "", mapping.AttributeDefinition{Name: target, Type: mapping.String, Mutability: "ReadWrite", Multivalued: target == "roles"})
}

// applyFilters replaces the scoping filters of the kinds that are given, and takes all away when none is; the error is a
// *placed.
func applyFilters(schema *mapping.Schema, f KindOf[Filters]) error {
	both := f.Users == nil && f.Groups == nil
	for _, part := range []struct {
		kind    string
		filters Filters
	}{{"User", f.Users}, {"Group", f.Groups}} {
		if part.filters == nil && !both {
			continue
		}
		if err := schema.SetScope(part.kind, nil); err != nil {
			return err
		}
		for _, e := range part.filters {
			g := mapping.FilterGroup{Name: e.Key}
			for _, c := range e.Value {
				clause := mapping.FilterClause{SourceOperandName: c.Attribute, OperatorName: c.Operator}
				if c.Value != "" {
					clause.TargetOperand = &mapping.FilterValues{Values: []string{c.Value}}
				}
				g.Clauses = append(g.Clauses, clause)
			}
			if err := schema.PutFilter(part.kind, "", g); err != nil {
				return inFilter(e, err)
			}
		}
	}
	return nil
}

var clausePath = regexp.MustCompile(`^\$\S*\.clauses\[(\d+)\]\S*: `)

// inFilter is the mistake of a filter, at the clause that has it.
func inFilter(e Entry[[]Clause], err error) error {
	p := &placed{at: e.At, message: strings.TrimSuffix(err.Error(), ".")}
	if m := clausePath.FindStringSubmatch(p.message); m != nil {
		p.message = p.message[len(m[0]):]
		if i, err := strconv.Atoi(m[1]); err == nil && i < len(e.Value) {
			p.at = e.Value[i].At
		}
	}
	return p
}
