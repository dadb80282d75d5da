package mapping

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dlclark/regexp2"

	"entrasim/sim/expr"
	"entrasim/sim/expr/dotnet"
)

// Operator is an operator of scoping filters: define-conditional-rules-for-provisioning-user-accounts.md,
// resources/synchronization-filteroperatorschema.md.
type Operator struct {
	Name  string // as the portal writes it
	Unary bool   // it takes no value
	Types []Type // of the attributes that it is meant for; of others it is false
	// test makes the test of a value. It is false on an attribute without a value, unless null is set.
	test func(value string) (func(v expr.Value) (bool, error), error)
	null bool
}

// operators are the 14 of the portal, in the order of the page.
var operators = []Operator{
	{Name: "&", Types: anyText, test: texts(func(v, in string) bool { return strings.Contains(in, v) })},
	{Name: "!&", Types: anyText, test: texts(func(v, in string) bool { return !strings.Contains(in, v) })},
	{Name: "ENDS_WITH", Types: anyText, test: texts(strings.HasSuffix)},
	{Name: "EQUALS", Types: anyText, test: texts(func(v, in string) bool { return v == in })},
	{Name: "Greater_Than", Types: numbersToo, test: numbers(func(v, in int64) bool { return v > in })},
	{Name: "Greater_Than_OR_EQUALS", Types: numbersToo, test: numbers(func(v, in int64) bool { return v >= in })},
	{Name: "Includes", Types: anyText, test: texts(strings.Contains)},
	{Name: "IS FALSE", Unary: true, Types: []Type{Boolean}, test: truth(false)},
	{Name: "IS NOT NULL", Unary: true, Types: anyText, test: texts(func(string, string) bool { return true })},
	{Name: "IS NULL", Unary: true, Types: anyText, null: true, test: func(string) (func(expr.Value) (bool, error), error) {
		return func(v expr.Value) (bool, error) { return v.IsEmpty(), nil }, nil
	}},
	{Name: "IS TRUE", Unary: true, Types: []Type{Boolean}, test: truth(true)},
	{Name: "NOT EQUALS", Types: anyText, test: texts(func(v, in string) bool { return v != in })},
	{Name: "NOT REGEX MATCH", Types: anyText, test: pattern(false)},
	{Name: "REGEX MATCH", Types: anyText, test: pattern(true)},
}

var (
	anyText    = []Type{String, Boolean, Integer, Binary}
	numbersToo = []Type{String, Integer}
)

// operatorNames finds an operator; case does not count, and a blank is an underscore.
var operatorNames = func() map[string]*Operator {
	m := map[string]*Operator{}
	for i := range operators {
		m[operatorKey(operators[i].Name)] = &operators[i]
	}
	return m
}()

func operatorKey(name string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "_", "").Replace(name))
}

// OperatorTable lists the operators with their arity and types.
func OperatorTable() []Operator { return append([]Operator(nil), operators...) }

// Operators lists the operators as the portal writes them.
func Operators() []string {
	out := make([]string, len(operators))
	for i, o := range operators {
		out[i] = o.Name
	}
	return out
}

func texts(holds func(v, in string) bool) func(string) (func(expr.Value) (bool, error), error) {
	return func(in string) (func(expr.Value) (bool, error), error) {
		return func(v expr.Value) (bool, error) { return holds(v.Text(), in), nil }, nil
	}
}

// truth looks at Boolean attributes only: text is neither true nor false.
func truth(want bool) func(string) (func(expr.Value) (bool, error), error) {
	return func(string) (func(expr.Value) (bool, error), error) {
		return func(v expr.Value) (bool, error) { return v.Kind() == expr.KindBoolean && v.Bool() == want, nil }, nil
	}
}

// numbers compares whole numbers; when either side is none, the clause is false and the object does not pass
// (provision-on-demand.md, tips of its third step).
func numbers(holds func(v, in int64) bool) func(string) (func(expr.Value) (bool, error), error) {
	return func(value string) (func(expr.Value) (bool, error), error) {
		in, ok := wholeNumber(value)
		return func(v expr.Value) (bool, error) {
			n, isNumber := wholeNumber(v.Text())
			return ok && isNumber && holds(n, in), nil
		}, nil
	}
}

func wholeNumber(s string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	return n, err == nil
}

// regexTime bounds one match of a pattern, so that a catastrophic one is no standstill.
const regexTime = 100 * time.Millisecond

// pattern matches regular expressions of .NET, anywhere in the value and with case.
func pattern(want bool) func(string) (func(expr.Value) (bool, error), error) {
	return func(value string) (func(expr.Value) (bool, error), error) {
		translated, err := dotnet.Pattern(value)
		if err != nil {
			return nil, fmt.Errorf("%q is no regular expression of .NET: %w", shortened(value), err)
		}
		re, err := regexp2.Compile(translated, regexp2.None)
		if err != nil {
			return nil, fmt.Errorf("%q is no regular expression of .NET: %s", shortened(value), strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
		re.MatchTimeout = regexTime
		return func(v expr.Value) (bool, error) {
			got, err := re.MatchString(v.Text())
			if err != nil {
				return false, fmt.Errorf("the pattern took longer than %s on %q; simplify it", regexTime, shortened(v.Text()))
			}
			return got == want, nil
		}, nil
	}
}

func shortened(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
