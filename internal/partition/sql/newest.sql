-- Fold time up to which every partition is stored: the now of who reads beside the service. 0
-- where nothing is stored. Beside it, of how many partitions anything is stored.
SELECT toUnixTimestamp64Milli(min(newest)), toUInt32(count())
FROM
(
    SELECT max(fold_time) AS newest
    FROM positions
    GROUP BY partition
)
