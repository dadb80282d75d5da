package dotnet

import (
	"fmt"
	"strconv"
	"strings"
)

// Layout is a custom date and time format string of .NET, such as yyyy-MM-dd, or a standard one of a single letter.
type Layout struct {
	pieces []piece
}

// piece is a run of one specifier, or literal text (verb 0).
type piece struct {
	verb byte
	n    int
	text string
}

// standard are the standard formats in the invariant culture.
var standard = map[byte]string{
	'd': "MM/dd/yyyy", 'D': "dddd, dd MMMM yyyy", 'f': "dddd, dd MMMM yyyy HH:mm", 'F': "dddd, dd MMMM yyyy HH:mm:ss",
	'g': "MM/dd/yyyy HH:mm", 'G': "MM/dd/yyyy HH:mm:ss", 'm': "MMMM dd", 'M': "MMMM dd", 'o': "yyyy-MM-dd'T'HH:mm:ss.fffffffK",
	'O': "yyyy-MM-dd'T'HH:mm:ss.fffffffK", 'r': "ddd, dd MMM yyyy HH:mm:ss 'GMT'", 'R': "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
	's': "yyyy-MM-dd'T'HH:mm:ss", 't': "HH:mm", 'T': "HH:mm:ss", 'u': "yyyy-MM-dd HH:mm:ss'Z'", 'U': "dddd, dd MMMM yyyy HH:mm:ss",
	'y': "yyyy MMMM", 'Y': "yyyy MMMM",
}

// maxLayout is how long a format string may be.
const maxLayout = 1000

// ParseLayout reads a format string. The error says what is wrong with it, without its text.
func ParseLayout(format string) (*Layout, error) {
	switch {
	case format == "":
		return nil, fmt.Errorf("is empty")
	case len(format) > maxLayout:
		return nil, fmt.Errorf("is longer than %d characters", maxLayout)
	case len(format) == 1:
		custom, ok := standard[format[0]]
		if !ok {
			return nil, fmt.Errorf("is no standard format; a single custom specifier is written with %%, such as %%d")
		}
		format = custom
	}
	l := &Layout{}
	for i := 0; i < len(format); {
		switch c := format[i]; c {
		case '\'', '"':
			end := strings.IndexByte(format[i+1:], c)
			if end < 0 {
				return nil, fmt.Errorf("has a quote that is not closed")
			}
			l.literal(strings.ReplaceAll(format[i+1:i+1+end], `\`, ""))
			i += end + 2
		case '\\':
			if i+1 == len(format) {
				return nil, fmt.Errorf("ends with a backslash")
			}
			l.literal(format[i+1 : i+2])
			i += 2
		case '%':
			if i+1 == len(format) || format[i+1] == '%' {
				return nil, fmt.Errorf("has a %% without a specifier behind it")
			}
			i++ // the specifier stands for itself
		case 'd', 'f', 'F', 'g', 'h', 'H', 'K', 'm', 'M', 's', 't', 'y', 'z', ':', '/':
			n := 1
			for c != 'K' && c != ':' && c != '/' && i+n < len(format) && format[i+n] == c {
				n++
			}
			if (c == 'f' || c == 'F') && n > 7 {
				return nil, fmt.Errorf("asks for %d digits of a second; .NET has 7", n)
			}
			l.pieces = append(l.pieces, piece{verb: c, n: n})
			i += n
		default:
			l.literal(format[i : i+1])
			i++
		}
	}
	return l, nil
}

func (l *Layout) literal(s string) {
	if n := len(l.pieces); n > 0 && l.pieces[n-1].verb == 0 {
		l.pieces[n-1].text += s
		return
	}
	l.pieces = append(l.pieces, piece{text: s})
}

var (
	months = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	days   = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	// shortMonths and shortDays are the abbreviated names of the invariant culture.
	shortMonths, shortDays = shorten(months), shorten(days)
)

func shorten(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = n[:3]
	}
	return out
}

// Format writes an instant in UTC; utc tells whether it is known to be UTC, which only the specifier K shows.
func (l *Layout) Format(t Ticks, utc bool) string {
	at := t.Time()
	b := make([]byte, 0, 32)
	for _, p := range l.pieces {
		switch p.verb {
		case 0:
			b = append(b, p.text...)
		case 'd':
			b = appendNamed(b, at.Day(), int(at.Weekday()), p.n, shortDays, days)
		case 'M':
			b = appendNamed(b, int(at.Month()), int(at.Month())-1, p.n, shortMonths, months)
		case 'y':
			year := at.Year()
			if p.n <= 2 {
				year %= 100
			}
			b = appendPadded(b, year, p.n)
		case 'h':
			b = appendPadded(b, (at.Hour()+11)%12+1, min(p.n, 2))
		case 'H':
			b = appendPadded(b, at.Hour(), min(p.n, 2))
		case 'm':
			b = appendPadded(b, at.Minute(), min(p.n, 2))
		case 's':
			b = appendPadded(b, at.Second(), min(p.n, 2))
		case 'f', 'F':
			b = appendFraction(b, t%Second, p)
		case 't':
			half := halves[at.Hour()/12]
			b = append(b, half[:min(p.n, 2)]...)
		case 'g':
			b = append(b, "A.D."...)
		case 'K':
			if utc {
				b = append(b, 'Z')
			}
		case 'z':
			b = append(b, [...]string{"+0", "+00", "+00:00"}[min(p.n, 3)-1]...)
		default: // : and /, the separators of the invariant culture
			b = append(b, p.verb)
		}
	}
	return string(b)
}

// appendNamed writes a day or month as number, with n up to 2, or as short or long name.
func appendNamed(b []byte, number, index, n int, short, long []string) []byte {
	switch {
	case n <= 2:
		return appendPadded(b, number, n)
	case n == 3:
		return append(b, short[index]...)
	}
	return append(b, long[index]...)
}

// appendFraction writes the digits of a second; F leaves out zeros at the end, and the point before if nothing is left.
func appendFraction(b []byte, t Ticks, p piece) []byte {
	digits := string(appendPadded(nil, int(t), 7))[:p.n]
	if p.verb == 'F' {
		digits = strings.TrimRight(digits, "0")
		if n := len(b); digits == "" && n > 0 && b[n-1] == '.' {
			return b[:n-1]
		}
	}
	return append(b, digits...)
}

// Style is the .NET DateTimeStyles: how a text may depart from its format, and what it means.
type Style uint8

// The styles.
const (
	AllowLeadingWhite Style = 1 << iota
	AllowTrailingWhite
	AllowInnerWhite
	NoCurrentDateDefault
	AdjustToUniversal
	AssumeLocal
	AssumeUniversal
	RoundtripKind

	DefaultStyle = RoundtripKind | AllowLeadingWhite | AllowTrailingWhite
)

var styleNames = map[string]Style{
	"none": 0, "allowleadingwhite": AllowLeadingWhite, "allowtrailingwhite": AllowTrailingWhite, "allowinnerwhite": AllowInnerWhite,
	"allowwhitespaces": AllowLeadingWhite | AllowTrailingWhite | AllowInnerWhite, "nocurrentdatedefault": NoCurrentDateDefault,
	"adjusttouniversal": AdjustToUniversal, "assumelocal": AssumeLocal, "assumeuniversal": AssumeUniversal, "roundtripkind": RoundtripKind,
}

// ParseStyle reads style names separated by commas. The error says what is wrong.
func ParseStyle(names string) (Style, error) {
	var s Style
	for name := range strings.SplitSeq(names, ",") {
		one, ok := styleNames[strings.ToLower(strings.TrimSpace(name))]
		if !ok {
			return 0, fmt.Errorf("%s is no DateTimeStyles; expected names such as AllowWhiteSpaces, separated by commas", strconv.Quote(strings.TrimSpace(name)))
		}
		s |= one
	}
	switch {
	case s&AssumeLocal != 0 && s&AssumeUniversal != 0:
		return 0, fmt.Errorf("AssumeLocal and AssumeUniversal exclude each other")
	case s&RoundtripKind != 0 && s&(AssumeLocal|AssumeUniversal|AdjustToUniversal) != 0:
		return 0, fmt.Errorf("RoundtripKind excludes AssumeLocal, AssumeUniversal and AdjustToUniversal")
	}
	return s, nil
}
