package mapping

import (
	"fmt"
	"strings"

	"entrasim/directory"
	"entrasim/sim/expr"
)

// Problem is an error in a schema: where it is, what is wrong, and what to do about it.
type Problem struct {
	Path    string // JSON path, "$" for the whole document; "" when there is none
	Field   string // of the portal's form, when the error is about one: target, source, expression, type, match, …
	Message string // what and the cure, in whole sentences
	Err     error  // the cause, an *expr.Error for what is wrong with an expression; nil: none
}

// Error is the message with the JSON path in front.
func (p *Problem) Error() string {
	if p.Path == "" || p.Path == "$" {
		return p.Message
	}
	return p.Path + ": " + p.Message
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// As gives the problem as a *directory.Error with the code Invalid, so that outer rooms translate it as any refused value.
func (p *Problem) As(target any) bool {
	t, ok := target.(**directory.Error)
	if ok {
		*t = &directory.Error{Code: directory.Invalid, Property: p.Path, Message: p.Message}
	}
	return ok
}

// didYouMean names the closest of some names, as the end of a sentence; "" when none is close.
func didYouMean(name string, list []string, before, after string) string {
	best := expr.Nearest(name, list)
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s%s%s?", before, best, after)
}

// ended ends a sentence that didYouMean may have ended already.
func ended(s string) string {
	if strings.HasSuffix(s, "?") || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}
