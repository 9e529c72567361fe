package partition_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/partition"
)

// taken is a keep that another owner takes over after so many saves of the state.
type taken struct {
	partition.Keep
	saves atomic.Int64
}

var errTaken = errors.New("another replica has it")

func (k *taken) SaveState(ctx context.Context, state []byte) error {
	if k.saves.Add(-1) < 0 {
		return errTaken
	}
	return k.Keep.SaveState(ctx, state)
}

// slow is a store that sends a batch long after the state was saved.
type slow struct {
	*memory
	after time.Duration
	sent  atomic.Int64
}

func (s *slow) Write(ctx context.Context, b partition.Batch, recovering bool) error {
	time.Sleep(s.after)
	if err := b.Confirm(ctx); err != nil {
		return err
	}
	s.sent.Add(1)
	return s.memory.Write(ctx, b, recovering)
}

// Who was slow to send what it had saved asks again whether the partition is its own, and stops where it is not.
func TestAnOwnerThatWasReplacedSendsNothingMore(t *testing.T) {
	for name, test := range map[string]struct {
		saves int64 // that succeed
		sent  int64
	}{
		"before it could send":         {1, 0},
		"after it had asked once more": {2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			j := journalOf(t, withoutPositions(stormRecords(t, smallStorm)[:5]))
			keep := &taken{Keep: partition.NewFiles(t.TempDir())}
			keep.saves.Store(test.saves)
			store := &slow{memory: &memory{}, after: 60 * time.Millisecond}
			r, err := partition.New(t.Context(), partition.Options{
				Log: j, Store: store, Keep: keep, Lease: 30 * time.Millisecond, BatchRows: 1, TickInterval: time.Hour,
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := r.Run(ctx); !errors.Is(err, errTaken) {
				t.Errorf("it ended with %v, want that another replica has it", err)
			}
			if got := store.sent.Load(); got != test.sent {
				t.Errorf("%d batches were sent, want %d", got, test.sent)
			}
		})
	}
}
