package expr

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxLength is how many characters an expression may have (known-issues.md).
const MaxLength = 10_000

// maxDepth is how deep calls may nest; a deeper one is a syntax error rather than an overflow.
const maxDepth = 200

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

// String prints the node in the canonical form, which parses to the same tree.
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
		b.WriteString("[" + n.Name + "]")
	case NodeConstant:
		b.WriteString(Quote(n.Text))
	case NodeNumber:
		b.WriteString(strconv.FormatInt(n.Number, 10))
	case NodeKeyword:
		b.WriteString(n.Name)
	case NodeCompare:
		n.Args[0].print(b)
		b.WriteString(" " + n.Name + " ")
		n.Args[1].print(b)
	case NodeEmpty:
	}
}

// Quote writes text as a constant: a quote and a backslash get a backslash in front.
func Quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Expr is a parsed expression, ready to be evaluated any number of times by several goroutines.
type Expr struct {
	src  string
	Root *Node
	eval compiled
}

// String prints the expression in canonical form.
func (e *Expr) String() string { return e.Root.String() }

// Attributes lists the source attributes that the expression reads, each once, in the order of the text.
func (e *Expr) Attributes() []string {
	var names []string
	seen := map[string]bool{}
	var walk func(*Node)
	walk = func(n *Node) {
		if n.Kind == NodeAttribute && !seen[n.Name] {
			seen[n.Name] = true
			names = append(names, n.Name)
		}
		for _, a := range n.Args {
			walk(a)
		}
	}
	walk(e.Root)
	return names
}

// Eval evaluates the expression. The error is an *Error.
func (e *Expr) Eval(env *Env) (Result, error) {
	r, err := e.eval(env)
	if err != nil {
		return Result{}, err
	}
	return r, nil
}

var keywords = []string{"IgnoreAttributeFlow", "IgnoreObjectFlow", "vbTextCompare", "vbBinaryCompare"}

// Parse reads an expression: a function call, or one attribute in brackets. The error is an *Error that tells where and
// what was expected.
func Parse(src string) (*Expr, error) {
	if n := utf8.RuneCountInString(src); n > MaxLength {
		return nil, &Error{Kind: ErrTooLong, Message: fmt.Sprintf("the expression has %d characters; at most %d are allowed", n, MaxLength), Position: MaxLength + 1}
	}
	p := &parser{src: src}
	root, err := p.expression()
	if err != nil {
		return nil, err
	}
	eval, err := compile(root)
	if err != nil {
		return nil, err
	}
	return &Expr{src: src, Root: root, eval: eval}, nil
}

type parser struct {
	src   string
	at    int // byte offset
	depth int
}

func (p *parser) fail(kind ErrorKind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Position: position(p.src, p.at)}
}

func (p *parser) space() {
	for p.at < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.at]) >= 0 {
		p.at++
	}
}

func (p *parser) peek() rune {
	p.space()
	if p.at >= len(p.src) {
		return -1
	}
	r, _ := utf8.DecodeRuneInString(p.src[p.at:])
	return r
}

func (p *parser) expression() (*Node, error) {
	switch r := p.peek(); {
	case r == -1:
		return nil, p.fail(ErrSyntax, "the expression is empty; expected a function call such as Join(\" \", [givenName], [surname])")
	case r != '[' && !unicode.IsLetter(r):
		return nil, p.fail(ErrSyntax, "expected a function name or an attribute in brackets, found %s", p.found())
	}
	n, err := p.primary()
	if err != nil {
		return nil, err
	}
	if p.peek() != -1 {
		return nil, p.fail(ErrSyntax, "expected the end of the expression, found %s", p.found())
	}
	if n.Kind == NodeKeyword {
		p.at = 0
		return nil, p.fail(ErrSyntax, "%s can only be an argument", n.Name)
	}
	return n, nil
}

// found names what stands at the present place.
func (p *parser) found() string {
	r := p.peek()
	if r == -1 {
		return "the end"
	}
	if r == '\'' {
		return "a single quote; constants stand in double quotes"
	}
	return strconv.QuoteRune(r)
}

var compareOps = []string{"<>", "<=", ">=", "=", "<", ">"}

// operand is a primary, or a comparison of two.
func (p *parser) operand() (*Node, error) {
	left, err := p.primary()
	if err != nil {
		return nil, err
	}
	p.space()
	for _, op := range compareOps {
		if strings.HasPrefix(p.src[p.at:], op) {
			at := position(p.src, p.at)
			p.at += len(op)
			right, err := p.primary()
			if err != nil {
				return nil, err
			}
			return &Node{Kind: NodeCompare, Name: op, Args: []*Node{left, right}, Position: at}, nil
		}
	}
	return left, nil
}

func (p *parser) primary() (*Node, error) {
	r := p.peek()
	at := position(p.src, p.at)
	switch {
	case r == '[':
		return p.attribute(at)
	case r == '"':
		return p.constant(at)
	case r == '-' || r == '&' || r >= '0' && r <= '9':
		return p.number(at)
	case r == '_' || unicode.IsLetter(r):
		return p.name(at)
	}
	return nil, p.fail(ErrSyntax, "expected a function, an attribute in brackets, a constant in double quotes or a number, found %s", p.found())
}

// attribute reads [name]; brackets nest, and text in double quotes inside is opaque: [emails[type eq "work"].value].
func (p *parser) attribute(at int) (*Node, error) {
	from, depth, quoted := p.at+1, 0, false
	for i := p.at; i < len(p.src); i++ {
		switch c := p.src[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']':
			if depth--; depth == 0 {
				name := strings.Trim(p.src[from:i], " \t\r\n")
				if name == "" {
					return nil, p.fail(ErrSyntax, "the attribute between the brackets has no name")
				}
				p.at = i + 1
				return &Node{Kind: NodeAttribute, Name: name, Position: at}, nil
			}
		}
	}
	return nil, p.fail(ErrSyntax, "the bracket [ is not closed; expected ]")
}

// constant reads "text": \\ is a backslash, \" a quote, and a backslash before anything else is itself.
func (p *parser) constant(at int) (*Node, error) {
	var b strings.Builder
	for i := p.at + 1; i < len(p.src); i++ {
		switch c := p.src[i]; {
		case c == '"':
			p.at = i + 1
			return &Node{Kind: NodeConstant, Text: b.String(), Position: at}, nil
		case c == '\\' && i+1 < len(p.src) && (p.src[i+1] == '\\' || p.src[i+1] == '"'):
			i++
			b.WriteByte(p.src[i])
		default:
			b.WriteByte(c)
		}
	}
	return nil, p.fail(ErrSyntax, "the constant is not closed; expected \"")
}

func (p *parser) number(at int) (*Node, error) {
	i := p.at
	base, from := 10, i
	if p.src[i] == '&' {
		if i+1 >= len(p.src) || p.src[i+1] != 'H' && p.src[i+1] != 'h' {
			return nil, p.fail(ErrSyntax, "expected a hexadecimal number such as &HF7; joining text is done with Join or Append")
		}
		i, from, base = i+2, i+2, 16
	} else if p.src[i] == '-' {
		i++
	}
	for i < len(p.src) && (p.src[i] >= '0' && p.src[i] <= '9' || base == 16 && strings.IndexByte("abcdefABCDEF", p.src[i]) >= 0) {
		i++
	}
	n, err := strconv.ParseInt(p.src[from:i], base, 64)
	if err != nil {
		return nil, p.fail(ErrSyntax, "%q is no whole number of 64 bits", p.src[p.at:i])
	}
	p.at = i
	return &Node{Kind: NodeNumber, Number: n, Position: at}, nil
}

func (p *parser) name(at int) (*Node, error) {
	i := p.at
	for i < len(p.src) {
		r, size := utf8.DecodeRuneInString(p.src[i:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		i += size
	}
	name := p.src[p.at:i]
	start := p.at
	p.at = i
	if p.peek() != '(' {
		for _, k := range keywords {
			if strings.EqualFold(k, name) {
				return &Node{Kind: NodeKeyword, Name: k, Position: at}, nil
			}
		}
		p.at = start
		if _, ok := find(name); ok {
			p.at = i
			return nil, p.fail(ErrSyntax, "expected ( behind %s", name)
		}
		return nil, p.fail(ErrSyntax, "%s stands without brackets or quotes: write [%[1]s] for an attribute, \"%[1]s\" for a constant", name)
	}
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail(ErrSyntax, "calls nest deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	args, err := p.args()
	if err != nil {
		return nil, err
	}
	n := &Node{Kind: NodeCall, Name: name, Args: args, Position: at}
	if f, ok := find(name); ok {
		n.Name = f.Name
	}
	return n, nil
}

func (p *parser) args() ([]*Node, error) {
	p.at++ // (
	if p.peek() == ')' {
		p.at++
		return nil, nil
	}
	var args []*Node
	for {
		r := p.peek()
		if r == ',' || r == ')' {
			args = append(args, &Node{Kind: NodeEmpty, Position: position(p.src, p.at)})
		} else {
			a, err := p.operand()
			if err != nil {
				return nil, err
			}
			args = append(args, a)
		}
		switch p.peek() {
		case ',':
			p.at++
		case ')':
			p.at++
			return args, nil
		default:
			return nil, p.fail(ErrSyntax, "expected , or ) behind an argument, found %s", p.found())
		}
	}
}
