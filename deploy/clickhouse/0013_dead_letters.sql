-- What was not understood, with the reason.
CREATE TABLE IF NOT EXISTS {{.Table "dead_letters"}}{{.OnCluster}}
(
    partition   UInt32,
    position    UInt64,
    ordinal     UInt32,
    recorded_at DateTime64(3, 'UTC'),
    tenant      LowCardinality(String),
    source      LowCardinality(String),
    path        LowCardinality(String),
    received_at DateTime64(3, 'UTC'),
    reason      String,
    body        String CODEC(ZSTD(3)),
    INDEX address position TYPE minmax GRANULARITY 1
)
ENGINE = {{.MergeTree}}
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, received_at, partition, position, ordinal)
TTL toDateTime(received_at) + INTERVAL 400 DAY
