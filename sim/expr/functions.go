package expr

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

const page = "functions-for-customizing-application-data.md"

// required and optional shorten the rows of the table.
func required(names ...string) []Param {
	list := make([]Param, len(names))
	for i, n := range names {
		list[i] = Param{Name: n}
	}
	return list
}

func optional(names ...string) []Param {
	list := required(names...)
	for i := range list {
		list[i].Optional = true
	}
	return list
}

func repeat(name string) []Param { return []Param{{Name: name, Repeat: true}} }

func params(parts ...[]Param) []Param {
	var all []Param
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

var functions map[string]Function

func init() {
	functions = make(map[string]Function, len(table))
	for _, f := range table {
		functions[strings.ToLower(f.Name)] = f
	}
}

// table has one row for each function; parser, evaluator, the portal's help and the list of functions read it.
var table = []Function{
	{Name: "Append", Params: required("source", "suffix"), Page: page, each: true, call: nullable(func(c *call) (Value, error) {
		return String(c.text(0) + c.text(1)), nil
	})},
	{Name: "BitAnd", Params: required("value1", "value2"), Page: page, call: func(c *call) (Value, error) {
		a, err := c.integer(0)
		if err != nil {
			return Null, err
		}
		b, err := c.integer(1)
		return Number(a & b), err
	}},
	{Name: "CBool", Params: required("expression"), Page: page, call: func(c *call) (Value, error) {
		b, ok := truth(c.args[0])
		if !ok {
			return Null, c.fail(ErrType, "%q is neither true nor false nor a number", c.text(0))
		}
		return Boolean(b), nil
	}},
	{Name: "Coalesce", Params: repeat("source"), Page: page, build: buildCoalesce},
	{Name: "Count", Params: required("attribute"), Page: page, call: func(c *call) (Value, error) {
		return Number(int64(len(c.args[0].List()))), nil
	}},
	{Name: "CStr", Params: required("value"), Page: page, call: nullable(func(c *call) (Value, error) { return String(c.text(0)), nil })},
	{Name: "DefaultDomain", Page: "inbound-provisioning-api-faqs.md", call: func(c *call) (Value, error) {
		return String(c.env.DefaultDomain), nil
	}},
	{Name: "IgnoreFlowIfNullOrEmpty", Params: required("expression"), Page: page, build: func(_ *Node, args []compiled) (compiled, error) {
		return func(env *Env) (Result, error) {
			r, err := args[0](env)
			if err == nil && !r.IgnoreObject && r.Value.IsEmpty() {
				return Result{IgnoreFlow: true}, nil
			}
			return r, err
		}, nil
	}},
	{Name: "IIF", Params: required("condition", "valueIfTrue", "valueIfFalse"), Page: page, build: buildIIF},
	{Name: "InStr", Params: params(required("value1", "value2"), optional("start", "compareType")), Page: page, call: inStr},
	{Name: "IsNothing", Params: required("source"), Page: page, call: func(c *call) (Value, error) { return Boolean(c.args[0].IsNull()), nil }},
	{Name: "IsNull", Params: required("expression"), Page: page, call: func(c *call) (Value, error) { return Boolean(c.args[0].IsNull()), nil }},
	{Name: "IsNullOrEmpty", Params: required("expression"), Page: page, call: func(c *call) (Value, error) { return Boolean(c.args[0].IsEmpty()), nil }},
	{Name: "IsPresent", Params: required("expression"), Page: page, call: func(c *call) (Value, error) { return Boolean(!c.args[0].IsEmpty()), nil }},
	{Name: "IsString", Params: required("expression"), Page: page, call: func(c *call) (Value, error) {
		return Boolean(!c.args[0].IsNull() && !c.args[0].IsList()), nil
	}},
	{Name: "Item", Params: required("attribute", "index"), Page: page, call: func(c *call) (Value, error) {
		n, err := c.integer(1)
		if err != nil || c.args[0].IsNull() {
			return Null, err
		}
		list := c.args[0].List()
		if n < 1 || n > int64(len(list)) {
			return Null, c.fail(ErrRange, "index %d lies outside 1 to %d", n, len(list))
		}
		return String(list[n-1]), nil
	}},
	{Name: "Join", Params: params(required("separator"), repeat("source")), Page: page, call: func(c *call) (Value, error) {
		var parts []string
		for _, v := range c.args[1:] {
			for _, s := range v.List() {
				if s != "" {
					parts = append(parts, s)
				}
			}
		}
		return String(strings.Join(parts, c.text(0))), nil
	}},
	{Name: "Left", Params: required("string", "numChars"), Page: page, each: true, call: func(c *call) (Value, error) {
		n, err := c.integer(1)
		if err != nil {
			return Null, err
		}
		units := utf16.Encode([]rune(c.text(0)))
		if n < 0 || n >= int64(len(units)) {
			return String(c.text(0)), nil
		}
		return String(unitText(units[:n])), nil
	}},
	{Name: "Mid", Params: required("source", "start", "length"), Page: page, each: true, call: mid},
	{Name: "Not", Params: required("source"), Page: page, call: func(c *call) (Value, error) {
		return Boolean(!strings.EqualFold(c.text(0), "true")), nil
	}},
	{Name: "Prepend", Params: required("prefix", "source"), Page: page, call: func(c *call) (Value, error) {
		if c.args[1].IsNull() {
			return Null, nil
		}
		return String(c.text(0) + c.text(1)), nil
	}},
	{Name: "RemoveDuplicates", Params: required("attribute"), Page: page, call: nullable(func(c *call) (Value, error) {
		var out []string
		seen := map[string]bool{}
		for _, s := range c.args[0].List() {
			if !seen[s] {
				seen[s] = true
				out = append(out, s)
			}
		}
		return List(out), nil
	})},
	{Name: "Split", Params: required("source", "delimiter"), Page: page, call: func(c *call) (Value, error) {
		if c.args[0].IsEmpty() {
			return Null, nil
		}
		if c.text(1) == "" {
			return Null, c.fail(ErrRange, "the delimiter is empty")
		}
		var out []string
		for _, s := range strings.Split(c.text(0), c.text(1)) {
			if s = strings.TrimSpace(s); s != "" {
				out = append(out, s)
			}
		}
		return List(out), nil
	}},
	{Name: "StripSpaces", Params: required("source"), Page: page, each: true, call: nullable(func(c *call) (Value, error) {
		return String(strings.ReplaceAll(c.text(0), " ", "")), nil
	})},
	{Name: "Switch", Params: params(required("source"), optional("defaultValue"), repeat("switchValue")), Page: page, build: buildSwitch},
	{Name: "Trim", Params: required("source"), Page: page, each: true, call: nullable(func(c *call) (Value, error) {
		return String(strings.TrimFunc(c.text(0), unicode.IsSpace)), nil
	})},
	{Name: "Word", Params: required("string", "wordNumber", "delimiters"), Page: page, call: func(c *call) (Value, error) {
		n, err := c.integer(1)
		if err != nil {
			return Null, err
		}
		words := strings.FieldsFunc(c.text(0), func(r rune) bool { return strings.ContainsRune(c.text(2), r) })
		if n < 1 || n > int64(len(words)) {
			return String(""), nil
		}
		return String(words[n-1]), nil
	}},
}

// nullable makes a function of null give null.
func nullable(f func(*call) (Value, error)) func(*call) (Value, error) {
	return func(c *call) (Value, error) {
		if c.args[0].IsNull() {
			return Null, nil
		}
		return f(c)
	}
}

// truth reads a value as a condition; null and "" are False.
func truth(v Value) (b, ok bool) {
	switch v.Kind() {
	case KindNull:
		return false, true
	case KindBoolean:
		return v.Bool(), true
	case KindNumber:
		n, _ := v.integer()
		return n != 0, true
	}
	text := v.Text()
	switch {
	case text == "" || strings.EqualFold(text, "false"):
		return false, true
	case strings.EqualFold(text, "true"):
		return true, true
	}
	n, ok := v.integer()
	return n != 0, ok
}

func buildIIF(n *Node, args []compiled) (compiled, error) {
	return func(env *Env) (Result, error) {
		c, err := args[0](env)
		if err != nil || c.IgnoreFlow || c.IgnoreObject {
			return c, err
		}
		b, ok := truth(c.Value)
		if !ok {
			return Result{}, &Error{Kind: ErrType, Message: "the condition is " + Quote(c.Value.Text()) + "; expected a comparison or true or false", Position: n.Args[0].Position, Function: n.Name}
		}
		if b {
			return args[1](env)
		}
		return args[2](env)
	}, nil
}

// buildSwitch compares with case; a null source matches the key "". Only the value chosen is evaluated. Keys that are all
// constants, the usual case, are looked up without evaluating anything.
func buildSwitch(n *Node, args []compiled) (compiled, error) {
	if len(args)%2 != 0 || len(args) < 4 {
		return nil, &Error{Kind: ErrArgumentCount, Message: "expected a source, a default (which may be empty) and pairs of key and value", Position: n.Position, Function: n.Name}
	}
	for i := 2; i < len(args); i++ {
		if args[i] == nil {
			return nil, &Error{Kind: ErrMissingArgument, Message: "a key or value is left empty; an empty text is written \"\"", Position: n.Args[i].Position, Function: n.Name}
		}
	}
	return func(env *Env) (Result, error) {
		source, err := args[0](env)
		if err != nil || source.IgnoreFlow || source.IgnoreObject {
			return source, err
		}
		text := source.Value.Text()
		for i := 2; i < len(args); i += 2 {
			key, err := args[i](env)
			if err != nil {
				return key, err
			}
			if key.Value.Text() == text {
				return args[i+1](env)
			}
		}
		if args[1] == nil {
			return Result{}, nil
		}
		return args[1](env)
	}, nil
}

func buildCoalesce(_ *Node, args []compiled) (compiled, error) {
	return func(env *Env) (r Result, err error) {
		for _, a := range args {
			if r, err = a(env); err != nil || r.IgnoreFlow || r.IgnoreObject || !r.Value.IsEmpty() {
				return r, err
			}
		}
		return r, nil
	}, nil
}

// mid counts in UTF-16 units, as .NET does, without cutting a pair in two.
func mid(c *call) (Value, error) {
	start, err := c.integer(1)
	if err != nil {
		return Null, err
	}
	length, err := c.integer(2)
	if err != nil {
		return Null, err
	}
	if start < 1 || length < 0 {
		return Null, c.fail(ErrRange, "start is %d and length %d; expected at least 1 and 0", start, length)
	}
	units := utf16.Encode([]rune(c.text(0)))
	if start > int64(len(units)) {
		return String(""), nil
	}
	end := int64(len(units))
	if length < end-start+1 {
		end = start - 1 + length
	}
	return String(unitText(units[start-1 : end])), nil
}

// unitText decodes UTF-16 units and drops the half of a pair at either end.
func unitText(units []uint16) string {
	if len(units) > 0 && utf16.IsSurrogate(rune(units[0])) && units[0] >= 0xdc00 {
		units = units[1:]
	}
	if n := len(units); n > 0 && utf16.IsSurrogate(rune(units[n-1])) && units[n-1] < 0xdc00 {
		units = units[:n-1]
	}
	return string(utf16.Decode(units))
}

func inStr(c *call) (Value, error) {
	start := int64(1)
	if c.has(2) && c.text(2) != "" {
		n, err := c.integer(2)
		if err != nil {
			return Null, err
		}
		start = n
	}
	if start < 1 {
		return Null, c.fail(ErrRange, "start is %d; expected at least 1", start)
	}
	in, what := c.text(0), c.text(1)
	switch mode := c.text(3); {
	case !c.has(3), mode == "", mode == "vbBinaryCompare":
	case mode == "vbTextCompare":
		in, what = strings.ToLower(in), strings.ToLower(what)
	default:
		return Null, c.fail(ErrRange, "compareType is %q; expected vbTextCompare or vbBinaryCompare", mode)
	}
	units := utf16.Encode([]rune(in))
	if start > int64(len(units)) {
		return Number(0), nil
	}
	i := strings.Index(string(utf16.Decode(units[start-1:])), what)
	if i < 0 {
		return Number(0), nil
	}
	before := utf16.Encode([]rune(string(utf16.Decode(units[start-1:]))[:i]))
	return Number(start + int64(len(before))), nil
}
