-- What each source delivered in [from, to), as known at as_of. Copies are alerts and windows that said only
-- what they had said before. What Evenkeel itself says of how far a stream was read is no delivery of the source.
SELECT source,
       toInt64(countIf(kind = 'delivery' AND NOT copy)),
       toInt64(countIf(kind = 'rejected' AND NOT copy)),
       toInt64(sum(alerts + changes + others)),
       toInt64(sum(repeats)),
       toInt64(sum(dead_letters)),
       toUnixTimestamp64Milli(min(received_at)),
       toUnixTimestamp64Milli(max(received_at))
FROM deliveries
WHERE tenant = {tenant:String}
  AND kind IN ('delivery', 'rejected')
  AND path != {progress:String}
  AND received_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
  AND received_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
  AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
GROUP BY source
ORDER BY source
