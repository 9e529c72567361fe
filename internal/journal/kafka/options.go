package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go/sasl"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
)

// Options configure a [Cluster].
type Options struct {
	// Brokers are addresses to begin with, host:port. Required.
	Brokers []string
	// Topic is the journal's; checkpoints are in the topic of the same name with
	// "-checkpoints" behind it. Default "evenkeel-journal".
	Topic string
	// Partitions is how many the journal has. It is fixed when the topic is made:
	// a domain's partition hangs on it. Default 8.
	Partitions uint32
	// Replication is the replication factor of topics that are made here; those that
	// are there keep theirs. Default 3.
	Replication int
	// DomainLabel is the label whose value, with the tenant, names what is correlated
	// together. Default "": a tenant is one domain.
	DomainLabel string
	// MaxBytes bounds what the topic may hold on one broker, each partition having its share.
	// Deliveries are refused with [journal.ErrFull] when they would pass it. Default 10 GiB.
	MaxBytes int64
	// Group is the consumer group whose members share the partitions. Default "evenkeel".
	Group string
	// SessionTimeout is after how long without a heartbeat a member's partitions go to others.
	// Default 10 s; brokers refuse less than 6 s unless they are told otherwise.
	SessionTimeout time.Duration
	// Events decodes a delivery, to find its domains; what it cannot decode has none. Required.
	Events func(ingest.Record) []ingest.Event

	TLS  *tls.Config    // nil: none
	SASL sasl.Mechanism // how to log in, at each connection; nil: not at all

	// Clock gives received_at. Default time.Now.
	Clock func() time.Time
	// Logger says what was made, what is unsafe and what failed. Default: nothing is said.
	Logger *slog.Logger
	// Registerer takes the metrics evenkeel_journal_*. Default: none.
	Registerer prometheus.Registerer
}

// Defaults of Options.
const (
	DefaultTopic          = "evenkeel-journal"
	DefaultGroup          = "evenkeel"
	DefaultPartitions     = 8
	DefaultReplication    = 3
	DefaultSessionTimeout = 10 * time.Second
	maxPartitions         = 1024
)

func (o *Options) fill() error {
	if len(o.Brokers) == 0 {
		return errors.New("no brokers given")
	}
	if o.Events == nil {
		return errors.New("no decoder given")
	}
	if o.Topic == "" {
		o.Topic = DefaultTopic
	}
	if o.Group == "" {
		o.Group = DefaultGroup
	}
	if o.Partitions == 0 {
		o.Partitions = DefaultPartitions
	}
	if o.Partitions > maxPartitions {
		return fmt.Errorf("%d partitions, at most %d", o.Partitions, maxPartitions)
	}
	if o.Replication == 0 {
		o.Replication = DefaultReplication
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = journal.DefaultMaxBytes
	}
	if o.SessionTimeout == 0 {
		o.SessionTimeout = DefaultSessionTimeout
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// checkpointTopic is where the folds keep what they remember.
func (o *Options) checkpointTopic() string { return o.Topic + "-checkpoints" }
