package partition

import (
	"context"
	_ "embed" // the query
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// Past holds what the journal has forgotten.
type Past interface {
	// Records returns the records of a partition at the positions in [from, until), in order.
	// Ticks are not among them, nor what is older than what is kept.
	Records(ctx context.Context, partition uint32, from, until uint64) ([]ingest.Record, error)
	// Stored returns how far a partition is stored; the zero Position where nothing is.
	Stored(ctx context.Context, partition uint32) (Position, error)
}

// ErrForgotten says that records are needed which neither the journal nor the store has.
var ErrForgotten = errors.New("the records before the journal's first are nowhere")

// Archive is the past as ClickHouse keeps it, in the table deliveries.
type Archive struct {
	db      clickhouse.Querier
	records *ingeststore.Reader
}

// NewArchive returns the past in db.
func NewArchive(db clickhouse.Querier) *Archive {
	return &Archive{db: db, records: ingeststore.NewReader(db)}
}

// Records implements [Past].
func (a *Archive) Records(ctx context.Context, partition uint32, from, until uint64) ([]ingest.Record, error) {
	return a.records.Records(ctx, partition, from, until)
}

//go:embed sql/stored.sql
var storedSQL string

// Stored implements [Past].
func (a *Archive) Stored(ctx context.Context, partition uint32) (Position, error) {
	p := Position{Partition: partition}
	var at int64
	err := one(ctx, a.db, storedSQL, clickhouse.Params{"partition": strconv.FormatUint(uint64(partition), 10)}, &p.Position, &at)
	p.FoldTime = ingest.Millis(at)
	return p, err
}

// How many positions of the past are asked for at once: as many as bring some bodies, and not
// too many.
const (
	firstSpan = 1 << 10
	mostSpan  = 1 << 16
	fewBytes  = 2 << 20
	manyBytes = 8 << 20
)

// EachPast calls each with the records of a partition at the positions in [from, until), in order,
// and returns how many there were. Not all of them are in memory at once.
func EachPast(ctx context.Context, past Past, partition uint32, from, until uint64, each func(ingest.Record) error) (int, error) {
	n := 0
	for span := uint64(firstSpan); from < until; {
		end := min(from+span, until)
		records, err := past.Records(ctx, partition, from, end)
		if err != nil {
			return n, fmt.Errorf("read positions %d to %d from the table deliveries: %w", from, end-1, err)
		}
		bytes := 0
		for _, rec := range records {
			if err := each(rec); err != nil {
				return n, err
			}
			bytes += len(rec.Body)
		}
		n, from = n+len(records), end
		switch {
		case bytes > manyBytes:
			span = max(1, span/2)
		case bytes < fewBytes:
			span = min(2*span, mostSpan)
		}
	}
	return n, nil
}

// catchUp folds what the journal no longer has, out of the store. Nothing of it is stored
// again: the journal is trimmed only behind what is stored.
func (r *Runner) catchUp(ctx context.Context) error {
	first := r.opts.Log.First()
	if r.next >= first {
		return nil
	}
	r.opts.Logger.Warn("The journal begins later than the fold: what came before is read from ClickHouse",
		"partition", r.opts.Partition, "from", r.next, "first_in_journal", first)
	if err := r.findStored(ctx, first); err != nil {
		return err
	}
	pause := backoff.NewExponentialBackOff()
	pause.MaxInterval = 10 * time.Second
	found := 0
	for r.next < first {
		n, err := EachPast(ctx, r.opts.Past, r.opts.Partition, r.next, first, func(rec ingest.Record) error {
			return r.apply(ctx, rec, nil)
		})
		if found += n; err == nil {
			break
		}
		if err := r.patience(ctx, pause, err); err != nil {
			return err
		}
	}
	if found == 0 {
		return fmt.Errorf("%w: it begins at position %d, and the table deliveries has none before it", ErrForgotten, first)
	}
	r.next = first
	if _, at := r.Stored(); r.skip == first-1 { // the ticks up to here are gone; what they brought is stored
		return r.apply(ctx, ingest.Record{Position: r.skip, ReceivedAt: at, Kind: ingest.KindTick}, nil)
	}
	return nil
}

// findStored asks the store how far it is where the state beside the journal was lost.
func (r *Runner) findStored(ctx context.Context, first uint64) error {
	if r.opts.Past == nil {
		return fmt.Errorf("%w: it begins at position %d, and no store is asked", ErrForgotten, first)
	}
	pause := backoff.NewExponentialBackOff()
	pause.MaxInterval = 10 * time.Second
	for r.skip+1 < first {
		stored, err := r.opts.Past.Stored(ctx, r.opts.Partition)
		switch {
		case err == nil && stored.Position+1 < first:
			return fmt.Errorf("%w: it begins at position %d, and the store has records up to %d", ErrForgotten, first, stored.Position)
		case err == nil:
			r.skip = stored.Position
			r.advance(batch{Batch: Batch{Last: stored.Position, FoldTime: stored.FoldTime}})
		default:
			if err := r.patience(ctx, pause, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// patience waits a little after an error of a store that is away, and returns any other one.
func (r *Runner) patience(ctx context.Context, pause backoff.BackOff, err error) error {
	if ctx.Err() != nil || !errors.Is(err, clickhouse.ErrAway) {
		return err
	}
	wait := pause.NextBackOff()
	r.opts.Logger.Warn("What the journal no longer has cannot be read yet; it is tried again", "err", err, "pause", wait)
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
