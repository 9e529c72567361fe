-- Episodes as they stood at as_of, oldest first: those of an incident, of a service, or
-- all that overlap [from, to). What is not over has no end yet; one that is not known is unknown_since.
-- Which row is the present of which episode is found in narrow columns; labels and texts are read of those rows alone.
-- GLOBAL: with several shards ClickHouse refuses what would be asked of every server by every other one.
SELECT
    partition, position, ordinal, toUnixTimestamp64Milli(recorded_at) AS recorded_ms, tenant, source, fingerprint,
    toUnixTimestamp64Milli(starts_at) AS starts_ms, state, toUnixTimestamp64Milli(ends_at) AS ends_ms,
    toUnixTimestamp64Milli(unknown_since) AS unknown_ms, toUnixTimestamp64Milli(first_seen_at) AS first_seen_ms, service, severity,
    alertname, labels, annotations, generator_url,
    arrayMap(a -> toUnixTimestamp64Milli(a), aliases) AS alias_ms, incident, first_incident, reasons
FROM episodes
WHERE tenant = {tenant:String}
  AND (starts_at, source, fingerprint, position, ordinal, partition) GLOBAL IN
  (
      SELECT starts_at, source, fingerprint, position, ordinal, partition
      FROM
      (
          SELECT
              starts_at, source, fingerprint, position, ordinal, partition, incident, service,
              toUnixTimestamp64Milli(if(state = 'unknown' AND ends_at != 0, unknown_since, ends_at)) AS end_ms
          FROM episodes
          WHERE tenant = {tenant:String}
            AND starts_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
            AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
            AND ({incident:String} = '' OR (source, fingerprint, starts_at) GLOBAL IN
            (
                SELECT source, fingerprint, starts_at
                FROM episodes
                WHERE tenant = {tenant:String} AND incident = {incident:String}
            ))
          ORDER BY starts_at, source, fingerprint, position DESC, ordinal DESC
          LIMIT 1 BY starts_at, source, fingerprint
      )
      WHERE ({incident:String} = '' OR incident = {incident:String})
        AND ({service:String} = '' OR service = {service:String})
        AND (end_ms = 0 OR end_ms >= {from_ms:Int64})
      ORDER BY starts_at, source, fingerprint
      LIMIT {limit:UInt64}
  )
ORDER BY starts_ms, source, fingerprint
