package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrorKind classifies what is wrong with an expression. The first five are found when it is parsed.
type ErrorKind string

// The kinds of errors; the names are this program's own.
const (
	ErrSyntax          ErrorKind = "syntax"
	ErrUnknownFunction ErrorKind = "unknownFunction"
	ErrArgumentCount   ErrorKind = "argumentCount"
	ErrMissingArgument ErrorKind = "missingArgument"
	ErrTooLong         ErrorKind = "tooLong"
	ErrType            ErrorKind = "type"
	ErrRange           ErrorKind = "range"
	ErrRegex           ErrorKind = "regex"
	ErrUnknownName     ErrorKind = "unknownAttribute"
)

// Error is an error in an expression. Position counts characters from 1.
type Error struct {
	Kind     ErrorKind `json:"kind"`
	Message  string    `json:"message"`
	Position int       `json:"position"`
	Function string    `json:"function,omitempty"`
}

func (e *Error) Error() string {
	if e.Function != "" {
		return fmt.Sprintf("%s at position %d in %s: %s", e.Kind, e.Position, e.Function, e.Message)
	}
	return fmt.Sprintf("%s at position %d: %s", e.Kind, e.Position, e.Message)
}

// Caret shows the place of the error under the line of the expression that it stands in.
func (e *Error) Caret(src string) string {
	runes := []rune(src)
	at := min(max(e.Position-1, 0), len(runes))
	from := at
	for from > 0 && runes[from-1] != '\n' {
		from--
	}
	to := at
	for to < len(runes) && runes[to] != '\n' {
		to++
	}
	var pad strings.Builder
	for _, r := range runes[from:at] {
		if r == '\t' {
			pad.WriteRune('\t')
			continue
		}
		pad.WriteString(strings.Repeat(" ", width(r)))
	}
	return string(runes[from:to]) + "\n" + pad.String() + "^"
}

// width is how many columns a terminal gives a character: two for East Asian wide ones.
func width(r rune) int {
	if r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff ||
		r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0x1f300 && r <= 0x1faff) {
		return 2
	}
	return 1
}

// position turns a byte offset into a character count from 1.
func position(src string, offset int) int {
	return utf8.RuneCountInString(src[:min(offset, len(src))]) + 1
}
