-- Ends a query, and waits until it has ended.
KILL QUERY WHERE query_id = {query_id:String} SYNC
