-- The body of the configuration that was in force at an instant.
SELECT body
FROM deliveries
WHERE tenant = {tenant:String} AND kind = 'configuration' AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64})
ORDER BY received_at DESC, partition DESC, position DESC
LIMIT 1
