-- What each source delivered in [from, to), as known at as_of. Copies are events that say
-- what another of the window says too. What Evenkeel itself says of how far a stream was read is
-- no delivery of the source.
SELECT source, sum(n_deliveries), sum(n_rejected), sum(n_events), sum(n_events) - sum(n_distinct), sum(n_dead),
       min(first_ms), max(last_ms)
FROM
(
    SELECT source,
           toInt64(countIf(kind = 'delivery' AND NOT copy)) AS n_deliveries,
           toInt64(countIf(kind = 'rejected' AND NOT copy)) AS n_rejected,
           toInt64(sum(changes + others)) AS n_events,
           toInt64(sum(changes + others)) AS n_distinct,
           toInt64(sum(dead_letters)) AS n_dead,
           toUnixTimestamp64Milli(min(received_at)) AS first_ms,
           toUnixTimestamp64Milli(max(received_at)) AS last_ms
    FROM deliveries
    WHERE tenant = {tenant:String}
      AND kind IN ('delivery', 'rejected')
      AND path != {progress:String}
      AND received_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
      AND received_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
      AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    GROUP BY source
    UNION ALL
    SELECT source, toInt64(0), toInt64(0),
           toInt64(count()) AS n_events,
           toInt64(uniqExact(fingerprint, status, starts_at, ends_at)) AS n_distinct,
           toInt64(0),
           toUnixTimestamp64Milli(min(received_at)) AS first_ms,
           toUnixTimestamp64Milli(max(received_at)) AS last_ms
    FROM events
    WHERE tenant = {tenant:String}
      AND received_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
      AND received_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
      AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    GROUP BY source
)
GROUP BY source
ORDER BY source
