package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"entrasim/sim/clock"
	"entrasim/sim/expr"
	"entrasim/sim/expr/cases"
)

// exprCmd evaluates one mapping expression, or plays files of cases.
type exprCmd struct {
	Args          []string `arg:"" optional:"" name:"expression" help:"The expression, in quotes for the shell; with --cases, more files."`
	Input         string   `help:"JSON object of source attributes; - reads it from standard input. What is not in it is null." placeholder:"FILE|-"`
	Now           string   `help:"The time that Now() shows, such as 2025-07-30T12:00:00Z; the present one by default." placeholder:"TIME"`
	DefaultDomain string   `name:"default-domain" default:"contoso.example" help:"The tenant's default domain, for DefaultDomain()." placeholder:"DOMAIN"`
	Taken         []string `sep:"none" help:"A value that another object of the target holds, for SelectUniqueValue; may be given several times." placeholder:"VALUE"`
	Cases         []string `sep:"none" help:"Play files of cases (id, expression, inputs, expected) and fail when one differs." placeholder:"FILE"`
	JUnit         string   `name:"junit" help:"Write a JUnit report of the cases." placeholder:"FILE"`
	Functions     bool     `help:"List the functions, or those that are named, with what they do."`
}

// Run evaluates or plays.
func (c *exprCmd) Run(ctx context.Context, o output) error {
	now := clock.Wall()
	if c.Now != "" {
		var err error
		if now, err = time.Parse(time.RFC3339Nano, c.Now); err != nil {
			return &usage{fmt.Sprintf("--now %s is no time", c.Now), "--now 2025-07-30T12:00:00Z is one"}
		}
	}
	if c.Functions {
		return c.list(o.out)
	}
	if len(c.Cases) > 0 {
		return c.play(ctx, o, cases.Defaults{Now: now, DefaultDomain: c.DefaultDomain})
	}
	switch {
	case c.JUnit != "":
		return &usage{"--junit reports on cases, and no file of them is named", "name it with --cases"}
	case len(c.Args) == 0:
		return &usage{"no expression is given", `entrasim expr 'Join(" ", [givenName], [surname])' --input user.json evaluates one`}
	case len(c.Args) > 1:
		return &usage{fmt.Sprintf("%d expressions are given; one is evaluated at a time", len(c.Args)), "put the expression into single quotes, so that the shell leaves it whole"}
	}
	return c.evaluate(o, c.Args[0], now)
}

// list prints the functions.
func (c *exprCmd) list(w io.Writer) error {
	functions := expr.Functions()
	if len(c.Args) > 0 {
		functions = nil
		for _, name := range c.Args {
			f, ok := expr.Lookup(name)
			if !ok {
				return &usage{fmt.Sprintf("there is no function %s", name), "entrasim expr --functions lists them"}
			}
			functions = append(functions, f)
		}
	}
	for _, f := range functions {
		if _, err := fmt.Fprintf(w, "%s: %s\n    %s\n", f.Signature(), f.Returns, f.Doc); err != nil {
			return err
		}
		for _, p := range f.Params {
			words := p.Kind.String()
			if p.Optional {
				words += ", optional; without it: " + p.Default
			}
			if _, err := fmt.Fprintf(w, "      %s  %s\n", p.Name, words); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(w, "    %s\n", f.Page); err != nil {
			return err
		}
	}
	return nil
}

// evaluate prints the result of an expression as one line of JSON. An error of the expression is a result too; the command
// then fails.
func (c *exprCmd) evaluate(o output, src string, now time.Time) error {
	attrs, err := c.attributes()
	if err != nil {
		return err
	}
	e, err := expr.Parse(src)
	var r expr.Result
	if err == nil {
		r, err = e.Eval(&expr.Env{
			Attribute: attrs.Attribute, Now: now, DefaultDomain: c.DefaultDomain, Taken: cases.Taken(c.Taken),
			Rand: func(string) io.Reader { return rand.Reader },
		})
	}
	var bad *expr.Error
	switch {
	case errors.As(err, &bad):
		if isTerminal(o.err) {
			explain(o.err, src, bad)
		}
		if err := printLine(o.out, map[string]any{"error": bad}); err != nil {
			return err
		}
		return errFailed
	case err != nil:
		return err
	}
	c.remark(o.err, e, r, attrs)
	if r.IgnoreFlow || r.IgnoreObject {
		_, err = fmt.Fprintln(o.out, cases.Show(r))
		return err
	}
	return printLine(o.out, map[string]any{"value": r.Value})
}

// attributes reads the source attributes.
func (c *exprCmd) attributes() (expr.Attributes, error) {
	var data []byte
	var err error
	name := c.Input
	switch name {
	case "":
		return expr.Attributes{}, nil
	case "-":
		name = "standard input"
		data, err = io.ReadAll(io.LimitReader(os.Stdin, cases.MaxFile+1))
	default:
		data, err = readFile(name)
	}
	if err != nil {
		return nil, &usage{fmt.Sprintf("can't read the input: %v", err), "--input FILE names a JSON object of source attributes; - is standard input"}
	}
	attrs, err := cases.ReadInputs(name, data)
	return attrs, asUsage(err)
}

// readFile reads a file, no more of it than cases takes.
func readFile(name string) (data []byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, cases.MaxFile+1))
}

// asUsage turns what is wrong with a file into an error of what was typed.
func asUsage(err error) error {
	var bad *cases.FileError
	if errors.As(err, &bad) {
		return &usage{bad.Error(), bad.Cure}
	}
	return err
}

// explain shows the place of an error to somebody who typed the expression.
func explain(w io.Writer, src string, bad *expr.Error) {
	fmt.Fprintf(w, "%v\n%s\n", bad, bad.Caret(src))
}

// remark says what else a person may want to know: warnings, and attributes that are misspelt rather than null.
func (c *exprCmd) remark(w io.Writer, e *expr.Expr, r expr.Result, attrs expr.Attributes) {
	for _, x := range r.Warnings {
		fmt.Fprintf(w, "warning: %s: %s\n", x.Function, x.Message)
	}
	names := make([]string, 0, len(attrs))
	for n := range attrs {
		names = append(names, n)
	}
	for _, n := range e.Attributes() {
		if v, _ := attrs.Attribute(n); !v.IsNull() {
			continue
		}
		if _, there := attrs[n]; there {
			continue
		}
		if near := expr.Nearest(n, names); near != "" {
			fmt.Fprintf(w, "note: the input has no [%s], which is null; did you mean [%s]?\n", n, near)
		}
	}
}

// printLine writes JSON on one line, as people read it.
func printLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// play plays files of cases; none is played when one of them is wrong.
func (c *exprCmd) play(ctx context.Context, o output, d cases.Defaults) error {
	if c.Input != "" || len(c.Taken) > 0 {
		return &usage{"--input and --taken belong to one expression; a case has its own", "write inputs and taken into the file of cases"}
	}
	var suites []cases.Suite
	for _, name := range append(append([]string(nil), c.Cases...), c.Args...) {
		data, err := readFile(name)
		if err != nil {
			return &usage{fmt.Sprintf("can't read the cases: %v", err), "--cases FILE names a JSON file of cases"}
		}
		list, err := cases.Read(name, data)
		if err != nil {
			return asUsage(err)
		}
		suites = append(suites, cases.Suite{File: name, Cases: list})
	}
	passed, failed := 0, 0
	for i := range suites {
		s := &suites[i]
		for _, one := range s.Cases {
			if ctx.Err() != nil {
				return fmt.Errorf("stopped after %d cases", passed+failed)
			}
			outcome := cases.Play(one, d)
			s.Outcomes = append(s.Outcomes, outcome)
			if outcome.Passed {
				passed++
				continue
			}
			failed++
			fmt.Fprintf(o.out, "%s:%d: %s\n  expression  %s\n  expected    %s\n  seen        %s\n", s.File, one.Line, one.ID, one.Expression, outcome.Expected, outcome.Seen)
		}
	}
	if c.JUnit != "" {
		if err := writeFile(c.JUnit, func(w io.Writer) error { return cases.WriteJUnit(w, suites) }); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(o.out, "%d passed, %d failed\n", passed, failed); err != nil {
		return err
	}
	if failed > 0 {
		return errFailed
	}
	return nil
}
