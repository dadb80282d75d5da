// Package mapping holds a job's synchronization schema, the document that Microsoft Graph calls synchronizationSchema, and
// computes from it what the target should hold of a directory object.
//
// schema.go is the document, template.go the schema of a new non-gallery application, source.go the source attributes,
// compile.go turns an object mapping into functions, filter.go evaluates scoping filters, edit.go changes a schema as the
// portal does. The package sends nothing and stores nothing. Start reading at Schema and ObjectMapping.
package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Extra are members of a JSON object that the package does not know; they survive a round trip.
type Extra map[string]json.RawMessage

// Schema is the document: resources/synchronization-synchronizationschema.md.
type Schema struct {
	ID          string                `json:"id"`
	Version     string                `json:"version"`
	Rules       []Rule                `json:"synchronizationRules"`
	Directories []DirectoryDefinition `json:"directories"`
	Extra       Extra                 `json:"-"`
}

// Rule joins a source with a target directory: resources/synchronization-synchronizationrule.md.
type Rule struct {
	ContainerFilter     json.RawMessage         `json:"containerFilter"`
	Editable            bool                    `json:"editable"`
	GroupFilter         json.RawMessage         `json:"groupFilter"`
	ID                  string                  `json:"id"`
	Name                string                  `json:"name"`
	Priority            int                     `json:"priority"`
	SourceDirectoryName string                  `json:"sourceDirectoryName"`
	TargetDirectoryName string                  `json:"targetDirectoryName"`
	Metadata            []Metadata              `json:"metadata"`
	ObjectMappings      []ObjectMappingDocument `json:"objectMappings"`
	Extra               Extra                   `json:"-"`
}

// Metadata is one named value.
type Metadata struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// ObjectMappingDocument maps one kind of object: resources/synchronization-objectmapping.md.
type ObjectMappingDocument struct {
	Enabled           bool               `json:"enabled"`
	FlowTypes         string             `json:"flowTypes"`
	Name              string             `json:"name"`
	Scope             *FilterDocument    `json:"scope"`
	SourceObjectName  string             `json:"sourceObjectName"`
	TargetObjectName  string             `json:"targetObjectName"`
	AttributeMappings []AttributeMapping `json:"attributeMappings"`
	Metadata          []Metadata         `json:"metadata"`
	Extra             Extra              `json:"-"`
}

// AttributeMapping maps one target attribute: resources/synchronization-attributemapping.md. Source nil is the type None.
type AttributeMapping struct {
	DefaultValue            *string `json:"defaultValue"`
	ExportMissingReferences bool    `json:"exportMissingReferences"`
	FlowBehavior            string  `json:"flowBehavior"`
	FlowType                string  `json:"flowType"`
	MatchingPriority        int     `json:"matchingPriority"`
	TargetAttributeName     string  `json:"targetAttributeName"`
	Source                  *Origin `json:"source"`
	Extra                   Extra   `json:"-"`
}

// Origin is where a value comes from: resources/synchronization-attributemappingsource.md. Expression is what counts.
type Origin struct {
	Expression string      `json:"expression"`
	Name       string      `json:"name"`
	Type       string      `json:"type"` // Attribute, Constant or Function
	Parameters []Parameter `json:"parameters"`
	Extra      Extra       `json:"-"`
}

// Parameter is one argument of a function in an expression's tree.
type Parameter struct {
	Key   string `json:"key"`
	Value Origin `json:"value"`
}

// The flow types that the portal offers as *Apply this mapping*.
const (
	Always        = "Always"        // Always
	ObjectAddOnly = "ObjectAddOnly" // Only during creation
)

// FilterDocument is a scoping filter: resources/synchronization-filter.md.
type FilterDocument struct {
	CategoryFilterGroups json.RawMessage `json:"categoryFilterGroups,omitempty"`
	Groups               []FilterGroup   `json:"groups"`
	InputFilterGroups    json.RawMessage `json:"inputFilterGroups,omitempty"`
	Extra                Extra           `json:"-"`
}

// FilterGroup holds clauses that must all be true.
type FilterGroup struct {
	Clauses []FilterClause `json:"clauses"`
	Name    string         `json:"name"`
	Extra   Extra          `json:"-"`
}

// FilterClause is one comparison.
type FilterClause struct {
	OperatorName      string        `json:"operatorName"`
	SourceOperandName string        `json:"sourceOperandName"`
	TargetOperand     *FilterValues `json:"targetOperand"`
	Extra             Extra         `json:"-"`
}

// FilterValues are the values of a clause.
type FilterValues struct {
	Values []string `json:"values"`
}

// DirectoryDefinition lists the objects of one side: resources/synchronization-directorydefinition.md.
type DirectoryDefinition struct {
	ID                string             `json:"id"`
	Name              string             `json:"name"`
	ReadOnly          bool               `json:"readOnly"`
	Version           string             `json:"version"`
	Discoverabilities string             `json:"discoverabilities"`
	DiscoveryDateTime *string            `json:"discoveryDateTime"`
	Objects           []ObjectDefinition `json:"objects"`
	Extra             Extra              `json:"-"`
}

// ObjectDefinition lists the attributes of one kind of object.
type ObjectDefinition struct {
	Name          string                `json:"name"`
	SupportedAPIs []string              `json:"supportedApis"`
	Metadata      []Metadata            `json:"metadata"`
	Attributes    []AttributeDefinition `json:"attributes"`
	Extra         Extra                 `json:"-"`
}

// AttributeDefinition describes an attribute: resources/synchronization-attributedefinition.md.
type AttributeDefinition struct {
	Anchor            bool               `json:"anchor"`
	CaseExact         bool               `json:"caseExact"`
	DefaultValue      *string            `json:"defaultValue"`
	FlowNullValues    bool               `json:"flowNullValues"`
	Multivalued       bool               `json:"multivalued"`
	Mutability        string             `json:"mutability"`
	Name              string             `json:"name"`
	Required          bool               `json:"required"`
	Type              Type               `json:"type"`
	APIExpressions    []json.RawMessage  `json:"apiExpressions"`
	Metadata          []Metadata         `json:"metadata"`
	ReferencedObjects []ReferencedObject `json:"referencedObjects"`
	Extra             Extra              `json:"-"`
}

// ReferencedObject is what a reference attribute points at.
type ReferencedObject struct {
	Name     string `json:"referencedObjectName"`
	Property string `json:"referencedProperty"`
}

// Type is the type of an attribute.
type Type string

// The types of attributes.
const (
	String    Type = "String"
	Boolean   Type = "Boolean"
	Integer   Type = "Integer"
	Reference Type = "Reference"
	Binary    Type = "Binary"
	DateTime  Type = "DateTime"
)

// decode reads data into v, a pointer to a struct without methods, and keeps members that it does not know.
func decode(data []byte, v any, extra *Extra) error {
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	t := reflect.TypeOf(v).Elem()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		delete(all, name)
	}
	if *extra = nil; len(all) > 0 {
		*extra = all
	}
	return nil
}

// encode writes v, a struct without methods, with the members of extra behind, by name.
func encode(v any, extra Extra) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	data := bytes.TrimSpace(b.Bytes())
	if len(extra) == 0 {
		return data, nil
	}
	names := make([]string, 0, len(extra))
	for n := range extra {
		names = append(names, n)
	}
	slices.Sort(names)
	out := data[:len(data)-1]
	for _, n := range names {
		key, err := json.Marshal(n)
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, key...), ':'), extra[n]...)
	}
	return append(out, '}'), nil
}

type (
	schemaPlain    Schema
	rulePlain      Rule
	omapPlain      ObjectMappingDocument
	amapPlain      AttributeMapping
	originPlain    Origin
	filterPlain    FilterDocument
	groupPlain     FilterGroup
	clausePlain    FilterClause
	directoryPlain DirectoryDefinition
	objectPlain    ObjectDefinition
	attributePlain AttributeDefinition
)

// The pairs below keep unknown members of each object.

func (s *Schema) UnmarshalJSON(d []byte) error { return decode(d, (*schemaPlain)(s), &s.Extra) }
func (s Schema) MarshalJSON() ([]byte, error)  { return encode(schemaPlain(s), s.Extra) }
func (s *Rule) UnmarshalJSON(d []byte) error   { return decode(d, (*rulePlain)(s), &s.Extra) }
func (s Rule) MarshalJSON() ([]byte, error)    { return encode(rulePlain(s), s.Extra) }
func (s *ObjectMappingDocument) UnmarshalJSON(d []byte) error {
	return decode(d, (*omapPlain)(s), &s.Extra)
}
func (s ObjectMappingDocument) MarshalJSON() ([]byte, error) { return encode(omapPlain(s), s.Extra) }
func (s *AttributeMapping) UnmarshalJSON(d []byte) error     { return decode(d, (*amapPlain)(s), &s.Extra) }
func (s AttributeMapping) MarshalJSON() ([]byte, error)      { return encode(amapPlain(s), s.Extra) }
func (s *Origin) UnmarshalJSON(d []byte) error               { return decode(d, (*originPlain)(s), &s.Extra) }
func (s Origin) MarshalJSON() ([]byte, error)                { return encode(originPlain(s), s.Extra) }
func (s *FilterDocument) UnmarshalJSON(d []byte) error       { return decode(d, (*filterPlain)(s), &s.Extra) }
func (s FilterDocument) MarshalJSON() ([]byte, error)        { return encode(filterPlain(s), s.Extra) }
func (s *FilterGroup) UnmarshalJSON(d []byte) error          { return decode(d, (*groupPlain)(s), &s.Extra) }
func (s FilterGroup) MarshalJSON() ([]byte, error)           { return encode(groupPlain(s), s.Extra) }
func (s *FilterClause) UnmarshalJSON(d []byte) error         { return decode(d, (*clausePlain)(s), &s.Extra) }
func (s FilterClause) MarshalJSON() ([]byte, error)          { return encode(clausePlain(s), s.Extra) }
func (s *DirectoryDefinition) UnmarshalJSON(d []byte) error {
	return decode(d, (*directoryPlain)(s), &s.Extra)
}
func (s DirectoryDefinition) MarshalJSON() ([]byte, error) { return encode(directoryPlain(s), s.Extra) }
func (s *ObjectDefinition) UnmarshalJSON(d []byte) error {
	return decode(d, (*objectPlain)(s), &s.Extra)
}
func (s ObjectDefinition) MarshalJSON() ([]byte, error) { return encode(objectPlain(s), s.Extra) }
func (s *AttributeDefinition) UnmarshalJSON(d []byte) error {
	return decode(d, (*attributePlain)(s), &s.Extra)
}
func (s AttributeDefinition) MarshalJSON() ([]byte, error) { return encode(attributePlain(s), s.Extra) }

// Parse reads a schema document; what it means is checked by Validate.
func Parse(data []byte) (*Schema, error) {
	var s Schema
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, &Problem{Path: "$", Message: "This is no synchronization schema: " + err.Error() + "."}
	}
	return &s, nil
}

// JSON writes the document; the same schema gives the same bytes.
func (s *Schema) JSON() []byte {
	data, err := s.MarshalJSON()
	if err != nil {
		panic(fmt.Sprintf("schema: %v", err)) // only values that came from JSON are in it
	}
	return data
}

// Problem is an error in a schema: where, what, and what to do.
type Problem struct {
	Path    string // JSON path
	Field   string // of the portal's form, when the error is about one
	Message string
}

func (p *Problem) Error() string {
	if p.Path == "" || p.Path == "$" {
		return p.Message
	}
	return p.Path + ": " + p.Message
}
