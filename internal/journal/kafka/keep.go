package kafka

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// ErrFenced says that another owner has claimed the partition: whoever gets it must
// stop, and send and trim nothing more.
var ErrFenced = errors.New("another replica has taken over the partition")

// chunkBytes is how long one part of a checkpoint is: small beside what any topic takes.
const chunkBytes = 512 << 10

// Keep is what the owner of a partition remembers where every replica can read it: its state (small,
// saved before each batch) and its last checkpoint (long, saved now and then).
//
// It is a partition of the checkpoint topic, written by one owner at a time:
//
//	claim(token 7) state(7) state(7) chunk(7) chunk(7) checkpoint(7) state(7) … claim(token 31) state(31) …
//
// A claim's token is its own offset, so a later claim has a greater one, whatever clocks and the
// group's coordinator say. A message counts if no greater token stands before it. An owner learns
// from the offsets of its own writes whether anybody wrote between them; if that was a
// claim, the write is [ErrFenced].
//
// The topic is not compacted, but cut before each new checkpoint by who wrote it: compaction would
// remove what an owner had saved for what it wrote when it was one no more.
type Keep struct {
	c         *Cluster
	partition uint32
	log       log
	token     int64

	mu         sync.Mutex
	next       int64 // offset that the next write gets if nobody else writes
	sequence   int64 // of the last checkpoint
	state      []byte
	checkpoint []byte
	fenced     bool
}

// claim says who wants the partition. Only its offset matters; the rest is for people.
type claim struct {
	Member     string    `json:"member"`
	Generation int32     `json:"generation"`
	At         time.Time `json:"at"`
}

// claimKey is the key of a claim; those of other messages begin with a token.
const claimKey = "claim"

// manifest makes chunks a checkpoint: it is written last.
type manifest struct {
	Sequence int64  `json:"sequence"`
	Chunks   int    `json:"chunks"`
	Bytes    int    `json:"bytes"`
	Checksum uint32 `json:"checksum"` // CRC-32C of all of them
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Claim makes the caller the owner of a partition's keep, and reads what the owners
// before it have saved. From then on their writes give [ErrFenced]. It also asks where the partition
// ends: all that they may have read lies before its Last.
func (c *Cluster) Claim(ctx context.Context, a Assignment) (*Keep, error) {
	k := &Keep{c: c, partition: a.Partition, log: log{c.client, c.opts.checkpointTopic(), int(a.Partition)}}
	value, err := json.Marshal(claim{Member: a.Member, Generation: a.Generation, At: c.opts.Clock().UTC()})
	if err != nil {
		return nil, err
	}
	// A claim that is written twice because the first answer was lost is this owner's all the same:
	// the greater token wins, and nobody has used the other.
	k.token, err = k.produce(ctx, message{key: []byte(claimKey), value: value})
	if err != nil {
		return nil, fmt.Errorf("claim partition %d: %w", a.Partition, err)
	}
	k.next = k.token + 1
	if err := k.load(ctx); err != nil {
		return nil, fmt.Errorf("read what was kept of partition %d: %w", a.Partition, err)
	}
	if err := c.partitions[a.Partition].learn(ctx); err != nil {
		return nil, fmt.Errorf("ask where partition %d ends: %w", a.Partition, err)
	}
	return k, nil
}

// LoadState returns the state that was saved last, by whichever owner; nil if there is none.
func (k *Keep) LoadState(context.Context) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return bytes.Clone(k.state), nil
}

// LoadCheckpoint returns the last checkpoint that was saved whole; nil if there is none.
func (k *Keep) LoadCheckpoint(context.Context) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.checkpoint, nil
}

// SaveState replaces the state durably. After nil, no other owner had claimed the
// partition before this state was durable, and every later one will read it.
func (k *Keep) SaveState(ctx context.Context, state []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.saveState(ctx, bytes.Clone(state))
}

func (k *Keep) saveState(ctx context.Context, state []byte) error {
	if _, err := k.append(ctx, message{key: k.key("state"), value: state}); err != nil {
		return fmt.Errorf("keep the state of partition %d: %w", k.partition, err)
	}
	k.state = state
	return nil
}

// SaveCheckpoint replaces the checkpoint durably and whole: until its last part is there, the one before
// it counts. Then it removes what is no longer needed.
func (k *Keep) SaveCheckpoint(ctx context.Context, checkpoint []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	begins, err := k.saveCheckpoint(ctx, checkpoint)
	if err != nil {
		return fmt.Errorf("keep a checkpoint of partition %d: %w", k.partition, err)
	}
	k.checkpoint = checkpoint
	if k.state != nil { // it is to stand behind the cut
		if err := k.saveState(ctx, k.state); err != nil {
			return err
		}
	}
	if err := k.log.trim(ctx, begins); err != nil {
		k.c.opts.Logger.Warn("Old checkpoints were not removed; are we allowed to delete records?", "topic", k.log.topic, "partition", k.partition, "err", err)
	}
	return nil
}

// saveCheckpoint returns the offset of the first chunk.
func (k *Keep) saveCheckpoint(ctx context.Context, checkpoint []byte) (begins int64, err error) {
	k.sequence++
	m := manifest{Sequence: k.sequence, Bytes: len(checkpoint), Checksum: crc32.Checksum(checkpoint, castagnoli)}
	for rest := checkpoint; len(rest) > 0 || m.Chunks == 0; m.Chunks++ {
		n := min(len(rest), chunkBytes)
		at, err := k.append(ctx, message{key: k.key("chunk", k.sequence, int64(m.Chunks)), value: rest[:n]})
		if err != nil {
			return 0, err
		}
		if m.Chunks == 0 {
			begins = at
		}
		rest = rest[n:]
	}
	value, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	_, err = k.append(ctx, message{key: k.key("checkpoint"), value: value})
	return begins, err
}

// key is the owner's token, what it is, and which one.
func (k *Keep) key(what string, which ...int64) []byte {
	b := strconv.AppendInt(nil, k.token, 10)
	b = append(append(b, '/'), what...)
	for _, n := range which {
		b = strconv.AppendInt(append(b, '/'), n, 10)
	}
	return b
}

// append writes one message as the owner, and makes sure that it still is.
func (k *Keep) append(ctx context.Context, m message) (int64, error) {
	if k.fenced {
		return 0, ErrFenced
	}
	ctx, cancel := context.WithTimeout(ctx, tryFor) // the last save of who stops may have no end of its own
	defer cancel()
	offset, err := k.produce(ctx, m)
	if err != nil {
		return 0, err
	}
	if offset > k.next {
		if err := k.lookBetween(ctx, k.next, offset); err != nil {
			return 0, err
		}
	}
	k.next = offset + 1
	return offset, nil
}

func (k *Keep) produce(ctx context.Context, m message) (int64, error) {
	var offset int64
	err := k.retry(ctx, "write", func() error {
		res, err := k.log.produce(ctx, []message{m}, 0) // a checkpoint is compressed already
		if err == nil {
			offset = res.BaseOffset
		}
		return err
	})
	return offset, err
}

// lookBetween looks who wrote between two of our writes.
func (k *Keep) lookBetween(ctx context.Context, from, to int64) error {
	return k.scan(ctx, from, to, func(m message) error {
		if token, _ := parseKey(m); token > k.token {
			k.fenced = true
			k.c.m.fenced.Inc()
			return fmt.Errorf("%w: it claimed it at offset %d of %s, partition %d: %s", ErrFenced, token, k.log.topic, k.partition, m.value)
		}
		return nil
	})
}

// load reads everything before the claim.
func (k *Keep) load(ctx context.Context) error {
	var first int64
	err := k.retry(ctx, "ask where it begins", func() (err error) {
		first, _, err = k.log.bounds(ctx)
		return err
	})
	if err != nil {
		return err
	}
	r := reading{k: k, chunks: map[string][]byte{}}
	return k.scan(ctx, first, k.token, r.take)
}

// scan calls each with the messages from one offset up to another.
func (k *Keep) scan(ctx context.Context, from, to int64, each func(message) error) error {
	for from < to {
		var found page
		err := k.retry(ctx, "read", func() (err error) {
			found, err = k.log.fetch(ctx, from, pollFor, 4*chunkBytes)
			return err
		})
		if errors.Is(err, kafkago.OffsetOutOfRange) { // trimmed meanwhile, by an owner that is losing it
			if from, err = k.skipTrimmed(ctx, from); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		for _, m := range found.messages {
			if m.offset >= to {
				return nil
			}
			if err := each(m); err != nil {
				return err
			}
			from = m.offset + 1
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// skipTrimmed returns where the topic begins now.
func (k *Keep) skipTrimmed(ctx context.Context, from int64) (int64, error) {
	first, _, err := k.log.bounds(ctx)
	if err == nil && first <= from {
		err = fmt.Errorf("offset %d: %w, and the first is %d", from, kafkago.OffsetOutOfRange, first)
	}
	return first, err
}

// reading puts together what owners have written.
type reading struct {
	k      *Keep
	token  int64             // the greatest so far
	chunks map[string][]byte // by key; of the current token
}

func (r *reading) take(m message) error {
	token, key := parseKey(m)
	if token < r.token {
		return nil // written by an owner that was one no more
	}
	r.token = token
	what, _, _ := strings.Cut(key, "/")
	switch what {
	case "state":
		r.k.state = m.value
	case "chunk":
		r.chunks[string(m.key)] = m.value
	case "checkpoint":
		r.assemble(token, m)
		clear(r.chunks)
	}
	return nil
}

// assemble makes a checkpoint of the chunks that a manifest names. Where they are not all
// there, as they were, the checkpoint before it stays.
func (r *reading) assemble(token int64, m message) {
	var named manifest
	err := json.Unmarshal(m.value, &named)
	whole := make([]byte, 0, max(0, named.Bytes))
	owner := Keep{token: token}
	for i := range named.Chunks {
		part, ok := r.chunks[string(owner.key("chunk", named.Sequence, int64(i)))]
		if !ok {
			err = errors.Join(err, fmt.Errorf("chunk %d is not there", i))
			break
		}
		whole = append(whole, part...)
	}
	if err == nil && (len(whole) != named.Bytes || crc32.Checksum(whole, castagnoli) != named.Checksum) {
		err = errors.New("its checksum is another")
	}
	if err != nil {
		r.k.c.opts.Logger.Warn("A checkpoint is not whole; the one before it is used", "topic", r.k.log.topic, "partition", r.k.partition, "offset", m.offset, "err", err)
		return
	}
	r.k.checkpoint = whole
}

// parseKey returns the token of a message's owner and the rest of its key. What nobody here wrote has
// the token -1.
func parseKey(m message) (token int64, rest string) {
	if string(m.key) == claimKey {
		return m.offset, ""
	}
	before, rest, _ := strings.Cut(string(m.key), "/")
	token, err := strconv.ParseInt(before, 10, 64)
	if err != nil || token >= m.offset {
		return -1, ""
	}
	return token, rest
}

func (k *Keep) retry(ctx context.Context, what string, do func() error) error {
	return retry(ctx, func(err error, pause time.Duration, tries int) {
		if tries == 1 || tries%20 == 0 {
			k.c.opts.Logger.Warn("The brokers do not answer as they should; it is tried again",
				"topic", k.log.topic, "partition", k.partition, "doing", what, "err", err, "tries", tries, "pause", pause)
		}
	}, do)
}
