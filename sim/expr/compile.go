package expr

import (
	"fmt"
	"slices"
)

// code is a part of an expression as a closure. A branch that drops the attribute or the object returns ignoreFlow or
// ignoreObject.
type code func(env *Env) (Value, *Error)

// call is one evaluation of a function. It has a value for every parameter; a slot left empty is absent.
type call struct {
	env  *Env
	node *Node
	args []Value
}

// fail reports an error of the call. Which function it is in follows from the position.
func (c call) fail(kind ErrorKind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Position: c.node.Position}
}

// failAt points at the argument of a parameter.
func (c call) failAt(i int, kind ErrorKind, format string, args ...any) *Error {
	bad := c.fail(kind, format, args...)
	if f, ok := find(c.node.Name); ok && f.isOlder(len(c.node.Args)) && i >= f.without {
		i--
	}
	if i < len(c.node.Args) {
		bad.Position, bad.inside = start(c.node.Args[i]).Position, c.node
	}
	return bad
}

// start is the node whose text comes first.
func start(n *Node) *Node {
	for n.Kind == NodeCompare {
		n = n.Args[0]
	}
	return n
}

// has reports whether an argument was given.
func (c call) has(i int) bool { return c.args[i].kind != kindAbsent }

func (c call) text(i int) string { return c.args[i].Text() }

// integer converts an argument to a whole number.
func (c call) integer(i int) (int64, *Error) {
	if n, ok := c.args[i].integer(); ok {
		return n, nil
	}
	return 0, c.failAt(i, ErrType, "%s is %s; expected a whole number", c.parameter(i), describe(c.args[i]))
}

// parameter is the name of the parameter that an argument belongs to.
func (c call) parameter(i int) string {
	if c.node.Kind == NodeCompare {
		return [...]string{"the left side", "the right side"}[i]
	}
	if f, ok := find(c.node.Name); ok {
		return f.nameOf(i)
	}
	return fmt.Sprintf("argument %d", i+1)
}

// describe shows a value in a message.
func describe(v Value) string {
	switch {
	case v.IsNull():
		return "null"
	case v.redacted:
		return RedactedText
	case v.IsList():
		return fmt.Sprintf("a list of %d values", len(v.List()))
	}
	return Quote(short(v.Text()))
}

// spend counts the bytes that a function reads or writes.
func (c call) spend(bytes int) *Error {
	c.env.state.work += bytes
	if c.env.state.work > maxWork {
		return c.fail(ErrTooLong, "the expression reads and writes more than %d MiB of text for this object; shorten its inputs", maxWork>>20)
	}
	return nil
}

// fits reports an error when a text that a function is about to make would be too long.
func (c call) fits(bytes int) *Error {
	if bytes > maxText || bytes < 0 {
		return c.fail(ErrTooLong, "the text would be longer than %d MiB", maxText>>20)
	}
	return nil
}

// building is what the code of a function is made from.
type building struct {
	fn   *Function
	node *Node
	args []code // nil for a slot left empty
}

func (b building) fail(kind ErrorKind, at *Node, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Position: start(at).Position, inside: b.node}
}

// constant is the text of an argument that is a constant or a number.
func (b building) constant(i int) (string, bool) {
	if i >= len(b.node.Args) {
		return "", false
	}
	return constantOf(b.node.Args[i])
}

func constantOf(n *Node) (string, bool) {
	switch n.Kind {
	case NodeConstant:
		return n.Text, true
	case NodeNumber:
		return Number(n.Number).Text(), true
	}
	return "", false
}

// given reports whether the slot of an argument is filled.
func (b building) given(i int) bool { return i < len(b.args) && b.args[i] != nil }

func compileRoot(root *Node) (code, *Error) {
	var misplaced *Node
	root.Walk(func(n *Node) {
		if n.Kind == NodeCall && n.Name == selectUniqueValue && n != root && misplaced == nil {
			misplaced = n
		}
	})
	run, bad := compile(root, nil)
	if bad == nil && misplaced != nil {
		bad = &Error{Kind: ErrPlacement, Message: "SelectUniqueValue stands inside of another function; it has to be the outermost one", Position: misplaced.Position}
	}
	return run, bad.located(root)
}

// compile makes the code of a node; param is the parameter that it is the argument of, nil for the root and the sides of a
// comparison.
func compile(n *Node, param *Param) (code, *Error) {
	switch n.Kind {
	case NodeConstant:
		v := String(n.Text)
		return func(*Env) (Value, *Error) { return v, nil }, nil
	case NodeNumber:
		v := Number(n.Number)
		return func(*Env) (Value, *Error) { return v, nil }, nil
	case NodeAttribute:
		return compileAttribute(n), nil
	case NodeKeyword:
		return compileKeyword(n, param)
	case NodeCompare:
		return compileCompare(n)
	}
	return compileCall(n)
}

func compileAttribute(n *Node) code {
	name := n.Name
	return func(env *Env) (Value, *Error) {
		v, known := env.Attribute(name)
		if !known {
			return Null, unknownAttribute(n, env)
		}
		return v, nil
	}
}

func unknownAttribute(n *Node, env *Env) *Error {
	bad := &Error{Kind: ErrUnknownName, Message: "there is no source attribute [" + short(n.Name) + "]", Position: n.Position}
	if env.Names != nil {
		if best := Nearest(n.Name, env.Names()); best != "" {
			bad.Message += "; did you mean [" + best + "]?"
		}
	}
	return bad
}

func compileKeyword(n *Node, param *Param) (code, *Error) {
	switch n.Name {
	case keywordIgnoreAttribute:
		return func(*Env) (Value, *Error) { return ignoreFlow, nil }, nil
	case keywordIgnoreObject:
		return func(*Env) (Value, *Error) { return ignoreObject, nil }, nil
	}
	if param != nil {
		for _, k := range param.Keywords {
			if k == n.Name {
				v := String(k)
				return func(*Env) (Value, *Error) { return v, nil }, nil
			}
		}
	}
	owner := ""
	for i := range table {
		for _, p := range table[i].Params {
			for _, k := range p.Keywords {
				if k == n.Name {
					owner = fmt.Sprintf("; it is the %s of %s", p.Name, table[i].Name)
				}
			}
		}
	}
	return nil, &Error{Kind: ErrSyntax, Message: fmt.Sprintf("%s has no meaning here%s. Write [%[1]s] for an attribute, \"%[1]s\" for a constant", n.Name, owner), Position: n.Position}
}

func compileCall(n *Node) (code, *Error) {
	f, ok := find(n.Name)
	if !ok {
		return nil, &Error{Kind: ErrUnknownFunction, Message: "there is no function " + short(n.Name) + functionCure(n.Name), Position: n.Position}
	}
	args := make([]code, len(n.Args))
	for i, a := range n.Args {
		if a.Kind == NodeEmpty {
			continue
		}
		run, bad := compile(a, f.param(f.slot(n, i)))
		if bad != nil {
			return nil, bad
		}
		args[i] = run
	}
	if bad := checkArguments(f, n); bad != nil {
		return nil, bad
	}
	if f.isOlder(len(args)) {
		args = slices.Insert(args, f.without-1, nil)
	}
	if f.build != nil {
		return f.build(building{f, n, args})
	}
	return eager(f, n, args, f.call), nil
}

// checkArguments finds what can be found without values: too few or too many arguments, required slots left empty. Empty
// slots behind the last parameter, or behind the last value of a repeating one, are tolerated.
func checkArguments(f *Function, n *Node) *Error {
	fail := func(kind ErrorKind, at *Node, format string, values ...any) *Error {
		return &Error{Kind: kind, Message: fmt.Sprintf(format, values...), Position: start(at).Position, inside: n}
	}
	given := len(n.Args)
	for given > 0 && n.Args[given-1].Kind == NodeEmpty {
		given--
	}
	least := f.least()
	if f.isOlder(len(n.Args)) {
		least = len(n.Args)
	}
	if given < least && len(n.Args) < least {
		return fail(ErrArgumentCount, n, "%s; expected %s: %s", counted(len(n.Args)), atLeast(f, least), f.Signature())
	}
	for i, a := range n.Args {
		p := f.param(f.slot(n, i))
		switch {
		case p == nil && i < given:
			return fail(ErrArgumentCount, n.Args[max(i, len(f.Params))], "%s; expected at most %d: %s", counted(given), len(f.Params), f.Signature())
		case p == nil || a.Kind != NodeEmpty || p.Optional || i >= given && i >= least:
		default:
			return fail(ErrMissingArgument, a, "%s is left empty; an empty text is written \"\"", f.nameOf(f.slot(n, i)))
		}
	}
	return nil
}

func counted(n int) string {
	if n == 1 {
		return "1 argument is given"
	}
	return fmt.Sprintf("%d arguments are given", n)
}

func atLeast(f *Function, least int) string {
	if least == len(f.Params) && !f.Params[least-1].Repeat {
		return fmt.Sprintf("%d", least)
	}
	return fmt.Sprintf("at least %d", least)
}

// eager evaluates every argument, then the function; an argument that drops the flow drops it for the whole expression.
func eager(f *Function, n *Node, args []code, do func(call) (Value, *Error)) code {
	for len(args) > 0 && args[len(args)-1] == nil && len(args) > len(f.Params) {
		args = args[:len(args)-1]
	}
	slots := max(len(args), len(f.Params))
	// Constants stand in the frame from the beginning; only the rest is evaluated each time.
	blank := make([]Value, slots)
	type argument struct {
		slot int
		run  code
	}
	var rest []argument
	for i := range blank {
		blank[i] = absent
	}
	for i, a := range n.Args {
		slot := f.slot(n, i)
		switch {
		case slot >= len(args) || args[slot] == nil:
		case a.Kind == NodeConstant:
			blank[slot] = String(a.Text)
		case a.Kind == NodeNumber:
			blank[slot] = Number(a.Number)
		default:
			rest = append(rest, argument{slot, args[slot]})
		}
	}
	constants := 0
	for _, v := range blank {
		constants += len(v.text)
	}
	source, each, nulls := f.source-1, f.each, f.nulls
	return func(env *Env) (Value, *Error) {
		state := &env.state
		base := len(state.stack)
		state.stack = append(state.stack, blank...)
		c := call{env, n, state.stack[base : base+slots : base+slots]}
		size, redacted := constants, false
		for _, a := range rest {
			v, bad := a.run(env)
			if bad != nil {
				return Null, bad
			}
			if v.stops() {
				state.stack = state.stack[:base]
				return v, nil
			}
			c.args[a.slot] = v
			size += v.size()
			redacted = redacted || v.redacted
		}
		var v Value
		var bad *Error
		switch {
		case source >= 0 && !nulls && c.args[source].IsNull():
		case source >= 0 && each && c.args[source].IsList():
			v, bad = eachValue(c, source, do)
		default:
			v, bad = do(c)
		}
		state.stack = state.stack[:base]
		if bad != nil {
			return Null, bad
		}
		size += v.size()
		if state.work += size; state.work > maxWork || len(v.text) > maxText {
			if bad = c.fits(len(v.text)); bad == nil {
				bad = c.spend(0)
			}
			return Null, bad
		}
		v.redacted = v.redacted || redacted
		return v, nil
	}
}

// eachValue puts each of several values through a function; those that become null are left out.
func eachValue(c call, source int, do func(call) (Value, *Error)) (Value, *Error) {
	list := c.args[source].List()
	out := make([]string, 0, len(list))
	for _, s := range list {
		c.args[source] = String(s)
		v, bad := do(c)
		if bad == nil {
			bad = c.spend(v.size() + 16)
		}
		if bad != nil {
			return Null, bad
		}
		if !v.IsNull() {
			out = append(out, v.Text())
		}
	}
	return List(out), nil
}

// size is about how many bytes a value takes.
func (v Value) size() int {
	if v.multi == nil {
		return len(v.text)
	}
	return v.multi.size()
}

func (m *multi) size() int {
	n := 0
	for _, s := range m.texts {
		n += len(s) + 16
	}
	for _, r := range m.roles {
		n += len(r.ID) + len(r.Value) + len(r.DisplayName) + 48
	}
	return n
}
