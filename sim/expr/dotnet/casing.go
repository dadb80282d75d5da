package dotnet

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// Culture is a way to change case. There are three: the invariant one, Turkish and Azeri with their two letters i, and all
// others.
type Culture uint8

// The cultures that differ.
const (
	Invariant Culture = iota
	Turkic
	Other
)

// CultureOf finds a culture by its name, such as en-US; "" is the invariant one. ok is false when there is no such culture.
func CultureOf(name string) (c Culture, ok bool) {
	if name == "" {
		return Invariant, true
	}
	tag, err := language.Parse(name)
	if err != nil {
		return Invariant, false
	}
	base, confidence := tag.Base()
	if confidence == language.No {
		return Invariant, false
	}
	if s := base.String(); s == "tr" || s == "az" {
		return Turkic, true
	}
	return Other, true
}

// ToLower changes text to lower case, one character to one.
func ToLower(s string, c Culture) string {
	if c != Turkic && ascii(s) {
		return strings.ToLower(s)
	}
	return strings.Map(func(r rune) rune { return lower(r, c) }, s)
}

// ToUpper changes text to upper case, one character to one: ß stays.
func ToUpper(s string, c Culture) string {
	if c != Turkic && ascii(s) {
		return strings.ToUpper(s)
	}
	return strings.Map(func(r rune) rune { return upper(r, c) }, s)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// The invariant culture leaves the dotless ı and the dotted İ alone, so that it maps nothing but ASCII to ASCII.
func lower(r rune, c Culture) rune {
	switch {
	case r == 'I' && c == Turkic:
		return 'ı'
	case r == 'İ' && c == Invariant:
		return r
	}
	return unicode.ToLower(r)
}

func upper(r rune, c Culture) rune {
	switch {
	case r == 'i' && c == Turkic:
		return 'İ'
	case r == 'ı' && c == Invariant:
		return r
	}
	return unicode.ToUpper(r)
}

// ToTitleCase does what TextInfo.ToTitleCase makes of text in lower case: the first letter of each word becomes upper case.
// White space, control and format characters, punctuation and symbols separate words, but an apostrophe inside of a word
// does not; a digit neither begins a word nor ends one.
func ToTitleCase(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	inWord := false
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 { // a byte that is no UTF-8 stays
				b.WriteByte(s[i])
				continue
			}
		}
		switch {
		case !inWord && unicode.IsLetter(r):
			inWord = true
			b.WriteRune(unicode.ToTitle(lower(r, Invariant)))
			continue
		case inWord && r != '\'' && separates(r):
			inWord = false
		}
		b.WriteRune(lower(r, Invariant))
	}
	return b.String()
}

// separates reports whether a character is in one of the categories that end a word.
func separates(r rune) bool {
	return unicode.In(r, unicode.Z, unicode.Cc, unicode.Cf, unicode.P, unicode.S)
}

// CapitalizeWords makes the first letter of each word upper case and all others lower case; only the given characters
// separate words.
func CapitalizeWords(s, separators string) string {
	begin := true
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(separators, r):
			begin = true
		case begin && unicode.IsLetter(r):
			begin = false
			return unicode.ToTitle(lower(r, Invariant))
		}
		return lower(r, Invariant)
	}, s)
}
