package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

const (
	fetchWait  = time.Second // how long a broker waits for something to come
	fetchBytes = 1 << 20     // of one answer, more only where one batch has more
)

// fetched is what one fetch brought.
type fetched struct {
	messages []kafka.Message
	next     int64 // the offset to go on with: behind the last one of the answer, whatever it was
}

// fetch returns records of a partition from an offset on; none where there are none within a moment. It
// leaves out what transactions aborted, and their markers. kafka-go's readers know
// neither: they would bring both as records.
func (s *Stream) fetch(ctx context.Context, topic string, partition int, from int64) (fetched, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchWait+askWithin)
	defer cancel()
	answer, err := s.wires.transport.RoundTrip(ctx, s.client.Addr, &fetch.Request{
		ReplicaID: -1, MaxWaitTime: int32(fetchWait / time.Millisecond), MinBytes: 1, MaxBytes: fetchBytes,
		IsolationLevel: int8(kafka.ReadCommitted), SessionID: -1, SessionEpoch: -1,
		Topics: []fetch.RequestTopic{{
			Topic: topic,
			Partitions: []fetch.RequestPartition{{
				Partition: int32(partition), CurrentLeaderEpoch: -1, FetchOffset: from, LogStartOffset: -1, PartitionMaxBytes: fetchBytes,
			}},
		}},
	})
	if err != nil {
		return fetched{}, fmt.Errorf("fetch %s, partition %d: %w", topic, partition, err)
	}
	p, err := onlyPartition(answer.(*fetch.Response)) // as it answers such a request
	if err != nil {
		return fetched{}, fmt.Errorf("fetch %s, partition %d, offset %d: %w", topic, partition, from, err)
	}
	got := fetched{next: from}
	t := transactions{aborted: slices.Clone(p.AbortedTransactions), open: map[int64]bool{}}
	slices.SortFunc(t.aborted, func(a, b fetch.ResponseTransaction) int { return int(a.FirstOffset - b.FirstOffset) })
	for _, batch := range batches(p.RecordSet.Records) {
		if err := got.add(batch, t.leavesOut(batch), topic, partition); err != nil {
			return fetched{}, err
		}
	}
	return got, nil
}

func onlyPartition(r *fetch.Response) (*fetch.ResponsePartition, error) {
	switch {
	case r.ErrorCode != 0:
		return nil, kafka.Error(r.ErrorCode)
	case len(r.Topics) != 1 || len(r.Topics[0].Partitions) != 1:
		return nil, errors.New("the answer is not about this partition")
	case r.Topics[0].Partitions[0].ErrorCode != 0:
		return nil, kafka.Error(r.Topics[0].Partitions[0].ErrorCode)
	}
	return &r.Topics[0].Partitions[0], nil
}

func batches(r protocol.RecordReader) []protocol.RecordReader {
	switch r := r.(type) {
	case nil:
		return nil
	case *protocol.RecordStream:
		return r.Records
	default:
		return []protocol.RecordReader{r}
	}
}

// add takes the records of a batch from next on: an answer begins with the whole batch that the
// offset is in.
func (f *fetched) add(batch protocol.RecordReader, leaveOut bool, topic string, partition int) error {
	for {
		rec, err := batch.ReadRecord()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read records of %s, partition %d: %w", topic, partition, err)
		}
		m, err := message(rec)
		if err != nil {
			return fmt.Errorf("read records of %s, partition %d: %w", topic, partition, err)
		}
		if m.Offset < f.next {
			continue
		}
		f.next = m.Offset + 1
		if !leaveOut {
			m.Topic, m.Partition = topic, partition
			f.messages = append(f.messages, m)
		}
	}
}

// message copies a record out of the memory of the answer, which others use again.
func message(rec *protocol.Record) (kafka.Message, error) {
	m := kafka.Message{Offset: rec.Offset, Time: rec.Time, Headers: slices.Clone(rec.Headers)}
	var errKey, errValue error
	m.Key, errKey = drain(rec.Key)
	m.Value, errValue = drain(rec.Value)
	return m, errors.Join(errKey, errValue)
}

func drain(b protocol.Bytes) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	all, err := protocol.ReadAll(b)
	return all, errors.Join(err, b.Close())
}

// transactions follows those of an answer from batch to batch.
type transactions struct {
	aborted []fetch.ResponseTransaction // not begun yet, in order
	open    map[int64]bool              // producers whose transaction will be aborted
}

// leavesOut tells whether no record of the batch counts: markers, and what was aborted.
func (t *transactions) leavesOut(batch protocol.RecordReader) bool {
	switch b := batch.(type) {
	case *protocol.ControlBatch:
		delete(t.open, b.ProducerID)
		return true
	case *protocol.RecordBatch:
		for len(t.aborted) > 0 && t.aborted[0].FirstOffset <= b.BaseOffset {
			t.open[t.aborted[0].ProducerID] = true
			t.aborted = t.aborted[1:]
		}
		return b.Attributes.Transactional() && t.open[b.ProducerID]
	}
	return false
}
