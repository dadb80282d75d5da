package scim

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// appendString writes text as a JSON string: UTF-8 as it is, only quotes, backslashes and control characters escaped.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += size
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

// Type is the type of a target attribute.
type Type int

// The types of values.
const (
	String Type = iota
	Boolean
	Integer
	DateTime
	Reference
)

// Attribute is a mapped value. Path is the target attribute's text, verbatim; Value a string, a []string when it is
// multi-valued, Roles, or nil for null.
type Attribute struct {
	Path  string
	Type  Type
	Multi bool
	Value any
	// Role is the app role that the text of a part of roles stands for; nil when it is none.
	Role *Role
}

// Text is the value as logs show it: several are joined.
func (a Attribute) Text() string {
	switch v := a.Value.(type) {
	case []string:
		return strings.Join(v, ", ")
	case Roles:
		return v.names()
	}
	return a.text()
}

// text is the single value, the first of several.
func (a Attribute) text() string {
	switch v := a.Value.(type) {
	case string:
		return v
	case []string:
		if len(v) > 0 {
			return v[0]
		}
	case Roles:
		if len(v.List) > 0 {
			return v.List[0].DisplayName
		}
	}
	return ""
}

// appendListed writes values as the oldest dialect does, each one as a text in a list beside an empty reference, a single
// value too.
func appendListed(b []byte, a Attribute) []byte {
	list, ok := a.Value.([]string)
	if !ok {
		list = []string{a.text()}
	}
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(append(b, `{"$ref":null,"value":`...), s), '}')
	}
	return append(b, ']')
}

// appendValue writes a value: typed as JSON knows it, or as text whatever its type.
func appendValue(b []byte, a Attribute, typed bool) []byte {
	if list, ok := a.Value.([]string); ok {
		b = append(b, '[')
		for i, s := range list {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(append(b, `{"value":`...), s), '}')
		}
		return append(b, ']')
	}
	if a.Value == nil {
		return append(b, "null"...)
	}
	return appendText(b, a.Type, a.text(), typed)
}

func appendText(b []byte, t Type, text string, typed bool) []byte {
	if typed {
		switch t {
		case Boolean:
			if v, ok := parseBool(text); ok {
				return strconv.AppendBool(b, v)
			}
		case Integer:
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				return strconv.AppendInt(b, n, 10)
			}
		}
	}
	return appendString(b, text)
}

// parseBool takes true and false in any case.
func parseBool(text string) (v, ok bool) {
	switch len(text) {
	case 4:
		return true, (text[0]|0x20) == 't' && (text[1]|0x20) == 'r' && (text[2]|0x20) == 'u' && (text[3]|0x20) == 'e'
	case 5:
		return false, (text[0]|0x20) == 'f' && (text[1]|0x20) == 'a' && (text[2]|0x20) == 'l' && (text[3]|0x20) == 's' && (text[4]|0x20) == 'e'
	}
	return false, false
}
