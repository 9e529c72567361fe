-- What was told, up to as_of, of maintenance windows of which any telling overlaps [from, to), each in the order in which it was told.
SELECT source, id, service, from_ms, until_ms, cancelled, reason, author, url, received_ms
FROM
(
    SELECT
        source,
        id,
        service,
        toUnixTimestamp64Milli(from_at) AS from_ms,
        toUnixTimestamp64Milli(to_at) AS until_ms,
        cancelled,
        reason,
        author,
        url,
        toUnixTimestamp64Milli(received_at) AS received_ms,
        recorded_at,
        partition,
        position,
        ordinal,
        max(from_ms < {to_ms:Int64} AND until_ms > {from_ms:Int64}) OVER (PARTITION BY source, id) AS overlaps
    FROM maintenance
    WHERE tenant = {tenant:String}
      AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
)
WHERE overlaps = 1
ORDER BY source, id, recorded_at, partition, position, ordinal
