package engine

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics of one engine.
type metrics struct {
	registerer prometheus.Registerer
	up         prometheus.Gauge
	restarts   prometheus.Counter
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		registerer: r,
		up: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "evenkeel_engine_up",
			Help: "Whether the embedded ClickHouse engine is running and answering.",
		}),
		restarts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "evenkeel_engine_restarts_total",
			Help: "How often the embedded ClickHouse engine died and was started again.",
		}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.up, m.restarts} {
		if err := r.Register(c); err != nil {
			m.unregister()
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) unregister() {
	if m.registerer != nil {
		m.registerer.Unregister(m.up)
		m.registerer.Unregister(m.restarts)
	}
}
