-- Every planned window as it was told; one that is told again is another row, and the newest counts.
-- The received_at of its first row is when notice of it was given.
CREATE TABLE IF NOT EXISTS {{.Table "maintenance"}}{{.OnCluster}}
(
    partition   UInt32,
    position    UInt64,
    ordinal     UInt32,
    recorded_at DateTime64(3, 'UTC'),
    tenant      LowCardinality(String),
    source      LowCardinality(String),
    received_at DateTime64(3, 'UTC'),
    id          String,
    service     LowCardinality(String),
    from_at     DateTime64(3, 'UTC'),
    to_at       DateTime64(3, 'UTC'),
    cancelled   Bool,
    reason      String,
    author      String,
    url         String,
    INDEX address position TYPE minmax GRANULARITY 1
)
ENGINE = {{.MergeTree}}
PARTITION BY toYear(recorded_at)
ORDER BY (tenant, service, from_at, source, id, position, ordinal)
