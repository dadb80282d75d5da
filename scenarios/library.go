package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// library are the built-in scenarios: a folder for each topic, a file for each behaviour.
//
//go:embed */*.yaml
var library embed.FS

// ending of a scenario file; .yml is read as well.
const ending = ".yaml"

// Names lists the built-in scenarios by folder and name.
func Names() []string {
	var names []string
	err := fs.WalkDir(library, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, strings.TrimSuffix(p, ending))
		}
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("scenarios: the embedded library: %v", err)) // it is part of the program
	}
	return names
}

// Builtin reads a built-in scenario.
func Builtin(name string) (*Scenario, error) {
	source, err := library.ReadFile(name + ending)
	if err != nil {
		return nil, fmt.Errorf("there is no scenario %q", name)
	}
	s, err := Parse("scenarios/"+name+ending, source)
	if err != nil {
		return nil, err
	}
	s.ID = name
	return s, nil
}

// Text is the scenario as it was read.
func (s *Scenario) Text() []byte { return slices.Clone(s.source) }

// BuiltIn reports whether the scenario is one of the program's own, which has no file to write to.
func (s *Scenario) BuiltIn() bool {
	_, err := os.Stat(s.Path)
	return err != nil
}

// Load reads scenarios by what a command line names: a file, a folder with all files below it, a built-in scenario, a
// built-in folder, or all. The error joins what is wrong with each of them; problems of files are Problems.
func Load(names ...string) ([]*Scenario, error) {
	var list []*Scenario
	var errs []error
	seen := map[string]bool{}
	add := func(file string, read func() (*Scenario, error)) {
		if real, err := filepath.EvalSymlinks(file); err == nil {
			file = real
		}
		if whole, err := filepath.Abs(file); err == nil {
			file = whole
		}
		if seen[file] {
			return
		}
		seen[file] = true
		s, err := read()
		if err != nil {
			errs = append(errs, err)
			return
		}
		list = append(list, s)
	}
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case err == nil && info.IsDir():
			if err := loadFolder(name, add); err != nil {
				errs = append(errs, err)
			}
		case err == nil:
			add(name, func() (*Scenario, error) { return ReadFile(name) })
		case errors.Is(err, fs.ErrNotExist) && !strings.HasSuffix(name, ending) && !strings.HasSuffix(name, ".yml"):
			found := builtins(name)
			for _, n := range found {
				add("scenarios/"+n+ending, func() (*Scenario, error) { return Builtin(n) })
			}
			if len(found) == 0 {
				errs = append(errs, fmt.Errorf("there is no file, folder or built-in scenario %q%s", name, meant(name)))
			}
		default:
			errs = append(errs, err)
		}
	}
	return list, errors.Join(errs...)
}

// builtins lists the built-in scenarios that a name means: all, a folder, or one.
func builtins(name string) []string {
	var found []string
	name = strings.Trim(name, "/")
	for _, n := range Names() {
		if name == "all" || n == name || path.Dir(n) == name || path.Base(n) == name {
			found = append(found, n)
		}
	}
	return found
}

// meant suggests the built-in scenario or folder that a wrong name is nearest to, with or without its folder.
func meant(name string) string {
	full := map[string]string{}
	var known []string
	for _, n := range append(Names(), folders()...) {
		for _, as := range []string{n, path.Base(n)} {
			if _, twice := full[as]; !twice {
				full[as] = n
				known = append(known, as)
			}
		}
	}
	hint := nearest(name, known)
	if as := strings.TrimSuffix(strings.TrimPrefix(hint, "did you mean "), "?"); full[as] != "" {
		return "; did you mean " + full[as] + "?"
	}
	return ""
}

func folders() []string {
	var list []string
	for _, n := range Names() {
		if dir := path.Dir(n); !slices.Contains(list, dir) {
			list = append(list, dir)
		}
	}
	return list
}

// loadFolder reads every scenario file below a folder, in the order of their names.
func loadFolder(folder string, add func(file string, read func() (*Scenario, error))) error {
	n := 0
	err := filepath.WalkDir(folder, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != folder && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if !d.IsDir() && (strings.HasSuffix(p, ending) || strings.HasSuffix(p, ".yml")) {
			n++
			add(p, func() (*Scenario, error) {
				s, err := ReadFile(p)
				if err == nil {
					if rel, relErr := filepath.Rel(folder, p); relErr == nil {
						s.ID = strings.TrimSuffix(strings.TrimSuffix(filepath.ToSlash(rel), ending), ".yml")
					}
				}
				return s, err
			})
		}
		return nil
	})
	if err == nil && n == 0 {
		err = fmt.Errorf("%s holds no scenario: no file ends in %s", folder, ending)
	}
	return err
}

// ReadFile reads a scenario file. The error is a Problems when the file is none. No more of it is read than a scenario can
// have.
func ReadFile(name string) (*Scenario, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	source := make([]byte, 0, 8<<10)
	buffer := make([]byte, 32<<10)
	for len(source) <= maxFile {
		n, err := f.Read(buffer)
		source = append(source, buffer[:n]...)
		if n == 0 || err != nil {
			break
		}
	}
	s, err := Parse(name, source)
	if err != nil {
		return nil, err
	}
	s.ID = strings.TrimSuffix(strings.TrimSuffix(filepath.Base(name), ending), ".yml")
	return s, nil
}
