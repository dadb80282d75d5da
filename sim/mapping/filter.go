package mapping

import (
	"fmt"
	"slices"
	"strings"

	"entrasim/sim/expr"
)

// Filter is a compiled set of filter groups: an object passes when all clauses of any group are true
// (define-conditional-rules-for-provisioning-user-accounts.md). It is safe for concurrent use.
type Filter struct{ groups [][]clause }

type clause struct {
	ClauseResult // as it is while it fails
	attribute    *attribute
	null         bool
	test         func(expr.Value) (bool, error)
}

// ClauseResult is a clause and what it said.
type ClauseResult struct {
	Group     string // title of the filter; "filter 2" when it has none
	Attribute string
	Operator  string
	Value     string // "" for an operator that takes none
	Unary     bool
	Pass      bool
	Err       error  // why it could not be decided: it then counts as false
	label     string // "<title>.<attribute> <OPERATOR> '<value>'"
	set       int
}

// ClauseResults are the results of every clause, in the order of the document.
type ClauseResults []ClauseResult

// JSON writes the results as the log does, one member for each clause: {"<title>.<attribute> <OPERATOR> '<value>'":true}.
// Operators without a value end behind their name (recorded provisioning logs, cross-tenant-synchronization-configure-graph.md).
func (r ClauseResults) JSON() string {
	b := []byte{'{'}
	written := map[string]bool{}
	for _, c := range r {
		if written[c.label] { // the same clause twice says the same
			continue
		}
		written[c.label] = true
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = fmt.Appendf(append(appendText(b, c.label), ':'), "%v", c.Pass)
	}
	return string(append(b, '}'))
}

// Reason says which clauses kept an object out, such as "filter Sales failed on department and city". It is "" when a
// group passed, or when there is no filter.
func (r ClauseResults) Reason() string {
	var parts []string
	for i := 0; i < len(r); {
		set, group := r[i].set, r[i].Group
		var failed []string
		for ; i < len(r) && r[i].set == set; i++ {
			if c := r[i]; !c.Pass {
				name := c.Attribute
				if c.Err != nil {
					name += " (" + c.Err.Error() + ")"
				}
				if !slices.Contains(failed, name) {
					failed = append(failed, name)
				}
			}
		}
		if len(failed) == 0 {
			return ""
		}
		parts = append(parts, "filter "+group+" failed on "+joined(failed))
	}
	return strings.Join(parts, "; ")
}

func joined(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// Eval evaluates every clause on the source attributes.
func (f *Filter) Eval(src *Source) (pass bool, results ClauseResults) {
	n := 0
	for _, g := range f.groups {
		n += len(g)
	}
	results = make(ClauseResults, 0, n)
	for _, g := range f.groups {
		all := true
		for i := range g {
			r := g[i].eval(src)
			results = append(results, r)
			all = all && r.Pass
		}
		pass = pass || all
	}
	return pass, results
}

// Passes is Eval without the results.
func (f *Filter) Passes(src *Source) bool {
	for _, g := range f.groups {
		all := true
		for i := 0; i < len(g) && all; i++ {
			all = g[i].eval(src).Pass
		}
		if all {
			return true
		}
	}
	return false
}

func (c *clause) eval(src *Source) ClauseResult {
	r := c.ClauseResult
	// A filter sees the attributes of the source, never the result of a mapping. Without a value only IS NULL is true.
	if v := c.attribute.value(src); c.null || !v.IsEmpty() {
		r.Pass, r.Err = c.test(v)
	}
	return r
}

// filter compiles one set of filter groups; nil when there is no clause in it.
func (c *compiler) filter(o *objectSchema, groups []FilterGroup, path string) *Filter {
	f := &Filter{}
	for gi, g := range groups {
		var clauses []clause
		title := g.Name
		if title == "" {
			title = fmt.Sprint(gi + 1)
		}
		for ci := range g.Clauses {
			at := fmt.Sprintf("%s[%d].clauses[%d]", path, gi, ci)
			if x, ok := c.clause(o, &g.Clauses[ci], at); ok {
				x.Group, x.set = title, gi
				x.label = g.Name + "." + x.Attribute + " " + x.Operator
				if !x.Unary {
					x.label += " '" + x.Value + "'"
				}
				clauses = append(clauses, x)
			}
		}
		if len(clauses) > 0 {
			f.groups = append(f.groups, clauses)
		}
	}
	if len(f.groups) == 0 {
		return nil
	}
	return f
}

func (c *compiler) clause(o *objectSchema, doc *FilterClause, path string) (x clause, ok bool) {
	before := len(c.problems)
	op := operatorNames[operatorKey(doc.OperatorName)]
	switch {
	case operatorKey(doc.OperatorName) == "ismemberof":
		c.problem(path+".operatorName", "operator", nil, "IsMemberOf is not supported in scoping filters; assign the group to the application instead, or filter by an attribute.")
	case op == nil:
		c.problem(path+".operatorName", "operator", nil, "%q is no operator; expected one of %s.", doc.OperatorName, strings.Join(Operators(), ", "))
	}
	a := c.filterable(o, doc.SourceOperandName, path+".sourceOperandName")
	if op == nil || a == nil {
		return x, false
	}
	var values []string
	if doc.TargetOperand != nil {
		values = doc.TargetOperand.Values
	}
	value := ""
	if len(values) > 0 {
		value = values[0]
	}
	switch {
	case op.Unary && (len(values) > 1 || value != ""):
		c.problem(path+".targetOperand", "value", nil, "%s takes no value; leave targetOperand null.", op.Name)
	case !op.Unary && len(values) > 1:
		c.problem(path+".targetOperand.values", "value", nil, "%s takes one value, not %d; write a clause for each, in groups of their own when any will do.", op.Name, len(values))
	case !op.Unary && value == "":
		c.problem(path+".targetOperand.values", "value", nil, "%s needs a value to compare with; to find attributes without one use IS NULL.", op.Name)
	}
	test, err := op.test(value)
	if err != nil {
		c.problem(path+".targetOperand.values[0]", "value", err, "%s.", capital(err.Error()))
	}
	if len(c.problems) > before {
		return x, false
	}
	c.warnClause(op, a, value, path)
	return clause{ClauseResult: ClauseResult{Attribute: a.name, Operator: op.Name, Value: value, Unary: op.Unary}, attribute: a, null: op.null, test: test}, true
}

// filterable finds an attribute that a filter may use (define-conditional-rules-for-provisioning-user-accounts.md,
// "Important"; known-issues.md, unsupported scoping filters). nil: a problem was reported.
func (c *compiler) filterable(o *objectSchema, name, path string) *attribute {
	refuse := func(reason string) *attribute {
		c.problem(path, "attribute", nil, "%s can't be used in a scoping filter: %s", name, reason)
		return nil
	}
	switch strings.ToLower(name) {
	case "":
		c.problem(path, "attribute", nil, "The clause names no attribute; choose one.")
		return nil
	case "usertype":
		return refuse("the service does not offer it as a source attribute. Filter by a directory extension that holds the same instead.")
	case "approleassignments":
		return refuse("app role assignments are not supported. Choose who is in scope by assigning users and groups.")
	case "members":
		return refuse("the members of a group are not supported. Filter the users by an attribute of theirs.")
	case "manager":
		return refuse("reference attributes are not supported. Filter by an attribute of the user, such as department.")
	}
	a := c.source(o, name, path, "attribute")
	switch {
	case a == nil:
		return nil
	case a.multi:
		return refuse("multi-valued attributes are not supported. Choose a single-valued one.")
	case a.typ == Reference:
		return refuse("reference attributes are not supported. Choose an attribute that holds a value of its own.")
	case a.typ == DateTime:
		return refuse("dates are not supported. Keep what matters about the date in a text attribute, such as an extension attribute.")
	}
	return a
}

// warnClause tells of clauses that are allowed and seldom meant.
func (c *compiler) warnClause(op *Operator, a *attribute, value, path string) {
	switch {
	case strings.HasSuffix(op.Name, "REGEX MATCH") && !(strings.HasPrefix(value, "^") && strings.HasSuffix(value, "$")):
		c.warn(path+".targetOperand.values[0]", "value", "The pattern %s matches anywhere in the value; put ^ before and $ behind it to match the whole.", value)
	case strings.HasPrefix(op.Name, "Greater"):
		if _, ok := wholeNumber(value); !ok {
			c.warn(path+".targetOperand.values[0]", "value", "%q is no whole number: the clause is false for everybody. Enter digits.", value)
		}
	case !slices.Contains(op.Types, a.typ):
		c.warn(path+".operatorName", "operator", "%s is of type %s: %s is false for everybody. Use EQUALS.", a.name, a.typ, op.Name)
	}
}

func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-0x20) + s[1:]
}
