package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/stream"
)

// streamEntry is one of the root's streams.
type streamEntry struct {
	at     Position
	Config stream.Config
}

func streamKeys() reader[streamEntry] {
	c := func(s *streamEntry) *stream.Config { return &s.Config }
	keys := object(
		key(spec{Name: "name", Required: true, Text: "its name, unique; a record that comes again is known by it, so keep it"},
			scalar("name", named(ingest.CheckSource)), func(s *streamEntry) *string { return &c(s).Name }),
		key(spec{Name: "brokers", Required: true, Text: "some of the brokers, as HOST:PORT; the others are learnt from them"},
			list(asText), func(s *streamEntry) *[]string { return &c(s).Brokers }),
		key(spec{Name: "group", Required: true, Text: "the consumer group, whose committed offsets say what was received"},
			asText, func(s *streamEntry) *string { return &c(s).Group }),
		key(spec{Name: "topics", Required: true, Text: "the topics: names, or mappings where one has a format, source or tenant of its own"},
			list(topicKeys()), func(s *streamEntry) *[]stream.Topic { return &c(s).Topics }),
		key(spec{Name: "source", Default: "by the format", Text: "the source of all records; without it a record may name it in the header X-Evenkeel-Source"},
			asSource, func(s *streamEntry) *string { return &c(s).Source }),
		key(spec{Name: "tenant", Default: ingest.DefaultTenant, Text: "whose all records are; without it, that of the source, else a record may name it in the header X-Scope-OrgID"},
			asTenant, func(s *streamEntry) *string { return &c(s).Tenant }),
		key(spec{Name: "format", Default: "detect", Text: "how records are read; detect tells it by content"},
			asFormat(), func(s *streamEntry) *stream.Format { return &c(s).Format }),
		key(spec{Name: "start", Default: "earliest", Text: "where reading begins in a partition of which the group has committed nothing"},
			scalar("earliest, latest or a time", stream.ParseStart), func(s *streamEntry) *stream.Start { return &c(s).Start }),
		key(spec{Name: "dead_letter_topic", Text: "the topic that also gets what could not be decoded, with the reason in headers; it must be there"},
			asText, func(s *streamEntry) *string { return &c(s).DeadLetterTopic }),
		key(spec{Name: "tls", Default: "not encrypted", Text: "encrypts the connections; {} trusts the system's authorities"},
			convert(tlsKeys(), pointer[stream.TLS]), func(s *streamEntry) **stream.TLS { return &c(s).TLS }),
		key(spec{Name: "sasl", Text: "logs in"},
			convert(saslKeys(), pointer[stream.SASL]), func(s *streamEntry) **stream.SASL { return &c(s).SASL }),
	).checked(func(s *streamEntry) error { return oneLine(s.Config.Validate()) })
	placed := at(keys)
	return convert(placed, withPlace)
}

func withPlace(p placed[streamEntry]) streamEntry {
	p.Value.at = p.At
	return p.Value
}

//go:fix inline
func pointer[V any](v V) *V { return new(v) }

// oneLine joins what is wrong with one value.
func oneLine(err error) error {
	if err == nil {
		return nil
	}
	return textError(strings.ReplaceAll(err.Error(), "\n", "; "))
}

type textError string

func (e textError) Error() string { return string(e) }

var (
	asSource = scalar("name", named(ingest.CheckSource))
	asTenant = scalar("name", named(ingest.CheckTenant))
)

func asFormat() reader[stream.Format] {
	return convert(oneOf(stream.Formats()...), func(s string) stream.Format { return stream.Format(s) })
}

// topicKeys reads a topic's name, or a mapping.
func topicKeys() reader[stream.Topic] {
	name := func(t *stream.Topic) *string { return &t.Name }
	full := object(
		key(spec{Name: "name", Required: true, Text: "the topic"}, asText, name),
		key(spec{Name: "format", Default: "the stream's", Text: "how its records are read"},
			asFormat(), func(t *stream.Topic) *stream.Format { return &t.Format }),
		key(spec{Name: "source", Default: "the stream's", Text: "the source of its records"},
			asSource, func(t *stream.Topic) *string { return &t.Source }),
		key(spec{Name: "tenant", Default: "the stream's", Text: "whose its records are"},
			asTenant, func(t *stream.Topic) *string { return &t.Tenant }),
	)
	return reader[stream.Topic]{"name or mapping", full.keys, func(d *decoder, n *yaml.Node, what string, into *stream.Topic) {
		if n := target(n); n.Kind == yaml.ScalarNode && !isNull(n) {
			asText.read(d, n, what, name(into))
			return
		}
		full.read(d, n, what, into)
	}}
}

func tlsKeys() reader[stream.TLS] {
	return object(
		key(spec{Name: "ca_file", Default: "the system's", Text: "certificates that may have signed the brokers', relative to this file"},
			asText, func(t *stream.TLS) *string { return &t.CAFile }),
		key(spec{Name: "cert_file", Text: "the certificate that is shown to brokers; read at each connection"},
			asText, func(t *stream.TLS) *string { return &t.CertFile }),
		key(spec{Name: "key_file", Text: "its key"},
			asText, func(t *stream.TLS) *string { return &t.KeyFile }),
		key(spec{Name: "server_name", Default: "the broker's host", Text: "the name that brokers' certificates must have"},
			asText, func(t *stream.TLS) *string { return &t.ServerName }),
	)
}

func saslKeys() reader[stream.SASL] {
	return object(
		key(spec{Name: "mechanism", Required: true, Text: "how to log in"},
			oneOf(stream.Mechanisms...), func(s *stream.SASL) *string { return &s.Mechanism }),
		key(spec{Name: "username", Required: true, Text: "as whom"},
			asText, func(s *stream.SASL) *string { return &s.Username }),
		key(spec{Name: "password_file", Required: true, Text: "the file that holds the password, relative to this file; read at each connection"},
			asText, func(s *stream.SASL) *string { return &s.PasswordFile }),
	)
}

// Streams returns the streams of Kafka, in the order in which they are written.
func (c *Config) Streams() []stream.Config { return slices.Clone(c.streams) }

// stream is the entry as receiving knows it: the tenant of a source that is known by
// name goes for its topics, too.
func (s *streamEntry) stream(sources []ingest.Source) stream.Config {
	c := s.Config
	c.Topics = slices.Clone(c.Topics)
	for _, known := range sources { // a record can name its source in a header
		if known.Tenant == "" {
			continue
		}
		if c.Tenants == nil {
			c.Tenants = make(map[string]string)
		}
		c.Tenants[known.Name] = known.Tenant
	}
	for i := range c.Topics {
		t := &c.Topics[i]
		name := t.Source
		if name == "" {
			name = c.Source
		}
		known := slices.IndexFunc(sources, func(s ingest.Source) bool { return s.Name == name })
		if t.Tenant == "" && c.Tenant == "" && known >= 0 {
			t.Tenant = sources[known].Tenant
		}
	}
	return c
}

// streamFiles are the names of the files that a stream reads.
func (s *streamEntry) files() []*string {
	return securityFiles(s.Config.TLS, s.Config.SASL)
}

func securityFiles(t *stream.TLS, l *stream.SASL) []*string {
	var names []*string
	if t != nil {
		names = append(names, &t.CAFile, &t.CertFile, &t.KeyFile)
	}
	if l != nil {
		names = append(names, &l.PasswordFile)
	}
	return names
}

// placeStreams makes the names of the streams' files absolute, or relative to the working folder as path is.
func (r *rootFile) placeStreams(path string) {
	for i := range r.Streams {
		for _, f := range r.Streams[i].files() {
			if *f != "" && !filepath.IsAbs(*f) {
				*f = filepath.Join(filepath.Dir(path), *f)
			}
		}
	}
}

func (l *loader) checkStreams() {
	first := make(map[string]Position, len(l.root.Streams))
	for i := range l.root.Streams {
		s := &l.root.Streams[i]
		if at, twice := first[s.Config.Name]; twice && s.Config.Name != "" {
			l.errorf(s.at, "stream %q is already described at %s", s.Config.Name, at)
			continue
		}
		first[s.Config.Name] = s.at
		for _, f := range s.files() {
			if *f == "" {
				continue
			}
			if _, err := os.Stat(*f); err != nil {
				l.warnf(s.at, "stream %q: %s: %v", s.Config.Name, *f, plain(err))
			}
		}
	}
}
