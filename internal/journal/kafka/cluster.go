package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
)

// requestTimeout bounds one request to a broker, and with it how long an answer
// from a broker that is gone is waited for.
const requestTimeout = 5 * time.Second

// metadataAge is how old our idea of who leads a partition may be.
const metadataAge = time.Second

// Cluster is a journal of several partitions, each a partition of a Kafka topic.
// Every replica of the service opens it and appends to all of them.
type Cluster struct {
	opts       Options
	client     *kafkago.Client
	transport  *kafkago.Transport
	maxBatch   int // bytes, the topic's max.message.bytes
	partitions []*Partition
	m          *metrics

	stop     context.CancelFunc
	watching sync.WaitGroup
	once     sync.Once
}

// Open connects, makes the topics where they are missing, and learns where each
// partition begins and ends. It retries until ctx ends while the brokers are away.
func Open(ctx context.Context, o Options) (_ *Cluster, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("journal in Kafka: %w", err)
		}
	}()
	if err := o.fill(); err != nil {
		return nil, err
	}
	c := &Cluster{opts: o}
	c.dial()
	if err := c.prepare(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	for id := range o.Partitions {
		c.partitions = append(c.partitions, newPartition(c, id))
	}
	if c.m, err = newMetrics(o.Registerer, c); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if err := c.learn(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	for _, p := range c.partitions {
		go p.commit() //nolint:gosec // it outlives Open, and ends with Close
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	c.watching.Go(func() { c.watch(watching) })
	return c, nil
}

func (c *Cluster) dial() {
	c.transport = &kafkago.Transport{
		Dial:        (&net.Dialer{Timeout: requestTimeout}).DialContext,
		MetadataTTL: metadataAge,
		ClientID:    "evenkeel",

		MetadataTopics: []string{c.opts.Topic, c.opts.checkpointTopic()},
		TLS:            c.opts.TLS,
		SASL:           c.opts.SASL,
	}
	c.client = &kafkago.Client{Addr: kafkago.TCP(c.opts.Brokers...), Timeout: 2 * requestTimeout, Transport: c.transport}
}

// learn asks for the bounds of all partitions.
func (c *Cluster) learn(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for _, p := range c.partitions {
		g.Go(func() error { return p.learn(ctx) })
	}
	return g.Wait()
}

// watchEvery is how often the sizes and bounds of the partitions are asked for.
const watchEvery = 5 * time.Second

// watch keeps what is known of the partitions young, for who does not read them.
func (c *Cluster) watch(ctx context.Context) {
	every := time.NewTicker(watchEvery)
	defer every.Stop()
	for {
		if err := c.measure(ctx); err != nil && ctx.Err() == nil {
			c.opts.Logger.Warn("The size of the journal is not known", "topic", c.opts.Topic, "err", err)
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// measure looks at every partition, up to the first that the brokers do not answer for.
func (c *Cluster) measure(ctx context.Context) error {
	for _, p := range c.partitions {
		if err := p.measure(ctx); err != nil {
			return fmt.Errorf("partition %d: %w", p.id, err)
		}
	}
	return nil
}

// Partitions returns how many there are.
func (c *Cluster) Partitions() uint32 { return c.opts.Partitions }

// Partition returns one of them, a journal of its own.
func (c *Cluster) Partition(id uint32) *Partition { return c.partitions[id] }

// Append writes each record to the partitions that it concerns: a delivery to those of the domains
// in it, each copy with its [ingest.Route]; a configuration or a tick to all. It returns nil only
// when all of them have it. After an error some may have it: then the sender's repetition
// makes copies there, which change nothing.
//
// There is no one position to return; first is 0.
func (c *Cluster) Append(ctx context.Context, records []ingest.Record) (first uint64, err error) {
	if len(records) == 0 {
		return 0, errors.New("journal: append of no records")
	}
	var g errgroup.Group // one that fails does not stop the others: fewer copies are made anew
	for id, part := range c.split(records) {
		if len(part) > 0 {
			g.Go(func() error {
				_, err := c.partitions[id].Append(ctx, part)
				return err
			})
		}
	}
	return 0, g.Wait()
}

// split returns what each partition gets, in the order of records.
func (c *Cluster) split(records []ingest.Record) [][]ingest.Record {
	parts := make([][]ingest.Record, c.opts.Partitions)
	for _, rec := range records {
		rec, among := c.route(rec)
		for _, id := range among {
			parts[id] = append(parts[id], rec)
		}
	}
	return parts
}

// route returns the record as its partitions get it. A copy that is the only one needs no route:
// whoever decodes it, all of its events are its own.
func (c *Cluster) route(rec ingest.Record) (ingest.Record, []uint32) {
	n := c.opts.Partitions
	switch rec.Kind {
	case ingest.KindConfiguration, ingest.KindTick:
		return rec, everyPartition(n)
	case ingest.KindDelivery:
		r := ingest.NewRoute(c.opts.DomainLabel, n, cmp.Or(rec.Tenant, ingest.DefaultTenant), c.opts.Events(rec))
		if len(r.Among) > 1 {
			rec.Route = &r
		}
		return rec, r.Among
	}
	return rec, ingest.NewRoute("", n, cmp.Or(rec.Tenant, ingest.DefaultTenant), nil).Among
}

func everyPartition(n uint32) []uint32 {
	all := make([]uint32, n)
	for id := range n {
		all[id] = id
	}
	return all
}

// Usage adds up the partitions.
func (c *Cluster) Usage() journal.Usage {
	var sum journal.Usage
	for _, p := range c.partitions {
		u := p.Usage()
		sum.Bytes += u.Bytes
		sum.MaxBytes += u.MaxBytes
	}
	return sum
}

// Health returns nil while every partition can take deliveries, otherwise why one cannot.
func (c *Cluster) Health() error {
	for _, p := range c.partitions {
		if err := p.Health(); err != nil {
			return fmt.Errorf("partition %d: %w", p.id, err)
		}
	}
	return nil
}

// Close writes what was accepted, then ends. Later calls give [journal.ErrClosed].
func (c *Cluster) Close() error {
	c.once.Do(func() {
		if c.stop != nil {
			c.stop()
			c.watching.Wait()
			var closing sync.WaitGroup
			for _, p := range c.partitions {
				closing.Go(func() { _ = p.Close() }) // never fails
			}
			closing.Wait()
		}
		if c.m != nil {
			c.m.registered.Unregister()
		}
		c.transport.CloseIdleConnections()
	})
	return nil
}
