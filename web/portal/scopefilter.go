package portal

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/mapping"
)

// scopeView is the page of a mapping's scoping filters (define-conditional-rules-for-provisioning-user-accounts.md). What is
// typed stays in the form until Save; until then the filters in force are the old ones.
type scopeView struct {
	Base
	Kind, Name         string
	Tabs               []Choice
	Filters            []filterView
	Attributes         []string
	Operators          []mapping.Operator
	Changed            bool
	Object, ObjectKind string // for whom they are tested: a name, as typed
	Result             template.HTML
	Problem            string // one that is about no clause
	Mistakes           []Field
}

type filterView struct {
	N       int
	Title   string
	Error   string
	Clauses []clauseView
}

type clauseView struct {
	At                         string // "0-1": filter and clause
	Attribute, Operator, Value string
	Unary                      bool
	Error                      string
}

// maxFilters bounds what one form may hold of filters, and of clauses in a filter.
const maxFilters = 50

// scopeFilter shows the filters that are in force.
func (p *Portal) scopeFilter(c echo.Context) error {
	schema, m, err := p.mappingOf(c)
	if err != nil {
		return err
	}
	var filters []filterView
	for _, g := range schema.Filters(kindOf(c)) {
		filters = append(filters, filterOf(g))
	}
	return p.scopePage(c, schema, m, filters, false, nil)
}

// mappingOf returns a copy of the schema of a page's application, and the mapping that the page is about.
func (p *Portal) mappingOf(c echo.Context) (*mapping.Schema, *mapping.ObjectMappingDocument, error) {
	schema, err := p.Service.Schema(c.Param("id"))
	if err != nil {
		return nil, nil, err
	}
	m := schema.ObjectMapping(kindOf(c))
	if m == nil {
		return nil, nil, echo.NewHTTPError(http.StatusNotFound, "The schema has no mapping for groups.")
	}
	return schema, m, nil
}

func filterOf(g mapping.FilterGroup) filterView {
	v := filterView{Title: g.Name}
	for _, x := range g.Clauses {
		one := clauseView{Attribute: x.SourceOperandName, Operator: x.OperatorName}
		if x.TargetOperand != nil && len(x.TargetOperand.Values) > 0 {
			one.Value = x.TargetOperand.Values[0]
		}
		v.Clauses = append(v.Clauses, one)
	}
	return v
}

func (p *Portal) scopePage(c echo.Context, schema *mapping.Schema, m *mapping.ObjectMappingDocument, filters []filterView, changed bool, problems []*mapping.Problem) error {
	b, app, j, err := p.appPage(c, "mapping", "Source Object Scope")
	if err != nil {
		return err
	}
	if j == nil {
		return complain(c, "/applications/"+app.ID+"/provisioning/connectivity", said("Configure provisioning first."))
	}
	kind := kindOf(c)
	v := scopeView{Base: b, Kind: kind, Name: m.Name, Filters: filters, Attributes: mapping.FilterAttributes(kind), Operators: mapping.OperatorTable(), Changed: changed,
		Tabs: mappingTabs(schema, kind), Object: strings.TrimSpace(c.FormValue("object")), ObjectKind: strings.ToLower(kind)}
	if v.Object == "" {
		if v.Object, err = p.anybody(app.ID, kind); err != nil {
			return err
		}
	}
	v.place(problems)
	for i := range v.Filters {
		f := &v.Filters[i]
		f.N = i
		if f.Error != "" {
			v.Mistakes = append(v.Mistakes, Field{Name: fmt.Sprintf("title-%d", i), Label: fmt.Sprintf("filter %d", i+1), Error: f.Error})
		}
		for k := range f.Clauses {
			x := &f.Clauses[k]
			x.At = fmt.Sprintf("%d-%d", i, k)
			for _, op := range v.Operators {
				x.Unary = x.Unary || op.Unary && op.Name == x.Operator
			}
			if x.Error != "" {
				v.Mistakes = append(v.Mistakes, Field{Name: "attribute-" + x.At, Label: fmt.Sprintf("filter %d, clause %d", i+1, k+1), Error: x.Error})
			}
		}
	}
	if v.Result, err = p.scopeResult(app.ID, kind, v.Object, filters); err != nil {
		return err
	}
	status := http.StatusOK
	if len(problems) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return render(c, status, "scope", v)
}

var clausePath = regexp.MustCompile(`\.scope\.groups\[(\d+)\](?:\.clauses\[(\d+)\])?`)

// place puts what is wrong beside the filter or the clause that it is about.
func (v *scopeView) place(problems []*mapping.Problem) {
	for _, problem := range problems {
		at := clausePath.FindStringSubmatch(problem.Path)
		if at == nil {
			v.Problem = problem.Message
			continue
		}
		g, _ := strconv.Atoi(at[1]) // the pattern lets digits through
		if g >= len(v.Filters) {
			v.Problem = problem.Message
			continue
		}
		k, err := strconv.Atoi(at[2])
		if err != nil || k >= len(v.Filters[g].Clauses) {
			v.Filters[g].Error = problem.Message
		} else if x := &v.Filters[g].Clauses[k]; x.Error == "" {
			x.Error = problem.Message
		}
	}
}

// readFilters reads the form.
func readFilters(c echo.Context) (filters []filterView, err error) {
	posted, err := c.FormParams()
	if err != nil {
		return nil, echo.NewHTTPError(http.StatusBadRequest, "The form can't be read.")
	}
	for g := 0; posted.Has(fmt.Sprintf("title-%d", g)) && g < maxFilters; g++ {
		f := filterView{Title: strings.TrimSpace(posted.Get(fmt.Sprintf("title-%d", g)))}
		for k := 0; k < maxFilters; k++ {
			at := fmt.Sprintf("%d-%d", g, k)
			if !posted.Has("attribute-" + at) {
				break
			}
			f.Clauses = append(f.Clauses, clauseView{Attribute: strings.TrimSpace(posted.Get("attribute-" + at)), Operator: posted.Get("operator-" + at), Value: posted.Get("value-" + at)})
		}
		filters = append(filters, f)
	}
	return filters, nil
}

// scoped is a schema's filter document with other filters in it; nil when nothing is left.
func scoped(m *mapping.ObjectMappingDocument, filters []filterView) *mapping.FilterDocument {
	doc := mapping.FilterDocument{}
	if m.Scope != nil {
		doc = *m.Scope
	}
	doc.Groups = nil
	for _, f := range filters {
		g := mapping.FilterGroup{Name: f.Title}
		for _, x := range f.Clauses {
			one := mapping.FilterClause{OperatorName: x.Operator, SourceOperandName: x.Attribute}
			unary := slices.ContainsFunc(mapping.OperatorTable(), func(op mapping.Operator) bool { return op.Unary && op.Name == x.Operator })
			if x.Value != "" && !unary {
				one.TargetOperand = &mapping.FilterValues{Values: []string{x.Value}}
			}
			g.Clauses = append(g.Clauses, one)
		}
		doc.Groups = append(doc.Groups, g)
	}
	if len(doc.Groups)+len(doc.InputFilterGroups)+len(doc.CategoryFilterGroups) == 0 {
		return nil
	}
	return &doc
}

// checkFilters says what is wrong with filters beside what a schema minds: each has a title of its own, and a clause.
func checkFilters(filters []filterView) (problems []*mapping.Problem) {
	titles := map[string]bool{}
	for i, f := range filters {
		message := ""
		switch {
		case f.Title == "":
			message = "Give the scoping filter a title; it stands in the log when an object does not pass."
		case titles[f.Title]:
			message = "Another scoping filter has this title already."
		case len(f.Clauses) == 0:
			message = "The scoping filter has no clause. Add one, or delete the filter."
		}
		titles[f.Title] = true
		if message != "" {
			problems = append(problems, &mapping.Problem{Path: fmt.Sprintf("$.scope.groups[%d]", i), Message: message})
		}
	}
	return problems
}

// saveScope changes the form by its buttons, and with Save the mapping's filters.
func (p *Portal) saveScope(c echo.Context) error {
	schema, m, err := p.mappingOf(c)
	if err != nil {
		return err
	}
	filters, err := readFilters(c)
	if err != nil {
		return err
	}
	do, at, _ := strings.Cut(c.FormValue("do"), "-")
	if do != "save" {
		return p.scopePage(c, schema, m, edited(filters, do, at), true, nil)
	}
	problems := checkFilters(filters)
	m.Scope = scoped(m, filters)
	for _, problem := range schema.Problems() {
		if strings.Contains(problem.Path, ".scope.") || len(problems) == 0 {
			problems = append(problems, problem)
		}
	}
	if len(problems) > 0 {
		return p.scopePage(c, schema, m, filters, true, problems)
	}
	if err := p.Service.SetSchema(c.Param("id"), schema); err != nil {
		var problem *mapping.Problem
		if errors.As(err, &problem) {
			return p.scopePage(c, schema, m, filters, true, []*mapping.Problem{problem})
		}
		return err
	}
	if err := p.rescope(c.Param("id"), kindOf(c), m.Scope); err != nil {
		return err
	}
	return say(c, "/applications/"+c.Param("id")+"/provisioning/mapping/scope?kind="+kindOf(c), "Scope saved. The next cycle is an initial one: who does not pass any more is switched off.")
}

// edited carries out one of the form's buttons: add, clause-N, drop-N, remove-N-M.
func edited(filters []filterView, do, at string) []filterView {
	first, second, _ := strings.Cut(at, "-")
	g, err := strconv.Atoi(first)
	if do == "add" && len(filters) < maxFilters {
		return append(filters, filterView{Clauses: []clauseView{{Operator: "EQUALS"}}})
	}
	if err != nil || g < 0 || g >= len(filters) {
		return filters
	}
	f := &filters[g]
	switch do {
	case "clause":
		if len(f.Clauses) < maxFilters {
			f.Clauses = append(f.Clauses, clauseView{Operator: "EQUALS"})
		}
	case "drop":
		return slices.Delete(filters, g, g+1)
	case "remove":
		if k, err := strconv.Atoi(second); err == nil && k >= 0 && k < len(f.Clauses) {
			f.Clauses = slices.Delete(f.Clauses, k, k+1)
		}
	}
	return filters
}

// testScope is the live result of what stands in the form: a part of a page.
func (p *Portal) testScope(c echo.Context) error {
	filters, err := readFilters(c)
	if err != nil {
		return err
	}
	part, err := p.scopeResult(c.Param("id"), kindOf(c), strings.TrimSpace(c.FormValue("object")), filters)
	if err != nil {
		return err
	}
	return c.HTML(http.StatusOK, string(part))
}

// scopeTest is what filters say about somebody.
type scopeTest struct {
	Who    string
	URL    string
	Nobody string // why there is no result
	sim.FilterPreview
	Groups []scopeTestGroup
}

type scopeTestGroup struct {
	Title   string
	Pass    bool
	Clauses mapping.ClauseResults
}

// scopeResult evaluates filters for somebody, whether they are saved or not.
func (p *Portal) scopeResult(appID, kind, name string, filters []filterView) (template.HTML, error) {
	var r scopeTest
	of := directory.KindUser
	if kind == "Group" {
		of = directory.KindGroup
	}
	o, err := p.find(of, name)
	if err != nil {
		r.Nobody = "Name a " + strings.ToLower(kind) + " to see whether the filters let it through."
		return part("scope", "tested", r)
	}
	r.Who, r.URL = o.DisplayName, objectURL(o)
	schema, err := p.Service.Schema(appID)
	if err != nil {
		return "", err
	}
	m := schema.ObjectMapping(kind)
	if m == nil {
		return "", echo.NewHTTPError(http.StatusNotFound, "The schema has no mapping for groups.")
	}
	m.Scope = scoped(m, filters)
	r.FilterPreview, err = p.Service.PreviewFilter(appID, o.ID, schema)
	var problem *mapping.Problem
	if errors.As(err, &problem) {
		r.Nobody = problem.Message
		return part("scope", "tested", r)
	}
	if err != nil {
		return "", err
	}
	for _, x := range r.Clauses {
		if n := len(r.Groups); n == 0 || r.Groups[n-1].Title != x.Group {
			r.Groups = append(r.Groups, scopeTestGroup{Title: x.Group, Pass: true})
		}
		g := &r.Groups[len(r.Groups)-1]
		g.Clauses, g.Pass = append(g.Clauses, x), g.Pass && x.Pass
	}
	return part("scope", "tested", r)
}
