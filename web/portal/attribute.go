package portal

import (
	"errors"
	"html/template"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/expr"
	"entrasim/sim/mapping"
)

// attributePanel is the form of one attribute mapping: Edit Attribute.
type attributePanel struct {
	Replaces, Type, Target, Source, Expression, Constant, Default string
	Types, Targets, Sources                                       []string
	CreateOnly                                                    bool
	Match                                                         int
	Precedence                                                    string // as typed
	Object                                                        string // for whom the result is shown: a name, as typed
	ObjectKind                                                    string
	Length                                                        int
	Preview                                                       template.HTML
	Faults                                                        map[string]string
	Caret                                                         string // the place of an error in the expression
}

// New reports whether the panel adds a mapping.
func (n *attributePanel) New() bool { return n.Replaces == "" }

func panelOf(a mapping.AttributeMapping) *attributePanel {
	n := &attributePanel{Replaces: a.TargetAttributeName, Target: a.TargetAttributeName, CreateOnly: a.FlowType == mapping.ObjectAddOnly, Match: a.MatchingPriority, Type: "None"}
	if a.DefaultValue != nil {
		n.Default = *a.DefaultValue
	}
	if a.MatchingPriority > 0 {
		n.Precedence = strconv.Itoa(a.MatchingPriority)
	}
	if a.Source != nil {
		switch a.Source.Type {
		case "Attribute":
			n.Type, n.Source = "Direct", a.Source.Name
		case "Constant":
			n.Type, n.Constant = "Constant", a.Source.Name
		default:
			n.Type, n.Expression = "Expression", a.Source.Expression
		}
	}
	return n
}

// fillPanel adds the choices, and the result for a person or a group.
func (p *Portal) fillPanel(appID string, schema *mapping.Schema, kind string, n *attributePanel) error {
	n.Types = []string{"Direct", "Constant", "Expression", "None"}
	n.Targets, n.Sources = nil, mapping.SourceAttributes(kind)
	for _, a := range schema.TargetAttributes(kind) {
		if !a.Anchor {
			n.Targets = append(n.Targets, a.Name)
		}
	}
	n.ObjectKind, n.Length = strings.ToLower(kind), utf8.RuneCountInString(n.Expression)
	if n.Object == "" {
		var err error
		if n.Object, err = p.anybody(appID, kind); err != nil {
			return err
		}
	}
	r, err := p.result(appID, kind, n)
	if err != nil {
		return err
	}
	n.Preview, err = previewHTML(r)
	return err
}

// anybody names somebody to show a result for: the first of the assigned, or else of the directory.
func (p *Portal) anybody(appID, kind string) (string, error) {
	page, err := p.dir.Assignments(appID, "", 1)
	if err != nil {
		return "", err
	}
	for _, a := range page.Items {
		if kind == "Group" {
			return a.PrincipalDisplayName, nil
		}
		members, err := p.dir.Members(a.PrincipalID, "", 1)
		if err == nil && len(members.Items) > 0 && members.Items[0].Kind == directory.KindUser {
			if u, err := p.dir.User(members.Items[0].ID); err == nil {
				return u.UserPrincipalName, nil
			}
		}
	}
	if kind == "Group" {
		groups, err := p.dir.Groups(directory.Query{Limit: 1, ByName: true})
		if err != nil || len(groups.Items) == 0 {
			return "", err
		}
		return groups.Items[0].DisplayName, nil
	}
	users, err := p.dir.Users(directory.Query{Limit: 1, ByName: true})
	if err != nil || len(users.Items) == 0 {
		return "", err
	}
	return users.Items[0].UserPrincipalName, nil
}

// previewResult is the result of a mapping for somebody, with the words around it.
type previewResult struct {
	sim.ExpressionPreview
	Nobody string // why there is no result to show
	Caret  string
}

// result evaluates what stands in the panel.
func (p *Portal) result(appID, kind string, n *attributePanel) (r previewResult, err error) {
	am, err := n.mapping()
	if err != nil {
		r.Error = err.Error()
		var syntax *expr.Error
		if errors.As(err, &syntax) {
			r.Caret = syntax.Caret(n.Expression)
		}
		return r, nil
	}
	if n.Type == "Direct" && (n.Source == "members" || n.Source == "manager") {
		r.Nobody = "A reference: it is written in a pass of its own, once both objects stand at the target."
		return r, nil
	}
	of := directory.KindUser
	if kind == "Group" {
		of = directory.KindGroup
	}
	o, err := p.find(of, n.Object)
	if err != nil {
		r.Nobody = "Name a " + strings.ToLower(kind) + " to see the result."
		return r, nil
	}
	r.ExpressionPreview, err = p.Service.PreviewMapping(appID, o.ID, am)
	return r, err
}

func previewHTML(r previewResult) (template.HTML, error) { return part("mapping", "preview", r) }

// readPanel reads the form of an attribute.
func readPanel(c echo.Context) *attributePanel {
	n := &attributePanel{Replaces: c.FormValue("replaces"), Type: c.FormValue("type"), Target: c.FormValue("target"), Source: c.FormValue("source"), Constant: c.FormValue("constant"),
		Expression: strings.TrimSpace(c.FormValue("expression")), Default: c.FormValue("default"), CreateOnly: c.FormValue("apply") == mapping.ObjectAddOnly,
		Object: c.FormValue("object"), Precedence: strings.TrimSpace(c.FormValue("precedence"))}
	if c.FormValue("match") == "yes" {
		n.Match = -1 // until the precedence is read
	}
	return n
}

// mapping turns the form into an attribute mapping.
func (n *attributePanel) mapping() (mapping.AttributeMapping, error) {
	am := mapping.AttributeMapping{TargetAttributeName: n.Target, FlowType: mapping.Always}
	if n.CreateOnly {
		am.FlowType = mapping.ObjectAddOnly
	}
	if n.Default != "" {
		am.DefaultValue = &n.Default
	}
	if n.Match != 0 {
		am.MatchingPriority = 1
		if n.Precedence != "" && n.Precedence != "0" {
			k, err := strconv.Atoi(n.Precedence)
			if err != nil || k < 1 {
				return am, &mapping.Problem{Field: "precedence", Message: "Give a whole number from 1."}
			}
			am.MatchingPriority = k
		}
	}
	var err error
	switch n.Type {
	case "Direct":
		if n.Source == "" {
			return am, &mapping.Problem{Field: "source", Message: "Choose the source attribute."}
		}
		am.Source, err = mapping.OriginOf("[" + n.Source + "]")
	case "Constant":
		am.Source = mapping.ConstantOrigin(n.Constant)
	case "Expression":
		if n.Expression == "" {
			return am, &mapping.Problem{Field: "expression", Message: `Write an expression, such as Join(" ", [givenName], [surname]).`}
		}
		am.Source, err = mapping.OriginOf(n.Expression)
	case "None":
	default:
		err = &mapping.Problem{Field: "type", Message: "Choose a mapping type."}
	}
	return am, err
}

// fault puts an error under the field that it is about.
func (n *attributePanel) fault(err error) {
	field, text := "target", err.Error()
	var problem *mapping.Problem
	var syntax *expr.Error
	switch {
	case errors.As(err, &syntax):
		field, n.Caret = "expression", syntax.Caret(n.Expression)
		text = syntax.Message
	case errors.As(err, &problem):
		text = problem.Message
		if problem.Field != "" {
			field = problem.Field
		}
	}
	n.Faults = map[string]string{field: text}
}

// previewMapping is the live result: a part of a page.
func (p *Portal) previewMapping(c echo.Context) error {
	r, err := p.result(c.Param("id"), kindOf(c), readPanel(c))
	if err != nil {
		return err
	}
	part, err := previewHTML(r)
	if err != nil {
		return err
	}
	return c.HTML(200, string(part))
}
