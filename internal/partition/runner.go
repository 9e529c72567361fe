package partition

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	// Read returns up to limit records from a position on, none at the end. It bounds their
	// bytes too: long ones come in smaller numbers.
	Read(ctx context.Context, from uint64, limit int) ([]ingest.Record, error)
	// Wait returns once a record at position exists, or when ctx ends.
	Wait(ctx context.Context, position uint64) error
	// First returns the oldest position that can be read, Last that of the newest
	// record. An empty journal has First = Last + 1.
	First() uint64
	Last() uint64
	// Commit says that nothing up to and including position is read again.
	Commit(position uint64) error
}

// Store keeps rows, each exactly once. Where recovering is set, a part of the
// batch may be there already. After it returned nil it does not look at the rows any more.
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
	// Confirm is to be asked before rows are sent, at each try; nil where nobody else may own the
	// partition. An error ends the write.
	Confirm func(context.Context) error
}

// ErrLogBehind says that the journal is not the one that the partition was folded
// from, or an older copy of it.
var ErrLogBehind = errors.New("the journal is missing records that were there")

// Options say what a runner works on.
type Options struct {
	Partition uint32
	Of        uint32 // how many partitions the journal has; default 1
	Log       Log
	Store     Store
	Past      Past             // what the journal has trimmed; nil: nothing else has it
	Keep      Keep             // holds state and checkpoint
	Clock     func() time.Time // of the wall, for ticks and how old things are; default time.Now
	Logger    *slog.Logger
	Metrics   prometheus.Registerer

	BatchRows       int           // a batch is closed at so many rows; default 20 000
	BatchBytes      int           // or at so many bytes in memory, about; default 32 MiB
	BatchAge        time.Duration // or when its oldest row waits so long, or a few times that where much comes; default 100 ms
	CheckpointEvery time.Duration // default 15 s, longer where the state is large; a full journal is trimmed so often
	TickInterval    time.Duration // fold time is never older than this while idle; default 15 s

	// Lease is for how long after a save an insert may begin, where the keep may pass to another owner; 0
	// where it may not. An owner lets twice that time pass before it looks which rows those before it
	// have stored: whatever they could begin has then begun.
	Lease time.Duration

	fault func(ingest.Record) // of tests: see Fold
}

// Runner folds one partition and stores what comes out of it.
type Runner struct {
	opts    Options
	fold    *Fold
	metrics *metrics
	ready   chan struct{} // holds a token while the store waits for a batch
	batches chan batch
	used    chan Rows // the emptied ones of the batch that was stored last: the next one takes their memory

	next     uint64    // position that the fold reads next
	came     time.Time // when it last had any to fold
	recover  *bounds   // the batch that may be in the store in part
	skip     uint64    // positions up to here are stored: folding them only rebuilds the state
	before   uint64    // positions up to here were there at the start: an earlier run may have stored them
	skips    Skips     // what is not folded
	skipped  int       // how many of them since the start
	harmed   bool      // the fold is between a failure and what it was before it
	ticking  atomic.Bool
	progress progress

	configuring sync.Mutex // held while a configuration is appended
	appended    string     // hash of the last one that this process appended

	began  time.Time
	saving sync.Mutex // held while the state is written
	saved  time.Time  // when the last write of it began
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

	configuration atomic.Pointer[string] // hash of what is in force; nil before the first
	halted        atomic.Pointer[string] // why nothing is folded any more; nil while it is
}

// New loads the checkpoint that opts.Keep has and returns a runner that will go on
// from there.
func New(ctx context.Context, opts Options) (*Runner, error) {
	opts = withDefaults(opts)
	s, err := loadState(ctx, opts.Keep)
	if err != nil {
		return nil, err
	}
	r := &Runner{
		opts: opts, state: s, skip: s.Stored, before: opts.Log.Last(), skips: s.Skips,
		metrics: newMetrics(opts.Metrics),
		ready:   make(chan struct{}, 1),
		began:   time.Now(),
		batches: make(chan batch),
		used:    make(chan Rows, 1),
		stored:  make(chan struct{}),
	}
	if err := r.restore(ctx); err != nil {
		return nil, err
	}
	if at := r.fold.Position(); at > r.state.Stored { // a checkpoint is kept only of what is stored
		r.state.Stored, r.state.StoredAt, r.skip = at, r.fold.Time(), at
	}
	if b := r.state.InFlight; b != nil && b.Last <= r.state.Stored { // an older copy of the state
		r.state.InFlight = nil
	}
	r.recover = r.state.InFlight
	if err := r.checkLog(); err != nil {
		return nil, err
	}
	r.metrics.stored.Set(float64(r.state.Stored))
	r.ticking.Store(true)
	return r, nil
}

// checkLog refuses a journal that ends before what was made of it: it would give positions
// that the store has a second time, and their rows would be taken for stored.
func (r *Runner) checkLog() error {
	known := max(r.state.Stored, r.fold.Position())
	if r.state.InFlight != nil {
		known = max(known, r.state.InFlight.Last)
	}
	if last := r.opts.Log.Last(); last < known {
		return fmt.Errorf("%w: it ends at position %d, and the checkpoint of partition %d says that records up to position %d were folded; "+
			"put the journal back, or begin with an empty storage folder and an empty database", ErrLogBehind, last, r.opts.Partition, known)
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
	if o.BatchBytes == 0 {
		o.BatchBytes = 32 << 20
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
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		return r.checkpointAtStop(ctx)
	}
	return err
}

// stopWithin bounds the checkpoint at a stop: whoever gets the partition next waits for it.
const stopWithin = 3 * time.Second

// checkpointAtStop saves the fold's state where all of it is stored, so that the
// next start has nothing to fold again.
func (r *Runner) checkpointAtStop(ctx context.Context) error {
	position, at := r.Stored()
	if position == 0 || r.progress.folded.Load() != position || r.harmed {
		return nil
	}
	checkpoint, err := r.fold.Snapshot()
	if err != nil {
		return fmt.Errorf("take a checkpoint: %w", err)
	}
	return r.saveCheckpoint(ctx, batch{Batch: Batch{Last: position, FoldTime: at}, checkpoint: checkpoint})
}

// configureWithin bounds what a configuration waits for the journal.
const configureWithin = 10 * time.Second

// Configure makes the fold use c from here on: by a record of the journal, written
// only where c differs from the last one there. A received_at of 0 is now. What the fold
// would refuse is refused here, and nothing is written.
func (r *Runner) Configure(ctx context.Context, c Configuration, at ingest.Millis) error {
	if err := c.Check(); err != nil {
		return fmt.Errorf("the configuration cannot be used: %w", err)
	}
	rec, err := c.Record()
	if err != nil {
		return err
	}
	rec.ReceivedAt = at
	r.configuring.Lock()
	defer r.configuring.Unlock()
	hash := Hash(rec.Body)
	if hash == r.newestConfiguration() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, configureWithin)
	defer cancel()
	if _, err := r.opts.Log.Append(ctx, []ingest.Record{rec}); err != nil {
		return fmt.Errorf("write the configuration to the journal: %w", err)
	}
	r.appended = hash
	return nil
}

// newestConfiguration returns the hash of the last configuration in the journal, or "" where records
// wait to be folded that may hold one: writing it again then changes nothing.
func (r *Runner) newestConfiguration() string {
	if r.appended != "" || r.progress.folded.Load() != r.opts.Log.Last() {
		return r.appended
	}
	return r.Configuration()
}

// Configuration returns the hash of the configuration that the fold uses, "" before the first.
func (r *Runner) Configuration() string {
	if hash := r.progress.configuration.Load(); hash != nil {
		return *hash
	}
	return ""
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
