-- Changes as told last, as known at as_of, that overlap [from, to). One without an end runs
-- on; one that took no time counts at its instant.
SELECT id, kind, service, toUnixTimestamp64Milli(started_at) AS started_ms, toUnixTimestamp64Milli(finished_at) AS finished_ms,
       outcome, version, author, title, url
FROM
(
    SELECT *
    FROM changes
    WHERE tenant = {tenant:String}
      AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    ORDER BY partition, source, id, position DESC, ordinal DESC
    LIMIT 1 BY partition, source, id
)
WHERE started_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
  AND (started_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
       OR finished_at > fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
       OR finished_at = fromUnixTimestamp64Milli(toInt64(0), 'UTC'))
  AND ({service:String} = '' OR service = {service:String})
ORDER BY started_at DESC, source, id, partition
LIMIT {limit:UInt64}
