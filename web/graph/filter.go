package graph

import (
	"strconv"
	"strings"
	"time"
)

// filter is a parsed $filter, a tree. Leaves of comparisons are paths and literals.
type filter struct {
	op   string // and or not; eq ne gt ge lt le in; startswith endswith contains; any; path; lower; literal
	args []*filter
	path string // of op path, members joined by slashes; of op any the list
	name string // of op any: the variable
	lit  any    // of op literal: string, bool, float64, time.Time or nil
	pos  int    // in the text, from 0
}

// Limits of a $filter.
const (
	maxFilter      = 8000
	maxFilterDepth = 50
)

// token kinds of the lexer are its first letters: w word, s text, n number, d date, ( ) , : and e the end.
type filterToken struct {
	kind byte
	text string
	lit  any
	pos  int
}

type filterParser struct {
	text  string
	tok   filterToken
	at    int
	depth int
}

func (p *filterParser) fail(pos int) error {
	return badRequest("Invalid filter clause: Syntax error at position %d in '%s'.", pos, p.text)
}

// parseFilter reads a $filter.
func parseFilter(text string) (*filter, error) {
	if len(text) > maxFilter {
		return nil, badRequest("Invalid filter clause: it is longer than %d characters.", maxFilter)
	}
	p := &filterParser{text: text}
	if err := p.next(); err != nil {
		return nil, err
	}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.tok.kind != 'e' {
		return nil, p.fail(p.tok.pos)
	}
	return f, nil
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '/' || c == '.' || c == '@' || c == '$' || c == '-' || c == '+'
}

func (p *filterParser) next() error {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
	begin := p.at
	if begin == len(p.text) {
		p.tok = filterToken{kind: 'e', pos: begin}
		return nil
	}
	switch c := p.text[begin]; {
	case strings.IndexByte("(),:", c) >= 0:
		p.at++
		p.tok = filterToken{kind: c, pos: begin}
	case c == '\'':
		return p.quoted()
	case isWord(c):
		for p.at < len(p.text) && (isWord(p.text[p.at]) || p.inTime(begin)) {
			p.at++
		}
		p.tok = classify(p.text[begin:p.at], begin)
	default:
		return p.fail(begin)
	}
	return nil
}

// inTime lets the colons of a time be part of a word that begins with a digit.
func (p *filterParser) inTime(begin int) bool {
	return p.text[p.at] == ':' && p.text[begin] >= '0' && p.text[begin] <= '9' && strings.ContainsAny(p.text[begin:p.at], "Tt")
}

func (p *filterParser) quoted() error {
	begin := p.at
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		if p.text[p.at] != '\'' {
			b.WriteByte(p.text[p.at])
			continue
		}
		if p.at+1 < len(p.text) && p.text[p.at+1] == '\'' {
			b.WriteByte('\'')
			p.at++
			continue
		}
		p.at++
		p.tok = filterToken{kind: 's', lit: b.String(), pos: begin}
		return nil
	}
	return p.fail(begin)
}

func classify(word string, pos int) filterToken {
	t := filterToken{kind: 'l', text: word, pos: pos}
	switch strings.ToLower(word) {
	case "true", "false":
		t.lit = strings.EqualFold(word, "true")
		return t
	case "null":
		return t
	}
	if when, ok := parseTime(word); ok {
		t.lit = when
		return t
	}
	if n, err := strconv.ParseFloat(word, 64); err == nil && (word[0] == '-' || word[0] >= '0' && word[0] <= '9') {
		t.lit = n
		return t
	}
	if isGUID(word) {
		t.lit = word
		return t
	}
	t.kind = 'w'
	return t
}

// parseTime reads a date or a time as OData writes them.
func parseTime(word string) (time.Time, bool) {
	if len(word) < 10 || word[0] < '0' || word[0] > '9' {
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02"} {
		if t, err := time.Parse(layout, strings.ToUpper(word)); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func isGUID(word string) bool {
	if len(word) != 36 {
		return false
	}
	for i := 0; i < 36; i++ {
		c := word[i]
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
		if dash != (c == '-') || !dash && !hex {
			return false
		}
	}
	return true
}

func (p *filterParser) word(w string) bool {
	return p.tok.kind == 'w' && strings.EqualFold(p.tok.text, w)
}

func (p *filterParser) expect(kind byte) error {
	if p.tok.kind != kind {
		return p.fail(p.tok.pos)
	}
	return p.next()
}

func (p *filterParser) or() (*filter, error)  { return p.chain("or", p.and) }
func (p *filterParser) and() (*filter, error) { return p.chain("and", p.not) }

func (p *filterParser) chain(op string, below func() (*filter, error)) (*filter, error) {
	first, err := below()
	if err != nil || !p.word(op) {
		return first, err
	}
	f := &filter{op: op, args: []*filter{first}, pos: first.pos}
	for p.word(op) {
		if err := p.next(); err != nil {
			return nil, err
		}
		more, err := below()
		if err != nil {
			return nil, err
		}
		f.args = append(f.args, more)
	}
	return f, nil
}

func (p *filterParser) not() (*filter, error) {
	if p.depth++; p.depth > maxFilterDepth {
		return nil, badRequest("Invalid filter clause: it is nested more than %d deep.", maxFilterDepth)
	}
	defer func() { p.depth-- }()
	pos := p.tok.pos
	if p.word("not") {
		if err := p.next(); err != nil {
			return nil, err
		}
		inner, err := p.not()
		if err != nil {
			return nil, err
		}
		return &filter{op: "not", args: []*filter{inner}, pos: pos}, nil
	}
	if p.tok.kind == '(' {
		if err := p.next(); err != nil {
			return nil, err
		}
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(')')
	}
	return p.comparison()
}

func (p *filterParser) comparison() (*filter, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	switch left.op {
	case "startswith", "endswith", "contains":
		// Graph lets the result be compared with true.
		if p.word("eq") {
			if err := p.next(); err != nil {
				return nil, err
			}
			if p.tok.lit != true {
				return nil, p.fail(p.tok.pos)
			}
			return left, p.next()
		}
		return left, nil
	case "any":
		return left, nil
	}
	op := strings.ToLower(p.tok.text)
	if p.tok.kind != 'w' || !strings.Contains(" eq ne gt ge lt le in ", " "+op+" ") {
		return nil, p.fail(p.tok.pos)
	}
	f := &filter{op: op, args: []*filter{left}, pos: left.pos}
	if err := p.next(); err != nil {
		return nil, err
	}
	if op != "in" {
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		f.args = append(f.args, right)
		return f, nil
	}
	if err := p.expect('('); err != nil {
		return nil, err
	}
	for {
		item, err := p.operand()
		if err != nil {
			return nil, err
		}
		if item.op != "literal" {
			return nil, p.fail(item.pos)
		}
		f.args = append(f.args, item)
		if p.tok.kind != ',' {
			return f, p.expect(')')
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
}

// operand reads a literal, a path, a function, or any() behind a path.
func (p *filterParser) operand() (*filter, error) {
	if p.depth++; p.depth > maxFilterDepth {
		return nil, badRequest("Invalid filter clause: it is nested more than %d deep.", maxFilterDepth)
	}
	defer func() { p.depth-- }()
	t := p.tok
	switch t.kind {
	case 'l', 's':
		return &filter{op: "literal", lit: t.lit, pos: t.pos}, p.next()
	case 'w':
	default:
		return nil, p.fail(t.pos)
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.tok.kind != '(' {
		return &filter{op: "path", path: t.text, pos: t.pos}, nil
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	name := strings.ToLower(t.text)
	if path, ok := strings.CutSuffix(name, "/any"); ok {
		return p.any(t.text[:len(path)], t.pos)
	}
	f := &filter{op: name, pos: t.pos}
	want := 2
	switch name {
	case "startswith", "endswith", "contains":
	case "tolower":
		f.op, want = "lower", 1
	default:
		return nil, badRequest("Invalid filter clause: the function '%s' at position %d is not supported.", t.text, t.pos)
	}
	for i := range want {
		if i > 0 {
			if err := p.expect(','); err != nil {
				return nil, err
			}
		}
		arg, err := p.operand()
		if err != nil {
			return nil, err
		}
		f.args = append(f.args, arg)
	}
	if want == 2 {
		if _, text := f.args[1].lit.(string); f.args[1].op != "literal" || !text {
			return nil, p.fail(f.args[1].pos)
		}
	}
	return f, p.expect(')')
}

func (p *filterParser) any(path string, pos int) (*filter, error) {
	f := &filter{op: "any", path: path, pos: pos}
	if p.tok.kind == ')' { // any() alone: not empty
		return f, p.next()
	}
	if p.tok.kind != 'w' || strings.Contains(p.tok.text, "/") {
		return nil, p.fail(p.tok.pos)
	}
	f.name = p.tok.text
	if err := p.next(); err != nil {
		return nil, err
	}
	if err := p.expect(':'); err != nil {
		return nil, err
	}
	inner, err := p.or()
	if err != nil {
		return nil, err
	}
	f.args = []*filter{inner}
	return f, p.expect(')')
}

// walk calls visit with every node until it returns an error.
func (f *filter) walk(visit func(*filter) error) error {
	if err := visit(f); err != nil {
		return err
	}
	for _, a := range f.args {
		if err := a.walk(visit); err != nil {
			return err
		}
	}
	return nil
}

// conjuncts are the parts that must all hold.
func (f *filter) conjuncts() []*filter {
	if f == nil {
		return nil
	}
	if f.op != "and" {
		return []*filter{f}
	}
	var list []*filter
	for _, a := range f.args {
		list = append(list, a.conjuncts()...)
	}
	return list
}
