package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// heartbeatEntry is how a source shows that it is alive.
type heartbeatEntry struct {
	Matchers []correlate.Match
	Every    time.Duration
	Services []placed[string]
}

func heartbeatKeys() reader[*heartbeatEntry] {
	return convert(object(
		key(spec{Name: "every", Required: true, Text: "so long after the last sign of life it is silent; well above the repeat_interval of the alert that is one"},
			asDuration, func(h *heartbeatEntry) *time.Duration { return &h.Every }),
		key(spec{Name: "matchers", Default: "whatever it sends", Text: "the alert that always fires, such as a Watchdog; it is a sign of life and never an incident"},
			matchersOf(), func(h *heartbeatEntry) *[]correlate.Match { return &h.Matchers }),
		key(spec{Name: "services", Text: "names of services that it watches, beside those that it has sent alerts of; they are unknown while it is silent"},
			list(at(asText)), func(h *heartbeatEntry) *[]placed[string] { return &h.Services }),
	).checked(func(h *heartbeatEntry) error {
		if h.Every < time.Second {
			return fmt.Errorf("every is %s; at least 1s", h.Every)
		}
		return nil
	}), func(h heartbeatEntry) *heartbeatEntry { return &h })
}

// heartbeat is the declaration as correlation knows it. A source without a tenant is heard of in
// the default one.
func (s *sourceEntry) heartbeat() correlate.Heartbeat {
	h := correlate.Heartbeat{
		Tenant: s.Tenant, Source: s.Name.Value, Matchers: s.Heartbeat.Matchers, Every: int64(ingest.MillisIn(s.Heartbeat.Every)),
	}
	for _, service := range s.Heartbeat.Services {
		h.Services = append(h.Services, service.Value)
	}
	slices.Sort(h.Services)
	return h
}

// checkHeartbeat warns of services that the catalogue does not know.
func (l *loader) checkHeartbeat(h *heartbeatEntry) {
	for _, s := range h.Services {
		known := func(e serviceEntry) bool { return e.Name.Value == s.Value }
		if !slices.ContainsFunc(l.root.Services, known) {
			l.warnf(s.At, "heartbeat: service %q is not in the catalogue", s.Value)
		}
	}
}
