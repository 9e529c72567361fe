-- What was not understood of what was received in [from, to), newest first, as known at as_of.
SELECT tenant, source, path, toUnixTimestamp64Milli(received_at) AS received_ms, reason, body
FROM dead_letters
WHERE tenant = {tenant:String}
  AND received_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
  AND received_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
  AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
ORDER BY received_at DESC, partition, position DESC, ordinal DESC
LIMIT {limit:UInt64}
