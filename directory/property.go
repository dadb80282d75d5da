package directory

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Type is the type of a property.
type Type string

// The types of properties.
const (
	TypeString  Type = "String"
	TypeBoolean Type = "Boolean"
	TypeTime    Type = "DateTimeOffset"
	TypeStrings Type = "Collection(String)"
	TypeObjects Type = "Collection(Object)"
)

// Property is one row of the table of an object kind's properties: resources/user.md, resources/group.md.
type Property[T any] struct {
	Name     string
	Type     Type
	Max      int  // longest text in characters; 0: no limit
	ReadOnly bool // set by the directory only
	Synced   bool // Graph refuses to write it: it comes from elsewhere, here from scenario files and the generator
	Required bool // on create
	field    func(*T) any
	computed func(*T) any // instead of field
}

// get returns the value, nil when it is not set.
func (p Property[T]) get(obj *T) any {
	if p.computed != nil {
		return p.computed(obj)
	}
	switch f := p.field(obj).(type) {
	case *string:
		if *f == "" {
			return nil
		}
		return *f
	case *bool:
		return *f
	case **bool:
		if *f == nil {
			return nil
		}
		return **f
	case **time.Time:
		if *f == nil {
			return nil
		}
		return **f
	case *time.Time:
		if f.IsZero() {
			return nil
		}
		return *f
	case *[]string:
		if len(*f) == 0 {
			return nil
		}
		return slices.Clone(*f)
	case *[]map[string]any:
		if len(*f) == 0 {
			return nil
		}
		return slices.Clone(*f)
	default:
		panic(fmt.Sprintf("property %s: field of type %T", p.Name, f))
	}
}

// set stores v and reports whether that changed anything.
func (p Property[T]) set(obj *T, v any) (changed bool, err error) {
	if p.computed != nil {
		return false, p.wrong(v, "a value that can be set")
	}
	switch f := p.field(obj).(type) {
	case *string:
		text, err := p.text(v)
		if err != nil {
			return false, err
		}
		changed, *f = *f != text, text
	case *bool:
		b, ok := v.(bool)
		if !ok {
			return false, p.wrong(v, "true or false")
		}
		changed, *f = *f != b, b
	case **bool:
		b, ok := v.(bool)
		if v != nil && !ok {
			return false, p.wrong(v, "true, false or null")
		}
		next := &b
		if v == nil {
			next = nil
		}
		changed, *f = !reflect.DeepEqual(*f, next), next
	case **time.Time:
		next, err := p.time(v)
		if err != nil {
			return false, err
		}
		changed = (*f == nil) != (next == nil) || *f != nil && !(*f).Equal(*next)
		*f = next
	case *[]string:
		list, err := p.list(v)
		if err != nil {
			return false, err
		}
		changed, *f = !slices.Equal(*f, list), list
	case *[]map[string]any:
		list, err := p.objects(v)
		if err != nil {
			return false, err
		}
		changed, *f = !reflect.DeepEqual(*f, list), list
	default:
		return false, p.wrong(v, "a value that can be set")
	}
	return changed, nil
}

func (p Property[T]) wrong(v any, want string) error {
	text, err := json.Marshal(v)
	if err != nil || len(text) > 100 {
		return invalid(p.Name, "Invalid value specified for property '%s': expected %s.", p.Name, want)
	}
	return invalid(p.Name, "Invalid value specified for property '%s': expected %s, not %s.", p.Name, want, text)
}

func (p Property[T]) text(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	text, ok := v.(string)
	if !ok {
		return "", p.wrong(v, "text or null")
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", p.wrong(v, "text without zero bytes, in UTF-8")
	}
	if p.Max > 0 && len([]rune(text)) > p.Max {
		return "", invalid(p.Name, "Invalid value specified for property '%s': %d characters; at most %d are allowed.", p.Name, len([]rune(text)), p.Max)
	}
	return text, nil
}

func (p Property[T]) time(v any) (*time.Time, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case time.Time:
		x = x.UTC()
		return &x, nil
	case string:
		if x == "" {
			return nil, nil
		}
		t, err := time.Parse(time.RFC3339Nano, x)
		if err != nil {
			return nil, p.wrong(v, "a time such as 2026-01-31T09:00:00Z")
		}
		t = t.UTC()
		return &t, nil
	}
	return nil, p.wrong(v, "a time such as 2026-01-31T09:00:00Z")
}

func (p Property[T]) list(v any) ([]string, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case []string:
		return compact(x), nil
	case []any:
		list := make([]string, len(x))
		for i, e := range x {
			text, ok := e.(string)
			if !ok {
				return nil, p.wrong(v, "a list of text")
			}
			list[i] = text
		}
		return compact(list), nil
	}
	return nil, p.wrong(v, "a list of text")
}

func (p Property[T]) objects(v any) ([]map[string]any, error) {
	var list []map[string]any
	switch x := v.(type) {
	case nil:
	case []map[string]any:
		list = x
	case []any:
		for _, e := range x {
			m, ok := e.(map[string]any)
			if !ok {
				return nil, p.wrong(v, "a list of objects")
			}
			list = append(list, m)
		}
	default:
		return nil, p.wrong(v, "a list of objects")
	}
	if len(list) == 0 {
		return nil, nil
	}
	// Once through JSON, so that it compares equal to what the file will hold.
	var plain []map[string]any
	if err := plainJSON(list, &plain); err != nil {
		return nil, p.wrong(v, "a list of JSON objects")
	}
	return plain, nil
}

func plainJSON(from, to any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, to)
}

func compact(list []string) []string {
	var out []string
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// extensionPrefix begins the names of directory extension attributes: extension_<appId without hyphens>_<name>.
const extensionPrefix = "extension_"

var extensionName = regexp.MustCompile(`^extension_[0-9a-fA-F]{32}_[A-Za-z0-9_]{1,128}$`)

// setExtension stores a directory extension attribute: text, a Boolean, a number, or a list of these
// (resources/extensionproperty.md).
func setExtension(ext *map[string]any, name string, v any) (changed bool, err error) {
	if !extensionName.MatchString(name) {
		return false, invalid(name, "A directory extension is named extension_<appId without hyphens>_<name>.")
	}
	if err := plainJSON(v, &v); err != nil {
		return false, invalid(name, "A directory extension holds text, a Boolean, a number or a list, not a %T.", v)
	}
	if _, object := v.(map[string]any); object {
		return false, invalid(name, "A directory extension holds text, a Boolean, a number or a list, no object.")
	}
	if v == nil || v == "" {
		_, had := (*ext)[name]
		delete(*ext, name)
		return had, nil
	}
	if *ext == nil {
		*ext = map[string]any{}
	}
	changed = !reflect.DeepEqual((*ext)[name], v)
	(*ext)[name] = v
	return changed, nil
}

// apply sets every property of an edit, in the order of the names, and returns the names of those that changed.
func apply[T any](kind Kind, table map[string]Property[T], obj *T, edit Props, ext *map[string]any, creating bool) ([]string, error) {
	var changed []string
	for _, name := range sortedKeys(edit) {
		if strings.HasPrefix(name, extensionPrefix) {
			c, err := setExtension(ext, name, edit[name])
			if err != nil {
				return nil, err
			}
			if c {
				changed = append(changed, name)
			}
			continue
		}
		p, ok := table[name]
		if !ok {
			return nil, &Error{Code: Invalid, Property: name,
				Message: fmt.Sprintf("Property '%s' does not exist as a declared property or extension property.", name), Hint: nearest(name, table)}
		}
		if p.ReadOnly && !(creating && name == "id") {
			return nil, invalid(name, "Property '%s' is read-only and cannot be set.", name)
		}
		c, err := p.set(obj, edit[name])
		if err != nil {
			return nil, err
		}
		if c {
			changed = append(changed, name)
		}
	}
	for _, name := range sortedKeys(table) {
		if p := table[name]; p.Required && p.get(obj) == nil {
			return nil, invalid(name, "A value is required for property '%s' of resource '%s'.", name, kind)
		}
	}
	return changed, nil
}

// nearest suggests the property whose name is closest.
func nearest[T any](name string, table map[string]Property[T]) string {
	best, distance := "", 4
	for _, known := range sortedKeys(table) {
		if d := editDistance(strings.ToLower(name), strings.ToLower(known)); d < distance {
			best, distance = known, d
		}
	}
	if best == "" {
		return ""
	}
	return "Did you mean '" + best + "'?"
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		prev := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			prev, row[j] = row[j], min(row[j]+1, row[j-1]+1, prev+cost)
		}
	}
	return row[len(b)]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func byName[T any](rows []Property[T]) map[string]Property[T] {
	m := make(map[string]Property[T], len(rows))
	for _, r := range rows {
		m[r.Name] = r
	}
	return m
}

func cloneMap(m map[string]any) map[string]any {
	c := make(map[string]any, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// checkNickname refuses what a mailNickname can't hold (resources/group.md, mailNickname).
func checkNickname(kind Kind, nickname string) error {
	for _, r := range nickname {
		if r <= ' ' || r > '~' || strings.ContainsRune(`@()\[]";:<>,`, r) {
			return &Error{Code: Invalid, Property: "mailNickname",
				Message: fmt.Sprintf("Invalid value specified for property 'mailNickname' of resource '%s'.", kind),
				Hint:    "Use ASCII letters, digits and signs, but no space and none of @()\\[]\";:<>,"}
		}
	}
	return nil
}

// primaryAddress keeps the primary address of a list equal to mail, as the directory does; the old one becomes an alias.
func primaryAddress(addresses []string, mail string) []string {
	var out []string
	if mail != "" {
		out = append(out, "SMTP:"+mail)
	}
	for _, a := range addresses {
		if old, primary := strings.CutPrefix(a, "SMTP:"); primary {
			a = "smtp:" + old
		}
		if rest, ok := strings.CutPrefix(a, "smtp:"); ok && strings.EqualFold(rest, mail) {
			continue
		}
		out = append(out, a)
	}
	return out
}
