package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"entrasim/scenarios"
)

// scenariosCmd looks after scenario files.
type scenariosCmd struct {
	List     listScenarios    `cmd:"" default:"withargs" help:"List the built-in scenarios, or those of files and folders (the default)."`
	Show     showScenario     `cmd:"" help:"Print a scenario's file."`
	Validate validateScenario `cmd:"" help:"Find the mistakes in files without playing them."`
	New      newScenario      `cmd:"" help:"Write a file to begin with."`
	Schema   scenarioSchema   `cmd:"" help:"Print the JSON Schema of scenario files, for editors."`
}

type listScenarios struct {
	Names []string `arg:"" optional:"" name:"scenario" help:"Files, folders or built-in folders; every built-in scenario when there is none." placeholder:"FILE|DIR|NAME"`
	JSON  bool     `name:"json" help:"Print them as JSON."`
}

// Run prints one line for each scenario.
func (c *listScenarios) Run(o output) error {
	names := c.Names
	if len(names) == 0 {
		names = []string{"all"}
	}
	list, err := load(o, names)
	if err != nil {
		return err
	}
	if c.JSON {
		type row struct {
			ID        string `json:"id"`
			Name      string `json:"name"`
			Source    string `json:"source"`
			Narration string `json:"narration,omitempty"`
			Path      string `json:"path"`
			Steps     int    `json:"steps"`
		}
		rows := make([]row, len(list))
		for i, s := range list {
			rows[i] = row{s.ID, s.Name, s.Source, strings.TrimSpace(s.Narration), s.Path, len(s.Steps)}
		}
		return writeJSON(o.out, rows)
	}
	w := tabwriter.NewWriter(o.out, 0, 0, 2, ' ', 0)
	for _, s := range list {
		fmt.Fprintf(w, "%s\t%s\n", s.ID, s.Name)
	}
	return w.Flush()
}

// writeJSON writes a value for programs.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

type showScenario struct {
	Name string `arg:"" help:"A file or a built-in scenario." placeholder:"NAME"`
}

// Run prints the file as it is.
func (c *showScenario) Run(o output) error {
	list, err := load(o, []string{c.Name})
	if err != nil {
		return err
	}
	if len(list) > 1 {
		return &usage{fmt.Sprintf("%s means %d scenarios", c.Name, len(list)), "entrasim scenarios list " + c.Name + " shows them"}
	}
	_, err = o.out.Write(list[0].Text())
	return err
}

type validateScenario struct {
	Names []string `arg:"" name:"scenario" help:"Files, folders or built-in scenarios." placeholder:"FILE|DIR|NAME"`
}

// Run tells the mistakes and warnings of files; it fails when there is a mistake.
func (c *validateScenario) Run(o output) error {
	list, err := scenarios.Load(c.Names...)
	for _, s := range list {
		if err := scenarios.PrintProblems(o.err, s.Warnings, scenarios.Style{Colour: colours(o.err)}); err != nil {
			return err
		}
	}
	if err != nil {
		rest, failed := tellProblems(o.err, err)
		if rest != nil {
			return &usage{rest.Error(), ""}
		}
		return errors.Join(failed, errFailed)
	}
	if len(list) == 1 {
		fmt.Fprintf(o.out, "%s is a scenario: %s\n", list[0].Path, list[0].Name)
		return nil
	}
	fmt.Fprintf(o.out, "%d scenarios, no mistake\n", len(list))
	return nil
}

type newScenario struct {
	File string `arg:"" optional:"" help:"Where to write it; the terminal when absent." placeholder:"FILE"`
}

// Run writes a small scenario; a file that is there already stays.
func (c *newScenario) Run(o output) error {
	if c.File == "" {
		_, err := io.WriteString(o.out, scenarios.Template)
		return err
	}
	f, err := os.OpenFile(c.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, os.ErrExist) {
		return &usage{c.File + " is there already", "name a file that is not"}
	}
	if err != nil {
		return &usage{err.Error(), ""}
	}
	_, err = io.WriteString(f, scenarios.Template)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	fmt.Fprintf(o.out, "%s written; play it with: entrasim run %s\n", c.File, c.File)
	return nil
}

type scenarioSchema struct{}

// Run prints the schema.
func (*scenarioSchema) Run(o output) error { return writeJSON(o.out, scenarios.Schema()) }
