package scim

import (
	"fmt"
	"slices"
	"strings"
)

// Elsewhere returns the path under which a resource holds a value that is told by is, "" when nowhere: where a target keeps
// what it was sent under another name. Member names are in lower case; truth values and texts of less than three letters are
// found anywhere and say nothing. known are the paths that hold values of their own.
func (r *Resource) Elsewhere(is func(value string) bool, known []string) string {
	if r == nil {
		return ""
	}
	s := seeker{is: is, known: known}
	for _, name := range sortedNames(r.members) {
		switch name {
		case "id", "schemas", "meta", "groups", "members":
			continue
		}
		s.walk(name, r.members[name])
	}
	return s.found
}

type seeker struct {
	is    func(string) bool
	known []string
	found string
}

func (s *seeker) walk(path string, v any) {
	if s.found != "" {
		return
	}
	switch x := v.(type) {
	case map[string]any:
		dot := "."
		if strings.HasPrefix(path, "urn:") && !strings.Contains(path[strings.LastIndexByte(path, ':'):], ".") {
			dot = ":"
		}
		for _, name := range sortedNames(x) {
			s.walk(path+dot+name, x[name])
		}
	case []any:
		for _, e := range x {
			o, ok := e.(map[string]any)
			if !ok {
				s.walk(path, e)
				continue
			}
			at := path
			if kind := text(o["type"]); kind != "" {
				at = fmt.Sprintf("%s[type eq %q]", path, kind)
			}
			for _, name := range sortedNames(o) {
				if name != "type" {
					s.walk(at+"."+name, o[name])
				}
			}
		}
	default:
		value := text(v)
		if _, ok := parseBool(value); ok || len(value) < 3 {
			return
		}
		if s.is(value) && !slices.ContainsFunc(s.known, func(k string) bool { return strings.EqualFold(k, path) }) {
			s.found = path
		}
	}
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
