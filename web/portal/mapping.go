package portal

import (
	"bytes"
	"html/template"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/mapping"
)

type mappingView struct {
	Base
	Kind, Name, TargetObject string
	UserCount, GroupCount    int
	Enabled                  bool
	Actions                  []chip
	Rows                     []mappingRow
	Error                    string
	Panel                    *attributePanel
}

type mappingRow struct {
	Target, Source string
	Match          int
	On             bool
}

type attributePanel struct {
	New                                                 bool
	Replaces, Type, Target, Source, Expression, Default string
	Types, Targets, Sources                             []string
	CreateOnly                                          bool
	Match                                               int
	Error                                               string
	Objects                                             []Link
	Object                                              string
	Preview                                             template.HTML
}

func kindOf(c echo.Context) string {
	if c.FormValue("kind") == "Group" {
		return "Group"
	}
	return "User"
}

func (p *Portal) mapping(c echo.Context) error { return p.showMapping(c, "", nil) }

// showMapping renders the page; panel, when it is given, keeps what was typed.
func (p *Portal) showMapping(c echo.Context, problem string, panel *attributePanel) error {
	b, app, j, err := p.appPage(c, "mapping", "Attribute mapping")
	if err != nil {
		return err
	}
	if j == nil {
		return complain(c, "/applications/"+app.ID+"/provisioning/connectivity", said("Configure provisioning first."))
	}
	schema, err := p.Service.Schema(app.ID)
	if err != nil {
		return err
	}
	v := mappingView{Base: b, Kind: kindOf(c), Error: problem, Panel: panel}
	v.UserCount, v.GroupCount = len(schema.ObjectMapping("User").AttributeMappings), 0
	if g := schema.ObjectMapping("Group"); g != nil {
		v.GroupCount = len(g.AttributeMappings)
	}
	m := schema.ObjectMapping(v.Kind)
	if m == nil {
		return echo.NewHTTPError(404, "The schema has no mapping for groups.")
	}
	v.Name, v.TargetObject, v.Enabled = m.Name, m.TargetObjectName, m.Enabled
	for _, a := range []struct{ flow, text string }{{"Add", "Create"}, {"Update", "Update"}, {"Delete", "Delete"}} {
		v.Actions = append(v.Actions, chip{Text: a.text, On: strings.Contains(m.FlowTypes, a.flow)})
	}
	edit := c.QueryParam("edit")
	for _, a := range m.AttributeMappings {
		r := mappingRow{Target: a.TargetAttributeName, Match: a.MatchingPriority, On: a.TargetAttributeName == edit}
		r.Source = sourceText(a)
		v.Rows = append(v.Rows, r)
		if r.On && v.Panel == nil {
			v.Panel = panelOf(a)
		}
	}
	if edit == "new" && v.Panel == nil {
		v.Panel = &attributePanel{New: true, Type: "Direct"}
	}
	if v.Panel != nil {
		if err := p.fillPanel(c, app.ID, schema, v.Kind, v.Panel); err != nil {
			return err
		}
	}
	status := 200
	if problem != "" || panel != nil && panel.Error != "" {
		status = 422
	}
	return render(c, status, "mapping", v)
}

func sourceText(a mapping.AttributeMapping) string {
	switch {
	case a.Source == nil:
		return "(None)"
	case a.Source.Type == "Attribute":
		return a.Source.Name
	}
	return a.Source.Expression
}

func panelOf(a mapping.AttributeMapping) *attributePanel {
	n := &attributePanel{Replaces: a.TargetAttributeName, Target: a.TargetAttributeName, CreateOnly: a.FlowType == mapping.ObjectAddOnly, Match: a.MatchingPriority, Type: "None"}
	if a.DefaultValue != nil {
		n.Default = *a.DefaultValue
	}
	if a.Source != nil {
		switch a.Source.Type {
		case "Attribute":
			n.Type, n.Source = "Direct", a.Source.Name
		case "Constant":
			n.Type, n.Expression = "Constant", a.Source.Name
		default:
			n.Type, n.Expression = "Expression", a.Source.Expression
		}
	}
	return n
}

func (p *Portal) fillPanel(c echo.Context, appID string, schema *mapping.Schema, kind string, n *attributePanel) error {
	n.Types = []string{"Direct", "Constant", "Expression", "None"}
	for _, a := range schema.TargetAttributes(kind) {
		if !a.Anchor {
			n.Targets = append(n.Targets, a.Name)
		}
	}
	n.Sources = mapping.SourceAttributes(kind)
	if kind == "Group" {
		page, err := p.dir.Groups(directory.Query{Limit: 20, ByName: true})
		if err != nil {
			return err
		}
		for _, g := range page.Items {
			n.Objects = append(n.Objects, Link{g.DisplayName, g.ID})
		}
	} else {
		page, err := p.dir.Users(directory.Query{Limit: 50, ByName: true})
		if err != nil {
			return err
		}
		for _, u := range page.Items {
			n.Objects = append(n.Objects, Link{u.DisplayName, u.ID})
		}
	}
	if n.Object == "" && len(n.Objects) > 0 {
		n.Object = n.Objects[0].URL
	}
	if n.Object == "" || n.New && n.Source == "" && n.Expression == "" {
		return nil
	}
	am, err := n.mapping()
	if err != nil {
		n.Preview = previewHTML(sim.ExpressionPreview{Error: err.Error()})
		return nil
	}
	result, err := p.Service.PreviewMapping(appID, n.Object, am)
	if err != nil {
		return err
	}
	n.Preview = previewHTML(result)
	return nil
}

func previewHTML(r sim.ExpressionPreview) template.HTML {
	var b bytes.Buffer
	if err := templates["mapping"].ExecuteTemplate(&b, "preview", r); err != nil {
		return template.HTML("<p>" + template.HTMLEscapeString(err.Error()) + "</p>")
	}
	return template.HTML(b.String())
}

// readPanel reads the form of an attribute.
func readPanel(c echo.Context) *attributePanel {
	n := &attributePanel{Replaces: c.FormValue("replaces"), Type: c.FormValue("type"), Target: c.FormValue("target"), Source: c.FormValue("source"),
		Expression: strings.TrimSpace(c.FormValue("expression")), Default: c.FormValue("default"), CreateOnly: c.FormValue("apply") == mapping.ObjectAddOnly, Object: c.FormValue("object")}
	n.New = n.Replaces == ""
	if c.FormValue("match") == "yes" {
		n.Match = 1
		if k, err := strconv.Atoi(strings.TrimSpace(c.FormValue("precedence"))); err == nil && k > 0 {
			n.Match = k
		}
	}
	return n
}

// mapping turns the form into an attribute mapping.
func (n *attributePanel) mapping() (mapping.AttributeMapping, error) {
	am := mapping.AttributeMapping{TargetAttributeName: n.Target, MatchingPriority: n.Match, FlowType: mapping.Always}
	if n.CreateOnly {
		am.FlowType = mapping.ObjectAddOnly
	}
	if n.Default != "" {
		am.DefaultValue = &n.Default
	}
	var err error
	switch n.Type {
	case "Direct":
		if n.Source == "" {
			return am, &mapping.Problem{Field: "source", Message: "Choose the source attribute."}
		}
		am.Source, err = mapping.OriginOf("[" + n.Source + "]")
	case "Constant":
		am.Source = mapping.ConstantOrigin(n.Expression)
	case "Expression":
		am.Source, err = mapping.OriginOf(n.Expression)
	case "None":
	default:
		err = &mapping.Problem{Field: "type", Message: "Choose a mapping type."}
	}
	return am, err
}

func (p *Portal) previewMapping(c echo.Context) error {
	n := readPanel(c)
	am, err := n.mapping()
	r := sim.ExpressionPreview{}
	if err != nil {
		r.Error = err.Error()
	} else if r, err = p.Service.PreviewMapping(c.Param("id"), n.Object, am); err != nil {
		return err
	}
	return c.HTML(200, string(previewHTML(r)))
}

func (p *Portal) saveMapping(c echo.Context) error {
	id, kind := c.Param("id"), kindOf(c)
	to := "/applications/" + id + "/provisioning/mapping?kind=" + kind
	if c.FormValue("do") == "restore" {
		if err := p.Service.RestoreDefaultMappings(id); err != nil {
			return err
		}
		return say(c, to, "Default mappings restored. The next cycle is an initial one.")
	}
	schema, err := p.Service.Schema(id)
	if err != nil {
		return err
	}
	switch c.FormValue("do") {
	case "put":
		n := readPanel(c)
		am, err := n.mapping()
		if err == nil {
			err = schema.Put(kind, n.Replaces, am)
		}
		if err != nil {
			n.Error = err.Error()
			return p.showMapping(c, "", n)
		}
	case "delete":
		if err := schema.Remove(kind, c.FormValue("target")); err != nil {
			return p.showMapping(c, err.Error(), nil)
		}
	case "actions":
		if err := setActions(c, schema, kind); err != nil {
			return p.showMapping(c, err.Error(), nil)
		}
	default:
		return echo.ErrNotFound
	}
	if err := p.Service.SetSchema(id, schema); err != nil {
		return p.showMapping(c, err.Error(), nil)
	}
	return say(c, to, "Mapping saved. The next cycle is an initial one.")
}

// setActions sets Enabled and Target Object Actions.
func setActions(c echo.Context, schema *mapping.Schema, kind string) error {
	m := schema.ObjectMapping(kind)
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	if kind == "Group" {
		m.Enabled = c.FormValue("enabled") != ""
	}
	var flows []string
	for _, a := range form["action"] {
		switch a {
		case "Create":
			flows = append(flows, "Add")
		case "Update", "Delete":
			flows = append(flows, a)
		}
	}
	if m.FlowTypes = strings.Join(flows, ","); m.FlowTypes == "" {
		m.FlowTypes = "None"
	}
	return schema.Validate()
}
