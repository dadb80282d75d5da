package expr

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// caretColumns is how many columns of a line stay to either side of the place.
const caretColumns = 60

// Caret shows the place of the error: the line of the expression that it stands in, and a caret under the place, with wide
// and combining characters counted as a terminal shows them. A long line is cut on both sides.
func (e *Error) Caret(src string) string {
	runes := []rune(src)
	at := min(max(e.Position-1, 0), len(runes))
	from := at
	for columns := 0; from > 0 && runes[from-1] != '\n' && columns < caretColumns; from-- {
		columns += columnsOf(runes[from-1])
	}
	to := at
	for columns := 0; to < len(runes) && runes[to] != '\n' && columns < caretColumns; to++ {
		columns += columnsOf(runes[to])
	}
	var line, pad strings.Builder
	if from > 0 && runes[from-1] != '\n' {
		line.WriteString("…")
		pad.WriteByte(' ')
	}
	for i, r := range runes[from:to] {
		if unicode.IsControl(r) && r != '\t' {
			r = ' '
		}
		line.WriteRune(r)
		switch {
		case from+i >= at:
		case r == '\t':
			pad.WriteByte('\t')
		default:
			pad.WriteString(strings.Repeat(" ", columnsOf(r)))
		}
	}
	if to < len(runes) && runes[to] != '\n' {
		line.WriteString("…")
	}
	return line.String() + "\n" + pad.String() + "^"
}

// columnsOf is how many columns a terminal gives a character: two for East Asian wide ones and emoji, none for marks.
func columnsOf(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r < 0x1100:
		return 1
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
