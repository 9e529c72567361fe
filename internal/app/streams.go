package app

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/stream"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/journal"
)

// streams are those of the configuration in force, and what they decode by.
type streams struct {
	set     *stream.Set
	decoder atomic.Pointer[wire.Decoder]
}

func (a *App) openStreams(c *config.Config, reg prometheus.Registerer) error {
	metrics, err := stream.NewMetrics(reg)
	if err != nil {
		return err
	}
	a.streams.set, err = stream.NewSet(stream.Options{
		Journal: a.folds, MaxBodyBytes: c.Ingest.MaxBodyBytes, MaxTenants: c.Ingest.MaxTenants,
		Read: func(rec ingest.Record, now ingest.Millis) (*ingest.Reading, error) {
			return a.streams.decoder.Load().ReadAhead(rec, now)
		},
		NeverHolds: func(err error) bool { return errors.Is(err, journal.ErrTooLarge) },
		Metrics:    metrics, Logger: a.logger.With("part", "stream"),
	})
	if err != nil {
		return err
	}
	apply, err := a.prepareStreams(c)
	if err == nil {
		apply()
	}
	return err
}

// prepareStreams checks and reads all that the streams of c need, and returns what makes them those that run.
func (a *App) prepareStreams(c *config.Config) (apply func(), err error) {
	decoder, err := wire.New(c.Decoding())
	if err != nil {
		return nil, fmt.Errorf("streams: %w", err)
	}
	change, err := a.streams.set.Prepare(c.Streams())
	if err != nil {
		return nil, fmt.Errorf("streams: %w", err)
	}
	return func() {
		a.streams.decoder.Store(decoder)
		change()
	}, nil
}

// runStreams reads until ctx ends. Nothing is read before the fold has been given its configuration.
func (a *App) runStreams(ctx context.Context) error {
	if err := a.awaitConfiguration(ctx); err != nil {
		return err
	}
	return a.streams.set.Run(ctx)
}
