package config

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/stream"
)

// heartbeatEntry is how a source shows that it is alive.
type heartbeatEntry struct {
	Matchers []correlate.Match
	Stream   placed[string]
	Every    time.Duration
	Services []placed[string]
}

func heartbeatKeys() reader[*heartbeatEntry] {
	return convert(object(
		key(spec{Name: "every", Required: true, Text: "so long after the last sign of life it is silent; well above the repeat_interval of the alert that is one"},
			asDuration, func(h *heartbeatEntry) *time.Duration { return &h.Every }),
		key(spec{Name: "matchers", Default: "whatever it sends", Text: "the alert that always fires, such as a Watchdog; it is a sign of life and never an incident"},
			matchersOf(), func(h *heartbeatEntry) *[]correlate.Match { return &h.Matchers }),
		key(spec{Name: "stream", Text: "instead of matchers, the stream that brings what it sends: it lives as long as reading is not further behind than every, also when nothing is in it. See [Kafka](kafka.md#a-stream-as-a-heartbeat)"},
			at(asText), func(h *heartbeatEntry) *placed[string] { return &h.Stream }),
		key(spec{Name: "services", Text: "names of services that it watches, beside those that it has sent alerts of; they are unknown while it is silent"},
			list(at(asText)), func(h *heartbeatEntry) *[]placed[string] { return &h.Services }),
	).checked(func(h *heartbeatEntry) error {
		if h.Every < time.Second {
			return fmt.Errorf("every is %s; at least 1s", h.Every)
		}
		if h.Stream.Value != "" && len(h.Matchers) > 0 {
			return errors.New("stream and matchers exclude each other: an alert that a stream brings may be old")
		}
		return nil
	}), func(h heartbeatEntry) *heartbeatEntry { return &h })
}

// heartbeat is the declaration as correlation knows it. A source without a tenant is heard of in
// the default one.
func (s *sourceEntry) heartbeat() correlate.Heartbeat {
	h := correlate.Heartbeat{
		Tenant: s.Tenant, Source: s.Name.Value, Matchers: s.Heartbeat.Matchers, Every: int64(ingest.MillisIn(s.Heartbeat.Every)),
		Stream: s.Heartbeat.Stream.Value,
	}
	for _, service := range s.Heartbeat.Services {
		h.Services = append(h.Services, service.Value)
	}
	slices.Sort(h.Services)
	return h
}

// beats are the heartbeats of sources that live as long as a stream is read.
func beats(all []correlate.Heartbeat, name string) []stream.Heartbeat {
	var of []stream.Heartbeat
	for _, h := range all {
		if h.Stream == name {
			of = append(of, stream.Heartbeat{Tenant: h.Tenant, Source: h.Source, Every: ingest.Millis(h.Every).Duration()})
		}
	}
	return of
}

// checkHeartbeat looks for the stream, and warns of services that the catalogue does not know.
func (l *loader) checkHeartbeat(source *sourceEntry) {
	h := source.Heartbeat
	l.checkHeartbeatStream(source)
	for _, s := range h.Services {
		known := func(e serviceEntry) bool { return e.Name.Value == s.Value }
		if !slices.ContainsFunc(l.root.Services, known) {
			l.warnf(s.At, "heartbeat: service %q is not in the catalogue", s.Value)
		}
	}
}

// checkHeartbeatStream refuses a stream that is not there, or never brings anything of the source.
func (l *loader) checkHeartbeatStream(s *sourceEntry) {
	name := s.Heartbeat.Stream
	if name.Value == "" {
		return
	}
	i := slices.IndexFunc(l.root.Streams, func(e streamEntry) bool { return e.Config.Name == name.Value })
	if i < 0 {
		l.errorf(name.At, "heartbeat: there is no stream %q", name.Value)
		return
	}
	var sources []ingest.Source
	for _, s := range l.root.Sources {
		sources = append(sources, s.source())
	}
	if len(l.root.Streams[i].stream(sources).Carry(s.Tenant, s.Name.Value)) == 0 {
		l.errorf(name.At, "heartbeat: all topics of stream %q are of other sources or tenants", name.Value)
	}
}
