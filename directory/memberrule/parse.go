package memberrule

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// deepest is how many parentheses and negations may stand within each other.
const deepest = 100

// Parse reads a rule; the error is an *Error.
func Parse(rule string) (*Rule, error) {
	tokens, bad := lex(rule)
	if bad != nil {
		return nil, bad
	}
	p := &parser{tokens: tokens}
	r := &Rule{}
	if p.reports() {
		r.manager = p.tokens[3].text
		return r, p.guid(p.tokens[3])
	}
	r.root = p.or()
	if t := p.peek(); p.bad == nil && t.kind != end {
		p.fail(t, "-and, -or or the end of the rule is expected, not "+t.shown())
	}
	if p.bad != nil {
		return nil, p.bad
	}
	return r, nil
}

type parser struct {
	tokens []token
	next   int
	depth  int
	items  bool // within -any or -all, where only the underscore is compared
	bad    *Error
}

func (p *parser) peek() token { return p.tokens[p.next] }

func (p *parser) take() token {
	t := p.tokens[p.next]
	if t.kind != end {
		p.next++
	}
	return t
}

// fail keeps the first thing that is wrong.
func (p *parser) fail(at token, message string) {
	if p.bad == nil {
		p.bad = &Error{at.column, message}
	}
}

// is reports whether the next token is an operator of that name, with or without its hyphen.
func (p *parser) is(operator string) bool {
	t := p.peek()
	return (t.kind == dashed || t.kind == word) && strings.EqualFold(t.text, operator)
}

func (p *parser) sign(text string) bool {
	if t := p.peek(); t.kind == sign && t.text == text {
		p.next++
		return true
	}
	return false
}

// reports recognizes Direct Reports for "id", which stands alone.
func (p *parser) reports() bool {
	if len(p.tokens) != 5 || p.tokens[3].kind != quoted {
		return false
	}
	for i, w := range []string{"direct", "reports", "for"} {
		if t := p.tokens[i]; t.kind != word || !strings.EqualFold(t.text, w) {
			return false
		}
	}
	return true
}

var guid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

func (p *parser) guid(t token) error {
	if guid.MatchString(t.text) {
		return nil
	}
	return &Error{t.column, "the object id of a manager is expected, not " + t.shown()}
}

func (p *parser) or() node {
	x := p.and()
	for p.bad == nil && p.is("or") {
		p.take()
		x = either{x, p.and()}
	}
	return x
}

func (p *parser) and() node {
	x := p.not()
	for p.bad == nil && p.is("and") {
		p.take()
		x = both{x, p.not()}
	}
	return x
}

func (p *parser) not() node {
	t := p.peek()
	if p.depth++; p.depth > deepest {
		p.fail(t, "the rule is nested too deeply")
		return nil
	}
	defer func() { p.depth-- }()
	switch {
	case p.is("not"):
		p.take()
		return not{p.not()}
	case p.sign("("):
		x := p.or()
		if p.bad == nil && !p.sign(")") {
			p.fail(p.peek(), ") is expected for the ( of column "+strconv.Itoa(t.column)+", not "+p.peek().shown())
		}
		return x
	}
	return p.compare()
}

// compare reads property, operator and value.
func (p *parser) compare() node {
	t := p.take()
	if t.kind != word {
		p.fail(t, "a property is expected, such as user.department, not "+t.shown())
		return nil
	}
	if strings.EqualFold(t.text, "direct") {
		p.fail(t, `Direct Reports for "object id of the manager" stands alone in a rule`)
		return nil
	}
	of, problem := propertyOf(t.text)
	switch {
	case problem != "":
		p.fail(t, problem)
		return nil
	case of.kind == item && !p.items:
		p.fail(t, "the underscore stands for an item behind -any or -all only")
		return nil
	case of.kind != item && p.items:
		p.fail(t, "the underscore is expected behind -any and -all, which compare the items of a list")
		return nil
	case p.is("any"), p.is("all"):
		return p.each(of)
	}
	return p.operation(of)
}

// each reads -any or -all with what it asks about the items.
func (p *parser) each(of property) node {
	t := p.take()
	if of.kind != list {
		p.fail(t, "-"+strings.ToLower(t.text)+" goes with a list, such as user.proxyAddresses, which user."+of.name+" is not")
		return nil
	}
	p.items = true
	defer func() { p.items = false }()
	n := items{of: of, all: strings.EqualFold(t.text, "all")}
	if n.x = p.not(); p.bad != nil {
		return nil
	}
	return n
}

// operators of each kind of property, without their negations.
var operators = map[kind]string{
	text: "eq startswith endswith contains match in", item: "eq startswith endswith contains match in",
	list: "eq startswith endswith contains match in", flag: "eq", moment: "eq le ge",
}

func (p *parser) operation(of property) node {
	t := p.take()
	n := test{of: of, op: strings.ToLower(t.text)}
	if t.kind != dashed && t.kind != word {
		p.fail(t, "an operator is expected, such as -eq, not "+t.shown())
		return nil
	}
	if n.op == "ne" {
		n.op, n.negated = "eq", true
	} else if rest, ok := strings.CutPrefix(n.op, "not"); ok && rest != "" {
		n.op, n.negated = rest, true
	}
	known := false
	for op := range strings.FieldsSeq(operators[of.kind]) {
		known = known || op == n.op && !(n.negated && (op == "le" || op == "ge"))
	}
	if !known {
		p.fail(t, t.shown()+" is no operator for "+of.shown())
		return nil
	}
	p.value(&n)
	return n
}

func (p property) shown() string {
	if p.kind == item {
		return "the underscore"
	}
	return "user." + p.name
}

// value reads what a property is compared with.
func (p *parser) value(n *test) {
	if n.op == "in" {
		p.values(n)
		return
	}
	t := p.take()
	literal := strings.ToLower(strings.TrimPrefix(t.text, "$"))
	switch {
	case t.kind == word && literal == "null":
		if n.value.null = true; n.op != "eq" {
			p.fail(t, "null goes with -eq and -ne only")
		}
	case t.kind != word && t.kind != quoted:
		p.fail(t, "a value is expected, not "+t.shown())
	case n.of.kind == flag:
		if n.value.flag = literal == "true"; t.kind != word || literal != "true" && literal != "false" {
			p.fail(t, n.of.shown()+" is true or false, without quotes, not "+t.shown())
		}
	case n.of.kind == moment:
		p.moment(n, t)
	case t.kind == word && !number(t.text):
		p.fail(t, "put a text into double quotes: "+strconv.Quote(t.text))
	case t.text == "":
		p.fail(t, "an empty text is no value; compare with null")
	case n.op == "match":
		_, err := regexp.Compile(t.text) // first, for its words
		if err == nil {
			n.value.pattern, err = regexp.Compile("(?i:" + t.text + ")")
		}
		if err != nil {
			p.fail(t, "the pattern can't be read: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
	default:
		n.value.text = strings.ToLower(t.text)
	}
}

func (p *parser) moment(n *test, t token) {
	if strings.EqualFold(t.text, "system.now") {
		p.fail(t, "system.now is not evaluated here: members change with users, not with time")
		return
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02"} {
		if at, err := time.Parse(layout, t.text); err == nil {
			n.value.moment = at
			return
		}
	}
	p.fail(t, "a date is expected, such as 2020-06-10T18:13:20Z, not "+t.shown())
}

// values reads the list behind -in: texts or numbers in brackets.
func (p *parser) values(n *test) {
	if !p.sign("[") {
		p.fail(p.peek(), "a list is expected, such as [\"a\",\"b\"], not "+p.peek().shown())
		return
	}
	for {
		t := p.take()
		if t.kind != quoted && !(t.kind == word && number(t.text)) || t.text == "" {
			p.fail(t, "a text in double quotes is expected, not "+t.shown())
			return
		}
		n.value.texts = append(n.value.texts, strings.ToLower(t.text))
		switch {
		case p.sign("]"):
			return
		case p.sign(","):
		default:
			p.fail(p.peek(), ", or ] is expected, not "+p.peek().shown())
			return
		}
	}
}

func number(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}
