package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"entrasim/sim/mapping"
	"entrasim/sim/target"
)

// Pos is a place in a file, counted from 1; columns are characters.
type Pos struct{ Line, Column int }

// posOf is where a node begins.
func posOf(n *yaml.Node) Pos { return Pos{n.Line, n.Column} }

// Entry is one name of a Map with its value.
type Entry[T any] struct {
	Key   string
	At    Pos
	Value T
}

// Map is a YAML mapping whose order counts.
type Map[T any] []Entry[T]

// Get returns the value of a name.
func (m Map[T]) Get(key string) (v T, ok bool) {
	for _, e := range m {
		if e.Key == key {
			return e.Value, true
		}
	}
	return v, false
}

func (m *Map[T]) decode(d *decoder, n *yaml.Node) {
	if isNull(n) {
		return
	}
	if !d.want(n, yaml.MappingNode, "a table") {
		return
	}
	*m = Map[T]{}
	d.pairs(n, func(k, v *yaml.Node) {
		e := Entry[T]{Key: k.Value, At: posOf(k)}
		d.decode(v, &e.Value)
		*m = append(*m, e)
	})
}

func (*Map[T]) schema(s *schemaWriter) map[string]any {
	var v T
	return map[string]any{"type": []any{"object", "null"}, "additionalProperties": s.of(&v)}
}

// Value is any value of YAML.
type Value struct {
	At   Pos
	Set  bool
	Data any // nil, bool, int, float64, string, []any or map[string]any

	node *yaml.Node
}

func (v *Value) decode(d *decoder, n *yaml.Node) {
	*v = Value{At: posOf(n), Set: true, Data: d.any(n), node: n}
}

func (*Value) schema(*schemaWriter) map[string]any { return map[string]any{} }

// Handle is the name that a file gives an object.
type Handle struct {
	At   Pos
	Name string
}

func (h *Handle) decode(d *decoder, n *yaml.Node) {
	h.At = posOf(n)
	d.decode(n, &h.Name)
}

func (*Handle) schema(*schemaWriter) map[string]any { return map[string]any{"type": "string"} }

// RuleID is the id of a rule, a transition or a feature of the rules room: S-074, T7, F-043.
type RuleID struct {
	At Pos
	ID string
}

func (r *RuleID) decode(d *decoder, n *yaml.Node) {
	r.At = posOf(n)
	d.decode(n, &r.ID)
}

func (*RuleID) schema(*schemaWriter) map[string]any {
	return map[string]any{"type": "string", "pattern": "^([SWF]-[0-9]{3}|T[0-9]+)$"}
}

// Grant is an assignment: a handle, and maybe a role of the application.
type Grant struct {
	Handle
	Role string // "" is the role that Add user/group gives when none is chosen
}

func (g *Grant) decode(d *decoder, n *yaml.Node) {
	g.At = posOf(n)
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		d.decode(n.Content[0], &g.Name)
		d.decode(n.Content[1], &g.Role)
		return
	}
	d.decode(n, &g.Name)
}

func (*Grant) schema(*schemaWriter) map[string]any {
	return map[string]any{"anyOf": []any{map[string]any{"type": "string"}, map[string]any{"type": "object", "minProperties": 1, "additionalProperties": map[string]any{"type": "string"}}}}
}

// Act is an action without arguments.
type Act bool

func (a *Act) decode(d *decoder, n *yaml.Node) {
	*a = true
	if !isNull(n) {
		d.problem(n, "nothing belongs here: the action has no arguments", "")
	}
}

func (*Act) schema(*schemaWriter) map[string]any { return map[string]any{"type": "null"} }

// Duration is a length of time: 40m, 31d, 1h30m or PT40M.
type Duration struct {
	At Pos
	D  time.Duration

	node *yaml.Node
}

func (x *Duration) decode(d *decoder, n *yaml.Node) {
	x.At, x.node = posOf(n), n
	var err error
	if n.Kind != yaml.ScalarNode {
		d.want(n, yaml.ScalarNode, "a duration such as 40m or 31d")
		return
	}
	if x.D, err = parseDuration(n.Value); err != nil {
		d.problem(n, err.Error(), "")
	}
}

func (*Duration) schema(*schemaWriter) map[string]any {
	return map[string]any{"type": "string", "pattern": `^(-?[0-9]+d)?([0-9.]+(h|m|s|ms))*$|^P`}
}

// parseDuration reads what Go and ISO 8601 write, and days.
func parseDuration(text string) (time.Duration, error) {
	rest, days := text, time.Duration(0)
	if before, after, ok := strings.Cut(text, "d"); ok {
		n := 0
		if _, err := fmt.Sscanf(before+" ", "%d ", &n); err == nil && fmt.Sprint(n) == before && n >= 0 && n <= 36500 {
			days, rest = time.Duration(n)*24*time.Hour, after
			if rest == "" {
				return days, nil
			}
		}
	}
	v, err := target.ParseDelay(rest)
	if err != nil || time.Duration(v) > 36500*24*time.Hour {
		return 0, fmt.Errorf("%q is no duration; write 40m, 1h30m, 31d or PT40M", text)
	}
	return days + time.Duration(v), nil
}

// short writes a duration as files do.
func short(d time.Duration) string {
	var b strings.Builder
	if days := d / (24 * time.Hour); days > 0 {
		fmt.Fprintf(&b, "%dd", days)
		d -= days * 24 * time.Hour
	}
	if d > 0 || b.Len() == 0 {
		text := d.String()
		for _, zero := range []string{"0s", "0m"} {
			if t, ok := strings.CutSuffix(text, zero); ok && t != "" && (t[len(t)-1] == 'm' || t[len(t)-1] == 'h') {
				text = t
			}
		}
		b.WriteString(text)
	}
	return b.String()
}

// Clause is one comparison of a scoping filter: department EQUALS Sales.
type Clause struct {
	At                         Pos
	Attribute, Operator, Value string
}

func (c *Clause) decode(d *decoder, n *yaml.Node) {
	c.At = posOf(n)
	var text string
	d.decode(n, &text)
	if text == "" {
		return
	}
	attribute, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	c.Attribute = attribute
	rest = strings.TrimSpace(rest)
	names := mapping.Operators()
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	for _, name := range names {
		if len(rest) >= len(name) && strings.EqualFold(rest[:len(name)], name) && (len(rest) == len(name) || rest[len(name)] == ' ') {
			c.Operator, c.Value = name, strings.TrimSpace(rest[len(name):])
			return
		}
	}
	slices.Sort(names)
	op, _, _ := strings.Cut(rest, " ")
	d.problem(n, fmt.Sprintf("the clause %q has no operator; write ATTRIBUTE OPERATOR VALUE, with one of %s", text, strings.Join(names, ", ")), nearest(op, names))
}

func (*Clause) schema(*schemaWriter) map[string]any { return map[string]any{"type": "string"} }

// alone are the actions that need no arguments.
var alone = []string{"cycle", "start", "pause", "restart"}

// decode reads a step; one without arguments can be a word: cycle.
func (s *Step) decode(d *decoder, n *yaml.Node) {
	s.At = posOf(n)
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		f, ok := fieldsOf(s).by(n.Value)
		switch {
		case slices.Contains(alone, n.Value):
			d.into(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line, Column: n.Column}, f)
		case ok && f.action:
			d.problem(n, fmt.Sprintf("%s needs arguments: %s: …", n.Value, n.Value), "")
			return
		default:
			d.problem(n, fmt.Sprintf("there is no action %q; alone can stand %s", n.Value, strings.Join(alone, ", ")), nearest(n.Value, alone))
			return
		}
		s.order = []string{n.Value}
		return
	}
	d.structure(n, s)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if f, ok := fieldsOf(s).by(n.Content[i].Value); ok && f.action {
			s.order = append(s.order, f.name)
		}
	}
}

func (s *Step) schema(w *schemaWriter) map[string]any {
	return map[string]any{"anyOf": []any{w.structure(s), map[string]any{"enum": []any{"cycle", "start", "pause", "restart"}}}}
}

// decode reads a pattern of a request: as a text, as a text with a body, or as a table.
func (r *Request) decode(d *decoder, n *yaml.Node) {
	r.At = posOf(n)
	switch {
	case n.Kind == yaml.ScalarNode:
		d.decode(n, &r.Line)
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 && isRequestLine(n.Content[0].Value):
		r.Line = n.Content[0].Value
		d.decode(n.Content[1], &r.Body)
	default:
		d.structure(n, r)
		if r.Line == "" && n.Kind == yaml.MappingNode {
			d.problem(n, "a request has a line: request: METHOD /path", "")
		}
	}
}

func isRequestLine(text string) bool {
	method, _, _ := strings.Cut(text, " ")
	return method == "*" || slices.Contains(methods, method)
}

var methods = []string{"GET", "POST", "PATCH", "DELETE", "PUT"}

func (r *Request) schema(w *schemaWriter) map[string]any {
	return map[string]any{"anyOf": []any{map[string]any{"type": "string"}, w.structure(r), map[string]any{"type": "object", "minProperties": 1, "maxProperties": 1}}}
}

// decode reads a pattern of a log record: ann: create success, or a table.
func (r *Record) decode(d *decoder, n *yaml.Node) {
	r.At = posOf(n)
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[1].Kind == yaml.ScalarNode {
		if _, known := fieldsOf(r).by(n.Content[0].Value); !known {
			d.decode(n.Content[0], &r.Object)
			words := strings.Fields(n.Content[1].Value)
			if len(words) > 0 {
				d.decode(word(n.Content[1], words[0]), fieldsOf(r).must("action"))
			}
			if len(words) > 1 {
				d.decode(word(n.Content[1], words[1]), fieldsOf(r).must("status"))
			}
			if len(words) > 2 {
				r.Code = words[2]
			}
			if len(words) == 0 || len(words) > 3 {
				d.problem(n.Content[1], "a record is ACTION STATUS, or ACTION STATUS CODE, such as create success", "")
			}
			return
		}
	}
	d.structure(n, r)
}

func (r *Record) schema(w *schemaWriter) map[string]any {
	fs := fieldsOf(r)
	oneOf := func(words []string) string { return "(" + strings.Join(words, "|") + ")" }
	text := map[string]any{"type": "string", "pattern": "^" + oneOf(fs.must("action").enum) + "( +" + oneOf(fs.must("status").enum) + "( +" + oneOf(recordCodes()) + ")?)?$"}
	return map[string]any{"anyOf": []any{w.structure(r), map[string]any{"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": text}}}
}

// word is a part of a scalar, for messages.
func word(n *yaml.Node, text string) *yaml.Node {
	c := *n
	c.Value, c.Tag = text, "!!str"
	if i := strings.Index(n.Value, text); i > 0 && n.Style == 0 {
		c.Column += i
	}
	return &c
}

// decode reads a pattern of a cycle: initial Succeeded, or a table.
func (c *Cycle) decode(d *decoder, n *yaml.Node) {
	c.At = posOf(n)
	if n.Kind != yaml.ScalarNode {
		d.structure(n, c)
		return
	}
	words := strings.Fields(n.Value)
	if len(words) < 2 || len(words) > 3 {
		d.problem(n, "a cycle is KIND STATE, or KIND STATE CODE, such as initial Succeeded", "")
		return
	}
	d.decode(word(n, words[0]), fieldsOf(c).must("kind"))
	d.decode(word(n, words[1]), fieldsOf(c).must("state"))
	if len(words) == 3 {
		c.Error = words[2]
	}
}

func (c *Cycle) schema(w *schemaWriter) map[string]any {
	return map[string]any{"anyOf": []any{map[string]any{"type": "string"}, w.structure(c)}}
}
