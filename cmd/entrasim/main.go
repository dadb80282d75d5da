// Command entrasim plays the part of Microsoft Entra ID's provisioning service: a fake tenant, its provisioning jobs and
// the SCIM calls that they send, with a portal to watch them. Without a command it serves.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"entrasim/directory"
)

// cli is the program's commands and flags; each flag of serve is also an ENTRASIM_ variable.
type cli struct {
	Serve     serve        `cmd:"" default:"withargs" help:"Portal, scheduler and embedded target on one listener (the default)."`
	Run       runCmd       `cmd:"" help:"Play scenarios without a portal; fails when one sees something else than it expects."`
	Scenarios scenariosCmd `cmd:"" help:"List, show, validate and begin scenario files."`
	Provision provision    `cmd:"" help:"One initial cycle of a generated tenant against a target, then a summary."`
	Target    targetCmd    `cmd:"" help:"The embedded SCIM target alone."`
	Expr      exprCmd      `cmd:"" help:"Evaluate one mapping expression, or play files of cases."`
	Bench     bench        `cmd:"" help:"Compare provisioning with a bare HTTP client that replays its requests."`
	Version   version      `cmd:"" help:"Version, commit and Go version."`
}

// usage is an error of what was typed: exit 2, with a hint on a line of its own.
type usage struct {
	message string
	hint    string
}

func (e *usage) Error() string { return e.message }

// errFailed is the exit of a command that did its work and found something wrong; it has said so.
var errFailed = errors.New("failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program with its surroundings as arguments; it returns the exit code: 0 when all is well, 1 when the work was
// done or begun and something is wrong with its result, 2 when it could not begin.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("entrasim"), kong.Description("Simulates Microsoft Entra ID provisioning over SCIM 2.0."),
		kong.DefaultEnvars("ENTRASIM"), kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }))
	if err != nil {
		return report(stderr, err)
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		return report(stderr, mistyped(parser, args, err))
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return report(stderr, parsed.Run(output{stdout, stderr}))
}

// mistyped words an error of the command line, with a hint that fits it.
func mistyped(parser *kong.Kong, args []string, err error) *usage {
	u := &usage{err.Error(), "entrasim --help lists the commands and flags"}
	names := make([]string, 0, len(parser.Model.Children))
	for _, n := range parser.Model.Children {
		names = append(names, n.Name)
	}
	switch command := args[:min(1, len(args))]; {
	case len(command) == 1 && slices.Contains(names, command[0]):
		u.hint = "entrasim " + command[0] + " --help lists its flags"
	case len(command) == 1 && !strings.HasPrefix(command[0], "-"):
		return &usage{fmt.Sprintf("there is no command %q", command[0]), "the commands are " + strings.Join(names, ", ")}
	}
	if strings.HasPrefix(u.message, "missing flags: --target-url") {
		u.hint = "name the SCIM endpoint, such as --target-url http://127.0.0.1:8481/scim, where `entrasim target` listens"
	}
	return u
}

// report tells an error, and on a line of its own what to do about it, and returns the exit code.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	var u *usage
	var d *directory.Error
	message, hint, code := err.Error(), "", 1
	switch {
	case errors.Is(err, errFailed):
		return 1 // it has said so
	case errors.As(err, &u):
		message, hint, code = u.message, u.hint, 2
	case errors.As(err, &d):
		message, hint = d.Message, d.Hint
		if d.Code == directory.InUse || d.Code == directory.Foreign || d.Code == directory.Damaged {
			code = 2
		}
	}
	tell(stderr, message, hint)
	return code
}

// tell writes one complaint: what is wrong and where, then what to do.
func tell(stderr io.Writer, message, hint string) {
	fmt.Fprintf(stderr, "entrasim: %s\n", strings.TrimSuffix(message, "."))
	if hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", hint)
	}
}

// output is where a command writes.
type output struct{ out, err io.Writer }
