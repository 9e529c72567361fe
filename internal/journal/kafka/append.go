package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
)

// request is one Append on its way.
type request struct {
	ctx      context.Context
	records  []ingest.Record
	cost     int64 // of the queue's room
	reserved bool  // may use the reserve: configuration and ticks
	first    uint64
	err      error
	done     chan struct{}
}

// Append implements [journal.Journal]. The records of one call follow each other; only where they
// are more than one batch may hold can those of another replica stand between them.
func (p *Partition) Append(ctx context.Context, records []ingest.Record) (uint64, error) {
	if len(records) == 0 {
		return 0, errors.New("journal: append of no records")
	}
	if p.isClosed() {
		return 0, p.refuse(journal.ErrClosed)
	}
	if ctx.Err() != nil {
		return 0, p.refuse(fmt.Errorf("%w: %w", journal.ErrUnavailable, ctx.Err()))
	}
	r, err := newRequest(ctx, records)
	if err == nil {
		err = p.fits(r.reserved)
	}
	if err != nil {
		return 0, p.refuse(err)
	}
	if err := p.room.Acquire(ctx, r.cost); err != nil {
		return 0, p.refuse(fmt.Errorf("%w: it is behind with writing: %w", journal.ErrUnavailable, err))
	}
	p.queue <- r // has room: every request in it holds at least requestCost, until it is answered
	return p.await(ctx, r)
}

func newRequest(ctx context.Context, records []ingest.Record) (*request, error) {
	r := &request{ctx: ctx, records: records, done: make(chan struct{}), reserved: true}
	for i := range records {
		n := journal.RecordBytes(&records[i])
		if n > journal.MaxRecordBytes {
			return nil, fmt.Errorf("%w: record %d has %d bytes, at most %d", journal.ErrTooLarge, i, n, journal.MaxRecordBytes)
		}
		r.cost += int64(n)
		k := records[i].Kind
		r.reserved = r.reserved && (k == ingest.KindConfiguration || k == ingest.KindTick)
	}
	r.cost = min(max(r.cost, requestCost), queueBytes)
	return r, nil
}

func (p *Partition) await(ctx context.Context, r *request) (uint64, error) {
	select {
	case <-r.done:
	case <-ctx.Done():
		return 0, p.refuse(fmt.Errorf("%w: not acknowledged by the brokers in time, may still land: %w", journal.ErrUnavailable, ctx.Err()))
	case <-p.closed:
		select {
		case <-r.done: // the committer's last group
		default:
			return 0, p.refuse(journal.ErrClosed)
		}
	}
	if r.err != nil {
		return 0, p.refuse(r.err)
	}
	return r.first, nil
}

// refuse counts an error by its reason.
func (p *Partition) refuse(err error) error {
	p.c.m.failure(err)
	return err
}

// groupBytes bounds one group, and a batch of it, before compression: what one caller waits for at
// most. The topic's max.message.bytes may ask for less.
const groupBytes = 1 << 20

// tryFor is how long a group is tried for while its callers wait: longer than any delivery does.
const tryFor = 30 * time.Second

// closeWithin is how long Close waits for the brokers to take what was accepted.
const closeWithin = 5 * time.Second

// commit is the committer: it takes what waits, writes it as one group, and
// answers. One group is on its way at a time, so a retried one overtakes nothing.
func (p *Partition) commit() {
	defer close(p.closed)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for {
		select {
		case r := <-p.queue:
			p.group(ctx, r)
		case <-p.alive.Done():
			p.drain(ctx, time.AfterFunc(closeWithin, cancel))
			return
		}
	}
}

// drain writes what was accepted before Close, until the timer ends ctx.
func (p *Partition) drain(ctx context.Context, timer *time.Timer) {
	defer timer.Stop()
	for {
		select {
		case r := <-p.queue:
			p.group(ctx, r)
		default:
			return
		}
	}
}

// group writes first and what else waits.
func (p *Partition) group(ctx context.Context, first *request) {
	requests := []*request{first}
	for size := first.cost; size < groupBytes; {
		select {
		case r := <-p.queue:
			requests = append(requests, r)
			size += r.cost
			continue
		default:
		}
		break
	}
	began := time.Now()
	written := 0
	for _, b := range p.batches(p.admit(requests)) {
		if b.failed() {
			continue
		}
		if err := p.write(ctx, b); err != nil {
			b.fail(err)
			continue
		}
		written += len(b.messages)
	}
	if written > 0 {
		p.c.m.wrote(time.Since(began), written)
	}
	for _, r := range requests {
		close(r.done)
		p.room.Release(r.cost)
	}
}

// admit gives times to the requests that can be written, and errors to the others.
func (p *Partition) admit(requests []*request) []*request {
	var admitted []*request
	last := p.LastReceivedAt()
	now := ingest.MillisOf(p.c.opts.Clock())
	for _, r := range requests {
		if err := r.ctx.Err(); err != nil {
			r.err = fmt.Errorf("%w: %w", journal.ErrUnavailable, err)
			continue
		}
		stamped, at, err := stamp(r.records, last, now)
		if err != nil {
			r.err = err
			continue
		}
		r.records, last = stamped, at
		admitted = append(admitted, r)
	}
	p.mu.Lock()
	p.last = max(p.last, last)
	p.mu.Unlock()
	return admitted
}

// stamp returns the records with their times, the first not before last.
func stamp(records []ingest.Record, last, now ingest.Millis) ([]ingest.Record, ingest.Millis, error) {
	stamped := make([]ingest.Record, len(records))
	for i, rec := range records {
		switch {
		case rec.ReceivedAt == 0:
			rec.ReceivedAt = max(last, now)
		case rec.ReceivedAt < last:
			return nil, 0, fmt.Errorf("%w: record %d brings %s, the last one has %s", journal.ErrBackwards, i, rec.ReceivedAt, last)
		}
		last = rec.ReceivedAt
		stamped[i] = rec
	}
	return stamped, last, nil
}

// batch is one batch on its way to the brokers: all of it lands, or nothing.
type batch struct {
	messages []message
	owners   []owner
	bytes    int64
}

// owner is a request of which a batch holds records.
type owner struct {
	*request
	index  int  // of its first message in the batch
	begins bool // that is its first record
}

func (b *batch) fail(err error) {
	for _, o := range b.owners {
		o.err = err
	}
}

// failed tells that every request in the batch has failed with an earlier one.
func (b *batch) failed() bool {
	for _, o := range b.owners {
		if o.err == nil {
			return false
		}
	}
	return true
}

// batches encodes requests and cuts them into batches that the topic takes. A record that alone is too
// long is one of its own: compressed, it may fit.
func (p *Partition) batches(requests []*request) []*batch {
	limit := min(int64(p.c.maxBatch)*3/4, groupBytes)
	var all []*batch
	b := new(batch)
	for _, r := range requests {
		for i := range r.records {
			value, err := appendValue(nil, &r.records[i])
			if err != nil {
				r.err = err
				break
			}
			if len(b.messages) > 0 && b.bytes+int64(len(value)) > limit {
				all, b = append(all, b), new(batch)
			}
			b.add(r, i == 0, value)
		}
	}
	return append(all, b)
}

func (b *batch) add(r *request, begins bool, value []byte) {
	if n := len(b.owners); n == 0 || b.owners[n-1].request != r {
		b.owners = append(b.owners, owner{r, len(b.messages), begins})
	}
	b.messages = append(b.messages, message{value: value})
	b.bytes += int64(len(value))
}

// waited tells whether anyone still waits for the batch.
func (b *batch) waited() bool {
	for _, o := range b.owners {
		if o.ctx.Err() == nil {
			return true
		}
	}
	return false
}

// errAbandoned ends the tries for a batch that nobody waits for any more.
var errAbandoned = errors.New("nobody waits for it any more")

// write has the brokers take a batch. Where the outcome of a try is not known the batch is
// sent again while someone waits for it: if the first one landed, the second is a copy, with the
// same times, and changes nothing.
func (p *Partition) write(ctx context.Context, b *batch) error {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	var res *kafkago.ProduceResponse
	err := p.retry(ctx, "append", func() (err error) {
		res, err = p.log.produce(ctx, b.messages, kafkago.Zstd)
		if err != nil {
			p.c.m.failedWrites.Inc()
			if !b.waited() {
				return fmt.Errorf("%w: %w", errAbandoned, err)
			}
		}
		return err
	})
	err = explain(err, b)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing = err
	if errors.Is(err, journal.ErrTooLarge) {
		p.failing = nil // the record's trouble
	}
	if err != nil {
		return err
	}
	p.since += b.bytes / 4 // about what is left of it; the next look at the disk tells
	p.moveEnd(uint64(res.BaseOffset) + uint64(len(b.messages)) + 1)
	for _, o := range b.owners {
		if o.begins {
			o.first = uint64(res.BaseOffset) + uint64(o.index) + 1
		}
	}
	p.c.m.compareClocks(p.c.opts.Clock(), res.LogAppendTime)
	return nil
}

// explain says what an error of the brokers means for the caller.
func explain(err error, b *batch) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kafkago.MessageSizeTooLarge), errors.Is(err, kafkago.RecordListTooLarge):
		return fmt.Errorf("%w: %d bytes, before compression, are more than the topic's max.message.bytes takes: %w", journal.ErrTooLarge, b.bytes, err)
	case errors.Is(err, kafkago.NotEnoughReplicas), errors.Is(err, kafkago.NotEnoughReplicasAfterAppend):
		return fmt.Errorf("%w: fewer replicas are in sync than min.insync.replicas asks for, may still land: %w", journal.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: not acknowledged by the brokers, may still land: %w", journal.ErrUnavailable, err)
}
