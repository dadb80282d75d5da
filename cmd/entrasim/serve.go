package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"entrasim/directory"
	"entrasim/sim/clock"
	"entrasim/web"
	"entrasim/web/graph"
)

// serve is the program's main job. Flags of the company are pointers, so that a file can tell what was typed.
type serve struct {
	Addr      string `default:"127.0.0.1:8480" help:"Address to listen on, ${default} by default; port 0 picks a free one." placeholder:"HOST:PORT"`
	Data      string `default:"entrasim.db" help:"The tenant's data file, made when it is new; ${default} by default." placeholder:"FILE"`
	Ephemeral bool   `help:"Use a temporary data file instead of --data; it is removed at exit."`
	Clock     string `default:"real" help:"real (the default), manual, or a rate such as 60x." placeholder:"MODE"`
	Empty     *bool  `help:"No starter company: the tenant alone."`
	Seed      *int64 `help:"Seed of the company and of every random value (default 1)." placeholder:"N"`
	Users     *int   `help:"Users of the generated company (default 60)." placeholder:"N"`
	Groups    *int   `help:"Groups of the generated company (default 8)." placeholder:"N"`
	APIToken  string `name:"api-token" help:"Token that the APIs and the portal ask for; without it only loopback addresses are served." placeholder:"TOKEN"`

	TLSAddr string `name:"tls-addr" help:"Address of a second, HTTPS listener; its CA is written to ca.pem beside the data file." placeholder:"HOST:PORT"`

	OnDemandFormat   string `name:"on-demand-format" default:"reference" enum:"reference,live" help:"Form of Graph's answer to provisionOnDemand: that of the documentation (reference, the default) or that of captures (live)." placeholder:"FORM"`
	ThrottleOnDemand bool   `name:"throttle-on-demand" help:"Enforce Graph's limit of five provisionOnDemand requests in ten seconds."`

	ready func(url string) // tests are told the address
}

// parseClock reads the --clock flag.
func parseClock(text string) (clock.Mode, float64, error) {
	switch strings.ToLower(text) {
	case "real":
		return clock.Real, 1, nil
	case "manual":
		return clock.Manual, 1, nil
	}
	if n, ok := strings.CutSuffix(strings.ToLower(text), "x"); ok {
		if rate, err := strconv.ParseFloat(n, 64); err == nil && rate > 0 && rate <= 1e7 {
			return clock.Rate, rate, nil
		}
	}
	return "", 0, &usage{fmt.Sprintf("--clock %s is none of real, manual and a rate", text), "--clock 60x lets an hour pass in a minute"}
}

func (c *serve) flags() (fileFlags, error) {
	f := fileFlags{Users: 60, Groups: 8, Seed: 1}
	if c.Users != nil {
		f.Users = *c.Users
	}
	if c.Groups != nil {
		f.Groups = *c.Groups
	}
	if c.Seed != nil {
		f.Seed = *c.Seed
	}
	if c.Empty != nil {
		f.Empty = *c.Empty
	}
	if f.Users < 0 || f.Groups < 0 {
		return f, &usage{"--users and --groups can't be negative", "--users 60 --groups 8 are the defaults"}
	}
	return f, nil
}

// listen opens a listener before anything is made, so that a taken port leaves no file behind. flag names the flag with its
// address and guard the one with the token that it needs when other machines can reach it; open says that the token is not
// set.
func listen(flag, addr, guard string, open bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	port := "8480"
	if flag == "--tls-addr" {
		port = "8443"
	}
	if err != nil {
		return nil, &usage{fmt.Sprintf("%s %s is no address", flag, addr), flag + " 127.0.0.1:" + port + " names host and port"}
	}
	if ip := net.ParseIP(host); open && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, &usage{fmt.Sprintf("%s %s is reachable from other machines, and no token is set", flag, addr), "set " + guard + ", or listen on 127.0.0.1"}
	}
	l, err := net.Listen("tcp", addr)
	if err == nil {
		return l, nil
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &usage{addr + " is taken", flag + " 127.0.0.1:0 picks a free port"}
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return nil, &usage{fmt.Sprintf("can't listen on %s: %v", addr, err), flag + " 127.0.0.1:0 picks a free port"}
}

// reachable is the address of a listener for this machine: one that listens on every address is reached by the loopback one.
func reachable(l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return l.Addr().String()
}

// Run serves until ctx ends.
func (c *serve) Run(ctx context.Context, o output) (err error) {
	mode, rate, err := parseClock(c.Clock)
	if err != nil {
		return err
	}
	want, err := c.flags()
	if err != nil {
		return err
	}
	l, err := listen("--addr", c.Addr, "--api-token", c.APIToken == "")
	if err != nil {
		return err
	}
	defer l.Close()
	var secure net.Listener
	if c.TLSAddr != "" {
		if secure, err = listen("--tls-addr", c.TLSAddr, "--api-token", c.APIToken == ""); err != nil {
			return err
		}
		defer secure.Close()
	}
	log := slog.New(slog.NewTextHandler(o.err, &slog.HandlerOptions{ReplaceAttr: maskSecrets}))
	path := c.Data
	if c.Ephemeral {
		folder, err := os.MkdirTemp("", "entrasim-")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		path = filepath.Join(folder, "entrasim.db")
	}
	dir, err := directory.Open(path, directory.Options{Seed: want.Seed, Now: firstInstant(mode), NoSync: c.Ephemeral})
	if err != nil {
		return err
	}
	flags, err := settle(dir, path, want, given{c.Users, c.Groups, c.Seed, c.Empty})
	if err != nil {
		return errors.Join(err, dir.Close())
	}
	addresses := listeners{plain: l, url: "http://" + reachable(l)}
	if secure != nil {
		if err := addresses.encrypt(secure, c.TLSAddr, filepath.Dir(path)); err != nil {
			return errors.Join(err, dir.Close())
		}
	}
	in, err := openInstance(dir, flags, mode, rate, func() string { return addresses.url }, 0, log)
	if err != nil {
		if directory.CodeOf(err) != directory.Damaged {
			err = &usage{fmt.Sprintf("%s can't be read: %v", path, err), "name another file with --data"}
		}
		return errors.Join(err, dir.Close())
	}
	if err := in.fill(ctx, o.err); err != nil {
		if ctx.Err() != nil {
			err = nil // stopped while the company was made: the next start makes it anew
		}
		return errors.Join(err, in.close())
	}
	server, err := web.New(web.Deps{Service: in.svc, Target: in.target, APIToken: c.APIToken, Reset: in.Reset, DataFile: path, Log: log,
		OnDemandFormat: graph.OnDemandFormat(c.OnDemandFormat), ThrottleOnDemand: c.ThrottleOnDemand})
	if err != nil {
		return errors.Join(err, in.close())
	}
	return c.work(ctx, o, in, server, addresses)
}

func firstInstant(mode clock.Mode) time.Time {
	if mode == clock.Manual {
		return manualStart
	}
	return clock.Wall().UTC()
}

// listeners are what a program is reached by.
type listeners struct {
	plain  net.Listener
	url    string
	secure net.Listener // nil without --tls-addr
	note   string       // what is told of it
}

// encrypt adds the HTTPS listener, with a certificate of the folder's authority.
func (ls *listeners) encrypt(l net.Listener, asked, folder string) error {
	const hint = "take ca.pem and ca-key.pem away to have new ones made, or leave --tls-addr out"
	now := clock.Wall() // clients check certificates by the time of day
	ca, err := openAuthority(folder, now)
	if err != nil {
		return &usage{err.Error(), hint}
	}
	config, err := ca.config(l.Addr(), asked, now)
	if err != nil {
		return err
	}
	ls.secure = tls.NewListener(l, config)
	ls.note = fmt.Sprintf("  HTTPS        https://%s (clients have to trust %s)\n", reachable(l), ca.path)
	return nil
}

// all lists the listeners.
func (ls *listeners) all() []net.Listener {
	if ls.secure == nil {
		return []net.Listener{ls.plain}
	}
	return []net.Listener{ls.plain, ls.secure}
}

// work runs listeners, scheduler and the target's writer side by side until ctx ends or a listener fails. The listeners go
// on until running cycles have stopped: the embedded target is behind them, and what it no longer answers would count as a
// failure of the objects in flight.
func (c *serve) work(ctx context.Context, o output, in *instance, server *web.Server, ls listeners) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	wg.Go(func() {
		defer stopServing()
		in.svc.Run(ctx)
	})
	wg.Go(func() { in.flushLoop(ctx) })
	counts := in.dir.Counts()
	fmt.Fprintf(o.out, "entrasim serves %s: %d users, %d groups\n  Portal       %s\n  SCIM target  %s/scim (bearer token: entrasim)\n  Control API  %s/sim\n%sStop with Ctrl-C.\n",
		in.dir.Tenant().DisplayName, counts.Users, counts.Groups, ls.url, ls.url, ls.url, ls.note)
	if c.ready != nil {
		c.ready(ls.url)
	}
	err := server.Serve(serving, ls.all()...)
	cancel()
	wg.Wait()
	return errors.Join(err, in.close())
}

// maskSecrets keeps tokens out of the log, whatever the attribute was called.
func maskSecrets(_ []string, a slog.Attr) slog.Attr {
	name := strings.ToLower(a.Key)
	if strings.Contains(name, "token") || strings.Contains(name, "secret") || name == "authorization" {
		return slog.String(a.Key, "***")
	}
	return a
}
