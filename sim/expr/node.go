package expr

import (
	"strconv"
	"strings"
)

// NodeKind is the kind of a node of the tree.
type NodeKind byte

// The kinds of nodes.
const (
	NodeCall NodeKind = iota
	NodeAttribute
	NodeConstant
	NodeNumber
	NodeKeyword
	NodeCompare
	NodeEmpty // a slot without an argument
)

// Node is a part of an expression.
type Node struct {
	Kind     NodeKind
	Name     string // function, attribute, keyword or operator
	Text     string // of a constant, unescaped
	Number   int64
	Args     []*Node
	Position int // in characters, from 1
}

// String prints the node in normal form, which parses to the same tree: arguments are joined with a comma and a blank, an
// empty slot is nothing (api/synchronization-synchronizationschema-parseexpression.md).
func (n *Node) String() string {
	var b strings.Builder
	n.print(&b)
	return b.String()
}

func (n *Node) print(b *strings.Builder) {
	switch n.Kind {
	case NodeCall:
		b.WriteString(n.Name)
		b.WriteByte('(')
		for i, a := range n.Args {
			if i > 0 {
				b.WriteString(", ")
			}
			a.print(b)
		}
		b.WriteByte(')')
	case NodeAttribute:
		b.WriteByte('[')
		b.WriteString(n.Name)
		b.WriteByte(']')
	case NodeConstant:
		b.WriteString(Quote(n.Text))
	case NodeNumber:
		b.WriteString(strconv.FormatInt(n.Number, 10))
	case NodeKeyword:
		b.WriteString(n.Name)
	case NodeCompare:
		n.Args[0].print(b)
		b.WriteByte(' ')
		b.WriteString(n.Name)
		b.WriteByte(' ')
		n.Args[1].print(b)
	case NodeEmpty:
	}
}

var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// Quote writes text as a constant: a quote and a backslash get a backslash in front.
func Quote(s string) string { return `"` + quoter.Replace(s) + `"` }

// Walk calls visit for the node and everything in it, in the order of the text.
func (n *Node) Walk(visit func(*Node)) {
	if n.Kind == NodeCompare { // its own place is the operator, behind the left side
		n.Args[0].Walk(visit)
		visit(n)
		n.Args[1].Walk(visit)
		return
	}
	visit(n)
	for _, a := range n.Args {
		a.Walk(visit)
	}
}
