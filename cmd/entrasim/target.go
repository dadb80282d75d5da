package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/target"
)

// targetCmd serves the embedded target alone; its contents live in memory.
type targetCmd struct {
	Addr  string `default:"127.0.0.1:8481" help:"Address to listen on, ${default} by default; port 0 picks a free one." placeholder:"HOST:PORT"`
	Token string `default:"entrasim" help:"Bearer token that requests must carry, ${default} by default; empty asks for none." placeholder:"TOKEN"`
	Seed  int64  `default:"1" help:"Seed of the ids, ${default} by default." placeholder:"N"`
	// Instant keeps nothing and answers at once; the bench measures against it.
	Instant bool `hidden:""`

	ready func(url string)
}

// Run serves until ctx ends.
func (c *targetCmd) Run(ctx context.Context, o output) error {
	l, err := listen("--addr", c.Addr, "--token", c.Token == "")
	if err != nil {
		return err
	}
	defer l.Close()
	s, err := target.New(target.Options{Token: c.Token, Now: clock.Wall, Seed: c.Seed})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, `{"status":"ok"}`) })
	mux.HandleFunc("GET /leniencies", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(map[string]any{"leniencies": s.Store("default").Leniencies()}); err != nil {
			return // the client went away
		}
	})
	handler := s.Handler("default")
	if c.Instant {
		handler = instantly()
	}
	mux.Handle("/", handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := server.Shutdown(end); err != nil {
			fmt.Fprintf(o.err, "entrasim: open requests were cut: %v\n", errors.Join(err, server.Close()))
		}
	})
	url := "http://" + reachable(l) + "/scim"
	note := ""
	if c.Token == sim.EmbeddedToken {
		note = fmt.Sprintf("The token is the default, %s.\n", sim.EmbeddedToken)
	}
	// One write: who reads the address has read it all.
	fmt.Fprintf(o.out, "SCIM target at %s (bearer token: %s), in memory\nStop with Ctrl-C.\n%s", url, strings.Repeat("*", min(8, len(c.Token))), note)
	if c.ready != nil {
		c.ready(url)
	}
	err = server.Serve(l)
	if !stop() {
		<-ended // requests in flight are answered
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	for i, l := range s.Store("default").Leniencies() {
		if i == 0 {
			fmt.Fprintln(o.out, "A strict server might have refused some of it:")
		}
		fmt.Fprintf(o.out, "  %d times %s; last: %s\n", l.Count, l.Text, l.Example)
	}
	return nil
}
