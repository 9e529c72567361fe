-- Versions of episodes: each change of one is a row, and the newest (position, ordinal) is
-- its present. No version is ever taken away, so any past state can be read.
-- Partitioned by a time of ours: one delivery may name instants of any years.
CREATE TABLE IF NOT EXISTS {{.Table "episodes"}}{{.OnCluster}}
(
    partition      UInt32,
    position       UInt64,
    ordinal        UInt32,
    recorded_at    DateTime64(3, 'UTC'),
    tenant         LowCardinality(String),
    source         LowCardinality(String),
    fingerprint    String,
    starts_at      DateTime64(3, 'UTC'),
    state          LowCardinality(String),
    ends_at        DateTime64(3, 'UTC'),
    unknown_since  DateTime64(3, 'UTC'),
    first_seen_at  DateTime64(3, 'UTC'),
    service        LowCardinality(String),
    severity       LowCardinality(String),
    alertname      LowCardinality(String),
    labels         Map(LowCardinality(String), String),
    annotations    Map(LowCardinality(String), String),
    generator_url  String,
    aliases        Array(DateTime64(3, 'UTC')),
    incident       String,
    first_incident String,
    reasons        Array(String),
    INDEX address position TYPE minmax GRANULARITY 1,
    INDEX incident incident TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {{.MergeTree}}
PARTITION BY toYear(recorded_at)
ORDER BY (tenant, starts_at, source, fingerprint, position, ordinal)
