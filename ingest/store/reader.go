package store

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// Reader answers questions about what came in. It holds no state and may be used
// by many goroutines at once.
type Reader struct{ db clickhouse.Querier }

// NewReader returns a reader of what db holds.
func NewReader(db clickhouse.Querier) *Reader { return &Reader{db} }

// Changes returns the changes that overlap the window, the newest first. A change that was told
// more than once comes once, as it was told last; one without an end overlaps
// everything after its start.
func (r *Reader) Changes(ctx context.Context, q ArrivalsQuery) ([]ingest.Change, error) {
	if err := q.check(); err != nil {
		return nil, fmt.Errorf("changes: %w", err)
	}
	changes, err := clickhouse.All(ctx, r.db, changesSQL, q.params(), func(rows clickhouse.Rows, c *ingest.Change) error {
		return rows.Scan(&c.ID, &c.Kind, &c.Service, (*int64)(&c.StartedAt), (*int64)(&c.FinishedAt),
			&c.Outcome, &c.Version, &c.Author, &c.Title, &c.URL)
	})
	return changes, wrap("changes", err)
}

// DeadLetters returns what was not understood of what was received in the window, the newest first.
func (r *Reader) DeadLetters(ctx context.Context, q ArrivalsQuery) ([]ingest.DeadLetter, error) {
	if err := q.check(); err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	dead, err := clickhouse.All(ctx, r.db, deadLettersSQL, q.params(), func(rows clickhouse.Rows, d *ingest.DeadLetter) error {
		var body string
		err := rows.Scan(&d.Tenant, &d.Source, &d.Path, (*int64)(&d.ReceivedAt), &d.Reason, &body)
		d.Body = []byte(body)
		return err
	})
	return dead, wrap("dead letters", err)
}

// Intake is what one source delivered in a window.
type Intake struct {
	Source      string
	Deliveries  int // that were accepted
	Rejected    int // that were refused as undecodable
	Events      int // alerts seen and changes told, copies included
	Copies      int // of them, alerts and windows that said only what they had said before
	DeadLetters int
	First       ingest.Millis // received_at of the first one in the window
	Last        ingest.Millis
}

// Intake counts what was received in the window by source, in their order.
func (r *Reader) Intake(ctx context.Context, q ArrivalsQuery) ([]Intake, error) {
	if err := q.check(); err != nil {
		return nil, fmt.Errorf("intake: %w", err)
	}
	params := q.params()
	params["progress"] = ingest.PathProgress
	intake, err := clickhouse.All(ctx, r.db, intakeSQL, params, func(rows clickhouse.Rows, i *Intake) error {
		var n [5]int64
		err := rows.Scan(&i.Source, &n[0], &n[1], &n[2], &n[3], &n[4], (*int64)(&i.First), (*int64)(&i.Last))
		i.Deliveries, i.Rejected, i.Events, i.Copies, i.DeadLetters = int(n[0]), int(n[1]), int(n[2]), int(n[3]), int(n[4])
		return err
	})
	return intake, wrap("intake", err)
}

// HistoryFrom returns when the first delivery that is kept was received, as known at asOf; 0
// where there is none.
func (r *Reader) HistoryFrom(ctx context.Context, tenant string, asOf ingest.Millis) (ingest.Millis, error) {
	params := clickhouse.Params{
		"tenant": cmp.Or(tenant, ingest.DefaultTenant), "as_of_ms": strconv.FormatInt(int64(asOf), 10),
	}
	at, err := clickhouse.All(ctx, r.db, historyFromSQL, params, func(rows clickhouse.Rows, at *int64) error { return rows.Scan(at) })
	if err != nil || len(at) == 0 {
		return 0, wrap("start of history", err)
	}
	return ingest.Millis(at[0]), nil
}

// Records returns the records of a partition at positions in [from, until), in order: what a fold
// is made anew from when the journal has forgotten it. There are no ticks among them, so
// positions have gaps; what retention took is missing without a trace.
func (r *Reader) Records(ctx context.Context, partition uint32, from, until uint64) ([]ingest.Record, error) {
	params := clickhouse.Params{
		"partition": strconv.FormatUint(uint64(partition), 10),
		"from":      strconv.FormatUint(from, 10), "until": strconv.FormatUint(until, 10),
	}
	records, err := clickhouse.All(ctx, r.db, recordsSQL, params, func(rows clickhouse.Rows, rec *ingest.Record) error {
		var kind, route, body string
		var origin ingest.Origin
		err := rows.Scan(&rec.Position, (*int64)(&rec.ReceivedAt), &kind, &rec.Tenant, &rec.Source, &rec.Path, &rec.Reason, &route,
			&origin.Stream, &origin.Topic, &origin.Partition, &origin.Offset, (*int64)(&origin.At), &body)
		rec.Body = []byte(body)
		if origin != (ingest.Origin{}) {
			rec.Origin = &origin
		}
		if err == nil && route != "" {
			rec.Route = new(ingest.Route)
			err = rec.Route.UnmarshalText([]byte(route))
		}
		if err == nil {
			rec.Kind, err = ingest.ParseRecordKind(kind)
		}
		return err
	})
	return records, wrap("records", err)
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
