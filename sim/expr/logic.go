package expr

import "strings"

// predicate is a function of one value that is True or False.
func predicate(holds func(Value) bool) func(building) (code, *Error) {
	return func(b building) (code, *Error) {
		value := b.args[0]
		return func(env *Env) (Value, *Error) {
			v, bad := value(env)
			if bad != nil || v.stops() {
				return v, bad
			}
			return Boolean(holds(v)), nil
		}, nil
	}
}

func isPresent(v Value) bool { return !v.IsEmpty() }

func isString(v Value) bool { return !v.IsNull() && !v.IsList() }

// not is True for anything that is not True, as Boolean or as text in any case.
func not(v Value) bool {
	if v.kind == KindBoolean {
		return v.num == 0
	}
	return !strings.EqualFold(v.Text(), "true")
}

func fail(c call) (Value, *Error) { return Null, c.fail(ErrCustom, "%s", c.text(0)) }

func buildIIF(b building) (code, *Error) {
	condition, yes, no := b.args[0], b.args[1], b.args[2]
	node := b.node
	return func(env *Env) (Value, *Error) {
		v, bad := condition(env)
		if bad != nil || v.stops() {
			return v, bad
		}
		holds, ok := v.num != 0, true
		if v.kind != KindBoolean {
			holds, ok = truth(v)
		}
		if !ok {
			return Null, call{env: env, node: node}.failAt(0, ErrType, "the condition is %s; expected a comparison, True, False or a number", describe(v))
		}
		if holds {
			return yes(env)
		}
		return no(env)
	}, nil
}

// buildSwitch compares text forms, with case; a null source equals the key "". Only the value that is chosen is evaluated.
// When the keys are constants, as usual, they are compared without being evaluated, and many are looked up.
func buildSwitch(b building) (code, *Error) {
	if len(b.args)%2 != 0 {
		return nil, b.fail(ErrArgumentCount, b.node, "%s; expected a source, a default (whose slot may be empty) and pairs of key and value", counted(len(b.args)))
	}
	for i := 2; i < len(b.args); i++ {
		if b.args[i] == nil {
			return nil, b.fail(ErrMissingArgument, b.node.Args[i], "%s is left empty; an empty text is written \"\"", b.fn.nameOf(i))
		}
	}
	source, otherwise := b.args[0], b.args[1]
	if otherwise == nil {
		otherwise = func(*Env) (Value, *Error) { return Null, nil }
	}
	keys := make([]string, 0, len(b.args)/2)
	values := make([]code, 0, len(b.args)/2)
	for i := 2; i < len(b.args); i += 2 {
		key, ok := b.constant(i)
		if !ok {
			return switchOnCode(b, otherwise), nil
		}
		keys, values = append(keys, key), append(values, b.args[i+1])
	}
	choose := func(text string) code {
		for i, k := range keys {
			if k == text {
				return values[i]
			}
		}
		return otherwise
	}
	if len(keys) > 8 {
		byKey := make(map[string]code, len(keys))
		for i := len(keys) - 1; i >= 0; i-- { // the first of equal keys counts
			byKey[keys[i]] = values[i]
		}
		choose = func(text string) code {
			if v, ok := byKey[text]; ok {
				return v
			}
			return otherwise
		}
	}
	node := b.node
	return func(env *Env) (Value, *Error) {
		v, bad := source(env)
		if bad != nil || v.stops() {
			return v, bad
		}
		if v.kind == KindReference {
			warnReference(env, node)
		}
		return choose(v.Text())(env)
	}, nil
}

// switchOnCode is a Switch of which some key has to be evaluated.
func switchOnCode(b building, otherwise code) code {
	args, node := b.args, b.node
	return func(env *Env) (Value, *Error) {
		source, bad := args[0](env)
		if bad != nil || source.stops() {
			return source, bad
		}
		if source.kind == KindReference {
			warnReference(env, node)
		}
		text := source.Text()
		for i := 2; i < len(args); i += 2 {
			key, bad := args[i](env)
			if bad != nil || key.stops() {
				return key, bad
			}
			if key.Text() == text {
				return args[i+1](env)
			}
		}
		return otherwise(env)
	}
}

func warnReference(env *Env, n *Node) {
	env.state.warnings = append(env.state.warnings, Warning{Message: "a reference attribute must not be the source of Switch; its object id is compared", Position: n.Position, Function: n.Name})
}

// buildCoalesce passes over null and empty sources; when nothing is left it returns the last one.
func buildCoalesce(b building) (code, *Error) {
	args := b.args
	for args[len(args)-1] == nil {
		args = args[:len(args)-1]
	}
	return func(env *Env) (v Value, bad *Error) {
		for _, a := range args {
			if v, bad = a(env); bad != nil || !v.IsEmpty() {
				return v, bad
			}
		}
		return v, nil
	}, nil
}

func buildIgnoreFlow(b building) (code, *Error) {
	value := b.args[0]
	return func(env *Env) (Value, *Error) {
		v, bad := value(env)
		if bad == nil && v.IsEmpty() {
			return ignoreFlow, nil
		}
		return v, bad
	}, nil
}

// buildSelectUnique evaluates its rules in order until one gives a value that nobody has.
func buildSelectUnique(b building) (code, *Error) {
	args, node := b.args, b.node
	return func(env *Env) (Value, *Error) {
		tried := []string{}
		for _, a := range args {
			if a == nil {
				continue
			}
			v, bad := a(env)
			if bad != nil || v.stops() {
				return v, bad
			}
			if v.IsEmpty() {
				continue
			}
			if env.Taken == nil {
				return v, nil
			}
			taken, err := env.Taken(v.Text())
			if err != nil {
				return Null, &Error{cause: err}
			}
			if !taken {
				return v, nil
			}
			tried = append(tried, describe(v))
		}
		c := call{env: env, node: node}
		if len(tried) == 0 {
			return Null, c.fail(ErrNotUnique, "none of the rules gives a value")
		}
		return Null, c.fail(ErrNotUnique, "another object of the target has %s already", strings.Join(tried, ", "))
	}, nil
}
