package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/semaphore"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
)

// Partition is one partition of the journal's topic, a [journal.Journal].
type Partition struct {
	c   *Cluster
	id  uint32
	log log

	// Callers to committer.
	queue  chan *request
	room   *semaphore.Weighted // bytes that may wait in the queue
	alive  context.Context     // until Close
	end    context.CancelFunc
	closed chan struct{} // the committer has ended

	mu      sync.RWMutex
	first   uint64          // oldest position that is there
	next    uint64          // position behind the newest that is known
	last    ingest.Millis   // the greatest received_at that is known
	chunk   []ingest.Record // read from the topic, not yet by anyone here
	used    int64           // bytes on the leader's disk at the last look
	since   int64           // bytes appended from here after it
	failing error           // why the last write failed; nil after one that succeeded
	growth  growth
}

var _ journal.Journal = (*Partition)(nil)

// queueBytes bounds what waits between the callers and the brokers. A request costs
// at least requestCost, so their number is bounded too.
const (
	queueBytes  = journal.MaxRecordBytes
	requestCost = 4 << 10
)

func newPartition(c *Cluster, id uint32) *Partition {
	p := &Partition{
		c: c, id: id, log: log{c.client, c.opts.Topic, int(id)},
		queue:  make(chan *request, queueBytes/requestCost),
		room:   semaphore.NewWeighted(queueBytes),
		closed: make(chan struct{}),
		first:  1, next: 1,
	}
	p.alive, p.end = context.WithCancel(context.Background())
	return p
}

// learn finds out where the partition begins and ends, and the time of its last record.
func (p *Partition) learn(ctx context.Context) error {
	var first, end int64
	err := p.retry(ctx, "ask where the partition ends", func() (err error) {
		first, end, err = p.log.bounds(ctx)
		return err
	})
	if err != nil {
		return err
	}
	p.saw(first, end)
	if end <= first {
		return nil
	}
	return p.fetch(ctx, uint64(end), 0)
}

// saw notes offsets that a broker told. The end never goes back here: answers overtake each other.
func (p *Partition) saw(first, end int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.first = max(p.first, uint64(max(first, 0))+1)
	p.moveEnd(uint64(max(end, 0)) + 1)
}

func (p *Partition) moveEnd(next uint64) { p.next = max(p.next, next) }

// First implements [journal.Journal].
func (p *Partition) First() uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.first
}

// Last implements [journal.Journal]: the newest position that is known here. What another replica
// appends is known once this one waits for it, or after some seconds.
func (p *Partition) Last() uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.next - 1
}

// LastReceivedAt implements [journal.Journal].
func (p *Partition) LastReceivedAt() ingest.Millis {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.last
}

// Usage implements [journal.Journal]. Brokers remove whole segments, some minutes after Commit.
func (p *Partition) Usage() journal.Usage {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return journal.Usage{Bytes: p.used + p.since, MaxBytes: p.maxBytes()}
}

func (p *Partition) maxBytes() int64 { return p.c.opts.MaxBytes / int64(p.c.opts.Partitions) }

// measure asks for the size and the bounds.
func (p *Partition) measure(ctx context.Context) error {
	p.mu.RLock()
	counted := p.since
	p.mu.RUnlock()
	used, err := p.log.size(ctx)
	if err != nil {
		return err
	}
	first, end, err := p.log.bounds(ctx)
	if err != nil {
		return err
	}
	p.saw(first, end)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used, p.since = used, p.since-counted
	p.failing = nil // they answer again; whether they take a batch, the next one tells
	p.growth.look(time.Now(), float64(end)*float64(used)/float64(max(1, end-first)))
	return nil
}

// Health implements [journal.Journal].
func (p *Partition) Health() error {
	if p.isClosed() {
		return journal.ErrClosed
	}
	p.mu.RLock()
	err := p.failing
	p.mu.RUnlock()
	if err != nil {
		return err
	}
	return p.fits(false)
}

// fits checks the limit in bytes. Configuration and ticks have a reserve of a sixteenth.
func (p *Partition) fits(reserved bool) error {
	u := p.Usage()
	limit := u.MaxBytes
	if !reserved {
		limit -= limit / 16
	}
	if u.Bytes < limit {
		return nil
	}
	return fmt.Errorf("%w: partition %d uses %d bytes of its share of max_bytes, %d; what is not stored yet cannot be trimmed",
		journal.ErrFull, p.id, u.Bytes, u.MaxBytes)
}

// Commit implements [journal.Journal]. The newest record stays: it tells the time of the
// last one to who opens the journal anew.
func (p *Partition) Commit(upTo uint64) error {
	if p.isClosed() {
		return journal.ErrClosed
	}
	first, last := p.First(), p.Last()
	if upTo > last {
		return fmt.Errorf("commit %d: %w, %d", upTo, journal.ErrAhead, last)
	}
	keep := min(upTo+1, last)
	if keep <= first {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	if err := p.log.trim(ctx, int64(keep)-1); err != nil {
		return fmt.Errorf("journal: trim partition %d: %w", p.id, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.first = max(p.first, keep)
	return nil
}

// Close implements [journal.Journal] for this partition alone.
func (p *Partition) Close() error {
	p.end()
	<-p.closed
	return nil
}

func (p *Partition) isClosed() bool { return p.alive.Err() != nil }

// within returns a context that ends with ctx or with the partition.
func (p *Partition) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(p.alive, func() { cancel(journal.ErrClosed) })
	return ctx, func() { stop(); cancel(nil) }
}

// retry does something that the brokers may not be able to do now, until they can or ctx ends.
func (p *Partition) retry(ctx context.Context, what string, do func() error) error {
	return retry(ctx, func(err error, pause time.Duration, tries int) {
		if tries == 1 || tries%20 == 0 {
			p.c.opts.Logger.Warn("The brokers do not answer as they should; it is tried again",
				"topic", p.log.topic, "partition", p.id, "doing", what, "err", err, "tries", tries, "pause", pause)
		}
	}, do)
}

// retry returns the first result of do that is not passing, or that of ctx. A retried write may
// have been done the first time.
func retry(ctx context.Context, failed func(err error, pause time.Duration, tries int), do func() error) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 20*time.Millisecond, time.Second
	for tries := 1; ; tries++ {
		err := do()
		if err == nil || !passing(err) {
			return err
		}
		if ctx.Err() != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		pause := wait.NextBackOff()
		failed(err, pause, tries)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}
