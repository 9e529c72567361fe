package partition

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// runStore stores one batch after the other.
func (r *Runner) runStore(ctx context.Context) error {
	for {
		r.ready <- struct{}{}
		select {
		case b := <-r.batches:
			if err := r.storeBatch(ctx, b); err != nil {
				return err
			}
			select {
			case r.used <- b.Rows.emptied():
			default:
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// storeBatch makes the bounds of b durable, writes its rows, and remembers that
// they are stored. The last step becomes durable with the next batch or
// checkpoint: until then a restart only looks again whether the rows are there.
func (r *Runner) storeBatch(ctx context.Context, b batch) error {
	if b.Rows.Len() > 0 {
		err := r.whileFull(ctx, func() error {
			return r.saveState(ctx, func(s *state) { s.InFlight = &bounds{b.First, b.Last} })
		})
		if err != nil {
			return err
		}
	}
	if err := r.write(ctx, b); err != nil { // also without rows: the store is told of the time
		return err
	}
	r.advance(b)
	if b.checkpoint == nil {
		return nil
	}
	return r.whileFull(ctx, func() error { return r.saveCheckpoint(ctx, b) })
}

// whileFull saves, and tries again for as long as the disk is full: deliveries are refused then, and
// what was accepted waits.
func (r *Runner) whileFull(ctx context.Context, save func() error) error {
	for {
		err := save()
		if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
			return err
		}
		r.metrics.storeFailures.Inc()
		r.opts.Logger.Warn("The disk is full: how far the partition is cannot be saved; it is tried again", "err", err, "partition", r.opts.Partition)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write tries until the store has the rows. After a failed try a part may be there.
func (r *Runner) write(ctx context.Context, b batch) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 50*time.Millisecond, 5*time.Second
	if r.opts.Lease > 0 {
		b.Confirm = r.confirm
	}
	if b.recovering {
		if err := r.settle(ctx); err != nil {
			return err
		}
	}
	for recovering := b.recovering; ; recovering = true {
		began := time.Now()
		err := r.opts.Store.Write(ctx, b.Batch, recovering)
		if err == nil {
			r.metrics.storeSeconds.Observe(time.Since(began).Seconds())
			r.metrics.rows.Add(float64(b.Rows.Len()))
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, errNotConfirmed) {
			return err
		}
		r.metrics.storeFailures.Inc()
		pause := wait.NextBackOff()
		r.opts.Logger.Warn("The store did not take a batch; it is tried again", "err", err,
			"partition", b.Partition, "first", b.First, "last", b.Last, "rows", b.Rows.Len(), "pause", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// settle returns when the inserts of owners before this one have all begun, and can be ended.
func (r *Runner) settle(ctx context.Context) error {
	select {
	case <-time.After(time.Until(r.began.Add(2 * r.opts.Lease))):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// confirm makes sure that the partition is still ours: a save fails where it is not.
func (r *Runner) confirm(ctx context.Context) error {
	r.saving.Lock()
	young := time.Since(r.saved) < r.opts.Lease
	r.saving.Unlock()
	if young {
		return nil
	}
	if err := r.saveState(ctx, func(*state) {}); err != nil {
		return fmt.Errorf("%w: %w", errNotConfirmed, err)
	}
	return nil
}

// errNotConfirmed ends a runner that may own its partition no more.
var errNotConfirmed = errors.New("it is not certain that the partition is still ours")

// advance notes in memory that b is stored and wakes who waits for it.
func (r *Runner) advance(b batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Stored, r.state.StoredAt = b.Last, b.FoldTime
	close(r.stored)
	r.stored = make(chan struct{})
	r.metrics.stored.Set(float64(b.Last))
}

// saveCheckpoint writes the fold's state after b, and only then lets the journal
// forget what lies before it.
func (r *Runner) saveCheckpoint(ctx context.Context, b batch) error {
	if err := r.saveState(ctx, func(s *state) { s.InFlight = nil }); err != nil {
		return err
	}
	if err := r.opts.Keep.SaveCheckpoint(ctx, b.checkpoint); err != nil {
		return err
	}
	if err := r.opts.Log.Commit(b.Last); err != nil {
		r.opts.Logger.Warn("The journal was not trimmed", "err", err, "position", b.Last)
	}
	return nil
}

// saveState changes the state and makes it durable. Who only looks at the state does not
// wait for the disk.
func (r *Runner) saveState(ctx context.Context, change func(*state)) error {
	r.saving.Lock()
	defer r.saving.Unlock()
	began := time.Now()
	r.mu.Lock()
	change(&r.state)
	changed := r.state
	r.mu.Unlock()
	if err := changed.save(ctx, r.opts.Keep); err != nil {
		return err
	}
	r.saved = began
	return nil
}
