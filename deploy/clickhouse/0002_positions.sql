-- How far each partition is stored: after a batch is there, the position that it ends with and fold
-- time there, the now of queries. The greatest of a partition counts; older rows go by and by.
CREATE TABLE IF NOT EXISTS {{.Table "positions"}}{{.OnCluster}}
(
    partition UInt32,
    position  UInt64,
    ordinal   UInt32,
    fold_time DateTime64(3, 'UTC')
)
ENGINE = {{.ReplacingMergeTree "position"}}
ORDER BY partition
