-- When the first alert or change that is remembered was recorded, as known at as_of; 0 where
-- nothing is. Unlike deliveries and events, these rows are kept for ever.
SELECT toUnixTimestamp64Milli(min(recorded_at)) AS recorded_ms
FROM
(
    SELECT recorded_at
    FROM episodes
    WHERE tenant = {tenant:String}
      AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    UNION ALL
    SELECT recorded_at
    FROM changes
    WHERE tenant = {tenant:String}
      AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
)
