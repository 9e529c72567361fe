-- How often a query is running, on any server.
SELECT count()
FROM clusterAllReplicas({cluster:String}, 'system', 'processes')
WHERE query_id = {query_id:String}
