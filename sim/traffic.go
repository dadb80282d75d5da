package sim

import (
	"sync"
	"time"
	"unicode/utf8"

	"entrasim/sim/scim"
)

// Limits of the recorded traffic.
const (
	trafficCount = 10_000
	trafficBytes = 64 << 20
	bodyBytes    = 256 << 10
)

// CutMark ends a recorded body that was longer than 256 KiB.
const CutMark = "… [cut by entrasim: the body was longer than 256 KiB]"

// Header is one header of a recorded request or answer, in the order of the wire.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Exchange is one recorded SCIM request with its answer. Time is virtual, DurationMs real; the token is masked. Status 0
// means that no answer came; Error then says why.
type Exchange struct {
	ID              uint64    `json:"id"`
	Time            time.Time `json:"time"`
	Job             string    `json:"job"`
	Cycle           int       `json:"cycle"`
	Object          string    `json:"object"` // id of the directory object, "" for a probe
	Method          string    `json:"method"`
	URL             string    `json:"url"`
	RequestHeaders  []Header  `json:"requestHeaders"`
	RequestBody     string    `json:"requestBody"`
	Status          int       `json:"status"`
	ResponseHeaders []Header  `json:"responseHeaders"`
	ResponseBody    string    `json:"responseBody"`
	DurationMs      float64   `json:"durationMs"`
	Reason          string    `json:"reason"`
	Rules           []string  `json:"rules"`
	Error           string    `json:"error,omitempty"`
	Warnings        []string  `json:"warnings,omitempty"` // what the answer broke and was let pass
}

// TrafficPage is what `/sim/traffic` answers.
type TrafficPage struct {
	Exchanges []Exchange `json:"exchanges"`
	Next      uint64     `json:"next"`   // the after of the next page
	Missed    uint64     `json:"missed"` // exchanges behind after that are gone
}

// traffic keeps the newest exchanges in memory: 10,000 and at most 64 MiB. Numbers go on over the ends of the program, so
// that the one that a log record names is that exchange or none.
type traffic struct {
	mu    sync.Mutex
	ring  []kept // position n holds exchange number first+n
	first uint64
	size  int
	era   int // counts resets, behind which the numbers begin again
}

// kept is an exchange with the memory that it takes.
type kept struct {
	*scim.Exchange
	size int
}

func newTraffic() *traffic { return &traffic{first: 1} }

// goOn lets numbers go on behind the last one that the file knows of.
func (t *traffic) goOn(last uint64) {
	t.mu.Lock()
	t.first = last + 1
	t.mu.Unlock()
}

// add keeps e, whose long bodies it cuts in a copy, and returns its number and the era of it.
func (t *traffic) add(e *scim.Exchange) (id uint64, era int) {
	e = cutBodies(e)
	k := kept{e, memoryOf(e)}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ring = append(t.ring, k)
	t.size += k.size
	for len(t.ring) > trafficCount || t.size > trafficBytes && len(t.ring) > 1 {
		t.size -= t.ring[0].size
		t.ring[0] = kept{}
		t.ring = t.ring[1:]
		t.first++
	}
	return t.first + uint64(len(t.ring)) - 1, t.era
}

// of returns exchange number id of an era, nil when it is gone.
func (t *traffic) of(id uint64, era int) *scim.Exchange {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := id - t.first; era == t.era && id >= t.first && i < uint64(len(t.ring)) {
		return t.ring[i].Exchange
	}
	return nil
}

// What an exchange and one of its headers take beside their texts.
const (
	fixedBytes  = 350
	headerBytes = 32
)

// memoryOf is how many bytes an exchange keeps alive. Ids and sentences that exchanges share are counted with each.
func memoryOf(e *scim.Exchange) int {
	n := fixedBytes + cap(e.RequestBody) + cap(e.ResponseBody) + len(e.URL) + len(e.Reason) + len(e.Err) + len(e.Job) + len(e.CycleID) + len(e.Object)
	for _, list := range [][][2]string{e.RequestHeaders, e.ResponseHeaders} {
		n += cap(list) * headerBytes
		for _, h := range list {
			n += len(h[0]) + len(h[1])
		}
	}
	return n
}

// cutBodies returns e, or a copy of it in which no body is longer than 256 KiB or has much unused memory behind it.
func cutBodies(e *scim.Exchange) *scim.Exchange {
	request, response := cut(e.RequestBody), cut(e.ResponseBody)
	if request == nil && response == nil {
		return e
	}
	c := *e
	if request != nil {
		c.RequestBody = request
	}
	if response != nil {
		c.ResponseBody = response
	}
	return &c
}

// cut returns the part of a body that is kept, nil for all of it as it is.
func cut(body []byte) []byte {
	if len(body) <= bodyBytes {
		if cap(body)-len(body) > 1024 {
			return append(make([]byte, 0, len(body)), body...)
		}
		return nil
	}
	n := bodyBytes
	for n > 0 && !utf8.RuneStart(body[n]) {
		n--
	}
	return append(append(make([]byte, 0, n+len(CutMark)), body[:n]...), CutMark...)
}

// since returns up to limit exchanges behind after, oldest first.
func (t *traffic) since(after uint64, limit int) (list []*scim.Exchange, first, missed uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if after+1 < t.first {
		missed = t.first - after - 1
		after = t.first - 1
	}
	from := int(after + 1 - t.first)
	if from >= len(t.ring) {
		return nil, after + 1, missed
	}
	to := min(len(t.ring), from+limit)
	list = make([]*scim.Exchange, to-from)
	for i, k := range t.ring[from:to] {
		list[i] = k.Exchange
	}
	return list, after + 1, missed
}

func (t *traffic) last() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.first + uint64(len(t.ring)) - 1
}

func (t *traffic) reset() {
	t.mu.Lock()
	t.ring, t.first, t.size = nil, 1, 0
	t.era++
	t.mu.Unlock()
}

// Traffic returns up to limit recorded exchanges with numbers above after, oldest first. A limit of 0 means 1,000.
func (s *Service) Traffic(after uint64, limit int) TrafficPage {
	if limit <= 0 {
		limit = 1000
	}
	list, first, missed := s.traffic.since(after, min(limit, trafficCount))
	page := TrafficPage{Exchanges: make([]Exchange, len(list)), Next: max(after, first-1), Missed: missed}
	for i, e := range list {
		page.Exchanges[i] = exchangeOf(first+uint64(i), e)
		page.Next = first + uint64(i)
	}
	return page
}

// RecentTraffic returns the newest exchanges, newest first.
func (s *Service) RecentTraffic(limit int) []Exchange {
	last := s.traffic.last()
	after := uint64(0)
	if last > uint64(limit) {
		after = last - uint64(limit)
	}
	list := s.Traffic(after, limit).Exchanges
	for i, k := 0, len(list)-1; i < k; i, k = i+1, k-1 {
		list[i], list[k] = list[k], list[i]
	}
	return list
}

// Exchange returns the recorded exchange with the given number, unless it is gone.
func (s *Service) Exchange(id uint64) (Exchange, bool) {
	if id == 0 {
		return Exchange{}, false
	}
	list, first, _ := s.traffic.since(id-1, 1)
	if len(list) == 0 || first != id {
		return Exchange{}, false
	}
	return exchangeOf(id, list[0]), true
}

func exchangeOf(id uint64, e *scim.Exchange) Exchange {
	x := Exchange{
		ID: id, Time: e.Time, Job: e.Job, Cycle: e.Cycle, Object: e.Object, Method: e.Method, URL: e.URL,
		RequestHeaders: headersOf(e.RequestHeaders), RequestBody: string(e.RequestBody), Status: e.Status,
		ResponseHeaders: headersOf(e.ResponseHeaders), ResponseBody: string(e.ResponseBody),
		DurationMs: float64(e.Duration.Microseconds()) / 1000, Reason: e.Reason, Rules: e.Rules, Error: e.Err,
	}
	if x.Rules == nil {
		x.Rules = []string{}
	}
	for _, rule := range RulesOf(e.Warnings) {
		x.Warnings = append(x.Warnings, rule.Text)
	}
	return x
}

func headersOf(list [][2]string) []Header {
	out := make([]Header, len(list))
	for i, h := range list {
		out[i] = Header{h[0], h[1]}
	}
	return out
}
