// Package openapi writes the OpenAPI document of the program's interfaces from the rows of the tables that their routers are
// made from. A room turns its own rows into operations; Document puts them together. It knows none of the rooms.
//
// The document is OpenAPI 3.0.3, which every tool reads.
package openapi

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Object is an object of the document.
type Object = map[string]any

// Param is a parameter of the query.
type Param struct {
	Name, Doc string
	Integer   bool
	Required  bool
}

// Operation is one row of a table: a method on a path, with what it takes and what it answers when all is well.
type Operation struct {
	Tag    string
	Method string
	Path   string // {name} is a parameter
	Doc    string
	Query  []Param
	Body   Object // schema of the request body; nil: it takes none
	Media  string // of the body; "" is JSON
	Status int    // of a good answer
	Type   string // of a good answer; "" is JSON
	Answer Object // schema of a good answer; nil: it has no body
	Shown  Object // schema of the answer, with 200, to Prefer: return=representation; nil: that is not heeded
	Error  string // name of the component that errors have
}

// Ref refers to a schema among the components.
func Ref(name string) Object { return Object{"$ref": "#/components/schemas/" + name} }

// List is the schema of an array.
func List(of Object) Object { return Object{"type": "array", "items": of} }

var parameter = regexp.MustCompile(`\{([^}]*)\}`)

// Document is the whole document; schemas are the components that operations refer to.
func Document(version string, operations []Operation, schemas Object) Object {
	paths := Object{}
	var tags []Object
	for _, op := range operations {
		if !slices.ContainsFunc(tags, func(t Object) bool { return t["name"] == op.Tag }) {
			tags = append(tags, Object{"name": op.Tag})
		}
		item, ok := paths[op.Path].(Object)
		if !ok {
			item = Object{}
			paths[op.Path] = item
		}
		item[strings.ToLower(op.Method)] = op.object()
	}
	return Object{
		"openapi": "3.0.3",
		"info": Object{"title": "entrasim", "version": version, "description": "The Microsoft Graph subset, the login service and the control API. " +
			"Paths below /v1.0 answer below /beta as well; a tenant may stand behind the version."},
		"tags":       tags,
		"paths":      paths,
		"components": Object{"schemas": schemas, "securitySchemes": Object{"bearer": Object{"type": "http", "scheme": "bearer"}}},
		"security":   []Object{{}, {"bearer": []string{}}}, // asked for when the program has an API token
	}
}

func (op Operation) object() Object {
	o := Object{"tags": []string{op.Tag}, "summary": op.Doc, "operationId": op.id(), "responses": op.responses()}
	var params []Object
	for _, m := range parameter.FindAllStringSubmatch(op.Path, -1) {
		params = append(params, Object{"name": m[1], "in": "path", "required": true, "schema": Object{"type": "string"}})
	}
	for _, q := range op.Query {
		kind := "string"
		if q.Integer {
			kind = "integer"
		}
		params = append(params, Object{"name": q.Name, "in": "query", "required": q.Required, "description": q.Doc, "schema": Object{"type": kind}})
	}
	if params != nil {
		o["parameters"] = params
	}
	if op.Body != nil {
		o["requestBody"] = Object{"content": Object{or(op.Media, "application/json"): Object{"schema": op.Body}}}
	}
	return o
}

func (op Operation) responses() Object {
	good := Object{"description": "Done"}
	if op.Answer != nil {
		good["content"] = Object{or(op.Type, "application/json"): Object{"schema": op.Answer}}
	}
	r := Object{fmt.Sprint(op.Status): good}
	if op.Shown != nil {
		r["200"] = Object{"description": "Done, to Prefer: return=representation", "content": Object{"application/json": Object{"schema": op.Shown}}}
	}
	if op.Error != "" {
		r["default"] = Object{"description": "What went wrong", "content": Object{"application/json": Object{"schema": Ref(op.Error)}}}
	}
	return r
}

var notWord = regexp.MustCompile(`[^A-Za-z0-9]+`)

// id is the operation's name, unique since method and path are.
func (op Operation) id() string {
	return strings.ToLower(op.Method) + notWord.ReplaceAllString(strings.ReplaceAll(op.Path, "{", "by_"), "_")
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// SchemaOf is the schema of a Go value as encoding/json writes it. What writes itself is any value, except a time.
func SchemaOf(v any) Object { return schemaOf(reflect.TypeOf(v), nil) }

func schemaOf(t reflect.Type, above []reflect.Type) Object {
	switch {
	case t == nil || slices.Contains(above, t):
		return Object{}
	case t == reflect.TypeFor[time.Time]():
		return Object{"type": "string", "format": "date-time"}
	case t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler):
		return Object{}
	case t.Implements(textMarshaler) || reflect.PointerTo(t).Implements(textMarshaler):
		return Object{"type": "string"}
	}
	above = append(above, t)
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(schemaOf(t.Elem(), above))
	case reflect.Bool:
		return Object{"type": "boolean"}
	case reflect.String:
		return Object{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return Object{"type": "number"}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return Object{"type": "string", "nullable": true}
		}
		return nullable(List(schemaOf(t.Elem(), above)))
	case reflect.Map:
		return nullable(Object{"type": "object", "additionalProperties": schemaOf(t.Elem(), above)})
	case reflect.Struct:
		o := Object{}
		members(t, above, o)
		return Object{"type": "object", "properties": o, "additionalProperties": false}
	case reflect.Interface:
		return Object{}
	}
	return Object{"type": "integer"}
}

// members adds the fields of a struct, and those of structs in it, by the names of their tags.
func members(t reflect.Type, above []reflect.Type, o Object) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported() && !f.Anonymous:
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			members(f.Type, above, o)
		default:
			o[or(name, f.Name)] = schemaOf(f.Type, above)
		}
	}
}

func nullable(o Object) Object {
	if len(o) > 0 {
		o["nullable"] = true
	}
	return o
}

var (
	marshaler     = reflect.TypeFor[interface{ MarshalJSON() ([]byte, error) }]()
	textMarshaler = reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()
)
