-- What was heard of alerts that was new: firing, resolved, or with other texts. An alert that only says
-- again what it has said lately (it still fires, a retry, a copy of a pair) has no row: its delivery counts it
-- among its repeats. With unknown the alert itself says
-- that its sender cannot see; with by_timeout nobody saw the end, which may lie ahead.
CREATE TABLE IF NOT EXISTS {{.Table "events"}}{{.OnCluster}}
(
    partition     UInt32,
    position      UInt64,
    ordinal       UInt32,
    recorded_at   DateTime64(3, 'UTC'),
    tenant        LowCardinality(String),
    source        LowCardinality(String),
    received_at   DateTime64(3, 'UTC'),
    fingerprint   String,
    status        LowCardinality(String),
    unknown       Bool,
    alertname     LowCardinality(String),
    starts_at     DateTime64(3, 'UTC'),
    ends_at       DateTime64(3, 'UTC'),
    by_timeout    Bool,
    labels        Map(LowCardinality(String), String),
    annotations   Map(LowCardinality(String), String),
    generator_url String,
    receiver      LowCardinality(String),
    group_key     String,
    INDEX address position TYPE minmax GRANULARITY 1
)
ENGINE = {{.MergeTree}}
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, received_at, partition, position, ordinal)
TTL toDateTime(received_at) + INTERVAL 400 DAY
