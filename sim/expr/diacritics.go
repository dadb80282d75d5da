package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ligatures are the letters that become others although they have no mark that could be taken away
// (functions-for-customizing-application-data.md, NormalizeDiacritics).
var ligatures = map[rune]string{
	'æ': "ae", 'Æ': "AE", 'ø': "oe", 'Ø': "OE", 'œ': "oe", 'Œ': "OE", 'ß': "ss", 'ẞ': "SS", 'ł': "l", 'Ł': "L", 'ı': "i",
}

// withoutMarks takes the marks off Latin letters. Marks of other scripts are part of their letters and stay.
func withoutMarks(s string) string {
	if ascii(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	latin := false // whether the letter before is Latin
	for rest := norm.NFD.String(s); rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		mark := unicode.Is(unicode.Mn, r)
		switch {
		case mark && latin:
		case ligatures[r] != "":
			b.WriteString(ligatures[r])
		default:
			b.WriteString(rest[:size]) // as it is, a byte that is no UTF-8 too
		}
		if !mark {
			latin = unicode.Is(unicode.Latin, r)
		}
		rest = rest[size:]
	}
	return norm.NFC.String(b.String())
}
