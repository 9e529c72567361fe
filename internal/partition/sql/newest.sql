-- The newest fold time at which a record was stored: what a reader beside the service
-- takes for now. 0 where nothing is stored.
SELECT toUnixTimestamp64Milli(max(recorded_at))
FROM deliveries
