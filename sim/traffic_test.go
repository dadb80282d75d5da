package sim

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// TestTrafficIsBounded: what is kept takes no more memory than the limit, counted by what the runtime says it takes and not
// by what the ring says of itself.
func TestTrafficIsBounded(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	headers := [][2]string{{"Content-Type", "application/scim+json"}, {"X-Long", strings.Repeat("h", 4000)}}
	for _, c := range []struct {
		name string
		n    int
		make func() *scim.Exchange
		kept int // at least
	}{
		{"long answers", 400, func() *scim.Exchange { return &scim.Exchange{ResponseBody: make([]byte, 3<<20)} }, 240},
		{"long requests", 400, func() *scim.Exchange { return &scim.Exchange{RequestBody: make([]byte, 300<<10, 2<<20)} }, 240},
		{"unused memory", 9000, func() *scim.Exchange { return &scim.Exchange{ResponseBody: make([]byte, 10, 64<<10)} }, 9000},
		{"long headers", 20_000, func() *scim.Exchange {
			own := append([][2]string{}, headers...)
			own[1][1] = strings.Clone(own[1][1])
			return &scim.Exchange{ResponseHeaders: own}
		}, 9000},
		{"short ones", 20_000, func() *scim.Exchange { return &scim.Exchange{URL: strings.Repeat("u", 100)} }, trafficCount},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := heap()
			tr := newTraffic()
			for range c.n {
				tr.add(c.make())
			}
			grown := int(heap() - before)
			if grown > trafficBytes*11/10 || tr.size > trafficBytes {
				t.Errorf("%d exchanges take %d KiB, counted as %d KiB", len(tr.ring), grown>>10, tr.size>>10)
			}
			if len(tr.ring) < c.kept || len(tr.ring) > trafficCount {
				t.Errorf("%d exchanges are kept", len(tr.ring))
			}
			list, first, missed := tr.since(0, trafficCount)
			if len(list) != len(tr.ring) || missed != uint64(c.n-len(list)) || first != missed+1 || tr.last() != uint64(c.n) {
				t.Errorf("%d listed from %d, %d missed, last %d", len(list), first, missed, tr.last())
			}
			runtime.KeepAlive(tr)
		})
	}
}

// TestLongBodiesAreCut: with a mark, between two characters, in the record alone.
func TestLongBodiesAreCut(t *testing.T) {
	tr := newTraffic()
	whole := bytes.Repeat([]byte("é"), bodyBytes) // two bytes each
	e := &scim.Exchange{RequestBody: whole[1:], ResponseBody: whole[:bodyBytes]}
	id, era := tr.add(e)
	x := exchangeOf(id, tr.of(id, era))
	if !strings.HasSuffix(x.RequestBody, "é"+CutMark) || !utf8.ValidString(x.RequestBody[1:]) || len(x.RequestBody) > bodyBytes+len(CutMark) {
		t.Errorf("request body of %d bytes ends with %q", len(x.RequestBody), x.RequestBody[len(x.RequestBody)-80:])
	}
	if x.ResponseBody != string(whole[:bodyBytes]) {
		t.Errorf("an answer of 256 KiB is cut to %d bytes", len(x.ResponseBody))
	}
	if len(e.RequestBody) != len(whole)-1 {
		t.Error("the exchange itself was cut")
	}
}

// TestEventsHoldNoExchanges: the log of events leads to what is kept, and to nothing behind a reset.
func TestEventsHoldNoExchanges(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.assign(w.user("ann").ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	newest := func() Exchange {
		events, _ := w.svc.Events().Since(0)
		for i := len(events) - 1; i >= 0; i-- {
			if events[i].Topic == "exchange" {
				return events[i].Data().(Exchange)
			}
		}
		t.Fatal("no event of an exchange")
		return Exchange{}
	}
	if x := newest(); x.Method != "POST" || x.Status != 201 {
		t.Errorf("newest exchange %+v", x)
	}
	w.svc.traffic.reset()
	if x := newest(); x.Method != "" || x.Error != "no longer kept" {
		t.Errorf("behind a reset: %+v", x)
	}
}

// TestExchangeNumbersOutliveTheProgram: a log record written before the program was started again names exchanges that are
// gone, never another object's; and a number means one exchange.
func TestExchangeNumbersOutliveTheProgram(t *testing.T) {
	for _, clean := range []bool{true, false} {
		t.Run(fmt.Sprintf("clean %v", clean), func(t *testing.T) {
			w := newWorld(t, mapping.Starter(), "")
			ann, bob := w.user("ann"), w.user("bob")
			w.assign(ann.ID, bob.ID)
			w.no(w.svc.Start(w.app.ID))
			w.cycle()
			old := w.record(ann.ID)
			for _, n := range old.Exchanges {
				if x, ok := w.svc.Exchange(n); !ok || x.Object != ann.ID {
					t.Fatalf("exchange %d is %+v", n, x)
				}
			}
			last := w.svc.traffic.last()
			first := w.svc
			if clean {
				w.no(first.Close())
			}
			var err error
			w.svc, err = Open(Options{Directory: w.dir, Clock: w.clock, Seed: 1})
			w.no(err)
			w.svc.Begin(t.Context())
			if !clean { // the world closes one of them; a killed program closes none
				first.closed = true
			}
			w.edit(bob.ID, "displayName", "Bob Two")
			w.cycle()
			if len(old.Exchanges) != 2 {
				t.Fatalf("%d exchanges of the create", len(old.Exchanges))
			}
			for _, n := range w.record(ann.ID).Exchanges {
				if x, ok := w.svc.Exchange(n); ok {
					t.Errorf("exchange %d of the record about ann is now %s %s about %s", n, x.Method, x.URL, x.Object)
				}
			}
			for _, n := range w.record(bob.ID).Exchanges {
				if x, ok := w.svc.Exchange(n); !ok || x.Object != bob.ID || n <= last {
					t.Errorf("exchange %d of the record about bob: %v %+v", n, ok, x)
				}
			}
			if page := w.svc.Traffic(0, 10); page.Missed != last || len(page.Exchanges) == 0 || page.Exchanges[0].ID != last+1 {
				t.Errorf("%d are missed of %d, %d listed", page.Missed, last, len(page.Exchanges))
			}
			if page := w.svc.Traffic(last+1000, 10); len(page.Exchanges) != 0 {
				t.Errorf("behind the last: %+v", page)
			}
		})
	}
}

// TestContentTypeWarningIsRecorded: answers under another name are taken; the exchange, the log record and the explanation
// say so.
//
// Shows: W-193
func TestContentTypeWarningIsRecorded(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	ops := w.group("Ops", ann.ID)
	w.assign(ops.ID)
	w.before(func(rw http.ResponseWriter, r *http.Request, _ string) bool {
		return r.URL.Path == "/scim/Users" && r.Method == "GET" && func() bool {
			rw.Header().Set("Content-Type", "application/json")
			_, err := rw.Write([]byte(list()))
			w.no(err)
			return true
		}()
	})
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	l := w.record(ann.ID)
	if l.Status != Success || len(l.Warnings) != 1 || !strings.Contains(l.Warnings[0], "application/json") {
		t.Errorf("record: %s, warnings %q", l.Status, l.Warnings)
	}
	if x, ok := w.svc.Exchange(l.Exchanges[0]); !ok || len(x.Warnings) != 1 {
		t.Errorf("exchange: %+v", x)
	}
	if x, ok := w.svc.Exchange(l.Exchanges[1]); !ok || len(x.Warnings) != 0 {
		t.Errorf("the POST: %+v", x)
	}
	if why, err := w.svc.Why(ann.ID); err != nil || len(why[0].Last.Warnings) != 1 {
		t.Errorf("why: %+v, %v", why, err)
	}
	if l := w.record(ops.ID); len(l.Warnings) != 0 {
		t.Errorf("the group: %q", l.Warnings)
	}
}
