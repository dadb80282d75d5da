package expr

// The types of a part of an expression in Graph (resources/synchronization-attributemappingsource.md).
const (
	TypeFunction  = "Function"
	TypeAttribute = "Attribute"
	TypeConstant  = "Constant"
)

// Tree is an expression as Microsoft Graph shows it, an attributeMappingSource: the text in normal form, and its parts.
type Tree struct {
	Expression string          `json:"expression"`
	Name       string          `json:"name"` // of the function or attribute, or the text of the constant
	Type       string          `json:"type"` // Function, Attribute or Constant
	Parameters []TreeParameter `json:"parameters"`
}

// TreeParameter is an argument under the key that Graph gives it; keys repeat.
type TreeParameter struct {
	Key   string `json:"key"`
	Value Tree   `json:"value"`
}

// Tree returns the expression as Graph shows it. Empty slots are no parameters; a bare number is a constant as a
// parameter, while the text around it keeps the number (resources/synchronization-objectmapping.md, its sample).
func (e *Expr) Tree() Tree { return treeOf(e.Root) }

func treeOf(n *Node) Tree {
	t := Tree{Expression: n.String(), Name: n.Name, Type: TypeFunction, Parameters: []TreeParameter{}}
	switch n.Kind {
	case NodeAttribute:
		t.Type = TypeAttribute
	case NodeConstant:
		t.Type, t.Name = TypeConstant, n.Text
	case NodeNumber:
		t.Type, t.Name = TypeConstant, n.String()
		t.Expression = Quote(t.Name)
	case NodeKeyword:
		t.Type = TypeConstant
	case NodeCompare:
		for _, a := range n.Args {
			t.Parameters = append(t.Parameters, TreeParameter{"source", treeOf(a)})
		}
	case NodeCall:
		f, _ := find(n.Name) // a parsed expression calls no other
		for i, a := range n.Args {
			if p := f.param(f.slot(n, i)); p != nil && a.Kind != NodeEmpty {
				t.Parameters = append(t.Parameters, TreeParameter{p.TreeKey(), treeOf(a)})
			}
		}
	}
	return t
}

// ParameterNames lists the keys of a function's parameters in Graph, the repeating one last; nil when there is no such
// function.
func ParameterNames(function string) []string {
	f, ok := find(function)
	if !ok {
		return nil
	}
	keys := make([]string, len(f.Params))
	for i, p := range f.Params {
		keys[i] = p.TreeKey()
	}
	return keys
}
