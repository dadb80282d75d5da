package dotnet

import (
	"testing"
	"time"
)

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		at    string
		ticks Ticks
		text  string
	}{
		{"0001-01-01T00:00:00Z", 0, "1/1/0001 12:00:00 AM"},
		{"1970-01-01T00:00:00Z", 621355968000000000, "1/1/1970 12:00:00 AM"},
		{"2020-02-29T12:00:00.1234567Z", 637185744001234567, "2/29/2020 12:00:00 PM"},
		{"1969-12-31T23:59:59.9999999Z", 621355967999999999, "12/31/1969 11:59:59 PM"},
		{"9999-12-31T23:59:59.9999999Z", MaxTicks, "12/31/9999 11:59:59 PM"},
	} {
		at, err := time.Parse(time.RFC3339Nano, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := TicksOf(at); got != c.ticks {
			t.Errorf("%s: %d ticks, want %d", c.at, got, c.ticks)
		}
		if got := c.ticks.Time(); !got.Equal(at) {
			t.Errorf("%d ticks: %s, want %s", c.ticks, got, at)
		}
		if got := c.ticks.String(); got != c.text {
			t.Errorf("%s is written %q, want %q", c.at, got, c.text)
		}
	}
}

func TestFileTime(t *testing.T) {
	at, ok := OfDate(2012, 1, 1, 23*Hour)
	if !ok {
		t.Fatal("no such date")
	}
	n, ok := at.FileTime()
	if n != 129699324000000000 || !ok { // functions-for-customizing-application-data.md, DateFromNum
		t.Errorf("file time %d, %v", n, ok)
	}
	if back, ok := OfFileTime(n); back != at || !ok {
		t.Errorf("back: %s, %v", back, ok)
	}
	if _, ok := OfFileTime(-1); ok {
		t.Error("a negative file time is a date")
	}
	if _, ok := OfFileTime(1<<63 - 1); ok {
		t.Error("a file time beyond year 9999 is a date")
	}
	if _, ok := (fileTimeEpoch - 1).FileTime(); ok {
		t.Error("a date before 1601 has a file time")
	}
	if _, ok := OfDate(2023, 2, 29, 0); ok {
		t.Error("there is a 29 February 2023")
	}
}
