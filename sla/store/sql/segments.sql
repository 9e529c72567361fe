-- What the signed rows of segments leave, partition by partition, in [from, to), as known at as_of, unclipped.
SELECT
    service,
    agreement,
    partition,
    bucket,
    state,
    toUnixTimestamp64Milli(starts_at) AS from_ms,
    toUnixTimestamp64Milli(ends_at) AS until_ms,
    toUnixTimestamp64Milli(maxIf(recorded_at, sign > 0)) AS stated_ms
FROM sla_segments
WHERE tenant = {tenant:String}
  AND starts_at >= fromUnixTimestamp64Milli({from_ms:Int64} - {max_length_ms:Int64}, 'UTC')
  AND starts_at <= fromUnixTimestamp64Milli({to_ms:Int64} - 1, 'UTC')
  AND ends_at > fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
  AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
  AND ({every_service:UInt8} = 1 OR service IN {services:Array(String)})
  AND ({every_agreement:UInt8} = 1 OR agreement = {agreement:String})
  AND ({every_bucket:UInt8} = 1 OR bucket IN {buckets:Array(String)})
GROUP BY service, agreement, partition, bucket, state, starts_at, ends_at
HAVING sum(sign) > 0
ORDER BY service, agreement, partition, starts_at, ends_at, bucket, state
