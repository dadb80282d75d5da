package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// provision runs one initial cycle of a generated company, everybody in scope, against any target.
type provision struct {
	TargetURL   string `name:"target-url" required:"" help:"Tenant URL of the target." placeholder:"URL"`
	Token       string `default:"" help:"Secret token of the target." placeholder:"TOKEN"`
	Users       int    `default:"1000" help:"Users of the generated company."`
	Groups      int    `default:"20" help:"Groups of the generated company."`
	Seed        int64  `default:"1" help:"Seed of the company and of the edits."`
	Mappings    string `default:"default" enum:"default,seed" help:"default: those of a new non-gallery application; seed: the set-up guide's."`
	Concurrency int    `default:"8" help:"Objects in flight."`
	Incremental int    `default:"0" help:"Make this many random edits afterwards and carry them out."`
	JSON        bool   `name:"json" help:"Print the summary as JSON."`

	observe func(*scim.Exchange)
}

// summary is what a run did.
type summary struct {
	Cycles       []sim.CycleResult `json:"cycles"`
	Counts       sim.Counts        `json:"counts"`
	Failures     map[string]int    `json:"failures"`
	Edits        map[string]int    `json:"edits,omitempty"`
	Escrows      int               `json:"escrows"`
	Requests     int               `json:"requests"`
	Seconds      float64           `json:"seconds"`
	PerSecond    float64           `json:"requestsPerSecond"`
	P50Ms        float64           `json:"p50Ms"`
	P99Ms        float64           `json:"p99Ms"`
	PeakMemoryMB float64           `json:"peakMemoryMB"`
	Failed       []failedObject    `json:"failed,omitempty"`
	OK           bool              `json:"ok"`
	Error        *sim.JobError     `json:"error,omitempty"`

	cpu time.Duration // processor time of the cycles
}

// failedObject is one of the first operations that failed.
type failedObject struct {
	Object  string `json:"object"`
	Kind    string `json:"kind"`
	Action  string `json:"action"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// shownFailures is how many failed operations a summary names.
const shownFailures = 10

// meter collects the durations of requests.
type meter struct {
	mu   sync.Mutex
	took []time.Duration
}

func (m *meter) add(e *scim.Exchange) {
	m.mu.Lock()
	m.took = append(m.took, e.Duration)
	m.mu.Unlock()
}

func (m *meter) percentile(p float64) float64 {
	if len(m.took) == 0 {
		return 0
	}
	sort.Slice(m.took, func(i, k int) bool { return m.took[i] < m.took[k] })
	return float64(m.took[int(p*float64(len(m.took)-1))].Microseconds()) / 1000
}

// Run provisions and prints the summary; it fails when an object did not end as wanted.
func (c *provision) Run(ctx context.Context, o output) error {
	sum, err := c.run(ctx, o.err)
	if err != nil && ctx.Err() != nil {
		tell(o.err, "interrupted before the cycle ended", "nothing is kept on this side: run the command again, what the target holds already is matched")
		return errFailed
	}
	if err != nil {
		return err
	}
	if c.JSON {
		data, err := json.MarshalIndent(sum, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintln(o.out, string(data))
	} else {
		sum.print(o.out)
	}
	switch {
	case sum.Error != nil:
		tell(o.err, fmt.Sprintf("the %s cycle broke off: %s: %s", sum.Cycles[len(sum.Cycles)-1].Kind, sum.Error.Code, sum.Error.Text()), cure(sum.Error))
		return errFailed
	case !sum.OK:
		tell(o.err, fmt.Sprintf("%d operations failed at %s", sum.Escrows, c.TargetURL), "the summary counts them by code and names the first; a running job would try them again with its next cycles")
		return errFailed
	}
	return nil
}

// cure says what to do about an error, with the flags of this command for the portal's fields.
func cure(e *sim.JobError) string {
	return strings.NewReplacer("Secret token under Connectivity", "Secret token with --token", "Tenant URL under Connectivity", "Tenant URL with --target-url",
		"check the Tenant URL", "check the Tenant URL (--target-url)").Replace(sim.Cure(e.Code, e.Message))
}

func (c *provision) run(ctx context.Context, progress io.Writer) (sum summary, err error) {
	if _, err := scim.ParseTenantURL(c.TargetURL); err != nil {
		return sum, &usage{err.Error(), "--target-url http://127.0.0.1:8481/scim is where `entrasim target` listens"}
	}
	if c.Users < 0 || c.Groups < 0 || c.Incremental < 0 || c.Concurrency < 1 {
		return sum, &usage{fmt.Sprintf("--users %d --groups %d --incremental %d --concurrency %d is no run", c.Users, c.Groups, c.Incremental, c.Concurrency),
			"--users, --groups and --incremental can't be negative, --concurrency is at least 1"}
	}
	folder, err := os.MkdirTemp("", "entrasim-")
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	dir, err := directory.Open(filepath.Join(folder, "entrasim.db"), directory.Options{Seed: c.Seed, Now: clock.Wall().UTC(), NoSync: true})
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	// A run is short and makes much garbage: collecting it less often costs some memory and saves a tenth of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	clk := clock.New(clock.Real, 1, clock.Wall().UTC())
	m := &meter{}
	svc, err := sim.Open(sim.Options{Directory: dir, Clock: clk, Seed: c.Seed, Concurrency: c.Concurrency, Log: slog.New(slog.DiscardHandler),
		OnExchange: func(e *scim.Exchange) {
			m.add(e)
			if c.observe != nil {
				c.observe(e)
			}
		}})
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, svc.Close()) }()
	making := newBar(progress, "Making the company")
	if err := dir.Generate(ctx, clk.Now(), directory.Company{Users: c.Users, Groups: c.Groups, Seed: c.Seed}, making.show); err != nil {
		return sum, err
	}
	making.end()
	app, err := c.application(svc)
	if err != nil {
		return sum, err
	}
	sum.Failures = map[string]int{}
	began, spent := clock.Wall(), processorTime()
	if err := cycleWithBar(ctx, svc, app, progress, &sum); err != nil {
		return sum, err
	}
	if c.Incremental > 0 && sum.Error == nil {
		if sum.Edits, err = (&editor{dir: dir, clock: clk, seed: c.Seed}).run(c.Incremental); err != nil {
			return sum, err
		}
		if err := cycleWithBar(ctx, svc, app, progress, &sum); err != nil {
			return sum, err
		}
	}
	sum.Seconds, sum.cpu = clock.Wall().Sub(began).Seconds(), processorTime()-spent
	return sum, sum.finish(svc, app, m)
}

// application makes the application with its job, everybody in scope, started.
func (c *provision) application(svc *sim.Service) (sim.Application, error) {
	app, err := svc.CreateApplication("Provisioned application")
	if err != nil {
		return app, err
	}
	all := sim.SyncAll
	if _, err := svc.CreateJob(app.ID, sim.SettingsEdit{TenantURL: &c.TargetURL, SecretToken: &c.Token, Scope: &all}); err != nil {
		return app, err
	}
	if c.Mappings == "seed" {
		if err := svc.SetSchema(app.ID, mapping.Starter()); err != nil {
			return app, err
		}
	}
	return app, svc.Start(app.ID)
}

// cycleWithBar runs the next cycle and shows how far it is.
func cycleWithBar(ctx context.Context, svc *sim.Service, app sim.Application, w io.Writer, sum *summary) error {
	bar := newBar(w, "Provisioning")
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(100 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-done:
				bar.end()
				return
			case <-t.C:
				if j, err := svc.Job(app.ID); err == nil && j.Progress != nil {
					p := j.Progress
					bar.show(p.UsersDone+p.GroupsDone+p.ReferencesDone, p.UsersTotal+p.GroupsTotal+p.ReferencesTotal)
				}
			}
		}
	})
	cycles, err := svc.RunCycles(ctx)
	close(done)
	wg.Wait()
	if err != nil {
		return err
	}
	for _, r := range cycles {
		sum.Cycles = append(sum.Cycles, r)
		sum.Requests += r.Requests
		sum.Counts.Create += r.Counts.Create
		sum.Counts.Update += r.Counts.Update
		sum.Counts.Disable += r.Counts.Disable
		sum.Counts.Delete += r.Counts.Delete
		sum.Counts.Skip += r.Counts.Skip
		sum.Counts.Fail += r.Counts.Fail
		if r.Error != nil {
			sum.Error = r.Error
		}
	}
	if len(cycles) == 0 {
		return ctx.Err()
	}
	return nil
}

func (s *summary) finish(svc *sim.Service, app sim.Application, m *meter) error {
	q := sim.LogQuery{ApplicationID: app.ID, Status: sim.Failure, Limit: 1000}
	for {
		page, err := svc.Logs(q)
		if err != nil {
			return err
		}
		for _, l := range page.Items {
			s.Failures[l.ErrorCode]++
			if len(s.Failed) < shownFailures {
				s.Failed = append(s.Failed, failedObject{l.DisplayName, l.ObjectKind, string(l.Action), l.ErrorCode, l.Reason})
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	j, err := svc.Job(app.ID)
	if err != nil {
		return err
	}
	s.Escrows = j.Escrows
	s.P50Ms, s.P99Ms = m.percentile(0.5), m.percentile(0.99)
	if s.Seconds > 0 {
		s.PerSecond = float64(s.Requests) / s.Seconds
	}
	s.PeakMemoryMB = peakMemory()
	s.OK = s.Error == nil && s.Escrows == 0 && len(s.Cycles) > 0
	return nil
}

// peakMemory is the most resident memory that this process had, in MB; 0 where the system does not tell.
func peakMemory() float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			if n, err := strconv.Atoi(strings.Fields(rest)[0]); err == nil {
				return float64(n) / 1024
			}
		}
	}
	return 0
}

func (s *summary) print(w io.Writer) {
	for _, r := range s.Cycles {
		fmt.Fprintf(w, "%s cycle: %s\n", r.Kind, r.State)
	}
	if len(s.Edits) > 0 {
		fmt.Fprintf(w, "edits     %s\n", counted(s.Edits))
	}
	n := s.Counts
	fmt.Fprintf(w, "objects   %d created, %d updated, %d disabled, %d deleted, %d skipped, %d failed\n", n.Create, n.Update, n.Disable, n.Delete, n.Skip, n.Fail)
	if len(s.Failures) > 0 {
		fmt.Fprintf(w, "failures  %s\n", counted(s.Failures))
	}
	fmt.Fprintf(w, "requests  %d in %.2f s, %.0f/s, p50 %.2f ms, p99 %.2f ms\nmemory    %.0f MB at most\n", s.Requests, s.Seconds, s.PerSecond, s.P50Ms, s.P99Ms, s.PeakMemoryMB)
	for _, f := range s.Failed {
		fmt.Fprintf(w, "failed    %s of %s %s: %s: %s\n", f.Action, strings.ToLower(f.Kind), f.Object, f.Code, f.Message)
	}
	if s.OK {
		fmt.Fprintln(w, "Every object ended as wanted.")
	}
}

func counted(m map[string]int) string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	sort.Strings(names)
	parts := make([]string, len(names))
	for i, k := range names {
		parts[i] = fmt.Sprintf("%d %s", m[k], k)
	}
	return strings.Join(parts, ", ")
}
