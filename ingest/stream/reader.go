package stream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/evenkeel/evenkeel/ingest"
)

// mostAtOnce is how many records are appended, and their offset committed, at once. No more than
// these are delivered again when their reader ends.
const mostAtOnce = 500

// surelyAhead is how often a partition must end before the committed offset until that is believed: about
// half a minute.
const surelyAhead = 10

// reader takes the records of one partition for one generation.
type reader struct {
	*Stream
	generation *kafka.Generation
	topic      string
	partition  int
	next       int64  // offset of the first record that is not taken
	ahead      int    // how often the partition ended before next
	sent       *found // what is in the dead-letter topic already; nil: nobody looked
}

// run takes records until the generation ends. It does not return before: that would end the
// generation for every other partition.
func (r *reader) run(ended context.Context) {
	ctx, cancel := context.WithCancel(ended)
	defer cancel()
	if !r.retry(ctx, opAsk, r.settle) {
		return
	}
	for ctx.Err() == nil {
		var got fetched
		if !r.retry(ctx, opFetch, func(ctx context.Context) (err error) {
			got, err = r.fetch(ctx, r.topic, r.partition, r.next)
			if errors.Is(err, kafka.OffsetOutOfRange) {
				err = errors.Join(err, r.settle(ctx)) // the next try begins where there is something
			}
			return err
		}) {
			return
		}
		r.consume(ctx, got)
	}
}

// consume takes what was fetched, some at a time.
func (r *reader) consume(ctx context.Context, got fetched) {
	for len(got.messages) > 0 {
		n := min(len(got.messages), mostAtOnce)
		batch := make([]taken, n)
		for i, m := range got.messages[:n] {
			batch[i] = r.take(m)
		}
		next := batch[n-1].message.Offset + 1
		got.messages = got.messages[n:]
		if len(got.messages) == 0 {
			next = got.next // behind markers of transactions, too
		}
		if !r.keep(ctx, batch, next) {
			return
		}
	}
	if got.next > r.next && ctx.Err() == nil { // nothing but markers
		r.keep(ctx, nil, got.next)
	}
}

// keep makes a batch durable, tells of its dead letters, and only then commits the offset behind it.
func (r *reader) keep(ctx context.Context, batch []taken, next int64) bool {
	if len(batch) > 0 && !r.retryPaused(ctx, opAppend, func(ctx context.Context) error { return r.append(ctx, batch) }) {
		return false
	}
	if r.dead != nil && !r.retryPaused(ctx, opDeadLetter, func(ctx context.Context) error { return r.dead.send(ctx, r, batch) }) {
		return false
	}
	if !r.retry(ctx, opCommit, func(context.Context) error { return r.commit(next) }) {
		return false
	}
	r.m.kept(batch)
	r.committed(next)
	return true
}

// committed goes on behind what never comes again in this generation.
func (r *reader) committed(next int64) {
	r.next = next
	if r.sent != nil {
		maps.DeleteFunc(*r.sent, func(offset int64, _ bool) bool { return offset < next })
	}
}

// append writes a batch to the journal. One record that the journal can never hold does not take the
// others with it.
func (r *reader) append(ctx context.Context, batch []taken) error {
	ctx, cancel := context.WithTimeout(ctx, appendWithin)
	defer cancel()
	records := make([]ingest.Record, len(batch))
	for i := range batch {
		records[i] = batch[i].record
	}
	_, err := r.opts.Journal.Append(ctx, records)
	if err == nil || !r.opts.NeverHolds(err) {
		return err
	}
	for i := range batch {
		if _, err := r.opts.Journal.Append(ctx, records[i:i+1]); err != nil {
			if r.opts.NeverHolds(err) && batch[i].record.Kind == ingest.KindDelivery {
				batch[i].reject(err)
			}
			return err // with what is rejected now, the next try gets further; what landed is known as a copy
		}
	}
	return nil
}

// commit says that everything before next was taken. The broker refuses it from a generation that
// is over.
func (r *reader) commit(next int64) error {
	began := time.Now()
	err := r.generation.CommitOffsets(map[string]map[int]int64{r.topic: {r.partition: next}})
	if err == nil {
		r.m.committed(time.Since(began))
	}
	return err
}

// settle makes next the offset to begin with. Where the group has committed none, it commits
// this one: what arrives before the first record is taken is not to be judged by start again.
func (r *reader) settle(ctx context.Context) error {
	first, end, err := r.bounds(ctx, r.topic, r.partition)
	if err != nil {
		return err
	}
	switch {
	case r.next < 0:
		if r.next, err = r.start(ctx, first, end); err != nil {
			return err
		}
		return r.commit(r.next)
	case r.next < first:
		r.m.expired.WithLabelValues(r.config.Name).Add(float64(first - r.next))
		r.log.Error("Kafka removed records before they were read: its retention is shorter than this reader was away",
			"topic", r.topic, "partition", r.partition, "records", first-r.next, "offset", r.next)
		r.next = first
	case r.next > end && r.ahead < surelyAhead:
		r.ahead++ // a broker that has just become the leader may not know its end yet
		return fmt.Errorf("%s, partition %d ends at %d, before the committed offset %d", r.topic, r.partition, end, r.next)
	case r.next > end:
		r.log.Error("The partition ends before the committed offset: it lost records, or is a new one. It is read from its beginning",
			"topic", r.topic, "partition", r.partition, "end", end, "offset", r.next)
		r.next = first
	}
	r.ahead = 0
	return nil
}

// start returns the offset that the configuration means by its start.
func (r *reader) start(ctx context.Context, first, end int64) (int64, error) {
	switch start := r.config.Start; {
	case start.At.IsZero() && start.Latest:
		return end, nil
	case start.At.IsZero():
		return first, nil
	default:
		return r.offsetAt(ctx, start.At, end)
	}
}

// offsetAt returns the offset of the first record whose time is not before at, or end.
func (r *reader) offsetAt(ctx context.Context, at time.Time, end int64) (int64, error) {
	answer, err := r.ask(ctx, r.topic, kafka.TimeOffsetOf(r.partition, at))
	if err != nil {
		return 0, err
	}
	for offset := range answer[r.partition].Offsets {
		if offset >= 0 {
			return offset, nil
		}
	}
	return end, nil
}

// bounds returns the offset of a partition's first record, and the one behind its last.
func (s *Stream) bounds(ctx context.Context, topic string, partition int) (first, end int64, err error) {
	answer, err := s.ask(ctx, topic, kafka.FirstOffsetOf(partition))
	if err != nil {
		return 0, 0, err
	}
	first = answer[partition].FirstOffset
	answer, err = s.ask(ctx, topic, kafka.LastOffsetOf(partition))
	return first, answer[partition].LastOffset, err
}

// ask asks for offsets of a topic and returns them by partition.
func (s *Stream) ask(ctx context.Context, topic string, what ...kafka.OffsetRequest) (map[int]kafka.PartitionOffsets, error) {
	answer, err := s.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{topic: what}, IsolationLevel: kafka.ReadCommitted,
	})
	if err != nil {
		return nil, err
	}
	offsets := make(map[int]kafka.PartitionOffsets, len(what))
	for _, p := range answer.Topics[topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("offsets of %s, partition %d: %w", topic, p.Partition, p.Error)
		}
		offsets[p.Partition] = p
	}
	return offsets, nil
}
