-- The columns of one table that an insert may name, in their order.
SELECT name, type
FROM system.columns
WHERE database = {database:String}
  AND table = {table:String}
  AND default_kind NOT IN ('MATERIALIZED', 'ALIAS')
ORDER BY position
