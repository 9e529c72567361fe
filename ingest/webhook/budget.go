package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"
)

// errBusy is a request that found no room in memory for its body.
var errBusy = errors.New("too much is being received at once; send again")

// budget bounds the bytes of bodies that are in memory at once, over all requests.
type budget struct {
	room *semaphore.Weighted
	size int64
	m    *metrics
}

func newBudget(size int64, m *metrics) *budget {
	return &budget{semaphore.NewWeighted(size), size, m}
}

// share is what one request holds of a budget. It is for one goroutine.
type share struct {
	budget   *budget
	held     int64
	patience time.Duration // how long it may still wait, for memory and then for the journal
}

// grow makes the share hold n bytes more, and waits for them where it must.
func (s *share) grow(ctx context.Context, n int64) error {
	if !s.budget.room.TryAcquire(n) {
		if err := s.wait(ctx, n); err != nil {
			return err
		}
	}
	s.held += n
	s.budget.m.memory.Add(float64(n))
	return nil
}

func (s *share) wait(ctx context.Context, n int64) error {
	s.budget.m.waits.Inc()
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	err := s.budget.room.Acquire(ctx, n)
	s.patience = max(0, s.patience-time.Since(began))
	if err != nil {
		return fmt.Errorf("%w (max_inflight_bytes %d): %w", errBusy, s.budget.size, err)
	}
	return nil
}

// release gives everything back.
func (s *share) release() {
	s.budget.room.Release(s.held)
	s.budget.m.memory.Sub(float64(s.held))
	s.held = 0
}
