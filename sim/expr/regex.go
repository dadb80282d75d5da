package expr

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dlclark/regexp2"

	"entrasim/sim/expr/dotnet"
)

// Limits of regular expressions, which in .NET's dialect can take exponential time.
const (
	maxMatchTime   = time.Second     // of one match
	maxPatternTime = 2 * time.Second // of all matches of one evaluation
	maxMatchText   = 1 << 16         // bytes of the text that is searched
)

// pattern is a compiled regular expression.
type pattern struct {
	source string
	re     *regexp2.Regexp
}

func compilePattern(source string) (*pattern, error) {
	translated, err := dotnet.Pattern(source)
	if err != nil {
		return nil, err
	}
	re, err := regexp2.Compile(translated, regexp2.None)
	if err != nil {
		// "error parsing regexp: missing closing ) in `(a`": the pattern is shown already
		message := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		if i := strings.LastIndex(message, " in `"); i > 0 {
			message = message[:i]
		}
		return nil, fmt.Errorf("%s", message)
	}
	re.MatchTimeout = maxMatchTime
	return &pattern{source, re}, nil
}

// group finds a group by name or number; -1: there is none.
func (p *pattern) group(name string) int { return p.re.GroupNumberFromName(name) }

func noGroup(name string, p *pattern) string {
	names := p.re.GetGroupNames()
	return fmt.Sprintf("the pattern has no group %s; it has %s", Quote(short(name)), strings.Join(names, ", "))
}

// pattern compiles the pattern of an argument that is a constant; nil when it is none.
func (b building) pattern(i int) (*pattern, *Error) {
	source, ok := b.constant(i)
	if !ok {
		return nil, nil
	}
	p, err := compilePattern(source)
	if err != nil {
		return nil, b.fail(ErrRegex, b.node.Args[i], "the regular expression is not valid in .NET: %v", err)
	}
	return p, nil
}

// recentPattern keeps the pattern of a call: compiled with the expression, or, where the pattern is computed, the one that
// was used last.
type recentPattern struct {
	fixed *pattern
	last  atomic.Pointer[pattern]
}

// compiled is the pattern of this evaluation.
func (c call) compiled(recent *recentPattern) (*pattern, *Error) {
	if recent.fixed != nil {
		return recent.fixed, nil
	}
	if c.args[replacePattern].IsNull() {
		return nil, c.failAt(replacePattern, ErrRegex, "regexPattern is null; expected a regular expression")
	}
	source := c.text(replacePattern)
	if p := recent.last.Load(); p != nil && p.source == source {
		return p, nil
	}
	if len(source) > MaxLength {
		return nil, c.failAt(replacePattern, ErrRegex, "the regular expression is longer than %d characters", MaxLength)
	}
	p, err := compilePattern(source)
	if err != nil {
		return nil, c.failAt(replacePattern, ErrRegex, "the regular expression %s is not valid in .NET: %v", describe(c.args[replacePattern]), err)
	}
	recent.last.Store(p)
	return p, nil
}

// match is one match of a pattern.
type match struct {
	m     *regexp2.Match
	input []rune
}

func (m match) has(group int) bool {
	g := m.m.GroupByNumber(group)
	return g != nil && len(g.Captures) > 0
}

func (m match) text(group int) string {
	if !m.has(group) {
		return ""
	}
	return m.m.GroupByNumber(group).String()
}

// around is what of the match lies before and behind a group; ok is false when the group took no part, or lies outside of
// the match, as one in a look-around can.
func (m match) around(group int) (before, after string, ok bool) {
	if !m.has(group) {
		return "", "", false
	}
	g := m.m.GroupByNumber(group)
	from, to := m.m.Index, m.m.Index+m.m.Length
	if g.Index < from || g.Index+g.Length > to {
		return "", "", false
	}
	return string(m.input[from:g.Index]), string(m.input[g.Index+g.Length : to]), true
}

// first is the first match in a text; its m is nil when there is none.
func (c call) first(p *pattern, text string) (match, *Error) {
	if len(text) > maxMatchText {
		return match{}, c.fail(ErrTooLong, "the text has %d bytes; a regular expression searches at most %d", len(text), maxMatchText)
	}
	input := []rune(text)
	m, bad := c.timed(func() (*regexp2.Match, error) { return p.re.FindRunesMatch(input) })
	return match{m, input}, bad
}

func (c call) next(p *pattern, m match) (match, *Error) {
	found, bad := c.timed(func() (*regexp2.Match, error) { return p.re.FindNextMatch(m.m) })
	return match{found, m.input}, bad
}

// timed searches within the time that is left. The time is the machine's, not the simulation's: it bounds work, and no
// result depends on it but the error.
func (c call) timed(search func() (*regexp2.Match, error)) (*regexp2.Match, *Error) {
	began := time.Now()
	if c.env.state.regex.IsZero() {
		c.env.state.regex = began
	}
	if began.Sub(c.env.state.regex) > maxPatternTime {
		return nil, c.failAt(replacePattern, ErrRegex, "the regular expressions took longer than %s", maxPatternTime)
	}
	m, err := search()
	if err != nil { // the library has no other error while matching
		return nil, c.failAt(replacePattern, ErrRegex, "the regular expression took longer than %s; make it less ambiguous: a repetition inside of a repetition is the usual cause", maxMatchTime)
	}
	return m, nil
}

// rewrite copies the source, with write in place of each match.
func (c call) rewrite(p *pattern, write func(match, *strings.Builder) *Error) (Value, *Error) {
	source := c.text(replaceSource)
	m, bad := c.first(p, source)
	if bad != nil {
		return Null, bad
	}
	if m.m == nil {
		return String(source), nil
	}
	var out strings.Builder
	done := 0
	for m.m != nil {
		out.WriteString(string(m.input[done:m.m.Index]))
		if bad := write(m, &out); bad != nil {
			return Null, bad
		}
		done = m.m.Index + m.m.Length
		if m, bad = c.next(p, m); bad != nil {
			return Null, bad
		}
	}
	out.WriteString(string(m.input[done:]))
	return String(out.String()), nil
}

// part is a piece of a replacement: literal text, a group, or one of the other things that $ stands for.
type part struct {
	literal string
	group   int  // -1: none
	verb    byte // & ` ' + _ ; 0: none
}

func (m match) part(p part) string {
	switch {
	case p.group >= 0:
		return m.text(p.group)
	case p.verb == 0:
		return p.literal
	}
	switch p.verb {
	case '&':
		return m.text(0)
	case '`':
		return string(m.input[:m.m.Index])
	case '\'':
		return string(m.input[m.m.Index+m.m.Length:])
	case '_':
		return string(m.input)
	}
	groups := m.m.Groups() // $+, the last group
	return groups[len(groups)-1].String()
}

// replacement reads the replacement patterns of .NET: $1, ${1}, ${name}, $$, $&, $` , $', $+ and $_. A group that the
// pattern does not have is literal text.
func (p *pattern) replacement(s string) []part {
	var parts []part
	literal := func(text string) {
		if n := len(parts); n > 0 && parts[n-1].group < 0 && parts[n-1].verb == 0 {
			parts[n-1].literal += text
			return
		}
		parts = append(parts, part{literal: text, group: -1})
	}
	for {
		text, rest, found := strings.Cut(s, "$")
		if text != "" {
			literal(text)
		}
		if !found {
			return parts
		}
		one, size := p.dollar(rest)
		if size == 0 {
			literal("$")
		} else if one.group < 0 && one.verb == 0 {
			literal(one.literal)
		} else {
			parts = append(parts, one)
		}
		s = rest[size:]
	}
}

// dollar reads what stands behind a $; size is 0 when it means nothing.
func (p *pattern) dollar(s string) (one part, size int) {
	if s == "" {
		return one, 0
	}
	switch c := s[0]; {
	case c == '$':
		return part{literal: "$", group: -1}, 1
	case strings.IndexByte("&`'+_", c) >= 0:
		return part{group: -1, verb: c}, 1
	case c == '{':
		name, _, closed := strings.Cut(s[1:], "}")
		if !closed || name == "" {
			return one, 0
		}
		if n := p.group(name); n >= 0 {
			return part{group: n}, len(name) + 2
		}
	case c >= '0' && c <= '9':
		end := 1
		for end < len(s) && end < 9 && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		n, err := strconv.Atoi(s[:end])
		if err == nil && slices.Contains(p.re.GetGroupNumbers(), n) {
			return part{group: n}, end
		}
	}
	return one, 0
}
