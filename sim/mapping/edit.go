package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// The functions of this file, of scope.go and of attributelist.go change a schema as the portal does. Each one checks the
// result; its error is a *Problem, with the form's field where there is one, and then nothing is changed.

// ObjectMapping returns the mapping document for "User" or "Group", nil when there is none. Changes to it change the schema.
func (s *Schema) ObjectMapping(kind string) *ObjectMappingDocument {
	at, ok := s.locate(kind)
	if !ok {
		return nil
	}
	return &s.Rules[at.rule].ObjectMappings[at.mapping]
}

// TargetAttributes lists the attribute list of a mapping's target object.
func (s *Schema) TargetAttributes(kind string) []AttributeDefinition {
	if o := s.definitionOf(kind, TargetSide); o != nil {
		return o.Attributes
	}
	return nil
}

// SourceAttributes lists the source attributes that a mapping may use: the built-in ones, and behind them those that only
// the schema's attribute list has.
func (s *Schema) SourceAttributes(kind string) []string {
	all := SourceAttributes(kind)
	if o := s.definitionOf(kind, SourceSide); o != nil {
		for _, d := range o.Attributes {
			if !slices.Contains(all, d.Name) {
				all = append(all, d.Name)
			}
		}
	}
	return all
}

// edit changes a copy of the mapping document of a kind, and keeps it when the schema has no problem that it had not before.
func (s *Schema) edit(kind string, change func(m *ObjectMappingDocument) error) error {
	at, ok := s.locate(kind)
	if !ok {
		return noMapping(kind)
	}
	rule := &s.Rules[at.rule]
	if !rule.Editable {
		return &Problem{Path: fmt.Sprintf("$.synchronizationRules[%d].editable", at.rule), Message: fmt.Sprintf("The rule %s is not editable; import a schema that has another.", rule.Name)}
	}
	m := &rule.ObjectMappings[at.mapping]
	before := *m
	m.AttributeMappings = slices.Clone(m.AttributeMappings)
	err := change(m)
	if err == nil {
		err = s.Validate()
	}
	if err != nil {
		*m = before
	}
	return err
}

// Put adds an attribute mapping, or replaces the one of the target attribute called replaces, in its place. A new matching
// precedence that another mapping has already moves that one, and those behind it, by one.
func (s *Schema) Put(kind, replaces string, am AttributeMapping) error {
	if am.FlowType == "" {
		am.FlowType = Always
	}
	if am.FlowBehavior == "" {
		am.FlowBehavior = FlowWhenChanged
	}
	if _, err := CompileAttribute(s, kind, am); err != nil {
		return err
	}
	return s.edit(kind, func(m *ObjectMappingDocument) error {
		list := m.AttributeMappings
		at := -1
		if replaces != "" {
			if at = mappingIndex(list, replaces); at < 0 {
				return &Problem{Field: "target", Message: fmt.Sprintf("The target attribute %s is not mapped any more; add a new mapping.", replaces)}
			}
		}
		for i, x := range list {
			if i != at && x.TargetAttributeName == am.TargetAttributeName {
				return &Problem{Field: "target", Message: fmt.Sprintf("The target attribute %s is mapped already; edit that mapping instead.", am.TargetAttributeName)}
			}
		}
		if am.MatchingPriority > 0 {
			makeRoom(list, at, am.MatchingPriority)
		}
		if at < 0 {
			m.AttributeMappings = append(list, am)
			return nil
		}
		if am.shape.members == nil {
			am.shape = list[at].shape
		}
		list[at] = am
		return nil
	})
}

func mappingIndex(list []AttributeMapping, target string) int {
	return slices.IndexFunc(list, func(x AttributeMapping) bool { return x.TargetAttributeName == target })
}

// makeRoom moves the mapping that has a precedence, and those that follow without a gap, behind it.
func makeRoom(list []AttributeMapping, except, precedence int) {
	var moved []int
	for p := precedence; ; p++ {
		before := len(moved)
		for i := range list {
			if i != except && list[i].MatchingPriority == p {
				moved = append(moved, i)
			}
		}
		if len(moved) == before {
			break
		}
	}
	for _, i := range moved {
		list[i].MatchingPriority++
	}
}

// Remove deletes the mapping of a target attribute. What the target marks as required stays
// (customize-application-attributes.md).
func (s *Schema) Remove(kind, target string) error {
	return s.edit(kind, func(m *ObjectMappingDocument) error {
		at := mappingIndex(m.AttributeMappings, target)
		if at < 0 {
			return &Problem{Field: "target", Message: fmt.Sprintf("The target attribute %s is not mapped.", target)}
		}
		if o := s.definitionOf(kind, TargetSide); o != nil {
			if d := o.attribute(target); d != nil && d.Required && m.AttributeMappings[at].MatchingPriority == 0 {
				return &Problem{Field: "target", Message: fmt.Sprintf("The target requires %s, so that its mapping can't be deleted; map it from another source, or untick Required in the attribute list first.", target)}
			}
		}
		m.AttributeMappings = slices.Delete(m.AttributeMappings, at, at+1)
		return nil
	})
}

// SetActions sets the Target Object Actions of a mapping: Create, Update and Delete.
func (s *Schema) SetActions(kind string, create, update, remove bool) error {
	return s.edit(kind, func(m *ObjectMappingDocument) error {
		var flows []string
		for _, f := range []struct {
			on   bool
			name string
		}{{create, "Add"}, {update, "Update"}, {remove, "Delete"}} {
			if f.on {
				flows = append(flows, f.name)
			}
		}
		if m.FlowTypes = strings.Join(flows, ","); m.FlowTypes == "" {
			m.FlowTypes = "None"
		}
		return nil
	})
}

// SetEnabled switches a mapping on or off. The mapping for users stays on (customize-application-attributes.md).
func (s *Schema) SetEnabled(kind string, on bool) error {
	if canonicalKind(kind) == "User" && !on {
		return &Problem{Field: "enabled", Message: "The mapping for users can't be switched off; take away its actions, or pause provisioning."}
	}
	return s.edit(kind, func(m *ObjectMappingDocument) error {
		m.Enabled = on
		return nil
	})
}

// RestoreDefaults puts the attribute mappings, actions and scope of one kind back to those of a new non-gallery
// application, and gives back to the attribute list what they need. Attributes that were added to the list stay.
func (s *Schema) RestoreDefaults(kind string) error {
	fresh := Default()
	model := fresh.ObjectMapping(kind)
	o := s.definitionOf(kind, TargetSide)
	if o == nil {
		return noMapping(kind)
	}
	before := o.Attributes
	o.Attributes = slices.Clone(before)
	for _, d := range fresh.definitionOf(kind, TargetSide).Attributes {
		if o.attribute(d.Name) == nil {
			o.Attributes = append(o.Attributes, d)
		}
	}
	err := s.edit(kind, func(m *ObjectMappingDocument) error {
		m.Enabled, m.FlowTypes, m.Scope = true, model.FlowTypes, nil
		m.AttributeMappings = model.AttributeMappings
		return nil
	})
	if err != nil {
		o.Attributes = before
	}
	return err
}
