package target

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sort"
	"strings"
	"unicode/utf8"
)

// A resource's attributes are kept as one piece of compact JSON that this file wrote: names as the schemas have them, in
// the schemas' order, no blanks. A million users then weigh what their text weighs, and an answer is a copy. What follows
// reads such JSON in place; it must not be given anybody else's.

// skip returns the end of the value that begins at i.
func skip(b []byte, i int) int {
	switch b[i] {
	case '"':
		for i++; b[i] != '"'; i++ {
			if b[i] == '\\' {
				i++
			}
		}
		return i + 1
	case '{', '[':
		for depth := 0; ; i++ {
			switch b[i] {
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			case '"':
				i = skip(b, i) - 1
			}
		}
	}
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' {
		i++
	}
	return i
}

// eachMember calls f with the members of an object, names still in quotes, until f returns false.
func eachMember(obj []byte, f func(name, value []byte) bool) {
	if len(obj) == 0 || obj[0] != '{' {
		return
	}
	for i := 1; i < len(obj) && obj[i] == '"'; i++ {
		colon := skip(obj, i)
		end := skip(obj, colon+1)
		if !f(obj[i:colon], obj[colon+1:end]) {
			return
		}
		i = end
	}
}

// eachElement calls f with the elements of a list, or with a value that is none, until f returns false; it reports
// whether f did not.
func eachElement(v []byte, f func(element []byte) bool) bool {
	if len(v) == 0 {
		return true
	}
	if v[0] != '[' {
		return f(v)
	}
	for i := 1; i < len(v) && v[i] != ']'; i++ {
		end := skip(v, i)
		if !f(v[i:end]) {
			return false
		}
		i = end
	}
	return true
}

// member returns the value of a member by its exact name, nil when there is none.
func member(obj []byte, name string) (value []byte) {
	eachMember(obj, func(n, v []byte) bool {
		if len(n) == len(name)+2 && string(n[1:len(n)-1]) == name {
			value = v
		}
		return value == nil
	})
	return value
}

// memberFold is member without regard to case, for names that no schema gives.
func memberFold(obj []byte, name string) (value []byte) {
	eachMember(obj, func(n, v []byte) bool {
		if strings.EqualFold(unquote(n), name) {
			value = v
		}
		return value == nil
	})
	return value
}

// unquote returns the text of a JSON string.
func unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// appendString writes a JSON string.
func appendString(b []byte, s string) []byte {
	plain := utf8.ValidString(s)
	for i := 0; plain && i < len(s); i++ {
		plain = s[i] >= ' ' && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		return append(append(append(b, '"'), s...), '"')
	}
	return appendJSON(b, s)
}

// appendJSON writes a value as the standard library does, without its escapes for HTML.
func appendJSON(b []byte, v any) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return append(b, "null"...) // only values that came from JSON are ever given
	}
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// encode writes the attributes of a resource.
func encode(k kind, doc map[string]any) []byte {
	b := append(make([]byte, 0, 512), '{')
	b = appendMember(b, "externalId", doc["externalId"], nil)
	list := userAttrs
	if k == groups {
		list = groupAttrs
	}
	for i := range list {
		b = appendMember(b, list[i].name, doc[list[i].name], &list[i])
	}
	for _, urn := range sortedKeys(doc) {
		if !isURN(urn) {
			continue
		}
		if ext, ok := doc[urn].(map[string]any); ok && urn == urnEnterprise {
			b = appendMember(b, urn, ext, &attr{subs: enterpriseAttrs})
			continue
		}
		b = appendMember(b, urn, doc[urn], nil)
	}
	return append(b, '}')
}

func appendMember(b []byte, name string, v any, a *attr) []byte {
	if v == nil {
		return b
	}
	if len(b) > 0 && b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return appendValue(append(appendString(b, name), ':'), v, a)
}

// appendValue writes a value; a says in which order its members come, nil in that of their names.
func appendValue(b []byte, v any, a *attr) []byte {
	switch x := v.(type) {
	case string:
		return appendString(b, x)
	case bool:
		if x {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	case []any:
		b = append(b, '[')
		for i, e := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e, a)
		}
		return append(b, ']')
	case map[string]any:
		b = append(b, '{')
		done := 0
		if a != nil {
			for i := range a.subs {
				s := &a.subs[i]
				if w, ok := x[s.name]; ok {
					b = appendMember(b, s.name, w, s)
					done++
				}
			}
		}
		if done < len(x) {
			for _, name := range sortedKeys(x) {
				if a == nil || !hasExactly(a, name) {
					b = appendMember(b, name, x[name], nil)
				}
			}
		}
		return append(b, '}')
	}
	return appendJSON(b, v)
}

func hasExactly(a *attr, name string) bool {
	for i := range a.subs {
		if a.subs[i].name == name {
			return true
		}
	}
	return false
}

// decode reads a JSON object; numbers stay as they are written.
func decode(data []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errTrailing
	}
	return m, nil
}

// find returns a member by name without regard to case.
func find(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	for _, k := range sortedKeys(m) {
		if strings.EqualFold(k, name) {
			return m[k]
		}
	}
	return nil
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func put(doc map[string]any, name string, v any) {
	if v == nil {
		delete(doc, name)
		return
	}
	doc[name] = v
}

func isURN(name string) bool { return len(name) > 4 && strings.EqualFold(name[:4], "urn:") }

// jsonText shows a value in a message.
func jsonText(v any) string {
	b := appendJSON(nil, v)
	if len(b) > 80 {
		return "something longer"
	}
	return string(b)
}
