package expr

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd       tokenKind = iota
	tokenName                // a function or keyword
	tokenAttribute           // [text]; the text without brackets and outer blanks
	tokenConstant            // "text"; unescaped
	tokenNumber              // whole, decimal or hexadecimal
	tokenCompare             // = <> < <= > >=
	tokenComma
	tokenOpen
	tokenClose
)

// token is a word of the language.
type token struct {
	kind     tokenKind
	text     string // a name, a constant, an operator; for anything else as written
	number   int64
	position int // in characters, from 1
}

// lexer cuts an expression into tokens.
type lexer struct {
	src      string
	at       int // byte offset
	position int // of at, in characters, from 1
}

func (l *lexer) fail(position int, format string, args ...any) *Error {
	return &Error{Kind: ErrSyntax, Message: fmt.Sprintf(format, args...), Position: position}
}

// take moves behind the next n bytes and returns them.
func (l *lexer) take(n int) string {
	s := l.src[l.at : l.at+n]
	l.at += n
	l.position += utf8.RuneCountInString(s)
	return s
}

// next reads the next token.
func (l *lexer) next() (token, *Error) {
	for l.at < len(l.src) && strings.IndexByte(" \t\r\n", l.src[l.at]) >= 0 {
		l.at++
		l.position++
	}
	t := token{position: l.position}
	if l.at >= len(l.src) {
		return t, nil
	}
	switch c := l.src[l.at]; {
	case c == ',':
		t.kind, t.text = tokenComma, l.take(1)
	case c == '(':
		t.kind, t.text = tokenOpen, l.take(1)
	case c == ')':
		t.kind, t.text = tokenClose, l.take(1)
	case c == '[':
		return l.attribute(t)
	case c == '"':
		return l.constant(t)
	case c == '-' || c == '&' || c >= '0' && c <= '9':
		return l.number(t)
	case c == '=' || c == '<' || c == '>':
		n := 1
		if two := l.src[l.at:min(l.at+2, len(l.src))]; two == "<>" || two == "<=" || two == ">=" {
			n = 2
		}
		t.kind, t.text = tokenCompare, l.take(n)
	default:
		return l.name(t)
	}
	return t, nil
}

// name reads a function or keyword; any other character is refused here, with a cure where there is a usual mistake.
func (l *lexer) name(t token) (token, *Error) {
	n := 0
	for l.at+n < len(l.src) {
		r, size := utf8.DecodeRuneInString(l.src[l.at+n:])
		if !unicode.IsLetter(r) && (n == 0 || r != '_' && !unicode.IsDigit(r)) {
			break
		}
		n += size
	}
	if n > 0 {
		t.kind, t.text = tokenName, l.take(n)
		return t, nil
	}
	r, size := utf8.DecodeRuneInString(l.src[l.at:])
	if r == utf8.RuneError && size == 1 {
		return t, l.fail(t.position, "a byte here is no UTF-8")
	}
	if next := l.src[l.at+size:]; r == '/' && strings.HasPrefix(next, "/") || r == '/' && strings.HasPrefix(next, "*") {
		return t, l.fail(t.position, "found '/'; there are no comments")
	}
	return t, l.fail(t.position, "found %s%s", strconv.QuoteRune(r), strayCure(r))
}

// noLogic is what to do about AND, OR and their signs.
const noLogic = "; there is no AND or OR: nest an IIF in the true branch for AND, in the false branch for OR"

// strayCure says what to do about a character that no token begins with.
func strayCure(r rune) string {
	switch r {
	case '\'', '‘', '’', '“', '”', '`':
		return "; constants stand in straight double quotes"
	case '+', '*', '/', '^':
		return "; there is no arithmetic, and text is joined with Join or Append"
	case '%':
		return "; there are no %variables%"
	case ']':
		return "; no bracket [ is open here"
	case '.':
		return "; numbers are whole"
	case ';':
		return "; arguments are separated by commas"
	case '!':
		return "; not equal is written <>"
	case '|':
		return noLogic
	case '\\':
		return "; nothing is escaped outside of constants"
	}
	switch {
	case unicode.IsSpace(r):
		return "; it looks like a blank and is another character, as web pages have it: type a blank"
	case unicode.Is(unicode.Cf, r):
		return "; it cannot be seen and comes from a web page or a document: delete it"
	}
	return ""
}

// attribute reads [name]; brackets nest, and text in double quotes inside is opaque: [emails[type eq "work"].value].
func (l *lexer) attribute(t token) (token, *Error) {
	depth, quoted := 0, false
	for i := l.at; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']':
			if depth--; depth > 0 {
				continue
			}
			text := l.take(i + 1 - l.at)
			t.kind, t.text = tokenAttribute, strings.Trim(text[1:len(text)-1], " \t\r\n")
			if t.text == "" {
				return t, l.fail(t.position, "there is no name between the brackets; expected an attribute such as [mail]")
			}
			if !utf8.ValidString(t.text) {
				return t, l.fail(t.position, "a byte of the attribute's name is no UTF-8")
			}
			return t, nil
		}
	}
	return t, l.fail(t.position, "the bracket [ is not closed; expected ]")
}

// constant reads "text": \\ is a backslash, \" a quote, and a backslash before anything else is itself, so that regular
// expressions may be written with one backslash or two.
func (l *lexer) constant(t token) (token, *Error) {
	var b strings.Builder
	for i := l.at + 1; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == '"':
			l.take(i + 1 - l.at)
			t.kind, t.text = tokenConstant, b.String()
			if !utf8.ValidString(t.text) {
				return t, l.fail(t.position, "a byte of the constant is no UTF-8")
			}
			return t, nil
		case c == '\\' && i+1 < len(l.src) && (l.src[i+1] == '\\' || l.src[i+1] == '"'):
			i++
			b.WriteByte(l.src[i])
		default:
			b.WriteByte(c)
		}
	}
	return t, l.fail(t.position, "the constant is not closed; expected \" (a quote inside is written \\\")")
}

// number reads a decimal number, perhaps negative, or a hexadecimal one as in Visual Basic: &HF7.
func (l *lexer) number(t token) (token, *Error) {
	rest := l.src[l.at:]
	digits, from := "0123456789", 0
	switch {
	case rest[0] == '-':
		from = 1
	case rest[0] == '&':
		if strings.HasPrefix(rest, "&&") {
			return t, l.fail(t.position, "found '&'%s", noLogic)
		}
		if len(rest) < 2 || rest[1] != 'H' && rest[1] != 'h' {
			return t, l.fail(t.position, "found '&'; text is joined with Join or Append, and a hexadecimal number is written &HF7")
		}
		digits, from = "0123456789abcdefABCDEF", 2
	}
	end := from
	for end < len(rest) && strings.IndexByte(digits, rest[end]) >= 0 {
		end++
	}
	if end == from {
		if from == 1 {
			return t, l.fail(t.position, "found '-' without a number; there is no arithmetic")
		}
		return t, l.fail(t.position, "there is no hexadecimal digit behind &H")
	}
	var err error
	if from == 2 {
		var n uint64
		n, err = strconv.ParseUint(rest[from:end], 16, 64)
		t.number = int64(n) // as in Visual Basic &HFFFFFFFFFFFFFFFF is -1
	} else {
		t.number, err = strconv.ParseInt(rest[:end], 10, 64)
	}
	if err != nil {
		return t, l.fail(t.position, "%s does not fit into 64 bits", rest[:end])
	}
	t.kind, t.text = tokenNumber, l.take(end)
	return t, nil
}
