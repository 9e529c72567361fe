package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// The headers of a record in the dead-letter topic. Its value is that of the source, its key
// TOPIC/PARTITION/OFFSET of the source, and the source's own headers stand before these.
const (
	HeaderReason    = "evenkeel-reason"          // why it could not be decoded, with the place
	HeaderResult    = "evenkeel-result"          // undecodable, or partly: the rest of it counts
	HeaderStream    = "evenkeel-stream"          // name of the stream
	HeaderTopic     = "evenkeel-topic"           // of the source
	HeaderPartition = "evenkeel-partition"       // of the source
	HeaderOffset    = "evenkeel-offset"          // of the source
	HeaderTime      = "evenkeel-time"            // of the source, RFC 3339
	HeaderKey       = "evenkeel-key"             // of the source, where it has one
	HeaderTruncated = "evenkeel-truncated-from"  // bytes of the source's value, where it was too long for the topic
	HeaderDropped   = "evenkeel-dropped-headers" // how many of the source's, where they were too long for the topic; its key, too
)

const (
	// lookBack is how many records of the dead-letter topic's partition are looked through for what a
	// member that ended has written.
	lookBack = 10_000
	// lookIdle ends that look where the end of the partition is nothing that can be read.
	lookIdle = 2 * time.Second

	maxReason = 2 << 10
	// headerRoom is how many bytes key and headers may have beside the longest value that is written whole.
	headerRoom = 1 << 20
)

// deadLetters writes to the dead-letter topic.
type deadLetters struct {
	*Stream
	topic    string
	together *kafka.Writer // many at once, up to the 1 MiB that a topic takes by default
	alone    *kafka.Writer // each by itself: what would be too long together need not be cut
}

// found are the source's offsets that the dead-letter topic holds already.
type found map[int64]bool

func newDeadLetters(s *Stream) *deadLetters {
	d := &deadLetters{Stream: s, topic: s.config.DeadLetterTopic}
	d.together, d.alone = d.open(), d.open()
	// Not without an end: a broker closes the connection of who sends it more than socket.request.max.bytes.
	d.alone.BatchSize, d.alone.BatchBytes = 1, s.opts.MaxBodyBytes+headerRoom
	return d
}

func (d *deadLetters) open() *kafka.Writer {
	return &kafka.Writer{
		Addr: d.client.Addr, Topic: d.topic, Transport: d.wires.transport,
		RequiredAcks: kafka.RequireAll, Balancer: kafka.BalancerFunc(sameForSource),
		MaxAttempts:  1, // a second try first looks whether the first was written
		BatchTimeout: 5 * time.Millisecond, WriteTimeout: askWithin, ReadTimeout: askWithin,
	}
}

func (d *deadLetters) close() error { return errors.Join(d.together.Close(), d.alone.Close()) }

// sameForSource keeps the dead letters of one partition in one partition.
func sameForSource(m kafka.Message, all ...int) int {
	return all[slot(string(m.Key[:bytes.LastIndexByte(m.Key, '/')]), len(all))]
}

func slot(source string, of int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(source)) // a hash takes everything
	return int(h.Sum32() % uint32(of))
}

// sourceOf names a partition as it stands in keys.
func sourceOf(topic string, partition int) string { return topic + "/" + strconv.Itoa(partition) }

// send writes what of the batch was not understood and is not there yet.
func (d *deadLetters) send(ctx context.Context, r *reader, batch []taken) error {
	var letters []*taken
	for i := range batch {
		if batch[i].reason != "" {
			letters = append(letters, &batch[i])
		}
	}
	if len(letters) == 0 {
		return nil
	}
	if r.sent == nil {
		seen, err := d.look(ctx, sourceOf(r.topic, r.partition))
		if err != nil {
			return fmt.Errorf("look for what is in %s: %w", d.topic, err)
		}
		r.sent = &seen
	}
	var messages []kafka.Message
	for _, l := range letters {
		if !(*r.sent)[l.message.Offset] {
			messages = append(messages, d.letter(l))
		}
	}
	if err := d.write(ctx, messages); err != nil {
		r.sent = nil // some may have been written
		return err
	}
	for _, l := range letters {
		(*r.sent)[l.message.Offset] = true
	}
	d.m.deadSent.WithLabelValues(d.config.Name).Add(float64(len(messages)))
	return nil
}

// shorter are the lengths to which values are cut when the topic takes no longer ones.
var shorter = []int{64 << 10, 4 << 10, 0}

// write waits until all replicas have the messages. What is too long for the topic is
// cut, and says so: a record that is lost to its size would stop its partition for ever.
func (d *deadLetters) write(ctx context.Context, messages []kafka.Message) error {
	if len(messages) == 0 {
		return nil
	}
	err := d.together.WriteMessages(ctx, messages...)
	if !tooLarge(err) {
		return err
	}
	for _, m := range messages { // one at a time: each is cut only as far as it must be
		err := d.alone.WriteMessages(ctx, m)
		for i := 0; tooLarge(err) && i < len(shorter); i++ {
			err = d.alone.WriteMessages(ctx, cut(m, shorter[i]))
		}
		if tooLarge(err) {
			err = d.alone.WriteMessages(ctx, bare(cut(m, 0)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func tooLarge(err error) bool {
	var long kafka.MessageTooLargeError
	var each kafka.WriteErrors
	if errors.As(err, &each) {
		for _, err := range each {
			if errors.Is(err, kafka.MessageSizeTooLarge) {
				return true
			}
		}
	}
	return errors.As(err, &long) || errors.Is(err, kafka.MessageSizeTooLarge)
}

func cut(m kafka.Message, to int) kafka.Message {
	if len(m.Value) > to {
		m.Headers = append(m.Headers[:len(m.Headers):len(m.Headers)], header(HeaderTruncated, strconv.Itoa(len(m.Value))))
		m.Value = m.Value[:to]
	}
	return m
}

// bare leaves of the headers those that the letter began with HeaderReason, and of them not the source's key.
func bare(m kafka.Message) kafka.Message {
	own := len(m.Headers) - 1
	for own > 0 && m.Headers[own].Key != HeaderReason {
		own--
	}
	ours := slices.Concat(m.Headers[own:], []kafka.Header{header(HeaderDropped, strconv.Itoa(own))})
	m.Headers = slices.DeleteFunc(ours, func(h kafka.Header) bool { return h.Key == HeaderKey })
	return m
}

// letter is the source's record with what is wrong with it.
func (d *deadLetters) letter(t *taken) kafka.Message {
	m := t.message
	headers := slices.Concat(m.Headers, []kafka.Header{
		header(HeaderReason, strings.ToValidUTF8(t.reason[:min(len(t.reason), maxReason)], "�")),
		header(HeaderResult, t.result()),
		header(HeaderStream, d.config.Name),
		header(HeaderTopic, m.Topic),
		header(HeaderPartition, strconv.Itoa(m.Partition)),
		header(HeaderOffset, strconv.FormatInt(m.Offset, 10)),
		header(HeaderTime, m.Time.UTC().Format(time.RFC3339Nano)),
	})
	if m.Key != nil {
		headers = append(headers, kafka.Header{Key: HeaderKey, Value: m.Key})
	}
	key := sourceOf(m.Topic, m.Partition) + "/" + strconv.FormatInt(m.Offset, 10)
	return kafka.Message{Key: []byte(key), Value: m.Value, Headers: headers}
}

func header(name, value string) kafka.Header { return kafka.Header{Key: name, Value: []byte(value)} }

// look returns which offsets of a source are among the last records of its partition in the
// dead-letter topic.
func (d *deadLetters) look(ctx context.Context, source string) (found, error) {
	m, err := d.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{d.topic}})
	if err != nil {
		return nil, err
	}
	if len(m.Topics) != 1 || m.Topics[0].Error != nil || len(m.Topics[0].Partitions) == 0 {
		return nil, fmt.Errorf("topic %s: %w", d.topic, kafka.UnknownTopicOrPartition)
	}
	partition := slot(source, len(m.Topics[0].Partitions))
	first, end, err := d.bounds(ctx, d.topic, partition)
	if err != nil {
		return nil, err
	}
	seen := found{}
	idle := time.Now()
	for next := max(first, end-lookBack); next < end && time.Since(idle) < lookIdle; {
		got, err := d.fetch(ctx, d.topic, partition, next)
		if err != nil {
			return nil, err
		}
		seen.add(got.messages, source, d.config.Name)
		if got.next > next {
			next, idle = got.next, time.Now()
		}
	}
	return seen, nil
}

// add notes the offsets of a source that a stream of this name wrote.
func (f found) add(messages []kafka.Message, source, stream string) {
	for _, m := range messages {
		at := bytes.LastIndexByte(m.Key, '/')
		if at < 0 || string(m.Key[:at]) != source || !has(m.Headers, HeaderStream, stream) {
			continue
		}
		if offset, err := strconv.ParseInt(string(m.Key[at+1:]), 10, 64); err == nil {
			f[offset] = true
		}
	}
}

func has(headers []kafka.Header, name, value string) bool {
	for _, h := range headers {
		if h.Key == name && string(h.Value) == value {
			return true
		}
	}
	return false
}
