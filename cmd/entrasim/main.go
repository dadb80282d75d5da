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
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"entrasim/directory"
)

// cli is the program's commands and flags; each flag of serve is also an ENTRASIM_ variable.
type cli struct {
	Serve     serve     `cmd:"" default:"withargs" help:"Portal, scheduler and embedded target on one listener (the default)."`
	Provision provision `cmd:"" help:"One initial cycle of a generated tenant against a target, then a summary."`
	Target    targetCmd `cmd:"" help:"The embedded SCIM target alone."`
	Bench     bench     `cmd:"" help:"Compare provisioning with a bare HTTP client that replays its requests."`
	Version   version   `cmd:"" help:"Version, commit and Go version."`
}

// usage is an error of what was typed: exit 2, with a hint on a line of its own.
type usage struct {
	message string
	hint    string
}

func (e *usage) Error() string { return e.message }

// failed is the exit of a command that did its work and found something wrong; it has said so.
var errFailed = errors.New("failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program with its surroundings as arguments; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("entrasim"), kong.Description("Simulates Microsoft Entra ID provisioning over SCIM 2.0."),
		kong.DefaultEnvars("ENTRASIM"), kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }))
	if err != nil {
		fmt.Fprintf(stderr, "entrasim: %v\n", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintf(stderr, "entrasim: %v\nhint: entrasim --help lists the commands and flags\n", err)
		return 2
	}
	out := output{stdout, stderr}
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(out)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFailed):
		return 1
	}
	var u *usage
	var d *directory.Error
	switch {
	case errors.As(err, &u):
		fmt.Fprintf(stderr, "entrasim: %s\n", u.message)
		if u.hint != "" {
			fmt.Fprintf(stderr, "hint: %s\n", u.hint)
		}
		return 2
	case errors.As(err, &d) && (d.Code == directory.InUse || d.Code == directory.Foreign):
		fmt.Fprintf(stderr, "entrasim: %s\n", strings.TrimSuffix(d.Message, "."))
		if d.Hint != "" {
			fmt.Fprintf(stderr, "hint: %s\n", d.Hint)
		}
		return 2
	}
	fmt.Fprintf(stderr, "entrasim: %v\n", err)
	return 1
}

// output is where a command writes.
type output struct{ out, err io.Writer }
