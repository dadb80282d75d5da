package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"entrasim/sim/expr"
	"entrasim/sim/expr/cases"
)

func TestExplain(t *testing.T) {
	const src = `Append([日本], Mid([mail], 0, 1))`
	e, err := expr.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Eval(&expr.Env{Attribute: expr.Attributes{"日本": expr.String("x")}.Attribute})
	var bad *expr.Error
	if !errors.As(err, &bad) {
		t.Fatal(err)
	}
	var b bytes.Buffer
	explain(&b, src, bad)
	want := "range at position 26 in Mid: start is 0; expected at least 1\n" + src + "\n" + strings.Repeat(" ", 27) + "^\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	if isTerminal(&b) {
		t.Error("a buffer is a terminal")
	}
}

// TestInputTooLarge holds that no more of a file is read than is taken.
func TestInputTooLarge(t *testing.T) {
	name := t.TempDir() + "/large.json"
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(cases.MaxFile*4), f.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := readFile(name)
	if err != nil || len(data) != cases.MaxFile+1 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	var u *usage
	if err := (&exprCmd{Args: []string{"[a]"}, Input: name}).Run(t.Context(), output{&bytes.Buffer{}, &bytes.Buffer{}}); !errors.As(err, &u) || !strings.Contains(u.message, "bytes; at most") {
		t.Errorf("got %v", err)
	}
	if err := (&exprCmd{Cases: []string{name}}).Run(t.Context(), output{&bytes.Buffer{}, &bytes.Buffer{}}); !errors.As(err, &u) || !strings.Contains(u.message, "bytes; at most") {
		t.Errorf("got %v", err)
	}
}
