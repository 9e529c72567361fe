-- Rows whose net count, as known at as_of, is neither 0 nor 1: written twice, or
-- taken back without having been written.
SELECT table, service, agreement, at_ms, problem
FROM
(
    SELECT
        'service_ledger' AS table,
        service,
        '' AS agreement,
        toUnixTimestamp64Milli(starts_at) AS at_ms,
        concat('net count ', toString(sum(sign)), ' of ', state, ' until ', toString(ends_at)) AS problem
    FROM service_ledger
    WHERE tenant = {tenant:String}
      AND starts_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
      AND starts_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
      AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    GROUP BY partition, service, state, starts_at, ends_at
    HAVING sum(sign) NOT IN (0, 1)
    UNION ALL
    SELECT
        'sla_segments' AS table,
        service,
        agreement,
        toUnixTimestamp64Milli(starts_at) AS at_ms,
        concat('net count ', toString(sum(sign)), ' of ', bucket, ', ', state, ' until ', toString(ends_at)) AS problem
    FROM sla_segments
    WHERE tenant = {tenant:String}
      AND starts_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
      AND starts_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
      AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    GROUP BY partition, service, agreement, bucket, state, starts_at, ends_at
    HAVING sum(sign) NOT IN (0, 1)
)
ORDER BY table, service, agreement, at_ms, problem
