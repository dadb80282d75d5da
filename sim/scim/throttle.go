package scim

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// repeatLimit is how often a request is sent again whose answer asks to wait; then the operation has failed.
const repeatLimit = 3

// ErrTooLong is the error of an Options.Wait that does not wait as long as it is asked to: the request has failed.
var ErrTooLong = errors.New("the target asks to wait for too long")

// do sends a request, and sends it again as long as the target answers 429 and says how long to wait. Meanwhile the other
// requests of the client wait as well. Each try is an exchange of its own. The error says why no answer came.
func (c *Client) do(ctx context.Context, tag Tag, op operation, method, url string, body []byte) (*answer, *Error) {
	for repeats := 0; ; repeats++ {
		c.busy.pass(ctx)
		if c.opt.Pace != nil {
			c.opt.Pace(ctx)
		}
		a, fail := c.send(ctx, tag, op, method, url, body)
		if fail != nil {
			fail.Repeats = repeats
			return nil, fail
		}
		a.repeats = repeats
		if a.status != http.StatusTooManyRequests || !a.asksToWait || !c.opt.HonourRetryAfter || repeats == repeatLimit {
			return a, nil
		}
		switch err := c.wait(ctx, a.retryAfter); {
		case errors.Is(err, ErrTooLong):
			return a, nil
		case err != nil:
			a.cut = true
			return a, nil
		}
		if repeats == 0 {
			tag.Reason += " It is sent again after the wait that the target asked for."
			tag.Rules = append(tag.Rules[:len(tag.Rules):len(tag.Rules)], "W-204")
		}
	}
}

// wait passes the time that the target asked for, with the client's other requests held back.
func (c *Client) wait(ctx context.Context, d time.Duration) error {
	c.busy.close()
	defer c.busy.open()
	if c.opt.Wait != nil {
		return c.opt.Wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gate holds requests back while somebody keeps it closed. The zero value is open.
type gate struct {
	mu     sync.Mutex
	closed int           // how many keep it closed
	opened chan struct{} // closed when nobody does any more
}

func (g *gate) close() {
	g.mu.Lock()
	if g.closed++; g.closed == 1 {
		g.opened = make(chan struct{})
	}
	g.mu.Unlock()
}

func (g *gate) open() {
	g.mu.Lock()
	if g.closed--; g.closed == 0 {
		close(g.opened)
	}
	g.mu.Unlock()
}

// pass returns when the gate is open, or when ctx ends.
func (g *gate) pass(ctx context.Context) {
	for {
		g.mu.Lock()
		shut, opened := g.closed > 0, g.opened
		g.mu.Unlock()
		if !shut {
			return
		}
		select {
		case <-opened:
		case <-ctx.Done():
			return
		}
	}
}

// retryAfter reads how long an answer asks to wait: seconds, or an instant by the target's own clock. ok is false when it
// does not say (RFC 9110, section 10.2.3).
func retryAfter(h http.Header) (d time.Duration, ok bool) {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Duration(n) * time.Second, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(0, at.Sub(now)), true
}
