package partition

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// runTicks writes a tick record when a timer is due, or fold time grows old, and no
// delivery came that would have carried the time.
func (r *Runner) runTicks(ctx context.Context) error {
	every := time.NewTicker(min(time.Second, r.opts.TickInterval))
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		lag := r.lag()
		r.metrics.lag.Set(lag.Duration().Seconds())
		if !r.ticking.Load() || !r.tickDue() {
			continue
		}
		tick := ingest.Record{Kind: ingest.KindTick, Tenant: ingest.DefaultTenant, Source: "evenkeel"}
		if _, err := r.opts.Log.Append(ctx, []ingest.Record{tick}); err != nil && ctx.Err() == nil {
			r.opts.Logger.Warn("A tick could not be written to the journal", "err", err)
		}
	}
}

// tickDue tells whether time must be carried by a tick.
func (r *Runner) tickDue() bool {
	if r.progress.folded.Load() != r.opts.Log.Last() {
		return false // records wait, and they carry time
	}
	now := ingest.MillisOf(r.opts.Clock())
	timer := ingest.Millis(r.progress.timer.Load())
	return timer != 0 && timer <= now || now-r.FoldTime() >= ingest.MillisIn(r.opts.TickInterval)
}

// lag returns how old the stored fold time is.
func (r *Runner) lag() ingest.Millis {
	_, at := r.Stored()
	return max(0, ingest.MillisOf(r.opts.Clock())-at)
}
