package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// log is one partition of a topic, as the brokers show it: one request a call, no retries.
type log struct {
	client    *kafkago.Client
	topic     string
	partition int
}

// message is a Kafka record; offset and time only where it was read.
type message struct {
	offset     int64
	at         time.Time // when the leader wrote it
	key, value []byte
}

// produce writes messages as one batch, all or nothing, and returns the offset of the
// first once every in-sync replica has them.
func (l log) produce(ctx context.Context, messages []message, c kafkago.Compression) (*kafkago.ProduceResponse, error) {
	records := make([]kafkago.Record, len(messages))
	for i, m := range messages {
		records[i] = kafkago.Record{Key: kafkago.NewBytes(m.key), Value: kafkago.NewBytes(m.value)}
	}
	res, err := l.client.Produce(ctx, &kafkago.ProduceRequest{
		Topic: l.topic, Partition: l.partition, RequiredAcks: kafkago.RequireAll,
		Records: kafkago.NewRecordReader(records...), Compression: c,
	})
	if err == nil {
		err = res.Error
	}
	return res, err
}

// page is what one fetch found.
type page struct {
	messages   []message
	first, end int64 // offsets: the oldest that is there, and the one behind the newest
}

// fetch returns messages from an offset on, none if none arrives in time.
func (l log) fetch(ctx context.Context, offset int64, wait time.Duration, maxBytes int64) (page, error) {
	res, err := l.client.Fetch(ctx, &kafkago.FetchRequest{
		Topic: l.topic, Partition: l.partition, Offset: offset,
		MinBytes: 1, MaxBytes: maxBytes, MaxWait: wait,
	})
	if err != nil {
		return page{}, err
	}
	if res.Error != nil {
		return page{}, res.Error
	}
	p := page{first: res.LogStartOffset, end: res.HighWatermark}
	p.messages, err = readAll(res.Records, offset)
	return p, err
}

// readAll unpacks records from an offset on: a batch begins where it was written, which may lie before.
func readAll(records kafkago.RecordReader, from int64) ([]message, error) {
	if c, ok := records.(io.Closer); ok {
		defer func() { _ = c.Close() }() // gives memory back, and cannot fail
	}
	var messages []message
	for {
		rec, err := records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return messages, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read a batch: %w", err)
		}
		if rec.Offset < from {
			continue
		}
		m := message{offset: rec.Offset, at: rec.Time}
		if m.key, err = kafkago.ReadAll(rec.Key); err == nil {
			m.value, err = kafkago.ReadAll(rec.Value)
		}
		if err != nil {
			return nil, fmt.Errorf("read offset %d: %w", rec.Offset, err)
		}
		messages = append(messages, m)
	}
}

// bounds returns the oldest offset and the one behind the newest.
func (l log) bounds(ctx context.Context) (first, end int64, err error) {
	res, err := l.client.ListOffsets(ctx, &kafkago.ListOffsetsRequest{Topics: map[string][]kafkago.OffsetRequest{
		l.topic: {kafkago.FirstOffsetOf(l.partition), kafkago.LastOffsetOf(l.partition)},
	}})
	if err != nil {
		return 0, 0, err
	}
	for _, p := range res.Topics[l.topic] {
		if p.Partition == l.partition {
			return p.FirstOffset, p.LastOffset, p.Error
		}
	}
	return 0, 0, kafkago.UnknownTopicOrPartition
}

// trim removes everything before an offset.
func (l log) trim(ctx context.Context, before int64) error {
	answer, err := l.ask(ctx, &deleteRecordsRequest{TimeoutMs: 5000, Topics: []deleteRecordsTopic{{
		Name: l.topic, Partitions: []deleteRecordsPartition{{Partition: int32(l.partition), Offset: before}},
	}}})
	if err != nil {
		return err
	}
	for _, t := range answer.(*deleteRecordsResponse).Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				return kafkago.Error(p.ErrorCode)
			}
		}
	}
	return nil
}

// size returns the bytes that the leader has on disk.
func (l log) size(ctx context.Context) (int64, error) {
	answer, err := l.ask(ctx, &logDirsRequest{Topics: []logDirsTopic{{Name: l.topic, Partitions: []int32{int32(l.partition)}}}})
	if err != nil {
		return 0, err
	}
	found, size := false, int64(0)
	for _, dir := range answer.(*logDirsResponse).Results {
		if dir.ErrorCode != 0 {
			return 0, kafkago.Error(dir.ErrorCode)
		}
		for _, t := range dir.Topics {
			for _, p := range t.Partitions {
				if t.Name == l.topic && int(p.Partition) == l.partition {
					found, size = true, size+p.Size
				}
			}
		}
	}
	if !found {
		return 0, kafkago.UnknownTopicOrPartition
	}
	return size, nil
}

func (l log) ask(ctx context.Context, req protocol.Message) (protocol.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return l.client.Transport.RoundTrip(ctx, l.client.Addr, req)
}

// passing tells whether an error may be gone at the next try: the network, a leader that
// moves, too few replicas in sync.
func passing(err error) bool {
	if errors.Is(err, errAbandoned) || errors.Is(err, ErrFenced) {
		return false
	}
	var answer kafkago.Error
	if errors.As(err, &answer) {
		return answer.Temporary()
	}
	return true
}
