package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dlclark/regexp2"

	"entrasim/sim/expr"
)

// Filter is a compiled scoping filter: an object passes when all clauses of any group are true
// (define-conditional-rules-for-provisioning-user-accounts.md).
type Filter struct{ groups [][]clause }

type clause struct {
	attribute string
	label     string // "<title>.<attribute> <OPERATOR> '<value>'"
	test      func(expr.Value) bool
}

// ClauseResult is what one clause said.
type ClauseResult struct {
	Label string
	Pass  bool
}

// ClauseResults are the results of every clause.
type ClauseResults []ClauseResult

// JSON writes the results as the log does: one member for each clause.
func (r ClauseResults) JSON() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, c := range r {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s:%v", strconv.Quote(c.Label), c.Pass)
	}
	b.WriteByte('}')
	return b.String()
}

// Eval evaluates the filter on the source attributes.
func (f *Filter) Eval(src *Source) (pass bool, results ClauseResults) {
	for _, g := range f.groups {
		all := true
		for _, c := range g {
			v, _ := src.Attribute(c.attribute)
			ok := c.test(v)
			results = append(results, ClauseResult{c.label, ok})
			all = all && ok
		}
		pass = pass || all
	}
	return pass, results
}

func (f *Filter) attributes() []string {
	var list []string
	for _, g := range f.groups {
		for _, c := range g {
			list = append(list, c.attribute)
		}
	}
	return list
}

// regexTime bounds one match of a pattern, so that a catastrophic one is no standstill.
const regexTime = 100 * time.Millisecond

// operators are the 14 of the portal. Every one but IS NULL is false on an attribute without a value.
var operators = map[string]struct {
	name  string // as the portal writes it
	unary bool
	test  func(value string) (func(v expr.Value) bool, error)
}{
	"equals":              {"EQUALS", false, text(func(v, in string) bool { return v == in })},
	"notequals":           {"NOT EQUALS", false, text(func(v, in string) bool { return v != in })},
	"includes":            {"Includes", false, text(strings.Contains)},
	"endswith":            {"ENDS_WITH", false, text(strings.HasSuffix)},
	"&":                   {"&", false, text(func(v, in string) bool { return strings.Contains(in, v) })},
	"!&":                  {"!&", false, text(func(v, in string) bool { return !strings.Contains(in, v) })},
	"regexmatch":          {"REGEX MATCH", false, pattern(true)},
	"notregexmatch":       {"NOT REGEX MATCH", false, pattern(false)},
	"greaterthan":         {"Greater_Than", false, number(func(v, in int64) bool { return v > in })},
	"greaterthanorequals": {"Greater_Than_OR_EQUALS", false, number(func(v, in int64) bool { return v >= in })},
	"isnull":              {"IS NULL", true, always(expr.Value.IsEmpty)},
	"isnotnull":           {"IS NOT NULL", true, always(func(v expr.Value) bool { return !v.IsEmpty() })},
	"istrue":              {"IS TRUE", true, always(func(v expr.Value) bool { return v.Text() == "True" })},
	"isfalse":             {"IS FALSE", true, always(func(v expr.Value) bool { return v.Text() == "False" })},
}

func text(holds func(v, in string) bool) func(string) (func(expr.Value) bool, error) {
	return func(in string) (func(expr.Value) bool, error) {
		return func(v expr.Value) bool { return !v.IsEmpty() && holds(v.Text(), in) }, nil
	}
}

func number(holds func(v, in int64) bool) func(string) (func(expr.Value) bool, error) {
	return func(text string) (func(expr.Value) bool, error) {
		in, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no whole number", text)
		}
		return func(v expr.Value) bool {
			n, err := strconv.ParseInt(strings.TrimSpace(v.Text()), 10, 64)
			return err == nil && holds(n, in)
		}, nil
	}
}

func always(holds func(expr.Value) bool) func(string) (func(expr.Value) bool, error) {
	return func(string) (func(expr.Value) bool, error) { return holds, nil }
}

func pattern(want bool) func(string) (func(expr.Value) bool, error) {
	return func(text string) (func(expr.Value) bool, error) {
		re, err := regexp2.Compile(text, regexp2.None)
		if err != nil {
			return nil, fmt.Errorf("the pattern is no regular expression: %w", err)
		}
		re.MatchTimeout = regexTime
		return func(v expr.Value) bool {
			if v.IsEmpty() {
				return false
			}
			got, err := re.MatchString(v.Text())
			return err == nil && got == want
		}, nil
	}
}

// Operators lists the operators as the portal writes them.
func Operators() []string {
	var list []string
	for _, o := range operators {
		list = append(list, o.name)
	}
	slices.Sort(list)
	return list
}

func compileFilter(doc *FilterDocument, kind, path string) (*Filter, error) {
	f := &Filter{}
	for gi, g := range doc.Groups {
		var clauses []clause
		for ci, c := range g.Clauses {
			at := fmt.Sprintf("%s.groups[%d].clauses[%d]", path, gi, ci)
			name := strings.ToLower(strings.NewReplacer(" ", "", "_", "").Replace(c.OperatorName))
			op, ok := operators[name]
			if !ok {
				return nil, &Problem{Path: at + ".operatorName", Message: fmt.Sprintf("%q is no operator; expected one of %s.", c.OperatorName, strings.Join(Operators(), ", "))}
			}
			a, ok := sourceNames(kind).find(c.SourceOperandName)
			if !ok {
				return nil, &Problem{Path: at + ".sourceOperandName", Message: fmt.Sprintf("There is no source attribute %s%s.", c.SourceOperandName, nearestName(c.SourceOperandName, SourceAttributes(kind)))}
			}
			if a.multi || a.typ == Reference || a.typ == DateTime {
				return nil, &Problem{Path: at + ".sourceOperandName", Message: fmt.Sprintf("%s can't be used in a scoping filter: multi-valued, reference and date attributes are not supported.", a.name)}
			}
			value := ""
			if c.TargetOperand != nil && len(c.TargetOperand.Values) > 0 {
				value = c.TargetOperand.Values[0]
			}
			test, err := op.test(value)
			if err != nil {
				return nil, &Problem{Path: at + ".targetOperand", Message: err.Error() + "."}
			}
			label := fmt.Sprintf("%s.%s %s", g.Name, a.name, op.name)
			if !op.unary {
				label += " '" + value + "'"
			}
			clauses = append(clauses, clause{a.name, label, test})
		}
		if len(clauses) > 0 {
			f.groups = append(f.groups, clauses)
		}
	}
	if len(f.groups) == 0 {
		return nil, nil
	}
	return f, nil
}
