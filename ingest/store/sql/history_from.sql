-- When the first delivery that is still kept was received, as known at as_of.
SELECT toUnixTimestamp64Milli(received_at) AS received_ms
FROM deliveries
WHERE tenant = {tenant:String}
  AND kind = 'delivery'
  AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
ORDER BY received_at, partition, position
LIMIT 1
