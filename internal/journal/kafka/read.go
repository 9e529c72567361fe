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

// fetchBytes is what one fetch asks for, compressed. A batch that is longer comes whole.
const fetchBytes = 256 << 10

// pollFor is how long a broker holds a fetch that finds nothing, and answerWithin how long its answer may
// take then.
const (
	pollFor      = 500 * time.Millisecond
	answerWithin = time.Second
)

// Read implements [journal.Journal]. While the brokers are away it tries on until ctx ends.
func (p *Partition) Read(ctx context.Context, from uint64, limit int) ([]ingest.Record, error) {
	if p.isClosed() {
		return nil, journal.ErrClosed
	}
	if records := p.take(from, limit); len(records) > 0 {
		return records, nil
	}
	ctx, cancel := p.within(ctx)
	defer cancel()
	for {
		if from >= p.Last()+1 {
			return nil, p.notAhead(ctx, from)
		}
		if err := p.notTrimmed(from); err != nil {
			return nil, err
		}
		if err := p.fetch(ctx, from, pollFor); err != nil {
			return nil, err
		}
		if records := p.take(from, limit); len(records) > 0 {
			return records, nil
		}
	}
}

// take returns records that were fetched before.
func (p *Partition) take(from uint64, limit int) []ingest.Record {
	p.mu.RLock()
	defer p.mu.RUnlock()
	n := uint64(len(p.chunk))
	if n == 0 || from < p.chunk[0].Position || from >= p.chunk[0].Position+n {
		return nil
	}
	records := p.chunk[from-p.chunk[0].Position:]
	records = records[:min(len(records), limit)]
	return append([]ingest.Record(nil), records...) // the caller's own
}

// notAhead returns ErrAhead if a position lies behind the end, asking the brokers
// before it says so.
func (p *Partition) notAhead(ctx context.Context, from uint64) error {
	if from == p.Last()+1 {
		return nil
	}
	// They may have a record that is not known here.
	first, end, err := p.log.bounds(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", journal.ErrUnavailable, err)
	}
	p.saw(first, end)
	if last := p.Last(); from > last+1 {
		return fmt.Errorf("position %d: %w, %d", from, journal.ErrAhead, last)
	}
	return nil
}

func (p *Partition) notTrimmed(from uint64) error {
	if first := p.First(); from < first {
		return fmt.Errorf("position %d: %w; the first is %d", from, journal.ErrTrimmed, first)
	}
	return nil
}

// Wait implements [journal.Journal].
func (p *Partition) Wait(ctx context.Context, position uint64) error {
	polling, cancel := poll(ctx)
	defer cancel()
	polling, cancelWithin := p.within(polling)
	defer cancelWithin()
	for {
		if position <= p.Last() {
			return nil
		}
		if p.isClosed() {
			return journal.ErrClosed
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := p.fetch(polling, p.Last()+1, untilDeadline(ctx, pollFor))
		switch {
		case p.isClosed():
			return journal.ErrClosed
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, journal.ErrTrimmed): // others have appended and trimmed meanwhile, and now that is known
		case err != nil:
			return err
		}
	}
}

// poll returns a context that ends some time after the deadline of ctx: a request that is cut off costs its
// connection, so the broker is asked to answer by the deadline, and is given the time to do it.
func poll(ctx context.Context) (context.Context, context.CancelFunc) {
	polling, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			select {
			case <-time.After(answerWithin):
			case <-polling.Done():
			}
		}
		cancel(context.Cause(ctx))
	})
	return polling, func() { stop(); cancel(nil) }
}

// untilDeadline is how long may be waited in ctx, at most so long.
func untilDeadline(ctx context.Context, most time.Duration) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(most, time.Until(deadline))
	}
	return most
}

// fetch reads what is at a position and keeps it for Read.
func (p *Partition) fetch(ctx context.Context, position uint64, wait time.Duration) error {
	offset := int64(position) - 1
	var found page
	err := p.retry(ctx, "read", func() (err error) {
		found, err = p.log.fetch(ctx, offset, max(wait, time.Millisecond), fetchBytes)
		return err
	})
	if errors.Is(err, kafkago.OffsetOutOfRange) {
		return p.outOfRange(ctx, position)
	}
	if err != nil {
		return fmt.Errorf("read the journal's topic at offset %d: %w", offset, err)
	}
	p.saw(found.first, found.end)
	if len(found.messages) > 0 {
		p.keep(position, found.messages)
	}
	return nil
}

// outOfRange says on which side of the partition a position is. Where it is inside, a leader was
// elected that does not know its end yet.
func (p *Partition) outOfRange(ctx context.Context, position uint64) error {
	first, end, err := p.log.bounds(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", journal.ErrUnavailable, err)
	}
	p.saw(first, end)
	if err := p.notTrimmed(position); err != nil {
		return err
	}
	if last := uint64(max(end, 0)); position > last+1 {
		return fmt.Errorf("position %d: %w, %d: the brokers lost what they acknowledged", position, journal.ErrAhead, last)
	}
	select {
	case <-time.After(100 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// keep makes the chunk of messages, without gaps from position on.
func (p *Partition) keep(position uint64, messages []message) {
	records := make([]ingest.Record, 0, len(messages))
	gaps := 0
	var last ingest.Millis
	for _, m := range messages {
		rec := record(m)
		for ; position < rec.Position; position++ {
			records = append(records, lost(position, rec.ReceivedAt))
			gaps++
		}
		records = append(records, rec)
		position++
		last = max(last, rec.ReceivedAt)
	}
	if gaps > 0 {
		p.c.m.lost.Add(float64(gaps))
		p.c.opts.Logger.Error("The journal's topic misses records", "topic", p.log.topic, "partition", p.id, "before_position", position, "records", gaps)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chunk = records
	p.last = max(p.last, last)
	p.moveEnd(position)
}
