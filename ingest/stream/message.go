package stream

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// The headers of a record that say whose it is, where the stream's configuration does not. Upper and
// lower case are the same.
const (
	TenantHeader = "X-Scope-OrgID"
	SourceHeader = "X-Evenkeel-Source"
)

// taken is a record of Kafka as the journal gets it.
type taken struct {
	message kafka.Message
	record  ingest.Record
	named   string // the tenant that its header names
	reason  string // what of it was not understood, the first thing; "": all was
	events  int
}

// result names how a record was taken: a label of metrics.
func (t *taken) result() string {
	switch {
	case t.reason == "":
		return resultAccepted
	case t.record.Kind == ingest.KindRejected:
		return resultUndecodable
	}
	return resultPartly
}

// take makes a record of the journal out of one of Kafka. Whatever is wrong with it, it is taken:
// as a rejected one in the worst case.
func (s *Stream) take(m kafka.Message) taken {
	t := taken{message: m, record: ingest.Record{
		Kind: ingest.KindDelivery, Body: m.Value,
		Origin: &ingest.Origin{
			Stream: s.config.Name, Topic: m.Topic, Partition: int32(m.Partition), Offset: m.Offset, At: ingest.MillisOf(m.Time),
		},
	}}
	err := s.identify(m, &t)
	if err == nil {
		err = s.decode(&t)
	}
	if err == nil {
		err = s.admit(&t)
	}
	if err != nil {
		t.reject(err)
	}
	return t
}

// reject keeps of the record that it could not be taken, and why.
func (t *taken) reject(err error) {
	t.record, t.reason, t.events = wire.Reject(t.record, err), err.Error(), 0
	t.record.Tenant = cmp.Or(t.record.Tenant, ingest.DefaultTenant)
}

func (s *Stream) decode(t *taken) error {
	reading, err := s.read(t.record)
	if t.record.Tenant == "" {
		tenant, err := reading.Settle(func(source string) (string, error) { return s.tenant(source, t.named) })
		if err != nil {
			return err
		}
		t.record.Tenant = tenant
	}
	if err != nil {
		return err
	}
	t.events = len(reading.Events)
	if len(reading.Dead) > 0 {
		t.reason = reading.Dead[0].Reason
	}
	t.record.Reading = reading
	return nil
}

func (s *Stream) read(rec ingest.Record) (*ingest.Reading, error) {
	if limit := s.opts.MaxBodyBytes; int64(len(rec.Body)) > limit {
		return &ingest.Reading{}, fmt.Errorf("the record has %d bytes, more than max_body_bytes %d", len(rec.Body), limit)
	}
	return s.opts.Read(rec, ingest.MillisOf(time.Now()))
}

// identify says whose the record is and how it is read. Where only what it holds tells the source, that
// and the tenant are left to settle.
func (s *Stream) identify(m kafka.Message, t *taken) error {
	rec, topic := &t.record, s.config.topic(m.Topic)
	rec.Path = formats[topic.Format]
	rec.Tenant, rec.Source = topic.Tenant, topic.Source
	var tenants, sources []string
	headers := make([]wire.Header, len(m.Headers))
	for i, h := range m.Headers {
		headers[i] = wire.Header{Name: h.Key, Value: string(h.Value)}
		switch {
		case strings.EqualFold(h.Key, TenantHeader) && topic.Tenant == "":
			tenants = append(tenants, string(h.Value))
		case strings.EqualFold(h.Key, SourceHeader) && topic.Source == "":
			sources = append(sources, string(h.Value))
		}
	}
	tenant, errTenant := once(TenantHeader, tenants, ingest.CheckTenant)
	source, errSource := once(SourceHeader, sources, ingest.CheckSource)
	t.named, rec.Source = tenant, cmp.Or(rec.Source, source)
	if body, binary := wire.Structured(headers, m.Value); binary {
		rec.Body, rec.Path = body, ingest.PathCloudEvents
	}
	rec.Source = cmp.Or(rec.Source, ingest.DefaultSource(rec.Path))
	err := errors.Join(errTenant, errSource)
	if err == nil && rec.Tenant == "" && rec.Source != "" {
		rec.Tenant, err = s.tenant(rec.Source, t.named)
	}
	if err != nil {
		rec.Tenant, rec.Source = ingest.DefaultTenant, ingest.DefaultSource(rec.Path)
	}
	return err
}

// once returns what a header says, checked; "" where it is not there or empty, which is the same over HTTP.
func once(name string, said []string, check func(string) error) (string, error) {
	switch {
	case len(said) > 1:
		return "", inHeader(name, errors.New("is there twice; give one"))
	case len(said) == 0 || said[0] == "":
		return "", nil
	}
	return said[0], inHeader(name, check(said[0]))
}

// tenant returns the tenant of the source, or the one that the record names, as it is over HTTP.
func (s *Stream) tenant(source, named string) (string, error) {
	own := s.config.Tenants[source]
	switch {
	case own != "" && named != "" && named != own:
		return "", fmt.Errorf("source %q is of tenant %q, and the header %s names %q", source, own, TenantHeader, named)
	case own != "":
		return own, nil
	case s.configured(named):
		return cmp.Or(named, ingest.DefaultTenant), nil
	}
	return named, inHeader(TenantHeader, s.opts.tenants.Room(named))
}

// configured says whether a tenant that a record names, "" for none, is there anyway.
func (s *Stream) configured(named string) bool {
	for _, own := range s.config.Tenants {
		if named == own {
			return true
		}
	}
	return named == "" || named == ingest.DefaultTenant
}

// admit takes the tenant in that a record names. What cannot be decoded brings none into being.
func (s *Stream) admit(t *taken) error {
	if s.configured(t.named) {
		return nil
	}
	err := s.opts.tenants.Admit(t.named)
	if err != nil { // another record was faster
		t.record.Tenant, t.record.Source = ingest.DefaultTenant, ingest.DefaultSource(t.record.Path)
	}
	return inHeader(TenantHeader, err)
}

func inHeader(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("header %s: %w", name, err)
}
