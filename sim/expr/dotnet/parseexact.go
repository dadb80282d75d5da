package dotnet

import (
	"fmt"
	"strings"
	"unicode"
)

// exact is what the pieces of a text in a layout say; -1 for what they don't.
type exact struct {
	year, month, day, weekday  int
	hour, minute, second, half int
	fraction                   Ticks
	twelve                     bool // the hour came from h
	zoned                      bool
	offset                     Ticks
}

// Parse reads a text that is in exactly this format, as DateTime.ParseExact does. What the format does not name comes from
// the date of now, or is the beginning. utc tells whether the text named its zone. The error says what is wrong.
func (l *Layout) Parse(text string, style Style, now Ticks) (t Ticks, utc bool, err error) {
	pieces := l.pieces
	if style&AllowLeadingWhite != 0 {
		text, pieces = strings.TrimLeftFunc(text, unicode.IsSpace), trimPieces(pieces, strings.TrimLeft, 0)
	}
	if style&AllowTrailingWhite != 0 {
		text, pieces = strings.TrimRightFunc(text, unicode.IsSpace), trimPieces(pieces, strings.TrimRight, len(pieces)-1)
	}
	x := exact{year: -1, month: -1, day: -1, weekday: -1, hour: -1, minute: -1, second: -1, half: -1, fraction: -1}
	p := &reader{s: text}
	for i, piece := range pieces {
		if style&AllowInnerWhite != 0 {
			p.s = strings.TrimLeftFunc(p.s, unicode.IsSpace)
		}
		followed := i+1 < len(pieces) && (pieces[i+1].verb == 'f' || pieces[i+1].verb == 'F')
		if what := x.read(p, piece, style, followed); what != "" {
			return 0, false, fmt.Errorf("expected %s at %s", what, rest(p.s))
		}
	}
	if style&AllowInnerWhite != 0 {
		p.s = strings.TrimLeftFunc(p.s, unicode.IsSpace)
	}
	if p.s != "" {
		return 0, false, fmt.Errorf("the format ends before %s", rest(p.s))
	}
	t, err = x.instant(style, now)
	return t, x.zoned || style&(AssumeUniversal|AdjustToUniversal) != 0, err
}

// rest shows what is left of a text.
func rest(s string) string {
	if s == "" {
		return "the end"
	}
	r := []rune(s)
	if len(r) > 20 {
		return `"` + string(r[:20]) + `…"`
	}
	return `"` + s + `"`
}

// trimPieces takes white space off the literal at one end of the format.
func trimPieces(pieces []piece, cut func(s, set string) string, end int) []piece {
	if len(pieces) == 0 || pieces[end].verb != 0 {
		return pieces
	}
	out := append([]piece(nil), pieces...)
	out[end].text = cut(out[end].text, " \t\r\n")
	return out
}

// read takes one piece; it returns what it expected when that is not there.
func (x *exact) read(p *reader, c piece, style Style, followed bool) (expected string) {
	switch c.verb {
	case 0:
		return readLiteral(p, c.text, style, followed)
	case ':', '/':
		if !p.literal(c.verb) {
			return `"` + string(c.verb) + `"`
		}
		return ""
	case 'd':
		if c.n > 2 {
			return readName(p, &x.weekday, "the name of a day", 0, days, shortDays, c.n)
		}
		return readNumber(p, &x.day, c.n, 2, "day")
	case 'M':
		if c.n > 2 {
			return readName(p, &x.month, "the name of a month", 1, months, shortMonths, c.n)
		}
		return readNumber(p, &x.month, c.n, 2, "month")
	case 'y':
		return x.readYear(p, c.n)
	case 'h':
		x.twelve = true
		return readNumber(p, &x.hour, c.n, 2, "hour")
	case 'H':
		return readNumber(p, &x.hour, c.n, 2, "hour")
	case 'm':
		return readNumber(p, &x.minute, c.n, 2, "minute")
	case 's':
		return readNumber(p, &x.second, c.n, 2, "second")
	case 'f', 'F':
		return x.readFraction(p, c)
	case 't':
		if c.n == 1 {
			return readName(p, &x.half, "A or P", 0, []string{"A", "P"}, nil, 4)
		}
		return readName(p, &x.half, "AM or PM", 0, halves, nil, 4)
	case 'g':
		if p.word([]string{"A.D.", "AD"}) < 0 {
			return "A.D."
		}
		return ""
	}
	return x.readZone(p, c)
}

// readLiteral wants the text itself; the point before an F may be missing together with the digits.
func readLiteral(p *reader, text string, style Style, followed bool) string {
	if style&AllowInnerWhite != 0 {
		text = strings.TrimFunc(text, unicode.IsSpace)
	}
	if rest, ok := strings.CutPrefix(p.s, text); ok {
		p.s = rest
		return ""
	}
	if followed && strings.HasSuffix(text, ".") {
		if rest, ok := strings.CutPrefix(p.s, strings.TrimSuffix(text, ".")); ok {
			p.s = rest
			return ""
		}
	}
	return `"` + text + `"`
}

// readNumber wants n digits; a single specifier takes one or two.
func readNumber(p *reader, to *int, n, most int, what string) string {
	least := min(n, most)
	v := 0
	if least == 1 && !p.digits(1, 2, &v) || least > 1 && !p.digits(least, least, &v) {
		if least == 1 {
			return "a " + what + " of one or two digits"
		}
		return fmt.Sprintf("a %s of %d digits", what, least)
	}
	return settle(to, v, what)
}

// settle keeps a number; one that the format names twice has to be the same.
func settle(to *int, v int, what string) string {
	if *to >= 0 && *to != v {
		return "the same " + what + " as before"
	}
	*to = v
	return ""
}

// readName wants one of some names: the short ones for three letters of the format, else the long ones.
func readName(p *reader, to *int, what string, first int, long, short []string, n int) string {
	names := long
	if n == 3 {
		names = short
	}
	i := p.word(names)
	if i < 0 {
		return what
	}
	return settle(to, i+first, what)
}

// readYear takes one or two digits for y, two for yy, which lie between 1950 and 2049, and as many as the format has for
// more.
func (x *exact) readYear(p *reader, n int) string {
	v := 0
	least, most := n, n
	if n == 1 {
		most = 2
	}
	if !p.digits(least, most, &v) {
		return fmt.Sprintf("a year of %d digits", most)
	}
	if n <= 2 {
		if v += 1900; v < 1950 {
			v += 100
		}
	}
	return settle(&x.year, v, "year")
}

// readFraction wants as many digits as there are f, or at most as many as there are F.
func (x *exact) readFraction(p *reader, c piece) string {
	digits := 0
	for digits < len(p.s) && digits < c.n && p.s[digits] >= '0' && p.s[digits] <= '9' {
		digits++
	}
	if c.verb == 'f' && digits < c.n {
		return fmt.Sprintf("%d digits of a second", c.n)
	}
	one := &reader{s: p.s[:digits]}
	t, _ := one.fraction()
	p.s = p.s[digits:]
	if x.fraction >= 0 && x.fraction != t {
		return "the same fraction as before"
	}
	x.fraction = t
	return ""
}

// readZone wants an offset; K takes Z or nothing too.
func (x *exact) readZone(p *reader, c piece) string {
	var offset Ticks
	switch {
	case c.verb == 'K' && (p.s == "" || p.s[0] != '+' && p.s[0] != '-' && p.s[0] != 'Z'):
		return ""
	case c.verb == 'K' && p.literal('Z'):
	default:
		least, minutes := 2, c.verb == 'K' || c.n >= 3
		if c.verb == 'z' && c.n == 1 {
			least = 1
		}
		var ok bool
		if offset, ok = p.offset(least, minutes); !ok {
			return "an offset such as " + [...]string{"+2", "+02", "+02:00"}[min(c.n+2*b2i(c.verb == 'K'), 3)-1]
		}
	}
	if x.zoned && x.offset != offset {
		return "the same offset as before"
	}
	x.zoned, x.offset = true, offset
	return ""
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// instant puts the parts together.
func (x *exact) instant(style Style, now Ticks) (Ticks, error) {
	if err := x.adjustHour(); err != nil {
		return 0, err
	}
	x.completeDate(style, now)
	if x.hour > 23 || x.minute > 59 || x.second > 59 {
		return 0, fmt.Errorf("there is no time %02d:%02d:%02d", max(x.hour, 0), max(x.minute, 0), max(x.second, 0))
	}
	timeOfDay := Ticks(max(x.hour, 0))*Hour + Ticks(max(x.minute, 0))*Minute + Ticks(max(x.second, 0))*Second + max(x.fraction, 0)
	t, ok := OfDate(x.year, x.month, x.day, timeOfDay)
	if !ok {
		return 0, fmt.Errorf("there is no day %04d-%02d-%02d", x.year, x.month, x.day)
	}
	if x.weekday >= 0 && int(t.Time().Weekday()) != x.weekday {
		return 0, fmt.Errorf("%04d-%02d-%02d is no %s", x.year, x.month, x.day, days[x.weekday])
	}
	if t -= x.offset; !t.Valid() {
		return 0, fmt.Errorf("the instant lies outside of the years 1 to 9999")
	}
	return t, nil
}

// adjustHour turns twelve hours into twenty-four; h without AM or PM is the morning.
func (x *exact) adjustHour() error {
	switch {
	case x.twelve && x.hour > 12:
		return fmt.Errorf("the hour %d is not one of twelve", x.hour)
	case x.twelve:
		x.hour = x.hour%12 + 12*max(x.half, 0)
	case x.half >= 0 && x.hour >= 0 && x.hour/12 != x.half:
		return fmt.Errorf("the hour %d is not %s", x.hour, halves[x.half])
	}
	return nil
}

// completeDate fills in what the format does not name: today, or the first day of the month or year that it names.
func (x *exact) completeDate(style Style, now Ticks) {
	today := now.Time()
	if x.year < 0 && x.month < 0 && x.day < 0 {
		x.year, x.month, x.day = today.Year(), int(today.Month()), today.Day()
		if style&NoCurrentDateDefault != 0 {
			x.year, x.month, x.day = 1, 1, 1
		}
		return
	}
	if x.year < 0 {
		x.year = today.Year()
	}
	if x.month < 0 {
		x.month = 1
	}
	if x.day < 0 {
		x.day = 1
	}
}
