// Package memberrule is the language of the rules by which dynamic membership groups find their members
// (users/groups-dynamic-membership.md): Parse reads a rule, Match tells whether a user satisfies it.
//
// It knows users only by their properties and nothing of groups, files or time. What the language has and this directory
// does not hold, such as devices, service plans and the present moment, is refused with its place. Start reading at Parse,
// then property.go for what a rule may name.
package memberrule

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Subject is a user: its properties by their Graph names, nil when one is not set.
type Subject interface {
	Get(name string) (value any, known bool)
}

// Rule is a rule that was read. It is safe for concurrent use.
type Rule struct {
	root    node
	manager string
}

// Manager is the object id of the manager whose direct reports the rule is about, "" for any other rule.
func (r *Rule) Manager() string { return r.manager }

// Match tells whether a user satisfies the rule. Of direct reports it is not asked: see Manager.
func (r *Rule) Match(s Subject) bool { return r.root != nil && r.root.match(env{subject: s}) }

// Error says what is wrong with a rule, and where.
type Error struct {
	Column  int // in characters, from 1
	Message string
}

// Error is the place and the message.
func (e *Error) Error() string { return fmt.Sprintf("Column %d: %s", e.Column, e.Message) }

// env is what a part of a rule is asked about: a user, and within -any and -all one item of a list.
type env struct {
	subject Subject
	item    string
}

type node interface{ match(env) bool }

type (
	both   struct{ a, b node }
	either struct{ a, b node }
	not    struct{ x node }
	// items asks about each item of a list: at least one, or all of them; of none, all satisfy.
	items struct {
		of  property
		all bool
		x   node
	}
	// test compares one property with a value.
	test struct {
		of      property
		op      string // without its negation
		negated bool
		value   value
	}
)

func (n both) match(e env) bool   { return n.a.match(e) && n.b.match(e) }
func (n either) match(e env) bool { return n.a.match(e) || n.b.match(e) }
func (n not) match(e env) bool    { return !n.x.match(e) }

func (n items) match(e env) bool {
	for _, item := range n.of.list(e) {
		if n.x.match(env{e.subject, item}) != n.all {
			return !n.all
		}
	}
	return n.all
}

// value is what stands behind an operator.
type value struct {
	null    bool
	text    string // in lower case
	texts   []string
	flag    bool
	moment  time.Time
	pattern *regexp.Regexp
}

// match compares. An operator with not is true exactly where the one without is false, also of a property without a value.
func (n test) match(e env) bool { return n.holds(e) != n.negated }

func (n test) holds(e env) bool {
	switch n.of.kind {
	case list:
		all := n.of.list(e)
		if n.value.null {
			return len(all) == 0
		}
		for _, text := range all {
			if n.text(text) {
				return true
			}
		}
		return false
	case flag:
		v, set := n.of.get(e).(bool)
		if n.value.null {
			return !set
		}
		return set && v == n.value.flag
	case moment:
		at, set := n.of.get(e).(time.Time)
		switch {
		case n.value.null:
			return !set
		case !set:
			return false
		case n.op == "le":
			return !at.After(n.value.moment)
		case n.op == "ge":
			return !at.Before(n.value.moment)
		}
		return at.Equal(n.value.moment)
	}
	v := n.of.text(e)
	if n.value.null {
		return v == ""
	}
	return v != "" && n.text(v)
}

// text compares a text, without regard to case.
func (n test) text(v string) bool {
	if n.op == "match" {
		return n.value.pattern.MatchString(v)
	}
	v = strings.ToLower(v)
	switch n.op {
	case "eq":
		return v == n.value.text
	case "startswith":
		return strings.HasPrefix(v, n.value.text)
	case "endswith":
		return strings.HasSuffix(v, n.value.text)
	case "contains":
		return strings.Contains(v, n.value.text)
	}
	for _, text := range n.value.texts { // in
		if v == text {
			return true
		}
	}
	return false
}
