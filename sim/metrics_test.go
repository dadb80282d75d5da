package sim

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"entrasim/sim/mapping"
)

// TestMetricsAreWhatPrometheusReads parses the metrics with Prometheus' own reader: each family has its type and says what
// it counts, and the histogram's buckets are cumulative up to +Inf.
func TestMetricsAreWhatPrometheusReads(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.people(3)
	w.no(w.svc.Start(w.app.ID))
	w.advance(Interval * 3)
	var text bytes.Buffer
	w.no(w.svc.WriteMetrics(&text))
	parser := expfmt.NewTextParser(model.LegacyValidation)
	got, err := parser.TextToMetricFamilies(strings.NewReader(text.String()))
	w.no(err)
	for name, f := range families {
		m, ok := got[name]
		if !ok || strings.ToLower(m.GetType().String()) != f.kind || m.GetHelp() != f.help {
			t.Errorf("%s: %v", name, m)
		}
	}
	if len(got) != len(families) {
		t.Errorf("%d families, want %d:\n%s", len(got), len(families), &text)
	}
	requests := map[string]float64{}
	for _, m := range got["entrasim_scim_requests_total"].GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == "method" {
				requests[l.GetValue()] += m.GetCounter().GetValue()
			}
		}
	}
	for _, m := range got["entrasim_scim_request_seconds"].GetMetric() {
		h, before := m.GetHistogram(), uint64(0)
		for _, b := range h.GetBucket() {
			if b.GetCumulativeCount() < before {
				t.Errorf("a bucket of %v falls: %v", m.GetLabel(), h)
			}
			before = b.GetCumulativeCount()
		}
		last := h.GetBucket()[len(h.GetBucket())-1]
		if method := m.GetLabel()[0].GetValue(); len(h.GetBucket()) != len(requestBounds)+1 || !math.IsInf(last.GetUpperBound(), 1) ||
			last.GetCumulativeCount() != h.GetSampleCount() || float64(h.GetSampleCount()) != requests[method] || h.GetSampleSum() <= 0 {
			t.Errorf("%s: %v; %v requests", method, h, requests[method])
		}
	}
}
