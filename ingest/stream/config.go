package stream

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// Config is one stream as it is configured.
type Config struct {
	Name    string   // unique; part of every record's origin
	Brokers []string // HOST:PORT of some; the others are learnt from them
	Group   string   // of consumers; its committed offsets are where reading goes on
	Topics  []Topic
	Source  string // of records that name none; "": by their format
	Tenant  string // of all records; "": each names its own in a header, or is of the default tenant
	// Tenants are those of the sources that are known by name and have one: of a record of such a source,
	// where neither topic nor stream has a tenant.
	Tenants map[string]string
	Format  Format // of topics that name none; "": told by content
	Start   Start  // where to begin in a partition of which the group has committed nothing
	// DeadLetterTopic takes what could not be decoded; "": it is kept among the dead letters only.
	DeadLetterTopic string
	// Heartbeats are those of the sources that live as long as the stream is read to its end.
	Heartbeats []Heartbeat
	TLS        *TLS // nil: not encrypted
	SASL       *SASL
}

// Topic is one topic of a stream, with what it has of its own.
type Topic struct {
	Name   string
	Format Format // "": the stream's
	Source string // "": the stream's
	Tenant string // "": the stream's
}

// Heartbeat is a source of which the journal is told, again and again, up to when the stream was read.
type Heartbeat struct {
	Tenant string // "" is the default tenant
	Source string
	Every  time.Duration // what is known of the source may be so old
}

// TLS says how brokers are known, and what this client shows them.
type TLS struct {
	CAFile     string // certificates that may have signed the brokers'; "": those of the system
	CertFile   string // of this client, with KeyFile; "": it shows none
	KeyFile    string
	ServerName string // "": the broker's host name
}

// SASL says who this client is.
type SASL struct {
	Mechanism    string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	Username     string
	PasswordFile string // read at each connection, so that it can be changed
}

// Mechanisms are those of SASL, as they are written.
var Mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}

// Format is how the values of a topic's records are read; "" and "detect" tell it by content.
type Format string

// formats are the paths that a record of each format is as good as posted to.
var formats = map[Format]string{
	"":             ingest.PathDetect,
	"detect":       ingest.PathDetect,
	"alertmanager": ingest.PathAlertmanager,
	"alerts":       ingest.PathAlerts,
	"changes":      ingest.PathChanges,
	"samples":      ingest.PathSamples,
	"cloudevents":  ingest.PathCloudEvents,
	"mapped":       ingest.PathMapped,
}

// Formats returns the names of all formats.
func Formats() []string {
	var names []string
	for f := range formats {
		if f != "" {
			names = append(names, string(f))
		}
	}
	slices.Sort(names)
	return names
}

// Start says where reading begins in a partition of which the group has committed nothing:
// at its earliest record, at its latest, or at the first whose time is not before At.
type Start struct {
	Latest bool
	At     time.Time // zero: by Latest
}

// ParseStart reads "earliest", "latest" or a time of RFC 3339. "" is earliest.
func ParseStart(s string) (Start, error) {
	switch s {
	case "", "earliest":
		return Start{}, nil
	case "latest":
		return Start{Latest: true}, nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil || at.Unix() <= 0 {
		return Start{}, fmt.Errorf("%q is not earliest, latest or a time such as 2026-11-22T06:00:00Z", s)
	}
	return Start{At: at}, nil
}

func (s Start) String() string {
	switch {
	case !s.At.IsZero():
		return s.At.Format(time.RFC3339)
	case s.Latest:
		return "latest"
	}
	return "earliest"
}

// Validate says everything that is wrong with c, as far as that can be known without a broker.
func (c Config) Validate() error {
	return errors.Join(slices.Concat(c.wrongNames(), c.wrongTopics(), c.wrongSecurity())...)
}

func (c Config) wrongNames() (errs []error) {
	if c.Name == "" {
		errs = append(errs, errors.New("name: a stream has a name"))
	}
	if c.Group == "" {
		errs = append(errs, errors.New("group: the name of a consumer group is needed: its offsets say what was received"))
	}
	if len(c.Brokers) == 0 {
		errs = append(errs, errors.New("brokers: at least one is needed, as HOST:PORT"))
	}
	for _, b := range c.Brokers {
		if host, port, err := net.SplitHostPort(b); err != nil || host == "" || port == "" {
			errs = append(errs, fmt.Errorf("brokers: %q is not HOST:PORT", b))
		}
	}
	return errs
}

func (c Config) wrongTopics() (errs []error) {
	if len(c.Topics) == 0 {
		errs = append(errs, errors.New("topics: at least one is needed"))
	}
	seen := map[string]bool{}
	for _, t := range c.Topics {
		errs = append(errs, wrongTopicName(t.Name))
		if seen[t.Name] {
			errs = append(errs, fmt.Errorf("topics: %s stands there twice", t.Name))
		}
		seen[t.Name] = true
		for _, f := range []Format{t.Format, c.Format} {
			if _, known := formats[f]; !known {
				errs = append(errs, fmt.Errorf("format: %q is not one of %s", f, strings.Join(Formats(), ", ")))
			}
		}
	}
	if c.DeadLetterTopic == "" {
		return errs
	}
	if seen[c.DeadLetterTopic] {
		errs = append(errs, fmt.Errorf("dead_letter_topic: %s is among the topics that are read: every dead letter would come back for ever", c.DeadLetterTopic))
	}
	return append(errs, wrongTopicName(c.DeadLetterTopic))
}

func wrongTopicName(name string) error {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	if name == "" || len(name) > 249 || name == "." || name == ".." || strings.Trim(name, allowed) != "" {
		return fmt.Errorf("topics: %q cannot be the name of a topic: letters, digits, '.', '_' and '-', at most 249", name)
	}
	return nil
}

func (c Config) wrongSecurity() (errs []error) {
	if t := c.TLS; t != nil && (t.CertFile == "") != (t.KeyFile == "") {
		errs = append(errs, errors.New("tls: cert_file and key_file go together"))
	}
	if s := c.SASL; s != nil {
		if !slices.Contains(Mechanisms, s.Mechanism) {
			errs = append(errs, fmt.Errorf("sasl: mechanism %q is not one of %s", s.Mechanism, strings.Join(Mechanisms, ", ")))
		}
		if s.Username == "" || s.PasswordFile == "" {
			errs = append(errs, errors.New("sasl: username and password_file are needed"))
		}
	}
	return errs
}

// Carry returns the topics that can bring records of a source of a tenant, in order: those that name it, and those whose
// records name their source.
func (c Config) Carry(tenant, source string) []string {
	var names []string
	for _, t := range c.Topics {
		t = c.topic(t.Name)
		if (t.Source == "" || t.Source == source) && (t.Tenant == "" || t.Tenant == cmp.Or(tenant, ingest.DefaultTenant)) {
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	return names
}

// topic returns what is configured of a topic, the stream's where it has nothing of its own.
func (c Config) topic(name string) Topic {
	i := slices.IndexFunc(c.Topics, func(t Topic) bool { return t.Name == name })
	t := c.Topics[i] // only what is configured is subscribed to
	if t.Format == "" {
		t.Format = c.Format
	}
	if t.Source == "" {
		t.Source = c.Source
	}
	if t.Tenant == "" {
		t.Tenant = c.Tenant
	}
	return t
}
