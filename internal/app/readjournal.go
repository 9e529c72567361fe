package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/partition"
)

// History is what a service that is stopped has received.
type History struct {
	Storage    string            // its folder
	ClickHouse config.ClickHouse // where the records are that the journal no longer has
	Logger     *slog.Logger      // default: nothing is said
}

// Skips returns the records that the service does not fold.
func (h History) Skips(ctx context.Context) (partition.Skips, error) {
	return partition.ReadSkips(ctx, partition.NewFiles(filepath.Join(h.Storage, partitionFolder)))
}

// Each calls each with every record, in order: those that the journal no longer has
// out of the table deliveries, which has no ticks, then those of the journal.
func (h History) Each(ctx context.Context, each func(ingest.Record) error) (err error) {
	dir := filepath.Join(h.Storage, journalFolder)
	if _, err := os.Stat(dir); err != nil { // opening would make one
		return fmt.Errorf("no journal in the storage folder: %w", err)
	}
	j, err := journal.Open(journal.Options{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if first := j.First(); first > 1 {
		if err := h.eachForgotten(ctx, first, each); err != nil {
			return err
		}
	}
	for next := j.First(); next <= j.Last(); {
		records, err := j.Read(ctx, next, 1024)
		if err != nil {
			return err
		}
		for _, rec := range records {
			if err := each(rec); err != nil {
				return err
			}
			next = rec.Position + 1
		}
	}
	return nil
}

// eachForgotten reads the records before the journal's first.
func (h History) eachForgotten(ctx context.Context, first uint64, each func(ingest.Record) error) (err error) {
	logger := h.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	db, done, err := OpenStore(ctx, h.ClickHouse, h.Storage, logger)
	if err != nil {
		return fmt.Errorf("the journal begins at position %d, what came before is in ClickHouse: %w", first, err)
	}
	defer func() { err = errors.Join(err, done()) }()
	n, err := partition.EachPast(ctx, partition.NewArchive(db), 0, 1, first, each)
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: it begins at position %d, and the table deliveries has none before it", partition.ErrForgotten, first)
	}
	return err
}
