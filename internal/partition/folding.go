package partition

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// readLimit is how many records are read from the journal at once.
const readLimit = 256

// fullFactor is how far a batch may grow past BatchRows and BatchBytes while the store is busy;
// then the fold stops reading.
const fullFactor = 4

// checkpointShare bounds the time that checkpoints of a large state take: one part in so many.
const checkpointShare = 20

// runFold reads and folds, and hands batches to the store when it is ready for one.
func (r *Runner) runFold(ctx context.Context) error {
	var pending batch
	for {
		err := r.foldFrom(ctx, &pending)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errAnew):
			continue
		case errors.Is(err, errHalted):
			return r.stayHalted(ctx, &pending)
		default:
			return err
		}
	}
}

// foldFrom folds from where the fold stands, first what the journal no longer has.
func (r *Runner) foldFrom(ctx context.Context, pending *batch) error {
	if err := r.catchUp(ctx); err != nil {
		return err
	}
	next := time.Now().Add(r.opts.CheckpointEvery)
	for ctx.Err() == nil {
		if r.due(pending) && r.storeReady(ctx, pending) {
			if began := time.Now(); !began.Before(next) && r.fold.Position() == pending.Last {
				checkpoint, err := r.fold.Snapshot()
				if err != nil {
					return fmt.Errorf("take a checkpoint: %w", err)
				}
				pending.checkpoint = checkpoint
				next = time.Now().Add(max(r.opts.CheckpointEvery, checkpointShare*time.Since(began)))
			}
			if err := r.handOver(ctx, pending); err != nil {
				return err
			}
		}
		if err := r.read(ctx, pending); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// handOver gives b to the store, which is ready for it, and begins the next one.
func (r *Runner) handOver(ctx context.Context, b *batch) error {
	select {
	case r.batches <- *b:
		*b, r.recover = batch{}, nil
		select {
		case b.Rows = <-r.used:
		default:
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// due tells whether b is to be closed. The batch that was in flight at the last
// stop is closed where it was closed then, by nothing else.
func (r *Runner) due(b *batch) bool {
	if b.Last == 0 {
		return false
	}
	if r.recover != nil {
		return b.Last == r.recover.Last
	}
	if r.large(b, 1) {
		return true
	}
	age := time.Since(b.since)
	if age < r.opts.BatchAge {
		return false
	}
	quiet := time.Since(r.came) >= r.opts.BatchAge/2
	return quiet || age >= patience*r.opts.BatchAge || !r.large(b, 1.0/16)
}

// patience is how many times its age a batch waits that is not small, while more is coming: what comes in masses
// is stored in a few large parts, each of which costs the store as much as a small one.
const patience = 5

// large tells whether b has grown to so many times what closes it.
func (r *Runner) large(b *batch, times float64) bool {
	return float64(b.Rows.Len()) >= times*float64(r.opts.BatchRows) || float64(b.Rows.Bytes()) >= times*float64(r.opts.BatchBytes)
}

// storeReady takes the store's token if it is there, or waits for it where b is full.
func (r *Runner) storeReady(ctx context.Context, b *batch) bool {
	if r.recover == nil && !r.large(b, fullFactor) {
		select {
		case <-r.ready:
			return true
		default:
			return false
		}
	}
	select {
	case <-r.ready:
		return true
	case <-ctx.Done():
		return false
	}
}

// read folds the next records into b, or waits a little where there are none.
func (r *Runner) read(ctx context.Context, b *batch) error {
	records, err := r.opts.Log.Read(ctx, r.next, readLimit)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("read the journal at %d: %w", r.next, err)
	}
	if len(records) == 0 {
		return r.await(ctx, b)
	}
	defer func() { r.came = time.Now() }() // behind the folding, which may take long
	for _, rec := range records {
		if err := r.apply(ctx, rec, b); err != nil {
			return err
		}
		if r.recover != nil && rec.Position == r.recover.Last {
			return nil // the rest belongs to the next batch
		}
		if r.large(b, 1) {
			return nil
		}
	}
	return nil
}

// await returns when a record arrives or b wants to be looked at again.
func (r *Runner) await(ctx context.Context, b *batch) error {
	wait := time.Second
	if b.Last != 0 {
		wait = max(r.opts.BatchAge-time.Since(b.since), 5*time.Millisecond)
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	err := r.opts.Log.Wait(waiting, r.next)
	if err != nil && waiting.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("wait for the journal at %d: %w", r.next, err)
	}
	return ctx.Err()
}

// apply folds one record. Rows of positions that are stored already, or in b, only rebuild
// the state. Rows of other positions that an earlier run has seen may be stored although
// the state does not say so, where it was lost or is an older copy.
func (r *Runner) apply(ctx context.Context, rec ingest.Record, b *batch) error {
	began := time.Now()
	rows, failure := r.try(rec)
	if failure != nil {
		return r.survive(ctx, rec, failure)
	}
	r.metrics.foldSeconds.Observe(time.Since(began).Seconds())
	r.next = rec.Position + 1
	r.publish()
	if rec.Position <= r.skip {
		return nil
	}
	r.metrics.dead.Add(float64(len(rows.DeadLetters)))
	if b.Last == 0 {
		b.Partition, b.First, b.since = r.opts.Partition, rec.Position, time.Now()
	}
	b.Last, b.FoldTime = rec.Position, r.fold.Time()
	b.recovering = b.recovering || rec.Position <= r.before
	b.Rows.Append(rows)
	return nil
}

// publish makes the fold's progress visible.
func (r *Runner) publish() {
	r.progress.folded.Store(r.fold.Position())
	r.progress.foldTime.Store(int64(r.fold.Time()))
	next, _ := r.fold.NextTimer()
	r.progress.timer.Store(int64(next))
	if hash := r.fold.Configuration(); hash != r.Configuration() {
		r.progress.configuration.Store(&hash)
	}
	r.metrics.folded.Set(float64(r.fold.Position()))
}
