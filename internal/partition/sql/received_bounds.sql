-- When the first and the last delivery arrived; zeros where none did. An empty tenant is all.
SELECT toUnixTimestamp64Milli(min(received_at)), toUnixTimestamp64Milli(max(received_at))
FROM deliveries
WHERE kind = 'delivery' AND ({tenant:String} = '' OR tenant = {tenant:String})
