package store

import (
	"encoding/json"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// Episodes declares the table episodes.
var Episodes = clickhouse.Table[correlate.Episode]{
	Name: "episodes",
	Columns: []clickhouse.Column[correlate.Episode]{
		{Name: "partition", Type: "UInt32", Value: func(r *correlate.Episode) any { return r.Partition }},
		{Name: "position", Type: "UInt64", Value: func(r *correlate.Episode) any { return r.Position }},
		{Name: "ordinal", Type: "UInt32", Value: func(r *correlate.Episode) any { return r.Ordinal }},
		{Name: "recorded_at", Type: clickhouse.Instant, Value: func(r *correlate.Episode) any { return r.RecordedAt }},
		{Name: "tenant", Type: clickhouse.Word, Value: func(r *correlate.Episode) any { return r.Tenant }},
		{Name: "source", Type: clickhouse.Word, Value: func(r *correlate.Episode) any { return r.Source }},
		{Name: "fingerprint", Type: "String", Value: func(r *correlate.Episode) any { return r.Fingerprint }},
		{Name: "starts_at", Type: clickhouse.Instant, Value: func(r *correlate.Episode) any { return r.StartsAt }},
		{Name: "state", Type: clickhouse.Word, Value: func(r *correlate.Episode) any { return string(r.State) }},
		{Name: "ends_at", Type: clickhouse.Instant, Value: func(r *correlate.Episode) any { return r.EndsAt }},
		{Name: "unknown_since", Type: clickhouse.Instant, Value: func(r *correlate.Episode) any { return r.UnknownSince }},
		{Name: "first_seen_at", Type: clickhouse.Instant, Value: func(r *correlate.Episode) any { return r.FirstSeenAt }},
		{Name: "service", Type: clickhouse.Word, Value: func(r *correlate.Episode) any { return r.Service }},
		{Name: "severity", Type: clickhouse.Word, Value: func(r *correlate.Episode) any { return r.Severity }},
		{Name: "alertname", Type: clickhouse.Word, Value: func(r *correlate.Episode) any { return r.AlertName }},
		{Name: "labels", Type: clickhouse.Labels, Value: func(r *correlate.Episode) any { return r.Labels }},
		{Name: "annotations", Type: clickhouse.Labels, Value: func(r *correlate.Episode) any { return r.Annotations }},
		{Name: "generator_url", Type: "String", Value: func(r *correlate.Episode) any { return r.GeneratorURL }},
		{Name: "aliases", Type: "Array(" + clickhouse.Instant + ")", Value: func(r *correlate.Episode) any { return r.Aliases }},
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
		{Name: "recorded_at", Type: clickhouse.Instant, Value: func(r *correlate.Transition) any { return r.RecordedAt }},
		{Name: "tenant", Type: clickhouse.Word, Value: func(r *correlate.Transition) any { return r.Tenant }},
		{Name: "incident", Type: "String", Value: func(r *correlate.Transition) any { return r.Incident }},
		{Name: "kind", Type: clickhouse.Word, Value: func(r *correlate.Transition) any { return string(r.Kind) }},
		{Name: "at", Type: clickhouse.Instant, Value: func(r *correlate.Transition) any { return r.At }},
		{Name: "source", Type: clickhouse.Word, Value: func(r *correlate.Transition) any { return episodeOf(r).Source }},
		{Name: "fingerprint", Type: "String", Value: func(r *correlate.Transition) any { return episodeOf(r).Fingerprint }},
		{Name: "starts_at", Type: clickhouse.Instant, Value: func(r *correlate.Transition) any { return episodeOf(r).StartsAt }},
		{Name: "other", Type: "String", Value: func(r *correlate.Transition) any { return r.Other }},
		{Name: "actor", Type: clickhouse.Word, Value: func(r *correlate.Transition) any { return r.Actor }},
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
		{Name: "recorded_at", Type: clickhouse.Instant, Value: func(r *correlate.Incident) any { return r.RecordedAt }},
		{Name: "tenant", Type: clickhouse.Word, Value: func(r *correlate.Incident) any { return r.Tenant }},
		{Name: "id", Type: "String", Value: func(r *correlate.Incident) any { return r.ID }},
		{Name: "kind", Type: clickhouse.Word, Value: func(r *correlate.Incident) any { return string(r.Kind) }},
		{Name: "state", Type: clickhouse.Word, Value: func(r *correlate.Incident) any { return string(r.State) }},
		{Name: "merged_into", Type: "String", Value: func(r *correlate.Incident) any { return r.MergedInto }},
		{Name: "title", Type: "String", Value: func(r *correlate.Incident) any { return r.Title }},
		{Name: "severity", Type: clickhouse.Word, Value: func(r *correlate.Incident) any { return r.Severity }},
		{Name: "opened_at", Type: clickhouse.Instant, Value: func(r *correlate.Incident) any { return r.OpenedAt }},
		{Name: "resolved_at", Type: clickhouse.Instant, Value: func(r *correlate.Incident) any { return r.ResolvedAt }},
		{Name: "services", Type: "Array(LowCardinality(String))", Value: func(r *correlate.Incident) any { return r.Services }},
		{Name: "episodes", Type: "UInt32", Value: func(r *correlate.Incident) any { return uint32(r.Episodes) }},
		{Name: "firing", Type: "UInt32", Value: func(r *correlate.Incident) any { return uint32(r.Firing) }},
		{Name: "unknown", Type: "UInt32", Value: func(r *correlate.Incident) any { return uint32(r.Unknown) }},
		{Name: "causes", Type: "String", Value: func(r *correlate.Incident) any { return causes(r.Causes) }},
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
