package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// Appender is the part of a journal that receiving needs. It returns only when
// the records are durable.
type Appender interface {
	Append(ctx context.Context, records []ingest.Record) (first uint64, err error)
}

// Options are what all streams share.
type Options struct {
	// Journal takes what arrives. Required.
	Journal Appender
	// Read decodes a record that is about to be appended, to tell what cannot be; what it holds goes with the
	// record. Default: [wire.Decoder.ReadAhead] without configuration.
	Read func(rec ingest.Record, now ingest.Millis) (*ingest.Reading, error)
	// NeverHolds tells whether an error of the journal means that it will not take the record however
	// often it is tried. Default: none does.
	NeverHolds func(error) bool
	// MaxBodyBytes bounds one record; a longer one is a dead letter. Default 16 MiB.
	MaxBodyBytes int64
	// MaxTenants is how many tenants may be named in headers; a record that names one more is a
	// dead letter. Default 1000.
	MaxTenants int
	// Metrics count. Default: nobody sees them.
	Metrics *Metrics
	// Logger says what failed. Default: nothing is said.
	Logger *slog.Logger
	// SessionTimeout is how long the group waits for a member that is silent. Default 15 s.
	SessionTimeout time.Duration

	tenants *ingest.Tenants // of all streams with these options
}

const (
	defaultMaxBodyBytes   = 16 << 20
	defaultMaxTenants     = 1000
	defaultSessionTimeout = 15 * time.Second

	askWithin     = 10 * time.Second // one question to a broker
	appendWithin  = 5 * time.Second  // one try of the journal
	watchInterval = 10 * time.Second // of topics and their partitions
	lagInterval   = 10 * time.Second
	firstRetry    = 100 * time.Millisecond
	slowestRetry  = 5 * time.Second
)

// Stream reads the topics of one configuration.
type Stream struct {
	config Config
	opts   Options
	wires  wires
	client *kafka.Client
	dead   *deadLetters // nil: there is no topic for them
	m      of
	log    *slog.Logger
	quiet  *quiet
}

// New checks the configuration, reads the files that it names, and connects to nothing.
func New(c Config, o Options) (*Stream, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("stream %s: %w", c.Name, err)
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	w, err := newWires(c, "evenkeel-"+host)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", c.Name, err)
	}
	w.transport.MetadataTopics = c.allTopics()
	s := &Stream{config: c, opts: o, wires: w, client: w.client(c.Brokers, askWithin), m: o.Metrics.of(c.Name), log: o.Logger.With("stream", c.Name), quiet: &quiet{}}
	if c.DeadLetterTopic != "" {
		s.dead = newDeadLetters(s)
	}
	return s, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.Read == nil {
		decoder, err := wire.New(wire.Config{})
		if err != nil {
			return o, err
		}
		o.Read = decoder.ReadAhead
	}
	if o.NeverHolds == nil {
		o.NeverHolds = func(error) bool { return false }
	}
	if o.MaxBodyBytes == 0 {
		o.MaxBodyBytes = defaultMaxBodyBytes
	}
	if o.MaxTenants == 0 {
		o.MaxTenants = defaultMaxTenants
	}
	if o.tenants == nil {
		o.tenants = ingest.NewTenants(o.MaxTenants)
	}
	if o.SessionTimeout == 0 {
		o.SessionTimeout = defaultSessionTimeout
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var err error
	if o.Metrics == nil {
		o.Metrics, err = NewMetrics(nil)
	}
	return o, err
}

func (c Config) allTopics() []string {
	var names []string
	for _, t := range c.Topics {
		names = append(names, t.Name)
	}
	if c.DeadLetterTopic != "" {
		names = append(names, c.DeadLetterTopic)
	}
	return names
}

// Run reads until ctx ends, and then leaves the group. What fails on the way is counted, logged and
// tried again: it returns for no other reason. A stream runs once.
func (s *Stream) Run(ctx context.Context) {
	defer s.close()
	for ctx.Err() == nil {
		if topics := s.awaitTopics(ctx); len(topics) > 0 {
			s.join(ctx, topics)
		}
	}
}

// close lets go of what outlives a generation.
func (s *Stream) close() {
	if s.dead != nil {
		_ = s.dead.close() // it holds nothing: every write was waited for
	}
	s.wires.transport.CloseIdleConnections()
	s.m.gone()
}

// partitions is how many of them each topic has that exists.
type partitions map[string]int

// awaitTopics returns the topics that are there, as soon as there are any.
func (s *Stream) awaitTopics(ctx context.Context) partitions {
	var found partitions
	s.retry(ctx, opAsk, func(ctx context.Context) (err error) {
		found, err = s.findTopics(ctx)
		if err == nil && len(found) == 0 {
			err = errors.New("none of the topics exists")
		}
		return err
	})
	for _, t := range s.config.Topics {
		if len(found) > 0 && found[t.Name] == 0 {
			s.log.Warn("A topic does not exist; the others are read, and it as soon as it is there", "topic", t.Name)
		}
	}
	return found
}

func (s *Stream) findTopics(ctx context.Context) (partitions, error) {
	m, err := s.client.Metadata(ctx, &kafka.MetadataRequest{Topics: s.config.allTopics()})
	if err != nil {
		return nil, err
	}
	found := partitions{}
	for _, t := range m.Topics {
		switch {
		case t.Error == nil && t.Name != s.config.DeadLetterTopic:
			found[t.Name] = len(t.Partitions)
		case t.Error != nil && !errors.Is(t.Error, kafka.UnknownTopicOrPartition):
			return nil, fmt.Errorf("topic %s: %w", t.Name, t.Error)
		}
	}
	return found, nil
}

// join is a member of the group as long as the topics have these partitions.
func (s *Stream) join(ctx context.Context, topics partitions) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: s.config.Group, Brokers: s.config.Brokers, Dialer: s.wires.dialer, Topics: slices.Sorted(maps.Keys(topics)),
		GroupBalancers:    []kafka.GroupBalancer{kafka.RangeGroupBalancer{}, kafka.RoundRobinGroupBalancer{}},
		HeartbeatInterval: s.opts.SessionTimeout / 5, SessionTimeout: s.opts.SessionTimeout,
		JoinGroupBackoff: time.Second, Timeout: askWithin,
	})
	if err != nil {
		s.failed(ctx, opJoin, err) // the configuration was checked: it is not known how
		s.sleep(ctx, slowestRetry)
		return
	}
	defer func() { _ = group.Close() }() // it tells of nothing that could be done
	go s.watch(ctx, topics, cancel)
	for {
		generation, err := group.Next(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, kafka.ErrGroupClosed):
			return
		case err != nil:
			s.failed(ctx, opJoin, err) // the group itself tries again
		default:
			s.begin(generation)
			s.keepAlive(generation)
		}
	}
}

// watch ends the membership when a topic is new, has more partitions, or is gone: what is read is
// decided when a group is joined.
func (s *Stream) watch(ctx context.Context, topics partitions, changed func()) {
	for s.sleep(ctx, watchInterval) {
		found, err := s.findTopics(ctx)
		if err != nil {
			s.failed(ctx, opAsk, err)
			continue
		}
		if !maps.Equal(found, topics) {
			s.log.Info("The topics changed: the group shares out their partitions anew", "before", topics, "now", found)
			changed()
			return
		}
	}
}

// begin reads the partitions of a generation: the time from one sharing out of partitions to the
// next. It ends for all of them at once, and the next does not begin before.
func (s *Stream) begin(g *kafka.Generation) {
	s.m.rebalances.WithLabelValues(s.config.Name).Inc()
	n := 0
	for topic, assigned := range g.Assignments {
		for _, a := range assigned {
			n++
			r := &reader{Stream: s, generation: g, topic: topic, partition: a.ID, next: a.Offset}
			g.Start(r.run)
		}
	}
	s.log.Info("The group shared out its partitions", "generation", g.ID, "partitions", n)
	s.m.assigned.WithLabelValues(s.config.Name).Set(float64(n))
	g.Start(func(ctx context.Context) {
		defer s.m.gone()
		s.reportLag(ctx, g)
	})
}

// retry does what do does until it succeeds, which is true, or ctx ends.
func (s *Stream) retry(ctx context.Context, op string, do func(context.Context) error) bool {
	for wait := firstRetry; ; wait = min(2*wait, slowestRetry) {
		err := do(ctx)
		if err == nil {
			return true
		}
		s.failed(ctx, op, err)
		if !s.sleep(ctx, wait) {
			return false
		}
	}
}

// retryPaused is retry for what stops a partition: it shows while it does.
func (s *Stream) retryPaused(ctx context.Context, op string, do func(context.Context) error) bool {
	err := do(ctx)
	if err == nil {
		return true
	}
	s.failed(ctx, op, err)
	paused := s.m.paused.WithLabelValues(s.config.Name)
	paused.Inc()
	defer paused.Dec()
	return s.sleep(ctx, firstRetry) && s.retry(ctx, op, do)
}

// failed counts, and logs now and then; what the end of ctx caused is no failure.
func (s *Stream) failed(ctx context.Context, op string, err error) {
	if ctx.Err() != nil {
		return
	}
	s.m.failed(op)
	if unsaid, ok := s.quiet.speak(op, time.Now()); ok {
		s.log.Warn("An operation failed and is tried again", "operation", op, "err", err, "more_before", unsaid)
	}
}

// sleep is false when ctx ended.
func (s *Stream) sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
