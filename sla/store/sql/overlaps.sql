-- Rows of the ledger, as known at as_of, that begin before the one before has ended: two
-- states at once, or covered twice.
SELECT service, covered, ended_ms, begins_ms
FROM
(
    SELECT
        partition,
        service,
        covered,
        begins_ms,
        lagInFrame(ends_ms, 1, begins_ms) OVER (PARTITION BY partition, service, covered ORDER BY begins_ms, ends_ms
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS ended_ms
    FROM
    (
        SELECT
            partition,
            service,
            state = 'covered' AS covered,
            toUnixTimestamp64Milli(starts_at) AS begins_ms,
            toUnixTimestamp64Milli(ends_at) AS ends_ms
        FROM service_ledger
        WHERE tenant = {tenant:String}
          AND starts_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
          AND starts_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
          AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
        GROUP BY partition, service, state, starts_at, ends_at
        HAVING sum(sign) > 0
    )
)
WHERE begins_ms < ended_ms
ORDER BY service, covered, begins_ms, partition
