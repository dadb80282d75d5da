package expr

import (
	"testing"
)

// parse compiles an expression that has to be right.
func parse(t testing.TB, src string) *Expr {
	t.Helper()
	e, err := Parse(src)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return e
}

// eval evaluates an expression, or says what is wrong with it.
func eval(src string, attrs Attributes) (Result, error) {
	e, err := Parse(src)
	if err != nil {
		return Result{}, err
	}
	return e.Eval(&Env{Attribute: attrs.Attribute, DefaultDomain: "contoso.test"})
}
