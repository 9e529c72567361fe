-- Neighbouring rows of segments, as known at as_of, that do not meet: the second begins
-- before or after the end of the first. A gap is right between days without rows only.
SELECT service, agreement, ended_ms, begins_ms
FROM
(
    SELECT
        partition,
        service,
        agreement,
        begins_ms,
        lagInFrame(ends_ms, 1, begins_ms) OVER (PARTITION BY partition, service, agreement ORDER BY begins_ms, ends_ms
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS ended_ms
    FROM
    (
        SELECT
            partition,
            service,
            agreement,
            toUnixTimestamp64Milli(starts_at) AS begins_ms,
            toUnixTimestamp64Milli(ends_at) AS ends_ms
        FROM sla_segments
        WHERE tenant = {tenant:String}
          AND starts_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
          AND starts_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
          AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
        GROUP BY partition, service, agreement, bucket, state, starts_at, ends_at
        HAVING sum(sign) > 0
    )
)
WHERE begins_ms != ended_ms
ORDER BY service, agreement, begins_ms, partition
