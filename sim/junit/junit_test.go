package junit

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// TestWrite counts, and stays XML whatever the texts hold.
func TestWrite(t *testing.T) {
	odd := "a<b>&\"'\x00\x1b[31m\xff\uFFFE]]>\r\n\té"
	fault := &Fault{Message: odd, Text: odd}
	var b bytes.Buffer
	if err := Write(&b, odd, []Suite{
		{Name: odd, Took: 1500 * time.Millisecond, Cases: []Case{{Class: odd, Name: odd, File: odd, Line: 3, Time: Seconds(time.Second), Failure: fault, Out: odd}, {Name: "passed"}}},
		{Name: "two", Took: 250 * time.Millisecond, Cases: []Case{{Error: fault}, {Skipped: fault}}},
	}); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(b.String())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
	}
	for _, want := range []string{`tests="4" failures="1" errors="1" skipped="1" time="1.750"`, `tests="2" failures="1" errors="0" skipped="0" time="1.500"`, `line="3" time="1.000"`, `<testcase classname="" name="passed"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is missing in\n%s", want, b.String())
		}
	}
}
