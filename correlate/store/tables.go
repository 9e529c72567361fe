package store

import (
	"encoding/json"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// Episodes declares the table episodes.
var Episodes = clickhouse.Table[correlate.Episode]{
	Name:    "episodes",
	Address: func(r *correlate.Episode) clickhouse.Address { return clickhouse.Address(r.Address) },
	Bytes:   func(r *correlate.Episode) int { return r.Labels.Bytes() + r.Annotations.Bytes() },
	Columns: []clickhouse.Column[correlate.Episode]{
		clickhouse.Instant("recorded_at", func(r *correlate.Episode) ingest.Millis { return r.RecordedAt }),
		clickhouse.Word("tenant", func(r *correlate.Episode) string { return r.Tenant }),
		clickhouse.Word("source", func(r *correlate.Episode) string { return r.Source }),
		clickhouse.Text("fingerprint", func(r *correlate.Episode) string { return r.Fingerprint }),
		clickhouse.Instant("starts_at", func(r *correlate.Episode) ingest.Millis { return r.StartsAt }),
		clickhouse.Word("state", func(r *correlate.Episode) string { return string(r.State) }),
		clickhouse.Instant("ends_at", func(r *correlate.Episode) ingest.Millis { return r.EndsAt }),
		clickhouse.Instant("unknown_since", func(r *correlate.Episode) ingest.Millis { return r.UnknownSince }),
		clickhouse.Instant("first_seen_at", func(r *correlate.Episode) ingest.Millis { return r.FirstSeenAt }),
		clickhouse.Word("service", func(r *correlate.Episode) string { return r.Service }),
		clickhouse.Word("severity", func(r *correlate.Episode) string { return r.Severity }),
		clickhouse.Word("alertname", func(r *correlate.Episode) string { return r.AlertName }),
		clickhouse.Labels("labels", func(r *correlate.Episode) ingest.Labels { return r.Labels }),
		clickhouse.Labels("annotations", func(r *correlate.Episode) ingest.Labels { return r.Annotations }),
		clickhouse.Text("generator_url", func(r *correlate.Episode) string { return r.GeneratorURL }),
		clickhouse.Instants("aliases", func(r *correlate.Episode) []ingest.Millis { return r.Aliases }),
		clickhouse.Text("incident", func(r *correlate.Episode) string { return r.Incident }),
		clickhouse.Text("first_incident", func(r *correlate.Episode) string { return r.FirstIncident }),
		clickhouse.Texts("reasons", func(r *correlate.Episode) []string { return r.Reasons }),
	},
}

// Transitions declares the table transitions.
var Transitions = clickhouse.Table[correlate.Transition]{
	Name:    "transitions",
	Address: func(r *correlate.Transition) clickhouse.Address { return clickhouse.Address(r.Address) },
	Columns: []clickhouse.Column[correlate.Transition]{
		clickhouse.Instant("recorded_at", func(r *correlate.Transition) ingest.Millis { return r.RecordedAt }),
		clickhouse.Word("tenant", func(r *correlate.Transition) string { return r.Tenant }),
		clickhouse.Text("incident", func(r *correlate.Transition) string { return r.Incident }),
		clickhouse.Word("kind", func(r *correlate.Transition) string { return string(r.Kind) }),
		clickhouse.Instant("at", func(r *correlate.Transition) ingest.Millis { return r.At }),
		clickhouse.Word("source", func(r *correlate.Transition) string { return episodeOf(r).Source }),
		clickhouse.Text("fingerprint", func(r *correlate.Transition) string { return episodeOf(r).Fingerprint }),
		clickhouse.Instant("starts_at", func(r *correlate.Transition) ingest.Millis { return episodeOf(r).StartsAt }),
		clickhouse.Text("other", func(r *correlate.Transition) string { return r.Other }),
		clickhouse.Word("actor", func(r *correlate.Transition) string { return r.Actor }),
		clickhouse.Text("reason", func(r *correlate.Transition) string { return r.Reason }),
	},
}

// Incidents declares the table incidents. Probable causes are one JSON array: they are
// shown, not asked for.
var Incidents = clickhouse.Table[correlate.Incident]{
	Name:    "incidents",
	Address: func(r *correlate.Incident) clickhouse.Address { return clickhouse.Address(r.Address) },
	Columns: []clickhouse.Column[correlate.Incident]{
		clickhouse.Instant("recorded_at", func(r *correlate.Incident) ingest.Millis { return r.RecordedAt }),
		clickhouse.Word("tenant", func(r *correlate.Incident) string { return r.Tenant }),
		clickhouse.Text("id", func(r *correlate.Incident) string { return r.ID }),
		clickhouse.Word("kind", func(r *correlate.Incident) string { return string(r.Kind) }),
		clickhouse.Word("state", func(r *correlate.Incident) string { return string(r.State) }),
		clickhouse.Text("merged_into", func(r *correlate.Incident) string { return r.MergedInto }),
		clickhouse.Text("title", func(r *correlate.Incident) string { return r.Title }),
		clickhouse.Word("severity", func(r *correlate.Incident) string { return r.Severity }),
		clickhouse.Instant("opened_at", func(r *correlate.Incident) ingest.Millis { return r.OpenedAt }),
		clickhouse.Instant("resolved_at", func(r *correlate.Incident) ingest.Millis { return r.ResolvedAt }),
		clickhouse.Words("services", func(r *correlate.Incident) []string { return r.Services }),
		clickhouse.Uint32("episodes", func(r *correlate.Incident) uint32 { return uint32(r.Episodes) }),
		clickhouse.Uint32("firing", func(r *correlate.Incident) uint32 { return uint32(r.Firing) }),
		clickhouse.Uint32("unknown", func(r *correlate.Incident) uint32 { return uint32(r.Unknown) }),
		clickhouse.Text("causes", func(r *correlate.Incident) string { return causes(r.Causes) }),
	},
}

// episodeOf returns the key of the transition's episode, empty where it has none.
func episodeOf(t *correlate.Transition) correlate.EpisodeKey {
	if t.Episode == nil {
		return correlate.EpisodeKey{}
	}
	return *t.Episode
}

// causes returns the JSON array of the causes; they always have one.
func causes(cs []correlate.Cause) string {
	if len(cs) == 0 {
		return "[]"
	}
	b, err := json.Marshal(cs)
	if err != nil { // only for a score that is no number
		return "[]"
	}
	return string(b)
}
