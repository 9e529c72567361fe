-- The configuration that a record holds.
SELECT body
FROM deliveries
WHERE tenant = {tenant:String} AND kind = 'configuration' AND partition = {partition:UInt32} AND position = {position:UInt64}
ORDER BY ordinal
LIMIT 1
