-- Records of one partition as the journal had them, at positions in a range. Configuration and
-- refusals are among them, ticks are not.
SELECT position, toUnixTimestamp64Milli(received_at) AS received_ms, kind, tenant, source, path, reason, route,
    stream, topic, toInt32(stream_partition) AS stream_partition_number, stream_offset, toUnixTimestamp64Milli(written_at) AS written_ms, body
FROM deliveries
WHERE partition = {partition:UInt32}
  AND position >= {from:UInt64}
  AND position < {until:UInt64}
ORDER BY position, ordinal
