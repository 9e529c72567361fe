package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"github.com/evenkeel/evenkeel/ingest"
)

// Options configure a [Local] journal.
type Options struct {
	// Dir is the journal's folder; it is made if it is missing. Required.
	Dir string
	// MaxBytes bounds the folder. Deliveries are refused with [ErrFull] when they
	// would pass it, less a sixteenth (at most 16 MiB) that is kept for
	// configuration and ticks. Default 10 GiB, at least 1 MiB.
	MaxBytes int64
	// SegmentBytes is where a new file is begun. Space is given back by whole
	// segments. Default 64 MiB, or a sixteenth of MaxBytes if that is less.
	SegmentBytes int64
	// Clock gives received_at. Default time.Now.
	Clock func() time.Time
	// Logger says what was repaired and what failed. Default: nothing is said.
	Logger *slog.Logger
	// Registerer takes the metrics evenkeel_journal_*. Default: none.
	Registerer prometheus.Registerer

	disk disk // tests: a failing one
}

// Defaults and bounds of Options.
const (
	DefaultMaxBytes     = 10 << 30
	DefaultSegmentBytes = 64 << 20
	minMaxBytes         = 1 << 20
	maxReserve          = 16 << 20
)

func (o *Options) fill() error {
	if o.Dir == "" {
		return errors.New("journal: no folder given")
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxBytes < minMaxBytes {
		return fmt.Errorf("journal: max_bytes is %d, at least %d", o.MaxBytes, minMaxBytes)
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = min(DefaultSegmentBytes, o.MaxBytes/16)
	}
	if o.SegmentBytes < 1 || o.SegmentBytes > o.MaxBytes/4 {
		return fmt.Errorf("journal: segment_bytes is %d, at most a quarter of max_bytes, %d", o.SegmentBytes, o.MaxBytes/4)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.disk == nil {
		o.disk = folder(o.Dir)
	}
	return nil
}

// Local is a [Journal] in a folder of this machine.
type Local struct {
	opts  Options
	disk  disk
	codec *codec
	lock  io.Closer
	m     *metrics

	// Callers to committer.
	queue   chan *request
	room    *semaphore.Weighted // bytes that may wait in the queue
	closing chan struct{}
	closed  chan struct{} // the committer has ended
	once    sync.Once

	// The log. Only the committer changes it, under mu; it may read without.
	mu       sync.RWMutex
	segments []*segment
	end      uint64        // position behind the last record
	last     ingest.Millis // received_at of the last record
	changed  chan struct{} // closed and replaced when end moves
	lost     losses        // that were counted and logged
	fresh    fresh         // what was written last

	// trim is held by readers while they use files, and by who closes files.
	trim   sync.RWMutex
	cursor atomic.Pointer[cursor]

	found  recovered
	health health
	tail   tail // the committer's alone
}

var _ Journal = (*Local)(nil)

// queueBytes bounds what waits between the callers and the disk. A request costs
// at least requestCost, so their number is bounded too.
const (
	queueBytes  = 2 * MaxRecordBytes
	requestCost = 4 << 10
)

// Open opens the journal in a folder, or begins one, and cuts what a crash left
// half-written.
func Open(o Options) (*Local, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	held, err := lock(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Local{
		opts: o, disk: o.disk, lock: held,
		queue:   make(chan *request, queueBytes/requestCost),
		room:    semaphore.NewWeighted(queueBytes),
		closing: make(chan struct{}),
		closed:  make(chan struct{}),
		changed: make(chan struct{}),
		end:     1,
	}
	if err := j.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", o.Dir, err), j.release())
	}
	return j, nil
}

// start does what can fail after the folder is ours.
func (j *Local) start() (err error) {
	if j.codec, err = newCodec(); err != nil {
		return err
	}
	if err := j.recover(); err != nil {
		return err
	}
	if j.m, err = newMetrics(j.opts.Registerer, j); err != nil {
		return err
	}
	j.m.cut.Set(float64(j.found.cut))
	for _, h := range j.found.holes {
		j.report(h)
	}
	go j.commit()
	return nil
}

// release lets go of everything but the committer.
func (j *Local) release() error {
	var errs []error
	for _, s := range j.segments {
		if s.file != nil {
			errs = append(errs, s.file.Close())
		}
	}
	if j.codec != nil {
		j.codec.close()
	}
	if j.m != nil {
		j.m.registered.Unregister()
	}
	return errors.Join(append(errs, j.lock.Close())...)
}

// Close implements [Journal].
func (j *Local) Close() error {
	var err error
	j.once.Do(func() {
		close(j.closing)
		<-j.closed
		j.trim.Lock()
		defer j.trim.Unlock()
		err = j.release()
	})
	return err
}

func (j *Local) isClosed() bool {
	select {
	case <-j.closing:
		return true
	default:
		return false
	}
}

// First implements [Journal].
func (j *Local) First() uint64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.first()
}

func (j *Local) first() uint64 {
	if len(j.segments) == 0 {
		return j.end
	}
	return j.segments[0].base
}

// Last implements [Journal].
func (j *Local) Last() uint64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.end - 1
}

// LastReceivedAt implements [Journal].
func (j *Local) LastReceivedAt() ingest.Millis {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.last
}

// Usage implements [Journal].
func (j *Local) Usage() Usage {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return Usage{Bytes: j.bytes(), MaxBytes: j.opts.MaxBytes}
}

func (j *Local) bytes() int64 {
	var n int64
	for _, s := range j.segments {
		n += s.size
	}
	return n
}

// Wait implements [Journal].
func (j *Local) Wait(ctx context.Context, position uint64) error {
	for {
		j.mu.RLock()
		there, changed := j.end > position, j.changed
		j.mu.RUnlock()
		if there {
			return nil
		}
		if j.isClosed() {
			return ErrClosed
		}
		select {
		case <-changed:
		case <-j.closing:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Commit implements [Journal]: it removes the segments that hold nothing behind upTo. The
// last one stays, whatever it holds: it says where positions and time go on.
func (j *Local) Commit(upTo uint64) error {
	if j.isClosed() {
		return ErrClosed
	}
	if last := j.Last(); upTo > last {
		return fmt.Errorf("commit %d: %w, %d", upTo, ErrAhead, last)
	}
	j.trim.Lock()
	defer j.trim.Unlock()
	if j.isClosed() {
		return ErrClosed
	}
	if err := j.removeBefore(upTo + 1); err != nil {
		return fmt.Errorf("journal: trim: %w", err)
	}
	return nil
}

// removeBefore removes the segments that end before position, the oldest first, so
// that a crash leaves no hole.
func (j *Local) removeBefore(position uint64) error {
	removed := 0
	var errs []error
	for len(errs) == 0 {
		oldest := j.oldestBefore(position)
		if oldest == nil {
			break
		}
		if err := j.disk.Remove(segmentName(oldest.base)); err != nil {
			errs = append(errs, err)
			break
		}
		j.mu.Lock()
		j.segments = slices.Clone(j.segments[1:])
		j.mu.Unlock()
		if err := oldest.file.Close(); err != nil {
			errs = append(errs, err)
		}
		removed++
	}
	if removed > 0 {
		errs = append(errs, j.disk.Sync())
	}
	return errors.Join(errs...)
}

// oldestBefore returns the oldest segment if all of it lies before position and another follows.
func (j *Local) oldestBefore(position uint64) *segment {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if len(j.segments) > 1 && j.segments[1].base <= position {
		return j.segments[0]
	}
	return nil
}
