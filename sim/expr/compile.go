package expr

import (
	"fmt"
	"strings"
)

// compiled is a part of an expression as a closure.
type compiled func(env *Env) (Result, error)

// Param is one parameter of a function.
type Param struct {
	Name     string // the key in the expression's tree
	Optional bool
	Repeat   bool // the last parameter may occur again
}

// Function is one row of the table of functions.
type Function struct {
	Name   string
	Params []Param
	Page   string // where Microsoft describes it
	// Exactly one of the two: call gets the values of the arguments, build their closures, for functions that evaluate
	// only the branch that is chosen. A slot left empty is absent, see value.given and nil.
	call  func(c *call) (Value, error)
	build func(n *Node, args []compiled) (compiled, error)
	// each applies call to each value of a multi-valued first argument.
	each bool
}

// call is one evaluation of a function.
type call struct {
	env   *Env
	node  *Node
	args  []Value
	given []bool
}

func (c *call) fail(kind ErrorKind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Position: c.node.Position, Function: c.node.Name}
}

// has reports whether an argument was given.
func (c *call) has(i int) bool { return i < len(c.given) && c.given[i] }

func (c *call) text(i int) string {
	if i < len(c.args) {
		return c.args[i].Text()
	}
	return ""
}

// integer converts an argument to a whole number.
func (c *call) integer(i int) (int64, error) {
	n, ok := c.args[i].integer()
	if !ok {
		return 0, c.fail(ErrType, "argument %d is %q; expected a whole number", i+1, c.args[i].Text())
	}
	return n, nil
}

// Functions is the table of functions, by name.
func Functions() []Function { return table }

func find(name string) (Function, bool) {
	f, ok := functions[strings.ToLower(name)]
	return f, ok
}

func compile(n *Node) (compiled, error) {
	switch n.Kind {
	case NodeConstant:
		r := Result{Value: String(n.Text)}
		return func(*Env) (Result, error) { return r, nil }, nil
	case NodeNumber:
		r := Result{Value: Number(n.Number)}
		return func(*Env) (Result, error) { return r, nil }, nil
	case NodeAttribute:
		name, at := n.Name, n.Position
		return func(env *Env) (Result, error) {
			v, known := env.Attribute(name)
			if !known {
				return Result{}, &Error{Kind: ErrUnknownName, Message: fmt.Sprintf("there is no source attribute [%s]", name), Position: at}
			}
			return Result{Value: v}, nil
		}, nil
	case NodeKeyword:
		switch n.Name {
		case "IgnoreAttributeFlow":
			return func(*Env) (Result, error) { return Result{IgnoreFlow: true}, nil }, nil
		case "IgnoreObjectFlow":
			return func(*Env) (Result, error) { return Result{IgnoreObject: true}, nil }, nil
		}
		r := Result{Value: String(n.Name)}
		return func(*Env) (Result, error) { return r, nil }, nil
	case NodeCompare:
		return compileCompare(n)
	}
	return compileCall(n)
}

func compileCall(n *Node) (compiled, error) {
	f, ok := find(n.Name)
	if !ok {
		return nil, &Error{Kind: ErrUnknownFunction, Message: fmt.Sprintf("there is no function %s%s", n.Name, suggest(n.Name)), Position: n.Position, Function: n.Name}
	}
	if err := checkArguments(f, n); err != nil {
		return nil, err
	}
	args := make([]compiled, len(n.Args))
	for i, a := range n.Args {
		if a.Kind == NodeEmpty {
			continue
		}
		c, err := compile(a)
		if err != nil {
			return nil, err
		}
		args[i] = c
	}
	if f.build != nil {
		return f.build(n, args)
	}
	return eager(f, n, args), nil
}

// eager evaluates every argument, then the function; an argument that drops the flow drops it for the whole expression.
func eager(f Function, n *Node, args []compiled) compiled {
	given := make([]bool, len(args))
	for i, a := range args {
		given[i] = a != nil
	}
	return func(env *Env) (Result, error) {
		c := &call{env: env, node: n, args: make([]Value, len(args)), given: given}
		for i, a := range args {
			if a == nil {
				continue
			}
			r, err := a(env)
			if err != nil || r.IgnoreFlow || r.IgnoreObject {
				return r, err
			}
			c.args[i] = r.Value
		}
		if f.each && len(c.args) > 0 && c.args[0].IsList() {
			return eachValue(f, c)
		}
		v, err := f.call(c)
		return Result{Value: v}, err
	}
}

func eachValue(f Function, c *call) (Result, error) {
	list := c.args[0].List()
	out := make([]string, 0, len(list))
	for _, s := range list {
		one := *c
		one.args = append([]Value{String(s)}, c.args[1:]...)
		v, err := f.call(&one)
		if err != nil {
			return Result{}, err
		}
		if !v.IsNull() {
			out = append(out, v.Text())
		}
	}
	return Result{Value: List(out)}, nil
}

// checkArguments finds what can be found without values: too few or too many arguments, required slots left empty. Empty
// slots behind the last parameter are tolerated.
func checkArguments(f Function, n *Node) error {
	least, most := 0, len(f.Params)
	for i, p := range f.Params {
		if !p.Optional {
			least = i + 1
		}
		if p.Repeat {
			most = 1 << 30
		}
	}
	args := n.Args
	for len(args) > most && args[len(args)-1].Kind == NodeEmpty {
		args = args[:len(args)-1]
	}
	n.Args = args
	fail := func(kind ErrorKind, format string, values ...any) error {
		return &Error{Kind: kind, Message: fmt.Sprintf(format, values...), Position: n.Position, Function: f.Name}
	}
	switch {
	case len(args) < least:
		return fail(ErrArgumentCount, "%d arguments are given; expected at least %d: %s", len(args), least, f.Signature())
	case len(args) > most:
		return fail(ErrArgumentCount, "%d arguments are given; expected at most %d: %s", len(args), most, f.Signature())
	}
	for i, a := range args {
		p := f.Params[min(i, len(f.Params)-1)]
		if a.Kind == NodeEmpty && !p.Optional {
			return &Error{Kind: ErrMissingArgument, Message: fmt.Sprintf("argument %d, %s, is left empty; an empty text is written \"\"", i+1, p.Name),
				Position: a.Position, Function: f.Name}
		}
	}
	return nil
}

// Signature writes the function with its parameters: optional ones with a question mark, repeating ones with dots.
func (f Function) Signature() string {
	names := make([]string, len(f.Params))
	for i, p := range f.Params {
		names[i] = p.Name
		if p.Optional {
			names[i] += "?"
		}
		if p.Repeat {
			names[i] += "…"
		}
	}
	return f.Name + "(" + strings.Join(names, ", ") + ")"
}

// suggest names the function whose name is closest.
func suggest(name string) string {
	best, least := "", 3
	for _, f := range table {
		if d := distance(strings.ToLower(name), strings.ToLower(f.Name)); d < least {
			best, least = f.Name, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		prev := row[0]
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			prev, row[j] = row[j], min(row[j]+1, row[j-1]+1, prev+cost)
		}
	}
	return row[len(y)]
}

// compileCompare compares two operands: with a null or empty side the result is False; whole numbers compare as such,
// everything else as text, with case (functions-for-customizing-application-data.md, IIF).
func compileCompare(n *Node) (compiled, error) {
	left, err := compile(n.Args[0])
	if err != nil {
		return nil, err
	}
	right, err := compile(n.Args[1])
	if err != nil {
		return nil, err
	}
	empty := func(n *Node, v Value) bool { return v.IsNull() || n.Kind == NodeAttribute && v.IsEmpty() }
	return func(env *Env) (Result, error) {
		a, err := left(env)
		if err != nil || a.IgnoreFlow || a.IgnoreObject {
			return a, err
		}
		b, err := right(env)
		if err != nil || b.IgnoreFlow || b.IgnoreObject {
			return b, err
		}
		if empty(n.Args[0], a.Value) || empty(n.Args[1], b.Value) {
			return Result{Value: Boolean(false)}, nil
		}
		return Result{Value: Boolean(holds(n.Name, order(a.Value, b.Value)))}, nil
	}, nil
}

func order(a, b Value) int {
	if x, ok := a.integer(); ok {
		if y, ok := b.integer(); ok {
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		}
	}
	return strings.Compare(a.Text(), b.Text())
}

func holds(op string, order int) bool {
	switch op {
	case "=":
		return order == 0
	case "<>":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// Distance is the number of edits between two texts, for suggestions.
func Distance(a, b string) int { return distance(a, b) }

// ParameterNames lists the keys of a function's parameters in Graph, the repeating one last; nil when there is no such
// function.
func ParameterNames(function string) []string {
	f, ok := find(function)
	if !ok {
		return nil
	}
	names := make([]string, len(f.Params))
	for i, p := range f.Params {
		names[i] = p.Name
	}
	return names
}
