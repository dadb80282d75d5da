package scenarios

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// field is a member of a struct as its tags describe it: yaml its name with options, doc what it is, enum the words it may
// be, min and max the range of a number, least how many a list or table must have, codes that it is a code of log records,
// null the word that nothing stands for, action whether it is something a step does, needs what a step must do for it.
type field struct {
	name     string
	doc      string
	value    reflect.Value
	enum     []string
	min, max *float64
	least    int
	codes    bool
	null     string
	none     bool // the word none stands for nothing
	need     bool // must be given
	action   bool
	runs     bool   // an action in which cycles can run
	demands  bool   // an action that provisions on demand
	needs    string // what an expectation is about: run, cycle or demand; "" for what can be seen at any time
}

// fields are the members of a struct that a file can give.
type fields struct {
	all   []field
	place reflect.Value // where its position goes
	// list, number and short are the members that a list, a number and a text alone stand for.
	list, number, short *field
	least               int // how many of them a table must have
}

// fieldsOf reads the tags of the struct that v points to.
func fieldsOf(v any) fields {
	var fs fields
	value := reflect.ValueOf(v).Elem()
	for i := range value.NumField() {
		t := value.Type().Field(i)
		if t.Name == "At" {
			fs.place = value.Field(i)
			if t.Tag.Get("least") != "" {
				fs.least = int(*number(t.Tag.Get("least")))
			}
			continue
		}
		tag, ok := t.Tag.Lookup("yaml")
		if !ok || tag == "-" {
			continue
		}
		options := strings.Split(tag, ",")
		f := field{name: options[0], doc: t.Tag.Get("doc"), value: value.Field(i), null: t.Tag.Get("null"), needs: t.Tag.Get("needs")}
		if words := t.Tag.Get("enum"); words != "" {
			f.enum = strings.Split(words, ",")
		}
		f.min, f.max = number(t.Tag.Get("min")), number(t.Tag.Get("max"))
		if n := number(t.Tag.Get("least")); n != nil {
			f.least = int(*n)
		}
		_, f.codes = t.Tag.Lookup("codes")
		if a, ok := t.Tag.Lookup("action"); ok {
			f.action, f.runs, f.demands = true, a == "runs", a == "demands"
		}
		for _, o := range options[1:] {
			switch o {
			case "required":
				f.need = true
			case "none":
				f.none = true
			case "list":
				fs.list = &f
			case "number":
				fs.number = &f
			case "short":
				fs.short = &f
			}
		}
		fs.all = append(fs.all, f)
	}
	return fs
}

// number reads a number of a tag; nil when there is none.
func number(text string) *float64 {
	if text == "" {
		return nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic("scenarios: a tag has the number " + text)
	}
	return &n
}

// outside says what a number should be that is out of range; "" when it is within.
func (f field) outside(n float64) string {
	switch {
	case f.min != nil && f.max != nil && (n < *f.min || n > *f.max):
		return fmt.Sprintf("%v to %v", *f.min, int64(*f.max))
	case f.min != nil && n < *f.min:
		return fmt.Sprintf("%v or more", *f.min)
	}
	return ""
}

func (fs fields) by(name string) (field, bool) {
	for _, f := range fs.all {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// must returns a member that is known to be there.
func (fs fields) must(name string) field {
	f, ok := fs.by(name)
	if !ok {
		panic("scenarios: no field " + name)
	}
	return f
}

func (fs fields) names() []string {
	names := make([]string, len(fs.all))
	for i, f := range fs.all {
		names[i] = f.name
	}
	return names
}
