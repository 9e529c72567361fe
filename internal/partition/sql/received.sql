-- Deliveries as they arrived in a window, in the order of their arrival. An empty tenant is all.
SELECT position, toUnixTimestamp64Milli(received_at) AS received_ms, tenant, source, path, body
FROM deliveries
WHERE kind = 'delivery'
  AND NOT copy
  AND ({tenant:String} = '' OR tenant = {tenant:String})
  AND received_at >= fromUnixTimestamp64Milli({from_ms:Int64})
  AND received_at < fromUnixTimestamp64Milli({to_ms:Int64})
ORDER BY received_at, partition, position, ordinal
