package clock

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func advance(c *Clock, d time.Duration) (err error) {
	exclusive := c.Exclusive(context.Background(), func(ctx context.Context, _ time.Time) { err = c.Advance(ctx, d) })
	return errors.Join(err, exclusive)
}

// TestAdvanceRunsWhatFallsDueInOrder: by due time, then by name; each sees its own due time, also what is set meanwhile.
func TestAdvanceRunsWhatFallsDueInOrder(t *testing.T) {
	c := New(Manual, 1, start)
	var got []string
	note := func(name string) Work {
		return func(_ context.Context, now time.Time) {
			if !c.Now().Equal(now) {
				t.Errorf("%s: the clock shows %v at %v", name, c.Now(), now)
			}
			got = append(got, name+now.Sub(start).String())
		}
	}
	c.At("late", start.Add(3*time.Hour), note("late"))
	c.At("b", start.Add(time.Hour), note("b"))
	c.At("a", start.Add(time.Hour), func(ctx context.Context, now time.Time) {
		note("a")(ctx, now)
		c.At("again", now.Add(time.Minute), note("again"))
	})
	c.At("gone", start.Add(time.Minute), note("gone"))
	c.Cancel("gone")
	if err := advance(c, 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a1h0m0s", "b1h0m0s", "again1h1m0s"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !c.Now().Equal(start.Add(2 * time.Hour)) {
		t.Errorf("the clock shows %v", c.Now())
	}
	var past ErrPast
	if err := c.AdvanceTo(t.Context(), start); !errors.As(err, &past) {
		t.Errorf("going back: %v", err)
	}
}

// TestRealTime: timers fire by themselves, an advance waits for what runs and leaves the clock running.
func TestRealTime(t *testing.T) {
	c := New(Rate, 3600, start) // an hour a second
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { c.Run(ctx); close(done) }()
	var fired atomic.Int32
	c.At("x", start.Add(2*time.Minute), func(context.Context, time.Time) {
		time.Sleep(50 * time.Millisecond)
		fired.Add(1)
	})
	for end := time.Now().Add(5 * time.Second); fired.Load() == 0 && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if fired.Load() != 1 {
		t.Fatal("the timer did not fire")
	}
	before := c.Now()
	if err := advance(c, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if c.Now().Sub(before) < 24*time.Hour {
		t.Errorf("advanced by %v only", c.Now().Sub(before))
	}
	at := c.Now()
	time.Sleep(20 * time.Millisecond)
	if !c.Now().After(at) {
		t.Error("the clock stands still behind an advance")
	}
	if err := c.Set("sundial", 1); err == nil {
		t.Error("an unknown mode was taken")
	}
	for _, rate := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if err := c.Set(Rate, rate); err == nil {
			t.Errorf("the rate %v was taken", rate)
		}
	}
	cancel()
	<-done
}

func TestPass(t *testing.T) {
	begin := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	manual := New(Manual, 1, begin)
	if err := manual.Pass(t.Context(), time.Hour); err != nil || !manual.Now().Equal(begin.Add(time.Hour)) {
		t.Errorf("manual clock shows %v, %v", manual.Now(), err)
	}
	fast := New(Rate, 3600, begin)
	before := Wall()
	if err := fast.Pass(t.Context(), time.Minute); err != nil || fast.Now().Before(begin.Add(time.Minute)) {
		t.Errorf("fast clock shows %v, %v", fast.Now(), err)
	}
	if took := Wall().Sub(before); took > 10*time.Second {
		t.Errorf("a minute at 3600x took %v", took)
	}
}

// TestLatest: the clock has an end, and stands there.
func TestLatest(t *testing.T) {
	c := New(Manual, 1, start)
	var late ErrLate
	if err := c.AdvanceTo(t.Context(), Latest.Add(1)); !errors.As(err, &late) || !c.Now().Equal(start) {
		t.Errorf("beyond the end: %v, the clock shows %v", err, c.Now())
	}
	if err := c.AdvanceTo(t.Context(), Latest); err != nil || !c.Now().Equal(Latest) {
		t.Errorf("to the end: %v, the clock shows %v", err, c.Now())
	}
	if err := c.Pass(t.Context(), time.Hour); err != nil || !c.Now().Equal(Latest) {
		t.Errorf("behind the end: %v, the clock shows %v", err, c.Now())
	}
	fast := New(Rate, 1e7, Latest.Add(-time.Hour))
	for end := time.Now().Add(5 * time.Second); !fast.Now().Equal(Latest); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the fast clock shows %v", fast.Now())
		}
	}
}

// TestWallIsSet: the real clock follows the wall forth, and never back.
func TestWallIsSet(t *testing.T) {
	c := New(Real, 1, start)
	c.wall = c.wall.Round(0).Add(-time.Hour) // as if the wall had moved on by an hour that the machine did not count
	forth := c.Now()
	if d := forth.Sub(start); d < time.Hour || d > time.Hour+time.Minute {
		t.Errorf("an hour forth: it moved by %v", d)
	}
	c.wall = c.wall.Add(2 * time.Hour) // and was set back by two
	if back := c.Now(); back.Before(forth) || back.Sub(forth) > time.Minute {
		t.Errorf("two hours back: from %v to %v", forth, back)
	}
	if err := c.Set(Manual, 1); err != nil || c.Now().Before(forth) {
		t.Errorf("manual behind it: %v, %v", c.Now(), err)
	}
}
