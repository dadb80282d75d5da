package sim

import (
	"context"
	"sync"
)

// Event is one thing that happened, for live pages and /sim/events. Its data is one object of its topic: CycleResult,
// LogRecord, Exchange, directory.Event, Job or ClockState. Of a job that is gone, by its deletion or a reset, it is the last
// state, marked deleted. AuditRecord, of the topic audit, is for this program's own pages.
type Event struct {
	ID    uint64
	Topic string // cycle, log, exchange, directory, job, clock or audit
	data  func() any
}

// Data renders the event's object; it is put together when somebody looks.
func (e Event) Data() any { return e.data() }

// eventRing is how many events are kept for those who come late.
const eventRing = 2000

// Events is a numbered log of the newest events. Publishing never waits: who does not keep up misses some and is told
// how many. The zero value is ready; it is safe for concurrent use.
type Events struct {
	mu   sync.Mutex
	ring []Event
	last uint64
	more chan struct{}
}

// Publish adds an event; data is called only when somebody reads it.
func (e *Events) Publish(topic string, data func() any) {
	e.mu.Lock()
	e.last++
	ev := Event{e.last, topic, data}
	if len(e.ring) < eventRing {
		e.ring = append(e.ring, ev)
	} else {
		e.ring[int((e.last-1)%eventRing)] = ev
	}
	if e.more != nil {
		close(e.more)
		e.more = nil
	}
	e.mu.Unlock()
}

// Last is the number of the newest event, 0 before the first.
func (e *Events) Last() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

// Since returns the events after a number, oldest first, and how many of them are gone already.
func (e *Events) Since(after uint64) (events []Event, missed uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if after >= e.last {
		return nil, 0
	}
	first := e.last - uint64(len(e.ring)) + 1
	if after+1 < first {
		missed = first - after - 1
		after = first - 1
	}
	for n := after + 1; n <= e.last; n++ {
		events = append(events, e.ring[int((n-1)%eventRing)])
	}
	return events, missed
}

// Wait returns when there is an event after the given number, or when ctx ends.
func (e *Events) Wait(ctx context.Context, after uint64) error {
	e.mu.Lock()
	if e.last > after {
		e.mu.Unlock()
		return nil
	}
	if e.more == nil {
		e.more = make(chan struct{})
	}
	more := e.more
	e.mu.Unlock()
	select {
	case <-more:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
