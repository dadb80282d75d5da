package portal

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
)

const (
	// livePause is the least time between two messages to a page. A cycle makes thousands of events a second; a page is
	// told which topics moved, and no more.
	livePause = 250 * time.Millisecond
	liveBeat  = 15 * time.Second
)

// moved is one message to a page: the topics of which something happened, and what the cycles that ended did, in words.
type moved struct {
	Topics []string `json:"topics"`
	Said   string   `json:"said,omitempty"`
	Bad    bool     `json:"bad,omitempty"` // a cycle broke off
	Missed bool     `json:"missed,omitempty"`
}

// live streams to a page what moved since it was made. The number of the newest event is the message's id, so that a page
// that comes back goes on from there.
func (p *Portal) live(c echo.Context) error {
	log := p.Service.Events()
	after := log.Last()
	for _, text := range []string{c.QueryParam("after"), c.Request().Header.Get("Last-Event-ID")} { // the header is newer
		if n, err := strconv.ParseUint(text, 10, 64); err == nil && n <= log.Last() {
			after = n
		}
	}
	w := c.Response()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	_, err := fmt.Fprint(w, "retry: 1000\n: hello\n\n")
	for err == nil {
		w.Flush()
		if after, err = p.nextMove(c.Request().Context(), w, log, after); err != nil {
			return nil // the page went away
		}
	}
	return nil
}

// nextMove waits for something to happen and tells it; after liveBeat without anything it keeps the stream open.
func (p *Portal) nextMove(ctx context.Context, w io.Writer, log *sim.Events, after uint64) (uint64, error) {
	wait, cancel := context.WithTimeout(ctx, liveBeat)
	defer cancel()
	if err := log.Wait(wait, after); err != nil {
		if ctx.Err() != nil {
			return after, ctx.Err()
		}
		_, err = fmt.Fprint(w, ": still here\n\n")
		return after, err
	}
	pause, done := context.WithTimeout(ctx, livePause)
	defer done()
	<-pause.Done()
	if ctx.Err() != nil {
		return after, ctx.Err()
	}
	list, missed := log.Since(after)
	if len(list) == 0 {
		return after, nil
	}
	data, err := json.Marshal(p.moved(list, missed))
	if err != nil {
		return after, err
	}
	after = list[len(list)-1].ID
	_, err = fmt.Fprintf(w, "id: %d\nevent: moved\ndata: %s\n\n", after, data)
	return after, err
}

func (p *Portal) moved(list []sim.Event, missed uint64) moved {
	topics := map[string]bool{}
	var cycles []sim.CycleResult
	for _, e := range list {
		topics[e.Topic] = true
		if e.Topic != "cycle" {
			continue
		}
		if r, ok := e.Data().(sim.CycleResult); ok && (r.Counts != sim.Counts{} || r.State == sim.Failed) {
			cycles = append(cycles, r)
		}
	}
	m := moved{Topics: slices.Sorted(maps.Keys(topics)), Missed: missed > 0}
	if len(cycles) > 0 {
		m.Said, m.Bad = p.ran(cycles), slices.ContainsFunc(cycles, func(r sim.CycleResult) bool { return r.State == sim.Failed })
	}
	return m
}
