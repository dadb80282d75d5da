package dotnet

import "strings"

// Interval is a unit of DateAdd and DateDiff, as Visual Basic writes it.
type Interval string

// The intervals.
const (
	Years   Interval = "yyyy"
	Months  Interval = "m"
	Days    Interval = "d"
	Weeks   Interval = "ww"
	Hours   Interval = "h"
	Minutes Interval = "n"
	Seconds Interval = "s"
)

// IntervalOf finds an interval by its text, without regard to case.
func IntervalOf(text string) (i Interval, ok bool) {
	switch i := Interval(strings.ToLower(text)); i {
	case Years, Months, Days, Weeks, Hours, Minutes, Seconds:
		return i, true
	}
	return "", false
}

func (i Interval) length() Ticks {
	switch i {
	case Weeks:
		return 7 * Day
	case Days:
		return Day
	case Hours:
		return Hour
	case Minutes:
		return Minute
	}
	return Second
}

// Add moves an instant by n intervals. A month without that day gives its last day. ok is false beyond the years 1 to 9999.
func (t Ticks) Add(i Interval, n int64) (moved Ticks, ok bool) {
	months := n
	switch i {
	case Years:
		months = n * 12
		fallthrough
	case Months:
		if n > 120_000 || n < -120_000 { // more than all years there are
			return 0, false
		}
		at := t.Time()
		month := int64(at.Year())*12 + int64(at.Month()) - 1 + months
		if month < 12 || month >= 120_000 {
			return 0, false
		}
		year, m := int(month/12), int(month%12)+1
		return OfDate(year, m, min(at.Day(), DaysIn(year, m)), t%Day)
	}
	length := i.length()
	if most := int64(MaxTicks / length); n > most || n < -most {
		return 0, false
	}
	moved = t + Ticks(n)*length
	return moved, moved.Valid()
}

// Diff is how many intervals b lies after a, with the rules of Visual Basic's DateDiff: days and shorter units count what
// has passed, cut toward zero; months and years are those of the calendar; weeks are the Sundays between.
func Diff(i Interval, a, b Ticks) int64 {
	switch i {
	case Years:
		return int64(b.Time().Year() - a.Time().Year())
	case Months:
		x, y := a.Time(), b.Time()
		return int64(y.Year()-x.Year())*12 + int64(y.Month()) - int64(x.Month())
	case Weeks:
		return int64((sunday(b) - sunday(a)) / Day / 7)
	}
	return int64((b - a) / i.length())
}

// sunday moves an instant back to the Sunday on or before it, at the same time of day.
func sunday(t Ticks) Ticks { return t - Ticks(t.Time().Weekday())*Day }
