package partition

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/evenkeel/evenkeel/ingest"
)

// Log is what the runner needs of a journal.
type Log interface {
	// Append makes records durable and returns the position of the first.
	Append(ctx context.Context, records []ingest.Record) (uint64, error)
	// Read returns up to limit records from a position on, none at the end.
	Read(ctx context.Context, from uint64, limit int) ([]ingest.Record, error)
	// Wait returns once a record at position exists, or when ctx ends.
	Wait(ctx context.Context, position uint64) error
	// Last returns the position of the newest record, 0 for an empty journal.
	Last() uint64
	// Commit says that nothing up to and including position is read again.
	Commit(position uint64) error
}

// Store keeps rows, each exactly once. Where recovering is set, a part of the
// batch may be there already.
type Store interface {
	Write(ctx context.Context, b Batch, recovering bool) error
}

// Batch is the rows of a contiguous run of positions.
type Batch struct {
	Partition uint32
	First     uint64
	Last      uint64
	FoldTime  ingest.Millis // after Last
	Rows      Rows
}

// ErrLogBehind says that the journal is not the one that the partition was folded
// from, or an older copy of it.
var ErrLogBehind = errors.New("the journal is missing records that were there")

// Options say what a runner works on.
type Options struct {
	Partition uint32
	Log       Log
	Store     Store
	Dir       string           // holds state and checkpoint; made where missing
	Clock     func() time.Time // default time.Now
	Logger    *slog.Logger
	Metrics   prometheus.Registerer

	BatchRows       int           // a batch is closed at so many rows; default 20 000
	BatchAge        time.Duration // or when its oldest row waits so long; default 100 ms
	CheckpointEvery time.Duration // default 15 s; a full journal is trimmed so often
	TickInterval    time.Duration // fold time is never older than this while idle; default 15 s
}

// Runner folds one partition and stores what comes out of it.
type Runner struct {
	opts    Options
	fold    *Fold
	metrics *metrics
	ready   chan struct{} // holds a token while the store waits for a batch
	batches chan batch

	next     uint64  // position that the fold reads next
	recover  *bounds // the batch that may be in the store in part
	skip     uint64  // positions up to here are stored: folding them only rebuilds the state
	before   uint64  // positions up to here were there at the start: an earlier run may have stored them
	ticking  atomic.Bool
	progress progress

	mu     sync.Mutex
	state  state
	stored chan struct{} // closed and replaced at every step of the store
}

// batch is a Batch with what the store writes after it.
type batch struct {
	Batch
	recovering bool
	checkpoint []byte
	since      time.Time // of the oldest row
}

// progress is what other goroutines may see of the fold.
type progress struct {
	folded   atomic.Uint64 // position
	foldTime atomic.Int64
	timer    atomic.Int64 // when something is due next; 0: nothing waits
}

// New loads the checkpoint below opts.Dir and returns a runner that will go on
// from there.
func New(opts Options) (*Runner, error) {
	opts = withDefaults(opts)
	if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, err
	}
	s, err := loadState(opts.Dir)
	if err != nil {
		return nil, err
	}
	if s.InFlight != nil && s.InFlight.Last <= s.Stored {
		s.InFlight = nil
	}
	r := &Runner{
		opts: opts, state: s, recover: s.InFlight, skip: s.Stored, before: opts.Log.Last(),
		fold:    NewFold(opts.Partition),
		metrics: newMetrics(opts.Metrics),
		ready:   make(chan struct{}, 1),
		batches: make(chan batch),
		stored:  make(chan struct{}),
	}
	at, err := r.restore()
	if err != nil {
		return nil, err
	}
	if err := r.checkLog(at); err != nil {
		return nil, err
	}
	r.next = at + 1
	r.publish(at)
	r.metrics.stored.Set(float64(s.Stored))
	r.ticking.Store(true)
	return r, nil
}

// checkLog refuses a journal that ends before what was made of it: it would give positions
// that the store has a second time, and their rows would be taken for stored.
func (r *Runner) checkLog(checkpointed uint64) error {
	known := max(r.state.Stored, checkpointed)
	if r.state.InFlight != nil {
		known = max(known, r.state.InFlight.Last)
	}
	if last := r.opts.Log.Last(); last < known {
		return fmt.Errorf("%w: it ends at position %d, and %s says that records up to position %d were folded; "+
			"put the journal back, or begin with an empty storage folder and an empty database", ErrLogBehind, last, r.opts.Dir, known)
	}
	return nil
}

func withDefaults(o Options) Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	if o.BatchRows == 0 {
		o.BatchRows = 20_000
	}
	if o.BatchAge == 0 {
		o.BatchAge = 100 * time.Millisecond
	}
	if o.CheckpointEvery == 0 {
		o.CheckpointEvery = 15 * time.Second
	}
	if o.TickInterval == 0 {
		o.TickInterval = 15 * time.Second
	}
	return o
}

// Run folds and stores until ctx ends or the journal cannot be read. The store
// being away is no error: Run waits for it.
func (r *Runner) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.runFold(ctx) })
	g.Go(func() error { return r.runStore(ctx) })
	g.Go(func() error { return r.runTicks(ctx) })
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return r.checkpointAtStop()
	}
	return err
}

// checkpointAtStop saves the fold's state where all of it is stored, so that the
// next start has nothing to fold again.
func (r *Runner) checkpointAtStop() error {
	position, at := r.Stored()
	if position == 0 || r.progress.folded.Load() != position {
		return nil
	}
	checkpoint, err := r.fold.Snapshot()
	if err != nil {
		return fmt.Errorf("take a checkpoint: %w", err)
	}
	return r.saveCheckpoint(batch{Batch: Batch{Last: position, FoldTime: at}, checkpoint: checkpoint})
}

// Configure makes the fold use c from here on: by a record of the journal, written
// only where c differs from the last one. A received_at of 0 is now.
func (r *Runner) Configure(ctx context.Context, c Configuration, at ingest.Millis) error {
	rec, err := c.Record()
	if err != nil {
		return err
	}
	rec.ReceivedAt = at
	r.mu.Lock()
	defer r.mu.Unlock()
	hash := Hash(rec.Body)
	if hash == r.state.Configuration {
		return nil
	}
	if _, err := r.opts.Log.Append(ctx, []ingest.Record{rec}); err != nil {
		return fmt.Errorf("write the configuration to the journal: %w", err)
	}
	r.state.Configuration = hash
	return r.state.save(r.opts.Dir)
}

// Ticking turns tick records on (as at the start) or off. History that is
// appended with its own received_at wants them off: a tick carries the wall clock.
func (r *Runner) Ticking(on bool) { r.ticking.Store(on) }

// FoldTime returns the received_at up to which records are folded.
func (r *Runner) FoldTime() ingest.Millis { return ingest.Millis(r.progress.foldTime.Load()) }

// Stored returns the position up to which every row is in the store, and fold
// time there: the now of queries.
func (r *Runner) Stored() (position uint64, at ingest.Millis) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Stored, r.state.StoredAt
}

// WaitStored returns once every row up to position is in the store.
func (r *Runner) WaitStored(ctx context.Context, position uint64) error {
	for {
		r.mu.Lock()
		done, changed := r.state.Stored >= position, r.stored
		r.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
