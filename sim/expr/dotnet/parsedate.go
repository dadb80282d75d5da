package dotnet

import "strings"

// ParseDate reads the texts that CDate takes: an ISO 8601 date, perhaps with a time behind T or a blank, a fraction, and Z
// or an offset, which may also stand right behind the date (2020-03-16-07:00); or M/d/yyyy, perhaps with h:mm[:ss] and AM
// or PM. Without an offset it is UTC.
func ParseDate(s string) (t Ticks, ok bool) {
	p := &reader{s: strings.TrimSpace(s)}
	year, month, day := 0, 0, 0
	iso := len(p.s) >= 5 && p.s[4] == '-'
	if iso {
		ok = p.digits(4, 4, &year) && p.literal('-') && p.digits(2, 2, &month) && p.literal('-') && p.digits(2, 2, &day)
	} else {
		ok = p.digits(1, 2, &month) && p.literal('/') && p.digits(1, 2, &day) && p.literal('/') && p.digits(4, 4, &year)
	}
	if !ok {
		return 0, false
	}
	var timeOfDay, offset Ticks
	if iso {
		if p.literal('T') || p.literal('t') || p.blanks() {
			if timeOfDay, ok = p.isoTime(); !ok {
				return 0, false
			}
		}
		if offset, ok = p.zone(); !ok {
			return 0, false
		}
	} else if p.blanks() {
		if timeOfDay, ok = p.clockTime(); !ok {
			return 0, false
		}
	}
	if p.s != "" {
		return 0, false
	}
	if t, ok = OfDate(year, month, day, timeOfDay-offset); !ok {
		return 0, false
	}
	return t, t.Valid()
}

// reader takes pieces off the front of a text. What it cannot take it leaves.
type reader struct{ s string }

// digits reads between least and most digits, as many as there are.
func (p *reader) digits(least, most int, n *int) bool {
	i, v := 0, 0
	for i < len(p.s) && i < most && p.s[i] >= '0' && p.s[i] <= '9' {
		v = v*10 + int(p.s[i]-'0')
		i++
	}
	if i < least {
		return false
	}
	*n, p.s = v, p.s[i:]
	return true
}

func (p *reader) literal(c byte) bool {
	if p.s == "" || p.s[0] != c {
		return false
	}
	p.s = p.s[1:]
	return true
}

// blanks takes one blank or more.
func (p *reader) blanks() bool {
	rest := strings.TrimLeft(p.s, " ")
	took := len(rest) < len(p.s)
	p.s = rest
	return took
}

// word takes the longest of some words that the text begins with, without regard to case, and returns its index; -1: none.
func (p *reader) word(words []string) int {
	found := -1
	for i, w := range words {
		if len(w) > 0 && len(p.s) >= len(w) && strings.EqualFold(p.s[:len(w)], w) && (found < 0 || len(w) > len(words[found])) {
			found = i
		}
	}
	if found >= 0 {
		p.s = p.s[len(words[found]):]
	}
	return found
}

// fraction reads the digits behind the point of a second; .NET keeps no more than seven.
func (p *reader) fraction() (t Ticks, ok bool) {
	unit, n := Second, 0
	for ; n < len(p.s) && p.s[n] >= '0' && p.s[n] <= '9'; n++ {
		unit /= 10
		t += Ticks(p.s[n]-'0') * unit
	}
	p.s = p.s[n:]
	return t, n > 0
}

func (p *reader) isoTime() (t Ticks, ok bool) {
	hour, minute, second := 0, 0, 0
	if !p.digits(2, 2, &hour) || !p.literal(':') || !p.digits(2, 2, &minute) {
		return 0, false
	}
	var fraction Ticks
	if p.literal(':') {
		if !p.digits(2, 2, &second) {
			return 0, false
		}
		if p.literal('.') || p.literal(',') {
			if fraction, ok = p.fraction(); !ok {
				return 0, false
			}
		}
	}
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return Ticks(hour)*Hour + Ticks(minute)*Minute + Ticks(second)*Second + fraction, true
}

// clockTime reads h:mm or h:mm:ss, with AM or PM or in 24 hours.
func (p *reader) clockTime() (t Ticks, ok bool) {
	hour, minute, second := 0, 0, 0
	if !p.digits(1, 2, &hour) || !p.literal(':') || !p.digits(2, 2, &minute) || p.literal(':') && !p.digits(2, 2, &second) {
		return 0, false
	}
	p.blanks()
	switch half := p.word(halves); {
	case half >= 0 && hour > 12:
		return 0, false
	case half >= 0:
		hour = hour%12 + 12*half
	}
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return Ticks(hour)*Hour + Ticks(minute)*Minute + Ticks(second)*Second, true
}

// halves are the halves of a day in the invariant culture.
var halves = []string{"AM", "PM"}

// zone reads Z, ±hh:mm or nothing.
func (p *reader) zone() (offset Ticks, ok bool) {
	p.blanks()
	if p.s == "" || p.literal('Z') || p.literal('z') {
		return 0, true
	}
	return p.offset(2, true)
}

// offset reads a sign, an hour of so many digits at least, and minutes.
func (p *reader) offset(least int, minutes bool) (offset Ticks, ok bool) {
	sign := Ticks(1)
	if p.literal('-') {
		sign = -1
	} else if !p.literal('+') {
		return 0, false
	}
	hour, minute := 0, 0
	if !p.digits(least, 2, &hour) {
		return 0, false
	}
	if minutes && (!p.literal(':') || !p.digits(2, 2, &minute)) {
		return 0, false
	}
	if hour > 14 || minute > 59 { // .NET knows no farther zone
		return 0, false
	}
	return sign * (Ticks(hour)*Hour + Ticks(minute)*Minute), true
}
