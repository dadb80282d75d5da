package mapping

import (
	"errors"
	"slices"
	"strings"

	"entrasim/sim/expr"
)

// attribute compiles one attribute mapping; nil when a problem was reported.
func (c *compiler) attribute(o *objectSchema, am *AttributeMapping, path string) *Attribute {
	before := len(c.problems)
	sub := func(member string) string {
		if path == "" {
			return ""
		}
		return path + "." + member
	}
	def := c.target(o, am.TargetAttributeName, sub("targetAttributeName"))
	if def == nil {
		return nil
	}
	flow, ok := canonical(am.FlowType, Always, ObjectAddOnly, MultiValueAddOnly, ValueAddOnly, AttributeAddOnly)
	if !ok {
		c.problem(sub("flowType"), "flowType", nil, "%q is no flow type; expected Always, ObjectAddOnly, MultiValueAddOnly, ValueAddOnly or AttributeAddOnly.", am.FlowType)
	}
	behavior, ok := canonical(string(am.FlowBehavior), string(FlowWhenChanged), string(FlowAlways))
	if !ok {
		c.problem(sub("flowBehavior"), "flowBehavior", nil, "%q is no flow behavior; expected FlowWhenChanged or FlowAlways.", am.FlowBehavior)
	}
	a := &Attribute{Target: def.Name, Type: typeOf(def), Multi: def.Multivalued, CaseExact: def.CaseExact, Required: def.Required,
		CreateOnly: flow == ObjectAddOnly || strings.EqualFold(string(def.Mutability), string(Immutable)), FlowType: flow,
		FlowAlways: behavior == string(FlowAlways), roles: strings.EqualFold(attributeName(def.Name), "roles")}
	a.allRoles = a.roles && !strings.ContainsAny(strings.TrimPrefix(def.Name, coreUserPrefix), "[.")
	if am.DefaultValue != nil && *am.DefaultValue != "" {
		a.Default, a.HasDefault = *am.DefaultValue, true
		if err := a.fits(a.Default); err != nil {
			c.problem(sub("defaultValue"), "default", err, "The default value does not fit %s: %v.", a.Target, err)
		}
	}
	switch {
	case am.MatchingPriority < 0:
		c.problem(sub("matchingPriority"), "match", nil, "The matching precedence is %d; expected 0 for none, or 1 for the first that is tried.", am.MatchingPriority)
	case am.MatchingPriority > 0 && a.Type == Reference:
		c.problem(sub("matchingPriority"), "match", nil, "%s is a reference, by which objects can't be matched; match by an attribute that holds a unique value.", a.Target)
	case am.MatchingPriority > 0 && am.Source == nil:
		c.problem(sub("matchingPriority"), "match", nil, "%s has the mapping type None, so that there is no value to match by; give it a source.", a.Target)
	}
	if am.Source == nil {
		a.None = true
	} else {
		c.origin(o, am.Source, a, sub("source"))
	}
	if len(c.problems) > before {
		return nil
	}
	return a
}

// target finds the definition of a target attribute that may be mapped; nil when a problem was reported.
func (c *compiler) target(o *objectSchema, name, path string) *AttributeDefinition {
	def := o.target.attribute(name)
	base := strings.ToLower(attributeName(name))
	switch {
	case name == "":
		c.problem(path, "target", nil, "Choose the target attribute.")
	case base == "password":
		c.problem(path, "target", nil, "Passwords can't be provisioned (known-issues.md); let people sign in through Microsoft Entra ID.")
	case base == "photos" || base == "thumbnailphoto":
		c.problem(path, "target", nil, "Photos can't be provisioned (known-issues.md); delete the mapping.")
	case def == nil:
		var all []string
		for _, d := range o.target.Attributes {
			all = append(all, d.Name)
		}
		c.problem(path, "target", nil, "The target has no attribute %s%s Add it to the attribute list first.", name, ended(didYouMean(name, all, "", "")))
	case def.Anchor:
		c.problem(path, "target", nil, "%s is the target's primary key and can't be mapped; the target itself assigns it.", name)
	case strings.EqualFold(string(def.Mutability), string(ReadOnly)):
		c.problem(path, "target", nil, "%s is read-only in the attribute list; map another attribute, or change its mutability there.", name)
	default:
		return def
	}
	return nil
}

// attributeName is the name that a target attribute's path begins with, without schema, filter and sub-attribute.
func attributeName(path string) string {
	head, _, _ := strings.Cut(path, "[")
	if strings.HasPrefix(strings.ToLower(head), "urn:") {
		head = head[strings.LastIndexByte(head, ':')+1:]
	}
	head, _, _ = strings.Cut(head, ".")
	return head
}

// source finds a source attribute: a built-in one, a directory extension, or one that the schema defines; nil when a
// problem was reported.
func (c *compiler) source(o *objectSchema, name, path, field string) *attribute {
	defined := o.source.attribute(name)
	if defined == nil && !strings.HasPrefix(name, extensionPrefix) {
		defined = o.source.folded(name)
	}
	refuse := func(why string) *attribute {
		c.problem(path, field, nil, "%s can't be used as a source attribute: %s", name, why)
		return nil
	}
	switch strings.ToLower(name) {
	case "usertype", "samaccountname":
		return refuse("the service does not offer it (known-issues.md). Copy the value into a directory extension and use that.")
	case "onpremisessamaccountname":
		if defined == nil {
			return refuse("the service does not offer it (known-issues.md). Copy the value into a directory extension, or add the attribute to the attribute list of the source.")
		}
	case "passwordprofile.password":
		return refuse("passwords never leave the directory (known-issues.md). Delete the mapping.")
	}
	if defined != nil && defined.Multivalued && strings.HasPrefix(name, extensionPrefix) {
		return refuse("multi-valued directory extensions are not supported (known-issues.md). Use a single-valued one.")
	}
	a := namesOf(o.kind).find(name)
	switch {
	case a != nil && defined != nil && strings.HasPrefix(name, extensionPrefix):
		own := *a
		own.typ = typeOf(defined)
		return &own
	case a != nil:
		return a
	case defined != nil:
		own := property(defined.Name, strings.ReplaceAll(defined.Name, ".", "/"), typeOf(defined))
		own.multi = defined.Multivalued
		return own
	}
	c.problem(path, field, nil, "There is no source attribute [%s]%s", name, ended(didYouMean(name, SourceAttributes(o.kind), "[", "]")))
	return nil
}

// origin compiles the source of a mapping into a.
func (c *compiler) origin(o *objectSchema, src *Origin, a *Attribute, path string) {
	at := path
	if at != "" {
		at += ".expression"
	}
	if strings.TrimSpace(src.Expression) == "" {
		c.problem(at, "expression", nil, "The source has neither expression nor name; enter one, or make the mapping None by the source null.")
		return
	}
	if kind, ok := canonical(src.Type, expr.TypeAttribute, expr.TypeConstant, expr.TypeFunction); !ok {
		c.problem(path+".type", "type", nil, "%q is no type of a source; expected Attribute, Constant or Function.", src.Type)
		return
	} else if kind == expr.TypeConstant && src.Type != "" {
		c.constant(src, a, at)
		return
	}
	e, err := expr.Parse(src.Expression)
	if err != nil {
		c.problem(at, "expression", err, "%s", ended(capital(err.Error())))
		return
	}
	if e.Root.Kind == expr.NodeAttribute {
		c.direct(o, e.Root.Name, a, at)
		return
	}
	c.expression(o, e, a, at)
}

func (c *compiler) constant(src *Origin, a *Attribute, path string) {
	text, ok := constantText(strings.TrimSpace(src.Expression))
	if !ok {
		text = src.Name // written without quotes
	}
	if a.Type == Reference {
		c.problem(path, "expression", nil, "The reference attribute %s takes a direct mapping of manager or members.", a.Target)
		return
	}
	if err := a.fits(text); err != nil {
		c.problem(path, "expression", err, "The constant does not fit %s: %v.", a.Target, err)
		return
	}
	e, err := expr.Parse("CStr(" + expr.Quote(text) + ")")
	if err != nil { // longer than an expression may be
		c.problem(path, "expression", err, "%s", ended(capital(err.Error())))
		return
	}
	a.expr = e
}

// direct compiles a mapping of one attribute.
func (c *compiler) direct(o *objectSchema, name string, a *Attribute, path string) {
	src := c.source(o, name, path, "source")
	if src == nil {
		return
	}
	switch {
	case src.name == "appRoleAssignments":
		c.problem(path, "source", nil, "appRoleAssignments can't be mapped directly; use the expression SingleAppRoleAssignment([appRoleAssignments]), AppRoleAssignmentsComplex([appRoleAssignments]) or AssertiveAppRoleAssignmentsComplex([appRoleAssignments]).")
	case (src.typ == Reference) != (a.Type == Reference):
		c.problem(path, "source", nil, "%s is %s, the target attribute %s is %s; they can't be mapped to each other.", src.name, kindOf(src.typ), a.Target, kindOf(a.Type))
	case src.typ == Reference && src.name != "manager" && src.name != "members":
		c.problem(path, "source", nil, "The reference %s is not provisioned; map manager or members.", src.name)
	default:
		a.direct, a.inputs = src, []string{src.name}
		a.ReadsSoftDeleted = src.name == "IsSoftDeleted"
	}
}

func kindOf(t Type) string {
	if t == Reference {
		return "a reference"
	}
	return "no reference"
}

// expression compiles a function call.
func (c *compiler) expression(o *objectSchema, e *expr.Expr, a *Attribute, path string) {
	before := len(c.problems)
	if a.Type == Reference {
		c.problem(path, "expression", nil, "The reference attribute %s takes a direct mapping of manager or members.", a.Target)
	}
	var visit func(n *expr.Node, redacted bool)
	visit = func(n *expr.Node, redacted bool) {
		switch {
		case n.Kind == expr.NodeAttribute:
			reported := len(c.problems)
			src := c.source(o, n.Name, path, "expression")
			if src == nil {
				p := c.problems[reported]
				p.Err = &expr.Error{Kind: expr.ErrUnknownName, Message: strings.TrimSuffix(p.Message, "."), Position: n.Position}
				return
			}
			if src.name != n.Name && strings.EqualFold(src.name, n.Name) { // azure-docs issue 58604; published expressions have [DisplayName]
				c.warn(path, "expression", "The attribute [%s] is spelt [%s]; Entra ID has refused other spellings with SchemaInvalid.", n.Name, src.name)
			}
			if !slices.Contains(a.inputs, src.name) {
				a.inputs = append(a.inputs, src.name)
			}
			if redacted {
				a.redacts = append(a.redacts, src.name)
			}
			a.ReadsSoftDeleted = a.ReadsSoftDeleted || src.name == "IsSoftDeleted"
		case n.Kind == expr.NodeCall && strings.EqualFold(n.Name, "SelectUniqueValue"):
			c.problem(path, "expression", &expr.Error{Kind: expr.ErrPlacement, Message: "SelectUniqueValue is not supported in SCIM applications", Position: n.Position, Function: n.Name},
				"SelectUniqueValue is not supported in SCIM applications, only where people are provisioned into a directory (functions-for-customizing-application-data.md); build the value from attributes that are unique already.")
		}
		redacted = redacted || n.Kind == expr.NodeCall && strings.EqualFold(n.Name, "Redact")
		for _, arg := range n.Args {
			visit(arg, redacted)
		}
	}
	visit(e.Root, false)
	if len(c.problems) > before {
		return
	}
	for _, w := range e.Warnings(func(name string) expr.ValueKind {
		switch x := namesOf(o.kind).find(name); {
		case x != nil && x.typ == Reference:
			return expr.KindReference
		case x != nil && x.typ == Boolean:
			return expr.KindBoolean
		}
		return expr.KindNull
	}) {
		c.warn(path, "expression", "%s", ended(capital(w.Message)))
	}
	a.expr = e
	root := strings.ToLower(e.Root.Name)
	a.singleRole = root == "singleapproleassignment"
	if (root == "approleassignmentscomplex" || root == "assertiveapproleassignmentscomplex") && !a.allRoles {
		c.warn(path, "expression", "%s gives roles with several parts, and %s takes text: JSON is sent. Add the multi-valued attribute roles to the attribute list and map that.", e.Root.Name, a.Target)
	}
}

// fits checks a text against the type of the target attribute.
func (a *Attribute) fits(text string) error {
	switch a.Type {
	case Boolean:
		if !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
			return misfit(text, "is no Boolean; expected True or False")
		}
	case Integer:
		if _, ok := wholeNumber(text); !ok {
			return misfit(text, "is no whole number")
		}
	}
	return nil
}

func misfit(text, why string) error { return errors.New("\"" + shortened(text) + "\" " + why) }

// canonical finds a word among some without regard to case; "" stands for the first.
func canonical(word string, words ...string) (string, bool) {
	if word == "" {
		return words[0], true
	}
	for _, w := range words {
		if strings.EqualFold(w, word) {
			return w, true
		}
	}
	return "", false
}

// typeOf is the type of an attribute in its own spelling.
func typeOf(d *AttributeDefinition) Type {
	t, ok := canonical(string(d.Type), string(String), string(Boolean), string(Integer), string(Reference), string(Binary), string(DateTime))
	if !ok {
		return String
	}
	return Type(t)
}
