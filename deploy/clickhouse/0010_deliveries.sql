-- Records of the journal as they arrived, configuration included: what the journal has
-- forgotten is folded again from here. Where several partitions have one, route says
-- which, and all but one are copies. What a stream brought has its place there, and when it was written.
CREATE TABLE IF NOT EXISTS {{.Table "deliveries"}}{{.OnCluster}}
(
    partition        UInt32,
    position         UInt64,
    ordinal          UInt32,
    recorded_at      DateTime64(3, 'UTC'),
    tenant           LowCardinality(String),
    source           LowCardinality(String),
    received_at      DateTime64(3, 'UTC'),
    kind             LowCardinality(String),
    path             LowCardinality(String),
    reason           String,
    copy             Bool,
    route            String,
    stream           LowCardinality(String),
    topic            LowCardinality(String),
    stream_partition UInt32,
    stream_offset    Int64,
    written_at       DateTime64(3, 'UTC'),
    body             String CODEC(ZSTD(3)),
    alerts           UInt32,
    repeats          UInt32,
    changes          UInt32,
    others           UInt32,
    dead_letters     UInt32,
    truncated        UInt32,
    INDEX address position TYPE minmax GRANULARITY 1
)
ENGINE = {{.MergeTree}}
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, received_at, partition, position)
TTL toDateTime(received_at) + INTERVAL 400 DAY DELETE WHERE kind != 'configuration'
