-- Records of one partition as the journal had them, from a position on. Configuration and
-- refusals are among them, ticks are not.
SELECT position, toUnixTimestamp64Milli(received_at) AS received_ms, kind, tenant, source, path, reason, body
FROM deliveries
WHERE partition = {partition:UInt32}
  AND position >= {position:UInt64}
ORDER BY position, ordinal
LIMIT {limit:UInt64}
