package mapping

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
)

// shape is how an object of the document was written: its members in their order. The zero value is an object that was
// made here; it is written with every member, in the order of the fields.
type shape struct{ members []member }

// member is one member of an object as it was read.
type member struct {
	name  []byte // as JSON, in its own spelling
	field int    // index of the struct's field, -1 for a member that the package does not know
	null  bool   // a known member whose value was null
	raw   []byte // value of an unknown member, or of a known text that was escaped otherwise than we do
	plain []byte // what we write for such a text
}

// maxNesting bounds the depth of expression trees in a document; expressions themselves are bounded by their parser.
const maxNesting = 1000

// field is a member that the package knows.
type field struct {
	name  string
	index int
}

var fieldTables sync.Map // reflect.Type → []field

// fieldsOf lists the members that a struct knows.
func fieldsOf(t reflect.Type) []field {
	if known, ok := fieldTables.Load(t); ok {
		return known.([]field)
	}
	var list []field
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("json"); name != "" {
			list = append(list, field{name, i})
		}
	}
	fieldTables.Store(t, list)
	return list
}

// findField finds a member: exact spelling first, then without regard to case, as PowerShell's ConvertTo-Json spells them.
func findField(t reflect.Type, name string) int {
	folded := -1
	for _, f := range fieldsOf(t) {
		if f.name == name {
			return f.index
		}
		if strings.EqualFold(f.name, name) {
			folded = f.index
		}
	}
	return folded
}

// shapeOf returns the shape of an addressable struct of the document.
func shapeOf(v reflect.Value) *shape {
	switch x := v.Addr().Interface().(type) {
	case *Schema:
		return &x.shape
	case *Rule:
		return &x.shape
	case *Metadata:
		return &x.shape
	case *ObjectMappingDocument:
		return &x.shape
	case *AttributeMapping:
		return &x.shape
	case *Origin:
		return &x.shape
	case *Parameter:
		return &x.shape
	case *FilterDocument:
		return &x.shape
	case *FilterGroup:
		return &x.shape
	case *FilterClause:
		return &x.shape
	case *FilterValues:
		return &x.shape
	case *DirectoryDefinition:
		return &x.shape
	case *ObjectDefinition:
		return &x.shape
	case *AttributeDefinition:
		return &x.shape
	case *ReferencedObject:
		return &x.shape
	}
	panic("mapping: no part of the document: " + v.Type().String())
}

// place is a JSON path, built only when a message needs it.
type place struct {
	up     *place
	member bool // name is that of a member; else index is a place in a list
	name   string
	index  int
}

func (p *place) String() string {
	switch {
	case p == nil:
		return "$"
	case p.member:
		return p.up.String() + memberPath(p.name)
	}
	return p.up.String() + "[" + strconv.Itoa(p.index) + "]"
}

// memberPath is the step of a JSON path to a member.
func memberPath(name string) string {
	for i, r := range name + "." { // an empty name needs quotes as well
		if i == len(name) && i > 0 {
			break
		}
		if r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return "['" + strings.ReplaceAll(name, "'", `\'`) + "']"
		}
	}
	return "." + name
}

// decoder reads a document that is known to be JSON.
type decoder struct {
	*json.Decoder
	data []byte
}

// since is the text of the token or value that was read behind an offset.
func (d decoder) since(offset int64) []byte {
	return bytes.TrimLeft(d.data[offset:d.InputOffset()], " \t\r\n:,")
}

// decodeDocument reads v, a pointer to a part of the document. The error is a *Problem.
func decodeDocument(data []byte, v any) error {
	data = bytes.ToValidUTF8(plainUTF8(data), []byte("\ufffd"))
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		return syntaxProblem(data, err)
	}
	d := decoder{json.NewDecoder(bytes.NewReader(data)), data}
	d.UseNumber()
	return d.value(reflect.ValueOf(v).Elem(), nil, 0)
}

// plainUTF8 takes off a byte order mark, and turns the UTF-16 that a Windows shell writes into UTF-8.
func plainUTF8(data []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf}):
		return data[3:]
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return data
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 2; i+1 < len(data); i += 2 {
		units = append(units, order.Uint16(data[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

func syntaxProblem(data []byte, err error) *Problem {
	p := &Problem{Path: "$", Message: "This is no JSON document: it is empty. Paste or choose a synchronization schema.", Err: err}
	if len(bytes.TrimSpace(data)) == 0 {
		return p
	}
	offset := len(data)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		offset = min(max(int(syntax.Offset)-1, 0), len(data))
	}
	before := data[:offset]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:]))) + 1
	cure := "Correct the place, or export the schema anew."
	if offset < len(data) && (data[offset] == '}' || data[offset] == ']') && bytes.HasSuffix(bytes.TrimSpace(before), []byte(",")) {
		cure = "Take away the comma before it."
	}
	p.Message = fmt.Sprintf("This is no JSON document: %v, at line %d, column %d. %s", err, line, column, cure)
	return p
}

func (p *place) problem(format string, args ...any) error {
	return &Problem{Path: p.String(), Message: fmt.Sprintf(format, args...)}
}

// broken tells of an error of the reader, which the check before should have met.
func (p *place) broken(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return &Problem{Path: p.String(), Message: fmt.Sprintf("The value can't be read: %v.", err), Err: err}
}

// value reads the next value into v.
func (d decoder) value(v reflect.Value, at *place, depth int) error {
	if raw, ok := v.Addr().Interface().(*json.RawMessage); ok {
		return d.raw(raw, at)
	}
	token, err := d.Token()
	if err != nil {
		return at.broken(err)
	}
	_, err = d.known(v, token, at, depth)
	return err
}

// known reads a value whose first token has been read. isNull reports a null, which leaves v alone.
func (d decoder) known(v reflect.Value, token json.Token, at *place, depth int) (isNull bool, err error) {
	if token == nil {
		if v.Kind() == reflect.Struct {
			return true, at.problem("The value is null; expected an object.")
		}
		return true, nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.known(v.Elem(), token, at, depth)
	case reflect.Struct:
		if token != json.Delim('{') {
			return false, at.problem("The value is %s; expected an object.", tokenName(token))
		}
		return false, d.object(v, at, depth+1)
	case reflect.Slice:
		if token != json.Delim('[') {
			return false, at.problem("The value is %s; expected a list.", tokenName(token))
		}
		return false, d.list(v, at, depth)
	case reflect.String:
		text, ok := token.(string)
		if !ok {
			return false, at.problem("The value is %s; expected text in quotes.", tokenName(token))
		}
		v.SetString(text)
	case reflect.Bool:
		b, ok := token.(bool)
		if !ok {
			return false, at.problem("The value is %s; expected true or false, without quotes.", tokenName(token))
		}
		v.SetBool(b)
	case reflect.Int:
		number, ok := token.(json.Number)
		if !ok {
			return false, at.problem("The value is %s; expected a whole number, without quotes.", tokenName(token))
		}
		n, err := strconv.ParseInt(number.String(), 10, 32)
		if err != nil {
			return false, at.problem("%s is no whole number of 32 bits.", number)
		}
		v.SetInt(n)
	default:
		panic("mapping: no type of the document: " + v.Type().String())
	}
	return false, nil
}

func tokenName(token json.Token) string {
	switch x := token.(type) {
	case string:
		return "text"
	case bool:
		return strconv.FormatBool(x)
	case json.Number:
		return "the number " + x.String()
	case json.Delim:
		if x == '[' {
			return "a list"
		}
		return "an object"
	}
	return "null"
}

func (d decoder) object(v reflect.Value, at *place, depth int) error {
	if depth > maxNesting {
		return at.problem("The expression tree is nested more than %d levels deep; simplify the expression.", maxNesting)
	}
	withDefaults(v.Addr().Interface())
	members := []member{} // not nil: even an empty object was read
	seen := map[int]string{}
	for d.More() {
		begin := d.InputOffset()
		token, err := d.Token()
		if err != nil {
			return at.broken(err)
		}
		name, _ := token.(string)
		m := member{name: bytes.Clone(d.since(begin)), field: findField(v.Type(), name)}
		below := &place{up: at, member: true, name: name}
		if m.field < 0 {
			if err := d.raw((*json.RawMessage)(&m.raw), below); err != nil {
				return err
			}
			members = append(members, m)
			continue
		}
		if first, twice := seen[m.field]; twice {
			return below.problem("The member stands twice in its object, before as %s; delete one of the two.", first)
		}
		seen[m.field] = name
		if err := d.field(v.Field(m.field), &m, below, depth); err != nil {
			return err
		}
		members = append(members, m)
	}
	if _, err := d.Token(); err != nil {
		return at.broken(err)
	}
	shapeOf(v).members = members
	return nil
}

// field reads the value of a known member. Of text it keeps the escapes, which differ between those who write JSON.
func (d decoder) field(v reflect.Value, m *member, at *place, depth int) error {
	if raw, ok := v.Addr().Interface().(*json.RawMessage); ok {
		return d.raw(raw, at)
	}
	begin := d.InputOffset()
	token, err := d.Token()
	if err != nil {
		return at.broken(err)
	}
	if m.null, err = d.known(v, token, at, depth); err != nil || m.null || !isText(v.Type()) {
		return err
	}
	written, plain := d.since(begin), appendJSON(nil, v)
	if bytes.Equal(plain, written) {
		return nil
	}
	var text bytes.Buffer // a list may have blanks in it
	if err := json.Compact(&text, written); err != nil {
		return at.broken(err)
	}
	if !bytes.Equal(plain, text.Bytes()) {
		m.raw, m.plain = text.Bytes(), plain
	}
	return nil
}

// isText reports whether a member is text or a list of texts.
func isText(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() == reflect.String
}

func (d decoder) list(v reflect.Value, at *place, depth int) error {
	list := reflect.MakeSlice(v.Type(), 0, 4)
	for i := 0; d.More(); i++ {
		item := reflect.New(v.Type().Elem()).Elem()
		below := &place{up: at, index: i}
		token := any(nil)
		if raw, ok := item.Addr().Interface().(*json.RawMessage); ok {
			if err := d.raw(raw, below); err != nil {
				return err
			}
		} else {
			var err error
			if token, err = d.Token(); err != nil {
				return below.broken(err)
			}
			isNull, err := d.known(item, token, below, depth)
			if err != nil {
				return err
			}
			if isNull {
				return below.problem("The value is null; expected %s.", map[bool]string{true: "text", false: "an object"}[item.Kind() == reflect.String])
			}
		}
		list = reflect.Append(list, item)
	}
	if _, err := d.Token(); err != nil {
		return at.broken(err)
	}
	v.Set(list)
	return nil
}

// raw reads a value as it is, without the blanks between its parts.
func (d decoder) raw(into *json.RawMessage, at *place) error {
	var text json.RawMessage
	if err := d.Decode(&text); err != nil {
		return at.broken(err)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return at.broken(err)
	}
	*into = b.Bytes()
	return nil
}

// encodeDocument writes a part of the document.
func encodeDocument(v any) []byte { return appendJSON(nil, reflect.ValueOf(v).Elem()) }

func appendJSON(b []byte, v reflect.Value) []byte {
	if raw, ok := v.Addr().Interface().(*json.RawMessage); ok {
		if len(*raw) == 0 {
			return append(b, "null"...)
		}
		return append(b, *raw...)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, "null"...)
		}
		return appendJSON(b, v.Elem())
	case reflect.Struct:
		return appendObject(b, v)
	case reflect.Slice:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, v.Index(i))
		}
		return append(b, ']')
	case reflect.String:
		return appendText(b, v.String())
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case reflect.Int:
		return strconv.AppendInt(b, v.Int(), 10)
	}
	panic("mapping: no type of the document: " + v.Type().String())
}

// appendObject writes the members that were read, in their order, and behind them those that have got a value since.
func appendObject(b []byte, v reflect.Value) []byte {
	b = append(b, '{')
	first := true
	begin := func(name []byte) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(b, name...), ':')
	}
	read := shapeOf(v).members
	fresh := reflect.New(v.Type())
	withDefaults(fresh.Interface())
	untouched := func(index int) bool {
		return reflect.DeepEqual(v.Field(index).Interface(), fresh.Elem().Field(index).Interface())
	}
	written := map[int]bool{}
	for _, m := range read {
		begin(m.name)
		switch {
		case m.field < 0:
			b = append(b, m.raw...)
			continue
		case m.null && untouched(m.field):
			b = append(b, "null"...)
		default:
			start := len(b)
			if b = appendJSON(b, v.Field(m.field)); m.raw != nil && bytes.Equal(b[start:], m.plain) {
				b = append(b[:start], m.raw...)
			}
		}
		written[m.field] = true
	}
	for _, f := range fieldsOf(v.Type()) {
		if !written[f.index] && (read == nil || !untouched(f.index)) {
			begin(appendText(nil, f.name))
			b = appendJSON(b, v.Field(f.index))
		}
	}
	return append(b, '}')
}

// appendText writes a JSON string; nothing is escaped that need not be.
func appendText(b []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		return append(append(append(b, '"'), s...), '"')
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("mapping: text is no JSON: " + err.Error()) // every text can be written
	}
	return append(b, bytes.TrimSpace(text.Bytes())...)
}

func indented(data []byte) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		panic("mapping: a schema of ours is no JSON: " + err.Error())
	}
	b.WriteByte('\n')
	return b.Bytes()
}
