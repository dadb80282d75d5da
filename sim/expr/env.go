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

// state is what one evaluation keeps.
type state struct {
	warnings []Warning
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
