// Package expr is the expression language of attribute mappings, as functions-for-customizing-application-data.md
// describes it: a lexer, a parser that gives a tree which prints itself back, one table of functions, and closures that are
// compiled once for a mapping and evaluated for each object.
//
// It imports no other room. Start reading at Parse; to add a function, add a row to table.go. What .NET does with dates
// and with upper and lower case stands in the room dotnet.
package expr

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"entrasim/sim/expr/dotnet"
)

// ValueKind is the kind of a value.
type ValueKind uint8

// The kinds of values.
const (
	KindNull      ValueKind = iota
	KindString              // Unicode text; "" is a value
	KindBoolean             // True or False
	KindNumber              // 64-bit integer
	KindDate                // an instant in UTC, which becomes text at the end of a mapping
	KindReference           // manager, members: an object id
	KindList                // multi-valued text
	KindRoles               // role assignments, as attribute or in one of the two complex forms

	// What follows never leaves the room.
	kindAbsent       // the slot of an argument was left empty
	kindIgnoreFlow   // drop this attribute
	kindIgnoreObject // drop this object
)

// Value is what an attribute holds or a function returns. The zero value is null: an attribute that is absent. A value
// does not change once it is made.
type Value struct {
	kind     ValueKind
	redacted bool
	num      int64 // Boolean, number, ticks of a date, form of roles
	text     string
	multi    *multi
}

// multi holds what only multi-valued ones have, so that a Value fits into registers.
type multi struct {
	texts []string
	roles []Role
}

// Null is the absence of a value.
var Null Value

var (
	absent       = Value{kind: kindAbsent}
	ignoreFlow   = Value{kind: kindIgnoreFlow}
	ignoreObject = Value{kind: kindIgnoreObject}
)

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

// Date makes an instant, to the 100 nanoseconds that .NET keeps.
func Date(t time.Time) Value { return Value{kind: KindDate, num: int64(dotnet.TicksOf(t))} }

// Reference makes a reference to the object with an id.
func Reference(id string) Value { return Value{kind: KindReference, text: id} }

// List makes a multi-valued text; it keeps the slice.
func List(list []string) Value { return Value{kind: KindList, multi: &multi{texts: list}} }

// Kind returns the kind.
func (v Value) Kind() ValueKind { return v.kind }

// IsNull reports whether there is no value.
func (v Value) IsNull() bool { return v.kind == KindNull || v.kind == kindAbsent }

// IsEmpty reports whether there is no value, or only an empty text or list.
func (v Value) IsEmpty() bool {
	switch v.kind {
	case KindNull, kindAbsent:
		return true
	case KindString, KindReference:
		return v.text == ""
	case KindList, KindRoles:
		return len(v.multi.texts) == 0 && len(v.multi.roles) == 0
	}
	return false
}

// IsList reports whether the value is multi-valued: texts or roles.
func (v Value) IsList() bool { return v.kind == KindList || v.kind == KindRoles }

// List returns the values of a multi-valued one (of roles the display names, in the complex forms JSON), else the text of the single one; nil for
// null.
func (v Value) List() []string {
	switch v.kind {
	case KindNull, kindAbsent:
		return nil
	case KindList:
		return v.multi.texts
	case KindRoles:
		names := make([]string, len(v.multi.roles))
		for i, r := range v.multi.roles {
			names[i] = v.roleText(r)
		}
		return names
	}
	return []string{v.Text()}
}

// Bool is the Boolean of a Boolean value.
func (v Value) Bool() bool { return v.kind == KindBoolean && v.num == 1 }

// Time is the instant of a date, in UTC; the zero time for anything else.
func (v Value) Time() time.Time {
	if v.kind != KindDate {
		return time.Time{}
	}
	return v.ticks().Time()
}

func (v Value) ticks() dotnet.Ticks { return dotnet.Ticks(v.num) }

func dateOf(t dotnet.Ticks) Value { return Value{kind: KindDate, num: int64(t)} }

// Redacted reports whether the value came through Redact: the target gets it, logs show [Redact] in its place.
func (v Value) Redacted() bool { return v.redacted }

// RedactedText is what logs show for a redacted value.
const RedactedText = "[Redact]"

// stops reports whether the value drops the attribute or the object, whatever function it stands in.
func (v Value) stops() bool { return v.kind >= kindIgnoreFlow }

// Text is the text form: True or False, decimal digits, M/d/yyyy h:mm:ss tt, an object id, the first of several values, ""
// for null.
func (v Value) Text() string {
	switch v.kind {
	case KindString, KindReference:
		return v.text
	case KindBoolean:
		if v.num == 1 {
			return "True"
		}
		return "False"
	case KindNumber:
		return strconv.FormatInt(v.num, 10)
	case KindDate:
		return v.ticks().String()
	case KindList:
		if len(v.multi.texts) > 0 {
			return v.multi.texts[0]
		}
	case KindRoles:
		if len(v.multi.roles) > 0 {
			return v.roleText(v.multi.roles[0])
		}
	}
	return ""
}

// integer converts to a whole number: a number, or text that is one.
func (v Value) integer() (int64, bool) {
	switch v.kind {
	case KindNumber:
		return v.num, true
	case KindNull, kindAbsent, KindBoolean, KindDate:
		return 0, false
	}
	text := v.Text()
	if text == "" || text[0] > '9' { // not a digit, sign or blank: spare the error value
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n, err == nil
}

// maxExact is the largest integer that every JSON reader keeps; a larger one is written as text.
const maxExact = 1 << 53

// MarshalJSON writes text, Boolean, integer (beyond 2^53 as text), list, roles in their form, or null.
func (v Value) MarshalJSON() ([]byte, error) {
	var plain any
	switch v.kind {
	case KindNull, kindAbsent:
	case KindBoolean:
		plain = v.num == 1
	case KindNumber:
		plain = v.num
		if v.num > maxExact || v.num < -maxExact {
			plain = v.Text()
		}
	case KindList:
		plain = v.multi.texts
		if v.multi.texts == nil {
			plain = []string{}
		}
	case KindRoles:
		plain = v.roleObjects()
	default:
		plain = v.Text()
	}
	// json.Marshal would write <, > and & unreadably; whoever wants that gets it from the encoder around this one.
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(plain)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Of makes a value of what JSON or a directory holds: text, Booleans, numbers, times, lists of text, roles, nil.
func Of(v any) Value {
	switch x := v.(type) {
	case nil:
		return Null
	case Value:
		return x
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
	case []Role:
		return Roles(x)
	case []any:
		list := make([]string, len(x))
		for i, e := range x {
			list[i] = Of(e).Text()
		}
		return List(list)
	}
	return Null
}
