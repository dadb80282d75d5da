package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/scim"
)

// bench measures provisioning against a bare HTTP client that replays the same requests at the same concurrency, each
// against a target of its own process that is started anew with the same seed, so that the recorded ids hold.
type bench struct {
	Users       int     `default:"20000" help:"Users of the generated company."`
	Groups      int     `default:"200" help:"Groups of the generated company."`
	Concurrency int     `default:"8" help:"Objects in flight."`
	Rounds      int     `default:"3" help:"How often each side is measured, in turn; the median of the ratios counts."`
	AtLeast     float64 `default:"0.7" help:"Fail when the ratio is below."`
}

// Run measures against the embedded target and against one that answers at once.
func (c *bench) Run(ctx context.Context, o output) error {
	if c.Rounds < 1 {
		return &usage{fmt.Sprintf("--rounds %d is no run", c.Rounds), "it is at least 1, and odd for a median that was measured"}
	}
	failed := false
	for _, instant := range []bool{false, true} {
		name := "entrasim target"
		if instant {
			name = "a target that answers at once"
		}
		rounds, err := c.compare(ctx, o, instant)
		if err != nil {
			return err
		}
		var ratios []float64
		for _, r := range rounds {
			ratios = append(ratios, r.ratio())
			fmt.Fprintf(o.out, "%s: %d requests; provision %.0f/s, bare client %.0f/s, ratio %.2f; processor time with the target's %.0f µs and %.0f µs a request\n",
				name, r.ours.requests, r.ours.rate(), r.bare.rate(), r.ratio(), r.ours.each(), r.bare.each())
		}
		slices.Sort(ratios)
		median := ratios[len(ratios)/2]
		fmt.Fprintf(o.out, "%s: median ratio %.2f\n", name, median)
		failed = failed || median < c.AtLeast
	}
	if failed {
		fmt.Fprintf(o.err, "entrasim: a ratio is below %.2f\n", c.AtLeast)
		return errFailed
	}
	return nil
}

// measured is one side of the comparison.
type measured struct {
	requests int
	took     time.Duration
	cpu      time.Duration // of this process and the target's
}

func (m measured) rate() float64 { return float64(m.requests) / m.took.Seconds() }
func (m measured) each() float64 { return float64(m.cpu.Microseconds()) / float64(m.requests) }

// round is one measurement of both sides.
type round struct{ ours, bare measured }

func (r round) ratio() float64 { return r.ours.rate() / r.bare.rate() }

// startTarget runs this program's target in a process of its own.
func startTarget(ctx context.Context, instant bool) (url string, stop func() (time.Duration, error), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	args := []string{"target", "--addr", "127.0.0.1:0"}
	if instant {
		args = append(args, "--instant")
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		cancel()
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		cancel()
		return "", nil, err
	}
	stop = func() (time.Duration, error) {
		cancel()
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			return 0, err
		}
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_, ended := stop()
		return "", nil, errors.Join(fmt.Errorf("the target did not start: %w", err), ended)
	}
	for _, word := range strings.Fields(line) {
		if strings.HasPrefix(word, "http://") {
			return word, stop, nil
		}
	}
	_, ended := stop()
	return "", nil, errors.Join(fmt.Errorf("the target did not tell its address: %q", line), ended)
}

// compare measures both sides in turn: machines are noisy. The requests to replay are recorded by a run of their own that is
// not measured, and are forgotten behind it: to have them in memory would slow down the one that is.
func (c *bench) compare(ctx context.Context, o output, instant bool) (rounds []round, err error) {
	for range c.Rounds {
		var r round
		runtime.GC()
		if r.ours, _, err = c.provision(ctx, o, instant, nil); err != nil {
			return nil, err
		}
		var mu sync.Mutex
		var recorded []*scim.Exchange
		_, from, err := c.provision(ctx, o, instant, func(e *scim.Exchange) {
			mu.Lock()
			recorded = append(recorded, e)
			mu.Unlock()
		})
		if err != nil {
			return nil, err
		}
		if r.ours.requests != len(recorded) {
			return nil, fmt.Errorf("two runs with one seed sent %d and %d requests", r.ours.requests, len(recorded))
		}
		if r.bare, err = c.replay(ctx, instant, recorded, from); err != nil {
			return nil, err
		}
		rounds = append(rounds, r)
	}
	return rounds, nil
}

// replay measures the bare client against a target of its own; from is the address that the requests were recorded at.
func (c *bench) replay(ctx context.Context, instant bool, recorded []*scim.Exchange, from string) (m measured, err error) {
	url, stop, err := startTarget(ctx, instant)
	if err != nil {
		return m, err
	}
	before := processorTime()
	took, err := replay(ctx, recorded, from, url, c.Concurrency)
	cpu := processorTime() - before
	spent, ended := stop()
	return measured{len(recorded), took, cpu + spent}, errors.Join(err, ended)
}

// provision is one run against a target of its own.
func (c *bench) provision(ctx context.Context, o output, instant bool, observe func(*scim.Exchange)) (m measured, url string, err error) {
	url, stop, err := startTarget(ctx, instant)
	if err != nil {
		return m, url, err
	}
	run := &provision{TargetURL: url, Token: sim.EmbeddedToken, Users: c.Users, Groups: c.Groups, Seed: 1, Mappings: "default", Concurrency: c.Concurrency, observe: observe}
	sum, err := run.run(ctx, o.err)
	spent, ended := stop()
	if err := errors.Join(err, ended); err != nil {
		return m, url, err
	}
	if !sum.OK {
		sum.print(o.err)
		return m, url, fmt.Errorf("provisioning did not end as wanted")
	}
	return measured{sum.Requests, time.Duration(sum.Seconds * float64(time.Second)), sum.cpu + spent}, url, nil
}

// replay sends recorded requests with nothing but net/http: objects side by side, the requests of one in order, users
// before groups before references.
func replay(ctx context.Context, list []*scim.Exchange, from, to string, concurrency int) (time.Duration, error) {
	type unit []*scim.Exchange
	phases := make([][]unit, 4)
	place := map[string]int{}
	for _, e := range list {
		phase := 1
		switch {
		case e.Object == "":
			phase = 0
		case e.Method == http.MethodPatch:
			phase = 3
		case strings.Contains(e.URL, "/Groups"):
			phase = 2
		}
		key := fmt.Sprint(phase, e.Object)
		i, ok := place[key]
		if !ok {
			i = len(phases[phase])
			place[key] = i
			phases[phase] = append(phases[phase], nil)
		}
		phases[phase][i] = append(phases[phase][i], e)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	defer client.CloseIdleConnections()
	began := clock.Wall()
	for _, units := range phases {
		var next atomic.Int64
		var wg sync.WaitGroup
		errs := make([]error, concurrency)
		for w := range concurrency {
			wg.Go(func() {
				for {
					i := int(next.Add(1)) - 1
					if i >= len(units) || errs[w] != nil {
						return
					}
					for _, e := range units[i] {
						if errs[w] = send(ctx, client, e, from, to); errs[w] != nil {
							return
						}
					}
				}
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return 0, err
		}
	}
	return clock.Wall().Sub(began), nil
}

func send(ctx context.Context, client *http.Client, e *scim.Exchange, from, to string) error {
	var body io.Reader
	if e.RequestBody != nil {
		body = bytes.NewReader(e.RequestBody)
	}
	req, err := http.NewRequestWithContext(ctx, e.Method, to+strings.TrimPrefix(e.URL, from), body)
	if err != nil {
		return err
	}
	for _, h := range e.RequestHeaders {
		if h[0] != "Host" && h[0] != "Content-Length" {
			req.Header.Set(h[0], h[1])
		}
	}
	req.Header.Set("Authorization", "Bearer "+sim.EmbeddedToken)
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != e.Status {
		return fmt.Errorf("replaying %s %s: status %d, recorded was %d", e.Method, e.URL, res.StatusCode, e.Status)
	}
	return nil
}

// instantly answers every request at once with the least that provisioning accepts: the second opponent of the bench.
func instantly() http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json")
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		switch r.Method {
		case http.MethodGet:
			fmt.Fprint(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"Resources":[]}`)
		case http.MethodPost:
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"id":"%d"}`, n.Add(1))
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
}
