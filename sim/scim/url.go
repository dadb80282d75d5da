package scim

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// formEncode writes text as the service encodes query values: letters, digits and -_. stand as they are, a blank becomes
// +, everything else percent escapes in lower-case hex of its UTF-8 bytes.
func formEncode(b *strings.Builder, text string) {
	const hex = "0123456789abcdef"
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		case c == ' ':
			b.WriteByte('+')
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
}

// escapeID encodes an id as a path segment; escapes that it holds already are escaped again.
func escapeID(id string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(id); i++ {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// escapeQuery escapes what may not stand in a request line; escapes that are there stay.
func escapeQuery(query string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(query); i++ {
		if c := query[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// MatchURL is the URL of a query for the objects that have a value at an attribute's path; groups are asked for without
// their members. Booleans and integers stand without quotes, as filters want them (RFC 7644, 3.4.2.2).
func MatchURL(ep Endpoint, opt Options, rt ResourceType, by Attribute) string {
	var b strings.Builder
	b.Grow(len(ep.Base) + len(by.Path) + 100)
	b.WriteString(ep.Base + "/" + rt.Path() + "?")
	if rt == Group {
		b.WriteString("excludedAttributes=members&")
	}
	b.WriteString("filter=")
	equals(&b, opt, by)
	forward(&b, ep, opt, true)
	return b.String()
}

// ReferenceURL is the URL of a query whether an object holds a reference already: a list without the object means that it
// does not (use-scim-to-provision-users-and-groups.md, "Example 4").
func ReferenceURL(ep Endpoint, opt Options, rt ResourceType, id, attribute, value string) string {
	var b strings.Builder
	b.WriteString(ep.Base + "/" + rt.Path() + "?attributes=id&filter=")
	equals(&b, opt, Attribute{Path: "id", Value: id})
	b.WriteString("+and+")
	equals(&b, opt, Attribute{Path: attribute, Value: value})
	forward(&b, ep, opt, true)
	return b.String()
}

// equals writes one comparison of a filter.
func equals(b *strings.Builder, opt Options, a Attribute) {
	formEncode(b, a.Path)
	b.WriteString("+eq+")
	value := a.text()
	switch a.Type {
	case Boolean:
		if v, ok := parseBool(value); ok {
			b.WriteString(strconv.FormatBool(v))
			return
		}
	case Integer:
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			b.WriteString(strconv.FormatInt(n, 10))
			return
		}
	}
	b.WriteString("%22")
	if opt.EscapeFilterValues {
		value = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)
	}
	formEncode(b, strings.ToValidUTF8(value, string(utf8.RuneError)))
	b.WriteString("%22")
}

// ObjectURL is the URL of one resource. read asks for a group without its members.
func ObjectURL(ep Endpoint, opt Options, rt ResourceType, id string, read bool) string {
	var b strings.Builder
	b.WriteString(ep.Base + "/" + rt.Path())
	if id != "" {
		b.WriteString("/" + escapeID(id))
	}
	query := rt == Group && read
	if query {
		b.WriteString("?excludedAttributes=members")
	}
	forward(&b, ep, opt, query)
	return b.String()
}

func forward(b *strings.Builder, ep Endpoint, opt Options, query bool) {
	if !opt.ForwardTenantQuery || ep.Query == "" {
		return
	}
	if query {
		b.WriteByte('&')
	} else {
		b.WriteByte('?')
	}
	b.WriteString(ep.Query)
}
