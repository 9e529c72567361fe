package kafka_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/journal/journaltest"
	"github.com/evenkeel/evenkeel/internal/journal/kafka"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/internal/simulate"
)

// tables are what all replicas store to: a partition.Store that keeps rows by batch.
type tables struct {
	mu      sync.Mutex
	batches []partition.Batch
}

func (s *tables) Write(_ context.Context, b partition.Batch, recovering bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if recovering {
		s.batches = slices.DeleteFunc(s.batches, func(old partition.Batch) bool {
			return old.Partition == b.Partition && old.First == b.First && old.Last == b.Last
		})
	}
	var kept partition.Rows // the batch's own are used again
	kept.Append(b.Rows)
	b.Rows = kept
	s.batches = append(s.batches, b)
	return nil
}

// rows returns those of a partition in order; a position that is there twice is an error.
func (s *tables) rows(t *testing.T, id uint32) partition.Rows {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var all partition.Rows
	next := uint64(0)
	slices.SortFunc(s.batches, func(a, b partition.Batch) int { return int(a.First) - int(b.First) })
	for _, b := range s.batches {
		if b.Partition != id {
			continue
		}
		if b.First <= next {
			t.Fatalf("partition %d: batch %d to %d comes after position %d was stored", id, b.First, b.Last, next)
		}
		next = b.Last
		all.Append(b.Rows)
	}
	return all
}

// replica folds the partitions that it is given. Once it is dead nothing that it does comes
// through: it is as good as killed, though its goroutines still end in order.
type replica struct {
	*tables
	c    *kafka.Cluster
	dead atomic.Bool
	stop context.CancelFunc
	done chan struct{}
}

var errDead = errors.New("killed")

// Write lets the rows through that were on their way when it died, but not that they were taken.
func (r *replica) Write(ctx context.Context, b partition.Batch, recovering bool) error {
	if r.dead.Load() {
		return errDead
	}
	time.Sleep(time.Millisecond) // as a store takes, so that death finds something under way
	err := r.tables.Write(ctx, b, recovering)
	if r.dead.Load() {
		return errDead
	}
	return err
}

// mortal is a keep that dies with its replica.
type mortal struct {
	*kafka.Keep
	r *replica
}

func (m mortal) SaveState(ctx context.Context, state []byte) error {
	if m.r.dead.Load() {
		return errDead
	}
	return m.Keep.SaveState(ctx, state)
}

func (m mortal) SaveCheckpoint(ctx context.Context, checkpoint []byte) error {
	if m.r.dead.Load() {
		return errDead
	}
	return m.Keep.SaveCheckpoint(ctx, checkpoint)
}

// whole is a partition that is never trimmed, for the comparison at the end.
type whole struct{ *kafka.Partition }

func (whole) Commit(uint64) error { return nil }

func (r *replica) own(ctx context.Context, a kafka.Assignment) error {
	if r.dead.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	k, err := r.c.Claim(ctx, a)
	if err != nil {
		return err
	}
	runner, err := partition.New(ctx, partition.Options{
		Partition: a.Partition, Log: whole{r.c.Partition(a.Partition)}, Store: r, Keep: mortal{k, r},
		BatchRows: 200, BatchAge: time.Millisecond, CheckpointEvery: 50 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	runner.Ticking(false) // a tick would carry the wall clock into a storm of long ago
	return runner.Run(ctx)
}

func (s *tables) start(t *testing.T, o kafka.Options) *replica {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &replica{tables: s, c: open(t, o), stop: stop, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		_ = r.c.Join(ctx, r.own) // ends with ctx
	}()
	t.Cleanup(r.leave)
	return r
}

func (r *replica) leave() { r.stop(); <-r.done }

// Replicas come, stop and die while a storm arrives: what is stored in the end is what one
// undisturbed fold of each partition makes, row for row.
func TestAPartitionThatMovesIsStoredAsIfItHadStayed(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	o.Partitions, o.DomainLabel = 3, "service"
	s := new(tables)
	writer := open(t, o)
	send := func(records []ingest.Record) {
		t.Helper()
		for part := range slices.Chunk(records, 5) {
			if _, err := writer.Append(context.Background(), part); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	records := storm(t)
	quarter := len(records)/4 + 1
	a := s.start(t, o)
	send(records[:quarter])
	b := s.start(t, o)
	send(records[quarter : 2*quarter])
	a.dead.Store(true)
	send(records[2*quarter : 3*quarter])
	a.leave()
	s.start(t, o)
	send(records[3*quarter:])
	b.leave()

	for id := range o.Partitions {
		all := journaltest.All(t, writer.Partition(id))
		fold := partition.NewFold(id)
		var want partition.Rows
		for _, rec := range all {
			want.Append(fold.Apply(rec))
		}
		eventually(t, "stored", func() bool { return s.last(id) >= lastWithRows(want) })
		got := s.rows(t, id)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(partition.Rows{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("partition %d differs from its fold:\n%s", id, diff)
		}
		if len(want.Incidents) == 0 {
			t.Errorf("partition %d has no incidents: nothing is compared", id)
		}
	}
}

func (s *tables) last(id uint32) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := uint64(0)
	for _, b := range s.batches {
		if b.Partition == id {
			last = max(last, b.Last)
		}
	}
	return last
}

func lastWithRows(r partition.Rows) uint64 {
	if n := len(r.Deliveries); n > 0 {
		return r.Deliveries[n-1].Address.Position
	}
	return 0
}

// storm returns the records of a generated storm, the configuration first.
func storm(t *testing.T) []ingest.Record {
	t.Helper()
	story := simulate.Storm(simulate.StormOptions{Seed: 7, Duration: time.Hour, Services: 12, Faults: 3})
	file := filepath.Join(t.TempDir(), "catalogue.yml")
	must(t, os.WriteFile(file, story.Catalogue, 0o600))
	c, _, err := config.Load("", file)
	must(t, err)
	first, err := c.Folding().Record()
	must(t, err)
	records := slices.Collect(story.Records())
	first.ReceivedAt = records[0].ReceivedAt
	return append([]ingest.Record{first}, records...)
}
