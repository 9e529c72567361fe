-- Counts of good and of all requests of a service, in thousandths. One that is told again (the same
-- source, service, sli and at) is another row, and the newest counts.
CREATE TABLE IF NOT EXISTS {{.Table "samples"}}{{.OnCluster}}
(
    partition    UInt32,
    position     UInt64,
    ordinal      UInt32,
    recorded_at  DateTime64(3, 'UTC'),
    tenant       LowCardinality(String),
    source       LowCardinality(String),
    received_at  DateTime64(3, 'UTC'),
    service      LowCardinality(String),
    sli          LowCardinality(String),
    at           DateTime64(3, 'UTC'),
    good_milli   Int64,
    total_milli  Int64,
    INDEX address position TYPE minmax GRANULARITY 1
)
ENGINE = {{.MergeTree}}
PARTITION BY toYYYYMM(recorded_at)
ORDER BY (tenant, service, sli, at, source, position, ordinal)
TTL toDateTime(recorded_at) + INTERVAL 400 DAY
