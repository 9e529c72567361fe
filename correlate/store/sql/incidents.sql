-- Incidents that overlap [from, to), each as it stood at as_of, newest opening first, from
-- behind a cursor on. Merged ones come only where they are asked for.
SELECT
    partition, position, ordinal, toUnixTimestamp64Milli(recorded_at) AS recorded_ms, tenant, id, kind, state, merged_into, title, severity,
    toUnixTimestamp64Milli(opened_at) AS opened_ms, toUnixTimestamp64Milli(resolved_at) AS resolved_ms, services,
    toInt64(episodes) AS n_episodes, toInt64(firing) AS n_firing, toInt64(unknown) AS n_unknown, causes
FROM
(
    SELECT *
    FROM incidents
    WHERE tenant = {tenant:String}
      AND opened_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
      AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    ORDER BY opened_at DESC, id DESC, position DESC, ordinal DESC
    LIMIT 1 BY opened_at, id
)
WHERE (resolved_ms = 0 OR resolved_ms >= {from_ms:Int64})
  AND if({state:String} = '', state != 'merged', state = {state:String})
  AND ({service:String} = '' OR has(services, {service:String}))
  AND (opened_ms < {after_ms:Int64} OR opened_ms = {after_ms:Int64} AND id < {after_id:String})
ORDER BY opened_ms DESC, id DESC
LIMIT {limit:UInt64}
