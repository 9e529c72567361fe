package app

import (
	"net"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/ingest/webhook"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/config"
)

// receiving reads what requests are received by: tokens, tenants, mappings.
func receiving(c *config.Config) (webhook.Settings, error) {
	sources, err := webhook.NewSources(c.Sources())
	if err != nil {
		return webhook.Settings{}, err
	}
	decoder, err := wire.New(c.Decoding())
	return webhook.Settings{Sources: sources, Decoder: decoder}, err
}

// connections bounds how many are open at once, over all listeners. What comes beyond waits to be accepted.
type connections struct {
	free chan struct{}
	open prometheus.Gauge
}

func newConnections(limit int, reg prometheus.Registerer) *connections {
	c := &connections{make(chan struct{}, limit), prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "evenkeel_web_connections", Help: "Connections that are open now; the limit is ingest.max_connections.",
	})}
	reg.MustRegister(c.open)
	return c
}

// bounded is a listener that accepts a connection only when one more may be open.
type bounded struct {
	net.Listener
	all  *connections
	once sync.Once
	done chan struct{}
}

func (c *connections) listener(l net.Listener) net.Listener {
	return &bounded{Listener: l, all: c, done: make(chan struct{})}
}

// Accept implements [net.Listener].
func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.all.free <- struct{}{}:
	case <-b.done:
		return nil, net.ErrClosed
	}
	conn, err := b.Listener.Accept()
	if err != nil {
		<-b.all.free
		return nil, err
	}
	b.all.open.Inc()
	return &counted{Conn: conn, all: b.all}, nil
}

// Close implements [net.Listener].
func (b *bounded) Close() error {
	b.once.Do(func() { close(b.done) })
	return b.Listener.Close()
}

// counted is a connection that makes room when it is closed.
type counted struct {
	net.Conn
	all  *connections
	once sync.Once
}

// Close implements [net.Conn].
func (c *counted) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		<-c.all.free
		c.all.open.Dec()
	})
	return err
}
