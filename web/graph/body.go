package graph

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

// maxBody bounds a request body, before and after it is unpacked.
const maxBody = 4 << 20

// maxDepth bounds how deep values of a body may be nested.
const maxDepth = 200

const unreadable = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."

func tooLarge() *Error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLarge", Message: "The request body is longer than 4 MiB."}
}

func unsupportedMedia(format string, args ...any) *Error {
	return &Error{Status: http.StatusUnsupportedMediaType, Code: "UnsupportedMediaType", Message: fmt.Sprintf(format, args...)}
}

// raw reads the body of a request, unpacked and bounded.
func (c *call) raw() ([]byte, error) {
	var from io.Reader = io.LimitReader(c.r.Body, maxBody+1)
	switch coding := strings.ToLower(strings.TrimSpace(c.r.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(from)
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, badRequest("The request body is no gzip stream, as Content-Encoding says.")
		}
		from = io.LimitReader(z, maxBody+1) // a small body may unpack to any size
	default:
		return nil, unsupportedMedia("The Content-Encoding '%s' is not supported; send gzip or none.", coding)
	}
	data, err := io.ReadAll(from)
	if len(data) > maxBody {
		return nil, tooLarge()
	}
	if err != nil {
		return nil, badRequest("%s The body broke off.", unreadable)
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

// payload reads a body that must be JSON; nil when it is empty.
func (c *call) payload() ([]byte, error) {
	data, err := c.raw()
	if err != nil || len(bytes.TrimSpace(data)) == 0 {
		return nil, err
	}
	if text := c.r.Header.Get("Content-Type"); text != "" {
		media, _, err := mime.ParseMediaType(text)
		if err != nil || media != "application/json" && !strings.HasSuffix(media, "+json") {
			return nil, unsupportedMedia("The Content-Type '%s' is not supported; send application/json.", text)
		}
	}
	if !utf8.Valid(data) {
		return nil, badRequest("%s The body is not UTF-8.", unreadable)
	}
	if err := checkJSON(data); err != nil {
		return nil, err
	}
	return data, nil
}

// checkJSON refuses what is no single JSON value, what is nested too deep, and objects that name a member twice.
func checkJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	type level struct {
		names map[string]bool // nil in a list
		name  bool            // the next token is a name
	}
	var stack []level
	for first := true; first || len(stack) > 0; first = false {
		t, err := d.Token()
		if err != nil {
			return badRequest("%s %s", unreadable, strings.TrimPrefix(err.Error(), "json: "))
		}
		top := len(stack) - 1
		if delim, ok := t.(json.Delim); ok && (delim == '}' || delim == ']') {
			stack = stack[:top]
			continue
		}
		if top >= 0 && stack[top].name {
			name, _ := t.(string)
			if stack[top].names[name] {
				return badRequest("%s The member '%s' stands twice in its object.", unreadable, name)
			}
			stack[top].names[name], stack[top].name = true, false
			continue
		}
		if top >= 0 && stack[top].names != nil {
			stack[top].name = true
		}
		switch t {
		case json.Delim('{'):
			stack = append(stack, level{map[string]bool{}, true})
		case json.Delim('['):
			stack = append(stack, level{})
		}
		if len(stack) > maxDepth {
			return badRequest("%s Values are nested more than %d deep.", unreadable, maxDepth)
		}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return badRequest("%s Something follows the JSON value.", unreadable)
	}
	return nil
}

// fields is a body that is an object. Names are as they were sent; take finds them without regard to case.
type fields map[string]any

// object reads a body that must be an object; an empty one is allowed when optional.
func (c *call) object(optional bool) (fields, error) {
	data, err := c.payload()
	if err != nil {
		return nil, err
	}
	if data == nil {
		if optional {
			return fields{}, nil
		}
		return nil, badRequest("%s The body is empty.", unreadable)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, badRequest("%s", unreadable)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, badRequest("%s An object is expected.", unreadable)
	}
	return m, nil
}

// decode reads a body into a struct. Names match without regard to case; unknown ones are refused by name, annotations
// are passed over.
func (c *call) decode(v any, optional bool) error {
	body, err := c.object(optional)
	if err != nil {
		return err
	}
	dropAnnotations(body)
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return badRequest("Invalid value specified for property '%s': a %s is not expected there.", wrong.Field, wrong.Value)
		}
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return refused("Property '%s' does not exist as a declared property or extension property.", strings.Trim(name, `"`))
		}
		return badRequest("%s", unreadable)
	}
	return nil
}

// dropAnnotations removes @odata members, also inside of values.
func dropAnnotations(v any) {
	switch x := v.(type) {
	case fields:
		dropAnnotations(map[string]any(x))
	case map[string]any:
		for name, inner := range x {
			if strings.Contains(name, "@odata.") {
				delete(x, name)
				continue
			}
			dropAnnotations(inner)
		}
	case []any:
		for _, inner := range x {
			dropAnnotations(inner)
		}
	}
}

// take removes a member by its name, exact spelling first, and returns its value.
func (f fields) take(name string) (v any, ok bool) {
	if v, ok = f[name]; ok {
		delete(f, name)
		return v, true
	}
	for n, v := range f {
		if strings.EqualFold(n, name) {
			delete(f, n)
			return v, true
		}
	}
	return nil, false
}
