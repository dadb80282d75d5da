package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"entrasim/sim"
)

// edit replaces a part of a file. Without a node it is found by its place when the edit is made.
type edit struct {
	node  *yaml.Node
	at    Pos
	under string // the value of this name in the table at that place
	text  string
	items []item // of the list at that place, instead of text
}

// item is one element of a list that is written anew.
type item struct {
	keep int    // the index of the element that stays as it is, -1 for a new one
	over int    // 1 + the index of the element whose place a new one takes, 0 for none: the comments around it stay
	text string // of a new one
	long []string
	// inside are changes within an element that stays; where the list has to be written as a whole, text stands for it.
	inside []edit
}

func replace(n *yaml.Node, text string) edit { return edit{node: n, at: posOf(n), text: text} }

func replaceAt(at Pos, text string) edit { return edit{at: at, text: text} }

func replaceUnder(at Pos, name, text string) edit { return edit{at: at, under: name, text: text} }

// Update writes what was seen into the scenario's source where something else was expected. Comments and layout stay.
// Failed checks that can't be written, because they say what must not be seen, are returned.
func Update(r Result) (source []byte, unwritten []Check, err error) {
	f, err := newFile(r.Scenario.source)
	if err != nil {
		return nil, nil, err
	}
	for _, st := range r.Steps {
		for _, c := range st.Failures() {
			if c.fix == nil {
				unwritten = append(unwritten, c)
				continue
			}
			for _, e := range c.fix() {
				if err := f.edit(e); err != nil {
					return nil, nil, fmt.Errorf("%s:%d:%d: %w", r.Scenario.Path, e.at.Line, e.at.Column, err)
				}
			}
		}
	}
	out, err := f.apply()
	if err != nil {
		return nil, nil, err
	}
	if _, err := Parse(r.Scenario.Path, out); err != nil {
		return nil, nil, fmt.Errorf("the updated file would not be one: %w", err)
	}
	return out, unwritten, nil
}

// file is a source with its nodes and the splices to make.
type file struct {
	source   []byte // with \n at the end of each line
	original []byte
	returns  []int // where the lines end that have \r\n in the original
	root     *yaml.Node
	starts   []int // of lines
	splices  []splice
}

type splice struct {
	from, to int
	text     string
}

func newFile(source []byte) (*file, error) {
	f := &file{original: source, root: &yaml.Node{}, starts: []int{0}}
	for i, b := range source {
		if b == '\r' && i+1 < len(source) && source[i+1] == '\n' {
			f.returns = append(f.returns, len(f.source))
			continue
		}
		f.source = append(f.source, b)
		if b == '\n' {
			f.starts = append(f.starts, len(f.source))
		}
	}
	return f, yaml.Load(f.source, f.root)
}

var errLayout = errors.New("the layout there can't be rewritten; put the new value in by hand")

// start is where a node begins, in bytes.
func (f *file) start(at Pos) int {
	if at.Line < 1 || at.Line > len(f.starts) {
		return len(f.source)
	}
	i := f.starts[at.Line-1]
	for n := 1; n < at.Column && i < len(f.source); n++ {
		i++
		for i < len(f.source) && f.source[i]&0xc0 == 0x80 { // the rest of a character
			i++
		}
	}
	return i
}

// end is where a node ends, in bytes.
func (f *file) end(n *yaml.Node) (int, error) {
	from := f.start(posOf(n))
	switch {
	case n.Kind != yaml.ScalarNode && n.Style&yaml.FlowStyle != 0 && (f.source[from] == '{' || f.source[from] == '['):
		return f.bracket(from) // a pair alone in a list has none
	case n.Kind != yaml.ScalarNode:
		if len(n.Content) == 0 {
			return from, errLayout
		}
		return f.end(n.Content[len(n.Content)-1])
	case n.Style&yaml.DoubleQuotedStyle != 0, n.Style&yaml.SingleQuotedStyle != 0:
		return f.quote(from)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return f.block(n.Line), nil
	case strings.HasPrefix(string(f.source[from:]), n.Value):
		return from + len(n.Value), nil
	}
	return from, errLayout
}

// quote is the end of a quoted scalar.
func (f *file) quote(from int) (int, error) {
	q := f.source[from]
	for i := from + 1; i < len(f.source); i++ {
		switch {
		case q == '"' && f.source[i] == '\\':
			i++
		case f.source[i] == q && q == '\'' && i+1 < len(f.source) && f.source[i+1] == q:
			i++
		case f.source[i] == q:
			return i + 1, nil
		}
	}
	return from, errLayout
}

// bracket is the end of a flow collection.
func (f *file) bracket(from int) (int, error) {
	depth := 0
	for i := from; i < len(f.source); i++ {
		switch b := f.source[i]; {
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		case (b == '"' || b == '\'') && strings.IndexByte(" [{,:\n", f.source[i-1]) >= 0:
			end, err := f.quote(i)
			if err != nil {
				return from, err
			}
			i = end - 1
		case b == '#' && strings.IndexByte(" \n", f.source[i-1]) >= 0:
			for i+1 < len(f.source) && f.source[i+1] != '\n' {
				i++
			}
		}
	}
	return from, errLayout
}

// block is the end of a block scalar whose header stands in a line: every line behind it that is indented deeper.
func (f *file) block(line int) int {
	depth := f.indent(line)
	last := line
	for l := line + 1; l <= len(f.starts); l++ {
		text := strings.TrimSpace(f.text(l))
		if text != "" && f.indent(l) <= depth {
			break
		}
		if text != "" {
			last = l
		}
	}
	return f.starts[last-1] + len(strings.TrimRight(f.text(last), "\n"))
}

func (f *file) text(line int) string {
	end := len(f.source)
	if line < len(f.starts) {
		end = f.starts[line]
	}
	return string(f.source[f.starts[line-1]:end])
}

func (f *file) indent(line int) int {
	text := f.text(line)
	return len(text) - len(strings.TrimLeft(text, " "))
}

// locate finds the outermost value at a place, and the key that it stands under.
func locate(n, key *yaml.Node, at Pos) (value, under *yaml.Node) {
	if n.Kind != yaml.DocumentNode && posOf(n) == at {
		return n, key
	}
	for i, c := range n.Content {
		k := key
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue
			}
			k = n.Content[i-1]
		}
		if v, u := locate(c, k, at); v != nil {
			return v, u
		}
	}
	return nil, nil
}

// edit notes what to splice.
func (f *file) edit(e edit) error {
	n, key := locate(f.root, nil, e.at)
	if e.node != nil && n != nil && n.Kind != e.node.Kind { // the node itself, not the table that begins with it
		n = e.node
	}
	if n == nil {
		return errLayout
	}
	if e.under != "" {
		found := false
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == e.under {
				n, key, found = n.Content[i+1], n.Content[i], true
				break
			}
		}
		if !found {
			return errLayout
		}
	}
	if e.items != nil {
		return f.list(n, key, e.items)
	}
	end, err := f.end(n)
	if err != nil {
		return err
	}
	f.splices = append(f.splices, splice{f.start(posOf(n)), end, e.text})
	return nil
}

// list rewrites a list: elements that stay keep their text and the comments before them.
func (f *file) list(n, key *yaml.Node, items []item) error {
	if key == nil {
		return errLayout
	}
	if n.Kind != yaml.SequenceNode || n.Style&yaml.FlowStyle != 0 {
		if done, err := f.elements(n, items); done {
			return err
		}
		return f.wholeList(n, key, items)
	}
	dash := n.Column - 1
	if n.Content[0].Line == n.Line && n.Content[0].Column > n.Column {
		dash = n.Column - 1
	}
	lines := func(it item) string { return strings.Join(it.lines(strings.Repeat(" ", dash)), "") }
	at := f.starts[n.Content[0].Line-1]
	next := 0
	for _, it := range items {
		place := it.keep
		if it.over > 0 {
			place = it.over - 1
		}
		if place < 0 {
			f.splices = append(f.splices, splice{at, at, lines(it)})
			continue
		}
		for ; next < place; next++ {
			if err := f.drop(n.Content[next]); err != nil {
				return err
			}
		}
		old := n.Content[place]
		end, err := f.end(old)
		if err != nil {
			return err
		}
		if it.keep < 0 {
			text := strings.TrimSuffix(lines(it)[dash+2:], "\n") // what stands behind the dash
			f.splices = append(f.splices, splice{f.start(posOf(old)), end, text})
		}
		for _, e := range it.inside {
			if err := f.edit(e); err != nil {
				return err
			}
		}
		at, next = f.lineBehind(end), place+1
	}
	for ; next < len(n.Content); next++ {
		if err := f.drop(n.Content[next]); err != nil {
			return err
		}
	}
	if len(items) == 0 { // a list without elements has to be written as one
		end, err := f.end(key)
		if err != nil {
			return err
		}
		end += strings.IndexByte(string(f.source[end:]), ':') + 1
		f.splices = append(f.splices, splice{end, end, " []"})
	}
	return nil
}

// elements rewrites a list in brackets one by one, when it keeps its length and each element can stand in brackets.
func (f *file) elements(n *yaml.Node, items []item) (done bool, err error) {
	if n.Kind != yaml.SequenceNode || len(items) != len(n.Content) || len(items) == 0 {
		return false, nil
	}
	for i, it := range items {
		if it.keep != i && (it.over != i+1 || len(it.long) > 0 || strings.ContainsAny(it.text, "{}[],")) {
			return false, nil
		}
	}
	for i, it := range items {
		edits := it.inside
		if it.keep < 0 {
			edits = []edit{{node: n.Content[i], at: posOf(n.Content[i]), text: it.text}}
		}
		for _, e := range edits {
			if err := f.edit(e); err != nil {
				return true, err
			}
		}
	}
	return true, nil
}

// drop removes the lines of a list's element.
func (f *file) drop(n *yaml.Node) error {
	end, err := f.end(n)
	if err != nil {
		return err
	}
	f.splices = append(f.splices, splice{f.starts[n.Line-1], f.lineBehind(end), ""})
	return nil
}

func (f *file) lineBehind(at int) int {
	if i := strings.IndexByte(string(f.source[at:]), '\n'); i >= 0 {
		return at + i + 1
	}
	return len(f.source)
}

// wholeList writes a list that stood in brackets, or a number, as a whole.
func (f *file) wholeList(n, key *yaml.Node, items []item) error {
	end, err := f.end(n)
	if err != nil {
		return err
	}
	from := f.start(posOf(n))
	var flow []string
	for _, it := range items {
		text := it.text
		if it.keep >= 0 && it.inside == nil {
			stop, err := f.end(n.Content[it.keep])
			if err != nil {
				return err
			}
			text = string(f.source[f.start(posOf(n.Content[it.keep])):stop])
		}
		flow = append(flow, text)
	}
	if one := "[" + strings.Join(flow, ", ") + "]"; len(flow) == 0 || len(one) < 60 && !strings.Contains(one, "{") {
		f.splices = append(f.splices, splice{from, end, one})
		return nil
	}
	var b strings.Builder
	for i, it := range items {
		if it.keep >= 0 && it.inside == nil {
			it.text = flow[i]
		}
		b.WriteString("\n" + strings.TrimSuffix(strings.Join(it.lines(strings.Repeat(" ", key.Column+1)), ""), "\n"))
	}
	for from > 0 && f.source[from-1] == ' ' {
		from--
	}
	f.splices = append(f.splices, splice{from, end, b.String()})
	return nil
}

// lines writes an element of a block list.
func (it item) lines(indent string) []string {
	if len(it.long) == 0 {
		return []string{indent + "- " + it.text + "\n"}
	}
	out := []string{indent + "- " + it.long[0] + "\n"}
	for _, l := range it.long[1:] {
		out = append(out, indent+"    "+l+"\n")
	}
	return out
}

// apply makes the splices, from the end of the file to its beginning.
func (f *file) apply() ([]byte, error) {
	original := func(at int) int { return at + sort.SearchInts(f.returns, at) }
	crlf := len(f.returns) > 0 && f.returns[0] == f.starts[1]-1
	slices.SortStableFunc(f.splices, func(a, b splice) int { return a.from - b.from })
	var out []byte
	at := 0
	for _, s := range f.splices {
		if s.from < at {
			return nil, errLayout
		}
		if crlf {
			s.text = strings.ReplaceAll(s.text, "\n", "\r\n")
		}
		out = append(append(out, f.original[original(at):original(s.from)]...), s.text...)
		at = s.to
	}
	return append(out, f.original[original(at):]...), nil
}

// fixRequests writes the list of what was sent, element by element: those that fit stay.
func fixRequests(e *Requests, sent []*Sent, pairs [][2]int, m *matcher) []edit {
	items := []item{}
	i, k := 0, 0
	for _, pair := range append(slices.Clone(pairs), [2]int{len(e.Exact), len(sent)}) {
		for ; k < pair[1]; k++ {
			var old *Request
			over := 0
			if i < pair[0] {
				old = &e.Exact[i]
				i++
				over = i
			}
			it := requestItem(old, sent[k], m)
			it.over = over
			if old != nil {
				if edits, ok := m.insideRequest(*old, sent[k]); ok {
					it.keep, it.inside = over-1, edits
				}
			}
			items = append(items, it)
		}
		i = pair[0]
		if i < len(e.Exact) && k < len(sent) {
			items = append(items, item{keep: i})
			i, k = i+1, k+1
		}
	}
	return []edit{{at: e.At, items: items}}
}

// requestItem writes a request as a pattern. One that took the place of another keeps its shape.
func requestItem(old *Request, s *Sent, m *matcher) item {
	body := any(nil)
	shaped := old != nil && old.lineFits(m, s)
	line := s.Line()
	switch {
	case shaped && old.Body.Set:
		line, body = old.Line, project(old.Body.Data, s.Body)
	case !shaped && s.Body != nil:
		body = withoutSchemas(s.Body)
	case shaped:
		line = old.Line
	}
	failed := s.Exchange.Status == 0 || s.Exchange.Status >= 400
	if shaped && old.Status != "any" && failed && old.Status == "" {
		o := *old
		o.Status = "?"
		old = &o
	}
	if !shaped && failed {
		old, shaped = &Request{Status: "?"}, true
	}
	if shaped && (old.Status != "" && old.Status != "any" || old.Exactly.Set || old.URL != "" || len(old.Headers) > 0) {
		parts := []string{"request: " + scalar(line, true)}
		if body != nil {
			parts = append(parts, "body: "+flow(body))
		}
		if old.Exactly.Set {
			text := flow(s.Body)
			if _, literal := old.Exactly.Data.(string); literal {
				text = "'" + strings.ReplaceAll(s.BodyText, "'", "''") + "'"
			}
			parts = append(parts, "exactly: "+text)
		}
		if old.URL != "" {
			parts = append(parts, "url: "+scalar(s.URL, true))
		}
		if len(old.Headers) > 0 {
			seen := map[string]any{}
			for name := range old.Headers {
				seen[name] = "absent"
				if v, ok := header(s.Exchange.RequestHeaders, name); ok {
					seen[name] = v
				}
			}
			parts = append(parts, "headers: "+flow(seen))
		}
		switch {
		case old.Status == "any" || old.Status == "":
		case s.Exchange.Status == 0:
			parts = append(parts, "status: none")
		default:
			parts = append(parts, "status: "+strconv.Itoa(s.Exchange.Status))
		}
		return item{keep: -1, text: "{" + strings.Join(parts, ", ") + "}"}
	}
	if body == nil {
		return item{keep: -1, text: scalar(line, false)}
	}
	it := item{keep: -1, text: scalar(line, false) + ": " + flow(body)}
	if doc, ok := body.(map[string]any); ok && len(it.text) > 110 {
		it.long = []string{scalar(line, false) + ":"}
		for _, k := range sorted(doc) {
			it.long = append(it.long, scalar(k, true)+": "+flow(doc[k]))
		}
	}
	return it
}

// fixRecords writes the list of log records, element by element.
func fixRecords(e *Records, seen []sim.LogRecord, pairs [][2]int, p *Player) []edit {
	items := []item{}
	i, k := 0, 0
	for _, pair := range append(slices.Clone(pairs), [2]int{len(e.Exact), len(seen)}) {
		for ; k < pair[1]; k++ {
			over := 0
			if i < pair[0] {
				i++
				over = i
			}
			text := p.recordText(seen[k])
			if name := p.names.handles[seen[k].ObjectID]; name == "" {
				text = fmt.Sprintf("{action: %s, status: %s}", seen[k].Action, seen[k].Status)
			}
			items = append(items, item{keep: -1, over: over, text: text})
		}
		if i = pair[0]; i < len(e.Exact) && k < len(seen) {
			items = append(items, item{keep: i})
			i, k = i+1, k+1
		}
	}
	return []edit{{at: e.At, items: items}}
}
