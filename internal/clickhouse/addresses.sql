-- Which rows of a batch are stored.
SELECT position, ordinal
FROM {table:Identifier}
WHERE partition = {partition:UInt32}
  AND position BETWEEN {first:UInt64} AND {last:UInt64}
ORDER BY position, ordinal
