package scim

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// mask stands where a token stood.
const mask = "***"

// masker hides a token in whatever is recorded, logged, worded or shown. What is parsed and compared never passes through
// it: a target that returns the token inside a name returns another name than the mask, and an answer stays what it was.
//
// A token is hidden wherever it stands, in each form in which an echo may write it. One that is so short that it is a part
// of words (fewer than 8 bytes) is hidden where it stands alone, as an echo of a header has it, and left inside longer
// words, since a mask in the middle of every second name would hide nothing and make a trace unreadable.
//
// A public token is none to keep: it is the one of the embedded target, which the documentation prints and which is this
// program's own name. Hiding it everywhere would cut into the names of applications, hosts and messages. It is hidden
// behind its scheme, so that recorded headers look alike whatever the token is.
type masker struct {
	forms  []string
	alone  bool
	public bool
}

// longToken is from how many bytes on a token is hidden inside longer words as well.
const longToken = 8

func newMasker(token string, public bool) *masker {
	m := &masker{alone: public || len(token) < longToken, public: public}
	if token == "" {
		return m
	}
	add := func(form string) {
		if !slices.Contains(m.forms, form) {
			m.forms = append(m.forms, form)
		}
	}
	add(token)
	inJSON := func(text []byte) { add(string(text[1 : len(text)-1])) }
	inJSON(appendString(nil, token))
	if text, err := json.Marshal(token); err == nil { // as Go and others write <, > and &
		inJSON(text)
	}
	add(url.QueryEscape(token))
	add(url.PathEscape(token))
	return m
}

// bytes returns b with the token hidden; b itself is not changed, and returned when it does not hold the token.
func (m *masker) bytes(b []byte) []byte {
	for _, form := range m.forms {
		b = m.hide(b, form)
	}
	return b
}

// text is bytes for a string, which it makes a text of: what a target sends need not be one.
func (m *masker) text(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	for _, form := range m.forms {
		if strings.Contains(s, form) {
			return string(m.bytes([]byte(s)))
		}
	}
	return s
}

func (m *masker) hide(b []byte, form string) []byte {
	var out []byte
	kept := 0
	for from := 0; ; {
		i := bytes.Index(b[from:], []byte(form))
		if i < 0 {
			break
		}
		i += from
		if !m.shows(b, i, i+len(form)) {
			from = i + 1
			continue
		}
		out = append(append(out, b[kept:i]...), mask...)
		from = i + len(form)
		kept = from
	}
	if kept == 0 {
		return b
	}
	return append(out, b[kept:]...)
}

// shows reports whether what stands in b between two places is the token, rather than a part of a longer word.
func (m *masker) shows(b []byte, from, to int) bool {
	if !m.alone {
		return true
	}
	if from > 0 && wordByte(b[from-1]) || to < len(b) && wordByte(b[to]) {
		return false
	}
	const scheme = "bearer "
	return !m.public || from >= len(scheme) && strings.EqualFold(string(b[from-len(scheme):from]), scheme)
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf
}
