package expr

import (
	"fmt"
	"strings"
)

// Warnings lists what works here but is better not relied on, for editors: forms that Microsoft's page calls unsupported or
// advises against, and comparisons that can never hold. kind tells references, such as manager, and Booleans from other
// attributes, for which it may be KindNull; nil: there are none of these.
func (e *Expr) Warnings(kind func(attribute string) ValueKind) []Warning {
	if kind == nil {
		kind = func(string) ValueKind { return KindNull }
	}
	var list []Warning
	warn := func(n *Node, format string, args ...any) {
		w := &Error{Message: fmt.Sprintf(format, args...), Position: start(n).Position, inside: n}
		w.located(e.Root)
		list = append(list, Warning{w.Message, w.Position, w.Function})
	}
	var walk func(n, parent *Node)
	walk = func(n, parent *Node) {
		switch {
		case n.Kind == NodeCompare && (parent == nil || parent.Kind != NodeCall || parent.Name != "IIF" && parent.Name != "CBool"):
			warn(n, "a comparison has a meaning as the condition of IIF and in CBool only")
		case n.Kind == NodeCompare:
			for i, side := range n.Args {
				text, ok := constantOf(n.Args[1-i])
				switch {
				case ok && text == "" && side.Kind == NodeAttribute:
					warn(n, "this is never True: a comparison with an attribute that is empty is False; take IsNullOrEmpty, or Switch with the key \"\"")
				case ok && wrongCase(text) && isBoolean(side, kind):
					warn(n, "%q is never met%s", text, booleanText)
				}
			}
		case n.Kind == NodeCall && n.Name == selectUniqueValue:
			warn(n, "SelectUniqueValue is supported from Workday, SuccessFactors and the provisioning API to Active Directory only, not by applications with SCIM")
		case n.Kind == NodeCall && n.Name == "IIF" && asksForNull(n.Args[0]):
			warn(n.Args[0], "the page calls %s as the condition of IIF unsupported, though its guides use it; Switch with the key \"\" does the same", n.Args[0].Name)
		case n.Kind == NodeCall && n.Name == "Switch" && asksForNull(n.Args[0]):
			warn(n.Args[0], "the page advises against %s as the source of Switch", n.Args[0].Name)
		case n.Kind == NodeCall && n.Name == "Switch" && n.Args[0].Kind == NodeAttribute && kind(n.Args[0].Name) == KindReference:
			warn(n.Args[0], "the reference attribute [%s] must not be the source of Switch; its object id is compared", n.Args[0].Name)
		case n.Kind == NodeCall && n.Name == "Switch" && isBoolean(n.Args[0], kind):
			for i := 2; i < len(n.Args); i += 2 {
				if key, ok := constantOf(n.Args[i]); ok && wrongCase(key) {
					warn(n.Args[i], "the key %q is never met%s", key, booleanText)
				}
			}
		}
		for _, a := range n.Args {
			walk(a, n)
		}
	}
	walk(e.Root, nil)
	return list
}

const booleanText = ": a Boolean is compared as True or False, with case"

// wrongCase reports whether text would be a Boolean's but for the case.
func wrongCase(text string) bool {
	return text != "True" && text != "False" && (strings.EqualFold(text, "true") || strings.EqualFold(text, "false"))
}

func isBoolean(n *Node, kind func(string) ValueKind) bool {
	switch n.Kind {
	case NodeAttribute:
		return kind(n.Name) == KindBoolean
	case NodeCall:
		f, ok := find(n.Name)
		return ok && f.Returns == ParamBoolean
	}
	return n.Kind == NodeCompare
}

func asksForNull(n *Node) bool {
	if n.Kind != NodeCall {
		return false
	}
	switch n.Name {
	case "IsNull", "IsNullOrEmpty", "IsPresent", "IsNothing":
		return true
	}
	return false
}
