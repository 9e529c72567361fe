-- Which record holds the configuration that was in force at an instant. What the fold refused
-- never was: it left a dead letter.
SELECT partition, position
FROM deliveries
WHERE tenant = {tenant:String} AND kind = 'configuration' AND dead_letters = 0
  AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64})
ORDER BY received_at DESC, partition DESC, position DESC
LIMIT 1
