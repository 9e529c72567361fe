-- The episodes that began in [from, to), each as it stood at as_of.
SELECT
    source,
    fingerprint,
    toUnixTimestamp64Milli(starts_at) AS starts_ms,
    state,
    toUnixTimestamp64Milli(ends_at) AS ends_ms,
    toUnixTimestamp64Milli(unknown_since) AS unknown_ms,
    toUnixTimestamp64Milli(first_seen_at) AS first_seen_ms,
    alertname,
    service,
    incident
FROM episodes
WHERE tenant = {tenant:String}
  AND starts_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
  AND starts_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
  AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
ORDER BY source, fingerprint, starts_at, position DESC, ordinal DESC
LIMIT 1 BY source, fingerprint, starts_at
