-- The versions that were applied. A version that two processes applied at once is there twice.
SELECT
    version,
    name,
    checksum,
    toUnixTimestamp64Milli(min(applied_at)) AS applied_at_ms
FROM schema_migrations
GROUP BY version, name, checksum
ORDER BY version, name, checksum
