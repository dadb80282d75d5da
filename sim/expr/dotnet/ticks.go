// Package dotnet holds what .NET does with dates and with upper and lower case, as far as mapping expressions show it: the
// service that evaluates them is written in .NET, and its functions hand their arguments to .NET's.
//
// Everything is invariant culture unless a function takes another. The room knows nothing of expressions.
package dotnet

import (
	"strconv"
	"time"
)

// Ticks counts 100 nanoseconds since 0001-01-01T00:00:00Z, as DateTime does. Values outside 0 to MaxTicks are no dates.
type Ticks int64

// Lengths of time in ticks, and the last instant of year 9999.
const (
	Second   Ticks = 10_000_000
	Minute         = 60 * Second
	Hour           = 60 * Minute
	Day            = 24 * Hour
	MaxTicks       = 3_652_059*Day - 1
)

// fileTimeEpoch is 1601-01-01, where Windows file times begin.
const fileTimeEpoch Ticks = 584_388 * Day

// unixEpoch is 1970-01-01.
const unixEpoch Ticks = 719_162 * Day

// TicksOf converts an instant; what lies below 100 nanoseconds is cut.
func TicksOf(t time.Time) Ticks {
	return unixEpoch + Ticks(t.Unix())*Second + Ticks(t.Nanosecond()/100)
}

// Time converts to an instant in UTC.
func (t Ticks) Time() time.Time {
	t -= unixEpoch
	sec, rest := t/Second, t%Second
	if rest < 0 {
		sec, rest = sec-1, rest+Second
	}
	return time.Unix(int64(sec), int64(rest)*100).UTC()
}

// Valid reports whether the instant lies in the years 1 to 9999.
func (t Ticks) Valid() bool { return t >= 0 && t <= MaxTicks }

// OfDate makes the instant of a date and a time of day in UTC; ok is false when there is no such date.
func OfDate(year, month, day int, timeOfDay Ticks) (t Ticks, ok bool) {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > DaysIn(year, month) {
		return 0, false
	}
	return TicksOf(time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)) + timeOfDay, true
}

// DaysIn is how many days a month has.
func DaysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// String writes M/d/yyyy h:mm:ss tt, how the invariant culture of the service shows a date.
func (t Ticks) String() string {
	at := t.Time()
	b := make([]byte, 0, 24)
	b = strconv.AppendInt(b, int64(at.Month()), 10)
	b = append(b, '/')
	b = strconv.AppendInt(b, int64(at.Day()), 10)
	b = append(b, '/')
	b = appendPadded(b, at.Year(), 4)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64((at.Hour()+11)%12+1), 10)
	b = append(b, ':')
	b = appendPadded(b, at.Minute(), 2)
	b = append(b, ':')
	b = appendPadded(b, at.Second(), 2)
	if at.Hour() < 12 {
		return string(append(b, " AM"...))
	}
	return string(append(b, " PM"...))
}

// appendPadded writes a number with leading zeros.
func appendPadded(b []byte, n, width int) []byte {
	s := strconv.Itoa(n)
	for range width - len(s) {
		b = append(b, '0')
	}
	return append(b, s...)
}

// FileTime is the Windows file time of an instant: 100 nanoseconds since 1601-01-01; ok is false before that.
func (t Ticks) FileTime() (n int64, ok bool) {
	return int64(t - fileTimeEpoch), t >= fileTimeEpoch
}

// OfFileTime is the instant of a Windows file time; ok is false for a negative one and beyond year 9999.
func OfFileTime(n int64) (t Ticks, ok bool) {
	if n < 0 || n > int64(MaxTicks-fileTimeEpoch) {
		return 0, false
	}
	return fileTimeEpoch + Ticks(n), true
}
