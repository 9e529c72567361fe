-- Every change as it was told; one that is told again is another row, and the newest counts.
-- Partitioned by a time of ours: one delivery may name instants of any years.
CREATE TABLE IF NOT EXISTS {{.Table "changes"}}{{.OnCluster}}
(
    partition   UInt32,
    position    UInt64,
    ordinal     UInt32,
    recorded_at DateTime64(3, 'UTC'),
    tenant      LowCardinality(String),
    source      LowCardinality(String),
    received_at DateTime64(3, 'UTC'),
    id          String,
    kind        LowCardinality(String),
    service     LowCardinality(String),
    started_at  DateTime64(3, 'UTC'),
    finished_at DateTime64(3, 'UTC'),
    outcome     LowCardinality(String),
    version     String,
    author      String,
    title       String,
    url         String,
    INDEX address position TYPE minmax GRANULARITY 1
)
ENGINE = {{.MergeTree}}
PARTITION BY toYear(recorded_at)
ORDER BY (tenant, started_at, source, id, position, ordinal)
