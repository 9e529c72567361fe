package partition

import (
	"cmp"
	"context"
	_ "embed" // the queries
	"fmt"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

var (
	//go:embed sql/received.sql
	receivedSQL string
	//go:embed sql/received_bounds.sql
	receivedBoundsSQL string
)

// Received asks for what arrived.
type Received struct {
	Tenant   string        // "" is all
	From, To ingest.Millis // of received_at, half-open; 0 is the first and the last there is
}

// How much time is asked for at once: as much as brings some bodies, and not too many.
const (
	firstWindow = ingest.Hour
	leastWindow = ingest.Second
	mostWindow  = 30 * ingest.Day
)

// EachReceived calls each with the deliveries that q asks for, in the order of their arrival. Not all
// of them are in memory at once.
func (a *Archive) EachReceived(ctx context.Context, q Received, each func(ingest.Record) error) error {
	var first, last int64
	err := one(ctx, a.db, receivedBoundsSQL, clickhouse.Params{"tenant": q.Tenant}, &first, &last)
	if err != nil || last == 0 {
		return err
	}
	from := max(q.From, ingest.Millis(first))
	to := min(cmp.Or(q.To, ingest.Millis(last)+1), ingest.Millis(last)+1)
	for window := firstWindow; from < to; {
		end := min(from+window, to)
		bytes, err := a.eachReceived(ctx, Received{q.Tenant, from, end}, each)
		if err != nil {
			return fmt.Errorf("deliveries from %s to %s: %w", from, end, err)
		}
		from = end
		switch {
		case bytes > manyBytes:
			window = max(leastWindow, window/2)
		case bytes < fewBytes:
			window = min(2*window, mostWindow)
		}
	}
	return nil
}

// eachReceived asks for one window and returns how many bytes its bodies have.
func (a *Archive) eachReceived(ctx context.Context, q Received, each func(ingest.Record) error) (bytes int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute) // also of who takes the records
	defer cancel()
	params := clickhouse.Params{
		"tenant":  q.Tenant,
		"from_ms": strconv.FormatInt(int64(q.From), 10), "to_ms": strconv.FormatInt(int64(q.To), 10),
	}
	err = clickhouse.Each(ctx, a.db, receivedSQL, params, func(rows clickhouse.Rows) error {
		var rec ingest.Record
		if err := scanReceived(rows, &rec); err != nil {
			return err
		}
		bytes += len(rec.Body)
		return each(rec)
	})
	return bytes, err
}

func scanReceived(rows clickhouse.Rows, rec *ingest.Record) error {
	var body string
	err := rows.Scan(&rec.Position, (*int64)(&rec.ReceivedAt), &rec.Tenant, &rec.Source, &rec.Path, &body)
	rec.Kind, rec.Body = ingest.KindDelivery, []byte(body)
	return err
}
