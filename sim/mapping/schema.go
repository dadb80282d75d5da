// Package mapping holds a job's synchronization schema, the document that Microsoft Graph calls synchronizationSchema, and
// computes from it what the target should hold of a directory object.
//
// schema.go is the document, document.go how it is read and written, origin.go the trees of its expressions, template.go
// the schema of a new non-gallery application, source.go the source attributes. validate.go and attribute.go say what is
// wrong with a schema, compile.go turns an object mapping into functions and desire.go runs them; filter.go and operator.go
// evaluate scoping filters. edit.go, scope.go and attributelist.go change a schema as the portal does. The package sends
// nothing and stores nothing. Start reading at Schema and ObjectMapping.
package mapping

import "encoding/json"

// Schema is the document: resources/synchronization-synchronizationschema.md.
type Schema struct {
	ID          string                `json:"id"`
	Version     string                `json:"version"`
	Rules       []Rule                `json:"synchronizationRules"`
	Directories []DirectoryDefinition `json:"directories"`
	shape       shape
}

// Rule joins a source with a target directory: resources/synchronization-synchronizationrule.md.
type Rule struct {
	ContainerFilter     json.RawMessage         `json:"containerFilter"`
	Editable            bool                    `json:"editable"` // absent: true
	GroupFilter         json.RawMessage         `json:"groupFilter"`
	ID                  string                  `json:"id"`
	Name                string                  `json:"name"`
	Priority            int                     `json:"priority"` // the lowest is processed first
	SourceDirectoryName string                  `json:"sourceDirectoryName"`
	TargetDirectoryName string                  `json:"targetDirectoryName"`
	Metadata            []Metadata              `json:"metadata"`
	ObjectMappings      []ObjectMappingDocument `json:"objectMappings"`
	shape               shape
}

// Metadata is one named value.
type Metadata struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	shape shape
}

// ObjectMappingDocument maps one kind of object: resources/synchronization-objectmapping.md.
type ObjectMappingDocument struct {
	Enabled           bool               `json:"enabled"`   // absent: true
	FlowTypes         string             `json:"flowTypes"` // of Add, Update, Delete; absent: all three
	Name              string             `json:"name"`
	Scope             *FilterDocument    `json:"scope"`
	SourceObjectName  string             `json:"sourceObjectName"`
	TargetObjectName  string             `json:"targetObjectName"`
	AttributeMappings []AttributeMapping `json:"attributeMappings"`
	Metadata          []Metadata         `json:"metadata"`
	shape             shape
}

// AttributeMapping maps one target attribute: resources/synchronization-attributemapping.md. Source nil is the type None;
// a DefaultValue of "" is none, as the portal writes it.
type AttributeMapping struct {
	DefaultValue            *string      `json:"defaultValue"`
	ExportMissingReferences bool         `json:"exportMissingReferences"`
	FlowBehavior            FlowBehavior `json:"flowBehavior"` // absent: FlowWhenChanged
	FlowType                string       `json:"flowType"`     // absent: Always
	MatchingPriority        int          `json:"matchingPriority"`
	TargetAttributeName     string       `json:"targetAttributeName"`
	Source                  *Origin      `json:"source"`
	shape                   shape
}

// Origin is where a value comes from: resources/synchronization-attributemappingsource.md. Expression is what counts; the
// other members are its tree.
type Origin struct {
	Expression string      `json:"expression"`
	Name       string      `json:"name"`
	Type       string      `json:"type"` // Attribute, Constant or Function
	Parameters []Parameter `json:"parameters"`
	shape      shape
}

// Parameter is one argument of a function in an expression's tree.
type Parameter struct {
	Key   string `json:"key"`
	Value Origin `json:"value"`
	shape shape
}

// The flow types say when a value flows to an object that the target has already; on creation all do. The portal offers
// the first two as *Apply this mapping* (resources/synchronization-attributemapping.md, flowType).
const (
	Always            = "Always"            // Always
	ObjectAddOnly     = "ObjectAddOnly"     // Only during object creation
	MultiValueAddOnly = "MultiValueAddOnly" // only what adds values to a multi-valued attribute
	ValueAddOnly      = "ValueAddOnly"      // a present value gets additions, nothing of it is removed
	AttributeAddOnly  = "AttributeAddOnly"  // only into an attribute without a value
)

// FlowBehavior says whether a value that is equal on both sides is sent nevertheless.
type FlowBehavior string

// The flow behaviors.
const (
	FlowWhenChanged FlowBehavior = "FlowWhenChanged"
	FlowAlways      FlowBehavior = "FlowAlways" // with every export of the object
)

// FilterDocument is a scoping filter: resources/synchronization-filter.md. The two experimental sets decide whether the
// mapping applies to an object at all; one that they refuse is not deprovisioned.
type FilterDocument struct {
	CategoryFilterGroups []FilterGroup `json:"categoryFilterGroups"`
	Groups               []FilterGroup `json:"groups"`
	InputFilterGroups    []FilterGroup `json:"inputFilterGroups"`
	shape                shape
}

// FilterGroup holds clauses that must all be true; Name is the portal's *Scoping Filter Title*.
type FilterGroup struct {
	Clauses []FilterClause `json:"clauses"`
	Name    string         `json:"name"`
	shape   shape
}

// FilterClause is one comparison. TargetOperand is nil, or without values, for the operators that take none.
type FilterClause struct {
	OperatorName      string        `json:"operatorName"`
	SourceOperandName string        `json:"sourceOperandName"`
	TargetOperand     *FilterValues `json:"targetOperand"`
	shape             shape
}

// FilterValues are the values of a clause: one.
type FilterValues struct {
	Values []string `json:"values"`
	shape  shape
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
	shape             shape
}

// ObjectDefinition lists the attributes of one kind of object: resources/synchronization-objectdefinition.md.
type ObjectDefinition struct {
	Name          string                `json:"name"`
	SupportedAPIs []string              `json:"supportedApis"`
	Metadata      []Metadata            `json:"metadata"`
	Attributes    []AttributeDefinition `json:"attributes"`
	shape         shape
}

// AttributeDefinition describes an attribute: resources/synchronization-attributedefinition.md.
type AttributeDefinition struct {
	Anchor            bool               `json:"anchor"` // the primary key
	CaseExact         bool               `json:"caseExact"`
	DefaultValue      *string            `json:"defaultValue"`
	FlowNullValues    bool               `json:"flowNullValues"`
	Multivalued       bool               `json:"multivalued"`
	Mutability        Mutability         `json:"mutability"` // absent: ReadWrite
	Name              string             `json:"name"`
	Required          bool               `json:"required"`
	Type              Type               `json:"type"` // absent: String
	APIExpressions    []json.RawMessage  `json:"apiExpressions"`
	Metadata          []Metadata         `json:"metadata"`
	ReferencedObjects []ReferencedObject `json:"referencedObjects"`
	shape             shape
}

// ReferencedObject is what a reference attribute points at.
type ReferencedObject struct {
	Name     string `json:"referencedObjectName"`
	Property string `json:"referencedProperty"`
	shape    shape
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

// Mutability says who may write an attribute.
type Mutability string

// The mutabilities.
const (
	ReadWrite Mutability = "ReadWrite"
	ReadOnly  Mutability = "ReadOnly"
	Immutable Mutability = "Immutable" // set on creation, never changed
	WriteOnly Mutability = "WriteOnly" // never read back
)

// withDefaults sets what an absent member stands for; v is a pointer to one of the types above.
func withDefaults(v any) {
	switch x := v.(type) {
	case *Rule:
		x.Editable = true
	case *ObjectMappingDocument:
		x.Enabled, x.FlowTypes = true, "Add,Update,Delete"
	case *AttributeMapping:
		x.FlowType, x.FlowBehavior = Always, FlowWhenChanged
	case *AttributeDefinition:
		x.Type, x.Mutability = String, ReadWrite
	}
}

// Parse reads a schema document: what Graph answers, what the portal's schema editor downloads, or what somebody wrote by
// hand. Members that the package does not know are kept, in their place. Of each mapping's source the expression counts:
// when name, type and parameters say something else they are derived from it, and when it is missing it is built from
// them. What the document means is checked by Validate. The error is a *Problem with the JSON path.
func Parse(data []byte) (*Schema, error) {
	s := new(Schema)
	if err := decodeDocument(data, s); err != nil {
		return nil, err
	}
	s.completeOrigins()
	return s, nil
}

// JSON writes the document in one line. Members stand in the order in which they were read, so that an exported schema
// that is imported and exported again gives the same bytes.
func (s *Schema) JSON() []byte { return encodeDocument(s) }

// Download writes the document as the portal's schema editor does, with line breaks and two blanks a level.
func (s *Schema) Download() []byte { return indented(s.JSON()) }

// Clone returns a copy that shares nothing that an edit changes.
func (s *Schema) Clone() *Schema {
	c := new(Schema)
	if err := decodeDocument(s.JSON(), c); err != nil {
		panic("mapping: a schema of ours is no JSON: " + err.Error())
	}
	return c
}
