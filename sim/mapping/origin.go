package mapping

import (
	"strings"

	"entrasim/sim/expr"
)

// OriginOf builds the source of a mapping from its expression: one attribute in brackets, a quoted constant, or a function
// call, with the tree that Graph shows. The text stays as it was typed. The error is an *expr.Error.
func OriginOf(expression string) (*Origin, error) {
	text := strings.TrimSpace(expression)
	if constant, ok := constantText(text); ok {
		return ConstantOrigin(constant), nil
	}
	e, err := expr.Parse(text)
	if err != nil {
		return nil, err
	}
	o := originOf(e.Tree())
	if o.Type == expr.TypeFunction {
		o.Expression = text
	}
	return &o, nil
}

// ConstantOrigin is the source of a constant mapping.
func ConstantOrigin(text string) *Origin {
	return &Origin{Expression: expr.Quote(text), Name: text, Type: expr.TypeConstant, Parameters: []Parameter{}}
}

// AttributeOrigin is the source of a direct mapping.
func AttributeOrigin(name string) *Origin {
	return &Origin{Expression: "[" + name + "]", Name: name, Type: expr.TypeAttribute, Parameters: []Parameter{}}
}

func originOf(t expr.Tree) Origin {
	o := Origin{Expression: t.Expression, Name: t.Name, Type: t.Type, Parameters: []Parameter{}}
	for _, p := range t.Parameters {
		o.Parameters = append(o.Parameters, Parameter{Key: p.Key, Value: originOf(p.Value)})
	}
	return o
}

// constantText reads a text that is one quoted constant and nothing else.
func constantText(text string) (string, bool) {
	if !strings.HasPrefix(text, `"`) {
		return "", false
	}
	e, err := expr.Parse("CStr(" + text + ")")
	if err != nil || len(e.Root.Args) != 1 || e.Root.Args[0].Kind != expr.NodeConstant {
		return "", false
	}
	return e.Root.Args[0].Text, true
}

// completeOrigins makes the source of every mapping consistent; what does not parse is left for Validate to tell.
func (s *Schema) completeOrigins() {
	for r := range s.Rules {
		for m := range s.Rules[r].ObjectMappings {
			list := s.Rules[r].ObjectMappings[m].AttributeMappings
			for i := range list {
				list[i].Source.complete()
			}
		}
	}
}

// complete derives what is missing or contradicts the expression, which is what counts: the service parses it anew
// (api/synchronization-synchronizationschema-update.md; the sample in synchronization-configure-with-custom-target-attributes.md
// names an attribute and leaves the expression out). A tree that says the same is left alone, whatever the keys of its
// parameters, so that an exported schema comes back as it was.
func (o *Origin) complete() {
	if o == nil {
		return
	}
	if strings.TrimSpace(o.Expression) == "" {
		if o.Expression = o.text(); o.Expression == "" {
			return
		}
	}
	derived, err := OriginOf(o.Expression)
	switch {
	case err != nil && strings.EqualFold(o.Type, expr.TypeConstant):
		// A constant that was written without quotes.
		if o.Name == "" {
			o.Name = o.Expression
		}
		return
	case err != nil:
		return
	}
	if o.agrees(derived, true) {
		return
	}
	o.Name, o.Type = derived.Name, derived.Type
	if len(derived.Parameters) > 0 || len(o.Parameters) > 0 {
		o.Parameters = derived.Parameters
	}
}

// text builds the expression from the tree; "" when it has no name.
func (o *Origin) text() string {
	switch {
	case strings.EqualFold(o.Type, expr.TypeConstant):
		return expr.Quote(o.Name)
	case o.Name == "":
		return ""
	case strings.EqualFold(o.Type, expr.TypeFunction) || o.Type == "" && len(o.Parameters) > 0:
		return o.Name + "(" + strings.Join(o.arguments(), ", ") + ")"
	}
	return "[" + o.Name + "]"
}

// arguments puts the parameters into their slots: a tree has no empty ones, but its keys tell where they were.
func (o *Origin) arguments() []string {
	keys := expr.ParameterNames(o.Name)
	var slots []string
	for i := range o.Parameters {
		p := &o.Parameters[i]
		if at := slotOf(keys, p.Key, len(slots)); at > len(slots) {
			slots = append(slots, make([]string, at-len(slots))...)
		}
		text := p.Value.Expression
		if text == "" {
			text = p.Value.text()
		}
		slots = append(slots, text)
	}
	return slots
}

// slotOf finds the slot of a key at or behind a place; the place itself when the function has no such key.
func slotOf(keys []string, key string, from int) int {
	for i := from; i < len(keys); i++ {
		if strings.EqualFold(keys[i], key) {
			return i
		}
	}
	return from
}

// agrees reports whether a tree says what the one derived from the expression says. Keys are not compared: Microsoft's own
// differ from function to function. The text of the outermost part is what the other was derived from.
func (o *Origin) agrees(derived *Origin, outermost bool) bool {
	if !outermost && squeeze(o.Expression) != squeeze(derived.Expression) {
		return false
	}
	if derived.Type == expr.TypeFunction && isOperator(derived.Name) {
		return true // a comparison: nobody has shown how Graph writes it; the text says the same
	}
	if !strings.EqualFold(o.Type, derived.Type) || len(o.Parameters) != len(derived.Parameters) {
		return false
	}
	switch {
	case derived.Type == expr.TypeFunction:
		if !strings.EqualFold(o.Name, derived.Name) {
			return false
		}
	case o.Name != derived.Name:
		return false
	}
	for i := range o.Parameters {
		if !o.Parameters[i].Value.agrees(&derived.Parameters[i].Value, false) {
			return false
		}
	}
	return true
}

func isOperator(name string) bool {
	switch name {
	case "=", "<>", "<", "<=", ">", ">=":
		return true
	}
	return false
}

// squeeze takes the blanks between the parts of an expression away, and the case of function names.
func squeeze(text string) string {
	var b strings.Builder
	quoted, depth := false, 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c == '\\' && i+1 < len(text) && (text[i+1] == '\\' || text[i+1] == '"'):
			b.WriteByte(c)
			i++
			c = text[i]
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']':
			depth--
		case depth == 0 && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			continue
		case depth == 0 && c >= 'A' && c <= 'Z':
			c |= 0x20
		}
		b.WriteByte(c)
	}
	return b.String()
}
