-- Which rows of a batch are stored, on any replica: the others get them from there.
SELECT DISTINCT position, ordinal
FROM clusterAllReplicas({cluster:String}, {database:String}, {table:String})
WHERE partition = {partition:UInt32}
  AND position BETWEEN {first:UInt64} AND {last:UInt64}
ORDER BY position, ordinal
