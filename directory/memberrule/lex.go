package memberrule

import (
	"strconv"
	"strings"
	"unicode"
)

// token is a piece of a rule.
type token struct {
	kind   tokenKind
	text   string
	column int
}

type tokenKind int

const (
	end    tokenKind = iota
	word             // user.department, null, true, 50001, an operator without its hyphen
	dashed           // an operator, without its hyphen
	quoted           // a text, without its quotes
	sign             // one of ( ) [ ] ,
)

func (t token) shown() string {
	switch t.kind {
	case end:
		return "the end of the rule"
	case dashed:
		return strconv.Quote("-" + t.text)
	}
	return strconv.Quote(t.text)
}

// lex cuts a rule into tokens, the last of which is its end.
func lex(rule string) ([]token, *Error) {
	in := []rune(rule)
	var list []token
	for i := 0; i < len(in); {
		r, at := in[i], i+1
		switch {
		case unicode.IsSpace(r):
			i++
		case strings.ContainsRune("()[],", r):
			list = append(list, token{sign, string(r), at})
			i++
		case r == '"' || r == '\'':
			text, n, closed := quotation(in[i:])
			if !closed {
				return nil, &Error{at, "a text begins here and does not end; close its quotes"}
			}
			list = append(list, token{quoted, text, at})
			i += n
		case r == '-' || r == '–':
			n := i + 1
			for n < len(in) && unicode.IsLetter(in[n]) {
				n++
			}
			if n == i+1 {
				return nil, &Error{at, "an operator is expected behind the hyphen, such as -eq"}
			}
			list = append(list, token{dashed, string(in[i+1 : n]), at})
			i = n
		case wordly(r):
			n := i
			for n < len(in) && (wordly(in[n]) || unicode.IsDigit(r) && strings.ContainsRune("-+:", in[n])) {
				n++
			}
			list = append(list, token{word, string(in[i:n]), at})
			i = n
		default:
			return nil, &Error{at, strconv.Quote(string(r)) + " has no meaning here; put a text into double quotes"}
		}
	}
	return append(list, token{end, "", len(in) + 1}), nil
}

func wordly(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '_' || r == '$'
}

// quotation reads a text in quotes: a double quote in it stands behind a backtick, a single one is doubled between single ones.
func quotation(in []rune) (text string, length int, closed bool) {
	var b strings.Builder
	quote := in[0]
	for i := 1; i < len(in); i++ {
		switch next := i+1 < len(in); {
		case in[i] == '`' && next && (in[i+1] == quote || in[i+1] == '`'), in[i] == '\'' && quote == '\'' && next && in[i+1] == '\'':
			i++
		case in[i] == quote:
			return b.String(), i + 1, true
		}
		b.WriteRune(in[i])
	}
	return "", len(in), false
}
