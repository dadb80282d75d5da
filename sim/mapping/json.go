package mapping

// The pairs below let other rooms put parts of the document into JSON of their own: what is written stands in the order in
// which it was read, what is read keeps unknown members. UnmarshalJSON leaves expressions as they stand; Parse
// completes them.

// MarshalJSON writes a schema.
func (x Schema) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads a schema. The error is a *Problem.
func (x *Schema) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes a rule.
func (x Rule) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads a rule. The error is a *Problem.
func (x *Rule) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes an entry.
func (x Metadata) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads an entry. The error is a *Problem.
func (x *Metadata) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes an object mapping.
func (x ObjectMappingDocument) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads an object mapping. The error is a *Problem.
func (x *ObjectMappingDocument) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes an attribute mapping.
func (x AttributeMapping) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads an attribute mapping. The error is a *Problem.
func (x *AttributeMapping) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes the source of a mapping.
func (x Origin) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads the source of a mapping. The error is a *Problem.
func (x *Origin) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes a parameter.
func (x Parameter) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads a parameter. The error is a *Problem.
func (x *Parameter) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes a scoping filter.
func (x FilterDocument) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads a scoping filter. The error is a *Problem.
func (x *FilterDocument) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes a filter group.
func (x FilterGroup) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads a filter group. The error is a *Problem.
func (x *FilterGroup) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes a clause.
func (x FilterClause) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads a clause. The error is a *Problem.
func (x *FilterClause) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes the values of a clause.
func (x FilterValues) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads the values of a clause. The error is a *Problem.
func (x *FilterValues) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes a directory definition.
func (x DirectoryDefinition) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads a directory definition. The error is a *Problem.
func (x *DirectoryDefinition) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes an object definition.
func (x ObjectDefinition) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads an object definition. The error is a *Problem.
func (x *ObjectDefinition) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes an attribute definition.
func (x AttributeDefinition) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads an attribute definition. The error is a *Problem.
func (x *AttributeDefinition) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// MarshalJSON writes a referenced object.
func (x ReferencedObject) MarshalJSON() ([]byte, error) { return encodeDocument(&x), nil }

// UnmarshalJSON reads a referenced object. The error is a *Problem.
func (x *ReferencedObject) UnmarshalJSON(d []byte) error { return decodeDocument(d, x) }

// JSON writes the source of a mapping in one line.
func (x *Origin) JSON() []byte { return encodeDocument(x) }
