package cases

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"

	"entrasim/sim/expr"
)

// MaxFile is how large a file may be, in bytes.
const MaxFile = 16 << 20

// FileError tells what is wrong with a file, where, and what to do.
type FileError struct {
	File         string
	Line, Column int // from 1; 0: the file as a whole
	Message      string
	Cure         string
}

func (e *FileError) Error() string {
	at := e.File
	if e.Line > 0 {
		at = fmt.Sprintf("%s:%d", at, e.Line)
		if e.Column > 0 {
			at = fmt.Sprintf("%s:%d", at, e.Column)
		}
	}
	return at + ": " + e.Message
}

const shapeCure = `a file of cases is a JSON array of objects such as {"id": "upn", "expression": "ToLower([mail])", "inputs": {"mail": "A@b.example"}, "expected": "a@b.example"}`

// document is a case as the file has it.
type document struct {
	ID            *string                    `json:"id"`
	Function      string                     `json:"function"`
	Expression    *string                    `json:"expression"`
	Inputs        map[string]json.RawMessage `json:"inputs"`
	Expected      json.RawMessage            `json:"expected"`
	Now           string                     `json:"now"`
	Taken         []string                   `json:"taken"`
	DefaultDomain string                     `json:"defaultDomain"`
	Source        string                     `json:"source"`
	Note          string                     `json:"note"`
}

var members = []string{"id", "function", "expression", "inputs", "expected", "now", "taken", "defaultDomain", "source", "note"}

// Read reads a file of cases; name is for messages. The error is a *FileError.
func Read(name string, data []byte) ([]Case, error) {
	f := file{name, data, shapeCure}
	if len(data) > MaxFile {
		return nil, &FileError{File: name, Message: fmt.Sprintf("the file has %d bytes; at most %d are read", len(data), MaxFile), Cure: "split it"}
	}
	if !utf8.Valid(data) {
		return nil, &FileError{File: name, Message: "the file is not UTF-8", Cure: "save it as UTF-8 without a byte order mark"}
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil {
		return nil, f.syntax(err, 0)
	} else if t != json.Delim('[') {
		return nil, f.at(0, "the file begins with something else than [", shapeCure)
	}
	var list []Case
	for dec.More() {
		offset := f.skip(int(dec.InputOffset()))
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, f.syntax(err, offset)
		}
		c, err := f.read(raw, offset, len(list)+1)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if _, err := dec.Token(); err != nil {
		return nil, f.syntax(err, int(dec.InputOffset()))
	}
	end := f.skip(int(dec.InputOffset()))
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, f.at(end, "something stands behind the closing ]", "delete it")
	}
	if len(list) == 0 {
		return nil, &FileError{File: name, Message: "the file has no case", Cure: shapeCure}
	}
	return list, nil
}

const inputCure = `the input is a JSON object of source attributes such as {"mail": "a@b.example", "IsSoftDeleted": false}`

// ReadInputs reads a JSON object of source attributes; name is for messages. The error is a *FileError.
func ReadInputs(name string, data []byte) (expr.Attributes, error) {
	f := file{name, data, inputCure}
	if len(data) > MaxFile {
		return nil, &FileError{File: name, Message: fmt.Sprintf("the input has %d bytes; at most %d are read", len(data), MaxFile), Cure: "leave out what the expression does not read"}
	}
	if !utf8.Valid(data) {
		return nil, &FileError{File: name, Message: "the input is not UTF-8", Cure: "save it as UTF-8 without a byte order mark"}
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil {
		return nil, f.syntax(err, 0)
	} else if t != json.Delim('{') {
		return nil, f.at(f.skip(0), "the input is no object", inputCure)
	}
	attrs := expr.Attributes{}
	for dec.More() {
		offset := f.skip(int(dec.InputOffset()))
		key, err := dec.Token()
		if err != nil {
			return nil, f.syntax(err, offset)
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, f.syntax(err, offset)
		}
		v, err := ReadValue(raw)
		if err != nil {
			return nil, f.at(offset, fmt.Sprintf("the attribute %v %v", key, err), valueCure)
		}
		attrs[key.(string)] = v
	}
	if _, err := dec.Token(); err != nil {
		return nil, f.syntax(err, int(dec.InputOffset()))
	}
	end := f.skip(int(dec.InputOffset()))
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, f.at(end, "something stands behind the closing }", "delete it")
	}
	return attrs, nil
}

// file is a file that is being read.
type file struct {
	name  string
	data  []byte
	shape string // what the file should hold
}

// skip moves an offset over commas and blanks to where a value begins.
func (f file) skip(offset int) int {
	for offset < len(f.data) && strings.IndexByte(", \t\r\n", f.data[offset]) >= 0 {
		offset++
	}
	return offset
}

func (f file) at(offset int, message, cure string) *FileError {
	before := f.data[:min(max(offset, 0), len(f.data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return &FileError{File: f.name, Line: line, Column: column, Message: message, Cure: cure}
}

// syntax turns an error of the JSON decoder into one with a place; from is where it began to read.
func (f file) syntax(err error, from int) *FileError {
	var s *json.SyntaxError
	from = f.skip(from)
	var value json.RawMessage
	switch again := json.NewDecoder(bytes.NewReader(f.data[min(from, len(f.data)):])).Decode(&value); {
	case errors.As(again, &s): // in a value, where the decoder's own count can't be relied on
		return f.at(from+max(int(s.Offset)-1, 0), "this is no JSON: "+s.Error(), "mend the JSON here")
	case errors.As(err, &s): // between values
		return f.at(f.skip(max(int(s.Offset)-1, 0)), "this is no JSON: "+s.Error(), "mend the JSON here")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return f.at(len(f.data), "the JSON ends too early", "close what is open; "+f.shape)
	}
	return f.at(from, "this is no JSON: "+err.Error(), "mend the JSON here")
}

// read reads one case, the number-th of the file.
func (f file) read(raw json.RawMessage, offset, number int) (Case, error) {
	name := fmt.Sprintf("case %d", number)
	wrong := func(message, cure string) (Case, error) { return Case{}, f.at(offset, name+": "+message, cure) }
	var have map[string]json.RawMessage
	if err := json.Unmarshal(raw, &have); err != nil {
		return wrong("it is no object", shapeCure)
	}
	for m := range have {
		// What looks like a slip of the pen is refused; other members are the user's own.
		if near := expr.Nearest(m, members); near != "" && !slices.Contains(members, m) {
			return wrong(fmt.Sprintf("it has a member %q", m), fmt.Sprintf("write %q", near))
		}
	}
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		var t *json.UnmarshalTypeError
		if errors.As(err, &t) {
			return wrong(fmt.Sprintf("%s is a JSON %s", t.Field, t.Value), typeCure(t.Field))
		}
		return wrong(err.Error(), shapeCure)
	}
	switch {
	case d.ID == nil || *d.ID == "":
		return wrong("it has no id", `add "id": a name that is shown when the case differs`)
	case d.Expression == nil:
		name = *d.ID
		return wrong("it has no expression", `add "expression": the mapping expression`)
	}
	name = *d.ID
	c := Case{ID: *d.ID, Function: d.Function, Expression: *d.Expression, Taken: d.Taken, DefaultDomain: d.DefaultDomain, Source: d.Source, Note: d.Note, Inputs: expr.Attributes{}}
	c.Line = f.at(offset, "", "").Line
	for attribute, value := range d.Inputs {
		v, err := ReadValue(value)
		if err != nil {
			return wrong(fmt.Sprintf("the input %s %v", attribute, err), valueCure)
		}
		c.Inputs[attribute] = v
	}
	if d.Now != "" {
		now, err := time.Parse(time.RFC3339Nano, d.Now)
		if err != nil {
			return wrong(fmt.Sprintf("now is %q", d.Now), "write it as 2025-07-30T12:00:00Z")
		}
		c.Now = now
	}
	x, problem, cure := readExpectation(have)
	if problem != "" {
		return wrong(problem, cure)
	}
	c.expected = x
	return c, nil
}

func typeCure(field string) string {
	switch {
	case strings.HasPrefix(field, "inputs"):
		return `inputs is an object such as {"mail": "a@b.example"}`
	case strings.HasPrefix(field, "taken"):
		return `taken is a list of texts such as ["a@b.example"]`
	}
	return field + " is a text"
}

const valueCure = `an attribute is a text, an integer, true or false, a list of texts, null, or a list of role assignments such as {"id": "…", "value": "Admin", "displayName": "Administrator"}`

// ReadValue reads the value of a source attribute from JSON. The error says what is wrong, to be put behind the
// attribute's name.
func ReadValue(raw json.RawMessage) (expr.Value, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return expr.Null, fmt.Errorf("is no JSON: %w", err)
	}
	list, ok := v.([]any)
	if !ok {
		if _, object := v.(map[string]any); object {
			return expr.Null, errors.New("is an object")
		}
		return expr.Of(v), nil
	}
	objects := 0
	for _, e := range list {
		switch e.(type) {
		case map[string]any:
			objects++
		case []any:
			return expr.Null, errors.New("is a list of lists")
		case nil:
			return expr.Null, errors.New("has null in its list")
		}
	}
	switch objects {
	case 0:
		return expr.Of(v), nil
	case len(list):
	default:
		return expr.Null, errors.New("mixes objects with other values")
	}
	var roles []expr.Role
	strict := json.NewDecoder(bytes.NewReader(raw))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&roles); err != nil {
		return expr.Null, fmt.Errorf("has an object that is no role assignment: %w", err)
	}
	return expr.Roles(roles), nil
}

const expectedCure = `expected is a text, a Boolean, an integer, a list, null, {"error": kind}, {"ignoreFlow": true}, {"ignoreObject": true} or {"matches": pattern}`

func readExpectation(have map[string]json.RawMessage) (x expectation, problem, cure string) {
	raw, ok := have["expected"]
	if !ok {
		return x, "it has no expected", "add it: " + expectedCure
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		x.value = canonical(raw)
		return x, "", ""
	}
	if len(object) != 1 {
		return x, fmt.Sprintf("expected is an object with %d members", len(object)), expectedCure
	}
	for member, value := range object {
		var text string
		var yes bool
		isText, isTrue := json.Unmarshal(value, &text) == nil, json.Unmarshal(value, &yes) == nil && yes
		switch {
		case member == "error" && isText:
			if x.kind = expr.ErrorKind(text); !slices.Contains(expr.ErrorKinds(), x.kind) {
				return x, fmt.Sprintf("expected names the error kind %q", text), "the kinds are " + kinds()
			}
		case (member == "ignoreFlow" || member == "ignoreObject") && isTrue:
			x.ignore = member
		case member == "matches" && isText:
			re, err := regexp2.Compile(text, regexp2.None)
			if err != nil {
				return x, "expected has a pattern that does not compile: " + err.Error(), "mend the pattern; it is searched anywhere in the value unless ^ and $ hold it"
			}
			re.MatchTimeout = time.Second
			x.matches = re
		default:
			return x, "expected has a member " + member + " that means nothing", expectedCure
		}
	}
	return x, "", ""
}

func kinds() string {
	var names []string
	for _, k := range expr.ErrorKinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}
