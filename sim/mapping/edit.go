package mapping

import (
	"fmt"
	"slices"
	"strings"

	"entrasim/sim/expr"
)

// ObjectMapping returns the mapping document for "User" or "Group", nil when there is none. Changes to it change the schema.
func (s *Schema) ObjectMapping(kind string) *ObjectMappingDocument {
	for r := range s.Rules {
		for i := range s.Rules[r].ObjectMappings {
			if m := &s.Rules[r].ObjectMappings[i]; strings.EqualFold(m.SourceObjectName, kind) {
				return m
			}
		}
	}
	return nil
}

// TargetAttributes lists the attribute list of a mapping's target object.
func (s *Schema) TargetAttributes(kind string) []AttributeDefinition {
	m := s.ObjectMapping(kind)
	if m == nil {
		return nil
	}
	if o := s.targetObject(m.TargetObjectName); o != nil {
		return o.Attributes
	}
	return nil
}

func (s *Schema) targetObject(name string) *ObjectDefinition {
	for r := range s.Rules {
		for d := range s.Directories {
			if s.Directories[d].Name != s.Rules[r].TargetDirectoryName {
				continue
			}
			for o := range s.Directories[d].Objects {
				if s.Directories[d].Objects[o].Name == name {
					return &s.Directories[d].Objects[o]
				}
			}
		}
	}
	return nil
}

func (s *Schema) targetDefinition(object, name string) *AttributeDefinition {
	o := s.targetObject(object)
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

// Validate reports the first thing that is wrong with a schema, as a *Problem.
func (s *Schema) Validate() error {
	if len(s.Rules) == 0 {
		return &Problem{Path: "$.synchronizationRules", Message: "The schema has no synchronization rule."}
	}
	set, err := Compile(s)
	if err != nil {
		return err
	}
	if set.Users == nil {
		return &Problem{Path: "$.synchronizationRules", Message: "The schema has no mapping for users."}
	}
	return nil
}

// Put adds an attribute mapping, or replaces the one of the target attribute called replaces. A new matching precedence
// that another mapping has already moves that one behind it. The error is a *Problem and nothing is changed.
func (s *Schema) Put(kind, replaces string, am AttributeMapping) error {
	m := s.ObjectMapping(kind)
	if m == nil {
		return &Problem{Message: "The schema has no mapping for " + kind + "."}
	}
	if am.FlowType == "" {
		am.FlowType = Always
	}
	if am.FlowBehavior == "" {
		am.FlowBehavior = "FlowWhenChanged"
	}
	if _, err := CompileAttribute(s, kind, am); err != nil {
		return err
	}
	list := slices.Clone(m.AttributeMappings)
	at := slices.IndexFunc(list, func(x AttributeMapping) bool { return x.TargetAttributeName == replaces })
	for i, x := range list {
		if i != at && x.TargetAttributeName == am.TargetAttributeName {
			return &Problem{Field: "target", Message: fmt.Sprintf("The target attribute %s is mapped already; edit that mapping instead.", am.TargetAttributeName)}
		}
	}
	if am.MatchingPriority > 0 {
		for i := range list {
			if i != at && list[i].MatchingPriority >= am.MatchingPriority && slices.ContainsFunc(list, func(x AttributeMapping) bool {
				return x.MatchingPriority == am.MatchingPriority && x.TargetAttributeName != replaces
			}) {
				list[i].MatchingPriority++
			}
		}
	}
	if replaces != "" && at >= 0 {
		am.Extra = list[at].Extra
		list[at] = am
	} else {
		list = append(list, am)
	}
	return s.replace(m, list)
}

// Remove deletes the mapping of a target attribute.
func (s *Schema) Remove(kind, target string) error {
	m := s.ObjectMapping(kind)
	if m == nil {
		return &Problem{Message: "The schema has no mapping for " + kind + "."}
	}
	list := slices.DeleteFunc(slices.Clone(m.AttributeMappings), func(x AttributeMapping) bool { return x.TargetAttributeName == target })
	if len(list) == len(m.AttributeMappings) {
		return &Problem{Field: "target", Message: fmt.Sprintf("The target attribute %s is not mapped.", target)}
	}
	return s.replace(m, list)
}

// replace tries a list of attribute mappings and keeps it when the schema stays valid.
func (s *Schema) replace(m *ObjectMappingDocument, list []AttributeMapping) error {
	old := m.AttributeMappings
	m.AttributeMappings = list
	if err := s.Validate(); err != nil {
		m.AttributeMappings = old
		return err
	}
	return nil
}

// OriginOf builds the source of a mapping from its expression: one attribute in brackets, or a function call, with the
// tree that Graph shows. The error is an *expr.Error.
func OriginOf(expression string) (*Origin, error) {
	e, err := expr.Parse(expression)
	if err != nil {
		return nil, err
	}
	o := originOf(e.Root)
	if o.Type == "Function" {
		o.Expression = expression
	}
	return &o, nil
}

// ConstantOrigin is the source of a constant mapping.
func ConstantOrigin(text string) *Origin {
	return &Origin{Expression: expr.Quote(text), Name: text, Type: "Constant", Parameters: []Parameter{}}
}

func originOf(n *expr.Node) Origin {
	o := Origin{Expression: n.String(), Name: n.Name, Type: "Function", Parameters: []Parameter{}}
	switch n.Kind {
	case expr.NodeAttribute:
		o.Type = "Attribute"
	case expr.NodeConstant:
		o.Type, o.Name = "Constant", n.Text
	case expr.NodeNumber:
		o.Type, o.Name = "Constant", n.String()
		o.Expression = expr.Quote(n.String())
	case expr.NodeKeyword:
		o.Type = "Constant"
	case expr.NodeCall:
		keys := expr.ParameterNames(n.Name)
		for i, a := range n.Args {
			if a.Kind != expr.NodeEmpty && len(keys) > 0 {
				key := keys[min(i, len(keys)-1)]
				if key == "switchKey" {
					key = "switchValue" // Graph has one key for both
				}
				o.Parameters = append(o.Parameters, Parameter{key, originOf(a)})
			}
		}
	case expr.NodeCompare:
		for _, a := range n.Args {
			o.Parameters = append(o.Parameters, Parameter{"source", originOf(a)})
		}
	}
	return o
}
