-- Ends a query, on every server of the cluster where there is one, and waits until it has ended.
KILL QUERY{{.OnCluster}} WHERE query_id = {query_id:String} SYNC
