-- The incidents that were merged into one of some incidents, at any time up to as_of.
SELECT DISTINCT incident
FROM transitions
WHERE tenant = {tenant:String}
  AND kind = 'merged'
  AND has({ids:Array(String)}, other)
  AND recorded_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
  AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
ORDER BY incident
