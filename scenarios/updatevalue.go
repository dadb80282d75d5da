package scenarios

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// inside gives a value of the file what was seen and leaves everything else of it as it is: names in their order, quotes,
// comments, blanks, and placeholders that fit. there says whether anything was seen. ok is false when a part in block style
// would have to be written as a whole.
func (m *matcher) inside(n *yaml.Node, seen any, there bool) (edits []edit, ok bool) {
	want := (&decoder{}).any(n)
	if !there {
		if want == "absent" {
			return nil, true
		}
		return []edit{replace(n, "absent")}, n.Kind == yaml.ScalarNode || n.Style&yaml.FlowStyle != 0
	}
	fits := false
	m.try(func() bool { fits = len(m.subset(want, seen, false, "", 1)) == 0; return false })
	if fits {
		return nil, true
	}
	have, _ := seen.(map[string]any)
	list, _ := seen.([]any)
	switch {
	case n.Kind == yaml.MappingNode && have != nil:
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, there := have[n.Content[i].Value]
			inner, ok := m.inside(n.Content[i+1], v, there)
			if !ok {
				return nil, false
			}
			edits = append(edits, inner...)
		}
		return edits, true
	case n.Kind == yaml.SequenceNode && len(list) == len(n.Content):
		for i, c := range n.Content {
			inner, ok := m.inside(c, list[i], true)
			if !ok {
				return nil, false
			}
			edits = append(edits, inner...)
		}
		return edits, true
	}
	text := flow(seen)
	if s, is := seen.(string); is && n.Style&yaml.DoubleQuotedStyle != 0 {
		text = show1(s)
	} else if is && n.Style&yaml.SingleQuotedStyle != 0 && !strings.ContainsAny(s, "\n\t") {
		text = "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return []edit{replace(n, text)}, n.Kind == yaml.ScalarNode || n.Style&yaml.FlowStyle != 0
}

// insideRequest does so for a request of which nothing but the body differs.
func (m *matcher) insideRequest(r Request, s *Sent) (edits []edit, ok bool) {
	if m.request(Request{Line: r.Line, URL: r.URL, Headers: r.Headers, Status: r.Status}, s) != "" {
		return nil, false
	}
	for _, v := range []Value{r.Body, r.Exactly} {
		if !v.Set {
			continue
		}
		if _, literal := v.Data.(string); literal || v.node == nil {
			return nil, false
		}
		inner, ok := m.inside(v.node, s.Body, s.Body != nil)
		if !ok {
			return nil, false
		}
		edits = append(edits, inner...)
	}
	whole := !r.Exactly.Set || reflect.DeepEqual(project(r.Exactly.Data, s.Body), s.Body)
	return edits, whole && len(edits) > 0
}

// withoutSchemas leaves out what every body says.
func withoutSchemas(v any) any {
	doc, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for k, x := range doc {
		if k != "schemas" && k != "meta" {
			out[k] = x
		}
	}
	return out
}

// project gives a pattern the values that were seen, where it has any.
func project(pattern, seen any) any {
	switch want := pattern.(type) {
	case map[string]any:
		have, ok := seen.(map[string]any)
		if !ok {
			return seen
		}
		out := map[string]any{}
		for k := range want {
			if v, there := have[k]; there {
				out[k] = project(want[k], v)
			} else {
				out[k] = "absent"
			}
		}
		return out
	case []any:
		have, ok := seen.([]any)
		if !ok || len(have) != len(want) {
			return seen
		}
		out := make([]any, len(have))
		for i := range have {
			out[i] = project(want[i], have[i])
		}
		return out
	}
	return seen
}

// fixValues gives each attribute of a table the value that was seen.
func (m *matcher) fixValues(n *yaml.Node, seen map[string]any) []edit {
	var edits []edit
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i].Value, n.Content[i+1]
		have, there := seen[k]
		if k == "members" {
			continue
		}
		if inner, ok := m.inside(v, have, there); ok {
			edits = append(edits, inner...)
			continue
		}
		text := "absent"
		if there {
			text = flow(project((&decoder{}).any(v), have))
		}
		if text != flow((&decoder{}).any(v)) {
			edits = append(edits, replace(v, text))
		}
	}
	return edits
}

// fixMember writes the members that were seen.
func fixMember(n *yaml.Node, have []string) []edit {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "members" {
			return []edit{replace(n.Content[i+1], "["+strings.Join(have, ", ")+"]")}
		}
	}
	return nil
}

var (
	plainText = regexp.MustCompile(`^[A-Za-z_/$][^\x00-\x1f]*$`)
	reserved  = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n|~)$`)
)

// scalar writes a text as YAML: plain where it can be.
func scalar(text string, inFlow bool) string {
	safe := plainText.MatchString(text) && !reserved.MatchString(text) && !strings.Contains(text, ": ") && !strings.Contains(text, " #") &&
		!strings.HasSuffix(text, ":") && !strings.HasSuffix(text, " ")
	if inFlow {
		safe = safe && !strings.ContainsAny(text, `{}[],"'`) && !strings.HasPrefix(text, "urn:")
	}
	if safe {
		return text
	}
	if !strings.ContainsAny(text, "'\n\t\\") {
		if strings.Contains(text, `"`) || !inFlow {
			return "'" + text + "'"
		}
	}
	return show1(text)
}

// show1 is a text as JSON, whole.
func show1(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ':
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}

// flow writes a value in one line of YAML.
func flow(v any) string {
	switch x := v.(type) {
	case map[string]any:
		parts := make([]string, 0, len(x))
		for _, k := range orderedKeys(x) {
			parts = append(parts, scalar(k, true)+": "+flow(x[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(x))
		for i := range x {
			parts[i] = flow(x[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		return scalar(x, true)
	case nil:
		return "null"
	}
	return show(v)
}

// orderedKeys puts op and path first, as they are read.
func orderedKeys(m map[string]any) []string {
	keys := sorted(m)
	slices.SortStableFunc(keys, func(a, b string) int {
		rank := func(k string) int {
			switch k {
			case "op":
				return 0
			case "path":
				return 1
			case "primary", "type":
				return 2
			}
			return 3
		}
		return rank(a) - rank(b)
	})
	return keys
}
