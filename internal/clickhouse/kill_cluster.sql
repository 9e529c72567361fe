-- Ends a query on every server, and waits until it has ended.
KILL QUERY ON CLUSTER {cluster:Identifier} WHERE query_id = {query_id:String} SYNC
