-- What an Alertmanager said of how alerts belong together: groups, notifications, silences,
-- inhibitions.
CREATE TABLE IF NOT EXISTS {{.Table "links"}}{{.OnCluster}}
(
    partition    UInt32,
    position     UInt64,
    ordinal      UInt32,
    recorded_at  DateTime64(3, 'UTC'),
    tenant       LowCardinality(String),
    source       LowCardinality(String),
    received_at  DateTime64(3, 'UTC'),
    kind         LowCardinality(String),
    at           DateTime64(3, 'UTC'),
    alerts       Array(String),
    causes       Array(String),
    rule         LowCardinality(String),
    receiver     LowCardinality(String),
    group_key    String,
    silence      String,
    silence_from DateTime64(3, 'UTC'),
    silence_to   DateTime64(3, 'UTC'),
    author       LowCardinality(String),
    comment      String,
    matchers     Array(String),
    INDEX address position TYPE minmax GRANULARITY 1
)
ENGINE = {{.MergeTree}}
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, received_at, partition, position, ordinal)
TTL toDateTime(received_at) + INTERVAL 400 DAY
