// Package cases reads files of cases for the expression language, plays them and reports what differs: an expression, the
// source attributes it reads, and what it has to yield. It is how people test their mappings, and how this program's own
// table of published expressions is tested.
//
// A file is a JSON array of objects:
//
//	id             names the case
//	expression     the mapping expression
//	inputs         object: attribute -> text, integer, Boolean, list of text, list of role assignments, or null
//	expected       text, Boolean, integer (beyond 2^53 as text), list, null, or one of the objects
//	               {"error": kind}  {"ignoreFlow": true}  {"ignoreObject": true}  {"matches": .NET pattern}
//	now            optional: the clock, RFC 3339
//	taken          optional: values that other objects of the target hold, for SelectUniqueValue
//	defaultDomain  optional: for DefaultDomain()
//	function, source, note   optional: for the reader
package cases

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/dlclark/regexp2"

	"entrasim/sim/expr"
)

// Case is one expression with what it has to yield.
type Case struct {
	ID            string
	Function      string // what it is about; "" when the file does not say
	Expression    string
	Inputs        expr.Attributes
	Now           time.Time // zero: the file does not say
	Taken         []string
	DefaultDomain string // "": the file does not say
	Source        string // a page
	Note          string
	Line          int // in its file, from 1

	expected expectation
}

// expectation is what a case expects: exactly one of the members.
type expectation struct {
	value   []byte // JSON as json.Marshal writes it
	kind    expr.ErrorKind
	ignore  string // ignoreFlow or ignoreObject
	matches *regexp2.Regexp
}

// Defaults are what a case takes that does not say otherwise.
type Defaults struct {
	Now           time.Time
	DefaultDomain string
}

// Outcome is what came of a case.
type Outcome struct {
	Passed         bool
	Expected, Seen string      // for people, in JSON
	Err            *expr.Error // when the expression failed
}

// Play evaluates a case.
func Play(c Case, d Defaults) Outcome {
	env := &expr.Env{Attribute: c.Inputs.Attribute, Now: c.Now, DefaultDomain: c.DefaultDomain, Taken: Taken(c.Taken)}
	if env.Now.IsZero() {
		env.Now = d.Now
	}
	if env.DefaultDomain == "" {
		env.DefaultDomain = d.DefaultDomain
	}
	o := Outcome{Expected: c.expected.String()}
	var r expr.Result
	e, err := expr.Parse(c.Expression)
	if err == nil {
		r, err = e.Eval(env)
	}
	if err != nil {
		bad, ok := err.(*expr.Error)
		if !ok { // Taken gives none
			bad = &expr.Error{Message: err.Error()}
		}
		o.Err, o.Seen = bad, compact(map[string]any{"error": bad.Kind})+" "+bad.Error()
		o.Passed = bad.Kind == c.expected.kind
		return o
	}
	o.Seen = Show(r)
	o.Passed = c.expected.met(r)
	return o
}

// Taken answers SelectUniqueValue from a list of values that are taken, without regard to case.
func Taken(list []string) func(string) (bool, error) {
	return func(value string) (bool, error) {
		for _, t := range list {
			if strings.EqualFold(t, value) {
				return true, nil
			}
		}
		return false, nil
	}
}

// Show writes a result as cases expect it: a value, or an object that says what is left out.
func Show(r expr.Result) string {
	switch {
	case r.IgnoreFlow:
		return compact(map[string]any{"ignoreFlow": true})
	case r.IgnoreObject:
		return compact(map[string]any{"ignoreObject": true})
	}
	return compact(r.Value)
}

// compact writes JSON on one line, without making <, > and & unreadable.
func compact(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // texts, numbers, lists and maps of them can always be written
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

func (x expectation) String() string {
	switch {
	case x.kind != "":
		return compact(map[string]any{"error": x.kind})
	case x.ignore != "":
		return compact(map[string]any{x.ignore: true})
	case x.matches != nil:
		return compact(map[string]any{"matches": x.matches.String()})
	}
	return compact(json.RawMessage(x.value))
}

func (x expectation) met(r expr.Result) bool {
	switch {
	case x.kind != "":
		return false
	case x.ignore != "":
		return x.ignore == "ignoreFlow" && r.IgnoreFlow || x.ignore == "ignoreObject" && r.IgnoreObject
	case r.IgnoreFlow || r.IgnoreObject:
		return false
	case x.matches != nil:
		ok, err := x.matches.MatchString(r.Value.Text())
		return ok && err == nil
	}
	seen, err := json.Marshal(r.Value)
	if err != nil {
		return false
	}
	return string(canonical(seen)) == string(x.value)
}

// canonical writes JSON anew, members in order, numbers beyond 2^53 as text.
func canonical(data []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil { // it was read as JSON before
		return data
	}
	out, err := json.Marshal(plain(v))
	if err != nil {
		return data
	}
	return out
}

func plain(v any) any {
	switch x := v.(type) {
	case json.Number:
		return expr.Of(x)
	case []any:
		for i := range x {
			x[i] = plain(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = plain(x[k])
		}
	}
	return v
}
