package dotnet

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func instant(t *testing.T, s string) Ticks {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return TicksOf(at)
}

func TestParseDate(t *testing.T) {
	for text, want := range map[string]string{
		"2020-03-16":                     "2020-03-16T00:00:00Z",
		"2020-03-16-07:00":               "2020-03-16T07:00:00Z",
		"2021-06-30+08:00":               "2021-06-29T16:00:00Z",
		"2020-03-16Z":                    "2020-03-16T00:00:00Z",
		"2009-06-15T01:45:30-07:00":      "2009-06-15T08:45:30Z",
		"2009-06-15t01:45":               "2009-06-15T01:45:00Z",
		"2009-06-15 01:45:30.1234567z":   "2009-06-15T01:45:30.1234567Z",
		"2009-06-15 01:45:30,5 +01:30":   "2009-06-15T00:15:30.5Z",
		"2009-06-15T01:45:30.123456789Z": "2009-06-15T01:45:30.1234567Z",
		" 2009-06-15 ":                   "2009-06-15T00:00:00Z",
		"3/4/2020":                       "2020-03-04T00:00:00Z",
		"03/04/2020 1:02":                "2020-03-04T01:02:00Z",
		"12/31/2025 12:00:00 AM":         "2025-12-31T00:00:00Z",
		"12/31/2025 12:00:00 PM":         "2025-12-31T12:00:00Z",
		"12/31/2025 11:59pm":             "2025-12-31T23:59:00Z",
		"1/2/0001":                       "0001-01-02T00:00:00Z",
		"9999-12-31T23:59:59.9999999Z":   "9999-12-31T23:59:59.9999999Z",
	} {
		if got, ok := ParseDate(text); !ok || got != instant(t, want) {
			t.Errorf("%q is %s, %v, want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "2020", "2020-3-16", "2020-03", "2020-02-30", "0000-01-01", "2020-03-16T", "2020-03-16T24:00", "2020-03-16T1:00", "2020-03-16T10:60",
		"2020-03-16T10:00:60", "2020-03-16T10:00:00.", "2020-03-16T10:00+15:00", "2020-03-16T10:00+1:00", "2020-03-16T10:00+01", "2020-03-16 x", "20200316", "16.03.2020", "3/16/20",
		"13/1/2020", "0/1/2020", "1/2/2020 25:00", "1/2/2020 13:00 PM", "1/2/2020 1:2", "1/2/2020 1:02Z", "March 16, 2020", "0001-01-01T00:00+01:00", "9999-12-31T23:59-01:00"} {
		if got, ok := ParseDate(text); ok {
			t.Errorf("%q is %s", text, got)
		}
	}
}

func TestAdd(t *testing.T) {
	for _, c := range []struct {
		from string
		i    Interval
		n    int64
		want string
	}{
		{"2012-03-16T07:00:00Z", Days, 7, "2012-03-23T07:00:00Z"}, {"2012-03-16T07:00:00Z", Weeks, 2, "2012-03-30T07:00:00Z"},
		{"2012-03-16T07:00:00Z", Months, 10, "2013-01-16T07:00:00Z"}, {"2012-03-16T07:00:00Z", Years, 2, "2014-03-16T07:00:00Z"},
		{"2023-01-31T00:00:00Z", Months, 1, "2023-02-28T00:00:00Z"}, {"2024-02-29T01:02:03Z", Years, -1, "2023-02-28T01:02:03Z"},
		{"2024-01-31T00:00:00Z", Months, -11, "2023-02-28T00:00:00Z"}, {"2024-01-01T00:00:00Z", Hours, -1, "2023-12-31T23:00:00Z"},
		{"2024-01-01T00:00:00Z", Minutes, 90, "2024-01-01T01:30:00Z"}, {"2024-01-01T00:00:00Z", Seconds, 86400, "2024-01-02T00:00:00Z"},
	} {
		if got, ok := instant(t, c.from).Add(c.i, c.n); !ok || got != instant(t, c.want) {
			t.Errorf("%s + %d %s is %s, %v, want %s", c.from, c.n, c.i, got, ok, c.want)
		}
	}
	for _, i := range []Interval{Years, Months, Weeks, Days, Hours, Minutes, Seconds} {
		for _, n := range []int64{1 << 62, -1 << 62, 1<<63 - 1, -1 << 63} {
			if got, ok := instant(t, "2024-01-01T00:00:00Z").Add(i, n); ok {
				t.Errorf("%d %s lead to %s", n, i, got)
			}
		}
	}
	if _, ok := Ticks(0).Add(Seconds, -1); ok {
		t.Error("there is a second before the first year")
	}
	if _, ok := MaxTicks.Add(Months, 1); ok {
		t.Error("there is a month behind the last year")
	}
}

// The figures of functions-for-customizing-application-data.md, DateDiff, and the edges of each rule.
func TestDiff(t *testing.T) {
	for _, c := range []struct {
		i    Interval
		a, b string
		want int64
	}{
		{Days, "2021-08-25T17:41:18Z", "2012-03-16T07:00:00Z", -3449}, {Weeks, "2021-08-25T17:41:18Z", "2012-03-16T07:00:00Z", -493},
		{Months, "2021-08-25T17:41:18Z", "2012-03-16T07:00:00Z", -113}, {Years, "2021-08-25T17:41:18Z", "2012-03-16T07:00:00Z", -9},
		{Days, "2024-01-01T12:00:00Z", "2024-01-02T11:59:59Z", 0}, {Days, "2024-01-02T11:59:59Z", "2024-01-01T12:00:00Z", 0},
		{Hours, "2024-01-01T00:00:00Z", "2024-01-01T01:59:59Z", 1}, {Minutes, "2024-01-01T00:00:59Z", "2024-01-01T00:00:00Z", 0},
		{Seconds, "2024-01-01T00:00:00Z", "2024-01-01T00:00:01.9Z", 1}, {Years, "2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z", 1},
		{Weeks, "2025-07-26T00:00:00Z", "2025-07-27T00:00:00Z", 1}, {Weeks, "2025-07-27T00:00:00Z", "2025-08-02T23:00:00Z", 0},
		// A later time of day counts against the week, as Visual Basic keeps it.
		{Weeks, "2025-07-26T12:00:00Z", "2025-07-27T00:00:00Z", 0},
	} {
		if got := Diff(c.i, instant(t, c.a), instant(t, c.b)); got != c.want {
			t.Errorf("%s from %s to %s is %d, want %d", c.i, c.a, c.b, got, c.want)
		}
	}
	if i, ok := IntervalOf("YYYY"); i != Years || !ok {
		t.Error("intervals mind case")
	}
	if _, ok := IntervalOf("q"); ok {
		t.Error("quarters")
	}
}

// TestLayoutRoundTrip holds that what a full layout writes it reads back.
func TestLayoutRoundTrip(t *testing.T) {
	layouts := []string{"o", "yyyy-MM-ddTHH:mm:ss.fffffff", "dddd, d MMMM yyyy h:m:s.fffffff tt", "yyyyMMddHHmmssfffffff", "MMM d yyyy, HH 'h' mm 'm' ss.FFFFFFF", "ddd dd/MM/yyyy hh:mm:ss.fffffff tt zzz"}
	rapid.Check(t, func(r *rapid.T) {
		at := Ticks(rapid.Int64Range(0, int64(MaxTicks)).Draw(r, "ticks"))
		l, err := ParseLayout(rapid.SampledFrom(layouts).Draw(r, "layout"))
		if err != nil {
			r.Fatal(err)
		}
		text := l.Format(at, true)
		got, _, err := l.Parse(text, DefaultStyle, 0)
		if err != nil || got != at {
			r.Fatalf("%s is written %q and read as %d, %v; want %d", at, text, got, err, at)
		}
	})
}

func TestFormat(t *testing.T) {
	at := instant(t, "2025-01-05T15:04:09.0120000Z")
	for layout, want := range map[string]string{
		"d": "01/05/2025", "D": "Sunday, 05 January 2025", "f": "Sunday, 05 January 2025 15:04", "F": "Sunday, 05 January 2025 15:04:09", "g": "01/05/2025 15:04",
		"G": "01/05/2025 15:04:09", "M": "January 05", "o": "2025-01-05T15:04:09.0120000Z", "R": "Sun, 05 Jan 2025 15:04:09 GMT", "s": "2025-01-05T15:04:09", "t": "15:04",
		"T": "15:04:09", "u": "2025-01-05 15:04:09Z", "U": "Sunday, 05 January 2025 15:04:09", "Y": "2025 January",
		"y yy yyy yyyy yyyyy": "25 25 2025 2025 02025", "M MM MMM MMMM": "1 01 Jan January", "d dd ddd dddd": "5 05 Sun Sunday", "h hh H HH": "3 03 15 15",
		"m mm s ss t tt": "4 04 9 09 P PM", "f ff fff fffffff": "0 01 012 0120000", "F FF FFF": " 01 012", "ss.F": "09", "ss.FFFFFF": "09.012", "K z zz zzz gg": "Z +0 +00 +00:00 A.D.",
		"%d": "5", `\d'd'"d"`: "ddd", "yyyy%M": "20251", "Zx!é": "Zx!é",
	} {
		l, err := ParseLayout(layout)
		if err != nil {
			t.Errorf("%s: %v", layout, err)
			continue
		}
		if got := l.Format(at, true); got != want {
			t.Errorf("%s writes %q, want %q", layout, got, want)
		}
	}
	for layout, want := range map[string]string{
		"": "is empty", "x": "is no standard format; a single custom specifier is written with %, such as %d", "yyyy'": "has a quote that is not closed", `yyyy\`: "ends with a backslash",
		"yyyy%": "has a % without a specifier behind it", "%%": "has a % without a specifier behind it", "ffffffff": "asks for 8 digits of a second; .NET has 7",
		strings.Repeat("y", 1001): "is longer than 1000 characters",
	} {
		if _, err := ParseLayout(layout); err == nil || err.Error() != want {
			t.Errorf("%.20q: %v, want %s", layout, err, want)
		}
	}
}

func TestParseExact(t *testing.T) {
	now := instant(t, "2025-07-30T12:00:00Z")
	for _, c := range []struct{ layout, text, want string }{
		{"yyyyMMddHHmmss.fZ", "20150123105347.1Z", "2015-01-23T10:53:47.1Z"},
		{"M/d/yyyy hh:mm:ss tt", "12/31/2025 12:00:00 AM", "2025-12-31T00:00:00Z"},
		{"M/d/yyyy h:mm:ss tt", "1/2/2025 3:04:05 pm", "2025-01-02T15:04:05Z"},
		{"yyyy-MM-ddzzz", "2020-12-31-08:00", "2020-12-31T08:00:00Z"},
		{"yyyy-MM-dd zz", "2020-12-31 +02", "2020-12-30T22:00:00Z"},
		{"yyyy-MM-dd z", "2020-12-31 +2", "2020-12-30T22:00:00Z"},
		{"yyyy-MM-ddK", "2020-12-31", "2020-12-31T00:00:00Z"},
		{"yyyy-MM-ddK", "2020-12-31+01:00", "2020-12-30T23:00:00Z"},
		{"HH:mm", "08:15", "2025-07-30T08:15:00Z"},
		{"MM-dd", "02-03", "2025-02-03T00:00:00Z"},
		{"yyyy", "2024", "2024-01-01T00:00:00Z"},
		{"MMMM yyyy", "march 2024", "2024-03-01T00:00:00Z"},
		{"d.M.y", "1.2.7", "2007-02-01T00:00:00Z"},
		{"dd.MM.yyyy gg", "01.02.2024 A.D.", "2024-02-01T00:00:00Z"},
		{"HH:mm:ss.FFF", "01:02:03", "2025-07-30T01:02:03Z"},
		{"hh:mm t", "01:02 P", "2025-07-30T13:02:00Z"},
		{"HH:mm tt", "13:02 PM", "2025-07-30T13:02:00Z"},
		{"yyyy-MM-dd yyyy", "2024-05-06 2024", "2024-05-06T00:00:00Z"},
		{" yyyy ", "2024", "2024-01-01T00:00:00Z"},
	} {
		l, err := ParseLayout(c.layout)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := l.Parse(c.text, DefaultStyle, now); err != nil || got != instant(t, c.want) {
			t.Errorf("%q as %q is %s, %v, want %s", c.text, c.layout, got, err, c.want)
		}
	}
	for _, c := range []struct{ layout, text, want string }{
		{"yyyy-MM-dd", "2024-5-06", "expected a month of 2 digits at \"5-06\""}, {"d", "1/2/2024", "expected a month of 2 digits at \"1/2/2024\""},
		{"%d", "x", "expected a day of one or two digits at \"x\""}, {"yyyy", "24", "expected a year of 4 digits at \"24\""}, {"yyyy-MM-dd", "2024-05-06T", "the format ends before \"T\""},
		{"yyyy-MM-dd", "2024-05", "expected \"-\" at the end"}, {"MMM", "abc", "expected the name of a month at \"abc\""}, {"tt", "xm", "expected AM or PM at \"xm\""},
		{"t", "x", "expected"}, {"fff", "12", "expected 3 digits of a second at \"12\""}, {"zzz", "Z", "expected an offset such as +02:00 at \"Z\""}, {"zz", "x", "expected an offset such as +02 at \"x\""},
		{"K yyyy", "+1:00 2024", "expected an offset such as +02:00"}, {"gg", "B.C.", "expected A.D. at \"B.C.\""}, {"yyyy-MM-dd", "2023-02-29", "there is no day 2023-02-29"},
		{"HH:mm", "24:00", "there is no time 24:00:00"}, {"hh", "13", "the hour 13 is not one of twelve"}, {"HH tt", "13 AM", "the hour 13 is not AM"}, {"ddd yyyy-MM-dd", "Mon 2025-01-05", "2025-01-05 is no Monday"},
		{"yyyy yyyy", "2024 2025", "expected the same year as before"}, {"zzz zzz", "+01:00 +02:00", "expected the same offset as before"}, {"fff fff", "001 002", "expected the same fraction as before"},
		{"yyyy-MM-dd zzz", "0001-01-01 +01:00", "the instant lies outside of the years 1 to 9999"}, {"yyyy-MM-dd", strings.Repeat("x", 30), "\"" + strings.Repeat("x", 20) + "…\""},
	} {
		l, err := ParseLayout(c.layout)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := l.Parse(c.text, DefaultStyle, now); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q as %q is %s, %v, want %s", c.text, c.layout, got, err, c.want)
		}
	}
}

func TestStyles(t *testing.T) {
	for _, c := range []struct {
		names string
		want  Style
		err   string
	}{
		{"None", 0, ""}, {"AllowWhiteSpaces", AllowLeadingWhite | AllowTrailingWhite | AllowInnerWhite, ""}, {" roundtripkind ,AllowInnerWhite", RoundtripKind | AllowInnerWhite, ""},
		{"AssumeUniversal, AdjustToUniversal", AssumeUniversal | AdjustToUniversal, ""}, {"Loosely", 0, `"Loosely" is no DateTimeStyles`}, {"", 0, `"" is no DateTimeStyles`},
		{"AssumeLocal,AssumeUniversal", 0, "exclude each other"}, {"RoundtripKind,AssumeLocal", 0, "RoundtripKind excludes"},
	} {
		got, err := ParseStyle(c.names)
		if c.err == "" && (err != nil || got != c.want) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%q is %b, %v; want %b, %s", c.names, got, err, c.want, c.err)
		}
	}
	l, err := ParseLayout("yyyy-MM-dd HH")
	if err != nil {
		t.Fatal(err)
	}
	for style, ok := range map[Style]bool{0: false, AllowLeadingWhite: false, AllowLeadingWhite | AllowTrailingWhite: false, AllowLeadingWhite | AllowTrailingWhite | AllowInnerWhite: true} {
		if _, _, err := l.Parse(" 2024 -01-02  03 ", style, 0); (err == nil) != ok {
			t.Errorf("white space with style %b: %v", style, err)
		}
	}
	l, err = ParseLayout("HH")
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := l.Parse("03", NoCurrentDateDefault, MaxTicks); err != nil || got != 3*Hour {
		t.Errorf("without the current date: %s, %v", got, err)
	}
	for text, want := range map[string]bool{"03": false} {
		if _, utc, err := l.Parse(text, DefaultStyle, 0); err != nil || utc != want {
			t.Errorf("%q is known to be UTC: %v, %v", text, utc, err)
		}
		if _, utc, err := l.Parse(text, AssumeUniversal, 0); err != nil || !utc {
			t.Errorf("%q assumed to be UTC: %v, %v", text, utc, err)
		}
	}
}

func FuzzLayout(f *testing.F) {
	for _, s := range [][2]string{{"yyyy-MM-dd", "2024-05-06"}, {"o", "2025-01-05T15:04:09.0120000Z"}, {"M/d/yyyy hh:mm:ss tt", "12/31/2025 12:00:00 AM"}, {"dddd'x'\\dK%z", "Sundayxd+01:00"}, {"ss.FFF", "1"}} {
		f.Add(s[0], s[1], int64(637185744001234567), uint8(DefaultStyle))
	}
	f.Fuzz(func(t *testing.T, layout, text string, ticks int64, style uint8) {
		l, err := ParseLayout(layout)
		if err != nil {
			return
		}
		if got, _, err := l.Parse(text, Style(style), 0); err == nil && !got.Valid() {
			t.Fatalf("%q as %q is %d", text, layout, got)
		}
		if at := Ticks(ticks); at.Valid() {
			l.Format(at, true)
		}
	})
}
