package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/scim2/filter-parser/v2"
)

// Side is one of the two attribute lists of an object mapping.
type Side int

// The sides.
const (
	SourceSide Side = iota // Edit attribute list for Microsoft Entra ID
	TargetSide             // Edit attribute list for customappsso
)

func (s *Schema) definitionOf(kind string, side Side) *ObjectDefinition {
	at, ok := s.locate(kind)
	if !ok {
		return nil
	}
	o := s.objectSchema(at)
	if side == SourceSide {
		return o.source
	}
	return o.target
}

// AttributeList returns the attribute list of one side of a mapping.
func (s *Schema) AttributeList(kind string, side Side) []AttributeDefinition {
	if o := s.definitionOf(kind, side); o != nil {
		return o.Attributes
	}
	return nil
}

// PutAttribute adds an attribute to a list, or replaces the one called replaces, in its place
// (customize-application-attributes.md, "Editing the list of supported attributes").
func (s *Schema) PutAttribute(kind string, side Side, replaces string, d AttributeDefinition) error {
	o := s.definitionOf(kind, side)
	if o == nil {
		return noMapping(kind)
	}
	d.Name = strings.TrimSpace(d.Name)
	if err := s.checkAttribute(kind, side, &d); err != nil {
		return err
	}
	at := -1
	if replaces != "" {
		if at = slices.IndexFunc(o.Attributes, func(x AttributeDefinition) bool { return x.Name == replaces }); at < 0 {
			return &Problem{Field: "name", Message: fmt.Sprintf("The list has no attribute %s any more; add it anew.", replaces)}
		}
	}
	for i, x := range o.Attributes {
		// Directory extensions match with case, everything else is the same in any.
		same := strings.EqualFold(x.Name, d.Name) && !strings.HasPrefix(d.Name, extensionPrefix) || x.Name == d.Name
		if i != at && same {
			return &Problem{Field: "name", Message: fmt.Sprintf("The list has an attribute %s already; edit that one, or choose another name.", x.Name)}
		}
	}
	if at >= 0 {
		old := o.Attributes[at]
		switch {
		case old.Anchor != d.Anchor || old.Anchor && old.Name != d.Name:
			return &Problem{Field: "anchor", Message: fmt.Sprintf("The primary key of an object can't be changed; it is %s.", anchorOf(o))}
		case old.Name != d.Name && s.maps(kind, side, old.Name):
			return &Problem{Field: "name", Message: fmt.Sprintf("%s is used by a mapping, so that it can't be renamed; delete the mapping first.", old.Name)}
		}
		if d.shape.members == nil {
			d.shape = old.shape
		}
	} else if d.Anchor {
		return &Problem{Field: "anchor", Message: fmt.Sprintf("An object has one primary key, and %s is it already; untick Primary key.", anchorOf(o))}
	}
	return s.editList(o, func(list []AttributeDefinition) []AttributeDefinition {
		if at < 0 {
			return append(list, d)
		}
		list[at] = d
		return list
	})
}

// RemoveAttribute deletes an attribute from a list. The primary key and what a mapping uses stay.
func (s *Schema) RemoveAttribute(kind string, side Side, name string) error {
	o := s.definitionOf(kind, side)
	if o == nil {
		return noMapping(kind)
	}
	at := slices.IndexFunc(o.Attributes, func(x AttributeDefinition) bool { return x.Name == name })
	switch {
	case at < 0:
		return &Problem{Field: "name", Message: fmt.Sprintf("The list has no attribute %s.", name)}
	case o.Attributes[at].Anchor:
		return &Problem{Field: "name", Message: fmt.Sprintf("%s is the primary key and can't be deleted.", name)}
	case s.maps(kind, side, name):
		return &Problem{Field: "name", Message: fmt.Sprintf("%s is used by a mapping or a scoping filter; delete that first.", name)}
	case side == SourceSide && namesOf(kind).exact[name] != nil:
		return &Problem{Field: "name", Message: fmt.Sprintf("%s is an attribute of the directory itself and can't be deleted from the list.", name)}
	}
	return s.editList(o, func(list []AttributeDefinition) []AttributeDefinition { return slices.Delete(list, at, at+1) })
}

// editList changes a copy of a list and keeps it when the schema stays valid.
func (s *Schema) editList(o *ObjectDefinition, change func([]AttributeDefinition) []AttributeDefinition) error {
	before := o.Attributes
	o.Attributes = change(slices.Clone(before))
	if err := s.Validate(); err != nil {
		o.Attributes = before
		return err
	}
	return nil
}

// maps reports whether a mapping or filter of the kind uses an attribute of a list.
func (s *Schema) maps(kind string, side Side, name string) bool {
	at, ok := s.locate(kind)
	if !ok {
		return false
	}
	doc := &s.Rules[at.rule].ObjectMappings[at.mapping]
	if side == TargetSide {
		return mappingIndex(doc.AttributeMappings, name) >= 0
	}
	c := &compiler{schema: s}
	m := c.objectMapping(at)
	return slices.Contains(m.reads, name)
}

func anchorOf(o *ObjectDefinition) string {
	for _, d := range o.Attributes {
		if d.Anchor {
			return d.Name
		}
	}
	return "none"
}

var (
	// customExtension is what a customer's own extension looks like (customize-application-attributes.md, "Provisioning a
	// custom extension attribute").
	customExtension = regexp.MustCompile(`^urn:ietf:params:scim:schemas:extension:[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]+)*:2\.0:(User|Group):[A-Za-z][A-Za-z0-9_$-]*$`)
	// directoryExtension is extension_<appId without dashes>_<name> (user-provisioning-sync-attributes-for-mapping.md).
	directoryExtension = regexp.MustCompile(`^extension_[0-9A-Fa-f]{32}_[A-Za-z0-9_]+$`)
	plainSource        = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]*$`)
)

// checkAttribute checks what an attribute of a list may be, and fills in what it stands for when it is left out.
func (s *Schema) checkAttribute(kind string, side Side, d *AttributeDefinition) error {
	fail := func(field, format string, args ...any) error {
		return &Problem{Field: field, Message: fmt.Sprintf(format, args...)}
	}
	t, ok := canonical(string(d.Type), string(String), string(Boolean), string(Integer), string(Reference), string(Binary), string(DateTime))
	if !ok {
		return fail("type", "%q is no type of an attribute; choose String, Boolean, Integer, Reference, Binary or DateTime.", d.Type)
	}
	d.Type = Type(t)
	mutability, ok := canonical(string(d.Mutability), string(ReadWrite), string(ReadOnly), string(Immutable), string(WriteOnly))
	if !ok {
		return fail("mutability", "%q is no mutability; choose ReadWrite, ReadOnly, Immutable or WriteOnly.", d.Mutability)
	}
	d.Mutability = Mutability(mutability)
	if d.Name == "" {
		return fail("name", "The attribute needs a name.")
	}
	if side == SourceSide {
		return checkSourceAttribute(d, fail)
	}
	if err := checkPath(d.Name); err != nil {
		return fail("name", "%s is no path of a SCIM attribute: %v. Write a name such as nickName, name.givenName, emails[type eq \"work\"].value, or %s.", d.Name, err,
			"urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User:CustomAttribute")
	}
	if isCustomExtension(d.Name) {
		switch {
		case !customExtension.MatchString(d.Name):
			return fail("name", "A custom extension is named urn:ietf:params:scim:schemas:extension:<Name>:2.0:User:<Attribute>, without sub-attributes or filters; %s is not.", d.Name)
		case d.Type == Reference:
			return fail("type", "A custom extension attribute can't be a reference; choose another type.")
		case d.Multivalued:
			return fail("multivalued", "A custom extension attribute can't be multi-valued; untick Multi-value.")
		}
	}
	if d.Type != Reference {
		if len(d.ReferencedObjects) > 0 {
			return fail("references", "Only an attribute of type Reference has a referenced object; choose that type, or leave the reference empty.")
		}
		return nil
	}
	return s.checkReferences(kind, d, fail)
}

// checkReferences wants at least one referenced object, each of the target directory.
func (s *Schema) checkReferences(kind string, d *AttributeDefinition, fail func(field, format string, args ...any) error) error {
	at, ok := s.locate(kind)
	if !ok {
		return noMapping(kind)
	}
	var known []string
	if dir := s.directory(s.Rules[at.rule].TargetDirectoryName); dir != nil {
		for _, o := range dir.Objects {
			known = append(known, o.Name)
		}
	}
	if len(d.ReferencedObjects) == 0 {
		return fail("references", "A reference needs a referenced object; choose one of %s.", strings.Join(known, ", "))
	}
	for i := range d.ReferencedObjects {
		r := &d.ReferencedObjects[i]
		if !slices.Contains(known, r.Name) {
			return fail("references", "There is no object %q; choose one of %s.", r.Name, strings.Join(known, ", "))
		}
		if r.Property == "" {
			r.Property = "id"
		}
	}
	return nil
}

func checkSourceAttribute(d *AttributeDefinition, fail func(field, format string, args ...any) error) error {
	switch {
	case strings.HasPrefix(d.Name, extensionPrefix) && !directoryExtension.MatchString(d.Name):
		return fail("name", "A directory extension is named extension_<appId>_<name>, the appId without dashes and the case as it was made; %s is not.", d.Name)
	case strings.HasPrefix(d.Name, extensionPrefix) && d.Multivalued:
		return fail("multivalued", "Multi-valued directory extensions can't be provisioned; untick Multi-value.")
	case !plainSource.MatchString(d.Name):
		return fail("name", "%s is no name of a source attribute; write letters and digits, as in extension_<appId>_<name>.", d.Name)
	case d.Type == Reference:
		return fail("type", "A source attribute of your own can't be a reference; choose another type.")
	}
	return nil
}

func isCustomExtension(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, "urn:") && !strings.HasPrefix(lower, strings.ToLower(coreUserPrefix)) &&
		!strings.HasPrefix(lower, strings.ToLower(UserURN)+":") && !strings.HasPrefix(lower, strings.ToLower(GroupURN)+":")
}

// checkPath reports whether a name is a path as SCIM writes it: RFC 7644, 3.5.2, with at most one equality filter.
func checkPath(name string) error {
	p, err := filter.ParsePath([]byte(name))
	if err != nil {
		return fmt.Errorf("it can't be read as one")
	}
	if p.ValueExpression == nil {
		return nil
	}
	if e, ok := p.ValueExpression.(*filter.AttributeExpression); !ok || e.Operator != filter.EQ {
		return fmt.Errorf("the filter in brackets must be one comparison with eq")
	}
	return nil
}
