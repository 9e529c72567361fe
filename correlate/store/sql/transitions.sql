-- The steps of some incidents' lives as recorded up to as_of, in that order.
SELECT
    partition, position, ordinal, toUnixTimestamp64Milli(recorded_at) AS recorded_ms, tenant, incident, kind,
    toUnixTimestamp64Milli(at) AS at_ms, source, fingerprint, toUnixTimestamp64Milli(starts_at) AS starts_ms, other, actor, reason
FROM transitions
WHERE tenant = {tenant:String}
  AND has({ids:Array(String)}, incident)
  AND recorded_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
  AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
ORDER BY recorded_at, partition, position, ordinal
