package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"entrasim/sim"
)

type version struct{}

// Run prints the version, the commit that the program was built from, and the version of Go.
func (version) Run(o output) error {
	commit := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	_, err := fmt.Fprintf(o.out, "entrasim %s\ncommit %s\n%s %s/%s\n", sim.Version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
