package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/target"
)

// TestSummaryAsJSON holds the whole shape of --json: scripts read it.
func TestSummaryAsJSON(t *testing.T) {
	tg, err := target.New(target.Options{Token: "t", Now: clock.Wall, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(tg.Handler("default"))
	defer server.Close()
	var out, errs bytes.Buffer
	args := []string{"provision", "--target-url", server.URL + "/scim", "--token", "t", "--users", "40", "--groups", "4", "--incremental", "20", "--json"}
	if code := run(context.Background(), args, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, &errs)
	}
	var got struct {
		Cycles []struct {
			Job      string
			Cycle    int
			Kind     string
			Began    time.Time
			Ended    time.Time
			State    string
			Error    *sim.JobError
			Counts   map[string]int
			Requests int
		}
		Counts                     map[string]int
		Failures, Edits            map[string]int
		Escrows, Requests          int
		Seconds, RequestsPerSecond float64
		P50Ms, P99Ms               float64
		PeakMemoryMB               float64
		OK                         bool
	}
	d := json.NewDecoder(&out)
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if len(got.Cycles) != 2 || got.Cycles[0].Kind != "initial" || got.Cycles[1].Kind != "incremental" || got.Cycles[0].State != "Succeeded" || got.Cycles[0].Job == "" ||
		got.Cycles[0].Ended.Before(got.Cycles[0].Began) {
		t.Errorf("cycles %+v", got.Cycles)
	}
	users, groups := tg.Store("default").Counts()
	first := got.Cycles[0].Counts
	for _, k := range []string{"create", "update", "disable", "delete", "skip", "fail"} {
		if n, ok := first[k]; !ok || got.Counts[k] != n+got.Cycles[1].Counts[k] {
			t.Errorf("%s: %d in all, %d and %d", k, got.Counts[k], n, got.Cycles[1].Counts[k])
		}
	}
	if got.Counts["create"]-got.Counts["delete"] != users+groups || first["create"]+first["skip"] < 44 {
		t.Errorf("counts %v; the target holds %d users and %d groups", got.Counts, users, groups)
	}
	if !got.OK || got.Escrows != 0 || len(got.Failures) != 0 || len(got.Edits) < 15 || got.Requests != got.Cycles[0].Requests+got.Cycles[1].Requests ||
		got.RequestsPerSecond <= 0 || got.P99Ms < got.P50Ms || got.P50Ms <= 0 || got.Seconds <= 0 || got.PeakMemoryMB < 1 {
		t.Errorf("summary %+v", got)
	}
	if errs.Len() != 0 {
		t.Errorf("told beside it: %s", &errs)
	}
}

// TestBar: off a terminal progress is a line now and then, and nothing when work is short.
func TestBar(t *testing.T) {
	var out strings.Builder
	b := newBar(&out, "Making")
	b.show(1, 10)
	b.end()
	if out.Len() > 0 {
		t.Errorf("short work: %q", out.String())
	}
	b.last = b.last.Add(-time.Minute)
	b.show(5, 10)
	b.show(6, 10)
	b.end()
	if out.String() != "Making: 5 of 10\n" {
		t.Errorf("long work: %q", out.String())
	}
	b.tty, b.last = true, b.last.Add(-time.Minute)
	out.Reset()
	b.show(5, 10)
	b.end()
	if !strings.HasPrefix(out.String(), "\rMaking [===============") || !strings.HasSuffix(out.String(), "\r\033[K") {
		t.Errorf("on a terminal: %q", out.String())
	}
}

// TestPercentile counts from the fastest.
func TestPercentile(t *testing.T) {
	m := &meter{}
	if m.percentile(0.5) != 0 {
		t.Error("nothing took time")
	}
	for i := range 100 {
		m.took = append(m.took, time.Duration(100-i)*time.Millisecond)
	}
	if m.percentile(0.5) != 50 || m.percentile(0.99) != 99 || m.percentile(1) != 100 {
		t.Errorf("%v %v %v", m.percentile(0.5), m.percentile(0.99), m.percentile(1))
	}
}
