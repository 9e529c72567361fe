-- Milliseconds by bucket and state of each service and agreement in [from, to), of the
-- rows that each partition recorded up to as_of. to is not after as_of: the reader sees to that.
SELECT
    service,
    agreement,
    partition,
    bucket,
    state,
    sum(sign * (least(toUnixTimestamp64Milli(ends_at), {to_ms:Int64})
              - greatest(toUnixTimestamp64Milli(starts_at), {from_ms:Int64}))) AS milliseconds
FROM sla_segments
WHERE tenant = {tenant:String}
  AND starts_at >= fromUnixTimestamp64Milli({from_ms:Int64} - {max_length_ms:Int64}, 'UTC')
  AND starts_at <= fromUnixTimestamp64Milli({to_ms:Int64} - 1, 'UTC')
  AND ends_at > fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
  AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
  AND ({every_service:UInt8} = 1 OR service IN {services:Array(String)})
  AND ({every_agreement:UInt8} = 1 OR agreement = {agreement:String})
GROUP BY service, agreement, partition, bucket, state
HAVING milliseconds != 0
ORDER BY service, agreement, partition, bucket, state
