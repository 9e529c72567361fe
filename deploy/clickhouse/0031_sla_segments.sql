-- Signed, dated segments under agreements: the rows of one local day cover it
-- without overlap. A row spans at most one local day, of 23 to 25 hours.
-- The month leads the order: a window of all services is one range, and one service is
-- a granule or two in each month. starts_at itself is not in it: the server would
-- then match a window to it alone, last in the order, and not to the month.
CREATE TABLE IF NOT EXISTS {{.Table "sla_segments"}}{{.OnCluster}}
(
    partition   UInt32,
    position    UInt64,
    ordinal     UInt32,
    recorded_at DateTime64(3, 'UTC'),
    tenant      LowCardinality(String),
    service     LowCardinality(String),
    agreement   LowCardinality(String),
    bucket      LowCardinality(String),
    state       LowCardinality(String),
    starts_at   DateTime64(3, 'UTC'),
    ends_at     DateTime64(3, 'UTC'),
    sign        Int8,
    INDEX address position TYPE minmax GRANULARITY 1
)
ENGINE = {{.MergeTree}}
PARTITION BY toYear(starts_at)
ORDER BY (tenant, toYYYYMM(starts_at), service, agreement, bucket, state)
