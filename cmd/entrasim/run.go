package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/term"

	"entrasim/scenarios"
	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/scim"
)

// runCmd plays scenarios without a portal and fails when one sees something else than it expects.
type runCmd struct {
	Names     []string `arg:"" name:"scenario" help:"Files, folders, or built-in scenarios and their folders; all is every built-in one." placeholder:"FILE|DIR|NAME"`
	TargetURL string   `name:"target-url" help:"Tenant URL of an endpoint to play against, instead of the embedded target." placeholder:"URL"`
	Token     string   `help:"Secret token of that endpoint." placeholder:"TOKEN"`
	Filter    string   `help:"Only scenarios whose name this regular expression finds." placeholder:"REGEXP"`
	Parallel  int      `help:"How many at a time; one for each processor, a single one against an endpoint." placeholder:"N"`
	Shard     string   `help:"Play one of n parts." placeholder:"i/n"`
	Seed      int64    `default:"1" help:"Seed of ids and generated companies." placeholder:"N"`
	Keep      bool     `help:"Leave at the endpoint what the run made."`
	Mark      string   `default:"auto" help:"What names at the endpoint begin with: auto marks them when it has such names already, none never." placeholder:"TEXT"`
	Update    bool     `help:"Write what was seen into the files as what is expected."`
	Verbose   bool     `short:"v" help:"Show every step with its requests."`
	JSON      bool     `name:"json" help:"Print the results as JSON."`
	JUnit     string   `name:"junit" help:"Write a JUnit report." placeholder:"FILE"`
	HTML      string   `name:"html" help:"Write a report as one page." placeholder:"FILE"`
	HAR       string   `name:"har" help:"Write every exchange as an HTTP archive." placeholder:"FILE"`
}

// Run plays the scenarios.
func (c *runCmd) Run(ctx context.Context, o output) error {
	list, all, err := c.choose(o)
	if err != nil {
		return err
	}
	if err := c.writable(); err != nil {
		return err
	}
	began := clock.Wall()
	style := scenarios.Style{Colour: colours(o.out), Verbose: c.Verbose}
	bar := newBar(o.err, "Playing")
	var tally scenarios.Tally
	var results []scenarios.Result
	var printErr error
	done := func(r scenarios.Result) {
		bar.end()
		results = append(results, r)
		tally.Add(r)
		if !c.JSON {
			printErr = errors.Join(printErr, scenarios.Print(o.out, r, style))
		}
		if onGitHub() {
			printErr = errors.Join(printErr, scenarios.Annotate(o.err, r))
		}
		if bar.tty { // elsewhere the results themselves show how far it is
			bar.show(len(results), len(list))
		}
	}
	if c.TargetURL != "" || slices.ContainsFunc(list, func(s *scenarios.Scenario) bool { return s.Target.URL != "" }) {
		unsaid := context.AfterFunc(ctx, func() {
			fmt.Fprintln(o.err, "entrasim: stopping; what the run made at the endpoint is deleted first (interrupt again to leave it there)")
		})
		defer unsaid()
	}
	scenarios.RunAll(ctx, list, scenarios.Target{URL: c.TargetURL, Token: c.Token}, scenarios.Options{Seed: c.Seed, Keep: c.Keep, Mark: c.Mark}, c.atATime(), done)
	bar.end()
	if err := errors.Join(printErr, c.report(o, results)); err != nil {
		return err
	}
	if c.Update {
		if err := c.update(o, results); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		fmt.Fprintf(o.err, "entrasim: stopped after %d of %d scenarios\n", len(results), len(list))
		return errFailed
	}
	if !c.JSON {
		fmt.Fprintf(o.out, "\nplayed in %.1f s\n%s\n", clock.Wall().Sub(began).Seconds(), tally)
	}
	if tally.Failed > 0 {
		return errFailed
	}
	return c.green(o, tally, all)
}

// green refuses a run that played nothing, except for a part of a bigger set, of which it says so.
func (c *runCmd) green(o output, t scenarios.Tally, all int) error {
	switch {
	case t.Passed > 0:
		return nil
	case c.Shard == "":
		return &usage{"nothing was played: every scenario was skipped", "leave --target-url out to play them against the embedded target, or name others"}
	case t.Skipped > 0:
		fmt.Fprintf(o.err, "entrasim: nothing was played in part %s: every scenario of it was skipped\n", c.Shard)
	case all == 1:
		fmt.Fprintf(o.err, "entrasim: part %s is empty: there is one scenario\n", c.Shard)
	default:
		fmt.Fprintf(o.err, "entrasim: part %s is empty: there are %d scenarios\n", c.Shard, all)
	}
	return nil
}

// choose reads the scenarios that were named; nothing is played when one of them has a mistake. all is how many there are in
// all parts.
func (c *runCmd) choose(o output) (list []*scenarios.Scenario, all int, err error) {
	if c.TargetURL != "" {
		if _, err := scim.ParseTenantURL(c.TargetURL); err != nil {
			return nil, 0, &usage{err.Error(), "--target-url http://127.0.0.1:8481/scim is where `entrasim target` listens"}
		}
	} else if c.Token != "" {
		return nil, 0, &usage{"--token is the token of an endpoint, and none is named", "name it with --target-url"}
	}
	if c.Parallel < 0 {
		return nil, 0, &usage{"--parallel can't be negative", ""}
	}
	if list, err = load(o, c.Names); err != nil {
		return nil, 0, err
	}
	var lacks scenarios.Problems
	for _, s := range list {
		lacks = append(lacks, s.Lacks(c.Seed)...)
	}
	if len(lacks) > 0 {
		return nil, 0, mistaken(o, lacks)
	}
	if c.Filter != "" {
		if list, err = scenarios.Filter(list, c.Filter); err != nil {
			return nil, 0, &usage{err.Error(), ""}
		}
		if len(list) == 0 {
			return nil, 0, &usage{fmt.Sprintf("--filter %q leaves no scenario", c.Filter), "`entrasim scenarios list` shows the built-in ones"}
		}
	}
	all = len(list)
	if c.Shard != "" {
		if list, err = scenarios.Shard(list, c.Shard); err != nil {
			return nil, 0, &usage{err.Error(), ""}
		}
	}
	return list, all, nil
}

// writable checks, before anything is played, that each report can be written.
func (c *runCmd) writable() error {
	flags := map[string]string{}
	for _, r := range [][2]string{{"--junit", c.JUnit}, {"--html", c.HTML}, {"--har", c.HAR}} {
		flag, name := r[0], r[1]
		if name == "" {
			continue
		}
		if other := flags[filepath.Clean(name)]; other != "" {
			return &usage{other + " and " + flag + " name one file", "give each report a name of its own"}
		}
		flags[filepath.Clean(name)] = flag
		err := os.MkdirAll(filepath.Dir(name), 0o777)
		if info, statErr := os.Stat(name); err == nil && statErr == nil && info.IsDir() {
			err = errors.New("it is a folder")
		}
		if err == nil {
			var f *os.File
			if f, err = os.CreateTemp(filepath.Dir(name), ".entrasim-*"); err == nil {
				err = errors.Join(f.Close(), os.Remove(f.Name()))
			}
		}
		if err != nil {
			return &usage{fmt.Sprintf("%s %s can't be written: %v", flag, name, err), "name a file in a folder that can be written"}
		}
	}
	return nil
}

// load reads scenarios by their names and tells every mistake in them.
func load(o output, names []string) ([]*scenarios.Scenario, error) {
	list, err := scenarios.Load(names...)
	if err == nil {
		return list, nil
	}
	return nil, mistaken(o, err)
}

// mistaken tells the mistakes of files; the error says that nothing was played.
func mistaken(o output, err error) error {
	rest, told := tellProblems(o.err, err)
	if told == nil && rest == nil {
		return &usage{"a scenario has a mistake, and nothing was played", "entrasim scenarios validate FILE checks a file without playing it"}
	}
	if told != nil {
		return told
	}
	return &usage{rest.Error(), "`entrasim scenarios list` shows the built-in ones"}
}

func onGitHub() bool { return os.Getenv("GITHUB_ACTIONS") == "true" }

// tellProblems writes the mistakes of files and returns the other errors.
func tellProblems(w io.Writer, err error) (rest, failed error) {
	var joined interface{ Unwrap() []error }
	list := []error{err}
	if errors.As(err, &joined) {
		list = joined.Unwrap()
	}
	for _, e := range list {
		var ps scenarios.Problems
		if errors.As(e, &ps) {
			failed = errors.Join(failed, scenarios.PrintProblems(w, ps, scenarios.Style{Colour: colours(w)}))
			if onGitHub() {
				failed = errors.Join(failed, scenarios.AnnotateProblems(w, ps))
			}
		} else {
			rest = errors.Join(rest, e)
		}
	}
	return rest, failed
}

func (c *runCmd) atATime() int {
	switch {
	case c.Parallel > 0:
		return c.Parallel
	case c.TargetURL != "":
		return 1
	}
	return runtime.GOMAXPROCS(0)
}

// report writes the reports that were asked for.
func (c *runCmd) report(o output, results []scenarios.Result) error {
	var all []sim.Exchange
	for _, r := range results {
		all = append(all, r.Exchanges()...)
	}
	var errs []error
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{c.JUnit, func(w io.Writer) error { return scenarios.JUnit(w, results) }},
		{c.HTML, func(w io.Writer) error { return scenarios.HTML(w, results) }},
		{c.HAR, func(w io.Writer) error { return writeJSON(w, sim.NewHAR(all)) }},
	} {
		if f.name != "" {
			errs = append(errs, writeFile(f.name, f.write))
		}
	}
	if c.JSON {
		errs = append(errs, scenarios.JSON(o.out, results))
	}
	return errors.Join(errs...)
}

// writeFile writes a report, whole or not at all; folders that are missing are made.
func writeFile(name string, write func(io.Writer) error) (err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".entrasim-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	mode := os.FileMode(0o644)
	if old, err := os.Stat(name); err == nil {
		mode = old.Mode().Perm()
	}
	if err := errors.Join(write(f), f.Chmod(mode), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// update writes what was seen into the files whose expectations failed.
func (c *runCmd) update(o output, results []scenarios.Result) error {
	for _, r := range results {
		if r.Verdict != scenarios.Failed {
			continue
		}
		if r.Scenario.BuiltIn() {
			fmt.Fprintf(o.err, "entrasim: %s is built in and can't be updated; `entrasim scenarios show %s > FILE` makes a file of it\n", r.Scenario.ID, r.Scenario.ID)
			continue
		}
		source, unwritten, err := scenarios.Update(r)
		if err != nil {
			return err
		}
		if !bytes.Equal(source, r.Scenario.Text()) {
			path, err := filepath.EvalSymlinks(r.Scenario.Path)
			if err != nil {
				return err
			}
			if err := writeFile(path, func(w io.Writer) error { _, err := w.Write(source); return err }); err != nil {
				return err
			}
			fmt.Fprintf(o.err, "%s: written anew\n", r.Scenario.Path)
		}
		for _, k := range unwritten {
			fmt.Fprintf(o.err, "%s:%d:%d: %s stays as it is: %s\n", r.Scenario.Path, k.At.Line, k.At.Column, k.What, k.Message)
		}
	}
	return nil
}

// colours reports whether a writer is a terminal that shows colours, and nobody asked for none (NO_COLOR).
func colours(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	_, none := os.LookupEnv("NO_COLOR")
	return ok && !none && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}
