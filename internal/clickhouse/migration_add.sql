-- One version was applied.
INSERT INTO {table:Identifier} (version, name, checksum, applied_at)
SELECT {version:UInt32}, {name:String}, {checksum:String}, fromUnixTimestamp64Milli({applied_at_ms:Int64})
