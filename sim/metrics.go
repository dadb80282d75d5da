package sim

import (
	"bytes"
	"fmt"
	"io"
	"strings"
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
	took  *metrics.PrometheusHistogram
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
			c.set.GetOrCreatePrometheusHistogramExt(fmt.Sprintf(`entrasim_scim_request_seconds{method=%q}`, e.Method), requestBounds),
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

// requestBounds are the upper bounds of the buckets of request durations, in seconds: from an embedded target's answer to
// the longest wait for one.
var requestBounds = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}

// families are what is told of each metric before its values.
var families = map[string]struct{ kind, help string }{
	"entrasim_internal_errors_total": {"counter", "Errors of the program itself that were contained."},
	"entrasim_directory_objects":     {"gauge", "Live objects of the directory, by kind."},
	"entrasim_cycles_total":          {"counter", "Provisioning cycles that ended, by their state."},
	"entrasim_scim_requests_total":   {"counter", "SCIM requests that were sent, by method and status; status 0 got no answer."},
	"entrasim_scim_request_seconds":  {"histogram", "Real time from a SCIM request to the end of its answer, by method."},
	"entrasim_objects_total":         {"counter", "Provisioning log records, by action and status."},
}

// WriteMetrics writes the counters of this process in the Prometheus text format, version 0.0.4.
func (s *Service) WriteMetrics(w io.Writer) error {
	var values bytes.Buffer
	s.metrics.set.WritePrometheus(&values) // family by family
	var out bytes.Buffer
	last := ""
	for line := range strings.Lines(values.String()) {
		if name := familyOf(line); name != last {
			f := families[name]
			fmt.Fprintf(&out, "# HELP %s %s\n# TYPE %s %s\n", name, f.help, name, f.kind)
			last = name
		}
		out.WriteString(line)
	}
	_, err := out.WriteTo(w)
	return err
}

// familyOf is the name of the metric that a line has a value of: the series of a histogram belong to one.
func familyOf(line string) string {
	name := line[:strings.IndexAny(line, "{ ")]
	for _, part := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(name, part); ok && families[base].kind == "histogram" {
			return base
		}
	}
	return name
}
