-- One incident as it stood at as_of.
SELECT
    partition, position, ordinal, toUnixTimestamp64Milli(recorded_at) AS recorded_ms, tenant, id, kind, state, merged_into, title, severity,
    toUnixTimestamp64Milli(opened_at) AS opened_ms, toUnixTimestamp64Milli(resolved_at) AS resolved_ms, services,
    toInt64(episodes) AS n_episodes, toInt64(firing) AS n_firing, toInt64(unknown) AS n_unknown, causes
FROM incidents
WHERE tenant = {tenant:String}
  AND id = {id:String}
  AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
ORDER BY position DESC, ordinal DESC
LIMIT 1
