-- How many partitions have stored anything: what one alone says need not be merged.
SELECT uniqExact(partition)
FROM positions
