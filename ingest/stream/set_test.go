package stream_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/stream"
)

func runSet(t *testing.T, journal stream.Appender) (set *stream.Set, stop func()) {
	t.Helper()
	set, err := stream.NewSet(stream.Options{Journal: journal})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- set.Run(ctx) }()
	stopped := false
	stop = func() {
		cancel()
		if !stopped {
			stopped = true
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return set, stop
}

// Append takes no batch with a record that says huge.
func (c *choosy) Append(ctx context.Context, records []ingest.Record) (uint64, error) {
	for _, r := range records {
		if r.Kind == ingest.KindDelivery && bytes.Contains(r.Body, []byte("huge")) {
			return 0, errNever
		}
	}
	return c.memory.Append(ctx, records)
}
