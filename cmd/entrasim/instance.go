package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"golang.org/x/term"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/target"
)

// manualStart is where a new file begins under the manual clock.
var manualStart = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// instance is an open data file with everything that works on it.
type instance struct {
	dir    *directory.Store
	clock  *clock.Clock
	target *target.Server
	svc    *sim.Service
	log    *slog.Logger
	flags  fileFlags
	mode   clock.Mode // as the program was started
	rate   float64
	self   func() string
	reset  sync.Mutex
}

// fileFlags are the values that a file is made with and keeps.
type fileFlags struct {
	Users, Groups int
	Seed          int64
	Empty         bool
}

func (f fileFlags) String() string {
	return fmt.Sprintf("%d users, %d groups, seed %d, empty %v", f.Users, f.Groups, f.Seed, f.Empty)
}

// given tells which of the file's flags were typed.
type given struct {
	Users, Groups *int
	Seed          *int64
	Empty         *bool
}

// settle checks typed flags against those of an existing file, or stores them in a new one.
func settle(dir *directory.Store, path string, want fileFlags, g given) (fileFlags, error) {
	if dir.Meta("users") == "" {
		if g.Seed != nil && *g.Seed != dir.Seed() {
			return want, &usage{fmt.Sprintf("%s was made with seed %d; the flags ask for %d", path, dir.Seed(), *g.Seed), "leave --seed out, or name another file with --data"}
		}
		want.Seed = dir.Seed()
		// users comes last: a file that has it has the others, wherever a start was cut short.
		for _, m := range [][2]string{{"groups", strconv.Itoa(want.Groups)}, {"empty", strconv.FormatBool(want.Empty)}, {"users", strconv.Itoa(want.Users)}} {
			if err := dir.SetMeta(m[0], m[1]); err != nil {
				return want, err
			}
		}
		return want, nil
	}
	have := fileFlags{Seed: dir.Seed(), Empty: dir.Meta("empty") == "true"}
	var errs [2]error
	have.Users, errs[0] = strconv.Atoi(dir.Meta("users"))
	have.Groups, errs[1] = strconv.Atoi(dir.Meta("groups"))
	if err := errors.Join(errs[:]...); err != nil {
		return have, fmt.Errorf("data file: %w", err)
	}
	if g.Users != nil && *g.Users != have.Users || g.Groups != nil && *g.Groups != have.Groups || g.Seed != nil && *g.Seed != have.Seed || g.Empty != nil && *g.Empty != have.Empty {
		return have, &usage{fmt.Sprintf("%s was made with %s; the flags ask for something else", path, have), "leave the flags out, or name another file with --data"}
	}
	return have, nil
}

// openInstance assembles everything that works on a data file. mode, rate are the clock's.
func openInstance(dir *directory.Store, flags fileFlags, mode clock.Mode, rate float64, self func() string, concurrency int, log *slog.Logger) (*instance, error) {
	in := &instance{dir: dir, log: log, flags: flags, mode: mode, rate: rate, self: self}
	begin := firstInstant(mode)
	switch now, ok, err := sim.Instant(dir, mode); {
	case err != nil:
		return nil, err
	case ok:
		begin = now
	}
	in.clock = clock.New(mode, rate, begin)
	err := dir.File().Guard(func() (err error) {
		in.target, err = target.New(target.Options{Token: sim.EmbeddedToken, Now: in.clock.Now, Wait: in.clock.Pass, Seed: flags.Seed, DB: dir.DB()})
		return err
	})
	if err != nil {
		return nil, err
	}
	in.svc, err = sim.Open(sim.Options{Directory: dir, Clock: in.clock, Seed: flags.Seed, Concurrency: concurrency, FlushTarget: in.target.Flush, SelfURL: self, Log: log})
	if err != nil {
		return nil, err
	}
	dir.OnCommit(in.svc.DirectoryChanged)
	return in, nil
}

// fill makes the company and the starter application of a new file. A file whose making, or whose reset, was cut short is
// made anew.
func (in *instance) fill(ctx context.Context, progress io.Writer) error {
	if in.dir.Meta("resetting") == "" && (in.flags.Empty || in.dir.Meta("made") == "yes") {
		return nil
	}
	apps, err := in.svc.Applications()
	if err != nil {
		return err
	}
	if len(apps) > 0 || in.dir.Counts() != (directory.Counts{}) || in.dir.Meta("resetting") != "" {
		if err := in.svc.Reset(ctx, in.fresh()); err != nil {
			return err
		}
	}
	if err := in.generate(ctx, progress); err != nil {
		return err
	}
	return in.dir.SetMeta("resetting", "")
}

// generate fills an empty file.
func (in *instance) generate(ctx context.Context, progress io.Writer) error {
	if in.flags.Empty {
		return nil
	}
	bar := newBar(progress, "Making the company")
	if err := in.dir.Generate(ctx, in.clock.Now(), directory.Company{Users: in.flags.Users, Groups: in.flags.Groups, Seed: in.flags.Seed}, bar.show); err != nil {
		return err
	}
	bar.end()
	if err := in.svc.Starter(ctx); err != nil {
		return err
	}
	return in.dir.SetMeta("made", "yes")
}

// fresh is the emptied file: the clock as the flags of the program say.
func (in *instance) fresh() sim.Fresh {
	return sim.Fresh{Mode: in.mode, Rate: in.rate, Now: firstInstant(in.mode), Empty: func() error {
		in.target.Reset()
		return errors.Join(in.target.FlushNow(), in.dir.Reset())
	}}
}

// Reset puts everything back to what a new file with the same flags holds.
func (in *instance) Reset(ctx context.Context) error {
	in.reset.Lock()
	defer in.reset.Unlock()
	ctx = context.WithoutCancel(ctx) // half a reset is worse than one that nobody waits for
	for _, m := range [][2]string{{"resetting", "yes"}, {"made", ""}} {
		if err := in.dir.SetMeta(m[0], m[1]); err != nil {
			return err
		}
	}
	f := in.fresh()
	f.Fill = func() error { return in.generate(ctx, io.Discard) }
	if err := in.svc.Reset(ctx, f); err != nil {
		return err
	}
	return in.dir.SetMeta("resetting", "")
}

// flushLoop keeps the embedded target's part of the file no more than a tenth of a second behind.
func (in *instance) flushLoop(ctx context.Context) {
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := in.target.FlushNow(); err != nil {
				in.log.Error("the embedded target's contents are not saved", "error", err)
			}
		}
	}
}

// close writes what is left and closes the file.
func (in *instance) close() error {
	return errors.Join(in.svc.Close(), in.target.FlushNow(), in.dir.Close())
}

// bar shows progress of long work: a line that is rewritten on a terminal, a line now and then elsewhere.
type bar struct {
	w     io.Writer
	what  string
	tty   bool
	last  time.Time
	shown bool
}

func newBar(w io.Writer, what string) *bar {
	f, ok := w.(interface{ Fd() uintptr })
	return &bar{w: w, what: what, tty: ok && term.IsTerminal(int(f.Fd())), last: clock.Wall()}
}

func (b *bar) show(done, total int) {
	every := 2 * time.Second
	if b.tty {
		every = 100 * time.Millisecond
	}
	if clock.Wall().Sub(b.last) < every || total == 0 {
		return
	}
	b.last, b.shown = clock.Wall(), true
	const width = 30
	n := min(width, done*width/total)
	if b.tty {
		fmt.Fprintf(b.w, "\r%s [%-*s] %d of %d ", b.what, width, repeat('=', n), done, total)
		return
	}
	fmt.Fprintf(b.w, "%s: %d of %d\n", b.what, done, total)
}

func (b *bar) end() {
	if b.tty && b.shown {
		fmt.Fprint(b.w, "\r\033[K")
	}
}

func repeat(r rune, n int) string {
	s := make([]rune, n)
	for i := range s {
		s[i] = r
	}
	return string(s)
}
