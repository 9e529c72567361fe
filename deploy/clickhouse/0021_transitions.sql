-- The steps of incidents' lives, append-only. `at` is when it happened, `recorded_at` when it
-- was learned; source, fingerprint and starts_at name an episode, where the step is about one.
CREATE TABLE IF NOT EXISTS {{.Table "transitions"}}{{.OnCluster}}
(
    partition   UInt32,
    position    UInt64,
    ordinal     UInt32,
    recorded_at DateTime64(3, 'UTC'),
    tenant      LowCardinality(String),
    incident    String,
    kind        LowCardinality(String),
    at          DateTime64(3, 'UTC'),
    source      LowCardinality(String),
    fingerprint String,
    starts_at   DateTime64(3, 'UTC'),
    other       String,
    actor       LowCardinality(String),
    reason      String,
    INDEX address position TYPE minmax GRANULARITY 1,
    INDEX incident incident TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {{.MergeTree}}
PARTITION BY toYear(recorded_at)
ORDER BY (tenant, recorded_at, partition, position, ordinal)
