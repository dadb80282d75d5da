package target

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The grammar of filters and paths (RFC 7644 § 3.4.2.2 and 3.5.2). It is small, and the library for it reads no escapes in
// values, no filtered sub-attribute such as emails[type eq "work"].value in a filter, and takes longer than the rest of a
// request; the tests compare the two.

// maxFilter bounds the length of a filter or path in bytes, maxDepth how deep it may nest.
const (
	maxFilter = 16 << 10
	maxDepth  = 50
)

// path is an attribute path as it is written: name, name.sub, or either behind a URN and a colon.
type attrPath struct{ urn, name, sub string }

func (p attrPath) String() string {
	s := p.name
	if p.urn != "" {
		s = p.urn + ":" + s
	}
	if p.sub != "" {
		s += "." + p.sub
	}
	return s
}

// node is a filter expression: and, or (left, right), not (left), has (path, left: a value of path that matches), or one of
// the comparison operators (path, value).
type node struct {
	op          string
	path        attrPath
	value       any // string, bool, json.Number or nil
	left, right *node
}

var comparisons = map[string]bool{"eq": true, "ne": true, "co": true, "sw": true, "ew": true, "gt": true, "ge": true, "lt": true, "le": true}

// reader reads a filter or a path from left to right.
type reader struct {
	text  string
	pos   int
	depth int
}

func (r *reader) wrong(format string, args ...any) error {
	return fmt.Errorf("at character %d: %s", len([]rune(r.text[:r.pos]))+1, fmt.Sprintf(format, args...))
}

// parseFilter reads a filter; the error is a scimError of type invalidFilter.
func parseFilter(text string) (*node, error) {
	if len(text) > maxFilter {
		return nil, bad("invalidFilter", "the filter is longer than %d bytes", maxFilter)
	}
	if !utf8.ValidString(text) {
		return nil, bad("invalidFilter", "the filter is no UTF-8")
	}
	r := &reader{text: text}
	n, err := r.or()
	if err == nil {
		if r.blanks(); r.pos < len(text) {
			err = r.wrong("expected and, or, or the end, not %q", r.rest())
		}
	}
	if err != nil {
		return nil, bad("invalidFilter", "the filter %s can't be read %v", text, err)
	}
	return n, nil
}

// parsePath reads the path of a PATCH operation: an attribute, the filter that stands behind it in brackets, and the
// sub-attribute behind that. The error is a scimError of type invalidPath.
func parsePath(text string) (p attrPath, filter *node, sub string, err error) {
	if len(text) > maxFilter {
		return p, nil, "", bad("invalidPath", "the path is longer than %d bytes", maxFilter)
	}
	if !utf8.ValidString(text) {
		return p, nil, "", bad("invalidPath", "the path is no UTF-8")
	}
	r := &reader{text: text}
	if p, err = r.path(); err == nil && r.take('[') {
		if filter, err = r.inBrackets(); err == nil && r.take('.') {
			if sub = r.word(); !attrName(sub) {
				err = r.wrong("expected a sub-attribute behind the brackets")
			}
		}
	}
	if err == nil && r.pos < len(text) {
		err = r.wrong("expected the end, not %q", r.rest())
	}
	if err != nil {
		return p, nil, "", bad("invalidPath", "the path %s can't be read %v", text, err)
	}
	return p, filter, sub, nil
}

func (r *reader) rest() string {
	s := r.text[r.pos:]
	if len(s) > 20 {
		s = s[:20] + "…"
	}
	return strings.ToValidUTF8(s, "…")
}

func (r *reader) blanks() (any bool) {
	for r.pos < len(r.text) && r.text[r.pos] == ' ' {
		r.pos++
		any = true
	}
	return any
}

func (r *reader) take(c byte) bool {
	if r.pos < len(r.text) && r.text[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

// word reads up to a blank, bracket, parenthesis or quote.
func (r *reader) word() string {
	from := r.pos
	for r.pos < len(r.text) && !strings.ContainsRune(` ()[]"`, rune(r.text[r.pos])) {
		r.pos++
	}
	return r.text[from:r.pos]
}

// keyword takes a word when it is there, without regard to case, with a blank or a parenthesis behind it.
func (r *reader) keyword(word string) bool {
	end := r.pos + len(word)
	if end >= len(r.text) || !strings.EqualFold(r.text[r.pos:end], word) || r.text[end] != ' ' && r.text[end] != '(' {
		return false
	}
	r.pos = end
	return true
}

func (r *reader) or() (*node, error) {
	left, err := r.and()
	for err == nil {
		at := r.pos
		if !r.blanks() || !r.keyword("or") {
			r.pos = at
			return left, nil
		}
		var right *node
		if right, err = r.and(); err == nil {
			left = &node{op: "or", left: left, right: right}
		}
	}
	return nil, err
}

func (r *reader) and() (*node, error) {
	left, err := r.term()
	for err == nil {
		at := r.pos
		if !r.blanks() || !r.keyword("and") {
			r.pos = at
			return left, nil
		}
		var right *node
		if right, err = r.term(); err == nil {
			left = &node{op: "and", left: left, right: right}
		}
	}
	return nil, err
}

func (r *reader) term() (*node, error) {
	r.blanks()
	not := r.keyword("not")
	if not {
		r.blanks()
	}
	if r.take('(') {
		if r.depth++; r.depth > maxDepth {
			return nil, r.wrong("it nests deeper than %d", maxDepth)
		}
		n, err := r.or()
		if err != nil {
			return nil, err
		}
		if r.blanks(); !r.take(')') {
			return nil, r.wrong("expected )")
		}
		r.depth--
		if not {
			n = &node{op: "not", left: n}
		}
		return n, nil
	}
	if not {
		return nil, r.wrong("expected ( behind not")
	}
	return r.comparison()
}

// comparison reads an attribute with its operator and value, or with a filter in brackets. A sub-attribute compared behind
// the brackets, emails[type eq "work"].value eq "…", is one more condition on the same value.
func (r *reader) comparison() (*node, error) {
	p, err := r.path()
	if err != nil {
		return nil, err
	}
	if !r.take('[') {
		return r.operator(p)
	}
	inner, err := r.inBrackets()
	if err != nil {
		return nil, err
	}
	if r.take('.') {
		sub := r.word()
		if !attrName(sub) {
			return nil, r.wrong("expected a sub-attribute behind the brackets")
		}
		more, err := r.operator(attrPath{name: sub})
		if err != nil {
			return nil, err
		}
		inner = &node{op: "and", left: inner, right: more}
	}
	return &node{op: "has", path: p, left: inner}, nil
}

func (r *reader) inBrackets() (*node, error) {
	if r.depth++; r.depth > maxDepth {
		return nil, r.wrong("it nests deeper than %d", maxDepth)
	}
	n, err := r.or()
	if err != nil {
		return nil, err
	}
	if r.blanks(); !r.take(']') {
		return nil, r.wrong("expected ]")
	}
	r.depth--
	return n, nil
}

func (r *reader) operator(p attrPath) (*node, error) {
	if !r.blanks() {
		return nil, r.wrong("expected a blank and an operator behind %s", p)
	}
	at := r.pos
	op := strings.ToLower(r.word())
	if op == "pr" {
		return &node{op: op, path: p}, nil
	}
	if !comparisons[op] {
		r.pos = at
		return nil, r.wrong("expected eq, ne, co, sw, ew, gt, ge, lt, le or pr, not %q", r.rest())
	}
	if !r.blanks() {
		return nil, r.wrong("expected a blank and a value behind %s", op)
	}
	v, err := r.value()
	return &node{op: op, path: p, value: v}, err
}

// value reads a JSON string, number, true, false or null.
func (r *reader) value() (any, error) {
	if r.pos < len(r.text) && r.text[r.pos] == '"' {
		from := r.pos
		for i := from + 1; i < len(r.text); i++ {
			switch r.text[i] {
			case '\\':
				i++
			case '"':
				r.pos = i + 1
				var s string
				if json.Unmarshal([]byte(r.text[from:r.pos]), &s) != nil {
					r.pos = from
					return nil, r.wrong("%s is no JSON string", r.text[from:i+1])
				}
				return s, nil
			}
		}
		return nil, r.wrong("the value does not end")
	}
	at := r.pos
	switch w := r.word(); strings.ToLower(w) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	default:
		var n json.Number
		if json.Unmarshal([]byte(w), &n) == nil && w != "" {
			return n, nil
		}
		r.pos = at
		return nil, r.wrong("expected a value in quotes, a number, true, false or null, not %q", r.rest())
	}
}

// path reads an attribute path. What stands behind the last colon is name and sub-attribute.
func (r *reader) path() (attrPath, error) {
	at := r.pos
	w := r.word()
	var p attrPath
	rest := w
	if i := strings.LastIndexByte(w, ':'); i >= 0 {
		p.urn, rest = w[:i], w[i+1:]
		if !isURN(p.urn + ":") {
			r.pos = at
			return p, r.wrong("%q is no URN", p.urn)
		}
	}
	p.name, p.sub, _ = strings.Cut(rest, ".")
	if !attrName(p.name) || strings.HasSuffix(rest, ".") {
		r.pos = at
		return p, r.wrong("expected an attribute, not %q", r.rest())
	}
	for _, sub := range strings.Split(p.sub, ".") {
		if p.sub != "" && !attrName(sub) {
			r.pos = at
			return p, r.wrong("%q is no sub-attribute", p.sub)
		}
	}
	return p, nil
}

// attrName reports whether a name is one (RFC 7643 § 2.1): a letter, then letters, digits, hyphens and underscores; $ref too.
func attrName(s string) bool {
	s = strings.TrimPrefix(s, "$")
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if c >= 'a' && c <= 'z' || i > 0 && (s[i] == '-' || s[i] == '_' || s[i] >= '0' && s[i] <= '9') {
			continue
		}
		return false
	}
	return s != ""
}

// String writes the expression so that it reads as the same again.
func (n *node) String() string {
	switch n.op {
	case "and", "or":
		return "(" + n.left.String() + " " + n.op + " " + n.right.String() + ")"
	case "not":
		return "not (" + n.left.String() + ")"
	case "has":
		return n.path.String() + "[" + n.left.String() + "]"
	case "pr":
		return n.path.String() + " pr"
	}
	return n.path.String() + " " + n.op + " " + string(appendJSON(nil, n.value))
}
