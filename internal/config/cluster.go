package config

import (
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/evenkeel/evenkeel/ingest/stream"
)

// Kafka says where a journal is that several replicas share. What is zero has the journal's default.
type Kafka struct {
	Brokers        []string // HOST:PORT of some; the others are learnt from them
	Topic          string
	Partitions     int
	Replication    int
	DomainLabel    string // whose value, with the tenant, names what is correlated together
	Group          string
	SessionTimeout time.Duration
	TLS            *stream.TLS // nil: not encrypted
	SASL           *stream.SASL
}

func kafkaKeys() reader[*Kafka] {
	return convert(object(
		key(spec{Name: "brokers", Required: true, Text: "some of the brokers, as HOST:PORT; the others are learnt from them"},
			list(scalar("address", parseBroker)), func(k *Kafka) *[]string { return &k.Brokers }),
		key(spec{Name: "topic", Default: "evenkeel-journal", Text: "the topic; what the folds remember is in the one of this name with -checkpoints behind it"},
			asText, func(k *Kafka) *string { return &k.Topic }),
		key(spec{Name: "partitions", Default: "eight", Text: "how many the topic has; fixed when it is made"},
			scalar("whole number", wholeNumber(1, 1024)), func(k *Kafka) *int { return &k.Partitions }),
		key(spec{Name: "replication", Default: "three", Text: "on how many brokers each is, where the topic is made here"},
			scalar("whole number", wholeNumber(1, math.MaxInt16)), func(k *Kafka) *int { return &k.Replication }),
		key(spec{Name: "domain_label", Default: "the tenant alone", Text: "the label whose value, with the tenant, names what is correlated together and so is in one partition, such as cluster"},
			asText, func(k *Kafka) *string { return &k.DomainLabel }),
		key(spec{Name: "group", Default: "evenkeel", Text: "the consumer group by which replicas share the partitions"},
			asText, func(k *Kafka) *string { return &k.Group }),
		key(spec{Name: "session_timeout", Default: "ten seconds", Text: "after how long without a heartbeat a replica's partitions go to others"},
			asDuration, func(k *Kafka) *time.Duration { return &k.SessionTimeout }),
		key(spec{Name: "tls", Default: "not encrypted", Text: "encrypts the connections; {} trusts the system's authorities"},
			convert(tlsKeys(), pointer[stream.TLS]), func(k *Kafka) **stream.TLS { return &k.TLS }),
		key(spec{Name: "sasl", Text: "logs in"},
			convert(saslKeys(), pointer[stream.SASL]), func(k *Kafka) **stream.SASL { return &k.SASL }),
	), pointer[Kafka])
}

func parseBroker(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" || port == "" {
		return "", fmt.Errorf("%q is not an address such as kafka1.example:9092", s)
	}
	return s, nil
}

// files are the names of the files that reaching the brokers takes.
func (k *Kafka) files() []*string {
	if k == nil {
		return nil
	}
	return securityFiles(k.TLS, k.SASL)
}

// placeJournal makes the names of the journal's files absolute, or relative to the working folder as path is.
func (r *rootFile) placeJournal(path string) {
	for _, f := range r.Journal.Kafka.files() {
		if *f != "" && !filepath.IsAbs(*f) {
			*f = filepath.Join(filepath.Dir(path), *f)
		}
	}
}

// checkJournal looks at what a journal of several replicas needs elsewhere.
func (l *loader) checkJournal() {
	k := l.root.Journal.Kafka
	if k == nil {
		return
	}
	root := Position{}
	if len(l.files) > 0 {
		root.File = l.files[0]
	}
	if l.root.ClickHouse.DSN == "" {
		l.errorf(root, "journal.kafka is for several replicas, and they need one ClickHouse: say clickhouse.dsn")
	}
	for _, s := range l.root.Sources {
		if k.DomainLabel != "" && s.Heartbeat != nil && len(s.Heartbeat.Matchers) == 0 && s.Heartbeat.Stream.Value == "" {
			l.warnf(s.Name.At, "source %q: its heartbeat is any delivery, and with journal.kafka.domain_label a partition that it has nothing to say to "+
				"takes it to be silent: name an alert that always fires by matchers", s.Name.Value)
		}
	}
	for _, f := range k.files() {
		if *f == "" {
			continue
		}
		if _, err := os.Stat(*f); err != nil {
			l.warnf(root, "journal: kafka: %s: %v", *f, plain(err))
		}
	}
}
