package sim

import (
	"fmt"
	"io"
	"sync"

	"github.com/VictoriaMetrics/metrics"

	"entrasim/sim/expr"
	"entrasim/sim/scim"
)

func (s *Service) previewEnv() *expr.Env {
	return &expr.Env{Now: s.clock.Now(), DefaultDomain: s.dir.Tenant().DefaultDomain,
		Rand: func(purpose string) io.Reader { return chance(s.opt.Seed, purpose, "preview") }}
}

// counters are what this process did, for /metrics.
type counters struct {
	set *metrics.Set
	// Counters by what they count, so that a request does not spell their names.
	exchanges, objects sync.Map
	faults             *metrics.Counter
}

type exchangeKey struct {
	method string
	status int
}

type exchangeMeter struct {
	count *metrics.Counter
	took  *metrics.Histogram
}

type objectKey struct {
	action Action
	status Outcome
}

func newCounters(s *Service) *counters {
	c := &counters{set: metrics.NewSet()}
	c.faults = c.set.NewCounter(`entrasim_internal_errors_total`)
	c.set.NewGauge(`entrasim_directory_objects{kind="user"}`, func() float64 { return float64(s.dir.Counts().Users) })
	c.set.NewGauge(`entrasim_directory_objects{kind="group"}`, func() float64 { return float64(s.dir.Counts().Groups) })
	return c
}

func (c *counters) cycle(r CycleResult) {
	c.set.GetOrCreateCounter(fmt.Sprintf(`entrasim_cycles_total{state=%q}`, r.State)).Inc()
}

func (c *counters) request(e *scim.Exchange) {
	k := exchangeKey{e.Method, e.Status}
	m, ok := c.exchanges.Load(k)
	if !ok {
		m, _ = c.exchanges.LoadOrStore(k, exchangeMeter{
			c.set.GetOrCreateCounter(fmt.Sprintf(`entrasim_scim_requests_total{method=%q,status="%d"}`, e.Method, e.Status)),
			c.set.GetOrCreateHistogram(fmt.Sprintf(`entrasim_scim_request_seconds{method=%q}`, e.Method)),
		})
	}
	meter := m.(exchangeMeter)
	meter.count.Inc()
	meter.took.Update(e.Duration.Seconds())
}

func (c *counters) record(r *record) {
	k := objectKey{r.Action, r.Status}
	n, ok := c.objects.Load(k)
	if !ok {
		n, _ = c.objects.LoadOrStore(k, c.set.GetOrCreateCounter(fmt.Sprintf(`entrasim_objects_total{action=%q,status=%q}`, r.Action, r.Status)))
	}
	n.(*metrics.Counter).Inc()
}

// WriteMetrics writes the counters of this process in the Prometheus text format.
func (s *Service) WriteMetrics(w io.Writer) { s.metrics.set.WritePrometheus(w) }
