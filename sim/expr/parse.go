package expr

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxLength is how many characters an expression may have (known-issues.md).
const MaxLength = 10_000

// maxDepth is how deep calls may nest; a deeper one is a syntax error rather than an overflow. Within MaxLength no
// sensible expression reaches it.
const maxDepth = 500

// Expr is a parsed expression, ready to be evaluated any number of times by several goroutines.
type Expr struct {
	Root *Node
	eval code
	// direct is the attribute that the whole expression is; "" for a call.
	direct string
}

// String prints the expression in normal form.
func (e *Expr) String() string { return e.Root.String() }

// Attributes lists the source attributes that the expression reads, each once, in the order of the text.
func (e *Expr) Attributes() []string {
	var names []string
	seen := map[string]bool{}
	e.Root.Walk(func(n *Node) {
		if n.Kind == NodeAttribute && !seen[n.Name] {
			seen[n.Name] = true
			names = append(names, n.Name)
		}
	})
	return names
}

// Uses reports whether the expression calls a function, whose name is given in its canonical spelling.
func (e *Expr) Uses(function string) bool {
	found := false
	e.Root.Walk(func(n *Node) { found = found || n.Kind == NodeCall && n.Name == function })
	return found
}

// Parse reads an expression: a function call, or one attribute in brackets. The error is an *Error that tells where and
// what was expected: of the kinds syntax, unknownFunction, argumentCount, missingArgument, placement, tooLong, or regex for
// a constant pattern.
func Parse(src string) (*Expr, error) {
	if n := utf8.RuneCountInString(src); n > MaxLength {
		return nil, &Error{Kind: ErrTooLong, Message: fmt.Sprintf("the expression has %d characters; at most %d are allowed", n, MaxLength), Position: MaxLength + 1}
	}
	p := &parser{lex: lexer{src: src, position: 1}}
	root, bad := p.expression()
	if bad != nil {
		if n := len(p.calls); n > 0 {
			bad.Function = p.calls[n-1]
		}
		return nil, bad
	}
	e := &Expr{Root: root}
	if root.Kind == NodeAttribute {
		e.direct = root.Name
	}
	if e.eval, bad = compileRoot(root); bad != nil {
		return nil, bad
	}
	return e, nil
}

// parser is a recursive descent over one token of look-ahead.
type parser struct {
	lex   lexer
	tok   token
	last  token    // the one before
	end   int      // where last ends, which tells what is written without a gap
	calls []string // the calls whose parentheses are open
}

func (p *parser) fail(format string, args ...any) *Error {
	return p.lex.fail(p.tok.position, format, args...)
}

func (p *parser) advance() (bad *Error) {
	p.last, p.end = p.tok, p.lex.position
	p.tok, bad = p.lex.next()
	return bad
}

func (p *parser) expression() (*Node, *Error) {
	if bad := p.advance(); bad != nil {
		return nil, bad
	}
	switch p.tok.kind {
	case tokenEnd:
		return nil, p.fail("the expression is empty; expected a function call such as Join(\" \", [givenName], [surname])")
	case tokenName, tokenAttribute:
	case tokenConstant:
		return nil, p.fail("expected a function name or an attribute in brackets, found %s; a constant alone is a mapping of the type Constant", p.found())
	case tokenCompare:
		return nil, p.fail("expected a function name or an attribute in brackets, found %s; an expression begins with neither = nor an operator", p.found())
	default:
		return nil, p.fail("expected a function name or an attribute in brackets, found %s", p.found())
	}
	n, bad := p.primary()
	if bad != nil {
		return nil, bad
	}
	if p.tok.kind != tokenEnd {
		return nil, p.fail("expected the end of the expression, found %s%s", p.found(), p.cure())
	}
	if n.Kind == NodeKeyword {
		return nil, p.lex.fail(n.Position, "%s can only be an argument", n.Name)
	}
	return n, nil
}

// found names the present token.
func (p *parser) found() string {
	switch p.tok.kind {
	case tokenEnd:
		return "the end"
	case tokenAttribute:
		return "[" + short(p.tok.text) + "]"
	case tokenConstant:
		return Quote(short(p.tok.text))
	}
	return strconv.Quote(p.tok.text)
}

// short cuts long text for a message.
func short(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// cure says what to do about a token that stands where an expression or an argument is over.
func (p *parser) cure() string {
	switch {
	case p.tok.kind == tokenName && (strings.EqualFold(p.tok.text, "and") || strings.EqualFold(p.tok.text, "or")):
		return noLogic
	case p.tok.kind == tokenCompare:
		return "; a comparison has two sides and stands as the condition of IIF or in CBool"
	case p.tok.kind == tokenNumber && strings.HasPrefix(p.tok.text, "-"):
		return "; there is no arithmetic"
	case p.tok.kind == tokenClose:
		return "; one ) is too many"
	case p.last.kind == tokenConstant && p.tok.kind == tokenConstant && p.tok.position == p.end:
		return "; a quote inside a constant is written \\\""
	case p.last.kind == tokenConstant && strings.Contains(p.last.text, `"`):
		return "; the constant before it holds a quote, written \\\": a backslash at the end of a constant is written \\\\"
	}
	return ""
}

// operand is a primary, or a comparison of two.
func (p *parser) operand() (*Node, *Error) {
	left, bad := p.primary()
	if bad != nil || p.tok.kind != tokenCompare {
		return left, bad
	}
	n := &Node{Kind: NodeCompare, Name: p.tok.text, Position: p.tok.position}
	if bad := p.advance(); bad != nil {
		return nil, bad
	}
	right, bad := p.primary()
	n.Args = []*Node{left, right}
	return n, bad
}

func (p *parser) primary() (*Node, *Error) {
	n := &Node{Position: p.tok.position}
	switch p.tok.kind {
	case tokenAttribute:
		if f, ok := callInBrackets(p.tok.text); ok {
			return nil, p.fail("the call of %s stands in brackets; only attributes do: write %s", f, short(p.tok.text))
		}
		n.Kind, n.Name = NodeAttribute, p.tok.text
	case tokenConstant:
		n.Kind, n.Text = NodeConstant, p.tok.text
	case tokenNumber:
		n.Kind, n.Number = NodeNumber, p.tok.number
	case tokenName:
		return p.name(n)
	default:
		cure := ""
		if p.tok.text == "=" && p.last.text == "=" {
			cure = "; equal is written with one ="
		}
		return nil, p.fail("expected a function, an attribute in brackets, a constant in double quotes or a number, found %s%s", p.found(), cure)
	}
	return n, p.advance()
}

// callInBrackets reports whether the text between brackets is a call, a usual mistake which would pass for an attribute that
// nobody has.
func callInBrackets(text string) (function string, ok bool) {
	name, _, open := strings.Cut(text, "(")
	f, ok := find(strings.TrimSpace(name))
	if !ok || !open || !strings.HasSuffix(text, ")") {
		return "", false
	}
	return f.Name, true
}

// name reads a call or a keyword.
func (p *parser) name(n *Node) (*Node, *Error) {
	name := p.tok
	if bad := p.advance(); bad != nil {
		return nil, bad
	}
	if p.tok.kind != tokenOpen {
		if k, ok := findKeyword(name.text); ok {
			n.Kind, n.Name = NodeKeyword, k
			return n, nil
		}
		if strings.EqualFold(name.text, "null") || strings.EqualFold(name.text, "nothing") {
			return nil, p.lex.fail(name.position, "%s stands without brackets or quotes: there is no word for null; IgnoreFlowIfNullOrEmpty leaves the attribute alone, and a Switch without a default gives null", name.text)
		}
		if _, ok := find(name.text); ok {
			return nil, p.fail("expected ( behind %s, found %s", name.text, p.found())
		}
		return nil, p.lex.fail(name.position, "%s stands without brackets or quotes: write [%[1]s] for an attribute, \"%[1]s\" for a constant", short(name.text))
	}
	if k, ok := findKeyword(name.text); ok {
		return nil, p.lex.fail(name.position, "%s is a word and no function: write it without parentheses", k)
	}
	if len(p.calls) == maxDepth {
		return nil, p.lex.fail(name.position, "calls nest deeper than %d", maxDepth)
	}
	n.Kind, n.Name = NodeCall, name.text
	if f, ok := find(name.text); ok {
		n.Name = f.Name // published expressions vary in case; the canonical spelling is printed
	}
	p.calls = append(p.calls, n.Name)
	args, bad := p.args()
	if bad != nil {
		return nil, bad
	}
	n.Args = args
	return n, nil
}

// args reads what stands between the parentheses, the present token being the opening one.
func (p *parser) args() ([]*Node, *Error) {
	open := p.tok.position
	if bad := p.advance(); bad != nil {
		return nil, bad
	}
	done := func(args []*Node) ([]*Node, *Error) {
		p.calls = p.calls[:len(p.calls)-1]
		return args, p.advance()
	}
	if p.tok.kind == tokenClose {
		return done(nil)
	}
	var args []*Node
	for {
		a := &Node{Kind: NodeEmpty, Position: p.tok.position}
		if p.tok.kind != tokenComma && p.tok.kind != tokenClose {
			var bad *Error
			if a, bad = p.operand(); bad != nil {
				return nil, bad
			}
		}
		args = append(args, a)
		switch p.tok.kind {
		case tokenComma:
			if bad := p.advance(); bad != nil {
				return nil, bad
			}
		case tokenClose:
			return done(args)
		case tokenEnd:
			return nil, p.fail("the parenthesis at position %d is not closed; expected , or )", open)
		default:
			return nil, p.fail("expected , or ) behind an argument, found %s%s", p.found(), p.cure())
		}
	}
}
