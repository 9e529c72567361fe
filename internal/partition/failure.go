package partition

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// A record that makes the fold panic shows a mistake of ours. It must not stop the records
// behind it, nor be met again and again by one restart after the other:
//
//	fold ──panic──> the position is remembered as skipped, durably
//	     ──> the fold is what it was before (checkpoint, then the journal up to the record)
//	     ──> the record is kept as a dead letter, and the fold goes on
//
// A fold that fails where only time passes, or again and again, is halted instead: no record is
// to blame. Deliveries are accepted meanwhile.

// maxSkipped is how many records may be skipped between two starts.
const maxSkipped = 10

var (
	// errAnew says that the fold stands further back and is to go on from there.
	errAnew = errors.New("the fold begins anew")
	// errHalted says that nothing is folded any more.
	errHalted = errors.New("the fold is halted")
)

// failure is a panic of the fold.
type failure struct {
	cause any
	stack []byte
}

// try folds a record and catches a panic. The fold is not to be used after one.
func (r *Runner) try(rec ingest.Record) (rows Rows, failed *failure) {
	defer func() {
		if cause := recover(); cause != nil {
			failed = &failure{cause, debug.Stack()}
		}
	}()
	return r.fold.Apply(rec), nil
}

// survive brings the fold to where it was before the record that made it fail, which is skipped
// from now on, or halts it.
func (r *Runner) survive(ctx context.Context, rec ingest.Record, failed *failure) error {
	r.harmed = true
	r.metrics.panics.Inc()
	r.opts.Logger.Error("The fold failed at a record", "partition", r.opts.Partition, "position", rec.Position,
		"kind", rec.Kind, "source", rec.Source, "path", rec.Path, "cause", failed.cause, "stack", string(failed.stack))
	if why := r.hopeless(rec); why != "" {
		return r.halt(fmt.Sprintf("the fold fails at position %d of partition %d: %v: %s", rec.Position, r.opts.Partition, failed.cause, why))
	}
	r.skipped++
	r.skips = append(slices.Clip(r.skips), Skip{rec.Position, fmt.Sprint(failed.cause)})
	err := r.whileFull(ctx, func() error { return r.saveState(ctx, func(s *state) { s.Skips = r.skips }) })
	if err != nil {
		return err
	}
	if err := r.awaitIdle(ctx); err != nil {
		return err
	}
	r.skip = max(r.skip, rec.Position-1)
	if err := r.restore(ctx); err != nil {
		return err
	}
	r.harmed = false
	return errAnew
}

// hopeless says why skipping the record would not help; "" where it may.
func (r *Runner) hopeless(rec ingest.Record) string {
	switch _, before := r.skips.at(rec.Position); {
	case before:
		return "it fails without what the record says, too"
	case r.fold.step == stepTime || rec.Kind == ingest.KindTick:
		return "only time passed"
	case r.skipped >= maxSkipped:
		return fmt.Sprintf("%d records were skipped since the start", r.skipped)
	}
	return ""
}

// awaitIdle returns when the store has written what it was given, so that its checkpoint is the
// newest and the journal still has all behind it.
func (r *Runner) awaitIdle(ctx context.Context) error {
	select {
	case <-r.ready:
		r.ready <- struct{}{}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// halt ends folding and says why.
func (r *Runner) halt(why string) error {
	r.progress.halted.Store(&why)
	r.metrics.halted.Set(1)
	r.opts.Logger.Error("Nothing is folded any more; deliveries are still accepted. See the runbook, EvenkeelFoldHalted", "why", why)
	return errHalted
}

// stayHalted stores what was folded before the failure and then only waits.
func (r *Runner) stayHalted(ctx context.Context, pending *batch) error {
	if pending.Last != 0 && r.recover == nil {
		select {
		case <-r.ready:
			if err := r.handOver(ctx, pending); err != nil {
				return err
			}
		case <-ctx.Done():
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// Halted returns why nothing is folded any more, "" while it is.
func (r *Runner) Halted() string {
	if why := r.progress.halted.Load(); why != nil {
		return *why
	}
	return ""
}
