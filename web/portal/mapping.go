package portal

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/sim/mapping"
)

type mappingView struct {
	Base
	Kind, Name, TargetObject string
	Tabs                     []Choice
	Enabled                  bool
	Actions                  []Choice
	Scope                    string
	Rows                     []mappingRow
	Error                    string
	Panel                    *attributePanel
	Managed                  string // who is looked at again after a change
	Changed                  bool   // something is not saved yet
}

type mappingRow struct {
	Target, Source string
	Expression     bool
	Match          int
	CreateOnly, On bool
	Keep           string // why it can't be deleted
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
	schema, changed, err := p.mappingDraft(app.ID)
	if err != nil {
		return err
	}
	kind := kindOf(c)
	m := schema.ObjectMapping(kind)
	if m == nil {
		return echo.NewHTTPError(http.StatusNotFound, "The schema has no mapping for groups.")
	}
	v := mappingView{Base: b, Kind: kind, Name: m.Name, TargetObject: m.TargetObjectName, Enabled: m.Enabled, Changed: changed, Error: problem, Panel: panel,
		Scope: scopeText(m.Scope), Tabs: mappingTabs(schema, kind), Managed: "every managed object is"}
	if n := j.Status.Users + j.Status.Groups; n > 0 {
		v.Managed = "all " + plural(n, "managed object") + " are"
	}
	for _, a := range []struct{ flow, text string }{{"Add", "Create"}, {"Update", "Update"}, {"Delete", "Delete"}} {
		v.Actions = append(v.Actions, Choice{Text: a.text, On: strings.Contains(m.FlowTypes, a.flow)})
	}
	v.rows(m.AttributeMappings, c.QueryParam("edit"))
	if v.Panel != nil {
		if err := p.fillPanel(app.ID, schema, kind, v.Panel); err != nil {
			return err
		}
	}
	status := http.StatusOK
	if problem != "" || panel != nil && len(panel.Faults) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return render(c, status, "mapping", v)
}

func mappingTabs(schema *mapping.Schema, kind string) (tabs []Choice) {
	for _, k := range []string{"User", "Group"} {
		if m := schema.ObjectMapping(k); m != nil {
			tabs = append(tabs, Choice{Text: k + "s", URL: "?kind=" + k, On: k == kind, Count: number(len(m.AttributeMappings))})
		}
	}
	return tabs
}

func scopeText(f *mapping.FilterDocument) string {
	n := 0
	if f != nil {
		for _, g := range f.Groups {
			n += len(g.Clauses)
		}
	}
	if n == 0 {
		return "All records"
	}
	return plural(n, "clause")
}

// rows lists the mappings and opens the panel of the one that the address names.
func (v *mappingView) rows(list []mapping.AttributeMapping, edit string) {
	matching := 0
	for _, a := range list {
		if a.MatchingPriority > 0 {
			matching++
		}
	}
	for _, a := range list {
		r := mappingRow{Target: a.TargetAttributeName, Match: a.MatchingPriority, On: a.TargetAttributeName == edit, CreateOnly: a.FlowType == mapping.ObjectAddOnly}
		r.Source, r.Expression = sourceText(a)
		if a.MatchingPriority > 0 && matching == 1 {
			r.Keep = "It is the only matching attribute: choose another one first"
		}
		if r.On && v.Panel == nil {
			v.Panel = panelOf(a)
		}
		v.Rows = append(v.Rows, r)
	}
	if edit == "new" && v.Panel == nil {
		v.Panel = &attributePanel{Type: "Direct"}
	}
}

// sourceText is what a mapping reads, as the list shows it.
func sourceText(a mapping.AttributeMapping) (text string, expression bool) {
	switch {
	case a.Source == nil:
		return "(None)", false
	case a.Source.Type == "Attribute":
		return a.Source.Name, false
	}
	return a.Source.Expression, true
}

func (p *Portal) saveMapping(c echo.Context) error {
	id, kind := c.Param("id"), kindOf(c)
	to := "/applications/" + id + "/provisioning/mapping?kind=" + kind
	switch c.FormValue("do") {
	case "restore":
		return p.restoreMappings(c, id, to)
	case "save":
		err := p.saveDraft(id)
		var problem *mapping.Problem
		if errors.As(err, &problem) {
			return p.showMapping(c, err.Error(), nil)
		}
		if err != nil {
			return complain(c, to, err)
		}
		return say(c, to, "Mappings saved. The next cycle is an initial one.")
	case "discard":
		p.drafts.drop(id)
		return say(c, to, "What was not saved is discarded.")
	case "show": // without script the result is asked for
		return p.showMapping(c, "", readPanel(c))
	}
	schema, _, err := p.mappingDraft(id)
	if err != nil {
		return err
	}
	message := "Mapping changed."
	switch gone := goneMappings(c); {
	case len(gone) > 0:
		for _, target := range gone {
			if err := schema.Remove(kind, target); err != nil {
				return p.showMapping(c, err.Error(), nil)
			}
		}
		message = plural(len(gone), "mapping") + " deleted."
	case c.FormValue("do") == "put":
		n := readPanel(c)
		am, err := n.mapping()
		if err == nil {
			err = schema.Put(kind, n.Replaces, am)
		}
		if err != nil {
			n.fault(err)
			return p.showMapping(c, "", n)
		}
	case c.FormValue("do") == "actions":
		if err := setActions(c, schema, kind); err != nil {
			return p.showMapping(c, err.Error(), nil)
		}
	default:
		return complain(c, to, said("No mapping was chosen."))
	}
	if err := p.keepDraft(id, schema); err != nil {
		return err
	}
	return say(c, to, message+" It takes effect with Save.")
}

// goneMappings names the mappings to delete: those that were chosen, or the one whose button was pressed.
func goneMappings(c echo.Context) []string {
	if one := c.FormValue("delete"); one != "" {
		return []string{one}
	}
	if c.FormValue("do") != "delete" {
		return nil
	}
	posted, err := c.FormParams()
	if err != nil {
		return nil
	}
	return slices.Clone(posted["target"])
}

func (p *Portal) restoreMappings(c echo.Context, id, to string) error {
	ok, err := p.sure(c, "Restore default mappings?", "Every mapping of users and groups is replaced by those of a new non-gallery application. The next cycle is an initial one.", "Restore", to)
	if !ok {
		return err
	}
	if err := p.Service.RestoreDefaultMappings(id); err != nil {
		return complain(c, to, err)
	}
	p.drafts.drop(id)
	return say(c, to, "Default mappings restored. The next cycle is an initial one.")
}

// setActions sets Enabled and Target Object Actions.
func setActions(c echo.Context, schema *mapping.Schema, kind string) error {
	m := schema.ObjectMapping(kind)
	posted, err := c.FormParams()
	if err != nil {
		return fmt.Errorf("the form can't be read: %w", err)
	}
	if kind == "Group" {
		m.Enabled = c.FormValue("enabled") != ""
	}
	var flows []string
	for _, a := range posted["action"] {
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
