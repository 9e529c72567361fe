-- How far a partition is stored, and fold time there; zeros where nothing is.
SELECT max(position), toUnixTimestamp64Milli(max(fold_time))
FROM positions
WHERE partition = {partition:UInt32}
