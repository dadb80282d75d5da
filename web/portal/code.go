package portal

import (
	"bytes"
	"encoding/json"
	"html/template"
	"strings"
)

// codeLimit is the longest text that is laid out and coloured; a longer one stays as it is.
const codeLimit = 200_000

// codeWidth is how long a line may be that holds a whole JSON object or list.
const codeWidth = 72

// codeHTML lays out JSON and marks its keys, texts and other values. What is no JSON stays as it is.
func codeHTML(text string) template.HTML {
	lines := pretty(text)
	if lines == nil {
		return template.HTML(template.HTMLEscapeString(text))
	}
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		colour(&b, line)
	}
	return template.HTML(b.String())
}

// markHTML is codeHTML with the lines of some top-level members set off.
func markHTML(text string, members map[string]bool) template.HTML {
	lines := pretty(text)
	if lines == nil {
		return codeHTML(text)
	}
	var b strings.Builder
	block := false // a block element needs no line end before or behind it
	for i, line := range lines {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, `  "`), `"`)
		mark := strings.HasPrefix(line, `  "`) && members[name]
		if i > 0 && !mark && !block {
			b.WriteByte('\n')
		}
		if block = mark; mark {
			b.WriteString("<mark>")
		}
		colour(&b, line)
		if mark {
			b.WriteString("</mark>")
		}
	}
	return template.HTML(b.String())
}

// diffLimit bounds the lines of a side that are compared.
const diffLimit = 500

// diffHTML shows what changed between two JSON documents, line by line. ok is false when they can't be compared.
func diffHTML(before, after string) (out template.HTML, ok bool) {
	old, now := pretty(before), pretty(after)
	if old == nil || now == nil || len(old) > diffLimit || len(now) > diffLimit {
		return "", false
	}
	var b strings.Builder
	block := true
	put := func(tag, line string) {
		if tag == "" {
			if !block {
				b.WriteByte('\n')
			}
			colour(&b, line)
			block = false
			return
		}
		b.WriteString("<" + tag + ">")
		colour(&b, line)
		b.WriteString("</" + tag + ">")
		block = true
	}
	length := common(old, now)
	i, k := 0, 0
	for i < len(old) || k < len(now) {
		switch {
		case i < len(old) && k < len(now) && old[i] == now[k]:
			put("", now[k])
			i, k = i+1, k+1
		case k == len(now) || i < len(old) && length[i+1][k] >= length[i][k+1]:
			put("del", old[i])
			i++
		default:
			put("ins", now[k])
			k++
		}
	}
	return template.HTML(b.String()), true
}

// common tells for each pair of positions how many lines the rests have in common, in order.
func common(a, b []string) [][]int {
	length := make([][]int, len(a)+1)
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for k := len(b) - 1; k >= 0; k-- {
			if a[i] == b[k] {
				length[i][k] = length[i+1][k+1] + 1
			} else {
				length[i][k] = max(length[i+1][k], length[i][k+1])
			}
		}
	}
	return length
}

// pretty lays out JSON in lines; an object or a list that fits on one line stays on it, except the outermost. Numbers and
// texts stay byte for byte. nil means that the text is no JSON, or too long.
func pretty(text string) []string {
	var b bytes.Buffer
	if len(text) > codeLimit || json.Compact(&b, []byte(text)) != nil || b.Len() == 0 {
		return nil
	}
	l := layout{src: b.String()}
	l.value(0, "", "", true)
	return l.lines
}

type layout struct {
	src   string
	lines []string
}

// value lays out the value that begins at i, behind a prefix (its key), and returns where it ends.
func (l *layout) value(i int, indent, prefix string, outer bool) int {
	end := valueEnd(l.src, i)
	text := l.src[i:end]
	open := text[0]
	if open != '{' && open != '[' || len(text) == 2 {
		l.lines = append(l.lines, indent+prefix+text)
		return end
	}
	if one := spaced(text); !outer && len(indent)+len(prefix)+len(one) <= codeWidth {
		l.lines = append(l.lines, indent+prefix+one)
		return end
	}
	l.lines = append(l.lines, indent+prefix+string(open))
	for i++; l.src[i] != '}' && l.src[i] != ']'; {
		key := ""
		if open == '{' {
			k := valueEnd(l.src, i)
			key = l.src[i:k] + ": "
			i = k + 1
		}
		if i = l.value(i, indent+"  ", key, false); l.src[i] == ',' {
			l.lines[len(l.lines)-1] += ","
			i++
		}
	}
	l.lines = append(l.lines, indent+l.src[i:i+1])
	return i + 1
}

// valueEnd returns the end of the value that begins at i in compact JSON.
func valueEnd(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '"':
			i = textEnd(s, i) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i // behind a bare value
			}
			depth--
		case ',', ':':
			if depth == 0 {
				return i
			}
			continue
		default:
			if i+1 < len(s) && strings.IndexByte(`,:}]`, s[i+1]) < 0 {
				continue
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
	return i
}

// textEnd returns the end of the JSON text that begins at i.
func textEnd(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// spaced puts a blank behind each comma and colon.
func spaced(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '"' {
			k := textEnd(s, i)
			b.WriteString(s[i:k])
			i = k - 1
			continue
		}
		b.WriteByte(s[i])
		if s[i] == ',' || s[i] == ':' {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// colour writes one line of JSON with its parts marked.
func colour(b *strings.Builder, s string) {
	const marks = "{}[]:, "
	for i := 0; i < len(s); {
		k, class := i+1, ""
		switch c := s[i]; {
		case c == '"':
			k = textEnd(s, i)
			if class = "s"; strings.HasPrefix(s[k:], ":") {
				class = "k"
			}
		case strings.IndexByte(marks, c) < 0:
			class = "n"
			for k < len(s) && strings.IndexByte(marks, s[k]) < 0 {
				k++
			}
		}
		if class == "" {
			b.WriteByte(s[i])
		} else {
			b.WriteString(`<span class="` + class + `">` + template.HTMLEscapeString(s[i:k]) + `</span>`)
		}
		i = k
	}
}
