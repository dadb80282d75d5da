package expr

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf16"
)

func toBase64(c call) (Value, *Error) {
	text := c.text(0)
	if bad := c.fits(base64.StdEncoding.EncodedLen(2 * len(text))); bad != nil {
		return Null, bad
	}
	b := make([]byte, 0, 2*len(text))
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return String(base64.StdEncoding.EncodeToString(b)), nil
}

func fromBase64(c call) (Value, *Error) {
	// .NET passes over white space inside.
	b, err := base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n", r) {
			return -1
		}
		return r
	}, c.text(0)))
	if err != nil {
		return Null, c.failAt(0, ErrType, "%s is no Base64", describe(c.args[0]))
	}
	switch encoding := c.text(1); {
	case encoding == "", strings.EqualFold(encoding, encodingUnicode):
		units := make([]uint16, 0, len(b)/2+1)
		for i := 0; i+1 < len(b); i += 2 {
			units = append(units, uint16(b[i])|uint16(b[i+1])<<8)
		}
		if len(b)%2 == 1 { // half a unit
			units = append(units, 0xfffd)
		}
		return String(string(utf16.Decode(units))), nil
	case strings.EqualFold(encoding, encodingASCII):
		for i := range b {
			if b[i] >= 0x80 {
				b[i] = '?'
			}
		}
		return String(string(b)), nil
	case strings.EqualFold(encoding, encodingUTF8):
		return String(strings.ToValidUTF8(string(b), "\ufffd")), nil
	}
	return Null, c.failAt(1, ErrRange, "%s is no encoding; expected %s, %s or %s", describe(c.args[1]), encodingUnicode, encodingASCII, encodingUTF8)
}

func toUTF8Hex(c call) (Value, *Error) {
	return String(strings.ToUpper(hex.EncodeToString([]byte(c.text(0))))), nil
}

func toText(c call) (Value, *Error) { return String(c.text(0)), nil }

func toBoolean(c call) (Value, *Error) {
	b, ok := truth(c.args[0])
	if !ok {
		return Null, c.failAt(0, ErrType, "%s is neither true nor false nor a number", describe(c.args[0]))
	}
	return Boolean(b), nil
}

// truth reads a value as a condition; null and "" are False.
func truth(v Value) (b, ok bool) {
	switch v.kind {
	case KindNull:
		return false, true
	case KindBoolean, KindNumber:
		return v.num != 0, true
	case KindDate:
		return false, false
	}
	text := v.Text()
	switch {
	case text == "" || strings.EqualFold(text, "false"):
		return false, true
	case strings.EqualFold(text, "true"):
		return true, true
	}
	n, ok := v.integer()
	return n != 0, ok
}

func bitAnd(c call) (Value, *Error) {
	a, bad := c.integer(0)
	if bad != nil {
		return Null, bad
	}
	b, bad := c.integer(1)
	return Number(a & b), bad
}

func redact(c call) (Value, *Error) {
	v := c.args[0]
	v.redacted = true
	return v, nil
}

func defaultDomain(c call) (Value, *Error) { return String(c.env.DefaultDomain), nil }
