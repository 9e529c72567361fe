-- Services whose ledger and own segments (agreement '') do not tell the same in
-- [from, to): to is not after as_of. Known time is what is covered and not unknown.
SELECT
    service,
    sumIf(milliseconds, side = 'ledger' AND state = 'down') AS ledger_down,
    sumIf(milliseconds, side = 'segments' AND state = 'down') AS segments_down,
    sumIf(milliseconds, side = 'ledger' AND state = 'degraded') AS ledger_degraded,
    sumIf(milliseconds, side = 'segments' AND state = 'degraded') AS segments_degraded,
    sumIf(milliseconds, side = 'ledger' AND state = 'covered')
        - sumIf(milliseconds, side = 'ledger' AND state = 'unknown') AS ledger_known,
    sumIf(milliseconds, side = 'segments' AND state != 'unknown') AS segments_known
FROM
(
    SELECT
        'ledger' AS side,
        service,
        state,
        sign * (least(toUnixTimestamp64Milli(ends_at), {to_ms:Int64})
              - greatest(toUnixTimestamp64Milli(starts_at), {from_ms:Int64})) AS milliseconds
    FROM service_ledger
    WHERE tenant = {tenant:String}
      AND starts_at >= fromUnixTimestamp64Milli({from_ms:Int64} - {max_length_ms:Int64}, 'UTC')
      AND starts_at <= fromUnixTimestamp64Milli({to_ms:Int64} - 1, 'UTC')
      AND ends_at > fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
      AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
    UNION ALL
    SELECT
        'segments' AS side,
        service,
        state,
        sign * (least(toUnixTimestamp64Milli(ends_at), {to_ms:Int64})
              - greatest(toUnixTimestamp64Milli(starts_at), {from_ms:Int64})) AS milliseconds
    FROM sla_segments
    WHERE tenant = {tenant:String}
      AND agreement = ''
      AND starts_at >= fromUnixTimestamp64Milli({from_ms:Int64} - {max_length_ms:Int64}, 'UTC')
      AND starts_at <= fromUnixTimestamp64Milli({to_ms:Int64} - 1, 'UTC')
      AND ends_at > fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
      AND recorded_at <= fromUnixTimestamp64Milli({as_of_ms:Int64}, 'UTC')
)
GROUP BY service
HAVING ledger_down != segments_down OR ledger_degraded != segments_degraded OR ledger_known != segments_known
ORDER BY service
