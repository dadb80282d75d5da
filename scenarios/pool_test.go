package scenarios

import (
	"context"
	"net/http"
	"slices"
	"testing"
)

// nil404 is an endpoint that has nothing.
type nil404 struct{}

func (nil404) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }

// TestRunAllKeepsOrder: whatever ends first, results come in the order of the list, also when the run is cut short.
func TestRunAllKeepsOrder(t *testing.T) {
	list, err := Load("jobs", "scope", "deprovisioning")
	if err != nil {
		t.Fatal(err)
	}
	var got []*Scenario
	RunAll(t.Context(), list, Target{}, Options{}, 4, func(r Result) { got = append(got, r.Scenario) })
	if !slices.Equal(got, list) {
		t.Errorf("%d results of %d, or another order", len(got), len(list))
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	RunAll(ctx, list, Target{}, Options{}, 2, func(Result) {
		if n++; n == 3 {
			cancel()
		}
	})
	if n < 3 || n > len(list)/2 { // players run ahead of who reads, but not to the end
		t.Errorf("%d results of %d behind a stop at the third", n, len(list))
	}
}

func TestFilterAndShard(t *testing.T) {
	list, err := Load("all")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Filter(list, "^groups/|QUARANTINE"); err != nil || len(got) < 8 || len(got) == len(list) {
		t.Errorf("%d %v", len(got), err)
	}
	if _, err := Filter(list, "["); err == nil {
		t.Error("[ is no expression")
	}
	var all []*Scenario
	for _, part := range []string{"1/3", "2/3", "3/3"} {
		got, err := Shard(list, part)
		if err != nil || len(got) < len(list)/3 {
			t.Errorf("%s: %d %v", part, len(got), err)
		}
		all = append(all, got...)
	}
	if len(all) != len(list) {
		t.Errorf("the parts have %d of %d", len(all), len(list))
	}
	for _, bad := range []string{"", "0/3", "4/3", "a/b", "1", "1/0"} {
		if _, err := Shard(list, bad); err == nil {
			t.Errorf("%q is no part", bad)
		}
	}
}
