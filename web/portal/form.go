package portal

import (
	"errors"
	"strings"

	"entrasim/directory"
)

// Field is one input of a form: a choice when it has options.
type Field struct {
	Name, Label, Value, Type, Error, Hint, Placeholder string
	Suggest                                            string // user or group: names are suggested while typing
	Optional, ReadOnly, Full                           bool
	Rows                                               int // lines of a text of several
	Options                                            []Option
}

// Option is one value of a choice, with its words.
type Option struct{ Value, Text string }

// faulty lists the fields that need a change, for the summary above a form.
func faulty(fields []Field) (list []Field) {
	for _, f := range fields {
		if f.Error != "" {
			list = append(list, f)
		}
	}
	return list
}

// asks reports whether the last label of a list is a question, which needs no full stop behind it.
func asks(fields []Field) bool {
	return len(fields) > 0 && strings.HasSuffix(fields[len(fields)-1].Label, "?")
}

// fieldErrors tells which field an error is about; nil when it is none that a reader can mend.
func fieldErrors(err error, otherwise string) map[string]string {
	var e *directory.Error
	if !errors.As(err, &e) {
		return nil
	}
	name, text := e.Property, e.Message
	if name == "" {
		name = otherwise
	}
	if e.Hint != "" {
		text += " " + e.Hint
	}
	return map[string]string{name: text}
}
