-- How many replicas the largest shard of a cluster has, and how many of them an insert waits for: 0 and 1 are one,
-- auto is most of them.
SELECT toUInt64(max(replica_num)), toString(getSetting('insert_quorum'))
FROM system.clusters
WHERE cluster = {cluster:String}
