package expr

import (
	"strings"

	"entrasim/sim/expr/dotnet"
)

// date converts to a date: a date itself, or text that CDate takes.
func (c call) date(i int, v Value) (dotnet.Ticks, *Error) {
	if v.kind == KindDate {
		return v.ticks(), nil
	}
	t, ok := dotnet.ParseDate(v.Text())
	if !ok {
		return 0, c.failAt(i, ErrDate, "%s is %s; expected a date such as 2025-07-30, 2025-07-30T09:00:00Z or 7/30/2025 9:00:00 AM", c.parameter(i), describe(v))
	}
	return t, nil
}

func toDate(c call) (Value, *Error) {
	t, bad := c.date(0, c.args[0])
	if bad != nil {
		return Null, bad
	}
	return dateOf(t), nil
}

// now shows whole seconds.
func now(c call) (Value, *Error) {
	t := dotnet.TicksOf(c.env.Now)
	return dateOf(t - t%dotnet.Second), nil
}

func (c call) interval() (dotnet.Interval, *Error) {
	i, ok := dotnet.IntervalOf(c.text(0))
	if !ok {
		return "", c.failAt(0, ErrRange, "the interval is %s; expected yyyy, m, d, ww, h, n or s", describe(c.args[0]))
	}
	return i, nil
}

func dateAdd(c call) (Value, *Error) {
	interval, bad := c.interval()
	if bad != nil {
		return Null, bad
	}
	n, bad := c.integer(1)
	if bad != nil {
		return Null, bad
	}
	t, bad := c.date(2, c.args[2])
	if bad != nil {
		return Null, bad
	}
	moved, ok := t.Add(interval, n)
	if !ok {
		return Null, c.failAt(1, ErrRange, "value is %d; the date would lie outside of the years 1 to 9999", n)
	}
	return dateOf(moved), nil
}

func dateDiff(c call) (Value, *Error) {
	interval, bad := c.interval()
	if bad != nil || c.args[1].IsNull() || c.args[2].IsNull() {
		return Null, bad
	}
	from, bad := c.date(1, c.args[1])
	if bad != nil {
		return Null, bad
	}
	to, bad := c.date(2, c.args[2])
	if bad != nil {
		return Null, bad
	}
	return Number(dotnet.Diff(interval, from, to)), nil
}

func dateFromNum(c call) (Value, *Error) {
	n, bad := c.integer(0)
	if bad != nil {
		return Null, bad
	}
	t, ok := dotnet.OfFileTime(n)
	if !ok {
		return Null, c.failAt(0, ErrRange, "value is %d; a Windows file time is not negative and lies before the year 10000", n)
	}
	return dateOf(t), nil
}

func numFromDate(c call) (Value, *Error) {
	t, bad := c.date(0, c.args[0])
	if bad != nil {
		return Null, bad
	}
	n, ok := t.FileTime()
	if !ok {
		return Null, c.failAt(0, ErrRange, "value is %s; Windows file times begin in 1601", t)
	}
	return Number(n), nil
}

// The parameters of FormatDateTime.
const (
	formatSource = iota
	formatStyles
	formatInput
	formatOutput
)

// buildFormatDateTime reads formats that are constants once. They are not refused before a value comes, as only a function
// that is evaluated can fail.
func buildFormatDateTime(b building) (code, *Error) {
	at := func(i int) (string, bool) { // the arguments with the styles' slot, also in the older form
		if b.fn.isOlder(len(b.node.Args)) && i >= b.fn.without {
			return b.constant(i - 1)
		}
		return b.constant(i)
	}
	layouts := [formatOutput + 1]*dotnet.Layout{}
	for _, i := range []int{formatInput, formatOutput} {
		if format, ok := at(i); ok {
			if l, err := dotnet.ParseLayout(format); err == nil {
				layouts[i] = l
			}
		}
	}
	return eager(b.fn, b.node, b.args, func(c call) (Value, *Error) {
		return c.formatDateTime(layouts[formatInput], layouts[formatOutput])
	}), nil
}

func (c call) formatDateTime(in, out *dotnet.Layout) (Value, *Error) {
	source := c.args[formatSource]
	if source.IsEmpty() {
		return Null, nil
	}
	out, bad := c.layout(formatOutput, out)
	if bad != nil {
		return Null, bad
	}
	if source.kind == KindDate { // what is a date already needs no format to be read
		return String(out.Format(source.ticks(), true)), nil
	}
	if in, bad = c.layout(formatInput, in); bad != nil {
		return Null, bad
	}
	style := dotnet.DefaultStyle
	if names := c.text(formatStyles); strings.TrimSpace(names) != "" {
		var err error
		if style, err = dotnet.ParseStyle(names); err != nil {
			return Null, c.failAt(formatStyles, ErrRange, "%v", err)
		}
	}
	t, utc, err := in.Parse(source.Text(), style, dotnet.TicksOf(c.env.Now))
	if err != nil {
		return Null, c.failAt(formatSource, ErrDate, "%s is not in the format %s: %v", describe(source), describe(c.args[formatInput]), err)
	}
	return String(out.Format(t, utc)), nil
}

// layout is a format that was read before, or reads it now.
func (c call) layout(i int, ready *dotnet.Layout) (*dotnet.Layout, *Error) {
	if ready != nil {
		return ready, nil
	}
	l, err := dotnet.ParseLayout(c.text(i))
	if err != nil {
		return nil, c.failAt(i, ErrDate, "the format %s %v", describe(c.args[i]), err)
	}
	return l, nil
}
