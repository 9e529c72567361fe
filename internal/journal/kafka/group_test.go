package kafka_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal/kafka"
)

// store has the rows of a fold that is as small as can be: a row a record. Like the real one it keeps its bounds
// before it sends, and reads back what an owner before it may have sent.
type store struct {
	mu      sync.Mutex
	rows    map[ingest.Address]string
	doubled []ingest.Address
}

// kept is what an owner remembers: what is stored, and the last position of the batch that may be.
type kept struct{ Stored, InFlight uint64 }

// own folds a partition as [kafka.Cluster.Join] asks for.
func (s *store) own(ctx context.Context, c *kafka.Cluster, a kafka.Assignment) error {
	k, err := c.Claim(ctx, a)
	if err != nil {
		return err
	}
	var before kept
	if b, err := k.LoadState(ctx); err != nil {
		return err
	} else if b != nil {
		if err := json.Unmarshal(b, &before); err != nil {
			return err
		}
	}
	log, stored := c.Partition(a.Partition), before.Stored
	for n := 1; ; n++ {
		if err := log.Wait(ctx, stored+1); err != nil {
			return err
		}
		records, err := log.Read(ctx, stored+1, 10)
		if err != nil {
			return err
		}
		if records[0].Position <= before.InFlight { // the batch is closed where it was closed then
			records = records[:min(uint64(len(records)), before.InFlight-stored)]
		}
		last := records[len(records)-1].Position
		b, err := json.Marshal(kept{stored, last})
		if err != nil {
			return err
		}
		if err := k.SaveState(ctx, b); err != nil {
			return err
		}
		s.send(a.Partition, records, last <= before.InFlight)
		stored = last
		if n%5 == 0 {
			if err := checkpoint(ctx, k, log, stored); err != nil {
				return err
			}
		}
	}
}

// checkpoint remembers that everything is stored, and only then trims.
func checkpoint(ctx context.Context, k *kafka.Keep, log *kafka.Partition, stored uint64) error {
	b, err := json.Marshal(kept{Stored: stored})
	if err != nil {
		return err
	}
	if err := k.SaveState(ctx, b); err != nil {
		return err
	}
	if err := k.SaveCheckpoint(ctx, b); err != nil {
		return err
	}
	return log.Commit(stored)
}

func (s *store) send(partition uint32, records []ingest.Record, recovering bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rec := range records {
		at := ingest.Address{Partition: partition, Position: rec.Position}
		if _, there := s.rows[at]; there && !recovering {
			s.doubled = append(s.doubled, at)
		}
		s.rows[at] = string(rec.Body)
	}
}

func (s *store) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Values(s.rows))
}

// member is one replica.
type member struct {
	c    *kafka.Cluster
	stop context.CancelFunc
	done chan struct{}

	mu    sync.Mutex
	owned map[uint32]int32 // generation by partition
}

func (s *store) join(t testing.TB, o kafka.Options) *member {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	m := &member{c: open(t, o), stop: stop, done: make(chan struct{}), owned: map[uint32]int32{}}
	go func() {
		defer close(m.done)
		err := m.c.Join(ctx, func(ctx context.Context, a kafka.Assignment) error {
			m.note(a, true)
			defer m.note(a, false)
			return s.own(ctx, m.c, a)
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("join: %v", err)
		}
	}()
	t.Cleanup(m.leave)
	return m
}

func (m *member) note(a kafka.Assignment, owns bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.owned, a.Partition)
	if owns {
		m.owned[a.Partition] = a.Generation
	}
}

func (m *member) owns() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.owned)
}

func (m *member) leave() { m.stop(); <-m.done }

// eventually waits for what other goroutines and brokers bring about.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("after half a minute: not %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// failures counts the lines of errors.
type failures struct {
	io.Writer
	n *atomic.Int32
}

func (f failures) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("level=ERROR")) {
		f.n.Add(1)
	}
	return f.Writer.Write(b)
}

// moves tests that members that come and go hand partitions over: every record is stored once.
func moves(t *testing.T, brokers []string, replication int) {
	o := options(brokers)
	o.Partitions, o.Replication = 4, replication
	var failed atomic.Int32
	o.Logger = slog.New(slog.NewTextHandler(failures{t.Output(), &failed}, nil))
	s := &store{rows: map[ingest.Address]string{}}
	writer := open(t, o)
	var want []string
	write := func(n int) {
		t.Helper()
		for range n {
			body := fmt.Sprintf("%05d", len(want))
			rec := delivery(body)
			if _, err := writer.Partition(uint32(len(want))%o.Partitions).Append(context.Background(), []ingest.Record{rec}); err != nil {
				t.Fatal(err)
			}
			want = append(want, body)
		}
	}
	a := s.join(t, o)
	eventually(t, "all with the first", func() bool { return a.owns() == 4 })
	write(50)
	b := s.join(t, o)
	write(50)
	eventually(t, "shared by two", func() bool { return a.owns() == 2 && b.owns() == 2 })
	write(50)
	a.leave()
	write(50)
	eventually(t, "all with the second", func() bool { return b.owns() == 4 })
	eventually(t, "all stored", func() bool { return len(s.all()) >= len(want) })
	if got := s.all(); !slices.Equal(got, want) {
		t.Errorf("%d stored, %d written", len(got), len(want))
	}
	if len(s.doubled) > 0 {
		t.Errorf("sent twice: %v", s.doubled)
	}
	if n := failed.Load(); n > 0 {
		t.Errorf("%d times a partition was not folded", n)
	}
}

func TestPartitionsMoveBetweenMembersAndNothingIsLostOrSentTwice(t *testing.T) {
	moves(t, fake(t, 1).ListenAddrs(), 1)
}

func TestAPartitionThatFailsIsBegunAgainAndItsNeighbourGoesOn(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	o.Partitions = 2
	c := open(t, o)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	var mu sync.Mutex
	calls := map[uint32]int{}
	go func() {
		done <- c.Join(ctx, func(ctx context.Context, a kafka.Assignment) error {
			mu.Lock()
			calls[a.Partition]++
			mu.Unlock()
			if a.Partition == 0 {
				return errors.New("broken")
			}
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	eventually(t, "begun again", func() bool { mu.Lock(); defer mu.Unlock(); return calls[0] >= 2 })
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if calls[1] != 1 {
		t.Errorf("the neighbour was begun %d times", calls[1])
	}
}
