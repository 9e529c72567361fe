package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
)

// ReadJournal calls each with every record of the journal below a storage folder
// whose service is stopped.
func ReadJournal(ctx context.Context, storage string, each func(ingest.Record)) (err error) {
	dir := filepath.Join(storage, journalFolder)
	if _, err := os.Stat(dir); err != nil { // opening would make one
		return fmt.Errorf("no journal in the storage folder: %w", err)
	}
	j, err := journal.Open(journal.Options{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if first := j.First(); first > 1 {
		return fmt.Errorf("the journal begins at position %d: what came before was stored and trimmed, so a replay of the rest would not be what happened", first)
	}
	for next := uint64(1); next <= j.Last(); {
		records, err := j.Read(ctx, next, 1024)
		if err != nil {
			return err
		}
		for _, rec := range records {
			each(rec)
			next = rec.Position + 1
		}
	}
	return nil
}
