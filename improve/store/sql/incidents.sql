-- The incidents that opened in [from, to), each as it stood at as_of, without those that
-- live on in another by then.
SELECT
    partition,
    position,
    ordinal,
    toUnixTimestamp64Milli(recorded_at) AS recorded_ms,
    id,
    kind,
    state,
    title,
    severity,
    toUnixTimestamp64Milli(opened_at) AS opened_ms,
    toUnixTimestamp64Milli(resolved_at) AS resolved_ms,
    services,
    toInt64(episodes) AS n_episodes,
    toInt64(firing) AS n_firing,
    toInt64(unknown) AS n_unknown,
    causes
FROM
(
    SELECT *
    FROM incidents
    WHERE tenant = {tenant:String}
      AND opened_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
      AND opened_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')
      AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    ORDER BY id, position DESC, ordinal DESC
    LIMIT 1 BY id
)
WHERE state != 'merged'
ORDER BY opened_at, id
