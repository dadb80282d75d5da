package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxFile is the longest scenario file. Real ones have a few kilobytes.
const maxFile = 1 << 20

// maxDepth bounds how deep values may be nested.
const maxDepth = 100

// Parse reads a scenario and finds every mistake that can be found without running it. path is for messages. The error is
// a Problems.
func Parse(path string, source []byte) (*Scenario, error) {
	d := &decoder{file: path, source: source, places: map[Pos]map[string]Pos{}}
	if len(source) > maxFile {
		d.at(Pos{1, 1}, fmt.Sprintf("the file has %d bytes; a scenario has at most %d", len(source), maxFile), "")
		return nil, d.problems
	}
	if !utf8.Valid(source) {
		before := source[:invalidAt(source)]
		begin := bytes.LastIndexByte(before, '\n') + 1
		d.at(Pos{1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[begin:])}, "here are bytes that are no UTF-8", "")
		return nil, d.problems
	}
	root, ok := d.load()
	if !ok {
		return nil, d.problems
	}
	s := &Scenario{Path: path, source: source}
	d.decode(root, s)
	if len(d.problems) == 0 {
		d.validate(s)
	}
	if d.failed() {
		return nil, slices.DeleteFunc(d.problems, func(p Problem) bool { return p.Warning })
	}
	s.Warnings = d.problems
	return s, nil
}

func invalidAt(source []byte) int {
	for i := 0; i < len(source); {
		r, n := utf8.DecodeRune(source[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return 0
}

// decoder reads nodes into values and collects what is wrong.
type decoder struct {
	file     string
	source   []byte
	problems Problems
	places   map[Pos]map[string]Pos // of the values in tables, by the table's place and their names
}

// under is where a value stands in the table at a place, and the place itself when it has none of that name.
func (d *decoder) under(table Pos, name string) Pos {
	if at, ok := d.places[table][name]; ok {
		return at
	}
	return table
}

// load parses the YAML and refuses what scenario files have no use for: several documents, anchors and aliases, tags.
func (d *decoder) load() (*yaml.Node, bool) {
	var doc yaml.Node
	err := yaml.Load(d.source, &doc)
	if err != nil && strings.Contains(err.Error(), "no documents") || err == nil && len(doc.Content) == 0 {
		d.at(Pos{1, 1}, "the file is empty", "entrasim scenarios new writes one to begin with")
		return nil, false
	}
	if err != nil {
		if at, ok := d.secondDocument(); ok {
			d.at(at, "a second document begins here; a file holds one scenario", "")
			return nil, false
		}
		at, message := Pos{1, 1}, err.Error()
		var e *yaml.LoadError
		if errors.As(err, &e) {
			at, message = Pos{max(1, e.Mark.Line), max(1, e.Mark.Column)}, "this is no YAML: "+e.Message
			if strings.Contains(e.Message, "mapping values are not allowed") {
				message += "; put a text with \": \" in quotes"
			}
		}
		d.at(at, message, "")
		return nil, false
	}
	return doc.Content[0], d.plain(doc.Content[0], 0)
}

// secondDocument is where --- ends the first document, or more than that one.
func (d *decoder) secondDocument() (Pos, bool) {
	var list []yaml.Node
	for l := yaml.NewDecoder(bytes.NewReader(d.source)); len(list) < 2; {
		var doc yaml.Node
		if l.Decode(&doc) != nil {
			return Pos{}, false
		}
		list = append(list, doc)
	}
	from := max(1, list[0].Line) // a --- before the first document has its line
	if len(list[0].Content) > 0 {
		from = last(list[0].Content[0])
	}
	for line := from + 1; line <= bytes.Count(d.source, []byte("\n"))+1; line++ {
		if strings.HasPrefix(lineOf(d.source, line), "---") {
			return Pos{line, 1}, true
		}
	}
	return Pos{}, false
}

// last is the greatest line at which a part of a node begins.
func last(n *yaml.Node) int {
	line := n.Line
	for _, c := range n.Content {
		line = max(line, last(c))
	}
	return line
}

// plain refuses references and tags, so that a file is as long as it looks and none can be its own part.
func (d *decoder) plain(n *yaml.Node, depth int) bool {
	switch {
	case depth > maxDepth:
		d.problem(n, fmt.Sprintf("values are nested more than %d deep", maxDepth), "")
	case n.Kind == yaml.AliasNode:
		d.problem(n, "aliases (*name) have no place in a scenario: write the value, or give it a handle", "")
	case n.Anchor != "":
		d.problem(n, "anchors (&name) have no place in a scenario: write the value, or give it a handle", "")
	case n.Style&yaml.TaggedStyle != 0:
		d.problem(n, "tags (!name) have no place in a scenario", "")
	default:
		for _, c := range n.Content {
			if !d.plain(c, depth+1) {
				return false
			}
		}
		return true
	}
	return false
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// kindOf names what a node is, for messages.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a table"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return n.Value
	}
	text := n.Value
	if r := []rune(text); len(r) > 30 {
		text = string(r[:30]) + "…"
	}
	return strconv.Quote(text)
}

func (d *decoder) want(n *yaml.Node, kind yaml.Kind, what string) bool {
	if n.Kind != kind || kind == yaml.ScalarNode && isNull(n) {
		d.problem(n, fmt.Sprintf("here is %s; expected %s", kindOf(n), what), "")
		return false
	}
	return true
}

// pairs goes through a table; a name that stands twice is a problem.
func (d *decoder) pairs(n *yaml.Node, do func(k, v *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode || isNull(k) {
			d.problem(k, fmt.Sprintf("here is %s; expected a name", kindOf(k)), "")
			continue
		}
		if line, twice := seen[k.Value]; twice {
			d.problem(k, fmt.Sprintf("%s stands twice in one table, first in line %d", k.Value, line), "")
			continue
		}
		seen[k.Value] = k.Line
		do(k, v)
	}
}

// self is implemented by types that read themselves.
type self interface {
	decode(d *decoder, n *yaml.Node)
}

// decode reads a node into what v points to.
func (d *decoder) decode(n *yaml.Node, v any) {
	if f, ok := v.(field); ok {
		d.into(n, f)
		return
	}
	d.reflected(n, reflect.ValueOf(v).Elem(), field{})
}

// into reads the value of a field.
func (d *decoder) into(n *yaml.Node, f field) {
	if isNull(n) && f.null != "" {
		f.value.SetString(f.null)
		return
	}
	if f.none && n.Kind == yaml.ScalarNode && n.Value == "none" {
		return
	}
	d.reflected(n, f.value, f)
}

func (d *decoder) reflected(n *yaml.Node, v reflect.Value, f field) {
	if s, ok := v.Addr().Interface().(self); ok {
		s.decode(d, n)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.reflected(n, v.Elem(), f)
	case reflect.Struct:
		d.structure(n, v.Addr().Interface())
	case reflect.Slice:
		d.slice(n, v, f)
	case reflect.Map:
		if d.want(n, yaml.MappingNode, "a table of texts") {
			v.Set(reflect.MakeMap(v.Type()))
			d.pairs(n, func(k, x *yaml.Node) {
				if !d.want(x, yaml.ScalarNode, "a text") {
					return
				}
				v.SetMapIndex(reflect.ValueOf(k.Value), reflect.ValueOf(x.Value))
			})
		}
	default:
		d.scalar(n, v, f)
	}
}

func (d *decoder) slice(n *yaml.Node, v reflect.Value, f field) {
	items := n.Content
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		switch reflect.New(v.Type().Elem()).Interface().(type) {
		case *string, *Handle, *Grant, *Clause: // one alone needs no brackets
			items = []*yaml.Node{n}
		default:
			d.want(n, yaml.SequenceNode, "a list")
			return
		}
	} else if _, grants := reflect.New(v.Type().Elem()).Interface().(*Grant); grants && n.Kind == yaml.MappingNode {
		items = nil
		d.pairs(n, func(k, x *yaml.Node) {
			items = append(items, &yaml.Node{Kind: yaml.MappingNode, Line: k.Line, Column: k.Column, Content: []*yaml.Node{k, x}})
		})
	} else if !d.want(n, yaml.SequenceNode, "a list") {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, len(items)))
	for _, item := range items {
		if d.told(false) >= maxProblems {
			return // nobody reads more
		}
		x := reflect.New(v.Type().Elem()).Elem()
		d.reflected(item, x, f)
		v.Set(reflect.Append(v, x))
	}
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, f field) {
	want := map[reflect.Kind]string{reflect.String: "a text", reflect.Int: "a whole number", reflect.Int64: "a whole number", reflect.Bool: "true or false", reflect.Float64: "a number"}[v.Kind()]
	if len(f.enum) > 0 {
		want = "one of " + strings.Join(f.enum, ", ")
	}
	if !d.want(n, yaml.ScalarNode, want) {
		return
	}
	var err error
	switch v.Kind() {
	case reflect.String:
		if n.ShortTag() == "!!bool" && len(f.enum) == 0 {
			err = errors.New("not a text; put it in quotes")
		}
		v.SetString(n.Value)
	case reflect.Int, reflect.Int64:
		var i int64
		if i, err = strconv.ParseInt(n.Value, 10, 64); err == nil {
			v.SetInt(i)
			d.inRange(n, f, float64(i))
		}
	case reflect.Bool:
		if err = fmt.Errorf("not a Boolean"); n.ShortTag() == "!!bool" {
			err = nil
			v.SetBool(strings.EqualFold(n.Value, "true"))
		}
	case reflect.Float64:
		var x float64
		if x, err = strconv.ParseFloat(n.Value, 64); err == nil && !math.IsNaN(x) {
			v.SetFloat(x)
			d.inRange(n, f, x)
		}
	}
	if err != nil {
		d.problem(n, fmt.Sprintf("here is %s; expected %s", kindOf(n), want), "")
		return
	}
	if len(f.enum) > 0 && !slices.Contains(f.enum, n.Value) {
		d.problem(n, fmt.Sprintf("here is %s; expected %s", kindOf(n), want), nearest(n.Value, f.enum))
	}
}

func (d *decoder) inRange(n *yaml.Node, f field, x float64) {
	if want := f.outside(x); want != "" {
		d.problem(n, fmt.Sprintf("%s is %s; expected %s", f.name, n.Value, want), "")
	}
}

// structure reads a table into a struct by its tags.
func (d *decoder) structure(n *yaml.Node, v any) {
	fields := fieldsOf(v)
	if fields.place.IsValid() {
		fields.place.Set(reflect.ValueOf(posOf(n)))
	}
	switch {
	case isNull(n) && !slices.ContainsFunc(fields.all, func(f field) bool { return f.need }):
		return
	case n.Kind == yaml.SequenceNode && fields.list != nil:
		d.into(n, *fields.list)
		markExact(v)
		return
	case n.Kind == yaml.ScalarNode && fields.number != nil:
		d.into(n, *fields.number)
		return
	case n.Kind == yaml.ScalarNode && fields.short != nil:
		d.into(n, *fields.short)
		return
	}
	if !d.want(n, yaml.MappingNode, "a table with "+strings.Join(fields.names(), ", ")) {
		return
	}
	given := map[string]bool{}
	if d.places != nil && d.places[posOf(n)] == nil {
		d.places[posOf(n)] = map[string]Pos{}
	}
	d.pairs(n, func(k, x *yaml.Node) {
		if d.places != nil {
			d.places[posOf(n)][k.Value] = posOf(x)
		}
		f, ok := fields.by(k.Value)
		if !ok {
			d.problem(k, fmt.Sprintf("there is no %q here; expected one of %s", k.Value, strings.Join(fields.names(), ", ")), nearest(k.Value, fields.names()))
			return
		}
		given[f.name] = true
		d.into(x, f)
		if fields.list != nil && f.name == fields.list.name {
			markExact(v)
		}
	})
	for _, f := range fields.all {
		if f.need && !given[f.name] {
			d.problem(n, f.name+" is missing", "")
		}
	}
}

// markExact notes that a list was given though it may be empty.
func markExact(v any) {
	switch x := v.(type) {
	case *Requests:
		x.exact = true
	case *Records:
		x.exact = true
	}
}

// any reads a node as plain data.
func (d *decoder) any(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		d.pairs(n, func(k, v *yaml.Node) { m[k.Value] = d.any(v) })
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, c := range n.Content {
			list[i] = d.any(c)
		}
		return list
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			return float64(i)
		}
	case "!!float":
		if x, err := strconv.ParseFloat(n.Value, 64); err == nil && !math.IsInf(x, 0) && !math.IsNaN(x) {
			return x
		}
	}
	return n.Value
}
