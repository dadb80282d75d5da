// Package expr is the expression language of attribute mappings, as
// functions-for-customizing-application-data.md describes it: a lexer, a parser that gives a tree which prints itself back,
// a table of functions, and closures that are compiled once for a mapping and evaluated for each object.
//
// It imports nothing of the other rooms. Start reading at Parse; to add a function, add a row to functions.go.
package expr

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"
)

// Kind of a value.
type ValueKind byte

// The kinds of values.
const (
	KindNull ValueKind = iota
	KindString
	KindBoolean
	KindNumber
	KindDate
	KindList
)

// Value is what an attribute holds or a function returns. The zero value is null: an attribute that is absent.
type Value struct {
	kind ValueKind
	text string
	num  int64
	when time.Time
	list []string
}

// Null is the absence of a value.
var Null Value

// String makes a text value; empty text is a value.
func String(s string) Value { return Value{kind: KindString, text: s} }

// Boolean makes a Boolean.
func Boolean(b bool) Value {
	v := Value{kind: KindBoolean}
	if b {
		v.num = 1
	}
	return v
}

// Number makes an integer.
func Number(n int64) Value { return Value{kind: KindNumber, num: n} }

// Date makes an instant.
func Date(t time.Time) Value { return Value{kind: KindDate, when: t.UTC()} }

// List makes a multi-valued text; it keeps the slice.
func List(list []string) Value { return Value{kind: KindList, list: list} }

// Kind returns the kind.
func (v Value) Kind() ValueKind { return v.kind }

// IsNull reports whether there is no value.
func (v Value) IsNull() bool { return v.kind == KindNull }

// IsEmpty reports whether there is no value, or only an empty text or list.
func (v Value) IsEmpty() bool {
	switch v.kind {
	case KindNull:
		return true
	case KindString:
		return v.text == ""
	case KindList:
		return len(v.list) == 0
	}
	return false
}

// IsList reports whether the value is multi-valued.
func (v Value) IsList() bool { return v.kind == KindList }

// List returns the values of a multi-valued one, else the text of the single one; nil for null.
func (v Value) List() []string {
	switch v.kind {
	case KindNull:
		return nil
	case KindList:
		return v.list
	}
	return []string{v.Text()}
}

// Bool is the Boolean of a Boolean value.
func (v Value) Bool() bool { return v.kind == KindBoolean && v.num == 1 }

// DateLayout is how a date becomes text: M/d/yyyy h:mm:ss tt.
const DateLayout = "1/2/2006 3:04:05 PM"

// Text is the text form: True or False, decimal digits, M/d/yyyy h:mm:ss tt, the first of several values, "" for null.
func (v Value) Text() string {
	switch v.kind {
	case KindString:
		return v.text
	case KindBoolean:
		if v.num == 1 {
			return "True"
		}
		return "False"
	case KindNumber:
		return strconv.FormatInt(v.num, 10)
	case KindDate:
		return v.when.Format(DateLayout)
	case KindList:
		if len(v.list) > 0 {
			return v.list[0]
		}
	}
	return ""
}

// integer converts to a whole number: a number, or text that is one.
func (v Value) integer() (int64, bool) {
	switch v.kind {
	case KindNumber, KindBoolean:
		return v.num, v.kind == KindNumber
	case KindNull:
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(v.Text()), 10, 64)
	return n, err == nil
}

// MarshalJSON writes text, Boolean, number, list or null.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case KindNull:
		return []byte("null"), nil
	case KindBoolean:
		return json.Marshal(v.num == 1)
	case KindNumber:
		return json.Marshal(v.num)
	case KindList:
		return json.Marshal(v.list)
	}
	return json.Marshal(v.Text())
}

// Of makes a value of what JSON or a directory holds: text, Booleans, numbers, times, lists of text, nil.
func Of(v any) Value {
	switch x := v.(type) {
	case nil:
		return Null
	case string:
		return String(x)
	case bool:
		return Boolean(x)
	case int:
		return Number(int64(x))
	case int64:
		return Number(x)
	case uint64:
		return Number(int64(x))
	case float64:
		if x == float64(int64(x)) {
			return Number(int64(x))
		}
		return String(strconv.FormatFloat(x, 'g', -1, 64))
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return Number(n)
		}
		return String(x.String())
	case time.Time:
		return String(x.UTC().Format(time.RFC3339))
	case []string:
		return List(x)
	case []any:
		list := make([]string, len(x))
		for i, e := range x {
			list[i] = Of(e).Text()
		}
		return List(list)
	}
	return Null
}

// Env is what an evaluation may ask for.
type Env struct {
	// Attribute returns a source attribute; known is false when there is none of that name.
	Attribute     func(name string) (v Value, known bool)
	Now           time.Time
	DefaultDomain string
	// Rand gives the random bytes of a purpose; the same purpose gives the same bytes.
	Rand func(purpose string) io.Reader
}

// Result is what an expression yields.
type Result struct {
	Value        Value
	IgnoreFlow   bool // the attribute is left out of this object's flow
	IgnoreObject bool // the object is left out
}
