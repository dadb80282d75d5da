package expr

import "fmt"

// ErrorKind classifies what is wrong with an expression. Kinds up to tooLong are found when it is parsed, and regex when the
// pattern is a constant.
type ErrorKind string

// The kinds of errors; the names are this program's own.
const (
	ErrSyntax          ErrorKind = "syntax"
	ErrUnknownFunction ErrorKind = "unknownFunction"
	ErrArgumentCount   ErrorKind = "argumentCount"
	ErrMissingArgument ErrorKind = "missingArgument" // a required slot was left empty
	ErrPlacement       ErrorKind = "placement"       // SelectUniqueValue inside of something
	ErrTooLong         ErrorKind = "tooLong"         // the expression, or a text that it makes

	ErrType        ErrorKind = "type"  // no number, no Boolean
	ErrRange       ErrorKind = "range" // a number or word outside of what is allowed
	ErrRegex       ErrorKind = "regex" // a pattern that .NET refuses, or that took too long
	ErrDate        ErrorKind = "date"
	ErrCustom      ErrorKind = "custom"    // Error()
	ErrNotUnique   ErrorKind = "notUnique" // every value of SelectUniqueValue is taken
	ErrUnknownName ErrorKind = "unknownAttribute"
)

// ErrorKinds lists the kinds of errors.
func ErrorKinds() []ErrorKind {
	return []ErrorKind{ErrSyntax, ErrUnknownFunction, ErrArgumentCount, ErrMissingArgument, ErrPlacement, ErrTooLong, ErrType, ErrRange, ErrRegex,
		ErrDate, ErrCustom, ErrNotUnique, ErrUnknownName}
}

// Error is an error in an expression. Position counts characters from 1.
type Error struct {
	Kind     ErrorKind `json:"kind"`
	Message  string    `json:"message"`
	Position int       `json:"position"`
	Function string    `json:"function"` // in whose call it is; "" outside of calls

	cause  error // of Env.Taken, which Eval returns in place of this one
	inside *Node // the call whose argument is wrong; nil: what stands at Position
}

// located fills in the function that the error is in: the innermost call at its position, or around it.
func (e *Error) located(root *Node) *Error {
	if e == nil || e.Function != "" {
		return e
	}
	var around func(n *Node, function string) bool
	around = func(n *Node, function string) bool {
		if n.Kind == NodeCall {
			function = n.Name
		}
		if n == e.inside || e.inside == nil && n.Position == e.Position {
			e.Function = function
			return true
		}
		for _, a := range n.Args {
			if around(a, function) {
				return true
			}
		}
		return false
	}
	around(root, "")
	return e
}

func (e *Error) Error() string {
	if e.Function != "" {
		return fmt.Sprintf("%s at position %d in %s: %s", e.Kind, e.Position, e.Function, e.Message)
	}
	return fmt.Sprintf("%s at position %d: %s", e.Kind, e.Position, e.Message)
}
