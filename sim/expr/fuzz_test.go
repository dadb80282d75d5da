package expr

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"
	"unicode/utf8"
)

// seedFuzz adds every expression of the tests.
func seedFuzz(f *testing.F, add func(expression string)) {
	for _, c := range casesOf(f) {
		add(c.Expression)
	}
	for _, h := range hostile {
		if len(h.src) < 3000 && h.kind != ErrRegex { // patterns that use up their time would slow the rest down
			add(h.src)
		}
	}
}

// checkError holds what every error promises.
func checkError(t *testing.T, src string, err error) {
	t.Helper()
	var bad *Error
	if !errors.As(err, &bad) {
		t.Fatalf("%q: %T: %v", src, err, err)
	}
	if !slices.Contains(ErrorKinds(), bad.Kind) || bad.Message == "" && bad.Kind != ErrCustom {
		t.Fatalf("%q: %+v", src, bad)
	}
	if bad.Position < 1 || bad.Position > utf8.RuneCountInString(src)+1 {
		t.Fatalf("%q: position %d", src, bad.Position)
	}
	if caret := bad.Caret(src); !utf8.ValidString(caret) {
		t.Fatalf("%q: the place is shown as %q", src, caret)
	}
}

// FuzzParse holds that any text is either an error with a place or an expression that prints to itself.
func FuzzParse(f *testing.F) {
	seedFuzz(f, func(s string) { f.Add(s) })
	f.Fuzz(func(t *testing.T, src string) {
		e, err := Parse(src)
		if err != nil {
			checkError(t, src, err)
			return
		}
		printed := e.String()
		if utf8.RuneCountInString(printed) > MaxLength {
			return
		}
		again, err := Parse(printed)
		if err != nil {
			t.Fatalf("%q prints as %q, which is wrong: %v", src, printed, err)
		}
		if !sameNode(e.Root, again.Root) || again.String() != printed {
			t.Fatalf("%q prints as %q, which is another tree: %q", src, printed, again)
		}
		if len(src) < 500 { // the tree repeats the text at every level
			if _, err := json.Marshal(e.Tree()); err != nil {
				t.Fatalf("%q: %v", src, err)
			}
		}
	})
}

// FuzzEvaluate holds that evaluating ends with a value or an error with a place, twice the same.
func FuzzEvaluate(f *testing.F) {
	seedFuzz(f, func(s string) {
		f.Add(s, "John", "2025-01-15", int64(7))
		f.Add(s, "", "SMTP:a@contoso.test", int64(-1))
	})
	f.Add(`Replace([a], , [b], , "$1", , )`, "aab", "(a)+", int64(0))
	f.Add(`FormatDateTime([a], , [b], [b])`, "2025-01-02 03:04:05 PM", "yyyy-MM-dd hh:mm:ss tt", int64(0))
	f.Add(`CDate([a])`, "2025-01-02T03:04:05.678+01:00", "", int64(0))
	f.Add(`PCase([a], [b])`, "JOHN'S ÉCOLE 2ND", "-' ", int64(0))
	f.Add(`ConvertFromBase64([a], UTF8)`, "w6k=", "", int64(0))
	f.Fuzz(func(t *testing.T, src, a, b string, n int64) {
		e, err := Parse(src)
		if err != nil {
			return
		}
		lookup := func(name string) (Value, bool) {
			switch len(name) % 7 {
			case 0:
				return Null, true
			case 1:
				return String(a), true
			case 2:
				return List([]string{a, b, ""}), true
			case 3:
				return Number(n), true
			case 4:
				return Boolean(n > 0), true
			case 5:
				return Roles([]Role{{a, b, a + b}, {b, a, b}}), true
			}
			return String(b), name != "absent"
		}
		env := &Env{Attribute: lookup, DefaultDomain: "contoso.test", Taken: func(v string) (bool, error) { return v == a, nil }, Names: func() []string { return []string{"mail"} }}
		r, err := e.Eval(env)
		if err != nil {
			checkError(t, src, err)
		} else if _, err := json.Marshal(r.Value); err != nil {
			t.Fatalf("%q: %v", src, err)
		}
		again, errAgain := e.Eval(env)
		if slow := new(Error); errors.As(err, &slow) && slow.Kind == ErrRegex || errors.As(errAgain, &slow) && slow.Kind == ErrRegex {
			return // whether a pattern ends in time depends on the machine
		}
		if (err == nil) != (errAgain == nil) || !reflect.DeepEqual(r, again) {
			t.Fatalf("%q gives %+v, %v, then %+v, %v", src, r, err, again, errAgain)
		}
	})
}
