package control

import (
	"strings"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for _, c := range []struct {
		text string
		want time.Duration
		err  string
	}{
		{"40m", 40 * time.Minute, ""},
		{"1h30m", 90 * time.Minute, ""},
		{"PT40M", 40 * time.Minute, ""},
		{"pt40m", 40 * time.Minute, ""},
		{"P30D", 720 * time.Hour, ""},
		{"P1W", 168 * time.Hour, ""},
		{"P1DT1S", 24*time.Hour + time.Second, ""},
		{"0s", 0, ""},
		{"-1h", 0, "never goes back"},
		{"-PT1H", 0, "never goes back"},
		{"P1M", 0, "no fixed length"},
		{"P1Y", 0, "no fixed length"},
		{"P999999999D", 0, "ends at"},
		{"forty minutes", 0, "expected a duration"},
		{"", 0, "expected a duration"},
	} {
		got, err := ParseDuration(c.text)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %v, %v; want %v, %q", c.text, got, err, c.want, c.err)
		}
	}
}
