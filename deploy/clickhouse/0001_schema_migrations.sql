-- What has been applied of this folder. A row may be there twice when two processes
-- started at once: all DDL here is idempotent.
CREATE TABLE IF NOT EXISTS {{.Table "schema_migrations"}}{{.OnCluster}}
(
    version    UInt32,
    name       String,
    checksum   String,
    applied_at DateTime64(3, 'UTC')
)
ENGINE = {{.MergeTree}}
ORDER BY version
