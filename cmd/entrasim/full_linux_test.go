package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"entrasim/sim"
)

// fill makes the disk full for a running program, as far as it can tell: what it writes behind a part of its file, or
// appends to it, fails. It gives back how the disk is emptied again.
func (l *live) fill(part float64) (empty func()) {
	l.t.Helper()
	info, err := os.Stat(l.path)
	if err != nil {
		l.t.Fatal(err)
	}
	limit := func(size uint64) error {
		return unix.Prlimit(l.cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}, nil)
	}
	if err := limit(uint64(float64(info.Size()) * part)); err != nil {
		l.t.Fatal(err)
	}
	return func() {
		l.t.Helper()
		if err := limit(unix.RLIM_INFINITY); err != nil && !errors.Is(err, syscall.ESRCH) {
			l.t.Error(err)
		}
	}
}

// TestFullDisk fills the disk at random instants of an initial cycle and of incremental ones with edits in between, for a
// target in another process. The program stays, refuses what it can't keep, and goes on when there is room again: at
// once, behind an orderly end, or behind a kill on the full disk. The target ends as the directory wants it.
func TestFullDisk(t *testing.T) {
	people, groups, lives := 600, 16, 6
	if *long {
		people, groups, lives = 4000, 60, 40
	}
	r := chance(t)
	l, path, app, target := elsewhere(t, people, groups)
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	e := &clicks{r: r, tenant: readTenant(t, path), tried: map[string]int{}, kinds: map[string]int{}}
	l = serveFile(t, path)
	l.start(app)
	refused := 0
	for i := range lives {
		if i > 0 {
			e.click(l, 5+r.IntN(10))
		}
		var wg sync.WaitGroup
		wg.Go(func() { // the cycle may fail
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if _, _, err := request(ctx, "POST", l.url+"/sim/cycle", ""); err != nil && ctx.Err() != nil {
				t.Errorf("a cycle on a full disk does not end: %v", err)
			}
		})
		time.Sleep(time.Duration(r.IntN(400)) * time.Millisecond)
		part := 0.0 // nothing at all can be written
		if i%2 == 1 {
			part = r.Float64() / 4 // the front of the file can, where the pages are that it fills first
		}
		empty := l.fill(part)
		for n := range 10 {
			if status := l.form("/users/new", "displayName", fmt.Sprint("Full ", i, n), "userPrincipalName", fmt.Sprintf("full%d-%d@contoso.example", i, n), "accountEnabled", "on"); status >= 500 {
				refused++
			} else if status == 0 {
				t.Errorf("no answer on a full disk\n%s", &l.errs)
			}
		}
		time.Sleep(time.Duration(r.IntN(200)) * time.Millisecond)
		switch how := r.IntN(3); how {
		case 0:
			empty()
			wg.Wait()
		case 1:
			if err := l.end(os.Kill); err == nil {
				t.Fatalf("the program had ended by itself\n%s", &l.errs)
			}
			wg.Wait()
		default:
			if err := l.end(syscall.SIGTERM); err != nil {
				t.Logf("end on a full disk: %v\n%s", err, &l.errs)
			}
			wg.Wait()
		}
		if l.cmd.ProcessState != nil {
			l = serveFile(t, path)
		}
		if t.Failed() {
			return
		}
	}
	l.must("/applications/" + app + "/provisioning/restart")
	for range 2 {
		l.cycle()
	}
	for _, c := range l.cycle().Cycles {
		if c.State != sim.Succeeded || c.Counts != (sim.Counts{}) {
			t.Errorf("with nothing left to do, a cycle did %+v", c)
		}
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	ten := readTenant(t, path)
	ten.agree(t, "Elsewhere", ten.apps["Elsewhere"], readTarget(t, target), true)
	if refused == 0 {
		t.Error("nothing was refused: the disk was never full")
	}
	t.Logf("%d edits refused for want of room, %d made: %v", refused, e.done, e.kinds)
}
