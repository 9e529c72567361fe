package store

import (
	"encoding/json"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// Types of columns, as DESCRIBE prints them.
const (
	instant = "DateTime64(3, 'UTC')"
	word    = "LowCardinality(String)"
	labels  = "Map(LowCardinality(String), String)"
)

// Episodes declares the table episodes.
var Episodes = clickhouse.Table[correlate.Episode]{
	Name: "episodes",
	Columns: []clickhouse.Column[correlate.Episode]{
		{Name: "partition", Type: "UInt32", Value: func(r *correlate.Episode) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *correlate.Episode) any { return r.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *correlate.Episode) any { return r.Ordinal }},
		{Name: "recorded_at", Type: instant, Value: func(r *correlate.Episode) any { return at(r.RecordedAt) }},
		{Name: "tenant", Type: word, Value: func(r *correlate.Episode) any { return r.Tenant }},
		{Name: "source", Type: word, Value: func(r *correlate.Episode) any { return r.Source }},
		{Name: "fingerprint", Type: "String", Value: func(r *correlate.Episode) any { return r.Fingerprint }},
		{Name: "starts_at", Type: instant, Value: func(r *correlate.Episode) any { return at(r.StartsAt) }},
		{Name: "state", Type: word, Value: func(r *correlate.Episode) any { return string(r.State) }},
		{Name: "ends_at", Type: instant, Value: func(r *correlate.Episode) any { return at(r.EndsAt) }},
		{Name: "unknown_since", Type: instant, Value: func(r *correlate.Episode) any { return at(r.UnknownSince) }},
		{Name: "first_seen_at", Type: instant, Value: func(r *correlate.Episode) any { return at(r.FirstSeenAt) }},
		{Name: "service", Type: word, Value: func(r *correlate.Episode) any { return r.Service }},
		{Name: "severity", Type: word, Value: func(r *correlate.Episode) any { return r.Severity }},
		{Name: "alertname", Type: word, Value: func(r *correlate.Episode) any { return r.AlertName }},
		{Name: "labels", Type: labels, Value: func(r *correlate.Episode) any { return r.Labels.Map() }},
		{Name: "annotations", Type: labels, Value: func(r *correlate.Episode) any { return r.Annotations.Map() }},
		{Name: "generator_url", Type: "String", Value: func(r *correlate.Episode) any { return r.GeneratorURL }},
		{Name: "aliases", Type: "Array(DateTime64(3, 'UTC'))", Value: func(r *correlate.Episode) any { return instants(r.Aliases) }},
		{Name: "incident", Type: "String", Value: func(r *correlate.Episode) any { return r.Incident }},
		{Name: "first_incident", Type: "String", Value: func(r *correlate.Episode) any { return r.FirstIncident }},
		{Name: "reasons", Type: "Array(String)", Value: func(r *correlate.Episode) any { return r.Reasons }},
	},
}

// Transitions declares the table transitions.
var Transitions = clickhouse.Table[correlate.Transition]{
	Name: "transitions",
	Columns: []clickhouse.Column[correlate.Transition]{
		{Name: "partition", Type: "UInt32", Value: func(r *correlate.Transition) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *correlate.Transition) any { return r.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *correlate.Transition) any { return r.Ordinal }},
		{Name: "recorded_at", Type: instant, Value: func(r *correlate.Transition) any { return at(r.RecordedAt) }},
		{Name: "tenant", Type: word, Value: func(r *correlate.Transition) any { return r.Tenant }},
		{Name: "incident", Type: "String", Value: func(r *correlate.Transition) any { return r.Incident }},
		{Name: "kind", Type: word, Value: func(r *correlate.Transition) any { return string(r.Kind) }},
		{Name: "at", Type: instant, Value: func(r *correlate.Transition) any { return at(r.At) }},
		{Name: "source", Type: word, Value: func(r *correlate.Transition) any { return episodeOf(r).Source }},
		{Name: "fingerprint", Type: "String", Value: func(r *correlate.Transition) any { return episodeOf(r).Fingerprint }},
		{Name: "starts_at", Type: instant, Value: func(r *correlate.Transition) any { return at(episodeOf(r).StartsAt) }},
		{Name: "other", Type: "String", Value: func(r *correlate.Transition) any { return r.Other }},
		{Name: "actor", Type: word, Value: func(r *correlate.Transition) any { return r.Actor }},
		{Name: "reason", Type: "String", Value: func(r *correlate.Transition) any { return r.Reason }},
	},
}

// Incidents declares the table incidents. Probable causes are one JSON array: they are
// shown, not asked for.
var Incidents = clickhouse.Table[correlate.Incident]{
	Name: "incidents",
	Columns: []clickhouse.Column[correlate.Incident]{
		{Name: "partition", Type: "UInt32", Value: func(r *correlate.Incident) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *correlate.Incident) any { return r.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *correlate.Incident) any { return r.Ordinal }},
		{Name: "recorded_at", Type: instant, Value: func(r *correlate.Incident) any { return at(r.RecordedAt) }},
		{Name: "tenant", Type: word, Value: func(r *correlate.Incident) any { return r.Tenant }},
		{Name: "id", Type: "String", Value: func(r *correlate.Incident) any { return r.ID }},
		{Name: "state", Type: word, Value: func(r *correlate.Incident) any { return string(r.State) }},
		{Name: "merged_into", Type: "String", Value: func(r *correlate.Incident) any { return r.MergedInto }},
		{Name: "title", Type: "String", Value: func(r *correlate.Incident) any { return r.Title }},
		{Name: "severity", Type: word, Value: func(r *correlate.Incident) any { return r.Severity }},
		{Name: "opened_at", Type: instant, Value: func(r *correlate.Incident) any { return at(r.OpenedAt) }},
		{Name: "resolved_at", Type: instant, Value: func(r *correlate.Incident) any { return at(r.ResolvedAt) }},
		{Name: "services", Type: "Array(LowCardinality(String))", Value: func(r *correlate.Incident) any { return r.Services }},
		{Name: "episodes", Type: "UInt32", Value: func(r *correlate.Incident) any { return uint32(r.Episodes) }},
		{Name: "firing", Type: "UInt32", Value: func(r *correlate.Incident) any { return uint32(r.Firing) }},
		{Name: "causes", Type: "String", Value: func(r *correlate.Incident) any { return causes(r.Causes) }},
	},
}

// at is the instant as the client wants it: none is the beginning of 1970.
func at(m ingest.Millis) time.Time { return time.UnixMilli(int64(m)).UTC() }

func instants(ms []ingest.Millis) []time.Time {
	times := make([]time.Time, len(ms))
	for i, m := range ms {
		times[i] = at(m)
	}
	return times
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
