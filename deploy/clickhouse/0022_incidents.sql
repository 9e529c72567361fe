-- Versions of incidents: each change of one is a row, and the newest (position, ordinal) is
-- its present. opened_at never changes for one id, so that a window prunes.
-- Partitioned by a time of ours: one delivery may name instants of any years.
CREATE TABLE IF NOT EXISTS {{.Table "incidents"}}{{.OnCluster}}
(
    partition   UInt32,
    position    UInt64,
    ordinal     UInt32,
    recorded_at DateTime64(3, 'UTC'),
    tenant      LowCardinality(String),
    id          String,
    kind        LowCardinality(String),
    state       LowCardinality(String),
    merged_into String,
    title       String,
    severity    LowCardinality(String),
    opened_at   DateTime64(3, 'UTC'),
    resolved_at DateTime64(3, 'UTC'),
    services    Array(LowCardinality(String)),
    episodes    UInt32,
    firing      UInt32,
    unknown     UInt32,
    causes      String,
    INDEX address position TYPE minmax GRANULARITY 1,
    INDEX id id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {{.MergeTree}}
PARTITION BY toYear(recorded_at)
ORDER BY (tenant, opened_at, id, position, ordinal)
