package scenarios

import (
	"fmt"
	"reflect"
	"strings"
)

// Schema is the JSON Schema of scenario files, derived from the types.
func Schema() map[string]any {
	w := &schemaWriter{defs: map[string]any{}}
	root := w.structure(&Scenario{})
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Scenario of entrasim"
	root["$defs"] = w.defs
	return root
}

// schemaWriter derives schemas; types with a name are written once, under $defs.
type schemaWriter struct{ defs map[string]any }

// schemed is implemented by types that say themselves what they read.
type schemed interface {
	schema(w *schemaWriter) map[string]any
}

// of is the schema of what v points to, or a reference to it.
func (w *schemaWriter) of(v any) map[string]any {
	return w.reflected(reflect.ValueOf(v).Elem(), field{})
}

func (w *schemaWriter) reflected(v reflect.Value, f field) map[string]any {
	if s, ok := v.Addr().Interface().(schemed); ok {
		if name := v.Type().Name(); v.Kind() == reflect.Struct && name != "" {
			return w.named(name, func() map[string]any { return s.schema(w) })
		}
		return s.schema(w)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return w.reflected(reflect.New(v.Type().Elem()).Elem(), f)
	case reflect.Struct:
		return w.named(v.Type().Name(), func() map[string]any { return w.structure(v.Addr().Interface()) })
	case reflect.Slice:
		item := reflect.New(v.Type().Elem()).Elem()
		list := map[string]any{"type": "array", "items": w.reflected(item, f)}
		switch item.Addr().Interface().(type) {
		case *string, *Handle, *Grant, *Clause, *RuleID:
			return map[string]any{"anyOf": []any{list, w.reflected(item, f)}}
		}
		return list
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": map[string]any{"type": []any{"string", "number", "boolean"}}}
	}
	out := map[string]any{}
	switch v.Kind() {
	case reflect.String:
		out["type"] = "string"
		if len(f.enum) == 0 {
			out["type"] = []any{"string", "number"}
		}
	case reflect.Int, reflect.Int64:
		out["type"] = "integer"
	case reflect.Bool:
		out["type"] = "boolean"
	case reflect.Float64:
		out["type"] = "number"
	}
	if len(f.enum) > 0 {
		words := make([]any, len(f.enum))
		for i, e := range f.enum {
			words[i] = e
		}
		out = map[string]any{"enum": words}
	}
	return out
}

// named writes a schema once and refers to it.
func (w *schemaWriter) named(name string, write func() map[string]any) map[string]any {
	name = strings.NewReplacer("[", "_", "]", "", "entrasim/scenarios.", "", ".", "_", "*", "").Replace(name)
	if _, done := w.defs[name]; !done {
		w.defs[name] = nil // for types that hold themselves
		w.defs[name] = write()
	}
	return map[string]any{"$ref": "#/$defs/" + name}
}

// structure is the schema of a struct by its tags.
func (w *schemaWriter) structure(v any) map[string]any {
	fs := fieldsOf(v)
	properties := map[string]any{}
	var required, alone []any
	for _, f := range fs.all {
		p := w.reflected(f.value, f)
		if f.null != "" {
			p = map[string]any{"anyOf": []any{p, map[string]any{"type": "null"}}}
		}
		if f.none {
			p = map[string]any{"anyOf": []any{p, map[string]any{"const": "none"}}}
		}
		f.limit(p)
		if f.need && f.value.Kind() == reflect.String {
			p["pattern"] = `\S`
		}
		p["description"] = f.doc
		properties[f.name] = p
		if f.need {
			required = append(required, f.name)
		}
	}
	object := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if fs.least > 0 {
		object["minProperties"] = fs.least
	}
	if len(required) > 0 {
		object["required"] = required
	} else if fs.least == 0 {
		alone = append(alone, map[string]any{"type": "null"})
	}
	for _, short := range []*field{fs.list, fs.number, fs.short} {
		if short != nil {
			p := w.reflected(short.value, *short)
			short.limit(p)
			alone = append(alone, p)
		}
	}
	if len(alone) == 0 {
		return object
	}
	return map[string]any{"anyOf": append([]any{object}, alone...)}
}

// limit writes the range of a number, and how many a list or table must have: each keyword counts for its own type alone.
func (f field) limit(p map[string]any) {
	if f.min != nil {
		p["minimum"] = *f.min
	}
	if f.max != nil {
		p["maximum"] = *f.max
	}
	if f.least > 0 {
		p["minItems"], p["minProperties"] = f.least, f.least
	}
	if f.codes {
		codes := []any{}
		for _, code := range recordCodes() {
			codes = append(codes, code)
		}
		p["enum"] = codes
	}
}

// Reference is the format in Markdown, derived from the types: one table for each.
func Reference() string {
	var b strings.Builder
	b.WriteString("# Scenario files\n\nDerived from the types of this package; `go test` compares. Examples are the files beside this one.\n")
	done := map[string]bool{}
	section(&b, "Scenario", &Scenario{}, done)
	return b.String()
}

// section writes the table of a struct, then those of the structs in it.
func section(b *strings.Builder, title string, v any, done map[string]bool) {
	if done[title] {
		return
	}
	done[title] = true
	fs := fieldsOf(v)
	fmt.Fprintf(b, "\n## %s\n\n| name | value | what it says |\n|---|---|---|\n", title)
	type next struct {
		title string
		v     any
	}
	var below []next
	for _, f := range fs.all {
		kind, inner := describe(f.value, f)
		doc := f.doc
		if f.need {
			doc += " Required."
		}
		if f.min != nil && f.max != nil {
			doc += fmt.Sprintf(" From %v to %d.", *f.min, int64(*f.max))
		}
		for _, short := range []struct {
			field *field
			what  string
		}{{fs.list, "A list"}, {fs.number, "A number"}, {fs.short, "A text"}} {
			if short.field != nil && short.field.name == f.name && !strings.Contains(doc, "alone") {
				doc += " " + short.what + " alone means this."
			}
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.name, strings.ReplaceAll(kind, "|", "\\|"), strings.ReplaceAll(doc, "|", "\\|"))
		if inner != nil {
			below = append(below, next{reflect.TypeOf(inner).Elem().Name(), inner})
		}
	}
	for _, n := range below {
		if name, _, generic := strings.Cut(n.title, "["); !generic && name != "" {
			section(b, n.title, n.v, done)
		}
	}
}

// describe says what a value is, and returns a pointer to the struct in it that has a table of its own.
func describe(v reflect.Value, f field) (string, any) {
	fresh := func(t reflect.Type) reflect.Value { return reflect.New(t).Elem() }
	link := func(x reflect.Value) string {
		return "[" + x.Type().Name() + "](#" + strings.ToLower(x.Type().Name()) + ")"
	}
	switch v.Addr().Interface().(type) {
	case *Act:
		return "nothing", nil
	case *Duration:
		return "duration", nil
	case *RuleID:
		return "rule id", nil
	case *Handle:
		return "handle", nil
	case *Grant:
		return "handle, or handle: role", nil
	case *Map[string]:
		return "texts by name", nil
	case *Clause:
		return "clause", nil
	case *Value:
		return "any value", nil
	case *Objects:
		return "properties by handle", nil
	case *Held:
		return "values by handle", nil
	case *Map[Mapping]:
		x := fresh(reflect.TypeFor[Mapping]())
		return link(x) + " by target attribute", x.Addr().Interface()
	case *Map[Change]:
		x := fresh(reflect.TypeFor[Change]())
		return link(x) + " by target attribute", x.Addr().Interface()
	case *Map[FoundByName]:
		x := fresh(reflect.TypeFor[FoundByName]())
		return link(x) + " by handle", x.Addr().Interface()
	case *Map[[]Handle]:
		return "handles by handle", nil
	case *KindOf[Filters]:
		return "`users` and `groups`: clauses by title", nil
	case *KindOf[[]string]:
		return "`users` and `groups`: words", nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		return describe(fresh(v.Type().Elem()), f)
	case reflect.Slice:
		text, inner := describe(fresh(v.Type().Elem()), f)
		return "list of " + text, inner
	case reflect.Struct:
		return link(v), v.Addr().Interface()
	case reflect.Map:
		return "texts by name", nil
	}
	if len(f.enum) > 0 {
		return "`" + strings.Join(f.enum, "`, `") + "`", nil
	}
	return map[reflect.Kind]string{reflect.String: "text", reflect.Int: "number", reflect.Int64: "number", reflect.Bool: "true or false", reflect.Float64: "number"}[v.Kind()], nil
}
