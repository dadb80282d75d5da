package scim

import (
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

// MatchURL is the URL of a query for one attribute's value; groups are asked for without their members.
func MatchURL(ep Endpoint, opt Options, rt ResourceType, path, value string) string {
	var b strings.Builder
	b.Grow(len(ep.Base) + len(path) + len(value) + 80)
	b.WriteString(ep.Base + "/" + rt.Path() + "?")
	if rt == Group {
		b.WriteString("excludedAttributes=members&")
	}
	b.WriteString("filter=")
	formEncode(&b, path)
	b.WriteString("+eq+%22")
	if opt.EscapeFilterValues {
		value = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)
	}
	formEncode(&b, strings.ToValidUTF8(value, string(utf8.RuneError)))
	b.WriteString("%22")
	forward(&b, ep, opt, true)
	return b.String()
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
