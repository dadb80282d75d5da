package expr

import (
	"io"
	"strings"
	"time"
)

// Env is what an evaluation may ask for. It serves one evaluation at a time; a later one may use it again.
type Env struct {
	// Attribute returns a source attribute; known is false when there is none of that name.
	Attribute func(name string) (v Value, known bool)
	// Names lists the source attributes, for a suggestion when one is unknown; nil: no suggestion.
	Names func() []string
	Now   time.Time // for Now(), which shows whole seconds
	// DefaultDomain is the tenant's default verified domain.
	DefaultDomain string
	// Rand gives the random bytes of a purpose; the same purpose gives the same bytes. nil: a stream that depends on the
	// purpose alone.
	Rand func(purpose string) io.Reader
	// Taken tells SelectUniqueValue whether another object of the target holds a value already, without regard to case.
	// Its error ends the evaluation and comes back from Eval as it is. nil: nothing is taken.
	Taken func(value string) (bool, error)

	state state
}

// Limits of one evaluation, so that no expression and no input can hang the service or use up its memory. What people
// write stays far below.
const (
	maxText = 1 << 20  // bytes of a text that a function makes
	maxWork = 32 << 20 // bytes that the functions of one evaluation read and write
)

// state is what one evaluation keeps.
type state struct {
	stack    []Value   // the arguments of the calls that are under way
	work     int       // bytes read and written so far
	draws    int       // random values drawn so far
	regex    time.Time // when the first regular expression began to match
	warnings []Warning
}

func (s *state) reset() {
	s.stack = s.stack[:0]
	s.work, s.draws, s.regex, s.warnings = 0, 0, time.Time{}, nil
}

// Eval evaluates the expression. The error is an *Error, or what Env.Taken returned.
func (e *Expr) Eval(env *Env) (Result, error) {
	if e.direct == "" { // one attribute keeps nothing in the Env
		env.state.reset()
	} else {
		env.state.warnings = nil
	}
	v, bad := e.eval(env)
	if bad != nil {
		if bad.cause != nil {
			return Result{}, bad.cause
		}
		return Result{}, bad.located(e.Root)
	}
	switch v.kind {
	case kindIgnoreFlow:
		return Result{IgnoreFlow: true, Warnings: env.state.warnings}, nil
	case kindIgnoreObject:
		return Result{IgnoreObject: true, Warnings: env.state.warnings}, nil
	case KindDate: // a date is no type of an attribute: it becomes its text (CDate)
		text := String(v.Text())
		text.redacted = v.redacted
		v = text
	}
	return Result{Value: v, Warnings: env.state.warnings}, nil
}

// Result is what an expression yields.
type Result struct {
	Value        Value // may be marked as redacted
	IgnoreFlow   bool  // the attribute is left out of this object's flow, its default value too
	IgnoreObject bool  // the object is left out
	Warnings     []Warning
}

// Warning is something that works here but is better not relied on.
type Warning struct {
	Message  string `json:"message"`
	Position int    `json:"position"` // in characters, from 1
	Function string `json:"function,omitempty"`
}

// Attributes are source attributes by name, for evaluations outside of a directory.
type Attributes map[string]Value

// Attribute finds one: the exact spelling first, then without regard to case; directory extensions
// (extension_<appId>_<name>) have to match exactly (customize-application-attributes.md). What is not there is null.
func (a Attributes) Attribute(name string) (v Value, known bool) {
	if v, ok := a[name]; ok {
		return v, true
	}
	if strings.HasPrefix(name, "extension_") {
		return Null, true
	}
	// Of several that differ in case the first in order of the alphabet, so that the answer doesn't depend on the map.
	found := ""
	for n := range a {
		if strings.EqualFold(n, name) && !strings.HasPrefix(n, "extension_") && (found == "" || n < found) {
			found = n
		}
	}
	if found == "" {
		return Null, true
	}
	return a[found], true
}
